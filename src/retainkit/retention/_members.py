"""Members of cohorts: who is counted in a cell of cohort retention, and who of them came back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

import narwhals.stable.v2 as nw
import numpy as np

from retainkit._checks import integer
from retainkit._frames.arrow_extensions import as_given
from retainkit._frames.output import build_like, to_native
from retainkit._frames.reducer import reducer
from retainkit._inputs.columns import check_not_reserved
from retainkit._inputs.events import Events
from retainkit._messages import warn
from retainkit._time.grid import PeriodGrid
from retainkit._time.moment import as_of_moment, read_datetime
from retainkit._time.period_options import check_whole_days
from retainkit._typing import Integers, NativeT
from retainkit.errors import ArgumentError
from retainkit.retention import _eager, _lazy
from retainkit.retention._member_rows import cell_columns, lazy_rows, rows_in_memory
from retainkit.retention._reading import (
    CohortOptions,
    CohortPeriods,
    read_cohort_log,
    warn_of_excluded,
)
from retainkit.retention._spec import CohortSpec
from retainkit.retention._triangle import RetentionTriangle, retention_triangle
from retainkit.typing import (
    Amounts,
    Clock,
    Counting,
    Entry,
    IntoFrame,
    IntoFrameT,
    Missing,
    Month,
    PeriodLike,
    Weekday,
)

_OWN = ("cohort", "age", "age_end", "retained")


def cohort_members(
    events: IntoFrameT,
    *,
    cohort: str | date | None = None,
    age: int | None = None,
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
    as_of: str | date | None = None,
    tz: str | None = None,
    week_start: Weekday = "monday",
    origin: str | date | None = None,
    year_start: Month = "january",
    missing: Missing = "raise",
) -> IntoFrameT:
    r"""Customers of each cohort, one by one, and whether they were active again, by age.

    >>> from retainkit import cohort_members, datasets
    >>> cohort_members(datasets.load_cdnow(sample=True), cohort="1997-01-01", age=1).head(3)
       customer_id     cohort  age  retained
    0            4 1997-01-01    1     False
    1           18 1997-01-01    1     False
    2           21 1997-01-01    1     False

    The rows behind the counts of `cohort_retention`: for each customer and age whose period has
    ended by `as_of`, whether the customer was active. With the same options, the rows of a cohort
    and an age are its ``eligible``, and those with ``retained`` its ``retained``.

    Parameters
    ----------
    events : IntoFrame
        One row an event (an order, a login): pandas, Polars (lazy too) or PyArrow, a DuckDB
        relation or a PySpark DataFrame. The order of the rows means nothing.
    cohort : str, date or datetime, optional
        First day of the period of one cohort, as `cohort_retention` shows it. Default: all cohorts.
    age : int, optional
        One age, 0 or more; with `brackets` the first age of one of them. Default: all ages.
    customer : str, default "customer_id"
        Column that identifies the customer: integers, strings, UUIDs or categories.
    time : str, default "time"
        Column of dates or datetimes, with or without a time zone.
    amount : str, optional
        Column of money, in its own unit, or of any quantity, whose refunds `amounts` is about.
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
        warning. They are independent: weekly cohorts with ages in days, for instance. Cohorts
        are named by dates here, and hold whole days: hours are for ages alone.
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

    Returns
    -------
    DataFrame
        A row for every customer of a cohort and age that has been observed: a new frame of the same
        kind as `events`, by segment, cohort, customer and age. Of a lazy frame (Polars' LazyFrame,
        DuckDB, PySpark) a lazy frame of the same engine, in no order.

        - that of the customer under its own name, and the columns of `by`.
        - ``cohort`` (date): first day of the cohort's period.
        - ``age`` (int): 0, 1, 2 … in units of `period`; with `brackets` the first age of the
          bracket, and ``age_end`` (int) its exclusive end.
        - ``retained`` (bool): whether the customer was active at this age, as `counting` says.

    Raises
    ------
    MissingColumnError
        If a column is not in the frame (a `KeyError`).
    ColumnTypeError, ArgumentTypeError
        If a column or an argument is of the wrong type (a `TypeError`).
    ArgumentError
        If an argument has a wrong value, such as a `cohort` that is not the first day of a period;
        if a column has nulls; if amounts are negative; if naive and aware times meet; if a customer
        has several values of `cohort_time`, or several rows in `customers` (a `ValueError`).

    Warns
    -----
    RetainkitWarning
        If something is set aside: rows at or after `as_of`, rows before `cohort_time`, rows with
        nulls, customers who never start, events of customers who are not in `customers`. The
        message says how much. If nothing has been observed of the `cohort` or the `age` asked for.

    See Also
    --------
    cohort_retention : The counts.

    Examples
    --------
    Who of January's customers came in February? Ann did, Bob did not.

    >>> import pandas as pd
    >>> from retainkit import cohort_members
    >>> who = ["ann", "bob", "ann", "cyd", "bob", "cyd"]
    >>> days = ["2024-01-05", "2024-01-20", "2024-02-03", "2024-02-14", "2024-03-01", "2024-03-09"]
    >>> orders = pd.DataFrame({"customer_id": who, "time": pd.to_datetime(days)})
    >>> cohort_members(orders, cohort="2024-01-01", age=1, as_of="2024-04-01")
      customer_id     cohort  age  retained
    0         ann 2024-01-01    1      True
    1         bob 2024-01-01    1     False
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
    check_whole_days(periods.cohort_period)
    begin = None if cohort is None else read_datetime(cohort, "cohort")
    _check_age(age, periods)
    check_not_reserved("`customer`", [customer], _OWN)
    log, spec = read_cohort_log(events, options, periods, [*_OWN, customer])
    number = None if begin is None else _cohort_number(begin, log, spec.cohort_period)
    count = reducer(log.rows, lazy=_lazy.count_cohorts, eager=_eager.count_cohorts)
    counts = count(log, spec)
    warn_of_excluded(counts, options, log.n_rows)
    cells = retention_triangle(counts, spec, log.zone)
    there = cells.where(cells.customers > 0)
    own = there if number is None else there.where(there.cohort == number)
    known = own.where(~own.in_progress)
    shown = known if age is None else known.where(known.age == age)
    if len(there.age) and not len(shown.age):
        _warn_of_nothing(there.cohort, known.age, spec, number if len(own.age) == 0 else None)
    columns = [name for name in _OWN if name != "age_end" or brackets is not None]
    return as_given(_result(log, spec, shown, customer, columns), events)


