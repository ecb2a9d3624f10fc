"""The fleet as a file, with the commands that run beside the database."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fleet.test_importer import catalogue, line, workbook

BIN = Path(sys.executable).parent


async def battery_api(database_url: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "DATABASE_URL": database_url, "NO_COLOR": "1", "COLUMNS": "200"}
    command = [str(BIN / "battery-api"), *arguments]
    return await asyncio.to_thread(
        subprocess.run, command, env=environment, capture_output=True, text=True, timeout=120, check=False
    )


@pytest.mark.parametrize("suffix", ["csv", "xlsx"])
async def test_a_fleet_is_imported_exported_and_imported_again(database_url: str, tmp_path: Path, suffix: str) -> None:
    given, written = tmp_path / "given.csv", tmp_path / f"fleet.{suffix}"
    # A workbook under a wrong name is a workbook.
    given.write_bytes(workbook(line(1, serial_number="000457812"), line(2)))
    first = await battery_api(database_url, "import-fleet", str(given))
    assert (first.returncode, "2 created" in first.stdout) == (0, True), first.stderr

    exported = await battery_api(database_url, "export-fleet", str(written))
    assert (exported.returncode, exported.stdout.strip()) == (0, f"2 batteries are in {written}."), exported.stderr
    again = await battery_api(database_url, "import-fleet", str(written))
    assert again.returncode == 0, again.stderr
    assert "2 lines: 0 created, 0 updated, 0 replaced, 0 retired, 0 back in service, 2 unchanged" in again.stdout


async def test_a_file_that_cannot_be_used_and_a_line_with_an_error_have_codes_of_their_own(
    database_url: str, tmp_path: Path
) -> None:
    file = tmp_path / "fleet.csv"
    refusals = {"No such file": file, "it is a directory": tmp_path}
    for reason, path in refusals.items():
        refused = await battery_api(database_url, "import-fleet", str(path))
        assert (refused.returncode, reason in refused.stderr) == (2, True), refused.stderr
    file.write_bytes(b"battery_id\nx\n")
    refused = await battery_api(database_url, "import-fleet", str(file))
    assert (refused.returncode, "Line 1 must name each column once" in refused.stderr) == (2, True), refused.stderr
    file.write_bytes(catalogue(line(1, altitude_m="high")))
    wrong = await battery_api(database_url, "import-fleet", str(file))
    assert (wrong.returncode, "line 2: altitude_m: high is not a number" in wrong.stderr) == (1, True), wrong.stderr
    named = await battery_api(database_url, "export-fleet", str(tmp_path / "fleet.ods"))
    assert (named.returncode, "neither .csv nor .xlsx" in named.stderr) == (2, True)
