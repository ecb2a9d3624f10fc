"""Batches of readings: one per tick, in the gateway's column format, and several merged into one."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import orjson

from battery_synth.world import LocationObservation, Observation


@dataclass(frozen=True, slots=True)
class Batch:
    """One tick's readings as JSON; ``measured_strings`` are those whose block resistances it contains."""

    time: datetime
    body: bytes
    reading_count: int
    measured_strings: frozenset[str] = frozenset()


def make_batch(
    observation: Observation | None,
    locations: LocationObservation | None,
    *,
    measured_strings: frozenset[str] = frozenset(),
) -> Batch | None:
    """Return the batch of an instant, or None if nothing was read."""
    content: dict[str, Any] = {}
    count = 0
    time: datetime | None = None
    if observation is not None:
        time = observation.time
        count += len(observation.battery_id) + len(observation.string_id)
        content["columns"] = _battery_columns(observation)
        content["string_readings"] = _string_readings(observation)
    if locations is not None:
        time = locations.time
        count += len(locations.location_id)
        content["site_readings"] = _location_readings(locations)
    if time is None:
        return None
    return Batch(time, orjson.dumps(content, option=orjson.OPT_SERIALIZE_NUMPY), count, measured_strings)


def merged(bodies: Iterable[bytes]) -> bytes:
    """Return one body for several; the readings keep their order."""
    columns: dict[str, list[Any]] = {}
    lists: dict[str, list[Any]] = {}
    rows = 0
    for body in bodies:
        content: dict[str, Any] = orjson.loads(body)
        added: dict[str, list[Any]] = content.pop("columns", {})
        count = len(added.get("battery_id", ()))
        for name in columns.keys() | added.keys():
            # A column that only some batches have is null in the others.
            columns.setdefault(name, [None] * rows).extend(added[name] if name in added else [None] * count)
        rows += count
        for name, items in content.items():
            lists.setdefault(name, []).extend(items)
    return orjson.dumps({**({"columns": columns} if columns else {}), **lists})


def _battery_columns(observation: Observation) -> dict[str, Any]:
    columns: dict[str, Any] = {
        "battery_id": observation.battery_id,
        "time": [_stamp(observation.time)] * len(observation.battery_id),
        "voltage_v": observation.voltage_v,
        "current_a": observation.current_a,
        "temperature_c": observation.temperature_c,
    }
    if np.isfinite(observation.internal_resistance_mohm).any():
        # NaN, which becomes null in JSON, marks a block that was not measured.
        columns["internal_resistance_mohm"] = observation.internal_resistance_mohm
    return columns


def _string_readings(observation: Observation) -> list[dict[str, Any]]:
    stamp = _stamp(observation.time)
    return [
        {
            "string_id": string,
            "time": stamp,
            "voltage_v": float(observation.string_voltage_v[i]),
            "current_a": float(observation.string_current_a[i]),
            "float_current_ma": float(observation.float_current_ma[i]),
            "ripple_voltage_v": float(observation.ripple_voltage_v[i]),
            "ripple_current_a": float(observation.ripple_current_a[i]),
            "mode": observation.mode[i].value,
        }
        for i, string in enumerate(observation.string_id)
    ]


def _location_readings(locations: LocationObservation) -> list[dict[str, Any]]:
    stamp = _stamp(locations.time)
    return [
        {
            "location_id": location,
            "time": stamp,
            "ambient_c": float(locations.ambient_c[i]),
            "humidity_pct": float(locations.humidity_pct[i]),
            "hvac": locations.hvac[i].value,
            "mains": locations.mains[i],
        }
        for i, location in enumerate(locations.location_id)
    ]


def _stamp(time: datetime) -> str:
    return time.isoformat(timespec="milliseconds").replace("+00:00", "Z")
