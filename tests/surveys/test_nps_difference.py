"""Differences of net promoter scores: slow references, published facts, edge cases, coverage."""

import math
import warnings
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
import pytest

from backends import Backend
from retainkit import nps, nps_difference
from retainkit.errors import (
    ArgumentError,
    ArgumentTypeError,
    ColumnTypeError,
    MissingColumnError,
    RetainkitWarning,
)
from tables import Row, rows_of

COLUMNS = [
    *("group_a", "group_b", "n_a", "n_b", "nps_a", "nps_b"),
    *("difference", "lower", "upper", "p_value", "p_adjusted"),
]


def of(promoters: int, passives: int, detractors: int) -> list[int]:
    return [10] * promoters + [8] * passives + [3] * detractors


def groups(**mixes: tuple[int, int, int]) -> pd.DataFrame:
    rows = [(name, score) for name, mix in mixes.items() for score in of(*mix)]
    return pd.DataFrame(rows, columns=["wave", "score"])


def differ(table: Any, **options: Any) -> list[Row]:
    return rows_of(nps_difference(table, **({"group": "wave"} | options)))


def test_the_interval_is_square_and_add_of_the_two_of_nps() -> None:
    table = groups(a=(20, 10, 5), b=(9, 9, 12))
    (row,) = differ(table)
    assert (row["group_a"], row["group_b"], row["n_a"], row["n_b"]) == ("b", "a", 30, 35)
    a, b = rows_of(nps(table, by="wave"))
    assert (row["nps_a"], row["nps_b"]) == (b["nps"], a["nps"])
    assert row["difference"] == pytest.approx(b["nps"] - a["nps"])
    low = math.hypot(b["nps"] - b["lower"], a["upper"] - a["nps"])
    high = math.hypot(b["upper"] - b["nps"], a["nps"] - a["lower"])
    assert row["lower"] == pytest.approx(row["difference"] - low, abs=1e-9)
    assert row["upper"] == pytest.approx(row["difference"] + high, abs=1e-9)


@pytest.mark.parametrize("mixes", [((20, 10, 5), (9, 9, 12)), ((5, 0, 0), (3, 1, 1))])
def test_the_p_value_is_where_the_interval_begins_to_hold_0(mixes: Any) -> None:
    table = groups(a=mixes[0], b=mixes[1])
    p = differ(table)[0]["p_value"]
    for level, holds in ((1 - p - 1e-6, False), (1 - p + 1e-6, True)):
        (row,) = differ(table, confidence_level=level)
        assert (row["lower"] <= 0 <= row["upper"]) == holds


def test_a_reference_is_what_the_others_are_compared_with() -> None:
    table = groups(a=(5, 3, 2), b=(6, 3, 1), c=(2, 3, 5))
    found = [(row["group_a"], row["group_b"], row["difference"]) for row in differ(table)]
    assert found == [
        ("b", "a", pytest.approx(20)),
        ("c", "a", pytest.approx(-60)),
        ("c", "b", pytest.approx(-80)),
    ]
    found = [(row["group_a"], row["group_b"]) for row in differ(table, reference="b")]  # type: ignore[misc]
    assert found == [("a", "b"), ("c", "b")]  # type: ignore[comparison-overlap]
    with pytest.raises(ArgumentError, match=r"`reference` is 'z'.*'wave'.*'a', 'b', 'c'"):
        differ(table, reference="z")
    # A null is a group, whatever the frame has for it.
    for dtype in (object, "string", "category"):
        group = pd.Series(["a", None, "b"] * 4, dtype=dtype)
        with pytest.raises(ArgumentError, match=r"`reference` is 'z'.*; it has 'a', 'b', None\."):
            differ(pd.DataFrame({"score": [10, 3, 8] * 4, "wave": group}), reference="z")


