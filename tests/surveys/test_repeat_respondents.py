"""Respondents who are there several times: in differences of scores, and among the invited."""

import math
import warnings
from collections import defaultdict
from datetime import datetime, timedelta
from statistics import NormalDist
from typing import Any

import numpy as np
import pandas as pd
import pytest

from backends import Backend
from retainkit import csat, nps, nps_difference, response_rate
from retainkit._stats.nps_differences import correlations
from retainkit.errors import ArgumentError, RetainkitWarning
from tables import Row, rows_of

DAY = datetime(2024, 1, 1)  # noqa: DTZ001  naive times are the plainest
LIMITS = ("lower", "upper")


def differ(table: Any, **options: Any) -> list[Row]:
    return rows_of(nps_difference(table, **({"group": "wave", "respondent": "who"} | options)))


def panel(people: int = 40, seed: int = 1, waves: str = "ab") -> pd.DataFrame:
    """Draw answers of people of whom many are in both groups, some of them several times."""
    rng = np.random.default_rng(seed)
    who = rng.integers(0, people, 3 * people)
    own = rng.choice([10, 8, 3], people)
    drawn = rng.choice([10, 9, 8, 6, 2], len(who))
    return pd.DataFrame(
        {
            "who": who,
            "wave": rng.choice(list(waves), len(who)),
            "score": np.where(rng.random(len(who)) < 0.6, own[who], drawn),
            "w": rng.choice([0.5, 1.0, 2.0], len(who)),
            "time": [DAY + timedelta(hours=i) for i in range(len(who))],
        }
    )


# --- the slow references ------------------------------------------------------------------------


def newcombe(both: int, first: int, second: int, neither: int) -> tuple[float, float]:
    """Limits of a difference of paired shares, Newcombe (1998), Stat. Med. 17:2635, method 10."""
    n, z = both + first + second + neither, NormalDist().inv_cdf(0.975)

    def wilson(x: int) -> tuple[float, float]:
        centre, half = x + z * z / 2, z * math.sqrt(x * (n - x) / n + z * z / 4)
        return (centre - half) / (n + z * z), (centre + half) / (n + z * z)

    x, y = both + first, both + second
    numerator: float = both * neither - first * second
    if numerator > 0:
        numerator = max(numerator - n / 2, 0)
    phi = numerator / math.sqrt(x * (n - x) * y * (n - y))
    (l1, u1), (l2, u2) = wilson(x), wilson(y)
    difference = (x - y) / n
    low = [x / n - l1, u2 - y / n]
    high = [u1 - x / n, y / n - l2]
    below, above = (
        math.sqrt(a * a - 2 * phi * a * b + b * b)
        for a, b in ((low[0], low[1]), (high[0], high[1]))
    )
    return difference - below, difference + above


def slow_correlation(table: pd.DataFrame, first: str, second: str) -> float:
    """Correlation of two scores, respondent by respondent."""
    value = {3: -1, 2: -1, 6: -1, 8: 0, 9: 1, 10: 1}
    answers: dict[str, list[tuple[int, float, float]]] = defaultdict(list)
    for row in rows_of(table):
        answers[row["wave"]].append((row["who"], value[row["score"]], row["w"]))
    error: dict[str, dict[int, float]] = {}
    share: dict[str, dict[int, float]] = {}
    for wave in (first, second):
        total = sum(w for _, _, w in answers[wave])
        mean = sum(w * x for _, x, w in answers[wave]) / total
        error[wave], share[wave] = defaultdict(float), defaultdict(float)
        for who, x, w in answers[wave]:
            error[wave][who] += w * (x - mean) / total
            share[wave][who] += w / total
    both = error[first].keys() & error[second].keys()
    covariance = sum(error[first][who] * error[second][who] for who in both)
    if covariance > 0:
        correction = 2 / len(both) * sum(share[first][who] * share[second][who] for who in both)
        covariance = max(covariance - correction, 0)
    squares = (sum(e * e for e in error[wave].values()) for wave in (first, second))
    return covariance / math.sqrt(math.prod(squares))


def mover(a: Row, b: Row, correlation: float) -> tuple[float, float]:
    """Limits of a difference, of those of `nps`."""
    below, above = (
        math.sqrt(one * one - 2 * correlation * one * other + other * other)
        for one, other in (
            (a["nps"] - a["lower"], b["upper"] - b["nps"]),
            (a["upper"] - a["nps"], b["nps"] - b["lower"]),
        )
    )
    return a["nps"] - b["nps"] - below, a["nps"] - b["nps"] + above


