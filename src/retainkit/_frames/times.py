"""Columns of times and instants: one made of the other."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np

from retainkit._frames.groupby import NEVER
from retainkit._frames.input import Frame, is_polars
from retainkit._typing import Integers


def time_series(given: Frame, instants: Integers, zone: tzinfo | None) -> nw.Series[Any]:
    """Return instants as times in a zone (None: naive), of the kind of `given`; NEVER is null."""
    same_kind = isinstance(given, nw.DataFrame) or is_polars(given)
    backend = given.implementation if same_kind else nw.Implementation.PANDAS
    values = instants.astype("datetime64[us]")
    values[instants == NEVER] = np.datetime64("NaT", "us")
    times: nw.Series[Any] = nw.new_series("time", values, backend=backend)
    if zone is None:
        return times
    # A fixed offset is called UTC+02:00 by Python, and +02:00 by engines.
    name = str(zone).removeprefix("UTC") or "UTC"
    return times.dt.replace_time_zone("UTC").dt.convert_time_zone(name)


def in_utc(frame: Frame, columns: Sequence[str]) -> tuple[Frame, bool]:
    """Return a frame whose aware times are naive ones in UTC: instants, by no rules of any zone.

    Also returns whether that was done; PySpark knows no way but by the clock of its session.
    """
    schema = frame.collect_schema()
    aware = [one for one in columns if getattr(schema[one], "time_zone", None) is not None]
    if not aware:
        return frame, True
    if frame.implementation.is_duckdb():
        return nw.from_native(_duckdb_in_utc(frame.to_native(), aware)), True
    if isinstance(frame, nw.LazyFrame) and not is_polars(frame):
        return frame, False
    return frame.with_columns(
        nw.col(one).dt.convert_time_zone("UTC").dt.replace_time_zone(None) for one in aware
    ), True


def _duckdb_in_utc(relation: Any, columns: Sequence[str]) -> Any:
    """Return a relation of DuckDB with times in UTC: others are cast by the clock of the session.

    Infinite times stay what they are.
    """
    names = ['"' + one.replace('"', '""') + '"' for one in columns]
    times = (
        f"CASE WHEN isfinite({one}) THEN make_timestamp(epoch_us({one})) "
        f"ELSE CAST({one} AS TIMESTAMP) END AS {one}"
        for one in names
    )
    return relation.project(f"* REPLACE ({', '.join(times)})")
