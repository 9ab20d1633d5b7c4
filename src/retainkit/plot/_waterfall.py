"""Picture of how revenue moves from the opening to the closing of a period."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from textwrap import fill
from typing import Any

from matplotlib.axes import Axes

from retainkit.errors import ArgumentError
from retainkit.plot._axes import measure, subplots, tidy
from retainkit.plot._periods import Periods, period_name, read_periods
from retainkit.plot._reading import Columns, as_floats
from retainkit.plot._style import HATCH, PALETTE, QUIET, SLATE, SMALL, TEXT, legible, tone
from retainkit.plot._text import MINUS, with_minus
from retainkit.typing import IntoDataFrame

LEVEL, UP, DOWN = SLATE, PALETTE[0], PALETTE[1]
MOVEMENTS = {
    "new": 1,
    "expansion": 1,
    "reactivation": 1,
    "transfer_in": 1,
    "contraction": -1,
    "churn": -1,
    "transfer_out": -1,
}
ALWAYS = [name for name in MOVEMENTS if not name.startswith("transfer")]
CUSTOMERS = "{}_customers"


def mrr_waterfall(
    table: IntoDataFrame,
    *,
    period: str | dt.date | tuple[str | dt.date, str | dt.date] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw how monthly recurring revenue went from its opening to its closing.

    >>> from retainkit import datasets, mrr_movements, plot
    >>> table = mrr_movements(datasets.make_subscriptions(500, seed=1))
    >>> ax = plot.mrr_waterfall(table)

    Each movement is a bar that begins where the one before ended. Where the movements are small
    beside the revenue, the axis does not begin at 0: then the first and the last bar are cut, and a
    line beneath says where. A closing that is not final, because the period is not over, is
    hatched. Where the table has them, the number of customers stands beneath each name, or, for
    several periods, the number of movements.

    Parameters
    ----------
    table : IntoDataFrame
        Result of `retainkit.mrr_movements` for one segment: pandas, Polars or PyArrow. Of a segment
        that customers move into and out of, these transfers are drawn too.
    period : str, datetime.date or pair of these, optional
        First day of the period to draw, as a date or an ISO date, of months also ``"2024-07"`` and
        of years ``"2024"``; or those of the first and the last of several, whose movements are
        added up. By default the last period that is complete.
    ax : matplotlib.axes.Axes, optional
        Axes to draw on; by default those of a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        The axes drawn on; the bars are at x = 0, 1, ..., from the opening to the closing, and y is
        in the currency of the table.

    Raises
    ------
    ArgumentError
        If the table holds several segments, or several rows for a period; if `period` is not in it;
        or if opening and movements do not add up to the closing, as when a row is missing.
    MissingColumnError
        If a column of the table is missing.
    ColumnTypeError
        If ``period`` does not hold dates.
    MissingDependencyError
        If matplotlib is not installed.

    Examples
    --------
    >>> import datetime as dt
    >>> import pandas as pd
    >>> from matplotlib.figure import Figure
    >>> from retainkit.plot import mrr_waterfall
    >>> table = pd.DataFrame({
    ...     "period": [dt.datetime(2024, 1, 1), dt.datetime(2024, 2, 1)], "opening": [0, 500],
    ...     "new": [500, 90], "expansion": [0, 40], "reactivation": [0, 0],
    ...     "contraction": [0, 10], "churn": [0, 120], "closing": [500, 500], "complete": True,
    ... })
    >>> ax = mrr_waterfall(table, ax=Figure().subplots())
    >>> [text.get_text() for text in ax.texts if text.get_gid() == "amount"][:4]
    ['500', '+90', '+40', '0']
    """
    fall = _read_waterfall(table, period)
    size = 0.86 * len(fall.names) + 1
    ax, width, _ = measure(subplots(max(6.4, size), 4.2) if ax is None else ax)
    if fall.names:
        slot = width / (len(fall.names) + 0.2)
        _draw_movements(ax, fall, max(SMALL, min(TEXT, slot / 5.2)))
        _draw_bar_names(ax, fall, slot)
        _draw_waterfall_notes(ax, fall, width)
    tidy(ax)
    _, _, height = measure(ax)  # what the notes leave
    ax.set_ylabel(fill("Monthly recurring revenue (MRR)", max(18, int(height / 5.6))))
    return ax


@dataclass(frozen=True, slots=True, kw_only=True)
class _Waterfall:
    """Bars of a waterfall: the name of each, and where it begins and ends."""

    names: list[str]
    starts: list[float]
    ends: list[float]
    customers: list[int | None]
    span: str
    complete: bool


