"""Losses by inactivity, held to a day-by-day simulation; pauses, held to SciPy and to R."""

import math
import random
import warnings
from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from backends import BACKENDS, Backend
from event_logs import (
    assert_same,
    by_segment,
    end_of,
    like,
    log,
    next_start,
    periods_between,
    quietly,
    random_log,
    seen,
    segments_of,
    share,
    start_of,
    wilson,
)
from retainkit import active_users, datasets, inactivity_churn, usage_interval
from retainkit._stats.gap_survival import GapCounts, life_table
from retainkit.errors import ArgumentError, ArgumentTypeError, RetainkitWarning
from sizes import batches
from tables import Row, rows_of

NAN = math.nan
DAY = timedelta(days=1)


# --- slow references --------------------------------------------------------------------


def spells_of(days: set[date], window: int, last: date) -> list[tuple[list[date], date | None]]:
    """Walk through the days: give the event days of each time a customer was current.

    Beside them stands the day of the loss, if it came by the last day.
    """
    spells: list[tuple[list[date], date | None]] = []
    held: list[date] = []
    day = min(days)
    while day <= last:
        if day in days:
            held.append(day)
        # Current from an event on, as long as there was one in the window of days up to today.
        elif held and not any(day - back * DAY in days for back in range(window)):
            spells.append((held, day))
            held = []
        day += DAY
    return [*spells, (held, None)] if held else spells


def slow_counts(
    spells: list[tuple[Any, list[date], date | None]],
    days: dict[Any, set[date]],
    period: tuple[date, date],
    window: int,
    dated: str,
) -> tuple[set[int], set[int], int]:
    """Return which spells could end in a period, which did, and how many of these came back."""
    start, stop = period
    risk, lost, again = set(), set(), 0
    for place, (who, events, loss) in enumerate(spells):
        if dated == "last_event":
            reaches, at = any(start <= day < stop for day in events), events[-1]
        else:
            # Current on the day before, or from a day on after which a window fits in.
            current = any(0 <= (start - DAY - day).days < window for day in events)
            reaches = current or (start <= events[0] and events[0] + window * DAY < stop)
            at = loss or date.max
        if reaches:
            risk.add(place)
        if loss is not None and start <= at < stop:
            lost.add(place)
            again += any(day > loss for day in days[who])
    return risk, lost, again


def slow_churn(
    rows: list[Row],
    *,
    window: int,
    period: str,
    tz: str | None,
    by: Sequence[str],
    dated: str = "window_end",
    week_start: str = "monday",
    as_of: Any = None,
    include_partial: bool = False,
) -> list[Row]:
    end = datetime.combine(end_of(rows, tz, as_of).date(), datetime.min.time())
    rows = [row for row in seen(rows, tz, as_of) if row["day"] < end.date()]
    last, begin = end.date() - DAY, min((row["day"] for row in rows), default=end.date())
    table = []
    for segment, members in by_segment(segments_of(rows, tz, by)).items():
        days: dict[Any, set[date]] = defaultdict(set)
        for row in rows:
            if row["customer_id"] in members:
                days[row["customer_id"]].add(row["day"])
        spells = [(who, *one) for who in days for one in spells_of(days[who], window, last)]
        first = min(min(one) for one in days.values())
        for start in periods_between(first, end, period, week_start):
            stop = next_start(start, period, week_start)
            if stop > end.date() and not include_partial:
                continue
            risk, lost, again = slow_counts(spells, days, (start, stop), window, dated)
            assert lost <= risk
            complete = stop <= end.date() and (
                start - window * DAY >= begin
                if dated == "window_end"
                else stop + window * DAY <= end.date()
            )
            lower, upper = wilson(len(lost), len(risk)) if complete else (NAN, NAN)
            table.append(
                dict(zip(by, segment, strict=True))
                | {
                    "period": start,
                    "at_risk": len(risk),
                    "churned": len(lost),
                    "churn_rate": share(len(lost), len(risk)) if complete else NAN,
                    "lower": lower,
                    "upper": upper,
                    "returned_later": share(again, len(lost)) if complete else NAN,
                    "complete": complete,
                }
            )
    return table


