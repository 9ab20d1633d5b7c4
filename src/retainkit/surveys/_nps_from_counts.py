"""Net Promoter Score of promoters, passives and detractors that are counted already."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np

from retainkit._frames.input import collect
from retainkit._frames.output import build_like
from retainkit._frames.segments import factorize_segments
from retainkit._inputs.columns import CheckedTable, Column, read_columns
from retainkit._inputs.counts import read_counts
from retainkit._inputs.kinds import COUNT
from retainkit._messages import count_noun
from retainkit._stats.effective_size import unweighted
from retainkit._stats.intervals import ratio
from retainkit._typing import Floats
from retainkit.errors import ArgumentError
from retainkit.surveys._nps_table import PARTS, RESULT, NpsOptions, PromoterShares, nps_columns
from retainkit.typing import IntoTable, NPSMethod, TableT

# Nulls are looked for in memory.
SURVEY_COUNTS = (
    Column("promoters", COUNT, nulls="keep"),
    Column("passives", COUNT, nulls="keep"),
    Column("detractors", COUNT, nulls="keep"),
    Column("n", COUNT, nulls="keep", required=False),
)


def nps_from_counts(
    table: TableT | IntoTable[TableT],
    *,
    promoters: str = "promoters",
    passives: str = "passives",
    detractors: str = "detractors",
    n: str | None = None,
    by: str | Sequence[str] | None = None,
    method: NPSMethod = "score",
    draws: int = 2000,
    seed: int | None = None,
    min_responses: int | None = None,
    confidence_level: float = 0.95,
) -> TableT:
    """Net promoter score of promoters, passives and detractors that are counted already.

    >>> import pandas as pd
    >>> from retainkit import nps_from_counts
    >>> counts = pd.DataFrame({"promoters": [120], "passives": [45], "detractors": [30]})
    >>> nps_from_counts(counts)[["n", "nps", "lower", "upper"]].round(2)
         n    nps  lower  upper
    0  195  46.15   35.0  55.88

    Parameters
    ----------
    table : IntoFrame
        Counts in columns: pandas, Polars (lazy too) or PyArrow, a DuckDB relation or a PySpark
        DataFrame. Rows of the same segment are added up.
    promoters : str, default "promoters"
        Column of the number of promoters, whole and 0 or more.
    passives : str, default "passives"
        Column of the number of passives.
    detractors : str, default "detractors"
        Column of the number of detractors.
    n : str, optional
        Column of the number of all: where the three do not add up to it, the table is refused.
    by : str or sequence of str, optional
        Columns of segments. Null is a segment of its own.
    method : {"score", "adjusted_wald", "wald", "bootstrap"}, default "score"
        How the interval is found. ``"adjusted_wald"`` adds three respondents, 3/4 of them
        promoters and 3/4 detractors, as MeasuringU does; ``"wald"`` is the textbook's, and
        ``"bootstrap"`` draws answers anew: both have no width where all answered alike.
    draws : int, default 2000
        Number of draws of the bootstrap.
    seed : int, optional
        Seed of the random numbers, 0 or more: the same seed gives the same result.
    min_responses : int, optional
        Segments with fewer answers show no score; a warning counts them.
    confidence_level : float, default 0.95
        Coverage of the interval, between 0 and 1.

    Returns
    -------
    DataFrame
        The columns of `nps`; ``n_missing`` and ``n_invalid`` are 0.

    Raises
    ------
    MissingColumnError
        If a column is not in the frame (a `KeyError`).
    ColumnTypeError, ArgumentTypeError
        If a column or an argument is of the wrong type (a `TypeError`).
    ArgumentError
        If counts are null or negative or do not add up, or an argument has a wrong value (a
        `ValueError`).

    Warns
    -----
    RetainkitWarning
        If `min_responses` hides scores.

    See Also
    --------
    nps : The same from answers, with the formulas.

    Examples
    --------
    >>> import pandas as pd
    >>> from retainkit import nps_from_counts
    >>> counts = {"promoters": [50, 61], "passives": [30, 20], "detractors": [20, 14]}
    >>> table = pd.DataFrame({"month": ["2024-05", "2024-06"]} | counts)
    >>> nps_from_counts(table, by="month")[["month", "n", "nps", "lower", "upper"]].round(2)
         month    n    nps  lower  upper
    0  2024-05  100  30.00  13.96  44.34
    1  2024-06   95  49.47  33.13  62.67
    """
    options = NpsOptions(
        method=method,
        draws=draws,
        seed=seed,
        min_responses=min_responses,
        confidence_level=confidence_level,
    )
    names = {"promoters": promoters, "passives": passives, "detractors": detractors, "n": n}
    counts = read_columns(table, "table", SURVEY_COUNTS, names, by=by, reserved=RESULT)
    rows = collect(counts.rows)
    parts = _check_parts(rows, counts)
    found, segment = factorize_segments(rows, counts.keys)
    n_segments = int(segment.max(initial=-1)) + 1 if counts.by else 1
    shares = _shares(
        [np.bincount(segment, parts[one], n_segments).astype(np.float64) for one in PARTS]
    )
    segments = dict(zip(counts.by, found.values(), strict=True))
    columns = nps_columns(shares, options, segmented=bool(counts.by))
    return build_like(counts.given, segments | columns)


def _check_parts(rows: nw.DataFrame[Any], table: CheckedTable) -> dict[str, Floats]:
    """Read counts, and check that they are not null or negative and that the parts add up."""
    names = table.names
    given = list(names.values())
    twice = next((one for one, name in names.items() if given.count(name) > 1), None)
    if twice is not None:
        raise ArgumentError(
            f"a column is given for two of {', '.join(f'`{one}`' for one in names)}; each has its "
            "own counts.",
            code="named_twice",
            argument=twice,
            column=names[twice],
        )
    parts = {argument: read_counts(rows, table, argument) for argument in names}
    if "n" in names:
        total = np.sum([parts[one] for one in PARTS], axis=0)
        wrong = np.flatnonzero(total != parts["n"])
        if len(wrong):
            some = [f"{total[i]:g} instead of {parts['n'][i]:g}" for i in wrong[:3].tolist()]
            raise ArgumentError(
                f"promoters, passives and detractors do not add up to column {names['n']!r} (given "
                f"as `n`) in {count_noun(len(wrong), 'row')}: {', '.join(some)}. One of the four "
                "is wrong.",
                code="counts_do_not_add_up",
                argument="n",
                column=names["n"],
                rows=len(wrong),
                total=len(total),
            )
    return parts


def _shares(counts: Sequence[Floats]) -> PromoterShares:
    """Shares of promoters, passives and detractors of these numbers by segment."""
    total = np.sum(counts, axis=0)
    none = np.zeros(len(total), np.int64)
    promoters, passives, detractors = (ratio(one, total) for one in counts)
    return PromoterShares(
        n=np.rint(total).astype(np.int64),
        missing=none,
        invalid=none,
        size=unweighted(total),
        promoters=promoters,
        passives=passives,
        detractors=detractors,
    )
