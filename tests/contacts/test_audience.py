"""Audiences: who meets which rule, and what comes along."""

import datetime as dt
import random
from typing import Any

import pandas as pd
import polars as pl
import pytest

import retainkit as rk
from backends import Backend
from retainkit.errors import ArgumentError, ColumnTypeError, MissingColumnError, RetainkitWarning
from tables import Row, rows_of


def views(seed: int) -> list[Row]:
    draw = random.Random(seed)  # noqa: S311
    return [
        {
            "customer_id": customer,
            "orders": draw.choice([None, *range(6)]),
            "churn_risk": draw.choice([None, 0.25, 0.5, 0.75]),
            "subscribed": draw.random() < 0.5,
        }
        for customer in range(60)
    ]


RULES: list[Row] = [
    {"rule": "win back", "orders_min": None, "orders_max": None, "churn_risk_min": 0.5,
     "subscribed_is": None, "priority": 1, "channel": "email", "until": dt.date(2024, 3, 1)},
    {"rule": "loyal", "orders_min": 3, "orders_max": None, "churn_risk_min": None,
     "subscribed_is": True, "priority": 2, "channel": None, "until": None},
    {"rule": "first order", "orders_min": None, "orders_max": 1, "churn_risk_min": None,
     "subscribed_is": None, "priority": None, "channel": "sms", "until": None},
    {"rule": "win back", "orders_min": 1, "orders_max": None, "churn_risk_min": 0.75,
     "subscribed_is": False, "priority": 4, "channel": "sms", "until": None},
]  # fmt: skip


def meets(row: Row, rule: Row) -> bool:
    orders, risk = row["orders"], row["churn_risk"]
    return (
        (rule["orders_min"] is None or (orders is not None and orders >= rule["orders_min"]))
        and (rule["orders_max"] is None or (orders is not None and orders <= rule["orders_max"]))
        and (
            rule["churn_risk_min"] is None or (risk is not None and risk >= rule["churn_risk_min"])
        )
        and (rule["subscribed_is"] is None or row["subscribed"] == rule["subscribed_is"])
    )


def test_against_a_slow_loop_in_every_engine(backend: Backend) -> None:
    rows = views(1)
    view = backend.make(rows, like=rows[0] | {"orders": 1, "churn_risk": 0.5})
    found = rows_of(rk.audience(view, pl.DataFrame(RULES)))
    carried = ("rule", "priority", "channel", "until")
    want = [
        {"customer_id": row["customer_id"]} | {name: rule[name] for name in carried}
        for row in rows
        for rule in RULES
        if meets(row, rule)
    ]
    assert want
    key = lambda row: str([row[name] for name in row])  # noqa: E731
    if backend.lazy:
        found, want = sorted(found, key=key), sorted(want, key=key)
    assert found == want
    assert [*found[0]] == ["customer_id", *carried]


def test_a_rule_that_nobody_meets_is_named() -> None:
    view = pd.DataFrame({"customer_id": [1, 2], "orders": [1, 2]})
    rules = pd.DataFrame({"rule": ["some", "none", "never"], "orders_min": [2, 3, 9]})
    for table in (view, pl.from_pandas(view).lazy()):
        with pytest.warns(RetainkitWarning, match="2 rules of 3: 'none', 'never'") as caught:
            found = rk.audience(table, rules)
        assert [row["rule"] for row in rows_of(found)] == ["some"]
        (warning,) = caught
        facts = warning.message
        assert isinstance(facts, RetainkitWarning)
        assert (facts.code, facts.argument, facts.rows) == ("unmet_rule", "rules", 2)


def test_a_date_that_is_due_is_a_condition() -> None:
    # As `next_purchase` gives it: null where never is likelier.
    due = [dt.date(2024, 3, 5), dt.date(2024, 3, 20), None]
    view = pl.DataFrame({"customer_id": [1, 2, 3], "due_25": due})
    rules = pd.DataFrame({"rule": ["soon"], "due_25_max": ["2024-03-05"]})
    assert rk.audience(view, rules)["customer_id"].to_list() == [1]


@pytest.mark.parametrize(
    ("view", "rules", "error", "words"),
    [
        ({}, {"rule": ["a"], "order_min": [1]}, MissingColumnError, "'order'.*'orders'"),
        ({}, {"segment": ["a"], "orders_min": [1]}, MissingColumnError, "'rule'"),
        ({}, {"rule": ["a"]}, ArgumentError, "has no condition"),
        ({}, {"rule": ["a"], "orders_min": ["x"]}, ColumnTypeError, "'orders_min' is 'x'"),
        ({}, {"rule": ["a"], "orders_min": [1], "customer_id": [3]}, ArgumentError, "rename it"),
        (
            {"customer_id": [1, 1]},
            {"rule": ["a"], "orders_min": [1]},
            ArgumentError,
            "several rows",
        ),
        (
            {"customer_id": [1, None]},
            {"rule": ["a"], "orders_min": [1]},
            ArgumentError,
            "null in 1",
        ),
    ],
)
def test_what_does_not_fit_is_refused(view: Row, rules: Row, error: Any, words: str) -> None:
    table = pd.DataFrame({"customer_id": [1, 2], "orders": [1, 2]} | view)
    with pytest.raises(error, match="(?s)" + words):
        rk.audience(table, pd.DataFrame(rules))


def test_the_customer_keeps_its_name_and_type() -> None:
    view = pd.DataFrame({"who": pd.Categorical(["x", "y"]), "orders": [1, 2]}, index=[7, 7])
    rules = pd.DataFrame({"rule": ["all", "two"], "orders_min": [1, 2]})
    found = rk.audience(view, rules, customer="who")
    assert found["who"].to_list() == ["x", "y", "y"]
    assert found["who"].dtype == view["who"].dtype
    assert found["rule"].to_list() == ["all", "all", "two"]
