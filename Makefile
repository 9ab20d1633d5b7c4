# Everything happens in a virtual environment of its own, by default .venv.
# A second run installs nothing again unless pyproject.toml has changed.

PYTHON ?= python3
VENV ?= .venv

bin = $(VENV)/bin
install = $(bin)/python -m pip install --quiet --disable-pip-version-check
style = $(bin)/ruff check && $(bin)/ruff format --check && $(bin)/mypy
sphinx = $(bin)/python -m sphinx -n -E --keep-going --quiet

.PHONY: help demo check test lint mutants docs browser linkcheck notebooks clean
.DEFAULT_GOAL := help

help: ## list these commands
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 14

demo: $(VENV)/.demo ## a shop's customers, a subscription business, a survey: tables and pictures
	$(bin)/python examples/quickstart.py
	$(bin)/python examples/customer_value.py
	$(bin)/python examples/customers.py
	$(bin)/python examples/subscriptions.py
	$(bin)/python examples/survey.py

# Each of pytest's workers has a core of its own; more threads would only wait for each other.
check test: export OPENBLAS_NUM_THREADS = 1
check: $(VENV)/.lint ## before each commit: style, types, the quick tests on pandas and Polars
	$(style)
	$(bin)/python -m pytest -n auto -m "not slow" --backends=pandas,polars

test: $(VENV)/.test ## the tests on all kinds of frames but PySpark's, doctests included
	$(bin)/python -m pytest -n auto

lint: $(VENV)/.lint ## style, format and types, those that callers see too
	$(style)
	$(bin)/python -m pytest -q tests/typed

# All of it takes hours; MUTANTS="retainkit._stats.intervals*" is one module.
mutants: export OPENBLAS_NUM_THREADS = 1
mutants: $(VENV)/.mutants ## change the arithmetic here and there, and see whether a test notices
	$(bin)/mutmut run $(MUTANTS)
	$(bin)/mutmut results

# Pages are read, and so executed, at the same time, one on each core. Their pictures need the way
# of drawing that notebooks have, whatever MPLBACKEND says. What an earlier build left goes first.
docs: export OPENBLAS_NUM_THREADS = 1
docs: $(VENV)/.docs ## the documentation, executed, in docs/_build/html
	rm -rf docs/_build/html
	env -u MPLBACKEND $(sphinx) -W --jobs auto docs docs/_build/html
	@echo "docs/_build/html/index.html"

# What `make docs` has built, in the Chromium that is installed.
browser: $(VENV)/.browser ## the documentation in a browser: links, search, copying, accessibility
	$(bin)/python -m pytest -n 2 --dist worksteal tests/browser

notebooks: $(VENV)/.docs ## the examples as notebooks, each run in a new kernel, in docs/_build/notebooks
	$(bin)/python examples/notebooks/make.py
	$(bin)/python examples/notebooks/make.py docs/_build/notebooks
	env -u MPLBACKEND $(bin)/jupyter execute --inplace docs/_build/notebooks/*.ipynb

linkcheck: $(VENV)/.docs ## whether the addresses outside that the documentation names are there
	$(sphinx) -b linkcheck -D nb_execution_mode=off docs docs/_build/linkcheck

clean: ## remove the environment and everything that was built
	rm -rf $(VENV) dist mutants docs/_build docs/reference/api retainkit-demo .coverage .mypy_cache .pytest_cache .ruff_cache
	find src tests examples docs -name __pycache__ -prune -exec rm -rf {} +

# pip reads dependency groups from 25.1 on; the one a new environment comes with may be older.
$(VENV)/.pip:
	$(PYTHON) -m venv $(VENV)
	$(install) --upgrade "pip>=25.1"
	@touch $@

$(VENV)/.demo: pyproject.toml $(VENV)/.pip
	$(install) --editable ".[plot]"
	@touch $@

$(VENV)/.test $(VENV)/.lint $(VENV)/.mutants $(VENV)/.docs $(VENV)/.browser: $(VENV)/.%: pyproject.toml $(VENV)/.pip
	$(install) --editable . --group $*
	@touch $@
