"""Options that several functions share are described in the same words.

What only one function has to say of an option follows its common wording, and is declared here; so
is an option that means something else there.
"""

import inspect
import re
from collections.abc import Callable
from pathlib import Path
from types import FunctionType, MethodType
from typing import Any

import pytest

import retainkit
from retainkit import datasets, plot

EAGER_FRAMES = "pandas, Polars or PyArrow"
FRAMES = "pandas, Polars (lazy too) or PyArrow, a DuckDB relation or a PySpark DataFrame"

# The wordings of each option, without the full stop. Where there are several, the option is about
# tables or results of another kind.
CANONICAL: dict[str, str | tuple[str, ...]] = {
    "T": "Column of the time observed since the first purchase, in the unit of the model",
    "adjust": "How p-values are adjusted for the number of comparisons in the result",
    "amount": (
        "Column of money, in its own unit",
        "Column of the monthly amount of each subscription, 0 or more",
        (
            "Column of what a subscription brings. Those of 0 (trials, free plans) make no "
            "customer and are left out, with a warning that counts them. Default: every row makes "
            "a customer"
        ),
    ),
    "amounts": "What to do with negative amounts",
    "as_of": (
        (
            "Instant at which observation ends; rows at or after it are not used, and counted in "
            "a warning. Without a time zone it is read in that of `tz`. Default: the midnight "
            "that ends the day of the last row"
        ),
        (
            "Instant at which observation ends: subscriptions that end at or after it still run; "
            "those that start at or after it are left out, and counted in a warning. Without a "
            "time zone it is read in that of `tz`. Default: the midnight that ends the day of the "
            "last start, with a warning that counts the ends after it; give it where the table "
            "is of a later day"
        ),
    ),
    "ax": "Axes to draw on; by default those of a new figure",
    "by": "Columns of segments. Null is a segment of its own",
    "calibration_end": "Instant at which calibration ends and the holdout begins",
    "cmap": "Sequential colour map; by default even steps of lightness from pale to navy",
    "cohort_time": (
        "Column with each customer's own start, such as the sign-up: one value for each customer"
    ),
    "compounding": "What `discount_rate` means",
    "confidence_level": "Coverage of the interval, between 0 and 1",
    "counts": (
        "Column with the number of respondents that a row counts, a whole number",
        "Column with the number of customers that a row counts, a whole number",
    ),
    "currency": "Column of the currency of `amount`. Several need `rates`",
    "customer": "Column that identifies the customer: integers, strings, UUIDs or categories",
    "customer, frequency, recency, T": "The columns of `summary`",
    "customers": (
        (
            "Size of each cohort at age 0, a column or one number for all, where `survivors` "
            "holds shares or percentages of it. The estimates do not depend on it, but how sure "
            "they are does. Default: `survivors` counts customers"
        ),
        "Number of customers, 1 or more",
        (
            "Table of one row a customer, of any kind, in which `customer`, `cohort_time` and `by` "
            "name columns. Whoever is in it and has no event has not come yet, and counts as a "
            "customer. Events of customers who are not in it are not used, and counted in a "
            "warning. Without it `events` may be what a left join leaves: for each customer who "
            "never came one row, with a null time beside `cohort_time`"
        ),
    ),
    "cuts": "Highest score of a detractor and highest of a passive",
    "discount_rate": (
        "Annual discount rate, as a fraction",
        "Rate d at which payments to come are discounted, for each *period*",
    ),
    "draws": "Number of draws of the bootstrap",
    "end": "Column of dates or datetimes, null where a subscription still runs",
    "end_is": (
        "Whether an end is the moment from which a subscription no longer runs, or the last day on "
        "which it does: then it runs to the midnight after that day, in `tz`"
    ),
    "duration, observed": (
        "Instead of dates: column of how long each customer stayed or has been there, a number in "
        "any unit, and boolean column of whether the end was seen (default: of all)"
    ),
    "engine": (
        "Who searches for the maximum. ``lifetimes`` now and then stops short of it or fails, and "
        "takes no `penalty`; covariance, log-likelihood and diagnostics are ours all the same, "
        'and ``diagnostics["shortfall"]`` is the log-likelihood that it missed'
    ),
    "entry": (
        "Column of when a customer came under observation, if that was after the start (null: with "
        "it)"
    ),
    "events": (
        f"One row an event (an order, a login): {FRAMES}. The order of the rows means nothing"
    ),
    "exact": "Merge purchases by day, and measure time in days divided by the length of the unit",
    "fractional": "What to do with answers that are not whole",
    "frequency": "Column of the number of repeat purchases, whole numbers",
    "gap": 'Longest break between subscriptions that is not churn, such as ``"3D"`` or ``"12H"``',
    "group": "Column of the groups that are compared",
    "holdout": "Leave out the last ages, so many of each cohort",
    "horizon": (
        "How far ahead",
        (
            'Number of periods counted, H, or a length of time such as ``"24 months"`` where the '
            "model has a unit. Default: all"
        ),
    ),
    "include_first": (
        "Also count the first purchase, in ``frequency`` and ``monetary_value``. The models want "
        "it left out"
    ),
    "include_partial": (
        "Also show what is in progress at `as_of`, with ``complete`` False and no interval",
        "Also show what is in progress at `as_of`, with ``complete`` False",
    ),
    "infinite": "What to do where the expected spend of a customer is infinite",
    "interval": (
        "Interval of a share",
        "How to find what the parameters leave open",
    ),
    "invalid": "Whether an answer that is not on the scale is an error, or is left out and counted",
    "keep": (
        "Columns of `summary` to give back between the customer and the result, as they are: a "
        "name or several, or True for all. None may be called like a column of the result"
    ),
    "labels": "Score of each answer in words",
    "margin": "Share of the spend that is kept; at 1 the value is revenue",
    "metric": "What the score is",
    "min_customers": "Leave out cohorts with fewer customers",
    "min_responses": "Segments with fewer answers show no score; a warning counts them",
    "missing": (
        "Whether a null where a value is needed is an error, or its row is left out with a "
        "warning that counts such rows"
    ),
    "missing_codes": "Numbers that mean no answer, such as 99",
    "model": "Model of the purchases",
    "monetary_value": "Column of the mean amount of the repeat purchases",
    "observed": "Whether declared categories of `by` without a row are left out",
    "palette": "Colours of the lines in turn; by default safe for all kinds of colour vision",
    "purchase_covariates, dropout_covariates": (
        "Covariates that the rate of purchase, or of leaving, may differ by: columns that were "
        "known at the start, of numbers and booleans, or of words, whose most frequent level is "
        "the reference"
    ),
    "covariate_penalty": (
        "Draws effects towards 0 where data are few: this times the variance that each covariate "
        "adds to its logarithm over the customers is taken from the mean log-likelihood. Of a "
        "number that is the square of its standardised coefficient"
    ),
    "profile": (
        "Of a model with covariates, the values of a customer, by the names of the columns. "
        "Default: the reference, which is that of each covariate that is not named, too"
    ),
    "unseen": (
        "What to do, with covariates in a model, with a level that nobody of the fit had: raise, "
        "or take such customers for those of the reference"
    ),
    "penalty": "Draws the estimate towards moderate values where data are few",
    "order": "Column that identifies the order that a row is a line of",
    "orders": f"One row an order, or a line of one: {FRAMES}",
    "origin": (
        "Day from which periods of a number of days or weeks are counted, forwards and back, such "
        "as the first of a sprint. Default: the first `week_start` of 1970, whatever the rows are"
    ),
    "period": (
        (
            'Period of a row: ``"hour"``, ``"day"``, ``"week"``, ``"month"``, ``"quarter"`` or '
            '``"year"``; a number of days or weeks, such as ``"14 days"``, counted from `origin`; '
            "or a list of the dates or times between periods, with the end of the last: what lies "
            "outside is in no row, and counted in a warning"
        ),
        (
            'Period of a row: ``"day"``, ``"week"``, ``"month"``, ``"quarter"`` or ``"year"``; a '
            'number of days or weeks, such as ``"14 days"``, counted from `origin`; or a list of '
            "the dates between periods, with the end of the last: what lies outside is in no row, "
            "and counted in a warning"
        ),
        "Unit of age, for the label of the axis. The table does not hold it",
    ),
    "positive": "Of CSAT: lowest score that counts as satisfied. Default: the two highest do",
    "predictive": "Whether the interval is one for the actual value of the customer",
    "progress": (
        "Shows how far the work is: it is called as ``progress(total=n)`` and gives something with "
        "``update(k)`` and ``close()``, as ``tqdm.tqdm`` does. Default: nothing is shown"
    ),
    "promoters, detractors": (
        "Shares of promoters and of detractors that you expect, as fractions: 0.5 and 0.2 for "
        "50 % and 20 %. Both or neither. Default: the worst case, half promoters and half "
        "detractors"
    ),
    "rates": "What one unit of each currency is worth in the currency of the result",
    "reason": "Column of why a subscription ended",
    "recency": (
        "Column of the time from the first purchase to the last, in the unit of the model; 0 "
        "where there is only one"
    ),
    "reference": (
        "The group that all others are compared with. Default: all pairs, the later group in "
        "ascending order less the earlier one"
    ),
    "repeat": "What to do with several answers of a respondent in a segment",
    "respondent": "Column that identifies who answered, where some answered several times",
    "responses": f"One row a response: {FRAMES}",
    "rules": (
        "Table of one row a rule, of any kind. Columns ``<column>_min``, ``<column>_max`` (both "
        "inclusive) and ``<column>_is`` (equals) are its conditions, all of which must hold; null "
        "sets none"
    ),
    "scale": "Lowest and highest score there can be",
    "score": "Column of the answers: numbers, or with `labels` words. Null is no answer",
    "seed": "Seed of the random numbers, 0 or more: the same seed gives the same result",
    "spend": "Model of the spend",
    "start": (
        "Column of dates or datetimes, with or without a time zone",
        "First day of the first period, as an ISO date",
    ),
    "subscription": (
        "Column of what a row is a phase of: rows of the same subscription that come one after "
        "another stay, exact repeats count once, with a warning, and others that overlap are "
        "refused. Default: every row is a subscription of its own"
    ),
    "subscriptions": (
        f"One row a subscription, which runs over [start, end): {FRAMES}. A customer may have "
        "several at once"
    ),
    "summary": f"One row a customer, as `rfm_summary` makes it: {FRAMES}",
    "survivors": "Column of how many customers are there at each age. They must not rise",
    "time": "Column of dates or datetimes, with or without a time zone",
    "transactions": (
        f"One row an order, or a line of one: {FRAMES}. The order of the rows means nothing"
    ),
    "tz": (
        'Time zone in which periods are cut, such as ``"Europe/Berlin"``. Default: the column\'s '
        "own"
    ),
    "unit": (
        "Calendar period in which purchases are merged into one",
        (
            "Unit of recency and T, and so of the model's rates and horizons. Default: what the "
            "column ``time_unit`` of `summary` says, which `rfm_summary` writes; without it the "
            "unit must be given"
        ),
    ),
    "week_start": "Day on which a week begins",
    "year_start": (
        "Month in which a year begins, and with it the first quarter, as fiscal years do"
    ),
    "weights": (
        "Column of survey weights, 0 or more, such as `rake` makes. Their scale does not matter",
        (
            "Column of weights to begin with, 0 or more, such as those of a design. Their scale "
            "does not matter. Default: all responses begin alike"
        ),
        "Column with the number of customers in each row. Default: one",
    ),
    "window": (
        'Length of the window: days, or a length of time such as ``"28D"`` or ``"4 weeks"``',
        (
            "Length of the window before `as_of` out of which orders are used, such as "
            '``"365D"``: days of the wall clock, or hours'
        ),
    ),
}

