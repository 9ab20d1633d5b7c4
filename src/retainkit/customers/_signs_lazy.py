"""Reduction of usage by narwhals expressions that run inside a lazy engine.

They define the reduction. The distinct counts come into memory to be tested, and go back.
"""

from __future__ import annotations

from typing import Any

import narwhals.stable.v2 as nw

from retainkit._frames.input import Frame, collect
from retainkit._frames.join import map_values
from retainkit._inputs.events import Events
from retainkit._inputs.facts import is_true
from retainkit._inputs.lazy_events import Rows, integer_columns, wall_time
from retainkit._inputs.one_segment import check_one_segment
from retainkit._time.grid import DAYS
from retainkit._typing import Floats, Integers
from retainkit.customers._signals import with_flags
from retainkit.customers._signs_spec import ActiveUnits, Blocks, Decision, Signals

_DISTINCT = ("blocks", "baseline_active", "recent_active")


def reduce(log: Events, blocks: Blocks, decision: Decision, signals: Signals) -> tuple[Frame, int]:
    """Return a row for each customer, and the number of those who are judged."""
    check_one_segment(log)
    customers = _counts(log, blocks)
    customers = _with_ratios(customers, log, blocks, decision)
    counts, times = _distinct_counts(customers)
    customers = _with_tests(customers, counts, *decision.test(blocks, counts, times))
    customers = customers.with_columns(
        silent=is_true(nw.col("last_seen_days") > nw.col("quiet_days_longest")),
    )
    customers = with_flags(customers, signals)
    return _with_verdict(customers, decision, signals), int(times.sum())


# Counts of each customer


def _active_days(log: Events, blocks: Blocks) -> Rows:
    """Return a row for each customer, day and block with events, with the number of these."""
    wall = wall_time("time", log, log.last_event or blocks.end, log.zone)
    rows: Rows = log.rows.lazy().with_columns(wall=wall)
    rows = rows.with_columns(day=DAYS.number_expr(nw.col("wall")))
    keys = [*log.keys, "customer", "day"]
    if blocks.follow_days:
        days = rows.group_by(*keys).agg(events=nw.len())
        return days.with_columns(block=blocks.number_of_day_expr(nw.col("day")))
    rows = rows.with_columns(block=blocks.number_expr(nw.col("time"), nw.col("wall")))
    return rows.group_by(*keys, "block").agg(events=nw.len())


def _counts(log: Events, blocks: Blocks) -> Rows:
    """Count what is active in both windows; find the last day and the longest quiet time."""
    block, events = nw.col("block"), blocks.unit == "event"
    days = _with_neighbours(_active_days(log, blocks))
    days = days.with_columns(
        counts=nw.col("events") if events else nw.col("opens"),
        in_baseline=_one_if((block < 0) & (block > blocks.floor)),
        in_recent=_one_if(block >= 0),
    )
    if events:  # the day of the first event is active by definition
        days = days.with_columns(first=block.min().over("customer"))
        after = _one_if(block > nw.col("first"))
        days = days.with_columns(in_baseline=nw.col("in_baseline") * after)
    days = days.with_columns(
        in_baseline=nw.col("counts") * nw.col("in_baseline"),
        in_recent=nw.col("counts") * nw.col("in_recent"),
    )
    found = days.group_by(*log.keys, "customer").agg(
        baseline_active=nw.col("in_baseline").sum(),
        recent_active=nw.col("in_recent").sum(),
        first=nw.col("block").min(),
        last=nw.col("day").max(),
        quiet=nw.col("gap").max(),
    )
    first = nw.col("first")
    inside = _one_if((first < 0) & (first > blocks.floor))
    all_of_it = nw.when(first == blocks.floor).then(nw.lit(blocks.n_baseline))
    own = all_of_it.otherwise((first * -1 - 1) * inside)
    # Of blocks, the first is counted so far.
    counted = nw.lit(0) if events else inside
    quiet = nw.col("quiet")
    return found.select(
        *log.keys,
        "customer",
        baseline_active=(nw.col("baseline_active") - counted).cast(nw.Int64),
        recent_active=nw.col("recent_active").cast(nw.Int64),
        blocks=own.cast(nw.Int64),
        last_seen_days=(blocks.end_day - nw.col("last")).cast(nw.Int64),
        quiet_days_longest=nw.when(quiet > 0).then(quiet).cast(nw.Int64),
    )