# --- differences --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("counts", "published"),
    [
        # Altman et al. (2000), Statistics with Confidence, Table 6.2: 12.2 %, 1.1 % to 22.6 %.
        ((14, 5, 0, 22), (0.011, 0.226)),
        ((20, 4, 12, 5), None),
        ((1, 9, 8, 2), None),
        ((12, 0, 0, 12), None),
    ],
)
def test_of_pairs_without_passives_the_interval_is_newcombes(
    counts: tuple[int, int, int, int], published: Any, backend: Backend
) -> None:
    pairs = [
        pair
        for n, kind in zip(counts, ("++", "+-", "-+", "--"), strict=True)
        for pair in [kind] * n
    ]
    rows: list[Row] = [
        {"who": who, "wave": wave, "score": 10 if sign == "+" else 3}
        for who, pair in enumerate(pairs)
        for wave, sign in zip("ba", pair, strict=True)
    ]
    (row,) = differ(backend.make(rows))
    have = [row[name] / 200 for name in LIMITS]
    assert have == pytest.approx(newcombe(*counts), abs=1e-9)
    if published:
        assert [round(limit, 3) for limit in have] == list(published)


@pytest.mark.parametrize("options", [{}, {"weights": "w"}])
def test_the_interval_allows_for_people_in_both_groups(options: Any, backend: Backend) -> None:
    for seed in range(3):
        table = panel(seed=seed)
        frame = backend.make(rows_of(table.drop(columns="time")))
        (row,) = differ(frame, **options)
        a, b = rows_of(nps(table, by="wave", respondent="who", **options))
        weighted = table if options else table.assign(w=1.0)
        r = slow_correlation(weighted, "b", "a")
        assert [row[name] for name in LIMITS] == pytest.approx(mover(b, a, r), abs=1e-8)
        assert (row["n_a"], row["n_b"]) == (b["n"], a["n"])


def test_people_in_one_group_have_no_part_in_the_other() -> None:
    table = panel()
    table["who"] += 1000 * (table["wave"] == "b")
    (row,) = differ(table)
    a, b = rows_of(nps(table, by="wave", respondent="who"))
    assert [row[name] for name in LIMITS] == pytest.approx(mover(b, a, 0), abs=1e-9)


def test_where_everybody_answered_once_respondents_change_nothing() -> None:
    table = panel(waves="abc").assign(who=range(120))
    for row, plain in zip(differ(table), differ(table, respondent=None), strict=True):
        assert row == {
            name: pytest.approx(value, abs=1e-9) if isinstance(value, float) else value
            for name, value in plain.items()
        }


def test_a_p_value_is_where_the_interval_begins_to_hold_0() -> None:
    for seed in range(4):
        table = panel(people=15, seed=seed)
        (row,) = differ(table)
        p = row["p_value"]
        for level, holds in ((1 - p - 1e-6, False), (1 - p + 1e-6, True)):
            (at,) = differ(table, confidence_level=level)
            assert (at["lower"] <= 0 <= at["upper"]) == holds
    swapped = table.assign(wave=table["wave"].map({"a": "b", "b": "a"}))
    (other,) = differ(swapped)
    assert other["p_value"] == pytest.approx(row["p_value"], rel=1e-9)
    assert (other["lower"], other["upper"]) == pytest.approx((-row["upper"], -row["lower"]))


def test_equal_scores_and_large_differences_have_p_values() -> None:
    table = pd.DataFrame({"who": [1, 2, 1, 2], "wave": list("aabb"), "score": [10, 3, 10, 3]})
    (row,) = differ(table)
    assert row["p_value"] == 1
    far = pd.DataFrame({"who": range(400), "wave": ["a", "b"] * 200, "score": [10, 3] * 200})
    (row,) = differ(far)
    assert 0 < row["p_value"] < 1e-60


def test_rounding_correlates_nobody_with_those_who_are_all_alike() -> None:
    # In wave b each gives the same answers, weighted alike, so that no mean is off that of all.
    draw = np.random.default_rng(5)
    for people in range(2, 8):
        alike = [(10, 0.3), (10, 0.7), (8, 1.1), (3, 0.1)]
        rows = [
            {"who": who, "wave": "b", "score": score, "w": weight * (who + 1) / 10}
            for who in range(people)
            for score, weight in alike
        ]
        rows += [
            {"who": who, "wave": "a", "score": int(score), "w": 1.0}
            for who in range(people)
            for score in draw.choice([10, 8, 3], 2)
        ]
        table = pd.DataFrame(rows)
        (row,) = differ(table, weights="w")
        a, b = rows_of(nps(table, by="wave", respondent="who", weights="w"))
        assert [row[name] for name in LIMITS] == pytest.approx(mover(b, a, 0), abs=1e-9)


def test_correlations_are_drawn_to_0_where_they_are_positive() -> None:
    # No rounding takes them beyond 1, and where nothing varies there is none.
    covariance = np.array([0.5, 0.1, -0.5, 0.0, 9.0, -9.0])
    have = correlations(covariance, np.array([1.0, 1, 1, 0, 1, 1]), np.full(6, 0.2))
    assert have.tolist() == pytest.approx([0.3, 0, -0.5, 0, 1, -1])


