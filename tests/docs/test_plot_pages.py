"""The picture on the page of each plot function, and what is said of it."""

import runpy
from pathlib import Path

import pytest

from source import FUNCTIONS

EXTENSIONS = Path(__file__).parents[2] / "docs" / "_extensions"
TEXTS: dict[str, str] = runpy.run_path(str(EXTENSIONS / "plot_texts.py"))["TEXTS"]


def test_every_picture_is_described() -> None:
    names = [name.removeprefix("plot.") for name in FUNCTIONS if name.startswith("plot.")]
    assert sorted(TEXTS) == sorted(names)


@pytest.mark.parametrize("name", TEXTS)
def test_a_description_says_what_is_seen(name: str) -> None:
    text = TEXTS[name]
    assert text.endswith(".")
    assert 80 < len(text) < 300
    assert not {"picture", "image", "retainkit"} & {*text.lower().split()}
