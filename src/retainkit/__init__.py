"""Customer-retention metrics on DataFrames: the honest number, on any DataFrame, checked."""

from retainkit import datasets, errors, plot
from retainkit.clv.checking import purchase_regularity, spend_independence
from retainkit.clv.counting import BGNBD, MBGNBD, fit_bg_nbd, fit_mbg_nbd
from retainkit.clv.holdout import HoldoutReport, holdout_report, tracking
from retainkit.clv.spend import GammaGamma, fit_gamma_gamma
from retainkit.clv.value import cltv, cltv_from_models
from retainkit.cohorts import cohort_retention
from retainkit.curves import retention_curve, retention_matrix
from retainkit.errors import RetainkitError, RetainkitWarning
from retainkit.purchases import calibration_holdout, rfm_summary

__version__ = "0.1.0"

__all__ = [
    "BGNBD",
    "MBGNBD",
    "GammaGamma",
    "HoldoutReport",
    "RetainkitError",
    "RetainkitWarning",
    "__version__",
    "calibration_holdout",
    "cltv",
    "cltv_from_models",
    "cohort_retention",
    "datasets",
    "errors",
    "fit_bg_nbd",
    "fit_gamma_gamma",
    "fit_mbg_nbd",
    "holdout_report",
    "plot",
    "purchase_regularity",
    "retention_curve",
    "retention_matrix",
    "rfm_summary",
    "spend_independence",
    "tracking",
]
