"""A summary keeps its unit, and no other unit is put to it."""

import json
import math
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


# --- one unit in both models --------------------------------------------------------------------

MONTHS, EXACT_WEEKS = (
    rk.rfm_summary(
        datasets.load_cdnow(sample=True), amount="amount", unit=unit, exact=unit == "week"
    )
    for unit in ("month", "week")
)


def test_spend_of_other_purchases_is_refused() -> None:
    # Within a month orders are one purchase: a model of days has less spend at each of more.
    monthly = rk.fit_bg_nbd(MONTHS)
    assert (SPEND.unit, rk.fit_gamma_gamma(MONTHS).unit) == ("day", "month")
    right = rk.cltv_from_models(MONTHS, monthly, rk.fit_gamma_gamma(MONTHS))["cltv"].sum()
    wrong = rk.cltv_from_models(MONTHS, monthly, without_unit(SPEND))["cltv"].sum()
    assert wrong < 0.97 * right  # it had no word
    message = "`spend` was fitted to a summary in days, and the purchases are counted in months"
    with pytest.raises(ArgumentError, match=message) as it:
        rk.cltv_from_models(MONTHS, monthly, SPEND)
    assert (it.value.code, it.value.argument) == ("unit_mismatch", "spend")
    with pytest.raises(ArgumentError, match=r"summary in months, and the purchases .* in days"):
        rk.cltv_from_models(DAYS, DAILY, rk.fit_gamma_gamma(MONTHS))
    with pytest.raises(ArgumentError, match=r"in months .*and those of the model in weeks"):
        rk.fit_gamma_gamma(WEEKS).expected_spend(MONTHS)


def without_unit(model: Any) -> Any:
    """Return a model as a dictionary of before has it."""
    old = {k: v for k, v in model.to_dict().items() if k not in {"unit", "format", "retainkit"}}
    return type(model).from_dict(old)


def test_by_the_day_all_units_go_together() -> None:
    # The orders of a day are one purchase in both: the value is that of days, whatever the unit.
    weekly = rk.fit_bg_nbd(EXACT_WEEKS)
    assert weekly.exact is True
    found, want = (
        rk.cltv_from_models(table, model, SPEND)["cltv"].sum()
        for table, model in ((EXACT_WEEKS, weekly), (DAYS, DAILY))
    )
    assert found == pytest.approx(want, rel=1e-5)


def test_a_fit_of_spend_takes_the_unit_of_the_table(backend: Backend) -> None:
    rows = rows_of(rk.rfm_summary(pd_orders(), amount="amount", unit="week"))
    table = backend.make(rows)
    assert rk.fit_gamma_gamma(table).unit == rk.fit_gamma_gamma(table, unit="week").unit == "week"
    with pytest.raises(ArgumentError, match="`unit` is 'day', and the times of `summary`") as it:
        rk.fit_gamma_gamma(table, unit="day")
    assert it.value.code == "unit_mismatch"
    plain = [{name: one for name, one in row.items() if name != "time_unit"} for row in rows]
    assert rk.fit_gamma_gamma(backend.make(plain)).unit is None
    assert rk.fit_gamma_gamma(backend.make(plain), unit="month").unit == "month"


# --- by the day, or in whole units ----------------------------------------------------------------


def test_a_model_knows_how_its_summary_was_made_where_that_can_be_known() -> None:
    assert rk.fit_bg_nbd(WEEKS).exact is False
    assert rk.fit_bg_nbd(MONTHS).exact is False
    assert rk.fit_mbg_nbd(EXACT_WEEKS).exact is True
    assert DAILY.exact is None  # in days it is the same
    few = WEEKS[WEEKS["T"].isin([70, 71])].assign(recency=0, frequency=0).head(19)
    several = pd.concat([few, WEEKS[WEEKS["T"] == 70].query("frequency > 0").head(1)])
    assert rk.fit_bg_nbd(several).exact is None  # whole by chance
    assert rk.fit_bg_nbd(CDNOW, unit="week").exact is None  # rounded to hundredths
    made = DAILY.simulate(200, 100, seed=1).assign(time_unit="week")
    assert rk.fit_bg_nbd(made).exact is None


