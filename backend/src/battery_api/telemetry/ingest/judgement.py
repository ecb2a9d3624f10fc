"""Hand the newer readings of a batch to the judge, and write its verdict to the state rows."""

from collections.abc import Mapping
from datetime import datetime

import numpy as np
from sqlalchemy.ext.asyncio import AsyncConnection

from battery_api.telemetry.ingest.inserts import StoredReadings
from battery_api.telemetry.ingest.locked_state import BatchSubjects, SubjectStates
from battery_api.telemetry.ingest.readings import BATTERY_SHAPE
from battery_api.telemetry.ingest.string_context import ModeTimeline, NewestValues, SubjectValues, ValueTimeline
from battery_api.telemetry.ports import (
    BatchVerdict,
    BatterySubjects,
    JudgedBatch,
    LocationSubjects,
    StringSubjects,
)
from battery_api.telemetry.store.columns import RuleState
from battery_api.telemetry.store.fleet_index import FleetIndex, Kind
from battery_api.telemetry.store.indices import BatteryKey, Keys
from battery_api.telemetry.store.instants import instants_of
from battery_api.telemetry.store.statements import write_open_counts, write_rule_states


def judged_batch(
    fleet: FleetIndex,
    subjects: BatchSubjects,
    states: SubjectStates,
    stored: StoredReadings,
    timeline: ModeTimeline,
    *,
    received_at: datetime,
) -> JudgedBatch | None:
    """Return the newer readings with the state before them; None when there are none."""
    readings = stored.batteries.newer_by_time(BATTERY_SHAPE.channel_names)
    string_readings = stored.strings.newer_by_time(tuple(stored.strings.values))
    location_readings = stored.locations.newer_by_time(tuple(stored.locations.values))
    if not (len(readings) or len(string_readings) or len(location_readings)):
        return None
    times = readings.time.view(np.int64)
    modes = timeline.at(subjects.strings_of(readings.subject), times)
    locations = stored.locations
    room = ValueTimeline.of(
        NewestValues(states.locations.last_us, states.locations.ambient_c, states.locations.interval_s),
        SubjectValues(locations.slot, locations.time_us, locations.values["ambient_c"]),
    )
    return JudgedBatch(
        batteries=BatterySubjects(
            entries=fleet.batteries.entries_at(subjects.batteries),
            rule_state=states.batteries.rule_state,
            last_time=instants_of(states.batteries.last_us),
            interval_s=states.batteries.interval_s,
            string_index=subjects.string_of_battery,
            location_index=subjects.location_of_battery,
            open_counts=states.batteries.open_counts,
        ),
        strings=StringSubjects(
            entries=fleet.strings.entries_at(subjects.strings),
            rule_state=states.strings.rule_state,
            last_time=instants_of(states.strings.last_us),
            interval_s=states.strings.interval_s,
            mode=[state.mode for state in states.strings.mode],
        ),
        locations=LocationSubjects(
            entries=fleet.locations.entries_at(subjects.locations),
            rule_state=states.locations.rule_state,
            last_time=instants_of(states.locations.last_us),
            interval_s=states.locations.interval_s,
        ),
        battery_readings=readings,
        string_readings=string_readings,
        location_readings=location_readings,
        mode=modes.mode,
        settled=modes.settled,
        room_c=room.at(subjects.locations_of(readings.subject), times),
        received_at=received_at,
    )


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
