"""Survival curves: other packages' figures, dates and units, censoring, simulated truth.

The figures of lifelines 0.30.3 were printed by the lines that stand with them; it is not installed
with the tests, since it needs an older pandas.
"""

# ruff: noqa: DTZ001, DTZ901, ERA001 - naive times on purpose; the lines that made the figures

import itertools
import math
import re
import warnings
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from backends import Backend
from retainkit import expected_lifetime, median_lifetime, survival_curve
from retainkit.errors import (
    ArgumentError,
    ArgumentTypeError,
    ColumnTypeError,
    MissingColumnError,
    RetainkitWarning,
)
from tables import Row, rows_of

# Freireich et al. (1963): weeks in remission, 6-MP (Rx 0) and placebo (Rx 1); as in lifelines:
#   leukemia = lifelines.datasets.load_leukemia(); g = leukemia[leukemia.Rx == rx]
RX_0 = [35, 34, 32, 32, 25, 23, 22, 20, 19, 17, 16, 13, 11, 10, 10, 9, 7, 6, 6, 6, 6]
SEEN_0 = [0, 0, 0, 0, 0, 1, 1, 0, 0, 0, 1, 1, 0, 0, 1, 0, 1, 0, 1, 1, 1]
RX_1 = [23, 22, 17, 15, 12, 12, 11, 11, 8, 8, 8, 8, 5, 5, 4, 4, 3, 2, 2, 1, 1]


def lives(duration: Any, observed: Any = None, **columns: Any) -> pd.DataFrame:
    seen = {} if observed is None else {"observed": np.array(observed, bool)}
    return pd.DataFrame({"duration": duration, **seen, **columns})


def curve_of(table: Any, **options: Any) -> list[Row]:
    return rows_of(survival_curve(table, **options))


def by_duration(table: Any, **options: Any) -> pd.DataFrame:
    columns = {"duration": "duration", "observed": "observed"}
    result = survival_curve(table, **(columns | options))
    assert isinstance(result, pd.DataFrame)
    return result


def at(table: pd.DataFrame, tenure: float) -> Any:
    (row,) = (row for row in table.itertuples() if row.tenure == tenure)
    return row


def subscriptions(*rows: tuple[Any, ...], columns: str = "customer_id start end") -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=columns.split())
    for name in {"start", "end", "entry"} & set(table):
        table[name] = pd.to_datetime(table[name], format="ISO8601").astype("datetime64[us]")
    return table


# --- other packages' figures ------------------------------------------------------------------


def test_lifelines_on_6_mp() -> None:
    # k = KaplanMeierFitter().fit(g.t, g.status)
    # pd.concat([k.survival_function_, k.confidence_interval_], axis=1); k.event_table
    expected = {
        6: (21, 3, 0.857142857143, 0.619717955266, 0.951551747647),
        7: (17, 1, 0.806722689076, 0.563146564622, 0.922809019203),
        9: (16, 0, 0.806722689076, 0.563146564622, 0.922809019203),
        10: (15, 1, 0.752941176471, 0.503199510800, 0.889361835169),
        11: (13, 0, 0.752941176471, 0.503199510800, 0.889361835169),
        13: (12, 1, 0.690196078431, 0.431610222486, 0.849065963349),
        16: (11, 1, 0.627450980392, 0.367510855988, 0.804912189472),
        17: (10, 0, 0.627450980392, 0.367510855988, 0.804912189472),
        19: (9, 0, 0.627450980392, 0.367510855988, 0.804912189472),
        20: (8, 0, 0.627450980392, 0.367510855988, 0.804912189472),
        22: (7, 1, 0.537815126050, 0.267778936767, 0.746790717635),
        23: (6, 1, 0.448179271709, 0.188052005959, 0.680142628495),
        25: (5, 0, 0.448179271709, 0.188052005959, 0.680142628495),
        32: (4, 0, 0.448179271709, 0.188052005959, 0.680142628495),
        34: (2, 0, 0.448179271709, 0.188052005959, 0.680142628495),
        35: (1, 0, 0.448179271709, 0.188052005959, 0.680142628495),
    }
    table = by_duration(lives(RX_0, SEEN_0))
    assert table["tenure"].tolist() == [0, *expected]
    assert tuple(table.iloc[0][1:4]) == (21, 0, 1)
    for tenure, (number, churned, *shares) in expected.items():
        row = at(table, tenure)
        assert (row.at_risk, row.churned) == (number, churned)
        assert [row.survival, row.lower, row.upper] == pytest.approx(shares, abs=1e-11)
        assert row.hazard == pytest.approx(churned / number)
    # k.median_survival_time_; median_survival_times(k.confidence_interval_)
    (median,) = rows_of(median_lifetime(table))
    assert median == {"churned": 9, "median": 23, "lower": 13, "upper": None}


def test_lifelines_on_the_placebo() -> None:
    table = by_duration(lives(RX_1), observed=None)
    expected = {
        1: (0.904761904762, 0.670045882235, 0.975294149038),
        5: (0.571428571429, 0.337976953859, 0.749240709943),
        8: (0.380952380952, 0.183066548820, 0.577788677746),
        22: (0.047619047619, 0.003324463043, 0.197044905699),
    }
    for tenure, shares in expected.items():
        row = at(table, tenure)
        assert [row.survival, row.lower, row.upper] == pytest.approx(shares, abs=1e-11)
    (median,) = rows_of(median_lifetime(table))
    assert median == {"churned": 21, "median": 8, "lower": 4, "upper": 11}


# {(group, T, E): number} of lifelines.datasets.load_waltons(), mice of two kinds:
#   w.groupby(["group", "T", "E"]).size()
WALTONS = {
    "control": "7- 7 17 32 33 38*2 41*7 45- 45*9 48*8 51*3 53*7 54*2 56*18 58*4 60- 60*15 61-*2 "
    "61*9 63*9 66*3 68- 68*9 69- 69*12 75",
    "miR-137": "6 9*3 13*3 15*2 19*3 22*4 26*5 29*5 33*2 36*2 43 47 62*2",
}


