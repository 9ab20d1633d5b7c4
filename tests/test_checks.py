"""Arguments that are no columns: what each accepts, and what it says of everything else.

First the checks themselves, then every such argument of the public functions with every kind
of rubbish: the error is retainkit's own, of the builtin kind one expects, and names the
argument and what was given.
"""

import math
import pickle
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd
import pytest

from retainkit import (
    calibration_holdout,
    cohort_members,
    cohort_retention,
    datasets,
    retention_curve,
    retention_matrix,
)
from retainkit._checks import fraction, integer, number, one_of, probability, rising_edges
from retainkit._time.period_options import period_option
from retainkit.errors import (
    ArgumentError,
    ArgumentTypeError,
    MissingColumnError,
    RetainkitError,
    RetainkitWarning,
)

PERIODS = ("day", "month")
NO_STRINGS: list[Any] = [
    5,
    None,
    True,
    1.5,
    ["month"],
    {"month"},
    {},
    b"month",
    np.array(["month", "day"]),
]
NO_STRINGS += [pd.NA, pd.Series(["month", "day"])]
NO_NUMBERS: list[Any] = ["3", None, [1], {}, math.nan, np.array([3, 4]), pd.NA, pd.NaT, 1j]


def said(error: pytest.ExceptionInfo[Exception], *parts: str) -> None:
    """Check that the message holds all of these."""
    for part in parts:
        assert part in str(error.value)


# --- one of a few words -------------------------------------------------------------


@pytest.mark.parametrize("choices", [PERIODS, list(PERIODS), set(PERIODS), {"day": 1, "month": 2}])
def test_a_word_that_is_known(choices: Any) -> None:
    assert one_of("period", "month", choices) == "month"
    assert one_of("period", np.str_("day"), choices) == "day"


CALENDAR = ("day", "week", "month", "quarter", "year")


ENDS = ("exclusive", "last_day")


@pytest.mark.parametrize(
    ("word", "choices", "meant"),
    [
        ("monthly", CALENDAR, "month"),
        ("M", CALENDAR, "month"),
        ("months", CALENDAR, "month"),
        (" Month", CALENDAR, "month"),
        ("1mo", CALENDAR, "month"),
        ("W-SUN", CALENDAR, "week"),
        ("Q", CALENDAR, "quarter"),
        ("annual", CALENDAR, "year"),
        ("sun", ("monday", "saturday", "sunday"), "sunday"),
        ("wilsn", ("wilson", "jeffreys"), "wilson"),
        ("exact", ("wilson", "clopper_pearson"), "clopper_pearson"),
        ("Adjusted Wald", ("score", "adjusted_wald", "wald"), "adjusted_wald"),
        ("ignore", ("raise", "drop"), "drop"),
        *((word, ENDS, "last_day") for word in ("inclusive", "both", "paid_through", "last")),
        *((word, ENDS, "last_day") for word in ("last day", "included", "closed")),
        *((word, ENDS, "exclusive") for word in ("left", "excl", "open", "exclude")),
        ("fortnight", CALENDAR, None),
        ("", CALENDAR, None),
        ("s", ("saturday", "sunday"), None),
        ("sa", ("saturday", "sabbath"), None),
    ],
)
def test_a_word_suggests_the_choice_that_is_near(word: str, choices: Any, meant: Any) -> None:
    with pytest.raises(ArgumentError) as error:
        one_of("period", word, choices)
    text = str(error.value)
    assert text.endswith(f"Did you mean {meant!r}?" if meant else f"{choices[-1]!r}.")
    assert (error.value.code, error.value.argument) == ("unknown_choice", "period")


@pytest.mark.parametrize("word", ["Month", "months", "M", "", " month", "day, month", "mon"])
def test_a_word_that_is_unknown(word: str) -> None:
    with pytest.raises(ArgumentError) as error:
        one_of("period", word, PERIODS)
    said(error, "`period`", repr(word), "'day', 'month'", "must be one of")


@pytest.mark.parametrize("value", NO_STRINGS, ids=repr)
def test_what_is_no_word(value: Any) -> None:
    for choices in (PERIODS, {"day": 1, "month": 2}):
        with pytest.raises(ArgumentTypeError) as error:
            one_of("period", value, choices)
        said(error, "`period`", repr(value), "'day', 'month'")


# --- whole numbers --------------------------------------------------------------------


@pytest.mark.parametrize("value", [1, 7, np.int64(1), np.uint8(200), 10**30], ids=repr)
def test_a_whole_number(value: Any) -> None:
    found = integer("min_events", value, 1)
    assert found == value
    assert type(found) is int