def test_segments_are_compared_apart_and_their_p_values_together() -> None:
    first = groups(a=(20, 5, 5), b=(10, 10, 10)).assign(plan="x")
    second = groups(a=(20, 5, 5), b=(19, 5, 6)).assign(plan="y")
    third = groups(a=(3, 1, 1)).assign(plan="z")
    table = pd.concat([first, second, third])
    found = differ(table, by="plan")
    assert [row["plan"] for row in found] == ["x", "y"], "of z there is only one group"
    for row, some in zip(found, (first, second), strict=True):
        (alone,) = differ(some)
        for name in COLUMNS[:-1]:
            assert row[name] == alone[name]
    p = sorted(row["p_value"] for row in found)
    # Holm: the smaller twice, the larger once, but not below the first.
    assert sorted(row["p_adjusted"] for row in found) == pytest.approx(
        [2 * p[0], max(p[1], 2 * p[0])]
    )
    plain = differ(table, by="plan", adjust="none")
    assert all(row["p_adjusted"] == row["p_value"] for row in plain)
    for row in differ(table, by="plan", adjust="bonferroni"):
        assert row["p_adjusted"] == pytest.approx(min(1, 2 * row["p_value"]))


def test_holm_by_hand() -> None:
    """Holm (1979): the k-th smallest of m is multiplied by m - k + 1, and never below another."""
    rng = np.random.default_rng(2)
    table = pd.DataFrame(
        {"wave": np.repeat(list("abcdef"), 40), "score": rng.choice([10, 8, 3], 240)}
    )
    found = sorted(differ(table), key=lambda row: row["p_value"])
    assert len(found) == len(list(combinations("abcdef", 2)))
    largest = 0.0
    for k, row in enumerate(found):
        largest = max(largest, min(1, row["p_value"] * (len(found) - k)))
        assert row["p_adjusted"] == pytest.approx(largest)


def test_two_groups_of_promoters_do_not_differ_and_are_not_sure() -> None:
    (row,) = differ(groups(a=(8, 0, 0), b=(12, 0, 0)))
    assert (row["difference"], row["p_value"]) == (0, 1)
    assert row["lower"] < -20
    assert row["upper"] > 20


def test_exchanging_groups_turns_the_sign() -> None:
    table = groups(a=(20, 10, 5), b=(9, 9, 12))
    (row,), (other,) = differ(table, reference="a"), differ(table, reference="b")
    assert other["difference"] == -row["difference"]
    assert [other["lower"], other["upper"]] == pytest.approx([-row["upper"], -row["lower"]])
    assert other["p_value"] == pytest.approx(row["p_value"])


def test_weights_and_counts_are_those_of_nps() -> None:
    table = groups(a=(20, 10, 5), b=(9, 9, 12)).assign(w=1.0, k=1)
    plain = differ(table)
    counted = table.groupby(["wave", "score"], as_index=False)["k"].sum()
    for found in (differ(table, weights="w"), differ(counted, counts="k")):
        assert [found[0][name] for name in COLUMNS[2:]] == pytest.approx(
            [plain[0][name] for name in COLUMNS[2:]]
        )
    rng = np.random.default_rng(1)
    table["w"] = rng.lognormal(0, 1, len(table))
    (row,) = differ(table, weights="w")
    assert row["upper"] - row["lower"] > plain[0]["upper"] - plain[0]["lower"]


# --- the same people ----------------------------------------------------------------------------


def paired(*rows: tuple[int, int, int]) -> pd.DataFrame:
    """Return a row for each answer of respondents with a score in wave 1 and one in wave 2."""
    table = [(who, wave, score) for who, *scores in rows for wave, score in enumerate(scores, 1)]
    return pd.DataFrame(table, columns=["who", "wave", "score"])


def test_pairs_by_hand() -> None:
    table = paired((1, 10, 10), (2, 3, 8), (3, 8, 10), (4, 10, 3), (5, 3, 10), (6, 8, 8))
    (row,) = differ(table, pair="who")
    changes = [0, 1, 1, -2, 2, 0]
    n, total, squares = 6, sum(changes), sum(one**2 for one in changes)
    assert (row["n_a"], row["n_b"], row["group_a"], row["group_b"]) == (6, 6, 2, 1)
    assert row["difference"] == pytest.approx(100 * total / n)
    # Reference 2.5: mean S/(n + 3), variance (Q + 3)/(n + 3) - mean^2, over n + 3.
    mean = total / (n + 3)
    error = math.sqrt(((squares + 3) / (n + 3) - mean**2) / (n + 3))
    z = 1.959963984540054
    assert [row["lower"], row["upper"]] == pytest.approx(
        [100 * (mean - z * error), 100 * (mean + z * error)]
    )
    assert row["p_value"] == pytest.approx(math.erfc(mean / error / math.sqrt(2)))


