"""The door: any supported frame comes in here, is checked once, and goes back in kind.

This is the only module that knows about kinds of frames. Behind it an event log has columns of
known names and types without a null, and a result is a dict of NumPy arrays.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeAlias

import narwhals.stable.v2 as nw
import numpy as np

from retainkit._calendar import (
    Moment,
    as_of_moment,
    end_of_day,
    instant_expr,
    moment_in,
    zone_like,
    zone_of,
)
from retainkit._checks import one_of
from retainkit.errors import (
    ArgumentError,
    ArgumentTypeError,
    ColumnTypeError,
    MissingColumnError,
    RetainkitWarning,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date, tzinfo

    from numpy.typing import NDArray

    Array: TypeAlias = NDArray[Any]

Frame: TypeAlias = "nw.DataFrame[Any] | nw.LazyFrame[Any]"

_KINDS = "a pandas, Polars or PyArrow table, a DuckDB relation or a PySpark DataFrame"


@dataclass(frozen=True, slots=True, kw_only=True)
class Events:
    """An event log that has been checked.

    `rows` has the columns ``customer`` and ``time``, those of ``amount``, ``cohort_time``,
    ``started`` and ``returned`` that were asked for, and the segments as ``by_0``, ``by_1`` …
    Times have microseconds or finer, amounts are floats, nothing is null but a segment.
    Times are stored in the zone `stored` and periods are cut in `zone` (both None: naive times).
    `first` is the earliest time of all, `begin` the earliest event and `last` the latest one (None:
    there are no rows).
    """

    rows: Frame
    size: int
    by: tuple[str, ...]
    stored: tzinfo | None
    zone: tzinfo | None
    first: Moment | None
    begin: Moment | None
    last: Moment | None

    @property
    def columns(self) -> list[str]:
        """The columns of `rows`."""
        return self.rows.collect_schema().names()

    @property
    def keys(self) -> list[str]:
        """The segment columns as they are called in `rows`."""
        return [f"by_{i}" for i in range(len(self.by))]

    def end(self, as_of: str | date | None) -> Moment:
        """The end of observation: `as_of`, or the midnight that ends the day of the last row."""
        if as_of is not None:
            return as_of_moment(as_of, self.zone)
        # Of no rows any end is as good as another.
        return end_of_day(0 if self.last is None else self.last.instant, self.zone)

    def before(self, end: Moment) -> Events:
        """Keep the rows before `end`; a warning counts the others."""
        if self.last is None or self.last.instant < end.instant:
            return self
        kept = self.rows.filter(nw.col("time") < instant_expr(end.instant, self.stored))
        rest = count_rows(kept)
        warnings.warn(
            f"{self.size - rest:,} of {self.size:,} rows are at or after as_of ({end}) and are not "
            "used.",
            RetainkitWarning,
            stacklevel=3,
        )
        return replace(self, rows=kept, size=rest, first=self.first if rest else None)


def open_events(
    native: Any,
    *,
    argument: str = "events",
    columns: Mapping[str, str | None],
    by: str | Sequence[str] | None,
    tz: str | None,
    missing: str,
) -> Events:
    """Check an event log and give its columns the names of their arguments.

    `columns` maps each argument to the column that it names, or to None where it is not used.
    """
    one_of("missing", missing, ("raise", "drop"))
    segments = _names(by)
    wanted = {name: column for name, column in columns.items() if column is not None}
    frame = _wrap(native, argument)
    present = frame.collect_schema().names()
    for name, column in [*wanted.items(), *(("by", column) for column in segments)]:
        _check_present(name, column, present)
    frame, own = _with_readable_zones(frame, [*wanted.values()])
    schema = frame.collect_schema()
    for name, column in [*wanted.items(), *(("by", column) for column in segments)]:
        _check_type(name, column, schema[column])
    stored, zone = _zones(wanted, schema, own, tz)

    keys = {f"by_{i}": nw.col(column) for i, column in enumerate(segments)}
    values = {
        name: _clean(name, nw.col(column), schema[column], schema[wanted["time"]])
        for name, column in wanted.items()
    }
    rows = frame.select(**values, **keys)
    facts = _facts(rows, wanted)
    if any(facts["nulls", name] for name in wanted):
        rows = _without_nulls(rows, wanted, facts, missing)
        facts = _facts(rows, wanted)
    moments: dict[str, Moment | None] = dict.fromkeys(("first", "begin", "last"))
    if facts["rows", ""]:
        firsts = [facts["first", name] for name in ("time", "cohort_time") if name in wanted]
        times = {"first": min(firsts), "begin": facts["first", "time"]}
        times["last"] = facts["last", "time"]
        moments = {name: moment_in(time, stored, zone) for name, time in times.items()}
    return Events(
        rows=rows, size=facts["rows", ""], by=segments, stored=stored, zone=zone, **moments
    )


def open_table(native: Any, *, argument: str, columns: Sequence[str]) -> nw.DataFrame[Any]:
    """Open a result of this library, a small table, and check that it has the columns it needs."""
    frame = _wrap(native, argument)
    present = frame.collect_schema().names()
    for column in columns:
        _check_present(argument, column, present)
    return collect(frame)


def collect(frame: Frame) -> nw.DataFrame[Any]:
    """Bring a small frame into memory: Polars gives Polars, every other lazy engine pandas."""
    if isinstance(frame, nw.DataFrame):
        return frame
    return frame.collect("polars" if _is_polars(frame) else "pandas")


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
    return nw.maybe_reset_index(_beside(series)).to_native()


def _beside(series: Sequence[nw.Series[Any]]) -> nw.DataFrame[Any]:
    frames = [nw.maybe_reset_index(one.to_frame()) for one in series]
    return nw.concat(frames, how="horizontal")


# Codes


def codes_of(series: nw.Series[Any]) -> tuple[Array, int]:
    """Number the distinct values of a series without nulls: codes and how many there may be."""
    if series.dtype.is_integer() and len(series):
        values = series.to_numpy()
        values = values if values.dtype.kind == "u" else values.astype(np.int64, copy=False)
        least = values.min()
        width = int(values.max()) - int(least) + 1
        # Integers in a dense range are codes already: no hashing.
        if width <= 4 * len(values) + 1024:
            return (values - least).astype(np.int64, copy=False), width
    codes, uniques = _factorize(series, sort=False)
    return codes, len(uniques)


def segment_codes(
    frame: nw.DataFrame[Any], keys: Sequence[str]
) -> tuple[dict[str, nw.Series[Any]], Array]:
    """Number the distinct combinations of the key columns in ascending order, nulls last.

    Also gives the combinations themselves: columns, one row a code. Without keys there are none,
    and all rows are of code 0.
    """
    combined = np.zeros(len(frame), np.int64)
    for key in keys:
        codes, uniques = _factorize(frame[key], sort=True)
        combined = combined * (len(uniques) + 1) + np.where(codes < 0, len(uniques), codes)
        if combined.max(initial=0) > 2**40:  # far from overflow at the next column
            combined = np.unique(combined, return_inverse=True)[1]
    if not keys:
        return {}, combined
    _, rows, segment = np.unique(combined, return_index=True, return_inverse=True)
    return {key: frame[key][rows.tolist()] for key in keys}, segment


def _factorize(series: nw.Series[Any], *, sort: bool) -> tuple[Array, Any]:
    import pandas as pd  # noqa: PLC0415  importing retainkit does not import pandas

    native = series.to_native()
    if not series.implementation.is_pandas_like():
        native = series.to_numpy()
    codes, uniques = pd.factorize(native, sort=sort)
    return codes.astype(np.int64), uniques


# Checks


def _wrap(native: Any, argument: str) -> Frame:
    try:
        frame: Frame = nw.from_native(native)
    except TypeError:
        kind = f"{type(native).__module__}.{type(native).__qualname__}"
        raise ArgumentTypeError(f"`{argument}` is a {kind}; it must be {_KINDS}.") from None
    return frame


def _is_polars(frame: Frame) -> bool:
    return frame.implementation.is_polars()


def _names(by: str | Sequence[str] | None) -> tuple[str, ...]:
    names = () if by is None else (by,) if isinstance(by, str) else tuple(by)
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ArgumentError(f"`by` names {twice[0]!r} more than once; name each column once.")
    return names


def _check_present(argument: str, column: object, present: Sequence[str]) -> None:
    if not isinstance(column, str):
        raise ArgumentTypeError(f"`{argument}` is {column!r}; it must be the name of a column.")
    if column not in present:
        raise MissingColumnError(argument, column, present)


def _check_type(argument: str, column: str, dtype: nw.dtypes.DType) -> None:
    """Say what a column must hold for the argument that names it, and how to get there."""
    if argument in {"time", "cohort_time"}:
        fits = dtype == nw.Datetime or dtype == nw.Date  # noqa: PLR1714  dtypes hash by parameter
        need = "dates or datetimes; parse or convert it first, for instance with pandas.to_datetime"
    elif argument in {"started", "returned"}:
        fits = dtype == nw.Boolean
        need = "booleans; make one first, for instance with df['event'] == 'purchase'"
    elif argument == "amount":
        fits = dtype.is_numeric()
        need = "numbers; convert it first"
    else:
        fits = not dtype.is_nested()
        need = "plain values, such as numbers or strings"
    if not fits:
        raise ColumnTypeError(
            f"column {column!r} (given as `{argument}`) holds {dtype}; it must hold {need}."
        )


def _with_readable_zones(frame: Frame, columns: Sequence[str]) -> tuple[Frame, dict[str, tzinfo]]:
    """Pass pandas' aware columns on in UTC, and tell the zones they had.

    narwhals reads a zone off the name of the type and does not know them all: an underscore, as in
    America/New_York, is enough.
    """
    if not frame.implementation.is_pandas():
        return frame, {}
    native = frame.to_native()
    zones = {
        column: zone_like(native[column].dtype.tz)
        for column in columns
        if getattr(native[column].dtype, "tz", None) is not None
    }
    utc = {column: native[column].dt.tz_convert("UTC") for column in zones}
    return nw.from_native(native.assign(**utc)) if utc else frame, zones


def _zones(
    wanted: Mapping[str, str],
    schema: Mapping[str, nw.dtypes.DType],
    own: Mapping[str, tzinfo],
    tz: str | None,
) -> tuple[tzinfo | None, tzinfo | None]:
    """Find the zone in which times are stored and the one in which periods are cut."""
    names = {
        argument: _zone_name(schema[wanted[argument]])
        for argument in ("time", "cohort_time")
        if argument in wanted
    }
    stored = names["time"]
    for argument, name in names.items():
        if (name is None) != (stored is None):
            raise ArgumentError(
                f"column {wanted['time']!r} (given as `time`) has the time zone {stored!r} and "
                f"column {wanted[argument]!r} (given as `{argument}`) has {name!r}. Give both "
                "columns a time zone, or none."
            )
    if stored is None:
        if tz is not None:
            raise ArgumentError(
                f"`tz` is {tz!r}, but column {wanted['time']!r} (given as `time`) has no time "
                "zone. Say which zone its times are in first, for instance with "
                "df['time'].dt.tz_localize('UTC')."
            )
        return None, None
    zone = zone_of(stored, "time")
    return zone, own.get(wanted["time"], zone) if tz is None else zone_of(tz, "tz")


def _clean(
    argument: str, column: nw.Expr, dtype: nw.dtypes.DType, time: nw.dtypes.DType
) -> nw.Expr:
    if argument == "amount":
        return column.cast(nw.Float64).fill_nan(None)
    if argument == "customer" and dtype.is_float():
        return column.fill_nan(None)
    if dtype == nw.Date:
        return column.cast(nw.Datetime("us"))
    if argument == "cohort_time" and _zone_name(dtype) != _zone_name(time):
        return column.dt.convert_time_zone(str(_zone_name(time)))
    return column


def _zone_name(dtype: nw.dtypes.DType) -> str | None:
    return getattr(dtype, "time_zone", None)


def _facts(rows: Frame, wanted: Mapping[str, str]) -> dict[tuple[str, str], Any]:
    """Read off everything that has to be known of the values, in one pass over the rows."""
    times = [name for name in ("time", "cohort_time") if name in wanted]
    facts = {
        ("rows", ""): nw.len(),
        **{("nulls", name): nw.col(name).null_count() for name in wanted},
        **{("first", name): nw.col(name).min() for name in times},
        **{("last", name): nw.col(name).max() for name in times},
    }
    found = collect(rows.select(**{"_".join(fact): value for fact, value in facts.items()}))
    return {fact: found.item(0, "_".join(fact)) for fact in facts}


def _without_nulls(
    rows: Frame, wanted: Mapping[str, str], facts: Mapping[tuple[str, str], Any], missing: str
) -> Frame:
    lacking = " and ".join(
        f"column {wanted[name]!r} (given as `{name}`) is null in {facts['nulls', name]:,} rows"
        for name in wanted
        if facts["nulls", name]
    )
    total = facts["rows", ""]
    if missing == "raise":
        raise ArgumentError(
            f"{lacking}, of {total:,}. Fill them in or leave them out; "
            "`missing='drop'` leaves such rows out and warns with their number."
        )
    kept = rows.drop_nulls(subset=list(wanted))
    warnings.warn(
        f"{lacking}: {total - count_rows(kept):,} of {total:,} rows are left out.",
        RetainkitWarning,
        stacklevel=4,
    )
    return kept


def count_rows(rows: Frame) -> int:
    """Count the rows, in the engine that holds them."""
    return int(collect(rows.select(rows=nw.len())).item(0, "rows"))
