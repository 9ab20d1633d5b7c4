"""Fits of many segments at once, beside the same fits one by one.

    python tests/benchmarks/bench_fit_segments.py
    python tests/benchmarks/bench_fit_segments.py --segments 100

Required: 1,000 segments of 200 customers at least fifteen times as fast as the loop over fits by
L-BFGS-B, which took 68 s of CPU time with one thread where a prototype of this took 2.3 s. What is
compared is CPU time in one run; the values of both must agree.
"""

from __future__ import annotations

import argparse
from time import process_time
from typing import TYPE_CHECKING, Any

import numpy as np
from stopwatch import machine

from retainkit._models.bg_nbd import BG_NBD
from retainkit._models.gamma_gamma_fit import fit_spend, fit_spend_apart
from retainkit._models.pareto_nbd import PARETO_NBD
from retainkit._models.purchase_fits import fit_purchases, fit_purchases_apart

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

PACKAGES = ("numpy", "scipy")


def draw_segments(segments: int, customers: int) -> tuple[list[Any], list[Any]]:
    """Draw distinct rows of segments that differ in their rates, and in their drop-out."""
    rng = np.random.default_rng(1)
    histories, amounts = [], []
    for _ in range(segments):
        alpha = 8 * np.exp(rng.normal(0, 0.35))
        mean = 1 / (1 + np.exp(1.2 + rng.normal(0, 0.45)))
        T = rng.integers(20, 53, customers).astype(float)  # noqa: N806
        x, tx = BG_NBD.simulate((0.8, alpha, 3 * mean, 3 * (1 - mean)), T, rng)
        rows = np.stack([x, np.ceil(tx), T], axis=1)
        distinct, counts = np.unique(rows, axis=0, return_counts=True)
        histories.append((tuple(distinct.T.copy()), counts.astype(float)))
        again = x[x > 0].astype(float)
        rate = rng.gamma(3.74, 1 / 15.44, len(again)) * again
        amounts.append((again, rng.gamma(6.25 * again, 1 / rate), np.ones(len(again))))
    return histories, amounts


def timed(call: Callable[[], Sequence[Any]]) -> tuple[float, float]:
    """Return the CPU time of some fits, and the sum of their log-likelihoods."""
    start = process_time()
    fits = call()
    return process_time() - start, sum(fit.log_likelihood for fit in fits)


def main() -> None:
    """Fit all segments in both ways, and print the times."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--segments", type=int, default=1_000)
    parser.add_argument("--customers", type=int, default=200)
    options = parser.parse_args()
    print(machine(*PACKAGES))
    histories, amounts = draw_segments(options.segments, options.customers)
    pairs: dict[str, tuple[Callable[[], Any], Callable[[], Any]]] = {
        "BG/NBD": (
            lambda: fit_purchases_apart(BG_NBD, histories),
            lambda: [fit_purchases(BG_NBD, *one) for one in histories],
        ),
        "Pareto/NBD": (
            lambda: fit_purchases_apart(PARETO_NBD, histories),
            lambda: [fit_purchases(PARETO_NBD, *one) for one in histories],
        ),
        "Gamma-Gamma": (
            lambda: fit_spend_apart(amounts),
            lambda: [fit_spend(*one) for one in amounts],
        ),
    }
    for name, (at_once, one_by_one) in pairs.items():
        (ours, value), (loop, other) = timed(at_once), timed(one_by_one)
        print(f"{name}: {ours:.2f} s at once, {loop:.2f} s one by one, {loop / ours:.1f} times;")
        print(f"  log-likelihoods differ by {abs(value - other):.1e}")


if __name__ == "__main__":
    main()
