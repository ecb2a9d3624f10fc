"""The command line: progress for programs, and every refusal in one line with exit code 2 and nothing written."""

import json
from datetime import date
from pathlib import Path

import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner, Result

from battery_synth.catalogue import build_catalogue, read_catalogue_csv
from battery_synth.cli import app
from battery_synth.cli.terminal import progress, refusals


def invoke(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def refused(result: Result, reason: str) -> None:
    """Check that a command ends in one line with its reason."""
    assert result.exit_code == 2
    assert reason in result.stderr
    assert "Traceback" not in result.output


@pytest.fixture
def catalogue(tmp_path: Path) -> Path:
    path = tmp_path / "fleet.csv"
    assert invoke("catalogue", "--out", path, "--seed", 5, "--as-of", "2026-02-10").exit_code == 0
    return path


def test_the_catalogue_of_a_day_is_the_one_that_the_code_builds(catalogue: Path) -> None:
    assert read_catalogue_csv(catalogue) == build_catalogue(5, as_of=date(2026, 2, 10))


def test_a_catalogue_makes_its_folder_and_states_its_size(tmp_path: Path) -> None:
    result = invoke("catalogue", "--out", tmp_path / "new" / "fleet.csv", "--as-of", "2026-02-10")
    assert result.exit_code == 0
    assert "1,944 batteries" in result.stdout
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["fleet.csv"]


def test_a_catalogue_below_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("kept")
    refused(invoke("catalogue", "--out", tmp_path / "file" / "fleet.csv"), "cannot write")
    assert (tmp_path / "file").read_text() == "kept"


@pytest.mark.parametrize("days", ["0", "-1", "nan", "inf", "4000"])
def test_a_history_of_an_impossible_length_is_refused(days: str, catalogue: Path, tmp_path: Path) -> None:
    result = invoke(
        "history", "--out", tmp_path / "h", "--fleet", catalogue, "--checkpoint", tmp_path / "c", "--days", days
    )
    refused(result, "it must be above 0 and at most 3660")
    assert not (tmp_path / "h").exists()


@pytest.mark.parametrize(
    ("column", "value"),
    [("battery_id", "somewhere"), ("latitude", "north"), ("installed_on", "2026-02-31"), ("position", "")],
)
def test_a_wrong_row_of_the_catalogue_is_named_by_its_field(
    column: str, value: str, catalogue: Path, tmp_path: Path
) -> None:
    header, first, *rest = catalogue.read_text().splitlines()
    cells = first.split(",")
    # The name of the location holds a comma in its quotes: count from the column's own end.
    names = header.split(",")
    offset = len(cells) - len(names) if names.index(column) > names.index("location_name") else 0
    cells[names.index(column) + offset] = value
    catalogue.write_text("\n".join([header, ",".join(cells), *rest]) + "\n")
    arguments = ["--out", tmp_path / "h", "--fleet", catalogue, "--checkpoint", tmp_path / "c", "--days", 1]
    refused(invoke("history", *arguments), f"{column}: ")
    assert not (tmp_path / "c").exists()


def test_a_catalogue_that_is_not_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "fleet.csv").write_bytes(b"\xff\xfe\x00\x81")
    arguments = ["--out", tmp_path / "h", "--fleet", tmp_path / "fleet.csv", "--checkpoint", tmp_path / "c"]
    refused(invoke("history", *arguments), "--fleet")


@pytest.mark.parametrize("command", ["calculated", "aggregates", "operations", "transactional"])
def test_every_phase_refuses_a_manifest_that_is_not_json(command: str, tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text("{")
    refused(invoke(command, "--data", tmp_path), "no complete dataset")
    assert [path.name for path in tmp_path.iterdir()] == ["manifest.json"]


@given(total=st.integers(1, 2000))
def test_progress_for_programs_is_json_that_rises_and_ends_at_its_total(total: int) -> None:
    counter = typer.Typer()

    @counter.command()
    def count() -> None:
        with progress("count", "steps", as_json=True) as report:
            for done in range(total + 1):
                report(done, total)

    lines = [json.loads(line) for line in CliRunner().invoke(counter, []).stdout.splitlines()]
    done = [line["done"] for line in lines]
    assert done == sorted(set(done))
    assert {line["total"] for line in lines} == {total}
    assert done[-1] == total
    # A line per two per cent at most, however many steps there are.
    assert len(lines) <= 51


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (ValueError("too wide"), "too wide."),
        (OSError(28, "No space left on device", "rows.parquet"), "cannot write rows.parquet: No space left on device."),
        (OSError("broken"), "cannot write target: broken."),
    ],
)
def test_what_the_caller_can_fix_becomes_one_line(
    error: Exception, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(typer.Exit) as ended, refusals(Path("target")):
        raise error
    assert ended.value.exit_code == 2
    assert capsys.readouterr().err.strip() == line


def test_other_errors_are_not_hidden() -> None:
    with pytest.raises(KeyError, match="bug"), refusals(Path("target")):
        raise KeyError("bug")
