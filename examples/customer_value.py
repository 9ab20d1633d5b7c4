"""What customers will buy and be worth, and whether to believe it: CDNOW, from orders to intervals.

Then what it does that the first order was large, what all bring together, and when a customer is
paid for.

    python examples/customer_value.py [FOLDER]

The pictures go to FOLDER, by default to `retainkit-demo` in the current directory.
"""

# %%
import sys
from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd

import retainkit as rk

# %% The orders of the published sample: every tenth customer of a music shop.
orders = rk.datasets.load_cdnow(sample=True)
print(f"CDNOW: {len(orders):,} orders by {orders['customer_id'].nunique():,} customers.")

# %% Each customer in four numbers. The first 39 weeks teach, the last 39 examine.
middle = "1997-10-01"
summary = rk.rfm_summary(
    orders[orders["time"] < middle], amount="amount", as_of=middle, unit="week", exact=True
)
print("\nFrequency, recency and T in weeks, and the mean of the repeat orders:\n")
print(summary.head().round(2).to_string(index=False))

# %% How often they buy: BG/NBD. How much they spend: Gamma-Gamma.
purchases = rk.fit_bg_nbd(summary)
spend = rk.fit_gamma_gamma(summary)
for model in (purchases, spend):
    print(f"\n{type(model).__name__}, log-likelihood {model.log_likelihood:,.1f}:\n")
    print(model.summary().round(4).to_string(index=False))

# %% Did it come true? What the model expected of the last 39 weeks, beside a naive forecast.
report = rk.holdout_report(orders, calibration_end=middle, as_of="1998-07-01", model=purchases)
print("\nRepeat orders of the 39 weeks after calibration:\n")
print(report.total.set_index("forecast").T.round(3).to_string())
print("\nThe same per customer, by the repeat orders of the first 39 weeks:\n")
print(report.by_frequency.round(3).to_string(index=False))

# %% Orders in, value out: the same steps in one call, on all 78 weeks.
value = rk.cltv(orders, as_of="1998-07-01", horizon="12 months", discount_rate=0.10)
top = value.nlargest(10, "cltv").rename(columns={"probability_alive": "alive"})
print("\nThe ten most valuable customers of the next 12 months, in dollars:\n")
print(top.round(2).to_string(index=False))

# %% All together, until the end of the log: what is known of it, and what is left to chance.
summary["came"] = summary["customer_id"].map(
    orders.groupby("customer_id")["time"].min().dt.strftime("%Y-%m")
)
totals = rk.cltv_total(summary, purchases, spend, by="came", horizon="39 weeks", discount_rate=0.0)
print("\nWhat the customers of each month will bring in the 39 weeks after calibration:\n")
shown = ["came", "customers", "cltv", "lower", "upper", "parameter_share"]
print(totals[shown].fillna({"came": "all"}).round(2).to_string(index=False))

# %% Who bought for more than 30 dollars at first? Known at the start, so it may explain the rest.
known = rk.rfm_summary(
    orders[orders["time"] < middle],
    amount="amount",
    as_of=middle,
    unit="week",
    exact=True,
    keep_first="amount",
)
known["first order"] = (known["first_amount"] > 30).map({True: "large", False: "small"})
frequent = rk.fit_pareto_nbd(
    known, purchase_covariates="first order", dropout_covariates="first order"
)
rich = rk.fit_gamma_gamma(known, covariates="first order")
effects = pd.concat([frequent.effects(), rich.effects()])
print("\nHow many times as often they buy, leave, and as much they spend:\n")
shown = ["process", "level", "reference", "n", "ratio", "ratio_lower", "ratio_upper", "p_value"]
print(effects[shown].round(3).to_string(index=False))

# %% What is a new customer of either kind worth within a year, who costs 60 dollars to win?
profiles = pd.DataFrame({"first order": ["small", "large"]})
new = rk.new_customer_value(frequent, rich, horizon="12 months", profiles=profiles, cost=60)
shown = ["first order", "expected_purchases", "value", "lower", "upper", "ltv_cac", "payback_days"]
print("\nExpected of a new customer, the first order included:\n")
print(new[shown].round(2).to_string(index=False))

# %% The same of those who came, observed and not expected.
by_age = rk.observed_value(orders, ages=range(0, 481, 30))
paid = rk.payback(orders, cost=60)
shown = ["cohort", "acquired", "payback_days", "payback_lower", "payback_upper", "ltv_cac"]
print("\nWhen the customers of each month had paid their 60 dollars:\n")
print(paid[shown].to_string(index=False, float_format="{:.2f}".format))

# %% Pictures.
given = [argument for argument in sys.argv[1:2] if not argument.startswith("-")]
folder = Path(*given or ["retainkit-demo"])
folder.mkdir(parents=True, exist_ok=True)

rk.plot.holdout_calibration(report.by_frequency)
plt.savefig(folder / "holdout-calibration.png", dpi=150)

weeks = rk.tracking(purchases, orders, calibration_end=middle, as_of="1998-07-01")
rk.plot.tracking(weeks)
plt.savefig(folder / "tracking.png", dpi=150)

rk.plot.cltv_distribution(value)
plt.savefig(folder / "customer-value.png", dpi=150)

_, (above, below) = plt.subplots(2, 1, figsize=(5.2, 4.2), layout="constrained")
rk.plot.cltv_total(totals, ax=above)
rk.plot.effects(effects, ax=below)
plt.savefig(folder / "total-and-effects.png", dpi=150)

rk.plot.observed_value(by_age, payback=paid)
plt.savefig(folder / "value-by-age.png", dpi=150)

names = ["holdout-calibration", "tracking", "customer-value", "total-and-effects", "value-by-age"]
print(f"\n{', '.join(f'{name}.png' for name in names)} are in {folder.resolve()}")
