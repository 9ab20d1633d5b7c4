"""Advice where a table lacks a column: what makes such a table, or what takes the one there is."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import narwhals.stable.v2 as nw

# Columns that tell the result of a function; the first that fits counts.
RESULTS: Mapping[str, tuple[str, ...]] = {
    "revenue_cohorts": ("cohort", "age", "nrr"),
    "cohort_retention": ("cohort", "age", "eligible", "retained"),
    "retention_curve": ("age", "retention", "average"),
    "survival_curve": ("tenure", "survival"),
    "expected_lifetime": ("expected_lifetime", "horizon"),
    "median_lifetime": ("churned", "median"),
    "inactivity_churn": ("churn_rate", "returned_later"),
    "churn_rate": ("opening", "churn_rate"),
    "growth_accounting": ("new", "resurrected"),
    "active_users": ("active", "stickiness"),
    "active_days": ("days", "at_least"),
    "mrr_movements": ("opening", "expansion", "contraction"),
    "revenue_retention": ("nrr", "logo_retention"),
    "control_chart": ("centre", "signal"),
    "score_trend": ("score", "metric", "window"),
    "nps_difference": ("nps_a", "nps_b"),
    "rate_difference": ("rate_a", "rate_b"),
    "segment_migration": ("from", "to", "customers"),
    "nps": ("promoters", "detractors", "nps"),
    "csat": ("positive", "negative", "csat"),
    "ces": ("positive", "negative", "ces"),
    "pmf": ("very", "pmf"),
    "response_rate": ("invitations", "response_rate"),
    "score_outcomes": ("outcomes", "rate", "n_open"),
    "key_drivers": ("driver", "importance"),
    "rfm_scores": ("recency_days", "rfm"),
    "lift_table": ("bin", "cumulative_lift"),
    "observed_value": ("age_days", "repeat_share"),
    "payback": ("payback_days", "ltv_cac"),
    "value_concentration": ("share_of_value", "gini"),
    "product_affinity": ("item", "other", "lift"),
    "apply_contact_policy": ("blocked_by", "bucket"),
    "tracking": ("actual_cumulative", "expected_cumulative"),
    "calibration_holdout": ("frequency", "frequency_holdout"),
    "rfm_summary": ("frequency", "recency", "T"),
    "cltv_total": ("cltv", "parameter_share"),
    "cltv": ("expected_purchases", "cltv"),
    "warning_signs": ("baseline_active", "recent_active", "reasons"),
    "project": ("observed", "fitted", "projected"),
}


@dataclass(frozen=True, slots=True)
class _Advice:
    """What to say where the column of an argument is not there, and certain others are."""

    lacks: tuple[str, ...]
    has: tuple[str, ...]
    text: str


_DEFAULTS = {
    "survivors": "retained",
    "customer": "customer_id",
}  # columns that are not called like their arguments
_SUMMARY = ("frequency", "recency", "T")
# Results with a row a customer that other functions take, whatever the customers are called.
_OF_CUSTOMERS = {"rfm_scores", "warning_signs"}
_ADVICE = (
    _Advice(
        ("start", "end"),
        ("duration",),
        "Numbers of how long customers have been there go to `survival_curve(duration=...)`.",
    ),
    _Advice(
        ("time",),
        ("start", "end"),
        "Subscriptions go to `churn_rate`, `survival_curve` and `mrr_movements`.",
    ),
    _Advice(
        ("time",), _SUMMARY, "A summary of customers goes to `fit_bg_nbd` and `cltv_from_models`."
    ),
    _Advice((*_SUMMARY, "monetary_value"), (), "`rfm_summary` makes such a table of orders."),
    _Advice(
        ("age", "survivors"),
        (),
        "`cohort_retention` makes such a table of events, `survival_curve` of subscriptions.",
    ),
    _Advice(
        ("score",),
        ("promoters", "detractors"),
        "Promoters and detractors that are counted already go to `nps_from_counts`.",
    ),
    _Advice(
        ("promoters", "passives", "detractors"),
        ("score",),
        "Answers that are not counted yet go to `nps`.",
    ),
)
_AGE = re.compile(r"\d+(-\d+)?")


def maker_of(columns: Sequence[Any]) -> str | None:
    """Return the function whose result has these columns."""
    if is_matrix(columns):
        return "retention_matrix"
    return next((name for name, own in RESULTS.items() if {*own} <= {*columns}), None)


def is_matrix(columns: Sequence[Any]) -> bool:
    """Return whether a table has cohorts down and ages across, and nothing else right of them."""
    if "cohort" not in columns:
        return False
    ages = columns[columns.index("cohort") + 1 :]
    return bool(ages) and all(isinstance(one, str) and _AGE.fullmatch(one) for one in ages)


def result_advice(argument: str, made_by: Sequence[str], columns: Sequence[str]) -> str:
    """Return which function makes what an argument wants, and which made what was given."""
    if not made_by:
        return ""
    *others, last = (f"`{name}`" for name in made_by)
    wanted = f"{', '.join(others)} or {last}" if others else last
    maker = maker_of(columns)
    given = "" if maker is None or maker in made_by else f"; this looks like that of `{maker}`"
    return f"`{argument}` wants the result of {wanted}{given}."


def index_advice(frame: nw.DataFrame[Any] | nw.LazyFrame[Any], column: str) -> str:
    """Return how a level of pandas' index becomes a column, if the column that lacks is one."""
    if not frame.implementation.is_pandas() or column not in frame.to_native().index.names:
        return ""
    return f"{column!r} is in the index, which is not read: make it a column with reset_index()."


