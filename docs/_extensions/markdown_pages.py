"""Pages as Markdown, for code assistants: what sphinx-llm would leave out of them.

It knows no types of parameters, no references of docstrings, no titled boxes and no cards, and
neither where a picture is nor where a link within its own page leads.
"""

import re
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

BUILDER = "llms-markdown"
IN_MEMORY = re.compile(r" at 0x[0-9a-f]+>")


def is_of_design(node: nodes.Node) -> bool:
    """Return whether a node only says how its content is laid out."""
    return type(node).__module__.startswith("sphinx_design")


def put(new: list[nodes.Node], old: nodes.Node) -> None:
    """Put nodes in the place of another, whose own name and style are lost."""
    place = old.parent.index(old)
    old.parent[place : place + 1] = new


def in_block(parent: nodes.Element, words: list[nodes.Node]) -> list[nodes.Node]:
    """Return words as they can stand in a parent: as a paragraph, if it is not one."""
    return words if isinstance(parent, nodes.TextElement) else [nodes.paragraph("", "", *words)]


def name_types(page: nodes.document) -> None:
    """Write the type of a parameter behind its name."""
    for kind in list(page.findall(nodes.classifier)):
        item = kind.parent
        item.remove(kind)
        item[item.first_child_matching_class(nodes.term)] += nodes.Text(f" : {kind.astext()}")


def write_sources(page: nodes.document) -> None:
    """Write the references of a docstring as paragraphs."""
    for source in list(page.findall(nodes.citation)):
        label, *rest = source.children
        number = label.astext().rpartition("-")[2]
        lines = [child for one in rest for child in one.children]
        source.replace_self(nodes.paragraph("", f"[{number}] ", *lines, ids=source["ids"]))


def open_boxes(page: nodes.document) -> None:
    """Write the title of a box in bold, and what lays content out as the content alone."""
    for box in list(page.findall(nodes.admonition)):
        title, *rest = box.children
        box.replace_self([nodes.paragraph("", "", nodes.strong("", title.astext())), *rest])
    for frame in [one for one in page.findall() if is_of_design(one)]:
        is_line = isinstance(frame, nodes.TextElement)  # the title of a card, its link
        put(in_block(frame.parent, frame.children) if is_line else frame.children, frame)


def describe_pictures(page: nodes.document) -> None:
    """Write what a picture shows, once, where it has a second form for a dark page."""
    for picture in list(page.findall(nodes.image)):
        text = nodes.emphasis("", f"Picture: {picture.get('alt', 'not described')}")
        is_second = "only-dark" in picture["classes"]
        put([] if is_second else in_block(picture.parent, [text]), picture)


def leave_out_addresses(page: nodes.document) -> None:
    """Write of an object that only a web page can show that it is there."""
    for output in list(page.findall(nodes.literal_block)):
        if IN_MEMORY.search(output.astext()):
            text = "Output: see this page as HTML"
            put([nodes.paragraph("", "", nodes.emphasis("", text))], output)


def lead_links(page: nodes.document) -> None:
    """Give headings that the page links to an anchor; a link to anything else is only text."""
    headings = {name: one for one in page.findall(nodes.section) for name in one["ids"]}
    written = {name for one in page.findall(nodes.term) for name in one["ids"]}
    written |= {one.get("refid") for one in page.findall(nodes.target)}
    for link in [one for one in page.findall(nodes.reference) if "refid" in one]:
        name = link["refid"]
        if name in headings and name not in written:
            heading = headings[name]
            heading.parent.insert(heading.parent.index(heading), nodes.target(refid=name))
            written.add(name)
        link["internal"] = True  # others would have no address
        if name not in written:
            put(link.children, link)


def simplify(app: Sphinx, page: nodes.document, _name: str) -> None:
    """Say the same by nodes that are known: text, and paragraphs."""
    if app.builder.name != BUILDER:
        return
    for kind in (nodes.meta, nodes.comment):  # for the head of an HTML page, and for nobody
        for note in list(page.findall(kind)):
            note.parent.remove(note)
    for mark in list(page.findall(nodes.abbreviation)):
        mark.replace_self(nodes.Text(mark.astext()))
    name_types(page)
    write_sources(page)
    describe_pictures(page)
    open_boxes(page)
    leave_out_addresses(page)
    lead_links(page)


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("doctree-resolved", simplify)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
