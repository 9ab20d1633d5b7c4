"""False alarms and finds of warning signs where it is known who has changed."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from event_logs import quietly
from retainkit import datasets, warning_signs
from retainkit._typing import Booleans, Floats

pytestmark = pytest.mark.simulation

CUSTOMERS = 8_000
DAYS = 112  # of both windows, after a first day on which all come
RECENT = 28
START = np.datetime64("2024-01-01")
END = str(START + np.timedelta64(DAYS + 1, "D"))


def active_days(
    rng: np.random.Generator, rate: Floats, persistence: float = 0.0, change: Floats | None = None
) -> Booleans:
    """Draw who is active on which day: with a rate of one's own, and likelier after a day with."""
    active = np.zeros((DAYS + 1, len(rate)), bool)
    active[0] = True
    today = rng.random(len(rate)) < rate
    for day in range(1, DAYS + 1):
        own = rate if change is None or day <= DAYS - RECENT else rate * change
        today = rng.random(len(rate)) < own + persistence * (today - own)
        active[day] = today
    return active


def flagged(active: Booleans, sessions: Any = None, **options: Any) -> pd.DataFrame:
    """Return the signs of those who are judged."""
    day, customer = np.nonzero(active)
    if sessions is not None:
        events = 1 + sessions.poisson(1.5, len(day))
        day, customer = np.repeat(day, events), np.repeat(customer, events)
    log = pd.DataFrame({"customer_id": customer, "time": START + day})
    found = pd.DataFrame(quietly(warning_signs, log, as_of=END, **options))
    return found[found["judged"]]


def alarms(found: pd.DataFrame) -> float:
    """Return the share of p-values of .05 or less."""
    return float((found["p_value"] <= 0.05).mean())


def test_of_those_who_have_not_changed_few_are_flagged() -> None:
    rng = np.random.default_rng(1)
    found = flagged(active_days(rng, rng.beta(1.2, 3, CUSTOMERS)))
    assert len(found) > 7_000
    # The definitions' 2.3 to 2.5 %; a fall of 30 % is an alarm for 18 to 24 % of them.
    assert 0.015 < alarms(found) < 0.035
    assert (found["p_adjusted"] <= 0.05).sum() == 0
    assert 0.15 < (found["ratio"] < 0.7).mean() < 0.3


def test_events_in_sessions_are_counted_by_day() -> None:
    rng = np.random.default_rng(2)
    active = active_days(rng, rng.beta(1.2, 3, CUSTOMERS))
    assert alarms(flagged(active, rng)) < 0.05
    assert alarms(flagged(active, rng, unit="event")) > 0.08


@pytest.mark.parametrize(("persistence", "by_day"), [(0.3, (0.05, 0.11)), (0.6, (0.13, 0.22))])
def test_days_that_persist_are_counted_by_week(
    persistence: float, by_day: tuple[float, float]
) -> None:
    rng = np.random.default_rng(3)
    active = active_days(rng, rng.beta(1.2, 3, CUSTOMERS), persistence)
    assert by_day[0] < alarms(flagged(active)) < by_day[1]
    assert alarms(flagged(active, unit="week")) < 0.05


def test_most_of_those_who_are_flagged_have_changed() -> None:
    rng = np.random.default_rng(4)
    changed = rng.random(CUSTOMERS) < 0.05
    rate = rng.beta(1.2, 3, CUSTOMERS)
    active = active_days(rng, rate, change=np.where(changed, 0.3, 1.0))
    found = flagged(active, level=0.1)
    true = changed[found["customer_id"]]
    down = found["reasons"].str.contains("usage down")
    assert true[down].mean() > 0.85  # of those flagged; at most a tenth is expected to be wrong
    naive = found["ratio"] < 0.7
    assert true[naive].mean() < 0.3
    # And what it costs.
    assert down[true].mean() < 0.3 < (found["p_value"] <= 0.05)[true].mean()


def test_the_steady_customers_of_a_made_shop_are_left_alone() -> None:
    shop = datasets.make_customers(2_000, seed=1)
    steady = shop.truth[shop.truth["changed"].isna()].set_index("customer_id")["persistence"]

    def of_steady(**options: Any) -> tuple[float, float]:
        """Return the false alarms among those whose days stand alone, and come in runs."""
        found = pd.DataFrame(quietly(warning_signs, shop.events, as_of="2025-07-01", **options))
        found = found[found["judged"] & found["customer_id"].isin(steady.index)]
        runs = steady.loc[found["customer_id"]].to_numpy() > 0
        return alarms(found[~runs]), alarms(found[runs])

    by_day, by_week, by_event = (of_steady(unit=unit) for unit in ("day", "week", "event"))
    assert by_day[0] < 0.05 < by_day[1]  # sessions do no harm by day, runs do
    assert max(by_week) < 0.05
    assert min(by_event) > 0.1
