"""Models that have been fitted before, to score new orders by."""

from __future__ import annotations

from dataclasses import dataclass, replace

from retainkit._messages import warn
from retainkit.clv._covariates import check_no_covariates
from retainkit.clv._purchase_checks import check_purchase_model
from retainkit.clv._purchase_model import PurchaseModel
from retainkit.clv._spend import GammaGamma, check_spend_model, check_spend_unit
from retainkit.clv._valuation import ValuationOptions
from retainkit.errors import ArgumentError
from retainkit.purchases._spec import SummaryOptions

_ROUNDING = 1e-9  # relative difference of two times that are the same


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenModels:
    """A model of purchases and one of spend."""

    purchases: PurchaseModel
    spend: GammaGamma

    def summary_options(self, options: SummaryOptions) -> SummaryOptions:
        """Return the options of a summary in the unit of the models, merged as theirs was."""
        unit, exact = self.purchases.unit, self.purchases.exact
        return replace(options, unit=unit, exact=unit != "day" if exact is None else exact)

    def warn_of_earlier(self, longest: float) -> None:
        """Warn where customers observed for so long at most seem to be older than the fit."""
        known = self.purchases.largest_T
        if not longest or known is None or longest >= known * (1 - _ROUNDING):
            return
        unit = self.purchases.unit
        warn(
            f"Nobody has been observed for more than {longest:,.6g} {unit}s, and the models were "
            f"fitted to customers observed for up to {known:,.6g}. If `as_of` lies before the end "
            "of the data of the fit, they know more than was known then; if all customers here are "
            "newer, that is no matter.",
            code="before_fit",
            argument="as_of",
        )


def check_models(purchases: PurchaseModel, spend: GammaGamma) -> None:
    """Check that there are models of purchases and of spend, which count the same purchases."""
    check_purchase_model(purchases, "purchases")
    check_spend_model(spend, "spend")
    check_spend_unit(spend, purchases.unit, exact=purchases.exact)


def read_given_models(
    purchases: PurchaseModel | None,
    spend: GammaGamma | None,
    options: ValuationOptions,
    penalty: float,
) -> GivenModels | None:
    """Check the models and return them; None where neither is given."""
    if purchases is None and spend is None:
        return None
    for name, given, other in (("purchases", purchases, "spend"), ("spend", spend, "purchases")):
        if given is None:
            raise ArgumentError(
                f"`{other}` is given, and `{name}` is not: a value takes a model of each. Give "
                "both, or neither to have them fitted.",
                code="argument_needed",
                argument=name,
            )
    assert purchases is not None and spend is not None  # noqa: S101, PT018
    check_models(purchases, spend)
    for name, model in (("purchases", purchases), ("spend", spend)):
        check_no_covariates(model, name, "cltv_from_models")
    for argument, refits in (("penalty", penalty > 0), ("interval", options.refits)):
        if refits:
            value = repr(penalty) if argument == "penalty" else "'bootstrap'"
            raise ArgumentError(
                f"{argument}={value} is about fits, and with `purchases` and `spend` nothing is "
                "fitted; leave it out.",
                code="argument_conflict",
                argument=argument,
            )
    return GivenModels(purchases=purchases, spend=spend)
