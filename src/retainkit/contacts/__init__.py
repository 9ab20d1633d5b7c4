"""Contacts: audiences by rules, caps, suppression and holdouts."""

from retainkit.contacts._audience import audience
from retainkit.contacts._holdout import holdout_bucket
from retainkit.contacts._policy import apply_contact_policy

__all__ = ["apply_contact_policy", "audience", "holdout_bucket"]
