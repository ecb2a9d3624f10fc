from dataclasses import fields

import numpy as np
import pytest

from battery_synth.life.condition import (
    Condition,
    Wear,
    capacity_walk,
    condition,
    next_sudden_after,
    spent_part,
)
from battery_synth.life.traits import (
    CORROSION,
    DRY_OUT,
    MECHANISMS,
    NEVER_S,
    RESISTANCE_SLOPE,
    SHORT,
    SOFTENING,
    STRAP,
    SULFATION,
    Traits,
)
from tests.life.population import DAY_S, FloatArray, drawn

COUNT = 3_000


def _sound(count: int = COUNT, mechanism: int | None = None) -> Traits:
    """Return batteries to which nothing happens but wear, and whose capacity does not wander."""
    batteries = drawn(5, count)
    batteries.capacity_walk[:] = 0.0
    batteries.strap_s[:] = batteries.short_s[:] = batteries.sudden_part[:] = NEVER_S
    if mechanism is not None:
        batteries.resistance_slope[:] = RESISTANCE_SLOPE[mechanism]
        batteries.mechanism[:] = mechanism
    return batteries


def _worn(batteries: Traits, part: float | FloatArray) -> Wear:
    clock = np.broadcast_to(part * batteries.life_days, batteries.life_days.shape)
    zeros = np.zeros(len(clock))
    return Wear(clock.copy(), clock.copy(), zeros, zeros.copy())


def _at(batteries: Traits, part: float) -> Condition:
    """Return what batteries are like at a part of life and an age of eight years."""
    return condition(batteries, _worn(batteries, part), 8.0 * 365.25 * DAY_S)


@pytest.mark.parametrize(
    ("celsius", "factor"), [(22, 0.79), (25, 1.0), (27, 1.17), (30, 1.47), (33, 1.84), (35, 2.13), (40, 3.06)]
)
def test_clock_since_installation_follows_the_published_acceleration(celsius: float, factor: float) -> None:
    wear = Wear.after(np.array([0.0, 50.0 * DAY_S, 900.0 * DAY_S]), 100.0 * DAY_S, np.full(3, float(celsius)))
    assert wear.thermal_days == pytest.approx([100.0 * factor, 50.0 * factor, 0.0], rel=0.01)
    assert wear.overcharge_days == pytest.approx(wear.thermal_days)
    assert not wear.undercharge_days.any()


def test_capacity_stays_for_half_a_life_and_then_bends() -> None:
    batteries = _sound()
    whole = np.array([_at(batteries, part).health / batteries.initial_capacity for part in (0.4, 0.5, 0.9, 1.0, 1.1)])
    assert (whole[1] >= 0.95).all()
    assert np.median(whole[1]) >= 0.965
    assert whole[3] == pytest.approx(0.8)
    assert (whole[2] - whole[3] > 2.0 * (whole[0] - whole[1])).all()
    assert (whole[3] - whole[4] > whole[2] - whole[3]).all()


def test_new_batteries_are_as_their_data_sheets_state() -> None:
    batteries = _sound()
    new = condition(batteries, _worn(batteries, 0.0), 0.0)
    formed = condition(batteries, _worn(batteries, 0.0), 200.0 * DAY_S)
    assert formed.health.mean() == pytest.approx(1.0, abs=0.005)
    assert formed.health.std() == pytest.approx(0.025, abs=0.003)
    assert new.health.mean() == pytest.approx(0.97, abs=0.005)
    # Conductance rises by 5 to 15 % on the way to the baseline.
    assert 1.05 < (new.resistance_ratio / formed.resistance_ratio).mean() < 1.15
    assert formed.exchange_ratio == pytest.approx(1.0)
    assert not formed.failed.any()


