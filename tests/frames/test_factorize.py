"""Codes of many numbers, which are sorted, against those of pandas' table of hashes."""

import numpy as np
import pandas as pd
import pytest

from retainkit._frames import factorize as module
from retainkit._frames.factorize import factorize_array

DRAW = np.random.default_rng(1)
NUMBERS = {
    "floats": np.append(DRAW.permutation(5000) + 0.5, [np.nan] * 5 + [0.5, 0.0, -0.0]),
    "integers": DRAW.integers(-(2**62), 2**62, 5000),
    "unsigned": DRAW.integers(0, 2**64, 5000, dtype=np.uint64),
}


@pytest.mark.parametrize("values", NUMBERS.values(), ids=NUMBERS)
def test_sorted_codes_are_those_of_pandas(
    values: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_MANY", 1000)
    monkeypatch.setattr(module, "_SAMPLE", 500)
    monkeypatch.setattr(pd, "factorize", None)
    codes, distinct = factorize_array(values, sort=True)
    monkeypatch.undo()
    wanted, uniques = pd.factorize(values, sort=True)
    np.testing.assert_array_equal(codes, wanted)
    np.testing.assert_array_equal(distinct, uniques)


def test_few_distinct_numbers_are_counted_in_a_table(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_sorted_codes", None)
    codes, distinct = factorize_array(np.arange(2**21) % 11, sort=True)
    assert (codes[:3].tolist(), len(distinct)) == ([0, 1, 2], 11)
