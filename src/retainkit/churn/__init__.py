"""Churn of subscriptions, period by period."""

from retainkit.churn._from_counts import churn_rate_from_counts
from retainkit.churn._rate import churn_rate

__all__ = ["churn_rate", "churn_rate_from_counts"]
