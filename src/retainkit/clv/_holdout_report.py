"""The report on a holdout: its tables, and their conversion to and from JSON."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Generic

from retainkit._checks import boolean, integer, is_list
from retainkit._frames.input import read_result
from retainkit._frames.plain import plain_columns
from retainkit._messages import quoted
from retainkit._models.fields import instant, number_or_nan
from retainkit._models.model import saved_fields, saved_head, saved_model
from retainkit.clv._bg_nbd import BGNBD, MBGNBD
from retainkit.clv._pareto_nbd import ParetoNBD
from retainkit.errors import ArgumentError, ArgumentTypeError
from retainkit.typing import TableT_co

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class HoldoutReport(Generic[TableT_co]):
    """The purchases of a holdout beside those that a model expected; made by `holdout_report`.

    Two reports are equal where their models and all values of their tables are.

    Parameters
    ----------
    model : BGNBD, MBGNBD or ParetoNBD
        The model that was examined.
    total : DataFrame
        A row for the model and one for the naive forecast.
    by_frequency : DataFrame
        A row for each number of repeat purchases in calibration.
    by_period : DataFrame
        A row for each period of the holdout, as of `tracking`.

    Examples
    --------
    >>> from retainkit import holdout_report
    >>> from retainkit.datasets import load_cdnow
    >>> orders = load_cdnow(sample=True)
    >>> report = holdout_report(orders, calibration_end="1997-10-01", as_of="1998-07-01")
    >>> report.by_frequency[["frequency", "customers", "actual", "expected"]].round(2).head(3)
      frequency  customers  actual  expected
    0         0       1411    0.24      0.23
    1         1        439    0.70      0.52
    2         2        214    1.39      1.04
    """

    model: BGNBD | MBGNBD | ParetoNBD
    total: TableT_co
    by_frequency: TableT_co
    by_period: TableT_co

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, HoldoutReport):
            return NotImplemented
        return self.to_dict() == other.to_dict()

    def __hash__(self) -> int:
        return hash(self.model)

    def __repr__(self) -> str:
        table = read_result(self.total, argument="total", columns=["forecast"])
        row = dict(zip(table.columns, (table.item(0, name) for name in table.columns), strict=True))
        return (
            f"HoldoutReport({row['forecast']}: {row['customers']:,} customers, "
            f"{row['actual']:,} purchases in the holdout, {row['expected']:,.1f} expected; "
            "tables .total, .by_frequency, .by_period)"
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the report as plain values, for JSON: each table as its columns.

        NaN becomes None, and a date what ISO 8601 writes.

        Returns
        -------
        dict
            Of numbers, texts, lists and dictionaries alone, as `from_dict` takes it.

        Examples
        --------
        >>> import json
        >>> from retainkit import HoldoutReport, holdout_report
        >>> from retainkit.datasets import load_cdnow
        >>> orders = load_cdnow(sample=True)
        >>> report = holdout_report(orders, calibration_end="1997-10-01", as_of="1998-07-01")
        >>> text = json.dumps(report.to_dict())
        >>> HoldoutReport.from_dict(json.loads(text)).model == report.model
        True
        """
        tables = {name: plain_columns(getattr(self, name), name) for name in _TABLES}
        return saved_head("report", "HoldoutReport") | {"model": self.model.to_dict()} | tables

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> HoldoutReport[pd.DataFrame]:
        """Build a report from the result of ``to_dict``; its tables are of pandas.

        Parameters
        ----------
        values : dict
            What `to_dict` gave, through JSON or not.

        Returns
        -------
        HoldoutReport
            The report that was saved, whatever its tables were of.

        Raises
        ------
        ArgumentTypeError, ArgumentError
            If `values` is something else, or if a field or a column of a table is not what it must
            be; the message names it.

        Examples
        --------
        >>> from retainkit import HoldoutReport, holdout_report
        >>> from retainkit.datasets import load_cdnow
        >>> orders = load_cdnow(sample=True)
        >>> report = holdout_report(orders, calibration_end="1997-10-01", as_of="1998-07-01")
        >>> len(HoldoutReport.from_dict(report.to_dict()).by_period) == len(report.by_period)
        True
        """
        names = [one.name for one in fields(cls)]
        given = saved_fields(values, "HoldoutReport", names, needed=names, head="report")
        tables = {name: _read_table(name, given[name]) for name in _TABLES}
        return HoldoutReport(model=_read_model(given["model"]), **tables)


