"""Tell where spend goes with frequency, of which Gamma-Gamma takes it to be independent."""

from __future__ import annotations

from retainkit._inputs.customers import Customers, bought_again
from retainkit._stats.correlation import pearson

_LEAST = 20  # customers from which on something can be told
_NEGLIGIBLE = 0.1  # correlation of spend and frequency that is no cause for concern


def spend_warnings(spend: Customers) -> list[tuple[str, str]]:
    """Return code and text of a warning where spend is not independent of frequency."""
    x, m = spend.distinct["frequency"], spend.distinct["monetary_value"]
    used = bought_again(spend)
    if spend.counts[used].sum() < _LEAST:
        return []
    together = pearson(x[used], m[used], spend.counts[used], 0.95)
    if not (together.lower > _NEGLIGIBLE or together.upper < -_NEGLIGIBLE):
        return []
    text = (
        f"Spend goes with frequency (correlation {together.estimate:.2f}); the models take "
        "them to be independent: values of frequent buyers are biased. `spend_independence` "
        "tells more."
    )
    return [("dependent_spend", text)]
