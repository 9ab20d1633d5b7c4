"""Which functions of the package call which, read off the source by `ast`.

A method is known by its name alone. Names that frames, arrays and texts have too are theirs.
"""

import ast
from collections.abc import Iterator
from functools import cache

import narwhals.stable.v2 as nw
import numpy as np

from source import TREES

Place = tuple[str, str]
"""A module, and a function in it, or a class and its method with a dot between them."""

_OTHERS = (nw, nw.DataFrame, nw.Expr, nw.Series, np, np.ndarray, dict, str)
# DuckDB's relations have a `project`, as models have; the standard library warns, too.
_FOREIGN = {"project", "warn"}.union(*map(dir, _OTHERS))


@cache
def definitions() -> dict[Place, ast.FunctionDef]:
    """Return every function of a module, and every method of a class of one."""
    found: dict[Place, ast.FunctionDef] = {}
    for name, tree in TREES.items():
        for node in tree.body:
            if isinstance(node, ast.FunctionDef):
                found[name, node.name] = node
            elif isinstance(node, ast.ClassDef):
                own = [one for one in node.body if isinstance(one, ast.FunctionDef)]
                found |= {(name, f"{node.name}.{one.name}"): one for one in own}
    return found


@cache
def _imported(module: str) -> dict[str, Place]:
    """Return what the names are that a module imports from the package."""
    found: dict[str, Place] = {}
    for node in ast.walk(TREES[module]):
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith("retainkit"):
            source = str(node.module).removeprefix("retainkit").lstrip(".")
            found |= {one.asname or one.name: (source, one.name) for one in node.names}
    return found


def _resolve(place: Place) -> Place | None:
    """Return where the function is that a name in a module stands for."""
    module, name = place
    if place in definitions():
        return place
    other = _imported(module).get(name) if module in TREES else None
    return _resolve(other) if other else None


@cache
def _methods() -> dict[str, set[Place]]:
    """Return the methods of each name."""
    found: dict[str, set[Place]] = {}
    for place in definitions():
        if "." in place[1]:
            found.setdefault(place[1].partition(".")[2], set()).add(place)
    return found


def _called(module: str, node: ast.FunctionDef) -> Iterator[Place]:
    """Return the functions that are named somewhere in another."""
    for one in ast.walk(node):
        if isinstance(one, ast.Name):
            found = _resolve((module, one.id))
            yield from [found] if found else []
        elif isinstance(one, ast.Attribute):
            owner = one.value.id if isinstance(one.value, ast.Name) else ""
            package, name = _imported(module).get(owner, ("", ""))
            found = _resolve((f"{package}.{name}".lstrip("."), one.attr))
            others = set() if one.attr in _FOREIGN else _methods().get(one.attr, set())
            yield from [found] if found else others


@cache
def callers(target: Place) -> frozenset[Place]:
    """Return all functions that call another, or one that does, and so on."""
    calls = {place: set(_called(place[0], node)) for place, node in definitions().items()}
    found: set[Place] = set()
    last = {target}
    while last:
        found |= last
        last = {place for place, others in calls.items() if others & last} - found
    return frozenset(found - {target})
