"""UUIDs of Arrow's own type as ids: the same answers as for text, and ids as they were given."""

import uuid
import warnings
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

from registry import PURCHASES, REGISTRY, Entry
from retainkit import cohort_members, cohort_retention, nps, plot, purchase_regularity, rfm_summary
from retainkit.errors import ArgumentError, RetainkitWarning
from tables import Row, rows_of

pytestmark = pytest.mark.skipif(not hasattr(pa, "uuid"), reason="PyArrow has UUIDs since 18")

KINDS = ["pyarrow", "pandas-pyarrow"]
WITH_IDS = [name for name, one in REGISTRY.items() if one.tables and one.ids]
each_kind = pytest.mark.parametrize("kind", KINDS)


def of(number: object) -> uuid.UUID:
    return uuid.uuid5(uuid.NAMESPACE_OID, str(number))


def table(rows: list[Row], ids: tuple[str, ...], kind: str, *, as_text: bool = False) -> Any:
    """Make a table of rows in which each id is a UUID."""
    columns = {name: pa.array([row[name] for row in rows]) for name in rows[0]}
    for name in {*ids} & columns.keys():
        known = [None if row[name] is None else of(row[name]) for row in rows]
        if as_text:
            columns[name] = pa.array([one and str(one) for one in known], pa.string())
        else:
            columns[name] = pa.array([one and one.bytes for one in known], pa.uuid())
    made = pa.table(columns)
    return made if kind == "pyarrow" else made.to_pandas(types_mapper=pd.ArrowDtype)


def call(entry: Entry, kind: str, *, as_text: bool) -> Any:
    tables = {
        name: table(rows, entry.ids, kind, as_text=as_text) for name, rows in entry.tables.items()
    }
    more = {"respondent": "respondent"} if "respondent" in {*entry.columns} & {*entry.ids} else {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RetainkitWarning)
        return entry.function(**tables, **(more | entry.options))


def plain(value: object) -> object:
    """Return text for a UUID, which pandas has as its bytes."""
    return str(uuid.UUID(bytes=value)) if isinstance(value, bytes) else value


def comparable(result: Any, ids: tuple[str, ...]) -> list[str]:
    """Return the rows of a result as texts, of UUIDs as of text."""
    rows = rows_of(result)
    own = [
        {name: str(plain(value)) if name in ids else value for name, value in row.items()}
        for row in rows
    ]
    return sorted(map(repr, own))


@each_kind
@pytest.mark.parametrize("name", WITH_IDS)
def test_uuids_give_the_answers_of_their_text(name: str, kind: str) -> None:
    entry = REGISTRY[name]
    found = call(entry, kind, as_text=False)
    expected = call(entry, kind, as_text=True)
    if entry.result == "value":
        return
    if not hasattr(found, "columns"):  # a report or weights, which have tables
        return
    assert comparable(found, entry.ids) == comparable(expected, entry.ids)


@each_kind
@pytest.mark.parametrize(
    "name", [name for name in WITH_IDS if REGISTRY[name].result == "customers"]
)
def test_uuids_come_back_as_they_were_given(name: str, kind: str) -> None:
    entry = REGISTRY[name]
    found = call(entry, kind, as_text=False)
    own = [
        one for one in entry.ids if one in list(found.schema.names if kind == "pyarrow" else found)
    ]
    assert own
    for one in own:
        dtype = (
            found.schema.field(one).type if kind == "pyarrow" else found[one].dtype.pyarrow_dtype
        )
        assert dtype == pa.uuid(), one


ORDERS: list[Row] = [
    {"customer_id": who, "time": pd.Timestamp(day), "plan": plan}
    for who, day, plan in [
        ("ann", "2024-01-05", "x"),
        ("bob", "2024-01-20", "y"),
        ("ann", "2024-02-03", "x"),
    ]
]


@each_kind
def test_rows_of_uuids_are_in_order_whatever_the_order_of_the_input(kind: str) -> None:
    options: Row = {"as_of": "2024-04-01"}
    one = rfm_summary(table(ORDERS, ("customer_id",), kind), **options)
    other = rfm_summary(table(ORDERS[::-1], ("customer_id",), kind), **options)
    assert rows_of(one) == rows_of(other)


@each_kind
def test_segments_that_are_uuids_come_as_text(kind: str) -> None:
    found = rows_of(cohort_retention(table(ORDERS, ("plan",), kind), by="plan", as_of="2024-04-01"))
    assert {row["plan"] for row in found} == {str(of("x")), str(of("y"))}
    answers: list[Row] = [{"score": score, "team": team} for score, team in [(10, "x"), (3, "y")]]
    have = {
        row["team"]: row["nps"] for row in rows_of(nps(table(answers, ("team",), kind), by="team"))
    }
    assert have == {str(of("x")): 100, str(of("y")): -100}


@each_kind
def test_errors_show_uuids_as_such(kind: str) -> None:
    twice = [*ORDERS, ORDERS[1] | {"plan": "x"}]
    with pytest.raises(ArgumentError, match="1 customer, such as") as caught:
        rfm_summary(table(twice, ("customer_id",), kind), by="plan")
    assert repr(of("bob")) in str(caught.value)
    refunds = [row | {"amount": -5.0} for row in ORDERS[1:2]]
    with pytest.raises(ArgumentError, match="-5 of customer") as caught:
        rfm_summary(table(refunds, ("customer_id",), kind), amount="amount")
    assert repr(of("bob")) in str(caught.value)


@each_kind
def test_a_history_is_found_by_a_uuid(kind: str) -> None:
    pytest.importorskip("matplotlib")
    orders = table(ORDERS, ("customer_id",), kind)
    drawn = plot.customer_history(orders, PURCHASES, customer_id=of("ann"))
    assert "2 days with a purchase" in " ".join(drawn.get_xlabel().split())
    with pytest.raises(ArgumentError, match="is in no row of column") as caught:
        plot.customer_history(orders, PURCHASES, customer_id=of("cyd"))
    assert repr(of("bob")) in str(caught.value)


@pytest.mark.parametrize("metric", [purchase_regularity, cohort_members, cohort_retention])
def test_an_empty_table_need_have_no_type_of_ids(metric: Any) -> None:
    times = pa.array([], pa.timestamp("us"))
    found = metric(pa.table({"customer_id": pa.nulls(0), "time": times}))
    if metric is cohort_members:
        assert found.num_rows == 0
        assert found.column_names == ["customer_id", "cohort", "age", "retained"]
