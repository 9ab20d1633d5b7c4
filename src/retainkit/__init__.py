"""Customer-retention metrics on DataFrames: the honest number, on any DataFrame, checked."""

from retainkit import datasets, errors, plot
from retainkit.cohorts import cohort_retention
from retainkit.curves import retention_curve, retention_matrix
from retainkit.errors import RetainkitError, RetainkitWarning

__version__ = "0.1.0"

__all__ = [
    "RetainkitError",
    "RetainkitWarning",
    "__version__",
    "cohort_retention",
    "datasets",
    "errors",
    "plot",
    "retention_curve",
    "retention_matrix",
]
