"""Who is leaving: a model of churn risk, and the judgement of any score with its outcome."""

from retainkit.risk._fit import fit_churn_risk
from retainkit.risk._lift import lift_table
from retainkit.risk._model import ChurnRisk
from retainkit.risk._report import score_report

__all__ = ["ChurnRisk", "fit_churn_risk", "lift_table", "score_report"]
