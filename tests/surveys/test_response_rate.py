"""Response rates, held to a walk over the invitations one by one and to what was published."""

import random
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import polars as pl
import pytest

from backends import BACKENDS, Backend
from event_logs import (
    BERLIN,
    CLOCK_TIMES,
    FIRST_DAYS,
    NEW_YORK,
    assert_same,
    in_order,
    instant,
    next_start,
    periods_between,
    quietly,
    share,
    start_of,
    wall,
    wilson,
)
from retainkit import response_rate
from retainkit.errors import (
    ArgumentError,
    ArgumentTypeError,
    ColumnTypeError,
    MissingColumnError,
    RetainkitWarning,
)
from sizes import batches
from tables import Row, rows_of

COUNTS = ["invitations", "open", "late", "responses"]
LIKE = {"sent": datetime(2024, 1, 1), "responded": datetime(2024, 1, 1), "channel": "a"}  # noqa: DTZ001
PANDAS = next(one for one in BACKENDS if one.name == "pandas")


def table_of(*pairs: tuple[str, str | None]) -> Any:
    """Make invitations of the times of sending and answering."""
    frame = pd.DataFrame(pairs, columns=["sent", "responded"])
    return frame.astype({"sent": "datetime64[us]", "responded": "datetime64[us]"})


def counts_of(frame: Any, **options: Any) -> list[int]:
    """Return the counts of the only row."""
    (row,) = rows_of(response_rate(frame, **options))
    return [row[name] for name in COUNTS]


# --- the slow reference -----------------------------------------------------------------


def fate(row: Row, window: timedelta | None, end: datetime, tz: str | None) -> str:
    """Return what became of one invitation by the end."""
    sent = instant(row["sent"], tz)
    answer = None if row["responded"] is None else instant(row["responded"], tz)
    if sent >= end:
        return "unseen"
    if window is not None and sent + window > end:
        return "open"
    if answer is None or answer >= end:
        return "silent"
    return "late" if window is not None and answer >= sent + window else "responses"


def slow_rate(
    rows: list[Row],
    *,
    window: timedelta | None,
    by: list[str],
    period: str | None,
    tz: str | None,
    as_of: Any = None,
    week_start: str = "monday",
) -> list[Row]:
    """Walk over the invitations, segment by segment and period by period."""
    times = [row[name] for row in rows for name in ("sent", "responded") if row[name] is not None]
    midnight = datetime.combine(
        max(wall(one, tz).date() for one in times) + timedelta(days=1), time()
    )
    end = instant(midnight if as_of is None else as_of, tz)
    rows = [row | {"fate": fate(row, window, end, tz)} for row in rows]
    rows = [row for row in rows if row["fate"] != "unseen"]
    segments = {tuple(row[name] for name in by) for row in rows} if by or period else {()}
    table = []
    for segment in sorted(segments, key=lambda one: in_order([(v is None, v) for v in one])):
        its = [row for row in rows if tuple(row[name] for name in by) == segment]
        days = [wall(row["sent"], tz).date() for row in its]
        starts: list[date | None] = [None]
        if period is not None:
            starts = [*periods_between(min(days), wall(end, tz), period, week_start)]
        for start in starts:
            here = [
                row["fate"]
                for row, day in zip(its, days, strict=True)
                if start is None or start_of(day, str(period), week_start) == start
            ]
            judged = len(here) - here.count("open")
            lower, upper = wilson(here.count("responses"), judged)
            over = start is None or datetime.combine(
                next_start(start, str(period), week_start), time()
            ) <= wall(end, tz)
            line = dict(zip(by, segment, strict=True)) | ({"period": start} if start else {})
            table.append(
                line
                | {
                    "invitations": judged,
                    "open": here.count("open"),
                    "late": here.count("late"),
                    "responses": here.count("responses"),
                    "response_rate": share(here.count("responses"), judged),
                    "lower": lower,
                    "upper": upper,
                    "complete": over and window is not None and "open" not in here,
                }
            )
    return table


