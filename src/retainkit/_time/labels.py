"""Dates and times by which results name periods."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import tzinfo
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from retainkit._typing import Integers


@dataclass(frozen=True, slots=True)
class ZonedTimes:
    """Instants (microseconds since 1970-01-01 in UTC), shown on the clock of a zone."""

    instants: Integers
    zone: tzinfo

    def __len__(self) -> int:
        return len(self.instants)

    def __getitem__(self, rows: Any) -> ZonedTimes:
        return ZonedTimes(self.instants[rows], self.zone)

    @property
    def zone_name(self) -> str:
        """Name of the zone in the database of zones; UTC for those that have none."""
        return str(getattr(self.zone, "key", "UTC"))

    @property
    def utc(self) -> NDArray[np.datetime64]:
        """The instants as times in UTC."""
        return self.instants.astype("datetime64[us]")


Labels: TypeAlias = NDArray[np.datetime64] | ZonedTimes
"""Dates, times without a zone, or times of a zone."""
