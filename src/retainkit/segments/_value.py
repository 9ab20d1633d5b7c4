"""The value of each customer: the sum of their amounts, refunds included."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np

from retainkit._checks import fraction
from retainkit._frames.groupby import group_sum
from retainkit._frames.input import Frame, from_native
from retainkit._frames.output import build_like
from retainkit._frames.reducer import reducer
from retainkit._inputs.coded_customers import code_customers
from retainkit._inputs.columns import CheckedTable
from retainkit._inputs.one_segment import check_one_segment
from retainkit.errors import ArgumentError
from retainkit.segments._orders import rounded, rounded_expr

_DENOMINATOR = 10**9  # of shares, whose product with a number of customers is an integer of 64 bits


def customer_values(table: CheckedTable) -> Frame:
    """Return the value of each customer: the columns ``by_0`` …, ``customer`` and ``value``.

    In memory customers come in ascending order.
    """
    return reducer(table.rows, lazy=_lazy_values, eager=_eager_values)(table)


def _lazy_values(table: CheckedTable) -> Frame:
    check_one_segment(table)
    rows: nw.LazyFrame[Any] = table.rows.lazy()
    customers = rows.group_by(*table.keys, "customer").agg(nw.col("amount").sum())
    return customers.select(*table.keys, "customer", value=rounded_expr(nw.col("amount")))


def _eager_values(table: CheckedTable) -> Frame:
    coded = code_customers(table)
    amount = coded.frame["amount"].to_numpy()
    value = rounded(group_sum(amount, coded.customer, coded.n_codes))
    codes, columns = coded.ascending(np.flatnonzero(coded.row_of >= 0))
    return from_native(build_like(coded.frame, columns | {"value": value[codes]}), "orders")


# Shares of customers


def exact_share(name: str, value: Any) -> Fraction:
    """Check a share of customers, above 0 and up to 1, and return it as it is written.

    Of 10 customers .3 are 3: as a float it is a little less, and others are a little more.
    """
    share = fraction(name, value)
    if share == 0:
        raise ArgumentError(
            f"`{name}` has a share of 0; shares lie above 0, up to 1.",
            code="argument_value",
            argument=name,
        )
    return Fraction(repr(share)).limit_denominator(_DENOMINATOR)


def top_customers(n: int, shares: Sequence[Fraction]) -> list[int]:
    """Return how many of `n` customers each share has at the top, rounded up."""
    return [-(-n * share.numerator // share.denominator) for share in shares]
