"""A subscription business: churn, recurring revenue, how long customers stay, and what comes.

    python examples/subscriptions.py [FOLDER]

The pictures go to FOLDER, by default to `retainkit-demo` in the current directory.
"""

# %%
import sys
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt

import retainkit as rk

# %% Two invented years: a row is a subscription, and a null end means that it still runs.
# The churn of each plan is known, so that one can see whether it is found.
truth = {"basic": 0.08, "plus": 0.04, "pro": 0.02}
subscriptions = rk.datasets.make_subscriptions(
    3_000, seed=7, churn=truth, polarization=0.1, seats=0.01
).reset_index(names="row")
until = "2025-01-01"
customers = subscriptions["customer_id"].nunique()
print(f"Invented: {len(subscriptions):,} subscriptions of {customers:,} customers.")

style: dict[str, Any] = {"index": False, "float_format": "{:.3f}".format}

# %% How many leave? An upgrade is no churn, and neither is a second seat that is given up.
churn = rk.churn_rate(subscriptions, as_of=until)
counts = ["period", "opening", "new", "reactivated", "churned", "closing"]
print("\nCustomers, month by month, and the share who leave with its 95 % interval:\n")
churn = churn.rename(columns={"churn_rate": "rate"})
print(churn[[*counts, "rate", "lower", "upper"]].tail(6).to_string(**style))

# %% What moves the revenue? Every row adds up, to the cent. Seats alike are subscriptions of their
# own, as are all rows here.
movements = rk.mrr_movements(subscriptions, subscription="row", as_of=until)
money = ["opening", "new", "expansion", "contraction", "churn", "reactivation", "closing"]
print("\nMonthly recurring revenue, and what moved it:\n")
print(movements[["period", *money]].tail(6).to_string(index=False, float_format="{:,.0f}".format))

# %% How much of the revenue of a year ago is still there? Net counts upgrades, gross does not.
year = rk.revenue_retention(subscriptions, subscription="row", horizon=12, as_of=until)
print("\nOf the revenue of twelve months before, net and gross:\n")
nrr, grr = ["nrr", "nrr_lower", "nrr_upper"], ["grr", "grr_lower", "grr_upper"]
print(year[["period", "customers", *nrr, *grr]].tail(3).to_string(**style))

# %% How long do they stay? Those who are still there count for as long as they were seen.
curve = rk.survival_curve(subscriptions, by="plan", as_of=until)
first = curve[curve["tenure"] == 1]  # the first renewal: nobody has changed the plan yet
first = first.assign(
    truth=first["plan"].map(truth), lower=1 - first["upper"], upper=1 - first["lower"]
)
print("\nChurn at the first renewal, by plan, beside the truth:\n")
shown = ["plan", "at_risk", "churned", "hazard", "lower", "upper", "truth"]
print(first[shown].to_string(**style))
median = rk.median_lifetime(curve).drop(columns="churned")
mean = rk.expected_lifetime(curve, horizon="12 months")
print("\nMonths until half of the customers have left, by the plan they began with:\n")
print(median.to_string(index=False))
print("\nMonths that a customer stays, of the first twelve:\n")
print(mean.drop(columns=["churned", "standard_error"]).to_string(**style))

# %% What comes? The last six months are held out, to see what a projection is worth.
whole = rk.survival_curve(subscriptions, as_of=until)
model = rk.fit_sbg(whole, holdout=6)
projection = model.project(whole, 12)
print("\nThe share still there, projected from 17 months, beside the six held out:\n")
held = projection[projection["held_out"]]
print(held[["age", "observed", "projected", "lower", "upper", "error"]].to_string(**style))

# %% Pictures.
given = [argument for argument in sys.argv[1:2] if not argument.startswith("-")]
folder = Path(*given or ["retainkit-demo"])
folder.mkdir(parents=True, exist_ok=True)

rk.plot.mrr_waterfall(movements.tail(12))
plt.savefig(folder / "mrr-waterfall.png", dpi=150)

rk.plot.survival_curve(curve)
plt.savefig(folder / "survival.png", dpi=150)

rk.plot.projection(projection, period="month")
plt.savefig(folder / "projection.png", dpi=150)

print(f"\nmrr-waterfall.png, survival.png and projection.png are in {folder.resolve()}")
