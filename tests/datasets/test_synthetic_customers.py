"""The synthetic customers are what their truth says, up to chance."""

from __future__ import annotations

import dataclasses
import itertools
import math
import random
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from retainkit import fit_bg_nbd, fit_gamma_gamma, rfm_summary
from retainkit.datasets import (
    CUSTOMER_PURCHASES,
    CUSTOMER_SPEND,
    CustomerTables,
    make_customers,
)
from retainkit.errors import ArgumentError, ArgumentTypeError

TABLES = [field.name for field in dataclasses.fields(CustomerTables)]
DAY = pd.Timedelta(days=1)
BEGIN, END = pd.Timestamp("2024-01-01"), pd.Timestamp("2026-01-01")


@pytest.fixture(scope="module")
def shop() -> CustomerTables:
    return make_customers(8_000, seed=3)


def assert_like(observed: float, expected: float, deviation: float) -> None:
    """Accept what chance explains: four and a half standard deviations (the seeds are fixed)."""
    assert abs(observed - expected) <= 4.5 * deviation + 1e-12


def assert_share(flags: Any, expected: float) -> None:
    deviation = math.sqrt(expected * (1 - expected) / len(flags))
    assert_like(float(np.mean(flags)), expected, deviation)


def times_of(customer: pd.Series[Any], values: pd.Series[Any]) -> pd.Series[Any]:
    """Look up a value of each customer for the rows of another table."""
    found = pd.Series(values.to_numpy(), index=range(1, len(values) + 1)).loc[customer]
    return found.reset_index(drop=True)


# --- the tables


def test_the_tables_are_those_of_the_seed() -> None:
    def state() -> str:
        return f"{np.random.get_state()}{random.getstate()}"  # noqa: NPY002  the old one is meant

    before = state()
    one, again, other = (make_customers(60, seed=seed) for seed in (1, 1, 2))
    assert state() == before
    for name in TABLES:
        pd.testing.assert_frame_equal(getattr(one, name), getattr(again, name))
        assert getattr(one, name).equals(getattr(other, name)) == (name == "pairs"), name


def test_without_arguments_there_are_2000_customers() -> None:
    made = make_customers()
    assert len(made.customers) == len(made.truth) == 2_000
    pd.testing.assert_frame_equal(made.orders, make_customers(2_000, seed=0).orders)


def test_columns_have_the_types_of_the_docstring(shop: Any) -> None:
    number, whole, time, flag, text = "float64", "int64", "datetime64[us]", "bool", "str"
    expected = {
        "orders": {"customer_id": whole, "order": whole, "time": time, "amount": number},
        "events": {"customer_id": whole, "time": time},
        "tickets": {"customer_id": whole, "opened": time, "solved": time},
        "answers": {"customer_id": whole, "time": time, "score": whole},
        "contacts": {
            "customer_id": whole,
            "time": time,
            "channel": text,
            **dict.fromkeys(("sent", "responded"), flag),
        },
        "lines": {
            **dict.fromkeys(("order", "customer_id"), whole),
            "time": time,
            "item": text,
            "amount": number,
        },
        "customers": {
            "customer_id": whole,
            "joined": time,
            **dict.fromkeys(("country", "plan", "timezone"), text),
        },
        "truth": {
            "customer_id": whole,
            **dict.fromkeys(("purchase_rate", "dropout", "mean_amount", "active_rate"), number),
            **dict.fromkeys(("persistence", "change", "ticket_rate", "response"), number),
            **dict.fromkeys(("left", "changed"), time),
            "attitude": text,
            "held_out": flag,
            "message_effect": number,
        },
        "pairs": {
            **dict.fromkeys(("kind", "item", "other"), text),
            **dict.fromkeys(("rate", "base_rate", "lift"), number),
        },
    }
    for name in TABLES:
        table = getattr(shop, name)
        kinds = {column: str(kind) for column, kind in table.dtypes.items()}
        text_is = {column: text for column, kind in kinds.items() if kind in {"object", "string"}}
        assert kinds | text_is == expected[name], name
        assert table.index.equals(pd.RangeIndex(len(table)))
        nulls = {"solved", "left", "changed"} & {*table}
        assert {column for column in table if table[column].isna().any()} == nulls, name


