"""What the picture on the page of each plot function shows, for those who cannot see it."""

TEXTS = {
    "affinity": (
        "Two pairs of items, one above the other, each with a dot for its lift and a line for its "
        "interval, on a logarithmic axis with a line at 1; on the right, hits of trials."
    ),
    "calibration": (
        "Two points with vertical intervals around a dashed diagonal: one at a score of 20 percent "
        "of which 50 percent left, above it, and one at 90 percent, of which 90 percent left, on "
        "it."
    ),
    "cltv_distribution": (
        "Curve of the share of the total value that the best customers hold, far above the "
        "diagonal of equal shares: a point marks the top 10 percent, who hold 63 percent. A small "
        "histogram shows the values of single customers."
    ),
    "cltv_total": (
        "One square, the total value of all customers, on a thin line for its interval, of which "
        "the middle is thicker: what the parameters alone leave open."
    ),
    "contact_policy": (
        "A horizontal bar for each of two channels, with a number in each part: most messages are "
        "sent, about a fifth are held out, and at the end of each bar stands how many candidates "
        "it has."
    ),
    "control_chart": (
        "Score of sixteen quarters as a line between two dashed limits, with a line for the "
        "centre and a shaded baseline of eight quarters: two later quarters lie above the upper "
        "limit and are marked as signals, and the last one, which is not over, is hollow."
    ),
    "customer_history": (
        "Probability that one customer is alive, over fifteen months: a saw that falls in each "
        "silence and jumps to the top at each of 42 purchases, which are marked below; it ends "
        "at 96 percent."
    ),
    "effects": (
        "Two ratios with intervals on a logarithmic axis, with a line at 1: customers who came by "
        "the shop buy 1.7 times as often as those of the web, and spend about as much."
    ),
    "frequency_counts": (
        "Grey bars of the number of customers by repeat purchases, from 1,218 with none down to "
        "64 with six, each with an interval, and beside each a blue square for the number that "
        "the model expects; both numbers stand beneath."
    ),
    "frequency_recency": (
        "Heat map of the purchases expected in the next 52 weeks, by repeat purchases, across, and "
        "weeks since the last one, upwards: it is darkest where customers bought often and "
        "lately, and curved lines join equal numbers."
    ),
    "growth_accounting": (
        "Stacked bars for the twelve months of a year: retained, resurrected and new customers "
        "upwards from zero, and churned ones downwards."
    ),
    "holdout_calibration": (
        "Mean purchases in the holdout by repeat purchases before it: black dots with intervals "
        "for what came, a blue line of the model through them, and an orange dotted line far "
        "above for the naive forecast."
    ),
    "key_drivers": (
        "Four horizontal bars of importance with intervals: product is longest, then support "
        "and price, and design is near zero."
    ),
    "lift": (
        "Line of the gain that runs a little above the dashed diagonal, up to all who left, over "
        "pale bars of the rate of each bin, with short intervals: nine bars between 70 and 96 "
        "percent and a last one near 48, and a dotted line at 84 percent, the rate of all."
    ),
    "mrr_waterfall": (
        "Waterfall of December 2024: from an opening revenue of 19,928 up by new, expansion and "
        "reactivation and down by contraction and churn to a closing one of 21,151, with the "
        "amount of every step above it and its customers beneath."
    ),
    "next_purchase": (
        "Marks of four purchases of one customer over a year and a half. From the end of "
        "observation a curve of the probability that the next has come rises to 53 percent in a "
        "year, below a dotted line at 66 percent, alive; dots say 25 percent by 30 September 1998 "
        "and 50 percent by 13 May 1999."
    ),
    "nps_bar": (
        "A bar for each of three plans, split into detractors, passives and promoters, and "
        "beside it the NPS as a dot with its interval: 17 for basic, 36 for plus and 52 for pro."
    ),
    "observed_value": (
        "Three lines of the value per customer acquired that rise with age from about 33 and get "
        "flatter, up to about 90 at a year, close to one another; the pale band of the third, "
        "which one large customer paid much of, is by far the widest."
    ),
    "projection": (
        "Share of customers still there by months since the start: dots for what was observed, "
        "hollow ones for the six months that were held out, and a curve with a band through "
        "them that goes on, dashed, for twelve months."
    ),
    "retention_curve": (
        "Line of retention by months since the start, with the band of its interval: from 100 "
        "percent at the start it falls to 46 percent after one month and to about 20 percent "
        "from the sixth on."
    ),
    "retention_heatmap": (
        "Triangle of twelve monthly cohorts, one a row, and their ages, one a column, with the "
        "retention as a number in each cell, darker where it is higher; the size of each cohort "
        "stands at the left."
    ),
    "score_trend": (
        "NPS of three plans by quarter, a line with a band for each: pro lies highest and basic "
        "lowest, and the last quarter, which is not over, is three hollow dots with intervals."
    ),
    "segment_map": (
        "Grid of three by three cells, recency scores across and frequency scores upwards, with "
        "the share of customers in each: the darkest cells are low in both or high in both."
    ),
    "segment_migration": (
        "Heat map of two segments before, down, and after, across: loyal and asleep, with the "
        "share of each segment in every cell, and a frame around the cells of those who stayed."
    ),
    "survival_curve": (
        "Three falling step curves with bands, one for each plan: basic falls fastest and pro "
        "slowest; dashed lines mark the medians, and the customers at risk stand beneath."
    ),
    "tracking": (
        "Repeat purchases of each week of the holdout as a jagged black line, and those that the "
        "model expects as a smooth blue line that falls slowly through it."
    ),
    "value_concentration": (
        "Curve of the share of all value that the best customers bring, far above the dashes of "
        "equal shares: the best tenth bring 51 percent, the best fifth 67 and the better half 89."
    ),
    "warning_signs": (
        "Eight customers, one below the other: for each a ring at the three to five days that are "
        "expected, a line from it to a dot at zero, and the p-value at the right. The dots of the "
        "uppermost three are orange, for usage that is down; the others are grey."
    ),
}
