"""Members of cohorts: the rows behind the counts of `cohort_retention`, which has an oracle."""

import uuid
from collections import Counter
from datetime import date, datetime
from typing import Any

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from backends import BACKENDS, Backend
from cohort_questions import question
from event_logs import quietly
from retainkit import cohort_members, cohort_retention
from retainkit.errors import ArgumentError, RetainkitWarning
from sizes import cases
from tables import Row, rows_of

# January's customers are Ann and Bob; Ann comes back in February, Bob in March. Cyd starts in
# February and comes back in March.
VISITS = [
    {"customer_id": who, "time": datetime.fromisoformat(when), "plan": plan}
    for who, when, plan in [
        ("ann", "2024-01-05", "x"),
        ("bob", "2024-01-20", "y"),
        ("ann", "2024-02-03", "y"),
        ("cyd", "2024-02-14", "x"),
        ("bob", "2024-03-01", "x"),
        ("cyd", "2024-03-09", "x"),
    ]
]
JANUARY, FEBRUARY = date(2024, 1, 1), date(2024, 2, 1)


def members(frame: Any, **options: Any) -> list[tuple[Any, ...]]:
    """Return the rows of a result, in order."""
    return sorted(tuple(row.values()) for row in rows_of(cohort_members(frame, **options)))


def test_who_came_back_and_who_did_not(backend: Backend) -> None:
    frame = backend.make(VISITS)
    options: Row = {"as_of": "2024-04-01"}
    assert members(frame, cohort="2024-01-01", age=1, **options) == [
        ("ann", JANUARY, 1, True),
        ("bob", JANUARY, 1, False),
    ]
    assert members(frame, cohort=FEBRUARY, by="plan", **options) == [
        ("cyd", "x", FEBRUARY, 0, True),
        ("cyd", "x", FEBRUARY, 1, True),
    ]
    assert [row[0] for row in members(frame, age=2, counting="on_or_before", **options)] == [
        "ann",
        "bob",
    ]
    assert members(frame, brackets=(1, 3), **options) == [
        ("ann", JANUARY, 1, 3, True),
        ("bob", JANUARY, 1, 3, True),
    ]
    assert members(frame, cohort="2024-03-01", **options) == []
    assert list(rows_of(cohort_members(frame, **options))[0]) == [
        *("customer_id", "cohort", "age", "retained")
    ]


@pytest.mark.parametrize(
    ("options", "argument", "told"),
    [
        ({"age": 99}, "age", "ages from 0 to 2 have been observed by 2024-04-10"),
        ({"age": 2, "cohort": FEBRUARY}, "age", "ages from 0 to 1 have been observed"),
        ({"cohort": "2030-01-01"}, "cohort", "cohorts from 2024-01-01 to 2024-04-01 have been"),
        ({"cohort": "2023-12-01"}, "cohort", "cohorts from 2024-01-01 to 2024-04-01 have been"),
        ({"cohort": "2024-04-01"}, "age", "ages have not yet been observed by 2024-04-10"),
    ],
)
def test_what_has_not_been_observed_is_told(
    options: Row, argument: str, told: str, backend: Backend
) -> None:
    late = {"customer_id": "dee", "time": datetime.fromisoformat("2024-04-02"), "plan": "x"}
    with pytest.warns(RetainkitWarning, match=f"the result is empty: {told}") as warned:
        assert members(backend.make([*VISITS, late]), as_of="2024-04-10", **options) == []
    warning: Any = warned[0].message
    assert (warning.code, warning.argument) == ("nothing_observed", argument)


def test_an_empty_log_has_no_members() -> None:
    assert members(pd.DataFrame(VISITS)[:0], age=99, cohort="2024-01-01") == []


def test_rows_in_memory_are_in_order() -> None:
    frame = pd.DataFrame(VISITS)
    table = cohort_members(frame, by="plan", as_of="2024-04-01")
    assert table["customer_id"].tolist() == ["ann"] * 3 + ["cyd"] * 2 + ["bob"] * 3
    assert table.index.tolist() == [*range(8)]
    ids = {who: uuid.UUID(int=number) for number, who in enumerate(("ann", "bob", "cyd"))}
    same = cohort_members(
        frame.assign(customer_id=frame["customer_id"].map(ids)), as_of="2024-04-01"
    )
    assert same["customer_id"].tolist() == [ids["ann"]] * 3 + [ids["bob"]] * 3 + [ids["cyd"]] * 2


def test_a_lazy_frame_stays_in_its_engine(backend: Backend) -> None:
    if not backend.lazy:
        pytest.skip("in memory")
    frame = backend.make(VISITS)
    assert type(cohort_members(frame)) is type(frame)


def test_who_never_came_is_a_member(backend: Backend) -> None:
    sign_ups = [{"customer_id": who, "signup": JANUARY} for who in ("ann", "bob", "cyd", "dan")]
    found = members(
        backend.make(VISITS),
        customers=backend.make(sign_ups),
        cohort_time="signup",
        age=1,
        as_of="2024-04-01",
    )
    assert [row[::3] for row in found] == [
        ("ann", True), ("bob", False), ("cyd", True), ("dan", False)
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"cohort": "2024-01-02"}, "no month begins; write its first day, such as '2024-01-01'"),
        ({"cohort": "January"}, "`cohort` is 'January'; write a date"),
        ({"age": -1}, "`age`"),
        ({"age": 2, "brackets": (1, 3)}, "it must be the first age of one of them: 1"),
        ({"counting": "in"}, "`counting` is 'in'"),
        ({"customer": "age"}, "also the name of a column of the result"),
    ],
)
def test_wrong_arguments_are_refused(options: Row, message: str) -> None:
    frame = pd.DataFrame(VISITS).assign(age=1)
    with pytest.raises(ArgumentError, match=message):
        cohort_members(frame, **options)


