"""Segments by rules: published counts, what a rule means, and what is refused."""

import datetime as dt
import random
import re
import warnings
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pytest

import retainkit as rk
from backends import Backend
from retainkit.errors import (
    ArgumentError,
    ArgumentTypeError,
    ColumnTypeError,
    MissingColumnError,
)
from segments.scores import scored
from tables import Row, rows_of

# customers-cases, 6.2: CDNOW, cuts of the day itself.
CDNOW_SEGMENTS = {
    "champions": 4134,
    "loyal": 3246,
    "potential_loyalists": 2431,
    "need_attention": 955,
    "about_to_sleep": 3517,
    "cant_lose": 6,
    "at_risk": 744,
    "hibernating": 8537,
}


def test_the_segments_of_cdnow() -> None:
    table, cuts = scored("1998-07-01")
    assert cuts.recency == [142, 433, 486, 513]
    assert cuts.frequency == [1, 1, 2, 4]
    found = rk.assign_segments(table)
    assert found["segment"].value_counts().to_dict() == CDNOW_SEGMENTS


def test_fixed_cuts_show_what_new_ones_hide() -> None:
    first, cuts = scored("1998-01-01")
    later, _ = scored("1998-07-01", cuts)
    anew, _ = scored("1998-07-01")
    shares = [round(float((table["r"] == 1).mean()), 6) for table in (first, later, anew)]
    assert shares == [0.191642, 0.667416, 0.192575]


def test_the_scores_of_the_library_give_the_same() -> None:
    orders = rk.datasets.load_cdnow()
    with warnings.catch_warnings():  # of an empty score, and of customers who paid nothing
        warnings.simplefilter("ignore", rk.RetainkitWarning)
        table = rk.rfm_scores(orders, as_of="1998-07-01")
    found = rk.assign_segments(table)
    assert found["segment"].value_counts().to_dict() == CDNOW_SEGMENTS


@pytest.mark.parametrize("name", ["polars-lazy", "duckdb"])
def test_a_lazy_table_stays_lazy_and_counts_the_same(name: str) -> None:
    table, _ = scored("1998-07-01")
    lazy: Any = pl.from_pandas(table).lazy() if name == "polars-lazy" else duckdb.from_df(table)
    found = rk.assign_segments(lazy)
    assert type(found) is type(lazy)
    counts = (
        found.collect()["segment"].value_counts().rows()
        if name == "polars-lazy"
        else found.aggregate("segment, count(*)").fetchall()
    )
    assert dict(counts) == CDNOW_SEGMENTS


# --- what a condition means, on every kind of frame ---------------------------------------------

WIDE: list[Row] = [
    {
        "customer_id": i,
        "number": number,
        "whole": whole,
        "word": word,
        "flag": flag,
        "day": day,
        "time": time,
    }
    for i, (number, whole, word, flag, day, time) in enumerate(
        [
            (1.5, 1, "a", True, dt.date(2024, 1, 1), dt.datetime(2024, 1, 1, 12)),  # noqa: DTZ001
            (2.0, 2, "b", False, dt.date(2024, 1, 2), dt.datetime(2024, 1, 2)),  # noqa: DTZ001
            (None, None, None, None, None, None),
            (2.5, 3, "nan", True, dt.date(2024, 1, 3), dt.datetime(2024, 1, 3, 1)),  # noqa: DTZ001
        ]
    )
]
# A condition, and who meets it. Limits are inclusive, and a null meets nothing.
CONDITIONS: list[tuple[Row, list[int]]] = [
    ({"number_min": 1.5}, [0, 1, 3]),
    ({"number_max": 2}, [0, 1]),
    ({"number_is": 2}, [1]),
    ({"number_min": 1.6, "number_max": 2.4}, [1]),
    ({"number_max": float("inf")}, [0, 1, 3]),
    ({"whole_min": 1.5}, [1, 3]),
    ({"whole_max": 2.5}, [0, 1]),
    ({"whole_is": 2.5}, []),
    ({"whole_is": 2.0}, [1]),
    ({"whole_min": 1e30}, []),
    ({"whole_max": float("inf")}, [0, 1, 3]),
    ({"word_is": "a"}, [0]),
    ({"word_is": "nan"}, [3]),
    ({"word_is": "None"}, []),
    ({"flag_is": True}, [0, 3]),
    ({"flag_is": False}, [1]),
    ({"flag_is": 1.0}, [0, 3]),
    ({"day_min": dt.date(2024, 1, 2)}, [1, 3]),
    ({"day_max": "2024-01-02"}, [0, 1]),
    ({"day_is": "2024-01-02"}, [1]),
    ({"day_min": "2024-01-01T00:01"}, [1, 3]),
    ({"time_max": "2024-01-02"}, [0, 1]),
    ({"time_min": dt.datetime(2024, 1, 1, 12, 0, 0, 1)}, [1, 3]),  # noqa: DTZ001
    ({"number_min": 2, "word_is": "b", "flag_is": False}, [1]),
]


