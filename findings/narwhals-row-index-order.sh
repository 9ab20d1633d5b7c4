#!/usr/bin/env bash
# narwhals: with_row_index(order_by=...) numbers the rows of Polars in another order than asked for.
#
# Versions: narwhals 2.5.0, polars 2.1.0, pandas 3.1.1, pyarrow 26.0.1; right from narwhals 2.11.0
# Expected: the earliest day has the index 0, the next one 1, and so on, as on pandas and PyArrow.
# Seen:     on Polars each row has the place of another one: the index is the permutation that
#           would sort the rows (arg_sort), and not the rank of each. On days that are sorted
#           already, or reversed, the two are the same, and nothing is to be seen.
#           In 2.10 pandas and PyArrow do the same. The project has it as issue 3289 of
#           narwhals-dev/narwhals.
# Output:
#   narwhals 2.5.0
#   day     [30, 10, 40, 20]
#   pandas  [2, 0, 3, 1]
#   pyarrow [2, 0, 3, 1]
#   polars  [1, 3, 0, 2]
#   As described: on Polars the latest day, 40, is the first.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3.11}" -m venv "$folder"
python=$folder/bin/python
"$python" -m pip install --quiet --no-compile --disable-pip-version-check \
  narwhals==2.5.0 pandas==3.1.1 numpy==2.4.6 polars==2.1.0 pyarrow==26.0.1
# PyArrow deprecates an option by which this narwhals sorts.
"$python" -W ignore::FutureWarning - <<'END'
import narwhals as nw
import pandas as pd
import polars as pl
import pyarrow as pa

days = {"day": [30, 10, 40, 20]}
print("narwhals", nw.__version__)
print(f"{'day':<7}", days["day"])
seen = {}
for make in (pd.DataFrame, pa.table, pl.DataFrame):
    frame = nw.from_native(make(days))
    engine = str(frame.implementation)
    numbered = frame.with_row_index("index", order_by="day")
    places = dict(zip(numbered["day"].to_list(), numbered["index"].to_list(), strict=True))
    seen[engine] = [int(places[day]) for day in days["day"]]
    print(f"{engine:<7}", seen[engine])

rank = [sorted(days["day"]).index(day) for day in days["day"]]
assert seen["pandas"] == seen["pyarrow"] == rank == [2, 0, 3, 1]
if seen["polars"] != [1, 3, 0, 2]:
    raise SystemExit("CHANGED: on Polars the index follows the days, too.")
print("As described: on Polars the latest day, 40, is the first.")
END
