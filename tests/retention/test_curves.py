"""The triangle and the curve over cohorts, on tables that one can work out by hand.

Averages are checked against numbers written out here, the oracle, Kaplan and Meier; intervals
against their definitions, worked out anew in the test, and by simulation.
"""

import math
from collections.abc import Callable, Sequence
from datetime import date, datetime
from itertools import pairwise
from typing import Any

import duckdb
import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from scipy import stats

import oracles
from backends import Backend
from retainkit import RetainkitWarning, cohort_retention, retention_curve, retention_matrix
from retainkit.errors import ArgumentError, ColumnTypeError, MissingColumnError, RetainkitError
from tables import Row, assert_rows, plain, rows_of

Cells = dict[date, Sequence[tuple[int, int] | None]]
JAN, FEB, MAR, APR = (date(2024, month, 1) for month in range(1, 5))
AVERAGES = ["pooled", "simple", "chained"]
NAN = math.nan

each_average = pytest.mark.parametrize("average", AVERAGES)


def cells(given: Cells, **segment: Any) -> list[Row]:
    """Make the rows of a table of (eligible, retained); None is a cell that is not there."""
    rows: list[Row] = []
    for cohort, pairs in given.items():
        for age, pair in enumerate(pairs):
            if pair is None:
                continue
            eligible, retained = pair
            lower, upper = oracles.wilson(retained, eligible)
            rows.append(
                {
                    **segment,
                    "cohort": cohort,
                    "age": age,
                    "customers": eligible,
                    "eligible": eligible,
                    "retained": retained,
                    "retention": retained / eligible if eligible else NAN,
                    "lower": lower,
                    "upper": upper,
                    "complete": True,
                }
            )
    return rows


def frame(rows: list[Row]) -> pd.DataFrame:
    table = pd.DataFrame(rows)
    return table.assign(cohort=pd.to_datetime(table["cohort"]).astype("datetime64[us]"))


def curve(table: Any, average: Any = "pooled", **options: Any) -> dict[int, Row]:
    """Return the rows of a curve by age."""
    return {row["age"]: row for row in rows_of(retention_curve(table, average=average, **options))}


def rates(table: Any, average: str = "pooled", **options: Any) -> list[float]:
    return [row["retention"] for row in curve(table, average, **options).values()]


# Three cohorts, the usual triangle; age 1 rises because of the cohort that is not observed at 2.
TRIANGLE: Cells = {
    JAN: [(10, 10), (10, 4), (10, 3)],
    FEB: [(40, 40), (40, 20)],
    MAR: [(50, 50)],
}
TABLE = frame(cells(TRIANGLE))


# --- the three averages, by hand -----------------------------------------------------------


@pytest.mark.parametrize(
    ("average", "expected"),
    [
        ("pooled", [1, 24 / 50, 3 / 10]),
        ("simple", [1, (4 / 10 + 20 / 40) / 2, 3 / 10]),
        # Of those at age 1, three quarters of the only cohort that was observed so far are left.
        ("chained", [1, 24 / 50, 24 / 50 * 3 / 4]),
    ],
)
def test_averages_by_hand(average: str, expected: list[float]) -> None:
    assert rates(TABLE, average) == pytest.approx(expected, abs=1e-12)
    rows = curve(TABLE, average)
    shown = [(row["cohorts"], row["customers"], row["retained"]) for row in rows.values()]
    assert shown == [(3, 100, 100), (2, 50, 24), (1, 10, 3)]
    assert {row["average"] for row in rows.values()} == {average}


def test_the_curve_is_pooled_by_default() -> None:
    pd.testing.assert_frame_equal(retention_curve(TABLE), retention_curve(TABLE, average="pooled"))
    assert list(retention_curve(TABLE)) == [
        *("age", "cohorts", "customers", "retained", "retention", "lower", "upper", "average")
    ]


def test_averages_of_mixpanel() -> None:
    # 1000 -> 500, 500 -> 400 and, in a month that is not over, 700 -> 10. Mixpanel says 56 %,
    # pooled it is 60 %, the mean is 65 %; with the month in progress it would be 41.4 %.
    rows = cells({JAN: [(1000, 1000), (1000, 500)], FEB: [(500, 500), (500, 400)]})
    third = cells({MAR: [(700, 700), (700, 10)]})
    third[1] |= {"lower": NAN, "upper": NAN, "complete": False}
    for average, rate in {"pooled": 0.60, "simple": 0.65}.items():
        assert rates(frame(rows), average)[1] == pytest.approx(rate, abs=1e-12)
        assert curve(frame([*rows, *third]), average)[1] == curve(frame(rows), average)[1]
    # Steps from 100 % to 900 of 1500: the cohort in progress counts at age 0 only.
    assert rates(frame([*rows, *third]), "chained")[1] == pytest.approx(0.60, abs=1e-12)
    closed = frame([*rows, *cells({MAR: [(700, 700), (700, 10)]})])
    assert rates(closed)[1] == pytest.approx(910 / 2200, abs=1e-12)


