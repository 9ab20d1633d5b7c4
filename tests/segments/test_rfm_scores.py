"""RFM scores, held to worked numbers, to a slow oracle, and to what must not change a score."""

import random
import warnings
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import polars as pl
import pytest

from backends import BACKENDS, Backend, params
from retainkit import datasets, rfm_cuts, rfm_scores, rfm_summary
from retainkit.errors import ArgumentError, ArgumentTypeError, MissingColumnError, RetainkitWarning
from tables import Row, rows_of

MEASURES = ("recency_days", "frequency", "monetary")
on_every_kind = pytest.mark.parametrize("backend", params(BACKENDS), indirect=True)


def quietly(function: Any, *frames: Any, **options: Any) -> Any:
    """Call, and expect that something may be set aside."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RetainkitWarning)
        return function(*frames, **options)


def told(function: Any, *frames: Any, **options: Any) -> tuple[Any, dict[str, RetainkitWarning]]:
    """Call, and return the result with the warnings by their codes."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        found = function(*frames, **options)
    said = [one.message for one in caught if isinstance(one.message, RetainkitWarning)]
    return found, {one.code: one for one in said}


def scored(*args: Any, **options: Any) -> dict[Any, Row]:
    """Score, and return the rows by customer."""
    found = rows_of(quietly(rfm_scores, *args, **options))
    return {row["customer_id"]: row for row in found}


def order(customer: Any, day: str, amount: float = 10.0, **more: Any) -> Row:
    return {
        "customer_id": customer,
        "time": datetime.fromisoformat(f"2024-{day}"),
        "amount": amount,
        **more,
    }


def log(*rows: Row) -> pd.DataFrame:
    return pd.DataFrame([*rows])


# --- worked numbers --------------------------------------------------------------------------


def test_cuts_by_hand() -> None:
    # R's quantile(type = 1): 1, 2, 5, 13.
    values = [1, 1, 1, 2, 3, 5, 8, 13, 21, 34]
    orders = log(*(order(who, "06-01", value) for who, value in enumerate(values)))
    cuts = rfm_cuts(pd.DataFrame({"monetary": values}), measures="monetary")
    assert cuts["upper"].tolist() == [1, 2, 5, 13, np.inf]
    found = scored(orders)
    assert [found[who]["m"] for who in range(10)] == [1, 1, 1, 2, 3, 3, 4, 4, 5, 5]


def test_recency_by_hand() -> None:
    recency = [205, 140, 194, 98, 132]
    end = datetime(2024, 12, 31)  # noqa: DTZ001
    times = [end - timedelta(days=days) for days in recency]
    orders = pd.DataFrame({"customer_id": range(5), "time": times, "amount": 1.0})
    found = scored(orders, as_of="2024-12-31")
    assert [found[who]["recency_days"] for who in range(5)] == recency
    assert [found[who]["r"] for who in range(5)] == [1, 3, 2, 5, 4]
    cuts = rfm_cuts(pd.DataFrame({"recency_days": recency}), measures="recency_days")
    assert cuts["score"].tolist() == [1, 2, 3, 4, 5]
    assert cuts["lower"].tolist() == [194, 140, 132, 98, -np.inf]


def test_an_order_of_today_is_a_day_old_at_the_coming_midnight() -> None:
    # Definitions of issue 15: an order today at 10:00, and `as_of` at the coming midnight.
    found = scored(log(order(1, "03-05T10:00")), as_of="2024-03-06")
    assert found[1]["recency_days"] == 1
    assert scored(log(order(1, "03-05T10:00")), as_of="2024-03-05T23:59")[1]["recency_days"] == 0


@pytest.fixture(scope="module")
def cdnow() -> pd.DataFrame:
    return datasets.load_cdnow()


def counts(column: Any) -> list[int]:
    return [int((column == score).sum()) for score in range(1, 6)]