# Functions that have more to say of an option than its common wording. `ALL` do.
ALL = "all"
SUFFIXED: dict[str, str] = {
    "adjust": ALL,
    "amount": "calibration_holdout churn_snapshots cohort_members cohort_retention customer_view "
    "growth_accounting holdout_report mrr_movements rfm_scores rfm_summary score_outcomes "
    "subscriptions_from_levels subscriptions_from_lines tracking value_concentration value_tiers",
    "amounts": ALL,
    "as_of": "active_days holdout_report inactivity_churn plot.customer_history "
    "plot.next_purchase usage_interval",
    "ax": "plot.frequency_recency plot.nps_bar plot.retention_heatmap plot.segment_migration",
    "by": "active_days active_users calibration_holdout churn_rate churn_snapshots "
    "churned_customers cltv cohort_members cohort_retention control_chart cumulative_incidence "
    "customer_view growth_accounting inactivity_churn key_drivers lift_table mrr_movements "
    "next_purchase nps_difference observed_value payback product_affinity response_rate "
    "revenue_cohorts revenue_retention rfm_cuts rfm_scores rfm_summary score_outcomes "
    "segment_migration subscriptions_from_levels subscriptions_from_lines survival_curve "
    "survival_difference upcoming_churn usage_interval value_concentration value_tiers "
    "warning_signs",
    "calibration_end": ALL,
    "cohort_time": ALL,
    "compounding": ALL,
    "confidence_level": "cumulative_incidence nps_difference product_affinity rate_difference "
    "survival_curve survival_difference",
    "counts": "cumulative_incidence nps_difference survival_curve survival_difference",
    "customer": "apply_contact_policy churn_snapshots customer_view product_affinity "
    "score_outcomes",
    "cuts": ALL,
    "discount_rate": "BDW.expected_lifetime BDW.residual_lifetime",
    "draws": "cltv cltv_from_models key_drivers revenue_retention value_concentration",
    "end": "churn_snapshots customer_view",
    "entry": "cumulative_incidence survival_curve survival_difference",
    "exact": ALL,
    "fractional": ALL,
    "gap": ALL,
    "group": ALL,
    "holdout": "fit_sbg",
    "horizon": "BGNBD.discounted_expected_purchases BGNBD.expected_purchases new_customer_value "
    "BGNBD.expected_purchases_new_customer BGNBD.next_purchase BGNBD.purchase_probabilities cltv "
    "cltv_from_models cltv_total next_purchase plot.frequency_recency plot.next_purchase",
    "include_partial": "churn_rate cohort_retention growth_accounting score_trend",
    "infinite": ALL,
    "interval": ALL,
    "labels": ALL,
    "metric": ALL,
    "min_customers": ALL,
    "missing": ALL,
    "model": "holdout_report next_purchase tracking",
    "monetary_value": "spend_independence",
    "observed": ALL,
    "order": ALL,
    "orders": "next_purchase plot.next_purchase",
    "origin": "holdout_report tracking",
    "penalty": ALL,
    "purchase_covariates, dropout_covariates": ALL,
    "period": "active_users churn_rate churned_customers control_chart growth_accounting "
    "inactivity_churn mrr_movements",
    "predictive": "cltv_from_models",
    "progress": ALL,
    "promoters, detractors": "survey_sample_size",
    "reason": ALL,
    "repeat": ALL,
    "respondent": "control_chart nps_difference score_trend",
    "responses": "key_drivers",
    "rules": ALL,
    "scale": "ces control_chart csat score_trend",
    "seed": "cltv cltv_from_models cltv_total key_drivers value_concentration",
    "spend": "cltv holdout_report new_customer_value tracking",
    "start": "churn_snapshots customer_view datasets.make_events datasets.make_subscriptions "
    "datasets.make_survey",
    "subscription": "score_outcomes",
    "subscriptions": "cumulative_incidence survival_curve survival_difference",
    "summary": "BGNBD.to_lifetimes GammaGamma.to_lifetimes cltv_from_models cltv_total",
    "time": "calibration_holdout ces cltv control_chart csat inactivity_churn next_purchase nps "
    "nps_difference plot.next_purchase pmf product_affinity rfm_scores rfm_summary score_outcomes "
    "score_trend usage_interval value_concentration value_tiers",
    "transactions": "plot.customer_history",
    "tz": "active_days cltv next_purchase plot.customer_history plot.next_purchase "
    "product_affinity purchase_regularity subscriptions_from_lines usage_interval warning_signs",
    "unit": "calibration_holdout purchase_regularity rfm_summary",
    "week_start": "holdout_report tracking",
    "weights": "nps nps_difference poststratify survival_curve",
    "window": "active_users inactivity_churn rfm_scores value_concentration value_tiers",
}

