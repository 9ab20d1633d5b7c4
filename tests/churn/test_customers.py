"""Who has left, and who is going to: customers one by one, against counts and slow readings."""

import random
import warnings
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import narwhals.stable.v2 as nw
import pandas as pd
import pytest

from backends import Backend
from retainkit import churn_rate, churned_customers, mrr_movements, upcoming_churn
from retainkit.errors import ArgumentError, ArgumentTypeError, RetainkitWarning
from tables import Row, rows_of


def day(month: int, number: int) -> datetime:
    return datetime(2024, month, number)  # noqa: DTZ001  naive times are the plainest


def spans(*rows: tuple[Any, ...]) -> list[Row]:
    names = ("customer_id", "start", "end", "mrr", "why")
    return [dict(zip(names, row, strict=True)) for row in rows]


NEVER = datetime(9999, 1, 1)  # noqa: DTZ001

LEFT = spans(
    ("ann", day(1, 5), day(2, 10), 20.0, "upgrade"),
    ("ann", day(2, 10), day(3, 10), 50.0, "price"),
    ("bob", day(1, 20), None, 30.0, None),
    ("cyd", day(1, 8), day(3, 10), 10.0, "price"),
    ("cyd", day(2, 1), day(3, 10), 0.1, "price"),
    ("dan", day(1, 9), day(2, 1), 40.0, None),
)


def test_who_left_when_why_and_with_what(backend: Backend) -> None:
    table = churned_customers(backend.make(LEFT), amount="mrr", reason="why", as_of="2024-04-01")
    assert [tuple(row.values()) for row in rows_of(table)] == [
        ("dan", date(2024, 2, 1), date(2024, 1, 9), date(2024, 2, 1), None, 40, True),
        ("ann", date(2024, 3, 1), date(2024, 1, 5), date(2024, 3, 10), "price", 50, True),
        ("cyd", date(2024, 3, 1), date(2024, 1, 8), date(2024, 3, 10), "price", 10.1, True),
    ]
    assert isinstance(nw.from_native(table), nw.LazyFrame) == backend.lazy


def test_a_join_that_doubles_rows_doubles_no_money(backend: Backend) -> None:
    rows = [{**row, "key": number} for number, row in enumerate(LEFT)]
    doubled = backend.make([*rows, *rows])
    options: dict[str, Any] = {"subscription": "key", "amount": "mrr"}
    with pytest.warns(RetainkitWarning, match="6 of 12 rows repeat another row"):
        table = rows_of(churned_customers(doubled, as_of="2024-04-01", **options))
    assert [(row["customer_id"], row["amount"]) for row in table] == [
        ("dan", 40),
        ("ann", 50),
        ("cyd", 10.1),
    ]
    with pytest.warns(RetainkitWarning, match="rows repeat another row"):
        ahead = upcoming_churn(doubled, as_of="2024-03-01", within="30D", **options)
    assert [(row["customer_id"], row["amount"]) for row in rows_of(ahead)] == [
        ("ann", 50),
        ("cyd", 10.1),
    ]


def random_subscriptions(seed: int) -> list[Row]:
    draw = random.Random(seed)  # noqa: S311
    rows: list[Row] = []
    for customer in range(120):
        start = day(1, 1) + timedelta(days=draw.randint(0, 120))
        for number in range(draw.randint(1, 4)):
            end = start + timedelta(hours=draw.randint(1, 2000))
            runs = number == 3 and draw.random() < 0.5
            rows.append(
                {
                    "customer_id": f"c{customer}",
                    "start": start,
                    "end": None if runs else end,
                    "mrr": float(draw.randint(1, 50)),
                    "plan": draw.choice(["a", "b", None]),
                    "why": draw.choice(["x", "y", None]),
                }
            )
            start = end + timedelta(hours=draw.choice([0, -30, 20, 700]))
    return rows


@pytest.mark.parametrize("method", ["opening", "stripe", "daily"])
@pytest.mark.parametrize("partial", [False, True])
@pytest.mark.parametrize("seed", range(2))
def test_they_are_those_whom_churn_rate_counts(method: Any, seed: int, *, partial: bool) -> None:
    table = pd.DataFrame(random_subscriptions(seed))
    options: Row = {"by": "plan", "gap": "1D", "method": method, "include_partial": partial}
    options |= {"reason": "why", "as_of": "2024-07-20"}
    table = table[table["start"] < options["as_of"]]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RetainkitWarning)  # several reasons at one time
        counted = rows_of(churn_rate(table, **options))
        found = rows_of(churned_customers(table, **options))
    keys = ("plan", "period", "why", "complete")
    have = Counter(tuple(row[key] for key in keys) for row in found)
    want = {tuple(row[key] for key in keys): row["churned"] for row in counted if row["churned"]}
    assert dict(have) == want
    assert len(found) > 50


def test_the_money_is_that_of_revenue() -> None:
    # Nobody changes what they pay within the month in which they leave.
    rows = [row for row in LEFT if row["customer_id"] != "dan"]
    table = pd.DataFrame(rows).astype({"end": "datetime64[us]"})
    left = churned_customers(table, amount="mrr", as_of="2024-04-01")
    movements = mrr_movements(table, as_of="2024-04-01").set_index("period")["churn"]
    assert left.groupby("period")["amount"].sum()["2024-03-01"] == movements["2024-03-01"] == 60.1