def test_a_chain_is_not_bent_by_cohorts_that_stop() -> None:
    # A poor old cohort and a good young one. Pooled retention falls from age 1 to 2 for no
    # other reason than that the good cohort is not observed at 2; nobody has left.
    table = frame(cells({JAN: [(100, 100), (100, 20), (100, 20)], FEB: [(100, 100), (100, 80)]}))
    assert rates(table) == pytest.approx([1, 0.5, 0.2])
    assert rates(table, "chained") == pytest.approx([1, 0.5, 0.5])


def test_a_chain_may_rise_and_exceed_one() -> None:
    table = frame(cells({JAN: [(10, 10), (10, 2), (10, 8)], FEB: [(10, 10), (10, 9)]}))
    rows = curve(table, "chained")
    assert rows[2]["retention"] == pytest.approx(11 / 20 * 8 / 2)
    assert rows[2]["lower"] is None
    assert rows[2]["upper"] is None


def test_a_chain_ends_when_nobody_is_left() -> None:
    table = frame(cells({JAN: [(10, 10), (10, 0), (10, 3)]}))
    rows = curve(table, "chained")
    assert (rows[1]["retention"], rows[1]["lower"]) == (0, 0)
    assert rows[1]["upper"] == pytest.approx(oracles.wilson(0, 10)[1])
    assert [rows[2][name] for name in ("retention", "lower", "upper")] == [None] * 3
    assert rates(table) == [1, 0, 0.3]


def test_an_observed_zero_is_in_the_mean_and_an_empty_cohort_is_not() -> None:
    table = frame(cells({JAN: [(4, 4), (4, 2)], FEB: [(0, 0), (0, 0)], MAR: [(8, 8), (8, 0)]}))
    assert rates(table, "simple")[1] == pytest.approx((0.5 + 0) / 2)
    for average in AVERAGES:
        rows = curve(table, average)
        assert [row["cohorts"] for row in rows.values()] == [2, 2]
        assert [row["customers"] for row in rows.values()] == [12, 12]


@each_average
def test_cells_in_progress_are_left_out(average: Any) -> None:
    events = pd.DataFrame({"customer_id": [1, 1, 2, 2], "time": pd.to_datetime(
        ["2024-01-05", "2024-02-06", "2024-02-07", "2024-03-02"]
    )})  # fmt: skip
    whole = cohort_retention(events, as_of="2024-03-10")
    partial = cohort_retention(events, as_of="2024-03-10", include_partial=True)
    assert len(partial) > len(whole)
    pd.testing.assert_frame_equal(
        retention_curve(partial, average=average), retention_curve(whole, average=average)
    )


@each_average
def test_an_age_at_which_no_cell_counts_has_no_row(average: str) -> None:
    rows = cells({JAN: [(4, 4), (4, 2)], FEB: [(0, 0), (0, 0), (0, 0)]})
    assert list(curve(frame(rows), average)) == [0, 1]


@each_average
def test_one_cohort_is_its_own_average(average: str) -> None:
    table = frame(cells({JAN: [(50, 50), (50, 20), (50, 25), (50, 7)]}))
    rows = curve(table, average)
    for name in ("retention", "lower", "upper"):
        assert [row[name] for row in rows.values()] == pytest.approx(table[name].tolist())


def random_table(seed: int, by: Sequence[Any] = (None,)) -> list[Row]:
    """Make a triangle of cohorts of all sizes, empty ones too, for each segment."""
    rng = np.random.default_rng(seed)
    rows = []
    for segment in by:
        given: Cells = {}
        for month in range(1, 7):
            size = int(rng.choice([0, 1, 3, 20, 400]))
            rate = np.append(1, rng.uniform(0, 0.8, 6 - month))
            given[date(2024, month, 1)] = [(size, int(rng.binomial(size, p))) for p in rate]
        rows += cells(given, **({} if by == (None,) else {"plan": segment}))
    return rows


@each_average
@pytest.mark.parametrize("seed", range(20))
def test_averages_agree_with_the_oracle(average: Any, seed: int) -> None:
    rows = random_table(seed)
    expected = oracles.retention_curve(rows, average)
    have = rows_of(retention_curve(frame(rows), average=average))
    assert_rows([{name: row[name] for name in expected[0]} for row in have], expected)


@each_average
def test_a_curve_for_each_segment(average: Any) -> None:
    rows = random_table(99, ["pro", "free", None])
    have = rows_of(retention_curve(frame(rows), average=average))
    expected = oracles.retention_curve(rows, average)
    assert_rows([{name: row[name] for name in expected[0]} for row in have], expected)
    assert list(dict.fromkeys(row["plan"] for row in have)) == ["free", "pro", None]
    for plan in ("pro", "free"):
        alone = [row for row in rows if row["plan"] == plan]
        mine = [
            {k: v for k, v in row.items() if k != "plan"} for row in have if row["plan"] == plan
        ]
        single = frame([{k: v for k, v in row.items() if k != "plan"} for row in alone])
        assert_rows(mine, rows_of(retention_curve(single, average=average)))


def test_segments_of_several_columns_keep_their_columns() -> None:
    rows = [*cells(TRIANGLE, plan="b", vip=True), *cells(TRIANGLE, plan="a", vip=False)]
    table = retention_curve(frame(rows))
    assert list(table)[:3] == ["plan", "vip", "age"]
    assert table[["plan", "vip"]].drop_duplicates().to_numpy().tolist() == [
        ["a", False],
        ["b", True],
    ]


