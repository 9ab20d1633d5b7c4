"""Pages of the documentation as their readers have them: the code cells in order, and the words."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

DOCS = Path(__file__).parents[2] / "docs"
HIDING = ("remove-cell", "remove-input", "hide-cell", "hide-input")

_FENCE = re.compile(r"^(`{3,}|~{3,})(.*?)\n(.*?)^\1[ ]*$", re.MULTILINE | re.DOTALL)
_OPTIONS = re.compile(r"\A(?:---\n.*?^---\n|(?::[\w-]+:.*\n)+)", re.MULTILINE | re.DOTALL)
_FRONT = re.compile(r"\A---\n.*?\n---\n", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """A code cell of a page: its code, without options, and whether the reader sees it."""

    code: str
    visible: bool


def cells(page: Path) -> list[Cell]:
    """Return the code cells of a page, from top to bottom."""
    text = page.read_text(encoding="utf-8")
    return [
        cell_of(body)
        for _, kind, body in _FENCE.findall(text)
        if kind.strip().startswith("{code-cell}")
    ]


def cell_of(body: str) -> Cell:
    """Return what stands between the fences of a code cell: first options, then code."""
    found = _OPTIONS.match(body)
    options = found[0] if found else ""
    hidden = any(tag in options for tag in HIDING)
    return Cell(code=body.removeprefix(options), visible=not hidden)


def code_of(page: Path) -> str:
    """Return all code cells of a page as one script."""
    return "\n".join(cell.code for cell in cells(page))


def run(page: Path) -> dict[str, object]:
    """Run the cells in order in a fresh namespace, and return what they leave in it."""
    module = ModuleType("__main__")
    for number, cell in enumerate(cells(page), start=1):
        code = compile(cell.code, f"{page.name}, cell {number}", "exec")
        exec(code, module.__dict__)  # noqa: S102  our own pages
    return vars(module)


def calls_of(code: str, name: str = "rk") -> list[str]:
    """Return the statements that use a function of the module called `name`, one text each."""
    return [
        ast.unparse(statement)
        for statement in ast.parse(code).body
        if any(
            isinstance(node, ast.Call) and ast.unparse(node.func).startswith(f"{name}.")
            for node in ast.walk(statement)
        )
    ]


def packages_of(code: str) -> set[str]:
    """Return the packages that a script imports."""
    packages = set()
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            packages |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            packages.add(node.module.partition(".")[0])
    return packages


def words(page: Path) -> int:
    """Count the words that are read: neither code, nor what is printed, nor markup."""
    text = _FRONT.sub("", page.read_text(encoding="utf-8"))
    text = _FENCE.sub("", text)
    text = re.sub(r"^\([\w-]+\)=$|^:::.*$", "", text, flags=re.MULTILINE)
    text = re.sub(r"\{[\w:-]+\}`([^`<]*?)(?:\s*<[^`>]*>)?`", r"\1", text)  # {doc}`title <page>`
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", text)
    return sum(any(map(str.isalnum, word)) for word in text.split())
