"""Every page of the four kinds keeps to the limits and the pattern that readers can rely on.

What is counted. *Words* are those of headings, prose, lists and tables: no code, no outputs, no
formulas, no directives (the title of a box counts); a link or a number from a cell counts as it is
written. What folds away counts for the words of a page, since it is there to be read. It counts for
nothing before the first call, and formulas in it for nothing at all, since nobody has to pass
through it. The *first call* is the first visible cell that calls a function of ours; loading a data
set is none. A *formula* is displayed, or stands in a line and says that something equals, or is
more or less than, something else. A *block* is code that the reader sees without unfolding it.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from docs.names import hidden_names, hidden_settings
from docs.pages import DOCS, Cell, Text, cells, parts, words


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The most that a page may have: words, and before its first call words and formulas."""

    words: int
    words_before_call: int
    formulas_before_call: int = 0


LIMITS = {
    "start": Limits(words=1_299, words_before_call=250),
    "how-to": Limits(words=599, words_before_call=300),
    "learn": Limits(words=2_500, words_before_call=250),
    "why": Limits(words=2_000, words_before_call=250, formulas_before_call=1),
}
WORDS_BEFORE_PICTURE = 300
LONGEST_BLOCK = 20
PAGES = [page for folder in LIMITS for page in sorted((DOCS / folder).glob("*.md"))]

# What somebody searches for who needs the page.
TERMS = {
    "bg-nbd": "BG/NBD",
    "churn-rate": "Churn rate",
    "cltv": "Customer lifetime value (CLTV",
    "cohort-retention": "Cohort retention",
    "coming-from-lifetimes": "lifetimes",
    "gamma-gamma": "Gamma-Gamma",
    "mrr-and-revenue-retention": "NRR",
    "nps": "Net Promoter Score",
    "orders-to-rfm": "RFM",
    "survival": "Survival",
    "when-bg-nbd-fails": "BG/NBD",
    "when-gamma-gamma-fails": "Gamma-Gamma",
}
EMPTY_HEADING = re.compile(r"^#+ The (call|formulas?|interval|picture|table)\b.*", re.MULTILINE)
DRAWS = re.compile(r"\bplot\b|\bsubplots\b|\bfigure\(|\bplt\.(?!style|rc)")
ALT = re.compile(r"^ +alt:(.*\n(?:^ {6,}.*\n)*)", re.MULTILINE)
SHORTEST_ALT = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """What a page has before its first call, and before its first picture or table."""

    words_before_call: int | None
    formulas_before_call: int
    words_before_picture: int | None


def count(page: Path) -> Counts:
    """Read a page until its first call, picture and table; pages without them have None."""
    read = formulas = formulas_before_call = 0
    call = picture = None
    for part in parts(page):
        if isinstance(part, Text) and not part.folded:
            if picture is None and "\n|--" in part.source.replace("| --", "|--"):
                picture = read
            read += part.words
            formulas += len(part.formulas)
        elif isinstance(part, Cell):
            if picture is None and shows_something(part):
                picture = read
            if call is None and calls_us(part):
                call, formulas_before_call = read, formulas
    return Counts(
        words_before_call=call,
        formulas_before_call=formulas_before_call,
        words_before_picture=picture,
    )


def calls_us(cell: Cell) -> bool:
    """Return whether a visible cell calls a function of ours, loading a data set aside."""
    if not (cell.visible and cell.executed):
        return False
    called = [
        ast.unparse(node.func)
        for node in ast.walk(ast.parse(cell.code))
        if isinstance(node, ast.Call)
    ]
    return any(name.startswith("rk.") and "rk.datasets." not in name for name in called)


def shows_something(cell: Cell) -> bool:
    """Return whether a cell ends with a value, which is shown: a table, or a picture."""
    if not cell.shows_output:
        return False
    last = ast.parse(cell.code).body[-1]
    return isinstance(last, ast.Expr)


def too_much(page: Path) -> list[str]:
    """Compare what a page has with the limits of its kind."""
    most, found = LIMITS[page.parent.name], count(page)
    wrong = []
    if words(page) > most.words:
        wrong.append(f"{words(page)} words of at most {most.words}")
    if (found.words_before_call or 0) > most.words_before_call:
        wrong.append(f"{found.words_before_call} words before the first call")
    if found.formulas_before_call > most.formulas_before_call:
        wrong.append(f"{found.formulas_before_call} formulas before the first call")
    blocks = [part.code.splitlines() for part in parts(page) if isinstance(part, Cell)]
    shown = [part.visible for part in parts(page) if isinstance(part, Cell)]
    wrong += [
        f"a block of {len(block)} lines: {block[0]}"
        for block, visible in zip(blocks, shown, strict=True)
        if visible and len(block) > LONGEST_BLOCK
    ]
    return wrong


def hidden(page: Path) -> list[str]:
    """Return what code that the reader sees owes to code that the reader does not see."""
    wrong = [f"{name} is set out of sight" for name in hidden_names(cells(page))]
    return wrong + [f"set out of sight: {call}" for call in hidden_settings(cells(page))]


def without_text(page: Path) -> list[str]:
    """Return the pictures of a page that have no text, or a file name for one."""
    wrong = []
    for cell in cells(page):
        found = ALT.search(cell.options)
        text = " ".join(found[1].split()) if found else ""
        if "_images" in text:
            wrong.append(f"a file name for a text: {text}")
        elif cell.shows_output and DRAWS.search(cell.code) and len(text) < SHORTEST_ALT:
            wrong.append(f"a picture without a text: {cell.code.strip().splitlines()[-1]}")
    return wrong


def off_pattern(page: Path) -> list[str]:
    """Return what a learning page does not have: a box, something to see, a call, exercises."""
    source = page.read_text(encoding="utf-8")
    title = source[source.index("\n# ") :].split("\n")[1]
    found = count(page)
    begun = source.partition("```")[0]
    told = " ".join(begun.partition(":class: page-box\n")[2].partition(":::")[0].split())
    wrong = []
    if not all(part in told for part in ("**You need**", "**It takes**", "**Afterwards")):
        wrong.append("no box that says what one needs, how long it takes, and what for")
    if found.words_before_call is None:
        wrong.append("no call")
    if found.words_before_picture is None or found.words_before_picture > WORDS_BEFORE_PICTURE:
        wrong.append(f"no picture or table in the first {WORDS_BEFORE_PICTURE} words")
    answers = len(re.findall(r"^:::+\{dropdown\} Answer", source, re.MULTILINE))
    if answers != 2 or not re.search(r"^## .*xercises$", source, re.MULTILINE):
        wrong.append(f"{answers} folded answers to two exercises")
    if TERMS.get(page.stem, "") not in title:
        wrong.append(f"a title without {TERMS[page.stem]}")
    headings = "".join(part.source for part in parts(page) if isinstance(part, Text))
    return wrong + [f"nobody searches for {one[0]!r}" for one in EMPTY_HEADING.finditer(headings)]


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
    "a heading": (off_pattern, "## Compute it:", "## The call:", "nobody searches for '## The"),
}
# Cells that hide what no reader needs, or what the reader sees as well.
HARMLESS = {
    "another name": "other = secret",
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
