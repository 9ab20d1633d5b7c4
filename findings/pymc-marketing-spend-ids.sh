#!/usr/bin/env bash
# pymc-marketing: draws of the spend of one customer carry the id of another one.
#
# Versions: pymc-marketing 1.3.0, pymc 6.3.2, pandas 3.1.1, Python 3.12 or later
# Expected: GammaGammaModel.distribution_customer_spend labels the draws of each row with the
#           customer of that row, as expected_customer_spend does.
# Seen:     the labels are those ids in order, np.unique(customer_id), the draws stay in the order of
#           the rows. Of customers 30, 10 and 20, the draws of customer 30 come back as those of 10.
# Output:
#   pymc-marketing 1.3.0 on pymc 6.3.2
#   customer  observed  expected  drawn
#         30     300.0     300.0  200.3
#         10     100.0     100.0  300.1
#         20     200.0     200.0  100.0
#   As described: the draws of each customer carry the id of another one.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3.12}" -m venv "$folder"
python=$folder/bin/python
"$python" -m pip install --quiet --no-compile --disable-pip-version-check \
  pymc-marketing==1.3.0 pymc==6.3.2 pymc-extras==0.15.1 pytensor==3.3.8 arviz==1.3.0 \
  xarray==2026.9.0 numba==0.68.0 pandas==3.1.1 numpy==2.4.6 scipy==1.18.1
export PYTENSOR_FLAGS="base_compiledir=$folder/pytensor"
"$python" -W ignore - 2>"$folder/log" <<'END' || { cat "$folder/log" >&2; exit 1; }
from importlib.metadata import version

import numpy as np
import pandas as pd
from pymc_marketing.clv import GammaGammaModel

rng = np.random.default_rng(1)
fitted = pd.DataFrame({"customer_id": range(200), "frequency": rng.poisson(2, 200) + 1.0})
rate = rng.gamma(3.74, 1 / 15.44, 200)
shape = 6.25 * fitted["frequency"]
fitted["monetary_value"] = rng.gamma(shape, 1 / rate) / fitted["frequency"]
model = GammaGammaModel()
model.fit(fitted, method="map", progressbar=False)

# So many purchases that the mean of a customer is known.
known = pd.DataFrame(
    {"customer_id": [30, 10, 20], "frequency": 1e6, "monetary_value": [300.0, 100.0, 200.0]}
)
expected = model.expected_customer_spend(known).mean(("chain", "draw")).to_series()
drawn = model.distribution_customer_spend(known, random_seed=1)
drawn = drawn.mean(("chain", "draw")).to_series()
print("pymc-marketing", version("pymc-marketing"), "on pymc", version("pymc"))
print("customer  observed  expected  drawn")
for row in known.itertuples():
    customer = row.customer_id
    print(f"{customer:8}  {row.monetary_value:8.1f}  {expected[customer]:8.1f}  {drawn[customer]:5.1f}")

observed = known.set_index("customer_id")["monetary_value"]
assert np.allclose(expected[observed.index], observed, rtol=0.01)
if not np.allclose(drawn[[10, 20, 30]], observed, rtol=0.02):
    raise SystemExit("CHANGED: the draws carry the ids of their own customers.")
print("As described: the draws of each customer carry the id of another one.")
END