@pytest.mark.parametrize("repeat", ["last", "first", "mean"])
def test_one_answer_of_each_respondent_in_a_group(repeat: Any) -> None:
    table = panel()
    table["who"] += 1000 * (table["wave"] == "b")
    options = {"respondent": "who", "time": "time", "repeat": repeat}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RetainkitWarning)
        (row,) = differ(table, **options)
        a, b = rows_of(nps(table, by="wave", **options))
    assert [row[name] for name in ("nps_a", *LIMITS)] == pytest.approx(
        [b["nps"], *mover(b, a, 0)], abs=1e-9
    )
    with pytest.raises(ArgumentError, match="more than once"):
        differ(table, repeat="error")


def test_pairs_are_of_the_last_answers_if_asked_for() -> None:
    table = panel()
    last = table.groupby(["who", "wave"]).tail(1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RetainkitWarning)
        want = rows_of(nps_difference(last, group="wave", pair="who"))
        have = rows_of(nps_difference(table, group="wave", pair="who", time="time", repeat="last"))
    assert have == want
    with pytest.raises(ArgumentError, match="`repeat='last'`"):
        nps_difference(table, group="wave", pair="who")
    for options in ({"respondent": "who"}, {"weights": "w"}, {"repeat": "mean"}):
        with pytest.raises(ArgumentError) as caught:
            nps_difference(table, group="wave", pair="who", **options)  # type: ignore[arg-type]
        assert caught.value.code == "argument_conflict"
        assert caught.value.argument == next(iter(options))


