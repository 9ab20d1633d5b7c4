"""Histories of purchases: whether a model can say something of the rows of a table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from retainkit._inputs.customers import Customers, largest_time, read_customers
from retainkit._inputs.exact_times import check_exact_times
from retainkit._inputs.time_unit import check_unit_of_model
from retainkit._messages import count_noun, warn
from retainkit._models.forecasts import Forecasts
from retainkit._typing import Floats
from retainkit.clv._covariates import covariates_to_read, scored_covariates
from retainkit.typing import Unseen

if TYPE_CHECKING:
    from retainkit.clv._purchase_model import PurchaseModel


def read_histories(
    model: PurchaseModel, summary: Any, columns: Mapping[str, str], *, weights: str | None = None
) -> Customers:
    """Read the histories of a summary, in the unit of a model, and its covariates."""
    covariates = covariates_to_read(model)
    rows = read_customers(summary, columns, weights=weights, unit=model.unit, covariates=covariates)
    check_histories(model, rows)
    return rows


def forecasts_of(model: PurchaseModel, rows: Customers, unseen: Unseen = "raise") -> Forecasts:
    """Return the customers of the distinct rows under the process of a model."""
    return Forecasts(
        process=model.PROCESS,
        history=history(rows),
        covariates=scored_covariates(model, rows, unseen),
    )


def check_histories(model: PurchaseModel, rows: Customers, argument: str = "summary") -> None:
    """Check that histories are in the unit of a model, and warn where they are much longer."""
    check_unit_of_model(model.unit, rows.unit, argument)
    check_exact_times(rows, model.unit, exact=model.exact)
    _warn_of_first_purchases(rows)
    column = rows.names["T"] if argument == "summary" else None  # which may be made of orders
    warn_of_long_histories(model, rows, argument, column)


def warn_of_long_histories(
    model: PurchaseModel, rows: Customers, argument: str, column: str | None = None
) -> None:
    """Warn where histories are much longer than those that a model was fitted to."""
    longest = largest_time(rows)
    if model.largest_T is not None and longest > 2 * model.largest_T:
        reach = rows.distinct["T"] > 2 * model.largest_T
        number = int(rows.counts[reach].sum())
        warn(
            f"`{argument}` has {count_noun(number, 'customer')} observed for more than twice as "
            f"long as any that the model was fitted to: T reaches {longest:,.6g} {model.unit}s, "
            f"and it knew {model.largest_T:,.6g}. It has learnt nothing of so long a time: fit it "
            "anew.",
            code="beyond_fit",
            argument=argument,
            column=column,
            rows=number,
            total=int(rows.counts.sum()),
        )


def _warn_of_first_purchases(rows: Customers) -> None:
    """Warn where the first purchase seems to be counted.

    Then nobody has a frequency of 0, and those who bought once are those of recency 0.
    """
    x, recency, counts = rows.distinct["frequency"], rows.distinct["recency"], rows.counts
    once = recency == 0
    number = int(counts[once].sum())
    if number and not (x == 0).any() and np.array_equal(once, x == 1):
        total = int(counts.sum())
        warn(
            f"`summary` has {number:,} of {count_noun(total, 'customer')} with a frequency of 1 or "
            "more and a recency of 0, and none with a frequency of 0: the first purchase seems to "
            "be counted, and the model expects too much of everybody. Score what "
            "rfm_summary(include_first=False) makes.",
            code="first_purchase_counted",
            argument="summary",
            column=rows.names["frequency"],
            rows=number,
            total=total,
        )


def history(rows: Customers) -> tuple[Floats, Floats, Floats]:
    """Return frequency, recency and T of the distinct rows."""
    return rows.distinct["frequency"], rows.distinct["recency"], rows.distinct["T"]
