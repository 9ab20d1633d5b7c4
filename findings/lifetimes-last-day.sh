#!/usr/bin/env bash
# lifetimes: the last day of the calibration is in the summary, and in the holdout as well.
#
# Versions: lifetimes 0.11.3, pandas 3.1.1
# Expected: calibration_period_end is "a period to limit the calibration to, inclusive". With the
#           same last day both functions count the same repeat purchases.
# Seen:     calibration_and_holdout_data takes of that day only the first instant, midnight, though
#           its T counts the day; summary_data_from_transaction_data takes all of it. A purchase at
#           15:00 is seen by the model in one table, and held out in the other.
# Output:
#   lifetimes 0.11.3 on pandas 3.1.1
#   repeat purchases up to 2024-01-31, and T
#   summary_data_from_transaction_data: 2.0 30.0
#   calibration_and_holdout_data:       1.0 30.0
#   held out:                           2.0
#   As described: the order of 2024-01-31 15:00 is in the summary and in the holdout.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3.11}" -m venv "$folder"
python=$folder/bin/python
"$python" -m pip install --quiet --no-compile --disable-pip-version-check \
  lifetimes==0.11.3 pandas==3.1.1 numpy==2.4.6 scipy==1.17.1 autograd==1.9.1 dill==0.4.1
"$python" -W ignore - <<'END'
from importlib.metadata import version

import pandas as pd
from lifetimes.utils import calibration_and_holdout_data, summary_data_from_transaction_data

times = ["2024-01-01 09:00", "2024-01-15 00:00", "2024-01-31 15:00", "2024-02-05 10:00"]
orders = pd.DataFrame({"customer": 1, "time": pd.to_datetime(times), "amount": 1.0})
arguments = (orders, "customer", "time")
whole = summary_data_from_transaction_data(*arguments, observation_period_end="2024-01-31").iloc[0]
parts = calibration_and_holdout_data(
    *arguments, calibration_period_end="2024-01-31", monetary_value_col="amount"
).iloc[0]
print("lifetimes", version("lifetimes"), "on pandas", pd.__version__)
print("repeat purchases up to 2024-01-31, and T")
print("summary_data_from_transaction_data:", whole["frequency"], whole["T"])
print("calibration_and_holdout_data:      ", parts["frequency_cal"], parts["T_cal"])
print("held out:                          ", parts["frequency_holdout"])

assert whole["T"] == parts["T_cal"] == 30
if (whole["frequency"], parts["frequency_cal"], parts["frequency_holdout"]) != (2, 1, 2):
    raise SystemExit("CHANGED: the two functions agree on the last day.")
print("As described: the order of 2024-01-31 15:00 is in the summary and in the holdout.")
END
