"""Items that go together, or come next: `product_affinity`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from retainkit._frames.output import build_like
from retainkit._frames.reducer import reducer
from retainkit._messages import count_noun, format_examples, warn
from retainkit.affinity import _eager, _lazy
from retainkit.affinity._estimates import estimates
from retainkit.affinity._reading import AffinityOptions, read_lines
from retainkit.affinity._spec import PairCounts
from retainkit.typing import Adjust, AffinityKind, IntoTable, Length, Missing, TableT


def product_affinity(
    lines: TableT | IntoTable[TableT],
    *,
    item: str = "item",
    customer: str = "customer_id",
    time: str = "time",
    order: str | None = None,
    kind: AffinityKind = "next",
    window: Length = "90D",
    as_of: str | date | None = None,
    min_trials: int = 20,
    by: str | Sequence[str] | None = None,
    adjust: Adjust = "holm",
    confidence_level: float = 0.95,
    tz: str | None = None,
    missing: Missing = "raise",
) -> TableT:
    r"""Which items are bought together, or one after the other, more often than by chance.

    >>> import pandas as pd
    >>> from retainkit import product_affinity
    >>> lines = pd.DataFrame({"order_id": [1, 1, 2, 2, 3, 4, 5], "item": list("ababaaa")})
    >>> product_affinity(lines, kind="basket", order="order_id", min_trials=2).iloc[:, :7]
      item other  n  n_both  rate     lower     upper
    0    b     a  2       2   1.0  0.342380  1.000000
    1    a     b  5       2   0.4  0.117621  0.769276

    A *trial* gives an item a chance to bring another one along. In a basket a trial is an order
    with the item, and a hit is that the other item is in it. For what comes next a trial is a
    customer's *first* purchase of the item, at t, and a hit is that the other item is bought at a
    later instant before t + `window`. Trials whose window is not over at `as_of` are open, and in
    no rate. With x hits among the n trials of an item, and a base rate that is the share of all
    trials with such a hit (of all orders; or of the trials of all items that are kept),

    .. math::
       \text{rate} = \frac{x}{n}, \qquad \text{lift} = \frac{\text{rate}}{\text{base rate}}.

    The interval of the rate is Wilson's [1]_, and that of the lift the same over the base rate. The
    p-value is hypergeometric, as in Fisher's exact test, two-sided as twice the smaller tail.

    Parameters
    ----------
    lines : IntoFrame
        One row an item of an order: pandas, Polars (lazy too) or PyArrow, a DuckDB relation or a
        PySpark DataFrame. The order of the rows means nothing, and an item that stands in an order
        several times counts once.
    item : str, default "item"
        Column of what is bought: a product, a category, a service, as numbers or words.
    customer : str, default "customer_id"
        Column that identifies the customer: integers, strings, UUIDs or categories. Baskets do not
        need it.
    time : str, default "time"
        Column of dates or datetimes, with or without a time zone. Baskets need it only with
        `as_of`.
    order : str, optional
        Column that identifies the order that a row is a line of. Baskets need it, and know an order
        by it alone; the next purchase makes no use of it.
    kind : {"basket", "next"}, default "next"
        What is counted: items in the same order, or what a customer buys after an item, the item
        itself among it.
    window : str or timedelta, default "90D"
        Time after the first purchase in which a later one counts, such as ``"90D"``, ``"2 weeks"``
        or ``"12 hours"``. Days and weeks are those of the wall clock in `tz`; months, which are
        not equally long, are refused. Baskets have none.
    as_of : str, date or datetime, optional
        Instant at which observation ends; rows at or after it are not used, and counted in a
        warning. Without a time zone it is read in that of `tz`. Default: the midnight that ends the
        day of the last row.
    min_trials : int, default 20
        Items with fewer trials that are over are left out, as ``other`` too, and counted in a
        warning.
    by : str or sequence of str, optional
        Columns of segments. Null is a segment of its own. A customer, or in baskets an order, must
        have one value throughout.
    adjust : {"holm", "bonferroni", "bh", "none"}, default "holm"
        How p-values are adjusted for the number of comparisons in the result: by Holm [2]_, by
        Bonferroni, by Benjamini and Hochberg, or not at all. Pairs that were never seen count, and
        those of all segments: of K items K\ :sup:`2`, in baskets K (K - 1) / 2, as both directions
        of a pair are one test.
    confidence_level : float, default 0.95
        Coverage of the interval, between 0 and 1; it is not adjusted.
    tz : str, optional
        Time zone in which periods are cut, such as ``"Europe/Berlin"``. Default: the column's own.
        The periods are the days of `window`.
    missing : {"raise", "drop"}, default "raise"
        Whether a null where a value is needed is an error, or its row is left out with a warning
        that counts such rows. Needed are all columns that are read but those of `by`.

    Returns
    -------
    DataFrame
        A row for each two items that have a hit, by segment, the greatest ``lift_lower`` first: a
        new frame of the same kind as `lines`. From a lazy engine it is in memory: Polars for
        Polars, pandas for DuckDB and PySpark.

        - the columns of `by`, under their own names.
        - ``item``, ``other``: what was bought, and what was bought with it or after it, of the
          type of `item`.
        - ``n``, ``n_both`` (int): trials of the item, and those with a hit.
        - ``rate`` (float): their share, which others call confidence.
        - ``lower``, ``upper`` (float): its interval.
        - ``base_rate`` (float): share of all trials with a hit of the other item.
        - ``lift`` (float): how many times the base rate the rate is; 1 is chance.
        - ``lift_lower``, ``lift_upper`` (float): its interval.
        - ``p_value``, ``p_adjusted`` (float): two-sided, of a lift of 1.
        - ``repeat`` (bool): whether both are the same item: then the rate is that of buying again.
        - ``open`` (int): trials of the item that are not over; 0 in baskets.
        - ``median_days`` (float): median of the days from the purchase to the hit, as calendars
          count them; NaN in baskets.

    Raises
    ------
    MissingColumnError
        If a column is not in the frame (a `KeyError`).
    ColumnTypeError, ArgumentTypeError
        If a column or an argument is of the wrong type (a `TypeError`).
    ArgumentError
        If an argument has a wrong value; if baskets come without `order`; if a column has nulls; if
        a customer, or an order, has several values of `by` (a `ValueError`).

    Warns
    -----
    RetainkitWarning
        If something is left out: items with few trials, rows at or after `as_of`, rows with nulls.
        The message says how much.

    See Also
    --------
    retainkit.plot.affinity : A picture of the pairs that are most certain.

    Notes
    -----
    Sort by lift, and what was bought once is on top: of the 9,835 baskets of the Groceries data
    [3]_ cocoa drinks and preservation products, together in one of them, with a lift of 223.5.
    `min_trials` leaves out what is too rare to say anything of; among the others ``lift_lower``
    puts first what is surely above chance. The interval takes the base rate for known, and is on
    the safe side for common items: at 95% it holds the true lift in up to 98% of cases.

    Counting trials that are open makes every rate too low, most of all for what began to sell of
    late. The p-values of what comes next are approximate: a customer has a trial for each item.

    That items go together does not say that one brings the other, nor what a recommendation would
    add: for that, leave some customers without it.

    Support, as others have it, is ``n_both`` over the number of orders. With ``min_trials=1`` rates
    and lifts of baskets are those of the apriori rules from one item to one other.

    References
    ----------
    .. [1] Wilson, E. B. (1927), "Probable Inference, the Law of Succession, and Statistical
       Inference", Journal of the American Statistical Association 22 (158), 209-212.
    .. [2] Holm, S. (1979), "A Simple Sequentially Rejective Multiple Test Procedure", Scandinavian
       Journal of Statistics 6 (2), 65-70.
    .. [3] Hahsler, M., Hornik, K. & Reutterer, T. (2006), "Implications of Probabilistic Data
       Modeling for Mining Association Rules", in: From Data and Information Analysis to Knowledge
       Engineering, Springer, 598-605.

    Examples
    --------
    Ann, Bob and Cy buy coffee; Ann buys filters 4 days later and coffee again after 19, Bob buys
    filters after 7 days. Dee buys tea. That makes three trials of coffee, two of filters and one
    of tea, six in all: two of them hit filters (a base rate of 1/3) and two hit coffee.

    >>> import pandas as pd
    >>> from retainkit import product_affinity
    >>> names = ["ann", "ann", "ann", "bob", "bob", "cy", "dee"]
    >>> lines = pd.DataFrame({"customer_id": names})
    >>> lines["item"] = ["coffee", "filters", "coffee", "coffee", "filters", "coffee", "tea"]
    >>> lines["time"] = pd.to_datetime([f"2024-01-{day:02}" for day in [1, 5, 20, 2, 9, 3, 4]])
    >>> found = product_affinity(lines, as_of="2024-06-01", min_trials=1)
    >>> columns = ["item", "other", "n", "n_both", "base_rate", "lift", "p_value", "median_days"]
    >>> found[columns].round(2)
          item    other  n  n_both  base_rate  lift  p_value  median_days
    0   coffee  filters  3       2       0.33   2.0      0.4          5.5
    1  filters   coffee  2       1       0.33   1.5      1.0         15.0
    2   coffee   coffee  3       1       0.33   1.0      1.0         19.0
    """
    options = AffinityOptions(
        item=item,
        customer=customer,
        time=time,
        order=order,
        kind=kind,
        window=window,
        as_of=as_of,
        min_trials=min_trials,
        by=by,
        adjust=adjust,
        confidence_level=confidence_level,
        tz=tz,
        missing=missing,
    )
    log, spec = read_lines(lines, options)
    module: Any = reducer(log.rows, lazy=_lazy, eager=_eager)
    count = module.count_next if kind == "next" else module.count_baskets
    counts: PairCounts = count(log, spec)
    _warn_of_rare(counts, options)
    names = dict(zip(log.keys, log.by, strict=True))
    columns = estimates(counts, names, adjust, confidence_level)
    result: TableT = build_like(log.rows, columns)
    return result


def _warn_of_rare(counts: PairCounts, options: AffinityOptions) -> None:
    """Warn of the items that have too few trials."""
    if not counts.n_rare:
        return
    total = counts.n_rare + len(counts.trials)
    trials = "orders" if options.kind == "basket" else "trials that are over"
    warn(
        f"{counts.n_rare:,} of {count_noun(total, 'item')}, such as "
        f"{format_examples(counts.rare_items[:3])}, have fewer than {options.min_trials} {trials} "
        "(`min_trials`): left out.",
        code="rare_items",
        argument="min_trials",
        rows=counts.n_rare,
        total=total,
    )
