"""Read tables of survivors: the number of customers left of each cohort, age by age."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np

from retainkit._checks import is_list, number
from retainkit._frames.arrays import is_true
from retainkit._frames.input import (
    Frame,
    check_present,
    collect,
    from_native,
    with_plain_numbers,
)
from retainkit._frames.names import inner_name
from retainkit._frames.segments import factorize_segments
from retainkit._inputs.cohort_table import check_numbers
from retainkit._inputs.time_unit import TIME_UNIT, one_unit, unit_expr
from retainkit._messages import count_noun, named, warn
from retainkit._stats.intervals import ratio
from retainkit._typing import Booleans, Floats, Integers
from retainkit.errors import ArgumentError, ArgumentTypeError
from retainkit.typing import Period

_TENURE, _AT_TENURE = "tenure", ("at_risk", "churned")  # of a result of `survival_curve`


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SurvivalTable:
    """Cohorts and their ages: parallel arrays, ordered by cohort and age.

    `line` numbers the cohorts, which `cohorts` names. Of `at_risk` customers at the age `before`,
    `left` have left by `age`, and `there` are known to have stayed; `share` is the share left of
    the customers at the cohort's `start`. In the row of the start itself nobody is at risk.
    """

    frame: nw.DataFrame[Any]
    cohorts: dict[str, nw.Series[Any]]
    line: Integers
    age: Integers
    start: Integers
    before: Integers
    at_risk: Floats
    left: Floats
    there: Floats
    share: Floats
    size: Floats

    def unit(self) -> Period | None:
        """Return the unit of the ages, where a column of the table names it."""
        column = unit_expr(self.frame, "table")
        if not column:
            return None
        words = self.frame.select(**column)[TIME_UNIT].unique().to_list()
        return one_unit(words, self.frame, "table")

    def known(self, holdout: int) -> Booleans:
        """Mark all rows but the last `holdout` of each cohort; its start is always known."""
        lengths = np.bincount(self.line)
        ends = np.repeat(np.cumsum(lengths), lengths)
        known: Booleans = (np.arange(len(self.line)) < ends - holdout) | (self.age == self.start)
        return known


def read_survival_table(  # noqa: PLR0917 (the arguments of a public function, handed on)
    table: Any,
    age: str,
    survivors: str,
    cohort: str | Sequence[str] | None,
    customers: str | float | None,
    at_risk: str | None,
    churned: str | None,
) -> SurvivalTable:
    """Check a table with a row for every cohort and age, and sort it."""
    counted = _count_columns(survivors, customers, at_risk, churned)
    names = _cohort_names(cohort, [age, *counted.values()])
    frame = from_native(table, "table")
    if customers is None and at_risk is None and _is_curve(frame, age, survivors):
        age, counted = _TENURE, {one: one for one in _AT_TENURE}
        every = frame.collect_schema().names()
        names = every[: every.index(_TENURE)] if cohort is None else names
    for argument, column in [("age", age), *counted.items(), *(("cohort", one) for one in names)]:
        check_present(argument, column, frame)
    numbers = [age, *counted.values()]
    keys = [inner_name(frame, name) for name in names]
    inner = {name: inner_name(frame, name) for name in numbers}
    frame = with_plain_numbers(collect(frame), numbers=[*inner.values()], ids=keys)
    frame = _drop_incomplete_ages(frame)
    check_numbers(frame, "table", numbers, complete=numbers)
    cohorts, line = factorize_segments(frame, keys)
    values = {
        one: frame[inner[column]].to_numpy().astype(np.float64) for one, column in counted.items()
    }
    ages = _whole_ages(frame, age)
    order = np.lexsort((ages, line))
    line, ages = line[order], ages[order]
    values = {one: column[order] for one, column in values.items()}
    first = np.append(True, line[1:] != line[:-1])[: len(line)]
    _check_once(ages, first, names, age)
    for one, column in counted.items():
        if (values[one] < 0).any():
            raise ArgumentError(
                f"{named(column, one)} is negative in "
                f"{count_noun(int((values[one] < 0).sum()), 'row')}; it must be 0 or more.",
                code="negative_values",
                argument=one,
                column=column,
                rows=int((values[one] < 0).sum()),
                total=len(frame),
            )
    label = _Label(cohorts=cohorts, line=line, age=ages)
    if "at_risk" in values:
        columns = _columns_from_risk(values["at_risk"], values["churned"], ages, first, label)
    else:
        size = values.get("customers", None if customers is None else np.full(len(ages), customers))
        columns = _columns_from_survivors(values["survivors"], size, first, label)
    return SurvivalTable(frame=frame, cohorts=cohorts, line=line, age=ages, **columns)


def _is_curve(frame: Frame, age: str, survivors: str) -> bool:
    """Return whether a table is a survival curve as it is, with no columns for the arguments."""
    columns = frame.collect_schema().names()
    return (
        {_TENURE, *_AT_TENURE} <= {*columns}
        and survivors not in columns
        and (age == _TENURE or age not in columns)
    )


def _count_columns(
    survivors: str, customers: str | float | None, at_risk: str | None, churned: str | None
) -> dict[str, str]:
    """Return the columns that count customers, by argument."""
    if (at_risk is None) != (churned is None):
        raise ArgumentError(
            "`at_risk` and `churned` go together: give both, as `survival_curve` has them, or "
            "neither.",
            code="argument_needed",
            argument="at_risk" if at_risk is None else "churned",
        )
    if at_risk is not None and churned is not None:
        if customers is not None:
            raise ArgumentError(
                "`customers` has nothing to say beside `at_risk`; leave it out.",
                code="argument_conflict",
                argument="customers",
            )
        return {"at_risk": at_risk, "churned": churned}
    if customers is None or isinstance(customers, str):
        return {"survivors": survivors} | ({} if customers is None else {"customers": customers})
    if not number("customers", customers, 0):
        raise ArgumentError(
            "`customers` is 0; it must be above 0, or the name of a column.",
            code="argument_value",
            argument="customers",
        )
    return {"survivors": survivors}


def _cohort_names(cohort: Any, reserved: Sequence[str]) -> list[str]:
    """Check the argument `cohort`; none of the `reserved` columns may be named again."""
    names = [] if cohort is None else [cohort] if isinstance(cohort, str) else cohort
    if not is_list(names):
        raise ArgumentTypeError(
            f"`cohort` is {cohort!r}; it must be the name of a column, or a list of names.",
            argument="cohort",
        )
    names = list(names)
    for name in names:
        if name in reserved or names.count(name) > 1:
            raise ArgumentError(
                f"`cohort` names {name!r}, which is named already.",
                code="named_twice",
                argument="cohort",
                column=name,
            )
    return names


def _drop_incomplete_ages(frame: nw.DataFrame[Any]) -> nw.DataFrame[Any]:
    """Drop the ages that are not over for the whole cohort, where the table marks them."""
    if "age_end" in frame.columns:
        wide = (frame["age_end"] - frame["age"] > 1).any() if "age" in frame.columns else True
        if wide:
            raise ArgumentError(
                "`table` has brackets of several ages ('age_end'), in which a customer is counted "
                "who was there at any of them; make it without `brackets`.",
                code="bracketed_ages",
                argument="table",
                column="age_end",
            )
    if "complete" not in frame.columns or frame.schema["complete"] != nw.Boolean:
        return frame
    over = is_true(frame["complete"])
    if not over.all():
        warn(
            f"{count_noun(int((~over).sum()), 'row')} not used, at ages that are not over for the "
            "whole cohort ('complete' is false).",
            code="incomplete_rows",
            argument="table",
            column="complete",
            rows=int((~over).sum()),
            total=len(over),
        )
    return frame[np.flatnonzero(over).tolist()]


def _whole_ages(frame: nw.DataFrame[Any], age: str) -> Integers:
    """Return the ages; raise if some are not whole numbers, 0 or more."""
    ages = frame[inner_name(frame, age)].to_numpy().astype(np.float64)
    wrong = (ages < 0) | (ages != np.floor(ages)) | (ages > 2**31)
    if wrong.any():
        shown = ", ".join(f"{value:g}" for value in ages[wrong][:3])
        raise ArgumentError(
            f"{named(age, 'age')} must hold whole numbers, 0 or more: the periods "
            f"since the start. It does not in {count_noun(int(wrong.sum()), 'row')}, for instance "
            f"{shown}. Who leaves within the k-th period leaves at k.",
            code="not_whole",
            argument="age",
            column=age,
            rows=int(wrong.sum()),
            total=len(ages),
        )
    return ages.astype(np.int64)


def _check_once(ages: Integers, first: Booleans, names: Sequence[str], age: str) -> None:
    """Check that there is one row for each cohort and age."""
    twice = ~first & (np.diff(ages, prepend=-1) == 0)
    if twice.any():
        what = f"of {', '.join(map(repr, names))} " if names else ""
        raise ArgumentError(
            f"`table` has several rows for one age {what}in "
            f"{count_noun(int(twice.sum()), 'case')}, for instance {age} {ages[twice][0]}; there "
            "must be one row for each cohort and age. Name the columns that tell cohorts and "
            "segments apart in `cohort`.",
            code="duplicate_rows",
            argument="table",
            rows=int(twice.sum()),
            total=len(ages),
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Label:
    """Name of a row in an error."""

    cohorts: Mapping[str, nw.Series[Any]]
    line: Integers
    age: Integers

    def __call__(self, row: int) -> str:
        """Return the words for the cohort of a row."""
        values = [series[int(self.line[row])] for series in self.cohorts.values()]
        return f" of {', '.join(str(value) for value in values)}" if values else ""


def _columns_from_survivors(
    survivors: Floats, customers: Floats | None, first: Booleans, label: _Label
) -> dict[str, Any]:
    """Return the columns of a survival table from counts, or shares, of those still there."""
    age = label.age
    begin = np.maximum.accumulate(np.where(first, np.arange(len(age)), 0))
    rising = ~first & (np.diff(survivors, prepend=0.0) > 1e-9 * survivors)
    if rising.any():
        row = int(np.flatnonzero(rising)[0])
        raise ArgumentError(
            f"the survivors{label(row)} rise from {survivors[row - 1]:g} at age {age[row - 1]} to "
            f"{survivors[row]:g} at age {age[row]}, and so in "
            f"{count_noun(int(rising.sum()), 'row')} of `table`. The model describes leaving for "
            "good; where customers come back, those who are not there have not left. Count each "
            "until the last time seen, as cohort_retention(..., counting='on_or_after') does, or "
            "take survival_curve of subscriptions.",
            code="rising_survivors",
            argument="survivors",
            rows=int(rising.sum()),
            total=len(rising),
        )
    if customers is not None:
        late = first & (age > 0)
        if late.any():
            row = int(np.flatnonzero(late)[0])
            raise ArgumentError(
                f"`customers` is the number at age 0, and the survivors{label(row)} begin at age "
                f"{age[row]} only; give `table` its rows of age 0.",
                code="no_age_0",
                argument="customers",
            )
        survivors = ratio(survivors, survivors[begin]) * customers[begin]
        survivors = np.nan_to_num(survivors)
    size = survivors[begin]
    before = np.where(first, survivors, np.roll(survivors, 1))
    return {
        "start": age[begin],
        "before": np.where(first, age, np.roll(age, 1)),
        "at_risk": np.where(first, 0.0, before),
        "left": np.maximum(before - survivors, 0.0),
        "there": survivors,
        "share": ratio(survivors, size),
        "size": size,
    }


def _columns_from_risk(
    at_risk: Floats, churned: Floats, age: Integers, first: Booleans, label: _Label
) -> dict[str, Any]:
    """Return the columns of a survival table from those at risk and those who left at each age."""
    wrong = (churned > at_risk) | ((age == 0) & (churned > 0))
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        raise ArgumentError(
            f"of {at_risk[row]:g} at risk{label(row)} {churned[row]:g} left at age {age[row]}, "
            f"and `table` has {count_noun(int(wrong.sum()), 'row')} like that; no more can leave "
            "than are at risk, and none at age 0. Who leaves within the first period leaves at 1.",
            code="count_above_total",
            argument="churned",
            rows=int(wrong.sum()),
            total=len(wrong),
        )
    begin = np.maximum.accumulate(np.where(first, np.arange(len(age)), 0))
    stays = 1 - ratio(churned, at_risk)
    share = np.ones(len(age))
    for row in range(len(age)):
        # Once nobody is left nobody comes back, and where none is at risk nothing is known.
        step = stays[row] if age[row] else 1.0
        earlier = 1.0 if first[row] else share[row - 1]
        share[row] = earlier * step if earlier else 0.0
    return {
        "start": np.zeros(len(age), np.int64),
        "before": np.where(first, 0, np.roll(age, 1)),
        "at_risk": np.where(age > 0, at_risk, 0.0),
        "left": churned,
        "there": at_risk - churned,
        "share": share,
        "size": at_risk[begin],
    }
