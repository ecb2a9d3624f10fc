"""Write the reference set: `development.parquet`, `test.parquet` and `blocks.json` beside this file.

PyBaMM is in the dependency group ``reference`` alone; from the folder `digital-twin`::

    uv run --group reference python -m tests.reference.generate

Half an hour on two cores. Nothing is random: sensor errors are added when the recordings are judged.
"""

import json
import os
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Final, NamedTuple

os.environ["PYBAMM_DISABLE_TELEMETRY"] = "true"

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pybamm

from tests.reference.blocks import BLOCKS, Block
from tests.reference.porous_electrode import Recording, Step, simulate
from tests.reference.profiles import PROFILES, Profile

FOLDER: Final = Path(__file__).parent
_CAPACITY_TEST: Final = (Step(0.5, None, 13.62), Step(20.0, -0.1, 10.8, every_s=30.0))


class Capacity(NamedTuple):
    """Charge (Ah) from float to 10.8 V at the 10 h rate and 25 degC, and the acid when full and when empty."""

    ah: float
    full_acid: float
    empty_acid: float


def main() -> None:
    """Simulate every block in every profile; a recording that is there already is simulated again."""
    pybamm.set_logging_level("ERROR")
    with ProcessPoolExecutor(int(os.environ.get("WORKERS", "2"))) as pool:
        capacities = dict(zip((block.name for block in BLOCKS), pool.map(measure_capacity, BLOCKS), strict=True))
        pairs = [(block, profile) for block in BLOCKS for profile in PROFILES if _is_recorded(block, profile)]
        tables = []
        for (block, profile), recording in zip(pairs, pool.map(_record, pairs), strict=True):
            tables.append((block.half, _table(block, profile, recording, capacities[block.name])))
            progress = f"{len(tables)}/{len(pairs)} {block.name} {profile.name}: {len(recording.time_s)} rows"
            print(progress, file=sys.stderr)  # noqa: T201  # a script's progress
    for half in ("development", "test"):
        table = pa.concat_tables([table for of_half, table in tables if of_half == half])
        pq.write_table(table, FOLDER / f"{half}.parquet", compression="zstd", compression_level=19)
    description = {
        block.name: {
            "half": block.half,
            "kind": block.kind,
            "rated_ah": block.design.rated_ah,
            "capacity_ah": round(capacities[block.name].ah, 3),
        }
        for block in BLOCKS
    }
    (FOLDER / "blocks.json").write_text(json.dumps(description, indent=2) + "\n")


def measure_capacity(block: Block) -> Capacity:
    """Discharge a block at the 10 h rate from float to 10.8 V at 25 degC."""
    recording = simulate(block.design, _CAPACITY_TEST, 25.0)
    delivered_ah = float(np.trapezoid(-recording.current_a, recording.time_s)) / 3600.0
    return Capacity(delivered_ah, float(recording.acid[0]), float(recording.acid[-1]))


def _is_recorded(block: Block, profile: Profile) -> bool:
    first = next(other for other in BLOCKS if other.half == block.half)
    return not profile.for_calibration or block == first


def _record(pair: tuple[Block, Profile]) -> Recording:
    block, profile = pair
    return simulate(block.design, profile.steps, profile.ambient_c)


def _table(block: Block, profile: Profile, recording: Recording, capacity: Capacity) -> pa.Table:
    soc = (recording.acid - capacity.empty_acid) / (capacity.full_acid - capacity.empty_acid)
    columns = {
        "block": pa.array([block.name] * len(soc)).dictionary_encode(),
        "profile": pa.array([profile.name] * len(soc)).dictionary_encode(),
        "time_s": np.round(recording.time_s, 1),
        "current_a": np.round(recording.current_a, 4),
        "voltage_v": np.round(recording.voltage_v, 5),
        "temperature_c": np.round(recording.temperature_c, 3),
        "soc": np.round(soc, 5),
    }
    return pa.table(
        {
            name: values if isinstance(values, pa.Array) else pa.array(values.astype(np.float32))
            for name, values in columns.items()
        }
    )


if __name__ == "__main__":
    main()
