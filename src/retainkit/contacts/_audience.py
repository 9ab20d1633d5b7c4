"""Audiences: every rule that a customer meets."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from operator import or_
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np

from retainkit._frames.arrow_extensions import as_given
from retainkit._frames.input import collect
from retainkit._frames.join import to_kind_of
from retainkit._frames.names import inner_name
from retainkit._frames.output import build_like, select_to_native
from retainkit._inputs.columns import Column, check_not_reserved, read_columns
from retainkit._inputs.customer_table import check_one_row
from retainkit._inputs.facts import as_number, count_true, read_facts, without_nulls
from retainkit._inputs.kinds import ID
from retainkit._inputs.rule_conditions import BoundRules, bind_rules
from retainkit._inputs.rules import RuleTable, read_rules
from retainkit._messages import count_noun, format_examples, warn
from retainkit._typing import NativeT
from retainkit.typing import IntoFrame, IntoFrameT

_VIEW = (Column("customer", ID, nulls="refuse"),)
_RULE = "rule"


def audience(view: IntoFrameT, rules: IntoFrame, *, customer: str = "customer_id") -> IntoFrameT:
    """Every rule that a customer meets, with what the rule says besides.

    >>> import pandas as pd
    >>> from retainkit import audience
    >>> rules = pd.DataFrame({"rule": ["win back"], "recency_days_min": [90], "channel": ["mail"]})
    >>> audience(pd.DataFrame({"customer_id": [1, 2], "recency_days": [10, 120]}), rules)
       customer_id      rule channel
    0            2  win back    mail

    Conditions are inclusive at both ends, and all of a rule must hold. Where a column is null, or
    NaN, a rule that has a condition on it does not hold. Who meets several rules has a row for
    each; which of them is sent is the business of `apply_contact_policy`.

    Parameters
    ----------
    view : IntoFrame
        One row a customer, with the columns that the rules are about: pandas, Polars (lazy too) or
        PyArrow, a DuckDB relation or a PySpark DataFrame. The order of the rows means nothing.
    rules : IntoFrame
        Table of one row a rule, of any kind. Columns ``<column>_min``, ``<column>_max``
        (both inclusive) and ``<column>_is`` (equals) are its conditions, all of which must
        hold; null sets none. The label is in the column ``rule``; other columns, such as
        ``priority`` and ``channel``, are carried along. One label may have several rows,
        for several channels.
    customer : str, default "customer_id"
        Column that identifies the customer: integers, strings, UUIDs or categories.

    Returns
    -------
    DataFrame
        A row for each rule that a customer meets: a new frame of the same kind as `view`, customers
        in their order there, and rules in theirs. Of a lazy frame (Polars' LazyFrame, DuckDB,
        PySpark) a lazy frame of the same engine, in no order.

        - that of the customer under its own name.
        - ``rule`` (str): the label of the rule.
        - the other columns of `rules` that are no conditions, of the types they have there.

    Raises
    ------
    MissingColumnError
        If a rule has a condition on a column that is not in the view, or a column is missing (a
        `KeyError`).
    ColumnTypeError, ArgumentTypeError
        If a condition does not compare with its column, a label is no text, or an argument is of
        the wrong type (a `TypeError`).
    ArgumentError
        If a rule has no condition, or some that exclude each other; if customers are null, or have
        several rows; if the customer is called like a column of `rules` (a `ValueError`).

    Warns
    -----
    RetainkitWarning
        If nobody meets a rule.

    See Also
    --------
    assign_segments : One segment for each customer, by such rules.

    Notes
    -----
    How many meet each rule is a group-by of the result: ``found.groupby("rule").size()`` in pandas.

    Vendors call this segments, audiences or triggers. A date in the result of `next_purchase` can
    be a condition too: ``due_25_max`` with a date, or its text.

    Examples
    --------
    Ann is about to leave and has an open ticket; Bob only has the ticket.

    >>> import pandas as pd
    >>> from retainkit import audience
    >>> view = pd.DataFrame({
    ...     "customer_id": ["ann", "bob"], "churn_risk": [0.8, 0.1], "tickets_open": [1, 2],
    ... })
    >>> rules = pd.DataFrame({
    ...     "rule": ["call", "apology"],
    ...     "churn_risk_min": [0.5, None],
    ...     "tickets_open_min": [None, 1],
    ...     "priority": [1, 2],
    ... })
    >>> audience(view, rules)
      customer_id     rule  priority
    0         ann     call         1
    1         ann  apology         2
    2         bob  apology         2
    """
    check_not_reserved("`customer`", [customer], [_RULE])
    table = read_columns(view, "view", _VIEW, {"customer": customer})
    found = read_rules(rules, [_RULE])
    check_not_reserved("`customer`", [customer], found.carried)
    table, _, _ = without_nulls(table, read_facts, "raise")
    check_one_row(table, "view")
    bound = bind_rules(found, table.given)
    if isinstance(bound.rows, nw.DataFrame):
        return as_given(_in_memory(bound, customer), view)
    return _in_engine(bound, customer)


def _in_memory(bound: BoundRules, customer: str) -> NativeT:  # type: ignore[type-var]
    """Return the rows of customers and rules that meet, in the order of both."""
    masks = np.stack(bound.masks(), axis=1)
    _warn_of_unmet(bound.table, masks.sum(axis=0).tolist())
    row, rule = (one.tolist() for one in np.nonzero(masks))
    rules = collect(to_kind_of(bound.rows, _shown(bound.table)))
    rows = collect(bound.rows)
    columns: dict[str, Any] = {customer: rows[inner_name(rows, customer)][row]}
    names = [_RULE, *bound.table.carried]
    columns |= {name: rules[f"rule_{i}"][rule] for i, name in enumerate(names)}
    return build_like(bound.rows, columns)


def _in_engine(bound: BoundRules, customer: str) -> NativeT:  # type: ignore[type-var]
    """Return the same in the engine of a lazy view."""
    flags = {f"flag_{i}": as_number(one) for i, one in enumerate(bound.exprs)}
    own = nw.col(inner_name(bound.rows, customer))
    rows = bound.rows.select(own.alias("customer"), **flags)
    counts = count_true(rows, {name: nw.col(name) == 1 for name in flags})
    _warn_of_unmet(bound.table, [counts[name] for name in flags])
    rules = _shown(bound.table).with_row_index("number")
    rules = rules.with_columns(nw.col("number").cast(nw.Int64))
    # A cross join, since narwhals' unpivot knows only the first connection of DuckDB.
    both = rows.join(to_kind_of(bound.rows, rules), how="cross")  # type: ignore[arg-type]
    met = ((nw.col("number") == i) & (nw.col(name) == 1) for i, name in enumerate(flags))
    both = both.filter(reduce(or_, met))
    names = [_RULE, *bound.table.carried]
    shown = {name: f"rule_{i}" for i, name in enumerate(names)}
    return select_to_native(both, {customer: "customer", **shown})


def _shown(table: RuleTable) -> nw.DataFrame[Any]:
    """Return the label of each rule and what is carried along, under names of our own."""
    frame, names = table.frame, [_RULE, *table.carried]
    return frame.select(
        nw.col(inner_name(frame, name)).alias(f"rule_{i}") for i, name in enumerate(names)
    )


def _warn_of_unmet(table: RuleTable, counts: Sequence[int]) -> None:
    """Warn of rules that nobody meets."""
    unmet = [rule.label for rule, number in zip(table.rules, counts, strict=True) if not number]
    if unmet:
        warn(
            f"nobody in `view` meets {count_noun(len(unmet), 'rule')} of {len(counts):,}: "
            f"{format_examples(unmet)}.",
            code="unmet_rule",
            argument="rules",
            rows=len(unmet),
            total=len(counts),
        )
