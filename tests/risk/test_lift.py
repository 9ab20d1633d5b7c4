"""Lift tables: published ones, ties, a slow loop, and what is refused."""

import re
from typing import Any

import numpy as np
import pandas as pd
import pytest

import oracles
import retainkit as rk
from backends import Backend
from retainkit.errors import ArgumentError, ColumnTypeError, RetainkitWarning
from scored import grouped
from tables import Row, rows_of

# --- published tables --------------------------------------------------------------------------


def test_ten_equal_bins_of_a_mailing() -> None:
    # University of Regina, CS 831, notes on cumulative gains and lift charts, example 1: 20,000
    # of 100,000 customers respond.
    responses = [6000, 4000, 3000, 2800, 1200, 1000, 800, 600, 400, 200]
    table = rk.lift_table(grouped(10_000, responses, range(10, 0, -1)))
    assert table["bin"].to_list() == [*range(1, 11)]
    assert table["events"].to_list() == responses
    gain = [0.30, 0.50, 0.65, 0.79, 0.85, 0.90, 0.94, 0.97, 0.99, 1.0]
    assert table["gain"].to_list() == pytest.approx(gain, abs=1e-12)
    lift = [3.0, 2.0, 1.5, 1.4, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1]
    assert table["lift"].to_list() == pytest.approx(lift, abs=1e-12)
    assert table["cumulative_lift"][1] == pytest.approx(2.5, abs=1e-12)


def test_nodes_of_a_tree_are_bins_of_ties() -> None:
    # dtreg.com, "Lift and Gain" of a decision tree, in percent.
    n = [80, 16, 27, 35, 34, 14, 44, 34, 61]
    events = [60, 11, 18, 23, 10, 3, 8, 5, 7]
    table = rk.lift_table(grouped(n, events, range(9, 0, -1)), bins=100)
    assert table["n"].to_list() == n
    share = [23.19, 4.64, 7.83, 10.14, 9.86, 4.06, 12.75, 9.86, 17.68]
    assert (100 * table["n"] / 345).round(2).to_list() == share
    rate = [75.00, 68.75, 66.67, 65.71, 29.41, 21.43, 18.18, 14.71, 11.48]
    assert (100 * table["rate"]).round(2).to_list() == rate
    gain = [41.38, 48.97, 61.38, 77.24, 84.14, 86.21, 91.72, 95.17, 100]
    assert (100 * table["gain"]).round(2).to_list() == gain
    lift = [1.78, 1.64, 1.59, 1.56, 0.70, 0.51, 0.43, 0.35, 0.27]
    assert table["lift"].round(2).to_list() == lift


def test_ties_are_never_split() -> None:
    # IBM's Telco sample by contract, recounted: month to month, one year, two years.
    telco = grouped([3875, 1473, 1695], [1655, 166, 48], [3, 2, 1])
    table = rk.lift_table(telco)
    assert table["bin"].to_list() == [1, 6, 8]
    assert table["n"].to_list() == [3875, 1473, 1695]
    assert table["events"].to_list() == [1655, 166, 48]
    assert table["lift"].round(4).to_list() == [1.6094, 0.4247, 0.1067]
    assert table["gain"].round(4).to_list() == [0.8855, 0.9743, 1.0]


# --- a slow loop -------------------------------------------------------------------------------


