"""Churn and revenue in periods of users' own, against customers looked at one by one."""

import random
from datetime import date, datetime, timedelta
from typing import Any

import pandas as pd
import pytest

from backends import Backend
from event_logs import quietly
from own_periods import KINDS, SPRINTS, Periods, cut, instant, seeded
from retainkit import (
    churn_rate,
    churned_customers,
    mrr_movements,
    revenue_cohorts,
    revenue_retention,
)
from retainkit.errors import ArgumentError, RetainkitWarning
from tables import Row, plain

CASES = seeded(KINDS, 4)
AS_OF = "2024-05-20"


def random_book(seed: int) -> list[Row]:
    """Make subscriptions of a few customers, some of which run before the edges and after them."""
    draw = random.Random(seed)  # noqa: S311
    rows = []
    for who in range(12):
        begin = date(2024, 2, 1) + timedelta(days=draw.randrange(70))
        while begin < date(2024, 5, 15):
            end = begin + timedelta(days=draw.randrange(1, 60))
            rows.append(
                {
                    "customer_id": who,
                    "start": begin,
                    "end": None if draw.random() < 0.3 else end,
                    "mrr": float(draw.choice([10, 20, 30])),
                }
            )
            if rows[-1]["end"] is None:
                break
            begin = end + timedelta(days=draw.choice([0, 0, 3, 20]))
    return rows


LIKE = {"customer_id": 1, "start": date(2024, 1, 1), "end": date(2024, 1, 1), "mrr": 1.0}


def paid_at(rows: list[Row], when: datetime) -> dict[Any, float]:
    """Add up what each customer pays just before a time, as far as is known at `AS_OF`."""
    found: dict[Any, float] = {}
    for row in rows:
        begin = instant(row["start"], None)
        end = instant(row["end"] or "2030-01-01", None)
        end = end if end < instant(AS_OF, None) else instant("2030-01-01", None)
        if begin < when <= end:
            found[row["customer_id"]] = found.get(row["customer_id"], 0) + row["mrr"]
    return found


def shown(rows: list[Row], cuts: Periods) -> list[int]:
    """Return the indices of the periods that have a row."""
    first = max(min(cuts.index(instant(row["start"], None)) for row in rows), 0)
    return list(range(first, cuts.last_begun(instant(AS_OF, None)) + 1))


def ends_of(cuts: Periods, index: int) -> tuple[datetime, datetime]:
    """Return the two ends of a period, up to the end of observation."""
    end = min(cuts.begins[index + 1], instant(AS_OF, None))
    return cuts.begins[index], end


@pytest.mark.parametrize(("name", "seed"), CASES)
def test_churn_in_periods_of_ones_own(name: str, seed: int, backend: Backend) -> None:
    rows, options = random_book(seed), KINDS[name]
    cuts = cut(options, None)
    frame = backend.make(rows, like=LIKE)
    found = quietly(churn_rate, frame, **options, as_of=AS_OF, include_partial=True)
    want = []
    for index in shown(rows, cuts):
        begin, end = ends_of(cuts, index)
        # Somebody who ends at the very end of a period is there at its end.
        there, still = set(paid_at(rows, begin)), set(paid_at(rows, end))
        ever = {
            row["customer_id"] for row in rows if cuts.index(instant(row["start"], None)) < index
        }
        comes = still - there
        want.append(
            {
                "period": cuts.labels[index],
                "opening": len(there),
                "new": len(comes - ever),
                "reactivated": len(comes & ever),
                "churned": len(there - still),
                "closing": len(still),
            }
        )
    assert [{key: row[key] for key in want[0]} for row in found] == want
    left = [
        row["period"]
        for row in quietly(churned_customers, frame, **options, as_of=AS_OF, include_partial=True)
    ]
    assert left == [row["period"] for row in want for _ in range(int(row["churned"]))]


