"""What is shown of a model: one line of text, and in a notebook its summary."""

import math
from collections.abc import Callable
from functools import cache
from html.parser import HTMLParser
from typing import Any

import pandas as pd
import pytest

import retainkit as rk
from cdnow import CDNOW
from retainkit._models.notebook import html_table

SURVIVORS = pd.DataFrame({"age": range(5), "retained": [1000, 869, 743, 653, 593]})
FITS: dict[str, Callable[[], Any]] = {
    "BGNBD": lambda: rk.fit_bg_nbd(CDNOW),
    "MBGNBD": lambda: rk.fit_mbg_nbd(CDNOW, penalty=0.01),
    "GammaGamma": lambda: rk.fit_gamma_gamma(CDNOW),
    "SBG": lambda: rk.fit_sbg(SURVIVORS),
    "BDW": lambda: rk.fit_bdw(SURVIVORS, customers=1000),
}
each_model = pytest.mark.parametrize("name", FITS)


@cache
def fitted(name: str) -> Any:
    """Return a fitted model of a class."""
    return FITS[name]()


def test_what_is_shown_of_a_model_is_short() -> None:
    # Fader, Hardie & Lee (2005), table 2, and 2,357 customers.
    found = "BGNBD(2,357 customers, unit='week', r=0.243, alpha=4.41, a=0.793, b=2.43)"
    assert repr(fitted("BGNBD")) == found
    model = rk.BGNBD(r=0.5, alpha=4, a=1, b=2, unit="week")
    assert repr(model) == "BGNBD(unit='week', r=0.5, alpha=4, a=1, b=2)"
    assert repr(rk.GammaGamma(p=6.25, q=3.74, v=15.44)) == "GammaGamma(p=6.25, q=3.74, v=15.4)"
    assert all(len(repr(one)) < 100 for one in map(fitted, FITS))
    big = rk.SBG(alpha=1 / 3, beta=1e7, n_customers=23_570_000)
    assert repr(big) == "SBG(23,570,000 customers, alpha=0.333, beta=1e+07)"
    weighted = rk.BDW(alpha=12345, beta=1.0006, c=1, n_customers=0.5)
    assert repr(weighted) == "BDW(0.5 customers, alpha=12300, beta=1, c=1)"
    assert repr(rk.SBG(alpha=1, beta=2, n_customers=1)) == "SBG(1 customer, alpha=1, beta=2)"


class Html(HTMLParser):
    """Read a piece of HTML: its tags, their attributes, and the texts of its rows."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: set[tuple[str, str | None]] = set()
        self.rows: list[list[str]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes |= {*attrs}
        if tag in {"caption", "tr"}:
            self.rows.append([])

    def handle_data(self, data: str) -> None:
        self.rows[-1].append(data)


def html_of(model: Any) -> Html:
    return Html(model._repr_html_())


def test_a_notebook_shows_the_summary() -> None:
    # The standard errors are the roots of the variances; the limits 2 exp(±1.96 * 0.5 / 2).
    covariance = ((0.25, 0.0), (0.0, math.nan))
    model = rk.SBG(alpha=2, beta=4000, unit="month", n_customers=1000, covariance=covariance)
    assert html_of(model).rows == [
        ["SBG(1,000 customers, unit='month')"],
        ["parameter", "estimate", "standard_error", "lower", "upper"],
        ["alpha", "2", "0.5", "1.23", "3.26"],
        ["beta", "4000", "NaN", "NaN", "NaN"],
    ]
    assert html_of(rk.SBG(alpha=2, beta=1)).rows[0] == ["SBG"]
    # Of what there is no limit to, without a warning of NumPy.
    boundless = rk.SBG(alpha=2, beta=1, covariance=((0.25, 0), (0, 1e8)))
    assert html_of(boundless).rows[-1] == ["beta", "1", "10000", "0", "inf"]


@each_model
def test_a_table_in_a_notebook_has_the_values_of_the_summary(name: str) -> None:
    model = fitted(name)
    rows = html_of(model).rows[2:]
    for row, (_, want) in zip(rows, model.summary().iterrows(), strict=True):
        assert row[0] == want["parameter"]
        assert [float(one) for one in row[1:]] == pytest.approx([*want[1:]], rel=6e-3, nan_ok=True)


@each_model
def test_a_table_in_a_notebook_is_a_table_alone(name: str) -> None:
    # No colours of its own, no scripts, nothing to load; whose row and column a cell is, is said.
    read = html_of(fitted(name))
    assert {*read.tags} == {"table", "caption", "thead", "tbody", "tr", "th", "td"}
    assert read.attributes == {("class", "dataframe"), ("scope", "col"), ("scope", "row")}


def test_what_is_shown_in_a_notebook_is_escaped() -> None:
    names = '<script>alert("&")</script>'
    shown = html_table(names, {names: [names]})
    assert Html(shown).rows == [[names], [names], [names]]
    assert "<script" not in shown
