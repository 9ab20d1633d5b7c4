"""Surveys: scores, their intervals, comparisons, weights and what they say of the future."""
