"""Reduction of usage on arrays, for frames in memory: several times faster than `_signs_lazy`.

Customers are codes; everything else is an array, one element a row of the log or a customer.
"""

from __future__ import annotations

from typing import Any

import narwhals.stable.v2 as nw
import numpy as np

from retainkit._frames.factorize import argsort, integer_codes
from retainkit._frames.groupby import NEVER, group_sum, unique_keys, unique_rows
from retainkit._frames.input import Frame, collect, from_native, instants_of
from retainkit._frames.output import build_like, integers_or_null, texts_like
from retainkit._frames.segments import factorize_segments
from retainkit._inputs.events import Events
from retainkit._inputs.one_segment import several_segments
from retainkit._stats.intervals import ratio
from retainkit._time.periods import DAY
from retainkit._time.zones import wall_times
from retainkit._typing import Booleans, Integers
from retainkit.customers._signals import flags_of
from retainkit.customers._signs_spec import ActiveUnits, Blocks, Decision, Signals


def reduce(log: Events, blocks: Blocks, decision: Decision, signals: Signals) -> tuple[Frame, int]:
    """Return a row for each customer, and the number of those who are judged."""
    frame = collect(log.rows)
    code, size = integer_codes(frame["customer"])
    row_of = np.full(size, -1)
    row_of[code] = np.arange(len(code))  # any row of a customer will do
    segments, segment = factorize_segments(frame, log.keys)
    _check_one_segment(log, frame, segment, code, row_of)
    used = np.flatnonzero(row_of >= 0)
    customers = frame["customer"][row_of[used]]
    order = argsort(customers)
    used, customers = used[order], customers[order]
    segment = segment[row_of[used]]

    counts = _counts(frame, log, blocks, code, size)
    columns: dict[str, Any] = {key: values[segment] for key, values in segments.items()}
    columns["customer"] = customers
    own = {name: values[used] for name, values in counts.items()}
    columns |= _measures(own, segment, blocks, decision)
    silent = (own["quiet"] > 0) & (columns["last_seen_days"] > own["quiet"])
    columns["quiet_days_longest"] = integers_or_null(
        frame, "quiet_days_longest", own["quiet"], own["quiet"] == 0
    )
    columns["silent"] = silent
    flags = flags_of(customers, signals)
    columns |= {f"signal_{i}": flag for i, flag in enumerate(flags)}
    judged = columns.pop("judged")
    down = judged & (columns["p_adjusted"] <= decision.level)
    verdict = _verdict([down, silent, *flags], signals)
    columns["signs"] = verdict["signs"]
    columns["reasons"] = texts_like(frame, "reasons", verdict["reasons"])
    columns["judged"] = judged
    rows = from_native(build_like(frame, columns), "events")
    return _null_where_not_judged(rows), int(judged.sum())


def _check_one_segment(
    log: Events, frame: nw.DataFrame[Any], segment: Integers, code: Integers, row_of: Integers
) -> None:
    if not log.by:
        return
    differs = segment != segment[row_of[code]]
    if differs.any():
        customers = frame["customer"][row_of[unique_keys(code[differs])]]
        some = customers[argsort(customers)][:3].to_list()
        raise several_segments(log.by, len(customers), int((row_of >= 0).sum()), some)


# Counts of each code


