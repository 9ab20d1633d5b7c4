"""A table of the wrong kind: the error names what makes the right one, or takes this one."""
# ruff: noqa: DTZ001 - naive times on purpose

import inspect
import pickle
import warnings
from datetime import datetime
from typing import Any

import narwhals.stable.v2 as nw
import pandas as pd
import pytest
from matplotlib.figure import Figure

import retainkit as rk
from backends import Backend
from registry import COUNTED, EVENTS, ORDERS, PICTURES, REGISTRY, RESPONSES, SUBSCRIPTIONS, SUMMARY
from retainkit._frames.advice import maker_of
from retainkit.errors import (
    ArgumentError,
    ArgumentTypeError,
    MissingColumnError,
    RetainkitError,
    RetainkitWarning,
)
from tables import Row, rows_of

# Functions that take results of others, the argument, and what makes these.
TAKERS: dict[str, tuple[str, str]] = {
    "expected_lifetime": ("curve", "survival_curve"),
    "median_lifetime": ("curve", "survival_curve"),
    "retention_curve": ("table", "cohort_retention"),
    "retention_matrix": ("table", "cohort_retention"),
    "plot.affinity": ("table", "product_affinity"),
    "plot.cltv_distribution": ("table", "cltv"),
    "plot.cltv_total": ("table", "cltv_total"),
    "plot.contact_policy": ("table", "apply_contact_policy"),
    "plot.calibration": ("table", "lift_table"),
    "plot.control_chart": ("table", "control_chart"),
    "plot.effects": ("table", "effects"),
    "plot.growth_accounting": ("table", "growth_accounting"),
    "plot.holdout_calibration": ("table", "holdout_report(...).by_frequency"),
    "plot.key_drivers": ("table", "key_drivers"),
    "plot.lift": ("table", "lift_table"),
    "plot.mrr_waterfall": ("table", "mrr_movements"),
    "plot.nps_bar": ("table", "nps"),
    "plot.observed_value": ("table", "observed_value"),
    "plot.projection": ("table", "project"),
    "plot.retention_curve": ("curve", "retention_curve"),
    "plot.retention_heatmap": ("table", "cohort_retention"),
    "plot.segment_map": ("table", "rfm_scores"),
    "plot.segment_migration": ("table", "segment_migration"),
    "plot.score_trend": ("table", "score_trend"),
    "plot.survival_curve": ("curve", "survival_curve"),
    "plot.tracking": ("table", "tracking"),
    "plot.value_concentration": ("table", "value_concentration"),
    "plot.warning_signs": ("table", "warning_signs"),
}
# Functions of several kinds of result, whose own error lists them.
OTHERS = {"rate_difference"}


def function(name: str) -> Any:
    return getattr(rk.plot, name.removeprefix("plot.")) if "." in name else getattr(rk, name)


def options(name: str) -> Row:
    return REGISTRY[name].options if name in REGISTRY else {}


def result(name: str) -> Any:
    """Return the result of a function by its entry, in pandas."""
    entry = REGISTRY[name]
    tables = {argument: pd.DataFrame(rows) for argument, rows in entry.tables.items()}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RetainkitWarning)
        return entry.function(**tables, **entry.options)


# --- results ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", TAKERS)
def test_who_wants_a_result_names_the_function_that_makes_it(name: str, backend: Backend) -> None:
    argument, maker = TAKERS[name]
    with pytest.raises(MissingColumnError) as caught:
        function(name)(backend.make(ORDERS), **options(name))
    assert f"\n`{argument}` wants the result of `{maker}`" in str(caught.value)
    assert (caught.value.argument, caught.value.code) == (argument, "missing_column")
    with pytest.raises(ArgumentTypeError, match=f"`{argument}` wants the result of `"):
        function(name)(3, **options(name))


def test_every_function_of_results_is_among_them() -> None:
    eager = {name for name, entry in REGISTRY.items() if entry.eager and "." not in name}
    pictures = {f"plot.{name}" for name in PICTURES} - {
        "plot.customer_history",
        "plot.frequency_counts",
        "plot.frequency_recency",
        "plot.next_purchase",
    }
    named = {name for name in eager if hasattr(rk, name)}
    assert TAKERS.keys() | OTHERS == named | pictures


