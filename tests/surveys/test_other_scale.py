"""Answers of another scale than the declared one are suspected by all who read them."""

import warnings
from collections.abc import Callable
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any

import pandas as pd
import pytest

from backends import Backend
from retainkit import (
    ces,
    control_chart,
    csat,
    nps,
    nps_difference,
    score_outcomes,
    score_trend,
)
from retainkit._inputs.other_scale import usual_share
from retainkit._inputs.scale import Scale
from retainkit.errors import RetainkitWarning
from tables import Row

DAY = datetime(2024, 1, 1)  # noqa: DTZ001  naive times are the plainest
# R package NPS 1.1, example of `nps`: percentages of the answers 0 to 10.
PERCENT = (2, 1, 1, 1, 1, 3, 3, 9, 22, 22, 35)


def answers(scores: list[int], **columns: Any) -> list[Row]:
    return [
        {"score": one, "wave": "ab"[i % 2], "customer_id": i, "time": DAY + i * timedelta(days=1)}
        | {name: values[i] for name, values in columns.items()}
        for i, one in enumerate(scores)
    ]


def told(function: Callable[..., Any], table: Any, *tables: Any, **options: Any) -> list[Any]:
    """Return the warnings about the scale."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        function(table, *tables, **options)
    found = [one.message for one in caught if isinstance(one.message, RetainkitWarning)]
    return [one for one in found if one.code == "other_scale"]


READERS: dict[str, tuple[Callable[..., Any], dict[str, Any]]] = {
    "nps": (nps, {}),
    "nps by wave": (nps, {"by": "wave"}),
    "nps_difference": (nps_difference, {"group": "wave"}),
    "score_trend": (score_trend, {}),
    "control_chart": (control_chart, {"period": "week"}),
    "csat": (csat, {"scale": (0, 10)}),
    "ces": (ces, {"scale": (0, 10), "higher_is_better": True}),
}
BROKEN = {"1 to 5": [1, 2, 3, 4, 5] * 5, "1 to 7": [1, 2, 3, 4, 5, 6, 7] * 4}


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("scale", BROKEN)
def test_a_shorter_scale_is_suspected_by_all_who_read_one(
    reader: str, scale: str, backend: Backend
) -> None:
    scores = BROKEN[scale]
    function, options = READERS[reader]
    (found,) = told(function, backend.make(answers(scores)), **options)
    text = (
        f"in column 'score' (given as `score`) none of {len(scores)} answers is above "
        f"{max(scores)}: is the scale from 0 to 10? If it is another one, set `scale`."
    )
    assert str(found) == text
    assert (found.argument, found.column) == ("score", "score")
    assert (found.rows, found.total) == (len(scores), len(scores))


@pytest.mark.parametrize("scale", BROKEN)
def test_outcomes_suspect_it_too(scale: str, backend: Backend) -> None:
    rows = answers(BROKEN[scale])
    events = [{"customer_id": 1, "time": DAY + timedelta(days=3)}]
    options: dict[str, Any] = {"horizon": "7D", "as_of": "2024-03-01"}
    (found,) = told(score_outcomes, backend.make(rows), backend.make(events), **options)
    assert f"none of {len(rows)} answers is above {max(BROKEN[scale])}" in str(found)
    assert (found.argument, found.column) == ("score", "score")


def test_ten_answers_up_to_5_and_twenty_up_to_7_are_enough() -> None:
    def suspected(scores: list[int]) -> bool:
        return bool(told(nps, pd.DataFrame({"score": scores})))

    assert suspected([1, 1, 2, 2, 3, 3, 4, 4, 5, 5])
    assert suspected([3, 4, 5, 5, 5, 4, 5, 4, 5, 5])  # three values, and nobody at the bottom
    assert not suspected([1, 2, 3, 4, 5, 5, 5, 4, 3])
    assert suspected([1, 2, 3, 4, 5, 6, 7, 7, 6, 5] * 2)
    # One satisfied customer, and the scale is filled.
    assert not suspected([2, 3, 4, 5] * 20 + [10])
    # Two values may be anything but yes and no.
    assert not suspected([3, 5] * 50)
    assert not suspected([0] * 50)
    assert suspected([0, 1] * 5)


def test_a_few_detractors_in_a_segment_are_no_other_scale() -> None:
    table = pd.DataFrame(
        {"score": [1, 2, 3, 4, 5] * 5 + [9, 10] * 3, "plan": ["a"] * 25 + ["b"] * 6}
    )
    assert not told(nps, table, by="plan")
    assert told(nps, table[table["plan"] == "a"], by="plan")


def test_the_number_of_answers_is_that_of_respondents() -> None:
    table = pd.DataFrame({"score": [1, 3, 5], "n": [4, 4, 4], "w": [9.0, 9.0, 9.0]})
    (found,) = told(nps, table, counts="n")
    assert found.rows == 12
    assert not told(nps, table, weights="w")
    # Who has no weight did not answer.
    table = pd.DataFrame({"score": [1, 3, 5] * 4 + [10], "w": [1.0] * 12 + [0.0]})
    assert told(nps, table, weights="w")


def test_the_rule_is_the_chance_of_so_many_answers() -> None:
    # The least number of answers none of which is above k, each with the chance of so few.
    for top in range(2, 9):
        share = Fraction(sum(PERCENT[: top + 1]), 100)
        assert usual_share(top, Scale(low=0, high=10)) == pytest.approx(float(share), abs=1e-12)
        least = next(n for n in range(10, 100) if share**n < Fraction(1, 10**10))
        values = [top - i % 3 for i in range(least)]
        assert told(nps, pd.DataFrame({"score": values})), top
        assert not told(nps, pd.DataFrame({"score": values[1:]})), top
        assert least == {5: 10, 6: 11, 7: 15, 8: 28}.get(top, 10)


def test_the_same_rule_on_other_scales() -> None:
    # The third of five answers ends at 6.6 of the 11 usual ones: 9 % up to 5, 3 % of 6.
    assert usual_share(3, Scale(low=1, high=5)) == pytest.approx(0.09 + 0.6 * 0.03)
    assert usual_share(5, Scale(low=1, high=5)) == pytest.approx(1)
    assert usual_share(10, Scale(low=0, high=10)) == pytest.approx(1)
    three = pd.DataFrame({"score": [1, 2, 3] * 4})
    (found,) = told(csat, three)
    assert "none of 12 answers is above 3: is the scale from 1 to 5?" in str(found)
    assert told(ces, three, scale=(1, 7), higher_is_better=True)
    # What is easy by a low answer may well be easy for all.
    assert not told(ces, three, scale=(1, 7), higher_is_better=False)
    assert told(csat, three, scale=(0, 100))
    # 40 to 52 of 100 is no scale in use.
    assert not told(csat, pd.DataFrame({"score": [*range(40, 53)]}), scale=(0, 100))
