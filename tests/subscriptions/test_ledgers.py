"""Subscriptions of ledgers: examples by hand, slow readings, and what is refused."""

import random
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import pytest

import oracles
from backends import Backend
from retainkit import (
    churn_rate,
    churned_customers,
    cumulative_incidence,
    mrr_movements,
    subscriptions_from_levels,
    subscriptions_from_lines,
)
from retainkit.errors import ArgumentError, RetainkitWarning
from tables import Row, rows_of

BERLIN = ZoneInfo("Europe/Berlin")


def day(month: int, number: int) -> datetime:
    return datetime(2024, month, number)  # noqa: DTZ001  naive times are the plainest


def ledger(*rows: tuple[str, datetime, float]) -> list[Row]:
    return [{"customer_id": who, "time": time, "amount": amount} for who, time, amount in rows]


# Ann pays 50, then 70, then nothing; Bob 30.
LEVELS = ledger(
    ("ann", day(1, 5), 50.0),
    ("ann", day(2, 10), 70.0),
    ("ann", day(3, 10), 0.0),
    ("bob", day(2, 15), 30.0),
)
CHANGES = ledger(
    ("ann", day(1, 5), 50.0),
    ("ann", day(2, 10), 20.0),
    ("ann", day(3, 10), -70.0),
    ("bob", day(2, 15), 30.0),
)
SPANS = [
    ("ann", date(2024, 1, 5), date(2024, 2, 10), 50),
    ("ann", date(2024, 2, 10), date(2024, 3, 10), 70),
    ("bob", date(2024, 2, 15), None, 30),
]


def spans_of(rows: list[Row], **options: Any) -> list[tuple[Any, ...]]:
    return [
        tuple(row.values())
        for row in rows_of(subscriptions_from_levels(pd.DataFrame(rows), **options))
    ]


# --- levels and changes ------------------------------------------------------------------------


@pytest.mark.parametrize(("rows", "change"), [(LEVELS, False), (CHANGES, True)])
def test_levels_become_spans(rows: list[Row], change: bool, backend: Backend) -> None:  # noqa: FBT001
    spans = subscriptions_from_levels(backend.make(rows), change=change)
    assert [tuple(row.values()) for row in rows_of(spans)] == SPANS
    movements = rows_of(mrr_movements(spans, as_of="2024-04-01"))
    assert [row["closing"] for row in movements] == [50, 100, 30]
    assert [row["expansion"] for row in movements] == [0, 20, 0]
    churn = rows_of(churn_rate(spans, as_of="2024-04-01"))
    assert [row["churned"] for row in churn] == [0, 0, 1]


def test_columns_keep_their_names(backend: Backend) -> None:
    rows = [
        {"org": row["customer_id"], "at": row["time"], "mrr": row["amount"], "plan": "pro"}
        for row in LEVELS
    ]
    options: Row = {"customer": "org", "time": "at", "amount": "mrr", "by": "plan"}
    have = rows_of(subscriptions_from_levels(backend.make(rows), **options))
    assert list(have[0]) == ["org", "plan", "start", "end", "mrr"]


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("change", [False, True])
def test_at_any_time_the_spans_have_what_the_ledger_says(seed: int, *, change: bool) -> None:
    draw = random.Random(seed)  # noqa: S311
    rows, paid = [], {}
    for customer in range(8):
        for product in ("a", "b"):
            level, time = 0, day(1, 1)
            for _ in range(draw.randint(0, 5)):
                time += timedelta(hours=draw.randint(1, 900))
                amount = draw.choice([0, 0, 5, 10, 15])
                paid[customer, product, time] = amount
                row = {"customer_id": customer, "product": product, "time": time}
                rows.append(row | {"amount": float(amount - level if change else amount)})
                level = amount
    draw.shuffle(rows)
    table = subscriptions_from_levels(pd.DataFrame(rows), change=change, subscription="product")
    spans = rows_of(table)
    for customer in range(8):
        for product in ("a", "b"):
            for _ in range(30):
                time = day(1, 1) + timedelta(hours=draw.randint(0, 4500))
                past = [
                    (at, amount)
                    for (who, what, at), amount in paid.items()
                    if (who, what) == (customer, product) and at <= time
                ]
                there = [
                    row["mrr"]
                    for row in spans
                    if (row["customer_id"], row["product"]) == (customer, product)
                    and as_time(row["start"]) <= time
                    and (row["end"] is None or time < as_time(row["end"]))
                ]
                assert sum(there) == (max(past)[1] if past else 0)
                assert len(there) <= 1


