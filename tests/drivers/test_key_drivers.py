"""Key drivers: against R, all orders of entry, closed forms and samples drawn one by one."""

from __future__ import annotations

import math
from itertools import permutations
from typing import TYPE_CHECKING, Any

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd
import pytest

from retainkit import errors, key_drivers
from retainkit._stats import relative_weights
from retainkit._stats.relative_weights import bootstrap_importance
from tables import rows_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from backends import Backend

    Floats = NDArray[np.float64]

COLUMNS = [
    *("driver", "n", "importance", "share", "lower", "upper", "correlation", "coefficient"),
    *("sign_flip", "r_squared", "method"),
]
METHODS = ["relative_weights", "lmg"]

# R's mtcars, from Motor Trend 1974; Henderson & Velleman (1981), Biometrics 37:391-411.
MTCARS = pd.DataFrame(
    [
        (6, 160.0, 110, 4, 21.0),
        (6, 160.0, 110, 4, 21.0),
        (4, 108.0, 93, 4, 22.8),
        (6, 258.0, 110, 3, 21.4),
        (8, 360.0, 175, 3, 18.7),
        (6, 225.0, 105, 3, 18.1),
        (8, 360.0, 245, 3, 14.3),
        (4, 146.7, 62, 4, 24.4),
        (4, 140.8, 95, 4, 22.8),
        (6, 167.6, 123, 4, 19.2),
        (6, 167.6, 123, 4, 17.8),
        (8, 275.8, 180, 3, 16.4),
        (8, 275.8, 180, 3, 17.3),
        (8, 275.8, 180, 3, 15.2),
        (8, 472.0, 205, 3, 10.4),
        (8, 460.0, 215, 3, 10.4),
        (8, 440.0, 230, 3, 14.7),
        (4, 78.7, 66, 4, 32.4),
        (4, 75.7, 52, 4, 30.4),
        (4, 71.1, 65, 4, 33.9),
        (4, 120.1, 97, 3, 21.5),
        (8, 318.0, 150, 3, 15.5),
        (8, 304.0, 150, 3, 15.2),
        (8, 350.0, 245, 3, 13.3),
        (8, 400.0, 175, 3, 19.2),
        (4, 79.0, 66, 4, 27.3),
        (4, 120.3, 91, 5, 26.0),
        (4, 95.1, 113, 5, 30.4),
        (8, 351.0, 264, 5, 15.8),
        (6, 145.0, 175, 5, 19.7),
        (8, 301.0, 335, 5, 15.0),
        (4, 121.0, 109, 4, 21.4),
    ],
    columns=["cyl", "disp", "hp", "gear", "mpg"],
)
CARS = ["cyl", "disp", "hp", "gear"]


def analysed(table: Any, outcome: str, drivers: list[str], **options: Any) -> dict[str, Any]:
    """Return the row of each driver."""
    found = key_drivers(table, outcome=outcome, drivers=drivers, **{"seed": 1, **options})
    return {row["driver"]: row for row in rows_of(found)}


def importance(table: Any, outcome: str, drivers: list[str], **options: Any) -> list[float]:
    found = analysed(table, outcome, drivers, **{"draws": 5, **options})
    return [found[name]["importance"] for name in drivers]


def answers(n: int = 60, drivers: int = 3, seed: int = 5) -> tuple[pd.DataFrame, list[str]]:
    """Make ratings from 1 to 5 that rise and fall together, and a score from 0 to 10."""
    rng = np.random.default_rng(seed)
    halo = rng.normal(size=(n, 1))
    ratings = np.clip(np.rint(3 + halo + rng.normal(size=(n, drivers))), 1, 5).astype(int)
    score = 2 * ratings[:, 0] + ratings.sum(axis=1) / drivers + 2 * rng.normal(size=n)
    names = [f"d{i}" for i in range(drivers)]
    table = pd.DataFrame(ratings, columns=names)
    return table.assign(score=np.clip(np.rint(score), 0, 10).astype(int)), names


