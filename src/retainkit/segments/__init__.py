"""Segments of customers by rules, and how customers move between them."""

from retainkit.segments._assign import assign_segments
from retainkit.segments._migration import segment_migration
from retainkit.segments._rules import check_rules, segment_rules

__all__ = ["assign_segments", "check_rules", "segment_migration", "segment_rules"]
