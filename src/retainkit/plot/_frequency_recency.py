"""Picture of a model of purchases: its predictions by frequency and recency."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import fill
from typing import Any, get_args

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Colormap, Normalize, to_hex
from matplotlib.ticker import MaxNLocator

from retainkit._checks import integer, one_of
from retainkit._messages import warn
from retainkit._time.durations import in_units, in_words
from retainkit._typing import Floats, Integers
from retainkit.clv import BGNBD, MBGNBD, ParetoNBD
from retainkit.clv._covariates import parameters_of
from retainkit.plot._axes import draw_colour_bar, measure, percent, subplots
from retainkit.plot._models import check_drawn_model
from retainkit.plot._style import POINTS, SMALL, ink_on, sequential
from retainkit.typing import Length, ModelValues

ROWS = 120  # of colour, from no silence to the longest
ALIVE = (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95)
LABEL = 22.0  # points between the labels of lines, at least


def frequency_recency(
    model: BGNBD | MBGNBD | ParetoNBD,
    *,
    T: float | Length,  # noqa: N803  the papers' name
    values: ModelValues = "expected_purchases",
    horizon: float | Length = "12 months",
    max_frequency: int | None = None,
    ax: Axes | None = None,
    cmap: str | Colormap | None = None,
) -> Axes:
    """Draw a model's prediction by customers' purchases and the time since the last one.

    >>> from retainkit import datasets, fit_bg_nbd, plot, rfm_summary
    >>> model = fit_bg_nbd(rfm_summary(datasets.load_cdnow(sample=True), unit="week", exact=True))
    >>> ax = plot.frequency_recency(model, T="78 weeks", horizon="52 weeks")

    A heat map of all customers who first bought a time T ago: across their repeat purchases
    (frequency), upwards the time since the last one, which is T - recency. Lines join equal
    values. So one reads off what to expect of a customer who has bought 12 times again and has
    been silent for 20 weeks. A customer who has not bought again has been silent for all of T:
    that is the single cell above 0.

    Parameters
    ----------
    model : BGNBD, MBGNBD or ParetoNBD
        Model of the purchases.
    T : float, str or timedelta
        Time since the first purchase: a number in the model's unit, or a length of time such as
        ``"52 weeks"`` or ``"12 months"``.
    values : {"expected_purchases", "probability_alive"}, default "expected_purchases"
        What to draw: the purchases expected within the horizon, or the probability that the
        customer has not dropped out.
    horizon : float, str or timedelta, default "12 months"
        How far ahead, written as `T` is, for the purchases that are expected. P(alive) has none.
    max_frequency : int, optional
        Most repeat purchases to draw. By default those that, by the model, one new customer in a
        thousand exceeds within T; from 5 to 500.
    ax : matplotlib.axes.Axes, optional
        Axes to draw on; by default those of a new figure. In small axes there are fewer lines.
    cmap : str or matplotlib.colors.Colormap, optional
        Sequential colour map; by default even steps of lightness from pale to navy.

    Returns
    -------
    matplotlib.axes.Axes
        The axes drawn on: x is the frequency, y is in the model's unit. The colour bar is above.

    Raises
    ------
    ArgumentError
        If `values`, `T`, `horizon` or `max_frequency` has a wrong value.
    ArgumentTypeError
        If `model` is no such model, or a number is something else.
    MissingDependencyError
        If matplotlib is not installed.

    Warns
    -----
    RetainkitWarning
        If `T` is more than twice as long as any customer was observed whom the model was fitted to.

    Notes
    -----
    Lines bend backwards: of two customers silent for equally long, the one who used to buy more
    often is more likely to be gone [1]_.

    References
    ----------
    .. [1] Fader, P. S., Hardie, B. G. S. & Lee, K. L. (2005), "RFM and CLV: Using Iso-Value Curves
       for Customer Base Analysis", Journal of Marketing Research 42 (4), 415-430.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> from retainkit import BGNBD
    >>> from retainkit.plot import frequency_recency
    >>> model = BGNBD(r=0.243, alpha=4.414, a=0.793, b=2.426, unit="week")
    >>> ax = frequency_recency(model, T=39, horizon="26W", ax=Figure().subplots())
    >>> ax.get_xlabel(), ax.get_ylabel()
    ('Repeat purchases in 39 weeks', 'Weeks since the last purchase')
    >>> ax.child_axes[0].get_xlabel()
    'Purchases expected in the next 26 weeks'
    """
    check_drawn_model(model)
    one_of("values", values, get_args(ModelValues))
    observed = in_units("T", T, model.unit, above_0=True)
    ahead = in_units("horizon", horizon, model.unit)
    _warn_of_long_time(model, observed, T)
    if max_frequency is None:
        most = _usual_most(model, observed)
    else:
        most = integer("max_frequency", max_frequency, 1)
    predict = _Prediction(model=model, alive=values == "probability_alive", ahead=ahead, T=observed)
    edges = np.linspace(0, observed, ROWS + 1)
    cells = predict.at(np.arange(1, most + 1), (edges[1:] + edges[:-1]) / 2)
    lines = predict.at(np.arange(1, most + 2), edges)  # one column more: lines reach the edge
    single = predict.at(np.array([0]), np.array([observed]))
    ax, width, height = measure(subplots(6.4, 4.4) if ax is None else ax)
    alive = predict.alive
    highest = 1.0 if alive else float(max(cells.max(), single.max()))
    shades = _shades(highest, cmap)
    columns = np.arange(most + 1) + 0.5
    style: dict[str, Any] = {"cmap": shades.cmap, "norm": shades.norm, "shading": "flat"}
    ax.pcolormesh(columns, edges, cells, gid="cells", **style)
    # Whoever has not bought again has been silent all the time: one point, drawn to be seen.
    ax.pcolormesh([-0.5, 0.5], [0.95 * observed, observed], single, gid="no repeat", **style)
    _draw_contours(ax, lines, edges, shades, alive=alive)
    ax.set_xlabel(f"Repeat purchases in {in_words(T, model.unit)}")
    upwards = f"{model.unit.capitalize()}s since the last purchase"
    ax.set_ylabel(fill(upwards, max(16, int((height - 30) / 5))))
    label = "Probability of being alive"
    if not alive:
        span = in_words(horizon, model.unit).removeprefix("1 ")
        label = f"Purchases expected in the next {span}"
    _tidy(ax)
    label = fill(label, max(20, int((width - 25) / 4.7)))
    ticks = (5 if alive else 8) if ax.bbox.width / ax.figure.dpi > 4 else 4
    draw_colour_bar(ax, shades, label, 6 / height, ticks=ticks, rates=alive)
    return ax


@dataclass(frozen=True, slots=True, kw_only=True)
class _Prediction:
    """A quantity of a model for customers observed for T; T and the horizon are in its unit."""

    model: BGNBD | MBGNBD | ParetoNBD
    alive: bool
    ahead: float
    T: float

    def at(self, frequency: Integers, silence: Floats) -> Floats:
        """Return the prediction for each time of silence (down) and frequency (across)."""
        shape = (len(silence), len(frequency))
        recency = np.maximum(self.T - silence, 0)
        x = np.broadcast_to(frequency.astype(np.float64), shape).ravel()
        history = x, np.repeat(recency, len(frequency)), np.full(x.size, self.T)
        params, process = parameters_of(self.model), self.model.PROCESS
        if self.alive:
            found = process.chance_alive(params, history)
        else:
            found = process.mean_purchases(params, self.ahead, history)
        return found.reshape(shape)


def _warn_of_long_time(
    model: BGNBD | MBGNBD | ParetoNBD,
    observed: float,
    T: float | Length,  # noqa: N803
) -> None:
    """Warn of a time that is much longer than any that the model was fitted to."""
    if model.largest_T is not None and observed > 2 * model.largest_T:
        warn(
            f"`T` is {in_words(T, model.unit)}, more than twice as long as any customer was "
            f"observed whom the model was fitted to: T reached {model.largest_T:,.6g} "
            f"{model.unit}s. It has learnt nothing of so long a time.",
            code="beyond_fit",
            argument="T",
        )


def _usual_most(model: BGNBD | MBGNBD | ParetoNBD, observed: float) -> int:
    """Return the repeat purchases that one new customer in a thousand exceeds."""
    chances = model.purchase_probabilities(np.arange(501), observed)
    return max(5, int(np.searchsorted(np.cumsum(chances[:-1]), 0.999)))


def _shades(highest: float, cmap: str | Colormap | None) -> Any:
    return ScalarMappable(norm=Normalize(0, highest or 1), cmap=sequential(cmap))


def _draw_contours(ax: Axes, values: Floats, silence: Floats, shades: Any, *, alive: bool) -> None:
    """Draw lines of equal value, each in the ink that stands out from its own colour."""
    room = int(ax.bbox.height / ax.figure.dpi * POINTS / 30)
    steps: Sequence[float] = ALIVE if room > 5 else ALIVE[1::2]
    if not alive:
        even = MaxNLocator(min(max(room, 3), 8)).tick_values(0, shades.norm.vmax)
        steps = sorted({1.0, *map(float, even)})  # whether one more is to be expected
    levels = [level for level in steps if values.min() < level < values.max()]
    frequency = np.arange(1, values.shape[1] + 1)
    ax.set_xlim(-0.5, frequency[-1] - 0.5)
    ax.set_ylim(0, silence[-1])
    if not levels:
        return
    traced = ax.contour(frequency, silence, values, levels)
    places = _label_places(ax, [path.vertices for path in traced.get_paths()])
    traced.remove()
    if not places:
        return
    # A line that has no room for its label is not drawn.
    colours = {levels[i]: to_hex(shades.to_rgba(levels[i])) for i in places}
    inks = [ink_on(colour) for colour in colours.values()]
    drawn = ax.contour(frequency, silence, values, [*colours], colors=inks, linewidths=0.8)
    style: dict[str, Any] = {"fontsize": SMALL + 0.5, "fmt": percent() if alive else "%g"}
    ax.clabel(drawn, manual=[*places.values()], **style)


def _label_places(ax: Axes, lines: Sequence[Any]) -> dict[int, tuple[float, float]]:
    """Choose for each line the point with most room for a label, if it has any."""
    scale = POINTS / ax.figure.dpi
    points = [ax.transData.transform(line) * scale for line in lines]
    low, high = ax.bbox.get_points() * scale
    places: dict[int, tuple[float, float]] = {}
    labelled = np.zeros((0, 2))
    for i, own in enumerate(points):
        others = np.vstack([*points[:i], *points[i + 1 :], [[-1e9, -1e9]]])
        apart = np.hypot(*(own[:, None] - others).T).min(axis=0)
        labels = np.hypot(*(own[:, None] - np.vstack([labelled, [[-1e9, -1e9]]])).T).min(axis=0)
        inside = np.minimum(own - low, high - own).min(axis=1)
        # Near an edge or another label there is no room for one.
        apart = np.where((inside > LABEL / 2) & (labels > LABEL), apart, 0)
        if len(own) and apart.max() > 0:
            best = int(np.argmax(np.minimum(apart, 2 * inside)))
            places[i] = tuple(lines[i][best])
            labelled = np.vstack([labelled, own[best]])
    return places


def _tidy(ax: Axes) -> None:
    """Leave out lines around the colours, and mark whole numbers of purchases."""
    ax.spines[:].set_visible(False)
    ax.tick_params(length=0)
    ax.xaxis.set_major_locator(MaxNLocator(8, integer=True))
