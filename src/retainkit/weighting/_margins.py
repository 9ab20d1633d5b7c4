"""Margins of cells of responses: categories of cells, and checks that targets are attainable."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from retainkit._messages import count_noun
from retainkit._stats.raking import Margin
from retainkit.errors import ArgumentError
from retainkit.weighting._targets import as_date

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from retainkit._typing import Booleans, Floats, Integers
    from retainkit.weighting._targets import Targets


def cell_categories(
    targets: Targets, values: Mapping[str, Sequence[Any]], count: Floats
) -> tuple[Integers, Floats]:
    """Return the category of each cell, as an index into the target shares, and these shares."""
    index = {key: i for i, key in enumerate(targets.shares)}
    columns = ([as_date(value) for value in values[column]] for column in targets.columns)
    keys = list(zip(*columns, strict=True))
    category = np.array([index.get(key, -1) for key in keys], np.int64)
    unknown = category < 0
    if unknown.any():
        names = list(dict.fromkeys(key for key, new in zip(keys, unknown, strict=True) if new))
        single = len(targets.columns) == 1
        verb, noun = ("has", "value") if single else ("have", "combination")
        raise ArgumentError(
            f"{targets.source} {verb} {count_noun(len(names), noun)} without a share in "
            f"{count_noun(int(count[unknown].sum()), 'row')}: {targets.format_keys(names)}. "
            f"`{targets.argument}` has {targets.format_keys(targets.shares)}. Give each a share "
            "there, or leave such rows out."
        )
    return category, np.array(list(targets.shares.values()))


def margin_of_cells(
    targets: Targets, category: Integers, share: Floats, count: Floats, used: Booleans
) -> Margin:
    """Return the margin of the cells that are used; raise if a share above 0 has no such cell."""
    responses = np.bincount(category, count, len(share))
    reached = np.bincount(category[used], minlength=len(share)) > 0
    empty = np.flatnonzero((share > 0) & ~reached)
    if len(empty):
        names = list(targets.shares)
        what = "no responses" if responses[empty].sum() == 0 else "no responses of weight above 0"
        raise ArgumentError(
            f"`{targets.argument}` gives a share to "
            f"{targets.format_keys(names[i] for i in empty)}, of which {targets.source} "
            f"{'has' if len(targets.columns) == 1 else 'have'} {what}. No weight can stand in for "
            "them: join them with a similar value, in both, or leave them out of the population."
        )
    position = np.cumsum(share > 0) - 1
    return Margin(category=position[category[used]], share=share[share > 0])


def check_attainable(
    targets: Targets, margin: Margin, count: Floats, limits: tuple[float, float]
) -> None:
    """Raise if a category cannot have its share with weights within the limits."""
    mean = count.sum() * margin.share / margin.sums(count)
    beyond = np.flatnonzero((mean < limits[0] * (1 - 1e-12)) | (mean > limits[1] * (1 + 1e-12)))
    if len(beyond):
        i = beyond[np.argmax(np.abs(np.log(mean[beyond])))]
        key = [key for key, share in targets.shares.items() if share > 0][i]
        raise ArgumentError(
            f"`limits` is ({limits[0]:.15g}, {limits[1]:.15g}), and {targets.format_keys([key])} "
            f"in {targets.source} needs a mean weight of {mean[i]:.4g} to come to a share of "
            f"{margin.share[i]:.4g}. Widen them, or join it with a similar value, in both."
        )


def largest_deviation(
    targets: Sequence[Targets], deviations: Sequence[Floats]
) -> tuple[float, str]:
    """Return the largest deviation from a share, and its description."""
    which = int(np.argmax([np.abs(one).max() for one in deviations]))
    i = int(np.argmax(np.abs(deviations[which])))
    one = targets[which]
    key, share = [pair for pair in one.shares.items() if pair[1] > 0][i]
    text = (
        f"{one.format_keys([key])} in {one.source} has a weighted share of "
        f"{share + deviations[which][i]:.6g} instead of {share:.6g}"
    )
    return float(np.abs(deviations[which][i])), text
