"""Product-market fit: the share of those who would be very disappointed without the product."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any, get_args

import narwhals.stable.v2 as nw
import numpy as np

from retainkit._checks import is_list, one_of, probability
from retainkit._frames.input import collect
from retainkit._frames.output import build_like
from retainkit._inputs.answers import Answers, read_answers
from retainkit._inputs.response_options import ResponseOptions
from retainkit._inputs.scale import Scale
from retainkit._messages import format_examples, warn
from retainkit.errors import ArgumentError, ArgumentTypeError
from retainkit.surveys._scaled_answers import read_scaled_answers, warn_of_weights
from retainkit.surveys._score_estimates import estimate_share
from retainkit.typing import IntoTable, Missing, Repeat, ShareInterval, TableT

_RESULT = (
    *("n", "n_missing", "n_excluded", "n_effective", "very", "pmf", "lower", "upper"),
    *("threshold", "clears", "interval"),
)
# Values of answers. Those that are excluded lie beyond the scale.
_OTHER, _VERY, _EXCLUDED = 0.0, 1.0, 2.0
_SCALE = Scale(low=_OTHER, high=_VERY, invalid="drop")


def pmf(
    responses: TableT | IntoTable[TableT],
    *,
    answer: str = "answer",
    very: str | float = "very disappointed",
    exclude: str | Collection[str | float] = (),
    threshold: float = 0.4,
    interval: ShareInterval = "wilson",
    by: str | Sequence[str] | None = None,
    weights: str | None = None,
    counts: str | None = None,
    respondent: str | None = None,
    time: str | None = None,
    repeat: Repeat = "cluster",
    missing: Missing = "raise",
    observed: bool = True,
    confidence_level: float = 0.95,
) -> TableT:
    r"""Product-market fit: the share that would be very disappointed without the product.

    >>> import pandas as pd
    >>> from retainkit import pmf
    >>> answers = pd.DataFrame({"answer": ["Very disappointed"] * 45 + ["Not disappointed"] * 55})
    >>> pmf(answers)[["n", "very", "pmf", "lower", "upper", "clears"]].round(3)
         n  very   pmf  lower  upper  clears
    0  100    45  0.45  0.356  0.548   False

    To the question "How would you feel if you could no longer use it?" Sean Ellis takes 40 % of
    "very disappointed" for the sign of a product that people must have [1]_:

    .. math:: \text{pmf} = \text{very} / n.

    Whether those who answer "N/A, I no longer use it" are among the :math:`n` makes a difference,
    and sources disagree: say it with `exclude`.

    Parameters
    ----------
    responses : IntoFrame
        One row a response: pandas, Polars (lazy too) or PyArrow, a DuckDB relation or a PySpark
        DataFrame.
    answer : str, default "answer"
        Column of the answers: words, or numbers for them. Null is no answer.
    very : str or float, default "very disappointed"
        The answer that counts. Capitals, and blanks around words, make no difference.
    exclude : str or collection, default ()
        Answers that are not in the denominator, such as ``["N/A"]``; they compare as `very` does.
    threshold : float, default 0.4
        The share to reach, a fraction.
    interval : {"wilson", "clopper_pearson", "jeffreys", "agresti_coull"}, default "wilson"
        Interval of a share. ``"clopper_pearson"`` never covers less often than it says, and is
        wider; ``"agresti_coull"`` is also called adjusted Wald.
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
    missing : {"raise", "drop"}, default "raise"
        Whether a null where a value is needed is an error, or its row is left out with a warning
        that counts such rows. Needed are `respondent`, `weights`, `counts` and, to take the first
        or the last, `time`. A null in `answer` is no answer.
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
        - ``n`` (int): answers that count. ``n_missing`` (int): rows without an answer.
          ``n_excluded`` (int): answers that are left out by `exclude`.
        - ``n_effective`` (float): the number of simple answers that would be as informative, where
          there are weights or respondents who answered several times; else `n`.
        - ``very`` (int): those who would be very disappointed, not weighted.
        - ``pmf`` (float): their share, a fraction; NaN without answers.
        - ``lower``, ``upper`` (float): its interval.
        - ``threshold`` (float): as given.
        - ``clears`` (bool): whether the whole interval is at or above it. False is no proof of
          the contrary, unless ``upper`` is below the threshold.
        - ``interval`` (str): how it was found.

    Raises
    ------
    MissingColumnError
        If a column is not in the frame (a `KeyError`).
    ColumnTypeError, ArgumentTypeError
        If a column or an argument is of the wrong type (a `TypeError`).
    ArgumentError
        If weights or counts are null or negative, respondents null, or an argument has a wrong
        value (a `ValueError`).

    Warns
    -----
    RetainkitWarning
        If nobody gave the answer `very` or one of `exclude`, which may be spelled otherwise; if the
        effective size of the answers is less than a tenth of their number, because of a few large
        weights or of respondents who gave most of them; if `repeat` leaves answers out.

    See Also
    --------
    csat : Customer satisfaction, with the notes on intervals.

    Notes
    -----
    A share above the threshold proves little with few answers: of 30, 60 % are needed for an
    interval that clears 40 %. Ask those who have used the product lately and more than once; who
    left it does not answer.

    References
    ----------
    .. [1] Ellis, S. & Brown, M. (2017), Hacking Growth, Currency, chapter 2.

    Examples
    --------
    >>> import pandas as pd
    >>> from retainkit import pmf
    >>> answers = pd.DataFrame(
    ...     {
    ...         "answer": ["Very disappointed", "Somewhat disappointed", "Not disappointed", "N/A"],
    ...         "people": [85, 120, 80, 15],
    ...     }
    ... )
    >>> columns = ["n", "n_excluded", "very", "pmf", "lower", "upper", "clears"]
    >>> pmf(answers, counts="people")[columns].round(3)
         n  n_excluded  very    pmf  lower  upper  clears
    0  300           0    85  0.283  0.235  0.337   False
    >>> pmf(answers, counts="people", exclude=["N/A"])[columns].round(3)
         n  n_excluded  very    pmf  lower  upper  clears
    0  285          15    85  0.298  0.248  0.354   False
    """
    counted, excluded = _check_answers(very, exclude)
    limit = probability("threshold", threshold)
    one_of("interval", interval, get_args(ShareInterval))
    probability("confidence_level", confidence_level)
    options = ResponseOptions(
        score=answer,
        by=by,
        weights=weights,
        counts=counts,
        respondent=respondent,
        time=time,
        repeat=repeat,
        labels={very: _VERY},
        observed=observed,
        missing=missing,
        reserved=_RESULT,
        argument_names={"score": "answer"},
    )
    answers = read_answers(responses, options)
    classified = _classify(answers, counted, excluded, very)
    found = read_scaled_answers(classified, _SCALE, repeat=repeat, check_scale=False)
    numbers = found.counts
    is_very = numbers.value == _VERY
    result = estimate_share(found, is_very, interval, confidence_level)
    warn_of_weights(found, result.effective)
    columns = {
        "n": numbers.n_by_segment(),
        "n_missing": numbers.missing,
        "n_excluded": numbers.invalid,
        "n_effective": result.effective,
        "very": numbers.n_by_segment(is_very),
        "pmf": result.value,
        "lower": result.lower,
        "upper": result.upper,
        "threshold": np.full(numbers.n_segments, limit),
        "clears": result.lower >= limit,
        "interval": np.full(numbers.n_segments, interval),
    }
    return build_like(answers.rows, found.segments() | columns)


def _check_answers(very: Any, exclude: Any) -> tuple[str, dict[str, str | float]]:
    """Check the answers that arguments name, and return them in the form in which they compare."""
    if isinstance(exclude, str):
        exclude = [exclude]
    if not is_list(exclude) and not isinstance(exclude, (set, frozenset)):
        raise ArgumentTypeError(
            f"`exclude` is {exclude!r}; it must be a list of answers, such as ['N/A'].",
            argument="exclude",
        )
    given = {"very": [very], "exclude": list(exclude)}
    for argument, answers in given.items():
        for one in answers:
            if isinstance(one, bool) or not isinstance(one, (str, int, float)):
                raise ArgumentTypeError(
                    f"`{argument}` names {one!r}; an answer must be text or a number.",
                    argument=argument,
                )
    counted, excluded = _normalize(very), {_normalize(one): one for one in given["exclude"]}
    if counted in excluded:
        raise ArgumentError(
            f"`exclude` names {very!r}, which is also `very`; an answer is one of the two.",
            code="argument_conflict",
            argument="exclude",
        )
    return counted, excluded


def _normalize(answer: str | float) -> str:
    """Write an answer so that it compares: without capitals, and 3.0 as 3."""
    if isinstance(answer, str):
        return answer.strip().casefold()
    return str(int(answer)) if float(answer).is_integer() else str(float(answer))


def _classify(
    responses: Answers, counted: str, excluded: Mapping[str, str | float], very: str | float
) -> Answers:
    """Assign a value to each answer that occurs; reads the distinct answers."""
    distinct = collect(responses.rows.group_by("score").agg(rows=nw.len()))["score"]
    answers = sorted(distinct.drop_nulls().to_list(), key=str)
    normalized = {one: _normalize(one) for one in answers}
    for argument, expected in (("very", {counted: very}), ("exclude", excluded)):
        lacking = sorted(
            repr(one) for key, one in expected.items() if key not in normalized.values()
        )
        if answers and lacking:
            warn(
                f"nobody in {responses.source('score')} answered "
                f"{' or '.join(lacking)}; the answers are {format_examples(answers)}. If it is "
                f"spelled otherwise, set `{argument}`.",
                code="unused_value",
                argument=argument,
                column=responses.names["score"],
            )
    labels = {
        one: _VERY if key == counted else _EXCLUDED if key in excluded else _OTHER
        for one, key in normalized.items()
    }
    return replace(responses, labels=labels)
