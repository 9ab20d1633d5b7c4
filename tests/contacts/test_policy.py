"""Contact policies: what was printed, what follows by hand, and what is refused."""

import uuid
import warnings
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from backends import BACKENDS, Backend
from retainkit import apply_contact_policy, holdout_bucket
from retainkit.errors import (
    ArgumentError,
    ColumnTypeError,
    MissingColumnError,
    RetainkitWarning,
)
from tables import Row, rows_of

PANDAS = next(one for one in BACKENDS if one.name == "pandas")
AS_OF = "2024-03-08 09:00"


def at(text: str) -> datetime:
    return datetime.fromisoformat(text if text.startswith("20") else f"2024-{text}")


def candidates_of(*rows: tuple[Any, str, str, int]) -> list[Row]:
    """Make candidates: customer, rule, channel and priority."""
    names = ("customer_id", "rule", "channel", "priority")
    return [dict(zip(names, row, strict=True)) for row in rows]


def contacts_of(*rows: tuple[Any, str, str]) -> list[Row]:
    """Make a log: customer, channel and time in 2024."""
    return [{"customer_id": who, "channel": how, "time": at(when)} for who, how, when in rows]


def caps_of(*rows: tuple[str | None, Any, Any], calendar: Sequence[bool] | None = None) -> Any:
    """Make caps: channel, max and window."""
    table = pd.DataFrame(rows, columns=["channel", "max", "window"])
    return table if calendar is None else table.assign(calendar=calendar)


def judged(candidates: list[Row], contacts: Any = None, **options: Any) -> list[Row]:
    """Return the rows of a result in pandas; contacts are rows, or a table."""
    log = PANDAS.make(contacts, like=LIKE) if isinstance(contacts, list) else contacts
    options = {"as_of": AS_OF, "contacts": log} | options
    return rows_of(apply_contact_policy(PANDAS.make(candidates), **options))


def reasons(candidates: list[Row], contacts: Any = None, **options: Any) -> list[str]:
    return [row["reason"] for row in judged(candidates, contacts, **options)]


LIKE = {"customer_id": 1, "channel": "email", "time": at("01-01")}
ONE = candidates_of((1, "letter", "email", 1))


# --- what was printed: customers-cases, 11.2 to 11.5 -------------------------------------------

TOY = candidates_of(
    (1, "winback", "email", 1),
    (1, "promo", "email", 2),
    (2, "winback", "email", 1),
    (2, "promo", "email", 2),
    (3, "winback", "email", 1),
    (3, "promo", "sms", 2),
    (4, "promo", "email", 2),
    (5, "winback", "email", 1),
    (6, "promo", "sms", 2),
    (7, "winback", "email", 1),
    (7, "promo", "sms", 2),
)
TOY_LOG = contacts_of(
    (1, "email", "03-01 09:00"),
    (2, "email", "03-01 08:59:59"),
    (2, "email", "03-05 12:00"),
    (3, "sms", "03-07 20:00"),
    (4, "email", "03-02 09:00"),
    (4, "email", "03-08 08:00"),
    (5, "email", "03-08 09:00"),
    (5, "email", "03-09 09:00"),
    (6, "email", "03-03 10:00"),
    (6, "email", "03-04 10:00"),
    (6, "sms", "03-05 10:00"),
)
TOY_CAPS = caps_of(("email", 2, "7D"), ("sms", 1, "24H"), (None, 3, "7D"))
TOY_ANSWER = [
    # customer, rule, reason, blocked by, contacts, eligible
    (1, "promo", "holdout", None, 0, True),
    (1, "winback", "holdout", None, 0, True),
    (2, "promo", "outranked", "email 2 in 7D", 1, False),
    (2, "winback", "send", None, 1, True),
    (3, "promo", "cap", "sms 1 in 24H", 1, False),
    (3, "winback", "send", None, 1, True),
    (4, "promo", "cap", "email 2 in 7D", 2, False),
    (5, "winback", "send", None, 0, True),
    (6, "promo", "cap", "all 3 in 7D", 3, False),
    (7, "promo", "suppressed", None, 0, False),
    (7, "winback", "suppressed", None, 0, False),
]