@pytest.mark.parametrize("name", [*REGISTRY])
def test_a_result_is_known_by_its_columns(name: str) -> None:
    entry = REGISTRY[name]
    own = name.partition(" ")[0]
    if (
        entry.result == "value"
        or not entry.tables
        or (own.partition(".")[2] not in {"", "project"})
    ):
        return
    other = {
        "churn_rate_from_counts": "churn_rate",
        "nps_from_counts": "nps",
        "cltv_from_models": "cltv",
        "SBG.project": "project",
    }
    found = maker_of(list(nw.from_native(result(name)).columns))
    if found is not None:  # of a result that nothing takes it is not said what it is
        assert found == other.get(own, own)
    makers = {maker.partition("(")[0] for _, maker in TAKERS.values()} | {"retention_matrix"}
    assert found is not None or own not in makers


def test_another_result_is_called_by_its_name() -> None:
    cohorts = result("cohort_retention")
    text = (
        "`curve` wants the result of `survival_curve`; this looks like that of `cohort_retention`."
    )
    with pytest.raises(MissingColumnError) as caught:
        rk.median_lifetime(cohorts)
    assert str(caught.value).splitlines()[-1] == text
    matrix = rk.retention_matrix(cohorts)
    with pytest.raises(MissingColumnError, match="this looks like that of `retention_matrix`"):
        rk.retention_curve(matrix)
    # What looks like a result and lacks a column is called nothing else.
    with pytest.raises(MissingColumnError, match=r"wants the result of `cohort_retention`\.$"):
        rk.retention_curve(cohorts.drop(columns=["retained"]))


# --- tables of one's own ------------------------------------------------------------------------

KINDS: list[tuple[Any, list[Row], Row, str]] = [
    (rk.churn_rate, ORDERS, {}, "such as 'time': for their churn see `inactivity_churn`"),
    (rk.survival_curve, EVENTS, {}, ""),
    (rk.mrr_movements, ORDERS, {}, "for their retention `cohort_retention`"),
    (rk.cohort_retention, SUBSCRIPTIONS, {}, "Subscriptions go to `churn_rate`"),
    (rk.rfm_summary, SUMMARY, {}, "goes to `fit_bg_nbd` and `cltv_from_models`"),
    (rk.fit_bg_nbd, ORDERS, {}, "`rfm_summary` makes such a table of orders"),
    (rk.fit_gamma_gamma, ORDERS, {}, "`rfm_summary` makes such a table of orders"),
    (rk.fit_sbg, ORDERS, {}, "`cohort_retention` makes such a table of events"),
    (rk.nps, COUNTED, {}, "go to `nps_from_counts`"),
    (rk.nps_from_counts, RESPONSES, {}, "go to `nps`"),
    (
        rk.mrr_movements,
        SUBSCRIPTIONS,
        {"amount": "amount"},
        "write amount='mrr' if that is",
    ),
    (rk.cltv, ORDERS, {"amount": "mrr"}, "write amount='amount' if that is"),
]


@pytest.mark.parametrize(("function", "rows", "given", "advice"), KINDS)
def test_a_table_of_another_kind_is_sent_where_it_is_taken(
    function: Any, rows: list[Row], given: Row, advice: str, backend: Backend
) -> None:
    with pytest.raises(MissingColumnError) as caught:
        function(backend.make(rows), **given)
    assert advice in str(caught.value)