@pytest.mark.parametrize(("name", "seed"), CASES)
def test_daily_rates_add_up_over_periods_of_ones_own(name: str, seed: int) -> None:
    # What is summed up are the rates of the days, which have rows of their own.
    rows, options = random_book(seed), KINDS[name]
    cuts = cut(options, None)
    book = pd.DataFrame(rows).astype({"start": "datetime64[us]", "end": "datetime64[us]"})
    days = quietly(churn_rate, book, period="day", as_of=AS_OF, include_partial=True)
    found = quietly(churn_rate, book, **options, method="daily", as_of=AS_OF, include_partial=True)
    assert len(found) == len(shown(rows, cuts))
    for row in found:
        own = [
            day
            for day in days
            if cuts.labels[cuts.index(instant(day["period"], None))] == row["period"]
            and cuts.inside(cuts.index(instant(day["period"], None)))
        ]
        assert row["churned"] == sum(day["churned"] for day in own)
        assert row["new"] == sum(day["new"] for day in own)
        assert row["reactivated"] == sum(day["reactivated"] for day in own)
        assert (row["opening"], row["closing"]) == (own[0]["opening"], own[-1]["closing"])
        left = quietly(
            churned_customers, book, **options, method="daily", as_of=AS_OF, include_partial=True
        )
        assert sum(one["period"] == row["period"] for one in left) == row["churned"]
        rate = sum(day["churned"] / day["opening"] for day in own if day["opening"])
        if all(day["opening"] for day in own):
            assert row["churn_rate"] == pytest.approx(rate)


@pytest.mark.parametrize(("name", "seed"), CASES)
def test_movements_in_periods_of_ones_own(name: str, seed: int, backend: Backend) -> None:
    rows, options = random_book(seed), KINDS[name]
    cuts = cut(options, None)
    frame = backend.make(rows, like=LIKE)
    found = quietly(mrr_movements, frame, **options, as_of=AS_OF, include_partial=True)
    want = []
    for index in shown(rows, cuts):
        begin, end = ends_of(cuts, index)
        before, after = paid_at(rows, begin), paid_at(rows, end)
        early = {
            row["customer_id"] for row in rows if cuts.index(instant(row["start"], None)) < index
        }
        want.append(
            {
                "period": cuts.labels[index],
                "opening": sum(before.values()),
                "new": sum(after[who] for who in after.keys() - before.keys() - early),
                "churn": sum(before[who] for who in before.keys() - after.keys()),
                "closing": sum(after.values()),
            }
        )
    assert [{key: row[key] for key in want[0]} for row in found] == want


@pytest.mark.parametrize("horizon", [1, 2])
@pytest.mark.parametrize(("name", "seed"), CASES)
def test_retained_revenue_in_periods_of_ones_own(
    name: str, seed: int, horizon: int, backend: Backend
) -> None:
    rows, options = random_book(seed), KINDS[name]
    cuts = cut(options, None)
    frame = backend.make(rows, like=LIKE)
    found = quietly(
        revenue_retention, frame, **options, horizon=horizon, as_of=AS_OF, include_partial=True
    )
    assert [row["period"] for row in found] == [cuts.labels[one] for one in shown(rows, cuts)]
    for row, index in zip(found, shown(rows, cuts), strict=True):
        since = index + 1 - horizon
        known = since >= 0
        before = paid_at(rows, cuts.begins[since]) if known else {}
        after = paid_at(rows, ends_of(cuts, index)[1])
        base = sum(before.values())
        assert (row["customers"], row["opening"]) == (len(before), base)
        kept = sum(min(before[who], after.get(who, 0)) for who in before)
        now = sum(after.get(who, 0) for who in before)
        nrr, grr = (None, None) if not base else (now / base, kept / base)
        assert row["nrr"] == (nrr if nrr is None else pytest.approx(nrr))
        assert row["grr"] == (grr if grr is None else pytest.approx(grr))


@pytest.mark.parametrize(("name", "seed"), CASES)
def test_cohorts_of_revenue_in_periods_of_ones_own(name: str, seed: int, backend: Backend) -> None:
    rows, options = random_book(seed), KINDS[name]
    cuts = cut(options, None)
    frame = backend.make(rows, like=LIKE)
    found = quietly(revenue_cohorts, frame, **options, as_of=AS_OF, include_partial=True)
    last = cuts.last_begun(instant(AS_OF, None))
    paid = [paid_at(rows, ends_of(cuts, index)[1]) for index in range(last + 1)]
    # Who paid before the first edge is in no cohort.
    early = {row["customer_id"] for row in rows if cuts.index(instant(row["start"], None)) < 0}
    cohort: dict[Any, int] = {}
    for index, one in enumerate(paid):
        for who in one.keys() - early - cohort.keys():
            cohort[who] = index
    want = []
    for first in range(min(cohort.values()), last + 1):
        members = [who for who in cohort if cohort[who] == first]
        want += [
            [
                cuts.labels[first],
                index - first,
                len(members),
                sum(who in paid[index] for who in members),
            ]
            for index in range(first, last + 1)
        ]
    names = ("cohort", "age", "customers", "retained")
    assert [[plain(row[key]) for key in names] for row in found] == want


