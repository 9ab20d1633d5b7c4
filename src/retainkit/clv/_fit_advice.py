"""Advice on what to try where a fit ends on the boundary of what its parameters may be."""

from __future__ import annotations

from retainkit._models.effects import is_coefficient
from retainkit._models.fit import Fit
from retainkit.typing import Period


def fit_warnings(fit: Fit, unit: Period | None = None, *, exact: bool | None = None) -> list[str]:
    """Return the warnings of a fit, with what to try where it leaves parameters open.

    `unit` and `exact` are those of the times that it was fitted to.
    """
    facts = fit.diagnostics
    if not facts["not_identified"] or facts.get("no_repeats"):
        return fit.warnings
    if all(map(is_coefficient, facts["not_identified"])):
        return [*fit.warnings, *_effect_advice(fit)]
    ways = []
    if unit not in {None, "hour", "day"} and exact is not True:
        ways.append(
            f"Merged by the {unit}, purchases tell less: try rfm_summary(exact=True), or days."
        )
    if not facts.get("penalty"):
        ways.append(
            "penalty=0.01 draws all parameters to moderate values, with intervals; compare what "
            "both fits expect."
        )
    # The first warnings are about the parameters that are left open, one for each bound.
    last = max(len(facts["at_bound"]), 1)
    texts = [*fit.warnings]
    texts[last - 1 : last] = [" ".join([*texts[last - 1 : last], *ways])]
    return texts


def _effect_advice(fit: Fit) -> list[str]:
    """Return what to try where effects of covariates alone are left open."""
    if fit.diagnostics["at_bound"] or fit.diagnostics.get("covariate_penalty"):
        return []  # what a bound means says so
    return ["covariate_penalty=0.01 draws effects to 0, with intervals."]
