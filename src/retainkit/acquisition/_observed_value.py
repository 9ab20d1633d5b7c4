"""Observed value: what customers had paid at an age, per customer acquired."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import numpy as np

from retainkit._frames.output import build_like
from retainkit._frames.segments import segment_values
from retainkit._stats.intervals import ratio
from retainkit._stats.mean_intervals import mean_interval
from retainkit._time.windows import read_ages
from retainkit.acquisition._options import ObservedOrders, ValueOptions, observe
from retainkit.typing import Amounts, IntoTable, Length, Missing, PeriodLike, TableT, Weekday

_OWN = ("cohort", "age_days", "acquired", "customers", "complete", "value")
_OWN += ("value_per_customer", "lower", "upper", "orders_per_customer", "repeat_share")


def observed_value(
    transactions: TableT | IntoTable[TableT],
    *,
    customer: str = "customer_id",
    time: str = "time",
    amount: str = "amount",
    ages: Sequence[Length] = ("30D", "90D", "180D", "365D"),
    cohort_period: PeriodLike | None = "month",
    by: str | Sequence[str] | None = None,
    margin: float = 1.0,
    amounts: Amounts = "raise",
    as_of: str | date | None = None,
    tz: str | None = None,
    week_start: Weekday = "monday",
    missing: Missing = "raise",
    confidence_level: float = 0.95,
) -> TableT:
    r"""DOC"""
    cut_ages = read_ages("ages", ages)
    options = ValueOptions(
        customer=customer,
        time=time,
        amount=amount,
        cohort_period=cohort_period,
        by=by,
        margin=margin,
        amounts=amounts,
        as_of=as_of,
        tz=tz,
        week_start=week_start,
        missing=missing,
        confidence_level=confidence_level,
    )
    cut = options.validate()
    observed = observe(transactions, options, cut, cut_ages, _OWN)
    result: TableT = build_like(observed.log.rows, _columns(observed, options))
    return result


def _columns(observed: ObservedOrders, options: ValueOptions) -> dict[str, Any]:
    """Return the columns of the result: a row for each cohort and age."""
    cohorts, log, margin = observed.cohorts, observed.log, options.margin
    n_cohorts, n_ages = cohorts.customers.shape
    segment = np.repeat(cohorts.segment, n_ages)
    columns: dict[str, Any] = segment_values(observed.steps.segments, log.by, segment)
    if observed.grid is not None:
        columns["cohort"] = observed.grid.label(np.repeat(cohorts.cohort, n_ages))
    acquired = np.repeat(cohorts.acquired, n_ages)
    customers = cohorts.customers.ravel()
    lower, upper = mean_interval(
        cohorts.values, options.confidence_level, above_0=observed.above_0
    )
    values = cohorts.values.values.ravel()
    return columns | {
        "age_days": np.tile(cohorts.ages, n_cohorts),
        "acquired": acquired,
        "customers": customers,
        "complete": customers == acquired,
        "value": np.where(customers > 0, values * margin, np.nan),
        "value_per_customer": cohorts.values.mean.ravel() * margin,
        "lower": lower.ravel() * margin,
        "upper": upper.ravel() * margin,
        "orders_per_customer": ratio(cohorts.orders.ravel(), customers),
        "repeat_share": ratio(cohorts.repeaters.ravel(), customers),
    }
