"""What a replay says of discharges: the state of health that each battery had after one."""

from datetime import datetime, timedelta
from typing import Final, NamedTuple

import numpy as np
from sqlalchemy.ext.asyncio import AsyncConnection

from battery_api.db.fetching import fetch_all
from battery_api.telemetry.store.columns import IntArray
from battery_api.telemetry.store.instants import instant, microseconds
from battery_api.twin.discharges import EVIDENCE_FROM_PCT
from battery_api.twin.replay.results import ReplayedReadings
from battery_contracts.enums import Provenance

FOLLOWS_WITHIN: Final = timedelta(days=1)
"""An estimate within a day after a discharge follows from it, unless the string discharged again."""
_INFERRED: Final = frozenset({Provenance.MEASURED, Provenance.DISCHARGE_INFERRED})
_EVENTS: Final = """
    select id, ended_at, next_at from (
        select id, ended_at, depth_pct, is_open, lead(started_at) over (order by started_at) as next_at
        from discharge_event where string_id = $1
    ) as event
    where not is_open and depth_pct >= $4::real and ended_at between $2 and $3
"""
_FORGET: Final = """
    update discharge_battery set soh_pct = null, soh_sd_pct = null, soh_provenance = null
    where event_id = any($1::int[])
"""
_WRITE: Final = """
    update discharge_battery as present
    set soh_pct = input.soh_pct, soh_sd_pct = input.soh_sd_pct, soh_provenance = input.soh_provenance
    from unnest($1::int[], $2::int[], $3::real[], $4::real[], $5::text[])
        as input(event_id, battery_id, soh_pct, soh_sd_pct, soh_provenance)
    where present.event_id = input.event_id and present.battery_id = input.battery_id and present.soh_pct is null
"""


class _Event(NamedTuple):
    key: int
    ended_at: datetime
    next_at: datetime | None

    @property
    def until_us(self) -> int:
        """Up to when an estimate follows from it."""
        last = self.ended_at + FOLLOWS_WITHIN
        return microseconds(last if self.next_at is None else min(last, self.next_at))


async def write_evidence(connection: AsyncConnection, string: int, replayed: ReplayedReadings, from_us: int) -> None:
    """Write what the first estimate after each discharge says of each battery's health, in place of an earlier one."""
    if not len(replayed.time_us):
        return
    first, last = (instant(int(bound)) for bound in (replayed.time_us.min(), replayed.time_us.max()))
    found = await fetch_all(connection, _EVENTS, (string, first - FOLLOWS_WITHIN, last, EVIDENCE_FROM_PCT))
    events = [_Event(*row) for row in found]
    again = [event.key for event in events if microseconds(event.ended_at) >= max(from_us, microseconds(first))]
    await connection.exec_driver_sql(_FORGET, (again,))
    written = [(event.key, row) for event in events for row in _first_after(replayed, event).tolist()]
    values, provenance = replayed.estimates.values, replayed.estimates.provenance["soh_provenance"]
    rows = [row for _, row in written]
    columns = (
        [key for key, _ in written],
        replayed.keys[rows].tolist(),
        values["soh_pct"][rows].tolist(),
        values["soh_sd_pct"][rows].tolist(),
        [provenance[row] for row in rows],
    )
    await connection.exec_driver_sql(_WRITE, columns)


def _first_after(replayed: ReplayedReadings, event: _Event) -> IntArray:
    """Return the first row of each battery with an inferred state of health after a discharge, before the next one."""
    is_inferred = np.array([kind in _INFERRED for kind in replayed.estimates.provenance["soh_provenance"]], bool)
    is_inferred &= ~np.isnan(replayed.estimates.values["soh_sd_pct"])
    times = replayed.time_us
    rows = np.flatnonzero(is_inferred & (times >= microseconds(event.ended_at)) & (times <= event.until_us))
    begins = np.append(True, np.diff(replayed.keys[rows]) != 0)[: len(rows)]
    first: IntArray = rows[begins]
    return first