@pytest.mark.parametrize("name", scores())
def test_a_table_in_whole_weeks_is_not_put_to_a_model_by_the_day(
    name: str, backend: Backend
) -> None:
    rows: list[Row] = [
        {"customer_id": i, "frequency": i % 3, "recency": 3 * (i % 3), "T": 12 + i}
        | {"monetary_value": 10.0 + i, "time_unit": "week"}
        for i in range(40)
    ]
    by_day: list[Row] = [
        row | {"recency": (3 + 2 / 7) * (i % 3), "T": 12 + i + 3 / 7} for i, row in enumerate(rows)
    ]
    for exact, wrong, right in ((True, rows, by_day), (False, by_day, rows)):
        model = rk.BGNBD(r=0.9, alpha=9, a=0.8, b=2.5, unit="week", exact=exact)
        ask = scores_in_weeks(model)[name]
        ask(backend.make(right))
        with pytest.raises(
            ArgumentError, match=rf"rfm_summary\(unit='week', exact={exact}\)"
        ) as it:
            ask(backend.make(wrong))
        assert (it.value.code, it.value.column) == ("unit_mismatch", "T")
        ask(backend.make([row | {"T": 20, "recency": 0, "frequency": 0} for row in wrong]))


def scores_in_weeks(model: Any) -> dict[str, Callable[[Any], Any]]:
    spend = rk.GammaGamma(p=6.25, q=3.74, v=15.44, unit="week")
    found = scores(model)
    found["value"] = lambda table: rk.cltv_from_models(table, model, spend)
    found["predictive value"] = lambda table: rk.cltv_from_models(
        table, model, spend, predictive=True, draws=2, seed=1
    )
    return found


def test_a_holdout_is_counted_as_the_model_and_the_spend_are() -> None:
    orders = datasets.load_cdnow(sample=True)
    asked: dict[str, Any] = {"calibration_end": "1997-10-01", "as_of": "1998-07-01"}
    whole = rk.fit_bg_nbd(WEEKS)
    for call in (
        lambda **how: rk.holdout_report(orders, model=whole, **asked, **how),
        lambda **how: rk.tracking(whole, orders, **asked, **how),
    ):
        with pytest.raises(ArgumentError, match=r"`exact` is True, and .* give `exact=False`"):
            call()
        call(exact=False)
        with pytest.raises(ArgumentError, match="`spend` was fitted to a summary in days"):
            call(exact=False, amount="amount", spend=SPEND)
    rk.holdout_report(orders, amount="amount", spend=SPEND, **asked)  # by the day


# --- a fit on the boundary ------------------------------------------------------------------------


def test_a_fit_on_the_boundary_says_what_to_try() -> None:
    # CDNOW by the quarter shows no drop-out; by the day, and with a penalty, it does.
    orders = datasets.load_cdnow(sample=True)
    quarters = rk.rfm_summary(orders, unit="quarter")
    ways = r"no drop-out.*rfm_summary\(exact=True\), or days\. penalty=0\.01"
    with pytest.warns(RetainkitWarning, match=ways):
        lost = rk.fit_bg_nbd(quarters)
    assert math.isnan(lost.standard_errors["a"])
    exact = rk.rfm_summary(orders, unit="quarter", exact=True)
    for found in (
        rk.fit_bg_nbd(exact),
        rk.fit_bg_nbd(rk.rfm_summary(orders)),
        rk.fit_bg_nbd(quarters, penalty=0.01),
    ):
        assert all(one > 0 for one in found.standard_errors.values())
    # In days there is nothing finer, and with a penalty no other.
    few = DAYS.head(40).assign(frequency=3, recency=DAYS["T"].head(40))
    few = pd.concat([few, DAYS[DAYS["frequency"] == 0].head(1)])
    with pytest.warns(RetainkitWarning) as told:
        rk.fit_bg_nbd(few)
    said = [str(one.message) for one in told if "penalty=0.01" in str(one.message)]
    assert len(said) == 1
    assert "exact" not in said[0]


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
