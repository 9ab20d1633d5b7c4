"""Cumulative incidence: another package's figures, a slow reference, and what must add up."""

import random
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd
import pytest

import oracles
from backends import Backend
from retainkit import cumulative_incidence, survival_curve
from retainkit._stats.intervals import normal_quantile
from retainkit.errors import ArgumentError, MissingColumnError, RetainkitWarning
from tables import Row, rows_of


def day(month: int, number: int) -> datetime:
    return datetime(2024, month, number)  # noqa: DTZ001  naive times are the plainest


FOUR: list[Row] = [
    {"customer_id": who, "start": day(1, 1), "end": end, "why": why, "plan": "a"}
    for who, end, why in [
        ("ann", day(2, 1), "cancelled"),
        ("bob", day(3, 1), "failed payment"),
        ("cyd", day(4, 1), "cancelled"),
        ("dan", None, None),
    ]
]


def incidence_of(table: Any, **options: Any) -> dict[Any, list[Row]]:
    """Return the rows of each reason."""
    found: dict[Any, list[Row]] = {}
    for row in rows_of(cumulative_incidence(table, reason="why", **options)):
        found.setdefault(row["why"], []).append(row)
    return found


def test_two_of_four_cancelled_and_one_could_not_pay(backend: Backend) -> None:
    found = incidence_of(backend.make(FOUR), as_of="2024-05-01")
    last = {why: rows[-1]["cumulative_incidence"] for why, rows in found.items()}
    assert last == pytest.approx({"cancelled": 0.5, "failed payment": 0.25})
    curve = rows_of(survival_curve(backend.make(FOUR), as_of="2024-05-01"))
    assert 1 - curve[-1]["survival"] == pytest.approx(0.75)
    assert [row["time_unit"] for row in found["cancelled"]] == ["month"] * 4


# Ten customers, of whom those of days 3 and 6 left for another reason, and those of 2, 5 and 9 are
# still there. lifelines 0.30.3: AalenJohansenFitter().fit(days, event, 1), its
# `cumulative_density_` and `confidence_interval_`.
DAYS = [1, 2, 2.5, 3, 4, 5, 6, 8, 9, 10]
WHY = ["bought", None, "bought", "left", "bought", None, "left", "bought", None, "bought"]
LIFELINES = {4: (0.325, 0.075559, 0.613190), 8: (0.465625, 0.135102, 0.746857)}


def test_estimates_and_limits_are_those_of_lifelines(backend: Backend) -> None:
    rows: list[Row] = [
        {"days": float(days), "seen": why is not None, "why": why}
        for days, why in zip(DAYS, WHY, strict=True)
    ]
    found = incidence_of(backend.make(rows), duration="days", observed="seen")
    assert sorted(found) == ["bought", "left"]
    for row in found["bought"]:
        if row["tenure"] in LIFELINES:
            have = (row["cumulative_incidence"], row["lower"], row["upper"])
            assert have == pytest.approx(LIFELINES[row["tenure"]], abs=5e-7)
    assert "time_unit" not in found["left"][0]


def random_lives(seed: int, *, entry: bool = False) -> list[Row]:
    draw = random.Random(seed)  # noqa: S311
    rows: list[Row] = []
    for _ in range(60):
        duration = draw.randint(1, 12)
        rows.append(
            {
                "days": float(duration),
                "seen": draw.random() < 0.7,
                "why": draw.choice(["a", "b", None]),
                "plan": draw.choice("xy"),
                "from": float(draw.randint(0, duration - 1)) if entry else 0.0,
            }
        )
    return rows


