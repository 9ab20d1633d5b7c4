"""The unit of time of a table, which a constant column of it names, and what it must agree with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import narwhals.stable.v2 as nw

from retainkit._checks import one_of
from retainkit._frames.dtypes import type_name
from retainkit._frames.input import Frame, collect, count_rows
from retainkit._inputs.kinds import is_text
from retainkit._messages import count_noun
from retainkit._time.periods import PERIODS
from retainkit.errors import ArgumentError, ColumnTypeError
from retainkit.typing import Period

TIME_UNIT = "time_unit"
"""The column of a summary or of a survival curve that names its unit of time, the last one."""

_MADE_BY = {"summary": "rfm_summary", "table": "survival_curve", "curve": "survival_curve"}
"""The functions that make such tables, by the arguments that take them."""

_WORDS = ", ".join(map(repr, PERIODS))


def unit_expr(frame: Frame, argument: str) -> dict[str, nw.Expr]:
    """Return the column of the unit as text, by its name, where a table has it."""
    if not _has_unit(frame, argument):
        return {}
    unit = nw.col(TIME_UNIT)
    # pandas before 3 writes a null among Python objects as the text "None".
    return {TIME_UNIT: nw.when(~unit.is_null()).then(unit.cast(nw.String))}


def unit_key(frame: Frame, argument: str, likely: Period | None) -> dict[str, nw.Expr]:
    """Return a key of the unit by its name, which takes less time than its words.

    With a `likely` unit, that of a model, it is whether the unit is that. Without one it is the
    word itself in memory and, by which engines group faster, the number of the unit in an engine.
    """
    if likely is None and isinstance(frame, nw.DataFrame):
        return unit_expr(frame, argument)
    if not _has_unit(frame, argument):
        return {}
    unit, key = nw.col(TIME_UNIT).cast(nw.String), nw.lit(-1)
    if likely is not None:
        return {TIME_UNIT: unit == likely}
    for number, word in enumerate(PERIODS):
        key = nw.when(unit == word).then(nw.lit(number)).otherwise(key)
    return {TIME_UNIT: key}


def _has_unit(frame: Frame, argument: str) -> bool:
    """Return whether a table has the column of the unit, and check that it holds text."""
    if TIME_UNIT not in frame.collect_schema().names():
        return False
    if not is_text(frame, TIME_UNIT) and count_rows(frame):
        raise ColumnTypeError(
            f"column {TIME_UNIT!r} of `{argument}` holds {type_name(frame, TIME_UNIT)}; it must "
            f"name the unit of the table's times, one of {_WORDS}. Rename it if it means "
            "something else.",
            argument=argument,
            column=TIME_UNIT,
        )
    return True


def unit_of_key(key: Any, likely: Period | None) -> Period | None:
    """Return the unit of a key, None where it is none, or not the likely one."""
    if likely is not None:
        return likely if key is True else None
    return None if key < 0 else PERIODS[key]


def units_in_memory(keys: nw.Series[Any], likely: Period | None) -> list[Any]:
    """Return the distinct units of keys in memory, None for one that is not the likely one."""
    if likely is None or not len(keys):
        return keys.unique().to_list()
    return [likely if int(keys.sum()) == len(keys) else None]  # a sum skips nulls


def one_unit(distinct: Sequence[Any], frame: Frame, argument: str) -> Period | None:
    """Return the only value of a table's column of the unit; None where there are no rows."""
    units = [one if isinstance(one, str) else None for one in distinct]  # NaN is a null of pandas
    if not units:
        return None
    if len(units) == 1 and units[0] in PERIODS:
        return next(one for one in PERIODS if one == units[0])
    # What is wrong, or not likely, is counted in the table itself: read again, since that is rare.
    rows = frame.select(**unit_expr(frame, argument))
    found = collect(rows.group_by(TIME_UNIT).agg(rows=nw.len()).sort("rows", descending=True))
    pairs = zip(found[TIME_UNIT].to_list(), found["rows"].to_list(), strict=True)
    counts = {one if isinstance(one, str) else None: int(number) for one, number in pairs}
    if len(counts) == 1 and {*counts} <= {*PERIODS}:
        return next(one for one in PERIODS if one in counts)
    shown = ", ".join(
        f"{'null' if one is None else repr(one)} in {count_noun(number, 'row')}"
        for one, number in [*counts.items()][:4]
    )
    several = len(counts.keys() - {None}) > 1
    raise ArgumentError(
        f"column {TIME_UNIT!r} of `{argument}` is {shown}, of {sum(counts.values()):,}; it names "
        f"the unit in which {'all times' if several else 'times'} of the table are counted, one "
        f"of {_WORDS}. "
        + (
            "Tables of several units cannot be put together: make each anew in one unit, with "
            f"`{_MADE_BY[argument]}(unit=...)`."
            if several
            else "Write it there, or rename the column if it means something else."
        ),
        code="mixed_units" if several else "null_values" if None in counts else "unknown_choice",
        argument=argument,
        column=TIME_UNIT,
        rows=sum(counts.values()) - max(counts.values()) if several else sum(counts.values()),
        total=sum(counts.values()),
    )


def unit_of_fit(given: Period | None, found: Period | None, argument: str) -> Period:
    """Return the unit of a table to fit to: that of its column, or the one given where it has none.

    `given` has been checked to be a unit.
    """
    unit = known_unit(given, found, argument)
    if unit is None:
        raise ArgumentError(
            f"`unit` is not given, and `{argument}` has no column {TIME_UNIT!r} that names the "
            "unit of its recency and T, as a summary of `rfm_summary` has it. Say which it is, for "
            'instance unit="day"; a wrong one makes every forecast wrong.',
            code="unit_unknown",
            argument="unit",
        )
    return unit


def known_unit(given: Period | None, found: Period | None, argument: str) -> Period | None:
    """Return the unit of a table, given or found in its column; None where neither says it."""
    if given is None or found is None or given == found:
        return given or found
    raise ArgumentError(
        f"`unit` is {given!r}, and the times of `{argument}` are in {found}s (column "
        f"{TIME_UNIT!r}). Leave `unit` out, or make the table anew with "
        f"`rfm_summary(unit={given!r})`.",
        code="unit_mismatch",
        argument="unit",
        column=TIME_UNIT,
    )


def check_unit_of_model(unit: Period, found: Period | None, argument: str) -> None:
    """Check that a table is in the unit of the model that it is put to, where it names its own."""
    if found is None or found == unit:
        return
    raise ArgumentError(
        f"the times of `{argument}` are in {found}s (column {TIME_UNIT!r}), and those of the model "
        f"in {unit}s. Make the table anew with `{_MADE_BY[argument]}(unit={unit!r})`, or fit a "
        "model to it.",
        code="unit_mismatch",
        argument=argument,
        column=TIME_UNIT,
    )


def optional_unit(unit: Period | None) -> None:
    """Check the argument `unit` of a fit, which may be left to the table."""
    if unit is not None:
        one_of("unit", unit, PERIODS)