def as_time(value: date) -> datetime:
    return value if isinstance(value, datetime) else datetime(value.year, value.month, value.day)  # noqa: DTZ001


def test_changes_add_up_to_the_last_decimal() -> None:
    rows = ledger(("ann", day(1, 1), 0.1), ("ann", day(2, 1), 0.2), ("ann", day(3, 1), -0.3))
    assert [(row[1], row[2], row[3]) for row in spans_of(rows, change=True)] == [
        (date(2024, 1, 1), date(2024, 2, 1), 0.1),
        (date(2024, 2, 1), date(2024, 3, 1), 0.3),
    ]
    thirds = ledger(
        ("ann", day(1, 1), 100 / 3), ("ann", day(2, 1), 200 / 3), ("ann", day(3, 1), -100.0)
    )
    assert spans_of(thirds, change=True)[-1][2] == date(2024, 3, 1)


def test_what_subtracting_floats_leaves_is_no_amount(backend: Backend) -> None:
    # 0.1 + 0.2 - 0.3 is 5.6e-17: nothing, and no customer.
    rows = ledger(("ann", day(1, 1), 20.2), ("ann", day(2, 1), -20.2))
    rows += ledger(("ann", day(2, 2), 0.1 + 0.2 - 0.3), ("bob", day(1, 1), 1e-9))
    have = rows_of(subscriptions_from_levels(backend.make(rows), change=True))
    assert [tuple(row.values()) for row in have] == [
        ("ann", date(2024, 1, 1), date(2024, 2, 1), 20.2),
        ("bob", date(2024, 1, 1), None, 1e-9),
    ]


def test_changes_of_one_time_are_added_and_levels_are_refused() -> None:
    rows = ledger(("ann", day(1, 5), 50.0), ("ann", day(1, 5), 70.0))
    assert spans_of(rows, change=True) == [("ann", date(2024, 1, 5), None, 120)]
    with pytest.raises(ArgumentError, match="1 row of 2 with the time of another") as error:
        spans_of(rows)
    assert (error.value.code, error.value.rows, error.value.total) == ("same_time", 1, 2)
    named = [row | {"product": what} for row, what in zip(rows, "ab", strict=True)]
    have = spans_of(named, subscription="product")
    assert have == [
        ("ann", "a", date(2024, 1, 5), None, 50),
        ("ann", "b", date(2024, 1, 5), None, 70),
    ]


def test_a_span_has_the_segment_of_the_row_it_begins_with() -> None:
    rows = [row | {"plan": plan} for row, plan in zip(LEVELS, ["a", "b", None, "a"], strict=True)]
    assert [row[1] for row in spans_of(rows, by="plan")] == ["a", "b", "a"]
    # The same amount on another plan is another span.
    moved = ledger(("ann", day(1, 5), 50.0), ("ann", day(2, 5), 50.0), ("ann", day(3, 5), 50.0))
    plans = [row | {"plan": plan} for row, plan in zip(moved, ["a", "a", "b"], strict=True)]
    assert [(row[1], row[2]) for row in spans_of(plans, by="plan")] == [
        ("a", date(2024, 1, 5)),
        ("b", date(2024, 3, 5)),
    ]
    same = [row | {"time": day(1, 5), "plan": plan} for row, plan in zip(moved, "aab", strict=True)]
    with pytest.raises(ArgumentError, match="another value of `by`"):
        spans_of(same, by="plan", change=True)


@pytest.mark.parametrize(("rows", "change"), [(LEVELS, False), (CHANGES, True)])
def test_less_than_nothing_is_refused(rows: list[Row], *, change: bool) -> None:
    below = [*rows, *ledger(("bob", day(3, 1), -31.0))]
    with pytest.raises(ArgumentError, match=r"in 1 row, of 5: -(31|1)\.") as error:
        spans_of(below, change=change)
    assert error.value.code == "negative_values"


