"""Subscription revenue on random subscriptions: agreement with a slow reference, and invariants.

The reference goes day by day through dictionaries of what each customer pays, in `Decimal` and
`Fraction`; it shares no code with the library. Deterministic: the examples are derived from the
name of the test.
"""

import warnings
from collections import defaultdict
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from retainkit import RetainkitWarning, mrr_movements, revenue_cohorts, revenue_retention
from sizes import n_examples
from tables import Row, plain, rows_of

DAY = timedelta(days=1)
FIRST = date(2024, 1, 20)
KINDS = ("new", "expansion", "contraction", "churn", "reactivation", "transfer_in", "transfer_out")
EMPTY: dict[str, Decimal] = {}

examples = settings(
    derandomize=True,
    database=None,
    deadline=None,
    max_examples=n_examples(60, quick=15),
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)

# Random subscriptions


@st.composite
def books(draw: st.DrawFn, plans: str = "ab") -> list[Row]:
    """Return subscriptions of a few customers over ninety days, some without an end."""
    rows = []
    for _ in range(draw(st.integers(1, 14))):
        start = FIRST + draw(st.integers(0, 90)) * DAY
        length = draw(st.one_of(st.none(), st.integers(1, 5), st.integers(1, 70)))
        cents = draw(st.one_of(st.integers(1, 30), st.integers(1, 100_000)))
        rows.append(
            {
                "customer_id": draw(st.integers(1, 4)),
                "start": start,
                "end": None if length is None else start + length * DAY,
                "mrr": Decimal(cents) / 100,
                "plan": draw(st.sampled_from(plans)),
            }
        )
    return rows


AS_OF = st.integers(91, 130).map(lambda days: FIRST + days * DAY)
PERIOD = st.sampled_from(["day", "week", "month", "quarter"])


def frame(rows: list[Row]) -> pd.DataFrame:
    table = pd.DataFrame(rows)
    for name in ("start", "end"):
        table[name] = pd.to_datetime(pd.Series([row[name] for row in rows])).astype(
            "datetime64[us]"
        )
    return table.assign(mrr=[float(row["mrr"]) for row in rows])


def run(function: Any, table: Any, **options: Any) -> list[Row]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RetainkitWarning)
        return rows_of(function(table, **options))


# The reference


def begin_of(day: date, period: str) -> date:
    if period == "day":
        return day
    if period == "week":
        return day - day.weekday() * DAY
    return day.replace(
        day=1, month=day.month if period == "month" else (day.month - 1) // 3 * 3 + 1
    )


Paid = dict[Any, dict[Any, Decimal]]  # by customer and segment, nothing that is 0


def days_of(rows: list[Row], by: str | None, as_of: date) -> Iterator[tuple[date, Paid]]:
    """Return what each customer pays in each segment on each day, from the day before the first."""
    day = min(row["start"] for row in rows) - DAY
    while day < as_of:
        paid: Paid = defaultdict(lambda: defaultdict(Decimal))
        for row in rows:
            if row["start"] <= day and (row["end"] is None or day < row["end"]):
                paid[row["customer_id"]][row[by] if by else None] += row["mrr"]
        yield day, {who: dict(segments) for who, segments in paid.items()}
        day += DAY


def ends_of(rows: list[Row], by: str | None, as_of: date, period: str) -> dict[date, Paid]:
    """Return what is paid at the end of each period, keyed by its first day."""
    found: dict[date, Paid] = {}
    for day, paid in days_of(rows, by, as_of):
        found[begin_of(day, period)] = paid
    # The day before the first start may lie in the first period, which then is empty before.
    return found


def segments_of(rows: list[Row], by: str | None) -> dict[Any, date]:
    firsts: dict[Any, date] = {}
    for row in rows:
        key = row[by] if by else None
        firsts[key] = min(firsts.get(key, row["start"]), row["start"])
    return dict(sorted(firsts.items(), key=lambda item: str(item[0])))


