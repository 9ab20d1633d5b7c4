"""Who is active when: growth accounting, active users, inactivity."""

from retainkit.activity._growth import active_days, active_users, growth_accounting
from retainkit.activity._inactivity import inactivity_churn, usage_interval

__all__ = ["active_days", "active_users", "growth_accounting", "inactivity_churn", "usage_interval"]
