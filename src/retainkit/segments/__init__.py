"""Segments of customers: RFM scores and their cuts, tiers and concentration of value."""

from retainkit.segments._concentration import value_concentration
from retainkit.segments._rfm import rfm_scores
from retainkit.segments._rfm_cuts import rfm_cuts
from retainkit.segments._tiers import value_tiers

__all__ = ["rfm_cuts", "rfm_scores", "value_concentration", "value_tiers"]
