"""The table of declared columns is that of the public functions."""

import inspect

import pytest

import retainkit
from declared import COLUMNS

# These read a result of this library, or numbers alone.
OF_RESULTS = {
    *("annualize_rate", "expected_lifetime", "fit_bdw", "fit_sbg", "median_lifetime"),
    *("retention_curve", "retention_matrix", "survey_detectable_difference", "survey_sample_size"),
}


def test_every_public_function_that_takes_rows_declares_its_columns() -> None:
    functions = {name for name in retainkit.__all__ if inspect.isfunction(getattr(retainkit, name))}
    assert functions - OF_RESULTS == COLUMNS.keys()


@pytest.mark.parametrize("name", COLUMNS)
def test_declared_columns_are_arguments(name: str) -> None:
    parameters = inspect.signature(getattr(retainkit, name)).parameters
    assert {column.argument for column in COLUMNS[name]} <= parameters.keys()