def _read_waterfall(table: IntoDataFrame, period: Any) -> _Waterfall:
    """Add up the movements of the rows that are asked for."""
    kinds = ["opening", *MOVEMENTS, "closing"]
    counts = [CUSTOMERS.format(name) for name in kinds]
    transfers = [name for name in MOVEMENTS if name not in ALWAYS]
    needed = ["opening", *ALWAYS, "closing", "complete"]
    periods, data = read_periods(
        table, "table", needed, [*transfers, *counts], made_by=["mrr_movements"]
    )
    if not periods.days:
        return _Waterfall(names=[], starts=[], ends=[], customers=[], span="", complete=True)
    complete = [bool(one) for one in data["complete"]]
    first, last = _rows_of(period, periods, complete)
    values = {name: as_floats(data[name][first : last + 1]) for name in kinds if name in data}
    if not any(any(values.get(name, ())) for name in transfers):  # nobody moves
        values = {name: own for name, own in values.items() if name not in transfers}
    names = list(values)
    moves = [MOVEMENTS[name] * math.fsum(values[name]) for name in names[1:-1]]
    levels = list(accumulate(moves, initial=values["opening"][0]))
    closing = values["closing"][-1]
    # Where all of it is lost, what is left of the sums is small beside what there was.
    if abs(levels[-1] - closing) > 1e-9 * max(map(abs, [*levels, closing])):
        raise ArgumentError(
            f"`table` does not add up: opening and movements give {levels[-1]:,.2f} and the "
            f"closing is {closing:,.2f}. Is a row between {periods.days[first]} and "
            f"{periods.days[last]} missing?",
            code="counts_do_not_add_up",
            argument="table",
        )
    return _Waterfall(
        names=names,
        starts=[0.0, *levels[:-1], 0.0],
        ends=[levels[0], *levels[1:], closing],
        customers=[_customers(data, name, first, last) for name in names],
        span=_span(periods, first, last),
        complete=all(complete[first : last + 1]),
    )


def _rows_of(period: Any, periods: Periods, complete: Sequence[bool]) -> tuple[int, int]:
    """Find the first and the last row that is asked for."""
    if period is None:
        over = [row for row, whole in enumerate(complete) if whole]
        row = over[-1] if over else len(complete) - 1
        return row, row
    pair = period if isinstance(period, tuple | list) else (period, period)
    if len(pair) != 2:
        raise ArgumentError(
            f"`period` is {period!r}; it must be the first day of a period, or a pair of them.",
            code="argument_value",
            argument="period",
        )
    first, last = (_row_of(day, periods) for day in pair)
    if first > last:
        raise ArgumentError(
            f"`period` is {period!r}; the first period comes after the last.",
            code="argument_value",
            argument="period",
        )
    return first, last


def _row_of(day: Any, periods: Periods) -> int:
    try:
        wanted = day if isinstance(day, dt.date) else _first_day(str(day), periods)
        wanted = wanted.date() if isinstance(wanted, dt.datetime) else wanted
        return periods.days.index(wanted)
    except ValueError:
        raise ArgumentError(
            f"`period` is {day!r}; it must be the first day of one of the periods of `table`, "
            f"which are those from {periods.days[0]} to {periods.days[-1]}.",
            code="argument_value",
            argument="period",
        ) from None


def _first_day(text: str, periods: Periods) -> dt.date:
    """Return the day of an ISO date, or the first of a month or a year where those are drawn."""
    unit, rest = {7: ("month", "-01"), 4: ("year", "-01-01")}.get(len(text), ("", ""))
    return dt.date.fromisoformat(text + (rest if periods.unit in {unit, None} else ""))


def _customers(data: Columns, name: str, first: int, last: int) -> int | None:
    """Count customers: those at either end, and the movements in between."""
    counts = data.get(CUSTOMERS.format(name))
    if counts is None:
        return None
    rows = {"opening": slice(first, first + 1), "closing": slice(last, last + 1)}
    return sum(int(count) for count in counts[rows.get(name, slice(first, last + 1))])


def _span(periods: Periods, first: int, last: int) -> str:
    begin = period_name(periods.days[first], periods.unit)
    if first == last:
        return f"in {begin}"
    return f"from {begin} to {period_name(periods.days[last], periods.unit)}"


