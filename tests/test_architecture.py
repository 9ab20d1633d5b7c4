"""The shape of the code: who may import whom, what only some may do, sizes, and words.

The rules are those of CONTRIBUTING.md. They are read off the source by `ast`.
"""

import ast
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from statistics import median
from typing import Any

from source import FUNCTIONS, MODULES, SOURCES, TREES, functions_in, package_of

# The floors, from the ground up: a package imports only from floors below its own.
FLOORS: list[set[str]] = [
    {"errors"},
    {"_typing", "_messages", "_scipy", "_suggestions", "typing"},
    {"_checks", "_progress"},
    {"_stats"},
    {"_models"},
    {"_time"},
    {"_frames"},
    {"_inputs"},
    {"acquisition", "activity", "affinity", "churn", "contacts", "customers", "drivers"}
    | {"outcomes", "projection", "purchases", "retention", "revenue", "risk", "segments"}
    | {"subscriptions", "surveys", "survival", "weighting"},
    {"clv", "differences"},
    {"repurchase"},
    {"datasets", "plot"},
]
FLOOR = {package: number for number, floor in enumerate(FLOORS) for package in floor}
# Packages that stand on another and use more of it than it exports.
ACROSS = {("clv", "purchases"), ("plot", "clv"), ("repurchase", "clv")}


# What may be loaded when a module is; matplotlib by pictures alone. Others, in functions.
STANDARD = set(sys.stdlib_module_names)
AT_IMPORT = {"numpy", "scipy", "narwhals", "retainkit"}


# --- imports ----------------------------------------------------------------------------


def imports(node: ast.AST) -> Iterator[str]:
    """Name every module that is imported somewhere below, as written."""
    for one in ast.walk(node):
        if isinstance(one, ast.Import):
            yield from (alias.name for alias in one.names)
        elif isinstance(one, ast.ImportFrom):
            assert one.level == 0, "relative imports"
            deeper = [f"{one.module}.{alias.name}" for alias in one.names]
            modules = [name for name in deeper if name.removeprefix("retainkit.") in SOURCES]
            yield from modules or [str(one.module)]


def at_import(tree: ast.Module) -> Iterator[str]:
    """Name what is imported when the module is: not in functions, not for type checkers."""
    for node in tree.body:
        typing_only = isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        if not typing_only and not isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            yield from imports(node)


def own(names: Iterator[str]) -> set[str]:
    return {name.removeprefix("retainkit.") for name in names if name.startswith("retainkit.")}


def test_every_module_is_on_a_floor() -> None:
    assert {package_of(name) for name in SOURCES} == {*FLOOR, "__init__"}


def test_a_module_imports_only_from_the_floors_below() -> None:
    pairs = {(name, other) for name in MODULES for other in own(imports(TREES[name]))}
    packages = {(name, other): (package_of(name), package_of(other)) for name, other in pairs}
    assert not {
        pair
        for pair, (upper, lower) in packages.items()
        if FLOOR[lower] >= FLOOR[upper] and upper != lower and (upper, lower) not in ACROSS
    }


def test_no_modules_import_each_other_in_a_circle() -> None:
    # An import for type checkers alone ties nothing: it is not run.
    left = {name: own(at_import(TREES[name])) & {*MODULES} - {name} for name in MODULES}
    left = {
        name: {one for one in found if "." in one or one in FLOOR} for name, found in left.items()
    }
    while free := [name for name, found in left.items() if not found & left.keys()]:
        for name in free:
            del left[name]
    assert left == {}


def private_imports(name: str) -> Iterator[str]:
    """Name what a module imports that is private to another package."""
    for node in ast.walk(TREES[name]):
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith("retainkit"):
            for alias in node.names:
                path = f"{node.module}.{alias.name}".removeprefix("retainkit.").split(".")
                if path[0] == package_of(name):
                    continue
                known = path[1:-1] if (package_of(name), path[0]) in ACROSS else []
                if any(part[0] == "_" and part not in known for part in path[1:]):
                    yield ".".join(path)


def test_what_is_private_to_a_package_stays_there() -> None:
    # A package that stands on another of its floor may use its modules, but no private name.
    assert not offenders(lambda name: {*private_imports(name)})


def offenders(found: Callable[[str], set[str]], names: Sequence[str] = MODULES) -> Any:
    """Return the modules in which something is found, and what."""
    return {name: found(name) for name in names if found(name)}


def loaded(name: str) -> set[str]:
    """Return the libraries that are loaded when a module is."""
    return {module.partition(".")[0] for module in at_import(TREES[name])} - STANDARD


def test_a_module_loads_no_optional_library() -> None:
    assert not offenders(
        lambda name: (
            loaded(name) - AT_IMPORT - ({"matplotlib"} if package_of(name) == "plot" else set())
        )
    )


def test_numbers_live_alone() -> None:
    numeric = [name for name in MODULES if package_of(name) in {"_stats", "_models"}]
    assert not offenders(lambda name: loaded(name) - {"numpy", "scipy", "retainkit"}, numeric)


# --- what only some may do -----------------------------------------------------------------


def attributes_in(tree: ast.AST) -> set[str]:
    """Return every attribute that occurs, and every name that is imported from elsewhere."""
    names = {one.attr for one in ast.walk(tree) if isinstance(one, ast.Attribute)}
    for one in ast.walk(tree):
        if isinstance(one, ast.ImportFrom) and not str(one.module).startswith("retainkit"):
            names |= {alias.name for alias in one.names}
    return names


