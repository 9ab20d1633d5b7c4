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
from itertools import takewhile
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
LOWER = {"errors", "_messages", "_checks", "_calendar", "_frames", "_codes", "_events"}

# Each module and what it may import: only what stands above it.
ARROWS: dict[str, set[str]] = {
    "errors": set(),
    "_messages": set(),
    "_checks": {"errors"},
    "_calendar": {"errors"},
    "_frames": {"errors", "_messages", "_calendar"},
    "_codes": {"_frames"},
    "_zones": {"errors", "_calendar", "_frames"},
    "_events": {"errors", "_messages", "_checks", "_calendar", "_frames", "_zones"},
    "_lengths": {"errors", "_calendar"},
    # Numbers live alone.
    "_intervals": set(),
    "_averages": {"_intervals"},
    "_survival": {"_intervals"},
    "_pauses": {"_intervals"},
    "clv._special": set(),
    "clv._maximum": set(),
    "clv._bg_nbd": {"clv._special"},
    "clv._gamma_gamma": set(),
    "clv._fits": {"clv._bg_nbd", "clv._gamma_gamma", "clv._maximum"},
    "clv._agreement": {"_intervals"},
    "clv._regularity": {"_intervals"},
    "clv._worth": {"_intervals", "clv._bg_nbd", "clv._gamma_gamma", "clv._fits"},
    # Reducers.
    "_arrays": set(),
    "_cohort_query": {"_calendar"},
    "_cohort_plan": {"_calendar", "_codes", "_frames", "_events", "_cohort_query"},
    "_cohort_kernel": {"_arrays", "_calendar", "_codes", "_frames", "_events", "_cohort_query"},
    "_triangle": {"errors", "_calendar", "_cohort_query"},
    "_purchase_query": {"errors", "_messages", "_calendar"},
    "_purchase_plan": {"_calendar", "_frames", "_events", "_purchase_query"},
    "_purchase_kernel": {"_arrays", "_calendar", "_codes", "_frames", "_events", "_purchase_query"},
    "clv._tables": {"errors", "_messages", "_codes", "_frames"},
    "clv._occasions": {"_calendar", "_frames", "_events"},
    "_visit_query": {"_calendar"},
    "_visit_plan": {"_calendar", "_codes", "_frames", "_events", "_visit_query"},
    "_visit_kernel": {"_arrays", "_calendar", "_codes", "_frames", "_events", "_visit_query"},
    "_visits": LOWER | {"_visit_query", "_visit_plan", "_visit_kernel"},
    "_visit_counts": {"errors", "_calendar", "_visit_query"},
    "_subscription_money": {"errors", "_messages", "_checks", "_frames"},
    "_subscriptions": LOWER | {"_zones", "_subscription_money"},
    "_spans": {
        "errors",
        "_messages",
        "_calendar",
        "_codes",
        "_frames",
        "_arrays",
        "_subscriptions",
    },
    # Metrics.
    "cohorts": LOWER
    | {"_intervals", "_cohort_query", "_cohort_plan", "_cohort_kernel", "_triangle"},
    "curves": LOWER | {"_intervals", "_averages"},
    "_purchases": LOWER | {"_purchase_query", "_purchase_plan", "_purchase_kernel"},
    "purchases": LOWER | {"_purchase_query", "_purchases"},
    "_growth_tables": {"errors", "_calendar", "_intervals", "_visit_query", "_visit_counts"},
    "growth": LOWER | {"_visit_query", "_visits", "_growth_tables"},
    "_inactivity": {"_calendar", "_visit_query", "_visit_counts"},
    "inactivity": LOWER | {"_intervals", "_pauses", "_visit_query", "_visits", "_inactivity"},
    "_churn_kernel": {"_spans"},
    "churn": LOWER
    | {"_lengths", "_intervals", "_survival", "_subscriptions", "_spans", "_churn_kernel"},
    "_tenures": LOWER | {"_arrays", "_subscriptions", "_spans"},
    "_lifetime": LOWER | {"_intervals", "_survival"},
    "survival": LOWER
    | {"_lengths", "_survival", "_subscriptions", "_spans", "_tenures", "_lifetime"},
    # Subscription revenue.
    "revenue._money": set(),
    "revenue._changes": {"revenue._money"},
    "revenue._book": {"errors", "_checks", "_calendar", "_codes", "_frames", "_subscriptions"}
    | {"revenue._money", "revenue._changes"},
    "revenue._movements": {"_checks", "_calendar", "revenue._changes", "revenue._book"},
    "revenue._spells": {"revenue._changes"},
    "revenue._rates": {"_intervals", "revenue._changes", "revenue._spells"},
    "revenue._retention": {"_checks", "_calendar", "_intervals", "revenue._changes"}
    | {"revenue._book", "revenue._spells", "revenue._rates"},
    "revenue._triangle": {"errors", "revenue._changes"},
    "revenue._cohorts": LOWER
    | {"_arrays", "_intervals", "revenue._changes", "revenue._book", "revenue._rates"}
    | {"revenue._triangle"},
    "revenue": {"revenue._movements", "revenue._retention", "revenue._cohorts"},
    # Models and the value of customers.
    "clv": set(),
    "clv._durations": {"errors", "_calendar"},
    "clv._model": {"errors", "_checks", "_intervals", "clv._fits"},
    "clv._lifetimes": {"errors", "_messages", "clv._bg_nbd", "clv._gamma_gamma", "clv._fits"}
    | {"clv._tables", "clv._model"},
    "clv._counting": {"errors", "_checks", "_calendar", "clv._bg_nbd", "clv._durations"}
    | {"clv._tables", "clv._model", "clv._lifetimes"},
    "clv.counting": LOWER
    | {"clv._fits", "clv._tables", "clv._model", "clv._lifetimes", "clv._counting"},
    "clv.spend": LOWER
    | {"clv._gamma_gamma", "clv._fits", "clv._tables", "clv._model", "clv._lifetimes"},
    "clv._valuation": LOWER
    | {"_intervals", "clv._bg_nbd", "clv._gamma_gamma", "clv._worth", "clv._durations"}
    | {"clv._tables", "clv._model", "clv._counting", "clv.spend"},
    "clv.value": LOWER
    | {
        "purchases",
        "clv._agreement",
        "clv._fits",
        "clv._tables",
        "clv._model",
        "clv._counting",
        "clv.counting",
    }
    | {"clv.spend", "clv._valuation"},
    # Whether to believe a model.
    "clv.checking": LOWER
    | {"_intervals", "clv._agreement", "clv._regularity", "clv._occasions", "clv._tables"},
    "clv._tracking": {"errors", "_calendar", "_events", "clv._bg_nbd", "clv._model"}
    | {"clv._occasions", "clv.counting"},
    "clv._comparison": LOWER
    | {"_intervals", "_purchases", "clv._agreement", "clv._bg_nbd", "clv._counting"}
    | {"clv._fits", "clv._model", "clv._tables", "clv.counting"},
    "clv.holdout": LOWER | {"_purchases", "clv._comparison", "clv._tracking", "clv.counting"},
    # Projection, which shares estimation with lifetime value.
    "_geometric": set(),
    "_geometric_fit": {"_messages", "_geometric", "clv._fits", "clv._maximum"},
    "_survivors": {"errors", "_messages", "_checks", "_codes", "_frames", "_intervals"},
    "_prospect": {"_intervals", "_geometric", "_survivors"},
    "_leaving": {"errors", "_checks", "_frames", "_geometric", "_prospect", "_survivors"}
    | {"clv._model"},
    "projection": LOWER | {"_leaving", "_survivors", "_geometric_fit", "clv._model"},
    # Surveys.
    "surveys": set(),
    "surveys._contrasts": {"_intervals"},
    "surveys._driver_rows": LOWER,
    "surveys._invitations": LOWER | {"_zones"},
    "surveys._nps_bootstrap": set(),
    "surveys._nps_intervals": {"_intervals"},
    "surveys._nps_differences": {"_intervals", "surveys._nps_intervals"},
    "surveys._raking": set(),
    "surveys._margins": {"_frames", "_messages", "errors", "surveys._raking"},
    "surveys._relative_weights": set(),
    "surveys._responses": LOWER | {"_zones"},
    "surveys._shares": {"_intervals"},
    "surveys._tally": {
        "_codes",
        "_frames",
        "_intervals",
        "_messages",
        "errors",
        "surveys._responses",
    },
    "surveys._effective": {"_intervals", "surveys._tally"},
    "surveys._afterwards": LOWER
    | {"_arrays", "_subscriptions", "surveys._responses", "surveys._tally"},
    "surveys._repeats": {
        "_codes",
        "_frames",
        "_messages",
        "errors",
        "surveys._effective",
        "surveys._responses",
        "surveys._tally",
    },
    "surveys._rules": {"_checks", "errors", "surveys._tally"},
    "surveys._scored": {
        "_codes",
        "_intervals",
        "_messages",
        "_checks",
        "errors",
        "surveys._effective",
        "surveys._repeats",
        "surveys._responses",
        "surveys._tally",
    },
    "surveys._nps_table": {
        "_messages",
        "errors",
        "surveys._nps_bootstrap",
        "surveys._nps_intervals",
        "surveys._scored",
    },
    "surveys._satisfaction": {
        "_checks",
        "_intervals",
        "errors",
        "surveys._nps_intervals",
        "surveys._rules",
        "surveys._scored",
        "surveys._shares",
        "surveys._tally",
    },
    "surveys._series": LOWER
    | {
        "surveys._effective",
        "surveys._repeats",
        "surveys._responses",
        "surveys._scored",
        "surveys._tally",
    },
    "surveys._metrics": {
        "_checks",
        "_intervals",
        "errors",
        "surveys._nps_intervals",
        "surveys._scored",
        "surveys._series",
        "surveys._shares",
        "surveys._tally",
    },
    "surveys._control": {"_intervals", "surveys._metrics"},
    "surveys._timeline": set(),
    "surveys._fates": {
        "_calendar",
        "_messages",
        "errors",
        "surveys._afterwards",
        "surveys._tally",
        "surveys._timeline",
    },
    "surveys._weighing": LOWER | {"_intervals", "surveys._tally"},
    "surveys.comparing": LOWER
    | {
        "_intervals",
        "surveys._nps_differences",
        "surveys._responses",
        "surveys._scored",
        "surveys._tally",
    },
    "surveys.drivers": LOWER | {"_intervals", "surveys._driver_rows", "surveys._relative_weights"},
    "surveys.invitations": LOWER | {"_intervals", "_lengths", "surveys._invitations"},
    "surveys.market_fit": {
        "_checks",
        "_frames",
        "errors",
        "surveys._responses",
        "surveys._satisfaction",
        "surveys._scored",
        "surveys._shares",
        "surveys._tally",
    },
    "surveys.nps": LOWER
    | {
        "_intervals",
        "surveys._effective",
        "surveys._nps_table",
        "surveys._responses",
        "surveys._scored",
        "surveys._tally",
    },
    "surveys.outcomes": {
        "_checks",
        "_frames",
        "_intervals",
        "_lengths",
        "_messages",
        "errors",
        "surveys._afterwards",
        "surveys._contrasts",
        "surveys._fates",
        "surveys._scored",
        "surveys._tally",
    },
    "surveys.planning": {"_checks", "_intervals", "errors", "surveys._nps_intervals"},
    "surveys.satisfaction": {
        "_checks",
        "_frames",
        "errors",
        "surveys._responses",
        "surveys._rules",
        "surveys._satisfaction",
        "surveys._scored",
        "surveys._tally",
    },
    "surveys.trends": LOWER
    | {
        "surveys._metrics",
        "surveys._responses",
        "surveys._scored",
        "surveys._series",
        "surveys._tally",
    },
    "surveys.control": LOWER
    | {
        "surveys._control",
        "surveys._metrics",
        "surveys._responses",
        "surveys._scored",
        "surveys._series",
        "surveys._tally",
    },
    "surveys.weighting": LOWER | {"surveys._margins", "surveys._raking", "surveys._weighing"},
    # At the edge: nothing imports them.
    "datasets._cdnow": {"errors"},
    "datasets._edges": {"errors", "_checks", "_calendar"},
    "datasets._made_events": {"errors", "_checks", "_calendar", "datasets._edges"},
    "datasets._simulated": set(),
    "datasets._made_subscriptions": {"errors", "_checks", "datasets._edges"}
    | {"datasets._simulated"},
    "datasets._made_survey": {"errors", "_checks", "_calendar", "datasets._edges"},
    "datasets": {"datasets._cdnow", "datasets._made_events", "datasets._made_subscriptions"}
    | {"datasets._made_survey"},
    "plot._pictures": {"errors", "_checks", "_frames"},
    "plot._heatmap": {"errors", "_checks", "plot._pictures"},
    "plot._retention": {"errors", "_checks", "plot._pictures", "plot._heatmap"},
    "plot._frequency_recency": {"errors", "_checks", "_calendar", "plot._pictures"}
    | {"plot._heatmap", "clv._durations", "clv.counting"},
    "plot._value": {"errors", "_messages", "_checks", "_frames", "plot._pictures", "plot._heatmap"},
    "plot._history": LOWER
    | {"clv._durations", "clv.counting", "plot._pictures", "plot._heatmap"}
    | {"plot._frequency_recency", "plot._value"},
    "plot._checking": {"errors", "_checks", "_frames", "plot._pictures", "plot._heatmap"}
    | {"plot._value"},
    "plot._periods": {"errors", "_calendar", "_frames", "plot._pictures"},
    "plot._waterfall": {"errors", "plot._pictures", "plot._heatmap", "plot._value"}
    | {"plot._periods"},
    "plot._survivors": {"_checks", "plot._pictures", "plot._heatmap", "plot._value"},
    "plot._growth": {"_checks", "plot._pictures", "plot._heatmap", "plot._value", "plot._periods"},
    "plot._projection": {
        "errors",
        "_codes",
        "_frames",
        "plot._pictures",
        "plot._heatmap",
        "plot._value",
    },
    "plot._drivers": {"errors", "plot._heatmap", "plot._pictures", "plot._value"},
    "plot._scores": {
        "_calendar",
        "_frames",
        "errors",
        "plot._heatmap",
        "plot._pictures",
        "plot._value",
    },
    "plot._survey": {
        "_messages",
        "errors",
        "plot._heatmap",
        "plot._pictures",
        "plot._scores",
        "plot._value",
    },
    "plot._trend": {
        "_frames",
        "plot._heatmap",
        "plot._periods",
        "plot._pictures",
        "plot._scores",
        "plot._value",
    },
    "plot._control": {
        "plot._checking",
        "plot._heatmap",
        "plot._periods",
        "plot._pictures",
        "plot._scores",
        "plot._value",
    },
    "plot": {
        "plot._survey",
        "plot._trend",
        "plot._control",
        "plot._drivers",
        "plot._projection",
        "plot._retention",
        "plot._frequency_recency",
        "plot._value",
        "plot._history",
    }
    | {"plot._checking", "plot._waterfall", "plot._survivors", "plot._growth"},
    "__init__": {
        "surveys.comparing",
        "surveys.control",
        "surveys.drivers",
        "surveys.invitations",
        "surveys.market_fit",
        "surveys.nps",
        "surveys.outcomes",
        "surveys.planning",
        "surveys.satisfaction",
        "surveys.trends",
        "surveys.weighting",
        "churn",
        "growth",
        "inactivity",
        "projection",
        "revenue",
        "survival",
        "errors",
        "clv.checking",
        "clv.holdout",
        "clv.counting",
        "clv.spend",
        "clv.value",
        "cohorts",
        "curves",
    }
    | {"purchases", "datasets", "plot"},
}


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


