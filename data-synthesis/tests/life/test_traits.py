import numpy as np
import pytest

from battery_synth.life.designs import SHARES, design, design_of
from battery_synth.life.events import battery_name, serial_number
from battery_synth.life.traits import DRY_OUT, MECHANISMS, NEVER_S, SHORT, STRAP, Traits
from tests.life.population import DAY_S, YEAR_DAYS, drawn

COUNT = 6_000


@pytest.fixture(scope="module")
def traits() -> Traits:
    return drawn(9, COUNT)


def test_draws_belong_to_names_not_to_places() -> None:
    names = [battery_name(f"BAT-{row}", 0) for row in range(50)]
    lots = [f"LOT-{row // 24}" for row in range(50)]
    whole = Traits.draw(9, names, lots, np.zeros(50))
    part = Traits.draw(9, names[30:], lots[30:], np.zeros(20))
    np.testing.assert_array_equal(whole.life_days[30:], part.life_days)
    np.testing.assert_array_equal(whole.mechanism[30:], part.mechanism)
    np.testing.assert_array_equal(whole.strap_s[30:], part.strap_s)
    np.testing.assert_array_equal(whole.wander_phase[30:], part.wander_phase)


def test_another_seed_another_generation_and_another_lot_are_other_batteries() -> None:
    def life(seed: int, battery: str, lot: str) -> float:
        return float(Traits.draw(seed, [battery], [lot], np.zeros(1)).life_days[0])

    lives = {life(1, "A#0", "L"), life(2, "A#0", "L"), life(1, "A#1", "L"), life(1, "A#0", "M")}
    assert len(lives) == 4


def test_nobody_is_drawn_from_no_names() -> None:
    assert len(Traits.draw(1, [], [], np.empty(0)).life_days) == 0


def test_life_scatters_within_a_lot_and_between_lots_and_designs() -> None:
    # Eight designs make one seed: the scatter between designs shows over many.
    life = np.log(np.concatenate([drawn(seed, 1_200).life_days for seed in range(12)])).reshape(-1, 24)
    # Batteries made badly stand far below; medians and quartiles pass over them.
    between = np.median(life, axis=1)
    within = life - between[:, None]
    quartiles = np.quantile(within, [0.25, 0.75])
    assert np.ptp(quartiles) / 1.349 == pytest.approx(0.15, abs=0.01)
    # The middle of 24 scatters by itself.
    expected = np.sqrt(0.10**2 + 0.12**2 + (1.253 * 0.15 / np.sqrt(24)) ** 2)
    assert expected == pytest.approx(between.std(), abs=0.02)


def test_a_few_batteries_are_made_badly(traits: Traits) -> None:
    life = np.log(traits.life_days).reshape(-1, 24)
    short_lived = life < np.median(life, axis=1)[:, None] - 2.5 * 0.15
    assert 0.012 < short_lived.mean() < 0.04


def test_mechanisms_have_their_shares(traits: Traits) -> None:
    found = np.bincount(traits.mechanism, minlength=len(MECHANISMS)) / COUNT
    made = [design_of(9, f"STR-{lot}@0").shares for lot in range(COUNT // 24)]
    assert found == pytest.approx(np.mean(made, axis=0), abs=0.015)
    # Over many worlds the designs have the usual shares.
    usual = np.mean([design(seed, number).shares for seed in range(60) for number in range(8)], axis=0)
    assert usual == pytest.approx(np.array(SHARES), abs=0.015)


def test_infants_fail_early_and_chance_takes_a_few_in_a_thousand_a_year(traits: Traits) -> None:
    first_years = np.minimum(traits.strap_s, traits.short_s) / DAY_S / YEAR_DAYS
    in_first = first_years[first_years < 1.0]
    assert 0.008 < len(in_first) / COUNT < 0.022
    # Weibull 0.6 cut at a year puts two thirds of the infants into the first three months; chance is even.
    assert (in_first < 0.25).mean() > 0.4
    later = ((first_years >= 1.0) & (first_years < 11.0)).sum() / 10.0 / COUNT
    assert 0.002 < later < 0.004


def test_only_straps_and_shorts_have_a_sudden_part(traits: Traits) -> None:
    sudden = np.isin(traits.mechanism, (STRAP, SHORT))
    assert (traits.sudden_part[sudden] < 2.0).all()
    assert (traits.sudden_part[~sudden] == NEVER_S).all()


def test_replaced_rows_are_the_replacementss_and_the_others_stay() -> None:
    mine, replacements = drawn(9, 10), drawn(10, 2)
    before = drawn(9, 10)
    mine.replace_rows(np.array([3, 7]), replacements)
    np.testing.assert_array_equal(mine.life_days[[3, 7]], replacements.life_days)
    np.testing.assert_array_equal(mine.short_s[[3, 7]], replacements.short_s)
    kept = np.delete(np.arange(10), [3, 7])
    np.testing.assert_array_equal(mine.life_days[kept], before.life_days[kept])


def test_what_would_have_killed_a_battery_long_ago_is_taken_back() -> None:
    batteries = drawn(9, 6)
    at_s = 1_000.0 * DAY_S
    batteries.mechanism[:] = DRY_OUT
    batteries.sudden_part[:] = NEVER_S
    batteries.strap_days[:] = 40.0
    batteries.strap_s[:] = at_s - DAY_S * np.array([30.0, 50.0, -20.0, -1e9, -1e9, -1e9])
    batteries.short_s[:] = at_s - DAY_S * np.array([-1e9, -1e9, -1e9, 80.0, 100.0, -5.0])
    batteries.survive(at_s, np.full(6, 0.3))
    assert (batteries.strap_s < NEVER_S / 2).tolist()[:3] == [True, False, True]
    assert (batteries.short_s < NEVER_S / 2).tolist()[3:] == [True, False, True]


def test_worn_straps_and_shorts_of_long_ago_are_taken_back_too() -> None:
    batteries = drawn(9, 4)
    batteries.mechanism[:] = (STRAP, STRAP, SHORT, SHORT)
    batteries.life_days[:] = 1_000.0
    batteries.sudden_part[:] = 0.9
    batteries.strap_days[:] = 60.0
    batteries.survive(0.0, np.array([0.95, 0.97, 0.98, 1.0]))
    assert (batteries.sudden_part < NEVER_S).tolist() == [True, False, True, False]


def test_what_fades_is_found_soon_after_its_end() -> None:
    batteries = drawn(9, 3)
    before = batteries.life_days.copy()
    batteries.survive(0.0, np.array([0.5, 1.03, 2.0]))
    assert batteries.life_days[:2] == pytest.approx(before[:2])
    assert 2.0 * before[2] / batteries.life_days[2] == pytest.approx(1.06)


def test_names_and_serials_distinguish_batteries_apart() -> None:
    battery = "BAT-DC-CNX-01-UPS-01-STR-01-007"
    assert battery_name(battery, 2) == "BAT-DC-CNX-01-UPS-01-STR-01-007#2"
    serials = {serial_number(battery, 1, "2603"), serial_number(battery, 2, "2603"), serial_number(battery, 1, "2604")}
    assert len(serials) == 3
    assert serial_number(battery, 1, "2603") == "HX2603-CNX01UPS01STR01007R1"
