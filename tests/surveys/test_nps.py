"""Net promoter score: published cases, edge cases, slow references, invariants, coverage."""

import math
import random
import warnings
from collections import Counter, defaultdict
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import scipy.stats

from backends import Backend
from retainkit import nps, nps_from_counts, rake
from retainkit.errors import (
    ArgumentError,
    ArgumentTypeError,
    ColumnTypeError,
    MissingColumnError,
    RetainkitWarning,
)
from tables import Row, rows_of

Z = 1.959963984540054  # two-sided standard normal quantile of 95 %
NAMES = [
    *("n", "n_missing", "n_invalid", "n_effective", "promoters", "passives", "detractors"),
    *("nps", "standard_error", "lower", "upper", "method"),
]


def answers(scores: Any, **columns: Any) -> pd.DataFrame:
    return pd.DataFrame({"score": scores, **columns})


def one(table: Any, **options: Any) -> Row:
    (row,) = rows_of(nps(table, **options))
    return row


def of(promoters: int, passives: int, detractors: int) -> list[int]:
    return [10] * promoters + [8] * passives + [3] * detractors


def quietly(table: Any, **options: Any) -> list[Row]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RetainkitWarning)
        return rows_of(nps(table, **options))


def slow_score_limits(x: float, y: float, n: float) -> tuple[float, float]:
    """Find the ends of {t: |x - y - n t| <= Z sqrt(n V(t))} by halving, V from Tango's equation."""
    theta = (x - y) / n

    def outside(t: float) -> bool:
        b, c = -(x + y) + (2 * n - x + y) * t, -y * t * (1 - t)
        d = (-b + math.sqrt(max(b * b - 8 * n * c, 0))) / (4 * n)
        return abs(theta - t) > Z * math.sqrt(max(2 * d + t - t * t, 0) / n)

    ends = []
    for end in (-1.0, 1.0):
        near, far = theta, end
        if outside(far):
            for _ in range(200):
                middle = (near + far) / 2
                near, far = (near, middle) if outside(middle) else (middle, far)
        ends.append(far)
    return 100 * ends[0], 100 * ends[1]


# --- published ----------------------------------------------------------------------------------


def test_nps_of_the_r_package() -> None:
    # R NPS, tests/testthat/test_01_basics.R: (D, P, Pr) = (1, 2, 3).
    row = one(answers(of(3, 2, 1)))
    assert row["nps"] == pytest.approx(100 / 3)
    assert row["standard_error"] == pytest.approx(30.4, abs=0.05)


def test_nps_of_a_gist() -> None:
    # gist fitzgeraldsteele/7361953: scores 0..10 once each, and 100/30/80.
    assert one(answers(range(11)))["nps"] == pytest.approx(-45.45454545454545, abs=1e-12)
    assert one(answers(of(100, 30, 80)))["nps"] == pytest.approx(9.5, abs=0.05)


def test_nps_of_delighted_and_npspy() -> None:
    # Delighted help 531; npspy README.
    assert one(answers(of(10, 5, 5)))["nps"] == 25
    for scores, expected in {(0, 7, 9): 0, (7, 9): 50, (0, 7): -50}.items():
        assert one(answers(list(scores)))["nps"] == expected


def test_variances_of_the_r_package() -> None:
    # (D, P, Pr) = (1, 0, 1), (0, 1, 1), (1, 1, 1): var 1, .25, 2/3; se .707, .354, .471.
    for (detractors, passives, promoters), error in {
        (1, 0, 1): 0.707,
        (0, 1, 1): 0.354,
        (1, 1, 1): 0.471,
    }.items():
        row = one(answers(of(promoters, passives, detractors)))
        assert row["standard_error"] / 100 == pytest.approx(error, abs=5e-4)


def test_scores_of_another_scale_of_the_r_package() -> None:
    # R NPS: scores 1..15, cuts (0, 6, 8, 15): NPS 2/30... of the 15 scores: 7 promoters, 6 below.
    row = one(answers(range(1, 16)), scale=(1, 15), cuts=(6, 8))
    assert row["nps"] / 100 == pytest.approx(2 / 30)
    variance = (row["standard_error"] / 100) ** 2 * 15
    assert variance == pytest.approx(0.8622, abs=5e-5)


def test_counts_of_reportstream_that_do_not_add_up_are_refused() -> None:
    # CDCgov/prime-reportstream #5281: "32 provided NPS", of 2, 11 and 18.
    table = pd.DataFrame({"promoters": [18], "passives": [11], "detractors": [2], "n": [32]})
    with pytest.raises(ArgumentError, match=r"do not add up.*1 row: 31 instead of 32"):
        nps_from_counts(table, n="n")
    (row,) = rows_of(nps_from_counts(table))
    assert (row["n"], round(row["nps"], 1)) == (31, 51.6)


def test_wrong_answers_that_were_published_are_not_given() -> None:
    # A calculator's page prints 61.54 - 15.38 = 46.16; the exact value is 46.1538.
    assert one(answers(of(120, 45, 30)))["nps"] == pytest.approx(100 * 90 / 195, abs=1e-12)
    # A gist prints (14.3, 20.5) for 250, 75 of 1000; with the covariance (14.1, 20.9).
    row = one(answers(of(250, 675, 75)), method="wald")
    assert [row["lower"], row["upper"]] == pytest.approx([14.1, 20.9], abs=0.05)
    # marketr rounds the parts before it subtracts: two of six are not 33 %.
    assert one(answers(of(2, 3, 1)))["nps"] == pytest.approx(100 / 6, abs=1e-12)


# --- every method -------------------------------------------------------------------------------


@pytest.mark.parametrize("counts", [(5, 3, 2), (1, 0, 0), (0, 10, 0), (18, 11, 2), (0, 0, 4)])
def test_the_score_interval_is_that_of_its_definition(counts: tuple[int, int, int]) -> None:
    row = one(answers(of(*counts)))
    expected = slow_score_limits(counts[0], counts[2], sum(counts))
    assert [row["lower"], row["upper"]] == pytest.approx(expected, abs=1e-9)
    assert row["method"] == "score"


def test_the_other_methods() -> None:
    # Reference 2.2: 5 promoters, 3 passives, 2 detractors.
    row = one(answers(of(5, 3, 2)), method="adjusted_wald")
    assert [row["lower"], row["upper"]] == pytest.approx([-19.05, 65.20], abs=5e-3)
    row = one(answers(of(5, 3, 2)), method="wald")
    assert [row["lower"], row["upper"]] == pytest.approx([-18.41, 78.41], abs=5e-3)