def slow(rows: list[Row], why: Any, at: float) -> tuple[float, float]:
    """Return the incidence and its variance, by its definition: sums over tenures."""
    times = sorted({row["days"] for row in rows if row["seen"] and row["days"] <= at})
    survival, total, steps = 1.0, 0.0, []
    for time in times:
        n = sum(row["days"] >= time and (row["from"] < time) for row in rows)
        gone = [row for row in rows if row["seen"] and row["days"] == time]
        own = sum(row["why"] == why for row in gone)
        total += survival * own / n
        steps.append((n, len(gone), own, survival, total))
        survival *= 1 - len(gone) / n
    variance = 0.0
    for n, d, own, before, so_far in steps:
        rest = total - so_far
        variance += rest**2 * d / (n * (n - d)) if n > d else 0.0
        variance += before**2 * own * (n - own) / n**3 - 2 * rest * before * own / n**2
    return total, variance


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("entry", [False, True])
def test_the_curve_agrees_with_sums_over_tenures(seed: int, *, entry: bool) -> None:
    rows = random_lives(seed, entry=entry)
    options: Row = {"duration": "days", "observed": "seen", "by": "plan", "entry": "from"}
    found = rows_of(cumulative_incidence(pd.DataFrame(rows), reason="why", **options))
    z = normal_quantile(0.95)
    for row in found:
        own = [one for one in rows if one["plan"] == row["plan"]]
        total, variance = slow(own, row["why"], row["tenure"])
        assert row["cumulative_incidence"] == pytest.approx(total, abs=1e-12)
        if 0 < total < 1:
            # Pintilie (2006): F^exp(± z s / (F log F)).
            spread = z * np.sqrt(variance) / (total * np.log(total))
            limits = (total ** np.exp(-spread), total ** np.exp(spread))
            assert (row["lower"], row["upper"]) == pytest.approx(limits, rel=1e-6)


@pytest.mark.parametrize("seed", range(4))
def test_reasons_add_up_to_all_who_left(seed: int) -> None:
    table = pd.DataFrame(random_lives(seed, entry=True))
    options: Row = {"duration": "days", "observed": "seen", "by": "plan", "entry": "from"}
    found = rows_of(cumulative_incidence(table, reason="why", **options))
    for row in rows_of(survival_curve(table, **options)):
        same = [one for one in found if all(one[key] == row[key] for key in ("plan", "tenure"))]
        assert sorted(str(one["why"]) for one in same) == ["None", "a", "b"]
        total = sum(one["cumulative_incidence"] for one in same)
        assert total == pytest.approx(1 - row["survival"], abs=1e-12)
        assert sum(one["churned"] for one in same) == row["churned"]


def test_without_censoring_it_is_a_share_with_its_binomial_variance() -> None:
    rows = [row | {"seen": True} for row in random_lives(9)]
    found = incidence_of(pd.DataFrame(rows), duration="days", observed="seen")
    n, z = len(rows), normal_quantile(0.95)
    for why, curve in found.items():
        for row in curve:
            share = sum(one["why"] == why and one["days"] <= row["tenure"] for one in rows) / n
            assert row["cumulative_incidence"] == pytest.approx(share, abs=1e-12)
            if share:
                spread = z * np.sqrt(share * (1 - share) / n) / (share * np.log(share))
                assert row["lower"] == pytest.approx(share ** np.exp(-spread), rel=1e-6)


def test_who_leaves_at_once_has_left(backend: Backend) -> None:
    # By hand: 1 of 4 at 0; of S = 3/4 left 1 of 3 at 1; of S = 1/2 left the last one at 2.
    lives = [(0.0, "a"), (1.0, "b"), (1.0, None), (2.0, "a")]
    rows: list[Row] = [{"days": days, "seen": why is not None, "why": why} for days, why in lives]
    found = incidence_of(backend.make(rows), duration="days", observed="seen")
    shares = {why: [row["cumulative_incidence"] for row in one] for why, one in found.items()}
    assert shares == {"a": [0.25, 0.25, 0.75], "b": [0, 0.25, 0.25]}
    at_once = found["a"][0]
    assert (at_once["at_risk"], at_once["churned"]) == (4, 1)
    # The variance of 1 of 4 is that of the binomial distribution.
    spread = normal_quantile(0.95) * (0.25 * 0.75 / 4) ** 0.5 / (0.25 * np.log(0.25))
    limits = (0.25 ** np.exp(-spread), 0.25 ** np.exp(spread))
    assert (at_once["lower"], at_once["upper"]) == pytest.approx(limits, rel=1e-12)


