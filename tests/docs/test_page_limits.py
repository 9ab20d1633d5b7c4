"""Every page of the four kinds keeps to the limits and the pattern that readers can rely on.

What is counted, and how, stands in `limits.py`; it is tested here on a page with each fault.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from docs.limits import (
    LIMITS,
    TERMS,
    Counts,
    count,
    hidden,
    off_pattern,
    too_much,
    without_text,
)
from docs.pages import DOCS, cells, words

PAGES = [page for folder in LIMITS for page in sorted((DOCS / folder).glob("*.md"))]

each_page = pytest.mark.parametrize(
    "page", PAGES, ids=lambda page: f"{page.parent.name}/{page.stem}"
)
each_learning_page = pytest.mark.parametrize(
    "page",
    [page for page in PAGES if page.parent.name == "learn"],
    ids=lambda page: page.stem,
)


def test_there_are_pages_of_every_kind_and_for_every_term() -> None:
    assert {page.parent.name for page in PAGES} == {*LIMITS}
    assert {*TERMS} <= {page.stem for page in PAGES}


@each_page
def test_a_page_keeps_to_the_limits(page: Path) -> None:
    assert too_much(page) == []


@each_page
def test_what_a_reader_copies_needs_nothing_hidden(page: Path) -> None:
    assert hidden(page) == []


@each_page
def test_every_picture_has_a_text(page: Path) -> None:
    assert without_text(page) == []


@each_learning_page
def test_a_learning_page_follows_the_pattern(page: Path) -> None:
    assert off_pattern(page) == []


# The counter itself, on a page whose words one can count.
WRITTEN = """\
---
file_format: mystnb
---

(target)=
# Survival of a shop

:::{admonition} This page
:class: page-box

**You need** a table. **It takes** 5 minutes. **Afterwards** you can count.
:::

As {doc}`nps` says, {glue:text}`n` of $x$ customers:

:::{dropdown} The formula here
$$
S = 1
$$
and words
:::

## Compute it: `survival_curve` of everybody

```{code-cell} ipython3
:tags: [remove-cell]
secret = 1
```

```{code-cell} ipython3
import retainkit as rk

orders = rk.datasets.load_cdnow()
```

| a | table |
|---|---|

```{code-cell} ipython3
---
mystnb:
  image:
    alt: A line that falls from one at the left to
      a half at the right.
---
curve = rk.survival_curve(orders)
rk.plot.survival_curve(curve);
```

## Two exercises

What? Why?

:::{dropdown} Answer 1
This.
:::

