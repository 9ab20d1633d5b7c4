"""Negative amounts in event logs: refused, set against purchases of the same period, or kept.

The witness of "net" is `rfm_summary`, whose netting has its own references in `tests/purchases`:
with the units of its summary as periods it finds the same purchases, and the same money.
"""

import random
from datetime import datetime, timedelta
from typing import Any

import pandas as pd
import pytest

from backends import BACKENDS, Backend
from event_logs import quietly
from retainkit import (
    calibration_holdout,
    cohort_members,
    cohort_retention,
    growth_accounting,
    holdout_report,
    rfm_summary,
)
from retainkit.errors import ArgumentError, RetainkitWarning
from sizes import cases
from tables import Row, rows_of

# Ann buys and returns within January, and comes in March; Bob returns in January what he bought
# before, and buys in February; Cyd only ever returns.
ROWS = [
    {"customer_id": who, "time": datetime.fromisoformat(when), "amount": amount}
    for who, when, amount in [
        ("ann", "2024-01-05", 100.0),
        ("ann", "2024-01-20", -80.0),
        ("ann", "2024-03-02", 30.0),
        ("bob", "2024-01-07", -10.0),
        ("bob", "2024-02-11", 40.0),
        ("cyd", "2024-02-14", -5.0),
    ]
]
METRICS = [cohort_retention, growth_accounting]
SPLIT = {"calibration_end": "2024-02-01"}
each_metric = pytest.mark.parametrize("metric", METRICS, ids=[one.__name__ for one in METRICS])


@each_metric
def test_negative_amounts_are_refused(backend: Backend, metric: Any) -> None:
    with pytest.raises(ArgumentError, match="is negative in 3 rows, of 6; for instance") as told:
        metric(backend.make(ROWS), amount="amount")
    assert (told.value.code, told.value.rows, told.value.total) == ("negative_values", 3, 6)
    # What is not used is not looked at.
    with pytest.warns(RetainkitWarning, match="are not used"):
        metric(backend.make(ROWS[:4]), amount="amount", as_of="2024-01-06")
    with pytest.raises(ArgumentError, match="`amounts` is 'nett'"):
        metric(backend.make(ROWS), amount="amount", amounts="nett")


@pytest.mark.parametrize(
    ("metric", "options"),
    [
        *((one, {}) for one in (*METRICS, cohort_members, rfm_summary)),
        *(
            (one, {"calibration_end": "2024-02-01"})
            for one in (calibration_holdout, holdout_report)
        ),
    ],
)
def test_refunds_are_not_netted_without_amounts(metric: Any, options: dict[str, Any]) -> None:
    with pytest.raises(
        ArgumentError, match="`amounts` is 'net', and `amount` names no col"
    ) as told:
        metric(pd.DataFrame(ROWS), amounts="net", **options)
    assert (told.value.code, told.value.argument) == ("argument_needed", "amount")


def test_a_refund_is_no_visit(backend: Backend) -> None:
    frame = backend.make(ROWS)
    with pytest.warns(RetainkitWarning, match="1 customer without a purchase, whose money nets"):
        table = cohort_retention(frame, amount="amount", amounts="net", as_of="2024-04-01")
    found = [
        (row["cohort"].month, row["age"], row["retained"], row["amount"]) for row in rows_of(table)
    ]
    assert found == [
        (1, 0, 1, 20), (1, 1, 0, 0), (1, 2, 1, 30), (2, 0, 1, 40), (2, 1, 0, 0), (3, 0, 0, 0)
    ]  # fmt: skip
    growth = quietly(growth_accounting, frame, amount="amount", amounts="net", as_of="2024-04-01")
    counts = [(row["new"], row["resurrected"], row["churned"], row["amount"]) for row in growth]
    assert counts == [(1, 0, 0, 20), (1, 0, 1, 40), (0, 1, 1, 30)]
    kept = cohort_retention(frame, amount="amount", amounts="keep", as_of="2024-04-01")
    assert [row["customers"] for row in rows_of(kept)] == [2, 2, 2, 1, 1, 0]


