"""The documentation in a browser: it leads on, is found, and everybody can use it."""

import re

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page, expect

HOME = "index.html"
LEARN = ("learn/cohort-retention.html", "learn/nps.html", "learn/bg-nbd.html")
REFERENCE = "reference/index.html"
FUNCTION = "reference/api/retainkit.nps.html"
METHOD = "reference/api/retainkit.BGNBD.expected_purchases.html"
PICTURE = "reference/api/retainkit.plot.retention_heatmap.html"
PAGES = (HOME, *LEARN, REFERENCE, FUNCTION, METHOD, PICTURE)
WIDTHS = (390, 1400)  # of a phone and of a desk

CARDS = {
    "Start": "start/ten-minutes.html",
    "How to": "how-to/orders-csv.html",
    "Learn": LEARN[0],
    "Reference": REFERENCE,
}
SEARCHES = {
    "arpu": "start/which-function.html",
    "ltv": "reference/api/retainkit.cltv.html",
    "csv": "how-to/orders-csv.html",
    "cohort analysis": LEARN[0],
}
FIRST = 3  # results that a reader looks at

FINDINGS = """async (rules) => {
  const options = { resultTypes: ["violations"], preload: false };
  const { violations } = await axe.run(document, rules ? { ...options, runOnly: rules } : options);
  return violations
    .filter(({ impact }) => ["critical", "serious"].includes(impact))
    .map(({ impact, id, nodes }) =>
      `${impact}: ${id}, ${nodes.length} times, first ${nodes[0].html.slice(0, 200)}`);
}"""
RULES = {  # in the dark the same page is there, in other colours
    "light": None,
    "dark": ["color-contrast", "link-in-text-block"],
}
# Of what scrolls: what the tab key does not reach, or of which nobody says what it is.
UNREACHED = """() => [...document.querySelectorAll("article, article *")]
  .filter((one) => one.scrollWidth > one.clientWidth
    && /auto|scroll/.test(getComputedStyle(one).overflowX)
    && (one.tabIndex < 0 || !one.ariaLabel))
  .map((one) => one.outerHTML.slice(0, 200))"""
SIDEWAYS = """() => [document.documentElement, document.querySelector(".content")]
  .filter((one) => one.scrollWidth > one.clientWidth).map((one) => one.tagName)"""


def visit(page: Page, name: str, *, width: int = 1400) -> None:
    """Open a page of the documentation, and wait until its formulas are set."""
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(name)
    page.evaluate("() => window.MathJax?.startup.promise.then(() => null)")


def press_until(page: Page, key: str, selector: str) -> None:
    """Press a key until what is selected has the focus."""
    for _ in range(60):
        page.keyboard.press(key)
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
    pytest.fail(f"{key}, pressed again and again, does not lead to {selector}")


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", PAGES)
def test_nothing_is_in_anybodys_way(page: Page, name: str, width: int) -> None:
    visit(page, name, width=width)
    page.evaluate(AXE_SCRIPT)
    for scheme, rules in RULES.items():
        page.emulate_media(color_scheme=scheme)
        page.wait_for_timeout(300)  # colours change slowly
        assert (scheme, page.evaluate(FINDINGS, rules)) == (scheme, [])


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", PAGES)
def test_what_scrolls_is_reached_by_the_keyboard(page: Page, name: str, width: int) -> None:
    visit(page, name, width=width)
    page.wait_for_timeout(100)  # what scrolls is marked once the page is laid out
    assert page.evaluate(UNREACHED) == []
    assert page.evaluate(SIDEWAYS) == [], "the page itself scrolls sideways"


def test_a_wide_block_scrolls_by_the_arrow_keys_while_it_is_wide(page: Page) -> None:
    visit(page, LEARN[0], width=390)
    block = page.locator("article pre[tabindex='0']").first
    block.focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function("() => document.activeElement.scrollLeft > 0")
    page.set_viewport_size({"width": 1400, "height": 900})
    expect(page.locator("article pre[tabindex='0']")).to_have_count(0)