def test_the_toy_in_every_engine(backend: Backend) -> None:
    with pytest.warns(RetainkitWarning, match=r"2 of 11 rows of `contacts` at or after as_of"):
        found = apply_contact_policy(
            backend.make(TOY),
            as_of=AS_OF,
            contacts=backend.make(TOY_LOG),
            caps=TOY_CAPS,
            suppress=backend.make([{"customer_id": 7}]),
            holdout=0.2,
            salt="s",
        )
    rows = sorted(rows_of(found), key=lambda row: (row["customer_id"], row["rule"]))
    names = ("customer_id", "rule", "reason", "blocked_by", "contacts", "eligible")
    assert [tuple(row[name] for name in names) for row in rows] == TOY_ANSWER
    for row in rows:
        assert row["send"] == (row["reason"] == "send")
        assert row["bucket"] == holdout_bucket(row["customer_id"], "s")


def test_four_calendar_days_at_one_in_the_morning_are_73_hours() -> None:
    caps = caps_of(("email", 1, "4D"), calendar=[True])
    for when, reason in (("04-14 00:00", "cap"), ("04-13 23:59:59.999999", "send")):
        log = contacts_of((1, "email", when))
        (row,) = judged(ONE, log, as_of="2024-04-17 01:00", caps=caps)
        assert row["reason"] == reason
    assert row["blocked_by"] is None
    assert (at("04-17 01:00") - at("04-14 00:00")).total_seconds() == 73 * 3600


def test_a_letter_of_friday_is_followed_by_one_on_the_next_friday_at_the_same_hour() -> None:
    log, caps = contacts_of((1, "email", "03-01 09:00")), caps_of(("email", 1, "7D"))
    assert reasons(ONE, log, as_of="2024-03-08 08:59:59.999999", caps=caps) == ["cap"]
    assert reasons(ONE, log, as_of="2024-03-08 09:00", caps=caps) == ["send"]


@pytest.mark.parametrize(("logs_all", "of_the_held_out"), [(True, 5), (False, 10)])
def test_held_out_customers_meet_the_caps_only_if_eligible_rows_are_logged(
    of_the_held_out: int, *, logs_all: bool
) -> None:
    # Of these two, customer 1 is held out of a fifth, and customer 2 is not.
    letters = candidates_of((1, "weekly", "email", 1), (2, "weekly", "email", 1))
    caps, log, eligible = caps_of(("email", 1, "14D")), contacts_of(), {1: 0, 2: 0}
    for week in pd.date_range("2024-01-05 09:00", periods=10, freq="7D"):
        now = week.to_pydatetime()
        for row in judged(letters, log, as_of=now, caps=caps, holdout=0.2, salt="s"):
            eligible[row["customer_id"]] += row["eligible"]
            if row["eligible"] if logs_all else row["send"]:
                log.append({"customer_id": row["customer_id"], "channel": "email", "time": now})
    assert eligible == {1: of_the_held_out, 2: 5}


# --- windows -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("when", "counts", "warns"),
    [
        ("03-01 09:00", False, False),  # at as_of - w
        ("03-01 09:00:00.000001", True, False),
        ("03-08 08:59:59.999999", True, False),
        ("03-08 09:00", False, True),  # at as_of
        ("03-09", False, True),
    ],
)
def test_what_is_in_a_rolling_window(when: str, *, counts: bool, warns: bool) -> None:
    log, caps = contacts_of((1, "email", when)), caps_of(("email", 1, "7D"))
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        assert reasons(ONE, log, caps=caps) == ["cap" if counts else "send"]
    assert [one.message.code for one in told] == ["rows_after_as_of"] * warns  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("window", "calendar", "first"),
    [
        ("day", None, "03-08"),
        ("week", None, "03-04"),  # a Monday
        ("month", None, "03-01"),
        ("week", [False], "03-04"),
        ("2D", [True], "03-07"),
        ("1 week", [True], "03-02"),
    ],
)
def test_where_a_window_of_the_calendar_begins(
    window: str, calendar: list[bool] | None, first: str
) -> None:
    caps = caps_of(("email", 1, window), calendar=calendar)
    before = f"{pd.Timestamp(at(first)) - pd.Timedelta('1us')}"
    assert reasons(ONE, contacts_of((1, "email", first)), caps=caps) == ["cap"]
    assert reasons(ONE, contacts_of((1, "email", before)), caps=caps) == ["send"]