def moves(
    before: dict[Any, Decimal], after: dict[Any, Decimal], *, known: bool
) -> Iterator[tuple[Any, str, Fraction]]:
    """Name the movements of one customer between two moments: segment, kind and money."""
    change = {
        key: Fraction(after.get(key, Decimal())) - Fraction(before.get(key, Decimal()))
        for key in {*before, *after}
    }
    up = sum(value for value in change.values() if value > 0)
    down = -sum(value for value in change.values() if value < 0)
    moved = min(up, down)
    for key, value in change.items():
        if not before:
            yield key, "reactivation" if known else "new", value
        elif not after:
            yield key, "churn", -value
        elif value > 0:
            yield key, "transfer_in", moved * value / up
            yield key, "expansion", value - moved * value / up
        elif value < 0:
            yield key, "transfer_out", moved * -value / down
            yield key, "contraction", -value - moved * -value / down


def counted(
    had: dict[Any, Decimal], has: dict[Any, Decimal], *, known: bool
) -> Iterator[tuple[Any, str, Fraction]]:
    """Return the movements of one customer, counted: segment, column and number."""
    for key, kind, money in moves(had, has, known=known):
        yield key, kind, money
        if not kind.startswith("transfer"):
            yield key, f"{kind}_customers", Fraction(money > 0)
    if had and has:
        for key in {*had, *has}:
            yield key, "transfer_in_customers", Fraction(key not in had)
            yield key, "transfer_out_customers", Fraction(key not in has)


def reference(
    rows: list[Row], by: str | None, as_of: date, period: str, level: str
) -> dict[tuple[Any, date], dict[str, Fraction]]:
    """Return money and customers of each segment and period, the one in progress included."""
    table: dict[tuple[Any, date], dict[str, Fraction]] = defaultdict(lambda: defaultdict(Fraction))
    moments = list(days_of(rows, by, as_of))
    seen = [(day, who) for day, paid in moments for who in paid]
    if level == "snapshot":
        ends = {begin_of(day, period): (day, paid) for day, paid in moments[1:]}
        moments = [(moments[0][0], {}), *ends.values()]
    for (_, before), (day, after) in pairwise(moments):
        begin = day if level == "event" else begin_of(day, period)
        known = {who for at, who in seen if at < begin}
        for who in {*before, *after}:
            had, has = before.get(who, EMPTY), after.get(who, EMPTY)
            for key, kind, number in counted(had, has, known=who in known):
                table[key, begin_of(day, period)][kind] += number
    for key, first in segments_of(rows, by).items():
        for at, paid in ends_of(rows, by, as_of, period).items():
            if at >= begin_of(first, period):
                own = [segments[key] for segments in paid.values() if key in segments]
                table[key, at]["closing"] += sum(map(Fraction, own))
                table[key, at]["closing_customers"] += len(own)
    return table


# Movements


@examples
@given(
    rows=books(),
    as_of=AS_OF,
    period=PERIOD,
    by=st.sampled_from([None, "plan"]),
    level=st.sampled_from(["snapshot", "event"]),
)
def test_movements_agree_with_the_reference(
    rows: list[Row], as_of: date, period: str, by: str | None, level: str
) -> None:
    options = {"period": period, "by": by, "level": level, "as_of": as_of}
    table = run(mrr_movements, frame(rows), **options, include_partial=True)
    expected = reference(rows, by, as_of, period, level)
    found = {(row["plan"] if by else None, row["period"]): row for row in table}
    assert list(found) == sorted(
        (key for key, want in expected.items() if "closing" in want),
        key=lambda key: (str(key[0]), key[1]),
    )
    for place, row in found.items():
        for name in [*KINDS, "closing", *(f"{kind}_customers" for kind in (*KINDS, "closing"))]:
            if by or not name.startswith("transfer"):
                assert row[name] == float(expected[place][name]), (place, name)


