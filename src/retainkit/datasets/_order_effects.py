"""The covariates of synthetic customers, and what they do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from retainkit._messages import format_examples, quoted
from retainkit._models.fields import finite
from retainkit._typing import Array, Floats
from retainkit.errors import ArgumentError, ArgumentTypeError

PROCESSES = ("purchase", "dropout", "spend")
_RESERVED = ("customer_id", "joined", "segment")


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnCovariate:
    """A covariate: its coefficients by process, of levels or of a number, and its levels."""

    name: str
    coefficients: Mapping[str, Mapping[str, float] | float]
    levels: tuple[str, ...]

    def draw(self, size: int, rng: np.random.Generator) -> Array:
        """Draw a value for each customer: the first level is twice as likely as each other."""
        if not self.levels:
            return rng.standard_normal(size)
        share = np.ones(len(self.levels))
        share[0] = 2
        return rng.choice(np.array(self.levels), size, p=share / share.sum())

    def added(self, process: str, values: Array) -> Floats:
        """Return what values add to the logarithm, or log odds, of a process."""
        effect = self.coefficients.get(process, 0.0)
        if not isinstance(effect, Mapping):
            found: Floats = effect * values if effect else np.zeros(len(values))
            return found
        return np.array([effect.get(one, 0.0) for one in values.tolist()])


def read_effects(effects: Any) -> list[DrawnCovariate]:
    """Check the argument `effects`, and return the covariates in order."""
    if effects is None:
        return []
    _check_mapping("effects", effects, "processes to covariates")
    strange = [one for one in effects if one not in PROCESSES]
    if strange:
        raise ArgumentError(
            f"`effects` has {format_examples(strange[:3])}; the processes are "
            f"{', '.join(map(repr, PROCESSES))}.",
            code="argument_value",
            argument="effects",
        )
    found: dict[str, dict[str, Mapping[str, float] | float]] = {}
    for process, covariates in effects.items():
        _check_mapping(f"effects[{process!r}]", covariates, "covariates to coefficients")
        for name, effect in covariates.items():
            where = f"effects[{process!r}][{name!r}]"
            found.setdefault(_name(name), {})[process] = _coefficients(where, effect)
    return [_covariate(name, coefficients) for name, coefficients in found.items()]


def _name(name: Any) -> str:
    if not isinstance(name, str) or name in _RESERVED:
        raise ArgumentError(
            f"`effects` calls a covariate {quoted(name)}; it must be another word than "
            f"{', '.join(map(repr, _RESERVED))}.",
            code="reserved_name",
            argument="effects",
        )
    return name


def _coefficients(where: str, effect: Any) -> Mapping[str, float] | float:
    """Return the coefficients of levels, the first of which is the reference, or of a number."""
    if not isinstance(effect, Mapping):
        return finite(where, effect)
    found = {str(level): finite(f"{where}[{level!r}]", one) for level, one in effect.items()}
    if len(found) < 2 or next(iter(found.values())) != 0:
        raise ArgumentError(
            f"`{where}` is {quoted(dict(effect))}; it must have two levels or more, and the first, "
            "the reference, the coefficient 0.",
            code="argument_value",
            argument="effects",
        )
    return found


def _covariate(name: str, coefficients: dict[str, Mapping[str, float] | float]) -> DrawnCovariate:
    """Return a covariate, of levels in the order in which they are first named."""
    several = [one for one in coefficients.values() if isinstance(one, Mapping)]
    references = {next(iter(one)) for one in several}
    if len(several) not in {0, len(coefficients)} or len(references) > 1:
        raise ArgumentError(
            f"`effects` has {name!r} in several processes, and not alike: it must be a number in "
            "all, or have levels with the same one first in all.",
            code="argument_conflict",
            argument="effects",
        )
    levels = tuple(dict.fromkeys(level for one in several for level in one))
    return DrawnCovariate(name=name, coefficients=coefficients, levels=levels)


def _check_mapping(where: str, given: Any, what: str) -> None:
    if not isinstance(given, Mapping):
        raise ArgumentTypeError(
            f"`{where}` is {quoted(given)}; it must be a mapping of {what}.", argument="effects"
        )
