#!/usr/bin/env bash
# lifetimes: dates as text are sorted as text, although their format is given.
#
# Versions: lifetimes 0.11.3, pandas 3.1.1
# Expected: datetime_format is "useful if Pandas can't understand the provided format": with it, the
#           summary is that of the parsed dates.
# Seen:     the rows are sorted before they are parsed, so that 01/02/2024 comes before 15/01/2024
#           and the wrong purchase is taken for the first: a mean of 51.50 and not of 2.50.
# Output:
#   lifetimes 0.11.3 on pandas 3.1.1
#   as text, with the format {'frequency': 2.0, 'recency': 55.0, 'T': 76.0, 'monetary_value': 51.5}
#   as dates                 {'frequency': 2.0, 'recency': 55.0, 'T': 76.0, 'monetary_value': 2.5}
#   As described: the first order by date counts as a repeat purchase.
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
from lifetimes.utils import summary_data_from_transaction_data

days = ["15/01/2024", "01/02/2024", "10/03/2024"]
orders = pd.DataFrame({"customer": 1, "day": days, "amount": [100.0, 2.0, 3.0]})
parsed = orders.assign(day=pd.to_datetime(orders["day"], format="%d/%m/%Y"))


def summary(table, **options):
    return summary_data_from_transaction_data(table, "customer", "day", "amount", **options)


print("lifetimes", version("lifetimes"), "on pandas", pd.__version__)
text = {"datetime_format": "%d/%m/%Y", "observation_period_end": "31/03/2024"}
as_text = summary(orders, **text)
as_dates = summary(parsed, observation_period_end="2024-03-31")
print("as text, with the format", as_text.iloc[0].to_dict())
print("as dates                ", as_dates.iloc[0].to_dict())

assert as_dates["monetary_value"].tolist() == [2.5]
if as_text["monetary_value"].tolist() != [51.5]:
    raise SystemExit("CHANGED: text with a format is sorted by date.")
print("As described: the first order by date counts as a repeat purchase.")
END
