"""Subscription revenue: its movements, its retention, and that of cohorts."""

from retainkit.revenue._cohorts import revenue_cohorts
from retainkit.revenue._movements import mrr_movements
from retainkit.revenue._retention import revenue_retention

__all__ = ["mrr_movements", "revenue_cohorts", "revenue_retention"]