def test_the_arrows_cover_every_module_and_point_upwards() -> None:
    assert ARROWS.keys() == SOURCES.keys()
    seen: set[str] = set()
    for name, allowed in ARROWS.items():
        assert allowed <= seen, f"{name} stands above something that it may import"
        seen.add(name)


@pytest.mark.parametrize("name", ARROWS)
def test_a_module_imports_only_what_stands_above_it(name: str) -> None:
    assert own(imports(TREES[name])) <= ARROWS[name]


STANDARD = set(sys.stdlib_module_names)
AT_IMPORT = {name: {"numpy"} for name in ARROWS} | {
    # They are loaded when a model is used.
    **{f"clv.{name}": {"numpy", "scipy"} for name in ("_special", "_bg_nbd", "_gamma_gamma")},
    "clv._maximum": {"numpy", "scipy"},
    **{
        f"clv.{name}": {"numpy", "narwhals"}
        for name in ("_tables", "_occasions", "_valuation", "spend")
    },
    "clv.value": {"narwhals"},
    **{f"plot.{name}": {"numpy", "narwhals"} for name in ("_value", "_history", "_checking")},
    **{
        f"surveys.{name}": {"numpy", "narwhals"}
        for name in (
            "_afterwards",
            "_driver_rows",
            "_invitations",
            "_repeats",
            "_responses",
            "_series",
            "_tally",
            "_weighing",
            "market_fit",
            "nps",
        )
    },
    "errors": set(),
    "_messages": set(),
    "_checks": set(),
    "__init__": set(),
    "_events": {"narwhals"},
    "_frames": {"numpy", "narwhals"},
    "_codes": {"numpy"},
    "_calendar": {"numpy", "narwhals"},
    "_cohort_plan": {"numpy", "narwhals"},
    "cohorts": {"numpy", "narwhals"},
    "_purchase_query": set(),
    "_purchase_plan": {"narwhals"},
    "_purchases": {"numpy", "narwhals"},
    "_subscription_money": {"narwhals"},
    "_subscriptions": {"narwhals"},
    "_spans": {"numpy", "narwhals"},
    "_tenures": {"numpy", "narwhals"},
    "_visit_plan": {"numpy", "narwhals"},
    "_visits": {"narwhals"},
    "_survivors": {"numpy", "narwhals"},
    "revenue._book": {"numpy", "narwhals"},
    "purchases": set(),
    "_intervals": {"numpy", "scipy"},
    "_averages": {"numpy", "scipy"},
}


