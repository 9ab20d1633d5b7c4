"""Customers of two tables in memory, numbered alike."""

from __future__ import annotations

from typing import Any, TypeAlias
from uuid import UUID

import narwhals.stable.v2 as nw
import numpy as np

from retainkit._frames.dtypes import category_names
from retainkit._frames.factorize import shared_codes, to_array
from retainkit._inputs.kinds import check_comparable_ids
from retainkit._messages import as_shown
from retainkit._typing import Array, Integers

Ids: TypeAlias = nw.Series[Any]


def same_customers(one: Ids, other: Ids, first: str, second: str) -> tuple[Integers, Integers]:
    """Number the customers of two tables alike; categories are what they are called.

    `first` and `second` are the arguments of the tables.
    """
    one, other = category_names(one), category_names(other)
    if len(one) and len(other):
        check_comparable_ids(one.dtype, other.dtype, first, second)
    left, right = _values(one), _values(other)
    if left.dtype.kind != right.dtype.kind or left.dtype.kind not in "iu":
        # Of whole numbers and broken ones NumPy would make broken ones, and lose digits.
        left, right = left.astype(object), right.astype(object)
    return shared_codes(left, right)


def _values(ids: Ids) -> Array:
    """Return ids as an array; UUIDs are their text, in whatever way a frame keeps them."""
    values = to_array(ids)
    if values.dtype.kind != "O" or ids.dtype == nw.String:
        return values
    shown = map(as_shown, values.tolist())
    texts = [str(one) if isinstance(one, UUID) else one for one in shown]
    found = np.empty(len(texts), object)
    found[:] = texts
    return found
