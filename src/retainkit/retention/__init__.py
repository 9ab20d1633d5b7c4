"""Cohort retention: the triangle, one curve over all cohorts, and who their members are."""

from retainkit.retention._cohorts import cohort_retention
from retainkit.retention._curves import retention_curve, retention_matrix
from retainkit.retention._members import cohort_members

__all__ = ["cohort_members", "cohort_retention", "retention_curve", "retention_matrix"]