@pytest.mark.parametrize("name", ARROWS)
def test_a_module_loads_no_library_but_its_own(name: str) -> None:
    # pandas, matplotlib and lifetimes are loaded where they are used, in functions.
    loaded = {module.split(".")[0] for module in at_import(TREES[name])}
    assert loaded - STANDARD - {"retainkit"} <= AT_IMPORT[name]


def names_in(tree: ast.AST) -> set[str]:
    """Give every name and attribute that occurs, imported ones included."""
    names = {one.attr for one in ast.walk(tree) if isinstance(one, ast.Attribute)}
    names |= {one.id for one in ast.walk(tree) if isinstance(one, ast.Name)}
    for one in ast.walk(tree):
        if isinstance(one, (ast.Import, ast.ImportFrom)):
            names |= {alias.name for alias in one.names}
    return names


DOOR = {"from_native", "to_native", "new_series", "narwhalify", "get_native_namespace"}
DOOR |= {"from_dict", "from_dicts", "from_arrow", "from_numpy", "to_pandas", "to_polars"}
DOOR |= {"to_arrow", "implementation", "Implementation", "dependencies", "maybe_reset_index"}


@pytest.mark.parametrize("name", sorted(ARROWS.keys() - {"_frames"}))
def test_only_the_door_knows_kinds_of_frames(name: str) -> None:
    assert names_in(TREES[name]) & DOOR == set()
    if "narwhals" in SOURCES[name]:
        used = {module for module in imports(TREES[name]) if module.startswith("narwhals")}
        assert used <= {"narwhals.stable.v2", "narwhals.stable.v2.typing"}


