"""Customer-retention metrics for pandas, Polars, PyArrow, DuckDB and PySpark, with intervals.

    You have             You ask                          Call
    -------------------  -------------------------------  -----------------------------------
    events or orders     Who comes back, and when?        cohort_retention, retention_curve
    events or orders     How many are active, new, lost?  active_users, growth_accounting
    orders with amounts  What will each customer spend?   cltv, holdout_report
    orders and visits    Who is leaving?                  churn_snapshots, fit_churn_risk
    orders with amounts  Which segments, and who moves?   rfm_scores, segment_migration
    orders               When is the next one due?        next_purchase, product_affinity
    a customer view      Whom may I write to?             audience, apply_contact_policy
    subscriptions        How many leave, and who?         churn_rate, churned_customers
    subscriptions        How long do they stay?           survival_curve, survival_difference
    subscriptions        What becomes of the revenue?     mrr_movements, revenue_retention
    subscriptions        How many will stay?              fit_sbg, fit_bdw
    answers              How good is the score?           nps, csat, ces
    answers              Did it change, or is it chance?  score_trend, nps_difference
    answers              What drives it?                  key_drivers, score_outcomes
    a result             Do two segments differ?          rate_difference
    a result             How do I show it?                plot.retention_heatmap, plot.nps_bar

All of them are on the page "Which function do I need?" of the documentation. help(retainkit.nps)
is one. Each takes the table first, and everything else by keyword.

Each subject is a package, whose functions are names of `retainkit` too:

    retention, activity, purchases      of events and orders
    subscriptions                       of ledgers and invoice lines
    churn, survival, revenue            of subscriptions
    customers, risk, segments           of customers: views, who leaves, which is which
    affinity                            what goes with what
    acquisition                         what customers brought since they came, and cost
    clv, projection                     models of purchases, spend and retention
    repurchase                          when customers buy next
    surveys, weighting, drivers, outcomes   of answers
    contacts                            who may be written to
    differences                         between the segments of results
    plot, datasets, errors, typing      pictures, tables to try, exceptions, annotations
"""

from _thread import RLock  # which `threading` would load much beside
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from retainkit import acquisition as acquisition
    from retainkit import activity as activity
    from retainkit import affinity as affinity
    from retainkit import churn as churn
    from retainkit import clv as clv
    from retainkit import contacts as contacts
    from retainkit import customers as customers
    from retainkit import datasets as datasets
    from retainkit import differences as differences
    from retainkit import drivers as drivers
    from retainkit import errors as errors
    from retainkit import outcomes as outcomes
    from retainkit import plot as plot
    from retainkit import projection as projection
    from retainkit import purchases as purchases
    from retainkit import repurchase as repurchase
    from retainkit import retention as retention
    from retainkit import revenue as revenue
    from retainkit import risk as risk
    from retainkit import segments as segments
    from retainkit import subscriptions as subscriptions
    from retainkit import surveys as surveys
    from retainkit import survival as survival
    from retainkit import typing as typing
    from retainkit import weighting as weighting
    from retainkit.acquisition import *
    from retainkit.activity import *
    from retainkit.affinity import *
    from retainkit.churn import *
    from retainkit.clv import *
    from retainkit.contacts import *
    from retainkit.customers import *
    from retainkit.differences import *
    from retainkit.drivers import *
    from retainkit.errors import RetainkitError as RetainkitError
    from retainkit.errors import RetainkitWarning as RetainkitWarning
    from retainkit.outcomes import *
    from retainkit.projection import *
    from retainkit.purchases import *
    from retainkit.repurchase import *
    from retainkit.retention import *
    from retainkit.revenue import *
    from retainkit.risk import *
    from retainkit.segments import *
    from retainkit.subscriptions import *
    from retainkit.surveys import *
    from retainkit.survival import *
    from retainkit.weighting import *

__version__ = "0.1.0"

# What each package exports here. This is the list of public names. A package is imported when one
# of its names is asked for: all of them at once would take longer than pandas.
_EXPORTS: dict[str, tuple[str, ...]] = {
    "acquisition": ("observed_value", "payback"),
    "activity": (
        "active_days",
        "active_users",
        "growth_accounting",
        "inactivity_churn",
        "usage_interval",
    ),
    "affinity": ("product_affinity",),
    "churn": ("churn_rate", "churn_rate_from_counts", "churned_customers", "upcoming_churn"),
    "clv": (
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
    ),
    "contacts": ("apply_contact_policy", "audience", "holdout_bucket"),
    "customers": ("Source", "churn_snapshots", "customer_view", "snapshot_dates", "warning_signs"),
    "differences": ("rate_difference",),
    "drivers": ("key_drivers",),
    "errors": ("RetainkitError", "RetainkitWarning"),
    "outcomes": ("score_outcomes",),
    "projection": ("BDW", "SBG", "annualize_rate", "fit_bdw", "fit_sbg"),
    "purchases": ("calibration_holdout", "rfm_summary"),
    "repurchase": ("next_purchase",),
    "retention": ("cohort_members", "cohort_retention", "retention_curve", "retention_matrix"),
    "revenue": ("mrr_movements", "revenue_cohorts", "revenue_retention"),
    "risk": ("ChurnRisk", "fit_churn_risk", "lift_table", "score_report"),
    "segments": (
        "assign_segments",
        "check_rules",
        "rfm_cuts",
        "rfm_scores",
        "segment_migration",
        "segment_rules",
        "value_concentration",
        "value_tiers",
    ),
    "subscriptions": ("subscriptions_from_levels", "subscriptions_from_lines"),
    "surveys": (
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
    ),
    "survival": (
        "cumulative_incidence",
        "expected_lifetime",
        "median_lifetime",
        "survival_curve",
        "survival_difference",
    ),
    "weighting": ("SurveyWeights", "poststratify", "rake"),
}
_MODULES = ("datasets", "errors", "plot", "typing")
_HOMES = {name: home for home, names in _EXPORTS.items() for name in names}
# Of two threads that import at the same time, one a package and one a module of it, each waits for
# the other. So one at a time imports here, and whole packages before their modules elsewhere.
_ONE_AT_A_TIME = RLock()

# Not `typing`, which would hide that of the standard library from `import *`.
__all__ = ["__version__", "datasets", "errors", "plot", *_HOMES]


if not TYPE_CHECKING:  # to which every name would be known otherwise

    def __getattr__(name: str) -> object:
        """Import what is asked for, once."""
        module = name if name in _MODULES or name in _EXPORTS else _HOMES.get(name)
        if module is None:
            raise AttributeError(_no_such_name(name))
        with _ONE_AT_A_TIME:
            found = import_module(f"retainkit.{module}")
        value = found if name == module else getattr(found, name)
        globals()[name] = value
        return value


def _no_such_name(name: str) -> str:
    """Return the message about a name that there is not, with the one that may be meant."""
    text = f"module 'retainkit' has no attribute {name!r}"
    if name.startswith("_"):  # what programs ask for when they look at a module
        return text
    suggestions, pictures = (import_module(f"retainkit.{one}") for one in ("_suggestions", "plot"))
    if name in pictures.__all__:
        meant = f"plot.{name}"
    else:
        meant = suggestions.nearest_name(name, [*_HOMES, *_MODULES])
    return f"{text}.{suggestions.did_you_mean(meant)}"


def __dir__() -> list[str]:
    return sorted({*__all__, *_MODULES, *_EXPORTS})
