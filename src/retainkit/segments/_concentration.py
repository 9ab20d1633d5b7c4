"""Concentration of value: the share of it that the best customers bring."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Any

import numpy as np

from retainkit._checks import integer, is_list, probability
from retainkit._frames.output import build_like
from retainkit._frames.segments import segment_values
from retainkit._messages import count_noun, quoted, warn
from retainkit._typing import Floats, Integers
from retainkit.errors import ArgumentError, ArgumentTypeError
from retainkit.segments._cuts import MeasureValues, values_of
from retainkit.segments._orders import OrderOptions, read_values
from retainkit.segments._value import customer_values, exact_share, top_customers
from retainkit.typing import IntoTable, Length, Missing, TableT

_OWN = ("share_of_customers", "customers", "value", "share_of_value", "lower", "upper", "gini")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Bootstrap:
    """How customers are drawn anew."""

    draws: int
    seed: int | None
    confidence_level: float

    def __post_init__(self) -> None:
        """Check the arguments."""
        integer("draws", self.draws, 1)
        if self.seed is not None:
            integer("seed", self.seed, 0)
        probability("confidence_level", self.confidence_level)

    def limits(self, value: Floats, counts: Integers, first: Integers) -> Floats:
        """Return the limits of the share of value of the first so many customers: two rows."""
        drawn = self._shares(value, counts, first)
        if not len(drawn):
            return np.full((2, len(first)), np.nan)
        tail = (1 - self.confidence_level) / 2
        limits: Floats = np.quantile(drawn, [tail, 1 - tail], axis=0)
        return limits

    def _shares(self, value: Floats, counts: Integers, first: Integers) -> Floats:
        """Draw as many customers anew; returns the shares, a row a draw that has any value."""
        code = np.repeat(np.arange(len(value)), counts)
        rng = np.random.default_rng(self.seed)
        shares = np.full((self.draws, len(first)), np.nan)
        for draw in range(self.draws):
            drawn = code[rng.integers(0, len(code), len(code))]
            top, total = _top_sums(value, np.bincount(drawn, minlength=len(value)), first)
            if total > 0:
                shares[draw] = top / total
        known: Floats = shares[~np.isnan(shares[:, 0])]
        return known


def value_concentration(
    orders: TableT | IntoTable[TableT],
    *,
    amount: str = "amount",
    customer: str = "customer_id",
    shares: Sequence[float] = (0.01, 0.1, 0.2, 0.5),
    time: str | None = None,
    as_of: str | date | None = None,
    window: Length | None = None,
    by: str | Sequence[str] | None = None,
    draws: int = 1000,
    seed: int | None = None,
    tz: str | None = None,
    missing: Missing = "raise",
    confidence_level: float = 0.95,
) -> TableT:
    r"""Share of all value that the best customers bring, such as the best fifth.

    >>> from retainkit import datasets, value_concentration
    >>> table = value_concentration(datasets.load_cdnow(sample=True), seed=1)
    >>> table[["share_of_customers", "customers", "share_of_value", "lower", "upper"]].round(3)
       share_of_customers  customers  share_of_value  lower  upper
    0                0.01         24           0.146  0.114  0.187
    1                0.10        236           0.508  0.477  0.538
    2                0.20        472           0.675  0.651  0.695
    3                0.50       1179           0.895  0.885  0.902

    A customer's value is the sum of their amounts, at least 0. Of :math:`n` customers in descending
    order of value :math:`v`, the best share :math:`q` are the first :math:`k = \lceil n q \rceil`:

    .. math:: \frac{v_1 + \dots + v_k}{v_1 + \dots + v_n}, \qquad
        \text{Gini} = \frac{\sum_i (n + 1 - 2 i)\, v_i}{n \sum_i v_i}.

    Parameters
    ----------
    orders : IntoFrame
        One row an order, or a line of one: pandas, Polars (lazy too) or PyArrow, a DuckDB relation
        or a PySpark DataFrame.
    amount : str, default "amount"
        Column of money, in its own unit. Refunds are negative, and lower the value.
    customer : str, default "customer_id"
        Column that identifies the customer: integers, strings, UUIDs or categories.
    shares : sequence of float, default (0.01, 0.1, 0.2, 0.5)
        Shares of customers, above 0 and up to 1.
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
        throughout for each customer.
    draws : int, default 1000
        Number of draws of the bootstrap; fewer make its limits too narrow.
    seed : int, optional
        Seed of the random numbers, 0 or more: the same seed gives the same result, in each segment
        by itself.
    tz : str, optional
        Time zone in which periods are cut, such as ``"Europe/Berlin"``. Default: the column's own.
    missing : {"raise", "drop"}, default "raise"
        Whether a null where a value is needed is an error, or its row is left out with a warning
        that counts such rows. Needed are all columns but those of `by`.
    confidence_level : float, default 0.95
        Coverage of the interval, between 0 and 1.

    Returns
    -------
    DataFrame
        One row for each of `shares` in each segment: a new frame of the same kind as `orders`, in
        memory (of DuckDB and PySpark: pandas).

        - the columns of `by`.
        - ``share_of_customers`` (float): the share, as given.
        - ``customers`` (int): number of customers that it is, rounded up.
        - ``value`` (float): sum of their values.
        - ``share_of_value`` (float): part of the value of all customers; NaN where that is 0.
        - ``lower``, ``upper`` (float): its interval, by the percentiles of the bootstrap.
        - ``gini`` (float): Gini coefficient of all customers of the segment: 0 where all values are
          equal, near 1 where one customer has it all.

    Raises
    ------
    MissingColumnError
        If a column is not in the frame (a `KeyError`).
    ColumnTypeError, ArgumentTypeError
        If a column or an argument is of the wrong type (a `TypeError`).
    ArgumentError
        If an argument has a wrong value, such as shares in percent; if a column has nulls; if a
        customer has several values of `by` (a `ValueError`).

    Warns
    -----
    RetainkitWarning
        If something is set aside: rows at or after `as_of`, rows with nulls. If values below 0 are
        taken as 0. The message says how much.

    See Also
    --------
    value_tiers : The same customers, each with a tier.
    plot.value_concentration : Draws it.

    Notes
    -----
    Known as the Pareto or 80/20 rule, and as the whale curve. Who bought once is a customer, too:
    leave them out, and the best fifth brings less. In a longer window some customers buy oftener
    and others have left, so that concentration rises with its length.

    The best are chosen by what they brought, luck included. The fifth of customers that brought two
    thirds of last year's value will bring less of next year's.

    References
    ----------
    .. [1] Schmittlein, D. C., Cooper, L. G. & Morrison, D. G. (1993), "Truth in Concentration in
       the Land of (80/20) Laws", Marketing Science 12 (2), 167-183.
    .. [2] Efron, B. & Tibshirani, R. J. (1993), An Introduction to the Bootstrap, Chapman & Hall,
       chapter 13.

    Examples
    --------
    One of four customers pays 70 of 100, and half of them 90:

    >>> import pandas as pd
    >>> from retainkit import value_concentration
    >>> orders = pd.DataFrame({"customer_id": [1, 2, 3, 4], "amount": [70, 20, 10, 0]})
    >>> table = value_concentration(orders, shares=[0.25, 0.5], seed=1)
    >>> table[["share_of_customers", "customers", "value", "share_of_value", "gini"]]
       share_of_customers  customers  value  share_of_value  gini
    0                0.25          1   70.0             0.7  0.55
    1                0.50          2   90.0             0.9  0.55
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
    exact = _read_shares(shares)
    bootstrap = _Bootstrap(draws=draws, seed=seed, confidence_level=confidence_level)
    table = read_values(orders, options, _OWN)
    values = values_of(customer_values(table), table.keys, ["value"])
    one = _at_least_0(values.measures["value"])
    found = []
    for part in one.by_segment(values.n_segments):
        value, counts = _distinct(part.value, part.counts)
        found.append(_concentration(value, counts, exact, bootstrap))
    columns: dict[str, Any] = {
        name: np.concatenate([part[name] for part in found]) if found else np.zeros(0)
        for name in _OWN
    }
    columns["customers"] = columns["customers"].astype(np.int64)
    segment = np.repeat(np.arange(values.n_segments), len(exact))
    keys = segment_values(values.segments, table.by, segment)
    result: TableT = build_like(table.rows, keys | columns)
    return result


