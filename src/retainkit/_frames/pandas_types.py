"""Give columns of pandas plain types: of Python objects, of Arrow's types and of categories."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import narwhals.stable.v2 as nw
import numpy as np

from retainkit._frames.arrow_extensions import (
    arrow_column,
    is_extension,
    is_view,
    pandas_column,
    stored,
    strings,
)

if TYPE_CHECKING:
    from retainkit._frames.input import Frame

# Those of a column without rows, where it has none.
_EMPTY = {"times": "datetime64[us]", "numbers": "float64", "counts": "int64", "flags": "bool"}
_IDS = {"ids", "segments"}
_FLAGS = (bool, np.bool_)
_NUMBERS = (int, float, Decimal, np.number)
_OBJECTS: dict[str, tuple[type, ...]] = {
    "times": (date, np.datetime64),
    "numbers": _NUMBERS,
    "counts": _NUMBERS,
    "flags": _FLAGS,
}


# Frames


def with_native_columns(frame: Frame, columns: Mapping[str, Any]) -> Frame:
    """Return a frame of pandas with columns in place of those of the same names."""
    if not columns:
        return frame
    native = frame.to_native().copy(deep=False)
    for column, values in columns.items():
        native[column] = values
    made: Frame = nw.from_native(native)
    return made


def with_integers(frame: nw.DataFrame[Any], columns: Mapping[str, Any]) -> nw.DataFrame[Any]:
    """Return a frame of pandas with these columns of Python's integers, None for a null."""
    import pandas as pd  # noqa: PLC0415  importing retainkit does not import pandas

    native = frame.to_native()
    for name, values in columns.items():
        try:
            native[name] = pd.Series(values, native.index, "Int64")
        except OverflowError:  # beyond 64 bits
            native[name] = pd.Series(values, native.index, object)
    made: nw.DataFrame[Any] = nw.from_native(native)
    return made


# Columns


def zone_of_series(series: Any) -> Any:
    """Return the zone of a column of times, None if it has none."""
    return getattr(getattr(series.dtype, "pyarrow_dtype", series.dtype), "tz", None)


def plain_series(series: Any, stands_for: str) -> Any:
    """Return a column with a plain type, or as it is where there is none."""
    import pandas as pd  # noqa: PLC0415  importing retainkit does not import pandas

    dtype = series.dtype
    if isinstance(dtype, np.dtype) and dtype.kind == "O":
        if stands_for in _IDS:
            return series
        empty = series.empty
        return series.astype(_EMPTY[stands_for]) if empty else _plain_objects(series, stands_for)
    if isinstance(dtype, pd.CategoricalDtype) and stands_for in {"numbers", "counts"}:
        numeric = pd.api.types.is_numeric_dtype(dtype.categories.dtype)
        return series.astype("float64") if numeric else series
    arrow = getattr(dtype, "pyarrow_dtype", None)
    if arrow is not None:
        return _plain_arrow(series, str(arrow), stands_for)
    if stands_for == "counts" and dtype.kind == "f" and series.hasnans:
        return _whole(series)
    return series


def _whole(series: Any) -> Any:
    """Return floats as integers that may be null, or as they are where some are not whole."""
    floats = series.to_numpy(dtype="float64", na_value=np.nan)
    whole = (floats == np.rint(floats)) | np.isnan(floats)
    return series.astype("Int64") if whole.all() else series


def _plain_arrow(series: Any, name: str, stands_for: str) -> Any:
    """Return a column of an Arrow type with a plain one, or as it is."""
    if stands_for == "times" and name.startswith(("date", "timestamp")):
        # Not all that puts two columns together takes one of NumPy's and one of Arrow's.
        unit, zone = "ns" if "[ns" in name else "us", zone_of_series(series)
        if zone is None:
            return series.astype(f"datetime64[{unit}]")
        return series.dt.tz_convert("UTC").astype(f"datetime64[{unit}, UTC]").dt.tz_convert(zone)
    if stands_for == "numbers" and name in {"int64", "uint64"}:
        import pandas as pd  # noqa: PLC0415  importing retainkit does not import pandas

        # Arrow refuses to make floats of integers above 2^53.
        return pd.Series(series.to_numpy("float64", na_value=np.nan), series.index)
    if stands_for == "counts" and name.startswith("decimal"):
        return _whole(series)
    return _plain_arrow_ids(series, stands_for) if stands_for in _IDS else series


def _plain_arrow_ids(series: Any, stands_for: str) -> Any:
    dtype = series.dtype.pyarrow_dtype
    if str(dtype) in {"double", "float"}:
        return series + 0.0  # 0.0 and -0.0 are one number
    if is_view(dtype):
        return pandas_column(strings(arrow_column(series)), series.index)
    if is_extension(dtype):
        plain = stored(arrow_column(series), as_text=stands_for == "segments")
        return pandas_column(plain, series.index)
    return series


def _plain_objects(series: Any, stands_for: str) -> Any:
    """Return a column of Python objects with the type that they stand for, or as it is."""
    present = series[series.notna()]
    types = {*map(type, present)}
    flags = {one for one in types if issubclass(one, _FLAGS)}
    if types and types == flags and stands_for != "times":
        return series.astype("boolean")
    fitting = all(issubclass(one, _OBJECTS[stands_for]) for one in types)
    if not types or flags or not fitting:
        return series
    try:
        if stands_for == "times":
            return _times(series, present)
        numbers = series.mask(series.isna(), np.nan).astype("float64")
    except (ValueError, OverflowError):  # beyond the calendar, or all floats
        return series
    return numbers if stands_for == "numbers" else _whole(numbers)


def _times(series: Any, present: Any) -> Any:
    """Return dates, datetimes and timestamps as times; naive and aware ones have none in common."""
    import pandas as pd  # noqa: PLC0415  importing retainkit does not import pandas

    zones = {getattr(value, "tzinfo", None) for value in present}
    if None in zones and len(zones) > 1:
        return series
    instants = np.full(len(series), np.datetime64("NaT", "us"), "datetime64[us]")
    instants[series.notna().to_numpy()] = [_instant(value) for value in present]
    times = pd.Series(instants, series.index)
    if None in zones:
        return times
    aware = times.dt.tz_localize("UTC")
    return aware.dt.tz_convert(zones.pop()) if len({*map(str, zones)}) == 1 else aware


def _instant(value: Any) -> np.datetime64:
    """Return a date or datetime in microseconds, in UTC if it has a zone."""
    if isinstance(value, datetime) and value.tzinfo is not None:
        value = value.astimezone(UTC).replace(tzinfo=None)
    return np.datetime64(value, "us")
