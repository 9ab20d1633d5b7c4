"""What the pictures share: reading a result table, wording it, and asking for matplotlib."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from retainkit._checks import one_of
from retainkit._frames.input import read_result
from retainkit._frames.segments import segment_columns
from retainkit.errors import ArgumentError, MissingDependencyError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import narwhals.stable.v2 as nw
    from matplotlib.axes import Axes
    from matplotlib.ticker import FuncFormatter
    from narwhals.stable.v2.typing import IntoDataFrame

PERIODS = ("day", "week", "month", "quarter", "year")
DASH = "\N{EN DASH}"

# Okabe and Ito (2008), told apart with any kind of colour vision; their yellow is too pale.
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")

AGES = {"age", "age_end"}

Columns = dict[str, list[Any]]


def require_matplotlib() -> None:
    """Say how to install matplotlib if it is not there."""
    try:
        import matplotlib as mpl  # noqa: F401, PLC0415
    except ImportError as error:
        raise MissingDependencyError(
            "matplotlib is needed for retainkit.plot; "
            "install it with `pip install matplotlib` (the extra `plot`)."
        ) from error


def subplots(width: float, height: float) -> Axes:
    """Make a figure of so many inches, one that a notebook shows by itself."""
    import matplotlib.pyplot as plt  # noqa: PLC0415

    return plt.subplots(figsize=(width, height), layout="constrained")[1]


def percent() -> FuncFormatter:
    """Write fractions as percent on an axis, without needless decimals."""
    from matplotlib.ticker import FuncFormatter  # noqa: PLC0415

    return FuncFormatter(lambda fraction, _: f"{100 * fraction:.6g}%")


def in_percent(value: float, decimals: int = 0) -> str:
    """Word a rate so that 0% and 100% mean nobody and everybody."""
    if math.isnan(value):
        return DASH
    if value in {0, 1}:
        return f"{value:.0%}"
    step = 10.0**-decimals
    share = round(100 * value, decimals)
    if value > 0 and share == 0:
        return f"<{step:.{decimals}f}%"
    if value < 1 and share == 100:
        return f">{100 - step:.{decimals}f}%"
    return f"{share:.{decimals}f}%"


def unit_of_age(period: str | None) -> str:
    """Name what an age counts."""
    unit = "period" if period is None else one_of("period", period, PERIODS)
    return f"{unit}s since the start"


def read(
    table: IntoDataFrame, argument: str, pivot: str, needed: Sequence[str]
) -> tuple[Columns, list[str]]:
    """Take the columns as lists, null as None, and name the segments: those left of `pivot`."""
    frame = read_result(table, argument=argument, columns=needed)
    segments = segment_columns(frame, pivot)
    names = [*segments, *needed, *(["age_end"] if "age_end" in frame.columns else [])]
    data = {name: _listed(frame[name]) for name in names}
    return data | {name: [int(age) for age in data[name]] for name in AGES & data.keys()}, segments


def _listed(column: nw.Series[Any]) -> list[Any]:
    nulls = column.is_null().to_list()
    return [None if null else value for value, null in zip(column.to_list(), nulls, strict=True)]


def numbers(values: Sequence[Any]) -> list[float]:
    """Take null as NaN."""
    return [math.nan if value is None else float(value) for value in values]


def segment_labels(data: Columns, names: Sequence[str]) -> list[str]:
    """Word the segment of every row."""
    if not names:
        return [""] * len(data["age"])
    columns = (["null" if v is None else f"{v}" for v in data[name]] for name in names)
    return [", ".join(row) for row in zip(*columns, strict=True)]


def age_labels(data: Columns) -> dict[int, str]:
    """Label the ages in order: "7", or the first and last age of a bracket."""
    ends = data.get("age_end") or [age + 1 for age in data["age"]]
    spans = sorted(set(zip(data["age"], ends, strict=True)))
    return {age: f"{age}" if end == age + 1 else f"{age}{DASH}{end - 1}" for age, end in spans}


def check_once(argument: str, keys: Sequence[object], what: str) -> None:
    """Refuse a table that has several rows where a picture can show one."""
    different = len(set(keys))
    if len(keys) > different:
        raise ArgumentError(
            f"`{argument}` has {len(keys)} rows for {different} pairs of {what}, and one row for "
            "each can be drawn. Filter it to the rows that belong together first."
        )
