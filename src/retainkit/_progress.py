"""Report how far long work is, to those who want to see it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import TypeAlias

from retainkit._messages import quoted
from retainkit.errors import ArgumentTypeError
from retainkit.typing import Progress

Step: TypeAlias = Callable[[int], object]
"""Is told how many steps have been done since it was told before."""


def check_progress(progress: object) -> None:
    """Check the argument `progress`."""
    if progress is not None and not callable(progress):
        raise ArgumentTypeError(
            f"`progress` is {quoted(progress)}; it must be something to call with `total=`, such "
            "as tqdm.tqdm, or None.",
            argument="progress",
        )


@contextmanager
def steps_of(progress: Progress | None, total: int) -> Iterator[Step]:
    """Yield what is told of the steps done; what `progress` made is closed, on an error too.

    Of no steps at all it is not called.
    """
    if progress is None or not total:
        yield no_step
        return
    bar = progress(total=total)
    missing = [name for name in ("update", "close") if not callable(getattr(bar, name, None))]
    if missing:
        raise ArgumentTypeError(
            f"`progress` gives {quoted(bar)}, which has no `{missing[0]}()`; it must give "
            "something with update() and close(), as tqdm.tqdm does.",
            argument="progress",
        )
    with closing(bar):
        yield bar.update


def no_step(_: int) -> None:
    """Ignore steps that are done."""
