"""Commands for the fleet's catalogue and its history, as the platform uses them."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError

from battery_contracts.fleet import FleetRow
from battery_synth.catalogue import DEFAULT_SEED, build_catalogue, read_catalogue_csv, write_catalogue_csv
from battery_synth.cli.terminal import (
    LONGEST_DAYS,
    ProgressJson,
    Seed,
    app,
    err_console,
    out_console,
    progress,
    refusal,
    refusals,
)
from battery_synth.history import write_history


@app.command()
def catalogue(
    out: Annotated[Path, typer.Option(help="CSV file to write.")],
    *,
    seed: Seed = DEFAULT_SEED,
    as_of: Annotated[datetime | None, typer.Option(help="Day that the catalogue describes (default: today).")] = None,
) -> None:
    """Write the fleet catalogue: 1,944 batteries in 9 data centres."""
    day = (as_of or datetime.now(UTC)).date()
    with refusals(out):
        rows = build_catalogue(seed, as_of=day)
        out.parent.mkdir(parents=True, exist_ok=True)
        write_catalogue_csv(rows, out)
    out_console.print(f"Wrote {len(rows):,} batteries to {out}.", highlight=False)


@app.command()
def history(
    out: Annotated[Path, typer.Option(help="Folder to write the Parquet files and manifest.json to.")],
    *,
    fleet: Annotated[Path, typer.Option(help="Fleet catalogue (CSV).", exists=True, dir_okay=False)],
    checkpoint: Annotated[Path, typer.Option(help="File for the world's state at the end of the history.")],
    days: Annotated[float, typer.Option(help="Length in days.")] = 90.0,
    end: Annotated[
        datetime | None,
        typer.Option(
            help="End of the history, UTC (default: now).", formats=["%Y-%m-%dT%H:%M:%S%z", "%Y-%m-%dT%H:%M:%S"]
        ),
    ] = None,
    seed: Seed = DEFAULT_SEED,
    progress_json: ProgressJson = False,
) -> None:
    """Write the fleet's history, and the checkpoint from which the live feed continues."""
    if not 0 < days <= LONGEST_DAYS:
        raise refusal(f"--days {days:g}: it must be above 0 and at most {LONGEST_DAYS:g}")
    until = (end or datetime.now(UTC)).replace(microsecond=0)
    until = until.replace(tzinfo=UTC) if until.tzinfo is None else until.astimezone(UTC)
    start = until - timedelta(days=days)
    rows = _read_fleet(fleet)
    with refusals(out), progress("history", "days", as_json=progress_json) as report:
        manifest = write_history(rows, out, seed=seed, start=start, end=until, checkpoint=checkpoint, progress=report)
    written = sum(entry["rows"] for entry in manifest["files"] if entry["table"] == "telemetry")
    span = f"{start:%Y-%m-%d %H:%M} to {until:%Y-%m-%d %H:%M} UTC"
    err_console.print(f"{written:,} battery rows from {span} in {out}.", highlight=False)


def _read_fleet(path: Path) -> tuple[FleetRow, ...]:
    try:
        return read_catalogue_csv(path)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"]) or "row"
        raise refusal(f"--fleet {path}: {field}: {first['msg']}") from error
    except (OSError, UnicodeDecodeError, ValueError) as error:
        raise refusal(f"--fleet {path}: {error}") from error
