"""Read invitations to a survey.

A checked invitation is a row with the time of sending and that of the answer, which is not earlier,
or null: then there is none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from typing import Any, get_args

import narwhals.stable.v2 as nw

from retainkit._checks import one_of
from retainkit._frames.input import collect
from retainkit._inputs.columns import CheckedTable, Column, read_columns
from retainkit._inputs.facts import Facts, is_true, read_facts
from retainkit._inputs.kinds import RESPONDENT, TIME
from retainkit._inputs.nulls import nulls_in
from retainkit._inputs.observation import (
    beyond_the_calendar,
    check_as_of,
    moments_of,
    observed_until,
)
from retainkit._messages import count_noun, warn
from retainkit._time.moment import Moment
from retainkit.errors import ArgumentError
from retainkit.typing import Missing

INVITATIONS = (
    Column("sent", TIME, observed=True),
    Column("responded", TIME, nulls="keep", like="sent", observed=True),
    Column("respondent", RESPONDENT, required=False),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitations(CheckedTable):
    """Invitations that have been checked.

    A null ``responded`` is no answer; both times are of one type, of microseconds or finer. As
    asked for there is a ``respondent`` in each row.
    `first_sent` and `last_sent` are the earliest sending and the latest (None: there are no rows).
    """

    n_rows: int
    first_sent: Moment | None
    last_sent: Moment | None
    end_of_observation: Moment


def read_invitations(
    native: Any,
    *,
    sent: str,
    responded: str,
    respondent: str | None,
    by: str | Sequence[str] | None,
    reserved: Sequence[str],
    as_of: str | date | None,
    tz: str | None,
    missing: str,
) -> Invitations:
    """Check invitations and give their columns the names of their arguments.

    Segments must not be called like one of the `reserved` columns of the result. Observation ends
    at `as_of`, by default at the midnight that ends the day of the last sending or answer.
    """
    one_of("missing", missing, get_args(Missing))
    check_as_of(as_of)
    names = {"sent": sent, "responded": responded, "respondent": respondent}
    table = read_columns(native, "invitations", INVITATIONS, names, by=by, reserved=reserved, tz=tz)
    if sent == responded:
        raise ArgumentError(
            f"`sent` and `responded` both name the column {sent!r}; they must be two columns, the "
            "time of the invitation and that of the answer.",
            code="named_twice",
            argument="responded",
            column=responded,
        )
    backward = nw.col("responded") < nw.col("sent")
    lone = nw.col("sent").is_null() & ~nw.col("responded").is_null()
    facts_of = partial(read_facts, conditions={"backward": backward, "orphans": lone})
    facts = facts_of(table)
    if facts.nulls.get("respondent"):
        _check_respondents(table, facts, missing)
        table = replace(table, rows=table.rows.drop_nulls(subset=["respondent"]))
        facts = facts_of(table)
    if facts.nulls["sent"] or facts.counts["backward"]:
        _check_orphans(table, facts, missing)
        rows = table.rows.drop_nulls(subset=["sent"]).filter(~is_true(backward))
        table = replace(table, rows=rows)
        facts = facts_of(table)
    moments, end = _moments(table, facts, as_of)
    return Invitations(
        **table.parts(),
        n_rows=facts.n_rows,
        first_sent=moments.get("first"),
        last_sent=moments.get("last"),
        end_of_observation=end,
    )


def _check_respondents(table: CheckedTable, facts: Facts, missing: str) -> None:
    """Raise if it is not known who was invited, or warn of the rows that are left out."""
    unknown = facts.nulls["respondent"]
    nulls = nulls_in(table, {"respondent": unknown}, facts.n_rows)
    if nulls is not None:
        nulls.raise_or_warn(missing, unknown)


def _check_orphans(table: CheckedTable, facts: Facts, missing: str) -> None:
    """Raise if an answer lacks its invitation, or warn of the rows that are left out."""
    lost, backward, orphans = facts.nulls["sent"], facts.counts["backward"], facts.counts["orphans"]
    texts = []
    if lost:
        answers = f", {orphans:,} of them with an answer" if orphans else ""
        texts.append(f"{table.source('sent')} is null in {count_noun(lost, 'row')}{answers}")
    if backward:
        texts.append(
            f"{table.source('responded')} lies before {table.names['sent']!r} (given as `sent`) in "
            f"{count_noun(backward, 'row')}"
        )
    text = ", and ".join(texts)
    if missing == "raise":
        shown = f"; for instance {_example(table)}" if backward else ""
        raise ArgumentError(
            f"{text}, of {facts.n_rows:,}{shown}. Such a row lacks the invitation that was "
            "answered: fill it in, or look whether both columns show the same clock. "
            "`missing='drop'` leaves such rows out and warns with their number.",
            code="null_values" if lost else "end_before_start",
            argument="sent",
            column=table.names["sent"],
            rows=lost + backward,
            total=facts.n_rows,
        )
    warn(
        f"{text}: {lost + backward:,} of {count_noun(facts.n_rows, 'row')} left out.",
        code="null_values" if lost else "end_before_start",
        argument="sent",
        column=table.names["sent"],
        rows=lost + backward,
        total=facts.n_rows,
    )


def _example(table: CheckedTable) -> str:
    """Write a few answers that lie before their invitations."""
    some = collect(table.rows.filter(nw.col("responded") < nw.col("sent")).head(3))
    pairs = zip(some["sent"].to_list(), some["responded"].to_list(), strict=True)
    return ", ".join(
        f"sent {table.shown(sent)} and answered {table.shown(responded)}"
        for sent, responded in pairs
    )


def _moments(
    table: CheckedTable, facts: Facts, as_of: str | date | None
) -> tuple[dict[str, Moment], Moment]:
    """Place the earliest sending, the latest one and the end of observation."""
    times = {}
    found = f"{facts.least['sent']} to {facts.greatest['sent']}"
    if facts.n_rows:
        times = {"first": facts.least["sent"], "last": facts.greatest["sent"]}
        if facts.greatest["responded"] is not None:
            times["answer"] = facts.greatest["responded"]
    moments = moments_of(table, times, found)
    latest = max(
        (moments[name] for name in ("last", "answer") if name in moments),
        key=lambda moment: moment.instant,
        default=None,
    )
    error = beyond_the_calendar(table, found)
    return moments, observed_until(latest, table.zone, as_of, error)
