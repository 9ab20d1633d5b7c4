"""From answers on a scale to a share, a mean or a net score, with limits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from retainkit._checks import one_of
from retainkit._stats.intervals import ratio
from retainkit._stats.nps_intervals import score_limits
from retainkit._stats.share_intervals import SHARES, mean_limits
from retainkit.errors import ArgumentError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from retainkit._inputs.scale import Scale
    from retainkit._typing import Booleans, Floats
    from retainkit.surveys._rules import Rule
    from retainkit.surveys._scale import ScaledAnswers


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A statistic of each segment, with its limits."""

    value: Floats
    lower: Floats
    upper: Floats
    effective: Floats


def checked_interval(stat: str, stats: Sequence[str], interval: str, rule: str | None) -> str:
    """Check what is asked for, and name the interval that a statistic has."""
    one_of("stat", stat, stats)
    one_of("interval", interval, tuple(SHARES))
    if stat == "share":
        return interval
    if interval != "wilson":
        raise ArgumentError(
            f"`interval` is {interval!r}, one of a share, and `stat` is {stat!r}, whose interval "
            "is the only one there is. Leave `interval` out."
        )
    if stat != "net" and rule is not None:
        raise ArgumentError(
            f"`rule` is {rule!r}, which says what answers are good, and `stat` is {stat!r}, which "
            "is a mean of all. Leave `rule` out, or take stat='share'."
        )
    return "score" if stat == "net" else "t"


def check_scale_of(stat: str, scale: Scale) -> None:
    """Refuse shares of a maximum of which there are negative ones."""
    if stat == "mean_of_maximum" and scale.low < 0:
        raise ArgumentError(
            f"`stat` is 'mean_of_maximum', and the `scale` from {scale.low:g} to {scale.high:g} "
            "has answers below 0; use 'normalized_mean'."
        )


def _scaled(values: Floats, stat: str, scale: Scale) -> Floats:
    """Bring scores to the scale on which their mean is shown."""
    if stat == "normalized_mean":
        return (values - scale.low) / (scale.high - scale.low)
    return values / scale.high if stat == "mean_of_maximum" else values


def estimate(found: ScaledAnswers, rule: Rule, stat: str, interval: str, level: float) -> Estimate:
    """Estimate a statistic of each segment."""
    value = found.tally.value
    if stat == "share":
        return share_of(found, rule.is_good(value), interval, level)
    if stat == "net":
        return _net(found, rule, level)
    return _mean(found, stat, rule.scale, level)


def share_of(found: ScaledAnswers, which: Booleans, interval: str, level: float) -> Estimate:
    """Estimate the share of some answers, with the limits for as many as they are worth."""
    worth = found.worth(which.astype(np.float64))
    size = worth.of_limits(level)
    share = found.tally.share(which)
    lower, upper = SHARES[interval](share * size, size, level)
    return Estimate(value=share, lower=lower, upper=upper, effective=worth.effective)


def _net(found: ScaledAnswers, rule: Rule, level: float) -> Estimate:
    """Estimate the share of good answers less that of bad ones, as NPS is."""
    tally = found.tally
    good, bad = rule.is_good(tally.value), rule.is_bad(tally.value)
    worth = found.worth(good.astype(np.float64) - bad)
    size = worth.of_limits(level)
    first, second = tally.share(good), tally.share(bad)
    lower, upper = score_limits(first * size, second * size, size, level)
    return Estimate(value=first - second, lower=lower, upper=upper, effective=worth.effective)


def _mean(found: ScaledAnswers, stat: str, scale: Scale, level: float) -> Estimate:
    tally = found.tally
    values = _scaled(tally.value, stat, scale)
    low, high = _scaled(np.array([scale.low, scale.high]), stat, scale).tolist()
    worth, weight = found.worth(values), tally.sums(tally.weight)
    mean = ratio(tally.sums(tally.weight * values), weight)
    off = values - mean[tally.segment]
    lower, upper = mean_limits(
        mean,
        ratio(tally.sums(tally.weight * off**2), weight),
        n=worth.n,
        effective=worth.effective,
        units=worth.units,
        level=level,
        ends=(low, high),
    )
    return Estimate(value=mean, lower=lower, upper=upper, effective=worth.effective)


def columns_of(
    found: ScaledAnswers, rule: Rule, result: Estimate, *, name: str, stat: str, interval: str
) -> dict[str, Any]:
    """Name the columns of a result, of which that of the statistic is called `name`."""
    tally = found.tally
    return {
        "n": tally.counts(),
        "n_missing": tally.missing,
        "n_invalid": tally.invalid,
        "n_effective": result.effective,
        "positive": tally.counts(rule.is_good(tally.value)),
        "negative": tally.counts(rule.is_bad(tally.value)),
        name: result.value,
        "lower": result.lower,
        "upper": result.upper,
        "stat": np.full(tally.n_segments, stat),
        "rule": np.full(tally.n_segments, rule.text(stat)),
        "interval": np.full(tally.n_segments, interval),
    }
