"""Score report: how well a score ranks, how far off it is, and how well it is calibrated."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from retainkit._checks import boolean
from retainkit._checks import probability as check_probability
from retainkit._frames.output import build_like
from retainkit._messages import count_noun, named, segment_label, warn
from retainkit._stats.intervals import ratio
from retainkit._stats.logistic import Calibration, calibration
from retainkit._stats.ranking import auc
from retainkit._typing import Floats, Integers
from retainkit.risk._lift import lift_columns
from retainkit.risk._scored import ScoreCounts, read_scored
from retainkit.typing import IntoTable, TableT

_CALIBRATION = ("calibration_in_large", "calibration_intercept", "calibration_slope")
RESULT = (
    *("n", "events", "base_rate", "mean_score", "auc", "auc_lower", "auc_upper"),
    *("brier", "brier_null", "brier_skill"),
    *(f"{name}{ending}" for name in _CALIBRATION for ending in ("", "_lower", "_upper")),
    "top_decile_lift",
)
_LEAST = 1e-12  # of a probability, and of 1 less it, whose log-odds are used
_DECILES = 10


def score_report(
    scored: TableT | IntoTable[TableT],
    *,
    score: str = "score",
    outcome: str = "churned",
    by: str | Sequence[str] | None = None,
    probability: bool = True,
    confidence_level: float = 0.95,
) -> TableT:
    r"""Compute how well a score of risk ranks, and whether its probabilities hold.

    >>> import pandas as pd
    >>> from retainkit import score_report
    >>> scored = pd.DataFrame({"score": [0.9, 0.6, 0.4, 0.2], "churned": [1, 0, 1, 0]})
    >>> score_report(scored)[["n", "events", "auc", "brier", "brier_skill"]].round(3)
       n  events   auc  brier  brier_skill
    0  4       2  0.75  0.192         0.23

    With scores :math:`s_i` and outcomes :math:`y_i` of n rows, of which a share :math:`\bar y` had
    the outcome,

    .. math::
       \text{AUC} = P(s_1 > s_0) + \tfrac12 P(s_1 = s_0), \qquad
       \text{Brier} = \frac1n \sum_i (y_i - s_i)^2, \qquad
       \text{skill} = 1 - \frac{\text{Brier}}{\bar y (1 - \bar y)}

    where :math:`s_1` is the score of a row with the outcome and :math:`s_0` that of one without.
    The AUC looks at the order alone, the Brier score at the probability too. Calibration is read
    off two logits of the outcome [2]_, with the log-odds of the score

    .. math::
       \operatorname{logit} P(y = 1) = a + \operatorname{logit}(s), \qquad
       \operatorname{logit} P(y = 1) = a' + b \operatorname{logit}(s):

    a is the calibration in the large, a' and b are intercept and slope. A perfect score has 0, 0
    and 1.

    Parameters
    ----------
    scored : IntoFrame
        One row a customer, or a customer and snapshot, with a score and what came of it: pandas,
        Polars (lazy too) or PyArrow, a DuckDB relation or a PySpark DataFrame.
    score : str, default "score"
        Column of the score that is judged, the greater the riskier.
    outcome : str, default "churned"
        Column of what came: booleans, or 1 and 0. Where it is null nothing is known yet.
    by : str or sequence of str, optional
        Columns of segments. Null is a segment of its own.
    probability : bool, default True
        Whether the score is a probability, from 0 to 1. With False what needs one is NaN.
    confidence_level : float, default 0.95
        Coverage of the interval, between 0 and 1.

    Returns
    -------
    DataFrame
        One row; with `by` one for every segment, in ascending order with nulls last. A new frame of
        the kind of `scored`; Polars for a LazyFrame, pandas for DuckDB and PySpark.

        - the columns of `by`.
        - ``n`` (int): rows with an outcome.
        - ``events`` (int): those of them that had it.
        - ``base_rate`` (float): ``events`` by ``n``, a fraction.
        - ``mean_score`` (float): mean of the scores.
        - ``auc``, ``auc_lower``, ``auc_upper`` (float): area under the ROC curve, .5 for a score
          that tells nothing, and DeLong's interval [1]_.
        - ``brier`` (float): mean squared error, ``brier_null`` (float) that of the base rate as
          everybody's score, ``brier_skill`` (float) the share of it that the score saves.
        - ``calibration_in_large`` (float): a, with Wald's interval ``calibration_in_large_lower``,
          ``calibration_in_large_upper`` (float). Above 0 more leave than the score says.
        - ``calibration_intercept``, ``calibration_intercept_lower``,
          ``calibration_intercept_upper`` (float): a', likewise.
        - ``calibration_slope``, ``calibration_slope_lower``, ``calibration_slope_upper`` (float):
          b, likewise. Below 1 the score is too sure of itself.
        - ``top_decile_lift`` (float): lift of the first tenth, as `lift_table` has it.

        Where no row, or every row, has the outcome there are counts and rates alone; all else is
        NaN. Of one distinct score there is no slope. Without any rows `n` is 0.

    Raises
    ------
    MissingColumnError
        If a column is not in the frame (a `KeyError`).
    ColumnTypeError, ArgumentTypeError
        If a column or an argument is of the wrong type, an outcome is text (a `TypeError`).
    ArgumentError
        If a score lies outside [0, 1] and `probability` is True; if an outcome is neither 0 nor 1,
        or a score null or infinite (a `ValueError`).

    Warns
    -----
    RetainkitWarning
        If the outcome of some rows is null: they are left out. If scores are 0 or 1 exactly: for
        the calibration, and for nothing else, they are taken as 1e-12 and 1 - 1e-12. If the score
        tells the outcomes apart, but for ties: its calibration has no slope, and it probably knows
        what it should foretell.

    See Also
    --------
    lift_table : The same scores by bin.
    fit_churn_risk : A model that makes such scores.

    Notes
    -----
    Judge a score on rows that it was not made from, of a later snapshot if it is to be used later.

    An AUC below .5 belongs to a score that ranks the wrong way round. One close to 1 is seldom
    good news about churn: features that were measured after the fact reach it.

    The limits of the AUC are cut to 0 and 1; for an AUC of 1 they have no width, and are NaN with
    fewer than two rows of either outcome.

    References
    ----------
    .. [1] DeLong, E. R., DeLong, D. M. & Clarke-Pearson, D. L. (1988), "Comparing the Areas under
       Two or More Correlated Receiver Operating Characteristic Curves: A Nonparametric Approach",
       Biometrics 44, 837-845.
    .. [2] Cox, D. R. (1958), "Two Further Applications of a Model for Binary Regression",
       Biometrika 45, 562-565.

    Examples
    --------
    Of the nine pairs of one who left and one who did not, eight are in order: the AUC is 8 / 9. The
    squared errors are .01, .09, .36, .36, .09 and .01, their mean is .153; that of the base rate as
    a score is .25.

    >>> import pandas as pd
    >>> from retainkit import score_report
    >>> likely, left = [0.9, 0.7, 0.6, 0.4, 0.3, 0.1], [1, 1, 0, 1, 0, 0]
    >>> report = score_report(pd.DataFrame({"score": likely, "churned": left}))
    >>> report[["base_rate", "mean_score", "auc", "brier", "brier_null"]].round(3)
       base_rate  mean_score    auc  brier  brier_null
    0        0.5         0.5  0.889  0.153        0.25
    """
    boolean("probability", probability)
    check_probability("confidence_level", confidence_level)
    counts = read_scored(
        scored,
        score=score,
        outcome=outcome,
        by=by,
        reserved=RESULT,
        probability=bool(probability),
    )
    edges = np.searchsorted(counts.segment, np.arange(counts.n_segments + 1))
    spans = [slice(*edge) for edge in pairwise(edges.tolist())]
    found = [
        _judge(
            counts.score[span],
            counts.n[span],
            counts.events[span],
            confidence_level,
            probability=bool(probability),
        )
        for span in spans
    ]
    if probability:
        _warn_of_calibration(counts, found, score)
    columns = _count_columns(counts) | {
        name: np.array([one.values[name] for one in found], np.float64)
        for name in (found[0].values if found else _judge_nothing())
    }
    columns["top_decile_lift"] = _top_lifts(counts)
    return build_like(counts.given, counts.segments | {name: columns[name] for name in RESULT})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Judgement:
    """Numbers of one segment, and whether the score separates the outcomes in it."""

    values: Mapping[str, float]
    separated: bool


def _count_columns(counts: ScoreCounts) -> dict[str, Any]:
    """Count rows and events by segment."""
    n, events = counts.totals(counts.n), counts.totals(counts.events)
    return {"n": n, "events": events, "base_rate": ratio(events, n)}


def _judge_nothing() -> Mapping[str, float]:
    """Return the names of the numbers of a segment, for a table that has none."""
    nothing = np.zeros(0, np.int64)
    return _judge(np.zeros(0), nothing, nothing, 0.95, probability=True).values


def _judge(
    score: Floats, n: Integers, events: Integers, confidence_level: float, *, probability: bool
) -> _Judgement:
    """Compute the numbers of a segment, whose distinct scores ascend."""
    total, happened = float(n.sum()), float(events.sum())
    base = happened / total if total else math.nan
    mean = float(n @ score) / total if total else math.nan
    values = {"mean_score": min(max(mean, score[0]), score[-1]) if total else mean}
    area = auc(n, events, confidence_level)
    values |= dict(zip(("auc", "auc_lower", "auc_upper"), area, strict=True))
    values["brier_null"] = base * (1 - base)
    values |= {"brier": math.nan, "brier_skill": math.nan}
    found = Calibration()
    if probability and total:
        squares = events * (1 - score) ** 2 + (n - events) * score**2
        values["brier"] = float(squares.sum()) / total
        if 0 < happened < total:
            values["brier_skill"] = 1 - values["brier"] / values["brier_null"]
        likely = np.clip(score, _LEAST, 1 - _LEAST)
        found = calibration(np.log(likely) - np.log1p(-likely), n, events, confidence_level)
    numbers = (found.in_large, found.intercept, found.slope)
    for name, limits in zip(_CALIBRATION, numbers, strict=True):
        values |= {
            f"{name}{ending}": one
            for ending, one in zip(("", "_lower", "_upper"), limits, strict=True)
        }
    return _Judgement(values=values, separated=found.separated)


def _top_lifts(counts: ScoreCounts) -> Floats:
    """Lift of the first tenth of each segment, NaN without rows."""
    columns, segment = lift_columns(counts, _DECILES, 0.5, descending=True)
    first = columns["bin"] == 1
    lifts = np.full(counts.n_segments, np.nan)
    lifts[segment[first]] = columns["lift"][first]
    return lifts


def _warn_of_calibration(counts: ScoreCounts, found: Sequence[_Judgement], column: str) -> None:
    """Warn of scores without log-odds, and of those that separate the outcomes."""
    sure = (counts.score < _LEAST) | (counts.score > 1 - _LEAST)
    rows, total = int(counts.n[sure].sum()), int(counts.n.sum())
    if rows:
        warn(
            f"{named(column, 'score')} is 0 or 1 in {count_noun(rows, 'row')}, of {total:,}: no "
            "probability is so sure, and it has no log-odds. For the calibration alone they are "
            f"taken as {_LEAST:g} and 1 - {_LEAST:g}.",
            code="impossible_values",
            argument="score",
            column=column,
            rows=rows,
            total=total,
        )
    separated = [i for i, one in enumerate(found) if one.separated]
    if separated:
        where = f" in the segment {segment_label(counts.segments, separated[0])}"
        warn(
            f"{named(column, 'score')} tells the outcomes apart, but for ties"
            f"{where if counts.by else ''}: its calibration has no slope (NaN). It probably "
            "counts what came after the fact.",
            code="fit_needs_care",
            argument="score",
            column=column,
            rows=len(separated),
            total=len(found),
        )
