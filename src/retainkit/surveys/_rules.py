"""Rules of good and bad answers, a vendor's or the user's own.

A vendor's rule is defined for some scales, and raises on any other.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from retainkit._checks import is_list, one_of
from retainkit._inputs.scale import Scale
from retainkit._typing import Booleans, Floats
from retainkit.errors import ArgumentError, ArgumentTypeError

Span: TypeAlias = tuple[int, int]
# On each scale the first and last good answer, and the same of bad ones where a rule has them.
Preset: TypeAlias = Mapping[Span, tuple[Span, Span | None]]

CSAT_RULES: Mapping[str, Preset] = {
    # All answers that are not good are bad, 3 of 5 too.
    "zendesk": {
        (1, 2): ((2, 2), (1, 1)),
        (1, 3): ((3, 3), (1, 2)),
        (1, 5): ((4, 5), (1, 3)),
    },
    # github.com/formbricks/formbricks, pull request 7128.
    "formbricks": {
        (1, 3): ((3, 3), None),
        (1, 4): ((3, 4), None),
        (1, 5): ((4, 5), None),
        (1, 6): ((5, 6), None),
        (1, 7): ((6, 7), None),
        (1, 10): ((8, 10), None),
    },
    # help.simplesat.io, article 3456900.
    "simplesat": {
        (1, 2): ((2, 2), (1, 1)),
        (1, 3): ((3, 3), (1, 1)),
        (1, 4): ((3, 4), (1, 1)),
        (1, 5): ((4, 5), (1, 2)),
    },
    # support.nicereply.com, article 243: "4 and 5 as good".
    "nicereply": {(1, 5): ((4, 5), None)},
}
CES_RULES: Mapping[str, Preset] = {
    # All three are for the wording of 2013, "made it easy for me": high is good.
    "zonka": {(1, 7): ((5, 7), (1, 3))},
    "solucx": {(1, 7): ((5, 7), (1, 3))},  # npm, @solucx/indicators
    "cys": {(1, 7): ((6, 7), (1, 3))},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """The good and the bad answers of a scale; without `names_bad`, bad means not good."""

    name: str | None
    scale: Scale
    good: tuple[int, ...]
    bad: tuple[int, ...]
    names_bad: bool

    def is_good(self, values: Floats) -> Booleans:
        """Mark the good answers."""
        return np.isin(values, self.good)

    def is_bad(self, values: Floats) -> Booleans:
        """Mark the bad answers."""
        return np.isin(values, self.bad)

    def text(self, stat: str) -> str:
        """Write the rule as in the column ``rule`` of a result."""
        points = _spans(_all_answers(self.scale))
        if stat == "share":
            text = f"{_spans(self.good)} of {points}"
        elif stat == "net":
            text = f"{_spans(self.good)} less {_spans(self.bad)} of {points}"
        else:
            text = points
        return text if self.name is None else f"{self.name}: {text}"


def vendor_rule(name: Any, scale: Scale, known: Mapping[str, Preset]) -> Rule:
    """Return a vendor's rule for a scale."""
    found = known[one_of("rule", name, known)].get((int(scale.low), int(scale.high)))
    if found is None:
        scales = ", ".join(str(one) for one in known[name])
        raise ArgumentError(
            f"`rule` is {name!r}, which says nothing of the `scale` from {scale.low:g} to "
            f"{scale.high:g}; it knows {scales}. Say with `positive` which answers are good.",
            code="argument_conflict",
            argument="rule",
        )
    first, last = found[0]
    good = tuple(range(first, last + 1))
    bad = tuple(one for one in _all_answers(scale) if one not in good)
    if found[1] is not None:
        first, last = found[1]
        bad = tuple(range(first, last + 1))
    return Rule(name=name, scale=scale, good=good, bad=bad, names_bad=found[1] is not None)


def custom_rule(
    positive: Any, negative: Any, scale: Scale, *, higher_is_better: bool = True
) -> Rule:
    """Return the rule of given good and bad answers; by default the bad ones mirror the good ones.

    Where mirroring would make some of the good ones bad, all that are not good are bad.
    """
    points = _all_answers(scale)
    good = _read_answers("positive", positive, "top", points, higher_is_better=higher_is_better)
    if negative is None:
        mirrored = {points[0] + points[-1] - one for one in good}
        overlap = mirrored & set(good)
        bad = tuple(one for one in points if one not in good and (overlap or one in mirrored))
    else:
        bad = _read_answers(
            "negative", negative, "bottom", points, higher_is_better=not higher_is_better
        )
        both = sorted(set(good) & set(bad))
        if both:
            raise ArgumentError(
                f"`positive` and `negative` both hold {_spans(tuple(both))}; an answer is one of "
                "the two, or neither.",
                code="argument_conflict",
                argument="negative",
            )
    return Rule(name=None, scale=scale, good=good, bad=bad, names_bad=True)


def good_half(scale: Scale, *, higher_is_better: bool) -> tuple[int, ...]:
    """Return the answers on the good side of the middle of a scale."""
    middle = (scale.low + scale.high) / 2
    points = _all_answers(scale)
    return tuple(one for one in points if (one > middle if higher_is_better else one < middle))


def _read_answers(
    argument: str,
    given: Any,
    word: str,
    points: tuple[int, ...],
    *,
    higher_is_better: bool,
) -> tuple[int, ...]:
    """Read a list of answers, or a word such as "top2" for the best or worst two of a scale."""
    span = _spans(points)
    need = f"it must be a word such as '{word}2', or a list of some of the answers {span}, not all."
    if isinstance(given, str):
        found = re.fullmatch(rf"{word}([1-9]\d*)", given)
        if found is None or int(found[1]) >= len(points):
            raise ArgumentError(
                f"`{argument}` is {given!r}; {need}",
                code="argument_value",
                argument=argument,
            )
        number = int(found[1])
        return points[-number:] if higher_is_better else points[:number]
    if not is_list(given) and not isinstance(given, (set, frozenset)):
        raise ArgumentTypeError(
            f"`{argument}` is {given!r}; {need}",
            argument=argument,
        )
    answers = list(given)
    if not answers or any(one not in points for one in answers) or set(answers) == set(points):
        raise ArgumentError(
            f"`{argument}` is {given!r}; {need}",
            code="argument_value",
            argument=argument,
        )
    return tuple(one for one in points if one in answers)


def _all_answers(scale: Scale) -> tuple[int, ...]:
    """Return all answers of a scale."""
    return tuple(range(int(scale.low), int(scale.high) + 1))


def _spans(answers: tuple[int, ...]) -> str:
    """Write whole numbers as spans: 1-3, 5."""
    joint = " to " if answers and answers[0] < 0 else "-"
    spans: list[list[int]] = []
    for one in answers:
        if spans and one == spans[-1][-1] + 1:
            spans[-1].append(one)
        else:
            spans.append([one])
    return ", ".join(f"{s[0]}{joint}{s[-1]}" if len(s) > 1 else f"{s[0]}" for s in spans)
