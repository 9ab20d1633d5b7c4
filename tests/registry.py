"""How to call every public function on a few valid rows, and what its columns hold.

`REGISTRY` has an entry for each function in `retainkit.__all__` and for each method of a model that
takes a table. `test_contract.py` holds all of them to the same promises, so that a function needs
an entry here before it is exported.
"""

import random
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import pandas as pd

import retainkit as rk
from tables import Row

# What a column must hold. Of values that are `any`, all that is asked for is that they are of a
# kind that can be compared.
Holds = Literal["time", "number", "flag", "any"]
# What a null in it does: it is refused, its row is left out with `missing="drop"`, or it has a
# meaning of its own, such as a subscription that still runs.
Nulls = Literal["refused", "dropped", "kept"]
# What comes back: a small table; a table with a row a customer, which stays in a lazy engine;
# a dataclass, a number, or an array; a small table of pandas, whatever was given.
Result = Literal["table", "customers", "value", "pandas"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column that an argument names.

    `frame` is the argument with the table that has it (None: the first), `name` its name where
    neither options nor defaults say so, and `needs` are the options that go with it.
    """

    holds: Holds
    nulls: Nulls
    frame: str | None = None
    name: str | None = None
    needs: Row = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """How to call a function.

    `tables` has the rows of each argument that is a table, and `options` all other arguments.
    `columns` are by the argument that names them. `ids` are columns of names that mean nothing by
    themselves, and `keys` those by which the rows of two results are compared (None: in order).
    `eager` functions take results, which are never lazy; the columns of a `wide` result depend on
    the rows. `empty` is what is said of a table without rows (None: there is a result without rows,
    or with undefined numbers). `warns` are rows and options that bring a warning, where a null that
    is left out is none.
    """

    function: Callable[..., Any]
    tables: Mapping[str, list[Row]] = field(default_factory=dict)
    options: Row = field(default_factory=dict)
    columns: Mapping[str, Column] = field(default_factory=dict)
    ids: tuple[str, ...] = ()
    keys: tuple[str, ...] | None = None
    positional: int = 1
    result: Result = "table"
    eager: bool = False
    wide: bool = False
    empty: str | None = None
    warns: tuple[list[Row], Row] | None = None


# --- rows --------------------------------------------------------------------------------------

DAY = timedelta(days=1)
NEW_YEAR = datetime(2024, 1, 1)  # noqa: DTZ001  naive times are the plainest


def _events() -> list[Row]:
    """Return the events of a dozen customers in five months."""
    draw = random.Random(5)  # noqa: S311
    rows = []
    for customer in range(12):
        came = NEW_YEAR + draw.randint(0, 60) * DAY
        for number in range(draw.randint(1, 7)):
            time = came + number * draw.randint(1, 20) * DAY + timedelta(minutes=customer)
            rows.append(
                {
                    "customer_id": customer,
                    "time": time,
                    "amount": float(draw.randint(5, 50)),
                    "team": "ab"[customer % 2],
                    "cohort_time": came,
                    "started": draw.random() < 0.8,
                    "returned": draw.random() < 0.8,
                }
            )
    return rows


def _orders() -> list[Row]:
    """Return the orders of eighty customers in a year, drawn as BG/NBD and Gamma-Gamma have it."""
    draw = random.Random(8)  # noqa: S311
    rows = []
    for customer in range(80):
        time = NEW_YEAR + draw.randint(0, 90) * DAY
        rate, dropout = draw.gammavariate(0.9, 0.05), draw.betavariate(0.8, 2.5)
        mean = 60 / draw.gammavariate(4, 1)
        while time < NEW_YEAR + 365 * DAY:
            amount = round(mean * draw.gammavariate(4, 1) / 4, 2)
            team = "ab"[customer % 2]
            rows.append({"customer_id": customer, "time": time, "amount": amount, "team": team})
            if draw.random() < dropout:
                break
            time += (1 + int(draw.expovariate(rate))) * DAY
    return rows


def _snapshots() -> list[Row]:
    """Return forty customers at two instants, with a score and what came of them."""
    draw = random.Random(4)  # noqa: S311
    rows = []
    for number in range(80):
        days, orders = draw.randint(1, 90), draw.randint(1, 9)
        rows.append(
            {
                "customer_id": number % 40,
                "as_of": NEW_YEAR + number // 40 * 31 * DAY,
                "recency_days": days,
                "orders": orders,
                "subscribed": draw.random() < 0.5,
                "score": round(days / 100, 1),
                "amount": orders * 10.0,
                "plan": "abc"[number % 3],
                "churned": int(draw.random() < 0.2 + days / 200),
            }
        )
    return rows


def _summary(orders: list[Row]) -> list[Row]:
    """Return the summary of orders by the day."""
    last = max(row["time"] for row in orders)
    rows = []
    for customer in sorted({row["customer_id"] for row in orders}):
        own = [row for row in orders if row["customer_id"] == customer]
        repeats = [row["amount"] for row in own[1:]]
        rows.append(
            {
                "customer_id": customer,
                "frequency": len(repeats),
                "recency": (own[-1]["time"] - own[0]["time"]).days,
                "T": (last - own[0]["time"]).days + 1,
                "monetary_value": sum(repeats) / len(repeats) if repeats else 0.0,
                "weights": 1.0 + customer % 2,
                "plan": "abc"[customer % 3],
                "time_unit": "day",
            }
        )
    return rows


def _subscriptions() -> list[Row]:
    """Return one or two subscriptions of a dozen customers, some of which run."""
    draw = random.Random(3)  # noqa: S311
    rows = []
    for customer in range(12):
        start = NEW_YEAR + draw.randint(0, 60) * DAY
        for number in range(draw.randint(1, 2)):
            end = start + draw.randint(20, 90) * DAY
            runs = number == 1 and customer % 2 == 0
            rows.append(
                {
                    "customer_id": customer,
                    "contract": f"{customer}-{number}",
                    "start": start,
                    "end": None if runs else end,
                    "mrr": float(draw.randint(1, 9) * 10),
                    "plan": "ab"[customer % 2],
                    "reason": "price" if customer % 3 else "card",
                    "currency": "EUR",
                    "why": ["price", "switched"][customer % 3 // 2],
                    "entry": start,
                }
            )
            start = end + draw.randint(0, 20) * DAY
    return rows


def _durations() -> list[Row]:
    """Return how long twenty customers have been there."""
    draw = random.Random(4)  # noqa: S311
    return [
        {
            "customer_id": customer,
            "duration": float(draw.randint(1, 12)),
            "customers": draw.randint(1, 4),
            "weights": draw.choice([0.5, 1.0, 2.0]),
            "observed": customer % 3 > 0,
            "entry": 0.0,
            "plan": "ab"[customer % 2],
        }
        for customer in range(20)
    ]


def _responses() -> list[Row]:
    """Return the answers of sixty people to a survey, over four months."""
    draw = random.Random(6)  # noqa: S311
    rows = []
    for respondent in range(60):
        score = draw.choice([10, 10, 9, 9, 8, 7, 6, 3])
        rows.append(
            {
                "respondent": respondent,
                "customer_id": respondent,
                "time": NEW_YEAR + draw.randint(0, 120) * DAY + respondent * timedelta(minutes=1),
                "score": score,
                "rating": 1 + score // 3,
                "answer": "very disappointed" if score > 8 else "not",
                "plan": draw.choice("ab"),
                "wave": draw.choice(["first", "second"]),
                "weights": draw.choice([0.5, 1.0, 2.0]),
                "counts": draw.randint(1, 3),
                "service": score + draw.randint(0, 6),
                "price": draw.randint(1, 5),
            }
        )
    return rows


def _pairs() -> list[Row]:
    """Return the answers of twenty people, each in two waves."""
    draw = random.Random(2)  # noqa: S311
    return [
        {"respondent": respondent, "wave": wave, "score": draw.randint(4, 10), "plan": "a"}
        for respondent in range(20)
        for wave in ("first", "second")
    ]


def _invitations() -> list[Row]:
    """Return thirty invitations to fifteen people, of which every third has no answer."""
    draw = random.Random(9)  # noqa: S311
    rows = []
    for number in range(30):
        sent = NEW_YEAR + draw.randint(0, 100) * DAY
        answered = sent + draw.randint(1, 10) * DAY if number % 3 else None
        rows.append(
            {
                "sent": sent,
                "responded": answered,
                "channel": "ab"[number % 2],
                "respondent": number // 2,
            }
        )
    return rows


def _cohorts() -> list[Row]:
    """Return a result of `cohort_retention`: two teams, three cohorts each."""
    return [
        {
            "team": team,
            "cohort": NEW_YEAR + 31 * number * DAY,
            "age": age,
            "customers": 50 + number,
            "eligible": 50 + number,
            "retained": (50 + number) // (age + 1),
            "retention": (50 + number) // (age + 1) / (50 + number),
            "lower": 0.1,
            "upper": 1.0,
            "complete": True,
        }
        for team in "ab"
        for number in range(3)
        for age in range(3 - number)
    ]


def _curve() -> list[Row]:
    """Return a result of `survival_curve`: two plans, seven tenures each."""
    rows = []
    for plan in "ab":
        at_risk, survival = 40, 1.0
        for tenure in range(7):
            churned = (6 if plan == "a" else 4) if tenure else 0
            survival *= 1 - churned / at_risk
            rows.append(
                {
                    "plan": plan,
                    "tenure": tenure,
                    "at_risk": at_risk,
                    "churned": churned,
                    "survival": survival,
                    "lower": max(0.0, survival - 0.1) if tenure else 1.0,
                    "upper": min(1.0, survival + 0.1),
                    "hazard": churned / at_risk,
                }
            )
            at_risk -= churned
    return rows


def _graded(seed: int) -> list[Row]:
    """Return the scores of twenty customers, and their segments."""
    draw = random.Random(seed)  # noqa: S311
    rows = []
    for customer in range(20):
        recency, frequency = draw.randint(1, 5), draw.randint(1, 5)
        rows.append(
            {
                "customer_id": customer + seed,
                "r": recency,
                "f": frequency,
                "spend": float(draw.randint(1, 90)),
                "team": "ab"[(customer + seed) % 2],
                "segment": "late" if recency < 3 else "early",
            }
        )
    return rows


def _without(column: str, rows: list[Row]) -> list[Row]:
    """Return rows without a column."""
    return [{name: row[name] for name in row if name != column} for row in rows]


EVENTS, ORDERS, SUBSCRIPTIONS = _events(), _orders(), _subscriptions()
DURATIONS, RESPONSES, PAIRS = _durations(), _responses(), _pairs()
INVITATIONS, SUMMARY = _invitations(), _summary(ORDERS)
# Every third customer left in between.
GRADED, GRADED_LATER = _graded(3), [row for row in _graded(5) if row["customer_id"] % 3 != 1]
COHORTS, CURVE = _cohorts(), _curve()
# The first purchase is counted as a repeat purchase.
FIRST_COUNTED: tuple[list[Row], Row] = (
    [row | {"frequency": row["frequency"] + 1} for row in SUMMARY],
    {},
)
TWICE = [row | {"respondent": row["respondent"] // 2} for row in RESPONSES]
SNAPSHOTS = _snapshots()
JUDGED = [row | {"churned": row["churned"] == 1} for row in SNAPSHOTS]
STILL_OPEN = [row | {"churned": None} for row in JUDGED[:3]] + JUDGED[3:]
# Fader & Hardie (2007), of a thousand "Regular" customers.
SURVIVORS: list[Row] = [
    {"age": age, "retained": left, "customers": 1000, "cohort": "only"}
    for age, left in enumerate([1000, 631, 468, 382, 326, 289, 262, 241])
]
COUNTED: list[Row] = [
    {"promoters": 20, "passives": 9, "detractors": 6, "n": 35, "plan": "a"},
    {"promoters": 12, "passives": 3, "detractors": 10, "n": 25, "plan": "b"},
]
LEDGER: list[Row] = [
    {
        "customer_id": customer,
        "product": "xy"[number % 2],
        "time": NEW_YEAR + (10 * number + customer) * DAY,
        "amount": float(10 * ((customer + number) % 4)),
        "plan": "ab"[customer % 2],
        "why": ["price", "switched"][number % 2],
    }
    for customer in range(6)
    for number in range(5)
]
LINES: list[Row] = [
    {
        "customer_id": customer,
        "start": NEW_YEAR + 31 * number * DAY,
        "end": NEW_YEAR + (31 * number + 7 * (number + 1)) * DAY,
        "amount": 10.0 + customer,
        "plan": "ab"[customer % 2],
        "why": ["price", "switched"][number % 2],
    }
    for customer in range(6)
    for number in range(3)
]
NO_BOUND: Row = {"r_min": None, "r_max": None, "spend_min": None, "spend_max": None}
RULES: list[Row] = [
    {"segment": "large", "rule": "large", "channel": "mail", **NO_BOUND, "r_min": 3, "r_max": 5},
    {"segment": "late", "rule": "late", "channel": None, **NO_BOUND, "r_max": 2, "spend_max": 45.5},
    {"segment": "dear", "rule": "dear", "channel": "sms", **NO_BOUND, "r_max": 2, "spend_min": 46},
]
BASKETS: list[Row] = [
    {
        "customer_id": customer,
        "order_id": 3 * customer + number,
        "time": NEW_YEAR + (20 * number + customer) * DAY,
        "item": item,
        "team": "ab"[customer % 2],
    }
    for customer in range(14)
    for number in range(3)
    for item in ["tea", ["milk", "bread"][customer % 2], ["cups", "milk"][number % 2]]
]
# Three channels at each age.
CHANNELS: list[Row] = [
    {"channel": channel, "cohort": NEW_YEAR, "age": age, "customers": 30, "retained": 20 - age - i}
    for age in range(1, 4)
    for i, channel in enumerate("abc")
]
FLOWS: list[Row] = [
    {"plan": plan, "month": month, "new": 20 + month, "lost": 2 * month - 2, "opening": 100}
    for plan in "ab"
    for month in range(1, 5)
]
# Orders with lines, which took a day to arrive, and some customers, not all of whom came.
ARRIVED: list[Row] = [
    row | {"order": number // 2, "known": row["time"] + DAY} for number, row in enumerate(ORDERS)
]
MEMBERS: list[Row] = [
    {"customer_id": customer, "region": "ns"[customer % 3 == 0], "seats": customer % 7}
    for customer in range(0, 90, 2)
]
POPULATION: list[Row] = [{"plan": "a", "size": 700}, {"plan": "b", "size": 300}]
CANDIDATES: list[Row] = [
    {
        "customer_id": customer,
        "channel": ("email", "sms")[number % 2],
        "priority": number + 1,
        "rule": ("winback", "promo", "receipt")[number],
        "receipt": number == 2,
        "timezone": ("Europe/Berlin", "America/New_York")[customer % 2],
    }
    for customer in range(9)
    for number in range(3)
]
CONTACTS: list[Row] = [
    {
        "customer_id": customer,
        "channel": ("email", "sms")[number % 2],
        "time": NEW_YEAR + (40 - 3 * number - customer) * DAY,
    }
    for customer in range(12)
    for number in range(customer % 4)
]
CAPS: list[Row] = [
    {"channel": "email", "max": 1, "window": "7D", "calendar": False},
    {"channel": "sms", "max": 1, "window": "month", "calendar": True},
    {"channel": None, "max": 2, "window": "2D", "calendar": True},
]
SUPPRESSED: list[Row] = [
    {"customer_id": 7, "channel": None},
    {"customer_id": 8, "channel": "email"},
    {"customer_id": 99, "channel": "sms"},
]
PURCHASES = rk.BGNBD(
    r=0.9,
    alpha=15.0,
    a=0.8,
    b=2.5,
    unit="day",
    covariance=((0.1, 0, 0, 0), (0, 9.0, 0, 0), (0, 0, 0.1, 0), (0, 0, 0, 0.5)),
)
RISK = rk.ChurnRisk(
    features=("recency_days", "orders", "subscribed"),
    intercept=-1.0,
    coefficients=(0.5, -0.4, -0.3),
    means=(3.4, 1.7, 0.35),
    scales=(1.0, 0.5, 0.35),
    covariance=tuple(tuple(0.04 * (i == j) for i in range(4)) for j in range(4)),
)
SPEND = rk.GammaGamma(p=4.0, q=4.0, v=15.0, covariance=((1.0, 0, 0), (0, 1.0, 0), (0, 0, 9.0)))
CHURN = rk.SBG(alpha=0.7, beta=1.2)


# --- columns -----------------------------------------------------------------------------------

ID = Column(holds="any", nulls="dropped")
TIME = Column(holds="time", nulls="dropped")
AMOUNT = Column(holds="number", nulls="dropped")
SEGMENT = Column(holds="any", nulls="kept")
FLAG = Column(holds="flag", nulls="dropped")
REQUIRED = Column(holds="any", nulls="refused")
MRR = Column(holds="number", nulls="refused", name="mrr")
END = Column(holds="time", nulls="kept")  # null: it has not come
OUTCOME = Column(holds="number", nulls="kept")  # null: nothing is known yet
WHEN = Column(holds="time", nulls="dropped", name="time")  # of functions that need no time
LOG = {"customer": ID, "time": TIME}
SPELLS = {
    "customer": ID,
    "start": TIME,
    "end": END,
    "subscription": Column(holds="any", nulls="dropped", name="contract"),
}
KNOWN = {
    "order": Column(holds="any", nulls="dropped", name="order"),
    "known_at": Column(holds="time", nulls="dropped", name="known"),
}
COVERED = {
    "start": Column(holds="time", nulls="dropped", frame="subscriptions"),
    "end": Column(holds="time", nulls="kept", frame="subscriptions"),
    "subscription_amount": Column(
        holds="number", nulls="refused", frame="subscriptions", name="mrr"
    ),
}
NUMBER = Column(holds="number", nulls="refused")
SCORE = Column(holds="number", nulls="kept")
ANSWERS = {"by": SEGMENT, "weights": AMOUNT, "counts": AMOUNT}
REPEATED = {
    "respondent": ID,
    "time": Column(
        holds="time", nulls="dropped", needs={"respondent": "respondent", "repeat": "last"}
    ),
}
FITTED = {"frequency": NUMBER, "recency": NUMBER, "T": NUMBER}
KEPT = Column(holds="any", nulls="kept", name="plan")
SURVIVING = {
    "age": NUMBER,
    "survivors": NUMBER,
    "cohort": Column(holds="any", nulls="kept"),
    "customers": NUMBER,
}


# --- functions -----------------------------------------------------------------------------------

ENTRIES = [
    Entry(
        function=rk.active_days,
        tables={"events": EVENTS},
        options={"by": "team", "window": 60},
        columns=LOG | {"by": SEGMENT},
        ids=("customer_id",),
    ),
    Entry(
        function=rk.active_users,
        tables={"events": EVENTS},
        options={"by": "team", "period": "week"},
        columns=LOG | {"by": SEGMENT, "cohort_time": TIME},
        ids=("customer_id",),
    ),
    Entry(
        function=rk.annualize_rate, options={"rate": [0.1, 0.2], "period": "month"}, result="value"
    ),
    Entry(
        function=rk.apply_contact_policy,
        tables={
            "candidates": CANDIDATES,
            "contacts": CONTACTS,
            "caps": CAPS,
            "suppress": SUPPRESSED,
        },
        options={"as_of": "2024-02-10 09:00", "exempt": "receipt", "holdout": 0.2},
        columns={
            "customer": REQUIRED,
            "channel": REQUIRED,
            "priority": NUMBER,
            "contact_time": Column(holds="time", nulls="refused", frame="contacts"),
            "exempt": Column(holds="flag", nulls="refused"),
        },
        keys=("customer_id", "channel", "rule"),
        result="customers",
        warns=(CANDIDATES, {"as_of": "2024-02-05"}),
    ),
    Entry(
        function=rk.assign_segments,
        tables={"table": _without("segment", GRADED), "rules": _without("rule", RULES)},
        ids=("customer_id",),
        keys=("customer_id",),
        positional=2,
        result="customers",
    ),
    Entry(
        function=rk.audience,
        tables={"view": GRADED, "rules": _without("segment", RULES)},
        columns={"customer": REQUIRED},
        ids=("customer_id",),
        keys=("customer_id", "rule"),
        positional=2,
        result="customers",
        warns=([row for row in GRADED if row["r"] > 2], {}),
    ),
    Entry(
        function=rk.calibration_holdout,
        tables={"transactions": ORDERS},
        options={"by": "team", "amount": "amount", "calibration_end": "2024-08-01"},
        columns=LOG | {"by": SEGMENT, "amount": AMOUNT},
        ids=("customer_id",),
        keys=("customer_id",),
        result="customers",
    ),
    Entry(
        function=rk.ces,
        tables={"responses": RESPONSES},
        options={
            "by": "plan",
            "score": "rating",
            "scale": (1, 5),
            "higher_is_better": True,
            "stat": "share",
        },
        columns={"score": SCORE, **ANSWERS, **REPEATED},
        ids=("respondent",),
        warns=(TWICE, {"respondent": "respondent", "time": "time", "repeat": "last"}),
    ),
    Entry(
        function=rk.check_rules,
        tables={"rules": RULES},
        options={"levels": {"r": range(1, 6), "spend": [10.0, 45.5, 46.0]}},
        keys=("r", "spend"),
        result="pandas",
        empty="no rows",
    ),
    Entry(
        function=rk.churn_rate,
        tables={"subscriptions": SUBSCRIPTIONS},
        options={"by": "plan", "as_of": "2024-05-20"},
        columns=SPELLS
        | {
            "by": SEGMENT,
            "amount": MRR,
            "reason": Column(holds="any", nulls="kept"),
        },
        ids=("customer_id",),
    ),
    Entry(
        function=rk.churn_rate_from_counts,
        tables={"table": FLOWS},
        options={"by": "plan", "period": "month"},
        columns={
            "period": REQUIRED,
            **dict.fromkeys(("new", "lost"), NUMBER),
            "opening": Column(holds="number", nulls="kept"),
            "by": SEGMENT,
        },
        warns=(FLOWS, {"opening": "opening"}),
    ),
    Entry(
        function=rk.churn_snapshots,
        tables={"orders": ARRIVED},
        options={
            "as_of": ["2024-06-01", "2024-08-01"],
            "horizon": "60D",
            "by": "team",
            "amount": "amount",
        },
        columns=LOG | {"by": SEGMENT, "amount": AMOUNT} | KNOWN,
        ids=("customer_id",),
        keys=("as_of", "customer_id"),
        result="customers",
    ),
    Entry(
        function=rk.churned_customers,
        tables={"subscriptions": SUBSCRIPTIONS},
        options={"by": "plan", "amount": "mrr", "reason": "why", "as_of": "2024-05-20"},
        columns=SPELLS | {"by": SEGMENT, "reason": SEGMENT, "amount": NUMBER},
        ids=("customer_id",),
        keys=("customer_id", "period"),
        result="customers",
    ),
    Entry(
        function=rk.cltv,
        tables={"transactions": ORDERS},
        # Without it some of these fits end on the boundary, at a place that the order of sums has.
        options={"penalty": 0.01},
        columns=LOG | {"by": Column(holds="any", nulls="kept", name="team"), "amount": AMOUNT},
        ids=("customer_id",),
        keys=("customer_id",),
        result="customers",
    ),
    Entry(
        function=rk.cltv_from_models,
        tables={"summary": SUMMARY},
        options={"purchases": PURCHASES, "spend": SPEND, "keep": ["plan"]},
        columns=FITTED
        | {
            "customer": Column(holds="any", nulls="kept"),
            "monetary_value": NUMBER,
            "keep": KEPT,
        },
        ids=("customer_id",),
        keys=("customer_id",),
        positional=3,
        result="customers",
        warns=([row | {"frequency": 1, "recency": 0} for row in SUMMARY], {}),
    ),
    Entry(
        function=rk.cltv_total,
        tables={"summary": SUMMARY},
        options={"purchases": PURCHASES, "spend": SPEND, "by": "plan", "seed": 1},
        columns=FITTED
        | {
            "customer": Column(holds="any", nulls="refused"),
            "monetary_value": NUMBER,
            "by": SEGMENT,
        },
        ids=("customer_id",),
        positional=3,
        warns=([row | {"frequency": 1, "recency": 0} for row in SUMMARY], {}),
    ),
    Entry(
        function=rk.cohort_members,
        tables={"events": EVENTS},
        options={"by": "team", "amount": "amount"},
        columns=LOG
        | {
            "by": SEGMENT,
            "amount": AMOUNT,
            "cohort_time": TIME,
            "started": FLAG,
            "returned": FLAG,
        },
        ids=("customer_id",),
        keys=("team", "cohort", "customer_id", "age"),
        result="customers",
    ),
    Entry(
        function=rk.cohort_retention,
        tables={"events": EVENTS},
        options={"by": "team", "amount": "amount"},
        columns=LOG
        | {
            "by": SEGMENT,
            "amount": AMOUNT,
            "cohort_time": TIME,
            "started": FLAG,
            "returned": FLAG,
        },
        ids=("customer_id",),
    ),
    Entry(
        function=rk.control_chart,
        tables={"responses": RESPONSES},
        options={"by": "plan"},
        columns={"score": SCORE, "time": TIME, **ANSWERS, "respondent": REPEATED["respondent"]},
        ids=("respondent",),
    ),
    Entry(
        function=rk.csat,
        tables={"responses": RESPONSES},
        options={"by": "plan", "score": "rating"},
        columns={"score": SCORE, **ANSWERS, **REPEATED},
        ids=("respondent",),
        warns=(TWICE, {"respondent": "respondent", "time": "time", "repeat": "last"}),
    ),
    Entry(
        function=rk.cumulative_incidence,
        tables={"subscriptions": SUBSCRIPTIONS},
        options={"reason": "why", "by": "plan", "as_of": "2024-05-20"},
        columns=SPELLS
        | {
            "reason": SEGMENT,
            "by": SEGMENT,
            "amount": MRR,
            "entry": Column(holds="time", nulls="kept"),
        },
        ids=("customer_id",),
    ),
    Entry(
        function=rk.customer_view,
        tables={"orders": ARRIVED},
        options={"as_of": "2025-01-01", "by": "team", "amount": "amount"},
        columns=LOG | {"by": SEGMENT, "amount": AMOUNT} | KNOWN,
        ids=("customer_id",),
        keys=("customer_id",),
        result="customers",
    ),
    Entry(
        function=rk.expected_lifetime,
        tables={"curve": CURVE},
        options={"horizon": 5},
        keys=("plan",),
        eager=True,
    ),
    Entry(
        function=rk.fit_bdw,
        tables={"table": SURVIVORS},
        columns=SURVIVING,
        result="value",
        empty="nothing can be learnt",
        warns=(SURVIVORS[1:], {}),
    ),
    Entry(
        function=rk.fit_bg_nbd,
        tables={"summary": SUMMARY},
        columns=FITTED | {"weights": NUMBER},
        result="value",
        empty="nothing can be learnt",
        warns=([row | {"frequency": 0, "recency": 0} for row in SUMMARY], {}),
    ),
    Entry(
        function=rk.fit_churn_risk,
        tables={"snapshots": SNAPSHOTS},
        options={"features": ["recency_days", "orders", "subscribed"]},
        columns={
            "features": NUMBER,
            "outcome": OUTCOME,
            "customer": REQUIRED,
            "snapshot": REQUIRED,
        },
        ids=("customer_id",),
        result="value",
        empty="nothing can be learnt",
        warns=([row | {"orders": 3} for row in SNAPSHOTS], {}),
    ),
    Entry(
        function=rk.fit_gamma_gamma,
        tables={"summary": SUMMARY},
        columns={"frequency": NUMBER, "monetary_value": NUMBER, "weights": NUMBER},
        result="value",
        empty="nothing can be learnt",
        warns=([*SUMMARY, SUMMARY[0] | {"frequency": 1, "monetary_value": 0.0}], {}),
    ),
    Entry(
        function=rk.fit_mbg_nbd,
        tables={"summary": SUMMARY},
        columns=FITTED | {"weights": NUMBER},
        result="value",
        empty="nothing can be learnt",
        warns=([row | {"frequency": 0, "recency": 0} for row in SUMMARY], {}),
    ),
    Entry(
        function=rk.fit_pareto_nbd,
        tables={"summary": SUMMARY},
        columns=FITTED | {"weights": NUMBER},
        result="value",
        empty="nothing can be learnt",
        warns=([row | {"frequency": 0, "recency": 0} for row in SUMMARY], {}),
    ),
    Entry(
        function=rk.fit_sbg,
        tables={"table": SURVIVORS},
        columns=SURVIVING,
        result="value",
        empty="nothing can be learnt",
        warns=(SURVIVORS[1:], {}),
    ),
    Entry(
        function=rk.growth_accounting,
        tables={"events": EVENTS},
        options={"by": "team", "amount": "amount"},
        columns=LOG | {"by": SEGMENT, "amount": AMOUNT, "cohort_time": TIME},
        ids=("customer_id",),
    ),
    Entry(function=rk.holdout_bucket, options={"id": 1}, positional=2, result="value"),
    Entry(
        function=rk.holdout_report,
        tables={"transactions": ORDERS},
        options={
            "calibration_end": "2024-07-01",
            "unit": "day",
            "model": PURCHASES,
            "amount": "amount",
        },
        columns=LOG | {"amount": AMOUNT},
        ids=("customer_id",),
        result="value",
        empty="nothing can be learnt",
    ),
    Entry(
        function=rk.inactivity_churn,
        tables={"events": EVENTS},
        options={"by": "team", "window": 30},
        columns=LOG | {"by": SEGMENT},
        ids=("customer_id",),
    ),
    Entry(
        function=rk.key_drivers,
        tables={"responses": RESPONSES},
        options={
            "by": "plan",
            "outcome": "score",
            "drivers": ["service", "price"],
            "draws": 20,
            "seed": 1,
        },
        columns={
            "outcome": AMOUNT,
            "drivers": AMOUNT,
            "by": SEGMENT,
            "weights": AMOUNT,
        },
    ),
    Entry(
        function=rk.lift_table,
        tables={"scored": JUDGED},
        options={"by": "plan", "bins": 4, "amount": "amount"},
        columns={
            "score": NUMBER,
            "outcome": OUTCOME,
            "amount": NUMBER,
            "by": SEGMENT,
        },
        ids=("customer_id",),
        warns=(STILL_OPEN, {}),
    ),
    Entry(function=rk.median_lifetime, tables={"curve": CURVE}, keys=("plan",), eager=True),
    Entry(
        function=rk.mrr_movements,
        tables={"subscriptions": SUBSCRIPTIONS},
        options={"by": "plan"},
        columns=SPELLS | {"by": SEGMENT, "amount": NUMBER, "currency": REQUIRED},
        ids=("customer_id",),
    ),
    Entry(
        function=rk.next_purchase,
        tables={"orders": ORDERS},
        # A fit of so few may end on the boundary, at a place that the order of sums has.
        options={"by": "team", "model": PURCHASES},
        columns=LOG | {"by": SEGMENT},
        ids=("customer_id",),
        keys=("customer_id",),
        result="customers",
    ),
    Entry(
        function=rk.nps,
        tables={"responses": RESPONSES},
        options={"by": "plan"},
        columns={"score": SCORE, **ANSWERS, **REPEATED},
        ids=("respondent",),
        warns=(TWICE, {"respondent": "respondent", "time": "time", "repeat": "last"}),
    ),
    Entry(
        function=rk.nps_difference,
        tables={"responses": RESPONSES},
        options={"by": "plan", "group": "wave"},
        columns={"group": SEGMENT, "score": SCORE, **ANSWERS, **REPEATED},
        ids=("respondent",),
        warns=([row | {"score": row["score"] // 3} for row in RESPONSES], {}),
    ),
    Entry(
        function=rk.nps_from_counts,
        tables={"table": COUNTED},
        options={"by": "plan", "n": "n"},
        columns={
            **dict.fromkeys(("promoters", "passives", "detractors", "n"), NUMBER),
            "by": SEGMENT,
        },
        warns=(COUNTED, {"min_responses": 30}),
    ),
    Entry(
        function=rk.pmf,
        tables={"responses": RESPONSES},
        options={"by": "plan"},
        columns={"answer": SEGMENT, **ANSWERS, **REPEATED},
        ids=("respondent",),
        warns=(RESPONSES, {"very": "none such"}),
    ),
    Entry(
        function=rk.new_customer_value,
        options={"purchases": PURCHASES, "spend": SPEND, "cost": 50.0},
        positional=2,
        result="pandas",
    ),
    Entry(
        function=rk.observed_value,
        tables={"transactions": ORDERS},
        options={"by": "team", "ages": ["0D", "30D", "200D"]},
        columns=LOG | {"amount": AMOUNT, "by": SEGMENT},
        ids=("customer_id",),
    ),
    Entry(
        function=rk.payback,
        tables={"transactions": ORDERS},
        options={"by": "team", "cost": 70.0},
        columns=LOG | {"amount": AMOUNT, "by": SEGMENT},
        ids=("customer_id",),
    ),
    Entry(
        function=rk.poststratify,
        tables={"responses": RESPONSES, "population": POPULATION},
        options={"by": "plan"},
        columns={
            "by": Column(holds="any", nulls="dropped"),
            "size": Column(holds="number", nulls="refused", frame="population"),
            "weights": AMOUNT,
        },
        ids=("respondent",),
        keys=("respondent",),
        positional=2,
        result="value",
    ),
    Entry(
        function=rk.product_affinity,
        tables={"lines": BASKETS},
        options={"by": "team", "window": "30D", "min_trials": 2},
        columns=LOG
        | {
            "item": ID,
            "by": SEGMENT,
            "order": Column(
                holds="any", nulls="dropped", name="order_id", needs={"kind": "basket"}
            ),
        },
        ids=("customer_id",),
    ),
    Entry(
        function=rk.purchase_regularity,
        tables={"transactions": ORDERS},
        columns=LOG,
        ids=("customer_id",),
    ),
    Entry(
        function=rk.rake,
        tables={"responses": RESPONSES},
        options={"margins": {"plan": {"a": 0.7, "b": 0.3}, "wave": {"first": 0.5, "second": 0.5}}},
        columns={"weights": AMOUNT},
        ids=("respondent",),
        keys=("respondent",),
        positional=2,
        result="value",
    ),
    Entry(
        function=rk.rate_difference,
        tables={"table": CHANNELS},
        options={"group": "channel"},
        columns={"group": SEGMENT},
        eager=True,
    ),
    Entry(
        function=rk.response_rate,
        tables={"invitations": INVITATIONS},
        options={"by": "channel", "window": "7D", "period": "month"},
        columns={
            "sent": TIME,
            "responded": END,
            "by": SEGMENT,
            "respondent": ID,
        },
        ids=("respondent",),
    ),
    Entry(
        function=rk.retention_curve,
        tables={"table": COHORTS},
        keys=("team", "age"),
        eager=True,
    ),
    Entry(
        function=rk.retention_matrix,
        tables={"table": COHORTS},
        columns={"values": Column(holds="number", nulls="kept")},
        keys=("team", "cohort"),
        warns=(COHORTS, {"min_customers": 1_000}),
        eager=True,
        wide=True,
    ),
    Entry(
        function=rk.revenue_cohorts,
        tables={"subscriptions": SUBSCRIPTIONS},
        options={"by": "plan"},
        columns=SPELLS | {"by": SEGMENT, "amount": NUMBER, "currency": REQUIRED},
        ids=("customer_id",),
    ),
    Entry(
        function=rk.revenue_retention,
        tables={"subscriptions": SUBSCRIPTIONS},
        options={"by": "plan"},
        columns=SPELLS | {"by": SEGMENT, "amount": NUMBER, "currency": REQUIRED},
        ids=("customer_id",),
    ),
    Entry(
        function=rk.rfm_cuts,
        tables={"scores": SUMMARY},
        options={"by": "plan", "measures": ["recency", "T"]},
        columns={"measures": NUMBER, "by": SEGMENT},
    ),
    Entry(
        function=rk.rfm_scores,
        tables={"orders": ORDERS},
        options={"by": "team"},
        columns=LOG
        | {
            "by": SEGMENT,
            "amount": AMOUNT,
            "order": Column(holds="any", nulls="dropped", name="team"),
        },
        ids=("customer_id",),
        keys=("customer_id",),
        result="customers",
    ),
    Entry(
        function=rk.rfm_summary,
        tables={"transactions": ORDERS},
        options={"by": "team", "amount": "amount"},
        columns=LOG | {"by": SEGMENT, "amount": AMOUNT},
        ids=("customer_id",),
        keys=("customer_id",),
        result="customers",
    ),
    Entry(
        function=rk.score_outcomes,
        tables={"responses": RESPONSES, "outcomes": EVENTS},
        options={"by": "plan", "horizon": "30D"},
        columns={
            "customer": ID,
            "score": SCORE,
            "time": TIME,
            "outcome_time": Column(holds="time", nulls="dropped", frame="outcomes"),
            "amount": Column(holds="number", nulls="dropped", frame="outcomes"),
            "by": SEGMENT,
        },
        ids=("customer_id",),
        positional=2,
    ),
    Entry(
        function=rk.score_report,
        tables={"scored": JUDGED},
        options={"by": "plan"},
        columns={
            "score": NUMBER,
            "outcome": OUTCOME,
            "by": SEGMENT,
        },
        ids=("customer_id",),
        warns=(STILL_OPEN, {}),
    ),
    Entry(
        function=rk.score_trend,
        tables={"responses": RESPONSES},
        options={"by": "plan"},
        columns={"score": SCORE, "time": TIME, **ANSWERS, "respondent": REPEATED["respondent"]},
        ids=("respondent",),
    ),
    Entry(
        function=rk.segment_migration,
        tables={"before": GRADED, "after": GRADED_LATER},
        options={"by": "team", "value": "spend"},
        columns={
            "customer": REQUIRED,
            "segment": REQUIRED,
            "value": Column(holds="number", nulls="kept"),
            "by": SEGMENT,
        },
        ids=("customer_id",),
        positional=2,
    ),
    Entry(function=rk.segment_rules, positional=0, result="pandas"),
    Entry(
        function=rk.snapshot_dates,
        options={"start": "2024-01-31", "end": "2024-06-01"},
        result="value",
        positional=2,
    ),
    Entry(
        function=rk.spend_independence,
        tables={"summary": SUMMARY},
        columns={"frequency": NUMBER, "monetary_value": NUMBER},
    ),
    Entry(
        function=rk.subscriptions_from_levels,
        tables={"ledger": LEDGER},
        options={"by": "plan", "subscription": "product", "reason": "why"},
        columns={
            "customer": ID,
            "time": TIME,
            "amount": AMOUNT,
            "subscription": ID,
            "by": SEGMENT,
            "reason": SEGMENT,
        },
        ids=("customer_id",),
        keys=("customer_id", "product", "start"),
        result="customers",
    ),
    Entry(
        function=rk.subscriptions_from_lines,
        tables={"lines": LINES},
        options={"by": "plan", "reason": "why"},
        columns={
            "customer": ID,
            "start": TIME,
            "end": TIME,
            "amount": AMOUNT,
            "by": SEGMENT,
            "reason": SEGMENT,
        },
        ids=("customer_id",),
        keys=("customer_id", "start"),
        result="customers",
    ),
    Entry(
        function=rk.survey_detectable_difference,
        options={"n": 400},
        result="value",
    ),
    Entry(
        function=rk.survey_sample_size,
        options={"margin": 5},
        positional=0,
        result="value",
    ),
    Entry(
        function=rk.survival_curve,
        tables={"subscriptions": SUBSCRIPTIONS},
        options={"by": "plan", "as_of": "2024-05-20"},
        columns=SPELLS
        | {
            "by": SEGMENT,
            "amount": MRR,
            "entry": Column(holds="time", nulls="kept"),
        },
        ids=("customer_id",),
    ),
    Entry(
        function=rk.survival_difference,
        tables={"subscriptions": SUBSCRIPTIONS},
        options={
            "group": "plan",
            "by": "why",
            "at": 1,
            "horizon": "2 months",
            "as_of": "2024-05-20",
        },
        columns=SPELLS
        | {
            "group": SEGMENT,
            "by": SEGMENT,
            "amount": MRR,
            "entry": Column(holds="time", nulls="kept"),
        },
        ids=("customer_id",),
    ),
    Entry(
        function=rk.tracking,
        tables={"transactions": ORDERS},
        options={"model": PURCHASES, "amount": "amount"},
        columns=LOG | {"amount": AMOUNT},
        ids=("customer_id",),
        positional=2,
    ),
    Entry(
        function=rk.upcoming_churn,
        tables={"subscriptions": SUBSCRIPTIONS},
        options={"by": "plan", "reason": "why", "as_of": "2024-03-01", "within": "60D"},
        columns=SPELLS | {"by": SEGMENT, "reason": SEGMENT, "amount": NUMBER},
        ids=("customer_id",),
        keys=("customer_id",),
        result="customers",
    ),
    Entry(
        function=rk.usage_interval,
        tables={"events": EVENTS},
        options={"by": "team"},
        columns=LOG | {"by": SEGMENT},
        ids=("customer_id",),
    ),
    Entry(
        function=rk.value_concentration,
        tables={"orders": ORDERS},
        options={"by": "team", "draws": 20, "seed": 1},
        columns={
            "customer": ID,
            "amount": AMOUNT,
            "by": SEGMENT,
            "time": WHEN,
        },
        ids=("customer_id",),
    ),
    Entry(
        function=rk.value_tiers,
        tables={"orders": ORDERS},
        options={"by": "team"},
        columns={
            "customer": ID,
            "amount": AMOUNT,
            "by": SEGMENT,
            "time": WHEN,
        },
        ids=("customer_id",),
        keys=("customer_id",),
        result="customers",
    ),
    Entry(
        function=rk.warning_signs,
        tables={"events": EVENTS},
        options={"by": "team", "recent": "14D", "baseline": "56D", "min_baseline": 1},
        columns=LOG | {"by": SEGMENT},
        ids=("customer_id",),
        keys=("customer_id",),
        result="customers",
    ),
]
# The same functions as they are called in another way.
OTHER_WAYS = {
    "apply_contact_policy in several zones": Entry(
        function=rk.apply_contact_policy,
        tables={
            "candidates": CANDIDATES,
            "contacts": [row | {"time": row["time"].replace(tzinfo=UTC)} for row in CONTACTS],
            "caps": CAPS,
        },
        options={"as_of": "2024-02-10 09:00", "timezone": "timezone"},
        columns={"timezone": Column(holds="any", nulls="kept")},
        keys=("customer_id", "channel", "rule"),
        result="customers",
    ),
    "churn_snapshots of subscribers": Entry(
        function=rk.churn_snapshots,
        tables={"orders": ARRIVED, "subscriptions": SUBSCRIPTIONS},
        options={"as_of": "2024-03-01", "horizon": "30D", "outcome": "churn"},
        columns=COVERED,
        ids=("customer_id",),
        keys=("customer_id",),
        result="customers",
    ),
    "customer_view of several tables": Entry(
        function=rk.customer_view,
        tables={"orders": ARRIVED, "customers": MEMBERS, "subscriptions": SUBSCRIPTIONS},
        options={"as_of": "2024-03-01", "subscription_amount": "mrr", "order": "order"},
        columns=COVERED,
        ids=("customer_id",),
        keys=("customer_id",),
        result="customers",
    ),
    "product_affinity of baskets": Entry(
        function=rk.product_affinity,
        tables={"lines": BASKETS},
        options={"by": "team", "kind": "basket", "order": "order_id", "min_trials": 2},
        columns={"order": ID, "item": ID, "by": SEGMENT},
        ids=("order_id",),
    ),
    "nps_difference of pairs": Entry(
        function=rk.nps_difference,
        tables={"responses": PAIRS},
        options={"group": "wave", "pair": "respondent"},
        columns={
            "pair": ID,
            "by": Column(holds="any", nulls="kept", name="plan"),
        },
        ids=("respondent",),
    ),
    "score_outcomes of churn": Entry(
        function=rk.score_outcomes,
        tables={"responses": RESPONSES, "outcomes": SUBSCRIPTIONS},
        options={"outcome": "churn", "horizon": "30D"},
        columns={
            "start": Column(holds="time", nulls="dropped", frame="outcomes"),
            "end": Column(holds="time", nulls="kept", frame="outcomes"),
            "subscription": Column(holds="any", nulls="dropped", name="contract", frame="outcomes"),
        },
        ids=("customer_id",),
        positional=2,
    ),
    "survival_curve of durations": Entry(
        function=rk.survival_curve,
        tables={"subscriptions": DURATIONS},
        options={"by": "plan", "duration": "duration", "observed": "observed"},
        columns={
            "duration": AMOUNT,
            "observed": FLAG,
            "entry": Column(holds="number", nulls="kept"),
            "counts": Column(holds="number", nulls="dropped", name="customers"),
            "weights": AMOUNT,
            "by": SEGMENT,
        },
    ),
    "cumulative_incidence of durations": Entry(
        function=rk.cumulative_incidence,
        tables={"subscriptions": DURATIONS},
        options={"reason": "plan", "duration": "duration", "observed": "observed"},
        columns={
            "reason": SEGMENT,
            "counts": Column(holds="number", nulls="dropped", name="customers"),
        },
    ),
    "survival_difference of durations": Entry(
        function=rk.survival_difference,
        tables={"subscriptions": DURATIONS},
        options={"group": "plan", "duration": "duration", "observed": "observed", "at": 3},
        columns={
            "group": SEGMENT,
            "counts": Column(holds="number", nulls="dropped", name="customers"),
        },
    ),
    "fit_sbg of a curve": Entry(
        function=rk.fit_sbg,
        tables={"table": CURVE},
        options={"age": "tenure", "at_risk": "at_risk", "churned": "churned", "cohort": "plan"},
        columns={"at_risk": NUMBER, "churned": NUMBER},
        result="value",
        empty="nothing can be learnt",
    ),
}
# Methods of models that take a table.
METHODS = {
    "BGNBD.discounted_expected_purchases": Entry(
        function=PURCHASES.discounted_expected_purchases,
        tables={"summary": SUMMARY},
        options={"rate": 0.1},
        columns=FITTED | {"keep": KEPT},
        ids=("customer_id",),
        keys=("customer_id",),
        positional=3,
        result="customers",
        warns=FIRST_COUNTED,
    ),
    "BGNBD.expected_purchases": Entry(
        function=PURCHASES.expected_purchases,
        tables={"summary": SUMMARY},
        options={"horizon": 30},
        columns=FITTED | {"keep": KEPT},
        ids=("customer_id",),
        keys=("customer_id",),
        positional=2,
        result="customers",
        warns=FIRST_COUNTED,
    ),
    "BGNBD.next_purchase": Entry(
        function=PURCHASES.next_purchase,
        tables={"summary": SUMMARY},
        columns=FITTED | {"keep": KEPT},
        ids=("customer_id",),
        keys=("customer_id",),
        result="customers",
        warns=FIRST_COUNTED,
    ),
    "BGNBD.probability_alive": Entry(
        function=PURCHASES.probability_alive,
        tables={"summary": SUMMARY},
        columns=FITTED | {"keep": KEPT},
        ids=("customer_id",),
        keys=("customer_id",),
        result="customers",
        warns=FIRST_COUNTED,
    ),
    "ChurnRisk.churn_risk": Entry(
        function=RISK.churn_risk,
        tables={"view": SNAPSHOTS[:40]},
        ids=("customer_id",),
        keys=("customer_id",),
        result="customers",
    ),
    "GammaGamma.expected_spend": Entry(
        function=SPEND.expected_spend,
        tables={"summary": SUMMARY},
        columns={"frequency": NUMBER, "monetary_value": NUMBER, "keep": KEPT},
        ids=("customer_id",),
        keys=("customer_id",),
        result="customers",
    ),
    "SBG.project": Entry(
        function=CHURN.project,
        tables={"table": SURVIVORS},
        options={"horizon": 3},
        columns=SURVIVING,
        positional=2,
        warns=([row | {"complete": row["age"] < 7} for row in SURVIVORS], {}),
    ),
}
REGISTRY = {entry.function.__name__: entry for entry in ENTRIES} | OTHER_WAYS | METHODS


# --- pictures ------------------------------------------------------------------------------------


def _result(name: str) -> Any:
    """Return the result of a function by its entry, in pandas."""
    entry = REGISTRY[name]
    tables = {argument: pd.DataFrame(rows) for argument, rows in entry.tables.items()}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", rk.RetainkitWarning)
        return entry.function(**tables, **entry.options)


# The arguments of each picture.
PICTURES: dict[str, Callable[[], Row]] = {
    "affinity": lambda: {"table": _result("product_affinity").query("team == 'a'")},
    "calibration": lambda: {"table": _result("lift_table").query("plan == 'a'")},
    "cltv_distribution": lambda: {"table": _result("cltv_from_models")},
    "cltv_total": lambda: {"table": _result("cltv_total")},
    "contact_policy": lambda: {"table": _result("apply_contact_policy")},
    "control_chart": lambda: {"table": _result("control_chart").query("plan == 'a'")},
    "customer_history": lambda: {
        "transactions": pd.DataFrame(ORDERS),
        "model": PURCHASES,
        "customer_id": 1,
    },
    "effects": lambda: {
        "table": pd.DataFrame(
            {
                "process": ["purchase", "spend"],
                "covariate": "plan",
                "level": "b",
                "reference": "a",
                "ratio": [1.5, 0.8],
                "ratio_lower": [1.2, 0.6],
                "ratio_upper": [1.9, 1.1],
            }
        )
    },
    "frequency_counts": lambda: {"model": PURCHASES, "summary": pd.DataFrame(SUMMARY)},
    "frequency_recency": lambda: {"model": PURCHASES, "T": 100, "max_frequency": 5},
    "growth_accounting": lambda: {"table": _result("growth_accounting").query("team == 'a'")},
    "holdout_calibration": lambda: {"table": _result("holdout_report").by_frequency},
    "key_drivers": lambda: {"table": _result("key_drivers").query("plan == 'a'")},
    "lift": lambda: {"table": _result("lift_table").query("plan == 'a'")},
    "mrr_waterfall": lambda: {"table": _result("mrr_movements").query("plan == 'a'")},
    "next_purchase": lambda: {
        "orders": pd.DataFrame(ORDERS),
        "model": PURCHASES,
        "customer_id": 1,
    },
    "nps_bar": lambda: {"table": _result("nps")},
    "observed_value": lambda: {"table": _result("observed_value"), "payback": _result("payback")},
    "projection": lambda: {"table": _result("SBG.project")},
    "retention_curve": lambda: {"curve": _result("retention_curve")},
    "retention_heatmap": lambda: {"table": pd.DataFrame(COHORTS).query("team == 'a'")},
    "score_trend": lambda: {"table": _result("score_trend")},
    "segment_map": lambda: {"table": _result("rfm_scores")},
    "segment_migration": lambda: {"table": _result("segment_migration").query("team == 'a'")},
    "survival_curve": lambda: {"curve": pd.DataFrame(CURVE)},
    "tracking": lambda: {"table": _result("tracking")},
    "value_concentration": lambda: {"table": _result("value_concentration")},
    "warning_signs": lambda: {"table": _result("warning_signs")},
}
