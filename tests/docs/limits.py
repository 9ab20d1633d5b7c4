"""What a page of the documentation may have at most, must have, and may not hide.

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
from dataclasses import dataclass
from pathlib import Path

from docs.names import hidden_names, hidden_settings
from docs.pages import Cell, Text, cells, parts, words


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

# What somebody searches for who needs the page.
TERMS = {
    "bg-nbd": "BG/NBD",
    "churn-rate": "Churn rate",
    "cltv": "Customer lifetime value (CLTV",
    "cohort-retention": "Cohort retention",
    "cltv-total": "total lifetime value",
    "coming-from-clvkit": "clvkit",
    "coming-from-clvtools": "CLVTools",
    "coming-from-lifetimes": "lifetimes",
    "coming-from-pymc-marketing": "pymc-marketing",
    "gamma-gamma": "Gamma-Gamma",
    "mrr-and-revenue-retention": "NRR",
    "nps": "Net Promoter Score",
    "orders-to-rfm": "RFM",
    "survival": "Survival",
    "when-bg-nbd-fails": "BG/NBD",
    "when-gamma-gamma-fails": "Gamma-Gamma",
}
UNSEARCHED = re.compile(r"The (?:call\b.*|formulas?|interval|picture|table)$")
IN_BOX = ("**You need**", "**It takes**", "**Afterwards")
DRAWS = re.compile(r"\bplot\b|\bsubplots\b|\bfigure\(|\bplt\.(?!style|rc)")
TABLE = re.compile(r"^\| ?--", re.MULTILINE)
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
            if picture is None and TABLE.search(part.source):
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
    for part in parts(page):
        if isinstance(part, Cell) and part.visible:
            lines = part.code.splitlines()
            if len(lines) > LONGEST_BLOCK:
                wrong.append(f"a block of {len(lines)} lines: {lines[0]}")
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
    found = count(page)
    wrong = []
    box = source.partition("```")[0].partition(":class: page-box\n")[2].partition(":::")[0]
    if not all(part in " ".join(box.split()) for part in IN_BOX):
        wrong.append("no box that says what one needs, how long it takes, and what for")
    if found.words_before_call is None:
        wrong.append("no call")
    if found.words_before_picture is None or found.words_before_picture > WORDS_BEFORE_PICTURE:
        wrong.append(f"no picture or table in the first {WORDS_BEFORE_PICTURE} words")
    answers = len(re.findall(r"^:::+\{dropdown\} Answer", source, re.MULTILINE))
    if answers != 2 or not re.search(r"^## .*xercises$", source, re.MULTILINE):
        wrong.append(f"{answers} folded answers to two exercises")
    headings = headings_of(page)
    if TERMS.get(page.stem, "") not in headings[0]:
        wrong.append(f"a title without {TERMS[page.stem]}")
    return wrong + [f"nobody searches for {one!r}" for one in headings if UNSEARCHED.match(one)]


def headings_of(page: Path) -> list[str]:
    """Return the headings of a page, the title first."""
    prose = "".join(part.source for part in parts(page) if isinstance(part, Text))
    return re.findall(r"^#+ (.+)$", prose, re.MULTILINE)
