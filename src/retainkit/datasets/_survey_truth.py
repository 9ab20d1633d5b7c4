"""Check the truth of a synthetic survey: probabilities of scores and of answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from retainkit._checks import fraction, is_list, number
from retainkit._typing import Floats
from retainkit.errors import ArgumentError, ArgumentTypeError

_ROUNDING: Final = 1e-9
_COLUMNS: Final = ("customer_id", "wave", "sent", "responded", "channel", "plan", "score")


@dataclass(frozen=True, slots=True, kw_only=True)
class SurveyTruth:
    """Probabilities: `mix` by wave, plan and group, the others by group, channel or plan."""

    mix: Floats
    response: Floats
    channels: Floats
    reach: Floats
    strengths: Floats
    persistence: float
    delay: float


def survey_truth(
    *,
    waves: int,
    mix: Mapping[str, Sequence[float]],
    drift: float,
    response: Sequence[float],
    channels: Mapping[str, float],
    reach: Mapping[str, float] | None,
    drivers: Mapping[str, float],
    persistence: float,
    delay: float,
) -> SurveyTruth:
    """Check the arguments of `make_survey`, and return them as arrays."""
    plans = _check_mixes(mix)
    truth = SurveyTruth(
        mix=_drifted(plans, drift, waves),
        response=np.array(_check_triple("response", response)),
        channels=np.array(list(_check_by_name("channels", channels, 0, np.inf).values())),
        reach=_factors(reach, list(plans)),
        strengths=_check_strengths(drivers),
        persistence=fraction("persistence", persistence),
        delay=_above_0("delay", delay),
    )
    most = truth.response.max() * truth.channels.max() * truth.reach.max()
    if most > 1 + _ROUNDING:
        raise ArgumentError(
            "`response`, `channels` and `reach` together give some invitations a probability of "
            f"{most:g} to be answered; lower one of them, so that it is 1 at most.",
            code="argument_value",
            argument="response",
        )
    return truth


def _check_by_name(argument: str, values: Any, least: float, most: float) -> dict[str, float]:
    """Check a mapping from names to numbers."""
    _check_names(argument, values)
    return {
        name: number(f"{argument}[{name!r}]", value, least, most) for name, value in values.items()
    }


def _check_names(argument: str, values: Any) -> None:
    if not isinstance(values, Mapping):
        raise ArgumentTypeError(
            f"`{argument}` is {values!r}; it must be a mapping from names.",
            argument=argument,
        )
    if not values:
        raise ArgumentError(
            f"`{argument}` is empty; it must have one name or more.",
            code="empty_argument",
            argument=argument,
        )
    wrong = [name for name in values if not isinstance(name, str)]
    if wrong:
        raise ArgumentTypeError(
            f"`{argument}` has the name {wrong[0]!r}; names must be text.",
            argument=argument,
        )


def _check_triple(argument: str, values: Any) -> list[float]:
    """Check three probabilities: of promoters, passives and detractors."""
    if not is_list(values):
        raise ArgumentTypeError(
            f"`{argument}` is {values!r}; it must be three numbers, of promoters, passives and "
            "detractors.",
            argument=argument,
        )
    found = [fraction(argument, value) for value in values]
    if len(found) != 3:
        raise ArgumentError(
            f"`{argument}` has {len(found)} numbers; it must have three, of promoters, passives "
            "and detractors.",
            code="argument_value",
            argument=argument,
        )
    return found


def _check_mixes(mix: Any) -> dict[str, list[float]]:
    """Check the shares of each plan."""
    _check_names("mix", mix)
    found = {plan: _check_triple(f"mix[{plan!r}]", shares) for plan, shares in mix.items()}
    for plan, shares in found.items():
        if abs(sum(shares) - 1) > _ROUNDING:
            raise ArgumentError(
                f"`mix[{plan!r}]` is {tuple(shares)}, which adds up to {sum(shares):g}; the shares "
                "of promoters, passives and detractors must add up to 1.",
                code="argument_value",
                argument="mix",
            )
    return found


def _drifted(plans: Mapping[str, list[float]], drift: Any, waves: int) -> Floats:
    """Compute the shares by wave, plan and group."""
    shift = number("drift", drift, -200, 200) / 200 * np.arange(waves)
    moved = np.outer(shift, (1, 0, -1))  # from detractors to promoters
    mix: Floats = np.array(list(plans.values())) + moved[:, np.newaxis]
    wave, plan, _ = np.nonzero((mix < -_ROUNDING) | (mix > 1 + _ROUNDING))
    if wave.size:
        shares = tuple(mix[wave[0], plan[0]].round(4).tolist())
        raise ArgumentError(
            f"`drift` is {drift}, which makes the shares of plan {list(plans)[plan[0]]!r} "
            f"{shares} in wave {wave[0] + 1} of {waves}; lower it, or ask for fewer waves.",
            code="argument_value",
            argument="drift",
        )
    return mix


def _factors(reach: Any, plans: list[str]) -> Floats:
    """Return the factor of each plan, 1 where there is none."""
    found = {} if reach is None else _check_by_name("reach", reach, 0, np.inf)
    unknown = [name for name in found if name not in plans]
    if unknown:
        raise ArgumentError(
            f"`reach` names the plan {unknown[0]!r}; `mix` has {plans}.",
            code="unknown_choice",
            argument="reach",
        )
    return np.array([found.get(plan, 1.0) for plan in plans])


def _check_strengths(drivers: Any) -> Floats:
    """Check the strengths of drivers, and their names, which become columns."""
    found = _check_by_name("drivers", drivers, -1, 1)
    clashing = [name for name in found if name in _COLUMNS]
    if clashing:
        raise ArgumentError(
            f"`drivers` has the name {clashing[0]!r}, which is another column of the table; rename "
            "it.",
            code="reserved_name",
            argument="drivers",
            column=clashing[0],
        )
    strengths = np.array(list(found.values()))
    total = float(np.sum(strengths**2))
    if total > 1 + _ROUNDING:
        raise ArgumentError(
            f"the squares of the strengths in `drivers` add up to {total:g}; they must add up to 1 "
            "at most, all that there is to explain.",
            code="argument_value",
            argument="drivers",
        )
    return strengths


def _above_0(argument: str, value: Any) -> float:
    found = number(argument, value, 0)
    if found == 0:
        raise ArgumentError(
            f"`{argument}` is {value!r}; it must be above 0.",
            code="argument_value",
            argument=argument,
        )
    return found