# --- Kaplan and Meier -------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(5))
def test_the_chain_is_kaplan_meier_where_nobody_comes_back(seed: int) -> None:
    rng = np.random.default_rng(seed)
    start, life = rng.integers(0, 12, 300), rng.geometric(0.2, 300)
    rows = [
        {"customer_id": who, "time": datetime(2023, 1 + begin + age, 1)}  # noqa: DTZ001
        for who, (begin, ages) in enumerate(zip(start, life, strict=True))
        for age in range(min(ages, 12 - begin))
    ]
    events = pd.DataFrame(rows).astype({"time": "datetime64[us]"})
    have = rates(cohort_retention(events, as_of="2024-01-01"), "chained")

    # Somebody who starts in month s is observed at the ages 0 to 11 - s, and lost at the first
    # age without activity if that was observed; else censored after the last one.
    last = 11 - start
    lost = life <= last
    data = stats.CensoredData(uncensored=life[lost], right=last[~lost])  # type: ignore[type-var]
    survival = stats.ecdf(data).sf.evaluate(np.arange(len(have)))  # type: ignore[arg-type]
    assert have == pytest.approx(survival.tolist(), abs=1e-12)
    assert all(after <= before for before, after in pairwise(have))


# --- intervals ------------------------------------------------------------------------------


@pytest.mark.parametrize("level", [0.5, 0.9, 0.99])
@pytest.mark.parametrize("seed", range(5))
def test_the_interval_of_the_pooled_rate_is_wilsons_of_the_sums(seed: int, level: float) -> None:
    for row in curve(frame(random_table(seed)), confidence_level=level).values():
        bounds = oracles.wilson(row["retained"], row["customers"], level)
        assert (row["lower"], row["upper"]) == pytest.approx(bounds, abs=1e-12)


@pytest.mark.parametrize("level", [0.5, 0.9, 0.99])
@pytest.mark.parametrize("seed", range(5))
def test_the_interval_of_the_mean_is_movers(seed: int, level: float) -> None:
    # Zou, Huang and Zhang (2009): L = m - sqrt(sum of (w (p - l))²), U likewise, w = 1 / c.
    rows = [row for row in random_table(seed) if row["eligible"]]
    for age, have in curve(frame(rows), "simple", confidence_level=level).items():
        own = [row for row in rows if row["age"] == age]
        below = above = 0.0
        for row in own:
            lower, upper = oracles.wilson(row["retained"], row["eligible"], level)
            below += ((row["retention"] - lower) / len(own)) ** 2
            above += ((upper - row["retention"]) / len(own)) ** 2
        mean = sum(row["retention"] for row in own) / len(own)
        bounds = mean - math.sqrt(below), mean + math.sqrt(above)
        assert (have["lower"], have["upper"]) == pytest.approx(bounds, abs=1e-12)


def test_the_interval_of_the_mean_in_round_numbers() -> None:
    # At z = 2, 5 of 20 has the limits (7 ± sqrt(19)) / 24 around 6 / 24. Of four such cohorts the
    # distances from the rate are halved.
    level = 2 * stats.norm.cdf(2) - 1
    table = frame(cells({date(2024, month, 1): [(20, 5)] for month in range(1, 5)}))
    row = curve(table, "simple", confidence_level=level)[0]
    root = math.sqrt(19)
    assert row["lower"] == pytest.approx(1 / 4 - (root - 1) / 48, abs=1e-12)
    assert row["upper"] == pytest.approx(1 / 4 + (root + 1) / 48, abs=1e-12)


def chain(rows: list[Row], shares: dict[tuple[date, int], float], last: int) -> float:
    """Multiply the steps up to an age, with these rates in place of the observed."""
    product = 1.0
    for age in range(last + 1):
        own = [row for row in rows if row["age"] == age]
        now = sum(row["eligible"] * shares[row["cohort"], age] for row in own)
        then = sum(row["eligible"] * shares.get((row["cohort"], age - 1), 1) for row in own)
        product *= now / then
    return product


@pytest.mark.parametrize("seed", range(6))
def test_the_interval_of_the_chain_is_wilsons_for_the_variance_by_the_delta_method(
    seed: int,
) -> None:
    # The derivative by each rate is taken numerically: nothing is shared with the formula.
    rng = np.random.default_rng(seed)
    sizes = rng.integers(30, 300, 5).tolist()
    rows = cells(
        {
            date(2024, 1 + i, 1): [(n, n)]
            + [(n, int(rng.binomial(n, 0.7 * 0.8**age))) for age in range(1, 6 - i)]
            for i, n in enumerate(sizes)
        }
    )
    shares = {(row["cohort"], row["age"]): row["retention"] for row in rows}
    sizes_of = {(row["cohort"], row["age"]): row["eligible"] for row in rows}
    for age, have in curve(frame(rows), "chained").items():
        estimate = chain(rows, shares, age)
        assert have["retention"] == pytest.approx(estimate, abs=1e-12)
        variance, step = 0.0, 1e-6
        for cell, share in shares.items():
            more, less = (chain(rows, shares | {cell: share + h}, age) for h in (step, -step))
            variance += ((more - less) / (2 * step)) ** 2 * share * (1 - share) / sizes_of[cell]
        n = estimate * (1 - estimate) / variance if age else have["customers"]
        z = stats.norm.ppf(0.975)
        middle = (estimate + z**2 / (2 * n)) / (1 + z**2 / n)
        half = z / (1 + z**2 / n) * math.sqrt(estimate * (1 - estimate) / n + z**2 / (4 * n**2))
        bounds = middle - half, min(middle + half, 1)
        assert (have["lower"], have["upper"]) == pytest.approx(bounds, rel=1e-5)


