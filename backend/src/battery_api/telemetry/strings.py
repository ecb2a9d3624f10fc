"""What the strings of a batch tell about their batteries: the current of a block and the mode it was measured in."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from battery_api.fleet.status import MIN_STALE_AFTER_S, STALE_INTERVALS
from battery_api.telemetry.checks import CheckedRows
from battery_api.telemetry.instants import NEVER, newest_at_or_before
from battery_api.telemetry.live_state import Places, StringStates
from battery_api.telemetry.modes import ModeState, settled, step
from battery_api.telemetry.rows import BoolArray, FloatArray, IntArray
from battery_contracts.enums import StringMode


@dataclass(frozen=True, slots=True)
class ModeTimeline:
    """Modes of strings over time, sorted by string and time; the first entry of a string is its stored state."""

    string: IntArray
    time_us: IntArray
    states: Sequence[ModeState]

    def final(self, count: int) -> list[ModeState]:
        """Return each of ``count`` strings' last mode."""
        last = np.searchsorted(self.string, np.arange(count), side="right") - 1
        return [self.states[at] for at in last.tolist()]

    def at(self, string: IntArray, time_us: IntArray) -> tuple[list[StringMode | None], BoolArray]:
        """Return the mode of strings at instants and whether they had come to rest by then."""
        row = newest_at_or_before(self.string, self.time_us, string, time_us)
        states = [self.states[at] for at in row.tolist()]
        modes = [state.mode for state in states]
        # A string that never told its current is taken as resting: its float rules must not sleep for ever.
        on_float = np.array([mode in {None, StringMode.FLOAT} for mode in modes], bool)
        since = np.array([state.since_us for state in states], np.int64)
        discharged = np.array([state.discharged_us for state in states], np.int64)
        return modes, settled(on_float, since, discharged, time_us)


def mode_timeline(
    states: StringStates, rows: CheckedRows, row_string: IntArray, derived: tuple[IntArray, IntArray, FloatArray]
) -> ModeTimeline:
    """Follow the modes of strings through a batch.

    Parameters
    ----------
    rows, row_string
        String readings that are newer than the state, sorted by string and time, and the string of each.
    derived
        String, time and current taken from battery readings, for strings without readings of their own.
    """
    string = np.concatenate([row_string, derived[0]])
    time_us = np.concatenate([rows.time_us, derived[1]])
    current = np.concatenate([rows.values["current_a"], derived[2]])
    given: list[StringMode | None] = [*rows.words["mode"], *[None] * len(derived[0])]
    present = list(states.mode)
    order = np.lexsort((time_us, string)).tolist()
    entries = [(at, NEVER, state) for at, state in enumerate(present)]
    for at in order:
        subject, instant_us = int(string[at]), int(time_us[at])
        word = given[at]
        present[subject] = step(
            present[subject], instant_us, float(current[at]), None if word is None else StringMode(word)
        )
        entries.append((subject, instant_us, present[subject]))
    entries.sort(key=lambda entry: entry[:2])
    return ModeTimeline(
        string=np.array([entry[0] for entry in entries], np.int64),
        time_us=np.array([entry[1] for entry in entries], np.int64),
        states=[entry[2] for entry in entries],
    )


def currents_from_batteries(
    string: IntArray, time_us: IntArray, current_a: FloatArray, speaks: BoolArray
) -> tuple[IntArray, IntArray, FloatArray]:
    """Return the mean current of the blocks of each silent string at each instant.

    Parameters
    ----------
    speaks
        (strings,) whether a string sent readings of its own in this batch.
    """
    usable = ~np.isnan(current_a) & ~speaks[string] if len(string) else np.zeros(0, bool)
    pairs, group = np.unique(np.stack([string[usable], time_us[usable]], axis=1), axis=0, return_inverse=True)
    group = group.reshape(-1)
    total = np.bincount(group, weights=current_a[usable], minlength=len(pairs))
    count = np.bincount(group, minlength=len(pairs))
    return pairs[:, 0], pairs[:, 1], total / np.maximum(count, 1)


@dataclass(frozen=True, slots=True)
class History:
    """Known values of subjects over time, from their state rows and the batch; for look-ups of the newest at a time."""

    subject: IntArray
    time_us: IntArray
    value: FloatArray
    valid_us: IntArray
    """(subjects,) how long a value speaks for its subject."""

    @classmethod
    def of(
        cls,
        state: tuple[IntArray, FloatArray, FloatArray],
        rows: tuple[IntArray, IntArray, FloatArray],
    ) -> "History":
        """Join the stored (time, value, reporting interval) of ``n`` subjects with rows of (subject, time, value)."""
        last_us, stored, interval_s = state
        heard = np.flatnonzero((last_us != NEVER) & ~np.isnan(stored))
        told = np.flatnonzero(~np.isnan(rows[2]))
        subject = np.concatenate([heard, rows[0][told]])
        time_us = np.concatenate([last_us[heard], rows[1][told]])
        value = np.concatenate([stored[heard], rows[2][told]])
        order = np.lexsort((time_us, subject))
        valid_s = np.maximum(MIN_STALE_AFTER_S, STALE_INTERVALS * np.nan_to_num(interval_s))
        return cls(subject[order], time_us[order], value[order], (valid_s * 1e6).astype(np.int64))

    def at(self, subject: IntArray, time_us: IntArray) -> FloatArray:
        """Return each subject's newest value at an instant, NaN where none is fresh enough to speak for it."""
        row = newest_at_or_before(self.subject, self.time_us, subject, time_us)
        found = np.full(len(subject), np.nan)
        hit = np.flatnonzero(row >= 0)
        fresh = hit[time_us[hit] - self.time_us[row[hit]] <= self.valid_us[subject[hit]]]
        found[fresh] = self.value[row[fresh]]
        return found


def string_currents(
    states: StringStates, rows: CheckedRows, places: Places, string: IntArray, time_us: IntArray
) -> FloatArray:
    """Return the current of strings at instants, from their readings in the batch or their state; NaN if unknown."""
    known = History.of(
        (states.last_us, states.current_a, states.interval_s),
        (np.searchsorted(places.strings, rows.place), rows.time_us, rows.values["current_a"]),
    )
    return known.at(string, time_us)
