import csv
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from battery_synth.catalogue import DEFAULT_SEED
from battery_synth.cli import app
from battery_synth.datasets.characterisation import BenchRun, characterise

DAY = date(2025, 5, 10)


@pytest.fixture(scope="module")
def runs() -> tuple[BenchRun, BenchRun]:
    return characterise(DEFAULT_SEED, DAY)


def delivered_ah(run: BenchRun) -> float:
    return float(np.trapezoid(-run.current_a, run.time_s)) / 3600.0


def test_both_discharges_go_from_a_rested_block_to_its_cut_off(runs: tuple[BenchRun, BenchRun]) -> None:
    for run, cut_off_v in zip(runs, (10.8, 10.5), strict=True):
        assert np.abs(run.current_a[:150]).max() < 1.0
        # The surface charge of float is still there.
        assert 12.5 < run.voltage_v[150] < 13.7
        assert run.voltage_v[-1] < cut_off_v
        assert (run.voltage_v[:-1] >= cut_off_v).all()
        assert (np.diff(run.time_s) == 10.0).all()


def test_a_new_block_delivers_about_its_rating_slowly_and_less_of_it_fast(runs: tuple[BenchRun, BenchRun]) -> None:
    slow, fast = (delivered_ah(run) for run in runs)
    assert 0.85 < slow / 120.0 < 1.15
    assert 0.4 < fast / slow < 0.9


def test_the_slow_one_rests_and_pulses_so_that_resistance_shows(runs: tuple[BenchRun, BenchRun]) -> None:
    slow = runs[0]
    steps = np.abs(np.diff(slow.current_a)) > 5.0
    assert steps.sum() >= 10
    assert slow.current_a.min() < -55.0


def test_the_command_writes_the_recordings(tmp_path: Path, runs: tuple[BenchRun, BenchRun]) -> None:
    done = CliRunner().invoke(app, ["characterise", "--out", str(tmp_path / "bench"), "--as-of", DAY.isoformat()])
    assert done.exit_code == 0, done.output
    for run in runs:
        with (tmp_path / "bench" / f"{run.name}.csv").open() as file:
            rows = list(csv.DictReader(file))
        assert list(rows[0]) == ["time_s", "current_a", "voltage_v", "temperature_c"]
        assert [float(row["voltage_v"]) for row in rows] == pytest.approx(run.voltage_v.tolist(), abs=6e-4)


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = CliRunner().invoke(app, ["characterise", "--out", str(tmp_path / "file" / "bench")])
    assert done.exit_code == 2
    assert "cannot write" in done.output
