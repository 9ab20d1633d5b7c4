"""Pictures of results and of models, drawn with matplotlib (the extra ``plot``).

Each function takes what it draws and an optional ``ax``, draws on it and returns the
`~matplotlib.axes.Axes`; titles and saving are left to the caller. Nothing global is
touched: no style, no ``show``; pyplot is imported only to make a figure when ``ax`` is
not given. matplotlib is imported when a picture is asked for.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from retainkit.errors import MissingDependencyError

if TYPE_CHECKING:
    from retainkit.plot._affinity import affinity as affinity
    from retainkit.plot._cltv_total import cltv_total as cltv_total
    from retainkit.plot._concentration import value_concentration as value_concentration
    from retainkit.plot._contacts import contact_policy as contact_policy
    from retainkit.plot._control import control_chart as control_chart
    from retainkit.plot._drivers import key_drivers as key_drivers
    from retainkit.plot._effects import effects as effects
    from retainkit.plot._frequency_counts import frequency_counts as frequency_counts
    from retainkit.plot._frequency_recency import frequency_recency as frequency_recency
    from retainkit.plot._growth import growth_accounting as growth_accounting
    from retainkit.plot._history import customer_history as customer_history
    from retainkit.plot._holdout import holdout_calibration as holdout_calibration
    from retainkit.plot._holdout import tracking as tracking
    from retainkit.plot._lift import calibration as calibration
    from retainkit.plot._lift import lift as lift
    from retainkit.plot._migration import segment_migration as segment_migration
    from retainkit.plot._next_purchase import next_purchase as next_purchase
    from retainkit.plot._nps import nps_bar as nps_bar
    from retainkit.plot._observed_value import observed_value as observed_value
    from retainkit.plot._projection import projection as projection
    from retainkit.plot._retention_curve import retention_curve as retention_curve
    from retainkit.plot._retention_heatmap import retention_heatmap as retention_heatmap
    from retainkit.plot._segment_map import segment_map as segment_map
    from retainkit.plot._signs import warning_signs as warning_signs
    from retainkit.plot._survival import survival_curve as survival_curve
    from retainkit.plot._trend import score_trend as score_trend
    from retainkit.plot._value import cltv_distribution as cltv_distribution
    from retainkit.plot._waterfall import mrr_waterfall as mrr_waterfall

_HOMES = {
    "affinity": "_affinity",
    "calibration": "_lift",
    "cltv_distribution": "_value",
    "cltv_total": "_cltv_total",
    "contact_policy": "_contacts",
    "control_chart": "_control",
    "customer_history": "_history",
    "effects": "_effects",
    "frequency_counts": "_frequency_counts",
    "frequency_recency": "_frequency_recency",
    "growth_accounting": "_growth",
    "holdout_calibration": "_holdout",
    "key_drivers": "_drivers",
    "lift": "_lift",
    "mrr_waterfall": "_waterfall",
    "next_purchase": "_next_purchase",
    "nps_bar": "_nps",
    "observed_value": "_observed_value",
    "projection": "_projection",
    "retention_curve": "_retention_curve",
    "retention_heatmap": "_retention_heatmap",
    "score_trend": "_trend",
    "segment_map": "_segment_map",
    "segment_migration": "_migration",
    "survival_curve": "_survival",
    "tracking": "_holdout",
    "value_concentration": "_concentration",
    "warning_signs": "_signs",
}

__all__ = [*_HOMES]


if not TYPE_CHECKING:  # to which every name would be known otherwise

    def __getattr__(name: str) -> object:
        """Import the picture that is asked for, once."""
        if name not in _HOMES:
            near = import_module("retainkit._suggestions")
            hint = (
                "" if name.startswith("_") else near.did_you_mean(near.nearest_name(name, _HOMES))
            )
            raise AttributeError(f"module 'retainkit.plot' has no attribute {name!r}.{hint}")
        try:
            import_module("matplotlib")
        except ImportError as error:
            raise MissingDependencyError(
                "matplotlib is needed for retainkit.plot; "
                "install it with `pip install matplotlib` (the extra `plot`)."
            ) from error
        value = getattr(import_module(f"retainkit.plot.{_HOMES[name]}"), name)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return sorted(__all__)
