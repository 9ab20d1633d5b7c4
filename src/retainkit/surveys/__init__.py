"""Scores of surveys: NPS, CSAT, CES, product-market fit, trends and response rates."""

from retainkit.surveys._control_chart import control_chart
from retainkit.surveys._differences import nps_difference
from retainkit.surveys._market_fit import pmf
from retainkit.surveys._nps import nps, nps_from_counts
from retainkit.surveys._planning import survey_detectable_difference, survey_sample_size
from retainkit.surveys._response_rate import response_rate
from retainkit.surveys._satisfaction import ces, csat
from retainkit.surveys._trends import score_trend

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
