import csv
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from battery_twin.circuit.parameter_set import ParameterSet
from battery_twin.cli import app

RECORDINGS = Path(__file__).parent / "data" / "vrla_recording"
CYCLE_2, CYCLE_6 = (str(RECORDINGS / f"bboxx_A_cycle{cycle}.csv.gz") for cycle in (2, 6))


CELL = "".join(f"{60 * row},-12,{2.1 - row / 1000:.3f},25\n" for row in range(100))


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_calibrate_then_replay_then_validate(tmp_path: Path) -> None:
    parameters, estimates = tmp_path / "p.json", tmp_path / "estimates.csv"
    calibrated = run("calibrate", CYCLE_2, "--rated-ah", 17, "--out", parameters)
    assert calibrated.exit_code == 0, calibrated.output
    assert "ocv_v[soc=0.50]" in calibrated.output
    assert "not identifiable" in calibrated.output
    assert ParameterSet.from_json(parameters.read_text()).calibrated

    replayed = run("replay", CYCLE_6, "--parameters", parameters, "--initial-soc", 0.8, "--out", estimates)
    assert replayed.exit_code == 0, replayed.output
    rows = list(csv.DictReader(estimates.open()))
    assert list(rows[0]) == ["time_s", "soc", "soc_sd", "soh", "soh_sd", "voltage_pred"]
    assert len(rows) == 2368
    assert all(0 <= float(row["soc"]) <= 1 and float(row["soc_sd"]) > 0 for row in rows)

    assert run("validate", CYCLE_6, "--parameters", parameters).exit_code == 0


def test_replay_without_calibration_needs_only_the_rated_capacity(tmp_path: Path) -> None:
    result = run("replay", CYCLE_6, "--rated-ah", 17, "--out", tmp_path / "e.csv")
    assert result.exit_code == 0, result.output


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("time_s,current_a,voltage_v,temperature_c\n0,1,12,25\n1,x,12,25\n", "row 2, column current_a"),
        ("time_s,current_a,voltage_v,temperature_c\n0,-1,12,25\n1,-1,12,25\n", "too short"),
        (f"time_s,current_a,voltage_v,temperature_c\n{CELL}", "column voltage_v: run 1 is at 2.05 V"),
        ("time_s,current_a,voltage_v\n0,1,12\n", "column temperature_c"),
    ],
)
def test_bad_runs_are_refused_without_a_trace(tmp_path: Path, text: str, reason: str) -> None:
    path, out = tmp_path / "run.csv", tmp_path / "p.json"
    path.write_text(text)
    refused = run("calibrate", path, "--rated-ah", 120, "--out", out)
    assert refused.exit_code == 2
    assert reason in refused.output
    assert "Traceback" not in refused.output
    assert not out.exists()


def test_bad_parameters_are_refused(tmp_path: Path) -> None:
    (tmp_path / "p.json").write_text("{}")
    for options in (["--parameters", tmp_path / "p.json"], ["--parameters", tmp_path / "absent.json"], []):
        refused = run("replay", CYCLE_6, *options, "--out", tmp_path / "e.csv")
        assert refused.exit_code == 2
        assert "refused" in refused.output


def test_report_writes_tables_and_pictures(tmp_path: Path) -> None:
    result = run("report", CYCLE_2, CYCLE_6, "--rated-ah", 17, "--out", tmp_path)
    assert result.exit_code == 0, result.output
    assert {path.name for path in tmp_path.iterdir()} == {
        "accuracy.md",
        "real-recordings-soc.png",
        "real-recordings-voltage.png",
    }
    assert (tmp_path / "accuracy.md").read_text().count("data-sheet") == 4
    assert run("report", CYCLE_2, "--rated-ah", 17, "--out", tmp_path).exit_code == 2
