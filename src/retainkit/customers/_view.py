"""One row a customer as of an instant."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import narwhals.stable.v2 as nw

from retainkit._frames.arrow_extensions import as_given
from retainkit._frames.output import build_like, select_to_native
from retainkit._inputs.observation import check_as_of
from retainkit._time.moment import Moment, as_of_moment
from retainkit._typing import NativeT
from retainkit.customers._eager_view import code_tables, view_in_memory
from retainkit.customers._lazy_view import lazy_view, warn_of_strange_tables
from retainkit.customers._options import ViewOptions, ViewSpec
from retainkit.customers._tables import ViewTables, read_tables
from retainkit.typing import EndIs, IntoFrameT, Length, Missing


def customer_view(
    orders: IntoFrameT,
    *,
    as_of: str | date,
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
    """One row a customer, with all that was known of them at an instant.

    >>> from retainkit import customer_view, datasets
    >>> orders = datasets.load_cdnow().query("time < '1998-01-01'")
    >>> view = customer_view(orders, as_of="1998-01-01", amount="amount", windows=["90D"])
    >>> view[["customer_id", "recency_days", "orders", "amount", "orders_90d"]].head(2)
       customer_id  recency_days  orders  amount  orders_90d
    0            1           365       1   11.77           0
    1            2           354       2   89.00           0

    Rows with a time before `as_of` are used, and no others: a window of length :math:`w` is
    [as_of - w, as_of), so that a row at `as_of` itself is not yet known, and one at its beginning
    is in it. Every table is reduced to one row a customer before they are joined, so that no order
    is counted once for each of its lines, or tickets.

    Parameters
    ----------
    orders : IntoFrame
        One row an order, or a line of one: pandas, Polars (lazy too) or PyArrow, a DuckDB relation
        or a PySpark DataFrame.
    as_of : str, date or datetime
        Instant before which everything is known. Without a time zone it is read in that of `tz`. It
        has no default: tables end on different days.
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
        Lengths of time before `as_of` in which is counted: days and weeks of the wall clock, or
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
        A row for everybody who was seen in any table before `as_of`, or is in `customers`, in
        ascending order: a new frame of the same kind as `orders`, lazy (and in no order) if it is.
        Counts and sums of nothing are 0. Integers that may be null are of a nullable type.

        - the columns of `by`, and that of the customer under its own name.
        - with `customers`, ``in_customers`` (bool): whether they are in that table, and its other
          columns; null for those who are not.
        - ``tenure_days``, ``recency_days`` (int): calendar days from the first and from the last
          order to `as_of`; null without an order.
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
        - with `subscriptions`, ``subscribed`` (bool): whether one runs at `as_of`, an end at that
          very instant included, as in `churn_rate`; ``subscription_days`` (int): since when without
          a break, null if not; with `subscription_amount`, ``subscription_amount`` (float): the sum
          of what runs.

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
        or an attribute is called like a column of the result (a `ValueError`).

    Warns
    -----
    RetainkitWarning
        If rows are set aside: with nulls, at or after `as_of`, or not known before it. If a table
        shares no customer with any other. If a customer has several latest values at one instant,
        of which the greatest is taken.

    See Also
    --------
    churn_snapshots : The same at several instants, with what came next beside it.
    rfm_summary : What the models of lifetime value need.

    Notes
    -----
    Known elsewhere as customer 360, single customer view or golden record, its columns as computed
    traits or features, `as_of` as cutoff time, and the rule as point-in-time join.

    `customers` is carried as it is today: beside an `as_of` of last year, an attribute that has
    changed since tells what was not known then. Leave such columns out, or give them as a `Source`
    with `last`.

    An end at or after `as_of` reads as running, since nobody had to know of it. Nor does a
    subscription run that has ended and resumes later within the `gap`.

    References
    ----------
    .. [1] Kaufman, S., Rosset, S., Perlich, C. & Stitelman, O. (2012), "Leakage in Data Mining:
       Formulation, Detection, and Avoidance", ACM Transactions on Knowledge Discovery from Data
       6 (4), article 15.

    Examples
    --------
    Two customers, and a ticket of one of them. The order on 1 April is not yet known that day:

    >>> import pandas as pd
    >>> from retainkit import customer_view
    >>> days = ["2024-01-05", "2024-03-20", "2024-04-01", "2024-03-30"]
    >>> orders = pd.DataFrame({"customer_id": [1, 1, 1, 2], "time": pd.to_datetime(days)})
    >>> known = orders[orders["time"] < "2024-04-01"]
    >>> tickets = pd.DataFrame({"customer_id": [2], "time": pd.to_datetime(["2024-03-31"])})
    >>> view = customer_view(known, as_of="2024-04-01", sources={"tickets": tickets})
    >>> view[["customer_id", "tenure_days", "recency_days", "orders", "orders_28d", "tickets"]]
       customer_id  tenure_days  recency_days  orders  orders_28d  tickets
    0            1           87            12       2           1        0
    1            2            2             2       1           1        1
    """
    check_as_of(as_of)
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
    spec = options.validate()
    tables = read_tables(orders, options, spec)
    moment = as_of_moment(as_of, tables.zone)
    tables.warn_of_unused(moment)
    tables.check_segments(moment)
    return as_given(view_at(tables, spec, moment), orders)


def view_at(tables: ViewTables, spec: ViewSpec, end: Moment) -> NativeT:  # type: ignore[type-var]
    """Return the native view at a moment."""
    rows = tables.orders.rows
    if isinstance(rows, nw.LazyFrame):
        warn_of_strange_tables(tables)
        plan, names = lazy_view(tables, spec, end)
        return select_to_native(plan, names)
    columns, _ = view_in_memory(code_tables(tables), spec, end)
    return build_like(rows, columns)
