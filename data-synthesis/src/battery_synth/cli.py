"""``battery-synth``: make the fleet catalogue and its history."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from battery_synth.catalogue import DEFAULT_SEED, build_catalogue, read_catalogue_csv, write_catalogue_csv
from battery_synth.history import write_history

app = typer.Typer(help="The synthetic world of the fleet.", no_args_is_help=True, add_completion=False)
_out = Console()
_err = Console(stderr=True)

Seed = Annotated[int, typer.Option(help="Same seed, same world.")]


@app.command()
def catalogue(
    out: Annotated[Path, typer.Option(help="CSV file to write.")],
    *,
    seed: Seed = DEFAULT_SEED,
    as_of: Annotated[datetime | None, typer.Option(help="Day the catalogue describes (today).")] = None,
) -> None:
    """Write the fleet catalogue: 1,944 batteries in 9 data centres."""
    day = (as_of or datetime.now(UTC)).date()
    rows = build_catalogue(seed, as_of=day)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        write_catalogue_csv(rows, out)
    except OSError as error:
        raise _refusal(f"--out {out}: {error.strerror}") from error
    _out.print(f"Wrote {len(rows):,} batteries to {out}.")


@app.command()
def history(
    out: Annotated[Path, typer.Option(help="Folder to write the Parquet files and manifest.json to.")],
    *,
    fleet: Annotated[Path, typer.Option(help="Fleet catalogue (CSV).", exists=True, dir_okay=False)],
    checkpoint: Annotated[Path, typer.Option(help="File for the world's state where the history ends.")],
    days: Annotated[float, typer.Option(help="Length in days.")] = 90.0,
    end: Annotated[datetime | None, typer.Option(help="Where the history ends, UTC (now).")] = None,
    seed: Seed = DEFAULT_SEED,
    progress_json: Annotated[bool, typer.Option("--progress-json", help="Progress as JSON lines.")] = False,
) -> None:
    """Write the fleet's history, and the checkpoint from which the live feed goes on."""
    if not 0 < days <= 3660:
        raise _refusal(f"--days {days:g} must lie above 0 and at most at 3660.")
    rows = read_catalogue_csv(fleet)
    until = (end.replace(tzinfo=UTC) if end and end.tzinfo is None else end or datetime.now(UTC)).astimezone(UTC)
    until = until.replace(microsecond=0)
    start = until - timedelta(days=days)
    columns = (TextColumn("[bold]history"), BarColumn(), MofNCompleteColumn(), TextColumn("h"), TimeRemainingColumn())
    with Progress(*columns, console=_err, disable=progress_json) as bar:
        task = bar.add_task("history", total=None)

        def report(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)
            if progress_json and (done % 24 == 0 or done == total):
                typer.echo(json.dumps({"phase": "generate", "done": done, "total": total}))

        try:
            manifest = write_history(
                rows, out, seed=seed, start=start, end=until, checkpoint=checkpoint, progress=report
            )
        except OSError as error:
            raise _refusal(f"--out {out}: {error.strerror or error}") from error
        except ValueError as error:
            raise _refusal(str(error)) from error
    written = sum(entry["rows"] for entry in manifest["files"] if entry["table"] == "telemetry")
    _err.print(f"{written:,} battery rows from {start:%Y-%m-%d %H:%M} to {until:%Y-%m-%d %H:%M} UTC in {out}.")


def _refusal(reason: str) -> typer.Exit:
    _err.print(reason, style="red", markup=False)
    return typer.Exit(2)


def main() -> None:
    """Entry point."""
    app()
