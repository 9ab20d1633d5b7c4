"""Differences of survival: published tests, SciPy's, slow references, and what is refused."""

import math
import random
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from backends import Backend
from retainkit import survival_curve, survival_difference
from retainkit.errors import ArgumentError, MissingColumnError
from tables import Row, rows_of

Z = 1.959963984540054

# Weeks until leukaemia came back, with maintenance chemotherapy and without: Miller (1997),
# Survival Analysis; `aml` of R's package survival.
AML = {
    "Maintained": ([9, 13, 13, 18, 23, 28, 31, 34, 45, 48, 161], [1, 1, 0, 1, 1, 0, 1, 1, 0, 1, 0]),
    "Nonmaintained": (
        [5, 5, 8, 8, 12, 16, 23, 27, 30, 33, 43, 45],
        [1, 1, 1, 1, 1, 0, 1, 1, 1, 1, 1, 1],
    ),
}
# Weeks in remission, 6-MP and placebo: Freireich et al. (1963).
LEUKAEMIA = {
    "6-MP": (
        [35, 34, 32, 32, 25, 23, 22, 20, 19, 17, 16, 13, 11, 10, 10, 9, 7, 6, 6, 6, 6],
        [0, 0, 0, 0, 0, 1, 1, 0, 0, 0, 1, 1, 0, 0, 1, 0, 1, 0, 1, 1, 1],
    ),
    "placebo": (
        [23, 22, 17, 15, 12, 12, 11, 11, 8, 8, 8, 8, 5, 5, 4, 4, 3, 2, 2, 1, 1],
        [1] * 21,
    ),
}
Groups = dict[str, tuple[list[int], list[int]]]


def lives(groups: Groups) -> list[Row]:
    return [
        {"group": name, "weeks": float(week), "seen": bool(seen)}
        for name, (weeks, ends) in groups.items()
        for week, seen in zip(weeks, ends, strict=True)
    ]


def differ(rows: list[Row], **options: Any) -> list[Row]:
    columns = {"group": "group", "duration": "weeks", "observed": "seen"}
    return rows_of(survival_difference(pd.DataFrame(rows), **(columns | options)))


# --- the test -----------------------------------------------------------------------------------


def test_log_rank_is_that_of_r(backend: Backend) -> None:
    # survdiff(Surv(time, status) ~ x, data=aml): Observed 7 and 11, Chisq= 3.4 on 1 degrees of
    # freedom, p= 0.0653.
    columns = {"group": "group", "duration": "weeks", "observed": "seen"}
    (row,) = rows_of(survival_difference(backend.make(lives(AML)), **columns))  # type: ignore[arg-type]
    assert (row["group_a"], row["group_b"]) == ("Nonmaintained", "Maintained")
    assert (row["n_a"], row["n_b"], row["churned_a"], row["churned_b"]) == (12, 11, 11, 7)
    assert row["chi_square"] == pytest.approx(3.4, abs=0.05)
    assert row["p_value"] == pytest.approx(0.0653, abs=5e-5)


def test_log_rank_is_that_of_the_textbook() -> None:
    # Collett (2015), Modelling Survival Data in Medical Research, and others: 16.79.
    (row,) = differ(lives(LEUKAEMIA))
    assert row["chi_square"] == pytest.approx(16.79, abs=0.005)


@pytest.mark.parametrize("seed", range(5))
def test_log_rank_is_that_of_scipy(seed: int) -> None:
    draw = random.Random(seed)  # noqa: S311
    groups = {
        name: (
            [draw.randint(1, 15) for _ in range(size)],
            [int(draw.random() < 0.7) for _ in range(size)],
        )
        for name, size in (("a", 40), ("b", 25))
    }
    (row,) = differ(lives(groups))
    samples: list[Any] = [
        stats.CensoredData(
            uncensored=[w for w, s in zip(*one, strict=True) if s],
            right=[w for w, s in zip(*one, strict=True) if not s],
        )
        for one in groups.values()
    ]
    expected = stats.logrank(*samples)
    assert row["chi_square"] == pytest.approx(expected.statistic**2, rel=1e-9)
    assert row["p_value"] == pytest.approx(expected.pvalue, rel=1e-9)


def entered(seed: int) -> list[Row]:
    draw = random.Random(seed)  # noqa: S311
    rows: list[Row] = []
    for number in range(60):
        weeks = draw.randint(1, 12)
        rows.append(
            {
                "group": "ab"[number % 2],
                "weeks": float(weeks),
                "seen": draw.random() < 0.7,
                "from": float(draw.randint(0, weeks - 1)),
            }
        )
    return rows


