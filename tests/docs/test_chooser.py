"""The way in: which function do I need, and the pictures of the home page and the README."""

import inspect
import re
import runpy
from collections import Counter
from pathlib import Path

import pytest

import retainkit
from source import FUNCTIONS

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
LINK = re.compile(r"\{py:func\}`(?:~|([a-z_.]+) <)retainkit\.([a-z_.]+)>?`")
README = (ROOT / "README.md").read_text("utf-8")
HOME = (DOCS / "index.md").read_text("utf-8")


def chooser(text: str) -> list[tuple[str, ...]]:
    """Read the table under "you have, you ask, call", with the functions by their bare names."""
    rows = text.partition("| you have | you ask | call |\n")[2].split("\n\n")[0].splitlines()[1:]
    return [
        tuple(LINK.sub(r"\2", cell).replace("`", "").strip() for cell in row.strip("|").split("|"))
        for row in rows
    ]


def test_the_page_has_every_function_once_and_no_other_name() -> None:
    page = (DOCS / "start" / "which-function.md").read_text("utf-8")
    rows = [line for line in page.splitlines() if line.startswith("| ")]
    found = [match for row in rows for match in LINK.findall(row)]
    assert Counter(name for _, name in found) == Counter(FUNCTIONS.keys())
    assert {shown for shown, name in found if shown != name} <= {""}


def test_every_section_of_the_page_can_be_reached_from_its_top() -> None:
    page = (DOCS / "start" / "which-function.md").read_text("utf-8")
    anchors = re.findall(r"\]\(#([a-z-]+)\)", page)
    titles = re.findall(r"^## (.+)$", page, re.MULTILINE)
    slugs = [re.sub(r"[^a-z -]", "", title.lower()).replace(" ", "-") for title in titles]
    assert anchors == slugs[: len(anchors)]
    assert titles[len(anchors) :] == ["In doubt"]


def test_the_short_form_is_the_same_at_home_in_the_readme_and_in_the_help() -> None:
    short = chooser(README)
    assert len(short) > 8
    assert chooser(HOME) == short
    doc = inspect.cleandoc(str(retainkit.__doc__)).split("\n\n")
    assert [tuple(re.split(r" {2,}", row.strip())) for row in doc[1].splitlines()[2:]] == short
    for *_, names in short:
        assert {*names.split(", ")} <= FUNCTIONS.keys()


def test_the_help_begins_with_the_chooser() -> None:
    second = str(retainkit.__doc__).split("\n\n")[1]
    assert second.split()[:3] == ["You", "have", "You"]


def test_the_pictures_are_those_of_the_numbers() -> None:
    drawn = runpy.run_path(str(DOCS / "drawings.py"))["drawings"]()
    for name, drawing in drawn.items():
        assert (DOCS / "_static" / name).read_text("utf-8") == drawing, name
    for text in (README, HOME):
        for name in re.findall(r"_static/([a-z-]+\.svg)", text):
            assert name in drawn


@pytest.mark.slow
def test_the_lines_of_the_readme_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pyplot = pytest.importorskip("matplotlib.pyplot")
    monkeypatch.chdir(tmp_path)
    (code,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    assert len([line for line in code.splitlines() if line]) <= 10
    names: dict[str, object] = {}
    exec(code, names)  # noqa: S102  our own lines
    assert (tmp_path / "triangle.png").stat().st_size > 10_000
    printed = capsys.readouterr().out
    assert all(word in printed for word in ("churn_rate", "nrr_upper", "nps"))
    pyplot.close("all")
