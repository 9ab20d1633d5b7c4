"""Suggest what somebody may have meant by a word that is none of those that there are."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from difflib import get_close_matches

# Other words for the choices of options, in small letters: what pandas and Polars call periods,
# and the names of other packages.
_WORDS: Mapping[str, str] = {
    **dict.fromkeys(("h", "1h", "hr", "hourly"), "hour"),
    **dict.fromkeys(("d", "1d", "b", "daily", "date"), "day"),
    **dict.fromkeys(("w", "1w", "wk", "weekly"), "week"),
    **dict.fromkeys(("m", "1mo", "mo", "me", "ms", "monthly"), "month"),
    **dict.fromkeys(("q", "1q", "qe", "qs", "qtr", "quarterly"), "quarter"),
    **dict.fromkeys(("y", "1y", "ye", "ys", "a", "yr", "yearly", "annual", "annually"), "year"),
    **dict.fromkeys(("ignore", "skip", "omit"), "drop"),
    **dict.fromkeys(("error", "refuse", "strict"), "raise"),
    # Of ends: pandas calls an interval with its last day closed, on the right or on both sides.
    **dict.fromkeys(("inclusive", "included", "closed", "both", "right", "day"), "last_day"),
    **dict.fromkeys(("paid_through", "valid_to", "end_date", "through", "until"), "last_day"),
    **dict.fromkeys(("left", "open", "half_open"), "exclusive"),
    "exact": "clopper_pearson",
    "beta": "clopper_pearson",
    "ac": "agresti_coull",
    "shapley": "lmg",
    "johnson": "relative_weights",
    "newest": "last",
    "oldest": "first",
}

# Names of retainkit by what other packages and the field call the same.
_NAMES: Mapping[str, str] = {
    **dict.fromkeys(("ltv", "lifetime_value", "customer_lifetime_value", "predicted_ltv"), "cltv"),
    **dict.fromkeys(("rfm", "summary_data_from_transaction_data", "rfm_table"), "rfm_summary"),
    **dict.fromkeys(("cac", "ltv_cac", "cac_payback"), "payback"),
    **dict.fromkeys(("ltv_curve", "cumulative_ltv"), "observed_value"),
    "customer_acquisition_value": "new_customer_value",
    "calibration_and_holdout_data": "calibration_holdout",
    **dict.fromkeys(("betageofitter", "bg_nbd", "bgnbd_fit"), "fit_bg_nbd"),
    **dict.fromkeys(("modifiedbetageofitter", "mbg_nbd"), "fit_mbg_nbd"),
    **dict.fromkeys(("paretonbdfitter", "pareto_nbd", "pnbd"), "fit_pareto_nbd"),
    **dict.fromkeys(("gammagammafitter", "gamma_gamma"), "fit_gamma_gamma"),
    **dict.fromkeys(("betageobetabinomfitter", "shifted_beta_geometric"), "fit_sbg"),
    **dict.fromkeys(("arpu", "arpa", "arppu", "average_revenue_per_user"), "revenue_cohorts"),
    **dict.fromkeys(
        ("nrr", "ndr", "grr", "net_revenue_retention", "gross_revenue_retention"),
        "revenue_retention",
    ),
    **dict.fromkeys(("mrr", "arr", "mrr_waterfall", "revenue_churn"), "mrr_movements"),
    **dict.fromkeys(
        ("retention_rate", "cohort", "cohorts", "cohort_analysis", "cohort_table"),
        "cohort_retention",
    ),
    **dict.fromkeys(("members", "retained_customers"), "cohort_members"),
    **dict.fromkeys(("cohort_matrix", "triangle"), "retention_matrix"),
    **dict.fromkeys(("kaplan_meier", "km", "kaplanmeierfitter"), "survival_curve"),
    **dict.fromkeys(("median_survival", "median_tenure"), "median_lifetime"),
    **dict.fromkeys(("rmst", "mean_lifetime", "restricted_mean"), "expected_lifetime"),
    **dict.fromkeys(("logo_churn", "customer_churn", "attrition"), "churn_rate"),
    **dict.fromkeys(("dau", "wau", "mau", "stickiness", "dau_mau"), "active_users"),
    **dict.fromkeys(("l7", "l28", "l30", "power_user_curve"), "active_days"),
    **dict.fromkeys(("quick_ratio", "resurrection"), "growth_accounting"),
    **dict.fromkeys(("inactive", "lapsed", "dormancy"), "inactivity_churn"),
    **dict.fromkeys(("net_promoter_score", "enps"), "nps"),
    **dict.fromkeys(("customer_satisfaction", "csat_score", "csat_difference"), "csat"),
    **dict.fromkeys(("customer_effort_score", "ces_difference"), "ces"),
    **dict.fromkeys(("product_market_fit", "sean_ellis", "pmf_difference"), "pmf"),
    **dict.fromkeys(("churn_difference", "churn_rate_difference"), "rate_difference"),
    **dict.fromkeys(("log_rank", "logrank_test", "lifetime_difference"), "survival_difference"),
    **dict.fromkeys(("raking", "ipf", "weight"), "rake"),
    **dict.fromkeys(("post_stratify", "post_stratification"), "poststratify"),
    **dict.fromkeys(("driver_analysis", "relative_weights", "importance"), "key_drivers"),
    **dict.fromkeys(("segment", "segmentation", "label_segments"), "assign_segments"),
    **dict.fromkeys(("migration", "transition_matrix", "segment_transitions"), "segment_migration"),
    **dict.fromkeys(("audiences", "campaigns", "target_group"), "audience"),
    "sample_size": "survey_sample_size",
    **dict.fromkeys(("minimum_detectable_effect", "mde"), "survey_detectable_difference"),
    **dict.fromkeys(("spc", "shewhart"), "control_chart"),
    "heatmap": "retention_heatmap",
    "waterfall": "mrr_waterfall",
}


def nearest_word(word: str, choices: Iterable[str]) -> str | None:
    """Return the choice that a word may stand for: a synonym, its beginning, or nearly itself."""
    return _nearest(word, [*choices], _WORDS)


def nearest_name(name: str, names: Iterable[str]) -> str | None:
    """Return the public name that a name may stand for."""
    return _nearest(name, [*names], _NAMES)


def did_you_mean(word: str | None) -> str:
    """Return the question with which a message ends, if there is one."""
    return "" if word is None else f" Did you mean {word!r}?"


def _nearest(word: str, choices: Collection[str], synonyms: Mapping[str, str]) -> str | None:
    """Return the choice that a word comes nearest to, None if to none."""
    plain = {choice.lower(): choice for choice in choices}
    asked = word.strip().lower().replace(" ", "_").replace("-", "_")
    if asked in plain:
        return plain[asked]
    for own in (asked, asked.partition("_")[0]):  # pandas' W-SUN is a week
        if synonyms.get(own) in choices:
            return synonyms[own]
    begins = [choice for choice in plain if len(asked) > 1 and choice.startswith(asked)]
    if len(begins) == 1:
        return plain[begins[0]]
    close = get_close_matches(asked, [*plain], n=1, cutoff=0.7)
    return plain[close[0]] if close else None
