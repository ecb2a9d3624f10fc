"""Training and evaluation from end to end on a small dataset, through the command line."""

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from battery_ml.cli import app
from battery_ml.datasets.folder import LifeDataset, Part
from battery_ml.datasets.snapshots import SnapshotPlan, take_snapshots
from battery_ml.features.definition import FEATURES
from battery_ml.registry.store import Registry
from battery_ml.training.split import Split, splits_of_batteries
from tests.support.tiny_dataset import write_dataset


def run(*arguments: object) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    return result.exit_code, result.stdout, result.stderr


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    folder = tmp_path_factory.mktemp("trained")
    write_dataset(folder / "lives", seed=1)
    code, out, err = run("train", "--dataset", folder / "lives", "--trees", 150, "--registry", folder / "models")
    assert code == 0, err
    lines = [json.loads(line) for line in out.splitlines()]
    shares = [line["progress"] for line in lines]
    assert shares == sorted(shares)
    return folder, lines[-1]["version"]


def test_a_model_beats_every_baseline_on_another_dataset(trained: tuple[Path, str], tmp_path: Path) -> None:
    folder, version = trained
    other = write_dataset(tmp_path / "other", seed=2)
    arguments = ["evaluate", "--dataset", other, "--version", version, "--registry", folder / "models"]
    code, out, err = run(*arguments, "--json")
    assert code == 0, err
    report = json.loads(out)
    assert report["model"]["mae_days"] < 0.7 * min(one["mae_days"] for one in report["baselines"].values())
    assert 0.6 < report["model"]["coverage_p10_p90"] < 0.97
    assert set(report["baselines"]) == {"fleet_median", "life_minus_age", "age_arrhenius", "resistance_trend"}
    assert {name: score["trained_on"] for name, score in report["sites"].items()} == {
        "DC-AAA-01": True,
        "DC-BBB-01": True,
    }
    assert sum(part["snapshots"] for part in report["horizons"].values()) <= report["model"]["snapshots"]
    assert run(*arguments)[0] == 0


def test_a_version_is_not_evaluated_on_its_training_dataset(trained: tuple[Path, str]) -> None:
    folder, version = trained
    where = ["--version", version, "--registry", folder / "models"]
    code, _, err = run("evaluate", "--dataset", folder / "lives", *where)
    assert (code, "was trained on" in err) == (2, True)


def test_a_held_out_location_is_not_used(trained: tuple[Path, str], tmp_path: Path) -> None:
    lives = trained[0] / "lives"
    options = ["--trees", 20, "--registry", tmp_path / "models"]
    code, out, err = run("train", "--dataset", lives, "--hold-out", "DC-BBB-01", *options)
    assert code == 0, err
    manifest = Registry(str(tmp_path / "models")).manifest(json.loads(out.splitlines()[-1])["version"])
    assert manifest.locations == ["DC-AAA-01"]
    assert {"median_life_days", "mae_days", "baseline_age_arrhenius_mae_days"} <= set(manifest.metrics)
    code, _, err = run("train", "--dataset", lives, "--hold-out", "DC-ZZZ-01", *options)
    assert (code, "DC-ZZZ-01" in err) == (2, True)


@pytest.mark.parametrize(
    ("change", "message"),
    [({"failures": False}, "no battery failed"), ({"lives": False}, "lives with their ends")],
)
def test_a_dataset_without_failures_is_refused_and_nothing_published(
    tmp_path: Path, change: dict[str, bool], message: str
) -> None:
    lives = write_dataset(tmp_path / "lives", seed=3, **change)
    code, _, err = run("train", "--dataset", lives, "--registry", tmp_path / "models")
    assert code == 2
    assert message in " ".join(err.split())
    assert Registry(str(tmp_path / "models")).versions() == []


def test_a_folder_without_a_dataset_is_refused(tmp_path: Path) -> None:
    code, _, err = run("train", "--dataset", tmp_path, "--registry", tmp_path / "models")
    assert (code, "no complete dataset" in " ".join(err.split())) == (2, True)


def test_no_string_is_in_two_splits(trained: tuple[Path, str]) -> None:
    data = LifeDataset.open(trained[0] / "lives")
    splits = splits_of_batteries(data, frozenset(data.location_ids), seed=4)
    by_string = {string: set(splits[np.asarray(data.string_ids) == string].tolist()) for string in data.string_ids}
    assert all(len(members) == 1 for members in by_string.values())
    assert set(splits.tolist()) == {int(split) for split in Split}


def test_a_snapshot_does_not_depend_on_later_days(trained: tuple[Path, str], monkeypatch: pytest.MonkeyPatch) -> None:
    data = LifeDataset.open(trained[0] / "lives")
    whole = take_snapshots(data, FEATURES, SnapshotPlan(400))
    read = LifeDataset.part

    def with_changed_future(self: LifeDataset, name: str) -> Part:
        part = read(self, name)
        for values in part.days.values():
            values[:, 400:] = 1e6
        return part

    monkeypatch.setattr(LifeDataset, "part", with_changed_future)
    changed = take_snapshots(data, FEATURES, SnapshotPlan(400))
    first = whole.day == whole.day.min()
    np.testing.assert_array_equal(whole.features[first], changed.features[first])
    assert not np.array_equal(whole.features[~first], changed.features[~first], equal_nan=True)


def test_as_of_a_day_later_failures_are_censored(trained: tuple[Path, str]) -> None:
    data = LifeDataset.open(trained[0] / "lives")
    whole = take_snapshots(data, FEATURES, SnapshotPlan(200))
    known = whole.as_of(int(whole.day.min()) + 500)
    assert known.days_to_end.max() <= 499
    assert known.is_censored.sum() > whole.is_censored.sum()
    assert len(known) < len(whole)
