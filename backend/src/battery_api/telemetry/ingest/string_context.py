"""What a batch says of strings: their operating mode over time, and their current for batteries that send none."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from battery_api.fleet.status import MIN_STALE_AFTER_S, STALE_INTERVALS
from battery_api.telemetry.ingest.checks import ValidatedBatch, ValidRows
from battery_api.telemetry.ingest.intervals import learn_intervals
from battery_api.telemetry.ingest.locked_state import StringStates, SubjectStates
from battery_api.telemetry.ingest.subjects import BatchSubjects
from battery_api.telemetry.store.columns import BoolArray, FloatArray, IntArray
from battery_api.telemetry.store.indices import BatchSlots, FleetSlots
from battery_api.telemetry.store.instants import NEVER, newest_at_or_before
from battery_api.telemetry.store.string_modes import ModeState, is_settled, next_mode
from battery_contracts.enums import StringMode


@dataclass(frozen=True, slots=True)
class SubjectValues:
    """Values (m,) of one quantity, with the subject (batch slot) and the time of each; NaN where there is none."""

    slot: BatchSlots
    time_us: IntArray
    value: FloatArray


@dataclass(frozen=True, slots=True)
class NewestValues:
    """Newest stored value (n,) of one quantity by batch slot, and its time."""

    time_us: IntArray
    value: FloatArray


@dataclass(frozen=True, slots=True)
class ModesAt:
    """Mode (m,) of strings at instants, and whether they were settled by then."""

    mode: list[StringMode | None]
    settled: BoolArray
    since_us: IntArray
    discharged_us: IntArray


@dataclass(frozen=True, slots=True)
class ModeTimeline:
    """Modes of strings over time, sorted by string and time; the first entry of a string is its stored state."""

    string: BatchSlots
    time_us: IntArray
    states: Sequence[ModeState]

    def final(self, count: int) -> list[ModeState]:
        """Return the last mode of each of ``count`` strings."""
        last = np.searchsorted(self.string, np.arange(count), side="right") - 1
        return [self.states[entry] for entry in last.tolist()]

    def at(self, string: BatchSlots, time_us: IntArray) -> ModesAt:
        """Return the mode of strings (m,) at instants (m,)."""
        entries = newest_at_or_before(self.string, self.time_us, string, time_us)
        states = [self.states[entry] for entry in entries.tolist()]
        modes = [state.mode for state in states]
        # A string that never reported its current counts as settled: its float rules must not stay off for ever.
        on_float = np.array([mode in {None, StringMode.FLOAT} for mode in modes], bool)
        since = np.array([state.since_us for state in states], np.int64)
        discharged = np.array([state.discharged_us for state in states], np.int64)
        return ModesAt(modes, is_settled(on_float, since, discharged, time_us), since, discharged)


def follow_modes(states: StringStates, rows: ValidRows, row_string: BatchSlots, derived: SubjectValues) -> ModeTimeline:
    """Follow the modes of strings through a batch.

    Parameters
    ----------
    rows, row_string
        String readings (m,) that are newer than the state, sorted by string and time, and the string of each.
    derived
        Currents derived from battery readings, for strings without readings of their own.
    """
    string = np.concatenate([row_string, derived.slot])
    time_us = np.concatenate([rows.time_us, derived.time_us])
    current = np.concatenate([rows.values["current_a"], derived.value])
    reported: list[StringMode | None] = [*rows.categories["mode"], *[None] * len(derived.slot)]
    present = list(states.mode)
    entries = [(slot, NEVER, state) for slot, state in enumerate(present)]
    for row in np.lexsort((time_us, string)).tolist():
        slot, instant_us, mode = int(string[row]), int(time_us[row]), reported[row]
        present[slot] = next_mode(
            present[slot], instant_us, float(current[row]), None if mode is None else StringMode(mode)
        )
        entries.append((slot, instant_us, present[slot]))
    entries.sort(key=lambda entry: entry[:2])
    return ModeTimeline(
        string=BatchSlots(np.array([entry[0] for entry in entries], np.int64)),
        time_us=np.array([entry[1] for entry in entries], np.int64),
        states=[entry[2] for entry in entries],
    )


def currents_from_batteries(readings: SubjectValues) -> SubjectValues:
    """Return the mean battery current of each string at each instant, for readings by the batteries' strings."""
    string, current_a = readings.slot, readings.value
    is_usable = ~np.isnan(current_a)
    pairs, group = np.unique(
        np.stack([string[is_usable], readings.time_us[is_usable]], axis=1), axis=0, return_inverse=True
    )
    group = group.reshape(-1)
    total = np.bincount(group, weights=current_a[is_usable], minlength=len(pairs))
    count = np.bincount(group, minlength=len(pairs))
    return SubjectValues(BatchSlots(pairs[:, 0]), pairs[:, 1], total / np.maximum(count, 1))