@pytest.mark.parametrize("seed", range(4))
def test_late_entry_counts_from_then_on(seed: int) -> None:
    rows = entered(seed)
    excess = variance = 0.0
    for week in sorted({row["weeks"] for row in rows if row["seen"]}):
        there = [row for row in rows if row["from"] < week <= row["weeks"]]
        gone = [row for row in there if row["seen"] and row["weeks"] == week]
        n, d, own = len(there), len(gone), sum(row["group"] == "b" for row in there)
        excess += sum(row["group"] == "b" for row in gone) - own * d / n
        if n > 1:
            variance += own * (n - own) * d * (n - d) / (n**2 * (n - 1))
    (row,) = differ(rows, entry="from")
    assert row["chi_square"] == pytest.approx(excess**2 / variance, rel=1e-9)
    assert row["p_value"] == pytest.approx(stats.chi2.sf(excess**2 / variance, 1), rel=1e-9)


def test_nobody_who_left_is_no_test() -> None:
    rows = [row | {"seen": False} for row in lives(AML)]
    (row,) = differ(rows, at=10, horizon=20)
    assert (row["chi_square"], row["p_value"], row["p_adjusted"]) == (None, None, None)
    assert (row["survival_difference"], row["lifetime_difference"]) == (0, 0)
    assert row["survival_lower"] < 0 < row["survival_upper"]
    assert row["lifetime_lower"] < 0 < row["lifetime_upper"]


# --- shares and lifetimes -----------------------------------------------------------------------


def test_shares_differ_by_the_limits_of_both_curves() -> None:
    (row,) = differ(lives(LEUKAEMIA), at=10, reference="placebo")
    # lifelines 0.30.3 on 6-MP: 0.752941 [0.503200, 0.889362]; without censoring 8 of 21 are left,
    # with limits that are symmetric for log(-log S).
    share, left = 0.752941, 8 / 21
    assert (row["survival_a"], row["survival_b"]) == pytest.approx((share, left), abs=5e-7)
    spread = Z * math.sqrt((1 - left) / (21 * left)) / math.log(left)
    low, high = left ** math.exp(-spread), left ** math.exp(spread)
    lower = share - left - math.hypot(share - 0.503200, high - left)
    upper = share - left + math.hypot(0.889362 - share, left - low)
    have = (row["survival_difference"], row["survival_lower"], row["survival_upper"])
    assert have == pytest.approx((share - left, lower, upper), abs=2e-6)
    assert row["at"] == 10


def test_lifetimes_differ_as_their_means_do() -> None:
    # lifelines 0.30.3, restricted_mean_survival_time: 16.116526610644 and, without censoring,
    # 8.428571428571 with the variance 33.768660990476 / 21.
    (row,) = differ(lives(LEUKAEMIA), horizon=20, reference="placebo")
    assert row["lifetime_a"] == pytest.approx(16.116526610644, abs=1e-11)
    assert row["lifetime_b"] == pytest.approx(8.428571428571, abs=1e-11)
    placebo = np.minimum(LEUKAEMIA["placebo"][0], 20).std() / math.sqrt(21)
    half = Z * math.hypot(_error_of_mean(*LEUKAEMIA["6-MP"], 20), placebo)
    difference = 16.116526610644 - 8.428571428571
    have = (row["lifetime_difference"], row["lifetime_lower"], row["lifetime_upper"])
    assert have == pytest.approx((difference, difference - half, difference + half), rel=1e-9)


def _error_of_mean(weeks: list[int], seen: list[int], horizon: int) -> float:
    """Return the standard error of a restricted mean: areas after each end (Klein, eq. 4.5.2)."""
    variance = 0.0
    for week in sorted({w for w, s in zip(weeks, seen, strict=True) if s and w < horizon}):
        n = sum(w >= week for w in weeks)
        d = sum(w == week and s for w, s in zip(weeks, seen, strict=True))
        area = sum(_survival(weeks, seen, t) for t in range(week, horizon))
        variance += area**2 * d / (n * (n - d))
    return math.sqrt(variance)


def _survival(weeks: list[int], seen: list[int], at: int) -> float:
    share = 1.0
    for week in sorted({w for w, s in zip(weeks, seen, strict=True) if s and w <= at}):
        n = sum(w >= week for w in weeks)
        share *= 1 - sum(w == week and s for w, s in zip(weeks, seen, strict=True)) / n
    return share