def random_question(seed: int) -> tuple[list[Row], dict[str, Any]]:
    """Make invitations and the options that say how they are read."""
    draw = random.Random(seed)  # noqa: S311
    kind = draw.choice(["dates", "naive", "aware"])
    first = draw.choice(FIRST_DAYS)
    stored = draw.choice([BERLIN, NEW_YORK, "UTC"])
    options: dict[str, Any] = {
        "window": draw.choice([None, timedelta(days=1), timedelta(days=3), timedelta(hours=30)]),
        "by": draw.choice([[], ["channel"]]),
        "period": draw.choice([None, "day", "week", "month"]),
        "tz": draw.choice([BERLIN, NEW_YORK]) if kind == "aware" else None,
        "week_start": draw.choice(["monday", "sunday"]),
    }

    def moment() -> Any:
        day = first + timedelta(days=draw.randrange(12))
        if kind == "dates":
            return day
        when = datetime.combine(day, time()) + draw.choice(CLOCK_TIMES)
        if kind == "aware":
            when = when.replace(tzinfo=ZoneInfo(stored), fold=draw.randrange(2))
            when = when.astimezone(UTC).astimezone(ZoneInfo(stored))
        return when

    delays = [timedelta(), timedelta(days=1), timedelta(days=2), timedelta(days=3)]
    delays += [timedelta(days=6), timedelta(days=1, microseconds=-1), timedelta(hours=30)]
    rows = []
    for _ in range(draw.randint(1, 40)):
        sent = moment()
        responded = None
        if draw.random() < 0.6:
            delay = draw.choice(delays)
            # In UTC, where a day has 24 hours.
            responded = sent + timedelta(days=delay.days) if kind == "dates" else sent + delay
            if kind == "aware":
                responded = (sent.astimezone(UTC) + delay).astimezone(ZoneInfo(stored))
        rows.append(
            {"sent": sent, "responded": responded, "channel": draw.choice(["web", "mail", None])}
        )
    if draw.random() < 0.7:
        options["as_of"] = moment()
    return rows, options


def like(rows: list[Row]) -> Row:
    """Show columns and types by the first row."""
    return LIKE | {"sent": rows[0]["sent"], "responded": rows[0]["sent"]}


@pytest.mark.slow
@pytest.mark.parametrize("seeds", batches(range(150), quick=30))
def test_random_invitations_agree_with_the_slow_reference(seeds: range) -> None:
    for seed in seeds:
        rows, options = random_question(seed)
        frame = PANDAS.make(rows, like=like(rows))
        assert_same(quietly(response_rate, frame, **options), slow_rate(rows, **options))


@pytest.mark.slow
def test_every_backend_agrees_with_the_slow_reference(backend: Backend) -> None:
    for seed in range(200, 220 if backend.name != "pyspark" else 206):
        rows, options = random_question(seed)
        frame = backend.make(rows, like=like(rows), session=NEW_YORK)
        assert_same(quietly(response_rate, frame, **options), slow_rate(rows, **options))


# --- by hand ----------------------------------------------------------------------------


def test_the_example_of_trengo() -> None:
    # Trengo, help page 154403: three surveys sent in the window, one of them answered in it; the
    # answer to a survey that was sent before does not count. 33 %.
    frame = table_of(
        ("2024-05-28", "2024-06-02"),
        ("2024-06-01", "2024-06-02"),
        ("2024-06-01", None),
        ("2024-06-03", "2024-07-20"),
    )
    may, june, july = rows_of(
        response_rate(frame, window="30D", period="month", as_of="2024-08-01")
    )
    assert (june["invitations"], june["responses"]) == (3, 1)
    assert round(100 * june["response_rate"]) == 33
    assert may["responses"] == 1
    assert july["invitations"] == 0


def test_the_window_is_half_open() -> None:
    frame = table_of(
        ("2024-06-01", "2024-06-01"),
        ("2024-06-01", "2024-06-07 23:59:59.999999"),
        ("2024-06-01", "2024-06-08"),
    )
    assert counts_of(frame, window="7D", as_of="2024-07-01") == [3, 0, 1, 2]


def test_an_invitation_is_open_until_its_window_is_over() -> None:
    frame = table_of(("2024-06-01", "2024-06-02"), ("2024-06-01 00:00:00.000001", "2024-06-02"))
    # The first window ends with observation; the second a microsecond later.
    assert counts_of(frame, window="7D", as_of="2024-06-08") == [1, 1, 0, 1]
    assert counts_of(frame, window="7D", as_of="2024-06-07") == [0, 2, 0, 0]


