"""Each metric once more, slow and obvious, straight from its definition.

Nothing here is shared with the library: the standard library only, one customer
at a time and one age at a time, with the bounds of every period computed as
actual dates and times. A table is a list of dicts, one per row; undefined is NaN.
"""

import calendar
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from itertools import count, pairwise, takewhile
from statistics import NormalDist, fmean
from typing import Any
from zoneinfo import ZoneInfo

Row = dict[str, Any]
Cell = tuple[int, int | None]  # first age, and the age that no longer belongs to it

NAN = math.nan
MONTHS = {"month": 1, "quarter": 3, "year": 12}
DAYS = {"day": 1, "week": 7}


# --- the calendar ---------------------------------------------------------------


def add_months(moment: datetime, months: int) -> datetime:
    """Step calendar months from an anchor; a day that does not exist is the month's last."""
    year, month0 = divmod(moment.year * 12 + moment.month - 1 + months, 12)
    last_day = calendar.monthrange(year, month0 + 1)[1]
    return moment.replace(year=year, month=month0 + 1, day=min(moment.day, last_day))


def step(moment: datetime, period: str, steps: int) -> datetime:
    """Go `steps` periods forward on the wall clock."""
    if period in MONTHS:
        return add_months(moment, steps * MONTHS[period])
    return moment + timedelta(days=steps * DAYS[period])


def first_day(day: date, period: str, week_start: str) -> date:
    """Return the first day of the period that `day` lies in."""
    if period == "week":
        while calendar.day_name[day.weekday()].lower() != week_start:
            day -= timedelta(days=1)
    elif period != "day":
        day = day.replace(day=1)
        while (day.month - 1) % MONTHS[period] != 0:
            day = (day - timedelta(days=1)).replace(day=1)
    return day


@dataclass(frozen=True)
class Zone:
    """Turns wall-clock times into instants (UTC) and back; naive times are their own instant."""

    tz: tzinfo | None

    def instant(self, moment: date | datetime | str) -> datetime:
        """Return the instant; a date is its midnight, a naive time is read in the zone."""
        if isinstance(moment, str):
            moment = datetime.fromisoformat(moment)
        if not isinstance(moment, datetime):
            moment = datetime.combine(moment, time())
        if self.tz is None:
            return moment
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=self.tz)
        return moment.astimezone(UTC)

    def wall(self, instant: datetime) -> datetime:
        """Return the reading of the clock on the wall at an instant."""
        if self.tz is None:
            return instant
        return instant.astimezone(self.tz).replace(tzinfo=None)


# --- one customer in one cohort -------------------------------------------------


@dataclass(frozen=True)
class Clock:
    """Says where the ages of somebody who started at a given instant begin and end."""

    zone: Zone
    kind: str
    period: str
    week_start: str
    as_of: datetime

    def age_begins(self, start: datetime, age: int) -> datetime:
        """Return when `age` begins: an instant, or a wall-clock time for `on_wall`."""
        if self.kind == "calendar":
            period_start = first_day(self.zone.wall(start).date(), self.period, self.week_start)
            midnight = datetime.combine(period_start, time())
            return self.zone.instant(step(midnight, self.period, age))
        if self.on_wall:
            return step(self.zone.wall(start), self.period, age)
        return start + timedelta(hours=24) * DAYS[self.period] * age

    @property
    def on_wall(self) -> bool:
        """Elapsed months are stepped on the wall clock; everything else compares instants."""
        return self.kind == "elapsed" and self.period in MONTHS

    def has_come(self, start: datetime, age: int, instant: datetime) -> bool:
        """Return whether `age` is reached at this instant."""
        now = self.zone.wall(instant) if self.on_wall else instant
        return self.age_begins(start, age) <= now

    def is_over(self, start: datetime, cell: Cell) -> bool:
        """Return whether the cell has ended by `as_of`."""
        return cell[1] is not None and self.has_come(start, cell[1], self.as_of)

    def has_begun(self, start: datetime, cell: Cell) -> bool:
        """Return whether the cell has begun before `as_of`."""
        return self.begun_before(start, cell, self.as_of)

    def begun_before(self, start: datetime, cell: Cell, instant: datetime) -> bool:
        """Return whether the cell begins before an instant."""
        end = self.zone.wall(instant) if self.on_wall else instant
        return self.age_begins(start, cell[0]) < end

    def holds(self, start: datetime, cell: Cell, instant: datetime) -> bool:
        """Return whether a return at this instant falls in the cell."""
        if self.kind == "elapsed" and instant < start:
            return False
        first, end = cell
        # On the elapsed clock age 0 begins with the start itself, checked above.
        reached = self.has_come(start, first, instant) or (self.kind == "elapsed" and first == 0)
        return reached and not (end is not None and self.has_come(start, end, instant))


