"""History of the fleet as Parquet: hourly rows, finer around discharges, and the world's checkpoint where they end.

Files appear whole or not at all: each is written under another name, synced and renamed, and the manifest comes last.
"""

import hashlib
import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from battery_contracts.fleet import FleetRow
from battery_synth.world import Observation, SiteObservation, World

FORMAT_VERSION: Final = 1
STEP: Final = timedelta(hours=1)
_FINE_STEPS: Final = (
    # Since the discharge ended: how often to look while the strings recover.
    (timedelta(minutes=10), timedelta(seconds=60)),
    (timedelta(hours=2), timedelta(minutes=10)),
)
_DISCHARGE_STEP: Final = timedelta(seconds=5)
_LONG_DISCHARGE: Final = timedelta(minutes=5)

Progress = Callable[[int, int], None]

TELEMETRY: Final = pa.schema(
    [
        ("time", pa.timestamp("us", tz="UTC")),
        ("battery_id", pa.dictionary(pa.int32(), pa.string())),
        ("voltage_v", pa.float32()),
        ("current_a", pa.float32()),
        ("temperature_c", pa.float32()),
        ("internal_resistance_mohm", pa.float32()),
    ]
)
STRING_TELEMETRY: Final = pa.schema(
    [
        ("time", pa.timestamp("us", tz="UTC")),
        ("string_id", pa.dictionary(pa.int32(), pa.string())),
        ("voltage_v", pa.float32()),
        ("current_a", pa.float32()),
        ("float_current_ma", pa.float32()),
        ("ripple_voltage_v", pa.float32()),
        ("ripple_current_a", pa.float32()),
        ("mode", pa.string()),
    ]
)
SITE_ENVIRONMENT: Final = pa.schema(
    [
        ("time", pa.timestamp("us", tz="UTC")),
        ("location_id", pa.string()),
        ("ambient_c", pa.float32()),
        ("humidity_pct", pa.float32()),
        ("hvac", pa.string()),
        ("mains", pa.bool_()),
    ]
)


@dataclass(slots=True)
class _Collected:
    """Rows of one location, gathered as blocks."""

    telemetry: list[pa.Table] = field(default_factory=list)
    strings: list[pa.Table] = field(default_factory=list)
    environment: list[pa.Table] = field(default_factory=list)


def write_history(
    fleet: Sequence[FleetRow],
    directory: Path,
    *,
    seed: int,
    start: datetime,
    end: datetime,
    checkpoint: Path,
    progress: Progress,
) -> dict[str, Any]:
    """Run the world from ``start`` to ``end``, write what its sensors saw and the checkpoint at ``end``.

    Returns
    -------
    dict
        The manifest that was written.
    """
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "manifest.json").unlink(missing_ok=True)
    world = World.create(fleet, seed=seed, start=start)
    collected = {location: _Collected() for location in world.location_ids}
    strings_of = {
        location: [string for string in world.string_ids if string.startswith(location)]
        for location in world.location_ids
    }
    total = int((end - start) / STEP)
    hour = start
    for done in range(total):
        _record_hour(world, hour, strings_of, collected)
        hour = start + (done + 1) * STEP
        progress(done + 1, total)
    _record_until(world, end, strings_of, collected)
    files = [entry for location, rows in collected.items() for entry in _write_location(directory, location, rows)]
    write_atomically(checkpoint, world.dump())
    manifest = {
        "version": FORMAT_VERSION,
        "seed": seed,
        "start": start.isoformat(),
        "end": end.isoformat(),
        "files": files,
    }
    write_atomically(directory / "manifest.json", json.dumps(manifest, indent=2).encode())
    return manifest


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file so that it is there whole or not at all, also after a crash."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(path.suffix + ".part")
    with temporary.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def _record_hour(
    world: World, hour: datetime, strings_of: dict[str, list[str]], collected: dict[str, _Collected]
) -> None:
    world.advance(hour)
    due = world.ohmic_due(hour - STEP, hour)
    _collect(collected, strings_of, world.observe(world.string_ids, ohmic=due), world.observe_sites())
    _record_until(world, hour + STEP, strings_of, collected)


def _record_until(
    world: World, until: datetime, strings_of: dict[str, list[str]], collected: dict[str, _Collected]
) -> None:
    """Go on to the next hour; where strings discharge or recover on the way, look more often at these."""
    while True:
        change = world.next_change_after(world.time)
        if change >= until:
            break
        world.advance(change)
        working = world.discharging()
        if working:
            _record_discharge(world, sorted(working), until, strings_of, collected)
    world.advance(until - timedelta(milliseconds=1) if until > world.time else world.time)


