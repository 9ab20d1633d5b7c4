"""Migration between segments: published counts, margins, and tables that do not fit."""

import random
import re
import warnings
from collections import Counter
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from scipy.stats import binomtest

import retainkit as rk
from backends import Backend
from retainkit.errors import (
    ArgumentError,
    ColumnTypeError,
    MissingColumnError,
    RetainkitWarning,
)
from segments.scores import scored
from tables import Row, rows_of

# customers-cases, 7: CDNOW from 1998-01-01 to 1998-07-01, with the cuts of January.
CDNOW_MOVES: dict[str, dict[str, int]] = {
    "champions": {"champions": 1935, "loyal": 1810},
    "loyal": {"champions": 625, "loyal": 343, "at_risk": 760, "cant_lose": 569},
    "at_risk": {"at_risk": 638, "champions": 52, "loyal": 28},
    "potential_loyalists": {
        "at_risk": 1520,
        "champions": 640,
        "loyal": 257,
        "need_attention": 127,
        "potential_loyalists": 594,
    },
    "hibernating": {
        "hibernating": 7885,
        "champions": 158,
        "loyal": 18,
        "potential_loyalists": 463,
    },
    "about_to_sleep": {
        "hibernating": 3636,
        "champions": 73,
        "loyal": 17,
        "potential_loyalists": 251,
    },
    "need_attention": {"at_risk": 478, "champions": 58, "loyal": 31},
    "promising": {"hibernating": 533, "champions": 16, "loyal": 1, "potential_loyalists": 29},
    "cant_lose": {"cant_lose": 20, "champions": 3, "loyal": 2},
}


def cdnow() -> tuple[pd.DataFrame, pd.DataFrame]:
    first, cuts = scored("1998-01-01")
    later, _ = scored("1998-07-01", cuts)
    return rk.assign_segments(first), rk.assign_segments(later)


@pytest.mark.parametrize("kind", ["pandas", "polars-lazy", "duckdb"])
def test_the_migration_of_cdnow(kind: str) -> None:
    before, after = cdnow()
    if kind == "polars-lazy":
        before, after = pl.from_pandas(before).lazy(), pl.from_pandas(after).lazy()  # type: ignore[assignment]
    if kind == "duckdb":
        before, after = duckdb.from_df(before), duckdb.from_df(after)  # type: ignore[assignment]
    moves = rk.segment_migration(before, after)
    found: dict[str, dict[str, int]] = {}
    for row in rows_of(moves):
        if row["customers"]:
            found.setdefault(row["from"], {})[row["to"]] = row["customers"]
    assert found == CDNOW_MOVES
    # Ten labels, of which nobody is in new_customers.
    assert len(rows_of(moves)) == 10 * 10 - 1


def test_new_repeating_and_lapsed() -> None:
    # The docstring of openretailscience's segmentation: Repeating, Lapsed, Repeating, New.
    before = pd.DataFrame({"customer_id": [1, 2, 3], "segment": "buyer"})
    after = pd.DataFrame({"customer_id": [1, 3, 4], "segment": "buyer"})
    moves = rk.segment_migration(before, after)
    assert moves[["from", "to", "customers"]].to_numpy().tolist() == [
        ["buyer", "buyer", 2],
        ["buyer", "(gone)", 1],
        ["(new)", "buyer", 1],
    ]


def drawn(seed: int) -> list[Row]:
    draw = random.Random(seed)  # noqa: S311
    return [
        {
            "customer_id": customer,
            "segment": draw.choice("abc"),
            "team": ["x", None][customer % 2],
            "spend": draw.choice([None, 0.5, 10.0]),
        }
        for customer in draw.sample(range(60), 40)
    ]


def test_against_a_slow_loop_in_every_engine(backend: Backend) -> None:
    before, after = drawn(1), drawn(2)
    tables = [
        backend.make(rows, like=before[0] | {"team": "x", "spend": 1.0}) for rows in (before, after)
    ]
    moves = rows_of(rk.segment_migration(*tables, by="team", value="spend"))
    early, late = ({row["customer_id"]: row for row in rows} for rows in (before, after))
    counts: Counter[Any] = Counter()
    sums: dict[Any, list[float]] = {}
    for one in early.keys() | late.keys():
        first, second = early.get(one), late.get(one)
        shown = first or second
        assert shown
        cell = (
            shown["team"],
            first["segment"] if first else "(new)",
            second["segment"] if second else "(gone)",
        )
        counts[cell] += 1
        own = sums.setdefault(cell, [0.0, 0.0])
        for place, row in enumerate((first, second)):
            own[place] += (row or {}).get("spend") or 0.0
    assert len(moves) == 2 * (4 * 4 - 1)
    assert [row["team"] for row in moves] == ["x"] * 15 + [None] * 15
    for row in moves:
        cell = (row["team"], row["from"], row["to"])
        assert row["customers"] == counts[cell]
        assert [row["value_before"], row["value_after"]] == sums.get(cell, [0.0, 0.0])


