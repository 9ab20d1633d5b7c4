"""Response rate: the share of invitations that were answered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np

from retainkit._checks import probability
from retainkit._frames.output import build_like
from retainkit._frames.segments import segment_values
from retainkit._inputs.observation import within_edges
from retainkit._stats.effective_size import Clusters, EffectiveSize, effective_size
from retainkit._stats.intervals import ratio, wilson
from retainkit._time.durations import microseconds
from retainkit._time.grid import PeriodGrid
from retainkit._time.period_options import period_option
from retainkit._time.segment_periods import MOST_CELLS, SegmentPeriods, segment_periods
from retainkit._typing import Integers
from retainkit.errors import ArgumentError
from retainkit.surveys._invitation_status import (
    ANSWERED,
    LATE,
    OPEN,
    SILENT,
    InvitationStatus,
    count_statuses,
    sum_respondents,
)
from retainkit.surveys._invitations import Invitations, read_invitations
from retainkit.typing import IntoTable, Length, Missing, Month, PeriodLike, TableT, Weekday

_RESULT = (
    *("period", "invitations", "open", "late", "responses"),
    *("response_rate", "lower", "upper", "complete"),
)


def response_rate(
    invitations: TableT | IntoTable[TableT],
    *,
    sent: str = "sent",
    responded: str = "responded",
    respondent: str | None = None,
    window: Length | None = None,
    by: str | Sequence[str] | None = None,
    period: PeriodLike | None = None,
    as_of: str | date | None = None,
    tz: str | None = None,
    week_start: Weekday = "monday",
    origin: str | date | None = None,
    year_start: Month = "january",
    missing: Missing = "raise",
    confidence_level: float = 0.95,
) -> TableT:
    r"""Share of invitations that were answered, each with the same time to do so.

    >>> from retainkit import datasets, response_rate
    >>> table = response_rate(datasets.make_survey(300, seed=1), window="14D", by="channel")
    >>> table[["channel", "invitations", "responses", "response_rate", "lower", "upper"]].round(3)
      channel  invitations  responses  response_rate  lower  upper
    0     app          533        156          0.293  0.256  0.333
    1   email          471         94          0.200  0.166  0.238

    An invitation sent at :math:`t` is answered if the answer came in :math:`[t, t + w)`, where
    :math:`w` is the window. Those with :math:`t + w` after the end of observation are too young to
    judge: they are left out, whether they have been answered or not, and counted as ``open``. Of
    the others

    .. math:: \text{response\_rate} = \text{responses} / \text{invitations}.

    Invitations are grouped by when they were sent, so that an answer in May to an invitation of
    April belongs to April, and the rate of a period is final once its windows are over. Trengo
    counts this way [1]_: answers to what was sent before the period are not in its rate.

    Parameters
    ----------
    invitations : IntoFrame
        One row an invitation: pandas, Polars (lazy too) or PyArrow, a DuckDB relation or a PySpark
        DataFrame. The order of the rows means nothing.
    sent : str, default "sent"
        Column of dates or datetimes at which invitations were sent, with or without a time zone.
    responded : str, default "responded"
        Column of the times of the answers, dates or datetimes like `sent`. Null: no answer.
    respondent : str, optional
        Column that identifies who was invited, where some were invited several times: all
        invitations count, and the interval is wider as far as the same people answer each time.
    window : str or timedelta, optional
        How long after sending an answer counts, such as ``"7D"``, ``"12H"`` or a timedelta; a day
        is 24 hours, also where the clock is changed. Default: every answer before `as_of` counts;
        see Notes on what becomes of recent invitations then.
    by : str or sequence of str, optional
        Columns of segments. Null is a segment of its own. The channel may be one, for instance.
    period : str, timedelta or sequence of date, optional
        Also group by the period in which invitations were sent: ``"hour"``, ``"day"``, ``"week"``,
        ``"month"``, ``"quarter"`` or ``"year"``; a number of days or weeks, such as ``"14 days"``,
        counted from `origin`; or a list of the dates or times between periods, with the end of the
        last: what lies outside is in no row, and counted in a warning.
    as_of : str, date or datetime, optional
        Instant at which observation ends. What was sent at or after it is left out, and an answer
        at or after it is none yet; a warning counts both. Without a time zone it is read in the
        zone in which periods are cut. Default: the midnight that ends the day of the last
        invitation or answer.
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
        that counts such rows. Needed are `respondent`, and `sent`, no later than the answer: other
        rows lack their invitation.
    confidence_level : float, default 0.95
        Coverage of the interval, between 0 and 1.

    Returns
    -------
    DataFrame
        A row for every segment and, with `period`, for every period from the segment's first
        invitation to `as_of`, also where none was sent; without both one row. A new frame of the
        kind of `invitations`; Polars for a LazyFrame, pandas for DuckDB and PySpark.

        - the columns of `by`.
        - ``period`` (date): first day of the period of sending; only with `period`. Of hours, and
          where an edge is no midnight, a time (datetime), in the zone of `tz`.
        - ``invitations`` (int): those that can be judged.
        - ``open`` (int): those too young to judge, in no other column.
        - ``late`` (int): those answered after the window, which is not in time.
        - ``responses`` (int): those answered within the window.
        - ``response_rate`` (float): responses / invitations, a fraction; NaN without invitations.
        - ``lower``, ``upper`` (float): Wilson's interval for it [2]_; with `respondent` that of
          as many simple invitations as would be as informative.
        - ``complete`` (bool): whether the numbers are final: the period is over and nothing is
          open. Without a window they never are.

    Raises
    ------
    MissingColumnError
        If a column is not in the frame (a `KeyError`).
    ColumnTypeError, ArgumentTypeError
        If a column or an argument is of the wrong type (a `TypeError`).
    ArgumentError
        If rows lack their invitation, only one of both columns has a time zone, or an argument has
        a wrong value (a `ValueError`).

    Warns
    -----
    RetainkitWarning
        If something is left out: rows without their invitation, rows and answers from `as_of` on.

    See Also
    --------
    retainkit.cohort_retention : Who comes back after a first time, by age.

    Notes
    -----
    *Without a window* an invitation of yesterday has had a day to be answered and one of last year
    a year. The rate of the latest periods is then too low, rises from one extract to the next, and
    cannot be compared with that of earlier ones. Give a window, at the price of not judging the
    invitations of the last days.

    *Why early answers do not count while their invitation is open.* Of the young invitations only
    those answered at once would be known, and the rate would be too high if they were counted, too
    low if the others were as well.

    *Dates and times.* If one column has only dates, which are midnights, an answer on the day of
    sending seems to come before the invitation. Cut both to dates, or neither.

    Without `respondent` the interval takes invitations as independent of each other. Where the same
    people are invited again and again, it is too narrow. With it, the effective number of
    invitations is that of answers in `nps`.

    References
    ----------
    .. [1] Trengo (2026), "How do we calculate the metrics?",
       https://help.trengo.com/en/articles/154403-how-do-we-calculate-the-metrics.
    .. [2] Wilson, E. B. (1927), "Probable Inference, the Law of Succession, and Statistical
       Inference", Journal of the American Statistical Association 22 (158), 209-212.

    Examples
    --------
    Of the three sent by 3 June one was answered within a week, and one after it. That of 12 June
    has been answered too, but its week is not over.

    >>> import pandas as pd
    >>> from retainkit import response_rate
    >>> invitations = pd.DataFrame(
    ...     {
    ...         "sent": pd.to_datetime(["2024-06-01", "2024-06-02", "2024-06-03", "2024-06-12"]),
    ...         "responded": pd.to_datetime(["2024-06-04", None, "2024-06-13", "2024-06-13"]),
    ...     }
    ... )
    >>> response_rate(invitations, window="7D", as_of="2024-06-15").round(3)
       invitations  open  late  responses  response_rate  lower  upper  complete
    0            3     1     1          1          0.333  0.061  0.792     False
    """
    length = None if window is None else microseconds("window", window, above_0=True)
    # Without periods the day on which weeks begin is checked all the same.
    asked = "day" if period is None else period
    cut = period_option(asked, week_start=week_start, origin=origin, year_start=year_start)
    probability("confidence_level", confidence_level)
    table = read_invitations(
        invitations,
        sent=sent,
        responded=responded,
        respondent=respondent,
        by=by,
        reserved=_RESULT,
        as_of=as_of,
        tz=tz,
        missing=missing,
    )
    grid = None if period is None else cut.in_zone(table.zone)
    table = table if grid is None else _sent_within(table, grid)
    statuses = count_statuses(table, length, grid)
    rows, row = _result_rows(table, statuses, grid)
    columns: dict[str, Any] = segment_values(statuses.segments, table.by, rows.segment)
    over = np.ones(len(rows.segment), bool)
    if grid is not None:
        columns["period"] = grid.label(rows.period)
        over = rows.period < table.end_of_observation.index(grid)
    counts = _counts_by_row(statuses, row, len(rows.segment))
    n, responses = counts["invitations"], counts["responses"]
    rate, simple = ratio(responses, n), n
    if respondent is not None:
        sums = sum_respondents(table, length, grid)
        at = rows.row(sums.segment, np.minimum(sums.period, rows.period.max(initial=0)))
        size = _effective_size(n, responses, sums.clusters.scatter(at, len(n)))
        simple = size.for_interval(confidence_level)
    lower, upper = wilson(rate * simple, simple, confidence_level)
    rates = {"response_rate": rate, "lower": lower, "upper": upper}
    rates["complete"] = over & (counts["open"] == 0) & (length is not None)
    return build_like(table.rows, columns | counts | rates)


def _sent_within(table: Invitations, grid: PeriodGrid) -> Invitations:
    """Leave out the invitations that were sent outside the edges of a grid."""
    kept, used = within_edges(table.rows, "sent", table.n_rows, grid)
    return replace(table, rows=kept, n_rows=used)


def _result_rows(
    table: Invitations, statuses: InvitationStatus, period: PeriodGrid | None
) -> tuple[SegmentPeriods, Integers]:
    """Return the rows of the result, and the row of each status.

    A segment has a row for every period from its first one to that in which observation ends.
    """
    size = int(statuses.segment.max(initial=-1)) + 1 if table.by or period else 1
    last, least = 0, 0
    if period is not None:
        least, end = period.bounds
        last = min(table.end_of_observation.before(table.zone).index(period), end - 1)
    # Where the clock is put back, what is sent before the end of observation may show later.
    periods = np.minimum(statuses.period, last)
    first = np.full(size, max(last, least))
    np.minimum.at(first, statuses.segment, periods)
    n_rows = int((last + 1 - first).sum())
    if period is not None and n_rows > MOST_CELLS:
        begin = period.label(first.min(keepdims=True))[0]
        raise ArgumentError(
            f"the result would have {n_rows:,} rows, with `sent` from "
            f"{begin} to {table.end_of_observation}. If there is a stray "
            "date, leave it out, or set `as_of`; else choose a longer `period`.",
            code="too_many_rows",
            argument="sent",
            column=table.names["sent"],
            rows=n_rows,
        )
    rows = segment_periods(first, last)
    return rows, rows.row(statuses.segment, periods)


def _counts_by_row(statuses: InvitationStatus, row: Integers, n_rows: int) -> dict[str, Any]:
    """Count the invitations of each row of the result by status."""

    def total(*wanted: int) -> Integers:
        some = np.isin(statuses.status, wanted)
        return np.bincount(row[some], statuses.count[some], n_rows).astype(np.int64)

    return {
        "invitations": total(ANSWERED, LATE, SILENT),
        "open": total(OPEN),
        "late": total(LATE),
        "responses": total(ANSWERED),
    }


def _effective_size(n: Integers, responses: Integers, clusters: Clusters) -> EffectiveSize:
    """Effective number of the invitations of each row, answered or not, sent to these people."""
    row = np.arange(len(n))
    number = np.concatenate([responses, n - responses])
    return effective_size(
        np.repeat([1.0, 0.0], len(n)),
        segment=np.concatenate([row, row]),
        n_segments=len(n),
        n=number,
        weight=number.astype(np.float64),
        square=number.astype(np.float64),
        clusters=clusters,
    )
