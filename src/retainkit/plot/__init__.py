"""Pictures of results and of models, drawn with matplotlib (the extra ``plot``).

from importlib import import_module
from retainkit.errors import MissingDependencyError
from typing import TYPE_CHECKING

__all__ = ["_", "matplotlib"]