def waltons() -> pd.DataFrame:
    rows = []
    for group, text in WALTONS.items():
        for tenure, alive, number in re.findall(r"(\d+)(-?)(?:\*(\d+))?", text):
            rows += [(float(tenure), not alive, group)] * int(number or 1)
    return pd.DataFrame(rows, columns=["duration", "observed", "group"])


def test_lifelines_on_waltons_mice() -> None:
    table = waltons()
    assert (len(table), table["observed"].sum()) == (163, 156)
    # w = load_waltons(); k = KaplanMeierFitter().fit(w["T"], w["E"]); k.predict(56)
    # k.confidence_interval_.loc[56]; median_survival_times(k.confidence_interval_)
    curve = by_duration(table)
    row = at(curve, 56)
    assert [row.survival, row.lower, row.upper] == pytest.approx(
        [0.429902649966, 0.352689004819, 0.504679609233], abs=1e-11
    )
    assert rows_of(median_lifetime(curve)) == [
        {"churned": 156, "median": 56, "lower": 53, "upper": 58}
    ]
    # KaplanMeierFitter().fit(g["T"], g["E"]).median_survival_time_ by group
    medians = rows_of(median_lifetime(by_duration(table, by="group")))
    assert {row["group"]: row["median"] for row in medians} == {"control": 58, "miR-137": 26}


# {(duration, observed): number} of lifelines.datasets.load_dd(), governments of the world by years
# in office, as ended and still there at the end of 2008: d.groupby(["duration", "observed"]).size()
ENDED = (
    "503 208 152 146 128 76 33 46 21 29 23 12 12 15 7 4 5 7 5 2 4 5 3 2 1 2 2 1 2 2 1 3 2 0 3 0 "
    "0 0 0 0 0 0 0 0 0 0 1"
)
ONGOING = (
    "52 40 43 32 26 17 13 16 6 14 6 4 4 7 8 2 6 4 5 3 1 2 2 1 3 2 2 2 2 3 0 0 1 1 0 1 0 2 2 1 0 1 "
    "0 1 0 1 1"
)


def test_lifelines_on_governments() -> None:
    rows = [
        (years, seen)
        for seen, text in ((True, ENDED), (False, ONGOING))
        for years, number in enumerate(map(int, text.split()), start=1)
        for _ in range(number)
    ]
    table = pd.DataFrame(rows, columns=["duration", "observed"])
    assert (len(table), table["observed"].sum()) == (1808, 1468)
    # KaplanMeierFitter().fit(d["duration"], d["observed"]).predict([1, 5])
    curve = by_duration(table)
    assert at(curve, 1).survival == pytest.approx(0.721792, abs=5e-7)
    assert at(curve, 5).survival == pytest.approx(0.334008, abs=5e-7)
    assert rows_of(median_lifetime(curve))[0]["median"] == 4


def test_lifelines_on_rossi_without_censoring_before_the_end() -> None:
    # 432 convicts, of whom 54 were arrested again by week 26 and 114 by week 52, when it ended:
    # r.loc[r["arrest"] == 1, "week"].value_counts().sort_index(), from week 1.
    weeks = (
        "1 1 1 1 1 1 1 5 2 1 2 2 1 3 2 2 3 3 2 5 2 1 1 4 3 3 2 2 0 2 1 2 2 2 4 3 4 1 2 4 0 2 4 2"
    )
    arrests = [*map(int, weeks.split()), 2, 4, 1, 2, 5, 3, 0, 4]
    again = [week for week, number in enumerate(arrests, start=1) for _ in range(number)]
    curve = by_duration(lives([*again, *[52] * 318], [*[1] * 114, *[0] * 318]))
    assert at(curve, 26).survival == pytest.approx(0.875, abs=1e-12)
    assert at(curve, 52).survival == pytest.approx(0.736111, abs=5e-7)


def test_late_entry_is_that_of_lifelines() -> None:
    # KaplanMeierFitter().fit(T, E, entry=entry)
    duration = [28, 19, 21, 27, 18, 23, 25, 8, 3, 10, 9, 26, 27, 2, 15, 24, 5, 24, 5, 15]
    duration += [24, 10, 11, 9, 22, 9, 29, 14, 15, 16, 18, 17, 16, 29, 24, 24, 21, 19, 11, 29]
    seen = [1, 1, 0, 1, 1, 1, 1, 0, 0, 1, 1, 1, 1, 1, 0, 1, 1, 1, 0, 1]
    seen += [1, 0, 1, 0, 0, 0, 1, 1, 1, 0, 1, 1, 1, 1, 1, 1, 0, 1, 0, 1]
    entry = [5, 7, 5, 7, 6, 8, 11, 1, 2, 5, 4, 2, 0, 1, 9, 1, 4, 11, 4, 2]
    entry += [0, 8, 0, 3, 5, 8, 1, 7, 6, 1, 10, 10, 5, 11, 7, 10, 11, 6, 3, 1]
    table = by_duration(lives(duration, seen, entry=entry), entry="entry")
    expected = {
        2: (9, 0.888888888889, 0.432965090226, 0.983564028526),
        5: (15, 0.829629629630, 0.457077634830, 0.956419281800),
        9: (27, 0.798902606310, 0.461426401598, 0.936904626345),
        16: (24, 0.631001371742, 0.384784811387, 0.800927193647),
        24: (13, 0.278623982328, 0.127846259021, 0.452075147797),
        28: (4, 0.104483993373, 0.026084381190, 0.246811006265),
    }
    for tenure, (number, *shares) in expected.items():
        row = at(table, tenure)
        # Its event table counts those at risk together with those who enter at that very time.
        assert row.at_risk == number
        assert [row.survival, row.lower, row.upper] == pytest.approx(shares, abs=1e-11)
    assert at(table, 0).at_risk == 3


