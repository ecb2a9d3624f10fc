import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from battery_contracts.fleet import FleetRow
from battery_synth.catalogue import write_catalogue_csv
from battery_synth.cli import app
from battery_synth.engine.plant import Plant
from battery_synth.history import write_history
from battery_synth.outside.grid import DischargeSpan
from battery_synth.world import World

SEED = 4711
START = datetime(2026, 2, 10, tzinfo=UTC)
END = START + timedelta(days=3, minutes=20)


def _write(fleet: Sequence[FleetRow], folder: Path, *, start: datetime = START, end: datetime = END) -> dict[str, Any]:
    return write_history(
        fleet,
        folder / "out",
        seed=SEED,
        start=start,
        end=end,
        checkpoint=folder / "checkpoint",
        progress=lambda _done, _total: None,
    )


@pytest.fixture(scope="module")
def written(one_location: Sequence[FleetRow], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("history")
    _write(one_location, folder)
    return folder


def test_manifest_names_every_file_with_its_rows_and_digest(written: Path) -> None:
    manifest = json.loads((written / "out" / "manifest.json").read_text())
    assert (manifest["start"], manifest["end"]) == (START.isoformat(), END.isoformat())
    assert {entry["table"] for entry in manifest["files"]} == {"telemetry", "string_telemetry", "site_environment"}
    for entry in manifest["files"]:
        content = (written / "out" / entry["path"]).read_bytes()
        assert hashlib.sha256(content).hexdigest() == entry["sha256"]
        assert pq.read_metadata(written / "out" / entry["path"]).num_rows == entry["rows"]
    named = {str(Path(entry["path"])) for entry in manifest["files"]} | {"manifest.json"}
    found = {str(file.relative_to(written / "out")) for file in (written / "out").rglob("*") if file.is_file()}
    assert found == named


def test_every_battery_has_a_row_an_hour_and_one_resistance_a_day(
    written: Path, one_location: Sequence[FleetRow]
) -> None:
    rows = pq.read_table(written / "out" / "telemetry" / "DC-CNX-01.parquet")
    ids = np.array(rows["battery_id"].to_pylist())
    assert set(ids) == {row.battery_id for row in one_location}
    times = rows["time"].to_numpy().astype("datetime64[us]").astype(np.int64)
    own = ids == one_location[0].battery_id
    hours = times[own] // 3_600_000_000
    assert set(np.diff(np.unique(hours))) == {1}
    assert len(np.unique(hours)) == 73
    assert len(np.unique(times[own])) == own.sum()
    assert times.max() < END.timestamp() * 1e6
    measured = rows["internal_resistance_mohm"].to_numpy()[own]
    assert np.isfinite(measured).sum() in {3, 4}


def test_discharges_are_seen_closely_even_on_the_full_hour(
    one_location: Sequence[FleetRow], tmp_path: Path, plan_grid: Any
) -> None:
    begins = START + timedelta(hours=2)
    ends, back = begins + timedelta(seconds=20), begins + timedelta(minutes=30)
    plan_grid([DischargeSpan(begins.timestamp(), ends.timestamp(), back.timestamp(), "outage")])
    _write(one_location, tmp_path, end=START + timedelta(hours=6))
    rows = pq.read_table(tmp_path / "out" / "string_telemetry" / "DC-CNX-01.parquet").to_pylist()
    one = [row for row in rows if row["string_id"] == "DC-CNX-01-UPS-01-STR-01"]
    working = [row for row in one if row["mode"] == "discharge"]
    assert len(working) == 10
    assert all(row["current_a"] < -50 for row in working)
    recovering = [row for row in one if begins + timedelta(seconds=20) <= row["time"] < begins + timedelta(hours=2)]
    # Looks go on across the next full hour.
    assert len([row for row in recovering if row["time"] > begins + timedelta(hours=1)]) >= 5
    assert recovering[0]["mode"] == "recharge"
    location = pq.read_table(tmp_path / "out" / "site_environment" / "DC-CNX-01.parquet").to_pylist()
    assert {row["mains"] for row in location if begins <= row["time"] < begins + timedelta(minutes=30)} == {False}


def test_same_seed_gives_the_same_bytes(one_location: Sequence[FleetRow], tmp_path: Path, written: Path) -> None:
    _write(one_location, tmp_path)
    for file in sorted((written / "out").rglob("*.*")):
        assert file.read_bytes() == (tmp_path / "out" / file.relative_to(written / "out")).read_bytes()
    assert (written / "checkpoint").read_bytes() == (tmp_path / "checkpoint").read_bytes()


def test_checkpoint_stands_at_the_end(written: Path, one_location: Sequence[FleetRow]) -> None:
    world = World.load((written / "checkpoint").read_bytes(), one_location)
    assert world.time == END
    straight = World.create(one_location, seed=SEED, start=START)
    straight.advance(END)
    one, other = world.observe(world.string_ids), straight.observe(world.string_ids)
    # Looking more often cuts the steps elsewhere; what comes out is the same within the sensors' noise.
    assert one.voltage_v == pytest.approx(other.voltage_v, abs=0.01)
    assert one.temperature_c == pytest.approx(other.temperature_c, abs=0.2)


@pytest.mark.parametrize("end", [datetime(2026, 5, 20, 17, tzinfo=UTC), datetime(2026, 12, 3, 9, 30, tzinfo=UTC)])
def test_every_location_has_deep_tests(fleet: Sequence[FleetRow], tmp_path: Path, end: datetime) -> None:
    locations = ("DC-CNX-01", "DC-HDY-01")
    rows = [row for row in fleet if row.location_id in locations]
    _write(rows, tmp_path, start=end - timedelta(days=20), end=end)
    for location in locations:
        depths_pct = _tested_depths_pct(tmp_path / "out" / "string_telemetry" / f"{location}.parquet")
        # The yearly test of a string takes 12 minutes, or 12 %.
        deep = {string: depth_pct for string, depth_pct in depths_pct.items() if depth_pct > 20}
        assert len(deep) == 3
        assert 50 < min(deep.values()) < max(deep.values()) < 100


def test_short_histories_have_no_deep_test(written: Path) -> None:
    depths_pct = _tested_depths_pct(written / "out" / "string_telemetry" / "DC-CNX-01.parquet")
    assert max(depths_pct.values(), default=0.0) < 20


def _tested_depths_pct(file: Path) -> dict[str, float]:
    """Return the charge that each string gave in tests, over 120 Ah; a sample holds for a minute at most."""
    drawn_ah: dict[str, float] = {}
    last: dict[str, tuple[datetime, float]] = {}
    for row in sorted(pq.read_table(file).to_pylist(), key=lambda row: row["time"]):
        before_at, before_a = last.get(row["string_id"], (row["time"], 0.0))
        held_s = min((row["time"] - before_at).total_seconds(), 60.0)
        drawn_ah[row["string_id"]] = drawn_ah.get(row["string_id"], 0.0) + before_a * held_s / 3600
        last[row["string_id"]] = (row["time"], -row["current_a"] if row["mode"] == "test" else 0.0)
    return {string: 100.0 * charge_ah / 120.0 for string, charge_ah in drawn_ah.items()}


def test_failure_on_the_way_leaves_no_half_history(
    one_location: Sequence[FleetRow], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _write(one_location, tmp_path, end=START + timedelta(hours=2))

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Plant, "run", fail)
    with pytest.raises(OSError, match="space"):
        _write(one_location, tmp_path)
    assert not (tmp_path / "out" / "manifest.json").exists()
    assert not list(tmp_path.rglob("*.part"))


# -- command --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def fleet_csv(one_location: Sequence[FleetRow], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("fleet") / "fleet.csv"
    write_catalogue_csv(one_location, path)
    return path


def _history(fleet_csv: Path, folder: Path, *more: str) -> Any:
    arguments = ["history", "--fleet", str(fleet_csv), "--out", str(folder / "out")]
    arguments += ["--checkpoint", str(folder / "c"), "--end", "2026-02-10T00:00:00Z", *more]
    return CliRunner().invoke(app, arguments)


def test_command_reports_progress_as_json_lines(fleet_csv: Path, tmp_path: Path) -> None:
    result = _history(fleet_csv, tmp_path, "--days", "2", "--progress-json")
    assert result.exit_code == 0
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert lines[-1] == {"phase": "generate", "done": 2, "total": 2}
    assert (tmp_path / "c").exists()


@pytest.mark.parametrize("days", ["-1", "0", "100000", "nan"])
def test_command_refuses_impossible_days(fleet_csv: Path, tmp_path: Path, days: str) -> None:
    result = _history(fleet_csv, tmp_path, "--days", days)
    assert result.exit_code == 2
    assert "--days" in result.stderr
    assert not list(tmp_path.iterdir())


def test_command_refuses_an_unwritable_folder(fleet_csv: Path, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    result = _history(fleet_csv, blocked, "--days", "1")
    assert result.exit_code == 2
    assert "cannot write" in result.stderr
    assert blocked.read_text() == "not a folder"
    catalogue = CliRunner().invoke(app, ["catalogue", "--out", str(blocked / "fleet.csv")])
    assert catalogue.exit_code == 2
    assert "cannot write" in catalogue.stderr


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [("DC-CNX-01", "DC-ZZZ-01", "DC-ZZZ-01"), (",24,", ",23,", "position"), ("location_id", "place", "location_id")],
)
def test_command_refuses_a_broken_fleet(fleet_csv: Path, tmp_path: Path, old: str, new: str, message: str) -> None:
    broken = tmp_path / "broken.csv"
    broken.write_text(fleet_csv.read_text().replace(old, new))
    result = _history(broken, tmp_path, "--days", "1")
    assert result.exit_code == 2
    assert message in result.stderr
    assert not list(tmp_path.rglob("*.p*"))


def test_installed_command_writes_the_whole_catalogue(tmp_path: Path) -> None:
    command = [str(Path(sys.executable).parent / "battery-synth"), "catalogue", "--out", str(tmp_path / "fleet.csv")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=dict(os.environ))
    assert done.returncode == 0, done.stderr
    assert "1,944" in done.stdout
    assert len((tmp_path / "fleet.csv").read_text().splitlines()) == 1945