@pytest.mark.simulation
@pytest.mark.parametrize(("people", "each"), [(25, 1.5), (60, 1.5), (40, 3)])
def test_intervals_of_the_same_people_cover_what_they_promise(people: int, each: float) -> None:
    """People of whom most are in both groups, with answers of which 0.7 are kept."""
    rng = np.random.default_rng(people)
    sets = 1_500
    first, second = [0.5, 0.3, 0.2], [0.4, 0.3, 0.3]
    rows = []
    own = rng.random((sets, people))
    for wave, mix in (("a", first), ("b", second)):
        number = rng.poisson(each, (sets, people))
        owner = np.repeat(np.arange(sets * people), number.ravel())
        keeps = rng.random(len(owner)) < 0.7
        drawn = np.where(keeps, own.ravel()[owner], rng.random(len(owner)))
        score = np.array([10, 8, 3])[np.searchsorted(np.cumsum(mix)[:2], drawn)]
        rows.append(
            pd.DataFrame({"who": owner, "wave": wave, "score": score, "draw": owner // people})
        )
    table = pd.concat(rows)
    truth = 10 - 30
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RetainkitWarning)
        found = nps_difference(table, group="wave", by="draw", respondent="who")
        naive = nps_difference(table, group="wave", by="draw")
    covered, plain = (
        ((one["lower"] <= truth) & (truth <= one["upper"])).mean() for one in (found, naive)
    )
    assert 0.935 - 0.011 <= covered <= 0.985, plain
    assert (found["upper"] - found["lower"]).mean() > 0


# --- response rates -----------------------------------------------------------------------------


def invited(people: int, seed: int = 1) -> list[Row]:
    """Draw the invitations of people who answer more or less often."""
    rng = np.random.default_rng(seed)
    rows = []
    habit = rng.beta(0.5, 0.5, people)
    for number in range(3 * people):
        who = int(rng.integers(people))
        sent = DAY + int(rng.integers(0, 100)) * timedelta(days=1)
        answered = sent + timedelta(days=int(rng.integers(1, 10)))
        rows.append(
            {
                "who": who,
                "sent": sent,
                "responded": answered if rng.random() < habit[who] else None,
                "channel": "ab"[number % 2],
            }
        )
    return rows


@pytest.mark.parametrize("options", [{}, {"by": "channel"}, {"by": "channel", "period": "month"}])
def test_the_interval_of_a_rate_is_that_of_a_share_of_answers(
    options: Any, backend: Backend
) -> None:
    rows = invited(30)
    end = DAY + timedelta(days=95)
    asked: dict[str, Any] = {"respondent": "who", "window": "7D", "as_of": end, **options}
    with pytest.warns(RetainkitWarning, match="at or after as_of"):
        found = rows_of(response_rate(backend.make(rows), **asked))
    # `csat` of 5 for an answer in time and 1 for none, of the invitations that can be judged.
    judged = [
        row | {"score": 5 if answered and answered < row["sent"] + timedelta(days=7) else 1}
        for row in rows
        if row["sent"] + timedelta(days=7) <= end
        for answered in [row["responded"]]
    ]
    for row in found:
        some = [
            one
            for one in judged
            if one["channel"] == row.get("channel", one["channel"])
            and ("period" not in row or one["sent"].month == row["period"].month)
        ]
        if not some:
            continue
        (share,) = rows_of(csat(pd.DataFrame(some), respondent="who"))
        assert row["invitations"] == share["n"]
        for have, want in (("response_rate", "csat"), ("lower", "lower"), ("upper", "upper")):
            assert row[have] == pytest.approx(share[want], abs=1e-9)


def test_who_always_does_the_same_is_nearly_one_invitation() -> None:
    rows = [
        {"who": who, "sent": DAY, "responded": DAY if who < 4 else None}
        for who in range(10)
        for _ in range(6)
    ]
    (row,) = rows_of(response_rate(pd.DataFrame(rows), respondent="who"))
    assert row["response_rate"] == 0.4
    # Ten people, each variance with its own n - 1: that of ten people, and that of sixty answers.
    n, z = 10 * (9 / 10) / (59 / 60), NormalDist().inv_cdf(0.975)
    centre, half = 0.4 * n + z * z / 2, z * math.sqrt(0.24 * n + z * z / 4)
    wilson = [(centre - half) / (n + z * z), (centre + half) / (n + z * z)]
    assert [row[name] for name in LIMITS] == pytest.approx(wilson, abs=1e-9)
    (plain,) = rows_of(response_rate(pd.DataFrame(rows)))
    assert plain["upper"] - plain["lower"] < 0.5 * (row["upper"] - row["lower"])


def test_everybody_invited_once_changes_nothing() -> None:
    table = pd.DataFrame(invited(30)).assign(who=range(90))
    table["responded"] = table["responded"].astype("datetime64[us]")
    for period in (None, "month"):
        plain = rows_of(response_rate(table, by="channel", period=period))
        found = rows_of(response_rate(table, by="channel", period=period, respondent="who"))
        for row, other in zip(found, plain, strict=True):
            assert [*row.values()] == [
                pytest.approx(one, abs=1e-12) if isinstance(one, float) else one
                for one in other.values()
            ]


def test_a_segment_of_nothing_but_later_invitations_has_no_part() -> None:
    rows: list[Row] = [
        {"who": 1, "sent": DAY, "responded": DAY, "channel": "b"},
        {"who": 1, "sent": DAY, "responded": None, "channel": "b"},
        {"who": 2, "sent": DAY + timedelta(days=9), "responded": None, "channel": "a"},
    ]
    with pytest.warns(RetainkitWarning, match="at or after as_of"):
        (row,) = rows_of(
            response_rate(
                pd.DataFrame(rows), by="channel", respondent="who", as_of=DAY + timedelta(days=1)
            )
        )
    assert (row["channel"], row["invitations"], row["responses"]) == ("b", 2, 1)
    # One person is one invitation, and less is known of a half than of a whole.
    assert row["lower"] < 0.1
    assert row["upper"] > 0.9


def test_nobody_unknown_is_invited(backend: Backend) -> None:
    rows = invited(10)
    rows[3] |= {"who": None}
    like = invited(10)[0] | {"responded": DAY}
    frame = backend.make(rows, like=like)
    with pytest.raises(
        ArgumentError, match=r"'who' \(given as `respondent`\) is null in 1 row, of 30"
    ):
        response_rate(frame, respondent="who")
    with pytest.warns(RetainkitWarning, match=r"null in 1 row: 1 of 30 rows left out\.") as caught:
        (row,) = rows_of(response_rate(frame, respondent="who", missing="drop"))
    assert row["invitations"] == 29
    told = caught[0].message
    assert isinstance(told, RetainkitWarning)
    assert (told.argument, told.column, told.rows, told.total) == ("respondent", "who", 1, 30)


# --- what they are counted with -----------------------------------------------------------------


def test_respondents_are_not_grouped_by_pandas(monkeypatch: pytest.MonkeyPatch) -> None:
    # Its table of hashes ends the program where memory runs out; nothing can catch that. With 4
    # million respondents and 220 to 260, or 330 to 390 MB to go, that was no MemoryError.
    grouped: list[str] = []
    group_by = pd.DataFrame.groupby

    def record(frame: pd.DataFrame, by: Any, *args: Any, **options: Any) -> Any:
        grouped.extend([by] if isinstance(by, str) else by)
        return group_by(frame, by, *args, **options)

    monkeypatch.setattr(pd.DataFrame, "groupby", record)
    table = panel()
    nps(table, respondent="who", by="wave")
    differ(table)
    invited = table.rename(columns={"time": "sent"}).assign(
        responded=lambda rows: rows["sent"].where(rows["score"] > 6)
    )
    response_rate(invited, sent="sent", responded="responded", respondent="who", as_of="2025-01-01")
    assert "score" in grouped
    assert "respondent" not in grouped