def test_tables_are_by_time_and_within_the_two_years(shop: Any) -> None:
    assert shop.truth["customer_id"].tolist() == shop.customers["customer_id"].tolist()
    assert shop.customers["customer_id"].tolist() == list(range(1, 8_001))
    assert shop.customers["joined"].is_monotonic_increasing
    for name in ("orders", "events", "tickets", "answers", "contacts", "lines"):
        table = getattr(shop, name)
        time = table["opened" if name == "tickets" else "time"]
        assert time.is_monotonic_increasing, name
        assert time.between(BEGIN, END, inclusive="left").all(), name
        assert (time >= times_of(table["customer_id"], shop.customers["joined"])).all(), name
        assert not table.duplicated().any() or name == "events"
    assert shop.orders["order"].tolist() == list(range(1, len(shop.orders) + 1))


@pytest.mark.parametrize("customers", [1, 2, 30])
def test_few_customers_have_all_tables_and_orders_end_with_the_last_day(customers: int) -> None:
    made = make_customers(customers, seed=5)
    assert made.orders["time"].max() >= END - DAY
    assert made.events["time"].max() >= END - DAY
    assert made.orders["customer_id"].nunique() == customers
    assert [*made.tickets] == ["customer_id", "opened", "solved"]
    assert str(made.answers["time"].dtype) == "datetime64[us]"


def test_the_value_shows_its_tables_and_cannot_be_changed(shop: Any) -> None:
    assert "orders=" in repr(shop)
    assert f"events={len(shop.events):,} rows" in repr(shop)
    with pytest.raises(dataclasses.FrozenInstanceError):
        shop.orders = shop.events


@pytest.mark.parametrize(
    ("wrong", "kind"),
    [
        ({"customers": 0}, ArgumentError),
        ({"customers": 2.5}, ArgumentTypeError),
        ({"seed": -1}, ArgumentError),
        ({"seed": "a"}, ArgumentTypeError),
    ],
)
def test_a_wrong_argument_is_named(wrong: dict[str, Any], kind: type[Exception]) -> None:
    with pytest.raises(kind, match=next(iter(wrong))):
        make_customers(**wrong)


def test_attributes_say_nothing_of_anything_else(shop: Any) -> None:
    customers = shop.customers
    for column, shares in (
        ("country", {"DE": 0.35, "GB": 0.25, "JP": 0.10, "US": 0.30}),
        ("plan", {"basic": 0.5, "plus": 0.3, "pro": 0.2}),
    ):
        assert set(customers[column]) == set(shares)
        for value, share in shares.items():
            assert_share(customers[column] == value, share)
            gone = shop.truth["left"].notna()
            assert_share(customers.loc[gone, column] == value, share)
    assert customers.groupby("country")["timezone"].nunique().eq(1).all()
    assert all(ZoneInfo(zone) for zone in customers["timezone"].unique())


# --- orders


def test_orders_come_at_the_rate_of_each_customer_until_the_customer_leaves(
    shop: Any,
) -> None:
    truth, joined = shop.truth, shop.customers["joined"]
    repeat = shop.orders.groupby("customer_id").size().reset_index(drop=True) - 1
    days = (truth["left"].fillna(END) - joined) / DAY
    # What was bought less what was to be expected while the customer was there is a martingale.
    group = pd.qcut(truth["purchase_rate"], 10, labels=False)
    for number in range(10):
        here = group == number
        expected = (truth["purchase_rate"] * days)[here].sum()
        assert_like(repeat[here].sum(), expected, math.sqrt(expected))
    # Each repeat order is the last with the chance of its customer.
    group = pd.qcut(truth["dropout"], 10, labels=False)
    for number in range(10):
        here = group == number
        chance = truth["dropout"]
        variance = (repeat * chance * (1 - chance))[here].sum()
        assert_like(
            truth["left"][here].notna().sum(), (repeat * chance)[here].sum(), math.sqrt(variance)
        )


def test_who_leaves_does_so_with_the_last_order(shop: Any) -> None:
    times = shop.orders.groupby("customer_id")["time"].agg(["min", "max"]).reset_index(drop=True)
    assert times["min"].eq(shop.customers["joined"]).all()
    left = shop.truth["left"]
    assert times["max"][left.notna()].eq(left[left.notna()]).all()
    assert (left.dropna() > shop.customers["joined"][left.notna()]).all()
    assert left.isna().any()