def test_margins_shares_and_intervals() -> None:
    before, after = cdnow()
    moves = rk.segment_migration(before, after.sample(20_000, random_state=1))
    for table, side in ((before, "from"),):
        sizes = moves.groupby(side)["customers"].sum()
        assert (
            sizes.drop("(new)").to_dict()
            == table["segment"]
            .value_counts()
            .reindex(sizes.drop("(new)").index, fill_value=0)
            .to_dict()
        )
    assert moves.query("to == '(gone)'")["customers"].sum() == len(before) - 20_000
    shares = moves.groupby("from")["share"].sum(min_count=1)
    assert shares.dropna().to_numpy() == pytest.approx(1)
    assert shares.isna().sum() == moves.groupby("from")["customers"].sum().eq(0).sum()
    n = moves.groupby("from")["customers"].transform("sum")
    for count, total, lower, upper in zip(
        moves["customers"], n, moves["lower"], moves["upper"], strict=True
    ):
        if total:
            limits = binomtest(int(count), int(total)).proportion_ci(method="wilson")
            assert (lower, upper) == pytest.approx((limits.low, limits.high), abs=1e-12)
    assert moves[n == 0][["share", "lower", "upper"]].isna().all(axis=None)


def test_columns_add_up_to_the_segments_after() -> None:
    before, after = pd.DataFrame(drawn(3)), pd.DataFrame(drawn(4))
    moves = rk.segment_migration(before, after)
    arrived = moves.groupby("to")["customers"].sum()
    assert arrived.drop("(gone)").to_dict() == after["segment"].value_counts().to_dict()
    assert arrived["(gone)"] == len({*before["customer_id"]} - {*after["customer_id"]})


# --- what segments and ids may be ---------------------------------------------------------------


def two(before: Any, after: Any, **options: Any) -> pd.DataFrame:
    ids = range(len(before))
    return rk.segment_migration(
        pd.DataFrame({"customer_id": ids, "segment": before}),
        pd.DataFrame({"customer_id": ids, "segment": after}),
        **options,
    )


def test_numbers_are_compared_by_value_and_ascend() -> None:
    moves = two([10, 9, 9], [9.0, 10.0, 9.0])
    assert moves["from"].drop_duplicates().to_list() == ["9", "10", "(new)"]
    assert moves["customers"].to_list() == [1, 1, 0, 1, 0, 0, 0, 0]
    assert two([0.5, 2.0], [2, 2])["to"].unique().tolist() == ["0.5", "2", "(gone)"]
    assert two([True, False], [False, False])["to"].unique().tolist() == ["False", "True", "(gone)"]


def test_categories_keep_their_order() -> None:
    order = ["small", "medium", "large", "unused"]
    before = pd.Categorical(["large", "small"], order)
    moves = two(before, before)
    assert moves["from"].unique().tolist() == ["small", "large", "(new)"]
    # Beside texts, those come first that are declared.
    assert two(before, ["huge", "small"])["to"].unique().tolist() == [
        *("small", "large", "huge", "(gone)"),
    ]
    enum = pl.Enum(order)
    table = pl.DataFrame({"customer_id": [1, 2], "segment": ["large", "small"]})
    table = table.with_columns(pl.col("segment").cast(enum))
    for kind in (table, table.lazy()):
        found = rk.segment_migration(kind, table)
        assert [row["from"] for row in rows_of(found)][::3] == ["small", "large", "(new)"]
    plain = table.with_columns(pl.col("segment").cast(pl.String).cast(pl.Categorical))
    found = rk.segment_migration(plain, plain)
    assert [row["from"] for row in rows_of(found)][::3] == ["large", "small", "(new)"]


@pytest.mark.parametrize("dtype", ["int8", "uint64", "Int64", "float64", "category", "object"])
def test_ids_are_compared_whatever_stores_them(dtype: Any) -> None:
    before, after = pd.DataFrame(drawn(5)), pd.DataFrame(drawn(6))
    want = rk.segment_migration(before, after)
    stored = after.assign(customer_id=after["customer_id"].astype(dtype))
    pd.testing.assert_frame_equal(rk.segment_migration(before, stored), want)
    pd.testing.assert_frame_equal(
        rk.segment_migration(stored, before), rk.segment_migration(after, before)
    )