@pytest.mark.parametrize("value", [0, -1, np.int64(0), np.int8(-128), -(10**30)], ids=repr)
def test_a_whole_number_that_is_too_small(value: Any) -> None:
    with pytest.raises(ArgumentError) as error:
        integer("min_events", value, 1)
    said(error, "`min_events`", repr(value), "1 or more")


NO_INTEGERS = [*NO_NUMBERS, True, np.True_, 3.0, 2.5, np.float64(3), Decimal(3), Fraction(3, 1)]


@pytest.mark.parametrize("value", NO_INTEGERS, ids=repr)
def test_what_is_no_whole_number(value: Any) -> None:
    with pytest.raises(ArgumentTypeError) as error:
        integer("min_events", value, 1)
    said(error, "`min_events`", repr(value), "whole number")


# --- probabilities --------------------------------------------------------------------


@pytest.mark.parametrize(
    "value", [0.5, 1e-9, 1 - 1e-9, np.float64(0.5), np.float32(0.5), Fraction(1, 2)], ids=repr
)
def test_a_probability(value: Any) -> None:
    found = probability("confidence_level", value)
    assert found == value
    assert type(found) is float


@pytest.mark.parametrize(
    "value", [0, 1, 0.0, 1.0, -0.1, 95, 1.5, math.nan, math.inf, -math.inf, np.int64(1)], ids=repr
)
def test_a_probability_out_of_bounds(value: Any) -> None:
    with pytest.raises(ArgumentError) as error:
        probability("confidence_level", value)
    said(error, "`confidence_level`", repr(value), "between 0 and 1")


@pytest.mark.parametrize(
    ("value", "right"), [(95, "0.95 for 95 %"), (2.5, "0.025 for 2.5 %"), (100, "1 for 100 %")]
)
def test_a_percentage_is_no_fraction(value: float, right: str) -> None:
    for check in (fraction, probability):
        with pytest.raises(ArgumentError) as error:
            check("share", value)
        said(error, "`share`", repr(value), f"a fraction, {right}")
        assert error.value.code == "percent_not_fraction"


def test_a_fraction() -> None:
    assert [fraction("share", value) for value in (0, 0.25, 1, np.float32(0.5))] == [
        0,
        0.25,
        1,
        0.5,
    ]
    for value in (-0.1, 101, math.inf, math.nan):
        with pytest.raises(ArgumentError, match=r"`share` is .* a number from 0 to 1"):
            fraction("share", value)


def test_a_length_of_time_is_no_number() -> None:
    # To NumPy it is an integer: 4 weeks were 4.
    weeks = np.timedelta64(4, "W")
    for check in (integer, number):
        with pytest.raises(ArgumentTypeError, match="`window` is "):
            check("window", weeks, 1)
    with pytest.raises(ArgumentTypeError, match="`window` is "):
        probability("window", weeks)


@pytest.mark.parametrize("value", ["0.95", None, True, np.True_, [0.95], {}, pd.NA, 1j], ids=repr)
def test_what_is_no_probability(value: Any) -> None:
    with pytest.raises(ArgumentTypeError) as error:
        probability("confidence_level", value)
    said(error, "`confidence_level`", repr(value), "between 0 and 1")


# --- brackets -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value",
    [(0, 1, 5), [0, 1, 5], range(0, 6, 5), np.array([0, 1, 5]), pd.Series([0, 1, 5], [7, 7, 1])],
    ids=["tuple", "list", "range", "array", "series"],
)
def test_rising_edges(value: Any) -> None:
    found = rising_edges("brackets", value)
    assert found == tuple(value)
    assert {type(edge) for edge in found} == {int}


def test_brackets_may_begin_after_age_0() -> None:
    assert rising_edges("brackets", (3, 4)) == (3, 4)


@pytest.mark.parametrize("value", [(), (0,), (0, 0), (0, 2, 1), (5, 1), [1, 3, 3]], ids=repr)
def test_edges_that_do_not_rise(value: Any) -> None:
    with pytest.raises(ArgumentError) as error:
        rising_edges("brackets", value)
    said(error, "`brackets`", repr(tuple(value)), "two or more rising ages", "(0, 1, 7, 30)")


@pytest.mark.parametrize("value", [(-1, 3), (0, 2**63), (0, 10**30)], ids=repr)
def test_edges_that_are_no_ages(value: Any) -> None:
    # The ages are counted in 64 bits.
    with pytest.raises(ArgumentError) as error:
        rising_edges("brackets", value)
    said(error, "`brackets`")


@pytest.mark.parametrize(
    "value", [(0, 1.0), (0, True), (0, None), (0, "1"), (0, math.inf), [[0, 1]]], ids=repr
)
def test_edges_that_are_no_whole_numbers(value: Any) -> None:
    with pytest.raises(ArgumentTypeError) as error:
        rising_edges("brackets", value)
    said(error, "`brackets`", "whole number")


