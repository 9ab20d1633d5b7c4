"""The caller's own columns come back beside what models say of each customer, as they were."""

import random
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import narwhals.stable.v2 as nw
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from backends import BACKENDS, Backend, params
from retainkit import BGNBD, GammaGamma, cltv_from_models
from retainkit.errors import ArgumentError, ArgumentTypeError, MissingColumnError
from tables import Row, rows_of

LAZY = [backend for backend in BACKENDS if backend.lazy]
NAMED = {backend.name: backend for backend in BACKENDS}
each_lazy = pytest.mark.parametrize("backend", params(LAZY), indirect=True)
on_duckdb = pytest.mark.parametrize("backend", params([NAMED["duckdb"]]), indirect=True)

# With r = a = 1 and b = 2 the probability of being there after x = 1 purchase is
# 1 / (1 + ((alpha + T) / (alpha + recency))^2 / 2): for (4, 10) and alpha = 2, 1 / (1 + 4 / 2).
PURCHASES = BGNBD(
    r=1.0,
    alpha=2.0,
    a=1.0,
    b=2.0,
    unit="week",
    covariance=((0.1, 0, 0, 0), (0, 0.1, 0, 0), (0, 0, 0.1, 0), (0, 0, 0, 0.1)),
)
# With p = q = 2 the expected spend is 2 (v + x m) / (2 x + 1): (20 + 2 * 13) / 3 for one of 13.
SPEND = GammaGamma(p=2.0, q=2.0, v=10.0, covariance=((0.1, 0, 0), (0, 0.1, 0), (0, 0, 1.0)))
LOOK: Row = {
    "plan": "gold",
    "customer_id": 7,
    "frequency": 1,
    "recency": 4.0,
    "T": 10.0,
    "monetary_value": 13.0,
    "born": date(1990, 5, 17),
    "seen": datetime(2024, 3, 1, 12, 30, tzinfo=UTC),
    "ours": True,
    "points": 2**53 + 1,
}
# In no order, with two of the same history, and with nulls.
ROWS: list[Row] = [
    LOOK,
    LOOK | {"customer_id": 3, "plan": None, "points": 5, "born": date(2001, 1, 1)},
    LOOK | {"customer_id": 9, "frequency": 0, "recency": 0.0, "ours": False, "plan": "tin"},
]
ALIVE = {7: 1 / 3, 3: 1 / 3, 9: 1.0}
AMOUNT = {7: 46 / 3, 3: 46 / 3, 9: 20.0}
DRAWN: dict[str, Any] = {"predictive": True, "draws": 20, "seed": 1}

CALLS: dict[str, Callable[..., Any]] = {
    "alive": PURCHASES.probability_alive,
    "purchases": lambda table, **options: PURCHASES.expected_purchases(table, 4, **options),
    "discounted": lambda table, **options: PURCHASES.discounted_expected_purchases(
        table, 0.1, **options
    ),
    "spend": SPEND.expected_spend,
    "value": lambda table, **options: cltv_from_models(table, PURCHASES, SPEND, **options),
    "drawn value": lambda table, **options: cltv_from_models(
        table, PURCHASES, SPEND, **DRAWN, **options
    ),
}
RESULT = {
    "alive": ["probability_alive"],
    "purchases": ["expected_purchases"],
    "discounted": ["discounted_expected_purchases"],
    "spend": ["expected_spend"],
}
VALUE = ["probability_alive", "expected_purchases", "expected_spend", "cltv", "lower", "upper"]
each_call = pytest.mark.parametrize("call", CALLS)


def schema_of(table: Any) -> dict[str, Any]:
    return dict(nw.from_native(table).collect_schema())


def by_customer(table: Any) -> dict[int, Row]:
    return {row["customer_id"]: row for row in rows_of(table)}


# --- what comes back ---------------------------------------------------------------------------