def test_the_bootstrap_agrees_with_all_samples() -> None:
    scores = [10, 10, 8, 3]
    means = Counter[Fraction]()
    values = [Fraction(1), Fraction(1), Fraction(0), Fraction(-1)]
    for code in range(4**4):
        means[sum(values[code // 4**i % 4] for i in range(4)) / 4] += 1
    ordered = sorted(means.elements())
    low, high = ordered[int(0.05 * 256)], ordered[int(0.95 * 256)]
    row = one(answers(scores), method="bootstrap", draws=20_000, seed=1, confidence_level=0.9)
    assert [row["lower"], row["upper"]] == [100 * float(low), 100 * float(high)]
    again = one(answers(scores), method="bootstrap", draws=20_000, seed=1, confidence_level=0.9)
    assert row == again
    with pytest.raises(ArgumentError, match="bootstrap"):
        nps(answers(scores, w=1.0), method="bootstrap", weights="w")


# --- edge cases, rows of section 5 ----------------------------------------------------------------


@pytest.mark.parametrize("wrong", [11, -1, 99])
def test_scores_out_of_the_scale_are_refused_or_counted(wrong: int) -> None:
    table = answers([10, 8, 3, wrong, wrong])
    with pytest.raises(ArgumentError, match=rf"2 answers \({wrong}\) in column 'score'"):
        nps(table)
    row = one(table, invalid="drop")
    assert (row["n"], row["n_missing"], row["n_invalid"], row["nps"]) == (3, 0, 2, 0)
    row = one(table, missing_codes=[wrong])
    assert (row["n"], row["n_missing"], row["n_invalid"], row["nps"]) == (3, 2, 0, 0)


def test_scores_that_are_not_whole() -> None:
    table = answers([8.5, 6.5, 10])
    with pytest.raises(
        ArgumentError, match=r"2 answers \(6.5, 8.5\) in .* are not whole.*fractional"
    ):
        nps(table)
    expected = {"floor": (1, 1, 1), "round": (2, 1, 0), "cut": (2, 1, 0)}
    for fractional, groups in expected.items():
        row = one(table, fractional=fractional)
        shares = [row[name] for name in ("promoters", "passives", "detractors")]
        assert shares == pytest.approx([number / 3 for number in groups]), fractional
    # Nothing comes back on the scale by rounding.
    for fractional in ("floor", "round"):
        row = one(answers([10.4, -0.2, 9.5]), fractional=fractional, invalid="drop")
        assert (row["n"], row["n_invalid"], row["nps"]) == (1, 2, 100)
        with pytest.raises(ArgumentError, match=r"2 answers \(-0.2, 10.4\) .* not on the scale"):
            nps(answers([10.4, -0.2, 9.5]), fractional=fractional)  # type: ignore[arg-type]
    # Half up and not half to even: 8.5 is 9, and 6.5 is 7.
    assert one(answers([6.5]), fractional="round")["passives"] == 1


@pytest.mark.parametrize("scores", [["10", "9"], ["10 - Extremely likely", None], [True, False]])
def test_text_and_truth_are_no_scores(scores: Any) -> None:
    with pytest.raises(ColumnTypeError, match=r"column 'score' .*must hold numbers"):
        nps(answers(scores))
    with pytest.raises(ColumnTypeError, match="must hold numbers"):
        nps(answers(pd.Categorical(["a", "b"])))


def test_labels_say_the_score_of_words() -> None:
    labels = {"Very likely": 10, "Perhaps": 8, "No": 0}
    words = ["Very likely", "No", None, "Perhaps", "Very likely"]
    for given in (words, pd.Categorical(words), np.array(words, object)):
        row = one(answers(given), labels=labels)
        assert (row["n"], row["n_missing"], row["nps"]) == (4, 1, 25)
    with pytest.raises(ArgumentError, match=r"no score for 1 answer in column 'score'.*'Perhaps'"):
        nps(answers(words), labels={"Very likely": 10, "No": 0})
    assert one(answers([5, 1, 3]), labels={5: 10, 3: 8, 1: 0})["nps"] == 0
    for nothing in (None, math.nan):
        row = one(answers(words), labels=labels | {"Perhaps": nothing}, fractional="cut")
        assert (row["n"], row["n_missing"], row["passives"]) == (3, 2, 0)
    for wrong in ({}, ["No"], {"No": "zero"}):
        with pytest.raises((ArgumentError, ArgumentTypeError), match="labels"):
            nps(answers(words), labels=wrong)  # type: ignore[arg-type]
    for dtype in ("bool", "boolean", object):  # engines write True in several ways
        with pytest.raises(
            ColumnTypeError, match="it must hold words or numbers, one answer a row"
        ):
            nps(answers(pd.Series([True, False], dtype=dtype)), labels={True: 10, False: 0})


@pytest.mark.parametrize("dtype", ["float64", "Int64", "float32", "Float64"])
def test_nulls_are_no_answers(dtype: str) -> None:
    row = one(answers(pd.array([10, None, 3, None], dtype)))  # type: ignore[call-overload]
    assert (row["n"], row["n_missing"], row["nps"]) == (2, 2, 0)


@pytest.mark.parametrize(
    "scores",
    [
        pd.Categorical([10, None, 3, 8]),
        pd.Categorical([10.0, None, 3.0, 8.0], ordered=True),
        pd.Series([10, None, 3, 8], dtype=object),
        pd.Series([Fraction(10), None, 3, 8.0], dtype=object).map(
            lambda one: one if one is None else int(one), na_action=None
        ),
        pd.Series([np.int64(10), None, np.float64(3), 8], dtype=object),
    ],
)
def test_numbers_are_scores_however_they_are_kept(scores: Any) -> None:
    row = one(answers(scores))
    assert (row["n"], row["n_missing"], row["nps"]) == (3, 1, 0)


def test_nothing_but_nulls_is_a_row_in_all_kinds_of_frames(backend: Backend) -> None:
    rows: list[Row] = [{"score": None, "plan": plan} for plan in "aab"]
    for kind in (1, 1.0, "a"):
        frame = backend.make(rows, like={"score": kind, "plan": "a"})
        assert [(row["n"], row["n_missing"]) for row in quietly(frame, by="plan")] == [
            (0, 2),
            (0, 1),
        ]


@pytest.mark.parametrize(
    "frame",
    [
        pl.DataFrame({"score": [None, None]}),
        pl.LazyFrame({"score": [None, None]}),
        pa.table({"score": pa.nulls(2)}),
        pd.DataFrame({"score": [None, None]}),
        pd.DataFrame({"score": pd.array([None, None], pd.ArrowDtype(pa.null()))}),  # type: ignore[call-overload]
    ],
)
def test_nulls_without_a_type_are_no_answers(frame: Any) -> None:
    row = one(frame)
    assert (row["n"], row["n_missing"], row["nps"]) == (0, 2, None)


def test_a_segment_without_answers_is_a_row() -> None:
    table = answers([10.0, None, None], plan=["a", "b", "b"])
    first, second = rows_of(nps(table, by="plan"))
    assert (first["n"], second["n"], second["n_missing"]) == (1, 0, 2)
    assert all(second[name] is None for name in ("nps", "lower", "upper", "promoters"))


DECLARED = ["c", "b", "a"]


@pytest.mark.parametrize(
    "plans",
    [
        pd.Categorical(["b", "b", None], DECLARED),
        pd.Categorical(["b", "b", None], DECLARED, ordered=True),
        pl.Series(["b", "b", None], dtype=pl.Enum(DECLARED)),
        "duckdb",
    ],
    ids=["pandas", "ordered", "polars", "duckdb"],
)
def test_declared_segments_without_a_row_are_shown_on_request(plans: Any) -> None:
    columns = {"score": [10, 3, 8], "seats": [1, 1, 2], "who": [1, 1, 2], "w": [1.0, 2.0, 3.0]}
    frames: list[Any] = [pd.DataFrame(columns | {"plan": plans})]
    if isinstance(plans, pl.Series):
        frames = [pl.DataFrame(columns | {"plan": plans})]
        frames.append(frames[0].lazy())
    elif isinstance(plans, str):
        table = pa.table(columns | {"plan": pa.array(["b", "b", None])})
        declared = "*, CASE WHEN score <> 8 THEN 'b' END::ENUM('c', 'b', 'a') AS plan"
        frames = [duckdb.from_arrow(table.drop_columns("plan")).project(declared)]
    for frame in frames:
        assert [(row["plan"], row["n"]) for row in rows_of(nps(frame, by="plan"))] == [
            ("b", 2),
            (None, 1),
        ]
        found = rows_of(nps(frame, by="plan", observed=False))
        assert [(row["plan"], row["n"], row["nps"]) for row in found] == [
            ("c", 0, None),
            ("b", 2, 0),
            ("a", 0, None),
            (None, 1, 0),
        ]
        both = {"by": ["seats", "plan"], "weights": "w", "respondent": "who"}
        seen = {(row["seats"], row["plan"]): row for row in quietly(frame, **both)}
        every = quietly(frame, **both, observed=False)
        assert [(row["seats"], row["plan"]) for row in every] == [
            (seats, plan) for seats in (1, 2) for plan in (*DECLARED, None)
        ]
        for row in every:
            assert row["n"] == 0 or row == seen[row["seats"], row["plan"]]
        assert sum(row["n"] for row in every) == 3
    assert one(frames[0], observed=False)["n"] == 3
    with pytest.raises(ArgumentTypeError, match="`observed` is 'yes'"):
        nps(frames[0], by="plan", observed="yes")  # type: ignore[arg-type]


def test_segments_without_a_row_leave_weights_below_1_what_they_are(backend: Backend) -> None:
    # Of a weight of 1, .5 are promoters and .5 are passives, however the respondent is counted.
    rows: list[dict[str, Any]] = [
        {"plan": "a", "score": 10, "who": 1, "w": 0.5},
        {"plan": "a", "score": 8, "who": 1, "w": 0.5},
        {"plan": "b", "score": 0, "who": 2, "w": 0.25},
    ]
    frame = backend.make(rows)
    options: list[dict[str, Any]] = [{"weights": "w"}, {"respondent": "who", "repeat": "mean"}]
    for option in options:
        found = quietly(frame, by="plan", observed=False, **option)
        assert [row["nps"] for row in found] == [pytest.approx(50), pytest.approx(-100)]


def test_nothing_at_all() -> None:
    row = one(answers(pd.Series([], dtype="int64")))
    assert (row["n"], row["nps"], row["lower"]) == (0, None, None)
    empty = nps(answers(pd.Series([], dtype="object"), plan=pd.Series([], dtype=str)), by="plan")
    assert list(empty) == ["plan", *NAMES]
    assert len(empty) == 0


def test_a_null_segment_is_a_row_of_its_own() -> None:
    table = answers([10, 3, 8], plan=["b", None, "a"])
    assert [(row["plan"], row["nps"]) for row in rows_of(nps(table, by="plan"))] == [
        ("a", 0),
        ("b", 100),
        (None, -100),
    ]


@pytest.mark.parametrize("n", [1, 2, 10, 50])
def test_all_alike_have_an_interval_with_a_width(n: int) -> None:
    z2 = Z**2
    row = one(answers([10] * n))
    assert (row["nps"], row["upper"]) == (100, 100)
    assert row["lower"] == pytest.approx(100 * (n - z2) / (n + z2), abs=1e-9)
    row = one(answers([0] * n))
    assert (row["nps"], row["lower"]) == (-100, -100)
    assert row["upper"] == pytest.approx(-100 * (n - z2) / (n + z2), abs=1e-9)
    row = one(answers([8] * n))
    half = 100 * z2 / (n + z2)
    assert [row["lower"], row["upper"]] == pytest.approx([-half, half], abs=1e-9)


def test_weights_of_zero_negative_infinite_and_null() -> None:
    table = answers([10, 10, 3], w=[1.0, 0.0, 1.0])
    row = one(table, weights="w")
    assert (row["n"], row["nps"]) == (2, 0)
    # What weighs nothing cannot be wrong.
    assert one(answers([10, 99, 3], w=[1.0, 0.0, 1.0]), weights="w")["n_invalid"] == 0
    (row,) = rows_of(nps(answers([10, 3], w=[0.0, 0.0]), weights="w"))
    assert (row["n"], row["nps"], row["lower"]) == (0, None, None)
    for wrong, words in {
        -1.0: "negative in 1 row: -1; weights must",
        math.inf: "infinite, or too large to be squared, in 1 row: inf",
        1e200: r"infinite, or too large to be squared, in 1 row: 1e\+200",
        1e-200: "too small to be squared in 1 row: 1e-200. Multiply all of them",
        math.nan: "null in 1 row",
    }.items():
        with pytest.raises(ArgumentError, match=rf"column 'w' \(given as `weights`\).*{words}"):
            nps(answers([10, 3], w=[1.0, wrong]), weights="w")


def test_one_weight_that_outweighs_all_others_is_warned_of() -> None:
    table = answers([10] * 30 + [3] * 30, w=[1000.0] + [1.0] * 59)
    with pytest.warns(RetainkitWarning, match=r"60 answers that are worth 1\.\d"):
        row = one(table, weights="w")
    assert row["n_effective"] < 1.2
    assert row["upper"] - row["lower"] > 100
    with pytest.warns(RetainkitWarning, match=r"5 answers that are worth 1\.0: a few have very"):
        nps(answers([10, 3, 10, 3, 8], w=[1e6, 1, 1, 1, 1]), weights="w")
    with pytest.warns(RetainkitWarning, match=r"4 answers that are worth 1\.0: a few respondents"):
        nps(answers([10, 3, 10, 3], who=1), respondent="who")
    one(answers([10, 3, 8], w=[5, 1, 1]), weights="w")


def told(table: Any, **options: Any) -> str:
    with pytest.warns(RetainkitWarning) as caught:
        nps(table, **options)
    assert [one.filename for one in caught] == [__file__]
    return str(caught[0].message)


def test_a_warning_of_weights_names_what_is_there() -> None:
    table = answers([10] * 60, w=([1000.0] + [1.0] * 29) * 2, plan=["a"] * 30 + ["b"] * 30)
    text = told(table[:30], weights="w")
    assert text.startswith("there are 30 answers that are worth 1.")
    assert "a few have very large weights in column 'w' (given as `weights`)." in text
    assert "segment" not in text
    assert "respondent" not in text
    text = told(table, weights="w", by="plan")
    assert text.startswith("in 2 segments the answers are worth far less than their number,")
    # Three people gave 40 answers each, all alike.
    table = answers([10] * 80 + [3] * 40, who=[0] * 40 + [1] * 40 + [2] * 40)
    text = told(table, respondent="who")
    assert ": a few respondents gave most of them, by column 'who' (given as `respondent`)." in text


def test_kish() -> None:
    # Kish, by hand: of (1, 1, 1, 1, 4) it is 8^2 / 20 = 3.2; all alike, so no other size is less.
    row = one(answers([10] * 5, w=[1, 1, 1, 1, 4]), weights="w")
    assert row["n_effective"] == pytest.approx(3.2)


def test_errors_name_rows_values_and_the_argument_at_fault() -> None:
    def refused(error: type[Exception], text: str, table: Any, **options: Any) -> None:
        with pytest.raises(error, match=text):
            nps(table, **options)

    negative = r"is negative in 3 rows: -2, -1; (counts|weights) must be 0 or more"
    refused(ArgumentError, negative, answers([1, 2, 3], k=[-1, -2, -1]), counts="k")
    many = "above 1,000,000,000,000 in 2 rows: 4611686018427387904; so many did not answer"
    refused(ArgumentError, many, answers([1, 2, 3], k=[2**62, 1, 2**62]), counts="k")
    refused(ArgumentError, negative, answers([1, 2, 3], w=[-1.0, -2, -1]), weights="w")
    refused(
        ArgumentError,
        r"no score for 3 answers in column 'score' .*: 'x', 'y'\. Give one for each, or make nulls",
        answers(["x", "y", "good", "x"]),
        labels={"good": 10},
    )
    refused(ArgumentTypeError, r"^`scale` is 'ten'; it must be two whole numbers", [], scale="ten")
    refused(ArgumentTypeError, "^`missing_codes` is 99; it must be a list", [], missing_codes=99)
    # Text would be read digit by digit: 9 and 9.
    refused(ArgumentTypeError, "^`missing_codes` is '99'", [], missing_codes="99")
    refused(ArgumentTypeError, "^`scale` is '09'", [], scale="09")
    refused(ArgumentTypeError, "^`cuts` is '68'", [], cuts="68")
    mixed = answers([10, 3], who=np.array([1, "1"], object))
    text = r"'who' \(given as `respondent`\) holds int and str; .* is two respondents"
    refused(ColumnTypeError, text, mixed, respondent="who")
    nested = answers([10, 3], who=[[1], [2]])
    text = r"'who' \(given as `respondent`\) holds Object \(list\); it must hold plain values"
    refused(ColumnTypeError, text, nested, respondent="who")

    words = answers([10, 3], w=["a", "b"])
    text = r"'w' \(given as `weights`\) holds String; it must hold numbers; convert it first,"
    refused(ColumnTypeError, text, words, weights="w")
    times = answers([10, 3, 8], who=[1, 1, 2], t=pd.to_datetime(["2024-01-01", None, None]))  # type: ignore[arg-type]
    text = r"'t' \(given as `time`\) is null in 2 rows, of 3 with an answer; fill it in"
    refused(ArgumentError, text, times, respondent="who", time="t", repeat="last")


def test_negative_weights_and_counts_are_told_of_all_kinds_of_frames(backend: Backend) -> None:
    rows: list[Row] = [{"score": i, "k": min(3 - i, 1), "w": min(3.0 - i, 1.0)} for i in range(11)]
    for name in ("counts", "weights"):
        text = rf"is negative in 7 rows: -7, -6, -5, -4, -3, …; {name} must be 0 or more"
        with pytest.raises(ArgumentError, match=text):
            nps(backend.make(rows), **{name: name[0].replace("c", "k")})  # type: ignore[arg-type]
    with pytest.raises(ArgumentError, match=r"negative in 7 rows: -7, -6, -5, -4, -3, …; weights"):
        rake(backend.make(rows), {"score": dict.fromkeys(range(11), 1)}, weights="w")


def test_respondents_need_no_order() -> None:
    plain = one(answers([10, 3, 10, 8], who=[0, 1, 0, 2]), respondent="who")
    unordered = np.array([1j, 2j, 1j, 3j], object)
    assert one(answers([10, 3, 10, 8], who=unordered), respondent="who") == plain


def test_counts_stand_for_respondents() -> None:
    table = answers([10, 8, 3, None], k=[120, 45, 30, 5])
    row = one(table, counts="k")
    assert (row["n"], row["n_missing"]) == (195, 5)
    repeated = one(answers([10] * 120 + [8] * 45 + [3] * 30))
    assert {**row, "n_missing": 0} == repeated
    with pytest.raises(ColumnTypeError, match="whole numbers"):
        nps(answers([10, 3], k=[1.5, 2.0]), counts="k")
    assert one(answers([10, 3], k=[45.0, 5.0]), counts="k")["n"] == 50
    with pytest.raises(ArgumentError, match="is negative in 1 row"):
        nps(answers([10, 3], k=[1, -2]), counts="k")
    with pytest.raises(ArgumentError, match="`counts` and `weights`"):
        nps(answers([10, 3], k=[1, 2]), counts="k", weights="k")


def test_scales_that_look_like_others_are_warned_of() -> None:
    # A column of 1 to 5 read as 0 to 10; of 1 to 10; and an index from 0 to 9.
    with pytest.warns(RetainkitWarning, match="none of 50 answers is above 5.*is the scale from 0"):
        nps(answers([1, 2, 3, 4, 5] * 10))
    with pytest.warns(RetainkitWarning, match="10 answers are 1 and none is 0"):
        nps(answers(list(range(1, 11)) * 10))
    with pytest.warns(RetainkitWarning, match="30 answers are 9 and none is 10"):
        nps(answers(list(range(10)) * 30))
    nps(answers([*range(11)] * 30))
    nps(answers([1, 2, 3, 4, 5]))


def test_a_scale_from_1_to_10_has_the_same_cuts_and_others_have_none() -> None:
    row = one(answers([1, 6, 7, 8, 9, 10]), scale=(1, 10))
    assert [row["detractors"], row["passives"], row["promoters"]] == pytest.approx([1 / 3] * 3)
    with pytest.raises(ArgumentError, match=r"`cuts` is not given.*from 1 to 5"):
        nps(answers([1, 5]), scale=(1, 5))
    assert one(answers([1, 4, 5]), scale=(1, 5), cuts=(3, 4))["nps"] == 0
    for cuts in [(4, 3), (3, 5), (0, 3), (3,), "ab", 3]:
        with pytest.raises((ArgumentError, ArgumentTypeError), match="cuts"):
            nps(answers([1, 5]), scale=(1, 5), cuts=cuts)  # type: ignore[arg-type]


@pytest.mark.parametrize("options", [{"counts": "k"}, {"weights": "w"}, {"respondent": "who"}])
def test_nobody_answered(options: Any, backend: Backend) -> None:
    shown: Row = {"score": 10, "k": 3, "w": 2.5, "who": 1, "plan": "a"}
    empty = backend.make([], like=shown)
    (row,) = rows_of(nps(empty, **options))
    assert [row[name] for name in ("n", "n_missing", "n_invalid", "n_effective")] == [0] * 4
    assert {row[name] for name in ("promoters", "nps", "standard_error", "lower", "upper")} == {
        None
    }
    assert rows_of(nps(empty, by="plan", **options)) == []
    # Rows that count nobody are no answers either.
    if options == {"counts": "k"}:
        (row,) = rows_of(nps(backend.make([shown | {"k": 0}]), **options))
        assert (row["n"], row["nps"]) == (0, None)


def test_a_scale_has_at_most_ten_thousand_steps() -> None:
    fine = answers([0, 5_000, 10_000])
    row = one(fine, scale=(0, 10_000), cuts=(4_999, 9_999))
    assert [row[name] for name in ("promoters", "passives", "detractors")] == pytest.approx(
        [1 / 3] * 3
    )
    with pytest.raises(ArgumentError, match=r"`scale` is \(0, 10001\).*at most 10,000 steps"):
        nps(fine, scale=(0, 10_001), cuts=(4_999, 9_999))


def test_few_answers_are_hidden_on_request() -> None:
    table = answers([10] * 12 + [3] * 4, plan=["a"] * 12 + ["b"] * 4)
    with pytest.warns(RetainkitWarning, match="1 of 2 segments with fewer answers than 5"):
        first, second = rows_of(nps(table, by="plan", min_responses=5))
    assert first["nps"] == 100
    assert second["n"] == 4
    text = told(table[12:], min_responses=5)
    assert text == "4 answers, fewer than 5 (`min_responses`): shown without a score."
    hidden = ("promoters", "passives", "detractors", "nps", "standard_error", "lower", "upper")
    assert all(second[name] is None for name in hidden)


def test_wrong_arguments_are_named() -> None:
    table = answers([10, 3], who=[1, 2])
    for options, words in [
        ({"scale": (10, 0)}, "scale"),
        ({"scale": (0, 9.5)}, "scale"),
        ({"scale": 10}, "scale"),
        ({"missing_codes": ["x"]}, "missing_codes"),
        ({"method": "exact"}, "method"),
        ({"invalid": "clip"}, "invalid"),
        ({"fractional": "up"}, "fractional"),
        ({"repeat": "all"}, "repeat"),
        ({"repeat": "last", "respondent": "who"}, "time"),
        ({"repeat": "last"}, "respondent|time"),
        ({"confidence_level": 95}, "confidence_level"),
        ({"min_responses": 0}, "min_responses"),
        ({"draws": 0}, "draws"),
        ({"by": "nps"}, "by"),
    ]:
        with pytest.raises((ArgumentError, ArgumentTypeError), match=words):
            nps(table, **options)  # type: ignore[arg-type]
    with pytest.raises(MissingColumnError, match="'scores'"):
        nps(table, score="scores")


def test_the_input_is_left_alone() -> None:
    table = answers([10, 3, 8], plan=["a", "b", "a"], who=[1, 1, 2], w=[1.0, 2.0, 3.0])
    table.index = pd.Index([5, 5, 5])
    before = table.copy(deep=True)
    nps(table, by="plan", weights="w", respondent="who", repeat="mean")
    pd.testing.assert_frame_equal(table, before)


# --- respondents who answered several times -----------------------------------------------------

DAY = datetime(2024, 1, 1)  # noqa: DTZ001


def dated(*rows: tuple[int, int, int]) -> pd.DataFrame:
    """Return answers of respondents, each with a score and a day."""
    table = pd.DataFrame(rows, columns=["who", "score", "day"])
    return table.assign(time=pd.Timestamp(DAY) + pd.to_timedelta(table.pop("day"), unit="D"))


def test_first_last_mean_and_error() -> None:
    table = dated((1, 10, 3), (1, 3, 1), (1, 8, 2), (2, 9, 0))
    options: dict[str, Any] = {"respondent": "who", "time": "time"}
    for repeat, score in (("last", 100), ("first", 0)):
        text = (
            f"^2 of 4 answers set aside: only the {repeat} of each respondent in column 'who' "
            rf"\(given as `respondent`\) counts \(`repeat='{repeat}'`\)\.$"
        )
        with pytest.warns(RetainkitWarning, match=text):
            (row,) = rows_of(nps(table, **options, repeat=repeat))  # type: ignore[arg-type]
        assert (row["n"], row["nps"]) == (2, score)
    row = one(table, **options, repeat="mean")
    assert (row["n"], row["nps"]) == (4, 50)
    assert row["promoters"] == pytest.approx((1 / 3 + 1) / 2)
    assert row["n_effective"] == pytest.approx(2**2 / (3 / 9 + 1))  # Kish's
    with pytest.raises(ArgumentError, match=r"1 respondent in column 'who'.*more than once.*1"):
        nps(table, **options, repeat="error")
    assert one(table.iloc[2:], **options, repeat="error")["n"] == 2


def test_an_answer_without_weight_is_not_the_last() -> None:
    table = dated((1, 10, 0), (1, 3, 1), (2, 10, 0)).assign(w=[2.0, 0.0, 2.0])
    for repeat in ("last", "first", "mean", "cluster"):
        row = one(table, respondent="who", time="time", weights="w", repeat=repeat)
        assert (row["n"], row["nps"]) == (2, 100), repeat
    assert one(table, respondent="who", weights="w", repeat="error")["n"] == 2


def test_the_last_answer_is_one_that_counts() -> None:
    table = dated((1, 3, 0), (1, 99, 2), (2, 10, 0))
    row = one(table, respondent="who", time="time", repeat="last", missing_codes=[99])
    assert (row["n"], row["n_missing"], row["nps"]) == (2, 1, 0)


def test_answers_at_the_same_time_have_no_order() -> None:
    table = dated((1, 10, 3), (1, 3, 3), (2, 9, 0))
    for repeat in ("first", "last"):
        with pytest.raises(ArgumentError, match=rf"1 respondent.*at the {repeat} time"):
            nps(table, respondent="who", time="time", repeat=repeat)


def test_unknown_respondents_are_refused() -> None:
    table = answers([10, 3], who=[1, None])
    with pytest.raises(ArgumentError, match=r"column 'who' \(given as `respondent`\) is null in 1"):
        nps(table, respondent="who")
    # Polars and DuckDB keep NaN beside null; two of them are not one respondent.
    numbers = {"score": [10, 3, 3], "who": [1.0, math.nan, math.nan]}
    for frame in (pl.DataFrame(numbers), duckdb.from_arrow(pa.table(numbers))):
        with pytest.raises(ArgumentError, match="is null in 2 rows"):
            nps(frame, respondent="who")


def test_clusters_agree_with_the_linearised_variance_by_hand() -> None:
    rng = random.Random(4)  # noqa: S311
    people = [rng.randrange(12) for _ in range(60)]
    rows = [(who, rng.choice([[10, 10, 8], [8, 3], [3, 3, 10]][who % 3]), 0) for who in people]
    table = dated(*rows)
    values = [1 if score > 8 else -1 if score < 7 else 0 for _, score, _ in rows]
    mean = sum(values) / 60
    sums: dict[int, float] = defaultdict(float)
    for (who, _, _), value in zip(rows, values, strict=True):
        sums[who] += value - mean
    number = len(sums)
    # Reference 2.6: v = C / (C - 1) sum e^2 / (sum w)^2, n_lin = V / v, here with 60 / 59 in both.
    variance = number / (number - 1) * sum(one**2 for one in sums.values()) / 60**2
    spread = sum((value - mean) ** 2 for value in values) / 60
    expected = min(60, spread * 60 / 59 / variance)
    row = one(table, respondent="who")
    assert row["n_effective"] == pytest.approx(expected, rel=1e-12)
    assert row["n_effective"] < 60
    # Korn & Graubard (1998): limits of so many answers times (t of n - 1 / t of C - 1)²; but no
    # fewer than if each respondent had given one answer again and again.
    student = scipy.stats.t.ppf(0.975, 59) / scipy.stats.t.ppf(0.975, number - 1)
    alike = 60**2 / sum(one**2 for one in Counter(people).values())
    size = max(expected * student**2, min(expected, alike))
    assert alike < expected * student**2 < expected
    limits = slow_score_limits(row["promoters"] * size, row["detractors"] * size, size)
    assert [row["lower"], row["upper"]] == pytest.approx(limits, abs=1e-9)


def test_answers_that_are_all_alike_are_worth_one_of_each_respondent() -> None:
    table = answers([10] * 10 + [3] * 10, who=np.repeat(range(4), 5))
    row = one(table, respondent="who")
    # 1 / v, with v = 4 / 3 sum e^2 / n^2 of four sums of 5 or -5, and 19 / 20 as above. By Korn and
    # Graubard alone there would be fewer than two answers in it.
    assert row["n_effective"] == pytest.approx(1 / (4 / 3 * 4 * 25 / 400 * 19 / 20))
    student = scipy.stats.t.ppf(0.975, 19) / scipy.stats.t.ppf(0.975, 3)
    assert row["n_effective"] * student**2 < 2
    limits = slow_score_limits(row["n_effective"] / 2, row["n_effective"] / 2, row["n_effective"])
    assert [row["lower"], row["upper"]] == pytest.approx(limits, abs=1e-9)


def test_who_answers_once_is_no_cluster() -> None:
    rng = np.random.default_rng(3)
    table = answers(rng.integers(0, 11, 200), who=np.arange(200), plan=rng.integers(0, 3, 200))
    assert quietly(table, by="plan", respondent="who") == [
        {
            name: pytest.approx(value, rel=1e-9) if name in {*NAMES[3:11]} else value
            for name, value in row.items()
        }
        for row in quietly(table, by="plan")
    ]


def test_twice_the_same_answers_of_the_same_people_prove_no_more() -> None:
    table = answers([10] * 9 + [8] * 6 + [3] * 5, who=range(20))
    once = one(table)
    twice = one(pd.concat([table, table]), respondent="who")
    assert twice["n"] == 40
    assert twice["n_effective"] == pytest.approx(20 * 39 / 40 * 20 / 19 * 19 / 20, rel=0.03)
    assert [twice["lower"], twice["upper"]] == pytest.approx([once["lower"], once["upper"]], abs=1)


# --- invariants ---------------------------------------------------------------------------------


def random_answers(seed: int, size: int = 400) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    table = answers(
        rng.integers(0, 11, size).astype(float),
        plan=rng.choice(["a", "b", "c"], size, p=[0.7, 0.25, 0.05]),
        channel=rng.choice([1, 2], size),
        w=rng.lognormal(0, 0.7, size),
        who=rng.integers(0, size // 2, size),
    )
    table.loc[rng.random(size) < 0.1, "score"] = None
    return table


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"weights": "w"},
        {"weights": "w", "respondent": "who"},
        {"method": "bootstrap", "seed": 3, "draws": 200},
    ],
)
def test_groups_at_once_are_groups_apart(seed: int, options: Any) -> None:
    table = random_answers(seed)
    together = quietly(table, by=["plan", "channel"], **options)
    assert [(row["plan"], row["channel"]) for row in together] == sorted(
        {(plan, channel) for plan, channel in zip(table["plan"], table["channel"], strict=True)}
    )
    for row in together:
        some = table[(table["plan"] == row["plan"]) & (table["channel"] == row["channel"])]
        (alone,) = quietly(some, **options)
        for name, value in alone.items():
            assert row[name] == (pytest.approx(value, rel=1e-9) if name != "method" else value)


@pytest.mark.parametrize("seed", range(3))
def test_order_constant_weights_and_mirrors_change_nothing(seed: int) -> None:
    table = random_answers(seed)
    plain = quietly(table, by="plan")
    assert quietly(table.sample(frac=1, random_state=seed), by="plan") == plain
    for weight in (1.0, 7.5):
        weighted = quietly(table.assign(w=weight), by="plan", weights="w")
        for row, other in zip(plain, weighted, strict=True):
            for name in NAMES[:-1]:
                assert other[name] == pytest.approx(row[name], rel=1e-9), name
    scaled = quietly(table.assign(w=10 * table["w"]), by="plan", weights="w")
    for row, other in zip(quietly(table, by="plan", weights="w"), scaled, strict=True):
        assert [other[name] for name in NAMES[:-1]] == pytest.approx(
            [row[name] for name in NAMES[:-1]], rel=1e-9
        )
    kind = {**dict.fromkeys(range(7), 9), 7: 8, 8: 8, 9: 3, 10: 3}
    mirrored = quietly(table.assign(score=table["score"].map(kind)), by="plan", weights="w")
    for row, other in zip(quietly(table, by="plan", weights="w"), mirrored, strict=True):
        assert other["promoters"] == pytest.approx(row["detractors"], abs=1e-12)
        assert other["detractors"] == pytest.approx(row["promoters"], abs=1e-12)
        assert other["nps"] == pytest.approx(-row["nps"], abs=1e-9)
        assert [other["lower"], other["upper"]] == pytest.approx(
            [-row["upper"], -row["lower"]], abs=1e-9
        )


def test_groups_weighted_by_their_size_make_the_whole() -> None:
    table = random_answers(8)
    rows = quietly(table, by="plan")
    whole = sum(row["n"] * row["nps"] for row in rows) / sum(row["n"] for row in rows)
    assert one(table)["nps"] == pytest.approx(whole, rel=1e-12)


def test_counts_and_answers_agree() -> None:
    table = random_answers(9).dropna()
    kinds = pd.cut(table["score"], [-1, 6, 8, 10], labels=["detractors", "passives", "promoters"])
    counted = pd.crosstab(table["plan"], kinds).reset_index()
    for method in ("score", "adjusted_wald", "wald"):
        from_counts = rows_of(nps_from_counts(counted, by="plan", method=method))
        assert from_counts == quietly(table, by="plan", method=method)


def test_counts_are_checked_and_added_up() -> None:
    table = pd.DataFrame(
        {"plan": ["a", "a"], "promoters": [1, 2], "passives": [0, 1], "detractors": [1, 1]}
    )
    (row,) = rows_of(nps_from_counts(table, by="plan"))
    assert (row["plan"], row["n"], row["nps"]) == ("a", 6, pytest.approx(100 / 6))
    with pytest.raises(ArgumentError, match=r"\(given as `passives`\) is negative in 1 row: -1;"):
        nps_from_counts(table.assign(passives=[-1, 0]))
    with pytest.raises(ColumnTypeError, match="passives"):
        nps_from_counts(table.assign(passives=[0.5, 0]))
    with pytest.raises(ArgumentError, match="null in 1 row"):
        nps_from_counts(table.assign(passives=pd.array([None, 1], "Int64")))
    with pytest.raises(ArgumentError, match="a column is given for two of `promoters`, `passives`"):
        nps_from_counts(table, passives="promoters")
    (row,) = rows_of(nps_from_counts(table.iloc[:0]))
    assert (row["n"], row["nps"]) == (0, None)


# --- frames -------------------------------------------------------------------------------------


def plain_rows(size: int = 120) -> list[Row]:
    rng = random.Random(5)  # noqa: S311
    return [
        {
            "score": None if rng.random() < 0.1 else float(rng.randrange(11)),
            "plan": rng.choice(["a", "b", None]),
            "who": rng.randrange(40),
            "w": 0.5 + rng.random(),
            "k": rng.randrange(4),
            "time": DAY + timedelta(minutes=i),
        }
        for i in range(size)
    ]


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"by": "plan"},
        {"by": "plan", "weights": "w"},
        {"by": "plan", "counts": "k"},
        {"by": "plan", "respondent": "who", "weights": "w"},
        {"respondent": "who"},
        {"by": "plan", "respondent": "who", "time": "time", "repeat": "last"},
        {"by": "plan", "respondent": "who", "repeat": "mean"},
    ],
    ids=str,
)
def test_all_kinds_of_frames_agree(backend: Backend, options: Any) -> None:
    rows = plain_rows()
    expected = quietly(pd.DataFrame(rows), **options)
    found = quietly(backend.make(rows), **options)
    assert len(found) == len(expected) == (3 if "by" in options else 1)
    for row, other in zip(found, expected, strict=True):
        for name, value in other.items():
            exact = isinstance(value, (str, int)) or value is None
            assert row[name] == (value if exact else pytest.approx(value, rel=1e-9)), name