def test_of_nothing_but_open_invitations_there_is_no_rate() -> None:
    frame = table_of(("2024-06-01", "2024-06-02"))
    (row,) = rows_of(response_rate(frame, window="7D"))
    assert (row["response_rate"], row["lower"], row["upper"]) == (None, None, None)
    assert row["complete"] is False


def test_without_a_window_every_answer_counts_and_nothing_is_final() -> None:
    frame = table_of(("2024-01-01", "2024-06-01"), ("2024-05-31", None))
    (row,) = rows_of(response_rate(frame))
    assert [row[name] for name in COUNTS] == [2, 0, 0, 1]
    assert row["complete"] is False
    periods = rows_of(response_rate(frame, period="month"))
    assert not any(row["complete"] for row in periods)
    assert len(periods) == 6


def test_observation_ends_by_default_after_the_last_answer() -> None:
    # On 9 June somebody answers: by the midnight after it the windows of the others are over.
    frame = table_of(("2024-06-01", "2024-06-09 15:00"), ("2024-06-03", None))
    assert counts_of(frame, window="7D") == [2, 0, 1, 0]
    # The answer of an invitation that is not used was seen as well.
    assert counts_of(table_of(("2024-06-03", None)), window="7D") == [0, 1, 0, 0]


def test_what_comes_after_the_end_of_observation_is_counted_in_a_warning() -> None:
    frame = table_of(
        ("2024-06-01", "2024-06-10"), ("2024-06-01", "2024-06-09"), ("2024-06-10", "2024-06-11")
    )
    with pytest.warns(RetainkitWarning) as caught:
        assert counts_of(frame, as_of="2024-06-10") == [2, 0, 0, 1]
    (one,) = caught
    assert "1 of 3 rows sent at or after as_of (2024-06-10) are not used" in str(one.message)
    assert "the answers of 1 of 3 rows came at or after as_of" in str(one.message)


def test_a_period_is_complete_when_all_of_its_windows_are_over() -> None:
    frame = table_of(("2024-05-10", None), ("2024-06-02", "2024-06-03"))
    found = rows_of(response_rate(frame, window="7D", period="month", as_of="2024-06-20"))
    assert [row["complete"] for row in found] == [True, False]
    found = rows_of(response_rate(frame, window="7D", period="month", as_of="2024-07-01"))
    assert [row["complete"] for row in found] == [True, True]
    # Late May is open on 5 June.
    frame = table_of(("2024-05-31", None))
    found = rows_of(response_rate(frame, window="7D", period="month", as_of="2024-06-05"))
    assert [(row["open"], row["complete"]) for row in found] == [(1, False), (0, False)]


def test_a_segment_has_its_own_first_period_and_null_comes_last() -> None:
    frame = table_of(("2024-01-10", None), ("2024-03-02", None), ("2024-02-02", None))
    frame["channel"] = ["web", None, "mail"]
    found = response_rate(frame, by="channel", period="month", window="1D", as_of="2024-04-01")
    got = [(row["channel"], str(row["period"])[:7]) for row in rows_of(found)]
    assert got == [
        *(("mail", "2024-02"), ("mail", "2024-03")),
        *(("web", "2024-01"), ("web", "2024-02"), ("web", "2024-03")),
        (None, "2024-03"),
    ]


def test_a_day_of_a_window_has_24_hours_where_the_clock_is_changed() -> None:
    # In Berlin the night to 31 March 2024 was an hour short.
    frame = table_of(
        ("2024-03-30 12:00", "2024-03-31 12:59:59"), ("2024-03-30 12:00", "2024-03-31 13:00")
    )
    for name in ("sent", "responded"):
        frame[name] = frame[name].dt.tz_localize(BERLIN)
    assert counts_of(frame, window="1D", as_of="2024-04-05") == [2, 0, 1, 1]


def test_two_zones_compare_as_instants() -> None:
    frame = table_of(("2024-06-01 12:00", "2024-06-01 06:30"))
    frame["sent"] = frame["sent"].dt.tz_localize(BERLIN)
    frame["responded"] = frame["responded"].dt.tz_localize(NEW_YORK)
    assert counts_of(frame, window="1H", as_of="2024-06-05") == [1, 0, 0, 1]
    frame = pl.from_pandas(frame).lazy()
    assert counts_of(frame, window="1H", as_of="2024-06-05") == [1, 0, 0, 1]


