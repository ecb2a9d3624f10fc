"""A recording of a real monitor, sent with the command to a real gateway with a small fleet."""

import asyncio
import csv
import gzip
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
import xlsxwriter
from sqlalchemy import text

from battery_api.accounts.bootstrap import bootstrap
from battery_api.cli.run_files import read_recording
from battery_api.cli.sending import GatewayAccess, send_recording
from battery_api.db.session import Database, create_database_engine
from battery_api.fleet.importer import import_catalogue
from battery_api.settings import GatewaySettings
from battery_contracts.fleet import FLEET_COLUMNS, FleetRow
from battery_contracts.ids import battery_id_at
from battery_servicekit.testing.process import ServiceProcess, running_service

RECORDING = Path(__file__).parents[1] / "data" / "vrla_recording" / "bboxx_A_cycle2.csv.gz"
STRING = "DC-CNX-01-REC-01-STR-01"
BATTERY = battery_id_at(STRING, 1)
KEY = "bk_a-key-for-the-command-line-tests-0001"
START = "2026-10-01T00:00:00+00:00"
CONVERTED = "conductance converted: 1000/value"
BIN = Path(sys.executable).parent


def laboratory_fleet() -> bytes:
    """Catalogue of one string with four small blocks."""
    rows = [
        FleetRow(
            location_id="DC-CNX-01",
            location_name="Laboratory",
            region="northern",
            latitude=18.8,
            longitude=99.0,
            altitude_m=310,
            commissioned_on=date(2020, 1, 1),
            utility="PEA",
            climate_zone="N",
            system_id="DC-CNX-01-REC-01",
            system_kind="RECTIFIER",
            rated_power_kva=1,
            string_id=STRING,
            battery_id=battery_id_at(STRING, position),
            position=position,
            model_id="GENERIC-12-17",
            serial_number=f"LAB-{position:04d}",
            installed_on=date(2020, 1, 1),
            baseline_resistance_mohm=13.0,
            baseline_temperature_c=25.0,
        ).model_dump(mode="json")
        for position in range(1, 5)
    ]
    lines = [",".join(FLEET_COLUMNS), *(",".join(str(row[name]) for name in FLEET_COLUMNS) for row in rows)]
    return ("\n".join(lines) + "\n").encode()


@pytest_asyncio.fixture(loop_scope="session")
async def laboratory(database_url: str, tmp_path: Path) -> AsyncIterator[tuple[ServiceProcess, Database]]:
    settings = GatewaySettings(database_url=database_url, simulator_api_key=KEY, data_dir=tmp_path)
    database = Database(create_database_engine(database_url))
    async with database.begin() as connection:
        report = await import_catalogue(connection, laboratory_fleet(), dry_run=False)
        assert report.created == 4, report.errors
        await bootstrap(connection, settings)
    environment = {"DATABASE_URL": database_url, "DATA_DIR": str(tmp_path), "RUN_JOBS": "false"}
    command = [str(BIN / "battery-api"), "serve"]
    with running_service(command, environment, log=tmp_path / "gateway.log") as gateway:
        await asyncio.to_thread(gateway.wait_until_alive)
        yield gateway, database
    await database.close()


async def battery(url: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "BATTERY_URL": url, "BATTERY_API_KEY": KEY, "NO_COLOR": "1"}
    command = [str(BIN / "battery"), "send", *arguments]
    return await asyncio.to_thread(
        subprocess.run, command, env=environment, capture_output=True, text=True, timeout=400, check=False
    )


async def stored(database: Database) -> list[tuple[datetime, float, float, float]]:
    async with database.begin() as connection:
        rows = await connection.execute(
            text(
                "select t.time, t.voltage_v, t.current_a, t.temperature_c from telemetry t "
                "join battery b on b.id = t.battery_id where b.code = :code order by t.time"
            ),
            {"code": BATTERY},
        )
        return [tuple(row) for row in rows]


