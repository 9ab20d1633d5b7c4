"""The door of subscription tables: what is refused, what is set aside, what becomes of the rest."""
# ruff: noqa: DTZ001 - naive times on purpose

import math
import warnings
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import narwhals.stable.v2 as nw
import pandas as pd
import polars as pl
import pytest

from backends import Backend
from retainkit._inputs.subscriptions import (
    SubscriptionOptions,
    Subscriptions,
    read_subscriptions,
)
from retainkit.errors import (
    ArgumentError,
    ArgumentTypeError,
    ColumnTypeError,
    MissingColumnError,
    RetainkitWarning,
)
from tables import Row, rows_of

JAN, FEB, MAR, APR = (datetime(2024, month, 1) for month in range(1, 5))
ROWS: list[Row] = [
    {"who": "ann", "begin": JAN, "finish": MAR, "mrr": 10.0, "money": "EUR", "plan": "a"},
    {"who": "bob", "begin": FEB, "finish": None, "mrr": 0.0, "money": "EUR", "plan": None},
    {"who": "cyd", "begin": MAR, "finish": APR, "mrr": 2.5, "money": "USD", "plan": "a"},
]
LIKE = ROWS[0]
NAMES: dict[str, Any] = {"customer": "who", "start": "begin", "end": "finish"}


def opened(native: Any, **options: Any) -> Subscriptions:
    given = SubscriptionOptions(**(NAMES | {"as_of": "2024-05-01"} | options))
    return read_subscriptions(native, given)


def changed(index: int, **values: Any) -> list[Row]:
    return [row | values if i == index else row for i, row in enumerate(ROWS)]


def table_of(native: Any) -> list[Row]:
    frame = nw.from_native(native)
    if isinstance(frame, nw.LazyFrame):
        frame = frame.collect()
    return rows_of(frame.to_native())


def rows_in(found: Subscriptions) -> list[Row]:
    return sorted(table_of(found.rows.to_native()), key=lambda row: str(row["customer"]))


# --- what comes in --------------------------------------------------------------------------


def test_columns_are_named_for_their_arguments(backend: Backend) -> None:
    # The only row that runs is the only one without a plan.
    with pytest.warns(RetainkitWarning, match="is null wherever a subscription runs"):
        found = opened(backend.make(ROWS, like=LIKE), amount="mrr", by="plan")
    assert rows_in(found) == [
        {
            "customer": "ann",
            "start": date(2024, 1, 1),
            "end": date(2024, 3, 1),
            "amount": 10.0,
            "by_0": "a",
        },
        {"customer": "bob", "start": date(2024, 2, 1), "end": None, "amount": 0.0, "by_0": None},
        {
            "customer": "cyd",
            "start": date(2024, 3, 1),
            "end": date(2024, 4, 1),
            "amount": 2.5,
            "by_0": "a",
        },
    ]
    assert (found.n_rows, found.by, found.keys) == (3, ("plan",), ["by_0"])
    assert found.columns == ["customer", "start", "end", "amount", "by_0"]
    assert (found.missing, found.empty, found.late, found.cut, found.free) == (0, 0, 0, 0, 1)
    assert (found.zone, str(found.end_of_observation)) == (None, "2024-05-01")


def test_dates_are_their_midnights(backend: Backend) -> None:
    rows = [
        {key: value.date() if isinstance(value, datetime) else value for key, value in row.items()}
        for row in ROWS
    ]
    assert rows_in(opened(backend.make(rows))) == rows_in(opened(backend.make(ROWS, like=LIKE)))


def test_a_column_of_ends_that_are_all_null_is_of_no_type(backend: Backend) -> None:
    running = [row | {"finish": None} for row in ROWS]
    found = opened(backend.make(running, like=LIKE))
    assert [row["end"] for row in rows_in(found)] == [None] * 3


