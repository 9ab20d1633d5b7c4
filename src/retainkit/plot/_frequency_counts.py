"""Picture of a model beside the counts that it was fitted to: customers by repeat purchases."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from retainkit._checks import integer, probability
from retainkit._inputs.customers import Customers
from retainkit._models.estimates import estimates_of
from retainkit._models.process import distinct_pairs
from retainkit._stats.intervals import wilson
from retainkit._typing import Floats
from retainkit.clv import BGNBD, MBGNBD, ParetoNBD
from retainkit.clv._histories import forecasts_of, read_histories
from retainkit.plot._axes import draw_legend, measure, subplots, tidy
from retainkit.plot._models import check_drawn_model
from retainkit.plot._score_axes import draw_answer_counts, draw_nothing
from retainkit.plot._style import BLACK, PALETTE, QUIET, TEXT, tone
from retainkit.typing import IntoFrame

ACTUAL, EXPECTED = "#b9c4cf", PALETTE[0]
LABEL = 26.0  # points from a label of the axis to the next, at least


def frequency_counts(
    model: BGNBD | MBGNBD | ParetoNBD,
    summary: IntoFrame,
    *,
    max_frequency: int = 7,
    confidence_level: float = 0.95,
    frequency: str = "frequency",
    recency: str = "recency",
    T: str = "T",  # noqa: N803  the papers' name
    weights: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    r"""Draw how many customers bought how often, beside the number that a model expects.

    >>> from retainkit import datasets, fit_bg_nbd, plot, rfm_summary
    >>> summary = rfm_summary(datasets.load_cdnow(sample=True), unit="week", exact=True)
    >>> ax = plot.frequency_counts(fit_bg_nbd(summary), summary)

    Of customers observed for :math:`T_i`, the model expects

    .. math::

       E_n = \sum_i P\bigl(X(T_i) = n\bigr)

    with :math:`n` repeat purchases. A bar is the number that came, with its interval; a square is
    :math:`E_n`. The model describes the counts where the squares lie within the intervals. Both
    numbers stand beneath, where there is room.

    Parameters
    ----------
    model : BGNBD, MBGNBD or ParetoNBD
        Model of the purchases.
    summary : IntoFrame
        One row a customer, as `rfm_summary` makes it: pandas, Polars (lazy too) or PyArrow, a
        DuckDB relation or a PySpark DataFrame.
    max_frequency : int, default 7
        Customers with so many repeat purchases or more are one bar, the last; 1 or more.
    confidence_level : float, default 0.95
        Coverage of the interval, between 0 and 1.
    frequency : str, default "frequency"
        Column of the number of repeat purchases, whole numbers.
    recency : str, default "recency"
        Column of the time from the first purchase to the last, in the unit of the model; 0 where
        there is only one.
    T : str, default "T"
        Column of the time observed since the first purchase, in the unit of the model.
    weights : str, optional
        Column with the number of customers in each row. Default: one.
    ax : matplotlib.axes.Axes, optional
        Axes to draw on; by default those of a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        The axes drawn on; bars and squares are at x = 0, 1, ..., `max_frequency`, and y counts
        customers.

    Raises
    ------
    MissingColumnError, ColumnTypeError
        If a column is not in the table, or does not hold numbers.
    ArgumentTypeError
        If `model` is no such model, or a number is something else.
    ArgumentError
        If `max_frequency` or `confidence_level` has a wrong value, a row is no possible history, or
        the unit of `summary` is not that of the model.
    MissingDependencyError
        If matplotlib is not installed.

    Warns
    -----
    RetainkitWarning
        If customers are observed for more than twice as long as any that the model was fitted to,
        or if their first purchases seem to be counted as repeat purchases.

    See Also
    --------
    retainkit.plot.holdout_calibration : The same customers in a time that the model has not seen.

    Notes
    -----
    A model that was fitted to these customers has seen these counts: that it describes them is
    necessary, not sufficient. How far it reaches ahead is seen in a holdout.

    The interval is the number of customers times Wilson's interval [1]_ of the share with so many
    purchases. Where customers are observed for different times it is a little wide: a sum of
    unequal chances varies less than a binomial with their mean [2]_. That the parameters of the
    model are estimates is not in it.

    References
    ----------
    .. [1] Wilson, E. B. (1927), "Probable Inference, the Law of Succession, and Statistical
       Inference", Journal of the American Statistical Association 22 (158), 209-212.
    .. [2] Hoeffding, W. (1956), "On the Distribution of the Number of Successes in Independent
       Trials", Annals of Mathematical Statistics 27 (3), 713-721.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> from retainkit import BGNBD, rfm_summary
    >>> from retainkit.datasets import load_cdnow
    >>> from retainkit.plot import frequency_counts
    >>> orders = load_cdnow(sample=True)
    >>> early = orders[orders["time"] < "1997-10-01"]
    >>> summary = rfm_summary(early, unit="week", exact=True, as_of="1997-10-01")
    >>> model = BGNBD(r=0.243, alpha=4.414, a=0.793, b=2.426, unit="week")
    >>> ax = frequency_counts(model, summary, max_frequency=2, ax=Figure().subplots())
    >>> [int(bar.get_height()) for bar in ax.patches]
    [1411, 439, 507]
    >>> ax.lines[0].get_ydata().round().tolist()
    [1406.0, 461.0, 490.0]
    """
    check_drawn_model(model)
    integer("max_frequency", max_frequency, 1)
    probability("confidence_level", confidence_level)
    columns = {"frequency": frequency, "recency": recency, "T": T}
    rows = read_histories(model, summary, columns, weights=weights)
    counts = _count_customers(model, rows, max_frequency)
    ax = subplots(6.4, 4.2) if ax is None else ax
    _draw_bars(ax, counts, confidence_level)
    _label_axes(ax, counts)
    return ax


@dataclass(frozen=True, slots=True, kw_only=True)
class _Counts:
    """Customers by repeat purchases: those who came and those whom the model expects."""

    actual: Floats
    expected: Floats

    @property
    def labels(self) -> list[str]:
        """The repeat purchases of each count; the last one gathers all above."""
        last = len(self.actual) - 1
        return [*map(str, range(last)), f"{last}+"]


def _count_customers(model: BGNBD | MBGNBD | ParetoNBD, rows: Customers, most: int) -> _Counts:
    """Count the customers, and add up the model's probabilities over the times observed."""
    frequency = np.minimum(rows.distinct["frequency"], most).astype(np.int64)
    actual = np.bincount(frequency, rows.counts, most + 1)
    forecasts, observed = forecasts_of(model, rows), rows.distinct["T"]
    kind = None if forecasts.covariates is None else forecasts.covariates.kind
    times = distinct_pairs(observed, observed, kind)
    customers = np.bincount(times.code, rows.counts, len(times.T))
    params = times.of_rows(forecasts.parameters(estimates_of(model).point))
    expected = [
        float(customers @ model.PROCESS.count_probabilities(params, n, times.T))
        for n in range(most)
    ]
    rest = max(0.0, float(customers.sum()) - sum(expected))
    return _Counts(actual=actual.astype(np.float64), expected=np.array([*expected, rest]))


