"""Training and judging from end to end on a small world, through the command line."""

import json
from pathlib import Path

import numpy as np
import pytest
from tiny_world import write_world
from typer.testing import CliRunner

from battery_ml.cli import app
from battery_ml.datasets.folder import Dataset, Part
from battery_ml.datasets.snapshots import take_snapshots
from battery_ml.features.definition import FEATURES
from battery_ml.registry.store import Registry
from battery_ml.training.split import Role, roles_of_batteries


def run(*arguments: object) -> tuple[int, str, str]:
    done = CliRunner().invoke(app, [str(argument) for argument in arguments])
    return done.exit_code, done.stdout, done.stderr


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    folder = tmp_path_factory.mktemp("trained")
    write_world(folder / "world", seed=1)
    code, out, err = run("train", "--dataset", folder / "world", "--trees", 150, "--registry", folder / "models")
    assert code == 0, err
    lines = [json.loads(line) for line in out.splitlines()]
    shares = [line["progress"] for line in lines]
    assert shares == sorted(shares)
    return folder, lines[-1]["version"]


def test_a_model_beats_every_baseline_on_another_world(trained: tuple[Path, str], tmp_path: Path) -> None:
    folder, version = trained
    other = write_world(tmp_path / "other", seed=2)
    arguments = ["evaluate", "--dataset", other, "--version", version, "--registry", folder / "models"]
    code, out, err = run(*arguments, "--json")
    assert code == 0, err
    found = json.loads(out)
    assert found["model"]["mae_days"] < 0.7 * min(one["mae_days"] for one in found["baselines"].values())
    assert 0.6 < found["model"]["coverage_p10_p90"] < 0.97
    assert set(found["baselines"]) == {"fleet_median", "age_arrhenius", "resistance_trend"}
    assert {name: site["trained_on"] for name, site in found["sites"].items()} == {"DC-AAA-01": True, "DC-BBB-01": True}
    assert sum(part["snapshots"] for part in found["horizons"].values()) <= found["model"]["snapshots"]
    assert run(*arguments)[0] == 0


def test_a_version_is_not_judged_on_what_it_learnt_from(trained: tuple[Path, str]) -> None:
    folder, version = trained
    where = ["--version", version, "--registry", folder / "models"]
    code, _, err = run("evaluate", "--dataset", folder / "world", *where)
    assert (code, "learnt from" in err) == (2, True)


def test_a_held_out_location_teaches_nothing(trained: tuple[Path, str], tmp_path: Path) -> None:
    world = trained[0] / "world"
    options = ["--trees", 20, "--registry", tmp_path / "models"]
    code, out, err = run("train", "--dataset", world, "--hold-out", "DC-BBB-01", *options)
    assert code == 0, err
    manifest = Registry(str(tmp_path / "models")).manifest(json.loads(out.splitlines()[-1])["version"])
    assert manifest.locations == ["DC-AAA-01"]
    assert {"median_life_days", "mae_days", "baseline_age_arrhenius_mae_days"} <= set(manifest.metrics)
    code, _, err = run("train", "--dataset", world, "--hold-out", "DC-XXX-01", *options)
    assert (code, "DC-XXX-01" in err) == (2, True)


@pytest.mark.parametrize(
    ("change", "told"),
    [({"failures": False}, "no battery came to its end"), ({"lives": False}, "lives with their ends")],
)
def test_a_set_that_teaches_nothing_is_refused_and_nothing_published(
    tmp_path: Path, change: dict[str, bool], told: str
) -> None:
    world = write_world(tmp_path / "world", seed=3, **change)
    code, _, err = run("train", "--dataset", world, "--registry", tmp_path / "models")
    assert code == 2
    assert told in " ".join(err.split())
    assert Registry(str(tmp_path / "models")).versions() == []


def test_a_folder_without_a_dataset_is_refused(tmp_path: Path) -> None:
    code, _, err = run("train", "--dataset", tmp_path, "--registry", tmp_path / "models")
    assert (code, "no whole dataset" in " ".join(err.split())) == (2, True)


def test_no_string_has_two_roles(trained: tuple[Path, str]) -> None:
    data = Dataset.at(trained[0] / "world")
    roles = roles_of_batteries(data, frozenset(data.location_ids), seed=4)
    by_string = {string: set(roles[np.asarray(data.string_ids) == string].tolist()) for string in data.string_ids}
    assert all(len(found) == 1 for found in by_string.values())
    assert set(roles.tolist()) == {int(role) for role in Role}


def test_a_snapshot_knows_nothing_of_later_days(trained: tuple[Path, str], monkeypatch: pytest.MonkeyPatch) -> None:
    data = Dataset.at(trained[0] / "world")
    whole = take_snapshots(data, FEATURES, every_days=400)
    read = Dataset.part

    def spoilt(self: Dataset, name: str) -> Part:
        part = read(self, name)
        for values in part.days.values():
            values[:, 400:] = 1e6
        return part

    monkeypatch.setattr(Dataset, "part", spoilt)
    again = take_snapshots(data, FEATURES, every_days=400)
    first = whole.day == whole.day.min()
    np.testing.assert_array_equal(whole.features[first], again.features[first])
    assert not np.array_equal(whole.features[~first], again.features[~first], equal_nan=True)


def test_what_was_known_on_a_day_censors_what_came_after(trained: tuple[Path, str]) -> None:
    data = Dataset.at(trained[0] / "world")
    whole = take_snapshots(data, FEATURES, every_days=200)
    known = whole.seen_from(int(whole.day.min()) + 500)
    assert known.days_to_end.max() <= 499
    assert known.is_censored.sum() > whole.is_censored.sum()
    assert len(known) < len(whole)
