"""Mark the days of strings whose daily history is out of date, for the job that keeps it (`telemetry.days`).

The roll-up job marks the days of battery readings; readings of strings and rooms mark theirs where they are stored. A
mark is written in the transaction of what it stands for, or in one that follows its commit.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import numpy as np
from sqlalchemy.ext.asyncio import AsyncConnection

from battery_api.db.bangkok import day_sql
from battery_api.telemetry.store.columns import IntArray
from battery_api.telemetry.store.fleet_index import Kind
from battery_api.telemetry.store.indices import Keys
from battery_api.telemetry.store.instants import DAY_US, day_floor
from battery_api.telemetry.store.time_weights import MAX_HOLD_US

_INSTANT: Final = "timestamptz 'epoch' + given.day_us * interval '1 microsecond'"
_GIVEN: Final = "unnest($1::int[], $2::bigint[]) as given(key, day_us)"
_STRINGS: Final[dict[Kind, tuple[str, str]]] = {
    "battery": ("b.string_id", "join battery b on b.id = given.key"),
    "string": ("given.key", ""),
    "location": ("g.id", "join string g on g.location_id = given.key"),
}
# A day that already has its mark, as the present one has from its first hour, gets no second one. That is safe only
# under the lock of the roll-ups, which the job that takes the marks holds as well.
_MARK_ROLLED_UP: Final = (
    f"insert into battery_day_mark (string_id, day) select distinct string_id, {day_sql('hour')} "
    "from unnest($1::int[], $2::timestamptz[]) as given(string_id, hour) where not exists ("
    f"select from battery_day_mark m where m.string_id = given.string_id and m.day = {day_sql('hour')})"
)


async def mark_days(connection: AsyncConnection, kind: Kind, keys: Keys, time_us: IntArray) -> None:
    """Mark the days that readings (m,) of subjects of one kind change; without any, nothing is sent.

    The mode of a string holds for at most `MAX_HOLD_US`, so that the last ones of a day count in the next one too.
    """
    if not len(keys):
        return
    day_us = np.concatenate([day_floor(time_us), day_floor(time_us + MAX_HOLD_US - 1)])
    offset_us = int(day_us.min())
    # One number for each pair sorts much faster than pairs; the days of a century are fewer than 2^16.
    packed = np.unique((np.tile(keys, 2) << 16) + (day_us - offset_us) // DAY_US)
    string, join = _STRINGS[kind]
    statement = (
        "insert into battery_day_mark (string_id, day) "
        f"select distinct {string}, {day_sql(f'({_INSTANT})')} from {_GIVEN} {join}"
    )
    values = ((packed >> 16).tolist(), ((packed & 0xFFFF) * DAY_US + offset_us).tolist())
    await connection.exec_driver_sql(statement, values)


async def mark_rolled_up_days(
    connection: AsyncConnection, string_keys: Sequence[int], hours: Sequence[datetime]
) -> None:
    """Mark the days of rolled-up hours (m,) of strings; the caller holds the lock of the roll-ups."""
    await connection.exec_driver_sql(_MARK_ROLLED_UP, (list(string_keys), list(hours)))
