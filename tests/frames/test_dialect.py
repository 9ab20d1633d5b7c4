"""What errors say of a column of the wrong type: a line of code that its library runs."""

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from retainkit import cohort_retention, nps
from retainkit.errors import ArgumentError, ColumnTypeError
from tables import rows_of

CONNECTION = duckdb.connect()
WHEN = [datetime(2024, 1, 5, 12), datetime(2024, 2, 7, 12), datetime(2024, 1, 9, 12)]  # noqa: DTZ001
DAYS = [datetime(2024, 1, 5), datetime(2024, 2, 7), datetime(2024, 1, 9)]  # noqa: DTZ001
IDS = [1, 1, 2]
SECONDS = [int((one - datetime(1970, 1, 1)).total_seconds()) for one in WHEN]  # noqa: DTZ001


def in_duckdb(columns: dict[str, Any]) -> Any:
    return CONNECTION.from_arrow(pa.table(columns))


def converted(frame: Any, column: str, line: str) -> Any:
    """Return a frame with a column made by a line of code."""
    if isinstance(frame, duckdb.DuckDBPyRelation):
        return frame.select(f'* REPLACE ({line} AS "{column}")')
    names = {"df": frame, "table": frame, "pandas": pd, "pl": pl, "pa": pa, "pc": pc}
    values = eval(line, names)  # noqa: S307  it is our own
    if isinstance(frame, pd.DataFrame):
        return frame.assign(**{column: values})
    if isinstance(frame, pa.Table):
        return frame.set_column(frame.column_names.index(column), column, values)
    return frame.with_columns(values.alias(column))


MAKERS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "pandas": pd.DataFrame,
    "polars": pl.DataFrame,
    "polars-lazy": pl.LazyFrame,
    "pyarrow": pa.table,
    "duckdb": in_duckdb,
}
each_library = pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)


def advice(call: Callable[[], Any]) -> tuple[str, str]:
    """Return the text of an error, and the line of code in it."""
    with pytest.raises((ColumnTypeError, ArgumentError)) as caught:
        call()
    found = re.search(r"for instance with (.*?)\.(?: Answers in words.*)?$", str(caught.value))
    assert found is not None, caught.value
    return str(caught.value), found.group(1)


TIMES: dict[str, tuple[list[Any], list[datetime], str]] = {
    "text": ([str(one) for one in WHEN], WHEN, "parse or convert it first"),
    "seconds": (SECONDS, WHEN, "look like seconds since 1970"),
    "milliseconds": ([one * 1000 for one in SECONDS], WHEN, "look like milliseconds"),
    "microseconds": ([one * 10**6 for one in SECONDS], WHEN, "look like microseconds"),
    "nanoseconds": ([one * 10**9 for one in SECONDS], WHEN, "look like nanoseconds"),
    "digits": ([20240105, 20240207, 20240109], DAYS, "such as 20240131"),
}


@each_library
@pytest.mark.parametrize(("values", "times", "text"), TIMES.values(), ids=TIMES)
def test_times_are_read_by_the_line_that_the_error_gives(
    make: Callable[..., Any], values: list[Any], times: list[datetime], text: str
) -> None:
    frame = make({"customer_id": IDS, "time": values})
    message, line = advice(lambda: cohort_retention(frame))
    assert text in message
    assert ("pandas" in line) == isinstance(frame, pd.DataFrame)
    wanted = rows_of(cohort_retention(make({"customer_id": IDS, "time": times})))
    assert rows_of(cohort_retention(converted(frame, "time", line))) == wanted


NUMBERS: dict[str, list[str]] = {
    "plain": ["1234.50", "-12.00", "7.25"],
    "dollars": ["$1,234.50", "-$12.00", "$7.25"],
    "thousands": ["1,234.50", "-12.00", "7.25"],
    "comma": ["1.234,50", "-12,00", "7,25"],
    "euros": ["1.234,50 €", "-12,00 €", "7,25 €"],
    "brackets": ["1,234.50", "(12.00)", "7.25"],
    "brackets and dollars": ["$1,234.50", "($12.00)", "$7.25"],
    "dollars in brackets": ["$1,234.50", "$(12.00)", "$7.25"],
    "minus sign": ["1234.50", "\u221212.00", "7.25"],
    "minus behind": ["1,234.50", "12.00-", "7.25"],
    "minus sign and comma": ["1.234,50 €", "\u221212,00 €", "7,25 €"],
    "minus behind and comma": ["1.234,50", "12,00-", "7,25"],
    "brackets and comma": ["1.234,50 EUR", "(12,00 EUR)", "7,25 EUR"],
    "Swiss": ["CHF 1'234.50", "CHF -12.00", "CHF 7.25"],
}


