"""Tell contracts from purchases: the models of purchases are not about them."""

from __future__ import annotations

import numpy as np

from retainkit._inputs.customers import Customers
from retainkit._messages import count_noun
from retainkit._typing import Booleans, Floats
from retainkit.typing import Period

_LEAST = 20  # customers from which on something can be told
_NEAR = 0.05  # of the usual gap, within which gaps count as the same
_PRICE_LIST = 0.05  # amounts a customer, down to which they come from a price list


def contract_warning(
    histories: Customers, spend: Customers, unit: Period, *, no_intervals: bool
) -> tuple[str, str] | None:
    """Return code and text of a warning where orders look like contracts, or may be contracts.

    `unit` is that of the histories.
    """
    advice = "`fit_sbg` of the `survival_curve` of the subscriptions is for them."
    # Where purchases are merged by a longer unit, those who buy often seem to keep to it.
    gaps = _regular_gaps(histories, unit) if unit in {"hour", "day"} else ""
    sign = gaps or (_few_prices(spend) if no_intervals else "")
    nothing = "There are no intervals (lower and upper are NaN). " if no_intervals else ""
    if sign:
        return "contracts", (
            f"{nothing}These look like contracts: {sign}. BG/NBD and Gamma-Gamma are for customers "
            "who buy when they like, what they like, and leave without a word; a contract is paid "
            f"by the calendar, and its end is known: {advice}"
        )
    if no_intervals:
        return "no_intervals", (
            f"{nothing}If the rows are contracts, or their renewals, {advice} If not, models that "
            "were fitted with penalty=0.01 have them, and interval='bootstrap' of "
            "`cltv_from_models` finds them without."
        )
    return None


def _regular_gaps(histories: Customers, unit: Period) -> str:
    """Return the words for repeat purchases that nearly all come at the same distance, if so."""
    x, tx = histories.distinct["frequency"], histories.distinct["recency"]
    several = x >= 2
    count = histories.counts[several]
    if count.sum() < _LEAST:
        return ""
    gap = tx[several] / x[several]
    usual = _median(gap, count)
    near: Booleans = np.abs(gap - usual) <= _NEAR * usual
    share = count[near].sum() / count.sum()
    if share <= 0.5:
        return ""
    return (
        f"{share:.0%} of {count_noun(int(count.sum()), 'customer')} who bought three times or more "
        f"did so every {usual:.3g} {unit}s, within {_NEAR:.0%}"
    )


def _few_prices(spend: Customers) -> str:
    """Return the words for amounts that come from a short price list, if they do."""
    m, x = spend.distinct["monetary_value"], spend.distinct["frequency"]
    paid = (m > 0) & (x > 0)
    customers = int(spend.counts[paid].sum())
    prices = len(np.unique(np.round(np.log(m[paid]), 9)))
    if customers < _LEAST or prices > _PRICE_LIST * customers:
        return ""
    return (
        f"the mean amounts of {count_noun(customers, 'customer')} who bought again are "
        f"{count_noun(prices, 'number')}"
    )


def _median(values: Floats, count: Floats) -> float:
    """Return the median of values that are each counted so many times."""
    order = np.argsort(values)
    total = np.cumsum(count[order])
    return float(values[order][np.searchsorted(total, total[-1] / 2)])
