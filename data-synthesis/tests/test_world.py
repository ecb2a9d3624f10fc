import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
import numpy.typing as npt
import pytest

from battery_contracts.enums import HvacState, StringMode
from battery_contracts.fleet import FleetRow
from battery_synth.outside.campaign import Campaign
from battery_synth.outside.grid import DischargeSpan, Grid
from battery_synth.world import World

SEED = 4711
START = datetime(2026, 2, 10, tzinfo=UTC)
PlanGrid = Callable[[list[DischargeSpan]], None]
Outage = Callable[[float], tuple[datetime, datetime]]
FloatArray = npt.NDArray[np.float64]


def _per_string(values: FloatArray) -> FloatArray:
    return values.reshape(-1, 24)


def _span(start: datetime, days: float) -> tuple[float, float]:
    return start.timestamp(), start.timestamp() + days * 86_400.0


# -- float ----------------------------------------------------------------------------------------------------------


def test_healthy_blocks_float_between_13_4_and_13_9_v(fleet: Sequence[FleetRow]) -> None:
    seen = (world := World.create(fleet, seed=SEED, start=START)).observe(world.string_ids)
    sound = (seen.voltage_v > 13.4) & (seen.voltage_v < 13.9)
    # A few blocks have a shorted cell; a few old ones in a warm room may dip out.
    assert (~sound).sum() <= 30
    assert 1 <= (seen.voltage_v < 12.0).sum() <= 8
    assert seen.voltage_v.mean() == pytest.approx(13.65, abs=0.06)


def test_float_current_is_that_of_such_strings_and_the_hall_sensor_does_not_see_it(fleet: Sequence[FleetRow]) -> None:
    seen = (world := World.create(fleet, seed=SEED, start=START)).observe(world.string_ids)
    assert seen.float_current_ma.min() > 20
    assert seen.float_current_ma.max() < 150
    assert np.all(seen.current_a == 0.0)
    assert not np.signbit(seen.current_a).any()


def test_blocks_add_up_to_their_string_within_the_sensors_error(world: World) -> None:
    seen = world.observe(world.string_ids)
    assert _per_string(seen.voltage_v).sum(axis=1) == pytest.approx(seen.string_voltage_v, rel=0.003)


def test_one_hour_step_equals_sixty_steps_of_a_minute_on_float(
    one_location: Sequence[FleetRow], plan_grid: PlanGrid
) -> None:
    plan_grid([])
    coarse, fine = (World.create(one_location, seed=SEED, start=START) for _ in range(2))
    for hour in range(1, 25):
        coarse.advance(START + timedelta(hours=hour))
    for minute in range(1, 24 * 60 + 1):
        fine.advance(START + timedelta(minutes=minute))
    one, other = (world.observe(world.string_ids) for world in (coarse, fine))
    assert np.abs(one.temperature_c - other.temperature_c).max() <= 0.1 + 1e-9
    assert np.abs(one.voltage_v - other.voltage_v).max() < 0.003
    assert np.abs(one.float_current_ma / other.float_current_ma - 1).max() < 0.01


# -- discharge and recharge -----------------------------------------------------------------------------------------


def test_voltage_falls_on_discharge_and_rises_on_charge(one_location: Sequence[FleetRow], outage: Outage) -> None:
    begins, ends = outage(600)
    world = World.create(one_location, seed=SEED, start=START)
    string = [next(string for string in world.string_ids if "-UPS-" in string)]
    world.advance(begins - timedelta(seconds=1))
    before = world.observe(string)
    world.advance(begins)
    first = world.observe(string)
    world.advance(ends - timedelta(seconds=1))
    last = world.observe(string)
    world.advance(ends + timedelta(seconds=10))
    back = world.observe(string)
    assert [seen.mode[0] for seen in (before, first, last, back)] == [
        StringMode.FLOAT,
        StringMode.DISCHARGE,
        StringMode.DISCHARGE,
        StringMode.RECHARGE,
    ]
    # 74 A through 3.5 mΩ a block, at once; then the rest.
    step = (before.string_voltage_v - first.string_voltage_v) / 24
    assert 0.15 < step[0] < 0.4
    assert last.string_voltage_v < first.string_voltage_v - 20
    assert 12.0 < last.string_voltage_v[0] / 24 < 12.5
    assert back.string_voltage_v > last.string_voltage_v + 5
    assert first.string_current_a < -50
    assert back.string_current_a > 5


