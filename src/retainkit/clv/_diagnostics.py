"""Checks of the assumptions of the models: spend independent of frequency, purchases random."""

from __future__ import annotations

from datetime import date

import numpy as np

from retainkit._checks import integer, probability
from retainkit._frames.output import build_like
from retainkit._inputs.customers import read_customers
from retainkit._inputs.observation import check_as_of
from retainkit._inputs.orders import read_orders
from retainkit._stats import correlation, regularity
from retainkit._stats.intervals import ratio
from retainkit._time.period_options import unit_option
from retainkit.clv._purchase_counts import last_gaps
from retainkit.typing import IntoTable, Missing, Period, TableT, Weekday


def spend_independence(
    summary: TableT | IntoTable[TableT],
    *,
    frequency: str = "frequency",
    monetary_value: str = "monetary_value",
    confidence_level: float = 0.95,
) -> TableT:
    r"""Ask whether customers who buy more often also spend more each time.

    >>> from retainkit import datasets, rfm_summary, spend_independence
    >>> spend_independence(rfm_summary(datasets.load_cdnow(sample=True), amount="amount")).round(3)
                 check  customers  correlation  lower  upper  p_value
    0          pearson       1139        0.070  0.012  0.127    0.019
    1         spearman       1139        0.205  0.148  0.261    0.000
    2  without_largest       1138        0.043 -0.015  0.101    0.149

    Gamma-Gamma takes the spend of a customer to have nothing to do with how often the customer
    buys, and so does every lifetime value that multiplies the two. This gives the correlation of
    `frequency` and `monetary_value` among customers with repeat purchases, in three ways, because
    one large customer can make it or hide it.

    Parameters
    ----------
    summary : IntoFrame
        One row a customer, as `rfm_summary` makes it: pandas, Polars (lazy too) or PyArrow, a
        DuckDB relation or a PySpark DataFrame.
    frequency : str, default "frequency"
        Column of the number of repeat purchases, whole numbers.
    monetary_value : str, default "monetary_value"
        Column of the mean amount of the repeat purchases, in units of money. It is not looked at
        where there are none.
    confidence_level : float, default 0.95
        Coverage of the interval, between 0 and 1.

    Returns
    -------
    DataFrame
        A row for each way of looking: a new frame of the kind of `summary`; Polars for a LazyFrame,
        pandas for DuckDB and PySpark.

        - ``check`` (str): ``"pearson"``, the correlation of the numbers themselves;
          ``"spearman"``, that of their ranks, in which no single customer weighs much;
          ``"without_largest"``, Pearson's without the customer who spent most in repeat purchases,
          frequency times monetary value; of several, the one who bought most often.
        - ``customers`` (int): those with repeat purchases, less the one left out.
        - ``correlation`` (float): from -1 to 1; NaN where all are alike.
        - ``lower``, ``upper`` (float): its interval; NaN with fewer than four customers.
        - ``p_value`` (float): probability of a correlation at least so far from 0 among so many
          customers, were there none (two-sided t test).

    Raises
    ------
    MissingColumnError
        If a column is not in the frame (a `KeyError`).
    ColumnTypeError
        If a column does not hold numbers (a `TypeError`).
    ArgumentError
        If a frequency is not a whole number from 0 on, or an amount is missing or negative (a
        `ValueError`).

    See Also
    --------
    fit_gamma_gamma : The model that supposes it.

    Notes
    -----
    With many customers the smallest correlation has a small p-value. Look at its size: up to some
    0.1 or 0.2 little is lost; beyond, fit the models for segments of alike customers.

    The intervals are those of ``atanh`` of the correlation, whose variance is 1 / (n - 3) for
    Pearson's [1]_ and (1 + r² / 2) / (n - 3) for Spearman's [2]_. Amounts of money are skewed, and
    Pearson's interval supposes that they are not. The ranks do not mind, but are not quite at 0
    where spend is independent: the mean of a few skewed amounts lies below its expectation more
    often than that of many. With the frequencies of CDNOW it comes to 0.04.

    References
    ----------
    .. [1] Fisher, R. A. (1921), "On the 'Probable Error' of a Coefficient of Correlation Deduced
       from a Small Sample", Metron 1, 3-32.
    .. [2] Bonett, D. G. & Wright, T. A. (2000), "Sample Size Requirements for Estimating Pearson,
       Kendall and Spearman Correlations", Psychometrika 65 (1), 23-28.
    .. [3] Fader, P. S., Hardie, B. G. S. & Lee, K. L. (2005), "RFM and CLV: Using Iso-Value Curves
       for Customer Base Analysis", Journal of Marketing Research 42 (4), 415-430.

    Examples
    --------
    CDNOW, where the paper finds .11, and .06 without one customer who bought 21 more times, for
    300 dollars on average:

    >>> from retainkit import rfm_summary
    >>> from retainkit import spend_independence
    >>> from retainkit.datasets import load_cdnow
    >>> orders = load_cdnow(sample=True)
    >>> orders = orders[orders["time"] < "1997-10-01"]
    >>> summary = rfm_summary(orders, amount="amount", as_of="1997-10-01")
    >>> spend_independence(summary).round(3)
                 check  customers  correlation  lower  upper  p_value
    0          pearson        946        0.114  0.051  0.176     0.00
    1         spearman        946        0.206  0.144  0.267     0.00
    2  without_largest        945        0.057 -0.007  0.120     0.08
    """
    probability("confidence_level", confidence_level)
    columns = {"frequency": frequency, "monetary_value": monetary_value}
    rows = read_customers(summary, columns)
    repeat = rows.distinct["frequency"] > 0
    x, m = rows.distinct["frequency"][repeat], rows.distinct["monetary_value"][repeat]
    count = rows.counts[repeat]
    others = count.copy()
    if len(x):
        others[np.lexsort((x, x * m))[-1]] -= 1
    left = others > 0
    found = {
        "pearson": correlation.pearson(x, m, count, confidence_level),
        "spearman": correlation.spearman(x, m, count, confidence_level),
        "without_largest": correlation.pearson(x[left], m[left], others[left], confidence_level),
    }
    return build_like(
        rows.frame,
        {
            "check": np.array([*found]),
            "customers": [one.pairs for one in found.values()],
            "correlation": [one.estimate for one in found.values()],
            "lower": [one.lower for one in found.values()],
            "upper": [one.upper for one in found.values()],
            "p_value": [one.p_value for one in found.values()],
        },
    )


