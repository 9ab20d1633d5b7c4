"""Margins: target shares of a population, as given, and the categories of cells of responses."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np

from retainkit._frames.dtypes import type_name
from retainkit._frames.input import check_present, collect, from_native
from retainkit._frames.names import inner_name
from retainkit._frames.plain_types import with_plain_types
from retainkit._inputs.kinds import NUMBER, needed
from retainkit._messages import count_noun, warn
from retainkit._stats.raking import Margin
from retainkit._typing import Booleans, Floats, Integers
from retainkit.errors import ArgumentError, ArgumentTypeError, ColumnTypeError

_EXAMPLE = "{'plan': {'basic': 0.6, 'pro': 0.4}}"
_UNLIKELY = 0.01  # shares that are rounded add up to 1 but for less than this


@dataclass(frozen=True, slots=True, kw_only=True)
class Targets:
    """Target share of each value of a column, or of each combination of values of several.

    The keys of `shares` have a value for each of the `columns`; the shares add up to 1. They were
    given in `argument`, and the columns in `column_argument`.
    """

    argument: str
    column_argument: str
    columns: tuple[str, ...]
    shares: Mapping[tuple[Any, ...], float]

    @property
    def names(self) -> str:
        """The columns, named for a sentence."""
        noun = "column" if len(self.columns) == 1 else "columns"
        return f"{noun} {' and '.join(map(repr, self.columns))}"

    @property
    def source(self) -> str:
        """The columns, named as in an error."""
        return f"{self.names} (given as `{self.column_argument}`)"

    def format_keys(self, keys: Iterable[tuple[Any, ...]]) -> str:
        """Write a few values for a sentence."""
        texts = [repr(key if len(key) > 1 else key[0]) for key in keys]
        return ", ".join(texts[:3]) + (", …" if len(texts) > 3 else "")


def read_margins(margins: Any) -> list[Targets]:
    """Read margins: a mapping from columns to mappings from values to shares or counts."""
    if not isinstance(margins, Mapping):
        raise ArgumentTypeError(
            f"`margins` is a {type(margins).__qualname__}; it must be a mapping from columns to "
            f"the shares of their values, such as {_EXAMPLE}.",
            argument="margins",
        )
    if not margins:
        raise ArgumentError(
            f"`margins` is empty; it must name a column, such as {_EXAMPLE}.",
            code="empty_argument",
            argument="margins",
        )
    found = []
    for name, given in margins.items():
        columns = name if isinstance(name, tuple) else (name,)
        for column in columns:
            if not isinstance(column, str):
                raise ArgumentTypeError(
                    f"`margins` has the key {name!r}; it must be the name of a column, or a tuple "
                    "of names.",
                    argument="margins",
                )
        try:
            if isinstance(given, str):
                raise TypeError  # noqa: TRY301  dict() would read it letter by letter
            shares = dict(given)
        except (TypeError, ValueError):
            raise ArgumentTypeError(
                f"`margins` has {given!r} for {name!r}; it must be a mapping from the values of "
                f"the column to their shares, such as {_EXAMPLE}.",
                argument="margins",
            ) from None
        found.append(_targets("margins", "margins", columns, shares.items()))
    return found


def read_population(population: Any, by: tuple[str, ...], size: str) -> Targets:
    """Read the sizes of groups of a population: a table, or a mapping from values to sizes."""
    if isinstance(population, Mapping):
        return _targets("population", "by", by, population.items())
    frame = from_native(population, "population")
    for column in by:
        check_present("population", column, frame)
    check_present("size", size, frame)
    inner = inner_name(frame, size)
    frame, _ = with_plain_types(frame, {inner: "numbers"})
    dtype = frame.collect_schema()[inner]
    groups = [inner_name(frame, column) for column in by]
    rows = collect(frame.select(*groups, inner))
    if not dtype.is_numeric() and len(rows):
        raise ColumnTypeError(
            f"column {size!r} of `population` (given as `size`) holds {type_name(frame, inner)}; "
            f"it must hold {needed(NUMBER, frame, inner)}.",
            argument="size",
            column=size,
        )
    values = rows[inner].cast(nw.Float64).to_numpy().astype(np.float64)
    unknown = int(np.isnan(values).sum())
    if unknown:
        raise ArgumentError(
            f"column {size!r} of `population` (given as `size`) is null in "
            f"{count_noun(unknown, 'row')}; fill it in, or leave such rows out.",
            code="null_values",
            argument="size",
            column=size,
            rows=unknown,
            total=len(values),
        )
    keys = zip(*(rows[column].to_list() for column in groups), strict=True)
    sizes = values.tolist()
    pairs = [(key if len(by) > 1 else key[0], one) for key, one in zip(keys, sizes, strict=True)]
    return _targets("population", "by", by, pairs)


def _targets(
    argument: str, column_argument: str, columns: tuple[str, ...], pairs: Iterable[tuple[Any, Any]]
) -> Targets:
    """Check sizes, add up those of the same values, and divide them by their total."""
    import pandas as pd  # noqa: PLC0415  importing retainkit does not import pandas

    several = len(columns) > 1
    sizes: dict[tuple[Any, ...], float] = {}
    targets = Targets(
        argument=argument, column_argument=column_argument, columns=columns, shares=sizes
    )
    for value, size in pairs:
        if several and not (isinstance(value, tuple) and len(value) == len(columns)):
            raise ArgumentTypeError(
                f"`{argument}` has {value!r} for {targets.names}; it must have a tuple with a "
                "value for each of them.",
                argument=argument,
            )
        key = tuple(_as_date(part) for part in (value if several else (value,)))
        if any(pd.isna(part) is True for part in key):
            raise ArgumentError(
                f"`{argument}` gives a share to a null in {targets.names}; fill nulls in with a "
                "value of their own, such as 'unknown', there and in `responses`.",
                code="null_values",
                argument=argument,
            )
        sizes[key] = sizes.get(key, 0.0) + _read_size(targets, key, size)
    total = sum(sizes.values())
    if not total > 0:
        raise ArgumentError(
            f"`{argument}` gives no share above 0 to any value of {targets.names}; give each value "
            "its share.",
            code="nothing_to_weight",
            argument=argument,
        )
    if all(size < 1 for size in sizes.values()) and abs(total - 1) > _UNLIKELY:
        warn(
            f"the shares that `{argument}` gives to {targets.names} add up to {total:.6g}; they "
            "are scaled to add up to 1. Is one of them missing?",
            code="counts_do_not_add_up",
            argument=argument,
        )
    shares = {key: size / total for key, size in sizes.items()}
    return replace(targets, shares=shares)


def _read_size(targets: Targets, key: tuple[Any, ...], size: Any) -> float:
    """Check the size of a value."""
    try:
        if isinstance(size, str):
            raise TypeError  # noqa: TRY301  text is no number, even if float() would read it
        found = float(size)
    except (TypeError, ValueError):
        raise ArgumentTypeError(
            f"`{targets.argument}` gives {targets.format_keys([key])} in {targets.names} the share "
            f"{size!r}; it must be a number.",
            argument=targets.argument,
        ) from None
    if not 0 <= found < np.inf:
        raise ArgumentError(
            f"`{targets.argument}` gives {targets.format_keys([key])} in {targets.names} the share "
            f"{size!r}; it must be a finite number, 0 or more.",
            code="argument_value",
            argument=targets.argument,
        )
    return found


def _as_date(value: Any) -> Any:
    """Return a midnight as a date: pandas stores dates as midnights."""
    if isinstance(value, datetime) and value.tzinfo is None and value.time() == time():
        return value.date()
    return value


# Margins of cells


def cell_categories(
    targets: Targets, values: Mapping[str, Sequence[Any]], count: Floats
) -> tuple[Integers, Floats]:
    """Return the category of each cell, as an index into the target shares, and these shares."""
    index = {key: i for i, key in enumerate(targets.shares)}
    columns = ([_as_date(value) for value in values[column]] for column in targets.columns)
    keys = list(zip(*columns, strict=True))
    category = np.array([index.get(key, -1) for key in keys], np.int64)
    unknown = category < 0
    if unknown.any():
        names = list(dict.fromkeys(key for key, new in zip(keys, unknown, strict=True) if new))
        single = len(targets.columns) == 1
        verb, noun = ("has", "value") if single else ("have", "combination")
        raise ArgumentError(
            f"{targets.source} {verb} {count_noun(len(names), noun)} without a share in "
            f"{count_noun(int(count[unknown].sum()), 'row')}: {targets.format_keys(names)}. "
            f"`{targets.argument}` has {targets.format_keys(targets.shares)}. Give each a share "
            "there, or leave such rows out.",
            code="values_without_share",
            argument=targets.argument,
            rows=int(count[unknown].sum()),
            total=int(count.sum()),
        )
    return category, np.array(list(targets.shares.values()))


def margin_of_cells(
    targets: Targets, category: Integers, share: Floats, count: Floats, used: Booleans
) -> Margin:
    """Return the margin of the cells that are used; raise if a share above 0 has no such cell."""
    responses = np.bincount(category, count, len(share))
    reached = np.bincount(category[used], minlength=len(share)) > 0
    empty = np.flatnonzero((share > 0) & ~reached)
    if len(empty):
        names = list(targets.shares)
        what = "no responses" if responses[empty].sum() == 0 else "no responses of weight above 0"
        raise ArgumentError(
            f"`{targets.argument}` gives a share to "
            f"{targets.format_keys(names[i] for i in empty)}, of which {targets.source} "
            f"{'has' if len(targets.columns) == 1 else 'have'} {what}. No weight can stand in for "
            "them: join them with a similar value, in both, or leave them out of the population.",
            code="shares_without_rows",
            argument=targets.argument,
        )
    position = np.cumsum(share > 0) - 1
    return Margin(category=position[category[used]], share=share[share > 0])


def check_attainable(
    targets: Targets, margin: Margin, count: Floats, limits: tuple[float, float]
) -> None:
    """Raise if a category cannot have its share with weights within the limits."""
    mean = count.sum() * margin.share / margin.sums(count)
    beyond = np.flatnonzero((mean < limits[0] * (1 - 1e-12)) | (mean > limits[1] * (1 + 1e-12)))
    if len(beyond):
        i = beyond[np.argmax(np.abs(np.log(mean[beyond])))]
        key = [key for key, share in targets.shares.items() if share > 0][i]
        raise ArgumentError(
            f"`limits` is ({limits[0]:.15g}, {limits[1]:.15g}), and {targets.format_keys([key])} "
            f"in {targets.source} needs a mean weight of {mean[i]:.4g} to come to a share of "
            f"{margin.share[i]:.4g}. Widen them, or join it with a similar value, in both.",
            code="unattainable_limits",
            argument="limits",
        )


def largest_deviation(
    targets: Sequence[Targets], deviations: Sequence[Floats]
) -> tuple[float, str]:
    """Return the largest deviation from a share, and its description."""
    which = int(np.argmax([np.abs(one).max() for one in deviations]))
    i = int(np.argmax(np.abs(deviations[which])))
    one = targets[which]
    key, share = [pair for pair in one.shares.items() if pair[1] > 0][i]
    text = (
        f"{one.format_keys([key])} in {one.source} has a weighted share of "
        f"{share + deviations[which][i]:.6g} instead of {share:.6g}"
    )
    return float(np.abs(deviations[which][i])), text
