"""Cohort retention: triangles and curves."""
