"""The segments of a summary of orders: models fitted to each at once, and customers' values."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import narwhals.stable.v2 as nw

from retainkit._frames.input import Frame
from retainkit._frames.names import inner_name
from retainkit._inputs.customers import (
    Customers,
    largest_time,
    read_histories_and_spend,
    repeat_buyers,
)
from retainkit._messages import warn
from retainkit._models.gamma_gamma_fit import fit_spend_apart
from retainkit._models.model import model_from_fit
from retainkit._models.purchase_fits import fit_purchases_apart
from retainkit._progress import Step, steps_of
from retainkit.clv._assumptions import value_warnings
from retainkit.clv._bg_nbd import BGNBD
from retainkit.clv._fit_advice import fit_warnings
from retainkit.clv._given_models import GivenModels
from retainkit.clv._histories import history
from retainkit.clv._purchase_model import PurchaseModel
from retainkit.clv._spend import GammaGamma
from retainkit.clv._valuation import (
    ValuationOptions,
    ValuationSpec,
    valuation_spec,
    value_customers,
)
from retainkit.errors import ArgumentError
from retainkit.purchases._spec import SUMMARY
from retainkit.typing import Progress

_COLUMNS = {name: name for name in SUMMARY}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Segment:
    """A segment of a summary: how messages begin about it, its rows, and what is read of them."""

    label: str
    frame: Frame
    histories: Customers
    spend: Customers

    @property
    def is_empty(self) -> bool:
        """Return whether there are no customers to learn from, nor to value."""
        return not self.histories.counts.sum()

    @property
    def longest(self) -> float:
        """Return the longest time that one of its customers has been observed."""
        return 0.0 if self.is_empty else largest_time(self.histories)

    @contextmanager
    def named_in_errors(self) -> Iterator[None]:
        """Let errors begin with the segment that they are about."""
        try:
            yield
        except ArgumentError as error:
            raise ArgumentError(
                f"{self.label}{error}",
                code=error.code,
                argument=error.argument,
                column=error.column,
                rows=error.rows,
                total=error.total,
            ) from None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """The models of a segment, and what is to be said of their fits."""

    purchases: PurchaseModel
    spend: GammaGamma
    messages: Sequence[str] = ()


_OF_NOBODY = Pair(purchases=BGNBD(r=1, alpha=1, a=1, b=1), spend=GammaGamma(p=1, q=2, v=1))


def read_segment(frame: Frame, label: str) -> Segment:
    """Read the histories and the spend of a segment."""
    histories, spend = read_histories_and_spend(frame, _COLUMNS)
    return Segment(label=label, frame=frame, histories=histories, spend=spend)


def given_for_each(models: GivenModels, segments: Sequence[Segment]) -> list[Pair]:
    """Return the models that are given, for each segment."""
    return [Pair(purchases=models.purchases, spend=models.spend) for _ in segments]


def fit_each(segments: Sequence[Segment], penalty: float) -> list[Pair]:
    """Fit both models to each segment by itself."""
    known = [one for one in segments if not one.is_empty]
    histories = [(history(one.histories), one.histories.counts) for one in known]
    amounts, care = [], []
    for one in known:
        with one.named_in_errors():
            used, messages = repeat_buyers(one.spend)
        distinct = one.spend.distinct
        x, m = distinct["frequency"][used], distinct["monetary_value"][used]
        amounts.append((x, m, one.spend.counts[used]))
        care.append(messages)
    fits = fit_purchases_apart(BGNBD.PROCESS, histories, penalty)
    spend_fits = fit_spend_apart(amounts, penalty)
    pairs = iter(
        Pair(
            purchases=model_from_fit(BGNBD, fit, unit="day"),
            spend=model_from_fit(GammaGamma, spend_fit, unit="day"),
            messages=[*fit_warnings(fit, "day"), *messages, *fit_warnings(spend_fit)],
        )
        for fit, spend_fit, messages in zip(fits, spend_fits, care, strict=True)
    )
    return [_OF_NOBODY if one.is_empty else next(pairs) for one in segments]


def value_segments(
    segments: Sequence[Segment],
    pairs: Sequence[Pair],
    keys: Sequence[str],
    options: ValuationOptions,
    progress: Progress | None,
) -> list[Frame]:
    """Value the customers of each segment by its models, and warn of what needs care."""
    tables = []
    with steps_of(progress if options.refits else None, options.draws * len(segments)) as step:
        for one, pair in zip(segments, pairs, strict=True):
            table, messages = _value_segment(one, pair, keys, options, step)
            tables.append(table)
            for code, text in messages:
                warn(f"{one.label}{text}", code=code, argument="transactions")
    return tables


def _value_segment(
    segment: Segment,
    pair: Pair,
    keys: Sequence[str],
    options: ValuationOptions,
    step: Step,
) -> tuple[Frame, list[tuple[str, str]]]:
    """Value the customers of a segment; return codes and texts of warnings, too."""
    *segments, customer = keys
    beside = {name: nw.col(inner_name(segment.frame, name)) for name in segments}
    with segment.named_in_errors():
        spec = valuation_spec(pair.purchases, pair.spend, options)
        table, _, _ = value_customers(
            segment.frame,
            spec,
            customer,
            _COLUMNS,
            beside=beside,
            checked=(segment.histories, segment.spend),
            step=step,
            argument="transactions",
        )
    if segment.is_empty:
        return table, []
    warnings = [("fit_needs_care", text) for text in pair.messages]
    warnings += _extrapolation_warnings(spec, segment.histories)
    return table, warnings + value_warnings(spec, segment.histories, segment.spend)


def _extrapolation_warnings(spec: ValuationSpec, histories: Customers) -> list[tuple[str, str]]:
    """Return code and text of a warning of a horizon beyond all that was observed."""
    longest, unit = largest_time(histories), spec.purchases.unit
    if spec.horizon.length <= longest:
        return []
    text = (
        f"The horizon is {spec.horizon.length:,.0f} {unit}s, and no customer has been observed "
        f"for longer than {longest:,.0f}: the value extrapolates."
    )
    return [("extrapolation", text)]
