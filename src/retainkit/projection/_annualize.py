"""Conversion of a churn rate of any period to that of a year."""

from __future__ import annotations

from typing import overload

import numpy as np
from numpy.typing import NDArray

from retainkit._checks import one_of
from retainkit._time.periods import DAYS_IN, PERIODS
from retainkit.errors import ArgumentError, ArgumentTypeError
from retainkit.typing import Numbers, Period


@overload
def annualize_rate(rate: float, *, period: Period) -> float: ...


@overload
def annualize_rate(rate: Numbers, *, period: Period) -> NDArray[np.float64]: ...


def annualize_rate(rate: float | Numbers, *, period: Period) -> float | NDArray[np.float64]:
    r"""Churn rate of a year, if that of each period goes on throughout it.

    >>> from retainkit import annualize_rate
    >>> round(annualize_rate(0.02, period="month"), 3)
    0.215

    Each period takes its share of what is left, so rates compound:

    .. math:: 1 - (1 - r)^k

    with k periods to the year. A monthly rate of 5 % is 46 % a year, not 60 %.

    Parameters
    ----------
    rate : float or array-like of float
        Churn rates as fractions, at most 1. A negative one, net churn where expansion exceeds
        losses, gives a negative rate: growth. NaN stays NaN. For a retention rate r, take 1 less
        the result for 1 - r.
    period : {"day", "week", "month", "quarter", "year"}
        What the rates are rates of. A year has 12 months, 4 quarters, 365.2425 days.

    Returns
    -------
    float or numpy.ndarray
        Rate of a year, a fraction, of the shape of `rate`.

    Raises
    ------
    ArgumentTypeError
        If `rate` does not hold numbers.
    ArgumentError
        If a rate is above 1, such as a percentage, or `period` is none of the words.

    Notes
    -----
    It is arithmetic, and no forecast: churn of a new cohort falls with age, and that of the first
    months, compounded, claims far too much. For a forecast see `fit_sbg`.

    Examples
    --------
    >>> from retainkit import annualize_rate
    >>> round(annualize_rate(0.05, period="month"), 4)
    0.4596
    >>> annualize_rate([0.1, -0.02], period="quarter").round(4).tolist()
    [0.3439, -0.0824]
    """
    one_of("period", period, PERIODS)
    try:
        rates = np.asarray(rate, np.float64)
    except (TypeError, ValueError):
        raise ArgumentTypeError(
            f"`rate` is {rate!r}; it must hold numbers.",
            argument="rate",
        ) from None
    if (rates > 1).any():
        raise ArgumentError(
            f"`rate` is up to {rates[rates > 1].max():g}; a churn rate is a fraction, at most 1: "
            "0.05 for 5 %.",
            code="percent_not_fraction",
            argument="rate",
        )
    periods = {"month": 12.0, "quarter": 4.0}.get(period, DAYS_IN["year"] / DAYS_IN[period])
    with np.errstate(divide="ignore"):  # all are gone
        yearly = -np.expm1(periods * np.log1p(-rates))
    return yearly if rates.ndim else float(yearly)