@pytest.mark.parametrize("zone", [UTC, BERLIN, ZoneInfo("America/New_York")])
def test_times_keep_their_zone(zone: Any, backend: Backend) -> None:
    rows = [row | {"time": row["time"].replace(tzinfo=zone)} for row in LEVELS]
    given = backend.make(rows)
    spans = subscriptions_from_levels(given)
    starts = [row["start"] for row in rows_of(spans)]
    assert starts == [rows[i]["time"] for i in (0, 1, 3)]
    if backend.keeps_zone:
        assert starts[0].utcoffset() == rows[0]["time"].utcoffset()
    movements = rows_of(mrr_movements(spans, as_of="2024-04-01"))
    assert [row["closing"] for row in movements] == [50, 100, 30]


# --- why they end -------------------------------------------------------------------------------

# Four came in January: two cancelled, one could not be charged, and one is still there.
FOUR = ledger(
    *((who, day(1, 1), 50.0) for who in ("ann", "bob", "cyd", "dan")),
    ("ann", day(1, 20), 70.0),
    ("ann", day(2, 1), 0.0),
    ("bob", day(3, 1), 0.0),
    ("cyd", day(4, 1), 0.0),
)
WHY = [None, None, None, None, "upgrade", "cancelled", "failed payment", "cancelled"]
FOUR_CHANGES = ledger(
    *((who, day(1, 1), 50.0) for who in ("ann", "bob", "cyd", "dan")),
    ("ann", day(1, 20), 20.0),
    ("ann", day(2, 1), -70.0),
    ("bob", day(3, 1), -50.0),
    ("cyd", day(4, 1), -50.0),
)


def with_reasons(rows: list[Row], reasons: list[Any]) -> list[Row]:
    return [row | {"why": why} for row, why in zip(rows, reasons, strict=True)]


@pytest.mark.parametrize(("rows", "change"), [(FOUR, False), (FOUR_CHANGES, True)])
def test_the_reason_of_an_end_is_that_of_its_row(
    rows: list[Row],
    change: bool,  # noqa: FBT001
    backend: Backend,
) -> None:
    given = backend.make(with_reasons(rows, WHY))
    spans = subscriptions_from_levels(given, change=change, reason="why")
    have = rows_of(spans)
    assert list(have[0]) == ["customer_id", "start", "end", "why", "mrr"]
    # The end of Ann's first level is an upgrade, and no end of what she pays.
    assert [(row["customer_id"], row["why"], row["mrr"]) for row in have] == [
        ("ann", None, 50),
        ("ann", "cancelled", 70),
        ("bob", "failed payment", 50),
        ("cyd", "cancelled", 50),
        ("dan", None, 50),
    ]
    options: Row = {"reason": "why", "as_of": "2024-05-01"}
    churn = rows_of(churn_rate(spans, **options))
    assert sorted(
        (row["why"], row["period"].month, row["opening"]) for row in churn if row["churned"]
    ) == [("cancelled", 2, 4), ("cancelled", 4, 2), ("failed payment", 3, 3)]
    left = rows_of(churned_customers(spans, amount="mrr", **options))
    assert [(row["customer_id"], row["why"], row["amount"]) for row in left] == [
        ("ann", "cancelled", 70),
        ("bob", "failed payment", 50),
        ("cyd", "cancelled", 50),
    ]
    # .50 and .25 are those of the estimate of Aalen and Johansen by hand: 1/4 + 2/4 x 1/2, 1/4.
    incidence = rows_of(cumulative_incidence(spans, **options))
    last = {row["why"]: row["cumulative_incidence"] for row in incidence if row["tenure"] == 3}
    assert last == pytest.approx({"cancelled": 0.5, "failed payment": 0.25})


def test_the_first_row_of_nothing_says_why(backend: Backend) -> None:
    rows = [*FOUR[:1], *ledger(("ann", day(2, 1), 0.0), ("ann", day(3, 1), 0.0))]
    given = backend.make(with_reasons(rows, ["late", None, "price"]))
    with pytest.warns(RetainkitWarning, match="'why' .* is null in all 1 row that end") as warned:
        spans = subscriptions_from_levels(given, reason="why")
    assert [row["why"] for row in rows_of(spans)] == [None]
    warning: Any = warned[0].message
    assert (warning.code, warning.rows, warning.total) == ("null_values", 1, 3)
    given = backend.make(with_reasons(rows, [None, "price", None]))
    spans = subscriptions_from_levels(given, reason="why")
    assert [row["why"] for row in rows_of(spans)] == ["price"]