def test_current_rises_as_the_voltage_falls_at_constant_power(one_location: Sequence[FleetRow], outage: Outage) -> None:
    begins, _ = outage(1800)
    world = World.create(one_location, seed=SEED, start=START)
    system = [string for string in world.string_ids if "-UPS-" in string]
    powers, currents, voltages = [], [], []
    for minute in range(6, 30, 4):
        world.advance(begins + timedelta(minutes=minute))
        seen = world.observe(system)
        powers.append(-(seen.string_voltage_v * seen.string_current_a).sum())
        currents.append(-seen.string_current_a.sum())
        voltages.append(seen.string_voltage_v.mean())
    assert np.ptp(powers) < 0.01 * powers[0]
    assert (np.diff(currents) > 0).all()
    assert (np.diff(voltages) < 0).all()
    # 200 kVA, power factor 0.9, about 65 % load, 94.5 % efficiency; the Hall sensor reads 0.5 % high.
    assert powers[0] == pytest.approx(200e3 * 0.9 * 0.65 / 0.945 * 1.005, rel=0.16)
    assert currents[0] / 6 == pytest.approx(70, abs=12)


def test_strings_of_a_system_stand_at_one_voltage_and_share_by_their_resistance(
    one_location: Sequence[FleetRow], outage: Outage
) -> None:
    begins, _ = outage(900)
    world = World.create(one_location, seed=SEED, start=START)
    world.advance(begins + timedelta(minutes=10))
    seen = world.observe([string for string in world.string_ids if "-UPS-" in string])
    assert np.ptp(seen.string_voltage_v) < 0.003 * seen.string_voltage_v.mean()
    assert np.ptp(seen.string_current_a) > 0.3


def test_rectifiers_feed_the_load_alone_and_slowly_until_the_mains_are_back(
    one_location: Sequence[FleetRow], plan_grid: PlanGrid
) -> None:
    begins = START + timedelta(minutes=30)
    generator, back = begins + timedelta(seconds=20), begins + timedelta(hours=3)
    at_s = [instant.timestamp() for instant in (begins, generator, back)]
    plan_grid([DischargeSpan(at_s[0], at_s[1], at_s[2], "outage", rectifier_end_s=at_s[2])])
    world = World.create(one_location, seed=SEED, start=START)
    rectifiers = frozenset(string for string in world.string_ids if "-REC-" in string)
    world.advance(begins + timedelta(seconds=10))
    assert world.discharging() == frozenset(world.string_ids)
    for instant in (generator + timedelta(minutes=1), back - timedelta(seconds=1)):
        world.advance(instant)
        assert world.discharging() == rectifiers
    seen = world.observe(sorted(rectifiers))
    # C/20 to C/8 of 120 Ah, from three strings in parallel at one voltage.
    assert ((seen.string_current_a < -5.5) & (seen.string_current_a > -16.5)).all()
    assert np.ptp(seen.string_voltage_v) < 0.003 * seen.string_voltage_v.mean()
    again = World.load(world.dump(), one_location)
    for each in (world, again):
        each.advance(back + timedelta(minutes=5))
    assert world.dump() == again.dump()
    assert world.recharging() >= rectifiers


def test_string_that_reached_its_cut_off_stays_off_and_recovers(
    one_location: Sequence[FleetRow], outage: Outage
) -> None:
    begins, ends = outage(3 * 3600)
    world = World.create(one_location, seed=SEED, start=START)
    string = [next(string for string in world.string_ids if "-UPS-" in string)]
    runtime = None
    for minute in range(1, 180):
        world.advance(begins + timedelta(minutes=minute))
        drawn = world.observe(string).string_current_a[0]
        if runtime is None and drawn == 0.0:
            runtime = minute
        assert runtime is None or drawn == 0.0
    # The rate table gives 50 to 60 minutes for a sound string at this power; an aged one less.
    assert runtime is not None
    assert 30 < runtime < 70
    world.advance(ends + timedelta(hours=60))
    assert world.observe(string).mode == [StringMode.FLOAT]


def test_capacity_test_takes_one_string_and_leaves_the_others(
    one_location: Sequence[FleetRow], plan_grid: PlanGrid
) -> None:
    tested = sorted({row.string_id for row in one_location})[4]
    begins = START + timedelta(minutes=10)
    ends = begins + timedelta(minutes=12)
    plan_grid([DischargeSpan(begins.timestamp(), ends.timestamp(), begins.timestamp(), "string_test", 4)])
    world = World.create(one_location, seed=SEED, start=START)
    world.advance(begins + timedelta(minutes=5))
    assert world.discharging() == {tested}
    modes = dict(zip(world.string_ids, world.observe(world.string_ids).mode, strict=True))
    assert modes.pop(tested) is StringMode.TEST
    assert set(modes.values()) == {StringMode.FLOAT}
    assert world.observe_locations().mains == [True]


