"""The newest values of the fleet in one response, from the state rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from typing import Any, Final

import numpy as np
import orjson
from sqlalchemy.ext.asyncio import AsyncConnection

from battery_api.accounts.principal import Principal
from battery_api.db.fetching import fetch_all
from battery_api.fleet.errors import LocationNotFound
from battery_api.fleet.ohmic import drift_pct
from battery_api.fleet.status import stale_after_s, status_of
from battery_api.fleet.withheld import estimate_sql
from battery_api.telemetry.store.columns import FloatArray
from battery_contracts.channels import LIVE_DECIMALS

_LOCATIONS: Final = (
    "select l.code, s.seq from location_state s join location l on l.id = s.location_id "
    "where ($1::text[] is null or l.code = any($1)) order by l.code"
)
_BATTERIES: Final = (
    "select b.code, s.time, s.received_at, s.voltage_v, s.current_a, s.temperature_c, s.internal_resistance_mohm, "
    "s.resistance_temperature_c, b.baseline_resistance_mohm, b.baseline_temperature_c, "
    f"{estimate_sql('soc_pct')}, {estimate_sql('soh_pct')}, "
    "s.reporting_interval_s, s.open_critical, s.open_warning "
    "from battery b join battery_state s on s.battery_id = b.id join location l on l.id = b.location_id "
    "where b.removed_at is null and b.retired_at is null and ($1::text[] is null or l.code = any($1)) order by b.code"
)
_PLAIN: Final = ("voltage_v", "current_a", "temperature_c", "internal_resistance_mohm", "soc_pct", "soh_pct")


@dataclass(frozen=True, slots=True)
class Latest:
    """A snapshot as JSON, and the entity tag that changes with it."""

    body: bytes
    etag: str


async def read_latest(
    connection: AsyncConnection, principal: Principal, now: datetime, *, location_id: str | None
) -> Latest:
    """Read the newest values of every battery that the caller may see.

    Raises
    ------
    LocationNotFound
        The location does not exist or the caller may not see it.
    """
    visible = None if principal.location_codes is None else sorted(principal.location_codes)
    if location_id is not None:
        if not principal.may_see(location_id):
            raise LocationNotFound(f"No location {location_id} that you may see.")
        visible = [location_id]
    # Sequence numbers first: a batch between the two reads then gives newer values under an older number, and the
    # client reads once more; the reverse order would miss an update.
    locations = await fetch_all(connection, _LOCATIONS, (visible,))
    if location_id is not None and not locations:
        raise LocationNotFound(f"No location {location_id} that you may see.")
    rows = await fetch_all(connection, _BATTERIES, (visible,))
    content = {
        "locations": {code: {"seq": seq} for code, seq in locations},
        "columns": _columns(rows, now),
    }
    body = orjson.dumps(content, option=orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_UTC_Z)
    etag = f'"{blake2b(body, digest_size=12).hexdigest()}"'
    stamp = orjson.dumps({"generated_at": now}, option=orjson.OPT_UTC_Z)
    return Latest(stamp[:-1] + b"," + body[1:], etag)


def _columns(rows: Sequence[Any], now: datetime) -> dict[str, Any]:
    names = (
        "battery_id",
        "time",
        "received_at",
        "voltage_v",
        "current_a",
        "temperature_c",
        "internal_resistance_mohm",
        "resistance_temperature_c",
        "baseline_resistance_mohm",
        "baseline_temperature_c",
        "soc_pct",
        "soh_pct",
        "reporting_interval_s",
        "open_critical",
        "open_warning",
    )
    table: dict[str, Sequence[Any]] = dict(zip(names, zip(*rows, strict=True), strict=True)) if rows else {}
    read: Mapping[str, Sequence[Any]] = {name: table.get(name, ()) for name in names}
    measured = {name: np.array(read[name], np.float64) for name in names[3:12]}
    drift = drift_pct(
        measured["internal_resistance_mohm"],
        measured["resistance_temperature_c"],
        measured["baseline_resistance_mohm"],
        measured["baseline_temperature_c"],
    )
    stale_after = [stale_after_s(interval) for interval in read["reporting_interval_s"]]
    columns: dict[str, Any] = {name: read[name] for name in ("battery_id", "time", "received_at")}
    columns |= {name: rounded(measured[name], LIVE_DECIMALS[name]) for name in _PLAIN}
    columns["resistance_drift_pct"] = rounded(drift, 1)
    columns["status"] = [
        status_of(
            is_stale=time is None or (now - time).total_seconds() > limit, open_critical=critical, open_warning=warning
        ).value
        for time, limit, critical, warning in zip(
            read["time"], stale_after, read["open_critical"], read["open_warning"], strict=True
        )
    ]
    columns["stale_after_s"] = [round(limit, 1) for limit in stale_after]
    columns["open_critical"] = read["open_critical"]
    columns["open_warning"] = read["open_warning"]
    return columns


def rounded(values: FloatArray, decimals: int) -> FloatArray:
    """Return values at sensor resolution; NaN becomes null in JSON."""
    result: FloatArray = np.round(values, decimals)
    return result
