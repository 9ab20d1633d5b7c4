"""What an import does, in a fresh interpreter, and which names it gives."""

import ast
import json
import subprocess
import sys
from importlib import metadata, resources
from pathlib import Path
from typing import Any, get_args

import pytest

import retainkit
from retainkit import _suggestions, typing
from source import PUBLIC, SOURCES, TREES, module

STANDARD = set(sys.stdlib_module_names)


# --- what an import does -----------------------------------------------------------------------

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


@pytest.mark.slow
@pytest.mark.parametrize("first", ["", "import pandas"])
def test_importing_retainkit_changes_nothing(first: str) -> None:
    assert probe(first)["changed"] == []


@pytest.mark.slow
def test_importing_retainkit_reads_no_file_but_python_code() -> None:
    # Of its own, or of the standard library. Neither sockets nor other processes.
    for event, path, mode in probe()["events"]:
        assert (event, mode) in {("open", "r"), ("open", "rb")}
        assert Path(path).suffix in {".py", ".pyc", ".so", ".pyd"}, path


# --- names -------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("name", ["clv", "retention", "surveys", "plot"])
def test_the_name_of_a_subject_is_its_package_always(name: str) -> None:
    code = f"import retainkit as rk; print(rk.{name}.__name__); rk.cltv; print(rk.{name}.__name__)"
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == [f"retainkit.{name}"] * 2


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


@pytest.mark.parametrize(
    ("asked", "meant"),
    [
        ("ltv", "cltv"),
        ("rfm", "rfm_summary"),
        ("arpu", "revenue_cohorts"),
        ("retention_rate", "cohort_retention"),
        ("nrr", "revenue_retention"),
        ("kaplan_meier", "survival_curve"),
        ("BetaGeoFitter", "fit_bg_nbd"),
        ("churn_rates", "churn_rate"),
        ("csat_difference", "csat"),
        ("ces_difference", "ces"),
        ("pmf_difference", "pmf"),
        ("churn_difference", "rate_difference"),
        ("log_rank", "survival_difference"),
        ("cohort", "cohort_retention"),
        ("retention_heatmap", "plot.retention_heatmap"),
    ],
)
def test_a_name_that_there_is_not_suggests_one(asked: str, meant: str) -> None:
    with pytest.raises(
        AttributeError, match=rf"no attribute '{asked}'\. Did you mean '{meant}'\?$"
    ):
        getattr(retainkit, asked)


def test_pictures_suggest_names_too() -> None:
    for asked, meant in (("heatmap", "retention_heatmap"), ("waterfall", "mrr_waterfall")):
        with pytest.raises(AttributeError, match=rf"Did you mean '{meant}'\?$"):
            getattr(retainkit.plot, asked)


def test_what_is_suggested_exists() -> None:
    names = {*retainkit.__all__, *retainkit.plot.__all__}
    assert {*_suggestions._NAMES.values()} <= names
    # A name that exists needs no suggestion.
    assert not {*_suggestions._NAMES} & ({*retainkit.__all__} | {*retainkit._EXPORTS})
    words = {word for one in vars(typing).values() for word in get_args(one)}
    assert {*_suggestions._WORDS.values()} - {"hour"} <= words


def test_nothing_is_suggested_where_nothing_is_near() -> None:
    for asked in ("xyz", "__wrapped__", "_repr_html_"):
        with pytest.raises(AttributeError, match=rf"'retainkit' has no attribute '{asked}'\.?$"):
            getattr(retainkit, asked)


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
    assert seen - {"RLock", "TYPE_CHECKING", "import_module"} <= set(dir(retainkit))


def test_the_version_is_that_of_the_distribution() -> None:
    assert retainkit.__version__ == metadata.version("retainkit")


def test_the_version_to_cite_is_this_one() -> None:
    lines = (Path(__file__).parents[1] / "CITATION.cff").read_text("utf-8").splitlines()
    assert f"version: {retainkit.__version__}" in lines


def test_the_package_says_that_it_is_typed() -> None:
    assert (resources.files("retainkit") / "py.typed").is_file()