async def test_a_real_recording_is_stored_row_for_row(laboratory: tuple[ServiceProcess, Database]) -> None:
    gateway, database = laboratory
    with gzip.open(RECORDING, "rt", newline="") as file:
        expected = list(csv.DictReader(file))

    first = await battery(gateway.url, str(RECORDING), "--battery-id", BATTERY, "--start", START)

    assert first.returncode == 0, first.stderr
    assert f"{len(expected)} accepted" in first.stdout
    rows = await stored(database)
    assert len(rows) == len(expected)
    origin = datetime.fromisoformat(START).astimezone(UTC)
    for (time, voltage_v, current_a, temperature_c), row in zip(rows, expected, strict=True):
        assert (time - origin).total_seconds() == pytest.approx(float(row["time_s"]))
        assert voltage_v == pytest.approx(float(row["voltage_v"]), abs=1e-5)
        assert current_a == pytest.approx(float(row["current_a"]), abs=1e-5)
        assert temperature_c == pytest.approx(float(row["temperature_c"]), abs=1e-5)

    again = await battery(gateway.url, str(RECORDING), "--battery-id", BATTERY, "--start", START)

    assert again.returncode == 0, again.stderr
    assert f"0 accepted (0 late), 0 merged, 0 corrected, {len(expected)} stored before, 0 refused." in again.stdout
    assert await stored(database) == rows


async def test_a_short_run_replayed_now_has_the_current_time(
    laboratory: tuple[ServiceProcess, Database], tmp_path: Path
) -> None:
    gateway, database = laboratory
    run = tmp_path / "run.csv"
    run.write_text("time_s,voltage_v,soc_ref\n0,13.5,1.0\n60,13.4,0.9\n120,13.3,\n")
    before = datetime.now(UTC)

    sent = await battery(gateway.url, str(run), "--battery-id", BATTERY, "--start", "now", "--speed", "600")

    assert sent.returncode == 0, sent.stderr
    rows = await stored(database)
    assert [round(row[1], 3) for row in rows] == [13.5, 13.4, 13.3]
    assert all(before <= row[0] <= datetime.now(UTC) for row in rows)


@pytest.mark.parametrize(
    ("content", "arguments", "message"),
    [
        ("voltage_v\n13.5\n", ["--start", START], "no column time_s"),
        ("time_s,volts\n0,13.5\n", ["--start", START], "none of the channels"),
        ("time_s,voltage_v\n0,13.5\n0,13.4\n", ["--start", START], "line 3: time_s 0 is not later than 0"),
        ("time_s,voltage_v\n0,high\n", ["--start", START], "line 2: voltage_v is 'high'"),
        ("time_s,voltage_v\n", ["--start", START], "no rows"),
        (
            "time_s,voltage_v\n0,13.5\n",
            ["--start", "yesterday"],
            "neither ISO 8601 (2026-01-31T08:00:00+07:00) nor now",
        ),
        ("time_s,voltage_v\n0,13.5\n", ["--start", "2026-10-01T00:00:00"], "no time zone"),
        ("time_s,voltage_v\n0,13.5\n", ["--start", "2569-10-01T00:00:00+07:00"], "of the Buddhist era"),
        ("time_s,voltage_v\n0,13.5\n", ["--start", "0001-01-01T00:00:00+07:00"], "no instant of the calendar"),
        ("time_s,voltage_v\n0,13.5\n99,13\n", ["--start", "9999-12-31T23:59:59Z"], "no instant of the calendar"),
        ("time_s,voltage_v\n0,13,5\n60,13.5\n", ["--start", START], "Nothing was sent: 1 of 2 lines is refused"),
    ],
)
async def test_what_cannot_be_sent_is_refused_with_the_remedy(
    tmp_path: Path, content: str, arguments: list[str], message: str
) -> None:
    run = tmp_path / "run.csv"
    run.write_text(content)

    # Nobody listens there: the refusal comes before the first call.
    refused = await battery("http://127.0.0.1:9", str(run), "--battery-id", BATTERY, *arguments)

    assert refused.returncode == 2
    assert message in " ".join(refused.stderr.split())