def explained(x: Floats, y: Floats) -> float:
    """R squared by least squares."""
    design = np.column_stack([np.ones(len(y)), x])
    rest = y - design @ np.linalg.lstsq(design, y, rcond=None)[0]
    return 1 - float(rest @ rest / ((y - y.mean()) @ (y - y.mean())))


# --- the numbers ----------------------------------------------------------------------


def test_relative_weights_of_cars_are_those_of_the_package_rwa_for_r() -> None:
    # README of rwa: rwa(mtcars, outcome = "mpg", predictors = c("cyl", "disp", "hp", "gear")).
    found = analysed(MTCARS, "mpg", CARS)
    weights = [0.2284797, 0.2221469, 0.2321744, 0.0963886]
    percent = [29.32274, 28.50999, 29.79691, 12.37037]
    assert [found[name]["importance"] for name in CARS] == pytest.approx(weights, abs=6e-8)
    assert [100 * found[name]["share"] for name in CARS] == pytest.approx(percent, abs=6e-6)
    assert [found[name]["r_squared"] for name in CARS] == pytest.approx([0.7791896] * 4, abs=6e-8)
    # It prints the signs of the correlations beside them: - - - +.
    assert [found[name]["correlation"] > 0 for name in CARS] == [False, False, False, True]
    assert list(found) == ["hp", "cyl", "disp", "gear"]
    assert {row["n"] for row in found.values()} == {32}


@pytest.mark.parametrize("method", METHODS)
def test_the_parts_add_up_to_r_squared(method: str) -> None:
    table, names = answers(drivers=5)
    expected = explained(table[names].to_numpy(float), table["score"].to_numpy(float))
    found = analysed(table, "score", names, method=method)
    assert sum(row["importance"] for row in found.values()) == pytest.approx(expected, rel=1e-12)
    assert sum(row["share"] for row in found.values()) == pytest.approx(1, rel=1e-12)
    for row in found.values():
        assert row["r_squared"] == pytest.approx(expected, rel=1e-12)
        assert row["share"] == pytest.approx(row["importance"] / expected, rel=1e-12)
        assert row["importance"] >= 0
        assert row["lower"] <= row["importance"] <= row["upper"]
        assert row["method"] == method


def test_lmg_averages_the_gain_over_all_orders_of_entry() -> None:
    for table, outcome, names in [(MTCARS, "mpg", CARS), (answers(40, 5)[0], "score", None)]:
        drivers = names or [f"d{i}" for i in range(5)]
        x, y = table[drivers].to_numpy(float), table[outcome].to_numpy(float)
        gains = np.zeros(len(drivers))
        orders = list(permutations(range(len(drivers))))
        for order in orders:
            before = 0.0
            for place, driver in enumerate(order):
                after = explained(x[:, order[: place + 1]], y)
                gains[driver] += after - before
                before = after
        found = importance(table, outcome, drivers, method="lmg")
        assert found == pytest.approx(gains / len(orders), rel=1e-10)


@pytest.mark.parametrize("method", METHODS)
def test_of_uncorrelated_drivers_importance_is_the_squared_correlation(method: str) -> None:
    design = np.array([[a, b, c] for a in (-1, 1) for b in (-1, 1) for c in (-1, 1)] * 2)
    score = design @ [2.0, -1.0, 0.5] + np.random.default_rng(2).normal(size=len(design))
    table = pd.DataFrame(design, columns=["a", "b", "c"]).assign(score=score)
    squares = [np.corrcoef(table[name], score)[0, 1] ** 2 for name in "abc"]
    assert importance(table, "score", list("abc"), method=method) == pytest.approx(squares)


