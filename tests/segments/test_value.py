"""Tiers and concentration of value, held to worked numbers, a slow oracle and their identities."""

import math
import random
import warnings
from collections.abc import Sequence
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd
import pytest

from backends import BACKENDS, Backend, params
from retainkit import datasets, value_concentration, value_tiers
from retainkit.errors import ArgumentError, ArgumentTypeError, RetainkitWarning
from tables import Row, rows_of

on_every_kind = pytest.mark.parametrize("backend", params(BACKENDS), indirect=True)


def quietly(function: Any, *frames: Any, **options: Any) -> Any:
    """Call, and expect that something may be set aside."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RetainkitWarning)
        return function(*frames, **options)


def paid(*amounts: float, **more: Any) -> list[Row]:
    """Return a row a customer, who are numbered from 1."""
    return [
        {"customer_id": who, "amount": float(one), **more} for who, one in enumerate(amounts, 1)
    ]


def assert_same(have: Sequence[Any], want: Sequence[Any], place: Any) -> None:
    """Compare values one by one, floats to 1e-9."""
    assert len(have) == len(want)
    for one, other in zip(have, want, strict=True):
        assert one == (pytest.approx(other, rel=1e-9) if isinstance(other, float) else other), place


@pytest.fixture(scope="module")
def cdnow() -> pd.DataFrame:
    return datasets.load_cdnow()


# --- worked numbers --------------------------------------------------------------------------


def test_tiers_of_cdnow(cdnow: pd.DataFrame) -> None:
    # Worked numbers of issue 15, case 8: a fifth of 23,502 is 4,700.4, rounded up.
    found = value_tiers(cdnow)
    assert found["tier"].value_counts().to_dict() == {
        "light": 11751,
        "medium": 7050,
        "heavy": 4701,
        "none": 68,
    }
    least = found.groupby("tier")["value"].min()
    assert least["heavy"] == 134.29
    assert least["medium"] == 43.64


def test_concentration_of_cdnow(cdnow: pd.DataFrame) -> None:
    # Case 8.
    found = value_concentration(cdnow, draws=10, seed=1)
    assert found["customers"].tolist() == [236, 2357, 4714, 11785]
    assert found["share_of_value"].tolist() == pytest.approx(
        [0.158758, 0.509427, 0.677774, 0.895913], abs=5e-7
    )
    assert found["gini"].tolist() == pytest.approx([0.634571] * 4, abs=5e-7)
    whole = value_concentration(cdnow, shares=[1.0], draws=1, seed=1)
    assert whole["value"].item() == pytest.approx(2_500_315.63, abs=0.005)
    assert whole["share_of_value"].item() == 1.0


@on_every_kind
def test_ties_go_to_the_better_tier(backend: Backend) -> None:
    # Case 8 by hand: the top 20 % is rank 1, which three share.
    found = rows_of(value_tiers(backend.make(paid(10, 10, 10, 1, 1))))
    found = sorted(found, key=lambda row: row["customer_id"])
    assert [row["tier"] for row in found] == ["heavy"] * 3 + ["light"] * 2
    assert [row["rank"] for row in found] == [1, 1, 1, 4, 4]
    assert [row["value_share"] for row in found] == pytest.approx([10 / 32] * 3 + [1 / 32] * 2)
    assert [row["cumulative_share"] for row in found] == pytest.approx([30 / 32] * 3 + [1.0] * 2)


# --- oracles -----------------------------------------------------------------------------------


def drawn(seed: int, customers: int = 40) -> list[Row]:
    draw = random.Random(seed)  # noqa: S311
    return [
        {
            "customer_id": customer,
            "time": datetime(2024, 1, 1) + timedelta(days=draw.randint(0, 90)),  # noqa: DTZ001
            "amount": draw.choice([0.1, 0.2, 7.0, 7.0, 20.0, 45.5, -7.0, 0.0]),
            "team": [None, "a", "b"][customer % 3],
        }
        for customer in range(customers)
        for _ in range(draw.randint(1, 4))
    ]


LIKE: Row = {"customer_id": 1, "time": datetime(2024, 1, 1), "amount": 1.0, "team": "a"}  # noqa: DTZ001
TIERS = (("gold", 0.1), ("silver", 0.35), ("bronze", 1.0))


def values_by_hand(rows: Sequence[Row]) -> dict[Any, float]:
    values: dict[Any, float] = {}
    for row in rows:
        values[row["customer_id"]] = values.get(row["customer_id"], 0.0) + row["amount"]
    return {who: round(value, 6) for who, value in values.items()}


def tiers_by_hand(rows: Sequence[Row]) -> dict[Any, tuple[Any, ...]]:
    """Rank customers one by one, by counting who is better."""
    values = values_by_hand(rows)
    above = [value for value in values.values() if value > 0]
    found: dict[Any, tuple[Any, ...]] = {}
    for who, value in values.items():
        rank = 1 + sum(other > value for other in values.values())
        if value <= 0:
            found[who] = (value, rank, None, None, "none")
            continue
        ends = [math.ceil(Fraction(str(share)) * len(above)) for _, share in TIERS]
        tier = next(name for (name, _), end in zip(TIERS, ends, strict=True) if rank <= end)
        together = sum(other for other in above if other >= value)
        found[who] = (value, rank, value / sum(above), together / sum(above), tier)
    return found


@on_every_kind
@pytest.mark.parametrize("by", [None, "team"])
@pytest.mark.parametrize("window", [None, "30D"])
def test_tiers_are_those_of_the_oracle(
    backend: Backend, by: str | None, window: str | None
) -> None:
    rows = drawn(7)
    options: Row = {"tiers": TIERS, "by": by}
    kept = rows
    if window:
        options |= {"time": "time", "as_of": "2024-03-01", "window": window}
        first, end = datetime(2024, 1, 31), datetime(2024, 3, 1)  # noqa: DTZ001
        kept = [row for row in rows if first <= row["time"] < end]
    found = rows_of(quietly(value_tiers, backend.make(rows, like=LIKE), **options))
    names = ("value", "rank", "value_share", "cumulative_share", "tier")
    have = {row["customer_id"]: tuple(row[name] for name in names) for row in found}
    teams = {row["team"] for row in kept} if by else {"all"}
    want: dict[Any, tuple[Any, ...]] = {}
    for team in teams:
        want |= tiers_by_hand([row for row in kept if not by or row["team"] == team])
    assert have.keys() == want.keys()
    for who, row in have.items():
        assert_same(row, want[who], who)


@on_every_kind
def test_concentration_is_the_same_on_every_kind(backend: Backend) -> None:
    rows = drawn(8)
    options: Row = {"by": "team", "shares": (0.2, 0.5), "draws": 50, "seed": 3}
    found = rows_of(quietly(value_concentration, backend.make(rows, like=LIKE), **options))
    want = quietly(value_concentration, pd.DataFrame(rows), **options)
    assert len(found) == 6
    for have, row in zip(found, rows_of(want), strict=True):
        assert_same([*have.values()], [*row.values()], row)
    for row in found:
        own = [r for r in rows if r["team"] == row["team"]]
        values = sorted((max(v, 0.0) for v in values_by_hand(own).values()), reverse=True)
        k = math.ceil(Fraction(str(row["share_of_customers"])) * len(values))
        assert row["customers"] == k
        assert row["value"] == pytest.approx(sum(values[:k]))
        assert row["share_of_value"] == pytest.approx(sum(values[:k]) / sum(values))
        apart = sum(abs(one - other) for one in values for other in values)
        assert row["gini"] == pytest.approx(apart / (2 * len(values) * sum(values)))


def test_the_interval_is_that_of_customers_drawn_anew() -> None:
    # An own bootstrap, drawn otherwise: the limits agree up to the error of 2,000 draws.
    rng = np.random.default_rng(5)
    values = rng.lognormal(3, 1, 400)
    found = value_concentration(pd.DataFrame(paid(*values)), shares=[0.2], draws=2000, seed=1)
    shares = []
    for _ in range(2000):
        sample = np.sort(rng.choice(values, 400))[::-1]
        shares.append(sample[:80].sum() / sample.sum())
    want = np.quantile(shares, [0.025, 0.975])
    assert found[["lower", "upper"]].to_numpy()[0] == pytest.approx(want, abs=0.006)
    narrow = value_concentration(
        pd.DataFrame(paid(*values)), shares=[0.2], draws=2000, seed=1, confidence_level=0.5
    )
    assert found["lower"].item() < narrow["lower"].item() < found["share_of_value"].item()


# --- identities ---------------------------------------------------------------------------------


def test_tiers_part_the_customers_and_shares_add_up(cdnow: pd.DataFrame) -> None:
    found = value_tiers(cdnow)
    assert len(found) == cdnow["customer_id"].nunique()
    assert found["value"].sum() == pytest.approx(cdnow["amount"].sum())
    assert found["value_share"].sum() == pytest.approx(1.0)
    assert found["cumulative_share"].max() == 1.0
    assert found.loc[found["tier"] == "none", "value_share"].isna().all()


def test_the_best_have_more_than_their_share(cdnow: pd.DataFrame) -> None:
    # The Lorenz curve lies below the diagonal, seen from the best above it, and is concave.
    shares = [i / 20 for i in range(1, 21)]
    found = value_concentration(cdnow, shares=shares, draws=1, seed=1)["share_of_value"].to_numpy()
    assert (found >= shares).all()
    assert (np.diff(found, n=2) <= 1e-4).all()


def test_groups_at_once_are_groups_apart_with_the_same_seed() -> None:
    rows = [row | {"team": row["team"] or "c"} for row in drawn(9)]
    options: Row = {"by": "team", "draws": 30, "seed": 2, "shares": [0.3]}
    at_once = rows_of(quietly(value_concentration, pd.DataFrame(rows), **options))
    for row in at_once:
        own = pd.DataFrame([one for one in rows if one["team"] == row["team"]])
        assert rows_of(quietly(value_concentration, own, **options)) == [row]


def test_the_order_of_rows_means_nothing() -> None:
    rows = pd.DataFrame(drawn(10))
    shuffled = rows.sample(frac=1, random_state=2)
    options: Row = {"draws": 20, "seed": 1}
    one, other = (quietly(value_concentration, table, **options) for table in (rows, shuffled))
    pd.testing.assert_frame_equal(one, other, rtol=1e-12)
    pd.testing.assert_frame_equal(value_tiers(rows), value_tiers(shuffled))


# --- edges --------------------------------------------------------------------------------------


@on_every_kind
def test_values_below_0_are_taken_as_0_and_counted(backend: Backend) -> None:
    rows = [{"customer_id": who, "amount": one} for who, one in ((1, 5.0), (2, -1.0), (3, -2.0))]
    with pytest.warns(RetainkitWarning, match="2 customers with a value below 0") as caught:
        found = value_concentration(backend.make(rows), shares=[0.1, 1.0], draws=5, seed=1)
    assert [(one.message.rows, one.message.total) for one in caught] == [(2, 3)]  # type: ignore[union-attr]
    (best, every) = rows_of(found)
    assert (best["customers"], best["value"], best["share_of_value"]) == (1, 5.0, 1.0)
    assert (every["customers"], every["value"], every["share_of_value"]) == (3, 5.0, 1.0)


def test_without_any_value_the_shares_are_undefined() -> None:
    (row,) = rows_of(value_concentration(pd.DataFrame(paid(0, 0)), shares=[0.5], seed=1))
    assert (row["customers"], row["value"]) == (1, 0.0)
    assert [row[name] for name in ("share_of_value", "lower", "upper", "gini")] == [None] * 4
    tiers = rows_of(value_tiers(pd.DataFrame(paid(0, -3))))
    assert [(row["rank"], row["value_share"], row["tier"]) for row in tiers] == [
        (1, None, "none"),
        (2, None, "none"),
    ]


def test_a_draw_without_value_is_left_out() -> None:
    # One of 200 customers has it all: some draws have nothing.
    (row,) = rows_of(value_concentration(pd.DataFrame(paid(9, *[0] * 199)), shares=[0.5], seed=1))
    assert (row["share_of_value"], row["lower"], row["upper"]) == (1.0, 1.0, 1.0)


def test_a_share_is_read_as_it_is_written() -> None:
    # As floats, 10 * 0.3 is 3.0000000000000004 in some orders, and its ceiling 4.
    rows = pd.DataFrame(paid(*range(100, 0, -1)))
    shares = [0.07, 0.14, 0.28, 0.29, 0.55, 0.56, 0.57]
    found = value_concentration(rows, shares=shares, draws=1, seed=1)
    assert found["customers"].tolist() == [7, 14, 28, 29, 55, 56, 57]
    tiers = value_tiers(rows, tiers=[(f"to {one}", one) for one in [*shares, 1.0]])
    assert tiers["tier"].value_counts()["to 0.07"] == 7
    assert tiers["tier"].value_counts()["to 0.57"] == 1


@pytest.mark.parametrize(
    ("tiers", "message"),
    [
        ((("heavy", 20),), r"a fraction, 0.2 for 20 %"),
        ((("heavy", 0.2), ("light", 0.9)), "end with 1"),
        ((("heavy", 0.5), ("medium", 0.2), ("light", 1)), "they must rise"),
        ((("heavy", 0.0), ("light", 1)), "a share of 0"),
        ((("heavy", 0.2), ("heavy", 1)), "each must be another one"),
        ((("none", 0.2), ("light", 1)), "'none' is kept"),
    ],
)
def test_wrong_tiers_are_refused(tiers: Any, message: str) -> None:
    with pytest.raises(ArgumentError, match=message) as caught:
        value_tiers(pd.DataFrame(paid(1)), tiers=tiers)
    assert caught.value.argument == "tiers"


@pytest.mark.parametrize("tiers", ["heavy", (), ("heavy",), ((1, 0.5),), {"heavy": 1.0}])
def test_tiers_are_pairs(tiers: Any) -> None:
    with pytest.raises(ArgumentTypeError, match="pairs of a name and a share"):
        value_tiers(pd.DataFrame(paid(1)), tiers=tiers)


@pytest.mark.parametrize(
    ("shares", "message"), [((20,), "0.2 for 20 %"), ((0.2, 0.2), "more than once"), ((0,), "of 0")]
)
def test_wrong_shares_are_refused(shares: Any, message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        value_concentration(pd.DataFrame(paid(1)), shares=shares)
    with pytest.raises(ArgumentTypeError, match="a list of shares"):
        value_concentration(pd.DataFrame(paid(1)), shares=0.2)  # type: ignore[arg-type]


def test_a_window_needs_times() -> None:
    given: list[dict[str, Any]] = [{"window": "30D"}, {"as_of": "2024-01-01"}]
    for options in given:
        for function in (value_tiers, value_concentration):
            with pytest.raises(ArgumentError, match="`time` names no column") as caught:
                function(pd.DataFrame(paid(1)), **options)
            assert caught.value.argument == "time"


def test_a_customer_has_one_segment() -> None:
    rows = pd.DataFrame([*paid(1, 2, team="a"), *paid(1, team="b")])
    for function in (value_tiers, value_concentration):
        with pytest.raises(ArgumentError, match="several values for 1 customer, such as 1"):
            function(rows, by="team")