@pytest.mark.parametrize(("rule", "who"), CONDITIONS, ids=lambda one: str(one)[:40])
def test_a_condition_holds_alike_in_every_engine(
    backend: Backend, rule: Row, who: list[int]
) -> None:
    shown = WIDE[0] | {"number": 1.0}
    table = backend.make(WIDE, like=shown)
    rules = pd.DataFrame([{"segment": "in"} | rule])
    found = rows_of(rk.assign_segments(table, rules, default="out"))
    assert sorted(row["customer_id"] for row in found if row["segment"] == "in") == who
    assert {row["segment"] for row in found} <= {"in", "out"}


def test_nan_is_a_null_in_every_engine() -> None:
    rules = pd.DataFrame({"segment": ["high"], "x_min": [1.0]})
    tables: list[Any] = [
        pd.DataFrame({"x": [np.nan, 2.0]}),
        pl.DataFrame({"x": [float("nan"), 2.0]}),
        pl.LazyFrame({"x": [float("nan"), 2.0]}),
        duckdb.sql("select unnest(['nan'::double, 2.0]) as x"),
    ]
    for table in tables:
        found = rows_of(rk.assign_segments(table, rules, default="low"))
        assert [row["segment"] for row in found] == ["low", "high"]


def test_times_with_a_zone_are_read_in_it() -> None:
    berlin = pd.to_datetime(["2024-01-01 23:30", "2024-01-02 00:30"]).tz_localize("Europe/Berlin")
    rules = pd.DataFrame({"segment": ["on the second"], "time_min": ["2024-01-02"]})
    table = pd.DataFrame({"time": berlin})
    for frame in (table, pl.from_pandas(table), pl.from_pandas(table).lazy()):
        found = rows_of(rk.assign_segments(frame, rules, default="before"))
        assert [row["segment"] for row in found] == ["before", "on the second"]
    aware = rules.assign(time_min=[dt.datetime(2024, 1, 1, 23, tzinfo=ZoneInfo("UTC"))])
    found = rows_of(rk.assign_segments(table, aware, default="before"))
    assert [row["segment"] for row in found] == ["before", "on the second"]
    with pytest.raises(ArgumentError, match=r"rule 'on the second'.*time zone") as caught:
        rk.assign_segments(pd.DataFrame({"time": berlin.tz_localize(None)}), aware, default="b")
    assert caught.value.code == "mixed_zones"


def test_integers_that_floats_cannot_hold_are_compared_as_they_are() -> None:
    large = 2**53
    table = pd.DataFrame({"x": [large, large + 1]})
    rules = pd.DataFrame({"segment": ["more"], "x_min": [large + 1]})
    for frame in (table, pl.from_pandas(table), duckdb.from_df(table)):
        found = rows_of(rk.assign_segments(frame, rules, default="not"))
        assert [row["segment"] for row in found] == ["not", "more"]


