"""Labelled snapshots of customers, and the instants at which they are taken."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, tzinfo
from itertools import count
from typing import Any

from retainkit._checks import one_of
from retainkit._frames.arrow_extensions import as_given
from retainkit._inputs.columns import check_not_reserved, segment_names
from retainkit._inputs.zones import check_tz
from retainkit._time.calendar_steps import later
from retainkit._time.moment import Moment, as_of_moment, end_of_day, read_datetime
from retainkit._time.periods import PERIODS
from retainkit._time.zones import zone_of
from retainkit.customers._labelled import AHEAD, AS_OF, CHURNED, labelled_views
from retainkit.customers._options import ViewOptions
from retainkit.customers._snapshot_options import SnapshotOptions
from retainkit.customers._tables import ViewTables, read_tables
from retainkit.errors import ArgumentError
from retainkit.typing import EndIs, IntoFrameT, Length, Missing, Outcome, Period


def churn_snapshots(
    orders: IntoFrameT,
    *,
    as_of: str | date | Sequence[str | date],
    horizon: Length,
    lead: Length = "0D",
    outcome: Outcome = "event",
    active_within: Length | None = None,
    until: str | date | None = None,
    include_open: bool = False,
    customer: str = "customer_id",
    time: str = "time",
    amount: str | None = None,
    order: str | None = None,
    known_at: str | None = None,
    customers: Any = None,
    sources: Mapping[str, Any] | None = None,
    subscriptions: Any = None,
    start: str = "start",
    end: str = "end",
    subscription_amount: str | None = None,
    end_is: EndIs = "exclusive",
    gap: Length = "0D",
    windows: Sequence[Length] = ("28D", "90D", "365D"),
    by: str | Sequence[str] | None = None,
    tz: str | None = None,
    missing: Missing = "raise",
) -> IntoFrameT:
    r"""Labelled rows for models of churn: views of customers, and what came next beside them.

    >>> from retainkit import churn_snapshots, datasets
    >>> dates = ["1997-07-01", "1997-10-01"]
    >>> table = churn_snapshots(datasets.load_cdnow(), as_of=dates, horizon="90D", windows=["90D"])
    >>> table.groupby("as_of")["churned"].agg(["size", "sum"])
                 size    sum
    as_of
    1997-07-01  23570  19363
    1997-10-01  23570  19393

    A snapshot is the view of its instant, so that there is no second place where what was not yet
    known could get in. The outcome shows in the window

    .. math:: [\text{as\_of} + \text{lead},\ \text{as\_of} + \text{lead} + \text{horizon}),

    and a snapshot whose window is not over at the end of observation is left out: it would call
    those churned who have yet to order.

    Parameters
    ----------
    orders : IntoFrame
        One row an order, or a line of one: pandas, Polars (lazy too) or PyArrow, a DuckDB relation
        or a PySpark DataFrame.
    as_of : str, date, datetime, or a sequence of them
        Instants of the snapshots, for instance of `snapshot_dates`. Without a time zone they are
        read in that of `tz`.
    horizon : str or timedelta
        Length of the window in which the outcome shows, such as ``"90D"``. Months are refused.
    lead : str or timedelta, default "0D"
        How long after an instant the window begins: as long as it takes to act. Who orders within
        it alone has churned.
    outcome : {"event", "churn"}, default "event"
        Who has churned: whoever orders nothing in the window; or of those subscribed at the
        instant, who have the only rows then, whoever is not at the end of the window.
    active_within : str or timedelta, optional
        Keep those with an order so long before the instant, such as ``"90D"``: the customers whom a
        definition by inactivity calls active.
    until : str, date or datetime, optional
        End of observation; rows at or after it are not used. Default: the midnight that ends the
        day of the last row or, for churn, of the last start if that is later.
    include_open : bool, default False
        Keep snapshots whose window is not over, without an outcome: the customers to score today.
    customer : str, default "customer_id"
        Column that identifies the customer: integers, strings, UUIDs or categories. `customers` and
        `subscriptions` have it, too.
    time : str, default "time"
        Column of dates or datetimes, with or without a time zone.
    amount : str, optional
        Column of money, in its own unit. A row of a negative amount is a refund: it is in every
        sum, and it is no order.
    order : str, optional
        Column that identifies the order that a row is a line of. Default: every row is an order.
    known_at : str, optional
        Column of dates or datetimes: when a row reached the table. Rows that were not yet there
        are not used, whatever their time.
    customers : IntoFrame, optional
        One row a customer, of the same kind: attributes, carried along just as they are. With it,
        everybody in it has a row, orders or not.
    sources : mapping of str to IntoFrame or Source, optional
        Further tables by their names, such as visits, tickets or answers, of the same kind. A bare
        frame has the columns ``customer_id`` and ``time``; `Source` names others.
    subscriptions : IntoFrame, optional
        One row a subscription, which runs over [start, end): pandas, Polars (lazy too) or PyArrow,
        a DuckDB relation or a PySpark DataFrame. A customer may have several at once.
    start : str, default "start"
        Column of dates or datetimes, with or without a time zone. `subscriptions` has it.
    end : str, default "end"
        Column of dates or datetimes, null where a subscription still runs. `subscriptions` has it.
    subscription_amount : str, optional
        Column of `subscriptions` with what they bring. Those of 0 (trials, free plans) are left
        out, with a warning that counts them.
    end_is : {"exclusive", "last_day"}, default "exclusive"
        Whether an end is the moment from which a subscription no longer runs, or the last day on
        which it does: then it runs to the midnight after that day, in `tz`.
    gap : str or timedelta, default "0D"
        Longest break between subscriptions that is not churn, such as ``"3D"`` or ``"12H"``: who
        has none longer has been subscribed throughout.
    windows : sequence of str or timedelta, default ("28D", "90D", "365D")
        Lengths of time before an instant in which is counted: days and weeks of the wall clock, or
        hours. Months are refused, which are not equally long. Whole weeks keep weekdays in balance.
    by : str or sequence of str, optional
        Columns of segments. Null is a segment of its own. They are those of `customers` where it
        has them, else of `orders`, with one value throughout for each customer.
    tz : str, optional
        Time zone in which periods are cut, such as ``"Europe/Berlin"``. Default: the column's own.
    missing : {"raise", "drop"}, default "raise"
        Whether a null where a value is needed is an error, or its row is left out with a warning
        that counts such rows, table by table. Needed are all columns that are named but those of
        `by`, `end`, and of a source `closed` and `last`; a null `subscription_amount` is always an
        error.

    Returns
    -------
    DataFrame
        Rows by instant and customer: a new frame of the same kind as `orders`, lazy (and in no
        order) if it is. Integers that may be null are of a nullable type.

        - ``as_of`` (datetime): the instant.
        - the columns of `by`, and that of the customer under its own name.
        - with `customers`, ``in_customers`` (bool): whether they are in that table, and its other
          columns; null for those who are not.
        - ``tenure_days``, ``recency_days`` (int): calendar days from the first and from the last
          order to the instant; null without an order.
        - ``orders`` (int): distinct values of `order`, or rows; ``amount`` (float), with `amount`:
          their sum.
        - ``orders_28d``, ``orders_90d``, ``orders_365d`` (int): orders in each of the `windows`;
          with `amount`, ``amount_28d``, ``amount_90d``, ``amount_365d`` (float): their sum;
          ``active_days_28d``, ``active_days_90d``, ``active_days_365d`` (int): distinct days with
          an order; ``orders_change_28d``, ``orders_change_90d``, ``orders_change_365d`` (int): the
          orders in the window less those in the equally long one before it, null where
          ``tenure_days`` is below both together.
        - for each source, such as tickets: ``tickets`` (int): its rows; ``tickets_28d`` (int);
          ``tickets_last_days`` (int): days since the last one, null without one. With its `amount`,
          such as minutes: ``tickets_minutes``, ``tickets_minutes_28d`` (float). With its `last`,
          such as score: ``tickets_score`` and ``tickets_score_days`` (int): the latest value, and
          its age. With its `closed`, ``tickets_open`` (int): rows that were not closed by then.
        - with `subscriptions`, ``subscribed`` (bool): whether one runs at the instant, an end at
          that very instant included, as in `churn_rate`; ``subscription_days`` (int): since when
          without a break, null if not; with `subscription_amount`, ``subscription_amount`` (float):
          the sum of what runs.
        - ``churned`` (int): 1 or 0; null where the window is not over, with `include_open`.
        - with `amount`, ``amount_ahead`` (float): money of all rows in the window, refunds too;
          null where it is not over.

    Raises
    ------
    MissingColumnError
        If a column is not in a frame (a `KeyError`).
    ColumnTypeError, ArgumentTypeError
        If a column or an argument is of the wrong type; if ids are numbers in one table and text in
        another; if tables are of different kinds (a `TypeError`).
    ArgumentError
        If an argument has a wrong value; if a column has nulls; if a customer is in `customers`
        twice, or has several values of `by`; if some times have a zone and others none; if a source
        or an attribute is called like a column of the result; if an instant is there twice (a
        `ValueError`).

    Warns
    -----
    RetainkitWarning
        If a snapshot is left out since its window is not over, or nobody is in it. If windows
        overlap: rows of a customer then share events. If rows are set aside, as in `customer_view`.

    See Also
    --------
    snapshot_dates : Instants a month apart.
    fit_churn_risk : A model of them, whose errors know that customers come back.
    customer_view : The columns, at one instant.

    Notes
    -----
    Why it exists: with features counted up to the end of the window of the outcome, a model of
    CDNOW's customers at the start of 1998 tells churned from not with an AUC of 1.000 by recency
    alone. Known at the time, recency has .793.

    `known_at` is about features. A row that arrived late counts in the outcome.

    References
    ----------
    .. [1] Kaufman, S., Rosset, S., Perlich, C. & Stitelman, O. (2012), "Leakage in Data Mining:
       Formulation, Detection, and Avoidance", ACM Transactions on Knowledge Discovery from Data
       6 (4), article 15.

    Examples
    --------
    At the start of March both customers have ordered. In the 30 days from then on Ann does again,
    for 30, and Bob does not:

    >>> import pandas as pd
    >>> from retainkit import churn_snapshots
    >>> days = ["2024-01-10", "2024-02-01", "2024-03-15", "2024-04-20"]
    >>> who = ["ann", "bob", "ann", "bob"]
    >>> orders = pd.DataFrame({"customer_id": who, "time": pd.to_datetime(days)})
    >>> orders["amount"] = [10.0, 20.0, 30.0, 40.0]
    >>> table = churn_snapshots(orders, as_of="2024-03-01", horizon="30D", amount="amount")
    >>> table[["as_of", "customer_id", "recency_days", "orders", "churned", "amount_ahead"]]
           as_of customer_id  recency_days  orders  churned  amount_ahead
    0 2024-03-01         ann            51       1        0          30.0
    1 2024-03-01         bob            29       1        1           0.0
    """
    own = SnapshotOptions(
        as_of=as_of,
        horizon=horizon,
        lead=lead,
        outcome=outcome,
        active_within=active_within,
        until=until,
        include_open=include_open,
        has_subscriptions=subscriptions is not None,
    )
    spec = own.validate()
    options = ViewOptions(
        customer=customer,
        time=time,
        amount=amount,
        order=order,
        known_at=known_at,
        customers=customers,
        sources=sources,
        subscriptions=subscriptions,
        start=start,
        end=end,
        subscription_amount=subscription_amount,
        end_is=end_is,
        gap=gap,
        windows=windows,
        by=by,
        tz=tz,
        missing=missing,
    )
    view = options.validate()
    labels = (AS_OF, CHURNED, AHEAD)
    check_not_reserved("`customer`", [customer], labels)
    segment_names(by, labels)
    check_not_reserved("`sources`", view.sources, labels)
    tables = read_tables(orders, options, view, reserved=labels)
    snapshots = spec.snapshots(tables.zone, _until(tables, until, outcome))
    if snapshots:
        tables.check_segments(snapshots[-1].moment)
    return as_given(labelled_views(tables, view, spec, snapshots), orders)


def _until(tables: ViewTables, until: str | date | None, outcome: Outcome) -> Moment:
    """Return the end of observation: `until`, or the midnight that ends the last day."""
    if until is not None:
        return as_of_moment(until, tables.zone, "until")
    if tables.orders.last is None:  # of no rows any end is as good as another
        return as_of_moment("9999-12-31", tables.zone)
    last = [tables.orders.last.instant]
    if outcome == "churn" and tables.history is not None:
        last.append(tables.history.last_start())
    return end_of_day(max(last), tables.zone)


def snapshot_dates(
    start: str | date, end: str | date, *, every: Period = "month", tz: str | None = None
) -> list[datetime]:
    """Instants at which to take snapshots of customers: each a period after the one before.

    >>> from retainkit import snapshot_dates
    >>> [str(one.date()) for one in snapshot_dates("2024-01-31", "2024-05-01")]
    ['2024-01-31', '2024-02-29', '2024-03-31', '2024-04-30']

    The k-th is k periods after `start`, counted from there: after a month's last day comes the last
    day of the next one, however short that is, and the 31st returns.

    Parameters
    ----------
    start : str, date or datetime
        First instant.
    end : str, date or datetime
        Instant before which they lie.
    every : {"hour", "day", "week", "month", "quarter", "year"}, default "month"
        Length of the period between two of them.
    tz : str, optional
        Time zone on whose clock they lie, such as ``"Europe/Berlin"``. Without it they have none,
        and `churn_snapshots` reads them in the zone of the orders.

    Returns
    -------
    list of datetime
        The instants in [start, end), ascending; none where `end` is not after `start`.

    Raises
    ------
    ArgumentError, ArgumentTypeError
        If `start` or `end` is no time, or has a zone of its own beside `tz`; if `every` is no
        period, or `tz` no zone (a `ValueError`, a `TypeError`).

    See Also
    --------
    churn_snapshots : What they are for.

    Examples
    --------
    Weeks at the same hour, through the night in which the clocks go forward:

    >>> from retainkit import snapshot_dates
    >>> dates = snapshot_dates("2024-03-25", "2024-04-03", every="week", tz="Europe/Berlin")
    >>> [one.isoformat() for one in dates]
    ['2024-03-25T00:00:00+01:00', '2024-04-01T00:00:00+02:00']
    """
    first, last = read_datetime(start, "start"), read_datetime(end, "end")
    one_of("every", every, PERIODS)
    check_tz(tz)
    zone = None if tz is None else zone_of(tz, "tz")
    first, last = (
        _on_clock(one, argument, zone) for argument, one in (("start", first), ("end", last))
    )
    if (first.tzinfo is None) != (last.tzinfo is None):
        raise ArgumentError(
            f"`start` is {start!r} and `end` is {end!r}: give both a time zone, or none.",
            code="mixed_zones",
            argument="end",
        )
    found: list[datetime] = []
    for k in count():
        try:
            one = later(first, k, every)
        except (OverflowError, ValueError):  # the calendar ends
            return found
        if one >= last:
            return found
        found.append(one)
    return found


def _on_clock(value: datetime, argument: str, zone: tzinfo | None) -> datetime:
    """Return a time on the clock of a zone, where there is one."""
    if zone is None:
        return value
    if value.tzinfo is not None:
        raise ArgumentError(
            f"`{argument}` is {value.isoformat()!r}, which has a time zone of its own, and `tz` "
            "names another; leave one of them out.",
            code="mixed_zones",
            argument=argument,
        )
    return value.replace(tzinfo=zone)
