"""The rows of customers with what a model says of the next purchase, as dates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import narwhals.stable.v2 as nw
import numpy as np

from retainkit._frames.input import Frame
from retainkit._frames.segments import split_by_segment
from retainkit._inputs.customers import HISTORY, Customers, largest_time, read_customers
from retainkit._inputs.events import Events
from retainkit._messages import warn
from retainkit._models.model import model_from_fit
from retainkit._models.purchase_fits import fit_purchases
from retainkit._time.durations import in_units
from retainkit._time.moment import Moment
from retainkit._time.periods import DAY, DAYS_IN
from retainkit._typing import Array, Floats
from retainkit.clv._bg_nbd import BGNBD
from retainkit.clv._fit_advice import fit_warnings
from retainkit.clv._histories import forecasts_of, history, warn_of_long_histories
from retainkit.clv._next_purchase import next_purchase_scores
from retainkit.clv._purchase_model import PurchaseModel
from retainkit.typing import Length, Period

_DECIMALS = 6  # of a day: a tenth of a second
_LAST_DAY = int(np.datetime64("9999-12-31", "D").astype(np.int64))


@dataclass(frozen=True, slots=True, kw_only=True)
class DueOptions:
    """What is wanted of the next purchases: within a horizon, and the columns of dates.

    Without a `model` one is fitted.
    """

    model: PurchaseModel | None
    horizon: Length
    due: Mapping[str, float]
    end: Moment = field(default_factory=lambda: Moment(instant=0, wall=0))


def with_dates(found: Frame, log: Events, options: DueOptions) -> Frame:
    """Return reduced customers with the scores of their model, one for each segment if fitted."""
    if options.model is not None:
        rows = _histories(found)
        warn_of_long_histories(options.model, rows, "orders")
        return _with_scores(found, rows, options.model, options)
    tables = []
    for label, part in split_by_segment(found, log.keys, log.by):
        rows = _histories(part)
        tables.append(_with_scores(part, rows, _fitted(rows, label), options))
    return nw.concat(tables)  # type: ignore[type-var]


def _histories(found: Frame) -> Customers:
    return read_customers(found, {name: name for name in HISTORY})


def _fitted(rows: Customers, label: str) -> BGNBD:
    """Fit a model to histories in days; warnings begin with the label of the segment."""
    if not len(rows.counts):  # nobody to learn from, nor to score
        return BGNBD(r=1, alpha=1, a=1, b=1)
    fit = fit_purchases(BGNBD.PROCESS, history(rows), rows.counts)
    for text in fit_warnings(fit, "day"):
        warn(f"{label}{text}", code="fit_needs_care", argument="orders")
    return model_from_fit(BGNBD, fit, unit="day", largest_T=largest_time(rows))


def _with_scores(found: Frame, rows: Customers, model: PurchaseModel, options: DueOptions) -> Frame:
    """Return customers with the scores and dates of a model."""
    t = in_units("horizon", options.horizon, model.unit)
    customers = forecasts_of(model, rows)
    scores: dict[str, Array] = {**next_purchase_scores(model, t, options.due, customers)}
    scores["churn_risk"] = 1 - scores["probability_purchase"]
    for name in options.due:
        scores[name] = _dates(scores[name], model.unit, options.end)
    names = [name for name in found.collect_schema().names() if name != "customer"]
    table = rows.with_scores("customer", scores, **{name: nw.col(name) for name in names})
    if isinstance(table, nw.DataFrame):
        return table
    return table.with_columns(nw.col(*options.due).cast(nw.Date)) if options.due else table


def _dates(time: Floats, unit: Period, end: Moment) -> Array:
    """Return the days on the wall that lie so long after the end; NaT for never, and too late."""
    today, rest = divmod(end.wall, DAY)
    # A time of whole days may be a little less by rounding, and more in another unit.
    ahead = np.floor(np.round(rest / DAY + time * DAYS_IN[unit], _DECIMALS))
    shown = ahead <= _LAST_DAY - today
    days = np.full(len(time), np.datetime64("NaT", "D"))
    days[shown] = (today + ahead[shown].astype(np.int64)).astype("datetime64[D]")
    return days
