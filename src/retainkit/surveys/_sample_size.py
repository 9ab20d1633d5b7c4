"""Sample size of a survey of a Net Promoter Score, and the difference that a sample can detect."""

from __future__ import annotations

import math
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from retainkit._checks import fraction, integer, number, probability
from retainkit._stats import nps_intervals
from retainkit._stats.intervals import normal_quantile
from retainkit.errors import ArgumentError, ArgumentTypeError
from retainkit.typing import Numbers

_RANGE = 200  # points from all detractors to all promoters


def survey_sample_size(
    *,
    margin: float | None = None,
    detect: float | None = None,
    promoters: float | None = None,
    detractors: float | None = None,
    power: float = 0.8,
    population: int | None = None,
    confidence_level: float = 0.95,
) -> int:
    r"""Number of responses that a Net Promoter Score needs to be as precise as asked.

    >>> from retainkit import survey_sample_size
    >>> survey_sample_size(margin=10)
    385

    One response varies by :math:`V = p + d - (p - d)^2` around the score, with shares p of
    promoters and d of detractors [1]_. For a score known to within a margin m (half the width of
    its interval),

    .. math:: n = \frac{z^2 V}{m^2},

    and for a difference :math:`\delta` between two waves, detected with a given power,

    .. math:: n = \frac{(z + z_\text{power})^2 \, 2 V}{\delta^2}

    in each wave, rounded up. Responses, not invitations: divide by the response rate you expect.

    Parameters
    ----------
    margin : float, optional
        How far the limits may be from the score, in points of NPS, above 0 and at most 100: 5 for
        an interval such as 25 to 35. Give this or `detect`.
    detect : float, optional
        The difference between two waves (or two groups of equal size) to be detected, in points
        of NPS, above 0 and at most 200.
    promoters, detractors : float, optional
        Shares of promoters and of detractors that you expect, as fractions: 0.5 and 0.2 for 50 %
        and 20 %. Both or neither. Default: the worst case, half promoters and half detractors,
        which needs the most.
    power : float, default 0.8
        Chance to find a difference of `detect` significant if it is there.
    population : int, optional
        How many people there are to ask, of whom a random part answers. The fewer there are, the
        fewer responses it takes: :math:`n / (1 + (n - 1) / N)` [2]_. Default: very many. For
        waves, the number in each. Leave it out if you mean to draw conclusions on people beyond
        these, such as next year's customers.
    confidence_level : float, default 0.95
        Level of the interval, or 1 less the significance level of the (two-sided) test.

    Returns
    -------
    int
        Number of responses; for `detect`, in each of the two waves.

    Raises
    ------
    ArgumentTypeError
        If an argument is not a number.
    ArgumentError
        If not exactly one of `margin` and `detect` is given; if only one of the two shares is; if
        they add up to more than 1, or leave nothing to vary (everybody in one group); if a number
        is out of its range, such as a power that chance alone gives.

    See Also
    --------
    survey_detectable_difference : The other way round.

    Notes
    -----
    These are formulas for many responses. Where they ask for fewer than about 30, or nearly
    everybody is in one group, intervals are wider than planned and not symmetric.

    References
    ----------
    .. [1] Rocks, B. (2016), "Interval Estimation for the Net Promoter Score", The American
       Statistician 70 (4), 365-372.
    .. [2] Cochran, W. G. (1977), Sampling Techniques, 3rd edition, Wiley, sections 4.4 and 4.6.

    Examples
    --------
    To know the score to within 5 points, whatever it is, and if half are promoters and a fifth
    detractors:

    >>> from retainkit import survey_sample_size
    >>> survey_sample_size(margin=5)
    1537
    >>> survey_sample_size(margin=5, promoters=0.5, detractors=0.2)
    938

    To see a change of 5 points from one quarter to the next takes four times as many, each time:

    >>> survey_sample_size(detect=5, promoters=0.5, detractors=0.2)
    3831
    """
    if (margin is None) == (detect is None):
        raise ArgumentError(
            f"`margin` is {margin!r} and `detect` is {detect!r}; give one of them: `margin` to "
            "know one score, `detect` to see a difference between two.",
            code="argument_needed" if margin is None else "argument_conflict",
            argument="margin",
        )
    variance = _variance_of_answer(promoters, detractors)
    errors = _errors(power, confidence_level)
    if detect is None:
        z = normal_quantile(confidence_level)
        needed = variance * (z / _check_points("margin", margin, _RANGE // 2)) ** 2
    else:
        needed = 2 * variance * (errors / _check_points("detect", detect, _RANGE)) ** 2
    needed = max(needed, 1.0)
    if population is None:
        return math.ceil(needed)
    people = integer("population", population, 1)
    return min(math.ceil(needed / (1 + (needed - 1) / people)), people)


@overload
def survey_detectable_difference(
    n: float,
    *,
    promoters: float | None = None,
    detractors: float | None = None,
    power: float = 0.8,
    confidence_level: float = 0.95,
) -> float: ...


@overload
def survey_detectable_difference(
    n: Numbers,
    *,
    promoters: float | None = None,
    detractors: float | None = None,
    power: float = 0.8,
    confidence_level: float = 0.95,
) -> NDArray[np.float64]: ...


def survey_detectable_difference(
    n: float | Numbers,
    *,
    promoters: float | None = None,
    detractors: float | None = None,
    power: float = 0.8,
    confidence_level: float = 0.95,
) -> float | NDArray[np.float64]:
    r"""Smallest difference of two Net Promoter Scores that so many responses can show.

    >>> from retainkit import survey_detectable_difference
    >>> round(survey_detectable_difference(400), 1)
    19.8

    With n responses in each of two waves, and :math:`V = p + d - (p - d)^2` for shares p of
    promoters and d of detractors [1]_, a true difference of

    .. math:: \delta = (z + z_\text{power}) \sqrt{2 V / n}

    is found significant with the given power. What is smaller will mostly be missed, and month to
    month much of what is smaller is noise.

    Parameters
    ----------
    n : float or array-like of float
        Responses in each wave (or in each of two groups), 0 or more. With clusters or weights,
        the effective number.
    promoters, detractors : float, optional
        Shares of promoters and of detractors that you expect, as fractions: 0.5 and 0.2 for 50 %
        and 20 %. Both or neither. Default: the worst case, half promoters and half detractors.
    power : float, default 0.8
        Chance to find the difference significant if it is there.
    confidence_level : float, default 0.95
        1 less the significance level of the two-sided test.

    Returns
    -------
    float or numpy.ndarray
        Difference in points of NPS, of the shape of `n`. Where even all promoters against all
        detractors, 200 points, would be too little, it is infinite. NaN stays NaN.

    Raises
    ------
    ArgumentTypeError
        If `n` or another argument does not hold numbers.
    ArgumentError
        If a number of responses is negative; if only one of the two shares is given; if they add up
        to more than 1, or leave nothing to vary; if a number is out of its range.

    See Also
    --------
    survey_sample_size : The other way round.

    References
    ----------
    .. [1] Rocks, B. (2016), "Interval Estimation for the Net Promoter Score", The American
       Statistician 70 (4), 365-372.

    Examples
    --------
    With 100 responses a month, a change of less than 30 points is likely to go unseen:

    >>> from retainkit import survey_detectable_difference
    >>> round(survey_detectable_difference(100, promoters=0.5, detractors=0.2), 1)
    30.9
    >>> survey_detectable_difference([50, 400], promoters=0.5, detractors=0.2).round(1).tolist()
    [43.8, 15.5]
    """
    try:
        responses = np.asarray(n, np.float64)
    except (TypeError, ValueError):
        raise ArgumentTypeError(
            f"`n` is {n!r}; it must be a number of responses, or an array of such numbers.",
            argument="n",
        ) from None
    if (responses < 0).any():
        raise ArgumentError(
            f"`n` is down to {np.nanmin(responses):g}; it must be 0 or more.",
            code="negative_values",
            argument="n",
        )
    variance = _variance_of_answer(promoters, detractors)
    errors = _errors(power, confidence_level)
    with np.errstate(divide="ignore"):  # without responses no difference is found
        points = 100 * errors * np.sqrt(2 * variance / responses)
    points = np.where(points > _RANGE, np.inf, points)
    return points if responses.ndim else float(points)


def _variance_of_answer(promoters: float | None, detractors: float | None) -> float:
    """Variance of one response in the mix expected, or in the worst one: 1."""
    if promoters is None and detractors is None:
        return 1.0
    if promoters is None or detractors is None:
        raise ArgumentError(
            f"`promoters` is {promoters!r} and `detractors` is {detractors!r}; give both shares, "
            "or neither for the worst case.",
            code="argument_needed",
            argument="promoters" if promoters is None else "detractors",
        )
    p, d = fraction("promoters", promoters), fraction("detractors", detractors)
    if p + d > 1 + 1e-12:  # 0.7 + 0.2 + 0.1 is a rounding above 1
        raise ArgumentError(
            f"`promoters` and `detractors` are {p:g} and {d:g}, more than all together; they are "
            "shares of all responses, passives included.",
            code="argument_value",
            argument="promoters",
        )
    variance = float(nps_intervals.variance(p, d, 1.0))
    if variance == 0:
        raise ArgumentError(
            f"`promoters` and `detractors` are {p:g} and {d:g}: with everybody in one group "
            "nothing varies, and any number of responses would seem enough. Leave them out for "
            "the worst case.",
            code="argument_value",
            argument="promoters",
        )
    return variance


def _errors(power: float, level: float) -> float:
    """Distance in standard errors at which a difference is found with that power."""
    chance, alpha = probability("power", power), 1 - probability("confidence_level", level)
    if chance <= alpha / 2:
        raise ArgumentError(
            f"`power` is {power!r}; it must be above {alpha / 2:g}, the chance to find what is not "
            "there in the direction of the difference. 0.8 is usual.",
            code="argument_value",
            argument="power",
        )
    # The two-sided quantile of 2p - 1 is the one-sided one of p.
    return normal_quantile(1 - alpha) + normal_quantile(2 * chance - 1)


def _check_points(name: str, value: Any, largest: int) -> float:
    """Check a number of points above 0, and return it as a share."""
    points = number(name, value, 0, largest)
    if points == 0:
        raise ArgumentError(
            f"`{name}` is {value!r}; it must be above 0, in points of NPS: 5 for 5 points.",
            code="argument_value",
            argument=name,
        )
    return points / 100
