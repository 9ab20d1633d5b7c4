"""Facts of errors and warnings: how many, and of how many. All numbers are counted by hand."""

import warnings
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pandas as pd
import pytest

import retainkit as rk
from backends import Backend
from registry import PURCHASES
from retainkit.errors import RetainkitError, RetainkitWarning
from tables import Row

Call = Callable[[Backend], Any]
Facts = tuple[str, int, int | None]


def day(text: str) -> datetime:
    return datetime.fromisoformat(f"2024-{text}")


def told(call: Callable[[], Any]) -> list[Facts]:
    """Return the facts of the warnings of a call, and of the error that ends it."""
    found: list[Any] = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            call()
        except RetainkitError as error:
            found.append(error)
    found = [one.message for one in caught if one.category is RetainkitWarning] + found
    return [(one.code, one.rows, one.total) for one in found]


# Four customers: two come in January, two in March; cyd never signs up, and dee is in two plans.
ORDERS: list[Row] = [
    {
        "customer_id": who,
        "time": day(when),
        "amount": amount,
        "plan": plan,
        "signs_up": signs_up,
        "signup": day(signup),
    }
    for who, when, amount, plan, signs_up, signup in [
        ("ann", "01-05", 10.0, "a", True, "01-05"),
        ("ann", "02-03", 20.0, "a", False, "01-05"),
        ("bob", "01-20", 10.0, "b", True, "01-20"),
        ("cyd", "03-10", -5.0, "a", False, "03-10"),
        ("dee", "03-15", 10.0, "a", True, "05-01"),
        ("dee", "03-15", 10.0, "b", False, "05-01"),
    ]
]
SINGLE = ORDERS[:5]
CUSTOMERS: list[Row] = [
    {"customer_id": who, "signup": day(when)}
    for who, when in [("ann", "01-05"), ("bob", "01-20"), ("cyd", "03-10"), ("dee", "01-02")]
]
HOLDOUT: Row = {"calibration_end": "2024-03-01", "as_of": "2024-04-01"}
BEFORE_SIGNUP: Row = {"cohort_time": "signup", "as_of": "2024-05-01"}
EDGES = ["2024-02-01", "2024-03-01", "2024-04-01"]
STARTED: Row = {"started": "signs_up"}

