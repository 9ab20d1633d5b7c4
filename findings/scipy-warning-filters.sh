#!/usr/bin/env bash
# SciPy: importing it changes the warning filters of the whole program.
#
# Versions: scipy 1.17.1, numpy 2.4.6
# Expected: an import leaves warnings.filters as they were.
# Seen:     scipy.special adds "always" for its own SpecialFunctionWarning, and scipy.sparse, which
#           scipy.optimize imports, ignores every warning whose text begins with "the matrix
#           subclass is not the recommended way", whoever raises it.
# Output:
#   scipy 1.17.1
#   scipy.special adds 'always' for SpecialFunctionWarning: None
#   scipy.optimize adds 'ignore' for Warning: the matrix subclass is not the recommended way
#   warnings of numpy.matrix: 1 before the import, 0 after it
#   As described: the filters are others than before.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3.11}" -m venv "$folder"
python=$folder/bin/python
"$python" -m pip install --quiet --no-compile --disable-pip-version-check scipy==1.17.1 numpy==2.4.6
"$python" - <<'END'
import warnings
from importlib import import_module

import numpy as np  # its own import is not what this is about
import scipy

def warned() -> int:
    with warnings.catch_warnings(record=True) as caught:
        np.matrix([[1]])
    return len(caught)


print("scipy", scipy.__version__)
warnings.simplefilter("always")  # a program that asks to see every warning
asked = warned()
added = {}
for name in ("scipy.special", "scipy.optimize"):
    before = list(warnings.filters)
    import_module(name)
    added[name] = [one for one in warnings.filters if one not in before]
    for action, text, category, _, _ in added[name]:
        print(f"{name} adds {action!r} for {category.__name__}: {text and text.pattern}")
print("warnings of numpy.matrix:", asked, "before the import,", warned(), "after it")

if not all(added.values()) or (asked, warned()) != (1, 0):
    raise SystemExit("CHANGED: the filters are left alone.")
print("As described: the filters are others than before.")
END
