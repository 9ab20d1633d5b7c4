"""Key drivers: importance of several ratings for the differences in a score."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, get_args

import numpy as np

from retainkit._checks import integer, one_of, probability
from retainkit._frames.output import build_like
from retainkit._messages import count_noun, named, segment_label, warn
from retainkit._progress import Step, check_progress, steps_of
from retainkit._stats.intervals import ratio
from retainkit._stats.relative_weights import (
    bootstrap_importance,
    coefficients,
    correlations,
    dependent,
    importance,
)
from retainkit._typing import Floats
from retainkit.drivers._reading import RESULT, DriverRows, driver_names, read_rows
from retainkit.errors import ArgumentError
from retainkit.typing import DriverMethod, IntoTable, Missing, Progress, TableT

_ROUNDING = 1e-10  # a correlation or coefficient below this has no sign
_STATISTICS = ("importance", "lower", "upper", "correlation", "coefficient")


def key_drivers(
    responses: TableT | IntoTable[TableT],
    *,
    outcome: str,
    drivers: Sequence[str],
    method: DriverMethod = "relative_weights",
    by: str | Sequence[str] | None = None,
    weights: str | None = None,
    draws: int = 1000,
    seed: int | None = None,
    progress: Progress | None = None,
    missing: Missing = "raise",
    confidence_level: float = 0.95,
) -> TableT:
    r"""Importance of each driver of a score: its part of what all of them together explain.

    >>> from retainkit import datasets, key_drivers
    >>> answers = datasets.make_survey(300, seed=1).dropna(subset="score")
    >>> table = key_drivers(answers, outcome="score", drivers=["product", "price"], seed=1)
    >>> table[["driver", "n", "importance", "lower", "upper"]].round(3)
        driver    n  importance  lower  upper
    0  product  308       0.267  0.190  0.350
    1    price  308       0.075  0.036  0.131

    In a linear regression of the outcome on all drivers, :math:`R^2` is the share of the variance
    of the outcome that they explain. Ratings in a survey rise and fall together, so that a
    coefficient says little about whom that is owed to. Relative weights [1]_ go by way of
    uncorrelated variables, those closest to the drivers. With :math:`R` the correlations among the
    drivers and :math:`r` those with the outcome,

    .. math::
       L = R^{1/2}, \qquad b = L^{-1} r, \qquad
       \text{importance}_j = \sum_k L_{jk}^2 \, b_k^2, \qquad
       \sum_j \text{importance}_j = R^2.

    Parameters
    ----------
    responses : IntoFrame
        One row a response: pandas, Polars (lazy too) or PyArrow, a DuckDB relation or a PySpark
        DataFrame. Each respondent has one.
    outcome : str
        Column of the score to be explained, as a number: the answer itself (0 to 10), not the
        group of promoters.
    drivers : sequence of str
        Columns of what may drive it, as numbers, in any units: ratings, or 1 and 0 for yes and no.
    method : {"relative_weights", "lmg"}, default "relative_weights"
        How :math:`R^2` is shared out. ``"lmg"`` [2]_, which is Shapley's value, averages what
        :math:`R^2` gains by a driver over all orders in which they may enter; it takes at most 12
        drivers. The two mostly agree closely; of two drivers they are the same.
    by : str or sequence of str, optional
        Columns of segments. Null is a segment of its own. Each is analysed by itself.
    weights : str, optional
        Column of survey weights, 0 or more, such as `rake` makes. Their scale does not matter.
    draws : int, default 1000
        Number of draws of the bootstrap: samples drawn anew from the rows, for the interval.
    seed : int, optional
        Seed of the random numbers, 0 or more: the same seed gives the same result, in whatever
        order the rows are.
    progress : callable, optional
        Shows how far the work is: it is called as ``progress(total=n)`` and gives something with
        ``update(k)`` and ``close()``, as ``tqdm.tqdm`` does. Default: nothing is shown. The steps
        are the draws: a thousand of 10,000 answers take less than a second with six drivers, and
        some ten with twelve and ``"lmg"``.
    missing : {"raise", "drop"}, default "raise"
        Whether a null where a value is needed is an error, or its row is left out with a warning
        that counts such rows. Needed are `outcome`, `drivers` and `weights`, and NaN counts as
        null.
    confidence_level : float, default 0.95
        Coverage of the interval, between 0 and 1.

    Returns
    -------
    DataFrame
        A row for every driver, the most important first; with `by` for every segment and driver,
        segments in ascending order with nulls last. A new frame of the kind of `responses`; Polars
        for a LazyFrame, pandas for DuckDB and PySpark.

        - the columns of `by`.
        - ``driver`` (str): the name of its column.
        - ``n`` (int): respondents in the regression; those of weight 0 are not.
        - ``importance`` (float): its part of ``r_squared``, a fraction.
        - ``share`` (float): ``importance`` by ``r_squared``: fractions that add up to 1; NaN where
          nothing is explained.
        - ``lower``, ``upper`` (float): percentiles of ``importance`` in the draws.
        - ``correlation`` (float): with the outcome, from -1 to 1.
        - ``coefficient`` (float): in the regression, in standard deviations of the outcome by
          standard deviation of the driver.
        - ``sign_flip`` (bool): whether those two have different signs.
        - ``r_squared`` (float): share of the variance of the outcome that all drivers explain.
        - ``method`` (str): how it was shared out.

        Without any rows, `n` is 0 and the numbers are NaN.

    Raises
    ------
    MissingColumnError
        If a column is not in the frame (a `KeyError`).
    ColumnTypeError, ArgumentTypeError
        If a column or an argument is of the wrong type (a `TypeError`).
    ArgumentError
        If there are too few rows, a driver or the outcome does not vary, or a driver follows
        exactly from others; if values are null or infinite, or weights negative; if ``"lmg"`` is
        asked for with more than 12 drivers (a `ValueError`).

    Warns
    -----
    RetainkitWarning
        If rows are left out; if a segment cannot be analysed, for one of the reasons above: its
        numbers are NaN then; if the outcome did not vary in some of the draws.

    See Also
    --------
    nps_difference : Scores of groups compared.

    Notes
    -----
    *Importance is not effect.* It says what goes together in these answers. Who is content overall
    tends to rate everything well, and what everybody is equally content with shows no importance at
    all, however much its loss would cost. It takes an experiment to know what an improvement does.

    *Direction.* Importance has none; take it from ``correlation``. Where ``sign_flip`` is True, a
    driver goes with a better score alone and with a worse one beside the others, or the reverse: it
    overlaps with them, and no direction should be read off it.

    *The interval* does not reach 0, for importance is never below 0, and a driver that has nothing
    to do with the outcome gets some by chance. To see how much, add a column of random numbers
    [3]_. Two intervals that overlap may still differ. With fewer than about ten respondents for
    each driver, :math:`R^2` and all its parts come out too large. In simulations with two and five
    drivers that matter, and 100 to 1,000 respondents, 95% intervals held the truth in 91% to 96% of
    the cases.

    In a draw in which a driver does not vary its importance is 0.

    The draws need rows: from lazy engines the columns that are needed are brought into memory.
    Rows that are equal are drawn together. Of rows that all differ, 50,000 take about a second, a
    million take minutes and a gigabyte; of so many a random sample does, with wider intervals.

    References
    ----------
    .. [1] Johnson, J. W. (2000), "A Heuristic Method for Estimating the Relative Weight of
       Predictor Variables in Multiple Regression", Multivariate Behavioral Research 35 (1), 1-19.
    .. [2] Lindeman, R. H., Merenda, P. F. & Gold, R. Z. (1980), Introduction to Bivariate and
       Multivariate Analysis, Scott, Foresman; Grömping, U. (2006), "Relative Importance for Linear
       Regression in R: The Package relaimpo", Journal of Statistical Software 17 (1).
    .. [3] Tonidandel, S. & LeBreton, J. M. (2011), "Relative Importance Analysis: A Useful
       Supplement to Regression Analysis", Journal of Business and Psychology 26, 1-9.

    Examples
    --------
    Price and service are uncorrelated here, so that importance is the squared correlation.

    >>> import pandas as pd
    >>> from retainkit import key_drivers
    >>> answers = pd.DataFrame({
    ...     "score": [9, 8, 6, 3, 10, 7, 6, 3],
    ...     "service": [5, 5, 1, 1, 5, 5, 1, 1],
    ...     "price": [4, 2, 4, 2, 4, 2, 4, 2],
    ... })
    >>> found = key_drivers(answers, outcome="score", drivers=["price", "service"], seed=1)
    >>> found[["driver", "n", "importance", "share", "correlation", "r_squared"]].round(3)
        driver  n  importance  share  correlation  r_squared
    0  service  8       0.696  0.719        0.834      0.967
    1    price  8       0.272  0.281        0.521      0.967
    """
    one_of("method", method, get_args(DriverMethod))
    integer("draws", draws, 1)
    if seed is not None:
        integer("seed", seed, 0)
    check_progress(progress)
    one_of("missing", missing, get_args(Missing))
    probability("confidence_level", confidence_level)
    names = driver_names(drivers, outcome, method)
    table = read_rows(
        responses, outcome=outcome, drivers=names, by=by, weights=weights, missing=missing
    )
    segments = table.by_segment()
    problems = [None if table.empty else _find_problem(table, *segment) for segment in segments]
    _report_problems(table, problems)
    options = _Options(method=method, level=confidence_level, draws=draws, seed=seed)
    number = 0 if table.empty else problems.count(None)
    with steps_of(progress, draws * number) as step:
        found = [
            _no_analysis(len(names), len(values))
            if table.empty or problem is not None
            else _analyse(values, weight, options, step)
            for (values, weight), problem in zip(segments, problems, strict=True)
        ]
    _warn_of_draws(found, draws)
    return build_like(table.given, _driver_columns(table, found, method))


@dataclass(frozen=True, slots=True, kw_only=True)
class _DriverAnalysis:
    """Importance and other statistics of the drivers of a segment.

    `constant_draws` counts the draws in which the outcome did not vary.
    """

    n: int
    importance: Floats
    lower: Floats
    upper: Floats
    correlation: Floats
    coefficient: Floats
    constant_draws: int


# Checks


def _find_problem(table: DriverRows, values: Floats, weights: Floats) -> str | None:
    """Return why the importance cannot be computed, and what to do about it; None if it can."""
    n, p = len(values), len(table.drivers)
    if n <= p + 1:
        return (
            f"{count_noun(n, 'respondent')} {'is' if n == 1 else 'are'} too few for "
            f"{count_noun(p, 'driver')}: it takes {p + 2}, and ten for each driver to tell much. "
            "Name fewer in `drivers`, or collect more answers"
        )
    constant = np.flatnonzero(values.min(axis=0) == values.max(axis=0))
    if len(constant) and constant[-1] == p:
        return (
            f"{named(table.outcome, 'outcome')} is {values[0, p]:g} in all {count_noun(n, 'row')}: "
            "there are no differences to explain"
        )
    if len(constant):
        which = " and ".join(f"{table.drivers[i]!r} is always {values[0, i]:g}" for i in constant)
        those = "it" if len(constant) == 1 else "them"
        return f"{which}: what does not vary explains nothing. Leave {those} out of `drivers`"
    names = [repr(table.drivers[i]) for i in dependent(correlations(values, weights))]
    if len(names) == 2:
        return (
            f"{names[0]} and {names[1]} say the same (their correlation is 1 or -1), and cannot be "
            "told apart. Leave one of them out of `drivers`"
        )
    if names:
        return (
            f"of {', '.join(names)} one follows exactly from the others, as a sum does from its "
            "parts. Leave one of them out of `drivers`"
        )
    return None


def _report_problems(table: DriverRows, problems: Sequence[str | None]) -> None:
    """Raise the first problem if every segment has one; warn if only some have."""
    wrong = [(i, problem) for i, problem in enumerate(problems) if problem is not None]
    if not wrong:
        return
    segment, problem = wrong[0]
    where = f"in the segment {segment_label(table.segments, segment)}, " if table.by else ""
    if len(wrong) == len(problems):
        raise ArgumentError(
            f"{where}{problem}.",
            code="nothing_to_learn",
            argument="outcome",
            column=table.outcome,
        )
    warn(
        f"{len(wrong):,} of {count_noun(len(problems), 'segment')} without importance (NaN). For "
        f"instance, {where}{problem}.",
        code="nothing_to_learn",
        argument="outcome",
        column=table.outcome,
        rows=len(wrong),
        total=len(problems),
    )


# Estimates


def _no_analysis(n_drivers: int, n: int) -> _DriverAnalysis:
    """Return NaN for a segment whose importance cannot be computed."""
    nothing = dict.fromkeys(_STATISTICS, np.full(n_drivers, np.nan))
    return _DriverAnalysis(n=n, constant_draws=0, **nothing)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Options:
    """The checked options of an analysis."""

    method: DriverMethod
    level: float
    draws: int
    seed: int | None


def _analyse(values: Floats, weights: Floats, options: _Options, step: Step) -> _DriverAnalysis:
    """Compute the importance of the drivers in a segment, with bootstrap percentiles."""
    matrix, method, level = correlations(values, weights), options.method, options.level
    drawn = bootstrap_importance(
        values, weights, method, draws=options.draws, seed=options.seed, step=step
    )
    known = drawn[~np.isnan(drawn[:, 0])]
    limits = np.full((2, drawn.shape[1]), np.nan)
    if len(known):
        limits = np.quantile(known, [0.5 - level / 2, 0.5 + level / 2], axis=0)
    return _DriverAnalysis(
        n=len(values),
        importance=importance(matrix, method),
        lower=limits[0],
        upper=limits[1],
        correlation=matrix[:-1, -1],
        coefficient=coefficients(matrix),
        constant_draws=options.draws - len(known),
    )


def _warn_of_draws(found: Sequence[_DriverAnalysis], draws: int) -> None:
    """Warn of draws in which the outcome did not vary."""
    constant = sum(one.constant_draws for one in found)
    if constant:
        warn(
            f"in {constant:,} of {count_noun(draws * len(found), 'draw')} the outcome did not "
            "vary; the intervals leave them out. Hardly anybody differs from the rest: do not rely "
            "on them.",
            code="unreliable_interval",
            argument="draws",
            rows=constant,
            total=draws * len(found),
        )


# The result


def _driver_columns(
    table: DriverRows, found: Sequence[_DriverAnalysis], method: DriverMethod
) -> dict[str, Any]:
    """Build a row for every segment and driver, the most important first."""
    p = len(table.drivers)
    value: dict[str, Floats] = {
        name: np.array([getattr(one, name) for one in found], np.float64).reshape(-1, p)
        for name in _STATISTICS
    }
    value["r_squared"] = np.repeat(value["importance"].sum(axis=1, keepdims=True), p, axis=1)
    value["share"] = ratio(value["importance"], value["r_squared"])
    order = np.argsort(-value["importance"], axis=1, kind="stable")
    value = {name: np.take_along_axis(one, order, axis=1).ravel() for name, one in value.items()}
    segment = np.repeat(np.arange(len(found)), p).tolist()
    signs = [
        np.where(np.abs(value[name]) > _ROUNDING, np.sign(value[name]), 0)
        for name in ("correlation", "coefficient")
    ]
    own: dict[str, Any] = {
        "driver": np.array(table.drivers)[order.ravel()],
        "n": np.repeat(np.array([one.n for one in found], np.int64), p),
        **value,
        "sign_flip": signs[0] * signs[1] < 0,
        "method": np.full(p * len(found), method),
    }
    segments = {name: column[segment] for name, column in table.segments.items()}
    return segments | {name: own[name] for name in RESULT}
