"""How many customers will stay: models of retention, fitted and projected."""

from retainkit.projection._fits import BDW, SBG, annualize_rate, fit_bdw, fit_sbg

__all__ = ["BDW", "SBG", "annualize_rate", "fit_bdw", "fit_sbg"]
