"""Programs that use the library, as mypy and pyright see them.

They find something to complain of exactly in the lines that end in ``# expect: error``: in
mistakes.py, and nowhere else, the library itself included.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

PROGRAMS = Path(__file__).parent / "programs"
ROOT = PROGRAMS.parents[2]

Places = dict[str, str]  # what is said of "file:line"


def run(*command: str) -> str:
    done = subprocess.run(  # noqa: S603  a checker, of this very environment
        [sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode in {0, 1}, done.stdout + done.stderr
    return done.stdout


def mypy(programs: list[Path]) -> Places:
    lines = run("mypy", "--strict", "--output=json", "src", *map(str, programs)).splitlines()
    said = [json.loads(line) for line in lines if line.startswith("{")]
    return {
        f"{Path(one['file']).name}:{one['line']}": one["message"]
        for one in said
        if one["severity"] == "error"
    }


def pyright(programs: list[Path]) -> Places:
    options = ("--project", str(PROGRAMS.parent), "--pythonpath", sys.executable, "--outputjson")
    said = json.loads(run("pyright", *options))["generalDiagnostics"]
    left_out = {*PROGRAMS.glob("*.py")} - {*programs}
    return {
        f"{Path(one['file']).name}:{one['range']['start']['line'] + 1}": one["message"]
        for one in said
        if one["severity"] == "error" and Path(one["file"]) not in left_out
    }


@pytest.mark.slow
@pytest.mark.parametrize("checker", [mypy, pyright])
@pytest.mark.parametrize(
    "names", [("results.py", "mistakes.py"), ("results_spark.py",)], ids=["all", "pyspark"]
)
def test_what_is_wrong_is_found_and_nothing_else(
    names: tuple[str, ...], checker: Callable[[list[Path]], Places]
) -> None:
    pytest.importorskip(checker.__name__)
    if names == ("results_spark.py",):
        pytest.importorskip("pyspark")
    programs = [PROGRAMS / name for name in names]
    expected = {
        f"{path.name}:{number}": line.strip()
        for path in programs
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if line.endswith("# expect: error")
    }
    found = checker(programs)
    unexpected = {place: text for place, text in found.items() if place not in expected}
    unnoticed = {place: line for place, line in expected.items() if place not in found}
    assert (unexpected, unnoticed) == ({}, {})