def test_the_name_of_a_cap_says_its_channel_max_and_window() -> None:
    letters = candidates_of(*((i, "a", "email", 1) for i in range(1, 6)))
    caps = caps_of(
        ("email", 0, "7D"),
        (None, 0, "24H"),
        ("email", 0, "month"),
        ("email", 0, "2  D"),
        (None, 0, pd.Timedelta("36h")),
        calendar=[False, False, False, True, False],
    )
    names = []
    for i in range(5):
        (row, *_) = judged(letters, caps=caps[i : i + 1])
        names.append(row["blocked_by"])
    assert names == [
        "email 0 in 7D",
        "all 0 in 24H",
        "email 0 in month (calendar)",
        "email 0 in 2 D (calendar)",
        "all 0 in 36h",
    ]


def berlin(*times: str) -> Any:
    """Make a log of one customer in the zone of Berlin."""
    zoned = pd.to_datetime([at(one) for one in times]).tz_localize("Europe/Berlin")
    return pd.DataFrame({"customer_id": 1, "channel": "email", "time": zoned})


def test_days_are_those_of_the_wall_and_hours_pass() -> None:
    # On 31 March the clock of Berlin goes forward by an hour: from noon to noon are 23 hours.
    for window, reason in (("1D", "send"), ("24H", "cap"), ("23H", "send")):
        found = judged(
            ONE,
            as_of="2024-03-31 12:00",
            contacts=berlin("03-30 12:00"),
            caps=caps_of(("email", 1, window)),
        )
        assert [row["reason"] for row in found] == [reason]


def test_days_are_cut_in_the_zone_of_each_customer() -> None:
    # At noon in UTC it is 13:00 in Berlin, 01:00 of the next day in Auckland, and 04:00 in Los
    # Angeles.
    zones = {1: "Europe/Berlin", 2: "Pacific/Auckland", 3: "America/Los_Angeles"}
    letters = [
        row | {"zone": zones[int(row["customer_id"])]}
        for row in candidates_of(*((who, "a", "email", 1) for who in zones))
    ]
    caps = caps_of(("email", 1, "day"))
    for hour, capped in ((11, [1, 2, 3]), (10, [1, 3]), (7, [1])):
        times = pd.to_datetime([f"2024-03-08 {hour:02}:00"] * 3, utc=True)
        log = pd.DataFrame({"customer_id": [1, 2, 3], "channel": "email", "time": times})
        found = judged(letters, contacts=log, caps=caps, as_of="2024-03-08 12:00", timezone="zone")
        assert [row["customer_id"] for row in found if row["reason"] == "cap"] == capped


def test_a_null_zone_is_that_of_tz_and_counted() -> None:
    letters = [row | {"zone": zone} for row, zone in zip(TOY[:4], ["UTC", None, None, None])]  # noqa: B905
    table = pd.DataFrame(letters)
    log = berlin("03-08 00:30")
    caps = caps_of(("email", 1, "day"))
    options = {"as_of": AS_OF, "contacts": log, "caps": caps, "timezone": "zone"}
    # Customer 1 is in UTC, of which one row knows; customer 2 in no zone that is known.
    with pytest.warns(RetainkitWarning, match=r"null in 2 rows of 4: the zone of the log"):
        found = apply_contact_policy(table, **options)
    assert found["reason"].tolist()[0] == "send"
    with pytest.warns(RetainkitWarning, match=r"null in 2 rows of 4: the zone of `tz` is used"):
        apply_contact_policy(table, tz="Europe/Berlin", **options)


# --- order -------------------------------------------------------------------------------------


