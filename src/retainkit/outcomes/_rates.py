"""Rates and amounts of promoters, passives and detractors, or by score, with their differences."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from retainkit._inputs.scale import Scale
from retainkit._stats.differences import Means, mean_difference, share_difference
from retainkit._stats.intervals import ratio, wilson
from retainkit._typing import Array, Booleans, Floats, Integers
from retainkit.outcomes._reading import DatedAnswers
from retainkit.outcomes._results import ResponseOutcomes

_GROUPS = ("promoters", "passives", "detractors")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class OutcomeRows:
    """Rows of the result: the row of each answer, and the row with which each is compared.

    `labels` names the rows of one segment, in a column called `name`; `reference` gives the index
    among them of the one to compare with, -1 for none.
    """

    name: str
    labels: Array
    reference: Integers
    row: Integers
    n_segments: int

    def count(self, which: Booleans) -> Integers:
        """Count answers by row."""
        return np.bincount(self.row[which], minlength=self.n_segments * len(self.labels))

    def sums(self, values: Floats, which: Booleans) -> Floats:
        """Sum over answers by row."""
        size = self.n_segments * len(self.labels)
        return np.bincount(self.row[which], values[which], size).astype(np.float64)

    def of_reference(self, values: Array) -> Floats:
        """Return for each row the value of the one it is compared with, NaN where there is none."""
        table = values.astype(np.float64).reshape(self.n_segments, len(self.labels))
        others = np.where(self.reference < 0, np.nan, table[:, self.reference])
        return others.ravel()


def rows_by_group(answers: DatedAnswers, cuts: tuple[float, float]) -> OutcomeRows:
    """Build a row for promoters, passives and detractors, compared with the detractors."""
    group = np.where(answers.score <= cuts[0], 2, np.where(answers.score <= cuts[1], 1, 0))
    return OutcomeRows(
        name="group",
        labels=np.array(_GROUPS),
        reference=np.array([2, 2, -1]),
        row=answers.segment * 3 + group,
        n_segments=answers.n_segments,
    )


def rows_by_score(answers: DatedAnswers, scale: Scale) -> OutcomeRows:
    """Build a row for each score, compared with the score below."""
    scores = np.arange(int(scale.low), int(scale.high) + 1)
    return OutcomeRows(
        name="score",
        labels=scores,
        reference=np.arange(len(scores)) - 1,
        row=answers.segment * len(scores) + answers.score - int(scale.low),
        n_segments=answers.n_segments,
    )


def rate_columns(
    rows: OutcomeRows, outcomes: ResponseOutcomes, used: Booleans, level: float
) -> dict[str, Any]:
    """Compute rates, amounts and their differences of the answers that are `used`."""
    n, happened = rows.count(used), rows.count(used & outcomes.happened)
    lower, upper = wilson(happened, n, level)
    others = rows.of_reference(happened), rows.of_reference(n)
    difference, low, high = share_difference(happened, n, *others, level)
    columns = {
        rows.name: np.tile(rows.labels, rows.n_segments),
        "n": n,
        "outcomes": happened,
        "rate": ratio(happened, n),
        "lower": lower,
        "upper": upper,
        "difference": difference,
        "difference_lower": low,
        "difference_upper": high,
    }
    if outcomes.amount is not None:
        columns |= _amount_columns(rows, outcomes.amount, used, level)
    columns["n_open"] = rows.count(outcomes.open)
    if outcomes.gone is not None:
        columns["n_gone"] = rows.count(outcomes.left_before)
    columns["n_earlier"] = rows.count(outcomes.eligible & ~used)
    return columns


def _amount_columns(
    rows: OutcomeRows, amount: Floats, used: Booleans, level: float
) -> dict[str, Floats]:
    """Compute mean amounts and their differences."""
    n = rows.count(used)
    mean = ratio(rows.sums(amount, used), n)
    # Without a used answer a row has no mean.
    off = np.where(used, amount - mean[rows.row], 0.0)
    means = Means(n=n.astype(np.float64), mean=mean, squares=rows.sums(off**2, used))
    lower, upper = means.limits(level)
    others = Means(
        n=rows.of_reference(means.n),
        mean=rows.of_reference(means.mean),
        squares=rows.of_reference(means.squares),
    )
    difference, low, high = mean_difference(means, others, level)
    return {
        "amount_per_customer": mean,
        "amount_lower": lower,
        "amount_upper": upper,
        "amount_difference": difference,
        "amount_difference_lower": low,
        "amount_difference_upper": high,
    }
