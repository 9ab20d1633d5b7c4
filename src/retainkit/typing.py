"""Types for annotations: the frames that may be given, what comes back, and the words of options.

A function of one's own that takes any frame and gives what `nps` gives for it::

    from retainkit.typing import IntoTable, TableT

    def nps_by_country(responses: TableT | IntoTable[TableT]) -> TableT:
        return rk.nps(responses, by="country")

The frames are described by what they can do, not by their classes: none of their libraries has to
be installed.
"""

# ruff: noqa: D102  what a frame can do is for its own library to explain

from __future__ import annotations

from collections.abc import Mapping, Sequence, Sized
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias

import narwhals.stable.v2  # noqa: F401  whole, before a module of it: see `retainkit.__getattr__`
from narwhals.stable.v2.typing import IntoDataFrame, IntoDataFrameT, IntoFrame, IntoFrameT

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray
    from typing_extensions import TypeVar  # with defaults, which Python has from 3.13 on
else:
    from typing import TypeVar

__all__ = [
    "Adjust",
    "AffinityKind",
    "Amounts",
    "Average",
    "CESStat",
    "CSATStat",
    "ChartKind",
    "ChurnMethod",
    "Clock",
    "Compounding",
    "Counting",
    "Dated",
    "DriverMethod",
    "DuckDBRelation",
    "EndIs",
    "Engine",
    "Entry",
    "FeatureTransform",
    "Fractional",
    "FractionalAnswer",
    "InMemoryFrame",
    "Infinite",
    "IntervalMethod",
    "IntoDataFrame",
    "IntoDataFrameT",
    "IntoFrame",
    "IntoFrameT",
    "IntoTable",
    "Invalid",
    "Length",
    "MRRLevel",
    "Metric",
    "Missing",
    "MissingFeature",
    "ModelValues",
    "Month",
    "NPSMethod",
    "Numbers",
    "Outcome",
    "Overlap",
    "Period",
    "PeriodLike",
    "PolarsLazyFrame",
    "Repeat",
    "SegmentValues",
    "ShareInterval",
    "SparkDataFrame",
    "SubscriptionRows",
    "SupportsArray",
    "TableT",
    "TotalValues",
    "UsageUnit",
    "ValuationMethod",
    "Weekday",
]

# Frames


class InMemoryFrame(Sized, Protocol):
    """A DataFrame of pandas or Polars, or a PyArrow table: a small table is of its kind."""

    @property
    def columns(self) -> Any: ...
    def join(self, *args: Any, **kwargs: Any) -> Any: ...
    def drop(self, *args: Any, **kwargs: Any) -> Any: ...
    def equals(self, *args: Any, **kwargs: Any) -> Any: ...  # which no lazy frame has


if TYPE_CHECKING:
    TableT = TypeVar("TableT", bound=InMemoryFrame, default=pd.DataFrame)
    Collected_co = TypeVar("Collected_co", covariant=True)
    ResponsesT_co = TypeVar("ResponsesT_co", covariant=True, default=Any)
    TableT_co = TypeVar("TableT_co", covariant=True, default=Any)
else:  # nothing looks at bounds and defaults at run time
    TableT = TypeVar("TableT", bound=InMemoryFrame)
    Collected_co = TypeVar("Collected_co", covariant=True)
    ResponsesT_co = TypeVar("ResponsesT_co", covariant=True)
    TableT_co = TypeVar("TableT_co", covariant=True)


class PolarsLazyFrame(Protocol[Collected_co]):
    """A LazyFrame of Polars: a small table is the DataFrame that it collects to."""

    def collect_schema(self) -> Any: ...
    def collect(self) -> Collected_co: ...


class DuckDBRelation(Protocol):
    """A relation of DuckDB: a small table is a pandas DataFrame."""

    def create_view(self, *args: Any, **kwargs: Any) -> Any: ...
    def df(self, *args: Any, **kwargs: Any) -> Any: ...


class SparkDataFrame(Protocol):
    """A DataFrame of PySpark: a small table is a pandas DataFrame."""

    @property
    def sparkSession(self) -> Any: ...  # noqa: N802
    def toPandas(self) -> Any: ...  # noqa: N802


IntoTable: TypeAlias = PolarsLazyFrame[TableT] | DuckDBRelation | SparkDataFrame
"""A lazy frame, of which a small table comes into memory as a `TableT`.

For a Polars LazyFrame this is what it collects to. DuckDB and PySpark leave it open, and then the
default of `TableT` holds: a pandas DataFrame.
"""

