"""Orders and parts of groups, against slow references; sums over parts are those of the whole."""

import random
import warnings
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import pytest

from retainkit import (
    churn_rate,
    mrr_movements,
    revenue_cohorts,
    revenue_retention,
    survival_curve,
)
from retainkit._frames import groupby
from retainkit._frames.groupby import NEVER, group_blocks, latest_so_far, sort_order
from retainkit.errors import RetainkitWarning
from tables import Row, rows_of

# Steps of days, of seconds and of microseconds, in ranges that can be packed and that cannot.
RANGES = [(1, 3), (86_400_000_000, 2_000), (1_000_000, 10**9), (1, 2**50), (1, 2**61)]


@pytest.mark.parametrize(("step", "size"), RANGES)
@pytest.mark.parametrize("n", [0, 1, 500])
def test_the_order_is_that_of_tuples(step: int, size: int, n: int) -> None:
    rng = np.random.default_rng([n, size % 97])
    group, time = rng.integers(-5, 40, n), rng.integers(0, size, n) * step
    keys = [group, time - size // 3, np.zeros(n, np.int64), rng.integers(0, 3, n)]
    order = sort_order(*keys)
    assert sorted(order.tolist()) == list(range(n))
    rows = list(zip(*(key.tolist() for key in keys), strict=True))
    assert [rows[place] for place in order.tolist()] == sorted(rows)


@pytest.mark.parametrize(("step", "size"), RANGES)
@pytest.mark.parametrize("never", [0.0, 0.3, 1.0])
def test_the_latest_so_far_is_that_of_a_loop(step: int, size: int, never: float) -> None:
    rng = np.random.default_rng(size % 89)
    group = np.cumsum(np.append(0, rng.random(299) < 0.2)).astype(np.int64)
    times = rng.integers(0, size, 300) * step - size // 3
    times[rng.random(300) < never] = NEVER
    before = times.copy()
    found = latest_so_far(times, group)
    latest: dict[int, int] = {}
    for number, time, have in zip(group.tolist(), times.tolist(), found.tolist(), strict=True):
        latest[number] = max(latest.get(number, time), time)
        assert have == latest[number]
    assert (times == before).all()
    assert not len(latest_so_far(times[:0], group[:0]))


def test_parts_are_of_whole_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(groupby, "_PART", 3)
    for group in ([], [0], [0, 0, 0, 0, 1, 2, 2, 2, 5], [0, 1, 2], [0] * 7, list(range(10))):
        found = [group[part] for part in group_blocks(np.array(group, np.int64))]
        assert [one for part in found for one in part] == group
        assert not any(a[-1] == b[0] for a, b in pairwise(found))
        assert len(found) == 1 or min(map(len, found[:-1])) >= 3
    assert len([*group_blocks(np.arange(10), cells=5)]) == 1


def book() -> pd.DataFrame:
    """Return subscriptions of forty customers in plans, of which the last begins no run."""
    draw = random.Random(8)  # noqa: S311
    rows: list[Row] = []
    for who in range(40):
        start = datetime(2024, 1, 1) + timedelta(days=draw.randint(0, 60))  # noqa: DTZ001
        for number in range(draw.randint(1, 4)):
            end = start + timedelta(days=draw.randint(5, 40))
            plan = "z" if number else draw.choice("ab")
            rows.append({"customer_id": who, "start": start, "end": end, "plan": plan})
            rows[-1] |= {"mrr": draw.randint(1, 9) * 10.0, "reason": draw.choice("xy")}
            start = end + timedelta(days=draw.choice([0, 0, 0, 2]))
        if who % 3:
            rows[-1]["end"] = pd.NaT
    return pd.DataFrame(rows)


@pytest.mark.parametrize(
    ("function", "options"),
    [
        (churn_rate, {}),
        (churn_rate, {"method": "daily", "reason": "reason"}),
        (churn_rate, {"method": "stripe", "reason": "reason", "gap": "0D"}),
        (survival_curve, {}),
        (mrr_movements, {}),
        (mrr_movements, {"level": "event"}),
        (revenue_retention, {"horizon": 2}),
        (revenue_retention, {"interval": "bootstrap", "seed": 1, "draws": 50}),
        (revenue_cohorts, {}),
    ],
)
@pytest.mark.parametrize("by", [None, "plan"])
def test_customers_in_parts_are_those_of_the_whole(
    function: Any, options: Row, by: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run() -> list[Row]:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RetainkitWarning)
            given = {"as_of": "2024-06-01", "by": by, "gap": "3D"} | options
            return rows_of(function(book(), **given))

    whole = run()
    monkeypatch.setattr(groupby, "_PART", 5)
    monkeypatch.setattr(groupby, "_CELLS", 0)
    for have, want in zip(run(), whole, strict=True):
        for name, value in want.items():
            if isinstance(value, float):
                assert have[name] == pytest.approx(value, rel=1e-12, nan_ok=True)
            else:
                assert have[name] == value, name


def test_a_segment_in_which_no_run_begins_has_no_rows() -> None:
    churn = churn_rate(book(), by="plan", gap="3D", as_of="2024-08-01")
    assert {row["plan"] for row in rows_of(churn)} == {"a", "b"}