def test_changes_that_end_it_for_several_reasons_take_the_smallest(backend: Backend) -> None:
    rows = ledger(
        ("ann", day(1, 1), 50.0),
        ("ann", day(2, 1), -20.0),
        ("ann", day(2, 1), -30.0),
        ("bob", day(1, 1), 50.0),
        ("bob", day(3, 1), -10.0),
        ("bob", day(3, 1), -40.0),
        ("cyd", day(1, 1), 50.0),
        ("cyd", day(3, 1), -10.0),
        ("cyd", day(3, 1), -10.0),
    )
    # Bob's has one reason, and a change without; what ends nothing at one time is not looked at.
    reasons = [None, "switched", "price", None, None, "switched", None, "price", "switched"]
    given = backend.make(with_reasons(rows, reasons)[::-1])
    with pytest.warns(RetainkitWarning, match="1 of 2 ends with several values of `reas") as warned:
        spans = subscriptions_from_levels(given, change=True, reason="why")
    assert [row["why"] for row in rows_of(spans)] == ["price", "switched", None, None]
    warning: Any = warned[0].message
    assert (warning.code, warning.rows, warning.total) == ("several_values", 1, 2)


@pytest.mark.parametrize("seed", range(4))
def test_reasons_agree_with_a_slow_reading(seed: int, backend: Backend) -> None:
    draw = random.Random(seed)  # noqa: S311
    rows: list[Row] = []
    for customer in range(6):
        for product in ("a", "b"):
            for number in draw.sample(range(1, 28), draw.randint(1, 6)):
                row: Row = {"customer_id": customer, "product": product, "time": day(1, number)}
                row |= {"amount": float(draw.choice([0, 0, 5])), "why": draw.choice([None, 3, 7])}
                rows.append(row)
    # Whoever is there at last ends at a reason for sure, so that there is one.
    rows.append({"customer_id": 9, "product": "a", "time": day(1, 1), "amount": 5.0, "why": None})
    rows.append({"customer_id": 9, "product": "a", "time": day(1, 2), "amount": 0.0, "why": 3})
    spans = subscriptions_from_levels(backend.make(rows), subscription="product", reason="why")
    for span in rows_of(spans):
        (want,) = [
            row["why"]
            for row in rows
            if (row["customer_id"], row["product"]) == (span["customer_id"], span["product"])
            and span["end"] is not None
            and row["time"] == as_time(span["end"])
            and not row["amount"]
        ] or [None]
        assert span["why"] == want


def test_lines_carry_their_reason(backend: Backend) -> None:
    rows = [
        {"customer_id": who, "start": day(month, 1), "end": day(month + 1, 1), "amount": 50.0}
        for who, month in (("ann", 1), ("ann", 2), ("bob", 1), ("cyd", 3))
    ]
    given = backend.make(with_reasons(rows, ["late", "price", "failed payment", None])[::-1])
    spans = subscriptions_from_lines(given, reason="why")
    assert list(rows_of(spans)[0]) == ["customer_id", "start", "end", "why", "mrr"]
    assert [row["why"] for row in rows_of(spans)] == ["late", "price", "failed payment", None]
    left = rows_of(churned_customers(spans, reason="why", as_of="2024-05-01"))
    assert [(row["customer_id"], row["why"]) for row in left] == [
        ("bob", "failed payment"),
        ("ann", "price"),
        ("cyd", None),
    ]


@pytest.mark.parametrize("make", [subscriptions_from_levels, subscriptions_from_lines])
def test_a_reason_is_no_other_column_of_the_result(make: Any) -> None:
    table = pd.DataFrame(with_reasons(LEVELS, [None, None, "price", None]))
    table = table.assign(start=table["time"], end=table["time"])
    for name, by, code in (
        ("mrr", None, "reserved_name"),
        ("customer_id", None, "reserved_name"),
        ("why", ["why"], "named_twice"),
    ):
        with pytest.raises(ArgumentError) as error:
            make(table, reason=name, by=by)
        assert error.value.code == code