def test_the_suppressed_are_out_before_all_else() -> None:
    letters = [row | {"receipt": True} for row in ONE]
    for suppress, reason in (
        ({"customer_id": [1]}, "suppressed"),
        ({"customer_id": [1], "channel": ["email"]}, "suppressed"),
        ({"customer_id": [1], "channel": [None]}, "suppressed"),
        ({"customer_id": [1], "channel": ["sms"]}, "exempt"),
        ({"customer_id": [2], "channel": ["email"]}, "exempt"),
        ({"customer_id": [2, 1], "channel": ["email", None]}, "suppressed"),
    ):
        found = judged(letters, exempt="receipt", suppress=pd.DataFrame(suppress))
        assert [row["reason"] for row in found] == [reason]
        assert found[0]["eligible"] == found[0]["send"] == (reason == "exempt")


def test_what_is_exempt_goes_out_in_spite_of_all_and_counts() -> None:
    letters = candidates_of((1, "letter", "email", 1), (1, "receipt", "email", 9))
    letters = [row | {"receipt": row["rule"] == "receipt"} for row in letters]
    caps = caps_of(("email", 1, "7D"))
    found = judged(letters, caps=caps, exempt="receipt", holdout=1.0)
    assert [(row["reason"], row["eligible"]) for row in found] == [
        ("outranked", False),
        ("exempt", True),
    ]
    assert found[0]["blocked_by"] == "email 1 in 7D"
    found = judged(letters, caps=caps_of(("email", 0, "7D")), exempt="receipt")
    assert [row["reason"] for row in found] == ["cap", "exempt"]


def test_ties_of_priority_are_decided_by_the_place_in_the_table() -> None:
    letters = candidates_of((1, "b", "email", 1), (1, "a", "email", 1), (2, "z", "email", 1))
    caps = caps_of((None, 1, "7D"))
    assert reasons(letters, caps=caps) == ["send", "outranked", "send"]
    assert reasons(letters[::-1], caps=caps) == ["send", "send", "outranked"]


@pytest.mark.parametrize("name", ["polars-lazy", "duckdb"])
def test_in_a_lazy_engine_by_channel_and_then_by_rule(name: str) -> None:
    backend = next(one for one in BACKENDS if one.name == name)
    letters = candidates_of(
        (1, "a", "sms", 1), (1, "c", "email", 1), (1, "b", "email", 1), (1, "z", "zap", 0)
    )
    found = apply_contact_policy(backend.make(letters), as_of=AS_OF, caps=caps_of((None, 2, "7D")))
    sent = [row["rule"] for row in rows_of(found) if row["send"]]
    assert sorted(sent) == ["b", "z"]


def test_a_held_out_row_takes_the_place_of_worse_ones() -> None:
    letters = candidates_of((1, "a", "email", 1), (1, "b", "email", 2))
    found = judged(letters, caps=caps_of(("email", 1, "7D")), holdout=1.0)
    assert [row["reason"] for row in found] == ["holdout", "outranked"]


def test_two_caps_of_a_channel_hold_both_and_the_first_in_the_way_is_named() -> None:
    log = contacts_of((1, "email", "03-08 08:00"), (1, "email", "03-02"), (1, "sms", "03-02"))
    caps = caps_of(("email", 5, "28D"), ("email", 1, "24H"), ("email", 2, "7D"), (None, 4, "7D"))
    (row,) = judged(ONE, log, caps=caps)
    assert (row["reason"], row["blocked_by"], row["contacts"]) == ("cap", "email 1 in 24H", 1)
    # Of 2 in 28 days, 2 in 7 and 3 in all three shares are 2/5, 2/4 and 3/6: the first of equals.
    caps = caps_of(("email", 5, "28D"), ("email", 4, "7D"), (None, 6, "7D"))
    (row,) = judged(ONE, log, caps=caps)
    assert (row["reason"], row["blocked_by"], row["contacts"]) == ("send", None, 2)


def test_the_log_alone_is_told_from_better_rows() -> None:
    letters = candidates_of((1, "a", "email", 1), (1, "b", "email", 2), (1, "c", "email", 3))
    caps = caps_of(("email", 2, "7D"))
    assert reasons(letters, caps=caps) == ["send", "send", "outranked"]
    one = contacts_of((1, "email", "03-05"))
    assert reasons(letters, one, caps=caps) == ["send", "outranked", "outranked"]
    assert reasons(letters, one * 2, caps=caps) == ["cap"] * 3


