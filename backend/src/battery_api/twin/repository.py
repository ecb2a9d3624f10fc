"""Questions to the database about the twin's record."""

from collections.abc import Sequence
from datetime import date
from typing import Any, Final

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from battery_servicekit.pagination import PageRequest

Visible = frozenset[str] | None
"""Codes of the locations that the caller may see, None for all."""

_BATTERY: Final = text(
    """
    select b.id, b.code, b.baseline_resistance_mohm, b.baseline_temperature_c, s.time, s.quality,
           s.reporting_interval_s, s.soc_pct, s.soc_sd_pct, s.soc_provenance, s.soh_pct, s.soh_sd_pct,
           s.soh_provenance, s.internal_resistance_mohm, s.resistance_at, s.resistance_temperature_c,
           s.resistance_estimate_mohm, s.resistance_estimate_sd_mohm
    from battery b join battery_state s on s.battery_id = b.id join location l on l.id = b.location_id
    where b.code = :code and b.removed_at is null
      and (cast(:visible as text[]) is null or l.code = any(:visible))
    """
)
_STRING: Final = text(
    """
    select g.id, g.code, t.time, t.current_a, t.reporting_interval_s
    from string g join string_state t on t.string_id = g.id join location l on l.id = g.location_id
    where g.code = :code and (cast(:visible as text[]) is null or l.code = any(:visible))
    """
)
_BLOCKS: Final = text(
    """
    select b.code, b.baseline_resistance_mohm, b.baseline_temperature_c, m.rated_capacity_ah, m.cell_count,
           s.time, s.reporting_interval_s, s.temperature_c, s.internal_resistance_mohm, s.resistance_temperature_c,
           s.soc_pct, s.soc_sd_pct, s.soh_pct, s.soh_sd_pct
    from battery b join battery_state s on s.battery_id = b.id join battery_model m on m.id = b.model_id
    where b.string_id = :string and b.removed_at is null order by b.position
    """
)
_HISTORY: Final = text("select * from digital_twin_state where battery_id = :battery and day >= :since order by day")
_OF_BATTERY: Final = text(
    """
    select e.id, g.code as string_code, e.started_at, e.ended_at, e.mode, e.drawn_ah, e.depth_pct, e.mean_current_a,
           e.min_voltage_v as string_min_voltage_v, w.code as lowest_battery_code,
           e.mean_temperature_c as string_temperature_c, e.complete, e.is_open,
           b.code as battery_code, d.end_voltage_v, d.min_voltage_v, d.mean_temperature_c,
           d.soh_pct, d.soh_sd_pct, d.soh_provenance, count(*) over () as total
    from battery b
    join discharge_event e on e.string_id = b.string_id and e.ended_at >= b.installed_at
    join string g on g.id = e.string_id
    left join discharge_battery d on d.event_id = e.id and d.battery_id = b.id
    left join battery w on w.id = e.lowest_battery_id
    where b.id = :battery and (d.event_id is not null or e.is_open)
    order by e.started_at desc offset :skip limit :limit
    """
)
_OF_STRING: Final = text(
    """
    select e.id, g.code as string_code, e.started_at, e.ended_at, e.mode, e.drawn_ah, e.depth_pct, e.mean_current_a,
           e.min_voltage_v as string_min_voltage_v, w.code as lowest_battery_code,
           e.mean_temperature_c as string_temperature_c, e.complete, e.is_open, count(*) over () as total
    from discharge_event e
    join string g on g.id = e.string_id
    left join battery w on w.id = e.lowest_battery_id
    where e.string_id = :string
    order by e.started_at desc offset :skip limit :limit
    """
)
_COUNT_OF_BATTERY: Final = text(
    """
    select count(*) from battery b
    join discharge_event e on e.string_id = b.string_id and e.ended_at >= b.installed_at
    left join discharge_battery d on d.event_id = e.id and d.battery_id = b.id
    where b.id = :battery and (d.event_id is not null or e.is_open)
    """
)
_COUNT_OF_STRING: Final = text("select count(*) from discharge_event where string_id = :string")
_EVENT_BLOCKS: Final = text(
    """
    select d.event_id, b.code as battery_code, d.end_voltage_v, d.min_voltage_v, d.mean_temperature_c,
           d.soh_pct, d.soh_sd_pct, d.soh_provenance
    from discharge_battery d join battery b on b.id = d.battery_id
    where d.event_id = any(:events) order by b.position, b.id
    """
)
_EVIDENCE: Final = text(
    """
    select e.ended_at, e.mode, e.depth_pct, d.soh_pct, d.soh_sd_pct, d.soh_provenance
    from discharge_battery d join discharge_event e on e.id = d.event_id
    where d.battery_id = :battery and d.soh_pct is not null order by e.started_at desc limit :limit
    """
)
_LAST_LOAD: Final = text(
    "select mean_current_a from discharge_event where string_id = :string and mode = 'discharge' "
    "order by started_at desc limit 1"
)