def test_the_chain_over_equally_old_cohorts_is_the_pooled_rate() -> None:
    rows = cells({JAN: [(30, 30), (30, 12), (30, 9)], FEB: [(70, 70), (70, 30), (70, 7)]})
    pooled, chained = (curve(frame(rows), average) for average in ("pooled", "chained"))
    for age, row in chained.items():
        assert row["retention"] == pytest.approx(pooled[age]["retention"], abs=1e-12)
        # The pooled interval takes all customers for alike and is the wider one, if by little.
        assert pooled[age]["lower"] <= row["lower"] == pytest.approx(pooled[age]["lower"], rel=0.02)
        assert pooled[age]["upper"] >= row["upper"] == pytest.approx(pooled[age]["upper"], rel=0.02)


TRUTH = [1.0, 0.47, 0.33, 0.21]
SIZES = {1: 417, 2: 903, 3: 251, 4: 1604}
REPEATS = 3000


def simulated(*, persistent: bool) -> pd.DataFrame:
    """Make many tables of four cohorts with the same true retention, as segments of one.

    Customers decide anew at every age or, `persistent`, leave once and for all.
    """
    rng = np.random.default_rng(20240601)
    parts = []
    for month, size in SIZES.items():
        stays = rng.random((REPEATS, size), np.float32)
        for age in range(5 - month):
            drawn = stays if persistent else rng.random((REPEATS, size), np.float32)
            columns = {
                "repeat": np.arange(REPEATS),
                "cohort": np.datetime64(f"2024-{month:02}-01", "us"),
                "age": age,
                "eligible": size,
                "retained": (drawn < TRUTH[age]).sum(axis=1),
                "lower": 0.0,
            }
            parts.append(pd.DataFrame(columns))
    return pd.concat(parts, ignore_index=True)


@pytest.mark.slow
@each_average
@pytest.mark.parametrize("persistent", [False, True])
def test_intervals_cover_the_truth_as_often_as_they_say(average: Any, *, persistent: bool) -> None:
    table = simulated(persistent=persistent)
    # Cells are taken as independent, which is on the safe side for a chain of those who stay.
    most = 1.0 if average == "chained" and persistent else 0.0
    for level, off in ((0.95, 0.02), (0.8, 0.035)):
        have = retention_curve(table, average=average, confidence_level=level)
        truth = have["age"].map(dict(enumerate(TRUTH)))
        covered = (have["lower"] <= truth) & (truth <= have["upper"])
        coverage = covered.groupby(have["age"]).mean()
        # Of 3,000 repeats the standard error is 0.004 or 0.007, and counts come in whole numbers.
        assert coverage[0] == 1
        assert coverage[1:].between(level - off, max(level + off, most)).all(), coverage


@each_average
@pytest.mark.parametrize("seed", range(5))
def test_intervals_hold_the_rate_and_widen_with_confidence(average: str, seed: int) -> None:
    table = frame(random_table(seed))
    narrow, wide = (curve(table, average, confidence_level=level).values() for level in (0.8, 0.95))
    for small, large in zip(narrow, wide, strict=True):
        if small["lower"] is not None:
            assert large["lower"] <= small["lower"] <= small["retention"] + 1e-12
            assert small["retention"] - 1e-12 <= small["upper"] <= large["upper"] <= 1


# --- tables that the user has worked on ---------------------------------------------


@each_average
def test_the_order_of_rows_means_nothing(average: Any) -> None:
    table = frame(random_table(7, ["a", "b"]))
    shuffled = table.sample(frac=1, random_state=1)
    for function in (lambda one: retention_curve(one, average=average), retention_matrix):
        pd.testing.assert_frame_equal(function(shuffled), function(table))  # type: ignore[no-untyped-call]


ORDERS = {
    "alphabetical": sorted(TABLE),  # type: ignore[type-var]
    "reversed": list(TABLE)[::-1],
    "numbers first": ["retained", "eligible", "lower", "age", "cohort", "retention"],
}


@each_average
@pytest.mark.parametrize("order", ORDERS.values(), ids=ORDERS)
def test_the_order_of_columns_means_nothing(average: Any, order: list[str]) -> None:
    pd.testing.assert_frame_equal(
        retention_curve(TABLE[order], average=average), retention_curve(TABLE, average=average)
    )
    pd.testing.assert_frame_equal(retention_matrix(TABLE[order]), retention_matrix(TABLE))


def test_segments_right_of_the_cohort_are_not_mixed_up() -> None:
    table = frame([*cells(TRIANGLE, plan="a"), *cells(TRIANGLE, plan="b")])
    moved = table[[*list(table)[1:], "plan"]]
    for function in (retention_curve, retention_matrix):
        with pytest.raises(ArgumentError, match=r"`table` has 12 rows for 6 .*left of 'cohort'"):
            function(moved)


