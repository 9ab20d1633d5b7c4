"""Changes of the Net Promoter Score of the same respondents between two groups."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from retainkit._frames.factorize import integer_codes
from retainkit._frames.input import collect
from retainkit._frames.segments import factorize_segments
from retainkit._inputs.group_pairs import GroupPairs
from retainkit._messages import count_noun, format_examples, warn
from retainkit._stats.intervals import ratio
from retainkit._stats.nps_differences import paired_limits, paired_p_value
from retainkit._typing import Floats, Integers
from retainkit.errors import ArgumentError
from retainkit.surveys._nps_table import promoter_values
from retainkit.surveys._scaled_answers import ScaledAnswers
from retainkit.surveys._shared_respondents import match_respondents


@dataclass(frozen=True, slots=True, kw_only=True)
class _PromoterValues:
    """Answers that count as 1, 0 or -1, in the order of cells and of respondents within a cell."""

    cell: Integers
    respondent: Integers
    value: Floats


def compare_respondents(
    found: ScaledAnswers, pairs: GroupPairs, edges: tuple[float, float], level: float
) -> dict[str, Any]:
    """Compare the answers of respondents who answered in both groups."""
    answers = _read_values(found, edges)
    number, first, second = match_respondents(pairs, answers.cell, answers.respondent)
    _warn_of_unpaired(found, answers.cell, pairs, np.concatenate([first, second]))

    def sums(values: Floats) -> Floats:
        return np.bincount(number, values, len(pairs.first)).astype(np.float64)

    value_a, value_b = answers.value[first], answers.value[second]
    change = value_a - value_b
    n, total, squares = sums(np.ones(len(number))), sums(change), sums(change**2)
    lower, upper = paired_limits(n, total, squares, level)
    return {
        "n_a": n.astype(np.int64),
        "n_b": n.astype(np.int64),
        "nps_a": 100 * ratio(sums(value_a), n),
        "nps_b": 100 * ratio(sums(value_b), n),
        "difference": 100 * ratio(total, n),
        "lower": 100 * lower,
        "upper": 100 * upper,
        "p_value": paired_p_value(n, total, squares),
    }


def _read_values(found: ScaledAnswers, edges: tuple[float, float]) -> _PromoterValues:
    """Read the answers that count, and check that a respondent has one in a cell."""
    responses, counts = found.responses, found.counts
    rows = collect(responses.rows)
    _, cell = factorize_segments(rows, responses.keys)
    answers, index = np.unique(counts.answer, return_index=True)
    values = promoter_values(counts, edges)
    known = dict(zip(answers.tolist(), values[index].tolist(), strict=True))
    value = np.array([known.get(one, np.nan) for one in rows["score"].to_list()], np.float64)
    respondent = integer_codes(rows["respondent"])[0]
    valid = np.flatnonzero(~np.isnan(value))
    order = valid[np.lexsort((respondent[valid], cell[valid]))]
    cell, respondent = cell[order], respondent[order]
    repeated = (cell[1:] == cell[:-1]) & (respondent[1:] == respondent[:-1])
    if repeated.any():
        again = rows["respondent"][order[1:][repeated].tolist()]
        names = again.unique(maintain_order=True).to_list()
        raise ArgumentError(
            f"{count_noun(len(names), 'respondent')} in {responses.source('respondent')} answered "
            f"more than once in a group, such as {format_examples(names)}; a pair is one answer in "
            "each. Leave one in, for instance with `repeat='last'`.",
            code="repeated_respondents",
            argument=responses.own_name("respondent"),
            column=responses.names["respondent"],
            rows=len(names),
            total=len(np.unique(respondent)),
        )
    return _PromoterValues(cell=cell, respondent=respondent, value=value[order])


def _warn_of_unpaired(
    found: ScaledAnswers, cell: Integers, pairs: GroupPairs, matched: Integers
) -> None:
    """Warn of answers without a partner in some comparison; `matched` has an index for each use."""
    size = cell.max(initial=0) + 1
    compared = np.bincount(np.concatenate([pairs.first, pairs.second]), minlength=size)
    left = int((np.bincount(matched, minlength=len(cell)) < compared[cell]).sum())
    if left:
        warn(
            f"{left:,} of {count_noun(int((compared[cell] > 0).sum()), 'answer')} "
            f"{'is' if left == 1 else 'are'} left out of one comparison or more: who gave "
            f"{'it' if left == 1 else 'them'}, by {found.responses.source('respondent')}, answered "
            "in one of the two groups only.",
            code="unpaired_answers",
            argument="pair",
            column=found.responses.names["respondent"],
            rows=left,
            total=int((compared[cell] > 0).sum()),
        )
