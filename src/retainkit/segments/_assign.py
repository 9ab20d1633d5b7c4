"""The segment of every customer, by a table of rules."""

from __future__ import annotations

from typing import get_args

import narwhals.stable.v2 as nw
import numpy as np

from retainkit._checks import one_of
from retainkit._frames.arrow_extensions import as_given
from retainkit._frames.input import Frame, collect, from_native
from retainkit._frames.names import inner_name, outer_name
from retainkit._frames.output import to_native, with_columns_beside
from retainkit._inputs.facts import as_number, count_true
from retainkit._inputs.rule_conditions import BoundRules, bind_rules, cell_texts
from retainkit._inputs.rules import RuleTable, check_label, read_rules
from retainkit._messages import count_noun, quoted
from retainkit._typing import Booleans
from retainkit.errors import ArgumentError, ArgumentTypeError
from retainkit.segments._rules import segment_rules
from retainkit.typing import IntoFrame, IntoFrameT, Overlap

_MOST = 5  # cells that a message shows


def assign_segments(
    table: IntoFrameT,
    rules: IntoFrame | None = None,
    *,
    name: str = "segment",
    default: str | None = None,
    overlap: Overlap = "raise",
) -> IntoFrameT:
    """Segment of every customer, by rules of which each customer must meet exactly one.

    >>> import pandas as pd
    >>> from retainkit import assign_segments
    >>> assign_segments(pd.DataFrame({"customer_id": ["ann", "bob"], "r": [5, 1], "f": [4, 2]}))
      customer_id  r  f      segment
    0         ann  5  4    champions
    1         bob  1  2  hibernating

    Conditions are inclusive at both ends, and all of a rule must hold. Where a column is null, or
    NaN, a rule that has a condition on it does not hold.

    Parameters
    ----------
    table : IntoFrame
        One row a customer, such as a result of `rfm_summary`, with the columns that the rules are
        about: pandas, Polars (lazy too) or PyArrow, a DuckDB relation or a PySpark DataFrame.
    rules : IntoFrame, optional
        Table of one row a rule, of any kind. Columns ``<column>_min``, ``<column>_max``
        (both inclusive) and ``<column>_is`` (equals) are its conditions, all of which must
        hold; null sets none. The label is in the column ``segment``; other columns are
        remarks. Default: `segment_rules`, which needs the scores ``r`` and ``f`` from 1 to
        5.
    name : str, default "segment"
        Name of the new column.
    default : str, optional
        Segment of those who meet no rule. Default: they are an error.
    overlap : {"raise", "first"}, default "raise"
        Whether a customer who meets several rules is an error, or gets the segment of the first of
        them, in the order of `rules`.

    Returns
    -------
    DataFrame
        The table, its rows in their order, with a further column: a new frame of the same kind, of
        a lazy frame (Polars' LazyFrame, DuckDB, PySpark) a lazy frame of the same engine.

        - all columns of `table`.
        - ``segment`` (str), under the name that `name` says: the label of the rule that holds.

    Raises
    ------
    MissingColumnError
        If a rule has a condition on a column that is not in the table, or `rules` has no column
        ``segment`` (a `KeyError`).
    ColumnTypeError, ArgumentTypeError
        If a condition does not compare with its column, a label is no text, or an argument is of
        the wrong type (a `TypeError`).
    ArgumentError
        If customers meet no rule and there is no `default`, or meet several; if a rule has no
        condition, or some that exclude each other; if a label is ``(new)`` or ``(gone)``, the table
        has a column `name` already, or an argument has a wrong value (a `ValueError`).

    See Also
    --------
    segment_rules : The ten segments that are the default.
    check_rules : Gaps and overlaps of rules, before any data.
    segment_migration : How customers move between segments.
    audience : Every rule that a customer meets.

    Notes
    -----
    Grids of segments that are passed on have gaps and overlaps: of the 125 combinations of three
    scores that the ten segments in the documentation of R's package rfm are about, 36 are in none
    of them and 39 in several, and the order of the lines decides. Here neither passes in silence.

    A rule is a box. A segment of another shape is several rules of the same label, which must not
    overlap either.

    Examples
    --------
    Rules of your own, by any columns. Nobody is in two of these, since the first asks for 365 days
    at most and the second for more:

    >>> import pandas as pd
    >>> from retainkit import assign_segments
    >>> rules = pd.DataFrame({
    ...     "segment": ["large and here", "gone"],
    ...     "recency_days_min": [None, 366],
    ...     "recency_days_max": [365, None],
    ...     "plan_is": ["pro", None],
    ... })
    >>> customers = pd.DataFrame({
    ...     "customer_id": [1, 2, 3], "recency_days": [30, 400, 12], "plan": ["pro", "pro", "free"],
    ... })
    >>> assign_segments(customers, rules, default="other")
       customer_id  recency_days  plan         segment
    0            1            30   pro  large and here
    1            2           400   pro            gone
    2            3            12  free           other
    """
    one_of("overlap", overlap, get_args(Overlap))
    for argument, text in (("name", name), ("default", default)):
        if not isinstance(text, str) and not (argument == "default" and text is None):
            raise ArgumentTypeError(
                f"`{argument}` is {quoted(text)}; it must be a text.", argument=argument
            )
    if default is not None:
        check_label(default, "`default`", "default")
    frame = from_native(table, "table")
    _check_name(frame, name)
    found = read_rules(segment_rules() if rules is None else rules, ("segment",))
    for rule in found.rules:
        check_label(rule.label, f"the label of {rule}", "rules")
    bound = bind_rules(found, frame, "`rfm_scores` makes r, f and m." if rules is None else "")
    if isinstance(frame, nw.DataFrame):
        masks = bound.masks()
        _check_in_memory(bound, masks, overlap, default)
        codes = np.select(masks, [*range(len(masks))], len(masks))
        labels = np.array([*found.labels, default or ""], object)[codes]
        labelled = with_columns_beside(frame, {name: labels})
        return as_given(to_native(labelled), table)
    _check_in_engine(bound, overlap, default)
    label = _label(found, bound, default).alias(inner_name(frame, name))
    return to_native(bound.rows.select(*bound.own, label))


