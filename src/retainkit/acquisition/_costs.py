"""Costs of acquiring customers: a number for all, or a table by cohort and segment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np

from retainkit._checks import is_number, number
from retainkit._frames.arrays import floats_or
from retainkit._frames.input import Frame, collect, from_native, instants_of
from retainkit._frames.plain import plain_values
from retainkit._inputs.columns import CheckedTable, Column, read_columns
from retainkit._inputs.facts import check_finite, read_facts, without_nulls
from retainkit._inputs.kinds import AMOUNT, TIME
from retainkit._messages import count_noun, warn
from retainkit._stats.intervals import ratio
from retainkit._time.grid import PeriodGrid
from retainkit._time.periods import DAY
from retainkit._time.zones import wall_times
from retainkit._typing import Floats, Integers
from retainkit.acquisition._options import ObservedOrders
from retainkit.errors import ArgumentError, ArgumentTypeError, MissingColumnError

_COLUMNS = (
    Column("cohort", TIME, nulls="refuse", required=False),
    Column("amount", AMOUNT, nulls="refuse"),
)
_Key = tuple[Any, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Costs:
    """Costs by cohort, if there are any, and segment: in all, or per customer."""

    table: CheckedTable
    by_key: dict[_Key, float]
    in_all: bool


def check_cost(cost: Any) -> None:
    """Check the argument `cost` where it is a number."""
    if is_number(cost):
        number("cost", cost, 0)
    elif cost is None or isinstance(cost, (str, bool)):
        raise ArgumentTypeError(
            f"`cost` is {cost!r}; it must be a number, the cost of a customer acquired, or a table "
            "with a column 'cost' (per customer) or 'spent' (in all).",
            argument="cost",
        )


def cost_per_customer(cost: Any, by: Any, observed: ObservedOrders) -> Floats:
    """Return the cost of a customer of each cohort, NaN where a table of costs has no row."""
    cohorts = observed.cohorts
    if is_number(cost):
        return np.full(len(cohorts.cohort), float(cost))
    costs = _read_costs(cost, by, observed)
    keys = _keys_of(observed)
    found = np.array([costs.by_key.get(key, np.nan) for key in keys], np.float64)
    _warn_of_unmatched(costs, keys)
    return ratio(found, cohorts.acquired) if costs.in_all else found


def _read_costs(cost: Any, by: Any, observed: ObservedOrders) -> _Costs:
    """Read a table of costs by cohort and segment."""
    amount = _amount_column(from_native(cost, "cost"))
    names = {"cohort": None if observed.grid is None else "cohort", "amount": amount}
    table = read_columns(
        cost, "cost", _COLUMNS, names, by=by, argument_names=dict.fromkeys(names, "cost")
    )
    table, facts, _ = without_nulls(table, read_facts, "raise")
    check_finite(table, facts)
    least = facts.least["amount"]
    if least is not None and least < 0:
        raise ArgumentError(
            f"{table.source('amount')} has {least:g}; a cost is 0 or more.",
            code="negative_values",
            argument="cost",
            column=amount,
        )
    rows = collect(table.rows)
    keys = _row_keys(rows, table, observed.grid, observed.log.zone)
    by_key = dict(zip(keys, floats_or(rows["amount"], np.nan).tolist(), strict=True))
    if len(by_key) < len(keys):
        raise _several_rows(keys, observed.grid)
    return _Costs(table=table, by_key=by_key, in_all=amount == "spent")


def _amount_column(frame: Frame) -> str:
    """Return which column has the costs: per customer, or in all."""
    columns = frame.collect_schema().names()
    found = [name for name in ("cost", "spent") if name in columns]
    if not found:
        advice = "It must have 'cost', per customer acquired, or 'spent', in all."
        raise MissingColumnError("cost", "cost", columns, advice)
    if len(found) > 1:
        raise ArgumentError(
            "the table of `cost` has both 'cost' and 'spent'; leave one of them: 'cost', per "
            "customer acquired, or 'spent', in all.",
            code="argument_conflict",
            argument="cost",
        )
    return found[0]


def _row_keys(
    rows: nw.DataFrame[Any], table: CheckedTable, grid: PeriodGrid | None, zone: tzinfo | None
) -> list[_Key]:
    """Return the number of the cohort, if there is one, and the segment of each row."""
    keys = [plain_values(rows[key]) for key in table.keys]
    if grid is None:
        return [*zip(*keys, strict=True)] if keys else [()] * len(rows)
    wall = wall_times(instants_of(rows["cohort"]), zone if table.zone else None)
    return [*zip(_periods(wall, grid), *keys, strict=True)]


def _periods(wall: Integers, grid: PeriodGrid) -> list[int]:
    """Return the number of the cohort of each time on the wall."""
    days: Integers = wall // DAY
    numbers: list[int] = grid.number_of_day(days).tolist()
    return numbers


def _keys_of(observed: ObservedOrders) -> list[_Key]:
    """Return the number of the cohort, if there is one, and the segment of each cohort."""
    cohorts = observed.cohorts
    segments = [plain_values(one) for one in observed.steps.segments.values()]
    keys = [[values[i] for i in cohorts.segment.tolist()] for values in segments]
    if observed.grid is None:
        return [*zip(*keys, strict=True)] if keys else [()] * len(cohorts.cohort)
    return [*zip(cohorts.cohort.tolist(), *keys, strict=True)]


def _several_rows(keys: Sequence[_Key], grid: PeriodGrid | None) -> ArgumentError:
    """Return the error about several rows for one cohort and segment."""
    number = len(keys) - len({*keys})
    of = "segment" if grid is None else "cohort and segment"
    return ArgumentError(
        f"the table of `cost` has {count_noun(number, 'row')} too many: there must be one for each "
        f"{of}. Add up what was spent, or name the columns that tell them apart with `by`.",
        code="duplicate_rows",
        argument="cost",
        rows=number,
        total=len(keys),
    )


def _warn_of_unmatched(costs: _Costs, keys: Sequence[_Key]) -> None:
    """Warn of cohorts without a cost, and of costs without a customer."""
    without = sum(key not in costs.by_key for key in keys)
    unused = len(costs.by_key.keys() - {*keys})
    facts = (
        (without, len(keys), "cohort", "without a row in `cost`: nothing is known of its payback."),
        (unused, len(costs.by_key), "row", "of `cost` without a customer: not in the result."),
    )
    for rows, total, noun, text in facts:
        if rows:
            warn(
                f"{count_noun(rows, noun)} {text}",
                code="unmatched_costs",
                argument="cost",
                rows=rows,
                total=total,
            )
