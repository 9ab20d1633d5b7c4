"""Formulas by MathJax, with those of its files alone that a page asks for."""

from importlib.util import find_spec
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.util.fileutil import copy_asset

# The program, and the fonts that it sets formulas with.
FILES = ("tex-chtml.js", "output/chtml/fonts/woff-v2")

SETTINGS = {
    # Without its menu a formula is no stop of the tab key. MathML for screen readers stays.
    "options": {"enableMenu": False},
    # What is not in the program would be asked for in files that are not here.
    "tex": {"packages": {"[-]": ["autoload", "require"]}},
}


def source() -> Path:
    """Return where the package keeps MathJax; its name has hyphens, and cannot be imported."""
    package = find_spec("sphinx-mathjax-offline")
    if package is None or package.origin is None:
        raise RuntimeError("sphinx-mathjax-offline is not installed: see the group docs")
    return Path(package.origin).parent / "static" / "mathjax"


def configure(_: Sphinx, config: Config) -> None:
    config.mathjax_path = "mathjax/tex-chtml.js"
    config.mathjax3_config = SETTINGS


def copy_files(app: Sphinx, error: Exception | None) -> None:
    if error is None and app.builder.format == "html":
        for name in FILES:
            target = Path(app.outdir) / "_static" / "mathjax" / name
            folder = target if (source() / name).is_dir() else target.parent
            copy_asset(source() / name, folder)


def setup(app: Sphinx) -> dict[str, Any]:
    app.setup_extension("sphinx.ext.mathjax")
    app.connect("config-inited", configure)
    app.connect("build-finished", copy_files)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
