#!/usr/bin/env bash
# pymc-marketing: the draws of lifetime value hold the spend fixed.
#
# Versions: pymc-marketing 1.3.0, pymc 6.3.2, pandas 3.1.1, Python 3.12 or later
# Expected: GammaGammaModel.expected_customer_lifetime_value returns draws, "(chain, draw,
#           customer_id)", of a value that depends on two posteriors: of purchases and of spend.
# Seen:     the expected spend is averaged over its posterior first, and the draws of the purchases
#           are multiplied by that one number. With a model of purchases that was fitted by "map",
#           which has one draw, there is one draw of the value, however many the spend has; and with
#           sampled ones an interval from the draws leaves out what is not known of the spend.
# Output:
#   pymc-marketing 1.3.0 on pymc 6.3.2
#   draws of: expected spend 200, purchases 1, lifetime value 1
#   spend of a new customer, standard deviation over its draws: 12%
#   As described: the lifetime value has none of the 200 draws of the spend.
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
from pymc_marketing.clv import BetaGeoModel, GammaGammaModel

n = 100
rng = np.random.default_rng(1)
customers = pd.DataFrame({"customer_id": range(n), "frequency": rng.geometric(0.4, n) * 1.0})
customers["T"] = 40.0
customers["recency"] = rng.uniform(5, 40, n)
rate = rng.gamma(3.74, 1 / 15.44, n)
customers["monetary_value"] = rng.gamma(6.25 * customers["frequency"], 1 / rate)
customers["monetary_value"] /= customers["frequency"]

purchases, spend = BetaGeoModel(), GammaGammaModel()
purchases.fit(customers, method="map", progressbar=False)
spend.fit(customers, chains=1, cores=1, draws=200, tune=200, random_seed=1, progressbar=False)
value = spend.expected_customer_lifetime_value(purchases, customers, future_t=12, time_unit="W")

draws = {
    "expected spend": spend.expected_customer_spend(customers).sizes["draw"],
    "purchases": purchases.expected_purchases(customers, future_t=52).sizes["draw"],
    "lifetime value": value.sizes["draw"],
}
new = spend.expected_new_customer_spend()
print("pymc-marketing", version("pymc-marketing"), "on pymc", version("pymc"))
print("draws of:", ", ".join(f"{name} {count}" for name, count in draws.items()))
print(f"spend of a new customer, standard deviation over its draws: {new.std() / new.mean():.0%}")

assert draws["expected spend"] == 200 and draws["purchases"] == 1
if draws["lifetime value"] != 1:
    raise SystemExit("CHANGED: the lifetime value has draws of the spend.")
print("As described: the lifetime value has none of the 200 draws of the spend.")
END