@pytest.mark.parametrize("dtype", ["float32", "Int64", "uint8", "category", "object", "UInt64"])
def test_how_scores_are_stored_means_nothing(dtype: str) -> None:
    table, _ = scored("1998-07-01")
    few = table.head(300)
    want = rk.assign_segments(few)["segment"]
    stored = few.astype({"r": dtype, "f": dtype})
    found = rk.assign_segments(stored)
    assert found["segment"].to_list() == want.to_list()
    pd.testing.assert_frame_equal(found.drop(columns="segment"), stored)


def test_categories_are_their_names() -> None:
    table = pd.DataFrame({"plan": pd.Categorical(["pro", None, "free"])})
    rules = pd.DataFrame({"segment": ["paying"], "plan_is": ["pro"]})
    for frame in (table, pl.from_pandas(table), pl.from_pandas(table).lazy()):
        found = rows_of(rk.assign_segments(frame, rules, default="others"))
        assert [row["segment"] for row in found] == ["paying", "others", "others"]


def test_a_column_of_nulls_meets_no_rule() -> None:
    rules = pd.DataFrame({"segment": ["a"], "x_min": [1]})
    for table in (pd.DataFrame({"x": [None, None]}), pl.DataFrame({"x": [None, None]})):
        found = rows_of(rk.assign_segments(table, rules, default="b"))
        assert [row["segment"] for row in found] == ["b", "b"]


def test_against_a_slow_loop() -> None:
    draw = random.Random(11)  # noqa: S311
    rows = [
        {"x": draw.choice([None, *range(9)]), "y": draw.choice([None, *"abc"])} for _ in range(200)
    ]
    rules: list[Row] = [
        {
            "segment": f"s{i}",
            "x_min": draw.choice([None, draw.randint(0, 4)]),
            "x_max": draw.choice([None, draw.randint(4, 9)]),
            "y_is": draw.choice([None, *"abc"]),
            "remark": "none",
        }
        for i in range(6)
    ]
    rules = [one for one in rules if any(one[key] is not None for key in [*one][1:4])]

    def meets(row: Row, rule: Row) -> bool:
        low, high, word = rule["x_min"], rule["x_max"], rule["y_is"]
        if (low is not None or high is not None) and row["x"] is None:
            return False
        return (
            (low is None or row["x"] >= low)
            and (high is None or row["x"] <= high)
            and (word is None or row["y"] == word)
        )

    want = [next((rule["segment"] for rule in rules if meets(row, rule)), "others") for row in rows]
    for make in (pd.DataFrame, pl.DataFrame, pl.LazyFrame):
        table = make(rows)
        found = rk.assign_segments(table, pd.DataFrame(rules), default="others", overlap="first")
        assert [row["segment"] for row in rows_of(found)] == want


# --- the table of the rules ----------------------------------------------------------------------

FEW = pd.DataFrame({"customer_id": [1, 2, 3], "r": [5, 3, 1], "plan": ["a", "b", "c"]})


@pytest.mark.parametrize("kind", [pl.from_pandas, duckdb.from_df, lambda one: one])
def test_rules_may_be_of_any_kind(kind: Any) -> None:
    rules = pd.DataFrame({"segment": ["low", "high"], "r_max": [2.0, None], "r_min": [None, 3]})
    found = rk.assign_segments(FEW, kind(rules), name="group")
    assert found["group"].to_list() == ["high", "high", "low"]


def refused(rules: Row, table: Any = FEW, **options: Any) -> str:
    with pytest.raises((ArgumentError, ColumnTypeError, MissingColumnError)) as caught:
        rk.assign_segments(table, pd.DataFrame(rules), **options)
    assert caught.value.argument in {"rules", "name", "default"}
    return str(caught.value)


def test_a_customer_who_meets_no_rule_is_an_error_with_the_cells() -> None:
    text = refused({"segment": ["top"], "r_min": [4]})
    assert text.startswith("2 rows of 3 in `table` meet no rule: r = 1; r = 3. Add a rule")
    text = refused({"segment": ["top"], "r_min": [4]}, table=pl.from_pandas(FEW).lazy())
    assert text.startswith("2 rows of 3 in `table` meet no rule: r = 1; r = 3. Add a rule")


