"""Customers: one row each as of an instant, labelled snapshots, signs that one is leaving."""

from retainkit.customers._source import Source
from retainkit.customers._view import customer_view

__all__ = ["Source", "customer_view"]