def test_tables_may_be_of_two_kinds() -> None:
    before, after = pd.DataFrame(drawn(7)), pd.DataFrame(drawn(8))
    want = rows_of(rk.segment_migration(before, after, value="spend", by="team"))
    kinds = [
        lambda one: one,
        pl.from_pandas,
        lambda one: pl.from_pandas(one).lazy(),
        duckdb.from_df,
        pa.Table.from_pandas,
    ]
    for first in kinds:
        for second in kinds:
            found = rk.segment_migration(first(before), second(after), value="spend", by="team")
            assert rows_of(found) == want


def test_ids_of_two_types_are_refused_with_both() -> None:
    before = pd.DataFrame({"customer_id": [5], "segment": ["a"]})
    for other in (["5"], pd.Categorical(["5"]), pd.to_datetime(["2024-01-01"])):
        after = before.assign(customer_id=other)
        with pytest.raises(ColumnTypeError, match=r"Int64 in `before` and .* in `after`") as caught:
            rk.segment_migration(before, after)
        assert caught.value.argument == "customer"
    with pytest.raises(ColumnTypeError, match="String in `before` and Int64 in `after`"):
        rk.segment_migration(pl.LazyFrame({"customer_id": ["5"], "segment": ["a"]}), before)


def test_segments_of_two_types_are_refused_with_both() -> None:
    with pytest.raises(ColumnTypeError, match=r"1 and 'a'|'a' and 1"):
        two([1], ["a"])


def test_labels_of_our_own_are_refused() -> None:
    for label in ("(new)", "(gone)"):
        with pytest.raises(ArgumentError, match=re.escape(label)):
            two(["a"], [label])


@pytest.mark.parametrize("place", [0, 1])
def test_a_customer_who_is_there_twice_is_refused(place: int) -> None:
    one = pd.DataFrame({"customer_id": [1, 2], "segment": "a"})
    twice = pd.concat([one, one.head(1)])
    tables = [one, one]
    tables[place] = twice
    name = ["before", "after"][place]
    with pytest.raises(
        ArgumentError, match=f"of `{name}` .*several rows for 1 customer, .* 1"
    ) as caught:
        rk.segment_migration(*tables)
    assert (caught.value.code, caught.value.argument) == ("repeated_customers", name)


def test_a_customer_has_one_value_of_by() -> None:
    before = pd.DataFrame({"customer_id": [1, 2, 3], "segment": "a", "team": ["x", "y", None]})
    after = before.assign(team=["x", "x", "y"])
    with pytest.raises(ArgumentError, match=r"'team'.* 2 customers, such as 2, 3") as caught:
        rk.segment_migration(before, after, by="team")
    assert (caught.value.code, caught.value.rows) == ("ambiguous_segment", 2)
    assert len(rk.segment_migration(before, before, by="team")) == 3 * 3
    for name in ("customer_id", "segment"):
        with pytest.raises(ArgumentError, match=f"`by` names '{name}'"):
            rk.segment_migration(before, after, by=name)


def test_segments_at_once_are_segments_apart() -> None:
    before, after = pd.DataFrame(drawn(9)), pd.DataFrame(drawn(10))
    both = rk.segment_migration(before, after, by="team", value="spend")
    first = both[both["team"] == "x"].drop(columns="team").reset_index(drop=True)
    apart = rk.segment_migration(
        before[before["team"] == "x"], after[after["team"] == "x"], value="spend"
    )
    pd.testing.assert_frame_equal(first, apart)


def test_nobody_at_all() -> None:
    none = pd.DataFrame({"customer_id": [1], "segment": ["a"]}).head(0)
    moves = rk.segment_migration(none, none)
    assert moves.columns.to_list() == ["from", "to", "customers", "share", "lower", "upper"]
    assert len(moves) == 0
    some = pd.DataFrame({"customer_id": [5], "segment": ["a"]})
    assert rk.segment_migration(none, some)["customers"].to_list() == [0, 0, 1]
    assert np.isnan(rk.segment_migration(none, some)["share"].to_numpy()[0])


def test_scores_of_customers_of_another_name_are_no_wrong_table() -> None:
    days = pd.date_range("2024-01-01", periods=4)
    orders = pd.DataFrame({"user": ["a", "b"] * 2, "time": days, "amount": 5.0})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RetainkitWarning)
        scores = rk.rfm_scores(orders, customer="user").assign(segment="x")
    with pytest.raises(MissingColumnError, match=r"as in `customer='user'`"):
        rk.segment_migration(scores, scores)
