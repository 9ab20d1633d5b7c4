"""What every benchmark needs: on which machine it runs, and how long calls take."""

from __future__ import annotations

import os
import platform
import time
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def machine(*packages: str) -> str:
    """Return on what the times are taken: cores, Python, and the versions of packages."""
    python = f"Python {platform.python_version()}, {platform.system()} {platform.machine()}"
    versions = ", ".join(f"{name} {version(name)}" for name in ("retainkit", *packages))
    return f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, {python}\n{versions}"


def timed(call: Callable[[], Any]) -> tuple[float, Any]:
    """Run once; give the seconds it took, and the result."""
    begin = time.perf_counter()
    result = call()
    return time.perf_counter() - begin, result


def fastest(calls: Mapping[str, Callable[[], Any]], repeat: int) -> dict[str, float]:
    """Time each call once a round, so that a busy spell hits all alike; give the shortest times."""
    best = dict.fromkeys(calls, float("inf"))
    for _ in range(repeat):
        for name, call in calls.items():
            best[name] = min(best[name], timed(call)[0])
    return best