def _with_neighbours(days: Rows) -> Rows:
    """Add the days since the day before, and whether a block begins with this day."""
    order = ["day", "block"]
    days = days.with_columns(
        day_before=nw.col("day").shift(1).over("customer", order_by=order),
        block_before=nw.col("block").shift(1).over("customer", order_by=order),
    )
    same = is_true(nw.col("block") == nw.col("block_before"))
    return days.with_columns(gap=nw.col("day") - nw.col("day_before"), opens=1 - _one_if(same))


# Columns of the result


def _with_ratios(customers: Rows, log: Events, blocks: Blocks, decision: Decision) -> Rows:
    """Add what is expected of the recent window, and the ratios of customers and of segments."""
    least, length = _least_blocks(blocks), nw.col("blocks") * blocks.step
    length = nw.when(length > blocks.baseline).then(nw.lit(blocks.baseline)).otherwise(length)
    expected = _ratio(nw.col("baseline_active") * blocks.recent, length)
    customers = customers.with_columns(expected=expected, known=_one_if(nw.col("blocks") >= least))
    customers = customers.with_columns(
        ratio=_ratio(nw.col("recent_active"), nw.col("expected")),
        recent_known=nw.col("recent_active") * nw.col("known"),
        expected_known=nw.when(nw.col("known") == 1).then(nw.col("expected")).otherwise(0.0),
        judged=(nw.col("known") == 1) & (nw.col("baseline_active") >= decision.min_baseline),
    )
    customers = customers.with_columns(everybody=nw.lit(1))
    over = log.keys or ["everybody"]
    recent, expects = (nw.col(f"{name}_known").sum().over(*over) for name in ("recent", "expected"))
    customers = customers.with_columns(recent_known=recent, expected_known=expects)
    return customers.with_columns(
        group_ratio=_ratio(nw.col("recent_known"), nw.col("expected_known"))
    )


def _least_blocks(blocks: Blocks) -> int:
    """Return the number of blocks from which on a baseline is as long as the recent window."""
    return min(blocks.n_recent, blocks.n_baseline)


def _distinct_counts(customers: Rows) -> tuple[ActiveUnits, Integers]:
    """Return the distinct counts of those who are judged, and how many have each."""
    rows = customers.filter(nw.col("judged")).select(*_DISTINCT)
    table = collect(rows.group_by(*_DISTINCT).agg(times=nw.len()))
    blocks, baseline, recent, times = integer_columns(table, [*_DISTINCT, "times"]).values()
    return ActiveUnits(blocks=blocks, baseline=baseline, recent=recent), times


def _with_tests(customers: Rows, counts: ActiveUnits, p_value: Floats, p_adjusted: Floats) -> Rows:
    """Add the p-values of distinct counts to those who are judged."""
    by_baseline, by_recent = (
        int(one.max(initial=0)) + 1 for one in (counts.baseline, counts.recent)
    )

    def key(blocks: Any, baseline: Any, recent: Any) -> Any:
        """Pack the counts into one number."""
        return (blocks * by_baseline + baseline) * by_recent + recent

    own = key(*(nw.col(name) for name in _DISTINCT))
    own = nw.when(nw.col("judged")).then(own).otherwise(nw.lit(-1)).cast(nw.Int64)
    tested = {
        "tested": key(counts.blocks, counts.baseline, counts.recent),
        "p_value": p_value,
        "p_adjusted": p_adjusted,
    }
    return map_values(customers.with_columns(tested=own), "tested", tested).lazy()


def _with_verdict(customers: Rows, decision: Decision, signals: Signals) -> Rows:
    """Count the signs of each customer, and name them."""
    customers = customers.with_columns(down=is_true(nw.col("p_adjusted") <= decision.level))
    signs = ["down", "silent", *(f"signal_{i}" for i in range(len(signals.names)))]
    number, texts = nw.lit(0), []
    for sign, reason in zip(signs, signals.reasons, strict=True):
        number = number + _one_if(nw.col(sign))
        texts.append(nw.when(nw.col(sign)).then(nw.lit(f"; {reason}")).otherwise(nw.lit("")))
    reasons = nw.concat_str(*texts)
    customers = customers.with_columns(signs=number.cast(nw.Int64), reasons=reasons)
    return customers.with_columns(reasons=nw.col("reasons").str.slice(2))


def _ratio(number: nw.Expr, of: nw.Expr) -> nw.Expr:
    # Infinite less infinite is NaN: written as a literal, narwhals 2.5 tells DuckDB null.
    infinite = nw.lit(float("inf"))
    quotient = number.cast(nw.Float64) / of
    return nw.when(of > 0).then(quotient).otherwise(infinite - infinite)


def _one_if(condition: nw.Expr) -> nw.Expr:
    return nw.when(condition).then(nw.lit(1)).otherwise(nw.lit(0))
