"""The source of the package and its public names, for the tests that look at them."""

import ast
import importlib
import inspect
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import retainkit

PACKAGE = Path(inspect.getfile(retainkit)).parent


def dotted(path: Path) -> str:
    """Name a module within the package; a package by its own name, the whole one `__init__`."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts)


SOURCES = {dotted(path): path.read_text("utf-8") for path in sorted(PACKAGE.rglob("*.py"))}
TREES = {name: ast.parse(source) for name, source in SOURCES.items()}
MODULES = sorted(SOURCES.keys() - {"__init__"})
PUBLIC = sorted({*retainkit._EXPORTS, "datasets", "errors", "plot"})


def package_of(name: str) -> str:
    """Name the package that holds a module, or the module itself where there is none."""
    return name.partition(".")[0]


def module(name: str) -> ModuleType:
    return importlib.import_module("retainkit" if name == "__init__" else f"retainkit.{name}")


def functions_in(tree: ast.AST) -> Iterator[ast.FunctionDef]:
    """Return every function and method."""
    return (one for one in ast.walk(tree) if isinstance(one, ast.FunctionDef))


# All public functions; those of data sets and pictures with the name of their package.
FUNCTIONS: dict[str, Callable[..., Any]] = {
    f"{name}.{key}" if name in {"datasets", "plot"} else key: getattr(module(name), key)
    for name in PUBLIC
    for key in module(name).__all__
    if inspect.isfunction(getattr(module(name), key))
}

# The methods of public classes, by the names that they have where they are written.
METHODS: dict[str, Callable[..., Any]] = {
    one.__qualname__: one
    for kind in (getattr(retainkit, name) for name in retainkit.__all__)
    if inspect.isclass(kind)
    for name, method in inspect.getmembers(kind, callable)
    if inspect.isfunction(one := getattr(method, "__func__", method)) and name[0] != "_"
}
