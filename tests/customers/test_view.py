"""One row a customer as of an instant: published cases, a slow oracle, traps and errors."""

import warnings
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from backends import BACKENDS, Backend
from retainkit import Source, customer_view, datasets
from retainkit.errors import (
    ArgumentError,
    ArgumentTypeError,
    ColumnTypeError,
    MissingColumnError,
    RetainkitWarning,
)
from shop import BEGIN, LIKE, Shop, shop
from sizes import batches
from slow_view import SlowSource, SlowView
from tables import Row, rows_of

NAMED = {backend.name: backend for backend in BACKENDS}
# Spark takes seconds for a plan of so many tables; the contract runs each function on it.
each_but_spark = pytest.mark.parametrize("name", [one for one in NAMED if one != "pyspark"])
BERLIN = ZoneInfo("Europe/Berlin")
WINDOWS = {"28d": timedelta(28), "36h": timedelta(hours=36), "7days": timedelta(7)}


def log(*rows: tuple[Any, ...], names: tuple[str, ...] = ("customer_id", "time", "amount")) -> Any:
    """Make a pandas frame of orders: customer, time, amount."""
    frame = pd.DataFrame([row[: len(names)] for row in rows], columns=list(names))
    return frame.assign(time=pd.to_datetime(frame["time"], format="ISO8601"))


