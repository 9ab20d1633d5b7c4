"""Customer effort score: how easy something was, by a rule that the result names."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, get_args

from retainkit._checks import boolean, one_of, probability
from retainkit._inputs.response_options import ResponseOptions
from retainkit._inputs.scale import check_scale
from retainkit.errors import ArgumentError
from retainkit.surveys._rules import CES_RULES, custom_rule, good_half, vendor_rule
from retainkit.surveys._score_estimates import check_interval, check_only_rule, estimate_scores
from retainkit.typing import (
    CESStat,
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
    *("ces", "lower", "upper", "stat", "rule", "interval", "higher_is_better"),
)


def ces(
    responses: TableT | IntoTable[TableT],
    *,
    scale: tuple[int, int],
    higher_is_better: bool,
    score: str = "score",
    stat: CESStat = "mean",
    positive: str | Collection[int] | None = None,
    negative: str | Collection[int] | None = None,
    rule: str | None = None,
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
    r"""Customer effort score: how easy something was, by the question that was asked.

    >>> import pandas as pd
    >>> from retainkit import ces
    >>> answers = pd.DataFrame({"score": [5, 4, 4, 3, 5, 2, 5, 4, 1, 5]})
    >>> ces(answers, scale=(1, 5), higher_is_better=True)[["n", "ces", "lower", "upper"]].round(2)
        n  ces  lower  upper
    0  10  3.8    2.8    4.8

    There are two questions. "How much effort did you have to put forth?" of 2010 [1]_, from 1 to 5,
    for which low is good; and "the company made it easy for me to handle my issue" of 2013 [2]_,
    from 1 to 7, for which high is good. Both are in use, on both scales. So neither the scale nor
    the direction has a default. Of :math:`n` answers :math:`x_i`, :math:`e` of them on the easy
    side and :math:`d` on the difficult one,

    .. math::
       \text{mean} = \bar x, \quad \text{share} = \frac{e}{n}, \quad
       \text{net} = \frac{e - d}{n}.

    Parameters
    ----------
    responses : IntoFrame
        One row a response: pandas, Polars (lazy too) or PyArrow, a DuckDB relation or a PySpark
        DataFrame.
    scale : tuple of int
        Lowest and highest score there can be, such as (1, 7).
    higher_is_better : bool
        Whether a high answer means that it was easy.
    score : str, default "score"
        Column of the answers: numbers, or with `labels` words. Null is no answer.
    stat : {"mean", "share", "net"}, default "mean"
        What to compute of the answers. The mean is on the scale and keeps its direction; of share
        and net, high is always good.
    positive : str or collection of int, optional
        Easy answers: the best ones, such as ``"top2"``, or a list, such as ``[5, 6, 7]``. Default:
        those on the easy side of the middle of the scale, as Zonka counts them.
    negative : str or collection of int, optional
        Difficult answers, such as ``"bottom2"`` or a list. Default: the mirror image of `positive`.
    rule : {"zonka", "solucx", "cys"}, optional
        A vendor's rule instead of `positive` and `negative`, for answers from 1 to 7 of which high
        is good: easy are 5-7 (cys: 6-7), difficult are 1-3.
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
        Score of each answer in words, such as ``{"Very easy": 7}``.
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
        - ``n``, ``n_missing``, ``n_invalid`` (int), ``n_effective`` (float): as in `csat`.
        - ``positive``, ``negative`` (int): easy answers and difficult ones, not weighted.
        - ``ces`` (float): the statistic; NaN without answers.
        - ``lower``, ``upper`` (float): its interval.
        - ``stat``, ``rule``, ``interval`` (str): what was computed, as in `csat`.
        - ``higher_is_better`` (bool): whether a high ``ces`` is good: as given for means, else
          True.

    Raises
    ------
    MissingColumnError
        If a column is not in the frame (a `KeyError`).
    ColumnTypeError, ArgumentTypeError
        If a column or an argument is of the wrong type (a `TypeError`): numbers as text too.
    ArgumentError
        If answers are not on the scale or not whole, weights or counts null or negative,
        respondents null, the rule does not know the scale or its direction, or an argument has a
        wrong value (a `ValueError`).

    Warns
    -----
    RetainkitWarning
        If the answers look like those of another scale; if their effective size is less than a
        tenth of their number, because of a few large weights or of respondents who gave most of
        them; if `repeat` leaves answers out.

    See Also
    --------
    csat : Customer satisfaction; its notes on intervals hold here too.

    References
    ----------
    .. [1] Dixon, M., Freeman, K. & Toman, N. (2010), "Stop Trying to Delight Your Customers",
       Harvard Business Review 88 (7/8), 116-122.
    .. [2] Dixon, M., Toman, N. & DeLisi, R. (2013), The Effortless Experience, Portfolio.

    Examples
    --------
    >>> import pandas as pd
    >>> from retainkit import ces
    >>> answers = pd.DataFrame({"score": [7, 6, 6, 5, 4, 2, 7, 6]})
    >>> columns = ["n", "positive", "negative", "ces", "lower", "upper", "rule"]
    >>> ces(answers, scale=(1, 7), higher_is_better=True)[columns].round(3)
       n  positive  negative    ces  lower  upper rule
    0  8         6         1  5.375  3.966  6.784  1-7
    >>> ces(answers, scale=(1, 7), higher_is_better=True, stat="net")[columns].round(3)
       n  positive  negative    ces  lower  upper                 rule
    0  8         6         1  0.625 -0.024  0.895  5-7 less 1-3 of 1-7
    """
    shown = check_interval(stat, get_args(CESStat), interval, rule)
    up = boolean("higher_is_better", higher_is_better)
    probability("confidence_level", confidence_level)
    one_of("fractional", fractional, get_args(FractionalAnswer))
    limits = check_scale(scale, missing_codes=missing_codes, invalid=invalid, fractional=fractional)
    if rule is None:
        good = good_half(limits, higher_is_better=up) if positive is None else positive
        judged = custom_rule(good, negative, limits, higher_is_better=up)
    else:
        check_only_rule(rule, given=positive is not None or negative is not None)
        judged = vendor_rule(rule, limits, CES_RULES)
        if not up:
            raise ArgumentError(
                f"`rule` is {rule!r}, for which high is good, and `higher_is_better` is False. Say "
                "with `positive` which answers are easy.",
                code="argument_conflict",
                argument="rule",
            )
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
        responses,
        options,
        judged,
        name="ces",
        stat=stat,
        interval=shown,
        level=confidence_level,
        check_scale=up,
        constants={"higher_is_better": up or stat != "mean"},
    )
