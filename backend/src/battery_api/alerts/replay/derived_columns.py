"""Bring in line what the store derived from other readings: currents filled in from the string, modes of the string."""

from typing import Final

import numpy as np
from sqlalchemy.ext.asyncio import AsyncConnection

from battery_api.alerts.replay.fold import StepResult
from battery_api.telemetry.replay.readings import StoredBatteryReadings, StoredStringReadings
from battery_api.telemetry.store.columns import Column, instants, integers, reals
from battery_api.telemetry.store.day_marks import mark_days
from battery_api.telemetry.store.discharge_marks import mark_discharges
from battery_api.telemetry.store.fleet_index import FleetIndex
from battery_api.telemetry.store.indices import BatchSlots, FleetSlots, Keys
from battery_api.telemetry.store.statements import amend_rows, mark_rollups
from battery_contracts.enums import ReadingQuality

_FILLED: Final = int(ReadingQuality.CURRENT_FROM_STRING)


async def fill_currents(
    connection: AsyncConnection, fleet: FleetIndex, string_key: int, readings: StoredBatteryReadings, result: StepResult
) -> None:
    """Write the currents that batteries without one of their own have from their string, where they changed."""
    rows = readings.rows
    is_filled = np.isnan(rows.values["current_a"]) & readings.is_stored
    current_a, stored_a = result.current_a, readings.stored_current_a
    is_equal = (current_a == stored_a) | (np.isnan(current_a) & np.isnan(stored_a))
    changed = np.flatnonzero(is_filled & ~is_equal)
    if not len(changed):
        return
    keys = fleet.batteries.keys_at(FleetSlots(rows.slot[changed]))
    quality = readings.quality[changed] & ~_FILLED
    quality |= np.where(np.isnan(current_a[changed]), 0, _FILLED)
    times = rows.time_us[changed]
    await amend_rows(
        connection,
        "telemetry",
        [
            integers("battery_id", keys),
            instants("time", times),
            reals("current_a", current_a[changed]),
            integers("quality", quality, kind="smallint"),
        ],
    )
    string = Keys(np.full(len(changed), string_key, np.int64))
    await mark_rollups(connection, string, times)
    await mark_discharges(connection, string, times)


async def write_modes(
    connection: AsyncConnection, string_key: int, readings: StoredStringReadings, result: StepResult
) -> None:
    """Write the modes of string readings that follow from the order of time, where they changed."""
    rows = readings.rows
    string = BatchSlots(np.zeros(len(rows), np.int64))
    modes = [None if mode is None else str(mode) for mode in result.modes.at(string, rows.time_us).mode]
    changed = [
        row for row, (mode, stored) in enumerate(zip(modes, readings.stored_mode, strict=True)) if mode != stored
    ]
    await amend_rows(
        connection,
        "string_telemetry",
        [
            Column("string_id", "int", [string_key] * len(changed)),
            instants("time", rows.time_us[changed]),
            Column("mode", "text", [modes[row] for row in changed]),
        ],
    )
    await mark_days(connection, "string", Keys(np.full(len(changed), string_key, np.int64)), rows.time_us[changed])