def _read_shares(shares: Any) -> list[Fraction]:
    """Check the argument `shares`."""
    if not is_list(shares) or not (given := [*shares]):
        raise ArgumentTypeError(
            f"`shares` is {quoted(shares)}; it must be a list of shares of customers, such as "
            "(0.1, 0.2).",
            argument="shares",
        )
    exact = [exact_share("shares", one) for one in given]
    if len({*exact}) < len(exact):
        raise ArgumentError(
            f"`shares` has a share more than once: {quoted(given)}; name each once.",
            code="named_twice",
            argument="shares",
        )
    return exact


def _at_least_0(one: MeasureValues) -> MeasureValues:
    """Return values of which none is below 0; a warning counts those that were."""
    below = one.value < 0
    number = int(below.sum() if one.counts is None else one.counts[below].sum())
    if not number:
        return one
    total = len(one.value) if one.counts is None else int(one.counts.sum())
    warn(
        f"{count_noun(number, 'customer')} with a value below 0, by refunds: taken as 0.",
        code="no_value",
        argument="amount",
        rows=number,
        total=total,
    )
    return MeasureValues(segment=one.segment, value=np.maximum(one.value, 0.0), counts=one.counts)


def _distinct(value: Floats, counts: Integers | None) -> tuple[Floats, Integers]:
    """Return the distinct values in descending order, and how many customers have each."""
    distinct, code = np.unique(value, return_inverse=True)
    # Whole numbers of customers are exact as floats, too.
    numbers = np.bincount(code, counts, len(distinct)).astype(np.int64)
    return distinct[::-1], numbers[::-1]


