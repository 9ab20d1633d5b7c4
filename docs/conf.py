"""The documentation: MyST pages whose code runs at every build, and the API from the docstrings."""

import os
import sys
from importlib.metadata import version as version_of
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "_extensions"))

project = "retainkit"
author = "the retainkit developers"
project_copyright = f"2026, {author}"
version = release = version_of("retainkit")

extensions = [
    "accessible",  # ours, as the next six: see _extensions
    "code_links",
    "formulas",
    "kernels",
    "markdown_pages",
    "plot_pictures",
    "social_card",
    "myst_nb",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx_copybutton",
    "sphinx_design",
    "sphinx_llm.txt",
    "sphinxext.opengraph",
]
exclude_patterns = ["_build", "_extensions", "_templates"]
templates_path = ["_templates"]  # a class with its methods, each on a page of its own
nitpicky = True
default_role = "py:obj"  # single backticks are links; of parameters, code: see code_links
nitpick_ignore = [
    # Of type variables and their bounds there is no page to link to.
    ("py:class", "narwhals._native.NativeDataFrame"),
    ("py:obj", "TableT"),
    ("py:obj", "retainkit.typing.TableT"),
    ("py:obj", "retainkit.typing.TableT_co"),
    ("py:obj", "retainkit.typing.ResponsesT_co"),
    # What `PeriodLike` is made of, and what all exceptions have in common.
    ("py:class", "collections.abc.Sequence"),
    ("py:class", "datetime.date"),
    ("py:class", "datetime.timedelta"),
    ("py:class", "retainkit.errors._Report"),
]
suppress_warnings = []

# Pages. Their code runs every time: a cache would not notice that the library has changed.
myst_enable_extensions = ["colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 2
nb_merge_streams = True
nb_execution_mode = "force"
nb_execution_raise_on_error = True
nb_execution_timeout = 120
nb_execution_show_tb = True
nb_mime_priority_overrides = [  # pages as Markdown: of pictures the description, tables as text
    ("llms-markdown", "image/svg+xml", 0),
    ("llms-markdown", "image/png", 10),
    ("llms-markdown", "text/markdown", 20),
    ("llms-markdown", "text/plain", 30),
]

# The API reference. numpydoc's sections carry the types.
autodoc_typehints = "none"
autosummary_generate = True
numpydoc_show_class_members = False
numpydoc_xref_param_type = False
add_module_names = False
maximum_signature_line_length = 40  # beyond it an argument a line

# Addresses outside, for `make linkcheck`: whether the page is there, not the place in it.
linkcheck_anchors = False
linkcheck_timeout = 20
linkcheck_retries = 2
linkcheck_ignore = [
    r"https?://(www\.)?example\.com",
    r"https://doi\.org/",  # publishers turn away whoever is no browser
]

html_theme = "furo"
html_title = project
html_favicon = "_static/favicon.svg"  # drawn by drawings.py, as is the wordmark
html_copy_source = False
html_static_path = ["_static"]
html_css_files = ["pages.css", "tables.css"]
html_js_files = ["scrolling.js"]
copybutton_exclude = ".linenos, .gp, .go"

# Where the pages are published, if it is known: a link to a picture must be whole for others.
html_baseurl = os.environ.get("DOCS_URL") or os.environ.get("READTHEDOCS_CANONICAL_URL", "")
html_additional_pages = {"404": "404.html"}
ogp_site_url = html_baseurl
ogp_image = "_static/social-card.png"
ogp_image_alt = "retainkit: customer-retention metrics on any DataFrame, and a cohort triangle"
ogp_social_cards = {"enable": False}  # one for all pages
ogp_custom_meta_tags = ['<meta name="twitter:card" content="summary_large_image" />']

# For code assistants: llms.txt lists the pages, each as Markdown beside the HTML.
llms_txt_description = (
    "Customer-retention metrics on pandas, Polars, PyArrow, DuckDB and PySpark: cohort retention, "
    "churn, survival, recurring revenue, customer lifetime value, NPS, CSAT and CES. A DataFrame "
    "goes in, a DataFrame comes out, every rate with its n and its interval."
)
llms_txt_build_parallel = False  # of what has been read and executed: never a second time
llms_txt_full_build = True
llms_txt_nested_enabled = False
llms_txt_suffix_mode = "replace"
llms_txt_suppress_unknown_node_warnings = True  # layout alone: see markdown_pages
