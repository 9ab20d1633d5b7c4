"""The search for the parameters of Pareto/NBD: coordinates, edges and starts.

The coordinates are, with m the mean T, log r, log(alpha / (r m)), log s and log(beta / (s m)); the
penalised quantities log r, log(alpha / m), log s and log(beta / m).
"""

from __future__ import annotations

import numpy as np

from retainkit._models.bg_nbd_fit import PURCHASE_EDGES, purchase_moments
from retainkit._models.fit import LARGE, Coordinates, Edge
from retainkit._models.fit_rows import Search
from retainkit._typing import Floats


def _natural(phi: Floats, scale: float) -> tuple[Floats, Floats]:
    """Return r, alpha, s, beta and their derivatives (4, 4) by the coordinates."""
    r, wait, s, life = np.exp(phi)
    alpha, beta = r * wait * scale, s * life * scale
    jacobian = np.array(
        [[r, 0, 0, 0], [alpha, alpha, 0, 0], [0, 0, s, 0], [0, 0, beta, beta]], dtype=np.float64
    )
    return np.array([r, alpha, s, beta]), jacobian


def _coordinates(parameters: Floats, scale: float) -> Floats:
    r, alpha, s, beta = parameters
    return np.log([r, alpha / (r * scale), s, beta / (s * scale)])


_LINEAR = np.array([[1, 0, 0, 0], [1, 1, 0, 0], [0, 0, 1, 0], [0, 0, 1, 1]], dtype=np.float64)
PARETO_NBD_SEARCH = Search(
    model=Coordinates(
        names=("r", "alpha", "s", "beta"),
        bounds=((-LARGE, LARGE), (-25.0, 25.0), (-LARGE, LARGE), (-25.0, 25.0)),
        natural=_natural,
        within={2: 3},  # how much the rates of leaving differ, where nobody leaves
        edges={
            **PURCHASE_EDGES,
            (2, "low"): Edge(
                "extreme_dropout",
                "s is at its lower bound: customers leave at once or never, and the rate of "
                "leaving is not identified.",
            ),
            (2, "high"): Edge(
                "equal_dropout",
                "s and beta are at infinity: customers do not differ in their rate of leaving, and "
                "only s / beta is identified.",
            ),
            (3, "low"): Edge(
                "certain_dropout",
                "beta / s is at its lower bound: customers leave at once, and s and beta are not "
                "identified.",
            ),
            (3, "high"): Edge(
                "no_dropout",
                "s / beta is zero: the data show nobody leave, and s and beta are not identified.",
            ),
        },
    ),
    linear=_LINEAR,
    penalised=_LINEAR,
    scaled=(1, 3),
    targets={"purchase": (1, -1), "dropout": (3, -1)},
    coordinates_of=_coordinates,
)


def pareto_nbd_starts(x: Floats, T: Floats, weights: Floats) -> list[Floats]:  # noqa: N803
    """Moments of the counts as if nobody left, then other guesses about leaving."""
    moments = purchase_moments(x, T, weights)
    if moments is None:
        return [np.array([-LARGE, LARGE, 0.0, 0.0])]
    log_r, wait = moments
    return [
        np.array([log_r, wait - 0.5, -0.5, 0.5]),
        np.array([log_r + 1, wait, 0.0, 2.5]),
        np.array([log_r, wait - 1.5, 0.0, -0.5]),
        np.array([0.0, wait - 2.0, 0.5, -1.5]),
        np.array([log_r + 1, wait - 0.5, LARGE, 0.5]),
        # Few repeat purchases leave it open whether rates differ or customers leave: two maxima.
        np.array([-1.0, wait - 1.0, LARGE, 0.0]),
        np.array([-1.0, wait - 1.0, 0.5, 0.0]),
        # Some of those who bought once may have left at once, and the others never do.
        np.array([log_r + 1, wait, -3.0, -1.0]),
    ]
