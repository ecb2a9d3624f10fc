from datetime import timedelta

import orjson
import pytest

from battery_contracts.fleet import FleetRow
from battery_contracts.telemetry import TelemetryBatch
from battery_sim.batch import make_batch, merged
from battery_synth.world import World
from tests.conftest import START


@pytest.fixture
def world(fleet: tuple[FleetRow, ...]) -> World:
    return World.create(fleet, seed=3, start=START)


def test_nothing_read_is_no_batch() -> None:
    assert make_batch(None, None) is None


def test_batch_carries_what_the_sensors_reported(world: World) -> None:
    string = world.string_ids[1]
    seen, locations = world.observe([string], ohmic=frozenset({string})), world.observe_locations()
    batch = make_batch(seen, locations)
    assert batch is not None
    content = orjson.loads(batch.body)
    assert batch.reading_count == 24 + 1 + 2
    assert content["columns"]["voltage_v"] == seen.voltage_v.tolist()
    assert content["columns"]["internal_resistance_mohm"] == seen.internal_resistance_mohm.tolist()
    assert content["columns"]["time"] == ["2026-03-03T06:00:00.000Z"] * 24
    assert content["string_readings"][0]["voltage_v"] == seen.string_voltage_v[0]
    assert content["site_readings"][0]["ambient_c"] == locations.ambient_c[0]


def test_resistance_is_null_where_it_was_not_measured(world: World) -> None:
    first, second = world.string_ids[:2]
    batch = make_batch(world.observe([first, second], ohmic=frozenset({second})), None)
    assert batch is not None
    resistance = orjson.loads(batch.body)["columns"]["internal_resistance_mohm"]
    assert resistance[:24] == [None] * 24
    assert None not in resistance[24:]
    unmeasured = make_batch(world.observe([first]), None)
    assert unmeasured is not None
    assert "internal_resistance_mohm" not in orjson.loads(unmeasured.body)["columns"]


def test_merge_keeps_every_reading_in_order(world: World) -> None:
    bodies = []
    for number, string in enumerate(world.string_ids[:5]):
        world.advance(START + timedelta(seconds=number + 1))
        ohmic = frozenset({string}) if number % 2 else frozenset()
        locations = world.observe_locations() if number in {0, 3} else None
        batch = make_batch(world.observe([string], ohmic=ohmic) if number != 3 else None, locations)
        assert batch is not None
        bodies.append(batch.body)
    whole = TelemetryBatch.model_validate_json(merged(bodies))
    parts = [TelemetryBatch.model_validate_json(body) for body in bodies]
    assert whole.columns is not None
    for name in ("battery_id", "time", "voltage_v", "current_a", "temperature_c"):
        expected = [value for part in parts if part.columns for value in getattr(part.columns, name)]
        assert getattr(whole.columns, name) == expected
    resistance = [
        value
        for part in parts
        if part.columns
        for value in part.columns.internal_resistance_mohm or [None] * len(part.columns.battery_id)
    ]
    assert whole.columns.internal_resistance_mohm == resistance
    assert [r.string_id for r in whole.string_readings or ()] == [
        r.string_id for p in parts for r in p.string_readings or ()
    ]
    assert whole.site_readings == [r for p in parts for r in p.site_readings or ()]


def test_merge_of_location_readings_alone_has_no_columns(world: World) -> None:
    batch = make_batch(None, world.observe_locations())
    assert batch is not None
    assert set(orjson.loads(merged([batch.body, batch.body]))) == {"site_readings"}
