"""The page of a plot function shows its picture: what the example below its summary draws."""

from doctest import DocTestParser
from pathlib import Path
from typing import Any

import matplotlib as mpl
from docutils import nodes
from plot_texts import TEXTS
from sphinx.application import Sphinx

PAGES = "reference/api/retainkit.plot."
FOLDER = "pictures"  # beside the pages, which are made at each build, too
DPI = 144
PIXELS = 96  # of a page, to the inch


def draw(example: str, path: Path) -> float:
    """Run an example that leaves an ``ax``, save its figure, and return its width in inches."""
    import matplotlib.pyplot as plt  # noqa: PLC0415  after the choice of its backend

    names: dict[str, Any] = {}
    for one in DocTestParser().get_examples(example):
        exec(one.source, names)  # noqa: S102  our own docstrings
    figure = names["ax"].figure
    path.parent.mkdir(exist_ok=True)
    figure.savefig(path, dpi=DPI, facecolor="white")  # which can be read on a dark page, too
    plt.close(figure)
    return float(figure.get_figwidth())


def show_picture(app: Sphinx, page: nodes.document) -> None:
    """Put the picture below the first example of the page of a plot function."""
    name = app.env.docname.removeprefix(PAGES)
    if name == app.env.docname:
        return
    example = next(iter(page.findall(nodes.doctest_block)))
    file = f"retainkit.plot.{name}.png"
    inches = draw(example.astext(), Path(app.srcdir, PAGES).parent / FOLDER / file)
    width = f"{PIXELS * inches:.0f}px"
    image = nodes.image(uri=f"{FOLDER}/{file}", alt=TEXTS[name], width=width)
    example.parent.insert(example.parent.index(example) + 1, image)


def setup(app: Sphinx) -> dict[str, Any]:
    mpl.use("Agg")
    app.connect("doctree-read", show_picture, priority=400)  # before Sphinx collects the images
    return {"parallel_read_safe": True, "parallel_write_safe": True}
