"""The how-to pages: nothing is hidden, and what a reader copies gives the right numbers.

The witness of the numbers is arithmetic by hand on the few rows that a page writes.
"""

from __future__ import annotations

import ast
import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from docs.pages import DOCS, calls_of, cells, code_of, run, words
from tables import rows_of

PAGES = sorted((DOCS / "how-to").glob("*.md"))
TASKS = ("orders-csv", "stripe-export", "form-answers")
FEWEST_WORDS = 150
MOST_CALLS = 3
WIDEST_LINE = 90

each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
each_task = pytest.mark.parametrize("name", TASKS)

RunPage = Callable[[str], dict[str, Any]]


@pytest.fixture
def run_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunPage:
    """Return a function that runs a page by its name; its files go into the test's own folder."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    def namespace_of(name: str) -> dict[str, Any]:
        with pd.option_context("display.precision", 6):  # pages change it
            return run(page_of(name))

    return namespace_of


def page_of(name: str) -> Path:
    return DOCS / "how-to" / f"{name}.md"


def approximately(rows: list[dict[str, Any]]) -> list[Any]:
    """Return rows that those of JSON are equal to: pandas writes 15 decimals."""
    return [
        {
            name: pytest.approx(value, rel=0, abs=2e-15) if isinstance(value, float) else value
            for name, value in row.items()
        }
        for row in rows
    ]


def no_constant(name: str) -> None:
    """Refuse NaN and the like, which Python's reader takes and JSON does not have."""
    raise AssertionError(name)


def test_the_tasks_have_a_page_each() -> None:
    assert len(PAGES) >= 11
    assert {*TASKS} <= {page.stem for page in PAGES}


@each_page
def test_a_page_says_something_and_its_code_fits(page: Path) -> None:
    assert words(page) > FEWEST_WORDS
    for cell in cells(page):
        lines = cell.code.splitlines()
        assert max(map(len, lines)) <= WIDEST_LINE, lines[0]


@each_page
def test_nothing_that_a_page_runs_is_hidden(page: Path) -> None:
    assert all(cell.visible for cell in cells(page))
    # And it is Python: a line of IPython's own would fail when it is copied into a script.
    ast.parse(code_of(page))


@each_task
def test_a_task_takes_three_statements(name: str) -> None:
    assert 1 <= len(calls_of(code_of(page_of(name)))) <= MOST_CALLS


def test_a_csv_of_orders_becomes_a_triangle(run_page: RunPage) -> None:
    page = run_page("orders-csv")
    assert len(page["orders"]) - len(page["known"]) == 1, "the guest without an email"
    # January: Ann (1,234.50, and 60 in February as a guest), Bob (80, 20 back in February, 75 in
    # March), Cyd (45, and 30 in March). February: Dan (120, and 64 in March). March: Eve (51).
    expected = [
        ("2024-01-01", 0, 3, 3, 1234.5 + 80 + 45),
        ("2024-01-01", 1, 3, 1, 60),
        ("2024-01-01", 2, 3, 2, 75 + 30),
        ("2024-02-01", 0, 1, 1, 120),
        ("2024-02-01", 1, 1, 1, 64),
        ("2024-03-01", 0, 1, 1, 51),
    ]
    names = ["cohort", "age", "customers", "retained", "amount"]
    found = [tuple(row[name] for name in names) for row in rows_of(page["table"])]
    assert [(str(row[0]), *row[1:]) for row in found] == expected
    # One of three, by Wilson: (1 + z²/2 ± z √(2/3 + z²/4)) / (3 + z²).
    z = 1.959963984540054
    root = z * (2 / 3 + z**2 / 4) ** 0.5
    limits = [(1 + z**2 / 2 + sign * root) / (3 + z**2) for sign in (-1, 1)]
    assert page["table"].loc[1, ["lower", "upper"]].tolist() == pytest.approx(limits)
    assert [f"{100 * limit:.0f}" for limit in limits] == ["6", "79"], "as the text says"

    call = calls_of(code_of(page_of("orders-csv")))[-1]
    matrix = eval(call, page)  # noqa: S307  our own page
    triangle = [[1, 1 / 3, 2 / 3], [1, 1, None], [1, None, None]]
    assert [list(row.values())[1:] for row in rows_of(matrix)] == [
        pytest.approx(row) for row in triangle
    ]


def test_without_net_a_refund_would_be_a_visit(run_page: RunPage) -> None:
    page = run_page("orders-csv")
    visits = page["rk"].cohort_retention(page["known"], as_of="2024-04-01")
    assert visits.loc[1, ["customers", "retained"]].tolist() == [3, 2]