def _cohort_number(begin: datetime, log: Events, grid: PeriodGrid) -> int:
    """Return the number of the cohort that begins at a time."""
    moment = as_of_moment(begin, log.zone, "cohort")
    number = moment.index(grid)
    if moment.opens(grid) and grid.holds(np.array([number])).all():
        return number
    need = f"write the first day of one of the {grid.plural}"
    if grid.holds(np.array([number])).all():
        first = grid.label(np.array([number]))[0]
        need = f"write its first day, such as '{first}'"
    raise ArgumentError(
        f"`cohort` is {str(moment)!r}, on which no {grid.name} begins; {need}.",
        code="argument_value",
        argument="cohort",
    )


def _warn_of_nothing(
    cohorts: Integers, ages: Integers, spec: CohortSpec, without: int | None
) -> None:
    """Warn that nothing has been observed of what is asked for: of its cohort, or of its age.

    A cohort `without` customers that lies amid others is known to have none.
    """
    if without is None:
        known = f"from {ages.min()} to {ages.max()} have" if len(ages) else "have not yet"
        text = f"ages {known} been observed by {spec.as_of}"
    else:
        grid = spec.cohort_period
        ends = np.array([cohorts.min(), max(cohorts.max(), spec.as_of.last_begun(grid))])
        if ends[0] <= without <= ends[1]:
            return
        first, last = grid.first_day(ends).astype("datetime64[D]")
        text = f"cohorts from {first} to {last} have been observed"
    warn(
        f"the result is empty: {text}.",
        code="nothing_observed",
        argument="age" if without is None else "cohort",
    )


def _check_age(age: int | None, periods: CohortPeriods) -> None:
    """Check that an age is one that a result can have."""
    if age is None:
        return
    integer("age", age, 0)
    if periods.brackets is not None and age not in periods.brackets[:-1]:
        first = ", ".join(map(str, periods.brackets[:-1]))
        raise ArgumentError(
            f"`age` is {age}; with `brackets` it must be the first age of one of them: {first}.",
            code="argument_value",
            argument="age",
        )


def _result(
    log: Events, spec: CohortSpec, cells: RetentionTriangle, customer: str, own: Sequence[str]
) -> NativeT:  # type: ignore[type-var]
    """Return the rows of the members in some cells, under the names of the caller."""
    shown = cell_columns(spec, cells)
    names = {"customer": customer, **dict(zip(log.keys, log.by, strict=True))}
    names |= {name: name for name in own}
    if isinstance(log.rows, nw.LazyFrame):
        rows = lazy_rows(log, spec, shown)
        return to_native(rows.select(**{name: nw.col(key) for key, name in names.items()}))
    columns = rows_in_memory(log, spec, shown)
    return build_like(log.rows, {name: columns[key] for key, name in names.items()})