OF_CUSTOMERS: dict[str, tuple[Call, Facts]] = {
    "calibration_holdout": (
        lambda backend: rk.calibration_holdout(backend.make(SINGLE), **HOLDOUT),
        ("customers_left_out", 2, 4),
    ),
    "tracking": (
        lambda backend: rk.tracking(PURCHASES, backend.make(SINGLE), **HOLDOUT),
        ("customers_left_out", 2, 4),
    ),
    "net refunds": (
        lambda backend: rk.rfm_summary(backend.make(SINGLE), amount="amount", amounts="net"),
        ("no_purchase_left", 1, 4),
    ),
    "net refunds of a holdout": (
        lambda backend: rk.calibration_holdout(
            backend.make(SINGLE), amount="amount", amounts="net", **HOLDOUT
        ),
        ("no_purchase_left", 1, 4),
    ),
    "plans of a summary": (
        lambda backend: rk.rfm_summary(backend.make(ORDERS), by="plan"),
        ("ambiguous_segment", 1, 4),
    ),
    "plans of cohorts": (
        lambda backend: rk.cohort_retention(backend.make(ORDERS), by="plan"),
        ("ambiguous_segment", 1, 4),
    ),
    "plans of customers in several cohorts": (
        lambda backend: rk.cohort_retention(backend.make(ORDERS), by="plan", entry="recurring"),
        ("ambiguous_segment", 1, None),
    ),
    "plans of growth": (
        lambda backend: rk.growth_accounting(backend.make(ORDERS), by="plan"),
        ("ambiguous_segment", 1, 4),
    ),
    "plans of active days": (
        lambda backend: rk.active_days(backend.make(ORDERS), by="plan", window=90),
        ("ambiguous_segment", 1, 4),
    ),
    "who never starts": (
        lambda backend: rk.cohort_retention(backend.make(SINGLE), **STARTED),
        ("customers_left_out", 1, 4),
    ),
    "members that never start": (
        lambda backend: rk.cohort_members(backend.make(SINGLE), **STARTED),
        ("customers_left_out", 1, 4),
    ),
    "starts after the end": (
        lambda backend: rk.cohort_retention(backend.make(SINGLE), **BEFORE_SIGNUP),
        ("start_after_as_of", 1, 4),
    ),
    "starts of growth after the end": (
        lambda backend: rk.growth_accounting(backend.make(SINGLE), **BEFORE_SIGNUP),
        ("start_after_as_of", 1, 4),
    ),
    "starts outside edges": (
        lambda backend: rk.cohort_retention(backend.make(SINGLE), cohort_period=EDGES),
        ("outside_edges", 2, 4),
    ),
    "starts before the rows": (
        lambda backend: rk.cohort_retention(
            backend.make(SINGLE[1:2]),
            customers=backend.make(CUSTOMERS),
            cohort_time="signup",
        ),
        ("rows_before_start", 3, 4),
    ),
    "small cohorts": (
        # Two start in January, one each in February and in March.
        lambda backend: rk.cohort_retention(
            backend.make([*SINGLE[:4], SINGLE[4] | {"time": day("02-07")}]), min_customers=2
        ),
        ("small_cohorts", 2, 3),
    ),
    "customers twice": (
        lambda backend: rk.cohort_retention(
            backend.make(SINGLE),
            customers=backend.make([*CUSTOMERS, *CUSTOMERS[:1], *CUSTOMERS[:1]]),
            cohort_time="signup",
        ),
        ("repeated_customers", 1, 4),
    ),
    "several starts": (
        lambda backend: rk.cohort_retention(
            backend.make([*SINGLE, SINGLE[0] | {"signup": day("01-02")}]), cohort_time="signup"
        ),
        ("several_starts", 1, 4),
    ),
}


# --- subscriptions -----------------------------------------------------------------

RUNS: list[Row] = [
    {
        "customer_id": who,
        "start": day(start),
        "end": end and day(end),
        "mrr": 10.0,
        "seen": day(seen),
        "duration": duration,
        "since": since,
        "counts": 10,
    }
    for who, start, end, seen, duration, since in [
        ("ann", "01-01", "02-10", "03-01", 2.0, 2.0),
        ("bob", "01-01", None, "01-01", 6.0, 1.0),
        ("cyd", "02-01", "03-20", "02-01", 3.0, 0.0),
    ]
]
OF_SUBSCRIPTIONS: dict[str, tuple[Call, Facts]] = {
    "who comes under observation too late": (
        lambda backend: rk.survival_curve(backend.make(RUNS), entry="seen", as_of="2024-06-01"),
        ("entry_after_end", 1, 3),
    ),
    "entries of durations": (
        lambda backend: rk.survival_curve(
            backend.make(RUNS), duration="duration", entry="since", counts="counts"
        ),
        ("entry_after_end", 10, 30),
    ),
    "who paid before the edges": (
        lambda backend: rk.revenue_cohorts(
            backend.make(RUNS), period=["2024-02-01", "2024-03-01", "2024-04-01"]
        ),
        ("outside_edges", 2, 3),
    ),
}


# --- answers -----------------------------------------------------------------------

