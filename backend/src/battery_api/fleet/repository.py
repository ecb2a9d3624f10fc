"""Reads of the fleet: every list and page comes from the state rows, never from the history."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from battery_api.fleet.ohmic import drift_sql
from battery_api.fleet.status import stale_after_sql, status_sql
from battery_contracts.enums import Provenance

_STATUS: Final = status_sql("s.time", "s.reporting_interval_s", "s.open_critical", "s.open_warning")
_DRIFT: Final = drift_sql(
    "s.internal_resistance_mohm", "s.resistance_temperature_c", "b.baseline_resistance_mohm", "b.baseline_temperature_c"
)
_STATUS_RANK: Final = "array_position(array['critical', 'no_data', 'warning', 'normal'], x.status)"
_OPEN_TYPES: Final = (
    "(select array_agg(distinct a.type order by a.type) from alert a "
    "where a.battery_id = x.id and a.cleared_at is null and a.resolved_at is null)"
)

SORTS: Final[Mapping[str, str]] = {
    "battery_id": "x.code",
    "voltage_v": "x.voltage_v",
    "temperature_c": "x.temperature_c",
    "internal_resistance_mohm": "x.internal_resistance_mohm",
    "resistance_drift_pct": "x.resistance_drift_pct",
    "installed_at": "x.installed_at",
    "status": _STATUS_RANK,
    "time": "x.time",
}
"""Sort keys of the battery list; ``-`` in front turns the order round."""

_BATTERIES: Final = f"""
    select b.id, b.code, b.position, b.serial_number, b.installed_at, b.baseline_resistance_mohm,
           b.baseline_temperature_c, b.location_id, b.string_id, l.code as location_code, l.name as location_name,
           y.code as system_code, g.code as string_code, m.code as model_code,
           s.time, s.received_at, s.voltage_v, s.current_a, s.temperature_c, s.internal_resistance_mohm,
           s.resistance_at, s.soc_pct, s.soc_sd_pct, s.soc_provenance, s.soh_pct, s.soh_sd_pct, s.soh_provenance,
           s.quality, s.reporting_interval_s, s.open_info, s.open_warning, s.open_critical,
           {_DRIFT} as resistance_drift_pct, {_STATUS} as status
    from battery b
    join string g on g.id = b.string_id
    join battery_system y on y.id = g.system_id
    join location l on l.id = b.location_id
    join battery_model m on m.id = b.model_id
    join battery_state s on s.battery_id = b.id
    where b.removed_at is null
"""


@dataclass(frozen=True, slots=True)
class BatteryFilter:
    """Which batteries a list wants; None means any. ``visible`` holds the caller's locations, None for all."""

    visible: frozenset[str] | None = None
    location_id: str | None = None
    system_id: str | None = None
    string_id: str | None = None
    battery_id: str | None = None
    status: str | None = None
    has_alerts: bool | None = None
    rul_below_days: float | None = None
    text: str | None = None

    def conditions(self) -> tuple[str, dict[str, Any]]:
        """Return the SQL conditions on the joined row and their parameters."""
        clauses: list[str] = []
        values: dict[str, Any] = {}
        exact = {
            "x.location_code": self.location_id,
            "x.system_code": self.system_id,
            "x.string_code": self.string_id,
            "x.code": self.battery_id,
            "x.status": self.status,
        }
        for column, wanted in exact.items():
            if wanted is not None:
                name = column.removeprefix("x.")
                clauses.append(f"{column} = :{name}")
                values[name] = wanted
        if self.visible is not None:
            clauses.append("x.location_code = any(:visible)")
            values["visible"] = sorted(self.visible)
        if self.has_alerts is not None:
            clauses.append(f"(x.open_info + x.open_warning + x.open_critical > 0) = {str(self.has_alerts).lower()}")
        if self.rul_below_days is not None:
            # No prediction is stored yet, so no battery is known to lie below any number of days.
            clauses.append("false")
        if self.text:
            clauses.append("(x.code ilike :text or x.serial_number ilike :text)")
            escaped = self.text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
            values["text"] = f"%{escaped}%"
        return " and ".join(clauses) or "true", values


async def list_batteries(
    connection: AsyncConnection, wanted: BatteryFilter, *, now: datetime, sort: str, skip: int, limit: int
) -> tuple[Sequence[RowMapping], int]:
    """Return a stretch of the batteries that match, with the number of all that do."""
    where, values = wanted.conditions()
    descending = sort.startswith("-")
    order = SORTS[sort.removeprefix("-")] + (" desc nulls last" if descending else " asc nulls last")
    statement = (
        f"select x.*, {_OPEN_TYPES} as open_types, count(*) over () as total from ({_BATTERIES}) x "
        f"where {where} order by {order}, x.code offset :skip limit :limit"
    )
    rows = (
        (await connection.execute(text(statement), {**values, "now": now, "skip": skip, "limit": limit}))
        .mappings()
        .all()
    )
    if rows or skip == 0:
        return rows, rows[0]["total"] if rows else 0
    count = f"select count(*) from ({_BATTERIES}) x where {where}"
    return rows, await connection.scalar(text(count), values) or 0


