"""The reference set as recordings, read from its Parquet files."""

import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from battery_twin.runs import RecordedRun
from tests.reference.judge import Recording

FOLDER = Path(__file__).parent


def load(half: str) -> list[Recording]:
    """Return the recordings of ``development`` or ``test``, in the order in which they were written."""
    blocks = json.loads((FOLDER / "blocks.json").read_text())
    table = pq.read_table(FOLDER / f"{half}.parquet")
    names, profiles = (np.asarray(table[column].to_pylist()) for column in ("block", "profile"))
    columns = {
        name: table[name].to_numpy().astype(float) for name in ("time_s", "current_a", "voltage_v", "temperature_c")
    }
    soc = table["soc"].to_numpy().astype(float)
    keys = np.array([f"{name}/{profile}" for name, profile in zip(names, profiles, strict=True)])
    first = np.flatnonzero(np.concatenate([[True], keys[1:] != keys[:-1]]))
    recordings = []
    for start, stop in zip(first, [*first[1:], len(keys)], strict=True):
        block = blocks[names[start]]
        run = RecordedRun.of({name: values[start:stop] for name, values in columns.items()})
        recordings.append(
            Recording(
                block=str(names[start]),
                kind=block["kind"],
                profile=str(profiles[start]),
                rated_ah=block["rated_ah"],
                capacity_ah=block["capacity_ah"],
                run=run,
                soc=soc[start:stop],
            )
        )
    return recordings
