"""Reduction of usage by narwhals expressions that run inside a lazy engine.

They define the reduction. The distinct counts come into memory to be tested, and go back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
    counts, times = _distinct_counts(log, blocks)
    customers = _with_ratios(_counts(log, blocks), blocks, decision)
    customers = _with_group_ratios(customers, log, blocks.group_ratio(counts, times))
    judged = decision.judged(blocks, counts)
    counts, times = counts.take(judged), times[judged]
    customers = _with_tests(customers, counts, *decision.test(blocks, counts, times))
    customers = customers.with_columns(
        silent=is_true(nw.col("last_seen_days") > nw.col("quiet_days_longest")),
    )
    customers = with_flags(customers, signals)
    return _with_verdict(customers, decision, signals), int(times.sum())


# Counts of each customer


def _numbered(log: Events, blocks: Blocks) -> Rows:
    """Return the rows with the numbers of their days and, if these do not tell, of their blocks."""
    wall = wall_time("time", log, log.last_event or blocks.end, log.zone)
    rows: Rows = log.rows.lazy().with_columns(wall=wall)
    rows = rows.with_columns(day=DAYS.number_expr(nw.col("wall")))
    if blocks.follow_days:
        return rows
    return rows.with_columns(block=blocks.number_expr(nw.col("time"), nw.col("wall")))


def _active_days(log: Events, blocks: Blocks) -> Rows:
    """Return a row for each customer, day and block with events, with the number of these."""
    rows, keys = _numbered(log, blocks), [*log.keys, "customer", "day"]
    if not blocks.follow_days:
        return rows.group_by(*keys, "block").agg(events=nw.len())
    days = rows.group_by(*keys).agg(events=nw.len())
    return days.with_columns(block=blocks.number_of_day_expr(nw.col("day")))


def _active_blocks(log: Events, blocks: Blocks) -> Rows:
    """Return a row for each customer and block with events; all before the baseline are one."""
    rows = _numbered(log, blocks)
    if blocks.follow_days:
        rows = rows.with_columns(block=blocks.number_of_day_expr(nw.col("day")))
    return rows.group_by("customer", "block").agg(events=nw.len())


def _counts(log: Events, blocks: Blocks) -> Rows:
    """Count what is active in both windows; find the last day and the longest quiet time."""
    days = _active_days(log, blocks)
    days = days.with_columns(before=nw.col("day").shift(1).over("customer", order_by="day"))
    days = days.with_columns(gap=nw.col("day") - nw.col("before"))
    if blocks.are_days:
        days = days.with_columns(opens=nw.lit(1))
    else:
        before = nw.col("block").shift(1).over("customer", order_by=["day", "block"])
        days = days.with_columns(block_before=before)
        same = is_true(nw.col("block") == nw.col("block_before"))
        days = days.with_columns(opens=1 - _one_if(same))
    further = {"last": nw.col("day").max(), "gap": nw.col("gap").max()}
    customers = _sums(days, [*log.keys, "customer"], blocks, further)
    gap, last = nw.col("gap"), blocks.end_day - nw.col("last")
    return customers.with_columns(
        last_seen_days=last.cast(nw.Int64),
        quiet_days_longest=nw.when(gap > 0).then(gap).cast(nw.Int64),
    )


def _sums(rows: Rows, keys: Sequence[str], blocks: Blocks, further: Mapping[str, nw.Expr]) -> Rows:
    """Sum up what is active in both windows: events, or blocks that a row `opens`."""
    block = nw.col("block")
    rows = rows.with_columns(
        in_baseline=_one_if((block < 0) & (block > blocks.floor)), in_recent=_one_if(block >= 0)
    )
    counts = "opens"
    if blocks.unit == "event":  # the day of the first event is active by definition
        counts = "events"
        rows = rows.with_columns(first=block.min().over("customer"))
        after = _one_if(block > nw.col("first"))
        rows = rows.with_columns(in_baseline=nw.col("in_baseline") * after)
    rows = rows.with_columns(
        in_baseline=nw.col(counts) * nw.col("in_baseline"),
        in_recent=nw.col(counts) * nw.col("in_recent"),
    )
    found = rows.group_by(*keys).agg(
        in_baseline=nw.col("in_baseline").sum(),
        in_recent=nw.col("in_recent").sum(),
        first=nw.col("block").min(),
        **further,
    )
    first = nw.col("first")
    inside = _one_if((first < 0) & (first > blocks.floor))
    all_of_it = nw.when(first == blocks.floor).then(nw.lit(blocks.n_baseline))
    # Of blocks, the first is counted so far.
    counted = nw.lit(0) if blocks.unit == "event" else inside
    return found.with_columns(
        baseline_active=(nw.col("in_baseline") - counted).cast(nw.Int64),
        recent_active=nw.col("in_recent").cast(nw.Int64),
        blocks=all_of_it.otherwise((first * -1 - 1) * inside).cast(nw.Int64),
    )


def _distinct_counts(log: Events, blocks: Blocks) -> tuple[ActiveUnits, Integers]:
    """Return the distinct counts of all customers, and how many have each.

    Days matter for the longest quiet time alone, which takes longer than all the rest.
    """
    rows = _active_blocks(log, blocks).with_columns(opens=nw.lit(1))
    rows = _sums(rows, ["customer"], blocks, {})
    table = collect(rows.group_by(*_DISTINCT).agg(times=nw.len()).sort(*_DISTINCT))
    own, baseline, recent, times = integer_columns(table, [*_DISTINCT, "times"]).values()
    return ActiveUnits(blocks=own, baseline=baseline, recent=recent), times


# Columns of the result


def _with_ratios(customers: Rows, blocks: Blocks, decision: Decision) -> Rows:
    """Add what is expected of the recent window, the ratio to it, and who is judged."""
    length = nw.col("blocks") * blocks.step
    length = nw.when(length > blocks.baseline).then(nw.lit(blocks.baseline)).otherwise(length)
    expected = _ratio(nw.col("baseline_active") * blocks.recent, length)
    known = _one_if(nw.col("blocks") >= blocks.least_baseline)
    customers = customers.with_columns(expected=expected, known=known)
    return customers.with_columns(
        ratio=_ratio(nw.col("recent_active"), nw.col("expected")),
        judged=(nw.col("known") == 1) & (nw.col("baseline_active") >= decision.min_baseline),
    )


def _with_group_ratios(customers: Rows, log: Events, of_all: float) -> Rows:
    """Add the ratio of each segment, or that `of_all` where there are none."""
    if not log.keys:
        defined = of_all >= 0  # and not NaN, which written as a literal may become null
        ratio = _ratio(nw.lit(of_all if defined else 0.0), nw.lit(float(defined)))
        return customers.with_columns(group_ratio=ratio)
    known = nw.col("known") == 1
    customers = customers.with_columns(
        recent_known=nw.col("recent_active") * nw.col("known"),
        expected_known=nw.when(known).then(nw.col("expected")).otherwise(0.0),
    )
    customers = customers.with_columns(
        recent_known=nw.col("recent_known").sum().over(*log.keys),
        expected_known=nw.col("expected_known").sum().over(*log.keys),
    )
    return customers.with_columns(
        group_ratio=_ratio(nw.col("recent_known"), nw.col("expected_known"))
    )


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