# Of three respondents, ann answers twice in the first wave.
ANSWERS: list[Row] = [
    {"who": who, "wave": wave, "time": day(when), "score": score, "weight": weight}
    for who, wave, when, score, weight in [
        ("ann", 1, "01-01", 10, 1000.0),
        ("ann", 1, "01-01", 0, 1.0),
        ("ann", 2, "02-01", 9, 1.0),
        ("bob", 1, "01-01", 7, 1.0),
        ("bob", 2, "02-01", 99, 1.0),
        ("cyd", 2, "02-01", 8, 1.0),
    ]
]
OF_ANSWERS: dict[str, tuple[Call, Facts]] = {
    "answers at one time": (
        lambda backend: rk.nps(
            backend.make(ANSWERS[:4]), respondent="who", time="time", repeat="first"
        ),
        ("same_time", 1, 2),
    ),
    "answers of respondents who must have one": (
        # Bob's second answer is not on the scale, and Cyd has one.
        lambda backend: rk.nps(
            backend.make(ANSWERS), respondent="who", repeat="error", invalid="drop"
        ),
        ("repeated_respondents", 1, 3),
    ),
    "answers of a pair": (
        lambda backend: rk.nps_difference(
            backend.make([*ANSWERS[:4], ANSWERS[5]]), group="wave", pair="who"
        ),
        ("repeated_respondents", 1, 3),
    ),
    "answers off the scale": (
        lambda backend: rk.score_trend(
            backend.make(ANSWERS), metric="nps", period="month", invalid="drop"
        ),
        ("off_scale", 1, 6),
    ),
    "answers that outweigh": (
        lambda backend: rk.nps(backend.make(ANSWERS[:4]), weights="weight"),
        ("few_outweigh_all", 4, 4),
    ),
    "answers of a wave that outweigh": (
        lambda backend: rk.nps(
            backend.make([*ANSWERS[:4], ANSWERS[5]]), weights="weight", by="wave"
        ),
        ("few_outweigh_all", 3, 5),
    ),
}


EVERY = OF_CUSTOMERS | OF_SUBSCRIPTIONS | OF_ANSWERS


@pytest.mark.parametrize("name", EVERY)
def test_all_are_told_of_how_many(backend: Backend, name: str) -> None:
    call, facts = EVERY[name]
    assert facts in told(lambda: call(backend))


@pytest.mark.parametrize(
    ("who", "facts"),
    [
        (["ann", "ann", "bob"], ("same_time", 1, 2)),  # ann answers twice at one time
        (["xan", "xan", "yve"], ("no_common_customers", 2, 2)),
    ],
)
def test_outcomes_are_told_of_how_many(backend: Backend, who: list[str], facts: Facts) -> None:
    rows = [{"customer_id": one, "time": day("01-01"), "score": 9} for one in who]
    events = [
        {"customer_id": "ann", "time": day("01-05")},
        {"customer_id": "bob", "time": day("04-05")},
    ]
    if facts[0] == "no_common_customers":
        rows[1] |= {"time": day("01-02")}
    outcomes = backend.make(rows), backend.make(events)
    assert facts in told(lambda: rk.score_outcomes(*outcomes, horizon="30D"))


# --- results -----------------------------------------------------------------------


def test_rows_that_a_picture_cannot_show_are_told_of_how_many() -> None:
    pytest.importorskip("matplotlib")
    scores = rk.nps(pd.DataFrame({"score": [10, 9, 3], "plan": ["a", "b", "b"]}), by="plan")
    twice = pd.concat([scores, scores[:1]])
    assert told(lambda: rk.plot.nps_bar(twice)) == [("duplicate_rows", 1, 3)]


def test_segments_without_importance_are_told_of_how_many() -> None:
    responses = pd.DataFrame(
        {"plan": ["a"] * 6 + ["b"] * 2, "score": [9, 3, 7, 1, 4, 8, 5, 5]}
        | {"price": [5, 1, 4, 2, 2, 5, 3, 3], "service": [2, 3, 1, 1, 4, 3, 2, 2]}
    )
    call = lambda: rk.key_drivers(  # noqa: E731
        responses, outcome="score", drivers=["price", "service"], by="plan", draws=20, seed=1
    )
    assert ("nothing_to_learn", 1, 2) in told(call)