@each_average
def test_cohorts_that_were_filtered_out_are_not_there(average: str) -> None:
    kept = TABLE[TABLE["cohort"] != pd.Timestamp(FEB)]
    fewer = {cohort: row for cohort, row in TRIANGLE.items() if cohort != FEB}
    assert curve(kept, average) == curve(frame(cells(fewer)), average)
    assert retention_matrix(kept)["cohort"].dt.date.tolist() == [JAN, MAR]


@each_average
def test_young_ages_that_were_filtered_out_are_not_there(average: str) -> None:
    # The curve then begins at age 1, the chain with what is pooled there.
    later = curve(TABLE[TABLE["age"] > 0], average)
    assert later == {age: row for age, row in curve(TABLE, average).items() if age > 0}
    assert list(retention_matrix(TABLE[TABLE["age"] > 0])) == ["cohort", "1", "2"]


@each_average
def test_ages_that_were_picked_are_averaged_as_they_are(average: Any) -> None:
    # Month 1, 3 and 6 are often all one wants. The chain then goes from one to the next.
    rows = [row for row in random_table(3) if row["age"] in (0, 1, 3, 5)]
    expected = oracles.retention_curve(rows, average)
    have = rows_of(retention_curve(frame(rows), average=average))
    assert [row["age"] for row in have] == [0, 1, 3, 5]
    assert_rows([{name: row[name] for name in expected[0]} for row in have], expected)


def test_ages_that_were_picked_in_one_segment_only() -> None:
    rows = random_table(3, ["a", "b"])
    picked = [row for row in rows if row["plan"] == "b" or row["age"] in (0, 1, 3, 5)]
    expected = oracles.retention_curve(picked, "chained")
    have = rows_of(retention_curve(frame(picked), average="chained"))
    assert_rows([{name: row[name] for name in expected[0]} for row in have], expected)


def test_a_cell_that_was_filtered_out_is_in_no_step_of_the_chain() -> None:
    # Without January at age 1, its step from 0 to 2 is not a step from 1 to 2.
    table = frame(cells({JAN: [(10, 10), None, (10, 3)], FEB: [(40, 40), (40, 20), (40, 10)]}))
    assert rates(table, "chained") == pytest.approx([1, 0.5, 0.25])
    assert [row["cohorts"] for row in curve(table, "chained").values()] == [2, 1, 1]


def test_several_rows_for_a_cell_are_refused() -> None:
    for function in (retention_curve, retention_matrix):
        with pytest.raises(
            ArgumentError, match="`table` has 12 rows for 6 pairs of cohort and age"
        ):
            function(pd.concat([TABLE, TABLE]))


def test_only_the_columns_that_are_needed_are_needed() -> None:
    few = TABLE[["cohort", "age", "eligible", "retained", "lower"]]
    pd.testing.assert_frame_equal(retention_curve(few), retention_curve(TABLE))
    few = TABLE[["cohort", "age", "retention"]]
    pd.testing.assert_frame_equal(retention_matrix(few), retention_matrix(TABLE))


@pytest.mark.parametrize("column", ["cohort", "age", "customers", "retained"])
def test_a_missing_column_is_named(column: str) -> None:
    with pytest.raises(MissingColumnError) as error:
        retention_curve(TABLE.drop(columns=["eligible", column]))
    assert "`table`" in str(error.value)
    assert repr(column) in str(error.value)
    if column in {"cohort", "age"}:
        with pytest.raises(MissingColumnError, match=f"`table` needs the column '{column}'"):
            retention_matrix(TABLE.drop(columns=column))


# Cohorts of 10, 40 and 50, of whom 4 and 20 were there at age 1 and 3 at age 2.
COUNTED: list[Row] = [
    {"cohort": cohort, "age": age, "customers": customers, "retained": retained}
    for cohort, age, customers, retained in [
        ("2024-01", 0, 10, 10),
        ("2024-01", 1, 10, 4),
        ("2024-01", 2, 10, 3),
        ("2024-02", 0, 40, 40),
        ("2024-02", 1, 40, 20),
        ("2024-03", 0, 50, 50),
    ]
]


@each_average
def test_counts_alone_give_the_curve(average: Any, backend: Backend) -> None:
    have = rows_of(retention_curve(backend.make(COUNTED), average=average))
    assert have == rows_of(retention_curve(frame(cells(TRIANGLE)), average=average))
    if average == "pooled":
        assert [row["retention"] for row in have] == [1, 24 / 50, 0.3]


def test_counts_of_cells_in_progress_and_of_nobody_are_left_out() -> None:
    rows = [row | {"complete": row["age"] < 2} for row in COUNTED]
    nobody = {"cohort": "2024-04", "age": 0, "customers": 0, "retained": 0, "complete": True}
    have = rows_of(retention_curve(pd.DataFrame([*rows, nobody])))
    assert [(row["age"], row["cohorts"]) for row in have] == [(0, 3), (1, 2)]