def test_a_year_with_healthy_generators_has_no_deep_discharge(
    one_location: Sequence[FleetRow], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("battery_synth.outside.grid.GENSET_FAILURE", 0.0)
    monkeypatch.setattr(Grid, "_capacity_tests", lambda _self, _year: [])
    world = World.create(one_location, seed=SEED, start=datetime(2025, 1, 1, tzinfo=UTC))
    deepest, end = 0.0, datetime(2026, 1, 1, tzinfo=UTC)
    while world.time < end:
        world.advance(min(end, world.next_change_after(world.time)))
        deepest = max(deepest, float(world.plants[0]._state.deficit_ah.max()))
    # The yearly 12 minutes' test takes about 15 Ah of 120.
    assert 10 < deepest < 20


# -- heat -----------------------------------------------------------------------------------------------------------


def test_discharge_warms_a_block_by_about_four_kelvin_an_hour(one_location: Sequence[FleetRow], outage: Outage) -> None:
    begins, ends = outage(1800)
    world = World.create(one_location, seed=SEED, start=START)
    world.advance(begins)
    before = world.plants[0]._state.block_c.copy()
    world.advance(ends)
    risen = (world.plants[0]._state.block_c - before) / 0.5
    assert 2.0 < np.median(risen) < 6.0


def test_blocks_follow_a_failed_room_slowly(one_location: Sequence[FleetRow]) -> None:
    room = World.create(one_location, seed=SEED, start=datetime(2025, 1, 1, tzinfo=UTC)).plants[0].outside.room
    first_s = datetime(2025, 1, 1, tzinfo=UTC).timestamp()
    failure = next(fault for fault in room.faults(first_s, first_s + 20 * 365.25 * 86_400.0) if fault.failed)
    fails = datetime.fromtimestamp(failure.start_s, UTC)
    world = World.create(one_location, seed=SEED, start=fails - timedelta(hours=6))
    world.advance(fails + timedelta(minutes=1))
    assert world.observe_locations().hvac == [HvacState.FAILED]
    room_before, block_before = world.observe_locations().ambient_c[0], world.plants[0]._state.block_c.mean()
    world.advance(fails + timedelta(hours=1))
    room_rise = world.observe_locations().ambient_c[0] - room_before
    block_rise = world.plants[0]._state.block_c.mean() - block_before
    assert room_rise > 0.2
    assert 0 < block_rise < room_rise


# -- the same again -------------------------------------------------------------------------------------------------


def test_same_seed_gives_the_same_bytes_and_another_seed_others(one_location: Sequence[FleetRow]) -> None:
    def run(seed: int) -> tuple[bytes, bytes]:
        world = World.create(one_location, seed=seed, start=START)
        world.advance(START + timedelta(days=20))
        return world.dump(), world.observe(world.string_ids).voltage_v.tobytes()

    assert run(1) == run(1)
    assert run(1) != run(2)


def test_order_of_the_catalogue_does_not_matter(one_location: Sequence[FleetRow]) -> None:
    forward, backward = (World.create(rows, seed=1, start=START) for rows in (one_location, one_location[::-1]))
    assert forward.dump() == backward.dump()


@pytest.mark.parametrize("stop_s", [1700.0, 1803.7, 1950.0, 4000.0])
def test_checkpoint_goes_on_exactly(one_location: Sequence[FleetRow], outage: Outage, stop_s: float) -> None:
    outage(120)
    world = World.create(one_location, seed=SEED, start=START)
    world.advance(START + timedelta(seconds=stop_s))
    again = World.load(world.dump(), one_location)
    assert again.dump() == world.dump()
    for minutes in (1, 7, 200):
        for each in (world, again):
            each.advance(each.time + timedelta(minutes=minutes))
        one, other = (each.observe(each.string_ids, ohmic=frozenset(each.string_ids)) for each in (world, again))
        for name in ("voltage_v", "current_a", "temperature_c", "internal_resistance_mohm", "float_current_ma"):
            np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
    assert again.dump() == world.dump()


def test_checkpoint_keeps_the_campaign_that_is_under_way(one_location: Sequence[FleetRow]) -> None:
    campaign = Campaign.at_the_end_of(START.timestamp(), START.timestamp() + 20 * 86_400.0)
    world = World.create(one_location, seed=SEED, start=START, campaign=campaign)
    tests = [test for test in world.plants[0].outside.discharges(*_span(START, 20)) if test.kind == "capacity_test"]
    assert len(tests) >= 2
    # Before the first of them, half-way through it, while its string recharges, and after the last.
    stops_s = [tests[0].start_s - 3e3, tests[0].start_s + 5e3, tests[0].end_s + 5e3, tests[-1].end_s + 86_400.0]
    worlds = [world]
    for stop in (datetime.fromtimestamp(stop_s, UTC) for stop_s in stops_s):
        for each in worlds:
            each.advance(stop)
        worlds.append(World.load(world.dump(), one_location))
    for each in worlds:
        each.advance(START + timedelta(days=30))
    assert len({each.dump() for each in worlds}) == 1
    assert all(each.campaign == campaign for each in worlds)


def test_checkpoint_of_an_earlier_version_has_no_campaign(world: World, one_location: Sequence[FleetRow]) -> None:
    content = json.loads(world.dump())
    del content["campaign"]
    assert World.load(json.dumps(content).encode(), one_location).dump() == world.dump()


@pytest.mark.parametrize("campaign", [[], {}, {"start_s": "soon", "end_s": 1.0}, 7])
def test_broken_campaigns_are_refused(world: World, one_location: Sequence[FleetRow], campaign: object) -> None:
    content = {**json.loads(world.dump()), "campaign": campaign}
    with pytest.raises(ValueError, match="not a checkpoint"):
        World.load(json.dumps(content).encode(), one_location)


def test_what_a_sensor_reports_does_not_depend_on_who_else_is_asked(world: World) -> None:
    everyone, alone = world.observe(world.string_ids), world.observe(world.string_ids[3:4])
    np.testing.assert_array_equal(everyone.voltage_v[72:96], alone.voltage_v)


# -- refusals -------------------------------------------------------------------------------------------------------


def test_time_does_not_run_backwards(world: World) -> None:
    with pytest.raises(ValueError, match="runs forward"):
        world.advance(START - timedelta(seconds=1))


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b"\xff\xfe", b'{"version": 1}', b'{"version": 3, "sites": {}}'])
def test_broken_checkpoints_are_refused(one_location: Sequence[FleetRow], data: bytes) -> None:
    with pytest.raises(ValueError, match="checkpoint"):
        World.load(data, one_location)


