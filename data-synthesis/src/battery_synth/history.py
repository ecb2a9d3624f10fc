"""History of the fleet as Parquet: hourly rows, finer around discharges, and the world's checkpoint at their end."""

import json
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Self

import numpy as np

from battery_contracts.fleet import FleetRow
from battery_synth.engine.plant import Plant
from battery_synth.outside.campaign import Campaign
from battery_synth.state.readings import Sampling, SimulatedReadings
from battery_synth.storage.files import TableFile, write_atomically
from battery_synth.storage.schemas import SCHEMAS
from battery_synth.storage.tables import environment_table, string_table, telemetry_table
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
    """Run the world from ``start`` to ``end`` and write its sensor readings and the checkpoint at ``end``.

    Unless it is short, it has capacity tests of every third string, whatever the season: evidence of capacity is there.
    The rows span [start, end); the live feed continues at ``end``. The manifest is written last: a folder without it
    holds no history. ``progress`` receives the days done and the days in total, over all locations.

    Returns
    -------
    dict
        The manifest.

    Raises
    ------
    OSError
        A file cannot be written.
    ValueError
        The fleet or the span is not one that `World.create` accepts.
    """
    campaign = Campaign.at_the_end_of(start.timestamp(), end.timestamp())
    world = World.create(fleet, seed=seed, start=start, campaign=campaign)
    directory.mkdir(parents=True, exist_ok=True)
    checkpoint.parent.mkdir(parents=True, exist_ok=True)
    (directory / "manifest.json").unlink(missing_ok=True)
    until_s = end.timestamp()
    days = int(np.ceil((until_s - start.timestamp()) / _DAY_S))
    files = []
    for number, plant in enumerate(world.plants):
        with LocationFiles(directory, plant) as location:
            for day in range(days):
                location.add(plant.run(min(until_s, plant.time_s + _DAY_S), SAMPLING))
                if day % _FLUSH_DAYS == _FLUSH_DAYS - 1:
                    location.flush()
                progress(number * days + day + 1, len(world.plants) * days)
            files += location.finish()
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


class LocationFiles:
    """The three files of one location while they are written; a failure leaves no partial file."""

    def __init__(self, directory: Path, plant: Plant) -> None:
        self._directory, self._layout = directory, plant.layout
        code = plant.layout.location.code
        self._files = {
            table: TableFile(directory / table / f"{code}.parquet", schema) for table, schema in SCHEMAS.items()
        }

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *failure: object) -> None:
        # Finished files have their final names by now; what remains here is incomplete.
        for file in self._files.values():
            file.discard()

    def add(self, readings: SimulatedReadings) -> None:
        """Append the readings of a location's sensors."""
        self._files["telemetry"].add(telemetry_table(readings, self._layout.battery_ids))
        self._files["string_telemetry"].add(string_table(readings, self._layout.string_ids))
        self._files["site_environment"].add(environment_table(readings, self._layout.location.code))

    def flush(self) -> None:
        """Write the appended rows to disk, so that memory stays flat however long the history is."""
        for file in self._files.values():
            file.flush()

    def finish(self) -> list[dict[str, Any]]:
        """Complete the files and return the manifest's entries."""
        return [
            {
                "table": table,
                "location_id": self._layout.location.code,
                **file.finish(),
                "path": str(file.path.relative_to(self._directory)),
            }
            for table, file in self._files.items()
        ]
