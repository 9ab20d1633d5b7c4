"""Contact policy: who is sent what, and why the others are not."""

from __future__ import annotations

from datetime import date

import numpy as np

from retainkit._checks import fraction
from retainkit._inputs.zones import check_tz
from retainkit._messages import format_examples, warn
from retainkit._time.moment import read_datetime
from retainkit.contacts._alike import warn_of_alike
from retainkit.contacts._candidates import Candidates, read_candidates, with_decision
from retainkit.contacts._caps import ALL, Cap, read_caps
from retainkit.contacts._decide import REASONS, Question, decide
from retainkit.contacts._holdout import buckets_of, check_salt
from retainkit.contacts._log import count_contacts, find_suppressed
from retainkit.typing import IntoFrame, IntoFrameT


def apply_contact_policy(
    candidates: IntoFrameT,
    *,
    as_of: str | date,
    customer: str = "customer_id",
    channel: str = "channel",
    priority: str = "priority",
    contacts: IntoFrame | None = None,
    contact_time: str = "time",
    caps: IntoFrame | None = None,
    suppress: IntoFrame | None = None,
    exempt: str | None = None,
    holdout: float = 0.0,
    salt: str = "",
    timezone: str | None = None,
    tz: str | None = None,
) -> IntoFrameT:
    r"""Decide which messages go out, and give a reason for each that does not.

    >>> import pandas as pd
    >>> from retainkit import apply_contact_policy
    >>> letters = pd.DataFrame({"customer_id": [1, 2], "channel": "email", "priority": 1})
    >>> apply_contact_policy(letters, as_of="2024-03-08", holdout=0.2, salt="s")["reason"].tolist()
    ['holdout', 'send']

    The candidates of a customer are taken in order: those who are suppressed are out; those that
    are exempt go out and count; then come the others by priority, 1 first, and by their place in
    the table. A cap of :math:`m` contacts in a window :math:`w` lets one more pass if

    .. math:: \text{contacts logged in } (t - w, t) + \text{better rows of this run} < m,

    where :math:`t` is `as_of`. What passes all caps that cover its channel is eligible, and is
    sent unless the customer is held out.

    Parameters
    ----------
    candidates : IntoFrame
        One row a message that might be sent, such as `retainkit.audience` gives them: pandas,
        Polars (lazy too) or PyArrow, a DuckDB relation or a PySpark DataFrame. They are read into
        memory. A customer has one row in a channel, or one for each value of a column ``rule``.
    as_of : str, date or datetime
        Instant at which the messages would go out. Contacts at or after it are not used, and
        counted in a warning. Without a time zone it is read in that of `tz`.
    customer : str, default "customer_id"
        Column that identifies the customer: integers, strings, UUIDs or categories. `candidates`,
        `contacts` and `suppress` have it.
    channel : str, default "channel"
        Column of the names of channels, which the same tables have.
    priority : str, default "priority"
        Column of numbers, of which the least comes first. Equal ones keep the order of the table;
        tables of lazy engines have none, and there it is that of the channel, then of ``rule``.
    contacts : IntoFrame, optional
        Log of what was sent, one row a contact, of any kind of frame. It should hold *eligible*
        rows of earlier runs whether they were sent or held out: see Notes.
    contact_time : str, default "time"
        Column of dates or datetimes of `contacts`, with or without a time zone.
    caps : IntoFrame, optional
        A small table with a row a cap: ``channel`` (null: all channels together), ``max`` (int, 0
        or more) and ``window``, a length of time such as ``"7D"`` or ``"24H"``, which rolls. With
        a further column ``calendar`` (bool), ``"2D"`` is today and yesterday where it is true. The
        windows ``"day"``, ``"week"`` (from Monday) and ``"month"`` are the calendar period so far.
    suppress : IntoFrame, optional
        Customers who get nothing, such as those who unsubscribed; with a column of channels, they
        get nothing in that one, and nothing at all where it is null.
    exempt : str, optional
        Boolean column of `candidates`: messages that no cap stops and nobody is held out from,
        such as receipts. They count for the caps of others.
    holdout : float, default 0.0
        Share of customers who are held out, a fraction: those whose ``bucket`` is below it.
    salt : str, default ""
        Names the draw of the holdout; another salt is another draw.
    timezone : str, optional
        Column of `candidates` with the name of each customer's time zone, in which days are
        counted. Null: that of `tz`, with a warning that counts such rows.
    tz : str, optional
        Time zone in which days are counted, such as ``"Europe/Berlin"``. Default: that of
        `contact_time`.

    Returns
    -------
    DataFrame
        The candidates, all of their columns, and beside them those below. A new frame of the kind
        of `candidates`; that of a lazy engine stays there. Frames in memory keep the order of their
        rows, and pandas its index.

        - ``send`` (bool): whether it goes out.
        - ``reason`` (str): ``send``, ``exempt``, ``suppressed``, ``cap`` (the log alone fills a
          cap), ``outranked`` (the log left room, and better rows of this run took it) or
          ``holdout``.
        - ``blocked_by`` (str): the cap in the way, the first in the table, such as ``email 2 in
          7D``, or ``all 3 in 7D`` of all channels together; null where there is none.
        - ``contacts`` (int): what the log has in the window of that cap, else of the one of which
          the greatest share is used; 0 where no cap covers the channel.
        - ``eligible`` (bool): whether it would go out but for the holdout. Exempt rows do, and are
          no part of a comparison.
        - ``bucket`` (float): `retainkit.holdout_bucket` of the customer, in [0, 1).

    Raises
    ------
    MissingColumnError
        If a column is not in its table (a `KeyError`).
    ColumnTypeError, ArgumentTypeError
        If a column or an argument is of the wrong type, or customers are numbers in one table and
        text in the other (a `TypeError`).
    ArgumentError
        If a candidate is there twice, a value is null where one is needed, a cap is below 0 or of
        months, a time zone is not known, a customer has several, or a holdout is a percentage (a
        `ValueError`).

    Warns
    -----
    RetainkitWarning
        If contacts are not before `as_of`, time zones are null, or a cap names a channel ``"all"``
        that no candidate is in.

    See Also
    --------
    retainkit.holdout_bucket : The number by which customers are held out.
    retainkit.plot.contact_policy : How many are sent, and why not.

    Notes
    -----
    *Eligible rows count whether or not they were sent.* Log them all. If held-out rows were not
    logged, held-out customers would never meet a cap: with a weekly message and a cap of 1 in
    ``"14D"``, all of them would be eligible each week, and half of the others. The two groups would
    not be alike any more, and their difference no effect of the messages. The effect is the
    difference between those held out and those sent to among *eligible* rows that are not exempt.

    *Windows.* A contact that is exactly as old as the window is long does not count, so a weekly
    letter at the same hour does not meet its own cap of 1 in ``"7D"``; HubSpot reads it so too.
    Days and weeks are those of the clock on the wall, through a change of the clocks too; hours are
    elapsed time. A cool-down is a cap of 1.

    Vendors call this frequency capping (Braze, whose "every 2 days" is today and yesterday here,
    ``"2D"`` with ``calendar``), Smart Sending (Klaviyo: 16 hours for e-mail, 24 for SMS, each
    channel apart) or message limits (Customer.io). What is not sent is not put off: it is a
    candidate of the next run, or it is not.

    Rows of different customers never influence each other, and taking a candidate away never stops
    a better one.

    Examples
    --------
    Customer 1 had a letter a week ago, exactly, and another has room; customer 2 had two since:

    >>> import pandas as pd
    >>> from retainkit import apply_contact_policy
    >>> log = pd.DataFrame({
    ...     "customer_id": [1, 2, 2],
    ...     "channel": "email",
    ...     "time": pd.to_datetime(["2024-03-01 09:00", "2024-03-02 09:00", "2024-03-08 08:00"]),
    ... })
    >>> wanted = pd.DataFrame({
    ...     "customer_id": [1, 2, 2, 3],
    ...     "channel": ["email", "email", "sms", "email"],
    ...     "priority": [1, 1, 2, 1],
    ... })
    >>> caps = pd.DataFrame({
    ...     "channel": ["email", None], "max": [2, 3], "window": ["7D", "7D"],
    ... })
    >>> apply_contact_policy(
    ...     wanted, as_of="2024-03-08 09:00", contacts=log, caps=caps,
    ...     suppress=pd.DataFrame({"customer_id": [3]}),
    ... ).drop(columns=["priority", "bucket"]).fillna({"blocked_by": ""})
       customer_id channel   send      reason     blocked_by  contacts  eligible
    0            1   email   True        send                        0      True
    1            2   email  False         cap  email 2 in 7D         2     False
    2            2     sms   True        send                        2      True
    3            3   email  False  suppressed                        0     False
    """
    read_datetime(as_of)
    share = fraction("holdout", holdout)
    check_salt(salt)
    check_tz(tz)
    names = {"customer": customer, "channel": channel, "priority": priority}
    read = read_candidates(candidates, {**names, "exempt": exempt, "timezone": timezone})
    limits = read_caps(caps)
    _warn_of_all(limits, read)
    capped = [one.channel for one in limits]
    warn_of_alike(capped, read.channels, "channel", "caps")
    log = {"customer": customer, "channel": channel, "contact_time": contact_time}
    logged = count_contacts(contacts, read, limits, columns=log, as_of=as_of, tz=tz)
    listed = {"customer": customer, "channel": channel}
    suppressed = find_suppressed(suppress, read, listed)
    bucket = buckets_of(read.ids.to_list(), salt, customer)[read.customer]
    decision = decide(
        Question(
            customer=read.customer,
            order=read.order(),
            exempt=read.exempt,
            suppressed=suppressed,
            held_out=bucket < share,
            covers=[read.in_channel(cap.channel) for cap in limits],
            most=[cap.most for cap in limits],
            logged=logged,
            n_customers=read.n_customers,
        )
    )
    names_of_caps = np.array([*(cap.text for cap in limits), None], object)
    reason = np.array(REASONS, object)[decision.reason]
    result: IntoFrameT = with_decision(
        read,
        {
            "send": np.isin(reason, ["send", "exempt"]),
            "reason": reason,
            "blocked_by": names_of_caps[decision.blocked_by],
            "contacts": decision.contacts,
            "eligible": decision.eligible,
            "bucket": bucket,
        },
    )
    return result


def _warn_of_all(caps: tuple[Cap, ...], candidates: Candidates) -> None:
    """Warn of a cap of a channel that nobody is in and that sounds like all of them."""
    words = {ALL, "any", "*", ""}
    found = [
        one.channel
        for one in caps
        if one.channel is not None
        and one.channel.strip().lower() in words
        and one.channel not in candidates.channels
    ]
    if found and candidates.n_customers:
        warn(
            f"`caps` names the channel {format_examples(found)}, in which there is no candidate: "
            "it caps nothing. For a cap of all channels together leave the channel null.",
            code="unused_value",
            argument="caps",
            column="channel",
            rows=len(found),
            total=len(caps),
        )