_LEVELS = [{"customer_id": 1, "time": datetime(2024, 1, 5), "mrr": 9.0}]
_RUNNING = [{"customer_id": 1, "start": datetime(2024, 1, 5), "mrr": 9.0}]
_STRIPE = [
    {
        "customer_id": 1,
        "created_at": datetime(2024, 1, 5),
        "canceled_at": datetime(2024, 3, 5),
        "mrr": 9.0,
    }
]
_RENAMED = [
    {"start" if name == "created_at" else name: row[name] for name in row} for row in _STRIPE
]
# Stripe's subscriptions have several times: a request to cancel is long before the end it leads to.
_BILLED = [
    row
    | {
        "current_period_end": datetime(2024, 4, 5),
        "start_date": datetime(2024, 1, 7),
        "ended_at": datetime(2024, 4, 5),
    }
    for row in _STRIPE
]
_EXPORTED = [
    {"customer_id": 1, "Created (UTC)": "2024-01-05 10:00", "Canceled At (UTC)": "2024-03-05 10:00"}
]
DATES: list[tuple[Any, list[Row], str]] = [
    (rk.churn_rate, _LEVELS, "write subscriptions_from_levels(time='time', amount='mrr')"),
    (rk.mrr_movements, _RUNNING, "write subscriptions_from_levels(time='start', amount='mrr')"),
    (rk.survival_curve, _RUNNING, "If every row still runs, add a column 'end' of nulls"),
    (rk.churn_rate, _STRIPE, "It has times in 'created_at' and 'canceled_at': say with `start`"),
    (rk.churn_rate, _STRIPE, "such as `start='created_at', end='canceled_at'`."),
    (rk.churn_rate, _RENAMED, "If 'canceled_at' says when one ends, set `end='canceled_at'`"),
    (rk.mrr_movements, _BILLED, "such as `start='start_date', end='ended_at'`."),
    (rk.survival_curve, _EXPORTED, "Say with `start` and `end` which are meant, such as `start="),
    (rk.churned_customers, _EXPORTED, "`start='Created (UTC)', end='Canceled At (UTC)'`."),
]


@pytest.mark.parametrize(("function", "rows", "advice"), DATES)
def test_dates_under_other_names_are_pointed_to(
    function: Any, rows: list[Row], advice: str, backend: Backend
) -> None:
    with pytest.raises(MissingColumnError) as caught:
        function(backend.make(rows))
    assert advice in str(caught.value)
    assert "Events and orders" not in str(caught.value)


def test_a_result_where_its_table_is_wanted_is_called_a_result() -> None:
    curve = result("survival_curve")
    with pytest.raises(MissingColumnError) as caught:
        rk.survival_difference(curve, group="plan")
    assert str(caught.value).splitlines()[-1] == (
        "This looks like the result of `survival_curve`: give the table that it was made of."
    )
    with pytest.raises(MissingColumnError, match="looks like the result of `survival_curve`"):
        rk.survival_difference(curve, group="channel")  # which the curve has not
    with pytest.raises(MissingColumnError) as caught:
        rk.rate_difference(result("churn_rate"), group="channel")
    assert "the table that it was made of" not in str(caught.value)
    with pytest.raises(MissingColumnError, match="looks like the result of `cohort_retention`"):
        rk.growth_accounting(result("cohort_retention"))


@pytest.mark.parametrize("take", [rk.churn_rate, rk.retention_curve])
def test_columns_that_are_called_by_numbers_are_listed(take: Any) -> None:
    pivot = pd.DataFrame({"cohort": ["2024-01"], 0: [1.0], 1: [0.5]})
    with pytest.raises(MissingColumnError, match="The frame has: 'cohort', 0, 1"):
        take(pivot)


def test_an_object_of_ours_is_called_by_its_public_name() -> None:
    model = rk.GammaGamma(p=6.25, q=3.74, v=15.44)
    with pytest.raises(ArgumentTypeError, match=r"`events` is a retainkit\.GammaGamma; it must be"):
        rk.cohort_retention(model)  # type: ignore[arg-type]


def test_a_column_that_the_user_named_brings_no_advice() -> None:
    with pytest.raises(MissingColumnError) as caught:
        rk.churn_rate(pd.DataFrame(ORDERS), start="begin")
    assert "inactivity_churn" not in str(caught.value)


