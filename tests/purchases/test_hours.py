"""Summaries in hours, against purchases looked at one by one."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import pytest

from backends import Backend
from event_logs import quietly
from own_periods import instant, random_log
from retainkit import BGNBD, calibration_holdout, fit_bg_nbd, purchase_regularity, rfm_summary
from retainkit import tracking as track
from tables import rows_of

HOUR = timedelta(hours=1)


def hour_of(when: datetime) -> int:
    """Number the hour; the zones of these tests are whole hours from UTC."""
    epoch = datetime(1970, 1, 1, tzinfo=when.tzinfo and UTC)
    return (when - epoch) // HOUR


@pytest.mark.parametrize("seed", range(6))
def test_a_summary_in_hours(seed: int, backend: Backend) -> None:
    rows, tz, _ = random_log(seed, first="2024-03-29", days=5)
    end = instant("2024-04-04", tz)
    frame = backend.make(rows)
    found = quietly(rfm_summary, frame, unit="hour", amount="amount", as_of="2024-04-04", tz=tz)
    bought: dict[Any, dict[int, float]] = {}
    for row in rows:
        hours = bought.setdefault(row["customer_id"], {})
        hour = hour_of(instant(row["time"], tz))
        hours[hour] = hours.get(hour, 0) + row["amount"]
    last = hour_of(end - timedelta(microseconds=1))
    want = {}
    for who, hours in bought.items():
        first, repeats = min(hours), [hours[one] for one in sorted(hours)[1:]]
        mean = pytest.approx(sum(repeats) / len(repeats)) if repeats else None
        want[who] = [len(repeats), max(hours) - first, last - first, mean]
    names = ("frequency", "recency", "T", "monetary_value")
    assert {row["customer_id"]: [row[name] for name in names] for row in found} == want
    assert {row["time_unit"] for row in found} == {"hour"}


@pytest.mark.parametrize(("day", "lasts"), [("2024-03-31", 23), ("2024-10-27", 25)])
def test_a_day_lasts_23_hours_or_25(day: str, lasts: int, backend: Backend) -> None:
    zone = ZoneInfo("Europe/Berlin")
    begin = datetime.fromisoformat(day).replace(tzinfo=zone)
    after = (datetime.fromisoformat(day) + timedelta(days=1)).replace(tzinfo=zone)
    rows = [{"customer_id": 1, "time": one.astimezone(UTC)} for one in (begin, after)]
    table = rows_of(rfm_summary(backend.make(rows), unit="hour", tz="Europe/Berlin"))
    assert table[0]["recency"] == lasts


def orders() -> pd.DataFrame:
    """Return orders every few hours, of customers who come and go."""
    times = pd.date_range("2024-03-30", periods=180, freq="37min")
    who = [(7 * n * n + n // 5) % 23 for n in range(180)]
    return pd.DataFrame({"customer_id": who, "time": times})


def test_models_of_hours() -> None:
    split = {"calibration_end": "2024-04-01T12:00"}
    summary = rfm_summary(orders(), unit="hour")
    model = fit_bg_nbd(summary, penalty=0.1)
    assert model.unit == "hour"
    assert model.expected_purchases(summary, horizon="2 days")["expected_purchases"].gt(0).all()
    day = model.expected_purchases(summary, horizon="1 day")["expected_purchases"]
    hours = model.expected_purchases(summary, horizon=24)["expected_purchases"]
    assert day.tolist() == pytest.approx(hours.tolist())
    parts = quietly(calibration_holdout, orders(), unit="hour", **split)
    assert parts[0]["duration_holdout"] == 60  # from noon on 1 April to the midnight after the 3rd
    assert BGNBD.from_dict(model.to_dict()).unit == "hour"
    assert len(quietly(purchase_regularity, orders(), unit="hour", min_purchases=3)) == 2


def test_tracking_of_a_model_of_hours() -> None:
    model = BGNBD(r=0.5, alpha=20.0, a=0.8, b=2.5, unit="hour")
    daily = track(model, orders(), period="day", exact=False)
    first = orders().assign(hour=lambda one: one["time"].dt.floor("h"))
    distinct = first.drop_duplicates(["customer_id", "hour"])
    assert daily["actual"].sum() == len(distinct) - distinct["customer_id"].nunique()
    expected = model.expected_purchases_new_customer
    began = distinct.groupby("customer_id")["hour"].min()
    end = pd.Timestamp("2024-04-03 23:00")
    want = sum(float(expected((end - one) / pd.Timedelta("1h"))) for one in began)
    assert daily["expected_cumulative"].iloc[-1] == pytest.approx(want)
