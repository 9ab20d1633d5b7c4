"""Group arrays by integer keys: distinct keys, codes, sums and minima of groups."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import numpy as np

from retainkit._typing import Array, Booleans, Floats, Integers

NEVER = np.iinfo(np.int64).max
"""A time that never comes."""

# Numbers that an integer of 64 bits has room for, and a range too wide to be packed as it is.
_MOST_KEYS = 2**62
_WIDE = 2**32

# Distinct keys are found in a table of this many elements at most, and by sorting beyond.
_TABLE = 2**27
# Rows that are worked on at once where memory would be short.
_BLOCK = 2**20
# Elements that make a part of all groups, and so many for each cell of a result if those are more.
_PART = 2**17
_CELLS = 2


def unique_keys(key: Integers) -> Integers:
    """Return the distinct keys in ascending order."""
    least = int(key.min(initial=NEVER))
    size = int(key.max(initial=least)) - least + 1
    if size > max(_TABLE, len(key)):
        # np.unique would hash them, which takes many times as long.
        key = np.sort(key)
        keys: Integers = key[np.append(True, key[1:] != key[:-1])]
        return keys
    occurs = np.zeros(size, bool)
    occurs[key - least if least else key] = True
    return np.flatnonzero(occurs) + least


def dense_codes(key: Integers, size: int) -> tuple[Integers, Integers]:
    """Return the key of each code in ascending order, and the code of each key.

    All keys are less than `size`. Keys in a dense range are their own codes; then some codes may
    be unused.
    """
    if size > 4 * len(key) + 1024:
        return np.unique(key, return_inverse=True)
    return np.arange(size), key


def unique_inverse(key: Integers, size: int) -> tuple[Integers, Integers]:
    """Return the distinct keys in ascending order, and for each key its number among them."""
    keys, code = dense_codes(key, size)
    used = np.bincount(code, minlength=len(keys)) > 0
    return keys[used], (np.cumsum(used) - 1)[code]


def sort_order(*keys: Integers) -> Integers:
    """Return the places of rows in the order of several keys, of which the first comes first.

    Rows of equal keys stay in any order.
    """
    packed, size = np.zeros(0, np.int64), 1
    for key in keys:
        least = int(key.min(initial=NEVER))
        width = int(key.max(initial=least)) - least
        if width == 0:
            continue
        if width >= _MOST_KEYS:
            return np.lexsort(keys[::-1])
        # Days, for one, make far fewer numbers than the microseconds in which they are counted.
        step = _common_step(key, least) if width > _WIDE else 1
        width = width // step + 1
        size *= width
        if size > _MOST_KEYS:
            return np.lexsort(keys[::-1])
        own = key - least
        if step > 1:
            own //= step
        if len(packed) == len(own):
            packed *= width
            own += packed
        packed = own
    return np.argsort(packed) if len(packed) else np.arange(len(keys[0]))


def group_blocks(group: Integers, cells: int = 0) -> Iterator[slice]:
    """Return parts of ascending groups, none of which is in two: sums over the parts add up.

    Work on a part takes memory for its elements only. Where each part gives a table of many cells
    there are few of them, and there is one of nothing at all.
    """
    size, n = max(_PART, _CELLS * cells), len(group)
    begin, end = 0, n if n <= size else 0
    while end < n:
        end = min(begin + size, n)
        if end < n:
            end = int(np.searchsorted(group, group[end - 1], side="right"))
        yield slice(begin, end)
        begin = end
    if n <= size:
        yield slice(0, n)


def _common_step(key: Integers, least: int) -> int:
    """Return a step of which all keys are multiples, counted from the least."""
    step = int(np.gcd.reduce(key[:1000] - least))
    if step <= 1:
        return 1
    rest = key - least
    rest %= step
    return 1 if rest.any() else step


def latest_so_far(times: Integers, group: Integers) -> Integers:
    """Return the latest time in the group of each element so far; groups ascend from 0."""
    comes = times < NEVER
    least = int(times.min(initial=NEVER))
    span = int(times.max(initial=least, where=comes)) - least
    step = _common_step(times[comes], least) if span > _WIDE else 1
    width = span // step + 2  # the last number is that of `NEVER`
    if (int(group[-1]) + 1 if len(group) else 0) * width > _MOST_KEYS:
        # There is room for a group and a rank, but not for a group and a time.
        distinct, rank = np.unique(times, return_inverse=True)
        base = group * (len(distinct) + 1)
        return distinct[np.maximum.accumulate(base + rank) - base]
    reached = times - least
    reached[~comes] = (width - 1) * step
    reached //= step
    base = group * width
    reached += base
    np.maximum.accumulate(reached, out=reached)
    reached -= base
    never = reached == width - 1
    reached *= step
    reached += least
    reached[never] = NEVER
    return reached


def group_sum(values: Floats, group: Integers, n_groups: int) -> Floats:
    """Sum of each group."""
    # Of nothing at all the sum is an integer.
    return np.bincount(group, values, n_groups).astype(np.float64, copy=False)


def blocks_of(length: int) -> Iterator[slice]:
    """Split so many rows into blocks, so that what is computed of each need not be held of all."""
    for begin in range(0, length, _BLOCK):
        yield slice(begin, begin + _BLOCK)


def blocks_of_groups(key: Integers, width: int) -> Iterator[slice]:
    """Split ascending keys into blocks, each with all keys of its groups, ``key // width``."""
    begin = 0
    for block in blocks_of(len(key)):
        end = len(key)
        if block.stop < len(key):
            end = int(np.searchsorted(key, key[block.stop] // width * width))
        if end > begin:
            yield slice(begin, end)
            begin = end


def distinct_sums(
    blocks: Iterable[tuple[Integers, Floats | None]], size: int, n_rows: int, at_least: int
) -> tuple[Integers, Floats | None]:
    """Return the distinct keys that occur so often in some blocks, ascending, and their sums.

    All keys are less than `size`, and there are `n_rows` of them at most.
    """
    if size > 4 * n_rows + 1024:
        return _sorted_sums(blocks, at_least)
    # Sums are kept for every key that there may be.
    occurs: Array = np.zeros(size, np.bool_ if at_least == 1 else np.int64)
    sums: Floats | None = None
    for key, values in blocks:
        if at_least == 1:
            occurs[key] = True
        else:
            np.add.at(occurs, key, 1)
        if values is not None:
            sums = np.zeros(size) if sums is None else sums
            np.add.at(sums, key, values)
    keys = np.flatnonzero(occurs >= at_least)
    return keys, None if sums is None else sums[keys]


def _sorted_sums(
    blocks: Iterable[tuple[Integers, Floats | None]], at_least: int
) -> tuple[Integers, Floats | None]:
    """Return the same as `distinct_sums` where keys are few among those that there may be."""
    found = [*blocks]
    key = np.concatenate([keys for keys, _ in found]) if found else np.zeros(0, np.int64)
    if at_least == 1 and all(values is None for _, values in found):
        return unique_keys(key), None
    keys, which = np.unique(key, return_inverse=True)
    enough = np.bincount(which, minlength=len(keys)) >= at_least
    parts = [values for _, values in found if values is not None]
    if not parts:
        return keys[enough], None
    return keys[enough], group_sum(np.concatenate(parts), which, len(keys))[enough]


def group_min(values: Integers, group: Integers, n_groups: int) -> Integers:
    """Least value of each group."""
    least = np.full(n_groups, NEVER)
    np.minimum.at(least, group, values)
    return least


def smallest_at_first(
    time: Integers, first: Integers, values: Integers, group: Integers
) -> tuple[Integers, Booleans]:
    """Return the smallest value at the `first` time of each group, and mark those with several.

    A group without elements has the value `NEVER`.
    """
    at_first = time == first[group]
    values, group = values[at_first], group[at_first]
    least = group_min(values, group, len(first))
    # Of nothing the least is the greatest there is.
    several = (least < -group_min(-values, group, len(first))) & (least < NEVER)
    return least, several


def unique_rows(columns: Mapping[str, Integers]) -> tuple[Integers, dict[str, Integers]]:
    """Return the number of each row of columns among the distinct rows, and these rows."""
    key, size = np.zeros(1, np.int64), 1
    for values in columns.values():
        least = int(values.min(initial=NEVER))
        width = int(values.max(initial=least)) - least + 1
        key, size = key * width + (values - least), size * width
    numbers, row = unique_inverse(key, size)
    member = np.zeros(len(numbers), np.int64)
    member[row] = np.arange(len(row))
    return row, {name: values[member] for name, values in columns.items()}