def test_rates_have_the_distributions_of_the_models(shop: Any) -> None:
    r, alpha, a, b = CUSTOMER_PURCHASES.values()
    p, q, v = CUSTOMER_SPEND.values()
    truth = shop.truth
    for values, law in (
        (truth["purchase_rate"], stats.gamma(r, scale=1 / alpha)),
        (truth["dropout"], stats.beta(a, b)),
        (truth["mean_amount"], stats.invgamma(q, scale=p * v)),
        (truth["active_rate"], stats.beta(1.5, 6)),
        (truth["ticket_rate"], stats.expon(scale=0.004)),
    ):
        assert stats.kstest(values, law.cdf).pvalue > 1e-4


def test_the_models_of_purchases_and_spend_are_recovered_by_their_fits(
    shop: Any,
) -> None:
    summary = rfm_summary(shop.orders, amount="amount", unit="day")
    for model, truth in (
        (fit_bg_nbd(summary), CUSTOMER_PURCHASES),
        (fit_gamma_gamma(summary), CUSTOMER_SPEND),
    ):
        for name, value in truth.items():
            error: Any = model.summary().set_index("parameter").loc[name, "standard_error"]
            # Orders of one day are one purchase of the models: 1 % of the repeat orders.
            assert_like(getattr(model, name), value, error + 0.01 * value)


def test_amounts_have_the_mean_of_their_customer(shop: Any) -> None:
    mean = times_of(shop.orders["customer_id"], shop.truth["mean_amount"])
    ratio = shop.orders["amount"] / mean
    assert_like(ratio.mean(), 1, math.sqrt(1 / CUSTOMER_SPEND["p"] / len(ratio)))
    assert_like(ratio.std() ** 2, 1 / CUSTOMER_SPEND["p"], 0.01)
    assert (shop.orders["amount"] * 100).round(6).mod(1).eq(0).all()
    # Those who buy more often do not buy more at a time.
    assert stats.spearmanr(shop.truth["purchase_rate"], shop.truth["mean_amount"]).pvalue > 1e-4


# --- use


