"""Readings as they travel: one tick's batch in the gateway's column shape, and several batches merged into one."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import orjson

from battery_synth.world import Observation, SiteObservation


@dataclass(frozen=True, slots=True)
class Batch:
    """One tick's readings as JSON; ``measured_strings`` are those whose resistance it carries."""

    time: datetime
    body: bytes
    reading_count: int
    measured_strings: frozenset[str] = frozenset()


def make_batch(
    seen: Observation | None, sites: SiteObservation | None, *, measured_strings: frozenset[str] = frozenset()
) -> Batch | None:
    """Return the batch of an instant, None when nothing was read."""
    content: dict[str, Any] = {}
    count = 0
    at: datetime | None = None
    if seen is not None:
        at = seen.time
        count += len(seen.battery_id) + len(seen.string_id)
        content["columns"] = _battery_columns(seen)
        content["string_readings"] = _string_readings(seen)
    if sites is not None:
        at = sites.time
        count += len(sites.location_id)
        content["site_readings"] = _site_readings(sites)
    if at is None:
        return None
    return Batch(at, orjson.dumps(content, option=orjson.OPT_SERIALIZE_NUMPY), count, measured_strings)


def merged(bodies: Iterable[bytes]) -> bytes:
    """Return one body for several, readings in their order."""
    columns: dict[str, list[Any]] = {}
    lists: dict[str, list[Any]] = {}
    rows = 0
    for body in bodies:
        content: dict[str, Any] = orjson.loads(body)
        given: dict[str, list[Any]] = content.pop("columns", {})
        count = len(given.get("battery_id", ()))
        for name in columns.keys() | given.keys():
            # A column that only some batches have is null in the others.
            columns.setdefault(name, [None] * rows).extend(given[name] if name in given else [None] * count)
        rows += count
        for name, items in content.items():
            lists.setdefault(name, []).extend(items)
    return orjson.dumps({**({"columns": columns} if columns else {}), **lists})


def _battery_columns(seen: Observation) -> dict[str, Any]:
    columns: dict[str, Any] = {
        "battery_id": seen.battery_id,
        "time": [_stamp(seen.time)] * len(seen.battery_id),
        "voltage_v": seen.voltage_v,
        "current_a": seen.current_a,
        "temperature_c": seen.temperature_c,
    }
    if np.isfinite(seen.internal_resistance_mohm).any():
        # NaN becomes null in JSON: not measured this time.
        columns["internal_resistance_mohm"] = seen.internal_resistance_mohm
    return columns


def _string_readings(seen: Observation) -> list[dict[str, Any]]:
    stamp = _stamp(seen.time)
    return [
        {
            "string_id": string,
            "time": stamp,
            "voltage_v": float(seen.string_voltage_v[i]),
            "current_a": float(seen.string_current_a[i]),
            "float_current_ma": float(seen.float_current_ma[i]),
            "ripple_voltage_v": float(seen.ripple_voltage_v[i]),
            "ripple_current_a": float(seen.ripple_current_a[i]),
            "mode": seen.mode[i].value,
        }
        for i, string in enumerate(seen.string_id)
    ]


def _site_readings(sites: SiteObservation) -> list[dict[str, Any]]:
    stamp = _stamp(sites.time)
    return [
        {
            "location_id": location,
            "time": stamp,
            "ambient_c": float(sites.ambient_c[i]),
            "humidity_pct": float(sites.humidity_pct[i]),
            "hvac": sites.hvac[i].value,
            "mains": sites.mains[i],
        }
        for i, location in enumerate(sites.location_id)
    ]


def _stamp(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