async def status_counts(
    connection: AsyncConnection, *, now: datetime, visible: frozenset[str] | None
) -> Sequence[RowMapping]:
    """Return, per location, batteries by status, the newest reading and the worst battery."""
    statement = f"""
        select x.location_code,
               count(*) as battery_count,
               count(*) filter (where x.status = 'normal') as normal,
               count(*) filter (where x.status = 'warning') as warning,
               count(*) filter (where x.status = 'critical') as critical,
               count(*) filter (where x.status = 'no_data') as no_data,
               max(x.time) as newest_reading_at,
               avg(x.soh_pct) filter (where x.soh_provenance <> '{Provenance.PRIOR_ONLY}') as mean_soh_pct,
               count(x.soh_pct) filter (where x.soh_provenance <> '{Provenance.PRIOR_ONLY}') as soh_evidence_count,
               count(x.soh_pct) as soh_estimate_count,
               (array_agg(x.code order by {_STATUS_RANK}, x.open_critical desc, x.open_warning desc,
                          x.resistance_drift_pct desc nulls last)
                filter (where x.status in ('critical', 'warning')))[1] as worst_battery_id
        from ({_BATTERIES}) x
        where cast(:visible as text[]) is null or x.location_code = any(:visible)
        group by x.location_code
    """
    values = {"now": now, "visible": None if visible is None else sorted(visible)}
    return (await connection.execute(text(statement), values)).mappings().all()


async def alert_counts(connection: AsyncConnection, *, visible: frozenset[str] | None) -> Sequence[RowMapping]:
    """Return, per location, active alerts by severity and how many of them nobody has acknowledged."""
    statement = text(
        """
        select l.code as location_code,
               count(*) filter (where a.severity = 'info') as info,
               count(*) filter (where a.severity = 'warning') as warning,
               count(*) filter (where a.severity = 'critical') as critical,
               count(*) filter (where a.acknowledged_at is null) as pending
        from alert a join location l on l.id = a.location_id
        where a.cleared_at is null and a.resolved_at is null
          and (cast(:visible as text[]) is null or l.code = any(:visible))
        group by l.code
        """
    )
    values = {"visible": None if visible is None else sorted(visible)}
    return (await connection.execute(statement, values)).mappings().all()


async def list_locations(connection: AsyncConnection, *, visible: frozenset[str] | None) -> Sequence[RowMapping]:
    """Return every location the caller may see, with its environment and sizes."""
    statement = text(
        f"""
        select l.*, e.time, e.ambient_c, e.humidity_pct, e.hvac, e.mains, {stale_after_sql("e.reporting_interval_s")}
               as stale_after_s,
               (select count(*) from battery_system y where y.location_id = l.id) as system_count,
               (select count(*) from string g where g.location_id = l.id) as string_count,
               (select count(*) from battery b where b.location_id = l.id and b.removed_at is null) as battery_count
        from location l join location_state e on e.location_id = l.id
        where cast(:visible as text[]) is null or l.code = any(:visible)
        order by l.code
        """
    )
    values = {"visible": None if visible is None else sorted(visible)}
    return (await connection.execute(statement, values)).mappings().all()


async def list_strings(
    connection: AsyncConnection, *, location_code: str | None = None, string_code: str | None = None
) -> Sequence[RowMapping]:
    """Return strings with their systems and newest values."""
    statement = text(
        """
        select g.code as string_code, y.code as system_code, y.kind, y.rated_power_kva, t.*,
               (select count(*) from battery b where b.string_id = g.id and b.removed_at is null) as battery_count
        from string g
        join battery_system y on y.id = g.system_id
        join location l on l.id = g.location_id
        join string_state t on t.string_id = g.id
        where (cast(:location as text) is null or l.code = :location)
          and (cast(:string as text) is null or g.code = :string)
        order by y.code, g.code
        """
    )
    return (await connection.execute(statement, {"location": location_code, "string": string_code})).mappings().all()


async def count_visible_systems(connection: AsyncConnection, *, visible: frozenset[str] | None) -> tuple[int, int]:
    """Return the numbers of systems and strings that the caller may see."""
    statement = text(
        """
        select count(distinct y.id), count(distinct g.id)
        from location l join battery_system y on y.location_id = l.id left join string g on g.system_id = y.id
        where cast(:visible as text[]) is null or l.code = any(:visible)
        """
    )
    row = (await connection.execute(statement, {"visible": None if visible is None else sorted(visible)})).one()
    return row[0], row[1]
