"""Synthetic survey answers whose truth is known, also that of those who did not answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

import numpy as np

from retainkit._checks import integer
from retainkit.datasets._periods import period_edges
from retainkit.datasets._survey_draws import DrawnInvitations, draw_invitations
from retainkit.datasets._survey_truth import survey_truth

if TYPE_CHECKING:
    import pandas as pd


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
    r"""Generate answers to a survey whose truth is known, to teach and to test with.

    >>> from retainkit import datasets
    >>> survey = datasets.make_survey(300, seed=1).dropna(subset="score")
    >>> survey[["customer_id", "sent", "channel", "plan", "score", "product"]].head(3)
       customer_id                sent channel   plan  score  product
    3           34 2024-01-01 08:58:04   email  basic   10.0      3.0
    7          113 2024-01-01 11:32:26     app  basic    7.0      2.0
    8          281 2024-01-01 12:09:15   email   plus    7.0      5.0

    Every customer is on a plan and is invited in every wave, once a quarter, by a channel at
    random. In the first wave (:math:`w = 0`) a customer of a plan is a promoter, a passive or a
    detractor with the probabilities :math:`p, m, d` of its `mix`, and later with those that
    `drift` makes of them. So of *all* customers of the plan the net promoter score is

    .. math:: \text{NPS}_w = 100 \, (p - d) + w \cdot \text{drift}.

    Whether an invitation is answered depends on the score: with the probabilities
    :math:`r_p, r_m, r_d` of `response`, times the factors of `channels` and `reach`. So those of
    the plan who answer have another score (in the first wave; in any channel):

    .. math:: 100 \, \frac{p \, r_p - d \, r_d}{p \, r_p + m \, r_m + d \, r_d}.

    Parameters
    ----------
    customers : int
        Number of customers, 1 or more.
    seed : int
        Seed of the random numbers, 0 or more: the same seed gives the same result.
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
        wave before rather than drawn anew. Without drift, the answers of two waves :math:`k` apart,
        counted as 1, 0 or -1, have the correlation :math:`\text{persistence}^k`.
    drivers : mapping of str to float, default DEFAULT_DRIVERS
        What is rated, and the strength :math:`b` of each, from -1 to 1 with squares that add up to
        1 at most: its correlation with the attitude that the score comes from, which is a sum of
        the drivers, each times its strength, and of something else. The drivers are independent,
        so that they explain the shares :math:`b^2` of its variance.
    start : str or datetime.date, default "2024-01-01"
        First day of the first period, as an ISO date. Periods are quarters.
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
        If an argument is not a number, or not a mapping, where one is needed.

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

    >>> from retainkit.datasets import make_survey
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
    truth = survey_truth(
        waves=edges.size - 1,
        mix=mix,
        drift=drift,
        response=response,
        channels=channels,
        reach=reach,
        drivers=drivers,
        persistence=persistence,
        delay=delay,
    )
    invitations = draw_invitations(rng, truth, edges[:-1], customers)
    return _survey_table(invitations, list(mix), list(channels), list(drivers))


def _survey_table(
    drawn: DrawnInvitations, plans: list[str], channels: list[str], drivers: list[str]
) -> pd.DataFrame:
    """Build the table; score and ratings are NaN where there is no answer."""
    import pandas as pd  # noqa: PLC0415  importing retainkit does not import pandas

    answered = drawn.lag > 0
    never = np.datetime64("NaT", "s")
    responded = np.where(answered, (drawn.sent + drawn.lag).astype("M8[s]"), never)
    rating = np.where(answered[:, np.newaxis], drawn.rating, np.nan)
    return pd.DataFrame(
        {
            "customer_id": drawn.customer + 1,
            "wave": drawn.wave.astype("M8[s]").astype("M8[us]"),
            "sent": drawn.sent.astype("M8[s]").astype("M8[us]"),
            "responded": responded.astype("M8[us]"),
            "channel": np.array(channels)[drawn.channel],
            "plan": np.array(plans)[drawn.plan],
            "score": np.where(answered, drawn.score, np.nan),
            **{name: rating[:, place] for place, name in enumerate(drivers)},
        }
    )
