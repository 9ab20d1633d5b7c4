"""Net Promoter Score of answers, with its interval."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from retainkit._frames.output import build_like
from retainkit._inputs.answers import read_answers
from retainkit._inputs.response_options import ResponseOptions
from retainkit._inputs.scale import check_cuts, check_scale
from retainkit.errors import ArgumentError
from retainkit.surveys._nps_table import RESULT, NpsOptions, nps_columns, promoter_shares
from retainkit.surveys._scaled_answers import read_scaled_answers, warn_of_weights
from retainkit.typing import (
    Fractional,
    IntoTable,
    Invalid,
    Missing,
    NPSMethod,
    Progress,
    Repeat,
    TableT,
)


def nps(
    responses: TableT | IntoTable[TableT],
    *,
    score: str = "score",
    by: str | Sequence[str] | None = None,
    scale: tuple[int, int] = (0, 10),
    cuts: tuple[float, float] | None = None,
    weights: str | None = None,
    counts: str | None = None,
    respondent: str | None = None,
    time: str | None = None,
    repeat: Repeat = "cluster",
    method: NPSMethod = "score",
    draws: int = 2000,
    seed: int | None = None,
    progress: Progress | None = None,
    invalid: Invalid = "raise",
    fractional: Fractional = "raise",
    missing_codes: Sequence[float] = (),
    labels: Mapping[Any, float] | None = None,
    min_responses: int | None = None,
    missing: Missing = "raise",
    observed: bool = True,
    confidence_level: float = 0.95,
) -> TableT:
    r"""Net promoter score: the share of promoters less that of detractors, and how sure it is.

    >>> from retainkit import datasets, nps
    >>> nps(datasets.make_survey(1000, seed=1, waves=1))[["n", "nps", "lower", "upper"]].round(1)
         n   nps  lower  upper
    0  266  36.5   26.4   45.7

    Of all :math:`n` who answered, :math:`x` are promoters (9 and 10 on a scale from 0 to 10),
    :math:`y` detractors (0 to 6) and the others passives:

    .. math::
       \text{NPS} = 100 \, \frac{x - y}{n}, \qquad
       \text{standard error} = 100 \sqrt{\frac{p + d - (p - d)^2}{n}},
       \quad p = \frac{x}{n}, \; d = \frac{y}{n}.

    The interval is that of the score test [1]_: all :math:`\theta` with
    :math:`|p - d - \theta| \le z \sqrt{V(\theta) / n}`, where :math:`V(\theta)` is the variance if
    :math:`\theta` were true. It holds with ten answers, and where all are promoters.

    Parameters
    ----------
    responses : IntoFrame
        One row a response: pandas, Polars (lazy too) or PyArrow, a DuckDB relation or a PySpark
        DataFrame.
    score : str, default "score"
        Column of the answers: numbers, or with `labels` words. Null is no answer.
    by : str or sequence of str, optional
        Columns of segments. Null is a segment of its own.
    scale : tuple of int, default (0, 10)
        Lowest and highest score there can be.
    cuts : tuple of float, optional
        Highest score of a detractor and highest of a passive. Default: (6, 8) on scales from 0 or 1
        to 10; on others products disagree, and it has to be given.
    weights : str, optional
        Column of survey weights, 0 or more, such as `rake` makes. Their scale does not matter. A
        weight is how many of the population an answer represents.
    counts : str, optional
        Column with the number of respondents that a row counts, a whole number.
    respondent : str, optional
        Column that identifies who answered, where some answered several times.
    time : str, optional
        Column of dates or datetimes, with or without a time zone: when an answer was given, for
        `repeat`.
    repeat : {"cluster", "last", "first", "mean", "error"}, default "cluster"
        What to do with several answers of a respondent in a segment: count all of them, and widen
        the interval as far as they resemble each other; take one; let all of them together count as
        one; or refuse them.
    method : {"score", "adjusted_wald", "wald", "bootstrap"}, default "score"
        How the interval is found. ``"adjusted_wald"`` adds three respondents, 3/4 of them
        promoters and 3/4 detractors, as MeasuringU does; ``"wald"`` is the textbook's, and
        ``"bootstrap"`` draws answers anew: both have no width where all answered alike.
    draws : int, default 2000
        Number of draws of the bootstrap.
    seed : int, optional
        Seed of the random numbers, 0 or more: the same seed gives the same result.
    progress : callable, optional
        Shows how far the work is: it is called as ``progress(total=n)`` and gives something with
        ``update(k)`` and ``close()``, as ``tqdm.tqdm`` does. Default: nothing is shown. The steps
        are the draws of the bootstrap, of which two thousand take milliseconds; without it there
        are none, and it is not called.
    invalid : {"raise", "drop"}, default "raise"
        Whether an answer that is not on the scale is an error, or is left out and counted.
    fractional : {"raise", "floor", "round", "cut"}, default "raise"
        What to do with answers that are not whole: of 8.5, refuse it, take 8, take 9 (half up), or
        compare it with `cuts` as it is, which makes it a promoter.
    missing_codes : sequence of float, default ()
        Numbers that mean no answer, such as 99.
    labels : mapping, optional
        Score of each answer in words, such as ``{"Very likely": 10}``.
    min_responses : int, optional
        Segments with fewer answers show no score; a warning counts them.
    missing : {"raise", "drop"}, default "raise"
        Whether a null where a value is needed is an error, or its row is left out with a warning
        that counts such rows. Needed are `respondent`, `weights`, `counts` and, to take the first
        or the last, `time`. A null in `score` is no answer.
    observed : bool, default True
        Whether declared categories of `by` without a row are left out. With False they are segments
        too: those of pandas' categorical columns, Polars' Enum and DuckDB's ENUM.
    confidence_level : float, default 0.95
        Coverage of the interval, between 0 and 1.

    Returns
    -------
    DataFrame
        A row for every segment, in ascending order with nulls last; without `by` one row. A new
        frame of the kind of `responses`; Polars for a LazyFrame, pandas for DuckDB and PySpark.

        - the columns of `by`.
        - ``n`` (int): answers that count: with ``repeat="mean"`` all of them, though those of a
          respondent weigh as one. ``n_missing`` (int): rows without an answer. ``n_invalid`` (int):
          answers that are not on the scale.
        - ``n_effective`` (float): the number of simple answers that would be as informative, where
          there are weights or respondents who answered several times; else `n`.
        - ``promoters``, ``passives``, ``detractors`` (float): shares, fractions that add up to 1.
        - ``nps`` (float): from -100 to 100, not rounded; NaN without answers.
        - ``standard_error`` (float): in the same points.
        - ``lower``, ``upper`` (float): the interval, within -100 and 100.
        - ``method`` (str): how the interval was found.

    Raises
    ------
    MissingColumnError
        If a column is not in the frame (a `KeyError`).
    ColumnTypeError, ArgumentTypeError
        If a column or an argument is of the wrong type (a `TypeError`): numbers as text too.
    ArgumentError
        If answers are not on the scale or not whole, weights or counts null or negative,
        respondents null, or an argument has a wrong value (a `ValueError`).

    Warns
    -----
    RetainkitWarning
        If the answers look like those of another scale; if their effective size is less than a
        tenth of their number, because of a few large weights or of respondents who gave most of
        them; if `repeat` leaves answers out; if `min_responses` hides scores.

    See Also
    --------
    nps_difference : Two scores compared.
    nps_from_counts : The same from tables that are counted already.

    Notes
    -----
    With weights, and with respondents who answered several times, the interval is the
    score interval for `n_effective` answers: the lesser of Kish's effective size [2]_ and the one
    that the linearised variance of the weighted mean gives, an idea of Korn and Graubard [3]_.
    Where the n answers are of C < n respondents it is wider, as theirs is: for `n_effective` times
    :math:`(t_{n-1} / t_{C-1})^2` answers, with quantiles of Student's t, since few respondents say
    little about how far the answers of one resemble each other; but no wider than if each had
    always answered alike. An answer of weight 0 counts nowhere.

    *Another scale.* Answers from 1 to 5 that are read as if from 0 to 10 make a score of -100. They
    are suspected, over the whole table, where so many answers would be most unlikely to be so low:
    where :math:`p_k^n < 10^{-10}`, with :math:`p_k` the share up to the highest answer k in the
    example of the R package NPS, whose score is 45 (9 % up to 5, 12 % up to 6, 21 % up to 7, 43 %
    up to 8). These are ten answers from 1 to 5, or fifteen from 1 to 7. Others that are suspected:
    ten answers of 1 and none of 0, thirty of 9 and none of 10.

    Without passives the interval is twice Wilson's less 1, and the test of NPS = 0 is McNemar's.
    Rocks [4]_ compares other intervals.

    "Net Promoter" and "NPS" are registered trademarks of Bain & Company, Satmetrix Systems and Fred
    Reichheld.

    References
    ----------
    .. [1] Tango, T. (1998), "Equivalence test and confidence interval for the difference in
       proportions for the paired-sample design", Statistics in Medicine 17 (8), 891-908.
    .. [2] Kish, L. (1965), Survey Sampling, Wiley.
    .. [3] Korn, E. L. & Graubard, B. I. (1998), "Confidence Intervals for Proportions with Small
       Expected Number of Positive Counts Estimated from Survey Data", Survey Methodology 24 (2),
       193-201.
    .. [4] Rocks, B. (2016), "Interval Estimation for the Net Promoter Score", The American
       Statistician 70 (4), 365-372.

    Examples
    --------
    >>> import pandas as pd
    >>> from retainkit import nps
    >>> answers = pd.DataFrame({"score": [10, 9, 9, 10, 9, 8, 7, 8, 3, 6]})
    >>> nps(answers)[["n", "promoters", "passives", "detractors", "nps", "lower", "upper"]].round(2)
        n  promoters  passives  detractors   nps  lower  upper
    0  10        0.5       0.3         0.2  30.0 -21.66  67.53
    """
    interval = NpsOptions(
        method=method,
        draws=draws,
        seed=seed,
        min_responses=min_responses,
        confidence_level=confidence_level,
        progress=progress,
    )
    limits = check_scale(scale, missing_codes=missing_codes, invalid=invalid, fractional=fractional)
    edges = check_cuts(cuts, limits)
    options = ResponseOptions(
        score=score,
        by=by,
        weights=weights,
        counts=counts,
        respondent=respondent,
        time=time,
        repeat=repeat,
        labels=labels,
        observed=observed,
        missing=missing,
        reserved=RESULT,
    )
    answers = read_answers(responses, options)
    if method == "bootstrap" and (weights or respondent):
        raise ArgumentError(
            "`method` is 'bootstrap', which draws simple answers; with `weights` or `respondent` "
            "use 'score'.",
            code="argument_conflict",
            argument="method",
        )
    found = read_scaled_answers(answers, limits, repeat=repeat)
    shares = promoter_shares(found, edges)
    warn_of_weights(found, shares.size.effective)
    columns = nps_columns(shares, interval, segmented=bool(answers.by))
    return build_like(answers.rows, found.segments() | columns)
