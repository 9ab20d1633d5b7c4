"""Answers on a scale, counted by segment and by respondent: what every score is made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from retainkit._checks import one_of
from retainkit._frames.segments import factorize_segments
from retainkit._inputs.scale import read_numbers
from retainkit._messages import count_noun, warn
from retainkit._stats.intervals import ratio
from retainkit.errors import ArgumentError, ArgumentTypeError
from retainkit.surveys._effective import Worth, worth_of
from retainkit.surveys._repeats import check_respondents, cluster_sums, one_each
from retainkit.surveys._tally import count_answers, on_scale, warn_of_scale

if TYPE_CHECKING:
    import narwhals.stable.v2 as nw

    from retainkit._inputs.answers import Answers
    from retainkit._inputs.scale import Scale
    from retainkit._typing import Floats, Integers
    from retainkit.surveys._tally import Tally


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """Answers that count, and how to find what their means are worth."""

    responses: Answers
    tally: Tally
    clustered: bool

    def segments(self) -> dict[str, nw.Series[Any]]:
        """Give the segments under the names that they came with."""
        responses, own = self.responses, self.tally.segments
        return {name: own[key] for name, key in zip(responses.by, responses.keys, strict=True)}

    def worth(self, values: Floats) -> Worth:
        """Give by segment what the mean of `values` is worth."""
        if not self.clustered:
            return worth_of(self.tally, values)
        keys, clusters = cluster_sums(self.responses, self.tally, values)
        _, segment = factorize_segments(keys, self.responses.keys)
        return worth_of(self.tally, values, clusters.at(segment, self.tally.n_segments))


def scored(responses: Answers, scale: Scale, *, repeat: str, look: bool = True) -> Scored:
    """Count the answers that lie on the scale, each respondent's as `repeat` says.

    With `look`, warn where the answers look like those of another scale.
    """
    one_of("invalid", scale.invalid, ("raise", "drop"))
    one_of("fractional", scale.fractional, ("raise", "floor", "round", "cut"))
    tally = on_scale(count_answers(responses), responses, scale)
    if look:
        warn_of_scale(tally, responses, scale)
    if "respondent" not in responses.names:
        return Scored(responses=responses, tally=tally, clustered=False)
    check_respondents(responses)
    if repeat != "cluster":
        responses = one_each(responses, tally, repeat)
        given, tally = tally, on_scale(count_answers(responses), responses, scale)
        _warn_of_repeats(given, tally, responses, repeat)
    return Scored(responses=responses, tally=tally, clustered=repeat in {"cluster", "mean"})


def _warn_of_repeats(given: Tally, taken: Tally, responses: Answers, repeat: str) -> None:
    """Warn of answers that do not count because another one of the respondent does."""
    total = int(given.n.sum())
    left = total - int(taken.n.sum())
    if left:
        warn(
            f"{left:,} of {count_noun(total, 'answer')} set aside: only the {repeat} of each "
            f"respondent in {responses.source('respondent')} counts (`repeat={repeat!r}`)."
        )


def warn_of_invalid(found: Scored) -> None:
    """Warn of answers that are left out, where the result does not count them."""
    left = int(found.tally.invalid.sum())
    if left:
        warn(
            f"{count_noun(left, 'answer')} in {found.responses.source('score')} left out: not on "
            "the scale (`invalid='drop'`)."
        )


def warn_of_weights(found: Scored, effective: Floats) -> None:
    """Warn where a few answers outweigh all others."""
    n, responses = found.tally.counts(), found.responses
    thin = ((n > 1) & (effective < n / 10)) | ((n > 2) & (effective < 1.5))
    if not thin.any():
        return
    worst = int(np.argmin(np.where(thin, ratio(effective, n), np.inf)))
    text = f"{n[worst]:,} answers that are worth {effective[worst]:.1f}"
    if responses.by:
        text = (
            f"in {count_noun(int(thin.sum()), responses.cell)} the answers are worth far less than "
            f"their number, such as {text}"
        )
    else:
        text = f"there are {text}"
    causes = {
        "weights": "a few have very large weights in",
        "respondent": "a few respondents gave most of them, by",
    }
    why = " or ".join(
        f"{cause} {responses.source(argument)}"
        for argument, cause in causes.items()
        if argument in responses.names
    )
    warn(f"{text}: {why}. The interval allows for it; look whether that is meant.")


# Promoters, passives and detractors

_CUTS = {(0.0, 10.0): (6.0, 8.0), (1.0, 10.0): (6.0, 8.0)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Groups:
    """Promoters, passives and detractors of each segment, as shares of all answers."""

    n: Integers
    missing: Integers
    invalid: Integers
    worth: Worth
    promoters: Floats
    passives: Floats
    detractors: Floats


def groups_of(found: Scored, cuts: tuple[float, float]) -> Groups:
    """Sort answers into detractors, up to the first of the cuts, passives and promoters."""
    tally = found.tally
    low, high = tally.value <= cuts[0], tally.value > cuts[1]
    return Groups(
        n=tally.counts(),
        missing=tally.missing,
        invalid=tally.invalid,
        worth=found.worth(high.astype(np.float64) - low),
        promoters=tally.share(high),
        passives=tally.share(~high & ~low),
        detractors=tally.share(low),
    )


def checked_cuts(cuts: object, scale: Scale) -> tuple[float, float]:
    """Check the highest score of a detractor and that of a passive; those of 0 to 10 are known."""
    if cuts is None:
        known = _CUTS.get((scale.low, scale.high))
        if known is None:
            raise ArgumentError(
                f"`cuts` is not given, and on a scale from {scale.low:g} to {scale.high:g} there "
                "is no rule that all agree on. Give the highest score of a detractor and the "
                "highest of a passive, such as (3, 4)."
            )
        return known
    try:
        low, high = read_numbers(cuts)
    except (TypeError, ValueError):
        raise ArgumentTypeError(
            f"`cuts` is {cuts!r}; it must be two numbers: the highest score of a detractor and "
            "the highest of a passive, such as (6, 8)."
        ) from None
    if not scale.low <= low <= high < scale.high:
        raise ArgumentError(
            f"`cuts` is {cuts!r}; on a scale from {scale.low:g} to {scale.high:g} it must be the "
            "highest score of a detractor and the highest of a passive, below the top."
        )
    return low, high
