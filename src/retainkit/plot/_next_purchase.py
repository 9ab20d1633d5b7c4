"""Picture of one customer: the purchases, and the dates by which the next is due."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, tzinfo
from textwrap import fill
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from retainkit._inputs.events import read_events
from retainkit._inputs.observation import check_as_of
from retainkit._messages import count_noun
from retainkit._models.estimates import estimates_of
from retainkit._models.forecasts import Forecasts
from retainkit._time.durations import in_units
from retainkit._time.grid import DAYS
from retainkit._time.moment import Moment
from retainkit._time.period_options import unit_option
from retainkit._time.periods import DAY, DAYS_IN
from retainkit._typing import Floats, Integers
from retainkit.clv import BGNBD, MBGNBD, ParetoNBD
from retainkit.clv._covariates import check_no_covariates
from retainkit.clv._next_purchase import due_columns
from retainkit.plot._axes import date_numbers, label_dates, measure, percent, subplots, tidy
from retainkit.plot._models import check_drawn_model
from retainkit.plot._purchase_days import purchase_days
from retainkit.plot._style import DARK, PALETTE, QUIET, TEXT, legible, tone
from retainkit.plot._text import in_percent
from retainkit.typing import IntoFrame, Length, Missing

_STEPS = 200  # points of the curve


def next_purchase(
    orders: IntoFrame,
    model: BGNBD | MBGNBD | ParetoNBD,
    *,
    customer_id: Any,
    horizon: Length = "12 months",
    quantiles: Sequence[float] = (0.25, 0.5, 0.75),
    customer: str = "customer_id",
    time: str = "time",
    as_of: str | date | None = None,
    tz: str | None = None,
    missing: Missing = "raise",
    ax: Axes | None = None,
) -> Axes:
    """Draw when one customer bought, and how likely the next purchase is by each day ahead.

    >>> from retainkit import datasets, fit_bg_nbd, plot, rfm_summary
    >>> orders = datasets.load_cdnow(sample=True)
    >>> model = fit_bg_nbd(rfm_summary(orders))
    >>> ax = plot.next_purchase(orders, model, customer_id=4)

    Marks at the bottom are the days with a purchase. From the end of observation on, the curve is
    the probability [1]_ that the next purchase has come by then; it rises to that of being alive,
    the dotted line. The dates of `retainkit.next_purchase` are dots on it, and the time between the
    first and the last of them is shaded; what is never so likely has no dot.

    Parameters
    ----------
    orders : IntoFrame
        One row an order, or a line of one: pandas, Polars (lazy too) or PyArrow, a DuckDB relation
        or a PySpark DataFrame. The order of the rows means nothing. It holds all customers; only
        the rows of this one are brought back.
    model : BGNBD, MBGNBD or ParetoNBD
        Model of the purchases.
    customer_id : str, int or other value
        The customer, as column `customer` has it.
    horizon : str or timedelta, default "12 months"
        How far ahead, with its unit: ``"90D"``, ``"52 weeks"`` or ``"12 months"``. Dates after it
        are left out.
    quantiles : sequence of float, default (0.25, 0.5, 0.75)
        Probabilities, between 0 and 1, whose dates are marked.
    customer : str, default "customer_id"
        Column that identifies the customer: integers, strings, UUIDs or categories.
    time : str, default "time"
        Column of dates or datetimes, with or without a time zone. Only its days count.
    as_of : str, date or datetime, optional
        Instant at which observation ends; rows at or after it are not used, and counted in a
        warning. Without a time zone it is read in that of `tz`. Default: the midnight that ends the
        day of the last row, of any customer; so give it where `orders` holds this customer alone.
    tz : str, optional
        Time zone in which periods are cut, such as ``"Europe/Berlin"``. Default: the column's own.
        The periods are days.
    missing : {"raise", "drop"}, default "raise"
        Whether a null where a value is needed is an error, or its row is left out with a warning
        that counts such rows. Needed are `customer` and `time`.
    ax : matplotlib.axes.Axes, optional
        Axes to draw on; by default those of a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        The axes drawn on: x is the date, y is the probability from 0 to 1.

    Raises
    ------
    MissingColumnError
        If a column is not in the frame.
    ColumnTypeError, ArgumentTypeError
        If a column or an argument is of the wrong type, as text for a number in `customer_id`.
    ArgumentError
        If an argument has a wrong value, if no row is the customer's, or none before `as_of`; if a
        column has nulls.
    MissingDependencyError
        If matplotlib is not installed.

    Warns
    -----
    RetainkitWarning
        If rows of the customer are at or after `as_of`, which are not used, or rows with nulls are
        left out. The message says how many.

    See Also
    --------
    customer_history : How the probability of being alive went on until then.

    References
    ----------
    .. [1] Fader, P. S., Hardie, B. G. S. & Lee, K. L. (2005), "'Counting Your Customers' the Easy
       Way: An Alternative to the Pareto/NBD Model", Marketing Science 24 (2), 275-284.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> from retainkit import BGNBD
    >>> from retainkit.datasets import load_cdnow
    >>> from retainkit.plot import next_purchase
    >>> model = BGNBD(r=0.243, alpha=4.414, a=0.793, b=2.426, unit="week")
    >>> axes = Figure(figsize=(9, 4)).subplots()
    >>> ax = next_purchase(load_cdnow(sample=True), model, customer_id=111, ax=axes)
    >>> [text.get_text() for text in ax.texts]
    ['94% alive', '25% by 12 Jul 1998', '50% by 30 Jul 1998', '75% by 2 Sep 1998']
    """
    check_drawn_model(model)
    check_no_covariates(model, "model", "model.next_purchase")
    ahead = in_units("horizon", horizon, "day", bare=None, above_0=True)
    due = due_columns(quantiles)
    check_as_of(as_of)
    columns = {"customer": customer, "time": time}
    log = read_events(
        orders, argument="orders", columns=columns, by=None, reserved=(), tz=tz, missing=missing
    )
    end = log.end_of_observation(as_of)
    days = purchase_days(log, customer_id, customer, end, "orders")
    curve = _curve(model, days, end, log.zone, ahead=ahead, due=due)
    ax, width, _ = measure(subplots(7.0, 3.4) if ax is None else ax)
    _draw_curve(ax, days, curve, width)
    until = np.array(end.before(log.zone).index(DAYS)).astype("datetime64[D]")
    bought = count_noun(len(days), "day")
    text = f"Customer {customer_id}: {bought} with a purchase (marks), observed to {until}"
    ax.set_xlabel(fill(text, max(20, int((width - 40) / 5.6))), parse_math=False)
    ax.set_ylabel("Probability that the\nnext purchase has come")
    return ax


@dataclass(frozen=True, slots=True, kw_only=True)
class _Curve:
    """Probabilities at days since 1970, which are floats, and the dates of shares of `due`.

    It begins at the end of observation and rises to `alive`.
    """

    day: Floats
    probability: Floats
    alive: float
    due: Mapping[float, float]


def _curve(
    model: BGNBD | MBGNBD | ParetoNBD,
    days: Integers,
    end: Moment,
    zone: tzinfo | None,
    *,
    ahead: float,
    due: Mapping[str, float],
) -> _Curve:
    """Compute the curve of a customer who bought on some days, so many days ahead."""
    merged = model.exact is False and model.unit not in {"hour", "day"}
    period = unit_option(model.unit, "monday").in_zone(zone) if merged else DAYS
    length = DAYS_IN[model.unit]
    bought = np.unique(period.number_of_day(days))
    times = np.array([bought[-1], end.before(zone).index(period)]) - bought[0]
    recency, observed = times / (1 if merged else length)
    theta = estimates_of(model).point
    x, tx, T = (np.array([one], np.float64) for one in (len(bought) - 1, recency, observed))  # noqa: N806
    customer = Forecasts(process=model.PROCESS, history=(x, tx, T))
    # It rises fastest at first, where points lie closest.
    now, after = end.wall / DAY, ahead * np.linspace(0, 1, _STEPS + 1) ** 2
    dates = {q: now + length * float(customer.time_to_purchase(theta, q)[0]) for q in due.values()}
    return _Curve(
        day=now + after,
        probability=customer.probability_purchase(theta, after / length),
        alive=float(customer.alive(theta)[0]),
        due={q: day for q, day in sorted(dates.items()) if day <= now + ahead},
    )


def _draw_curve(ax: Axes, days: Integers, curve: _Curve, width: float) -> None:
    x, colour, grey = date_numbers(curve.day), PALETTE[0], tone(ax, QUIET)
    ax.plot(x, curve.probability, color=colour, linewidth=1.6, gid="probability")
    ax.hlines(curve.alive, x[0], x[-1], color=grey, linestyle=":", linewidth=1.1, gid="alive")
    marks: dict[str, Any] = {"color": tone(ax, DARK), "linewidth": 1.1, "gid": "purchases"}
    ax.vlines(date_numbers(days), 0, 0.06, transform=ax.get_xaxis_transform(), **marks)
    ax.axvline(x[0], color=grey, linewidth=0.8, gid="as_of")
    style: dict[str, Any] = {"textcoords": "offset points", "fontsize": TEXT}
    above: dict[str, Any] = {"xytext": (0, 3), "ha": "right", "gid": "alive", **style}
    text = f"{in_percent(curve.alive)} alive"
    ax.annotate(text, (x[-1], curve.alive), color=legible(ax, grey), **above)
    dates = date_numbers(np.array([*curve.due.values()]))
    if len(dates):
        shade: dict[str, Any] = {"color": PALETTE[5], "alpha": 0.18, "linewidth": 0}
        ax.axvspan(dates[0], dates[-1], gid="window", **shade)
        ax.plot(dates, [*curve.due], "o", color=colour, markersize=6, gid="due")
    first = date_numbers(days[:1])[0]
    span = max(float(x[-1] - first), 14.0)
    for (q, day), at in zip(curve.due.items(), dates, strict=True):
        shown = np.array(int(np.floor(day))).astype("datetime64[D]").item()
        text = f"{100 * q:.6g}% by {shown.day} {shown:%b %Y}"
        # To the right below the curve or, where there is no room, to the left above it.
        beside: dict[str, Any] = {"xytext": (6, -4), "va": "top", "ha": "left"}
        if x[-1] - at < 0.3 * span:
            beside = {"xytext": (-6, 4), "va": "bottom", "ha": "right"}
        ax.annotate(text, (at, q), color=legible(ax, colour), gid="due", **beside, **style)
    ax.set_xlim(first - 0.015 * span, x[-1] + 0.015 * span)
    ax.set_ylim(0, 1.08)
    tidy(ax)
    ax.yaxis.set_major_formatter(percent())
    label_dates(ax, max(5, int(width / 55)))
