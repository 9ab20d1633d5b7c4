"""Warning signs against slow references, printed numbers, and every row of the edge cases."""

import math
import random
import warnings
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import narwhals.stable.v2 as nw
import pandas as pd
import pytest
from scipy.stats import binom, hypergeom

from backends import BACKENDS, Backend
from event_logs import quietly
from retainkit import RetainkitWarning, Source, datasets, warning_signs
from retainkit.errors import ArgumentError, ArgumentTypeError, ColumnTypeError
from sizes import cases
from tables import Row, rows_of

NAMES = [
    *("baseline_active", "recent_active", "expected", "ratio", "group_ratio", "p_value"),
    *("p_adjusted", "last_seen_days", "quiet_days_longest", "silent"),
]
LAST = ["signs", "reasons", "judged"]
NAMED = {backend.name: backend for backend in BACKENDS}
DAY = timedelta(days=1)
END = datetime(2024, 7, 1)  # noqa: DTZ001  naive times are the plainest
LONG_AGO = 300


def usage(customer: Any, days_ago: Sequence[int], *, old: bool = True, **more: Any) -> list[Row]:
    """Make an event at nine o'clock so many days before the end, and one long ago."""
    ago = [*days_ago, *([LONG_AGO] if old else [])]
    times = [END - one * DAY + timedelta(hours=9) for one in ago]
    return [{"customer_id": customer, "time": time, **more} for time in times]


def counted(customer: Any, recent: int, before: int, **more: Any) -> list[Row]:
    """Make so many active days in both windows."""
    days = [*range(1, 1 + recent), *range(29, 29 + before)]
    return usage(customer, days, **more)


def signs(rows: Sequence[Row], **options: Any) -> dict[Any, Row]:
    """Return the row of each customer; something may be set aside."""
    found = quietly(warning_signs, pd.DataFrame(rows), as_of=END, **options)
    return {row["customer_id"]: row for row in found}


# --- printed numbers ---------------------------------------------------------------------------


def test_the_p_values_of_r() -> None:
    # phyper and pbinom of R: x recent and y before, of 28 and 84 days.
    of_r = {
        (2, 30): (0.00221804773975, 0.006707989762),
        (0, 12): (0.0255819178374, 0.03167635202),
        (5, 15): (0.622704379195, 0.617172654387),
        (0, 3): (0.418058968059, 0.421875),
        (0, 30): (None, 0.0001785820902),
    }
    rows = [row for pair in of_r for row in counted(str(pair), *pair)]
    for unit, place in (("day", 0), ("event", 1)):
        found = signs(rows, unit=unit, adjust="none")
        for pair, expected in of_r.items():
            row = found[str(pair)]
            assert (row["recent_active"], row["baseline_active"]) == pair
            assert row["expected"] == pytest.approx(pair[1] / 3)
            assert row["p_adjusted"] == row["p_value"]
            if expected[place] is not None:
                assert row["p_value"] == pytest.approx(expected[place], rel=5e-10)


def test_a_customer_active_every_day() -> None:
    rows = counted(1, 20, 84)
    assert signs(rows)[1]["p_value"] == pytest.approx(6.5e-6, rel=0.01)
    assert signs(rows, unit="event")[1]["p_value"] == pytest.approx(0.104, abs=5e-4)


def test_p_values_are_adjusted_over_all_segments() -> None:
    # By hand: with 0 of 28 recent days and y before, p falls with y; BH of three.
    rows = [*counted(1, 0, 12, plan="a"), *counted(2, 0, 20, plan="b"), *counted(3, 3, 9, plan="b")]
    found = signs(rows, by="plan")
    p = sorted(row["p_value"] for row in found.values())
    assert found[2]["p_adjusted"] == pytest.approx(3 * p[0])
    assert found[1]["p_adjusted"] == pytest.approx(3 / 2 * p[1])
    assert found[3]["p_adjusted"] == pytest.approx(p[2])
    holm = signs(rows, by="plan", adjust="holm")
    assert holm[1]["p_adjusted"] == pytest.approx(2 * p[1])
    assert signs(rows, adjust="bonferroni")[1]["p_adjusted"] == pytest.approx(3 * p[1])
    assert [found[i]["reasons"] for i in (1, 2, 3)] == ["usage down", "usage down", ""]
    assert signs(rows, level=0.01)[1]["signs"] == 0