def _draw_bars(ax: Axes, counts: _Counts, confidence_level: float) -> None:
    """Draw what came with its interval, and what the model expects."""
    x, total = np.arange(len(counts.actual)), counts.actual.sum()
    low, high = (total * limit for limit in wilson(counts.actual, total, confidence_level))
    label = "actual, with interval"
    bars = ax.bar(x, counts.actual, 0.8, color=tone(ax, ACTUAL), linewidth=0, label=label)
    for bar in bars:
        bar.set_gid("actual")
    style: dict[str, Any] = {"linewidth": 1.3, "zorder": 4, "gid": "interval"}
    style["color"] = tone(ax, BLACK)
    ax.vlines(x, low, high, **style)
    squares: dict[str, Any] = {"color": EXPECTED, "markersize": 6, "zorder": 3, "gid": "expected"}
    squares |= {"markeredgecolor": ax.get_facecolor(), "markeredgewidth": 0.6, "linestyle": "none"}
    (line,) = ax.plot(x, counts.expected, "s", label="expected by the model", **squares)
    draw_legend(ax, [bars, line], style={"loc": "lower right", "bbox_to_anchor": (1, 1)})
    if not total:
        draw_nothing(ax, "No customers")


def _label_axes(ax: Axes, counts: _Counts) -> None:
    """Label the numbers of purchases, with both counts beneath where there is room."""
    tidy(ax)
    ax.set_ylim(bottom=0)
    ax.set_ylabel("Customers")
    ax.yaxis.set_major_formatter("{x:,.10g}")
    _, width, height = measure(ax)  # what the labels at the left have left
    step = max(1, int(np.ceil(LABEL * len(counts.actual) / max(width, 1.0))))
    ticks = range(0, len(counts.actual), step)
    ax.set_xticks(ticks, [counts.labels[tick] for tick in ticks])
    ax.set_xlim(-0.6, len(counts.actual) - 0.4)
    rows = [("actual", QUIET, counts.actual), ("model", EXPECTED, counts.expected)]
    beneath = draw_answer_counts(ax, height, rows)
    ax.set_xlabel("Repeat purchases of a customer", fontsize=TEXT, labelpad=4 + beneath)
