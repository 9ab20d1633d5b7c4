"""The cuts of measures as a table, to be kept and used again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from retainkit._frames.output import build_like
from retainkit._frames.segments import segment_values
from retainkit._inputs.columns import Column, column_names, read_columns
from retainkit._inputs.facts import read_facts, without_nulls
from retainkit._inputs.kinds import AMOUNT
from retainkit._typing import Floats, Integers
from retainkit.errors import ArgumentError
from retainkit.segments._cut_points import number_below, score_of
from retainkit.segments._cuts import TableValues, check_bins, cuts_of, values_of
from retainkit.segments._spec import LOW_IS_GOOD, MEASURES
from retainkit.typing import IntoTable, TableT

_OWN = ("measure", "score", "lower", "upper", "customers")


def rfm_cuts(
    scores: TableT | IntoTable[TableT],
    *,
    bins: int = 5,
    measures: str | Sequence[str] = MEASURES,
    by: str | Sequence[str] | None = None,
) -> TableT:
    r"""Cuts between the scores of each measure, as a table that can be kept.

    >>> from retainkit import datasets, rfm_cuts, rfm_summary
    >>> summary = rfm_summary(datasets.load_cdnow(sample=True))
    >>> rfm_cuts(summary, measures="T")
      measure  score  lower  upper  customers
    0       T      1   -inf  478.0        474
    1       T      2  478.0  493.0        469
    2       T      3  493.0  509.0        477
    3       T      4  509.0  526.0        494
    4       T      5  526.0    inf        443

    Of :math:`n` values and :math:`b` bins, cut :math:`k` is the value at rank :math:`\lceil n k / b
    \rceil` in ascending order: a value that is there, by R's quantiles of type 1. `rfm_scores`
    takes the table as its `cuts`, and scores later customers by the same measure as these.

    Parameters
    ----------
    scores : IntoFrame
        One row a customer with numbers to cut, such as `rfm_scores` makes it: pandas, Polars (lazy
        too) or PyArrow, a DuckDB relation or a PySpark DataFrame.
    bins : int, default 5
        Number of scores of each measure, from 2 to 100.
    measures : str or sequence of str, default ("recency_days", "frequency", "monetary")
        Columns of numbers to be cut. High is good, but for ``recency_days``, of which the highest
        score is that of the least values.
    by : str or sequence of str, optional
        Columns of segments. Null is a segment of its own, and each has its own cuts.

    Returns
    -------
    DataFrame
        One row for each score of each measure in each segment: a new frame of the same kind as
        `scores`, in memory (of DuckDB and PySpark: pandas).

        - the columns of `by`.
        - ``measure`` (str): the column that is cut, in the order of `measures`.
        - ``score`` (int): 1 to `bins`, ascending.
        - ``lower``, ``upper`` (float): bounds of the values with this score, in the unit of the
          measure: above ``lower``, and up to ``upper`` included. The first and the last interval
          are open, to ``-inf`` and ``inf``.
        - ``customers`` (int): number of customers in it; 0 where many share a value, so that two
          cuts are the same.

    Raises
    ------
    MissingColumnError
        If a column is not in the frame (a `KeyError`).
    ColumnTypeError, ArgumentTypeError
        If a column or an argument is of the wrong type (a `TypeError`).
    ArgumentError
        If an argument has a wrong value, or a measure has nulls (a `ValueError`).

    See Also
    --------
    rfm_scores : Takes the table as its `cuts`.

    Notes
    -----
    Cuts are for comparing. Made once and kept, they show how many customers moved since; made anew
    at each instant, every fifth always has the same share, whatever became of the customers.

    References
    ----------
    .. [1] Hyndman, R. J. & Fan, Y. (1996), "Sample Quantiles in Statistical Packages", The American
       Statistician 50 (4), 361-365 (definition 1).

    Examples
    --------
    Ten values in five bins: the second, fourth, sixth and eighth are the cuts.

    >>> import pandas as pd
    >>> from retainkit import rfm_cuts
    >>> values = pd.DataFrame({"spend": [1, 1, 1, 2, 3, 5, 8, 13, 21, 34]})
    >>> rfm_cuts(values, measures="spend")
      measure  score  lower  upper  customers
    0   spend      1   -inf    1.0          3
    1   spend      2    1.0    2.0          1
    2   spend      3    2.0    5.0          2
    3   spend      4    5.0   13.0          2
    4   spend      5   13.0    inf          2
    """
    check_bins(bins)
    names = column_names("measures", measures)
    if not names:
        raise ArgumentError(
            "`measures` names no column; name those to be cut.",
            code="empty_argument",
            argument="measures",
        )
    inner = {f"measure_{i}": name for i, name in enumerate(names)}
    table = read_columns(
        scores,
        "scores",
        [Column(one, AMOUNT, nulls="refuse") for one in inner],
        inner,
        by=by,
        reserved=_OWN,
        argument_names=dict.fromkeys(inner, "measures"),
    )
    table, _, _ = without_nulls(table, read_facts, "raise")
    values = values_of(table.rows, table.keys, [*inner])
    segment, columns = _intervals(values, bins, inner)
    keys = segment_values(values.segments, table.by, segment)
    result: TableT = build_like(table.rows, keys | columns)
    return result


def _intervals(
    values: TableValues, bins: int, names: Mapping[str, str]
) -> tuple[Integers, dict[str, Any]]:
    """Return the segment of each row, and the columns of the intervals."""
    cuts, _ = cuts_of(values, bins)
    shape = (values.n_segments, len(names), bins)
    score = np.empty(shape, np.int64)
    lower, upper, customers = np.empty(shape), np.empty(shape), np.empty(shape, np.int64)
    for place, (inner, name) in enumerate(names.items()):
        points = cuts.points[inner]
        open_end = np.full((values.n_segments, 1), np.inf)
        bounds = np.hstack([-open_end, points, open_end])
        # From the lowest score up.
        step = -1 if name == LOW_IS_GOOD else 1
        score[:, place] = score_of(np.arange(bins), bins, low_is_good=name == LOW_IS_GOOD)[::step]
        lower[:, place], upper[:, place] = bounds[:, :-1][:, ::step], bounds[:, 1:][:, ::step]
        customers[:, place] = _count(values, inner, points, bins)[:, ::step]
    segment = np.repeat(np.arange(values.n_segments), len(names) * bins)
    measure = np.tile(np.repeat(np.array([*names.values()], np.str_), bins), values.n_segments)
    return segment, {
        "measure": measure,
        "score": score.ravel(),
        "lower": lower.ravel(),
        "upper": upper.ravel(),
        "customers": customers.ravel(),
    }


def _count(values: TableValues, name: str, points: Floats, bins: int) -> Integers:
    """Count the customers in each interval of a measure, a row a segment."""
    found = np.zeros((values.n_segments, bins), np.int64)
    for number, part in enumerate(values.measures[name].by_segment(values.n_segments)):
        place = number_below(part.value, points[number])
        found[number] = np.bincount(place, part.counts, minlength=bins)
    return found
