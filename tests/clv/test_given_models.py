"""`cltv` by models that have been fitted before: only the summary is new."""

from __future__ import annotations

import json
import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest

from backends import Backend
from retainkit import (
    BGNBD,
    GammaGamma,
    cltv,
    cltv_from_models,
    fit_bg_nbd,
    fit_gamma_gamma,
    fit_mbg_nbd,
    rfm_summary,
)
from retainkit.datasets import load_cdnow
from retainkit.errors import ArgumentError, ArgumentTypeError, RetainkitWarning
from tables import rows_of

ORDERS = load_cdnow(sample=True)
EARLY = ORDERS[ORDERS["time"] < "1997-10-01"]
VALUES = ["probability_alive", "expected_purchases", "expected_spend", "cltv", "lower", "upper"]
OPTIONS: dict[str, Any] = {"as_of": "1997-10-01", "horizon": "26 weeks"}


def fitted(**unit: Any) -> tuple[BGNBD, GammaGamma]:
    summary = rfm_summary(EARLY, amount="amount", as_of="1997-10-01", **unit)
    return fit_bg_nbd(summary), fit_gamma_gamma(summary)


@pytest.mark.parametrize("unit", [{}, {"unit": "week", "exact": True}, {"unit": "week"}])
def test_the_summary_is_made_in_the_unit_of_the_models(unit: dict[str, Any]) -> None:
    """The same as the two calls that it stands for, on the orders of a later day."""
    purchases, spend = fitted(**unit)
    later = ORDERS[ORDERS["time"] < "1997-12-01"]
    found = cltv(later, as_of="1997-12-01", horizon="26 weeks", purchases=purchases, spend=spend)
    summary = rfm_summary(later, amount="amount", as_of="1997-12-01", **unit)
    right = cltv_from_models(summary, purchases, spend, horizon="26 weeks")
    pd.testing.assert_frame_equal(found[VALUES], right[VALUES])
    assert found["customer_id"].tolist() == summary["customer_id"].tolist()


def test_the_models_of_a_call_give_what_the_call_gives() -> None:
    purchases, spend = fitted()
    again = cltv(EARLY, purchases=purchases, spend=spend, **OPTIONS)
    pd.testing.assert_frame_equal(again, cltv(EARLY, **OPTIONS))


def test_models_that_were_saved_score_too() -> None:
    purchases, spend = fitted(unit="week", exact=True)
    saved = json.loads(json.dumps([purchases.to_dict(), spend.to_dict()]))
    loaded: dict[str, Any] = {
        "purchases": BGNBD.from_dict(saved[0]),
        "spend": GammaGamma.from_dict(saved[1]),
    }
    one = cltv(EARLY, **loaded, **OPTIONS)
    pd.testing.assert_frame_equal(one, cltv(EARLY, purchases=purchases, spend=spend, **OPTIONS))


def test_a_model_that_does_not_know_how_orders_were_merged_counts_them_by_the_day() -> None:
    bare = BGNBD(r=0.243, alpha=4.414, a=0.793, b=2.426, unit="week")
    spend = GammaGamma(p=6.25, q=3.74, v=15.44)
    with pytest.warns(RetainkitWarning, match="interval"):
        found = cltv(EARLY, purchases=bare, spend=spend, **OPTIONS)
    exact = rfm_summary(EARLY, amount="amount", as_of="1997-10-01", unit="week", exact=True)
    right = bare.expected_purchases(exact, horizon=26)
    np.testing.assert_allclose(found["expected_purchases"], right["expected_purchases"])


@pytest.mark.filterwarnings("ignore:shop .* Spend goes with frequency")
def test_segments_are_carried_along_and_share_the_models() -> None:
    purchases, spend = fitted()
    shops = EARLY.assign(shop=np.where(EARLY["customer_id"] % 2, "north", "south"))
    found = cltv(shops, by="shop", purchases=purchases, spend=spend, **OPTIONS)
    assert list(found.columns[:2]) == ["shop", "customer_id"]
    whole = cltv(EARLY, purchases=purchases, spend=spend, **OPTIONS)
    both = found.merge(whole, on="customer_id", suffixes=("", "_whole"))
    np.testing.assert_allclose(both["cltv"], both["cltv_whole"], rtol=1e-12)