:::{dropdown} Answer 2
That.
:::
"""
Check = Callable[[Path], list[str]]


def write(folder: Path, text: str, kind: str = "learn") -> Path:
    page = folder / kind / "survival.md"
    page.parent.mkdir()
    page.write_text(text, encoding="utf-8")
    return page


def test_the_counter_counts(tmp_path: Path) -> None:
    page = write(tmp_path, WRITTEN)
    title, box, prose, heading, table = 4, 2 + 12, 6, 5, 2
    formula, exercises, answers = 3 + 2, 2 + 2, 2 * (2 + 1)
    before = title + box + prose + heading
    assert words(page) == before + table + formula + exercises + answers
    assert count(page) == Counts(
        words_before_call=before + table, formulas_before_call=0, words_before_picture=before
    )
    assert [cell.visible for cell in cells(page)] == [False, True, True]
    checks: list[Check] = [too_much, hidden, without_text, off_pattern]
    assert [check(page) for check in checks] == [[], [], [], []]


CELL = "```{code-cell} ipython3\n"
THEN = "| a | table |"
EACH_FAULT: dict[str, tuple[Check, str, str, str]] = {
    "words": (too_much, "What?", "What? " * 2_470, "2515 words of at most 2500"),
    "before the call": (too_much, "As ", "word " * 250, "280 words before the first call"),
    "a displayed formula": (too_much, "As ", "$$a$$ As ", "1 formulas before the first call"),
    "a formula in a line": (too_much, "$x$", "$x = 1$", "1 formulas before the first call"),
    "a block": (too_much, "orders =", "a = 1\n" * 18 + "orders =", "a block of 21 lines: import"),
    "a name": (hidden, "(orders)", "(secret)", "secret is set out of sight"),
    "a name set again": (
        hidden,
        THEN,
        f"{CELL}:tags: [remove-cell]\norders = None\n```\n",
        "orders is set out of sight",
    ),
    "a name added to": (
        hidden,
        THEN,
        f"{CELL}:tags: [hide-input]\nn = 1\n```\n{CELL}n += 1\n```\n",
        "n is set out of sight",
    ),
    "an attribute": (
        hidden,
        THEN,
        f"{CELL}:tags: [hide-input]\norders.columns = []\n```\n",
        "orders is set out of sight",
    ),
    "a name within a function": (
        hidden,
        THEN,
        f"{CELL}def f():\n    return secret\n```\n",
        "secret is set out of sight",
    ),
    "an answer": (
        hidden,
        THEN,
        f"{CELL}:tags: [hide-cell]\nsecret\n```\n",
        "secret is set out of sight",
    ),
    "an option": (
        hidden,
        "secret = 1",
        'import pandas as pd\n\npd.set_option("display.precision", 3)',
        "set out of sight: pd.set_option('display.precision', 3)",
    ),
    "an option by its name": (
        hidden,
        "secret = 1",
        "import pandas as pd\n\npd.options.display.precision = 3",
        "set out of sight: pd.options.display.precision",
    ),
    "a magic": (hidden, "secret = 1", "%precision 3", "set out of sight: %precision 3"),
    "no text": (without_text, "    alt: A", "    title: A", "a picture without a text: rk.plot."),
    "a file name": (without_text, "alt: A", "alt: ../_images/1.svg", "a file name for a text: "),
    "no box": (off_pattern, "page-box", "tip", "no box that says"),
    "half a box": (off_pattern, "**It takes** 5", "After 5", "no box that says"),
    "no picture": (off_pattern, "As ", "word " * 301, "no picture or table in the first 300"),
    "one exercise": (off_pattern, "Answer 2", "Remark", "1 folded answers"),
    "the title": (off_pattern, "# Survival", "# Staying", "a title without Survival"),
    "a heading": (off_pattern, "## Compute it:", "## The call:", "nobody searches for 'The call"),
}
# Cells that hide what no reader needs, or what the reader sees as well.
HARMLESS = {
    "another name": "other = secret",
    "the variables of comprehensions": "k = 1\n```\n\n"
    f"{CELL}[k for k in [{{k for k in [1]}}, {{k: k for k in [1]}}, max(k for k in [1])]]",
    "the same import": "import retainkit as rk",
    "a filter for a moment": 'with warnings.catch_warnings():\n    warnings.simplefilter("error")',
    "pictures as SVG": '%config InlineBackend.figure_formats = ["svg"]',
}


@pytest.mark.parametrize("code", HARMLESS.values(), ids=HARMLESS)
def test_what_is_hidden_may_use_what_is_seen(code: str, tmp_path: Path) -> None:
    cell = f"{CELL}:tags: [remove-cell]\n{code}\n```\n"
    assert hidden(write(tmp_path, WRITTEN.replace(THEN, cell))) == []


@pytest.mark.parametrize("fault", EACH_FAULT)
def test_a_fault_is_found(fault: str, tmp_path: Path) -> None:
    check, right, wrong, expected = EACH_FAULT[fault]
    assert right in WRITTEN
    found = check(write(tmp_path, WRITTEN.replace(right, wrong, 1)))
    assert len(found) == 1
    assert found[0].startswith(expected)


def test_loading_a_data_set_is_no_call(tmp_path: Path) -> None:
    text = WRITTEN.replace("rk.survival_curve", "rk.datasets.other").replace("rk.plot", "my.plot")
    assert off_pattern(write(tmp_path, text)) == ["no call"]


def test_each_kind_of_page_has_its_own_limits(tmp_path: Path) -> None:
    long = WRITTEN.replace("What?", "What? " * 2_100)
    found = {kind: too_much(write(tmp_path, long, kind)) for kind in LIMITS}
    assert found == {
        "start": ["2145 words of at most 1299"],
        "how-to": ["2145 words of at most 599"],
        "learn": [],
        "why": ["2145 words of at most 2000"],
    }


def test_a_page_is_read_as_it_is_built(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="is not written with colons"):
        words(write(tmp_path, "```{note}\ntext\n```\n", "start"))
    with pytest.raises(AssertionError, match="is not executed"):
        words(write(tmp_path, ":::{note}\n```{code-cell}\n1\n```\n:::\n", "why"))
    with pytest.raises(AssertionError, match="is not closed"):
        words(write(tmp_path, ":::{note}\ntext\n", "learn"))