@each_call
def test_all_columns_come_back_as_they_were(backend: Backend, call: str) -> None:
    table = backend.make(ROWS, like=LOOK)
    result = CALLS[call](table, keep=True)
    others = [name for name in LOOK if name != "customer_id"]
    found, given = schema_of(result), schema_of(table)
    assert [*found] == ["customer_id", *others, *RESULT.get(call, VALUE)]
    assert {name: found[name] for name in given} == given
    assert isinstance(nw.from_native(result), nw.LazyFrame) == backend.lazy
    have, want = by_customer(result), by_customer(table)
    for who, row in want.items():
        assert {name: have[who][name] for name in row} == row
        if "probability_alive" in found:
            assert have[who]["probability_alive"] == pytest.approx(ALIVE[who])
        if "expected_spend" in found:
            assert have[who]["expected_spend"] == pytest.approx(AMOUNT[who])
    assert rows_of(table) == rows_of(backend.make(ROWS, like=LOOK))


@each_call
def test_what_is_kept_changes_no_result(backend: Backend, call: str) -> None:
    table = backend.make(ROWS, like=LOOK)
    alone, beside = by_customer(CALLS[call](table)), by_customer(CALLS[call](table, keep=True))
    for who, row in alone.items():
        assert {name: beside[who][name] for name in row} == pytest.approx(row)
        assert [*row] == ["customer_id", *RESULT.get(call, VALUE)]


def test_columns_come_back_in_the_order_of_their_names(backend: Backend) -> None:
    table = backend.make(ROWS, like=LOOK)
    for keep, names in (
        ("plan", ["plan"]),
        (["seen", "T"], ["seen", "T"]),
        (("born", "customer_id", "plan"), ["born", "plan"]),
        ([], []),
        (False, []),
        (None, []),
    ):
        result = PURCHASES.probability_alive(table, keep=keep)  # type: ignore[arg-type]
        assert [*schema_of(result)] == ["customer_id", *names, "probability_alive"]


@each_call
def test_rows_stay_in_order_where_a_frame_has_one(backend: Backend, call: str) -> None:
    if backend.lazy and backend.name != "polars-lazy":
        return
    draw = random.Random(4)  # noqa: S311
    rows = [
        LOOK | {"customer_id": who, "frequency": draw.randint(1, 9), "points": 2 * who}
        for who in draw.sample(range(400), 400)
    ]
    found = rows_of(CALLS[call](backend.make(rows), keep="points"))
    assert [row["customer_id"] for row in found] == [row["customer_id"] for row in rows]
    assert all(row["points"] == 2 * row["customer_id"] for row in found)


@each_call
def test_no_rows_have_the_same_columns(backend: Backend, call: str) -> None:
    some, none = backend.make(ROWS, like=LOOK), backend.make([], like=LOOK)
    result = CALLS[call](none, keep=True)
    assert schema_of(result) == schema_of(CALLS[call](some, keep=True))
    assert rows_of(result) == []


