"""Pictures of results and of models, drawn with matplotlib (the extra ``plot``).

Each function takes what it draws and an optional ``ax``, draws on it and returns the
`~matplotlib.axes.Axes`; titles and saving are left to the caller. Nothing global is
touched: no style, no ``show``; pyplot is imported only to make a figure when ``ax`` is
not given. Importing this module does not import matplotlib.
"""

from retainkit.plot._checking import holdout_calibration, tracking
from retainkit.plot._control import control_chart
from retainkit.plot._drivers import key_drivers
from retainkit.plot._frequency_recency import frequency_recency
from retainkit.plot._growth import growth_accounting
from retainkit.plot._history import customer_history
from retainkit.plot._projection import projection
from retainkit.plot._retention import retention_curve, retention_heatmap
from retainkit.plot._survey import nps_bar
from retainkit.plot._survivors import survival_curve
from retainkit.plot._trend import score_trend
from retainkit.plot._value import cltv_distribution
from retainkit.plot._waterfall import mrr_waterfall

__all__ = [
    "cltv_distribution",
    "control_chart",
    "customer_history",
    "frequency_recency",
    "growth_accounting",
    "holdout_calibration",
    "key_drivers",
    "mrr_waterfall",
    "nps_bar",
    "projection",
    "retention_curve",
    "retention_heatmap",
    "score_trend",
    "survival_curve",
    "tracking",
]
