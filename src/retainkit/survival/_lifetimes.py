"""Compute the median and the mean lifetime from a survival curve."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np

from retainkit._checks import is_number, probability
from retainkit._frames.input import read_result
from retainkit._frames.output import build_like
from retainkit._frames.segments import factorize_segments, segment_columns
from retainkit._inputs.time_unit import TIME_UNIT, one_unit
from retainkit._messages import count_noun
from retainkit._stats.survival import restricted_mean_limits
from retainkit._time.durations import in_units
from retainkit._typing import Floats
from retainkit.errors import ArgumentError, ColumnTypeError
from retainkit.typing import IntoDataFrameT, Length, Period


@dataclass(frozen=True, slots=True, kw_only=True)
class _SegmentCurve:
    """The curve of one segment, ascending by tenure."""

    tenure: Floats
    at_risk: Floats
    churned: Floats
    survival: Floats
    lower: Floats
    upper: Floats


def median_lifetime(curve: IntoDataFrameT) -> IntoDataFrameT:
    """Tenure by which half of the customers have left.

    >>> from retainkit import datasets, median_lifetime, survival_curve
    >>> median_lifetime(survival_curve(datasets.make_subscriptions(500, seed=1), by="plan"))
        plan  churned  median  lower  upper
    0  basic       86     8.0    7.0   11.0
    1   plus       70    14.0   12.0   16.0
    2    pro       29     NaN   19.0    NaN

    It is the first tenure that at most half outlive, and its interval holds the tenures at which
    the interval of the curve holds one half (Brookmeyer and Crowley).

    Parameters
    ----------
    curve : IntoDataFrame
        Result of `survival_curve`: pandas, Polars or PyArrow.

    Returns
    -------
    DataFrame
        A row for each segment (the columns left of ``tenure``), a new frame of the same kind:

        - the segment columns, as in `curve`.
        - ``churned`` (int): customers whose leaving was seen; where they are few, little is known.
        - ``median`` (float): in the unit of `curve`. NaN where more than half are still there at
          the last tenure: the median is longer than that.
        - ``lower``, ``upper`` (float): limits of its interval, at the confidence level of `curve`.
          An ``upper`` of NaN is one that was not reached: the interval has no end.

    Raises
    ------
    MissingColumnError
        If a column of the curve is missing (a `KeyError`).
    ColumnTypeError
        If one does not hold numbers (a `TypeError`).
    ArgumentError
        If a segment has several rows for a tenure, or numbers are missing (a `ValueError`).

    See Also
    --------
    expected_lifetime : The mean up to a horizon.

    References
    ----------
    .. [1] Brookmeyer, R. & Crowley, J. (1982), "A Confidence Interval for the Median Survival
       Time", Biometrics 38 (1), 29-41.

    Examples
    --------
    Of four customers, one leaves after one month, one after two; two are there after three:

    >>> import pandas as pd
    >>> from retainkit import median_lifetime, survival_curve
    >>> stayed = pd.DataFrame({"months": [1, 2, 3, 3], "left": [True, True, False, False]})
    >>> curve = survival_curve(stayed, duration="months", observed="left")
    >>> median_lifetime(curve)
       churned  median  lower  upper
    0        2     2.0    1.0    NaN
    """
    frame, segments, curves = _read_curves(curve)
    churned = np.rint([one.churned.sum() for one in curves]).astype(np.int64)
    columns: dict[str, Any] = {"churned": churned}
    for name, part in (("median", "survival"), ("lower", "lower"), ("upper", "upper")):
        tenures = [_first_below_half(one.tenure, getattr(one, part)) for one in curves]
        columns[name] = np.array(tenures, np.float64)
    result: IntoDataFrameT = build_like(frame, segments | columns)
    return result


def _first_below_half(tenure: Floats, share: Floats) -> float:
    """Return the first tenure at which a share is down to one half; NaN if it never is."""
    # A product of fractions that is one half may come out a little above it.
    below = np.flatnonzero(share <= 0.5 + 1e-12)
    return float(tenure[below[0]]) if len(below) else np.nan


def expected_lifetime(
    curve: IntoDataFrameT, *, horizon: float | Length, confidence_level: float = 0.95
) -> IntoDataFrameT:
    r"""Mean time that a customer stays within a horizon: the restricted mean lifetime.

    >>> from retainkit import datasets, expected_lifetime, survival_curve
    >>> curve = survival_curve(datasets.make_subscriptions(500, seed=1), by="plan")
    >>> expected_lifetime(curve, horizon=12).round(2)
        plan  churned  horizon  expected_lifetime  standard_error  lower  upper
    0  basic       86     12.0               7.94            0.34   7.28   8.61
    1   plus       70     12.0               9.61            0.29   9.04  10.17
    2    pro       29     12.0              11.01            0.23  10.56  11.46

    With the survival curve :math:`S` and the horizon :math:`\tau`,

    .. math:: E[\min(T, \tau)] = \int_0^\tau S(t) \, dt,

    the area under the curve. It takes the place of 1 / churn, which is the mean lifetime only if
    every customer leaves at one and the same rate for ever, and of the mean over those who left,
    which leaves out all who stay.

    Parameters
    ----------
    curve : IntoDataFrame
        Result of `survival_curve`: pandas, Polars or PyArrow.
    horizon : float, str or timedelta
        Length of time up to which the mean is taken, above 0: a number in the unit of `curve`, or
        where `curve` names its unit (``time_unit``) a length of time such as ``"24 months"``. A
        month is a twelfth of 365.2425 days.
    confidence_level : float, default 0.95
        Coverage of the interval, between 0 and 1.

    Returns
    -------
    DataFrame
        A row for each segment (the columns left of ``tenure``), a new frame of the same kind:

        - the segment columns, as in `curve`.
        - ``churned`` (int): customers whose leaving was seen.
        - ``horizon`` (float): in the unit of `curve`.
        - ``expected_lifetime`` (float): in the unit of `curve`, at most `horizon`. NaN where the
          curve ends before the horizon and somebody is still there: take a shorter one, or a model.
        - ``standard_error`` (float): of it.
        - ``lower``, ``upper`` (float): limits of its interval, by the normal distribution, within
          0 and `horizon`; where the standard error is 0 since nobody left, or all at once, the
          areas under the limits of the curve.

    Raises
    ------
    MissingColumnError
        If a column of the curve is missing (a `KeyError`).
    ColumnTypeError, ArgumentTypeError
        If a column does not hold numbers, or an argument is of the wrong type (a `TypeError`).
    ArgumentError
        If an argument has a wrong value, a segment has several rows for a tenure, or numbers are
        missing (a `ValueError`).

    See Also
    --------
    median_lifetime : The tenure by which half have left.

    Notes
    -----
    In a curve of dates a customer who leaves within the k-th unit leaves at k, so that units begun
    count whole, as they do where one pays in advance. For time itself, subtract about half a unit
    or take days.

    References
    ----------
    .. [1] Klein, J. P. & Moeschberger, M. L. (2003), *Survival Analysis: Techniques for Censored
       and Truncated Data*, 2nd ed., section 4.5.

    Examples
    --------
    Of four customers, one leaves after one month, one after two; two are there after three: within
    three months they stay (1 + 2 + 3 + 3) / 4 months.

    >>> import pandas as pd
    >>> from retainkit import expected_lifetime, survival_curve
    >>> stayed = pd.DataFrame({"months": [1, 2, 3, 3], "left": [True, True, False, False]})
    >>> curve = survival_curve(stayed, duration="months", observed="left")
    >>> table = expected_lifetime(curve, horizon=3)
    >>> table[["horizon", "expected_lifetime", "standard_error", "lower", "upper"]].round(3)
       horizon  expected_lifetime  standard_error  lower  upper
    0      3.0               2.25           0.415  1.437    3.0
    """
    length = in_units("horizon", horizon, "day", bare="units of tenure", above_0=True)
    probability("confidence_level", confidence_level)
    frame, segments, curves = _read_curves(curve)
    if not is_number(horizon) and len(frame):
        length = in_units("horizon", horizon, _unit_of(frame, horizon), bare=None)
    values = [_mean_lifetime(one, length, confidence_level) for one in curves]
    names = ("churned", "horizon", "expected_lifetime", "standard_error", "lower", "upper")
    table = np.array(values, np.float64).reshape(-1, len(names))
    columns = dict(zip(names, table.T, strict=True))
    columns["churned"] = np.rint(columns["churned"]).astype(np.int64)  # of weights it is no count
    result: IntoDataFrameT = build_like(frame, segments | columns)
    return result


def _unit_of(curve: nw.DataFrame[Any], horizon: Any) -> Period:
    """Return the unit of a curve, in which a length of time is to be counted."""
    distinct = curve[TIME_UNIT].unique().to_list() if TIME_UNIT in curve.columns else []
    unit = one_unit(distinct, curve, "curve")
    if unit is None:
        raise ArgumentError(
            f"`horizon` is {horizon!r}, and `curve` does not name the unit of its tenures in a "
            f"column {TIME_UNIT!r}, as one of dates does; write a number in that unit.",
            code="unit_unknown",
            argument="horizon",
        )
    return unit


def _mean_lifetime(
    curve: _SegmentCurve, horizon: float, confidence_level: float
) -> tuple[float, ...]:
    """Compute the values of a row of the result."""
    mean, error, lower, upper = restricted_mean_limits(
        curve.tenure, curve.at_risk, curve.churned, horizon, confidence_level
    )
    return (
        float(curve.churned.sum()),
        horizon,
        mean,
        error,
        float(np.maximum(lower, 0)),
        float(np.minimum(upper, horizon)),
    )


def _read_curves(
    curve: Any,
) -> tuple[nw.DataFrame[Any], dict[str, nw.Series[Any]], list[_SegmentCurve]]:
    """Check a table of curves, and return its segments and the curve of each."""
    parts = ("tenure", "at_risk", "churned", "survival", "lower", "upper")
    frame = read_result(
        curve, argument="curve", columns=parts, made_by=["survival_curve"], numbers=parts
    )
    segments, segment = factorize_segments(frame, segment_columns(frame, parts))
    values = {name: _numbers(frame, name) for name in parts}
    order = np.lexsort((values["tenure"], segment))
    segment, tenure = segment[order], values["tenure"][order]
    twice = (segment[1:] == segment[:-1]) & (tenure[1:] == tenure[:-1])
    if twice.any():
        raise ArgumentError(
            f"`curve` has several rows for tenure {tenure[1:][twice][0]:g} of a segment; it must "
            "be a result of survival_curve, with the columns of `by` left of 'tenure'.",
            code="duplicate_rows",
            argument="curve",
            column="tenure",
            rows=int(twice.sum()),
            total=len(tenure),
        )
    first = np.unique(segment, return_index=True)[1]
    pieces = np.split(order, first[1:]) if len(order) else []
    curves = [
        _SegmentCurve(
            tenure=values["tenure"][rows],
            at_risk=values["at_risk"][rows],
            churned=values["churned"][rows],
            survival=values["survival"][rows],
            lower=values["lower"][rows],
            upper=values["upper"][rows],
        )
        for rows in pieces
    ]
    return frame, segments, curves


def _numbers(frame: nw.DataFrame[Any], column: str) -> Floats:
    """Return a column of a curve as finite numbers."""
    if not frame.schema[column].is_numeric() and len(frame):
        raise ColumnTypeError(
            f"column {column!r} of `curve` holds {frame.schema[column]}; it must hold numbers, as "
            "in a result of survival_curve.",
            argument="curve",
            column=column,
        )
    values = frame[column].to_numpy().astype(np.float64)
    lacking = int((~np.isfinite(values)).sum())
    if lacking:
        raise ArgumentError(
            f"column {column!r} of `curve` has no number in {count_noun(lacking, 'row')}; leave "
            "them out.",
            code="null_values",
            argument="curve",
            column=column,
            rows=lacking,
            total=len(values),
        )
    return values
