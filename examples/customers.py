"""Which customers: one row each, segments over time, who is leaving, what is due, whom to write to.

    python examples/customers.py [FOLDER]

The pictures go to FOLDER, by default to `retainkit-demo` in the current directory.
"""

# %%
import sys
import warnings
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import pandas as pd

import retainkit as rk

style: dict[str, Any] = {"index": False, "float_format": "{:.3f}".format}

# %% An invented shop: orders, use, tickets, answers and messages of 2,000 customers.
# What they were drawn from is known, in `shop.truth` and `shop.pairs`.
shop = rk.datasets.make_customers(2_000, seed=1)
print(f"Invented: {len(shop.orders):,} orders by {len(shop.customers):,} customers.")

# %% One row a customer, as it was known on a day: nothing of that day or later is in it.
# Every table is reduced to a row a customer before it is joined, so that no sum is counted twice.
tables = {
    "visits": shop.events,
    "tickets": rk.Source(shop.tickets, time="opened", closed="solved"),
    "answers": rk.Source(shop.answers, last=("score",)),
}
looking: dict[str, Any] = {"amount": "amount", "sources": tables, "windows": ("28D", "91D")}
view = rk.customer_view(shop.orders, as_of="2026-01-01", customers=shop.customers, **looking)
print(f"\nCustomers as 2026 begins, {len(view.columns)} columns of each, such as:\n")
shown = ["customer_id", "recency_days", "orders", "amount", "visits_28d", "tickets_open"]
print(view[shown].head().to_string(index=False, float_format="{:.2f}".format))

# %% Segments that can be compared: CDNOW, a real shop, in January and in July by the same cuts.
# Half of its customers have one order. They share a score, and a warning says which one is empty.
cdnow = rk.datasets.load_cdnow()
with warnings.catch_warnings():
    warnings.simplefilter("ignore", rk.RetainkitWarning)
    january = rk.rfm_scores(cdnow[cdnow["time"] < "1998-01-01"], as_of="1998-01-01")
    cuts = rk.rfm_cuts(january)
    july = rk.rfm_scores(cdnow, as_of="1998-07-01", cuts=cuts)
before, after = rk.assign_segments(january), rk.assign_segments(july)
migration = rk.segment_migration(before, after)
counts = {"January": before["segment"].value_counts(), "July": after["segment"].value_counts()}
sizes = pd.DataFrame(counts).rename_axis(None).fillna(0).astype(int)
print("\nCDNOW's customers by segment, with the cuts of January:\n")
print(sizes.sort_values("January", ascending=False).to_string())
print("\nWhere most of them went, as shares of the segment that they came from:\n")
columns = ["from", "to", "customers", "share", "lower", "upper"]
print(migration.nlargest(6, "customers")[columns].to_string(**style))

# %% Who is leaving? Two views of the past teach, with what came in the 90 days after each.
# A third one examines: its customers are scored as if it were the last day known.
dates = ["2025-01-01", "2025-04-01", "2025-07-01"]
snapshots = rk.churn_snapshots(shop.orders, as_of=dates, horizon="90D", **looking)
train = snapshots[snapshots["as_of"] < "2025-07-01"]
test = snapshots[snapshots["as_of"] == "2025-07-01"]
features = ["recency_days", "tenure_days", "orders", "orders_91d", "visits_28d", "visits_91d"]
model = rk.fit_churn_risk(train, features=features)
scored = test.merge(model.churn_risk(test), on=["as_of", "customer_id"])
report = rk.score_report(scored, score="churn_risk").iloc[0]
print("\nRisk of no order within 90 days, a fifth of the customers a bin:\n")
lift = rk.lift_table(scored, score="churn_risk", bins=5)
columns = ["bin", "n", "mean_score", "rate", "lower", "upper", "lift", "gain"]
print(lift[columns].to_string(**style))
print(
    f"\nAUC {report['auc']:.3f} ({report['auc_lower']:.3f} to {report['auc_upper']:.3f}); "
    f"calibration slope {report['calibration_slope']:.2f} "
    f"({report['calibration_slope_lower']:.2f} to {report['calibration_slope_upper']:.2f})"
)

# %% Who is due next month? No date where never is likelier, and none that lies in the past.
purchases = rk.fit_bg_nbd(rk.rfm_summary(cdnow, as_of="1998-07-01", unit="day"))
due = rk.next_purchase(cdnow, model=purchases, as_of="1998-07-01", horizon="31D")
coming = due[due["due_50"] < "1998-08-01"].sort_values("due_50")
print(
    f"\nCDNOW: {len(coming):,} of {len(due):,} customers are likelier than not "
    "to order in July 1998."
)
print(
    f"Expected orders of all in July: {due['expected_purchases'].sum():,.0f}. The first of them:\n"
)
columns = ["customer_id", "purchases", "last", "probability_alive", "due_25", "due_50"]
print(coming[columns].head().rename(columns={"probability_alive": "alive"}).to_string(**style))

# %% Whom to write to? Rules say who is meant, caps and a holdout who gets it.
# Held-out customers meet the caps like everybody: the effect is the difference among the eligible.
rules = pd.DataFrame(
    {
        "rule": ["win back", "thank you", "hello again"],
        "channel": ["email", "email", "push"],
        "priority": [1, 2, 3],
        "churn_risk_min": [0.8, None, None],
        "orders_min": [3, 6, None],
        "recency_days_min": [None, None, 60],
        "recency_days_max": [None, 60, 180],
    }
)
caps = pd.DataFrame({"channel": ["email", None], "max": [1, 2], "window": ["7D", "14D"]})
risk = model.churn_risk(view)[["customer_id", "churn_risk"]]
candidates = rk.audience(view.merge(risk, on="customer_id"), rules)
policy = rk.apply_contact_policy(
    candidates,
    as_of="2026-01-01",
    contacts=shop.contacts,
    caps=caps,
    holdout=0.1,
    salt="winter",
)
print("\nMessages of 1 January 2026, and why some do not go out:\n")
print(pd.crosstab(policy["rule"], policy["reason"]).to_string())

# %% Do messages bring customers back? The log has those too who were held out, with what they did.
came = shop.contacts.groupby("sent")["responded"].agg(["size", "mean"])
truth = shop.truth["message_effect"].mean()
print(
    f"\nAfter {came['size'][True]:,} messages {came['mean'][True]:.1%} came back within a week, "
    f"after {came['size'][False]:,}\nthat were held out {came['mean'][False]:.1%}: "
    f"{came['mean'][True] - came['mean'][False]:.1%} more. The truth: {truth:.1%}."
)

# %% Pictures.
given = [argument for argument in sys.argv[1:2] if not argument.startswith("-")]
folder = Path(*given or ["retainkit-demo"])
folder.mkdir(parents=True, exist_ok=True)

rk.plot.segment_migration(migration)
plt.savefig(folder / "segment-migration.png", dpi=150)

rk.plot.lift(lift)
plt.savefig(folder / "lift.png", dpi=150)

one = coming["customer_id"].iloc[-1]
rk.plot.next_purchase(cdnow, purchases, customer_id=one, as_of="1998-07-01")
plt.savefig(folder / "next-purchase.png", dpi=150)

rk.plot.contact_policy(policy)
plt.savefig(folder / "contact-policy.png", dpi=150)

names = "segment-migration.png, lift.png, next-purchase.png and contact-policy.png"
print(f"\n{names} are in {folder.resolve()}")
