"""Weights of responses by raking their cells, with a summary of the weights."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, Generic

import numpy as np

from retainkit._frames.plain import same_values
from retainkit._messages import count_noun, warn
from retainkit._stats.raking import Raked, rake_cells
from retainkit._typing import Booleans
from retainkit.typing import ResponsesT_co
from retainkit.weighting._cells import WeightedAnswers, read_weighted_answers
from retainkit.weighting._margins import (
    Targets,
    cell_categories,
    check_attainable,
    largest_deviation,
    margin_of_cells,
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class SurveyWeights(Generic[ResponsesT_co]):
    """Responses with their weights, and a summary of these; made by `rake` and `poststratify`.

    Two are equal where the numbers and all values of the responses are.

    Parameters
    ----------
    responses : DataFrame
        The responses as they came, with a column ``weight`` (float) of mean 1.
    n : int
        Responses of a weight above 0.
    n_effective : float
        Responses of equal weight that would be as informative, by Kish.
    design_effect : float
        `n` divided by `n_effective`: how many times as large the weights make a variance.
    smallest, largest : float
        The least weight above 0 and the largest.
    n_limited : int
        Responses whose weight is at one of the limits.
    iterations : int
        Rounds through all margins.
    converged : bool
        Whether every margin has its shares.
    largest_deviation : float
        The largest difference left between a weighted share and its target.

    Examples
    --------
    >>> import pandas as pd
    >>> from retainkit import rake
    >>> answers = pd.DataFrame({"plan": ["free", "free", "free", "paid"]})
    >>> weights = rake(answers, {"plan": {"free": 0.5, "paid": 0.5}})
    >>> weights
    SurveyWeights(4 responses worth 3.0; weights 0.667 to 2; converged in 1 iteration)
    >>> weights.responses.round(3)
       plan  weight
    0  free   0.667
    1  free   0.667
    2  free   0.667
    3  paid   2.000
    """

    responses: ResponsesT_co
    n: int
    n_effective: float
    design_effect: float
    smallest: float
    largest: float
    n_limited: int
    iterations: int
    converged: bool
    largest_deviation: float

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, SurveyWeights):
            return NotImplemented
        return self.to_dict() == other.to_dict() and same_values(self.responses, other.responses)

    def __hash__(self) -> int:
        return hash(tuple(self.to_dict().values()))

    def to_dict(self) -> dict[str, Any]:
        """Return the numbers about the weights as plain values, for JSON: NaN becomes None.

        The responses are a table, which is kept as one.

        Returns
        -------
        dict
            The fields of the dataclass but for ``responses``.

        Examples
        --------
        >>> import pandas as pd
        >>> from retainkit import rake
        >>> answers = pd.DataFrame({"plan": ["free", "free", "free", "paid"]})
        >>> numbers = rake(answers, {"plan": {"free": 0.5, "paid": 0.5}}).to_dict()
        >>> numbers["n"], round(numbers["design_effect"], 3)
        (4, 1.333)
        """
        numbers = [one.name for one in fields(self) if one.name != "responses"]
        plain = {name: getattr(self, name) for name in numbers}
        return {name: None if value != value else value for name, value in plain.items()}  # noqa: PLR0124  NaN

    def __repr__(self) -> str:
        limited = f", {self.n_limited:,} at a limit" if self.n_limited else ""
        done = "converged" if self.converged else "not converged"
        return (
            f"SurveyWeights({count_noun(self.n, 'response')} worth {self.n_effective:,.1f}; "
            f"weights {self.smallest:.3g} to {self.largest:.3g}{limited}; {done} in "
            f"{count_noun(self.iterations, 'iteration')})"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RakingOptions:
    """The checked options of raking: initial weights, their limits, and when to stop."""

    weights: str | None
    limits: tuple[float, float] | None
    missing: str
    tolerance: float
    max_iterations: int


def weight_responses(
    native: Any, targets: Sequence[Targets], options: RakingOptions
) -> SurveyWeights:
    """Read responses and find weights that give them the target shares."""
    limits = options.limits
    answers = read_weighted_answers(
        native,
        argument=targets[0].column_argument,
        columns=[column for one in targets for column in one.columns],
        weights=options.weights,
        by_weight=limits is not None,
        missing=options.missing,
    )
    cells, values = answers.cells, answers.values()
    categories = [cell_categories(one, values, cells.n_rows) for one in targets]
    if not len(cells.n_rows):
        return _no_weights(answers)
    used = cells.n_positive > 0
    for category, share in categories:
        used &= share[category] > 0
    margins = [
        margin_of_cells(one, category, share, cells.n_rows, used)
        for one, (category, share) in zip(targets, categories, strict=True)
    ]
    for one, margin in zip(targets, margins, strict=True):
        if limits is not None:
            check_attainable(one, margin, cells.n_positive[used], limits)
    raked = rake_cells(
        cells.n_positive[used],
        cells.mean[used],
        margins,
        limits=limits,
        tolerance=options.tolerance,
        max_iterations=options.max_iterations,
    )
    deviation, text = largest_deviation(targets, raked.deviations)
    if not raked.converged:
        warn(
            f"raking did not converge in {count_noun(raked.iterations, 'iteration')}: {text}, off "
            f"by {deviation:.3g}. Allow more in `max_iterations`; if that does not help, the "
            "margins contradict each other in these "
            f"responses{', or within `limits`' if limits else ''}: join small values, in both.",
            code="not_converged",
            argument="max_iterations",
        )
    return _summarise(answers, raked, used, limits, deviation)


def _no_weights(answers: WeightedAnswers) -> SurveyWeights:
    """Return the weights of no responses."""
    return SurveyWeights(
        responses=answers.with_weights(np.zeros(0)),
        n=0,
        n_effective=0.0,
        design_effect=math.nan,
        smallest=math.nan,
        largest=math.nan,
        n_limited=0,
        iterations=0,
        converged=False,
        largest_deviation=math.nan,
    )


def _summarise(
    answers: WeightedAnswers,
    raked: Raked,
    used: Booleans,
    limits: tuple[float, float] | None,
    deviation: float,
) -> SurveyWeights:
    """Add the weights to the responses and summarise them; cells not `used` have weight 0."""
    cells, weight = answers.cells, np.zeros(len(used))
    weight[used] = raked.weight
    count, mean = cells.n_positive[used], cells.mean[used]
    # Within a cell weights keep the ratios in which they came.
    squares = (raked.weight**2 * cells.square[used] / mean**2).sum()
    effective = float((count * raked.weight).sum() ** 2 / squares)
    low, high = limits or (0.0, math.inf)
    limited = ((raked.weight <= low) & (low > 0)) | (raked.weight >= high)
    n = int(count.sum())
    return SurveyWeights(
        responses=answers.with_weights(weight),
        n=n,
        n_effective=effective,
        design_effect=n / effective,
        smallest=float((raked.weight * (cells.least_positive[used] / mean)).min()),
        largest=float((raked.weight * (cells.greatest[used] / mean)).max()),
        n_limited=int(count[limited].sum()),
        iterations=raked.iterations,
        converged=raked.converged,
        largest_deviation=deviation,
    )
