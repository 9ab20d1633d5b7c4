"""Raking: weights that give responses the shares of a population, column by column."""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Real
from typing import Any

from retainkit._checks import integer, is_list, number
from retainkit.errors import ArgumentError, ArgumentTypeError
from retainkit.typing import IntoFrameT, Missing
from retainkit.weighting._margins import read_margins
from retainkit.weighting._survey_weights import RakingOptions, SurveyWeights, weight_responses


def rake(
    responses: IntoFrameT,
    margins: Mapping[Any, Any],
    *,
    weights: str | None = None,
    limits: tuple[float, float] | None = None,
    missing: Missing = "raise",
    tolerance: float = 1e-10,
    max_iterations: int = 1000,
) -> SurveyWeights[IntoFrameT]:
    r"""Weights that give the responses the shares that a population has, column by column.

    >>> from retainkit import datasets, rake
    >>> answers = datasets.make_survey(300, seed=1).dropna(subset="score")
    >>> plans = {"basic": 0.5, "plus": 0.3, "pro": 0.2}
    >>> rake(answers, {"channel": {"email": 0.7, "app": 0.3}, "plan": plans})
    SurveyWeights(308 responses worth 188.8; weights 0.288 to 2.76; converged in 4 iterations)

    Raking, or iterative proportional fitting [1]_: the weights are multiplied by what brings the
    values of the first column to their shares, then those of the second, and again from the first
    on until all of them hold. The weight of response i, with the value :math:`v_{ij}` in column j
    and the weight :math:`d_i` to begin with, is a product

    .. math:: w_i = d_i \prod_j f_j(v_{ij}), \qquad
       \frac{\sum_i w_i \, [v_{ij} = v]}{\sum_i w_i} = \text{share}_j(v),

    and of all weights with these shares it is the one of least relative entropy to :math:`d`. What
    the weights cost shows in Kish's effective size [2]_
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
        that would be beyond are set to the limit, and the others make up for it, so that the
        margins hold. ``(0, 5)`` and ``(0.2, math.inf)`` limit one side.
    missing : {"raise", "drop"}, default "raise"
        Whether a null where a value is needed is an error, or its row is left out with a warning
        that counts such rows. Needed are the columns of `margins` and `weights`.
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
    targets = read_margins(margins)
    options = RakingOptions(
        weights=weights,
        limits=_check_limits(limits),
        missing=missing,
        tolerance=number("tolerance", tolerance, 0),
        max_iterations=integer("max_iterations", max_iterations, 1),
    )
    return weight_responses(responses, targets, options)


def _check_limits(limits: Any) -> tuple[float, float] | None:
    """Check limits of weights: two numbers around 1, or None."""
    if limits is None:
        return None
    need = "it must be two numbers around 1, such as (0.3, 3): the mean weight is 1."
    given = tuple(limits) if is_list(limits) else ()
    if len(given) != 2 or any(isinstance(one, bool) or not isinstance(one, Real) for one in given):
        raise ArgumentTypeError(
            f"`limits` is {limits!r}; {need}",
            argument="limits",
        )
    low, high = given
    if not 0 <= low < 1 < high:
        raise ArgumentError(
            f"`limits` is {limits!r}; {need}",
            code="argument_value",
            argument="limits",
        )
    return float(low), float(high)
