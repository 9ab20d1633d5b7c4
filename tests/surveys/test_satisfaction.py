"""Satisfaction, effort and market fit: published cases, vendors' rules, references, edge cases."""

import math
import random
import warnings
from collections import Counter, defaultdict
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd
import pytest
from scipy import stats

from backends import Backend
from event_logs import wilson
from retainkit import ces, csat, pmf
from retainkit._stats.share_intervals import SHARE_INTERVALS
from retainkit.errors import (
    ArgumentError,
    ArgumentTypeError,
    ColumnTypeError,
    MissingColumnError,
    RetainkitWarning,
)
from tables import Row, rows_of

Z = 1.959963984540054  # two-sided standard normal quantile of 95 %
COUNTS = ["n", "n_missing", "n_invalid", "n_effective", "positive", "negative"]
NAMES = [*COUNTS, "csat", "lower", "upper", "stat", "rule", "interval"]


def answers(scores: Any, **columns: Any) -> pd.DataFrame:
    return pd.DataFrame({"score": scores, **columns})


def one(table: Any, metric: Any = csat, **options: Any) -> Row:
    (row,) = rows_of(metric(table, **options))
    return row


def counted(**numbers: int) -> Any:
    """Make a table of answers and how many gave them: s4=2 are two of 4."""
    scores = [int(name[1:]) for name in numbers]
    return answers(scores, people=list(numbers.values()))


def assert_alike(have: Row, want: Row) -> None:
    """Compare rows, floats to 1e-12."""
    assert list(have) == list(want)
    for name, value in want.items():
        near = pytest.approx(value, rel=1e-12, abs=1e-12) if isinstance(value, float) else value
        assert have[name] == near, (name, have, want)


# --- published ----------------------------------------------------------------------------------


def test_mean_of_maximum_as_a_vendor_computes_it() -> None:
    # A vendor's page on metric scores: ten answers on a scale from 1 to 10 make 60 %.
    table = answers([6, 7, 5, 3, 8, 9, 4, 10, 7, 1])
    row = one(table, scale=(1, 10), stat="mean_of_maximum")
    assert row["csat"] == pytest.approx(0.6)
    assert (row["rule"], row["interval"]) == ("1-10", "t")
    # The worst answer of all makes a tenth, and 0 when normalised.
    worst = answers([1, 1])
    assert one(worst, scale=(1, 10), stat="mean_of_maximum")["csat"] == pytest.approx(0.1)
    assert one(worst, scale=(1, 10), stat="normalized_mean")["csat"] == 0


def test_neutral_answers_of_simplesat_are_in_the_denominator() -> None:
    # SimpleSat, article 3456900: 8 positive and 2 negative make 80 %, with a neutral one 70 %.
    assert one(counted(s3=8, s1=2), scale=(1, 3), rule="simplesat", counts="people")["csat"] == 0.8
    table = counted(s3=7, s2=1, s1=2)
    row = one(table, scale=(1, 3), rule="simplesat", counts="people")
    assert row["csat"] == pytest.approx(0.7)
    assert (row["n"], row["positive"], row["negative"]) == (10, 7, 2)


def test_normalized_mean_of_take_satisfaction() -> None:
    # PyPI, take-satisfaction, README.
    table = answers(range(11), people=[0, 1, 2, 0, 0, 10, 0, 35, 200, 360, 3330])
    row = one(table, scale=(0, 10), stat="normalized_mean", counts="people")
    assert row["csat"] == pytest.approx(0.9761300152361605, rel=1e-14)
    words = ["awful", "bad", "fair", "good", "great"]
    table = answers(words, people=[0, 1, 35, 350, 3330])
    labels = {word: i + 1 for i, word in enumerate(words)}
    row = one(table, labels=labels, stat="normalized_mean", counts="people")
    assert row["csat"] == pytest.approx(0.9715419806243273, rel=1e-14)


@pytest.mark.parametrize(
    ("good", "n", "lower", "upper"),
    [
        (18, 20, 0.6989663547715128, 0.972133518786232),
        (4, 20, 0.0806576625797981, 0.4160174322518935),
        (4, 200, 0.007804426416349468, 0.05028708690582644),
    ],
)
def test_wilson_limits_of_statsmodels(good: int, n: int, lower: float, upper: float) -> None:
    # statsmodels, results_proportion.py, from R: binom.confint(x = c(18), n = 20). The lower
    # limit of 4 of 200 is 0.00780442641634946836 in exact arithmetic.
    row = one(counted(s5=good, s1=n - good), counts="people")
    assert (row["lower"], row["upper"]) == pytest.approx((lower, upper), rel=1e-12)
    assert row["interval"] == "wilson"


def test_adjusted_wald_limits_of_sauro_and_lewis() -> None:
    # Sauro & Lewis: 4 of 5 completed a task, 36 % to 98 %.
    row = one(answers([5, 5, 4, 4, 1]), interval="agresti_coull")
    assert (round(row["lower"], 2), round(row["upper"], 2)) == (0.36, 0.98)


def test_market_fit_of_calcbee() -> None:
    # calcbee.com: 85 of 300 are 28.3 %.
    table = pd.DataFrame({"answer": ["very disappointed", "not"], "people": [85, 215]})
    row = one(table, pmf, counts="people")
    assert round(100 * row["pmf"], 1) == 28.3
    assert (row["lower"], row["upper"]) == pytest.approx(wilson(85, 300))
    assert row["clears"] is False


def test_sentiment_of_closealert() -> None:
    # Closealert, help page 447422: 49 positive and 4 negative of 53, times 10: 8.5.
    row = one(counted(s3=49, s1=4), scale=(1, 3), rule="simplesat", stat="net", counts="people")
    assert round(10 * row["csat"], 1) == 8.5


