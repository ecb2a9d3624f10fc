import numpy as np
import pytest

from battery_twin.filter.states import FilterOutput
from battery_twin.fleet.ohmic import apply_ohmic
from battery_twin.kernel import constants, layout

NAN = float("nan")


def output(count: int) -> FilterOutput:
    return FilterOutput(
        soc=np.ones(count),
        soc_sd=np.full(count, 0.03),
        soh=np.full(count, 0.95),
        soh_sd=np.full(count, 0.06),
        discharged=np.zeros(count, bool),
    )


def memory(resistance_mohm: list[float], age_s: float = 0.0) -> np.ndarray:
    rows = np.zeros((len(resistance_mohm), layout.MEMORY_SIZE))
    rows[:, layout.RESISTANCE_MOHM], rows[:, layout.RESISTANCE_AGE_S] = resistance_mohm, age_s
    return rows


def test_only_a_rise_beyond_the_scatter_lowers_the_capacity() -> None:
    estimate = apply_ohmic(memory([3.5, 3.8, 5.6, 2.0, 0.0]), np.full(5, 3.5), output(5))
    assert estimate.lowers_soh.tolist() == [False, False, True, False, False]
    assert estimate.measured.tolist() == [True, True, True, True, False]
    assert estimate.soh[[0, 1, 3, 4]] == pytest.approx(0.95)
    assert 1 - 0.6 / 1.6 < estimate.soh[2] < 0.95
    assert estimate.soh_sd[2] < 0.06


def test_without_a_baseline_resistance_is_no_evidence() -> None:
    estimate = apply_ohmic(memory([9.0]), np.array([NAN]), output(1))
    assert (estimate.lowers_soh[0], estimate.soh[0], estimate.soh_sd[0]) == (False, 0.95, 0.06)


def test_an_old_reading_weighs_less() -> None:
    new, old = (apply_ohmic(memory([5.6], age), np.array([3.5]), output(1)) for age in (0.0, 3 * constants.YEAR_S))
    assert new.soh[0] < old.soh[0] < 0.95


def test_the_interval_holds_whatever_mechanism_wears_a_block() -> None:
    rng = np.random.default_rng(1)
    count = 20_000
    soh = rng.normal(0.93, 0.06, count)
    # Corrosion, dry-out, sulfation and the rest, with their shares of failures; resistance scatters beside them.
    per_fade = rng.choice([1.6, 3.0, 0.15, 1.25], count, p=[0.35, 0.30, 0.20, 0.15])
    resistance = 3.5 * (1.0 + per_fade * (1.0 - soh) + rng.normal(0.0, 0.10, count))
    prior = FilterOutput(
        soc=np.ones(count),
        soc_sd=np.full(count, 0.03),
        soh=np.full(count, 0.93),
        soh_sd=np.full(count, 0.06),
        discharged=np.zeros(count, bool),
    )
    estimate = apply_ohmic(memory(resistance.tolist()), np.full(count, 3.5), prior)
    error = estimate.soh - soh
    inside = np.abs(error) < 1.645 * estimate.soh_sd
    for chosen in (np.ones(count, bool), estimate.lowers_soh, resistance > 1.3 * 3.5):
        assert 0.85 < inside[chosen].mean() < 0.97
        assert abs(error[chosen].mean()) < 0.05
