"""What the tests of pictures share: a figure to draw on, and ways to read what was drawn."""

from typing import Any

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure


def axes(width: float = 7, height: float = 4) -> Any:
    """Make axes on a figure of its own, which pyplot does not know."""
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure.subplots()


def part(ax: Any, gid: str) -> list[Any]:
    """Return what was drawn under a name: bars, lines, areas, words."""
    own = [*ax.patches, *ax.lines, *ax.collections, *ax.texts]
    return [one for one in own if one.get_gid() == gid]


def texts(ax: Any, gid: str) -> list[str]:
    """Return the words that stand under a name."""
    return [text.get_text() for text in part(ax, gid)]


def words(ax: Any) -> list[str]:
    """Return the words of the legend."""
    return [text.get_text() for text in ax.get_legend().get_texts()]


def plain(text: str) -> str:
    """Return a text on one line."""
    return " ".join(text.split())