@pytest.mark.parametrize("value", ["abc", "05", b"05", 5, None, 1.5, True, pd.NA], ids=repr)
def test_what_is_no_sequence_of_edges(value: Any) -> None:
    # Whole, not letter by letter: "`brackets` is 'a'" would be puzzling.
    with pytest.raises(ArgumentTypeError) as error:
        rising_edges("brackets", value)
    said(error, f"`brackets` is {value!r}", "(0, 1, 7, 30)")


@pytest.mark.parametrize("value", [{0, 1, 5}, {0: "a", 5: "b"}], ids=["set", "dict"])
def test_edges_without_an_order(value: Any) -> None:
    with pytest.raises(ArgumentTypeError) as error:
        rising_edges("brackets", value)
    said(error, f"`brackets` is {value!r}")


def test_edges_that_can_be_read_only_once_are_shown_all_the_same() -> None:
    with pytest.raises(RetainkitError) as error:
        rising_edges("brackets", (edge for edge in (0, 2, 1)))  # type: ignore[arg-type]
    said(error, "`brackets`")
    assert "is ()" not in str(error.value)


# --- the public functions with rubbish --------------------------------------------------

EVENTS = pd.DataFrame(
    {
        "customer_id": [1, 1, 2],
        "time": pd.to_datetime(["2024-01-05", "2024-02-06", "2024-02-07"]),
    }
)
AWARE = EVENTS.assign(time=EVENTS["time"].dt.tz_localize("UTC"))
TABLE = cohort_retention(EVENTS, as_of="2024-04-01")

RUBBISH: dict[str, Any] = {
    "5": 5,
    "-1": -1,
    "1.5": 1.5,
    "nan": math.nan,
    "True": True,
    "np.True_": np.True_,
    "np.int64": np.int64(-3),
    "empty text": "",
    "text": "rubbish",
    "bytes": b"month",
    "list": ["month"],
    "nested list": [["a"]],
    "list of None": [None],
    "dict": {"a": 1},
    "set": {"month"},
    "object": object(),
    "function": len,
    "class": int,
    "array": np.array([1, 2]),
    "series": pd.Series([1, 2]),
    "NA": pd.NA,
    "NaT": pd.NaT,
    "huge": 10**30,
}
WORDS = ["entry", "cohort_period", "period", "clock", "counting", "week_start", "missing"]
COLUMNS = ["customer", "time", "amount", "cohort_time", "started", "returned"]
OTHERS = ["by", "brackets", "min_events", "min_customers", "confidence_level", "as_of", "tz"]


def not_its_own(argument: str, function: Any, frame: Any) -> dict[str, str]:
    """Hand in all the rubbish; give what came out other than a result or a proper error."""
    wrong = {}
    for name, value in RUBBISH.items():
        try:
            function(frame, **{argument: value})
        except RetainkitError as error:
            proper = isinstance(error, (TypeError, ValueError, KeyError))
            if not proper or f"`{argument}`" not in str(error):
                wrong[name] = repr(error)
        except Exception as error:  # noqa: BLE001  whatever it is
            wrong[name] = repr(error)
    return wrong


@pytest.mark.filterwarnings("ignore::retainkit.RetainkitWarning")
@pytest.mark.parametrize("argument", [*WORDS, *COLUMNS, *OTHERS])
def test_rubbish_for_cohort_retention(argument: str) -> None:
    assert not_its_own(argument, cohort_retention, AWARE if argument == "tz" else EVENTS) == {}


@pytest.mark.parametrize("argument", ["average", "confidence_level"])
def test_rubbish_for_retention_curve(argument: str) -> None:
    assert not_its_own(argument, retention_curve, TABLE) == {}


def test_rubbish_for_retention_matrix() -> None:
    assert not_its_own("values", retention_matrix, TABLE) == {}


@pytest.mark.parametrize("argument", [*WORDS, "min_events", "min_customers", "confidence_level"])
def test_none_is_no_default(argument: str) -> None:
    with pytest.raises(ArgumentTypeError, match=f"`{argument}` is None"):
        cohort_retention(EVENTS, **{argument: None})  # type: ignore[arg-type]


@pytest.mark.parametrize("argument", ["customer", "time"])
def test_none_is_no_column(argument: str) -> None:
    with pytest.raises(ArgumentTypeError, match=f"`{argument}` is None"):
        cohort_retention(EVENTS, **{argument: None})  # type: ignore[arg-type]


@pytest.mark.parametrize("argument", WORDS)
def test_words_are_spelt_exactly(argument: str) -> None:
    with pytest.raises(ArgumentError, match=f"`{argument}` is 'Month'; it must be one of '"):
        cohort_retention(EVENTS, **{argument: "Month"})  # type: ignore[arg-type]


