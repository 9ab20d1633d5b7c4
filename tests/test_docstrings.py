"""Docstrings as a contract: sections, parameters, choices, columns, examples, references."""

import ast
import inspect
import re
import warnings
from doctest import DocTestParser
from itertools import takewhile
from pathlib import Path

import pandas as pd
import pytest

import retainkit
from call_graph import callers
from registry import REGISTRY
from source import FUNCTIONS, METHODS

# Those whose numbers come from a paper.
SOURCED = {
    *("active_days", "calibration_holdout", "ces", "churn_rate"),
    *("churn_rate_from_counts", "churn_snapshots", "cltv", "customer_view"),
    *("cltv_from_models", "cltv_total", "cohort_retention", "control_chart", "csat"),
    *("cumulative_incidence", "survival_difference"),
    *("datasets.load_cdnow", "expected_lifetime", "fit_bdw", "fit_bg_nbd"),
    *("fit_gamma_gamma", "fit_mbg_nbd", "fit_pareto_nbd", "fit_sbg", "growth_accounting"),
    *(
        "holdout_bucket",
        "holdout_report",
        "inactivity_churn",
        "key_drivers",
        "median_lifetime",
        "nps",
    ),
    *("nps_difference", "plot.customer_history", "plot.frequency_counts", "plot.frequency_recency"),
    *("fit_churn_risk", "lift_table", "pmf", "score_report"),
    *("holdout_report", "inactivity_churn", "key_drivers", "median_lifetime", "next_purchase"),
    "nps",
    *(
        "nps_difference",
        "plot.customer_history",
        "plot.next_purchase",
        "plot.frequency_counts",
        "plot.frequency_recency",
    ),
    *("pmf",),
    *("poststratify", "product_affinity", "purchase_regularity", "rake", "response_rate"),
    *("rate_difference", "retention_curve", "revenue_retention", "rfm_summary", "score_outcomes"),
    *("observed_value", "payback", "rfm_cuts", "rfm_scores", "value_concentration"),
    *("segment_migration",),
    *("spend_independence", "survey_detectable_difference", "survey_sample_size"),
    *("survival_curve", "tracking", "usage_interval", "warning_signs"),
}
SECTIONS = ["Parameters", "Returns", "Raises", "Warns", "See Also", "Notes", "References"]
SECTIONS += ["Examples"]

# Those whose first argument is no frame.
OF_NUMBERS = {
    "annualize_rate",
    "new_customer_value",
    "plot.frequency_counts",
    "plot.frequency_recency",
    "tracking",
}
OF_NUMBERS |= {"new_customer_value", "segment_rules", "snapshot_dates"}
OF_NUMBERS |= {"survey_detectable_difference", "survey_sample_size"}
OF_NUMBERS |= {"snapshot_dates", "survey_detectable_difference", "survey_sample_size"}
OF_NUMBERS |= {"holdout_bucket"}
FRAMES = sorted(
    name for name in FUNCTIONS if not name.startswith("datasets.") and name not in OF_NUMBERS
)

DOCUMENTED = FUNCTIONS | METHODS
# Exceptions are not made by callers.
CLASSES = [
    name
    for name in retainkit.__all__
    if inspect.isclass(kind := getattr(retainkit, name)) and not issubclass(kind, Exception)
]
each_function = pytest.mark.parametrize("name", FUNCTIONS)
each_method = pytest.mark.parametrize("name", METHODS)


def sections(name: str) -> dict[str, list[str]]:
    """Return the lines of each section of a docstring, and of what comes before it under ""."""
    lines = inspect.cleandoc(str(DOCUMENTED[name].__doc__)).splitlines()
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
    """Return the parameters that a docstring describes, and what it says of their type."""
    heads = [line for line in sections(name).get("Parameters", []) if line and line[0] != " "]
    pairs = [line.partition(" : ") for line in heads]
    return {one: kind for names, _, kind in pairs for one in names.split(", ")}


def test_there_are_public_functions() -> None:
    assert set(FUNCTIONS) >= {*SOURCED, "retention_matrix", "plot.retention_heatmap"}


@each_function
def test_every_argument_and_the_result_have_a_type(name: str) -> None:
    signature = inspect.signature(FUNCTIONS[name])
    assert all(one.annotation is not one.empty for one in signature.parameters.values())
    assert signature.return_annotation is not inspect.Signature.empty


@pytest.mark.parametrize("name", FRAMES)
def test_the_frame_comes_first(name: str) -> None:
    first = next(iter(inspect.signature(FUNCTIONS[name]).parameters.values()))
    frames = {"events", "orders", "table", "curve", "transactions", "summary", "subscriptions"}
    frames |= {"before", "candidates", "rules", "scored", "scores", "snapshots", "view"}
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
    assert {"Returns", "Examples"} <= set(found)
    # What takes nothing has nothing to refuse.
    takes = bool(inspect.signature(FUNCTIONS[name]).parameters)
    assert {"Parameters", "Raises"} & set(found) == ({"Parameters", "Raises"} if takes else set())
    assert ("References" in found) == (name in SOURCED)
    for title in found:
        assert any(sections(name)[title]), f"{title} is empty"


