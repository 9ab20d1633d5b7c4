"""The examples run as their readers run them, and print what the raw rows say.

The witness of the numbers is plain Python on the file of CDNOW, or on the rows of
`make_subscriptions`: no pandas, no function of retainkit that measures.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections import Counter, defaultdict
from datetime import date, datetime, timedelta
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from retainkit.datasets import make_customers, make_subscriptions, make_survey

if TYPE_CHECKING:
    from collections.abc import Iterator

EXAMPLES = sorted((Path(__file__).parents[1] / "examples").glob("*.py"))
QUICKSTART = next(example for example in EXAMPLES if example.stem == "quickstart")
CUSTOMERS = next(example for example in EXAMPLES if example.stem == "customers")
VALUE = next(example for example in EXAMPLES if example.stem == "customer_value")
SURVEY = next(example for example in EXAMPLES if example.stem == "survey")
SUBSCRIPTIONS = next(example for example in EXAMPLES if example.stem == "subscriptions")
Z = 1.959963984540054  # two-sided standard normal quantile of 95 %


def run(example: Path, *arguments: str, cwd: Path) -> str:
    """Run an example in an empty directory, without a display; a warning about it is an error."""
    cwd.mkdir()
    headless = {
        name: value
        for name, value in os.environ.items()
        if name not in {"DISPLAY", "WAYLAND_DISPLAY", "MPLBACKEND"}
    }
    done = subprocess.run(  # noqa: S603  our own file
        [sys.executable, "-W", "error:::__main__", str(example), *arguments],
        cwd=cwd,
        env=headless | {"PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        encoding="utf-8",
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_notebooks_are_those_of_the_examples(tmp_path: Path) -> None:
    made = EXAMPLES[0].parent / "notebooks"
    assert run(made / "make.py", str(tmp_path / "again"), cwd=tmp_path / "here") == ""
    kept = {path.name: path.read_bytes() for path in made.glob("*.ipynb")}
    assert kept == {path.name: path.read_bytes() for path in (tmp_path / "again").iterdir()}, (
        "make them again: python examples/notebooks/make.py"
    )
    assert {Path(name).stem for name in kept} == {example.stem for example in EXAMPLES}


def test_the_gallery_has_every_notebook() -> None:
    root = EXAMPLES[0].parents[1]
    gallery = (root / "docs" / "gallery.md").read_text(encoding="utf-8")
    linked = re.findall(r"\{download\}`[^<]+<\.\./examples/notebooks/(\w+)\.ipynb>`", gallery)
    assert sorted(linked) == [example.stem for example in EXAMPLES]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.stem)
def test_a_notebook_holds_the_code_of_its_example_and_no_outputs(example: Path) -> None:
    path = example.parent / "notebooks" / f"{example.stem}.ipynb"
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    body = example.read_text(encoding="utf-8").partition("# %%")[2].partition("\n")[2]
    lines = [line for line in body.splitlines() if line and not line.startswith("#")]
    held = [line for cell in code for line in cell.splitlines() if line and line[0] != "#"]
    assert held == lines
    assert all(cell["outputs"] == [] for cell in cells if cell["cell_type"] == "code")
    text = " ".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
    assert "%%" not in text
    assert text.startswith("# ")


@pytest.mark.slow
@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.stem)
def test_an_example_writes_where_it_is_told_and_nowhere_else(example: Path, tmp_path: Path) -> None:
    here, out = tmp_path / "here", tmp_path / "made" / "on demand"
    printed = run(example, str(out), cwd=here)
    assert list(here.iterdir()) == []
    written = sorted(path.name for path in out.iterdir())
    assert written
    assert all(name in printed for name in written)
    assert str(out.resolve()) in printed
    for name in written:
        assert_is_a_picture(out / name)


@pytest.mark.slow
def test_the_quickstart_shows_the_retention_of_cdnow(tmp_path: Path) -> None:
    here = tmp_path / "here"
    lines = run(QUICKSTART, cwd=here).splitlines()
    rows = [line.split() for line in lines]
    size, retained = counts_of_cdnow()
    assert size == {"1997-01": 7846, "1997-02": 8476, "1997-03": 7248}
    assert lines[0] == "CDNOW, a music shop: 69,659 purchases by 23,570 customers."

    # The triangle, in whole percent. The file ends with June 1998, which is over.
    triangle = [
        [month, f"{size[month]:,}", *(f"{100 * n / size[month]:.0f}" for n in retained[month])]
        for month in sorted(size)
    ]
    assert [len(cells) - 2 for cells in triangle] == [18, 17, 16]
    assert [row for row in rows if row[:1] and row[0] in size] == triangle

    # The curve: everybody who has been observed at an age, and Wilson's interval.
    head = ["age", "cohorts", "customers", "retained", "retention", "lower", "upper", "average"]
    begin = rows.index(head) + 1
    for age, row in enumerate(rows[begin : begin + 18]):
        cohorts = [month for month in size if age < len(retained[month])]
        n = sum(size[month] for month in cohorts)
        count = sum(retained[month][age] for month in cohorts)
        assert row[:4] == [str(age), str(len(cohorts)), str(n), str(count)]
        expected = [count / n, *wilson(count, n)]
        assert [float(cell) for cell in row[4:7]] == pytest.approx(expected, abs=0.5001e-4)
        assert row[7] == "pooled"
    assert rows[begin + 18] == []

    # Both fit into a terminal, and the pictures are in a folder of their own.
    assert max(map(len, lines[:-1])) <= 80
    assert [path.name for path in here.iterdir()] == ["retainkit-demo"]
    assert sorted(path.name for path in (here / "retainkit-demo").iterdir()) == [
        "retention-curve.png",
        "retention-triangle.png",
    ]


@pytest.mark.slow
def test_the_demo_of_value_shows_what_was_published(tmp_path: Path) -> None:
    lines = run(VALUE, cwd=tmp_path / "here").splitlines()
    rows = [line.split() for line in lines]
    assert lines[0] == "CDNOW: 6,919 orders by 2,357 customers."
    # Fader, Hardie & Lee (2005), table 2, and Fader & Hardie's note 025; 1,882 orders came.
    named = {row[0]: row[1:] for row in rows if row}
    published = {"r": 0.243, "alpha": 4.414, "a": 0.793, "b": 2.426, "p": 6.25, "q": 3.74}
    for name, value in published.items():
        assert float(named[name][0]) == pytest.approx(value, abs=5e-3)
    assert named["actual"] == ["1882.000", "1882.000"]
    assert float(named["expected"][0]) == pytest.approx(1653.409, abs=1e-3)
    begin = 1 + next(i for i, row in enumerate(rows) if row[:2] == ["customer_id", "alive"])
    top = [[float(cell) for cell in row] for row in rows[begin : begin + 10]]
    assert [row[4] for row in top] == sorted((row[4] for row in top), reverse=True)
    assert all(row[5] < row[4] < row[6] for row in top)
    # Issue 16: whose first order is above 30 dollars buys 1.7 times as often, and spends 1.5 times.
    ratios = {row[0]: float(row[4]) for row in rows if row[1:3] == ["large", "small"]}
    assert ratios["purchase"] == pytest.approx(1.7, abs=0.05)
    assert ratios["spend"] == pytest.approx(1.5, abs=0.05)
    totals = [[float(cell) for cell in row[1:]] for row in rows if row[:1] == ["all"]]
    [(customers, total, low, high, share)] = totals
    assert customers == 2357
    assert low < total < high
    assert 0 < share < 1
    assert max(map(len, lines[:-1])) <= 80


@pytest.mark.slow
def test_the_demo_of_subscriptions_shows_what_the_rows_say(tmp_path: Path) -> None:
    lines = run(SUBSCRIPTIONS, cwd=tmp_path / "here").splitlines()
    rows = [line.split() for line in lines]
    made = make_subscriptions(3_000, seed=7, polarization=0.1, seats=0.01)
    made = made.assign(end=made["end"].dt.strftime("%Y-%m-%d").fillna("running"))
    book = list(zip(*(made[name].astype(str) for name in made), strict=True))
    assert lines[0] == f"Invented: {len(book):,} subscriptions of 3,000 customers."
    december = [row for row in rows if row[:1] == ["2024-12-01"]]

    # Customers and money at the end of November and of December, and a year before.
    then, before, now = (paid_on(book, day) for day in ("2023-12-31", "2024-11-30", "2024-12-31"))
    came = {who: min(row[2] for row in book if row[0] == who) for who in now.keys() - before.keys()}
    new = {who for who, first in came.items() if first >= "2024-12-01"}
    gone = len(before.keys() - now.keys())
    counts = [len(before), len(new), len(came) - len(new), gone, len(now)]
    assert [int(cell) for cell in december[0][1:6]] == counts
    limits = [gone / len(before), *wilson(gone, len(before))]
    assert [float(cell) for cell in december[0][6:]] == pytest.approx(limits, abs=0.5001e-3)
    stay = before.keys() & now.keys()
    money = [
        sum(before.values()),
        sum(now[who] for who in new),
        sum(max(now[who] - before[who], 0) for who in stay),
        sum(max(before[who] - now[who], 0) for who in stay),
        sum(before[who] for who in before.keys() - now.keys()),
        sum(now[who] for who in came.keys() - new),
        sum(now.values()),
    ]
    assert [float(cell.replace(",", "")) for cell in december[1][1:]] == money
    net = sum(now.get(who, 0) for who in then) / sum(then.values())
    gross = sum(min(now.get(who, 0), paid) for who, paid in then.items()) / sum(then.values())
    assert int(december[2][1]) == len(then)
    assert float(december[2][2]) == pytest.approx(net, abs=0.5001e-3)
    assert float(december[2][5]) == pytest.approx(gross, abs=0.5001e-3)

    # At the first renewal the truth is known, and the intervals hold it.
    begin = rows.index(["plan", "at_risk", "churned", "hazard", "lower", "upper", "truth"]) + 1
    for row, (plan, truth) in zip(
        rows[begin : begin + 3], {"basic": 0.08, "plus": 0.04, "pro": 0.02}.items(), strict=True
    ):
        assert row[0] == plan
        assert float(row[6]) == truth
        assert float(row[4]) < truth < float(row[5])
    assert max(map(len, lines[:-1])) <= 80


@pytest.mark.slow
def test_the_demo_of_surveys_shows_what_the_rows_say(tmp_path: Path) -> None:
    lines = run(SURVEY, cwd=tmp_path / "here").splitlines()
    rows = [line.split() for line in lines]
    made = make_survey(2_000, seed=12, waves=6, response=(0.4, 0.3, 0.2), reach={"basic": 0.5})
    asked = Counter(made["plan"])
    given = [
        (plan, (score > 8) - (score < 7))
        for plan, score in zip(made["plan"], made["score"], strict=True)
        if score == score  # noqa: PLR0124  NaN is no answer
    ]
    assert lines[0] == f"Invented: {len(made):,} invitations, {len(given):,} answers."

    # Scores by plan; in the interval of those who answered lies the score that they should have.
    by_plan = {plan: [value for own, value in given if own == plan] for plan in sorted(asked)}
    begin = rows.index(["plan", "n", "n_effective", "nps", "lower", "upper"]) + 1
    for row, (plan, values) in zip(rows[begin : begin + 3], by_plan.items(), strict=True):
        assert row[:2] == [plan, str(len(values))]
        assert float(row[3]) == pytest.approx(100 * sum(values) / len(values), abs=0.0501)
        promoters, passives, detractors = {
            "basic": (0.35, 0.35, 0.30),
            "plus": (0.45, 0.35, 0.20),
            "pro": (0.60, 0.28, 0.12),
        }[plan]
        seen = [0.4 * promoters, 0.3 * passives, 0.2 * detractors]
        assert float(row[4]) < 100 * (seen[0] - seen[2]) / sum(seen) < float(row[5])
        assert float(row[2]) < len(values)

    # The weighted score is that of the plans, each with its share of all customers.
    weighted = next(row for row in rows if row[:1] == ["weighted"])
    expected = sum(asked[plan] * sum(one) / len(one) for plan, one in by_plan.items())
    assert float(weighted[1]) == pytest.approx(100 * expected / len(made), abs=0.0501)
    whole = sum(asked[plan] * nps for plan, nps in {"basic": 5, "plus": 25, "pro": 48}.items())
    truth = next(row for row in rows if row[:2] == ["the", "truth"])
    assert float(truth[2]) == pytest.approx(whole / len(made), abs=0.0501)
    drivers = [row[0] for row in rows if row[:1] and row[0] in {"product", "support", "price"}]
    assert drivers == ["product", "support", "price"], "in the order of their strengths"
    assert max(map(len, lines[:-1])) <= 80


@pytest.mark.slow
def test_the_demo_of_customers_shows_what_the_rows_say(tmp_path: Path) -> None:
    lines = run(CUSTOMERS, cwd=tmp_path / "here").splitlines()
    rows = [line.split() for line in lines]
    shop = make_customers(2_000, seed=1)
    columns = [shop.orders[name] for name in ("customer_id", "time", "amount")]
    orders = [*zip(*columns, strict=True)]
    end = datetime(2026, 1, 1)  # noqa: DTZ001  the tables have no zone
    assert lines[0] == f"Invented: {len(orders):,} orders by 2,000 customers."

    # The view of the first customers, counted row by row.
    begin = 1 + next(place for place, row in enumerate(rows) if "recency_days" in row)
    for who, row in enumerate(rows[begin : begin + 5], start=1):
        own = [(time, amount) for customer, time, amount in orders if customer == who]
        last = (end.date() - max(time for time, _ in own).date()).days
        assert row[:3] == [str(who), str(last), str(len(own))]
        assert float(row[3]) == pytest.approx(sum(amount for _, amount in own), abs=5.1e-3)
        visits = shop.events["time"][shop.events["customer_id"] == who]
        assert int(row[4]) == sum(end - timedelta(28) <= time for time in visits)
        solved = shop.tickets["solved"][shop.tickets["customer_id"] == who]
        assert int(row[5]) == sum(1 for time in solved if time != time)  # noqa: PLR0124

    # Segments of CDNOW, in January and half a year later by the cuts of January.
    before, after = segments_of_cdnow()
    for name, count in Counter(before.values()).items():
        found = next(row for row in rows if row[:1] == [name])
        assert [int(cell) for cell in found[1:]] == [
            count,
            sum(one == name for one in after.values()),
        ]
    begin = 1 + rows.index(["from", "to", "customers", "share", "lower", "upper"])
    moves = Counter((before[who], after[who]) for who in before)
    for row, ((old, new), count) in zip(rows[begin:], moves.most_common(6), strict=False):
        size = Counter(before.values())[old]
        assert row[:3] == [old, new, str(count)]
        limits = [count / size, *wilson(count, size)]
        assert [float(cell) for cell in row[3:]] == pytest.approx(limits, abs=0.5001e-3)

    # Bins of all who had ordered by July; a rate and its interval; no date that has passed.
    begin = 1 + next(place for place, row in enumerate(rows) if row[:2] == ["bin", "n"])
    bins = [[float(cell) for cell in row] for row in rows[begin : begin + 5]]
    july = datetime(2025, 7, 1)  # noqa: DTZ001  the tables have no zone
    joined = sum(time < july for time in shop.customers["joined"])
    assert sum(row[1] for row in bins) == joined
    assert [row[3] for row in bins] == sorted((row[3] for row in bins), reverse=True)
    for _, n, _, rate, *limits, _, _ in bins:
        assert limits == pytest.approx(wilson(round(rate * n), int(n)), abs=0.51e-3)
    begin = 1 + next(place for place, row in enumerate(rows) if row[-2:] == ["due_25", "due_50"])
    due = [row[-2:] for row in rows[begin : begin + 5]]
    assert all("1998-07-01" <= first <= second < "1998-08-01" for first, second in due)
    assert due == sorted(due, key=lambda pair: pair[1])

    # What messages do, by those who were held out.
    came = {True: [0, 0], False: [0, 0]}
    for sent, responded in zip(shop.contacts["sent"], shop.contacts["responded"], strict=True):
        came[sent][0] += 1
        came[sent][1] += responded
    shares = {sent: f"{came[sent][1] / came[sent][0]:.1%}" for sent in came}
    text = " ".join(lines)
    assert f"After {came[True][0]:,} messages {shares[True]} came back" in text
    assert f"after {came[False][0]:,} that were held out {shares[False]}:" in text
    assert max(map(len, lines[:-1])) <= 80


def segments_of_cdnow() -> tuple[dict[int, str], dict[int, str]]:
    """Sort CDNOW's customers into segments in January and July 1998, by the cuts of January."""
    january, july = date(1998, 1, 1), date(1998, 7, 1)
    days: dict[int, set[date]] = defaultdict(set)
    for customer, day in rows_of_cdnow():
        days[int(customer)].add(date(int(day[:4]), int(day[4:6]), int(day[6:])))

    def measures(until: date) -> dict[int, tuple[int, int]]:
        seen = {who: [day for day in own if day < until] for who, own in days.items()}
        return {who: ((until - max(own)).days, len(own)) for who, own in seen.items()}

    def cuts(values: list[int]) -> list[int]:
        n = len(values)
        return [sorted(values)[-(-n * k // 5) - 1] for k in range(1, 5)]

    then, later = measures(january), measures(july)
    recency, frequency = (cuts([pair[place] for pair in then.values()]) for place in (0, 1))
    return tuple(  # type: ignore[return-value]
        {
            who: segment_of(
                5 - sum(cut < since for cut in recency), 1 + sum(cut < n for cut in frequency)
            )
            for who, (since, n) in one.items()
        }
        for one in (then, later)
    )


def segment_of(r: int, f: int) -> str:
    """Return the segment that the usual notebooks have for scores of recency and frequency."""
    names = {
        1: ["hibernating", "hibernating", "at_risk", "at_risk", "cant_lose"],
        2: ["hibernating", "hibernating", "at_risk", "at_risk", "cant_lose"],
        3: ["about_to_sleep", "about_to_sleep", "need_attention", "loyal", "loyal"],
        4: ["promising", "potential_loyalists", "potential_loyalists", "loyal", "loyal"],
        5: [
            "new_customers",
            "potential_loyalists",
            "potential_loyalists",
            "champions",
            "champions",
        ],
    }
    return names[r][f - 1]


def paid_on(book: list[tuple[str, ...]], day: str) -> dict[str, float]:
    """Add up what each customer pays on a day."""
    paid: dict[str, float] = defaultdict(float)
    for who, _, start, end, mrr in book:
        if start <= day < end:  # "running" is after every date
            paid[who] += float(mrr)
    return paid


def counts_of_cdnow() -> tuple[Counter[str], dict[str, list[int]]]:
    """Count the cohorts of CDNOW, and by age in months who buys; months are numbered from 1997."""
    active: dict[str, set[int]] = defaultdict(set)
    for customer, day in rows_of_cdnow():
        active[customer].add(12 * (int(day[:4]) - 1997) + int(day[4:6]) - 1)
    ends = 18  # July 1998
    months = {first: f"1997-{first + 1:02}" for first in range(3)}
    size = Counter(months[min(own)] for own in active.values())
    retained = {
        month: [
            sum(min(own) == first and first + age in own for own in active.values())
            for age in range(ends - first)
        ]
        for first, month in months.items()
    }
    return size, retained


def rows_of_cdnow() -> Iterator[tuple[str, str]]:
    """Read the customer and the day of each purchase."""
    path = metadata.distribution("lifetimes").locate_file("lifetimes/datasets/CDNOW_master.txt")
    for line in Path(str(path)).read_text(encoding="ascii").splitlines()[1:]:
        customer, day, _, _ = line.split()
        yield customer, day


def wilson(count: int, n: int) -> tuple[float, float]:
    """Solve (count/n - p)^2 = Z^2 p (1 - p) / n for p: Wilson (1927)."""
    a, b, c = n + Z**2, -(2 * count + Z**2), count**2 / n
    root = max(0.0, b**2 - 4 * a * c) ** 0.5
    return (-b - root) / (2 * a), (-b + root) / (2 * a)


def assert_is_a_picture(path: Path) -> None:
    """Check that a PNG is whole, of some size, and drawn on with several colours."""
    image = pytest.importorskip("matplotlib.image")
    assert path.suffix == ".png"
    pixels = image.imread(path)
    height, width = pixels.shape[:2]
    assert width >= 600
    assert height >= 200
    colours = Counter(map(tuple, pixels[::4, ::4].reshape(-1, pixels.shape[2]).round(2).tolist()))
    assert len(colours) > 10, "a picture has lines, text and fillings"
    assert colours.most_common(1)[0][1] < 0.95 * colours.total(), "it is all but empty"
