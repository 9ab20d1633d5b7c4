#!/usr/bin/env bash
# pymc-marketing: with the default priors the fit of spend depends on the currency.
#
# Versions: pymc-marketing 1.3.0, pymc 6.3.2, pandas 3.1.1, Python 3.12 or later
# Expected: GammaGammaModel() of amounts in cents says 100 times what it says of the same amounts in
#           dollars, or nearly: "informative" priors are of no unit, or scaled with the data.
# Seen:     v has the prior Weibull(2, 10) and p and q Weibull(2, 1), whatever the amounts. In cents q
#           falls to 1, where the mean of a new customer's spend has a pole: here it is 3,077 dollars
#           for 36. (Of the CDNOW customers q falls below 1, and the mean is -686 dollars.) The
#           amounts are simulated from the parameters of CDNOW.
# Output:
#   pymc-marketing 1.3.0 on pymc 6.3.2
#   truth        p  6.25  q 3.74  v in dollars 15.44  mean spend of a new customer    35.22
#   in dollars   p  4.30  q 3.59  v in dollars 21.48  mean spend of a new customer    35.71
#   in cents     p 12.76  q 1.01  v in dollars  1.24  mean spend of a new customer  3077.11
#   As described: in cents the mean spend is another one, far from the truth.
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

p, q, v, n = 6.25, 3.74, 15.44, 1_000
rng = np.random.default_rng(1)
customers = pd.DataFrame({"customer_id": range(n), "frequency": rng.geometric(0.4, n) * 1.0})
rate = rng.gamma(q, 1 / v, n)
customers["monetary_value"] = rng.gamma(p * customers["frequency"], 1 / rate)
customers["monetary_value"] /= customers["frequency"]


def tell(name, p, q, v):
    mean = p * v / (q - 1)
    print(
        f"{name:12} p {p:5.2f}  q {q:4.2f}  v in dollars {v:5.2f}"
        f"  mean spend of a new customer {mean:8.2f}"
    )
    return mean


print("pymc-marketing", version("pymc-marketing"), "on pymc", version("pymc"))
tell("truth", p, q, v)
means = {}
for name, factor in (("in dollars", 1), ("in cents", 100)):
    model = GammaGammaModel()
    amounts = customers["monetary_value"] * factor
    model.fit(customers.assign(monetary_value=amounts), method="map", progressbar=False)
    found = {key: float(model.fit_result[key].mean()) for key in "pqv"}
    means[name] = tell(name, found["p"], found["q"], found["v"] / factor)
    shown = float(model.expected_new_customer_spend().mean()) / factor
    assert np.isclose(shown, means[name])

assert 30 < means["in dollars"] < 40
if 0 < means["in cents"] < 100:
    raise SystemExit("CHANGED: the mean spend in cents is near that in dollars.")
print("As described: in cents the mean spend is another one, far from the truth.")
END