# --- a slow reference ---------------------------------------------------------------------------


def blocks_before(
    end: datetime, recent: timedelta, baseline: timedelta, step: timedelta, zone: Any
) -> Callable[[datetime], int]:
    """Return what numbers the block of a time; the recent window begins with 0."""
    whole_days = not (recent % DAY or baseline % DAY)

    def clock(time: datetime) -> datetime:  # within a zone Python counts on the wall
        if not zone:
            return time
        return time.astimezone(zone).replace(tzinfo=None) if whole_days else time.astimezone(UTC)

    edge = clock(end) - recent

    def block(time: datetime) -> int:
        if clock(time) < edge - baseline:
            return -(10**6)
        return min((clock(time) - edge) // step, -(-recent // step) - 1)

    return block


def oracle(
    rows: Sequence[Row],
    end: datetime,
    *,
    recent: timedelta,
    baseline: timedelta,
    unit: str,
    min_baseline: int,
    zone: Any,
    by: Sequence[str],
) -> list[Row]:
    """Go through the customers one by one, with times on the wall clock."""
    step = 7 * DAY if unit == "week" else DAY
    block = blocks_before(end, recent, baseline, step, zone)

    def wall(time: datetime) -> datetime:
        return time.astimezone(zone).replace(tzinfo=None) if zone else time

    found = []
    for customer in sorted({row["customer_id"] for row in rows}):
        own = sorted(
            (row for row in rows if row["customer_id"] == customer), key=lambda row: row["time"]
        )
        own = [row for row in own if row["time"] < end]
        if not own:
            continue
        blocks = [block(row["time"]) for row in own]
        if unit != "event":
            blocks = sorted({*blocks})
        length = min(baseline, max(0, -min(blocks) - 1) * step)
        active = sum(
            -length <= number * step < timedelta() for number in blocks if number > -(10**6)
        )
        if length == baseline:
            active = sum(-(10**6) < number < 0 for number in blocks)
        now = sum(number >= 0 for number in blocks)
        judged = length >= recent and active >= min_baseline
        p = None
        if judged and unit == "event":
            p = float(binom.cdf(now, now + active, recent / (recent + length)))
        elif judged:
            p = float(hypergeom.cdf(now, (recent + length) // step, now + active, recent // step))
        days = sorted({wall(row["time"]).date() for row in own})
        gaps = [(later - one).days for one, later in pairwise(days)]
        seen = (wall(end).date() - days[-1]).days
        found.append(
            {name: own[0][name] for name in by}
            | {
                "customer_id": customer,
                "baseline_active": active,
                "recent_active": now,
                "expected": active * (recent / length) if length else None,
                "length": length,
                "p_value": p,
                "last_seen_days": seen,
                "quiet_days_longest": max(gaps) if gaps else None,
                "silent": bool(gaps) and seen > max(gaps),
                "judged": judged,
            }
        )
    return with_groups(found, by, recent)


def with_groups(found: list[Row], by: Sequence[str], recent: timedelta) -> list[Row]:
    """Add what needs more than one customer."""
    tested = sorted(row["p_value"] for row in found if row["judged"])
    for row in found:
        group = [one for one in found if all(one[name] == row[name] for name in by)]
        group = [one for one in group if one["length"] >= recent]
        expected = math.fsum(one["expected"] for one in group)
        row["group_ratio"] = (
            sum(one["recent_active"] for one in group) / expected if expected else None
        )
        row["ratio"] = row["recent_active"] / row["expected"] if row["expected"] else None
        row["p_adjusted"] = row["judged"] and min(
            p * len(tested) / (i + 1) for i, p in enumerate(tested) if p >= row["p_value"]
        )
        row["p_adjusted"] = row["p_adjusted"] if row["judged"] else None
        down = row["judged"] and row["p_adjusted"] <= 0.05
        row["signs"] = down + row["silent"]
        row["reasons"] = "; ".join(["usage down"] * down + ["silent"] * row["silent"])
    names = [*by, "customer_id", *NAMES, *LAST]
    return [{name: row[name] for name in names} for row in found]


ENDS = ["2024-04-05", "2024-04-05T13:30", "2024-11-01", "2024-11-03T01:15", "2024-03-31T02:30"]


def question(seed: int) -> tuple[list[Row], Row, Row]:
    """Make a log, the options of the function, and those of the reference."""
    draw = random.Random(seed)  # noqa: S311
    zone = draw.choice([None, None, "Europe/Berlin", "America/New_York"])
    clock = ZoneInfo(zone) if zone else None
    as_of = draw.choice(ENDS)
    end = datetime.fromisoformat(as_of).replace(tzinfo=clock)
    if clock:  # which may skip that time
        end = end.astimezone(UTC).astimezone(clock)
    unit = draw.choice(["day", "week", "event"])
    weeks = draw.choice([(1, 1), (1, 3), (2, 5)])
    recent, baseline = (number * 7 * DAY for number in weeks)
    if unit != "week" and draw.random() < 0.4:
        recent, baseline = 5 * DAY, 12 * DAY
    if unit == "event" and draw.random() < 0.4:
        recent, baseline = timedelta(hours=36), timedelta(hours=100)
    rows: list[Row] = []
    for customer in range(draw.randint(1, 9)):
        came = draw.choice([8, 20, 40, 90])
        rate = draw.choice([1, 4, 20, 60])
        for _ in range(draw.randint(1, rate)):
            ago = draw.choice([draw.uniform(-1, came), draw.randint(0, came)])
            time = (end.astimezone(UTC) - ago * DAY).astimezone(clock) if clock else end - ago * DAY
            rows.append({"customer_id": customer, "time": time, "plan": draw.choice("ab")})
    for row in rows:
        row["plan"] = ["a", "b", None][row["customer_id"] % 3]
    by: list[str] = draw.choice([[], ["plan"]])
    told = {
        "recent": recent,
        "baseline": baseline,
        "unit": unit,
        "min_baseline": draw.choice([1, 3]),
    }
    asked = told | {"by": by, "as_of": as_of, "tz": zone}
    return rows, asked, told | {"end": end, "zone": clock, "by": by}


def assert_same(actual: Sequence[Row], expected: Sequence[Row]) -> None:
    """Compare tables, floats to 1e-9, undefined equal to undefined."""
    assert len(actual) == len(expected)
    for have, want in zip(actual, expected, strict=True):
        assert list(have) == list(want)
        for name, value in want.items():
            close = pytest.approx(value, rel=1e-9) if isinstance(value, float) else value
            assert have[name] == close, (name, have, want)


@pytest.mark.parametrize("seed", cases(range(150), quick=40))
def test_any_question_as_the_reference_answers_it(seed: int) -> None:
    rows, asked, told = question(seed)
    if not rows:
        return
    frame = NAMED[["pandas", "polars", "pyarrow"][seed % 3]].make(
        rows, like={"customer_id": 1, "time": rows[0]["time"], "plan": "a"}
    )
    assert_same(quietly(warning_signs, frame, **asked), oracle(rows, **told))


@pytest.mark.parametrize("seed", cases(range(60), quick=12))
@pytest.mark.parametrize("name", ["polars-lazy", "duckdb"])
@pytest.mark.filterwarnings("ignore:The inplace keyword:DeprecationWarning:duckdb._relation")
def test_the_plan_in_the_engine_gives_the_same(name: str, seed: int) -> None:
    NAMED[name].require()
    rows, asked, told = question(seed)
    like = {"customer_id": 1, "time": rows[0]["time"], "plan": "a"}
    found = quietly(warning_signs, NAMED[name].make(rows, like=like), **asked)
    assert_same(sorted(found, key=lambda row: row["customer_id"]), oracle(rows, **told))


# --- every kind of frame -------------------------------------------------------------------------

ROWS = [
    *counted(3, 0, 20, plan="pro"),
    *counted(7, 5, 16, plan="pro"),
    *usage(5, [50], old=False, plan=None),
    *usage(4, [90, 80, 70, 60, 50, 45, 44, 43, 42, 41, 40], old=False, plan=None),
]


@pytest.mark.filterwarnings("ignore::retainkit.errors.RetainkitWarning")
def test_every_kind_of_frame_gives_its_kind_and_the_same_answer(backend: Backend) -> None:
    frame = backend.make(ROWS)
    failed = backend.make([{"who": who, "at": END - DAY} for who in (7, 7, 4)])
    low = backend.make([{"customer_id": 7, "time": END - 100 * DAY}])
    found = warning_signs(
        frame,
        as_of=END,
        by="plan",
        signals={
            "payment_failed": Source(failed, customer="who", time="at"),
            "low_score": low,
        },
    )
    wrapped = nw.from_native(found)
    assert isinstance(wrapped, nw.LazyFrame) == backend.lazy
    assert type(found) is type(frame) or backend.name == "pyspark"
    types = dict(wrapped.collect_schema())
    whole = {name for name, one in types.items() if one == nw.Int64}
    assert whole >= {"baseline_active", "recent_active", "last_seen_days", "quiet_days_longest"}
    assert {types[name] for name in ("silent", "payment_failed", "low_score", "judged")} == {
        nw.Boolean
    }
    assert types["reasons"] == nw.String
    rows = rows_of(found)
    if not backend.lazy:
        assert [row["customer_id"] for row in rows] == [3, 4, 5, 7]
    rows.sort(key=lambda row: row["customer_id"])
    assert list(rows[0]) == ["plan", "customer_id", *NAMES, "payment_failed", "low_score", *LAST]
    plain = {row["customer_id"]: row for row in rows}
    assert [plain[i]["baseline_active"] for i in (3, 4, 5, 7)] == [20, 10, 0, 16]
    assert [plain[i]["recent_active"] for i in (3, 4, 5, 7)] == [0, 0, 0, 5]
    assert [plain[i]["judged"] for i in (3, 4, 5, 7)] == [True, True, False, True]
    # Of 10 active days among 61 + 28 none is recent.
    assert plain[4]["p_value"] == pytest.approx(math.comb(61, 10) / math.comb(89, 10), rel=1e-12)
    assert (plain[5]["p_value"], plain[5]["ratio"], plain[5]["quiet_days_longest"]) == (None,) * 3
    assert [plain[i]["silent"] for i in (3, 4, 5, 7)] == [False, True, False, False]
    assert plain[4]["reasons"] == "usage down; silent; payment failed"
    assert [plain[i]["signs"] for i in (3, 4, 5, 7)] == [1, 3, 0, 1]
    assert plain[7]["reasons"] == "payment failed"
    assert plain[3]["group_ratio"] == plain[7]["group_ratio"] == pytest.approx(5 / 12)


def test_not_tested_is_null_and_not_a_number_is_undefined() -> None:
    found = quietly(warning_signs, NAMED["polars"].make(ROWS), as_of=END)
    assert found
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RetainkitWarning)
        table = warning_signs(NAMED["polars"].make(ROWS), as_of=END)
    assert table["p_value"].null_count() == table["p_adjusted"].null_count() == 1
    assert table["ratio"].null_count() == 0
    assert table["ratio"].is_nan().sum() == 1
    pandas = warning_signs(pd.DataFrame(counted(1, 2, 9)), as_of=END)
    assert str(pandas["quiet_days_longest"].dtype) == "Int64"  # though none is null


# --- edge cases: the rows of the table in the definitions, section 3 -----------------------------


def test_a_baseline_begins_the_day_after_the_first_event() -> None:
    # First seen 60 days ago: the 31 days from then on to the recent ones are the baseline.
    row = signs(usage(1, [60, 40, 35, 30, 3], old=False))[1]
    assert (row["baseline_active"], row["recent_active"], row["judged"]) == (3, 1, True)
    assert row["expected"] == pytest.approx(3 * 28 / 31)
    assert row["p_value"] == pytest.approx(hypergeom.cdf(1, 59, 4, 28))
    # By event: those of the first day do not count either.
    twice = [*usage(1, [60, 60, 40, 35, 30, 30, 3], old=False)]
    row = signs(twice, unit="event")[1]
    assert (row["baseline_active"], row["recent_active"]) == (4, 1)
    assert row["p_value"] == pytest.approx(binom.cdf(1, 5, 28 / 59))
    # By week: first seen in the fifth week before the recent ones, four are left.
    row = signs(twice, unit="week", min_baseline=1)[1]
    assert (row["baseline_active"], row["recent_active"], row["judged"]) == (2, 1, True)
    assert row["p_value"] == pytest.approx(hypergeom.cdf(1, 8, 3, 4))


def test_less_baseline_than_recent_days_is_not_judged() -> None:
    just = signs(usage(1, [57, *range(29, 57)], old=False))[1]
    assert (just["judged"], just["baseline_active"], just["expected"]) == (True, 28, 28)
    less = signs(usage(1, [56, *range(29, 56)], old=False))[1]
    assert (less["judged"], less["p_value"], less["baseline_active"]) == (False, None, 27)
    new = signs(usage(1, [20, 10], old=False))[1]
    assert (new["judged"], new["expected"], new["ratio"]) == (False, None, None)
    assert (new["recent_active"], new["group_ratio"]) == (2, None)


def test_few_active_days_are_not_judged_and_silence_is_still_seen() -> None:
    rows = [*usage(1, [80, 79, 78], old=False), *counted(2, 5, 20)]
    found = signs(rows)
    assert (found[1]["judged"], found[1]["p_value"], found[1]["baseline_active"]) == (
        False,
        None,
        2,
    )
    assert (found[1]["last_seen_days"], found[1]["quiet_days_longest"]) == (78, 1)
    assert (found[1]["silent"], found[1]["reasons"], found[1]["signs"]) == (True, "silent", 1)
    assert signs(rows, min_baseline=2)[1]["judged"]


@pytest.mark.parametrize(
    ("options", "argument"),
    [({"recent": "30D", "baseline": "91D"}, "recent"), ({"baseline": "90D"}, "baseline")],
)
def test_windows_that_are_no_whole_weeks(options: Row, argument: str) -> None:
    with pytest.warns(RetainkitWarning, match="weekdays do not balance") as caught:
        warning_signs(pd.DataFrame(counted(1, 5, 20)), as_of=END, **options)
    assert (caught[0].message.argument, caught[0].message.code) == (argument, "length_not_whole")  # type: ignore[union-attr]


def test_nobody_judged(backend: Backend) -> None:
    frame = backend.make(usage("ann", [40, 3], old=False))
    with pytest.warns(RetainkitWarning, match="nobody can be judged.*3 active days") as caught:
        found = rows_of(warning_signs(frame, as_of=END))
    assert caught[0].message.code == "nobody_judged"  # type: ignore[union-attr]
    assert list(found[0]) == ["customer_id", *NAMES, *LAST]
    assert (found[0]["p_value"], found[0]["p_adjusted"], found[0]["judged"]) == (None, None, False)


def test_a_rise_is_no_sign() -> None:
    row = signs(counted(1, 20, 12))[1]
    assert row["ratio"] == 5
    assert row["p_value"] > 0.9999
    assert (row["signs"], row["reasons"], row["judged"]) == (0, "", True)


def test_a_few_orders_a_year_have_nearly_no_power() -> None:
    orders = datasets.load_cdnow()
    found = pd.DataFrame(quietly(warning_signs, orders, as_of="1997-07-01", unit="week"))
    assert len(found) == 23_570
    assert found["judged"].sum() > 200
    assert (found["p_adjusted"] <= 0.05).sum() == 0


def test_a_dip_of_everybody_shows_in_the_ratio_of_the_group() -> None:
    rows = [row for who in range(6) for row in counted(who, 5, 30, plan="ab"[who % 2])]
    rows += counted(6, 10, 30, plan="a")
    found = signs(rows, by="plan")
    assert found[1]["ratio"] == pytest.approx(0.5)  # not corrected
    assert found[1]["group_ratio"] == pytest.approx(0.5)
    assert found[0]["group_ratio"] == pytest.approx((3 * 5 + 10) / 40)


# --- windows and clocks --------------------------------------------------------------------------


def test_windows_are_half_open() -> None:
    at = [END - 28 * DAY, END - 28 * DAY - timedelta(microseconds=1), END - 112 * DAY]
    rows = [{"customer_id": 1, "time": time} for time in (*at, END - 200 * DAY)]
    row = signs(rows, unit="event")[1]
    assert (row["recent_active"], row["baseline_active"]) == (1, 2)
    with pytest.warns(RetainkitWarning, match="1 of 5 rows at or after as_of"):
        late = warning_signs(
            pd.DataFrame([*rows, {"customer_id": 1, "time": END}]), as_of=END, min_baseline=1
        )
    assert late["recent_active"].tolist() == [1]


def test_the_end_is_the_midnight_after_the_last_row() -> None:
    rows = counted(1, 4, 20)
    assert rows_of(warning_signs(pd.DataFrame(rows))) == [signs(rows)[1]]


def test_nothing_at_or_after_the_end_changes_anything(backend: Backend) -> None:
    later = [row | {"time": END + ago * DAY} for ago, row in enumerate(ROWS)]
    new = [{"customer_id": 99, "time": END, "plan": "pro"}]
    low = [{"customer_id": who, "time": time} for who, time in ((7, END - DAY), (3, END))]
    options: Row = {"as_of": END, "by": "plan"}
    found = [
        quietly(warning_signs, backend.make(rows), signals={"low": backend.make(some)}, **options)
        for rows, some in ((ROWS, low[:1]), ([*later, *ROWS, *new], low))
    ]
    before, after = (sorted(rows, key=lambda row: row["customer_id"]) for rows in found)
    assert before == after
    assert [row["low"] for row in before] == [False, False, False, True]


def test_row_order_and_repeated_rows_change_nothing() -> None:
    rows = [row for who in range(8) for row in counted(who, who, 3 * who + 5, plan="ab"[who % 2])]
    found = signs(rows, by="plan")
    random.Random(2).shuffle(rows)  # noqa: S311
    assert signs(rows * 2, by="plan") == found


def test_groups_at_once_are_as_apart_but_for_the_adjustment() -> None:
    rows = [row for who in range(8) for row in counted(who, who, 3 * who + 5, plan="ab"[who % 2])]
    found = signs(rows, by="plan", adjust="none")
    for plan in "ab":
        apart = signs([row for row in rows if row["plan"] == plan], adjust="none")
        assert apart == {
            who: {name: value for name, value in row.items() if name != "plan"}
            for who, row in found.items()
            if row["plan"] == plan
        }


# --- signals -------------------------------------------------------------------------------------


def signal(*rows: tuple[Any, int], **more: Any) -> pd.DataFrame:
    """Make rows of a signal: customer, days before the end."""
    table = [{"customer_id": who, "time": END - ago * DAY, **more} for who, ago in rows]
    return pd.DataFrame(table)


def test_a_signal_is_a_row_in_the_recent_window() -> None:
    rows = [row for who in range(4) for row in counted(who, 8, 24)]
    table = signal((0, 28), (1, 29), (2, 0), (3, 1), (3, 2))
    found = signs(rows, signals={"payment_failed": table})
    assert [found[who]["payment_failed"] for who in range(4)] == [True, False, False, True]
    assert [found[who]["signs"] for who in range(4)] == [1, 0, 0, 1]
    assert found[3]["reasons"] == "payment failed"


def test_a_signal_that_was_not_known_is_none() -> None:
    table = signal((1, 3), (2, 3))
    table["arrived"] = [END - DAY, END]
    rows = [*counted(1, 8, 24), *counted(2, 8, 24)]
    found = signs(rows, signals={"low": Source(table, known_at="arrived")})
    assert [found[who]["low"] for who in (1, 2)] == [True, False]


def test_customers_with_a_signal_and_no_event_are_counted() -> None:
    with pytest.warns(RetainkitWarning, match=r"1 customer of the signal 'low', such as 9") as seen:
        found = warning_signs(
            pd.DataFrame(counted(1, 8, 24)), as_of=END, signals={"low": signal((1, 2), (9, 2))}
        )
    assert found["customer_id"].tolist() == [1]
    message: Any = seen[0].message
    assert (message.code, message.rows, message.total) == ("unknown_customers", 1, 2)


def test_signals_that_cannot_be_read() -> None:
    events = pd.DataFrame(counted(1, 8, 24))

    def refused(signals: Any, **options: Any) -> Any:
        return warning_signs(events, as_of=END, signals=signals, **options)

    with pytest.raises(ArgumentError, match=r"'signs'.*also the name of a column"):
        refused({"signs": events})
    with pytest.raises(ArgumentTypeError, match="signals"):
        refused([events])
    with pytest.raises(ColumnTypeError, match="number is never equal to a text"):
        refused({"low": events.astype({"customer_id": str})})
    with pytest.raises(ArgumentTypeError, match=r"held by pandas and `low` by Polars"):
        refused({"low": NAMED["polars"].make(ROWS)})
    with pytest.raises(ArgumentError, match="time zone"):
        refused({"low": events.assign(time=events["time"].dt.tz_localize("UTC"))})
    nulls = events.assign(time=pd.Series([pd.NaT] * len(events), dtype="datetime64[us]"))
    with pytest.raises(ArgumentError, match="low"):
        refused({"low": nulls})
    with pytest.warns(RetainkitWarning, match="low"):
        assert not refused({"low": nulls}, missing="drop")["low"].any()


# --- options that are refused --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"recent": "36H"}, "whole days"),
        ({"unit": "week", "recent": "30D"}, "`recent` is '30d'.*whole weeks"),
        ({"unit": "week", "baseline": "100D"}, "whole weeks"),
        ({"recent": "1 month"}, "not equally long"),
        ({"baseline": "14D"}, "shorter than what is compared"),
        ({"unit": "month"}, "unit"),
        ({"adjust": "fdr"}, "adjust"),
        ({"level": 5}, "0.05"),
        ({"min_baseline": 0}, "1 or more"),
        ({"by": "judged"}, "also the name of a column"),
    ],
)
def test_options_that_are_refused(options: Row, message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        warning_signs(pd.DataFrame(counted(1, 8, 24)), as_of=END, **options)


def test_a_customer_in_two_segments_is_refused(backend: Backend) -> None:
    rows = [*counted(1, 3, 9, plan="a"), *usage(1, [5], plan="b"), *counted(2, 3, 9, plan="b")]
    with pytest.raises(ArgumentError, match="several values for 1 customer, such as 1") as caught:
        warning_signs(backend.make(rows), as_of=END, by="plan")
    assert (caught.value.rows, caught.value.total) == (1, 2)


def test_before_everything_there_is_nobody(backend: Backend) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RetainkitWarning)
        found = warning_signs(backend.make(ROWS), as_of="2000-01-01", by="plan")
    assert rows_of(found) == []
    names = list(dict(nw.from_native(found).collect_schema()))
    assert names == ["plan", "customer_id", *NAMES, *LAST]
