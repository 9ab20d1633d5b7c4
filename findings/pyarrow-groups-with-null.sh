#!/usr/bin/env bash
# PyArrow: one group of two keys comes back as several where one of the keys is null.
#
# Versions: pyarrow 16.1.0; right from pyarrow 17.0.0 on.
#           https://github.com/apache/arrow/issues/42231
# Expected: 40 equal rows are one group of 40.
# Seen:     two groups with the same keys, from the 33rd row on. It needs a processor with AVX2,
#           which about every server and laptop has.
# Output:
#   pyarrow 16.1.0 with avx512
#   {'cohort': '2024-01', 'plan': None, 'count_all': 32}
#   {'cohort': '2024-01', 'plan': None, 'count_all': 8}
#   As described: 40 equal rows are 2 groups.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3.11}" -m venv "$folder"
python=$folder/bin/python
"$python" -m pip install --quiet --no-compile --disable-pip-version-check \
  pyarrow==16.1.0 numpy==1.26.4
"$python" - <<'END'
import pyarrow as pa

rows = pa.table({"cohort": ["2024-01"] * 40, "plan": pa.array([None] * 40, pa.int64())})
groups = rows.group_by(["cohort", "plan"]).aggregate([([], "count_all")]).to_pylist()
print("pyarrow", pa.__version__, "with", pa.runtime_info().simd_level)
for group in groups:
    print(group)

if not pa.runtime_info().simd_level.startswith("avx") or pa.runtime_info().simd_level == "avx":
    raise SystemExit("CANNOT TELL: this processor has no AVX2, which the surprise needs.")
if len(groups) == 1:
    raise SystemExit("CHANGED: equal rows are one group.")
assert sum(group["count_all"] for group in groups) == 40
print(f"As described: 40 equal rows are {len(groups)} groups.")
END
