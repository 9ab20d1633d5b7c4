"""Segments of customers: scores, tiers, rules, and how customers move between them."""

from retainkit.segments._assign import assign_segments
from retainkit.segments._concentration import value_concentration
from retainkit.segments._migration import segment_migration
from retainkit.segments._rfm import rfm_scores
from retainkit.segments._rfm_cuts import rfm_cuts
from retainkit.segments._rules import check_rules, segment_rules
from retainkit.segments._tiers import value_tiers

__all__ = [
    "assign_segments",
    "check_rules",
    "rfm_cuts",
    "rfm_scores",
    "segment_migration",
    "segment_rules",
    "value_concentration",
    "value_tiers",
]
