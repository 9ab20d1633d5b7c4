"""Columns of times and instants: one made of the other."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np

from retainkit._frames.groupby import NEVER
from retainkit._frames.input import Frame
from retainkit._frames.names import quoted
from retainkit._frames.output import result_backend
from retainkit._typing import Integers


def time_series(given: Frame, instants: Integers, zone: tzinfo | None) -> nw.Series[Any]:
    """Return instants as times in a zone (None: naive), of the kind of `given`; NEVER is null."""
    values = instants.astype("datetime64[us]")
    values[instants == NEVER] = np.datetime64("NaT", "us")
    times: nw.Series[Any] = nw.new_series("time", values, backend=result_backend(given))
    if zone is None:
        return times
    # A fixed offset is called UTC+02:00 by Python, and +02:00 by engines.
    name = str(zone).removeprefix("UTC") or "UTC"
    return times.dt.replace_time_zone("UTC").dt.convert_time_zone(name)


def in_utc(frame: Frame, columns: Sequence[str]) -> Frame:
    """Return a frame whose aware times are naive ones in UTC: instants, by no rules of any zone.

    DuckDB and Spark would cast by the clock of the session, and are asked for numbers.
    """
    schema = frame.collect_schema()
    aware = [one for one in columns if getattr(schema[one], "time_zone", None) is not None]
    if not aware:
        return frame
    if frame.implementation.is_duckdb():
        return _duckdb_in_utc(frame.to_native(), aware)
    if frame.implementation.is_pyspark():
        return _spark_in_utc(frame.to_native(), aware)
    return frame.with_columns(
        nw.col(one).dt.convert_time_zone("UTC").dt.replace_time_zone(None) for one in aware
    )


def _duckdb_in_utc(relation: Any, columns: Sequence[str]) -> nw.LazyFrame[Any]:
    """Return a relation of DuckDB with times in UTC; infinite times stay what they are."""
    names = map(quoted, columns)
    times = (
        f"CASE WHEN isfinite({one}) THEN make_timestamp(epoch_us({one})) "
        f"ELSE CAST({one} AS TIMESTAMP) END AS {one}"
        for one in names
    )
    made: nw.LazyFrame[Any] = nw.from_native(relation.project(f"* REPLACE ({', '.join(times)})"))
    return made


def _spark_in_utc(frame: Any, columns: Sequence[str]) -> nw.LazyFrame[Any]:
    """Return a frame of Spark with times in UTC."""
    from pyspark.sql import functions  # noqa: PLC0415  importing retainkit does not import PySpark

    # Inner names have no backtick.
    instant = "timestampadd(MICROSECOND, unix_micros(`{}`), TIMESTAMP_NTZ '1970-01-01')"
    instants = {one: functions.expr(instant.format(one)) for one in columns}
    made: nw.LazyFrame[Any] = nw.from_native(frame.withColumns(instants))
    return made
