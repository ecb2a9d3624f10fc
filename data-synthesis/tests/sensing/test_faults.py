"""Faults of sensors: rare, a function of time, and they leave everybody else's readings alone."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np
import pytest

from battery_contracts.fleet import FleetRow
from battery_synth.engine.plant import Plant
from battery_synth.life.policy import Unattended
from battery_synth.sensing.faults import SensorFault, SensorFaultKind, SensorFaults
from battery_synth.state.readings import Sampling, SimulatedReadings

START_S = datetime(2026, 2, 10, tzinfo=UTC).timestamp()
DAY_S = 86_400.0


def a_day(one_location: Sequence[FleetRow]) -> SimulatedReadings:
    plant = Plant(4711, one_location, start_s=START_S, policy=Unattended())
    return plant.run(START_S + DAY_S, Sampling(3600.0))


def with_fault(readings: SimulatedReadings, kind: SensorFaultKind, value: float = 0.0) -> SimulatedReadings:
    block = None if kind in {"current_sign", "string_silent"} else 5
    fault = SensorFault(START_S + 6 * 3600.0, START_S + 12 * 3600.0, kind, 2, block, value)
    faults = SensorFaults(1, [], 24, (fault,))
    return faults.apply(readings)


def test_a_few_per_cent_of_channels_have_a_fault_in_a_year() -> None:
    strings = [f"S{i}" for i in range(200)]
    faults = SensorFaults(1, strings, 24).faults(START_S, START_S + 365.0 * DAY_S)
    counts = Counter(fault.kind for fault in faults)
    assert 0.01 < sum(counts[k] for k in counts if k != "string_silent") / (200 * 24) < 0.06
    assert len(counts) == 8
    again = SensorFaults(1, strings, 24)
    # In whatever order they are asked for.
    again.faults(START_S + 900 * DAY_S, START_S + 901 * DAY_S)
    assert again.faults(START_S, START_S + 365.0 * DAY_S) == faults


@pytest.mark.parametrize("kind", ["voltage_stuck", "voltage_dropout", "temperature_stuck", "temperature_dropout"])
def test_stuck_and_silent_channels(one_location: Sequence[FleetRow], kind: SensorFaultKind) -> None:
    sound, corrupted = a_day(one_location), with_fault(a_day(one_location), kind, 13.5)
    name = "voltage_v" if kind.startswith("voltage") else "temperature_c"
    hit = (
        (sound.string == 2) & (sound.at_us >= (START_S + 6 * 3600) * 1e6) & (sound.at_us < (START_S + 12 * 3600) * 1e6)
    )
    assert hit.sum() == 6
    values = getattr(corrupted, name)[hit, 5]
    assert np.isnan(values).all() if kind.endswith("dropout") else (values == np.float32(13.5)).all()
    np.testing.assert_array_equal(
        np.delete(getattr(corrupted, name), 5, axis=1), np.delete(getattr(sound, name), 5, axis=1)
    )
    np.testing.assert_array_equal(getattr(corrupted, name)[~hit], getattr(sound, name)[~hit])


def test_loose_lead_makes_two_neighbours_look_old(one_location: Sequence[FleetRow]) -> None:
    sound, corrupted = a_day(one_location), with_fault(a_day(one_location), "loose_sense_lead", 0.4)
    measured = np.isfinite(sound.internal_resistance_mohm)
    ratio = corrupted.internal_resistance_mohm / sound.internal_resistance_mohm
    grown = {tuple(position) for position in np.argwhere(measured & (ratio > 1.3))}
    assert {position[1] for position in grown} <= {5, 6}
    assert len(grown) in {0, 2}


def test_sign_and_swapped_wires(one_location: Sequence[FleetRow]) -> None:
    sound, swapped = a_day(one_location), with_fault(a_day(one_location), "swapped_wires")
    changed = np.unique(np.argwhere(swapped.voltage_v != sound.voltage_v)[:, 1])
    assert set(changed.tolist()) == {5, 6}
    np.testing.assert_allclose(np.nansum(swapped.voltage_v), np.nansum(sound.voltage_v), rtol=1e-6)
    flipped = a_day(one_location)
    flipped.current_a[:] = -12.0
    assert (with_fault(flipped, "current_sign").current_a > 0).sum() == 6


def test_a_silent_string_has_no_rows(one_location: Sequence[FleetRow]) -> None:
    sound, gap = a_day(one_location), with_fault(a_day(one_location), "string_silent")
    assert len(sound) - len(gap) == 6
    assert len(gap.voltage_v) == len(gap.mode) == len(gap)
    assert len(gap.location_at_us) == len(sound.location_at_us)