def test_restricted_means_are_those_of_lifelines() -> None:
    # restricted_mean_survival_time(k, t=horizon, return_variance=True), where the variance is that
    # of min(T, horizon), on a grid; without censoring that of the mean is a 21st of it.
    curve = by_duration(lives(RX_0, SEEN_0))
    for horizon, mean in {10: 9.277310924370, 20: 16.116526610644, 23: 17.909243697479}.items():
        (row,) = rows_of(expected_lifetime(curve, horizon=horizon))
        assert row["expected_lifetime"] == pytest.approx(mean, abs=1e-11)
    curve = by_duration(lives(RX_1), observed=None)
    means = {
        10: (6.619047619048, 11.283446712018),
        20: (8.428571428571, 33.768660990476),
        23: (8.666666666667, 39.835829817535),
    }
    for horizon, (mean, variance) in means.items():
        (row,) = rows_of(expected_lifetime(curve, horizon=horizon))
        spread = np.minimum(RX_1, horizon).std()
        assert spread**2 == pytest.approx(variance, rel=2e-4)
        error = spread / math.sqrt(21)
        assert row["expected_lifetime"] == pytest.approx(mean, abs=1e-11)
        assert row["standard_error"] == pytest.approx(error, rel=1e-12)
        low, high = mean - 1.959963984540 * error, mean + 1.959963984540 * error
        assert [row["lower"], row["upper"]] == pytest.approx([low, min(high, horizon)], rel=1e-9)


@pytest.mark.parametrize("seed", range(5))
def test_survival_is_that_of_scipy(seed: int) -> None:
    rng = np.random.default_rng([41, seed])
    duration = rng.integers(1, 30, 300) if seed % 2 else rng.exponential(10, 300)
    seen = rng.random(300) < 0.6
    curve = by_duration(lives(duration, seen))
    sample = stats.CensoredData(uncensored=duration[seen], right=duration[~seen])  # type: ignore[type-var]
    expected = stats.ecdf(sample).sf  # type: ignore[arg-type]
    here = curve[curve["tenure"] > 0]
    assert here["tenure"].tolist() == expected.quantiles.tolist()
    assert here["survival"].to_numpy() == pytest.approx(expected.probabilities, abs=1e-12)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # where nobody is left it has no interval
        interval = expected.confidence_interval(method="log-log")
    inside = (here["survival"].to_numpy() > 0) & (here["survival"].to_numpy() < 1)
    for mine, theirs in (("lower", interval.low), ("upper", interval.high)):
        assert here[mine].to_numpy()[inside] == pytest.approx(
            theirs.probabilities[inside],  # type: ignore[attr-defined]
            abs=1e-12,
        )


def test_durations_that_differ_by_rounding_are_one(backend: Backend) -> None:
    # As R's survfit has it, which ties such times (`timefix`): 0.5, as for 0.3 and 0.3.
    table = backend.make([{"duration": 0.3, "seen": False}, {"duration": 0.1 + 0.2, "seen": True}])
    rows = curve_of(table, duration="duration", observed="seen")
    found = [(row["tenure"], row["at_risk"], row["churned"], row["survival"]) for row in rows]
    assert found == [(0, 2, 0, 1), (0.3, 2, 1, 0.5)]


@pytest.mark.parametrize("scale", [1e-30, 1.0, 1e30])
def test_tenures_made_by_subtraction_are_those_of_whole_numbers(
    scale: float, backend: Backend
) -> None:
    # Tenths from 0.1 to 6.0, as ends less starts; exact, they are whole numbers.
    rng = np.random.default_rng(17)
    tenths, start = rng.integers(1, 61, 2_000), rng.integers(0, 10_000, 2_000)
    seen = (rng.random(2_000) < 0.6).tolist()
    made = ((start + tenths) / 10 - start / 10) * scale
    assert len(np.unique(made)) > 200
    rows = [{"duration": one, "seen": end} for one, end in zip(made.tolist(), seen, strict=True)]
    whole = curve_of(lives(tenths, seen), duration="duration", observed="observed")
    found = curve_of(backend.make(rows), duration="duration", observed="seen")
    assert len(found) == 61
    for have, want in zip(found, whole, strict=True):
        assert have["tenure"] == pytest.approx(want["tenure"] / 10 * scale, rel=1e-10, abs=0)
        for name in want.keys() - {"tenure"}:
            assert have[name] == pytest.approx(want[name], rel=1e-12, nan_ok=True)


def test_what_differs_by_more_than_rounding_stays() -> None:
    durations = [1.0, 1.0 + 2e-9, 1.0 + 4e-9, 1e9, 1e9 + 2, 1e-300, 2e-300, 1234567.8912345]
    curve = by_duration(lives(durations), observed=None)
    assert curve["tenure"].tolist() == [0, *sorted(durations)]
    # A chain of close ones is cut where it becomes too long.
    chain = [1.0 + 0.9e-9 * i for i in range(10)]
    curve = by_duration(lives(chain), observed=None)
    assert curve["tenure"].tolist() == pytest.approx([0, *chain[::2]], rel=1e-10)
    assert curve["churned"].tolist() == [0, *[2] * 5]


def test_an_entry_that_differs_from_the_duration_by_rounding_is_none_before_it() -> None:
    table = lives([0.1 + 0.2, 1.0], entry=[0.3, 0.0])
    with pytest.warns(RetainkitWarning, match="^1 customer whose `entry` is not before"):
        curve = by_duration(table, entry="entry", observed=None)
    assert curve["at_risk"].tolist() == [1, 1]


def slow_mean(lifetimes: list[tuple[float, bool]], horizon: float) -> tuple[float, float]:
    """Restricted mean and its variance by loops over times (Klein & Moeschberger, 4.5.1 f.)."""
    times = sorted({time for time, _ in lifetimes})

    def share(t: float) -> float:
        product = 1.0
        for time in times:
            if time <= t:
                n = sum(1 for one, _ in lifetimes if one >= time)
                product *= 1 - sum(1 for one, seen in lifetimes if one == time and seen) / n
        return product

    def area(begin: float) -> float:
        edges = [begin, *(t for t in times if begin < t < horizon), horizon]
        return sum(share(low) * (high - low) for low, high in itertools.pairwise(edges))

    variance = 0.0
    for time in (t for t in times if t < horizon):
        n = sum(1 for one, _ in lifetimes if one >= time)
        d = sum(1 for one, seen in lifetimes if one == time and seen)
        variance += area(time) ** 2 * d / (n * (n - d)) if d < n else 0.0
    return area(0), variance