def test_more_retained_than_there_are_is_refused() -> None:
    table = pd.DataFrame(COUNTED).assign(retained=[100.0, 40, 30, 100, 50, 100])
    with pytest.raises(ArgumentError, match=r"'retained' .* 6 rows, of 6: 100 of 10, 40 of 10"):
        retention_curve(table)


def as_polars(table: pd.DataFrame) -> pl.DataFrame:
    return pl.from_pandas(table)


@pytest.mark.parametrize("make", [pd.DataFrame, as_polars, pa.Table.from_pandas])
@pytest.mark.parametrize("column", ["age", "eligible", "retained", "lower"])
def test_a_column_of_a_table_that_holds_no_numbers_is_refused(
    make: Callable[[pd.DataFrame], Any], column: str
) -> None:
    with pytest.raises(ColumnTypeError) as error:
        retention_curve(make(TABLE.assign(**{column: "many"})))
    for part in ("`table`", repr(column), "String", "numbers"):
        assert part in str(error.value)


@pytest.mark.parametrize("make", [pd.DataFrame, as_polars, pa.Table.from_pandas])
@pytest.mark.parametrize("column", ["age", "eligible", "retained"])
def test_a_number_that_is_missing_in_a_table_is_refused(
    make: Callable[[pd.DataFrame], Any], column: str
) -> None:
    # A join leaves such rows behind.
    values = [None, *TABLE[column].tolist()[1:]]
    with pytest.raises(ArgumentError) as error:
        retention_curve(make(TABLE.assign(**{column: values})))
    for part in ("`table`", repr(column), " 1 row"):
        assert part in str(error.value)


def test_a_table_that_was_written_and_read_again() -> None:
    # Cohorts are text then, and null has become NaN.
    rows = random_table(5, ["pro", "free"])
    again = frame(rows).assign(cohort=[row["cohort"].isoformat() for row in rows])
    pd.testing.assert_frame_equal(retention_curve(again), retention_curve(frame(rows)))


@pytest.mark.parametrize("name", ["average", "cohorts"])
def test_a_segment_that_is_called_like_a_column_of_the_curve(name: str) -> None:
    table = frame(cells(TRIANGLE, **{name: "x"}))
    with pytest.raises(ArgumentError) as error:
        retention_curve(table)
    assert "`table`" in str(error.value)
    assert repr(name) in str(error.value)


def test_a_segment_that_is_called_like_an_age() -> None:
    table = frame(cells(TRIANGLE, **{"1": "x"}))
    with pytest.raises(ArgumentError) as error:
        retention_matrix(table)
    assert "`table`" in str(error.value)
    assert "'1'" in str(error.value)


# --- the triangle -----------------------------------------------------------------------------


def matrix(table: Any, **options: Any) -> dict[Any, list[Any]]:
    return {
        row["cohort"]: [value for name, value in row.items() if name != "cohort"]
        for row in rows_of(retention_matrix(table, **options))
    }


@pytest.mark.parametrize(
    "values", ["retention", "customers", "eligible", "retained", "lower", "upper", "amount"]
)
def test_every_number_can_be_laid_out(values: str) -> None:
    table = TABLE.assign(amount=TABLE["retained"] * 2.5)
    expected = {
        cohort: [
            plain(one)
            for one in table.loc[table["cohort"] == pd.Timestamp(cohort), values].tolist()
        ]
        + [None] * (3 - len(row))
        for cohort, row in TRIANGLE.items()
    }
    assert matrix(table, values=values) == expected
    columns = retention_matrix(table, values=values)
    assert list(columns) == ["cohort", "0", "1", "2"]
    assert set(columns.dtypes[1:]) == {np.dtype("float64")}


def test_retention_is_laid_out_by_default() -> None:
    assert matrix(TABLE) == {JAN: [1, 0.4, 0.3], FEB: [1, 0.5, None], MAR: [1, None, None]}


def test_an_observed_zero_is_zero_and_what_was_not_observed_is_nan() -> None:
    table = frame(cells({JAN: [(4, 4), (4, 0)], FEB: [(0, 0)], MAR: [(2, 2)]}))
    assert matrix(table) == {JAN: [1, 0], FEB: [None, None], MAR: [1, None]}
    assert matrix(table, values="retained")[FEB] == [0, None]


def test_every_age_has_its_column() -> None:
    # Nobody was observed at age 1 and 2 in what is left, and 3 must not move into their place.
    table = frame(cells({JAN: [(4, 4), None, None, (4, 1)]}))
    assert list(retention_matrix(table)) == ["cohort", "0", "1", "2", "3"]
    assert matrix(table) == {JAN: [1, None, None, 0.25]}


def test_ages_are_in_the_order_of_numbers() -> None:
    table = frame(cells({JAN: [(4, 1)] * 12}))
    assert list(retention_matrix(table))[1:] == [str(age) for age in range(12)]


SMALL: Cells = {JAN: [(9, 9), (9, 3), (9, 1)], FEB: [(0, 0), (0, 0)], MAR: [(4, 4)]}


