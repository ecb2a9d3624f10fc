"""Datasets: whole or not there, the same bytes whoever makes them, truth apart from what sensors say."""

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow.csv as pc
import pyarrow.dataset as pd
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from battery_synth.cli import app
from battery_synth.datasets import fleets, maker
from battery_synth.datasets.maker import make_dataset
from battery_synth.datasets.spec import DatasetSpec
from battery_synth.storage.files import write_atomically

LOCATIONS = ["DC-CNX-01", "DC-PKT-01"]


def nothing(_done: int, _total: int) -> None:
    """Tell nobody."""


def small_fleet(seed: int = 3) -> DatasetSpec:
    return fleets.fleet(seed, start=date(2025, 1, 20), days=25, every_s=3600.0, detail=True, locations=LOCATIONS)


def bytes_of(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def table(folder: Path, name: str) -> "pd.Dataset":
    return pd.dataset(folder / name, partitioning=None).to_table()


@pytest.fixture(scope="module")
def fleet_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("fleet") / "set"
    make_dataset(small_fleet(), folder, progress=nothing)
    return folder


def test_reference_has_every_reading_of_its_grid(tmp_path: Path) -> None:
    manifest = make_dataset(fleets.reference(1, start=date(2025, 1, 1), days=3), tmp_path / "r", progress=nothing)
    assert manifest["rows"]["telemetry"] == 3 * 1440 * 24
    rows = table(tmp_path / "r", "telemetry")
    times = rows["time"].to_numpy().astype("datetime64[s]").astype(np.int64).reshape(-1, 24)
    assert (np.diff(times[:, 0]) == 60).all()
    assert (times == times[:, :1]).all()
    assert rows["voltage_v"].null_count <= 0.02 * len(rows)
    assert 3 * 24 - 4 <= len(rows) - rows["internal_resistance_mohm"].null_count <= 3 * 24
    # 90 days of it are the promised 3,110,400.
    assert 90 * 1440 * 24 == 3_110_400


def test_manifest_names_every_file_with_its_digest(fleet_folder: Path) -> None:
    manifest = json.loads((fleet_folder / "manifest.json").read_text())
    found = bytes_of(fleet_folder)
    del found["manifest.json"]
    assert {line["path"]: line["sha256"] for line in manifest["files"]} == found
    for line in manifest["files"]:
        if not line["path"].endswith(".parquet"):
            continue
        assert pq.read_metadata(fleet_folder / line["path"]).num_rows == line["rows"]
    assert (manifest["seed"], manifest["batteries"], manifest["every_s"]) == (3, 432, 3600.0)
    assert {line["month"] for line in manifest["files"] if line["table"] != "master"} == {"2025-01", "2025-02"}


def test_truth_is_in_no_table_of_readings(fleet_folder: Path) -> None:
    for name in ("telemetry", "string_telemetry", "site_environment", "events/lives"):
        names = set(table(fleet_folder, name).column_names)
        assert not names & {"soc", "health", "capacity_ah", "resistance_25c_mohm", "mechanism", "failed"}
    assert "failed" not in set(table(fleet_folder, "events/lives")["kind"].to_pylist())
    assert {"health", "mechanism", "failed"} <= set(table(fleet_folder, "truth/daily").column_names)


def test_two_workers_make_the_bytes_of_one(fleet_folder: Path, tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    make_dataset(small_fleet(), tmp_path / "set", workers=2, progress=lambda *now: seen.append(now))
    assert bytes_of(tmp_path / "set") == bytes_of(fleet_folder)
    assert seen[-1] == (4, 4)


def test_another_seed_is_another_world(fleet_folder: Path, tmp_path: Path) -> None:
    spec = fleets.fleet(4, start=date(2025, 1, 20), days=2, every_s=3600.0, detail=True, locations=LOCATIONS[:1])
    make_dataset(spec, tmp_path / "set", progress=nothing)
    same = set(bytes_of(fleet_folder).values()) & set(bytes_of(tmp_path / "set").values())
    assert not same


def test_killed_run_goes_on_and_makes_the_same_bytes(fleet_folder: Path, tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path\n"
        "from tests.datasets.test_datasets import small_fleet, nothing\n"
        "from battery_synth.datasets.maker import make_dataset\n"
        "make_dataset(small_fleet(), Path(sys.argv[1]), progress=nothing)\n"
    )
    folder = tmp_path / "set"
    process = subprocess.Popen([sys.executable, "-c", script, str(folder)], cwd=Path(__file__).parents[2])
    deadline = time.monotonic() + 120
    while not list((folder / ".progress").glob("*.json")):
        assert process.poll() is None, "it ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not (folder / "manifest.json").exists()
    make_dataset(small_fleet(), folder, progress=nothing)
    assert bytes_of(folder) == bytes_of(fleet_folder)


def test_finished_months_are_not_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "set"

    def fail(path: Path, content: bytes) -> None:
        if path.name == "manifest.json":
            raise OSError(28, "No space left on device", str(path))
        write_atomically(path, content)

    monkeypatch.setattr(maker, "write_atomically", fail)
    with pytest.raises(OSError, match="space"):
        make_dataset(small_fleet(), folder, progress=nothing)
    monkeypatch.undo()
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*.parquet")}
    make_dataset(small_fleet(), folder, progress=nothing)
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*.parquet")} == before


def test_csv_has_the_rows_of_parquet(tmp_path: Path) -> None:
    spec = fleets.reference(1, start=date(2025, 1, 1), days=1)
    make_dataset(spec, tmp_path / "p", progress=nothing)
    make_dataset(replace(spec, file_format="csv"), tmp_path / "c", progress=nothing)
    (path,) = (tmp_path / "c" / "telemetry").rglob("*.csv")
    rows, whole = pc.read_csv(path), table(tmp_path / "p", "telemetry")
    assert rows.column_names == whole.column_names
    np.testing.assert_allclose(rows["voltage_v"].to_numpy(), whole["voltage_v"].to_numpy(), atol=1e-6)
    assert path.read_text().splitlines()[1].startswith('"2025-01-01T00:00:00.000000Z","BAT-DC-BKK-01')


def test_training_runs_batteries_to_their_end_and_keeps_censoring(tmp_path: Path) -> None:
    spec = fleets.training(2, strings_per_location=1, years=9, start=date(2013, 1, 1), locations=["DC-SRC-01"])
    make_dataset(spec, tmp_path / "t", progress=nothing)
    lives = table(tmp_path / "t", "truth/lives").to_pylist()
    failed = {(e["battery_id"], e["generation"]) for e in lives if e["kind"] == "failed"}
    removed = {(e["battery_id"], e["generation"]) for e in lives if e["kind"] == "removed"}
    installed = {(e["battery_id"], e["generation"]) for e in lives if e["kind"] == "installed"}
    assert removed <= failed <= installed
    assert len(failed) > 12
    # Those that were still good when it ended are censored, not failed.
    assert len(installed - failed) >= 5
    daily = table(tmp_path / "t", "telemetry_daily")
    assert len(daily) == 24 * round(365.25 * 9)
    assert (daily["discharge_count"].to_numpy().reshape(-1, 24).sum(axis=0) > 100).all()
    detail = table(tmp_path / "t", "discharge/telemetry")
    assert len(detail) > 24 * 1000
    assert (detail["current_a"].to_numpy() <= 0).all()


def test_days_of_discharges_add_up_to_what_was_drawn(tmp_path: Path) -> None:
    spec = fleets.training(2, strings_per_location=1, years=1, start=date(2013, 1, 1), locations=["DC-HDY-01"])
    make_dataset(spec, tmp_path / "t", progress=nothing)
    daily, detail = table(tmp_path / "t", "telemetry_daily"), table(tmp_path / "t", "discharge/string_telemetry")
    at = detail["time"].to_numpy().astype("datetime64[us]").astype(np.int64) / 1e6
    current = detail["current_a"].to_numpy()
    step = np.diff(at)
    drawn_ah = -(current[:-1] * np.where(step <= 120, step, 0)).sum() / 3600.0
    assert daily["discharge_ah"].to_numpy()[::24].sum() == pytest.approx(drawn_ah, rel=0.1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["fleet", "--location", "DC-ZZZ-01"], "unknown location DC-ZZZ-01"),
        (["fleet", "--days", "-1"], "--days"),
        (["fleet", "--days", "nan"], "--days"),
        (["fleet", "--every", "0"], "above 0"),
        (["fleet", "--every", "86401"], "at most a day"),
        (["fleet", "--every", "7"], "does not divide"),
        (["training", "--strings-per-site", "0"], "strings per location"),
        (["training", "--years", "-2"], "--years"),
        (["reference", "--string", "DC-BKK-01-UPS-09-STR-01"], "no string"),
        (["drill", "--scenario", "flood", "--location", "DC-CNX-01"], "no scenario"),
        (["fleet", "--days", "3000", "--every", "1"], "are free"),
    ],
)
def test_impossible_wishes_are_refused_in_one_line_and_leave_nothing(
    arguments: list[str], message: str, tmp_path: Path
) -> None:
    result = CliRunner().invoke(app, [*arguments, "--out", str(tmp_path / "set")])
    assert result.exit_code == 2
    assert message in result.stderr
    assert not list(tmp_path.rglob("*.parquet*"))


def test_folder_of_something_else_is_refused(fleet_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="another dataset"):
        make_dataset(small_fleet(seed=9), fleet_folder, progress=nothing)
    (tmp_path / "letters.txt").write_text("dear")
    with pytest.raises(ValueError, match="not empty"):
        make_dataset(small_fleet(), tmp_path, progress=nothing)
    assert (tmp_path / "letters.txt").read_text() == "dear"


def test_installed_command_reports_progress_as_json(tmp_path: Path) -> None:
    command = [str(Path(sys.executable).parent / "battery-synth"), "reference", "--days", "40"]
    command += ["--out", str(tmp_path / "r"), "--progress-json"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=dict(os.environ))
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    assert lines[-1] == {"phase": "generate", "done": 2, "total": 2}


def test_span_must_lie_within_the_climates_reach() -> None:
    with pytest.raises(ValueError, match="2011 to 2048"):
        fleets.fleet(1, start=date(2048, 12, 1), days=90, every_s=3600.0, detail=False)
    assert datetime(2025, 1, 1, tzinfo=UTC) + timedelta(days=90) == fleets.reference(1, start=date(2025, 1, 1)).end