def gaps_of(rows: list[Row], tz: str | None, as_of: Any = None) -> dict[Any, tuple[list[int], int]]:
    """Return each customer's gaps in days, and the length so far of the open one."""
    end = end_of(rows, tz, as_of).date()
    days: dict[Any, set[date]] = defaultdict(set)
    for row in seen(rows, tz, as_of):
        if row["day"] < end:
            days[row["customer_id"]].add(row["day"])
    found = {}
    for who, its in days.items():
        in_order = sorted(its)
        gaps = [(b - a).days for a, b in pairwise(in_order)]
        found[who] = gaps, (end - DAY - in_order[-1]).days
    return found


def slow_interval(
    rows: list[Row],
    *,
    quantiles: Sequence[float],
    tz: str | None,
    by: Sequence[str],
    as_of: Any = None,
) -> list[Row]:
    end = end_of(rows, tz, as_of).date()
    kept = [row for row in seen(rows, tz, as_of) if row["day"] < end]
    gaps = gaps_of(rows, tz, as_of)
    return [
        dict(zip(by, segment, strict=True)) | row
        for segment, members in by_segment(segments_of(kept, tz, by)).items()
        for row in slow_quantiles({who: gaps[who] for who in members}, quantiles)
    ]


def slow_quantiles(gaps: dict[Any, tuple[list[int], int]], quantiles: Sequence[float]) -> list[Row]:
    """Kaplan and Meier's estimate by its definition, and the sandwich variance by a double loop."""
    ended = [gap for its, _ in gaps.values() for gap in its]
    lengths = sorted(set(ended))
    every = ended + [still for _, still in gaps.values()]
    risk = {u: sum(gap >= u for gap in every) for u in lengths}
    dead = {u: ended.count(u) for u in lengths}

    def survival(g: int) -> float:
        return math.prod(1 - dead[u] / risk[u] for u in lengths if u <= g)

    def influence(gap: int, until: float, *, over: bool) -> float:
        passed = sum(dead[u] / risk[u] ** 2 for u in lengths if u <= min(gap, until))
        return (1 / risk[gap] if over and gap <= until else 0) - passed

    def first(curve: dict[int, float], q: float) -> float:
        return next((float(g) for g in lengths if curve[g] <= 1 - q + 1e-9), NAN)

    clusters = [one for one in gaps.values() if one[0] or one[1]]
    table = []
    for q in quantiles:
        days = first({g: survival(g) for g in lengths}, q)
        low = high = NAN
        if lengths and len(clusters) > 1:
            until = lengths[-1] if math.isnan(days) else days
            moved = [
                [influence(gap, until, over=True) for gap in its]
                + [influence(still, until, over=False)]
                for its, still in clusters
            ]
            apart = sum(value**2 for one in moved for value in one)
            together = sum(sum(one) ** 2 for one in moved) * len(moved) / (len(moved) - 1)
            bands = [
                band(g, lengths, risk, dead, together / apart if apart else 1) for g in lengths
            ]
            low = first(dict(zip(lengths, [one for one, _ in bands], strict=True)), q)
            high = first(dict(zip(lengths, [one for _, one in bands], strict=True)), q)
        naive = {g: sum(gap > g for gap in ended) / len(ended) for g in lengths}
        table.append(
            {
                "quantile": q,
                "days": days,
                "lower": low,
                "upper": high,
                "naive_days": first(naive, q),
                "ended": len(ended),
                "censored": len(gaps),
            }
        )
    return table


def band(
    g: int, lengths: list[int], risk: dict[int, int], dead: dict[int, int], effect: float
) -> tuple[float, float]:
    """Return the log-log band at a length, with Greenwood's variance."""
    surviving = math.prod(1 - dead[u] / risk[u] for u in lengths if u <= g)
    if surviving <= 0:
        return 0.0, 1.0
    variance = effect * sum(dead[u] / (risk[u] * (risk[u] - dead[u])) for u in lengths if u <= g)
    centre, half = math.log(-math.log(surviving)), math.sqrt(variance) / -math.log(surviving)
    z = 1.959963984540054
    return (
        math.exp(-math.exp(centre + z * half)),
        math.exp(-math.exp(centre - z * half)),
    )


