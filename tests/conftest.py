"""The fixture `backend`: a test that asks for it runs on every kind of frame.

Pictures are drawn without a screen, and no figure outlives its test.
"""

import os
import sys
from collections.abc import Iterator

import pytest

from backends import BACKENDS, Backend, params, spark

os.environ["MPLBACKEND"] = "Agg"


@pytest.fixture(params=params(BACKENDS))
def backend(request: pytest.FixtureRequest) -> Backend:
    """Give each backend in turn; where one is not installed, the test is skipped."""
    one: Backend = request.param
    one.require()
    return one


@pytest.fixture(autouse=True)
def _figures_end_with_the_test() -> Iterator[None]:
    yield
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")


@pytest.fixture(scope="session", autouse=True)
def _spark_ends_with_the_tests() -> Iterator[None]:
    yield
    if spark.cache_info().currsize:
        spark().stop()
