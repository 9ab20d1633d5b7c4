"""Exceptions of this package, and its one category of warnings.

Every exception is also the builtin that a caller would expect::

    RetainkitError
    ├── MissingColumnError      KeyError      a column named by an argument is not in the frame
    ├── ColumnTypeError         TypeError     a column holds the wrong type
    ├── ArgumentTypeError       TypeError     an argument is of the wrong type
    ├── ArgumentError           ValueError    an argument, or the data it names, has a wrong value
    └── MissingDependencyError  ImportError   an optional package is not installed

All warnings are of the category `RetainkitWarning`. Errors and warnings have their facts as
attributes too, so that a program need not read the text: `code`, `argument`, `column`, `rows` and
`total`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any, ClassVar

__all__ = [
    "CODES",
    "ArgumentError",
    "ArgumentTypeError",
    "ColumnTypeError",
    "MissingColumnError",
    "MissingDependencyError",
    "RetainkitError",
    "RetainkitWarning",
]

CODES: Mapping[str, str] = {
    "argument_value": "An argument has a value that it cannot have.",
    "argument_type": "An argument is of a type that it cannot have.",
    "argument_needed": "An argument is needed beside one that is given, or for this table.",
    "argument_conflict": "Two arguments contradict each other, or one is of no use then.",
    "empty_argument": "An argument that must name something is empty.",
    "unknown_choice": "A word is none of those that there are.",
    "unknown_reference": "The reference is none of the groups.",
    "percent_not_fraction": "A number above 1 stands where a fraction is meant: 5 for 0.05.",
    "named_twice": "A column is named twice.",
    "reserved_name": "A column is called like one of the result.",
    "not_a_time": "An argument is no date or time that can be read.",
    "length_without_unit": "A length of time has no unit: 12 what?",
    "length_type": "A length of time is neither text nor a timedelta.",
    "length_unit": "A length of time has a unit that is not known.",
    "ambiguous_unit": "A unit of time may mean two: `m`.",
    "length_not_whole": "A length of time is no whole number of what is counted.",
    "length_out_of_range": "A length of time is too short or too long.",
    "calendar_length": "Months and years have no fixed length, where one is needed.",
    "short_window": "A window is shorter than the period that ends with it.",
    "split_period": "A day cuts a period in two.",
    "unknown_time_zone": "There is no time zone of that name here.",
    "no_time_zones": "There is no database of time zones here.",
    "zone_rules": "Two copies of the rules of a time zone disagree.",
    "no_zone": "Times have no time zone, where one is needed.",
    "mixed_engines": "Tables that are joined are held by different engines.",
    "mixed_zones": "Some times have a time zone, and others have none.",
    "unattainable_limits": "Weights within these limits cannot reach the margins.",
    "missing_column": "A column is not in the table.",
    "missing_dependency": "A package is not installed.",
    "column_type": "A column holds values of another type.",
    "duplicate_columns": "Several columns have one name.",
    "null_values": "Values are null where one is needed.",
    "negative_values": "Numbers are below 0.",
    "infinite_values": "Numbers are infinite, or too large to compute with.",
    "tiny_values": "Numbers are too small to compute with.",
    "not_whole": "Numbers are not whole.",
    "not_a_share": "Numbers are not between 0 and 1, where they are shares.",
    "not_a_fraction": "Numbers are above 1, where they are rates.",
    "impossible_values": "Numbers are beyond what there can be.",
    "count_above_total": "A part is more than the whole.",
    "counts_do_not_add_up": "Parts do not add up to the whole.",
    "duplicate_rows": "Rows are there twice, or there are several where there must be one.",
    "overlapping_rows": "Rows of one subscription overlap, and contradict each other.",
    "several_values": "A customer, or a table, has several values where there must be one.",
    "several_segments": "A table has several segments where there must be one.",
    "several_starts": "A customer has several starts.",
    "several_currencies": "Money of several currencies cannot be added up.",
    "unknown_currency": "There is no rate for a currency.",
    "repeated_customers": "A customer has several rows in a table of customers.",
    "unknown_customers": "Customers of one table are not in the other.",
    "no_common_customers": "Two tables have no customer in common.",
    "ambiguous_segment": "A customer has several segments.",
    "empty_rule": "A rule has no condition, or some that exclude each other.",
    "no_rule": "A row meets no rule, and there is no segment for the others.",
    "several_rules": "A row meets several rules, where one must decide.",
    "unmet_rule": "Nobody meets a rule.",
    "end_before_start": "What ends, or was answered, did so before it began.",
    "same_time": "Of several rows at one time it cannot be told which is the last.",
    "beyond_calendar": "A time lies beyond the years 1 to 9999.",
    "no_variation": "A covariate is the same for everybody, or follows from others.",
    "too_many_levels": "A column of words has too many levels to be a covariate.",
    "unknown_level": "A level of a covariate was not among the customers of the fit.",
    "unknown_covariate": "A model knows no covariate of that name.",
    "too_many_rows": "The result would not fit into memory, as after a stray date.",
    "mixed_units": "Times of one table are in several units.",
    "unit_mismatch": "Two units of time contradict each other.",
    "unit_unknown": "It is not known in what unit times are.",
    "not_a_result": "A table is no result that the function takes.",
    "not_a_segment": "A column tells no segments apart.",
    "unordered_edges": "Edges of periods do not rise, or there are fewer than two.",
    "period_not_whole_days": "A period does not begin and end at midnight, where days are counted.",
    "unordered_periods": "Periods are not one after another.",
    "bracketed_ages": "Ages are brackets of several.",
    "no_age_0": "A cohort has no row of age 0.",
    "rising_survivors": "More customers are there at one age than at the age before.",
    "too_few_periods": "There are too few periods to judge by.",
    "off_scale": "Answers are not on the scale.",
    "unknown_labels": "Answers in words have no score.",
    "repeated_respondents": "A respondent answered several times.",
    "values_without_share": "Values of the responses have no share in the population.",
    "shares_without_rows": "Values of the population have no responses.",
    "nothing_to_weight": "No value has a share above 0.",
    "nothing_to_learn": "Nothing can be learnt from the table.",
    "no_time": "No time is left to observe.",
    "no_model": "What is given is no model of the kind that is needed.",
    "not_fitted": "A model of another library is not fitted.",
    "not_converged": "A search for the best numbers did not come to an end.",
    "infinite_mean": "A mean is infinite.",
    "seed_missing": "Random numbers need a seed.",
    "not_saved_so": "A saved object is not as `to_dict` gave it.",
    "unknown_format": "A saved object is of a newer version.",
    "care_needed": "Something needs care.",
    "rows_after_as_of": "Rows at or after the end of observation are not used.",
    "open_horizon": "The window in which an outcome shows is not over.",
    "overlapping_horizons": "Windows in which outcomes show overlap.",
    "empty_snapshot": "Nobody is in a snapshot.",
    "outside_edges": "Rows, or starts of customers, lie outside the edges of all periods.",
    "rows_before_start": "Rows before a start are not used, or a start is before all rows.",
    "start_after_as_of": "Customers start at or after the end of observation.",
    "ends_after_as_of": "Subscriptions end after the end of observation, and count as running.",
    "entry_after_end": "Customers come under observation after they left.",
    "empty_subscriptions": "Subscriptions end as they start.",
    "free_subscriptions": "Subscriptions of an amount of 0 make no customer.",
    "customers_left_out": "Customers are not in the result.",
    "incomplete_rows": "Rows whose time is not over are not used.",
    "small_cohorts": "Cohorts with few customers are left out.",
    "rare_items": "Items with few trials are left out.",
    "no_purchase_left": "Customers have refunds and no purchase.",
    "nobody_judged": "Nobody was there for long enough, or came often enough, to be judged.",
    "no_value": "Customers paid nothing, or less.",
    "unmatched_costs": "Cohorts have no cost, or costs no customers.",
    "unordered_cuts": "Intervals between cuts do not follow one another.",
    "no_cuts": "There are no cuts for a segment.",
    "empty_scores": "Nobody has some score.",
    "gap_leaves_nothing": "The gap is so long that no period can be judged.",
    "ends_look_like_last_days": "Ends seem to be last days, not the days after.",
    "looks_like_levels": "A table seems to hold levels, not subscriptions.",
    "looks_like_lines": "A table seems to hold invoice lines, not subscriptions.",
    "segment_of_the_outcome": "A segment seems to be made of the outcome.",
    "other_scale": "Answers look like those of another scale.",
    "few_answers": "Segments with few answers show no score.",
    "few_outweigh_all": "A few answers outweigh all others.",
    "unpaired_answers": "Respondents answered in one of two groups only.",
    "nothing_observed": "Nothing has been observed of what an argument asks for.",
    "unused_value": "Nobody gave an answer that an argument names.",
    "unreliable_interval": "An interval rests on few draws.",
    "leaked_feature": "A feature tells the outcome: it seems to know what came after.",
    "fit_needs_care": "A fit has something to tell: see its diagnostics.",
    "before_fit": "A table ends before the data of the fit.",
    "beyond_fit": "A table is of a much longer time than the fit.",
    "first_purchase_counted": "The first purchase seems to be counted as a repeat purchase.",
    "contracts": "Customers look like subscribers, not like buyers.",
    "no_intervals": "A model has no covariance, and so there are no intervals.",
    "extrapolation": "A horizon is longer than anything observed.",
    "dependent_spend": "Spend goes with frequency, which the models exclude.",
}
"""The kinds of faults, by the `code` of an error or a warning. A code keeps its meaning."""


class _Report(Exception):  # noqa: N818  warnings are of it too
    """The facts of an error or a warning.

    Attributes
    ----------
    code : str
        The kind of fault, one of `CODES`: a word that stays the same from version to version.
    argument, column : str, optional
        The argument that is at fault, and the column that it names.
    rows, total : int, optional
        How many rows are concerned, and of how many.
    """

    default_code: ClassVar[str] = ""

    def __init__(
        self,
        message: str = "",
        *,
        code: str = "",
        argument: str | None = None,
        column: str | None = None,
        rows: int | None = None,
        total: int | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code or self.default_code
        self.argument = argument
        self.column = column
        self.rows = rows
        self.total = total


class RetainkitError(_Report):
    """Base of every exception that retainkit raises on purpose."""


class ArgumentError(RetainkitError, ValueError):
    """An argument, or the data that it names, has a wrong value."""

    default_code = "argument_value"


class ArgumentTypeError(RetainkitError, TypeError):
    """An argument is of the wrong type."""

    default_code = "argument_type"


class ColumnTypeError(RetainkitError, TypeError):
    """A column named by an argument holds the wrong type."""

    default_code = "column_type"


# The two names that tables of money have here, and what is in such a column.
_MONEY = {
    "mrr": "what a subscription brings in a month",
    "amount": "what is paid",
}


def _money_hint(argument: str, column: str, columns: Sequence[Any]) -> str:
    """Return what to write where money is in the column of the other name."""
    for other, holds in _MONEY.items():
        if argument == "amount" and column in _MONEY and column != other and other in columns:
            wanted = _MONEY[column]
            return f"\nIt has {other!r} ({holds}): write amount={other!r} if that is {wanted}."
    return ""


_MOST_COLUMNS = 40  # that are all listed
_NEAR_COLUMNS = 5


class MissingColumnError(RetainkitError, KeyError):
    """A column named by an argument is not in the frame."""

    default_code = "missing_column"

    def __init__(
        self, argument: str, column: str, columns: Sequence[Any], advice: str = ""
    ) -> None:
        hint = get_close_matches(column, [name for name in columns if isinstance(name, str)], n=1)
        self.message = (
            f"`{argument}` needs the column {column!r}, which the frame does not have.\n"
            + _format_columns(column, columns)
            + (f"\nDid you mean {hint[0]!r}?" if hint else "")
            + _money_hint(argument, column, columns)
            + (f"\n{advice}" if advice else "")
        )
        super().__init__(self.message, argument=argument, column=column)
        # Exceptions are pickled by their arguments.
        self.args = (argument, column, columns, advice)

    def __str__(self) -> str:
        """Return the message itself: KeyError would show its repr, newlines and all."""
        return self.message


def _format_columns(column: str, columns: Sequence[Any]) -> str:
    """Return what columns there are: all, or of many those that are most like the missing one."""
    if len(columns) <= _MOST_COLUMNS:
        return f"The frame has: {', '.join(map(repr, columns)) or 'no columns'}."
    names = [name for name in columns if isinstance(name, str)]
    near = get_close_matches(column, names, n=_NEAR_COLUMNS, cutoff=0) or list(columns[:5])
    others = f"{len(columns) - len(near):,} others"
    return f"The frame has: {', '.join(map(repr, near))} and {others}."


class MissingDependencyError(RetainkitError, ImportError):
    """An optional package that a function needs is not installed."""

    default_code = "missing_dependency"


class RetainkitWarning(_Report, UserWarning):
    """Something was set aside, or a number needs care; the message says what and how much."""

    default_code = "care_needed"
