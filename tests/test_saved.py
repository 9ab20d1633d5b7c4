"""Models and reports that come back from JSON: the whole are the same, the others refused."""

import copy
import json
import math
import pickle
import warnings
from collections.abc import Iterator, Mapping
from fractions import Fraction
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

import retainkit as rk
from cdnow import CDNOW
from retainkit.datasets import load_cdnow
from retainkit.errors import ArgumentError, ArgumentTypeError, RetainkitWarning

SURVIVORS = pd.DataFrame({"age": range(5), "retained": [1000, 869, 743, 653, 593]})


@cache
def fitted() -> dict[str, Any]:
    """Return a fitted model of each class."""
    return {
        "BGNBD": rk.fit_bg_nbd(CDNOW),
        "MBGNBD": rk.fit_mbg_nbd(CDNOW, penalty=0.01),
        "ParetoNBD": rk.fit_pareto_nbd(CDNOW),
        "GammaGamma": rk.fit_gamma_gamma(CDNOW),
        "SBG": rk.fit_sbg(SURVIVORS),
        "BDW": rk.fit_bdw(SURVIVORS, customers=1000),
    }


def saved(name: str) -> dict[str, Any]:
    """Return a model as JSON keeps it."""
    kept: dict[str, Any] = json.loads(json.dumps(fitted()[name].to_dict(), allow_nan=False))
    return kept


each_model = pytest.mark.parametrize(
    "name", ["BGNBD", "MBGNBD", "ParetoNBD", "GammaGamma", "SBG", "BDW"]
)

# --- the same again --------------------------------------------------------------------------


@each_model
def test_equal_models_have_equal_hashes(name: str) -> None:
    model = fitted()[name]
    again = type(model).from_dict(saved(name))
    pickled = pickle.loads(pickle.dumps(model))  # noqa: S301
    assert model == again == pickled == copy.deepcopy(model)
    assert len({model, again, pickled}) == 1
    assert repr(again) == repr(model)


@each_model
def test_models_that_differ_are_not_equal(name: str) -> None:
    model = fitted()[name]
    first = model.NAMES[0]
    changes: list[dict[str, Any]] = [{"n_customers": 3.0}, {"diagnostics": {}}]
    for change in ({first: 2 * getattr(model, first)}, *changes):
        other = type(model).from_dict(saved(name) | change)
        assert other != model
        assert model != name
    assert len({*fitted().values()}) == len(fitted())


def test_undefined_is_undefined_again() -> None:
    # NaN is not itself; two models with the same parameters alone are the same model.
    nan = [[math.nan] * 3] * 3
    one, other = (rk.GammaGamma(p=6.25, q=3.74, v=15.44, covariance=nan) for _ in range(2))  # type: ignore[arg-type]
    assert one == other == pickle.loads(pickle.dumps(one))  # noqa: S301
    assert hash(one) == hash(other) == hash(rk.GammaGamma.from_dict(one.to_dict()))
    assert rk.BGNBD(r=1, alpha=1, a=1, b=1) != rk.MBGNBD(r=1, alpha=1, a=1, b=1)
    assert rk.BGNBD(r=1, alpha=1, a=1, b=1) == rk.BGNBD(r=1.0, alpha=1, a=1, b=1)


def test_a_fraction_in_the_diagnostics_is_written_as_a_number() -> None:
    model = rk.GammaGamma(p=6.25, q=3.74, v=15.44, diagnostics={"penalty": Fraction(1, 4)})
    again = rk.GammaGamma.from_dict(json.loads(json.dumps(model.to_dict())))
    assert again == model
    assert again.diagnostics == {"penalty": 0.25}


# --- malformed: every field by every kind of rubbish ------------------------------------------

RUBBISH: dict[str, Any] = {
    "null": None,
    "true": True,
    "digits": "9999",
    "word": "fortnight",
    "empty text": "",
    "nan": math.nan,
    "inf": math.inf,
    "minus inf": -math.inf,
    "negative": -1.5,
    "huge": 10**400,
    "unwritable": 10**5000,
    "list": [1, 2],
    "empty list": [],
    "nested": [[1]],
    "mapping": {"a": 1},
    "long": "x" * 100_000,
}

