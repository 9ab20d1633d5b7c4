"""Warning signs: customers who use the product less than they did, each by their own baseline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, get_args

from retainkit._checks import integer, one_of, probability
from retainkit._frames.arrow_extensions import as_given
from retainkit._frames.output import select_to_native
from retainkit._frames.reducer import reducer
from retainkit._inputs.columns import check_not_reserved, segment_names
from retainkit._inputs.events import read_events
from retainkit._inputs.observation import check_as_of
from retainkit._messages import warn
from retainkit._time.windows import read_window
from retainkit.customers import _signs_eager, _signs_lazy
from retainkit.customers._signals import check_signals, read_signals, signals_in
from retainkit.customers._signs_spec import MEASURES, VERDICT, Decision, Windows
from retainkit.customers._source import Source
from retainkit.typing import Adjust, IntoFrameT, Length, Missing, UsageUnit


def warning_signs(
    events: IntoFrameT,
    *,
    as_of: str | date | None = None,
    customer: str = "customer_id",
    time: str = "time",
    recent: Length = "28D",
    baseline: Length = "84D",
    unit: UsageUnit = "day",
    min_baseline: int = 3,
    adjust: Adjust = "bh",
    level: float = 0.05,
    signals: Mapping[str, Source | Any] | None = None,
    by: str | Sequence[str] | None = None,
    tz: str | None = None,
    missing: Missing = "raise",
) -> IntoFrameT:
    r"""Customers who use the product less than they did: each against their own baseline.

    >>> from retainkit import datasets, warning_signs
    >>> signs = warning_signs(datasets.make_events(2_000, seed=1)).nsmallest(3, "p_value")
    >>> signs[["customer_id", "baseline_active", "recent_active", "p_value", "p_adjusted"]]
          customer_id  baseline_active  recent_active   p_value  p_adjusted
    186           187               10              0  0.048787    0.718096
    1551         1552                7              0  0.060836    0.718096
    1709         1710                4              0  0.069135    0.718096

    The recent window is `recent` long and ends at `as_of`; the baseline is the `baseline` before
    it. Of the N days of both, :math:`n` are recent; of the :math:`a` days on which a customer was
    active, :math:`x` are. If nothing changed, it is arbitrary which days are the recent ones, so
    that the number X of active days among them is hypergeometric, and

    .. math:: p = P(X \le x) = \sum_{k \le x} \binom{n}{k} \binom{N - n}{a - k} \Big/
        \binom{N}{a}

    is exact: it is Fisher's test, one-sided. With ``unit="event"``, where :math:`x` of
    :math:`x + y` events are recent, X is binomial with the probability n/N: the exact test of two
    Poisson rates. Usage is down where p, adjusted for the number of customers, is at most `level`.

    Parameters
    ----------
    events : IntoFrame
        One row an event (an order, a login): pandas, Polars (lazy too) or PyArrow, a DuckDB
        relation or a PySpark DataFrame. The order of the rows means nothing.
    as_of : str, date or datetime, optional
        Instant at which observation ends; rows at or after it are not used, and counted in a
        warning. Without a time zone it is read in that of `tz`. Default: the midnight that ends the
        day of the last row.
    customer : str, default "customer_id"
        Column that identifies the customer: integers, strings, UUIDs or categories.
    time : str, default "time"
        Column of dates or datetimes, with or without a time zone.
    recent : str or timedelta, default "28D"
        Length of the recent window. Take whole weeks, so that weekdays balance.
    baseline : str or timedelta, default "84D"
        Length of the time before it, at least as long as `recent`.
    unit : {"day", "week", "event"}, default "day"
        What is counted: days with an event, weeks with one (blocks of 7 days back from `as_of`), or
        events. By day suits events that come in sessions, by week customers who come many days in a
        row and then stay away for many. By week both windows must be whole weeks, by day whole
        days.
    min_baseline : int, default 3
        Customers with fewer active units in the baseline are not judged. 1 or more.
    adjust : {"holm", "bonferroni", "bh", "none"}, default "bh"
        How p-values are adjusted for the number of comparisons in the result, which are all
        customers judged, of all segments. ``"bh"``, by Benjamini and Hochberg: of those flagged, a
        share of `level` at most is flagged wrongly, in the mean. ``"holm"`` and ``"bonferroni"``:
        a chance of `level` at most that anybody is. ``"none"``: `level` of all who have not
        changed may be.
    level : float, default 0.05
        Largest adjusted p-value at which usage is down, between 0 and 1.
    signals : dict of str to Source or IntoFrame, optional
        Further signs by their names, such as ``{"payment_failed": failures}``: tables of the same
        kind as `events`, in which a row in the recent window is the sign. A `Source` names other
        columns; its `known_at` counts, while `amount`, `last` and `closed` mean nothing here.
    by : str or sequence of str, optional
        Columns of segments. Null is a segment of its own. They are carried along, with one value
        throughout for each customer.
    tz : str, optional
        Time zone in which periods are cut, such as ``"Europe/Berlin"``. Default: the column's own.
        The periods are days.
    missing : {"raise", "drop"}, default "raise"
        Whether a null where a value is needed is an error, or its row is left out with a warning
        that counts such rows. Needed are the customers and times of all tables.

    Returns
    -------
    DataFrame
        One row a customer with an event before `as_of`: a new frame of the same kind as `events`,
        by customer in ascending order. Of a lazy frame (Polars' LazyFrame, DuckDB, PySpark) a lazy
        frame of the same engine, in no order.

        - the columns of `by`, and that of the customer under its own name.
        - ``baseline_active``, ``recent_active`` (int): active units in both windows.
        - ``expected`` (float): the baseline scaled to the recent window; NaN without a baseline.
        - ``ratio`` (float): ``recent_active / expected``, NaN where nothing is expected.
        - ``group_ratio`` (float): the same of all customers of the segment whose baseline is at
          least as long as `recent`, added up. A seasonal dip of everybody shows here.
        - ``p_value``, ``p_adjusted`` (float): of no change or a rise; null where not judged.
        - ``last_seen_days`` (int): days from the last active day to `as_of`.
        - ``quiet_days_longest`` (int): most days between two active days in a row, of all rows
          before `as_of`; null with one active day.
        - ``silent`` (bool): whether ``last_seen_days`` is above that; False where it is null.
        - a column for each of the `signals` (bool).
        - ``signs`` (int): how many hold, usage down and silent among them.
        - ``reasons`` (str): which these are, such as ``"usage down; silent; payment failed"``.
        - ``judged`` (bool): whether there is a baseline to judge by.

    Raises
    ------
    MissingColumnError
        If a column is not in its frame (a `KeyError`).
    ColumnTypeError, ArgumentTypeError
        If a column or an argument is of the wrong type, ids of two tables too, or a signal is of
        another kind of frame than `events` (a `TypeError`).
    ArgumentError
        If an argument has a wrong value; if a column has nulls; if a customer has several values of
        `by` (a `ValueError`).

    Warns
    -----
    RetainkitWarning
        If something is set aside: rows at or after `as_of`, rows with nulls, customers who have a
        signal and no event. Also if a window is no whole number of weeks, or nobody is judged.

    See Also
    --------
    Source : How a table of `signals` is read.
    usage_interval : After how many days of silence customers rarely come back, of all together.

    Notes
    -----
    A baseline begins the day (week) after a customer's first event, which is active by definition;
    customers for whom less than `recent` is left of it are not judged.

    A threshold such as "down by more than 30 %" flags a fifth of the customers who have not
    changed. So does this test where its unit is wrong: events in sessions are fewer chances than
    they seem, and days in a row as well. Adjusting costs power: most who are flagged have changed,
    and many who have changed are not flagged. ``adjust="none"`` finds more of both. A few purchases
    a year tell nearly nothing.

    Vendors say health score, churn alert or usage drop.

    References
    ----------
    .. [1] Fisher, R. A. (1935), "The Logic of Inductive Inference", Journal of the Royal
       Statistical Society 98 (1), 39-82.
    .. [2] Przyborowski, J. & Wilenski, H. (1940), "Homogeneity of Results in Testing Samples from
       Poisson Series", Biometrika 31 (3/4), 313-323.
    .. [3] Benjamini, Y. & Hochberg, Y. (1995), "Controlling the False Discovery Rate: A Practical
       and Powerful Approach to Multiple Testing", Journal of the Royal Statistical Society B 57
       (1), 289-300.

    Examples
    --------
    Ann came on every tenth day of twelve weeks and on no day of the four weeks since. Of 8 days
    that are as likely to be any of 112, none is among the last 28 with the probability
    :math:`\binom{84}{8} / \binom{112}{8}`:

    >>> from math import comb
    >>> import pandas as pd
    >>> from retainkit import warning_signs
    >>> days = pd.date_range("2023-12-26", periods=9, freq="10D")
    >>> visits = pd.DataFrame({"customer_id": "ann", "time": days})
    >>> signs = warning_signs(visits, as_of="2024-04-22")
    >>> signs[["baseline_active", "recent_active", "expected", "last_seen_days"]]
       baseline_active  recent_active  expected  last_seen_days
    0                8              0  2.666667              38
    >>> round(float(signs["p_value"][0]), 4), round(comb(84, 8) / comb(112, 8), 4)
    (0.0917, 0.0917)
    """
    windows = Windows(
        unit=one_of("unit", unit, get_args(UsageUnit)),
        recent=read_window("recent", recent),
        baseline=read_window("baseline", baseline),
    )
    windows.validate()
    decision = Decision(
        min_baseline=integer("min_baseline", min_baseline, 1),
        adjust=one_of("adjust", adjust, get_args(Adjust)),
        level=probability("level", level),
    )
    check_as_of(as_of)
    segments = segment_names(by, (*MEASURES, *VERDICT))
    sources = check_signals(signals, (customer, *segments))
    own = (*MEASURES, *sources, *VERDICT)
    check_not_reserved("`customer`", [customer], own)
    columns = {"customer": customer, "time": time}
    log = read_events(
        events, columns=columns, by=by, reserved=(*own, customer), tz=tz, missing=missing
    )
    windows.warn_of_weekdays()
    end = log.end_of_observation(as_of)
    log = log.until(end)
    log, tables = read_signals(sources, log, tz, missing)
    blocks = windows.ending_at(end, log.zone)
    found = signals_in(blocks, tables, log)
    reduce = reducer(log.rows, lazy=_signs_lazy.reduce, eager=_signs_eager.reduce)
    rows, n_judged = reduce(log, blocks, decision, found)
    if not n_judged and log.n_rows:
        _warn_of_nobody(windows, decision)
    names = dict(zip((*log.by, customer), (*log.keys, "customer"), strict=True))
    names |= {name: name for name in MEASURES}
    names |= {name: f"signal_{i}" for i, name in enumerate(sources)}
    names |= {name: name for name in VERDICT}
    result: IntoFrameT = as_given(select_to_native(rows, names), events)
    return result


def _warn_of_nobody(windows: Windows, decision: Decision) -> None:
    """Warn that there is no customer whose usage can be compared."""
    one = {"day": "active days", "week": "active weeks", "event": "events"}[windows.unit]
    warn(
        f"nobody can be judged: no customer has {decision.min_baseline} {one} or more in a "
        f"baseline of '{windows.recent.name}' or longer before the last '{windows.recent.name}'. "
        "All p-values are null. Give an earlier `as_of`, a shorter `recent`, or a lower "
        "`min_baseline`.",
        code="nobody_judged",
        argument="events",
    )
