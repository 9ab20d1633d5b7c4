#!/usr/bin/env bash
# narwhals: // rounds down on pandas and Polars, and towards zero on DuckDB.
#
# Versions: narwhals 2.27.1, duckdb 2.0.1, pandas 3.1.1, polars 2.1.0; right from narwhals 2.28.0
# Expected: one answer everywhere, that of Python: -1 // 7 is -1. So the days before 1970-01-01
#           (day 0) are in week -1.
# Seen:     0 on DuckDB, so that the days before and after 1970-01-01 are in the same week.
# Output:
#   narwhals 2.27.1
#   day      [-8, -7, -1, 0, 6, 7]
#   pandas   [-2, -1, -1, 0, 0, 1]
#   polars   [-2, -1, -1, 0, 0, 1]
#   duckdb   [-1, -1, 0, 0, 0, 1]
#   As described: on DuckDB day -1 is in week 0.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3.11}" -m venv "$folder"
python=$folder/bin/python
"$python" -m pip install --quiet --no-compile --disable-pip-version-check \
  narwhals==2.27.1 duckdb==2.0.1 pandas==3.1.1 numpy==2.4.6 polars==2.1.0
"$python" - <<'END'
import duckdb
import narwhals as nw
import pandas as pd
import polars as pl

days = {"day": [-8, -7, -1, 0, 6, 7]}
frames = {
    "pandas": pd.DataFrame(days),
    "polars": pl.DataFrame(days),
    "duckdb": duckdb.sql("select unnest([-8, -7, -1, 0, 6, 7]) as day"),
}
print("narwhals", nw.__version__)
print(f"{'day':<8}", days["day"])
seen = {}
for name, frame in frames.items():
    weeks = nw.from_native(frame).select(week=nw.col("day") // 7)
    native = weeks.to_native()
    rows = native.fetchall() if name == "duckdb" else weeks.rows()
    seen[name] = [week for (week,) in rows]
    print(f"{name:<8}", seen[name])

assert seen["pandas"] == seen["polars"] == [day // 7 for day in days["day"]]
if seen["duckdb"] != [-1, -1, 0, 0, 0, 1]:
    raise SystemExit("CHANGED: DuckDB no longer rounds towards zero.")
print("As described: on DuckDB day -1 is in week 0.")
END
