"""Which names a page's code takes from cells that its reader does not see."""

from __future__ import annotations

import ast
import builtins
import re
import symtable
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from docs.pages import Cell

# Functions that change how everything after them is shown, drawn, drawn by lot or warned of.
SETTERS = {
    *("filterwarnings", "rc", "reset_option", "seed", "set_option", "set_printoptions"),
    *("set_theme", "seterr", "simplefilter", "use"),
}
SETTINGS = re.compile(r"\.(options|rcParams)\b")
MAGIC = re.compile(r"^[%!].*$", re.MULTILINE)
PICTURES_AS_SVG = '%config InlineBackend.figure_formats = ["svg"]'  # they look the same


def hidden_names(cells: list[Cell]) -> list[str]:
    """Return what cells use that stands in no earlier cell that is as easy to see.

    A visible cell uses what visible ones set or import; one that folds away, what such ones set
    too. A name that was set again out of sight counts as hidden.
    """
    in_sight = {
        level: {name for cell in cells if depth(cell) <= level for name in set_by(cell)}
        for level in range(3)
    }
    setter: dict[str, int] = {}  # how deep the cell lies that set a name last
    imported: dict[str, int] = {}
    found = []
    for cell in cells:
        level = depth(cell)
        for statement in statements(cell):
            used, changed = names_of(statement)
            found += [
                name
                for name in sorted(used - {*dir(builtins)})
                if setter.get(name, 0 if name in in_sight[level] else 2) > level
            ]
            if isinstance(statement, (ast.Import, ast.ImportFrom)):
                text = ast.unparse(statement)
                if imported.get(text, 3) <= level:
                    continue
                imported[text] = level
            setter |= dict.fromkeys(changed, level)
    return found


def hidden_settings(cells: list[Cell]) -> list[str]:
    """Return what changes a setting in cells that are not visible."""
    found = []
    for cell in cells:
        if not cell.visible:
            found += [one for one in MAGIC.findall(cell.code) if one != PICTURES_AS_SVG]
            found += [call for one in statements(cell) for call in settings_of(one)]
    return found


def settings_of(statement: ast.stmt) -> list[str]:
    """Return the calls and assignments that change a setting for longer than a `with` lasts."""
    nodes = [*ast.walk(statement)]
    for node in nodes:
        if isinstance(node, ast.With):
            inside = {*ast.walk(node)}
            nodes = [one for one in nodes if one not in inside]
    calls = [one for one in nodes if isinstance(one, ast.Call)]
    places = [one for one in nodes if isinstance(one, (ast.Attribute, ast.Subscript))]
    return [
        *(ast.unparse(one) for one in calls if ast.unparse(one.func).split(".")[-1] in SETTERS),
        *(
            ast.unparse(one)
            for one in places
            if isinstance(one.ctx, ast.Store) and SETTINGS.search(ast.unparse(one))
        ),
    ]


def depth(cell: Cell) -> int:
    """Return 0 for a visible cell, 1 for one that folds away, 2 for one that is never seen."""
    return 2 if cell.removed else int(cell.folded)


def statements(cell: Cell) -> list[ast.stmt]:
    """Return the statements of a cell, but for lines of IPython's own."""
    return ast.parse(MAGIC.sub("", cell.code)).body


def set_by(cell: Cell) -> set[str]:
    """Return the names that a cell sets, imports or changes."""
    return {name for statement in statements(cell) for name in names_of(statement)[1]}


def names_of(statement: ast.stmt) -> tuple[set[str], set[str]]:
    """Return the global names that a statement uses, and those that it sets or changes.

    What a loop, a `with` or a function sets and uses counts as set alone.
    """
    top = symtable.symtable(ast.unparse(_Generators().visit(statement)), "cell", "exec")
    used, changed = set(), set()
    for table in scopes(top):
        for symbol in table.get_symbols():
            if table is top or symbol.is_global():
                used |= {symbol.get_name()} if symbol.is_referenced() else set()
                is_set = symbol.is_assigned() or symbol.is_imported()
                changed |= {symbol.get_name()} if is_set else set()
    if hasattr(statement, "body"):
        used -= changed
    elif isinstance(statement, ast.AugAssign):
        used |= changed
    return used, changed | (used & changed_in_place(statement))


class _Generators(ast.NodeTransformer):
    """Write comprehensions as generators, which keep their variables to themselves.

    From Python 3.12 on a symbol table has those of comprehensions among the names around them.
    """

    def visit_ListComp(self, node: ast.ListComp | ast.SetComp) -> ast.GeneratorExp:
        self.generic_visit(node)
        return ast.GeneratorExp(elt=node.elt, generators=node.generators)

    def visit_SetComp(self, node: ast.SetComp) -> ast.GeneratorExp:
        return self.visit_ListComp(node)

    def visit_DictComp(self, node: ast.DictComp) -> ast.GeneratorExp:
        self.generic_visit(node)
        pair = ast.Tuple(elts=[node.key, node.value], ctx=ast.Load())
        return ast.GeneratorExp(elt=pair, generators=node.generators)


def scopes(table: symtable.SymbolTable) -> Iterator[symtable.SymbolTable]:
    """Return a scope and all scopes in it."""
    yield table
    for child in table.get_children():
        yield from scopes(child)


def changed_in_place(statement: ast.stmt) -> set[str]:
    """Return the names of things of which a statement sets an element or an attribute."""
    found = set()
    for node in ast.walk(statement):
        if isinstance(node, (ast.Subscript, ast.Attribute)) and not isinstance(node.ctx, ast.Load):
            owner: ast.expr = node
            while isinstance(owner, (ast.Subscript, ast.Attribute)):
                owner = owner.value
            if isinstance(owner, ast.Name):
                found.add(owner.id)
    return found