@pytest.mark.parametrize("value", ["yes", "no", "False", 1, 0, None, [], np.array([True, False])])
def test_include_partial_is_true_or_false(value: Any) -> None:
    # "no" would be true.
    with pytest.raises(ArgumentTypeError, match="`include_partial`"):
        cohort_retention(EVENTS, include_partial=value)


@pytest.mark.parametrize("value", [True, False, np.True_, np.False_])
def test_include_partial_takes_numpys_booleans(value: Any) -> None:
    table = cohort_retention(EVENTS, include_partial=value, as_of="2024-03-15")
    assert table["complete"].all() == (not value)


def test_numbers_of_numpy_are_numbers() -> None:
    options: dict[str, Any] = {"min_events": 1, "min_customers": 1, "brackets": (0, 1, 3)}
    numpy: dict[str, Any] = {"min_events": np.int64(1), "min_customers": np.uint8(1)}
    numpy |= {"brackets": np.array([0, 1, 3]), "confidence_level": np.float64(0.95)}
    have = cohort_retention(EVENTS, as_of="2024-04-01", **numpy)
    pd.testing.assert_frame_equal(have, cohort_retention(EVENTS, as_of="2024-04-01", **options))


def test_arguments_are_looked_at_before_the_data() -> None:
    # A long computation must not end in a complaint about a word.
    with pytest.raises(ArgumentError, match="`counting`"):
        cohort_retention(EVENTS.assign(customer_id=None), counting="never")  # type: ignore[arg-type]


def test_one_start_only() -> None:
    options: dict[str, Any] = {"cohort_time": "time", "started": "bought"}
    with pytest.raises(ArgumentError) as error:
        cohort_retention(EVENTS.assign(bought=True), **options)
    said(error, "`cohort_time` ('time')", "`started`", "leave one of them out")
    with pytest.raises(ArgumentError) as error:
        cohort_retention(EVENTS, cohort_time="time", entry="recurring")
    said(error, "`cohort_time` ('time')", "`entry='recurring'`")


def copy_of(report: Any) -> Any:
    return pickle.loads(pickle.dumps(report))  # noqa: S301  our own


def test_errors_and_warnings_have_their_facts_as_attributes_across_pickling() -> None:
    with pytest.raises(ArgumentError) as raised:
        number("margin", -1, 0, 1)
    assert (raised.value.code, raised.value.argument) == ("argument_value", "margin")
    facts: dict[str, Any] = {
        "code": "null_values",
        "argument": "time",
        "column": "at",
        "rows": 3,
        "total": 9,
    }
    for kind in (ArgumentError, RetainkitWarning):
        copy = copy_of(kind("3 of 9 rows", **facts))
        assert str(copy) == "3 of 9 rows"
        assert {name: getattr(copy, name) for name in facts} == facts
    missing = copy_of(MissingColumnError("time", "at", ["on"]))
    assert (missing.code, missing.argument, missing.column) == ("missing_column", "time", "at")
    assert "'on'" in str(missing)


@pytest.mark.parametrize("month", [2, np.int64(2)])
def test_a_month_in_digits_is_told_its_name(month: Any) -> None:
    with pytest.raises(ArgumentTypeError, match=r"Did you mean 'february'\?$") as error:
        period_option("year", year_start=month)
    assert (error.value.code, error.value.argument) == ("argument_type", "year_start")
    others: list[Any] = [0, 13, True, 2.5, math.nan]
    for other in others:
        with pytest.raises(ArgumentTypeError, match=r"'december'\.$"):
            period_option("year", year_start=other)
    with pytest.raises(ArgumentTypeError, match=r"'sunday'\.$"):  # 0 is Monday or Sunday
        period_option("week", week_start=0)  # type: ignore[arg-type]


VISITS = pd.DataFrame({"customer_id": [1, 2], "time": pd.to_datetime(["2024-01-05", "2024-03-07"])})


@pytest.mark.parametrize("value", ["31/12/2024", "x", 5])
@pytest.mark.parametrize(
    ("argument", "call"),
    [
        ("as_of", lambda value: cohort_retention(VISITS, as_of=value)),
        ("cohort", lambda value: cohort_members(VISITS, cohort=value)),
        ("origin", lambda value: cohort_retention(VISITS, period="14 days", origin=value)),
        ("period", lambda value: cohort_retention(VISITS, period=["2024-01-01", value])),
        ("calibration_end", lambda value: calibration_holdout(VISITS, calibration_end=value)),
        ("start", lambda value: datasets.make_subscriptions(10, start=value, seed=1)),
    ],
)
def test_what_is_no_time_has_one_code(argument: str, call: Any, value: Any) -> None:
    with pytest.raises((ArgumentError, ArgumentTypeError)) as error:
        call(value)
    assert (error.value.code, error.value.argument) == ("not_a_time", argument)
