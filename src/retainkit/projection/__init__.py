"""Models of retention: fits, and projections of survival beyond what was observed."""

from retainkit.projection._annualize import annualize_rate
from retainkit.projection._fits import BDW, SBG, fit_bdw, fit_sbg

__all__ = ["BDW", "SBG", "annualize_rate", "fit_bdw", "fit_sbg"]