@pytest.mark.parametrize("seed", range(5))
def test_restricted_means_are_areas(seed: int) -> None:
    rng = np.random.default_rng([43, seed])
    duration, seen = rng.integers(1, 12, 40).astype(float), rng.random(40) < 0.5
    curve = by_duration(lives(duration, seen))
    for horizon in (1, 5.5, 11):
        mean, variance = slow_mean(list(zip(duration, seen, strict=True)), horizon)
        if horizon > duration.max():
            continue
        (row,) = rows_of(expected_lifetime(curve, horizon=horizon))
        assert row["expected_lifetime"] == pytest.approx(mean, abs=1e-12)
        assert row["standard_error"] == pytest.approx(math.sqrt(variance), abs=1e-12)


@pytest.mark.parametrize(
    ("unit", "horizon", "tenure"),
    [
        ("month", "2 months", 2.0),
        ("month", "2M", 2.0),
        ("month", "1 quarter", 3.0),
        ("month", timedelta(days=60), 60 / (365.2425 / 12)),
        ("week", "2 months", 2 * 365.2425 / 12 / 7),
        ("day", "1 week", 7.0),
        ("year", "24 months", 2.0),
    ],
)
def test_a_horizon_is_counted_in_the_unit_of_the_curve(
    backend: Backend, unit: str, horizon: Any, tenure: float
) -> None:
    # S is 1, 3/4, 1/2 and stays: the area is 1 + 3/4 (T - 1) up to 2, then 1 + 3/4 + (T - 2) / 2.
    area = 1 + 0.75 * min(tenure - 1, 1) + 0.5 * max(tenure - 2, 0)
    curve = by_duration(lives([1, 2, 9, 9], [True, True, False, False]))
    rows = rows_of(curve.assign(time_unit=unit))
    (row,) = rows_of(expected_lifetime(backend.make(rows), horizon=horizon))
    assert row["horizon"] == pytest.approx(tenure, rel=1e-12)
    assert row["expected_lifetime"] == pytest.approx(area, rel=1e-12)


def test_the_horizon_of_a_curve_of_dates(backend: Backend) -> None:
    # Of three customers one leaves in the second month; in 24 months: (2 + 24 + 24) / 3.
    begin, until = datetime(2022, 1, 1), "2024-06-01"
    ends = (datetime(2022, 2, 10), None, None)
    book = [{"customer_id": i, "start": begin, "end": end} for i, end in enumerate(ends)]
    curve = survival_curve(backend.make(book), as_of=until)
    (row,) = rows_of(expected_lifetime(curve, horizon="24 months"))
    assert (row["horizon"], row["expected_lifetime"]) == (24.0, pytest.approx(50 / 3))
    days = survival_curve(backend.make(book), as_of=until, unit="day")
    (row,) = rows_of(expected_lifetime(days, horizon="24 months"))
    assert row["horizon"] == pytest.approx(2 * 365.2425)


def test_a_curve_of_no_unit_takes_numbers_only() -> None:
    curve = by_duration(lives([1, 2, 9, 9], [True, True, False, False])).drop(
        columns="time_unit", errors="ignore"
    )
    with pytest.raises(ArgumentError, match=r"does not name the unit.*'time_unit'") as caught:
        expected_lifetime(curve, horizon="24 months")
    assert (caught.value.code, caught.value.argument) == ("unit_unknown", "horizon")


# --- limits where there is no variance --------------------------------------------------------


def test_without_a_loss_the_lower_limit_is_wilsons_for_all_of_those_at_risk() -> None:
    table = by_duration(lives([3] * 10 + [5] * 10, [False] * 20))
    wilson = {n: stats.binomtest(n, n).proportion_ci(0.95, "wilson").low for n in (10, 20)}
    assert table[["survival", "upper"]].to_numpy().tolist() == [[1, 1]] * 3
    assert table["lower"].tolist() == pytest.approx([1, wilson[20], wilson[10]])
    (row,) = rows_of(expected_lifetime(table, horizon=5))
    # The area under the lower limit: 1 to tenure 3, then that of 20.
    assert [row["expected_lifetime"], row["standard_error"], row["upper"]] == [5, 0, 5]
    assert row["lower"] == pytest.approx(3 + 2 * wilson[20])
    assert rows_of(median_lifetime(table)) == [
        {"churned": 0, "median": None, "lower": None, "upper": None}
    ]


def test_a_lower_limit_does_not_rise_as_more_come_under_observation() -> None:
    table = by_duration(lives([9] * 12, [False] * 12, entry=[0] * 2 + [3] * 10), entry="entry")
    low = stats.binomtest(2, 2).proportion_ci(0.95, "wilson").low
    assert table[["tenure", "at_risk"]].to_numpy().tolist() == [[0, 2], [9, 12]]
    table = by_duration(
        lives([2, 9] + [9] * 10, [False] * 12, entry=[0] * 2 + [3] * 10), entry="entry"
    )
    assert table["at_risk"].tolist() == [2, 2, 11]
    assert table["lower"].tolist() == pytest.approx([1, low, low])


def test_a_mean_lies_within_0_and_the_horizon() -> None:
    short = by_duration(lives([0.1] * 9 + [10]), observed=None)
    (row,) = rows_of(expected_lifetime(short, horizon=10))
    # The variance of the mean without censoring is that of the lifetimes, a tenth of it.
    mean, error = 1.09, np.std([0.1] * 9 + [10]) / math.sqrt(10)
    assert [row["expected_lifetime"], row["standard_error"]] == pytest.approx([mean, error])
    assert [row["lower"], row["upper"]] == pytest.approx([0, mean + 1.959963984540 * error])
    long = by_duration(lives([1] + [10] * 9), observed=None)
    (row,) = rows_of(expected_lifetime(long, horizon=10))
    mean, error = 9.1, np.std([1] + [10] * 9) / math.sqrt(10)
    assert [row["lower"], row["upper"]] == pytest.approx([mean - 1.959963984540 * error, 10])


