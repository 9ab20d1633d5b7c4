"""The files of the built documentation: pictures, tables, formulas, and what it weighs."""

import re
from html import unescape
from pathlib import Path

import pytest
from playwright.sync_api import Page

ARTICLE = re.compile(r"<article.*</article>", re.DOTALL)
PICTURE = re.compile(r"<img\b[^>]*>")
TEXT = re.compile(r'\balt="([^"]*)"')
TABLE = re.compile(r'<table[^>]*class="dataframe".*?</table>', re.DOTALL)
# A head of one row that begins with an empty cell, and a number below it.
NUMBERS_OF_ROWS = re.compile(
    r"<thead>\s*<tr[^>]*>\s*<th></th>((?!<tr).)*</thead>\s*<tbody>\s*<tr>\s*<th>\d+</th>", re.DOTALL
)
FORMULA = re.compile(r'class="math notranslate nohighlight"[^>]*>(.*?)</(?:span|div)>', re.DOTALL)
MOST_KILOBYTES = 120  # a page, with all that it shares with others

# MathJax writes a command that it does not know in red.
WRONG = r"""all => all.filter(tex => {
  const math = MathJax.tex2mml(tex.replace(/^\s*\\[(\[]|\\[)\]]\s*$/g, ""));
  return /merror|mathcolor="red"/.test(math);
})"""


@pytest.fixture(scope="module")
def articles(site: Path) -> dict[str, str]:
    """Return what each page but those of the source says, by name."""
    pages = {path.relative_to(site).as_posix(): path for path in sorted(site.rglob("*.html"))}
    texts = {
        name: ARTICLE.search(path.read_text("utf-8"))
        for name, path in pages.items()
        if not name.startswith("_modules/")
    }
    return {name: found[0] for name, found in texts.items() if found}


def test_each_picture_has_a_text_that_says_what_it_shows(articles: dict[str, str]) -> None:
    pictures = [(name, one) for name in articles for one in PICTURE.findall(articles[name])]
    texts = [(name, one, TEXT.search(one)) for name, one in pictures]
    assert len(pictures) > 40
    wrong = [(name, one) for name, one, text in texts if not text or not text[1].strip()]
    wrong += [(name, one) for name, one, text in texts if text and "_images" in text[1]]
    assert wrong == []


def test_tables_have_no_column_of_the_numbers_of_rows(articles: dict[str, str]) -> None:
    tables = [(name, one) for name in articles for one in TABLE.findall(articles[name])]
    assert len(tables) > 100
    assert [name for name, one in tables if NUMBERS_OF_ROWS.search(one)] == []


def test_each_formula_can_be_set(page: Page, articles: dict[str, str]) -> None:
    formulas = {unescape(one) for text in articles.values() for one in FORMULA.findall(text)}
    assert len(formulas) > 300
    page.goto("learn/bg-nbd.html")
    page.evaluate("() => MathJax.startup.promise.then(() => null)")
    assert page.evaluate(WRONG, sorted(formulas)) == []


def test_the_pages_are_no_load(site: Path) -> None:
    files = [path for path in site.rglob("*") if path.is_file() and ".doctrees" not in path.parts]
    n_pages = sum(path.suffix == ".html" for path in files)
    assert sum(path.stat().st_size for path in files) < MOST_KILOBYTES * 1e3 * n_pages
