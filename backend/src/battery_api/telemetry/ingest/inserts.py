"""Insert the readings of a batch, complete what follows from their string, and mark what later jobs must look at."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import numpy as np
from sqlalchemy.ext.asyncio import AsyncConnection

from battery_api.telemetry.ingest.amendments import (
    BATTERY_TABLE,
    LOCATION_TABLE,
    STRING_TABLE,
    AmendedRows,
    SentRows,
    SeriesTable,
    amend,
)
from battery_api.telemetry.ingest.checks import ValidatedBatch, ValidRows, quality_of
from battery_api.telemetry.ingest.estimation import BatchEstimates
from battery_api.telemetry.ingest.locked_state import SubjectStates
from battery_api.telemetry.ingest.readings import LOCATION_SHAPE
from battery_api.telemetry.ingest.state_updates import StoredBatteryRows, StoredRows
from battery_api.telemetry.ingest.string_context import (
    ModeTimeline,
    string_currents,
)
from battery_api.telemetry.ingest.subjects import BatchSubjects
from battery_api.telemetry.store.columns import BoolArray, Column, FloatArray, IntArray, instants, integers, reals
from battery_api.telemetry.store.discharge_marks import is_discharging, mark_discharges
from battery_api.telemetry.store.fleet_index import FleetIndex
from battery_api.telemetry.store.indices import BatchSlots, FleetSlots, Keys
from battery_api.telemetry.store.outcomes import ReadingOutcome
from battery_api.telemetry.store.statements import insert_rows, mark_rollups
from battery_api.telemetry.store.string_modes import contradicts
from battery_contracts.enums import ReadingQuality, StringMode

NOMINAL_CELL_V: Final = 2.0
"""Nominal voltage of a lead-acid cell."""
NumberArray = TypeVar("NumberArray", IntArray, FloatArray)


@dataclass(frozen=True, slots=True)
class StoredReadings:
    """The readings of a batch that reached the store, by kind."""

    batteries: StoredBatteryRows
    strings: StoredRows
    locations: StoredRows

    @property
    def kinds(self) -> tuple[StoredRows, StoredRows, StoredRows]:
        """The three kinds in turn."""
        return self.batteries, self.strings, self.locations


class ReadingWriter:
    """Inserts the readings of one batch; the state rows of its subjects are locked."""

    def __init__(
        self,
        connection: AsyncConnection,
        fleet: FleetIndex,
        subjects: BatchSubjects,
        states: SubjectStates,
    ) -> None:
        self._connection = connection
        self._fleet = fleet
        self._subjects = subjects
        self._states = states

    async def insert_batteries(self, batch: ValidatedBatch, estimates: BatchEstimates | None) -> StoredBatteryRows:
        """Insert battery readings with their estimates; a missing current is that of the string."""
        rows = batch.batteries
        battery = self._subjects.battery_slots(rows.slot)
        is_late = self._is_late(rows, battery)
        values = dict(rows.values)
        quality = quality_of(values) | np.where(is_late, int(ReadingQuality.LATE), 0)
        quality |= self._fill_currents(values, batch, battery)
        estimated = estimates.without_late(is_late) if estimates is not None else None
        is_answered = np.isnan(values["voltage_v"])  # Without a voltage there is nothing to ask the twin.
        if estimated is not None:
            values |= {"soc_pct": estimated.values["soc_pct"], "soh_pct": estimated.values["soh_pct"]}
            quality |= estimated.flags
            is_answered |= estimated.is_answered
        quality |= np.where(is_answered, 0, int(ReadingQuality.TWIN_UNAVAILABLE))
        columns = [
            *(reals(name, column) for name, column in values.items()),
            integers("quality", quality, kind="smallint"),
        ]
        written = await self._insert(BATTERY_TABLE, rows, columns, values, quality)
        return StoredBatteryRows(
            battery,
            rows.time_us,
            written.values,
            is_late,
            written.outcome,
            quality=quality if written.quality is None else written.quality,
            estimates=estimated,
        )

    async def insert_strings(self, rows: ValidRows, timeline: ModeTimeline) -> StoredRows:
        """Insert string readings with the mode of each."""
        string = self._subjects.string_slots(rows.slot)
        is_late = rows.time_us <= self._states.strings.last_us[string]
        modes = timeline.at(string, rows.time_us).mode
        # Only the sender can know the mode of a late reading.
        reported = rows.categories["mode"]
        stored_modes = [reported[row] if is_late[row] else modes[row] for row in range(len(rows))]
        columns = [
            *(reals(name, column) for name, column in rows.values.items()),
            *STRING_TABLE.columns_of(rows.categories),
            Column("mode", "text", [None if mode is None else str(mode) for mode in stored_modes]),
        ]
        written = await self._insert(STRING_TABLE, rows, columns, rows.values)
        values = dict(written.values) | string_claims(
            self._fleet, rows.slot, written.values, written.categories["mode"]
        )
        return StoredRows(string, rows.time_us, values, is_late, written.outcome)

    async def insert_locations(self, rows: ValidRows) -> StoredRows:
        """Insert the readings of locations."""
        location = self._subjects.location_slots(rows.slot)
        is_late = rows.time_us <= self._states.locations.last_us[location]
        columns = [
            *(reals(name, column) for name, column in rows.values.items()),
            *LOCATION_TABLE.columns_of(rows.categories),
        ]
        written = await self._insert(LOCATION_TABLE, rows, columns, rows.values)
        values = dict(written.values) | categories_as_numbers(written.categories)
        return StoredRows(location, rows.time_us, values, is_late, written.outcome, categories=written.categories)

    async def _insert(
        self,
        table: SeriesTable,
        rows: ValidRows,
        columns: Sequence[Column],
        values: Mapping[str, FloatArray],
        quality: IntArray | None = None,
    ) -> AmendedRows:
        """Insert rows, and let those of an instant that is stored already amend it; return what is stored now."""
        keys = self._fleet.of_kind(table.shape.kind).keys_at(rows.slot)
        named = [integers(table.key, keys), instants("time", rows.time_us), *columns]
        is_new = await insert_rows(self._connection, table.name, named)
        outcome = np.full(len(rows), int(ReadingOutcome.NEW))
        if is_new.all():
            return AmendedRows(outcome, values, rows.categories, quality)
        known = np.flatnonzero(~is_new)
        amended = await amend(
            self._connection,
            table,
            SentRows(
                keys=Keys(keys[known]),
                time_us=rows.time_us[known],
                values={name: column[known] for name, column in rows.values.items()},
                categories={name: [column[row] for row in known.tolist()] for name, column in rows.categories.items()},
                filled={name: column[known] for name, column in values.items()},
                quality=None if quality is None else quality[known],
            ),
        )
        outcome[known] = amended.outcome
        return AmendedRows(
            outcome,
            {
                name: _placed(values.get(name, np.full(len(rows), np.nan)), known, column)
                for name, column in amended.values.items()
            },
            {name: _replaced(rows.categories[name], known, column) for name, column in amended.categories.items()},
            None if quality is None or amended.quality is None else _placed(quality, known, amended.quality),
        )

    async def mark(self, stored: StoredReadings) -> None:
        """Mark possible discharges for the job that records them, and touched hours for the roll-up job."""
        batteries, strings = stored.batteries, stored.strings
        keys = self._fleet.strings.keys_at(self._subjects.strings)
        from_batteries, from_strings = _may_discharge(batteries), _may_discharge(strings)
        string_of_row = self._subjects.strings_of(batteries.slot)
        string = np.concatenate([string_of_row[from_batteries], strings.slot[from_strings]])
        time_us = np.concatenate([batteries.time_us[from_batteries], strings.time_us[from_strings]])
        await mark_discharges(self._connection, Keys(keys[string]), time_us)
        changed = np.flatnonzero(batteries.is_changed)
        await mark_rollups(self._connection, Keys(keys[string_of_row[changed]]), batteries.time_us[changed])

    def _is_late(self, rows: ValidRows, battery: BatchSlots) -> BoolArray:
        is_late: BoolArray = rows.time_us <= self._states.batteries.last_us[battery]
        return is_late

    def _fill_currents(self, values: dict[str, FloatArray], batch: ValidatedBatch, battery: BatchSlots) -> IntArray:
        """Give readings without a current that of their string; return the flags (m,) that say so."""
        missing = np.flatnonzero(np.isnan(values["current_a"]))
        flags = np.zeros(len(battery), np.int64)
        if not len(missing):
            return flags
        string = self._subjects.strings_of(BatchSlots(battery[missing]))
        timeline = string_currents(self._states.strings, batch.strings, self._subjects)
        current = values["current_a"].copy()
        current[missing] = timeline.at(string, batch.batteries.time_us[missing])
        values["current_a"] = current
        flags[missing] = np.where(np.isnan(current[missing]), 0, int(ReadingQuality.CURRENT_FROM_STRING))
        return flags


def _may_discharge(rows: StoredRows) -> IntArray:
    # A late reading may show that two discharges were one, or that one was two, whatever its own current is.
    return np.flatnonzero(rows.is_changed & (is_discharging(rows.values["current_a"]) | rows.is_late))


def _placed(values: NumberArray, rows: IntArray, changed: NumberArray) -> NumberArray:
    placed = values.copy()
    placed[rows] = changed
    return placed


def _replaced(values: Sequence[Any], rows: IntArray, changed: Sequence[Any]) -> list[Any]:
    replaced = list(values)
    for row, value in zip(rows.tolist(), changed, strict=True):
        replaced[row] = value
    return replaced


def string_claims(
    fleet: FleetIndex, slot: FleetSlots, values: Mapping[str, FloatArray], reported: Sequence[StringMode | None]
) -> dict[str, FloatArray]:
    """Return what string readings (m,) claim against what is known, NaN where that is unknown.

    ``mode_contradicted`` is 1 where the current rules the reported mode out, else 0; ``voltage_of_nominal_pct`` is the
    voltage over the nominal one of all cells in series; ``float_current_ma_per_ah`` refers the float current to the
    rated capacity, and ``float_current_off_a`` is how far it is off the current.
    """
    claims = np.full(len(slot), np.nan)
    for row, (current, mode) in enumerate(zip(values["current_a"].tolist(), reported, strict=True)):
        if mode is not None and not np.isnan(current):
            claims[row] = float(contradicts(StringMode(mode), current))
    nominal_v = fleet.string_cells[slot] * NOMINAL_CELL_V
    float_current_ma = values["float_current_ma"]
    return {
        "mode_contradicted": claims,
        "voltage_of_nominal_pct": values["voltage_v"] / nominal_v * 100.0,
        "float_current_ma_per_ah": float_current_ma / fleet.string_capacity_ah[slot],
        "float_current_off_a": np.abs(float_current_ma / 1000.0 - values["current_a"]),
    }


def categories_as_numbers(categories: Mapping[str, Sequence[object]]) -> dict[str, FloatArray]:
    """Return categories as the rules take them: mains 1 or 0, hvac its index among the states, NaN where missing."""
    numbers = {}
    for name, options in LOCATION_SHAPE.categories.items():
        index: dict[object, float] = {option: float(number) for number, option in enumerate(options)}
        numbers[name] = np.array([np.nan if value is None else index[value] for value in categories[name]], np.float64)
    return numbers
