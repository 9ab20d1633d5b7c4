#!/usr/bin/env bash
# narwhals: a conditional sum in a group-by ignores its condition on pandas and PyArrow.
#
# Versions: narwhals 2.29.0, pandas 3.1.1, polars 2.1.0, pyarrow 26.0.1
# Expected: the sum of the amounts above 5 of each customer, as on Polars; or an error, as where
#           narwhals says that an aggregation is too complex for a group-by.
# Seen:     the sum of all amounts on pandas and PyArrow, without a word. (The same expression with
#           .over() was https://github.com/narwhals-dev/narwhals/issues/3311.)
# Output:
#   narwhals 2.29.0
#   polars   {'a': 10, 'b': 7}
#   pandas   {'a': 11, 'b': 9}
#   pyarrow  {'a': 11, 'b': 9}
#   As described: pandas and PyArrow add up all amounts.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3.11}" -m venv "$folder"
python=$folder/bin/python
"$python" -m pip install --quiet --no-compile --disable-pip-version-check \
  narwhals==2.29.0 pandas==3.1.1 numpy==2.4.6 polars==2.1.0 pyarrow==26.0.1
"$python" - <<'END'
import narwhals as nw
import pandas as pd
import polars as pl
import pyarrow as pa

orders = {"customer": ["a", "a", "b", "b"], "amount": [1, 10, 2, 7]}
print("narwhals", nw.__version__)
seen = {}
for make in (pl.DataFrame, pd.DataFrame, pa.table):
    frame = nw.from_native(make(orders))
    large = nw.when(nw.col("amount") > 5).then("amount").sum()
    engine = str(frame.implementation)
    seen[engine] = dict(frame.group_by("customer").agg(large).sort("customer").rows())
    print(f"{engine:<8} {seen[engine]}")

assert seen["polars"] == {"a": 10, "b": 7}
if not seen["pandas"] == seen["pyarrow"] == {"a": 11, "b": 9}:
    raise SystemExit("CHANGED: the condition counts on pandas, on PyArrow or on both.")
print("As described: pandas and PyArrow add up all amounts.")
END
