"""Names of columns that an engine would read as something else.

Polars reads ``^c.*$`` as a pattern, PySpark ``a.b`` as a field of ``a``, and both, like DuckDB,
``*`` as all columns. Frames come in with other names for such columns, their inner ones, and go out
with their own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import narwhals.stable.v2 as nw

if TYPE_CHECKING:
    from retainkit._frames.input import Frame

# Characters for private use, which mean nothing to anybody, stand in for those that mean something.
_INNER = {one: chr(0xE000 + ord(one)) for one in '^*.`"'}
_TO_INNER = str.maketrans(_INNER)
_TO_OUTER = str.maketrans({inner: one for one, inner in _INNER.items()})


def inner_name(frame: Frame, name: str) -> str:
    """Return the name that a frame has for a column; an inner name is its own."""
    return name.translate(_TO_INNER) if _is_read_otherwise(frame, name) else name


def _is_read_otherwise(frame: Frame, name: str) -> bool:
    engine = frame.implementation
    if engine.is_polars():
        return name == "*" or (name.startswith("^") and name.endswith("$"))
    if engine.is_pyspark():
        return name == "*" or "." in name or "`" in name
    # Older versions of DuckDB take what stands before a dot for a table, and quotes for their own.
    return engine.is_duckdb() and not {*name}.isdisjoint('*."')


def ignores_case(frame: Frame) -> bool:
    """Return whether the engine of a frame takes capitals in names for small letters."""
    return frame.implementation.is_duckdb() or frame.implementation.is_pyspark()


def outer_name(name: str) -> str:
    """Return the name that the user has for a column."""
    return name.translate(_TO_OUTER)


def with_inner_names(frame: Frame) -> Frame:
    """Return a frame that came in with its inner names."""
    if frame.implementation.is_pandas() or frame.implementation.is_pyarrow():
        return frame
    names = frame.collect_schema().names()
    return _renamed(frame, names, [inner_name(frame, name) for name in names])


def with_outer_names(frame: Frame) -> Frame:
    """Return a frame that goes out with the names of its user."""
    if frame.implementation.is_pandas() or frame.implementation.is_pyarrow():
        return frame
    names = frame.collect_schema().names()
    return _renamed(frame, names, [outer_name(name) for name in names])


def _renamed(frame: Frame, names: list[str], others: list[str]) -> Frame:
    if names == others:
        return frame
    native: Any = frame.to_native()
    if frame.implementation.is_polars():
        native = native.rename(dict(zip(names, others, strict=True)))
    elif frame.implementation.is_duckdb():
        pairs = zip(map(quoted, names), map(quoted, others), strict=True)
        native = native.select(", ".join(f"{name} AS {other}" for name, other in pairs))
    else:
        native = native.toDF(*others)
    renamed: Frame = nw.from_native(native)
    return renamed


def quoted(name: str) -> str:
    """Return a name as it is written in SQL."""
    return '"' + name.replace('"', '""') + '"'
