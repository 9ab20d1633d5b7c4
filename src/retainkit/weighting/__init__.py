"""Survey weights: raking and poststratification."""

from retainkit.weighting._poststratify import poststratify
from retainkit.weighting._rake import rake
from retainkit.weighting._survey_weights import SurveyWeights

__all__ = ["SurveyWeights", "poststratify", "rake"]
