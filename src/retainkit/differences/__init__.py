"""Differences between groups, of the results that other functions give."""

from retainkit.differences._rates import rate_difference

__all__ = ["rate_difference"]
