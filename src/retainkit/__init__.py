"""Customer-retention metrics on DataFrames: the honest number, on any DataFrame, checked.

A module is imported when one of its names is asked for: all of them at once would take nearly as
long as pandas.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from retainkit import datasets, errors, plot
    from retainkit.activity._growth import active_days, active_users, growth_accounting
    from retainkit.activity._inactivity import inactivity_churn, usage_interval
    from retainkit.churn._rate import churn_rate
    from retainkit.clv.checking import purchase_regularity, spend_independence
    from retainkit.clv.counting import BGNBD, MBGNBD, fit_bg_nbd, fit_mbg_nbd
    from retainkit.clv.holdout import HoldoutReport, holdout_report, tracking
    from retainkit.clv.spend import GammaGamma, fit_gamma_gamma
    from retainkit.clv.value import cltv, cltv_from_models
    from retainkit.errors import RetainkitError, RetainkitWarning
    from retainkit.projection._fits import BDW, SBG, annualize_rate, fit_bdw, fit_sbg
    from retainkit.purchases._summary import calibration_holdout, rfm_summary
    from retainkit.retention._cohorts import cohort_retention
    from retainkit.retention._curves import retention_curve, retention_matrix
    from retainkit.revenue import mrr_movements, revenue_cohorts, revenue_retention
    from retainkit.surveys.comparing import nps_difference
    from retainkit.surveys.control import control_chart
    from retainkit.surveys.drivers import key_drivers
    from retainkit.surveys.invitations import response_rate
    from retainkit.surveys.market_fit import pmf
    from retainkit.surveys.nps import nps, nps_from_counts
    from retainkit.surveys.outcomes import score_outcomes
    from retainkit.surveys.planning import survey_detectable_difference, survey_sample_size
    from retainkit.surveys.satisfaction import ces, csat
    from retainkit.surveys.trends import score_trend
    from retainkit.surveys.weighting import SurveyWeights, poststratify, rake
    from retainkit.survival._curve import expected_lifetime, median_lifetime, survival_curve

__version__ = "0.1.0"

__all__ = [
    "BDW",
    "BGNBD",
    "MBGNBD",
    "SBG",
    "GammaGamma",
    "HoldoutReport",
    "RetainkitError",
    "RetainkitWarning",
    "SurveyWeights",
    "__version__",
    "active_days",
    "active_users",
    "annualize_rate",
    "calibration_holdout",
    "ces",
    "churn_rate",
    "cltv",
    "cltv_from_models",
    "cohort_retention",
    "control_chart",
    "csat",
    "datasets",
    "errors",
    "expected_lifetime",
    "fit_bdw",
    "fit_bg_nbd",
    "fit_gamma_gamma",
    "fit_mbg_nbd",
    "fit_sbg",
    "growth_accounting",
    "holdout_report",
    "inactivity_churn",
    "key_drivers",
    "median_lifetime",
    "mrr_movements",
    "nps",
    "nps_difference",
    "nps_from_counts",
    "plot",
    "pmf",
    "poststratify",
    "purchase_regularity",
    "rake",
    "response_rate",
    "retention_curve",
    "retention_matrix",
    "revenue_cohorts",
    "revenue_retention",
    "rfm_summary",
    "score_outcomes",
    "score_trend",
    "spend_independence",
    "survey_detectable_difference",
    "survey_sample_size",
    "survival_curve",
    "tracking",
    "usage_interval",
]

_MODULES = ("datasets", "errors", "plot")
_HOMES = {
    name: module
    for module, names in {
        "churn": ("churn_rate",),
        "clv.checking": ("purchase_regularity", "spend_independence"),
        "clv.counting": ("BGNBD", "MBGNBD", "fit_bg_nbd", "fit_mbg_nbd"),
        "clv.holdout": ("HoldoutReport", "holdout_report", "tracking"),
        "clv.spend": ("GammaGamma", "fit_gamma_gamma"),
        "clv.value": ("cltv", "cltv_from_models"),
        "cohorts": ("cohort_retention",),
        "curves": ("retention_curve", "retention_matrix"),
        "errors": ("RetainkitError", "RetainkitWarning"),
        "growth": ("active_days", "active_users", "growth_accounting"),
        "inactivity": ("inactivity_churn", "usage_interval"),
        "projection": ("BDW", "SBG", "annualize_rate", "fit_bdw", "fit_sbg"),
        "purchases": ("calibration_holdout", "rfm_summary"),
        "revenue": ("mrr_movements", "revenue_cohorts", "revenue_retention"),
        "surveys.comparing": ("nps_difference",),
        "surveys.control": ("control_chart",),
        "surveys.drivers": ("key_drivers",),
        "surveys.invitations": ("response_rate",),
        "surveys.market_fit": ("pmf",),
        "surveys.nps": ("nps", "nps_from_counts"),
        "surveys.outcomes": ("score_outcomes",),
        "surveys.planning": ("survey_detectable_difference", "survey_sample_size"),
        "surveys.satisfaction": ("ces", "csat"),
        "surveys.trends": ("score_trend",),
        "surveys.weighting": ("SurveyWeights", "poststratify", "rake"),
        "survival": ("expected_lifetime", "median_lifetime", "survival_curve"),
    }.items()
    for name in names
}


if not TYPE_CHECKING:  # to which every name would be known otherwise

    def __getattr__(name: str) -> object:
        """Import what is asked for."""
        if name in _MODULES:
            return import_module(f"retainkit.{name}")
        if name not in _HOMES:
            raise AttributeError(f"module 'retainkit' has no attribute {name!r}")
        return getattr(import_module(f"retainkit.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