def test_limits_where_nobody_or_everybody_has_left() -> None:
    rows = [{"days": float(days), "seen": True, "why": "a"} for days in (1, 2, 2, 3)]
    rows += [{"days": 0.5, "seen": False, "why": "b"}, {"days": 5.0, "seen": True, "why": "b"}]
    found = incidence_of(pd.DataFrame(rows), duration="days", observed="seen")
    none = {row["tenure"]: row for row in found["b"]}
    assert (none[0]["lower"], none[0]["upper"]) == (0, 0)
    assert none[0.5]["upper"] == pytest.approx(oracles.wilson(0, 6)[1])
    assert (none[2]["lower"], none[2]["upper"]) == (0, pytest.approx(oracles.wilson(0, 4)[1]))
    alone = incidence_of(pd.DataFrame(rows[:4]), duration="days", observed="seen")["a"]
    before, last = alone[-2:]
    assert (last["cumulative_incidence"], last["upper"]) == (1, 1)
    assert last["lower"] == pytest.approx(1 - (1 - before["lower"]) * oracles.wilson(0, 1)[1])
    assert before["lower"] < last["lower"] < 1
    for days in (0.0, 1.0):
        once = [{"days": days, "seen": True, "why": "a"}] * 3
        last = incidence_of(pd.DataFrame(once), duration="days", observed="seen")["a"][-1]
        assert (last["upper"], last["lower"]) == (1, pytest.approx(1 - oracles.wilson(0, 3)[1]))


# --- reasons ------------------------------------------------------------------------------------


def test_what_a_running_subscription_says_means_nothing(backend: Backend) -> None:
    rows = [row | {"why": row["why"] or "runs"} for row in FOUR]
    found = incidence_of(backend.make(rows), as_of="2024-05-01")
    assert sorted(found) == ["cancelled", "failed payment"]


def test_an_end_without_a_reason_has_one(backend: Backend) -> None:
    rows = [row | {"why": None if row["customer_id"] == "bob" else row["why"]} for row in FOUR]
    found = incidence_of(backend.make(rows), as_of="2024-05-01")
    assert [*found] == ["cancelled", None]
    assert found[None][-1]["cumulative_incidence"] == pytest.approx(0.25)


def test_a_run_ends_for_the_reason_of_the_subscription_that_ends_last() -> None:
    upgraded = FOUR[0] | {"end": day(1, 20), "why": "upgraded"}
    again = FOUR[0] | {"start": day(1, 20)}
    rows = [upgraded, again, *FOUR[1:]]
    assert incidence_of(pd.DataFrame(rows), as_of="2024-05-01") == incidence_of(
        pd.DataFrame(FOUR), as_of="2024-05-01"
    )
    together = [*FOUR, FOUR[0] | {"why": "a"}]
    with pytest.warns(RetainkitWarning, match="several values of `reason`"):
        found = incidence_of(pd.DataFrame(together), as_of="2024-05-01")
    assert found["a"][-1]["cumulative_incidence"] == pytest.approx(0.25)


def test_nobody_who_left_is_no_row() -> None:
    table = pd.DataFrame(FOUR).astype({"end": "datetime64[us]"})
    assert len(cumulative_incidence(table[3:], reason="why", as_of="2024-05-01")) == 0


def test_the_column_of_reasons_is_needed_and_no_segment() -> None:
    table = pd.DataFrame(FOUR)
    with pytest.raises(MissingColumnError, match="`reason` needs the column 'cause'"):
        cumulative_incidence(table, reason="cause")
    with pytest.raises(ArgumentError, match="`by` names 'why', which is the `reason`"):
        cumulative_incidence(table, reason="why", by="why", as_of="2024-05-01")
    with pytest.raises(ArgumentError, match="`reason` names the column 'tenure'"):
        cumulative_incidence(table.rename(columns={"why": "tenure"}), reason="tenure")
