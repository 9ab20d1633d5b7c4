"""Purchase summaries: frequency, recency, age and value of each customer, out of their orders."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from retainkit._frames.arrow_extensions import as_given
from retainkit._frames.output import to_native, with_text
from retainkit._inputs.observation import check_as_of
from retainkit._inputs.time_unit import TIME_UNIT
from retainkit.purchases._orders import calibration_and_end, read_summary_orders
from retainkit.purchases._reduction import summarize_orders, summarize_purchases
from retainkit.purchases._spec import HOLDOUT, SUMMARY, SummaryOptions
from retainkit.typing import Amounts, IntoFrameT, Missing, Period, Weekday


def rfm_summary(
    transactions: IntoFrameT,
    *,
    customer: str = "customer_id",
    time: str = "time",
    amount: str | None = None,
    by: str | Sequence[str] | None = None,
    as_of: str | date | None = None,
    unit: Period = "day",
    include_first: bool = False,
    amounts: Amounts = "raise",
    exact: bool = False,
    missing: Missing = "raise",
    tz: str | None = None,
    week_start: Weekday = "monday",
    keep: str | Sequence[str] = (),
    keep_first: str | Sequence[str] = (),
) -> IntoFrameT:
    r"""Frequency, recency, age and mean spend of each customer, out of their orders.

    >>> from retainkit import datasets, rfm_summary
    >>> rfm_summary(datasets.load_cdnow(sample=True), amount="amount").head(3).round(2)
       customer_id  frequency  recency    T  monetary_value time_unit
    0            4          3      345  545           23.72       day
    1           18          0        0  542             NaN       day
    2           21          1       12  545           11.77       day

    What BG/NBD, MBG/NBD and Gamma-Gamma need to know of a customer. Orders in the same `unit` are
    one purchase, their money added up. With the first purchase in unit :math:`u_0`, the last in
    :math:`u_x` and observation up to the unit :math:`u_T`,

    .. math:: x = \text{number of units with a purchase} - 1, \quad t_x = u_x - u_0, \quad
        T = u_T - u_0,

    and the monetary value is the mean over the :math:`x` repeat purchases. The first purchase is
    left out of it because everybody has one.

    Parameters
    ----------
    transactions : IntoFrame
        One row an order, or a line of one: pandas, Polars (lazy too) or PyArrow, a DuckDB relation
        or a PySpark DataFrame. The order of the rows means nothing.
    customer : str, default "customer_id"
        Column that identifies the customer: integers, strings, UUIDs or categories.
    time : str, default "time"
        Column of dates or datetimes, with or without a time zone. Dates as text are refused: as
        text, 10 March comes before 2 January.
    amount : str, optional
        Column of money, in its own unit; without it there are no monetary values.
    by : str or sequence of str, optional
        Columns of segments. Null is a segment of its own. They are carried along, with one value
        throughout for each customer.
    as_of : str, date or datetime, optional
        Instant at which observation ends; rows at or after it are not used, and counted in a
        warning. Without a time zone it is read in that of `tz`. Default: the midnight that ends the
        day of the last row.
    unit : {"hour", "day", "week", "month", "quarter", "year"}, default "day"
        Calendar period in which purchases are merged into one, and in which frequency, recency and
        T are counted.
    include_first : bool, default False
        Also count the first purchase, in ``frequency`` and ``monetary_value``. The models want it
        left out.
    amounts : {"raise", "net", "keep"}, default "raise"
        What to do with negative amounts. ``"raise"``: refuse them. ``"net"``: set them against what
        else the customer paid in the same period; where the net is negative there is no purchase,
        and customers left without any are counted in a warning. ``"keep"``: take them as they are.
        An amount, or a net, of zero is a purchase.
    exact : bool, default False
        Merge purchases by day, and measure time in days divided by the length of the unit: 7 for
        weeks, 365.2425 / 12 for months. So the papers have recency and T.
    missing : {"raise", "drop"}, default "raise"
        Whether a null where a value is needed is an error, or its row is left out with a warning
        that counts such rows. Needed are all columns but those of `by`.
    tz : str, optional
        Time zone in which periods are cut, such as ``"Europe/Berlin"``. Default: the column's own.
    week_start : {"monday", "tuesday", ..., "sunday"}, default "monday"
        Day on which a week begins.
    keep : str or sequence of str, default ()
        Further columns to carry along, each with one value throughout for a customer: one that
        changes is refused, for what is only known later explains purchases by themselves.
    keep_first : str or sequence of str, default ()
        Further columns of which the value at the first purchase is carried along, which was known
        at the start: of several the smallest, with a warning that counts such customers. That of
        `amount` is added up over the first purchase, as ``first_amount``.

    Returns
    -------
    DataFrame
        One row a customer with a purchase before `as_of`: a new frame of the same kind as
        `transactions`, by customer in ascending order. Of a lazy frame (Polars' LazyFrame, DuckDB,
        PySpark) a lazy frame of the same engine, in no order.

        - the columns of `by`, and that of the customer under its own name.
        - those of `keep` and `keep_first`, with ``first_amount`` (float) last. Categories come as
          text where the frame is lazy.
        - ``frequency`` (int): x, the units with a repeat purchase.
        - ``recency`` (int): units from the first purchase to the last; 0 where there is only one.
          With `exact` a float, as is T.
        - ``T`` (int): units from the first purchase to the last one observed, which holds the last
          instant before `as_of`. In pandas write ``summary["T"]``: ``summary.T`` is the frame on
          its side.
        - with `amount`, ``monetary_value`` (float): mean amount of a repeat purchase; NaN where
          there is none.
        - ``time_unit`` (str): `unit`, the same in every row, so that a model fitted to the table
          knows what its numbers count.

    Raises
    ------
    MissingColumnError
        If a column is not in the frame (a `KeyError`).
    ColumnTypeError, ArgumentTypeError
        If a column or an argument is of the wrong type (a `TypeError`).
    ArgumentError
        If an argument has a wrong value; if a column has nulls; if amounts are negative; if a
        customer has several values of `by`, or of a column of `keep` (a `ValueError`).

    Warns
    -----
    RetainkitWarning
        If something is set aside: rows at or after `as_of`, rows with nulls, customers without a
        purchase. The message says how much.

    See Also
    --------
    calibration_holdout : The same up to a day, and what came after it.

    Notes
    -----
    By day and week this is ``summary_data_from_transaction_data`` of lifetimes, whose end of
    observation is inclusive: its ``observation_period_end="1997-09-30"`` is ``as_of="1997-10-01"``
    here. It gives a customer without repeat purchases the monetary value 0 instead of NaN, and by
    week it also counts what comes after the end within the week of the end.

    Merging loses what happens within a unit: where customers buy several times in it, choose a
    shorter one. With ``exact=True`` the spans are those of days but in units of `unit`, so that
    models fitted by week or month value a customer alike.

    A refund in a later period than its purchase does not undo the purchase, by ``"net"`` neither.

    References
    ----------
    .. [1] Fader, P. S., Hardie, B. G. S. & Lee, K. L. (2005), "'Counting Your Customers' the Easy
       Way: An Alternative to the Pareto/NBD Model", Marketing Science 24 (2), 275-284.
    .. [2] Fader, P. S., Hardie, B. G. S. & Lee, K. L. (2005), "RFM and CLV: Using Iso-Value Curves
       for Customer Base Analysis", Journal of Marketing Research 42 (4), 415-430.

    Examples
    --------
    Ann orders on the 1st (10), twice on the 4th (20 and 5) and on the 9th (15); Bob on the 6th.

    >>> import pandas as pd
    >>> from retainkit import rfm_summary
    >>> days = ["2024-01-01", "2024-01-04", "2024-01-04", "2024-01-09", "2024-01-06"]
    >>> orders = pd.DataFrame({"customer_id": ["ann"] * 4 + ["bob"], "time": pd.to_datetime(days)})
    >>> orders["amount"] = [10.0, 20.0, 5.0, 15.0, 8.0]
    >>> rfm_summary(orders, amount="amount", as_of="2024-01-11")
      customer_id  frequency  recency  T  monetary_value time_unit
    0         ann          2        8  9            20.0       day
    1         bob          0        0  4             NaN       day

    With what was known of them at the first purchase, for models with covariates:

    >>> orders["channel"] = ["web", "shop", "shop", "web", "shop"]
    >>> early = rfm_summary(orders, amount="amount", keep_first=("channel", "amount"))
    >>> early[["customer_id", "channel", "first_amount", "frequency"]]
      customer_id channel  first_amount  frequency
    0         ann     web          10.0          2
    1         bob    shop           8.0          0
    """
    options = SummaryOptions(
        customer=customer,
        time=time,
        amount=amount,
        by=by,
        as_of=as_of,
        unit=unit,
        include_first=include_first,
        amounts=amounts,
        exact=exact,
        missing=missing,
        tz=tz,
        week_start=week_start,
        keep=keep,
        keep_first=keep_first,
    )
    summary = summarize_orders(transactions, options).frame
    return as_given(to_native(with_text(summary, TIME_UNIT, options.unit)), transactions)


def calibration_holdout(
    transactions: IntoFrameT,
    *,
    calibration_end: str | date,
    customer: str = "customer_id",
    time: str = "time",
    amount: str | None = None,
    by: str | Sequence[str] | None = None,
    as_of: str | date | None = None,
    unit: Period = "day",
    include_first: bool = False,
    amounts: Amounts = "raise",
    exact: bool = False,
    missing: Missing = "raise",
    tz: str | None = None,
    week_start: Weekday = "monday",
    keep: str | Sequence[str] = (),
    keep_first: str | Sequence[str] = (),
) -> IntoFrameT:
    """Summary of each customer up to a day, beside what they bought after it.

    >>> from retainkit import calibration_holdout, datasets
    >>> table = calibration_holdout(datasets.load_cdnow(sample=True), calibration_end="1997-10-01")
    >>> table[["customer_id", "frequency", "recency", "T", "frequency_holdout"]].head(3)
       customer_id  frequency  recency    T  frequency_holdout
    0            4          2      213  272                  1
    1           18          0        0  269                  0
    2           21          1       12  272                  0

    The test of a model of purchases: fit it on the summary at the end of calibration, and hold what
    it expects to what then came. Both parts are half-open: the calibration is before
    `calibration_end`, the holdout from it on and before `as_of`, so that a purchase at the very
    boundary counts once.

    Parameters
    ----------
    transactions : IntoFrame
        One row an order, or a line of one: pandas, Polars (lazy too) or PyArrow, a DuckDB relation
        or a PySpark DataFrame. The order of the rows means nothing.
    calibration_end : str, date or datetime
        Instant at which calibration ends and the holdout begins, read as `as_of` is. It should
        begin a period of `unit` (with `exact`, a day): otherwise purchases in both parts of the
        period count once in each, and a warning says so.
    customer : str, default "customer_id"
        Column that identifies the customer: integers, strings, UUIDs or categories.
    time : str, default "time"
        Column of dates or datetimes, with or without a time zone. Dates as text are refused: as
        text, 10 March comes before 2 January.
    amount : str, optional
        Column of money, in its own unit; without it there are no monetary values.
    by : str or sequence of str, optional
        Columns of segments. Null is a segment of its own. They are carried along, with one value
        throughout for each customer.
    as_of : str, date or datetime, optional
        Instant at which observation ends; rows at or after it are not used, and counted in a
        warning. Without a time zone it is read in that of `tz`. Default: the midnight that ends the
        day of the last row.
    unit : {"hour", "day", "week", "month", "quarter", "year"}, default "day"
        Calendar period in which purchases are merged into one, and in which frequencies and spans
        are counted.
    include_first : bool, default False
        Also count the first purchase, in ``frequency`` and ``monetary_value``. The models want it
        left out.
    amounts : {"raise", "net", "keep"}, default "raise"
        What to do with negative amounts. ``"raise"``: refuse them. ``"net"``: set them against what
        else the customer paid in the same period; where the net is negative there is no purchase,
        and customers left without any are counted in a warning. ``"keep"``: take them as they are.
        An amount, or a net, of zero is a purchase.
    exact : bool, default False
        Merge purchases by day, and measure time in days divided by the length of the unit: 7 for
        weeks, 365.2425 / 12 for months. So the papers have recency, T and duration.
    missing : {"raise", "drop"}, default "raise"
        Whether a null where a value is needed is an error, or its row is left out with a warning
        that counts such rows. Needed are all columns but those of `by`.
    tz : str, optional
        Time zone in which periods are cut, such as ``"Europe/Berlin"``. Default: the column's own.
    week_start : {"monday", "tuesday", ..., "sunday"}, default "monday"
        Day on which a week begins.
    keep : str or sequence of str, default ()
        Further columns to carry along, each with one value throughout for a customer: one that
        changes is refused, for what is only known later explains purchases by themselves.
    keep_first : str or sequence of str, default ()
        Further columns of which the value at the first purchase is carried along, which was known
        at the start: of several the smallest, with a warning that counts such customers. That of
        `amount` is added up over the first purchase, as ``first_amount``.

    Returns
    -------
    DataFrame
        One row a customer with a purchase before `calibration_end`, of the kind and in the order of
        `rfm_summary`, with its columns as they were at `calibration_end`:

        - the columns of `by`, and that of the customer under its own name.
        - those of `keep` and `keep_first`, with ``first_amount`` (float) last. Categories come as
          text where the frame is lazy.
        - ``frequency`` (int), ``recency`` (int), ``T`` (int), the latter two floats with `exact`.
        - with `amount`, ``monetary_value`` (float): mean amount of a repeat purchase, or NaN.
        - ``frequency_holdout`` (int): units with a purchase in the holdout, each a repeat purchase.
        - with `amount`, ``monetary_value_holdout`` (float): mean amount of these; NaN where there
          are none.
        - ``duration_holdout`` (int): units from the last one of the calibration to the last one
          observed: by how much T will have grown. With `exact` a float.
        - ``time_unit`` (str): `unit`, the same in every row.

    Raises
    ------
    MissingColumnError
        If a column is not in the frame (a `KeyError`).
    ColumnTypeError, ArgumentTypeError
        If a column or an argument is of the wrong type (a `TypeError`).
    ArgumentError
        If an argument has a wrong value; if a column has nulls; if amounts are negative; if a
        customer has several values of `by`; if no
        time is left between `calibration_end` and `as_of` (a `ValueError`).

    Warns
    -----
    RetainkitWarning
        If something is set aside: rows at or after `as_of`, rows with nulls, customers whose first
        purchase comes in the holdout, customers without a purchase. The message says how much. Also
        if `calibration_end` lies within a period.

    See Also
    --------
    rfm_summary : The summary alone.

    Notes
    -----
    ``calibration_and_holdout_data`` of lifetimes includes its end of calibration, but only up to
    its midnight: of that day, purchases at noon are in the holdout, by way of a day that counts in
    the calibration's T. It also averages the holdout's money over rows instead of periods.

    References
    ----------
    .. [1] Fader, P. S., Hardie, B. G. S. & Lee, K. L. (2005), "'Counting Your Customers' the Easy
       Way: An Alternative to the Pareto/NBD Model", Marketing Science 24 (2), 275-284.

    Examples
    --------
    Ann orders on the 1st and the 4th, and after the 5th twice on the 9th (15 and 5); Bob does on
    the 2nd only.

    >>> import pandas as pd
    >>> from retainkit import calibration_holdout
    >>> days = ["2024-01-01", "2024-01-04", "2024-01-09", "2024-01-09", "2024-01-02"]
    >>> orders = pd.DataFrame({"customer_id": ["ann"] * 4 + ["bob"], "time": pd.to_datetime(days)})
    >>> orders["amount"] = [10.0, 20.0, 15.0, 5.0, 8.0]
    >>> parts = calibration_holdout(orders, calibration_end="2024-01-06", amount="amount")
    >>> parts[["customer_id", "frequency", "recency", "T", "monetary_value"]]
      customer_id  frequency  recency  T  monetary_value
    0         ann          1        3  4            20.0
    1         bob          0        0  3             NaN
    >>> parts[["frequency_holdout", "monetary_value_holdout", "duration_holdout"]]
       frequency_holdout  monetary_value_holdout  duration_holdout
    0                  1                    20.0                 4
    1                  0                     NaN                 4
    """
    options = SummaryOptions(
        customer=customer,
        time=time,
        amount=amount,
        by=by,
        as_of=as_of,
        unit=unit,
        include_first=include_first,
        amounts=amounts,
        exact=exact,
        missing=missing,
        tz=tz,
        week_start=week_start,
        keep=keep,
        keep_first=keep_first,
    )
    check_as_of(calibration_end, "calibration_end")
    log = read_summary_orders(transactions, options, (*SUMMARY, *HOLDOUT))
    split, end = calibration_and_end(log, calibration_end, as_of)
    summary = summarize_purchases(log, options, split, end).frame
    return as_given(to_native(with_text(summary, TIME_UNIT, options.unit)), transactions)
