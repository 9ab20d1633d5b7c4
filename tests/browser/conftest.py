"""The built documentation, served on this machine, and a page of a Chromium that opens it.

A test fails if its page has written an error to the console, or asked for anything that is not on
this machine.
"""

import os
import shutil
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

SITE = Path(__file__).parents[2] / "docs" / "_build" / "html"
NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = [
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
    # What a page asks of others fails here, as it is to: no name but this machine's is known.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]


WAIT = 30_000  # milliseconds; machines that build are busy
expect.set_options(timeout=WAIT)


class Handler(SimpleHTTPRequestHandler):
    """Files of a folder, without a line in the output for each."""

    protocol_version = "HTTP/1.1"  # a connection serves several files

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


@pytest.fixture(scope="session")
def site() -> Path:
    """Return the folder of the built documentation."""
    if not (SITE / "index.html").is_file():
        pytest.fail("no documentation in docs/_build/html: build it by `make docs`")
    return SITE


@pytest.fixture(scope="session")
def address(site: Path) -> Iterator[str]:
    """Return the address at which the documentation is served."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(site))) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Return the Chromium that is installed, or that CHROMIUM names, with a new profile."""
    path = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        pytest.fail(f"none of {', '.join(NAMES)} is installed; CHROMIUM names another browser")
    with sync_playwright() as playwright:
        # Root, as whom CI may run, has no sandbox.
        browser = playwright.chromium.launch(
            executable_path=path, args=FLAGS, chromium_sandbox=False
        )
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    """Return an empty page; its addresses begin at the home of the documentation."""
    complaints = []
    context = browser.new_context(base_url=address, viewport={"width": 1400, "height": 900})
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = context.new_page()
    page.set_default_timeout(WAIT)
    page.on("pageerror", lambda error: complaints.append(f"error: {error}"))
    page.on(
        "console",
        lambda said: complaints.append(f"console: {said.text}") if said.type == "error" else None,
    )
    page.on(
        "request",
        lambda asked: (
            None
            if asked.url.startswith((address, "data:", "blob:"))
            else complaints.append(f"asked for {asked.url}")
        ),
    )
    yield page
    context.close()
    assert complaints == []