@pytest.mark.parametrize("repeat", ["cluster", "mean", "last"])
def test_nobody_is_left_of_several_respondents(backend: Backend, repeat: Any) -> None:
    rows: list[Row] = [
        {"score": score, "who": who, "time": DAY, "w": 0.0}
        for score, who in ((99, 1), (None, 2), (99, 3))
    ]
    options: dict[str, Any] = {"respondent": "who", "time": "time", "repeat": repeat}
    (row,) = rows_of(nps(backend.make(rows), missing_codes=[99], **options))
    assert (row["n"], row["n_missing"], row["n_effective"], row["nps"]) == (0, 3, 0, None)
    (row,) = rows_of(nps(backend.make(rows), invalid="drop", **options))
    assert (row["n"], row["n_invalid"], row["lower"]) == (0, 2, None)
    (row,) = rows_of(nps(backend.make(rows), weights="w", **options))
    assert (row["n"], row["upper"]) == (0, None)


def test_words_and_nothing_in_all_kinds_of_frames(backend: Backend) -> None:
    labels = {"yes": 10, "perhaps": 7, "no": 1}
    rows: list[Row] = [
        {"score": word, "who": i % 3} for i, word in enumerate(["yes", "no", None, "perhaps"] * 3)
    ]
    (row,) = quietly(backend.make(rows), labels=labels, respondent="who")
    assert (row["n"], row["n_missing"], row["nps"]) == (9, 3, 0)
    empty = backend.make([], like={"score": 1.0, "plan": "a"})
    table = nps(empty, by="plan")
    assert list(getattr(table, "column_names", getattr(table, "columns", None))) == ["plan", *NAMES]  # type: ignore[arg-type]
    assert rows_of(nps(empty))[0]["n"] == 0