async def test_rows_that_the_gateway_refuses_are_named(
    laboratory: tuple[ServiceProcess, Database], tmp_path: Path
) -> None:
    gateway, database = laboratory
    run = tmp_path / "run.csv"
    run.write_text("time_s,voltage_v,temperature_c\n0,13500,25\n60,13.5,3276.7\n")

    sent = await battery(gateway.url, str(run), "--battery-id", BATTERY, "--start", START)

    assert sent.returncode == 1
    assert "1 accepted" in sent.stdout
    assert "row 0:" in sent.stderr
    assert "line 2" in sent.stderr
    assert "wrong_scale" in sent.stderr
    assert "1 refused. 1 values were left out." in " ".join(sent.stdout.split())
    assert "row 1: left out: temperature_c 3276.7 is a register's 'not available' value" in sent.stderr
    assert len(await stored(database)) == 1


async def test_lines_that_are_not_understood_are_left_out_on_request_and_named(
    laboratory: tuple[ServiceProcess, Database], tmp_path: Path
) -> None:
    gateway, database = laboratory
    run = tmp_path / "run.csv"
    run.write_text("time_s,voltage_v\n0,13.5\n60,1_3.5\n120,13.4\n")

    sent = await battery(gateway.url, str(run), "--battery-id", BATTERY, "--start", START, "--skip-refused")

    assert sent.returncode == 1
    assert (
        "2 accepted (0 late), 0 merged, 0 corrected, 0 stored before, 0 refused. 1 lines were not sent." in sent.stdout
    )
    assert "line 3: voltage_v is '1_3.5'" in sent.stderr
    assert [round(row[1], 3) for row in await stored(database)] == [13.5, 13.4]


async def test_a_dry_run_shows_what_was_understood_and_sends_nothing(tmp_path: Path) -> None:
    run = tmp_path / "run.csv"
    run.write_text("time_s,voltage_v,temperature_c,soc_ref\n0,13.5,,1\n90,13500,25.4,1\n")

    # Nobody listens there, and no key is needed.
    shown = await battery(
        "http://127.0.0.1:9", str(run), "--battery-id", BATTERY, "--start", START, "--dry-run", "--api-key", ""
    )

    assert shown.returncode == 0, shown.stderr
    assert shown.stdout.splitlines() == [
        f"{BATTERY}: 2 rows from time_s 0 to 90.",
        "first row 2026-10-01T00:00:00Z, last row 2026-10-01T00:01:30Z",
        "voltage_v [V]: 2 values from 13.5 to 13500; 1 outside -30 to 30 V: the gateway will refuse it",
        "temperature_c [°C]: 1 values from 25.4 to 25.4",
        "soc_ref: not sent",
        "Dry run: nothing was sent.",
    ]


