"""From orders to one row a customer, held to the papers, to lifetimes and to a slow oracle."""

import json
import math
import random
import subprocess
import sys
import warnings
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from importlib import metadata
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import narwhals.stable.v2 as nw
import pandas as pd
import polars as pl
import pytest

import oracles
from backends import BACKENDS, Backend
from retainkit import calibration_holdout, datasets, rfm_summary
from retainkit.errors import (
    ArgumentError,
    ArgumentTypeError,
    ColumnTypeError,
    MissingColumnError,
    RetainkitWarning,
)
from sizes import cases
from tables import Row, rows_of

NAMED = {backend.name: backend for backend in BACKENDS}
BERLIN = ZoneInfo("Europe/Berlin")


def log(*orders: tuple[Any, ...], names: Sequence[str] = ("customer_id", "time", "amount")) -> Any:
    """Make a pandas frame of orders: customer, time, amount."""
    frame = pd.DataFrame([order[: len(names)] for order in orders], columns=list(names))
    return frame.assign(time=pd.to_datetime(frame["time"], format="ISO8601"))


def quietly(function: Any, frame: Any, **options: Any) -> Any:
    """Call, and expect that something may be set aside."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RetainkitWarning)
        return function(frame, **options)


def in_order(frame: Any, customer: str = "customer_id") -> list[Row]:
    """Return the rows of any frame by customer."""
    return sorted(rows_of(frame), key=lambda row: str(row[customer]).zfill(9))


def assert_same(actual: Sequence[Row], expected: Sequence[Row]) -> None:
    """Compare tables row by row, floats to 1e-9, undefined equal to undefined."""
    assert len(actual) == len(expected)
    for have, want in zip(actual, expected, strict=True):
        assert list(have) == list(want)
        for name, value in want.items():
            if isinstance(value, float) and math.isnan(value):
                assert have[name] is None, (name, have, want)
            elif isinstance(value, float):
                assert have[name] == pytest.approx(value, rel=1e-9, abs=1e-9), (name, have, want)
            else:
                assert have[name] == value, (name, have, want)


# --- the papers ------------------------------------------------------------------------


@pytest.fixture(scope="module")
def cdnow() -> pd.DataFrame:
    return datasets.load_cdnow(sample=True)


def published(name: str) -> pd.DataFrame:
    """Read a table out of the distribution of lifetimes, which is not imported."""
    return pd.read_csv(Path(str(metadata.distribution("lifetimes").locate_file(name))))


def test_cdnow_as_in_the_paper(cdnow: pd.DataFrame) -> None:
    # Fader, Hardie & Lee (2005), Marketing Science 24 (2): 2,357 customers, weeks 1 to 39, with
    # 2,457 repeat purchases; each to two decimals in lifetimes' cdnow_customers_summary.csv.
    summary = quietly(rfm_summary, cdnow, as_of="1997-10-01", unit="week", exact=True)
    paper = published("lifetimes/datasets/cdnow_customers_summary.csv")
    assert len(summary) == len(paper) == 2357
    assert summary["frequency"].sum() == 2457
    assert summary["customer_id"].is_monotonic_increasing
    # Its customers are in the order of the sample's file.
    summary = summary.set_index("customer_id").loc[cdnow["customer_id"].unique()].reset_index()
    assert list(summary["frequency"]) == list(paper["frequency"])
    for name in ("recency", "T"):
        assert (summary[name] - paper[name]).abs().max() <= 0.005 + 1e-12
    first = summary.iloc[0]
    assert [first["frequency"], round(first["recency"], 2), round(first["T"], 2)] == [
        2,
        30.43,
        38.86,
    ]


def test_cdnow_spend_as_in_the_note(cdnow: pd.DataFrame) -> None:
    # Fader & Hardie (2013), note 025: 946 repeaters; mean 35.08, standard deviation 30.28, least
    # 2.99, median 27.5, greatest 299.63; correlation with frequency 0.11 (0.06 without x = 21).
    summary = quietly(rfm_summary, cdnow, amount="amount", as_of="1997-10-01", exact=True)
    assert summary["monetary_value"].isna().equals(summary["frequency"] == 0)
    spend = summary.dropna()
    mean = spend["monetary_value"]
    assert len(spend) == 946
    assert round(mean.mean(), 2) == 35.08
    assert round(mean.std(), 2) == 30.28
    assert [round(value, 2) for value in (mean.min(), mean.median(), mean.max())] == [
        2.99,
        27.5,
        299.63,
    ]
    assert round(mean.corr(spend["frequency"].astype(float)), 2) == 0.11


def test_cdnow_holdout_as_in_the_paper(cdnow: pd.DataFrame) -> None:
    # The paper's holdout: 39 weeks with 1,882 repeat transactions.
    parts = calibration_holdout(
        cdnow, calibration_end="1997-10-01", as_of="1998-07-01", unit="week", exact=True
    )
    assert parts["frequency_holdout"].sum() == 1882
    assert set(parts["duration_holdout"]) == {39.0}
    assert parts["frequency"].sum() == 2457


# --- lifetimes -------------------------------------------------------------------------

# In a process of its own, since importing lifetimes changes settings.
WITNESS = """
import json, sys
import pandas as pd
from lifetimes.utils import summary_data_from_transaction_data as summary
for path, questions in json.load(open(sys.argv[1])).items():
    orders = pd.read_csv(path, parse_dates=["time"])
    for file, freq, end, first in questions:
        summary(orders, "customer_id", "time", "amount", freq=freq, observation_period_end=end,
                include_first_transaction=first).reset_index().to_csv(file, index=False)