def test_an_export_of_subscriptions_becomes_nrr(run_page: RunPage) -> None:
    page = run_page("stripe-export")
    # A year before A paid 50, B 30, C 1,200 / 12 and D 3 seats of 20; now A pays 25 more, and B has
    # left. Trials, and what was never paid, are no customers; G came since.
    before = {"A": 50, "B": 30, "C": 100, "D": 60}
    now = {"A": 75, "B": 0, "C": 100, "D": 60}
    opening = sum(before.values())
    kept = sum(min(now[who], before[who]) for who in before)
    last = rows_of(page["table"])[-1]
    assert str(last["period"]) == "2024-03-01"
    assert (last["customers"], last["opening"]) == (4, opening)
    assert last["nrr"] == pytest.approx(sum(now.values()) / opening)
    assert last["grr"] == pytest.approx(kept / opening)
    assert last["logo_retention"] == 3 / 4
    assert last["nrr_lower"] < last["nrr"] < last["nrr_upper"]

    moves = {str(row["period"]): row for row in rows_of(page["moves"])}
    march = moves["2024-03-01"]
    assert (march["opening"], march["new"], march["closing"]) == (235, 90, 325)
    assert moves["2023-11-01"]["expansion"] == 25
    assert moves["2023-09-01"]["churn"] == 30


def test_answers_of_a_form_become_nps_as_json(run_page: RunPage) -> None:
    page = run_page("form-answers")
    total = rows_of(page["total"])[0]
    assert (total["n"], total["n_missing"]) == (10, 2)
    assert total["nps"] == pytest.approx(100 * (5 - 2) / 10)
    # The score test's limits of 5, 3 and 2 of ten, as tests/surveys solves them for.
    assert (round(total["lower"], 2), round(total["upper"], 2)) == (-21.66, 67.53)

    sent = json.loads(page["body"], parse_constant=no_constant)
    assert [row["Plan"] for row in sent] == ["basic", "pro", "trial"]
    assert [(row["n"], row["n_missing"]) for row in sent] == [(5, 1), (5, 0), (0, 1)]
    assert [row["nps"] for row in sent[:2]] == [
        pytest.approx(100 * (2 - 1) / 5),
        pytest.approx(100 * (3 - 1) / 5),
    ]
    assert sent[2]["nps"] is None
    assert sent == approximately(rows_of(page["plans"]))


def test_the_text_on_differences_says_what_the_table_says(run_page: RunPage) -> None:
    page = run_page("comparing-segments")
    first, second, third = rows_of(page["difference"])
    # Retained of those observed at the ages 1, 2 and 3, counted without the library.
    counts = returned(page["events"])
    for row, age in zip((first, second, third), (1, 2, 3), strict=True):
        rates = [counts[channel][age] for channel in ("ads", "search")]
        assert [row["rate_a"], row["rate_b"]] == pytest.approx(rates)
        assert row["difference"] == pytest.approx(rates[0] - rates[1])
    points = [round(100 * first[name]) for name in ("lower", "difference", "upper")]
    assert points == [-12, -7, -2]
    assert second["p_value"] < 0.05 < second["p_adjusted"]
    assert [round(100 * third[name]) for name in ("lower", "upper")] == [-8, 6]


def returned(events: pd.DataFrame) -> dict[str, dict[int, float]]:
    """Compute the share of customers who came again at each age, row by row."""
    months: dict[tuple[str, str], set[int]] = {}
    when = events["time"].dt.month.tolist()
    who = zip(events["channel"].tolist(), events["customer_id"].tolist(), strict=True)
    for key, month in zip(who, when, strict=True):
        months.setdefault(key, set()).add(month)
    rates: dict[str, dict[int, float]] = {}
    for channel in ("ads", "search"):
        own = [seen for (where, _), seen in months.items() if where == channel]
        rates[channel] = {}
        for age in (1, 2, 3):
            observed = [seen for seen in own if min(seen) + age <= 4]  # up to April
            again = sum(min(seen) + age in seen for seen in observed)
            rates[channel][age] = again / len(observed)
    return rates


def test_the_text_on_usage_says_what_its_tables_say(run_page: RunPage) -> None:
    page = run_page("usage-drop")
    changed, rules = page["changed"], page["rules"]
    right = {name: changed[rule].mean() for name, rule in rules.items()}
    assert round(5 * right["down by 30 %"]) == 1  # four in five have not changed
    assert right["adjusted"] > 0.5
    assert rules["adjusted"].sum() < 0.1 * changed.sum()
    assert max(page["shares"]["week"].values()) < 0.05
    assert page["shares"]["day"]["days alone"] < 0.05 < page["shares"]["day"]["days in runs"]


