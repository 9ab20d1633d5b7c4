"""Likelihoods, their maxima, and the base class of all fitted models. Arrays only."""