# What a field may be besides what it is.
NUMBER_OR_NULL = {"null", "nan"}
ALLOWED: dict[str, set[str]] = {
    "covariance": {"null"},
    "log_likelihood": NUMBER_OR_NULL | {"negative"},
    "largest_T": {"null"},
    "as_of": {"null"},
    "exact": {"null", "true"},
    "converged": {"true"},
    "diagnostics": {"mapping"},
    "retainkit": {"digits", "word", "empty text", "long"},
    # Facts about the fit.
    "engine": set(),
    "at_bound": {"empty list"},
    "not_identified": {"empty list"},
    "unbounded": {"true"},
    "no_repeats": {"true"},
    "infinite_mean": {"true"},
    "shortfall": NUMBER_OR_NULL,
    "gradient": NUMBER_OR_NULL,
    "penalty": NUMBER_OR_NULL,
    "customers": {"digits", "word", "empty text", "long"},
    "coordinates": set(),
    "purchase_covariates": {"empty list"},
    "dropout_covariates": {"empty list"},
    "covariates": {"empty list"},
}


@each_model
def test_what_is_no_word_describes_no_model(name: str) -> None:
    for rubbish in (pd.NA, np.array([1, 2])):
        with pytest.raises(ArgumentError, match="`values` describes a "):
            type(fitted()[name]).from_dict(saved(name) | {"model": rubbish})


@each_model
def test_parameters_whose_powers_overflow_are_refused(name: str) -> None:
    model = fitted()[name]
    for parameter in model.NAMES:
        with pytest.raises(ArgumentError, match=rf"`{parameter}` is 1e\+200; .*below 1e\+100"):
            type(model).from_dict(saved(name) | {parameter: 1e200})


