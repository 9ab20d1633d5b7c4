"""A summary keeps its unit, and no other unit is put to it."""

import json
import pickle
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import duckdb
import narwhals.stable.v2 as nw
import pandas as pd
import pytest

import retainkit as rk
from backends import Backend
from cdnow import CDNOW
from retainkit import datasets
from retainkit.errors import ArgumentError, ColumnTypeError, RetainkitWarning
from tables import Row, rows_of

# Few customers do not differ.
pytestmark = [
    pytest.mark.filterwarnings("ignore:.* identified"),
    pytest.mark.filterwarnings("ignore:There are no intervals:retainkit.RetainkitWarning"),
]

DAYS, WEEKS = (
    rk.rfm_summary(datasets.load_cdnow(sample=True), amount="amount", unit=unit)
    for unit in ("day", "week")
)
DAILY = rk.fit_bg_nbd(DAYS)
SPEND = rk.fit_gamma_gamma(DAYS)

FIRST = date(2024, 1, 1)
ORDERS: list[Row] = [
    {"customer_id": who, "time": FIRST + timedelta(days=day), "amount": 10.0 + who}
    for who in range(30)
    for day in {who % 5, *((10 + 3 * who % 17, 20 + 7 * who % 40) if who % 3 else ())}
]
"""Thirty customers, of whom twenty order three times, within two months."""


def weekly(backend: Backend) -> Any:
    return rk.rfm_summary(backend.make(ORDERS), amount="amount", unit="week")


# --- the column ----------------------------------------------------------------------------


def test_the_unit_is_the_last_column(backend: Backend) -> None:
    orders = backend.make(ORDERS)
    tables = [
        (rk.rfm_summary(orders), "day"),
        (rk.rfm_summary(orders, amount="amount", unit="week", exact=True), "week"),
        (rk.calibration_holdout(orders, calibration_end="2024-02-01", unit="month"), "month"),
    ]
    for table, unit in tables:
        frame = nw.from_native(table)
        assert list(frame.collect_schema())[-1] == "time_unit"
        assert frame.collect_schema()["time_unit"] == nw.String
        assert {row["time_unit"] for row in rows_of(table)} == {unit}


def test_a_survival_curve_says_its_unit(backend: Backend) -> None:
    spans = [
        {"customer_id": 1, "start": date(2024, 1, 1), "end": date(2024, 2, 1)},
        {"customer_id": 2, "start": date(2024, 1, 5), "end": None},
    ]
    curve = rk.survival_curve(backend.make(spans), unit="week", as_of="2024-03-01")
    assert list(rows_of(curve)[0])[-1] == "time_unit"
    assert {row["time_unit"] for row in rows_of(curve)} == {"week"}
    lives = backend.make([{"months": 3.0}, {"months": 5.0}])
    assert "time_unit" not in rows_of(rk.survival_curve(lives, duration="months"))[0]


def test_no_column_of_the_caller_has_its_name() -> None:
    orders = pd.DataFrame(ORDERS).rename(columns={"customer_id": "time_unit"})
    orders["time"] = pd.to_datetime(orders["time"])
    with pytest.raises(ArgumentError, match="'time_unit', which is also the name"):
        rk.rfm_summary(orders, customer="time_unit")
    with pytest.raises(ArgumentError, match="'time_unit', which is also the name"):
        rk.rfm_summary(orders.assign(customer_id=1), by="time_unit")


# --- fits -----------------------------------------------------------------------------------


def test_a_weekly_summary_of_cdnow_is_fitted_in_weeks() -> None:
    # The issue: CLTV of the sample 70,187; taken for days it was 337,559.
    model = rk.fit_bg_nbd(WEEKS)
    assert model.unit == "week"
    value = rk.cltv_from_models(WEEKS, model, rk.fit_gamma_gamma(WEEKS))["cltv"].sum()
    assert value == pytest.approx(70_187, abs=0.5)
    assert rk.fit_mbg_nbd(WEEKS).unit == "week"


