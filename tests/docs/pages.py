"""Pages of the documentation as their readers have them: the code cells in order, and the words."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from textwrap import indent
from types import ModuleType

DOCS = Path(__file__).parents[2] / "docs"
REMOVING = ("remove-cell", "remove-input")
FOLDING = ("hide-cell", "hide-input")
WITHOUT_OUTPUT = ("remove-cell", "remove-output", "hide-cell", "hide-output")

_FRONT = re.compile(r"\A---\n.*?\n---\n", re.DOTALL)
_OPTIONS = re.compile(r"\A(?:---\n.*?^---\n|(?::[\w-]+:[^\n]*\n)+)", re.MULTILINE | re.DOTALL)
# A line that opens or closes something: its colons or backticks, its directive, its title.
_FENCE = re.compile(r"(:{3,}|`{3,}|~{3,})(?:\{([\w-]+)\})?[ ]*(.*)")
_DISPLAYED = re.compile(r"\$\$.*?\$\$", re.DOTALL)
_INLINE = re.compile(r"(?<![\\$\w])\$[^$]+\$")
_SPACE = re.compile(r"^\([\w-]+\)=$|^:[\w-]+:.*$", re.MULTILINE)  # targets and options


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """A block of code: its options, its code, and whether the build executes it."""

    code: str
    options: str = ""
    executed: bool = True

    @property
    def visible(self) -> bool:
        """Whether the reader sees the code without unfolding anything."""
        return not (self.removed or self.folded)

    @property
    def removed(self) -> bool:
        """Whether the reader never sees the code."""
        return any(tag in self.options for tag in REMOVING)

    @property
    def folded(self) -> bool:
        """Whether the reader sees the code after unfolding it."""
        return any(tag in self.options for tag in FOLDING)

    @property
    def fails(self) -> bool:
        """Whether the code is there to show an error."""
        return "raises-exception" in self.options

    @property
    def shows_output(self) -> bool:
        """Whether the reader sees what the code prints or draws."""
        return self.executed and not any(tag in self.options for tag in WITHOUT_OUTPUT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """Some lines of prose, and the boxes that they stand in, by directive and title."""

    source: str
    boxes: tuple[tuple[str, str], ...] = ()

    @property
    def folded(self) -> bool:
        """Whether the reader has to unfold it."""
        return any(kind == "dropdown" for kind, _ in self.boxes)

    @property
    def words(self) -> int:
        """Count what is read as words: no markup, no formulas; a link by what is written."""
        text = _INLINE.sub("", _DISPLAYED.sub("", _SPACE.sub("", self.source)))
        text = re.sub(r"\{[\w:-]+\}`([^`<]*?)(?:\s*<[^`>]*>)?`", r"\1", text)  # {doc}`title <page>`
        text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", text)
        return sum(any(map(str.isalnum, word)) for word in text.replace("|", " ").split())

    @property
    def formulas(self) -> list[str]:
        """Return the formulas: those displayed, and those in a line that state something."""
        rest = _DISPLAYED.sub("", self.source)
        inline = [one for one in _INLINE.findall(rest) if re.search(r"[=<>]|\\(frac|sum|int)", one)]
        return _DISPLAYED.findall(self.source) + inline


def parts(page: Path) -> Iterator[Text | Cell]:
    """Read a page from top to bottom: prose, and blocks of code.

    Boxes are written with colons, code with backticks; a box within a box has fewer colons.
    """
    lines = iter(_FRONT.sub("", page.read_text(encoding="utf-8")).splitlines(keepends=True))
    boxes: list[tuple[str, str]] = []
    prose: list[str] = []
    for line in lines:
        fence = _FENCE.fullmatch(line.rstrip())
        if fence is None:
            prose.append(line)
            continue
        yield Text(source="".join(prose), boxes=tuple(boxes))
        prose = []
        mark, kind, title = fence.groups()
        if mark[0] != ":":
            assert kind in {"code-cell", None}, f"{page.name}: {line!r} is not written with colons"
            assert not (kind and boxes), f"{page.name}: a cell in a box is not executed"
            yield cell_of("".join(iter(lambda: next(lines), f"{mark}\n")), executed=bool(kind))
        elif kind:
            boxes.append((kind, title))
            prose = [f"{title}\n"]
        else:
            boxes.pop()
    assert not boxes, f"{page.name}: {boxes[-1]} is not closed"
    yield Text(source="".join(prose))


def cell_of(body: str, *, executed: bool = True) -> Cell:
    """Return what stands between the fences of a block of code: first options, then code."""
    found = _OPTIONS.match(body) if executed else None
    options = found[0] if found else ""
    return Cell(code=body.removeprefix(options), options=options, executed=executed)


def cells(page: Path) -> list[Cell]:
    """Return the code cells of a page, from top to bottom."""
    return [part for part in parts(page) if isinstance(part, Cell) and part.executed]


def code_of(page: Path) -> str:
    """Return all code cells of a page as one script."""
    return "\n".join(cell.code for cell in cells(page))


def visible_code_of(page: Path) -> str:
    """Return the visible cells of a page as one script; what is shown to fail has to fail."""
    return "\n".join(
        f"try:\n{indent(cell.code, '    ')}\nexcept Exception:\n    pass\n"
        "else:\n    raise AssertionError\n"
        if cell.fails
        else cell.code
        for cell in cells(page)
        if cell.visible
    )


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
    return sum(part.words for part in parts(page) if isinstance(part, Text))