def _concentration(
    value: Floats, counts: Integers, shares: Sequence[Fraction], bootstrap: _Bootstrap
) -> dict[str, Any]:
    """Return the columns of one segment."""
    n = int(counts.sum())
    first = np.array(top_customers(n, shares))
    top, total = _top_sums(value, counts, first)
    columns = {
        "share_of_customers": np.array([float(one) for one in shares]),
        "customers": first,
        "value": top,
        "share_of_value": np.full(len(first), np.nan),
        "lower": np.full(len(first), np.nan),
        "upper": np.full(len(first), np.nan),
        "gini": np.full(len(first), _gini(value, counts)),
    }
    if total > 0:
        columns["share_of_value"] = top / total
        columns["lower"], columns["upper"] = bootstrap.limits(value, counts, first)
    return columns


def _top_sums(value: Floats, counts: Integers, first: Integers) -> tuple[Floats, float]:
    """Return the sums of the first so many values, which descend, and the sum of all."""
    so_many, so_much = np.cumsum(counts), np.cumsum(counts * value)
    last = np.searchsorted(so_many, first)
    # Of the customers with the last value only some are among the first.
    tops: Floats = so_much[last] - (so_many[last] - first) * value[last]
    return tops, float(so_much[-1])


def _gini(value: Floats, counts: Integers) -> float:
    """Gini coefficient of values in descending order: twice the area between curve and diagonal."""
    so_much = np.append(0.0, np.cumsum(counts * value))
    n, total = int(counts.sum()), float(so_much[-1])
    if total <= 0:
        return float("nan")
    return float((counts * (so_much[1:] + so_much[:-1])).sum() / (n * total) - 1)
