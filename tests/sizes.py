"""Large tests in two parts: one that always runs, and the rest, which is left to CI.

With RETAINKIT_ALL=1, as in CI, nothing is left out.
"""

import os
from collections.abc import Iterable
from itertools import islice
from typing import Any

import pytest

ALL = os.environ.get("RETAINKIT_ALL") == "1"


def cases(values: Iterable[Any], quick: int) -> list[Any]:
    """Return parameters of a test, all but the first `quick` of them marked `ci`."""
    rest = iter(values)
    return [*islice(rest, quick), *(pytest.param(value, marks=pytest.mark.ci) for value in rest)]


def batches(seeds: range, quick: int) -> list[Any]:
    """Return the seeds in two parameters: the first `quick`, and the others, marked `ci`."""
    first, rest = seeds[:quick], seeds[quick:]
    return [
        pytest.param(first, id=f"{first[0]}-{first[-1]}"),
        pytest.param(rest, id=f"{rest[0]}-{rest[-1]}", marks=pytest.mark.ci),
    ]


def n_examples(full: int, quick: int) -> int:
    """Return how many examples hypothesis draws: `full` in CI, `quick` elsewhere."""
    return full if ALL else quick