def test_cdnow(cdnow: pd.DataFrame) -> None:
    # Worked numbers of issue 15, case 6.2: NumPy's inverted_cdf and R's quantile(type = 1).
    found, said = told(rfm_scores, cdnow, as_of="1998-07-01")
    assert "nobody has some scores (2 of 'frequency'): many" in str(said["empty_scores"])
    assert (said["no_value"].rows, said["no_value"].total) == (68, 23570)
    cuts = rfm_cuts(found)
    inner = {name: sorted(part["upper"])[:-1] for name, part in cuts.groupby("measure")}
    assert inner == {
        "recency_days": [142, 433, 486, 513],
        "frequency": [1, 1, 2, 4],
        "monetary": [15.36, 31.35, 59.92, 133.95],
    }
    assert counts(found["r"]) == [4539, 4748, 4844, 4720, 4719]
    assert counts(found["f"]) == [12054, 0, 4040, 3641, 3835]
    assert counts(found["m"]) == [4817, 4615, 4710, 4715, 4713]
    assert (found["rfm"] == "555").sum() == 2345
    assert (found["rfm"] == "111").sum() == 1665
    rows = zip(cuts["measure"], cuts["score"], cuts["customers"], strict=True)
    names = {"recency_days": "r", "frequency": "f", "monetary": "m"}
    assert all((found[names[name]] == score).sum() == n for name, score, n in rows)


def test_cuts_that_stay_show_who_moved(cdnow: pd.DataFrame) -> None:
    # Case 6.2: with new cuts nothing seems to have happened.
    before = quietly(rfm_scores, cdnow, as_of="1998-01-01")
    cuts = rfm_cuts(before)
    uppers = cuts.loc[cuts["upper"] < np.inf].groupby("measure")["upper"].apply(sorted)
    assert uppers["recency_days"] == [111, 285, 309, 334]
    assert uppers["frequency"] == [1, 1, 2, 3]
    assert uppers["monetary"] == pytest.approx([15.0, 29.52, 52.87, 111.03])
    same = quietly(rfm_scores, cdnow, as_of="1998-07-01", cuts=cuts)
    anew = quietly(rfm_scores, cdnow, as_of="1998-07-01")
    assert [(one["r"] == 1).mean() for one in (before, same, anew)] == pytest.approx(
        [0.191642, 0.667416, 0.192575], abs=5e-7
    )
    assert [(one["r"] == 5).mean() for one in (before, same, anew)] == pytest.approx(
        [0.200424, 0.169156, 0.200212], abs=5e-7
    )


def test_frequency_is_that_of_the_summary_with_the_first(cdnow: pd.DataFrame) -> None:
    found = quietly(rfm_scores, cdnow, as_of="1998-07-01")
    summary = rfm_summary(cdnow, as_of="1998-07-01", include_first=True)
    assert found["frequency"].tolist() == summary["frequency"].tolist()


# --- what others do, and must not come out ----------------------------------------------------


def test_ties_share_a_score(cdnow: pd.DataFrame) -> None:
    # NTILE gives the 11,908 customers with one order the scores 1, 2 and 3.
    found = quietly(rfm_scores, cdnow)
    once = found[found["frequency"] == 1]
    assert len(once) > 11_900
    assert set(once["f"]) == {1}


def test_the_order_of_rows_changes_no_score(cdnow: pd.DataFrame) -> None:
    # pandas' qcut(rank(method="first")) changes the F score of 10,586 customers.
    found = quietly(rfm_scores, cdnow)
    shuffled = quietly(rfm_scores, cdnow.sample(frac=1, random_state=1))
    pd.testing.assert_frame_equal(found, shuffled)


@pytest.mark.parametrize(
    "change",
    [
        lambda money: money / 100,
        lambda money: money * 100,
        lambda money: np.log1p(money) * 7,
        lambda money: money.astype("float32"),
    ],
    ids=["euros", "cents", "log", "float32"],
)
def test_a_rising_change_of_the_measure_changes_no_score(cdnow: pd.DataFrame, change: Any) -> None:
    # R's rfm adds a unit of the currency to each cut: divided by 100, 529 of 995 scores change.
    once = cdnow.drop_duplicates("customer_id")
    found = quietly(rfm_scores, once)["m"]
    other = quietly(rfm_scores, once.assign(amount=change(once["amount"])))["m"]
    pd.testing.assert_series_equal(found, other)