# Functions in which an option means something else, and what.
OTHER_MEANING: dict[str, dict[str, str]] = {
    "T": {
        "BGNBD.simulate": "a length of time, not a column",
        "plot.frequency_recency": "a length of time, not a column",
    },
    "amount": {
        "lift_table": "what a customer is worth, not what was paid",
        "plot.growth_accounting": "whether amounts are drawn",
        "upcoming_churn": "money is the point of it, unless it is None",
    },
    "as_of": {
        "apply_contact_policy": "when messages go out, which has no default",
        "churn_snapshots": "several of them, before which all is known",
        "customer_view": "before which all is known; it has no default",
        "response_rate": "invitations have two times, and the later one decides",
        "score_outcomes": "it ends the table of outcomes, which may be of two kinds",
        "upcoming_churn": "from which one looks ahead",
    },
    "by": {"poststratify": "groups of a population, in which a null has no size"},
    "confidence_level": {
        "survey_detectable_difference": "that of a test",
        "survey_sample_size": "that of an interval or of a test",
    },
    "customer, frequency, recency, T": {"BGNBD.probability_alive": "the method that explains them"},
    "customers": {
        "BDW.project": "what the fit was given",
        **dict.fromkeys(("churn_snapshots", "customer_view"), "their attributes"),
    },
    "draws": {"cltv_total": "futures alone: nothing is fitted anew"},
    "end": {
        "snapshot_dates": "an instant",
        "score_outcomes": "a column of the second table, for churn",
        "subscriptions_from_lines": "what a line is for always ends",
    },
    "cuts": {"rfm_scores": "a table of intervals"},
    "end_is": {"score_outcomes": "no period is cut: it has no `tz`"},
    "entry": dict.fromkeys(
        ("cohort_members", "cohort_retention"), "whether a customer has one cohort or many"
    ),
    "holdout": {
        "BDW.project": "ages that the model has not seen",
        "apply_contact_policy": "a share of customers",
    },
    "horizon": {
        "BDW.project": "periods after the last age of each cohort",
        "churn_snapshots": "time after an instant",
        "expected_lifetime": "where the mean of a curve is cut off",
        "revenue_retention": "periods between two snapshots",
        "score_outcomes": "time after an answer",
        "survival_difference": "where the mean lifetimes are cut off",
    },
    "interval": {"revenue_retention": "that of a ratio of sums"},
    "margin": {"survey_sample_size": "half the length of an interval"},
    "missing": {"fit_churn_risk": "features alone may be null, and their rows are kept"},
    "keep": {
        "calibration_holdout": "columns of orders, with one value a customer",
        "rfm_summary": "columns of orders, with one value a customer",
    },
    "model": {"datasets.make_orders": "the name of one, or one, to draw from"},
    "order": {"plot.segment_migration": "in which order segments are drawn"},
    "palette": {"plot.projection": "a cohort has two lines"},
    "penalty": {"fit_churn_risk": "a ridge, on standardised coefficients"},
    "period": {
        "annualize_rate": "what a rate is a rate of",
        "new_customer_value": "of a model, what it counts",
        "churn_rate_from_counts": "a column",
        "datasets.make_events": "how time is made",
        "plot.mrr_waterfall": "the date of the period that is drawn",
        "response_rate": "whether there are periods at all",
        "revenue_cohorts": "that of cohorts and of ages",
    },
    "positive": {"ces": "which answers are easy", "csat": "which answers are good"},
    "predictive": {"BDW.project": "the chance of so many customers staying"},
    "score": {
        "lift_table": "a score of risk, not an answer",
        "score_outcomes": "whole numbers alone, without labels",
        "score_report": "a score of risk, not an answer",
    },
    "start": {
        "score_outcomes": "a column of the second table, for churn",
        "snapshot_dates": "an instant",
    },
    "subscription": {"subscriptions_from_levels": "what has levels, which replace one another"},
    "tz": {
        "apply_contact_policy": "no period is cut: days are counted back from an instant",
        "snapshot_dates": "there is no column",
        **dict.fromkeys(
            ("cumulative_incidence", "survival_curve", "survival_difference"),
            "no period is cut: tenure begins with each customer",
        ),
    },
    "unit": {
        "fit_gamma_gamma": "it may stay unknown: no number of the model is in it",
        "BGNBD.from_lifetimes": "what the other library does not keep",
        "holdout_report": "that of a summary that is made inside, and of its model",
        "plot.survival_curve": "that of labels",
        "warning_signs": "what is counted",
        "cumulative_incidence": "that of tenure",
        "survival_curve": "that of tenure",
        "survival_difference": "that of tenure",
    },
    "respondent": {"response_rate": "who was invited"},
    "window": {
        "product_affinity": "time after a first purchase",
        "response_rate": "time after an invitation",
    },
}

