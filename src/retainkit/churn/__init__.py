"""Churn of subscriptions, period by period."""

from retainkit.churn._rate import churn_rate

__all__ = ["churn_rate"]
