"""Weights that make those who answered resemble those who were asked about."""

from __future__ import annotations

import math
from dataclasses import dataclass
from numbers import Real
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from retainkit._checks import integer, is_list, number
from retainkit._frames.input import check_present, from_native
from retainkit._inputs.columns import segment_names
from retainkit._messages import count_noun, warn
from retainkit._stats.raking import rake_cells
from retainkit.errors import ArgumentError, ArgumentTypeError
from retainkit.weighting._cells import read_weighted_answers
from retainkit.weighting._margins import (
    categories_of,
    check_limits,
    check_margins,
    check_population,
    margin_of,
    worst_of,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from narwhals.stable.v2.typing import IntoFrame

    from retainkit._stats.raking import Raked
    from retainkit._typing import Booleans
    from retainkit.weighting._cells import WeightedAnswers
    from retainkit.weighting._margins import Targets

_EXACT = 1e-10


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class SurveyWeights:
    """Responses with their weights, and how far these reach; made by `rake` and `poststratify`.

    Parameters
    ----------
    responses : DataFrame
        The responses as they came, with a column ``weight`` (float) of mean 1.
    n : int
        Responses of a weight above 0.
    n_effective : float
        Responses of one weight that would be worth as much, by Kish.
    design_effect : float
        `n` divided by `n_effective`: how many times as large the weights make a variance.
    smallest, largest : float
        The least weight above 0 and the largest.
    n_limited : int
        Responses whose weight stands at one of the limits.
    iterations : int
        Rounds through all margins.
    converged : bool
        Whether every margin has its shares.
    largest_deviation : float
        The largest difference that is left between a weighted share and the one it should be.
    """

    responses: Any
    n: int
    n_effective: float
    design_effect: float
    smallest: float
    largest: float
    n_limited: int
    iterations: int
    converged: bool
    largest_deviation: float

    def __repr__(self) -> str:
        limited = f", {self.n_limited:,} at a limit" if self.n_limited else ""
        done = "converged" if self.converged else "not converged"
        return (
            f"SurveyWeights({count_noun(self.n, 'response')} worth {self.n_effective:,.1f}; "
            f"weights {self.smallest:.3g} to {self.largest:.3g}{limited}; {done} in "
            f"{count_noun(self.iterations, 'iteration')})"
        )


def rake(
    responses: IntoFrame,
    margins: Mapping[Any, Any],
    *,
    weights: str | None = None,
    limits: tuple[float, float] | None = None,
    missing: Literal["raise", "drop"] = "raise",
    tolerance: float = 1e-10,
    max_iterations: int = 1000,
) -> SurveyWeights:
    r"""Weights that give the responses the shares that a population has, column by column.

    Raking, or iterative proportional fitting [1]_: the weights are multiplied by what brings the
    values of the first column to their shares, then those of the second, and again from the first
    on until all of them hold. The weight of response i, with the value :math:`v_{ij}` in column j
    and the weight :math:`d_i` to begin with, is a product

    .. math:: w_i = d_i \prod_j f_j(v_{ij}), \qquad
       \frac{\sum_i w_i \, [v_{ij} = v]}{\sum_i w_i} = \text{share}_j(v),

    and of all weights with these shares it is the one of least relative entropy to :math:`d`. What
    the weights cost is told by Kish's effective size [2]_
    :math:`(\sum_i w_i)^2 / \sum_i w_i^2`.

    Parameters
    ----------
    responses : IntoFrame
        One row a response: pandas, Polars (lazy too) or PyArrow, a DuckDB relation or a PySpark
        DataFrame.
    margins : mapping
        For each column the shares of its values in the population, such as ``{"channel": {"email":
        0.6, "app": 0.4}, "plan": {"basic": 500, "pro": 300}}``. Shares or counts: those of each
        column are scaled to add up to 1. A tuple of columns, with tuples of values, is a margin of
        their combinations. A share of 0 gives responses the weight 0.
    weights : str, optional
        Column of weights to begin with, 0 or more, such as those of a design. Their scale does not
        matter. Default: all responses begin alike.
    limits : tuple of float, optional
        Least and largest weight, in multiples of the mean weight, such as ``(0.3, 3)``. Weights
        that would be beyond stand at the limit, and the others make up for it, so that the margins
        hold. ``(0, 5)`` and ``(0.2, math.inf)`` limit one side.
    missing : {"raise", "drop"}, default "raise"
        Whether a null in a column of `margins` or in `weights` is an error, or its row is left out
        with a warning.
    tolerance : float, default 1e-10
        Largest deviation from a share, a fraction, at which all margins hold.
    max_iterations : int, default 1000
        Most rounds through all margins.

    Returns
    -------
    SurveyWeights
        With ``responses``, the rows as they came and a column ``weight`` (float) beside the others:
        of mean 1 over all responses with a weight above 0, and 0 for the others. A new frame of the
        kind of `responses`; that of a lazy engine stays there. Frames in memory keep the order of
        their rows, and pandas its index. Further ``n`` (int), ``n_effective``, ``design_effect``,
        ``smallest``, ``largest`` (float), ``n_limited``, ``iterations`` (int), ``converged``
        (bool) and ``largest_deviation`` (float).

    Raises
    ------
    MissingColumnError
        If a column is not in the frame (a `KeyError`).
    ColumnTypeError, ArgumentTypeError
        If a column or an argument is of the wrong type (a `TypeError`).
    ArgumentError
        If a share is negative or not finite; if a value with a share has no responses, or a
        response a value without one; if a column has nulls, or weights are negative; if the frame
        has a column ``weight`` that is not named by `weights`; if no weights within the limits give
        a value its share (a `ValueError`).

    Warns
    -----
    RetainkitWarning
        If the margins do not hold after `max_iterations`; if shares below 1 do not add up to 1; if
        rows are left out.

    See Also
    --------
    poststratify : Where the sizes of all combinations are known.
    nps : A score that takes the weights: ``nps(weighted.responses, weights="weight")``.

    Notes
    -----
    Weights mend only what the columns of `margins` explain: who did not answer for another reason,
    such as being unhappy, is still missing. Few columns with large categories serve better than
    many with small ones, since every large weight takes precision away.

    Raking does not converge where the margins contradict each other in these responses, for
    instance where only app users are on a plan that is to have a larger share than the app. Then
    the weights are those of the last round.

    With `limits`, weights are not cut after the fact, which would spoil the margins: the factors
    are found with the limits in place, as in calibration with bounds [3]_.

    The table of distinct combinations is raked, not the rows. In a lazy engine it alone is brought
    back, and the weights are joined there; with both `weights` and `limits` the weights are part of
    the combinations.

    Where respondents answered several times the margins hold over answers. To have them hold over
    people, take one answer of each first.

    References
    ----------
    .. [1] Deming, W. E. & Stephan, F. F. (1940), "On a Least Squares Adjustment of a Sampled
       Frequency Table When the Expected Marginal Totals are Known", Annals of Mathematical
       Statistics 11 (4), 427-444.
    .. [2] Kish, L. (1965), Survey Sampling, Wiley.
    .. [3] Deville, J.-C. & Särndal, C.-E. (1992), "Calibration Estimators in Survey Sampling",
       Journal of the American Statistical Association 87 (418), 376-382.

    Examples
    --------
    Two in three answers came by e-mail, and three in five customers use it:

    >>> import pandas as pd
    >>> from retainkit import rake
    >>> answers = pd.DataFrame({
    ...     "channel": ["email", "email", "email", "email", "app", "app"],
    ...     "plan": ["basic", "pro", "pro", "pro", "basic", "pro"],
    ...     "score": [9, 7, 3, 8, 10, 6],
    ... })
    >>> margins = {"channel": {"email": 0.6, "app": 0.4}, "plan": {"basic": 500, "pro": 300}}
    >>> weighted = rake(answers, margins)
    >>> weighted
    SurveyWeights(6 responses worth 4.3; weights 0.551 to 1.9; converged in 9 iterations)
    >>> weighted.responses.round(4)
      channel   plan  score  weight
    0   email  basic      9  1.9009
    1   email    pro      7  0.5664
    2   email    pro      3  0.5664
    3   email    pro      8  0.5664
    4     app  basic     10  1.8491
    5     app    pro      6  0.5509
    """
    return _weighed(
        responses,
        check_margins(margins),
        weights=weights,
        limits=_checked_limits(limits),
        missing=missing,
        tolerance=number("tolerance", tolerance, 0),
        max_iterations=integer("max_iterations", max_iterations, 1),
    )


def poststratify(
    responses: IntoFrame,
    population: IntoFrame | Mapping[Any, float],
    *,
    by: str | Sequence[str],
    size: str = "size",
    weights: str | None = None,
    missing: Literal["raise", "drop"] = "raise",
) -> SurveyWeights:
    r"""Weights that give every group of responses the share that it has in the population.

    Of a population of :math:`N`, a group has :math:`N_g`; of the :math:`n` responses, :math:`n_g`
    are of it. Each of them weighs

    .. math:: w_g = \frac{N_g / N}{n_g / n}.

    What the weights cost is told by Kish's effective size [1]_, as in `rake`.

    Parameters
    ----------
    responses : IntoFrame
        One row a response: pandas, Polars (lazy too) or PyArrow, a DuckDB relation or a PySpark
        DataFrame.
    population : IntoFrame or mapping
        How large the groups are: a table of any kind with the columns of `by` and `size`, where
        rows of the same group are added up; or a mapping from values, of several columns from
        tuples of values, such as ``{"basic": 500, "pro": 300}``. Counts or shares: they are scaled
        to add up to 1. A size of 0 gives responses the weight 0.
    by : str or sequence of str
        Columns that make the groups.
    size : str, default "size"
        Column of the sizes in a table of the population.
    weights : str, optional
        Column of weights to begin with, 0 or more, such as those of a design: in a group, weights
        keep their ratios. Their scale does not matter. Default: all responses begin alike.
    missing : {"raise", "drop"}, default "raise"
        Whether a null in a column of `by` or in `weights` is an error, or its row is left out with
        a warning.

    Returns
    -------
    SurveyWeights
        As of `rake`: ``responses``, the rows as they came with a column ``weight`` (float) of mean
        1, and how far the weights reach. It takes one iteration, or none where every group has its
        share already.

    Raises
    ------
    MissingColumnError
        If a column is not in a frame (a `KeyError`).
    ColumnTypeError, ArgumentTypeError
        If a column or an argument is of the wrong type (a `TypeError`).
    ArgumentError
        If a size is negative or not finite; if a group with a size has no responses, or a response
        is of a group without one; if a column has nulls, or weights are negative; if `responses`
        has a column ``weight`` that is not named by `weights` (a `ValueError`).

    Warns
    -----
    RetainkitWarning
        If shares below 1 do not add up to 1, or rows are left out.

    See Also
    --------
    rake : Where only the shares of single columns are known.

    Notes
    -----
    A group of few responses gets a weight that is as uncertain as their number. Join small groups
    before, or rake their columns.

    References
    ----------
    .. [1] Kish, L. (1965), Survey Sampling, Wiley.

    Examples
    --------
    >>> import pandas as pd
    >>> from retainkit import poststratify
    >>> answers = pd.DataFrame({"plan": ["basic", "basic", "basic", "pro"], "score": [9, 10, 8, 4]})
    >>> poststratify(answers, {"basic": 500, "pro": 500}, by="plan").responses.round(4)
        plan  score  weight
    0  basic      9  0.6667
    1  basic     10  0.6667
    2  basic      8  0.6667
    3    pro      4  2.0000
    """
    names = segment_names(by, ())
    if not names:
        raise ArgumentError("`by` names no column; name those that make the groups.")
    frame = from_native(responses, "responses")
    for column in names:  # before a table of the population is blamed for lacking it
        check_present("by", column, frame)
    return _weighed(
        responses,
        [check_population(population, names, size)],
        weights=weights,
        limits=None,
        missing=missing,
        tolerance=_EXACT,
        max_iterations=1,
    )


def _checked_limits(limits: Any) -> tuple[float, float] | None:
    if limits is None:
        return None
    need = "it must be two numbers around 1, such as (0.3, 3): the mean weight is 1."
    given = tuple(limits) if is_list(limits) else ()
    if len(given) != 2 or any(isinstance(one, bool) or not isinstance(one, Real) for one in given):
        raise ArgumentTypeError(f"`limits` is {limits!r}; {need}")
    low, high = given
    if not 0 <= low < 1 < high:
        raise ArgumentError(f"`limits` is {limits!r}; {need}")
    return float(low), float(high)


def _weighed(
    native: Any,
    wanted: list[Targets],
    *,
    weights: str | None,
    limits: tuple[float, float] | None,
    missing: str,
    tolerance: float,
    max_iterations: int,
) -> SurveyWeights:
    answers = read_weighted_answers(
        native,
        argument=wanted[0].naming,
        columns=[column for one in wanted for column in one.columns],
        weights=weights,
        apart=limits is not None,
        missing=missing,
    )
    cells, values = answers.cells, answers.values()
    categories = [categories_of(one, values, cells.rows) for one in wanted]
    if not len(cells.rows):
        return _of_nothing(answers)
    used = cells.count > 0
    for category, share in categories:
        used &= share[category] > 0
    margins = [
        margin_of(one, category, share, cells.rows, used)
        for one, (category, share) in zip(wanted, categories, strict=True)
    ]
    for one, margin in zip(wanted, margins, strict=True):
        if limits is not None:
            check_limits(one, margin, cells.count[used], limits)
    raked = rake_cells(
        cells.count[used],
        cells.mean[used],
        margins,
        limits=limits,
        tolerance=tolerance,
        max_iterations=max_iterations,
    )
    deviation, text = worst_of(wanted, raked.deviations)
    if not raked.converged:
        warn(
            f"raking did not converge in {count_noun(raked.iterations, 'iteration')}: {text}, off "
            f"by {deviation:.3g}. Allow more in `max_iterations`; if that does not help, the "
            "margins contradict each other in these "
            f"responses{', or within `limits`' if limits else ''}: join small values, in both."
        )
    return _summary(answers, raked, used, limits, deviation)


def _of_nothing(answers: WeightedAnswers) -> SurveyWeights:
    return SurveyWeights(
        responses=answers.weighed(np.zeros(0)),
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


def _summary(
    answers: WeightedAnswers,
    raked: Raked,
    used: Booleans,
    limits: tuple[float, float] | None,
    deviation: float,
) -> SurveyWeights:
    cells, weight = answers.cells, np.zeros(len(used))
    weight[used] = raked.weight
    count, mean = cells.count[used], cells.mean[used]
    # Within a cell weights keep the ratios in which they came.
    squares = (raked.weight**2 * cells.square[used] / mean**2).sum()
    effective = float((count * raked.weight).sum() ** 2 / squares)
    low, high = limits or (0.0, math.inf)
    limited = ((raked.weight <= low) & (low > 0)) | (raked.weight >= high)
    n = int(count.sum())
    return SurveyWeights(
        responses=answers.weighed(weight),
        n=n,
        n_effective=effective,
        design_effect=n / effective,
        smallest=float((raked.weight * (cells.lowest[used] / mean)).min()),
        largest=float((raked.weight * (cells.most[used] / mean)).max()),
        n_limited=int(count[limited].sum()),
        iterations=raked.iterations,
        converged=raked.converged,
        largest_deviation=deviation,
    )