@dataclass(frozen=True, slots=True)
class ValueTimeline:
    """Values of one quantity over time, from state rows and the batch, to look up the newest value at an instant."""

    values: SubjectValues
    """Sorted by subject and time."""
    valid_us: IntArray
    """How long each value stays valid, by the reporting interval as it was known then."""

    @classmethod
    def of(
        cls, stored: NewestValues, readings: SubjectValues, *, interval_s: FloatArray, last_us: IntArray
    ) -> "ValueTimeline":
        """Join stored values (n,) with readings (m,), each valid by the reporting interval as it was known then.

        The readings are sorted by subject and time; before them the subjects reported every ``interval_s`` (n,), the
        last time at ``last_us`` (n,).
        """
        newer = np.flatnonzero(readings.time_us > last_us[readings.slot])
        intervals = learn_intervals(interval_s, last_us, BatchSlots(readings.slot[newer]), readings.time_us[newer])
        known_s = interval_s[readings.slot]
        known_s[newer] = intervals.after_s
        return cls._joined(stored, readings, stale_after_us(interval_s), stale_after_us(known_s))

    @classmethod
    def lasting(cls, stored: NewestValues, readings: SubjectValues, *, valid_s: float) -> "ValueTimeline":
        """Join stored values (n,) with readings (m,), all valid for the same time."""
        valid_us = round(valid_s * 1e6)
        return cls._joined(
            stored, readings, np.full(len(stored.time_us), valid_us), np.full(len(readings.slot), valid_us)
        )

    @classmethod
    def _joined(
        cls, stored: NewestValues, readings: SubjectValues, stored_valid_us: IntArray, valid_us: IntArray
    ) -> "ValueTimeline":
        known = np.flatnonzero((stored.time_us != NEVER) & ~np.isnan(stored.value))
        measured = np.flatnonzero(~np.isnan(readings.value))
        slot = np.concatenate([known, readings.slot[measured]])
        time_us = np.concatenate([stored.time_us[known], readings.time_us[measured]])
        value = np.concatenate([stored.value[known], readings.value[measured]])
        valid = np.concatenate([stored_valid_us[known], valid_us[measured]])
        order = np.lexsort((time_us, slot))
        return cls(SubjectValues(BatchSlots(slot[order]), time_us[order], value[order]), valid[order])

    def at(self, slot: BatchSlots, time_us: IntArray) -> FloatArray:
        """Return the newest value of subjects (k,) at instants (k,), NaN where none is recent enough."""
        row = newest_at_or_before(self.values.slot, self.values.time_us, slot, time_us)
        result = np.full(len(slot), np.nan)
        matched = np.flatnonzero(row >= 0)
        age_us = time_us[matched] - self.values.time_us[row[matched]]
        valid = matched[age_us <= self.valid_us[row[matched]]]
        result[valid] = self.values.value[row[valid]]
        return result


def ages_s(known_us: IntArray, readings: SubjectValues, slot: BatchSlots, time_us: IntArray) -> FloatArray:
    """Return how long ago subjects (k,) last measured a quantity at instants (k,), NaN where they never did.

    Parameters
    ----------
    known_us
        (n,) when they last measured it before the readings, `NEVER` where they did not.
    readings
        Readings (m,) of the quantity, sorted by subject and time.
    """
    values = np.where(known_us == NEVER, np.nan, 0.0)
    forever_s = 3e9
    timeline = ValueTimeline.lasting(NewestValues(known_us, values), readings, valid_s=forever_s)
    row = newest_at_or_before(timeline.values.slot, timeline.values.time_us, slot, time_us)
    ages = np.full(len(slot), np.nan)
    matched = np.flatnonzero(row >= 0)
    ages[matched] = (time_us[matched] - timeline.values.time_us[row[matched]]) / 1e6
    return ages


def stale_after_us(interval_s: FloatArray) -> IntArray:
    """Return the age at which a value becomes stale, by reporting interval (n,); NaN is an unknown one."""
    limit_s = np.maximum(MIN_STALE_AFTER_S, STALE_INTERVALS * np.nan_to_num(interval_s))
    limit: IntArray = (limit_s * 1e6).astype(np.int64)
    return limit


def string_currents(states: StringStates, rows: ValidRows, subjects: BatchSubjects) -> ValueTimeline:
    """Return the currents of strings over time, from their readings in the batch and their state rows."""
    return ValueTimeline.of(
        NewestValues(states.current_us, states.current_a),
        SubjectValues(subjects.string_slots(rows.slot), rows.time_us, rows.values["current_a"]),
        interval_s=states.interval_s,
        last_us=states.last_us,
    )


def batch_modes(states: SubjectStates, subjects: BatchSubjects, batch: ValidatedBatch) -> ModeTimeline:
    """Follow the modes of the batch's strings, from their own readings or the currents of their batteries."""
    rows = batch.strings
    row_string = subjects.string_slots(rows.slot)
    newer = np.flatnonzero(rows.time_us > states.strings.last_us[row_string])
    battery = subjects.battery_slots(batch.batteries.slot)
    string = subjects.strings_of(battery)
    time_us = batch.batteries.time_us
    is_newer = time_us > states.batteries.last_us[battery]
    current = np.where(is_newer, batch.batteries.values["current_a"], np.nan)
    means = currents_from_batteries(SubjectValues(string, time_us, current))
    # Batteries give the current of a string that is silent itself.
    silent = np.flatnonzero(np.isnan(string_currents(states.strings, rows, subjects).at(means.slot, means.time_us)))
    derived = SubjectValues(BatchSlots(means.slot[silent]), means.time_us[silent], means.value[silent])
    return follow_modes(states.strings, _select(rows, newer), BatchSlots(row_string[newer]), derived)


def _select(rows: ValidRows, chosen: IntArray) -> ValidRows:
    return ValidRows(
        slot=FleetSlots(rows.slot[chosen]),
        time_us=rows.time_us[chosen],
        values={name: column[chosen] for name, column in rows.values.items()},
        categories={name: [column[row] for row in chosen.tolist()] for name, column in rows.categories.items()},
    )