def test_votes_of_codewars() -> None:
    # codewars.com, issue 1292: 1 very, 1 somewhat and 2 not satisfied, 38 %.
    labels = {"not": 0, "somewhat": 1, "very": 2}
    table = answers(["very", "somewhat", "not", "not"])
    row = one(table, labels=labels, scale=(0, 2), positive="top1", stat="normalized_mean")
    assert row["csat"] == 0.375


# --- rules --------------------------------------------------------------------------------------

# As the vendors document them: vendor, scale, good answers, bad answers where they are named.
TABLE: list[tuple[str, tuple[int, int], set[int], set[int] | None]] = [
    ("zendesk", (1, 2), {2}, {1}),
    ("zendesk", (1, 3), {3}, {1, 2}),
    ("zendesk", (1, 5), {4, 5}, {1, 2, 3}),
    ("formbricks", (1, 3), {3}, None),
    ("formbricks", (1, 4), {3, 4}, None),
    ("formbricks", (1, 5), {4, 5}, None),
    ("formbricks", (1, 6), {5, 6}, None),
    ("formbricks", (1, 7), {6, 7}, None),
    ("formbricks", (1, 10), {8, 9, 10}, None),
    ("simplesat", (1, 2), {2}, {1}),
    ("simplesat", (1, 3), {3}, {1}),
    ("simplesat", (1, 4), {3, 4}, {1}),
    ("simplesat", (1, 5), {4, 5}, {1, 2}),
    ("nicereply", (1, 5), {4, 5}, None),
]


@pytest.mark.slow
@pytest.mark.parametrize(("rule", "scale", "good", "bad"), TABLE)
def test_the_rules_of_vendors(rule: str, scale: Any, good: set[int], bad: set[int] | None) -> None:
    points = range(scale[0], scale[1] + 1)
    for point in points:
        row = one(answers([point]), scale=scale, rule=rule)
        assert row["positive"] == (point in good)
        assert row["negative"] == (point in bad if bad is not None else point not in good)
        assert row["csat"] == (point in good)
        assert row["rule"].startswith(f"{rule}: ")
        assert row["rule"].endswith(f" of {scale[0]}-{scale[1]}")
    if bad is None:
        with pytest.raises(ArgumentError, match="does not say which answers are bad"):
            csat(answers([1]), scale=scale, rule=rule, stat="net")


@pytest.mark.parametrize(
    ("rule", "good", "bad"),
    [("zonka", {5, 6, 7}, {1, 2, 3}), ("solucx", {5, 6, 7}, {1, 2, 3}), ("cys", {6, 7}, {1, 2, 3})],
)
def test_the_rules_of_vendors_for_effort(rule: str, good: set[int], bad: set[int]) -> None:
    for point in range(1, 8):
        row = one(answers([point]), ces, scale=(1, 7), higher_is_better=True, rule=rule, stat="net")
        assert row["ces"] == (point in good) - (point in bad)
    with pytest.raises(ArgumentError, match="for which high is good"):
        ces(answers([1]), scale=(1, 7), higher_is_better=False, rule=rule, stat="net")
    with pytest.raises(ArgumentError, match=r"says nothing of the `scale` from 1 to 5"):
        ces(answers([1]), scale=(1, 5), higher_is_better=True, rule=rule, stat="net")


def test_a_rule_on_a_scale_that_it_does_not_know_is_refused() -> None:
    with pytest.raises(ArgumentError, match=r"it knows \(1, 2\), \(1, 3\), \(1, 5\)\. Say with"):
        csat(answers([1]), scale=(1, 7), rule="zendesk")


@pytest.mark.parametrize(
    ("scale", "positive", "negative", "text"),
    [
        ((1, 5), "top2", None, "4-5 less 1-2 of 1-5"),
        ((1, 5), "top1", None, "5 less 1 of 1-5"),
        ((1, 5), "top3", None, "3-5 less 1-2 of 1-5"),  # its mirror would show 3 as well
        ((1, 5), [2, 4, 5], None, "2, 4-5 less 1, 3 of 1-5"),
        ((1, 5), [5, 3], [1], "3, 5 less 1 of 1-5"),
        ((1, 5), {4, 5}, "bottom3", "4-5 less 1-3 of 1-5"),
        ((0, 10), "top2", None, "9-10 less 0-1 of 0-10"),
        ((-2, 2), "top2", None, "1-2 less -2 to -1 of -2 to 2"),
    ],
)
def test_the_rule_stands_in_the_result(scale: Any, positive: Any, negative: Any, text: str) -> None:
    table = answers([scale[1]])
    row = one(table, scale=scale, positive=positive, negative=negative, stat="net")
    assert row["rule"] == text
    share = text.partition(" less ")[0] + text[text.index(" of ") :]
    assert one(table, scale=scale, positive=positive, negative=negative)["rule"] == share


def test_effort_has_a_direction() -> None:
    table = answers([1, 2, 2, 5])
    low = {"scale": (1, 5), "higher_is_better": False}
    high = {"scale": (1, 5), "higher_is_better": True}
    mean = one(table, ces, **low)
    assert (mean["ces"], mean["higher_is_better"], mean["positive"]) == (2.5, False, 3)
    assert one(table, ces, **high)["positive"] == 1
    # The middle of a scale is neither easy nor difficult.
    middle = one(answers([3]), ces, stat="net", **high)
    assert (middle["positive"], middle["negative"], middle["ces"]) == (0, 0, 0)
    assert one(answers([5, 6]), ces, scale=(1, 10), higher_is_better=True)["positive"] == 1
    # Of shares and nets high is good, whichever way was asked.
    net = one(table, ces, stat="net", **low)
    assert (net["ces"], net["higher_is_better"]) == (0.5, True)
    assert net["rule"] == "1-2 less 4-5 of 1-5"
    assert one(table, ces, stat="share", positive="top1", **low)["ces"] == 0.25
    turned = one(answers([5, 4, 4, 1]), ces, stat="net", **high)
    assert (turned["ces"], turned["lower"], turned["upper"]) == pytest.approx(
        (net["ces"], net["lower"], net["upper"])
    )
    with pytest.raises(TypeError, match="higher_is_better"):
        ces(table, scale=(1, 5))  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="scale"):
        ces(table, higher_is_better=True)  # type: ignore[call-arg]