@dataclass
class Entry:
    """A customer in a cohort: the start, the segment, and the returns in every cell."""

    start: datetime
    segment: tuple[Any, ...]
    cohort: date
    returns: list[Row]
    contents: list[list[Row]] = field(default_factory=list)

    def counted_cells(self, j: int, cells: Sequence[Cell], counting: str, least: int) -> list[int]:
        """Return the cells that make this entry count at cell j: none, and it does not count."""
        active = [i for i, rows in enumerate(self.contents) if len(rows) >= least]
        if counting == "on":
            return [i for i in active if i == j]
        if counting == "on_or_after":
            return [i for i in active if i >= j]
        if counting == "on_or_before":
            return [i for i in active if i <= j]
        required = [i for i in range(j + 1) if i == j or cells[i][0] != 0]
        return [j] if all(i in active for i in required) else []


# --- the table ------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Question:
    """The options of `cohort_retention`, with its defaults."""

    customer: str = "customer_id"
    time: str = "time"
    amount: str | None = None
    by: Sequence[str] = ()
    cohort_time: str | None = None
    started: str | None = None
    returned: str | None = None
    entry: str = "first"
    cohort_period: str = "month"
    period: str = "month"
    clock: str = "calendar"
    counting: str = "on"
    brackets: Sequence[int] | None = None
    min_events: int = 1
    min_customers: int = 1
    include_partial: bool = False
    as_of: date | datetime | str | None = None
    tz: str | None = None
    week_start: str = "monday"
    confidence_level: float = 0.95


def cohort_retention(rows: Sequence[Row], **options: Any) -> list[Row]:
    """Return the cohort table of these events."""
    if not rows:
        return []
    ask = Question(**options)
    zone = Zone(ZoneInfo(ask.tz) if ask.tz else getattr(rows[0][ask.time], "tzinfo", None))
    events = [row | {"at": zone.instant(row[ask.time])} for row in rows]
    as_of = ask.as_of
    if as_of is None:
        as_of = max(zone.wall(row["at"]).date() for row in events) + timedelta(days=1)
    clock = Clock(zone, ask.clock, ask.period, ask.week_start, zone.instant(as_of))
    begin = min(zone.wall(row["at"]).date() for row in events)
    begin = zone.instant(first_day(begin, ask.period, ask.week_start))
    events = [row for row in events if row["at"] < clock.as_of]

    entries = list(_entries(events, ask, clock))
    cells, beyond = _cells(ask.brackets, entries, clock)
    for one in entries:
        one.contents = [
            [row for row in one.returns if clock.holds(one.start, cell, row["at"])]
            for cell in [*cells, *beyond]
        ]

    table = []
    for segment in sorted({one.segment for one in entries}, key=_nulls_last):
        members = [one for one in entries if one.segment == segment]
        cohort = min(one.cohort for one in members)
        while zone.instant(cohort) < clock.as_of:
            inside = [one for one in members if one.cohort == cohort]
            if len(inside) >= ask.min_customers or ask.min_customers == 1:
                for j in range(len(cells)):
                    # Starts of their own may lie before the log, which shows nothing of that time.
                    earliest = 0 if ask.counting in {"on_or_before", "every"} else j
                    unseen = ask.cohort_time is not None and clock.begun_before(
                        zone.instant(cohort), cells[earliest], begin
                    )
                    numbers = _numbers(
                        inside, cohort=cohort, cells=cells, j=j, ask=ask, clock=clock
                    )
                    if numbers is not None and not unseen:
                        names = dict(zip(ask.by, segment, strict=True)) | {"cohort": cohort}
                        table.append(names | numbers)
            midnight = datetime.combine(cohort, time())
            cohort = step(midnight, ask.cohort_period, 1).date()
    return table


def _entries(events: Sequence[Row], ask: Question, clock: Clock) -> Iterator[Entry]:
    """Find out who starts when, and in which segment."""

    def cohort_of(instant: datetime) -> date:
        return first_day(clock.zone.wall(instant).date(), ask.cohort_period, ask.week_start)

    histories: dict[Any, list[Row]] = {}
    for row in events:
        histories.setdefault(row[ask.customer], []).append(row)
    for theirs in histories.values():
        returns = [row for row in theirs if ask.returned is None or row[ask.returned]]
        starts = [row for row in theirs if ask.started is None or row[ask.started]]
        for cohort in sorted({cohort_of(row["at"]) for row in starts}):
            same = [row for row in starts if cohort_of(row["at"]) == cohort]
            start = min(row["at"] for row in same)
            segments = [tuple(row[c] for c in ask.by) for row in same if row["at"] == start]
            if ask.cohort_time is not None:
                start = clock.zone.instant(same[0][ask.cohort_time])
            if start < clock.as_of:
                segment = min(segments, key=_nulls_last)
                yield Entry(start, segment, cohort_of(start), returns)
            if ask.entry == "first":
                break


