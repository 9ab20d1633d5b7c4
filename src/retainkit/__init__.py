"""Customer-retention metrics on DataFrames: the honest number, on any DataFrame, checked."""

from retainkit import datasets, errors, plot
from retainkit.churn import churn_rate
from retainkit.clv.checking import purchase_regularity, spend_independence
from retainkit.clv.counting import BGNBD, MBGNBD, fit_bg_nbd, fit_mbg_nbd
from retainkit.clv.holdout import HoldoutReport, holdout_report, tracking
from retainkit.clv.spend import GammaGamma, fit_gamma_gamma
from retainkit.clv.value import cltv, cltv_from_models
from retainkit.cohorts import cohort_retention
from retainkit.curves import retention_curve, retention_matrix
from retainkit.errors import RetainkitError, RetainkitWarning
from retainkit.growth import active_days, active_users, growth_accounting
from retainkit.inactivity import inactivity_churn, usage_interval
from retainkit.projection import BDW, SBG, annualize_rate, fit_bdw, fit_sbg
from retainkit.purchases import calibration_holdout, rfm_summary
from retainkit.revenue import mrr_movements, revenue_cohorts, revenue_retention
from retainkit.surveys.comparing import nps_difference
from retainkit.surveys.drivers import key_drivers
from retainkit.surveys.invitations import response_rate
from retainkit.surveys.market_fit import pmf
from retainkit.surveys.nps import nps, nps_from_counts
from retainkit.surveys.outcomes import score_outcomes
from retainkit.surveys.planning import survey_detectable_difference, survey_sample_size
from retainkit.surveys.satisfaction import ces, csat
from retainkit.surveys.trends import control_chart, score_trend
from retainkit.surveys.weighting import SurveyWeights, poststratify, rake
from retainkit.survival import expected_lifetime, median_lifetime, survival_curve

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
