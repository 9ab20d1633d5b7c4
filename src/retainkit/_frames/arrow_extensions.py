"""Columns of Arrow's extension types, such as UUIDs: plain on the way in, as given on the way out.

Arrow neither sorts nor groups by such a type; it does by the one in which the values are stored.
The same holds for views of strings, which come as strings.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import narwhals.stable.v2 as nw

from retainkit._typing import NativeT


def is_extension(dtype: Any) -> bool:
    """Return whether a type of Arrow is an extension type."""
    import pyarrow as pa  # noqa: PLC0415  comes with the type

    return isinstance(dtype, pa.BaseExtensionType)


def stored(values: Any, *, as_text: bool = False) -> Any:
    """Return a column of PyArrow in the type that stores it; UUIDs, where wanted, as text."""
    if as_text and str(values.type) == "extension<arrow.uuid>":
        return _uuid_text(values)
    return values.cast(values.type.storage_type)


def is_view(dtype: Any) -> bool:
    """Return whether a type of Arrow is that of views of strings."""
    return str(dtype) == "string_view"


def strings(views: Any) -> Any:
    """Return views of strings as strings."""
    import pyarrow as pa  # noqa: PLC0415  comes with the type

    try:
        return views.cast(pa.large_string())
    except pa.ArrowNotImplementedError:  # before PyArrow 18
        return pa.chunked_array([views.to_pylist()], pa.large_string())


def _uuid_text(values: Any) -> Any:
    import pyarrow as pa  # noqa: PLC0415  comes with the type

    codes = values.cast(values.type.storage_type).combine_chunks().dictionary_encode()
    texts = [str(UUID(bytes=one)) for one in codes.dictionary.to_pylist()]
    text = pa.array(texts, pa.string()).take(codes.indices)
    return pa.chunked_array([text])


def arrow_column(series: Any) -> Any:
    """Return a column of pandas of an Arrow type as one of PyArrow."""
    import pyarrow as pa  # noqa: PLC0415  comes with the type

    values = pa.array(series.array)
    return values if isinstance(values, pa.ChunkedArray) else pa.chunked_array([values])


def pandas_column(values: Any, index: Any) -> Any:
    """Return a column of PyArrow as one of pandas, of the same Arrow type."""
    import pandas as pd  # noqa: PLC0415  importing retainkit does not import pandas

    return pd.Series(pd.arrays.ArrowExtensionArray(values), index)


def as_given(result: NativeT, given: object) -> NativeT:
    """Return a native result in which ids have the extension types that the caller's table has."""
    types: dict[Any, Any] = {}
    if nw.dependencies.is_pyarrow_table(given):
        types = {one.name: one.type for one in given.schema}
    elif nw.dependencies.is_pandas_dataframe(given):
        types = {name: getattr(one, "pyarrow_dtype", None) for name, one in given.dtypes.items()}
    types = {name: one for name, one in types.items() if one is not None and is_extension(one)}
    made: NativeT = _with_types(result, types) if types else result
    return made


def _with_types(result: Any, types: Mapping[Any, Any]) -> Any:
    """Return a native result with extension types for the columns that hold what stores them."""
    if nw.dependencies.is_pyarrow_table(result):
        for place, field in enumerate(result.schema):
            dtype = types.get(field.name)
            if dtype is not None and field.type == dtype.storage_type:
                made = result[field.name].cast(dtype)
                result = result.set_column(place, field.name, made)
        return result
    changed = {
        name: pandas_column(arrow_column(result[name]).cast(dtype), result.index)
        for name, dtype in types.items()
        if name in result.columns
        and getattr(result[name].dtype, "pyarrow_dtype", None) == dtype.storage_type
    }
    return result.assign(**changed) if changed else result