def test_segments_at_once_equal_segments_apart() -> None:
    rows, options = random_question(18)
    rows = [row | {"channel": ["mail", "web", None][i % 3]} for i, row in enumerate(rows)]
    assert len(rows) > 3
    options |= {"by": ["channel"], "period": None, "as_of": date(2030, 1, 1)}
    frame = PANDAS.make(rows, like=like(rows))
    apart = []
    for channel in ("mail", "web", None):
        some = frame[frame["channel"].isna() if channel is None else frame["channel"] == channel]
        its = quietly(response_rate, some, **options | {"by": []})
        apart += [{"channel": channel} | row for row in its]
    assert quietly(response_rate, frame, **options) == apart


# --- bad input --------------------------------------------------------------------------

BAD = table_of(
    ("2024-06-02", "2024-06-01"), ("2024-06-01", None), ("2024-06-05", "2024-06-04 12:00")
)


def test_answers_before_their_invitation_are_refused() -> None:
    text = (
        r"column 'responded' \(given as `responded`\) lies before 'sent' \(given as `sent`\) in 2 "
        r"rows, of 3; for instance sent 2024-06-02.* and answered 2024-06-01"
    )
    with pytest.raises(ArgumentError, match=text):
        response_rate(BAD)


def test_answers_without_an_invitation_are_refused() -> None:
    frame = BAD.assign(sent=pd.Series([None] * 3, dtype="datetime64[us]"))
    with pytest.raises(ArgumentError, match="is null in 3 rows, 2 of them with an answer, of 3"):
        response_rate(frame)


def test_both_are_left_out_on_request_and_counted(backend: Backend) -> None:
    rows = BAD.astype(object).where(BAD.notna(), None).to_dict("records")
    rows = [{name: None if v is None else v.to_pydatetime() for name, v in r.items()} for r in rows]
    rows.append({"sent": None, "responded": datetime(2024, 6, 1)})  # noqa: DTZ001
    rows.append({"sent": datetime(2024, 6, 1), "responded": datetime(2024, 6, 2)})  # noqa: DTZ001
    frame = backend.make(rows)
    with pytest.warns(RetainkitWarning, match="3 of 5 rows left out") as caught:
        found = response_rate(frame, missing="drop", window="1D")
    (one,) = (each for each in caught if each.category is RetainkitWarning)
    assert "(given as `sent`) is null in 1 row, 1 of them with an answer" in str(one.message)
    (row,) = rows_of(found)
    assert [row[name] for name in COUNTS] == [2, 0, 1, 0]


def test_only_one_column_with_a_zone_is_refused() -> None:
    frame = table_of(("2024-06-01", "2024-06-02"))
    frame["sent"] = frame["sent"].dt.tz_localize("UTC")
    with pytest.raises(ArgumentError, match="Give both columns a time zone, or none"):
        response_rate(frame)


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        ({"sent": "send"}, MissingColumnError, "Did you mean 'sent'"),
        ({"responded": "sent"}, ArgumentError, "both name the column 'sent'"),
        ({"window": "7 moons"}, ArgumentError, "`window` is '7 moons'"),
        ({"window": "0D"}, ArgumentError, "above 0, such as .7D"),
        ({"window": 7}, ArgumentTypeError, "must be a length of time"),
        ({"period": "fortnight"}, ArgumentError, "`period` is 'fortnight'"),
        ({"week_start": "mon"}, ArgumentError, "`week_start`"),
        ({"confidence_level": 95}, ArgumentError, "`confidence_level`"),
        ({"missing": "ignore"}, ArgumentError, "`missing`"),
        ({"tz": "UTC"}, ArgumentError, "has no time zone"),
        ({"as_of": "soon"}, ArgumentError, "`as_of` is 'soon'"),
        ({"by": "late"}, MissingColumnError, "late"),
    ],
)
def test_wrong_arguments_are_refused(options: Any, error: Any, text: str) -> None:
    if options.get("by") == "late":
        error, text = ArgumentError, "also the name of a column of the result"
    with pytest.raises(error, match=text):
        response_rate(table_of(("2024-06-01", "2024-06-02")), **options)