@pytest.fixture(scope="module")
def active(shop: Any) -> pd.DataFrame:
    """Return a column of each customer and a row of each day: whether there was an event."""
    days = pd.date_range(BEGIN, END - DAY)
    table = np.zeros((len(days), len(shop.customers)), bool)
    table[(shop.events["time"] - BEGIN) // DAY, shop.events["customer_id"] - 1] = True
    return pd.DataFrame(table, index=days)


def test_days_are_active_at_the_rate_of_each_customer_before_and_after_a_change(
    shop: Any, active: Any
) -> None:
    truth, days = shop.truth, active.index.to_numpy()[:, np.newaxis]
    joined = shop.customers["joined"].dt.floor("D").to_numpy()
    changed = truth["changed"].fillna(END).dt.floor("D").to_numpy()
    before = (days > joined) & (days <= changed)
    # A week later even habits that persist are new.
    after = days > changed + np.timedelta64(7, "D")
    assert truth["change"][truth["changed"].isna()].eq(1).all()
    assert set(truth["change"]) == {1.0, 0.2, 0.3}
    for persistent, inflation in ((0.0, 1.0), (0.5, 3.0)):
        group = (truth["persistence"] == persistent).to_numpy()
        for period, factor in ((before, 1.0), (after, truth["change"].to_numpy())):
            chance = truth["active_rate"].to_numpy() * factor
            days_of = period.sum(axis=0)
            expected = (chance * days_of)[group].sum()
            variance = inflation * (chance * (1 - chance) * days_of)[group].sum()
            found = (active.to_numpy() & period)[:, group].sum()
            assert_like(found, expected, math.sqrt(variance))


def test_habits_change_when_a_customer_leaves_and_for_some_of_the_others(
    shop: Any,
) -> None:
    truth = shop.truth
    gone = truth["left"].notna()
    assert truth["changed"][gone].eq(truth["left"][gone]).all()
    assert truth["change"][gone].eq(0.2).all()
    assert_share(truth["changed"][~gone].notna(), 0.1)
    assert truth["change"][~gone & truth["changed"].notna()].eq(0.3).all()
    assert (truth["changed"].dropna() >= shop.customers["joined"][truth["changed"].notna()]).all()
    assert_share(truth["persistence"] == 0.5, 0.3)


@pytest.mark.parametrize("persistence", [0.0, 0.5])
def test_neighbouring_days_correlate_as_the_persistence_says(
    shop: Any, active: Any, persistence: float
) -> None:
    truth, early = shop.truth, shop.customers["joined"] < BEGIN + 60 * DAY
    who = early & truth["changed"].isna() & (truth["persistence"] == persistence)
    days = (
        active.to_numpy()[90:, who.to_numpy()].astype(float) - truth["active_rate"][who].to_numpy()
    )
    scale = truth["active_rate"] * (1 - truth["active_rate"])
    both = (days[1:] * days[:-1]).sum() / (scale[who].sum() * (len(days) - 1))
    assert_like(both, persistence, 0.01)


@pytest.mark.parametrize(("persistence", "unit"), [(0.0, 1), (0.5, 7)])
def test_an_exact_test_has_few_false_alarms_by_day_and_where_days_persist_by_week(
    shop: Any, active: Any, persistence: float, unit: int
) -> None:
    truth, start = shop.truth, END - 112 * DAY
    unchanged = truth["changed"].isna() | (truth["changed"] < start)
    settled = shop.customers["joined"] < start - 7 * DAY
    who = (unchanged & settled & (truth["persistence"] == persistence)).to_numpy()
    blocks = active.to_numpy()[-112:, who].reshape(112 // unit, unit, -1).any(axis=1)
    recent = 28 // unit
    x, found = blocks[-recent:].sum(axis=0), blocks.sum(axis=0)
    p = stats.hypergeom.cdf(x, len(blocks), found, recent)[found - x >= 3]
    assert len(p) > 500
    assert np.mean(p <= 0.05) <= 0.05
    # By day, it is the persistence that makes false alarms.
    if persistence:
        days = active.to_numpy()[-112:, who]
        x, found = days[-28:].sum(axis=0), days.sum(axis=0)
        assert np.mean(stats.hypergeom.cdf(x, 112, found, 28)[found - x >= 3] <= 0.05) > 0.05


def test_events_come_in_sessions_of_half_an_hour(shop: Any, active: Any) -> None:
    per_day = (len(shop.events) - 8_000) / (active.to_numpy().sum() - 8_000)
    assert_like(per_day, 1.25 * 2.5, 0.01)
    gap = shop.events.sort_values(["customer_id", "time"]).groupby("customer_id")["time"].diff()
    assert (gap < pd.Timedelta(minutes=30)).mean() > 0.5


# --- tickets, answers, messages


def test_tickets_come_at_the_rate_of_each_customer_and_most_are_solved(
    shop: Any,
) -> None:
    truth, tickets = shop.truth, shop.tickets
    days = (truth["left"].fillna(END) - shop.customers["joined"]) / DAY
    expected = (truth["ticket_rate"] * days).sum()
    assert_like(len(tickets), expected, math.sqrt(expected))
    assert (tickets["opened"] < times_of(tickets["customer_id"], truth["left"].fillna(END))).all()
    took = (tickets["solved"] - tickets["opened"]).dropna() / DAY
    assert (took > 0).all()
    assert_like(took.mean(), 2, 2 / math.sqrt(len(took)))
    assert tickets["solved"].max() < END
    settled = tickets["opened"] < END - 40 * DAY
    assert_share(tickets["solved"][settled].isna(), 0.03)


def test_attitudes_have_their_shares_and_scores_are_those_of_the_attitude(
    shop: Any,
) -> None:
    answers, attitude = shop.answers, shop.truth["attitude"]
    own = times_of(answers["customer_id"], attitude)
    for group, low, high, share in (
        ("promoter", 9, 10, 0.5),
        ("passive", 7, 8, 0.3),
        ("detractor", 0, 6, 0.2),
    ):
        assert_share(attitude == group, share)
        assert answers["score"][own == group].between(low, high).all()
    promoters, detractors = (answers["score"] >= 9).mean(), (answers["score"] <= 6).mean()
    assert_like(promoters - detractors, 0.3, math.sqrt(0.61 / 4_000))
    quarter = answers["time"].dt.to_period("Q").dt.start_time
    assert (answers["time"] - quarter < 14 * DAY).all()
    asked = sum((shop.customers["joined"] < one).sum() for one in quarter.unique())
    assert_like(len(answers), 0.3 * asked, math.sqrt(0.21 * asked))
    assert_share(answers["score"][own == "promoter"] == 10, 0.6)


def test_detractors_leave_earlier(shop: Any) -> None:
    dropout = shop.truth.groupby("attitude")["dropout"].mean()
    assert dropout["detractor"] > 1.5 * dropout["promoter"]
    assert dropout["promoter"] < dropout["passive"] < dropout["detractor"]


def test_messages_have_the_effect_of_the_truth(shop: Any) -> None:
    contacts, truth = shop.contacts, shop.truth
    assert_share(truth["held_out"], 0.2)
    assert (contacts["sent"] != times_of(contacts["customer_id"], truth["held_out"])).all()
    effect = times_of(contacts["customer_id"], truth["message_effect"])
    response = times_of(contacts["customer_id"], truth["response"])
    for size, share in ((0.0, 0.6), (0.10, 0.3), (-0.03, 0.1)):
        assert_share(truth["message_effect"] == size, share)
        for sent in (True, False):
            here = (effect == size) & (contacts["sent"] == sent)
            chance = response[here] + sent * size
            assert chance.between(0, 1).all()
            spread = math.sqrt((chance * (1 - chance)).sum())
            assert_like(contacts["responded"][here].sum(), chance.sum(), spread)
    rates = contacts.groupby("sent")["responded"].mean()
    assert_like(rates[True] - rates[False], 0.027, 0.003)


def test_messages_go_out_every_week_at_the_hour_of_their_channel(shop: Any) -> None:
    contacts = shop.contacts
    due = {"email": (1, 10, 0.30), "push": (3, 18, 0.10), "sms": (4, 12, 0.05)}
    assert set(contacts["channel"]) == set(due)
    for channel, (weekday, hour, share) in due.items():
        times = contacts["time"][contacts["channel"] == channel]
        assert set(times.dt.day_of_week) == {weekday}
        assert set(times.dt.hour) == {hour}
        there = sum((shop.customers["joined"] < one).sum() for one in times.unique())
        assert_like(len(times), share * there, math.sqrt(share * (1 - share) * there))
    assert not contacts.duplicated(["customer_id", "time"]).any()


# --- lines


def test_lines_share_the_amount_of_their_order(shop: Any) -> None:
    lines, orders = shop.lines, shop.orders.set_index("order")
    total = lines.groupby("order")["amount"].agg(["sum", "min", "max"])
    assert total.index.equals(orders.index)
    assert (total["sum"] - orders["amount"]).abs().max() < 1e-8
    assert (total["max"] - total["min"]).max() < 0.0101
    assert not lines.duplicated(["order", "item"]).any()
    for column in ("customer_id", "time"):
        assert (lines[column].to_numpy() == orders[column].loc[lines["order"]].to_numpy()).all()


def baskets_of(shop: Any) -> pd.DataFrame:
    """Return a row of each order and a column of each item."""
    return pd.crosstab(shop.lines["order"], shop.lines["item"]).astype(bool)


def test_planted_pairs_have_their_lift_in_baskets_and_the_others_none(
    shop: Any,
) -> None:
    baskets: Any = baskets_of(shop)
    pairs = shop.pairs[shop.pairs["kind"] == "basket"]
    planted = set(zip(pairs["item"], pairs["other"], strict=True))
    assert len(planted) == 6
    for pair in pairs.itertuples():
        assert pair.lift == pytest.approx(pair.rate / pair.base_rate)
        assert (pair.other, pair.item) in planted
        assert_share(baskets[pair.other], pair.base_rate)
        assert_share(baskets.loc[baskets[pair.item], pair.other], pair.rate)
    coffees = {"espresso", "filter roast", "decaf", "mild"}
    assert (baskets[list(coffees)].sum(axis=1) == 1).all()
    for one, other in itertools.combinations(baskets, 2):
        if (one, other) not in planted and not {one, other} <= coffees:
            lift = baskets.loc[baskets[one], other].mean() / baskets[other].mean()
            n = baskets[one].sum()
            assert_like(lift, 1, math.sqrt(1 / baskets[other].mean() / n))


def test_planted_followers_have_their_rate_in_the_order_after(shop: Any) -> None:
    baskets = baskets_of(shop)
    customer = shop.orders.set_index("order")["customer_id"]
    before = baskets.groupby(customer).shift(fill_value=False)
    pairs = shop.pairs[shop.pairs["kind"] == "next"]
    assert [*zip(pairs["item"], pairs["other"], strict=True)] == [
        ("machine", "descaler"),
        ("filters", "filters"),
    ]
    for pair in pairs.itertuples():
        assert pair.lift == pytest.approx(pair.rate / pair.base_rate)
        assert_share(baskets.loc[before[pair.item], pair.other], pair.rate)
        assert_share(baskets.loc[~before[pair.item], pair.other], pair.base_rate)