def book(*rows: tuple[Any, ...]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["customer_id", "start", "end", "mrr"])
    return frame.astype({"start": "datetime64[us]", "end": "datetime64[us]"})


BOOK = book(
    ("ann", "2024-01-01", None, 10.0),  # runs before the first edge
    ("bob", "2024-01-01", "2024-03-10", 20.0),  # leaves in the first sprint
    ("cyd", "2024-01-01", "2024-02-01", 30.0),  # over before the edges, and comes back
    ("cyd", "2024-03-20", None, 40.0),
    ("dan", "2024-05-10", None, 50.0),  # begins after the last edge
)


def test_who_was_there_before_the_edges_opens_and_who_comes_back_is_not_new() -> None:
    with pytest.warns(RetainkitWarning, match="2 of 5 rows lie in no period: outside the edges"):
        table = churn_rate(BOOK, period=SPRINTS, as_of="2024-06-01")
    columns = ["opening", "new", "reactivated", "churned", "closing"]
    assert table[columns].to_numpy().tolist() == [
        [2, 0, 0, 1, 1],
        [1, 0, 1, 0, 2],
        [2, 0, 0, 0, 2],
        [2, 0, 0, 0, 2],
    ]
    assert table["complete"].all()
    with pytest.warns(RetainkitWarning, match="2 of 5 rows lie in no period"):
        money = mrr_movements(BOOK, period=SPRINTS, as_of="2024-06-01")
    assert money["opening"].tolist() == [30.0, 10.0, 50.0, 50.0]
    assert money["reactivation"].tolist() == [0.0, 40.0, 0.0, 0.0]
    assert money["new"].tolist() == [0.0] * 4
    eve = pd.concat([BOOK, book(("eve", "2024-03-21", None, 5.0))])
    with pytest.warns(RetainkitWarning) as record:
        cohorts = revenue_cohorts(eve, period=SPRINTS, as_of="2024-06-01")
    texts = [str(one.message) for one in record]
    assert any(
        "3 customers in no cohort, having paid before the first edge" in one for one in texts
    )
    assert cohorts["customers"].tolist() == [1, 1, 1, 0, 0, 0]  # nobody comes in April
    assert cohorts["cohort"].tolist()[0] == pd.Timestamp("2024-03-18")


def test_a_late_renewal_after_the_last_edge_is_still_one() -> None:
    late = book(("ann", "2024-03-05", "2024-05-05", 10.0), ("ann", "2024-05-07", None, 10.0))
    with pytest.warns(RetainkitWarning, match="1 of 2 rows"):
        table = churn_rate(late, period=SPRINTS, gap="3D", as_of="2024-06-01")
    assert table["churned"].sum() == 0
    assert table["closing"].tolist() == [1, 1, 1, 1]


@pytest.mark.parametrize(
    "function", [churn_rate, mrr_movements, revenue_retention, revenue_cohorts]
)
def test_time_before_the_edges_and_no_rows(function: Any) -> None:
    assert quietly(function, BOOK, period=SPRINTS, as_of="2024-03-01", include_partial=True) == []
    assert len(function(BOOK.head(0), period=SPRINTS)) == 0
    with pytest.raises(ArgumentError, match="customers are counted by days"):
        function(BOOK, period="hour")


def test_daily_rates_before_the_edges() -> None:
    assert quietly(churn_rate, BOOK, period=SPRINTS, as_of="2024-03-01", method="daily") == []


def test_amounts_by_event_between_edges() -> None:
    table = quietly(mrr_movements, BOOK, period=SPRINTS, as_of="2024-06-01", level="event")
    assert [row["opening"] for row in table] == [30.0, 10.0, 50.0, 50.0]
    assert [row["churn"] for row in table] == [20.0, 0.0, 0.0, 0.0]
