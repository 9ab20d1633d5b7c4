"""Check the models that pictures draw."""

from __future__ import annotations

from retainkit.clv import BGNBD, ParetoNBD
from retainkit.errors import ArgumentTypeError


def check_drawn_model(model: object) -> None:
    """Check that a model is one of purchases."""
    if not isinstance(model, (BGNBD, ParetoNBD)):
        raise ArgumentTypeError(
            f"`model` is a {type(model).__qualname__}; it must be a BGNBD, MBGNBD or "
            "ParetoNBD, such as fit_bg_nbd gives.",
            argument="model",
        )