def _check_name(frame: Frame, name: str) -> None:
    """Check that the table has no column of the name of the new one."""
    names = [outer_name(str(one)) for one in frame.collect_schema().names()]
    if name in names:
        raise ArgumentError(
            f"`table` has a column {name!r} already, which is also the name of the new one; give "
            "another `name`, or drop that column first.",
            code="reserved_name",
            argument="name",
            column=name,
        )


def _label(found: RuleTable, bound: BoundRules, default: str | None) -> nw.Expr:
    """Return the label of the first rule that holds, as an expression."""
    # Without a default every row meets a rule: that has been checked.
    label = nw.lit(found.labels[-1] if default is None else default)
    for text, holds in zip(reversed(found.labels), reversed(bound.exprs), strict=True):
        label = nw.when(holds).then(nw.lit(text)).otherwise(label)
    return label


# Whether one rule holds for everybody


def _check_in_memory(
    bound: BoundRules, masks: list[Booleans], overlap: str, default: str | None
) -> None:
    """Check that all rows meet a rule, and none meets several, as far as that is asked for."""
    met = np.sum(masks, axis=0)
    rows = collect(bound.rows)
    for wrong, report in ((met == 0, _no_rule), (met > 1, _several_rules)):
        asked = default is None if report is _no_rule else overlap == "raise"
        if asked and wrong.any():
            some = rows.filter(wrong.tolist())
            raise report(bound, some, int(wrong.sum()), len(wrong))


def _check_in_engine(bound: BoundRules, overlap: str, default: str | None) -> None:
    """Check the same in the engine of a lazy table, in one pass unless something is wrong."""
    asked = {}
    flags = {f"retainkit_rule_{i}": as_number(one) for i, one in enumerate(bound.exprs)}
    rows = bound.rows.with_columns(**flags)
    met = sum((nw.col(one) for one in [*flags][1:]), start=nw.col(next(iter(flags))))
    rows = rows.with_columns(retainkit_met=met)
    if default is None:
        asked["none"] = nw.col("retainkit_met") == 0
    if overlap == "raise":
        asked["several"] = nw.col("retainkit_met") > 1
    if not asked:
        return
    counts = count_true(rows, {**asked, "all": nw.col("retainkit_met") >= 0})
    for name, report in (("none", _no_rule), ("several", _several_rules)):
        if counts.get(name):
            raise report(bound, rows.filter(asked[name]), counts[name], counts["all"])


def _no_rule(bound: BoundRules, some: Frame, number: int, total: int) -> ArgumentError:
    """Return the error about rows that meet no rule."""
    cells = cell_texts(some, bound.copies, _MOST + 1)
    shown = "; ".join(cells[:_MOST]) + ("; …" if len(cells) > _MOST else "")
    return ArgumentError(
        f"{count_noun(number, 'row')} of {total:,} in `table` {_verb(number, 'meet')} no rule: "
        f"{shown}. Add a rule, or name the segment of all others with `default`; `check_rules` "
        "shows every gap.",
        code="no_rule",
        argument="rules",
        rows=number,
        total=total,
    )


def _several_rules(bound: BoundRules, some: Frame, number: int, total: int) -> ArgumentError:
    """Return the error about rows that meet several rules, and which the first of them meets."""
    cell = cell_texts(some, bound.copies, 1)[0]
    flags = {f"retainkit_hit_{i}": as_number(one) for i, one in enumerate(bound.exprs)}
    hits = some.select(*bound.copies.values(), **flags).sort(*bound.copies.values()).head(1)
    first = collect(hits)
    met = [
        str(rule)
        for rule, flag in zip(bound.table.rules, flags, strict=True)
        if first[flag].to_list()[0]
    ]
    return ArgumentError(
        f"{count_noun(number, 'row')} of {total:,} in `table` {_verb(number, 'meet')} several "
        f"rules: for {cell} both {' and '.join(met[:2])} hold. Change one of them, or let the "
        "first one decide with overlap='first'; `check_rules` shows every overlap.",
        code="several_rules",
        argument="rules",
        rows=number,
        total=total,
    )


def _verb(number: int, verb: str) -> str:
    return f"{verb}s" if number == 1 else verb