# --- intervals ----------------------------------------------------------------------------------

SAMPLES = [(0, 1), (1, 1), (0, 10), (3, 10), (10, 10), (18, 20), (85, 300), (2.5, 7.75)]


@pytest.mark.parametrize(("x", "n"), [one for one in SAMPLES if isinstance(one[0], int)])
@pytest.mark.parametrize("level", [0.8, 0.95, 0.99])
def test_clopper_pearson_leaves_half_of_the_rest_in_each_tail(x: int, n: int, level: float) -> None:
    lower, upper = (float(one) for one in SHARE_INTERVALS["clopper_pearson"](x, n, level))
    tail = (1 - level) / 2
    # Sums of binomial probabilities.
    up = sum(math.comb(n, k) * lower**k * (1 - lower) ** (n - k) for k in range(x, n + 1))
    down = sum(math.comb(n, k) * upper**k * (1 - upper) ** (n - k) for k in range(x + 1))
    assert up == pytest.approx(tail, rel=1e-9) if x else lower == 0
    assert down == pytest.approx(tail, rel=1e-9) if x < n else upper == 1


@pytest.mark.parametrize(("x", "n"), SAMPLES)
def test_jeffreys_leaves_half_of_the_rest_on_each_side(x: float, n: float) -> None:
    lower, upper = (float(one) for one in SHARE_INTERVALS["jeffreys"](x, n, 0.95))

    def below(limit: float) -> float:
        """Add up the posterior density over the angle of which p is the squared sine."""
        angle = (np.arange(200_000) + 0.5) / 200_000 * math.pi / 2
        density = np.sin(angle) ** (2 * x) * np.cos(angle) ** (2 * (n - x))
        return float(density[np.sin(angle) ** 2 <= limit].sum() / density.sum())

    assert below(lower) == pytest.approx(0.025, abs=1e-4) if x > 0 else lower == 0
    assert below(upper) == pytest.approx(0.975, abs=1e-4) if x < n else upper == 1


@pytest.mark.parametrize("interval", SHARE_INTERVALS)
def test_intervals_of_shares_hold_the_share_and_mirror(interval: str) -> None:
    x, n = np.array(SAMPLES, float).T
    lower, upper = SHARE_INTERVALS[interval](x, n, 0.95)
    assert ((lower <= x / n) & (x / n <= upper) & (lower >= 0) & (upper <= 1)).all()
    assert (lower < upper).all()
    mirrored = SHARE_INTERVALS[interval](n - x, n, 0.95)
    np.testing.assert_allclose(1 - mirrored[1], lower, atol=1e-12)
    narrow = SHARE_INTERVALS[interval](x, n, 0.8)
    assert (upper - lower >= narrow[1] - narrow[0]).all()
    assert np.isnan(SHARE_INTERVALS[interval](0, 0, 0.95)).all()


# Mean and worst coverage of 95 % intervals in %, enumerated apart from this code: p = .01 ... .99.
COVERAGE = {
    10: {
        "wilson": (95.4, 86.0),
        "clopper_pearson": (98.3, 96.1),
        "jeffreys": (95.3, 86.9),
        "agresti_coull": (96.4, 92.8),
    },
    100: {
        "wilson": (95.0, 92.1),
        "clopper_pearson": (96.4, 95.4),
        "jeffreys": (95.0, 88.1),
        "agresti_coull": (95.5, 93.9),
    },
}


@pytest.mark.parametrize("n", COVERAGE)
def test_coverage_of_shares_by_exact_enumeration(n: int) -> None:
    chances = np.arange(2, 199) / 200
    weight = stats.binom.pmf(np.arange(n + 1)[:, np.newaxis], n, chances)
    for interval, limits in SHARE_INTERVALS.items():
        lower, upper = limits(np.arange(n + 1), n, 0.95)
        inside = (lower[:, np.newaxis] <= chances) & (chances <= upper[:, np.newaxis])
        covered = 100 * (weight * inside).sum(axis=0)
        found = round(float(covered.mean()), 1), round(float(covered.min()), 1)
        assert found == COVERAGE[n][interval], interval


def test_the_mean_has_students_interval() -> None:
    scores = np.array([1, 2, 2, 3, 4, 4, 5, 3, 2])
    row = one(answers(scores), stat="mean")
    expected = stats.t.interval(0.95, len(scores) - 1, scores.mean(), stats.sem(scores))
    assert (row["csat"], row["lower"], row["upper"]) == pytest.approx((scores.mean(), *expected))
    # The same on other scales.
    share = one(answers(scores), stat="normalized_mean")
    assert [share[k] for k in ("csat", "lower", "upper")] == pytest.approx(
        [(row[k] - 1) / 4 for k in ("csat", "lower", "upper")]
    )
    share = one(answers(scores), stat="mean_of_maximum", confidence_level=0.8)
    expected = stats.t.interval(0.8, len(scores) - 1, scores.mean(), stats.sem(scores))
    assert (share["lower"], share["upper"]) == pytest.approx([limit / 5 for limit in expected])


def test_the_interval_of_a_mean_has_a_width_and_stays_on_the_scale() -> None:
    # Student's would reach to 5.13.
    row = one(answers([5] * 9 + [4]), stat="mean")
    assert row["upper"] == 5
    assert row["lower"] == pytest.approx(4.9 - stats.t.ppf(0.975, 9) * 0.1)
    row = one(answers([1] * 9 + [2]), stat="mean")
    assert row["lower"] == 1
    for n in (1, 10):
        row = one(answers([4] * n), stat="mean")
        others = 1 - wilson(n, n)[0]
        assert row["csat"] == 4
        assert (row["lower"], row["upper"]) == pytest.approx((4 - 3 * others, 4 + others))
    # Of two answers it is Wilson's.
    row = one(answers([2] * 7), scale=(1, 2), positive="top1", stat="normalized_mean")
    assert (row["lower"], row["upper"]) == pytest.approx((wilson(7, 7)[0], 1))


