"""A synthetic table of subscriptions whose churn is known."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from retainkit._checks import fraction, integer, number, one_of
from retainkit._typing import Floats
from retainkit.datasets._periods import period_edges
from retainkit.datasets._simulation import (
    DAYS,
    RUNNING,
    Habits,
    SimulatedRows,
    Subscribers,
    simulate_subscriptions,
)
from retainkit.errors import ArgumentError, ArgumentTypeError
from retainkit.typing import SubscriptionRows

if TYPE_CHECKING:
    import pandas as pd


DEFAULT_CHURN: Final = MappingProxyType({"basic": 0.08, "plus": 0.04, "pro": 0.02})
"""The monthly churn of each plan that `make_subscriptions` draws from by default."""

DEFAULT_PRICES: Final = MappingProxyType({"basic": 19.0, "plus": 49.0, "pro": 99.0})
"""What each plan of `make_subscriptions` costs a month by default."""


def make_subscriptions(
    customers: int,
    *,
    seed: int,
    churn: Mapping[str, float] = DEFAULT_CHURN,
    prices: Mapping[str, float] = DEFAULT_PRICES,
    start: str | date = "2023-01-01",
    months: int = 24,
    polarization: float = 0.0,
    upgrade: float = 0.02,
    downgrade: float = 0.01,
    reactivation: float = 0.02,
    seats: float = 0.0,
    late: float = 0.0,
    rows: SubscriptionRows = "subscription",
) -> pd.DataFrame:
    r"""Generate a table of subscriptions whose churn is known, to teach and to test with.

    >>> from retainkit import datasets
    >>> datasets.make_subscriptions(500, seed=1).head(3)
       customer_id   plan      start        end   mrr
    0            1  basic 2023-01-04 2024-01-04  19.0
    1            2   plus 2023-01-05 2023-02-05  49.0
    2            3   plus 2023-01-08 2023-07-08  49.0

    Every customer starts on a day and in a plan at random, and renews on that day of every later
    month. Whoever is on a plan with churn :math:`c` leaves at a renewal with probability :math:`c`.
    So of the customers who are on a plan when a calendar month begins, the number who leave in it
    is binomial with mean :math:`c`; and where nobody moves between plans, a customer stays for more
    than :math:`k` months with probability :math:`(1 - c)^k`.

    Parameters
    ----------
    customers : int
        Number of customers, 1 or more.
    seed : int
        Seed of the random numbers, 0 or more: the same seed gives the same result.
    churn : mapping of str to float, default DEFAULT_CHURN
        The truth: the probability of leaving at a monthly renewal, for each plan. The plans are in
        order, from the one that upgrades start at to the one they end at.
    prices : mapping of str to float, default DEFAULT_PRICES
        Price of each of these plans a month, in any currency, 0 or more.
    start : str or datetime.date, default "2023-01-01"
        First day of the first period, as an ISO date. Periods are months.
    months : int, default 24
        Number of months observed, 1 or more. New customers come in all of them alike.
    polarization : float, default 0.0
        How much customers of a plan differ, from 0 (not at all) to below 1. Above 0 each has a
        churn of one's own, fixed for life, from a Beta distribution with mean :math:`c` and
        :math:`\alpha + \beta = 1 / polarization - 1`; those who are left churn less and less, and
        without moves a customer stays for more than :math:`k` months with probability
        :math:`B(\alpha, \beta + k) / B(\alpha, \beta)`, the shifted-beta-geometric curve.
    upgrade : float, default 0.02
        Probability that a customer who stays at a renewal moves to the next plan. The old row ends
        on the day on which the new one starts.
    downgrade : float, default 0.01
        Probability of a move to the plan before; with `upgrade` 1 at most.
    reactivation : float, default 0.02
        Probability, in every month, that a customer who is away comes back, to the same plan and on
        any day. One who leaves is away for at least one whole calendar month.
    seats : float, default 0.0
        Probability that a customer who stays at a renewal takes another seat at the same price:
        a row of its own that runs beside the others. All rows of a customer move and end together.
    late : float, default 0.0
        Probability that a renewal is paid 1 to 3 days late, which leaves a gap of as many days
        between two rows. It is no churn: the customer had not decided to leave.
    rows : {"subscription", "renewal"}, default "subscription"
        What a row is: a subscription, from its start or move to the next move or its end; or a
        month that was paid for, so that rows of a customer touch at every renewal.

    Returns
    -------
    pandas.DataFrame
        One row per subscription (or renewal), by start and customer:

        - ``customer_id`` (int64): 1 to `customers`, numbered in the order of their first starts.
        - ``plan`` (str): one of the plans.
        - ``start`` (datetime64[us]): first day, at midnight, without time zone.
        - ``end`` (datetime64[us]): the day after the last; NaT where the row still runs.
        - ``mrr`` (float64): what it brings in a month, the price of the plan.

    Raises
    ------
    ArgumentError
        If an argument is out of range, `start` is not the first day of a month, or `churn` and
        `prices` do not name the same plans.
    ArgumentTypeError
        If an argument is not a number where one is needed, or `churn` or `prices` is not a mapping.

    Notes
    -----
    Customers start and renew on the 1st to the 28th, so that every month has that day. Only the
    last customer starts on the last day of the last month: so the table is observed up to the
    midnight that ends its last start, which is the default ``as_of``.

    Where `late` is used, the end of a row is not always the end of a customer: someone in a gap as
    observation ends seems to have left. A price of 0 makes a free plan.

    Examples
    --------
    Of all the renewals of "basic", about 8 % are the customer's last:

    >>> from retainkit.datasets import make_subscriptions
    >>> table = make_subscriptions(10_000, seed=1, reactivation=0, rows="renewal")
    >>> renewals = table[table["end"].notna()]
    >>> last = ~renewals["customer_id"].duplicated(keep="last")
    >>> running = renewals["customer_id"].isin(table.loc[table["end"].isna(), "customer_id"])
    >>> (last & ~running).groupby(renewals["plan"]).mean().round(2).to_dict()
    {'basic': 0.08, 'plus': 0.04, 'pro': 0.02}
    """
    customers = integer("customers", customers, 1)
    rng = np.random.default_rng(integer("seed", seed, 0))
    rates, costs = _check_by_plan("churn", churn, 1), _check_by_plan("prices", prices, np.inf)
    if rates.keys() != costs.keys():
        raise ArgumentError(
            f"`churn` has the plans {list(rates)} and `prices` has {list(costs)}; give both for "
            "every plan.",
            code="argument_conflict",
            argument="prices",
        )
    edges = period_edges(start, "month", integer("months", months, 1))
    polarization = number("polarization", polarization, 0)
    if polarization >= 1:
        raise ArgumentError(
            f"`polarization` is {polarization}; it must be below 1.",
            code="argument_value",
            argument="polarization",
        )
    habits = Habits(
        upgrade=fraction("upgrade", upgrade),
        downgrade=fraction("downgrade", downgrade),
        reactivation=fraction("reactivation", reactivation),
        seats=fraction("seats", seats),
        late=fraction("late", late),
        renewals=one_of("rows", rows, ("subscription", "renewal")) == "renewal",
    )
    if habits.upgrade + habits.downgrade > 1:
        raise ArgumentError(
            f"`upgrade` and `downgrade` are {upgrade} and {downgrade}, together more than 1.",
            code="argument_value",
            argument="upgrade",
        )

    month, day = np.divmod(np.sort(rng.integers((edges.size - 1) * DAYS, size=customers)), DAYS)
    month[-1], day[-1] = edges.size - 2, edges[-1] - edges[-2] - 1
    plan = rng.integers(len(rates), size=customers)
    own = _own_churn(rng, list(rates.values()), customers, polarization)
    simulated = simulate_subscriptions(rng, edges, month, Subscribers(plan, day, own), habits)
    return _subscription_table(simulated, list(rates), [costs[plan] for plan in rates])


def _check_by_plan(argument: str, values: Any, most: float) -> dict[str, float]:
    """Check a mapping from plans to numbers of 0 or more."""
    if not isinstance(values, Mapping):
        raise ArgumentTypeError(
            f"`{argument}` is {values!r}; it must be a mapping from plans to numbers, such as "
            "{'basic': 0.08, 'pro': 0.02}.",
            argument=argument,
        )
    if not values:
        raise ArgumentError(
            f"`{argument}` is empty; it must have a number for one plan or more.",
            code="empty_argument",
            argument=argument,
        )
    wrong = [plan for plan in values if not isinstance(plan, str)]
    if wrong:
        raise ArgumentTypeError(
            f"`{argument}` has the plan {wrong[0]!r}; plans must be text.",
            argument=argument,
        )
    return {plan: number(f"{argument}[{plan!r}]", value, 0, most) for plan, value in values.items()}


def _own_churn(
    rng: np.random.Generator, rates: list[float], customers: int, polarization: float
) -> Floats:
    """Draw the churn that each customer has in each plan."""
    churn = np.tile(rates, (customers, 1))
    # Where nobody or everybody leaves, there is nothing to differ in.
    for plan, mean in enumerate(rates):
        if polarization > 0 and 0 < mean < 1:
            strength = 1 / polarization - 1
            churn[:, plan] = rng.beta(strength * mean, strength * (1 - mean), customers)
    return churn


def _subscription_table(rows: SimulatedRows, plans: list[str], prices: list[float]) -> pd.DataFrame:
    """Build the table, with names and prices of the plans."""
    import pandas as pd  # noqa: PLC0415  importing retainkit does not import pandas

    never = np.datetime64("NaT", "D")
    end = np.where(rows.end == RUNNING, never, rows.end.astype("M8[D]"))
    return pd.DataFrame(
        {
            "customer_id": rows.customer + 1,
            "plan": np.array(plans)[rows.plan],
            "start": rows.start.astype("M8[D]").astype("M8[us]"),
            "end": end.astype("M8[us]"),
            "mrr": np.array(prices)[rows.plan],
        }
    )