def names_in(tree: ast.AST) -> set[str]:
    """Return every name and attribute that occurs, imported ones included."""
    names = {one.attr for one in ast.walk(tree) if isinstance(one, ast.Attribute)}
    names |= {one.id for one in ast.walk(tree) if isinstance(one, ast.Name)}
    for one in ast.walk(tree):
        if isinstance(one, (ast.Import, ast.ImportFrom)):
            names |= {alias.name for alias in one.names}
    return names


def outside(package: str) -> list[str]:
    return [name for name in MODULES if package_of(name) != package]


OF_FRAMES = {"from_native", "to_native", "new_series", "narwhalify", "get_native_namespace"}
OF_FRAMES |= {"from_dict", "from_dicts", "from_arrow", "from_numpy", "to_pandas", "to_polars"}
OF_FRAMES |= {"to_arrow", "implementation", "Implementation", "dependencies", "maybe_reset_index"}


def test_only_frames_knows_kinds_of_frames() -> None:
    assert not offenders(lambda name: attributes_in(TREES[name]) & OF_FRAMES, outside("_frames"))
    assert not offenders(
        lambda name: (
            {one for one in imports(TREES[name]) if one.startswith("narwhals")}
            - {"narwhals.stable.v2", "narwhals.stable.v2.typing"}
        ),
        outside("_frames"),
    )


OF_TIME = {"timedelta", "timedelta64", "ZoneInfo", "zoneinfo", "toordinal", "fromordinal"}
OF_TIME |= {"DateOffset", "relativedelta", "to_period", "truncate", "offset_by", "weekday"}


def test_only_time_does_date_arithmetic() -> None:
    def found(name: str) -> set[str]:
        # Where public types are named, a length of time is one.
        return names_in(TREES[name]) & OF_TIME - ({"timedelta"} if name == "typing" else set())

    assert not offenders(found, outside("_time"))


def test_only_messages_warns() -> None:
    # It finds the line of the caller.
    direct = re.compile(r"warnings\.warn\(|stacklevel|from warnings import warn")
    assert not offenders(lambda name: {*direct.findall(SOURCES[name])}, outside("_messages"))


# What would read the clock, change a setting of the whole program, or print.
METHODS = {"now", "today", "utcnow", "perf_counter", "monotonic", "environ", "setlocale"}
METHODS |= {"rcParams", "filterwarnings", "simplefilter", "resetwarnings", "seterr", "set_option"}
METHODS |= {"urlopen"}
CALLS = {"hasattr", "print", "eval", "exec", "globals"}
LIBRARIES = {"time", "random", "logging", "socket", "urllib"}


def test_nothing_reads_the_clock_or_changes_a_setting() -> None:
    def found(name: str) -> set[str]:
        nodes = list(ast.walk(TREES[name]))
        lazy = {"globals"} if name in {"__init__", "plot"} else set()  # names found are kept
        attributes = {one.attr for one in nodes if isinstance(one, ast.Attribute)} & METHODS
        calls = {one.id for one in nodes if isinstance(one, ast.Name)} & CALLS - lazy
        # The functions of numpy.random share a state; a generator does not.
        shared = re.findall(r"np\.random\.(?!default_rng|Generator)\w+", SOURCES[name])
        return attributes | calls | {*imports(TREES[name])} & LIBRARIES | {*shared}

    assert not offenders(found, [*SOURCES])


# --- sizes ---------------------------------------------------------------------------------


def test_modules_are_short() -> None:
    lines = {name: len(source.splitlines()) for name, source in SOURCES.items()}
    assert not {name: number for name, number in lines.items() if number > 450}
    assert median(lines.values()) < 200


def length_of(function: ast.FunctionDef) -> int:
    """Return the lines of a body, without its docstring."""
    body = function.body[1:] if ast.get_docstring(function) else function.body
    return (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0


def test_functions_are_short() -> None:
    assert not offenders(
        lambda name: {one.name for one in functions_in(TREES[name]) if length_of(one) > 45},
        [*SOURCES],
    )


# --- words ---------------------------------------------------------------------------------

# A private function returns, computes or checks something, and a module does something.
MANNERED = {"Give", "Tell", "Take", "Refuse", "Say", "Make", "Lay"}
RIDDLES = {"What", "How", "Whether", "Which", "When", "Whose"}
DIALECT = {"door", "tally", "worth", "fate", "fates", "aside", "told", "laid"}


def is_property(function: ast.FunctionDef) -> bool:
    return any(
        ast.unparse(one) in {"property", "cached_property"} for one in function.decorator_list
    )


def first_word(node: ast.FunctionDef | ast.Module) -> str:
    return ((ast.get_docstring(node) or "").split() or [""])[0]


def test_docstrings_of_private_functions_say_what_they_return_or_do() -> None:
    public = {name.rpartition(".")[2] for name in FUNCTIONS}

    def found(name: str) -> set[str]:
        private = [one for one in functions_in(TREES[name]) if one.name not in public]
        return {
            one.name
            for one in private
            # A property is no action: "Whether all numbers are equal" names what it is.
            if first_word(one) in MANNERED | (set() if is_property(one) else RIDDLES)
        }

    assert not offenders(found, [*SOURCES])


def test_docstrings_of_modules_say_what_they_do() -> None:
    assert not {name for name, tree in TREES.items() if first_word(tree) in RIDDLES}


def test_names_are_plain_words() -> None:
    def found(name: str) -> set[str]:
        names = {
            getattr(one, field)
            for one in ast.walk(TREES[name])
            for field in ("id", "attr", "arg", "name")
            if isinstance(getattr(one, field, None), str)
        }
        return {one for one in names if DIALECT & {*one.lower().split("_")}}

    assert not offenders(found, [*SOURCES])
