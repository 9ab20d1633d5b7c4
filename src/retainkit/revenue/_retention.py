"""Revenue retention: how much of what customers paid some periods ago they still pay."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, get_args

import numpy as np

from retainkit._checks import boolean, integer, one_of, probability
from retainkit._inputs.subscriptions import SubscriptionOptions
from retainkit._progress import check_progress, steps_of
from retainkit._stats.intervals import ratio
from retainkit._time.period_options import in_periods, period_option
from retainkit._typing import Array, Floats
from retainkit.revenue._changes import OutputGrid, add_up
from retainkit.revenue._lookback import join_lookbacks, look_back, lookback_sums
from retainkit.revenue._rates import (
    Rate,
    bootstrap_rates,
    gross_rate,
    logo_rate,
    net_rate,
    percentiles,
    trailing_windows,
)
from retainkit.revenue._reading import SubscriptionArrays, read_subscription_arrays
from retainkit.typing import (
    EndIs,
    IntervalMethod,
    IntoTable,
    Length,
    Missing,
    Month,
    PeriodLike,
    Progress,
    TableT,
    Weekday,
)

_RESULT = (
    *("period", "customers", "opening", "nrr", "grr", "logo_retention", "lower", "upper"),
    *("quick_ratio", "net_churn", "gross_churn"),
    *("nrr_lower", "nrr_upper", "grr_lower", "grr_upper", "complete"),
)


def revenue_retention(
    subscriptions: TableT | IntoTable[TableT],
    *,
    customer: str = "customer_id",
    start: str = "start",
    end: str = "end",
    end_is: EndIs = "exclusive",
    subscription: str | None = None,
    amount: str = "mrr",
    horizon: int | Length = 1,
    period: PeriodLike = "month",
    by: str | Sequence[str] | None = None,
    chained: bool = False,
    interval: IntervalMethod = "delta",
    draws: int = 1000,
    seed: int | None = None,
    progress: Progress | None = None,
    currency: str | None = None,
    rates: Mapping[str, float] | None = None,
    gap: Length = "0D",
    include_partial: bool = False,
    as_of: str | date | None = None,
    tz: str | None = None,
    week_start: Weekday = "monday",
    origin: str | date | None = None,
    year_start: Month = "january",
    missing: Missing = "raise",
    confidence_level: float = 0.95,
) -> TableT:
    r"""Net and gross revenue retention, and that of customers, period by period.

    >>> from retainkit import datasets, revenue_retention
    >>> table = revenue_retention(datasets.make_subscriptions(500, seed=1)).set_index("period")
    >>> table[["opening", "nrr", "nrr_lower", "nrr_upper", "grr"]].tail(3).round(3)
                opening    nrr  nrr_lower  nrr_upper    grr
    period
    2024-10-01  18617.0  0.940      0.910      0.971  0.933
    2024-11-01  18984.0  0.996      0.980      1.012  0.983
    2024-12-01  19928.0  0.974      0.956      0.992  0.973

    Of the customers who paid at the end of the period that lies `horizon` periods before, with
    :math:`b_i` what customer :math:`i` paid then and :math:`c_i` what the same customer pays at the
    end of this period (all subscriptions together),

    .. math::

       \text{NRR} = \frac{\sum_i c_i}{\sum_i b_i}, \qquad
       \text{GRR} = \frac{\sum_i \min(c_i, b_i)}{\sum_i b_i}, \qquad
       0 \le \text{GRR} \le \min(1, \text{NRR}).

    Parameters
    ----------
    subscriptions : IntoFrame
        One row a subscription, which runs over [start, end): pandas, Polars (lazy too) or PyArrow,
        a DuckDB relation or a PySpark DataFrame. A customer may have several at once.
    customer : str, default "customer_id"
        Column that identifies the customer: integers, strings, UUIDs or categories.
    start : str, default "start"
        Column of dates or datetimes, with or without a time zone.
    end : str, default "end"
        Column of dates or datetimes, null where a subscription still runs.
    end_is : {"exclusive", "last_day"}, default "exclusive"
        Whether an end is the moment from which a subscription no longer runs, or the last day on
        which it does: then it runs to the midnight after that day, in `tz`.
    subscription : str, optional
        Column of what a row is a phase of: rows of the same subscription that come one after
        another stay, exact repeats count once, with a warning, and others that overlap are refused.
        Default: every row is a subscription of its own.
    amount : str, default "mrr"
        Column of the monthly amount of each subscription, 0 or more.
    horizon : int, str or timedelta, default 1
        How many periods lie between the two ends: 12, or ``"12 months"``, for annual retention by
        month.
    period : str, timedelta or sequence of date, default "month"
        Period of a row: ``"day"``, ``"week"``, ``"month"``, ``"quarter"`` or ``"year"``; a number
        of days or weeks, such as ``"14 days"``, counted from `origin`; or a list of the dates
        between periods, with the end of the last: what lies outside is in no row, and counted in a
        warning.
    by : str or sequence of str, optional
        Columns of segments. Null is a segment of its own. Customers belong to the segment in which
        they paid at the beginning, whatever they pay for now; one who paid in several counts in
        each, with that share of the money. Newcomers, in ``quick_ratio``, belong to the segment in
        which they pay now.
    chained : bool, default False
        Multiply the rates of the `horizon` single periods instead. See Notes.
    interval : {"delta", "bootstrap"}, default "delta"
        How the limits of NRR and GRR are found: from the variance of a ratio of sums, or by drawing
        customers anew, each with all of its history.
    draws : int, default 1000
        Number of draws of the bootstrap; fewer make its limits too narrow.
    seed : int, optional
        Seed of the random numbers, 0 or more: the same seed gives the same result.
    progress : callable, optional
        Shows how far the work is: it is called as ``progress(total=n)`` and gives something with
        ``update(k)`` and ``close()``, as ``tqdm.tqdm`` does. Default: nothing is shown. The steps
        are the draws of the bootstrap: a thousand of 10,000 customers take some two seconds.
        Without it there are none, and it is not called.
    currency : str, optional
        Column of the currency of `amount`. Several need `rates`.
    rates : mapping of str to float, optional
        What one unit of each currency is worth in the currency of the result.
    gap : str or timedelta, default "0D"
        Longest break between subscriptions that is not churn, such as ``"3D"`` or ``"12H"``, on the
        wall clock, of the customer and all subscriptions together: until the renewal the customer
        pays what was paid before. A customer who left less than that before `as_of` may still
        renew, and pays.
    include_partial : bool, default False
        Also show what is in progress at `as_of`, with ``complete`` False and no interval.
    as_of : str, date or datetime, optional
        Instant at which observation ends: subscriptions that end at or after it still run; those
        that start at or after it are left out, and counted in a warning. Without a time zone it is
        read in that of `tz`. Default: the midnight that ends the day of the last start, with a
        warning that counts the ends after it; give it where the table is of a later day.
    tz : str, optional
        Time zone in which periods are cut, such as ``"Europe/Berlin"``. Default: the column's own.
    week_start : {"monday", "tuesday", ..., "sunday"}, default "monday"
        Day on which a week begins.
    origin : str, date or datetime, optional
        Day from which periods of a number of days or weeks are counted, forwards and back, such as
        the first of a sprint. Default: the first `week_start` of 1970, whatever the rows are.
    year_start : {"january", "february", ..., "december"}, default "january"
        Month in which a year begins, and with it the first quarter, as fiscal years do.
    missing : {"raise", "drop"}, default "raise"
        Whether a null where a value is needed is an error, or its row is left out with a warning
        that counts such rows. Needed are `customer`, `start` and, if it is given, `subscription`.
    confidence_level : float, default 0.95
        Coverage of the interval, between 0 and 1.

    Returns
    -------
    DataFrame
        A row for every period from the first start (of the segment) to `as_of`, by segment and
        period: a new frame of the same kind as `subscriptions`; Polars for a LazyFrame, pandas for
        DuckDB and PySpark. Rates are fractions, and NaN where nobody paid `horizon` periods before.

        - the columns of `by`.
        - ``period`` (date): first day of the period; customers are compared at its end.
        - ``customers`` (int): who paid `horizon` periods before, and ``opening`` (float): how much.
        - ``nrr``, ``grr`` (float): net and gross revenue retention.
        - ``logo_retention`` (float): share of the customers who still pay.
        - ``lower``, ``upper`` (float): Wilson's interval for it.
        - ``quick_ratio`` (float): (new + expansion + reactivation) / (contraction + churn); NaN
          where nothing is lost.
        - ``net_churn`` (float): (contraction + churn - expansion - reactivation) / opening; below 0
          where more is gained than lost.
        - ``gross_churn`` (float): (contraction + churn) / opening.
        - ``nrr_lower``, ``nrr_upper``, ``grr_lower``, ``grr_upper`` (float): intervals for NRR and
          GRR.
        - ``complete`` (bool): whether the period is over and all is known of it.

    Raises
    ------
    MissingColumnError
        If a column is not in the frame (a `KeyError`).
    ColumnTypeError, ArgumentTypeError
        If a column or an argument is of the wrong type (a `TypeError`).
    ArgumentError
        If an argument has a wrong value; if amounts are negative or null, customers or starts null,
        an end lies before its start, rows of a `subscription` overlap, or currencies are mixed
        without `rates` (a `ValueError`).

    Warns
    -----
    RetainkitWarning
        If rows are set aside: with nulls, of no length, repeats, or with a start at or after
        `as_of`; if identical rows are added up, ends seem to be last days, or rows to be levels or
        invoice lines; if segments are made of the outcome, being null where a subscription runs and
        nowhere else; if `gap` leaves no period to judge.

    See Also
    --------
    mrr_movements : The money behind these rates.
    revenue_cohorts : The same by the period in which customers started.

    Notes
    -----
    All columns of a row compare the same two moments: with ``horizon=12`` a customer who left and
    came back within the year is retained, and so is revenue that sank and rose again. `chained`
    multiplies one-period rates (and adds up gains and losses for the quick ratio): it lets those
    count who came within the year, leaves out what was reactivated, and takes a loss that was made
    good later for a loss in GRR. In the example, point to point keeps 80 of 80 from January to
    March; chained, 50/80 in February and 120/90 in March make 0.83.

    ``net_churn`` is ChartMogul's, which sets reactivation against losses; 1 - NRR of one period
    leaves it out. Vendors differ on reactivation in the quick ratio too: Social Capital's growth
    accounting counts it, Baremetrics does not.

    The delta method takes customers as independent, and works on the logarithm of NRR; steps of a
    chain are taken as uncorrelated. The limits of GRR are Wilson's for the number of customers that
    would give its variance [2]_; where nothing was lost (or all), for the effective number of
    customers, the square of `opening` over the sum of the squares of what each paid, with either
    `interval`. Where nothing changed, NRR has no limits. Where one customer pays for half of it
    all, the limits of the delta method are too narrow; the bootstrap's are better.

    Subscriptions of a lazy engine are brought into memory, as by `mrr_movements`.

    References
    ----------
    .. [1] Cochran, W. G. (1977), Sampling Techniques, 3rd ed., Wiley, section 6.4.
    .. [2] Korn, E. L. & Graubard, B. I. (1998), "Confidence Intervals for Proportions with Small
       Expected Number of Positive Counts Estimated from Survey Data", Survey Methodology 24 (2),
       193-201.

    Examples
    --------
    Ann's subscription is raised from 50 to 80 in March; Bob's ends in February, when Cyd comes:

    >>> import pandas as pd
    >>> from retainkit import revenue_retention
    >>> who, mrr = ["ann", "ann", "bob", "cyd"], [50, 80, 30, 40]
    >>> start = pd.to_datetime(["2024-01-01", "2024-03-01", "2024-01-10", "2024-02-05"])
    >>> end = pd.to_datetime(["2024-03-01", None, "2024-02-20", None])
    >>> book = pd.DataFrame({"customer_id": who, "start": start, "end": end, "mrr": mrr})
    >>> table = revenue_retention(book, as_of="2024-04-01")
    >>> table[["period", "customers", "opening", "nrr", "grr", "logo_retention"]]
          period  customers  opening       nrr    grr  logo_retention
    0 2024-01-01          0      0.0       NaN    NaN             NaN
    1 2024-02-01          2     80.0  0.625000  0.625             0.5
    2 2024-03-01          2     90.0  1.333333  1.000             1.0
    >>> revenue_retention(book, horizon=2, as_of="2024-04-01")[["nrr", "grr"]].tail(1)
       nrr    grr
    2  1.0  0.625
    >>> table = revenue_retention(book, horizon=2, chained=True, as_of="2024-04-01")
    >>> table[["nrr", "grr"]].tail(1)
            nrr    grr
    2  0.833333  0.625
    """
    cut = period_option(
        period, week_start=week_start, origin=origin, year_start=year_start, whole_days=True
    )
    distance = in_periods("horizon", horizon, cut, 1)
    boolean("chained", chained)
    one_of("interval", interval, get_args(IntervalMethod))
    _check_draws(draws, seed, progress)
    boolean("include_partial", include_partial)
    probability("confidence_level", confidence_level)
    options = SubscriptionOptions(
        needed=("amount",),
        customer=customer,
        start=start,
        end=end,
        end_is=end_is,
        subscription=subscription,
        gap=gap,
        amount=amount,
        by=by,
        currency=currency,
        rates=rates,
        as_of=as_of,
        tz=tz,
        missing=missing,
        reserved=_RESULT,
    )
    arrays = read_subscription_arrays(subscriptions, options, cut)
    cells = arrays.grid()
    distance = min(distance, cells.n_periods + 1)  # beyond all that there is
    distance, steps = (1, distance) if chained else (distance, 1)
    found = (
        look_back(part.changes(), part.first_paid(), distance, arrays.last)
        for part in arrays.blocks(cells.n_cells)
    )
    parts = [*found] if interval == "bootstrap" else found
    sums = add_up(lookback_sums(part, cells) for part in parts)
    columns, net, gross = _rate_columns(sums, steps, confidence_level)
    columns["opening"] = arrays.unit.to_amounts(columns["opening"])
    if interval == "bootstrap":
        whole = join_lookbacks([*parts])
        with steps_of(progress, draws if len(whole.customer) else 0) as step:
            drawn = bootstrap_rates(whole, cells, steps=steps, draws=draws, seed=seed, step=step)
        _set_percentiles(columns, drawn, (net, gross), confidence_level)
    columns = _shown_columns(columns, cells, arrays, distance * steps)
    return arrays.grid_result(cells, columns, include_partial=include_partial)


def _check_draws(draws: int, seed: int | None, progress: Progress | None) -> None:
    integer("draws", draws, 1)
    if seed is not None:
        integer("seed", seed, 0)
    check_progress(progress)


def _rate_columns(
    sums: Mapping[str, Array], steps: int, confidence_level: float
) -> tuple[dict[str, Any], Rate, Rate]:
    """Return the columns of the result, and the net and the gross rate."""
    base, lost = sums["opening"], sums["opening"] - sums["kept"]
    net_churn, gross_churn = (ratio(one, base) for one in (base - sums["now"] - sums["back"], lost))
    if steps > 1:
        net_churn, gross_churn = (
            1 - trailing_windows(1 - one, steps).prod(axis=-1) for one in (net_churn, gross_churn)
        )
    gains, losses = (trailing_windows(one, steps).sum(axis=-1) for one in (sums["gained"], lost))
    net, gross, logos = (rate(sums).chained(steps) for rate in (net_rate, gross_rate, logo_rate))
    lower, upper = logos.proportion_limits(confidence_level)
    nrr_lower, nrr_upper = net.ratio_limits(confidence_level)
    grr_lower, grr_upper = gross.proportion_limits(confidence_level)
    columns = {
        "customers": _at_begin(sums["customers"], steps),
        "opening": _at_begin(base, steps),
        "nrr": net.value,
        "grr": gross.value,
        "logo_retention": logos.value,
        "lower": lower,
        "upper": upper,
        "quick_ratio": np.where(_at_begin(base, steps) > 0, ratio(gains, losses), np.nan),
        "net_churn": net_churn,
        "gross_churn": gross_churn,
        "nrr_lower": nrr_lower,
        "nrr_upper": nrr_upper,
        "grr_lower": grr_lower,
        "grr_upper": grr_upper,
    }
    return columns, net, gross


def _shown_columns(
    columns: Mapping[str, Any], cells: OutputGrid, arrays: SubscriptionArrays, horizon: int
) -> dict[str, Any]:
    """Return columns of periods: none that look back to before the first edge, and limits if over.

    What is in progress has no limits.
    """
    number = np.arange(cells.n_periods) + cells.first
    known = number >= arrays.period.bounds[0] + horizon - 1
    over = number < arrays.over
    unknown = {"customers": 0, "opening": 0.0}
    return {
        name: np.where(
            known & (over | (name.rpartition("_")[2] not in {"lower", "upper"})),
            values,
            unknown.get(name, np.nan),
        )
        for name, values in columns.items()
    }


def _at_begin(values: Array, steps: int) -> Array:
    """Return the value at the beginning of the first of `steps` periods up to each."""
    return np.pad(values, ((0, 0), (steps - 1, 0)))[:, : values.shape[1]]


def _set_percentiles(
    columns: dict[str, Any],
    drawn: tuple[Floats, Floats],
    rates: tuple[Rate, Rate],
    confidence_level: float,
) -> None:
    """Replace the limits by those of the bootstrap where customers differ."""
    for name, draws, rate in zip(("nrr", "grr"), drawn, rates, strict=True):
        varies = rate.variance > 0
        for side, limit in zip(
            ("lower", "upper"), percentiles(draws, confidence_level), strict=True
        ):
            columns[f"{name}_{side}"] = np.where(varies, limit, columns[f"{name}_{side}"])
