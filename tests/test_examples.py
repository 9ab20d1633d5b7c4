"""The examples run as their readers run them, and print what the raw file says.

The witness of the numbers is plain Python on the file of CDNOW: no pandas, no retainkit.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter, defaultdict
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

EXAMPLES = sorted((Path(__file__).parents[1] / "examples").glob("*.py"))
QUICKSTART = next(example for example in EXAMPLES if example.stem == "quickstart")
VALUE = next(example for example in EXAMPLES if example.stem == "customer_value")
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
    assert max(map(len, lines[:-1])) <= 80


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
