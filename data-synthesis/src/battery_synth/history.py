"""History of the fleet as Parquet: hourly rows, finer around discharges, and the world's checkpoint where they end."""

import json
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Self

import numpy as np

from battery_contracts.fleet import FleetRow
from battery_synth.engine.plant import Plant
from battery_synth.engine.readings import Readings, Sampling
from battery_synth.storage.files import TableFile, write_atomically
from battery_synth.storage.schemas import SCHEMAS
from battery_synth.storage.tables import site_table, string_table, telemetry_table
from battery_synth.world import World

__all__ = ["write_atomically", "write_history"]

FORMAT_VERSION: Final = 2
SAMPLING: Final = Sampling(3600.0, detail=True)
_FLUSH_DAYS: Final = 30
_DAY_S: Final = 86_400.0

Progress = Callable[[int, int], None]


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

    The rows span [start, end): the live feed goes on at ``end``. The manifest is written last; without it the folder
    holds no history. ``progress`` is told days done and days in all, over all sites.

    Returns
    -------
    dict
        The manifest that was written.
    """
    world = World.create(fleet, seed=seed, start=start)
    directory.mkdir(parents=True, exist_ok=True)
    checkpoint.parent.mkdir(parents=True, exist_ok=True)
    (directory / "manifest.json").unlink(missing_ok=True)
    until_s = end.timestamp()
    days = int(np.ceil((until_s - start.timestamp()) / _DAY_S))
    files = []
    for number, plant in enumerate(world.plants):
        with SiteFiles(directory, plant) as site:
            for day in range(days):
                site.add(plant.run(min(until_s, plant.time_s + _DAY_S), SAMPLING))
                if day % _FLUSH_DAYS == _FLUSH_DAYS - 1:
                    site.flush()
                progress(number * days + day + 1, len(world.plants) * days)
            files += site.finish()
    world.time = end
    write_atomically(checkpoint, world.dump())
    manifest = {
        "version": FORMAT_VERSION,
        "seed": seed,
        "start": start.isoformat(),
        "end": end.isoformat(),
        "files": sorted(files, key=lambda line: str(line["path"])),
    }
    write_atomically(directory / "manifest.json", json.dumps(manifest, indent=2).encode())
    return manifest


class SiteFiles:
    """The three files of one site in the making; nothing half is left behind."""

    def __init__(self, directory: Path, plant: Plant) -> None:
        self._directory, self._layout = directory, plant.layout
        code = plant.layout.site.code
        self._files = {
            table: TableFile(directory / table / f"{code}.parquet", schema) for table, schema in SCHEMAS.items()
        }

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *failure: object) -> None:
        # Finished files have another name by now: what is left here is half.
        for file in self._files.values():
            file.discard()

    def add(self, readings: Readings) -> None:
        """Take what the site's sensors said."""
        self._files["telemetry"].add(telemetry_table(readings, self._layout.battery_ids))
        self._files["string_telemetry"].add(string_table(readings, self._layout.string_ids))
        self._files["site_environment"].add(site_table(readings, self._layout.site.code))

    def flush(self) -> None:
        """Write what was taken; memory stays flat however long the history is."""
        for file in self._files.values():
            file.flush()

    def finish(self) -> list[dict[str, Any]]:
        """Complete the files; return the manifest's lines."""
        return [
            {
                "table": table,
                "location_id": self._layout.site.code,
                **file.finish(),
                "path": str(file.path.relative_to(self._directory)),
            }
            for table, file in self._files.items()
        ]
