"""Facts about the values of a checked table, read in one pass, and its nulls."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import narwhals.stable.v2 as nw

from retainkit._frames.input import Frame, collect, count_rows
from retainkit._inputs.columns import CheckedTable
from retainkit._inputs.kinds import TIME
from retainkit._inputs.nulls import nulls_in
from retainkit._inputs.observation import beyond_the_calendar
from retainkit._messages import count_noun, warn
from retainkit.errors import ArgumentError

Table = TypeVar("Table", bound=CheckedTable)


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Number of rows, and facts about the values by the arguments of their columns.

    Without any value `least` and `greatest` are None. `counts` has the numbers of rows that meet
    the conditions of a table. `n_dropped` rows had a null and are not among the `n_rows`.
    """

    n_rows: int
    nulls: Mapping[str, int]
    least: Mapping[str, Any]
    greatest: Mapping[str, Any]
    counts: Mapping[str, int]
    n_dropped: int = 0


def read_facts(table: CheckedTable, conditions: Mapping[str, nw.Expr] | None = None) -> Facts:
    """Read all facts in one pass over the rows, and count those that meet some conditions."""
    names = {argument: column.name or argument for argument, column in table.declared.items()}
    complete = {arg for arg, column in table.declared.items() if column.nulls != "keep"}
    observed = {arg for arg, column in table.declared.items() if column.observed}
    bounded = {arg for arg, column in table.declared.items() if column.holds.bounded}
    wanted = {("rows", ""): nw.len()}
    for argument, name in names.items():
        value = nw.col(name)
        if argument in complete | observed:
            wanted["nulls", argument] = value.null_count()
        if argument in complete & bounded:
            wanted["least", argument] = value.min()
        if argument in (complete & bounded) | observed:
            wanted["greatest", argument] = value.max()
    flags = {f"count_{name}": as_number(one) for name, one in (conditions or {}).items()}
    wanted |= {("count", name): nw.col(f"count_{name}").sum() for name in conditions or {}}
    rows = table.rows.with_columns(**flags) if flags else table.rows
    try:
        found = collect(rows.select(**{"_".join(fact): one for fact, one in wanted.items()}))
        values = {fact: found.item(0, "_".join(fact)) for fact in wanted}
    except ValueError as error:
        raise beyond_the_calendar(table, str(error)) from None
    n_rows = int(values["rows", ""])

    def of(what: str) -> dict[str, Any]:
        return {name: value for (fact, name), value in values.items() if fact == what}

    # Of no rows, some engines count a null number of nulls, and some have a null sum.
    nulls, counts = (
        {name: int(value) if n_rows else 0 for name, value in of(what).items()}
        for what in ("nulls", "count")
    )
    least, greatest = (
        {name: value if n_rows > nulls[name] else None for name, value in of(what).items()}
        for what in ("least", "greatest")
    )
    return Facts(n_rows=n_rows, nulls=nulls, least=least, greatest=greatest, counts=counts)


def is_true(condition: nw.Expr) -> nw.Expr:
    """Return a condition that is false where it would be null."""
    # Nothing is both null and not, and narwhals' own way to replace nulls is not for threads.
    return condition & ~condition.is_null()


def as_number(condition: nw.Expr) -> nw.Expr:
    """Return a condition as 1 and 0, whose sum counts rows; 0 where it is null."""
    return is_true(condition).cast(nw.Int64)


def count_true(rows: Frame, conditions: Mapping[str, nw.Expr]) -> dict[str, int]:
    """Count the rows that meet each of several conditions: in one pass, or in memory one by one."""
    if isinstance(rows, nw.DataFrame):
        return {
            name: int(rows.select(flag=is_true(one))["flag"].to_numpy().astype(bool).sum())
            for name, one in conditions.items()
        }
    flags = rows.select(**{name: as_number(one) for name, one in conditions.items()})
    sums = {name: nw.col(name).sum() for name in conditions}
    found = collect(flags.select(n_rows=nw.len(), **sums))
    # Of no rows, some engines give a null sum.
    n_rows = found.item(0, "n_rows")
    return {name: int(found.item(0, name)) if n_rows else 0 for name in conditions}


# Nulls


def examples(table: CheckedTable, condition: nw.Expr, *, of: str = "") -> str:
    """Return a few ids of rows that meet a condition, or times if it is one `of` the ids."""
    ids = [arg for arg, column in table.declared.items() if column.holds.owners]
    times = [arg for arg, column in table.declared.items() if column.holds is TIME]
    if ids and of == ids[0]:
        ids = [*times, *ids[1:]]
    if not ids:
        return ""
    show = ids[0]
    write = table.shown if show in times else repr
    found = collect(table.rows.filter(condition).head(3))[show].to_list()
    return f"for instance {show} {', '.join(map(write, found))}"


def without_nulls(
    table: Table, facts_of: Callable[[Table], Facts], missing: str, facts: Facts | None = None
) -> tuple[Table, Facts, str]:
    """Raise if there are nulls where there must be none, or drop their rows as `missing` says.

    Return also the facts of what is left, and the text of a warning if rows were dropped. The
    `facts` of the table are read unless they are known.
    """
    facts = facts or facts_of(table)
    lacking = {
        argument: facts.nulls[argument]
        for argument, column in table.declared.items()
        if column.nulls != "keep"
    }
    never = {one: lacking[one] for one in lacking if table.declared[one].nulls == "refuse"}
    refused = nulls_in(table, never, facts.n_rows)
    nulls = refused or nulls_in(table, lacking, facts.n_rows)
    if nulls is None:
        return table, facts, ""
    if refused or missing == "raise":
        first = next(one for one in (never if refused else lacking) if facts.nulls[one])
        some = examples(table, nw.col(table.declared[first].name or first).is_null(), of=first)
        if refused:
            raise nulls.error(
                some=some, advice="Put a value there, or leave the rows out", drop=False
            )
        raise nulls.error(some=some)
    dropped = [
        column.name or argument
        for argument, column in table.declared.items()
        if column.nulls == "drop"
    ]
    kept = replace(table, rows=table.rows.drop_nulls(subset=dropped))
    left = facts_of(kept)
    left = replace(left, n_dropped=facts.n_rows - left.n_rows)
    return kept, left, nulls.note(left.n_dropped)


def warn_of_dropped(note: str, facts: Facts, argument: str) -> None:
    """Warn of rows that `without_nulls` left out of an argument, if it has a `note` of them."""
    if note:
        left, total = facts.n_dropped, facts.n_rows + facts.n_dropped
        warn(note, code="null_values", argument=argument, rows=left, total=total)


# Values


def check_finite(table: CheckedTable, facts: Facts, argument: str = "amount") -> None:
    """Check that no number of a column, if the table has it, is infinite."""
    infinite = float("inf")
    if argument not in table.names or not facts.n_rows:
        return
    if -infinite < facts.least[argument] and facts.greatest[argument] < infinite:
        return
    own = table.declared[argument].name or argument
    number = count_rows(table.rows.filter(nw.col(own).abs() == infinite))
    raise infinite_values(table, argument, number, facts.n_rows)


def infinite_values(
    table: CheckedTable, argument: str, rows: int, total: int, *, what: str = "is infinite in"
) -> ArgumentError:
    """Return the error that a column is infinite in some rows of all."""
    return ArgumentError(
        f"{table.source(argument)} {what} {count_noun(rows, 'row')}, of {total:,}. Put a number "
        "there, or leave them out.",
        code="infinite_values",
        argument=table.own_name(argument),
        column=table.names[argument],
        rows=rows,
        total=total,
    )
