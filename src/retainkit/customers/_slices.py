"""The slices of time of a view: its windows before an instant, and the ones before these."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo

from retainkit._time.moment import Moment
from retainkit._time.periods import DAY
from retainkit._time.windows import Window


@dataclass(frozen=True, slots=True, kw_only=True)
class Slices:
    """The windows that end at a moment: where each begins, and where the one before it does.

    `edges` are all of these moments, ascending.
    """

    end: Moment
    edges: Sequence[Moment]
    begins: Mapping[str, Moment]
    before: Mapping[str, Moment]

    @property
    def whole_days(self) -> bool:
        """Return whether no day is cut: the end and every edge are midnights."""
        return all(edge.wall % DAY == 0 for edge in (self.end, *self.edges))

    @property
    def day(self) -> int:
        """The day of the end, from which days are counted back."""
        return self.end.wall // DAY

    def passed(self, moment: Moment) -> int:
        """Return how many edges have been passed from a moment on that is one of them."""
        return self.edges.index(moment) + 1


def slices(end: Moment, windows: Sequence[Window], zone: tzinfo | None) -> Slices:
    """Return the slices of windows that end at a moment."""
    begins = {one.name: one.before(end, zone) for one in windows}
    before = {one.name: one.before(end, zone, 2) for one in windows}
    every = {one.instant: one for one in (*begins.values(), *before.values())}
    return Slices(
        end=end,
        edges=[every[one] for one in sorted(every)],
        begins={name: every[one.instant] for name, one in begins.items()},
        before={name: every[one.instant] for name, one in before.items()},
    )