@pytest.mark.parametrize("name", sorted(ARROWS.keys() - {"_calendar", "_lengths"}))
def test_only_the_calendar_does_date_arithmetic(name: str) -> None:
    forbidden = {"timedelta", "timedelta64", "ZoneInfo", "zoneinfo", "toordinal", "fromordinal"}
    forbidden |= {"DateOffset", "relativedelta", "to_period", "truncate", "offset_by", "weekday"}
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


@pytest.mark.parametrize("name", ARROWS)
def test_nothing_reads_the_clock_or_changes_a_setting(name: str) -> None:
    nodes = list(ast.walk(TREES[name]))
    assert {one.attr for one in nodes if isinstance(one, ast.Attribute)} & METHODS == set()
    assert {one.id for one in nodes if isinstance(one, ast.Name)} & CALLS == set()
    assert set(imports(TREES[name])) & {"time", "random", "logging", "socket", "urllib"} == set()
    # The functions of numpy.random share a state; a generator does not.
    assert re.findall(r"np\.random\.(?!default_rng|Generator)\w+", SOURCES[name]) == []


# --- sizes ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ARROWS)
def test_a_module_is_short(name: str) -> None:
    assert len(SOURCES[name].splitlines()) <= 450


@pytest.mark.parametrize("name", ARROWS)
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