# --- the oracle -------------------------------------------------------------------------------


def score_by_hand(values: Sequence[float], bins: int) -> list[int]:
    """Return 1 and how many cuts are below each value, by counting ranks."""
    ordered, n = sorted(values), len(values)
    cuts = [ordered[-(-n * k // bins) - 1] for k in range(1, bins)]
    return [1 + sum(cut < value for cut in cuts) for value in values]


def rfm_by_hand(rows: Sequence[Row], options: Row) -> dict[Any, tuple[Any, ...]]:
    """Measure and score customers one by one."""
    zone = ZoneInfo(options.get("tz", "UTC"))
    end = datetime.fromisoformat(options["as_of"]).replace(tzinfo=zone)
    days = int(options.get("window", "90000D").removesuffix("D"))
    begin = (end.replace(tzinfo=None) - timedelta(days=days)).replace(tzinfo=zone)
    kept: dict[Any, list[Row]] = {}
    for row in rows:
        time = (
            row["time"].replace(tzinfo=UTC) if "tz" in options else row["time"].replace(tzinfo=zone)
        )
        if begin <= time < end:
            kept.setdefault(row["customer_id"], []).append(
                row | {"day": time.astimezone(zone).date()}
            )
    measured = {}
    for customer, own in kept.items():
        bought = [row for row in own if row["amount"] >= 0]
        if bought:
            unit = options.get("order", "day")
            measured[customer] = (
                own[0]["team"],
                (end.date() - max(row["day"] for row in bought)).days,
                len({row[unit] for row in bought}),
                round(sum(row["amount"] for row in own), 6),
            )
    bins, found = options.get("bins", 5), {}
    teams = {one[0] if "by" in options else 0 for one in measured.values()}
    for team in teams:
        own = [who for who, one in measured.items() if "by" not in options or one[0] == team]
        columns = [[measured[who][i] for who in own] for i in (1, 2, 3)]
        r, f, m = (score_by_hand(column, bins) for column in columns)
        for i, who in enumerate(own):
            text = ("-" if bins > 9 else "").join(map(str, (bins + 1 - r[i], f[i], m[i])))
            found[who] = (*measured[who][1:], bins + 1 - r[i], f[i], m[i], text)
    return found


LIKE = order(1, "01-01", team="a", order_id="1/1")


def drawn_orders(seed: int, customers: int = 60) -> list[Row]:
    draw = random.Random(seed)  # noqa: S311
    rows = []
    for customer in range(customers):
        for _ in range(draw.randint(1, 6)):
            time = datetime(2024, 3, 1) + timedelta(hours=draw.randint(0, 24 * 90))  # noqa: DTZ001
            amount = draw.choice([0.0, 0.1, 0.2, 5.0, 9.99, 20.0, -5.0, -0.3])
            team = [None, "a", "b"][customer % 3]
            number = draw.randint(0, 3)
            rows.append(
                {"customer_id": customer, "time": time, "amount": amount, "team": team}
                | {"order_id": f"{customer}/{number}"}
            )
    return rows


@on_every_kind
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"by": "team", "bins": 3},
        {"order": "order_id", "window": "40D", "bins": 12},
        {"tz": "America/New_York", "by": "team", "order": "order_id"},
    ],
    ids=["plain", "segments", "orders", "zone"],
)
def test_scores_are_those_of_the_oracle(backend: Backend, options: Row) -> None:
    options = {"as_of": "2024-05-15", **options}
    rows = drawn_orders(3)
    like = LIKE
    if "tz" in options:
        like, *rows = [
            row | {"time": row["time"].replace(tzinfo=ZoneInfo("UTC"))} for row in (like, *rows)
        ]
    found = scored(backend.make(rows, like=like), **options)
    names = (*MEASURES, "r", "f", "m", "rfm")
    want = rfm_by_hand(rows, options)
    assert {who: tuple(row[name] for name in names) for who, row in found.items()} == want
    if "by" in options:
        assert {who: row["team"] for who, row in found.items()} == {
            who: [None, "a", "b"][who % 3] for who in want
        }


