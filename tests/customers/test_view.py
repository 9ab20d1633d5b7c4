"""One row a customer as of an instant: published cases, traps, and the edges of every window."""

from datetime import datetime, timedelta
from typing import Any

import pandas as pd
import pytest

from backends import Backend, every_backend, params
from retainkit import Source, customer_view
from retainkit.errors import (
    ArgumentError,
    ArgumentTypeError,
    ColumnTypeError,
    MissingColumnError,
    RetainkitWarning,
)
from tables import Row, rows_of
