"""Picture of one customer: P(alive) over time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from math import ceil
from textwrap import fill
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from retainkit._inputs.observation import check_as_of
from retainkit._inputs.orders import read_orders
from retainkit._messages import count_noun
from retainkit._time.durations import in_units
from retainkit._time.grid import DAYS
from retainkit._time.periods import DAYS_IN
from retainkit._typing import Booleans, Floats, Integers
from retainkit.clv import BGNBD, MBGNBD, ParetoNBD
from retainkit.plot._axes import date_numbers, label_dates, measure, percent, subplots, tidy
from retainkit.plot._models import check_drawn_model
from retainkit.plot._purchase_days import purchase_days
from retainkit.plot._style import DARK, PALETTE, legible, tone
from retainkit.plot._text import in_percent
from retainkit.typing import IntoFrame, Length, Missing

STEPS = 400  # points of a history, and one more for each purchase


def customer_history(
    transactions: IntoFrame,
    model: BGNBD | MBGNBD | ParetoNBD,
    *,
    customer_id: Any,
    customer: str = "customer_id",
    time: str = "time",
    as_of: str | date | None = None,
    tz: str | None = None,
    missing: Missing = "raise",
    future: float | Length | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw how P(alive) of one customer went on: a fall in silence, a jump at each purchase.

    >>> from retainkit import datasets, fit_bg_nbd, plot, rfm_summary
    >>> orders = datasets.load_cdnow(sample=True)
    >>> model = fit_bg_nbd(rfm_summary(orders, unit="week", exact=True))
    >>> ax = plot.customer_history(orders, model, customer_id=20111)

    P(alive) [1]_ is the probability that the customer has not dropped out, as the model sees it
    with what was known at the time. Marks at the bottom are the days with a purchase; the dot is
    the end of observation. Purchases are merged by day, and recency and T are days divided by the
    length of the model's unit, so that the last value is that of `rfm_summary` with ``exact=True``
    and the model's unit.

    Parameters
    ----------
    transactions : IntoFrame
        One row an order, or a line of one: pandas, Polars (lazy too) or PyArrow, a DuckDB relation
        or a PySpark DataFrame. The order of the rows means nothing. It holds all customers; only
        the rows of this one are brought back.
    model : BGNBD, MBGNBD or ParetoNBD
        Model of the purchases.
    customer_id : str, int or other value
        The customer, as column `customer` has it.
    customer : str, default "customer_id"
        Column that identifies the customer: integers, strings, UUIDs or categories.
    time : str, default "time"
        Column of dates or datetimes, with or without a time zone.
    as_of : str, date or datetime, optional
        Instant at which observation ends; rows at or after it are not used, and counted in a
        warning. Without a time zone it is read in that of `tz`. Default: the midnight that ends the
        day of the last row, of any customer; so give it where `transactions` holds this customer
        alone.
    tz : str, optional
        Time zone in which periods are cut, such as ``"Europe/Berlin"``. Default: the column's own.
        The periods are days.
    missing : {"raise", "drop"}, default "raise"
        Whether a null where a value is needed is an error, or its row is left out with a warning
        that counts such rows. Needed are `customer` and `time`.
    future : float, str or timedelta, optional
        Go on, dashed, for so long: how P(alive) falls if the customer stays silent. A number in
        the model's unit, or a length of time such as ``"90D"`` or ``"26 weeks"``.
    ax : matplotlib.axes.Axes, optional
        Axes to draw on; by default those of a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        The axes drawn on: x is the date, y is P(alive) from 0 to 1.

    Raises
    ------
    MissingColumnError
        If a column is not in the frame.
    ColumnTypeError, ArgumentTypeError
        If a column or an argument is of the wrong type, as text for a number in `customer_id`.
    ArgumentError
        If no row is the customer's, or none before `as_of`; if a column has nulls.
    MissingDependencyError
        If matplotlib is not installed.

    Warns
    -----
    RetainkitWarning
        If rows of the customer are at or after `as_of`, which are not used, or rows with nulls are
        left out. The message says how many.

    Notes
    -----
    Under BG/NBD a customer drops out only after a repeat purchase, so P(alive) is 100% up to the
    first of them, and falls there. A refund would count as a purchase: leave such rows
    out first.

    References
    ----------
    .. [1] Fader, P. S., Hardie, B. G. S. & Lee, K. L. (2005), "'Counting Your Customers' the Easy
       Way: An Alternative to the Pareto/NBD Model", Marketing Science 24 (2), 275-284.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> from retainkit import BGNBD
    >>> from retainkit.datasets import load_cdnow
    >>> from retainkit.plot import customer_history
    >>> orders = load_cdnow(sample=True)
    >>> model = BGNBD(r=0.243, alpha=4.414, a=0.793, b=2.426, unit="week")
    >>> axes = Figure(figsize=(9, 4)).subplots()
    >>> ax = customer_history(orders, model, customer_id=20111, ax=axes, future="26W")
    >>> ax.get_xlabel()
    'Customer 20111: 42 days with a purchase (marks), observed to 1998-06-30'
    >>> [text.get_text() for text in ax.texts]  # at the end, and after 26 weeks of silence
    ['95%', '<1%']
    """
    check_drawn_model(model)
    ahead = 0.0 if future is None else in_units("future", future, model.unit)
    check_as_of(as_of)
    log = read_orders(transactions, customer=customer, time=time, tz=tz, missing=missing)
    end = log.end_of_observation(as_of)
    days = purchase_days(log, customer_id, customer, end)
    last = end.before(log.zone).index(DAYS)
    path = _alive_over_time(model, days, last, ahead)
    ax, width, _ = measure(subplots(7.0, 3.4) if ax is None else ax)
    _draw_path(ax, days, path, width)
    until = np.array(last).astype("datetime64[D]")
    bought = count_noun(len(days), "day")
    text = f"Customer {customer_id}: {bought} with a purchase (marks), observed to {until}"
    ax.set_xlabel(fill(text, max(20, int((width - 40) / 5.6))), parse_math=False)
    ax.set_ylabel("Probability of\nbeing alive")
    return ax