# Options that have no common wording, and why.
NOT_SHARED = {
    "age": "a column, or a number",
    "ages": "of periods, or of days; those that are shown, or those that are looked at",
    "bins": "groups by one score, and scores of one measure",
    "cohort": "a column, or a day",
    "curve": "the result of another function each time, which is named with a link",
    "max_frequency": "where a table or a picture gathers the rest, or where a picture ends",
    "method": "definitions of churn, and ways to value, to share out R2, and to find an interval",
    "outcome": "a word for what is counted, or a column",
    "purchases": "a model that is needed, or one that takes the place of a fit",
    "n": "a column, respondents, customers, or purchases",
    "quantiles": "shares of gaps, or probabilities of dates",
    "table": "another table each time: the result that is drawn, counts, or cohorts",
    "values": "columns of two tables, and what a picture shows",
}

# Functions in which an option of the same meaning is of another type, and why.
OTHER_TYPE = {
    ("BGNBD.expected_purchases_new_customer", "horizon"): "it takes several at once",
    ("ces", "fractional"): "there are no cuts",
    ("new_customer_value", "horizon"): "it takes several at once",
    ("new_customer_value", "spend"): "of subscribers it is a price",
    ("cltv", "horizon"): "there is no unit at hand of which a number could be",
    ("csat", "fractional"): "there are no cuts",
    ("plot.next_purchase", "horizon"): "as of the function of that name",
    ("next_purchase", "horizon"): "there is no unit at hand of which a number could be",
}