@pytest.mark.parametrize("card", CARDS)
def test_a_card_leads_to_its_page(page: Page, card: str) -> None:
    visit(page, HOME)
    page.locator(f".sd-card:has(.sd-card-title:text-is('{card}'))").click()
    page.wait_for_url(f"**/{CARDS[card]}")
    expect(page.locator("article h1")).to_be_visible()


def test_each_part_of_the_navigation_leads_to_a_page_and_back(page: Page) -> None:
    visit(page, HOME)
    parts = page.locator(".sidebar-tree .caption").all_text_contents()
    assert parts == ["Start", "How to", "Learn", "Why", "Reference"]
    for part in parts:
        link = page.locator(f".sidebar-tree .caption:has-text('{part}') + ul a").first
        name = link.text_content() or ""
        link.click()
        expect(page.locator("article h1")).to_contain_text(name)
        expect(page.locator(".sidebar-tree .current-page")).to_contain_text(name)
        page.locator(".sidebar-brand").click()
        page.wait_for_url("**/index.html")


def test_the_menu_of_a_phone_opens_by_finger_and_by_keyboard(page: Page) -> None:
    visit(page, HOME, width=390)
    link = page.locator(".sidebar-tree a").first
    expect(link).not_to_be_visible()
    page.locator("label.nav-overlay-icon").click()
    expect(link).to_be_in_viewport()
    visit(page, HOME, width=390)
    press_until(page, "Tab", "#__navigation")
    page.keyboard.press("Space")
    expect(link).to_be_in_viewport()
    press_until(page, "Tab", ".sidebar-tree a")
    page.keyboard.press("Enter")
    expect(page.locator("article h1")).to_contain_text("Installation")


@pytest.mark.parametrize("words", SEARCHES)
def test_a_search_finds_the_page(page: Page, words: str) -> None:
    visit(page, HOME)
    page.locator("input.sidebar-search").fill(words)
    page.keyboard.press("Enter")
    expect(page.locator(".search-summary")).to_contain_text("Search finished")
    links = page.locator("#search-results ul.search > li > a")
    found = links.evaluate_all("links => links.map(link => link.href.split('#')[0])")
    assert any(link.endswith(f"/{SEARCHES[words]}") for link in found[:FIRST]), found


def test_a_block_is_copied_by_the_keyboard(page: Page) -> None:
    visit(page, LEARN[0])
    button = page.locator("article button.copybtn").first
    expect(button).to_have_css("opacity", "0")
    # Past the menu, which has a link to each page.
    press_until(page, "Tab", "a.skip-to-content")
    page.keyboard.press("Enter")
    press_until(page, "Tab", "button.copybtn")
    expect(button).to_be_focused()
    expect(button).to_have_css("opacity", "1")
    page.keyboard.press("Enter")
    expect(button).to_have_attribute("data-tooltip", "Copied!")
    copied = page.evaluate("() => navigator.clipboard.readText()")
    assert copied.strip() == (page.locator("article pre").first.text_content() or "").strip()


def test_what_is_copied_of_an_example_has_no_prompts_and_no_results(page: Page) -> None:
    visit(page, FUNCTION)
    page.locator("article .doctest").first.hover()
    page.locator("article .doctest button.copybtn").first.click()
    copied = page.evaluate("() => navigator.clipboard.readText()")
    code = page.locator("article .doctest pre").first.text_content() or ""
    assert copied.strip().splitlines() == re.findall(r"^(?:>>>|\.\.\.) (.+)", code, re.MULTILINE)


@pytest.mark.parametrize("name", [LEARN[2], FUNCTION])
def test_formulas_are_no_tab_stops(page: Page, name: str) -> None:
    visit(page, name)
    formulas = page.locator("mjx-container")
    assert formulas.count() > 5
    stops = "all => all.flatMap(one => [one, ...one.querySelectorAll('*')])"
    assert formulas.evaluate_all(f"{stops}.filter(one => one.tabIndex >= 0).length") == 0
    assert formulas.evaluate_all("all => all.every(one => one.querySelector('math'))"), "read aloud"