def test_text_is_no_time() -> None:
    frame = pd.DataFrame({"sent": ["2024-06-01"], "responded": ["2024-06-02"]})
    with pytest.raises(ColumnTypeError, match="`sent`"):
        response_rate(frame)


def test_times_beyond_the_calendar_are_named() -> None:
    source = (
        r"column 'sent' \(given as `sent`\) or 'responded' \(given as `responded`\) goes beyond"
    )
    last = np.array(["9999-12-31"], "datetime64[us]")
    with pytest.raises(
        ArgumentError, match=rf"{source} the calendar \(9999-12-31 .* to 9999-12-31"
    ):
        response_rate(pd.DataFrame({"sent": last, "responded": last}))
    beyond = np.array([10**18], "datetime64[us]")
    with pytest.raises(ArgumentError, match=rf"{source} the calendar \(33658-"):
        response_rate(pd.DataFrame({"sent": beyond, "responded": beyond}))


def test_a_stray_date_makes_no_endless_table() -> None:
    frame = table_of(("0001-01-01", None)).assign(who=[1])
    many = pd.concat([frame] * 60).assign(who=range(60))
    text = r"44,342,220 rows, with `sent` from 0001-01-01 to 2024-06-01\. If there is a stray"
    with pytest.raises(ArgumentError, match=text):
        response_rate(many, by="who", period="day", as_of="2024-06-01")


def test_times_at_the_end_of_the_calendar_are_no_obstacle(backend: Backend) -> None:
    if backend.name == "pyspark":
        pytest.skip("Spark hands such times to pandas, which has none")
    if backend.name == "pandas" and pd.__version__ < "3":
        pytest.skip("there are no such times before pandas 3")
    sent = [datetime(2024, 6, 1), datetime(9999, 12, 31)]  # noqa: DTZ001
    frame = backend.make([{"sent": one, "responded": None} for one in sent], like=LIKE_TIMES)
    rows = quietly(response_rate, frame, window="7D", as_of="2024-07-01")
    assert [row[name] for row in rows for name in COUNTS] == [1, 0, 0, 0]


LIKE_TIMES = {"sent": datetime(2024, 1, 1), "responded": datetime(2024, 1, 1)}  # noqa: DTZ001


# --- little or nothing ------------------------------------------------------------------


def test_nobody_has_answered(backend: Backend) -> None:
    sent = [datetime(2024, 6, day) for day in (1, 2)]  # noqa: DTZ001
    rows = [{"sent": one, "responded": None} for one in sent]
    (row,) = rows_of(response_rate(backend.make(rows, like=LIKE_TIMES), window="1D"))
    assert [row[name] for name in COUNTS] == [2, 0, 0, 0]
    assert row["response_rate"] == 0
    assert (row["lower"], row["upper"]) == pytest.approx(wilson(0, 2))


def test_a_column_of_nothing_but_none_has_the_type_of_the_other() -> None:
    frame = pd.DataFrame({"sent": pd.to_datetime(["2024-06-01"]), "responded": [None]})
    assert counts_of(frame, window="1D") == [1, 0, 0, 0]
    assert counts_of(pl.from_pandas(frame).lazy(), window="1D") == [1, 0, 0, 0]


@pytest.mark.slow
def test_an_empty_frame_gives_the_same_columns(backend: Backend) -> None:
    empty = backend.make([], like=LIKE)
    (row,) = rows_of(response_rate(empty, window="1D"))
    assert [row[name] for name in COUNTS] == [0, 0, 0, 0]
    assert row["response_rate"] is None
    full = backend.make([LIKE])
    for options in ({"by": "channel", "window": "1D"}, {"period": "month"}):
        with_rows, without = (response_rate(one, **options) for one in (full, empty))  # type: ignore[arg-type]
        assert rows_of(without) == []
        if backend.result.is_polars():
            assert with_rows.schema == without.schema
        elif backend.result.is_pandas():
            assert list(with_rows.columns) == list(without.columns)


def test_the_kind_of_the_result_is_that_of_the_input(backend: Backend) -> None:
    import narwhals.stable.v2 as nw  # noqa: PLC0415

    found = nw.from_native(response_rate(backend.make([LIKE]), by="channel"))
    assert found.implementation == backend.result
    assert found.columns == ["channel", *COUNTS, "response_rate", "lower", "upper", "complete"]
