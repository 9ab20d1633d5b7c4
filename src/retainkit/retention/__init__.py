"""Cohort retention: the triangle, and one curve over all cohorts."""

from retainkit.retention._cohorts import cohort_retention
from retainkit.retention._curves import retention_curve, retention_matrix

__all__ = ["cohort_retention", "retention_curve", "retention_matrix"]
