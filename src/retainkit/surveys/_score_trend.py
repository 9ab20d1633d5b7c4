"""Scores over time, each with its interval."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import numpy as np

from retainkit._checks import boolean, integer, probability
from retainkit._frames.output import build_like
from retainkit._inputs.answers import read_answers
from retainkit._inputs.response_options import ResponseOptions
from retainkit._inputs.scale import check_scale
from retainkit._time.period_options import period_option
from retainkit.surveys._period_answers import count_by_period
from retainkit.surveys._period_rows import PeriodOptions
from retainkit.surveys._period_scores import metric_edges, score_periods
from retainkit.surveys._scaled_answers import warn_of_weights
from retainkit.typing import (
    Fractional,
    IntoTable,
    Invalid,
    Metric,
    Missing,
    Month,
    PeriodLike,
    TableT,
    Weekday,
)

_RESULT = ("period", "n", "n_missing", "score", "lower", "upper", "metric", "window", "complete")


def score_trend(
    responses: TableT | IntoTable[TableT],
    *,
    score: str = "score",
    time: str = "time",
    period: PeriodLike = "month",
    rolling: int | None = None,
    metric: Metric = "nps",
    by: str | Sequence[str] | None = None,
    scale: tuple[int, int] = (0, 10),
    cuts: tuple[float, float] | None = None,
    positive: float | None = None,
    weights: str | None = None,
    counts: str | None = None,
    respondent: str | None = None,
    invalid: Invalid = "raise",
    fractional: Fractional = "raise",
    missing_codes: Sequence[float] = (),
    labels: Mapping[Any, float] | None = None,
    include_partial: bool = True,
    as_of: str | date | None = None,
    tz: str | None = None,
    week_start: Weekday = "monday",
    origin: str | date | None = None,
    year_start: Month = "january",
    missing: Missing = "raise",
    confidence_level: float = 0.95,
) -> TableT:
    """Score of each period with its interval: NPS, the share of the satisfied, or the mean.

    >>> from retainkit import datasets, score_trend
    >>> table = score_trend(datasets.make_survey(300, seed=1), time="sent", period="quarter")
    >>> table.set_index("period")[["n", "score", "lower", "upper"]].round(1)
                 n  score  lower  upper
    period
    2024-01-01  84   33.3   14.4   49.7
    2024-04-01  80   36.2   17.3   52.4
    2024-07-01  66   34.8   15.0   51.7
    2024-10-01  78   35.9   17.3   51.8

    The intervals are those of `nps`, Wilson's for a share and Student's for a mean. Where they
    overlap widely, the line between two points is noise.

    Parameters
    ----------
    responses : IntoFrame
        One row a response: pandas, Polars (lazy too) or PyArrow, a DuckDB relation or a PySpark
        DataFrame.
    score : str, default "score"
        Column of the answers: numbers, or with `labels` words. Null is no answer.
    time : str, default "time"
        Column of dates or datetimes, with or without a time zone: when an answer was given.
    period : str, timedelta or sequence of date, default "month"
        Period of a row: ``"hour"``, ``"day"``, ``"week"``, ``"month"``, ``"quarter"`` or
        ``"year"``; a number of days or weeks, such as ``"14 days"``, counted from `origin`; or a
        list of the dates or times between periods, with the end of the last: what lies outside is
        in no row, and counted in a warning.
    rolling : int, optional
        Score the answers of so many periods, those of the row's own and before it, each answer
        with the same weight. Windows of neighbouring rows share answers: do not compare them.
    metric : {"nps", "csat", "mean"}, default "nps"
        What the score is: from -100 to 100, a fraction, or in the unit of the scale.
    by : str or sequence of str, optional
        Columns of segments. Null is a segment of its own.
    scale : tuple of int, default (0, 10)
        Lowest and highest score there can be, whatever the metric: for CSAT on five points, which
        is the default of `csat`, give ``(1, 5)``.
    cuts : tuple of float, optional
        Highest score of a detractor and highest of a passive. Of NPS alone. Default: (6, 8) on
        scales from 0 or 1 to 10; on others products disagree, and it has to be given.
    positive : float, optional
        Of CSAT: lowest score that counts as satisfied. Default: the two highest do.
    weights : str, optional
        Column of survey weights, 0 or more, such as `rake` makes. Their scale does not matter.
    counts : str, optional
        Column with the number of respondents that a row counts, a whole number.
    respondent : str, optional
        Column that identifies who answered, where some answered several times. Where they did so in
        a period or window, the interval widens accordingly.
    invalid : {"raise", "drop"}, default "raise"
        Whether an answer that is not on the scale is an error, or is left out and counted.
    fractional : {"raise", "floor", "round", "cut"}, default "raise"
        What to do with answers that are not whole: of 8.5, refuse it, take 8, take 9 (half up), or
        take it as it is. For NPS it is then compared with `cuts`, which makes it a promoter.
    missing_codes : sequence of float, default ()
        Numbers that mean no answer, such as 99.
    labels : mapping, optional
        Score of each answer in words, such as ``{"Very likely": 10}``.
    include_partial : bool, default True
        Also show what is in progress at `as_of`, with ``complete`` False: those who answer late may
        differ.
    as_of : str, date or datetime, optional
        Instant at which observation ends; rows at or after it are not used, and counted in a
        warning. Without a time zone it is read in that of `tz`. Default: the midnight that ends the
        day of the last row.
    tz : str, optional
        Time zone in which periods are cut, such as ``"Europe/Berlin"``. Default: the column's own.
    week_start : {"monday", "tuesday", ..., "sunday"}, default "monday"
        Day on which a week begins.
    origin : str, date or datetime, optional
        Day from which periods of a number of days or weeks are counted, forwards and back, such as
        the first of a sprint. Default: the first `week_start` of 1970, whatever the rows are.
    year_start : {"january", "february", ..., "december"}, default "january"
        Month in which a year begins, and with it the first quarter, as fiscal years do.
    missing : {"raise", "drop"}, default "raise"
        Whether a null where a value is needed is an error, or its row is left out with a warning
        that counts such rows. Needed are `time`, `respondent`, `weights` and `counts`. A null in
        `score` is no answer.
    confidence_level : float, default 0.95
        Coverage of the interval, between 0 and 1.

    Returns
    -------
    DataFrame
        A row for every period from the first answer (of the segment) to `as_of`, those without
        answers included. A new frame of the kind of `responses`; Polars for a LazyFrame, pandas
        for DuckDB and PySpark.

        - the columns of `by`.
        - ``period`` (date): its first day. Of hours, and where an edge is no midnight, a time
          (datetime), in the zone of `tz`.
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
        If times are null and `missing` is ``"raise"``, or something has a wrong value as in `nps`
        (a `ValueError`).

    Warns
    -----
    RetainkitWarning
        If rows lie at or after `as_of`, or are left out because they have no time; if the answers
        look like those of another scale.

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
    cut = period_option(period, week_start=week_start, origin=origin, year_start=year_start)
    window = 1 if rolling is None else integer("rolling", rolling, 1)
    boolean("include_partial", include_partial)
    probability("confidence_level", confidence_level)
    limits = check_scale(scale, missing_codes=missing_codes, invalid=invalid, fractional=fractional)
    edges = metric_edges(metric, cuts, positive, limits)
    periods = PeriodOptions(period=cut, as_of=as_of, missing=missing, rolling=window)
    options = ResponseOptions(
        needed=("time",),
        score=score,
        by=by,
        weights=weights,
        counts=counts,
        respondent=respondent,
        time=time,
        labels=labels,
        missing=missing,
        tz=tz,
        reserved=_RESULT,
    )
    answers = read_answers(responses, options)
    counted = count_by_period(answers, limits, periods)
    scores = score_periods(counted, metric, edges, confidence_level)
    if window == 1:
        warn_of_weights(counted.answers, scores.size[counted.cell])
    rows = counted.rows(partial=include_partial)
    shown = scores.at(rows.cell)
    columns = {
        "n": shown.n,
        "n_missing": counted.counts.missing[rows.cell],
        "score": shown.score,
        "lower": shown.lower,
        "upper": shown.upper,
        "metric": np.full(len(shown.n), metric),
        "window": np.full(len(shown.n), window),
        "complete": rows.complete & (rows.since >= window - 1),
    }
    return build_like(answers.rows, counted.label_columns(rows) | columns)