def test_the_net_has_the_interval_of_nps() -> None:
    def outside(t: float, x: int, y: int, n: int) -> bool:
        """Return whether Tango's test rejects t; V from his quadratic equation."""
        b, c = -(x + y) + (2 * n - x + y) * t, -y * t * (1 - t)
        q = (-b + math.sqrt(max(b * b - 8 * n * c, 0))) / (4 * n)
        return abs((x - y) / n - t) > Z * math.sqrt(max(2 * q + t - t * t, 0) / n)

    row = one(answers([5] * 6 + [3] + [1]), stat="net")
    assert row["csat"] == 5 / 8
    for limit, way in ((row["lower"], -1), (row["upper"], 1)):
        assert not outside(limit - way * 1e-9, 6, 1, 8)
        assert outside(limit + way * 1e-9, 6, 1, 8)
    # Without neutral answers it is 2 * Wilson - 1.
    row = one(answers([5] * 6 + [1] * 2), stat="net")
    assert (row["lower"], row["upper"]) == pytest.approx([2 * w - 1 for w in wilson(6, 8)])
    assert (row["interval"], row["stat"]) == ("score", "net")


# --- the slow reference -------------------------------------------------------------------------


def slow_effective(pairs: list[tuple[float, float, Any]]) -> float:
    """Find what answers (value, weight, respondent or None) are worth: the lesser of two sizes."""
    total = sum(w for _, w, _ in pairs)
    used = [pair for pair in pairs if pair[1] > 0]
    kish = total**2 / sum(w * w for _, w, _ in pairs)
    mean = sum(w * x for x, w, _ in pairs) / total
    spread = sum(w * (x - mean) ** 2 for x, w, _ in pairs) / total
    sums: dict[Any, float] = defaultdict(float)
    heavy: dict[Any, float] = defaultdict(float)
    for i, (x, w, who) in enumerate(used):
        sums[i if who is None else who] += w * (x - mean)
        heavy[i if who is None else who] += w
    units, n = len(sums), len(used)
    if spread < 1e-12:
        return min(kish, total**2 / sum(w * w for w in heavy.values()))
    variance = sum(e * e for e in sums.values()) / total**2 * units / (units - 1) * (n - 1) / n
    return min(kish, spread / variance) if variance > 1e-20 else kish


def slow_size_of_limits(pairs: list[tuple[float, float, Any]], effective: float) -> float:
    """Allow for few respondents as Korn & Graubard (1998) do, but not below one answer of each."""
    used = [pair for pair in pairs if pair[1] > 0]
    heavy: dict[Any, float] = defaultdict(float)
    for i, (_, w, who) in enumerate(used):
        heavy[i if who is None else who] += w
    n, units = len(used), len(heavy)
    if not 1 < units < n:
        return effective
    student = stats.t.ppf(0.975, n - 1) / stats.t.ppf(0.975, units - 1)
    alike = sum(heavy.values()) ** 2 / sum(w * w for w in heavy.values())
    return float(max(effective * student**2, min(effective, alike)))


VALUES: dict[str, Any] = {
    "share": lambda x: float(x >= 4),
    "mean": float,
    "net": lambda x: float(x >= 4) - (x <= 2),
}


def slow_csat(rows: list[Row], *, by: list[str], stat: str, **roles: Any) -> list[Row]:
    """Compute shares and means answer by answer, on 1 to 5 with the top 2."""
    segments = {tuple(row[name] for name in by) for row in rows}
    table = []
    for segment in sorted(segments, key=lambda its: [(v is None, str(v)) for v in its]):
        its = [row for row in rows if tuple(row[name] for name in by) == segment]
        known = [row for row in its if row["score"] is not None]
        valid = [row for row in known if 1 <= row["score"] <= 5]
        weight = roles.get("weights")
        who = roles.get("respondent")
        copies = [
            (row["score"], row[weight] if weight else 1.0, row[who] if who else None)
            for row in valid
            for _ in range(row[roles["counts"]] if "counts" in roles else 1)
        ]

        def size(some: list[Row]) -> int:
            if "counts" in roles:
                return int(sum(row[roles["counts"]] for row in some))
            return (
                sum(row[roles["weights"]] > 0 for row in some) if "weights" in roles else len(some)
            )

        line = dict(zip(by, segment, strict=True)) | {
            "n": size(valid),
            "n_missing": size([row for row in its if row["score"] is None]),
            "n_invalid": size([row for row in known if row not in valid]),
            "n_effective": 0.0,
            "positive": size([row for row in valid if row["score"] >= 4]),
            "negative": size([row for row in valid if row["score"] <= 2]),
            "csat": math.nan,
        }
        total = sum(w for _, w, _ in copies)
        lower = upper = math.nan
        if total:
            value = VALUES[stat]
            pairs = [(value(x), w, who) for x, w, who in copies]
            effective = line["n_effective"] = slow_effective(pairs)
            line["csat"] = mean = sum(x * w for x, w, _ in pairs) / total
            if stat == "share":
                size = slow_size_of_limits(pairs, effective)  # type: ignore[assignment]
                lower, upper = wilson(mean * size, size)  # type: ignore[arg-type]
        table.append(line | {"lower": lower, "upper": upper})
    return table


def random_answers(seed: int) -> tuple[list[Row], dict[str, Any]]:
    draw = random.Random(seed)  # noqa: S311
    roles = draw.choice(
        [
            {},
            {"weights": "weight"},
            {"counts": "people"},
            {"respondent": "who"},
            {"weights": "weight", "respondent": "who"},
        ]
    )
    rows = [
        {
            "score": draw.choice([1, 2, 3, 4, 5, 5, 5, None, 9]),
            "team": draw.choice(["a", "b", None]),
            "weight": draw.choice([0.0, 0.5, 1.0, 2.5]),
            "people": draw.randrange(4),
            "who": draw.randrange(8),
        }
        for _ in range(draw.randint(3, 60))
    ]
    return rows, roles | {
        "by": draw.choice([[], ["team"]]),
        "stat": draw.choice(["share", "mean", "net"]),
    }


