"""Move the state rows to the newest readings of a batch; a late reading never moves them back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import numpy as np
from sqlalchemy.ext.asyncio import AsyncConnection

from battery_api.telemetry.ingest.estimation import ReadingEstimates
from battery_api.telemetry.ingest.intervals import Intervals, learn_intervals
from battery_api.telemetry.ingest.locked_state import SubjectStates
from battery_api.telemetry.ingest.readings import BATTERY_SHAPE, STRING_SHAPE
from battery_api.telemetry.ingest.string_context import ModeTimeline
from battery_api.telemetry.ingest.subjects import BatchSubjects
from battery_api.telemetry.ports import Readings
from battery_api.telemetry.store.columns import BoolArray, Column, FloatArray, IntArray, instants, integers, reals
from battery_api.telemetry.store.fleet_index import FleetIndex, Kind
from battery_api.telemetry.store.indices import BatchSlots, FleetSlots, Keys
from battery_api.telemetry.store.instants import NEVER, microseconds
from battery_api.telemetry.store.mains import follow_mains
from battery_api.telemetry.store.outcomes import ReadingOutcome
from battery_api.telemetry.store.reading_counts import ADD_TO_OPEN_DAY, BatchCounts, add_earlier_days, close_days
from battery_api.telemetry.store.statements import update_rows

_NEXT_SEQ: Final = "seq = present.seq + 1"
_KNOWN: Final = ("voltage_v", "temperature_c")
_KNOWN_OF_STRINGS: Final = ("current_a", "float_current_ma")
"""Channels of a battery whose newest measured value is kept."""
_LIVE: Final = tuple(name for name in BATTERY_SHAPE.channel_names if name != "internal_resistance_mohm")


@dataclass(frozen=True, slots=True)
class StoredRows:
    """Readings (m,) of one kind that reached the store, sorted by batch slot and time.

    ``is_late`` means that a newer reading was known before, ``outcome`` is the `ReadingOutcome` of each. The values of
    an amended row are those that are stored now.
    """

    slot: BatchSlots
    time_us: IntArray
    values: Mapping[str, FloatArray]
    is_late: BoolArray
    outcome: IntArray
    categories: Mapping[str, Sequence[Any]] = field(default_factory=dict)

    @property
    def is_new(self) -> BoolArray:
        """Whether each was stored as a row of its own."""
        new: BoolArray = self.outcome == ReadingOutcome.NEW
        return new

    @property
    def is_changed(self) -> BoolArray:
        """Whether each changed the store."""
        changed: BoolArray = self.outcome != ReadingOutcome.DUPLICATE
        return changed

    @property
    def newer(self) -> IntArray:
        """Rows that are newer than the state."""
        return np.flatnonzero(self.is_new & ~self.is_late)

    def newest(self) -> IntArray:
        """Return the newest row of each subject that has a newer one."""
        rows = self.newer
        return rows[_last_of_each(self.slot[rows])]

    def newest_of(self, channel: str) -> IntArray:
        """Return the newest row of each subject, newer than its state, that measured a channel."""
        rows = self.newer
        measured = rows[~np.isnan(self.values[channel][rows])]
        return measured[_last_of_each(self.slot[measured])]

    def amended_newest(self, last_us: IntArray) -> IntArray:
        """Return the rows that changed the newest reading (n,) of their subject, where the batch has none newer."""
        rows = np.flatnonzero(self.is_changed & self.is_late & (self.time_us == last_us[self.slot]))
        return rows[~np.isin(self.slot[rows], self.slot[self.newer])]

    def newer_by_time(self, channels: Sequence[str], intervals: Intervals, is_judged: BoolArray) -> Readings:
        """Return the newer rows of the subjects (n,) that are judged now in time order, as the judge takes them.

        ``intervals`` are those of `learn_intervals` for the newer rows.
        """
        chosen = np.flatnonzero(is_judged[self.slot[self.newer]])
        chosen = chosen[np.argsort(self.time_us[self.newer[chosen]], kind="stable")]
        rows = self.newer[chosen]
        return Readings(
            subject=BatchSlots(self.slot[rows]),
            time=self.time_us[rows].view("datetime64[us]"),
            values={name: self.values[name][rows] for name in channels},
            interval_s=intervals.before_s[chosen],
        )

    def learn_intervals(self, interval_s: FloatArray, last_us: IntArray) -> Intervals:
        """Learn the reporting intervals (n,) from the newer rows, from those and the newest times before."""
        rows = self.newer
        return learn_intervals(interval_s, last_us, BatchSlots(self.slot[rows]), self.time_us[rows])


@dataclass(frozen=True, slots=True)
class StoredBatteryRows(StoredRows):
    """Battery readings (m,) that reached the store, with their quality flags and estimates."""

    quality: IntArray = field(kw_only=True)
    estimates: ReadingEstimates | None = field(kw_only=True)


class StateWriter:
    """Writes the state rows of one batch, which the caller has locked."""

    def __init__(
        self,
        connection: AsyncConnection,
        fleet: FleetIndex,
        subjects: BatchSubjects,
        states: SubjectStates,
        received_at: datetime,
    ) -> None:
        self._connection = connection
        self._fleet = fleet
        self._subjects = subjects
        self._states = states
        self._received_at = received_at

    async def write_batteries(self, rows: StoredBatteryRows, *, interval_s: FloatArray, counts: BatchCounts) -> None:
        """Write live values, counts and ohmic values of batteries."""
        keys = self._fleet.batteries.keys_at(self._subjects.batteries)
        newest = rows.newest()
        await close_days(self._connection, Keys(keys[counts.rolls_over]))
        battery = BatchSlots(rows.slot[newest])
        changed = [
            instants("time", rows.time_us[newest]),
            *(reals(name, rows.values[name][newest]) for name in _LIVE),
            integers("quality", rows.quality[newest], kind="smallint"),
            reals("reporting_interval_s", interval_s[battery]),
            *self._arrivals(rows.time_us[newest]),
        ]
        columns, inputs, assignments = _estimate_columns(rows, newest)
        await update_rows(
            self._connection,
            "battery_state",
            integers("battery_id", keys[battery]),
            changed + columns,
            inputs=counts.columns(battery) + inputs,
            also=[_NEXT_SEQ, *_know("input.time"), *assignments, *ADD_TO_OPEN_DAY],
            received_at=self._received_at,
        )
        only_counted = BatchSlots(np.setdiff1d(np.arange(len(keys)), battery))
        await update_rows(
            self._connection,
            "battery_state",
            integers("battery_id", keys[only_counted]),
            [],
            inputs=counts.columns(only_counted),
            also=ADD_TO_OPEN_DAY,
        )
        await add_earlier_days(self._connection, keys, counts)
        await self._know_earlier(keys, rows)
        await self._amend_batteries(keys, rows)
        await self._write_resistances(keys, rows)

    async def _know_earlier(self, keys: Keys, rows: StoredBatteryRows) -> None:
        """Keep what readings before the newest of the batch measured and the newest did not."""
        newest = rows.newest()
        for channel in _KNOWN:
            if not np.isnan(rows.values[channel][newest]).any():
                continue
            await self._write_known(
                "battery", keys, rows, channel, np.setdiff1d(rows.newest_of(channel), rows.newest())
            )

    async def _write_known(self, kind: Kind, keys: Keys, rows: StoredRows, channel: str, chosen: IntArray) -> None:
        stem, unit = channel.rsplit("_", 1)
        await update_rows(
            self._connection,
            f"{kind}_state",
            integers(f"{kind}_id", keys[rows.slot[chosen]]),
            [
                reals(f"known_{stem}_{unit}", rows.values[channel][chosen]),
                instants(f"known_{stem}_at", rows.time_us[chosen]),
            ],
        )

    async def _amend_batteries(self, keys: Keys, rows: StoredBatteryRows) -> None:
        """Follow a second message of the newest instant; the estimates stay those of the first."""
        chosen = rows.amended_newest(self._states.batteries.last_us)
        await update_rows(
            self._connection,
            "battery_state",
            integers("battery_id", keys[rows.slot[chosen]]),
            [
                *(reals(name, rows.values[name][chosen]) for name in _LIVE),
                integers("quality", rows.quality[chosen], kind="smallint"),
            ],
            also=[_NEXT_SEQ, *_know("present.time")],
            received_at=self._received_at,
        )

    async def _write_resistances(self, keys: Keys, rows: StoredBatteryRows) -> None:
        # Measured once a day and often apart from the other channels, so it is newest by a time of its own.
        is_measured = ~np.isnan(rows.values["internal_resistance_mohm"])
        stored_us = self._states.batteries.resistance_us[rows.slot]
        is_newest = (rows.time_us > stored_us) | (rows.is_changed & ~rows.is_new & (rows.time_us == stored_us))
        newer = np.flatnonzero(rows.is_changed & is_measured & is_newest)
        chosen = newer[_last_of_each(rows.slot[newer])]
        await update_rows(
            self._connection,
            "battery_state",
            integers("battery_id", keys[rows.slot[chosen]]),
            [
                reals("internal_resistance_mohm", rows.values["internal_resistance_mohm"][chosen]),
                instants("resistance_at", rows.time_us[chosen]),
                reals("resistance_temperature_c", rows.values["temperature_c"][chosen]),
            ],
        )

    async def note_arrivals(self, rows: StoredBatteryRows, ahead_of_clock: Mapping[int, float]) -> None:
        """Note of the batteries whose newest reading stays that something came, and how long after its own time.

        ``ahead_of_clock`` holds, by fleet slot, how far refused readings were ahead of the clock [s].
        """
        now_us = microseconds(self._received_at)
        times_us = {slot: now_us + round(lead_s * 1e6) for slot, lead_s in ahead_of_clock.items()}
        last = _last_of_each(rows.slot)
        late = last[~np.isin(rows.slot[last], rows.slot[rows.newest()])]
        of_late = self._subjects.batteries[rows.slot[late]].tolist()
        times_us |= dict(zip(of_late, rows.time_us[late].tolist(), strict=True))
        slots = FleetSlots(np.array(sorted(times_us), np.int64))
        await update_rows(
            self._connection,
            "battery_state",
            integers("battery_id", self._fleet.batteries.keys_at(slots)),
            self._arrivals(np.array([times_us[slot] for slot in slots.tolist()], np.int64)),
        )

    def _arrivals(self, time_us: IntArray) -> list[Column]:
        return [
            Column("arrived_at", "timestamptz", [self._received_at] * len(time_us)),
            reals("arrival_lag_s", (microseconds(self._received_at) - time_us) / 1e6),
        ]

    async def write_strings(self, rows: StoredRows, timeline: ModeTimeline) -> None:
        """Write live values of strings, and the modes that changed."""
        states = self._states.strings
        keys = self._fleet.strings.keys_at(self._subjects.strings)
        newest = rows.newest()
        string = rows.slot[newest]
        interval_s = rows.learn_intervals(states.interval_s, states.last_us).final_s
        await update_rows(
            self._connection,
            "string_state",
            integers("string_id", keys[string]),
            [
                instants("time", rows.time_us[newest]),
                *(reals(name, rows.values[name][newest]) for name in STRING_SHAPE.channel_names),
                reals("reporting_interval_s", interval_s[string]),
            ],
            also=_know("input.time", _KNOWN_OF_STRINGS),
            received_at=self._received_at,
        )
        for channel in _KNOWN_OF_STRINGS:
            earlier = np.setdiff1d(rows.newest_of(channel), newest)
            await self._write_known("string", keys, rows, channel, earlier)
        amended = rows.amended_newest(states.last_us)
        await update_rows(
            self._connection,
            "string_state",
            integers("string_id", keys[rows.slot[amended]]),
            [reals(name, rows.values[name][amended]) for name in STRING_SHAPE.channel_names],
            received_at=self._received_at,
        )
        final = timeline.final(len(keys))
        moved = [slot for slot, (before, after) in enumerate(zip(states.mode, final, strict=True)) if before != after]
        await update_rows(
            self._connection,
            "string_state",
            integers("string_id", keys[moved]),
            [
                Column("mode", "text", [_text(final[slot].mode) for slot in moved]),
                _optional_instants("mode_since", [final[slot].since_us for slot in moved]),
                _optional_instants("last_discharge_at", [final[slot].discharged_us for slot in moved]),
            ],
        )

    async def write_locations(self, rows: StoredRows, updated: BatchSlots) -> None:
        """Write the environment of locations; raise the sequence numbers of those with new battery readings."""
        states = self._states.locations
        keys = self._fleet.locations.keys_at(self._subjects.locations)
        await update_rows(
            self._connection, "location_state", integers("location_id", keys[updated]), [], also=[_NEXT_SEQ]
        )
        newest = rows.newest()
        await self._write_known("location", keys, rows, "ambient_c", rows.newest_of("ambient_c"))
        await self._write_mains(keys, rows)
        interval_s = rows.learn_intervals(states.interval_s, states.last_us).final_s
        of_newest = [
            instants("time", rows.time_us[newest]),
            reals("reporting_interval_s", interval_s[rows.slot[newest]]),
        ]
        for chosen, further in ((newest, of_newest), (rows.amended_newest(states.last_us), [])):
            await update_rows(
                self._connection,
                "location_state",
                integers("location_id", keys[rows.slot[chosen]]),
                _environment(rows, chosen) + further,
                received_at=self._received_at,
            )

    async def _write_mains(self, keys: Keys, rows: StoredRows) -> None:
        newer, before = rows.newer, self._states.locations.mains
        slot, mains = BatchSlots(rows.slot[newer]), rows.values["mains"][newer]
        _, after = follow_mains(before, slot, rows.time_us[newer], mains)
        moved = [location for location, history in enumerate(after) if history != before[location]]
        await update_rows(
            self._connection,
            "location_state",
            integers("location_id", keys[moved]),
            [Column("mains_history", "bytea", [after[location].stored() for location in moved])],
        )


def _know(time: str, channels: Sequence[str] = _KNOWN) -> list[str]:
    """Return the assignments that keep the measured channels of a reading; ``time`` is its time in SQL."""
    assignments = []
    for channel in channels:
        known_at = f"known_{channel.rsplit('_', 1)[0]}_at"
        assignments += [
            f"known_{channel} = coalesce(input.{channel}, present.known_{channel})",
            f"{known_at} = case when input.{channel} is null then present.{known_at} else {time} end",
        ]
    return assignments


def _environment(rows: StoredRows, chosen: IntArray) -> list[Column]:
    hvac, mains = rows.categories["hvac"], rows.categories["mains"]
    return [
        reals("ambient_c", rows.values["ambient_c"][chosen]),
        reals("humidity_pct", rows.values["humidity_pct"][chosen]),
        Column("hvac", "text", [_text(hvac[row]) for row in chosen.tolist()]),
        Column("mains", "boolean", [mains[row] for row in chosen.tolist()]),
    ]


def _estimate_columns(rows: StoredBatteryRows, newest: IntArray) -> tuple[list[Column], list[Column], list[str]]:
    """Return columns, inputs and assignments of the estimates; without any, earlier ones are withdrawn."""
    if rows.estimates is None:
        names = ("soc_pct", "soc_sd_pct", "soc_provenance", "soh_pct", "soh_sd_pct", "soh_provenance")
        return [], [], [f"{name} = case when input.voltage_v is null then present.{name} end" for name in names]
    return rows.estimates.state_columns(newest, BatchSlots(rows.slot[newest]))


def _last_of_each(slot: IntArray) -> IntArray:
    """Return the last row of each subject, of rows sorted by subject."""
    if not len(slot):
        return np.zeros(0, np.int64)
    return np.flatnonzero(np.append(slot[1:] != slot[:-1], True))


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _optional_instants(name: str, times_us: Sequence[int]) -> Column:
    return Column(name, "instant", [None if time_us == NEVER else time_us for time_us in times_us])
