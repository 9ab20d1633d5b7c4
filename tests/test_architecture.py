"""The shape of the code: who may import whom, what an import does, what a public function is.

The rules are those of CONTRIBUTING.md. They are read off the source by `ast`, and off the
package as a user sees it.
"""

import ast
import importlib
import inspect
import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib import metadata, resources
from pathlib import Path
from types import ModuleType
from typing import Any

import pandas as pd
import pytest

import retainkit

PACKAGE = Path(inspect.getfile(retainkit)).parent
ROOT = Path(__file__).parents[1]


def dotted(path: Path) -> str:
    """Name a module within the package; a package by its own name, the whole one `__init__`."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts)


SOURCES = {dotted(path): path.read_text("utf-8") for path in sorted(PACKAGE.rglob("*.py"))}
TREES = {name: ast.parse(source) for name, source in SOURCES.items()}
# The floors, from the ground up: a package imports only from floors below its own.
FLOORS: list[set[str]] = [
    {"errors"},
    {"_typing", "_checks", "_messages", "typing"},
    {"_stats"},
    {"_models"},
    {"_time"},
    {"_frames"},
    {"_inputs"},
    {"activity", "churn", "drivers", "projection", "purchases", "retention", "revenue"}
    | {"surveys", "survival", "outcomes", "weighting"},
    {"clv"},
    {"datasets", "plot"},
]
FLOOR = {package: number for number, floor in enumerate(FLOORS) for package in floor}
# Packages that stand on another and use more of it than it exports.
ACROSS = {("clv", "purchases")}


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


def package_of(name: str) -> str:
    """Name the package that holds a module, or the module itself where there is none."""
    return name.partition(".")[0]


def test_every_module_is_on_a_floor() -> None:
    assert {package_of(name) for name in SOURCES} == {*FLOOR, "__init__"}


MODULES = sorted(SOURCES.keys() - {"__init__"})


@pytest.mark.parametrize("name", MODULES)
def test_a_module_imports_only_from_the_floors_below(name: str) -> None:
    own_package = package_of(name)
    for other in own(imports(TREES[name])):
        package = package_of(other)
        below = FLOOR[package] < FLOOR[own_package]
        assert below or package == own_package or (own_package, package) in ACROSS, other


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


@pytest.mark.parametrize("name", MODULES)
def test_what_is_private_to_a_package_stays_there(name: str) -> None:
    # A package that stands on another of its floor may use its modules, but no private name.
    for node in ast.walk(TREES[name]):
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith("retainkit"):
            for alias in node.names:
                path = f"{node.module}.{alias.name}".removeprefix("retainkit.").split(".")
                if path[0] == package_of(name):
                    continue
                known = path[1:-1] if (package_of(name), path[0]) in ACROSS else []
                private = [part for part in path[1:] if part[0] == "_" and part not in known]
                assert not private, ".".join(path)


# What may be loaded when a module is; matplotlib by pictures alone. Others, in functions.
STANDARD = set(sys.stdlib_module_names)
AT_IMPORT = {"numpy", "scipy", "narwhals"}


@pytest.mark.parametrize("name", MODULES)
def test_a_module_loads_no_optional_library(name: str) -> None:
    loaded = {module.split(".")[0] for module in at_import(TREES[name])}
    allowed = AT_IMPORT | ({"matplotlib"} if package_of(name) == "plot" else set())
    assert loaded - STANDARD - {"retainkit"} <= allowed


@pytest.mark.parametrize(
    "name", [name for name in MODULES if package_of(name) in {"_stats", "_models"}]
)
def test_numbers_live_alone(name: str) -> None:
    loaded = {module.split(".")[0] for module in at_import(TREES[name])}
    assert loaded - STANDARD <= {"numpy", "scipy", "retainkit"}


def names_in(tree: ast.AST) -> set[str]:
    """Give every name and attribute that occurs, imported ones included."""
    names = {one.attr for one in ast.walk(tree) if isinstance(one, ast.Attribute)}
    names |= {one.id for one in ast.walk(tree) if isinstance(one, ast.Name)}
    for one in ast.walk(tree):
        if isinstance(one, (ast.Import, ast.ImportFrom)):
            names |= {alias.name for alias in one.names}
    return names


def attributes_in(tree: ast.AST) -> set[str]:
    """Give every attribute that occurs, and every name that is imported from elsewhere."""
    names = {one.attr for one in ast.walk(tree) if isinstance(one, ast.Attribute)}
    for one in ast.walk(tree):
        if isinstance(one, ast.ImportFrom) and not str(one.module).startswith("retainkit"):
            names |= {alias.name for alias in one.names}
    return names


OF_FRAMES = {"from_native", "to_native", "new_series", "narwhalify", "get_native_namespace"}
OF_FRAMES |= {"from_dict", "from_dicts", "from_arrow", "from_numpy", "to_pandas", "to_polars"}
OF_FRAMES |= {"to_arrow", "implementation", "Implementation", "dependencies", "maybe_reset_index"}


@pytest.mark.parametrize("name", [name for name in MODULES if package_of(name) != "_frames"])
def test_only_frames_knows_kinds_of_frames(name: str) -> None:
    assert attributes_in(TREES[name]) & OF_FRAMES == set()
    if "narwhals" in SOURCES[name]:
        used = {module for module in imports(TREES[name]) if module.startswith("narwhals")}
        assert used <= {"narwhals.stable.v2", "narwhals.stable.v2.typing"}


@pytest.mark.parametrize("name", [name for name in MODULES if package_of(name) != "_time"])
def test_only_time_does_date_arithmetic(name: str) -> None:
    forbidden = {"timedelta", "timedelta64", "ZoneInfo", "zoneinfo", "toordinal", "fromordinal"}
    forbidden |= {"DateOffset", "relativedelta", "to_period", "truncate", "offset_by", "weekday"}
    if name == "typing":  # where a type is named
        forbidden -= {"timedelta"}
    assert names_in(TREES[name]) & forbidden == set()


# What would read the clock, change a setting of the whole program, or speak out of turn.
METHODS = {
    "now",
    "today",
    "utcnow",
    "perf_counter",
    "monotonic",
    "environ",
    "setlocale",
    "rcParams",
}
METHODS |= {"filterwarnings", "simplefilter", "resetwarnings", "seterr", "set_option", "urlopen"}
CALLS = {"hasattr", "print", "eval", "exec", "globals"}


@pytest.mark.parametrize("name", SOURCES)
def test_nothing_reads_the_clock_or_changes_a_setting(name: str) -> None:
    nodes = list(ast.walk(TREES[name]))
    assert {one.attr for one in nodes if isinstance(one, ast.Attribute)} & METHODS == set()
    lazy = {"globals"} if name in {"__init__", "plot"} else set()  # names found are kept
    assert {one.id for one in nodes if isinstance(one, ast.Name)} & CALLS - lazy == set()
    assert set(imports(TREES[name])) & {"time", "random", "logging", "socket", "urllib"} == set()
    # The functions of numpy.random share a state; a generator does not.
    assert re.findall(r"np\.random\.(?!default_rng|Generator)\w+", SOURCES[name]) == []


# --- sizes ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SOURCES)
def test_a_module_is_short(name: str) -> None:
    assert len(SOURCES[name].splitlines()) <= 450


@pytest.mark.parametrize("name", SOURCES)
def test_functions_are_short(name: str) -> None:
    for one in ast.walk(TREES[name]):
        if isinstance(one, ast.FunctionDef):
            body = one.body[1:] if ast.get_docstring(one) else one.body
            lines = body[-1].end_lineno - body[0].lineno + 1 if body else 0  # type: ignore[operator]
            assert lines <= 60, one.name


# --- what an import does, in a fresh interpreter ---------------------------------------------

PROBE = """
import json, os, random, sys, threading, warnings
import numpy, narwhals.stable.v2
import scipy.optimize, scipy.special, scipy.sparse  # they add warning filters of their own
{first}
OPTIONS = ["display.max_rows", "display.max_columns", "display.precision", "display.width",
           "compute.use_numexpr", "mode.sim_interactive", "future.infer_string"]

