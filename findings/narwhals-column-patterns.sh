#!/usr/bin/env bash
# narwhals: on Polars a column whose name looks like a pattern is read as the columns that match it.
#
# Versions: narwhals 2.29.0, polars 2.1.0, pandas 3.1.1, pyarrow 26.0.1
# Expected: the column of that name, as on pandas and PyArrow: narwhals has `selectors.matches` for
#           patterns, and its `col` takes names.
# Seen:     on Polars the name reaches pl.col, which takes names from ^ to $ for patterns: another
#           column comes back, under its own name or under a new one, without a word.
# Output:
#   narwhals 2.29.0
#   pandas  scores [9, 10]
#   pyarrow scores [9, 10]
#   polars  scores [1, 2]
#   As described: on Polars the customers are taken for the scores.
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

answers = {"^c.*$": [9, 10], "customer": [1, 2]}
print("narwhals", nw.__version__)
seen = {}
for make in (pd.DataFrame, pa.table, pl.DataFrame):
    frame = nw.from_native(make(answers))
    engine = str(frame.implementation)
    seen[engine] = frame.select(score=nw.col("^c.*$"))["score"].to_list()
    print(f"{engine:<7} scores {seen[engine]}")

assert seen["pandas"] == seen["pyarrow"] == [9, 10]
if seen["polars"] != [1, 2]:
    raise SystemExit("CHANGED: a name that looks like a pattern is a name on Polars, too.")
print("As described: on Polars the customers are taken for the scores.")
END
