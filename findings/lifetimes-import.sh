#!/usr/bin/env bash
# lifetimes: importing it silences every FutureWarning of the program.
#
# Versions: lifetimes 0.11.3, pandas 3.1.1, dill 0.4.1
# Expected: an import leaves the settings of the program alone.
# Seen:     FutureWarnings of all packages are ignored from then on, also where the program has
#           asked for them; an option of pandas is changed; and dill, which it imports, adds types
#           to the pickler of the standard library that is written in Python.
# Output:
#   lifetimes 0.11.3 on pandas 3.1.1
#   FutureWarnings shown         1 -> 0
#   mode.chained_assignment   warn -> None
#   types the pickler knows     15 -> 64
#   As described: three settings have changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3.11}" -m venv "$folder"
python=$folder/bin/python
"$python" -m pip install --quiet --no-compile --disable-pip-version-check \
  lifetimes==0.11.3 pandas==3.1.1 numpy==2.4.6 scipy==1.17.1 autograd==1.9.1 dill==0.4.1
"$python" -W ignore::DeprecationWarning - <<'END'
import pickle
import warnings
from importlib.metadata import version

import pandas as pd

warnings.filterwarnings("always", category=FutureWarning)


def settings():
    with warnings.catch_warnings(record=True) as shown:
        warnings.warn("this will change", FutureWarning)
    return {
        "FutureWarnings shown": len(shown),
        "mode.chained_assignment": pd.get_option("mode.chained_assignment"),
        "types the pickler knows": len(pickle._Pickler.dispatch),
    }


before = settings()
import lifetimes

after = settings()
print("lifetimes", version("lifetimes"), "on pandas", pd.__version__)
for name in before:
    print(f"{name:<24} {before[name]!s:>5} -> {after[name]}")
if (after["FutureWarnings shown"], after["mode.chained_assignment"]) != (0, None):
    raise SystemExit("CHANGED: the import leaves the warnings or pandas' option alone.")
if after["types the pickler knows"] <= before["types the pickler knows"]:
    raise SystemExit("CHANGED: the import leaves pickle alone.")
print("As described: three settings have changed.")
END