def state():
    pandas = sys.modules.get("pandas")
    return {{
        "warning filters": [repr(one) for one in warnings.filters],
        "numpy errors": numpy.geterr(),
        "numpy printing": repr(numpy.get_printoptions()),
        "random": repr(random.getstate()),
        "numpy random": repr(numpy.random.get_state()),
        "threads": threading.active_count(),
        "environment": dict(os.environ),
        "path": list(sys.path),
        "hooks": [sys.excepthook is sys.__excepthook__, sys.displayhook is sys.__displayhook__],
        "pandas options": [repr(pandas.get_option(key)) for key in OPTIONS] if pandas else [],
    }}

events = []
watched = ("open", "socket.connect", "socket.getaddrinfo", "subprocess.Popen", "os.system")
sys.addaudithook(lambda event, args: events.append([event, str(args[0]), str(args[1])])
                 if event in watched else None)
before = state()
known = {{name.partition(".")[0] for name in sys.modules}}
{statement}
after = state()
print(json.dumps({{
    "changed": [key for key in before if before[key] != after[key]],
    "events": list(events),
    "modules": sorted({{name.partition(".")[0] for name in sys.modules}}),
    "new": sorted({{name.partition(".")[0] for name in sys.modules}} - known),
}}))
"""


# All but pictures, which need matplotlib.
EVERYTHING = "from retainkit import *; from retainkit.datasets import *; import retainkit.plot"


def probe(first: str = "", statement: str = EVERYTHING) -> dict[str, Any]:
    """Import retainkit in a new interpreter, `first` something else, and tell what happened."""
    command = [sys.executable, "-B", "-c", PROBE.format(first=first, statement=statement)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_importing_all_names_loads_numpy_scipy_and_narwhals_and_nothing_else() -> None:
    # The contract names lifetimes, matplotlib, polars, duckdb and pyspark; pandas would take
    # longer than all the rest.
    found = probe()
    new = {name for name in found["new"] if name[0] != "_"}  # such as _sysconfigdata_…
    assert new - STANDARD <= {"retainkit", "scipy"}
    absent = {"pandas", "lifetimes", "matplotlib", "polars", "duckdb", "pyspark"}
    assert set(found["modules"]) & (absent | {"pyarrow", "autograd", "dill"}) == set()


def test_importing_the_package_alone_loads_none_of_its_modules() -> None:
    code = "import sys, retainkit; print(sorted({*sys.modules} & {'numpy', 'narwhals', 'typing'}))"
    code += "; print([name for name in sys.modules if name.startswith('retainkit.')])"
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.split("\n")[:2] == ["['typing']", "[]"]


def test_each_public_name_is_that_of_its_package() -> None:
    for home, names in retainkit._EXPORTS.items():
        package = module(home)
        assert {*names} <= {*package.__all__}
        if home != "errors":
            assert list(names) == list(package.__all__)
        for name in names:
            assert getattr(retainkit, name) is getattr(package, name)
            assert name in vars(retainkit)  # found once, it is not looked up again
    with pytest.raises(AttributeError, match="module 'retainkit' has no attribute 'npss'"):
        _ = retainkit.npss  # type: ignore[attr-defined]


def test_type_checkers_see_every_package_that_exports_names() -> None:
    (block,) = (one for one in TREES["__init__"].body if "if TYPE_CHECKING" in ast.unparse(one))
    stars = {
        str(one.module).removeprefix("retainkit.")
        for one in ast.walk(block)
        if isinstance(one, ast.ImportFrom) and one.names[0].name == "*"
    }
    assert stars == retainkit._EXPORTS.keys() - {"errors"}
    named = {
        alias.name
        for one in ast.walk(block)
        if isinstance(one, ast.ImportFrom) and one.module == "retainkit"
        for alias in one.names
    }
    assert named == {*retainkit._EXPORTS, *retainkit._MODULES}


@pytest.mark.parametrize("name", ["clv", "retention", "surveys", "plot"])
def test_the_name_of_a_subject_is_its_package_always(name: str) -> None:
    code = f"import retainkit as rk; print(rk.{name}.__name__); rk.cltv; print(rk.{name}.__name__)"
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == [f"retainkit.{name}"] * 2


@pytest.mark.parametrize("first", ["", "import pandas"])
def test_importing_retainkit_changes_nothing(first: str) -> None:
    assert probe(first)["changed"] == []


def test_importing_retainkit_reads_no_file_but_python_code() -> None:
    # Of its own, or of the standard library. Neither sockets nor other processes.
    for event, path, mode in probe()["events"]:
        assert (event, mode) in {("open", "r"), ("open", "rb")}
        assert Path(path).suffix in {".py", ".pyc", ".so", ".pyd"}, path


# --- names ---------------------------------------------------------------------------------

PUBLIC = sorted({*retainkit._EXPORTS, "datasets", "errors", "plot"})


def module(name: str) -> ModuleType:
    return importlib.import_module("retainkit" if name == "__init__" else f"retainkit.{name}")


@pytest.mark.parametrize("name", PUBLIC)
def test_all_is_sorted_and_true(name: str) -> None:
    exported = module(name).__all__
    # In the order of the linter: acronyms, other classes, the rest.
    order = sorted(exported, key=lambda one: (not one.isupper(), not one[0].isupper(), one))
    assert list(exported) == order
    assert len(set(exported)) == len(exported)
    for one in exported:
        assert hasattr(module(name), one)


@pytest.mark.parametrize("name", sorted({*PUBLIC} - {"errors"}))
def test_a_package_exports_names_and_has_private_modules_alone(name: str) -> None:
    inside = {one.removeprefix(f"{name}.") for one in SOURCES if one.startswith(f"{name}.")}
    assert all(one.startswith("_") for one in inside)
    seen = {one for one in vars(module(name)) if not one.startswith("_")}
    assert seen - {"TYPE_CHECKING", "MissingDependencyError", "import_module"} <= {
        *module(name).__all__
    }
    for one in module(name).__all__:
        if callable(getattr(module(name), one)):
            assert getattr(module(name), one).__module__.startswith(f"retainkit.{name}._")


def test_the_package_shows_what_it_exports_and_its_subjects() -> None:
    assert set(dir(retainkit)) == {*retainkit.__all__, *retainkit._EXPORTS, "typing"}
    assert len(set(retainkit.__all__)) == len(retainkit.__all__)
    seen = {name for name in vars(retainkit) if not name.startswith("_")}
    assert seen - {"TYPE_CHECKING", "import_module"} <= set(dir(retainkit))


def test_the_version_is_that_of_the_distribution() -> None:
    assert retainkit.__version__ == metadata.version("retainkit")


def test_the_package_says_that_it_is_typed() -> None:
    assert (resources.files("retainkit") / "py.typed").is_file()


# --- public functions --------------------------------------------------------------------------

FUNCTIONS: dict[str, Callable[..., Any]] = {
    f"{name}.{key}" if name in {"datasets", "plot"} else key: getattr(module(name), key)
    for name in PUBLIC
    for key in module(name).__all__
    if inspect.isfunction(getattr(module(name), key))
}
FRAMES = [name for name in FUNCTIONS if not name.startswith("datasets.")]
# Those whose numbers come from a paper.
SOURCED = ["cohort_retention", "retention_curve", "datasets.load_cdnow"]
SOURCED += ["rfm_summary", "calibration_holdout"]
SOURCED += ["fit_bg_nbd", "fit_mbg_nbd", "fit_gamma_gamma"]
SOURCED += ["cltv_from_models", "cltv"]
SOURCED += ["spend_independence", "purchase_regularity"]
SOURCED += ["tracking", "holdout_report"]
SOURCED += ["growth_accounting", "active_days", "churn_rate"]
SOURCED += ["inactivity_churn", "usage_interval"]
SOURCED += ["expected_lifetime", "median_lifetime", "survival_curve"]
SOURCED += ["revenue_retention", "fit_sbg", "fit_bdw"]
SOURCED += ["plot.frequency_recency", "plot.customer_history"]
SOURCED += ["nps", "nps_difference", "control_chart"]
SOURCED += ["csat", "ces", "pmf"]
SOURCED += ["rake", "poststratify"]
SOURCED += ["key_drivers", "score_outcomes"]
SOURCED += ["response_rate", "survey_sample_size"]
SOURCED += ["survey_detectable_difference"]
SECTIONS = ["Parameters", "Returns", "Raises", "Warns", "See Also", "Notes", "References"]
SECTIONS += ["Examples"]

# How many arguments are positional, where it is not the frame alone.
POSITIONAL = {"datasets.load_cdnow": 0, "cltv_from_models": 3}
POSITIONAL |= {"plot.customer_history": 2, "tracking": 2}
POSITIONAL |= {"survey_sample_size": 0, "score_outcomes": 2}
POSITIONAL |= {"rake": 2, "poststratify": 2}
MODEL_FIRST = {"plot.frequency_recency", "tracking", "annualize_rate"}
MODEL_FIRST |= {f"survey_{key}" for key in ("sample_size", "detectable_difference")}

each_function = pytest.mark.parametrize("name", FUNCTIONS)


def sections(name: str) -> dict[str, list[str]]:
    """Take a docstring apart: the lines of each section, and of what comes before under ""."""
    lines = inspect.cleandoc(str(FUNCTIONS[name].__doc__)).splitlines()
    found: dict[str, list[str]] = {"": []}
    title = ""
    for line, below in zip(lines, [*lines[1:], ""], strict=True):
        if re.fullmatch(r"-{3,}", below):
            assert len(below) == len(line), f"the line below {line!r} is not as long"
            title = line
            found[title] = []
        elif not re.fullmatch(r"-{3,}", line):
            found[title].append(line)
    return found


def documented(name: str) -> dict[str, str]:
    """Give the parameters that a docstring describes, and what it says of their type."""
    heads = [line for line in sections(name).get("Parameters", []) if line and line[0] != " "]
    pairs = [line.partition(" : ") for line in heads]
    return {one: kind for names, _, kind in pairs for one in names.split(", ")}


def test_there_are_public_functions() -> None:
    assert set(FUNCTIONS) >= {*SOURCED, "retention_matrix", "plot.retention_heatmap"}


@each_function
def test_the_frame_is_positional_and_everything_else_a_keyword(name: str) -> None:
    parameters = list(inspect.signature(FUNCTIONS[name]).parameters.values())
    kinds = [one.kind for one in parameters]
    first = [inspect.Parameter.POSITIONAL_OR_KEYWORD] * POSITIONAL.get(name, 1)
    rest = [inspect.Parameter.KEYWORD_ONLY] * (len(kinds) - len(first))
    assert kinds == first + rest
    assert all(one.annotation is not one.empty for one in parameters)
    assert inspect.signature(FUNCTIONS[name]).return_annotation is not inspect.Signature.empty


@pytest.mark.parametrize("name", sorted({*FRAMES} - MODEL_FIRST))
def test_the_frame_comes_first(name: str) -> None:
    first = next(iter(inspect.signature(FUNCTIONS[name]).parameters.values()))
    frames = {"events", "table", "curve", "transactions", "summary", "subscriptions"}
    assert first.name in frames | {"responses", "invitations"}
    assert "Into" in str(first.annotation)
    assert first.default is first.empty


@each_function
def test_a_docstring_begins_with_one_sentence(name: str) -> None:
    lines = sections(name)[""]
    assert lines[0].endswith(".")
    assert lines[1:2] in ([], [""])
    assert len(" ".join(lines)) > 20


@each_function
def test_a_docstring_has_its_sections_in_order(name: str) -> None:
    found = [title for title in sections(name) if title]
    assert found == [title for title in SECTIONS if title in found]
    assert {"Parameters", "Returns", "Raises", "Examples"} <= set(found)
    assert ("References" in found) == (name in SOURCED)
    for title in found:
        assert any(sections(name)[title]), f"{title} is empty"


@each_function
def test_every_parameter_is_documented_in_order(name: str) -> None:
    parameters = inspect.signature(FUNCTIONS[name]).parameters
    assert list(documented(name)) == list(parameters)
    for one in parameters.values():
        kind = documented(name)[one.name]
        assert kind, f"{one.name} has no type"
        if one.default is None:
            assert "optional" in kind, one.name
        elif one.default is not one.empty:
            assert "default" in kind or "optional" in kind, one.name
            if isinstance(one.default, (str, bool, float, int)):
                shown = f'"{one.default}"' if isinstance(one.default, str) else str(one.default)
                assert kind.endswith(f"default {shown}"), one.name


@each_function
def test_the_choices_of_an_argument_are_all_documented(name: str) -> None:
    for one in inspect.signature(FUNCTIONS[name]).parameters.values():
        kind = documented(name)[one.name]
        choices = re.findall(r'"(\w+)"', kind.partition("}")[0]) if kind[0] == "{" else []
        assert choices == [] or one.default in [*choices, None, one.empty], one.name


@each_function
def test_examples_import_what_they_use_and_show_a_result(name: str) -> None:
    lines = sections(name)["Examples"]
    code = [line[4:] for line in lines if line.startswith((">>> ", "... "))]
    short = name.rpartition(".")[2]
    assert any(line.startswith("from retainkit") and short in line for line in code)
    assert any(f"{short}(" in line for line in code)
    assert [line for line in lines if line and not line.startswith((">>>", "..."))]


@each_function
def test_references_are_numbered_and_dated(name: str) -> None:
    if name in SOURCED:
        text = "\n".join(sections(name)["References"])
        numbers = [int(number) for number in re.findall(r"^\.\. \[(\d+)\]", text, re.MULTILINE)]
        assert numbers == list(range(1, len(numbers) + 1)) != []
        assert len(re.findall(r"\((?:18|19|20)\d\d\)", text)) >= len(numbers)


def results() -> dict[str, list[str]]:
    """Give the columns that functions make."""
    events = pd.DataFrame({"customer_id": [1], "time": pd.to_datetime(["2024-01-05"])})
    events["amount"] = 1.0
    options: dict[str, Any] = {"amount": "amount", "brackets": (0, 1, 2), "as_of": "2024-04-01"}
    table = retainkit.cohort_retention(events, **options)
    split: dict[str, Any] = {"amount": "amount", "calibration_end": "2024-02-01"}
    split["as_of"] = options["as_of"]
    return {
        "rfm_summary": list(retainkit.rfm_summary(events, amount="amount"))[1:],
        "calibration_holdout": list(retainkit.calibration_holdout(events, **split))[1:],
        "cohort_retention": list(table),
        "retention_curve": list(retainkit.retention_curve(table)),
        "datasets.load_cdnow": list(retainkit.datasets.load_cdnow(sample=True)),
        "datasets.make_events": list(retainkit.datasets.make_events(3, seed=1)),
        "datasets.make_subscriptions": list(retainkit.datasets.make_subscriptions(3, seed=1)),
    }


@pytest.mark.parametrize("name", results())
def test_every_column_of_the_result_is_documented_with_its_type(name: str) -> None:
    text = "\n".join(sections(name)["Returns"])
    for column in results()[name]:
        same_type = rf"``{column}``(?:, ``\w+``)* \((?:\w|\[|\])+\)"
        assert re.search(same_type, text), column