def test_where_all_have_left_the_upper_limit_is_above_zero() -> None:
    table = by_duration(lives([1, 1, 1, 1], [True] * 4))
    none = stats.binomtest(0, 4).proportion_ci(0.95, "wilson").high
    row = at(table, 1)
    assert [row.survival, row.lower, row.hazard] == [0, 0, 1]
    assert row.upper == pytest.approx(none)
    table = by_duration(lives([1, 2, 3], [True] * 3))
    left = stats.binomtest(0, 1).proportion_ci(0.95, "wilson").high
    assert at(table, 3).upper == pytest.approx(at(table, 2).upper * left)
    # Nobody stays on: the mean is known for any horizon.
    (row,) = rows_of(expected_lifetime(table, horizon=50))
    assert row["expected_lifetime"] == pytest.approx(2)


def test_a_horizon_beyond_what_was_observed_has_no_mean() -> None:
    table = by_duration(lives([1, 2, 3], [True, True, False]))
    (row,) = rows_of(expected_lifetime(table, horizon=3.5))
    values = [row[name] for name in ("expected_lifetime", "standard_error", "lower", "upper")]
    assert values == [None] * 4
    assert (row["churned"], row["horizon"]) == (2, 3.5)
    (row,) = rows_of(expected_lifetime(table, horizon=3))
    assert row["expected_lifetime"] == pytest.approx(2)


def test_a_median_that_is_just_reached_is_reached() -> None:
    # 6/7 * 5/6 * 4/5 * 7/8 = 1/2 in fractions.
    table = pd.DataFrame(
        {
            "tenure": [0, 1, 2, 3, 4],
            "at_risk": [7, 7, 6, 5, 8],
            "churned": [0, 1, 1, 1, 1],
            "survival": np.cumprod([1, 6 / 7, 5 / 6, 4 / 5, 7 / 8]),
            "lower": [1.0, 0.4, 0.3, 0.2, 0.1],
            "upper": [1.0, 0.9, 0.8, 0.7, 0.6],
        }
    )
    (row,) = rows_of(median_lifetime(table))
    assert row == {"churned": 4, "median": 4, "lower": 1, "upper": None}


# --- dates ------------------------------------------------------------------------------------


def units_after(start: datetime, k: int, unit: str) -> datetime:
    """Go k units on from a start, by the calendar, from the start itself."""
    if unit in {"day", "week"}:
        return start + timedelta(days=k * (7 if unit == "week" else 1))
    months = start.month - 1 + k * {"month": 1, "quarter": 3, "year": 12}[unit]
    year, month = start.year + months // 12, months % 12 + 1
    for day in (start.day, 30, 29, 28):
        try:
            return start.replace(year=year, month=month, day=day)
        except ValueError:
            pass
    raise AssertionError


def slow_curve(rows: list[Row], as_of: datetime, unit: str) -> list[Row]:
    """Count tenure by tenure who was observed for all of it, and who of them left in it.

    A run is what can be walked from a customer's first start: on to the end of any subscription
    that holds the time reached, or begins there.
    """
    spans = []
    for customer in {row["customer_id"] for row in rows}:
        own = [row for row in rows if row["customer_id"] == customer]
        begin = reached = min(row["start"] for row in own)
        while True:
            further = [row["end"] or datetime.max for row in own if row["start"] <= reached]
            if max(further) <= reached:
                break
            reached = max(further)
        spans.append((begin, reached if reached < as_of else None))
    table: list[Row] = []
    share = 1.0
    for k in range(10_000):
        if k == 0:
            at_risk, churned = len(spans), 0
        else:
            low = [units_after(begin, k - 1, unit) for begin, _ in spans]
            high = [units_after(begin, k, unit) for begin, _ in spans]
            known = [
                (a, b, end)
                for a, b, (_, end) in zip(low, high, spans, strict=True)
                if b < as_of and (end is None or end > a)
            ]
            at_risk = len(known)
            churned = sum(end is not None and end <= b for _, b, end in known)
        if not at_risk:
            break
        share *= 1 - churned / at_risk
        table.append({"tenure": k, "at_risk": at_risk, "churned": churned, "survival": share})
    return table


