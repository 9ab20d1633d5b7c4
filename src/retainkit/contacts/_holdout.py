"""The draw of holdouts: a number for each customer that anybody can compute again."""

from __future__ import annotations

import math
from collections.abc import Sequence
from decimal import Decimal
from hashlib import sha256
from typing import Any
from uuid import UUID

import numpy as np

from retainkit._checks import as_float, is_number
from retainkit._messages import count_noun, format_examples, named, quoted
from retainkit._typing import Floats
from retainkit.errors import ArgumentTypeError, ColumnTypeError

_NEED = "whole numbers, text or UUIDs"


def holdout_bucket(id: object, salt: str = "") -> float:  # noqa: A002  what the field calls it
    r"""Place of a customer between 0 and 1, the same wherever and whenever it is computed.

    >>> from retainkit import holdout_bucket
    >>> round(holdout_bucket("ann", "spring"), 6)
    0.899199

    The first eight bytes of the SHA-256 [1]_ of the text ``salt:id`` in UTF-8, the most significant
    first, over :math:`2^{64}`:

    .. math:: \text{bucket} = \text{SHA256}(\text{salt} : \text{id})_{0..7} / 2^{64}.

    Of many customers the buckets are spread evenly over [0, 1), so those below 0.1 are a random
    tenth: the same customers in every run, in every engine and in any other language.

    Parameters
    ----------
    id : int, str or UUID
        The customer. As text: an integer in decimal, text as it is, a UUID in small letters with
        hyphens, a float if it is whole. So 5, ``"5"`` and 5.0 are one customer.
    salt : str, default ""
        Names the draw. Another salt is another draw, independent of the first.

    Returns
    -------
    float
        From 0 to 1, without a unit.

    Raises
    ------
    ArgumentTypeError
        If the id or the salt is of another type (a `TypeError`).

    See Also
    --------
    retainkit.apply_contact_policy : Holds customers out by their bucket.

    Notes
    -----
    Give each experiment a salt of its own. With one salt for all, the same customers are held out
    from everything, which is a *global control group* at Braze and the way to measure all messages
    together. The random bucket number of Braze goes from 0 to 9999, that of Blueshift from 1 to
    100.

    References
    ----------
    .. [1] NIST (2015), Secure Hash Standard, FIPS 180-4.

    Examples
    --------
    The SHA-256 of ``:1`` begins with 882e0dabc11b4d21, which any tool will say:

    >>> from retainkit import holdout_bucket
    >>> holdout_bucket(1)
    0.5319527191469267
    >>> 0x882E0DABC11B4D21 / 2**64
    0.5319527191469267

    Of the first forty customers, those in the lowest fifth of a draw:

    >>> [id for id in range(1, 41) if holdout_bucket(id, "s") < 0.2]
    [1, 7, 18, 27, 30]
    """
    check_salt(salt)
    text = _text_of(id)
    if text is None:
        raise ArgumentTypeError(
            f"`id` is {quoted(id)}; it must be a whole number, text or a UUID.", argument="id"
        )
    return float(_buckets([text], salt)[0])


def check_salt(salt: Any) -> None:
    """Check the argument `salt`."""
    if not isinstance(salt, str):
        raise ArgumentTypeError(
            f"`salt` is {quoted(salt)}; it must be text, such as 'spring'.", argument="salt"
        )


def buckets_of(ids: Sequence[Any], salt: str, column: str) -> Floats:
    """Return the bucket of each id of a `column`; raise if some have no text of their own."""
    texts = [_text_of(one) for one in ids]
    wrong = [one for one, text in zip(ids, texts, strict=True) if text is None]
    if wrong:
        raise ColumnTypeError(
            f"{named(column, 'customer')} must hold {_NEED}, of which buckets are drawn; "
            f"{count_noun(len(wrong), 'customer')} of {len(ids):,} are none: "
            f"{format_examples(wrong)}. Convert the column to text first.",
            argument="customer",
            column=column,
            rows=len(wrong),
            total=len(ids),
        )
    return _buckets([text for text in texts if text is not None], salt)


def _buckets(texts: Sequence[str], salt: str) -> Floats:
    """Return the buckets of ids as text."""
    begin = f"{salt}:".encode(errors="surrogatepass")
    # There is no hash of many texts at once: this is the only loop over ids.
    digests = (sha256(begin + one.encode(errors="surrogatepass")).digest()[:8] for one in texts)
    bits = np.frombuffer(b"".join(digests), ">u8")
    return bits.astype(np.float64) / 2.0**64


def _text_of(value: Any) -> str | None:
    """Return an id as text, None if it is of a type that has no text of its own."""
    # The most common types first: of a million ids this is most of the work.
    if type(value) is int or isinstance(value, str):
        return str(value)
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, bytes) and len(value) == 16:  # in which Arrow keeps UUIDs
        return str(UUID(bytes=value))
    if is_number(value) or isinstance(value, Decimal):
        whole = math.isfinite(as_float(value)) and value == int(value)
        return str(int(value)) if whole else None
    return None