@pytest.mark.parametrize(
    "table",
    [
        pd.DataFrame({"who": [1], "begin": [JAN], "finish": [None]}),
        pd.DataFrame({"who": [1], "begin": [JAN], "finish": [math.nan]}),
        pl.DataFrame({"who": [1], "begin": [JAN], "finish": [None]}),
        pl.LazyFrame({"who": [1], "begin": [JAN], "finish": [None]}),
        pl.DataFrame({"who": [1], "begin": [JAN], "finish": [None]}).to_arrow(),
        pl.DataFrame({"who": [1], "begin": [JAN], "finish": [None]}).cast({"finish": pl.String}),
    ],
    ids=["objects", "floats", "polars", "polars-lazy", "pyarrow", "strings"],
)
def test_nothing_but_nulls_runs_whatever_the_type(table: Any) -> None:
    (row,) = rows_in(opened(table))
    assert (row["start"], row["end"]) == (date(2024, 1, 1), None)


@pytest.mark.slow
@pytest.mark.parametrize("start", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("end", ["s", "ms", "us", "ns"])
def test_units_of_time_may_differ(start: str, end: str) -> None:
    table = pd.DataFrame(ROWS).astype(
        {"begin": f"datetime64[{start}]", "finish": f"datetime64[{end}]"}
    )
    assert rows_in(opened(table)) == rows_in(opened(pd.DataFrame(ROWS)))
    if {start, end} & {"s"}:
        return
    found = opened(pl.from_pandas(table).to_arrow())
    assert rows_in(found) == rows_in(opened(pd.DataFrame(ROWS)))
    schema = found.rows.collect_schema()
    assert schema["start"] == schema["end"] == nw.Datetime("us")


def test_aware_times_may_be_in_different_zones() -> None:
    begin = pd.Series([JAN]).dt.tz_localize("Europe/Berlin")
    finish = pd.Series([MAR]).dt.tz_localize("America/New_York")
    for table in (
        pd.DataFrame({"who": [1], "begin": begin, "finish": finish}),
        pl.DataFrame({"who": [1], "begin": begin, "finish": finish}),
    ):
        found = opened(table)
        assert found.zone == ZoneInfo("Europe/Berlin")
        (row,) = nw.from_native(found.rows.to_native()).rows(named=True)
        instants = [one[0].tz_convert("UTC").tz_localize(None) for one in (begin, finish)]
        assert [row["start"], row["end"]] == instants


# --- what is refused ------------------------------------------------------------------------


def test_a_missing_column_is_named(backend: Backend) -> None:
    table = backend.make(ROWS, like=LIKE)
    for argument, column in {"customer": "whom", "start": "started", "end": "ends"}.items():
        with pytest.raises(MissingColumnError, match=f"`{argument}` needs the column '{column}'"):
            opened(table, **{argument: column})
    with pytest.raises(MissingColumnError, match="`amount` needs the column 'price'"):
        opened(table, amount="price")


def test_text_is_no_date(backend: Backend) -> None:
    rows = [row | {"begin": str(row["begin"]), "finish": str(row["finish"])} for row in ROWS]
    with pytest.raises(ColumnTypeError, match=r"'begin' \(given as `start`\) .* must hold dates"):
        opened(backend.make(rows))
    mixed = [row | {"finish": str(row["finish"])} for row in ROWS]
    with pytest.raises(ColumnTypeError, match=r"'finish' \(given as `end`\) .* must hold dates"):
        opened(backend.make(mixed))


def test_naive_and_aware_times_do_not_mix() -> None:
    table = pd.DataFrame({"who": [1], "begin": [JAN], "finish": pd.to_datetime([MAR], utc=True)})
    match = r"'begin' \(given as `start`\) has no time zone and column 'finish' \(given as"
    with pytest.raises(ArgumentError, match=match):
        opened(table)
    with pytest.raises(ArgumentError, match="`tz` is 'UTC', but column 'begin'"):
        opened(pd.DataFrame(ROWS), tz="UTC")
    with pytest.raises(ArgumentTypeError, match="`tz` is 1; it must be the name"):
        opened(pd.DataFrame(ROWS), tz=1)
    with pytest.raises(ArgumentError, match=r"`as_of` is .* which has a time zone"):
        opened(pd.DataFrame(ROWS), as_of="2024-05-01T00:00Z")


def test_a_row_without_an_entry_stays_where_others_are_left_out(backend: Backend) -> None:
    rows = [row | {"since": MAR if row["who"] == "cyd" else None} for row in changed(0, who=None)]
    with pytest.warns(RetainkitWarning, match=r"is null in 1 row: 1 of 3 rows left out"):
        found = opened(
            backend.make(rows, like=LIKE | {"since": MAR}), entry="since", missing="drop"
        )
    assert [row["entry"] for row in rows_in(found)] == [None, date(2024, 3, 1)]


def test_nulls_are_refused_or_left_out(backend: Backend) -> None:
    table = backend.make(changed(0, who=None), like=LIKE)
    match = r"'who' \(given as `customer`\) is null in 1 row, of 3; for instance start 2024-01-01"
    with pytest.raises(ArgumentError, match=match):
        opened(table)
    with pytest.warns(RetainkitWarning, match=r"is null in 1 row: 1 of 3 rows left out"):
        found = opened(table, missing="drop")
    assert [row["customer"] for row in rows_in(found)] == ["bob", "cyd"]
    assert (found.n_rows, found.missing) == (2, 1)
    table = backend.make(changed(0, begin=None), like=LIKE)
    with pytest.raises(ArgumentError, match=r"`start`\) is null .* for instance customer 'ann'"):
        opened(table)
    with pytest.raises(ArgumentError, match="`missing` is 'skip'"):
        opened(table, missing="skip")


def test_an_end_before_its_start_is_refused(backend: Backend) -> None:
    table = backend.make(changed(2, finish=FEB), like=LIKE)
    match = (
        r"'finish' \(given as `end`\) lies before 'begin' \(given as `start`\) in 1 row, of 3; for "
        r"instance customer 'cyd' \(2024-03-01 00:00:00 to 2024-02-01 00:00:00\)"
    )
    with pytest.raises(ArgumentError, match=match):
        opened(table)


def test_amounts_are_0_or_more(backend: Backend) -> None:
    table = backend.make(changed(0, mrr=-3.0), like=LIKE)
    match = r"'mrr' \(given as `amount`\) is negative in 1 row, of 3, for instance -3.0, for"
    with pytest.raises(ArgumentError, match=match):
        opened(table, amount="mrr")
    with pytest.raises(ArgumentError, match="is infinite in 1 row, of 3, for instance inf"):
        opened(backend.make(changed(0, mrr=math.inf), like=LIKE), amount="mrr")
    for missing in ("raise", "drop"):
        lacking = backend.make(changed(0, mrr=None), like=LIKE)
        match = r"`amount`\) is null in 1 row, of 3; for instance customer 'ann'. Put a value"
        with pytest.raises(ArgumentError, match=match):
            opened(lacking, amount="mrr", missing=missing)
    with pytest.raises(ColumnTypeError, match=r"'plan' \(given as `amount`\) holds"):
        opened(table, amount="plan")


def test_currencies_do_not_mix(backend: Backend) -> None:
    table = backend.make(ROWS, like=LIKE)
    columns = {"amount": "mrr", "currency": "money"}
    with pytest.raises(ArgumentError, match=r"'money' .* has 2 currencies \('EUR', 'USD'\); money"):
        opened(table, **columns)
    found = opened(table, **columns, rates={"EUR": 1, "USD": 0.8, "GBP": 1.2})
    assert [row["amount"] for row in rows_in(found)] == pytest.approx([10, 0, 2])
    one = backend.make([row | {"money": "USD"} for row in ROWS], like=LIKE)
    assert [row["amount"] for row in rows_in(opened(one, **columns))] == [10, 0, 2.5]
    with pytest.raises(ArgumentError, match=r"`rates` has no rate for 'USD', which column 'money'"):
        opened(table, **columns, rates={"EUR": 1})
    with pytest.raises(ArgumentError, match=r"`rates\['USD'\]` is -1"):
        opened(table, **columns, rates={"EUR": 1, "USD": -1})
    with pytest.raises(ArgumentTypeError, match=r"`rates` is 0\.8; it must be a mapping"):
        opened(table, **columns, rates=0.8)
    with pytest.raises(ArgumentError, match=r"`currency`\) is null in 1 row"):
        opened(backend.make(changed(1, money=None), like=LIKE), **columns)


# --- what is set aside ------------------------------------------------------------------------


def test_what_has_no_length_is_set_aside(backend: Backend) -> None:
    table = backend.make(changed(0, finish=JAN), like=LIKE)
    with pytest.warns(RetainkitWarning, match="^1 of 3 rows end as they start and are not used"):
        found = opened(table)
    assert [row["customer"] for row in rows_in(found)] == ["bob", "cyd"]
    assert (found.n_rows, found.empty) == (2, 1)


def test_what_starts_too_late_is_set_aside_and_what_ends_so_runs(backend: Backend) -> None:
    table = backend.make(ROWS, like=LIKE)
    with pytest.warns(RetainkitWarning, match=r"^1 of 3 rows start at or after as_of \(2024-03-01"):
        found = opened(table, as_of="2024-03-01")
    assert [(row["customer"], row["end"]) for row in rows_in(found)] == [
        ("ann", None),
        ("bob", None),
    ]
    assert (found.n_rows, found.late, found.cut) == (2, 1, 1)


def test_by_default_observation_ends_with_the_day_of_the_last_start(backend: Backend) -> None:
    table = backend.make(changed(2, begin=MAR + timedelta(hours=9)), like=LIKE)
    with pytest.warns(RetainkitWarning, match=r"^1 of 3 rows end at or after 2024-03-02, the midn"):
        found = read_subscriptions(table, SubscriptionOptions(**NAMES))
    assert str(found.end_of_observation) == "2024-03-02"
    assert [row["end"] for row in rows_in(found)] == [date(2024, 3, 1), None, None]


def test_an_end_of_times_is_one_that_runs(backend: Backend) -> None:
    # The last day that nanoseconds reach stands for the end of times; so does that of the calendar.
    table = backend.make(changed(0, finish=datetime(2262, 4, 11)), like=LIKE)
    assert [row["end"] for row in rows_in(opened(table))] == [None, None, date(2024, 4, 1)]
    if backend.name.startswith("pandas"):
        return  # before pandas 3 times are made in nanoseconds
    table = backend.make(changed(0, finish=datetime(9999, 12, 31, 23, 59, 59)), like=LIKE)
    assert [row["end"] for row in rows_in(opened(table))] == [None, None, date(2024, 4, 1)]


def test_counts_do_not_overlap() -> None:
    # An empty row of nothing that starts too late is empty; what starts too late is not cut.
    table = pd.DataFrame(
        [
            {"who": 1, "begin": APR, "finish": APR, "mrr": 0.0},
            {"who": 2, "begin": APR, "finish": None, "mrr": 0.0},
            {"who": 3, "begin": JAN, "finish": APR, "mrr": 0.0},
            {"who": 4, "begin": JAN, "finish": FEB, "mrr": 1.0},
            {"who": 5, "begin": JAN, "finish": JAN, "mrr": 0.0},
        ]
    )
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        found = opened(table, as_of="2024-03-01", amount="mrr")
    assert [str(one.message)[:24] for one in caught] == [
        "2 of 5 rows end as they ",
        "1 of 5 rows start at or ",
    ]
    assert (found.n_rows, found.empty, found.late, found.cut, found.free) == (2, 2, 1, 1, 1)
    assert [row["customer"] for row in rows_in(found)] == [3, 4]


def test_segments_are_named_once() -> None:
    table = pd.DataFrame(ROWS)
    with pytest.raises(ArgumentError, match="`by` names the column 'plan', which is also the name"):
        opened(table, by="plan", reserved=("plan",))
    with pytest.raises(ArgumentError, match="more than once"):
        opened(table, by=["plan", "plan"])
    with pytest.raises(ColumnTypeError, match=r"'who' \(given as `customer`\) holds int and str"):
        opened(table.assign(who=["ann", 1, 2]))