@on_every_kind
def test_cuts_and_scores_by_them_are_the_same_everywhere(backend: Backend) -> None:
    rows = drawn_orders(4)
    options: Row = {"as_of": "2024-05-15", "by": "team"}
    table = backend.make(rows, like=LIKE)
    plain = pd.DataFrame(rows)
    want = quietly(rfm_scores, plain, **options)
    cuts = rfm_cuts(want, by="team")
    assert rows_of(rfm_cuts(quietly(rfm_scores, table, **options), by="team")) == rows_of(cuts)
    # Cuts of the half-year before, in a table of another library.
    later: Row = options | {"as_of": "2024-07-01"}
    by_cuts = rows_of(quietly(rfm_scores, table, cuts=pl.from_pandas(cuts), **later))
    there = quietly(rfm_scores, plain, cuts=cuts, **later)
    assert sorted(by_cuts, key=lambda row: row["customer_id"]) == rows_of(there)
    # The definition of a score by cuts: its interval holds the value.
    for row in rows_of(there):
        for score, name in zip("rfm", MEASURES, strict=True):
            own = cuts[(cuts["measure"] == name) & (cuts["score"] == row[score])]
            own = own[own["team"].isna() if row["team"] is None else own["team"] == row["team"]]
            assert len(own) == 1
            assert own["lower"].item() < row[name] <= own["upper"].item()


def test_groups_at_once_are_groups_apart() -> None:
    rows = [row | {"team": row["team"] or "c"} for row in drawn_orders(5)]
    found = scored(pd.DataFrame(rows), by="team", as_of="2024-07-01")
    for team in "abc":
        apart = pd.DataFrame([row for row in rows if row["team"] == team])
        assert scored(apart, by="team", as_of="2024-07-01") == {
            who: row for who, row in found.items() if row["team"] == team
        }


# --- the rows of the definitions' table ---------------------------------------------------------


def test_fewer_distinct_values_than_bins_leave_scores_empty() -> None:
    # Of three values and four bins the third cut is the greatest value.
    orders = log(*(order(who, f"01-0{who}", 10.0 * who) for who in (1, 2, 3)))
    _, said = told(rfm_scores, orders, bins=4)
    empty = "(1 of 'recency_days'; 2, 3, 4 of 'frequency'; 4 of 'monetary')"
    assert [*said] == ["empty_scores"]
    assert empty in str(said["empty_scores"])


def test_a_warning_of_empty_scores_names_a_segment() -> None:
    rows = [order(1, "01-01", team="a"), order(2, "01-01", 20.0, team="a")]
    rows += [order(2, "01-02", team="a"), order(9, "02-02", 1.0, team="b")]
    _, said = told(rfm_scores, log(*rows), bins=2, by="team")
    assert "in some segments, such as team = 'b'" in str(said["empty_scores"])


def test_where_all_are_equal_everybody_has_the_same_score() -> None:
    found = scored(log(*(order(who, "01-01") for who in range(7))))
    assert {(row["r"], row["f"], row["m"]) for row in found.values()} == {(5, 1, 1)}


def test_money_of_0_or_less_stays_and_is_counted() -> None:
    rows = [order(1, "01-01"), order(1, "01-02", -30.0), order(2, "01-01", 0.0), order(3, "01-03")]
    found, said = told(rfm_scores, log(*rows), bins=2)
    assert (said["no_value"].rows, said["no_value"].total) == (2, 3)
    assert found["monetary"].tolist() == [-20.0, 0.0, 10.0]
    assert found["m"].tolist() == [1, 1, 2]


@on_every_kind
def test_who_only_sends_back_has_no_row(backend: Backend) -> None:
    rows = [order(1, "01-01"), order(2, "01-05", -3.0), order(3, "01-03"), order(3, "01-04", -1.0)]
    found, said = told(rfm_scores, backend.make(rows), bins=2, as_of="2024-01-11")
    alone = said["no_purchase_left"]
    assert str(alone).startswith("1 customer with refunds alone")
    assert (alone.rows, alone.total) == (1, 3)
    kept = sorted(rows_of(found), key=lambda row: row["customer_id"])
    # A refund is in the sum, and it is no order and no day.
    assert [(row["recency_days"], row["frequency"], row["monetary"]) for row in kept] == [
        (10, 1, 10.0),
        (8, 1, 9.0),
    ]


