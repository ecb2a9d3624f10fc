"""Reads of what runtimes are computed from, for many strings at once, and the write of a string's runtime."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from battery_api.fleet.service_life import STRING_RETIRED_AT
from battery_api.fleet.withheld import QUALITY_SQL, estimate_sql
from battery_api.twin.repository import Visible

_STRINGS: Final = f"""
    select g.id, g.code, t.time, t.current_a, t.mode, t.mode_since, t.reporting_interval_s,
           (select e.mean_current_a from discharge_event e where e.string_id = g.id and e.mode = 'discharge'
            order by e.started_at desc limit 1) as last_load_a,
           t.runtime_at, t.runtime_reason, {STRING_RETIRED_AT} as retired_at
    from string g join string_state t on t.string_id = g.id
    join battery_system y on y.id = g.system_id join location l on l.id = g.location_id
"""
_VISIBLE: Final = "(cast(:visible as text[]) is null or l.code = any(:visible))"
_OF_FLEET: Final = text(f"select * from ({_STRINGS}) x where x.retired_at is null order by x.id")
_OF_SYSTEM: Final = text(
    f"select * from ({_STRINGS} where y.code = :code and {_VISIBLE}) x where x.retired_at is null order by x.code"
)
_OF_CODE: Final = text(f"{_STRINGS} where g.code = :code and {_VISIBLE}")
_BATTERIES: Final = text(
    f"""
    select b.string_id, b.code, b.baseline_resistance_mohm, b.baseline_temperature_c, m.rated_capacity_ah, m.cell_count,
           s.time, s.reporting_interval_s, s.temperature_c, s.internal_resistance_mohm, s.resistance_temperature_c,
           {estimate_sql("soc_pct")}, s.soc_sd_pct, {estimate_sql("soh_pct")}, s.soh_sd_pct, {QUALITY_SQL}
    from battery b join battery_state s on s.battery_id = b.id join battery_model m on m.id = b.model_id
    where b.string_id = any(:strings) and b.removed_at is null and b.retired_at is null
    order by b.string_id, b.position
    """
)
# A slow run of a job that has lost its lease must not undo what its successor wrote.
_WRITE: Final = text(
    """
    update string_state set runtime_at = :at, runtime_p10_s = :p10_s, runtime_p50_s = :p50_s, runtime_p90_s = :p90_s,
        runtime_current_a = :current_a, runtime_load_basis = :load_basis, runtime_withheld_count = :withheld_count,
        runtime_reason = :reason, runtime_limiting_battery_id = (select b.id from battery b
            where b.code = :limiting_battery and b.removed_at is null)
    where string_id = :string and (runtime_at is null or runtime_at <= :at)
    """
)


class RuntimeStringRow(NamedTuple):
    """A string with what its load and the age of its runtime follow from."""

    key: int
    code: str
    time: datetime | None
    current_a: float | None
    mode: str | None
    mode_since: datetime | None
    reporting_interval_s: float | None
    last_load_a: float | None
    """Mean current of its last discharge that was no test; None if none is on record."""
    runtime_at: datetime | None
    runtime_reason: str | None
    retired_at: datetime | None


class StringBatteryRow(NamedTuple):
    """A battery of a string, as a simulation needs it."""

    code: str
    baseline_resistance_mohm: float | None
    baseline_temperature_c: float | None
    rated_capacity_ah: float
    cell_count: int
    time: datetime | None
    reporting_interval_s: float | None
    temperature_c: float | None
    internal_resistance_mohm: float | None
    resistance_temperature_c: float | None
    soc_pct: float | None
    soc_sd_pct: float | None
    soh_pct: float | None
    soh_sd_pct: float | None
    quality: int


class RuntimeColumns(NamedTuple):
    """The runtime of a string as it is stored."""

    at: datetime
    p10_s: float | None
    p50_s: float | None
    p90_s: float | None
    current_a: float | None
    load_basis: str | None
    limiting_battery: str | None
    withheld_count: int | None
    reason: str | None


async def find_string(connection: AsyncConnection, code: str, visible: Visible) -> RuntimeStringRow | None:
    """Return a string with its load, None if the caller may not see one."""
    row = (await connection.execute(_OF_CODE, {"code": code, "visible": _listed(visible)})).first()
    return None if row is None else RuntimeStringRow(*row)


async def list_system_strings(connection: AsyncConnection, system: str, visible: Visible) -> list[RuntimeStringRow]:
    """Return the strings of a system that are in service, by code; none if the caller may not see it."""
    rows = await connection.execute(_OF_SYSTEM, {"code": system, "visible": _listed(visible)})
    return [RuntimeStringRow(*row) for row in rows]


async def list_strings(connection: AsyncConnection) -> list[RuntimeStringRow]:
    """Return every string in service."""
    return [RuntimeStringRow(*row) for row in await connection.execute(_OF_FLEET)]


async def list_batteries(connection: AsyncConnection, strings: Sequence[int]) -> dict[int, list[StringBatteryRow]]:
    """Return the batteries in service of some strings with their states, by string and position."""
    found: dict[int, list[StringBatteryRow]] = {string: [] for string in strings}
    for string, *columns in await connection.execute(_BATTERIES, {"strings": list(strings)}):
        found[string].append(StringBatteryRow(*columns))
    return found


async def write_runtime(connection: AsyncConnection, string: int, columns: RuntimeColumns) -> None:
    """Store the runtime of a string, or why it has none, unless a newer one is stored."""
    await connection.execute(_WRITE, {"string": string, **columns._asdict()})


def _listed(visible: Visible) -> list[str] | None:
    return None if visible is None else sorted(visible)