@each_library
@pytest.mark.parametrize("values", NUMBERS.values(), ids=NUMBERS)
def test_numbers_in_words_are_read_by_the_line_that_the_error_gives(
    make: Callable[..., Any], values: list[str]
) -> None:
    frame = make({"customer_id": IDS, "time": WHEN, "amount": values})
    # Of February, too, which a refund leaves without a visit.
    options: dict[str, Any] = {"amount": "amount", "amounts": "net", "as_of": "2024-03-01"}
    _, line = advice(lambda: cohort_retention(frame, **options))
    assert ("pandas" in line) == isinstance(frame, pd.DataFrame)
    plain = make({"customer_id": IDS, "time": WHEN, "amount": [1234.5, -12.0, 7.25]})
    wanted = rows_of(cohort_retention(plain, **options))
    assert rows_of(cohort_retention(converted(frame, "amount", line), **options)) == wanted


@each_library
@pytest.mark.parametrize(
    "values",
    [["12.00 CR", "7.25 DR"], ["12.00CR", "7.25"], ["Rs. 500", "Rs. 7"], ["12 apples", "7 pears"]],
)
def test_no_line_is_given_that_would_read_another_number(
    make: Callable[..., Any], values: list[str]
) -> None:
    frame = make({"customer_id": IDS[:2], "time": WHEN[:2], "amount": values})
    with pytest.raises(ColumnTypeError) as caught:
        cohort_retention(frame, amount="amount")
    text = str(caught.value)
    assert "for instance with" not in text
    assert f"such as {values[0]!r}" in text


@each_library
@pytest.mark.parametrize(
    "values",
    [["$12.00", "€7.25"], ["12.00 EUR", "7.25 USD"], ["CA$12.00", "$7.25"], ["7", "£3", "4 kr"]],
)
def test_no_line_is_given_that_would_add_currencies_up(
    make: Callable[..., Any], values: list[str]
) -> None:
    amounts = (values * 3)[:3]
    frame = make({"customer_id": IDS, "time": WHEN, "amount": amounts})
    with pytest.raises(ColumnTypeError, match="are of several currencies") as caught:
        cohort_retention(frame, amount="amount")
    text = str(caught.value)
    assert "for instance with" not in text
    first, second = [one for one in values if not one.isdigit()]
    assert f"such as {first!r} and {second!r}" in text


@each_library
def test_answers_in_words_are_read_by_the_line_that_the_error_gives(
    make: Callable[..., Any],
) -> None:
    frame = make({"score": ["10", "9", "3"]})
    _, line = advice(lambda: nps(frame))
    assert rows_of(nps(converted(frame, "score", line))) == rows_of(
        nps(make({"score": [10, 9, 3]}))
    )


@each_library
def test_flags_and_zones_have_their_line(make: Callable[..., Any]) -> None:
    words = ["purchase", "visit", "purchase"]
    frame = make({"customer_id": IDS, "time": WHEN, "event": words})
    _, line = advice(lambda: cohort_retention(frame, started="event"))
    wanted = make({"customer_id": IDS, "time": WHEN, "event": [one == "purchase" for one in words]})
    found = cohort_retention(converted(frame, "event", line), started="event")
    assert rows_of(found) == rows_of(cohort_retention(wanted, started="event"))
    _, line = advice(lambda: cohort_retention(frame, tz="Asia/Tokyo"))
    rows = rows_of(cohort_retention(converted(frame, "time", line), tz="Asia/Tokyo"))
    assert rows == rows_of(cohort_retention(frame))


@each_library
def test_text_that_is_no_number_is_not_taken_for_one(make: Callable[..., Any]) -> None:
    frame = make({"customer_id": IDS, "time": WHEN, "amount": ["many", "few", "none"]})
    text, _ = advice(lambda: cohort_retention(frame, amount="amount"))
    assert "replace" not in text
