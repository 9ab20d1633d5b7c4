"""Picture of net promoter scores: shares of answers, and the score, for each segment."""

from __future__ import annotations

import math
from dataclasses import dataclass
from textwrap import fill, wrap
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from retainkit._messages import count_noun
from retainkit._typing import Floats, Integers
from retainkit.errors import ArgumentError
from retainkit.plot._axes import ABOVE, draw_legend, measure, percent, subplots
from retainkit.plot._reading import Columns, as_floats, read_result_columns, segment_labels
from retainkit.plot._score_axes import check_numeric, draw_nothing, tick_text
from retainkit.plot._style import (
    DARK,
    GAP,
    GREY,
    LARGEST,
    LEAST,
    PALE,
    PALETTE,
    POINTS,
    QUIET,
    SMALL,
    TEXT,
    ink_on,
    legible,
    tone,
)
from retainkit.plot._text import DASH, in_percent, shorten, with_minus
from retainkit.typing import IntoDataFrame

# From left to right; blue and vermilion are distinct with any kind of colour vision.
SHARES = {"detractors": PALETTE[1], "passives": "#c9ced4", "promoters": PALETTE[0]}
NAME = 28  # characters in a line of a segment's name
PANEL = 0.54  # of the width for the shares


def nps_bar(table: IntoDataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw the shares of answers in each segment, and beside them the score with its interval.

    >>> from retainkit import datasets, nps, plot
    >>> table = nps(datasets.make_survey(1000, seed=1, waves=1), by="plan")
    >>> ax = plot.nps_bar(table)

    A bar is all that answered: detractors at the left, promoters at the right, passives between
    them. The same score may come from few of both or from many of both, which a score alone does
    not show. Beside the bars stand the scores, from their own scale, with their intervals: where
    these overlap widely, segments may well be the same. Segments have the order of the table, the
    first on top; sort it to sort the picture.

    Parameters
    ----------
    table : IntoDataFrame
        Result of `retainkit.nps` or `retainkit.nps_from_counts`: pandas, Polars or PyArrow. The
        columns left of ``n`` are the segments.
    ax : matplotlib.axes.Axes, optional
        Axes to draw on; by default those of a new figure, as high as the segments need.

    Returns
    -------
    matplotlib.axes.Axes
        The axes drawn on; segments are at y = 0, 1, ... downwards, and the shares from x = 0 to 1.
        The scores are in axes within them, ``ax.child_axes[0]``, where x is the NPS.

    Raises
    ------
    ArgumentError
        If there are several rows for a segment, or shares are not between 0 and 1.
    MissingColumnError
        If a column of the table is missing.
    ColumnTypeError
        If a column does not hold numbers.
    MissingDependencyError
        If matplotlib is not installed.

    Notes
    -----
    A segment without answers says so, and so does one whose score was hidden by `min_responses`.
    Where answers have weights or respondents answered several times, the effective number stands
    in brackets behind the number of answers. Answers that were left out are counted beneath.

    Examples
    --------
    >>> import pandas as pd
    >>> from matplotlib.figure import Figure
    >>> from retainkit.plot import nps_bar
    >>> table = pd.DataFrame({
    ...     "plan": ["basic", "pro"], "n": [40, 25], "promoters": [0.3, 0.6],
    ...     "passives": [0.3, 0.2], "detractors": [0.4, 0.2], "nps": [-10.0, 40.0],
    ...     "lower": [-34.9, 4.6], "upper": [16.6, 67.3],
    ... })
    >>> ax = nps_bar(table, ax=Figure().subplots())
    >>> [label.get_text() for label in ax.get_yticklabels()]
    ['basic', 'pro']
    >>> [text.get_text() for text in ax.texts if text.get_gid() == "share"][:2]
    ['40%', '20%']
    """
    bars = _read_bars(table)
    ax, width, height = measure(_nps_axes(bars) if ax is None else ax)
    ax.spines[:].set_visible(False)
    ax.set_xlim(0, 1 / PANEL)
    ax.set_ylim(max(1, len(bars.names)) - 0.5, -0.5)
    row = height / max(1, len(bars.names))
    size = max(SMALL, min(TEXT, 0.7 * row))
    _draw_segment_names(ax, bars, row, size)
    notes = [fill(note, max(24, int(width / 5))) for note in bars.notes]
    ax.set_xlabel("\n".join(notes), fontsize=TEXT)
    _, width, _ = measure(ax)  # what the names leave
    marks = [0, 0.25, 0.5, 0.75, 1] if width > 320 else [0, 0.5, 1]
    ax.set_xticks(marks if width > 240 else marks[:-1])
    ax.xaxis.set_major_formatter(percent())
    ax.tick_params(axis="x", length=0, labelsize=TEXT if width > 280 else SMALL)
    if not bars.names:
        draw_nothing(ax, "No segments")
        return ax
    _draw_answer_shares(ax, bars, row, PANEL * width)
    _draw_score_panel(ax, bars, width, size)
    return ax


@dataclass(frozen=True, slots=True, kw_only=True)
class _Bars:
    """Rows of the picture; NaN where there is no score."""

    names: list[str]
    counts: list[str]
    header: str
    reasons: list[str]
    shares: dict[str, list[float]]
    nps: Floats
    lower: Floats
    upper: Floats
    notes: list[str]


def _read_bars(table: IntoDataFrame) -> _Bars:
    """Read the scores, and write all texts."""
    needed = [*SHARES, "nps", "lower", "upper"]
    optional = ["n_effective", "n_missing", "n_invalid"]
    data, names = read_result_columns(
        table, "table", ("n",), ["n", *needed], optional, made_by=["nps", "nps_from_counts"]
    )
    labels = segment_labels(data, names)
    different = len(set(labels))
    if different < len(labels):
        raise ArgumentError(
            f"`table` has {len(labels)} rows for {count_noun(different, 'segment')}, and "
            "one row for each can be drawn. What tells rows apart must be in columns left of 'n'; "
            "or filter the table first.",
            code="duplicate_rows",
            argument="table",
            rows=len(labels) - different,
            total=len(labels),
        )
    check_numeric(data, ["n", *needed, *(name for name in optional if name in data)], "nps")
    values = {name: as_floats(data[name]) for name in needed}
    _check_shares(values)
    counts = [0 if one is None else int(one) for one in data["n"]]
    effective = as_floats(data.get("n_effective", data["n"]))
    texts = [f"{n:,}" for n in counts]
    weighted = any(
        n > 0 and abs(own - n) > 0.01 * n for n, own in zip(counts, effective, strict=True)
    )
    if weighted:
        texts = [
            one if math.isnan(own) else f"{one} ({own:,.0f})"
            for one, own in zip(texts, effective, strict=True)
        ]
    return _Bars(
        names=labels if names else [""] * len(labels),
        counts=texts,
        header="n (effective)" if weighted else "n",
        reasons=["too few answers to show" if n else "no answers" for n in counts],
        shares={name: values[name] for name in SHARES},
        **{name: np.array(values[name]) for name in ("nps", "lower", "upper")},
        notes=_exclusions(data),
    )


def _check_shares(values: dict[str, list[float]]) -> None:
    for name in SHARES:
        wrong = [one for one in values[name] if one < -1e-9 or one > 1 + 1e-9]
        if wrong:
            shown = ", ".join(f"{one:g}" for one in wrong[:3])
            raise ArgumentError(
                f"column {name!r} of `table` is not between 0 and 1 in "
                f"{count_noun(len(wrong), 'row')}, such as {shown}; it must hold shares, as the "
                "result of nps does. Of counts, `nps_from_counts` makes such a table.",
                code="not_a_share",
                argument="table",
                column=name,
                rows=len(wrong),
                total=len(values[name]),
            )


def _exclusions(data: Columns) -> list[str]:
    """Return the sentence that counts the rows no bar shows."""
    missing, invalid = (
        sum(int(one or 0) for one in data.get(name, [])) for name in ("n_missing", "n_invalid")
    )
    parts = [f"{count_noun(missing, 'row')} without an answer"] * bool(missing)
    parts += [f"{count_noun(invalid, 'answer')} not on the scale"] * bool(invalid)
    return [f"Left out: {' and '.join(parts)}."] if parts else []


def _nps_axes(bars: _Bars) -> Axes:
    """Create a figure in which every row has room for its name."""
    rows = max(1, len(bars.names))
    lines = max((len(_name_lines(name)) for name in bars.names), default=1)
    row = max(26.0 if rows <= 12 else 17.0, 11.5 * lines + 6)
    return subplots(8.0, min(LARGEST, rows * row + 62 + 13 * len(bars.notes)) / POINTS)


def _name_lines(name: str) -> list[str]:
    return wrap(name, NAME) or [""]


def _fit_name(name: str, most: int) -> str:
    """Fit a name into so many lines; its end is kept, where names may differ."""
    lines = _name_lines(name)
    if len(lines) <= most:
        return "\n".join(lines)
    rest = " ".join(lines[most - 1 :])
    return "\n".join([*lines[: most - 1], shorten(rest, NAME)])


def _draw_segment_names(ax: Axes, bars: _Bars, row: float, size: float) -> None:
    """Name the segments, with a column of their answers; leave out what would overlap."""
    every = max(1, math.ceil(1.2 * size / row))
    places = range(0, len(bars.names), every)
    room = max(1, int(row / (1.2 * size)))
    counted = max(map(len, [bars.header, *bars.counts])) * 0.56 * size
    ax.set_yticks(places, [_fit_name(bars.names[y], room) for y in places], fontsize=size)
    for label in ax.get_yticklabels():
        label.set_parse_math(False)  # a segment may be called "$5 to $10"
    ax.tick_params(axis="y", length=0, pad=counted + (3 if any(bars.names) else 1) * GAP)
    style: dict[str, Any] = {"textcoords": "offset points", "ha": "right", "fontsize": size}
    style |= {"annotation_clip": False, "color": legible(ax, QUIET)}
    for y in places:
        place: dict[str, Any] = {"xy": (0, y), "xytext": (-GAP, 0), "va": "center_baseline"}
        ax.annotate(bars.counts[y], **place, **style, gid="n")
    if bars.names:
        head: dict[str, Any] = {"xycoords": "axes fraction", "xytext": (-GAP, 4), "va": "bottom"}
        ax.annotate(bars.header, (0, 1), **head, **style, gid="header")


def _draw_answer_shares(ax: Axes, bars: _Bars, row: float, width: float) -> None:
    """Draw the bars, with the shares in those that have room for them."""
    rows = np.arange(len(bars.names))
    foot = np.zeros(len(rows))
    size = min(TEXT - 0.5, 0.62 * row)
    for name, colour in SHARES.items():
        shares = np.nan_to_num(bars.shares[name])
        ax.barh(rows, shares, 0.74, foot, color=colour, linewidth=0, zorder=2, gid=name)
        ink = ink_on(colour)
        for y, share in enumerate(shares.tolist()):
            text = in_percent(share)
            if size >= LEAST and share * width > 0.62 * size * len(text) + 4:
                ax.text(
                    foot[y] + share / 2, y, text, ha="center", va="center_baseline", color=ink,
                    fontsize=size, gid="share", zorder=3,
                )  # fmt: skip
        foot += shares
    for y in np.flatnonzero(np.isnan(bars.nps)).tolist():
        ax.text(
            0.01, y, bars.reasons[y], va="center_baseline", color=legible(ax, QUIET),
            style="italic", fontsize=max(LEAST, size), gid="no score",
        )  # fmt: skip
    font = min(TEXT, width / 24)
    abreast = font > LEAST + 1  # or beneath each other
    handles = [Patch(facecolor=colour, label=name) for name, colour in SHARES.items()]
    style = {**ABOVE, "ncols": 3 if abreast else 1, "borderpad": 0, "borderaxespad": 0.4}
    style |= {"handlelength": 1.1, "handletextpad": 0.4, "columnspacing": 1.0}
    draw_legend(ax, handles, size=font if abreast else SMALL, style=style)


def _draw_score_panel(ax: Axes, bars: _Bars, width: float, size: float) -> None:
    """Draw the scores in a panel of their own, and their numbers at its right."""
    gap, column = min(34.0, 0.1 * width) / width, 3.4 * size / width
    room = 1 - PANEL - gap - column
    panel = ax.inset_axes((PANEL + gap, 0, room, 1), facecolor="none", gid="scores")
    panel.spines[:].set_visible(False)
    panel.set_ylim(ax.get_ylim())
    known = [one for one in [*bars.nps, *bars.lower, *bars.upper, 0.0] if not math.isnan(one)]
    low, high = min(known), max(known)
    space = max(0.05 * (high - low), (20 - (high - low)) / 2)
    panel.set_xlim(max(-100.0, low - space), min(100.0, high + space))
    rows = np.arange(len(bars.names))
    _draw_scores(panel, bars, rows, ink=tone(ax, DARK), grey=tone(ax, GREY))
    panel.xaxis.set_major_locator(MaxNLocator(max(2, int(room * width / 44)), steps=[1, 2, 5, 10]))
    panel.xaxis.set_major_formatter(lambda value, _: tick_text(value))
    panel.tick_params(length=0, labelleft=False, labelsize=TEXT if width > 280 else SMALL)
    panel.grid(visible=True, axis="x", color=tone(ax, PALE), linewidth=0.6)
    panel.set_axisbelow(True)
    roomy = room * width > 8.6 * SMALL
    panel.annotate(
        "NPS with interval" if roomy else "NPS", (0, 1), xycoords="axes fraction",
        xytext=(0, 4), textcoords="offset points", va="bottom",
        fontsize=min(TEXT, room * width / 8.6) if roomy else SMALL,
        gid="header", annotation_clip=False,
    )  # fmt: skip
    halves = (bars.upper - bars.lower)[~np.isnan(bars.nps)] / 2
    decimals = 1 if len(halves) and np.nanmedian(halves) < 1.5 else 0
    every = max(1, math.ceil(1.2 * size * len(rows) / (ax.bbox.height * POINTS / ax.figure.dpi)))
    for y in rows[::every].tolist():
        ax.text(
            1 / PANEL, y, _score_text(float(bars.nps[y]), decimals), ha="right",
            va="center_baseline", fontsize=size, gid="score",
        )  # fmt: skip


def _draw_scores(panel: Axes, bars: _Bars, rows: Integers, *, ink: str, grey: str) -> None:
    """Draw the score of each row as a point on its interval."""
    panel.axvline(0, color=grey, linewidth=0.9, zorder=1, gid="zero")
    held = ~np.isnan(bars.lower + bars.upper)
    panel.hlines(
        rows[held], bars.lower[held], bars.upper[held], color=ink, linewidth=1.4, zorder=3,
        gid="interval",
    )  # fmt: skip
    panel.plot(bars.nps, rows, "o", color=ink, markersize=4.5, zorder=4, clip_on=False, gid="score")


def _score_text(value: float, decimals: int) -> str:
    if math.isnan(value):
        return DASH
    text = with_minus(f"{round(value, decimals) + 0.0:+.{decimals}f}")
    return text if round(value, decimals) else text[1:]
