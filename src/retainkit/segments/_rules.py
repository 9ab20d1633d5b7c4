"""The usual ten segments as rules, and a check of rules before there is any data."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import product
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from retainkit._checks import is_list
from retainkit._frames.input import from_native
from retainkit._inputs.columns import check_not_reserved
from retainkit._inputs.rule_conditions import bind_rules
from retainkit._inputs.rules import check_label, read_rules
from retainkit._messages import quoted
from retainkit.errors import ArgumentError, ArgumentTypeError
from retainkit.typing import IntoFrame

if TYPE_CHECKING:
    import pandas as pd

# The least and the greatest score of recency and of frequency.
_SEGMENTS: Mapping[str, tuple[int, int, int, int]] = {
    "champions": (5, 5, 4, 5),
    "loyal": (3, 4, 4, 5),
    "potential_loyalists": (4, 5, 2, 3),
    "new_customers": (5, 5, 1, 1),
    "promising": (4, 4, 1, 1),
    "need_attention": (3, 3, 3, 3),
    "about_to_sleep": (3, 3, 1, 2),
    "cant_lose": (1, 2, 5, 5),
    "at_risk": (1, 2, 3, 4),
    "hibernating": (1, 2, 1, 2),
}
_BOUNDS = ("r_min", "r_max", "f_min", "f_max")
LABELS = ("segment", "rule")
_RESULT = ("rules", "labels")
_MOST = 1_000_000


def segment_rules() -> pd.DataFrame:
    """Ten segments of customers by their scores of recency and frequency, as a table of rules.

    >>> from retainkit import segment_rules
    >>> segment_rules().head(3)
                   segment  r_min  r_max  f_min  f_max
    0            champions      5      5      4      5
    1                loyal      3      4      4      5
    2  potential_loyalists      4      5      2      3

    The names are those in common use. Scores run from 1 to 5, 5 being the latest and the most
    frequent, and each of the 25 pairs of scores meets one rule and no other.

    Returns
    -------
    DataFrame
        A pandas DataFrame with a row for each segment, to be changed at will.

        - ``segment`` (str): champions, loyal, potential_loyalists, new_customers, promising,
          need_attention, about_to_sleep, cant_lose, at_risk, hibernating.
        - ``r_min``, ``r_max``, ``f_min``, ``f_max`` (int): bounds of the scores, both inclusive.

    See Also
    --------
    assign_segments : The segment of every customer.
    check_rules : Whether rules of your own cover every combination once.

    Examples
    --------
    Whoever bought often and then stayed away is somebody one cannot afford to lose:

    >>> from retainkit import segment_rules
    >>> segment_rules().query("segment == 'cant_lose'").iloc[0].to_dict()
    {'segment': 'cant_lose', 'r_min': 1, 'r_max': 2, 'f_min': 5, 'f_max': 5}
    """
    import pandas as pd  # noqa: PLC0415  importing retainkit does not import pandas

    bounds = zip(_BOUNDS, zip(*_SEGMENTS.values(), strict=True), strict=True)
    return pd.DataFrame({"segment": [*_SEGMENTS], **{name: [*one] for name, one in bounds}})


def check_rules(rules: IntoFrame, *, levels: Mapping[str, Iterable[Any]]) -> pd.DataFrame:
    """Return how many rules each combination of values meets: none is a gap, two are an overlap.

    >>> from retainkit import check_rules, segment_rules
    >>> cells = check_rules(segment_rules(), levels={"r": range(1, 6), "f": range(1, 6)})
    >>> cells["rules"].value_counts().to_dict()
    {1: 25}

    What `assign_segments` would refuse for the customers that there are is seen here for all that
    there may be, before any data.

    Parameters
    ----------
    rules : IntoFrame
        Table of one row a rule, of any kind. Columns ``<column>_min``, ``<column>_max``
        (both inclusive) and ``<column>_is`` (equals) are its conditions, all of which must
        hold; null sets none. The label is in the column ``segment`` or ``rule``.
    levels : mapping of str to sequence
        The values that each column may have, such as ``{"r": range(1, 6), "f": range(1, 6)}``:
        numbers, texts, booleans or dates. Of what is continuous give a few values of which some lie
        at the bounds.

    Returns
    -------
    DataFrame
        A pandas DataFrame with a row for every combination of the levels, in their order.

        - a column for each of the `levels`.
        - ``rules`` (int): number of rules that it meets: 1 everywhere if all is well.
        - ``labels`` (str): their labels, joined by commas.

    Raises
    ------
    MissingColumnError
        If a rule has a condition on something that is not among the `levels`, or `rules` has no
        labels (a `KeyError`).
    ColumnTypeError, ArgumentTypeError
        If a label is no text, a condition does not compare with the levels, or an argument is of
        the wrong type (a `TypeError`).
    ArgumentError
        If a rule has no condition, or some that exclude each other; if there are no levels, or
        more than a million combinations (a `ValueError`).

    See Also
    --------
    assign_segments : The segment of every customer, by such rules.

    Examples
    --------
    Who bought 3 times long ago is nobody's here, and who bought 5 times of late is in two segments:

    >>> import pandas as pd
    >>> from retainkit import check_rules
    >>> rules = pd.DataFrame({
    ...     "segment": ["recent", "often"],
    ...     "recency_days_max": [30, None],
    ...     "orders_min": [None, 5],
    ... })
    >>> check_rules(rules, levels={"recency_days": [10, 90], "orders": [3, 5]})
       recency_days  orders  rules         labels
    0            10       3      1         recent
    1            10       5      2  recent, often
    2            90       3      0
    3            90       5      1          often
    """
    import pandas as pd  # noqa: PLC0415  importing retainkit does not import pandas

    values = _read_levels(levels)
    table = read_rules(rules, LABELS)
    for rule in table.rules:
        check_label(rule.label, f"the label of {rule}", "rules")
    cells = pd.DataFrame([*product(*values.values())], columns=[*values])
    bound = bind_rules(table, from_native(cells, "levels"), "Give its values in `levels`.")
    met = np.stack(bound.masks(), axis=1)
    names = [
        ", ".join(label for label, one in zip(table.labels, row, strict=True) if one) for row in met
    ]
    return cells.assign(rules=met.sum(axis=1), labels=names)


def _read_levels(levels: Any) -> dict[str, list[Any]]:
    """Check the values of each column, and that their combinations are not too many."""
    if not isinstance(levels, Mapping):
        raise ArgumentTypeError(
            f"`levels` is {quoted(levels)}; it must have the values of each column, such as "
            "{'r': range(1, 6), 'f': range(1, 6)}.",
            argument="levels",
        )
    check_not_reserved("`levels`", levels, _RESULT)
    found = {}
    for name, values in levels.items():
        if not isinstance(name, str) or not is_list(values):
            raise ArgumentTypeError(
                f"`levels` has {quoted(values)} for {quoted(name)}; it must have a list of values "
                "for the name of each column.",
                argument="levels",
            )
        found[name] = [*values]
    number = prod(map(len, found.values())) if found else 0
    if not 0 < number <= _MOST:
        what = f"{number:,} combinations of values" if number else "no values"
        raise ArgumentError(
            f"`levels` has {what}; give a few values for each column, up to a million in all.",
            code="argument_value",
            argument="levels",
        )
    return found
