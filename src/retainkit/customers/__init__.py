"""Customers: one row each as of an instant, labelled snapshots, signs that one is leaving."""

from retainkit.customers._snapshots import churn_snapshots, snapshot_dates
from retainkit.customers._source import Source
from retainkit.customers._view import customer_view
from retainkit.customers._warning_signs import warning_signs

__all__ = ["Source", "churn_snapshots", "customer_view", "snapshot_dates", "warning_signs"]
