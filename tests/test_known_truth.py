"""What is said of customers, beside the truth they were drawn from, and beside naive ways."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import pandas as pd
import pytest

import retainkit as rk
from retainkit.datasets import make_customers
from retainkit.datasets._customer_lines import BASKETS, COFFEES, SINGLES

if TYPE_CHECKING:
    from retainkit.datasets import CustomerTables

JULY, END = pd.Timestamp("2025-07-01"), pd.Timestamp("2026-01-01")


def due_dates(orders: Any) -> pd.DataFrame:
    """Return whether customers came by a date in the half-year ahead; NaN for those without."""
    past, ahead = orders[orders["time"] < JULY], orders[orders["time"] >= JULY]
    due: Any = rk.next_purchase(past, as_of=JULY, horizon="184D").set_index("customer_id")
    came = ahead.groupby("customer_id")["time"].min().dt.normalize()
    came = came.reindex(due.index).fillna(pd.Timestamp("2100-01-01"))
    days = past.assign(day=past["time"].dt.normalize()).drop_duplicates(["customer_id", "day"])
    own = days.groupby("customer_id")["day"].agg(["min", "max", "size"])
    own = own[own["size"] > 2]
    naive = own["max"] + (own["max"] - own["min"]) / (own["size"] - 1)
    hits = {name: pd.to_datetime(due[name]) for name in ("due_25", "due_50")}
    shares = {name: (came <= when).astype(float).where(when < END) for name, when in hits.items()}
    return pd.DataFrame({**shares, "naive_past": (naive < JULY).astype(float)})


@pytest.mark.simulation
def test_due_dates_hold_as_often_as_they_say_and_those_of_mean_gaps_are_often_past() -> None:
    found = pd.concat(due_dates(make_customers(seed=seed).orders) for seed in range(20))
    assert found["due_50"].count() > 10_000
    assert found["due_25"].mean() == pytest.approx(0.25, abs=0.02)
    assert found["due_50"].mean() == pytest.approx(0.50, abs=0.02)
    assert found["naive_past"].mean() > 0.5


def flagged(shop: CustomerTables, unit: Literal["day", "week"], persistence: float) -> pd.DataFrame:
    """Return who is flagged of those whose habit is the same, by a test and by a fall of 30 %."""
    signs: Any = rk.warning_signs(shop.events, unit=unit, adjust="none", as_of=END)
    known = signs.merge(shop.truth, on="customer_id")
    same = known["changed"].isna() | (known["changed"] < END - pd.Timedelta(days=112))
    judged = known[same & known["judged"] & (known["persistence"] == persistence)]
    return pd.DataFrame({"exact": judged["p_value"] <= 0.05, "naive": judged["ratio"] < 0.7})


@pytest.mark.simulation
@pytest.mark.parametrize(("unit", "persistence"), [("day", 0.0), ("week", 0.5)])
def test_few_of_those_whose_habit_is_the_same_are_flagged(
    unit: Literal["day", "week"], persistence: float
) -> None:
    shops = (make_customers(seed=seed) for seed in range(3))
    found = pd.concat(flagged(shop, unit, persistence) for shop in shops)
    assert len(found) > 800
    assert found["exact"].mean() <= 0.05
    assert found["naive"].mean() > 0.2


@pytest.mark.simulation
def test_intervals_of_affinity_hold_the_planted_rates_also_in_small_shops() -> None:
    share = {**COFFEES, **SINGLES}
    for one, own, other, others, _ in BASKETS:
        share |= {one: own, other: others}
    covered = []
    for seed in range(40):
        shop = make_customers(100, seed=seed)
        pairs = shop.pairs[shop.pairs["kind"] == "basket"]
        planted = {(row[1], row[2]): row[3] for row in pairs.itertuples(index=False)}
        found: Any = rk.product_affinity(shop.lines, kind="basket", order="order", min_trials=10)
        for row in found[found["other"].isin(share)].itertuples():
            true = planted.get((row.item, row.other), share[row.other])
            lift = true / share[row.other]
            covered.append(
                (row.lower <= true <= row.upper, row.lift_lower <= lift <= row.lift_upper)
            )
    rate, lift = pd.DataFrame(covered).mean()
    assert len(covered) > 3_000
    assert rate >= 0.94
    assert lift >= 0.94


@pytest.mark.simulation
def test_risk_is_calibrated_a_snapshot_later_and_a_leak_is_seen_by_its_auc() -> None:
    features = ["recency_days", "tenure_days", "orders", "orders_90d", "visits_28d", "visits_90d"]
    reports = []
    for seed in range(8):
        shop = make_customers(seed=seed)
        snapshots: Any = rk.churn_snapshots(
            shop.orders,
            as_of=["2025-01-01", "2025-04-01", "2025-07-01"],
            horizon="90D",
            windows=("28D", "90D"),
            sources={"visits": shop.events},
        )
        late = snapshots["as_of"] == JULY
        model = rk.fit_churn_risk(snapshots[~late], features=features)
        risk = model.churn_risk(snapshots[late])
        scored = snapshots[late].merge(risk, on=["as_of", "customer_id"])
        reports.append(rk.score_report(scored, score="churn_risk"))
        after = JULY + pd.Timedelta(days=90)
        seen = shop.orders[shop.orders["time"] < after]
        view = rk.customer_view(seen, as_of=after)
        leaked = scored[["customer_id", "churned"]].merge(view, on="customer_id")
        report = rk.score_report(leaked, score="recency_days", probability=False)
        assert report["auc"].tolist() == [1]
    found = pd.concat(reports)
    assert 0.9 <= found["calibration_slope"].mean() <= 1.1
    assert found["auc"].between(0.7, 0.85).all()
