"""Survival of customers: curves by tenure, and lifetimes."""

from retainkit.survival._curve import survival_curve
from retainkit.survival._lifetimes import expected_lifetime, median_lifetime

__all__ = ["expected_lifetime", "median_lifetime", "survival_curve"]
