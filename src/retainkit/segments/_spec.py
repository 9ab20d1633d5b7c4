"""The specification of RFM measures and their result.

`_lazy` reduces inside an engine and `_eager` on arrays in memory; both take an `RfmSpec` and return
`RfmMeasures`, and the tests hold them equal.
"""

from __future__ import annotations

from dataclasses import dataclass

from retainkit._frames.input import Frame
from retainkit._time.grid import DAYS
from retainkit._time.moment import Moment

MEASURES = ("recency_days", "frequency", "monetary")
"""What is measured of each customer, in the order of r, f and m."""

SCORES = ("r", "f", "m")

LOW_IS_GOOD = "recency_days"
"""The measure of which the least values get the highest scores."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RfmSpec:
    """What RFM measures depend on, checked: the end of the window.

    Orders are the values of the column ``order`` where the log has one, and days otherwise.
    """

    end: Moment

    @property
    def day(self) -> int:
        """The day on which the window ends."""
        return self.end.index(DAYS)


@dataclass(frozen=True, slots=True, kw_only=True)
class RfmMeasures:
    """One row a customer with an order, and the numbers of customers and of those without.

    `rows` has the columns ``by_0`` …, ``customer`` and `MEASURES`; in memory in ascending order of
    customers. Where nobody can be without an order, nobody is counted.
    """

    rows: Frame
    n_customers: int | None
    n_without_order: int
