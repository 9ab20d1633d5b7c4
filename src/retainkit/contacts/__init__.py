"""Who may be written to: contact policies and holdouts."""

from retainkit.contacts._holdout import holdout_bucket
from retainkit.contacts._policy import apply_contact_policy

__all__ = ["apply_contact_policy", "holdout_bucket"]