@pytest.mark.parametrize("fit", [rk.fit_bg_nbd, rk.fit_mbg_nbd])
def test_a_fit_takes_the_unit_of_the_table(fit: Any, backend: Backend) -> None:
    table = weekly(backend)
    assert fit(table).unit == fit(table, unit="week").unit == "week"
    with pytest.raises(
        ArgumentError, match=r"`unit` is 'day', and the times of `summary` are in"
    ) as it:
        fit(table, unit="day")
    assert (it.value.code, it.value.argument) == ("unit_mismatch", "unit")


@pytest.mark.parametrize("fit", [rk.fit_bg_nbd, rk.fit_mbg_nbd])
def test_a_fit_asks_for_a_unit_that_it_cannot_know(fit: Any) -> None:
    plain = WEEKS.drop(columns="time_unit")
    with pytest.raises(
        ArgumentError, match=r"`unit` is not given.* for instance unit=\"day\""
    ) as it:
        fit(plain)
    assert it.value.code == "unit_unknown"
    assert fit(plain, unit="month").unit == "month"


def test_a_unit_survives_a_filter_a_file_and_a_database(tmp_path: Any) -> None:
    path = tmp_path / "summary.csv"
    WEEKS[WEEKS["frequency"] < 5].to_csv(path, index=False)
    assert rk.fit_bg_nbd(pd.read_csv(path)).unit == "week"
    with duckdb.connect(str(tmp_path / "shop.db")) as shop:
        shop.register("summary", WEEKS)
        shop.execute("create table kept as select * from summary")
        assert rk.fit_bg_nbd(shop.sql("select * from kept")).unit == "week"
    assert rk.fit_bg_nbd(WEEKS.astype({"time_unit": "category"})).unit == "week"


# --- scoring ----------------------------------------------------------------------------------


def scores(model: Any = DAILY) -> dict[str, Callable[[Any], Any]]:
    return {
        "alive": model.probability_alive,
        "purchases": lambda table: model.expected_purchases(table, 30),
        "discounted": lambda table: model.discounted_expected_purchases(table, 0.1),
        "value": lambda table: rk.cltv_from_models(table, model, SPEND),
        "predictive value": lambda table: rk.cltv_from_models(
            table, model, SPEND, predictive=True, draws=2, seed=1
        ),
    }


@pytest.mark.parametrize("name", scores())
def test_a_table_in_another_unit_than_the_model_is_refused(name: str, backend: Backend) -> None:
    # The issue: a daily model on a weekly summary, 292,497 for 69,087.
    with pytest.raises(ArgumentError, match=r"in weeks .*and those of the model in days") as it:
        scores()[name](weekly(backend))
    assert it.value.code == "unit_mismatch"


def test_a_table_without_the_column_is_in_the_unit_of_the_model() -> None:
    value = rk.cltv_from_models(DAYS.drop(columns="time_unit"), DAILY, SPEND)
    assert value["cltv"].sum() == pytest.approx(69_087, abs=0.5)
    pd.testing.assert_frame_equal(value, rk.cltv_from_models(DAYS, DAILY, SPEND))


def test_lifetimes_is_given_no_other_unit() -> None:
    with pytest.raises(ArgumentError, match="in weeks"):
        DAILY.to_lifetimes(CDNOW)


# --- broken columns ---------------------------------------------------------------------------


def unit_is(rows: list[Row], *units: Any) -> list[Row]:
    """Give rows these units in turn."""
    return [row | {"time_unit": units[i % len(units)]} for i, row in enumerate(rows)]