def test_each_mechanism_leaves_its_own_mark_at_the_end_of_life() -> None:
    ends = {kind: _at(_sound(mechanism=kind), 1.0) for kind in range(len(MECHANISMS))}
    resistance = {kind: now.resistance_ratio.mean() for kind, now in ends.items()}
    assert resistance[DRY_OUT] > 1.5 > resistance[CORROSION] > 1.25
    assert resistance[SULFATION] < 1.05
    assert 1.15 < resistance[SOFTENING] < resistance[CORROSION]
    exchange = {kind: now.exchange_ratio.mean() for kind, now in ends.items()}
    assert 1.5 <= exchange[DRY_OUT] <= 3.0
    assert exchange[DRY_OUT] > exchange[CORROSION] > exchange[SULFATION] > 1.0
    assert ends[DRY_OUT].extra_heat_w.mean() > 1.0
    assert not ends[CORROSION].extra_heat_w.any()
    # Acid that dries out is stronger, acid whose sulfate stays in the plates weaker.
    assert ends[DRY_OUT].ocv_offset_v.mean() == pytest.approx(0.06, abs=0.003)
    assert ends[SULFATION].ocv_offset_v.mean() == pytest.approx(-0.06, abs=0.003)


def test_resistance_of_dry_batteries_rises_before_their_capacity_falls() -> None:
    now = _at(batteries := _sound(mechanism=DRY_OUT), 0.7)
    assert (now.health / batteries.initial_capacity).mean() > 0.92
    assert now.resistance_ratio.mean() > 1.2


def test_resistance_scatters_by_eight_to_twelve_percent_and_comes_and_goes() -> None:
    batteries = _sound(mechanism=SULFATION)
    seen = np.array(
        [condition(batteries, _worn(batteries, 0.0), years * 365.25 * DAY_S).resistance_ratio for years in (5, 6)]
    )
    assert 0.08 < seen[0].std() < 0.12
    # A year later the same batteries still stand out, and not all by as much.
    assert 0.5 < np.corrcoef(seen)[0, 1] < 0.95


def test_a_capacity_wanders_by_one_percent_in_a_year_and_not_in_a_day() -> None:
    batteries = drawn(5, COUNT)
    years = np.array([capacity_walk(batteries, np.full(COUNT, days)) for days in 365.25 * np.arange(9.0)])
    assert not years[0].any()
    steps = np.diff(years, axis=0)
    assert steps.std(axis=1) == pytest.approx(0.01, rel=0.1)
    # A walk has no memory: what a year brought says nothing about the next one.
    assert abs(np.corrcoef(steps[3], steps[4])[0, 1]) < 0.06
    assert years[8].std() == pytest.approx(0.01 * np.sqrt(8.0), rel=0.1)
    day = [capacity_walk(batteries, np.full(COUNT, days)) for days in (1_000.0, 1_001.0)]
    assert np.abs(day[1] - day[0]).max() < 0.001
    worn = _worn(batteries, 0.5)
    at_s = 8.0 * 365.25 * DAY_S
    steady = drawn(5, COUNT)
    steady.capacity_walk[:] = 0.0
    ratio = condition(batteries, worn, at_s).health / condition(steady, worn, at_s).health
    assert ratio == pytest.approx(1.0 + years[8])


def test_recoverable_sulfate_takes_capacity_and_nothing_else() -> None:
    batteries = _sound(6)
    worn = _worn(batteries, 0.5)
    clean, covered = (condition(batteries, worn, 900.0 * DAY_S, share) for share in (0.0, np.full(6, 0.04)))
    assert covered.health / clean.health == pytest.approx(0.96)
    for item in fields(Condition):
        if item.name != "health":
            np.testing.assert_array_equal(getattr(covered, item.name), getattr(clean, item.name))


def test_lost_charge_ages_only_negative_plates_and_overcharge_grids_and_water() -> None:
    batteries = _sound(6)
    batteries.mechanism[:] = np.arange(6)
    base = _worn(batteries, 0.5)
    starved, boiled = _worn(batteries, 0.5), _worn(batteries, 0.5)
    starved.undercharge_days[:] = 50.0
    boiled.overcharge_days *= 1.5
    assert (spent_part(batteries, starved) > spent_part(batteries, base)).tolist() == [
        kind == SULFATION for kind in range(6)
    ]
    grown = spent_part(batteries, boiled) > spent_part(batteries, base)
    assert grown.tolist() == [kind in {CORROSION, DRY_OUT} for kind in range(6)]


def test_a_cycle_life_takes_a_fifth_of_the_capacity_and_more_of_soft_plates() -> None:
    batteries = _sound(6)
    batteries.mechanism[:] = np.arange(6)
    fresh, cycled = _worn(batteries, 0.0), _worn(batteries, 0.0)
    cycled.cycle_share[:] = 1.0
    at_s = 400.0 * DAY_S
    lost = 1.0 - condition(batteries, cycled, at_s).health / condition(batteries, fresh, at_s).health
    assert np.delete(lost, SOFTENING) == pytest.approx(0.2)
    assert lost[SOFTENING] == pytest.approx(0.4)