def test_a_channel_that_no_cap_covers_passes_and_a_cap_of_no_channel_is_fine() -> None:
    log = contacts_of(*[(1, "email", "03-08")] * 9)
    assert reasons(ONE, log, caps=caps_of(("sms", 0, "7D"))) == ["send"]
    assert [row["contacts"] for row in judged(ONE, log, caps=caps_of(("sms", 0, "7D")))] == [0]
    assert reasons(ONE, log) == ["send"]


def test_nothing_but_candidates_sends_them_all() -> None:
    found = judged(TOY)
    assert {row["reason"] for row in found} == {"send"}
    assert [row["contacts"] for row in found] == [0] * len(TOY)
    assert all(row["eligible"] and row["send"] for row in found)


def test_the_log_of_others_is_ignored() -> None:
    log = contacts_of(*[(2, "email", "03-08")] * 9)
    assert reasons(ONE, log, caps=caps_of((None, 1, "7D"))) == ["send"]


def test_a_max_of_0_lets_nobody_pass() -> None:
    found = judged(TOY, caps=caps_of((None, 0, "1H")))
    assert {row["reason"] for row in found} == {"cap"}


# --- tables ------------------------------------------------------------------------------------


def test_columns_and_index_stay_as_they_were() -> None:
    table = pd.DataFrame(TOY, index=range(100, 111)).assign(
        day=pd.Timestamp("2024-01-01"),
        tag=pd.Categorical(["a"] * 11),
        channel=pd.Categorical(["email"] * 11),
    )
    table["rule"] = [str(i) for i in range(11)]
    before = table.copy()
    found = apply_contact_policy(table, as_of=AS_OF)
    pd.testing.assert_frame_equal(table, before)
    pd.testing.assert_frame_equal(found[table.columns], before)
    assert not any(found[name]._values is table[name]._values for name in table)


def test_types_of_other_columns_stay_in_duckdb() -> None:
    connection = duckdb.connect()
    table = connection.sql(
        "select 'u' || i as customer_id, 'email' as channel, i % 2 as priority, "
        "date '2024-01-01' as day, 1.25::decimal(9, 2) as price, [1, i] as list, "
        '170141183460469231731687303715884105727::hugeint as big, 3 as "send.at" '
        "from range(5) t(i)"
    )
    found = apply_contact_policy(table, as_of=AS_OF)
    assert found.columns[:8] == table.columns
    assert found.types[:8] == table.types
    assert len(found.fetchall()) == 5


def test_tables_of_several_engines_meet() -> None:
    connection = duckdb.connect()
    log = pd.DataFrame(TOY_LOG)[:6]
    suppress = pa.table({"customer_id": [7]})
    for candidates in (
        pl.DataFrame(TOY),
        pl.DataFrame(TOY).lazy(),
        connection.from_df(pd.DataFrame(TOY)),
    ):
        for contacts in (log, pl.DataFrame(log).lazy(), connection.from_df(log)):
            found = apply_contact_policy(
                candidates,
                as_of="2024-03-08 08:30",
                contacts=contacts,
                caps=pl.DataFrame(TOY_CAPS),
                suppress=suppress,
            )
            rows = sorted(rows_of(found), key=lambda row: (row["customer_id"], row["rule"]))
            assert "".join(row["reason"][0] for row in rows) == "oscccscssss"


