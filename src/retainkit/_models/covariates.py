"""Covariates of a model: how each is coded as columns of numbers, and their coefficients."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from retainkit._checks import is_list
from retainkit._messages import quoted
from retainkit._models.effects import CovariateColumns
from retainkit._models.fields import finite, number_or_nan
from retainkit._typing import Floats
from retainkit.errors import ArgumentError, ArgumentTypeError


@dataclass(frozen=True, slots=True, kw_only=True)
class Covariate:
    """A covariate of a model, and what it does.

    Parameters
    ----------
    name : str
        Its column.
    reference : float, bool or str
        What the parameters of the model hold for: a number, which is taken from the values; False
        for booleans; or the level of which the others are told apart.
    levels : tuple of str
        The other levels; none for numbers and booleans.
    coefficients : tuple of float
        Of each level, or of a unit: the change of the logarithm of the rate, the odds or the spend.
    customers : tuple of float
        Those of the fit, or the sum of their weights: of the reference, then of each level; of a
        number all; of booleans those with False, then those with True.
    scale : tuple of float
        The standard deviation of each column over the customers of the fit.
    """

    name: str
    reference: float | bool | str
    levels: tuple[str, ...] = ()
    coefficients: tuple[float, ...] = ()
    customers: tuple[float, ...] = ()
    scale: tuple[float, ...] = ()

    @property
    def has_levels(self) -> bool:
        """Return whether its values are words."""
        return isinstance(self.reference, str)

    @property
    def words(self) -> tuple[str, ...] | None:
        """The levels by their numbers, the reference first; None where there are none."""
        return (self.reference, *self.levels) if isinstance(self.reference, str) else None

    @property
    def column_names(self) -> list[str]:
        """The names of its columns."""
        if self.has_levels:
            return [f"{self.name} {level!r}" for level in self.levels]
        return [self.name]

    def coded(self, values: Floats) -> Floats:
        """Return the columns of values, 0 at the reference: of levels their numbers are given."""
        if self.has_levels:
            places = np.arange(1, len(self.levels) + 1)
            return np.equal(values[:, None], places).astype(np.float64)
        numbers: Floats = values[:, None] - float(self.reference)
        return numbers

    def value_of(self, given: Any, argument: str) -> float:
        """Return the number of a value: of a level its place."""
        words = self.words
        if words is None:
            plain = bool(given) if isinstance(given, (bool, np.bool_)) else given
            return finite(f"{argument}[{self.name!r}]", plain)
        if str(given) not in words:
            raise ArgumentError(
                f"`{argument}` has {self.name!r} as {quoted(given)}, which was not among the "
                f"customers of the fit; known are {', '.join(map(repr, words[:6]))}.",
                code="unknown_level",
                argument=argument,
                column=self.name,
            )
        return float(words.index(str(given)))


def columns_of(
    covariates: Sequence[Covariate], values: Mapping[str, Floats], n_kinds: int
) -> CovariateColumns:
    """Return the columns of covariates for kinds of customers, of their values by name."""
    blocks = [one.coded(values[one.name]) for one in covariates]
    group = np.repeat(np.arange(len(blocks)), [block.shape[1] for block in blocks])
    return CovariateColumns(
        names=tuple(name for one in covariates for name in one.column_names),
        group=group,
        values=np.concatenate([np.empty((n_kinds, 0)), *blocks], axis=1),
    )


# Of fields of a model


def checked_covariates(argument: str, given: Any) -> tuple[Covariate, ...]:
    """Check the field of a model: covariates, or mappings as `to_dict` makes them."""
    if not is_list(given):
        raise ArgumentTypeError(
            f"`{argument}` is {quoted(given)}; it must be a list of covariates, as to_dict() "
            "gives them.",
            argument=argument,
        )
    found = tuple(_checked(f"{argument}[{i}]", one) for i, one in enumerate(given))
    names = [one.name for one in found]
    for name in names:
        if names.count(name) > 1:
            raise ArgumentError(
                f"`{argument}` has {name!r} more than once.",
                code="named_twice",
                argument=argument,
                column=name,
            )
    return found


def check_coded_alike(by_argument: Mapping[str, Sequence[Covariate]]) -> None:
    """Check that a covariate of several processes is coded in one way: it is read once."""
    known: dict[str, Covariate] = {}
    for argument, covariates in by_argument.items():
        for one in covariates:
            other = known.setdefault(one.name, one)
            if (one.reference, one.levels) != (other.reference, other.levels):
                raise ArgumentError(
                    f"`{argument}` has {one.name!r} with the reference {quoted(one.reference)} and "
                    f"the levels {quoted(list(one.levels))}, of another process they are "
                    f"{quoted(other.reference)} and {quoted(list(other.levels))}: a covariate is "
                    "coded in one way.",
                    argument=argument,
                    code="argument_conflict",
                    column=one.name,
                )


def _checked(argument: str, given: Any) -> Covariate:
    if isinstance(given, Covariate):
        values = {one.name: getattr(given, one.name) for one in fields(Covariate)}
    elif isinstance(given, Mapping) and {"name", "reference", "coefficients"} <= given.keys():
        values = dict(given)
    else:
        values = {}
    known = {one.name for one in fields(Covariate)}
    if not values or values.keys() - known or not isinstance(values["name"], str):
        raise ArgumentError(
            f"`{argument}` is {quoted(given)}; it must be a mapping with the texts and numbers of "
            f"{', '.join(sorted(known))}, as to_dict() gives it.",
            argument=argument,
            code="not_saved_so",
        )
    reference = values["reference"]
    if not isinstance(reference, (str, bool)):
        reference = finite(f"{argument}['reference']", reference)
    levels = values.get("levels") or ()
    if not is_list(levels) or not all(isinstance(one, str) for one in levels):
        raise ArgumentTypeError(
            f"`{argument}['levels']` is {quoted(levels)}; it must be a list of words.",
            argument=argument,
        )
    if bool(levels) != isinstance(reference, str) or len({reference, *levels}) < len(levels) + 1:
        raise ArgumentError(
            f"`{argument}` has the reference {quoted(reference)} and the levels "
            f"{quoted(list(levels))}: words have other levels, each once, and numbers have none.",
            argument=argument,
            code="not_saved_so",
        )
    lists = {name: _numbers(f"{argument}[{name!r}]", values.get(name) or ()) for name in _LISTS}
    if len(lists["coefficients"]) != max(len(levels), 1):
        raise ArgumentError(
            f"`{argument}` has {len(lists['coefficients'])} coefficients; there must be one for "
            "each level, or one for a number.",
            argument=argument,
            code="not_saved_so",
        )
    return Covariate(name=values["name"], reference=reference, levels=tuple(levels), **lists)


_LISTS = ("coefficients", "customers", "scale")


def _numbers(argument: str, given: Any) -> tuple[float, ...]:
    if not is_list(given):
        raise ArgumentTypeError(
            f"`{argument}` is {quoted(given)}; it must be a list of numbers.", argument=argument
        )
    return tuple(number_or_nan(f"{argument}[{i}]", one) for i, one in enumerate(given))
