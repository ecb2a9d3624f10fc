"""``battery-api``: run and maintain the gateway on a machine that can reach the database."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from sqlalchemy.exc import ProgrammingError

from battery_api.accounts.bootstrap import bootstrap as bootstrap_accounts
from battery_api.accounts.errors import WeakPassword
from battery_api.alerts.endings import AlertEndings
from battery_api.app.main import create_app, create_gateway
from battery_api.app.openapi import describe
from battery_api.cli.database import require_database, run_with_database
from battery_api.db import migrate as schema
from battery_api.db.bangkok import ZONE
from battery_api.db.failures import sqlstate
from battery_api.db.roles import grant_runtime, runtime_role
from battery_api.db.session import Database
from battery_api.db.timescale import Engine, detect_engine
from battery_api.fleet.errors import ImportRefused
from battery_api.fleet.export import CatalogueFormat, catalogue_file, read_catalogue_lines
from battery_api.fleet.importer import import_catalogue
from battery_api.fleet.ports import FleetChange
from battery_api.settings import GatewaySettings
from battery_api.tables.content import read_bytes
from battery_api.tables.model import TableRefused
from battery_api.telemetry.history.load import history_is_loaded, load_history
from battery_api.telemetry.store.rollups import maintain_storage_of
from battery_servicekit.application import serve as serve_app
from battery_servicekit.logging import configure_logging
from battery_servicekit.startup import load_settings, refuse_start

app = typer.Typer(help="Run and maintain the gateway.", no_args_is_help=True, add_completion=False)
_out = Console()
_err = Console(stderr=True)


@app.command()
def serve() -> None:
    """Serve REST, Socket.IO and the dashboard on HOST:PORT."""
    settings = load_settings(GatewaySettings)
    configure_logging("gateway", level=settings.log_level)
    require_database(settings)
    gateway = create_gateway(settings)
    serve_app(gateway.asgi, settings)


@app.command()
def migrate(
    to: Annotated[str, typer.Option(help="Target revision; `base` removes every table.")] = "head",
) -> None:
    """Migrate the database's schema to the newest revision, or to another one with --to REVISION.

    It waits for a database that is still starting (DATABASE_WAIT_S), and refuses one that holds another application.
    """

    async def run(database: Database, settings: GatewaySettings) -> None:
        if to == "head":
            try:
                await schema.upgrade(database.engine)
            except schema.ForeignDatabase as error:
                refuse_start(str(error))
            except ProgrammingError as error:
                if sqlstate(error) != _NOT_ALLOWED:
                    raise
                refuse_start(_needed_right(error))
            role = runtime_role(settings)
            if role is not None:
                async with database.begin() as connection:
                    await grant_runtime(connection, role)
            await maintain_storage_of(database, settings)
        else:
            await schema.downgrade(database.engine, to)
        async with database.begin() as connection:
            engine = await detect_engine(connection)
        _out.print(f"The schema is at {await schema.current_revision(database.engine)}. {_STORAGE[engine]}")

    run_with_database(run, as_owner=True, needs_schema=False)


_NOT_ALLOWED = "42501"  # insufficient_privilege
_STORAGE = {
    Engine.TIMESCALE: "Readings are kept in hypertables of TimescaleDB.",
    Engine.PLAIN: "This server has no TimescaleDB extension: readings are kept in monthly partitions of PostgreSQL.",
}


def _needed_right(error: ProgrammingError) -> str:
    reason = str(error.orig).rpartition(">: ")[2]
    return (
        f"The role that migrates lacks a right ({reason}). It must own the database and its schema public "
        "(alter database DATABASE owner to ROLE; alter schema public owner to ROLE). Where the server offers "
        "TimescaleDB, a superuser may have to create the extension first (create extension timescaledb)."
    )


@app.command("import-fleet")
def import_fleet(
    file: Annotated[Path, typer.Argument(help="Fleet catalogue (CSV or XLSX, one line per battery).")],
    *,
    sheet: Annotated[str | None, typer.Option(help="Sheet of a workbook; needed where several hold data.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check everything and change nothing.")] = False,
) -> None:
    """Import the fleet catalogue; if any line has an error, nothing is imported.

    Exit code 0: the file is imported. 1: lines have errors, and are named. 2: the file cannot be used.
    """
    try:
        content = read_bytes(file)
    except TableRefused as refused:
        raise _file_refusal(file, str(refused)) from refused

    async def run(database: Database, _: GatewaySettings) -> None:
        change = FleetChange("command line", datetime.now(UTC), AlertEndings())
        try:
            async with database.begin() as connection:
                report = await import_catalogue(connection, content, dry_run=dry_run, change=change, sheet=sheet)
        except ImportRefused as refused:
            raise _file_refusal(file, refused.detail) from refused
        for error in report.errors:
            _err.print(f"line {error.line}: {error.field or '-'}: {error.detail} [{error.code}]", markup=False)
        for warning in report.warnings:
            _err.print(
                f"line {warning.line}: {warning.field}: warning: {warning.detail} [{warning.code}]", markup=False
            )
        for swap in report.replacements:
            _out.print(
                f"line {swap.line}: {swap.battery_id}: {swap.new_serial_number} replaces {swap.old_serial_number} "
                f"from {swap.installed_at.astimezone(ZONE).isoformat()} on",
                markup=False,
            )
        summary = f"{report.row_count} lines: {report.created} created, {report.updated} updated, "
        summary += f"{report.replaced} replaced, {report.retired} retired, {report.reinstated} back in service, "
        summary += f"{report.unchanged} unchanged, {report.error_count} errors, {report.warning_count} warnings"
        _out.print(summary + (" (dry run)." if dry_run else "."))
        if report.error_count:
            raise typer.Exit(1)

    run_with_database(run)


@app.command("export-fleet")
def export_fleet(
    file: Annotated[Path, typer.Argument(help="File to write; its name ends in .csv or .xlsx.")],
) -> None:
    """Export the fleet catalogue; importing the file again changes nothing."""
    try:
        file_format = CatalogueFormat(file.suffix.lower().removeprefix("."))
    except ValueError as error:
        raise _file_refusal(file, "the name ends in neither .csv nor .xlsx; choose one of them.") from error

    async def run(database: Database, _: GatewaySettings) -> None:
        async with database.begin() as connection:
            lines = await read_catalogue_lines(connection, visible=None)
        try:
            file.write_bytes(catalogue_file(lines, file_format))
        except OSError as error:
            raise _file_refusal(file, f"it cannot be written ({error.strerror}).") from error
        _out.print(f"{len(lines)} batteries are in {file}.", markup=False, highlight=False, soft_wrap=True)

    run_with_database(run)


def _file_refusal(file: Path, reason: str) -> typer.Exit:
    _err.print(f"{file}: {reason}", style="red", markup=False, soft_wrap=True)
    return typer.Exit(2)


@app.command()
def bootstrap(
    *, as_json: Annotated[bool, typer.Option("--json", help="Print what was made as JSON, for programs.")] = False
) -> None:
    """Create the first administrator and the simulator's API key where they are missing.

    What is not set (BATTERY_ADMIN_PASSWORD, SIMULATOR_API_KEY) is drawn at random with the first administrator and
    printed once; only hashes are kept. Running it again changes nothing.
    """

    async def run(database: Database, settings: GatewaySettings) -> None:
        async with database.begin() as connection:
            try:
                created = await bootstrap_accounts(connection, settings)
            except WeakPassword as error:
                refuse_start(error.detail)
        _out.print(created.as_json() if as_json else created.as_text(), markup=False, highlight=False, soft_wrap=True)

    run_with_database(run)


@app.command("load-history")
def load_history_command(
    directory: Annotated[Path | None, typer.Argument(help="Folder with manifest.json and the Parquet files.")] = None,
    *,
    status: Annotated[bool, typer.Option("--status", help="Only print whether a history has been loaded.")] = False,
    progress_json: Annotated[bool, typer.Option("--progress-json", help="Print progress as JSON lines.")] = False,
) -> None:
    """Load a generated history from before the live feed; it is safe to repeat and to interrupt."""

    async def run(database: Database, _: GatewaySettings) -> None:
        if status:
            _out.print("loaded" if await history_is_loaded(database) else "missing")
            return
        if directory is None:
            _err.print("Name the folder that holds the history.")
            raise typer.Exit(2)
        columns = (TextColumn("[bold]history"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(*columns, console=_err, disable=progress_json) as bar:
            task = bar.add_task("history", total=None)

            def report(done: int, total: int) -> None:
                bar.update(task, completed=done, total=total)
                if progress_json:
                    typer.echo(json.dumps({"phase": "load", "done": done, "total": total}))

            rows = await load_history(database, directory, report)
        _out.print(f"{rows:,} rows are stored.")

    run_with_database(run, as_owner=True)


@app.command()
def openapi(
    out: Annotated[Path, typer.Option(help="File to write.")] = Path("contracts/openapi/gateway.json"),
) -> None:
    """Write the OpenAPI description; this needs neither a database nor settings."""
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(describe(create_app()), indent=2, ensure_ascii=False) + "\n")
    _out.print(f"Wrote {out}.")


def main() -> None:
    """Run the command line."""
    app()