@examples
@given(
    rows=books(plans="abc"),
    as_of=AS_OF,
    period=PERIOD,
    by=st.sampled_from([None, "plan"]),
    level=st.sampled_from(["snapshot", "event"]),
)
def test_the_identity_holds_to_the_cent_in_every_segment(
    rows: list[Row], as_of: date, period: str, by: str | None, level: str
) -> None:
    options = {"period": period, "by": by, "level": level, "as_of": as_of}
    table = run(mrr_movements, frame(rows), **options, include_partial=True)
    expected = reference(rows, by, as_of, period, level)
    before: Row = {}
    for row in table:
        place = row["plan"] if by else None, row["period"]
        for ending in ("", "_customers"):
            # The text of a float tells the decimal that it stands for.
            value = {
                kind: Decimal(repr(row.get(f"{kind}{ending}", 0)))
                for kind in ("opening", *KINDS, "closing")
            }
            assert all(one >= 0 for one in value.values())
            comes = ("opening", "new", "expansion", "reactivation", "transfer_in")
            goes = ("contraction", "churn", "transfer_out")
            if ending:
                comes, goes = (  # type: ignore[assignment]
                    tuple(kind for kind in kinds if kind not in {"expansion", "contraction"})
                    for kinds in (comes, goes)
                )
            assert sum(value[kind] for kind in comes) == value["closing"] + sum(
                value[kind] for kind in goes
            )
            previous = before.get(f"closing{ending}", 0)
            same = before.get("plan") == row.get("plan")
            assert row[f"opening{ending}"] == (previous if same else 0)
        # Shares among three plans are rounded to the cent.
        for kind in KINDS[1:3] + KINDS[5:]:
            assert row.get(kind, 0) == pytest.approx(
                float(expected[place][kind]) if by or "transfer" not in kind else 0, abs=0.5
            )
        before = row
    if by:  # what leaves one segment arrives in another
        for at in {row["period"] for row in table}:
            there = [row for row in table if row["period"] == at]
            assert sum(Decimal(repr(row["transfer_in"])) for row in there) == sum(
                Decimal(repr(row["transfer_out"])) for row in there
            )


@examples
@given(rows=books(), as_of=AS_OF, period=PERIOD, level=st.sampled_from(["snapshot", "event"]))
def test_segments_add_up_to_the_whole(
    rows: list[Row], as_of: date, period: str, level: str
) -> None:
    options = {"period": period, "level": level, "as_of": as_of}
    whole = run(mrr_movements, frame(rows), **options)
    parts = run(mrr_movements, frame(rows), **options, by="plan")
    for row in whole:
        same = [part for part in parts if part["period"] == row["period"]]
        for kind in ("opening", "new", "churn", "reactivation", "closing"):
            total = sum(Decimal(repr(part[kind])) for part in same)
            assert total == Decimal(repr(row[kind]))


@pytest.mark.slow
@examples
@given(rows=books(), as_of=AS_OF, period=PERIOD)
def test_events_are_at_least_snapshots(rows: list[Row], as_of: date, period: str) -> None:
    options = {"period": period, "as_of": as_of}
    snapshots = run(mrr_movements, frame(rows), **options)
    events = run(mrr_movements, frame(rows), **options, level="event")
    for snapshot, event in zip(snapshots, events, strict=True):
        assert (event["opening"], event["closing"]) == (snapshot["opening"], snapshot["closing"])
        gains = ("new", "expansion", "reactivation")
        assert sum(event[kind] for kind in gains) >= sum(snapshot[kind] for kind in gains) - 1e-9


FUNCTIONS = [mrr_movements, revenue_retention, revenue_cohorts]


@pytest.mark.slow
@pytest.mark.parametrize("function", FUNCTIONS)
@settings(examples, max_examples=n_examples(25, quick=8))
@given(rows=books(), as_of=AS_OF, by=st.sampled_from([None, "plan"]), data=st.data())
def test_row_order_index_and_splitting_change_nothing(
    function: Any, rows: list[Row], as_of: date, by: str | None, data: st.DataObject
) -> None:
    pieces = []
    for row in rows:
        last = (row["end"] or as_of) - DAY
        cut = row["start"] + data.draw(st.integers(0, 80)) * DAY
        if row["start"] < cut <= last:
            pieces += [row | {"end": cut}, row | {"start": cut}]
        else:
            pieces.append(row)
    shuffled = frame(data.draw(st.permutations(pieces)))
    shuffled.index = pd.Index([1] * len(shuffled))
    before = shuffled.copy(deep=True)
    table = run(function, shuffled, by=by, as_of=as_of)
    expected = run(function, frame(rows), by=by, as_of=as_of)
    assert table == [{name: plain(value) for name, value in row.items()} for row in expected]
    pd.testing.assert_frame_equal(shuffled, before)


