"""``battery-synth``: make the fleet catalogue and its history."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from battery_contracts.fleet import FleetRow
from battery_synth.catalogue import DEFAULT_SEED, build_catalogue, read_catalogue_csv, write_catalogue_csv
from battery_synth.history import Progress as Report
from battery_synth.history import write_history

app = typer.Typer(help="The synthetic world of the fleet.", no_args_is_help=True, add_completion=False)
_out = Console(soft_wrap=True)
_err = Console(stderr=True, soft_wrap=True)

Seed = Annotated[int, typer.Option(help="Same seed, same world.")]
LONGEST_DAYS = 3660.0


@app.command()
def catalogue(
    out: Annotated[Path, typer.Option(help="CSV file to write.")],
    *,
    seed: Seed = DEFAULT_SEED,
    as_of: Annotated[datetime | None, typer.Option(help="Day the catalogue describes (today).")] = None,
) -> None:
    """Write the fleet catalogue: 1,944 batteries in 9 data centres."""
    day = (as_of or datetime.now(UTC)).date()
    with _refusals(out):
        rows = build_catalogue(seed, as_of=day)
        out.parent.mkdir(parents=True, exist_ok=True)
        write_catalogue_csv(rows, out)
    _out.print(f"Wrote {len(rows):,} batteries to {out}.", highlight=False)


@app.command()
def history(
    out: Annotated[Path, typer.Option(help="Folder to write the Parquet files and manifest.json to.")],
    *,
    fleet: Annotated[Path, typer.Option(help="Fleet catalogue (CSV).", exists=True, dir_okay=False)],
    checkpoint: Annotated[Path, typer.Option(help="File for the world's state where the history ends.")],
    days: Annotated[float, typer.Option(help="Length in days.")] = 90.0,
    end: Annotated[
        datetime | None,
        typer.Option(help="Where the history ends, UTC (now).", formats=["%Y-%m-%dT%H:%M:%S%z", "%Y-%m-%dT%H:%M:%S"]),
    ] = None,
    seed: Seed = DEFAULT_SEED,
    progress_json: Annotated[bool, typer.Option("--progress-json", help="Progress as JSON lines.")] = False,
) -> None:
    """Write the fleet's history, and the checkpoint from which the live feed goes on."""
    if not 0 < days <= LONGEST_DAYS:
        raise _refusal(f"--days {days:g} must lie above 0 and at most at {LONGEST_DAYS:g}")
    until = (end or datetime.now(UTC)).replace(microsecond=0)
    until = until.replace(tzinfo=UTC) if until.tzinfo is None else until.astimezone(UTC)
    start = until - timedelta(days=days)
    rows = _read_fleet(fleet)
    with _refusals(out), _progress(as_json=progress_json) as report:
        manifest = write_history(rows, out, seed=seed, start=start, end=until, checkpoint=checkpoint, progress=report)
    written = sum(entry["rows"] for entry in manifest["files"] if entry["table"] == "telemetry")
    span = f"{start:%Y-%m-%d %H:%M} to {until:%Y-%m-%d %H:%M} UTC"
    _err.print(f"{written:,} battery rows from {span} in {out}.", highlight=False)


def main() -> None:
    """Entry point."""
    app()


def _read_fleet(path: Path) -> tuple[FleetRow, ...]:
    try:
        return read_catalogue_csv(path)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "row"
        raise _refusal(f"--fleet {path}: {place}: {first['msg']}") from error
    except (OSError, UnicodeDecodeError, ValueError) as error:
        raise _refusal(f"--fleet {path}: {error}") from error


@contextmanager
def _progress(*, as_json: bool) -> Iterator[Report]:
    """Yield what tells progress: JSON lines, a bar on a terminal, else a plain line every tenth."""
    columns = (TextColumn("[bold]history"), BarColumn(), MofNCompleteColumn(), TextColumn("h"), TimeRemainingColumn())
    with Progress(*columns, console=_err, disable=as_json or not _err.is_terminal) as bar:
        task = bar.add_task("history", total=None)

        def report(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)
            if as_json and (done % 24 == 0 or done == total):
                typer.echo(json.dumps({"phase": "generate", "done": done, "total": total}))
            elif not _err.is_terminal and done * 10 // total != (done - 1) * 10 // total:
                _err.print(f"history: {done} of {total} h", highlight=False)

        yield report


@contextmanager
def _refusals(out: Path) -> Iterator[None]:
    """Turn what the caller can mend into one line and exit code 2."""
    try:
        yield
    except OSError as error:
        raise _refusal(f"cannot write {error.filename or out}: {error.strerror or error}") from error
    except ValueError as error:
        raise _refusal(str(error)) from error


def _refusal(reason: str) -> typer.Exit:
    _err.print(f"{reason}.", style="red", markup=False, highlight=False)
    return typer.Exit(2)
