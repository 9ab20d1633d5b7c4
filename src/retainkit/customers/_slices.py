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
    """All edges of windows that end at a moment, ascending, and which of them each begins with.

    What happened from `edges[i]` on has passed i + 1 edges or more. `begins` and `before` have, by
    window, the number of edges passed where it begins, and where the one before it begins.
    """

    end: Moment
    edges: Sequence[Moment]
    begins: Mapping[str, int]
    before: Mapping[str, int]

    @property
    def whole_days(self) -> bool:
        """Return whether no day is cut: every edge is a midnight."""
        return all(edge.wall % DAY == 0 for edge in self.edges)

    @property
    def day(self) -> int:
        """The day of the end, from which days are counted back."""
        return self.end.wall // DAY


def slices(end: Moment, windows: Sequence[Window], zone: tzinfo | None) -> Slices:
    """Return the slices of windows that end at a moment."""
    begins = {one.name: one.before(end, zone) for one in windows}
    before = {one.name: one.before(end, zone, 2) for one in windows}
    every = {one.instant: one for one in (*begins.values(), *before.values())}
    instants = sorted(every)
    return Slices(
        end=end,
        edges=[every[one] for one in instants],
        begins={name: instants.index(one.instant) + 1 for name, one in begins.items()},
        before={name: instants.index(one.instant) + 1 for name, one in before.items()},
    )