def _read_model(values: Any) -> BGNBD | MBGNBD | ParetoNBD:
    kind = values.get("model") if isinstance(values, Mapping) else None
    kinds: dict[str, type[BGNBD | MBGNBD | ParetoNBD]] = {
        one.__name__: one for one in (BGNBD, MBGNBD, ParetoNBD)
    }
    if not isinstance(kind, str) or kind not in kinds:
        raise ArgumentError(
            f"`model` is {quoted(values)}; it must be what to_dict() of a BGNBD, MBGNBD or "
            "ParetoNBD gave.",
            argument="model",
            code="not_saved_so",
        )
    return saved_model(kinds[kind], values)


# The kinds of values in the columns of the tables, those first that every such table has.

_TABLES: dict[str, dict[str, str]] = {
    "total": {
        "forecast": "text",
        "customers": "count",
        "actual": "count",
        **dict.fromkeys(
            (
                *("expected", "mean_absolute_error", "root_mean_squared_error"),
                *("calibration_slope", "lower", "upper"),
            ),
            "number",
        ),
    },
    "by_frequency": {
        "frequency": "text",
        "customers": "count",
        **dict.fromkeys(("actual", "expected", "naive", "lower", "upper"), "number"),
    },
    "by_period": {
        "period": "date",
        "customers": "count",
        "actual": "count",
        "expected": "number",
        "actual_cumulative": "count",
        "expected_cumulative": "number",
        "holdout": "flag",
        "complete": "flag",
    },
}


# Those that a table has besides, all of them, where there were amounts.
_SPEND: dict[str, tuple[str, ...]] = {
    "total": ("actual_spend", "expected_spend", "spend_mean_absolute_error"),
    "by_frequency": ("actual_spend", "expected_spend", "naive_spend"),
    "by_period": (
        *("actual_spend", "expected_spend"),
        *("actual_spend_cumulative", "expected_spend_cumulative"),
    ),
}


def _text(name: str, value: Any) -> None:
    if not isinstance(value, str):
        raise ArgumentTypeError(f"`{name}` is {quoted(value)}; it must be text.", argument=name)


def _count(name: str, value: Any) -> None:
    if integer(name, value, 0) >= 2**63:
        raise ArgumentError(
            f"`{name}` is {quoted(value)}; no count is so large.",
            argument=name,
            code="not_saved_so",
        )


_KINDS: dict[str, tuple[Callable[[str, Any], Any], Any]] = {
    "text": (_text, "str"),
    "count": (_count, "int64"),
    "number": (number_or_nan, "float64"),
    "date": (instant, "datetime64[us]"),
    "flag": (boolean, "bool"),
}
"""A check of a value, and the type of the column in pandas."""


def _read_table(name: str, values: Any) -> pd.DataFrame:
    """Check the columns of a table, and build it in pandas."""
    import pandas as pd  # noqa: PLC0415  importing retainkit does not import pandas

    if not isinstance(values, Mapping) or not all(map(is_list, values.values())):
        raise ArgumentTypeError(
            f"`{name}` is {quoted(values)}; it must be a mapping of columns, each a list.",
            argument=name,
        )
    spend = dict.fromkeys(_SPEND[name], "number")
    kinds = _TABLES[name] | (spend if spend.keys() & values.keys() else {})
    wrong = [one for one in (*kinds, *values) if one not in values or one not in kinds]
    if wrong:
        what = "lacks" if wrong[0] in kinds else "has the unknown"
        raise ArgumentError(
            f"`{name}` {what} column {quoted(wrong[0])}; its columns are {', '.join(kinds)}.",
            argument=name,
            code="not_saved_so",
        )
    lengths = {one: len(values[one]) for one in kinds}
    if len(set(lengths.values())) > 1:
        raise ArgumentError(
            f"`{name}` has columns of different lengths: {quoted(lengths, 200)}.",
            argument=name,
            code="not_saved_so",
        )
    for column, kind in kinds.items():
        for row, value in enumerate(values[column]):
            _KINDS[kind][0](f"{name}[{column!r}][{row}]", value)
    columns = {one: pd.Series(values[one], dtype=_KINDS[kinds[one]][1]) for one in kinds}
    return pd.DataFrame(columns)
