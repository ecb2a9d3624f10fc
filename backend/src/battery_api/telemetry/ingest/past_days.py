"""Mark the past days whose daily history readings of strings and rooms change.

Battery readings need nothing here: the roll-up job marks their days, the present one included. A reading of a string or
room on the present day needs no mark of its own either, since that day is not computed before it is over.
"""

from datetime import datetime

import numpy as np
from sqlalchemy.ext.asyncio import AsyncConnection

from battery_api.telemetry.ingest.inserts import StoredReadings
from battery_api.telemetry.ingest.state_updates import StoredRows
from battery_api.telemetry.ingest.subjects import BatchSubjects
from battery_api.telemetry.store.columns import IntArray
from battery_api.telemetry.store.day_marks import mark_days
from battery_api.telemetry.store.fleet_index import FleetIndex, Kind
from battery_api.telemetry.store.indices import Keys
from battery_api.telemetry.store.instants import day_floor, microseconds


async def mark_past_days(
    connection: AsyncConnection,
    fleet: FleetIndex,
    subjects: BatchSubjects,
    stored: StoredReadings,
    received_at: datetime,
) -> None:
    """Mark the days before that of ``received_at`` which stored readings of strings and rooms change."""
    today_us = day_floor(np.array([microseconds(received_at)]))[0]
    subject_keys: tuple[tuple[Kind, IntArray, StoredRows], ...] = (
        ("string", fleet.strings.keys_at(subjects.strings), stored.strings),
        ("location", fleet.locations.keys_at(subjects.locations), stored.locations),
    )
    for kind, keys, rows in subject_keys:
        past = np.flatnonzero(rows.is_changed & (rows.time_us < today_us))
        await mark_days(connection, kind, Keys(keys[rows.slot[past]]), rows.time_us[past])
