"""The next purchases of customers: probabilities, dates, and how late they are."""

# Whole, before its modules are imported: see `retainkit.__getattr__`.
import retainkit.clv as _clv  # noqa: F401
from retainkit.repurchase._next_purchase import next_purchase

__all__ = ["next_purchase"]
