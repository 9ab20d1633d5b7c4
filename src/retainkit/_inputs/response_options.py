"""Options by which the answers of a survey are read, checked when they are given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, get_args

from retainkit._checks import boolean, one_of
from retainkit.errors import ArgumentError, ArgumentTypeError
from retainkit.typing import Missing, Repeat


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseOptions:
    """The columns of answers, and how they are read.

    Segments must not be called like one of the columns `reserved` by the result. Errors name an
    argument by `argument_names` where the public function has a name of its own for it. Answers in
    words need `labels`; a function that has no such argument does not `accept_text`. Arguments that
    are `needed` must name a column. A row that has a null where a value is needed is `missing`
    something; one in `score` is no answer.
    """

    score: str
    by: str | Sequence[str] | None = None
    weights: str | None = None
    counts: str | None = None
    respondent: str | None = None
    time: str | None = None
    repeat: Repeat = "cluster"
    labels: Mapping[Any, float] | None = None
    tz: str | None = None
    observed: bool = True
    missing: Missing = "raise"
    reserved: Sequence[str] = ()
    argument_names: Mapping[str, str] = field(default_factory=dict)
    accept_text: bool = True
    needed: Sequence[str] = ()

    @property
    def complete(self) -> tuple[str, ...]:
        """The arguments whose columns must have a value in each row."""
        dated = ("time",) if self.repeat in {"first", "last"} else ()
        return tuple(
            one for one in ("weights", "counts", "respondent", *dated) if getattr(self, one)
        )

    def __post_init__(self) -> None:
        """Check the options, and that they go together."""
        boolean("observed", self.observed)
        if self.labels is not None:
            label_scores(self.labels)
        one_of("repeat", self.repeat, get_args(Repeat))
        one_of("missing", self.missing, get_args(Missing))
        for other, value in (("weights", self.weights), ("respondent", self.respondent)):
            if self.counts is not None and value is not None:
                raise ArgumentError(
                    f"`counts` and `{other}` are both given. A row of `counts` stands for several "
                    "respondents who answered alike; give one of the two.",
                    code="argument_conflict",
                    argument=other,
                )
        if self.repeat in {"first", "last"} and self.respondent is not None and self.time is None:
            raise ArgumentError(
                f"`repeat` is {self.repeat!r}, which needs `time`: the column that tells when the "
                "answer was given.",
                code="argument_needed",
                argument="time",
            )
        if self.repeat != "cluster" and self.respondent is None:
            raise ArgumentError(
                f"`repeat` is {self.repeat!r}, which needs `respondent`: the column that tells "
                "whose answer it is.",
                code="argument_needed",
                argument="respondent",
            )


def label_scores(labels: Any) -> dict[Any, float]:
    """Return the score of each answer in words, NaN where it is no answer."""
    try:
        found = {
            label: float("nan") if score is None else float(score)
            for label, score in dict(labels).items()
        }
    except (TypeError, ValueError):
        raise ArgumentTypeError(
            f"`labels` is {labels!r}; it must be a mapping from answers to scores, such as "
            "{'Very satisfied': 5, 'Satisfied': 4}.",
            argument="labels",
        ) from None
    if not found:
        raise ArgumentError(
            "`labels` is empty; it must give a score for every answer.",
            code="empty_argument",
            argument="labels",
        )
    return found