@pytest.mark.parametrize("index", ["customer_id", ["time", "customer_id"]])
def test_a_column_in_the_index_is_found_there(index: Any) -> None:
    frame = pd.DataFrame({"customer_id": [1], "time": pd.to_datetime(["2024-01-05"]), "x": [1]})
    with pytest.raises(MissingColumnError, match=r"is in the index.*reset_index\(\)\.$"):
        rk.cohort_retention(frame.set_index(index))
    cohorts = rk.cohort_retention(frame, as_of="2024-03-01")
    with pytest.raises(MissingColumnError, match=r"'cohort' is in the index.*reset_index"):
        rk.retention_curve(cohorts.set_index(["cohort", "age"]))
    with pytest.raises(MissingColumnError) as caught:
        rk.cohort_retention(frame.drop(columns="time"))
    assert "index" not in str(caught.value)


def test_an_error_with_advice_survives_a_pickle() -> None:
    with pytest.raises(RetainkitError) as caught:
        rk.churn_rate(pd.DataFrame(ORDERS))
    again = pickle.loads(pickle.dumps(caught.value))  # noqa: S301
    assert str(again) == str(caught.value)


# --- the matrix as a picture --------------------------------------------------------------------


def cells(table: Any, **given: Any) -> dict[tuple[float, float], str]:
    """Return the texts of the cells by their places."""
    ax = rk.plot.retention_heatmap(table, ax=Figure(figsize=(9, 5)).subplots(), **given)
    return {text.get_position(): text.get_text() for text in ax.texts if text.get_gid() == "cell"}


def test_a_matrix_is_drawn_as_its_cohorts_are(backend: Backend) -> None:
    found = nw.from_native(rk.cohort_retention(backend.make(EVENTS), as_of="2024-06-01"))
    table = found.filter(nw.col("customers") > 0).to_native()
    for values in ("retention", "retained"):
        matrix = rk.retention_matrix(table, values=values)
        assert cells(matrix, values=values) == cells(table, values=values)
    ax = rk.plot.retention_heatmap(rk.retention_matrix(table), ax=Figure().subplots())
    assert [text for text in ax.texts if text.get_text() == "Customers"] == []
    assert [text.get_text() for text in ax.texts if text.get_gid() == "size"] == [""] * len(
        rows_of(rk.retention_matrix(table))
    )


def test_a_matrix_of_brackets_keeps_their_labels() -> None:
    table = rk.cohort_retention(
        pd.DataFrame(EVENTS), period="day", brackets=(0, 1, 30), as_of="2024-06-01"
    )
    ax = rk.plot.retention_heatmap(rk.retention_matrix(table), ax=Figure().subplots())
    assert [one.get_text() for one in ax.get_xticklabels()] == ["0", "1–29"]  # noqa: RUF001


def test_a_matrix_of_counts_is_no_retention() -> None:
    table = rk.cohort_retention(pd.DataFrame(EVENTS), as_of="2024-06-01")
    matrix = rk.retention_matrix(table, values="retained")
    with pytest.raises(ArgumentError, match="say with `values` what they are, such as 'retained'"):
        rk.plot.retention_heatmap(matrix)


# --- money ---------------------------------------------------------------------------------------

OTHER_NAME = {"amount": "mrr", "mrr": "amount"}
WITH_MONEY = [
    (name, default.default)
    for name, entry in REGISTRY.items()
    if (default := inspect.signature(entry.function).parameters.get("amount")) is not None
    and default.default in OTHER_NAME
]


@pytest.mark.parametrize(("name", "column"), WITH_MONEY)
def test_money_under_the_other_name_is_pointed_to(name: str, column: str) -> None:
    entry, other = REGISTRY[name], OTHER_NAME[column]
    table, rows = next(iter(entry.tables.items()))
    renamed = [{other if key == column else key: row[key] for key in row} for row in rows]
    frames = {key: pd.DataFrame(one) for key, one in entry.tables.items()}
    frames[table] = pd.DataFrame(renamed)
    with pytest.raises(MissingColumnError) as caught:
        entry.function(**frames, **entry.options)
    assert f"write amount={other!r} if that is" in str(caught.value)
    assert str(caught.value).count(f"amount={other!r}") == 1
    assert (caught.value.argument, caught.value.column) == ("amount", column)


def test_both_names_of_money_are_known() -> None:
    names = {name for name, _ in WITH_MONEY}
    assert {"mrr_movements", "revenue_retention", "revenue_cohorts", "cltv"} <= names