# --- what the docstrings say -------------------------------------------------------------------


def public_functions() -> dict[str, Callable[..., Any]]:
    """Return all public functions, and the methods of public classes, each of them once."""
    found = {name: getattr(retainkit, name) for name in retainkit.__all__}
    for package in (datasets, plot):
        short = package.__name__.removeprefix("retainkit.")
        found |= {f"{short}.{name}": getattr(package, name) for name in package.__all__}
    functions: dict[str, Callable[..., Any]] = {
        name: one for name, one in found.items() if inspect.isfunction(one)
    }
    seen = set()
    for name, one in found.items():
        for method in dir(one) if inspect.isclass(one) else ():
            bound = getattr(one, method)
            function = bound.__func__ if isinstance(bound, MethodType) else bound
            if isinstance(function, FunctionType) and method[0] != "_" and function not in seen:
                seen.add(function)
                functions[f"{name}.{method}"] = function
    return functions


def parameters(function: Callable[..., Any]) -> dict[str, tuple[str, str]]:
    """Read the type and the paragraph of each parameter; those described together are one."""
    text = inspect.getdoc(function) or ""
    section = re.search(
        r"^Parameters\n-+\n(.*?)(?=^[A-Z][\w ]*\n---|\Z)", text, re.MULTILINE | re.DOTALL
    )
    found: dict[str, tuple[str, str]] = {}
    for entry in re.split(r"^(?=\S)", section[1] if section else "", flags=re.MULTILINE)[1:]:
        head, _, paragraph = entry.partition("\n")
        names, _, kind = head.partition(" : ")
        found[names] = kind, " ".join(paragraph.split())
    return found


