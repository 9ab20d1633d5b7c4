"""One row a customer as of an instant."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import narwhals.stable.v2 as nw
from narwhals.stable.v2.typing import IntoFrameT

from retainkit._frames.arrow_extensions import as_given
from retainkit._frames.output import build_like, select_to_native
from retainkit._inputs.observation import check_as_of
from retainkit._time.moment import Moment, as_of_moment
from retainkit._typing import NativeT
from retainkit.customers._eager_view import code_tables, view_in_memory
from retainkit.customers._lazy_view import lazy_view, warn_of_strange_tables
from retainkit.customers._options import ViewOptions, ViewSpec
from retainkit.customers._tables import ViewTables, read_tables
from retainkit.typing import EndIs, Length, Missing


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
    """TODO."""
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