@pytest.mark.slow
@pytest.mark.parametrize("function", FUNCTIONS)
@settings(examples, max_examples=n_examples(25, quick=8))
@given(rows=books(), as_of=AS_OF, period=PERIOD)
def test_later_rows_do_not_change_what_was(
    function: Any, rows: list[Row], as_of: date, period: str
) -> None:
    # Rows that start at as_of or later, and ends at as_of or later, have not been seen.
    later = [row | {"start": as_of, "end": None} for row in rows]
    cut = [
        row | {"end": None if row["end"] is not None and row["end"] >= as_of else row["end"]}
        for row in rows
    ]
    options = {"period": period, "as_of": as_of, "include_partial": True}
    assert run(function, frame(rows + later), **options) == run(function, frame(cut), **options)


# Retention


def point_to_point(
    then: Paid, now: Paid, known: set[Any], segment: Any, *, by: bool
) -> dict[str, Fraction]:
    """Compare two moments for the customers who paid in a segment at the first."""
    total = {who: sum(map(Fraction, paid.values())) for who, paid in now.items()}
    sums: dict[str, Fraction] = defaultdict(Fraction)
    for who, paid in then.items():
        if segment in paid or not by:
            whole = sum(map(Fraction, paid.values()))
            base = Fraction(paid[segment]) if by else whole
            has = total.get(who, Fraction())
            sums["customers"] += 1
            sums["opening"] += base
            sums["now"] += has * base / whole  # type: ignore[assignment]
            sums["kept"] += min(has, whole) * base / whole  # type: ignore[assignment]
            sums["retained"] += has > 0
    for who in now.keys() - then.keys():
        money = Fraction(now[who].get(segment, 0)) if by else total[who]
        sums["newcomers"] += money
        sums["back"] += money if who in known else 0
    return sums


@examples
@given(
    rows=books(),
    as_of=AS_OF,
    period=st.sampled_from(["week", "month"]),
    by=st.sampled_from([None, "plan"]),
    horizon=st.integers(1, 5),
)
def test_retention_agrees_with_the_reference(
    rows: list[Row], as_of: date, period: str, by: str | None, horizon: int
) -> None:
    options = {"period": period, "by": by, "horizon": horizon, "as_of": as_of}
    table = run(revenue_retention, frame(rows), **options, include_partial=True)
    first = min(row["start"] for row in rows)
    ends = ends_of(rows, by, as_of, period)
    ends = {at: paid for at, paid in ends.items() if at >= begin_of(first, period)}
    periods = list(ends)
    seen = [(begin_of(row["start"], period), row["customer_id"]) for row in rows]
    for row in table:
        here = periods.index(row["period"])
        then = ends[periods[here - horizon]] if here >= horizon else {}
        known = {who for at, who in seen if at in periods[: max(here - horizon + 1, 0)]}
        segment = row["plan"] if by else None
        want = point_to_point(then, ends[row["period"]], known, segment, by=by is not None)
        base = want["opening"]
        assert row["customers"] == want["customers"]
        assert row["opening"] == float(base)
        if not base:
            rates = ("nrr", "grr", "logo_retention", "net_churn", "gross_churn", "quick_ratio")
            assert all(row[name] is None for name in rates)
            continue
        cent = 0.02 / float(base) if by else 1e-12  # shares of a customer are rounded
        lost, gained = base - want["kept"], want["now"] - want["kept"] + want["newcomers"]
        expected = {
            "nrr": want["now"] / base,
            "grr": want["kept"] / base,
            "logo_retention": want["retained"] / want["customers"],
            "net_churn": (base - want["now"] - want["back"]) / base,
            "gross_churn": lost / base,
        }
        for name, value in expected.items():
            assert row[name] == pytest.approx(float(value), rel=1e-12, abs=cent), name
        if not by:
            assert row["quick_ratio"] == (
                pytest.approx(float(gained / lost), rel=1e-12) if lost else None
            )