def view(orders: Any, as_of: Any, **options: Any) -> Any:
    """Return a view, and expect that rows after the instant are set aside."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RetainkitWarning)
        return customer_view(orders, as_of=as_of, **options)


def by_customer(frame: Any) -> list[Row]:
    return sorted(rows_of(frame), key=lambda row: str(row["customer_id"]).zfill(9))


def shop_view(tables: Shop, backend: Backend, as_of: datetime, **options: Any) -> list[Row]:
    """Return the view of all tables of a shop, held by an engine."""
    made = {name: backend.make(getattr(tables, name), like=like) for name, like in LIKE.items()}
    frame = view(
        made["orders"],
        as_of,
        amount="amount",
        customers=made["customers"],
        sources={
            "visits": Source(made["visits"], amount="pages", known_at="known"),
            "tickets": Source(made["tickets"], closed="solved", last=("score", "topic")),
        },
        subscriptions=made["subscriptions"],
        subscription_amount="mrr",
        windows=("28D", "36H", "7 days"),
        **options,
    )
    return by_customer(frame)


def slow_view(tables: Shop, as_of: datetime, **options: Any) -> list[Row]:
    slow = SlowView(
        orders=tables.orders,
        windows=WINDOWS,
        customers=tables.customers,
        sources={
            "visits": SlowSource(rows=tables.visits, amount=["pages"], known_at="known"),
            "tickets": SlowSource(rows=tables.tickets, closed="solved", last=["score", "topic"]),
        },
        subscriptions=tables.subscriptions,
        **options,
    )
    return slow.at(as_of)


def assert_same(have: list[Row], want: list[Row]) -> None:
    """Compare rows, floats to 1e-9, whatever the order of the columns."""
    assert [row["customer_id"] for row in have] == [row["customer_id"] for row in want]
    for one, other in zip(have, want, strict=True):
        assert {*one} == {*other}
        for name, value in other.items():
            close = pytest.approx(value, rel=1e-9) if isinstance(value, float) else value
            assert one[name] == close, (one["customer_id"], name)


# --- published and printed cases ---------------------------------------------------------------

# Featuretools, issues 766 and 930: a store's rows at a cutoff time.
STORES = [
    (0, "2012-01-01 04:00", 1.0),
    (0, "2012-01-02 04:00", 2.0),
    (0, "2012-04-01 04:00", 3.0),
    (1, "2012-04-02 04:00", 4.0),
    (1, "2012-07-02 04:00", 5.0),
    (1, "2012-07-03 04:00", 6.0),
]


def test_what_comes_after_a_cutoff_is_not_known_featuretools_766() -> None:
    april = rows_of(view(log(*STORES), "2012-04-01", amount="amount", windows=["90D"]))
    assert [(row["customer_id"], row["orders"], row["amount"]) for row in april] == [(0, 2, 3.0)]
    names = ("orders", "amount", "orders_90d", "orders_91d", "amount_91d")
    july = view(log(*STORES), "2012-07-01", amount="amount", windows=["90D", "91D"])
    assert [tuple(row[name] for name in names) for row in rows_of(july)] == [
        (3, 6.0, 0, 1, 3.0),
        (1, 4.0, 1, 1, 4.0),
    ]


def test_a_row_at_the_instant_itself_is_not_used_featuretools_930() -> None:
    # The sum 44 that is shown there has the 14 of the instant itself in it.
    orders = log((1, "2012-02-05", 10.0), (1, "2012-02-10", 20.0), (1, "2012-03-01", 14.0))
    (row,) = rows_of(view(orders, "2012-03-01", amount="amount"))
    assert row["amount"] == 30.0


def test_lines_of_an_order_do_not_multiply_its_amount_jaffle_shop_1() -> None:
    orders = log((1, "2024-01-05", 17.68))
    items = log((1, "2024-01-05"), (1, "2024-01-05"), names=("customer_id", "time"))
    (row,) = rows_of(view(orders, "2024-02-01", amount="amount", sources={"items": items}))
    assert (row["amount"], row["items"]) == (17.68, 2)


@pytest.mark.parametrize(
    ("as_of", "orders", "amount", "within", "by"),
    [
        ("1997-07-01", 41_528, 1_430_959.13, 9_583, 5_322),
        ("1998-01-01", 56_902, 2_024_161.26, 7_656, 4_176),
        ("1998-04-01", 63_753, 2_286_985.15, 6_851, 3_817),
    ],
)
def test_totals_of_cdnow_counted_by_hand(
    as_of: str, orders: int, amount: float, within: int, by: int
) -> None:
    cdnow = datasets.load_cdnow()
    cdnow["row"] = range(len(cdnow))
    table = view(cdnow, as_of, amount="amount", order="row", windows=["90D"])
    assert len(table) == 23_570
    assert table["orders"].sum() == orders
    assert table["amount"].sum() == pytest.approx(amount)
    assert table["orders_90d"].sum() == within
    assert (table["orders_90d"] > 0).sum() == by


# --- a slow oracle -------------------------------------------------------------------------------

INSTANTS = [BEGIN + timedelta(days=80), BEGIN + timedelta(days=61, hours=9)]


@pytest.mark.parametrize("seeds", batches(range(30), 3))
@pytest.mark.parametrize("as_of", INSTANTS, ids=str)
def test_all_columns_are_those_of_a_slow_oracle(
    as_of: datetime, seeds: range, backend: Backend
) -> None:
    for seed in seeds if backend.name != "pyspark" else seeds[: 0 if as_of.hour else 1]:
        tables = shop(seed)
        assert_same(shop_view(tables, backend, as_of), slow_view(tables, as_of))


@pytest.mark.parametrize("name", ["pandas", "polars-lazy", "duckdb"])
@pytest.mark.parametrize(
    "options", [{"order": "order"}, {"known_at": "known"}, {"gap": "6D"}], ids=str
)
def test_options_are_those_of_a_slow_oracle(name: str, options: Row) -> None:
    slow = options | ({"gap": timedelta(6)} if "gap" in options else {})
    for seed, as_of in enumerate(INSTANTS):
        tables = shop(seed)
        assert_same(
            shop_view(tables, NAMED[name], as_of, **options), slow_view(tables, as_of, **slow)
        )


# --- identities ----------------------------------------------------------------------------------


@each_but_spark
def test_another_source_changes_nothing_of_the_other_columns(name: str) -> None:
    backend = NAMED[name]
    tables = shop(4, customers=5)
    orders = backend.make(tables.orders)
    everybody = backend.make([{"customer_id": one} for one in range(5)])
    options: Row = {"amount": "amount", "customers": everybody}
    alone = by_customer(view(orders, INSTANTS[0], **options))
    visits = backend.make(tables.visits)
    beside = by_customer(view(orders, INSTANTS[0], sources={"visits": visits}, **options))
    assert [{name: row[name] for name in alone[0]} for row in beside] == alone


def test_the_sums_of_the_view_are_those_of_the_tables() -> None:
    tables = shop(5)
    as_of = INSTANTS[0]
    rows = shop_view(tables, NAMED["pandas"], as_of)
    known = [row for row in tables.orders if row["time"] < as_of]
    assert sum(row["amount"] for row in rows) == sum(row["amount"] for row in known)
    assert sum(row["orders"] for row in rows) == sum(row["amount"] >= 0 for row in known)
    tickets = [row for row in tables.tickets if row["time"] < as_of]
    assert sum(row["tickets"] for row in rows) == len(tickets)


def test_two_halves_of_a_source_add_up_to_it() -> None:
    tables = shop(6)
    visits = pd.DataFrame(tables.visits)
    halves = {"first": visits[::2], "second": visits[1::2]}
    orders = pd.DataFrame(tables.orders)
    whole = view(orders, INSTANTS[0], sources={"visits": visits})
    parts = view(orders, INSTANTS[0], sources=halves)
    for name in ("", "_28d", "_90d"):
        added = parts[f"first{name}"] + parts[f"second{name}"]
        assert added.tolist() == whole[f"visits{name}"].tolist()


def test_segments_at_once_are_segments_apart() -> None:
    orders = pd.DataFrame([row | {"team": row["customer_id"] % 3} for row in shop(7).orders])
    whole = view(orders, INSTANTS[0], amount="amount", by="team")
    for team, part in whole.groupby("team"):
        own = view(orders[orders["team"] == team], INSTANTS[0], amount="amount", by="team")
        pd.testing.assert_frame_equal(part.reset_index(drop=True), own)


# --- edges, days and zones ------------------------------------------------------------------------


def test_a_row_at_the_beginning_of_a_window_is_in_it() -> None:
    orders = log((1, "2024-01-01 10:00"), (1, "2024-01-01 09:59:59"), names=("customer_id", "time"))
    (row,) = rows_of(view(orders, "2024-01-08T10:00", windows=["7D"]))
    assert (row["orders"], row["orders_7d"], row["active_days_7d"]) == (2, 1, 1)


def test_an_order_today_is_a_day_old_at_the_coming_midnight() -> None:
    orders = log((1, "2024-03-05 10:00"), names=("customer_id", "time"))
    (row,) = rows_of(view(orders, "2024-03-06"))
    assert row["recency_days"] == row["tenure_days"] == 1
    (row,) = rows_of(view(orders, "2024-03-05T23:00"))
    assert row["recency_days"] == 0


@pytest.mark.parametrize("day", ["2024-04-03", "2024-10-30"])
def test_days_of_a_window_are_those_of_the_wall_clock(day: str, backend: Backend) -> None:
    # The clocks change on 31 March and 27 October: 168 hours before midnight it is 23:00, or 01:00.
    as_of = datetime.fromisoformat(day).replace(tzinfo=BERLIN)
    edge = as_of - timedelta(7)  # Python subtracts on the wall clock
    rows = [{"customer_id": 1, "time": edge}, {"customer_id": 2, "time": edge - timedelta(hours=1)}]
    orders = backend.make(rows, session="Europe/Berlin")
    table = by_customer(view(orders, day, windows=["7D", "168H"], tz="Europe/Berlin"))
    assert [row["orders_7d"] for row in table] == [1, 0]
    late = day == "2024-10-30"  # the window of hours begins an hour later on the clock
    assert [row["orders_168h"] for row in table] == [0 if late else 1, 0 if late else 1]
    assert [row["recency_days"] for row in table] == [7, 8]


def test_the_name_of_the_zone_does_not_matter() -> None:
    orders = log((1, "2024-03-05 10:00"), (2, "2024-03-20 23:30"), names=("customer_id", "time"))
    tables = [
        view(orders.assign(time=orders["time"].dt.tz_localize(zone)), "2024-04-01")
        for zone in ("Europe/Berlin", "Europe/Paris")
    ]
    pd.testing.assert_frame_equal(*tables)


# --- tables ---------------------------------------------------------------------------------------


@each_but_spark
def test_customers_without_orders_have_zeros_and_nulls(name: str) -> None:
    backend = NAMED[name]
    orders = backend.make([{"customer_id": 1, "time": BEGIN, "amount": 5.0}])
    customers = backend.make([{"customer_id": 2, "country": "de"}])
    first, second = by_customer(
        view(orders, "2024-02-01", amount="amount", customers=customers, windows=["7D"])
    )
    assert (first["in_customers"], first["country"]) == (False, None)
    assert (second["in_customers"], second["country"]) == (True, "de")
    assert (second["orders"], second["amount"], second["orders_7d"]) == (0, 0.0, 0)
    assert second["recency_days"] is second["tenure_days"] is second["orders_change_7d"] is None


def test_who_only_sends_back_has_no_order() -> None:
    orders = log((1, "2024-01-05", -5.0))
    (row,) = rows_of(view(orders, "2024-02-01", amount="amount", windows=["28D"]))
    assert (row["orders"], row["amount"], row["amount_28d"]) == (0, -5.0, -5.0)
    assert (row["active_days_28d"], row["recency_days"]) == (0, None)


def test_a_zero_is_an_order() -> None:
    (row,) = rows_of(view(log((1, "2024-01-05", 0.0)), "2024-02-01", amount="amount"))
    assert (row["orders"], row["recency_days"]) == (1, 27)


def test_an_order_with_lines_on_both_sides_of_an_edge_is_in_both_windows() -> None:
    names = ("customer_id", "time", "order")
    orders = log((1, "2024-01-01", 7), (1, "2024-01-15", 7), (1, "2024-01-16", 8), names=names)
    (row,) = rows_of(view(orders, "2024-01-22", order="order", windows=["7D"]))
    assert (row["orders"], row["orders_7d"]) == (2, 2)
    (row,) = rows_of(view(orders, "2024-01-29", order="order", windows=["14D"]))
    assert (row["orders_14d"], row["orders_change_14d"]) == (2, 1)


def test_a_subscription_that_resumes_later_was_not_known_to() -> None:
    orders = log((1, "2024-01-01"), names=("customer_id", "time"))
    spells = pd.DataFrame({"customer_id": [1, 1], "mrr": 5.0})
    spells["start"] = pd.to_datetime(["2024-01-01", "2024-02-03"])
    spells["end"] = pd.Series([pd.Timestamp("2024-01-31"), pd.NaT])
    options: Row = {"subscriptions": spells, "gap": "7D"}
    (row,) = rows_of(view(orders, "2024-02-02", **options))
    assert (row["subscribed"], row["subscription_days"]) == (False, None)
    (row,) = rows_of(view(orders, "2024-02-10", **options))
    assert (row["subscribed"], row["subscription_days"]) == (True, 40)
    # An end at the instant itself is still ahead, as in `churn_rate`.
    (row,) = rows_of(view(orders, "2024-01-31", **options))
    assert row["subscribed"]


@pytest.mark.parametrize("kind", ["pandas", "polars-lazy", "duckdb"])
def test_of_values_at_one_instant_the_greatest_is_the_latest(kind: str) -> None:
    rows = [{"customer_id": 1, "time": BEGIN, "score": score} for score in (3, 9, 6)]
    orders = NAMED[kind].make(rows)
    sources = {"nps": Source(NAMED[kind].make(rows[::-1]), last="score")}
    with pytest.warns(RetainkitWarning, match="1 customer with several values of column 'score'"):
        table = customer_view(orders, as_of="2024-02-01", sources=sources)
    assert rows_of(table)[0]["nps_score"] == 9


@pytest.mark.parametrize("kind", ["pandas", "polars", "polars-lazy", "duckdb"])
def test_a_source_of_other_people_is_warned_of(kind: str) -> None:
    make = NAMED[kind].make
    orders = make([{"customer_id": one, "time": BEGIN} for one in ("A1", "A2")])
    visits = make([{"customer_id": one, "time": BEGIN} for one in ("a1 ", "a2 ")])
    with pytest.warns(RetainkitWarning, match="no customer of `visits` .'a1 ', 'a2 '.") as caught:
        rows_of(customer_view(orders, as_of="2024-02-01", sources={"visits": visits}))
    assert [one.message.code for one in caught] == ["no_common_customers"]  # type: ignore[union-attr]


@pytest.mark.parametrize("kind", ["pandas", "polars", "polars-lazy", "duckdb"])
def test_subscriptions_of_other_people_are_warned_of(kind: str) -> None:
    make = NAMED[kind].make
    orders = make([{"customer_id": one, "time": BEGIN} for one in ("A1", "A2")])
    later = BEGIN.replace(year=BEGIN.year + 1)
    spells = make([{"customer_id": one, "start": BEGIN, "end": later} for one in ("a1", "a2")])
    with pytest.warns(RetainkitWarning, match="no customer of `subscriptions` .'a1', 'a2'."):
        rows_of(customer_view(orders, as_of="2024-02-01", subscriptions=spells))


def test_rows_after_the_instant_are_counted_table_by_table() -> None:
    orders = log((1, "2024-01-05"), (1, "2024-03-05"), names=("customer_id", "time"))
    with pytest.warns(RetainkitWarning, match="1 of 2 rows of `orders`, 1 of 2 rows of `visits`"):
        customer_view(orders, as_of="2024-02-01", sources={"visits": orders})


def test_an_instant_before_everything_gives_no_rows() -> None:
    orders = log((1, "2024-01-05", 5.0))
    empty, full = (view(orders, day, amount="amount") for day in ("2023-01-01", "2025-01-01"))
    assert len(empty) == 0
    assert empty.dtypes.to_dict() == full.dtypes.to_dict()


def test_an_empty_source_has_its_columns() -> None:
    orders = log((1, "2024-01-05"), names=("customer_id", "time"))
    tickets = orders.assign(solved=orders["time"], score=1, minutes=2.0).head(0)
    source = Source(tickets, closed="solved", last="score", amount="minutes")
    (row,) = rows_of(view(orders, "2024-02-01", sources={"tickets": source}, windows=["7D"]))
    own = {name: value for name, value in row.items() if name.startswith("tickets")}
    assert own == {
        "tickets": 0,
        "tickets_7d": 0,
        "tickets_last_days": None,
        "tickets_minutes": 0.0,
        "tickets_minutes_7d": 0.0,
        "tickets_score": None,
        "tickets_score_days": None,
        "tickets_open": 0,
    }


# --- what is refused ------------------------------------------------------------------------------

ORDERS = log((1, "2024-01-05", 5.0), (2, "2024-01-06", 7.0))
TEXTS = ORDERS.astype({"customer_id": str})


@pytest.mark.parametrize(
    ("options", "error", "match"),
    [
        ({"windows": ["3 months"]}, ArgumentError, "write days, '91D'"),
        ({"windows": ["90D", "90d"]}, ArgumentError, "'90d' more than once"),
        ({"subscription_amount": "mrr"}, ArgumentError, "Give `subscriptions`"),
        ({"sources": {"orders": ORDERS}}, ArgumentError, "column 'orders' would be there twice"),
        ({"sources": {"": ORDERS}}, ArgumentTypeError, "each table needs a name"),
        ({"sources": [ORDERS]}, ArgumentTypeError, "must be a dictionary"),
        ({"customers": ORDERS.rename(columns={"amount": "orders"})}, ArgumentError, "'orders'"),
        ({"customers": pd.concat([ORDERS, ORDERS])}, ArgumentError, "several rows for 2 customers"),
        ({"sources": {"visits": TEXTS}}, ColumnTypeError, "in `visits`"),
        ({"sources": {"visits": pl.from_pandas(ORDERS)}}, ArgumentTypeError, "`visits` by Polars"),
        ({"sources": {"visits": Source(ORDERS, time="at")}}, MissingColumnError, r"visits\.time"),
        ({"by": "team"}, MissingColumnError, "team"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(options: Row, error: type[Exception], match: str) -> None:
    with pytest.raises(error, match=match):
        view(ORDERS, "2024-02-01", **options)


def test_a_source_without_a_zone_beside_one_with_is_named() -> None:
    aware = ORDERS.assign(time=ORDERS["time"].dt.tz_localize("UTC"))
    with pytest.raises(ArgumentError, match="column 'time' of `visits` has the time zone 'UTC'"):
        view(ORDERS, "2024-02-01", sources={"visits": aware})


def test_a_customer_of_several_segments_is_refused_where_that_was_known() -> None:
    orders = ORDERS.assign(team=["a", "b"])
    moved = pd.concat([orders, orders.assign(team="c", time=pd.Timestamp("2024-03-01"))])
    assert rows_of(view(moved, "2024-02-01", by="team"))[0]["team"] == "a"
    with pytest.raises(ArgumentError, match="several values for 2 customers"):
        view(moved, "2024-04-01", by="team")


def test_nulls_are_counted_table_by_table() -> None:
    visits = pd.DataFrame({"customer_id": [1, None], "time": pd.Timestamp("2024-01-05")})
    with pytest.raises(ArgumentError, match=r"visits\.customer"):
        view(ORDERS, "2024-02-01", sources={"visits": visits})
    with pytest.warns(RetainkitWarning, match="visits: .*1 row"):
        customer_view(ORDERS, as_of="2024-02-01", sources={"visits": visits}, missing="drop")


def test_duckdb_tables_of_two_connections_are_named() -> None:
    duckdb = pytest.importorskip("duckdb")
    connections = [duckdb.connect() for _ in range(2)]
    one, other = (connection.from_df(ORDERS) for connection in connections)
    with pytest.raises(ArgumentTypeError, match="`visits` by another connection"):
        view(one, "2024-02-01", sources={"visits": other})


# --- ids of several types -------------------------------------------------------------------------


def logged(ids: Any) -> Any:
    return pd.DataFrame({"customer_id": ids, "time": pd.Timestamp("2024-01-05")})


def test_ids_that_are_whole_floats_are_the_integers() -> None:
    orders, visits = logged([1, 2]), logged([2.0, 3.0])
    table = view(orders, "2024-02-01", sources={"visits": visits}, windows=[])
    assert rows_of(table[["customer_id", "orders", "visits"]]) == [
        {"customer_id": 1, "orders": 1, "visits": 0},
        {"customer_id": 2, "orders": 1, "visits": 1},
        {"customer_id": 3, "orders": 0, "visits": 1},
    ]
    assert table["customer_id"].dtype == "int64"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ([2**53, 2**53 + 1], [2.0**53]),
        ([1, 2], [2.0**60]),
        (np.array([2**64 - 1, 3], "uint64"), [-1, 3]),
    ],
)
def test_ids_that_no_common_type_keeps_apart_are_refused(one: Any, other: Any) -> None:
    with pytest.raises(ColumnTypeError, match="what `customer` names"):
        view(logged(one), "2024-02-01", sources={"visits": logged(other)})


def test_both_kinds_of_strings_of_pyarrow_are_one() -> None:
    orders = pa.Table.from_pandas(logged(["1", "2"]), preserve_index=False)
    texts = [orders["customer_id"].cast(kind) for kind in (pa.string(), pa.large_string())]
    one, other = (orders.set_column(0, "customer_id", text) for text in texts)
    table = view(one, "2024-02-01", sources={"visits": other}, windows=[])
    assert table["visits"].to_pylist() == [1, 1]