@pytest.mark.parametrize("method", METHODS)
def test_of_two_drivers_there_is_a_closed_form(method: str) -> None:
    # L is symmetric with rows (u, v) and (v, u), where u² + v² = 1 and 2uv = c; working b out,
    # importance_1 = (r1² + R² - r2²) / 2, which is also the mean of the two orders of entry.
    table, names = answers(drivers=2)
    c, r1, r2 = (
        float(np.corrcoef(table[one], table[two])[0, 1])
        for one, two in [("d0", "d1"), ("d0", "score"), ("d1", "score")]
    )
    r_squared = (r1**2 + r2**2 - 2 * c * r1 * r2) / (1 - c**2)
    u, v = ((math.sqrt(1 + c) + sign * math.sqrt(1 - c)) / 2 for sign in (1, -1))
    b1, b2 = (u * r1 - v * r2) / (u * u - v * v), (u * r2 - v * r1) / (u * u - v * v)
    expected = [u**2 * b1**2 + v**2 * b2**2, v**2 * b1**2 + u**2 * b2**2]
    assert expected[0] == pytest.approx((r1**2 + r_squared - r2**2) / 2)
    assert importance(table, "score", names, method=method) == pytest.approx(expected)


@pytest.mark.parametrize("method", METHODS)
def test_of_one_driver_importance_is_r_squared(method: str) -> None:
    row = analysed(MTCARS, "mpg", ["hp"], method=method)["hp"]
    assert row["importance"] == pytest.approx(np.corrcoef(MTCARS["hp"], MTCARS["mpg"])[0, 1] ** 2)
    assert row["share"] == pytest.approx(1)
    assert row["coefficient"] == pytest.approx(row["correlation"])


def test_correlations_and_coefficients_are_those_of_the_regression() -> None:
    table, names = answers(drivers=4)
    scaled = (table - table.mean()) / table.std()
    beta = np.linalg.lstsq(scaled[names].to_numpy(), scaled["score"].to_numpy(), rcond=None)[0]
    found = analysed(table, "score", names)
    for name, slope in zip(names, beta, strict=True):
        assert found[name]["coefficient"] == pytest.approx(slope, rel=1e-10)
        r = np.corrcoef(table[name], table["score"])[0, 1]
        assert found[name]["correlation"] == pytest.approx(r, rel=1e-12)


def test_a_sign_flip_is_where_correlation_and_coefficient_differ_in_sign() -> None:
    rng = np.random.default_rng(4)
    one = rng.normal(size=300)
    two = one + 0.5 * rng.normal(size=300)
    table = pd.DataFrame({"one": one, "two": two, "score": 2 * one - two})
    found = analysed(table, "score", ["one", "two"])
    assert found["two"]["correlation"] > 0 > found["two"]["coefficient"]
    assert found["two"]["sign_flip"] is True
    assert found["one"]["sign_flip"] is False
    # Of what is 0 but for rounding there is no sign.
    square = pd.DataFrame({"a": [-1, 1, -1, 1] * 7, "b": [-1, -1, 1, 1] * 7})
    square["score"] = 0.3 * square["a"]
    assert not any(row["sign_flip"] for row in analysed(square, "score", ["a", "b"]).values())


@pytest.mark.parametrize("unit", [1e-200, 1e200])
def test_units_may_be_tiny_or_huge(unit: float) -> None:
    table, drivers = answers()
    expected = analysed(table, "score", drivers, draws=20, seed=1)
    scaled = table.assign(score=table["score"] * unit, **{drivers[0]: table[drivers[0]] / unit})
    found = analysed(scaled, "score", drivers, draws=20, seed=1)
    for name, row in expected.items():
        assert found[name] == {
            key: pytest.approx(value, abs=1e-9) if isinstance(value, float) else value
            for key, value in row.items()
        }