# --- who has an end ahead ------------------------------------------------------------------------

AHEAD = spans(
    ("ann", day(1, 5), day(5, 1), 50.0, "cancelled"),
    ("bob", day(1, 1), day(5, 1), 30.0, None),
    ("bob", day(5, 1), None, 30.0, None),
    ("cyd", day(2, 10), day(4, 20), 20.0, None),
    ("cyd", day(3, 10), None, 10.0, None),
    ("dan", day(1, 1), day(4, 10), 5.0, "cancelled"),
    ("eve", day(1, 1), day(5, 10), 6.0, None),
    ("fay", day(1, 1), day(4, 9), 7.0, "gone"),
    ("gus", day(4, 12), day(4, 20), 8.0, "not there yet"),
    ("hal", day(1, 1), day(4, 20), 9.0, None),
    ("hal", day(2, 1), day(5, 2), 3.0, "cancelled"),
    ("ivy", day(1, 1), day(4, 20), 9.0, None),
    ("ivy", day(4, 22), None, 9.0, None),
)
SOON = [
    ("dan", date(2024, 1, 1), date(2024, 4, 10), "cancelled", 5),
    ("ivy", date(2024, 1, 1), date(2024, 4, 20), None, 9),
    ("ann", date(2024, 1, 5), date(2024, 5, 1), "cancelled", 50),
    ("hal", date(2024, 1, 1), date(2024, 5, 2), "cancelled", 12),
]


def test_who_is_going_to_leave_and_what_they_pay(backend: Backend) -> None:
    options: Row = {"as_of": "2024-04-10", "within": "30D", "reason": "why"}
    table = upcoming_churn(backend.make(AHEAD), **options)
    assert [tuple(row.values()) for row in rows_of(table)] == SOON
    assert isinstance(nw.from_native(table), nw.LazyFrame) == backend.lazy
    late = rows_of(upcoming_churn(backend.make(AHEAD), gap="3D", **options))
    assert [row["customer_id"] for row in late] == ["dan", "ann", "hal"]


def test_without_money_everybody_counts() -> None:
    table = pd.DataFrame(AHEAD).assign(mrr=0.0)
    found = upcoming_churn(table, as_of="2024-04-10", within="30D", amount=None)
    assert [*found] == ["customer_id", "start", "end"]
    assert len(found) == len(SOON)


@pytest.mark.parametrize("seed", range(3))
def test_what_is_ahead_is_what_churns_later(seed: int) -> None:
    rows = random_subscriptions(seed)
    ahead = rows_of(upcoming_churn(pd.DataFrame(rows), as_of="2024-05-01", within="31D"))

    # Those of April's end who are not there on 1 June.
    def there(row: Row, at: datetime) -> bool:
        return row["start"] < at and (row["end"] is None or row["end"] >= at)

    now, then = day(5, 1), day(6, 1)
    for customer in {row["customer_id"] for row in rows}:
        own = sorted(
            (row for row in rows if row["customer_id"] == customer), key=lambda row: row["start"]
        )
        reached = None
        for row in own:
            if row["start"] < now and there(row, now):
                reached = max(reached or now, row["end"] or NEVER)
        for row in own:
            if reached and row["start"] <= reached:
                reached = max(reached, row["end"] or NEVER)
        listed = [one for one in ahead if one["customer_id"] == customer]
        assert bool(listed) == bool(reached and now <= reached < then)
        for one in listed:
            assert one["amount"] == sum(row["mrr"] for row in own if there(row, now))


def test_the_clock_is_that_of_the_zone(backend: Backend) -> None:
    zone = ZoneInfo("America/New_York")
    rows = [
        row
        | {
            name: row[name] and row[name].replace(tzinfo=zone).astimezone(UTC)
            for name in ("start", "end")
        }
        for row in AHEAD
    ]
    options: Row = {"as_of": "2024-04-10", "within": "30D", "tz": "America/New_York"}
    found = rows_of(upcoming_churn(backend.make(rows), **options))
    assert [row["customer_id"] for row in found] == [row[0] for row in SOON]
    assert found[0]["end"] == day(4, 10).replace(tzinfo=zone)


def test_ends_may_be_last_days() -> None:
    table = pd.DataFrame(AHEAD[:1]).assign(end=pd.Timestamp("2024-04-30"))
    found = upcoming_churn(table, as_of="2024-04-10", within="30D", end_is="last_day")
    assert found["end"].tolist() == [pd.Timestamp("2024-05-01")]


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        ({"within": "0D"}, ArgumentError, "`within` is '0D'; it must be above 0"),
        ({"within": 30}, ArgumentTypeError, "`within` is 30"),
        ({"within": "1 month"}, ArgumentError, "`within` is '1 month'"),
        ({"within": "3D", "as_of": "soon"}, ArgumentError, "`as_of` is 'soon'"),
    ],
)
def test_what_cannot_be_meant_is_refused(options: Row, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        upcoming_churn(pd.DataFrame(AHEAD), **{"as_of": "2024-04-10", **options})
