"""Cohort retention: the share of customers who come back, by the period of their start and age."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, get_args

import narwhals.stable.v2 as nw
import numpy as np

from retainkit._checks import boolean, integer, one_of, probability, rising_edges
from retainkit._frames.input import collect, count_rows
from retainkit._frames.output import build_like
from retainkit._frames.reducer import reducer
from retainkit._frames.segments import segment_values
from retainkit._inputs.cohort_table import COHORT_COLUMNS
from retainkit._inputs.events import Events, read_events
from retainkit._messages import count_noun, named, warn
from retainkit._stats.intervals import ratio, wilson
from retainkit._time.grid import PeriodGrid, period_grid
from retainkit._time.moment import Moment
from retainkit.errors import ArgumentError
from retainkit.retention import _eager, _lazy
from retainkit.retention._spec import ENTRIES, CohortCounts, CohortSpec, ExclusionReason
from retainkit.retention._triangle import RetentionTriangle, retention_triangle
from retainkit.typing import Clock, Counting, Entry, IntoTable, Missing, Period, TableT, Weekday


def cohort_retention(
    events: TableT | IntoTable[TableT],
    *,
    customer: str = "customer_id",
    time: str = "time",
    amount: str | None = None,
    by: str | Sequence[str] | None = None,
    cohort_time: str | None = None,
    started: str | None = None,
    returned: str | None = None,
    entry: Entry = "first",
    cohort_period: Period = "month",
    period: Period = "month",
    clock: Clock = "calendar",
    counting: Counting = "on",
    brackets: Sequence[int] | None = None,
    min_events: int = 1,
    min_customers: int = 1,
    include_partial: bool = False,
    as_of: str | date | None = None,
    tz: str | None = None,
    week_start: Weekday = "monday",
    missing: Missing = "raise",
    confidence_level: float = 0.95,
) -> TableT:
    r"""Share of each cohort's customers who are active again, by age.

    A *cohort* is the set of customers who start in the same period. Their *age* counts the periods
    since. With :math:`E_{c,k}` the customers of cohort :math:`c` whose period at age :math:`k` has
    ended by `as_of`, and :math:`R_{c,k}` those of them who were active in it, retention is

    .. math:: \text{retention}_{c,k} = |R_{c,k}| / |E_{c,k}|.

    What has not ended yet is never counted as loss: it has no row, or is marked
    (`include_partial`). A customer counts once in a cell, however many events there are.

    Parameters
    ----------
    events : IntoFrame
        One row an event (an order, a login): pandas, Polars (lazy too) or PyArrow, a DuckDB
        relation or a PySpark DataFrame. The order of the rows means nothing.
    customer : str, default "customer_id"
        Column that identifies the customer: integers, strings, UUIDs or categories.
    time : str, default "time"
        Column of dates or datetimes, with or without a time zone.
    amount : str, optional
        Column of money, in its own unit, or of any quantity, to add up in each cell.
    by : str or sequence of str, optional
        Columns of segments. Null is a segment of its own. Each gets a table of its own. A customer
        belongs to the segment of the row that starts the cohort, also when the value changes later;
        where several rows share that instant, to the smallest, with a warning.
    cohort_time : str, optional
        Column with each customer's own start, such as the sign-up: one value for each customer.
        Default: the first event. Use it where the log begins amid the history of its customers,
        whose first row is not their start. What lies before the period of the first row has not
        been observed, and such cells have no row.
    started, returned : str, optional
        Boolean columns that say which rows start a customer, and which count as a return. Default:
        all of them. A row may be both. With them age 0 need not be 1.
    entry : {"first", "recurring"}, default "first"
        ``"first"``: a customer is in one cohort, that of the first start. ``"recurring"``: in the
        cohort of every period with a start, with the ages counted from each.
    cohort_period, period : {"day", "week", "month", "quarter", "year"}, default "month"
        Periods by which customers are grouped, and in which ages are counted. They are independent:
        weekly cohorts with ages in days, for instance.
    clock : {"calendar", "elapsed"}, default "calendar"
        ``"calendar"``: age is the difference of calendar periods; 31 January to 1 February is one
        month. ``"elapsed"``: full steps since the customer's own start, of 24 hours, of 7 days of
        24 hours, or of calendar months on the wall clock (from 31 January, 29 February is one).
    counting : {"on", "on_or_after", "on_or_before", "every"}, default "on"
        Which activity retains a customer at an age: some in that very period, in it or a later one,
        in it or an earlier one, or in every period from age 1 to it.
    brackets : sequence of int, optional
        Edges that gather ages: ``(0, 1, 5, 15)`` for the ages [0, 1), [1, 5) and [5, 15).
        `counting` then speaks of brackets.
    min_events : int, default 1
        Events (that count as a return) that make a customer active in a cell.
    min_customers : int, default 1
        Leave out cohorts with fewer customers, with a warning that counts them.
    include_partial : bool, default False
        Also show what is in progress at `as_of`, with ``complete`` False and no interval: cells
        that were begun by then, and over for nobody yet.
    as_of : str, date or datetime, optional
        Instant at which observation ends; rows at or after it are not used, and counted in a
        warning. Without a time zone it is read in that of `tz`. Default: the midnight that ends the
        day of the last row.
    tz : str, optional
        Time zone in which periods are cut, such as ``"Europe/Berlin"``. Default: the column's own.
    week_start : {"monday", "tuesday", ..., "sunday"}, default "monday"
        Day on which a week begins.
    missing : {"raise", "drop"}, default "raise"
        Whether a null where a value is needed is an error, or its row is left out with a warning
        that counts such rows. Needed are all columns but those of `by`.
    confidence_level : float, default 0.95
        Coverage of the interval, between 0 and 1.

    Returns
    -------
    DataFrame
        A row for every cohort and age that has eligible customers, by segment, cohort and age: a
        new frame of the same kind as `events`; Polars for a LazyFrame, pandas for DuckDB and
        PySpark. An observed zero is a row with 0; so is a cohort without customers, whose rates
        are NaN. What has not been observed has no row.

        - the columns of `by`.
        - ``cohort`` (date): first day of the cohort's period.
        - ``age`` (int): 0, 1, 2 … in units of `period`; with `brackets` the first age of the
          bracket, and ``age_end`` (int) its exclusive end.
        - ``customers`` (int): size of the cohort.
        - ``eligible`` (int): customers whose period at this age has ended by `as_of`.
        - ``retained`` (int): how many of the eligible were active.
        - ``retention`` (float): retained / eligible, a fraction.
        - ``lower``, ``upper`` (float): Wilson's interval for it.
        - ``complete`` (bool): whether all customers of the cohort are eligible.
        - with `amount`, ``amount`` (float): what the eligible spent in the cells that `counting`
          speaks of, and ``amount_per_customer`` (float): amount / eligible.

    Raises
    ------
    MissingColumnError
        If a column is not in the frame (a `KeyError`).
    ColumnTypeError, ArgumentTypeError
        If a column or an argument is of the wrong type (a `TypeError`).
    ArgumentError
        If an argument has a wrong value; if a column has nulls; if naive and aware times meet; if
        a customer has several values of `cohort_time` (a `ValueError`).

    Warns
    -----
    RetainkitWarning
        If something is set aside: rows at or after `as_of`, rows before `cohort_time`, rows with
        nulls, customers who never start, small cohorts. The message says how much.

    See Also
    --------
    retention_matrix : The triangle, cohorts down and ages across.
    retention_curve : One curve over all cohorts.
    retainkit.plot.retention_heatmap : The triangle as a picture.

    Notes
    -----
    Vendors' words for `counting`: ``"on"`` is N-day, bounded or classic retention (Amplitude:
    Return On); ``"on_or_after"`` is unbounded retention, in mobile games often "rolling";
    ``"every"`` is Mixpanel's streak and what GA4 calls rolling.

    The start itself counts as an event. So on-or-before is 1 at every age, unless `returned` tells
    returns from starts, or `brackets` begin after age 0: from an edge at 1 on it is the share that
    has come back at all by now.

    On-or-after favours old cohorts, which have had more time to return: a young cohort's numbers
    still rise although ``complete`` is True.

    The interval covers the chance of so many customers coming back, as if each decided alone; not
    that the next cohort may differ.

    References
    ----------
    .. [1] Wilson, E. B. (1927), "Probable Inference, the Law of Succession, and Statistical
       Inference", Journal of the American Statistical Association 22 (158), 209-212.
    .. [2] Brown, L. D., Cai, T. T. & DasGupta, A. (2001), "Interval Estimation for a Binomial
       Proportion", Statistical Science 16 (2), 101-133.

    Examples
    --------
    January's customers are Ann and Bob; Ann comes back in February, Bob in March. Cyd starts in
    February and comes back in March.

    >>> import pandas as pd
    >>> from retainkit import cohort_retention
    >>> who = ["ann", "bob", "ann", "cyd", "bob", "cyd"]
    >>> days = ["2024-01-05", "2024-01-20", "2024-02-03", "2024-02-14", "2024-03-01", "2024-03-09"]
    >>> orders = pd.DataFrame({"customer_id": who, "time": pd.to_datetime(days)})
    >>> table = cohort_retention(orders, as_of="2024-04-01")
    >>> table[["cohort", "age", "customers", "retained", "retention"]].head(5)
          cohort  age  customers  retained  retention
    0 2024-01-01    0          2         2        1.0
    1 2024-01-01    1          2         1        0.5
    2 2024-01-01    2          2         1        0.5
    3 2024-02-01    0          1         1        1.0
    4 2024-02-01    1          1         1        1.0
    >>> table.loc[1:1, ["lower", "upper"]].round(3)
       lower  upper
    1  0.095  0.905
    """
    one_of("entry", entry, get_args(Entry))
    cohorts = period_grid(cohort_period, week_start, argument="cohort_period")
    ages = period_grid(period, week_start)
    one_of("clock", clock, get_args(Clock))
    one_of("counting", counting, get_args(Counting))
    edges = None if brackets is None else rising_edges("brackets", brackets)
    integer("min_events", min_events, 1)
    integer("min_customers", min_customers, 1)
    boolean("include_partial", include_partial)
    probability("confidence_level", confidence_level)
    _check_start(cohort_time, started, entry)

    columns = {"customer": customer, "time": time, "amount": amount}
    columns |= {"cohort_time": cohort_time, "started": started, "returned": returned}
    log = read_events(
        events, columns=columns, by=by, reserved=COHORT_COLUMNS, tz=tz, missing=missing
    )
    end = log.end_of_observation(as_of)
    log = log.until(end)
    _check_one_start(log, cohort_time)
    spec = CohortSpec(
        begin=_begin(log, ages) if cohort_time is not None else None,
        as_of=end,
        entry=entry,
        cohort_period=cohorts,
        period=ages,
        clock=clock,
        counting=counting,
        brackets=edges,
        min_events=min_events,
    )
    count = reducer(log.rows, lazy=_lazy.count_cohorts, eager=_eager.count_cohorts)
    counts = count(log, spec)
    _warn_of_excluded(counts, columns)
    _warn_of_early_starts(counts, spec)
    cells = _drop_small_cohorts(retention_triangle(counts, spec, log.zone), min_customers)
    if not include_partial:
        cells = cells.where(~cells.in_progress)
    return build_like(log.rows, _retention_columns(cells, counts, log, spec, confidence_level))


def _check_start(cohort_time: str | None, started: str | None, entry: str) -> None:
    if cohort_time is not None and (started is not None or entry == "recurring"):
        other = "`started`" if started is not None else "`entry='recurring'`"
        raise ArgumentError(
            f"`cohort_time` ({cohort_time!r}) gives each customer one start, so {other} has "
            "nothing to say beside it; leave one of them out."
        )


def _check_one_start(log: Events, cohort_time: str | None) -> None:
    if cohort_time is None:
        return
    start = nw.col("cohort_time")
    spans = log.rows.group_by("customer").agg(first=start.min(), last=start.max())
    several = spans.filter(nw.col("first") < nw.col("last"))
    number = count_rows(several)
    if number:
        examples = collect(several.sort("customer").head(3))["customer"].to_list()
        raise ArgumentError(
            f"{named(cohort_time, 'cohort_time')} has several values for {number:,} customers, "
            f"such as {', '.join(map(repr, examples))}; it must hold one start for each."
        )


def _begin(log: Events, ages: PeriodGrid) -> Moment | None:
    """Return the beginning of observation: that of the period of the first event."""
    return None if log.first_event is None else log.first_event.begin_of(ages, log.zone)


def _warn_of_excluded(counts: CohortCounts, columns: Mapping[str, str | None]) -> None:
    texts = {
        ExclusionReason.NEVER_STARTED: (
            "customer in no cohort, without a row before the end of observation "
            "in which {started!r} (given as `started`) is true"
        ),
        ExclusionReason.STARTED_LATE: (
            "customer in no cohort, with a {cohort_time!r} (given as "
            "`cohort_time`) at or after the end of observation"
        ),
        ExclusionReason.SEVERAL_SEGMENTS: (
            "customer with several values of `by` at the instant of the start, "
            "of which the smallest is taken"
        ),
        ExclusionReason.BEFORE_START: (
            "row not counted, before the customer's {cohort_time!r} (given as `cohort_time`)"
        ),
    }
    for reason, text in texts.items():
        if counts.excluded[reason]:
            noun, rest = text.format(**columns).split(maxsplit=1)
            warn(f"{count_noun(counts.excluded[reason], noun)} {rest}.")


def _warn_of_early_starts(counts: CohortCounts, spec: CohortSpec) -> None:
    if spec.begin is None:
        return
    begin = spec.begin.index(spec.cohort_period)
    early = counts.count[(counts.cell == ENTRIES) & (counts.cohort < begin)].sum()
    if early:
        warn(
            f"{count_noun(early, 'customer')} with a start before {spec.begin}, when the rows "
            "begin: what was not observed of them has no row in the result."
        )


def _drop_small_cohorts(cells: RetentionTriangle, min_customers: int) -> RetentionTriangle:
    if min_customers == 1:
        return cells
    small = cells.customers < min_customers
    counted = small & (cells.customers > 0)
    pairs = (cells.segment[counted].tolist(), cells.cohort[counted].tolist())
    left_out = set(zip(*pairs, strict=True))
    if left_out:
        warn(
            f"{count_noun(len(left_out), 'cohort')} with fewer than {min_customers:,} customers "
            "(`min_customers`) left out."
        )
    return cells.where(~small)


def _retention_columns(
    cells: RetentionTriangle,
    counts: CohortCounts,
    log: Events,
    spec: CohortSpec,
    confidence_level: float,
) -> dict[str, Any]:
    """Return the columns of the result."""
    columns: dict[str, Any] = segment_values(counts.segments, log.by, cells.segment)
    columns |= {"cohort": cells.cohort, "age": cells.age}
    if spec.brackets is not None:
        columns["age_end"] = cells.age_end
    lower, upper = wilson(cells.retained, cells.eligible, confidence_level)
    columns |= {
        "customers": cells.customers,
        "eligible": cells.eligible,
        "retained": cells.retained,
        "retention": ratio(cells.retained, cells.eligible),
        # What can only rise has no interval.
        "lower": np.where(cells.in_progress, np.nan, lower),
        "upper": np.where(cells.in_progress, np.nan, upper),
        "complete": (cells.eligible == cells.customers) & ~cells.in_progress,
    }
    if "amount" in log.columns:
        columns["amount"] = cells.amount
        columns["amount_per_customer"] = ratio(cells.amount, cells.eligible)
    return columns
