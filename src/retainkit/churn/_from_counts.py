"""Churn rate of a table that has the customers who came and left counted already."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np

from retainkit._checks import integer, probability
from retainkit._frames.arrays import is_null
from retainkit._frames.factorize import factorize
from retainkit._frames.input import collect
from retainkit._frames.output import build_like
from retainkit._frames.segments import factorize_segments
from retainkit._inputs.columns import CheckedTable, Column, read_columns
from retainkit._inputs.counts import read_counts
from retainkit._inputs.kinds import COUNT, SEGMENT, is_text
from retainkit._messages import count_noun, format_examples, warn
from retainkit._stats.intervals import ratio, wilson
from retainkit._typing import Floats, Integers
from retainkit.errors import ArgumentError
from retainkit.typing import IntoTable, TableT

_RESULT = ("period", "opening", "new", "churned", "closing", "churn_rate", "lower", "upper")

# Nulls are looked for in memory.
_COUNTS = (
    Column("period", SEGMENT, nulls="keep"),
    Column("new", COUNT, nulls="keep"),
    Column("lost", COUNT, nulls="keep"),
    Column("opening", COUNT, nulls="keep", required=False),
)
# Words that come in the order of time: 2024, 2024-01, 2024Q1, 2024-W05, 2024/01/31 and the like.
_ISO = re.compile(
    r"\d{4}([-/. ]?(\d\d([-/. ]?\d\d)?|Q\d|M\d\d|W\d\d(-?\d)?))?([T ]\d\d:\d\d(:\d\d(\.\d+)?)?)?"
)


def churn_rate_from_counts(
    table: TableT | IntoTable[TableT],
    *,
    period: str = "period",
    new: str = "new",
    lost: str = "lost",
    opening: str | int = 0,
    by: str | Sequence[str] | None = None,
    confidence_level: float = 0.95,
) -> TableT:
    r"""Churn rate of a table of periods in which those who came and who left are counted already.

    >>> import pandas as pd
    >>> from retainkit import churn_rate_from_counts
    >>> table = pd.DataFrame({"period": ["2024-02", "2024-03"], "new": [45, 67], "lost": [2, 9]})
    >>> churn_rate_from_counts(table, opening=120).round(3)
        period  opening  new  churned  closing  churn_rate  lower  upper
    0  2024-02      120   45        2      163       0.017  0.005  0.059
    1  2024-03      163   67        9      221       0.055  0.029  0.102

    The customers at the start of a period are those who came before it less those who had left:

    .. math::
       \text{opening}_t = \text{opening}_0 + \sum_{s < t} (\text{new}_s - \text{churned}_s),
       \qquad
       \text{churn\_rate}_t = \frac{\text{churned}_t}{\text{opening}_t}.

    Parameters
    ----------
    table : IntoFrame
        One row a period: pandas, Polars (lazy too) or PyArrow, a DuckDB relation or a PySpark
        DataFrame. The order of the rows means nothing; a period without a row is one in which
        nobody came and nobody left.
    period : str, default "period"
        Column of the periods: dates, numbers, or words in the order of time, such as ``"2024-01"``.
    new : str, default "new"
        Column of the number of customers who came in the period, whole and 0 or more.
    lost : str, default "lost"
        Column of the number of customers who left in it.
    opening : str or int, default 0
        Customers before the first period, or the column that has those at the start of each;
        where that is null, they are those at the end of the period before.
    by : str or sequence of str, optional
        Columns of segments. Null is a segment of its own.
    confidence_level : float, default 0.95
        Coverage of the interval, between 0 and 1.

    Returns
    -------
    DataFrame
        A row for every row of `table`, by segment and period. A new frame of the same kind; Polars
        for a LazyFrame, pandas for DuckDB and PySpark.

        - the columns of `by`.
        - ``period``: the period, of the type of `period`.
        - ``opening`` (int): customers as the period begins.
        - ``new``, ``churned`` (int): those who come and those who leave.
        - ``closing`` (int): customers as the period ends.
        - ``churn_rate`` (float): a fraction; NaN where there is nobody to leave.
        - ``lower``, ``upper`` (float): Wilson's interval for it.

    Raises
    ------
    MissingColumnError
        If a column is not in the frame (a `KeyError`).
    ColumnTypeError, ArgumentTypeError
        If a column or an argument is of the wrong type (a `TypeError`).
    ArgumentError
        If counts are null or negative, a period occurs twice, words of `period` are not in the
        order of time, more customers leave than there are, `opening` is a number above 0 beside
        `by`, since each segment has its own, or an argument has a wrong value (a `ValueError`).

    Warns
    -----
    RetainkitWarning
        If more customers leave in a period than were there at its start: who comes and leaves
        within one belongs in neither count, and the rate is NaN there. If a given `opening` is not
        what the period before ends with.

    See Also
    --------
    churn_rate : The same from subscriptions.

    Notes
    -----
    Counts of your own know no customers: who returns is new, unless you leave those out. A rate
    divides by who was there at the start, not by all who ever came, and not by those at the end.

    References
    ----------
    .. [1] Wilson, E. B. (1927), "Probable Inference, the Law of Succession, and Statistical
       Inference", Journal of the American Statistical Association 22 (158), 209-212.

    Examples
    --------
    >>> import pandas as pd
    >>> from retainkit import churn_rate_from_counts
    >>> months = pd.DataFrame(
    ...     {
    ...         "period": ["2024-01", "2024-02", "2024-03", "2024-04"],
    ...         "new": [23, 45, 67, 20],
    ...         "lost": [0, 2, 4, 7],
    ...     }
    ... )
    >>> churn_rate_from_counts(months).drop(columns=["lower", "upper"]).round(4)
        period  opening  new  churned  closing  churn_rate
    0  2024-01        0   23        0       23         NaN
    1  2024-02       23   45        2       66      0.0870
    2  2024-03       66   67        4      129      0.0606
    3  2024-04      129   20        7      142      0.0543
    """
    column = opening if isinstance(opening, str) else None
    before = 0 if isinstance(opening, str) else integer("opening", opening, 0)
    probability("confidence_level", confidence_level)
    names = {"period": period, "new": new, "lost": lost, "opening": column}
    counts = read_columns(table, "table", _COUNTS, names, by=by, reserved=_RESULT)
    if before and counts.by:
        raise ArgumentError(
            f"`opening` is {before} beside `by`; name a column of the customers at the start, "
            "since segments have their own.",
            argument="opening",
            code="argument_conflict",
        )
    flows = _read_flows(counts, before)
    _warn_of_short_stays(flows, counts)
    rate = ratio(flows.churned, flows.opening)
    rate = np.where(rate > 1, np.nan, rate)
    lower, upper = wilson(
        flows.churned, np.where(np.isnan(rate), 0, flows.opening), confidence_level
    )
    columns = {
        "opening": flows.opening,
        "new": flows.new,
        "churned": flows.churned,
        "closing": flows.opening + flows.new - flows.churned,
        "churn_rate": rate,
        "lower": lower,
        "upper": upper,
    }
    return build_like(counts.given, flows.keys | columns)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Flows:
    """Customers at the start of each period, and who comes and leaves, by segment and period.

    `keys` are the columns of the segments and the periods.
    """

    keys: dict[str, nw.Series[Any]]
    opening: Integers
    new: Integers
    churned: Integers


def _read_flows(table: CheckedTable, before: int) -> _Flows:
    """Read the counts into memory, in the order of periods, and derive who was there."""
    rows = collect(table.rows)
    _check_periods(rows, table)
    _, segment = factorize_segments(rows, table.keys)
    place = factorize(rows["period"], sort=True)[0]
    order = np.lexsort((place, segment))
    segment, place = segment[order], place[order]
    twice = (segment[1:] == segment[:-1]) & (place[1:] == place[:-1])
    if twice.any():
        some = rows["period"][order[1:][twice].tolist()].unique().to_list()
        raise ArgumentError(
            f"{table.source('period')} has a period twice in {count_noun(int(twice.sum()), 'row')}"
            f": {format_examples(some)}. There must be one row for each period"
            f"{' and segment' if table.by else '; name columns of segments with `by`'}.",
            code="duplicate_rows",
            argument="period",
            column=table.names["period"],
            rows=int(twice.sum()),
            total=len(rows),
        )
    new, lost = (read_counts(rows, table, one)[order].astype(np.int64) for one in ("new", "lost"))
    given = _given_openings(rows, table)[order]
    opening = _openings(segment, new - lost, given, before)
    _check_openings(opening, new - lost, segment, given, table)
    names = dict(zip([*table.keys, "period"], [*table.by, "period"], strict=True))
    keys = {name: rows[key][order.tolist()] for key, name in names.items()}
    return _Flows(keys=keys, opening=opening, new=new, churned=lost)


def _check_periods(rows: nw.DataFrame[Any], table: CheckedTable) -> None:
    """Check that no period is null, and that words are in the order of time."""
    period, source = rows["period"], table.source("period")
    unknown = int(period.is_null().sum())
    if unknown:
        raise ArgumentError(
            f"{source} is null in {count_noun(unknown, 'row')}; leave such rows out.",
            code="null_values",
            argument="period",
            column=table.names["period"],
            rows=unknown,
            total=len(rows),
        )
    # Categories that declare an order are in it.
    if isinstance(period.dtype, nw.Enum) or not is_text(rows, "period"):
        return
    wrong = [one for one in period.unique().to_list() if not _ISO.fullmatch(str(one))]
    if wrong:
        raise ArgumentError(
            f"{source} holds {format_examples(sorted(wrong, key=str))}, whose order is not that of "
            "time; write '2024-01' or '2024-01-31', or convert them to dates first.",
            code="unordered_periods",
            argument="period",
            column=table.names["period"],
        )


def _given_openings(rows: nw.DataFrame[Any], table: CheckedTable) -> Floats:
    """Return the customers at the start of each period as given, NaN where they are not."""
    if "opening" not in table.names:
        return np.full(len(rows), np.nan)
    known = ~is_null(rows["opening"])
    given = np.full(len(rows), np.nan)
    given[known] = read_counts(rows.filter(known.tolist()), table, "opening")
    return given


def _openings(segment: Integers, change: Integers, given: Floats, before: int) -> Integers:
    """Return who is there at the start of each period: as given, or as the one before ends."""
    begins = np.append(True, segment[1:] != segment[:-1])[: len(segment)]
    start = np.where(np.isnan(given), before, given).astype(np.int64)
    known = begins | ~np.isnan(given)
    # From each known start on, what came in and went out since is added.
    total = np.cumsum(change) - change
    base = (start - total)[known]
    opening: Integers = total + base[np.cumsum(known) - 1] if len(segment) else start
    return opening


def _check_openings(
    opening: Integers, change: Integers, segment: Integers, given: Floats, table: CheckedTable
) -> None:
    """Check that nobody leaves who was not there; warn where given openings do not follow."""
    closing = opening + change
    below = int((closing < 0).sum())
    if below:
        raise ArgumentError(
            f"more customers leave than there are in {count_noun(below, 'row')}, of "
            f"{len(closing):,}; `opening` says how many were there before the first period.",
            code="count_above_total",
            argument="opening",
            rows=below,
            total=len(closing),
        )
    follows = np.append(False, segment[1:] == segment[:-1])[: len(segment)]
    previous = np.roll(closing, 1)
    broken = int((follows & ~np.isnan(given) & (opening != previous)).sum())
    if broken:
        warn(
            f"{table.source('opening')} is not what the period before ends with (its opening, plus "
            f"new, less lost) in {count_noun(broken, 'row')}, of {len(closing):,}; it is taken as "
            "given.",
            code="counts_do_not_add_up",
            argument="opening",
            column=table.names["opening"],
            rows=broken,
            total=len(closing),
        )


def _warn_of_short_stays(flows: _Flows, table: CheckedTable) -> None:
    """Warn where more leave than were there at the start."""
    more = int(((flows.churned > flows.opening) & (flows.opening > 0)).sum())
    if more:
        warn(
            f"{table.source('lost')} is more than the customers at the start in "
            f"{count_noun(more, 'row')}, of {len(flows.opening):,}, which have no rate. Who comes "
            "and leaves within one period is to be left out of both counts.",
            code="count_above_total",
            argument="lost",
            column=table.names["lost"],
            rows=more,
            total=len(flows.opening),
        )
