"""What every public function promises, held for all of them by the entries of `registry.py`.

The input is left alone, the order of rows and the names of customers mean nothing, what comes back
is of the caller's kind and the same whatever holds the rows, no rows give the same columns, and
what is wrong is refused with the names of the argument and the column.
"""

import copy
import dataclasses
import inspect
import random
import re
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from typing import Any

import matplotlib as mpl
import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

import retainkit
from backends import BACKENDS, Backend, params
from registry import NEW_YEAR, OTHER_WAYS, PICTURES, REGISTRY, Column, Entry
from retainkit.errors import (
    ArgumentError,
    ArgumentTypeError,
    ColumnTypeError,
    MissingColumnError,
    RetainkitWarning,
)
from tables import Row, rows_of

NAMED = {one.name: one for one in BACKENDS}
PANDAS = NAMED["pandas"]
MODELS = (retainkit.BGNBD, retainkit.GammaGamma, retainkit.SBG, retainkit.BDW)

each_entry = pytest.mark.parametrize("name", REGISTRY)
WITH_TABLES = [name for name, entry in REGISTRY.items() if entry.tables]
# Both kinds of reducers; that all engines agree is a test of its own.
EAGER_AND_LAZY = [PANDAS, NAMED["polars-lazy"]]
COLUMNS = [(name, argument) for name, entry in REGISTRY.items() for argument in entry.columns]


def on(
    backends: Sequence[Backend], cases: Iterable[tuple[str, ...]], *arguments: str
) -> pytest.MarkDecorator:
    """Run a test for each case, of which the name of an entry comes first, on some backends.

    What takes the result of another function takes it in memory. In quick runs the first of
    several backends does, where not all of them are to be compared.
    """
    later = {True: [pytest.mark.slow], False: []}
    every = [
        pytest.param(
            backend,
            *case,
            id="-".join([backend.name, *case]),
            marks=[*kind.marks, *later[backends is not BACKENDS and backend is not backends[0]]],
        )
        for case in cases
        for backend, kind in zip(backends, params(backends), strict=True)
        if not (backend.lazy and REGISTRY[case[0]].eager)
    ]
    return pytest.mark.parametrize(("backend", "name", *arguments), every, indirect=["backend"])


def each(names: Iterable[str]) -> list[tuple[str]]:
    return [(name,) for name in names]


