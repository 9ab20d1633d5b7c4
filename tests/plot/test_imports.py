"""Pictures need matplotlib, and only pictures do."""

import subprocess
import sys


def run(code: str) -> None:
    subprocess.run([sys.executable, "-c", code], check=True)  # noqa: S603


def test_importing_the_package_does_not_import_matplotlib() -> None:
    run("import sys, retainkit.plot; assert 'matplotlib' not in sys.modules")


def test_without_matplotlib_every_picture_says_what_to_install() -> None:
    run("""
import sys
sys.modules["matplotlib"] = None
import retainkit.plot
from retainkit.errors import MissingDependencyError
for name in retainkit.plot.__all__:
    try:
        getattr(retainkit.plot, name)
    except MissingDependencyError as error:
        assert isinstance(error, ImportError)
        assert "`pip install matplotlib` (the extra `plot`)" in str(error)
    else:
        raise AssertionError(name)
""")
