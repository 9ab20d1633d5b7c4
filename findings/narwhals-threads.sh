#!/usr/bin/env bash
# narwhals: two threads that import it first, one by a module of it, do not both succeed.
#
# Version:  narwhals 2.29.0, Python 3.11
# Expected: threads may import in any order; one waits until the other has finished.
# Seen:     a thread that imports narwhals.stable.v2.typing holds the lock of that module and waits
#           for the package; another that imports narwhals.stable.v2 holds the lock of the package,
#           which imports the module. Python finds the deadlock and raises in one of them. So do all
#           packages whose __init__ imports a module that others import directly.
# Output:
#   _DeadlockError
#   of 10 runs, one of the threads failed in 10; with the whole package first, in 0
#   As described: the order of imports decides.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3.11}" -m venv "$folder"
python=$folder/bin/python
"$python" -m pip install --quiet --no-compile --disable-pip-version-check narwhals==2.29.0
cat >"$folder/threads.py" <<'END'
import sys
import threading
import time
from importlib import import_module


def load(name, delay):
    time.sleep(delay)
    try:
        import_module(name)
    except RuntimeError as error:
        print(type(error).__name__)


for first in sys.argv[1:]:
    import_module(first)
threads = [
    threading.Thread(target=load, args=("narwhals.stable.v2", 0)),
    threading.Thread(target=load, args=("narwhals.stable.v2.typing", 0.005)),
]
for one in threads:
    one.start()
for one in threads:
    one.join()
END
"$python" "$folder/threads.py"
failed=0 whole=0
for _ in $(seq 10); do
  [ -z "$("$python" "$folder/threads.py")" ] || failed=$((failed + 1))
  [ -z "$("$python" "$folder/threads.py" narwhals.stable.v2)" ] || whole=$((whole + 1))
done
echo "of 10 runs, one of the threads failed in $failed; with the whole package first, in $whole"
if [ "$failed" = 0 ] || [ "$whole" != 0 ]; then
  echo "CHANGED: the threads no longer get in each other's way." >&2
  exit 1
fi
echo "As described: the order of imports decides."
