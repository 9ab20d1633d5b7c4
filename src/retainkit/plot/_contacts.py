"""Picture of a contact policy: how many messages are sent, and why not the others."""

from __future__ import annotations

from collections import Counter
from textwrap import fill
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, MaxNLocator

from retainkit._frames.arrays import values_with_none
from retainkit._frames.input import read_result
from retainkit._frames.segments import factorize_segments
from retainkit._messages import count_noun, format_examples
from retainkit.errors import ArgumentError, ArgumentTypeError
from retainkit.plot._axes import ABOVE, draw_legend, measure, subplots, tidy
from retainkit.plot._style import GREY, LARGEST, PALETTE, POINTS, SMALL, TEXT, ink_on, legible
from retainkit.plot._text import shorten
from retainkit.typing import IntoDataFrame

# From left to right: what goes out, what would, and what is in the way of the others.
COLOURS = {
    "send": PALETTE[0],
    "exempt": PALETTE[5],
    "holdout": PALETTE[2],
    "outranked": PALETTE[4],
    "cap": PALETTE[1],
    "suppressed": GREY,
}
LABELS = {
    "send": "sent",
    "exempt": "sent, exempt",
    "holdout": "held out",
    "outranked": "outranked",
    "cap": "capped",
    "suppressed": "suppressed",
}
_NAME = 24  # characters of the name of a channel
_MOST_CAPS = 4  # that are named


def contact_policy(
    table: IntoDataFrame, *, channel: str = "channel", ax: Axes | None = None
) -> Axes:
    r"""Draw how many messages of each channel are sent, and why the others are not.

    >>> from retainkit import apply_contact_policy, datasets, plot
    >>> sent = datasets.make_survey(300, seed=1).assign(priority=1, rule=lambda one: one.index)
    >>> table = apply_contact_policy(sent, as_of="2024-07-01", holdout=0.2)
    >>> ax = plot.contact_policy(table)

    A bar is all candidates of a channel. From the left: what goes out, what is held out, what
    better messages of the same run took the place of, what the log had filled a cap for, and who
    must not be written to. The caps in the way are named beneath, those first that stop most.

    Parameters
    ----------
    table : IntoDataFrame
        Result of `retainkit.apply_contact_policy`: pandas, Polars or PyArrow.
    channel : str, default "channel"
        Column of the names of channels.
    ax : matplotlib.axes.Axes, optional
        Axes to draw on; by default those of a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        The axes drawn on: x counts candidates, and the channels are at y = 0, 1, ... from the top,
        the one with most candidates first.

    Raises
    ------
    ArgumentError
        If the table has a reason that is none.
    MissingColumnError
        If a column of the table is missing.
    MissingDependencyError
        If matplotlib is not installed.

    Notes
    -----
    Of all that is eligible, which is sent or held out, the share held out is close to `holdout`:
    where it is not, something else than the draw decides.

    Examples
    --------
    >>> import pandas as pd
    >>> from matplotlib.figure import Figure
    >>> from retainkit.plot import contact_policy
    >>> table = pd.DataFrame({
    ...     "channel": ["email", "email", "sms"],
    ...     "reason": ["send", "cap", "send"],
    ...     "blocked_by": [None, "email 2 in 7D", None],
    ... })
    >>> ax = contact_policy(table, ax=Figure(figsize=(7, 3)).subplots())
    >>> [label.get_text() for label in ax.get_yticklabels()]
    ['email', 'sms']
    >>> [text.get_text() for text in ax.get_legend().get_texts()]
    ['sent 2', 'capped 1']
    >>> ax.get_xlabel()
    'Candidates\nIn the way: email 2 in 7D (1)'
    """
    counts, caps = _count_reasons(table, channel)
    totals: Counter[str] = Counter()
    for (name, _), n in counts.items():
        totals[name] += n
    names = sorted(totals, key=lambda name: (-totals[name], name))
    if ax is None:
        ax = subplots(7.0, min(LARGEST / POINTS, 1.7 + 0.42 * max(len(names), 2)))
    ax, width, _ = measure(ax)
    size = TEXT if width > 280 else SMALL
    _draw_reasons(ax, names, counts, size)
    labels = [shorten(name, _NAME) for name in names]
    ax.set_yticks(range(len(names)), labels, fontsize=size, parse_math=False)
    ax.set_ylim(max(len(names), 1) - 0.4, -0.6)
    ax.set_xlim(0, 1.1 * max(totals.values(), default=1))
    ax.xaxis.set_major_locator(MaxNLocator(5 if width > 280 else 3, integer=True))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda number, _: f"{number:,.0f}"))
    tidy(ax, "x")
    ax.tick_params(axis="x", labelsize=size)
    for y, name in enumerate(names):
        _write(ax, totals[name], y, f" {totals[name]:,}", size)
    ax.set_xlabel(_label(caps, int(width / (0.54 * size))), fontsize=size, parse_math=False)
    _draw_reason_legend(ax, counts, width, size)
    return ax


