"""Reads of the twin's record."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Final, NamedTuple

from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncConnection

from battery_api.fleet.withheld import QUALITY_SQL, estimate_sql
from battery_servicekit.pagination import PageRequest

Visible = frozenset[str] | None
"""Codes of the locations that the caller may see, None for all."""

_BATTERY: Final = text(
    f"""
    select b.id, b.code, b.baseline_resistance_mohm, b.baseline_temperature_c, s.time, {QUALITY_SQL},
           s.reporting_interval_s, {estimate_sql("soc_pct")}, s.soc_sd_pct, s.soc_provenance,
           {estimate_sql("soh_pct")}, s.soh_sd_pct, s.soh_provenance, s.internal_resistance_mohm,
           s.resistance_at, s.resistance_temperature_c, s.resistance_estimate_mohm, s.resistance_estimate_sd_mohm
    from battery b join battery_state s on s.battery_id = b.id join location l on l.id = b.location_id
    where b.code = :code and b.removed_at is null
      and (cast(:visible as text[]) is null or l.code = any(:visible))
    """
)
_STRING: Final = text(
    """
    select g.id, g.code from string g join location l on l.id = g.location_id
    where g.code = :code and (cast(:visible as text[]) is null or l.code = any(:visible))
    """
)
_HISTORY: Final = text(
    """
    select day, time, soc_pct, soc_sd_pct, soc_provenance, soh_pct, soh_sd_pct, soh_provenance, resistance_mohm,
           resistance_sd_mohm
    from digital_twin_state where battery_id = :battery and day >= :since order by day
    """
)
_OF_BATTERY: Final = text(
    """
    select e.id, g.code, e.started_at, e.ended_at, e.mode, e.drawn_ah, e.depth_pct, e.mean_current_a,
           e.min_voltage_v, w.code,
           e.mean_temperature_c, e.complete, e.is_open,
           b.code, d.end_voltage_v, d.min_voltage_v, d.mean_temperature_c, d.soh_pct, d.soh_sd_pct, d.soh_provenance,
           count(*) over ()
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
    select e.id, g.code, e.started_at, e.ended_at, e.mode, e.drawn_ah, e.depth_pct, e.mean_current_a,
           e.min_voltage_v, w.code,
           e.mean_temperature_c, e.complete, e.is_open,
           count(*) over ()
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
_EVENT_BATTERIES: Final = text(
    """
    select d.event_id, b.code, d.end_voltage_v, d.min_voltage_v, d.mean_temperature_c,
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


class EstimateRow(NamedTuple):
    """One estimate as it is stored; None throughout where there is none."""

    value_pct: float | None
    sd_pct: float | None
    provenance: str | None


class BatteryRow(NamedTuple):
    """A battery with its newest state."""

    key: int
    code: str
    baseline_resistance_mohm: float | None
    baseline_temperature_c: float | None
    time: datetime | None
    quality: int
    reporting_interval_s: float | None
    soc_pct: float | None
    soc_sd_pct: float | None
    soc_provenance: str | None
    soh_pct: float | None
    soh_sd_pct: float | None
    soh_provenance: str | None
    internal_resistance_mohm: float | None
    resistance_at: datetime | None
    resistance_temperature_c: float | None
    resistance_estimate_mohm: float | None
    resistance_estimate_sd_mohm: float | None

    @property
    def soc(self) -> EstimateRow:
        """Estimate of the state of charge."""
        return EstimateRow(self.soc_pct, self.soc_sd_pct, self.soc_provenance)

    @property
    def soh(self) -> EstimateRow:
        """Estimate of the state of health."""
        return EstimateRow(self.soh_pct, self.soh_sd_pct, self.soh_provenance)


class StringRow(NamedTuple):
    """A string."""

    key: int
    code: str


class DailyRow(NamedTuple):
    """The last estimate of a day."""

    day: date
    time: datetime
    soc_pct: float | None
    soc_sd_pct: float | None
    soc_provenance: str | None
    soh_pct: float | None
    soh_sd_pct: float | None
    soh_provenance: str | None
    resistance_mohm: float | None
    resistance_sd_mohm: float | None

    @property
    def soc(self) -> EstimateRow:
        """Estimate of the state of charge."""
        return EstimateRow(self.soc_pct, self.soc_sd_pct, self.soc_provenance)

    @property
    def soh(self) -> EstimateRow:
        """Estimate of the state of health."""
        return EstimateRow(self.soh_pct, self.soh_sd_pct, self.soh_provenance)


class EventRow(NamedTuple):
    """A discharge of a string."""

    key: int
    string_code: str
    started_at: datetime
    ended_at: datetime
    mode: str
    drawn_ah: float
    depth_pct: float
    mean_current_a: float
    min_voltage_v: float | None
    lowest_battery_code: str | None
    mean_temperature_c: float | None
    complete: bool
    is_open: bool


class EventBatteryRow(NamedTuple):
    """What one battery did in a discharge."""

    code: str
    end_voltage_v: float | None
    min_voltage_v: float | None
    mean_temperature_c: float | None
    soh_pct: float | None
    soh_sd_pct: float | None
    soh_provenance: str | None

    @property
    def soh(self) -> EstimateRow:
        """Estimate of the state of health."""
        return EstimateRow(self.soh_pct, self.soh_sd_pct, self.soh_provenance)


class EvidenceRow(NamedTuple):
    """A discharge that is evidence of a battery's state of health."""

    ended_at: datetime
    mode: str
    depth_pct: float
    soh_pct: float | None
    soh_sd_pct: float | None
    soh_provenance: str | None

    @property
    def soh(self) -> EstimateRow:
        """Estimate of the state of health."""
        return EstimateRow(self.soh_pct, self.soh_sd_pct, self.soh_provenance)


async def find_battery(connection: AsyncConnection, code: str, visible: Visible) -> BatteryRow | None:
    """Return the installed battery with a code, None if the caller may not see one."""
    row = (await connection.execute(_BATTERY, {"code": code, "visible": _listed(visible)})).first()
    return None if row is None else BatteryRow(*row)


async def find_string(connection: AsyncConnection, code: str, visible: Visible) -> StringRow | None:
    """Return the string with a code, None if the caller may not see one."""
    row = (await connection.execute(_STRING, {"code": code, "visible": _listed(visible)})).first()
    return None if row is None else StringRow(*row)


async def list_days(connection: AsyncConnection, battery: int, since: date) -> list[DailyRow]:
    """Return a battery's daily estimates, oldest first."""
    rows = await connection.execute(_HISTORY, {"battery": battery, "since": since})
    return [DailyRow(*row) for row in rows]


async def list_battery_discharges(
    connection: AsyncConnection, battery: int, page: PageRequest
) -> tuple[list[tuple[EventRow, EventBatteryRow]], int]:
    """Return a page of a battery's discharges, newest first, and how many there are."""
    values = {"battery": battery, "skip": page.skip, "limit": page.limit}
    rows = (await connection.execute(_OF_BATTERY, values)).all()
    events = [(EventRow(*row[:13]), EventBatteryRow(*row[13:20])) for row in rows]
    if rows or not page.skip:
        return events, rows[0][-1] if rows else 0
    return events, await _count(connection, _COUNT_OF_BATTERY, battery=battery)


async def list_string_discharges(
    connection: AsyncConnection, string: int, page: PageRequest
) -> tuple[list[EventRow], int]:
    """Return a page of a string's discharges, newest first, and how many there are."""
    values = {"string": string, "skip": page.skip, "limit": page.limit}
    rows = (await connection.execute(_OF_STRING, values)).all()
    events = [EventRow(*row[:13]) for row in rows]
    if rows or not page.skip:
        return events, rows[0][-1] if rows else 0
    return events, await _count(connection, _COUNT_OF_STRING, string=string)


async def list_event_batteries(connection: AsyncConnection, events: Sequence[int]) -> list[tuple[int, EventBatteryRow]]:
    """Return the batteries of some discharges with the key of each discharge, by position."""
    rows = await connection.execute(_EVENT_BATTERIES, {"events": list(events)})
    return [(row[0], EventBatteryRow(*row[1:])) for row in rows]


async def list_evidence(connection: AsyncConnection, battery: int, *, limit: int) -> list[EvidenceRow]:
    """Return the discharges that are evidence of a battery's state of health, newest first."""
    rows = await connection.execute(_EVIDENCE, {"battery": battery, "limit": limit})
    return [EvidenceRow(*row) for row in rows]


async def _count(connection: AsyncConnection, statement: TextClause, **values: int) -> int:
    return await connection.scalar(statement, values) or 0


def _listed(visible: Visible) -> list[str] | None:
    return None if visible is None else sorted(visible)
