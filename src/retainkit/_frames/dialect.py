"""Lines of code that convert a column, as users of its library write them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, TypeAlias

import narwhals.stable.v2 as nw

from retainkit._frames.input import Frame, collect
from retainkit._frames.names import outer_name, quoted
from retainkit._frames.plain_types import StandsFor

# In pandas, Polars, PyArrow, DuckDB and PySpark; {c} is the column as each of them writes it.
_Lines: TypeAlias = tuple[str, str, str, str, str]

_COLUMNS: _Lines = (
    "df[{name!r}]",
    "pl.col({name!r})",
    "table[{name!r}]",
    "{sql}",
    "F.col({name!r})",
)
_TEXT: _Lines = (
    "{c}.astype(str)",
    "{c}.cast(pl.String)",
    "pc.cast({c}, pa.string())",
    "CAST({c} AS VARCHAR)",
    "{c}.cast('string')",
)
_FLAG: _Lines = (
    "df['event'] == 'purchase'",
    "pl.col('event') == 'purchase'",
    "pc.equal(table['event'], 'purchase')",
    "\"event\" = 'purchase'",
    "F.col('event') == 'purchase'",
)
_NUMBER: _Lines = (
    "pandas.to_numeric({c})",
    "{c}.cast(pl.Float64)",
    "pc.cast({c}, pa.float64())",
    "CAST({c} AS DOUBLE)",
    "{c}.cast('double')",
)
# $1,234.50
_POINT: _Lines = (
    "pandas.to_numeric({c}.str.replace('[^0-9.-]', '', regex=True))",
    "{c}.str.replace_all('[^0-9.-]', '').cast(pl.Float64)",
    "pc.cast(pc.replace_substring_regex({c}, '[^0-9.-]', ''), pa.float64())",
    "CAST(regexp_replace({c}, '[^0-9.-]', '', 'g') AS DOUBLE)",
    "F.regexp_replace({c}, '[^0-9.-]', '').cast('double')",
)
# 1.234,50
_PANDAS_DIGITS = "{c}.str.replace('[^0-9,-]', '', regex=True)"
_PYARROW_DIGITS = "pc.replace_substring_regex({c}, '[^0-9,-]', '')"
_COMMA: _Lines = (
    f"pandas.to_numeric({_PANDAS_DIGITS}.str.replace(',', '.', regex=False))",
    "{c}.str.replace_all('[^0-9,-]', '').str.replace(',', '.', literal=True).cast(pl.Float64)",
    f"pc.cast(pc.replace_substring({_PYARROW_DIGITS}, ',', '.'), pa.float64())",
    "CAST(replace(regexp_replace({c}, '[^0-9,-]', '', 'g'), ',', '.') AS DOUBLE)",
    "F.regexp_replace(F.regexp_replace({c}, '[^0-9,-]', ''), ',', '.').cast('double')",
)
# (12.00), \u221212.00 and 12.00-, whose sign comes first
_SIGN = "'^(.*)[(\u2212-](.*)$'"
_SIGN_FIRST: _Lines = (
    f"{{c}}.str.replace({_SIGN}, r'-\\1\\2', regex=True)",
    f"{{c}}.str.replace({_SIGN}, '-${{1}}${{2}}')",
    f"pc.replace_substring_regex({{c}}, {_SIGN}, r'-\\1\\2')",
    f"regexp_replace({{c}}, {_SIGN}, '-\\1\\2')",
    f"F.regexp_replace({{c}}, {_SIGN}, '-$1$2')",
)
_TIME: _Lines = (
    "pandas.to_datetime({c})",
    "{c}.str.to_datetime()",
    "pc.cast({c}, pa.timestamp('us'))",
    "CAST({c} AS TIMESTAMP)",
    "F.to_timestamp({c})",
)
# 20240131
_DIGITS: _Lines = (
    "pandas.to_datetime({c}.astype(str), format='%Y%m%d')",
    "{c}.cast(pl.String).str.to_datetime('%Y%m%d')",
    "pc.strptime(pc.cast({c}, pa.string()), '%Y%m%d', 'us')",
    "strptime(CAST({c} AS VARCHAR), '%Y%m%d')",
    "F.to_timestamp({c}.cast('string'), 'yyyyMMdd')",
)
# Since 1970, by the unit and the number of seconds in it.
_SINCE_1970: dict[str, tuple[float, _Lines]] = {
    unit: (
        seconds,
        (
            f"pandas.to_datetime({{c}}, unit={unit!r})",
            f"pl.from_epoch({{c}}, time_unit={unit!r})",
            f"pc.cast({{c}}, pa.timestamp({unit!r}))",
            duckdb,
            spark,
        ),
    )
    for unit, seconds, duckdb, spark in (
        ("s", 1.0, "make_timestamp({c} * 1000000)", "F.timestamp_seconds({c})"),
        ("ms", 1e-3, "make_timestamp({c} * 1000)", "F.timestamp_millis({c})"),
        ("us", 1e-6, "make_timestamp({c})", "F.timestamp_micros({c})"),
        ("ns", 1e-9, "make_timestamp_ns({c})", "F.timestamp_micros(({c} / 1000).cast('long'))"),
    )
}
_ZONE: _Lines = (
    "{c}.dt.tz_localize('UTC')",
    "{c}.dt.replace_time_zone('UTC')",
    "pc.assume_timezone({c}, 'UTC')",
    "{c} AT TIME ZONE 'UTC'",
    "F.to_utc_timestamp({c}, 'UTC')",
)
_WORDS = {"s": "seconds", "ms": "milliseconds", "us": "microseconds", "ns": "nanoseconds"}
_SECONDS = (3e8, 5e9)  # 1979 to 2128
_SHOWN = 100  # values that are looked at


def conversion(frame: Frame, column: str, stands_for: StandsFor) -> str:
    """Return how to convert a column, by its own name in the frame, with a line of code."""
    values = _some_values(frame, column)
    what, lines = "convert it first", [_TEXT]
    if stands_for == "flags":
        what, lines = "make one first", [_FLAG]
    elif stands_for == "times":
        what, line = _time_lines(values)
        lines = [line]
    elif stands_for in {"numbers", "counts"}:
        odd = _odd_text(values)
        if odd is not None:
            return f"values such as {odd!r} are not written as numbers are: make some first"
        several = _of_several_currencies(values)
        if several:
            examples = " and ".join(map(repr, several[:2]))
            return f"values such as {examples} are of several currencies: convert them to one first"
        lines = _number_lines(values)
    return f"{what}, for instance with {_write(frame, lines, outer_name(column))}"


def localized(frame: Frame, column: str, zone: str) -> str:
    """Return how to say that the times of a column are in a zone."""
    return _write(frame, [_ZONE], column).replace("UTC", zone)


def _write(frame: Frame, steps: Sequence[_Lines], column: str) -> str:
    """Return a line of code: steps from a column on, each around the one before it."""
    engine = frame.implementation
    kinds = (engine.is_pandas(), engine.is_polars(), engine.is_pyarrow(), engine.is_duckdb(), True)
    place = kinds.index(True)
    written = _COLUMNS[place].format(name=column, sql=quoted(column))
    for lines in steps:
        written = lines[place].replace("{c}", written)
    return written


def _some_values(frame: Frame, column: str) -> list[Any]:
    known = frame.filter(~nw.col(column).is_null()).select(value=nw.col(column))
    return collect(known.head(_SHOWN))["value"].to_list()


def _time_lines(values: Sequence[Any]) -> tuple[str, _Lines]:
    """Return what numbers look like as times, and the lines that read them, or text."""
    numbers = [one for one in values if isinstance(one, (int, float)) and one == one]  # noqa: PLR0124
    if not numbers or len(numbers) < len(values):
        return "parse or convert it first", _TIME
    if all(one == int(one) and 19000101 <= one <= 21001231 for one in numbers):
        return "numbers such as 20240131 are read", _DIGITS
    low, high = _SECONDS
    for unit, (seconds, lines) in _SINCE_1970.items():
        if all(low <= one * seconds <= high for one in numbers):
            return f"these look like {_WORDS[unit]} since 1970: convert them first", lines
    return "parse or convert it first", _TIME


_PLAIN = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_CURRENCY = r"([A-Za-z]{1,3}\$?|[^\w\s.,()%+\u2212-])?"
_MONEY = re.compile(
    rf"[(+\u2212-]?\s*{_CURRENCY}\s*[(+\u2212-]?\s*"
    rf"[.,]?\d[\d.,'\u2019\s]*{_CURRENCY}\s*[)\u2212-]?"
)
_SIDE = re.compile(r"(?<![a-z])(cr|dr|db|[cd])(?![a-z])", re.IGNORECASE)  # of a ledger


def _texts(values: Sequence[Any]) -> list[str]:
    return [one.strip() for one in values if isinstance(one, str)]


def _odd_text(values: Sequence[Any]) -> str | None:
    """Return a text with a digit that is not written as money is, whose sign one can tell."""
    return next(
        (
            one
            for one in _texts(values)
            if re.search(r"\d", one)
            and not _PLAIN.fullmatch(one)
            and (not _MONEY.fullmatch(one) or _SIDE.search(one))
        ),
        None,
    )


def _of_several_currencies(values: Sequence[Any]) -> list[str]:
    """Return a text of each currency, if they are of more than one."""
    found: dict[tuple[str, ...], str] = {}
    for text in _texts(values):
        money = _MONEY.fullmatch(text)
        marks = tuple(mark.upper() for mark in money.groups() if mark) if money else ()
        if marks:
            found.setdefault(marks, text)
    return [*found.values()] if len(found) > 1 else []


def _number_lines(values: Sequence[Any]) -> list[_Lines]:
    """Return the steps that read numbers in words, by how these are written."""
    texts = _texts(values)
    if not texts or not all(re.search(r"\d", one) for one in texts):
        return [_NUMBER]
    if all(_PLAIN.fullmatch(one) for one in texts):
        return [_NUMBER]
    signs = any(re.search(r"[(\u2212]|[\d.,]\D*-$", one) for one in texts)
    comma = any(re.search(r"\.\d{3}(\D|$).*,|,\d{1,2}\D*$", one) for one in texts) and not any(
        re.search(r"\.\d{1,2}\D*$", one) for one in texts
    )
    return [*([_SIGN_FIRST] if signs else []), _COMMA if comma else _POINT]