def test_every_kind_of_frame_gives_the_same(backend: Backend) -> None:
    purchases, spend = fitted(unit="week", exact=True)
    few = EARLY[EARLY["customer_id"] < 500]
    records = few.to_dict("records")
    rows = [{**row, "time": row["time"].to_pydatetime()} for row in records]
    found = cltv(backend.make(rows), purchases=purchases, spend=spend, **OPTIONS)
    right = cltv(few, purchases=purchases, spend=spend, **OPTIONS)
    ours = sorted(rows_of(found), key=lambda row: row["customer_id"])
    for row, expected in zip(ours, right.to_dict("records"), strict=True):
        assert row == pytest.approx(expected, rel=1e-9)


# What is said


def test_orders_that_end_before_the_fit_are_warned_of() -> None:
    purchases, spend = fitted()
    old = ORDERS[ORDERS["time"] < "1997-07-01"]
    with pytest.warns(RetainkitWarning, match=r"for more than 180 days, .* up to 272") as caught:
        cltv(old, as_of="1997-07-01", horizon="90D", purchases=purchases, spend=spend)
    (code,) = {getattr(one.message, "code", "") for one in caught}
    assert code == "before_fit"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        cltv(EARLY, as_of="1997-10-01", horizon="90D", purchases=purchases, spend=spend)


def test_customers_much_older_than_the_fit_are_warned_of() -> None:
    early = EARLY[EARLY["time"] < "1997-05-01"]
    summary = rfm_summary(early, amount="amount", as_of="1997-05-01")
    models: dict[str, Any] = {"purchases": fit_mbg_nbd(summary), "spend": fit_gamma_gamma(summary)}
    with pytest.warns(RetainkitWarning, match="`transactions` has 2,357 customers") as caught:
        cltv(ORDERS, as_of="1998-07-01", horizon="90D", **models)
    assert "beyond_fit" in {getattr(one.message, "code", "") for one in caught}


@pytest.mark.parametrize(
    ("given", "error", "words"),
    [
        (["purchases"], ArgumentError, "`purchases` is given, and `spend` is not"),
        (["spend"], ArgumentError, "`spend` is given, and `purchases` is not"),
        (["spend", "purchases"], ArgumentTypeError, "`purchases` is a GammaGamma"),
    ],
)
def test_both_models_are_needed(given: list[str], error: type[Exception], words: str) -> None:
    purchases, spend = fitted()
    models = {"purchases": purchases, "spend": spend}
    chosen: dict[str, Any] = {name: models[name] for name in given}
    if given[0] == "spend" and len(given) == 2:
        chosen = {"purchases": spend, "spend": purchases}
    with pytest.raises(error, match=words):
        cltv(EARLY, **chosen)


@pytest.mark.parametrize("option", [{"penalty": 0.1}, {"interval": "bootstrap", "seed": 1}])
def test_what_is_about_fits_is_refused(option: dict[str, Any]) -> None:
    purchases, spend = fitted()
    name = next(iter(option))
    with pytest.raises(ArgumentError, match=f"{name}=.* nothing is fitted"):
        cltv(EARLY, purchases=purchases, spend=spend, **option)


def test_models_of_different_units_are_refused() -> None:
    purchases, _ = fitted(unit="week")
    _, spend = fitted()
    with pytest.raises(ArgumentError, match="`spend` was fitted to a summary in days"):
        cltv(EARLY, purchases=purchases, spend=spend)


def test_nobody_gives_an_empty_table() -> None:
    purchases, spend = fitted()
    assert not len(cltv(EARLY[:0], purchases=purchases, spend=spend))
