#!/usr/bin/env bash
# lifelines: months and years are mean lengths cut off, so that a calendar year is 11 months.
#
# Versions: lifelines 0.30.3, pandas 2.3.3 (it does not take pandas 3)
# Expected: freq is "the units of time to use. See Pandas 'freq'", where "M" and "Y" are calendar
#           months and years: from January 2023 to January 2024 it is 12 months, and 1 year.
# Seen:     a month is 30.44 days and a year 365.24, and what is begun does not count. January has
#           one month, February none, and the 365 days of 2023 have 11 months and no year.
# Output:
#   lifelines 0.30.3 on pandas 2.3.3
#   2023-01-01 to 2023-02-01: {'D': 31, 'M': 1, 'Y': 0}, in pandas 1 months
#   2023-02-01 to 2023-03-01: {'D': 28, 'M': 0, 'Y': 0}, in pandas 1 months
#   2023-01-01 to 2024-01-01: {'D': 365, 'M': 11, 'Y': 0}, in pandas 12 months
#   As described: February has no month, and 2023 has 11 months and no year.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3.11}" -m venv "$folder"
python=$folder/bin/python
"$python" -m pip install --quiet --no-compile --disable-pip-version-check \
  lifelines==0.30.3 pandas==2.3.3 numpy==2.4.6 scipy==1.17.1 autograd==1.9.1
"$python" -W ignore - <<'END'
from importlib.metadata import version

import pandas as pd
from lifelines.utils import datetimes_to_durations

print("lifelines", version("lifelines"), "on pandas", pd.__version__)
starts = ["2023-01-01", "2023-02-01", "2023-01-01"]
ends = ["2023-02-01", "2023-03-01", "2024-01-01"]
found, by_calendar = [], []
for start, end in zip(starts, ends):
    stays = {freq: int(datetimes_to_durations([start], [end], freq=freq)[0][0]) for freq in "DMY"}
    found.append((stays["M"], stays["Y"]))
    by_calendar.append((pd.Period(end, "M") - pd.Period(start, "M")).n)
    print(f"{start} to {end}: {stays}, in pandas {by_calendar[-1]} months")

assert by_calendar == [1, 1, 12]
if found != [(1, 0), (0, 0), (11, 0)]:
    raise SystemExit("CHANGED: months and years are counted in another way.")
print("As described: February has no month, and 2023 has 11 months and no year.")
END
