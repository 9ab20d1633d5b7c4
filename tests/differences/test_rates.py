"""Differences of rates: published intervals, a slow reference, and what cannot be compared."""

import math
import random
from datetime import date
from decimal import Decimal
from itertools import combinations
from typing import Any

import pandas as pd
import pytest
from scipy.optimize import brentq

import oracles
from backends import Backend
from retainkit import churn_rate, cohort_retention, rate_difference, retention_curve
from retainkit._stats.differences import share_difference, share_difference_p_value
from retainkit.errors import ArgumentError, MissingColumnError
from tables import Row, rows_of

# --- numbers -------------------------------------------------------------------------------

# R. G. Newcombe (1998), Stat. Med. 17:873-890, table II, method 10.
NEWCOMBE = [
    ((56, 70, 48, 80), (0.0524, 0.3339)),
    ((9, 10, 3, 10), (0.1705, 0.8090)),
    ((6, 7, 2, 7), (0.0582, 0.8062)),
    ((5, 56, 0, 29), (-0.0381, 0.1926)),
    ((0, 10, 0, 20), (-0.1611, 0.2775)),
    ((0, 10, 0, 10), (-0.2775, 0.2775)),
    ((10, 10, 0, 20), (0.6791, 1.0)),
    ((10, 10, 0, 10), (0.6075, 1.0)),
]


@pytest.mark.parametrize(("counts", "expected"), NEWCOMBE)
def test_limits_are_those_of_newcombe(
    counts: tuple[int, int, int, int], expected: tuple[float, float]
) -> None:
    table = pd.DataFrame(
        {
            "plan": ["a", "b"],
            "cohort": "all",
            "age": 1,
            "customers": [counts[1], counts[3]],
            "retained": [counts[0], counts[2]],
        }
    )
    (row,) = rows_of(rate_difference(table, group="plan", reference="b"))
    assert (row["lower"], row["upper"]) == pytest.approx(expected, abs=5e-5)
    assert row["difference"] == counts[0] / counts[1] - counts[2] / counts[3]


def newcombe(x: int, m: int, y: int, n: int, level: float) -> tuple[float, float]:
    """Square-and-add, written out."""
    p, q = x / m, y / n
    (low_p, high_p), (low_q, high_q) = oracles.wilson(x, m, level), oracles.wilson(y, n, level)
    return (
        p - q - math.sqrt((p - low_p) ** 2 + (high_q - q) ** 2),
        p - q + math.sqrt((high_p - p) ** 2 + (q - low_q) ** 2),
    )


@pytest.mark.parametrize("seed", range(20))
def test_a_test_and_its_interval_never_contradict_each_other(seed: int) -> None:
    draw = random.Random(seed)  # noqa: S311
    m, n = draw.randint(1, 80), draw.randint(1, 80)
    x, y = draw.randint(0, m), draw.randint(0, n)
    difference, lower, upper = share_difference(x, m, y, n, 0.9)
    assert (float(lower), float(upper)) == pytest.approx(newcombe(x, m, y, n, 0.9), rel=1e-9)
    (p_value,) = [float(share_difference_p_value(x, m, y, n))]
    if difference == 0:
        assert p_value == 1
        return
    side = 0 if difference > 0 else 1
    root = brentq(lambda level: newcombe(x, m, y, n, level)[side], 1e-12, 1 - 1e-12, xtol=1e-14)
    assert p_value == pytest.approx(1 - root, abs=1e-9)


# --- results of others -----------------------------------------------------------------------


def visits() -> list[Row]:
    """Return the visits of customers of three plans in two countries, over five months."""
    draw = random.Random(3)  # noqa: S311
    return [
        {
            "customer_id": customer,
            "time": date(2024, month, draw.randint(1, 28)),
            "plan": "abc"[customer % 3],
            "country": "de" if customer % 2 else "fr",
        }
        for customer in range(90)
        for month in range(1 + customer % 4, 6)
        if month == 1 + customer % 4 or draw.random() < 0.3 + 0.2 * (customer % 3)
    ]


def compared(rows: list[Row], keys: list[str], count: str, n: str, group: str) -> list[Row]:
    """Compare rows that share their keys, each pair of groups, the later one first."""
    found = []
    for key in sorted({tuple(row[one] for one in keys) for row in rows}):
        cell = {row[group]: row for row in rows if tuple(row[one] for one in keys) == key}
        for b, a in sorted(combinations(sorted(cell), 2), key=lambda pair: pair[::-1]):
            x, m, y, k = cell[a][count], cell[a][n], cell[b][count], cell[b][n]
            lower, upper = newcombe(x, m, y, k, 0.95)
            shared = dict(zip(keys, key, strict=True))
            shared |= {"group_a": a, "group_b": b, "n_a": m, "n_b": k}
            shared |= {"rate_a": x / m, "rate_b": y / k, "difference": x / m - y / k}
            found.append(shared | {"lower": lower, "upper": upper})
    return found


