"""Names that differ in capitals and blanks alone are told, where nothing would be suppressed."""

import pandas as pd
import pytest

from retainkit import apply_contact_policy, audience
from retainkit.errors import ArgumentError, RetainkitWarning

CANDIDATES = pd.DataFrame({"customer_id": ["C1", "C2"], "channel": "email", "priority": 1})


def test_suppressed_customers_in_small_letters_are_told() -> None:
    suppress = pd.DataFrame({"customer_id": ["c1", " C2", "C9"]})
    with pytest.warns(RetainkitWarning, match="`suppress` names ' C2', 'c1', which among"):
        sent = apply_contact_policy(CANDIDATES, as_of="2024-01-01", suppress=suppress)
    assert sent["send"].all()


def test_a_cap_of_a_channel_in_capitals_is_told() -> None:
    caps = pd.DataFrame({"channel": ["Email"], "max": [0], "window": ["7D"]})
    with pytest.warns(RetainkitWarning, match="`caps` names 'Email', which among"):
        sent = apply_contact_policy(CANDIDATES, as_of="2024-01-01", caps=caps)
    assert sent["send"].all()


def test_a_condition_in_capitals_is_no_remark() -> None:
    view = pd.DataFrame({"customer_id": [1, 2], "orders": [1, 5], "recency_days": [10, 200]})
    rules = pd.DataFrame({"rule": ["a"], "orders_min": [1], "recency_days_Max": [120]})
    with pytest.raises(ArgumentError, match="'recency_days_Max', which sets no condition"):
        audience(view, rules)
