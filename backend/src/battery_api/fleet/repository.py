"""Reads of the fleet: every list and page comes from the state rows, never from the history."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Final, NamedTuple

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from battery_api.fleet.battery_filter import DEVIATION_SORT, SORTS, STATUS_RANK, BatteryFilter, unknown_sql
from battery_api.fleet.ohmic import drift_sql
from battery_api.fleet.service_life import LOCATION_RETIRED_AT, STRING_RETIRED_AT, SYSTEM_RETIRED_AT
from battery_api.fleet.status import stale_after_sql, status_sql
from battery_api.fleet.withheld import QUALITY_SQL, estimate_sql
from battery_contracts.enums import Provenance

_STATUS: Final = status_sql(
    "s.time", "s.reporting_interval_s", "s.open_critical", "s.open_warning", retired_at="b.retired_at"
)
_DRIFT: Final = drift_sql(
    "s.internal_resistance_mohm", "s.resistance_temperature_c", "b.baseline_resistance_mohm", "b.baseline_temperature_c"
)
_OPEN_TYPES: Final = (
    "(select array_agg(distinct a.type order by a.type) from alert a "
    "where a.battery_id = x.key and a.cleared_at is null)"
)

_BATTERIES: Final = f"""
    select b.id as key, b.code, b.position, b.serial_number, b.installed_at, b.baseline_resistance_mohm,
           b.baseline_temperature_c, l.code as location_code, l.name as location_name,
           y.code as system_code, g.code as string_code, m.code as model_code,
           s.time, s.received_at, s.voltage_v, s.current_a, s.temperature_c, s.internal_resistance_mohm,
           s.resistance_at, {estimate_sql("soc_pct")}, s.soc_sd_pct, s.soc_provenance,
           {estimate_sql("soh_pct")}, s.soh_sd_pct, s.soh_provenance,
           {QUALITY_SQL}, s.reporting_interval_s, s.open_info, s.open_warning, s.open_critical,
           b.retired_at, b.retired_by, b.retired_reason,
           {_DRIFT} as resistance_drift_pct, {_STATUS} as status, s.rul_p50_days as rul_days,
           s.rul_p10_days, s.rul_p50_days, s.rul_p90_days, s.rul_source, s.rul_predicted_at
    from battery b
    join string g on g.id = b.string_id
    join battery_system y on y.id = g.system_id
    join location l on l.id = b.location_id
    join battery_model m on m.id = b.model_id
    join battery_state s on s.battery_id = b.id
    where b.removed_at is null
