"""Differences of Net Promoter Scores, between groups or of the same people in two groups."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, get_args

from retainkit._checks import one_of, probability
from retainkit._frames.output import build_like
from retainkit._inputs.answers import read_answers
from retainkit._inputs.group_pairs import (
    check_group,
    group_columns,
    pair_segments,
    segments_and_group,
)
from retainkit._inputs.response_options import ResponseOptions
from retainkit._inputs.scale import check_cuts, check_scale
from retainkit._stats.multiplicity import adjust_p_values
from retainkit.errors import ArgumentError
from retainkit.surveys._group_differences import compare_groups
from retainkit.surveys._paired_changes import compare_respondents
from retainkit.surveys._scaled_answers import read_scaled_answers, warn_of_invalid
from retainkit.typing import Adjust, Fractional, IntoTable, Invalid, Missing, Repeat, TableT

_RESULT = (
    *("group_a", "group_b", "n_a", "n_b", "nps_a", "nps_b"),
    *("difference", "lower", "upper", "p_value", "p_adjusted"),
)


def nps_difference(
    responses: TableT | IntoTable[TableT],
    *,
    group: str,
    score: str = "score",
    reference: Any = None,
    by: str | Sequence[str] | None = None,
    pair: str | None = None,
    respondent: str | None = None,
    time: str | None = None,
    repeat: Repeat = "cluster",
    adjust: Adjust = "holm",
    scale: tuple[int, int] = (0, 10),
    cuts: tuple[float, float] | None = None,
    weights: str | None = None,
    counts: str | None = None,
    invalid: Invalid = "raise",
    fractional: Fractional = "raise",
    missing_codes: Sequence[float] = (),
    labels: Mapping[Any, float] | None = None,
    missing: Missing = "raise",
    confidence_level: float = 0.95,
) -> TableT:
    r"""Differences of net promoter scores between groups, with intervals and p-values.

    >>> from retainkit import datasets, nps_difference
    >>> answers = datasets.make_survey(300, seed=1)
    >>> table = nps_difference(answers, group="plan", reference="basic", respondent="customer_id")
    >>> table[["group_a", "group_b", "difference", "lower", "upper", "p_value"]].round(3)
      group_a group_b  difference   lower   upper  p_value
    0    plus   basic      28.206  -1.451  55.884    0.062
    1     pro   basic      39.351  12.379  64.813    0.004

    With scores :math:`\theta_a, \theta_b` and the limits :math:`l, u` of their score intervals, the
    interval of the difference is that of Newcombe's square-and-add (MOVER) [1]_ [2]_:

    .. math::
       \theta_a - \theta_b - \sqrt{(\theta_a - l_a)^2 + (u_b - \theta_b)^2}, \qquad
       \theta_a - \theta_b + \sqrt{(u_a - \theta_a)^2 + (\theta_b - l_b)^2}.

    The p-value is the smallest :math:`\alpha` whose interval leaves out 0, so that a test and its
    interval never contradict each other.

    Parameters
    ----------
    responses : IntoFrame
        One row a response: pandas, Polars (lazy too) or PyArrow, a DuckDB relation or a PySpark
        DataFrame.
    group : str
        Column of the groups that are compared: a wave, a channel, a variant of a test. Null is a
        group of its own.
    score : str, default "score"
        Column of the answers: numbers, or with `labels` words. Null is no answer.
    reference : optional
        The group that all others are compared with. Default: all pairs, the later group in
        ascending order less the earlier one.
    by : str or sequence of str, optional
        Columns of segments. Null is a segment of its own. Groups are compared within them.
    pair : str, optional
        Column that identifies respondents. Then the same people are compared who answered in both
        groups, once in each; others are left out, with a warning. Reads the rows.
    respondent : str, optional
        Column that identifies who answered, where some answered several times. All answers are
        compared, and the interval allows for people who answered in both groups.
    time : str, optional
        Column of dates or datetimes, with or without a time zone: when an answer was given, for
        `repeat`.
    repeat : {"cluster", "last", "first", "mean", "error"}, default "cluster"
        What to do with several answers of a respondent in a segment, here in a group of it: count
        all of them, and widen the interval as far as they resemble each other; take one; let all of
        them together count as one; or refuse them.
    adjust : {"holm", "bonferroni", "bh", "none"}, default "holm"
        How p-values are adjusted for the number of comparisons in the result, those of all segments
        together: by Holm [3]_, by Bonferroni, by Benjamini and Hochberg
        (``"bh"``, which bounds the share of false ones among those found), or not at all.
    scale : tuple of int, default (0, 10)
        Lowest and highest score there can be.
    cuts : tuple of float, optional
        Highest score of a detractor and highest of a passive. Default: (6, 8) on scales from 0 or 1
        to 10; on others products disagree, and it has to be given.
    weights : str, optional
        Column of survey weights, 0 or more, such as `rake` makes. Their scale does not matter. Not
        with `pair`.
    counts : str, optional
        Column with the number of respondents that a row counts, a whole number. Not with `pair`.
    invalid : {"raise", "drop"}, default "raise"
        Whether an answer that is not on the scale is an error, or is left out and counted.
    fractional : {"raise", "floor", "round", "cut"}, default "raise"
        What to do with answers that are not whole: of 8.5, refuse it, take 8, take 9 (half up), or
        compare it with `cuts` as it is, which makes it a promoter.
    missing_codes : sequence of float, default ()
        Numbers that mean no answer, such as 99.
    labels : mapping, optional
        Score of each answer in words, such as ``{"Very likely": 10}``.
    missing : {"raise", "drop"}, default "raise"
        Whether a null where a value is needed is an error, or its row is left out with a warning
        that counts such rows. Needed are `respondent` or `pair`, `weights`, `counts` and, to take
        the first or the last, `time`. A null in `score` is no answer.
    confidence_level : float, default 0.95
        Coverage of the interval, between 0 and 1; it is not adjusted.

    Returns
    -------
    DataFrame
        A row for every segment and pair of groups that both have answers. A new frame of the kind
        of `responses`; Polars for a LazyFrame, pandas for DuckDB and PySpark.

        - the columns of `by`.
        - ``group_a``, ``group_b``: the groups, of the type of `group`.
        - ``n_a``, ``n_b`` (int): answers in each; with `pair` the number of pairs.
        - ``nps_a``, ``nps_b`` (float): the scores, from -100 to 100.
        - ``difference`` (float): nps_a - nps_b, from -200 to 200.
        - ``lower``, ``upper`` (float): its interval.
        - ``p_value``, ``p_adjusted`` (float): two-sided, of no difference.

    Raises
    ------
    MissingColumnError
        If a column is not in the frame (a `KeyError`).
    ColumnTypeError, ArgumentTypeError
        If a column or an argument is of the wrong type (a `TypeError`).
    ArgumentError
        If no group is `reference`, somebody answered twice in a group of `pair`, or something has
        a wrong value as in `nps` (a `ValueError`).

    Warns
    -----
    RetainkitWarning
        If, with `pair`, respondents answered in one of two groups only: the number of answers that
        are left out of a comparison or several. If the answers look like those of another scale;
        if `repeat` or `missing` leaves answers out.

    See Also
    --------
    nps : The score of each group.
    survey_detectable_difference : What difference so many answers could show.

    Notes
    -----
    With `respondent` the two intervals are those of `nps`, and a respondent who is in both groups
    makes their scores hang together. With the correlation r of the two scores and the distances
    a and b under the root above, the root is that of :math:`a^2 + b^2 - 2 r a b`, as in Newcombe's
    method 10 for pairs [4]_, whose correction draws a positive r towards 0. All answers are used,
    those of people in one group too; `pair` compares only who is in both.

    With `pair` the changes of each respondent, from -2 to 2, are averaged after adding three
    respondents whose changes sum to 0 and their squares to 3, so that the interval has a width
    where nobody moved. Where it would leave out the observed difference, of two or three pairs, it
    reaches as far as that. Groups that nobody answered in both have a row with ``n_a`` 0, and NaN.
    Compared as strangers the same people give a wider interval.

    Of 20 segments that are all alike, the best and the worst differ by 40 points with 50 answers
    each; that is what `adjust` is for.

    References
    ----------
    .. [1] Newcombe, R. G. (1998), "Interval Estimation for the Difference between Independent
       Proportions: Comparison of Eleven Methods", Statistics in Medicine 17 (8), 873-890.
    .. [2] Zou, G. Y. & Donner, A. (2008), "Construction of Confidence Limits about Effect Measures:
       A General Approach", Statistics in Medicine 27 (10), 1693-1702.
    .. [3] Holm, S. (1979), "A Simple Sequentially Rejective Multiple Test Procedure", Scandinavian
       Journal of Statistics 6 (2), 65-70.
    .. [4] Newcombe, R. G. (1998), "Improved Confidence Intervals for the Difference between
       Binomial Proportions Based on Paired Data", Statistics in Medicine 17 (22), 2635-2650.

    Examples
    --------
    >>> import pandas as pd
    >>> from retainkit import nps_difference
    >>> answers = pd.DataFrame(
    ...     {
    ...         "channel": ["app"] * 40 + ["email"] * 40,
    ...         "score": [10] * 24 + [8] * 10 + [5] * 6 + [10] * 14 + [8] * 12 + [5] * 14,
    ...     }
    ... )
    >>> table = nps_difference(answers, group="channel", reference="email")
    >>> table[["group_a", "group_b", "nps_a", "nps_b", "difference"]]
      group_a group_b  nps_a  nps_b  difference
    0     app   email   45.0    0.0        45.0
    >>> table[["lower", "upper", "p_value"]].round(3)
       lower   upper  p_value
    0  8.905  76.866    0.015
    """
    one_of("adjust", adjust, get_args(Adjust))
    probability("confidence_level", confidence_level)
    limits = check_scale(scale, missing_codes=missing_codes, invalid=invalid, fractional=fractional)
    edges = check_cuts(cuts, limits)
    segments = segments_and_group(by, group, _RESULT)
    _check_pair(pair, weights=weights, counts=counts, respondent=respondent, repeat=repeat)
    options = ResponseOptions(
        score=score,
        by=segments,
        weights=weights,
        counts=counts,
        respondent=respondent if pair is None else pair,
        time=time,
        repeat=repeat,
        labels=labels,
        missing=missing,
        argument_names={} if pair is None else {"respondent": "pair"},
        reserved=(),  # the result has no column of the name of `group`
    )
    check_group(responses, "responses", group)
    found = read_scaled_answers(read_answers(responses, options), limits, repeat=repeat)
    warn_of_invalid(found)
    usable = found.counts.n_by_segment() > 0
    pairs = pair_segments(found.segments(), usable=usable, reference=reference)
    if pair is None:
        columns = compare_groups(found, pairs, edges, confidence_level)
    else:
        columns = compare_respondents(found, pairs, edges, confidence_level)
    columns["p_adjusted"] = adjust_p_values(columns["p_value"], adjust)
    return build_like(found.responses.rows, group_columns(found.segments(), pairs) | columns)


def _check_pair(pair: str | None, *, repeat: Repeat, **others: str | None) -> None:
    """Check that what goes with pairs is given with them, and nothing else."""
    if pair is None:
        return
    for argument, value in others.items():
        if value is not None:
            raise ArgumentError(
                f"`pair` does not go with `{argument}`; leave one of them out.",
                code="argument_conflict",
                argument=argument,
            )
    if repeat == "mean":
        raise ArgumentError(
            "`repeat` is 'mean', and a `pair` is one answer in each group; take 'last' or 'first'.",
            code="argument_conflict",
            argument="repeat",
        )