def table_advice(argument: str, column: str, schema: Mapping[str, nw.dtypes.DType]) -> str:
    """Return what makes a table with the column that lacks, or takes the one there is.

    Of columns that the user named nothing is known.
    """
    if column != _DEFAULTS.get(argument, argument):
        return ""
    if argument == "customer" and maker_of([*schema]) in _OF_CUSTOMERS:
        return "Name the column of the customers, as in `customer='user'`."
    for advice in _ADVICE:
        if argument in advice.lacks and {*advice.has} <= schema.keys():
            return advice.text
    dates = _dates_advice(schema) if argument in {"start", "end"} else ""
    return source_advice([*schema]) or dates


def source_advice(columns: Sequence[Any]) -> str:
    """Return what to give where a table is wanted, if what was given is a result made of one."""
    maker = maker_of(columns)
    if maker is None:
        return ""
    return f"This looks like the result of `{maker}`: give the table that it was made of."


def _dates_advice(schema: Mapping[str, nw.dtypes.DType]) -> str:
    """Return what to do with a table that lacks the start or the end of subscriptions."""
    missing = [name for name in ("start", "end") if name not in schema]
    likely = {argument: _likely_column(argument, schema) for argument in ("start", "end")}
    times = [name for name, dtype in schema.items() if dtype.is_temporal()]
    others = [name for name in times if name not in {"start", "end"}]
    if len(missing) == 1:
        (lacks,) = missing
        columns = [likely[lacks], *(one for one in others if one not in likely.values())]
        column = next(filter(None, columns), None)
        if column is not None:
            return f"If {column!r} says when one {lacks}s, set `{lacks}={column!r}`."
    elif len(others) > 1 or all(likely.values()):
        names = ", ".join(map(repr, others[:-1])) + f" and {others[-1]!r}" if others else ""
        say = f"It has times in {names}: say" if len(others) > 1 else "Say"
        such = ", ".join(f"{argument}={column!r}" for argument, column in likely.items() if column)
        return f"{say} with `start` and `end` which are meant{such and f', such as `{such}`'}."
    return _levels_advice(times, schema)


# What others call the start and the end of a subscription, in small letters and digits. What was
# asked for comes after what was done: Stripe's `canceled_at` may be long before its `ended_at`.
_OTHER_NAMES = {
    "start": (
        *("start", "startedat", "startdate", "starttime", "startat", "starton", "activatedat"),
        *("subscribedat", "begin", "begindate", "validfrom", "datestart", "createdat", "created"),
        *("createddate", "signupdate", "signedupat"),
    ),
    "end": (
        *("end", "endedat", "enddate", "endtime", "endat", "endon", "terminatedat", "churnedat"),
        *("churndate", "validto", "validuntil", "dateend", "expiredat", "expiresat"),
        *("canceledat", "cancelledat", "cancelleddate", "canceleddate", "canceldate"),
        *("cancellationdate", "cancelationdate", "cancelat"),
    ),
}


def _likely_column(argument: str, columns: Iterable[Any]) -> str | None:
    """Return the column that others call so which an argument wants."""
    names = [name for name in columns if isinstance(name, str)]
    plain = {re.sub("[^a-z0-9]", "", name.lower()).removesuffix("utc"): name for name in names}
    return next((plain[one] for one in _OTHER_NAMES[argument] if one in plain), None)


def _levels_advice(times: Sequence[str], schema: Mapping[str, nw.dtypes.DType]) -> str:
    """Return what takes a table of one time a row."""
    if len(times) != 1 or times == ["end"]:
        return ""
    (only,) = times
    levels = (
        "If each row says what a customer pays from then on, write "
        f"subscriptions_from_levels(time={only!r}, amount='mrr'). "
    )
    advice = levels if "mrr" in schema else ""
    if only == "start":
        return f"{advice}If every row still runs, add a column 'end' of nulls."
    return advice.rstrip() or (
        f"Events and orders have one time, such as {only!r}: for their churn see "
        "`inactivity_churn`, for their retention `cohort_retention`."
    )