async def test_a_workbook_of_several_batteries_is_stored_in_the_units_of_the_platform(
    laboratory: tuple[ServiceProcess, Database], tmp_path: Path
) -> None:
    gateway, database = laboratory
    run = tmp_path / "log.xlsx"
    first = datetime.fromisoformat("2026-10-01T08:00:00")
    with xlsxwriter.Workbook(run, {"default_date_format": "dd/mm/yyyy hh:mm"}) as book:
        page = book.add_worksheet()
        page.write_row(0, 0, ["Timestamp", "battery_id", "Volt [mV]", "Temp °F", "Conductance (S)"])
        page.write_row(1, 0, [first, BATTERY, 13620, 77, 80])
        page.write_row(2, 0, [first, battery_id_at(STRING, 2), 13500, 78.8, 40])
        page.write_row(3, 0, [first + timedelta(minutes=1), BATTERY, 13610, 77])

    shown = await battery(gateway.url, str(run), "--zone", "Asia/Bangkok", "--dry-run")
    assert shown.returncode == 0, shown.stderr
    assert shown.stdout.splitlines() == [
        "2 batteries: 3 rows.",
        f"  {BATTERY}: 2 rows",
        f"  {battery_id_at(STRING, 2)}: 1 rows",
        "first row 2026-10-01T01:00:00Z, last row 2026-10-01T01:01:00Z",
        "times from Timestamp: dates of the workbook, zone Asia/Bangkok",
        "voltage_v [V]: 3 values from 13.5 to 13.62; from 'Volt [mV]' in mV, divided by 1000",
        "temperature_c [°C]: 3 values from 25 to 26; from 'Temp °F' in °F, converted",
        "internal_resistance_mohm [mΩ]: 2 values from 12.5 to 25; from 'Conductance (S)' in S, " + CONVERTED,
        "Dry run: nothing was sent.",
    ]
    sent = await battery(gateway.url, str(run), "--zone", "Asia/Bangkok")

    assert sent.returncode == 0, sent.stderr
    rows = await stored(database)
    assert [row[0] for row in rows] == [datetime(2026, 10, 1, 1, minute, tzinfo=UTC) for minute in (0, 1)]
    assert [round(row[1], 3) for row in rows] == [13.62, 13.61]
    refused = await battery(gateway.url, str(run), "--zone", "Asia/Bangkok", "--battery-id", BATTERY)
    assert (refused.returncode, "leave --battery-id out" in refused.stderr) == (2, True)


class LostAnswers(httpx.AsyncBaseTransport):
    """Reach the gateway, and lose the answers to the first two calls."""

    def __init__(self) -> None:
        self._inner = httpx.AsyncHTTPTransport()
        self.calls = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.calls += 1
        response = await self._inner.handle_async_request(request)
        if self.calls <= 2:
            await response.aread()
            raise httpx.ReadError("the connection ended")
        return response


async def test_a_batch_whose_answer_is_lost_is_sent_again_and_stored_once(
    laboratory: tuple[ServiceProcess, Database], tmp_path: Path
) -> None:
    gateway, database = laboratory
    run = tmp_path / "run.csv"
    run.write_text("time_s,voltage_v\n" + "".join(f"{60 * row},13.{row % 10}1\n" for row in range(1200)))
    transport = LostAnswers()
    start = datetime.fromisoformat(START)
    access = GatewayAccess(gateway.url, KEY, patience_s=60)
    result = await send_recording(read_recording(run), BATTERY, start, access, transport=transport)
    assert transport.calls == 4
    assert (result.accepted, result.duplicates, result.rejected_count) == (200, 1000, 0)
    assert len(await stored(database)) == 1200


async def first_rows(database: Database) -> None:
    """Wait until something is stored."""
    for _ in range(2000):
        if await stored(database):
            return
        await asyncio.sleep(0.05)
    pytest.fail("nothing was stored in time")


async def test_a_gateway_that_is_killed_in_the_middle_of_a_run_gets_the_rest_once_it_is_back(
    laboratory: tuple[ServiceProcess, Database], database_url: str, tmp_path: Path
) -> None:
    gateway, database = laboratory
    run = tmp_path / "run.csv"
    run.write_text("time_s,voltage_v\n" + "".join(f"{row},13.{row % 10}1\n" for row in range(40_000)))
    arguments = (str(run), "--battery-id", BATTERY, "--start", START, "--patience-s", "300")
    sending = asyncio.create_task(battery(gateway.url, *arguments))
    await first_rows(database)
    await asyncio.to_thread(gateway.kill)
    at_the_kill = len(await stored(database))
    assert 0 < at_the_kill < 40_000

    environment = {"DATABASE_URL": database_url, "DATA_DIR": str(tmp_path), "RUN_JOBS": "false"}
    port = int(gateway.url.rpartition(":")[2])
    with running_service([str(BIN / "battery-api"), "serve"], environment, log=tmp_path / "again.log", port=port):
        sent = await sending

    assert sent.returncode == 0, sent.stderr
    assert "trying again" in sent.stderr
    rows = await stored(database)
    assert len(rows) == len({row[0] for row in rows}) == 40_000
