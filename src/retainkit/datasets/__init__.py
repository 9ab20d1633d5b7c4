"""Tables to learn and to test with: CDNOW, and synthetic ones whose truth is known."""

from retainkit.datasets._cdnow import load_cdnow
from retainkit.datasets._customer_truth import CUSTOMER_PURCHASES, CUSTOMER_SPEND
from retainkit.datasets._synthetic_customers import CustomerTables, make_customers
from retainkit.datasets._synthetic_events import DEFAULT_RETENTION, make_events
from retainkit.datasets._synthetic_orders import OrderTables, make_orders
from retainkit.datasets._synthetic_subscriptions import (
    DEFAULT_CHURN,
    DEFAULT_PRICES,
    make_subscriptions,
)
from retainkit.datasets._synthetic_survey import (
    DEFAULT_CHANNELS,
    DEFAULT_DRIVERS,
    DEFAULT_MIX,
    make_survey,
)

__all__ = [
    "CUSTOMER_PURCHASES",
    "CUSTOMER_SPEND",
    "DEFAULT_CHANNELS",
    "DEFAULT_CHURN",
    "DEFAULT_DRIVERS",
    "DEFAULT_MIX",
    "DEFAULT_PRICES",
    "DEFAULT_RETENTION",
    "CustomerTables",
    "OrderTables",
    "load_cdnow",
    "make_customers",
    "make_events",
    "make_orders",
    "make_subscriptions",
    "make_survey",
]
