"""Make a notebook of each example: its comments are text, its code is cells.

    python examples/notebooks/make.py [FOLDER]

They go to FOLDER, by default to the one that this file is in. They hold no outputs: whoever opens
one runs it, and `make notebooks` runs all of them.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent


def make_notebook(script: str) -> str:
    """Return the notebook of a script whose cells begin with ``# %%``, as JSON."""
    head, *parts = re.split(r"^# %%", script, flags=re.MULTILINE)
    title = head.strip().strip('"').partition("\n")[0].rstrip(".")
    cells = [make_cell("markdown", f"# {title}")]
    for part in parts:
        text, code = split_comment(part)
        cells += [make_cell("markdown", text)] if text else []
        cells.append(make_cell("code", code))
    for number, cell in enumerate(cells):
        cell["id"] = f"cell-{number}"  # the same each time
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    metadata = {"kernelspec": kernel, "language_info": {"name": "python"}}
    whole = {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(whole, indent=1, ensure_ascii=False) + "\n"


def split_comment(part: str) -> tuple[str, str]:
    """Split a cell into the comment that it begins with and its code."""
    first, *lines = part.split("\n")
    text = [first.strip()]
    while lines and lines[0].startswith("# "):
        text.append(lines.pop(0).removeprefix("# "))
    return "\n".join(text).strip(), "\n".join(lines).strip()


def make_cell(kind: str, source: str) -> dict[str, Any]:
    """Return a cell, without outputs."""
    lines = source.splitlines(keepends=True)
    cell: dict[str, Any] = {"cell_type": kind, "metadata": {}, "source": lines}
    if kind == "code":
        cell |= {"execution_count": None, "outputs": []}
    return cell


if __name__ == "__main__":
    folder = Path(sys.argv[1]) if sys.argv[1:] else HERE
    folder.mkdir(parents=True, exist_ok=True)
    for example in sorted(HERE.parent.glob("*.py")):
        notebook = make_notebook(example.read_text(encoding="utf-8"))
        (folder / f"{example.stem}.ipynb").write_text(notebook, encoding="utf-8", newline="\n")
