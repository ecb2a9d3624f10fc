"""Note the spans in which a string's readings may make or change a discharge, for the job that records discharges."""

from typing import Final

import numpy as np
from sqlalchemy.ext.asyncio import AsyncConnection

from battery_api.telemetry.instants import day_floor
from battery_api.telemetry.modes import DISCHARGE_BELOW_A
from battery_api.telemetry.rows import BoolArray, FloatArray, IntArray

_MARK: Final = (
    "insert into discharge_mark (string_id, start_at, end_at) "
    "select string_id, timestamptz 'epoch' + start_us * interval '1 microsecond', "
    "timestamptz 'epoch' + end_us * interval '1 microsecond' "
    "from unnest($1::int[], $2::bigint[], $3::bigint[]) as mark(string_id, start_us, end_us)"
)


def discharging(current_a: FloatArray) -> BoolArray:
    """Say of currents (m,) whether they are a discharge; an unknown one is none."""
    below: BoolArray = current_a < DISCHARGE_BELOW_A
    return below


async def mark_discharges(connection: AsyncConnection, string_keys: IntArray, time_us: IntArray) -> None:
    """Note instants (m,) of strings as one span a string and day; without any, the server is not asked."""
    if not len(string_keys):
        return
    day = day_floor(time_us)
    order = np.lexsort((time_us, day, string_keys))
    string, day, at = string_keys[order], day[order], time_us[order]
    begins = np.flatnonzero(np.append(True, (string[1:] != string[:-1]) | (day[1:] != day[:-1])))
    ends = np.append(begins[1:], len(order)) - 1
    values = (string[begins].tolist(), at[begins].tolist(), at[ends].tolist())
    await connection.exec_driver_sql(_MARK, values)