def test_changes_of_nothing_may_be_levels() -> None:
    with pytest.warns(RetainkitWarning, match=r"1 of 4 rows change nothing \(0\)") as warned:
        assert spans_of(LEVELS, change=True)[-2][2:] == (None, 120)
    warning: Any = warned[0].message
    assert (warning.code, warning.argument, warning.rows) == ("looks_like_levels", "change", 1)
    # Where something is taken away, a change of nothing is one of the plan, say.
    assert len(spans_of([*CHANGES, *ledger(("bob", day(3, 1), 0.0))], change=True)) == 3


# --- invoice lines ------------------------------------------------------------------------------


def monthly(rows: list[tuple[datetime, datetime, float]], **options: Any) -> list[float]:
    """Return what lines cost a month, in their order."""
    table = pd.DataFrame(
        {
            "customer_id": range(len(rows)),
            "start": [row[0] for row in rows],
            "end": [row[1] for row in rows],
            "amount": [row[2] for row in rows],
        }
    )
    return [row["mrr"] for row in rows_of(subscriptions_from_lines(table, **options))]


# A year of 2,000 is 166.67 a month (ChartMogul, "Syncalytics", help article 201244842).
BY_HAND = [
    (day(1, 1), datetime(2025, 1, 1), 2000, 2000 / 12),  # noqa: DTZ001
    (day(1, 15), day(2, 15), 50, 50),
    (day(1, 15), day(4, 15), 90, 30),
    (day(1, 31), day(2, 29), 50, 50),
    (day(1, 31), day(3, 31), 50, 25),
    (day(2, 29), day(3, 31), 50, 50),
    (day(2, 1), day(2, 8), 12, 12 * 52 / 12),
    (day(2, 1), day(2, 29), 40, 40 / 4 * 52 / 12),
    (day(2, 1), day(2, 11), 10, 365 / 12),
    (day(2, 1), day(2, 2), 1, 365 / 12),
    (day(1, 5), day(2, 4), 30, 365 / 12),
]


def test_lines_by_hand(backend: Backend) -> None:
    rows = [
        {"customer_id": i, "start": start, "end": end, "amount": float(amount)}
        for i, (start, end, amount, _) in enumerate(BY_HAND)
    ]
    have = rows_of(subscriptions_from_lines(backend.make(rows[::-1])))
    assert [row["customer_id"] for row in have] == [*range(len(rows))]
    assert [row["mrr"] for row in have] == pytest.approx([want for *_, want in BY_HAND], rel=1e-12)
    for one, row in zip(rows, have, strict=True):
        assert (as_time(row["start"]), as_time(row["end"])) == (one["start"], one["end"])


def months_by_steps(start: datetime, end: datetime) -> int | None:
    """Return the months from one time to another if it is so many steps away."""
    return next((m for m in range(1, 40) if oracles.add_months(start, m) == end), None)


def ends_month(moment: datetime) -> bool:
    return (moment + timedelta(days=1)).month != moment.month


@pytest.mark.parametrize("seed", range(3))
def test_lines_agree_with_steps_of_months(seed: int) -> None:
    draw = random.Random(seed)  # noqa: S311

    def lines() -> Iterator[tuple[datetime, datetime, float]]:
        for _ in range(300):
            start = datetime(2023, 1, 1) + timedelta(hours=12 * draw.randint(0, 800))  # noqa: DTZ001
            end = oracles.add_months(start, draw.randint(0, 14))
            end += timedelta(hours=12 * draw.choice([0, 0, 1, 2, 14, -2]))
            if end > start:
                yield start, end, float(draw.randint(1, 500))

    rows = [*lines()]
    for (start, end, amount), have in zip(rows, monthly(rows), strict=True):
        months = months_by_steps(start, end)
        if months is None and ends_month(start) and ends_month(end) and start.time() == end.time():
            months = 12 * (end.year - start.year) + end.month - start.month or None
        days = (end - start) / timedelta(days=1)
        want = amount * 365 / 12 / days if days % 7 else amount * 52 / 12 / (days / 7)
        assert have == pytest.approx(amount / months if months else want, rel=1e-12)


