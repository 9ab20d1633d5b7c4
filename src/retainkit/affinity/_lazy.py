"""Counts of trials and pairs by narwhals expressions that run inside a lazy engine.

They define the counts. Pairs come of joins by customer or order, of frequent items only; each item
has a number in the engine, by which pairs are grouped.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np

from retainkit._frames.factorize import argsort
from retainkit._frames.input import collect
from retainkit._frames.segments import factorize_segments_of
from retainkit._inputs.events import Events
from retainkit._inputs.lazy_events import Rows, integer_columns, wall_time
from retainkit._inputs.one_segment import check_one_segment
from retainkit._time.grid import DAYS
from retainkit._time.zones import instant_expr, later_expr
from retainkit._typing import Integers
from retainkit.affinity._spec import AffinitySpec, PairCounts

_PAIR = ("number", "other")


# Baskets


def count_baskets(log: Events, spec: AffinitySpec) -> PairCounts:
    """Count the orders with each item, and those with each pair of items."""
    check_one_segment(log, "order")
    rows: Rows = log.rows.lazy()
    lines = rows.group_by(*log.keys, "order", "item").agg(lines=nw.len())
    trials = lines.group_by(*log.keys, "item").agg(trials=nw.len())
    orders = lines.group_by(*log.keys, "order").agg(items=nw.len())
    total = nw.len()
    totals = orders.group_by(log.keys).agg(total=total) if log.by else orders.select(total=total)
    codes = _frequent(trials, spec)
    lines = lines.join(codes, on="item").select(*log.keys, "order", "number")
    others = lines.select("order", other="number")
    pairs = lines.join(others, on="order").filter(nw.col("number") < nw.col("other"))
    pairs = pairs.group_by(*log.keys, *_PAIR).agg(both=nw.len())
    trials = trials.with_columns(open=nw.lit(0))
    counted = _Counted(trials=trials, codes=codes, pairs=pairs, totals=totals)
    return _collect_counts(counted, log, spec)


# The next purchase


def count_next(log: Events, spec: AffinitySpec) -> PairCounts:
    """Count the first purchases of each item, and what was bought in the window after them."""
    assert spec.window is not None  # noqa: S101
    check_one_segment(log)
    rows: Rows = log.rows.lazy()
    firsts = rows.group_by(*log.keys, "customer", "item").agg(time=nw.col("time").min())
    firsts = firsts.with_columns(clock=_clock("time", log, spec))
    is_over = nw.col("clock") <= instant_expr(spec.last_start)
    firsts = firsts.with_columns(over=nw.when(is_over).then(nw.lit(1)).otherwise(nw.lit(0)))
    trials = firsts.group_by(*log.keys, "item").agg(trials=nw.col("over").sum(), starts=nw.len())
    trials = trials.with_columns(open=nw.col("starts") - nw.col("trials")).drop("starts")
    codes = _frequent(trials, spec)
    starts = firsts.filter(nw.col("over") == 1).join(codes, on="item")
    starts = starts.select(
        *log.keys,
        "customer",
        "number",
        "time",
        until=later_expr(nw.col("clock"), spec.window.microseconds),
    )
    later = rows.join(codes, on="item").select("customer", other="number", later="time")
    later = later.with_columns(later_clock=_clock("later", log, spec))
    pairs = _count_days(_hits(starts, later, log), log, spec)
    return _collect_counts(_Counted(trials=trials, codes=codes, pairs=pairs), log, spec)


def _clock(column: str, log: Events, spec: AffinitySpec) -> nw.Expr:
    """Return what a window is held to: the time, or for whole days that on the wall."""
    assert spec.window is not None and spec.end is not None  # noqa: S101, PT018
    if not spec.window.whole_days:
        return nw.col(column)
    return wall_time(column, log, spec.end, log.zone)


def _hits(starts: Rows, later: Rows, log: Events) -> Rows:
    """Return each start with each item bought in its window, and the time of the first of these."""
    both = starts.join(later, on="customer")
    in_time = (nw.col("later") > nw.col("time")) & (nw.col("later_clock") < nw.col("until"))
    firsts = {name: nw.col(name).min() for name in ("time", "later")}
    return both.filter(in_time).group_by(*log.keys, "customer", *_PAIR).agg(**firsts)


def _count_days(hits: Rows, log: Events, spec: AffinitySpec) -> Rows:
    """Count the hits of each pair, and find the two middle ones of their days: no quantiles.

    An engine's own median takes less time, and in DuckDB needs memory for all days at once.
    """
    assert spec.end is not None  # noqa: S101
    later, time = (
        DAYS.number_expr(wall_time(one, log, spec.end, log.zone)) for one in ("later", "time")
    )
    pair = (*log.keys, *_PAIR)
    days = hits.select(*pair, days=(later - time).cast(nw.Int32))
    counts = days.group_by(*pair, "days").agg(both=nw.len())
    counts = counts.with_columns(both=nw.col("both").cast(nw.Int64))
    counts = counts.with_columns(
        upto=nw.col("both").cum_sum().over(*pair, order_by="days"),
        total=nw.col("both").sum().over(*pair),
    )
    twice, total, own = 2 * nw.col("upto"), nw.col("total"), nw.col("days")
    counts = counts.with_columns(
        low=nw.when(twice >= total).then(own), high=nw.when(twice > total).then(own)
    )
    ends = {name: nw.col(name).min() for name in ("low", "high")}
    return counts.group_by(*pair).agg(both=nw.col("both").sum(), **ends)


# Both


def _frequent(trials: Rows, spec: AffinitySpec) -> Rows:
    """Number the items that have enough trials in some segment."""
    items = trials.filter(nw.col("trials") >= spec.min_trials).select("item").unique()
    # Of rows that are not sorted, narwhals 2.5 numbers those of Polars in another order.
    numbered = items.sort("item").with_row_index("number", order_by="item")
    # No more digits than are needed: pairs are grouped by them.
    return numbered.with_columns(number=nw.col("number").cast(nw.Int32))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Counted:
    """Plans of what is counted: items, those that have a number, pairs and all trials if known."""

    trials: Rows
    codes: Rows
    pairs: Rows
    totals: Rows | None = None


def _collect_counts(counted: _Counted, log: Events, spec: AffinitySpec) -> PairCounts:
    """Collect the counts, and leave out what is frequent in other segments only."""
    table = collect(counted.trials.join(counted.codes, on="item", how="left"))
    pairs = collect(counted.pairs)
    totals = [] if counted.totals is None else [collect(counted.totals)]
    segments, numbers = factorize_segments_of([table, pairs, *totals], log.keys)
    trials, young = integer_columns(table, ["trials", "open"]).values()
    order = argsort(table["item"])
    order = order[np.argsort(numbers[0][order], kind="stable")]
    enough = trials[order] >= spec.min_trials
    kept, rare = order[enough], order[~enough]
    segment = numbers[0][kept]
    n_segments = len(next(iter(segments.values()))) if segments else 1
    total = np.bincount(segment, trials[kept], n_segments).astype(np.int64)
    if totals:
        total[numbers[2]] = integer_columns(totals[0], ["total"])["total"]
    return PairCounts(
        segments=segments,
        total=total,
        segment=segment,
        item=table["item"][kept.tolist()],
        trials=trials[kept],
        open=young[kept],
        n_rare=len(rare),
        rare_items=table["item"][rare[:4].tolist()].to_list(),
        **_pairs_of_kept(table[kept.tolist()], segment, pairs, numbers[1], spec),
    )


def _pairs_of_kept(
    items: nw.DataFrame[Any],
    segment: Integers,
    pairs: nw.DataFrame[Any],
    segment_of_pair: Integers,
    spec: AffinitySpec,
) -> dict[str, Any]:
    """Return the pairs of items that are kept in their segment, by the places of these."""
    code = items["number"].to_numpy().astype(np.int64)
    number = int(code.max(initial=-1)) + 1
    ends = [] if spec.window is None else ["low", "high"]
    found = integer_columns(pairs, [*_PAIR, "both", *ends])
    first, second = (
        _places(segment * number + code, segment_of_pair * number + codes)
        for codes in (found[name] for name in _PAIR)
    )
    kept = (first >= 0) & (second >= 0)
    first, second, both = first[kept], second[kept], found["both"][kept]
    if spec.window is None:
        first, second = np.minimum(first, second), np.maximum(first, second)
        return {"first": first, "second": second, "both": both, "days": None}
    days = (found["low"] + found["high"])[kept] / 2
    return {"first": first, "second": second, "both": both, "days": days}


def _places(keys: Integers, wanted: Integers) -> Integers:
    """Return the place of each wanted key among some that differ, -1 where it is not there."""
    if not len(keys):
        return np.full(len(wanted), -1)
    order = np.argsort(keys)
    place = np.minimum(np.searchsorted(keys[order], wanted), len(keys) - 1)
    return np.where(keys[order][place] == wanted, order[place], -1)
