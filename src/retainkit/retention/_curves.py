"""Compute the matrix and the curve of retention from a table of cohorts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, get_args

import narwhals.stable.v2 as nw
import numpy as np

from retainkit._checks import integer, one_of, probability
from retainkit._frames.input import check_present, read_result, with_plain_numbers
from retainkit._frames.names import inner_name
from retainkit._frames.output import build_like
from retainkit._frames.segments import factorize_segments, segment_columns, segment_values
from retainkit._inputs.cohort_table import COHORT_COLUMNS, check_numbers, read_cohort_counts
from retainkit._messages import named
from retainkit._typing import Floats, Integers
from retainkit.errors import ArgumentError, ColumnTypeError
from retainkit.retention._averages import chained, mean_of_rates, pooled
from retainkit.retention._reading import warn_of_small_cohorts
from retainkit.typing import Average, IntoDataFrameT

_AVERAGES = {"pooled": pooled, "simple": mean_of_rates, "chained": chained}


def retention_matrix(
    table: IntoDataFrameT, *, values: str = "retention", min_customers: int = 0
) -> IntoDataFrameT:
    """Arrange a table of cohorts as a triangle: cohorts down, ages across.

    >>> from retainkit import cohort_retention, datasets, retention_matrix
    >>> table = cohort_retention(datasets.make_events(500, seed=1))
    >>> retention_matrix(table).set_index("cohort").iloc[:3, :6].round(2)
                  0     1     2     3     4     5
    cohort
    2024-01-01  1.0  0.56  0.39  0.36  0.44  0.47
    2024-02-01  1.0  0.43  0.36  0.50  0.32  0.23
    2024-03-01  1.0  0.45  0.48  0.35  0.42  0.23

    Parameters
    ----------
    table : IntoDataFrame
        Result of `cohort_retention`: pandas, Polars or PyArrow.
    values : str, default "retention"
        Numeric column to show, such as ``retained``, ``eligible`` or ``amount``.
    min_customers : int, default 0
        Leave out cohorts with fewer customers: a warning counts them. At 1 those without customers
        are left out, and nothing is lost: there is no warning. Above 0 the table needs its column
        ``customers``.

    Returns
    -------
    DataFrame
        A row for every segment and cohort, a new frame of the same kind as `table`:

        - the segment columns, as in `table`.
        - ``cohort`` (date): first day of the cohort's period.
        - ``0``, ``1``, ``2`` … (float): `values` at each age, every age up to the last one
          present; with brackets their first and last age, such as ``1-4``. NaN where there is no
          row, since it has not been observed, and where the value itself is NaN.

    Raises
    ------
    MissingColumnError
        If ``cohort``, ``age`` or `values` is not in the table, or ``customers`` where
        `min_customers` is 1 or more.
    ColumnTypeError, ArgumentTypeError
        If `values` or ``customers`` does not hold numbers, or `min_customers` is none.
    ArgumentError
        If `min_customers` is below 0, if a number of customers that it needs is missing, if there
        are several rows for a cohort and age, or if a segment column is called like one of the
        result.

    Warns
    -----
    RetainkitWarning
        If cohorts with customers are left out.

    See Also
    --------
    retainkit.plot.retention_heatmap : The triangle as a picture.

    Examples
    --------
    Ann starts in January and comes back in February; Bob starts in February:

    >>> import pandas as pd
    >>> from retainkit import cohort_retention, retention_matrix
    >>> days = pd.to_datetime(["2024-01-05", "2024-02-03", "2024-02-14"])
    >>> orders = pd.DataFrame({"customer_id": ["ann", "ann", "bob"], "time": days})
    >>> retention_matrix(cohort_retention(orders, as_of="2024-03-01"))
          cohort    0    1
    0 2024-01-01  1.0  1.0
    1 2024-02-01  1.0  NaN
    """
    integer("min_customers", min_customers, 0)
    makers = ["cohort_retention", "revenue_cohorts"]
    needed = ["cohort", "age", *(["customers"] if min_customers else [])]
    frame = read_result(table, argument="table", columns=needed, made_by=makers)
    check_present("values", values, frame)
    column = inner_name(frame, values)
    frame = with_plain_numbers(frame, numbers=["age", column])
    if not frame.schema[column].is_numeric():
        raise ColumnTypeError(
            f"{named(values, 'values')} holds {frame.schema[column]}; it must hold numbers.",
            argument="values",
            column=values,
        )
    if min_customers:
        frame = _without_small_cohorts(frame, min_customers)
    grid = _cohort_grid(frame)
    cells = dict(zip(grid.age.tolist(), grid.fill(frame[column], np.nan).T, strict=True))
    ends = dict(zip(grid.age.tolist(), grid.age_end.tolist(), strict=True))
    if "age_end" not in frame.columns and cells:
        # Without brackets there is no gap between ages: one that is missing was not observed.
        ends = {age: age + 1 for age in range(min(cells), max(cells) + 1)}
    nothing = np.full(len(grid.cohorts["cohort"]), np.nan)
    columns = {
        f"{age}" if end == age + 1 else f"{age}-{end - 1}": cells.get(age, nothing)
        for age, end in ends.items()
    }
    _check_segment_names(grid.cohorts, columns)
    matrix: IntoDataFrameT = build_like(frame, grid.cohorts | columns)
    return matrix


def _without_small_cohorts(frame: nw.DataFrame[Any], min_customers: int) -> nw.DataFrame[Any]:
    """Return the rows of cohorts with so many customers, and warn of others that have any."""
    frame = with_plain_numbers(frame, numbers=["customers"])
    check_numbers(frame, "table", ["customers"], complete=["customers"])
    names = [*segment_columns(frame, COHORT_COLUMNS), "cohort"]
    _, row = factorize_segments(frame, names)
    size = np.zeros(int(row.max(initial=-1)) + 1)
    np.maximum.at(size, row, frame["customers"].to_numpy().astype(np.float64))
    left_out = int(np.sum((size > 0) & (size < min_customers)))
    if left_out:
        warn_of_small_cohorts(left_out, int(np.sum(size > 0)), min_customers)
    return frame[np.flatnonzero(size[row] >= min_customers).tolist()]


def retention_curve(
    table: IntoDataFrameT, *, average: Average = "pooled", confidence_level: float = 0.95
) -> IntoDataFrameT:
    r"""Average a table of cohorts into one curve of retention by age.

    >>> from retainkit import cohort_retention, datasets, retention_curve
    >>> curve = retention_curve(cohort_retention(datasets.load_cdnow(sample=True)))
    >>> curve[["age", "customers", "retained", "retention", "lower", "upper"]].head(3).round(3)
       age  customers  retained  retention  lower  upper
    0    0       2357      2357      1.000  0.998  1.000
    1    1       2357       345      0.146  0.133  0.161
    2    2       2357       289      0.123  0.110  0.136

    With :math:`n_{c,k}` the eligible customers of cohort :math:`c` at age :math:`k`,
    :math:`r_{c,k}` the retained among them and :math:`p_{c,k} = r_{c,k} / n_{c,k}`, over the
    cohorts observed at the age:

    .. math::

       \text{pooled}_k = \frac{\sum_c r_{c,k}}{\sum_c n_{c,k}}, \qquad
       \text{simple}_k = \frac{1}{C_k} \sum_c p_{c,k}, \qquad
       \text{chained}_k = \prod_{j=1}^{k}
       \frac{\sum_c n_{c,j} \, p_{c,j}}{\sum_c n_{c,j} \, p_{c,j-1}} \, \text{pooled}_0,

    where step :math:`j` of the chain runs over the cohorts observed at both ages.

    Parameters
    ----------
    table : IntoDataFrame
        Result of `cohort_retention`: pandas, Polars or PyArrow. Cells in progress and cohorts
        without customers are left out. A table of your own needs ``cohort``, ``age``,
        ``customers`` and ``retained``, the counts of each cell; segments stand left of them.
    average : {"pooled", "simple", "chained"}, default "pooled"
        ``"pooled"``: every customer weighs the same. ``"simple"``: every cohort does, observed
        zeros too. ``"chained"``: step by step, so that an age at which only the old cohorts have
        been observed does not bend the curve.
    confidence_level : float, default 0.95
        Coverage of the interval, between 0 and 1.

    Returns
    -------
    DataFrame
        A row for every segment and age, a new frame of the same kind as `table`:

        - the segment columns, as in `table`.
        - ``age`` (int), and with brackets ``age_end`` (int), as in `table`.
        - ``cohorts`` (int): how many cohorts the age averages over.
        - ``customers`` (int): their eligible customers, and ``retained`` (int) among them.
        - ``retention`` (float): the average, a fraction.
        - ``lower``, ``upper`` (float): its interval.
        - ``average`` (str): `average`.

    Raises
    ------
    MissingColumnError
        If ``cohort``, ``age``, ``retained``, or both ``eligible`` and ``customers`` are not in the
        table.
    ArgumentError
        If `average` or `confidence_level` has a wrong value, if there are several rows for a
        cohort and age, if more customers are retained than there are, or if a segment column is
        called like one of the result.

    See Also
    --------
    retainkit.plot.retention_curve : The curve as a picture.

    Notes
    -----
    The ages of a pooled or a simple curve stand on different cohorts, so it may rise where no
    cohort does. The chain does not; where nobody comes back once gone it is the Kaplan-Meier
    estimate [1]_. It is undefined, NaN, once nobody is left, and may exceed 1 where customers
    return in number.

    The interval of the pooled rate is Wilson's. That of the simple mean is recovered from the
    cohorts' own Wilson intervals (MOVER) [2]_. That of the chain is Wilson's for the effective
    number of customers that gives the delta method's variance [3]_. All take customers as
    independent and the cohorts as given.

    References
    ----------
    .. [1] Kaplan, E. L. & Meier, P. (1958), "Nonparametric Estimation from Incomplete
       Observations", Journal of the American Statistical Association 53 (282), 457-481.
    .. [2] Zou, G. Y., Huang, W. & Zhang, X. (2009), "A note on confidence interval estimation for
       a linear function of binomial proportions", Computational Statistics & Data Analysis
       53 (4), 1080-1085.
    .. [3] Korn, E. L. & Graubard, B. I. (1998), "Confidence Intervals for Proportions with Small
       Expected Number of Positive Counts Estimated from Survey Data", Survey Methodology 24 (2),
       193-201.

    Examples
    --------
    One of January's four customers comes back, then February's only one:

    >>> import pandas as pd
    >>> from retainkit import cohort_retention, retention_curve
    >>> days = ["2024-01-05"] * 4 + ["2024-02-01", "2024-02-09", "2024-03-04"]
    >>> who = [1, 2, 3, 4, 1, 5, 5]
    >>> orders = pd.DataFrame({"customer_id": who, "time": pd.to_datetime(days)})
    >>> table = cohort_retention(orders, as_of="2024-04-01")
    >>> retention_curve(table)[["age", "cohorts", "customers", "retained", "retention"]].head(2)
       age  cohorts  customers  retained  retention
    0    0        2          5         5        1.0
    1    1        2          5         2        0.4
    >>> retention_curve(table, average="simple")["retention"].head(2).tolist()
    [1.0, 0.625]
    """
    one_of("average", average, get_args(Average))
    probability("confidence_level", confidence_level)
    frame = read_cohort_counts(table)
    by, grid = segment_columns(frame, COHORT_COLUMNS), _cohort_grid(frame)
    _check_segment_names(by, ("cohorts", "average"))
    segments, segment = factorize_segments(frame, by)
    eligible, retained = (grid.fill(frame[name], 0.0) for name in ("eligible", "retained"))

    # At least one segment, so that an empty table gives an empty curve.
    parts = []
    for code in range(int(segment.max(initial=0)) + 1):
        rows = np.unique(grid.row[segment == code])
        part = _average_cohorts(eligible[rows], retained[rows], average, confidence_level)
        parts.append({"segment": np.full(len(part["observed"]), code)} | part)
    columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    observed = columns.pop("observed")
    front: dict[str, Any] = segment_values(segments, by, columns.pop("segment"))
    front["age"] = grid.age[observed]
    if "age_end" in frame.columns:
        front["age_end"] = grid.age_end[observed]
    columns["average"] = np.full(len(observed), average)
    curve: IntoDataFrameT = build_like(frame, front | columns)
    return curve


def _average_cohorts(
    eligible: Floats, retained: Floats, average: Average, confidence_level: float
) -> dict[str, Any]:
    """Average the cohorts of one segment at the ages that were `observed`."""
    # Ages that this segment lacks are no gap in its chain.
    ages = np.flatnonzero(eligible.any(axis=0))
    eligible, retained = eligible[:, ages], retained[:, ages]
    curve = _AVERAGES[average](eligible, retained / np.maximum(eligible, 1), confidence_level)
    observed = np.flatnonzero(curve.used.any(axis=0))
    return {
        "observed": ages[observed],
        "cohorts": curve.used.sum(axis=0)[observed],
        "customers": np.sum(eligible, axis=0, where=curve.used)[observed].astype(np.int64),
        "retained": np.sum(retained, axis=0, where=curve.used)[observed].astype(np.int64),
        "retention": curve.estimate[observed],
        "lower": curve.lower[observed],
        "upper": curve.upper[observed],
    }


def _check_segment_names(segments: Iterable[str], reserved: Iterable[str]) -> None:
    for name in {*segments} & {*reserved}:
        raise ArgumentError(
            f"`table` has a segment column {name!r}, which is also the name of a column of the "
            "result; rename it first.",
            code="reserved_name",
            argument="table",
            column=name,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _CohortGrid:
    """A row for every cohort of a segment and a column for every age.

    `row` and `column` are the place of each row of the table.
    """

    cohorts: dict[str, nw.Series[Any]]
    row: Integers
    age: Integers
    age_end: Integers
    column: Integers

    def fill(self, values: nw.Series[Any], empty: float) -> Floats:
        """Return values in their places, and `empty` where there is none."""
        cells = np.full((len(self.cohorts["cohort"]), len(self.age)), empty)
        cells[self.row, self.column] = values.to_numpy()
        return cells


def _cohort_grid(frame: nw.DataFrame[Any]) -> _CohortGrid:
    """Check that a table has one row for each cohort and age, and return their places."""
    cohorts, row = factorize_segments(frame, [*segment_columns(frame, COHORT_COLUMNS), "cohort"])
    age, age_end, column = _ages(frame)
    places = len(np.unique(row * len(age) + column))
    if places < len(frame):
        raise ArgumentError(
            f"`table` has {len(frame):,} rows for {places:,} pairs of cohort and age; there must "
            "be one row for each. Columns that tell segments apart must stand left of 'cohort'.",
            code="duplicate_rows",
            argument="table",
            rows=len(frame) - places,
            total=len(frame),
        )
    return _CohortGrid(cohorts=cohorts, row=row, age=age, age_end=age_end, column=column)


def _ages(frame: nw.DataFrame[Any]) -> tuple[Integers, Integers, Integers]:
    """Return every age of a table with its end, and the number of each row's age among them."""
    first = frame["age"].to_numpy().astype(np.int64)
    age, where, column = np.unique(first, return_index=True, return_inverse=True)
    if "age_end" not in frame.columns:
        return age, age + 1, column
    return age, frame["age_end"].to_numpy().astype(np.int64)[where], column
