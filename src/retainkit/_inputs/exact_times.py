"""Read off the times of a summary whether it was made with exact=True, by the day."""

from __future__ import annotations

import numpy as np

from retainkit._inputs.customers import Customers
from retainkit._time.periods import DAYS_IN
from retainkit.errors import ArgumentError
from retainkit.typing import Period

_ENOUGH = 10  # different whole numbers, which are no chance among days in a longer unit
_ROWS = 10_000  # that are looked at for them
_ROUNDING = 1e-3  # days


def exact_times(rows: Customers, unit: Period) -> bool | None:
    """Return whether times are whole days in a longer unit, False if they are whole units.

    None where they do not tell: they are few, or neither. In days it is the same.
    """
    if unit in {"hour", "day"}:
        return None
    times = np.concatenate([rows.distinct["recency"], rows.distinct["T"]])
    if (times == np.floor(times)).all():
        some = times[times > 0][:_ROWS]
        return False if len(np.unique(some)) >= _ENOUGH else None
    days = times * DAYS_IN[unit]
    return True if (np.abs(days - np.round(days)) <= _ROUNDING).all() else None


def check_exact_times(rows: Customers, unit: Period, *, exact: bool | None) -> None:
    """Check that a table was made with `exact` as the one that a model was fitted to.

    Both are known, or nothing is said.
    """
    found = None if exact is None else exact_times(rows, unit)
    if found is None or found == exact:
        return
    kinds = {True: f"in {unit}s, by the day (exact=True)", False: f"in whole {unit}s (exact=False)"}
    raise ArgumentError(
        f"the times of `summary` are {kinds[found]}, and those that the model was fitted to "
        f"{kinds[not found]}: what is one purchase there may be several here, or the other way "
        f"round. Make the table anew with `rfm_summary(unit={unit!r}, exact={exact})`, or fit a "
        "model to it.",
        code="unit_mismatch",
        argument="summary",
        column=rows.names["T"],
    )
