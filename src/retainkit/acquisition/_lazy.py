"""Add up value by age by a lazy plan, which runs inside the engine and brings back only sums.

This plan defines the reduction. It keeps to what every engine computes alike: plain aggregates of
plain columns, joins on columns without nulls, integer arithmetic.
"""

from __future__ import annotations

from typing import Any

import narwhals.stable.v2 as nw
import numpy as np

from retainkit._frames.input import collect, count_rows
from retainkit._frames.segments import factorize_segments, factorize_segments_of
from retainkit._inputs.events import Events
from retainkit._inputs.lazy_events import Rows, first_segments, integer_columns, wall_time
from retainkit._time.grid import DAYS
from retainkit._typing import Floats
from retainkit.acquisition._spec import MEASURES, ValueSpec, ValueSteps, days_of_ages


def add_up(log: Events, spec: ValueSpec) -> ValueSteps:
    """Add up what customers paid, by segment, day of the first order, and age."""
    rows = log.rows.lazy()
    rows = rows.with_columns(wall=wall_time("time", log, spec.end, DAYS.clock(log.zone)))
    rows = rows.with_columns(day=DAYS.number_expr(nw.col("wall")))
    days = rows.group_by("customer", "day").agg(amount=nw.col("amount").sum())
    firsts = days.group_by("customer").agg(first=nw.col("day").min())
    several = 0
    if log.by:
        found, ambiguous = _segments(rows, log)
        firsts = firsts.join(found, on="customer")
        several = count_rows(ambiguous)
    days = days.join(firsts, on="customer")
    days = days.with_columns(age=nw.col("day") - nw.col("first"))
    if spec.ages is None:
        return _at_every_day(days, firsts, log, spec, several)
    return _at_ages(days, log, spec.ages, several)


def _segments(rows: Rows, log: Events) -> tuple[Rows, Rows]:
    """Return the segment of each customer's first order, and the customers who had several."""
    at_first = rows.group_by("customer").agg(time=nw.col("time").min())
    found, several = first_segments(rows, at_first, ["customer"], log.keys)
    return found, several.filter(nw.col("several") > 1)


# At a few ages: a column for each


def _at_ages(days: Rows, log: Events, ages: tuple[int, ...], several: int) -> ValueSteps:
    """Add up the value of each customer at each age, and then the customers."""
    ends = [str(i) for i in range(len(ages))]
    columns = {}
    for end, age in zip(ends, ages, strict=True):
        by_then = nw.col("age") <= age
        columns[f"value_{end}"] = nw.when(by_then).then(nw.col("amount")).otherwise(0.0)
        columns[f"orders_{end}"] = nw.when(by_then).then(nw.lit(1)).otherwise(nw.lit(0))
    own = days.with_columns(**columns)
    sums = [nw.col(name).sum() for name in ("amount", *columns)]
    own = own.group_by(*log.keys, "customer", "first").agg(*sums)
    further = {}
    for end in ends:
        value = nw.col(f"value_{end}")
        further[f"square_{end}"] = value * value
        repeats = nw.col(f"orders_{end}") > 1
        further[f"repeaters_{end}"] = nw.when(repeats).then(nw.lit(1)).otherwise(nw.lit(0))
    own = own.with_columns(**further)
    sums = [nw.col(name).sum() for name in ("amount", *columns, *further)]
    groups = collect(own.group_by(*log.keys, "first").agg(*sums, customers=nw.len()))
    return _steps_between(groups, log, ages, several)


def _steps_between(
    groups: nw.DataFrame[Any], log: Events, ages: tuple[int, ...], several: int
) -> ValueSteps:
    """Return the sums of groups at each age as the steps from one age to the next."""
    segments, segment = factorize_segments(groups, log.keys)
    n, size = len(groups), len(ages) + 1
    sums: dict[str, Floats] = {}
    for name in MEASURES:
        at = np.zeros((n, size))
        for i in range(len(ages)):
            at[:, i] = _floats(groups, f"{name}_{i}")
        at[:, -1] = _floats(groups, "amount") if name == "value" else at[:, -2]
        sums[name] = np.diff(at, axis=1, prepend=0.0).ravel()
    return ValueSteps(
        segments=segments,
        segment=segment,
        ages=np.array(ages, np.int64),
        group=np.repeat(np.arange(n), size),
        age=np.tile(np.arange(size), n),
        sums=sums,
        several=several,
        **integer_columns(groups, ("first", "customers")),
    )


# At every day: a row for each


def _at_every_day(
    days: Rows, firsts: Rows, log: Events, spec: ValueSpec, several: int
) -> ValueSteps:
    """Add up the steps of each customer's value at each order."""
    days = days.with_columns(one=nw.lit(1))
    so_far = {
        "value_after": nw.col("amount").cum_sum().over("customer", order_by="day"),
        "orders_after": nw.col("one").cum_sum().over("customer", order_by="day"),
    }
    days = days.with_columns(**so_far)
    days = days.with_columns(before=nw.col("value_after") - nw.col("amount"))
    before, after = nw.col("before"), nw.col("value_after")
    second = nw.col("orders_after") == 2
    days = days.with_columns(
        value=nw.col("amount"),
        square=after * after - before * before,
        orders=nw.col("one"),
        repeaters=nw.when(second).then(nw.lit(1)).otherwise(nw.lit(0)),
    )
    sums = [nw.col(name).sum() for name in MEASURES]
    steps = collect(days.group_by(*log.keys, "first", "age").agg(*sums))
    groups = collect(firsts.group_by(*log.keys, "first").agg(customers=nw.len()))
    return _numbered(groups, steps, log, spec, several)


def _numbered(
    groups: nw.DataFrame[Any],
    steps: nw.DataFrame[Any],
    log: Events,
    spec: ValueSpec,
    several: int,
) -> ValueSteps:
    """Return the steps of each group by its number."""
    segments, (own, segment) = factorize_segments_of([groups, steps], log.keys)
    numbers = integer_columns(groups, ("first", "customers"))
    at = integer_columns(steps, ("first", "age"))
    ages = days_of_ages(spec, numbers["first"])
    least = int(numbers["first"].min(initial=0))
    width = int(numbers["first"].max(initial=least)) - least + 1
    keys, wanted = own * width + (numbers["first"] - least), segment * width + (at["first"] - least)
    order = np.argsort(keys)
    return ValueSteps(
        segments=segments,
        segment=own,
        ages=ages,
        group=order[np.searchsorted(keys, wanted, sorter=order)],
        age=np.minimum(at["age"], len(ages)),
        sums={name: _floats(steps, name) for name in MEASURES},
        several=several,
        **numbers,
    )


def _floats(frame: nw.DataFrame[Any], name: str) -> Floats:
    """Return a column of a collected frame as floats."""
    return frame[name].to_numpy().astype(np.float64)
