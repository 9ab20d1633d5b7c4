"""Outcomes of customers after they answered a survey."""

from retainkit.outcomes._score_outcomes import score_outcomes

__all__ = ["score_outcomes"]
