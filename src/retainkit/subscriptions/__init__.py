"""Tables of subscriptions, made of ledgers: levels, changes and invoice lines."""

from retainkit.subscriptions._levels import subscriptions_from_levels
from retainkit.subscriptions._lines import subscriptions_from_lines

__all__ = ["subscriptions_from_levels", "subscriptions_from_lines"]
