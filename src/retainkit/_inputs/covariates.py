"""Read covariates of customers: numbers as they are, words as the numbers of their levels."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import narwhals.stable.v2 as nw
import numpy as np

from retainkit._frames.dtypes import object_types, type_name
from retainkit._frames.input import Frame, check_present, collect
from retainkit._frames.levels import with_level_numbers
from retainkit._frames.names import inner_name
from retainkit._frames.plain_types import StandsFor, with_plain_types
from retainkit._inputs.columns import Column
from retainkit._inputs.kinds import Kind, check_kind, is_boolean, is_numeric, is_text
from retainkit._messages import count_noun, format_examples, named
from retainkit._typing import Floats
from retainkit.errors import ArgumentError, ColumnTypeError

_MOST_LEVELS = 1_000
_KEY = "covariate "


def _is_covariate(frame: Frame, column: str) -> bool:
    return is_numeric(frame, column) or is_boolean(frame, column) or is_text(frame, column)


def _stands_for(frame: Frame, column: str) -> StandsFor:
    """Return what a column holds; Python's booleans in a column of objects are booleans."""
    return "flags" if object_types(frame, column) == {"bool"} else "segments"


_COVARIATE = Kind(
    need="numbers, booleans or words", fits=_is_covariate, stands_for="segments", advice=False
)
_NUMBER = Kind(need="numbers", fits=is_numeric, stands_for="numbers")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CodedCovariates:
    """A frame in which every covariate is a column of floats.

    `names` maps what each is called among the columns of a reader, `key_of` its name, to its
    column there. `levels` are those of words, by name, in the order of their numbers; a level that
    is not known has the number -1. `booleans` are the names of the columns of booleans.
    """

    frame: Frame
    names: Mapping[str, str]
    arguments: Mapping[str, str]
    levels: Mapping[str, tuple[str, ...]]
    booleans: frozenset[str]

    def check_known(self, distinct: Mapping[str, Floats], counts: Floats) -> None:
        """Check that all of the distinct rows have a value of each covariate."""
        for name, argument in self.arguments.items():
            wrong = ~np.isfinite(distinct[key_of(name)])
            if wrong.any():
                rows = int(counts[wrong].sum())
                raise ArgumentError(
                    f"{named(name, argument)} is null or infinite in {count_noun(rows, 'row')}, of "
                    f"{int(counts.sum()):,}. A covariate is known of every customer: leave such "
                    "rows out, or give those of whom it is not known a level of their own, such as "
                    "'unknown'.",
                    code="null_values",
                    argument=argument,
                    column=name,
                    rows=rows,
                    total=int(counts.sum()),
                )

    def unknown(self, name: str) -> list[str]:
        """Return the levels of a column that are not known."""
        column = inner_name(self.frame, name)
        rows = self.frame.filter(nw.col(self.names[key_of(name)]) < 0).select(column).unique()
        return sorted(map(str, collect(rows)[column].to_list()))


def key_of(covariate: str) -> str:
    """Return what a covariate is called among the columns of a reader."""
    return f"{_KEY}{covariate}"


def is_key(name: str) -> bool:
    """Return whether a column of a reader is a covariate."""
    return name.startswith(_KEY)


def covariate_columns(keys: Iterable[str]) -> list[Column]:
    """Return the declarations of the columns of their numbers."""
    return [Column(key, _NUMBER, nulls="keep") for key in keys]


@dataclass(frozen=True, slots=True, kw_only=True)
class Covariates:
    """Covariates to read: the argument that names each, and the levels that are known of words.

    `known` has None for numbers; it is None itself where nothing is known.
    """

    arguments: Mapping[str, str]
    known: Mapping[str, Sequence[str] | None] | None = None

    def add_to(self, frame: Frame) -> CodedCovariates:
        """Check them, and add each to a frame as floats."""
        return code_covariates(frame, self.arguments, self.known)


def union_of(several: Iterable[Covariates]) -> Covariates:
    """Return the covariates of several models, with all levels that one of them knows."""
    arguments: dict[str, str] = {}
    known: dict[str, Sequence[str] | None] = {}
    for one in several:
        for name, argument in one.arguments.items():
            arguments.setdefault(name, argument)
            own = (one.known or {})[name]
            before = known.setdefault(name, own)
            if (before is None) != (own is None):
                raise ArgumentError(
                    f"{named(name, argument)} holds words where one model was fitted, and numbers "
                    "where the other was: one column can't be both. Fit both to the same column.",
                    code="argument_conflict",
                    argument=argument,
                    column=name,
                )
            if before is not None and own is not None:
                known[name] = tuple(dict.fromkeys([*before, *own]))
    return Covariates(arguments=arguments, known=known)


def code_covariates(
    frame: Frame, arguments: Mapping[str, str], known: Mapping[str, Sequence[str] | None] | None
) -> CodedCovariates:
    """Check covariates, and add each to a frame as floats: of words the levels are sorted."""
    for name, argument in arguments.items():
        check_present(argument, name, frame)
    columns = {name: inner_name(frame, name) for name in arguments}
    frame, _ = with_plain_types(frame, {own: _stands_for(frame, own) for own in columns.values()})
    names, levels, booleans = {}, {}, set()
    for name, argument in arguments.items():
        check_kind(_COVARIATE, argument, name, frame)
        column, words = columns[name], is_text(frame, columns[name])
        own = f"{column} as a number"
        while own in frame.collect_schema().names():
            own += "_"
        names[key_of(name)] = own
        if known is not None:
            _check_known(frame, name, argument, known[name], words=words)
        if words:
            found = None if known is None else known[name]
            levels[name], frame = with_level_numbers(frame, column, own, found)
            _check_levels(name, argument, levels[name])
            continue
        if is_boolean(frame, column):
            booleans.add(name)
        frame = frame.with_columns(nw.col(column).cast(nw.Float64).alias(own))
    return CodedCovariates(
        frame=frame,
        names=names,
        arguments=arguments,
        levels=levels,
        booleans=frozenset(booleans),
    )


def _check_known(
    frame: Frame, name: str, argument: str, known: Sequence[str] | None, *, words: bool
) -> None:
    """Check that a column holds words where the model knows levels, and numbers otherwise."""
    if words == (known is not None):
        return
    need = "numbers" if known is None else f"words, such as {format_examples([*known][:4])}"
    raise ColumnTypeError(
        f"{named(name, argument)} holds {type_name(frame, inner_name(frame, name))}; it must hold "
        f"{need}, as it did where the model was fitted.",
        argument=argument,
        column=name,
    )


def _check_levels(name: str, argument: str, levels: Sequence[str]) -> None:
    if len(levels) > _MOST_LEVELS:
        raise ArgumentError(
            f"{named(name, argument)} has {len(levels):,} levels, such as "
            f"{format_examples([*levels[:3]])}: more than {_MOST_LEVELS:,} are no covariate. Put "
            "the rare ones together first.",
            code="too_many_levels",
            argument=argument,
            column=name,
        )
