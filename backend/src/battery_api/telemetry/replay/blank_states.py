"""The subjects of a replay, and their states where nothing is known of them yet."""

import numpy as np

from battery_api.telemetry.ingest.battery_states import BatteryStates, KnownValues
from battery_api.telemetry.ingest.locked_state import LocationStates, SubjectStates
from battery_api.telemetry.ingest.subjects import BatchSubjects
from battery_api.telemetry.replay.known_strings import string_states
from battery_api.telemetry.store.fleet_index import FleetIndex
from battery_api.telemetry.store.indices import BatchSlots, FleetSlots
from battery_api.telemetry.store.instants import NEVER
from battery_api.telemetry.store.mains import MainsHistory


def subjects_of_string(fleet: FleetIndex, slot: int) -> BatchSubjects:
    """Return a string with all its batteries and its location as the subjects of a replay."""
    members = np.flatnonzero(fleet.string_of_battery == slot)
    first = BatchSlots(np.zeros(len(members), np.int64))
    return BatchSubjects(
        batteries=FleetSlots(members),
        strings=FleetSlots(np.array([slot], np.int64)),
        locations=FleetSlots(fleet.strings.location[[slot]]),
        string_of_battery=first,
        location_of_battery=first,
        location_of_string=BatchSlots(np.zeros(1, np.int64)),
    )


def subjects_of_location(slot: int) -> BatchSubjects:
    """Return a location alone as the subject of a replay."""
    nothing = np.zeros(0, np.int64)
    return BatchSubjects(
        batteries=FleetSlots(nothing),
        strings=FleetSlots(nothing),
        locations=FleetSlots(np.array([slot], np.int64)),
        string_of_battery=BatchSlots(nothing),
        location_of_battery=BatchSlots(nothing),
        location_of_string=BatchSlots(nothing),
    )


def nothing_known(subjects: BatchSubjects) -> SubjectStates:
    """Return the states of subjects of which nothing is known yet."""
    count = len(subjects.batteries)
    unknown, never, zero = np.full(count, np.nan), np.full(count, NEVER), np.zeros(count, np.int64)
    return SubjectStates(
        locations=LocationStates(
            seq=np.zeros(1, np.int64),
            last_us=np.array([NEVER]),
            ambient_c=np.array([np.nan]),
            ambient_us=np.array([NEVER]),
            interval_s=np.array([np.nan]),
            judged_us=np.array([NEVER]),
            rejudge_us=np.array([NEVER]),
            mains=[MainsHistory()],
            rule_state=[None],
        ),
        strings=string_states([None] * len(subjects.strings)),
        batteries=BatteryStates(
            seq=zero,
            last_us=never,
            interval_s=unknown,
            resistance_us=never,
            known=KnownValues(unknown, never, unknown, never),
            rule_state=[None] * count,
            open_counts=np.zeros((count, 3), np.int16),
            twin_version=zero,
            count_day_us=never,
        ),
    )
