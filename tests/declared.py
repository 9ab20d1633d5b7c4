"""The columns that the arguments of public functions name, as their readers declare them."""

from collections.abc import Sequence
from dataclasses import replace

from retainkit._inputs.answers import ANSWERS
from retainkit._inputs.columns import Column
from retainkit._inputs.customers import CUSTOMERS
from retainkit._inputs.durations import DURATIONS
from retainkit._inputs.events import EVENTS
from retainkit._inputs.subscriptions import SUBSCRIPTIONS
from retainkit.drivers._reading import RATINGS
from retainkit.surveys._invitations import INVITATIONS
from retainkit.surveys._nps_from_counts import SURVEY_COUNTS
from retainkit.weighting._cells import CELLS


def some(columns: Sequence[Column], *arguments: str, **called: str) -> tuple[Column, ...]:
    """Return the columns of some arguments; a function may have names of its own for them."""
    known = {column.argument: column for column in columns}
    own = {argument: argument for argument in arguments} | called
    return tuple(replace(known[argument], argument=name) for argument, name in own.items())


_VISITS = some(EVENTS, "customer", "time")
_ORDERS = some(EVENTS, "customer", "time", "amount")
_SPANS = some(SUBSCRIPTIONS, "customer", "start", "end", "amount")
_MRR = some(SUBSCRIPTIONS, "customer", "start", "end", "amount", "currency")
_HISTORY = some(CUSTOMERS, "frequency", "recency", "T", "weights")
_SPEND = some(CUSTOMERS, "frequency", "monetary_value")
_DATED = some(ANSWERS, "score", "time", "weights", "counts", "respondent")

COLUMNS: dict[str, tuple[Column, ...]] = {
    "active_days": _VISITS,
    "active_users": _VISITS,
    "calibration_holdout": _ORDERS,
    "ces": ANSWERS,
    "churn_rate": _SPANS,
    "cltv": _ORDERS,
    "cltv_from_models": some(CUSTOMERS, "frequency", "recency", "T", "monetary_value"),
    "cohort_retention": EVENTS,
    "control_chart": _DATED,
    "csat": ANSWERS,
    "fit_bg_nbd": _HISTORY,
    "fit_gamma_gamma": (*_SPEND, *some(CUSTOMERS, "weights")),
    "fit_mbg_nbd": _HISTORY,
    "growth_accounting": _ORDERS,
    "holdout_report": _VISITS,
    "inactivity_churn": _VISITS,
    "key_drivers": RATINGS,
    "mrr_movements": _MRR,
    "nps": ANSWERS,
    "nps_difference": some(ANSWERS, "score", "weights", "counts", respondent="pair"),
    "nps_from_counts": SURVEY_COUNTS,
    "pmf": some(ANSWERS, "weights", "counts", "respondent", "time", score="answer"),
    "poststratify": CELLS,
    "purchase_regularity": _VISITS,
    "rake": some(CELLS, "weights"),
    "response_rate": INVITATIONS,
    "revenue_cohorts": _MRR,
    "revenue_retention": _MRR,
    "rfm_summary": _ORDERS,
    "score_outcomes": some(ANSWERS, "score", "time", respondent="customer"),
    "score_trend": _DATED,
    "spend_independence": _SPEND,
    "survival_curve": (*_SPANS, *DURATIONS),
    "tracking": _VISITS,
    "usage_interval": _VISITS,
}
"""The declared columns of the first table of each public function that takes rows."""