def test_counted_tables_of_all_kinds_of_frames(backend: Backend) -> None:
    rows: list[Row] = [
        {"plan": "b", "promoters": 5, "passives": 3, "detractors": 2},
        {"plan": "a", "promoters": 50, "passives": 30, "detractors": 20},
    ]
    found = rows_of(nps_from_counts(backend.make(rows), by="plan"))
    assert [(row["plan"], row["n"], round(row["lower"], 2)) for row in found] == [
        ("a", 100, 13.96),  # reference 2.2
        ("b", 10, -21.66),
    ]


# --- coverage -----------------------------------------------------------------------------------

MIX = np.array([0.5, 0.3, 0.2])
SCORES = np.array([10, 8, 3])


def stratified(rng: np.random.Generator, rates: Any, mixes: Any, n: int, sets: int) -> Any:
    """Draw answers of strata that answer at other rates; weights are one over the rates."""
    strata = len(rates)
    shares = np.array(rates) / sum(rates)
    stratum = rng.choice(strata, (sets, n), p=shares)
    draw = rng.random((sets, n))
    edges = np.cumsum(np.array(mixes), axis=1)[stratum]
    score = SCORES[(draw[..., None] > edges[..., :2]).sum(axis=-1)]
    return score, 1 / np.array(rates)[stratum]