@pytest.mark.parametrize("method", METHODS)
def test_units_do_not_matter(method: str) -> None:
    table, names = answers()
    changed = table.assign(d0=1e9 + table["d0"], d1=-7 * table["d1"], score=table["score"] / 3)
    before, after = (analysed(one, "score", names, method=method) for one in (table, changed))
    for name in names:
        assert after[name]["importance"] == pytest.approx(before[name]["importance"], rel=1e-9)
        # Other draws: the rows have another order.
        assert after[name]["upper"] == pytest.approx(before[name]["upper"], rel=0.1)
    assert after["d1"]["correlation"] == pytest.approx(-before["d1"]["correlation"])


@pytest.mark.parametrize("method", METHODS)
def test_weights_are_as_rows_repeated(method: str) -> None:
    table, names = answers(30)
    times = np.arange(30) % 4
    repeated = analysed(table.loc[table.index.repeat(times)], "score", names, method=method)
    weighted = analysed(table.assign(w=times / 7.0), "score", names, method=method, weights="w")
    assert list(weighted) == list(repeated)
    for name in names:
        for column in ("importance", "share", "correlation", "coefficient", "r_squared"):
            expected = pytest.approx(repeated[name][column], rel=1e-10)
            assert weighted[name][column] == expected, column
        assert weighted[name]["n"] == int((times > 0).sum())


def test_equal_weights_change_nothing() -> None:
    table, names = answers(30)
    plain = analysed(table, "score", names)
    weighted = analysed(table.assign(w=3.0), "score", names, weights="w")
    for name in names:
        assert weighted[name] == {
            key: pytest.approx(value, rel=1e-9) if isinstance(value, float) else value
            for key, value in plain[name].items()
        }


def test_twelve_drivers_can_enter_in_all_orders() -> None:
    table, names = answers(80, 12)
    expected = explained(table[names].to_numpy(float), table["score"].to_numpy(float))
    found = importance(table, "score", names, method="lmg")
    assert sum(found) == pytest.approx(expected)
    assert np.corrcoef(found, importance(table, "score", names))[0, 1] > 0.99


# --- the interval -----------------------------------------------------------------------


@pytest.mark.parametrize("weights", [None, "w"])
@pytest.mark.parametrize("method", METHODS)
def test_limits_are_percentiles_of_samples_drawn_one_by_one(
    method: str, weights: str | None
) -> None:
    rng = np.random.default_rng(8)
    table = pd.DataFrame(rng.normal(size=(25, 2)), columns=["a", "b"])
    table["score"] = table["a"] + table["b"] + rng.normal(size=25)
    table["w"] = rng.uniform(0.5, 2, size=25)
    w = np.ones(25) if weights is None else table["w"].to_numpy()
    data = np.column_stack([table[["a", "b", "score"]], w])
    data = data[np.argsort(data[:, 2])]  # the rows are taken in the order of the outcome
    parts = []
    for rows in np.random.default_rng(11).integers(25, size=(200, 25)):
        a, b, y, weight = data[rows].T
        c = np.cov(np.array([a, b, y]), aweights=weight)
        c = c / np.sqrt(np.outer(np.diag(c), np.diag(c)))
        r1, r2 = c[0, 2], c[1, 2]
        r_squared = c[2, :2] @ np.linalg.solve(c[:2, :2], c[2, :2])
        parts.append([(r1**2 + r_squared - r2**2) / 2, (r2**2 + r_squared - r1**2) / 2])
    lower, upper = np.quantile(parts, [0.1, 0.9], axis=0)
    found = analysed(
        table, "score", ["a", "b"], method=method, weights=weights, draws=200, seed=11,
        confidence_level=0.8,
    )  # fmt: skip
    assert [found[name]["lower"] for name in "ab"] == pytest.approx(lower, rel=1e-8)
    assert [found[name]["upper"] for name in "ab"] == pytest.approx(upper, rel=1e-8)


