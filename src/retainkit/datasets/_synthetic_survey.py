"""Synthetic survey answers whose truth is known, also that of those who did not answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from scipy.special import ndtri

from retainkit._checks import integer, is_list, number
from retainkit.datasets._periods import period_edges
from retainkit.errors import ArgumentError, ArgumentTypeError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    import pandas as pd

    from retainkit._typing import Floats, Integers


DEFAULT_MIX: Final = MappingProxyType(
    {"basic": (0.35, 0.35, 0.30), "plus": (0.45, 0.35, 0.20), "pro": (0.60, 0.28, 0.12)}
)
"""The shares of promoters, passives and detractors of each plan that `make_survey` draws from."""

DEFAULT_CHANNELS: Final = MappingProxyType({"email": 0.7, "app": 1.0})
"""The channels of `make_survey`, and how well an invitation is answered in each."""

DEFAULT_DRIVERS: Final = MappingProxyType(
    {"product": 0.6, "support": 0.4, "price": 0.3, "design": 0.0}
)
"""What is rated in `make_survey`, and how strongly each drives the score."""

_PROMOTER, _PASSIVE, _DETRACTOR = range(3)
_SCORES: Final = (
    # By group: its least score, and the shares of the group up to each score but the last.
    (9, (0.40,)),
    (7, (0.40,)),
    (0, (0.05, 0.07, 0.10, 0.15, 0.25, 0.55)),
)
_DAY: Final = 86_400  # seconds
_SENT_WITHIN: Final = 14  # days
_ANSWERED_WITHIN: Final = 60  # days
_ROUNDING: Final = 1e-9
_COLUMNS: Final = ("customer_id", "wave", "sent", "responded", "channel", "plan", "score")


def make_survey(
    customers: int,
    *,
    seed: int,
    mix: Mapping[str, Sequence[float]] = DEFAULT_MIX,
    drift: float = 0.0,
    response: Sequence[float] = (0.4, 0.2, 0.3),
    channels: Mapping[str, float] = DEFAULT_CHANNELS,
    reach: Mapping[str, float] | None = None,
    persistence: float = 0.7,
    drivers: Mapping[str, float] = DEFAULT_DRIVERS,
    start: str | date = "2024-01-01",
    waves: int = 4,
    delay: float = 3.0,
) -> pd.DataFrame:
    r"""Make the answers to a survey whose truth is known, to teach and to test with.

    Every customer is on a plan and is invited in every wave, once a quarter, by a channel at
    random. In the first wave (:math:`w = 0`) a customer of a plan is a promoter, a passive or a
    detractor with the probabilities :math:`p, m, d` of its `mix`, and later with those that
    `drift` makes of them. So of *all* customers of the plan the net promoter score is

    .. math:: \text{NPS}_w = 100 \, (p - d) + w \cdot \text{drift}.

    Whether an invitation is answered depends on the score: with the probabilities
    :math:`r_p, r_m, r_d` of `response`, times what `channels` and `reach` say. So what is seen of
    the plan, of those who answer, is another score (in the first wave; in any channel):

    .. math:: 100 \, \frac{p \, r_p - d \, r_d}{p \, r_p + m \, r_m + d \, r_d}.

    Parameters
    ----------
    customers : int
        Number of customers, 1 or more.
    seed : int
        Seed of the random numbers, 0 or more: the same seed gives the same answers.
    mix : mapping of str to sequence of float, default DEFAULT_MIX
        The truth: the shares of promoters, passives and detractors of each plan in the first wave.
        Every customer is on one of these plans at random, for good.
    drift : float, default 0.0
        By how many points the score of every plan changes from wave to wave: half of it as much
        more promoters, half as fewer detractors. The share of passives stays.
    response : sequence of float, default (0.4, 0.2, 0.3)
        Probabilities that promoters, passives and detractors answer. With three equal ones those
        who answer are like the others.
    channels : mapping of str to float, default DEFAULT_CHANNELS
        The channels, and the factor by which each changes the probability of an answer.
    reach : mapping of str to float, optional
        Such factors of plans; those not named have 1. The plan is known of those too who do not
        answer, so that weights can make up for it: those of `rake`, for instance.
    persistence : float, default 0.7
        How far a customer's attitude lasts, from 0 to 1: the probability that it is that of the
        wave before rather than drawn anew. Without drift, what two answers :math:`k` waves apart
        stand for (1, 0 or -1) has the correlation :math:`\text{persistence}^k`.
    drivers : mapping of str to float, default DEFAULT_DRIVERS
        What is rated, and the strength :math:`b` of each, from -1 to 1 with squares that add up to
        1 at most: its correlation with the attitude that the score comes from, which is a sum of
        the drivers, each times its strength, and of something else. The drivers are independent,
        so that they explain the shares :math:`b^2` of its variance.
    start : str or datetime.date, default "2024-01-01"
        First day of the first quarter, as an ISO date.
    waves : int, default 4
        Number of waves, 1 or more.
    delay : float, default 3.0
        Mean time from an invitation to its answer in days, above 0 (exponential; those beyond 60
        days come after exactly 60).

    Returns
    -------
    pandas.DataFrame
        One row per invitation, by time:

        - ``customer_id`` (int64): 1 to `customers`.
        - ``wave`` (datetime64[us]): first day of the quarter, at midnight.
        - ``sent`` (datetime64[us]): uniform over the first 14 days, to the second, without time
          zone.
        - ``responded`` (datetime64[us]): when it was answered; NaT where it was not.
        - ``channel`` (str): one of the channels. ``plan`` (str): one of the plans.
        - ``score`` (float64): whole, 0 to 10; NaN where there is no answer.
        - a column of each driver (float64): a rating, whole, 1 to 5; NaN where there is no answer.

    Raises
    ------
    ArgumentError
        If an argument is out of range, or `start` is not the first day of a quarter; if shares of
        a plan do not add up to 1 or `drift` takes them out of 0 to 1; if an answer would have a
        probability above 1.
    ArgumentTypeError
        If a number is none, or a mapping is no mapping.

    See Also
    --------
    retainkit.nps : The score of those who answered, with its interval.

    Notes
    -----
    The attitude of a customer is a standard normal :math:`A`, cut so that the shares come out. A
    detractor gives 0 to 6 with probabilities of 5, 2, 3, 5, 10, 30 and 45 %, a passive 7 or 8 with
    40 and 60 %, and a promoter 9 or 10 with 40 and 60 %, the higher ones where :math:`A` is higher.
    A driver is a standard normal :math:`D` too, and its rating :math:`3 + D`, rounded and held
    within 1 and 5. Those who answer are a selection by score, and among them the drivers are
    therefore not quite independent.

    Examples
    --------
    Of customers on "pro" 60 % are promoters and 12 % detractors, an NPS of 48. Passives answer
    less often than others, and the score of those who answer is above 60:

    >>> from retainkit.datasets._made_survey import make_survey
    >>> survey = make_survey(20_000, seed=1)
    >>> score = survey.loc[survey["plan"] == "pro", "score"].dropna()
    >>> round(100 * (score >= 9).mean() - 100 * (score <= 6).mean())
    60
    >>> round(100 * (0.60 * 0.4 - 0.12 * 0.3) / (0.60 * 0.4 + 0.28 * 0.2 + 0.12 * 0.3), 1)
    61.4
    """
    customers = integer("customers", customers, 1)
    rng = np.random.default_rng(integer("seed", seed, 0))
    edges = period_edges(start, "quarter", integer("waves", waves, 1))
    plans = _mixes(mix)
    truth = _Truth(
        mix=_drifted(plans, drift, edges.size - 1),
        response=np.array(_triple("response", response)),
        channels=np.array(list(_by_name("channels", channels, 0, np.inf).values())),
        reach=_factors(reach, list(plans)),
        strengths=_strengths(drivers),
        persistence=number("persistence", persistence, 0, 1),
        delay=_above_0("delay", delay),
    )
    most = truth.response.max() * truth.channels.max() * truth.reach.max()
    if most > 1 + _ROUNDING:
        raise ArgumentError(
            "`response`, `channels` and `reach` together give some invitations a probability of "
            f"{most:g} to be answered; lower one of them, so that it is 1 at most."
        )
    invitations = _invitations(rng, truth, edges[:-1], customers)
    return _table(invitations, list(plans), list(channels), list(drivers))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Truth:
    """What is drawn from: `mix` by wave, plan and group, the others by group, channel or plan."""

    mix: Floats
    response: Floats
    channels: Floats
    reach: Floats
    strengths: Floats
    persistence: float
    delay: float


@dataclass(frozen=True, slots=True, kw_only=True)
class _Invitations:
    """Parallel arrays of an element an invitation, by time; times are seconds since 1970.

    `rating` has a column of each driver; where there is no answer `lag` is negative.
    """

    customer: Integers
    wave: Integers
    sent: Integers
    lag: Integers
    channel: Integers
    plan: Integers
    score: Integers
    rating: Floats


# Checks


def _by_name(argument: str, values: Any, least: float, most: float) -> dict[str, float]:
    """Check a mapping from names to numbers."""
    _check_names(argument, values)
    return {
        name: number(f"{argument}[{name!r}]", value, least, most) for name, value in values.items()
    }


def _check_names(argument: str, values: Any) -> None:
    if not isinstance(values, Mapping):
        raise ArgumentTypeError(f"`{argument}` is {values!r}; it must be a mapping from names.")
    if not values:
        raise ArgumentError(f"`{argument}` is empty; it must have one name or more.")
    wrong = [name for name in values if not isinstance(name, str)]
    if wrong:
        raise ArgumentTypeError(f"`{argument}` has the name {wrong[0]!r}; names must be text.")


def _triple(argument: str, values: Any) -> list[float]:
    """Check three probabilities: of promoters, passives and detractors."""
    if not is_list(values):
        raise ArgumentTypeError(
            f"`{argument}` is {values!r}; it must be three numbers, of promoters, passives and "
            "detractors."
        )
    found = [number(argument, value, 0, 1) for value in values]
    if len(found) != 3:
        raise ArgumentError(
            f"`{argument}` has {len(found)} numbers; it must have three, of promoters, passives "
            "and detractors."
        )
    return found


def _mixes(mix: Any) -> dict[str, list[float]]:
    """Check the shares of each plan."""
    _check_names("mix", mix)
    found = {plan: _triple(f"mix[{plan!r}]", shares) for plan, shares in mix.items()}
    for plan, shares in found.items():
        if abs(sum(shares) - 1) > _ROUNDING:
            raise ArgumentError(
                f"`mix[{plan!r}]` is {tuple(shares)}, which adds up to {sum(shares):g}; the shares "
                "of promoters, passives and detractors must add up to 1."
            )
    return found


def _drifted(plans: Mapping[str, list[float]], drift: Any, waves: int) -> Floats:
    """Give the shares by wave, plan and group."""
    shift = number("drift", drift, -200, 200) / 200 * np.arange(waves)
    moved = np.outer(shift, (1, 0, -1))  # from detractors to promoters
    mix: Floats = np.array(list(plans.values())) + moved[:, np.newaxis]
    wave, plan, _ = np.nonzero((mix < -_ROUNDING) | (mix > 1 + _ROUNDING))
    if wave.size:
        shares = tuple(mix[wave[0], plan[0]].round(4).tolist())
        raise ArgumentError(
            f"`drift` is {drift}, which makes the shares of plan {list(plans)[plan[0]]!r} "
            f"{shares} in wave {wave[0] + 1} of {waves}; lower it, or ask for fewer waves."
        )
    return mix


def _factors(reach: Any, plans: list[str]) -> Floats:
    """Give the factor of each plan, 1 where there is none."""
    found = {} if reach is None else _by_name("reach", reach, 0, np.inf)
    unknown = [name for name in found if name not in plans]
    if unknown:
        raise ArgumentError(f"`reach` names the plan {unknown[0]!r}; `mix` has {plans}.")
    return np.array([found.get(plan, 1.0) for plan in plans])


def _strengths(drivers: Any) -> Floats:
    """Check the strengths of drivers, and their names, which become columns."""
    found = _by_name("drivers", drivers, -1, 1)
    taken = [name for name in found if name in _COLUMNS]
    if taken:
        raise ArgumentError(
            f"`drivers` has the name {taken[0]!r}, which is another column of the table; rename it."
        )
    strengths = np.array(list(found.values()))
    total = float(np.sum(strengths**2))
    if total > 1 + _ROUNDING:
        raise ArgumentError(
            f"the squares of the strengths in `drivers` add up to {total:g}; they must add up to 1 "
            "at most, all that there is to explain."
        )
    return strengths


def _above_0(argument: str, value: Any) -> float:
    found = number(argument, value, 0)
    if found == 0:
        raise ArgumentError(f"`{argument}` is {value!r}; it must be above 0.")
    return found


# Draws


def _invitations(
    rng: np.random.Generator, truth: _Truth, begins: Integers, customers: int
) -> _Invitations:
    """Draw wave after wave."""
    plan = rng.integers(truth.reach.size, size=customers)
    level = rng.random(customers)
    made = []
    for wave, begin in enumerate(begins.tolist()):
        kept = rng.random(customers) < truth.persistence
        level = np.where(kept, level, rng.random(customers))
        group, score = _scores(level, truth.mix[wave, plan])
        channel = rng.integers(truth.channels.size, size=customers)
        chance = truth.response[group] * truth.channels[channel] * truth.reach[plan]
        answered = rng.random(customers) < chance
        lag = np.ceil(rng.exponential(truth.delay * _DAY, customers))
        lag = np.clip(lag, 1, _ANSWERED_WITHIN * _DAY).astype(np.int64)
        sent = begin * _DAY + rng.integers(_SENT_WITHIN * _DAY, size=customers)
        order = np.argsort(sent, kind="stable")
        drawn = _Invitations(
            customer=order,
            wave=np.full(customers, begin * _DAY),
            sent=sent[order],
            lag=np.where(answered, lag, -1)[order],
            channel=channel[order],
            plan=plan[order],
            score=score[order],
            rating=_ratings(rng, level, truth.strengths)[order],
        )
        made.append(drawn)
    names = [field.name for field in fields(_Invitations)]
    return _Invitations(
        **{name: np.concatenate([getattr(one, name) for one in made]) for name in names}
    )


def _scores(level: Floats, mix: Floats) -> tuple[Integers, Integers]:
    """Give the group and the score of each level, which is uniform from 0 to 1."""
    low, high = mix[:, _DETRACTOR], 1 - mix[:, _PROMOTER]
    group = np.where(level < low, _DETRACTOR, np.where(level < high, _PASSIVE, _PROMOTER))
    score = np.zeros(level.size, np.int64)
    begins, ends = (high, low, np.zeros_like(low)), (np.ones_like(low), high, low)
    for place, (least, shares) in enumerate(_SCORES):
        inside = group == place
        begin, end = begins[place][inside], ends[place][inside]
        part = (level[inside] - begin) / (end - begin)
        score[inside] = least + np.searchsorted(shares, part, side="right")
    return group, score


def _ratings(rng: np.random.Generator, level: Floats, strengths: Floats) -> Floats:
    """Draw ratings of drivers that are independent, and of which the attitude is the sum.

    The drivers and what else there is are independent normals, drawn under the condition that
    their sum, each times its strength, is the attitude: what is drawn without it is moved along
    the strengths until it is.
    """
    rest = np.sqrt(max(0.0, 1 - np.sum(strengths**2)))
    weights = np.append(strengths, rest)
    free = rng.standard_normal((level.size, weights.size))
    short = ndtri(np.maximum(level, np.finfo(float).tiny)) - free @ weights
    driver = free[:, :-1] + np.outer(short, strengths)
    ratings: Floats = np.clip(np.rint(3 + driver), 1, 5)
    return ratings


def _table(
    made: _Invitations, plans: list[str], channels: list[str], drivers: list[str]
) -> pd.DataFrame:
    """Name everything; where nothing was answered, nothing is told."""
    import pandas as pd  # noqa: PLC0415 - importing retainkit stays light

    answered = made.lag > 0
    never = np.datetime64("NaT", "s")
    responded = np.where(answered, (made.sent + made.lag).astype("M8[s]"), never)
    rating = np.where(answered[:, np.newaxis], made.rating, np.nan)
    return pd.DataFrame(
        {
            "customer_id": made.customer + 1,
            "wave": made.wave.astype("M8[s]").astype("M8[us]"),
            "sent": made.sent.astype("M8[s]").astype("M8[us]"),
            "responded": responded.astype("M8[us]"),
            "channel": np.array(channels)[made.channel],
            "plan": np.array(plans)[made.plan],
            "score": np.where(answered, made.score, np.nan),
            **{name: rating[:, place] for place, name in enumerate(drivers)},
        }
    )
