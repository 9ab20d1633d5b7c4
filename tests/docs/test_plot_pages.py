"""The picture on the page of each plot function, and what is said of it."""

import re
import runpy
from pathlib import Path

import pytest

from source import FUNCTIONS

EXTENSIONS = Path(__file__).parents[2] / "docs" / "_extensions"
TEXTS: dict[str, str] = runpy.run_path(str(EXTENSIONS / "plot_texts.py"))["TEXTS"]


def test_every_picture_is_described() -> None:
    names = [name.removeprefix("plot.") for name in FUNCTIONS if name.startswith("plot.")]
    assert sorted(TEXTS) == sorted(names)


def test_every_picture_is_in_the_gallery() -> None:
    gallery = (EXTENSIONS.parent / "gallery.md").read_text(encoding="utf-8")
    cards = re.findall(r"^```\{glue:figure\} (\w+)$", gallery, re.MULTILINE)
    drawn = re.findall(r"^ax = rk\.plot\.(\w+)\(", gallery, re.MULTILINE)
    assert sorted(cards) == sorted(drawn) == sorted(TEXTS)


@pytest.mark.parametrize("name", TEXTS)
def test_a_description_says_what_is_seen(name: str) -> None:
    text = TEXTS[name]
    assert text.endswith(".")
    assert 80 < len(text) < 300
    assert not {"picture", "image", "retainkit"} & {*text.lower().split()}
