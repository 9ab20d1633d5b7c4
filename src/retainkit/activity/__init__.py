"""Activity of customers: growth accounting, active users, churn by inactivity."""

from retainkit.activity._active_users import active_days, active_users
from retainkit.activity._growth import growth_accounting
from retainkit.activity._inactivity import inactivity_churn, usage_interval

__all__ = ["active_days", "active_users", "growth_accounting", "inactivity_churn", "usage_interval"]
