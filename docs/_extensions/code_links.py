"""Docstrings on pages: single backticks are links, and types are written as in code.

A single backtick links to what has a page; a parameter is code.
"""

import builtins
import inspect
import sys
from typing import Any

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

import retainkit

# Quotation marks that Sphinx has turned into typographic ones.
STRAIGHT = str.maketrans({0x201C: '"', 0x201D: '"', 0x2018: "'", 0x2019: "'"})
MODULES = (retainkit.datasets, retainkit.errors, retainkit.plot)


def public_objects() -> list[Any]:
    """Return all public functions and classes."""
    names = [name for name in retainkit.__all__ if name != "__version__"]
    found = [getattr(retainkit, name) for name in names]
    for module in MODULES:
        found += [getattr(module, name) for name in module.__all__]
    return [one for one in found if inspect.isroutine(one) or inspect.isclass(one)]


def parameters() -> set[str]:
    """Return the names of all parameters, those of methods and the fields of classes included."""
    found: set[str] = set()
    for one in public_objects():
        callables = [one]
        if inspect.isclass(one):
            callables += [method for _, method in inspect.getmembers(one, inspect.isroutine)]
        for each in callables:
            try:
                found |= set(inspect.signature(each).parameters)
            except (TypeError, ValueError):  # what is written in C has none
                continue
    return found


def resolve(
    app: Sphinx, env: BuildEnvironment, node: pending_xref, content: nodes.Element
) -> nodes.Element | None:
    """Link a name of `retainkit` from wherever it stands; show a parameter as code.

    What is neither stays missing, and fails the build: a misspelt name is no italic word.
    """
    if node.get("refdomain") != "py":
        return None
    name = node["reftarget"]
    domain = env.domains["py"]
    known = domain.objects.get(f"retainkit.{name}")
    if known is not None:
        return domain.resolve_xref(
            env, node["refdoc"], app.builder, "obj", f"retainkit.{name}", node, content
        )
    if node.get("reftype") == "obj" and (name in app.parameters or hasattr(builtins, name)):
        return content
    return None


def straighten(_: Sphinx, page: nodes.document) -> None:
    """Write the quotes of a parameter's type as Python has them: ``default "score"``."""
    for kind in page.findall(nodes.classifier):
        for text in list(kind.findall(nodes.Text)):
            text.parent.replace(text, nodes.Text(text.translate(STRAIGHT)))


def source_module(_: Sphinx, module: str, name: str) -> str | None:
    """Keep the source of others, such as that of `typing`, off the pages with sources."""
    found = getattr(sys.modules.get(module), name.partition(".")[0], None)
    ours = getattr(found, "__module__", module).startswith("retainkit")
    return None if ours else module


def setup(app: Sphinx) -> dict[str, Any]:
    app.setup_extension("sphinx.ext.viewcode")
    app.parameters = parameters()
    app.connect("doctree-read", straighten)
    app.connect("missing-reference", resolve)
    app.connect("viewcode-follow-imported", source_module)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
