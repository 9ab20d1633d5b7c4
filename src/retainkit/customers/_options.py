"""Options of a view of customers, and the names of its columns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_args

from retainkit._checks import one_of
from retainkit._inputs.columns import check_not_reserved, segment_names
from retainkit._inputs.zones import check_tz
from retainkit._time.durations import microseconds
from retainkit._time.windows import Window, read_windows
from retainkit.customers._source import Source
from retainkit.errors import ArgumentError, ArgumentTypeError
from retainkit.typing import EndIs, Length, Missing

SUBSCRIBED = ("subscribed", "subscription_days", "subscription_amount")


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewOptions:
    """The arguments of `customer_view` but `as_of`."""

    customer: str
    time: str
    amount: str | None
    order: str | None
    known_at: str | None
    customers: Any
    sources: Mapping[str, Any] | None
    subscriptions: Any
    start: str
    end: str
    subscription_amount: str | None
    end_is: EndIs
    gap: Length
    windows: Sequence[Length]
    by: str | Sequence[str] | None
    tz: str | None
    missing: Missing

    def validate(self) -> ViewSpec:
        """Check what can be checked before a table is looked at."""
        one_of("end_is", self.end_is, get_args(EndIs))
        microseconds("gap", self.gap)
        windows = read_windows("windows", self.windows)
        check_tz(self.tz)
        one_of("missing", self.missing, get_args(Missing))
        if self.subscription_amount is not None and self.subscriptions is None:
            raise ArgumentError(
                "`subscription_amount` is the amount of what table? Give `subscriptions`, too.",
                code="argument_needed",
                argument="subscriptions",
            )
        spec = ViewSpec(
            windows=windows,
            sources=named_sources(self.sources),
            has_amount=self.amount is not None,
            has_subscriptions=self.subscriptions is not None,
            has_subscription_amount=self.subscription_amount is not None,
        )
        own = [*spec.own_columns()]
        segment_names(self.by, own)
        check_not_reserved("`customer`", [self.customer], own)
        spec.check_distinct()
        return spec


def named_sources(
    given: Mapping[str, Any] | None, argument: str = "sources", example: str = "visits"
) -> dict[str, Source]:
    """Return the further tables by their names; a bare frame is read by the defaults."""
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        raise ArgumentTypeError(
            f"`{argument}` must be a dictionary of names and tables, such as "
            f"{{{example!r}: {example}}}; it is a {type(given).__name__}.",
            argument=argument,
        )
    for name in given:
        if not isinstance(name, str) or not name:
            raise ArgumentTypeError(
                f"`{argument}` has the name {name!r}; each table needs a name that is text, by "
                "which its columns are called.",
                argument=argument,
            )
    return {name: one if isinstance(one, Source) else Source(one) for name, one in given.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewSpec:
    """What a view consists of: windows, further tables, amounts, subscriptions."""

    windows: tuple[Window, ...]
    sources: Mapping[str, Source]
    has_amount: bool
    has_subscriptions: bool
    has_subscription_amount: bool

    def order_columns(self) -> Iterator[str]:
        """Name the columns of orders."""
        yield from ("tenure_days", "recency_days", "orders")
        if self.has_amount:
            yield "amount"
        for window in self.windows:
            for name in ("orders", "amount", "active_days", "orders_change"):
                if name != "amount" or self.has_amount:
                    yield f"{name}_{window.name}"

    def source_columns(self, name: str) -> Iterator[str]:
        """Name the columns of a further table."""
        source = self.sources[name]
        yield from self._with_windows(name)
        yield f"{name}_last_days"
        for column in source.amount:
            yield from self._with_windows(f"{name}_{column}")
        for column in source.last:
            yield from (f"{name}_{column}", f"{name}_{column}_days")
        if source.closed is not None:
            yield f"{name}_open"

    def _with_windows(self, name: str) -> Iterator[str]:
        yield name
        yield from (f"{name}_{window.name}" for window in self.windows)

    def subscription_columns(self) -> Sequence[str]:
        """Name the columns of subscriptions."""
        if not self.has_subscriptions:
            return ()
        return SUBSCRIBED if self.has_subscription_amount else SUBSCRIBED[:2]

    def own_columns(self) -> Iterator[str]:
        """Name all columns that are made here, which no other may be called like."""
        yield "in_customers"
        yield from self.order_columns()
        for name in self.sources:
            yield from self.source_columns(name)
        yield from self.subscription_columns()

    def check_distinct(self) -> None:
        """Check that no source is named so that two columns have one name."""
        seen: set[str] = {"in_customers", *self.order_columns(), *self.subscription_columns()}
        for source in self.sources:
            for column in self.source_columns(source):
                if column in seen:
                    raise ArgumentError(
                        f"`sources` names a table {source!r}, whose column {column!r} would be "
                        "there twice in the result; give the table another name, or rename its "
                        "columns.",
                        code="reserved_name",
                        argument="sources",
                        column=column,
                    )
                seen.add(column)
