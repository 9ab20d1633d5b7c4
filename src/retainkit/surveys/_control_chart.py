"""Control charts of scores: periods that differ from the usual noise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, get_args

import numpy as np

from retainkit._checks import integer, number, one_of
from retainkit._frames.output import build_like
from retainkit._inputs.answers import read_answers
from retainkit._inputs.response_options import ResponseOptions
from retainkit._inputs.scale import check_scale
from retainkit._messages import count_noun, segment_label, warn
from retainkit._stats.control_limits import control_limits, signals
from retainkit._time.period_options import period_option
from retainkit._typing import Booleans
from retainkit.errors import ArgumentError
from retainkit.surveys._period_answers import PeriodAnswers, PeriodRows, count_by_period
from retainkit.surveys._period_rows import PeriodOptions
from retainkit.surveys._period_scores import PeriodScores, metric_edges, score_periods
from retainkit.surveys._scaled_answers import warn_of_weights
from retainkit.typing import (
    ChartKind,
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

_RESULT = (
    *("period", "n", "score", "centre", "lower_limit", "upper_limit", "signal"),
    *("moving_range", "moving_range_limit", "baseline", "complete", "kind", "metric"),
)


def control_chart(
    responses: TableT | IntoTable[TableT],
    *,
    score: str = "score",
    time: str = "time",
    period: PeriodLike = "month",
    metric: Metric = "nps",
    by: str | Sequence[str] | None = None,
    kind: ChartKind = "individuals",
    baseline: int | None = None,
    sigmas: float = 3.0,
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
    as_of: str | date | None = None,
    tz: str | None = None,
    week_start: Weekday = "monday",
    origin: str | date | None = None,
    year_start: Month = "january",
    missing: Missing = "raise",
) -> TableT:
    r"""Control chart of a score: which periods differ from the usual noise.

    >>> from retainkit import control_chart, datasets
    >>> answers = datasets.make_survey(300, seed=1, waves=12, drift=0.02)
    >>> table = control_chart(answers, time="sent", period="quarter", baseline=8)
    >>> table.set_index("period")[["score", "upper_limit", "signal"]].tail(3).round(1)
                score  upper_limit         signal
    period
    2026-04-01   36.0         48.6
    2026-07-01   63.2         48.6  beyond limits
    2026-10-01   51.3         48.6

    The centre :math:`c` and the limits are [1]_, by `kind` and with :math:`a` for `sigmas`,

    .. math::
       \text{individuals: } c = \overline{s_t}, \quad c \pm \frac{a}{d_2} \, \overline{MR}, \qquad
       \text{sampling: } c = \frac{\sum n_t s_t}{\sum n_t}, \quad c \pm a \sqrt{V / n_t},

    where :math:`s_t` is the score of a period, :math:`n_t` its answers (with `weights` or a
    `respondent`, their effective size), and means and sums are those of the baseline.
    :math:`\overline{MR}` is the mean distance of neighbouring periods, and :math:`d_2 = 2 /
    \sqrt{\pi} = 1.128` its expectation for normal noise of 1. :math:`V = \sum n_t (v_t + (s_t -
    c)^2) / \sum n_t` is the variance of one answer around :math:`c`, with :math:`v_t` that within a
    period. Of a share :math:`V` is :math:`c (1 - c)`: a p-chart.

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
        in no row, and counted in a warning. Each is a point of the chart.
    metric : {"nps", "csat", "mean"}, default "nps"
        What the score is: from -100 to 100, a fraction, or in the unit of the scale.
    by : str or sequence of str, optional
        Columns of segments. Null is a segment of its own. Each has a chart of its own.
    kind : {"individuals", "sampling"}, default "individuals"
        ``"individuals"`` takes the noise from the scores themselves (individuals and moving
        range), whatever its cause; ``"sampling"`` from the number of answers alone, so that
        everything else is a signal.
    baseline : int, optional
        Number of first periods (of a segment) that show what is usual. Default: all that are over.
    sigmas : float, default 3.0
        Width of the limits.
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
        a period, sampling limits widen accordingly.
    invalid : {"raise", "drop"}, default "raise"
        Whether an answer that is not on the scale is an error, or is left out and counted.
    fractional : {"raise", "floor", "round", "cut"}, default "raise"
        What to do with answers that are not whole: of 8.5, refuse it, take 8, take 9 (half up), or
        take it as it is. For NPS it is then compared with `cuts`, which makes it a promoter.
    missing_codes : sequence of float, default ()
        Numbers that mean no answer, such as 99.
    labels : mapping, optional
        Score of each answer in words, such as ``{"Very likely": 10}``.
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

    Returns
    -------
    DataFrame
        A row for every period from the first answer (of the segment) to `as_of`. A new frame of
        the kind of `responses`; Polars for a LazyFrame, pandas for DuckDB and PySpark.

        - the columns of `by`.
        - ``period`` (date): its first day. Of hours, and where an edge is no midnight, a time
          (datetime), in the zone of `tz`. ``n`` (int): answers that count.
        - ``score``, ``centre``, ``lower_limit``, ``upper_limit`` (float): in the unit of `metric`;
          limits beyond the ends of the scale are cut there.
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
        If the baseline has fewer than two periods with answers (without `by`), times are null and
        `missing` is ``"raise"``, or something has a wrong value as in `nps` (a `ValueError`).

    Warns
    -----
    RetainkitWarning
        If rows lie at or after `as_of`, or are left out because they have no time; if the answers
        look like those of another scale; if the baselines of some segments have fewer than two
        periods with answers, which leaves these without limits.

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
    cut = period_option(period, week_start=week_start, origin=origin, year_start=year_start)
    one_of("kind", kind, get_args(ChartKind))
    number("sigmas", sigmas, 0)
    if baseline is not None:
        integer("baseline", baseline, 2)
    limits = check_scale(scale, missing_codes=missing_codes, invalid=invalid, fractional=fractional)
    edges = metric_edges(metric, cuts, positive, limits)
    periods = PeriodOptions(period=cut, as_of=as_of, missing=missing)
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
    scores = score_periods(counted, metric, edges, 0.95)
    warn_of_weights(counted.answers, scores.size[counted.cell])
    rows = counted.rows()
    shown = scores.at(rows.cell)
    usual = rows.complete if baseline is None else rows.complete & (rows.since < baseline)
    base = _usable_baseline(usual & (shown.n > 0), rows, counted)
    columns = _chart_columns(shown, rows, base, kind=kind, sigmas=sigmas)
    columns |= {"baseline": usual, "complete": rows.complete}
    columns |= {"kind": np.full(len(shown.n), kind), "metric": np.full(len(shown.n), metric)}
    return build_like(answers.rows, counted.label_columns(rows) | columns)


