"""Scores of surveys: NPS, CSAT, CES, product-market fit, trends and response rates."""

from retainkit.surveys._ces import ces
from retainkit.surveys._control_chart import control_chart
from retainkit.surveys._csat import csat
from retainkit.surveys._nps import nps
from retainkit.surveys._nps_difference import nps_difference
from retainkit.surveys._nps_from_counts import nps_from_counts
from retainkit.surveys._pmf import pmf
from retainkit.surveys._response_rate import response_rate
from retainkit.surveys._sample_size import survey_detectable_difference, survey_sample_size
from retainkit.surveys._score_trend import score_trend

__all__ = [
    "ces",
    "control_chart",
    "csat",
    "nps",
    "nps_difference",
    "nps_from_counts",
    "pmf",
    "response_rate",
    "score_trend",
    "survey_detectable_difference",
    "survey_sample_size",
]
