"""Survey weights by margins or cells, and how far they reach."""

from retainkit.weighting._weights import SurveyWeights, poststratify, rake

__all__ = ["SurveyWeights", "poststratify", "rake"]
