"""Customers of a table in memory by codes, with the segment that each of them has throughout."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np

from retainkit._frames.factorize import integer_codes, sort_codes
from retainkit._frames.groupby import unique_keys
from retainkit._frames.input import collect
from retainkit._frames.segments import factorize_segments
from retainkit._inputs.columns import CheckedTable
from retainkit._inputs.one_segment import several_segments
from retainkit._typing import Integers


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CodedCustomers:
    """A frame in memory, and the code of the customer of each row: below `n_codes`.

    `row_of` has some row of each code, -1 where there is none. `segments` are columns of one row a
    segment, `segment` is the number of that of each row.
    """

    frame: nw.DataFrame[Any]
    customer: Integers
    n_codes: int
    row_of: Integers
    segments: dict[str, nw.Series[Any]]
    segment: Integers

    @property
    def n_customers(self) -> int:
        """The number of customers."""
        return int((self.row_of >= 0).sum())

    def ascending(self, codes: Integers) -> tuple[Integers, dict[str, Any]]:
        """Return codes in the order of their customers, and the columns of segment and customer."""
        codes, customers = sort_codes(self.frame["customer"], self.row_of, codes)
        segment = self.segment[self.row_of[codes]]
        columns: dict[str, Any] = {key: one[segment] for key, one in self.segments.items()}
        return codes, columns | {"customer": customers}


def code_customers(table: CheckedTable) -> CodedCustomers:
    """Number the customers of a table in memory, and check that each has one segment."""
    frame = collect(table.rows)
    customer, n_codes = integer_codes(frame["customer"])
    row_of = np.full(n_codes, -1)
    row_of[customer] = np.arange(len(customer))  # any row of a customer will do
    segments, segment = factorize_segments(frame, table.keys)
    coded = CodedCustomers(
        frame=frame,
        customer=customer,
        n_codes=n_codes,
        row_of=row_of,
        segments=segments,
        segment=segment,
    )
    if not table.by:
        return coded
    differs = segment != segment[row_of[customer]]
    if differs.any():
        codes, columns = coded.ascending(unique_keys(customer[differs]))
        some = columns["customer"][:3].to_list()
        raise several_segments(table.by, len(codes), coded.n_customers, some)
    return coded
