"""Rows that lack a respondent, a weight, a count or a time, left out on request and counted."""

import random
import warnings
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from backends import Backend
from retainkit import ces, control_chart, csat, nps, nps_difference, pmf, score_trend
from retainkit.errors import ArgumentError, RetainkitWarning
from tables import Row, rows_of

DAY = datetime(2024, 1, 1)  # noqa: DTZ001  naive times are the plainest


def answers() -> list[Row]:
    draw = random.Random(4)  # noqa: S311
    return [
        {
            "score": None if i % 11 == 5 else draw.randint(1, 5),
            "who": draw.randint(0, 30),
            "w": draw.choice([0.5, 1.0, 2.0]),
            "k": draw.randint(1, 4),
            "time": DAY + i * timedelta(days=1, minutes=i),
            "wave": "ab"[i % 2],
        }
        for i in range(80)
    ]


SCALE: Row = {"scale": (1, 5), "cuts": (3, 4)}
FUNCTIONS: dict[str, tuple[Callable[..., Any], Row]] = {
    "nps": (nps, SCALE),
    "nps_difference": (nps_difference, SCALE | {"group": "wave"}),
    "csat": (csat, {}),
    "ces": (ces, {"scale": (1, 5), "higher_is_better": True}),
    "pmf": (pmf, {"answer": "score", "very": 5}),
    "score_trend": (score_trend, SCALE),
    "control_chart": (control_chart, SCALE),
}
NEEDED: dict[str, Row] = {
    "who": {"respondent": "who"},
    "w": {"weights": "w"},
    "k": {"counts": "k"},
    "time": {"respondent": "who", "time": "time", "repeat": "last"},
}
# Those by period always need a time, and have no `repeat`; what they say of it is tested there.
CASES = [
    (name, column)
    for name in FUNCTIONS
    for column in NEEDED
    if column != "time" or name not in {"score_trend", "control_chart"}
]


@pytest.mark.parametrize(("name", "column"), CASES)
def test_rows_without_what_is_needed_are_left_out(name: str, column: str, backend: Backend) -> None:
    function, options = FUNCTIONS[name]
    options = options | NEEDED[column]
    rows = answers()
    lacking = [row | {column: None} if i % 9 == 2 else row for i, row in enumerate(rows)]
    kept = [row for i, row in enumerate(rows) if i % 9 != 2]
    frame = backend.make(lacking, like=rows[0])
    with pytest.raises(ArgumentError) as caught:
        function(frame, **options)
    assert (caught.value.code, caught.value.column) == ("null_values", column)
    with pytest.warns(RetainkitWarning) as told:
        found = rows_of(function(frame, **options, missing="drop"))
    (said,) = (
        one.message
        for one in told
        if isinstance(one.message, RetainkitWarning) and one.message.code == "null_values"
    )
    assert (said.rows, said.total) == (9, 80)
    assert "9 of 80 rows left out" in str(said)
    assert said.argument == "responses"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RetainkitWarning)  # of answers before the last
        expected = rows_of(function(backend.make(kept, like=rows[0]), **options))
    for row, other in zip(found, expected, strict=True):
        assert row == {
            key: pytest.approx(value, rel=1e-9) if isinstance(value, float) else value
            for key, value in other.items()
        }


@pytest.mark.parametrize("missing", ["raise", "drop"])
def test_a_null_score_is_no_answer(missing: Any, backend: Backend) -> None:
    rows = answers()
    (row,) = rows_of(nps(backend.make(rows), **SCALE, weights="w", missing=missing))
    assert row["n_missing"] == sum(one["score"] is None for one in rows)
    assert row["n"] + row["n_missing"] == 80
