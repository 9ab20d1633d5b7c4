#!/usr/bin/env bash
# pandas: a query for one date in text finds nothing, where a query for dates from it on finds it.
#
# Versions: pandas 3.1.1 (and 2.3.3, where it is found, with a FutureWarning about isin)
# Expected: the row of the month that is asked for, as with a comparison outside of a query.
# Seen:     no row, without a word: the query asks for equality by way of isin, which since pandas 3
#           no longer reads text as dates.
# Output:
#   pandas 2.3.3  compared 1  query with == 1  query with >= 1
#   pandas 3.1.1  compared 1  query with == 0  query with >= 1
#   As described: the query for a month in text finds none in pandas 3.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
for version in 2.3.3 3.1.1; do
  "${PYTHON:-python3.11}" -m venv "$folder/$version"
  python=$folder/$version/bin/python
  "$python" -m pip install --quiet --no-compile --disable-pip-version-check \
    "pandas==$version" numpy==2.4.6
  "$python" - <<'END'
import pandas as pd

churn = pd.DataFrame({"period": pd.to_datetime(["2024-01-01", "2024-02-01"]), "churned": [4, 7]})
compared = len(churn[churn["period"] == "2024-02-01"])
equal = len(churn.query("period == '2024-02-01'"))
since = len(churn.query("period >= '2024-02-01'"))
print(f"pandas {pd.__version__}  compared {compared}  query with == {equal}  query with >= {since}")

assert compared == since == 1
if equal != (pd.__version__ < "3"):
    raise SystemExit("CHANGED: a query for a date in text finds it in pandas 3, or not before.")
END
done
echo "As described: the query for a month in text finds none in pandas 3."