# By option and function: the type and the paragraph.
OPTIONS: dict[str, dict[str, tuple[str, str]]] = {}
for _name, _function in public_functions().items():
    for _option, _described in parameters(_function).items():
        OPTIONS.setdefault(_option, {})[_name] = _described


def wordings(option: str) -> tuple[str, ...]:
    """Return the common wordings of an option."""
    found = CANONICAL[option]
    return (found,) if isinstance(found, str) else found


def split(option: str, text: str) -> tuple[str, str] | None:
    """Split a paragraph into the wording of its option and what follows (None: it is another)."""
    for wording in wordings(option):
        if text.startswith(wording) and text[len(wording) : len(wording) + 1] in {*".,:;"}:
            return wording, text[len(wording) + 1 :].strip()
    return None


def declared(option: str) -> set[str]:
    """Return the functions that have more to say of an option."""
    names = SUFFIXED.get(option, "")
    if names == ALL:
        return {*OPTIONS[option]} - {*OTHER_MEANING.get(option, {})}
    return set(names.split())


each_option = pytest.mark.parametrize("option", CANONICAL)


# --- tests -------------------------------------------------------------------------------------


def test_an_option_of_three_functions_has_a_common_wording() -> None:
    shared = {option for option, functions in OPTIONS.items() if len(functions) > 2}
    assert shared - CANONICAL.keys() == NOT_SHARED.keys()
    assert CANONICAL.keys() | NOT_SHARED.keys() <= OPTIONS.keys()
    assert not CANONICAL.keys() & NOT_SHARED.keys()
    assert SUFFIXED.keys() | OTHER_MEANING.keys() <= CANONICAL.keys()


