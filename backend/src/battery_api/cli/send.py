"""``battery``: commands for integrators, over the public API, and for auditors, who read the database."""

import asyncio
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from battery_api.cli import audit
from battery_api.cli.recording_refused import RecordingRefused
from battery_api.cli.run_files import Recording, read_recording
from battery_api.cli.run_summary import summary_lines
from battery_api.cli.run_times import TimeOptions
from battery_api.cli.send_options import battery_of, start_of, zone_of
from battery_api.cli.sending import GatewayAccess, send_recording
from battery_contracts.clients.errors import ServiceError, ServiceUnavailable
from battery_contracts.telemetry import IngestResult

app = typer.Typer(
    help="Send recordings to the platform; examine its audit log.", no_args_is_help=True, add_completion=False
)
app.add_typer(audit.app, name="audit")
_out = Console()
_err = Console(stderr=True)
_SHOWN_REJECTIONS = 10


class DateOrder(StrEnum):
    """Order of day and month in a date with its year at the end."""

    DMY = "dmy"
    MDY = "mdy"


class Calendar(StrEnum):
    """Era of the years."""

    COMMON = "common"
    BUDDHIST = "buddhist"


@app.callback()
def root() -> None:
    """Work with the battery platform."""


@app.command()
def send(
    run: Annotated[
        Path,
        typer.Argument(help="CSV (or .csv.gz) or XLSX with time_s or time, and any of voltage_v, current_a, ..."),
    ],
    *,
    battery_id: Annotated[
        str | None, typer.Option(help="Battery that the run was recorded on, if no column battery_id names it.")
    ] = None,
    start: Annotated[
        str | None,
        typer.Option(help="Instant of time_s = 0 (ISO 8601 with time zone), or now to replay the run live."),
    ] = None,
    zone: Annotated[str | None, typer.Option(help="Zone of times that name none, like Asia/Bangkok.")] = None,
    date_order: Annotated[
        DateOrder | None, typer.Option(help="Order of day and month, if no date of the file shows it.")
    ] = None,
    calendar: Annotated[
        Calendar, typer.Option(help="Era of the years; buddhist needs every year of the file to be of it.")
    ] = Calendar.COMMON,
    sheet: Annotated[str | None, typer.Option(help="Sheet of a workbook, where several hold data.")] = None,
    url: Annotated[str, typer.Option(envvar="BATTERY_URL", help="Address of the gateway.")] = "http://127.0.0.1:8000",
    api_key: Annotated[
        str, typer.Option(envvar="BATTERY_API_KEY", help="API key with the scope telemetry:write.")
    ] = "",
    speed: Annotated[float, typer.Option(min=0.1, max=3600, help="Speed of the replay with --start now.")] = 1.0,
    patience_s: Annotated[
        float, typer.Option(min=0, max=86_400, help="Seconds for which a gateway that is away is tried again.")
    ] = 60.0,
    ignore: Annotated[
        list[str] | None, typer.Option(help="Column that is not sent; may be given several times.")
    ] = None,
    keep_units: Annotated[
        bool, typer.Option("--keep-units", help="Send values that no nameplate allows in the unit of their heading.")
    ] = False,
    skip_refused: Annotated[
        bool, typer.Option("--skip-refused", help="Name the lines that are not understood, and send the others.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what was understood of the file and send nothing.")
    ] = False,
) -> None:
    """Send the recording of a real monitor as readings of its batteries; sending it again changes nothing.

    A heading is a name and a unit: voltage_v, Voltage (mV), I [mA], Temp °F, R (mOhm), conductance_s. API_REFERENCE.md
    lists them, and the forms of time, with what is refused. Try --dry-run first.

    If a line of the file is not understood, nothing is sent. Exit code 0: every row is stored. 1: some rows or
    values were refused, and named. 2: the command or the file cannot be used, or the gateway cannot be reached.
    """
    if not api_key and not dry_run:
        raise _refusal(
            "--api-key (or BATTERY_API_KEY) is missing; an administrator creates a key with POST auth/api-keys."
        )
    try:
        recording = read_recording(
            run,
            ignore=ignore or (),
            skip_refused=skip_refused,
            sheet=sheet,
            times=TimeOptions(
                zone_of(zone), date_order.value if date_order else None, buddhist=calendar is Calendar.BUDDHIST
            ),
            keep_units=keep_units,
        )
        battery = battery_of(recording, battery_id)
        instant = start_of(recording, start)
    except RecordingRefused as error:
        raise _refusal(str(error)) from error
    _print_left_out(recording)
    if dry_run:
        for line in summary_lines(recording, battery, instant):
            _out.print(line, markup=False, highlight=False, soft_wrap=True)
        _out.print("Dry run: nothing was sent.")
        raise typer.Exit(1 if recording.faults else 0)
    gateway = GatewayAccess(url, api_key, patience_s)
    try:
        result = asyncio.run(send_recording(recording, battery, instant, gateway, speed=speed, console=_err))
    except ServiceError as error:
        reason = str(error).rstrip(".")
        if isinstance(error, ServiceUnavailable):
            reason += ". Is it the address of the gateway? --url, or BATTERY_URL, names another one"
        raise _refusal(f"{reason}. Acknowledged readings are stored; send the run again to complete it.") from error
    _print_result(recording, result)
    if result.rejected_count or result.left_out_count or recording.faults:
        raise typer.Exit(1)


def _print_left_out(recording: Recording) -> None:
    """Name what the file has and the gateway does not get."""
    if recording.ignored:
        _err.print(f"Not sent: column {', '.join(recording.ignored)}.", markup=False, soft_wrap=True)
    for fault in recording.faults:
        _err.print(f"{fault} Not sent.", markup=False, soft_wrap=True)


def _print_result(recording: Recording, result: IngestResult) -> None:
    unread = f" {len(recording.faults)} lines were not sent." if recording.faults else ""
    left_out = f" {result.left_out_count} values were left out." if result.left_out_count else ""
    _out.print(
        f"{result.accepted} accepted ({result.late} late), {result.merged} merged, {result.corrected} corrected, "
        f"{result.duplicates} stored before, "
        f"{result.rejected_count} refused.{unread}{left_out}",
        soft_wrap=True,
    )
    shown = result.rejected[:_SHOWN_REJECTIONS]
    for rejection in shown:
        line = recording.line[rejection.index]
        _err.print(f"row {rejection.index}: {rejection.detail} [{rejection.code}], line {line}", markup=False)
    if result.rejected_count > len(shown):
        _err.print(f"and {result.rejected_count - len(shown)} more rows.")
    for value in result.left_out[:_SHOWN_REJECTIONS]:
        line = recording.line[value.index]
        _err.print(f"row {value.index}: left out: {value.detail} [{value.code}], line {line}", markup=False)
    if result.left_out_count > _SHOWN_REJECTIONS:
        _err.print(f"and {result.left_out_count - _SHOWN_REJECTIONS} more values.")


def _refusal(reason: str) -> typer.Exit:
    _err.print(reason, style="red", markup=False, soft_wrap=True)
    return typer.Exit(2)


def main() -> None:
    """Run the command line."""
    app()