def test_failing_strap_jumps_in_resistance_and_then_opens_the_string() -> None:
    batteries = _sound(1, mechanism=CORROSION)
    batteries.strap_s[:], batteries.strap_days[:], batteries.strap_factor[:] = 100.0 * DAY_S, 30.0, 1.6
    before, loose, broken = (condition(batteries, _worn(batteries, 0.1), day * DAY_S) for day in (99.9, 100.1, 130.1))
    assert loose.resistance_ratio[0] / before.resistance_ratio[0] == pytest.approx(1.6, rel=0.01)
    assert [bool(now.is_open[0]) for now in (before, loose, broken)] == [False, False, True]
    assert not loose.failed[0]
    assert broken.failed[0]


def test_worn_strap_goes_the_same_way_by_its_clock() -> None:
    batteries = _sound(1, mechanism=STRAP)
    batteries.sudden_part[:], batteries.strap_days[:], batteries.life_days[:] = 0.9, 100.0, 2_000.0
    parts = (0.89, 0.91, 0.96)
    assert [bool(_at(batteries, part).is_open[0]) for part in parts] == [False, False, True]
    assert _at(batteries, 0.91).resistance_ratio[0] > 1.2 * _at(batteries, 0.89).resistance_ratio[0]


@pytest.mark.parametrize("by_wear", [True, False])
def test_shorted_cell_leaves_five_and_their_capacity(by_wear: bool) -> None:
    batteries = _sound(1, mechanism=SHORT)
    batteries.sudden_part[:] = 0.3 if by_wear else NEVER_S
    batteries.short_s[:] = NEVER_S if by_wear else 50.0 * DAY_S
    sound, shorted = (condition(batteries, _worn(batteries, day / 200.0), day * DAY_S) for day in (40.0, 90.0))
    assert sound.good_cells[0] == 6.0
    assert shorted.good_cells[0] == 5.0
    assert shorted.failed[0]
    assert shorted.health[0] == pytest.approx(sound.health[0] * 5.0 / 6.0, rel=0.03)


def test_next_sudden_failure_is_the_first_jump_short_or_break() -> None:
    batteries = _sound(3)
    batteries.strap_s[0], batteries.strap_days[0], batteries.short_s[1] = 1_000.0, 1.0, 5_000.0
    assert next_sudden_after(batteries, 0.0) == 1_000.0
    assert next_sudden_after(batteries, 1_000.0) == 5_000.0
    assert next_sudden_after(batteries, 5_000.0) == 1_000.0 + DAY_S
    assert next_sudden_after(_sound(3), 0.0) == float("inf")


def test_a_battery_s_condition_does_not_depend_on_its_company() -> None:
    batteries = drawn(5, 48)
    wear = _worn(batteries, np.linspace(0.0, 1.3, 48))
    together = condition(batteries, wear, 1_500.0 * DAY_S)
    for row in (0, 17, 47):
        alone = Traits(*(getattr(batteries, item.name)[[row]] for item in fields(Traits)))
        clocks = Wear(*(getattr(wear, item.name)[[row]] for item in fields(Wear)))
        single = condition(alone, clocks, 1_500.0 * DAY_S)
        for item in fields(Condition):
            assert getattr(single, item.name)[0] == pytest.approx(getattr(together, item.name)[row], rel=1e-12)


def test_batteries_that_stand_on_long_after_their_end_stay_finite() -> None:
    batteries = drawn(5, 600)
    now = condition(batteries, _worn(batteries, 1e6), 100.0 * 365.25 * DAY_S)
    for item in fields(Condition):
        assert np.isfinite(getattr(now, item.name)).all(), item.name
    assert (now.health > 0.0).all()
    assert now.resistance_ratio.max() < 12.0
    assert now.failed.all()


def test_asking_changes_nothing() -> None:
    batteries = drawn(5, 100)
    wear = _worn(batteries, 0.8)
    first, second = (condition(batteries, wear, 900.0 * DAY_S) for _ in range(2))
    for item in fields(Condition):
        np.testing.assert_array_equal(getattr(first, item.name), getattr(second, item.name))