@pytest.mark.parametrize("kind", ["text", "uuid", "category", "bytes"])
def test_ids_of_every_kind_are_matched(kind: str) -> None:
    texts = [str(uuid.uuid5(uuid.NAMESPACE_OID, str(i))) for i in range(3)]
    make: Any = {
        "text": list,
        "uuid": lambda ids: [uuid.UUID(one) for one in ids],
        "category": pd.Categorical,
        "bytes": lambda ids: pd.Series(
            pa.array([uuid.UUID(one).bytes for one in ids], pa.binary(16)).to_pandas()
        ),
    }[kind]
    table = pd.DataFrame({"customer_id": make(texts), "channel": "email", "priority": 1})
    log = pd.DataFrame({"customer_id": make(texts[1:2]), "channel": "email", "time": at("03-08")})
    suppress = pd.DataFrame({"customer_id": make(texts[2:])})
    found = apply_contact_policy(
        table, as_of=AS_OF, contacts=log, caps=caps_of((None, 1, "7D")), suppress=suppress
    )
    assert found["reason"].tolist() == ["send", "cap", "suppressed"]
    assert found["bucket"].tolist() == [holdout_bucket(one) for one in texts]


def test_a_uuid_is_the_customer_of_its_text() -> None:
    ids = [uuid.uuid5(uuid.NAMESPACE_OID, str(i)) for i in range(2)]
    table = pd.DataFrame({"customer_id": ids, "channel": "email", "priority": 1})
    connection = duckdb.connect()
    log = connection.sql(
        f"select '{ids[1]}'::uuid as customer_id, 'email' as channel, "
        "timestamp '2024-03-08' as time"
    )
    for candidates in (table, table.astype({"customer_id": str})):
        for contacts in (log, log.select("* replace (customer_id::varchar as customer_id)")):
            found = apply_contact_policy(
                candidates, as_of=AS_OF, contacts=contacts, caps=caps_of((None, 1, "7D"))
            )
            assert found["reason"].tolist() == ["send", "cap"]


def test_no_candidates_give_no_rows_and_all_columns() -> None:
    found = apply_contact_policy(
        pd.DataFrame(TOY)[:0],
        as_of=AS_OF,
        contacts=pd.DataFrame(TOY_LOG)[:6],
        caps=TOY_CAPS,
        suppress=pd.DataFrame({"customer_id": [7]}),
    )
    assert [*found.columns][-6:] == [
        "send", "reason", "blocked_by", "contacts", "eligible", "bucket",
    ]  # fmt: skip
    assert not len(found)


# --- what is refused ---------------------------------------------------------------------------


def refused(match: str, code: str, candidates: list[Row] = ONE, **options: Any) -> None:
    with pytest.raises(ArgumentError, match=match) as caught:
        judged(candidates, **options)
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("cap", "match", "code"),
    [
        (("email", -1, "7D"), "'max' of `caps` .* 1 row of 1 do not: -1", "impossible_values"),
        (("email", 1.5, "7D"), "whole numbers, 0 or more.*1.5", "impossible_values"),
        (("email", None, "7D"), "whole numbers.*None", "null_values"),
        (
            ("email", 1, "1 month"),
            "'window' of `caps` is '1 month'; months .*'month'",
            "calendar_length",
        ),
        (("email", 1, "soon"), "'window' of `caps` is 'soon'", "length_unit"),
        (
            ("email", 1, "0D"),
            "'window' of `caps` is '0D'; it must be above 0",
            "length_out_of_range",
        ),
        (("email", 1, None), "'window' of `caps` is null", "null_values"),
    ],
)
def test_a_cap_that_is_none_is_refused(cap: Any, match: str, code: str) -> None:
    refused(match, code, caps=caps_of(cap))


def test_a_cap_of_other_types_is_refused() -> None:
    for caps, match in (
        (caps_of(("email", "two", "7D")), "'max' of `caps` must hold whole numbers"),
        (caps_of(("email", True, "7D")), "'max' of `caps` must hold whole numbers"),
        (caps_of((1, 1, "7D")), "'channel' of `caps` holds 1"),  # type: ignore[arg-type]
        (caps_of(("email", 1, "7D"), calendar=["yes"]), "'calendar' of `caps` must hold True"),  # type: ignore[list-item]
    ):
        with pytest.raises(ColumnTypeError, match=match) as caught:
            judged(ONE, caps=caps)
        assert caught.value.argument == "caps"
    with pytest.raises(MissingColumnError, match=r"`caps` needs the column 'window'"):
        judged(ONE, caps=caps_of(("email", 1, "7D")).drop(columns="window"))


