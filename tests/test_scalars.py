"""Scalar arguments are checked before a row is read: what is wrong with them costs no time."""

import inspect
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from registry import PICTURES, REGISTRY, Entry
from retainkit import plot
from retainkit.errors import ArgumentError, ArgumentTypeError


class Untouchable:
    """A table of which nothing may be looked at, not even what it is."""

    def __getattribute__(self, name: str) -> Any:
        raise AssertionError(f"the table was touched: {name}")


# A value of each scalar argument that no table makes right.
WRONG: dict[str, Any] = {
    "active_within": "1 month",
    "adjust": "twice",
    "age": -1,
    "ages": ("1 month",),
    "amounts": "positive",
    "as_of": "yesterday",
    "at": -1,
    "average": "mean",
    "baseline": 0,
    "bins": 5.0,
    "brackets": (3, 1),
    "by": {"a"},
    "by_score": 1,
    "calibration_end": "tomorrow",
    "chained": 1,
    "change": "yes",
    "clock": "sun",
    "cohort": {"a"},
    "cohort_period": "fortnight",
    "cost": -1,
    "compounding": "daily",
    "confidence_level": 95,
    "counting": "off",
    "customers": -1.0,
    "cuts": (8, 6),
    "dated": "today",
    "descending": "yes",
    "detect": -1,
    "discount_rate": 10,
    "draws": 0,
    "drivers": "service",
    "end_is": "inclusive",
    "engine": "steam",
    "entry": "second",
    "exact": "yes",
    "exclude": {"a": 1},
    "features": {"a"},
    "fractional": "truncate",
    "gap": 3,
    "higher_is_better": "yes",
    "holdout": -1,
    "horizon": -1,
    "include_chance": "yes",
    "include_first": "yes",
    "include_open": "yes",
    "include_partial": "yes",
    "infinite": "drop",
    "unseen": "drop",
    "ahead": "1 mnth",
    "covariate_penalty": -1,
    "covariates": {"a"},
    "purchase_covariates": {"a"},
    "dropout_covariates": {"a"},
    "keep_first": {"a"},
    "interval": "wide",
    "invalid": "ignore",
    "keep": {"a"},
    "kind": "bar",
    "labels": {"good": "much"},
    "lead": "1 month",
    "level": "high",
    "levels": {"r": 3},
    "limits": (2.0, 1.0),
    "margin": 40,
    "margins": {"plan": {"a": -1.0}},
    "max_frequency": -1,
    "max_iterations": 0,
    "measures": {"recency"},
    "method": "guess",
    "metric": "ces",
    "min_baseline": 0,
    "min_customers": -1,
    "min_events": 0,
    "min_gaps": 0,
    "min_purchases": 0,
    "min_responses": -1,
    "min_trials": 0,
    "missing": "skip",
    "missing_codes": 99,
    "model": "bg_nbd",
    "most": 0,
    "n": -1,
    "negative": "bottom0",
    "observed": "yes",
    "opening": -1,
    "origin": "yesterday",
    "outcome": "sale",
    "overlap": "last",
    "penalty": -1,
    "period": "fortnight",
    "population": 0,
    "positive": "top0",
    "power": 80,
    "predictive": "yes",
    "progress": 3,
    "probability": "yes",
    "purchases": "bg_nbd",
    "quantiles": (50,),
    "rate": 10,
    "rates": {"EUR": -1.0},
    "recent": 28,
    "reasons": -1,
    "reference": ...,
    "repeat": "mode",
    "rolling": 0,
    "rule": "mine",
    "scale": (10, 0),
    "seed": -1,
    "shares": (20,),
    "sigmas": -1,
    "signals": ["payment_failed"],
    "sources": [1],
    "spend": "gamma",
    "stat": "median",
    "threshold": 40,
    "tiers": (("heavy", 20),),
    "tolerance": -1,
    "transform": "sqrt",
    "tz": "Mars/Olympus",
    "unit": "fortnight",
    "until": "tomorrow",
    "week_start": "moonday",
    "window": "1 month",
    "windows": ("1 month",),
    "within": "1 month",
    "year_start": "winter",
}
# What names a column, or a value of one, is looked for in the table. These are no columns.
NAMES = ("str", "str | None")
WORDS = ("tz", "rule")
IN_THE_TABLE = {
    "subscriptions": "a table",
    "reference": "a value of `group`",
    "very": "an answer",
    "promoters": "a column",
}
# Where an argument is called alike and means something else.
OTHER: dict[tuple[str, str], Any] = {("cltv", "horizon"): 12, ("next_purchase", "horizon"): 90}
# Of pictures, which take results: their colours and labels are matplotlib's to check.
DRAWN: list[tuple[str, str, Any]] = [
    ("cltv_distribution", "top", 10),
    ("customer_history", "as_of", "yesterday"),
    ("customer_history", "future", "26m"),
    ("customer_history", "missing", "skip"),
    ("customer_history", "model", "bg_nbd"),
    ("customer_history", "tz", "Mars/Olympus"),
    ("frequency_counts", "confidence_level", 95),
    ("affinity", "max_pairs", 0),
    ("frequency_counts", "max_frequency", 0),
    ("frequency_counts", "model", "bg_nbd"),
    ("growth_accounting", "amount", "yes"),
    ("next_purchase", "as_of", "yesterday"),
    ("next_purchase", "horizon", "26m"),
    ("next_purchase", "missing", "skip"),
    ("next_purchase", "model", "bg_nbd"),
    ("next_purchase", "quantiles", (50,)),
    ("next_purchase", "tz", "Mars/Olympus"),
    ("retention_heatmap", "colorbar", "yes"),
    ("retention_heatmap", "min_customers", -1),
    ("segment_migration", "order", "loyal"),
    ("segment_migration", "values", "lower"),
    ("tracking", "cumulative", "yes"),
]


def scalars() -> Iterator[tuple[str, str]]:
    """Return the scalar arguments of all functions that take a table, by their entries."""
    for name, entry in REGISTRY.items():
        for argument, parameter in inspect.signature(entry.function).parameters.items():
            if not entry.tables or argument in entry.tables or argument in IN_THE_TABLE:
                continue
            kind = str(parameter.annotation)
            if "IntoFrame" not in kind and (kind not in NAMES or argument in WORDS):
                yield name, argument


def called(entry: Entry, argument: str, value: Any) -> Callable[[], Any]:
    """Return the call of a function with tables that must not be touched."""
    tables = {name: Untouchable() for name in entry.tables}
    return lambda: entry.function(**tables, **entry.options | {argument: value})


@pytest.mark.parametrize(("name", "argument"), [*scalars()])
def test_a_wrong_scalar_is_refused_before_a_row_is_read(name: str, argument: str) -> None:
    assert argument in WRONG, f"say in WRONG what is wrong for `{argument}` of {name}"
    wrong = OTHER.get((name, argument), WRONG[argument])
    with pytest.raises((ArgumentError, ArgumentTypeError), match=argument):
        called(REGISTRY[name], argument, wrong)()


@pytest.mark.parametrize(("name", "argument", "wrong"), DRAWN)
def test_a_wrong_scalar_of_a_picture_is_refused_before_a_row_is_read(
    name: str, argument: str, wrong: Any
) -> None:
    given = PICTURES[name]()
    (table,) = {"table", "transactions", "summary", "orders"} & {*given}
    with pytest.raises((ArgumentError, ArgumentTypeError), match=argument):
        getattr(plot, name)(**given | {table: Untouchable(), argument: wrong})
