"""Columns of orders that are carried along into a summary, and what leaks."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backends import Backend
from retainkit import calibration_holdout, rfm_summary
from retainkit.datasets import load_cdnow
from retainkit.errors import ArgumentError, MissingColumnError, RetainkitWarning
from tables import Row, rows_of

NAMES = ("customer_id", "time", "amount", "channel", "country", "coupon")
ORDERS: list[Row] = [
    dict(zip(NAMES, (who, datetime(2024, 1, day), *others), strict=True))  # noqa: DTZ001
    for who, day, *others in (
        ("ann", 1, 10.0, "web", "de", True),
        ("ann", 4, 20.0, "shop", "de", False),
        ("ann", 4, 5.0, "app", "de", False),
        ("bob", 2, 7.5, "shop", "fr", False),
        ("bob", 2, 2.5, None, "fr", True),
        ("cid", 3, 1.0, None, None, True),
    )
]


def in_order(table: Any) -> list[Row]:
    """Return the rows by customer, None for null."""
    return sorted(rows_of(table), key=lambda row: row["customer_id"])


def test_what_was_known_at_the_first_purchase(backend: Backend) -> None:
    # By hand: Bob's first purchase is of two rows, 7.5 and 2.5, and of one of them the channel is
    # known; of Cid's it is not.
    table = rfm_summary(
        backend.make(ORDERS),
        amount="amount",
        as_of="2024-01-11",
        keep="country",
        keep_first=("channel", "amount"),
    )
    rows = in_order(table)
    assert [row["country"] for row in rows] == ["de", "fr", None]
    assert [row["channel"] for row in rows] == ["web", "shop", None]
    assert [row["first_amount"] for row in rows] == [10.0, 10.0, 1.0]
    assert list(rows[0])[:4] == ["customer_id", "country", "channel", "first_amount"]


def test_of_several_values_the_smallest_is_taken_and_counted(backend: Backend) -> None:
    with pytest.warns(RetainkitWarning, match="'coupon'.* first purchase of 1 customer of 3"):
        table = rfm_summary(backend.make(ORDERS), keep_first="coupon")
    assert [row["coupon"] for row in in_order(table)] == [True, False, True]


def test_what_changes_is_refused(backend: Backend) -> None:
    frame = backend.make(ORDERS)
    for column, example in (("channel", "'ann', 'bob'"), ("coupon", "'ann', 'bob'")):
        with pytest.raises(ArgumentError, match=f"changes for 2 customers of 3, .*{example}"):
            rfm_summary(frame, keep=column)


def test_arguments_that_contradict_each_other() -> None:
    for options, message in (
        ({"keep": "country", "keep_first": "country"}, "`keep_first` names, too"),
        ({"keep": "amount", "amount": "amount"}, "is the `amount`"),
        ({"keep": "customer_id"}, "also the name of a column of the result"),
    ):
        with pytest.raises(ArgumentError, match=message):
            rfm_summary(pd.DataFrame(ORDERS), **options)  # type: ignore[arg-type]
    for named in ({"keep": "plan"}, {"keep_first": "plan"}):
        with pytest.raises(MissingColumnError, match="'plan'"):
            rfm_summary(pd.DataFrame(ORDERS), **named)  # type: ignore[arg-type]


def test_the_share_of_big_first_orders_of_cdnow() -> None:
    # The reference: 35.81% of the first days' orders sum to more than 30.00.
    orders = load_cdnow(sample=True)
    orders = orders[orders["time"] < "1997-10-01"]
    table = rfm_summary(orders, amount="amount", unit="week", exact=True, keep_first="amount")
    assert round((table["first_amount"] > 30).mean() * 100, 2) == 35.81
    days = orders.groupby(["customer_id", "time"])["amount"].sum().reset_index()
    first = days.sort_values("time").groupby("customer_id")["amount"].first()
    np.testing.assert_allclose(table["first_amount"], first)


def test_a_refund_on_the_first_day_is_set_against_it() -> None:
    rows = [(1, "2024-01-01", 5.0), (1, "2024-01-02", 20.0), (1, "2024-01-02", -6.0)]
    rows += [(1, "2024-01-01", -8.0)]  # so that there is no purchase on the first of January
    orders = pd.DataFrame(rows, columns=["customer_id", "time", "amount"])
    orders["time"], orders["of"] = pd.to_datetime(orders["time"]), [1, 2, 3, 4]
    options: dict[str, Any] = {"amount": "amount", "amounts": "net"}
    with pytest.warns(RetainkitWarning, match="several values"):
        table = rfm_summary(orders, keep_first=("amount", "of"), **options)
    assert table["first_amount"].tolist() == [14.0]
    assert table["of"].tolist() == [2]


HISTORIES = st.lists(
    st.tuples(
        st.integers(1, 4), st.integers(0, 12), st.integers(0, 5), st.sampled_from(["a", "b", None])
    ),
    min_size=1,
    max_size=25,
)


@settings(max_examples=60, deadline=None)
@given(rows=HISTORIES, later=HISTORIES)
@pytest.mark.filterwarnings("ignore::retainkit.errors.RetainkitWarning")
def test_only_the_first_purchase_counts_and_nothing_that_came_later(
    rows: list[Any], later: list[Any]
) -> None:
    def frame(some: list[Any], start: str) -> pd.DataFrame:
        table = pd.DataFrame(some, columns=["customer_id", "day", "amount", "word"])
        table["time"] = pd.Timestamp(start) + pd.to_timedelta(table["day"], unit="D")
        return table

    early = frame(rows, "2024-01-01")
    if early["word"].isna().all():
        early["word"] = early["word"].astype(object)
    options: dict[str, Any] = {"amount": "amount", "as_of": "2024-01-20"}
    options |= {"keep_first": ("word", "amount")}
    found = rfm_summary(early, **options)
    every = pd.concat([early, frame(later, "2024-01-20")])
    assert in_order(rfm_summary(every, **options)) == in_order(found)
    # A slow reference: the rows of the first day of each customer.
    for row in in_order(found):
        own = early[early["customer_id"] == row["customer_id"]]
        first = own[own["day"] == own["day"].min()]
        words = sorted(first["word"].dropna())
        assert row["word"] == (words[0] if words else None)
        assert row["first_amount"] == first["amount"].sum()


@pytest.mark.filterwarnings("ignore::retainkit.errors.RetainkitWarning")
def test_a_holdout_changes_nothing_of_what_is_carried(backend: Backend) -> None:
    options: dict[str, Any] = {"amount": "amount", "keep_first": ("channel", "amount")}
    early = pd.DataFrame(ORDERS)
    early = early[early["time"] < "2024-01-03"]
    whole = calibration_holdout(backend.make(ORDERS), calibration_end="2024-01-03", **options)
    alone = rfm_summary(early, as_of="2024-01-03", **options)
    columns = ["customer_id", "channel", "first_amount"]
    left, right = in_order(whole), in_order(alone)
    assert [[row[one] for one in columns] for row in left] == [
        [row[one] for one in columns] for row in right
    ]
    # What changes after calibration does not count as a change.
    kept = calibration_holdout(
        backend.make(ORDERS[:3]), calibration_end="2024-01-03", keep="channel"
    )
    assert [row["channel"] for row in in_order(kept)] == ["web"]
