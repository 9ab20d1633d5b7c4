"""The door: any supported frame comes in here, and a result goes back in kind.

This is the only module that knows about kinds of frames. Behind it a frame is one of narwhals', and
a result a dict of NumPy arrays or narwhals series.
"""

from __future__ import annotations

from datetime import UTC, datetime
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, TypeAlias

import narwhals.stable.v2 as nw
import numpy as np

from retainkit._messages import count_noun
from retainkit._time.zones import zone_like
from retainkit.errors import (
    ArgumentError,
    ArgumentTypeError,
    ColumnTypeError,
    MissingColumnError,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import tzinfo

    from retainkit._typing import Array


Frame: TypeAlias = "nw.DataFrame[Any] | nw.LazyFrame[Any]"

RESULT = (
    *("cohort", "age", "age_end", "customers", "eligible", "retained", "retention"),
    *("lower", "upper", "complete", "amount", "amount_per_customer"),
)
"""What a table of cohorts calls its own columns; no segment can have one of these names."""

_NUMBERS = {"f": nw.Float64, "i": nw.Int64}
_KINDS = "a pandas, Polars or PyArrow table, a DuckDB relation or a PySpark DataFrame"

# In


def wrap(native: Any, argument: str) -> Frame:
    """Take a frame of any supported kind."""
    try:
        frame: Frame = nw.from_native(native)
    except TypeError:
        kind = f"{type(native).__module__}.{type(native).__qualname__}"
        raise ArgumentTypeError(f"`{argument}` is a {kind}; it must be {_KINDS}.") from None
    except nw.exceptions.DuplicateError as error:
        _, _, names = str(error).partition("\n")
        raise ArgumentError(
            f"`{argument}` has several columns of one name; rename them first:\n{names}"
        ) from None
    return _written_out(frame)


def _written_out(frame: Frame) -> Frame:
    """Write out PyArrow's dictionaries in pandas, which knows little of what to do with them."""
    if isinstance(frame, nw.LazyFrame) or not frame.implementation.is_pandas():
        return frame
    native, plain = frame.to_native(), {}
    for column, dtype in native.dtypes.items():
        arrow = getattr(dtype, "pyarrow_dtype", None)
        if arrow is not None and frame[column].dtype == nw.Categorical:
            plain[column] = native[column].astype(type(dtype)(arrow.value_type))
    return nw.from_native(native.assign(**plain)) if plain else frame


def open_table(native: Any, *, argument: str, columns: Sequence[str]) -> nw.DataFrame[Any]:
    """Open a result of this library, a small table, and check that it has the columns it needs."""
    frame = wrap(native, argument)
    for column in columns:
        check_present(argument, column, frame)
    return collect(frame)


def check_present(argument: str, column: object, frame: Frame) -> None:
    """Check that a column named by an argument is there."""
    if not isinstance(column, str):
        raise ArgumentTypeError(f"`{argument}` is {column!r}; it must be the name of a column.")
    present = frame.collect_schema().names()
    if column not in present:
        raise MissingColumnError(argument, column, present)


def check_numbers(
    frame: nw.DataFrame[Any], argument: str, columns: Sequence[str], complete: Sequence[str]
) -> None:
    """Check that columns of a table hold numbers; in the `complete` ones none may be missing."""
    for column in columns if len(frame) else ():
        dtype = frame.schema[column]
        known = ~frame[column].is_null()
        if not dtype.is_numeric() and known.any():
            raise ColumnTypeError(
                f"column {column!r} of `{argument}` holds {dtype}; it must hold numbers, as in a "
                "result of cohort_retention."
            )
        missing = len(frame) - int(np.isfinite(frame[column].to_numpy().astype(float)).sum())
        if column in complete and missing:
            raise ArgumentError(
                f"column {column!r} of `{argument}` has no number in {count_noun(missing, 'row')}; "
                "leave them out."
            )


def collect(frame: Frame) -> nw.DataFrame[Any]:
    """Bring a small frame into memory: Polars gives Polars, every other lazy engine pandas."""
    if isinstance(frame, nw.DataFrame):
        return frame
    if frame.implementation.is_pyspark():
        # By way of Arrow: its own way to pandas warns of what it does not know of pandas 3.
        table: nw.DataFrame[Any] = nw.from_native(frame.collect("pyarrow").to_native().to_pandas())
        return table
    return frame.collect("polars" if _is_polars(frame) else "pandas")


def segment_columns(frame: nw.DataFrame[Any], before: str) -> list[str]:
    """Name the columns of a result that tell its segments: those left of its first own column."""
    left = frame.columns[: frame.columns.index(before)]
    return [name for name in left if name not in RESULT]


def count_rows(rows: Frame) -> int:
    """Count the rows, in the engine that holds them."""
    return int(collect(rows.select(rows=nw.len())).item(0, "rows"))


def type_name(frame: Frame, column: str) -> str:
    """Name the type of a column, by its own name where narwhals does not know it."""
    dtype = frame.collect_schema()[column]
    if dtype != nw.Unknown:
        return str(dtype)
    native = frame.to_native()
    if frame.implementation.is_pandas_like():
        return str(native[column].dtype)
    if frame.implementation.is_pyarrow():
        return str(native.schema.field(column).type)
    return str(dtype)


def zone_name(frame: Frame, column: str) -> str | None:
    """Name the zone in which a column of times is stored, if it has one."""
    zone: str | None = getattr(frame.collect_schema()[column], "time_zone", None)
    if zone is not None and frame.implementation.is_pyspark():
        # It is that of the session, which may change; narwhals remembers the first.
        zone = frame.to_native().sparkSession.conf.get("spark.sql.session.timeZone")
    return zone


def microsecond(frame: Frame, column: str) -> nw.Expr:
    """Tell the microsecond of the second of a column of times."""
    time = nw.col(column)
    if frame.implementation.is_pyspark():
        # Before 4.3 it is told only of times in the zone of the session; it is the same in any.
        epoch = frame.select(epoch=nw.lit(datetime(1970, 1, 1, tzinfo=UTC)))
        time = time.cast(epoch.collect_schema()["epoch"])
    return time.dt.microsecond()


def _is_polars(frame: Frame) -> bool:
    return frame.implementation.is_polars()


# What pandas needs


def readable(
    frame: Frame, times: Sequence[str], expected: Mapping[str, str]
) -> tuple[Frame, dict[str, tzinfo]]:
    """Make pandas' columns readable for narwhals; gives the zones that its times had.

    Aware times are passed on in UTC: narwhals reads a zone off the name of the type and does not
    know them all, an underscore as in America/New_York being enough. Columns of an empty frame that
    have no type get the `expected` one.
    """
    if not frame.implementation.is_pandas():
        return frame, {}
    native = frame.to_native()
    dtypes = {column: native[column].dtype for column in times}
    own = {
        column: getattr(getattr(dtype, "pyarrow_dtype", dtype), "tz", None)
        for column, dtype in dtypes.items()
    }
    zones = {column: zone_like(zone) for column, zone in own.items() if zone is not None}
    changed = {column: native[column].dt.tz_convert("UTC") for column in zones}
    if native.empty:
        changed |= {
            column: native[column].astype(dtype)
            for column, dtype in expected.items()
            if native[column].dtype == object
        }
    return nw.from_native(native.assign(**changed)) if changed else frame, zones


def kinds_of_objects(frame: Frame, column: str) -> set[str]:
    """Name the types of the values in a column of Python objects; no other column has any.

    Values that cannot be told apart, such as lists, have the type "unhashable"; where they have no
    order, there is also the type "unordered".
    """
    if frame.collect_schema()[column] != nw.Object:
        return set()
    if isinstance(frame, nw.LazyFrame):
        return {"unhashable"}  # by Polars, which stops the whole program
    import pandas as pd  # noqa: PLC0415  importing retainkit does not import pandas

    values = pd.Series(frame[column].to_list(), dtype=object).dropna()
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


def _is_classed(dtype: nw.dtypes.DType) -> bool:
    return dtype == nw.Categorical or isinstance(dtype, nw.Enum)


def holds_numbers(frame: Frame, column: str) -> bool:
    """Tell whether a column can be read as numbers, whatever its type says.

    So it is with categories or Python objects that are numbers, and where there are only nulls.
    """
    dtype = frame.collect_schema()[column]
    if dtype.is_numeric():
        return True
    if _is_classed(dtype) and isinstance(frame, nw.DataFrame):
        return bool(frame[column].cat.get_categories().dtype.is_numeric())
    kinds = {kind.rstrip("0123456789") for kind in kinds_of_objects(frame, column)}
    if kinds:
        return kinds <= {"int", "uint", "float", "Decimal"}
    return not count_rows(frame.filter(~nw.col(column).is_null()))


# Out


def table_like(given: Frame, columns: Mapping[str, Any]) -> Any:
    """Make a native table, of the kind that goes with `given`, of arrays or narwhals series."""
    plain = {
        name: values if isinstance(values, nw.Series) else np.asarray(values)
        for name, values in columns.items()
    }
    in_kind = isinstance(given, nw.DataFrame) or _is_polars(given)
    backend = given.implementation if in_kind else nw.Implementation.PANDAS
    if backend.is_pandas_like():
        # pandas has no dates; NumPy's would become seconds.
        plain = {
            name: values.astype("datetime64[us]")
            if isinstance(values, np.ndarray) and values.dtype.kind == "M"
            else values
            for name, values in plain.items()
        }
    series = [
        values.alias(name)
        if isinstance(values, nw.Series)
        else nw.new_series(name, values, backend=backend)
        for name, values in plain.items()
    ]
    frames = [nw.maybe_reset_index(one.to_frame()) for one in series]
    return nw.maybe_reset_index(nw.concat(frames, how="horizontal")).to_native()


def native_of(frame: Frame) -> Any:
    """Hand on a frame as its engine's own."""
    return frame.to_native()


def frame_like(rows: Frame, columns: Mapping[str, str | nw.Expr]) -> Any:
    """Hand on a frame as its engine's own, with these columns under these names."""
    named = {
        name: nw.col(values) if isinstance(values, str) else values
        for name, values in columns.items()
    }
    return rows.select(**named).to_native()


def in_engine(
    frame: nw.LazyFrame[Any], columns: Mapping[str, Array | nw.Series[Any]]
) -> nw.LazyFrame[Any]:
    """Make a small frame in the engine of another, on its connection, to be joined with it."""
    plain = {
        name: one.to_native() if isinstance(one, nw.Series) else one
        for name, one in columns.items()
    }
    if _is_polars(frame):
        return nw.from_dict(plain, backend="polars").lazy()
    import pandas as pd  # noqa: PLC0415  importing retainkit does not import pandas

    small = pd.DataFrame(plain)
    native = frame.to_native()
    if frame.implementation.is_duckdb():
        # The query runs on the connection of the relation and finds the variable by its name.
        native = native.query("_", "select * from small")
    else:
        import pyarrow as pa  # noqa: PLC0415  comes with PySpark

        native = native.sparkSession.createDataFrame(pa.Table.from_pandas(small))
    made: nw.LazyFrame[Any] = nw.from_native(native)
    return made


def in_place_of(frame: Frame, table: nw.DataFrame[Any] | nw.LazyFrame[Any]) -> Frame:
    """Take a table that was made of a collected frame back to the engine of that frame."""
    if isinstance(frame, nw.DataFrame) or isinstance(table, nw.LazyFrame):
        return table
    if _is_polars(frame):
        return table.lazy()
    made = in_engine(frame, {name: table[name] for name in table.columns})
    if not len(table):  # no value shows the engine of which type there is none
        made = made.select(*(nw.col(name).cast(one) for name, one in table.schema.items()))
    return made


def frame_of(columns: Mapping[str, nw.Series[Any]]) -> nw.DataFrame[Any]:
    """Make a frame in memory of columns that belong together."""
    return nw.from_dict(dict(columns))


def with_column(frame: nw.DataFrame[Any], name: str, values: Array) -> nw.DataFrame[Any]:
    """Add floats to a frame in memory, or put them in place of a column."""
    series = nw.new_series(name, values, nw.Float64, backend=frame.implementation)
    return nw.maybe_reset_index(frame).with_columns(series)


def with_meaning(frame: Frame, on: str, columns: Mapping[str, Array]) -> Frame:
    """Add to each row what its value in the column `on` means; null where it is not known.

    `columns` has the values and beside them what they mean; of a value that means several things
    there is then a row for each.
    """
    if not len(columns[on]):  # a type that joins could not be told
        return frame.with_columns(
            nw.lit(None, _NUMBERS[values.dtype.kind]).alias(name)
            for name, values in columns.items()
            if name != on
        )
    if isinstance(frame, nw.LazyFrame):
        return frame.join(in_engine(frame, columns), on=on, how="left")
    plain = {name: values.tolist() for name, values in columns.items()}
    table = nw.from_dict(plain, backend=frame.implementation)
    return frame.join(table, on=on, how="left")


def with_declared(rows: nw.DataFrame[Any], keys: Sequence[str]) -> nw.DataFrame[Any]:
    """Add a row, empty but for its keys, for every combination of what the keys may be.

    Those are the categories that are declared of a key, and else the values that it has.
    """
    levels = [_levels(rows[key]) for key in keys]
    places = np.indices([len(one) for one in levels]).reshape(len(levels), -1)
    pairs = zip(keys, levels, places, strict=True)
    every = frame_of({key: one[place.tolist()] for key, one, place in pairs})
    return nw.concat([nw.maybe_reset_index(rows), every], how="diagonal")


def _levels(series: nw.Series[Any]) -> nw.Series[Any]:
    # PyArrow's dictionaries are a way to store values, and declare none.
    if series.implementation.is_pyarrow() or not _is_classed(series.dtype):
        return nw.maybe_reset_index(series.unique())
    values = series.cat.get_categories().to_list() + [None] * int(series.is_null().any())
    native = series.to_native()
    made = type(native)(values, dtype=native.dtype)
    levels: nw.Series[Any] = nw.from_native(made, series_only=True)
    return levels.alias(series.name)


# Values


def instants_of(times: nw.Series[Any]) -> Array:
    """Give times as instants: microseconds since 1970, in UTC where they have a zone."""
    # A collected column of an engine may have a zone whose name narwhals does not know.
    frame, _ = readable(times.alias("time").to_frame(), ["time"], {"time": "datetime64[us]"})
    times = collect(frame)["time"]
    if getattr(times.dtype, "time_zone", None) is not None:
        times = times.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
    instants: Array = times.to_numpy().astype("datetime64[us]", copy=False).view(np.int64)
    return instants


def factorize(series: nw.Series[Any], *, sort: bool) -> tuple[Array, Any]:
    """Number the distinct values of a series, a null as -1; gives the codes and the values."""
    if series.implementation.is_pandas_like():
        return factorize_array(series.to_native(), sort=sort)
    if series.implementation.is_pyarrow() and series.dtype == nw.Categorical:
        # NumPy would be told of a category where there is a null.
        native = series.to_native()
        series = nw.from_native(native.cast(native.type.value_type), series_only=True)
    if series.dtype == nw.String and find_spec("pyarrow") is not None:
        # pandas takes their strings as they lie; NumPy would make an object of each.
        return factorize_array(series.to_pandas(), sort=sort)
    declared = series.cat.get_categories().to_list() if isinstance(series.dtype, nw.Enum) else None
    return factorize_array(series.to_numpy(), sort=sort, declared=declared)


def factorize_array(
    values: Any, *, sort: bool, declared: Sequence[Any] | None = None
) -> tuple[Array, Any]:
    """Number the distinct values of an array; sorted, in the order of `declared` if it is given."""
    import pandas as pd  # noqa: PLC0415  importing retainkit does not import pandas

    if declared is not None:  # the order of categories
        values = pd.Categorical(values, declared)
    codes, uniques = pd.factorize(values, sort=sort)
    return codes.astype(np.int64, copy=False), uniques
