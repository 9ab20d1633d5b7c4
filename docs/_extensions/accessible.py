"""Pages that everybody can use: mends of what Sphinx, Furo and pandas write as HTML.

A figure without a text that says what it shows fails the build.
"""

import re
from re import Match
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.logging import getLogger

SIGNATURE = re.compile(r'<dt class="sig .*?</dt>', re.DOTALL)
LINES = re.compile(r'<dl>(.*?)</dl>\s*<span class="sig-paren">', re.DOTALL)
NAME = re.compile(r"<h1>retainkit\.[\w.]+")
TABLE = re.compile(r'<table border="1" class="dataframe">.*?</table>', re.DOTALL)
CORNER = re.compile(r"\s*<th></th>")
ROW = re.compile(r"<tr>(\s*<th>(.*?)</th>)")
NUMBER = re.compile(r"-?\d+|\.\.\.")


def signature(found: Match[str]) -> str:
    """Write the lines of a signature as lines: a list of definitions needs terms."""
    text = LINES.sub(r'<span class="sig-lines">\1</span><span class="sig-paren sig-end">', found[0])
    return text.replace("<dd>", '<span class="sig-line">').replace("</dd>", "</span>")


def heading(found: Match[str]) -> str:
    """Let a long name go on in the next line where one of its words ends."""
    return re.sub(r"[._]", r"\g<0><wbr>", found[0])


def table(found: Match[str]) -> str:
    """Leave out pandas' numbers of rows: an index without a name that holds integers alone."""
    head, middle, body = found[0].partition("</thead>")
    rows = [row[2] for row in ROW.finditer(body)]
    nameless = head.count("<tr") == 1 and CORNER.search(head)
    if not rows or not nameless or not all(NUMBER.fullmatch(row) for row in rows):
        return found[0]
    return CORNER.sub("", head, count=1) + middle + ROW.sub("<tr>", body)


def mend(body: str) -> str:
    """Return the HTML of a page as browsers and screen readers understand it."""
    # Entries of a list are its items, and none of those that were there once.
    body = body.replace('role="doc-biblioentry"', 'role="listitem"')
    body = NAME.sub(heading, body, count=1)
    return TABLE.sub(table, SIGNATURE.sub(signature, body))


def mend_page(
    _app: Sphinx, _page: str, _template: str, context: dict[str, Any], _: nodes.document | None
) -> None:
    if "body" in context:
        context["body"] = mend(context["body"])
    tree = "furo_navigation_tree"  # its captions are headings of no level
    context[tree] = context[tree].replace('role="heading"', 'role="heading" aria-level="2"')


def check_figures(app: Sphinx, page: nodes.document, name: str) -> None:
    """Warn of a figure without a text; as text Sphinx would take the name of its file."""
    if app.builder.format != "html":
        return
    for image in page.findall(nodes.image):
        text = image.get("alt", "").strip()
        if not text or "_images" in text:
            getLogger(__name__).warning(
                "a figure has no text that says what it shows; its alt is %r",
                text,
                location=(name, image.line),
            )


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("doctree-resolved", check_figures)
    app.connect("html-page-context", mend_page, priority=900)  # after Furo
    return {"parallel_read_safe": True, "parallel_write_safe": True}
