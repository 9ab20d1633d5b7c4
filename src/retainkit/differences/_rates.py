"""Differences of rates of retention or churn between the segments of a result."""

from __future__ import annotations

from typing import Any, get_args

import numpy as np

from retainkit._checks import one_of, probability
from retainkit._frames.input import check_present
from retainkit._frames.output import build_like
from retainkit._frames.segments import factorize_segments
from retainkit._inputs.columns import check_not_reserved
from retainkit._inputs.group_pairs import pair_groups
from retainkit._messages import count_noun, format_examples, named
from retainkit._stats.differences import share_difference, share_difference_p_value
from retainkit._stats.intervals import ratio
from retainkit._stats.multiplicity import adjust_p_values
from retainkit.differences._counted_rates import CountedRates, read_counted_rates
from retainkit.errors import ArgumentError
from retainkit.typing import Adjust, IntoDataFrameT

_RESULT = (
    *("group_a", "group_b", "n_a", "n_b", "rate_a", "rate_b"),
    *("difference", "lower", "upper", "p_value", "p_adjusted"),
)


def rate_difference(
    table: IntoDataFrameT,
    *,
    group: str,
    reference: Any = None,
    adjust: Adjust = "holm",
    confidence_level: float = 0.95,
) -> IntoDataFrameT:
    r"""Differences of retention or churn between segments, with intervals and p-values.

    >>> from retainkit import churn_rate, datasets, rate_difference
    >>> table = churn_rate(datasets.make_subscriptions(500, seed=1), period="year", by="plan")
    >>> found = rate_difference(table, group="plan", reference="basic").set_index("period")
    >>> found[["group_a", "group_b", "difference", "lower", "upper", "p_value"]].tail(2).round(3)
               group_a group_b  difference  lower  upper  p_value
    period
    2024-01-01    plus   basic       0.039 -0.129  0.202    0.657
    2024-01-01     pro   basic      -0.168 -0.324 -0.001    0.049

    Rows of the same period, or of the same cohort and age, are compared: shares
    :math:`p_a = x_a / n_a` and :math:`p_b = x_b / n_b` with the limits :math:`l, u` of their Wilson
    intervals. The interval of the difference is Newcombe's square-and-add [1]_:

    .. math::
       p_a - p_b - \sqrt{(p_a - l_a)^2 + (u_b - p_b)^2}, \qquad
       p_a - p_b + \sqrt{(u_a - p_a)^2 + (p_b - l_b)^2}.

    The p-value is the smallest :math:`\alpha` whose interval leaves out 0, so that a test and its
    interval never contradict each other.

    Parameters
    ----------
    table : IntoDataFrame
        Result of `cohort_retention`, `retention_curve` (``average="pooled"``) or `churn_rate`
        (``method="opening"`` or ``"stripe"``) with `by`: pandas, Polars or PyArrow. What is in
        progress and who has no customers is left out, and age 0 where retention is 1 there by
        definition.
    group : str
        Column of the groups that are compared: a plan, a channel, a variant of a test. Null is a
        group of its own. Other segments are told apart: groups are compared within them.
    reference : optional
        The group that all others are compared with. Default: all pairs, the later group in
        ascending order less the earlier one.
    adjust : {"holm", "bonferroni", "bh", "none"}, default "holm"
        How p-values are adjusted for the number of comparisons in the result, those of all periods
        or ages together: by Holm [2]_, by Bonferroni, by Benjamini and Hochberg
        (``"bh"``, which bounds the share of false ones among those found), or not at all. Select
        the rows of `table` that you want to compare first.
    confidence_level : float, default 0.95
        Coverage of the interval, between 0 and 1; it is not adjusted.

    Returns
    -------
    DataFrame
        A row for every period, or cohort and age, and pair of groups that both have customers
        there: a new frame of the same kind as `table`.

        - the other segment columns, as in `table`.
        - ``period`` (date) and the cause, or ``cohort`` (date) and ``age`` (int), or ``age`` alone,
          with brackets ``age_end`` (int): as in `table`.
        - ``group_a``, ``group_b``: the groups, of the type of `group`.
        - ``n_a``, ``n_b`` (int): customers who could be retained, or leave.
        - ``rate_a``, ``rate_b`` (float): the share of them who were retained, or left.
        - ``difference`` (float): rate_a - rate_b, from -1 to 1.
        - ``lower``, ``upper`` (float): its interval.
        - ``p_value``, ``p_adjusted`` (float): two-sided, of no difference.

    Raises
    ------
    MissingColumnError
        If `group` is not in the table (a `KeyError`).
    ColumnTypeError, ArgumentTypeError
        If a column or an argument is of the wrong type (a `TypeError`).
    ArgumentError
        If `table` is another table, or its rates are no shares of customers; if `group` is no
        segment of it, no group is `reference`, a group has several rows for one period or age, or
        an argument has a wrong value (a `ValueError`).

    See Also
    --------
    survival_difference : Differences of how long customers stay.
    nps_difference : Differences of net promoter scores.

    Notes
    -----
    Intervals that overlap are no test: the difference of two rates may be plain although the
    intervals of both overlap. And of 20 comparisons without any difference one has a p-value below
    .05 in the mean; that is what `adjust` is for.

    Groups that customers choose themselves, such as plans, differ in more than their name: the
    difference says that they leave at different rates, not that the plan is why.

    References
    ----------
    .. [1] Newcombe, R. G. (1998), "Interval Estimation for the Difference between Independent
       Proportions: Comparison of Eleven Methods", Statistics in Medicine 17 (8), 873-890.
    .. [2] Holm, S. (1979), "A Simple Sequentially Rejective Multiple Test Procedure", Scandinavian
       Journal of Statistics 6 (2), 65-70.

    Examples
    --------
    Of 70 customers who came by way of an advertisement 56 were back after a month, of 80 others 48;
    Newcombe's own example:

    >>> import pandas as pd
    >>> from retainkit import rate_difference
    >>> cells = pd.DataFrame(
    ...     {
    ...         "channel": ["ads", "other"],
    ...         "cohort": ["2024-01", "2024-01"],
    ...         "age": [1, 1],
    ...         "customers": [70, 80],
    ...         "retained": [56, 48],
    ...     }
    ... )
    >>> table = rate_difference(cells, group="channel", reference="other")
    >>> table[["age", "group_a", "group_b", "rate_a", "rate_b", "difference"]]
       age group_a group_b  rate_a  rate_b  difference
    0    1     ads   other     0.8     0.6         0.2
    >>> table[["lower", "upper", "p_value"]].round(4)
        lower   upper  p_value
    0  0.0524  0.3339   0.0081
    """
    one_of("adjust", adjust, get_args(Adjust))
    probability("confidence_level", confidence_level)
    rates = read_counted_rates(table)
    outer = _other_columns(rates, group)
    pairs = pair_groups(
        rates.rows, outer, group, usable=rates.n > 0, reference=reference, column=group
    )
    count_a, n_a, count_b, n_b = (
        values[rows] for rows in (pairs.first, pairs.second) for values in (rates.count, rates.n)
    )
    difference, lower, upper = share_difference(count_a, n_a, count_b, n_b, confidence_level)
    p_value = share_difference_p_value(count_a, n_a, count_b, n_b)
    first, second = pairs.first.tolist(), pairs.second.tolist()
    columns: dict[str, Any] = {name: rates.rows[name][first] for name in outer}
    columns |= {"group_a": rates.rows[group][first], "group_b": rates.rows[group][second]}
    columns |= {
        "n_a": n_a.astype(np.int64),
        "n_b": n_b.astype(np.int64),
        "rate_a": ratio(count_a, n_a),
        "rate_b": ratio(count_b, n_b),
        "difference": difference,
        "lower": lower,
        "upper": upper,
        "p_value": p_value,
        "p_adjusted": adjust_p_values(p_value, adjust),
    }
    result: IntoDataFrameT = build_like(rates.rows, columns)
    return result


def _other_columns(rates: CountedRates, group: str) -> list[str]:
    """Return the columns that compared rows share; a group has one row for each of their values."""
    check_present("group", group, rates.rows)
    if group not in rates.segments:
        made = format_examples(rates.segments) if rates.segments else "none"
        way = "segments come of `by`, and stand left of its own columns."
        if group in rates.keys:
            way = f"rows are compared within each of {format_examples(rates.keys)}."
        raise ArgumentError(
            f"{named(group, 'group')} is no segment of `table`, which has {made}; {way}",
            code="not_a_segment",
            argument="group",
            column=group,
        )
    others = [one for one in rates.segments if one != group]
    check_not_reserved("`table`", others, _RESULT)
    outer = [*others, *rates.keys]
    _, cell = factorize_segments(rates.rows, [*outer, group])
    places = len(np.unique(cell))
    if places < len(cell):
        raise ArgumentError(
            f"`table` has {count_noun(len(cell), 'row')} for {places:,} combinations of "
            f"{format_examples([*outer, group])}; there must be one row for each.",
            code="duplicate_rows",
            argument="table",
            rows=len(cell) - places,
            total=len(cell),
        )
    return outer