def _usable_baseline(base: Booleans, rows: PeriodRows, counted: PeriodAnswers) -> Booleans:
    """Unmark baselines of fewer than two periods, and warn; raise if no other is left."""
    size = np.bincount(rows.segment, base, len(counted.starts)).astype(np.int64)
    few = np.flatnonzero(size < 2)
    if not len(few) or not len(base):
        return base
    if not counted.segments:
        raise ArgumentError(
            f"too few periods of the baseline are over and have answers ({size[0]}): it takes two "
            "or more to tell what is usual. Choose a longer `baseline`, or a shorter `period`.",
            code="too_few_periods",
            argument="baseline",
        )
    first = segment_label(counted.segments, int(few[0]))
    warn(
        f"{len(few):,} of {count_noun(len(size), 'segment')}, such as {first}, have fewer than two "
        "periods of the baseline that are over and have answers, and so no limits and no signals.",
        code="too_few_periods",
        argument="baseline",
        rows=len(few),
        total=len(size),
    )
    return base & (size >= 2)[rows.segment]


def _chart_columns(
    scores: PeriodScores, rows: PeriodRows, base: Booleans, *, kind: ChartKind, sigmas: float
) -> dict[str, Any]:
    """Compute the columns of scores, limits and signals."""
    limits = control_limits(
        scores.score,
        size=scores.size,
        deviation=scores.deviation,
        segment=rows.segment,
        base=base,
        kind=kind,
        sigmas=sigmas,
    )
    low, high = scores.ends
    return {
        "n": scores.n,
        "score": scores.score,
        "centre": limits.centre,
        "lower_limit": np.maximum(limits.centre - limits.half, low),
        "upper_limit": np.minimum(limits.centre + limits.half, high),
        "signal": signals(scores.score, limits, rows.segment, (scores.n > 0) & rows.complete),
        "moving_range": limits.moving_range,
        "moving_range_limit": limits.moving_range_limit,
    }