LIKE = {"score": 1, "team": "a", "weight": 1.0, "people": 1, "who": 1}


def assert_agrees(frame: Any, rows: list[Row], options: dict[str, Any]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RetainkitWarning)
        found = rows_of(csat(frame, invalid="drop", **options))
    expected = slow_csat(rows, **options)
    assert len(found) == len(expected)
    for have, want in zip(found, expected, strict=True):
        for name, value in want.items():
            if name in {"lower", "upper"} and options["stat"] != "share":
                continue
            here = None if isinstance(value, float) and math.isnan(value) else value
            here = pytest.approx(here, rel=1e-9) if isinstance(here, float) else here
            assert have[name] == here, (name, have, want)


@pytest.mark.slow
def test_every_backend_agrees_with_the_slow_reference(backend: Backend) -> None:
    for seed in range(60 if backend.name == "pandas" else 4 if backend.name == "pyspark" else 12):
        rows, options = random_answers(seed)
        assert_agrees(backend.make(rows, like=LIKE), rows, options)


def test_every_backend_gives_its_kind_and_the_same_table(backend: Backend) -> None:
    rows, _ = random_answers(3)
    for row in rows:
        row["score"] = None if row["score"] == 9 else row["score"]
    frame = backend.make(rows, like=LIKE)
    plain = pd.DataFrame(rows)
    for metric, options in (
        (csat, {"stat": "net"}),
        (ces, {"scale": (1, 5), "higher_is_better": False}),
        (pmf, {"answer": "score", "very": 5, "exclude": [1]}),
    ):
        found = metric(frame, by="team", **options)
        assert nw.from_native(found).implementation == backend.result
        for have, want in zip(
            rows_of(found), rows_of(metric(plain, by="team", **options)), strict=True
        ):
            assert_alike(have, want)


def test_text_answers_on_every_backend(backend: Backend) -> None:
    words = ["Very disappointed", "N/A", "not disappointed", None, " very disappointed "]
    frame = backend.make([{"answer": word} for word in words])
    row = one(frame, pmf, exclude="n/a")
    assert [row[k] for k in ("n", "n_missing", "n_excluded", "very")] == [3, 1, 1, 2]
    assert row["pmf"] == pytest.approx(2 / 3)


# --- weights, counts, respondents ---------------------------------------------------------------


def test_weights_that_are_all_alike_change_nothing() -> None:
    scores = [5, 5, 4, 3, 1, 2, 5]
    for stat in ("share", "mean", "net"):
        plain = one(answers(scores), stat=stat)
        for weight in (1.0, 0.3, 250.0):
            weighted = one(answers(scores, w=[weight] * 7), weights="w", stat=stat)
            assert_alike(weighted, plain)


def test_only_the_proportions_of_weights_matter() -> None:
    scores, w = [5, 5, 4, 3, 1], np.array([1.0, 2, 0.5, 1, 3])
    first = one(answers(scores, w=w), weights="w")
    second = one(answers(scores, w=10 * w), weights="w")
    assert_alike(first, second)
    assert first["csat"] == pytest.approx(3.5 / 7.5)
    # Kish: (1, 1, 1, 1, 4) are worth 3.2 where all answered alike.
    row = one(answers([5] * 5, w=[1.0, 1, 1, 1, 4]), weights="w")
    assert row["n_effective"] == pytest.approx(3.2)
    assert (row["lower"], row["upper"]) == pytest.approx((wilson(3.2, 3.2)[0], 1))  # type: ignore[arg-type]


def test_answers_of_weight_0_do_not_count() -> None:
    row = one(answers([5, 4, 1], w=[1.0, 1.0, 0.0]), weights="w")
    assert (row["n"], row["csat"]) == (2, 1)
    row = one(answers([5, 4], w=[0.0, 0.0]), weights="w")
    assert (row["n"], row["n_effective"]) == (0, 0)
    assert (row["csat"], row["lower"], row["upper"]) == (None, None, None)


@pytest.mark.parametrize("metric", [csat, pmf])
@pytest.mark.parametrize(
    ("weight", "text"),
    [
        (-1.0, "negative in 1 row: -1"),
        (math.inf, "infinite, .* in 1 row: inf"),
        (math.nan, "null in 1 row"),
        (None, "null in 1"),
    ],
)
def test_weights_that_are_none_are_refused(metric: Any, weight: Any, text: str) -> None:
    table = pd.DataFrame({"score": [5, 1], "answer": [5, 1], "w": [1.0, weight]})
    options = {"very": 5} if metric is pmf else {}
    with pytest.raises(ArgumentError, match=text):
        metric(table, weights="w", **options)


def test_counts_stand_for_so_many_answers() -> None:
    many = answers([5] * 3 + [4] * 2 + [2] * 4)
    few = counted(s5=3, s4=2, s2=4)
    for stat in ("share", "mean", "net"):
        assert_alike(one(few, counts="people", stat=stat), one(many, stat=stat))


def test_repeat_respondents_widen_the_interval() -> None:
    # Everybody answers three times alike: it is as if they had answered once.
    scores = [5, 5, 4, 3, 1, 2, 5, 4, 1, 3]
    table = answers(scores * 3, who=[*range(10)] * 3)
    for stat in ("share", "net", "mean"):
        once = one(answers(scores), stat=stat)
        thrice = one(table, respondent="who", stat=stat)
        naive = one(table, stat=stat)
        assert thrice["n"] == 30
        assert thrice["csat"] == pytest.approx(once["csat"])
        assert thrice["upper"] - thrice["lower"] > naive["upper"] - naive["lower"]
        # Both variances with their own n - 1: 10 * 29/30 * 10/9 is what 30 answers with n - 1 are.
        assert thrice["n_effective"] == pytest.approx(30 * (9 / 29))
        assert thrice["lower"] == pytest.approx(once["lower"], abs=0.08)
    mean = one(table, respondent="who", stat="mean")
    expected = stats.t.interval(
        0.95, 30 * 9 / 29 - 1, np.mean(scores), np.std(scores, ddof=1) / math.sqrt(10)
    )
    assert (mean["lower"], mean["upper"]) == pytest.approx(expected)