"""


def random_orders(seed: int, size: int = 400) -> pd.DataFrame:
    draw = random.Random(seed)  # noqa: S311
    begin = datetime(2023, 12, 20)  # noqa: DTZ001
    seconds = [draw.randrange(70 * 86_400) for _ in range(size)]
    return pd.DataFrame(
        {
            "customer_id": [draw.randrange(60) for _ in range(size)],
            "time": pd.Series([begin + timedelta(seconds=one) for one in seconds]).dt.as_unit("us"),
            "amount": [draw.choice([0.0, 5.0, 12.5, draw.random() * 40]) for _ in range(size)],
        }
    )


@pytest.mark.slow
def test_the_summary_of_lifetimes_by_day_and_week(cdnow: pd.DataFrame, tmp_path: Path) -> None:
    logs = {"cdnow": cdnow[["customer_id", "time", "amount"]]}
    logs |= {str(seed): random_orders(seed) for seed in range(3)}
    asked: dict[str, list[Any]] = {}
    for name, orders in logs.items():
        orders.to_csv(tmp_path / f"{name}.csv", index=False)
        # What lifetimes includes (the end of a week with all of it), and our half-open end.
        sunday, monday = (
            ("1997-09-28", "1997-09-29") if name == "cdnow" else ("2024-02-04", "2024-02-05")
        )
        ends = [("D", "day", sunday, monday), ("W", "week", sunday, monday)]
        ends += [("D", "day", monday, str(date.fromisoformat(monday) + timedelta(days=1)))]
        asked[str(tmp_path / f"{name}.csv")] = [
            [str(tmp_path / f"{name}-{number}-{first}.out"), freq, end, first, unit, as_of]
            for number, (freq, unit, end, as_of) in enumerate(ends)
            for first in (False, True)
        ]
    questions = {path: [one[:4] for one in ones] for path, ones in asked.items()}
    (tmp_path / "questions.json").write_text(json.dumps(questions), "utf-8")
    command = [sys.executable, "-W", "ignore", "-c", WITNESS, str(tmp_path / "questions.json")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    assert done.returncode == 0, done.stderr
    for path, ones in asked.items():
        orders = logs[Path(path).stem]
        for file, _, _, first, unit, as_of in ones:
            theirs = pd.read_csv(file).sort_values("customer_id").reset_index(drop=True)
            ours = quietly(
                rfm_summary, orders, amount="amount", unit=unit, as_of=as_of, include_first=first
            )
            # They give those without a repeat purchase 0, where there is no mean.
            ours["monetary_value"] = ours["monetary_value"].fillna(0.0)
            assert (ours.pop("time_unit") == unit).all()
            pd.testing.assert_frame_equal(ours, theirs[list(ours)], check_dtype=False, rtol=1e-12)


# --- the oracle ------------------------------------------------------------------------

LENGTHS = {"day": 1, "week": 7, "month": 365.2425 / 12, "quarter": 365.2425 / 4, "year": 365.2425}


def number_of(day: date, unit: str, week_start: str) -> int:
    """Number a period by its first day."""
    first = oracles.first_day(day, unit, week_start)
    if unit in oracles.MONTHS:
        return (first.year * 12 + first.month - 1) // oracles.MONTHS[unit]
    return first.toordinal() // oracles.DAYS[unit]


def shown(moment: datetime, zone: ZoneInfo | None) -> date:
    """Read the date off a calendar that hangs in this zone."""
    return moment.astimezone(zone).date() if zone else moment.date()


def purchases(some: Iterable[Row], merge: str, told: Row) -> dict[int, float]:
    """Return the money of each purchase by the number of its period."""
    money: dict[int, list[float]] = defaultdict(list)
    for row in some:
        day = shown(row["time"], told["zone"])
        money[number_of(day, merge, told["week_start"])].append(row["amount"])
    summed = {period: math.fsum(values) for period, values in sorted(money.items())}
    if told["amounts"] == "net":
        return {period: value for period, value in summed.items() if value >= 0}
    return summed


def last_before(moment: datetime, merge: str, told: Row) -> int:
    """Number the period that is the last one observed where observation ends at this moment."""
    before = (moment.astimezone(UTC) if told["zone"] else moment) - timedelta(microseconds=1)
    return number_of(shown(before, told["zone"]), merge, told["week_start"])


def mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values) if values else math.nan


def oracle(rows: Sequence[Row], **told: Any) -> list[Row]:
    """Summarise customer by customer, purchase by purchase."""
    merge = "day" if told["exact"] else told["unit"]
    end = told.get("end", told["as_of"])

    def spanned(periods: int) -> float:
        return periods / LENGTHS[told["unit"]] if told["exact"] else periods

    found = []
    for customer in sorted({row["customer_id"] for row in rows}):
        own = [row for row in rows if row["customer_id"] == customer]
        bought = purchases((row for row in own if row["time"] < end), merge, told)
        if not bought:
            continue
        first = min(bought)
        counts = [bought[period] for period in bought if period > first or told["include_first"]]
        row = {name: own[0][name] for name in told["by"]} | {
            "customer_id": customer,
            "frequency": len(counts),
            "recency": spanned(max(bought) - first),
            "T": spanned(last_before(end, merge, told) - first),
            "monetary_value": mean(counts),
        }
        if "end" in told:
            rest = (row for row in own if end <= row["time"] < told["as_of"])
            held = purchases(rest, merge, told)
            last = last_before(told["as_of"], merge, told)
            row |= {
                "frequency_holdout": len(held),
                "monetary_value_holdout": mean([*held.values()]),
                "duration_holdout": spanned(last - last_before(end, merge, told)),
            }
        found.append(row | {"time_unit": told["unit"]})
    return found


CLOCK_TIMES = [
    timedelta(),
    timedelta(hours=24, microseconds=-1),
    timedelta(hours=1, minutes=45),
    timedelta(hours=23, minutes=15),
]
SPAN = {"day": 25, "week": 100, "month": 400, "quarter": 900, "year": 2500}


def question(seed: int) -> tuple[Any, list[Row], dict[str, Any], dict[str, Any]]:
    """Return a function, orders, options for it, and options for the oracle."""
    draw = random.Random(seed)  # noqa: S311
    unit = draw.choice([*SPAN])
    zone = draw.choice([None, None, BERLIN, ZoneInfo("America/New_York")])
    stored = UTC if zone and seed % 2 else zone
    start = draw.choice([date(2024, 3, 20), date(2023, 10, 20), date(1968, 12, 20)])
    ids: list[Any] = draw.choice([[*range(7)], [-9_000_000, 5, 2**40], ["ann", "bob", "cyd", "di"]])
    amounts = draw.choice(["raise", "net", "keep"])
    money = [0.0, 12.5, 30.0, 7.25] + ([-12.5, -30.0, -3.0] if amounts != "raise" else [])

    def some_time() -> datetime:
        day = datetime.combine(
            start + timedelta(days=draw.randrange(SPAN[unit])), datetime.min.time()
        )
        moment = day + draw.choice(CLOCK_TIMES)
        return moment.replace(tzinfo=zone).astimezone(stored) if zone else moment

    rows: list[Row] = [
        {
            "customer_id": (who := draw.choice(ids)),
            "time": some_time(),
            "amount": draw.choice(money),
            "plan": "pro" if str(who) > "b" else "free",
            "size": len(str(who)),
        }
        for _ in range(draw.randint(1, 60))
    ]
    options: dict[str, Any] = {
        "unit": unit,
        "amounts": amounts,
        "include_first": draw.random() < 0.4,
        "exact": draw.random() < 0.4,
        "by": draw.choice([[], ["plan"], ["size", "plan"]]),
        "week_start": draw.choice(["monday", "thursday", "sunday"]),
    }
    as_of = start + timedelta(days=draw.randint(SPAN[unit] // 2, SPAN[unit] + 9))
    midnight = datetime.combine(as_of, datetime.min.time()).replace(tzinfo=zone)
    asked = {**options, "amount": "amount", "as_of": str(as_of)} | (
        {"tz": zone.key} if zone else {}
    )
    told = {**options, "as_of": midnight, "zone": zone}
    if draw.random() < 0.6:
        return rfm_summary, rows, asked, told
    end = midnight - timedelta(days=draw.randint(1, SPAN[unit] // 2))
    return (
        calibration_holdout,
        rows,
        {**asked, "calibration_end": str(end.date())},
        {**told, "end": end},
    )


@pytest.mark.parametrize("seed", cases(range(120), quick=30))
def test_any_question_as_the_oracle_answers_it(seed: int) -> None:
    function, rows, asked, told = question(seed)
    expected = oracle(rows, **told)
    frame = NAMED[["pandas", "polars", "pyarrow"][seed % 3]].make(rows)
    assert_same(rows_of(quietly(function, frame, **asked)), expected)


@pytest.mark.parametrize("seed", cases(range(60), quick=10))
@pytest.mark.parametrize("name", ["polars-lazy", "duckdb"])
@pytest.mark.filterwarnings("ignore:The inplace keyword:DeprecationWarning:duckdb._relation")
def test_the_plan_and_the_kernel_are_equal(name: str, seed: int) -> None:
    NAMED[name].require()
    function, rows, asked, _ = question(seed)
    in_memory = in_order(quietly(function, NAMED["pandas"].make(rows), **asked))
    lazily = in_order(quietly(function, NAMED[name].make(rows), **asked))
    assert_same(
        lazily, [{k: math.nan if v is None else v for k, v in r.items()} for r in in_memory]
    )


# --- every kind of frame -----------------------------------------------------------------

ORDERS: list[Row] = [
    {"customer_id": who, "time": datetime.fromisoformat(time), "amount": amount, "plan": plan}
    for who, time, amount, plan in [
        (7, "2024-01-01T09:00", 50.0, "pro"),
        (7, "2024-01-09T10:00", 80.0, "pro"),
        (7, "2024-01-09T23:59:59", 20.0, "pro"),
        (7, "2024-01-31T15:00", -80.0, "pro"),
        (3, "2024-01-15T00:00", 0.0, None),
        (3, "2024-02-01T00:00", 10.0, None),
        (3, "2024-02-06T00:00", 30.0, None),
        (9, "2024-01-20T12:00", -5.0, "free"),
        (4, "2024-02-02T12:00", 5.0, "free"),
    ]
]


@pytest.mark.filterwarnings("ignore::retainkit.errors.RetainkitWarning")
def test_every_kind_of_frame_gives_its_kind_and_the_same_answer(backend: Backend) -> None:
    frame = backend.make(ORDERS)
    options: dict[str, Any] = {
        "amount": "amount",
        "by": "plan",
        "as_of": "2024-02-08",
        "amounts": "net",
    }
    parts = calibration_holdout(frame, calibration_end="2024-02-01", **options)
    names = ["plan", "customer_id", "frequency", "recency", "T", "monetary_value"]
    names += ["frequency_holdout", "monetary_value_holdout", "duration_holdout", "time_unit"]
    nan = math.nan
    # By hand: 7 buys on 1 and 9 January, and the refund is no purchase.
    answers = [
        (None, 3, 0, 0, 16, nan, 2, 20.0, 7, "day"),
        ("pro", 7, 1, 8, 30, 100.0, 0, nan, 7, "day"),
    ]
    assert_same(in_order(parts), [dict(zip(names, one, strict=True)) for one in answers])
    weeks = rfm_summary(
        frame, amount="amount", unit="week", exact=True, amounts="keep", include_first=True
    )
    names = ["customer_id", "frequency", "recency", "T", "monetary_value", "time_unit"]
    answers: list[tuple[Any, ...]] = [(3, 3, 22 / 7, 22 / 7, 40 / 3), (4, 1, 0.0, 4 / 7, 5.0)]  # type: ignore[no-redef]
    answers += [(7, 3, 30 / 7, 36 / 7, 70 / 3), (9, 1, 0.0, 17 / 7, -5.0)]  # type: ignore[list-item]
    rows = [dict(zip(names, (*one, "week"), strict=True)) for one in answers]
    assert_same(in_order(weeks), rows)
    for result in (parts, weeks):
        wrapped = nw.from_native(result)
        assert isinstance(wrapped, nw.LazyFrame) == backend.lazy
        assert type(result) is type(frame) or backend.name == "pyspark"
        types = dict(wrapped.collect_schema())
        whole = nw.Float64 if result is weeks else nw.Int64
        assert [types[name] for name in ("frequency", "recency", "T")] == [nw.Int64, whole, whole]
        assert types["monetary_value"] == nw.Float64
    # Undefined is NaN, not null.
    wrapped = nw.from_native(parts)
    table = wrapped.collect() if isinstance(wrapped, nw.LazyFrame) else wrapped
    assert int(table["monetary_value"].is_nan().sum()) == 1


@pytest.mark.parametrize("name", ["polars-lazy", "duckdb"])
@pytest.mark.filterwarnings("ignore::retainkit.errors.RetainkitWarning")
@pytest.mark.filterwarnings("ignore:The inplace keyword:DeprecationWarning:duckdb._relation")
def test_of_a_lazy_frame_only_numbers_are_brought_back(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    NAMED[name].require()
    collect, sizes = nw.LazyFrame.collect, []

    def recorded(frame: Any, *args: Any, **options: Any) -> Any:
        found = collect(frame, *args, **options)
        sizes.append(len(found))
        return found

    monkeypatch.setattr(nw.LazyFrame, "collect", recorded)
    frame = NAMED[name].make(ORDERS * 3)
    options: dict[str, Any] = {
        "amount": "amount",
        "by": "plan",
        "as_of": "2024-02-08",
        "amounts": "net",
    }
    calibration_holdout(frame, calibration_end="2024-02-01", **options)
    # What is known of the values, rows after as_of, customers with several segments, and aside.
    assert sizes in ([1, 1, 1], [1, 1, 1, 1])


@pytest.mark.parametrize("name", ["pandas", "polars", "pyarrow", "polars-lazy"])
def test_an_empty_frame(name: str) -> None:
    like = {**ORDERS[0]}
    for function, options in (
        (rfm_summary, {}),
        (rfm_summary, {"exact": True}),
        (calibration_holdout, {"calibration_end": "2024-02-01"}),
    ):
        none = function(NAMED[name].make([], like=like), amount="amount", by="plan", **options)
        one = function(
            NAMED[name].make([like], like=like),
            amount="amount",
            by="plan",
            as_of="2024-03-01",
            **options,
        )
        have, want = nw.from_native(none), nw.from_native(one)
        assert have.collect_schema() == want.collect_schema()
        assert rows_of(none) == []


# --- traps -------------------------------------------------------------------------------


def test_a_holdout_without_money() -> None:
    # lifetimes on pandas 3: ValueError, No objects to concatenate.
    orders = log(
        (1, "2024-01-05"), (1, "2024-02-07"), (2, "2024-01-20"), names=("customer_id", "time")
    )
    parts = calibration_holdout(orders, calibration_end="2024-02-01")
    assert list(parts["frequency_holdout"]) == [1, 0]
    assert not {"monetary_value", "monetary_value_holdout"} & set(parts)


def test_the_last_day_of_calibration_is_in_it() -> None:
    # lifetimes, end "2024-01-31": 15:00 on that day is in the holdout, frequencies 1 and 2.
    times = ["2024-01-01T09:00", "2024-01-15", "2024-01-31T15:00", "2024-02-05"]
    parts = calibration_holdout(
        log(*((1, time, 1.0) for time in times)), calibration_end="2024-02-01"
    )
    assert list(parts[["frequency", "recency", "T", "frequency_holdout"]].iloc[0]) == [2, 30, 30, 1]


def test_two_orders_of_a_day_are_one_purchase_in_both_parts() -> None:
    # lifetimes: 40 in calibration, 20 (the mean over rows) in the holdout.
    rows = [("2024-01-01", 1.0), ("2024-01-03", 10.0), ("2024-01-03", 30.0)]
    rows += [("2024-02-03", 10.0), ("2024-02-03", 30.0)]
    parts = calibration_holdout(
        log(*((1, *row) for row in rows)), amount="amount", calibration_end="2024-02-01"
    )
    assert parts["monetary_value"].tolist() == parts["monetary_value_holdout"].tolist() == [40.0]
    assert parts["frequency_holdout"].tolist() == [1]


@pytest.mark.parametrize("kind", ["object", "string"])
def test_dates_as_text_are_refused(kind: str) -> None:
    # lifetimes and pymc-marketing sort them as text: monetary value 51.5, customers vanish.
    orders = pd.DataFrame({"customer_id": [1, 1, 1], "amount": [100.0, 2.0, 3.0]})
    orders["time"] = pd.Series(["15/01/2024", "01/02/2024", "10/03/2024"], dtype=kind)
    with pytest.raises(ColumnTypeError, match=r"(?s)'time'.*to_datetime"):
        rfm_summary(orders, amount="amount")
    orders["time"] = pd.to_datetime(orders["time"], format="%d/%m/%Y")
    assert rfm_summary(orders, amount="amount")["monetary_value"].tolist() == [2.5]


REFUND = [(1, "2024-01-01", 50.0), (1, "2024-01-06", 80.0), (1, "2024-01-12", -80.0)]


def test_a_refund_is_refused_netted_or_kept() -> None:
    # lifetimes: frequency 2, recency 11, monetary value 0.
    with pytest.raises(ArgumentError, match=r"(?s)'amount'.*1 row, of 3.*-80 of customer 1.*'net'"):
        rfm_summary(log(*REFUND), amount="amount")
    net = rfm_summary(log(*REFUND), amount="amount", amounts="net")
    assert net.iloc[0].tolist() == [1, 1, 5, 11, 80.0, "day"]
    keep = rfm_summary(log(*REFUND), amount="amount", amounts="keep")
    assert keep.iloc[0].tolist() == [1, 2, 11, 11, 0.0, "day"]
    # On the day of the purchase it undoes it: what is left is a purchase of 0.
    same = [*REFUND[:2], (1, "2024-01-06T18:00", -80.0)]
    assert rfm_summary(log(*same), amount="amount", amounts="net").iloc[0].tolist() == [
        1,
        1,
        5,
        5,
        0.0,
        "day",
    ]
    # A refund before all else is not the first purchase.
    early = [(1, "2023-12-30", -5.0), *REFUND[:2]]
    assert rfm_summary(log(*early), amount="amount", amounts="net").iloc[0].tolist() == [
        1,
        1,
        5,
        5,
        80.0,
        "day",
    ]


def test_refunds_that_are_not_used_are_not_refused() -> None:
    with pytest.warns(RetainkitWarning, match="1 of 3 rows at or after as_of"):
        summary = rfm_summary(log(*REFUND), amount="amount", as_of="2024-01-12")
    assert summary["monetary_value"].tolist() == [80.0]


@pytest.mark.parametrize("name", ["pandas", "polars-lazy"])
def test_who_is_left_without_a_purchase_is_counted(name: str) -> None:
    frame = NAMED[name].make(ORDERS)
    with pytest.warns(RetainkitWarning, match="1 customer without a purchase"):
        summary = rfm_summary(frame, amount="amount", amounts="net")
    assert [row["customer_id"] for row in in_order(summary)] == [3, 4, 7]


@pytest.mark.parametrize("name", ["pandas", "polars-lazy"])
@pytest.mark.parametrize("order", [(0.3, -0.1, -0.2), (-0.2, -0.1, 0.3), (0.1, 0.2, -0.3)])
def test_a_net_of_zero_does_not_depend_on_the_order_of_rounding(
    name: str, order: tuple[float, ...]
) -> None:
    # 0.3 - 0.1 - 0.2 is -2.8e-17 in floating point, and 0.1 + 0.2 - 0.3 is 5.6e-17.
    orders: list[Row] = [{"customer_id": 1, "time": datetime(2024, 1, 1), "amount": 1.0}]  # noqa: DTZ001
    orders += [{"customer_id": 1, "time": datetime(2024, 1, 3), "amount": one} for one in order]  # noqa: DTZ001
    (row,) = in_order(rfm_summary(NAMED[name].make(orders), amount="amount", amounts="net"))
    assert row["frequency"] == 1
    assert row["monetary_value"] == pytest.approx(0.0, abs=1e-15)
    assert row["monetary_value"] >= 0


def test_cdnow_as_it_is(cdnow: pd.DataFrame) -> None:
    # Its 8 orders of nothing are purchases: refused nowhere, counted everywhere.
    assert (cdnow["amount"] == 0).sum() == 8
    paid = rfm_summary(cdnow, amount="amount")
    assert list(paid["frequency"]) == list(rfm_summary(cdnow)["frequency"])


@pytest.mark.parametrize("column", ["customer_id", "amount"])
def test_nulls_are_refused_or_counted(column: str) -> None:
    orders = log((1.0, "2024-01-01", 50.0), (2.0, "2024-01-06", 80.0), (2.0, "2024-01-08", 1.0))
    orders.loc[1, column] = math.nan
    with pytest.raises(ArgumentError, match=rf"'{column}' .*null in 1 row"):
        rfm_summary(orders, amount="amount")
    with pytest.warns(RetainkitWarning, match="1 of 3 rows left out"):
        assert len(rfm_summary(orders, amount="amount", missing="drop")) == 2


def test_the_column_is_called_t_as_in_the_papers() -> None:
    # In pandas `summary.T` is the frame on its side; the docstring says how to reach the column.
    summary = rfm_summary(log(*REFUND[:2]))
    assert summary["T"].tolist() == [5]
    assert summary.T.shape == (5, 1)
    assert 'summary["T"]' in str(rfm_summary.__doc__)


# --- bounds, segments, names ---------------------------------------------------------------


def test_both_parts_make_up_the_whole() -> None:
    orders = random_orders(5)
    end, unit = "2024-01-22", "week"  # a Monday
    whole = rfm_summary(orders, unit=unit, amount="amount").set_index("customer_id")  # type: ignore[arg-type]
    parts = quietly(calibration_holdout, orders, calibration_end=end, unit=unit, amount="amount")
    parts = parts.set_index("customer_id")
    whole = whole.loc[parts.index]
    assert (parts["frequency"] + parts["frequency_holdout"] == whole["frequency"]).all()
    assert (parts["T"] + parts["duration_holdout"] == whole["T"]).all()
    money = [
        (parts[f"monetary_value{part}"] * parts[f"frequency{part}"]).fillna(0)
        for part in ("", "_holdout")
    ]
    pd.testing.assert_series_equal(
        sum(money[1:], money[0]),
        (whole["monetary_value"] * whole["frequency"]).fillna(0),
        check_names=False,
    )
    before = orders[orders["time"] < end]
    alone = rfm_summary(before, unit=unit, amount="amount", as_of=end).set_index("customer_id")  # type: ignore[arg-type]
    pd.testing.assert_frame_equal(parts[list(alone)], alone)


def test_who_first_buys_in_the_holdout_is_counted() -> None:
    orders = log((1, "2024-01-05"), (2, "2024-02-01"), names=("customer_id", "time"))
    with pytest.warns(RetainkitWarning, match="1 customer with a first purchase at or after"):
        parts = calibration_holdout(orders, calibration_end="2024-02-01")
    assert parts["customer_id"].tolist() == [1]


def test_calibration_that_ends_within_a_period_says_so() -> None:
    orders = log((1, "2024-01-30"), (1, "2024-02-02"), names=("customer_id", "time"))
    with pytest.warns(RetainkitWarning, match="lies within a week"):
        parts = calibration_holdout(orders, calibration_end="2024-02-01", unit="week")
    assert parts.iloc[0].tolist() == [1, 0, 0, 0, 1, 0, "week"]
    exact = calibration_holdout(orders, calibration_end="2024-02-01", unit="week", exact=True)
    assert exact["duration_holdout"].tolist() == [2 / 7]


@pytest.mark.parametrize("as_of", [None, "2024-02-01"])
def test_a_holdout_needs_time(as_of: str | None) -> None:
    orders = log((1, "2024-01-30"), names=("customer_id", "time"))
    with pytest.raises(ArgumentError, match=r"(?s)calibration_end.*no time is left"):
        calibration_holdout(orders, calibration_end="2024-02-01", as_of=as_of)


def test_the_last_unit_is_that_of_the_last_instant() -> None:
    orders = log((1, "2024-01-30"), names=("customer_id", "time"))
    for as_of, days, months in (("2024-02-01", 1, 0), ("2024-02-01T00:00:00.000001", 2, 1)):
        assert rfm_summary(orders, as_of=as_of)["T"].tolist() == [days]
        assert rfm_summary(orders, as_of=as_of, unit="month")["T"].tolist() == [months]


@pytest.mark.parametrize("name", ["pandas", "polars", "pyarrow", "polars-lazy"])
def test_segments_must_be_constant(name: str) -> None:
    changed = [*ORDERS, {**ORDERS[0], "plan": "free"}, {**ORDERS[4], "plan": "pro"}]
    with pytest.raises(ArgumentError, match=r"'plan' .*2 customers, such as 3, 7"):
        rfm_summary(NAMED[name].make(changed), by="plan")


def test_segments_come_first_and_customers_keep_their_name_and_order() -> None:
    orders = pl.DataFrame(
        {
            "who": ["bo", "al", "bo"],
            "at": [date(2024, 1, 3)] * 3,
            "b": [1, 2, 1],
            "a": [None, "x", None],
        }
    )
    summary = rfm_summary(orders, customer="who", time="at", by=["b", "a"])
    assert summary.columns == ["b", "a", "who", "frequency", "recency", "T", "time_unit"]
    assert summary["who"].to_list() == ["al", "bo"]
    assert summary["a"].to_list() == ["x", None]


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"customer": "id"}, MissingColumnError, "customer_id"),
        ({"unit": "W"}, ArgumentError, "unit.*week"),
        ({"amounts": "drop"}, ArgumentError, "amounts.*net"),
        ({"exact": 1}, ArgumentTypeError, "exact"),
        ({"include_first": "no"}, ArgumentTypeError, "include_first"),
        ({"week_start": "mon"}, ArgumentError, "week_start"),
        ({"by": "customer_id"}, ArgumentError, "by.*customer_id"),
        ({"by": "T"}, ArgumentError, "by.*'T'"),
        ({"customer": "frequency"}, ArgumentError, "customer.*frequency"),
        ({"amount": "plan"}, ColumnTypeError, "plan.*amount"),
    ],
)
def test_wrong_arguments(options: dict[str, Any], error: type[Exception], words: str) -> None:
    orders = log(*REFUND[:2]).assign(plan="pro", T=1, frequency=1)
    with pytest.raises(error, match=f"(?s){words}"):
        rfm_summary(orders, **options)


@pytest.mark.parametrize(("end", "error"), [("Q1", ArgumentError), (3, ArgumentTypeError)])
def test_a_wrong_end_of_calibration_is_named(end: Any, error: type[Exception]) -> None:
    with pytest.raises(error, match="`calibration_end` is"):
        calibration_holdout(log(*REFUND[:2]), calibration_end=end)
