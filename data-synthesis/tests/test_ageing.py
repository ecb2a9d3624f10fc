import numpy as np
import pytest

from battery_synth import ageing

IDS = [f"BAT-{i}" for i in range(4000)]
STRINGS = [f"STR-{i // 24}" for i in range(4000)]


@pytest.fixture(scope="module")
def nature() -> ageing.BlockNature:
    return ageing.draw_nature(9, IDS, STRINGS)


@pytest.mark.parametrize(
    ("celsius", "factor"), [(22, 0.79), (25, 1.0), (27, 1.17), (30, 1.47), (33, 1.84), (35, 2.13), (40, 3.06)]
)
def test_acceleration_follows_the_published_table(celsius: float, factor: float) -> None:
    assert ageing.acceleration(np.array([float(celsius)]))[0] == pytest.approx(factor, abs=0.015)


def test_median_life_is_six_to_seven_and_a_half_years(nature: ageing.BlockNature) -> None:
    years = nature.life_days / 365.25
    assert 6.0 < np.median(years) < 7.5
    assert np.log(years).std() == pytest.approx(np.hypot(0.10, 0.15), abs=0.02)


def test_capacity_stays_for_half_a_life_and_then_bends(nature: ageing.BlockNature) -> None:
    def at(part: float) -> np.ndarray:
        return ageing.state_of_health(part * nature.life_days, nature) / nature.initial_capacity

    assert at(0.5) == pytest.approx(0.975)
    assert at(1.0) == pytest.approx(0.8)
    assert (at(0.9) - at(1.0) > at(0.4) - at(0.5)).all()


def test_resistance_bounds_capacity_and_does_not_reveal_it(nature: ageing.BlockNature) -> None:
    # A population that has run to its failures: ages spread over life and somewhat beyond.
    part = np.random.default_rng(1).uniform(0.0, 1.3, len(IDS))
    health = ageing.state_of_health(part * nature.life_days, nature)
    ratio = ageing.resistance_ratio(part * nature.life_days, nature)
    assert -0.85 < np.corrcoef(health, ratio)[0, 1] < -0.5
    spent = health < 0.8
    assert 0.12 < (ratio[spent] < 1.2).mean() < 0.35


def test_each_mechanism_leaves_its_own_mark(nature: ageing.BlockNature) -> None:
    mechanism = np.array(nature.mechanism)
    ratio = ageing.resistance_ratio(nature.life_days, nature)
    floating = ageing.float_ratio(nature.life_days, nature)
    mean = {name: (ratio[mechanism == name].mean(), floating[mechanism == name].mean()) for name in set(mechanism)}
    assert mean["dry_out"][0] > 1.5 > mean["corrosion"][0] > 1.2 > mean["sulfation"][0]
    assert mean["dry_out"][1] > 1.5 > mean["sulfation"][1]
    assert (mechanism == "corrosion").mean() == pytest.approx(0.35, abs=0.03)


def test_new_blocks_are_their_own_baseline(nature: ageing.BlockNature) -> None:
    assert ageing.resistance_ratio(np.zeros(len(IDS)), nature) == pytest.approx(1.0)


def test_draws_belong_to_names_not_to_places() -> None:
    whole, part = ageing.draw_nature(9, IDS[:50], STRINGS[:50]), ageing.draw_nature(9, IDS[30:50], STRINGS[30:50])
    np.testing.assert_array_equal(whole.life_days[30:], part.life_days)
    assert whole.mechanism[30:] == part.mechanism