BROKEN: dict[str, tuple[tuple[Any, ...], str, str]] = {
    "several": (
        ("day", "week"),
        r"'(day|week)' in 15 rows, '(day|week)' in 15 rows, of 30",
        "mixed_units",
    ),
    "some null": (("day", None), r"null in 15 rows, .*of 30", "null_values"),
    "unknown": (("fortnight",), r"is 'fortnight' in 30 rows, of 30", "unknown_choice"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_table_of_several_units_or_of_none_is_refused(name: str, backend: Backend) -> None:
    units, message, code = BROKEN[name]
    table = backend.make(unit_is(rows_of(rk.rfm_summary(pd_orders(), amount="amount")), *units))
    for call in (rk.fit_bg_nbd, rk.fit_gamma_gamma, *scores().values(), rk.spend_independence):
        with pytest.raises(ArgumentError, match=message) as it:
            call(table)  # type: ignore[operator]
        assert (it.value.code, it.value.column, it.value.total) == (code, "time_unit", 30)


def pd_orders() -> pd.DataFrame:
    orders = pd.DataFrame(ORDERS)
    return orders.assign(time=pd.to_datetime(orders["time"]))


def test_a_column_of_that_name_that_is_something_else() -> None:
    with pytest.raises(ColumnTypeError, match=r"'time_unit' of `summary` holds Int64.*Rename it"):
        rk.fit_bg_nbd(DAYS.assign(time_unit=7))


def test_no_rows_have_no_unit() -> None:
    none = WEEKS.head(0)
    assert len(DAILY.probability_alive(none)) == 0
    assert len(rk.cltv_from_models(none, DAILY, SPEND)) == 0
    with pytest.raises(ArgumentError, match="no customers"):
        rk.fit_bg_nbd(none)


# --- what a model knows of its data ---------------------------------------------------------


def test_a_saved_model_says_where_it_comes_from() -> None:
    model = rk.fit_bg_nbd(WEEKS)
    assert model.largest_T == WEEKS["T"].max() == 78
    saved = json.loads(json.dumps(model.to_dict(), allow_nan=False))
    assert (saved["unit"], saved["largest_T"], saved["as_of"]) == ("week", 78, None)
    assert (saved["format"], saved["retainkit"]) == (2, rk.__version__)
    assert rk.BGNBD.from_dict(saved) == pickle.loads(pickle.dumps(model)) == model  # noqa: S301


def test_a_dictionary_of_before_loads_as_before() -> None:
    old: dict[str, Any] = {
        "model": "BGNBD",
        "covariance": None,
        "log_likelihood": None,
        "n_customers": 0.0,
        "converged": True,
        "diagnostics": {},
        "r": 0.243,
        "alpha": 4.414,
        "a": 0.793,
        "b": 2.426,
        "unit": "week",
    }
    model = rk.BGNBD.from_dict(old)
    assert model == rk.BGNBD(r=0.243, alpha=4.414, a=0.793, b=2.426, unit="week")
    assert (model.largest_T, model.as_of) == (None, None)
    newer = old | {"format": 3, "retainkit": "9.1"}
    with pytest.raises(ArgumentError, match=r"`format` is 3.*written by version '9.1'"):
        rk.BGNBD.from_dict(newer)


@pytest.mark.parametrize("name", scores())
def test_a_table_that_reaches_far_beyond_the_fit_warns(name: str, backend: Backend) -> None:
    variances = tuple(tuple(0.1 * (i == j) for j in range(4)) for i in range(4))
    model = rk.BGNBD(r=0.9, alpha=9, a=0.8, b=2.5, largest_T=59, covariance=variances)
    rows = rows_of(rk.rfm_summary(pd_orders(), amount="amount"))
    twice = [row | {"T": 118} for row in rows]
    scores(model)[name](backend.make(twice))  # no warning: it is not more than twice as long
    beyond = backend.make([*twice[1:], rows[0] | {"T": 119}])
    with pytest.warns(
        RetainkitWarning, match="1 customer observed for more than twice.*119 days.*59"
    ) as told:
        scores(model)[name](beyond)
    (one,) = (warning.message for warning in told)
    assert isinstance(one, RetainkitWarning)
    assert (one.code, one.column, one.rows, one.total) == ("beyond_fit", "T", 1, 30)


def test_simulated_customers_are_in_the_unit_of_the_model() -> None:
    made = rk.BGNBD(r=0.9, alpha=3, a=0.8, b=2.5, unit="month").simulate(300, 12, seed=1)
    assert list(made)[-1] == "time_unit"
    assert rk.fit_bg_nbd(made).unit == "month"
