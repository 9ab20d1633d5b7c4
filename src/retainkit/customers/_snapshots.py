"""Labelled snapshots of customers, and the instants at which they are taken."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from narwhals.stable.v2.typing import IntoFrameT

from retainkit._frames.arrow_extensions import as_given
from retainkit._inputs.columns import check_not_reserved, segment_names
from retainkit._time.moment import Moment, as_of_moment, end_of_day
from retainkit.customers._labelled import AHEAD, AS_OF, CHURNED, labelled_views
from retainkit.customers._options import ViewOptions
from retainkit.customers._snapshot_options import SnapshotOptions
from retainkit.customers._tables import ViewTables, read_tables
from retainkit.typing import EndIs, Length, Missing, Outcome


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
    """TODO."""
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
    last = [0 if tables.orders.last is None else tables.orders.last.instant]
    if outcome == "churn" and tables.history is not None:
        last.append(tables.history.last_start())
    return end_of_day(max(last), tables.zone)
