"""Survival of subscriptions: how long customers stay, and why they leave."""

from retainkit.survival._curve import survival_curve
from retainkit.survival._difference import survival_difference
from retainkit.survival._incidence import cumulative_incidence
from retainkit.survival._lifetimes import expected_lifetime, median_lifetime

__all__ = [
    "cumulative_incidence",
    "expected_lifetime",
    "median_lifetime",
    "survival_curve",
    "survival_difference",
]