def _count_reasons(
    table: IntoDataFrame, channel: str
) -> tuple[Counter[tuple[str, str]], Counter[str]]:
    """Count candidates by channel and reason, and those that each cap is in the way of."""
    if not isinstance(channel, str):
        raise ArgumentTypeError(
            f"`channel` is {channel!r}; it must be the name of a column.", argument="channel"
        )
    needed = [channel, "reason", "blocked_by"]
    frame = read_result(table, argument="table", columns=needed, made_by=["apply_contact_policy"])
    keys, code = factorize_segments(frame, needed)
    sizes = np.bincount(code, minlength=len(keys["reason"])).tolist()
    counts: Counter[tuple[str, str]] = Counter()
    caps: Counter[str] = Counter()
    rows = zip(*(values_with_none(keys[name]) for name in needed), sizes, strict=True)
    for name, reason, cap, n in rows:
        counts[str(name), str(reason)] += n
        if cap is not None:
            caps[str(cap)] += n
    unknown = sorted({reason for _, reason in counts} - COLOURS.keys())
    if unknown:
        number = sum(n for (_, reason), n in counts.items() if reason in unknown)
        raise ArgumentError(
            f"column 'reason' of `table` holds {format_examples(unknown)} in "
            f"{count_noun(number, 'row')} of {sum(sizes):,}; it must hold those of "
            "`apply_contact_policy`.",
            code="not_a_result",
            argument="table",
            column="reason",
            rows=number,
            total=sum(sizes),
        )
    return counts, caps


def _draw_reasons(
    ax: Axes, names: list[str], counts: Counter[tuple[str, str]], size: float
) -> None:
    """Draw a bar a channel in parts, with the number in each that has room for it."""
    longest = max((sum(counts[name, one] for one in COLOURS) for name in names), default=1)
    _, width, _ = measure(ax)
    for y, name in enumerate(names):
        left = 0
        for reason, colour in COLOURS.items():
            n = counts[name, reason]
            if not n:
                continue
            ax.barh([y], [n], 0.66, left=left, color=colour, linewidth=0, gid=reason, zorder=2)
            text = f"{n:,}"
            if width * n / (1.1 * longest) > 0.62 * size * len(text) + 4:
                style: dict[str, Any] = {"color": ink_on(colour), "fontsize": size - 0.5}
                ax.text(
                    left + n / 2, y, text, ha="center", va="center", gid="cell", zorder=3, **style
                )
            left += n


def _write(ax: Axes, x: float, y: float, text: str, size: float) -> None:
    """Write the total of a bar behind it."""
    colour = legible(ax, GREY)
    ax.text(x, y, text, ha="left", va="center", gid="total", color=colour, fontsize=size)


def _label(caps: Counter[str], letters: int) -> str:
    """Label of the axis: what it counts, and the caps that are in the way of most."""
    ranked = sorted(caps.items(), key=lambda one: (-one[1], one[0]))
    shown = [f"{shorten(name, 40)} ({n:,})" for name, n in ranked[:_MOST_CAPS]]
    if len(ranked) > _MOST_CAPS:
        shown.append(f"{len(ranked) - _MOST_CAPS} others")
    lines = ["Candidates"]
    if shown:
        lines.append(fill(f"In the way: {', '.join(shown)}", max(22, letters)))
    return "\n".join(lines)


def _draw_reason_legend(
    ax: Axes, counts: Counter[tuple[str, str]], width: float, size: float
) -> None:
    """Name the colours above the axes, each with its number over all channels."""
    totals: Counter[str] = Counter()
    for (_, reason), n in counts.items():
        totals[reason] += n
    handles = [
        Patch(facecolor=colour, label=f"{LABELS[reason]} {totals[reason]:,}", linewidth=0)
        for reason, colour in COLOURS.items()
        if totals[reason]
    ]
    if handles:
        columns = max(1, min(len(handles), int(width / (9.5 * size))))
        style = {**ABOVE, "ncols": columns, "borderaxespad": 0.2, "handlelength": 1.2}
        style |= {"handletextpad": 0.5, "columnspacing": 1.2, "labelspacing": 0.25}
        draw_legend(ax, handles, size=size, style=style)
