"""Names that several threads ask for at the same time, before anything has been imported."""

import subprocess
import sys

import pytest

PROGRAM = """
import sys, threading
import retainkit
barrier, failed = threading.Barrier({n}), []

def ask(path):
    barrier.wait()
    try:
        {ask}
    except BaseException as error:
        failed.append(f"{{path}}: {{type(error).__name__}} {{error}}")

threads = [threading.Thread(target=ask, args=(path,)) for path in {paths}]
for one in threads:
    one.start()
for one in threads:
    one.join()
sys.exit("; ".join(failed) or 0)
"""
ATTRIBUTE = "getattr(retainkit, path)"
IMPORT = "__import__('importlib').import_module('retainkit.' + path)"


@pytest.mark.parametrize(
    ("ask", "paths"),
    [
        (ATTRIBUTE, ["nps", "cohort_retention"]),
        (ATTRIBUTE, ["cltv", "rfm_summary", "nps", "churn_rate", "fit_sbg"]),
        (IMPORT, ["clv", "purchases"]),
        (IMPORT, ["surveys", "retention", "projection"]),
    ],
    ids=["two names", "five names", "a package on another", "three packages"],
)
def test_threads_that_come_first_at_the_same_time_get_what_they_ask_for(
    ask: str, paths: list[str]
) -> None:
    code = PROGRAM.format(n=len(paths), ask=ask, paths=paths)
    for _ in range(3):
        done = subprocess.run(  # noqa: S603
            [sys.executable, "-c", code], capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stderr) == (0, "")
