"""Moves of customers between segments, from one table of customers to a later one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from retainkit._checks import probability
from retainkit._frames.output import build_like
from retainkit._frames.segments import segment_values
from retainkit._inputs.columns import check_not_named_twice, segment_names
from retainkit._inputs.rules import GONE, NEW
from retainkit._stats.intervals import ratio, wilson
from retainkit._typing import NativeT
from retainkit.segments._moves import RESULT, Moves, read_moves
from retainkit.typing import IntoFrame, IntoTable, TableT


def segment_migration(
    before: TableT | IntoTable[TableT],
    after: IntoFrame,
    *,
    customer: str = "customer_id",
    segment: str = "segment",
    value: str | None = None,
    by: str | Sequence[str] | None = None,
    confidence_level: float = 0.95,
) -> TableT:
    r"""Customers by the segment they were in and the one they are in, with shares and intervals.

    >>> import pandas as pd
    >>> from retainkit import segment_migration
    >>> now = pd.DataFrame({"customer_id": [1, 2], "segment": ["loyal", "asleep"]})
    >>> segment_migration(now.assign(segment="loyal"), now).query("customers > 0").round(2)
        from      to  customers  share  lower  upper
    3  loyal  asleep          1    0.5   0.09   0.91
    4  loyal   loyal          1    0.5   0.09   0.91

    Of the :math:`n` customers in a segment before, :math:`k` are in another one after: the share
    is :math:`k / n`, with its Wilson interval [1]_. Who is in one of the tables only is
    ``(new)`` or ``(gone)``, so that the rows of a segment before add up to all who were in it, and
    those of one after to all who are.

    Parameters
    ----------
    before : IntoFrame
        One row a customer at the earlier time: pandas, Polars (lazy too) or PyArrow, a DuckDB
        relation or a PySpark DataFrame.
    after : IntoFrame
        The same at the later time, of any kind.
    customer : str, default "customer_id"
        Column that identifies the customer: integers, strings, UUIDs or categories.
    segment : str, default "segment"
        Column of the segment, such as `assign_segments` makes it. Numbers and categories are
        compared by their values.
    value : str, optional
        Column of a number to be summed, such as money, in both tables. Null adds nothing.
    by : str or sequence of str, optional
        Columns of segments. Null is a segment of its own. They are in both tables, and a customer
        who is in both has the same in both. Each gets a table of its own.
    confidence_level : float, default 0.95
        Coverage of the interval, between 0 and 1.

    Returns
    -------
    DataFrame
        A row for every segment before and every one after, whoever moved: all labels that either
        table has are crossed, those of categories in their order and others ascending, with
        ``(new)`` and ``(gone)`` last. A new frame of the same kind as `before`, in memory: Polars
        of a LazyFrame, pandas of DuckDB and PySpark.

        - the columns of `by`.
        - ``from`` (str), ``to`` (str): the segments.
        - ``customers`` (int): how many moved so, or stayed.
        - ``share`` (float): of all who were in ``from``; NaN where nobody was.
        - ``lower``, ``upper`` (float): its Wilson interval.
        - with `value`, ``value_before``, ``value_after`` (float): its sums over these customers, in
          either table.

    Raises
    ------
    MissingColumnError
        If a column is not in the frames (a `KeyError`).
    ColumnTypeError, ArgumentTypeError
        If a column or an argument is of the wrong type, or customers or segments are of one type
        in `before` and of another in `after` (a `TypeError`).
    ArgumentError
        If a customer has several rows, a customer or a segment is null, a label is ``(new)`` or
        ``(gone)``, a customer has different values of `by`, or an argument has a wrong value (a
        `ValueError`).

    See Also
    --------
    assign_segments : The segment of every customer.
    retainkit.plot.segment_migration : The picture.

    Notes
    -----
    A migration is real only where the segments mean the same in both tables: rules on scores that
    are cut anew each time hold every segment near its size whatever customers do. Give
    `rfm_scores` the ``cuts`` of the first time at the second.

    The interval takes customers to move independently of one another. It says how well the share
    is known that such customers would have, not whether segments cause anything.

    References
    ----------
    .. [1] Wilson, E. B. (1927), "Probable Inference, the Law of Succession, and Statistical
       Inference", Journal of the American Statistical Association 22 (158), 209-212.

    Examples
    --------
    Customers 1 to 3 bought in the first period, and 1, 3 and 4 in the second: two repeat, 2 lapses,
    and 4 is new.

    >>> import pandas as pd
    >>> from retainkit import segment_migration
    >>> first = pd.DataFrame({"customer_id": [1, 2, 3], "segment": "buyer", "spend": [10, 20, 30]})
    >>> second = pd.DataFrame({"customer_id": [1, 3, 4], "segment": "buyer", "spend": [5, 5, 50]})
    >>> moves = segment_migration(first, second, value="spend")
    >>> moves[["from", "to", "customers", "share", "value_before", "value_after"]].round(3)
        from      to  customers  share  value_before  value_after
    0  buyer   buyer          2  0.667          40.0         10.0
    1  buyer  (gone)          1  0.333          20.0          0.0
    2  (new)   buyer          1  1.000           0.0         50.0
    """
    probability("confidence_level", confidence_level)
    for argument, name in (("customer", customer), ("segment", segment)):
        check_not_named_twice(argument, name, segment_names(by, RESULT))
    moves = read_moves(before, after, customer=customer, segment=segment, value=value, by=by)
    return _result(moves, confidence_level)


def _result(moves: Moves, confidence_level: float) -> NativeT:  # type: ignore[type-var]
    """Return the cells of all segments as rows, those from new to gone left out."""
    texts = moves.labels.texts
    group, origin, target = (one.ravel() for one in np.indices(moves.customers.shape))
    shown = (origin < len(texts)) | (target < len(texts))
    group, origin, target = group[shown], origin[shown], target[shown]
    customers = moves.customers.ravel()[shown]
    n = moves.customers.sum(axis=2)[group, origin]
    lower, upper = wilson(customers, n, confidence_level)
    columns: dict[str, Any] = dict(segment_values(moves.keys, moves.keys, group))
    columns |= {
        "from": np.array([*texts, NEW])[origin],
        "to": np.array([*texts, GONE])[target],
        "customers": customers,
        "share": ratio(customers, n),
        "lower": lower,
        "upper": upper,
    }
    for name in ("value_before", "value_after"):
        sums = getattr(moves, name)
        if sums is not None:
            columns[name] = sums.ravel()[shown]
    return build_like(moves.given, columns)
