"""Checks of the models of purchases that are given to a function."""

from __future__ import annotations

from retainkit.clv._purchase_model import PurchaseModel
from retainkit.errors import ArgumentError, ArgumentTypeError


def check_purchase_model(model: object, argument: str = "model") -> None:
    """Check that a model is one of purchases."""
    if not isinstance(model, PurchaseModel):
        raise ArgumentTypeError(
            f"`{argument}` is a {type(model).__qualname__}; it must be a BGNBD, MBGNBD or "
            "ParetoNBD, such as fit_bg_nbd gives.",
            code="no_model",
            argument=argument,
        )


def check_given_exact(model: PurchaseModel, *, exact: bool) -> None:
    """Check that orders are counted as in the summary that a model was fitted to, if it knows."""
    if model.exact is None or model.exact == exact:
        return
    raise ArgumentError(
        f"`exact` is {exact}, and `model` was fitted to a summary of exact={model.exact}: give "
        f"`exact={model.exact}`, by which purchases are merged as they were there.",
        code="unit_mismatch",
        argument="exact",
    )
