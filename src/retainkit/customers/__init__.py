"""Customers: one row each as of an instant, labelled snapshots, signs that one is leaving."""

from retainkit.customers._source import Source

__all__ = ["Source"]