def random_subscriptions(rng: np.random.Generator, n: int, days: int = 400) -> list[Row]:
    """Make subscriptions of a few customers, some of which overlap, touch or run."""
    origin = datetime(2023, 1, 1)
    rows = []
    for _ in range(n):
        start = origin + timedelta(days=int(rng.integers(days)))
        length = int(rng.choice([1, 7, 28, 30, 31, 59, 90, 365]))
        end = None if rng.random() < 0.2 else start + timedelta(days=length)
        rows.append({"customer_id": int(rng.integers(1, n // 2 + 2)), "start": start, "end": end})
        if end is not None and rng.random() < 0.3:
            again = end + timedelta(days=int(rng.integers(0, 3)))
            later = again + timedelta(days=20)
            rows.append(rows[-1] | {"start": again, "end": later})
    return rows


@pytest.mark.parametrize("unit", ["day", "week", "month", "quarter", "year"])
@pytest.mark.parametrize("seed", range(6))
def test_curves_of_dates_are_those_counted_one_by_one(seed: int, unit: str) -> None:
    rng = np.random.default_rng([47, seed])
    rows = random_subscriptions(rng, 30)
    as_of = max(row["start"] for row in rows) + timedelta(days=int(rng.integers(1, 200)))
    have = curve_of(pd.DataFrame(rows).astype({"end": "datetime64[us]"}), unit=unit, as_of=as_of)
    want = slow_curve(rows, as_of, unit)
    assert [{name: row[name] for name in want[0]} for row in have] == [
        row | {"survival": pytest.approx(row["survival"], abs=1e-12)} for row in want
    ]


def test_durations_of_lifelines() -> None:
    # datetimes_to_durations(starts, ends, fill_date="2013-10-12") counts the 12th as observed:
    # durations 2, 3, 2 of which the first is seen to its end; so as_of is the midnight after it.
    table = subscriptions(
        ("a", "2013-10-08", "2013-10-10"),
        ("b", "2013-10-09", None),
        ("c", "2013-10-10", "2013-10-15"),
    )
    rows = curve_of(table, unit="day", as_of="2013-10-13")
    assert [(row["tenure"], row["at_risk"], row["churned"]) for row in rows] == [
        (0, 3, 0),
        (1, 3, 0),
        (2, 3, 1),
        (3, 1, 0),
    ]


def test_months_are_counted_from_the_start() -> None:
    # From 31 January: 29 February, 31 March, 30 April.
    for end, tenure in {"02-28": 1, "02-29": 1, "03-01": 2, "03-31": 2, "04-30": 3}.items():
        table = subscriptions((1, "2024-01-31", f"2024-{end}"), (2, "2024-01-01", None))
        rows = curve_of(table, as_of="2025-01-01")
        assert [row["tenure"] for row in rows if row["churned"]] == [tenure], end


def test_what_runs_is_censored_also_with_an_end_to_come() -> None:
    ends = (None, "2024-06-01", "2024-07-15")
    expected = curve_of(
        subscriptions(*((i, "2024-01-01", None) for i in range(3))), as_of="2024-06-01"
    )
    table = subscriptions(*((i, "2024-01-01", end) for i, end in enumerate(ends)))
    assert curve_of(table, as_of="2024-06-01") == expected
    assert [row["churned"] for row in expected] == [0] * 5
    # An end on the last day observed is one.
    table.loc[1, "end"] = pd.Timestamp("2024-05-31")
    last = curve_of(table, unit="day", as_of="2024-06-01")[-1]
    assert (last["tenure"], last["at_risk"], last["churned"]) == (151, 3, 1)


def test_a_life_is_the_first_uninterrupted_run() -> None:
    expected = curve_of(subscriptions((1, "2024-01-01", "2024-05-01")), as_of="2025-01-01")
    for extra in (
        [(1, "2024-01-01", "2024-02-01"), (1, "2024-02-01", "2024-05-01")],
        [(1, "2024-01-01", "2024-05-01"), (1, "2024-02-01", "2024-03-01")],
        [(1, "2024-01-01", "2024-04-01"), (1, "2024-03-01", "2024-05-01")],
        # Who comes back has left all the same.
        [(1, "2024-01-01", "2024-05-01"), (1, "2024-07-01", None)],
    ):
        assert curve_of(subscriptions(*reversed(extra)), as_of="2025-01-01") == expected
    assert [row["churned"] for row in expected] == [0, 0, 0, 0, 1]


def test_a_gap_that_is_none() -> None:
    table = subscriptions(
        (1, "2024-01-01", "2024-02-01"),
        (1, "2024-02-04", "2024-05-01"),
        (2, "2024-01-01", "2024-06-29"),
    )
    longer = {"as_of": "2024-07-02", "gap": "3D"}
    rows = curve_of(table, **longer)
    # The end on 29 June may be followed by a renewal up to 2 July: the sixth month is not known.
    assert [(row["at_risk"], row["churned"]) for row in rows] == [
        *[(2, 0)] * 4,
        (2, 1),
        (1, 0),
    ]
    rows = curve_of(table, as_of="2024-07-03", gap=timedelta(days=1))
    assert [row["churned"] for row in rows] == [0, 1, 0, 0, 0, 0, 1]


def test_a_month_in_progress_tells_nothing() -> None:
    # All leave on the 10th day. Those who have been there for 15 days are known to have left, those
    # who have been for 5 are not known to stay: neither is used until the month is over.
    rows = [(i, f"2024-01-{1 + i:02}", f"2024-01-{11 + i:02}") for i in range(20)]
    table = subscriptions(*rows)
    have = curve_of(table, as_of="2024-02-05")
    assert [(row["at_risk"], row["churned"]) for row in have] == [(20, 0), (4, 4)]


def test_entry_in_dates() -> None:
    # Observed from 1 April on. One who began in January is at risk from the fourth month on; who
    # left before is not in the table.
    table = subscriptions(
        (1, "2024-01-15", "2024-05-20", "2024-04-01"),
        (2, "2024-04-10", "2024-06-20", "2024-04-10"),
        (3, "2024-04-10", None, None),
        columns="customer_id start end entry",
    )
    rows = curve_of(table, as_of="2024-09-01", entry="entry")
    # Customer 1 enters within the third month and leaves within the fifth.
    assert [(row["at_risk"], row["churned"]) for row in rows] == [
        *[(2, 0)] * 3,
        (2, 1),
        (2, 0),
        (1, 1),
    ]
    # Of subscriptions that start together the first to be observed counts.
    twice = subscriptions(
        (1, "2024-01-15", "2024-05-20", "2024-04-01"),
        (1, "2024-01-15", "2024-02-20", "2024-01-15"),
        columns="customer_id start end entry",
    )
    rows = curve_of(twice, as_of="2024-09-01", entry="entry")
    assert [row["at_risk"] for row in rows] == [1] * 6
    gone = subscriptions(
        (1, "2024-01-15", "2024-03-20", "2024-04-01"),
        (3, "2024-04-10", None, "2024-04-10"),
        columns="customer_id start end entry",
    )
    with pytest.warns(RetainkitWarning, match="^1 customer whose `entry` is not before the end"):
        rows = curve_of(gone, as_of="2024-06-11", entry="entry")
    assert [row["at_risk"] for row in rows] == [1, 1, 1]


def test_a_customer_is_in_the_segment_of_the_start() -> None:
    table = subscriptions(
        (1, "2024-01-01", "2024-02-01", "free"),
        (1, "2024-02-01", "2024-04-01", "pro"),
        (2, "2024-01-01", None, "pro"),
        (2, "2024-01-01", "2024-02-01", "free"),
        columns="customer_id start end plan",
    )
    with pytest.warns(RetainkitWarning, match="^1 uninterrupted run of a customer with several"):
        rows = curve_of(table, by="plan", as_of="2024-06-02")
    assert {row["plan"] for row in rows} == {"free"}
    assert [row["churned"] for row in rows] == [0, 0, 0, 1, 0, 0]


def test_what_is_free_makes_no_customer() -> None:
    table = subscriptions(
        (1, "2024-01-01", "2024-02-01", 0),
        (1, "2024-02-01", None, 9),
        (2, "2024-01-01", None, 0),
        columns="customer_id start end mrr",
    )
    with pytest.warns(RetainkitWarning, match="^2 of 3 rows have an amount of 0 and are not used"):
        rows = curve_of(table, amount="mrr", as_of="2024-04-02")
    assert [row["at_risk"] for row in rows] == [1, 1, 1]


def test_daylight_saving_makes_no_day_shorter() -> None:
    zone = ZoneInfo("Europe/Berlin")
    # 31 March 2024 has 23 hours in Berlin and 27 October has 25.
    for day in (date(2024, 3, 31), date(2024, 10, 27)):
        start = pd.Timestamp(day, tz=zone)
        end = pd.Timestamp(day + timedelta(days=1), tz=zone)
        table = pd.DataFrame({"customer_id": [1], "start": [start], "end": [end]})
        rows = curve_of(table, unit="day", as_of="2024-12-01")
        assert [row["churned"] for row in rows] == [0, 1]


def test_the_hour_that_comes_twice() -> None:
    # From 02:45 summer time to 02:15 winter time in Berlin: half an hour, backward on the clock.
    start = pd.Timestamp("2024-10-27T00:45", tz="UTC").tz_convert("Europe/Berlin")
    end = pd.Timestamp("2024-10-27T01:15", tz="UTC").tz_convert("Europe/Berlin")
    table = pd.DataFrame({"customer_id": [1], "start": [start], "end": [end]})
    rows = curve_of(table, unit="day", as_of="2024-10-30")
    assert [(row["at_risk"], row["churned"]) for row in rows] == [(1, 0), (1, 1)]


# --- frames -----------------------------------------------------------------------------------


def test_all_kinds_of_frames_agree(backend: Backend) -> None:
    rng = np.random.default_rng(53)
    rows: list[Row] = [
        row | {"plan": str(rng.choice(["basic", "pro"])), "mrr": float(rng.integers(1, 9))}
        for row in random_subscriptions(rng, 60)
    ]
    rows = [row | {"plan": "basic" if row["customer_id"] % 2 else "pro"} for row in rows]
    options: dict[str, Any] = {"by": "plan", "as_of": "2024-06-01", "amount": "mrr", "gap": "1D"}
    expected = rows_of(
        survival_curve(pd.DataFrame(rows).astype({"end": "datetime64[us]"}), **options)
    )
    curve = survival_curve(backend.make(rows), **options)
    assert rows_of(curve) == expected
    assert len(rows_of(median_lifetime(curve))) == 2
    assert len(rows_of(expected_lifetime(curve, horizon=3))) == 2


def test_all_kinds_of_frames_agree_on_durations(backend: Backend) -> None:
    rng = np.random.default_rng(59)
    rows = [
        {
            "months": float(rng.integers(1, 20)),
            "left": bool(rng.random() < 0.5),
            "since": None if i % 3 == 0 else float(rng.integers(0, 2)) / 2,
            "plan": ["basic", "pro", None][int(rng.integers(3))],
        }
        for i in range(100)
    ]
    columns: dict[str, Any] = {
        "duration": "months",
        "observed": "left",
        "entry": "since",
        "by": "plan",
    }
    have = rows_of(survival_curve(backend.make(rows), **columns))
    by_plan = [
        curve_of(
            pd.DataFrame([row for row in rows if row["plan"] == plan]).assign(
                since=lambda one: one["since"].astype(float)
            ),
            **(columns | {"by": None}),
        )
        for plan in ("basic", "pro", None)
    ]
    names = ["basic", "pro", None]
    expected = [
        {"plan": plan} | row for plan, part in zip(names, by_plan, strict=True) for row in part
    ]
    assert have == [
        {k: pytest.approx(v, abs=1e-12) if isinstance(v, float) else v for k, v in row.items()}
        for row in expected
    ]


LIKE: Row = {"customer_id": 1, "start": datetime(2024, 1, 1), "end": datetime(2024, 1, 2)}


def test_an_empty_frame_gives_an_empty_curve(backend: Backend) -> None:
    curve = survival_curve(backend.make([], like=LIKE | {"plan": "a"}), by="plan")
    names = ["plan", "tenure", "at_risk", "churned", "survival", "lower", "upper", "hazard"]
    names += ["time_unit"]
    assert rows_of(curve) == []
    assert list(getattr(curve, "column_names", getattr(curve, "columns", None))) == names  # type: ignore[arg-type]
    assert rows_of(median_lifetime(curve)) == []
    assert rows_of(expected_lifetime(curve, horizon=1)) == []


def test_aware_times_are_counted_in_their_zone(backend: Backend) -> None:
    # In New York both are months to the day; in UTC the second starts on 1 February.
    zone = ZoneInfo("America/New_York")
    spans = [(datetime(2024, 1, 31, 20), datetime(2024, 2, 29, 20)), (datetime(2024, 1, 1), None)]
    rows = [
        {
            "customer_id": i,
            "start": start.replace(tzinfo=zone).astimezone(UTC),
            "end": end and end.replace(tzinfo=zone).astimezone(UTC),
        }
        for i, (start, end) in enumerate(spans)
    ]
    utc = ZoneInfo("UTC")
    rows = [
        {k: v.replace(tzinfo=utc) if isinstance(v, datetime) else v for k, v in row.items()}
        for row in rows
    ]
    have = curve_of(backend.make(rows), tz="America/New_York", as_of="2024-05-01")
    assert [row["churned"] for row in have] == [0, 1, 0, 0]


# --- wrong arguments --------------------------------------------------------------------------


def test_wrong_arguments_are_named() -> None:
    table = subscriptions((1, "2024-01-01", None))
    durations = lives([1.0, 2.0], [True, False])
    for error, match, options in (
        (ArgumentError, "`unit` is 'fortnight'", {"unit": "fortnight"}),
        (ArgumentError, "`gap` is '3 moons'", {"gap": "3 moons"}),
        (ArgumentTypeError, "`gap` is 3", {"gap": 3}),
        (ArgumentError, "`gap` is datetime.timedelta", {"gap": timedelta(days=-1)}),
        (ArgumentError, "`confidence_level` is 95", {"confidence_level": 95}),
        (ArgumentError, "`missing` is 'skip'", {"missing": "skip"}),
        (ArgumentError, "`observed` .'end'. goes with `duration`", {"observed": "end"}),
        (MissingColumnError, "`entry` needs the column 'since'", {"entry": "since"}),
        (ArgumentError, "`by` names the column 'tenure'", {"by": "tenure"}),
    ):
        with pytest.raises(error, match=match):
            survival_curve(table, **options)
    columns: dict[str, Any] = {"duration": "duration", "observed": "observed"}
    for name, value in {"as_of": "2024-01-01", "tz": "UTC", "gap": "1D", "amount": "mrr"}.items():
        with pytest.raises(ArgumentError, match=f"`{name}` .* has nothing to say beside"):
            survival_curve(durations, **columns, **{name: value})  # type: ignore[arg-type]
    for column, values, error, match in (  # type: ignore[assignment]
        ("duration", [1.0, -2.0], ArgumentError, r"holds -2; it must hold finite"),
        ("duration", [1.0, math.inf], ArgumentError, r"holds inf; it must hold finite"),
        ("duration", [1.0, None], ArgumentError, r"is null in 1 row, of 2"),
        ("duration", ["a", "b"], ColumnTypeError, r"it must hold numbers"),
        ("observed", ["a", "b"], ColumnTypeError, r"it must hold booleans"),
        ("observed", [0, 2], ArgumentError, r"holds 2; it must hold booleans"),
    ):
        with pytest.raises(error, match=match):
            survival_curve(durations.assign(**{column: values}), **columns)  # type: ignore[arg-type]
    with pytest.warns(RetainkitWarning, match=r"is null in 1 row: 1 of 2 rows left out"):
        rows = curve_of(durations.assign(duration=[None, 2.0]), **columns, missing="drop")  # type: ignore[list-item]
    assert [row["at_risk"] for row in rows] == [1, 1]
    with pytest.warns(RetainkitWarning, match="^1 customer whose `entry` is not before their"):
        curve_of(durations.assign(entry=[1.0, 0.0]), **columns, entry="entry")


def test_wrong_curves_are_named() -> None:
    curve = by_duration(lives(RX_0, SEEN_0))
    with pytest.raises(ArgumentError, match="several rows for tenure 0 of a segment"):
        median_lifetime(pd.concat([curve, curve]))
    with pytest.raises(MissingColumnError, match="at_risk"):
        median_lifetime(curve.drop(columns="at_risk"))
    with pytest.raises(ColumnTypeError, match="column 'survival' of `curve` holds"):
        median_lifetime(curve.assign(survival="much"))
    with pytest.raises(ArgumentError, match="column 'lower' of `curve` has no number in 17 rows"):
        median_lifetime(curve.assign(lower=np.nan))
    for horizon, error in (
        (0, ArgumentError),
        ("0 days", ArgumentError),
        (-1, ArgumentError),
        ("1", ArgumentError),
        ([1], ArgumentTypeError),
    ):
        with pytest.raises(error, match="`horizon` is"):
            expected_lifetime(curve, horizon=horizon)  # type: ignore[arg-type]
    shuffled = curve.sample(frac=1, random_state=1)
    assert rows_of(median_lifetime(shuffled)) == rows_of(median_lifetime(curve))


# --- simulated truth --------------------------------------------------------------------------


@pytest.mark.simulation
def test_the_truth_is_found() -> None:
    """500 data sets of 250 customers whose churn is known, in months of the calendar.

    Customers come over a year and leave at a rate that falls from 15 to 5 % a month, on any day,
    seen through a table that ends in the midst of months. Beside the shares themselves: the time
    until half have left, and the mean within 10 months.
    """
    sets, n, months = 500, 250, np.arange(1, 19)
    hazard = np.where(months <= 3, 0.15, 0.05)
    truth = np.cumprod(1 - hazard)
    mean = 1 + truth[:9].sum()
    watched = (1, 3, 6, 10)
    hits = dict.fromkeys((*watched, "mean", "median"), 0)
    sums, squares = np.zeros(len(watched) + 1), np.zeros(len(watched) + 1)
    for seed in range(sets):
        rng = np.random.default_rng([61, seed])
        first, day = rng.integers(0, 12, n), rng.integers(0, 28, n)
        leaves = rng.random((n, len(months))) < hazard
        month = np.where(leaves.any(axis=1), leaves.argmax(axis=1), 99)
        begin = (first + 53 * 12).astype("datetime64[M]")
        start = begin.astype("datetime64[D]") + day
        low = (begin + month).astype("datetime64[D]") + day
        length = ((begin + (month + 1)).astype("datetime64[D]") + day - low).astype(int)
        end = low + (1 + np.floor(rng.random(n) * length).astype(int))
        table = pd.DataFrame({"customer_id": np.arange(n), "start": start, "end": end})
        curve = survival_curve(table, as_of="2024-03-20").set_index("tenure")
        (area,) = rows_of(expected_lifetime(curve.reset_index(), horizon=10))
        (median,) = rows_of(median_lifetime(curve.reset_index()))
        found = [*curve["survival"].loc[list(watched)], area["expected_lifetime"]]
        sums, squares = sums + found, squares + np.square(found)
        for k in watched:
            hits[k] += curve["lower"][k] <= truth[k - 1] <= curve["upper"][k]
        hits["mean"] += area["lower"] <= mean <= area["upper"]
        half = int(months[truth <= 0.5][0])
        hits["median"] += median["lower"] <= half <= (median["upper"] or math.inf)
    average = sums / sets
    error = np.sqrt((squares / sets - average**2) / sets)
    assert (abs(average - [*(truth[k - 1] for k in watched), mean]) < 3 * error).all()
    coverage = {name: count / sets for name, count in hits.items()}
    # A median in whole months is held by more intervals than one in time.
    assert coverage.pop("median") >= 0.93
    assert all(0.93 <= share <= 0.97 for share in coverage.values()), coverage
