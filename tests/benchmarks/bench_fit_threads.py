"""The processor's time of fits with one BLAS thread and with two.

    python tests/benchmarks/bench_fit_threads.py
    python tests/benchmarks/bench_fit_threads.py --repeat 3

Required, for `cltv` of CDNOW's sample, the second call and later ones: with two threads at most
1.3 times what one takes.

The number of threads is fixed when a process loads NumPy, so each turn is a process of its own.
What is compared is the least time of each, of all threads together.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys

from stopwatch import machine

PACKAGES = ("numpy", "scipy", "pandas", "narwhals")
CALLS = {
    "cltv": "rk.cltv(orders, horizon='52 weeks')",
    "fit_bg_nbd": "rk.fit_bg_nbd(summary)",
    "fit_gamma_gamma": "rk.fit_gamma_gamma(summary)",
}
PROGRAM = """
import time, warnings
import retainkit as rk

warnings.simplefilter("ignore", rk.RetainkitWarning)
orders = rk.datasets.load_cdnow(sample=True)
summary = rk.rfm_summary(orders, amount="amount", unit="week", exact=True)
{call}
times = []
for _ in range(5):
    begin = time.process_time()
    {call}
    times.append(time.process_time() - begin)
print(min(times))
"""


def seconds(call: str, threads: int) -> float:
    """Return the processor's time of a call in a process of so many threads."""
    environment = os.environ | {"OPENBLAS_NUM_THREADS": str(threads)}
    program = PROGRAM.format(call=call)
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, check=True, text=True
    )
    return float(done.stdout)


def main() -> None:
    """Compare."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--repeat", type=int, default=5)
    given = parser.parse_args()
    print(machine(*PACKAGES))
    for name, call in CALLS.items():
        turns = [[seconds(call, threads) for threads in (1, 2)] for _ in range(given.repeat)]
        one, two = (min(times) for times in zip(*turns, strict=True))
        print(f"{name}: {1e3 * one:.0f} ms with one, {1e3 * two:.0f} with two: {two / one:.2f}")


if __name__ == "__main__":
    main()
