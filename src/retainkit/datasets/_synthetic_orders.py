"""Synthetic orders whose model is known: what they are drawn from, and what covariates do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np

from retainkit._checks import integer, one_of
from retainkit._messages import count_noun, format_examples
from retainkit._models.process import RowParameters
from retainkit._time.periods import DAYS_IN
from retainkit._typing import Array, Floats, Integers
from retainkit.clv import BGNBD, MBGNBD, ParetoNBD
from retainkit.datasets._customer_truth import CUSTOMER_SPEND, DrawnOrders
from retainkit.datasets._order_effects import PROCESSES, DrawnCovariate, read_effects
from retainkit.datasets._order_times import (
    END,
    draw_joined,
    place_orders,
    purchases_until_dropout,
    to_cents,
)
from retainkit.datasets._periods import DAY
from retainkit.datasets._tables import build_table, order_table, to_times
from retainkit.errors import ArgumentError

if TYPE_CHECKING:
    import pandas as pd

_TimingModel: TypeAlias = ParetoNBD | BGNBD | MBGNBD
_MODELS: Final[dict[str, _TimingModel]] = {
    "pareto_nbd": ParetoNBD(r=0.8, alpha=60.0, s=0.7, beta=180.0, unit="day"),
    "bg_nbd": BGNBD(r=0.8, alpha=60.0, a=0.9, b=5.0, unit="day"),
    "mbg_nbd": MBGNBD(r=0.8, alpha=60.0, a=0.9, b=5.0, unit="day"),
}
_SIZES: Final = (1, 2, 4, 10)  # of segments, beside each other
_MOST_ADDED: Final = 20.0  # by all effects together, on a logarithm: 485 million times
_MOST_ORDERS: Final = 1e9
_SPREADS: Final = {"purchase": 0.35, "dropout": 0.45}  # between segments, on the scale of effects


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class OrderTables:
    """Orders, their customers, and what is true of them: of ``make_orders``.

    Parameters
    ----------
    orders, customers, truth : DataFrame
        A row for each order, and for each customer with what was known at the start, and with what
        the orders were drawn from.

    Examples
    --------
    >>> from retainkit.datasets import make_orders
    >>> make_orders(500, seed=1)
    OrderTables(orders=1,891 rows, customers=500 rows, truth=500 rows)
    """

    orders: pd.DataFrame
    customers: pd.DataFrame
    truth: pd.DataFrame

    def __repr__(self) -> str:
        """Return the number of rows of each table."""
        tables = [f"{one.name}={len(getattr(self, one.name)):,} rows" for one in fields(self)]
        return f"OrderTables({', '.join(tables)})"


def make_orders(
    customers: int = 2_000,
    *,
    seed: int,
    model: str | ParetoNBD | BGNBD | MBGNBD = "pareto_nbd",
    effects: Mapping[str, Mapping[str, float | Mapping[str, float]]] | None = None,
    segments: int | None = None,
) -> OrderTables:
    r"""Generate orders whose model is known, with what covariates do, to teach and to test with.

    >>> from retainkit import datasets
    >>> channels = {"web": 0.0, "shop": 0.5}
    >>> shop = datasets.make_orders(500, seed=1, effects={"purchase": {"channel": channels}})
    >>> shop.customers.head(3)
       customer_id              joined channel
    0            1 2024-01-04 11:28:37     web
    1            2 2024-01-05 05:52:07     web
    2            3 2024-01-05 08:39:31     web

    Customers join on any day of 2024 and 2025 with a first order. From then on each buys at a rate
    :math:`\lambda` of one's own until leaving, as the model says: at a time of one's own
    (Pareto/NBD), or after a purchase, with a chance of one's own (BG/NBD, and MBG/NBD after the
    first order too). What an order brings is Gamma-Gamma (``datasets.CUSTOMER_SPEND``).

    Parameters
    ----------
    customers : int, default 2000
        Number of customers, 1 or more.
    seed : int
        Seed of the random numbers, 0 or more: the same seed gives the same result.
    model : {"pareto_nbd", "bg_nbd", "mbg_nbd"} or model, default "pareto_nbd"
        What orders are drawn from: :math:`r = 0.8`, :math:`\alpha = 60` days, and
        :math:`s = 0.7`, :math:`\beta = 180` days or :math:`a = 0.9`, :math:`b = 5`; or a
        `ParetoNBD`, `BGNBD` or `MBGNBD` without covariates, for parameters of your own.
    effects : mapping, optional
        Coefficients of covariates, by process (``"purchase"``, ``"dropout"``, ``"spend"``) and
        name: for each level a number, the first being the reference with 0; or one number, for a
        covariate that is standard normal. A coefficient is the change of the logarithm of the rate,
        or of the spend; of the drop-out of BG/NBD and MBG/NBD that of the log odds of its mean. The
        reference is twice as frequent as every other level.
    segments : int, optional
        Number of segments, whose sizes are to each other as 1, 2, 4 and 10 in turn. The rates of
        each are its own: the effects on purchases have a standard deviation of 0.35 between
        segments, and those on leaving one of 0.45.

    Returns
    -------
    OrderTables
        A frozen value whose fields are pandas DataFrames. All times (datetime64[us]) are to the
        second, without time zone.

        - `orders`, by time: ``customer_id`` (int64): 1 to `customers`, in the order in which they
          join; ``order`` (int64): 1, 2, 3, ...; ``time``; ``amount`` (float64): in cents.
        - `customers`: ``customer_id``; ``joined``: the first order; each covariate (str or
          float64); with `segments`, ``segment`` (int64): 1, 2, 3, ...
        - `truth`: ``customer_id``; ``purchase_rate`` (float64): :math:`\lambda`, orders a day;
          ``leaving_rate`` (float64): a day, or ``dropout`` (float64): the chance to leave after an
          order; ``left``: when the customer left, NaT where that is not before 2026;
          ``mean_amount`` (float64): expected amount of an order; and the parameters that these were
          drawn from, with the effects of covariates and of the segment, in days: ``r``, ``alpha``,
          ``s`` and ``beta`` or ``a`` and ``b``, and ``v`` of Gamma-Gamma (float64).

    Raises
    ------
    ArgumentError
        If a number is too small, `model` or a process is not known, effects are not well formed or
        change a rate more than exp(20) times, or more than a billion orders are to be expected.
    ArgumentTypeError
        If an argument is of the wrong type.

    See Also
    --------
    make_customers : A whole shop, with use, tickets, answers, messages and items.
    retainkit.BGNBD.simulate : Histories of a model as a summary, without orders.

    Notes
    -----
    Orders and their times are continuous; a summary by the day counts those of one day once. The
    last customer always joins on the last day, so the log ends with 2025.

    Examples
    --------
    Does the fit find what the orders were drawn from? Shops buy exp(0.5) = 1.65 times as often:

    >>> from retainkit import fit_pareto_nbd, rfm_summary
    >>> from retainkit.datasets import make_orders
    >>> effects = {"purchase": {"channel": {"web": 0.0, "shop": 0.5}}}
    >>> shop = make_orders(4_000, seed=1, effects=effects)
    >>> summary = rfm_summary(shop.orders, exact=True).merge(shop.customers, on="customer_id")
    >>> found = fit_pareto_nbd(summary, purchase_covariates="channel").effects()
    >>> found[["level", "ratio", "ratio_lower", "ratio_upper"]].round(2)
      level  ratio  ratio_lower  ratio_upper
    0  shop   1.59         1.46         1.73
    """
    customers = integer("customers", customers, 1)
    own = _model(model)
    drawn = read_effects(effects)
    n_segments = None if segments is None else integer("segments", segments, 1)
    # A generator for each part, so that what one needs changes no other.
    rngs = np.random.default_rng(integer("seed", seed, 0)).spawn(4)
    joined = draw_joined(customers, rngs[0])
    values = {one.name: one.draw(customers, rngs[1]) for one in drawn}
    added = {process: _added(process, drawn, values, customers) for process in PROCESSES}
    if n_segments is not None:
        segment = _segments(customers, n_segments, rngs[2])
        for process, spread in _SPREADS.items():
            added[process] += (spread * rngs[2].standard_normal(n_segments))[segment]
        values["segment"] = segment + 1
    parameters = own.PROCESS.adjusted(_daily(own), added["purchase"], added["dropout"])
    level = CUSTOMER_SPEND["v"] * np.exp(added["spend"])
    orders, truth = _draw(own, parameters, level, joined, rngs[3])
    ids = np.arange(1, customers + 1)
    return OrderTables(
        orders=order_table(orders),
        customers=build_table({"customer_id": ids, "joined": to_times(joined), **values}),
        truth=build_table({"customer_id": ids, **truth}),
    )


def _model(given: Any) -> _TimingModel:
    """Return the model that is named or given."""
    if not isinstance(given, (ParetoNBD, BGNBD, MBGNBD)):
        one_of("model", given, [*_MODELS])
        return _MODELS[given]
    if given.has_covariates:
        raise ArgumentError(
            "`model` has covariates, which `effects` are to say: give one without.",
            code="argument_conflict",
            argument="model",
        )
    return given


def _daily(model: _TimingModel) -> RowParameters:
    """Return the parameters of a model with times in days."""
    days = DAYS_IN[model.unit]
    times = {"alpha", "beta"}
    every = model.parameters.items()
    return tuple(value * days if name in times else value for name, value in every)


def _added(
    process: str, drawn: Sequence[DrawnCovariate], values: Mapping[str, Array], customers: int
) -> Floats:
    """Return what all covariates add to a process, for each customer."""
    added = np.zeros(customers)
    for one in drawn:
        added += one.added(process, values[one.name])
    many = np.abs(added) > _MOST_ADDED
    if many.any():
        raise ArgumentError(
            f"`effects[{process!r}]` together add {format_examples(added[many][:3].tolist())} for "
            f"{count_noun(int(many.sum()), 'customer')}; they may add {-_MOST_ADDED:g} to "
            f"{_MOST_ADDED:g}. They are changes of a logarithm: 0.7 makes a rate twice as high.",
            code="argument_value",
            argument="effects",
        )
    return added


def _segments(customers: int, number: int, rng: np.random.Generator) -> Integers:
    """Draw the segment of each customer, from 0."""
    size = np.resize(_SIZES, number)
    return rng.choice(number, customers, p=size / size.sum())


def _draw(
    model: _TimingModel,
    parameters: RowParameters,
    level: Floats,
    joined: Integers,
    rng: np.random.Generator,
) -> tuple[DrawnOrders, dict[str, Array]]:
    """Draw the orders of customers with these parameters, and what is true of each customer."""
    r, alpha, *leaving = parameters
    rate = rng.gamma(r, 1 / alpha, joined.size)
    _check_number_of_orders(rate, joined)
    if isinstance(model, ParetoNBD):
        found, (owner, time, left) = _draw_pareto(rate, leaving, joined, rng)
    else:
        at_first = isinstance(model, MBGNBD)
        found, (owner, time, left) = _draw_beta_geometric(
            rate, leaving, joined, rng, at_first=at_first
        )
    p, q, _ = CUSTOMER_SPEND.values()
    spend = p / rng.gamma(q, 1 / level, joined.size)
    amount = rng.gamma(p, spend[owner] / p)
    order = np.lexsort((owner, time))
    orders = DrawnOrders(customer=owner[order], time=time[order], cents=to_cents(amount[order]))
    every = zip(model.NAMES, parameters, strict=True)
    truth = {
        "purchase_rate": rate,
        **found,
        "left": to_times(left),
        "mean_amount": spend,
        **{name: np.broadcast_to(value, joined.shape) for name, value in every},
        "v": level,
    }
    return orders, truth


def _check_number_of_orders(rate: Floats, joined: Integers) -> None:
    expected = float(np.sum(rate * (END - joined) / DAY))
    if not expected <= _MOST_ORDERS:
        raise ArgumentError(
            f"`model` and `effects` make {rate.size:,} customers order {expected:.3g} times in two "
            "years, if nobody leaves; that may be a billion times at most. Give a model of fewer "
            "purchases, with its `unit` of time, or smaller effects.",
            code="argument_value",
            argument="model",
        )


_Placed: TypeAlias = tuple[Integers, Integers, Integers]
"""The customer and the time of each order, and when each customer left."""


def _draw_pareto(
    rate: Floats,
    leaving: Sequence[float | Floats],
    joined: Integers,
    rng: np.random.Generator,
) -> tuple[dict[str, Floats], _Placed]:
    """Draw the rates at which customers leave, and their orders."""
    s, beta = leaving
    own = rng.gamma(s, 1 / np.asarray(beta), joined.size)
    # A rate of 0, or next to it, means that nobody ever leaves.
    with np.errstate(divide="ignore", over="ignore"):
        life = rng.exponential(size=joined.size) / own * DAY
    observed = END - joined
    span = np.clip(life, 1, observed).astype(np.int64)
    owner, time, left = place_orders(rng, joined, span, rng.poisson(rate * span / DAY), np.inf)
    return {"leaving_rate": own}, (owner, time, np.where(life < observed, joined + span, left))


def _draw_beta_geometric(
    rate: Floats,
    leaving: Sequence[float | Floats],
    joined: Integers,
    rng: np.random.Generator,
    *,
    at_first: bool,
) -> tuple[dict[str, Floats], _Placed]:
    """Draw the chances to leave after an order, `at_first` after the first too, and the orders."""
    a, b = leaving
    own = rng.beta(a, b, joined.size)
    until = purchases_until_dropout(rng, own) - int(at_first)
    observed = END - joined
    possible = rng.poisson(rate * observed / DAY)
    return {"dropout": own}, place_orders(rng, joined, observed, possible, until)
