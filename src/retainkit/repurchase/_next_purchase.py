"""When each customer is likely to buy next."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import narwhals.stable.v2 as nw

from retainkit._checks import integer
from retainkit._frames.output import select_to_native
from retainkit._frames.reducer import reducer
from retainkit._inputs.columns import check_not_reserved
from retainkit._inputs.events import Events, read_events
from retainkit._inputs.observation import check_as_of
from retainkit._time.durations import in_units
from retainkit._time.grid import DAYS
from retainkit._time.moment import Moment
from retainkit._time.period_options import unit_option
from retainkit._time.periods import DAYS_IN
from retainkit.clv._next_purchase import due_columns
from retainkit.clv._purchase_fits import BGNBD, MBGNBD, check_purchase_model
from retainkit.repurchase import _eager, _lazy
from retainkit.repurchase._due import DueOptions, with_dates
from retainkit.repurchase._spec import DaySpec
from retainkit.typing import IntoFrameT, Length, Missing

_COLUMNS = (
    *("purchases", "last", "recency_days", "typical_gap", "lateness"),
    *("probability_alive", "probability_purchase", "churn_risk", "expected_purchases"),
)


def next_purchase(
    orders: IntoFrameT,
    *,
    horizon: Length = "90D",
    as_of: str | date | None = None,
    customer: str = "customer_id",
    time: str = "time",
    model: BGNBD | MBGNBD | None = None,
    min_gaps: int = 2,
    quantiles: Sequence[float] = (0.25, 0.5, 0.75),
    by: str | Sequence[str] | None = None,
    tz: str | None = None,
    missing: Missing = "raise",
) -> IntoFrameT:
    r"""DOC"""
    in_units("horizon", horizon, "day", bare=None)
    check_as_of(as_of)
    if model is not None:
        check_purchase_model(model)
    integer("min_gaps", min_gaps, 1)
    due = due_columns(quantiles)
    own = (*_COLUMNS, *due)
    check_not_reserved("`customer`", [customer], own)
    log = read_events(
        orders,
        argument="orders",
        columns={"customer": customer, "time": time},
        by=by,
        reserved=[*own, customer],
        tz=tz,
        missing=missing,
    )
    end = log.end_of_observation(as_of)
    log = log.until(end)
    spec = _day_spec(log, end, model, min_gaps)
    found = reducer(log.rows, lazy=_lazy.reduce, eager=_eager.reduce)(log, spec)
    rows = with_dates(found, log, DueOptions(model=model, horizon=horizon, due=due, end=end))
    columns: dict[str, str | nw.Expr] = dict(zip(log.by, log.keys, strict=True))
    columns |= {customer: "customer", **{name: name for name in own}}
    columns["lateness"] = nw.col("recency_days") / nw.col("typical_gap")
    return select_to_native(rows, columns)


def _day_spec(log: Events, end: Moment, model: BGNBD | None, min_gaps: int) -> DaySpec:
    """Return how days are reduced for a model: as in the summary that it was fitted to."""
    unit = "day" if model is None else model.unit
    # In longer units days are merged where the fit did so; of hours only the days are known.
    merged = model is not None and model.exact is False and unit != "hour"
    whole = unit == "day" or merged
    period = unit_option(unit, "monday").in_zone(log.zone) if whole else DAYS
    return DaySpec(
        end=end,
        today=end.index(DAYS),
        last=end.before(log.zone).index(period),
        period=period,
        length=None if whole else DAYS_IN[unit],
        min_gaps=min_gaps,
    )
