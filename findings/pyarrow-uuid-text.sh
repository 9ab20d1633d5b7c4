#!/usr/bin/env bash
# PyArrow: a column of UUIDs that is cast to text holds the 16 bytes of each, not its hexadecimal form.
#
# Versions: PyArrow 26.0.1, pandas 3.1.1, DuckDB 2.0.1
# Expected: the text that Python, DuckDB and PostgreSQL write, or an error, as for bytes that are no text.
# Seen:     the cast takes the bytes for UTF-8 and does not look whether they are. Where they happen to
#           be, the ids are 16 characters that match no id elsewhere; else reading them fails later.
#           pandas' Arrow-backed column gives UUIDs as a list, and bytes as objects.
# Output:
#   DuckDB 2.0.1    61626364-6566-6768-696a-6b6c6d6e6f70
#   PyArrow 26.0.1  abcdefghijklmnop
#   pandas 3.1.1    list UUID, objects bytes
#   As described: PyArrow takes the bytes of a UUID for its text.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3.11}" -m venv "$folder"
python=$folder/bin/python
"$python" -m pip install --quiet --no-compile --disable-pip-version-check \
  pyarrow==26.0.1 pandas==3.1.1 duckdb==2.0.1 numpy==2.4.6
"$python" - <<'END'
import uuid

import duckdb
import pandas as pd
import pyarrow as pa

one = uuid.UUID(bytes=b"abcdefghijklmnop")
column = pa.array([one.bytes], pa.uuid())
[(other,)] = duckdb.execute("select cast(? as uuid)::varchar", [str(one)]).fetchall()
text = column.cast(pa.string())[0].as_py()
backed = pd.Series(column, dtype=pd.ArrowDtype(pa.uuid()))
as_list, as_object = type(backed.to_list()[0]), type(backed.astype(object)[0])
print(f"DuckDB {duckdb.__version__}    {other}")
print(f"PyArrow {pa.__version__}  {text}")
print(f"pandas {pd.__version__}    list {as_list.__name__}, objects {as_object.__name__}")

assert other == str(one) and column[0].as_py() == one
if text != "abcdefghijklmnop" or (as_list, as_object) != (uuid.UUID, bytes):
    raise SystemExit("CHANGED: PyArrow or pandas treats UUIDs in another way.")
print("As described: PyArrow takes the bytes of a UUID for its text.")
END
