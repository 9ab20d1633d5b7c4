"""Draw the customers of a synthetic shop: what is true of each, and their orders."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import numpy as np

from retainkit._scipy import without_scipy_filters
from retainkit._typing import Booleans, Floats, Integers
from retainkit.datasets._order_times import (
    END,
    NEVER,
    draw_joined,
    place_orders,
    purchases_until_dropout,
    to_cents,
)
from retainkit.datasets._periods import DAY

with without_scipy_filters():
    from scipy.special import betaincinv, ndtr

CUSTOMER_PURCHASES: Final = MappingProxyType({"r": 0.8, "alpha": 60.0, "a": 0.9, "b": 5.0})
"""The parameters of BG/NBD, in days, that the orders of `make_customers` are drawn from."""

CUSTOMER_SPEND: Final = MappingProxyType({"p": 6.0, "q": 4.0, "v": 15.0})
"""The parameters of Gamma-Gamma that the amounts of `make_customers` are drawn from."""

MIX: Final = (0.5, 0.3, 0.2)  # promoters, passives, detractors
_ATTITUDE_AND_DROPOUT: Final = 0.5  # correlation of the normals that both come from

_ACTIVE: Final = (1.5, 6.0)  # Beta, of the chance of an active day
_PERSISTENT: Final = 0.3  # share of the customers
_PERSISTENCE: Final = 0.5  # correlation of whether they are active on one day and the next
_CHANGED: Final = 0.1  # share of those who stay
# What the chance of an active day is multiplied by after a change.
_LEAVERS_CHANGE: Final = 0.2
_OTHERS_CHANGE: Final = 0.3

_TICKETS: Final = 0.004  # mean per day, of an exponential distribution
_HELD_OUT: Final = 0.2
_RESPONSE: Final = (0.03, 0.09)
_EFFECTS: Final = ((0.0, 0.10, -0.03), (0.6, 0.3, 0.1))  # of a message, and their shares


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerTruth:
    """Parallel arrays with an element for each customer; times in seconds since 1970.

    `left` and `changed` are `NEVER` where it does not happen in time. `level` is the attitude,
    from 0 to 1, the lowest of which are detractors.
    """

    joined: Integers
    rate: Floats
    dropout: Floats
    left: Integers
    spend: Floats
    active: Floats
    persistence: Floats
    changed: Integers
    change: Floats
    tickets: Floats
    level: Floats
    held_out: Booleans
    response: Floats
    effect: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnOrders:
    """Parallel arrays with an element for each order, by time; amounts in cents."""

    customer: Integers
    time: Integers
    cents: Integers


def draw_customers(
    customers: int, rng: np.random.Generator, traits: np.random.Generator
) -> tuple[CustomerTruth, DrawnOrders]:
    """Draw customers in the order in which they join, and the orders of each.

    What does not bear on orders is drawn from `traits`.
    """
    joined = draw_joined(customers, rng)
    attitude = rng.standard_normal(customers)
    rate = rng.gamma(CUSTOMER_PURCHASES["r"], 1 / CUSTOMER_PURCHASES["alpha"], customers)
    dropout = _dropout(rng, attitude)
    owner, time, left = _order_times(rng, joined, rate, dropout)
    p, q, v = CUSTOMER_SPEND.values()
    spend = p / rng.gamma(q, 1 / v, customers)
    amount = rng.gamma(p, spend[owner] / p)
    order = np.lexsort((owner, time))
    orders = DrawnOrders(
        customer=owner[order],
        time=time[order],
        cents=to_cents(amount[order]),
    )
    changed, change = _changes(traits, joined, left)
    truth = CustomerTruth(
        joined=joined,
        rate=rate,
        dropout=dropout,
        left=left,
        spend=spend,
        active=traits.beta(*_ACTIVE, customers),
        persistence=np.where(traits.random(customers) < _PERSISTENT, _PERSISTENCE, 0.0),
        changed=changed,
        change=change,
        tickets=traits.exponential(_TICKETS, customers),
        level=ndtr(attitude),
        held_out=traits.random(customers) < _HELD_OUT,
        response=traits.uniform(*_RESPONSE, customers),
        effect=traits.choice(_EFFECTS[0], customers, p=_EFFECTS[1]),
    )
    return truth, orders


def _dropout(rng: np.random.Generator, attitude: Floats) -> Floats:
    """Draw the chance of leaving after a purchase: Beta, and higher where the attitude is low."""
    tie = _ATTITUDE_AND_DROPOUT
    normal = np.sqrt(1 - tie**2) * rng.standard_normal(attitude.size) - tie * attitude
    dropout: Floats = betaincinv(CUSTOMER_PURCHASES["a"], CUSTOMER_PURCHASES["b"], ndtr(normal))
    return dropout


def _order_times(
    rng: np.random.Generator, joined: Integers, rate: Floats, dropout: Floats
) -> tuple[Integers, Integers, Integers]:
    """Draw the customer and the time of each order, and when each customer leaves."""
    observed = END - joined
    possible = rng.poisson(rate * observed / DAY)
    until = purchases_until_dropout(rng, dropout)
    return place_orders(rng, joined, observed, possible, until)


def _changes(rng: np.random.Generator, joined: Integers, left: Integers) -> tuple[Integers, Floats]:
    """Draw when the use of each customer changes, and what multiplies it from the next day on."""
    stays = left == NEVER
    changes = stays & (rng.random(joined.size) < _CHANGED)
    when = joined + (rng.random(joined.size) * (END - joined)).astype(np.int64)
    changed = np.where(changes, when, left)
    change = np.where(changes, _OTHERS_CHANGE, np.where(stays, 1.0, _LEAVERS_CHANGE))
    return changed, change
