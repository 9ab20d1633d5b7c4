"""The kinds of frames that retainkit takes, each made from the same plain rows.

A row is a dict. Its values tell the types: int, str, float, bool, date, datetime (naive, or aware
with a `ZoneInfo`), `uuid.UUID`, and None for a null.
"""

import os
import shutil
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache
from importlib.util import find_spec
from typing import Any

import narwhals.stable.v2 as nw
import pytest

from tables import Row

Columns = dict[str, list[Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Backend:
    """One kind of frame: how it is made, and what is known of it.

    `result` is the kind of a small result. Where `keeps_zone` is False, aware times have no zone
    of their own, but are in that of the engine's session.
    """

    name: str
    modules: tuple[str, ...]
    build: Callable[[Columns, Row, str], Any]
    result: nw.Implementation
    lazy: bool = False
    keeps_zone: bool = True

    def make(
        self, rows: Sequence[Mapping[Any, Any]], *, like: Row | None = None, session: str = "UTC"
    ) -> Any:
        """Make a frame of rows.

        `like` is a row that shows columns and types, where the rows themselves do not; `session`
        is the zone of the engine's session.
        """
        columns = {name: [row[name] for row in rows] for name in like or rows[0]}
        shown = like or {
            name: next(value for value in values if value is not None)
            for name, values in columns.items()
        }
        return self.build(columns, shown, session)

    def require(self) -> None:
        """Skip the test where the backend is not installed, or fail it where none may be."""
        missing = [module for module in self.modules if find_spec(module) is None]
        if "pyspark" in self.modules and not (shutil.which("java") or os.environ.get("JAVA_HOME")):
            missing.append("Java")
        if missing:
            reason = f"{self.name} needs {' and '.join(missing)}, which is not installed"
            if os.environ.get("RETAINKIT_ALL") == "1":
                pytest.fail(f"{reason}; with RETAINKIT_ALL=1 nothing is skipped")
            pytest.skip(reason)


def _zone(value: Any) -> str | None:
    return str(value.tzinfo) if isinstance(value, datetime) and value.tzinfo else None


# --- frames in memory -------------------------------------------------------------


def _pandas(columns: Columns, like: Row, _session: str) -> Any:
    import pandas as pd

    types = {int: "int64", float: "float64", bool: "bool", uuid.UUID: "object"}

    def series(values: list[Any], shown: Any) -> Any:
        if isinstance(shown, date):
            utc = [value.astimezone(UTC) if _zone(value) else value for value in values]
            # There are no dates: a date is its midnight.
            times = pd.Series(pd.to_datetime(utc, utc=_zone(shown) is not None).as_unit("us"))
            return times.dt.tz_convert(shown.tzinfo) if _zone(shown) else times  # type: ignore[attr-defined]
        if isinstance(shown, str):
            return pd.Series(values, dtype=pd.Series(["a"]).dtype)
        known = all(value is not None for value in values)
        return pd.Series(values, dtype=types[type(shown)] if known else None)

    return pd.DataFrame({name: series(values, like[name]) for name, values in columns.items()})


def _pandas_pyarrow(columns: Columns, like: Row, session: str) -> Any:
    import pandas as pd

    return _pyarrow(columns, like, session).to_pandas(types_mapper=pd.ArrowDtype)


def _polars(columns: Columns, like: Row, _session: str) -> Any:
    import polars as pl

    def series(name: str, values: list[Any], shown: Any) -> Any:
        if isinstance(shown, uuid.UUID):
            return pl.Series(name, [str(value) for value in values], pl.String)
        zone = _zone(shown)
        if zone is not None:
            utc = [value.astimezone(UTC) if value else None for value in values]
            return pl.Series(name, utc, pl.Datetime("us", "UTC")).dt.convert_time_zone(zone)
        return pl.Series(name, values, type(shown))  # type: ignore[arg-type]

    return pl.DataFrame([series(name, values, like[name]) for name, values in columns.items()])


def _pyarrow(columns: Columns, like: Row, _session: str) -> Any:
    import pyarrow as pa

    types = {
        int: pa.int64(),
        float: pa.float64(),
        bool: pa.bool_(),
        str: pa.string(),
        date: pa.date32(),
        uuid.UUID: pa.string(),
    }

    def array(values: list[Any], shown: Any) -> Any:
        if isinstance(shown, datetime):
            return pa.array(values, pa.timestamp("us", _zone(shown)))
        if isinstance(shown, uuid.UUID):
            values = [str(value) for value in values]
        return pa.array(values, types[type(shown)])

    return pa.table({name: array(values, like[name]) for name, values in columns.items()})


# --- lazy engines -----------------------------------------------------------------


def _polars_lazy(columns: Columns, like: Row, session: str) -> Any:
    return _polars(columns, like, session).lazy()


def _duckdb(columns: Columns, like: Row, session: str) -> Any:
    relation = duckdb_connection(session).from_arrow(_pyarrow(columns, like, session))
    ids = [f'"{name}"::UUID AS "{name}"' for name in like if isinstance(like[name], uuid.UUID)]
    return relation.select(f"* REPLACE ({', '.join(ids)})") if ids else relation


@cache
def duckdb_connection(zone: str) -> Any:
    """Return a connection whose clock shows the time of this zone."""
    import duckdb

    connection = duckdb.connect()
    connection.execute(f"SET TimeZone = '{zone}'")
    return connection


def _pyspark(columns: Columns, like: Row, session: str) -> Any:
    from pyspark.sql import types

    plain: dict[type, Any] = {
        int: types.LongType(),
        float: types.DoubleType(),
        bool: types.BooleanType(),
        str: types.StringType(),
        date: types.DateType(),
        datetime: types.TimestampNTZType(),
        uuid.UUID: types.StringType(),
    }
    schema = types.StructType(
        [
            types.StructField(name, types.TimestampType() if _zone(shown) else plain[type(shown)])
            for name, shown in like.items()
        ]
    )
    rows = [
        [str(value) if isinstance(value, uuid.UUID) else value for value in row]
        for row in zip(*columns.values(), strict=True)
    ]
    return spark_session(session).createDataFrame(rows, schema).coalesce(1)


@cache
def spark() -> Any:
    """Start Spark, once in a process: quick for tables of a few rows, and with no files of its own.

    The catalog is in memory, and what is shuffled Spark removes when it stops.
    """
    from pyspark.sql import SparkSession

    options = {
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1",
        "spark.driver.host": "127.0.0.1",
        "spark.log.level": "ERROR",
        "spark.sql.adaptive.enabled": "false",
        # Compiling a plan takes longer than running it on a few rows.
        "spark.sql.codegen.factoryMode": "NO_CODEGEN",
        "spark.sql.codegen.wholeStage": "false",
        "spark.sql.catalogImplementation": "in-memory",
        "spark.sql.shuffle.partitions": "2",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
    }
    builder = SparkSession.builder.master("local[2]").appName("retainkit's tests")
    for name, value in options.items():
        builder = builder.config(name, value)
    return builder.getOrCreate()


@cache
def spark_session(zone: str) -> Any:
    """Return a session whose clock shows the time of this zone."""
    session = spark().newSession()
    session.conf.set("spark.sql.session.timeZone", zone)
    return session


PANDAS, POLARS, PYARROW = (
    nw.Implementation.PANDAS,
    nw.Implementation.POLARS,
    nw.Implementation.PYARROW,
)
BACKENDS = [
    Backend(name="pandas", modules=("pandas",), build=_pandas, result=PANDAS),
    Backend(
        name="pandas-pyarrow",
        modules=("pandas", "pyarrow"),
        build=_pandas_pyarrow,
        result=PANDAS,
    ),
    Backend(name="polars", modules=("polars",), build=_polars, result=POLARS),
    Backend(name="pyarrow", modules=("pyarrow",), build=_pyarrow, result=PYARROW),
    Backend(name="polars-lazy", modules=("polars",), build=_polars_lazy, result=POLARS, lazy=True),
    Backend(
        name="duckdb",
        modules=("duckdb", "pyarrow"),
        build=_duckdb,
        result=PANDAS,
        lazy=True,
        keeps_zone=False,
    ),
    Backend(
        name="pyspark",
        modules=("pyspark",),
        build=_pyspark,
        result=PANDAS,
        lazy=True,
        keeps_zone=False,
    ),
]

# What the engines themselves do: DuckDB and PySpark on the newest pandas, PySpark's late sockets.
_WARNINGS = {
    "duckdb": ["ignore:The inplace keyword in DataFrame.drop:DeprecationWarning:duckdb._relation"],
    "pyspark": [
        "ignore:PySpark does not yet fully support pandas:FutureWarning",
        "ignore:unclosed <socket.*'127.0.0.1':ResourceWarning",
    ],
}


def params(backends: Iterable[Backend]) -> list[Any]:
    """Make parameters of tests, for the fixture `backend`."""
    marks = {
        name: [pytest.mark.filterwarnings(text) for text in texts]
        for name, texts in _WARNINGS.items()
    }
    # One Spark is enough, where xdist distributes by groups.
    marks["pyspark"].append(pytest.mark.xdist_group("pyspark"))
    return [pytest.param(one, id=one.name, marks=marks.get(one.name, ())) for one in backends]
