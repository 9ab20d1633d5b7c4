"""Tiers of customers by their value, such as heavy, medium and light."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from fractions import Fraction
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np

from retainkit._checks import is_list
from retainkit._frames.arrow_extensions import as_given
from retainkit._frames.input import Frame, from_native
from retainkit._frames.output import build_like, select_to_native
from retainkit._messages import quoted
from retainkit._typing import Array
from retainkit.errors import ArgumentError, ArgumentTypeError
from retainkit.segments._cut_points import rows_of_segments
from retainkit.segments._cuts import values_of
from retainkit.segments._orders import OrderOptions, read_values
from retainkit.segments._value import customer_values, exact_share, top_customers
from retainkit.typing import IntoFrameT, Length, Missing

_OWN = ("value", "rank", "value_share", "cumulative_share", "tier")
_NONE = "none"
_TIERS = (("heavy", 0.2), ("medium", 0.5), ("light", 1.0))
_Tiers = Sequence[tuple[str, Fraction]]


def value_tiers(
    orders: IntoFrameT,
    *,
    amount: str = "amount",
    customer: str = "customer_id",
    tiers: Sequence[tuple[str, float]] = _TIERS,
    time: str | None = None,
    as_of: str | date | None = None,
    window: Length | None = None,
    by: str | Sequence[str] | None = None,
    tz: str | None = None,
    missing: Missing = "raise",
) -> IntoFrameT:
    r"""Value of each customer, with its rank, its share of all value, and a tier.

    >>> import pandas as pd
    >>> from retainkit import value_tiers
    >>> orders = pd.DataFrame({"customer_id": [1, 2, 3, 4, 4], "amount": [60, 30, 10, 8, -8]})
    >>> value_tiers(orders)
       customer_id  value  rank  value_share  cumulative_share    tier
    0            1   60.0     1          0.6               0.6   heavy
    1            2   30.0     2          0.3               0.9  medium
    2            3   10.0     3          0.1               1.0   light
    3            4    0.0     4          NaN               NaN    none

    The value is the sum of a customer's amounts. Of the :math:`n` customers with a value above 0,
    in descending order, a tier with the share :math:`q` ends at the value of rank :math:`\lceil n q
    \rceil`: whoever has that value is in it, too, so that no tie is broken.

    Parameters
    ----------
    orders : IntoFrame
        One row an order, or a line of one: pandas, Polars (lazy too) or PyArrow, a DuckDB relation
        or a PySpark DataFrame.
    amount : str, default "amount"
        Column of money, in its own unit. Refunds are negative, and lower the value.
    customer : str, default "customer_id"
        Column that identifies the customer: integers, strings, UUIDs or categories.
    tiers : sequence of (str, float), default (("heavy", 0.2), ("medium", 0.5), ("light", 1.0))
        Names of the tiers, the best first, each with the share of customers at which it ends: they
        rise, and the last is 1. The name ``"none"`` is that of those without value.
    time : str, optional
        Column of dates or datetimes, with or without a time zone. Needed for `as_of` and `window`;
        without it all rows count.
    as_of : str, date or datetime, optional
        Instant at which observation ends; rows at or after it are not used, and counted in a
        warning. Without a time zone it is read in that of `tz`. Default: the midnight that ends the
        day of the last row.
    window : str or timedelta, optional
        Length of the window before `as_of` out of which orders are used, such as ``"365D"``: days
        of the wall clock, or hours. Default: all orders before `as_of`.
    by : str or sequence of str, optional
        Columns of segments. Null is a segment of its own. They are carried along, with one value
        throughout for each customer, and each segment has its own ranks, shares and tiers.
    tz : str, optional
        Time zone in which periods are cut, such as ``"Europe/Berlin"``. Default: the column's own.
    missing : {"raise", "drop"}, default "raise"
        Whether a null where a value is needed is an error, or its row is left out with a warning
        that counts such rows. Needed are all columns but those of `by`.

    Returns
    -------
    DataFrame
        One row a customer: a new frame of the same kind as `orders`, by customer in ascending
        order. Of a lazy frame (Polars' LazyFrame, DuckDB, PySpark) a lazy frame of the same engine,
        in no order.

        - the columns of `by`, and that of the customer under its own name.
        - ``value`` (float): sum of the amounts, rounded to 6 decimals.
        - ``rank`` (int): 1 for the greatest value; equal values share the least rank.
        - ``value_share`` (float): part of the value of all customers with a value above 0; null for
          the others.
        - ``cumulative_share`` (float): part of that value which customers of this value or more
          have together; null where the value is 0 or less.
        - ``tier`` (str): a name of `tiers`, or ``"none"`` where the value is 0 or less.

    Raises
    ------
    MissingColumnError
        If a column is not in the frame (a `KeyError`).
    ColumnTypeError, ArgumentTypeError
        If a column or an argument is of the wrong type (a `TypeError`).
    ArgumentError
        If an argument has a wrong value, such as shares in percent, or tiers that do not rise to 1;
        if a column has nulls; if a customer has several values of `by` (a `ValueError`).

    Warns
    -----
    RetainkitWarning
        If something is set aside: rows at or after `as_of`, rows with nulls. The message says how
        much.

    See Also
    --------
    value_concentration : How much of all value the best customers bring.
    rfm_scores : Recency and frequency beside the money.

    Notes
    -----
    The tiers are known as heavy, medium and light buyers (HML, 20/30/50), and as ABC analysis.
    They are a ranking: in every window a fifth of the customers is heavy. To compare two instants,
    compare values.

    Examples
    --------
    Of five customers the first is a fifth; three share its value, and are heavy with it.

    >>> import pandas as pd
    >>> from retainkit import value_tiers
    >>> orders = pd.DataFrame({"customer_id": [1, 2, 3, 4, 5], "amount": [10, 10, 10, 1, 1]})
    >>> value_tiers(orders)[["customer_id", "rank", "tier"]]
       customer_id  rank   tier
    0            1     1  heavy
    1            2     1  heavy
    2            3     1  heavy
    3            4     4  light
    4            5     4  light
    """
    options = OrderOptions(
        amount=amount,
        customer=customer,
        time=time,
        as_of=as_of,
        window=window,
        by=by,
        tz=tz,
        missing=missing,
    )
    ends = _read_tiers(tiers)
    table = read_values(orders, options, _OWN)
    rows = _with_tiers(customer_values(table), table.keys, ends)
    names = (*table.by, customer, *_OWN)
    columns = dict(zip(names, (*table.keys, "customer", *_OWN), strict=True))
    return as_given(select_to_native(rows, columns), orders)


def _read_tiers(tiers: Any) -> _Tiers:
    """Check the argument `tiers`."""
    need = "it must be pairs of a name and a share of customers, such as (('best', 0.1), ...)"
    if not is_list(tiers) or not (pairs := [*tiers]):
        raise ArgumentTypeError(f"`tiers` is {quoted(tiers)}; {need}.", argument="tiers")
    for pair in pairs:
        if not is_list(pair) or len([*pair]) != 2 or not isinstance(next(iter(pair)), str):
            raise ArgumentTypeError(f"`tiers` has {quoted(pair)}; {need}.", argument="tiers")
    names, shares = [name for name, _ in pairs], [exact_share("tiers", one) for _, one in pairs]
    if len({*names, _NONE}) <= len(names):
        raise ArgumentError(
            f"`tiers` has the names {', '.join(map(repr, names))}; each must be another one, and "
            f"{_NONE!r} is kept for customers without value.",
            code="named_twice",
            argument="tiers",
        )
    if shares != sorted({*shares}) or shares[-1] != 1:
        found = ", ".join(f"{float(one):g}" for one in shares)
        raise ArgumentError(
            f"`tiers` has the shares {found}; they must rise, the best tier first, and end with 1: "
            "each is the share of customers at which its tier ends.",
            code="argument_value",
            argument="tiers",
        )
    return [*zip(names, shares, strict=True)]


def _with_tiers(rows: Frame, keys: Sequence[str], tiers: _Tiers) -> Frame:
    """Add rank, shares and tier to the values of customers."""
    if isinstance(rows, nw.LazyFrame):
        return _lazy_tiers(rows, keys, tiers)
    values = values_of(rows, keys, ["value"])
    one, n = values.measures["value"], len(rows)
    rank, share, cumulative = np.zeros(n, np.int64), np.zeros(n), np.zeros(n)
    tier = np.zeros(n, np.int64)
    for own in rows_of_segments(one.segment, values.n_segments):
        rank[own], share[own], cumulative[own], tier[own] = _rank(one.value[own], tiers)
    texts = np.array([*(name for name, _ in tiers), _NONE], np.str_)
    columns: dict[str, Any] = {name: rows[name] for name in rows.columns}
    columns |= {"rank": rank, "value_share": share, "cumulative_share": cumulative}
    frame = from_native(build_like(rows, columns | {"tier": texts[tier]}), "orders")
    has_value = nw.col("value") > 0
    return frame.with_columns(
        nw.when(has_value).then(nw.col(name)).alias(name)
        for name in ("value_share", "cumulative_share")
    )


def _rank(value: Array, tiers: _Tiers) -> tuple[Array, Array, Array, Array]:
    """Return the ranks, the shares and the numbers of the tiers of values."""
    ascending = np.sort(value)
    n, n_above_0 = len(value), int((value > 0).sum())
    together = np.append(0.0, np.cumsum(ascending[::-1]))
    rank = n - np.searchsorted(ascending, value, side="right") + 1
    not_below = n - np.searchsorted(ascending, value, side="left")
    total = together[n_above_0] if n_above_0 else np.nan
    last = top_customers(n_above_0, [share for _, share in tiers])
    tier = np.searchsorted(last, rank, side="left")
    return rank, value / total, together[not_below] / total, np.where(value > 0, tier, len(tiers))


def _lazy_tiers(rows: nw.LazyFrame[Any], keys: Sequence[str], tiers: _Tiers) -> nw.LazyFrame[Any]:
    """Add the same in an engine, by windows over the customers of a segment."""
    value, has_value = nw.col("value"), nw.col("value") > 0
    # Without segments all customers are one.
    parts = [*keys] or ["everybody"]
    rows = rows if keys else rows.with_columns(everybody=nw.lit(0))
    rows = rows.with_columns(
        minus=0.0 - value,
        above=nw.when(has_value).then(value).otherwise(0.0),
        counts=nw.when(has_value).then(nw.lit(1)).otherwise(nw.lit(0)),
    )
    rows = rows.with_columns(
        rank=nw.col("minus").rank("min").over(*parts).cast(nw.Int64),
        n=nw.col("counts").sum().over(*parts).cast(nw.Int64),
        total=nw.col("above").sum().over(*parts),
        so_far=nw.col("above").cum_sum().over(*parts, order_by="minus"),
    )
    # Of equal values each has the sum up to the last of them.
    rows = rows.with_columns(together=nw.col("so_far").max().over(*parts, "minus"))
    tier = nw.lit(_NONE)
    for name, share in reversed(tiers):
        within = (nw.col("rank") - 1) * share.denominator < nw.col("n") * share.numerator
        tier = nw.when(within & has_value).then(nw.lit(name)).otherwise(tier)
    return rows.select(
        *keys,
        "customer",
        "value",
        "rank",
        value_share=nw.when(has_value).then(value / nw.col("total")),
        cumulative_share=nw.when(has_value).then(nw.col("together") / nw.col("total")),
        tier=tier,
    )
