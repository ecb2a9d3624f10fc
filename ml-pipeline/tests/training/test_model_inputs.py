"""Written features against what training takes of the same days, and labels that stay in the truth."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from battery_ml.cli import app
from battery_ml.datasets.folder import DatasetRefused, LifeDataset, Part
from battery_ml.datasets.lives import read_lives
from battery_ml.features.definition import FEATURES
from battery_ml.features.history import TRUTH_COLUMNS
from battery_ml.training.model_inputs import LABELS, write_model_inputs
from battery_ml.training.sets import TrainingSet, prepare
from tests.support.tiny_dataset import DAY_US, LOCATIONS, write_dataset

SEED = 3


def nothing(_share: float, _step: str) -> None:
    """Report to nobody."""


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> LifeDataset:
    return LifeDataset.open(write_dataset(tmp_path_factory.mktemp("inputs") / "lives", seed=6))


@pytest.fixture(scope="module")
def out(data: LifeDataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("inputs") / "out"
    write_model_inputs(data, FEATURES, folder, SEED, nothing)
    return folder


@pytest.fixture(scope="module")
def trained_on(data: LifeDataset) -> TrainingSet:
    return prepare([data], FEATURES, seed=SEED)


def table(folder: Path) -> Any:
    paths = sorted(folder.glob("*.parquet"))
    return pa.concat_tables([pq.read_table(path) for path in paths]).unify_dictionaries()


def column(rows: Any, name: str) -> Any:
    return rows[name].to_numpy(zero_copy_only=False)


def test_written_features_are_those_that_training_takes(out: Path, trained_on: TrainingSet) -> None:
    rows, taken = table(out / "features"), trained_on.snapshots
    assert rows.column_names == ["time", "battery_id", "generation", *FEATURES.names]
    assert len(rows) == len(taken) > 1000
    for number, name in enumerate(FEATURES.names):
        np.testing.assert_array_equal(column(rows, name).astype(np.float32), taken.features[:, number])
    np.testing.assert_array_equal(rows["time"].cast("int64").to_numpy() // DAY_US - 1, taken.day)
    np.testing.assert_array_equal(column(rows, "generation"), taken.generation)


def test_what_was_not_measured_is_null(out: Path, trained_on: TrainingSet) -> None:
    rows = table(out / "features")
    unknown = np.isnan(trained_on.snapshots.features).sum(axis=0)
    assert unknown.any()
    assert [rows[name].null_count for name in FEATURES.names] == unknown.tolist()
    assert not any(np.isnan(rows[name].drop_null().to_numpy()).any() for name in FEATURES.names)


def test_labels_lead_to_the_ends_of_the_lives_and_stay_in_the_truth(data: LifeDataset, out: Path) -> None:
    features, labels = table(out / "features"), table(data.folder / LABELS)
    assert not {*TRUTH_COLUMNS, "follow_up_days", "failed"} & set(features.column_names)
    assert not [path for path in out.rglob("*") if "label" in path.name]
    for name in ("time", "battery_id", "generation"):
        assert features[name].equals(labels[name])
    lives = read_lives(data)
    ends = {
        (data.battery_ids[slot], generation): (until_us, has_failed)
        for slot, generation, until_us, has_failed in zip(
            lives.battery_slot, lives.generation.tolist(), lives.until_us, lives.has_failed, strict=True
        )
    }
    for row in labels.to_pylist():
        until_us, has_failed = ends[row["battery_id"], row["generation"]]
        end_us = row["time"].timestamp() * 1e6 + row["days_to_end"] * DAY_US
        assert end_us == pytest.approx(until_us, abs=1e3)
        assert row["is_censored"] is not bool(has_failed)


def test_a_part_is_written_before_the_next_one_is_read(
    data: LifeDataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, on_disk = LifeDataset.part, []

    def part(dataset: LifeDataset, name: str) -> Part:
        on_disk.append(len(list((tmp_path / "features").glob("*.parquet"))))
        return whole(dataset, name)

    monkeypatch.setattr(LifeDataset, "part", part)
    write_model_inputs(data, FEATURES, tmp_path, SEED, nothing)
    assert on_disk == list(range(len(LOCATIONS)))


def test_an_interrupted_run_leaves_no_record_and_the_next_one_is_whole(
    data: LifeDataset, out: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_model_inputs(data, FEATURES, tmp_path, SEED, nothing)
    written = pq.write_table

    def full(rows: Any, path: Path, **options: Any) -> None:
        if LOCATIONS[1] in path.name:
            raise OSError(28, "No space left on device")
        written(rows, path, **options)

    arguments = ["features", "--data", str(data.folder), "--out", str(tmp_path), "--seed", str(SEED)]
    monkeypatch.setattr(pq, "write_table", full)
    refused = CliRunner().invoke(app, arguments)
    assert refused.exit_code == 2
    assert "No space" in refused.output
    assert not (tmp_path / "features.json").exists()
    monkeypatch.undo()
    again = CliRunner().invoke(app, arguments)
    assert again.exit_code == 0, again.output
    assert json.loads((tmp_path / "features.json").read_text()) == json.loads((out / "features.json").read_text())
    assert table(tmp_path / "features").equals(table(out / "features"))
    assert json.loads(again.output.splitlines()[-1])["features"] == len(FEATURES.names)


def test_a_dataset_without_failures_or_too_short_for_a_snapshot_is_refused(
    tmp_path: Path, data: LifeDataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    immortal = LifeDataset.open(write_dataset(tmp_path / "lives", seed=1, failures=False))
    with pytest.raises(DatasetRefused, match="no battery failed"):
        write_model_inputs(immortal, FEATURES, tmp_path / "out", SEED, nothing)
    monkeypatch.setattr("battery_ml.training.sets.SNAPSHOTS_EVERY_DAYS", 2000)
    with pytest.raises(DatasetRefused, match="1500 days, and a snapshot is taken every 2000"):
        write_model_inputs(data, FEATURES, tmp_path / "out", SEED, nothing)
    assert not (tmp_path / "out" / "features.json").exists()
