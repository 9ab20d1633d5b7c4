"""What `nps` shows of promoters, passives and detractors: limits, columns, warnings."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from retainkit._intervals import ratio
from retainkit._words import quantity
from retainkit.errors import RetainkitWarning
from retainkit.surveys._nps_bootstrap import bootstrap_limits
from retainkit.surveys._nps_intervals import adjusted_wald_limits, score_limits, wald_limits

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from retainkit.surveys._scored import Groups

    Floats: TypeAlias = NDArray[np.float64]

METHODS = ("score", "adjusted_wald", "wald", "bootstrap")
PARTS = ("promoters", "passives", "detractors")
RESULT = (
    *("n", "n_missing", "n_invalid", "n_effective", *PARTS),
    *("nps", "standard_error", "lower", "upper", "method"),
)


def nps_limits(
    groups: Groups, method: str, draws: int, seed: int | None, confidence_level: float
) -> tuple[Floats, Floats]:
    """Give the interval of the difference of shares, from -1 to 1."""
    n = groups.effective
    promoters, detractors = groups.promoters * n, groups.detractors * n
    if method == "bootstrap":
        shares = np.column_stack(_shares(groups))
        counts = np.rint(np.nan_to_num(shares * n[:, np.newaxis])).astype(np.int64)
        return bootstrap_limits(counts, confidence_level, draws=draws, seed=seed)
    limits = {
        "score": score_limits,
        "adjusted_wald": adjusted_wald_limits,
        "wald": wald_limits,
    }[method]
    return limits(promoters, detractors, n, confidence_level)


def _shares(groups: Groups) -> tuple[Floats, Floats, Floats]:
    return groups.promoters, groups.passives, groups.detractors


def nps_columns(
    groups: Groups, limits: tuple[Floats, Floats], method: str, min_responses: int | None
) -> dict[str, Any]:
    value = groups.promoters - groups.detractors
    variance = groups.promoters + groups.detractors - value**2
    error = np.sqrt(ratio(np.maximum(variance, 0), groups.effective))
    hidden = np.zeros(len(value), bool)
    if min_responses is not None:
        hidden = groups.n < min_responses
        if hidden.any():
            warnings.warn(
                f"{quantity(int(hidden.sum()), 'segment')} with fewer than {min_responses} answers "
                "(`min_responses`) shown without a score.",
                RetainkitWarning,
                stacklevel=3,
            )
    shown_value, shown_error, *chances = (
        np.where(hidden, np.nan, 100 * one) for one in (value, error, *limits)
    )
    parts = zip(PARTS, _shares(groups), strict=True)
    return {
        "n": groups.n,
        "n_missing": groups.missing,
        "n_invalid": groups.invalid,
        "n_effective": groups.effective,
        **{name: np.where(hidden, np.nan, share) for name, share in parts},
        "nps": shown_value,
        "standard_error": shown_error,
        "lower": chances[0],
        "upper": chances[1],
        "method": np.full(len(value), method),
    }
