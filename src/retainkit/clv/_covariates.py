"""Covariates of models of customers: how a fit codes them, and how a summary is read with them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, get_args

import numpy as np

from retainkit._checks import one_of
from retainkit._inputs.columns import column_names
from retainkit._inputs.covariates import CodedCovariates, Covariates, key_of, union_of
from retainkit._inputs.customers import Customers
from retainkit._messages import count_noun, format_examples, named, quoted
from retainkit._models.covariate_model import CovariateModel
from retainkit._models.covariates import Covariate, columns_of
from retainkit._models.effects import RowCovariates
from retainkit._models.estimates import estimates_of
from retainkit._models.forecasts import parameters_of_one
from retainkit._models.process import RowParameters
from retainkit._typing import Booleans, Floats, Integers
from retainkit.errors import ArgumentError, ArgumentTypeError
from retainkit.typing import Profile, Unseen

if TYPE_CHECKING:
    from retainkit.clv._new_customers import NewCustomerModel

ByProcess = Mapping[str, Sequence[Covariate]]
"""Covariates of a model, by the process that they act on."""

_FAR = 2**40  # codes below it are far from overflow at the next covariate
_SAME = 1e-9  # share of the variance of columns that nothing else explains: it is rounding


# Of a summary that is scored


def check_unseen(unseen: Any) -> None:
    """Check the argument `unseen`."""
    one_of("unseen", unseen, get_args(Unseen))


def covariates_to_read(*models: CovariateModel) -> Covariates:
    """Return the covariates that models look at, with the levels that they know."""
    return union_of(
        Covariates(
            arguments={one.name: model.PROCESSES[process] for one in covariates},
            known={one.name: one.words for one in covariates},
        )
        for model in models
        for process, covariates in model.covariates_by_process.items()
    )


def scored_covariates(
    model: CovariateModel, rows: Customers, unseen: Unseen = "raise"
) -> RowCovariates | None:
    """Return the covariates of the distinct rows of a summary; None where the model has none."""
    if not model.has_covariates:
        return None
    coded = rows.covariates
    assert coded is not None  # noqa: S101
    values = {
        name: _known_values(one, coded, rows, unseen)
        for name, one in known_covariates(model).items()
    }
    return row_covariates(model.covariates_by_process, values, len(rows.counts))


def check_no_covariates(model: CovariateModel, argument: str, instead: str) -> None:
    """Check that a model has no covariates, where orders do not tell them."""
    if not model.has_covariates:
        return
    names = ", ".join(map(repr, known_covariates(model)))
    raise ArgumentError(
        f"`{argument}` has covariates ({names}), which orders do not tell. Make a summary that "
        f"does, by rfm_summary(keep_first=...), for {instead}.",
        code="argument_conflict",
        argument=argument,
    )


def covariates_of_profile(model: CovariateModel, profile: Profile | None) -> RowCovariates | None:
    """Return the covariates of one customer of this profile; None where the model has none."""
    every = known_covariates(model)
    given = check_profile(profile, every)
    if not every:
        return None
    values = {name: np.array([_value_in(given, one)], np.float64) for name, one in every.items()}
    return row_covariates(model.covariates_by_process, values, 1)


def parameters_of(model: NewCustomerModel, profile: Profile | None = None) -> RowParameters:
    """Return the four parameters of a customer of a profile, by default of the reference."""
    covariates = covariates_of_profile(model, profile)
    return parameters_of_one(model.PROCESS, estimates_of(model).point, covariates)


def known_covariates(model: CovariateModel) -> dict[str, Covariate]:
    """Return the covariates of a model by name."""
    return {one.name: one for some in model.covariates_by_process.values() for one in some}


def check_profile(profile: Any, known: Mapping[str, Covariate]) -> Mapping[str, Any]:
    """Check that a profile is a mapping of covariates that are known."""
    if profile is None:
        return {}
    if not isinstance(profile, Mapping):
        raise ArgumentTypeError(
            f"`profile` is {quoted(profile)}; it must be a mapping of covariates to their values.",
            argument="profile",
        )
    strange = [name for name in profile if name not in known]
    if strange:
        others = f"it knows {format_examples([*known])}" if known else "it has no covariates"
        raise ArgumentError(
            f"`profile` has {format_examples(strange[:4])}, unknown to the model; {others}.",
            code="unknown_covariate",
            argument="profile",
        )
    return profile


def _value_in(given: Mapping[str, Any], covariate: Covariate) -> float:
    """Return the number of a covariate in a profile; the reference where it is not there."""
    if covariate.name in given:
        return covariate.value_of(given[covariate.name], "profile")
    return 0.0 if isinstance(covariate.reference, str) else float(covariate.reference)


def row_covariates(
    covariates: ByProcess, values: Mapping[str, Floats], n_rows: int
) -> RowCovariates:
    """Return the covariates of rows, of which the values are given by name: of levels numbers."""
    kind, kinds = distinct_kinds(values, n_rows)
    n_kinds = int(kind.max(initial=-1)) + 1
    columns = {name: columns_of(some, kinds, n_kinds) for name, some in covariates.items()}
    return RowCovariates(kind=kind, columns=columns)


def distinct_kinds(values: Mapping[str, Floats], n_rows: int) -> tuple[Integers, dict[str, Floats]]:
    """Return the number of the combination of values of each row, and the values of each."""
    combined = np.zeros(n_rows, np.int64)
    for own in values.values():
        uniques, code = np.unique(own, return_inverse=True)
        combined = combined * len(uniques) + code
        if combined.max(initial=0) > _FAR:
            combined = np.unique(combined, return_inverse=True)[1]
    _, first, kind = np.unique(combined, return_index=True, return_inverse=True)
    return kind, {name: own[first] for name, own in values.items()}


def _known_values(
    covariate: Covariate, coded: CodedCovariates, rows: Customers, unseen: Unseen
) -> Floats:
    """Return the values of a covariate, of levels their places; unknown ones as `unseen` says."""
    values = rows.distinct[key_of(covariate.name)]
    words = covariate.words
    if words is None:
        return values
    levels = coded.levels[covariate.name]
    # Levels of another model may be among those that were looked for; the last place is of none.
    places = [words.index(one) if one in words else -1 for one in levels]
    found = np.array([*places, -1], np.float64)[values.astype(np.int64)]
    strange = found < 0
    if strange.any() and unseen == "raise":
        others = {levels[int(one)] for one in np.unique(values[strange]) if one >= 0}
        shown = sorted({*others, *coded.unknown(covariate.name)})
        number = int(rows.counts[strange].sum())
        argument = coded.arguments[covariate.name]
        raise ArgumentError(
            f"{named(covariate.name, argument)} is {format_examples(shown[:4])} in "
            f"{count_noun(number, 'row')}, of {int(rows.counts.sum()):,}; nobody of the fit had "
            f"that, and it knows {format_examples([*words[:4]])}. Fit the model anew, or take "
            f"such customers for {covariate.reference!r} with unseen='reference'.",
            code="unknown_level",
            argument=argument,
            column=covariate.name,
            rows=number,
            total=int(rows.counts.sum()),
        )
    return np.where(strange, 0.0, found)


# Of a summary that is fitted to


def covariates_of_fit(processes: Mapping[str, tuple[str, Any]]) -> tuple[Covariates, ByNames]:
    """Return the covariates to read for a fit, and their names by process.

    `processes` has for each of them its argument, and what was given for it.
    """
    arguments: dict[str, str] = {}
    names = {}
    for process, (argument, given) in processes.items():
        names[process] = column_names(argument, given)
        for name in names[process]:
            arguments.setdefault(name, argument)
    return Covariates(arguments=arguments), names


ByNames = Mapping[str, Sequence[str]]


def coded_for_fit(
    names: ByNames, rows: Customers, used: Booleans
) -> tuple[dict[str, list[Covariate]], RowCovariates | None]:
    """Return how the covariates of a fit are coded, and those of its rows, the `used` ones."""
    coded = rows.covariates
    if coded is None:
        return {process: [] for process in names}, None
    counts = rows.counts[used]
    found: dict[str, Covariate] = {}
    values: dict[str, Floats] = {}
    for name in coded.arguments:
        own = rows.distinct[key_of(name)][used]
        found[name], values[name] = _coded(name, own, counts, coded)
    covariates = {process: [found[name] for name in some] for process, some in names.items()}
    made = row_covariates(covariates, values, int(used.sum()))
    for process, some in covariates.items():
        _check_distinct_effects(process, some, made, counts, coded)
    return covariates, made


def _coded(
    name: str, values: Floats, counts: Floats, coded: CodedCovariates
) -> tuple[Covariate, Floats]:
    """Return a covariate with its reference, and its values: of levels the reference is 0."""
    levels = coded.levels.get(name)
    present = counts > 0
    if not (present.any() and np.ptp(values[present]) > 0):
        raise ArgumentError(
            f"{named(name, coded.arguments[name])} is the same for all customers of the fit, and "
            "nothing can be learnt of its effect. Leave it out.",
            code="no_variation",
            argument=coded.arguments[name],
            column=name,
        )
    if levels is None:
        return _coded_number(name, values, counts, boolean=name in coded.booleans), values
    customers = np.bincount(values.astype(np.int64), counts, len(levels))
    # The most frequent one, of several the first; levels of nobody, of weight 0, are not known.
    order = [int(np.argmax(customers))]
    order += [i for i in np.flatnonzero(customers).tolist() if i != order[0]]
    place = np.zeros(len(levels))
    place[order] = np.arange(len(order))
    covariate = Covariate(
        name=name,
        reference=levels[order[0]],
        levels=tuple(levels[i] for i in order[1:]),
        customers=tuple(customers[order].tolist()),
    )
    return covariate, place[values.astype(np.int64)]


def _coded_number(name: str, values: Floats, counts: Floats, *, boolean: bool) -> Covariate:
    """Return a number with its mean as the reference, or 0 where there are only 0 and 1."""
    total = float(counts.sum())
    present = values[counts > 0]
    if boolean or np.isin(present, (0.0, 1.0)).all():
        ones = float(counts[values == 1].sum())
        reference: float | bool = False if boolean else 0.0
        return Covariate(name=name, reference=reference, customers=(total - ones, ones))
    mean = float(np.average(values, weights=counts))
    return Covariate(name=name, reference=mean, customers=(total,))


def _check_distinct_effects(
    process: str,
    covariates: Sequence[Covariate],
    rows: RowCovariates,
    counts: Floats,
    coded: CodedCovariates,
) -> None:
    """Check that no column of a process follows from the others."""
    columns = rows.columns[process]
    if not covariates:
        return
    variances, axes = np.linalg.eigh(rows.spread(process, counts).correlation)
    if variances[0] > _SAME:
        return
    involved = np.unique(columns.group[np.abs(axes[:, 0]) > 1e-3])
    names = [covariates[i].name for i in involved.tolist()]
    argument = coded.arguments[names[0]]
    raise ArgumentError(
        f"`{argument}` has covariates of which one follows from the others: "
        f"{', '.join(map(repr, names))}. Their effects cannot be told apart; leave one out.",
        code="no_variation",
        argument=argument,
        column=names[-1],
    )


def with_coefficients(
    covariates: ByProcess, rows: RowCovariates | None, counts: Floats, coefficients: Floats
) -> dict[str, tuple[Covariate, ...]]:
    """Return the covariates of a fit to rows with the coefficients that it found."""
    found: dict[str, tuple[Covariate, ...]] = {}
    end = 0
    for process, some in covariates.items():
        own, column = [], 0
        scale = rows.spread(process, counts).deviation if rows and some else np.empty(0)
        for one in some:
            width = max(len(one.levels), 1)
            values = coefficients[end : end + width], scale[column : column + width]
            end, column = end + width, column + width
            own.append(
                replace(
                    one,
                    coefficients=tuple(values[0].tolist()),
                    scale=tuple(values[1].tolist()),
                )
            )
        found[process] = tuple(own)
    return found