def slow_table(scores: list[float], churned: list[int], bins: int) -> list[Row]:
    """Return bins by walking down the ranks, one row at a time."""
    order = sorted(range(len(scores)), key=lambda row: -scores[row])
    ends = [-(-len(scores) * k // bins) for k in range(1, bins + 1)]
    held: dict[int, list[int]] = {}
    place: dict[float, int] = {}
    for rank, row in enumerate(order, 1):
        own = place.setdefault(scores[row], next(k for k, end in enumerate(ends, 1) if rank <= end))
        held.setdefault(own, []).append(row)
    found, seen = [], []
    for number, rows in sorted(held.items()):
        seen += rows
        base = sum(churned) / len(churned)
        events = sum(churned[row] for row in rows)
        lower, upper = oracles.wilson(events, len(rows), 0.9)
        so_far = sum(churned[row] for row in seen)
        found.append(
            {
                "bin": number,
                "n": len(rows),
                "score_min": min(scores[row] for row in rows),
                "score_max": max(scores[row] for row in rows),
                "mean_score": sum(scores[row] for row in rows) / len(rows),
                "events": events,
                "rate": events / len(rows),
                "lower": lower,
                "upper": upper,
                "lift": events / len(rows) / base,
                "lift_lower": lower / base,
                "lift_upper": upper / base,
                "cumulative_n": len(seen),
                "cumulative_events": so_far,
                "cumulative_rate": so_far / len(seen),
                "cumulative_lift": so_far / len(seen) / base,
                "gain": so_far / sum(churned),
            }
        )
    return found


@pytest.mark.parametrize("bins", [1, 3, 10, 100])
@pytest.mark.parametrize("seed", range(4))
def test_it_is_what_a_slow_loop_counts(bins: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = 37 + seed
    scores, churned = rng.integers(0, 12, n) / 4, rng.integers(0, 2, n)
    frame = pd.DataFrame({"score": scores, "churned": churned})
    have = rows_of(rk.lift_table(frame, bins=bins, confidence_level=0.9))
    want = slow_table(scores.tolist(), churned.tolist(), bins)
    assert len(have) == len(want)
    for one, other in zip(have, want, strict=True):
        assert one == pytest.approx(other, abs=1e-12)


def test_identities() -> None:
    rng = np.random.default_rng(7)
    frame = pd.DataFrame({"score": rng.normal(size=501), "churned": rng.random(501) < 0.3})
    frame["amount"] = rng.gamma(2, 50, 501).round(2)
    table = rk.lift_table(frame, bins=7, amount="amount")
    assert table["events"].sum() == frame["churned"].sum()
    assert table["n"].sum() == table["cumulative_n"].iloc[-1] == 501
    assert table["gain"].iloc[-1] == table["amount_gain"].iloc[-1] == 1
    ratio = table["cumulative_lift"] * table["cumulative_n"] / 501
    assert table["gain"].to_numpy() == pytest.approx(ratio.to_numpy(), abs=1e-12)
    assert table["amount"].sum() == pytest.approx(frame["amount"].sum(), abs=1e-9)


# --- every engine, invariance ------------------------------------------------------------------

ROWS: list[Row] = [
    {"score": score, "churned": churned, "amount": amount, "plan": plan}
    for score, churned, amount, plan in [
        (0.9, True, 0.1, "a"),
        (0.9, False, 0.2, "a"),
        (0.5, None, 7.0, "a"),
        (0.1, False, 0.3, "a"),
        (0.7, True, 5.0, None),
        (0.2, True, 6.0, None),
    ]
]


def test_every_engine_leaves_out_open_rows_and_ranks_each_segment(backend: Backend) -> None:
    message = re.escape(
        "column 'churned' (given as `outcome`) is null in 1 row, of 6: their outcome is not known"
    )
    with pytest.warns(RetainkitWarning, match=message):
        table = rk.lift_table(backend.make(ROWS), by="plan", amount="amount", bins=3)
    rows = rows_of(table)
    keys = ("plan", "bin", "n", "events", "amount", "amount_gain", "gain")
    assert [tuple(row[key] for key in keys) for row in rows[:2]] == [
        ("a", 1, 2, 1, 0.3, 0.5, 1.0),
        ("a", 3, 1, 0, 0.3, 1.0, 1.0),
    ]
    # Of the segment without a name everybody left: rate and interval are there, and no lift.
    assert [row["rate"] for row in rows[2:]] == [1, 1]
    assert all(row["lower"] < 1 == row["upper"] for row in rows[2:])
    assert all(row["lift"] is None for row in rows[2:])


def test_scores_in_any_unit_and_rows_in_any_order_give_the_same() -> None:
    rng = np.random.default_rng(3)
    frame = pd.DataFrame({"score": rng.integers(1, 30, 200), "churned": rng.integers(0, 2, 200)})
    shown = ["bin", "n", "events", "lift", "gain"]
    want = rk.lift_table(frame)[shown]
    for score in (100.0 * frame["score"], np.log(frame["score"]), frame["score"].astype("float32")):
        again = rk.lift_table(frame.assign(score=score).sample(frac=1, random_state=2))[shown]
        pd.testing.assert_frame_equal(again, want)
    health = rk.lift_table(frame.assign(score=-frame["score"]), descending=False)[shown]
    pd.testing.assert_frame_equal(health, want)


def test_segments_at_once_are_segments_apart() -> None:
    rng = np.random.default_rng(5)
    frame = pd.DataFrame({"score": rng.normal(size=90).round(1), "churned": rng.integers(0, 2, 90)})
    frame["plan"] = rng.choice(["a", "b"], 90)
    both = rk.lift_table(frame, by="plan", bins=4)
    for plan, own in frame.groupby("plan"):
        apart = rk.lift_table(own, bins=4)
        together = both[both["plan"] == plan].drop(columns="plan").reset_index(drop=True)
        pd.testing.assert_frame_equal(together, apart)


# --- edge cases --------------------------------------------------------------------------------


@pytest.mark.parametrize("left", [0, 1])
def test_without_both_outcomes_there_is_no_lift(left: int) -> None:
    frame = pd.DataFrame({"score": [3, 2, 1], "churned": left})
    table = rk.lift_table(frame, bins=3)
    assert table[["lift", "lift_lower", "lift_upper", "cumulative_lift"]].isna().all(axis=None)
    assert table["rate"].to_list() == [left] * 3
    assert not table[["lower", "upper"]].isna().any(axis=None)
    assert table["gain"].isna().all() == (left == 0)


def test_one_score_is_one_bin() -> None:
    table = rk.lift_table(pd.DataFrame({"score": 0.5, "churned": [0, 1, 1, 0, 0]}))
    assert rows_of(table[["bin", "n", "lift", "gain"]]) == [
        {"bin": 1, "n": 5, "lift": 1, "gain": 1}
    ]


def test_more_bins_than_scores_are_fewer_bins() -> None:
    table = rk.lift_table(pd.DataFrame({"score": [2, 1], "churned": [1, 0]}), bins=100)
    assert table["bin"].to_list() == [1, 51]


@pytest.mark.parametrize("churned", [[True, False, True], [1, 0, 1], [1.0, 0.0, 1.0]])
def test_an_outcome_is_a_flag_or_a_number(churned: list[Any]) -> None:
    table = rk.lift_table(pd.DataFrame({"score": [3, 2, 1], "churned": churned}), bins=3)
    assert table["events"].to_list() == [1, 0, 1]


def test_an_outcome_in_words_is_refused_with_its_words(backend: Backend) -> None:
    rows = [{"score": 1.0, "churned": word} for word in ("Yes", "No", "Yes")]
    with pytest.raises(ColumnTypeError, match=r"holds text: 'No', 'Yes'.*== 'Yes'"):
        rk.lift_table(backend.make(rows))


@pytest.mark.parametrize(
    ("change", "message", "code"),
    [
        ({"churned": [0, 2, 1]}, "is neither 0 nor 1 in 1 row, of 3: 2", "impossible_values"),
        ({"score": [1, None, 2]}, "'score' .* is null in 1 row, of 3", "null_values"),
        ({"score": [1, np.inf, 2]}, "'score' .* is infinite in 1 row", "infinite_values"),
        ({"amount": [1, None, 2]}, "'amount' .* is null in 1 row", "null_values"),
    ],
)
def test_values_that_cannot_be_are_refused(change: Row, message: str, code: str) -> None:
    frame = pd.DataFrame({"score": [3.0, 2, 1], "churned": [1, 0, 1], "amount": 1.0} | change)
    with pytest.raises(ArgumentError, match=message) as caught:
        rk.lift_table(frame, amount="amount")
    assert caught.value.code == code


def test_bins_have_an_end() -> None:
    with pytest.raises(ArgumentError, match="`bins` is 1000001; it must be 1 to 1,000,000"):
        rk.lift_table(pd.DataFrame({"score": [1], "churned": [1]}), bins=1_000_001)
