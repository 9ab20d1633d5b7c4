"""CDNOW, read out of the installed `lifetimes` distribution."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from retainkit.errors import MissingDependencyError

if TYPE_CHECKING:
    import pandas as pd


def load_cdnow(*, sample: bool = False) -> pd.DataFrame:
    """Load the purchases of CDNOW's new customers, January 1997 to June 1998.

    >>> from retainkit import datasets
    >>> datasets.load_cdnow(sample=True).head(3)
       customer_id       time  quantity  amount
    0            4 1997-01-01         2   29.33
    1            4 1997-01-18         2   29.73
    2            4 1997-08-02         1   14.96

    All purchases up to 30 June 1998 of the 23,570 customers who first bought from the online
    music shop CDNOW in the first quarter of 1997; or those of the systematic tenth of them on
    which the papers on BG/NBD and Gamma-Gamma fit their models. The file is read out of the
    installed ``lifetimes`` distribution, which is not imported.

    Parameters
    ----------
    sample : bool, default False
        Whether to load the sample of 2,357 customers (6,919 purchases) instead of all 23,570
        (69,659 purchases). Customers keep their number, so the sample can be joined with the whole.

    Returns
    -------
    pandas.DataFrame
        One row per purchase, in the order of the file: a customer's rows together, by day.

        - ``customer_id`` (int64): the customer's number among the 23,570.
        - ``time`` (datetime64[us]): the day of the purchase; its hour was not recorded.
        - ``quantity`` (int64): CDs bought.
        - ``amount`` (float64): US dollars paid. A few purchases cost nothing: 80 of them, 8 in
          the sample.

    Raises
    ------
    MissingDependencyError
        If ``lifetimes`` is not installed, or is installed without its data files.

    Notes
    -----
    A customer may have several rows on one day. They are separate orders, equal ones too; the
    papers count such a day as one purchase.

    References
    ----------
    .. [1] Fader, P. S. & Hardie, B. G. S. (2001), "Forecasting Repeat Sales at CDNOW: A Case
       Study", Interfaces 31 (3), part 2, S94-S107.
    .. [2] Fader, P. S., Hardie, B. G. S. & Lee, K. L. (2005), "'Counting Your Customers' the Easy
       Way: An Alternative to the Pareto/NBD Model", Marketing Science 24 (2), 275-284.
    .. [3] Fader, P. S. & Hardie, B. G. S. (2013), "Notes on the CDNOW Master Data Set",
       http://brucehardie.com/notes/026/

    Examples
    --------
    >>> from retainkit.datasets import load_cdnow
    >>> purchases = load_cdnow()
    >>> purchases.head(3)
       customer_id       time  quantity  amount
    0            1 1997-01-01         1   11.77
    1            2 1997-01-12         1   12.00
    2            2 1997-01-12         5   77.00
    >>> len(purchases), purchases["customer_id"].nunique()
    (69659, 23570)
    >>> load_cdnow(sample=True)["customer_id"].nunique()
    2357
    """
    import pandas as pd  # noqa: PLC0415  importing retainkit does not import pandas

    # The sample's file has no header, and its own numbering in between: hence columns from the end.
    customer, day, quantity, amount = np.loadtxt(
        _lifetimes_file("CDNOW_sample.txt" if sample else "CDNOW_master.txt"),
        dtype="i8,U8,i8,f8",
        skiprows=0 if sample else 1,
        usecols=(0, -3, -2, -1),
        unpack=True,
    )
    time = pd.to_datetime(day, format="%Y%m%d").as_unit("us")
    return pd.DataFrame(
        {"customer_id": customer, "time": time, "quantity": quantity, "amount": amount}
    )


def _lifetimes_file(name: str) -> Path:
    """Find a data set of the installed lifetimes distribution, without importing it."""
    try:
        found = metadata.distribution("lifetimes").locate_file(f"lifetimes/datasets/{name}")
    except metadata.PackageNotFoundError:
        raise MissingDependencyError(
            f"{name} is part of the package lifetimes, which is not installed.\n"
            "Install it: python -m pip install lifetimes==0.11.3"
        ) from None
    path = Path(str(found))
    if not path.is_file():
        raise MissingDependencyError(
            f"the package lifetimes is installed without {name}: there is no {path}.\n"
            "Install it again: python -m pip install --force-reinstall --no-deps lifetimes==0.11.3"
        )
    return path
