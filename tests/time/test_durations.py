"""Lengths of time: one way to write them, and what each reader makes of them.

The reference is arithmetic by hand: a year of the Gregorian calendar has 365.2425 days (97 leap
years in 400), a month is a twelfth of it.
"""

from datetime import timedelta
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd
import pytest

from retainkit import (
    BGNBD,
    expected_lifetime,
    response_rate,
    score_outcomes,
    survival_difference,
    upcoming_churn,
)
from retainkit._time.durations import in_units, in_words, microseconds, window_days
from retainkit._time.period_options import in_periods, period_option
from retainkit.errors import ArgumentError, ArgumentTypeError, RetainkitError
from retainkit.plot import frequency_recency

MONTH = Fraction(3652425, 12 * 10_000)  # days

# The ways to write a length, and its days.
LENGTHS: list[tuple[Any, Fraction]] = [
    ("12 months", 12 * MONTH),
    ("12months", 12 * MONTH),
    ("12M", 12 * MONTH),
    ("1 month", MONTH),
    ("52 weeks", Fraction(52 * 7)),
    ("52W", Fraction(52 * 7)),
    ("52w", Fraction(52 * 7)),
    ("90D", Fraction(90)),
    ("90d", Fraction(90)),
    (" 90 Days ", Fraction(90)),
    ("2 quarters", 6 * MONTH),
    ("2Q", 6 * MONTH),
    ("1.5 years", 18 * MONTH),
    ("1.5Y", 18 * MONTH),
    ("12 hours", Fraction(1, 2)),
    ("12H", Fraction(1, 2)),
    (timedelta(days=90), Fraction(90)),
    (timedelta(hours=36), Fraction(3, 2)),
    (pd.Timedelta("36h"), Fraction(3, 2)),
    (np.timedelta64(4, "W"), Fraction(28)),
    (np.timedelta64(36, "h"), Fraction(3, 2)),
]


@pytest.mark.parametrize(("value", "days"), LENGTHS, ids=str)
def test_a_length_is_read_in_one_way_everywhere(value: Any, days: Fraction) -> None:
    assert in_units("horizon", value, "day") == pytest.approx(float(days), rel=1e-15)
    assert in_units("horizon", value, "week") == pytest.approx(float(days / 7), rel=1e-15)
    assert in_units("horizon", value, "month") == pytest.approx(float(days / MONTH), rel=1e-15)
    # Where dates are cut, neither months nor quarters nor years are taken.
    if days / MONTH == int(days / MONTH):
        with pytest.raises(ArgumentError, match=f"write days, '{round(days)}D'") as caught:
            microseconds("gap", value)
        assert (caught.value.code, caught.value.argument) == ("calendar_length", "gap")
        with pytest.raises(ArgumentError, match=f"write days, '{round(days)}D'"):
            window_days("window", value)
        return
    assert microseconds("gap", value) == days * 86_400_000_000
    if days.denominator == 1:
        assert window_days("window", value) == days
    else:
        with pytest.raises(
            ArgumentError, match=r"`window` is .* it must be a whole number of days"
        ):
            window_days("window", value)


@pytest.mark.parametrize(
    ("value", "days"), [("1 month", 30), ("3 months", 91), ("2Q", 183), ("1 year", 365)]
)
def test_the_days_of_a_month_are_written_in_the_error(value: str, days: int) -> None:
    with pytest.raises(ArgumentError, match=f"s are not equally long.*'{days}D'"):
        window_days("window", value)


def test_a_bare_number_has_the_unit_at_hand() -> None:
    assert in_units("horizon", 12, "week") == 12
    assert in_units("horizon", np.float64(1.5), "month") == 1.5
    assert window_days("window", np.int64(28)) == 28
    assert in_periods("horizon", 12, period_option("month"), 1) == 12
    for value in (12, 12.5, np.int64(12)):
        with pytest.raises(ArgumentTypeError, match=rf"{value} what\? Write '{value} months'"):
            in_units("horizon", value, "day", bare=None)
        with pytest.raises(ArgumentTypeError, match=rf"{value} what\? Write '{value} days'"):
            microseconds("gap", value)
    for text in ("12", " 12 "):
        with pytest.raises(ArgumentError, match=r"12 what\? Write '12 months'") as caught:
            in_units("horizon", text, "day")
        assert caught.value.code == "length_without_unit"


@pytest.mark.parametrize("value", ["12m", "12 m", "1.5m"])
def test_a_small_m_may_be_months_or_minutes(value: str) -> None:
    number = value.rstrip(" m")
    with pytest.raises(ArgumentError, match=f"write '{number} months' or '{number}M'") as caught:
        in_units("horizon", value, "day")
    assert caught.value.code == "ambiguous_unit"
    days = round(Fraction(number) * MONTH)
    for reader in (microseconds, window_days):
        with pytest.raises(ArgumentError, match=f"months or minutes: write '{days}D'"):
            reader("gap", value)