def _counts(
    frame: nw.DataFrame[Any], log: Events, blocks: Blocks, code: Integers, size: int
) -> dict[str, Integers]:
    """Count what is active in both windows; find the last day and the longest quiet time."""
    instant = instants_of(frame["time"])
    wall = wall_times(instant, log.zone)
    block = blocks.number(instant, wall)
    last, quiet = _days(code, wall // DAY, size)
    width = blocks.n_recent - blocks.floor
    there = unique_keys(code * width + (block - blocks.floor))
    customer = there // width
    number = there - customer * width + blocks.floor
    first = np.full(size, 0)
    opens = np.append(True, customer[1:] != customer[:-1])[: len(customer)]
    first[customer[opens]] = number[opens]
    if blocks.unit != "event":
        code, block = customer, number
    # The block of the first event is active by definition: the baseline begins after it.
    before = (block < 0) & (block > np.maximum(first[code], blocks.floor))
    return {
        "baseline_active": _count(code[before], size),
        "recent_active": _count(code[block >= 0], size),
        "blocks": np.where(first == blocks.floor, blocks.n_baseline, np.maximum(-first - 1, 0)),
        "last_seen_days": blocks.end_day - last,
        "quiet": quiet,
    }


def _days(code: Integers, day: Integers, size: int) -> tuple[Integers, Integers]:
    """Return the last active day of each code, and the most days from one to the next (or 0)."""
    least = int(day.min(initial=NEVER))
    width = int(day.max(initial=least)) - least + 1
    key = unique_keys(code * width + (day - least))
    customer = key // width
    day = key - customer * width + least
    last, quiet = np.zeros(size, np.int64), np.zeros(size, np.int64)
    if len(key):
        changes = customer[1:] != customer[:-1]
        gap = np.append(0, np.diff(day))
        gap[1:][changes] = 0
        opens = np.flatnonzero(np.append(True, changes))
        last[customer] = day  # of several, that which is written last
        quiet[customer[opens]] = np.maximum.reduceat(gap, opens)
    return last, quiet


def _count(code: Integers, size: int) -> Integers:
    return np.bincount(code, minlength=size).astype(np.int64, copy=False)


# Columns of the result


def _measures(
    own: dict[str, Integers], segment: Integers, blocks: Blocks, decision: Decision
) -> dict[str, Any]:
    """Compare the recent window of each customer with the baseline."""
    counts = ActiveUnits(
        blocks=own["blocks"], baseline=own["baseline_active"], recent=own["recent_active"]
    )
    expected, judged = blocks.expected(counts), decision.judged(blocks, counts)
    p_value, p_adjusted = np.full(len(judged), np.nan), np.full(len(judged), np.nan)
    distinct, which, times = _tabulate(counts, judged)
    tested = decision.test(blocks, distinct, times)
    p_value[judged], p_adjusted[judged] = (one[which] for one in tested)
    known = blocks.comparable(counts)
    recent, expects = (
        group_sum(values[known], segment[known], int(segment.max(initial=-1)) + 1)
        for values in (counts.recent.astype(np.float64), expected)
    )
    return {
        "baseline_active": counts.baseline,
        "recent_active": counts.recent,
        "expected": expected,
        "ratio": ratio(counts.recent, expected),
        "group_ratio": ratio(recent, expects)[segment],
        "p_value": p_value,
        "p_adjusted": p_adjusted,
        "last_seen_days": own["last_seen_days"],
        "judged": judged,
    }


def _tabulate(counts: ActiveUnits, judged: Booleans) -> tuple[ActiveUnits, Integers, Integers]:
    """Return the distinct counts, the number of each customer's among them, and how many have it.

    Only those who are judged are counted.
    """
    some = counts.take(judged)
    columns = {"blocks": some.blocks, "baseline": some.baseline, "recent": some.recent}
    which, distinct = unique_rows(columns)
    times = np.bincount(which, minlength=len(distinct["blocks"])).astype(np.int64, copy=False)
    return ActiveUnits(**distinct), which, times


def _verdict(flags: list[Booleans], signals: Signals) -> dict[str, Any]:
    """Count the signs of each customer, and name them."""
    signs = np.zeros(len(flags[0]), np.int64)
    code = np.zeros(len(flags[0]), np.int64)
    texts = [""]
    for flag, reason in zip(flags, signals.reasons, strict=True):
        signs += flag
        code += flag * len(texts)
        texts += ["; ".join(filter(None, (text, reason))) for text in texts]
    return {"signs": signs, "reasons": [texts[one] for one in code.tolist()]}


def _null_where_not_judged(rows: Frame) -> Frame:
    judged = nw.col("judged")
    return rows.with_columns(
        p_value=nw.when(judged).then(nw.col("p_value")),
        p_adjusted=nw.when(judged).then(nw.col("p_adjusted")),
    )
