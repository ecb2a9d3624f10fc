"""Mark the spans in which readings of a string may create or change a discharge, for the job that records them."""

from typing import Final

import numpy as np
from sqlalchemy.ext.asyncio import AsyncConnection

from battery_api.telemetry.store.columns import BoolArray, FloatArray, IntArray
from battery_api.telemetry.store.indices import Keys
from battery_api.telemetry.store.instants import day_floor
from battery_api.telemetry.store.string_modes import DISCHARGE_BELOW_A

_MARK: Final = (
    "insert into discharge_mark (string_id, start_at, end_at) "
    "select string_id, timestamptz 'epoch' + start_us * interval '1 microsecond', "
    "timestamptz 'epoch' + end_us * interval '1 microsecond' "
    "from unnest($1::int[], $2::bigint[], $3::bigint[]) as mark(string_id, start_us, end_us)"
)


def is_discharging(current_a: FloatArray) -> BoolArray:
    """Return for currents (m,) whether each is a discharge; an unknown one (NaN) is not."""
    discharging: BoolArray = current_a < DISCHARGE_BELOW_A
    return discharging


async def mark_discharges(connection: AsyncConnection, string_keys: Keys, time_us: IntArray) -> None:
    """Mark instants (m,) of strings as one span per string and day; without any, nothing is sent."""
    if not len(string_keys):
        return
    day = day_floor(time_us)
    order = np.lexsort((time_us, day, string_keys))
    string, day, time_us = string_keys[order], day[order], time_us[order]
    begins = np.flatnonzero(np.append(True, (string[1:] != string[:-1]) | (day[1:] != day[:-1])))
    ends = np.append(begins[1:], len(order)) - 1
    values = (string[begins].tolist(), time_us[begins].tolist(), time_us[ends].tolist())
    await connection.exec_driver_sql(_MARK, values)