"""

_MIN_COMPARED: Final = 3
"""As the rules compare: of two batteries that differ nobody can tell which one is wrong."""


def _with_deviation(rows: str, strings: str = "true") -> str:
    """Return the SQL of rows of batteries with how far each is from the median of its string in the same sweep.

    A sweep is what was measured up to ten minutes before the newest reading of the string. ``strings`` limits the
    medians to those that the rows need.
    """
    return f"""
        select x.*, case when x.retired_at is null and c.compared >= {_MIN_COMPARED} and x.time > c.since
                         then x.voltage_v - c.median_v end as voltage_deviation_v
        from ({rows}) x
        left join (
            select string_code, count(*) as compared, max(since) as since,
                   percentile_cont(0.5) within group (order by voltage_v) as median_v
            from (
                select g.code as string_code, s.voltage_v, s.time,
                       max(s.time) over (partition by g.id) - interval '10 minutes' as since
                from string g join battery b on b.string_id = g.id join battery_state s on s.battery_id = b.id
                where b.removed_at is null and b.retired_at is null and s.voltage_v is not null and {strings}
            ) measured
            where time > since
            group by string_code
        ) c on c.string_code = x.string_code
    """


class ListedBattery(NamedTuple):
    """A battery with its newest values, its status and its open alerts; ``key`` is that of the database."""

    key: int
    code: str
    position: int
    serial_number: str
    installed_at: datetime
    baseline_resistance_mohm: float | None
    baseline_temperature_c: float | None
    location_code: str
    location_name: str
    system_code: str
    string_code: str
    model_code: str
    time: datetime | None
    received_at: datetime | None
    voltage_v: float | None
    current_a: float | None
    temperature_c: float | None
    internal_resistance_mohm: float | None
    resistance_at: datetime | None
    soc_pct: float | None
    soc_sd_pct: float | None
    soc_provenance: str | None
    soh_pct: float | None
    soh_sd_pct: float | None
    soh_provenance: str | None
    quality: int
    reporting_interval_s: float | None
    open_info: int
    open_warning: int
    open_critical: int
    retired_at: datetime | None
    retired_by: str | None
    retired_reason: str | None
    resistance_drift_pct: float | None
    status: str
    rul_days: float | None
    rul_p10_days: float | None
    rul_p50_days: float | None
    rul_p90_days: float | None
    rul_source: str | None
    rul_predicted_at: datetime | None
    voltage_deviation_v: float | None
    open_types: list[str] | None
    """Types of the open alerts; None if there is none."""


_BATTERY_COLUMNS: Final = ", ".join(f"x.{name}" for name in ListedBattery._fields if name != "open_types")


class BatteryCounts(NamedTuple):
    """Batteries of a location by status, their newest reading, their state of health and the worst of them."""

    location_code: str
    normal: int
    warning: int
    critical: int
    no_data: int
    newest_reading_at: datetime | None
    mean_soh_pct: float | None
    soh_evidence_count: int
    soh_estimate_count: int
    worst_battery_code: str | None


class AlertCounts(NamedTuple):
    """Active alerts of a location by severity, and how many of them are not acknowledged."""

    location_code: str
    info: int
    warning: int
    critical: int
    pending: int


class ListedLocation(NamedTuple):
    """A location with its newest environment and its sizes; ``key`` is that of the database."""

    key: int
    code: str
    name: str
    region: str
    latitude: float
    longitude: float
    altitude_m: float
    commissioned_on: date
    utility: str
    climate_zone: str
    time: datetime | None
    ambient_c: float | None
    humidity_pct: float | None
    hvac: str | None
    mains: bool | None
    stale_after_s: float
    system_count: int
    string_count: int
    battery_count: int
    retired_at: datetime | None


class ListedString(NamedTuple):
    """A string with its system and its newest values."""

    string_code: str
    system_code: str
    system_kind: str
    rated_power_kva: float
    battery_codes: list[str]
    retired_battery_codes: list[str]
    retired_at: datetime | None
    time: datetime | None
    voltage_v: float | None
    current_a: float | None
    float_current_ma: float | None
    ripple_voltage_v: float | None
    ripple_current_a: float | None
    mode: str | None
    mode_since: datetime | None
    reporting_interval_s: float | None
    runtime_at: datetime | None
    runtime_p10_s: float | None
    runtime_p50_s: float | None
    runtime_p90_s: float | None
    runtime_current_a: float | None
    runtime_load_basis: str | None
    limiting_battery_code: str | None
    runtime_withheld_count: int | None
    runtime_reason: str | None


class SystemCounts(NamedTuple):
    """Numbers of systems and strings."""

    system_count: int
    string_count: int


class BatteryListing(NamedTuple):
    """A page of batteries, the number of all that match, and of how many a filter or the sort has no value."""

    batteries: Sequence[ListedBattery]
    total: int
    unknown_count: int


async def list_batteries(
    connection: AsyncConnection, battery_filter: BatteryFilter, *, now: datetime, sort: str, skip: int, limit: int
) -> BatteryListing:
    """Return a page of the matching batteries with its counts."""
    where, values = battery_filter.conditions()
    name = sort.removeprefix("-")
    order = SORTS[name] + (" desc nulls last" if sort.startswith("-") else " asc nulls last")
    rows_sql = _with_deviation(_BATTERIES) if name == DEVIATION_SORT else _BATTERIES
    page = (
        f"select x.*, {_OPEN_TYPES} as open_types, count(*) over () as total, "
        f"row_number() over (order by {order}, x.code) as number from ({rows_sql}) x "
        f"where {where} order by {order}, x.code offset :skip limit :limit"
    )
    if name != DEVIATION_SORT:
        # Only the strings on the page need a median.
        page = f"with page as ({page}) {_with_deviation('table page', 'g.code in (select string_code from page)')}"
    statement = f"select {_BATTERY_COLUMNS}, x.open_types, x.total from ({page}) x order by x.number"
    values |= {"now": now}
    rows = (await connection.execute(text(statement), {**values, "skip": skip, "limit": limit})).all()
    total = rows[0].total if rows else 0
    if not rows and skip:
        total = await connection.scalar(text(f"select count(*) from ({rows_sql}) x where {where}"), values) or 0
    unknown_count = 0
    if (unknown := unknown_sql(battery_filter, sort)) is not None:
        unknown_count = (
            await connection.scalar(text(f"select count(*) from ({rows_sql}) x where {unknown}"), values) or 0
        )
    return BatteryListing([ListedBattery(*columns) for *columns, _ in rows], total, unknown_count)


async def count_batteries(
    connection: AsyncConnection, *, now: datetime, visible: frozenset[str] | None
) -> dict[str, BatteryCounts]:
    """Count the batteries in service by the code of their location."""
    statement = f"""
        select x.location_code,
               count(*) filter (where x.status = 'normal') as normal,
               count(*) filter (where x.status = 'warning') as warning,
               count(*) filter (where x.status = 'critical') as critical,
               count(*) filter (where x.status = 'no_data') as no_data,
               max(x.time) as newest_reading_at,
               avg(x.soh_pct) filter (where x.soh_provenance <> '{Provenance.PRIOR_ONLY}') as mean_soh_pct,
               count(x.soh_pct) filter (where x.soh_provenance <> '{Provenance.PRIOR_ONLY}') as soh_evidence_count,
               count(x.soh_pct) as soh_estimate_count,
               (array_agg(x.code order by {STATUS_RANK}, x.open_critical desc, x.open_warning desc,
                          x.resistance_drift_pct desc nulls last)
                filter (where x.status in ('critical', 'warning')))[1] as worst_battery_code
        from ({_BATTERIES}) x
        where x.retired_at is null and (cast(:visible as text[]) is null or x.location_code = any(:visible))
        group by x.location_code
    """
    rows = await connection.execute(text(statement), {"now": now, "visible": _codes(visible)})
    return {row.location_code: BatteryCounts(*row) for row in rows}


async def count_alerts(connection: AsyncConnection, *, visible: frozenset[str] | None) -> dict[str, AlertCounts]:
    """Count active alerts by the code of their location."""
    statement = text(
        """
        select l.code as location_code,
               count(*) filter (where a.severity = 'info') as info,
               count(*) filter (where a.severity = 'warning') as warning,
               count(*) filter (where a.severity = 'critical') as critical,
               count(*) filter (where a.acknowledged_at is null and a.resolved_at is null) as pending
        from alert a join location l on l.id = a.location_id
        where a.cleared_at is null
          and (cast(:visible as text[]) is null or l.code = any(:visible))
        group by l.code
        """
    )
    rows = await connection.execute(statement, {"visible": _codes(visible)})
    return {row.location_code: AlertCounts(*row) for row in rows}


async def list_locations(
    connection: AsyncConnection, *, visible: frozenset[str] | None, include_retired: bool = False
) -> list[ListedLocation]:
    """Return every location the caller may see, with its environment and the sizes of what is in service."""
    statement = text(
        f"""
        select l.id as key, l.code, l.name, l.region, l.latitude, l.longitude, l.altitude_m, l.commissioned_on,
               l.utility, l.climate_zone, e.time, e.ambient_c, e.humidity_pct, e.hvac, e.mains,
               {stale_after_sql("e.reporting_interval_s")} as stale_after_s,
               (select count(*) from battery_system y where y.location_id = l.id
                   and {SYSTEM_RETIRED_AT} is null) as system_count,
               (select count(*) from string g where g.location_id = l.id
                   and {STRING_RETIRED_AT} is null) as string_count,
               (select count(*) from battery b where b.location_id = l.id and b.removed_at is null
                   and b.retired_at is null) as battery_count,
               {LOCATION_RETIRED_AT} as retired_at
        from location l join location_state e on e.location_id = l.id
        where (cast(:visible as text[]) is null or l.code = any(:visible))
          and (:include_retired or {LOCATION_RETIRED_AT} is null)
        order by l.code
        """
    )
    values = {"visible": _codes(visible), "include_retired": include_retired}
    return [ListedLocation(*row) for row in await connection.execute(statement, values)]


async def list_strings(
    connection: AsyncConnection, *, location_code: str | None = None, string_code: str | None = None
) -> list[ListedString]:
    """Return strings with their systems and newest values, retired ones as well."""
    statement = text(
        f"""
        select g.code as string_code, y.code as system_code, y.kind as system_kind, y.rated_power_kva,
               array(select b.code from battery b where b.string_id = g.id and b.removed_at is null
                   and b.retired_at is null order by b.position) as battery_codes,
               array(select b.code from battery b where b.string_id = g.id and b.removed_at is null
                   and b.retired_at is not null order by b.position) as retired_battery_codes,
               {STRING_RETIRED_AT} as retired_at,
               t.time, t.voltage_v, t.current_a, t.float_current_ma, t.ripple_voltage_v, t.ripple_current_a,
               t.mode, t.mode_since, t.reporting_interval_s,
               t.runtime_at, t.runtime_p10_s, t.runtime_p50_s, t.runtime_p90_s, t.runtime_current_a,
               t.runtime_load_basis, w.code as limiting_battery_code, t.runtime_withheld_count, t.runtime_reason
        from string g
        join battery_system y on y.id = g.system_id
        join location l on l.id = g.location_id
        join string_state t on t.string_id = g.id
        left join battery w on w.id = t.runtime_limiting_battery_id
        where (cast(:location as text) is null or l.code = :location)
          and (cast(:string as text) is null or g.code = :string)
        order by y.code, g.code
        """
    )
    rows = await connection.execute(statement, {"location": location_code, "string": string_code})
    return [ListedString(*row) for row in rows]


async def count_systems(connection: AsyncConnection, *, visible: frozenset[str] | None) -> SystemCounts:
    """Count the systems and strings in service that the caller may see."""
    statement = text(
        f"""
        select count(distinct y.id) as system_count, count(distinct g.id) as string_count
        from location l join battery_system y on y.location_id = l.id
        left join string g on g.system_id = y.id and {STRING_RETIRED_AT} is null
        where (cast(:visible as text[]) is null or l.code = any(:visible)) and {SYSTEM_RETIRED_AT} is null
        """
    )
    return SystemCounts(*(await connection.execute(statement, {"visible": _codes(visible)})).one())


def _codes(visible: frozenset[str] | None) -> list[str] | None:
    return None if visible is None else sorted(visible)