def churn_question(seed: int) -> tuple[list[Row], dict[str, Any]]:
    draw = random.Random(f"churn {seed}")  # noqa: S311
    period = draw.choice(["day", "week", "month", "quarter"])
    rows, options = random_log(seed, period)
    options |= {"period": period, "dated": draw.choice(["window_end", "last_event"])}
    options |= {"window": draw.choice([1, 2, 5, 7, 30, 31, 40]), "week_start": "sunday"}
    return rows, options | {"include_partial": draw.random() < 0.5}


def interval_question(seed: int) -> tuple[list[Row], dict[str, Any]]:
    draw = random.Random(f"interval {seed}")  # noqa: S311
    rows, options = random_log(seed, draw.choice(["day", "week", "month"]))
    return rows, options | {"quantiles": (0.5, 0.8, 0.25, 0.95)}


QUESTIONS = [
    (inactivity_churn, slow_churn, churn_question),
    (usage_interval, slow_interval, interval_question),
]
each_metric = pytest.mark.parametrize(
    ("metric", "slow", "question"), QUESTIONS, ids=[one[0].__name__ for one in QUESTIONS]
)


@each_metric
@pytest.mark.parametrize("lazy", [False, True], ids=["kernel", "plan"])
@pytest.mark.parametrize("seeds", batches(range(150), quick=10))
def test_random_logs_agree_with_the_slow_reference(
    metric: Any, slow: Any, question: Any, seeds: range, *, lazy: bool
) -> None:
    backend = next(one for one in BACKENDS if one.name == ("polars-lazy" if lazy else "pandas"))
    for seed in seeds:
        rows, options = question(seed)
        frame = backend.make(rows, like=like(rows))
        assert_same(quietly(metric, frame, **options), slow(rows, **options))


@pytest.mark.slow
@each_metric
def test_every_backend_agrees_with_the_slow_reference(
    metric: Any, slow: Any, question: Any, backend: Backend
) -> None:
    for seed in range(200, 212 if backend.name != "pyspark" else 206):
        rows, options = question(seed)
        frame = backend.make(rows, like=like(rows), session="America/New_York")
        assert_same(quietly(metric, frame, **options), slow(rows, **options))