def _record_discharge(
    world: World,
    strings: list[str],
    until: datetime,
    strings_of: dict[str, list[str]],
    collected: dict[str, _Collected],
) -> None:
    began = world.time
    locations = sorted({location for location in strings_of if any(s.startswith(location) for s in strings)})

    def look() -> None:
        _collect(collected, strings_of, world.observe(strings), world.observe_sites(locations))

    while world.discharging(strings) and world.time < until:
        look()
        step = _DISCHARGE_STEP if world.time - began < _LONG_DISCHARGE else timedelta(seconds=60)
        world.advance(min(world.time + step, world.next_change_after(world.time), until))
    ended = world.time
    for span, step in _FINE_STEPS:
        while world.time - ended < span and world.time + step < until:
            if world.next_change_after(world.time) <= world.time + step:
                return
            look()
            world.advance(world.time + step)


def _collect(
    collected: dict[str, _Collected],
    strings_of: dict[str, list[str]],
    seen: Observation,
    sites: SiteObservation,
) -> None:
    width = len(seen.battery_id) // max(1, len(seen.string_id))
    instant = np.datetime64(seen.time.replace(tzinfo=None), "us")
    string_location = {string: location for location, members in strings_of.items() for string in members}
    position_of: dict[str, list[int]] = {}
    for position, string in enumerate(seen.string_id):
        position_of.setdefault(string_location[string], []).append(position)
    for location, positions in position_of.items():
        rows = np.array(positions)
        blocks = (rows[:, None] * width + np.arange(width)).ravel()
        collected[location].telemetry.append(_telemetry_table(seen, blocks, instant))
        collected[location].strings.append(_string_table(seen, rows, instant))
    for position, location in enumerate(sites.location_id):
        collected[location].environment.append(
            pa.table(
                {
                    "time": _instants(instant, 1),
                    "location_id": [location],
                    "ambient_c": pa.array([sites.ambient_c[position]], pa.float32()),
                    "humidity_pct": pa.array([sites.humidity_pct[position]], pa.float32()),
                    "hvac": [sites.hvac[position].value],
                    "mains": [sites.mains[position]],
                },
                schema=SITE_ENVIRONMENT,
            )
        )


def _telemetry_table(seen: Observation, blocks: Any, instant: np.datetime64) -> pa.Table:
    resistance = seen.internal_resistance_mohm[blocks].astype(np.float32)
    return pa.table(
        {
            "time": _instants(instant, len(blocks)),
            "battery_id": pa.array([seen.battery_id[i] for i in blocks]).dictionary_encode(),
            "voltage_v": seen.voltage_v[blocks].astype(np.float32),
            "current_a": seen.current_a[blocks].astype(np.float32),
            "temperature_c": seen.temperature_c[blocks].astype(np.float32),
            "internal_resistance_mohm": pa.array(resistance, mask=np.isnan(resistance)),
        },
        schema=TELEMETRY,
    )


def _string_table(seen: Observation, rows: Any, instant: np.datetime64) -> pa.Table:
    return pa.table(
        {
            "time": _instants(instant, len(rows)),
            "string_id": pa.array([seen.string_id[i] for i in rows]).dictionary_encode(),
            "voltage_v": seen.string_voltage_v[rows].astype(np.float32),
            "current_a": seen.string_current_a[rows].astype(np.float32),
            "float_current_ma": seen.float_current_ma[rows].astype(np.float32),
            "ripple_voltage_v": seen.ripple_voltage_v[rows].astype(np.float32),
            "ripple_current_a": seen.ripple_current_a[rows].astype(np.float32),
            "mode": [seen.mode[i].value for i in rows],
        },
        schema=STRING_TELEMETRY,
    )


def _instants(instant: np.datetime64, count: int) -> pa.Array:
    return pa.array(np.full(count, instant)).cast(TELEMETRY.field("time").type)


def _write_location(directory: Path, location: str, rows: _Collected) -> list[dict[str, Any]]:
    entries = []
    for name, tables in (
        ("telemetry", rows.telemetry),
        ("string_telemetry", rows.strings),
        ("site_environment", rows.environment),
    ):
        table = pa.concat_tables(tables).unify_dictionaries().combine_chunks()
        path = directory / name / f"{location}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        sink = pa.BufferOutputStream()
        pq.write_table(table, sink, compression="zstd", row_group_size=200_000, use_dictionary=True)
        content = sink.getvalue().to_pybytes()
        write_atomically(path, content)
        entries.append(
            {
                "table": name,
                "location_id": location,
                "path": str(path.relative_to(directory)),
                "rows": table.num_rows,
                "sha256": hashlib.sha256(content).hexdigest(),
            }
        )
    return entries
