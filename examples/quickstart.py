"""Cohort retention of a real shop, from its log of purchases to two pictures.

    python examples/quickstart.py [FOLDER]

The pictures go to FOLDER, by default to `retainkit-demo` in the current directory.
"""

# %%
import sys
from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd

import retainkit as rk

# %% A log of purchases: any frame will do whose rows say who and when.
purchases = rk.datasets.load_cdnow()
customers = purchases["customer_id"].nunique()
print(f"CDNOW, a music shop: {len(purchases):,} purchases by {customers:,} customers.")

# %% Of those who first bought in a month, how many buy again in each month after it?
table = rk.cohort_retention(purchases, cohort_period="month", period="month", as_of="1998-07-01")

# %% The triangle: cohorts down, ages across. What has not happened yet is blank. The log
# follows the customers of early 1997 and no others: later cohorts are empty.
triangle = 100 * rk.retention_matrix(table, min_customers=1).set_index("cohort")
triangle.insert(0, "customers", table.groupby("cohort")["customers"].first().map("{:,}".format))
triangle.index = pd.to_datetime(triangle.index).strftime("%Y-%m")
print("\nRetention in percent, by the month of the first purchase and the months since:\n")
print(triangle.to_string(float_format="{:.0f}".format, na_rep=""))

# %% One curve over all cohorts. With so many customers its intervals are narrow.
curve = rk.retention_curve(table)
print("\nRetention pooled over the cohorts, as a fraction, with its 95 % interval:\n")
print(curve.to_string(float_format="{:.4f}".format, index=False))

# %% Both as pictures. At age 0 everybody is there, by definition: the curve begins at 1.
given = [argument for argument in sys.argv[1:2] if not argument.startswith("-")]
folder = Path(*given or ["retainkit-demo"])
folder.mkdir(parents=True, exist_ok=True)

rk.plot.retention_heatmap(table, period="month", min_customers=1)
plt.savefig(folder / "retention-triangle.png", dpi=150)

rk.plot.retention_curve(curve[curve["age"] > 0], period="month")
plt.savefig(folder / "retention-curve.png", dpi=150)

print(f"\nretention-triangle.png and retention-curve.png are in {folder.resolve()}")
