"""Build columns of times out of instants."""

from __future__ import annotations

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
    values[instants == NEVER] = np.datetime64("NaT")
    times: nw.Series[Any] = nw.new_series("time", values, backend=backend)
    if zone is None:
        return times
    # A fixed offset is called UTC+02:00 by Python, and +02:00 by engines.
    name = str(zone).removeprefix("UTC") or "UTC"
    return times.dt.replace_time_zone("UTC").dt.convert_time_zone(name)
