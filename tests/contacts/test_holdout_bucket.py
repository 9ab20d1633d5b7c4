"""The draw of holdouts: what `sha256sum` says, for ids of every type."""

import hashlib
import math
import uuid
from datetime import date
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retainkit import apply_contact_policy, holdout_bucket
from retainkit.errors import ArgumentTypeError, ColumnTypeError
from sizes import n_examples

SOME = uuid.UUID("8BDF2C1E-6C9B-4B0C-9E6B-0C1F0C6B7A11")


# customers-cases, 11.1; the first eight bytes by `printf ':1' | sha256sum`.
@pytest.mark.parametrize(
    ("id_", "salt", "bucket"),
    [
        (1, "", 0.5319527191469267),
        (2, "", 0.32059894615772594),
        ("ann", "spring", 0.8991985192894316),
        ("bob", "spring", 0.14304754667179126),
        ("Zoë", "spring", 0.7727021995287198),
        (12345, "", 0.19890558563469374),
        (1, "", 0x882E0DABC11B4D21 / 2**64),
        ("ann", "spring", 0xE631DFC8F5B122BC / 2**64),
    ],
)
def test_the_printed_buckets(id_: Any, salt: str, bucket: float) -> None:
    assert holdout_bucket(id_, salt) == bucket


def test_the_printed_fifth_of_forty_customers() -> None:
    assert [one for one in range(1, 41) if holdout_bucket(one, "s") < 0.2] == [1, 7, 18, 27, 30]


@settings(max_examples=n_examples(500, 50), deadline=None)
@given(st.text(), st.text())
def test_any_text_has_the_bucket_that_its_hash_says(text: str, salt: str) -> None:
    digest = hashlib.sha256(f"{salt}:{text}".encode()).hexdigest()
    assert holdout_bucket(text, salt) == int(digest[:16], 16) / 2**64


@pytest.mark.parametrize(
    "same", [5, "5", 5.0, np.int8(5), np.uint64(5), np.float32(5), Decimal("5.00"), np.str_("5")]
)
def test_a_number_is_its_decimal_text(same: Any) -> None:
    assert holdout_bucket(same, "s") == holdout_bucket("5", "s")


def test_large_and_negative_numbers_lose_no_digit() -> None:
    assert holdout_bucket(2**63 + 1) == holdout_bucket(str(2**63 + 1))
    assert holdout_bucket(-7) == holdout_bucket("-7")
    assert holdout_bucket(2**53 + 1) != holdout_bucket(2**53)


def test_a_uuid_is_its_text_in_small_letters() -> None:
    text = "8bdf2c1e-6c9b-4b0c-9e6b-0c1f0c6b7a11"
    assert holdout_bucket(SOME) == holdout_bucket(SOME.bytes) == holdout_bucket(text)
    # Text is taken as it is.
    assert holdout_bucket(text.upper()) != holdout_bucket(text)


@pytest.mark.parametrize("wrong", [None, 1.5, math.nan, math.inf, True, b"ann", date(2024, 1, 1)])
def test_what_has_no_text_of_its_own_is_refused(wrong: Any) -> None:
    with pytest.raises(ArgumentTypeError, match=r"`id` is .* whole number, text or a UUID"):
        holdout_bucket(wrong)


def test_a_salt_is_text() -> None:
    with pytest.raises(ArgumentTypeError, match="`salt` is 3; it must be text"):
        holdout_bucket(1, 3)  # type: ignore[arg-type]


def test_another_salt_is_another_draw() -> None:
    one, other = (
        np.array([holdout_bucket(number, salt) for number in range(4_000)])
        for salt in ("spring", "summer")
    )
    assert abs(np.corrcoef(one, other)[0, 1]) < 4 / math.sqrt(4_000)
    assert abs(one.mean() - 0.5) < 4 * math.sqrt(1 / 12 / 4_000)
    assert len(np.unique(one)) == 4_000


def candidates(ids: Any) -> Any:
    return pd.DataFrame({"customer_id": ids, "channel": "email", "priority": 1})


@pytest.mark.parametrize(
    "ids",
    [
        [3, 4],
        ["3", "4"],
        [3.0, 4.0],
        pd.Categorical(["3", "4"]),
        pd.Categorical([3, 4]),
        pd.array([3, 4], "Int64"),
        pd.Series([3, 4], dtype=object),
        [Decimal(3), Decimal(4)],
    ],
)
def test_a_column_of_any_type_has_the_same_buckets(ids: Any) -> None:
    found = apply_contact_policy(candidates(ids), as_of="2024-01-01", salt="s")
    assert found["bucket"].tolist() == [holdout_bucket(3, "s"), holdout_bucket(4, "s")]


def test_a_column_of_ids_without_a_text_is_refused() -> None:
    for ids in ([1.5, 2.0], pd.to_datetime(["2024-01-01", "2024-01-02"])):
        with pytest.raises(ColumnTypeError, match=r"whole numbers, text or UUIDs.*[12] customer"):
            apply_contact_policy(candidates(ids), as_of="2024-01-01")
