#!/usr/bin/env bash
# lifetimes: the covariance matrix of a fit is not symmetric.
#
# Versions: lifetimes 0.11.3, pandas 3.1.1
# Expected: variance_matrix_ is "the variance matrix of the parameters": symmetric, with
#           correlations from -1 to 1. The data are the CDNOW customers that come with the package.
# Seen:     a correlation of 14.2 above the diagonal, and of .04 below it; the right one is .78.
#           Only the diagonal is right, and so are the standard errors. The fit is one of
#           logarithms, so each row and each column is to be multiplied by its parameter. Instead
#           each column is multiplied by the square of it.
# Output:
#   lifetimes 0.11.3
#                 r     alpha         a         b
#   r      0.000158  0.067431 -0.000287  0.000656
#   alpha  0.000204  0.143051 -0.000515  0.005783
#   a     -0.000027 -0.015951  0.034492  0.376904
#   b      0.000007  0.019145  0.040268  0.497512
#   correlation of r and alpha: 14.20 above, 0.04 below, 0.78 right
#   As described: above the diagonal stands a correlation of more than 10.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3.11}" -m venv "$folder"
python=$folder/bin/python
"$python" -m pip install --quiet --no-compile --disable-pip-version-check \
  lifetimes==0.11.3 pandas==3.1.1 numpy==2.4.6 scipy==1.17.1 autograd==1.9.1 dill==0.4.1
"$python" -W ignore - <<'END'
from importlib.metadata import version

from lifetimes import BetaGeoFitter
from lifetimes.datasets import load_cdnow_summary

customers = load_cdnow_summary()
model = BetaGeoFitter().fit(customers["frequency"], customers["recency"], customers["T"])
matrix, errors, values = model.variance_matrix_, model.standard_errors_, model.params_
print("lifetimes", version("lifetimes"))
print(matrix.round(6).to_string())
scale = errors["r"] * errors["alpha"]
above, below = matrix.loc["r", "alpha"] / scale, matrix.loc["alpha", "r"] / scale
right = above * values["r"] / values["alpha"]
print(f"correlation of r and alpha: {above:.2f} above, {below:.2f} below, {right:.2f} right")

assert abs(right - below * values["alpha"] / values["r"]) < 1e-6
if not above > 10 or not below < 0.1:
    raise SystemExit("CHANGED: the matrix is no longer that far from symmetric.")
print("As described: above the diagonal stands a correlation of more than 10.")
END