@each_lazy
def test_what_is_kept_is_not_brought_into_memory(
    backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = backend.make([row | {"customer_id": who} for row in ROWS for who in range(50)])
    seen: list[tuple[int, list[str]]] = []
    collect = nw.LazyFrame.collect

    def spy(self: nw.LazyFrame[Any], *arguments: Any, **options: Any) -> nw.DataFrame[Any]:
        found = collect(self, *arguments, **options)
        seen.append((len(found), found.columns))
        return found

    monkeypatch.setattr(nw.LazyFrame, "collect", spy)
    for call in ("alive", "spend", "value"):
        CALLS[call](table, keep=True)
    assert seen
    assert all(length <= 3 and "plan" not in columns for length, columns in seen)


# --- types that are peculiar to a library --------------------------------------------------------


def test_types_of_pandas_come_back() -> None:
    more: dict[str, Any] = {
        "level": pd.Categorical(["b", "a", "b"], ["b", "a"], ordered=True),
        "many": pd.array([2**60 + 1, None, 3], "Int64"),
        "coded": pd.array(["a", "b", "a"], pd.ArrowDtype(pa.dictionary(pa.int32(), pa.string()))),  # type: ignore[call-overload]
        "lists": [[1], [], [2, 3]],
        "span": pd.interval_range(0, 3),
    }
    table = pd.DataFrame(ROWS, index=[5, 5, 1]).assign(**more)
    table[4] = [1, 2, 3]
    for call in CALLS.values():
        result = call(table, keep=True)
        names = [*table.columns]
        pd.testing.assert_frame_equal(result[names], table.reset_index(drop=True))


def test_types_of_pyarrow_come_back() -> None:
    table = NAMED["pyarrow"].make(ROWS, like=LOOK)
    more = {
        "views": pa.array(["a", None, "c"], pa.string_view()),
        "coded": pa.array(["a", "b", "a"]).dictionary_encode(),
        "exact": pa.array([Decimal("1.10"), None, Decimal(3)], pa.decimal128(9, 2)),
        "lists": pa.array([[1], [], None]),
    }
    for name, values in more.items():
        table = table.append_column(name, values)
    for call in CALLS.values():
        assert call(table, keep=True).select(table.column_names).equals(table)


@pytest.mark.parametrize("lazy", [False, True])
def test_types_of_polars_come_back(lazy: bool) -> None:  # noqa: FBT001
    table = NAMED["polars"].make(ROWS, like=LOOK)
    table = table.with_columns(
        pl.col("frequency").cast(getattr(pl, "Int128", pl.Int64)),  # which older versions lack
        pl.Series("coded", ["a", None, "b"], pl.Enum(["b", "a"])),
        pl.Series("lists", [[1], [], None], pl.List(pl.Int8)),
        pl.Series("^c.*$", [1, 2, 3]),
        pl.Series("*", [4, 5, 6]),
    )
    for call in CALLS.values():
        result = call(table.lazy() if lazy else table, keep=True).lazy().collect()
        assert result.columns[1:] == [
            *(name for name in table.columns if name != "customer_id"),
            *(name for name in result.columns if name not in table.columns),
        ]
        found = dict(zip(result.columns, result.get_columns(), strict=True))
        for one in table.get_columns():
            assert found[one.name].dtype == one.dtype
            assert found[one.name].equals(one, null_equal=True)


@on_duckdb
@each_call
def test_types_of_duckdb_come_back(backend: Backend, call: str) -> None:
    table = backend.make(ROWS, like=LOOK).select(
        "*, '1.10'::DECIMAL(9, 2) AS exact, 'b'::ENUM('b', 'a') AS coded, 2::HUGEINT AS big, "
        "{'a': [1, NULL]} AS nested, TIMESTAMP_NS '2024-01-01 00:00:00.000000001' AS fine, "
        'md5(plan) AS "a.b", CASE WHEN ours THEN 9007199254740993 END AS many'
    )
    result = CALLS[call](table, keep=True).select(", ".join(f'"{one}"' for one in table.columns))
    assert result.types == table.types
    assert result.order("customer_id").fetchall() == table.order("customer_id").fetchall()


@on_duckdb
@pytest.mark.parametrize(
    "dtype", ["DECIMAL(38, 12)", "DOUBLE", "FLOAT", "HUGEINT", "DATE", "TIMESTAMP", "VARCHAR"]
)
def test_drawn_values_find_the_rows_of_customers_of_any_type(backend: Backend, dtype: str) -> None:
    table = backend.make(ROWS, like=LOOK)
    name = {
        "DECIMAL(38, 12)": "12345678901234567.123456789012::DECIMAL(38, 12) + customer_id::INTEGER",
        "DOUBLE": "CASE WHEN customer_id = 9 THEN 'nan'::DOUBLE ELSE customer_id + 0.1 END",
        "DATE": "DATE '2024-01-01' + customer_id::INTEGER",
        "TIMESTAMP": "TIMESTAMP '2024-01-01' + to_microseconds(customer_id)",
    }.get(dtype, "customer_id")
    table = table.select(f"* REPLACE (({name})::{dtype} AS customer_id), customer_id AS number")
    given = table.order("number").fetchall()
    result = CALLS["drawn value"](table, keep=True)
    columns = ", ".join(f'"{one}"' for one in table.columns)
    found = result.order("number").select(columns).fetchall()
    assert repr(found) == repr(given)  # NaN equals nothing
    assert len(rows_of(CALLS["drawn value"](table))) == len(given)


def test_labels_of_pandas_that_are_no_text_come_back() -> None:
    table = pd.DataFrame(ROWS)
    table[0], table[("t", "u")], table[None] = 1, 2, 3
    result = PURCHASES.probability_alive(table, keep=True)
    kept = [name for name in table.columns if name != "customer_id"]
    pd.testing.assert_index_equal(
        result.columns, pd.Index(["customer_id", *kept, "probability_alive"], tupleize_cols=False)
    )
    assert result.iloc[:, -4:-1].to_numpy().tolist() == [[1, 2, 3]] * 3


# --- what is refused ---------------------------------------------------------------------------


@each_call
def test_a_kept_column_is_not_called_like_one_of_the_result(backend: Backend, call: str) -> None:
    for name in RESULT.get(call, VALUE):
        table = backend.make([row | {name: 1} for row in ROWS], like=LOOK | {name: 1})
        for keep in (True, name, ["plan", name]):
            with pytest.raises(ArgumentError, match=f"`keep` names the column '{name}'") as caught:
                CALLS[call](table, keep=keep)
            assert caught.value.code == "reserved_name"
            assert (caught.value.argument, caught.value.column) == ("keep", name)
        assert [*schema_of(CALLS[call](table))][1:] == RESULT.get(call, VALUE)
        with pytest.raises(ArgumentError, match="`customer` names the column"):
            CALLS[call](table, customer=name)


@on_duckdb
def test_capitals_make_no_other_name_where_the_engine_has_none(backend: Backend) -> None:
    table = backend.make(ROWS, like=LOOK).select("*, 1 AS Expected_Spend")
    with pytest.raises(ArgumentError, match="`keep` names the column 'Expected_Spend'"):
        SPEND.expected_spend(table, keep=True)
    assert "Expected_Spend" in PURCHASES.probability_alive(table, keep=True).columns
    one = pl.DataFrame(ROWS).with_columns(Expected_Spend=1)
    assert SPEND.expected_spend(one, keep="Expected_Spend")["Expected_Spend"].sum() == 3


@each_call
def test_names_to_keep_must_be_there_once(backend: Backend, call: str) -> None:
    table = backend.make(ROWS, like=LOOK)
    with pytest.raises(MissingColumnError, match="`keep` needs the column 'city'"):
        CALLS[call](table, keep=["plan", "city"])
    with pytest.raises(ArgumentError, match="`keep` names 'plan' more than once"):
        CALLS[call](table, keep=["plan", "plan"])
    for wrong in (3, {"plan": "a"}, ["plan", 3], b"plan"):
        with pytest.raises(ArgumentTypeError, match="`keep` is "):
            CALLS[call](table, keep=wrong)


@each_lazy
def test_drawn_values_need_a_customer_a_row_to_be_put_beside_columns(backend: Backend) -> None:
    table = backend.make([*ROWS, LOOK])
    if backend.name == "polars-lazy":  # where rows have an order, they need none
        assert len(rows_of(CALLS["drawn value"](table, keep="plan"))) == 4
        return
    with pytest.raises(ArgumentError, match=r"1 customer has several rows \('7") as caught:
        CALLS["drawn value"](table, keep="plan")
    assert caught.value.code == "repeated_customers"
    assert len(rows_of(CALLS["drawn value"](table))) == 4
    assert len(rows_of(CALLS["value"](table, keep="plan"))) == 4
