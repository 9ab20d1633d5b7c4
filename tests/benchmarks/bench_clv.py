"""Fit and value of a million customers, against lifetimes.

    python tests/benchmarks/bench_clv.py
    python tests/benchmarks/bench_clv.py --customers 100000 --repeat 2

Required, for a million customers observed by the day: the BG/NBD fit at least 20 times faster than
lifetimes, the value over 12 months at least 8 times; the total of the values, with its interval, in
at most twice the time that they take by themselves.

lifetimes takes one turn, retainkit the fastest of `--repeat`, in the same process, after both have
given the same numbers: parameters to 1e-3, and with `method="lifetimes"` values to 1e-6. The data
are drawn from a fixed seed.
"""

from __future__ import annotations

import argparse
import contextlib
import warnings
from operator import itemgetter
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from stopwatch import machine, timed

from retainkit import (
    BGNBD,
    GammaGamma,
    cltv_from_models,
    cltv_total,
    fit_bg_nbd,
    fit_gamma_gamma,
)

if TYPE_CHECKING:
    from collections.abc import Callable

PACKAGES = ("lifetimes", "numpy", "scipy", "pandas", "narwhals")
TRUTH = BGNBD(r=0.243, alpha=30.9, a=0.793, b=2.426)  # CDNOW, by the day
SPEND = GammaGamma(p=6.25, q=3.74, v=15.44)


def draw_summary(customers: int) -> pd.DataFrame:
    """Draw customers who start on any day of two years, as a summary by the day."""
    rng = np.random.default_rng(2022)
    starts = np.sort(rng.integers(30, 730, customers))
    lengths, counts = np.unique(starts, return_counts=True)
    parts = [
        TRUTH.simulate(int(count), int(length), seed=int(length))
        for length, count in zip(lengths, counts, strict=True)
    ]
    summary = pd.concat(parts, ignore_index=True)
    summary["customer_id"] = np.arange(customers)
    summary["recency"] = np.ceil(summary["recency"])
    nu = rng.gamma(SPEND.q, 1 / SPEND.v, customers)
    x = summary["frequency"].to_numpy()
    total = rng.gamma(SPEND.p * np.maximum(x, 1)) / nu
    summary["monetary_value"] = np.where(x > 0, (total / np.maximum(x, 1)).round(2), np.nan)
    return summary


def fit_by_lifetimes(summary: pd.DataFrame) -> Any:
    """Fit with lifetimes, whose weights could take repeated rows together, as nobody does."""
    from lifetimes import BetaGeoFitter  # noqa: PLC0415

    fitter = BetaGeoFitter()
    fitter.fit(summary["frequency"], summary["recency"], summary["T"])
    return fitter


def value_by_lifetimes(fitter: Any, spend: Any, summary: pd.DataFrame) -> Any:
    """Value 12 months at 1 % a month."""
    return spend.customer_lifetime_value(
        fitter,
        summary["frequency"],
        summary["recency"],
        summary["T"],
        summary["monetary_value"].fillna(0),
        time=12,
        discount_rate=0.01,
        freq="D",
    )


def best(call: Callable[[], Any], repeat: int) -> tuple[float, Any]:
    """Return the shortest time of several, and the result of one."""
    return min((timed(call) for _ in range(repeat)), key=itemgetter(0))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--repeat", type=int, default=3)
    options = parser.parse_args()
    print(machine(*PACKAGES))
    summary = draw_summary(options.customers)
    distinct = len(summary.drop_duplicates(["frequency", "recency", "T"]))
    print(f"{len(summary):,} customers, {distinct:,} distinct by frequency, recency and T\n")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # lifetimes divides by zero in public
        compare(summary, options.repeat)


def compare(summary: pd.DataFrame, repeat: int) -> None:
    """Run both, check that they agree, and print their times."""
    theirs, fitter = timed(lambda: fit_by_lifetimes(summary))
    ours, model = best(lambda: fit_bg_nbd(summary), repeat)
    np.testing.assert_allclose([*model.parameters.values()], fitter.params_, rtol=1e-3)
    show("BG/NBD fit", ours, theirs)

    buyers = summary[(summary["frequency"] > 0) & (summary["monetary_value"] > 0)]
    ours, spend = best(lambda: fit_gamma_gamma(summary), repeat)
    theirs, raised = timed(lambda: fit_spend_by_lifetimes(buyers))
    show(f"Gamma-Gamma fit ({raised or 'both converge'})", ours, theirs)

    # The same parameters, so that the values must agree.
    fitter, gamma = model.to_lifetimes(), spend.to_lifetimes()
    theirs, values = timed(lambda: value_by_lifetimes(fitter, gamma, summary))
    for method in ("exact", "lifetimes"):
        asked: dict[str, Any] = {"method": method, "discount_rate": 0.12, "compounding": "monthly"}
        ours, table = best(lambda: cltv_from_models(summary, model, spend, **asked), repeat)  # noqa: B023
        show(f"CLTV, method {method!r}, with intervals", ours, theirs)
    np.testing.assert_allclose(table["cltv"], values, rtol=1e-6)
    compare_total(summary, model, spend, repeat)


def compare_total(summary: pd.DataFrame, model: BGNBD, spend: GammaGamma, repeat: int) -> None:
    """Print the time of the total beside that of the values of customers."""
    each, table = best(lambda: cltv_from_models(summary, model, spend), repeat)
    ours, total = best(lambda: cltv_total(summary, model, spend), repeat)
    np.testing.assert_allclose(total["cltv"], table["cltv"].sum(), rtol=1e-9)
    print(f"{'total, with its interval':<44} {ours:8.2f} s  values {each:8.2f} s")


def fit_spend_by_lifetimes(buyers: pd.DataFrame) -> str:
    """Fit with lifetimes, which often raises although it has arrived; give what it raises."""
    from lifetimes import GammaGammaFitter  # noqa: PLC0415
    from lifetimes.utils import ConvergenceError  # noqa: PLC0415

    try:
        with contextlib.redirect_stdout(None):
            GammaGammaFitter().fit(buyers["frequency"], buyers["monetary_value"])
    except ConvergenceError as error:
        return type(error).__name__
    return ""


def show(what: str, ours: float, theirs: float) -> None:
    print(f"{what:<44} {ours:8.2f} s  lifetimes {theirs:8.2f} s  {theirs / ours:6.1f} times")


if __name__ == "__main__":
    main()
