"""The clock of a frame: what its own library shows at an instant, by its own rules of zones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np

from retainkit._frames.input import Frame
from retainkit._typing import Integers


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameClock:
    """The clock in the zone of a column of aware times, of a frame as the user gave it."""

    frame: Frame
    column: str
    zone: str

    def wall_times(self, instants: Integers) -> Integers | None:
        """Return what the clock shows at each instant; None where that cannot be asked."""
        native, library = self.frame.to_native(), self.frame.implementation
        backend = nw.Implementation.PYARROW if library.is_pandas() else library
        if library.is_duckdb():
            return _duckdb_wall_times(native, instants)
        if library.is_pyspark():
            return _spark_wall_times(native, instants)
        values: Any = instants.astype("datetime64[us]")
        zone = self.zone
        if library.is_pandas():
            own = native[self.column].dtype
            arrow = getattr(own, "pyarrow_dtype", None)
            if arrow is None and getattr(own, "tz", None) is None:
                return None  # Python's datetimes have its rules
            if arrow is None:
                import pandas as pd  # noqa: PLC0415  importing retainkit does not import pandas

                shown = pd.DatetimeIndex(values, tz="UTC").tz_convert(own.tz).tz_localize(None)
                return _as_integers(shown.to_numpy())
            zone = arrow.tz
        times = nw.new_series("time", values, backend=backend).dt.replace_time_zone("UTC")
        return _as_integers(times.dt.convert_time_zone(zone).dt.replace_time_zone(None).to_numpy())


def _as_integers(times: Any) -> Integers:
    found: Integers = times.astype("datetime64[us]").astype(np.int64)
    return found


def _duckdb_wall_times(relation: Any, instants: Integers) -> Integers:
    """Ask the session of a relation, of which no row is read."""
    values = ", ".join(map(str, instants.tolist()))
    one = relation.limit(0).aggregate("count(*) AS n")
    listed = one.project(f"unnest([{values}]::BIGINT[]) AS instant")
    wall = listed.project("epoch_us(CAST(make_timestamptz(instant) AS TIMESTAMP)) AS wall")
    found: Integers = wall.fetchnumpy()["wall"].astype(np.int64)
    return found


def _spark_wall_times(frame: Any, instants: Integers) -> Integers:
    """Ask the session of a frame, which answers without starting a job."""
    values = ", ".join(f"({one})" for one in instants.tolist())
    wall = "CAST(timestamp_micros(instant) AS TIMESTAMP_NTZ)"
    # The difference of naive times is a length, which no zone changes.
    since = f"CAST({wall} - TIMESTAMP_NTZ '1970-01-01' AS INTERVAL SECOND)"
    shown = f"CAST({since} AS DECIMAL(20, 6)) AS wall"
    query = f"SELECT {shown} FROM VALUES {values} AS t(instant)"  # noqa: S608  of whole numbers
    seconds = [row["wall"] for row in frame.sparkSession.sql(query).collect()]
    return np.array([int(one * 1_000_000) for one in seconds], np.int64)