@each_metric
def test_blocks_of_rows_change_nothing(
    metric: Any, slow: Any, question: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("retainkit._frames.groupby._BLOCK", 5)
    monkeypatch.setattr("retainkit._time.grid._BLOCK", 7)
    for seed in range(300, 312):
        rows, options = question(seed)
        frame = next(one for one in BACKENDS if one.name == "polars").make(rows, like=like(rows))
        assert_same(quietly(metric, frame, **options), slow(rows, **options))


# --- losses by hand ---------------------------------------------------------------------


def visits(**days: str) -> Any:
    """Write a customer's days in January as numbers."""
    return log(*((who, f"2024-01-{int(day):02d}") for who in days for day in days[who].split()))


def losses(table: Any) -> list[Any]:
    return table[["at_risk", "churned", "returned_later"]].fillna(-1).to_numpy().tolist()  # type: ignore[no-any-return]


def test_a_customer_is_lost_when_the_window_has_passed() -> None:
    # Seen on the 1st; three days later, on the 4th, the window is over.
    table = inactivity_churn(visits(ann="1", bob="1 2 3 4 5 6 7"), window=3, period="day")
    assert table["churned"].tolist() == [0, 0, 0, 1, 0, 0, 0]
    assert table["at_risk"].tolist() == [0, 2, 2, 2, 1, 1, 1]
    # A visit on that very day is not too late.
    table = inactivity_churn(visits(ann="1 4", bob="1 2 3 4 5 6 7"), window=3, period="day")
    assert table["churned"].sum() == 1
    assert table["churned"].tolist()[6] == 1


def test_the_first_window_cannot_show_a_loss_and_is_marked() -> None:
    table = inactivity_churn(visits(ann="1", bob="1 2 3 4 5 6 7"), window=3, period="day")
    assert table["complete"].tolist() == [False] * 3 + [True] * 4
    assert table["churn_rate"].isna().tolist() == [True] * 3 + [False] * 4


def test_the_last_window_cannot_be_classified_and_is_marked() -> None:
    table = inactivity_churn(
        visits(ann="1", bob="1 2 3 4 5 6 7"), window=3, period="day", dated="last_event"
    )
    assert table["churned"].tolist() == [1, 0, 0, 0, 0, 0, 0]
    assert table["at_risk"].tolist() == [2, 1, 1, 1, 1, 1, 1]
    assert table["complete"].tolist() == [True] * 4 + [False] * 3
    assert table["churn_rate"].isna().tolist() == [False] * 4 + [True] * 3


def test_those_who_return_are_counted() -> None:
    events = visits(ann="1 20", bob="1", cyd="2 3", dan="31")
    table = inactivity_churn(events, window=7, period="week", week_start="monday")
    # All are lost in the week of the 8th, and Ann comes back. She is lost anew on the 27th.
    assert losses(table) == [[0, 0, -1], [3, 3, 1 / 3], [0, 0, -1], [1, 1, 0]]


def test_who_comes_early_in_a_long_period_can_be_lost_in_it() -> None:
    # Ann is lost on 31 January and could not be at the beginning, when nobody was there.
    table = inactivity_churn(visits(ann="1", bob="2 31"), window="30D", as_of="2024-03-01")
    assert table["at_risk"].tolist() == [1, 1]
    assert table["churned"].tolist() == [1, 0]


def test_at_risk_is_the_trailing_window_of_the_day_before() -> None:
    events = datasets.make_events(300, seed=5)
    table = inactivity_churn(events, window=40)
    active = active_users(events, window=40).set_index("period")["active_window"]
    before = active.reindex(table["period"] - pd.Timedelta(days=1)).fillna(0)
    assert table["at_risk"].tolist() == before.tolist()


# --- pauses -----------------------------------------------------------------------------

# Remission in weeks under 6-MP, + for censored: Freireich et al. (1963), Blood 21:699-716.
REMISSION = [6, 6, 6, 7, 10, 13, 16, 22, 23]
CENSORED = [6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35]


def observed(ended: list[int], still: list[int]) -> GapCounts:
    gap, count = np.unique([*ended, *(-one for one in still)], return_counts=True)
    return GapCounts(gap=gap, count=count, customers=len(ended) + len(still))


def test_pauses_as_in_the_literature() -> None:
    # Of these data lifelines 0.30.3 and scikit-survival 0.28 give S(6) = .857143, S(10) = .752941,
    # S(13) = .690196, S(23) = .448179, with the log-log interval [.503200, .889362] at 10: it
    # excludes one half up to there, and not at 13. The median is 23, and has no upper limit, since
    # at the last event the interval is [.188052, .680143].
    table = life_table(observed(REMISSION, CENSORED))
    found = dict(zip(table.length.tolist(), table.survival.round(6), strict=True))
    assert [found[one] for one in (6, 10, 13, 23)] == [0.857143, 0.752941, 0.690196, 0.448179]
    assert table.quantile(0.5) == 23
    lower, upper = table.limits(0.5, 1.0, 0.95)
    assert lower == 13
    assert math.isnan(upper)
    # At 10 the limits are reached where one asks for just that much.
    for level, limit, place in ((1 - 0.503200, 10, 0), (1 - 0.889362, 10, 1)):
        assert table.limits(level - 2e-6, 1.0, 0.95)[place] <= limit
        assert not table.limits(level + 2e-6, 1.0, 0.95)[place] <= limit


@pytest.mark.parametrize("seed", range(20))
def test_pauses_as_scipy_has_them(seed: int) -> None:
    draw = np.random.default_rng(seed)
    ended, still = draw.integers(1, 30, 40), draw.integers(0, 30, 15)
    table = life_table(observed(ended.tolist(), still.tolist()))
    sample = stats.CensoredData(uncensored=ended, right=still[still > 0])  # type: ignore[type-var]
    found = stats.ecdf(sample).sf  # type: ignore[arg-type]
    assert table.survival == pytest.approx(found.evaluate(table.length), abs=1e-12)
    inner = table.at_risk > table.ended
    with warnings.catch_warnings():
        # It has no limits where all have ended, and says so.
        warnings.simplefilter("ignore", RuntimeWarning)
        interval = found.confidence_interval(0.95, method="log-log")
    for level in (0.3, 0.5, 0.8):
        for limit, side in zip(
            table.limits(level, 1.0, 0.95), (interval.low, interval.high), strict=True
        ):
            curve = side.evaluate(table.length)[inner]  # type: ignore[attr-defined]
            reached = table.length[inner][curve <= 1 - level]
            if len(reached):
                assert limit == reached[0]
            else:
                assert math.isnan(limit) or limit == table.length[-1]


def test_open_gaps_make_the_interval_longer() -> None:
    # Three gaps of 2 days, and two open ones of 3 and 9: 2 of 5 last longer than 2 days.
    events = log(*(("ann", f"2024-01-0{day}") for day in (1, 3, 5, 7)), ("bob", "2024-01-01"))
    table = usage_interval(events, quantiles=[0.6, 0.61], as_of="2024-01-11")
    assert table["days"].fillna(-1).tolist() == [2, -1]
    assert table["naive_days"].tolist() == [2, 2]
    assert table[["ended", "censored"]].to_numpy().tolist() == [[3, 2], [3, 2]]


def renewals(draw: np.random.Generator, customers: int, rates: Sequence[float]) -> pd.DataFrame:
    """Make visits at random, each day with a probability of the customer's own, for 120 days."""
    own = draw.choice(rates, customers)
    came = draw.random((customers, 120)) < own[:, np.newaxis]
    came[:, 0] = True
    who, day = np.nonzero(came)
    return pd.DataFrame(
        {
            "customer_id": who,
            "time": np.datetime64("2024-01-01", "us") + day * np.timedelta64(1, "D"),
        }
    )


def test_the_truth_is_found_where_gaps_are_geometric() -> None:
    # P(gap > g) = 0.9^g: the median is the least g with 0.9^g <= 1/2, which is 7; 0.9: 22.
    events = renewals(np.random.default_rng(1), 3000, [0.1])
    table = usage_interval(events, quantiles=(0.5, 0.9), as_of="2024-04-30")
    assert table["days"].tolist() == [7, 22]


@pytest.mark.simulation
def test_intervals_cover_although_gaps_of_a_customer_resemble_each_other() -> None:
    # The truth is what a great many customers show; of the intervals that take gaps for
    # independent, far fewer hold it.
    rates = [0.02, 0.05, 0.3, 0.5]
    level, end = 0.9, "2024-04-30"
    truth = usage_interval(
        renewals(np.random.default_rng(0), 60_000, rates), quantiles=[level], as_of=end
    )
    target = truth["days"][0]
    inside, alone = 0, 0
    for seed in range(1, 301):
        events = renewals(np.random.default_rng(seed), 200, rates)
        row = usage_interval(events, quantiles=[level], as_of=end).iloc[0]
        inside += row["lower"] <= target <= row["upper"]
        gaps = gaps_of(
            events.assign(time=events["time"].dt.date).to_dict("records"),  # type: ignore[arg-type]
            None,
            date.fromisoformat(end),
        )
        ended = [gap for its, _ in gaps.values() for gap in its]
        table = life_table(observed(ended, [still for _, still in gaps.values()]))
        low, high = table.limits(level, 1.0, 0.95)
        alone += low <= target <= high
    assert inside / 300 >= 0.93
    assert alone / 300 < 0.9


# --- what must always hold --------------------------------------------------------------


@pytest.mark.slow
@each_metric
def test_the_order_of_rows_and_duplicates_mean_nothing(
    metric: Any, slow: Any, question: Any
) -> None:
    del slow
    for seed in range(30):
        rows, options = question(seed)
        mixed = random.Random(seed).sample(rows, len(rows))  # noqa: S311
        frame = BACKENDS[0].make(rows, like=like(rows))
        given = frame.copy()
        one = quietly(metric, frame, **options)
        assert one == quietly(metric, BACKENDS[0].make(mixed * 2, like=like(rows)), **options)
        pd.testing.assert_frame_equal(frame, given)


@pytest.mark.slow
def test_segments_add_up() -> None:
    for seed in range(40):
        rows, options = churn_question(seed)
        frame = BACKENDS[0].make(rows, like=like(rows))
        totals: dict[Any, int] = defaultdict(int)
        for by, sign in ((options["by"], 1), ([], -1)):
            for row in quietly(inactivity_churn, frame, **options | {"by": by}):
                for name in ("at_risk", "churned"):
                    totals[row["period"], name] += sign * row[name]
        assert not any(totals.values())


def test_every_customer_once_has_no_interval() -> None:
    table = usage_interval(visits(ann="1", bob="2"), as_of="2024-02-01")
    assert table["days"].isna().all()
    assert table["lower"].isna().all()
    assert table["ended"].tolist() == [0, 0, 0, 0]
    # One customer tells nothing of others.
    table = usage_interval(visits(ann="1 2 4 5 9"), as_of="2024-02-01")
    assert table["days"][0] == 2
    assert table["lower"].isna().all()
    assert table["upper"].isna().all()


# --- bad input --------------------------------------------------------------------------


def test_no_quantiles_are_no_rows(backend: Backend) -> None:
    rows: list[Row] = [{"customer_id": 1, "time": datetime.fromisoformat("2024-01-01")}]
    assert rows_of(usage_interval(backend.make(rows), quantiles=[], as_of="2024-02-01")) == []


def test_arguments_are_checked() -> None:
    events = visits(ann="1 2")
    with pytest.raises(ArgumentError, match=r"`dated` is 'now'"):
        inactivity_churn(events, window=7, dated="now")  # type: ignore[arg-type]
    with pytest.raises(ArgumentError, match=r"`window` is '1M'"):
        inactivity_churn(events, window="1M")
    with pytest.raises(ArgumentTypeError, match=r"`quantiles` is 0.5; it must hold shares"):
        usage_interval(events, quantiles=0.5)  # type: ignore[arg-type]
    with pytest.raises(ArgumentError, match=r"`quantiles` is 1"):
        usage_interval(events, quantiles=[0.5, 1])
    with pytest.raises(ArgumentError, match=r"`by` names the column 'at_risk'"):
        inactivity_churn(events.assign(at_risk=1), window=7, by="at_risk")
    with pytest.raises(ArgumentError, match=r"`by` names the column 'days'"):
        usage_interval(events.assign(days=1), by="days")


@pytest.mark.parametrize("metric", [inactivity_churn, usage_interval])
def test_what_is_set_aside_is_counted(metric: Any) -> None:
    options = {"window": 7} if metric is inactivity_churn else {}
    events = log(("ann", "2024-01-05"), (None, "2024-01-06"))
    with pytest.raises(ArgumentError, match=r"is null in 1 row"):
        metric(events, **options)
    with pytest.warns(RetainkitWarning, match="1 of 2 rows left out"):
        metric(events, missing="drop", **options)
    # Of a day in progress not all has been seen: it does not count.
    events = log(("ann", "2024-01-05T10:00"), ("ann", "2024-01-06T10:00"))
    with pytest.warns(RetainkitWarning, match=r"1 of 2 rows at or after as_of \(2024-01-06\)"):
        table = metric(events, as_of="2024-01-06T11:00", **options)
    if metric is usage_interval:
        assert rows_of(table)[0]["ended"] == 0


def test_start_of_is_what_it_says() -> None:
    # The reference's own calendar: 1 May 2024 was a Wednesday.
    day = date(2024, 5, 1)
    assert start_of(day, "week", "sunday") == date(2024, 4, 28)
    assert next_start(day, "quarter") == date(2024, 7, 1)
