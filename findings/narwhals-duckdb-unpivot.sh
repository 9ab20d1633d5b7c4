#!/usr/bin/env bash
# narwhals on DuckDB: unpivot works for tables of the default connection alone.
#
# Versions: narwhals 2.29.0, DuckDB 2.0.1.
# Expected: a relation is asked on the connection that it came from, as by joins, filters and sums.
# Seen:     the query runs on DuckDB's default connection, which cannot read a relation of another.
# Output:
#   narwhals 2.29.0 on DuckDB 2.0.1
#   default connection: [(1, 'price', 4), (1, 'service', 5)]
#   own connection:     InvalidInputException: ... not suitable for replacement scan.
#   As described: unpivot fails for a relation of a connection of its own.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3.11}" -m venv "$folder"
python=$folder/bin/python
"$python" -m pip install --quiet --no-compile --disable-pip-version-check \
  narwhals==2.29.0 duckdb==2.0.1
"$python" - <<'END'
import duckdb
import narwhals as nw

print("narwhals", nw.__version__, "on DuckDB", duckdb.__version__)


def unpivoted(connection):
    connection.execute("CREATE TABLE answers AS SELECT 1 AS customer, 4 AS price, 5 AS service")
    frame = nw.from_native(connection.table("answers"))
    return frame.unpivot(on=["price", "service"], index="customer").to_native().fetchall()


print("default connection:", sorted(unpivoted(duckdb.default_connection())))
try:
    found = unpivoted(duckdb.connect())
except duckdb.InvalidInputException as error:
    last = str(error).splitlines()[0].split(" of type ")[-1].split('" ')[-1]
    print(f"own connection:     InvalidInputException: ... {last}")
else:
    raise SystemExit(f"CHANGED: a relation of a connection of its own is unpivoted: {found}")
print("As described: unpivot fails for a relation of a connection of its own.")
END
