"""Tables to learn and to test with: CDNOW, and synthetic ones whose truth is known."""

from retainkit.datasets._cdnow import load_cdnow
from retainkit.datasets._made_events import DEFAULT_RETENTION, make_events
from retainkit.datasets._made_subscriptions import DEFAULT_CHURN, DEFAULT_PRICES, make_subscriptions

__all__ = [
    "DEFAULT_CHURN",
    "DEFAULT_PRICES",
    "DEFAULT_RETENTION",
    "load_cdnow",
    "make_events",
    "make_subscriptions",
]