def assert_compared(have: list[Row], want: list[Row]) -> None:
    assert len(have) == len(want) > 0
    for one, other in zip(have, want, strict=True):
        own = {name: value for name, value in one.items() if not name.startswith("p_")}
        assert list(own) == list(other)
        for name, value in other.items():
            close = pytest.approx(value, rel=1e-9) if isinstance(value, float) else value
            assert own[name] == close, name


def test_cohorts_are_compared_at_each_age(backend: Backend) -> None:
    events = backend.make(visits())
    table = cohort_retention(events, by=["country", "plan"], as_of="2024-06-01")
    rows = [row for row in rows_of(table) if row["age"] > 0 and row["eligible"]]
    have = rows_of(rate_difference(table, group="plan"))
    want = compared(rows, ["country", "cohort", "age"], "retained", "eligible", "plan")
    assert_compared(have, want)
    # Holm: the smallest p-value times the number of comparisons.
    least = min(have, key=lambda row: row["p_value"])
    assert least["p_adjusted"] == pytest.approx(min(1, least["p_value"] * len(have)))


def test_curves_are_compared_at_each_age() -> None:
    events = pd.DataFrame(visits()).astype({"time": "datetime64[us]"})
    curve = retention_curve(cohort_retention(events, by="plan", as_of="2024-06-01"))
    rows = [row for row in rows_of(curve) if row["age"] > 0]
    have = rows_of(rate_difference(curve, group="plan"))
    assert_compared(have, compared(rows, ["age"], "retained", "customers", "plan"))


@pytest.mark.parametrize("method", ["opening", "stripe"])
def test_churn_is_compared_in_each_period(method: Any) -> None:
    draw = random.Random(8)  # noqa: S311
    rows = []
    for customer in range(200):
        start = pd.Timestamp("2024-01-01") + pd.Timedelta(days=draw.randint(0, 90))
        end = start + pd.Timedelta(days=draw.randint(10, 200))
        rows.append(
            {"customer_id": customer, "start": start, "end": end, "plan": "ab"[customer % 2]}
        )
    churn = churn_rate(pd.DataFrame(rows), by="plan", method=method, as_of="2024-05-20")
    full = [row for row in rows_of(churn) if row["churn_rate"] is not None]
    for row in full:
        arrivals = row["new"] + row["reactivated"] if method == "stripe" else 0
        row["base"] = row["opening"] + arrivals
    have = rows_of(rate_difference(churn, group="plan"))
    assert_compared(have, compared(full, ["period"], "churned", "base", "plan"))


def test_churn_is_compared_by_its_cause() -> None:
    table = pd.concat([subscriptions().assign(customer_id=range(i, i + 4)) for i in (0, 4, 8)])
    table["why"] = ["price", None, "moved", "price"] * 2 + ["moved"] * 4
    churn = churn_rate(table, by="plan", reason="why", as_of="2024-05-01")
    full = [row for row in rows_of(churn) if row["churn_rate"] is not None]
    have = rows_of(rate_difference(churn, group="plan"))
    assert_compared(have, compared(full, ["period", "why"], "churned", "opening", "plan"))


def test_what_is_in_progress_is_not_compared() -> None:
    rows = [row for row in visits() if row["time"] < date(2024, 5, 15)]
    events = pd.DataFrame(rows).astype({"time": "datetime64[us]"})
    options: Row = {"by": "plan", "as_of": "2024-05-15"}
    over = rate_difference(cohort_retention(events, **options), group="plan")
    table = cohort_retention(events, include_partial=True, **options)
    pd.testing.assert_frame_equal(rate_difference(table, group="plan"), over)
    options["as_of"] = "2024-03-10"
    over = rate_difference(churn_rate(subscriptions(), **options), group="plan")
    table = churn_rate(subscriptions(), include_partial=True, **options)
    pd.testing.assert_frame_equal(rate_difference(table, group="plan"), over)


def test_age_0_is_compared_where_it_can_differ() -> None:
    table = pd.DataFrame(
        {
            "plan": ["a", "b"] * 2,
            "cohort": "all",
            "age": [0, 0, 1, 1],
            "customers": 20,
            "retained": [20, 20, 5, 9],
        }
    )
    assert rate_difference(table, group="plan")["age"].tolist() == [1]
    # Of sign-ups who never came fewer than all are there.
    came = table.assign(retained=[18, 20, 5, 9])
    assert rate_difference(came, group="plan")["age"].tolist() == [0, 1]


def test_null_is_a_group_and_one_is_the_reference() -> None:
    table = pd.DataFrame(
        {
            "plan": ["a", "b", None],
            "cohort": "all",
            "age": 1,
            "customers": [10, 20, 30],
            "retained": [5, 6, 7],
        }
    )
    have = rows_of(rate_difference(table, group="plan", reference="b"))
    assert [(row["group_a"], row["group_b"]) for row in have] == [("a", "b"), (None, "b")]
    assert len(rate_difference(table, group="plan")) == 3
    with pytest.raises(ArgumentError, match=r"'z', which is no group.*'a', 'b', None"):
        rate_difference(table, group="plan", reference="z")