def test_months_are_those_of_the_clock_on_the_wall() -> None:
    # Over the change of the clocks on 31 March 2024 a month has 743 hours, and a day may have 23.
    begin, end = datetime(2024, 3, 15, tzinfo=BERLIN), datetime(2024, 4, 15, tzinfo=BERLIN)
    short = datetime(2024, 3, 31, tzinfo=BERLIN), datetime(2024, 4, 1, tzinfo=BERLIN)
    rows = [(begin, end, 50.0), (*short, 1.0)]
    assert monthly(rows) == pytest.approx([50, 365 / 12])
    utc = [(row[0].astimezone(UTC), row[1].astimezone(UTC), row[2]) for row in rows]
    assert monthly(utc, tz="Europe/Berlin") == pytest.approx([50, 365 / 12])
    assert monthly(utc)[0] != 50


def test_ends_may_be_last_days(backend: Backend) -> None:
    rows = [
        {"customer_id": 1, "start": day(month, 1), "end": day(month, last), "amount": 50.0}
        for month, last in ((1, 31), (2, 29), (3, 31), (4, 30))
    ]
    table = backend.make(rows)
    have = rows_of(subscriptions_from_lines(table, end_is="last_day"))
    assert [row["mrr"] for row in have] == [50] * 4
    assert [row["end"] for row in have] == [date(2024, month, 1) for month in (2, 3, 4, 5)]
    with pytest.warns(RetainkitWarning, match="3 of 3 rows that follow") as warned:
        subscriptions_from_lines(table)
    warning: Any = warned[0].message
    assert warning.code == "ends_look_like_last_days"


def test_a_year_paid_at_once_is_in_each_of_its_months() -> None:
    lines = pd.DataFrame(
        {
            "customer_id": [1, 2],
            "start": [day(1, 1), day(2, 1)],
            "end": [datetime(2025, 1, 1), day(3, 1)],  # noqa: DTZ001
            "amount": [1200, 50],
        }
    )
    movements = mrr_movements(subscriptions_from_lines(lines), as_of="2024-05-01")
    assert movements["closing"].tolist() == [100, 150, 100, 100]


def test_what_is_paid_once_is_left_out_and_counted() -> None:
    with pytest.warns(RetainkitWarning, match="1 of 2 rows end as they start") as warned:
        assert monthly([(day(1, 1), day(2, 1), 10), (day(1, 1), day(1, 1), 99)]) == [10]
    warning: Any = warned[0].message
    assert (warning.code, warning.rows, warning.total) == ("empty_subscriptions", 1, 2)


def test_a_day_that_is_first_and_last_is_that_of_a_fee(backend: Backend) -> None:
    rows = [
        {"customer_id": 1, "start": day(1, 1), "end": day(1, 31), "amount": 10.0},
        {"customer_id": 1, "start": day(1, 5), "end": day(1, 5), "amount": 99.0},
        # Of two days, a rate of a day: 365 / 12 days are a month.
        {"customer_id": 2, "start": day(1, 5), "end": day(1, 6), "amount": 2.0},
    ]
    with pytest.warns(RetainkitWarning, match="1 of 3 rows begin and end on one day") as warned:
        have = rows_of(subscriptions_from_lines(backend.make(rows), end_is="last_day"))
    assert [row["mrr"] for row in have] == pytest.approx([10, 365 / 12])
    warning: Any = warned[0].message
    assert (warning.code, warning.rows, warning.total) == ("empty_subscriptions", 1, 3)


def test_lines_that_cannot_be_are_refused() -> None:
    with pytest.raises(ArgumentError, match=r"lies before 'start'.* 1 row, of 1") as error:
        monthly([(day(2, 1), day(1, 1), 10)])
    assert error.value.code == "end_before_start"
    with pytest.raises(ArgumentError, match=r"'amount' .* negative in 1 row, of 1: -10") as error:
        monthly([(day(1, 1), day(2, 1), -10)])
    assert error.value.code == "negative_values"


@pytest.mark.parametrize("name", ["start", "end", "mrr"])
def test_no_column_is_called_like_one_of_the_result(name: str) -> None:
    table = pd.DataFrame(LEVELS).rename(columns={"customer_id": name})
    with pytest.raises(ArgumentError, match=f"`customer` names the column '{name}'"):
        subscriptions_from_levels(table, customer=name)
