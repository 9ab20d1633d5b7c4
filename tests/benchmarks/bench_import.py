"""What `import retainkit` adds to `import pandas`.

    python tests/benchmarks/bench_import.py
    python tests/benchmarks/bench_import.py --repeat 60

Required: importing pandas and retainkit takes at most 1.25 times as long as importing pandas.

Each import is timed inside a fresh interpreter, so that the start of Python itself is left out. The
statements take turns; the fastest of each are compared, and the medians shown beside them.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import subprocess
import sys
from importlib.metadata import version

STATEMENTS = (
    "import pandas",
    "import pandas, retainkit",
    "import retainkit",
    "import numpy",
    "import numpy, narwhals.stable.v2",
)
LIMIT = 1.25
PROGRAM = """
from time import perf_counter
begin = perf_counter()
{}
print(perf_counter() - begin)
"""


def seconds(statement: str) -> float:
    """Run a statement in a fresh interpreter and give what it took."""
    command = [sys.executable, "-c", PROGRAM.format(statement)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def main() -> None:
    """Time the statements in turn and print what they take."""
    parser = argparse.ArgumentParser(description="Time `import retainkit`.")
    parser.add_argument(
        "--repeat", type=int, default=30, help="turns of each (default: %(default)s)"
    )
    repeat = parser.parse_args().repeat

    for statement in STATEMENTS:
        seconds(statement)  # once for the caches
    taken: dict[str, list[float]] = {statement: [] for statement in STATEMENTS}
    for _ in range(repeat):
        for statement, times in taken.items():
            times.append(seconds(statement))

    print(f"{os.cpu_count()} cores, Python {platform.python_version()}, {platform.system()}")
    print(", ".join(f"{name} {version(name)}" for name in ("retainkit", "pandas", "narwhals")))
    base, base_median = (of(taken["import pandas"]) for of in (min, statistics.median))
    print(f"\n{'':34}{'fastest':>9}{'median':>9}   / import pandas")
    for statement, times in taken.items():
        best, median = min(times), statistics.median(times)
        ratios = f"{best / base:9.2f} ({median / base_median:.2f})"
        print(f"{statement:34}{best * 1000:6.0f} ms{median * 1000:6.0f} ms {ratios}")
    ratio = min(taken["import pandas, retainkit"]) / base
    held = "holds" if ratio <= LIMIT else "FAILS"
    print(f"\nRequired: at most {LIMIT} times `import pandas`; it is {ratio:.2f}: {held}")


if __name__ == "__main__":
    main()