def test_beyond_what_was_observed_nothing_is_known() -> None:
    (row,) = differ(lives(LEUKAEMIA), at=36, horizon=36)
    # Everybody on placebo is gone by week 23; on 6-MP nobody was followed for longer than 35.
    assert (row["survival_a"], row["survival_b"], row["survival_difference"]) == (0, None, None)
    assert row["lifetime_difference"] is None
    (row,) = differ(lives(LEUKAEMIA), at=35)
    assert row["survival_difference"] is not None


# --- subscriptions -------------------------------------------------------------------------------


def subscriptions() -> list[Row]:
    draw = random.Random(4)  # noqa: S311
    rows: list[Row] = []
    for customer in range(90):
        start = datetime(2024, 1, 1) + timedelta(days=draw.randint(0, 200))  # noqa: DTZ001
        end = start + timedelta(days=draw.randint(10, 300))
        rows.append(
            {
                "customer_id": customer,
                "start": start,
                "end": end if customer % 3 else None,
                "plan": "abc"[customer % 3] if customer % 5 else None,
                "country": "xy"[customer % 2],
            }
        )
    return rows


def test_groups_are_compared_within_segments(backend: Backend) -> None:
    options: Row = {"by": "country", "as_of": "2024-10-01"}
    table = survival_difference(
        backend.make(subscriptions()), group="plan", at="3 months", horizon=4, **options
    )
    have = rows_of(table)
    pairs = [("b", "a"), ("c", "a"), ("c", "b"), (None, "a"), (None, "b"), (None, "c")]
    assert [(row["country"], row["group_a"], row["group_b"]) for row in have] == [
        (country, *pair) for country in "xy" for pair in sorted_pairs(pairs)
    ]
    curves = rows_of(
        survival_curve(backend.make(subscriptions()), **(options | {"by": ["country", "plan"]}))
    )
    share = {(one["country"], one["plan"]): one["survival"] for one in curves if one["tenure"] == 3}
    least = min(have, key=lambda row: row["p_value"])
    assert least["p_adjusted"] == pytest.approx(min(1, least["p_value"] * len(have)))
    for row in have:
        assert row["survival_a"] == share[row["country"], row["group_a"]]
        assert (row["at"], row["horizon"], row["time_unit"]) == (3, 4, "month")


def sorted_pairs(pairs: list[tuple[Any, Any]]) -> list[tuple[Any, Any]]:
    """Return pairs in the order of their groups, null last, the later one first."""
    return sorted(pairs, key=lambda pair: tuple("z" if one is None else one for one in pair))


def test_one_group_may_be_the_reference() -> None:
    table = pd.DataFrame(subscriptions())
    options: Row = {"group": "plan", "as_of": "2024-10-01"}
    have = rows_of(survival_difference(table, reference="b", **options))
    assert [(row["group_a"], row["group_b"]) for row in have] == [
        ("a", "b"), ("c", "b"), (None, "b")
    ]  # fmt: skip
    with pytest.raises(ArgumentError, match=r"`reference` is 'z'.*'a', 'b', 'c', None"):
        survival_difference(table, reference="z", **options)


def test_what_cannot_be_meant_is_refused() -> None:
    table = pd.DataFrame(subscriptions())
    with pytest.raises(MissingColumnError, match="`group` needs the column 'tier'"):
        survival_difference(table, group="tier")
    with pytest.raises(ArgumentError, match="`by` names 'plan', which is the `group`"):
        survival_difference(table, group="plan", by="plan")
    with pytest.raises(ArgumentError, match="`horizon` is 0; it must be above 0"):
        survival_difference(table, group="plan", horizon=0)
    with pytest.raises(ArgumentError, match="write a number in it"):
        differ(lives(AML), at="3 months")
    with pytest.raises(ArgumentError, match="`by` names the column 'horizon'"):
        survival_difference(table, group="plan", by="horizon")


def test_tenures_at_which_nobody_is_there_mean_nothing() -> None:
    # All came under observation at 5: what was before is not known, and the rest is 5 less.
    lives = pd.DataFrame({"days": [6.0, 7, 9, 12, 6, 8, 9, 15], "plan": [*"aaaabbbb"]})
    late = survival_difference(
        lives.assign(since=5.0), group="plan", duration="days", entry="since"
    )
    early = survival_difference(lives.assign(days=lives["days"] - 5), group="plan", duration="days")
    assert late["chi_square"].notna().all()
    pd.testing.assert_frame_equal(late, early)