def lognormal(rng: np.random.Generator, spread: float, mix: Any, n: int, sets: int) -> Any:
    score = rng.choice(SCORES, (sets, n), p=mix)
    return score, rng.lognormal(0, spread, (sets, n))


# The five designs of reference 2.6: NPS of the population, and how answers and weights come.
DESIGNS: dict[str, tuple[float, Any]] = {
    "two strata": (
        30.0,
        lambda rng, n, sets: stratified(rng, [1, 0.5], [MIX, MIX], n, sets),
    ),
    "three strata, response tied to the score": (
        30.0,
        lambda rng, n, sets: stratified(
            rng, [1, 0.3, 0.1], [[0.7, 0.2, 0.1], [0.5, 0.3, 0.2], [0.3, 0.4, 0.3]], n, sets
        ),
    ),
    "lognormal 0.8": (30.0, lambda rng, n, sets: lognormal(rng, 0.8, MIX, n, sets)),
    "lognormal 0.8, NPS 94": (
        94.0,
        lambda rng, n, sets: lognormal(rng, 0.8, [0.95, 0.04, 0.01], n, sets),
    ),
    "lognormal 1.2": (30.0, lambda rng, n, sets: lognormal(rng, 1.2, MIX, n, sets)),
}


@pytest.mark.slow
@pytest.mark.parametrize("n", [25, 50, 100])
@pytest.mark.parametrize("design", DESIGNS)
def test_weighted_intervals_cover_what_they_promise(design: str, n: int) -> None:
    truth, draw = DESIGNS[design]
    sets = 8_000
    score, weight = draw(np.random.default_rng(n), n, sets)
    table = answers(score.ravel(), w=weight.ravel(), draw=np.repeat(np.arange(sets), n))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RetainkitWarning)
        found = nps(table, by="draw", weights="w")
    covered = ((found["lower"] <= truth) & (truth <= found["upper"])).mean()
    assert covered >= 0.93 - 0.005  # two standard errors of a simulation


@pytest.mark.slow
@pytest.mark.parametrize(("people", "each"), [(5, 5), (10, 5), (40, 2.5), (60, 4), (100, 5)])
def test_clustered_intervals_cover_what_they_promise(people: int, each: float) -> None:
    """As reference 2.6: people with 2.5 to 5 answers each, of which 0.7 are kept; and few."""
    rng = np.random.default_rng(people)
    sets = 4_000
    number = 1 + rng.poisson(each - 1, (sets, people))
    owner = np.repeat(np.arange(sets * people), number.ravel())
    own = rng.choice(SCORES, sets * people, p=MIX)
    keeps = rng.random(len(owner)) < 0.7
    score = np.where(keeps, own[owner], rng.choice(SCORES, len(owner), p=MIX))
    table = answers(score, who=owner, draw=owner // people)
    found = nps(table, by="draw", respondent="who")
    covered = ((found["lower"] <= 30) & (found["upper"] >= 30)).mean()
    assert covered >= 0.935 - 0.007
    naive = nps(table, by="draw")
    assert ((naive["lower"] <= 30) & (naive["upper"] >= 30)).mean() < 0.9
