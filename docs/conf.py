"""The documentation: MyST pages whose code runs at every build, and the API from the docstrings."""

from importlib.metadata import version as version_of

project = "retainkit"
author = "the retainkit developers"
project_copyright = f"2026, {author}"
version = release = version_of("retainkit")

extensions = [
    "myst_nb",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
    "sphinx.ext.viewcode",
    "sphinx-mathjax-offline",
    "sphinx_copybutton",
    "sphinx_design",
]
exclude_patterns = ["_build", "_templates"]
templates_path = ["_templates"]  # a class without a list of members: they have pages of their own
nitpicky = True
nitpick_ignore = [
    # Of type variables and their bounds there is no page to link to.
    ("py:class", "narwhals._native.NativeDataFrame"),
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

# The API reference. numpydoc's sections carry the types.
autodoc_typehints = "none"
autosummary_generate = True
numpydoc_show_class_members = False
numpydoc_xref_param_type = False
add_module_names = False

html_theme = "furo"
html_title = project
html_favicon = "_static/favicon.svg"  # drawn by drawings.py, as is the wordmark
html_copy_source = False
html_static_path = ["_static"]
html_css_files = ["tables.css"]
copybutton_exclude = ".linenos, .gp, .go"
