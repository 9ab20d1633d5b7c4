"""Synthetic events whose retention is known."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING, Final

import numpy as np

from retainkit._checks import fraction, integer, number
from retainkit._typing import Array, Floats, Integers
from retainkit.datasets._periods import DAY, period_edges
from retainkit.errors import ArgumentError
from retainkit.typing import Period

if TYPE_CHECKING:
    import pandas as pd


DEFAULT_RETENTION: Final = (1.0, 0.45, 0.36, 0.31, 0.28, 0.26, 0.24, 0.23, 0.22, 0.21, 0.2, 0.2)
"""The retention that `make_events` draws from by default, at the ages 0 to 11."""


def make_events(
    customers: int,
    *,
    seed: int,
    retention: Sequence[float] | Array = DEFAULT_RETENTION,
    start: str | date = "2024-01-01",
    period: Period = "month",
    persistence: float = 0.5,
    mean_events: float = 2.0,
    mean_amount: float = 30.0,
) -> pd.DataFrame:
    r"""Generate a log of events whose retention is known, to teach and to test with.

    >>> from retainkit import datasets
    >>> datasets.make_events(500, seed=1).head(3)
       customer_id                time  amount
    0           19 2024-01-01 04:52:48   20.95
    1            6 2024-01-01 15:39:41   42.94
    2           33 2024-01-01 21:14:04   61.81

    Every customer starts in one of the periods at random and is active in it. From then on the
    customer is active at age :math:`k` (:math:`k` calendar periods later) with probability
    :math:`r_k`, the ``retention`` that was asked for. So what `cohort_retention` finds in
    these events (``clock="calendar"``, ``counting="on"``, the same period for cohorts and ages)
    is binomial in every cohort with mean :math:`r_k`, and the amount per customer has mean
    :math:`r_k \cdot` ``mean_events`` :math:`\cdot` ``mean_amount``.

    Parameters
    ----------
    customers : int
        Number of customers, 1 or more.
    seed : int
        Seed of the random numbers, 0 or more: the same seed gives the same result.
    retention : sequence of float, default DEFAULT_RETENTION
        The truth: the probability of being active at the ages 0, 1, 2, ... The first is 1.
        There are as many periods as it has values.
    start : str or datetime.date, default "2024-01-01"
        First day of the first period, as an ISO date. Weeks start on Monday.
    period : {"day", "week", "month", "quarter", "year"}, default "month"
        Length of a period.
    persistence : float, default 0.5
        How much customers differ, from 0 to 1: the probability that a customer's own level,
        fixed for life, decides on a period, rather than a new draw. At 0 all are alike and
        every period is drawn anew; at 1, with a retention that never rises, a customer is
        active without a gap and then leaves for good. It does not change the expected retention.
    mean_events : float, default 2.0
        Expected number of events of an active customer in a period, 1 or more (one, and a
        Poisson number of others).
    mean_amount : float, default 30.0
        Expected amount of an event, 0 or more (Gamma distributed with shape 4, in cents).

    Returns
    -------
    pandas.DataFrame
        One row per event, by time:

        - ``customer_id`` (int64): 1 to `customers`, numbered in the order of their first periods.
        - ``time`` (datetime64[us]): uniform over the period, to the second, without time zone.
        - ``amount`` (float64): in the unit of `mean_amount`, with two decimals.

    Raises
    ------
    ArgumentError
        If an argument is out of range, or `start` is not the first day of a period.
    ArgumentTypeError
        If `customers` or `seed` is not a whole number, or another of the numbers is none.

    Notes
    -----
    The last customer starts in the last period, and the last event is moved to the last day of
    it, within the period. So all periods are over at the midnight that ends the day of the last
    row, which is the default ``as_of``.

    Examples
    --------
    Of the customers who start in January, about 50 % are active in February, and 20 % in March:

    >>> from retainkit.datasets import make_events
    >>> events = make_events(10_000, seed=1, retention=(1.0, 0.5, 0.2))
    >>> month = events["time"].dt.month
    >>> started = month.groupby(events["customer_id"]).transform("min")
    >>> active = events[started == 1].groupby(month)["customer_id"].nunique()
    >>> (active / active[1]).round(1).tolist()
    [1.0, 0.5, 0.2]
    """
    customers = integer("customers", customers, 1)
    rng = np.random.default_rng(integer("seed", seed, 0))
    curve = _check_curve(retention)
    edges = period_edges(start, period, curve.size)
    persistence = fraction("persistence", persistence)
    mean_events = number("mean_events", mean_events, 1)
    mean_amount = number("mean_amount", mean_amount, 0)

    first = np.sort(rng.integers(curve.size, size=customers))
    first[-1] = curve.size - 1  # the last period is never without an event
    customer, active = _activity(rng, first, curve, persistence)
    events = 1 + rng.poisson(mean_events - 1, customer.size)
    return _event_log(
        rng, np.repeat(customer, events), np.repeat(active, events), edges, mean_amount
    )


def _check_curve(retention: Sequence[float] | Array) -> Floats:
    """Check a retention curve: probabilities, and every customer active at age 0."""
    try:
        curve = np.asarray(retention, dtype=float)
    except (TypeError, ValueError):
        curve = np.empty(0)
    if curve.ndim != 1 or curve.size == 0 or curve[0] != 1:
        raise ArgumentError(
            f"`retention` is {retention!r}; it must hold one probability for every age, "
            "the first of them 1, such as (1.0, 0.5, 0.4).",
            code="argument_value",
            argument="retention",
        )
    wrong = np.flatnonzero(~((curve >= 0) & (curve <= 1)))
    if wrong.size:
        raise ArgumentError(
            f"`retention` has {wrong.size} of {curve.size} values outside 0 to 1, "
            f"the first at age {wrong[0]}: {curve[wrong[0]]}.",
            code="argument_value",
            argument="retention",
        )
    return curve


def _activity(
    rng: np.random.Generator, first: Integers, curve: Floats, persistence: float
) -> tuple[Integers, Integers]:
    """Draw who is active in which period: pairs of a customer and a period, both from 0."""
    level = rng.random(first.size)
    customers, periods = [], []
    for age, share in enumerate(curve):
        observed = np.flatnonzero(first + age < curve.size)
        own = rng.random(observed.size) < persistence
        # Uniform either way, so below `share` with that probability; no draw reaches 1.
        draw = np.where(own, level[observed], rng.random(observed.size))
        customers.append(observed[draw < share])
        periods.append(first[customers[-1]] + age)
    return np.concatenate(customers), np.concatenate(periods)


def _event_log(
    rng: np.random.Generator,
    customer: Integers,
    period: Integers,
    edges: Integers,
    mean_amount: float,
) -> pd.DataFrame:
    """Build the table: draw the second and the amount of each event of a customer in a period."""
    import pandas as pd  # noqa: PLC0415  importing retainkit does not import pandas

    length = np.diff(edges) * DAY
    time = edges[period] * DAY + rng.integers(length[period])
    order = np.argsort(time, kind="stable")
    customer, time = customer[order], time[order]
    time[-1] += (edges[-1] * DAY - 1 - time[-1]) // DAY * DAY
    amount = rng.gamma(4, mean_amount / 4, time.size).round(2)
    return pd.DataFrame(
        {
            "customer_id": customer + 1,
            "time": time.astype("M8[s]").astype("M8[us]"),
            "amount": amount,
        }
    )
