#!/usr/bin/env bash
# PyArrow: a null in a dictionary-encoded column becomes the last value on the way to NumPy.
#
# Versions: pyarrow 26.0.1
# Expected: None in the place of the null, as to_pylist() gives it, and as to_numpy() of a single
#           Array does.
# Seen:     a real value, without a warning. A null is kept as the code -1, with which NumPy takes
#           the last value of the dictionary.
# Output:
#   pyarrow 26.0.1
#   the values       ['basic', None, 'pro']
#   Array            ['basic', None, 'pro']
#   column of table  ['basic', 'pro', 'pro']
#   As described: the null has become 'pro'.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3.11}" -m venv "$folder"
python=$folder/bin/python
"$python" -m pip install --quiet --no-compile --disable-pip-version-check \
  pyarrow==26.0.1 numpy==2.4.6
"$python" - <<'END'
import pyarrow as pa

array = pa.array(["basic", None, "pro"]).dictionary_encode()
column = pa.table({"plan": array})["plan"]  # a column of a table is a ChunkedArray
print("pyarrow", pa.__version__)
print("the values      ", column.to_pylist())
print("Array           ", array.to_numpy(zero_copy_only=False).tolist())
print("column of table ", column.to_numpy().tolist())

assert array.to_numpy(zero_copy_only=False).tolist() == ["basic", None, "pro"]
if column.to_numpy().tolist() != ["basic", "pro", "pro"]:
    raise SystemExit("CHANGED: the null no longer becomes the last value of the dictionary.")
print("As described: the null has become 'pro'.")
END
