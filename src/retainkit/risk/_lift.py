"""Lift table: rows ranked by a score, cut into bins, with what came of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from retainkit._checks import boolean, integer, probability
from retainkit._frames.output import build_like
from retainkit._messages import quoted
from retainkit._stats.intervals import ratio, wilson
from retainkit._stats.ranking import bin_of_ranks
from retainkit._typing import Floats, Integers
from retainkit.errors import ArgumentError
from retainkit.risk._scored import ScoreCounts, read_scored
from retainkit.typing import IntoTable, TableT

RESULT = (
    *("bin", "n", "score_min", "score_max", "mean_score", "events", "rate", "lower", "upper"),
    *("lift", "lift_lower", "lift_upper", "cumulative_n", "cumulative_events"),
    *("cumulative_rate", "cumulative_lift", "gain", "amount", "amount_gain"),
)
_MOST_BINS = 1_000_000


def lift_table(
    scored: TableT | IntoTable[TableT],
    *,
    score: str = "score",
    outcome: str = "churned",
    bins: int = 10,
    amount: str | None = None,
    by: str | Sequence[str] | None = None,
    descending: bool = True,
    confidence_level: float = 0.95,
) -> TableT:
    r"""Lift and gain of a score by bin: what came of those whom it ranks first, second and so on.

    >>> import pandas as pd
    >>> from retainkit import lift_table
    >>> scored = pd.DataFrame({"score": [9, 8, 7, 6], "churned": [1, 1, 0, 1]})
    >>> lift_table(scored, bins=2)[["bin", "n", "events", "rate", "lift", "gain"]].round(3)
       bin  n  events  rate   lift   gain
    0    1  2       2   1.0  1.333  0.667
    1    2  2       1   0.5  0.667  1.000

    Of all n rows, e of which had the outcome, bin b holds :math:`n_b` and :math:`e_b`:

    .. math::
       \text{rate}_b = \frac{e_b}{n_b}, \qquad \text{lift}_b = \frac{e_b / n_b}{e / n}, \qquad
       \text{gain}_b = \frac{e_1 + \dots + e_b}{e}.

    Rows are ranked by the score, and bin k ends at rank :math:`\lceil n k / \text{bins} \rceil`.
    All rows of one score go to the bin in which the first of them lies: they are never split, so
    that no order of rows changes anything. A bin may so be larger than others, or absent.

    Parameters
    ----------
    scored : IntoFrame
        One row a customer, or a customer and snapshot, with a score and what came of it: pandas,
        Polars (lazy too) or PyArrow, a DuckDB relation or a PySpark DataFrame.
    score : str, default "score"
        Column of the score that is judged, in any unit: a probability, the points of a health
        score, the days since the last order.
    outcome : str, default "churned"
        Column of what came: booleans, or 1 and 0. Where it is null nothing is known yet.
    bins : int, default 10
        Number of bins of equal size.
    amount : str, optional
        Column of what a customer is worth, for ``amount`` and ``amount_gain``.
    by : str or sequence of str, optional
        Columns of segments. Null is a segment of its own. Each is ranked by itself.
    descending : bool, default True
        Whether the greatest score comes first. Set it to False where little is bad, as with a
        health score.
    confidence_level : float, default 0.95
        Coverage of the interval, between 0 and 1.

    Returns
    -------
    DataFrame
        A row for every bin that has any rows, in order; with `by` for every segment and bin,
        segments in ascending order with nulls last. A new frame of the kind of `scored`; Polars
        for a LazyFrame, pandas for DuckDB and PySpark.

        - the columns of `by`.
        - ``bin`` (int): from 1, those ranked first, to `bins`.
        - ``n`` (int): rows in the bin.
        - ``score_min``, ``score_max``, ``mean_score`` (float): of their scores.
        - ``events`` (int): those of them with the outcome.
        - ``rate`` (float): ``events`` by ``n``, a fraction.
        - ``lower``, ``upper`` (float): Wilson's interval of ``rate``.
        - ``lift`` (float): ``rate`` by that of all rows: 2 is twice as many as among all.
        - ``lift_lower``, ``lift_upper`` (float): ``lower`` and ``upper`` by that of all rows.
        - ``cumulative_n``, ``cumulative_events`` (int): of this bin and those before it.
        - ``cumulative_rate``, ``cumulative_lift`` (float): the same of all these rows.
        - ``gain`` (float): share of all events that they hold, a fraction.
        - ``amount``, ``amount_gain`` (float): with `amount`, what the rows of the bin are worth,
          and the share of it so far.

        The lifts are NaN where no row, or every row, has the outcome; ``gain`` where none has.

    Raises
    ------
    MissingColumnError
        If a column is not in the frame (a `KeyError`).
    ColumnTypeError, ArgumentTypeError
        If a column or an argument is of the wrong type, an outcome is text (a `TypeError`).
    ArgumentError
        If an outcome is neither 0 nor 1; if a score or an amount is null or infinite (a
        `ValueError`).

    Warns
    -----
    RetainkitWarning
        If the outcome of some rows is null: they are left out.

    See Also
    --------
    score_report : The same scores in one row: AUC, Brier score, calibration.
    retainkit.plot.lift : Its picture.

    Notes
    -----
    Others say gains table, decile table, cumulative gains or capture rate (``gain``).

    *Ties.* Tables that number the rows (NTILE, argsort) cut customers of one score apart by
    whatever order they are in, and so invent a difference between bins. Here a coarse score has
    few bins: what it cannot tell apart is not told apart.

    *The interval* of the lift takes the rate of all rows as known; it is that of the rate alone.
    A high lift in a bin of few rows is mostly chance: look at ``lift_lower``.

    References
    ----------
    .. [1] Wilson, E. B. (1927), "Probable Inference, the Law of Succession, and Statistical
       Inference", Journal of the American Statistical Association 22, 209-212.

    Examples
    --------
    A health score of which little is bad. The first of three bins should end after two customers,
    but three have the least score, and stay together:

    >>> import pandas as pd
    >>> from retainkit import lift_table
    >>> health = pd.DataFrame({"score": [20, 20, 20, 80, 90, 90], "churned": [1, 1, 0, 1, 0, 0]})
    >>> table = lift_table(health, bins=3, descending=False)
    >>> table[["bin", "n", "score_min", "score_max", "events", "lift", "gain"]].round(3)
       bin  n  score_min  score_max  events   lift   gain
    0    1  3       20.0       20.0       2  1.333  0.667
    1    2  1       80.0       80.0       1  2.000  1.000
    2    3  2       90.0       90.0       0  0.000  1.000
    """
    if integer("bins", bins, 1) > _MOST_BINS:
        raise ArgumentError(
            f"`bins` is {quoted(bins)}; it must be 1 to {_MOST_BINS:,}.",
            code="argument_value",
            argument="bins",
        )
    boolean("descending", descending)
    probability("confidence_level", confidence_level)
    counts = read_scored(
        scored, score=score, outcome=outcome, amount=amount, by=by, reserved=RESULT
    )
    columns, segment = lift_columns(counts, int(bins), confidence_level, descending=descending)
    rows = segment.tolist()
    segments = {name: keys[rows] for name, keys in counts.segments.items()}
    return build_like(counts.given, segments | columns)


def lift_columns(
    counts: ScoreCounts, bins: int, confidence_level: float, *, descending: bool
) -> tuple[dict[str, Any], Integers]:
    """Compute the columns of the table, a row for each segment and bin, and their segments."""
    places = np.arange(len(counts.score))
    if descending:
        places = np.lexsort((-counts.score, counts.segment))
    segment, score, n = counts.segment[places], counts.score[places], counts.n[places]
    total = counts.totals(counts.n)
    before = np.cumsum(n) - n - (np.cumsum(total) - total)[segment]
    place = bin_of_ranks(before + 1, total[segment], bins)
    opens = np.flatnonzero(np.append(True, np.diff(segment * (bins + 1) + place) != 0)[: len(n)])
    segment = segment[opens]

    def sums(values: Any) -> Any:
        return np.add.reduceat(values, opens) if len(opens) else values

    size, events = sums(n), sums(counts.events[places])
    extremes = (
        [np.minimum.reduceat(score, opens), np.maximum.reduceat(score, opens)]
        if len(opens)
        else [score, score]
    )
    rate = ratio(events, size)
    columns: dict[str, Any] = {
        "bin": place[opens],
        "n": size,
        "score_min": extremes[0],
        "score_max": extremes[1],
        "mean_score": _means(sums(n * score), size, *extremes),
        "events": events,
        "rate": rate,
    }
    columns |= _ratios(columns, counts, segment, confidence_level)
    if counts.amount is not None:
        amount = sums(counts.amount[places])
        every = np.bincount(segment, amount, counts.n_segments)
        columns |= {
            "amount": amount,
            "amount_gain": ratio(_running(amount, segment), every[segment]),
        }
    return columns, segment


def _ratios(
    columns: dict[str, Any], counts: ScoreCounts, segment: Integers, confidence_level: float
) -> dict[str, Any]:
    """Compute what sets the bins beside all rows."""
    size, events = columns["n"], columns["events"]
    total, happened = counts.totals(counts.n), counts.totals(counts.events)
    base = np.where((happened > 0) & (happened < total), ratio(happened, total), np.nan)[segment]
    lower, upper = wilson(events, size, confidence_level)
    n_so_far, so_far = _running(size, segment), _running(events, segment)
    cumulative = ratio(so_far, n_so_far)
    return {
        "lower": lower,
        "upper": upper,
        "lift": columns["rate"] / base,
        "lift_lower": lower / base,
        "lift_upper": upper / base,
        "cumulative_n": n_so_far,
        "cumulative_events": so_far,
        "cumulative_rate": cumulative,
        "cumulative_lift": cumulative / base,
        "gain": ratio(so_far, happened[segment]),
    }


def _means(sums: Floats, size: Integers, least: Floats, most: Floats) -> Floats:
    """Return means, which rounding must not move beyond the values that they are means of."""
    means: Floats = np.clip(ratio(sums, size), least, most)
    return means


def _running(values: Any, segment: Integers) -> Any:
    """Return sums from the first row of each segment on."""
    running = np.cumsum(values)
    starts = np.append(True, segment[1:] != segment[:-1])[: len(segment)]
    opens = np.flatnonzero(starts)
    before = running[opens] - values[opens]
    return running - before[np.cumsum(starts) - 1]
