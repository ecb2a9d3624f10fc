"""Phases: made again on their own, whole or not there, and right against the world that they are derived from."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from battery_synth.block.charger import set_point_v
from battery_synth.cli import app
from battery_synth.datasets import fleets
from battery_synth.datasets.maker import make_dataset
from battery_synth.outside.habits import Habits
from battery_synth.outside.locations import LOCATIONS
from battery_synth.phases import folder as folders
from battery_synth.phases.registry import PHASES
from battery_synth.realism.tables import instants_us, numbers
from battery_synth.storage.files import TableFile


def nothing(_done: int, _total: int) -> None:
    """Tell nobody."""


TESTED = next(each.code for each in LOCATIONS if Habits.of(1, each.code).testing == "full")


@pytest.fixture(scope="module")
def readings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("phases") / "fleet"
    spec = fleets.fleet(1, start=date(2025, 1, 20), days=20, every_s=1800.0, detail=True, locations=["DC-HDY-01"])
    make_dataset(spec, folder, progress=nothing)
    for name in ("transactional", "calculated", "aggregates", "operations"):
        folders.run_phase(PHASES[name], folder)
    return folder


@pytest.fixture(scope="module")
def lives(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("phases") / "training"
    spec = fleets.training(1, strings_per_location=3, years=8, start=date(2013, 1, 1), locations=[TESTED])
    make_dataset(spec, folder, progress=nothing)
    for name in ("transactional", "operations"):
        folders.run_phase(PHASES[name], folder)
    return folder


def table(folder: Path, name: str) -> Any:
    return pq.read_table(folder / name, partitioning=None)


def test_discharges_carry_what_was_drawn(readings: Path) -> None:
    events = table(readings, "transactional/discharge_event").to_pylist()
    assert len(events) >= 9
    for event in events:
        assert event["end"] > event["start"]
        drawn_ah = -event["mean_current_a"] * event["seconds"] / 3600.0
        assert event["discharged_ah"] == pytest.approx(drawn_ah, rel=0.35, abs=0.02)
        assert event["lowest_battery_id"][4:-4] == event["string_id"]
        # A weak block is driven into reversal before its string reaches the cut-off.
        assert -6.0 < event["lowest_voltage_v"] < 13.9


def test_capacity_tests_measure_the_capacity_that_is_there(lives: Path) -> None:
    tests = table(lives, "transactional/capacity_test").to_pylist()
    assert len(tests) >= 6
    truth = table(lives, "truth/daily")
    at, health = instants_us(truth), numbers(truth, "health")
    owner = np.array([name[4:-4] for name in truth["battery_id"].to_pylist()])
    errors = []
    for test in tests:
        day = int(test["time"].timestamp() * 1e6) // 86_400_000_000 * 86_400_000_000
        here = health[(owner == test["string_id"]) & (at == day)]
        # A string ends when its sum does: near the mean of its blocks, no better than a little above.
        errors.append(test["capacity_pct"] / 100.0 - here.mean())
        assert test["passed"] is (test["capacity_pct"] >= 80.0)
    assert np.abs(np.median(errors)) < 0.06


def test_calculated_rows_match_their_definitions(readings: Path) -> None:
    raw, made = table(readings, "telemetry"), table(readings, "calculated")
    assert len(raw) == len(made)
    rise, deviation = numbers(made, "temperature_rise_k"), numbers(made, "voltage_deviation_v")
    assert -3.0 < np.nanmedian(rise) < 5.0
    assert abs(np.nanmean(deviation)) < 1e-3
    measured = pc.is_valid(made["resistance_25c_mohm"])
    assert pc.equal(measured, pc.and_(pc.is_valid(raw["internal_resistance_mohm"]), pc.is_valid(raw["temperature_c"])))
    growth = numbers(made, "resistance_growth_pct")
    assert -20.0 < np.nanmedian(growth) < 20.0
    assert abs(np.nanmedian(numbers(made, "set_point_deviation_v"))) < 0.02
    assert set_point_v(1.0, 25.0, 0.0) == 2.275


def test_aggregates_keep_extremes_and_count_every_reading(readings: Path) -> None:
    raw = table(readings, "telemetry")
    for name in ("hourly", "daily"):
        made = table(readings, f"aggregates/{name}")
        assert pc.sum(made["readings"]).as_py() == len(raw)
        assert pc.min(made["voltage_v_min"]).as_py() == pc.min(raw["voltage_v"]).as_py()
        assert pc.max(made["voltage_v_max"]).as_py() == pc.max(raw["voltage_v"]).as_py()


def test_a_phase_can_be_made_again_and_gives_the_same(readings: Path) -> None:
    before = json.loads((readings / "phases" / "aggregates.json").read_text())
    result = CliRunner().invoke(app, ["aggregates", "--data", str(readings)])
    assert result.exit_code == 0, result.output
    assert json.loads((readings / "phases" / "aggregates.json").read_text()) == before


def test_an_interrupted_phase_is_not_taken_for_a_whole_one(lives: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(TableFile, "finish", fail)
    result = CliRunner().invoke(app, ["operations", "--data", str(lives)])
    assert result.exit_code == 2
    assert "No space" in result.stderr
    assert not (lives / "phases" / "operations.json").exists()
    assert not list(lives.rglob("*.part"))
    monkeypatch.undo()
    assert CliRunner().invoke(app, ["operations", "--data", str(lives)]).exit_code == 0


def test_a_phase_without_its_tables_and_a_folder_without_a_set_are_refused(lives: Path, tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["calculated", "--data", str(lives)])
    assert result.exit_code == 2
    assert "has no telemetry" in result.stderr
    result = CliRunner().invoke(app, ["operations", "--data", str(tmp_path)])
    assert result.exit_code == 2
    assert "no complete dataset" in result.stderr