def test_two_rules_are_an_error_with_both_and_a_witness() -> None:
    rules = {"segment": ["top", "low"], "r_min": [3, None], "r_max": [None, 3]}
    for table in (FEW, duckdb.from_df(FEW)):
        text = refused(rules, table)
        assert text.startswith(
            "1 row of 3 in `table` meets several rules: for r = 3 both rule 'top'"
        )
        assert "rule 'top' (row 1 of `rules`) and rule 'low' (row 2 of `rules`) hold" in text
    found = rk.assign_segments(FEW, pd.DataFrame(rules), overlap="first")
    assert found["segment"].to_list() == ["top", "top", "low"]


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        (
            {"segment": ["a"], "r_min": [4], "r_max": [2]},
            "rule 'a' .*holds for nobody.*'r_min' is 4",
        ),
        ({"segment": ["a"], "r_is": [4], "r_max": [2]}, "holds for nobody.*'r_is'.*'r_max'"),
        ({"segment": ["a"], "r_min": [5], "r_is": [4]}, "holds for nobody.*'r_min'.*'r_is'"),
        ({"segment": ["a"], "x_min": [4]}, "column 'x'.*\n.*\n.*rule 'a'.*'x_min'"),
        ({"segment": ["a", "b"], "r_min": [4, None]}, "rule 'b' .row 2.* has no condition"),
        ({"segment": ["a"], "remark": ["x"]}, "rule 'a' .* has no condition.*`default`"),
        ({"segment": ["a"], "r_min": ["high"]}, "rule 'a'.*'r_min' is 'high'.*Int64.*a number"),
        ({"segment": ["a"], "r_is": [True]}, "'r_is' is True.*a number"),
        ({"segment": ["a"], "plan_is": [3]}, "'plan_is' is 3.*a text"),
        ({"segment": ["a"], "plan_min": ["a"]}, "'plan_min'.*no order.*'plan_is'"),
        ({"segment": [None, "b"], "r_min": [4, 1]}, "'segment' of `rules` is null in 1 row, of 2"),
        ({"segment": [1], "r_min": [4]}, "'segment' of `rules` holds Int64.*text"),
        ({"rule": ["a"], "r_min": [4]}, "`rules` needs the column 'segment'"),
        ({"segment": [], "r_min": []}, "`rules` has no rows"),
        ({"segment": ["(new)"], "r_min": [1]}, "the label of rule .*'.new.'.*something else"),
    ],
)
def test_a_rule_that_is_wrong_is_named(rules: Row, words: str) -> None:
    assert re.search(words, refused(rules), re.DOTALL)


def test_names_that_are_taken_are_refused() -> None:
    rules = {"segment": ["a"], "r_min": [1]}
    assert "has a column 'plan' already" in refused(rules, name="plan")
    assert "`default` is '(gone)'" in refused(rules, default="(gone)")
    with pytest.raises(ArgumentTypeError, match="`default` is 3"):
        rk.assign_segments(FEW, pd.DataFrame(rules), default=3)  # type: ignore[arg-type]
    with pytest.raises(ColumnTypeError, match="names are no text"):
        rk.assign_segments(FEW, pd.DataFrame({0: ["a"], "r_min": [1]}))


def test_the_usual_rules_need_scores() -> None:
    with pytest.raises(MissingColumnError, match=r"(?s)'f'.*`rfm_scores`"):
        rk.assign_segments(FEW)


def test_the_names_of_columns_may_be_anything() -> None:
    for name in ("a.b", "*", "two words", "x_max", "^r$"):
        table = pl.DataFrame({name: [1, 5]})
        rules = pd.DataFrame({"segment": ["low", "high"], f"{name}_max": [2, None]})
        rules[f"{name}_min"] = [None, 3]
        for frame in (table, table.lazy(), table.to_pandas()):
            found = rows_of(rk.assign_segments(frame, rules, name="a.c"))
            assert [row["a.c"] for row in found] == ["low", "high"]
