#!/usr/bin/env bash
# DuckDB: the sum of integers arrives in pandas as a float, and is not exact.
#
# Versions: duckdb 2.0.1, pandas 3.1.1, pyarrow 26.0.1
# Expected: the sum of a BIGINT column is an integer, as count(*) and max() of it are.
#           https://github.com/duckdb/duckdb/issues/3143 tells why it is not: the sum is a HUGEINT,
#           of 128 bits, which pandas does not have.
# Seen:     a float64 in pandas, which from 2**53 on is not the sum, and decimal128(38, 0) in Arrow.
# Output:
#   duckdb 2.0.1
#   in DuckDB: 9007199254740993 {'total': 'HUGEINT', 'most': 'BIGINT', 'rows': 'BIGINT'}
#   in pandas: 9007199254740992 {'total': 'float64', 'most': 'int64', 'rows': 'int64'}
#   in Arrow:  decimal128(38, 0)
#   As described: a cent is missing.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3.11}" -m venv "$folder"
python=$folder/bin/python
"$python" -m pip install --quiet --no-compile --disable-pip-version-check \
  duckdb==2.0.1 pandas==3.1.1 numpy==2.4.6 pyarrow==26.0.1
"$python" - <<'END'
import duckdb

# 90,071,992,547,409 dollars and 92 cents, and one cent
cents = duckdb.sql("select unnest([9007199254740992, 1]) as cents")
found = cents.aggregate("sum(cents) as total, max(cents) as most, count(*) as rows")
print("duckdb", duckdb.__version__)
total = found.fetchall()[0][0]
in_pandas = found.df()
print("in DuckDB:", total, dict(zip(found.columns, map(str, found.types))))
print("in pandas:", f"{in_pandas['total'][0]:.0f}", in_pandas.dtypes.astype(str).to_dict())
print("in Arrow: ", found.to_arrow_table().schema.field("total").type)

assert total == 9007199254740993
if in_pandas["total"].dtype != "float64" or int(in_pandas["total"][0]) == total:
    raise SystemExit("CHANGED: the sum arrives exactly.")
print("As described: a cent is missing.")
END