def test_who_did_not_move_leaves_a_width() -> None:
    (row,) = differ(paired(*((who, 10, 10) for who in range(20))), pair="who")
    assert (row["difference"], row["p_value"]) == (0, 1)
    assert row["upper"] == pytest.approx(-row["lower"])
    assert row["upper"] > 5


def test_who_answered_once_is_left_out_of_pairs_and_counted() -> None:
    table = paired((1, 10, 10), (2, 3, 8), (3, 8, 10))
    alone = pd.DataFrame({"who": [7, 8], "wave": [1, 2], "score": [0, 0]})
    with pytest.warns(RetainkitWarning, match="^2 of 8 answers are left out"):
        (row,) = differ(pd.concat([table, alone]), pair="who")
    assert [row[name] for name in COLUMNS] == [
        differ(table, pair="who")[0][name] for name in COLUMNS
    ]


def test_pairs_of_many_groups_and_segments_agree_with_a_slow_count() -> None:
    rng = np.random.default_rng(6)
    table = pd.DataFrame(
        [
            {"who": who, "wave": wave, "plan": "xy"[who % 2], "score": int(rng.integers(0, 11))}
            for who in range(60)
            for wave in "abc"
            if rng.random() < 0.7
        ]
    ).sample(frac=1, random_state=1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RetainkitWarning)
        found = differ(table, pair="who", by="plan")
    value = {(row.who, row.wave): (row.score > 8) - (row.score < 7) for row in table.itertuples()}  # type: ignore[arg-type,operator]
    slow = []
    for plan in "xy":
        for late, early in [("b", "a"), ("c", "a"), ("c", "b")]:
            both = [
                (value[who, late], value[who, early])
                for who in range(60)
                if "xy"[who % 2] == plan and (who, late) in value and (who, early) in value
            ]
            mean = [100 * sum(one) / len(both) for one in zip(*both, strict=True)]
            slow.append((plan, late, early, len(both), *mean))
    assert [
        (row["plan"], row["group_a"], row["group_b"], row["n_a"], row["nps_a"], row["nps_b"])
        for row in found
    ] == [(*one[:4], pytest.approx(one[4]), pytest.approx(one[5])) for one in slow]


def test_an_answer_is_left_out_once_however_many_comparisons_it_lacks() -> None:
    """Of five rows, six answers cannot be missing."""
    table = pd.DataFrame(
        [(1, "a", 9), (1, "b", 3), (2, "a", 9), (3, "b", 9), (4, "c", 9)],
        columns=["who", "wave", "score"],
    )
    table = pd.concat([table.assign(plan="x"), table.iloc[:2].assign(plan="y")])
    table = pd.concat([table, pd.DataFrame([(9, "a", 9, "z")], columns=table.columns)])
    given = {(row.plan, row.wave, row.who) for row in table.itertuples()}

    def count(pairs: list[str]) -> str:
        """Look at every answer, and at every comparison that its group is in."""
        compared, left = set(), set()
        for plan, wave, who in given:
            for other in {"".join(pair).replace(wave, "") for pair in pairs if wave in pair}:  # type: ignore[arg-type,operator]
                if any(one[:2] == (plan, other) for one in given):
                    compared.add((plan, wave, who))
                    if (plan, other, who) not in given:
                        left.add((plan, wave, who))
        return f"^{len(left)} of {len(compared)} answers"

    assert count(["ab", "ac", "bc"]) == "^5 of 7 answers"
    with pytest.warns(RetainkitWarning, match=count(["ab", "ac", "bc"])):
        differ(table, pair="who", by="plan")
    assert count(["ac", "bc"]) == "^5 of 5 answers"
    with pytest.warns(RetainkitWarning, match=count(["ac", "bc"])):
        differ(table, pair="who", by="plan", reference="c")
    assert count(["ab"]) == "^2 of 6 answers"
    with pytest.warns(RetainkitWarning, match=count(["ab"])):
        differ(table[table["wave"] != "c"], pair="who", by="plan")


