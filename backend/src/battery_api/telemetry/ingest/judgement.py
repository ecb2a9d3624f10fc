"""Hand the newer readings of a batch to the judge, and write its verdict to the state rows."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

import numpy as np
from sqlalchemy.ext.asyncio import AsyncConnection

from battery_api.telemetry.ingest.battery_states import PeerStates
from battery_api.telemetry.ingest.disorder import Disorder
from battery_api.telemetry.ingest.inserts import StoredReadings
from battery_api.telemetry.ingest.locked_state import SubjectStates
from battery_api.telemetry.ingest.readings import BATTERY_SHAPE
from battery_api.telemetry.ingest.state_updates import StoredRows
from battery_api.telemetry.ingest.string_context import (
    ModeTimeline,
    NewestValues,
    SubjectValues,
    ValueTimeline,
    ages_s,
)
from battery_api.telemetry.ingest.subjects import BatchSubjects
from battery_api.telemetry.ports import (
    BatchVerdict,
    BatterySubjects,
    JudgedBatch,
    KnownBatteries,
    LocationSubjects,
    Readings,
    StringSubjects,
)
from battery_api.telemetry.store.columns import FloatArray, RuleState
from battery_api.telemetry.store.fleet_index import FleetIndex, Kind
from battery_api.telemetry.store.indices import BatchSlots, BatteryKey, Keys
from battery_api.telemetry.store.mains import follow_mains
from battery_api.telemetry.store.statements import write_open_counts, write_rule_states

ROOM_VALID_S: Final = 3600.0
"""How long a room temperature stands for the room: its air takes about an hour to follow (EJ)."""
MAINS_VALID_S: Final = ROOM_VALID_S
"""How long a report of the mains counts; a replay reads the location's readings of as long before its first."""
OWN_TEMPERATURE_VALID_S: Final = 172_800.0
"""How long a battery's temperature serves to refer its resistance to 25 °C, where none came with it.

Within two days it moves by a few kelvin and the resistance by one or two per cent; the limits are 20 and more.
"""


def judged_batch(
    fleet: FleetIndex,
    subjects: BatchSubjects,
    states: SubjectStates,
    peers: PeerStates,
    stored: StoredReadings,
    *,
    timeline: ModeTimeline,
    disorder: Disorder,
) -> JudgedBatch | None:
    """Return the newer readings of what is in order with the state before them; None when there are none."""
    now = disorder.is_string_in_order
    readings = stored.batteries.newer_by_time(
        BATTERY_SHAPE.channel_names,
        stored.batteries.learn_intervals(states.batteries.interval_s, states.batteries.last_us),
        now[subjects.string_of_battery],
    )
    string_readings = stored.strings.newer_by_time(
        tuple(stored.strings.values),
        stored.strings.learn_intervals(states.strings.interval_s, states.strings.last_us),
        now,
    )
    locations = _with_losses(states, stored)
    location_readings = locations.newer_by_time(
        tuple(locations.values),
        locations.learn_intervals(states.locations.interval_s, states.locations.last_us),
        disorder.is_location_in_order,
    )
    if not (len(readings) or len(string_readings) or len(location_readings)):
        return None
    times, string_times = readings.time.view(np.int64), string_readings.time.view(np.int64)
    modes = timeline.at(subjects.strings_of(readings.subject), times)
    string_modes = timeline.at(string_readings.subject, string_times)
    location, string_location = (
        subjects.locations_of(readings.subject),
        BatchSlots(subjects.location_of_string[string_readings.subject]),
    )
    rooms, mains = _rooms(states, stored), _mains(states, stored)
    return JudgedBatch(
        batteries=BatterySubjects(
            entries=fleet.batteries.entries_at(subjects.batteries),
            rule_state=states.batteries.rule_state,
            string_index=subjects.string_of_battery,
            location_index=subjects.location_of_battery,
            open_counts=states.batteries.open_counts,
            keys=fleet.batteries.keys_at(subjects.batteries),
            capacity_ah=fleet.battery_capacity_ah[subjects.batteries],
            cell_count=fleet.battery_cells[subjects.batteries],
        ),
        strings=StringSubjects(
            entries=fleet.strings.entries_at(subjects.strings),
            rule_state=states.strings.rule_state,
            mode=[state.mode for state in states.strings.mode],
            flatlines=states.strings.flatlines,
            trends=states.strings.trends,
        ),
        locations=LocationSubjects(
            entries=fleet.locations.entries_at(subjects.locations), rule_state=states.locations.rule_state
        ),
        battery_readings=readings,
        string_readings=string_readings,
        location_readings=location_readings,
        known=_known(subjects, states, peers),
        mode=modes.mode,
        mode_since_us=modes.since_us,
        settled=modes.settled,
        room_c=rooms.at(location, times),
        own_temperature_c=_own_temperatures(states, stored, readings),
        age_s=_ages(states, stored, readings),
        mains_lost=mains.at(location, times) == 0.0,
        discharged_us=modes.discharged_us,
        string_mode=string_modes.mode,
        string_settled=string_modes.settled,
        string_room_c=rooms.at(string_location, string_times),
        string_mains_lost=mains.at(string_location, string_times) == 0.0,
        string_discharged_us=string_modes.discharged_us,
    )