def test_only_orders_of_the_window_count() -> None:
    rows = [order(1, "01-01"), order(1, "02-10"), order(2, "01-31T23:59"), order(3, "02-01")]
    found = scored(log(*rows), as_of="2024-03-02", window="30D")
    assert {who: row["frequency"] for who, row in found.items()} == {1: 1, 3: 1}


@pytest.mark.parametrize(
    ("bins", "error"),
    [
        *((number, ArgumentError) for number in (1, 0, 101)),
        *((other, ArgumentTypeError) for other in (5.0, "5", True)),
    ],
)
def test_bins_are_2_to_100(bins: Any, error: type[Exception]) -> None:
    with pytest.raises(error, match="`bins` is"):
        rfm_scores(log(order(1, "01-01")), bins=bins)
    with pytest.raises(error, match="`bins` is"):
        rfm_cuts(pd.DataFrame({"monetary": [1.0]}), bins=bins)


def test_a_hundred_bins_are_joined_by_dashes() -> None:
    orders = log(*(order(who, "01-01", float(who)) for who in range(200)))
    found = scored(orders, bins=100)
    assert found[199]["rfm"] == "100-1-100"
    assert found[0]["rfm"] == "100-1-1"


@on_every_kind
def test_the_order_of_a_sum_breaks_no_tie(backend: Backend) -> None:
    # .1 + .2 + .3 is another float than .3 + .2 + .1; rounded to 6 decimals they are equal.
    rows = [order(1, f"01-0{i}", amount) for i, amount in enumerate([0.1, 0.2, 0.3], 1)]
    rows += [order(2, f"01-0{i}", amount) for i, amount in enumerate([0.3, 0.2, 0.1], 1)]
    rows += [order(3, "01-01", 0.6), order(4, "01-02", 5.0)]
    found = scored(backend.make(rows), bins=2)
    assert [found[who]["monetary"] for who in (1, 2, 3)] == [0.6] * 3
    assert [found[who]["m"] for who in (1, 2, 3, 4)] == [1, 1, 1, 2]


def test_money_that_a_float_cannot_round_stays_as_it_is() -> None:
    found = scored(log(order(1, "01-01", 1e300), order(2, "01-01", 12_345_678_901.5)))
    assert [found[who]["monetary"] for who in (1, 2)] == [1e300, 12_345_678_901.5]


# --- cuts that are given -----------------------------------------------------------------------

CUTS = pd.DataFrame(
    {
        "measure": ["recency_days"] * 2 + ["frequency"] * 3 + ["monetary"] * 2,
        "score": [1, 2, 1, 2, 3, 1, 2],
        "lower": [30, None, None, 1, 3, -np.inf, 100],
        "upper": [None, 30, 1, 3, None, 100, np.inf],
    }
)


@on_every_kind
def test_cuts_may_be_written_by_hand(backend: Backend) -> None:
    rows = [order(1, "03-01", 50.0), order(1, "03-02", 60.0), order(2, "01-01", 100.0)]
    found = scored(backend.make(rows), cuts=CUTS, as_of="2024-03-11")
    assert {who: row["rfm"] for who, row in found.items()} == {1: "222", 2: "111"}


def with_cell(row: int, column: str, value: Any) -> pd.DataFrame:
    cuts = CUTS.astype({"score": object})
    cuts.loc[row, column] = value
    return cuts.infer_objects()


