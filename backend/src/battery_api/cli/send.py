"""``battery``: commands for integrators, over the public API, and for auditors, who read the database."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import httpx
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from battery_api.cli import audit
from battery_api.cli.csv_cells import RecordingRefused
from battery_api.cli.run_files import Recording, batches, read_recording
from battery_api.cli.run_summary import summary_lines
from battery_api.telemetry.ingest.times import buddhist_era_fault
from battery_contracts.clients.errors import ServiceError
from battery_contracts.clients.gateway import TelemetryClient
from battery_contracts.telemetry import IngestResult

app = typer.Typer(
    help="Send recordings to the platform; examine its audit log.", no_args_is_help=True, add_completion=False
)
app.add_typer(audit.app, name="audit")
_out = Console()
_err = Console(stderr=True)
_SHOWN_REJECTIONS = 10


@app.callback()
def root() -> None:
    """Work with the battery platform."""


@app.command()
def send(
    run: Annotated[Path, typer.Argument(help="CSV (or .csv.gz) with time_s and any of current_a, voltage_v, ...")],
    *,
    battery_id: Annotated[str, typer.Option(help="Battery that the run was recorded on.")],
    start: Annotated[
        str, typer.Option(help="Instant of time_s = 0 (ISO 8601 with time zone), or now to replay the run live.")
    ],
    url: Annotated[str, typer.Option(envvar="BATTERY_URL", help="Address of the gateway.")] = "http://127.0.0.1:8000",
    api_key: Annotated[
        str, typer.Option(envvar="BATTERY_API_KEY", help="API key with the scope telemetry:write.")
    ] = "",
    speed: Annotated[float, typer.Option(min=0.1, max=3600, help="Speed of the replay with --start now.")] = 1.0,
    ignore: Annotated[
        list[str] | None, typer.Option(help="Column that is not sent; may be given several times.")
    ] = None,
    skip_refused: Annotated[
        bool, typer.Option("--skip-refused", help="Name the lines that are not understood, and send the others.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what was understood of the file and send nothing.")
    ] = False,
) -> None:
    """Send the recording of a real monitor as readings of one battery; sending it again changes nothing.

    If a line of the file is not understood, nothing is sent. Exit code 0: every row is stored. 1: some rows or
    values were refused, and named. 2: the command or the file cannot be used, or the gateway cannot be reached.
    """
    if not api_key and not dry_run:
        raise _refusal(
            "--api-key (or BATTERY_API_KEY) is missing; an administrator creates a key with POST auth/api-keys."
        )
    try:
        recording = read_recording(run, ignore=ignore or (), skip_refused=skip_refused)
        instant = _instant(start)
        _require_range(recording, instant)
    except RecordingRefused as error:
        raise _refusal(str(error)) from error
    _print_left_out(recording)
    if dry_run:
        for line in summary_lines(recording, battery_id, instant):
            _out.print(line, markup=False, highlight=False, soft_wrap=True)
        _out.print("Dry run: nothing was sent.")
        raise typer.Exit(1 if recording.faults else 0)
    try:
        result = asyncio.run(_send(recording, battery_id, instant, speed, GatewayAddress(url, api_key)))
    except ServiceError as error:
        raise _refusal(f"{error}. Acknowledged readings are stored; send the run again to complete it.") from error
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


@dataclass(frozen=True, slots=True)
class GatewayAddress:
    """URL of the gateway, and the key for it."""

    url: str
    api_key: str


async def _send(
    recording: Recording, battery_id: str, start: datetime | None, speed: float, gateway: GatewayAddress
) -> IngestResult:
    """Send all batches; without a start each row is sent at its own time and stamped with the current time."""
    total = IngestResult(accepted=0, duplicates=0, late=0, rejected_count=0)
    live = start is None
    origin = start or datetime.now(UTC)
    columns = (TextColumn("[bold]send"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    async with httpx.AsyncClient() as http:
        client = TelemetryClient(http, gateway.url, api_key=gateway.api_key)
        with Progress(*columns, console=_err) as bar:
            task = bar.add_task("send", total=recording.row_count)
            for batch in batches(recording, battery_id, origin, speed=speed if live else 1.0, size=1 if live else 1000):
                if live:
                    await asyncio.sleep(max(0.0, (batch.last_time - datetime.now(UTC)).total_seconds()))
                result = await client.post_json(batch.body)
                bar.advance(task, batch.row_count)
                total = _added(total, result, batch.first_row)
    return total


def _added(total: IngestResult, result: IngestResult, first_row: int) -> IngestResult:
    left_out = [item.model_copy(update={"index": item.index + first_row}) for item in result.left_out]
    rejected = [item.model_copy(update={"index": item.index + first_row}) for item in result.rejected]
    return IngestResult(
        accepted=total.accepted + result.accepted,
        merged=total.merged + result.merged,
        corrected=total.corrected + result.corrected,
        duplicates=total.duplicates + result.duplicates,
        late=total.late + result.late,
        rejected_count=total.rejected_count + result.rejected_count,
        rejected=[*total.rejected, *rejected][:1000],
        left_out_count=total.left_out_count + result.left_out_count,
        left_out=[*total.left_out, *left_out][:1000],
    )


def _instant(text: str) -> datetime | None:
    if text == "now":
        return None
    other_era = buddhist_era_fault(text)
    if other_era is not None:
        raise RecordingRefused(f"--start {other_era}.")
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        raise RecordingRefused(f"--start {text} is neither ISO 8601 (2026-01-31T08:00:00+07:00) nor now.") from error
    if instant.tzinfo is None:
        raise RecordingRefused(f"--start {text} has no time zone; write {text}+07:00 or {text}Z.")
    try:
        return instant.astimezone(UTC)
    except OverflowError as error:
        raise RecordingRefused(f"--start {text} is no instant of the calendar in UTC.") from error


def _require_range(recording: Recording, start: datetime | None) -> None:
    try:
        for time_s in (recording.time_s[0], recording.time_s[-1]):
            (start or datetime.now(UTC)) + timedelta(seconds=time_s)
    except OverflowError as error:
        raise RecordingRefused(
            "--start and time_s together are no instant of the calendar; correct --start."
        ) from error


def _refusal(reason: str) -> typer.Exit:
    _err.print(reason, style="red", markup=False, soft_wrap=True)
    return typer.Exit(2)


def main() -> None:
    """Run the command line."""
    app()
