"""A survey: scores with intervals, who answered, weights, differences, drivers.

    python examples/survey.py [FOLDER]

The pictures go to FOLDER, by default to `retainkit-demo` in the current directory.
"""

# %%
import sys
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt

import retainkit as rk

# %% Six waves of an invented survey: a row is an invitation, without a score if nobody answered.
# The truth is known. Customers on "basic" answer half as often as others, and detractors too.
survey = rk.datasets.make_survey(
    2_000, seed=12, waves=6, response=(0.4, 0.3, 0.2), reach={"basic": 0.5}
)
print(f"Invented: {len(survey):,} invitations, {survey['score'].count():,} answers.")
style: dict[str, Any] = {"index": False, "float_format": "{:.1f}".format}
shares: dict[str, Any] = {"index": False, "float_format": "{:.3f}".format}

# %% The score of each plan, with the interval that holds for few answers too.
# Some customers answered in several waves, so that their answers count for less than their number.
answers = survey.dropna(subset="score")
scores = rk.nps(answers, by="plan", respondent="customer_id")
shown = ["plan", "n", "n_effective", "nps", "lower", "upper"]
print("\nNPS by plan, with its 95 % interval:\n")
print(scores[shown].to_string(**style))

# %% Who answered? An answer within 30 days counts, and younger invitations are not judged.
rates = rk.response_rate(survey, window="30D", by="plan", as_of="2025-07-01")
print("\nShare of the invitations that were answered within 30 days:\n")
columns = ["plan", "invitations", "responses", "response_rate", "lower", "upper"]
print(rates[columns].to_string(**shares))

# %% Weights give each plan the share that it has of all customers.
# What they cannot mend is that detractors answer less often within a plan.
truth = {"basic": 5, "plus": 25, "pro": 48}
population = {plan: int((survey["plan"] == plan).sum()) for plan in truth}
weighted = rk.rake(answers, {"plan": population})
as_they_came = rk.nps(answers, respondent="customer_id")
with_weights = rk.nps(weighted.responses, weights="weight", respondent="customer_id")
whole = sum(truth[plan] * population[plan] for plan in truth) / len(survey)
print("\nNPS of all customers:\n")
for name, table in {"as they came": as_they_came, "weighted": with_weights}.items():
    row = table.iloc[0]
    print(f"{name:>14} {row['nps']:6.1f}   {row['lower']:6.1f} to {row['upper']:.1f}")
print(f"{'the truth':>14} {whole:6.1f}")

# %% Did it change? The same people in the first and the last wave, and strangers.
both = answers[answers["wave"].isin([answers["wave"].min(), answers["wave"].max()])]
columns = ["n_a", "n_b", "nps_a", "nps_b", "difference", "lower", "upper", "p_value"]
print("\nThe last wave less the first:\n")
print(rk.nps_difference(both, group="wave")[columns].to_string(**shares))
print(
    f"\nTo see a difference of 5 points, each wave needs "
    f"{rk.survey_sample_size(detect=5, promoters=0.47, detractors=0.21):,} answers."
)

# %% What drives the score? The truth: product most, then support, then price, design not at all.
drivers = rk.key_drivers(
    answers, outcome="score", drivers=["product", "support", "price", "design"], seed=1
)
print("\nImportance of what was rated, parts of R squared, with 95 % intervals:\n")
print(drivers[["driver", "importance", "lower", "upper", "correlation"]].to_string(**shares))

# %% Pictures.
given = [argument for argument in sys.argv[1:2] if not argument.startswith("-")]
folder = Path(*given or ["retainkit-demo"])
folder.mkdir(parents=True, exist_ok=True)

rk.plot.nps_bar(scores)
plt.savefig(folder / "nps.png", dpi=150)

trend = rk.score_trend(answers, time="responded", period="quarter", by="plan", as_of="2025-07-01")
rk.plot.score_trend(trend)
plt.savefig(folder / "nps-trend.png", dpi=150)

rk.plot.key_drivers(drivers)
plt.savefig(folder / "key-drivers.png", dpi=150)

print(f"\nnps.png, nps-trend.png and key-drivers.png are in {folder.resolve()}")