def purchase_regularity(
    transactions: TableT | IntoTable[TableT],
    *,
    customer: str = "customer_id",
    time: str = "time",
    unit: Period = "day",
    min_purchases: int = 3,
    as_of: str | date | None = None,
    tz: str | None = None,
    week_start: Weekday = "monday",
    missing: Missing = "raise",
    confidence_level: float = 0.95,
) -> TableT:
    r"""Ask whether customers buy at random or at a regular beat.

    >>> from retainkit import datasets, purchase_regularity
    >>> table = purchase_regularity(datasets.load_cdnow(sample=True))
    >>> table[["method", "customers", "regularity", "lower", "upper"]].round(2)
                   method  customers  regularity  lower  upper
    0  maximum_likelihood        736        0.92   0.83   1.01
    1      wheat_morrison        736        0.99   0.89   1.08

    BG/NBD takes the purchases of a living customer to be random (Poisson): the gaps between them
    vary as much as their mean, and the last purchase says nothing of when the next is due. Who buys
    groceries every week does not behave so. With gaps of shape :math:`k` (Gamma, or Erlang-k),
    whose coefficient of variation is :math:`1/\sqrt{k}`, the last gap :math:`t_2` and the one
    before it, :math:`t_1`, make

    .. math:: U = \frac{t_2}{t_1 + t_2} \sim \text{Beta}(k, k), \qquad
        \operatorname{Var} U = \frac{1}{4 (2 k + 1)},

    whatever the customer's own rate. So :math:`k` can be estimated from two gaps of each customer:
    1 is random, above 1 regular, below 1 in bursts.

    Parameters
    ----------
    transactions : IntoFrame
        One row an order, or a line of one: pandas, Polars (lazy too) or PyArrow, a DuckDB relation
        or a PySpark DataFrame. The order of the rows means nothing.
    customer : str, default "customer_id"
        Column that identifies the customer: integers, strings, UUIDs or categories.
    time : str, default "time"
        Column of dates or datetimes, with or without a time zone.
    unit : {"hour", "day", "week", "month", "quarter", "year"}, default "day"
        Calendar period in which purchases are merged into one, and in which gaps are counted: as in
        the summary that the model is fitted to.
    min_purchases : int, default 3
        Leave out customers with fewer purchases; at least 3, which make two gaps.
    as_of : str, date or datetime, optional
        Instant at which observation ends; rows at or after it are not used, and counted in a
        warning. Without a time zone it is read in that of `tz`. Default: the midnight that ends the
        day of the last row.
    tz : str, optional
        Time zone in which periods are cut, such as ``"Europe/Berlin"``. Default: the column's own.
        The periods are those of `unit`.
    week_start : {"monday", "tuesday", ..., "sunday"}, default "monday"
        Day on which a week begins.
    missing : {"raise", "drop"}, default "raise"
        Whether a null where a value is needed is an error, or its row is left out with a warning
        that counts such rows. Needed are `customer` and `time`.
    confidence_level : float, default 0.95
        Coverage of the interval, between 0 and 1.

    Returns
    -------
    DataFrame
        A row for each estimate: a new frame of the kind of `transactions`; Polars for a LazyFrame,
        pandas for DuckDB and PySpark.

        - ``method`` (str): ``"maximum_likelihood"``, which knows that gaps are whole units, and
          that those within one unit are not seen; ``"wheat_morrison"``, :math:`k = (1 - 4 V) /
          (8 V)` with the variance :math:`V` of U, as published [1]_.
        - ``customers`` (int): customers used, one U each.
        - ``regularity`` (float): k; NaN where there are no gaps to go by, infinite for a clock.
        - ``lower``, ``upper`` (float): its interval.
        - ``merged`` (float): share of the gaps between successive rows of all customers that lie
          within one unit, and are not seen; NaN where nobody has a second row.

    Raises
    ------
    MissingColumnError
        If a column is not in the frame (a `KeyError`).
    ColumnTypeError, ArgumentTypeError
        If a column or an argument is of the wrong type (a `TypeError`).
    ArgumentError
        If an argument has a wrong value, or a column has nulls (a `ValueError`).

    Warns
    -----
    RetainkitWarning
        If rows at or after `as_of`, or with nulls, are set aside.

    Notes
    -----
    Gaps of whole days that are merged within a day look more regular than they are: of two gaps
    that add up to two days, each must be one. Wheat and Morrison's estimate is above 1 then,
    although purchases are random; the other is not, because it asks how likely the last gap is
    given the sum of both in whole units. Where ``merged`` is large it may be a matter of order
    lines; where purchases themselves come several a day, choose a model of days, not of purchases.

    The last two gaps are taken because they show the present rhythm; the model supposes that the
    rhythm is the same throughout. A mixture of regular and bursty customers averages out.

    References
    ----------
    .. [1] Wheat, R. D. & Morrison, D. G. (1990), "Estimating Purchase Regularity with Two
       Interpurchase Times", Journal of Marketing Research 27 (1), 87-93.
    .. [2] Platzer, M. & Reutterer, T. (2016), "Ticking Away the Moments: Timing Regularity Helps to
       Better Predict Customer Activity", Marketing Science 35 (5), 779-799.

    Examples
    --------
    Customers who wait 10 days and then 20, 14 and then 16, or the other way round: more evenly than
    chance would have it.

    >>> import pandas as pd
    >>> from retainkit import purchase_regularity
    >>> middle = [11, 21, 15, 17] * 25
    >>> days = [day for between in middle for day in (1, between, 31)]
    >>> who = [who for who in range(100) for _ in range(3)]
    >>> times = pd.Timestamp("2024-01-01") + pd.to_timedelta(days, unit="D")
    >>> orders = pd.DataFrame({"customer_id": who, "time": times})
    >>> table = purchase_regularity(orders)
    >>> table[["method", "customers", "regularity", "lower", "upper"]].round(1)
                   method  customers  regularity  lower  upper
    0  maximum_likelihood        100        8.5    6.4   11.0
    1      wheat_morrison        100        8.2    6.7    9.9
    """
    cut = unit_option(unit, week_start)
    integer("min_purchases", min_purchases, 3)
    check_as_of(as_of)
    probability("confidence_level", confidence_level)
    log = read_orders(transactions, customer=customer, time=time, tz=tz, missing=missing)
    log = log.until(log.end_of_observation(as_of))
    gaps = last_gaps(log, cut.in_zone(log.zone), min_purchases)
    pairs = gaps.last, gaps.before, gaps.count
    found = {
        "maximum_likelihood": regularity.maximum_likelihood(*pairs, confidence_level),
        "wheat_morrison": regularity.wheat_morrison(*pairs, confidence_level),
    }
    merged = ratio(gaps.n_rows - gaps.n_purchases, gaps.n_rows - gaps.n_customers)
    return build_like(
        log.rows,
        {
            "method": np.array([*found]),
            "customers": np.full(len(found), int(gaps.count.sum())),
            "regularity": [one.estimate for one in found.values()],
            "lower": [one.lower for one in found.values()],
            "upper": [one.upper for one in found.values()],
            "merged": np.full(len(found), float(merged)),
        },
    )
