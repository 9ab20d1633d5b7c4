"""The value of CDNOW's customers, against clvkit and pymc-marketing.

    python tests/benchmarks/bench_peers.py clvkit
    python tests/benchmarks/bench_peers.py pymc-marketing

Each peer in an environment of its own, in which retainkit is installed too: they want other
versions of pandas and NumPy. Required: `cltv` at least 3 times as fast as clvkit's `CLV`; the fits
of BG/NBD and Gamma-Gamma at least 30 times as fast as those of pymc-marketing, with what it
compiles in its cache. Contestants take turns, `--repeat` times, after a turn that does not count;
what is compared is the least CPU time.
"""

from __future__ import annotations

import argparse
import warnings
from importlib.metadata import version
from time import process_time
from typing import TYPE_CHECKING, Any

from stopwatch import machine

import retainkit as rk

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

AS_OF = "1998-07-01"


def fits(orders: pd.DataFrame) -> Any:
    """Fit both models to a summary."""
    summary = rk.rfm_summary(orders, amount="amount", as_of=AS_OF)
    return rk.fit_bg_nbd(summary), rk.fit_gamma_gamma(summary)


def of_clvkit(orders: pd.DataFrame) -> Any:
    """Value a year of 52 weeks, with a discount of 10 % a year."""
    from clvkit import CLV, CustomerBase  # noqa: PLC0415

    base = CustomerBase.from_transactions(
        orders,
        customer_id_col="customer_id",
        datetime_col="time",
        amount_col="amount",
        time_unit="W",
        collapse="D",
        observation_period_end="1998-06-30",
    )
    return CLV().fit(base).predict(horizon=52, discount_rate=1.1 ** (1 / 52) - 1).to_pandas()


def of_pymc_marketing(orders: pd.DataFrame) -> Any:
    """Fit both models to a summary at their posterior modes; nothing is valued."""
    from pymc_marketing.clv import BetaGeoModel, GammaGammaModel, rfm_summary  # noqa: PLC0415

    summary = rfm_summary(
        orders,
        customer_id_col="customer_id",
        datetime_col="time",
        monetary_value_col="amount",
        observation_period_end="1998-06-30",
        time_unit="D",
    )
    purchases = BetaGeoModel()
    purchases.fit(data=summary, method="map", progressbar=False)
    spend = GammaGammaModel()
    repeaters = summary[(summary["frequency"] > 0) & (summary["monetary_value"] > 0)]
    spend.fit(data=repeaters, method="map", progressbar=False)
    return purchases, spend


PEERS: dict[str, Callable[[pd.DataFrame], Any]] = {
    "clvkit": of_clvkit,
    "pymc-marketing": of_pymc_marketing,
}


def main() -> None:
    """Take turns, and print the ratio."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("peer", choices=PEERS)
    parser.add_argument("--repeat", type=int, default=5)
    given = parser.parse_args()
    print(machine("numpy", "scipy", "pandas"), f"{given.peer} {version(given.peer)}")
    warnings.simplefilter("ignore")
    orders = rk.datasets.load_cdnow(sample=True)
    calls: dict[str, Callable[[], Any]] = {
        "cltv": lambda: rk.cltv(orders, as_of=AS_OF),
        "fits": lambda: fits(orders),
        given.peer: lambda: PEERS[given.peer](orders),
    }
    times: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(given.repeat + 1):
        for name, call in calls.items():
            start = process_time()
            call()
            times[name].append(process_time() - start)
    least = {name: min(own[1:]) for name, own in times.items()}
    for name, seconds in least.items():
        print(f"{name}: {seconds:.3f} s")
    for name in ("cltv", "fits"):
        print(f"{given.peer} takes {least[given.peer] / least[name]:.1f} times as long as {name}")


if __name__ == "__main__":
    main()
