"""Respondents who are in both of two groups that are compared."""

from __future__ import annotations

import numpy as np

from retainkit._inputs.group_pairs import GroupPairs
from retainkit._stats.intervals import ratio
from retainkit._stats.nps_differences import correlations
from retainkit._typing import Floats, Integers
from retainkit.surveys._repeat_respondents import respondent_arrays
from retainkit.surveys._scaled_answers import ScaledAnswers

_ROUNDING = 1e-12  # values lie between -1 and 1, and a smaller deviation from the mean is rounding


def match_respondents(
    pairs: GroupPairs, cell: Integers, respondent: Integers
) -> tuple[Integers, Integers, Integers]:
    """Match respondents who are in both cells of a comparison.

    There is one element for each cell and respondent, in the order of cells and of respondents
    within a cell. Returns the number of the comparison and the indices of the two elements, one
    element a match.
    """
    width = int(respondent.max(initial=-1)) + 1
    key = cell * width + respondent
    begins, ends = np.searchsorted(cell, pairs.first), np.searchsorted(cell, pairs.first, "right")
    sizes = ends - begins
    # Every element of the first cell, and the index of the same respondent in the second.
    number = np.repeat(np.arange(len(sizes)), sizes)
    offset = np.arange(len(number)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    first = begins[number] + offset
    partner = pairs.second[number] * width + respondent[first]
    second = np.minimum(np.searchsorted(key, partner), max(len(key) - 1, 0))
    same = key[second] == partner if len(key) else np.zeros(0, bool)
    return number[same], first[same], second[same]


def score_correlations(found: ScaledAnswers, pairs: GroupPairs, values: Floats) -> Floats:
    """Correlation of the means of `values` in two groups, by the respondents who are in both.

    With e the sum of w (x - mean) / sum of w over the answers of one respondent in a group, the
    covariance of two means is the sum of the products of both e, and the variance of a mean is
    that of their squares. Reads a row a respondent and group into memory.
    """
    each = respondent_arrays(found.responses, found.counts, values)
    cell, respondent, weighted, weight = each.segment, each.respondent, each.weighted, each.weight
    n_cells = found.counts.n_segments
    total, mean = _sums_and_means(cell, weighted, weight, n_cells)
    order = np.lexsort((respondent, cell))
    order = order[weight[order] > 0]
    cell, respondent = cell[order], respondent[order]
    share = weight[order] / total[cell]
    error = weighted[order] / total[cell] - mean[cell] * share
    error[np.abs(error) <= _ROUNDING * share] = 0  # where all are alike, nothing is correlated
    variance = np.bincount(cell, error**2, n_cells).astype(np.float64)
    number, first, second = match_respondents(pairs, cell, respondent)

    def sums(products: Floats) -> Floats:
        return np.bincount(number, products, len(pairs.first)).astype(np.float64)

    shared = sums(np.ones(len(number)))
    return correlations(
        sums(error[first] * error[second]),
        variance[pairs.first] * variance[pairs.second],
        np.nan_to_num(ratio(2 * sums(share[first] * share[second]), shared)),
    )


def _sums_and_means(
    cell: Integers, weighted: Floats, weight: Floats, n_cells: int
) -> tuple[Floats, Floats]:
    """Return the sum of the weights of each cell, and the weighted mean."""
    total = np.bincount(cell, weight, n_cells).astype(np.float64)
    return total, ratio(np.bincount(cell, weighted, n_cells), total)
