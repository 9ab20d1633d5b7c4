"""Customer lifetime value: models of purchases and spend, values, and checks of both."""

# Whole, before its modules are imported: see `retainkit.__getattr__`.
import retainkit.purchases as _purchases  # noqa: F401
from retainkit.clv._bg_nbd import BGNBD, MBGNBD, fit_bg_nbd, fit_mbg_nbd
from retainkit.clv._cltv import cltv
from retainkit.clv._cltv_from_models import cltv_from_models
from retainkit.clv._cltv_total import cltv_total
from retainkit.clv._diagnostics import purchase_regularity, spend_independence
from retainkit.clv._holdout import holdout_report
from retainkit.clv._holdout_report import HoldoutReport
from retainkit.clv._new_customer_value import new_customer_value
from retainkit.clv._pareto_nbd import ParetoNBD, fit_pareto_nbd
from retainkit.clv._spend import GammaGamma, fit_gamma_gamma
from retainkit.clv._tracking import tracking

__all__ = [
    "BGNBD",
    "MBGNBD",
    "GammaGamma",
    "HoldoutReport",
    "ParetoNBD",
    "cltv",
    "cltv_from_models",
    "cltv_total",
    "fit_bg_nbd",
    "fit_gamma_gamma",
    "fit_mbg_nbd",
    "fit_pareto_nbd",
    "holdout_report",
    "new_customer_value",
    "purchase_regularity",
    "spend_independence",
    "tracking",
]
