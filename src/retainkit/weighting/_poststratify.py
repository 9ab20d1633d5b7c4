"""Poststratification: weights that give every group of responses its share of a population."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, get_args

from retainkit._checks import one_of
from retainkit._frames.input import check_present, from_native
from retainkit._inputs.columns import segment_names
from retainkit.errors import ArgumentError
from retainkit.typing import IntoFrame, IntoFrameT, Missing
from retainkit.weighting._margins import read_population
from retainkit.weighting._survey_weights import RakingOptions, SurveyWeights, weight_responses

_EXACT = 1e-10


def poststratify(
    responses: IntoFrameT,
    population: IntoFrame | Mapping[Any, float],
    *,
    by: str | Sequence[str],
    size: str = "size",
    weights: str | None = None,
    missing: Missing = "raise",
) -> SurveyWeights[IntoFrameT]:
    r"""Weights that give every group of responses the share that it has in the population.

    >>> from retainkit import datasets, poststratify
    >>> answers = datasets.make_survey(300, seed=1).dropna(subset="score")
    >>> poststratify(answers, {"basic": 0.5, "plus": 0.3, "pro": 0.2}, by="plan")
    SurveyWeights(308 responses worth 264.0; weights 0.555 to 1.54; converged in 1 iteration)

    Of a population of :math:`N`, a group has :math:`N_g`; of the :math:`n` responses, :math:`n_g`
    are of it. Each of them weighs

    .. math:: w_g = \frac{N_g / N}{n_g / n}.

    Kish's effective size [1]_ shows how much precision the weights cost, as in `rake`.

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
        Column of weights to begin with, 0 or more, such as those of a design. Their scale does not
        matter. Default: all responses begin alike. In a group, weights keep their ratios.
    missing : {"raise", "drop"}, default "raise"
        Whether a null where a value is needed is an error, or its row is left out with a warning
        that counts such rows. Needed are the columns of `by` and `weights`.

    Returns
    -------
    SurveyWeights
        As of `rake`: ``responses``, the rows as they came with a column ``weight`` (float) of mean
        1, and the summary of the weights. It takes one iteration, or none where every group has its
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
    one_of("missing", missing, get_args(Missing))
    names = segment_names(by, ())
    if not names:
        raise ArgumentError(
            "`by` names no column; name those that make the groups.",
            code="empty_argument",
            argument="by",
        )
    frame = from_native(responses, "responses")
    for column in names:  # before a table of the population is blamed for lacking it
        check_present("by", column, frame)
    options = RakingOptions(
        weights=weights, limits=None, missing=missing, tolerance=_EXACT, max_iterations=1
    )
    return weight_responses(responses, [read_population(population, names, size)], options)
