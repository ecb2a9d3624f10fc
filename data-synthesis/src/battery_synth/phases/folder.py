"""Reading and writing of phases: tables file by file, and a record of its own for each phase."""

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.csv as pc
import pyarrow.parquet as pq

from battery_synth.catalogue import read_catalogue_csv
from battery_synth.realism.tables import DatasetTables
from battery_synth.storage.files import TableFile, write_atomically

FloatArray = npt.NDArray[np.float64]
Int64Array = npt.NDArray[np.int64]
StringArray = npt.NDArray[np.str_]


class PhaseRefused(ValueError):
    """The dataset lacks the tables that the phase is made from."""


@dataclass(frozen=True, slots=True)
class Phase:
    """A phase: its name, the tables it needs, and the function that turns a dataset into its own tables."""

    name: str
    needs_one_of: tuple[str, ...]
    make: "Callable[[DatasetTables], Iterator[tuple[str, pa.Table]]]"
    summary: str


def run_phase(phase: Phase, folder: Path) -> dict[str, int]:
    """Make the tables of a phase again; return their numbers of rows.

    Files have temporary names until they are complete; the record of the phase, ``phases/NAME.json``, is written last.

    Raises
    ------
    PhaseRefused
        The dataset lacks the tables that the phase is made from.
    """
    data = DatasetTables.open(folder)
    if not any(data.has(table) for table in phase.needs_one_of):
        made_of = " or ".join(phase.needs_one_of)
        raise PhaseRefused(f"{folder} has no {made_of}: {phase.name} cannot be made from a {data.manifest['kind']} set")
    record = folder / "phases" / f"{phase.name}.json"
    record.unlink(missing_ok=True)
    files: dict[str, TableFile] = {}
    cleared: set[Path] = set()
    try:
        for table, rows in phase.make(data):
            target = folder / table
            if target not in cleared:
                shutil.rmtree(target, ignore_errors=True)
                cleared.add(target)
            file = files.setdefault(table, TableFile(target / "part.parquet", rows.schema))
            file.add(rows)
            file.flush()
        made = {table: file.finish() for table, file in sorted(files.items())}
    except BaseException:
        for file in files.values():
            file.discard()
        raise
    content = {"phase": phase.name, "of": data.manifest["spec"], "version": data.manifest["version"], "tables": made}
    write_atomically(record, json.dumps(content, indent=2).encode())
    return {table: int(entry["rows"]) for table, entry in made.items()}


def months(data: DatasetTables, table: str) -> Iterator[pa.Table]:
    """Yield the rows of a table file by file, so that memory stays flat."""
    for entry in data.manifest["files"]:
        if entry["table"] == table:
            path = data.folder / entry["path"]
            yield pc.read_csv(path) if path.suffix == ".csv" else pq.read_table(path, partitioning=None)


def runs(flags: npt.NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Return the stretches [first, last) of consecutive true flags."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], flags.astype(np.int8), [0]])))
    return [(int(first), int(last)) for first, last in edges.reshape(-1, 2)]


def fleet_of(data: DatasetTables) -> dict[str, Any]:
    """Return the catalogue rows by battery."""
    return {row.battery_id: row for row in read_catalogue_csv(data.folder / "master" / "fleet.csv")}
