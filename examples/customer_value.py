"""What customers will buy and be worth, and whether to believe it: CDNOW, from orders to intervals.

    python examples/customer_value.py [FOLDER]

The pictures go to FOLDER, by default to `retainkit-demo` in the current directory.
"""

# %%
import sys
from pathlib import Path

import matplotlib.pyplot as plt

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
total = value["cltv"].sum()
print(f"\nAll {len(value):,} customers: {total:,.0f} dollars.")

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

names = "holdout-calibration.png, tracking.png and customer-value.png"
print(f"\n{names} are in {folder.resolve()}")
