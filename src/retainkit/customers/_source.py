"""Sources: further tables of customers, such as visits, tickets, answers, payments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from retainkit._inputs.columns import column_names
from retainkit.errors import ArgumentTypeError


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """How `customer_view` reads a further table: visits, tickets, answers, payments.

    >>> import pandas as pd
    >>> from retainkit import Source, customer_view
    >>> orders = pd.DataFrame({"customer_id": [1, 2], "time": pd.to_datetime(["2024-01-05"] * 2)})
    >>> tickets = orders.assign(solved=pd.to_datetime(["2024-01-06", None]))
    >>> sources = {"tickets": Source(tickets, closed="solved")}
    >>> view = customer_view(orders, as_of="2024-02-01", sources=sources)
    >>> view[["customer_id", "tickets", "tickets_open"]]
       customer_id  tickets  tickets_open
    0            1        1             0
    1            2        1             1

    Tickets, surveys and e-mails need no code of their own: a table of any of them has a row for
    each thing that happened, and a source names its columns. It is a frozen value.

    Parameters
    ----------
    frame : IntoFrame
        One row for each thing that happened: pandas, Polars (lazy too) or PyArrow, a DuckDB
        relation or a PySpark DataFrame, of the same kind as the orders.
    customer : str, default "customer_id"
        Column that identifies the customer, of the type that it has among the orders.
    time : str, default "time"
        Column of dates or datetimes: when it happened.
    amount : str or sequence of str, optional
        Columns of numbers that are added up.
    last : str or sequence of str, optional
        Columns of which the latest value that is not null is shown, with its age.
    closed : str, optional
        Column of dates or datetimes: when it was over, null where it is not. It makes the count of
        what is open.
    known_at : str, optional
        Column of dates or datetimes: when the row reached the table. Rows that were not yet there
        are not used, whatever their time.

    Raises
    ------
    ArgumentError, ArgumentTypeError
        If a name is no text, or is there twice (a `ValueError`, a `TypeError`).

    See Also
    --------
    customer_view : What it is for.
    warning_signs : Takes them as further `signals`.

    Examples
    --------
    The latest answer of each customer, and how old it is:

    >>> import pandas as pd
    >>> from retainkit import Source, customer_view
    >>> orders = pd.DataFrame({"customer_id": [1], "time": pd.to_datetime(["2024-01-05"])})
    >>> days = pd.to_datetime(["2024-01-10", "2024-01-20"])
    >>> answers = pd.DataFrame({"customer_id": 1, "time": days, "score": [9, 6]})
    >>> sources = {"nps": Source(answers, last="score")}
    >>> view = customer_view(orders, as_of="2024-02-01", sources=sources)
    >>> view[["customer_id", "nps", "nps_score", "nps_score_days"]]
       customer_id  nps  nps_score  nps_score_days
    0            1    2          6              12
    """

    frame: Any
    customer: str = "customer_id"
    time: str = "time"
    amount: str | Sequence[str] = ()
    last: str | Sequence[str] = ()
    closed: str | None = None
    known_at: str | None = None

    def __post_init__(self) -> None:
        """Check the names of columns."""
        for name in ("amount", "last"):
            object.__setattr__(self, name, column_names(name, getattr(self, name)))
        for name in ("customer", "time"):
            _check_text(name, getattr(self, name))
        for name in ("closed", "known_at"):
            if getattr(self, name) is not None:
                _check_text(name, getattr(self, name))


def _check_text(argument: str, value: object) -> None:
    if not isinstance(value, str):
        raise ArgumentTypeError(
            f"`{argument}` is {value!r}; it must be the name of a column.", argument=argument
        )
