"""Cohort retention: the share of customers who come back, by the period of their start and age."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import numpy as np

from retainkit._checks import boolean, integer, probability
from retainkit._frames.output import build_like
from retainkit._frames.reducer import reducer
from retainkit._frames.segments import segment_values
from retainkit._inputs.cohort_table import COHORT_COLUMNS
from retainkit._inputs.events import Events
from retainkit._messages import count_noun, warn
from retainkit._stats.intervals import ratio, wilson
from retainkit._typing import Booleans
from retainkit.retention import _eager, _lazy
from retainkit.retention._reading import (
    CohortOptions,
    read_cohort_log,
    warn_of_excluded,
    warn_of_small_cohorts,
)
from retainkit.retention._spec import ENTRIES, CohortCounts, CohortSpec
from retainkit.retention._triangle import RetentionTriangle, retention_triangle
from retainkit.typing import (
    Amounts,
    Clock,
    Counting,
    Entry,
    IntoFrame,
    IntoTable,
    Missing,
    Month,
    PeriodLike,
    TableT,
    Weekday,
)


def cohort_retention(
    events: TableT | IntoTable[TableT],
    *,
    customer: str = "customer_id",
    time: str = "time",
    amount: str | None = None,
    amounts: Amounts = "raise",
    by: str | Sequence[str] | None = None,
    cohort_time: str | None = None,
    started: str | None = None,
    returned: str | None = None,
    customers: IntoFrame | None = None,
    entry: Entry = "first",
    cohort_period: PeriodLike = "month",
    period: PeriodLike = "month",
    clock: Clock = "calendar",
    counting: Counting = "on",
    brackets: Sequence[int] | None = None,
    min_events: int = 1,
    min_customers: int = 1,
    include_partial: bool = False,
    as_of: str | date | None = None,
    tz: str | None = None,
    week_start: Weekday = "monday",
    origin: str | date | None = None,
    year_start: Month = "january",
    missing: Missing = "raise",
    confidence_level: float = 0.95,
) -> TableT:
    r"""Share of each cohort's customers who are active again, by age.

    >>> from retainkit import cohort_retention, datasets
    >>> table = cohort_retention(datasets.load_cdnow(sample=True)).set_index("cohort")
    >>> table[["age", "customers", "retained", "retention", "lower", "upper"]].head(3).round(3)
                age  customers  retained  retention  lower  upper
    cohort
    1997-01-01    0        781       781      1.000  0.995  1.000
    1997-01-01    1        781       124      0.159  0.135  0.186
    1997-01-01    2        781        95      0.122  0.101  0.146

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
    amounts : {"raise", "net", "keep"}, default "raise"
        What to do with negative amounts. ``"raise"``: refuse them. ``"net"``: set them against what
        else the customer paid in the same period; where the net is negative there is no purchase,
        and customers left without any are counted in a warning. ``"keep"``: take them as they are.
        An amount, or a net, of zero is a purchase.
    by : str or sequence of str, optional
        Columns of segments. Null is a segment of its own. Each gets a table of its own. A customer
        belongs to the segment of the row that starts the cohort, also when the value changes later;
        where several rows share that instant, to the smallest, with a warning.
    cohort_time : str, optional
        Column with each customer's own start, such as the sign-up: one value for each customer.
        Default: the first event. Use it where customers start who never come, and where the log
        begins amid the history of its customers, whose first row is not their start. What lies
        before the period of the first row has not been observed, and such cells have no row.
    started, returned : str, optional
        Boolean columns that say which rows start a customer, and which count as a return. Default:
        all of them. A row may be both. With them age 0 need not be 1.
    customers : IntoFrame, optional
        Table of one row a customer, of any kind, in which `customer`, `cohort_time` and `by` name
        columns. Whoever is in it and has no event has not come yet, and counts as a customer.
        Events of customers who are not in it are not used, and counted in a warning. Without it
        `events` may be what a left join leaves: for each customer who never came one row, with a
        null time beside `cohort_time`.
    entry : {"first", "recurring"}, default "first"
        ``"first"``: a customer is in one cohort, that of the first start. ``"recurring"``: in the
        cohort of every period with a start, with the ages counted from each.
    cohort_period, period : str, timedelta or sequence of date, default "month"
        Periods by which customers are grouped, and in which ages are counted: ``"hour"``,
        ``"day"``, ``"week"``, ``"month"``, ``"quarter"`` or ``"year"``; a number of days or weeks,
        such as ``"14 days"``, counted from `origin`; or a list of the dates or times between
        periods, with the end of the last: who starts outside is in no cohort, and counted in a
        warning. They are independent: weekly cohorts with ages in days, for instance.
    clock : {"calendar", "elapsed"}, default "calendar"
        ``"calendar"``: age is the difference of calendar periods; 31 January to 1 February is one
        month. ``"elapsed"``: full steps since the customer's own start, of 24 hours, of 7 days of
        24 hours, or of calendar months on the wall clock (from 31 January, 29 February is one).
    counting : {"on", "on_or_after", "on_or_before", "every"}, default "on"
        Which activity retains a customer at an age: some in that very period, in it or a later one,
        in it or an earlier one, or in every period from age 1 to it. For the last two a cohort must
        have been observed from age 0 on: else, as where `cohort_time` lies before the first event,
        it has no rows.
    brackets : sequence of int, optional
        Edges that gather ages: ``(0, 1, 5, 15)`` for the ages [0, 1), [1, 5) and [5, 15).
        `counting` then speaks of brackets.
    min_events : int, default 1
        Events (that count as a return) that make a customer active in a cell.
    min_customers : int, default 1
        Leave out cohorts with fewer customers: a warning counts them.
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
    origin : str, date or datetime, optional
        Day from which periods of a number of days or weeks are counted, forwards and back, such as
        the first of a sprint. Default: the first `week_start` of 1970, whatever the rows are.
    year_start : {"january", "february", ..., "december"}, default "january"
        Month in which a year begins, and with it the first quarter, as fiscal years do.
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
        - ``cohort`` (date): first day of the cohort's period. Of hours, and where an edge is no
          midnight, a time (datetime), in the zone of `tz`.
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
        If an argument has a wrong value; if a column has nulls; if amounts are negative; if naive
        and aware times meet; if a customer has several values of `cohort_time`, or several rows in
        `customers` (a `ValueError`).

    Warns
    -----
    RetainkitWarning
        If something is set aside: rows at or after `as_of`, rows before `cohort_time`, rows with
        nulls, customers who never start, events of customers who are not in `customers`, small
        cohorts. The message says how much.

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

    Without `amount` a row is an event, whatever it is: leave refunds out, or they count as visits.
    A refund in a later period than its purchase does not undo the purchase, by ``"net"`` neither.

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
    options = CohortOptions(
        customer=customer,
        time=time,
        amount=amount,
        amounts=amounts,
        by=by,
        cohort_time=cohort_time,
        started=started,
        returned=returned,
        customers=customers,
        entry=entry,
        cohort_period=cohort_period,
        period=period,
        clock=clock,
        counting=counting,
        brackets=brackets,
        min_events=min_events,
        as_of=as_of,
        tz=tz,
        week_start=week_start,
        origin=origin,
        year_start=year_start,
        missing=missing,
    )
    periods = options.validate()
    integer("min_customers", min_customers, 1)
    boolean("include_partial", include_partial)
    probability("confidence_level", confidence_level)
    log, spec = read_cohort_log(events, options, periods, COHORT_COLUMNS)
    count = reducer(log.rows, lazy=_lazy.count_cohorts, eager=_eager.count_cohorts)
    counts = count(log, spec)
    warn_of_excluded(counts, options, log.n_rows)
    _warn_of_early_starts(counts, spec)
    cells = _drop_small_cohorts(retention_triangle(counts, spec, log.zone), min_customers)
    if not include_partial:
        cells = cells.where(~cells.in_progress)
    return build_like(log.rows, _retention_columns(cells, counts, log, spec, confidence_level))


