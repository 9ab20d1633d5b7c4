"""One row a customer out of a log of purchases: frequency, recency, T and spend."""

from retainkit.purchases._summary import calibration_holdout, rfm_summary

__all__ = ["calibration_holdout", "rfm_summary"]
