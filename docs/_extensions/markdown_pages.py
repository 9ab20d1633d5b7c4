"""Pages as Markdown, for code assistants: what sphinx-llm would leave out of them.

It knows no types of parameters, no references of docstrings, no titled boxes and no cards.
"""

from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

BUILDER = "llms-markdown"


def is_of_design(node: nodes.Node) -> bool:
    """Return whether a node only says how its content is laid out."""
    return type(node).__module__.startswith("sphinx_design")


def simplify(app: Sphinx, page: nodes.document, _name: str) -> None:
    """Say the same by nodes that are known: text, and paragraphs."""
    if app.builder.name != BUILDER:
        return
    for note in list(page.findall(nodes.meta)):  # for the head of an HTML page
        note.parent.remove(note)
    for frame in [one for one in page.findall() if is_of_design(one)]:
        frame.replace_self(frame.children)
    for kind in list(page.findall(nodes.classifier)):
        item = kind.parent
        item.remove(kind)
        item[item.first_child_matching_class(nodes.term)] += nodes.Text(f" : {kind.astext()}")
    for source in list(page.findall(nodes.citation)):
        label, *rest = source.children
        number = label.astext().rpartition("-")[2]
        lines = [child for one in rest for child in one.children]
        paragraph = nodes.paragraph("", f"[{number}] ", *lines, ids=source["ids"])
        source.replace_self(paragraph)
    for mark in list(page.findall(nodes.abbreviation)):
        mark.replace_self(nodes.Text(mark.astext()))
    for box in list(page.findall(nodes.admonition)):
        title, *rest = box.children
        box.replace_self([nodes.paragraph("", "", nodes.strong("", title.astext())), *rest])


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("doctree-resolved", simplify)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