@dataclass(frozen=True, slots=True, kw_only=True)
class _AliveOverTime:
    """P(alive) of a customer at days since 1970, which are floats and observed or in the future.

    A day of purchase comes twice, with the value before and after it.
    """

    day: Floats
    alive: Floats
    observed: Booleans


def _alive_over_time(
    model: BGNBD | MBGNBD | ParetoNBD, days: Integers, last: int, ahead: float
) -> _AliveOverTime:
    """Compute P(alive) from the first purchase to `last`, and some units beyond it."""
    import pandas as pd  # noqa: PLC0415

    length = DAYS_IN[model.unit]
    starts, ends = np.append(days, last), np.append([*days[1:], last], last + ahead * length)
    step = max(float(ends[-1] - days[0]), 1.0) / STEPS
    parts = [
        np.linspace(start, end, ceil((end - start) / step) + 1)
        for start, end in zip(starts, ends, strict=True)
    ]
    part = np.repeat(np.arange(len(parts)), [len(one) for one in parts])
    bought = np.minimum(part, len(days) - 1)
    day = np.concatenate(parts)
    summary = pd.DataFrame(
        {
            "customer_id": 0,
            "frequency": bought,
            "recency": (days[bought] - days[0]) / length,
            "T": (day - days[0]) / length,
        }
    )
    alive = model.probability_alive(summary)["probability_alive"].to_numpy()
    return _AliveOverTime(day=day, alive=alive, observed=part < len(days))


def _draw_path(ax: Axes, days: Integers, path: _AliveOverTime, width: float) -> None:
    x, now = date_numbers(path.day), path.observed
    colour = PALETTE[0]
    ax.plot(x[now], path.alive[now], color=colour, linewidth=1.6, gid="history")
    marks: dict[str, Any] = {"color": tone(ax, DARK), "linewidth": 1.1, "gid": "purchases"}
    ax.vlines(date_numbers(days), 0, 0.06, transform=ax.get_xaxis_transform(), **marks)
    ax.plot(x[now][-1:], path.alive[now][-1:], "o", color=colour, markersize=6, gid="end")
    style: dict[str, Any] = {
        "textcoords": "offset points",
        "color": legible(ax, colour),
        "gid": "end",
    }
    beside: dict[str, Any] = {"xytext": (7, 0), "va": "center"}
    above: dict[str, Any] = {"xytext": (0, 7), "ha": "center", "va": "bottom"}
    goes_on = x[-1] > x[now][-1]
    own = above if goes_on else beside
    ax.annotate(in_percent(path.alive[now][-1]), (x[now][-1], path.alive[now][-1]), **own, **style)
    if goes_on:
        dashes: dict[str, Any] = {
            "color": colour,
            "linewidth": 1.6,
            "linestyle": (0, (3, 2)),
            "gid": "future",
        }
        ax.plot(x[~now], path.alive[~now], **dashes)
        low = {"xytext": (7, 2), "va": "bottom"} if path.alive[-1] < 0.06 else beside
        ax.annotate(in_percent(path.alive[-1]), (x[-1], path.alive[-1]), **low, **style)
    span = max(float(x[-1] - x[0]), 14.0)
    ax.set_xlim(x[0] - 0.015 * span, x[-1] + 40 / width * span)
    ax.set_ylim(0, 1.04)
    tidy(ax)
    ax.yaxis.set_major_formatter(percent())
    label_dates(ax, max(5, int(width / 55)))
