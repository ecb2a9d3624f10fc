"""``audit verify``: is the audit log as it was written? Reads the database, since the log must not vouch for itself."""

from typing import Annotated

import typer
from rich.console import Console
from sqlalchemy.exc import SQLAlchemyError

from battery_api.accounts.audit_chain import ChainPoint, ChainReport, verify_chain
from battery_api.cli.database import run_with_database
from battery_api.db.session import Database
from battery_api.settings import GatewaySettings

app = typer.Typer(help="Examine the audit log.", no_args_is_help=True, add_completion=False)
_out = Console()
_err = Console(stderr=True)
_HASH_LENGTH = 64


@app.callback()
def root() -> None:
    """Examine the audit log in the database that DATABASE_URL names."""


@app.command()
def verify(
    *,
    known: Annotated[
        str, typer.Option(help="ID:HASH that an earlier verification printed; reveals a log that lost its end.")
    ] = "",
) -> None:
    """Compute the hash of every row again and name the first row at which the chain breaks.

    Exit code 0: whole. 1: broken; the row is named. 2: the command cannot be used, or the database does not answer.
    """
    point = _point(known) if known else None
    try:
        report = _verify(point)
    except (SQLAlchemyError, OSError) as error:
        raise _refusal(f"The audit log cannot be read: {error}") from error
    if report.broken is not None:
        _err.print(
            f"The audit log is broken at row {report.broken.audit_id}: {report.broken.reason}. "
            f"{report.row_count} rows before it are whole.",
            style="red",
            markup=False,
            soft_wrap=True,
        )
        raise typer.Exit(1)
    if report.last is None:
        _out.print("The audit log is empty; nothing was verified.")
        return
    _out.print(
        f"{report.row_count} rows are whole. Keep the last one elsewhere, for the next time: "
        f"--known {report.last.audit_id}:{report.last.hash}",
        markup=False,
        highlight=False,
        soft_wrap=True,
    )


def _verify(known: ChainPoint | None) -> ChainReport:
    async def run(database: Database, _: GatewaySettings) -> ChainReport:
        async with database.begin() as connection:
            # One snapshot: rows that are written meanwhile do not matter.
            await connection.exec_driver_sql("set transaction isolation level repeatable read, read only")
            return await verify_chain(connection, known)

    return run_with_database(run)


def _point(known: str) -> ChainPoint:
    audit_id, _, digest = known.partition(":")
    if not audit_id.isdecimal() or len(digest) != _HASH_LENGTH:
        raise _refusal(f"--known {known} is not ID:HASH with a hash of {_HASH_LENGTH} digits, as printed here.")
    return ChainPoint(int(audit_id), digest.lower())


def _refusal(reason: str) -> typer.Exit:
    _err.print(reason, style="red", markup=False, soft_wrap=True)
    return typer.Exit(2)
