"""Draw the invitations, answers and ratings of a synthetic survey."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Final

import numpy as np

from retainkit._scipy import without_scipy_filters
from retainkit._typing import Floats, Integers
from retainkit.datasets._periods import DAY
from retainkit.datasets._survey_truth import SurveyTruth

with without_scipy_filters():
    from scipy.special import ndtri

_PROMOTER, _PASSIVE, _DETRACTOR = range(3)
_SCORES: Final = (
    # By group: its least score, and the shares of the group up to each score but the last.
    (9, (0.40,)),
    (7, (0.40,)),
    (0, (0.05, 0.07, 0.10, 0.15, 0.25, 0.55)),
)
_SENT_WITHIN: Final = 14  # days
_ANSWERED_WITHIN: Final = 60  # days


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnInvitations:
    """Parallel arrays with an element for each invitation, by time in seconds since 1970.

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


def draw_invitations(
    rng: np.random.Generator, truth: SurveyTruth, begins: Integers, customers: int
) -> DrawnInvitations:
    """Draw the invitations and answers of wave after wave."""
    plan = rng.integers(truth.reach.size, size=customers)
    level = rng.random(customers)
    waves = []
    for wave, begin in enumerate(begins.tolist()):
        kept = rng.random(customers) < truth.persistence
        level = np.where(kept, level, rng.random(customers))
        group, score = groups_and_scores(level, truth.mix[wave, plan])
        channel = rng.integers(truth.channels.size, size=customers)
        chance = truth.response[group] * truth.channels[channel] * truth.reach[plan]
        answered = rng.random(customers) < chance
        lag = np.ceil(rng.exponential(truth.delay * DAY, customers))
        lag = np.clip(lag, 1, _ANSWERED_WITHIN * DAY).astype(np.int64)
        sent = begin * DAY + rng.integers(_SENT_WITHIN * DAY, size=customers)
        order = np.argsort(sent, kind="stable")
        drawn = DrawnInvitations(
            customer=order,
            wave=np.full(customers, begin * DAY),
            sent=sent[order],
            lag=np.where(answered, lag, -1)[order],
            channel=channel[order],
            plan=plan[order],
            score=score[order],
            rating=_ratings(rng, level, truth.strengths)[order],
        )
        waves.append(drawn)
    names = [field.name for field in fields(DrawnInvitations)]
    return DrawnInvitations(
        **{name: np.concatenate([getattr(one, name) for one in waves]) for name in names}
    )


def groups_and_scores(level: Floats, mix: Floats) -> tuple[Integers, Integers]:
    """Return the group and the score of each level, which is uniform from 0 to 1."""
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
    """Draw ratings of independent drivers whose weighted sum is the attitude.

    The drivers and the rest are independent normals, drawn under the condition that their sum,
    each times its strength, is the attitude: normals drawn without the condition are moved along
    the strengths until they meet it.
    """
    rest = np.sqrt(max(0.0, 1 - np.sum(strengths**2)))
    weights = np.append(strengths, rest)
    free = rng.standard_normal((level.size, weights.size))
    short = ndtri(np.maximum(level, np.finfo(float).tiny)) - free @ weights
    driver = free[:, :-1] + np.outer(short, strengths)
    ratings: Floats = np.clip(np.rint(3 + driver), 1, 5)
    return ratings
