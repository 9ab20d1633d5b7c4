"""What a reader copies from a page runs: its visible cells, in order, in a fresh interpreter.

`make docs` runs a page with its hidden cells. Here they are left out, so nothing can rest on them.
A page that needs a package which is not installed is skipped; `make docs` installs all of them.
"""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from docs.pages import DOCS, packages_of, visible_code_of

# What pandas and Altair import for themselves.
IMPORTED_UNSEEN = {
    "json-excel-database": {"openpyxl"},
    "plotly-and-altair": {"vl_convert"},
    "readable-tables": {"jinja2", "matplotlib"},
}
HOW_TO = sorted((DOCS / "how-to").glob("*.md"))
OTHERS = [
    page for folder in ("start", "learn", "why") for page in sorted((DOCS / folder).glob("*.md"))
]


def run_copied(page: Path, folder: Path, *options: str) -> str:
    """Run the visible cells of a page in a folder, and return what they complain of."""
    code = visible_code_of(page)
    needed = packages_of(code) | IMPORTED_UNSEEN.get(page.stem, set())
    if missing := sorted(name for name in needed if find_spec(name) is None):
        pytest.skip(f"needs {', '.join(missing)}; `make docs` runs it")
    here, there, script = folder / "here", folder / "there", folder / "page.py"
    here.mkdir()
    there.mkdir()
    script.write_text(code, encoding="utf-8")
    done = subprocess.run(  # noqa: S603  our own page
        [sys.executable, *options, str(script)],
        cwd=here,
        env=os.environ | {"TMPDIR": str(there), "TEMP": str(there), "MPLBACKEND": "Agg"},
        capture_output=True,
        encoding="utf-8",
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("page", HOW_TO, ids=lambda page: page.stem)
def test_a_how_to_runs_without_a_warning_or_a_trace(page: Path, tmp_path: Path) -> None:
    assert run_copied(page, tmp_path, "-W", "error:::__main__") == ""
    assert list((tmp_path / "here").iterdir()) == [], "files belong into the temporary folder"


@pytest.mark.slow
@pytest.mark.ci
@pytest.mark.parametrize("page", OTHERS, ids=lambda page: f"{page.parent.name}/{page.stem}")
def test_a_page_runs(page: Path, tmp_path: Path) -> None:
    run_copied(page, tmp_path)  # some show warnings on purpose


def test_pages_that_need_more_are_there() -> None:
    assert {*IMPORTED_UNSEEN} <= {page.stem for page in HOW_TO}
