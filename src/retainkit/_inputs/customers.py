"""Read tables of customers, reduce them to their distinct rows, and return results by customer.

Models look at nothing but frequency, recency and T, or frequency and spend, and many customers have
the same. So what is expensive is computed once for each distinct row.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np

from retainkit._frames.groupby import group_sum
from retainkit._frames.input import Frame, check_present, collect, count_rows, from_native
from retainkit._frames.join import join_in_order, to_engine_of
from retainkit._frames.names import inner_name
from retainkit._frames.output import build_like, to_native
from retainkit._frames.segments import factorize_segments
from retainkit._inputs.columns import Column, read_columns
from retainkit._inputs.covariates import CodedCovariates, Covariates, covariate_columns, is_key
from retainkit._inputs.kept import Kept
from retainkit._inputs.kinds import Kind, is_numeric, read_float
from retainkit._inputs.time_unit import (
    TIME_UNIT,
    one_unit,
    unit_key,
    unit_of_key,
    units_in_memory,
)
from retainkit._messages import count_noun, format_examples, named
from retainkit._typing import Booleans, Floats, Integers, NativeT
from retainkit.errors import ArgumentError
from retainkit.typing import Period

HISTORY = ("frequency", "recency", "T")
SPEND = ("frequency", "monetary_value")
HOLDOUT = ("frequency_holdout", "duration_holdout")
"""The arguments that name the columns of a purchase history, of spend, and of a holdout."""

MEAN_AMOUNTS = {"monetary_value": "frequency", "monetary_value_holdout": "frequency_holdout"}
"""The columns of mean amounts, and of the number of purchases that they are means of."""

# Values are checked by distinct row.
_FINITE = Kind(need="numbers", fits=is_numeric, stands_for="numbers")
CUSTOMERS = tuple(
    Column(argument, _FINITE, nulls="keep", required=argument != "weights")
    for argument in (*HISTORY, *HOLDOUT, *MEAN_AMOUNTS, "weights")
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Customers:
    """A checked table of customers.

    `names` maps each argument to its column. `distinct` holds the distinct rows by argument, and
    `counts` the number of customers with each, or their weight. `code` is the number of the
    distinct row of every customer, where the table is in memory. `unit` is that of the times, where
    a column names it. `covariates` are those of the table, which has columns of their numbers.
    """

    frame: Frame
    names: dict[str, str]
    distinct: dict[str, Floats]
    counts: Floats
    code: Integers | None
    unit: Period | None
    covariates: CodedCovariates | None = None

    @property
    def values(self) -> dict[str, nw.Expr]:
        """The columns as floats, by argument."""
        return dict(zip(self.names, key_columns(self.frame, self.names).values(), strict=True))

    def with_scores(self, customer: str, scores: Mapping[str, Floats], **carried: nw.Expr) -> Frame:
        """Return every customer with the scores of its distinct row, and columns `carried` along.

        The customer is called ``customer``.
        """
        check_present("customer", customer, self.frame)
        customer = inner_name(self.frame, customer)
        if isinstance(self.frame, nw.DataFrame):
            beside = self.frame.select(nw.col(customer).alias("customer"), **carried)
            columns: dict[str, Any] = {name: beside[name] for name in beside.columns}
            columns |= {name: values[self.code] for name, values in scores.items()}
            return from_native(build_like(self.frame, columns), "summary")
        keys = key_columns(self.frame, self.names)
        rows = self.frame.select(customer=nw.col(customer), **keys, **carried)
        distinct = dict(zip(keys, self.distinct.values(), strict=True))
        table = to_engine_of(self.frame, distinct | dict(scores))
        return join_in_order(rows, table, [*keys])

    def score_table(self, customer: str, scores: Mapping[str, Floats], kept: Kept) -> NativeT:  # type: ignore[type-var]
        """Return every customer with the scores of its row, in the caller's kind of frame.

        What is `kept` of the table stands between the two.
        """
        rows = self.with_scores(customer, scores, **kept.carried)
        return kept.give_back(rows, customer, {name: name for name in scores})


def key_columns(frame: Frame, names: Mapping[str, str], prefix: str = "key_") -> dict[str, nw.Expr]:
    """Return the columns as floats; without purchases a mean amount is ignored."""
    names = {argument: inner_name(frame, column) for argument, column in names.items()}
    keys = {argument: nw.col(column).cast(nw.Float64) for argument, column in names.items()}
    for mean in MEAN_AMOUNTS.keys() & names.keys():
        number = MEAN_AMOUNTS[mean]
        none = nw.col(names[number]) == 0
        # 0 by way of a column: a literal has no length in an empty frame of narwhals 2.5.
        keys[mean] = nw.when(none).then(keys[number]).otherwise(keys[mean])
    return {f"{prefix}{i}": key for i, key in enumerate(keys.values())}


def read_customers(
    native: Any,
    columns: Mapping[str, str],
    *,
    weights: str | None = None,
    unit: Period | None = None,
    covariates: Covariates | None = None,
) -> Customers:
    """Check a table of customers: each argument of `columns` names a column of numbers.

    `unit` is the one in which its times should be, if it is known. `covariates` are further
    columns, each by the argument that names it, and their levels where they are known.
    """
    if covariates is None or not covariates.arguments:
        customers = _distinct_customers(native, columns, weights, unit)
        check_distinct_rows(customers.distinct, customers.counts, customers.names)
        return customers
    coded = covariates.add_to(from_native(native, "summary"))
    every = {**columns, **coded.names}
    customers = _distinct_customers(to_native(coded.frame), every, weights, unit)
    numbers = {name: customers.distinct[name] for name in columns}
    check_distinct_rows(numbers, customers.counts, customers.names)
    coded.check_known(customers.distinct, customers.counts)
    return replace(customers, covariates=coded)


def read_histories_and_spend(
    native: Any, columns: Mapping[str, str]
) -> tuple[Customers, Customers]:
    """Check a summary of purchases, and find its distinct histories and its distinct spend."""
    customers = _distinct_customers(native, columns, None, None)
    histories, spend = (reduced_to(customers, arguments) for arguments in (HISTORY, SPEND))
    for part in (histories, spend):
        check_distinct_rows(part.distinct, part.counts, part.names)
    return histories, spend


def reduced_to(customers: Customers, arguments: Sequence[str]) -> Customers:
    """Return the distinct rows of some of the columns."""
    values = [customers.distinct[name] for name in arguments]
    order = np.lexsort(values[::-1])
    differs = [one[order][1:] != one[order][:-1] for one in values]
    opens = np.append(True, np.any(differs, axis=0))[: len(order)]
    group = np.empty(len(order), np.int64)
    group[order] = np.cumsum(opens) - 1
    return replace(
        customers,
        names={name: customers.names[name] for name in arguments},
        distinct={name: customers.distinct[name][order[opens]] for name in arguments},
        counts=group_sum(customers.counts, group, int(opens.sum())),
        code=None if customers.code is None else group[customers.code],
    )


def _distinct_customers(
    native: Any, columns: Mapping[str, str], weights: str | None, likely: Period | None
) -> Customers:
    """Read the distinct rows of a table of customers, without a check of their values."""
    names = dict(columns)
    declared = (*CUSTOMERS, *covariate_columns(filter(is_key, names)))
    table = read_columns(native, "summary", declared, {**names, "weights": weights})
    frame = table.given
    keys = key_columns(frame, names)
    weight = (
        {"weight": read_float(nw.col(inner_name(frame, weights)), nw.Float64())} if weights else {}
    )
    unit = unit_key(frame, "summary", likely)
    rows = frame.select(**keys, **weight, **unit)
    found, counts, code, units = _distinct_rows(rows, [*keys], likely)
    if weights and not np.isfinite(counts).all():
        raise _wrong_weights(rows.select("weight"), weights)
    return Customers(
        frame=frame,
        names=names,
        distinct=dict(zip(names, found, strict=True)),
        counts=counts,
        code=code,
        unit=one_unit(units, frame, "summary"),
    )


def _distinct_rows(
    rows: Frame, keys: list[str], likely: Period | None
) -> tuple[list[Floats], Floats, Integers | None, list[Any]]:
    """Return the distinct rows, their numbers or weights, the distinct row of each row, and units.

    The unit is the same throughout, so that it makes no more distinct rows. Where weights are no
    numbers from 0 on, their sums are NaN.
    """
    columns = rows.collect_schema().names()
    weighted, units = "weight" in columns, [TIME_UNIT] if TIME_UNIT in columns else []
    code = None
    if isinstance(rows, nw.DataFrame):
        found, code = factorize_segments(rows, keys)
        weight = rows["weight"].to_numpy().astype(np.float64) if weighted else None
        if weight is not None and not (weight >= 0).all():
            weight = np.full(len(weight), np.nan)
        counts = np.bincount(code, weight, minlength=len(found[keys[0]])).astype(np.float64)
        found_units = [one for name in units for one in units_in_memory(rows[name], likely)]
    else:
        values = {"rows": nw.len()}
        if weighted:
            own = nw.col("weight")
            values |= {"total": own.sum(), "least": own.min(), "known": own.count()}
        small = collect(rows.group_by(*keys, *units).agg(**values))
        counts = small["total" if weighted else "rows"].to_numpy().astype(np.float64)
        if weighted:
            known = small["known"].to_numpy() == small["rows"].to_numpy()
            counts[~(known & (small["least"].to_numpy().astype(np.float64) >= 0))] = np.nan
        found = {key: small[key] for key in keys}
        found_units = [
            unit_of_key(one, likely) for name in units for one in small[name].unique().to_list()
        ]
    arrays = [values.to_numpy().astype(np.float64) for values in found.values()]
    return arrays, counts, code, found_units


def _wrong_weights(rows: Frame, column: str) -> ArgumentError:
    """Return the error about weights, the one column of `rows`."""
    weight, total = nw.col("weight"), count_rows(rows)
    for what, code, wrong in (
        ("null", "null_values", weight.is_null()),
        ("negative", "negative_values", weight < 0),
        ("infinite", "infinite_values", weight == float("inf")),
    ):
        some = rows.filter(wrong)
        number = count_rows(some)
        if number:
            few = collect(some.unique().sort("weight").head(4))["weight"].to_list()
            shown = "" if what == "null" else f", for instance {format_examples(few)}"
            return ArgumentError(
                f"{named(column, 'weights')} is {what} in {count_noun(number, 'row')}, of "
                f"{total:,}{shown}. A weight is the number of customers in its row, 0 or more: put "
                "one there, or leave such rows out.",
                code=code,
                argument="weights",
                column=column,
                rows=number,
                total=total,
            )
    return ArgumentError(
        f"{named(column, 'weights')} adds up to more than a number can hold.",
        code="infinite_values",
        argument="weights",
        column=column,
    )


# What must hold of a row, by the arguments that it concerns.
_RULES: tuple[tuple[tuple[str, ...], str, Any], ...] = (
    (("frequency",), "a whole number, 0 or more", lambda x: (x >= 0) & (x == np.floor(x))),
    (("recency",), "0 or more", lambda tx: tx >= 0),
    (("T",), "0 or more", lambda T: T >= 0),  # noqa: N803
    (("recency", "T"), "at most `T`", lambda tx, T: tx <= T),  # noqa: N803
    (
        ("frequency", "recency"),
        "0 where there is no repeat purchase",
        lambda x, tx: (x > 0) | (tx == 0),
    ),
    (("frequency", "monetary_value"), "0 or more", lambda x, m: (x == 0) | (m >= 0)),
)


def check_distinct_rows(
    distinct: Mapping[str, Floats], counts: Floats, names: Mapping[str, str]
) -> None:
    finite = [((name,), "a number, and finite", np.isfinite) for name in distinct]
    for arguments, need, holds in (*finite, *_RULES):
        if not set(arguments) <= distinct.keys():
            continue
        wrong = ~holds(*(distinct[name] for name in arguments))
        if wrong.any():
            argument = (
                arguments[0] if len(arguments) == 1 or need.startswith("at") else arguments[1]
            )
            shown = [f"{value:g}" for value in distinct[argument][wrong][:3]]
            rows = int(counts[wrong].sum())
            raise ArgumentError(
                f"{named(names[argument], argument)} must be {need}; it is not in "
                f"{count_noun(rows, 'row')}, for instance {', '.join(shown)}. `rfm_summary` makes "
                "such a table of transactions.",
                code="impossible_values",
                argument=argument,
                column=names[argument],
                rows=rows,
                total=int(counts.sum()),
            )


def largest_time(rows: Customers) -> float:
    """Return the longest time for which a customer was observed; 0 where there are none."""
    observed: Floats = rows.distinct["T"][rows.counts > 0]
    return float(observed.max(initial=0.0))


def check_finite(infinite: Booleans, rows: Customers, q: float) -> None:
    """Check that no customer has an infinite expected spend."""
    if infinite.any():
        number_of = int(rows.counts[infinite].sum())
        raise ArgumentError(
            f"q is {q:g}, at which the expected spend of {count_noun(number_of, 'customer')} is "
            "infinite: the largest amounts decide everything. Look at them first; with "
            "infinite='median' the median, which is finite, stands in for it.",
            code="infinite_mean",
            rows=number_of,
            total=int(rows.counts.sum()),
            argument="infinite",
        )


def bought_again(rows: Customers) -> Booleans:
    """Return which distinct rows bought again and paid."""
    again: Booleans = (rows.distinct["frequency"] > 0) & (rows.distinct["monetary_value"] > 0)
    return again


def repeat_buyers(rows: Customers) -> tuple[Booleans, list[str]]:
    """Return which distinct rows bought again and paid, and a message about the others, if any."""
    x, m = rows.distinct["frequency"], rows.distinct["monetary_value"]
    used = bought_again(rows)
    if not rows.counts[used].sum():
        raise ArgumentError(
            "`summary` has no customers with a repeat purchase and a mean spend above 0, and "
            "nothing can be learnt from it.",
            code="nothing_to_learn",
            argument="summary",
        )
    nothing = int(rows.counts[(x > 0) & (m == 0)].sum())
    left_out = f"{count_noun(nothing, 'customer')} with a mean spend of 0 left out of the fit."
    return used, [left_out] if nothing else []