@examples
@given(
    rows=books(),
    as_of=AS_OF,
    period=PERIOD,
    options=st.fixed_dictionaries(
        {
            "by": st.sampled_from([None, "plan"]),
            "horizon": st.integers(1, 6),
            "chained": st.booleans(),
            "interval": st.sampled_from(["delta", "bootstrap"]),
        }
    ),
)
def test_grr_lies_between_0_and_nrr_and_1(
    rows: list[Row], as_of: date, period: str, options: Row
) -> None:
    options |= {"period": period, "as_of": as_of, "draws": 20, "seed": 1}
    for row in run(revenue_retention, frame(rows), **options):
        if row["grr"] is not None:
            assert 0 <= row["grr"] <= min(1, row["nrr"])
            assert 0 <= row["logo_retention"] <= 1
        for name in ("nrr", "grr"):
            low, high = row[f"{name}_lower"], row[f"{name}_upper"]
            if low is not None and options["interval"] == "delta":
                assert 0 <= low <= row[name] * (1 + 1e-12)
                assert row[name] <= high * (1 + 1e-12)


@pytest.mark.slow
@examples
@given(rows=books(), as_of=AS_OF, period=PERIOD, horizon=st.integers(1, 5))
def test_a_chain_is_the_product_of_single_steps(
    rows: list[Row], as_of: date, period: str, horizon: int
) -> None:
    options = {"period": period, "as_of": as_of}
    single = run(revenue_retention, frame(rows), **options)
    chained = run(revenue_retention, frame(rows), **options, horizon=horizon, chained=True)
    for i, row in enumerate(chained):
        steps = single[max(i - horizon + 1, 0) : i + 1]
        for name in ("nrr", "grr", "logo_retention"):
            rates = [step[name] for step in steps]
            known = len(steps) == horizon and None not in rates
            expected = 1.0
            for rate in rates:
                expected *= rate if known else 0
            assert row[name] == (pytest.approx(expected, rel=1e-12) if known else None)
        if len(steps) == horizon:
            assert (row["customers"], row["opening"]) == (
                steps[0]["customers"],
                steps[0]["opening"],
            )


@pytest.mark.slow
@examples
@given(rows=books(), as_of=AS_OF, period=PERIOD)
def test_one_step_is_what_the_movements_say(rows: list[Row], as_of: date, period: str) -> None:
    options = {"period": period, "as_of": as_of}
    rates = run(revenue_retention, frame(rows), **options)
    for row, moved in zip(rates, run(mrr_movements, frame(rows), **options), strict=True):
        assert row["opening"] == moved["opening"]
        assert row["customers"] == moved["opening_customers"]
        lost = moved["churn"] + moved["contraction"]
        gained = moved["new"] + moved["expansion"] + moved["reactivation"]
        if moved["opening"]:
            assert row["grr"] == pytest.approx(1 - lost / moved["opening"], abs=1e-12)
            net = lost - moved["expansion"] - moved["reactivation"]
            assert row["net_churn"] == pytest.approx(net / moved["opening"], abs=1e-9)
            assert row["quick_ratio"] == (pytest.approx(gained / lost) if lost else None)


# Cohorts


