"""Random tables of a small shop: orders, visits, tickets, subscriptions, customers."""

import random
from dataclasses import dataclass
from datetime import datetime, timedelta

from tables import Row

BEGIN = datetime(2024, 1, 1)  # noqa: DTZ001  naive times are the plainest
LIKE: dict[str, Row] = {
    "orders": {"customer_id": 1, "time": BEGIN, "amount": 1.0, "order": 1, "known": BEGIN},
    "visits": {"customer_id": 1, "time": BEGIN, "pages": 1.0, "known": BEGIN},
    "tickets": {"customer_id": 1, "time": BEGIN, "solved": BEGIN, "score": 1, "topic": "a"},
    "subscriptions": {"customer_id": 1, "start": BEGIN, "end": BEGIN, "mrr": 1.0},
    "customers": {"customer_id": 1, "country": "de"},
}


@dataclass(frozen=True, kw_only=True)
class Shop:
    """Rows of all tables."""

    orders: list[Row]
    visits: list[Row]
    tickets: list[Row]
    subscriptions: list[Row]
    customers: list[Row]


def shop(seed: int, *, customers: int = 8, days: int = 120, refunds: bool = True) -> Shop:
    """Return the tables of a shop; many times fall on midnights, and on each other."""
    draw = random.Random(seed)  # noqa: S311

    def time() -> datetime:
        hour = draw.choice([0, 0, 6, 12, 18])
        return BEGIN + timedelta(days=draw.randrange(days), hours=hour)

    def who() -> int:
        return draw.randrange(customers)

    orders, visits, tickets, subscriptions = [], [], [], []
    for _ in range(6 * customers):
        at = time()
        amount = float(draw.randint(-20 if refunds else 0, 60))
        known = at + timedelta(days=draw.choice([0, 0, 1, 5]))
        orders.append(
            {
                "customer_id": who(),
                "time": at,
                "amount": amount,
                "order": draw.randrange(12),
                "known": known,
            }
        )
    for _ in range(4 * customers):
        at = time()
        row: Row = {"customer_id": who(), "time": at, "pages": float(draw.randint(1, 9))}
        visits.append(row | {"known": at + timedelta(days=draw.choice([0, 3]))})
    for _ in range(3 * customers):
        at = time()
        solved = at + timedelta(days=draw.randrange(30)) if draw.random() < 0.6 else None
        score = draw.choice([None, 1, 2, 3])
        topic = draw.choice([None, "price", "bug"])
        row = {"customer_id": who(), "time": at, "solved": solved, "score": score}
        tickets.append(row | {"topic": topic})
    for _ in range(2 * customers):
        at = time()
        end = at + timedelta(days=draw.randint(1, 60)) if draw.random() < 0.7 else None
        row = {"customer_id": who(), "start": at, "end": end}
        subscriptions.append(row | {"mrr": float(draw.randint(1, 9))})
    known_customers = [
        {"customer_id": one, "country": draw.choice(["de", "fr"])}
        for one in range(0, customers + 3, 2)
    ]
    return Shop(
        orders=orders,
        visits=visits,
        tickets=tickets,
        subscriptions=subscriptions,
        customers=known_customers,
    )
