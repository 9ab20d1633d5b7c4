"""Codes and facts of errors and warnings: one list of codes, and every fault names one of it."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from retainkit import errors
from source import TREES

# What is raised, and needs a code: errors of a type have one by their class.
CODED = {"ArgumentError", "warn"}
FAULTS = CODED | {"ArgumentTypeError", "ColumnTypeError"}
# Scalars out of their bounds: all that is to say is which argument it is.
BY_DEFAULT = {"_checks"}
# Codes that a list beside their text holds.
LISTED = {"contracts", "dependent_spend", "extrapolation", "no_intervals"}
LISTED |= {"empty_subscriptions", "ends_after_as_of"}
# Rows that a result would have: they are part of nothing.
OF_NOTHING = {"too_many_rows"}
REFERENCE = Path(__file__).parents[1] / "docs" / "reference" / "index.md"


def calls() -> Iterator[tuple[str, ast.Call]]:
    """Return every call, with the module that makes it."""
    for name, tree in TREES.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                yield name, node


def faults() -> Iterator[tuple[str, ast.Call, dict[str | None, ast.expr]]]:
    """Return every error and warning of the source, its place, and what it is given by name."""
    for name, call in calls():
        if isinstance(call.func, ast.Name) and call.func.id in FAULTS:
            given = {one.arg: one.value for one in call.keywords}
            yield f"{name}:{call.lineno}", call, given


def words(node: ast.AST) -> set[str]:
    """Return the texts in an expression, but for those that are compared."""
    return {
        one.value
        for one in ast.walk(node)
        if isinstance(one, ast.Constant) and isinstance(one.value, str)
    }


def used() -> set[str]:
    """Return the codes in the source, those of classes too."""
    written = {
        word
        for _, call in calls()
        for one in call.keywords
        if one.arg == "code"
        for word in words(one.value)
    }
    own = {getattr(errors, name) for name in errors.__all__ if name != "CODES"}
    return written | LISTED | {one.default_code for one in own} - {""}


def test_every_code_is_in_the_list_and_the_list_holds_no_other() -> None:
    assert used() - errors.CODES.keys() == set(), "give them a line in errors.CODES"
    assert errors.CODES.keys() - used() == set()
    assert all(re.fullmatch("[a-z0-9_]+", code) for code in errors.CODES)
    assert all(text[0].isupper() and text.endswith((".", "?")) for text in errors.CODES.values())


def test_every_error_and_warning_names_its_kind() -> None:
    assert not [
        place
        for place, call, given in faults()
        if isinstance(call.func, ast.Name)
        and call.func.id in CODED
        and "code" not in given
        and place.partition(":")[0] not in BY_DEFAULT
    ]


def test_every_error_and_warning_names_the_argument() -> None:
    # Facts that several share are handed over together.
    assert not [place for place, _, given in faults() if not {"argument", None} & given.keys()]


def test_what_is_counted_is_told_of_how_many() -> None:
    assert not [
        place
        for place, _, given in faults()
        if "rows" in given and "total" not in given and not words(given["code"]) & OF_NOTHING
    ]


def test_the_reference_lists_the_codes() -> None:
    table = REFERENCE.read_text("utf-8").partition("### Codes")[2]
    rows = dict(re.findall(r"^\| `([a-z0-9_]+)` \| (.*) \|$", table, re.MULTILINE))
    assert rows == dict(errors.CODES)
