"""The inputs of the model as files: what training takes of a dataset, and apart from it, in the truth, the labels.

Other programs read here what the model reads; there is no second definition of a feature or of a label.
"""

import json
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from battery_ml.datasets.folder import DAY_US, LifeDataset
from battery_ml.datasets.snapshots import Snapshots, snapshots_by_part
from battery_ml.features.table import FeatureTable
from battery_ml.training.sets import ProgressCallback, training_plan

LABELS: Final = Path("truth") / "labels"
"""Folder of the labels in that of the dataset."""
_RECORD: Final = "features.json"


class ModelInputsWritten(NamedTuple):
    """What was written: rows of the features, as many of the labels, and the number of features."""

    rows: int
    features: int


def write_model_inputs(
    data: LifeDataset, table: FeatureTable, out: Path, seed: int, progress: ProgressCallback
) -> ModelInputsWritten:
    """Write the features of a dataset to ``out/features`` and their labels to its truth, a file per part each.

    A row is a battery at a midnight (``time``), as `training_plan` takes them; a feature that was not measured is null.
    Labels have the rows of the features in their order. One part at a time is in memory. The record,
    ``out/features.json``, is written last: without it the files are incomplete.

    Parameters
    ----------
    seed
        That of the training: it chooses the strings that are seen with a short history.

    Raises
    ------
    DatasetRefused
        No battery of the dataset failed, or the dataset is shorter than the interval of the snapshots.
    OSError
        A file cannot be written.
    """
    record, targets = out / _RECORD, (out / "features", data.folder / LABELS)
    record.unlink(missing_ok=True)
    for target in targets:
        target.mkdir(parents=True, exist_ok=True)
        for earlier in target.glob("*.parquet*"):
            earlier.unlink()
    parts, rows = data.part_names(), 0
    for done, (name, snapshots) in enumerate(snapshots_by_part(data, table, training_plan(seed)), start=1):
        keys = _keys(data, snapshots)
        for target, columns in zip(targets, (_features(snapshots, table), _labels(snapshots)), strict=True):
            _write(target / f"{name}.parquet", pa.table({**keys, **columns}))
        rows += len(snapshots)
        progress(done / len(parts), f"features, part {done} of {len(parts)}")
    content = {"of": data.sha256, "seed": seed, "rows": rows, "parts": parts, "features": table.names}
    staged = record.with_suffix(".json.part")
    staged.write_text(json.dumps(content, indent=2))
    staged.replace(record)
    return ModelInputsWritten(rows, len(table.names))


def _keys(data: LifeDataset, snapshots: Snapshots) -> dict[str, pa.Array]:
    slots, code = np.unique(snapshots.battery_slot, return_inverse=True)
    ids = pa.array([data.battery_ids[slot] for slot in slots.tolist()], pa.string())
    at_us = (snapshots.day + 1) * DAY_US
    return {
        "time": pa.array(at_us).cast(pa.timestamp("us", tz="UTC")),
        "battery_id": pa.DictionaryArray.from_arrays(code.reshape(-1).astype(np.int32), ids),
        "generation": pa.array(snapshots.generation.astype(np.int32)),
    }


def _features(snapshots: Snapshots, table: FeatureTable) -> dict[str, pa.Array]:
    values = snapshots.features
    return {
        name: pa.array(values[:, column], mask=np.isnan(values[:, column])) for column, name in enumerate(table.names)
    }


def _labels(snapshots: Snapshots) -> dict[str, pa.Array]:
    return {name: pa.array(getattr(snapshots, name)) for name in ("days_to_end", "is_censored", "follow_up_days")}


def _write(path: Path, rows: pa.Table) -> None:
    staged = path.with_suffix(".parquet.part")
    pq.write_table(rows, staged, compression="zstd")
    staged.replace(path)
