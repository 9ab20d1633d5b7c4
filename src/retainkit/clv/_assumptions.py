"""Warnings of what a valuation takes for granted and does not hold."""

from __future__ import annotations

from retainkit._inputs.customers import Customers
from retainkit.clv._contracts import contract_warning
from retainkit.clv._dependent_spend import spend_warnings
from retainkit.clv._valuation import ValuationSpec


def value_warnings(
    spec: ValuationSpec, histories: Customers, spend: Customers
) -> list[tuple[str, str]]:
    """Return codes and texts of warnings of what a valuation takes for granted."""
    found = []
    alone = [
        f"`{name}`"
        for name, model in (("purchases", spec.purchases), ("spend", spec.spend))
        if model.covariance is None
    ]
    if spec.lacks_intervals and alone:
        text = (
            f"There are no intervals (lower and upper are NaN): {' and '.join(alone)} "
            f"{'have' if len(alone) > 1 else 'has'} no covariance, as a model that is made of its "
            "parameters alone. `fit_bg_nbd` and `fit_gamma_gamma` give one."
        )
        found.append(("no_intervals", text))
    contracts = contract_warning(
        histories,
        spend,
        spec.purchases.unit,
        no_intervals=spec.lacks_intervals and not alone,
    )
    if contracts is not None:
        found.append(contracts)
    return [*found, *spend_warnings(spend)]
