"""Features against their definitions on constructed histories, their invariants and their wording."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from battery_contracts.ml import DAILY_COLUMNS
from battery_ml.arrays import FloatArray
from battery_ml.features.days import EVIDENCE_DAYS, HISTORY_DAYS
from battery_ml.features.definition import FEATURES
from battery_ml.features.history import DailyHistory
from tests.support.tiny_model import fleet

YEAR = 365.25


def history(**columns: object) -> DailyHistory:
    """One string of four alike batteries, 1000 days old, with columns that broadcast to (batteries, days).

    Their voltage moves: a battery of which nothing does says nothing.
    """
    count, days = 4, HISTORY_DAYS
    columns = {"voltage_mean_v": 13.6 + 0.001 * (np.arange(days) % 7), **columns}
    return DailyHistory(
        battery_ids=tuple(f"B{number}" for number in range(count)),
        string_ids=("S",) * count,
        days={name: np.broadcast_to(np.asarray(v, float), (count, days)).copy() for name, v in columns.items()},
        age_days=np.full(count, 1000.0),
        rated_ah=np.full(count, 50.0),
        design_life_years=np.full(count, 10.0),
        baseline_resistance_mohm=np.full(count, 4.0),
    )


def feature(name: str, of: DailyHistory) -> FloatArray:
    return FEATURES.compute(of)[:, FEATURES.names.index(name)]


@pytest.mark.parametrize(
    ("name", "columns", "expected"),
    [
        ("temperature_90d_c", {"temperature_mean_c": 31.0}, 31.0),
        ("hours_above_30c_a_day_365d", {"hours_above_30c": 6.0}, 6.0),
        ("temperature_swing_365d_k", {"temperature_max_c": 29.0, "temperature_min_c": 24.5}, 4.5),
        ("resistance_over_baseline_pct", {"resistance_25c_mohm": 5.0}, 25.0),
        ("resistance_of_string_pct", {"resistance_25c_mohm": 5.0}, 25.0),
        ("float_current_90d_ma_per_100ah", {"float_current_ma": 40.0}, 80.0),
        ("discharges_a_year", {"discharge_count": 0.1}, 0.1 * YEAR),
        ("discharged_capacities_a_year", {"discharge_ah": 0.5}, 0.5 * YEAR / 50.0),
        ("string_spread_90d_mv", {"string_spread_v": 0.07}, 70.0),
    ],
)
def test_constant_readings_give_their_level(name: str, columns: dict[str, float], expected: float) -> None:
    np.testing.assert_allclose(feature(name, history(**columns)), expected)


@pytest.mark.parametrize(
    ("name", "column", "per_day", "expected"),
    [
        ("resistance_rise_90d_pct_a_year", "resistance_25c_mohm", 0.002, 0.002 / 4.0 * 100.0 * YEAR),
        ("resistance_rise_365d_pct_a_year", "resistance_25c_mohm", 0.002, 0.002 / 4.0 * 100.0 * YEAR),
        ("voltage_deviation_change_mv_a_year", "voltage_deviation_v", -1e-4, -0.1 * YEAR),
    ],
)
def test_straight_lines_give_their_slope(name: str, column: str, per_day: float, expected: float) -> None:
    line = 4.0 + per_day * np.arange(HISTORY_DAYS)
    np.testing.assert_allclose(feature(name, history(**{column: line})), expected)


def test_life_halves_per_ten_kelvin_and_age_at_25c_is_age() -> None:
    at_25c = feature("heat_age_of_design_life", history(temperature_mean_c=25.0))
    np.testing.assert_allclose(at_25c, 1000.0 / (10.0 * YEAR))
    at_35c = feature("heat_age_of_design_life", history(temperature_mean_c=35.0))
    assert ((at_35c / at_25c > 1.9) & (at_35c / at_25c < 2.3)).all()


def test_the_deepest_discharge_of_each_year_is_compared_with_the_string() -> None:
    discharge_ah, lowest_v = np.zeros((4, HISTORY_DAYS)), np.full((4, HISTORY_DAYS), np.nan)
    # A shallow and a deep discharge in the last year, one in the year before; battery 0 sags, more than before.
    for day, charge, lowest in (
        (HISTORY_DAYS - 20, 10.0, [9.0, 9.0, 9.0, 9.0]),
        (HISTORY_DAYS - 50, 30.0, [11.5, 12.0, 12.0, 12.0]),
        (HISTORY_DAYS - EVIDENCE_DAYS - 50, 30.0, [11.8, 12.0, 12.0, 12.0]),
    ):
        discharge_ah[:, day], lowest_v[:, day] = charge, lowest
    of = history(discharge_ah=discharge_ah, discharge_min_v=lowest_v)
    np.testing.assert_allclose(feature("deepest_discharge_pct", of), 60.0)
    np.testing.assert_allclose(feature("discharge_min_v", of), [11.5, 12.0, 12.0, 12.0])
    np.testing.assert_allclose(feature("discharge_sag_mv", of), [500.0, 0.0, 0.0, 0.0], atol=1e-9)
    np.testing.assert_allclose(feature("discharge_sag_change_mv", of), [300.0, 0.0, 0.0, 0.0], atol=1e-9)


def test_discharges_below_three_percent_are_noise() -> None:
    discharge_ah = np.zeros(HISTORY_DAYS)
    discharge_ah[-30] = 0.029 * 50.0
    lowest_v = np.where(discharge_ah > 0.0, 12.0, np.nan)
    assert np.isnan(feature("discharge_min_v", history(discharge_ah=discharge_ah, discharge_min_v=lowest_v))).all()


def test_the_share_of_younger_batteries_is_that_of_the_string() -> None:
    of = replace(history(), age_days=np.array([1000.0, 1000.0, 950.0, 100.0]))
    # 50 days apart is one delivery: only the fourth came later.
    np.testing.assert_allclose(feature("replaced_in_string_pct", of), [25.0, 25.0, 25.0, 0.0])


def test_days_before_the_installation_are_ignored() -> None:
    temperature = np.where(np.arange(HISTORY_DAYS) < HISTORY_DAYS - 40, 99.0, 25.0)
    of = history(temperature_mean_c=temperature)
    young = replace(of, age_days=np.full(4, 39.5))
    np.testing.assert_allclose(feature("temperature_365d_c", young), 25.0)
    assert (feature("temperature_365d_c", of) > 90.0).all()


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 1000), order=st.permutations(range(30)))
def test_the_order_of_the_batteries_does_not_matter(seed: int, order: list[int]) -> None:
    plain = fleet(30, seed=seed, days=500)
    shuffled = DailyHistory(
        tuple(plain.battery_ids[row] for row in order),
        tuple(plain.string_ids[row] for row in order),
        {name: values[order] for name, values in plain.days.items()},
        plain.age_days[order],
        plain.rated_ah[order],
        plain.design_life_years[order],
        plain.baseline_resistance_mohm[order],
    )
    np.testing.assert_allclose(FEATURES.compute(shuffled), FEATURES.compute(plain)[order], rtol=1e-12)


@pytest.mark.parametrize("column", DAILY_COLUMNS)
def test_a_feature_depends_on_its_named_sources_only(column: str) -> None:
    plain = fleet(24, seed=3)
    columns = {name: np.ones((24, 800)) for name in DAILY_COLUMNS} | dict(plain.days)
    before = FEATURES.compute(replace(plain, days=columns))
    rng = np.random.default_rng(1)
    other = columns[column] * rng.uniform(0.9, 1.3, (24, 1)) + rng.uniform(0.0, 0.1, (24, 800))
    after = FEATURES.compute(replace(plain, days=columns | {column: other}))
    changed = {
        name for name, a, b in zip(FEATURES.names, before.T, after.T, strict=True) if not np.array_equal(a, b, True)
    }
    sources = {feature.name for feature in FEATURES.features if column in feature.sources}
    assert changed <= sources
    assert changed or not sources


def test_a_history_longer_than_needed_changes_nothing() -> None:
    plain = fleet(24, seed=3, days=HISTORY_DAYS + 100)
    cut = replace(plain, days={name: values[:, 100:] for name, values in plain.days.items()})
    np.testing.assert_allclose(FEATURES.compute(plain), FEATURES.compute(cut), rtol=1e-9)


@pytest.mark.parametrize(
    "change", [lambda h: replace(h, design_life_years=np.zeros(4)), lambda h: replace(h, age_days=np.full(4, np.nan))]
)
def test_an_unknown_age_or_design_life_stays_unknown(change: Callable[[DailyHistory], DailyHistory]) -> None:
    assert np.isnan(feature("age_of_design_life", change(history()))).all()


def test_a_table_without_sources_keeps_the_others() -> None:
    table = FEATURES.without("resistance_25c_mohm", "float_current_ma")
    assert set(FEATURES.names) - set(table.names) == {
        feature.name
        for feature in FEATURES.features
        if {"resistance_25c_mohm", "float_current_ma"} & set(feature.sources)
    }
    assert len(table.monotone) == len(table.names)


@pytest.mark.parametrize("index", range(len(FEATURES.names)), ids=FEATURES.names)
def test_the_wording_names_the_difference_and_its_direction(index: int) -> None:
    entry = FEATURES.features[index]
    step = 3.0 * 10.0**-entry.decimals
    by = f"{step:.{entry.decimals}f}"
    higher, lower = entry.describe(10.0 + step, 10.0), entry.describe(10.0 - step, 10.0)
    assert by in higher
    assert by in lower
    assert higher != lower
    assert "fleet median" in higher
    assert "fleet median" in lower
    assert entry.describe(10.0, 10.0) == f"its {entry.label} equals the fleet median"
    assert entry.describe(np.nan, 10.0) == entry.unknown
    assert "{" not in higher + lower + entry.unknown


def test_every_source_is_a_daily_column() -> None:
    assert {source for feature in FEATURES.features for source in feature.sources} <= set(DAILY_COLUMNS)
    assert len(set(FEATURES.names)) == len(FEATURES.names)