@examples
@given(rows=books(), as_of=AS_OF, period=PERIOD, by=st.sampled_from([None, "plan"]))
def test_cohorts_agree_with_the_reference(
    rows: list[Row], as_of: date, period: str, by: str | None
) -> None:
    table = run(
        revenue_cohorts, frame(rows), period=period, by=by, as_of=as_of, include_partial=True
    )
    first = min(row["start"] for row in rows)
    ends = {
        at: paid
        for at, paid in ends_of(rows, by, as_of, period).items()
        if at >= begin_of(first, period)
    }
    periods = list(ends)
    start: dict[Any, date] = {}
    for at, paid in ends.items():
        for who in paid:
            start.setdefault(who, at)
    shown = []
    for row in table:
        segment, at = row["plan"] if by else None, row["cohort"]
        now = ends[periods[periods.index(at) + row["age"]]]
        own = {who: ends[at][who] for who, begin in start.items() if begin == at}
        own = {who: paid for who, paid in own.items() if segment in paid}
        share = {
            who: Fraction(paid[segment]) / sum(map(Fraction, paid.values()))
            for who, paid in own.items()
        }
        then = {who: sum(map(Fraction, paid.values())) for who, paid in own.items()}
        has = {who: sum(map(Fraction, now.get(who, EMPTY).values())) for who in own}
        assert row["customers"] == row["eligible"] == len(own)
        assert row["retained"] == sum(value > 0 for value in has.values())
        cent = 0.03 if by else 1e-9
        amount = sum(has[who] * share[who] for who in own)
        base = sum(then[who] * share[who] for who in own)
        kept = sum(min(has[who], then[who]) * share[who] for who in own)
        assert row["amount"] == pytest.approx(float(amount), abs=cent)
        if own:
            assert row["retention"] == row["retained"] / len(own)
            assert row["amount_per_customer"] == pytest.approx(row["amount"] / len(own))
            assert row["nrr"] == pytest.approx(float(amount / base), abs=cent / float(base))
            assert row["grr"] == pytest.approx(float(kept / base), abs=cent / float(base))
            assert 0 <= row["grr"] <= min(1, row["nrr"])
        else:
            assert row["nrr"] is row["grr"] is row["retention"] is None
        shown.append((segment, at, row["age"]))
    # Every cohort of a segment from its first on, each up to the period in progress.
    expected = []
    for segment in sorted({key for _, key, _ in ((0, s, 0) for s, _, _ in shown)}, key=str):
        begin = min(at for who, at in start.items() if segment in ends[at][who])
        for i in range(periods.index(begin), len(periods)):
            expected += [(segment, periods[i], age) for age in range(len(periods) - i)]
    assert shown == expected


@pytest.mark.slow
@examples
@given(rows=books(), as_of=AS_OF, period=PERIOD)
def test_cohorts_begin_with_what_is_new(rows: list[Row], as_of: date, period: str) -> None:
    options = {"period": period, "as_of": as_of}
    moved = {row["period"]: row for row in run(mrr_movements, frame(rows), **options)}
    cells = run(revenue_cohorts, frame(rows), **options)
    # Who had paid within an earlier period, and at the end of none, is of a cohort but not new.
    came: dict[Any, date] = {}
    for row in rows:
        came[row["customer_id"]] = min(row["start"], came.get(row["customer_id"], row["start"]))
    first: dict[date, Paid] = defaultdict(dict)
    for at, paid in ends_of(rows, None, as_of, period).items():
        earlier = {who for own in first.values() for who in own}
        first[at] = {who: own for who, own in paid.items() if who not in earlier}
    for row in cells:
        if row["age"] == 0:
            at, new = row["cohort"], moved[row["cohort"]]
            own = {who: sum(paid.values()) for who, paid in first[at].items()}
            fresh = [paid for who, paid in own.items() if begin_of(came[who], period) == at]
            assert (row["amount"], row["customers"]) == (float(sum(own.values())), len(own))
            assert (new["new"], new["new_customers"]) == (float(sum(fresh)), len(fresh))
    for at, new in moved.items():
        there = [
            row["amount"]
            for row in cells
            if (begin_ordinal(row["cohort"], period) + row["age"]) == begin_ordinal(at, period)
        ]
        assert sum(there) == pytest.approx(new["closing"], abs=1e-9)


def begin_ordinal(day: date, period: str) -> int:
    if period in {"day", "week"}:
        return (day.toordinal() - 1) // (7 if period == "week" else 1)
    return (day.year * 12 + day.month - 1) // (3 if period == "quarter" else 1)
