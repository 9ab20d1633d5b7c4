"""What others show beside a link to a page: a sentence, and a picture of a triangle."""

import re
from itertools import takewhile
from pathlib import Path
from textwrap import shorten
from typing import Any

from docutils import nodes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from sphinx import addnodes
from sphinx.application import Sphinx

import retainkit as rk

SENTENCE = re.compile(r".+?[.?!](?: |$)")
PATH = "_static/social-card.png"
TEXT = "Customer-retention metrics\non any DataFrame, every number\nwith its n and its interval"


def draw(path: Path) -> None:
    """Draw the card, 1,200 by 630 pixels."""
    table = rk.cohort_retention(rk.datasets.make_events(3000, seed=7))
    figure = Figure(figsize=(12, 6.3), dpi=100, facecolor="white")
    FigureCanvasAgg(figure)
    figure.text(0.05, 0.72, "retainkit", size=46, weight="bold")
    figure.text(0.05, 0.42, TEXT, size=20, linespacing=1.5)
    rk.plot.retention_heatmap(table, ax=figure.add_axes((0.52, 0.12, 0.45, 0.76)))
    figure.savefig(path)


def write_card(app: Sphinx, error: Exception | None) -> None:
    if error is None and app.builder.format == "html":
        path = Path(app.outdir) / PATH
        path.parent.mkdir(parents=True, exist_ok=True)
        draw(path)


def describe(_app: Sphinx, page: nodes.document) -> None:
    """Describe a page by its first sentence, where it does not describe itself.

    Of the page of a function that is the docstring's; boxes before it say what a page needs.
    """
    if any(one.get("name") == "description" for one in page.findall(nodes.meta)):
        return
    own = next(iter(page.findall(addnodes.desc_content)), page)
    sentences = (in_words(one) for one in own.findall(nodes.paragraph) if is_prose(one))
    if text := next(filter(None, sentences), ""):
        page.insert(0, nodes.meta(name="description", content=shorten(text, 200, placeholder=" …")))


def in_words(paragraph: nodes.paragraph) -> str:
    """Return the text of a paragraph; if there are formulas, the sentences before the first."""
    formula = paragraph.next_node(nodes.math)
    before = takewhile(lambda one: one is not formula, paragraph.findall())
    words = " ".join("".join(one.astext() for one in before if isinstance(one, nodes.Text)).split())
    return words if formula is None else "".join(SENTENCE.findall(words)).strip()


def is_prose(paragraph: nodes.paragraph) -> bool:
    """Return whether a paragraph stands in the text itself, not in a box, a table or a card."""
    above = paragraph.parent
    return isinstance(above, (nodes.document, nodes.section, addnodes.desc_content))


def show(
    _app: Sphinx, _page: str, _template: str, context: dict[str, Any], page: nodes.document | None
) -> None:
    """Show the description beside a link: sphinxext.opengraph would skip that of a function."""
    for note in page.findall(nodes.meta) if page else ():
        if note.get("name") == "description":
            context["meta"] = (context["meta"] or {}) | {"og:description": note["content"]}


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("doctree-read", describe)
    app.connect("html-page-context", show, priority=400)  # before sphinxext.opengraph
    app.connect("build-finished", write_card)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