def test_rows_that_are_equal_may_be_drawn_together() -> None:
    # Weights that differ by next to nothing make all rows different ones.
    table, names = answers(400, 2)
    table = table.assign(score=table["score"] // 5, d0=table["d0"] // 2, d1=table["d1"] // 2)
    assert 12 * len(table.drop_duplicates()) < len(table)
    together = analysed(table, "score", names, draws=4000)
    singly = analysed(
        table.assign(w=1 + 1e-9 * np.arange(400)), "score", names, draws=4000, weights="w", seed=2
    )
    for name in names:
        for limit in ("lower", "upper"):
            assert together[name][limit] == pytest.approx(singly[name][limit], abs=0.008)


@pytest.mark.parametrize("method", METHODS)
def test_batches_do_not_matter(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    table, names = answers()
    whole = analysed(table, "score", names, method=method, draws=50)
    monkeypatch.setattr(relative_weights, "_MAX_ELEMENTS", 500)
    found = analysed(table, "score", names, method=method, draws=50)
    for name in names:
        for limit in ("lower", "upper"):
            assert found[name][limit] == pytest.approx(whole[name][limit], rel=1e-9)


@pytest.mark.slow
def test_intervals_cover_the_truth() -> None:
    c, r1, r2 = 0.5, 0.5, 0.4
    matrix = np.array([[1, c, r1], [c, 1, r2], [r1, r2, 1]])
    r_squared = (r1**2 + r2**2 - 2 * c * r1 * r2) / (1 - c**2)
    truth = np.array([(r1**2 + r_squared - r2**2) / 2, (r2**2 + r_squared - r1**2) / 2])
    rng, hits, runs = np.random.default_rng(3), np.zeros(2), 600
    for run in range(runs):
        values = rng.multivariate_normal(np.zeros(3), matrix, size=250)
        drawn = bootstrap_importance(values, np.ones(250), "relative_weights", draws=400, seed=run)
        lower, upper = np.quantile(drawn, [0.025, 0.975], axis=0)
        hits += (lower <= truth) & (truth <= upper)
    assert (hits / runs > 0.92).all()  # 95%, and three standard errors of so many runs
    assert (hits / runs < 0.98).all()


def test_the_same_seed_gives_the_same_limits_in_whatever_order_rows_are() -> None:
    table, names = answers()
    table["w"] = np.arange(len(table)) % 3 + 1.0
    first = analysed(table, "score", names, weights="w")
    assert analysed(table.sample(frac=1, random_state=3), "score", names, weights="w") == first
    assert analysed(table, "score", names, weights="w", seed=2) != first
    state = repr(np.random.get_state())  # noqa: NPY002
    before = table.copy(deep=True)
    analysed(table, "score", names, seed=None)
    assert repr(np.random.get_state()) == state  # noqa: NPY002
    pd.testing.assert_frame_equal(table, before)


@pytest.mark.parametrize("method", METHODS)
def test_a_driver_may_be_constant_in_a_draw_or_repeat_another(method: str) -> None:
    table, _ = answers(20, 1)
    table["rare"] = [1] + [0] * 19
    table["twin"] = [1, 1] + [0] * 18  # as `rare` in the draws without the second row
    found = analysed(table, "score", ["d0", "rare", "twin"], method=method)
    assert found["rare"]["lower"] == 0
    assert all(math.isfinite(row["upper"]) for row in found.values())
    assert all(row["upper"] <= 1 for row in found.values())


def test_draws_in_which_the_outcome_does_not_vary_are_counted() -> None:
    table, names = answers(20, 1)
    table["score"] = [1] + [0] * 19  # (19/20)^20 = 36% of the draws lack the first row
    with pytest.warns(errors.RetainkitWarning, match=r"in \d+ of 500 draws the outcome") as caught:
        found = analysed(table, "score", names, draws=500)
    flat = int(str(caught[0].message).split()[1])
    assert flat == pytest.approx(500 * 0.95**20, abs=45)
    assert found["d0"]["lower"] <= found["d0"]["upper"]


# --- segments ---------------------------------------------------------------------------


def segmented() -> tuple[pd.DataFrame, list[str]]:
    table, names = answers(90)
    return table.assign(region=["b", "a", None] * 30), names  # type: ignore[list-item]


def test_segments_at_once_are_as_each_by_itself() -> None:
    table, names = segmented()
    found = key_drivers(table, outcome="score", drivers=names, by="region", seed=1)
    assert list(found.columns) == ["region", *COLUMNS]
    rows = rows_of(found)
    assert [row["region"] for row in rows] == ["a"] * 3 + ["b"] * 3 + [None] * 3
    for region in ("a", "b", None):
        here = table["region"].isna() if region is None else table["region"] == region
        alone = rows_of(key_drivers(table[here], outcome="score", drivers=names, seed=1))
        assert [row | {"region": region} for row in alone] == [
            row for row in rows if row["region"] == region
        ]


def test_a_segment_that_cannot_be_analysed_is_nan_and_a_warning_says_why() -> None:
    table, names = segmented()
    table = table[(table["region"] != "a") | (table.index < 8)]
    with pytest.warns(errors.RetainkitWarning, match="1 of 3 segments") as caught:
        found = rows_of(key_drivers(table, outcome="score", drivers=names, by="region"))
    assert "in the segment region = 'a', 3 respondents are too few" in str(caught[0].message)
    assert [row["driver"] for row in found[:3]] == names
    for row in found[:3]:
        assert row["n"] == 3
        assert row["importance"] is row["lower"] is row["r_squared"] is row["share"] is None
        assert row["sign_flip"] is False
    assert all(row["importance"] is not None for row in found[3:])


def test_where_no_segment_can_be_analysed_it_is_an_error() -> None:
    table, names = segmented()
    with pytest.raises(errors.ArgumentError, match="segment region = 'a', 'd9' is always 1"):
        key_drivers(table.assign(d9=1), outcome="score", drivers=[*names, "d9"], by="region")


def test_a_segment_may_have_nobody_left() -> None:
    table, names = segmented()
    table["d0"] = table["d0"].where(table["region"] != "b")
    with pytest.warns(errors.RetainkitWarning) as caught:
        found = rows_of(
            key_drivers(table, outcome="score", drivers=names, by="region", missing="drop")
        )
    first, second = (str(one.message) for one in caught)
    assert first.endswith(": 30 of 90 rows left out.")
    assert second.startswith("1 of 3 segments without importance (NaN).")
    assert [row["n"] for row in found[3:6]] == [0, 0, 0]


# --- frames -----------------------------------------------------------------------------


def test_every_kind_of_frame_gives_the_same(backend: Backend) -> None:
    table, names = answers(24)
    rows = [
        {**row, "region": region, "w": 1.0 + place % 3}
        for place, (row, region) in enumerate(
            zip(table.to_dict("records"), ["x", "y", None] * 8, strict=True)
        )
    ]
    rows[3] |= {"d1": None}
    rows[7] |= {"score": None, "d1": None}
    options: dict[str, Any] = {"outcome": "score", "drivers": names, "by": "region", "seed": 6}
    options |= {"weights": "w", "missing": "drop", "draws": 50}
    with pytest.warns(
        errors.RetainkitWarning, match=r"'d1'.* 2 rows and .*: 2 of 24 rows left out"
    ):
        expected = rows_of(key_drivers(pd.DataFrame(rows), **options))
    with pytest.warns(errors.RetainkitWarning, match="2 of 24 rows left out"):
        found = key_drivers(backend.make(rows), **options)
    assert nw.from_native(found).implementation == backend.result
    actual = rows_of(found)
    assert len(actual) == 9
    for have, want in zip(actual, expected, strict=True):
        assert list(have) == ["region", *COLUMNS]
        for name in want:
            one = want[name]
            approx = pytest.approx(one, rel=1e-10) if isinstance(one, float) else one
            assert have[name] == approx, name


def test_types_are_the_same_without_rows(backend: Backend) -> None:
    shown = {"d0": 1, "d1": 1, "score": 1, "region": "x"}
    empty = backend.make([], like=shown)
    rows = [{**shown, "d0": i % 2, "d1": i % 3, "score": i} for i in range(9)]
    options: dict[str, Any] = {"outcome": "score", "drivers": ["d0", "d1"], "draws": 5}
    found = rows_of(key_drivers(empty, **options))
    by = nw.from_native(key_drivers(empty, by="region", **options))
    assert [(row["driver"], row["n"], row["importance"]) for row in found] == [
        ("d0", 0, None),
        ("d1", 0, None),
    ]
    assert len(by) == 0
    full = nw.from_native(key_drivers(backend.make(rows), by="region", **options))
    assert by.columns == full.columns
    for name in COLUMNS:
        assert by.schema[name] == full.schema[name], name
    assert full.schema["n"] == nw.Int64
    assert full.schema["importance"] == nw.Float64
    assert full.schema["sign_flip"] == nw.Boolean


# --- what is refused ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "drivers", "match"),
    [
        ({"d1": 3}, None, r"'d1' is always 3: .*Leave it out of `drivers`"),
        ({"score": 7}, None, r"column 'score' \(given as `outcome`\) is 7 in all 60 rows"),
        ({"twin": "d0"}, ["d0", "d1", "twin"], r"'d0' and 'twin' say the same .*Leave one"),
        ({"sum": ["d0", "d1"]}, ["d0", "d1", "d2", "sum"], r"of 'd0', 'd1', 'sum' one follows"),
    ],
)
def test_drivers_that_cannot_be_told_apart_are_named(
    changes: dict[str, Any], drivers: list[str] | None, match: str
) -> None:
    table, names = answers()
    for column, value in changes.items():
        if isinstance(value, str):
            table[column] = 11 - 2 * table[value]
        else:
            table[column] = table[value].sum(axis=1) if isinstance(value, list) else value
    for method in METHODS:
        with pytest.raises(errors.ArgumentError, match=match):
            key_drivers(table, outcome="score", drivers=drivers or names, method=method)  # type: ignore[arg-type]


def test_numbers_are_ratings_however_they_are_kept() -> None:
    table, names = answers()
    kept = table.copy()
    for name, kind in zip([*names, "score"], ["category", object, "Int64", object], strict=True):
        kept[name] = table[name].round().astype(int).astype(kind)  # type: ignore[call-overload]
    expected = key_drivers(
        table.round().astype(int), outcome="score", drivers=names, draws=20, seed=1
    )
    pd.testing.assert_frame_equal(
        key_drivers(kept, outcome="score", drivers=names, draws=20, seed=1), expected
    )


def test_too_few_respondents_are_refused() -> None:
    table, names = answers()
    with pytest.raises(
        errors.ArgumentError, match=r"4 respondents are too few for 3 drivers: it takes 5.*fewer"
    ):
        key_drivers(table.head(4), outcome="score", drivers=names)
    weighted = table.head(20).assign(w=[1.0] * 4 + [0.0] * 16)
    with pytest.raises(errors.ArgumentError, match="4 respondents are too few"):
        key_drivers(weighted, outcome="score", drivers=names, weights="w")
    short = pd.DataFrame({"a": [1, 2, 4, 8], "b": [1, 0, 1, 1], "score": [1, 3, 2, 5]})
    assert len(analysed(short, "score", ["a", "b"], draws=5)) == 2
    with pytest.raises(errors.ArgumentError, match="1 respondent is too few for 1 driver:"):
        key_drivers(short.head(1), outcome="score", drivers=["a"])
    with pytest.raises(errors.ArgumentError, match=r"^in the segment part = 1, 2 respondents"):
        key_drivers(short.assign(part=[1, 1, 2, 2]), outcome="score", drivers=["a", "b"], by="part")


def test_several_constant_drivers_are_named_together() -> None:
    table, _ = answers()
    table = table.assign(one=1, two=2)
    text = r"'one' is always 1 and 'two' is always 2: .* Leave them out of `drivers`"
    with pytest.raises(errors.ArgumentError, match=text):
        key_drivers(table, outcome="score", drivers=["d0", "one", "two"])


def test_lmg_of_many_drivers_is_refused() -> None:
    table, names = answers(60, 13)
    with pytest.raises(
        errors.ArgumentError, match=r"at most 12 .*names 13.*'relative_weights', or name fewer"
    ):
        key_drivers(table, outcome="score", drivers=names, method="lmg")
    assert len(analysed(table, "score", names, draws=5)) == 13


def test_missing_values_are_an_error_unless_they_may_be_dropped() -> None:
    table, names = answers()
    table.loc[[3, 4], "d0"] = np.nan
    table.loc[[4, 5], "score"] = np.nan
    with pytest.raises(errors.ArgumentError) as caught:
        key_drivers(table, outcome="score", drivers=names)
    assert str(caught.value) == (
        "column 'd0' (given as `drivers`) is null in 2 rows and column 'score' (given as "
        "`outcome`) is null in 2 rows, of 60. Fill them in or leave them out; `missing='drop'` "
        "leaves such rows out and warns with their number."
    )
    with pytest.warns(errors.RetainkitWarning, match=": 3 of 60 rows left out"):
        found = analysed(table, "score", names, missing="drop")
    assert found == analysed(table.drop(index=[3, 4, 5]), "score", names)
    weighted = answers()[0].assign(w=[np.nan] + [1.0] * 59)
    with pytest.raises(errors.ArgumentError, match=r"'w' \(given as `weights`\) is null in 1 row"):
        key_drivers(weighted, outcome="score", drivers=names, weights="w")


def test_bad_arguments_say_what_to_do() -> None:
    table, names = answers()
    table = table.assign(text="a", flag=True, huge=[np.inf] + [1.0] * 59, w=[-1.5] + [1.0] * 59)

    def refused(error: type[Exception], match: str, **options: Any) -> None:
        with pytest.raises(error, match=match):
            key_drivers(table, **{"outcome": "score", "drivers": names} | options)

    refused(errors.MissingColumnError, "Did you mean 'score'", outcome="scor")
    refused(errors.MissingColumnError, "`drivers` needs the column 'd7'", drivers=["d0", "d7"])
    refused(errors.MissingColumnError, "weights", weights="weight")
    refused(errors.ColumnTypeError, r"'text' \(given as `drivers`\)", drivers=["d0", "text"])
    refused(errors.ColumnTypeError, "code answers in words as numbers", drivers=["d0", "text"])
    refused(errors.ColumnTypeError, "given as `outcome`", outcome="text")
    refused(errors.ArgumentTypeError, "must be a list", drivers="d0")
    refused(errors.ArgumentTypeError, "name of a column", drivers=["d0", 3])
    refused(errors.ArgumentError, "`drivers` is empty", drivers=[])
    refused(errors.ArgumentError, "'d0' more than once", drivers=["d0", "d1", "d0"])
    refused(errors.ArgumentError, "would explain itself", drivers=["d0", "score"])
    refused(errors.ArgumentError, "infinite in 1 row", drivers=["d0", "huge"])
    refused(errors.ArgumentError, r"`weights`\) is negative in 1 row: -1.5", weights="w")
    refused(errors.ArgumentError, "'shapley'", method="shapley")
    refused(errors.ArgumentError, "missing", missing="ignore")
    refused(errors.ArgumentError, "draws", draws=0)
    refused(errors.ArgumentTypeError, "seed", seed=1.5)
    refused(errors.ArgumentError, "confidence_level", confidence_level=95)
    refused(errors.ArgumentError, "rename it first", by="share")
    with pytest.raises(errors.ArgumentTypeError, match=r"`responses` is a builtins\.list"):
        key_drivers([1, 2], outcome="score", drivers=names)  # type: ignore[arg-type]