def call(entry: Entry, tables: Mapping[str, Any], /, **options: Any) -> Any:
    """Call a function; something may be set aside, and here that is expected."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RetainkitWarning)
        return entry.function(**tables, **entry.options | options)


def made(
    entry: Entry, backend: Backend, change: Callable[[list[Row]], list[Row]] = list
) -> dict[str, Any]:
    """Return the tables of an entry, their rows changed."""
    return {
        name: backend.make(change(rows), like=like(rows)) for name, rows in entry.tables.items()
    }


def like(rows: list[Row]) -> Row:
    """Return a row that shows columns and types."""
    return {name: next(row[name] for row in rows if row[name] is not None) for name in rows[0]}


def plain(result: Any, keys: tuple[str, ...] | None) -> Any:
    """Return a result as plain values: a list of rows, a dict of fields, or a number."""
    if isinstance(result, MODELS):
        # By which way a maximum was found is in the diagnostics.
        return {"parameters": result.parameters, "log_likelihood": result.log_likelihood}
    if dataclasses.is_dataclass(result):
        names = [one.name for one in dataclasses.fields(result) if one.name != "iterations"]
        return {name: plain(getattr(result, name), keys) for name in names}
    if is_frame(result):
        return in_order(rows_of(result), keys)
    if isinstance(result, tuple):
        return [plain(one, keys) for one in result]
    return result.tolist() if isinstance(result, np.ndarray) else result


def in_order(rows: list[Row], keys: tuple[str, ...] | None) -> list[Row]:
    own = [key for key in keys or () if rows and key in rows[0]]
    return sorted(rows, key=lambda row: [str(row[key]) for key in own])


def is_frame(result: Any) -> bool:
    return isinstance(nw.from_native(result, pass_through=True), (nw.DataFrame, nw.LazyFrame))


def frames_of(result: Any) -> list[Any]:
    """Return the frames of a result: itself, or its fields."""
    if is_frame(result):
        return [result]
    if dataclasses.is_dataclass(result):
        fields = [getattr(result, one.name) for one in dataclasses.fields(result)]
        return [one for one in fields if is_frame(one)]
    return []


def assert_close(have: Any, want: Any, place: str = "") -> None:
    """Compare plain values, floats to 1e-6."""
    if isinstance(want, dict):
        assert list(have) == list(want), place
        for name in want:
            assert_close(have[name], want[name], f"{place} {name}")
    elif isinstance(want, list):
        assert len(have) == len(want), place
        for i, (one, other) in enumerate(zip(have, want, strict=True)):
            assert_close(one, other, f"{place} {i}")
    elif isinstance(want, float) and have is not None:
        assert have == pytest.approx(want, rel=1e-6, abs=1e-9, nan_ok=True), place
    else:
        assert have == want, place


# --- the registry ----------------------------------------------------------------------------


def takes_a_table(method: Callable[..., Any]) -> bool:
    """Return whether the first argument, after the model itself, is a table that must be given."""
    first = [*inspect.signature(method).parameters.values()][1:2]
    return any(
        one.name in {"summary", "table", "view"} and one.default is one.empty for one in first
    )


def public_functions() -> set[str]:
    """Return the names of all functions, and of the methods of models that take a table."""
    names = {name for name in retainkit.__all__ if inspect.isfunction(getattr(retainkit, name))}
    for model in (retainkit.BGNBD, retainkit.ChurnRisk, retainkit.GammaGamma, retainkit.SBG):
        methods = inspect.getmembers(model, inspect.isfunction)
        public = ((name, one) for name, one in methods if not name.startswith("_"))
        names |= {f"{model.__name__}.{name}" for name, one in public if takes_a_table(one)}
    return names


def test_every_public_function_has_an_entry() -> None:
    assert public_functions() == REGISTRY.keys() - OTHER_WAYS.keys()


def parameters_of(entry: Entry) -> dict[str, inspect.Parameter]:
    return dict(inspect.signature(entry.function).parameters)


def described(entry: Entry) -> dict[str, tuple[str, str]]:
    """Return the type and the text of each parameter in a docstring."""
    text = inspect.cleandoc(str(entry.function.__doc__))
    body = re.split(r"\n\w[\w ]*\n-{3,}\n", text.partition("Parameters\n----------\n")[2])[0]
    found = {}
    for part in re.split(r"\n(?=\w)", body):
        head, _, about = part.partition("\n")
        names, _, kind = head.partition(" : ")
        for name in names.split(", "):
            found[name] = (kind, " ".join(about.split()))
    return found


def test_every_argument_that_names_a_column_is_declared() -> None:
    for name in retainkit.__all__:
        if not inspect.isfunction(getattr(retainkit, name)):
            continue
        entries = [one for one in REGISTRY.values() if one.function is getattr(retainkit, name)]
        declared = {argument for entry in entries for argument in entry.columns}
        said = {
            argument
            for argument, (_, about) in described(entries[0]).items()
            if re.match(r"(Numeric c|C)olumns?\b", about)
        }
        assert said <= declared, name


@each_entry
def test_all_but_the_tables_is_named(name: str) -> None:
    entry = REGISTRY[name]
    kinds = [one.kind for one in parameters_of(entry).values()]
    first = [inspect.Parameter.POSITIONAL_OR_KEYWORD] * entry.positional
    assert kinds == first + [inspect.Parameter.KEYWORD_ONLY] * (len(kinds) - len(first))


# --- results -----------------------------------------------------------------------------------


@cache
def usual(name: str) -> Any:
    """Return the result of an entry in pandas, as plain values."""
    entry = REGISTRY[name]
    return plain(call(entry, made(entry, PANDAS)), entry.keys)


@pytest.mark.parametrize(
    "name",
    [name for name, one in REGISTRY.items() if not one.tables and one.result != "pandas"],
)
def test_what_takes_no_table_gives_numbers_or_times(name: str) -> None:
    found = np.asarray(usual(name))
    assert np.all(found > (NEW_YEAR if found.dtype == object else 0))


@on(BACKENDS, each(WITH_TABLES))
def test_every_engine_gives_the_same_of_its_own_kind(name: str, backend: Backend) -> None:
    entry = REGISTRY[name]
    tables = made(entry, backend)
    result = call(entry, tables)
    assert_close(plain(result, entry.keys), usual(name))
    given = nw.from_native(next(iter(tables.values())))
    stays = entry.result == "customers" or isinstance(result, retainkit.SurveyWeights)
    for frame in map(nw.from_native, frames_of(result)):
        if backend.lazy and stays:
            assert isinstance(frame, nw.LazyFrame)
            assert frame.implementation is given.implementation
        else:
            assert isinstance(frame, nw.DataFrame)
            own = PANDAS if entry.result == "pandas" else backend
            assert frame.implementation is own.result


@on([one for one in BACKENDS if not one.lazy], each(WITH_TABLES))
def test_the_input_is_left_alone(name: str, backend: Backend) -> None:
    entry = REGISTRY[name]
    tables = made(entry, backend)
    before = {name: (rows_of(one), nw.from_native(one).schema) for name, one in tables.items()}
    options = str(entry.options)
    call(entry, tables)
    assert before == {
        name: (rows_of(one), nw.from_native(one).schema) for name, one in tables.items()
    }
    assert str(entry.options) == options


@on(EAGER_AND_LAZY, each(WITH_TABLES))
def test_the_order_of_rows_and_their_index_mean_nothing(name: str, backend: Backend) -> None:
    entry = REGISTRY[name]

    def shuffled(rows: list[Row]) -> list[Row]:
        return random.Random(1).sample(rows, len(rows))  # noqa: S311

    tables = made(entry, backend, shuffled)
    if backend is PANDAS:
        tables = {key: one.set_axis([5] * len(one)) for key, one in tables.items()}
    result = call(entry, tables)
    assert_close(plain(result, entry.keys), usual(name))


@on(EAGER_AND_LAZY, each(name for name in WITH_TABLES if REGISTRY[name].ids))
def test_the_names_of_customers_mean_nothing(name: str, backend: Backend) -> None:
    entry = REGISTRY[name]

    def renamed(rows: list[Row]) -> list[Row]:
        return [
            row | {name: 1000 - 7 * row[name] for name in entry.ids if name in row} for row in rows
        ]

    def named_back(value: Any) -> Any:
        if isinstance(value, dict):
            return {
                name: (1000 - one) // 7 if name in entry.ids else named_back(one)
                for name, one in value.items()
            }
        if not isinstance(value, list):
            return value
        return in_order([*map(named_back, value)], entry.keys)

    result = named_back(plain(call(entry, made(entry, backend, renamed)), None))
    assert_close(result, usual(name))


@on(BACKENDS, each(WITH_TABLES))
def test_no_rows_give_the_same_columns(name: str, backend: Backend) -> None:
    entry = REGISTRY[name]
    tables = made(entry, backend)
    first = next(iter(tables))
    rows = entry.tables[first]
    empty = tables | {first: backend.make([], like=like(rows))}
    if entry.empty is not None:
        with pytest.raises(ArgumentError, match=entry.empty):
            call(entry, empty)
        return
    pairs = zip(frames_of(call(entry, empty)), frames_of(call(entry, tables)), strict=True)
    for none, some in pairs:
        have, want = (dict(nw.from_native(one).collect_schema()) for one in (none, some))
        assert have == ({name: want[name] for name in have} if entry.wide else want)
        # Without segments there is a row of what is undefined, or none; with a second table, what
        # that one has.
        assert "by" not in entry.options or "after" in tables or rows_of(none) == []


# --- what is refused ---------------------------------------------------------------------------

WRONG = {"time": "soon", "number": "many", "flag": "yes"}


def column_of(entry: Entry, argument: str) -> tuple[Column, str, str]:
    """Return what is declared of a column, its name, and the argument with its table."""
    column = entry.columns[argument]
    given = entry.options.get(argument, parameters_of(entry)[argument].default)
    name = given[0] if isinstance(given, list) else given
    if column.name is not None or not isinstance(name, str):
        name = column.name or argument
    return column, name, column.frame or next(iter(entry.tables))


def options_with(entry: Entry, argument: str) -> Row:
    """Return options that name the column of an argument, and what goes with it."""
    column, name, _ = column_of(entry, argument)
    given = entry.options.get(argument)
    return column.needs | {argument: given if isinstance(given, list) else name}


def changed(
    entry: Entry, backend: Backend, table: str, change: Callable[[Row], Row]
) -> dict[str, Any]:
    """Return the tables of an entry, the rows of one of them changed."""
    rows = [change(row) for row in entry.tables[table]]
    return made(entry, backend) | {table: backend.make(rows, like=like(rows))}


@on(EAGER_AND_LAZY, COLUMNS, "argument")
def test_a_missing_column_is_named(name: str, argument: str, backend: Backend) -> None:
    entry = REGISTRY[name]
    _, own, table = column_of(entry, argument)
    tables = changed(
        entry, backend, table, lambda row: {key: row[key] for key in row if key != own}
    )
    with pytest.raises(MissingColumnError) as caught:
        call(entry, tables, **options_with(entry, argument))
    assert f"`{argument}` needs the column {own!r}" in str(caught.value)
    facts = (caught.value.code, caught.value.argument, caught.value.column)
    assert facts == ("missing_column", argument, own)
    for other in entry.tables[table][0]:
        assert other == own or repr(other) in str(caught.value)


@on(
    EAGER_AND_LAZY,
    [one for one in COLUMNS if REGISTRY[one[0]].columns[one[1]].holds != "any"],
    "argument",
)
def test_a_column_of_the_wrong_type_is_named(name: str, argument: str, backend: Backend) -> None:
    entry = REGISTRY[name]
    column, own, table = column_of(entry, argument)
    tables = changed(entry, backend, table, lambda row: row | {own: WRONG[column.holds]})
    with pytest.raises(ColumnTypeError) as caught:
        call(entry, tables, **options_with(entry, argument))
    assert_named(str(caught.value), argument, own, table)
    assert (caught.value.argument, caught.value.column) in {(argument, own), (table, own)}


def assert_named(text: str, argument: str, column: str, table: str) -> None:
    assert re.match(
        rf"column {column!r} (of `{table}`|(of `{table}` )?\(given as `{argument}`\)) ", text
    )


@on(EAGER_AND_LAZY, COLUMNS, "argument")
def test_a_null_is_refused_left_out_or_kept(name: str, argument: str, backend: Backend) -> None:
    entry = REGISTRY[name]
    column, own, table = column_of(entry, argument)
    # All rows of every third customer, but for the first, which shows the types.
    key = next((one for one in entry.ids if one != own and one in entry.tables[table][0]), None)
    rows = [
        row | {own: None} if (row[key] if key else i) % 3 == 1 else row
        for i, row in enumerate(entry.tables[table])
    ]
    tables = made(entry, backend) | {table: backend.make(rows, like=like(rows))}
    options = options_with(entry, argument)
    if column.nulls == "kept":
        call(entry, tables, **options)
        return
    # In pandas whole numbers or flags with a null are of another type.
    with pytest.raises((ArgumentError, ColumnTypeError)) as caught:
        call(entry, tables, **options)
    assert_named(str(caught.value), argument, own, table)
    assert caught.value.argument in {argument, table}
    assert caught.value.code in {"null_values", "impossible_values", "column_type"}
    if column.nulls == "dropped" and caught.type is ArgumentError:
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            entry.function(**tables, **entry.options | options | {"missing": "drop"})
        holes = sum(row[own] is None for row in rows)
        assert any(re.search(rf"\b{holes}\b", str(one.message)) for one in told)


# --- warnings ----------------------------------------------------------------------------------


def said_to_warn() -> list[str]:
    """Return the entries of functions that say what they warn of."""
    return [
        name
        for name in WITH_TABLES
        if "\nWarns\n" in str(inspect.getdoc(REGISTRY[name].function)) and name not in OTHER_WAYS
    ]


@pytest.mark.parametrize("name", said_to_warn())
def test_a_warning_points_at_the_line_that_called(name: str) -> None:
    entry = REGISTRY[name]
    first = next(iter(entry.tables))
    if entry.warns is None:
        argument = next(one for one, column in entry.columns.items() if column.nulls == "dropped")
        _column, hole, first = column_of(entry, argument)
        rows = [*entry.tables[first][:-1], entry.tables[first][-1] | {hole: None}]
        options = options_with(entry, argument) | {"missing": "drop"}
    else:
        rows, options = entry.warns
    tables = made(entry, PANDAS) | {first: PANDAS.make(rows, like=like(rows))}
    with pytest.warns(RetainkitWarning) as caught:
        entry.function(**tables, **entry.options | options)
    assert {one.filename for one in caught} == {__file__}


# --- choices -----------------------------------------------------------------------------------

CHOICES = [
    pytest.param(
        entry, argument, re.findall(r'"([^"]+)"', kind.partition("}")[0]), id=f"{name}-{argument}"
    )
    for name, entry in REGISTRY.items()
    for argument, (kind, _) in described(entry).items()
    if kind.startswith("{")
]


@pytest.mark.parametrize(("entry", "argument", "choices"), CHOICES)
def test_an_unknown_choice_is_refused_with_those_there_are(
    entry: Entry, argument: str, choices: list[str]
) -> None:
    with pytest.raises(ArgumentError, match=f"`{argument}`") as caught:
        call(entry, made(entry, PANDAS), **{argument: "none such"})
    assert "'none such'" in str(caught.value)
    assert caught.value.argument == argument
    for choice in choices:
        assert repr(choice) in str(caught.value)


@pytest.mark.parametrize("name", WITH_TABLES)
def test_what_is_no_table_is_refused(name: str) -> None:
    entry = REGISTRY[name]
    for argument in entry.tables:
        with pytest.raises(ArgumentTypeError, match=f"`{argument}`") as caught:
            call(entry, made(entry, PANDAS) | {argument: 3})
        assert (caught.value.code, caught.value.argument) == ("argument_type", argument)


@pytest.mark.parametrize("level", [0, 1, 95, None, "0.95"])
@pytest.mark.parametrize(
    "entry",
    [
        pytest.param(entry, id=name)
        for name, entry in REGISTRY.items()
        if "confidence_level" in parameters_of(entry)
    ],
)
def test_a_confidence_level_lies_between_0_and_1(entry: Entry, level: Any) -> None:
    with pytest.raises((ArgumentError, ArgumentTypeError), match="`confidence_level`"):
        call(entry, made(entry, PANDAS), confidence_level=level)


# --- pictures and data sets --------------------------------------------------------------------


def test_every_picture_has_an_entry() -> None:
    assert {*PICTURES} == {*retainkit.plot.__all__}


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_is_drawn_where_it_is_told_to_and_nowhere_else(name: str) -> None:
    picture, arguments = getattr(retainkit.plot, name), PICTURES[name]()
    other = plt.figure().subplots()
    figure = Figure()
    ax = figure.subplots()
    settings = dict(mpl.rcParams)
    before = {key: copy.deepcopy(one) for key, one in arguments.items() if is_frame(one)}
    assert picture(**arguments, ax=ax) is ax
    assert ax.has_data()
    assert plt.get_fignums() == [other.figure.number]  # type: ignore[union-attr]
    assert plt.gca() is other
    assert not other.has_data()
    assert dict(mpl.rcParams) == settings
    for key, one in before.items():
        pd.testing.assert_frame_equal(arguments[key], one)


@pytest.mark.slow
@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_without_axes_has_a_figure_of_its_own(name: str) -> None:
    ax = getattr(retainkit.plot, name)(**PICTURES[name]())
    assert ax.has_data()
    assert plt.get_fignums() == [ax.figure.number]


@pytest.mark.parametrize("name", [*PICTURES])
def test_all_but_what_is_drawn_is_named(name: str) -> None:
    parameters = [*inspect.signature(getattr(retainkit.plot, name)).parameters.values()]
    positional = 2 if name in {"customer_history", "frequency_counts", "next_purchase"} else 1
    assert all(one.kind is one.KEYWORD_ONLY for one in parameters[positional:])
    assert "ax" in [one.name for one in parameters]


def drawn_from() -> Any:
    """Return the state of the generators that all programs share."""
    return str(np.random.get_state()), random.getstate()  # noqa: NPY002  the old one is meant


@pytest.mark.parametrize("name", ["make_events", "make_subscriptions", "make_survey"])
def test_a_data_set_is_that_of_its_seed(name: str) -> None:
    make = getattr(retainkit.datasets, name)
    state = drawn_from()
    first, again, other = make(20, seed=1), make(20, seed=1), make(20, seed=2)
    pd.testing.assert_frame_equal(first, again)
    assert not first.equals(other)
    assert drawn_from() == state
