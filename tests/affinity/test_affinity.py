"""What goes with what, held to published numbers, to a slow oracle and to its definition."""

import random
import warnings
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from affinity.oracle import Key, baskets, later_purchases
from backends import Backend
from retainkit import product_affinity
from retainkit.affinity import _eager
from retainkit.errors import (
    ArgumentError,
    ArgumentTypeError,
    ColumnTypeError,
    MissingColumnError,
    RetainkitWarning,
)
from sizes import batches
from tables import Row, rows_of

BERLIN = ZoneInfo("Europe/Berlin")


def bought(*rows: tuple[Any, ...]) -> pd.DataFrame:
    """Make lines of customers, items and times."""
    lines = pd.DataFrame(rows, columns=["customer_id", "item", "time"])
    return lines.assign(time=pd.to_datetime(lines["time"], format="ISO8601"))


def orders(*items: Sequence[Any]) -> pd.DataFrame:
    """Make lines of orders, each of which has some items."""
    pairs = [(order, item) for order, own in enumerate(items) for item in own]
    return pd.DataFrame(pairs, columns=["order_id", "item"])


def quietly(lines: Any, **options: Any) -> Any:
    """Call, and expect that items may be left out."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RetainkitWarning)
        return product_affinity(lines, **options)


def basket(lines: Any, **options: Any) -> Any:
    return quietly(lines, kind="basket", order="order_id", **{"min_trials": 1} | options)


def pair(result: Any, item: Any, other: Any) -> Row:
    """Return the row of a pair."""
    [row] = [one for one in rows_of(result) if (one["item"], one["other"]) == (item, other)]
    return row


def pairs(result: Any) -> set[tuple[Any, Any]]:
    return {(row["item"], row["other"]) for row in rows_of(result)}


# --- published numbers -------------------------------------------------------------------------


def groceries() -> pd.DataFrame:
    """Rebuild what the counts of Groceries say of whole milk and yogurt: 9,835 baskets."""
    both, milk, yogurt = 551, 2_513, 1_372
    rest = 9_835 - milk - yogurt + both
    return orders(
        *[["whole milk", "yogurt"]] * both,
        *[["whole milk"]] * (milk - both),
        *[["yogurt"]] * (yogurt - both),
        *[["other"]] * rest,
    )


def test_groceries_are_those_of_arules() -> None:
    # Hahsler, Hornik & Reutterer (2006), Implications of Probabilistic Data Modeling for Mining
    # Association Rules: the data set Groceries of the R package arules, and its `apriori`.
    result = basket(groceries())
    row = pair(result, "whole milk", "yogurt")
    assert (row["n"], row["n_both"]) == (2_513, 551)
    assert row["n_both"] / 9_835 == pytest.approx(0.0560244, abs=5e-8)
    assert row["rate"] == pytest.approx(0.2192598, abs=5e-8)
    assert row["lift"] == pytest.approx(1.5717351405, abs=5e-11)
    other = pair(result, "yogurt", "whole milk")
    assert other["base_rate"] == pytest.approx(0.255516, abs=5e-7)
    assert other["lift"] == pytest.approx(row["lift"], rel=1e-14)
    law = stats.hypergeom(9_835, 1_372, 2_513)
    assert row["p_value"] == pytest.approx(2 * law.sf(550), rel=1e-8)


def test_a_pair_that_was_bought_once_is_not_on_top() -> None:
    # Cocoa drinks and preservation products of Groceries: in 22 and 2 baskets, in one together.
    lines = orders(
        *[["cocoa drinks", "preservation"]],
        *[["cocoa drinks"]] * 21,
        *[["preservation"]],
        *[["whole milk", "yogurt"]] * 551,
        *[["whole milk"]] * 1_962,
        *[["yogurt"]] * 821,
        *[["other"]] * 6_478,
    )
    result = basket(lines)
    assert pair(result, "cocoa drinks", "preservation")["lift"] == pytest.approx(223.5, abs=0.05)
    assert ("cocoa drinks", "preservation") not in pairs(basket(lines, min_trials=20))


# --- the slow oracle ---------------------------------------------------------------------------


def drawn(seed: int, zone: ZoneInfo | None = None) -> list[Row]:
    """Draw lines with ties, returns of the same item, and a clock that is set back."""
    draw = random.Random(seed)  # noqa: S311
    begin = datetime(2023, 10, 25, 6, tzinfo=zone and UTC)
    rows = []
    for customer in range(25):
        time = begin + timedelta(hours=draw.randint(0, 50))
        for number in range(draw.randint(1, 6)):
            rows += [
                {
                    "customer_id": customer,
                    "order_id": 10 * customer + number,
                    "item": draw.choice("aaabbcccdefg"),
                    "time": time.astimezone(zone) if zone else time,
                    "team": ["x", "y", None][customer % 3],
                }
                for _ in range(draw.randint(1, 4))
            ]
            time += timedelta(hours=draw.choice([0, 1, 5, 24, 48, 72, 96]))
    draw.shuffle(rows)
    return rows


def assert_oracle(result: Any, expected: dict[Key, Row], by: str | None) -> None:
    found = {(row[by] if by else None, row["item"], row["other"]): row for row in rows_of(result)}
    assert found.keys() == expected.keys()
    for key, want in expected.items():
        for name, value in want.items():
            have = found[key][name]
            assert have == (value and pytest.approx(value, rel=1e-12)), (key, name)


@pytest.mark.parametrize("by", [None, "team"])
def test_baskets_are_those_of_a_slow_loop(backend: Backend, by: str | None) -> None:
    rows = drawn(1)
    result = basket(backend.make(rows), by=by, min_trials=3)
    assert_oracle(result, baskets(rows, 3, by), by)


@pytest.mark.parametrize(("window", "by"), [("3D", None), ("2D", "team"), ("49 hours", "team")])
@pytest.mark.parametrize("zone", [None, BERLIN], ids=str)
def test_what_comes_next_is_that_of_a_slow_loop(
    backend: Backend, zone: ZoneInfo | None, window: str, by: str | None
) -> None:
    rows = drawn(2, zone)
    as_of = datetime(2023, 11, 4, tzinfo=zone)
    length = {"3D": timedelta(3), "2D": timedelta(2), "49 hours": timedelta(hours=49)}[window]
    options: Row = {"by": by, "min_trials": 3}
    result = quietly(
        backend.make(rows), window=window, as_of=as_of, tz=zone and str(zone), **options
    )
    expected = later_purchases(rows, as_of=as_of, window=length, zone=zone, **options)
    assert expected
    assert any(row["open"] for row in expected.values())
    assert_oracle(result, expected, by)


@pytest.mark.parametrize("seeds", batches(range(3, 43), 3))
def test_arrays_count_as_slow_loops_do(seeds: range) -> None:
    for seed in seeds:
        rows = drawn(seed)
        end = max(row["time"] for row in rows) + timedelta(hours=1)
        options: Row = {"min_trials": 1 + seed % 3, "by": "team" if seed % 2 else None}
        found = quietly(pd.DataFrame(rows), window="40h", as_of=end, **options)
        expected = later_purchases(rows, as_of=end, window=timedelta(hours=40), **options)
        assert_oracle(found, expected, options["by"])


def test_the_result_does_not_depend_on_the_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = pd.DataFrame(drawn(7))
    whole = quietly(lines, window="4D", min_trials=1, by="team")
    monkeypatch.setattr(_eager, "_CANDIDATES", 3)
    pd.testing.assert_frame_equal(quietly(lines, window="4D", min_trials=1, by="team"), whole)


# --- intervals, p-values, order ----------------------------------------------------------------


@pytest.mark.parametrize("kind", ["basket", "next"])
def test_the_numbers_of_a_row_follow_from_its_counts(kind: Any) -> None:
    lines = pd.DataFrame(drawn(5))
    result = quietly(lines, kind=kind, order="order_id", window="4D", min_trials=2)
    z = stats.norm.ppf(0.975)
    for row in rows_of(result):
        n, rate = row["n"], row["rate"]
        assert rate == row["n_both"] / n
        # The limits are where the score test just rejects (Wilson 1927).
        for limit in (row["lower"], row["upper"]):
            assert abs(rate - limit) == pytest.approx(z * np.sqrt(limit * (1 - limit) / n), 1e-9)
        for one, other in [("rate", "lift"), ("lower", "lift_lower"), ("upper", "lift_upper")]:
            assert row[other] == pytest.approx(row[one] / row["base_rate"], rel=1e-12)
        assert row["repeat"] == (row["item"] == row["other"])


def trials_and_hits(result: pd.DataFrame) -> tuple[int, pd.Series]:
    return int(result.groupby("item")["n"].first().sum()), result.groupby("other")["n_both"].sum()


def test_p_values_are_those_of_scipy_and_holm() -> None:
    lines = pd.DataFrame(drawn(5))
    for options, tests in [({"kind": "basket", "order": "order_id"}, 21), ({"window": "4D"}, 49)]:
        result = quietly(lines, min_trials=4, **options)
        kept = {*result["item"]}
        assert len(kept) == 7
        if "order" in options:
            total, by_item = lines["order_id"].nunique(), result.groupby("item")["n"].first()
            once = result[result["item"] < result["other"]]
        else:
            (total, by_item), once = trials_and_hits(result), result
        law = stats.hypergeom(total, once["other"].map(by_item), once["n"])
        tails = law.cdf(once["n_both"]), law.sf(once["n_both"] - 1)
        want = np.minimum(2 * np.minimum(*tails), 1)
        assert once["p_value"].to_numpy() == pytest.approx(want, rel=1e-9)
        ordered = once.sort_values("p_value")
        steps = ordered["p_value"] * (tests - np.arange(len(ordered)))
        assert ordered["p_adjusted"].to_numpy() == pytest.approx(
            steps.cummax().clip(upper=1).to_numpy(), rel=1e-12
        )


def test_both_directions_of_a_basket_are_one_test() -> None:
    result = basket(pd.DataFrame(drawn(6)), min_trials=3)
    for row in rows_of(result):
        other = pair(result, row["other"], row["item"])
        for name in ("lift", "p_value", "p_adjusted", "n_both"):
            assert other[name] == pytest.approx(row[name], rel=1e-14)


def test_what_is_surest_comes_first() -> None:
    lines = pd.DataFrame(drawn(5))
    for by in (None, "team"):
        result = quietly(lines, window="4D", min_trials=1, by=by)
        keys = [str(row[by]) if by else "" for row in rows_of(result)]
        keys = [key if key != "None" else "~" for key in keys]  # nulls come last
        rows = list(zip(keys, -result["lift_lower"], result["item"], result["other"], strict=True))
        assert rows == sorted(rows)


def test_other_adjustments_and_none() -> None:
    lines = pd.DataFrame(drawn(5))
    plain = basket(lines, min_trials=4, adjust="none")
    assert plain["p_adjusted"].tolist() == plain["p_value"].tolist()
    found = basket(lines, min_trials=4, adjust="bonferroni")["p_adjusted"]
    assert found.tolist() == pytest.approx(np.minimum(21 * plain["p_value"], 1).tolist())
    once = basket(lines, min_trials=4, adjust="bh").query("item < other").sort_values("p_value")
    every = np.append(once["p_value"], [1.0] * (21 - len(once)))
    want = stats.false_discovery_control(every)[: len(once)]
    assert once["p_adjusted"].tolist() == pytest.approx(want.tolist())


# --- what the definition says of special cases -------------------------------------------------


def test_an_item_counts_once_in_an_order() -> None:
    once, twice = orders("ab", "a", "b", "c"), orders("aabb", "a", "b", "c")
    pd.testing.assert_frame_equal(basket(once), basket(twice))


def test_what_is_bought_at_the_same_time_is_a_basket_and_not_next() -> None:
    lines = bought(("x", "a", "2024-01-01"), ("x", "b", "2024-01-01"), ("y", "a", "2024-01-02"))
    assert len(quietly(lines, as_of="2025-01-01", min_trials=1)) == 0
    assert pairs(basket(lines.assign(order_id=[1, 1, 2]))) == {("a", "b"), ("b", "a")}


def test_baskets_need_neither_customers_nor_times() -> None:
    assert pairs(basket(orders("ab", "a"))) == {("a", "b"), ("b", "a")}


def test_baskets_of_lines_before_as_of() -> None:
    lines = bought(("x", "a", "2024-01-01"), ("x", "b", "2024-01-01"), ("y", "a", "2024-01-02"))
    lines["order_id"] = [1, 1, 2]
    with pytest.warns(RetainkitWarning, match=r"1 of 3 rows at or after as_of \(2024-01-02\)"):
        result = product_affinity(
            lines, kind="basket", order="order_id", min_trials=1, as_of="2024-01-02"
        )
    assert pair(result, "a", "b")["base_rate"] == 1


def test_a_window_is_half_open_and_a_trial_is_over_when_it_ends() -> None:
    lines = bought(
        ("x", "a", "2024-01-01 12:00"),
        ("x", "b", "2024-01-11 11:59"),
        ("x", "c", "2024-01-11 12:00"),
    )
    found = quietly(lines, window="10D", as_of="2024-01-11 12:01", min_trials=1)
    assert pairs(found) == set()  # b and c have no trial that is over, so they are left out
    found = quietly(lines, window="10D", as_of="2024-02-11", min_trials=1)
    assert pairs(found) == {("a", "b"), ("b", "c")}
    for as_of, n in [("2024-01-11 12:00", 1), ("2024-01-11 11:59:59", 0)]:
        lines = bought(("x", "a", "2024-01-01 12:00"), ("x", "a", "2024-01-02"))
        rows = rows_of(quietly(lines, window="10D", as_of=as_of, min_trials=1))
        assert [row["n"] for row in rows] == [1] * n


def test_days_are_those_of_the_wall_clock_and_hours_pass() -> None:
    # On 31 March 2024 the clock is set forward: a day of 23 hours.
    lines = bought(
        ("x", "a", "2024-03-30 12:00"),
        ("x", "b", "2024-03-31 11:30"),
        ("x", "b", "2024-03-31 12:30"),
    )
    lines["time"] = lines["time"].dt.tz_localize(BERLIN)
    options: Row = {"as_of": "2024-05-01", "min_trials": 1}
    assert ("a", "b") in pairs(quietly(lines, window="1D", **options))
    later = lines.iloc[[0, 2]]
    assert ("a", "b") not in pairs(quietly(later, window="1D", **options))
    assert ("a", "b") in pairs(quietly(later, window="24 hours", **options))


def test_only_the_first_purchase_is_a_trial() -> None:
    lines = bought(
        *[("x", "a", f"2024-01-{day:02}") for day in (1, 5, 9)], ("x", "b", "2024-01-12")
    )
    result = quietly(lines, window="10D", as_of="2024-03-01", min_trials=1)
    assert rows_of(result)[0] | {"rate": 1.0} == rows_of(result)[0]
    assert pairs(result) == {("a", "a")}
    assert pair(result, "a", "a")["median_days"] == 4.0


def test_open_trials_are_in_no_rate() -> None:
    # Of four buyers two are seen for the window, one of whom buys again; a third does at once.
    lines = bought(
        *[("x", "a", "2024-01-01"), ("x", "a", "2024-01-20"), ("y", "a", "2024-01-02")],
        *[("z", "a", "2024-02-20"), ("z", "a", "2024-02-21"), ("w", "a", "2024-02-25")],
    )
    row = pair(quietly(lines, window="30D", as_of="2024-03-01", min_trials=1), "a", "a")
    assert (row["n"], row["n_both"], row["open"], row["rate"]) == (2, 1, 2, 0.5)


def test_rare_items_are_left_out_on_both_sides_and_counted() -> None:
    lines = orders("ab", "ab", "ac", "bc", "ad")
    with pytest.warns(RetainkitWarning, match="1 of 4 items, such as 'd', have fewer") as caught:
        result = product_affinity(lines, kind="basket", order="order_id", min_trials=2)
    assert "d" not in {*result["item"], *result["other"]}
    [warning] = caught
    facts = warning.message
    assert isinstance(facts, RetainkitWarning)
    assert (facts.code, facts.argument, facts.rows, facts.total) == (
        "rare_items", "min_trials", 1, 4
    )  # fmt: skip
    # Orders with rare items alone stay in the base.
    assert pair(result, "a", "b")["base_rate"] == 3 / 5


def test_the_base_is_that_of_the_items_that_are_kept() -> None:
    lines = bought(
        *[(one, "a", "2024-01-01") for one in "xyz"],
        *[(one, "b", "2024-01-02") for one in "xy"],
        ("x", "c", "2024-01-01"),
    )
    options: Row = {"window": "9D", "as_of": "2024-03-01"}
    assert pair(quietly(lines, min_trials=1, **options), "a", "b")["base_rate"] == 3 / 6
    assert pair(quietly(lines, min_trials=2, **options), "a", "b")["base_rate"] == 2 / 5


def test_items_are_left_out_in_the_segment_in_which_they_are_rare(backend: Backend) -> None:
    rows = [
        {"order_id": order, "item": item, "team": team}
        for order, (team, own) in enumerate([("x", "ab"), ("x", "ab"), ("y", "ab"), ("y", "a")])
        for item in own
    ]
    result = basket(backend.make(rows), by="team", min_trials=2)
    assert [row["team"] for row in rows_of(result)] == ["x", "x"]


@pytest.mark.parametrize("null", ["item", "customer_id", "time"])
def test_nulls_are_refused_or_left_out(null: str) -> None:
    lines = bought(("x", "a", "2024-01-01"), ("x", "a", "2024-01-03"), ("y", "a", "2024-01-02"))
    lines.loc[2, null] = None
    with pytest.raises(ArgumentError, match=f"column '{null}'.* is null in 1 row, of 3"):
        product_affinity(lines, min_trials=1)
    with pytest.warns(RetainkitWarning, match=f"{null}.*1 of 3 rows left out"):
        product_affinity(lines, min_trials=1, missing="drop", window="1D", as_of="2024-02-01")


@pytest.mark.parametrize("argument", ["order_id", "item"])
def test_nulls_of_baskets_are_refused_or_left_out(argument: str) -> None:
    lines = orders("ab", "ab", "a").astype({"order_id": "float64"})
    lines.loc[4, argument] = None
    with pytest.raises(ArgumentError, match=f"column '{argument}'.* is null in 1 row, of 5"):
        product_affinity(lines, kind="basket", order="order_id")
    with pytest.warns(RetainkitWarning, match="1 of 5 rows left out"):
        product_affinity(lines, kind="basket", order="order_id", missing="drop", min_trials=2)


def test_items_are_kept_as_they_are(backend: Backend) -> None:
    for one, other in [("a", "b"), (7, 11)]:
        rows = [{"order_id": 1, "item": one}, {"order_id": 1, "item": other}]
        result = basket(backend.make(rows))
        assert [row["item"] for row in rows_of(result)] == [one, other]


def test_items_of_two_types_are_refused() -> None:
    lines = pd.DataFrame({"order_id": [1, 1], "item": pd.Series([22, "22"], dtype=object)})
    with pytest.raises(ColumnTypeError, match="text in another is two items"):
        basket(lines)


@pytest.mark.parametrize("kind", ["basket", "next"])
def test_a_customer_or_an_order_has_one_segment(backend: Backend, kind: Any) -> None:
    noun = "order" if kind == "basket" else "customer"
    rows = [
        {"customer_id": 1, "order_id": 1, "item": "a", "time": datetime(2024, 1, 1), "team": team}  # noqa: DTZ001
        for team in "xy"
    ]
    with pytest.raises(ArgumentError, match=f"'team'.* several values for 1 {noun}, such as 1"):
        product_affinity(backend.make(rows), kind=kind, order="order_id", by="team")


def test_baskets_without_an_order_are_refused() -> None:
    with pytest.raises(ArgumentError, match="needs `order`"):
        product_affinity(orders("ab"), kind="basket")


@pytest.mark.parametrize("window", ["3 months", "1 year", "0D", "-1D"])
def test_windows_that_are_not_equally_long_are_refused(window: str) -> None:
    with pytest.raises(ArgumentError, match="`window`"):
        product_affinity(bought(("x", "a", "2024-01-01")), window=window)


def test_arguments_of_the_wrong_kind_are_refused() -> None:
    lines = bought(("x", "a", "2024-01-01"))
    with pytest.raises(ArgumentError, match="`min_trials` is 0; it must be 1 or more"):
        product_affinity(lines, min_trials=0)
    with pytest.raises(ArgumentTypeError, match="`min_trials`"):
        product_affinity(lines, min_trials=1.5)  # type: ignore[arg-type]
    with pytest.raises(MissingColumnError, match="`item` needs the column 'sku'"):
        product_affinity(lines, item="sku")
    with pytest.raises(ArgumentError, match="`by` names the column 'lift'"):
        product_affinity(lines.assign(lift="x"), by="lift")


def test_nobody_and_nothing_give_the_same_columns() -> None:
    lines = bought(("x", "a", "2024-01-01"), ("x", "a", "2024-01-02"))
    some = quietly(lines, as_of="2025-01-01", min_trials=1)
    for none in (lines[:0], lines):
        result = quietly(none, as_of="2025-01-01", min_trials=2)
        assert len(result) == 0
        assert dict(result.dtypes) == dict(some.dtypes)


def test_groups_at_once_are_groups_apart() -> None:
    lines = pd.DataFrame(drawn(8))
    end = lines["time"].max()
    options: Row = {"window": "3D", "min_trials": 2, "as_of": end, "adjust": "none"}
    at_once = quietly(lines, by="team", **options)
    for team in "xy":
        apart = quietly(lines[lines["team"] == team], **options)
        own = at_once[at_once["team"] == team].drop(columns="team").reset_index(drop=True)
        pd.testing.assert_frame_equal(own, apart)
