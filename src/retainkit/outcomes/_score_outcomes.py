"""Outcomes of promoters, passives and detractors within a horizon after their answers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, get_args

import numpy as np

from retainkit._checks import boolean, one_of, probability
from retainkit._frames.output import build_like
from retainkit._frames.segments import segment_values
from retainkit._inputs.scale import check_cuts, check_scale
from retainkit._messages import count_noun, named, warn
from retainkit._time.durations import microseconds
from retainkit.errors import ArgumentError
from retainkit.outcomes._rates import rate_columns, rows_by_group, rows_by_score
from retainkit.outcomes._reading import (
    OutcomeOptions,
    read_dated_answers,
    read_memberships,
    read_outcome_events,
)
from retainkit.outcomes._results import churn_outcomes, event_outcomes, last_answers
from retainkit.typing import EndIs, IntoFrame, IntoTable, Length, Missing, Outcome, TableT

_RESULT = (
    *("group", "score", "n", "outcomes", "rate", "lower", "upper"),
    *("difference", "difference_lower", "difference_upper"),
    *("amount_per_customer", "amount_lower", "amount_upper"),
    *("amount_difference", "amount_difference_lower", "amount_difference_upper"),
    *("n_open", "n_gone", "n_earlier", "n_missing"),
)


def score_outcomes(
    responses: TableT | IntoTable[TableT],
    outcomes: IntoFrame,
    *,
    horizon: Length = "90D",
    outcome: Outcome = "event",
    customer: str = "customer_id",
    score: str = "score",
    time: str = "time",
    outcome_time: str = "time",
    amount: str | None = None,
    start: str | None = "start",
    end: str = "end",
    end_is: EndIs = "exclusive",
    subscription: str | None = None,
    gap: Length = "0D",
    by: str | Sequence[str] | None = None,
    by_score: bool = False,
    scale: tuple[int, int] = (0, 10),
    cuts: tuple[float, float] | None = None,
    as_of: str | date | None = None,
    missing: Missing = "raise",
    confidence_level: float = 0.95,
) -> TableT:
    r"""Outcomes of promoters, passives and detractors within a horizon after their answers.

    >>> from retainkit import datasets, score_outcomes
    >>> answers, events = datasets.make_survey(300, seed=1), datasets.make_events(300, seed=1)
    >>> table = score_outcomes(answers, events, time="sent", horizon="30D")
    >>> table[["group", "n", "outcomes", "rate", "lower", "upper"]].round(3)
            group    n  outcomes   rate  lower  upper
    0   promoters  112        27  0.241  0.171  0.328
    1    passives   53        17  0.321  0.211  0.455
    2  detractors   41         9  0.220  0.120  0.367

    Of the :math:`n` who answered at a time :math:`t` and have been observed for longer than the
    horizon :math:`h` since, some had the outcome in :math:`(t, t + h]`: an event, such as an order
    or a login (they were retained), or the end of their subscription (they churned). Beside their
    share stands its difference to the share of detractors, with limits made of Wilson's limits
    :math:`l` and :math:`u` of both shares [1]_:

    .. math::
       p_1 - p_2 - \sqrt{(p_1 - l_1)^2 + (u_2 - p_2)^2}, \qquad
       p_1 - p_2 + \sqrt{(u_1 - p_1)^2 + (p_2 - l_2)^2}.

    Parameters
    ----------
    responses : IntoFrame
        One row a response: pandas, Polars (lazy too) or PyArrow, a DuckDB relation or a PySpark
        DataFrame.
    outcomes : IntoFrame
        What customers did, of any of these kinds: events, or with ``outcome="churn"``
        subscriptions. The needed columns of both tables are read into memory, of events only the
        rows within the horizons.
    horizon : str or timedelta, default "90D"
        How long after an answer outcomes count: weeks, days or hours such as ``"12W"``. Above 0.
    outcome : {"event", "churn"}, default "event"
        What is counted: customers with an event, or customers who are subscribed when they answer
        and not when the horizon ends.
    customer : str, default "customer_id"
        Column that identifies the customer: integers, strings, UUIDs or categories. Both tables
        have it.
    score : str, default "score"
        Column of `responses` with the answers: whole numbers. Null is no answer.
    time : str, default "time"
        Column of dates or datetimes, with or without a time zone: when an answer was given.
        `responses` has it.
    outcome_time : str, default "time"
        Column of `outcomes` with dates or datetimes of the events.
    amount : str, optional
        Column of money, in its own unit, or of any quantity, to add up: what a customer spent, for
        instance. `outcomes` has it.
    start : str or None, default "start"
        For churn, the column of `outcomes` with the starts of subscriptions. None where a table
        only has the times at which customers left: then all were customers before, those not in it
        still are, and of several times the last one counts.
    end : str, default "end"
        For churn, the column of `outcomes` with their ends. Null: it still runs.
    end_is : {"exclusive", "last_day"}, default "exclusive"
        Whether an end is the moment from which a subscription no longer runs, or the last day on
        which it does: then it runs to the midnight after that day, in the column's own zone. For
        churn.
    subscription : str, optional
        Column of what a row is a phase of: rows of the same subscription that come one after
        another stay, exact repeats count once, with a warning, and others that overlap are refused.
        Default: every row is a subscription of its own. For churn.
    gap : str or timedelta, default "0D"
        Longest break between subscriptions that is not churn, such as ``"3D"`` or ``"12H"``. Since
        an end becomes churn after that time only, observation ends so much before `as_of`. For
        churn.
    by : str or sequence of str, optional
        Columns of segments. Null is a segment of its own. `responses` has them.
    by_score : bool, default False
        Give a row for each score instead of each group, each compared with the score below: is
        there a break between 8 and 9?
    scale : tuple of int, default (0, 10)
        Lowest and highest score there can be.
    cuts : tuple of float, optional
        Highest score of a detractor and highest of a passive. Default: (6, 8) on scales from 0 or 1
        to 10; on others it has to be given, unless `by_score`.
    as_of : str, date or datetime, optional
        Instant at which observation ends. Default: the midnight that ends the day of the last
        event, of the last start, or without `start` of the last end.
    missing : {"raise", "drop"}, default "raise"
        Whether a null where a value is needed is an error, or its row is left out with a warning
        that counts such rows. Needed are `customer`, `time`, `outcome_time` or `start`, and
        `amount` or `subscription`. Rows without an answer are not checked.
    confidence_level : float, default 0.95
        Coverage of the interval, between 0 and 1.

    Returns
    -------
    DataFrame
        A row for every group (or score) in every segment, promoters first (or the lowest score). A
        new frame of the same kind as `responses`; Polars for a LazyFrame, pandas for DuckDB and
        PySpark.

        - the columns of `by`.
        - ``group`` (str): promoters, passives or detractors; with `by_score` ``score`` (int).
        - ``n`` (int): customers whose horizon is over, each with one answer in a segment.
        - ``outcomes`` (int): how many of them had the outcome.
        - ``rate`` (float): outcomes / n; NaN where n is 0.
        - ``lower``, ``upper`` (float): Wilson's interval for it.
        - ``difference`` (float): the rate less that of detractors, or of the score below; NaN for
          these themselves. ``difference_lower``, ``difference_upper`` (float): its interval.
        - with `amount`, ``amount_per_customer`` (float): mean sum in the horizon of all `n`, those
          without an event too. ``amount_lower``, ``amount_upper`` (float): its interval by
          Student's t; NaN where n is below 2 or all sums are alike, which gives no width.
          ``amount_difference`` (float): as above, with ``amount_difference_lower`` and
          ``amount_difference_upper`` (float) by Welch's t; NaN where one n is below 2 or the sums
          of neither vary. If the sums of one group do not vary, the width
          comes from the other alone.
        - ``n_open`` (int): answers whose horizon is not over, left out.
        - with ``outcome="churn"``, ``n_gone`` (int): answers of customers who were not subscribed
          at the time, left out: they could not leave any more.
        - ``n_earlier`` (int): answers left out for a later one of the same customer that counts.
          With `n` and the numbers before it, it adds up to all answers of the group.
        - ``n_missing`` (int): rows of the segment without an answer, the same in its rows.

    Raises
    ------
    MissingColumnError
        If a column is not in the frame (a `KeyError`).
    ColumnTypeError, ArgumentTypeError
        If a column or an argument is of the wrong type (a `TypeError`), or customers are numbers in
        one table and text in the other.
    ArgumentError
        If answers are not on the scale or not whole, a customer gave two answers at the same time,
        a column has nulls, or an argument has a wrong value (a `ValueError`).

    Warns
    -----
    RetainkitWarning
        If something is left out: rows with nulls, outcomes at or after the end of observation,
        repeats of a `subscription`. If ends seem to be last days, and `end_is` says otherwise. If
        `outcomes` has customers (of events: within the horizons) and none of those who answered.
        Without `start` only if some in it have no end: a list of leavers may well hold none. If the
        answers look like those of another scale, as in `nps`.

    See Also
    --------
    nps : The score itself.
    churn_rate : Churn of all customers, whether they answered or not.

    Notes
    -----
    Of several answers of a customer in a segment the last one counts of those whose horizon is over
    (and, for churn, that were given while subscribed). An event at the very time of the answer did
    not come after it and does not count: where times are days, neither does one on the same day.

    The table says how those who answer differ by what they answered. It does not say that a better
    score would have kept them: promoters may be on other plans, or older customers, and `by` shows
    groups that are more alike. And whoever left before the survey never answered it.

    With `by_score` there are ten differences, and of ten that are nothing one or the other may well
    look like something.

    Amounts are often skewed, and Student's t then needs some hundred customers a group.

    References
    ----------
    .. [1] Newcombe, R. G. (1998), "Interval Estimation for the Difference between Independent
       Proportions: Comparison of Eleven Methods", Statistics in Medicine 17 (8), 873-890, method
       10.

    Examples
    --------
    Ann and Bob are promoters and Cem is a detractor. Ann and Cem order within 30 days:

    >>> import pandas as pd
    >>> from retainkit import score_outcomes
    >>> day = pd.Timestamp("2024-01-10")
    >>> answers = pd.DataFrame(
    ...     {"customer_id": ["ann", "bob", "cem"], "score": [10, 9, 3], "time": day}
    ... )
    >>> orders = pd.DataFrame(
    ...     {
    ...         "customer_id": ["ann", "cem", "bob", "ann"],
    ...         "time": pd.to_datetime(["2024-01-20", "2024-02-09", "2024-02-10", "2024-01-10"]),
    ...     }
    ... )
    >>> table = score_outcomes(answers, orders, horizon="30D", as_of="2024-03-01")
    >>> table[["group", "n", "outcomes", "rate", "lower", "upper"]].round(3)
            group  n  outcomes  rate  lower  upper
    0   promoters  2         1   0.5  0.095  0.905
    1    passives  0         0   NaN    NaN    NaN
    2  detractors  1         1   1.0  0.207  1.000
    """
    length = microseconds("horizon", horizon, above_0=True)
    one_of("outcome", outcome, get_args(Outcome))
    boolean("by_score", by_score)
    probability("confidence_level", confidence_level)
    limits = check_scale(scale)
    edges = (0.0, 0.0) if by_score else check_cuts(cuts, limits)
    options = OutcomeOptions(
        customer=customer,
        time=outcome_time,
        amount=amount,
        start=start,
        end=end,
        end_is=end_is,
        subscription=subscription,
        gap=gap,
        as_of=as_of,
        missing=missing,
    )
    _check_outcome(options, outcome)
    answers = read_dated_answers(
        responses,
        customer=customer,
        score=score,
        time=time,
        by=by,
        reserved=_RESULT,
        scale=limits,
        missing=missing,
    )
    if outcome == "event":
        events, observed = read_outcome_events(outcomes, answers, options, length)
        found = event_outcomes(answers, events, length, observed)
    else:
        members, observed = read_memberships(outcomes, answers, options)
        found = churn_outcomes(answers, members, length, observed.instant - options.pause)
    _warn_of_unmatched(found.n_unmatched, customer)
    rows = rows_by_score(answers, limits) if by_score else rows_by_group(answers, edges)
    used = last_answers(answers, found, customer)
    columns = rate_columns(rows, found, used, confidence_level)
    segment = np.repeat(np.arange(answers.n_segments), len(rows.labels))
    segments: dict[str, Any] = segment_values(answers.segments, answers.segments, segment)
    columns["n_missing"] = answers.missing[segment]
    return build_like(answers.given, segments | columns)


def _check_outcome(options: OutcomeOptions, outcome: Outcome) -> None:
    """Check that options are given only for the outcome that they are for."""
    if outcome == "churn":
        given, why = {"amount": options.amount is not None}, "which adds nothing up"
    else:
        given = {
            "end_is": options.end_is != "exclusive",
            "subscription": options.subscription is not None,
            "gap": options.pause > 0,
        }
        why = "of which nothing ends"
    for argument in (name for name, one in given.items() if one):
        raise ArgumentError(
            f"`{argument}` is given and `outcome` is {outcome!r}, {why}; leave one out.",
            code="argument_conflict",
            argument=argument,
        )


def _warn_of_unmatched(n_unmatched: int, customer: str) -> None:
    """Warn where the table of outcomes has customers, and none of those who answered."""
    if n_unmatched:
        warn(
            f"of {count_noun(n_unmatched, 'customer')} who answered and whose horizon is over, "
            f"none is among those of `outcomes`; does {named(customer, 'customer')} name customers "
            "alike in both tables?",
            code="no_common_customers",
            argument="customer",
            column=customer,
            rows=n_unmatched,
            total=n_unmatched,
        )