def test_who_only_returned_has_not_come(backend: Backend) -> None:
    rows = [row | {"signup": datetime(2024, 1, 1)} for row in ROWS]  # noqa: DTZ001
    table = cohort_retention(
        backend.make(rows), amount="amount", amounts="net", cohort_time="signup", as_of="2024-04-01"
    )
    found = [(row["customers"], row["retained"]) for row in rows_of(table)]
    assert found[:3] == [(3, 1), (3, 1), (3, 1)]


def test_flags_speak_of_the_purchases_alone() -> None:
    frame = pd.DataFrame(ROWS).assign(returned=[False, True, True, True, True, True])
    table = quietly(
        cohort_retention, frame, amount="amount", amounts="net", returned="returned",
        as_of="2024-04-01",
    )  # fmt: skip
    assert [(row["retained"], row["amount"]) for row in table[:3]] == [(0, 0), (0, 0), (1, 30)]


def test_a_net_of_zero_is_a_purchase_and_rounding_makes_no_refund(backend: Backend) -> None:
    day = datetime(2024, 1, 5)  # noqa: DTZ001
    amounts = {
        "a": [0.1, 0.2, -0.3],
        "b": [-0.3, 0.1, 0.2],
        "c": [7.0, -7.0],
        "d": [0.0],
        "e": [-1.0],
    }
    rows = [
        {"customer_id": who, "time": day, "amount": amount}
        for who, own in amounts.items()
        for amount in own
    ]
    (row,) = quietly(
        cohort_retention, backend.make(rows), amount="amount", amounts="net", as_of="2024-02-01"
    )
    assert row["customers"] == 4
    assert row["amount"] == pytest.approx(0.0, abs=1e-12)


def orders(seed: int) -> list[Row]:
    """Make orders of a few customers, many of them refunds."""
    draw = random.Random(f"refunds {seed}")  # noqa: S311
    first = datetime(2023, 12, 20)  # noqa: DTZ001
    return [
        {
            "customer_id": draw.randrange(9),
            "time": first + timedelta(hours=draw.randrange(24 * 150)),
            "amount": draw.choice([10.0, 19.99, 20.0, -10.0, -19.99, -30.0, 5.0, 0.0]),
        }
        for _ in range(draw.randint(5, 90))
    ]


@pytest.mark.parametrize("seed", cases(range(60), quick=12))
def test_purchases_and_money_are_those_of_the_summary(seed: int) -> None:
    unit = ["day", "week", "month"][seed % 3]
    options: Row = {"amount": "amount", "amounts": "net", "as_of": "2024-07-01"}
    for name in ("pandas", "polars-lazy"):
        frame = next(one for one in BACKENDS if one.name == name).make(orders(seed))
        summary = quietly(rfm_summary, frame, unit=unit, include_first=True, **options)
        cells = quietly(cohort_retention, frame, cohort_period=unit, period=unit, **options)
        periods = quietly(growth_accounting, frame, period=unit, **options)
        visits = sum(row["frequency"] for row in summary)
        money = sum(row["frequency"] * row["monetary_value"] for row in summary)
        assert sum(row["retained"] for row in cells) == visits
        assert sum(row["active"] for row in periods) == visits
        assert sum(row["new"] for row in periods) == len(summary)
        assert sum(row["amount"] for row in cells) == pytest.approx(money, abs=1e-9)
        assert sum(row["amount"] for row in periods) == pytest.approx(money, abs=1e-9)


@pytest.mark.parametrize("metric", [*METRICS, cohort_members, rfm_summary])
def test_customers_of_refunds_alone_have_one_code(backend: Backend, metric: Any) -> None:
    with pytest.warns(RetainkitWarning, match="1 customer without a purchase") as told:
        metric(backend.make(ROWS), amount="amount", amounts="net", as_of="2024-04-01")
    found: list[Any] = [one.message for one in told.list]
    facts = [(one.code, one.argument, one.rows) for one in found]
    assert facts == [("no_purchase_left", "amounts", 1)]
