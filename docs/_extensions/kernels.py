"""Kernels of pages that run at the same time, each of which is spoken to by files of its own.

By itself a kernel takes ports that were free a moment ago, and another may have taken them since.
"""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import uuid4

from jupyter_client.manager import KernelManager
from sphinx.application import Sphinx

FOLDER = TemporaryDirectory(prefix="kernels-")  # gone when the build ends


def setup(_app: Sphinx) -> dict[str, Any]:
    made = KernelManager.__init__

    def make(self: KernelManager, **options: Any) -> None:
        own = {
            "transport": "ipc",
            "connection_file": str(Path(FOLDER.name) / f"{uuid4().hex}.json"),
        }
        made(self, **(own | options))

    KernelManager.__init__ = make
    return {"parallel_read_safe": True, "parallel_write_safe": True}
