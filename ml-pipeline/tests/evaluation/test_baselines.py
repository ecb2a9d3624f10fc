"""Baselines against the laws that they state, on lives that follow them."""

import numpy as np
import pytest

from battery_ml.arrays import FloatArray
from battery_ml.datasets.snapshots import Snapshots
from battery_ml.evaluation.baselines import END_RISE_PCT, Baselines
from battery_ml.features.definition import FEATURES

DESIGN_DAYS = 10.0 * 365.25


def snapshots(days_to_end: FloatArray, is_censored: bool = False, **columns: FloatArray) -> Snapshots:
    count = len(days_to_end)
    features = np.full((count, len(FEATURES.names)), np.nan, np.float32)
    for name, values in columns.items():
        features[:, FEATURES.names.index(name)] = values
    return Snapshots(
        features=features,
        battery_slot=np.arange(count),
        generation=np.zeros(count, np.int64),
        day=np.zeros(count, np.int64),
        days_to_end=days_to_end,
        is_censored=np.full(count, is_censored),
        follow_up_days=np.full(count, 1e5),
    )


def arrhenius_fleet(seed: int, life_days: float = 3000.0) -> Snapshots:
    """Lives that follow Arrhenius' law exactly: life at 25 °C over the ageing rate."""
    rng = np.random.default_rng(seed)
    acceleration = rng.uniform(0.7, 2.5, 400)
    total = life_days / acceleration
    age_days = rng.uniform(0.1, 0.9, 400) * total
    return snapshots(
        total - age_days,
        age_of_design_life=age_days / DESIGN_DAYS,
        heat_age_of_design_life=acceleration * age_days / DESIGN_DAYS,
    )


def test_age_and_heat_are_exact_where_their_law_is() -> None:
    baselines = Baselines.of(arrhenius_fleet(1), FEATURES)
    assert baselines.median_life_days == pytest.approx(3000.0, rel=1e-4)
    unseen = arrhenius_fleet(2)
    np.testing.assert_allclose(baselines.predict(unseen)["age_arrhenius"], unseen.days_to_end, atol=1.0)


def test_the_median_is_that_of_the_uncensored_fleet() -> None:
    fleet = arrhenius_fleet(1)
    baselines = Baselines.of(fleet, FEATURES)
    expected = np.quantile(fleet.days_to_end, 0.5, method="inverted_cdf")
    assert baselines.median_days == expected
    assert (baselines.predict(fleet)["fleet_median"] == expected).all()


def test_a_battery_over_its_life_has_none_left() -> None:
    baselines = Baselines(FEATURES, median_days=500.0, median_life_days=1000.0, typical_life_days=1000.0)
    old = snapshots(np.ones(1), age_of_design_life=np.ones(1), heat_age_of_design_life=np.ones(1))
    assert baselines.predict(old)["age_arrhenius"].tolist() == [0.0]


@pytest.mark.parametrize(
    ("rise_pct", "slope", "expected"),
    [
        (5.0, 10.0, 2.0 * 365.25),
        (END_RISE_PCT, 10.0, 0.0),
        (40.0, 10.0, 0.0),
        (5.0, 0.0, 800.0),
        (5.0, -3.0, 800.0),
        (np.nan, 10.0, 800.0),
        (5.0, np.nan, 800.0),
        (0.0, 1e-3, 3200.0),
    ],
)
def test_a_trend_of_resistance_leads_to_its_end(rise_pct: float, slope: float, expected: float) -> None:
    baselines = Baselines(FEATURES, median_days=800.0, median_life_days=3000.0, typical_life_days=2500.0)
    one = snapshots(
        np.ones(1),
        resistance_over_baseline_pct=np.array([rise_pct]),
        resistance_rise_365d_pct_a_year=np.array([slope]),
    )
    assert baselines.predict(one)["resistance_trend"][0] == pytest.approx(expected, rel=1e-5)


def test_every_baseline_has_a_number_where_nothing_is_known() -> None:
    baselines = Baselines(FEATURES, median_days=800.0, median_life_days=3000.0, typical_life_days=2500.0)
    for days in baselines.predict(snapshots(np.ones(5))).values():
        assert days.tolist() == [800.0] * 5


def test_unknown_ages_do_not_enter_the_median_life() -> None:
    fleet = arrhenius_fleet(3)
    fleet.features[:100] = np.nan
    assert Baselines.of(fleet, FEATURES).median_life_days == pytest.approx(3000.0, rel=1e-4)
