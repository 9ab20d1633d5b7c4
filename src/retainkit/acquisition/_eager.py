"""Add up value by age on arrays: for frames in memory, several times faster than the lazy plan.

It computes the same as `_lazy`, with customers and segments as codes and everything else as
arrays: one element a row of the log, a customer, or a customer at an age.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from retainkit._frames.factorize import integer_codes
from retainkit._frames.groupby import (
    NEVER,
    distinct_sums,
    group_min,
    group_sum,
    smallest_at_first,
    unique_inverse,
    unique_keys,
    unique_rows,
)
from retainkit._frames.input import collect, instants_of
from retainkit._frames.segments import factorize_segments
from retainkit._inputs.events import Events
from retainkit._time.grid import DAYS
from retainkit._time.zones import wall_times
from retainkit._typing import Array, Floats, Integers
from retainkit.acquisition._spec import ValueSpec, ValueSteps, days_of_ages


@dataclass(frozen=True, slots=True, kw_only=True)
class _Customers:
    """Customers by code: the day of the first order and the segment then; -1 where unused."""

    code: Integers
    first: Integers
    segment: Integers
    several: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Gains:
    """What each customer gains at each age, ascending by customer and age: money and days."""

    customer: Integers
    age: Integers
    money: Floats
    days: Integers


def add_up(log: Events, spec: ValueSpec) -> ValueSteps:
    """Add up what customers paid, by segment, day of the first order, and age."""
    rows = collect(log.rows)
    segments, segment = factorize_segments(rows, log.keys)
    code, n_codes = integer_codes(rows["customer"])
    instant = instants_of(rows["time"])
    day = DAYS.number(wall_times(instant, log.zone))
    customers = _customers(code, n_codes, day, instant, segment if log.by else None)
    used = customers.first < NEVER
    group_of = np.full(n_codes, -1)
    group_of[used], groups = unique_rows(
        {"segment": customers.segment[used], "first": customers.first[used]}
    )
    ages = days_of_ages(spec, groups["first"])
    age = day - customers.first[code]
    gains = _gains(code, n_codes, age, rows["amount"].to_numpy(), ages)
    group, at, sums = _steps(gains, group_of[gains.customer], len(ages) + 1)
    return ValueSteps(
        segments=segments,
        segment=groups["segment"],
        first=groups["first"],
        customers=np.bincount(group_of[used], minlength=len(groups["first"])),
        ages=ages,
        group=group,
        age=at,
        sums=sums,
        several=customers.several,
    )


def _customers(
    code: Integers, n_codes: int, day: Integers, instant: Integers, segment: Integers | None
) -> _Customers:
    """Find the first order of each customer."""
    first = group_min(day, code, n_codes)
    if segment is None:
        own, several = np.zeros(n_codes, np.int64), 0
    else:
        own, differs = smallest_at_first(instant, group_min(instant, code, n_codes), segment, code)
        several = int(differs.sum())
    return _Customers(code=code, first=first, segment=own, several=several)


def _gains(code: Integers, n_codes: int, age: Integers, amount: Floats, ages: Integers) -> _Gains:
    """Add up the money of each customer at each of the ages, and count the days of purchase."""
    width, n_ages = int(age.max(initial=0)) + 1, len(ages) + 1
    at = np.searchsorted(ages, np.arange(width))  # the first age that each day counts at
    blocks = [(code * n_ages + at[age], amount)]
    key, money = distinct_sums(blocks, n_codes * n_ages, len(code), 1)
    day = unique_keys(code * width + age)
    customer = day // width
    of_day = customer * n_ages + at[day - customer * width]
    opens = np.flatnonzero(np.append(True, of_day[1:] != of_day[:-1])[: len(of_day)])
    customer = key // n_ages
    return _Gains(
        customer=customer,
        age=key - customer * n_ages,
        money=np.zeros(0) if money is None else money,
        days=np.diff(np.append(opens, len(of_day))),
    )


def _steps(
    gains: _Gains, group: Integers, n_ages: int
) -> tuple[Integers, Integers, dict[str, Floats]]:
    """Return group, age and sums of the steps of customers."""
    opens = np.append(True, gains.customer[1:] != gains.customer[:-1])[: len(group)]
    value, days = _running(gains.money, opens), _running(gains.days, opens)
    value_before, days_before = value - gains.money, days - gains.days
    steps: dict[str, Array] = {
        "value": gains.money,
        "square": value**2 - value_before**2,
        "orders": gains.days,
        "repeaters": (days > 1) & (days_before < 2),
    }
    n_groups = int(group.max(initial=-1)) + 1
    key, code = unique_inverse(group * n_ages + gains.age, n_groups * n_ages)
    sums = {name: group_sum(values, code, len(key)) for name, values in steps.items()}
    return key // n_ages, key % n_ages, sums


def _running(values: Array, opens: Any) -> Array:
    """Add up values so far, anew where a customer begins."""
    total = np.cumsum(values)
    starts = np.flatnonzero(opens)
    before = total[starts] - values[starts]
    sizes = np.diff(np.append(starts, len(values)))
    so_far: Array = total - np.repeat(before, sizes)
    return so_far