def _draw_movements(ax: Axes, fall: _Waterfall, size: float) -> None:
    """Draw the bars, what joins them and their amounts."""
    floor, top = _limits(fall)
    amount = _amount_format([*fall.starts, *fall.ends])
    edge = len(fall.names) - 1
    for x, (start, end) in enumerate(zip(fall.starts, fall.ends, strict=True)):
        level = x in {0, edge}
        low, high = (floor if level else min(start, end)), max(start, end)
        colour = LEVEL if level else UP if MOVEMENTS[fall.names[x]] > 0 else DOWN
        (bar,) = ax.bar(x, high - low, 0.72, low, color=colour, linewidth=0, zorder=2, gid="bar")
        if x == edge and not fall.complete:
            bar.set(hatch=HATCH, facecolor=ax.get_facecolor(), edgecolor=LEVEL, linewidth=1)
        if x < edge:
            ax.plot(
                [x + 0.36, x + 0.64], [end, end], color=tone(ax, QUIET), linewidth=0.8, gid="join"
            )
        down = not level and MOVEMENTS[fall.names[x]] < 0
        sign = "" if level or end == start else MINUS if down else "+"
        ax.annotate(
            sign + amount(high if level else abs(end - start)),
            (x, low if down else high),
            xytext=(0, -3 if down else 3),
            textcoords="offset points",
            ha="center",
            va="top" if down else "bottom",
            fontsize=size,
            color=ax.xaxis.label.get_color() if level else legible(ax, colour),
            gid="amount",
            bbox={"facecolor": ax.get_facecolor(), "linewidth": 0, "pad": 0.5},
        )
    ax.set_xlim(-0.6, edge + 0.6)
    ax.set_ylim(floor, top)
    ax.yaxis.set_major_formatter(lambda value, _: _drop_zeros(amount(value)))
    if floor > 0:
        _cut(ax, (0, edge))


def _limits(fall: _Waterfall) -> tuple[float, float]:
    """Compute the limits: from 0, unless movements would take less than a fourth of the height."""
    inner = fall.ends[:-1]
    low, high = min(inner), max(inner)
    if low < 0.75 * high and low >= 0:
        return 0.0, 1.1 * high
    spread = high - low
    if not spread or low < 0:
        return min(0.0, 1.1 * low), 1.1 * high or 1.0
    step = 10.0 ** math.floor(math.log10(spread))
    return max(0.0, math.floor((low - 0.6 * spread) / step) * step), high + 0.12 * spread


def _cut(ax: Axes, bars: Sequence[int]) -> None:
    """Cut bars through near their foot, where the axis does not begin at 0."""
    across = ax.get_xaxis_transform()
    for x in bars:
        for foot in (0.045, 0.075):
            ax.plot(
                [x - 0.42, x + 0.42],
                [foot, foot + 0.03],
                transform=across,
                color=ax.get_facecolor(),
                linewidth=2,
                zorder=3,
                gid="cut",
            )


def _amount_format(values: Sequence[float]) -> Callable[[float], str]:
    """Return the format of amounts: in full, in thousands or in millions."""
    most = max(map(abs, values), default=0.0)
    for least, size, letter in ((1e10, 1e9, "bn"), (1e7, 1e6, "M"), (1e5, 1e3, "k")):
        if most >= least:
            return lambda value: _amount_text(value / size, 1 if most < 1e3 * size else 0, letter)
    cents = most < 1e3 and any(not float(value).is_integer() for value in values)
    return lambda value: _amount_text(value, 2 if cents else 0, "")


def _amount_text(value: float, decimals: int, letter: str) -> str:
    if value and round(abs(value), decimals) == 0:
        return f"<{10.0**-decimals:g}{letter}"
    return with_minus(f"{value:,.{decimals}f}{letter}") if value else "0"


def _drop_zeros(text: str) -> str:
    """Leave out decimals that are all 0."""
    return re.sub(r"\.0+(?!\d)", "", text)


def _draw_bar_names(ax: Axes, fall: _Waterfall, slot: float) -> None:
    """Name the bars, with the customers in each where the table has them."""
    names = [name.replace("_", " ") for name in fall.names]
    size = min(TEXT, slot / (0.56 * max(map(len, names))))
    turned = size < SMALL
    if not turned:
        names = [
            name if count is None else f"{name}\n{count:,}"
            for name, count in zip(names, fall.customers, strict=True)
        ]
    ax.set_xticks(range(len(names)), names, fontsize=SMALL + 1 if turned else size)
    if turned:
        for label in ax.get_xticklabels():
            label.set(rotation=40, ha="right", rotation_mode="anchor")
    ax.tick_params(axis="x", length=0)


def _draw_waterfall_notes(ax: Axes, fall: _Waterfall, width: float) -> None:
    """Write beneath the axis which period it is, and what is hatched or cut."""
    counted = "\n" in ax.get_xticklabels()[0].get_text()
    several = fall.span.startswith("from")
    count = "their number" if several else "number of customers"
    lines = [f"Movements {fall.span}" + (f", and {count}" if counted else "")]
    if not fall.complete:
        lines.append("Hatched: not over, so the closing is not final.")
    floor = _limits(fall)[0]
    if floor > 0:
        begin = _drop_zeros(_amount_format([*fall.starts, *fall.ends])(floor))
        lines.append(f"The axis is cut at {begin}.")
    ax.set_xlabel("\n".join(fill(line, max(22, int((width - 20) / 5.8))) for line in lines))
