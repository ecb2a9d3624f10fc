"""Commands that make datasets."""

import os
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final, Literal

import typer

from battery_synth.catalogue import DEFAULT_SEED
from battery_synth.cli.terminal import LONGEST_DAYS, ProgressJson, Seed, app, out_console, progress, refusal, refusals
from battery_synth.datasets import characterisation, fleets
from battery_synth.datasets.maker import make_dataset
from battery_synth.datasets.spec import DatasetSpec
from battery_synth.outside import scenario as scenarios

_START: Final = datetime(2025, 1, 1, tzinfo=UTC)
_TRAINING_START: Final = datetime(2013, 1, 1, tzinfo=UTC)
_MOST_YEARS: Final = 30.0
_DAY_FORMAT: Final = ["%Y-%m-%d"]

Out = Annotated[Path, typer.Option(help="Empty folder for the files and manifest.json.")]
Workers = Annotated[int, typer.Option(help="Number of processes (default: one per core).", min=1)]
Scheduler = Annotated[str | None, typer.Option(help="Address of a Dask scheduler whose workers share the folder.")]
FileFormat = Annotated[Literal["parquet", "csv"], typer.Option("--format", help="Format of the files.")]
Locations = Annotated[list[str] | None, typer.Option("--location", help="Only this location; may be repeated.")]
CORES: Final = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@app.command()
def reference(
    out: Out,
    *,
    days: Annotated[float, typer.Option(help="Length in days.")] = fleets.REFERENCE_DAYS,
    string: Annotated[str, typer.Option(help="The string whose 24 batteries are sampled.")] = fleets.REFERENCE_STRING,
    start: Annotated[datetime, typer.Option(formats=_DAY_FORMAT)] = _START,
    file_format: FileFormat = "parquet",
    seed: Seed = DEFAULT_SEED,
    progress_json: ProgressJson = False,
) -> None:
    """Write the reference set: 24 batteries every 60 s for 90 days, 3,110,400 readings, with the truth kept apart."""
    _require_days(days)
    with refusals(out):
        spec = fleets.reference(seed, start=start.date(), days=days, string_id=string)
    _make(spec, out, file_format, workers=1, scheduler=None, as_json=progress_json)


@app.command()
def fleet(
    out: Out,
    *,
    days: Annotated[float, typer.Option(help="Length in days.")] = 30.0,
    every: Annotated[float, typer.Option(help="Seconds between readings: above 0, at most 86400.")] = 60.0,
    detail: Annotated[bool, typer.Option(help="Also every 2 to 60 s during and after discharges.")] = False,
    location: Locations = None,
    start: Annotated[datetime, typer.Option(formats=_DAY_FORMAT)] = _START,
    file_format: FileFormat = "parquet",
    workers: Workers = CORES,
    scheduler: Scheduler = None,
    seed: Seed = DEFAULT_SEED,
    progress_json: ProgressJson = False,
) -> None:
    """Write readings of the whole fleet, or of some locations, at any sampling."""
    _require_days(days)
    with refusals(out):
        spec = fleets.fleet(seed, start=start.date(), days=days, every_s=every, detail=detail, locations=location or [])
    _make(spec, out, file_format, workers=workers, scheduler=scheduler, as_json=progress_json)


@app.command()
def training(
    out: Out,
    *,
    strings_per_location: Annotated[
        int, typer.Option("--strings-per-site", help="Strings of 24 batteries at each location.")
    ] = 10,
    years: Annotated[float, typer.Option(help="Length in years.")] = 12.0,
    location: Locations = None,
    start: Annotated[datetime, typer.Option(formats=_DAY_FORMAT)] = _TRAINING_START,
    file_format: FileFormat = "parquet",
    workers: Workers = CORES,
    scheduler: Scheduler = None,
    seed: Seed = DEFAULT_SEED,
    progress_json: ProgressJson = False,
) -> None:
    """Write run-to-failure lives: daily aggregates, discharges in detail, truth kept apart."""
    if not 0 < years <= _MOST_YEARS:
        raise refusal(f"--years {years:g}: it must be above 0 and at most {_MOST_YEARS:g}")
    with refusals(out):
        spec = fleets.training(
            seed, strings_per_location=strings_per_location, years=years, start=start.date(), locations=location or []
        )
    _make(spec, out, file_format, workers=workers, scheduler=scheduler, as_json=progress_json)


@app.command()
def drill(
    out: Out,
    *,
    scenario: Annotated[str, typer.Option(help=f"One of {', '.join(scenarios.NAMES)}.")],
    location: Annotated[str, typer.Option(help="The location of the event.")],
    minutes: Annotated[float, typer.Option(help="Length from its start; the hour before is written too.")] = 60.0,
    every: Annotated[float, typer.Option(help="Seconds between readings.")] = 2.0,
    start: Annotated[datetime, typer.Option(formats=_DAY_FORMAT)] = _START,
    file_format: FileFormat = "parquet",
    seed: Seed = DEFAULT_SEED,
    progress_json: ProgressJson = False,
) -> None:
    """Write the trace of a scenario at one location, with the truth kept apart."""
    _require_days(minutes / 1440.0, "--minutes")
    with refusals(out):
        # At noon in Bangkok, when a room without cooling warms fastest.
        begins = start.replace(hour=5, tzinfo=UTC)
        chosen = scenarios.named(scenario, begins.timestamp(), minutes * 60.0)
        spec = fleets.drill(seed, scenario=chosen, location_id=location, start=begins, minutes=minutes, every_s=every)
    _make(spec, out, file_format, workers=1, scheduler=None, as_json=progress_json)


@app.command()
def characterise(
    out: Annotated[Path, typer.Option(help="Folder for slow.csv and fast.csv.")],
    *,
    as_of: Annotated[datetime, typer.Option(formats=_DAY_FORMAT, help="Day of the recordings.")] = _START,
    seed: Seed = DEFAULT_SEED,
) -> None:
    """Record a new block on a test bench, slowly and fast, as `battery-twin calibrate` reads it."""
    with refusals(out):
        out.mkdir(parents=True, exist_ok=True)
        for run in characterisation.characterise(seed, as_of.date()):
            path = run.write(out)
            out_console.print(f"{path}: {len(run.time_s)} rows, {run.time_s[-1] / 3600:.1f} h", highlight=False)


def _make(
    spec: DatasetSpec,
    out: Path,
    file_format: Literal["parquet", "csv"],
    *,
    workers: int,
    scheduler: str | None,
    as_json: bool,
) -> None:
    with refusals(out), progress(spec.kind, "location months", as_json=as_json) as report:
        manifest = make_dataset(
            replace(spec, file_format=file_format), out, workers=workers, scheduler=scheduler, progress=report
        )
    tables = ", ".join(
        f"{rows:,} {table}"
        for table, rows in manifest["rows"].items()
        if table != "master" and not table.startswith("truth")
    )
    megabytes = sum(line["bytes"] for line in manifest["files"]) / 1e6
    out_console.print(f"{tables} in {out} ({megabytes:,.0f} MB).", highlight=False)


def _require_days(days: float, option: str = "--days") -> None:
    if not 0 < days <= LONGEST_DAYS:
        raise refusal(f"{option} {days:g}: it must be above 0 and at most {LONGEST_DAYS:g} days")
