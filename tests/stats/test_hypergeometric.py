"""Tails of the hypergeometric distribution, held to SciPy's and to exact fractions."""

from fractions import Fraction
from math import comb

import numpy as np
import pytest
from scipy import stats

from retainkit._stats.hypergeometric import two_sided_p_values


def exact(both: int, drawn: int, marked: int, total: int) -> float:
    """Return twice the smaller tail, summed in fractions."""
    first, last = max(0, drawn + marked - total), min(drawn, marked)
    every = {
        x: Fraction(comb(marked, x) * comb(total - marked, drawn - x), comb(total, drawn))
        for x in range(first, last + 1)
    }
    lower = sum(p for x, p in every.items() if x <= both)
    upper = sum(p for x, p in every.items() if x >= both)
    return float(min(2 * min(lower, upper), Fraction(1)))


def test_every_table_of_a_small_total_is_exact() -> None:
    tables = [
        (both, drawn, marked, 12)
        for drawn in range(13)
        for marked in range(13)
        for both in range(max(0, drawn + marked - 12), min(drawn, marked) + 1)
    ]
    found = two_sided_p_values(*np.array(tables).T)
    assert found == pytest.approx([exact(*one) for one in tables], rel=1e-11)


def test_large_tables_are_those_of_scipy() -> None:
    draw = np.random.default_rng(4)
    total = draw.integers(100, 50_000, 3_000)
    drawn, marked = (np.ceil(draw.random(3_000) ** 3 * total).astype(int) for _ in range(2))
    both = draw.hypergeometric(marked, total - marked, drawn)
    both = np.clip(both + draw.integers(-3, 4, 3_000), 0, np.minimum(drawn, marked))
    both = np.maximum(both, drawn + marked - total)
    law = stats.hypergeom(total, marked, drawn)
    want = np.minimum(2 * np.minimum(law.cdf(both), law.sf(both - 1)), 1)
    found = two_sided_p_values(both, drawn, marked, total)
    assert found == pytest.approx(want, rel=1e-7)


def test_far_tails_keep_their_digits() -> None:
    found = two_sided_p_values(*np.array([[30, 100, 40, 10_000], [0, 500, 400, 1_000]]).T)
    assert found == pytest.approx([exact(30, 100, 40, 10_000), exact(0, 500, 400, 1_000)], rel=1e-9)
    assert found[0] < 1e-40


def test_nothing_has_no_p_values() -> None:
    none = np.zeros(0, np.int64)
    assert len(two_sided_p_values(none, none, none, none)) == 0