def test_truncated_and_foreign_checkpoints_are_refused(fleet: Sequence[FleetRow], world: World) -> None:
    data = world.dump()
    others = [row for row in fleet if row.location_id == "DC-KKN-01"]
    with pytest.raises(ValueError, match="checkpoint"):
        World.load(data[: len(data) // 2], others)
    with pytest.raises(ValueError, match="another fleet"):
        World.load(data, others)


def test_unknown_locations_uneven_strings_and_empty_fleets_are_refused(one_location: Sequence[FleetRow]) -> None:
    nowhere = [
        row.model_copy(update={"location_id": "DC-ZZZ-01", "battery_id": row.battery_id.replace("CNX", "ZZZ")})
        for row in one_location
    ]
    with pytest.raises(ValueError, match="DC-ZZZ-01"):
        World.create(nowhere, seed=1, start=START)
    with pytest.raises(ValueError, match="same number"):
        World.create(one_location[:-1], seed=1, start=START)
    with pytest.raises(ValueError, match="no batteries"):
        World.create([], seed=1, start=START)
    with pytest.raises(ValueError, match="outside"):
        World.create(one_location, seed=1, start=datetime(1999, 1, 1, tzinfo=UTC))


# -- measurements ---------------------------------------------------------------------------------------------------


def test_resistance_is_measured_once_a_day_and_string(world: World) -> None:
    due = [world.ohmic_due(START + timedelta(hours=h), START + timedelta(hours=h + 1)) for h in range(24)]
    assert sum(len(strings) for strings in due) == len(world.string_ids)
    assert frozenset.union(*due) == frozenset(world.string_ids)


def test_resistance_is_not_measured_while_a_string_works(one_location: Sequence[FleetRow], outage: Outage) -> None:
    begins, _ = outage(60)
    world = World.create(one_location, seed=SEED, start=START)
    asked = frozenset(world.string_ids[:2])
    seen = world.observe(world.string_ids, ohmic=asked)
    assert np.isfinite(seen.internal_resistance_mohm[:48]).all()
    assert np.isnan(seen.internal_resistance_mohm[48:]).all()
    world.advance(begins + timedelta(seconds=5))
    assert np.isnan(world.observe(world.string_ids, ohmic=asked).internal_resistance_mohm).all()
