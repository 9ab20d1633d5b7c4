"""The steps that the functions of `purchases` share: checks, question, reduction, result."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import narwhals.stable.v2 as nw
import numpy as np

from retainkit._checks import one_of
from retainkit._frames.input import collect, count_rows
from retainkit._frames.output import build_like, select_to_native
from retainkit._messages import count_noun, warn
from retainkit._time.periods import DAYS_IN, PERIODS, WEEKDAYS
from retainkit.errors import ArgumentError
from retainkit.purchases import _eager, _lazy
from retainkit.purchases._spec import HOLDOUT, SUMMARY, PurchaseSpec

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from retainkit._inputs.events import Events
    from retainkit._time.moment import Moment
    from retainkit._time.periods import Period, Weekday
    from retainkit.purchases._spec import Amounts, PurchaseSummary


def check_options(unit: Period, amounts: Amounts, week_start: Weekday) -> None:
    one_of("unit", unit, PERIODS)
    one_of("amounts", amounts, ("raise", "net", "keep"))
    one_of("week_start", week_start, WEEKDAYS)


def reserved_names(own: Sequence[str], customer: str) -> list[str]:
    """Name the columns of the result, which neither customers nor segments may be called."""
    if customer in own:
        raise ArgumentError(
            f"`customer` names the column {customer!r}, which is also the name of a column of the "
            "result; rename it first."
        )
    return [*own, customer]


def check_amounts(log: Events, amount: str | None, amounts: Amounts) -> None:
    """Refuse amounts below zero, unless they are wanted."""
    if amounts != "raise" or log.least is None or log.least >= 0:
        return
    below = log.rows.filter(nw.col("amount") < 0)
    number = count_rows(below)
    if not number:  # they are all at or after `as_of`
        return
    some = collect(below.sort("amount", "customer").head(3).select("customer", "amount"))
    pairs = zip(some["customer"].to_list(), some["amount"].to_list(), strict=True)
    examples = ", ".join(f"{value:g} of customer {who!r}" for who, value in pairs)
    raise ArgumentError(
        f"column {amount!r} (given as `amount`) is negative in {count_noun(number, 'row')}, of "
        f"{log.size:,}; for instance {examples}. If these are refunds, `amounts='net'` sets them "
        "against the purchases of the same period; `amounts='keep'` takes them as they are."
    )


def end_after(split: Moment, log: Events, as_of: str | date | None) -> Moment:
    """Give the end of the holdout, which must come after its beginning."""
    if as_of is None and log.last is None:
        return split  # of no rows any end is as good as another
    end = log.end(as_of)
    if end.instant > split.instant:
        return end
    given = "the day of the last row ends at" if as_of is None else "`as_of` is"
    raise ArgumentError(
        f"{given} {end}, and `calibration_end` is {split}: no time is left for the holdout. "
        "Calibrate up to an earlier day, or say with `as_of` how long observation went on."
    )


def purchase_spec(
    log: Events,
    end: Moment,
    *,
    unit: Period,
    exact: bool,
    week_start: Weekday,
    include_first: bool,
    amounts: Amounts,
    holdout: bool = False,
) -> PurchaseSpec:
    merge: Period = "day" if exact else unit
    return PurchaseSpec(
        merge=merge,
        week_start=week_start,
        length=DAYS_IN[unit] if exact else None,
        include_first=include_first,
        # Where there is nothing to set off, each amount is its net.
        net=amounts == "net" and log.least is not None and log.least < 0,
        end=end,
        last=last_period(log, end, merge, week_start),
        holdout=holdout,
    )


def last_period(log: Events, end: Moment, merge: Period, week_start: Weekday) -> int:
    """Number the period that holds the last instant before `end`."""
    return end.before(log.zone).index(merge, week_start)


def reduce_purchases(log: Events, query: PurchaseSpec) -> PurchaseSummary:
    if isinstance(log.rows, nw.LazyFrame):
        return _lazy.reduce(log, query)
    return _eager.reduce(log, query)


def warn_of_excluded(reduced: PurchaseSummary) -> None:
    texts = {
        "with a first purchase at or after `calibration_end`": reduced.later,
        "without a purchase, whose money nets below zero in every period": reduced.nothing,
    }
    for text, number in texts.items():
        if number:
            warn(f"{count_noun(number, 'customer')} {text}: not in the result.")


def result_table(
    reduced: PurchaseSummary, log: Events, customer: str, duration: float | None = None
) -> Any:
    """Name the columns of the result, and hand it back in kind."""
    own = [*SUMMARY, *HOLDOUT[:2]]
    names = dict(zip([*log.by, customer, *own], [*log.keys, "customer", *own], strict=True))
    if isinstance(log.rows, nw.LazyFrame):
        present = reduced.columns.collect_schema().names()
        columns: dict[str, Any] = {name: key for name, key in names.items() if key in present}
        if duration is not None:
            columns["duration_holdout"] = nw.lit(duration).cast(
                nw.Float64 if isinstance(duration, float) else nw.Int64
            )
        return select_to_native(reduced.columns, columns)
    columns = {name: reduced.columns[key] for name, key in names.items() if key in reduced.columns}
    if duration is not None:
        columns["duration_holdout"] = np.full(len(columns["frequency"]), duration)
    return build_like(log.rows, columns)