def test_two_answers_in_a_group_are_no_pair() -> None:
    table = paired((1, 10, 10), (2, 3, 8))
    again = pd.DataFrame({"who": [2], "wave": [2], "score": [10]})
    with pytest.raises(
        ArgumentError, match=r"1 respondent in column 'who' \(given as `pair`\).*more than once.*2"
    ):
        differ(pd.concat([table, again]), pair="who")
    with pytest.raises(ArgumentError, match="`pair`"):
        differ(table.assign(w=1.0), pair="who", weights="w")


def test_missing_answers_make_no_pair() -> None:
    table = paired((1, 10, 10), (2, 3, 8), (3, 8, 99))
    with pytest.warns(RetainkitWarning, match="^1 of 5 answers is left out"):
        (row,) = differ(table, pair="who", missing_codes=[99])
    assert row["n_a"] == 2


# --- edges --------------------------------------------------------------------------------------


def test_nothing_to_compare_is_an_empty_table() -> None:
    for table in (groups(a=(3, 1, 1)), groups(a=(3, 1, 1)).iloc[:0]):
        found = nps_difference(table, group="wave")
        assert list(found) == COLUMNS
        assert len(found) == 0


def test_arguments_are_checked() -> None:
    table = groups(a=(3, 1, 1), b=(3, 1, 1))
    with pytest.raises(MissingColumnError, match="`group` needs the column 'waves'"):
        nps_difference(table, group="waves")
    with pytest.raises(ArgumentError, match="adjust"):
        differ(table, adjust="fdr")
    with pytest.raises(ArgumentTypeError, match="`by` is 3; it must be the name of a column, or"):
        differ(table, by=3)
    with pytest.raises(ArgumentError, match="`by` names 'wave', which is the `group`"):
        differ(table, by=["wave"])
    with pytest.raises(MissingColumnError, match="`pair` needs the column 'whom'"):
        differ(table, pair="whom")
    with pytest.raises(ColumnTypeError, match=r"'wave' \(given as `group`\) holds"):
        differ(table.assign(wave=[[1]] * len(table)))  # type: ignore[list-item]


def test_groups_may_be_called_as_a_column_of_the_result() -> None:
    table = groups(a=(3, 1, 1), b=(3, 1, 1))
    found = nps_difference(table.rename(columns={"wave": "lower"}), group="lower")
    assert rows_of(found) == rows_of(nps_difference(table, group="wave"))
    with pytest.raises(ArgumentError, match="confidence_level"):
        differ(table, confidence_level=95)


def test_all_kinds_of_frames_agree(backend: Backend) -> None:
    rng = np.random.default_rng(7)
    rows: list[Row] = [
        {
            "who": who,
            "wave": wave,
            "plan": ["x", None][who % 2],
            "score": float(rng.integers(0, 11)),
        }
        for who in range(30)
        for wave in (1, 2, 3)
    ]
    for options in ({"reference": 1}, {"by": "plan"}, {"by": "plan", "pair": "who"}):
        expected = differ(pd.DataFrame(rows), **options)
        found = differ(backend.make(rows), **options)
        assert len(found) == len(expected) > 1
        for row, other in zip(found, expected, strict=True):
            assert list(row) == list(other)
            for name, value in other.items():
                same = pytest.approx(value, rel=1e-9) if isinstance(value, float) else value
                assert row[name] == same, name


def test_what_is_left_out_or_outweighs_all_others_is_warned_of() -> None:
    table = groups(a=(20, 10, 5), b=(9, 9, 12))
    wrong = pd.concat([table, pd.DataFrame({"wave": ["a", "b"], "score": [11, 99]})])
    text = r"^2 answers in column 'score' \(given as `score`\) left out: not on the scale"
    with pytest.warns(RetainkitWarning, match=text):
        found = differ(wrong, invalid="drop")
    assert found == differ(table)
    weights = [1e6, *[1.0] * (len(table) - 1)]
    with pytest.warns(RetainkitWarning, match=r"in 1 segment .* 35 answers that are worth 1\.0"):
        differ(table.assign(w=weights), weights="w")
