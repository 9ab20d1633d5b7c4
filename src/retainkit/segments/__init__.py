"""Segments of customers: RFM scores and their cuts, tiers and concentration of value."""

from retainkit.segments._rfm import rfm_scores
from retainkit.segments._rfm_cuts import rfm_cuts

__all__ = ["rfm_cuts", "rfm_scores"]