async def find_battery(connection: AsyncConnection, code: str, visible: Visible) -> RowMapping | None:
    """Return the battery at a position with its state."""
    return await _first(connection, _BATTERY, code=code, visible=_listed(visible))


async def find_string(connection: AsyncConnection, code: str, visible: Visible) -> RowMapping | None:
    """Return a string with its newest current."""
    return await _first(connection, _STRING, code=code, visible=_listed(visible))


async def list_blocks(connection: AsyncConnection, string: int) -> Sequence[RowMapping]:
    """Return the blocks of a string with their states, by position."""
    return await _all(connection, _BLOCKS, string=string)


async def list_days(connection: AsyncConnection, battery: int, since: date) -> Sequence[RowMapping]:
    """Return a battery's daily estimates, oldest first."""
    return await _all(connection, _HISTORY, battery=battery, since=since)


async def list_battery_discharges(
    connection: AsyncConnection, battery: int, page: PageRequest
) -> tuple[Sequence[RowMapping], int]:
    """Return a battery's discharges, newest first, and how many there are."""
    rows = await _all(connection, _OF_BATTERY, battery=battery, skip=page.skip, limit=page.limit)
    if rows or not page.skip:
        return rows, rows[0]["total"] if rows else 0
    return rows, await connection.scalar(_COUNT_OF_BATTERY, {"battery": battery}) or 0


async def list_string_discharges(
    connection: AsyncConnection, string: int, page: PageRequest
) -> tuple[Sequence[RowMapping], int]:
    """Return a string's discharges, newest first, and how many there are."""
    rows = await _all(connection, _OF_STRING, string=string, skip=page.skip, limit=page.limit)
    if rows or not page.skip:
        return rows, rows[0]["total"] if rows else 0
    return rows, await connection.scalar(_COUNT_OF_STRING, {"string": string}) or 0


async def list_event_blocks(connection: AsyncConnection, events: Sequence[int]) -> Sequence[RowMapping]:
    """Return the blocks of some discharges, by position."""
    return await _all(connection, _EVENT_BLOCKS, events=list(events))


async def list_evidence(connection: AsyncConnection, battery: int, *, limit: int) -> Sequence[RowMapping]:
    """Return the discharges that told a battery's state of health, newest first."""
    return await _all(connection, _EVIDENCE, battery=battery, limit=limit)


async def last_load_a(connection: AsyncConnection, string: int) -> float | None:
    """Return the mean current of a string's last discharge that was no test."""
    found: float | None = await connection.scalar(_LAST_LOAD, {"string": string})
    return found


def _listed(visible: Visible) -> list[str] | None:
    return None if visible is None else sorted(visible)


async def _first(connection: AsyncConnection, statement: Any, **values: Any) -> RowMapping | None:
    return (await connection.execute(statement, values)).mappings().first()


async def _all(connection: AsyncConnection, statement: Any, **values: Any) -> Sequence[RowMapping]:
    return (await connection.execute(statement, values)).mappings().all()
