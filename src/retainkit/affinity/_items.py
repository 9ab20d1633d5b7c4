"""The items of lines in memory as codes, and the one segment of each customer or order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np

from retainkit._frames.factorize import argsort, integer_codes
from retainkit._frames.groupby import unique_inverse, unique_keys
from retainkit._frames.segments import factorize_segments
from retainkit._inputs.events import Events
from retainkit._inputs.one_segment import several_segments
from retainkit._typing import Integers
from retainkit.affinity._spec import AffinitySpec, PairCounts


@dataclass(frozen=True, slots=True, kw_only=True)
class Items:
    """The items of each segment in ascending order, and the place of each row's among them.

    An item in two segments is two items here: no customer, and no order, is in both.
    """

    segments: Mapping[str, nw.Series[Any]]
    n_segments: int
    segment: Integers
    item: nw.Series[Any]
    place: Integers
    segment_of_row: Integers

    def counts(
        self, spec: AffinitySpec, trials: Integers, young: Integers, **pairs: Any
    ) -> PairCounts:
        """Return the counts of the items that have enough `trials`."""
        kept = trials >= spec.min_trials
        rare = np.flatnonzero(~kept)
        return PairCounts(
            segments=self.segments,
            segment=self.segment[kept],
            item=self.item[np.flatnonzero(kept).tolist()],
            trials=trials[kept],
            open=young[kept],
            n_rare=len(rare),
            rare_items=self.item[rare[:4].tolist()].to_list(),
            **pairs,
        )


def code_items(log: Events, frame: nw.DataFrame[Any]) -> Items:
    """Number the items of each segment."""
    segments, segment = factorize_segments(frame, log.keys)
    n_segments = int(segment.max(initial=-1)) + 1 if log.by else 1
    item, n_items = integer_codes(frame["item"])
    numbers, code = unique_inverse(segment * n_items + item, n_segments * n_items)
    row_of = np.zeros(len(numbers), np.int64)
    row_of[code] = np.arange(len(code))  # any row of an item shows it
    segment_of, values = segment[row_of], frame["item"][row_of.tolist()]
    order = argsort(values)
    order = order[np.argsort(segment_of[order], kind="stable")]
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    return Items(
        segments=segments,
        n_segments=n_segments,
        segment=segment_of[order],
        item=values[order.tolist()],
        place=place[code],
        segment_of_row=segment,
    )


def owners_of(
    log: Events, frame: nw.DataFrame[Any], items: Items, noun: str
) -> tuple[Integers, Integers]:
    """Return codes of customers or orders, and the one segment of each; -1 where no row has it."""
    owner, n_owners = integer_codes(frame[noun])
    segment = np.full(n_owners, -1)
    segment[owner] = items.segment_of_row
    differs = items.segment_of_row != segment[owner]
    if differs.any():
        several = unique_keys(owner[differs])
        row_of = np.zeros(n_owners, np.int64)
        row_of[owner] = np.arange(len(owner))
        values = frame[noun][row_of[several].tolist()]
        examples = values[argsort(values)[:3].tolist()].to_list()
        raise several_segments(log.by, len(several), int((segment >= 0).sum()), examples, noun)
    return owner, segment