@each_option
def test_an_option_is_described_in_the_same_words(option: str) -> None:
    other = {name for name, (_, text) in OPTIONS[option].items() if split(option, text) is None}
    assert other == OTHER_MEANING.get(option, {}).keys()


@each_option
def test_what_is_said_of_an_option_besides_is_declared(option: str) -> None:
    parts = {name: split(option, text) for name, (_, text) in OPTIONS[option].items()}
    assert {name for name, part in parts.items() if part and part[1]} == declared(option)


@each_option
def test_a_common_wording_is_common(option: str) -> None:
    parts = [split(option, text) for _, text in OPTIONS[option].values()]
    used = [part[0] for part in parts if part]
    assert all(used.count(wording) > 1 for wording in wordings(option))


@each_option
def test_an_option_of_the_same_meaning_is_of_the_same_type(option: str) -> None:
    for wording in wordings(option):
        kinds = {
            name: re.sub(r"(, optional)?(, default .*)?$", "", kind)
            for name, (kind, text) in OPTIONS[option].items()
            if (part := split(option, text)) and part[0] == wording
        }
        other = {name for name in kinds if (name, option) in OTHER_TYPE}
        usual = {kind for name, kind in kinds.items() if name not in other}
        assert len(usual) == 1
        assert all(kinds[name] not in usual for name in other)


def test_kinds_of_frames_are_listed_in_the_same_words() -> None:
    for functions in OPTIONS.values():
        for _, text in functions.values():
            assert "PyArrow" not in text or FRAMES in text or EAGER_FRAMES in text


# --- the table of words in the reference --------------------------------------------------------

_PAGE = (Path(__file__).parents[1] / "docs" / "reference" / "index.md").read_text("utf-8")
_HEADING = "## Words that all functions share"
_SECTION = _PAGE.partition(_HEADING)[2].partition("\n## ")[0]
WORDS = {
    word: row[-1]
    for row in (line.strip("| ").split(" | ") for line in _SECTION.split("\n"))
    if len(row) >= 2
    for word in re.findall(r"`(\w+)`", row[0])
}
# The first argument says what a row is, and the axes are those of matplotlib.
_NOT_IN_THE_TABLE = {
    *("events", "transactions", "subscriptions", "responses", "summary", "table", "curve"),
    "ax",
}


def test_the_words_are_explained_once() -> None:
    assert _PAGE.count(_HEADING) == 1
    words = re.findall(r"^\| `(\w+)`", _SECTION, re.MULTILINE)
    assert len(words) == len(set(words))


def test_the_table_has_the_words_that_many_functions_share() -> None:
    shared = {option for option, functions in OPTIONS.items() if len(functions) >= 10}
    assert shared - _NOT_IN_THE_TABLE <= WORDS.keys()
    assert WORDS.keys() <= OPTIONS.keys()


@pytest.mark.parametrize("word", WORDS)
def test_the_table_names_functions_that_have_the_word(word: str) -> None:
    functions = public_functions()
    named = set(re.findall(r"`([\w.]+)`", WORDS[word])) & functions.keys()
    assert all(word in inspect.signature(functions[name]).parameters for name in named)
