"""Types of arrays and of native frames, for type checkers."""

from typing import Any, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[Any]
Booleans: TypeAlias = NDArray[np.bool_]
Floats: TypeAlias = NDArray[np.float64]
Integers: TypeAlias = NDArray[np.int64]

NativeT = TypeVar("NativeT")
"""A native frame, of the type that the annotations of the caller say: no checker can know it."""
