#!/usr/bin/env bash
# DuckDB: the month of a time in the last half microsecond of January is February.
#
# Versions: DuckDB 2.0.1, pandas 3.1.1
# Expected: January, as date_part says of the same value, and as pandas, Polars and Arrow say, which
#           cut off what is finer than a microsecond.
# Seen:     date_trunc casts nanoseconds to microseconds first, and the cast rounds, over midnight.
#           Ends of days written as 23:59:59.999999999 are in the next day, month and year.
# Output:
#   DuckDB 2.0.1  cast 2024-02-01 00:00:00  date_trunc 2024-02-01
#   pandas 3.1.1  cast 2024-01-31 23:59:59.999999
#   As described: DuckDB rounds nanoseconds up over midnight.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3.11}" -m venv "$folder"
python=$folder/bin/python
"$python" -m pip install --quiet --no-compile --disable-pip-version-check \
  duckdb==2.0.1 pandas==3.1.1 numpy==2.4.6
"$python" - <<'END'
import duckdb
import pandas as pd

orders = pd.DataFrame({"time": pd.to_datetime(["2024-01-31 23:59:59.999999999"])})
query = "select time::timestamp, date_trunc('month', time)::date from orders"
[(cast, month)] = duckdb.sql(query).fetchall()
kept = orders["time"].astype("datetime64[us]")[0]
print(f"DuckDB {duckdb.__version__}  cast {cast}  date_trunc {month}")
print(f"pandas {pd.__version__}  cast {kept}")

assert kept == pd.Timestamp("2024-01-31 23:59:59.999999")
if not str(cast) == "2024-02-01 00:00:00" or not str(month) == "2024-02-01":
    raise SystemExit("CHANGED: DuckDB cuts off what is finer than a microsecond.")
print("As described: DuckDB rounds nanoseconds up over midnight.")
END