@pytest.mark.parametrize(
    "value",
    [
        *("soon", "", "days", "5 fortnights", "12 min", "30 minutes", "-3 days", "1e3 days"),
        *("1,5 days", "3 D 2 H", "P3D", "٣ days", "9" * 5000 + " days", "5000000 days"),
        *(None, True, b"3D", ["3D"], float("nan"), float("inf"), -1, 1 + 0j),
        *(timedelta(days=-1), timedelta.max, pd.NaT, pd.DateOffset(months=1)),
        *(np.timedelta64("NaT", "ns"), np.timedelta64(3, "M"), np.timedelta64(3, "Y")),
        # Without a unit; NumPy 2.5 deprecates the constructor of those.
        np.array([3]).view("m8")[0],
    ],
    ids=lambda value: repr(value)[:30],
)
def test_what_is_no_length_is_refused(value: Any) -> None:
    for reader in (
        lambda: in_units("horizon", value, "day"),
        lambda: in_units("horizon", value, "day", bare=None),
        lambda: in_periods("horizon", value, period_option("day"), 1),
        lambda: microseconds("horizon", value),
        lambda: window_days("horizon", value),
    ):
        with pytest.raises((ArgumentError, ArgumentTypeError), match="`horizon` is ") as caught:
            reader()
        assert isinstance(caught.value, RetainkitError)
        assert caught.value.argument == "horizon"


@pytest.mark.parametrize(
    ("function", "argument"),
    [
        (response_rate, "window"),
        (score_outcomes, "horizon"),
        (expected_lifetime, "horizon"),
        (survival_difference, "horizon"),
        (upcoming_churn, "within"),
        (frequency_recency, "T"),
    ],
)
def test_a_length_above_0_is_asked_for_in_one_way(function: Any, argument: str) -> None:
    # Scalars come before tables, and nothing else of these is looked at.
    model = BGNBD(r=0.243, alpha=4.414, a=0.793, b=2.426)
    tables = {"score_outcomes": (None, None), "frequency_recency": (model,)}
    others = {"survival_difference": {"group": "plan"}, "upcoming_churn": {"as_of": "2024-05-01"}}
    name = function.__name__
    for value in ("0D", timedelta(0), "0 hours"):
        with pytest.raises(ArgumentError) as caught:
            function(*tables.get(name, (None,)), **{argument: value}, **others.get(name, {}))
        assert str(caught.value) == f"`{argument}` is {value!r}; it must be above 0, such as '7D'."
        assert (caught.value.code, caught.value.argument) == ("length_out_of_range", argument)


def test_of_lengths_that_are_numbers_0_is_refused_as_well() -> None:
    calls: tuple[tuple[Any, Any], ...] = (
        (expected_lifetime, {}),
        (survival_difference, {"group": "plan"}),
    )
    for function, others in calls:
        with pytest.raises(ArgumentError, match=r"`horizon` is 0; it must be above 0\.") as caught:
            function(None, horizon=0, **others)
        assert caught.value.code == "length_out_of_range"
    with pytest.raises(ArgumentError, match="write a number in units of tenure, or a length"):
        expected_lifetime(pd.DataFrame(), horizon="soon")


def test_whole_periods() -> None:
    for value, period, number in (
        ("12 months", "month", 12),
        ("1 year", "month", 12),
        ("1.5 years", "quarter", 6),
        ("2 quarters", "month", 6),
        ("8 weeks", "week", 8),
        ("14 days", "week", 2),
        ("48 hours", "day", 2),
        (timedelta(days=28), "week", 4),
    ):
        assert in_periods("horizon", value, period_option(period), 1) == number
    for value, period in (
        ("52 weeks", "month"),
        ("1 month", "quarter"),
        ("12 months", "week"),
        ("146097 days", "year"),  # exactly 400 years
        (timedelta(days=30), "month"),
        (timedelta(hours=36), "day"),
    ):
        with pytest.raises(ArgumentError, match=rf"`horizon` is .*\({period}\)"):
            in_periods("horizon", value, period_option(period), 1)
    with pytest.raises(ArgumentError, match="`horizon` is '0 months'; it must be 1 or more"):
        in_periods("horizon", "0 months", period_option("month"), 1)


def test_a_length_in_words() -> None:
    words = {"52W": "52 weeks", "12M": "12 months", "1 year": "1 year", "48H": "48 hours"}
    assert {value: in_words(value, "day") for value in words} == words
    assert in_words(39, "week") == "39 weeks"
    assert in_words(1, "day") == "1 day"
    assert in_words(timedelta(hours=36), "week") == "1.5 days"
