"""Invitations counted by segment, period and status: answered, late, silent, or open."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np

from retainkit._frames.input import Frame, collect
from retainkit._frames.segments import factorize_segments
from retainkit._inputs.facts import is_true
from retainkit._messages import count_noun, warn
from retainkit._stats.effective_size import Clusters
from retainkit._time.grid import PeriodGrid
from retainkit._time.zones import instant_expr, later_expr, wall_time_expr
from retainkit._typing import Integers
from retainkit.surveys._invitations import Invitations
from retainkit.surveys._repeat_respondents import sum_clusters

# UNSEEN: sent at or after the end of observation.
ANSWERED, LATE, SILENT, OPEN, UNSEEN = range(5)
_ANSWERED_LATER = 10  # added to the status where an answer came after the end of observation
_ALL = 0  # the period of all invitations, where they are not grouped by period


@dataclass(frozen=True, slots=True, kw_only=True)
class InvitationStatus:
    """Counts of invitations: parallel arrays with an element for each segment, period and status.

    `segments` holds the values of the segments, `period` is the number of the period of sending.
    """

    segments: Mapping[str, nw.Series[Any]]
    segment: Integers
    period: Integers
    status: Integers
    count: Integers


@dataclass(frozen=True, slots=True, kw_only=True)
class RespondentSums:
    """Sums over respondents: parallel arrays with an element for each segment and period."""

    segment: Integers
    period: Integers
    clusters: Clusters


def count_statuses(
    table: Invitations, window: int | None, period: PeriodGrid | None
) -> InvitationStatus:
    """Count the invitations of each segment, period and status, in the engine that holds them.

    A warning counts those sent or answered at or after the end of observation.
    """
    names, rows = ("period", "status", "number"), table.rows
    if table.n_rows:
        rows = _with_status(table, window, period)
        rows = rows.group_by([*table.keys, "period", "status"]).agg(number=nw.len())
        found = collect(rows.select(*table.keys, nw.col(*names).cast(nw.Int64)))
        arrays = {name: found[name].to_numpy().astype(np.int64) for name in names}
        _warn_of_unseen(table, arrays["status"], arrays["number"])
        found = found.filter(nw.col("status") != UNSEEN)
    else:
        # In some engines a constant does not become a column of no rows.
        found, arrays = collect(rows), {name: np.zeros(0, np.int64) for name in names}
    used = arrays["status"] != UNSEEN
    segments, segment = factorize_segments(found, table.keys)
    return InvitationStatus(
        segments=segments,
        segment=segment,
        period=arrays["period"][used],
        status=arrays["status"][used] % _ANSWERED_LATER,
        count=arrays["number"][used],
    )


def sum_respondents(
    table: Invitations, window: int | None, period: PeriodGrid | None
) -> RespondentSums:
    """Sum over the invitations of each respondent that can be judged, and those answered in time.

    Segments have the numbers that they have in `count_statuses`.
    """
    if not table.n_rows:
        none, nobody = np.zeros(0), np.zeros(0, np.int64)
        clusters = Clusters(number=none, xx=none, xw=none, ww=none)
        return RespondentSums(segment=nobody, period=nobody, clusters=clusters)
    rows = _with_status(table, window, period).filter(nw.col("status") != UNSEEN)
    status = nw.col("status") % _ANSWERED_LATER
    rows = rows.with_columns(
        xw=(status == ANSWERED).cast(nw.Float64), w=(status != OPEN).cast(nw.Float64)
    )
    keys = [*table.keys, "period"]
    found, clusters = sum_clusters(rows, keys)
    _, segment = factorize_segments(found, table.keys)
    number = found["period"].to_numpy().astype(np.int64)
    return RespondentSums(segment=segment, period=number, clusters=clusters)


def _with_status(table: Invitations, window: int | None, period: PeriodGrid | None) -> Frame:
    """Add to each invitation the number of its period and its status."""
    return table.rows.with_columns(
        period=_period_expr(table, period), status=_status_expr(table, window)
    )


def _period_expr(table: Invitations, period: PeriodGrid | None) -> nw.Expr:
    """Number of the period in which an invitation was sent."""
    if period is None or table.first_sent is None or table.last_sent is None:
        return nw.lit(_ALL)
    wall = wall_time_expr(
        nw.col("sent"),
        zone=period.clock(table.zone),
        first=table.first_sent.instant,
        last=min(table.last_sent.instant, table.end_of_observation.instant),
    )
    return period.number_expr(wall).cast(nw.Int64)


def _status_expr(table: Invitations, window: int | None) -> nw.Expr:
    """Status of an invitation at the end of observation."""
    sent, responded = nw.col("sent"), nw.col("responded")
    end = instant_expr(table.end_of_observation.instant)
    answered = nw.when(is_true(responded < end))
    status = answered.then(nw.lit(ANSWERED)).otherwise(nw.lit(SILENT))
    if window is not None:
        status = _status_in_window(window, status, table)
    later = nw.when(is_true(responded >= end)).then(nw.lit(_ANSWERED_LATER))
    return nw.when(sent >= end).then(nw.lit(UNSEEN)).otherwise(status + later.otherwise(nw.lit(0)))


def _status_in_window(window: int, status: nw.Expr, table: Invitations) -> nw.Expr:
    """Status of an invitation that has a window to be answered: it may be late, or still open."""
    limit = table.end_of_observation.instant - window
    if table.first_sent is None or limit < table.first_sent.instant:
        return nw.lit(OPEN)
    # Null for the others: the end of their window might lie beyond the calendar.
    judged = nw.when(nw.col("sent") <= instant_expr(limit)).then(nw.col("sent"))
    end = instant_expr(table.end_of_observation.instant)
    responded = nw.col("responded")
    late = (responded >= later_expr(judged, window)) & (responded < end)
    status = nw.when(is_true(late)).then(nw.lit(LATE)).otherwise(status)
    return nw.when(judged.is_null()).then(nw.lit(OPEN)).otherwise(status)


def _warn_of_unseen(table: Invitations, status: Integers, number: Integers) -> None:
    """Warn of invitations and answers at or after the end of observation."""
    rows = count_noun(table.n_rows, "row")
    sent_later = int(number[status == UNSEEN].sum())
    answered_later = int(number[status >= _ANSWERED_LATER].sum())
    texts = []
    if sent_later:
        texts.append(
            f"{sent_later:,} of {rows} sent at or after as_of ({table.end_of_observation}) are not "
            "used"
        )
    if answered_later:
        texts.append(
            f"the answers of {answered_later:,} of {rows} came at or after as_of "
            f"({table.end_of_observation}) and are not used"
        )
    if texts:
        warn(
            f"{'; '.join(texts)}.",
            code="rows_after_as_of",
            argument="as_of",
            rows=sent_later + answered_later,
            total=table.n_rows,
        )
