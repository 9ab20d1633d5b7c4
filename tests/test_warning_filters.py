"""Warning filters are the program's: no function changes them, not even for as long as it runs.

Threads share them, so that what one sets and takes back, another may leave behind.
"""

import re
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from backends import BACKENDS, Backend
from registry import REGISTRY
from source import SOURCES
from test_contract import WITH_TABLES, each, made, on

# pandas does even where it tells the types of columns; that is between it and the program.
OWN_AFFAIR = {"pandas", "warnings"}
CHANGES = ("filterwarnings", "resetwarnings", "simplefilter")


@contextmanager
def untouched(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Fail where filters are changed, and where they are not what they were afterwards."""

    def refused(change: Callable[..., Any]) -> Callable[..., Any]:
        def checked(*arguments: Any, **options: Any) -> Any:
            caller = sys._getframe(1).f_globals["__name__"]
            assert caller.partition(".")[0] in OWN_AFFAIR, f"{caller} changes warning filters"
            return change(*arguments, **options)

        return checked

    filters, before = warnings.filters, [*warnings.filters]
    with monkeypatch.context() as patched:
        enter = warnings.catch_warnings.__enter__
        patched.setattr(warnings.catch_warnings, "__enter__", refused(enter))
        for name in CHANGES:
            patched.setattr(warnings, name, refused(getattr(warnings, name)))
        yield
    assert warnings.filters is filters
    assert before == [*warnings.filters]


@pytest.mark.filterwarnings("ignore::retainkit.errors.RetainkitWarning")
@on(BACKENDS, each(WITH_TABLES))
def test_no_function_touches_warning_filters(
    name: str, backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = REGISTRY[name]
    tables = made(entry, backend)
    with untouched(monkeypatch):
        entry.function(**tables, **entry.options)


# --- imports -----------------------------------------------------------------------------------

PROGRAM = """
import sys, threading, warnings
import numpy, pandas, polars

filters, before = warnings.filters, [*warnings.filters]
import retainkit as rk

scores = polars.DataFrame({"score": [10, 9, 3], "plan": ["a", "b", "a"]})
survivors = pandas.DataFrame({"age": [0, 1, 2, 3], "retained": [1000, 631, 468, 382]})
calls = [
    lambda: rk.nps(scores, by="plan"),
    lambda: rk.fit_sbg(survivors, customers=1000),
    lambda: rk.revenue_retention,
    lambda: rk.purchase_regularity,
]
if sys.argv[1:]:
    threads = [threading.Thread(target=one) for one in calls]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
else:
    for one in calls:
        one()
assert {"scipy.sparse", "scipy.optimize", "scipy.special"} <= {*sys.modules}
new = [one for one in warnings.filters if one not in before]
sys.exit(f"new: {new}" if new or len(warnings.filters) != len(before) else 0)
"""


@pytest.mark.parametrize("threads", [[], ["in threads"]], ids=["in turn", "in threads"])
@pytest.mark.parametrize("options", [[], ["-W", "error"]], ids=["", "warnings are errors"])
def test_the_first_use_adds_no_filter(options: list[str], threads: list[str]) -> None:
    command = [sys.executable, *options, "-c", PROGRAM, *threads]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    assert (done.returncode, done.stderr) == (0, "")


def test_filters_that_were_there_before_stay() -> None:
    code = """
import warnings
import scipy.sparse, scipy.special
before = [*warnings.filters]
from retainkit import *
assert before == [*warnings.filters]
"""
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    assert (done.returncode, done.stderr) == (0, "")


def test_scipy_is_imported_in_one_way() -> None:
    for name, source in SOURCES.items():
        assert not re.search(r"(?m)^(from|import) scipy", source), name
