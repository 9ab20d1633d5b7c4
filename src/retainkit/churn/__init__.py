"""Churn of subscriptions, period by period, and who it is."""

from retainkit.churn._churned import churned_customers
from retainkit.churn._from_counts import churn_rate_from_counts
from retainkit.churn._rate import churn_rate
from retainkit.churn._upcoming import upcoming_churn

__all__ = ["churn_rate", "churn_rate_from_counts", "churned_customers", "upcoming_churn"]
