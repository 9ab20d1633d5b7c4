"""What `nps` shows of promoters, passives and detractors: limits, columns, warnings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from retainkit._messages import count_noun, warn
from retainkit._stats.nps_bootstrap import bootstrap_limits
from retainkit._stats.nps_intervals import (
    adjusted_wald_limits,
    score_limits,
    standard_error,
    wald_limits,
)

if TYPE_CHECKING:
    from retainkit._typing import Booleans, Floats, Integers
    from retainkit.surveys._promoters import PromoterShares


METHODS = ("score", "adjusted_wald", "wald", "bootstrap")
PARTS = ("promoters", "passives", "detractors")
RESULT = (
    *("n", "n_missing", "n_invalid", "n_effective", *PARTS),
    *("nps", "standard_error", "lower", "upper", "method"),
)


def nps_limits(
    groups: PromoterShares, method: str, draws: int, seed: int | None, confidence_level: float
) -> tuple[Floats, Floats]:
    """Give the interval of the difference of shares, from -1 to 1."""
    n = groups.worth.of_limits(confidence_level)
    promoters, passives, detractors = (share * n for share in _shares(groups))
    if method == "bootstrap":
        counts = np.rint(np.nan_to_num(np.column_stack([promoters, passives, detractors])))
        return bootstrap_limits(counts.astype(np.int64), confidence_level, draws=draws, seed=seed)
    limits = {
        "score": score_limits,
        "adjusted_wald": adjusted_wald_limits,
        "wald": wald_limits,
    }[method]
    return limits(promoters, detractors, n, confidence_level)


def _shares(groups: PromoterShares) -> tuple[Floats, Floats, Floats]:
    return groups.promoters, groups.passives, groups.detractors


def nps_columns(
    groups: PromoterShares,
    limits: tuple[Floats, Floats],
    method: str,
    min_responses: int | None,
    *,
    segmented: bool,
) -> dict[str, Any]:
    """Name the columns of the result; with `min_responses`, hide the scores of fewer answers."""
    n = groups.worth.effective
    error = standard_error(groups.promoters * n, groups.detractors * n, n)
    hidden = np.zeros(len(n), bool)
    if min_responses is not None:
        hidden = groups.n < min_responses
        if hidden.any():
            _warn_of_hidden(groups.n, hidden, min_responses, segmented=segmented)
    scores = {
        "nps": groups.promoters - groups.detractors,
        "standard_error": error,
        "lower": limits[0],
        "upper": limits[1],
    }
    parts = zip(PARTS, _shares(groups), strict=True)
    return {
        "n": groups.n,
        "n_missing": groups.missing,
        "n_invalid": groups.invalid,
        "n_effective": n,
        **{name: np.where(hidden, np.nan, share) for name, share in parts},
        **{name: np.where(hidden, np.nan, 100 * value) for name, value in scores.items()},
        "method": np.full(len(n), method),
    }


def _warn_of_hidden(n: Integers, hidden: Booleans, min_responses: int, *, segmented: bool) -> None:
    if segmented:
        what = f"{int(hidden.sum()):,} of {count_noun(len(n), 'segment')} with fewer answers"
    else:
        what = f"{count_noun(int(n[0]), 'answer')}, fewer"
    warn(f"{what} than {min_responses:,} (`min_responses`): shown without a score.")