def malformed(values: Mapping[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield what is wrong, the field, and the values with it."""
    for field in values:
        # What the periods of a model of retention or of spend are need not be known.
        timeless = values["model"] in {"SBG", "BDW", "GammaGamma"}
        unknown = {"null"} if field == "unit" and timeless else set()
        for kind, rubbish in RUBBISH.items():
            if kind not in ALLOWED.get(field, set()) | unknown:
                yield kind, field, {**values, field: rubbish}
    for key in values["diagnostics"]:
        for kind, rubbish in RUBBISH.items():
            if kind not in ALLOWED.get(key, set()):
                facts = {**values["diagnostics"], key: rubbish}
                yield kind, f"diagnostics['{key}']", {**values, "diagnostics": facts}
    yield from bad_matrices(values)


def bad_matrices(values: Mapping[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield covariances of wrong shapes, signs and contents."""
    matrix: list[list[Any]] = values["covariance"]
    size, (first, second) = len(matrix), (matrix[0][0], matrix[1][1])
    for kind, rubbish in RUBBISH.items():
        if kind not in {"null", "nan"}:
            yield kind, "covariance", with_cell(values, 0, 0, rubbish)
    for kind in ("null", "digits", "huge", "inf", "negative"):
        # One side alone is never right.
        yield f"{kind} above", "covariance", with_cell(values, 0, 1, RUBBISH[kind])
    yield "a row less", "covariance", {**values, "covariance": matrix[:-1]}
    yield "a row more", "covariance", {**values, "covariance": [*matrix, matrix[0]]}
    yield "ragged", "covariance", {**values, "covariance": [*matrix[:-1], matrix[-1][:-1]]}
    yield "a text for a row", "covariance", {**values, "covariance": ["9999"[:size], *matrix[1:]]}
    strong = 1.01 * math.sqrt(first * second)
    both = with_cell(with_cell(values, 0, 1, strong), 1, 0, strong)
    yield "a correlation above 1", "covariance", both
    yield "not positive", "covariance", with_cell(with_cell(values, 0, 0, 0.0), 0, 1, 0.0)
    if size > 2:
        turned = [[1.0 if i == j else -0.9 for j in range(size)] for i in range(size)]
        yield "correlations that exclude each other", "covariance", {**values, "covariance": turned}


def with_cell(values: Mapping[str, Any], row: int, column: int, value: Any) -> dict[str, Any]:
    matrix = copy.deepcopy(values["covariance"])
    matrix[row][column] = value
    return {**values, "covariance": matrix}


def refused(build: Any, values: Any, field: str) -> str | None:
    """Return what is wrong with the error about a field, if anything is."""
    try:
        build(values)
    except (ArgumentError, ArgumentTypeError) as error:
        text = str(error)
        if field.partition("[")[0] not in text:
            return f"does not name it: {text[:200]}"
        return f"is too long: {text[:200]} …" if len(text) > 400 else None
    except Exception as error:  # noqa: BLE001  whatever comes of rubbish
        return f"ends raw: {type(error).__name__}: {str(error)[:100]}"
    return "is accepted"


@each_model
def test_what_is_malformed_is_refused_by_the_name_of_its_field(name: str) -> None:
    build = type(fitted()[name]).from_dict
    faults = [
        f"{field} ({kind}) {fault}"
        for kind, field, values in malformed(saved(name))
        if (fault := refused(build, values, field))
    ]
    assert faults == []


@each_model
def test_what_may_be_is_accepted(name: str) -> None:
    build, values = type(fitted()[name]).from_dict, saved(name)
    for field, kinds in ALLOWED.items():
        for kind in kinds & ({*RUBBISH} if field in values else set()):
            build({**values, field: RUBBISH[kind]})
        for kind in kinds & ({*RUBBISH} if field in values["diagnostics"] else set()):
            build({**values, "diagnostics": {**values["diagnostics"], field: RUBBISH[kind]}})


@each_model
def test_a_field_too_few_or_too_many(name: str) -> None:
    model, values = fitted()[name], saved(name)
    for field in values:
        less = {one: value for one, value in values.items() if one != field}
        if field in model.NAMES:
            with pytest.raises(ArgumentError, match=rf"`values` lacks '{field}'"):
                type(model).from_dict(less)
        else:  # all others have a value that stands for nothing known
            type(model).from_dict(less)
    with pytest.raises(ArgumentError, match="has the unknown 'colour'"):
        type(model).from_dict({**values, "colour": "red"})
    rubbish: list[Any] = [None, [], "{}", 7]
    for wrong in rubbish:
        with pytest.raises(ArgumentTypeError, match=r"`values` is .* must be a mapping"):
            type(model).from_dict(wrong)


@each_model
def test_a_model_made_by_hand_is_checked_as_one_that_was_saved(name: str) -> None:
    model = fitted()[name]
    negative = [[-1.0 if i == j else 0.0 for j in model.NAMES] for i in model.NAMES]
    with pytest.raises(ArgumentError, match=r"`covariance` is .*negative variance"):
        type(model)(**model.parameters, covariance=negative)
    with pytest.raises(ArgumentError, match=r"`n_customers` is -1"):
        type(model)(**model.parameters, n_customers=-1)


def test_a_covariance_of_which_a_part_is_unknown() -> None:
    values = saved("BGNBD")
    lost = [
        [None if 3 in (i, j) else one for j, one in enumerate(row)]
        for i, row in enumerate(values["covariance"])
    ]
    model = rk.BGNBD.from_dict({**values, "covariance": lost})
    assert [*map(math.isnan, model.standard_errors.values())] == [False, False, False, True]


# --- the report on a holdout ------------------------------------------------------------------


@cache
def report() -> rk.HoldoutReport:
    orders = load_cdnow(sample=True)
    return rk.holdout_report(orders, calibration_end="1997-10-01", as_of="1998-07-01")


def kept_report() -> dict[str, Any]:
    kept: dict[str, Any] = json.loads(json.dumps(report().to_dict(), allow_nan=False))
    return kept


def test_a_report_comes_back_from_json() -> None:
    again = rk.HoldoutReport.from_dict(kept_report())
    assert again == report()
    assert again != "report"
    assert hash(again) == hash(report())
    for table in ("total", "by_frequency", "by_period"):
        pd.testing.assert_frame_equal(getattr(again, table), getattr(report(), table))
    assert kept_report()["model"]["as_of"] == again.model.as_of == "1997-10-01T00:00:00"
    assert kept_report()["by_period"]["period"][0] == "1997-10-01"


def test_a_report_is_compared_by_its_values_whatever_holds_them() -> None:
    orders = pl.from_pandas(load_cdnow(sample=True))
    other = rk.holdout_report(orders, calibration_end="1997-10-01", as_of="1998-07-01")
    assert isinstance(other.total, pl.DataFrame)
    assert other == report()
    kept = kept_report()
    kept["total"]["actual"][0] += 1
    assert rk.HoldoutReport.from_dict(kept) != report()


CELLS = {
    "text": {"digits", "word", "empty text", "long"},
    "count": set(),
    "number": NUMBER_OR_NULL | {"negative"},
    "date": set(),
    "flag": {"true"},
}
COLUMNS = {
    **dict.fromkeys(("forecast", "frequency"), "text"),
    **dict.fromkeys(("customers", "actual_cumulative"), "count"),
    **dict.fromkeys(("expected", "naive", "lower", "upper"), "number"),
    "period": "date",
    "holdout": "flag",
}


def test_a_malformed_report_is_refused_by_the_name_of_its_field() -> None:
    faults = []
    build, kept = rk.HoldoutReport.from_dict, kept_report()
    for field in kept:
        allowed = ALLOWED["retainkit"] if field == "retainkit" else set()
        for kind in RUBBISH.keys() - allowed:
            fault = refused(build, {**kept, field: RUBBISH[kind]}, field)
            faults += [f"{field} ({kind}) {fault}"] if fault else []
    for table in ("total", "by_frequency", "by_period"):
        for column, values in kept[table].items():
            kinds = RUBBISH.keys() - CELLS[COLUMNS.get(column, "date")]
            for kind in kinds if column in COLUMNS else ():
                wrong = {**kept[table], column: [RUBBISH[kind], *values[1:]]}
                fault = refused(build, {**kept, table: wrong}, f"{table}['{column}']")
                faults += [f"{table} {column} ({kind}) {fault}"] if fault else []
            less = {name: one for name, one in kept[table].items() if name != column}
            short = {**kept[table], column: values[1:]}
            for wrong in (less, short, {**kept[table], "colour": values}):
                fault = refused(build, {**kept, table: wrong}, table)
                faults += [f"{table} {column} {fault}"] if fault else []
    assert faults == []


# --- weights of a survey ----------------------------------------------------------------------

ANSWERS = pd.DataFrame({"plan": ["basic"] * 4 + ["pro"] * 2, "score": [9.0, 3, 10, None, 8, 10]})
SHARES = {"plan": {"basic": 0.5, "pro": 0.5}}


def test_the_numbers_of_weights_go_to_json() -> None:
    weights = rk.rake(ANSWERS, SHARES)
    numbers = json.loads(json.dumps(weights.to_dict(), allow_nan=False))
    # By hand: weights 3/4 and 3/2, so (6)² / (4 · 9/16 + 2 · 9/4) = 16/3 responses.
    assert numbers["n"] == 6
    assert numbers["n_effective"] == pytest.approx(16 / 3)
    assert numbers["design_effect"] == pytest.approx(9 / 8)
    assert (numbers["smallest"], numbers["largest"]) == pytest.approx((3 / 4, 3 / 2))
    assert numbers["converged"] is True
    assert "responses" not in numbers
    none = rk.rake(ANSWERS.head(0), SHARES).to_dict()
    assert none["n"] == 0
    assert none["design_effect"] is none["smallest"] is None


def test_weights_are_compared_by_value(backend: Any) -> None:
    rows = [
        {"plan": plan, "score": score}
        for plan, score in ANSWERS.fillna(5.0).itertuples(index=False)
    ]
    one, other = (rk.rake(backend.make(rows), SHARES) for _ in range(2))
    assert one == other
    assert hash(one) == hash(other)
    assert one != rk.rake(backend.make([*rows[:-1], {"plan": "pro", "score": 1.0}]), SHARES)
    assert one != rk.rake(backend.make(rows), {"plan": {"basic": 0.6, "pro": 0.4}})
    assert one != "weights"


def test_nothing_known_is_equal_to_nothing_known() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RetainkitWarning)
        assert rk.rake(ANSWERS.head(0), SHARES) == rk.rake(ANSWERS.head(0), SHARES)
        assert rk.rake(ANSWERS, SHARES) == rk.rake(ANSWERS.copy(), SHARES)  # a null is a null
