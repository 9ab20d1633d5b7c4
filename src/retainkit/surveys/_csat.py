"""Customer satisfaction: the share of good answers, by a rule that the result names."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, get_args

from retainkit._checks import one_of, probability
from retainkit._inputs.response_options import ResponseOptions
from retainkit._inputs.scale import check_scale
from retainkit.errors import ArgumentError
from retainkit.surveys._rules import CSAT_RULES, Rule, custom_rule, vendor_rule
from retainkit.surveys._score_estimates import (
    check_interval,
    check_maximum,
    check_only_rule,
    estimate_scores,
)
from retainkit.typing import (
    CSATStat,
    FractionalAnswer,
    IntoTable,
    Invalid,
    Missing,
    Repeat,
    ShareInterval,
    TableT,
)

_RESULT = (
    *("n", "n_missing", "n_invalid", "n_effective", "positive", "negative"),
    *("csat", "lower", "upper", "stat", "rule", "interval"),
)


def csat(
    responses: TableT | IntoTable[TableT],
    *,
    score: str = "score",
    scale: tuple[int, int] = (1, 5),
    positive: str | Collection[int] = "top2",
    negative: str | Collection[int] | None = None,
    rule: str | None = None,
    stat: CSATStat = "share",
    interval: ShareInterval = "wilson",
    by: str | Sequence[str] | None = None,
    weights: str | None = None,
    counts: str | None = None,
    respondent: str | None = None,
    time: str | None = None,
    repeat: Repeat = "cluster",
    invalid: Invalid = "raise",
    fractional: FractionalAnswer = "raise",
    missing_codes: Sequence[float] = (),
    labels: Mapping[Any, float] | None = None,
    missing: Missing = "raise",
    observed: bool = True,
    confidence_level: float = 0.95,
) -> TableT:
    r"""Customer satisfaction: the share of answers that are good, and how sure it is.

    >>> import pandas as pd
    >>> from retainkit import csat
    >>> answers = pd.DataFrame({"score": [5, 4, 4, 3, 5, 2, 5, 4, 1, 5]})
    >>> csat(answers)[["n", "positive", "csat", "lower", "upper"]].round(3)
        n  positive  csat  lower  upper
    0  10         7   0.7  0.397  0.892

    What is good differs from vendor to vendor: the same answers make 14 % by one rule and 65 % by
    another. So the rule is an argument, and stands in a column of the result. Of :math:`n` answers
    :math:`x_i` on a scale from :math:`a` to :math:`b`, of which :math:`g` are good and :math:`d`
    bad,

    .. math::
       \text{share} = \frac{g}{n}, \quad
       \text{mean} = \bar x, \quad
       \text{normalized\_mean} = \frac{\bar x - a}{b - a}, \quad
       \text{mean\_of\_maximum} = \frac{\bar x}{b}, \quad
       \text{net} = \frac{g - d}{n}.

    Answers that are neither good nor bad are in the denominator.

    Parameters
    ----------
    responses : IntoFrame
        One row a response: pandas, Polars (lazy too) or PyArrow, a DuckDB relation or a PySpark
        DataFrame.
    score : str, default "score"
        Column of the answers: numbers, or with `labels` words. Null is no answer.
    scale : tuple of int, default (1, 5)
        Lowest and highest score there can be; high is good.
    positive : str or collection of int, default "top2"
        Good answers: the highest ones, such as ``"top2"``, or a list, such as ``[4, 5]``.
    negative : str or collection of int, optional
        Bad answers, such as ``"bottom2"`` or ``[1, 2]``. Default: the mirror image of `positive`,
        or all that are not good where the two would overlap.
    rule : {"zendesk", "formbricks", "simplesat", "nicereply"}, optional
        A vendor's rule instead of `positive` and `negative`; see Notes. It is refused on a scale
        for which it says nothing.
    stat : {"share", "mean", "normalized_mean", "mean_of_maximum", "net"}, default "share"
        What to compute of the answers. ``"mean_of_maximum"`` gives the worst answer on a scale from
        1 to 10 a tenth, not 0.
    interval : {"wilson", "clopper_pearson", "jeffreys", "agresti_coull"}, default "wilson"
        Interval of a share. ``"clopper_pearson"`` never covers less often than it says, and is
        wider; ``"agresti_coull"`` is also called adjusted Wald. Means and nets have their own.
    by : str or sequence of str, optional
        Columns of segments. Null is a segment of its own.
    weights : str, optional
        Column of survey weights, 0 or more, such as `rake` makes. Their scale does not matter.
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
    invalid : {"raise", "drop"}, default "raise"
        Whether an answer that is not on the scale is an error, or is left out and counted.
    fractional : {"raise", "floor", "round"}, default "raise"
        What to do with answers that are not whole: of 4.5, refuse it, take 4, or take 5 (half up).
    missing_codes : sequence of float, default ()
        Numbers that mean no answer, such as 99.
    labels : mapping, optional
        Score of each answer in words, such as ``{"Very satisfied": 5}``.
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
          respondent weigh as one. ``n_missing`` (int): rows without an answer.
          ``n_invalid`` (int): answers that are not on the scale.
        - ``n_effective`` (float): the number of simple answers that would be as informative, where
          there are weights or respondents who answered several times; else `n`.
        - ``positive``, ``negative`` (int): good answers and bad ones, not weighted. By a rule that
          does not name the bad ones, those that are not good.
        - ``csat`` (float): the statistic, a fraction; with ``stat="mean"`` on the scale. NaN
          without answers.
        - ``lower``, ``upper`` (float): its interval.
        - ``stat`` (str): the statistic.
        - ``rule`` (str): the rule, such as ``"4-5 of 1-5"`` or ``"zendesk: 4-5 of 1-5"``.
        - ``interval`` (str): the interval: that of a share, ``"t"`` of a mean, ``"score"`` of a
          net.

    Raises
    ------
    MissingColumnError
        If a column is not in the frame (a `KeyError`).
    ColumnTypeError, ArgumentTypeError
        If a column or an argument is of the wrong type (a `TypeError`): numbers as text too.
    ArgumentError
        If answers are not on the scale or not whole, weights or counts null or negative,
        respondents null, the rule does not know the scale, or an argument has a wrong value (a
        `ValueError`).

    Warns
    -----
    RetainkitWarning
        If the answers look like those of another scale; if their effective size is less than a
        tenth of their number, because of a few large weights or of respondents who gave most of
        them; if `repeat` leaves answers out.

    See Also
    --------
    ces : The effort that something took.
    pmf : Who would be very disappointed without the product.

    Notes
    -----
    *Rules.* Good answers by scale, and bad ones where the vendor names them:

    - ``"zendesk"``: 2 of 1-2, 3 of 1-3, 4-5 of 1-5; all others are bad, also 3 of 1-5.
    - ``"formbricks"``: 3 of 1-3, 3-4 of 1-4, 4-5 of 1-5, 5-6 of 1-6, 6-7 of 1-7, 8-10 of 1-10.
    - ``"simplesat"``: 2 of 1-2, 3 of 1-3, 3-4 of 1-4, 4-5 of 1-5; bad are 1, and 1-2 of 1-5.
    - ``"nicereply"``: 4-5 of 1-5.

    *Intervals.* The share has Wilson's [1]_ by default, from which the others differ little beyond
    a few dozen answers [2]_. The net has that of `nps`, the score test's. The mean has Student's,
    cut off at the ends of the scale; where all answered alike it has no spread to judge by, and
    the limits allow for the share of other answers that Wilson's interval leaves open. Where most
    answers are at an end of the scale, Student's covers the mean too seldom: of 25 answers from a
    market in which 85 % give the best of five and 10 % the second best, in 88 % of samples instead
    of 95 %. The share does not have this weakness.

    With weights, and with respondents who answered several times, intervals are those of
    `n_effective` answers, and wider where respondents are few, as in `nps`.

    References
    ----------
    .. [1] Wilson, E. B. (1927), "Probable Inference, the Law of Succession, and Statistical
       Inference", Journal of the American Statistical Association 22 (158), 209-212.
    .. [2] Brown, L. D., Cai, T. T. & DasGupta, A. (2001), "Interval Estimation for a Binomial
       Proportion", Statistical Science 16 (2), 101-133.

    Examples
    --------
    >>> import pandas as pd
    >>> from retainkit import csat
    >>> answers = pd.DataFrame({"score": [5, 5, 4, 4, 4, 5, 4, 3, 2, 1]})
    >>> csat(answers)[["n", "positive", "csat", "lower", "upper", "rule"]].round(3)
        n  positive  csat  lower  upper        rule
    0  10         7   0.7  0.397  0.892  4-5 of 1-5
    >>> csat(answers, rule="zendesk", stat="net")[["csat", "lower", "upper", "rule"]].round(3)
       csat  lower  upper                          rule
    0   0.4 -0.206  0.784  zendesk: 4-5 less 1-3 of 1-5
    """
    shown = check_interval(stat, get_args(CSATStat), interval, rule)
    probability("confidence_level", confidence_level)
    one_of("fractional", fractional, get_args(FractionalAnswer))
    limits = check_scale(scale, missing_codes=missing_codes, invalid=invalid, fractional=fractional)
    check_maximum(stat, limits)
    if rule is None:
        judged = custom_rule(positive, negative, limits)
    else:
        check_only_rule(rule, given=positive != "top2" or negative is not None)
        judged = vendor_rule(rule, limits, CSAT_RULES)
        _check_net(judged, stat)
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
        reserved=_RESULT,
    )
    return estimate_scores(
        responses, options, judged, name="csat", stat=stat, interval=shown, level=confidence_level
    )


def _check_net(rule: Rule, stat: str) -> None:
    """Check that a net has bad answers to subtract."""
    if stat == "net" and not rule.names_bad:
        raise ArgumentError(
            f"`rule` is {rule.name!r}, which does not say which answers are bad, and `stat` is "
            "'net'. Say with `positive` and `negative` which are good and bad.",
            code="argument_conflict",
            argument="rule",
        )
