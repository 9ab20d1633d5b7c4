"""Make the design of a model of churn: features transformed, nulls told, what is new kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from retainkit._messages import count_noun, warn
from retainkit._typing import Floats
from retainkit.errors import ArgumentError
from retainkit.risk._scoring import transformed
from retainkit.risk._snapshots import ENDING, SnapshotRows

_DEPENDENT = 1e-9  # of the variance of a feature: a smaller remainder is rounding


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Design:
    """A matrix with a row of ones and one for each standardised feature that is used."""

    matrix: Floats
    features: tuple[str, ...]
    means: Floats
    scales: Floats
    dropped: tuple[str, ...]

    def unscaled(self, coefficients: Floats, covariance: Floats) -> dict[str, Any]:
        """Return the fields of a model whose features are not standardised."""
        back = np.diag(np.append(1.0, 1 / self.scales))
        back[0, 1:] = -self.means / self.scales
        found = back @ coefficients
        spread = back @ covariance @ back.T
        return {
            "features": self.features,
            "intercept": float(found[0]),
            "coefficients": tuple(found[1:].tolist()),
            "covariance": tuple(map(tuple, ((spread + spread.T) / 2).tolist())),
            "means": tuple(self.means.tolist()),
            "scales": tuple(self.scales.tolist()),
        }


def design_of(
    rows: SnapshotRows, transform: str
) -> tuple[tuple[str, ...], Floats, tuple[str, ...]]:
    """Return the names of all features, their matrix, transformed, and those that had nulls.

    Where one is null it has the mean of the others, and a further row says so.
    """
    values = transformed(rows.matrix[1:], transform)
    lacks = np.isnan(values)
    lacking = np.flatnonzero(lacks.any(axis=1))
    if not len(lacking):
        return rows.features, rows.matrix, ()
    for i in lacking:
        known = values[i][~lacks[i]]
        values[i][lacks[i]] = known.mean() if len(known) else 0.0
    imputed = tuple(rows.features[i] for i in lacking)
    further = tuple(f"{name}{ENDING}" for name in imputed)
    for name in further:
        if name in rows.features:
            raise ArgumentError(
                f"`features` has {name!r}, which is what missing='indicator' calls the column that "
                "says where a feature is null; rename it first.",
                code="reserved_name",
                argument="features",
                column=name,
            )
    return rows.features + further, np.vstack([rows.matrix, lacks[lacking]]), imputed


def standardised(names: tuple[str, ...], matrix: Floats) -> Design:
    """Return features with mean 0 and variance 1, without those that tell nothing new.

    They are the rows of `matrix` from the second on, and scaled in place.
    """
    n = matrix.shape[1]
    matrix[0] = 1.0
    means, scales = np.zeros(len(names)), np.zeros(len(names))
    for i in range(len(names)):
        one = matrix[i + 1]
        low, high = float(one.min()), float(one.max())
        if not high > low:
            continue
        means[i] = float(one.mean())
        np.subtract(one, means[i], out=one)
        scales[i] = np.sqrt(float(one @ one) / n)
        np.divide(one, scales[i], out=one)
    kept, reasons = _independent(names, scales, matrix)
    _warn_of_dropped(reasons, len(names))
    if len(kept) < len(names):
        matrix = matrix[[0, *(i + 1 for i in kept)]]
    return Design(
        matrix=matrix,
        features=tuple(names[i] for i in kept),
        means=means[kept],
        scales=scales[kept],
        dropped=tuple(reasons),
    )


def _independent(
    names: tuple[str, ...], scales: Floats, matrix: Floats
) -> tuple[list[int], dict[str, str]]:
    """Return the features to keep, and of each of the others why it tells nothing new."""
    correlation = matrix[1:] @ matrix[1:].T / matrix.shape[1]
    kept: list[int] = []
    reasons: dict[str, str] = {}
    for i, name in enumerate(names):
        if not scales[i] > 0:
            reasons[name] = f"{name!r} has one value throughout"
            continue
        among = np.ix_(kept, kept)
        weights = np.linalg.solve(correlation[among], correlation[kept, i]) if kept else np.zeros(0)
        if 1 - float(weights @ correlation[kept, i]) > _DEPENDENT:
            kept.append(i)
            continue
        others = [names[j] for j, w in zip(kept, weights, strict=True) if abs(w) > 1e-4]
        verb = "is the same as" if len(others) == 1 else "follows from"
        reasons[name] = f"{name!r} {verb} {', '.join(map(repr, others))}"
    return kept, reasons


def _warn_of_dropped(reasons: dict[str, str], total: int) -> None:
    """Warn of features that are not used; raise if there is no other."""
    if not reasons:
        return
    text = "; ".join([*reasons.values()][:5]) + ("; …" if len(reasons) > 5 else "")
    if len(reasons) == total:
        raise ArgumentError(
            f"no feature varies, and nothing can be learnt from them: {text}.",
            code="nothing_to_learn",
            argument="features",
        )
    warn(
        f"{count_noun(len(reasons), 'feature')} of {total:,} left out, as in these rows they tell "
        f"nothing new: {text}.",
        code="nothing_to_learn",
        argument="features",
        column=next(iter(reasons)),
        rows=len(reasons),
        total=total,
    )
