"""Estimates of scores by a rule: a share, a mean or a net of answers, with an interval."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_args

import numpy as np

from retainkit._checks import one_of
from retainkit._frames.output import build_like
from retainkit._inputs.answers import read_answers
from retainkit._inputs.response_options import ResponseOptions
from retainkit._inputs.scale import Scale
from retainkit._stats.nps_intervals import score_limits
from retainkit._stats.share_intervals import SHARE_INTERVALS, mean_limits
from retainkit._typing import Booleans, Floats, NativeT
from retainkit.errors import ArgumentError
from retainkit.surveys._rules import Rule
from retainkit.surveys._scaled_answers import ScaledAnswers, read_scaled_answers, warn_of_weights
from retainkit.typing import ShareInterval


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A statistic of each segment, with its limits and effective size."""

    value: Floats
    lower: Floats
    upper: Floats
    effective: Floats


def check_interval(stat: str, stats: Sequence[str], interval: str, rule: str | None) -> str:
    """Check what to estimate, and return the name of the interval that the statistic has."""
    one_of("stat", stat, stats)
    one_of("interval", interval, get_args(ShareInterval))
    if stat == "share":
        return interval
    if interval != "wilson":
        raise ArgumentError(
            f"`interval` is {interval!r}, one of a share, and `stat` is {stat!r}, whose interval "
            "is the only one there is. Leave `interval` out.",
            code="argument_conflict",
            argument="interval",
        )
    if stat != "net" and rule is not None:
        raise ArgumentError(
            f"`rule` is {rule!r}, which says what answers are good, and `stat` is {stat!r}, which "
            "is a mean of all. Leave `rule` out, or take stat='share'.",
            code="argument_conflict",
            argument="rule",
        )
    return "score" if stat == "net" else "t"


def check_maximum(stat: str, scale: Scale) -> None:
    """Check that no answer is negative where the maximum is divided by."""
    if stat == "mean_of_maximum" and scale.low < 0:
        raise ArgumentError(
            f"`stat` is 'mean_of_maximum', and the `scale` from {scale.low:g} to {scale.high:g} "
            "has answers below 0; use 'normalized_mean'.",
            code="argument_conflict",
            argument="stat",
        )


def check_only_rule(rule: Any, *, given: bool) -> None:
    """Check that good or bad answers are not also `given` beside a vendor's rule."""
    if given:
        raise ArgumentError(
            f"`rule` is {rule!r}, and `positive` or `negative` is given too; both say which "
            "answers are good or bad. Give one of the two.",
            code="argument_conflict",
            argument="rule",
        )


def estimate_scores(
    responses: Any,
    options: ResponseOptions,
    rule: Rule,
    *,
    name: str,
    stat: str,
    interval: str,
    level: float,
    check_scale: bool = True,
    constants: Mapping[str, Any] | None = None,
) -> NativeT:  # type: ignore[type-var]
    """Read answers and estimate a statistic of each segment, in a column called `name`.

    The result ends with columns of `constants`.
    """
    answers = read_answers(responses, options)
    found = read_scaled_answers(answers, rule.scale, repeat=options.repeat, check_scale=check_scale)
    result = _estimate(found, rule, stat, interval, level)
    warn_of_weights(found, result.effective)
    counts = found.counts
    columns = {
        "n": counts.n_by_segment(),
        "n_missing": counts.missing,
        "n_invalid": counts.invalid,
        "n_effective": result.effective,
        "positive": counts.n_by_segment(rule.is_good(counts.value)),
        "negative": counts.n_by_segment(rule.is_bad(counts.value)),
        name: result.value,
        "lower": result.lower,
        "upper": result.upper,
    }
    same = {"stat": stat, "rule": rule.text(stat), "interval": interval} | dict(constants or {})
    columns |= {key: np.full(counts.n_segments, value) for key, value in same.items()}
    return build_like(answers.rows, found.segments() | columns)


def _estimate(found: ScaledAnswers, rule: Rule, stat: str, interval: str, level: float) -> Estimate:
    """Estimate a statistic of each segment."""
    if stat == "share":
        return estimate_share(found, rule.is_good(found.counts.value), interval, level)
    if stat == "net":
        return _estimate_net(found, rule, level)
    return _estimate_mean(found, stat, rule.scale, level)


def estimate_share(found: ScaledAnswers, which: Booleans, interval: str, level: float) -> Estimate:
    """Estimate the share of some answers, with the interval for their effective size."""
    size = found.effective_size(which.astype(np.float64))
    n = size.for_interval(level)
    share = found.counts.share_by_segment(which)
    lower, upper = SHARE_INTERVALS[interval](share * n, n, level)
    return Estimate(value=share, lower=lower, upper=upper, effective=size.effective)


def _estimate_net(found: ScaledAnswers, rule: Rule, level: float) -> Estimate:
    """Estimate the share of good answers less that of bad ones, as NPS is."""
    counts = found.counts
    good, bad = rule.is_good(counts.value), rule.is_bad(counts.value)
    size = found.effective_size(good.astype(np.float64) - bad)
    n = size.for_interval(level)
    share_good, share_bad = counts.share_by_segment(good), counts.share_by_segment(bad)
    lower, upper = score_limits(share_good * n, share_bad * n, n, level)
    return Estimate(
        value=share_good - share_bad, lower=lower, upper=upper, effective=size.effective
    )


def _estimate_mean(found: ScaledAnswers, stat: str, scale: Scale, level: float) -> Estimate:
    """Estimate the mean answer, on the scale or rescaled as `stat` says."""
    values = _rescale(found.counts.value, stat, scale)
    low, high = _rescale(np.array([scale.low, scale.high]), stat, scale).tolist()
    size = found.effective_size(values)
    mean, variance = found.counts.mean_by_segment(values)
    lower, upper = mean_limits(mean, variance, size, level=level, ends=(low, high))
    return Estimate(value=mean, lower=lower, upper=upper, effective=size.effective)


def _rescale(values: Floats, stat: str, scale: Scale) -> Floats:
    """Convert scores to the scale on which their mean is shown."""
    if stat == "normalized_mean":
        return (values - scale.low) / (scale.high - scale.low)
    return values / scale.high if stat == "mean_of_maximum" else values