EVERYTHING = (
    "from retainkit import *; from retainkit.plot import *; from retainkit.datasets import *"
)


def probe(first: str = "", statement: str = EVERYTHING) -> dict[str, Any]:
    """Import retainkit in a new interpreter, `first` something else, and tell what happened."""
    command = [sys.executable, "-B", "-c", PROBE.format(first=first, statement=statement)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_importing_retainkit_loads_numpy_and_narwhals_and_nothing_else() -> None:
    # The contract names lifetimes, matplotlib, polars, duckdb and pyspark; pandas and SciPy
    # would take longer than all the rest.
    found = probe()
    new = {name for name in found["new"] if name[0] != "_"}  # such as _sysconfigdata_…
    assert new - STANDARD == {"retainkit"}
    absent = {"pandas", "scipy", "lifetimes", "matplotlib", "polars", "duckdb", "pyspark"}
    assert set(found["modules"]) & (absent | {"pyarrow", "autograd", "dill"}) == set()


def test_importing_the_package_alone_loads_none_of_its_modules() -> None:
    code = "import sys, retainkit; print(sorted({*sys.modules} & {'numpy', 'narwhals', 'typing'}))"
    code += "; print([name for name in sys.modules if name.startswith('retainkit.')])"
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.split("\n")[:2] == ["['typing']", "[]"]


def test_each_public_name_is_where_type_checkers_look_for_it() -> None:
    (block,) = (one for one in TREES["__init__"].body if "if TYPE_CHECKING" in ast.unparse(one))
    found = {
        alias.name: str(one.module)
        for one in ast.walk(block)
        if isinstance(one, ast.ImportFrom)
        for alias in one.names
    }
    assert {*found, "__version__"} == {*retainkit.__all__}
    for name, home in found.items():
        whole = importlib.import_module(f"retainkit.{name}" if home == "retainkit" else home)
        own = whole if home == "retainkit" else getattr(whole, name)
        assert getattr(retainkit, name) is own
    with pytest.raises(AttributeError, match="module 'retainkit' has no attribute 'npss'"):
        _ = retainkit.npss  # type: ignore[attr-defined]


@pytest.mark.parametrize("first", ["", "import pandas"])
def test_importing_retainkit_changes_nothing(first: str) -> None:
    assert probe(first)["changed"] == []


def test_importing_retainkit_reads_no_file_but_python_code() -> None:
    # Of its own, or of the standard library. Neither sockets nor other processes.
    for event, path, mode in probe()["events"]:
        assert (event, mode) in {("open", "r"), ("open", "rb")}
        assert Path(path).suffix in {".py", ".pyc", ".so", ".pyd"}, path


# --- names ---------------------------------------------------------------------------------

PUBLIC = [name for name in ARROWS if "_" not in {part[0] for part in name.split(".")}]
PUBLIC = [name for name in PUBLIC if name not in {"clv", "surveys"}]  # export nothing themselves


def module(name: str) -> ModuleType:
    return importlib.import_module("retainkit" if name == "__init__" else f"retainkit.{name}")


@pytest.mark.parametrize("name", [*PUBLIC, "__init__"])
def test_all_is_sorted_and_true(name: str) -> None:
    exported = module(name).__all__
    # In the order of the linter: acronyms, other classes, the rest.
    order = sorted(exported, key=lambda one: (not one.isupper(), not one[0].isupper(), one))
    assert list(exported) == order
    assert len(set(exported)) == len(exported)
    for one in exported:
        assert hasattr(module(name), one)


@pytest.mark.parametrize("name", PUBLIC)
def test_all_names_every_function_and_class_of_the_module(name: str) -> None:
    defined = {
        key
        for key, value in vars(module(name)).items()
        if not key.startswith("_")
        and getattr(value, "__module__", "").startswith(f"retainkit.{name}")
    }
    public = {key for key in module(name).__all__ if callable(getattr(module(name), key))}
    assert defined <= public
    # What else it exports is of a private module, where there is no room for all of it in one.
    for key in public - defined:
        assert getattr(module(name), key).__module__.rpartition(".")[2].startswith("_")


def test_the_package_shows_what_it_exports_and_nothing_else() -> None:
    assert set(dir(retainkit)) == set(retainkit.__all__)
    seen = {name for name in vars(retainkit) if not name.startswith("_")}
    # The modules that the functions live in can be seen, but need not be.
    modules = {"churn", "clv", "cohorts", "curves", "growth", "inactivity", "purchases"}
    modules |= {"projection", "revenue", "surveys", "survival"}
    needed = {"TYPE_CHECKING", "import_module"}
    assert seen - modules - needed <= set(retainkit.__all__)


@pytest.mark.parametrize(
    "name", [name for name in PUBLIC if name not in {"datasets", "errors", "plot"}]
)
def test_metrics_are_exported_flat(name: str) -> None:
    for one in module(name).__all__:
        assert getattr(retainkit, one) is getattr(module(name), one)


def test_the_version_is_that_of_the_distribution() -> None:
    assert retainkit.__version__ == metadata.version("retainkit")


def test_the_package_says_that_it_is_typed() -> None:
    assert (resources.files("retainkit") / "py.typed").is_file()


# --- public functions --------------------------------------------------------------------------

FUNCTIONS: dict[str, Callable[..., Any]] = {
    f"{name}.{key}": value
    for name in PUBLIC
    for key, value in vars(module(name)).items()
    if key in module(name).__all__ and inspect.isfunction(value)
}
FRAMES = [name for name in FUNCTIONS if not name.startswith("datasets.")]
# Those whose numbers come from a paper.
SOURCED = ["cohorts.cohort_retention", "curves.retention_curve", "datasets.load_cdnow"]
SOURCED += ["purchases.rfm_summary", "purchases.calibration_holdout"]
SOURCED += ["clv.counting.fit_bg_nbd", "clv.counting.fit_mbg_nbd", "clv.spend.fit_gamma_gamma"]
SOURCED += ["clv.value.cltv_from_models", "clv.value.cltv"]
SOURCED += ["clv.checking.spend_independence", "clv.checking.purchase_regularity"]
SOURCED += ["clv.holdout.tracking", "clv.holdout.holdout_report"]
SOURCED += ["growth.growth_accounting", "growth.active_days", "churn.churn_rate"]
SOURCED += ["inactivity.inactivity_churn", "inactivity.usage_interval"]
SOURCED += [f"survival.{key}" for key in ("expected_lifetime", "median_lifetime", "survival_curve")]
SOURCED += ["revenue.revenue_retention", "projection.fit_sbg", "projection.fit_bdw"]
SOURCED += ["plot.frequency_recency", "plot.customer_history"]
SOURCED += ["surveys.nps.nps", "surveys.comparing.nps_difference", "surveys.control.control_chart"]
SOURCED += ["surveys.satisfaction.csat", "surveys.satisfaction.ces", "surveys.market_fit.pmf"]
SOURCED += ["surveys.weighting.rake", "surveys.weighting.poststratify"]
SOURCED += ["surveys.drivers.key_drivers", "surveys.outcomes.score_outcomes"]
SOURCED += ["surveys.invitations.response_rate", "surveys.planning.survey_sample_size"]
SOURCED += ["surveys.planning.survey_detectable_difference"]
SECTIONS = ["Parameters", "Returns", "Raises", "Warns", "See Also", "Notes", "References"]
SECTIONS += ["Examples"]

# How many arguments are positional, where it is not the frame alone.
POSITIONAL = {"datasets.load_cdnow": 0, "clv.value.cltv_from_models": 3}
POSITIONAL |= {"plot.customer_history": 2, "clv.holdout.tracking": 2}
POSITIONAL |= {"surveys.planning.survey_sample_size": 0, "surveys.outcomes.score_outcomes": 2}
POSITIONAL |= {"surveys.weighting.rake": 2, "surveys.weighting.poststratify": 2}
MODEL_FIRST = {"plot.frequency_recency", "clv.holdout.tracking", "projection.annualize_rate"}
MODEL_FIRST |= {
    f"surveys.planning.survey_{key}" for key in ("sample_size", "detectable_difference")
}

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
    assert set(FUNCTIONS) >= {*SOURCED, "curves.retention_matrix", "plot.retention_heatmap"}


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
        "purchases.rfm_summary": list(retainkit.rfm_summary(events, amount="amount"))[1:],
        "purchases.calibration_holdout": list(retainkit.calibration_holdout(events, **split))[1:],
        "cohorts.cohort_retention": list(table),
        "curves.retention_curve": list(retainkit.retention_curve(table)),
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


# --- the documents -------------------------------------------------------------------------------


def layout() -> str:
    """Give the chapter of CONTRIBUTING.md on the layout of the code."""
    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    lines = text.partition("## How the code is laid out")[2].splitlines()
    return "\n".join(takewhile(lambda line: not line.startswith("## "), lines))


PACKAGES = {name.partition(".")[0] for name in SOURCES if "." in name}


def named_modules() -> list[str]:
    """Give the modules that the layout names, in its order; `a/_b` is in the package `a`."""
    names = [name.replace("/", ".") for name in re.findall(r"`([\w/]+)`", layout())]
    leaves = {name.rpartition(".")[2]: name for name in SOURCES}
    return [name if name in SOURCES else leaves.get(name, name) for name in names]


def test_contributing_names_every_module() -> None:
    assert SOURCES.keys() - set(named_modules()) == {"__init__"}


def test_contributing_lists_modules_below_what_they_import() -> None:
    order = [name for name in named_modules() if name in SOURCES]
    for name in order:
        below = set(order[order.index(name) + 1 :]) - set(order[: order.index(name) + 1])
        assert own(imports(TREES[name])) & below == set(), name