def test_all_cohorts_have_a_row_unless_it_is_said_how_many_customers_they_need() -> None:
    table = frame(cells(SMALL))
    assert [*matrix(table)] == [JAN, FEB, MAR]
    assert matrix(table, min_customers=0) == matrix(table)
    # What has no customers is lost in silence, as nothing is lost with it.
    assert [*matrix(table, min_customers=1)] == [JAN, MAR]
    assert matrix(table, min_customers=1)[JAN] == matrix(table)[JAN]
    with pytest.warns(RetainkitWarning) as told:
        assert [*matrix(table, min_customers=5)] == [JAN]
    warning: Any = told[0].message
    assert str(warning) == "1 cohort with fewer than 5 customers (`min_customers`) left out."
    assert (warning.code, warning.rows, warning.total) == ("small_cohorts", 1, 2)
    assert [*matrix(table, min_customers=4)] == [JAN, MAR]


def test_cohorts_are_left_out_of_the_matrix_as_of_the_table() -> None:
    days = ["2024-01-05"] * 3 + ["2024-02-01", "2024-02-09", "2024-04-04"]
    orders = pd.DataFrame({"customer_id": [1, 2, 3, 1, 4, 5], "time": pd.to_datetime(days)})
    table = cohort_retention(orders, as_of="2024-05-01")
    with pytest.warns(RetainkitWarning, match="^2 cohorts with fewer than 2 customers ") as first:
        expected = retention_matrix(cohort_retention(orders, as_of="2024-05-01", min_customers=2))
    with pytest.warns(RetainkitWarning) as second:
        have = retention_matrix(table, min_customers=2)
    pd.testing.assert_frame_equal(have, expected)
    assert str(second[0].message) == str(first[0].message)


def test_small_cohorts_are_those_of_their_segment() -> None:
    rows = [*cells(SMALL, plan="pro"), *cells({JAN: [(2, 2)], MAR: [(6, 6)]}, plan="free")]
    with pytest.warns(RetainkitWarning, match="^2 cohorts"):
        have = rows_of(retention_matrix(frame(rows), min_customers=5))
    assert [(row["plan"], row["cohort"]) for row in have] == [("free", MAR), ("pro", JAN)]


@pytest.mark.parametrize("make", [pd.DataFrame, pl.DataFrame, pa.Table.from_pylist])
def test_small_cohorts_are_left_out_of_every_kind_of_frame(make: Any) -> None:
    have = rows_of(retention_matrix(make(cells(SMALL)), min_customers=1))
    assert [row["cohort"] for row in have] == [JAN, MAR]


def test_the_customers_of_small_cohorts_must_be_known() -> None:
    table = frame(cells(SMALL))
    assert [*matrix(table.drop(columns="customers"))] == [JAN, FEB, MAR]
    with pytest.raises(MissingColumnError, match="'customers'"):
        retention_matrix(table.drop(columns="customers"), min_customers=1)
    with pytest.raises(ColumnTypeError, match="'customers' of `table`"):
        retention_matrix(table.assign(customers="few"), min_customers=1)
    with pytest.raises(ArgumentError, match="'customers' of `table` has no number in 6 rows"):
        retention_matrix(table.assign(customers=NAN), min_customers=1)
    with pytest.raises(ArgumentError, match="`min_customers` is -1"):
        retention_matrix(table, min_customers=-1)


def test_a_triangle_for_each_segment() -> None:
    rows = [*cells(TRIANGLE, plan="pro"), *cells({FEB: [(5, 5), (5, 1)]}, plan=None)]
    have = rows_of(retention_matrix(frame([*rows, *cells({JAN: [(1, 1)]}, plan="free")])))
    assert [(row["plan"], row["cohort"]) for row in have] == [
        ("free", JAN),
        ("pro", JAN),
        ("pro", FEB),
        ("pro", MAR),
        (None, FEB),
    ]
    assert [row["1"] for row in have] == [None, 0.4, 0.5, None, 0.2]


@pytest.mark.parametrize("values", ["amount", "retntion", "", "1"])
def test_values_that_are_missing_are_a_missing_column(values: str) -> None:
    with pytest.raises(MissingColumnError) as error:
        retention_matrix(TABLE, values=values)
    for part in ("`values`", repr(values), "'retention'"):
        assert part in str(error.value)


@pytest.mark.parametrize("values", ["cohort", "complete", "plan"])
def test_values_that_are_no_numbers_are_refused(values: str) -> None:
    with pytest.raises(RetainkitError) as error:
        retention_matrix(frame(cells(TRIANGLE, plan="a")), values=values)
    for part in ("`values`", repr(values)):
        assert part in str(error.value)


# --- brackets -------------------------------------------------------------------------------------

EDGES = (0, 1, 5, 15, 18)


def bracketed() -> pd.DataFrame:
    # PostHog's brackets, as in test_cohorts_published.py, and a cohort that has not come so far.
    table = frame(cells({JAN: [(3, 3), (3, 2), (3, 2), (3, 1)], FEB: [(2, 2), (2, 1)]}))
    first, end = (dict(enumerate(edges)) for edges in (EDGES[:-1], EDGES[1:]))
    table.insert(2, "age_end", table["age"].map(end))
    return table.assign(age=table["age"].map(first))


def test_brackets_are_labelled_by_their_first_and_last_age() -> None:
    assert list(retention_matrix(bracketed())) == ["cohort", "0", "1-4", "5-14", "15-17"]
    assert matrix(bracketed(), values="retained") == {JAN: [3, 2, 2, 1], FEB: [2, 1, None, None]}


