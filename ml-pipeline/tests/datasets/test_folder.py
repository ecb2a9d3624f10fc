"""Opening and reading dataset folders, and the failures that are refused."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from battery_contracts.fleet import BATTERY_MODELS
from battery_contracts.ml import DAILY_COLUMNS
from battery_ml.datasets.folder import DatasetRefused, LifeDataset
from tests.support.tiny_dataset import BATTERIES, DAYS, FIRST_DAY, LOCATIONS, STRINGS, write_dataset


@pytest.fixture(scope="module")
def lives(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_dataset(tmp_path_factory.mktemp("folder") / "lives", seed=5)


def change_manifest(folder: Path, change: Callable[[dict[str, Any]], None]) -> None:
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text())
    change(manifest)
    path.write_text(json.dumps(manifest))


def small_folder(folder: Path, *, model: str = "CSB-HX12-120", baseline: str = "3.5") -> Path:
    (folder / "master").mkdir(parents=True)
    header = "location_id,string_id,battery_id,model_id,baseline_resistance_mohm\n"
    rows = f"L,S,B2,CSB-HX12-120,4.5\nL,S,B1,{model},{baseline}\n"
    (folder / "master" / "fleet.csv").write_text(header + rows)
    manifest = {
        "kind": "training",
        "end": "2026-01-02T03:04:05+00:00",
        "file_format": "parquet",
        "rows": {"telemetry_daily": 1, "truth/lives": 1},
        "files": [],
    }
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder


def test_the_catalogue_is_ordered_by_battery_with_its_nameplate(tmp_path: Path) -> None:
    data = LifeDataset.open(small_folder(tmp_path))
    assert data.battery_ids == ("B1", "B2")
    np.testing.assert_array_equal(data.baseline_mohm, [3.5, 4.5])
    model = BATTERY_MODELS["CSB-HX12-120"]
    np.testing.assert_array_equal(data.rated_ah, [model.rated_capacity_ah] * 2)
    np.testing.assert_array_equal(data.design_life_years, [model.design_life_years] * 2)
    # 20,455 days lie between 1970 and 2026: 56 years with 14 leap days.
    assert data.end_us == ((56 * 365 + 14 + 1) * 86_400 + 3 * 3600 + 4 * 60 + 5) * 1_000_000


def test_a_baseline_that_was_not_measured_is_missing(tmp_path: Path) -> None:
    data = LifeDataset.open(small_folder(tmp_path, baseline=""))
    assert np.isnan(data.baseline_mohm).tolist() == [True, False]


def test_an_unknown_battery_model_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(DatasetRefused, match="ACME-1"):
        LifeDataset.open(small_folder(tmp_path, model="ACME-1"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"rows": {"telemetry_daily": 0, "truth/lives": 9}, "kind": "fleet"}, "holds a fleet set"),
        ({"rows": {"telemetry_daily": 9}}, "battery-synth training"),
        ({"rows": {}}, "battery-synth training"),
        ({"file_format": "csv"}, "Parquet is needed"),
    ],
)
def test_a_manifest_of_another_set_is_refused(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    folder = small_folder(tmp_path)
    change_manifest(folder, lambda manifest: manifest.update(change))
    with pytest.raises(DatasetRefused, match=message):
        LifeDataset.open(folder)


@pytest.mark.parametrize("absent", ["manifest.json", "master/fleet.csv"])
def test_an_incomplete_folder_is_refused(tmp_path: Path, absent: str) -> None:
    folder = small_folder(tmp_path)
    (folder / absent).unlink()
    with pytest.raises(DatasetRefused, match="no complete dataset"):
        LifeDataset.open(folder)


def test_a_manifest_that_is_not_json_is_refused(tmp_path: Path) -> None:
    folder = small_folder(tmp_path)
    (folder / "manifest.json").write_text("{")
    with pytest.raises(DatasetRefused, match="no complete dataset"):
        LifeDataset.open(folder)


def test_the_digest_follows_the_manifest_and_not_its_layout(tmp_path: Path) -> None:
    folder = small_folder(tmp_path)
    before = LifeDataset.open(folder).sha256
    path = folder / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()), indent=4, sort_keys=True))
    assert LifeDataset.open(folder).sha256 == before
    change_manifest(folder, lambda manifest: manifest.update(seed=99))
    assert LifeDataset.open(folder).sha256 != before


def test_parts_are_named_by_location(lives: Path) -> None:
    data = LifeDataset.open(lives)
    assert data.part_names() == [f"{location}-00" for location in LOCATIONS]
    assert data.part_names([LOCATIONS[1]]) == [f"{LOCATIONS[1]}-00"]
    assert data.part_names(["elsewhere"]) == []


def test_a_part_holds_the_values_of_its_file(lives: Path) -> None:
    data = LifeDataset.open(lives)
    part = data.part(f"{LOCATIONS[1]}-00")
    assert part.generation.shape == (STRINGS * BATTERIES, DAYS)
    assert part.first_day == FIRST_DAY
    assert {data.location_ids[slot] for slot in part.battery_slot} == {LOCATIONS[1]}
    rows = pq.read_table(lives / "telemetry_daily" / f"{LOCATIONS[1]}-00.parquet").to_pydict()
    row_of = {data.battery_ids[slot]: row for row, slot in enumerate(part.battery_slot)}
    for index in range(0, len(rows["battery_id"]), 7_919):
        row, day = row_of[rows["battery_id"][index]], (rows["time"][index].timestamp() / 86_400) - FIRST_DAY
        for name in DAILY_COLUMNS:
            np.testing.assert_equal(part.days[name][row, int(day)], np.float32(rows[name][index]))


def test_two_files_of_a_part_are_joined_and_a_missing_day_stays_missing(tmp_path: Path) -> None:
    folder = write_dataset(tmp_path / "lives", seed=5)
    data = LifeDataset.open(folder)
    whole = data.part(f"{LOCATIONS[0]}-00")
    path = folder / "telemetry_daily" / f"{LOCATIONS[0]}-00.parquet"
    rows = pq.read_table(path)
    day = rows["time"].cast("int64").to_numpy() // 86_400_000_000 - FIRST_DAY
    months = []
    # Day 700 is in neither file.
    for month, chosen in (("2011-01", day < 700), ("2011-02", day > 700)):
        (folder / "telemetry_daily" / month).mkdir()
        target = Path("telemetry_daily") / month / path.name
        pq.write_table(rows.filter(chosen), folder / target)
        months.append({"table": "telemetry_daily", "location_id": LOCATIONS[0], "path": str(target)})
    change_manifest(folder, lambda manifest: manifest.update(files=months))
    part = LifeDataset.open(folder).part(f"{LOCATIONS[0]}-00")
    is_known = np.arange(DAYS) != 700
    assert (part.generation[:, 700] == -1).all()
    for name in DAILY_COLUMNS:
        assert np.isnan(part.days[name][:, 700]).all()
        np.testing.assert_array_equal(part.days[name][:, is_known], whole.days[name][:, is_known])
