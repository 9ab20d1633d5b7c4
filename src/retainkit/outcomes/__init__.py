"""What customers did after they answered."""

from retainkit.outcomes._score_outcomes import score_outcomes

__all__ = ["score_outcomes"]
