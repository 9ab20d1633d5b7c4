"""Whom to write to: audiences by rules."""

from retainkit.contacts._audience import audience

__all__ = ["audience"]
