"""Scores over time: the trend with its intervals, and whether a change is more than noise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from retainkit._calendar import PERIODS, WEEKDAYS, first_day
from retainkit._checks import boolean, integer, number, one_of, probability
from retainkit._frames import table_like
from retainkit.errors import ArgumentError
from retainkit.surveys._control import chart
from retainkit.surveys._responses import open_responses
from retainkit.surveys._scored import checked_cuts, warn_of_weights
from retainkit.surveys._series import METRICS, scores_of, series_of
from retainkit.surveys._tally import checked_scale

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from narwhals.stable.v2.typing import IntoFrame

    from retainkit._calendar import Period, Weekday
    from retainkit.surveys._tally import Scale

__all__ = ["control_chart", "score_trend"]

Metric = Literal["nps", "csat", "mean"]

TREND = ("period", "n", "n_missing", "score", "lower", "upper", "metric", "window", "complete")
CHART = (
    *("period", "n", "score", "centre", "lower_limit", "upper_limit", "signal"),
    *("moving_range", "moving_range_limit", "baseline", "complete", "kind", "metric"),
)


def score_trend(
    responses: IntoFrame,
    *,
    score: str = "score",
    time: str = "time",
    period: Period = "month",
    rolling: int | None = None,
    metric: Metric = "nps",
    by: str | Sequence[str] | None = None,
    scale: tuple[int, int] = (0, 10),
    cuts: tuple[float, float] | None = None,
    positive: float | None = None,
    weights: str | None = None,
    counts: str | None = None,
    respondent: str | None = None,
    invalid: Literal["raise", "drop"] = "raise",
    fractional: Literal["raise", "floor", "round", "cut"] = "raise",
    missing_codes: Sequence[float] = (),
    labels: Mapping[Any, float] | None = None,
    include_partial: bool = True,
    as_of: str | date | None = None,
    tz: str | None = None,
    week_start: Weekday = "monday",
    confidence_level: float = 0.95,
) -> Any:
    """Score of each period with its interval: NPS, the share of the satisfied, or the mean.

    The intervals are those of `nps`, Wilson's for a share and Student's for a mean. Where they
    overlap widely, the line between two points is noise.

    Parameters
    ----------
    responses : IntoFrame
        One row an answer: pandas, Polars (lazy too) or PyArrow, a DuckDB relation or a PySpark
        DataFrame.
    score : str, default "score"
        Column of the answers: numbers, or with `labels` words. Null is no answer.
    time : str, default "time"
        Column of dates or datetimes of the answers.
    period : {"day", "week", "month", "quarter", "year"}, default "month"
        Period of a row.
    rolling : int, optional
        Score the answers of so many periods, those of the row's own and before it, each answer
        with the same weight. Windows of neighbouring rows share answers: do not compare them.
    metric : {"nps", "csat", "mean"}, default "nps"
        What the score is: from -100 to 100, a fraction, or in the unit of the scale.
    by : str or sequence of str, optional
        Columns of segments. Null is a segment of its own.
    scale : tuple of int, default (0, 10)
        Lowest and highest score there can be.
    cuts : tuple of float, optional
        Of NPS: highest score of a detractor and highest of a passive, as in `nps`.
    positive : float, optional
        Of CSAT: lowest score that counts as satisfied. Default: the two highest do.
    weights : str, optional
        Column of survey weights, 0 or more, such as `rake` makes. Their scale does not matter.
    counts : str, optional
        Column that says how many respondents a row stands for, a whole number.
    respondent : str, optional
        Column that identifies who answered, where some did so several times in a period; the
        interval widens accordingly. Not with `rolling`.
    invalid : {"raise", "drop"}, default "raise"
        Whether an answer that is not on the scale is an error, or is left out.
    fractional : {"raise", "floor", "round", "cut"}, default "raise"
        What to do with answers that are not whole, as in `nps`.
    missing_codes : sequence of float, default ()
        Numbers that mean no answer, such as 99.
    labels : mapping, optional
        Score of each answer in words, such as ``{"Very likely": 10}``.
    include_partial : bool, default True
        Also show the period in progress at `as_of`, with ``complete`` False: those who answer late
        may differ.
    as_of : str, date or datetime, optional
        Instant at which observation ends. Default: the midnight that ends the day of the last row.
    tz : str, optional
        Time zone in which periods are cut, such as ``"Europe/Berlin"``. Default: the column's own.
    week_start : {"monday", "tuesday", ..., "sunday"}, default "monday"
        Day on which a week begins.
    confidence_level : float, default 0.95
        Coverage of the interval, between 0 and 1.

    Returns
    -------
    DataFrame
        A row for every period from the first answer (of the segment) to `as_of`, those without
        answers included. A new frame of the kind of `responses`; Polars for a LazyFrame, pandas
        for DuckDB and PySpark.

        - the columns of `by`.
        - ``period`` (date): its first day.
        - ``n`` (int): answers that count; ``n_missing`` (int): rows of the period without one.
        - ``score`` (float): NaN without answers.
        - ``lower``, ``upper`` (float): its interval.
        - ``metric`` (str), and ``window`` (int): periods that a row is made of.
        - ``complete`` (bool): whether the period is over, and all of its window was observed.

    Raises
    ------
    MissingColumnError
        If a column is not in the frame (a `KeyError`).
    ColumnTypeError, ArgumentTypeError
        If a column or an argument is of the wrong type (a `TypeError`).
    ArgumentError
        If times are null, or something has a wrong value as in `nps` (a `ValueError`).

    Warns
    -----
    RetainkitWarning
        If rows lie at or after `as_of`; if the answers look like those of another scale.

    See Also
    --------
    control_chart : Whether a period differs from the usual noise.
    nps_difference : Two periods compared.

    Examples
    --------
    >>> import pandas as pd
    >>> from retainkit import score_trend
    >>> answers = pd.DataFrame(
    ...     {
    ...         "time": pd.to_datetime(["2024-01-09"] * 10 + ["2024-02-09"] * 10),
    ...         "score": [10, 9, 9, 10, 9, 8, 7, 8, 3, 6, 10, 9, 9, 8, 7, 8, 3, 6, 5, 0],
    ...     }
    ... )
    >>> table = score_trend(answers, as_of="2024-03-01")
    >>> table[["n", "score", "lower", "upper", "complete"]].round(1)
        n  score  lower  upper  complete
    0  10   30.0  -21.7   67.5      True
    1  10  -10.0  -54.0   38.8      True
    """
    if rolling is not None:
        integer("rolling", rolling, 1)
        if respondent is not None:
            raise ArgumentError(
                "`rolling` and `respondent` do not go together: whose answers are counted twice "
                "would change from window to window. Leave one out."
            )
    boolean("include_partial", include_partial)
    probability("confidence_level", confidence_level)
    limits = checked_scale(
        scale, missing_codes=missing_codes, invalid=invalid, fractional=fractional
    )
    edges = _edges(metric, cuts, positive, limits)
    one_of("period", period, PERIODS)
    one_of("week_start", week_start, WEEKDAYS)
    table = open_responses(
        responses,
        score=score,
        by=by,
        taken=TREND,
        weights=weights,
        counts=counts,
        respondent=respondent,
        time=time,
        labels=labels,
        tz=tz,
    )
    window = rolling or 1
    series = series_of(
        table,
        limits,
        period=period,
        week_start=week_start,
        as_of=as_of,
        rolling=window,
    )
    scores = scores_of(series, metric, edges, confidence_level)
    if window == 1:
        warn_of_weights(series.found, scores.size[series.cell])
    number = np.arange(series.n_periods) + series.first
    full = number - window + 1 >= series.starts[:, np.newaxis]
    shown = (number >= series.starts[:, np.newaxis]) & (include_partial | (number < series.over))
    segment, column = np.nonzero(shown)
    day = first_day(number[column], period, week_start).astype("datetime64[D]")
    given = {
        name: series.segments[key][segment.tolist()]
        for name, key in zip(table.by, table.keys, strict=True)
    }
    columns: dict[str, Any] = {"period": day}
    values = {"n": scores.n, "n_missing": series.tally.missing, "score": scores.score}
    for name, own in (values | {"lower": scores.lower, "upper": scores.upper}).items():
        columns[name] = series.shape(own)[segment, column]
    columns["metric"] = np.full(len(segment), metric)
    columns["window"] = np.full(len(segment), window)
    columns["complete"] = (full & (number < series.over))[segment, column]
    return table_like(table.rows, given | columns)


def control_chart(
    responses: IntoFrame,
    *,
    score: str = "score",
    time: str = "time",
    period: Period = "month",
    metric: Metric = "nps",
    kind: Literal["individuals", "sampling"] = "individuals",
    baseline: int | None = None,
    sigmas: float = 3.0,
    scale: tuple[int, int] = (0, 10),
    cuts: tuple[float, float] | None = None,
    positive: float | None = None,
    weights: str | None = None,
    counts: str | None = None,
    invalid: Literal["raise", "drop"] = "raise",
    fractional: Literal["raise", "floor", "round", "cut"] = "raise",
    missing_codes: Sequence[float] = (),
    labels: Mapping[Any, float] | None = None,
    as_of: str | date | None = None,
    tz: str | None = None,
    week_start: Weekday = "monday",
) -> Any:
    r"""Control chart of a score: which periods differ from the usual noise.

    The centre :math:`c` and the limits are [1]_, by `kind` and with :math:`a` for `sigmas`,

    .. math::
       \text{individuals: } c = \overline{s_t}, \quad c \pm \frac{a}{d_2} \, \overline{MR}, \qquad
       \text{sampling: } c = \frac{\sum n_t s_t}{\sum n_t}, \quad c \pm a \sqrt{V / n_t},

    where :math:`s_t` is the score of a period, :math:`n_t` its answers (with weights, the number of
    simple ones that they are worth), and means and sums are those of the baseline.
    :math:`\overline{MR}` is the mean distance of neighbouring periods, and :math:`d_2 = 2 /
    \sqrt{\pi} = 1.128` its expectation for normal noise of 1. :math:`V = \sum n_t (v_t + (s_t -
    c)^2) / \sum n_t` is the variance of one answer around :math:`c`, with :math:`v_t` that within
    a period. Of a share :math:`V` is :math:`c (1 - c)`: a p-chart.

    Parameters
    ----------
    responses : IntoFrame
        One row an answer: pandas, Polars (lazy too) or PyArrow, a DuckDB relation or a PySpark
        DataFrame.
    score : str, default "score"
        Column of the answers: numbers, or with `labels` words. Null is no answer.
    time : str, default "time"
        Column of dates or datetimes of the answers.
    period : {"day", "week", "month", "quarter", "year"}, default "month"
        Period of a point.
    metric : {"nps", "csat", "mean"}, default "nps"
        What the score is, as in `score_trend`.
    kind : {"individuals", "sampling"}, default "individuals"
        ``"individuals"`` takes the noise from the scores themselves (individuals and moving
        range), whatever its cause; ``"sampling"`` from the number of answers alone, so that
        everything else is a signal.
    baseline : int, optional
        Number of first periods that tell what is usual. Default: all that are over.
    sigmas : float, default 3.0
        Width of the limits.
    scale : tuple of int, default (0, 10)
        Lowest and highest score there can be.
    cuts : tuple of float, optional
        Of NPS: highest score of a detractor and highest of a passive, as in `nps`.
    positive : float, optional
        Of CSAT: lowest score that counts as satisfied. Default: the two highest do.
    weights : str, optional
        Column of survey weights, 0 or more, such as `rake` makes. Their scale does not matter.
    counts : str, optional
        Column that says how many respondents a row stands for, a whole number.
    invalid : {"raise", "drop"}, default "raise"
        Whether an answer that is not on the scale is an error, or is left out.
    fractional : {"raise", "floor", "round", "cut"}, default "raise"
        What to do with answers that are not whole, as in `nps`.
    missing_codes : sequence of float, default ()
        Numbers that mean no answer, such as 99.
    labels : mapping, optional
        Score of each answer in words, such as ``{"Very likely": 10}``.
    as_of : str, date or datetime, optional
        Instant at which observation ends. Default: the midnight that ends the day of the last row.
    tz : str, optional
        Time zone in which periods are cut, such as ``"Europe/Berlin"``. Default: the column's own.
    week_start : {"monday", "tuesday", ..., "sunday"}, default "monday"
        Day on which a week begins.

    Returns
    -------
    DataFrame
        A row for every period from the first answer to `as_of`. A new frame of the kind of
        `responses`; Polars for a LazyFrame, pandas for DuckDB and PySpark.

        - ``period`` (date): its first day. ``n`` (int): answers that count.
        - ``score``, ``centre``, ``lower_limit``, ``upper_limit`` (float): in the unit of `metric`.
        - ``signal`` (str): empty, ``"beyond limits"``, or ``"run of 8"`` for the eighth and later
          of periods in a row on one side of the centre. The period in progress has none.
        - ``moving_range`` (float): distance from the period with answers before; and
          ``moving_range_limit`` (float): its upper limit, 3.267 mean moving ranges at 3 sigmas.
        - ``baseline`` (bool): whether the period is of the baseline.
        - ``complete`` (bool): whether it is over.
        - ``kind`` (str): how the limits were found. ``metric`` (str): what the score is.

    Raises
    ------
    MissingColumnError
        If a column is not in the frame (a `KeyError`).
    ColumnTypeError, ArgumentTypeError
        If a column or an argument is of the wrong type (a `TypeError`).
    ArgumentError
        If the baseline has fewer than two periods with answers, or something has a wrong value as
        in `nps` (a `ValueError`).

    Warns
    -----
    RetainkitWarning
        If rows lie at or after `as_of`; if the answers look like those of another scale.

    See Also
    --------
    score_trend : The scores with their intervals.

    Notes
    -----
    NPS hides moves that cancel out: promoters and detractors may both rise. Chart the share of
    each as well, with ``metric="csat"`` and `positive`.

    References
    ----------
    .. [1] NIST/SEMATECH (2012), e-Handbook of Statistical Methods, 6.3.2.2, "Individuals Control
       Charts", https://www.itl.nist.gov/div898/handbook/pmc/section3/pmc322.htm.

    Examples
    --------
    >>> import pandas as pd
    >>> from retainkit import control_chart
    >>> months = pd.date_range("2024-01-15", periods=6, freq="30D").repeat(4)
    >>> answers = pd.DataFrame({"time": months, "score": [10, 9, 8, 5] * 5 + [0, 0, 0, 0]})
    >>> chart = control_chart(answers, baseline=5, as_of="2024-07-01")
    >>> chart[["period", "score", "centre", "upper_limit", "signal"]].tail(2)
          period  score  centre  upper_limit         signal
    4 2024-05-01   25.0    25.0         25.0
    5 2024-06-01 -100.0    25.0         25.0  beyond limits
    """
    one_of("kind", kind, ("individuals", "sampling"))
    number("sigmas", sigmas, 0)
    if baseline is not None:
        integer("baseline", baseline, 2)
    limits = checked_scale(
        scale, missing_codes=missing_codes, invalid=invalid, fractional=fractional
    )
    edges = _edges(metric, cuts, positive, limits)
    one_of("period", period, PERIODS)
    one_of("week_start", week_start, WEEKDAYS)
    table = open_responses(
        responses,
        score=score,
        by=None,
        taken=CHART,
        weights=weights,
        counts=counts,
        time=time,
        labels=labels,
        tz=tz,
    )
    series = series_of(
        table,
        limits,
        period=period,
        week_start=week_start,
        as_of=as_of,
        rolling=1,
    )
    scores = scores_of(series, metric, edges, 0.95)
    warn_of_weights(series.found, scores.size[series.cell])
    place = np.arange(series.n_periods) + series.first
    complete = place < series.over
    usual = complete if baseline is None else complete & (np.arange(len(place)) < baseline)
    columns = chart(scores, usual, complete, kind=kind, sigmas=sigmas)
    day = first_day(place, period, week_start).astype("datetime64[D]")
    own = {"baseline": usual, "complete": complete, "kind": np.full(len(place), kind)}
    own["metric"] = np.full(len(place), metric)
    return table_like(table.rows, {"period": day} | columns | own)


def _edges(
    metric: str, cuts: tuple[float, float] | None, positive: float | None, scale: Scale
) -> tuple[float, float]:
    """Give the edges that `metric` needs: those of detractors and passives, or of the satisfied."""
    one_of("metric", metric, METRICS)
    for argument, value, own in (("cuts", cuts, "nps"), ("positive", positive, "csat")):
        if value is not None and metric != own:
            raise ArgumentError(
                f"`{argument}` is for `metric='{own}'`, and `metric` is {metric!r}; leave it out."
            )
    if metric == "nps":
        return checked_cuts(cuts, scale)
    low, high = int(scale.low), int(scale.high)
    if metric == "mean":
        return low, high
    lowest = number("positive", high - 1 if positive is None else positive, low, high)
    if lowest == low:
        given = "not given" if positive is None else repr(positive)
        raise ArgumentError(
            f"`positive` is {given}, and so all answers from {low} to {high} count as satisfied; "
            f"give one above {low}."
        )
    # Above the edge is satisfied, so it lies just below the lowest score that is.
    edge = float(np.nextafter(lowest, -np.inf))
    return edge, edge
