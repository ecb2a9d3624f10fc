"""Designs differ within the published ranges, and a world's batteries are not all of one law."""

import numpy as np
import pytest

from battery_synth.life.designs import DESIGNS_PER_WORLD, activation_of_doubling_ev, design, design_of
from battery_synth.life.traits import CORROSION, DRY_OUT, SULFATION
from tests.life.population import acceleration, drawn


@pytest.mark.parametrize(("doubling_k", "activation_ev"), [(8.0, 0.68), (8.3, 0.66), (10.0, 0.55)])
def test_a_doubling_is_the_published_activation_energy(doubling_k: float, activation_ev: float) -> None:
    assert activation_of_doubling_ev(np.array([doubling_k]))[0] == pytest.approx(activation_ev, abs=0.006)


def test_ageing_doubles_per_eight_to_twelve_kelvin_and_not_alike() -> None:
    batteries = drawn(9, 6_000)
    for step_k, is_at_least_two in ((8.0, False), (12.0, True)):
        faster = acceleration(25.0 + step_k, batteries)
        assert (faster >= 1.999).all() if is_at_least_two else (faster <= 2.001).all()
    assert np.ptp(np.quantile(acceleration(35.0, batteries), [0.05, 0.95])) > 0.25


def test_designs_lie_in_the_published_ranges_and_differ() -> None:
    all_designs = [design(seed, number) for seed in range(40) for number in range(DESIGNS_PER_WORLD)]
    for name, low, high in (
        ("doubling_k", 8.0, 12.0), ("knee", 2.5, 4.5), ("early_share", 0.0, 0.2), ("full_cycles", 100.0, 260.0),
        ("cycle_exponent", 1.5, 2.0),
    ):  # fmt: skip
        values = np.array([getattr(each, name) for each in all_designs])
        assert low <= values.min() < values.max() <= high
        assert np.ptp(values) > 0.5 * (high - low)
    assert np.log([each.life_factor for each in all_designs]).std() == pytest.approx(0.12, rel=0.2)
    for each in all_designs:
        assert sum(each.shares) == pytest.approx(1.0)


def test_a_delivery_is_of_one_design_and_a_world_has_several() -> None:
    assert design_of(3, "STR-1@0") == design_of(3, "STR-1@0")
    assert len({design_of(3, f"STR-{lot}@0") for lot in range(200)}) == DESIGNS_PER_WORLD
    assert design(3, 0) != design(4, 0)


def test_resistance_rises_by_a_tenth_to_three_times_the_loss_and_differently_by_mechanism() -> None:
    batteries = drawn(9, 6_000)
    slope = batteries.resistance_slope
    assert 0.1 <= slope.min() < slope.max() <= 3.0
    median = {kind: np.median(slope[batteries.mechanism == kind]) for kind in (CORROSION, DRY_OUT, SULFATION)}
    assert median[DRY_OUT] > 1.3 * median[CORROSION] > 4.0 * median[SULFATION]
    for kind in (CORROSION, SULFATION):
        own = slope[batteries.mechanism == kind]
        assert np.ptp(np.quantile(own, [0.1, 0.9])) > 0.3 * np.median(own)
