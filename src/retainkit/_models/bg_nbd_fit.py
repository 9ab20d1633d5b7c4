"""The search for the parameters of BG/NBD and MBG/NBD: coordinates, edges and starts.

The coordinates are, with s the mean T, log r, log(alpha / (r s)), log(a / b) and log(a + b); the
penalised quantities log r, log(alpha / s), log(a / b) and log(a + b).
"""

from __future__ import annotations

import numpy as np

from retainkit._models.fit import LARGE, Coordinates, Edge
from retainkit._models.fit_rows import Search
from retainkit._typing import Floats


def _natural(phi: Floats, scale: float) -> tuple[Floats, Floats]:
    """Return r, alpha, a, b and their derivatives (4, 4) by the coordinates."""
    r, wait, both = np.exp(phi[[0, 1, 3]])
    share, rest = 1 / (1 + np.exp(-phi[2])), 1 / (1 + np.exp(phi[2]))
    alpha, a, b = r * wait * scale, share * both, rest * both
    slope = share * rest * both
    jacobian = np.array(
        [[r, 0, 0, 0], [alpha, alpha, 0, 0], [0, 0, slope, a], [0, 0, -slope, b]], dtype=np.float64
    )
    return np.array([r, alpha, a, b]), jacobian


def _coordinates(parameters: Floats, scale: float) -> Floats:
    r, alpha, a, b = parameters
    return np.log([r, alpha / (r * scale), a / b, a + b])


PURCHASE_EDGES = {
    (0, "low"): Edge(
        "extreme_rates",
        "r is at its lower bound: almost nobody buys again, and the rate of purchase "
        "is not identified.",
    ),
    (0, "high"): Edge(
        "equal_rates",
        "r and alpha are at infinity: customers do not differ in their rate of purchase, "
        "and only r / alpha is identified.",
    ),
    (1, "low"): Edge("fast_rates", "alpha / r is at its lower bound; it is not identified."),
    (1, "high"): Edge("slow_rates", "alpha / r is at its upper bound; it is not identified."),
}
"""The meaning of bounds of the rate of purchase."""

_LINEAR = np.array([[1, 0, 0, 0], [1, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]], dtype=np.float64)
BG_NBD_SEARCH = Search(
    model=Coordinates(
        names=("r", "alpha", "a", "b"),
        bounds=((-LARGE, LARGE), (-25.0, 25.0), (-LARGE, LARGE), (-LARGE, LARGE)),
        natural=_natural,
        within={3: 2},  # how much drop-out differs, where there is none
        edges={
            **PURCHASE_EDGES,
            (2, "low"): Edge(
                "no_dropout",
                "a / (a + b) is zero: the data show no drop-out, and a and b are not identified.",
            ),
            (2, "high"): Edge(
                "certain_dropout",
                "a / (a + b) is one: customers drop out at the first opportunity, and a and b are "
                "not identified.",
            ),
            (3, "low"): Edge(
                "extreme_dropout",
                "a and b are zero: customers drop out at the first opportunity or never, and only "
                "a / (a + b) is identified.",
            ),
            (3, "high"): Edge(
                "equal_dropout",
                "a and b are at infinity: customers do not differ in their drop-out, and only "
                "a / (a + b) is identified.",
            ),
        },
    ),
    linear=_LINEAR,
    penalised=_LINEAR,
    scaled=(1,),
    targets={"purchase": (1, -1), "dropout": (2, 1)},
    coordinates_of=_coordinates,
)


def bg_nbd_starts(x: Floats, T: Floats, weights: Floats) -> list[Floats]:  # noqa: N803
    """Moments of the counts as if nobody dropped out, then other guesses about drop-out."""
    moments = purchase_moments(x, T, weights)
    if moments is None:
        return [np.array([-LARGE, LARGE, 0.0, 0.0])]
    log_r, wait = moments
    return [
        np.array([log_r, wait - 0.5, -1.0, 1.0]),
        np.array([log_r + 1, wait, -3.0, 2.0]),
        np.array([log_r, wait - 1.5, 0.0, 0.0]),
        np.array([0.0, wait - 2.0, 1.0, 0.0]),
        np.array([log_r + 1, wait - 0.5, -1.5, LARGE]),
        # Few repeat purchases leave it open whether rates differ or customers drop out: two maxima.
        np.array([-1.0, wait - 1.0, 0.0, LARGE]),
        np.array([-1.0, wait - 1.0, 0.0, 2.0]),
    ]


def purchase_moments(x: Floats, T: Floats, weights: Floats) -> tuple[float, float] | None:  # noqa: N803
    """Return log r and log(alpha / (r m)) by the moments of counts; None where nobody buys."""
    mean, length = np.average(x, weights=weights), np.average(T, weights=weights)
    if mean == 0 or length == 0:
        return None
    spread = np.average((x - mean) ** 2, weights=weights)
    log_r = float(np.clip(np.log(mean**2 / max(spread - mean, 1e-3 * mean**2)), -3, 3))
    return log_r, -float(np.log(mean))
