"""Scores and response rates in periods of users' own, against answers looked at one by one."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import pytest

from backends import Backend
from event_logs import log, quietly
from own_periods import KINDS, SPRINTS, cut, instant, periods, random_log, seeded
from retainkit import control_chart, response_rate, score_trend
from retainkit.errors import RetainkitWarning
from tables import plain, rows_of

CASES = seeded(KINDS, 3)


def answers(seed: int) -> tuple[list[dict[str, Any]], str | None, str]:
    """Make answers from 0 to 10 of the events of a log."""
    rows, tz, as_of = random_log(seed)
    scored = [
        {"time": row["time"], "score": int(row["amount"]) % 11, "team": row["team"]} for row in rows
    ]
    return scored, tz, str(as_of)


@pytest.mark.parametrize(("name", "seed"), CASES)
def test_scores_in_periods_of_ones_own(name: str, seed: int, backend: Backend) -> None:
    rows, tz, as_of = answers(seed)
    options = KINDS[name]
    cuts, end = cut(options, tz), instant(as_of, tz)
    frame = backend.make(rows)
    found = quietly(
        score_trend, frame, **options, tz=tz, as_of=as_of, metric="mean", include_partial=True
    )
    kept = [
        (cuts.index(instant(row["time"], tz)), row["score"])
        for row in rows
        if instant(row["time"], tz) < end
    ]
    kept = [(index, score) for index, score in kept if cuts.inside(index)]
    want = []
    for index in range(min(index for index, _ in kept), cuts.last_begun(end) + 1):
        own = [score for one, score in kept if one == index]
        mean = pytest.approx(sum(own) / len(own)) if own else None
        want.append([cuts.labels[index], len(own), mean, cuts.over(index, end)])
    assert [[row[key] for key in ("period", "n", "score", "complete")] for row in found] == want


def test_scores_by_the_hour_where_the_clock_is_put_back(backend: Backend) -> None:
    begin = datetime(2024, 10, 27, tzinfo=ZoneInfo("Europe/Berlin")).astimezone(UTC)
    rows = [{"time": begin + timedelta(hours=n), "score": n % 11} for n in range(25)]
    options: dict[str, Any] = {"period": "hour", "metric": "mean", "tz": "Europe/Berlin"}
    table = rows_of(score_trend(backend.make(rows), **options))
    assert [row["score"] for row in table] == [n % 11 for n in range(25)]
    assert [row["period"].astimezone(UTC) for row in table] == [row["time"] for row in rows]


def test_answers_outside_the_edges_are_counted() -> None:
    table = log(
        ("a", "2024-02-01", 0.0), ("b", "2024-03-05", 10.0), ("c", "2024-05-06", 0.0)
    ).rename(columns={"amount": "score"})
    with pytest.warns(RetainkitWarning, match="2 of 3 rows lie in no period: outside the edges"):
        trend = score_trend(table, period=SPRINTS)
    assert trend["score"].tolist()[:1] == [100.0]
    assert trend["n"].tolist() == [1, 0, 0, 0]
    with pytest.warns(RetainkitWarning, match="1 of 1 row lie"):
        assert len(score_trend(table[:1], period=SPRINTS)) == 0
    assert quietly(score_trend, table, period=SPRINTS, as_of="2024-03-01") == []


def test_a_chart_of_sprints() -> None:
    times = pd.date_range("2024-01-01", periods=60, freq="D")
    table = pd.DataFrame({"time": times, "score": [9, 3, 10, 8, 7] * 12})
    chart = control_chart(table, period="10 days", origin="2024-01-01")
    assert chart["period"].tolist() == times[::10].tolist()
    assert chart["n"].tolist() == [10] * 6


@pytest.mark.parametrize(("name", "seed"), CASES)
def test_responses_in_periods_of_ones_own(name: str, seed: int, backend: Backend) -> None:
    rows, tz, as_of = random_log(seed)
    options = KINDS[name]
    cuts, end = cut(options, tz), instant(as_of, tz)
    invitations = [
        {
            "sent": row["time"],
            "responded": row["time"] if row["amount"] > 30 else None,
        }
        for row in rows
    ]
    like = {"sent": rows[0]["time"], "responded": rows[0]["time"]}
    frame = backend.make(invitations, like=like)
    found = quietly(response_rate, frame, **options, tz=tz, as_of=as_of)
    sent = [
        (cuts.index(instant(row["sent"], tz)), row["responded"] is not None)
        for row in invitations
        if instant(row["sent"], tz) < end
    ]
    sent = [one for one in sent if cuts.inside(one[0])]
    want = [
        [
            cuts.labels[index],
            sum(one == index for one, _ in sent),
            sum(one == index and answered for one, answered in sent),
        ]
        for index in range(min(index for index, _ in sent), cuts.last_begun(end) + 1)
    ]
    names = ("period", "invitations", "responses")
    assert [[plain(row[key]) for key in names] for row in found] == want


def test_invitations_outside_the_edges_are_counted() -> None:
    invitations = pd.DataFrame(
        {
            "sent": pd.to_datetime(["2024-02-01", "2024-03-05", "2024-06-01"]),
            "responded": pd.to_datetime(pd.Series([None, "2024-03-06", None])),
        }
    )
    with pytest.warns(RetainkitWarning, match="2 of 3 rows lie in no period"):
        table = response_rate(invitations, period=SPRINTS)
    assert table["invitations"].tolist() == [1, 0, 0, 0]
    early = quietly(response_rate, invitations, period=SPRINTS, as_of="2024-03-01")
    assert early == []
    assert periods(SPRINTS, None).labels[0] == date(2024, 3, 4)
