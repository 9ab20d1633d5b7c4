"""The fixture `backend`: a test that asks for it runs on every kind of frame.

Pictures are drawn without a screen. Which tests are left out is
decided here: those that only CI runs, and those of the kinds of frames that `--backends` does not
name. The last lines of a run say how many they were.
"""

import os
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from backends import BACKENDS, Backend, params, spark
from sizes import ALL

os.environ["MPLBACKEND"] = "Agg"

NAMES = [one.name for one in BACKENDS]
TO_CI = "for CI (RETAINKIT_ALL=1 runs them)"
TO_BACKENDS = "of kinds of frames that --backends does not name"
left_out = pytest.StashKey[Counter[str]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--backends",
        metavar="NAMES",
        help=f"run what runs on several kinds of frames on these alone, of {','.join(NAMES)}",
    )


def pytest_configure(config: pytest.Config) -> None:
    config.stash[left_out] = Counter()
    unknown = sorted({*chosen(config)} - {*NAMES})
    if unknown:
        raise pytest.UsageError(f"--backends: no {', '.join(unknown)}; there are {NAMES}")


def chosen(config: pytest.Config) -> list[str]:
    """Return the names of the kinds of frames that are to be tested."""
    names: str | None = config.getoption("--backends")
    return NAMES if names is None else names.split(",")


def backends_of(item: pytest.Item) -> set[str]:
    """Return the kinds of frames that the parameters of a test name."""
    callspec = getattr(item, "callspec", None)
    values = callspec.params.values() if callspec else ()
    names = {
        value.name if isinstance(value, Backend) else value
        for value in values
        if isinstance(value, (Backend, str))
    }
    return names & {*NAMES}


def reason_to_leave_out(item: pytest.Item) -> str | None:
    """Return why a test is not to run, or None where it is."""
    if backends_of(item) - {*chosen(item.config)}:
        return TO_BACKENDS
    only_ci = item.get_closest_marker("ci") or item.get_closest_marker("simulation")
    return TO_CI if only_ci and not ALL else None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    reasons = {item: reason_to_leave_out(item) for item in items}
    out = [item for item in items if reasons[item]]
    config.stash[left_out].update(str(reasons[item]) for item in out)
    if out:
        config.hook.pytest_deselected(items=out)
        items[:] = [item for item in items if not reasons[item]]


def pytest_sessionfinish(session: pytest.Session) -> None:
    # A worker of xdist has the tests, and its master writes the last lines.
    output: dict[str, Any] | None = getattr(session.config, "workeroutput", None)
    if output is not None:
        counts = session.config.stash[left_out]
        output["left_out"] = dict(counts)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any, error: object) -> None:
    del error
    # Every worker collects all tests, so that one of them speaks for all.
    node.config.stash[left_out] |= Counter(getattr(node, "workeroutput", {}).get("left_out", {}))


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    for reason, count in config.stash[left_out].items():
        terminalreporter.write_line(f"{count} tests were left out: {reason}")


@pytest.fixture(params=params(BACKENDS))
def backend(request: pytest.FixtureRequest) -> Backend:
    """Return each backend in turn; where one is not installed, the test is skipped."""
    one: Backend = request.param
    one.require()
    return one


@pytest.fixture(scope="session", autouse=True)
def _spark_ends_with_the_tests() -> Iterator[None]:
    yield
    if spark.cache_info().currsize:
        spark().stop()