def first_example(name: str) -> list[str]:
    """Return the lines right below the summary, up to the next blank one."""
    _, _, *lines = sections(name)[""]
    return list(takewhile(bool, lines))


@each_function
def test_an_example_stands_right_below_the_summary(name: str) -> None:
    example = first_example(name)
    code = [line for line in example if line.startswith((">>> ", "... "))]
    assert example[: len(code)] == code != []
    assert [line for line in code if line.startswith(">>> from retainkit import")]
    assert len(code) <= 4, "it is not short"
    assert len(example) <= 10, "its result is not short"
    assert example != code or name.startswith("plot."), "it shows no result"


def statements(lines: list[str]) -> set[str]:
    """Return what the statements of an example compute, imports and names of results left out."""
    examples = DocTestParser().get_examples("\n".join(lines) + "\n")
    nodes = [node for one in examples for node in ast.parse(one.source).body]
    values = [node.value for node in nodes if isinstance(node, (ast.Assign, ast.Expr))]
    return {ast.unparse(value).replace("datasets.", "") for value in values}


@each_function
def test_a_function_is_not_shown_twice_by_the_same_example(name: str) -> None:
    short = name.rpartition(".")[2]
    found = [statements(first_example(name)), statements(sections(name)["Examples"])]
    assert not [one for one in found[0] & found[1] if f"{short}(" in one]


@pytest.mark.parametrize("name", CLASSES)
def test_a_class_has_an_example(name: str) -> None:
    text = inspect.cleandoc(str(getattr(retainkit, name).__doc__))
    assert "Examples\n--------\n" in text


@each_method
def test_a_method_has_its_sections_and_parameters_in_order(name: str) -> None:
    found = [title for title in sections(name) if title]
    assert found == [title for title in SECTIONS if title in found]
    assert {"Returns", "Examples"} <= set(found)
    for title in found:
        assert any(sections(name)[title]), f"{title} is empty"
    assert list(documented(name)) == list(inspect.signature(METHODS[name]).parameters)[1:]


@pytest.mark.parametrize("name", DOCUMENTED)
def test_what_warns_says_so(name: str) -> None:
    function = DOCUMENTED[name]
    place = function.__module__.removeprefix("retainkit."), function.__qualname__
    assert ("Warns" in sections(name)) == (place in callers(("_messages", "warn")))


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


@pytest.mark.parametrize("name", DOCUMENTED)
def test_a_parameter_is_explained_where_it_stands(name: str) -> None:
    text = " ".join(" ".join(sections(name).get("Parameters", [])).split())
    assert re.findall(r"\b(?:as in|[Ss]ee) `\w+`", text) == []


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


# Those that give back the columns of their first table beside their own.
CARRYING = {"apply_contact_policy"}


def columns_of(name: str) -> list[str]:
    """Return the columns of a result that are not the caller's own."""
    entry = REGISTRY[name]
    tables = {argument: pd.DataFrame(rows) for argument, rows in entry.tables.items()}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", retainkit.RetainkitWarning)
        result = entry.function(**tables, **entry.options)
    own = {*entry.ids, "team", "plan", "channel", "product", "why", "cohort" if entry.wide else ""}
    own |= {*entry.options.get("levels", ())}
    if name == "assign_segments":  # which gives the table back
        own |= {*tables["table"].columns}
    own |= {*next(iter(tables.values())).columns} if name in CARRYING else set()
    return [one for one in result.columns if one not in own and not one.isdigit()]


# `nps_from_counts` says that its columns are those of `nps`, and is left to its own tests.
WITH_COLUMNS = [
    name
    for name, one in REGISTRY.items()
    if one.tables and one.result != "value" and name in FUNCTIONS and name != "nps_from_counts"
]


def is_described(column: str, text: str) -> bool:
    """Return whether a column is listed, alone or with others, and then a type in brackets."""
    listed = rf"``{column}``(?:, ``\w+``)*"
    return bool(re.search(rf"{listed} \((?:\w|\[|\])+[);]|{listed}: .*, of the type of `", text))


@pytest.mark.parametrize("name", WITH_COLUMNS)
def test_every_column_of_the_result_is_documented_with_its_type(name: str) -> None:
    text = " ".join(" ".join(sections(name)["Returns"]).split())
    assert [column for column in columns_of(name) if not is_described(column, text)] == []


@pytest.mark.parametrize("name", ["load_cdnow", "make_events", "make_subscriptions"])
def test_every_column_of_a_data_set_is_documented_with_its_type(name: str) -> None:
    text = " ".join(" ".join(sections(f"datasets.{name}")["Returns"]).split())
    make = getattr(retainkit.datasets, name)
    table = make(sample=True) if name == "load_cdnow" else make(3, seed=1)
    assert [column for column in table if not is_described(column, text)] == []


def test_every_public_name_is_in_the_reference() -> None:
    text = (Path(__file__).parents[1] / "docs" / "reference" / "index.md").read_text("utf-8")
    listed = {line.strip() for line in text.splitlines()}
    apart = {"__version__", "RetainkitError", "RetainkitWarning", "datasets", "errors", "plot"}
    for name in sorted({*retainkit.__all__} - apart):
        assert name in listed, name