def _warn_of_early_starts(counts: CohortCounts, spec: CohortSpec) -> None:
    if spec.begin is None:
        return
    begin = spec.begin.index(spec.cohort_period)
    early = counts.count[(counts.cell == ENTRIES) & (counts.cohort < begin)].sum()
    if early:
        warn(
            f"{count_noun(early, 'customer')} with a start before {spec.begin}, when the rows "
            "begin: what was not observed of them has no row in the result.",
            code="rows_before_start",
            argument="cohort_time",
            rows=int(early),
            total=counts.n_customers(spec.entry),
        )


def _drop_small_cohorts(cells: RetentionTriangle, min_customers: int) -> RetentionTriangle:
    if min_customers == 1:
        return cells
    small = cells.customers < min_customers
    left_out = _count_cohorts(cells, small)
    if left_out:
        warn_of_small_cohorts(left_out, _count_cohorts(cells, cells.customers > 0), min_customers)
    return cells.where(~small)


def _count_cohorts(cells: RetentionTriangle, which: Booleans) -> int:
    """Count the cohorts of some of the cells, but for those without customers."""
    counted = which & (cells.customers > 0)
    pairs = (cells.segment[counted].tolist(), cells.cohort[counted].tolist())
    return len(set(zip(*pairs, strict=True)))


def _retention_columns(
    cells: RetentionTriangle,
    counts: CohortCounts,
    log: Events,
    spec: CohortSpec,
    confidence_level: float,
) -> dict[str, Any]:
    """Return the columns of the result."""
    columns: dict[str, Any] = segment_values(counts.segments, log.by, cells.segment)
    columns |= {"cohort": spec.cohort_period.label(cells.cohort), "age": cells.age}
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