def test_hours_of_the_calendar_are_refused() -> None:
    caps = caps_of(("email", 1, "24H"), calendar=[True])
    refused(r"write whole days, such as '2D'", "length_not_whole", caps=caps)


def test_whole_numbers_of_any_type_are_a_max() -> None:
    for column in ([1.0], pd.array([1], "Int64"), pd.array([1], "UInt8")):
        caps = caps_of(("email", 9, "7D")).assign(max=column)
        found = judged(candidates_of((1, "a", "email", 1), (1, "b", "email", 2)), caps=caps)
        assert found[1]["blocked_by"] == "email 1 in 7D"


def test_a_channel_called_all_caps_nothing_and_is_told() -> None:
    with pytest.warns(RetainkitWarning, match=r"'all'.*leave the channel null"):
        assert reasons(ONE, caps=caps_of(("all", 0, "7D"))) == ["send"]


def test_a_candidate_that_is_there_twice_is_refused() -> None:
    refused(
        r"1 row of `candidates`, of 2, have the same customer, channel and rule",
        "duplicate_rows",
        ONE * 2,
    )
    without = [{key: row[key] for key in row if key != "rule"} for row in TOY]
    refused(r"2 rows .* same customer and channel .* by a column 'rule'", "duplicate_rows", without)


def test_a_percentage_is_no_holdout() -> None:
    refused(r"`holdout` is 10; .* a fraction, 0.1 for 10 %", "percent_not_fraction", holdout=10)


def test_zones_that_are_not_known_are_listed() -> None:
    letters = [row | {"zone": ("UTC", "Mars/Olympus")[row["customer_id"] % 2]} for row in TOY]
    refused(
        r"1 time zone not known here, in 7 rows of 11: 'Mars/Olympus'",
        "unknown_time_zone",
        letters,
        timezone="zone",
    )
    refused(r"`tz` names the time zone 'Mars'", "unknown_time_zone", tz="Mars")
    letters = [row | {"zone": ("UTC", "Europe/Berlin")[i % 2]} for i, row in enumerate(TOY)]
    refused(
        r"several values for 4 customers: 1, 2, 3, 7", "several_values", letters, timezone="zone"
    )
    letters = [row | {"zone": "UTC"} for row in ONE]
    log = PANDAS.make(TOY_LOG[:1])
    refused(r"no time zone. Say which zone", "no_zone", letters, contacts=log, timezone="zone")


def test_a_column_of_the_result_is_not_overwritten() -> None:
    once = apply_contact_policy(pd.DataFrame(ONE), as_of=AS_OF)
    with pytest.raises(ArgumentError, match=r"names the column 'send'.*rename it first") as caught:
        apply_contact_policy(once, as_of=AS_OF)
    assert caught.value.code == "reserved_name"


def test_numbers_and_text_are_never_one_customer() -> None:
    log = pd.DataFrame(TOY_LOG)[:6].astype({"customer_id": str})
    with pytest.raises(ColumnTypeError, match=r"in `candidates` and .* in `contacts`"):
        judged(ONE, contacts=log, caps=caps_of((None, 1, "7D")))
    with pytest.raises(ColumnTypeError, match=r"in `candidates` and .* in `suppress`"):
        judged(ONE, suppress=pd.DataFrame({"customer_id": ["1"]}))


def test_nulls_name_their_table() -> None:
    log = PANDAS.make([*TOY_LOG[:6], TOY_LOG[6] | {"channel": None}], like=LIKE)
    refused(
        r"column 'channel' of `contacts` .* is null in 1 row, of 7", "null_values", contacts=log
    )
    suppress = pd.DataFrame({"customer_id": ["a", None]})
    refused(
        r"'customer_id' of `suppress` .* is null in 1 row, of 2", "null_values", suppress=suppress
    )


def test_a_zone_on_one_side_alone_is_refused() -> None:
    log = PANDAS.make(TOY_LOG[:1])
    refused(r"has a time zone, while", "mixed_zones", contacts=log, as_of="2024-03-08T09:00+01:00")
    refused(r"`tz` is 'UTC', but .* has no time zone", "no_zone", contacts=log, tz="UTC")