def _known(subjects: BatchSubjects, states: SubjectStates, peers: PeerStates) -> KnownBatteries:
    own, others = states.batteries.known, peers.known
    return KnownBatteries(
        string=BatchSlots(np.concatenate([subjects.string_of_battery, peers.string])),
        voltage_v=np.concatenate([own.voltage_v, others.voltage_v]),
        voltage_us=np.concatenate([own.voltage_us, others.voltage_us]),
        temperature_c=np.concatenate([own.temperature_c, others.temperature_c]),
        temperature_us=np.concatenate([own.temperature_us, others.temperature_us]),
    )


def _rooms(states: SubjectStates, stored: StoredReadings) -> ValueTimeline:
    rows = stored.locations
    return ValueTimeline.lasting(
        NewestValues(states.locations.ambient_us, states.locations.ambient_c),
        SubjectValues(rows.slot, rows.time_us, rows.values["ambient_c"]),
        valid_s=ROOM_VALID_S,
    )


def _mains(states: SubjectStates, stored: StoredReadings) -> ValueTimeline:
    rows, histories = stored.locations, states.locations.mains
    known = np.array([np.nan if one.is_on is None else float(one.is_on) for one in histories], np.float64)
    return ValueTimeline.lasting(
        NewestValues(np.array([one.at_us for one in histories], np.int64), known),
        SubjectValues(rows.slot, rows.time_us, rows.values["mains"]),
        valid_s=MAINS_VALID_S,
    )


def _with_losses(states: SubjectStates, stored: StoredReadings) -> StoredRows:
    """Return the location readings with the number of mains losses within the day before each."""
    rows = stored.locations
    newer = rows.newer
    counts = np.full(len(rows.slot), np.nan)
    counts[newer], _ = follow_mains(
        states.locations.mains, BatchSlots(rows.slot[newer]), rows.time_us[newer], rows.values["mains"][newer]
    )
    return replace(rows, values={**rows.values, "mains_losses_24h": counts})


def _own_temperatures(states: SubjectStates, stored: StoredReadings, readings: Readings) -> FloatArray:
    measured = readings.values["temperature_c"]
    if not np.isnan(measured).any():
        return measured
    known, rows = states.batteries.known, stored.batteries
    timeline = ValueTimeline.lasting(
        NewestValues(known.temperature_us, known.temperature_c),
        SubjectValues(rows.slot, rows.time_us, rows.values["temperature_c"]),
        valid_s=OWN_TEMPERATURE_VALID_S,
    )
    return timeline.at(readings.subject, readings.time.view(np.int64))


def _ages(states: SubjectStates, stored: StoredReadings, readings: Readings) -> dict[str, FloatArray]:
    known, rows = states.batteries.known, stored.batteries
    ages = {}
    for channel, known_us in (("voltage_v", known.voltage_us), ("temperature_c", known.temperature_us)):
        if not np.isnan(readings.values[channel]).any():
            ages[channel] = np.zeros(len(readings))
            continue
        measured = SubjectValues(rows.slot, rows.time_us, rows.values[channel])
        ages[channel] = ages_s(known_us, measured, readings.subject, readings.time.view(np.int64))
    return ages


async def write_verdict(
    connection: AsyncConnection, fleet: FleetIndex, subjects: BatchSubjects, verdict: BatchVerdict
) -> None:
    """Write the rule states and open counts that the judge changed."""
    location_keys = fleet.locations.keys_at(subjects.locations)
    string_keys = fleet.strings.keys_at(subjects.strings)
    battery_keys = fleet.batteries.keys_at(subjects.batteries)
    changes: tuple[tuple[Kind, Keys, Mapping[int, RuleState | None]], ...] = (
        ("location", location_keys, verdict.location_rule_state),
        ("string", string_keys, verdict.string_rule_state),
        ("battery", battery_keys, verdict.battery_rule_state),
    )
    for kind, keys, changed in changes:
        slots = sorted(changed)
        await write_rule_states(
            connection, kind, keys[slots].tolist() if slots else [], [changed[slot] for slot in slots]
        )
    counts = {BatteryKey(int(battery_keys[slot])): count for slot, count in verdict.open_counts.items()}
    await write_open_counts(connection, counts)
