"""Synthetic tables of a shop's customers, of whom everything is known."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Final

import numpy as np

from retainkit._checks import integer
from retainkit._typing import Array, Integers
from retainkit.datasets._customer_lines import DrawnLines, draw_lines, planted_pairs
from retainkit.datasets._customer_truth import MIX, CustomerTruth, DrawnOrders, draw_customers
from retainkit.datasets._customer_usage import (
    CHANNELS,
    DrawnContacts,
    draw_answers,
    draw_contacts,
    draw_events,
    draw_tickets,
)
from retainkit.datasets._survey_draws import groups_and_scores
from retainkit.datasets._tables import build_table, order_table, to_times

if TYPE_CHECKING:
    import pandas as pd

_COUNTRIES: Final = ("DE", "GB", "JP", "US")
_COUNTRY_SHARES: Final = (0.35, 0.25, 0.10, 0.30)
_ZONES: Final = ("Europe/Berlin", "Europe/London", "Asia/Tokyo", "America/New_York")
_PLANS: Final = ("basic", "plus", "pro")
_PLAN_SHARES: Final = (0.5, 0.3, 0.2)
_ATTITUDES: Final = ("promoter", "passive", "detractor")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class CustomerTables:
    """The tables of a shop's customers, and what is true of them: of ``make_customers``.

    Parameters
    ----------
    orders, events, tickets, answers, contacts, lines : DataFrame
        A row for each order, event, ticket, answer, message and item of an order.
    customers : DataFrame
        A row for each customer, with attributes.
    truth : DataFrame
        A row for each customer, with what the others were drawn from.
    pairs : DataFrame
        A row for each item that makes another more likely in an order, or less.

    Examples
    --------
    >>> from retainkit.datasets import make_customers
    >>> shop = make_customers(500, seed=1)
    >>> shop
    CustomerTables(orders=1,936 rows, events=83,088 rows, tickets=545 rows, answers=547 rows,
        contacts=12,124 rows, lines=4,484 rows, customers=500 rows, truth=500 rows, pairs=8 rows)
    >>> shop.tickets.head(3)
       customer_id              opened              solved
    0            8 2024-01-28 04:38:05 2024-01-28 09:14:32
    1            5 2024-02-03 03:29:30 2024-02-04 13:41:04
    2           27 2024-02-10 07:11:55 2024-02-10 22:02:27
    """

    orders: pd.DataFrame
    events: pd.DataFrame
    tickets: pd.DataFrame
    answers: pd.DataFrame
    contacts: pd.DataFrame
    lines: pd.DataFrame
    customers: pd.DataFrame
    truth: pd.DataFrame
    pairs: pd.DataFrame

    def __repr__(self) -> str:
        """Return the number of rows of each table."""
        tables = [f"{one.name}={len(getattr(self, one.name)):,} rows" for one in fields(self)]
        return f"CustomerTables({', '.join(tables[:4])},\n    {', '.join(tables[4:])})"


def make_customers(customers: int = 2_000, *, seed: int = 0) -> CustomerTables:
    r"""Generate a shop's customers of whom everything is known, to teach and to test with.

    >>> from retainkit import datasets
    >>> datasets.make_customers(500, seed=1).orders.head(3)
       customer_id  order                time  amount
    0            1      1 2024-01-04 11:28:37    4.76
    1            2      2 2024-01-05 05:52:07   34.44
    2            3      3 2024-01-05 08:39:31   24.50

    Two years, 2024 and 2025, of a shop for coffee. Customers join on any day of them with a first
    order, and buy from then on as BG/NBD says: each at a rate :math:`\lambda` of one's own, until
    they leave, which happens after each repeat order with a chance :math:`p` of one's own. Over
    customers :math:`\lambda` is Gamma with shape :math:`r = 0.8` and rate
    :math:`\alpha = 60` days, and :math:`p` is Beta with :math:`a = 0.9` and :math:`b = 5`
    (``datasets.CUSTOMER_PURCHASES``). What an order brings is Gamma-Gamma with
    :math:`p = 6, q = 4, v = 15` (``datasets.CUSTOMER_SPEND``), 30 on average.

    Parameters
    ----------
    customers : int, default 2000
        Number of customers, 1 or more.
    seed : int, default 0
        Seed of the random numbers, 0 or more: the same seed gives the same result.

    Returns
    -------
    CustomerTables
        A frozen value whose fields are pandas DataFrames. All times (datetime64[us]) are to the
        second, without time zone, and all tables but the last three are by time.

        - `orders`: ``customer_id`` (int64): 1 to `customers`, in the order in which they join;
          ``order`` (int64): 1, 2, 3, ...; ``time``; ``amount`` (float64): in cents.
        - `events`: ``customer_id``, ``time``: use, in sessions of half an hour.
        - `tickets`: ``customer_id``, ``opened``, ``solved``: NaT where it is open still.
        - `answers`: ``customer_id``, ``time``, ``score`` (int64): 0 to 10.
        - `contacts`: ``customer_id``, ``time``, ``channel`` (str): "email", "push" or "sms";
          ``sent`` (bool): False for those who are held out; ``responded`` (bool): whether the
          customer came back within a week.
        - `lines`: ``order``, ``customer_id``, ``time``, ``item`` (str), ``amount``: an equal part
          of that of the order, to the cent. No item twice in an order.
        - `customers`: ``customer_id``, ``joined``: the first order; ``country``, ``plan``,
          ``timezone`` (str).
        - `truth`: ``customer_id``; ``purchase_rate`` (float64): :math:`\lambda`, orders a day;
          ``dropout`` (float64): :math:`p`; ``left``: the last order, of those who leave in these
          two years, else NaT; ``mean_amount`` (float64): expected amount of an order;
          ``active_rate`` (float64): the chance of a day with an event; ``persistence`` (float64):
          the correlation of whether one day has one and the next; ``changed``: when that habit
          changes, NaT where it does not; ``change`` (float64): what the chance is times from the
          next day on, 1 where it does not; ``ticket_rate`` (float64): tickets a day, until the
          customer leaves; ``attitude`` (str): "promoter", "passive" or "detractor"; ``held_out``
          (bool); ``response`` (float64): the chance to come back within a week, without a message;
          ``message_effect`` (float64): what a message adds to it.
        - `pairs`: ``kind`` (str), ``item`` (str), ``other`` (str), ``rate`` (float64),
          ``base_rate`` (float64), ``lift`` (float64): rate over base rate. Of kind "basket", what
          share of the orders with the item has the other too, and of all orders. Of kind "next",
          what share of the orders right after one with the item has the other, and of the rest.
          All items of which there is no row are in an order by chance alone, but for the four
          coffees, one of which is in each.

    Raises
    ------
    ArgumentError
        If `customers` is below 1 or `seed` below 0.
    ArgumentTypeError
        If `customers` or `seed` is not a whole number.

    Notes
    -----
    A day without an event says nothing of the next where the persistence is 0; it is 0.5 for 30 %
    of the customers, whose active days come in runs. The habit of those who leave changes when
    they do, to 0.2 of what it was, and that of 10 % of the others at any time, to 0.3. The day on
    which a customer joins always has an event.

    Every quarter 30 % of those who had joined before it answer, whatever they think: half of the
    customers are promoters and 20 % detractors, so the NPS is 30. Detractors leave earlier: the
    attitude and the chance to leave come from two normals with a correlation of -0.5.

    In every week 30 % of the customers are to get an e-mail, 10 % a push message and 5 % a text
    message, but nothing goes out to the 20 % who are held out. The effect of a message is 0.10 on
    30 % of the customers, -0.03 on 10 %, and none on the rest: 0.027 on average. Whether they come
    back changes no other table.

    A model of purchases by day counts orders of one day once, here 1 % of the repeat orders. Only
    the last customer always joins on the last day: so orders and events end with 2025, and the
    default ``as_of`` is 2026-01-01.

    Examples
    --------
    Of the orders with cups, 40 % have saucers too, which are in 10 % of all orders:

    >>> from retainkit.datasets import make_customers
    >>> shop = make_customers(4_000, seed=1)
    >>> baskets = shop.lines.groupby("order")["item"].agg(set)
    >>> cups, saucers = (baskets.map(lambda items: name in items) for name in ("cups", "saucers"))
    >>> print(f"{saucers.mean():.2f} {saucers[cups].mean():.2f}")
    0.10 0.40
    """
    customers = integer("customers", customers, 1)
    # A generator for each table, so that what one needs changes no other.
    rngs = np.random.default_rng(integer("seed", seed, 0)).spawn(8)
    shop, traits, usage, tickets, answers, contacts, lines, attributes = rngs
    truth, orders = draw_customers(customers, shop, traits)
    return CustomerTables(
        orders=order_table(orders),
        events=_table(*draw_events(usage, truth)),
        tickets=_ticket_table(*draw_tickets(tickets, truth)),
        answers=_answer_table(*draw_answers(answers, truth)),
        contacts=_contact_table(draw_contacts(contacts, truth)),
        lines=_line_table(draw_lines(lines, orders), orders),
        customers=_customer_table(attributes, truth),
        truth=_truth_table(truth),
        pairs=build_table(planted_pairs()),
    )


def _table(customer: Integers, time: Integers, name: str = "time", **others: Array) -> pd.DataFrame:
    """Build a table of customers and times with further columns."""
    return build_table({"customer_id": customer + 1, name: to_times(time), **others})


def _ticket_table(customer: Integers, opened: Integers, solved: Integers) -> pd.DataFrame:
    return _table(customer, opened, "opened", solved=to_times(solved))


def _answer_table(customer: Integers, time: Integers, score: Integers) -> pd.DataFrame:
    return _table(customer, time, score=score)


def _contact_table(drawn: DrawnContacts) -> pd.DataFrame:
    return _table(
        drawn.customer,
        drawn.time,
        channel=np.array(CHANNELS)[drawn.channel],
        sent=drawn.sent,
        responded=drawn.responded,
    )


def _line_table(lines: DrawnLines, orders: DrawnOrders) -> pd.DataFrame:
    return build_table(
        {
            "order": lines.order + 1,
            "customer_id": orders.customer[lines.order] + 1,
            "time": to_times(orders.time[lines.order]),
            "item": np.array(lines.items)[lines.item],
            "amount": lines.cents / 100,
        }
    )


def _customer_table(rng: np.random.Generator, truth: CustomerTruth) -> pd.DataFrame:
    """Build the table of attributes, which say nothing of anything else."""
    country = rng.choice(len(_COUNTRIES), truth.joined.size, p=_COUNTRY_SHARES)
    plan = rng.choice(len(_PLANS), truth.joined.size, p=_PLAN_SHARES)
    return _table(
        np.arange(truth.joined.size),
        truth.joined,
        "joined",
        country=np.array(_COUNTRIES)[country],
        plan=np.array(_PLANS)[plan],
        timezone=np.array(_ZONES)[country],
    )


def _truth_table(truth: CustomerTruth) -> pd.DataFrame:
    group, _ = groups_and_scores(truth.level, np.tile(MIX, (truth.level.size, 1)))
    return build_table(
        {
            "customer_id": np.arange(1, truth.joined.size + 1),
            "purchase_rate": truth.rate,
            "dropout": truth.dropout,
            "left": to_times(truth.left),
            "mean_amount": truth.spend,
            "active_rate": truth.active,
            "persistence": truth.persistence,
            "changed": to_times(truth.changed),
            "change": truth.change,
            "ticket_rate": truth.tickets,
            "attitude": np.array(_ATTITUDES)[group],
            "held_out": truth.held_out,
            "response": truth.response,
            "message_effect": truth.effect,
        }
    )