def test_weeks_in_sydney_are_not_weeks_in_utc(run_page: RunPage) -> None:
    page = run_page("weeks-and-time-zones")
    names = ["cohort", "age", "customers", "retained"]

    def cells_of(table: str) -> list[tuple[Any, ...]]:
        rows = [[row[name] for name in names] for row in rows_of(page[table])]
        return [(str(cohort), *rest) for cohort, *rest in rows if rest[1]]

    assert cells_of("sydney") == [
        ("2024-03-24", 0, 2, 2),  # Ann and Bob
        ("2024-03-24", 1, 2, 1),  # Ann on Sunday, 31 March
        ("2024-03-24", 2, 2, 1),  # Bob on 8 April
        ("2024-03-31", 0, 1, 1),  # Cyd on 1 April, at 7 in the morning
        ("2024-03-31", 1, 1, 0),
    ]
    assert cells_of("plain") == [
        ("2024-03-25", 0, 3, 3),
        ("2024-03-25", 1, 3, 0),
        ("2024-03-25", 2, 3, 1),
    ]
    assert cells_of("monthly") == [("2024-03-01", 0, 2, 2)]
    assert cells_of("marked") == cells_of("whole")
    assert not page["marked"].loc[1, "complete"]


def test_a_night_is_logged_by_code(run_page: RunPage) -> None:
    page = run_page("nightly-job")
    lines = (page["folder"] / "job.log").read_text(encoding="utf-8").splitlines()
    facts = [json.loads(line.partition(" ")[2]) for line in lines]
    times = page["orders"]["time"]
    expected = [
        ("fit", "rows_after_as_of", sum(times >= "1997-10-01")),
        ("score", "rows_after_as_of", sum(times >= "1997-10-02")),
        ("broken", "negative_values", len(times)),
    ]
    assert [(one["step"], one["code"], one["rows"]) for one in facts] == expected
    assert [line.partition(" ")[0] for line in lines] == ["WARNING", "WARNING", "ERROR"]
    json.loads((page["folder"] / "models.json").read_text(), parse_constant=no_constant)


def test_json_and_excel_have_what_the_table_has(run_page: RunPage) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    for name in ("duckdb", "polars"):
        pytest.importorskip(name)
    page = run_page("json-excel-database")
    rows = [{**row, "cohort": str(row["cohort"])} for row in rows_of(page["table"])]
    sent = json.loads(page["body"], parse_constant=no_constant)
    assert [{**row, "cohort": row["cohort"][:10]} for row in sent] == approximately(rows)
    assert json.loads(page["same"].write_json(), parse_constant=no_constant) == rows
    plain = page["same"].fill_nan(None).to_dicts()
    assert [{**row, "cohort": str(row["cohort"])} for row in plain] == rows

    sheets = openpyxl.load_workbook(page["folder"] / "retention.xlsx")
    assert sheets.sheetnames == ["triangle", "cells"]
    assert sheets["triangle"]["A2"].value == "1997-01"
    assert sheets["triangle"]["D3"].value is None, "not observed, and not 0"
    percent = openpyxl.load_workbook(page["folder"] / "percent.xlsx")["triangle"]
    assert percent["C2"].number_format == "0.0%"


def test_rules_become_segments(run_page: RunPage) -> None:
    page = run_page("segments-by-rules")
    # Ann 5 orders, 12 days; Bob 1, 20; Cyd 4, 200; Dan 2, 90; Eve 1, 310.
    assert page["named"]["segment"].tolist() == ["regular", "new", "lapsed", "new", "lost"]
    moved = {
        (row["from"], row["to"]): row["customers"]
        for row in rows_of(page["moves"])
        if row["customers"]
    }
    # Ann stays, Bob has 3 orders now, Cyd stays away, Dan too, Eve is gone, and Fay is new.
    assert moved == {
        ("regular", "regular"): 1,
        ("new", "regular"): 1,
        ("lapsed", "lapsed"): 1,
        ("new", "lost"): 1,
        ("lost", "(gone)"): 1,
        ("(new)", "new"): 1,
    }
    rk, pair = page["rk"], (page["customers"], page["campaigns"])
    found = [(row["customer_id"], row["rule"]) for row in rows_of(rk.audience(*pair))]
    assert found == [
        ("ann", "thanks"),
        ("bob", "second order"),
        ("cyd", "thanks"),
        ("eve", "second order"),
    ]