# Numbers


class SupportsArray(Protocol):
    """What NumPy reads as an array: a Series of pandas or Polars, an array of PyArrow."""

    def __array__(self, *args: Any, **kwargs: Any) -> Any: ...


Numbers: TypeAlias = "Sequence[float] | NDArray[Any] | SupportsArray"
"""Several numbers, for which an array comes back."""

# Time

Period: TypeAlias = Literal["hour", "day", "week", "month", "quarter", "year"]
PeriodLike: TypeAlias = Period | str | timedelta | Sequence[str | date]
"""A word, a number of days or weeks such as "14 days", or the dates between periods."""
# fmt: off
Month: TypeAlias = Literal[
    "january", "february", "march", "april", "may", "june",
    "july", "august", "september", "october", "november", "december",
]
# fmt: on
Weekday: TypeAlias = Literal[
    "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"
]
Length: TypeAlias = str | timedelta

# How far long work is


class ProgressBar(Protocol):
    """What shows how far work is, such as an object of tqdm."""

    def update(self, n: int, /) -> object:
        """Add steps that are done."""

    def close(self) -> object:
        """Stop."""


class Progress(Protocol):
    """What makes a `ProgressBar` for a number of steps, such as the class of tqdm."""

    def __call__(self, *, total: int) -> ProgressBar:
        """Begin."""


# What is done with rows that say too little

Missing: TypeAlias = Literal["raise", "drop"]
Invalid: TypeAlias = Literal["raise", "drop"]
Amounts: TypeAlias = Literal["raise", "net", "keep"]
Fractional: TypeAlias = Literal["raise", "floor", "round", "cut"]
FractionalAnswer: TypeAlias = Literal["raise", "floor", "round"]
Repeat: TypeAlias = Literal["cluster", "last", "first", "mean", "error"]

# Retention and churn

Entry: TypeAlias = Literal["first", "recurring"]
Clock: TypeAlias = Literal["calendar", "elapsed"]
Counting: TypeAlias = Literal["on", "on_or_after", "on_or_before", "every"]
Average: TypeAlias = Literal["pooled", "simple", "chained"]
EndIs: TypeAlias = Literal["exclusive", "last_day"]
ChurnMethod: TypeAlias = Literal["opening", "stripe", "daily"]
Dated: TypeAlias = Literal["window_end", "last_event"]
MRRLevel: TypeAlias = Literal["snapshot", "event"]
UsageUnit: TypeAlias = Literal["day", "week", "event"]

# Lifetime value

Engine: TypeAlias = Literal["retainkit", "lifetimes"]
Compounding: TypeAlias = Literal["annual", "monthly", "continuous"]
ValuationMethod: TypeAlias = Literal["exact", "lifetimes"]
Infinite: TypeAlias = Literal["raise", "median"]
IntervalMethod: TypeAlias = Literal["delta", "bootstrap"]
Unseen: TypeAlias = Literal["raise", "reference"]
Profile: TypeAlias = Mapping[str, float | str]
"""Values of covariates by the names of their columns."""

# Items that go together

AffinityKind: TypeAlias = Literal["basket", "next"]

# Surveys

Metric: TypeAlias = Literal["nps", "csat", "mean"]
NPSMethod: TypeAlias = Literal["score", "adjusted_wald", "wald", "bootstrap"]
ShareInterval: TypeAlias = Literal["wilson", "clopper_pearson", "jeffreys", "agresti_coull"]
CSATStat: TypeAlias = Literal["share", "mean", "normalized_mean", "mean_of_maximum", "net"]
CESStat: TypeAlias = Literal["mean", "share", "net"]
Adjust: TypeAlias = Literal["holm", "bonferroni", "bh", "none"]
ChartKind: TypeAlias = Literal["individuals", "sampling"]
DriverMethod: TypeAlias = Literal["relative_weights", "lmg"]
Outcome: TypeAlias = Literal["event", "churn"]

# Segments

Overlap: TypeAlias = Literal["raise", "first"]
# Models of churn risk

FeatureTransform: TypeAlias = Literal["log1p", "none"]
MissingFeature: TypeAlias = Literal["raise", "indicator"]

# Pictures and data sets

SegmentValues: TypeAlias = Literal["customers", "monetary"]
ModelValues: TypeAlias = Literal["expected_purchases", "probability_alive"]
TotalValues: TypeAlias = Literal["cltv", "mean_cltv", "expected_purchases"]
SubscriptionRows: TypeAlias = Literal["subscription", "renewal"]