@pytest.mark.parametrize(
    ("average", "expected"),
    [
        ("pooled", [1, 3 / 5, 2 / 3, 1 / 3]),
        ("simple", [1, (2 / 3 + 1 / 2) / 2, 2 / 3, 1 / 3]),
        ("chained", [1, 3 / 5, 3 / 5, 3 / 5 / 2]),
    ],
)
def test_a_curve_over_brackets(average: Any, expected: list[float]) -> None:
    have = retention_curve(bracketed(), average=average)
    assert list(have)[:3] == ["age", "age_end", "cohorts"]
    assert list(zip(have["age"], have["age_end"], strict=True)) == list(pairwise(EDGES))
    assert have["retention"].tolist() == pytest.approx(expected, abs=1e-12)


def test_brackets_that_were_filtered_out_leave_no_gap() -> None:
    table = bracketed()
    some = table[table["age"] != 1]
    assert list(retention_matrix(some)) == ["cohort", "0", "5-14", "15-17"]
    assert rates(some, "chained") == pytest.approx([1, 2 / 3, 1 / 3])


# --- kinds of frames ----------------------------------------------------------------

CONNECTION = duckdb.connect()
KINDS: dict[str, tuple[Callable[[pd.DataFrame], Any], type]] = {
    "pandas": (lambda table: table, pd.DataFrame),
    "arrow in pandas": (lambda table: table.convert_dtypes(dtype_backend="pyarrow"), pd.DataFrame),
    "polars": (pl.from_pandas, pl.DataFrame),
    "polars lazy": (lambda table: pl.from_pandas(table).lazy(), pl.DataFrame),
    "pyarrow": (pa.Table.from_pandas, pa.Table),
    "duckdb": (CONNECTION.from_df, pd.DataFrame),
}


@pytest.mark.slow
@each_average
@pytest.mark.parametrize(("make", "kind"), KINDS.values(), ids=KINDS)
def test_the_same_from_every_kind_of_frame_and_the_kind_back(
    make: Callable[[pd.DataFrame], Any], kind: type, average: Any
) -> None:
    rows = random_table(11, ["pro", "free"])
    rows += cells({JAN: [(0, 0), (0, 0)]}, plan="none")
    for function in (lambda one: retention_curve(one, average=average), retention_matrix):
        have = function(make(frame(rows)))  # type: ignore[no-untyped-call]
        assert type(have) is kind
        assert_rows_of_table(have, function(frame(rows)))  # type: ignore[no-untyped-call]


def assert_rows_of_table(have: Any, expected: Any) -> None:
    for row, want in zip(rows_of(have), rows_of(expected), strict=True):
        assert list(row) == list(want)
        for name, value in want.items():
            assert row[name] == (pytest.approx(value) if isinstance(value, float) else value), name


@pytest.mark.parametrize("kind", KINDS)
def test_types_of_the_columns(kind: str) -> None:
    schema = nw.from_native(retention_curve(KINDS[kind][0](TABLE))).schema
    for name in ("age", "cohorts", "customers", "retained"):
        assert schema[name] == nw.Int64, name
    for name in ("retention", "lower", "upper"):
        assert schema[name] == nw.Float64, name
    assert schema["average"] == nw.String


EMPTY_BRACKETS = bracketed()[:0]


@each_average
@pytest.mark.parametrize("kind", KINDS)
def test_an_empty_table_gives_an_empty_curve_and_triangle(kind: str, average: Any) -> None:
    make, returned = KINDS[kind]
    table = make(frame(cells(TRIANGLE, plan="a")))
    full = nw.from_native(retention_curve(table)).schema
    table = nw.from_native(table).head(0).to_native()
    have = retention_curve(table, average=average)
    assert type(have) is returned
    wrapped = nw.from_native(have)  # type: ignore[call-overload]
    assert wrapped.columns == ["plan", *retention_curve(TABLE).columns]
    assert len(wrapped) == 0
    assert wrapped.schema == full
    triangle = nw.from_native(retention_matrix(table))
    assert (triangle.columns, len(triangle)) == (["plan", "cohort"], 0)
    assert "age_end" in nw.from_native(retention_curve(make(EMPTY_BRACKETS))).columns


@each_average
def test_a_table_with_nothing_but_empty_cohorts_gives_an_empty_curve(average: Any) -> None:
    table = frame(cells({JAN: [(0, 0), (0, 0)], FEB: [(0, 0)]}))
    assert len(retention_curve(table, average=average)) == 0
    assert list(retention_curve(table, average=average)) == list(retention_curve(TABLE))


def test_the_table_is_not_changed() -> None:
    table = frame(random_table(1, ["a", "b"])).sample(frac=1, random_state=2)
    before = table.copy(deep=True)
    for average in AVERAGES:
        retention_curve(table, average=average)  # type: ignore[arg-type]
    retention_matrix(table)
    pd.testing.assert_frame_equal(table, before)


def test_results_have_an_index_of_their_own() -> None:
    table = TABLE.set_index(pd.Index([5] * len(TABLE)))
    for have in (retention_curve(table), retention_matrix(table)):
        assert have.index.tolist() == list(range(len(have)))