def test_what_is_set_aside_is_counted(backend: Backend) -> None:
    with pytest.warns(RetainkitWarning, match="2 of 6 rows at or after as_of"):
        cohort_members(backend.make(VISITS), as_of="2024-03-01")


def with_categories(name: str, values: list[str], declared: list[str]) -> Any:
    """Make a log of Ann and Bob, with two plans each at their start, in a column of categories."""
    who = ["ann", "ann", "bob", "bob"]
    when = [datetime.fromisoformat(f"2024-01-0{day}") for day in (5, 5, 9, 9)]
    plans: Any = pd.Categorical(values, declared, ordered=name == "pandas, ordered")
    if name.startswith("pandas"):
        return pd.DataFrame({"customer_id": who, "time": when, "plan": plans})
    if name == "pyarrow":
        plans = pa.array(values).dictionary_encode()
        return pa.table({"customer_id": who, "time": pa.array(when), "plan": plans})
    frame = pl.DataFrame({"customer_id": who, "time": when, "plan": values})
    kind = pl.Categorical() if name == "polars, undeclared" else pl.Enum(declared)
    frame = frame.with_columns(pl.col("plan").cast(kind))
    return frame.lazy() if name == "polars, lazy" else frame


@pytest.mark.parametrize(
    ("name", "plans"),
    [
        *((name, ("z", "z")) for name in ("pandas", "pandas, ordered", "polars", "polars, lazy")),
        # Without an order of their own, categories have that of their names.
        *((name, ("a", "m")) for name in ("polars, undeclared", "pyarrow")),
    ],
)
def test_of_several_categories_members_have_that_of_the_counts(
    name: str, plans: tuple[str, str]
) -> None:
    frame = with_categories(name, ["a", "z", "z", "m"], ["z", "m", "a", "none"])
    options: Row = {"by": "plan", "as_of": "2024-02-01"}
    found = quietly(cohort_members, frame, **options)
    assert sorted((row["customer_id"], row["plan"]) for row in found) == [
        ("ann", plans[0]), ("bob", plans[1])
    ]  # fmt: skip
    table = quietly(cohort_retention, frame, **options)
    assert counted(found, ["plan"]) == {
        (row["plan"], row["cohort"], row["age"]): (row["eligible"], row["retained"])
        for row in table
        if row["eligible"]
    }


def test_segments_in_memory_are_in_the_order_of_categories() -> None:
    for name in ("pandas", "pandas, ordered", "polars"):
        frame = with_categories(name, ["m", "m", "a", "a"], ["z", "m", "a"])
        table = cohort_members(frame, by="plan", as_of="2024-02-01")
        assert [row["plan"] for row in rows_of(table)] == ["m", "a"]
        assert table["plan"].dtype == frame["plan"].dtype


def test_who_starts_outside_the_edges_of_ages_is_no_member(backend: Backend) -> None:
    # Ann starts in a cohort, and before the first edge of the ages.
    frame = backend.make(
        [
            {"customer_id": who, "time": datetime.fromisoformat(when)}
            for who, when in [
                ("ann", "2024-01-05"), ("ann", "2024-02-05"), ("bob", "2024-02-06"),
                ("bob", "2024-02-20"), ("ann", "2024-02-25"),
            ]
        ]
    )  # fmt: skip
    options: Row = {
        "cohort_period": ["2024-01-01", "2024-03-01"],
        "period": ["2024-02-01", "2024-02-15", "2024-03-01"],
        "as_of": "2024-03-05",
    }
    found = quietly(cohort_members, frame, **options)
    assert sorted((row["customer_id"], row["age"], row["retained"]) for row in found) == [
        ("bob", 0, True), ("bob", 1, True)
    ]  # fmt: skip
    table = quietly(cohort_retention, frame, **options)
    assert [(row["age"], row["eligible"], row["retained"]) for row in table] == [
        (0, 1, 1), (1, 1, 1)
    ]  # fmt: skip


def counted(rows: list[Row], by: Any) -> dict[tuple[Any, ...], tuple[int, int]]:
    """Count the members of each cell, and those retained."""
    eligible: Counter[tuple[Any, ...]] = Counter()
    retained: Counter[tuple[Any, ...]] = Counter()
    for row in rows:
        key = (*(row[name] for name in by), row["cohort"], row["age"])
        eligible[key] += 1
        retained[key] += row["retained"]
    return {key: (number, retained[key]) for key, number in eligible.items()}


def assert_members_add_up(backend: Backend, seed: int) -> None:
    rows, options, session = question(seed)
    shown = {"min_customers", "include_partial", "confidence_level"}
    options = {name: one for name, one in options.items() if name not in shown}
    frame = backend.make(rows, session=session)
    table = quietly(cohort_retention, frame, amounts="keep", **options)
    found = quietly(cohort_members, frame, amounts="keep", **options)
    by = options["by"] or ()
    expected = {
        (*(row[one] for one in by), row["cohort"], row["age"]): (row["eligible"], row["retained"])
        for row in table
        if row["eligible"]
    }
    assert counted(found, by) == expected
    assert len({tuple(row.values()) for row in found}) == len(found)


@pytest.mark.parametrize("name", ["pandas", "polars-lazy"])
@pytest.mark.parametrize("seed", cases(range(200), quick=25))
def test_members_add_up_to_the_counts(seed: int, name: str) -> None:
    assert_members_add_up(next(one for one in BACKENDS if one.name == name), seed)


@pytest.mark.slow
def test_members_add_up_in_every_engine(backend: Backend) -> None:
    for seed in range(300, 306):
        assert_members_add_up(backend, seed)