@pytest.mark.parametrize(
    ("cuts", "message"),
    [
        (with_cell(3, "lower", 2), "leave a gap from 1 to 2 at score 1 and 2 of 'frequency'"),
        (with_cell(3, "lower", 0), "overlap from 0 to 1 at score 1 and 2 of 'frequency'"),
        (with_cell(4, "upper", 9), "leave a gap from 9 to inf at score 3 of 'frequency'"),
        (with_cell(2, "lower", 0), "leave a gap from -inf to 0 at score 1 of 'frequency'"),
        (with_cell(3, "upper", None), "lack a bound at score 2 and 3 of 'frequency'"),
        (with_cell(3, "score", 1), "the scores 1, 1, 3 of 'frequency'"),
        (CUTS[CUTS["measure"] != "monetary"], "no rows for 'monetary' in the column 'measure'"),
        (CUTS.iloc[:0], "no rows for 'recency_days', 'frequency', 'monetary'"),
        (pd.concat([CUTS, CUTS]), "If the table has segments, name them with `by`"),
    ],
)
def test_cuts_that_do_not_follow_one_another_are_refused(cuts: Any, message: str) -> None:
    with pytest.raises(ArgumentError, match=message) as caught:
        rfm_scores(log(order(1, "01-01")), cuts=cuts)
    assert caught.value.argument == "cuts"


def test_intervals_that_fall_are_refused() -> None:
    cuts = CUTS.copy()
    cuts["score"] = [2, 1, 1, 2, 3, 1, 2]  # recency the wrong way round
    with pytest.raises(ArgumentError, match="'recency_days'"):
        rfm_scores(log(order(1, "01-01")), cuts=cuts)
    falls = pd.DataFrame(
        {
            "measure": ["frequency"] * 3,
            "score": [1, 2, 3],
            "lower": [-np.inf, 5, 3],
            "upper": [5, 3, np.inf],
        }
    )
    cuts = pd.concat([CUTS[CUTS["measure"] != "frequency"], falls])
    with pytest.raises(ArgumentError, match="must rise with the values of 'frequency'"):
        rfm_scores(log(order(1, "01-01")), cuts=cuts)


def test_cuts_must_hold_the_segments() -> None:
    orders = log(
        order(1, "01-01", team="a"), order(2, "01-01", team="b"), order(3, "01-01", team=None)
    )
    with pytest.raises(MissingColumnError, match="team"):
        rfm_scores(orders, by="team", cuts=CUTS)
    with pytest.raises(ArgumentError, match=r"no rows for 2 segments of `by`: 'b', None") as caught:
        rfm_scores(orders, by="team", cuts=CUTS.assign(team="a"))
    assert (caught.value.rows, caught.value.total) == (2, 3)
    other = CUTS[CUTS["score"] < 3]
    other = other.assign(upper=other["upper"].mask(other["upper"] == 3.0))
    cuts = pd.concat([CUTS.assign(team="a"), other.assign(team="b"), other.assign(team=None)])
    with pytest.raises(ArgumentError, match="2, 3 scores of 'frequency' in different segments"):
        rfm_scores(orders, by="team", cuts=cuts)


def test_cuts_of_another_type_are_refused() -> None:
    with pytest.raises(ArgumentTypeError, match="`cuts` is a builtins"):
        rfm_scores(log(order(1, "01-01")), cuts=(1, 2))  # type: ignore[arg-type]


# --- rfm_cuts ------------------------------------------------------------------------------------


def test_measures_are_any_columns_of_numbers() -> None:
    table = pd.DataFrame(
        {"visits": [1, 2, 3, 4], "spend": [4.0, 3.0, 2.0, 1.0], "plan": list("aabb")}
    )
    cuts = rfm_cuts(table, measures=["visits", "spend"], bins=2, by="plan")
    assert cuts["plan"].tolist() == list("aaaabbbb")
    assert cuts["measure"].tolist() == ["visits", "visits", "spend", "spend"] * 2
    assert cuts["upper"].tolist() == [1, np.inf, 3, np.inf, 3, np.inf, 1, np.inf]
    assert cuts["customers"].tolist() == [1] * 8


def test_a_measure_without_a_value_is_refused() -> None:
    with pytest.raises(ArgumentError, match=r"column 'visits'.* null"):
        rfm_cuts(pd.DataFrame({"visits": [1.0, None]}), measures="visits")
    with pytest.raises(ArgumentError, match="`measures` names no column"):
        rfm_cuts(pd.DataFrame({"visits": [1.0]}), measures=[])
    with pytest.raises(MissingColumnError, match="recency_days"):
        rfm_cuts(pd.DataFrame({"visits": [1.0]}))
