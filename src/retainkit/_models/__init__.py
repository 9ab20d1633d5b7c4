"""Likelihoods, their maxima, and what all fitted models share. Arrays only."""
