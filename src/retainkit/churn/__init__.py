"""Churn of subscriptions by period."""
