"""Types of columns and of the values in them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import narwhals.stable.v2 as nw

from retainkit._frames.input import Frame, count_rows


def type_name(frame: Frame, column: str) -> str:
    """Return the name of the type of a column, the engine's own where narwhals does not know it."""
    dtype = frame.collect_schema()[column]
    if dtype == nw.Object and isinstance(frame, nw.DataFrame):
        kinds = sorted({type(value).__name__ for value in _present(frame, column)})
        return f"{dtype} ({' and '.join(kinds)})" if kinds else str(dtype)
    if dtype != nw.Unknown:
        return str(dtype)
    native = frame.to_native()
    if frame.implementation.is_pandas_like():
        return str(native[column].dtype)
    if frame.implementation.is_pyarrow():
        return str(native.schema.field(column).type)
    return str(dtype)


def zone_name(frame: Frame, column: str) -> str | None:
    """Return the name of the zone in which a column of times is stored, if it has one."""
    zone: str | None = getattr(frame.collect_schema()[column], "time_zone", None)
    if zone is not None and frame.implementation.is_pyspark():
        # It is that of the session, which may change; narwhals remembers the first.
        zone = frame.to_native().sparkSession.conf.get("spark.sql.session.timeZone")
    return zone


def microsecond(frame: Frame, column: str) -> nw.Expr:
    """Return the microseconds in the second of a column of times."""
    time = nw.col(column)
    if frame.implementation.is_pyspark():
        # Before 4.3 it exists only for times in the zone of the session; it is the same in any.
        epoch = frame.select(epoch=nw.lit(datetime(1970, 1, 1, tzinfo=UTC)))
        time = time.cast(epoch.collect_schema()["epoch"])
    return time.dt.microsecond()


def object_types(frame: Frame, column: str) -> set[str]:
    """Return the names of the types of values in a column of Python objects, else none.

    Values that cannot be hashed, such as lists, have the type "unhashable"; where they have no
    order, there is also the type "unordered".
    """
    if frame.collect_schema()[column] != nw.Object:
        return set()
    if isinstance(frame, nw.LazyFrame):
        return {"unhashable"}  # by Polars, which stops the whole program
    import pandas as pd  # noqa: PLC0415  importing retainkit does not import pandas

    values = _present(frame, column)
    try:
        distinct = values.unique()
    except TypeError:
        return {"unhashable"}
    kinds = {type(value).__name__ for value in distinct}
    try:
        pd.factorize(distinct, sort=True)
    except TypeError:
        kinds.add("unordered")
    return kinds


def _present(frame: nw.DataFrame[Any], column: str) -> Any:
    """Return the Python objects of a column that are no nulls, as a series of pandas."""
    import pandas as pd  # noqa: PLC0415  importing retainkit does not import pandas

    return pd.Series(frame[column].to_list(), dtype=object).dropna()


def is_categorical(dtype: nw.dtypes.DType) -> bool:
    """Return whether a type is one of categories, declared or not."""
    return dtype == nw.Categorical or isinstance(dtype, nw.Enum)


def category_names(series: nw.Series[Any]) -> nw.Series[Any]:
    """Return categories by their names, which in some frames may be numbers; others as they are."""
    if not is_categorical(series.dtype):
        return series
    dtype = series.cat.get_categories().dtype
    return series.cast(dtype if dtype.is_numeric() else nw.String)


def declared_categories(series: nw.Series[Any]) -> list[Any]:
    """Return the categories of a column in memory in the order that was declared, if one was."""
    # Of Polars' and PyArrow's own, the order is that in which they came.
    declared = isinstance(series.dtype, nw.Enum) or series.implementation.is_pandas()
    if not is_categorical(series.dtype) or not declared:
        return []
    return series.cat.get_categories().to_list()


def is_numeric_like(frame: Frame, column: str) -> bool:
    """Return whether a column holds numbers, or nothing but nulls of any type."""
    if frame.collect_schema()[column].is_numeric():
        return True
    return not count_rows(frame.filter(~nw.col(column).is_null()))