def _cells(
    brackets: Sequence[int] | None, entries: Sequence[Entry], clock: Clock
) -> tuple[list[Cell], list[Cell]]:
    """Return the cells, and the open one beyond the last bracket: only "on or after" reads it."""
    if brackets is not None:
        return list(pairwise(brackets)), [(brackets[-1], None)]
    ages = takewhile(
        lambda age: any(clock.has_begun(one.start, (age, age + 1)) for one in entries), count()
    )
    return [(age, age + 1) for age in ages], []


def _numbers(
    inside: Sequence[Entry],
    *,
    cohort: date,
    cells: Sequence[Cell],
    j: int,
    ask: Question,
    clock: Clock,
) -> Row | None:
    """Return the numbers of one cohort and one cell, or None where there is no such row."""
    # A period without new customers is shown for as long as it would be for somebody
    # who had started at its first instant.
    starts = [one.start for one in inside] or [clock.zone.instant(cohort)]
    over = [clock.is_over(start, cells[j]) for start in starts]
    begun = [clock.has_begun(start, cells[j]) for start in starts]
    in_progress = ask.include_partial and any(begun) and not any(over)
    if not any(over) and not in_progress:
        return None

    shown = begun if in_progress else over
    eligible = [one for one, yes in zip(inside, shown, strict=False) if yes]
    counted = [one.counted_cells(j, cells, ask.counting, ask.min_events) for one in eligible]
    n, retained = len(eligible), sum(cells_ != [] for cells_ in counted)
    lower, upper = (NAN, NAN) if in_progress else wilson(retained, n, ask.confidence_level)
    numbers: Row = {"age": cells[j][0]}
    if ask.brackets is not None:
        numbers |= {"age_end": cells[j][1]}
    numbers |= {
        "customers": len(inside),
        "eligible": n,
        "retained": retained,
        "retention": retained / n if n else NAN,
        "lower": lower,
        "upper": upper,
        "complete": n == len(inside) and not in_progress,
    }
    if ask.amount is not None:
        total = math.fsum(
            row[ask.amount]
            for one, which in zip(eligible, counted, strict=True)
            for i in which
            for row in one.contents[i]
        )
        numbers |= {"amount": total, "amount_per_customer": total / n if n else NAN}
    return numbers


def _nulls_last(segment: tuple[Any, ...]) -> list[tuple[bool, Any]]:
    return [(value is None, 0 if value is None else value) for value in segment]


# --- intervals and averages -----------------------------------------------------


def wilson(successes: int, n: int, confidence_level: float = 0.95) -> tuple[float, float]:
    """Wilson (1927), as in Brown, Cai and DasGupta (2001), equation 4."""
    if n == 0:
        return NAN, NAN
    z = NormalDist().inv_cdf((1 + confidence_level) / 2)
    p = successes / n
    middle = (p + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * math.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    # In exact arithmetic both bounds lie in [0, 1], and touch it at 0 and at n.
    lower = 0.0 if successes == 0 else middle - half
    upper = 1.0 if successes == n else middle + half
    return lower, upper


def retention_curve(table: Sequence[Row], average: str = "pooled") -> list[Row]:
    """Average the rows of a cohort table over its cohorts: one row per segment and age."""
    shown = [row for row in table if row["eligible"] > 0 and not math.isnan(row["lower"])]
    names = list(table[0])[: list(table[0]).index("cohort")] if table else []
    curve = []
    for segment in sorted({tuple(row[c] for c in names) for row in shown}, key=_nulls_last):
        rows = [row for row in shown if tuple(row[c] for c in names) == segment]
        before: dict[date, Row] = {}
        rate = NAN
        for age in sorted({row["age"] for row in rows}):
            here = {row["cohort"]: row for row in rows if row["age"] == age}
            customers = sum(row["eligible"] for row in here.values())
            retained = sum(row["retained"] for row in here.values())
            if average == "simple":
                rate = fmean(row["retention"] for row in here.values())
            elif average == "pooled" or not before:
                rate = retained / customers
            else:
                rate *= _step_rate(before, here)
            curve.append(
                dict(zip(names, segment, strict=True))
                | {"age": age, "cohorts": len(here), "customers": customers}
                | {"retained": retained, "retention": rate, "average": average}
            )
            before = here
    return curve


def _step_rate(before: dict[date, Row], here: dict[date, Row]) -> float:
    """Return the rate from one age to the next, over the cohorts observed at both."""
    both = before.keys() & here.keys()
    now = math.fsum(here[c]["eligible"] * here[c]["retention"] for c in both)
    then = math.fsum(here[c]["eligible"] * before[c]["retention"] for c in both)
    return now / then if then else NAN
