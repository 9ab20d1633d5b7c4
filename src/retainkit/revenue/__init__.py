"""Subscription revenue: what moves it, how much of it stays, and what a cohort still pays."""

from retainkit.revenue._cohorts import revenue_cohorts
from retainkit.revenue._movements import mrr_movements
from retainkit.revenue._retention import revenue_retention

__all__ = ["mrr_movements", "revenue_cohorts", "revenue_retention"]