def test_few_respondents_have_few_degrees_of_freedom() -> None:
    # Three people, ten answers each, that do not resemble each other: still three people.
    table = answers([1, 2, 3, 4, 5, 5, 4, 3, 2, 1] * 3, who=[i // 10 for i in range(30)])
    table.loc[0, "score"] = 2
    row = one(table, respondent="who", stat="mean")
    error = math.sqrt(np.var(table["score"], ddof=1) / row["n_effective"])
    assert row["upper"] - row["csat"] == pytest.approx(stats.t.ppf(0.975, 2) * error)


def test_one_answer_of_each_respondent() -> None:
    start = datetime(2024, 1, 1)  # noqa: DTZ001
    table = answers([1, 5, 5, 2], who=["a", "a", "b", "b"])
    table["at"] = pd.to_datetime([start + timedelta(days=i) for i in range(4)])
    options = {"respondent": "who", "time": "at"}
    aside = pytest.warns(RetainkitWarning, match="^2 of 4 answers set aside: only the (la|fir)st ")
    with aside:
        assert one(table, repeat="last", **options)["csat"] == 0.5
    with aside:
        assert one(table, repeat="first", **options)["positive"] == 1
    assert one(table, repeat="mean", respondent="who", stat="mean")["csat"] == 3.25
    with pytest.raises(ArgumentError, match="2 respondents"):
        csat(table, repeat="error", respondent="who")
    with aside:
        found = one(
            table.rename(columns={"score": "answer"}), pmf, very=5, repeat="last", **options
        )
    assert (found["n"], found["very"]) == (2, 1)


# --- edge cases ---------------------------------------------------------------------------------


@pytest.mark.parametrize("scores", [[6, 5], [0, 5], [-1, 5]])
def test_answers_that_are_not_on_the_scale(scores: list[int]) -> None:
    with pytest.raises(
        ArgumentError, match=rf"1 answer \({scores[0]}\) in column 'score' .* is not on the scale"
    ):
        csat(answers(scores))
    row = one(answers(scores), invalid="drop")
    assert (row["n"], row["n_invalid"], row["csat"]) == (1, 1, 1)


def test_codes_for_no_answer() -> None:
    with pytest.raises(ArgumentError, match="99"):
        csat(answers([5, 99, -99]))
    row = one(answers([5, 99, -99, None]), missing_codes=[99, -99])
    assert (row["n"], row["n_missing"]) == (1, 3)


def test_fractional_answers() -> None:
    with pytest.raises(ArgumentError, match=r"1 answer \(3.5\) in .* is not whole"):
        csat(answers([5, 3.5]))
    assert one(answers([5, 3.5]), fractional="floor")["csat"] == 0.5
    assert one(answers([5, 3.5]), fractional="round")["csat"] == 1
    with pytest.raises(ArgumentError, match="not whole") as caught:
        csat(answers([3.5]))
    assert "cut" not in str(caught.value)  # which csat does not know
    with pytest.raises(ArgumentError, match="`fractional` is 'cut'"):
        csat(answers([5]), fractional="cut")  # type: ignore[arg-type]


@pytest.mark.parametrize("scores", [["5", "4"], [" 5 ", "4"], [True, False], ["Very satisfied"]])
def test_answers_that_are_no_numbers_are_refused(scores: list[Any]) -> None:
    with pytest.raises(ColumnTypeError, match=r"column 'score' \(given as `score`\) holds"):
        csat(answers(scores))
    if isinstance(scores[0], str):
        with pytest.raises(ColumnTypeError, match="`labels`"):
            csat(answers(scores))


def test_labels_turn_words_into_scores() -> None:
    labels = {"Very satisfied": 5, "Satisfied": 4, "Dissatisfied": 2}
    words = ["Very satisfied", "Satisfied", None, "Dissatisfied"]
    for table in (answers(words), answers(pd.Categorical(words))):
        row = one(table, labels=labels)
        assert (row["n"], row["n_missing"], row["positive"], row["negative"]) == (3, 1, 2, 1)
    with pytest.raises(ArgumentError, match=r"gives no score for 1 answer .*'Neutral'"):
        csat(answers(["Satisfied", "Neutral"]), labels=labels)


def test_segments_without_answers_and_null_segments() -> None:
    table = answers([5, None, 1, 4], team=["b", "a", None, "b"])
    found = rows_of(csat(table, by="team"))
    assert [(row["team"], row["n"]) for row in found] == [("a", 0), ("b", 2), (None, 1)]
    assert [found[0][name] for name in ("csat", "lower", "upper")] == [None] * 3
    for stat in ("mean", "net"):
        first = rows_of(csat(table, by="team", stat=stat))[0]
        assert [first[name] for name in ("csat", "lower", "upper")] == [None] * 3


@pytest.mark.parametrize("stat", ["share", "mean", "net"])
def test_an_empty_frame(backend: Backend, stat: str) -> None:
    empty = backend.make([], like=LIKE)
    row = one(empty, stat=stat)
    assert list(row) == NAMES
    assert [row[name] for name in ("n", "csat", "lower", "upper")] == [0, None, None, None]
    full, none = (csat(backend.make(its, like=LIKE), by="team") for its in ([LIKE], []))
    assert rows_of(none) == []
    assert nw.from_native(none).columns == nw.from_native(full).columns == ["team", *NAMES]


def test_an_empty_frame_has_no_market_fit() -> None:
    empty = pd.DataFrame({"answer": pd.Series([], dtype=str)})
    row = one(empty, pmf)
    assert (row["n"], row["pmf"], row["clears"]) == (0, None, False)


@pytest.mark.parametrize("repeat", ["cluster", "mean", "last"])
def test_nobody_said_anything_in_words(backend: Backend, repeat: Any) -> None:
    day = datetime(2024, 1, 1)  # noqa: DTZ001
    rows: list[Row] = [{"answer": None, "who": who, "at": day} for who in (1, 1, 2)]
    table = backend.make(rows, like={"answer": "very disappointed", "who": 1, "at": day})
    row = one(table, pmf, respondent="who", time="at", repeat=repeat)
    assert (row["n"], row["n_missing"], row["pmf"]) == (0, 3, None)


def test_a_single_answer() -> None:
    row = one(answers([5]))
    assert (row["csat"], row["upper"]) == (1, 1)
    assert row["lower"] == pytest.approx(1 / (1 + Z**2))


def test_another_scale_is_suspected() -> None:
    table = answers([1, 2, 3] * 20)
    with pytest.warns(RetainkitWarning, match="none of 60 answers is above 3"):
        csat(table)


def test_order_index_and_extra_columns_mean_nothing() -> None:
    table = answers([5, 4, 1, 2, None, 3], team=list("aabbab"), text="x")
    shuffled = table.sample(frac=1, random_state=2)
    assert rows_of(csat(table, by="team")) == rows_of(csat(shuffled, by="team"))
    twice = table.set_axis([7] * 6)
    assert rows_of(csat(table, by="team")) == rows_of(csat(twice, by="team"))
    before = table.copy(deep=True)
    csat(table)
    pd.testing.assert_frame_equal(table, before)


@pytest.mark.slow
def test_segments_at_once_equal_segments_apart() -> None:
    rows, _ = random_answers(5)
    table = pd.DataFrame([row for row in rows if row["score"] != 9])
    for stat in ("share", "mean", "net"):
        apart = []
        for team in ("a", "b", None):
            some = table[table["team"].isna() if team is None else table["team"] == team]
            apart.append({"team": team} | one(some, stat=stat, weights="weight"))
        together = rows_of(csat(table, by="team", stat=stat, weights="weight"))
        for have, want in zip(together, apart, strict=True):
            assert_alike(have, want)


@pytest.mark.parametrize("dtype", ["Int8", "Int64", "Float32", "int64[pyarrow]"])
def test_dtypes_of_pandas(dtype: str) -> None:
    scores = pd.Series([5, 4, 1], dtype=dtype)
    assert one(answers(scores)) == one(answers([5, 4, 1]))


# --- market fit ---------------------------------------------------------------------------------


def test_what_is_excluded_leaves_the_denominator() -> None:
    words = ["very disappointed"] * 4 + ["somewhat"] * 4 + ["N/A"] * 2
    table = pd.DataFrame({"answer": words})
    assert one(table, pmf)["pmf"] == 0.4
    row = one(table, pmf, exclude=["N/A"])
    assert (row["n"], row["n_excluded"], row["pmf"]) == (8, 2, 0.5)
    assert one(table, pmf, exclude={"n/a", "somewhat"})["n"] == 4


def test_whether_the_interval_clears_the_threshold() -> None:
    def clears(very: int, **options: Any) -> bool:
        table = pd.DataFrame({"answer": ["very disappointed"] * very + ["no"] * (30 - very)})
        return bool(one(table, pmf, **options)["clears"])

    # The lower limits of 17 and 18 of 30 are .392 and .423.
    assert (clears(17), clears(18)) == (False, True)
    assert clears(17, threshold=0.39)
    assert clears(17, interval="jeffreys", confidence_level=0.9)


def test_declared_segments_without_a_row_are_shown_on_request() -> None:
    plan = pd.Categorical(["b", "b"], ["c", "b"])
    table = answers([5, 1]).assign(plan=plan, answer=["very disappointed", "no"])
    calls: list[tuple[Any, str]] = [
        (csat, "csat"),
        (partial(ces, scale=(1, 5), higher_is_better=True, stat="share"), "ces"),
        (pmf, "pmf"),
    ]
    for call, name in calls:
        found = rows_of(call(table, by="plan", observed=False))
        assert [(row["plan"], row["n"], row[name]) for row in found] == [
            ("c", 0, None),
            ("b", 2, 0.5),
        ]


def test_an_answer_that_nobody_gave_is_doubted() -> None:
    table = pd.DataFrame({"answer": ["sehr enttäuscht", "egal"] * 20})
    with pytest.warns(RetainkitWarning, match="'egal', 'sehr enttäuscht'") as caught:
        assert one(table, pmf)["pmf"] == 0
    assert len(caught) == 1
    assert one(table, pmf, very="Sehr enttäuscht")["pmf"] == 0.5


def test_errors_of_pmf_name_its_own_arguments() -> None:
    table = pd.DataFrame({"answer": [["no"], ["yes"]]})
    text = r"column 'answer' \(given as `answer`\) holds .*; it must hold words or numbers"
    with pytest.raises(ColumnTypeError, match=text):
        pmf(table)
    with pytest.raises(MissingColumnError, match=r"^`answer` needs the column 'answers'"):
        pmf(table, answer="answers")
    with pytest.raises(ArgumentTypeError, match=r"^`answer` is 3"):
        pmf(table, answer=3)  # type: ignore[arg-type]
    with pytest.raises(ArgumentTypeError, match=r"^`exclude` names None; an answer must be text"):
        pmf(table, exclude=[None])  # type: ignore[list-item]
    with pytest.warns(RetainkitWarning, match=r"column 'answer' \(given as `answer`\) answered"):
        pmf(pd.DataFrame({"answer": ["egal"]}))


def test_weights_that_outweigh_all_others_are_warned_of() -> None:
    weights = [1000.0] + [1.0] * 59
    table = answers([5] * 30 + [1] * 30).assign(w=weights, answer="very disappointed")
    calls: list[Any] = [
        lambda: csat(table, weights="w"),
        lambda: ces(table, scale=(1, 5), higher_is_better=True, weights="w"),
        lambda: pmf(table, weights="w"),
    ]
    for call in calls:
        with pytest.warns(RetainkitWarning, match=r"^there are 60 answers that are"):
            call()


def test_what_is_excluded_and_nobody_answered_is_doubted() -> None:
    table = pd.DataFrame({"answer": ["very disappointed", "n/a", "somewhat", None] * 5})
    with pytest.warns(RetainkitWarning) as caught:
        row = one(table, pmf, exclude=["NA", "somewhat", "none"])
    assert (row["n"], row["n_excluded"]) == (10, 5)
    (text,) = [str(one.message) for one in caught]
    assert "column 'answer' (given as `answer`) answered 'NA' or 'none'; the answers are" in text
    assert "'n/a', 'somewhat', 'very disappointed'" in text
    assert text.endswith("set `exclude`.")
    with pytest.warns(RetainkitWarning) as caught:
        one(table, pmf, very="very", exclude={"NA"})
    assert [str(one.message).split()[-1] for one in caught] == ["`very`.", "`exclude`."]
    one(table.iloc[:0], pmf, exclude=["NA"])


@pytest.mark.parametrize(
    "values",
    [
        [12345671, 12345672],
        [12345671.0, 12345672.0],
        [12345.671, 12345.672],
        [0.1234567, 0.1234568],
    ],
)
def test_numbers_are_told_apart_to_the_last_digit(values: list[float]) -> None:
    table = pd.DataFrame({"answer": values})
    row = one(table, pmf, very=values[0])
    assert (row["n"], row["very"]) == (2, 1)
    row = one(table, pmf, very=values[1], exclude=[values[0]])
    assert (row["n"], row["very"], row["n_excluded"]) == (1, 1, 1)


def test_answers_as_numbers() -> None:
    for values in ([1, 2, 3, 1], [1.0, 2.0, 3.0, 1.0], [1.0, math.nan, 3.0, 1.0]):
        row = one(pd.DataFrame({"answer": values}), pmf, very=1, exclude=[3])
        assert (row["very"], row["n_excluded"]) == (2, 1)


# --- arguments ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        ({"score": "scores"}, MissingColumnError, "Did you mean 'score'"),
        ({"stat": "median"}, ArgumentError, "`stat` is 'median'"),
        ({"interval": "wald"}, ArgumentError, "`interval` is 'wald'"),
        ({"interval": "jeffreys", "stat": "mean"}, ArgumentError, "Leave `interval` out"),
        ({"rule": "zendesk", "stat": "mean"}, ArgumentError, "Leave `rule` out"),
        ({"rule": "zendesk", "positive": [5]}, ArgumentError, "Give one of the two"),
        ({"rule": "zendesk", "negative": [1]}, ArgumentError, "Give one of the two"),
        ({"rule": "zendesc"}, ArgumentError, "must be one of 'zendesk', 'formbricks'"),
        ({"rule": 5}, ArgumentTypeError, "`rule` is 5"),
        ({"positive": "top5"}, ArgumentError, "'top2', or a list of some of the answers 1-5"),
        ({"positive": "bottom2"}, ArgumentError, "`positive` is 'bottom2'"),
        ({"positive": []}, ArgumentError, "answers 1-5, not all"),
        ({"positive": [[4]]}, ArgumentError, "`positive` is"),
        ({"positive": [5, 6]}, ArgumentError, "answers 1-5"),
        ({"positive": 4}, ArgumentTypeError, "`positive` is 4"),
        ({"negative": "top2"}, ArgumentError, "bottom2"),
        ({"negative": [4]}, ArgumentError, "both hold 4"),
        ({"scale": 5}, ArgumentTypeError, "`scale` is 5"),
        ({"scale": (5, 1)}, ArgumentError, "the lower one first"),
        ({"scale": (-1, 5), "stat": "mean_of_maximum"}, ArgumentError, "normalized_mean"),
        ({"invalid": "clip"}, ArgumentError, "`invalid`"),
        ({"confidence_level": 95}, ArgumentError, "`confidence_level`"),
        ({"by": "csat"}, ArgumentError, "also the name of a column of the result"),
        ({"repeat": "last"}, ArgumentError, "`respondent`"),
    ],
)
def test_wrong_arguments_are_refused(options: Any, error: Any, text: str) -> None:
    with pytest.raises(error, match=text):
        csat(answers([5, 4]), **options)


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        ({"answer": "answers"}, MissingColumnError, "`answer` needs the column"),
        ({"very": None}, ArgumentTypeError, "an answer must be text or a number"),
        ({"exclude": 3}, ArgumentTypeError, "`exclude` is 3"),
        ({"exclude": ["Yes "]}, ArgumentError, "which is also `very`"),
        ({"threshold": 40}, ArgumentError, "`threshold` is 40"),
        ({"interval": "t"}, ArgumentError, "`interval`"),
    ],
)
def test_wrong_arguments_of_market_fit_are_refused(options: Any, error: Any, text: str) -> None:
    with pytest.raises(error, match=text):
        pmf(pd.DataFrame({"answer": ["yes"]}), **{"very": "yes"} | options)


def test_the_direction_of_effort_is_true_or_false() -> None:
    with pytest.raises(ArgumentTypeError, match="`higher_is_better` is 'yes'"):
        ces(answers([5]), scale=(1, 7), higher_is_better="yes")  # type: ignore[arg-type]


def test_counts_of_the_reference_are_those_of_the_answers() -> None:
    # The reference itself, held to a plain count.
    rows, _ = random_answers(1)
    (row,) = slow_csat(rows, by=[], stat="share")
    counts = Counter(row["score"] for row in rows)
    assert row["positive"] == counts[4] + counts[5]
    assert row["n_missing"] == counts[None]
