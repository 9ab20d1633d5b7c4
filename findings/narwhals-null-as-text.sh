#!/usr/bin/env bash
# narwhals on pandas 2: casting a column of Python objects to text turns a null into an answer.
#
# Versions: narwhals 2.26.0, pandas 2.3.3; right from narwhals 2.27.1 or pandas 3 on.
# Expected: a null stays null in a cast, as it does with pandas' own string type.
# Seen:     the text "None", which is no longer null: a respondent who gave no answer has given one.
# Output:
#   narwhals 2.26.0 on pandas 2.3.3
#   object  ['satisfied', 'None', '5'] null: [False, False, False]
#   string  ['satisfied', <NA>, '5'] null: [False, True, False]
#   As described: among Python objects the null has become a text.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3.11}" -m venv "$folder"
python=$folder/bin/python
"$python" -m pip install --quiet --no-compile --disable-pip-version-check \
  narwhals==2.26.0 pandas==2.3.3 numpy==2.4.6
"$python" - <<'END'
import narwhals as nw
import pandas as pd

print("narwhals", nw.__version__, "on pandas", pd.__version__)
answers = {}
for kind in ("object", "string"):
    frame = pd.DataFrame({"answer": pd.Series(["satisfied", None, "5"], dtype=kind)})
    text = nw.from_native(frame).select(nw.col("answer").cast(nw.String))["answer"]
    answers[kind] = text.is_null().to_list()
    print(f"{kind:<7} {text.to_list()} null: {answers[kind]}")

assert answers["string"] == [False, True, False]
if any(answers["object"]):
    raise SystemExit("CHANGED: the null among Python objects stays null.")
print("As described: among Python objects the null has become a text.")
END