@pytest.mark.parametrize(
    ("groups", "reference", "meant"),
    [(["UK", "FR"], "uk", "'UK'"), (["UK", "FR"], "Uk ", "'UK'"), ([1, 2], "1", "1")],
)
def test_a_reference_in_other_letters_is_suggested(
    groups: list[Any], reference: Any, meant: str
) -> None:
    table = pd.DataFrame(
        {"country": groups, "cohort": "all", "age": 1, "customers": [10, 20], "retained": [5, 6]}
    )
    with pytest.raises(ArgumentError, match=rf"Did you mean {meant}\?$") as error:
        rate_difference(table, group="country", reference=reference)
    assert error.value.code == "unknown_reference"
    with pytest.raises(ArgumentError, match=r"\.$"):
        rate_difference(table, group="country", reference="ZZZ")


def test_counts_may_be_decimals() -> None:
    churn = churn_rate(subscriptions(), by="plan", as_of="2024-05-01")
    decimals = churn.assign(**{name: churn[name].map(Decimal) for name in ("opening", "churned")})
    pd.testing.assert_frame_equal(
        rate_difference(decimals, group="plan"), rate_difference(churn, group="plan")
    )
    curve = pd.DataFrame({"plan": ["a", "b"], "age": 1, "average": "pooled"})
    curve["customers"] = pd.Series([Decimal(10), Decimal(20)])
    curve["retained"] = pd.Series([Decimal(2), Decimal(9)])
    (row,) = rows_of(rate_difference(curve, group="plan"))
    assert (row["rate_a"], row["rate_b"]) == (0.45, 0.2)


# --- what cannot be compared ----------------------------------------------------------------


def subscriptions() -> pd.DataFrame:
    start = pd.to_datetime(["2024-01-03", "2024-01-10", "2024-02-05", "2024-01-20"])
    end = pd.to_datetime(pd.Series(["2024-02-20", None, "2024-03-20", "2024-02-25"]))
    plan = ["a", "a", "b", "b"]
    return pd.DataFrame({"customer_id": range(4), "start": start, "end": end, "plan": plan})


def test_sums_of_daily_rates_are_no_shares() -> None:
    rows = pd.concat([subscriptions(), subscriptions().assign(customer_id=range(4, 8))])
    rows["end"] = rows["end"].mask(rows["customer_id"] == 4, pd.Timestamp("2024-02-10"))
    churn = churn_rate(rows, by="plan", method="daily", as_of="2024-05-01")
    with pytest.raises(ArgumentError, match='method="daily"') as error:
        rate_difference(churn, group="plan")
    assert error.value.code == "not_a_share"


@pytest.mark.parametrize("average", ["simple", "chained"])
def test_only_a_pooled_curve_is_a_share(average: Any) -> None:
    events = pd.DataFrame(visits()).astype({"time": "datetime64[us]"})
    curve = retention_curve(
        cohort_retention(events, by="plan", as_of="2024-06-01"), average=average
    )
    with pytest.raises(ArgumentError, match=f"'{average}'; only a pooled curve") as error:
        rate_difference(curve, group="plan")
    assert error.value.code == "not_a_share"


def test_another_table_is_refused_with_the_functions_that_make_it() -> None:
    with pytest.raises(ArgumentError, match="a result of cohort_retention") as error:
        rate_difference(subscriptions(), group="plan")
    assert error.value.code == "not_a_result"


def test_the_group_is_a_segment_of_the_table() -> None:
    churn = churn_rate(subscriptions(), by="plan", as_of="2024-05-01")
    with pytest.raises(MissingColumnError, match="`group` needs the column 'country'"):
        rate_difference(churn, group="country")
    with pytest.raises(
        ArgumentError, match=r"'opening'.* is no segment of `table`, which has 'plan'"
    ):
        rate_difference(churn, group="opening")
    with pytest.raises(ArgumentError, match="10 rows for 5 combinations of 'period', 'plan'"):
        rate_difference(pd.concat([churn, churn]), group="plan")


@pytest.mark.parametrize(("group", "within"), [("why", "'period', 'why'"), ("period", "'period',")])
def test_causes_and_periods_are_no_groups(group: str, within: str) -> None:
    rows = subscriptions().assign(why=pd.Series(["price", None, "moved", "price"]))
    churn = churn_rate(rows, by="plan", reason="why", as_of="2024-05-01")
    with pytest.raises(ArgumentError, match=f"compared within each of {within}") as error:
        rate_difference(churn, group=group)
    assert (error.value.code, error.value.argument) == ("not_a_segment", "group")
    assert "by=" not in str(error.value)
