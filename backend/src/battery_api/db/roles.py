"""Two roles of the database: the owner migrates, the runtime role serves and owns nothing.

Without ``DATABASE_OWNER_URL`` one role does both, as on a database that gives only one.
"""

from typing import Final

from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncConnection

from battery_api.settings import GatewaySettings

# Only added to, or not written at all, by whoever serves.
_APPEND_ONLY: Final = ("audit_log", "rul_prediction", "rul_outcome")
_READ_ONLY: Final = ("alembic_version",)
_FUNCTIONS: Final = ("create_month_partition(text, timestamptz)", "drop_month_partition(text)")


def runtime_role(settings: GatewaySettings) -> str | None:
    """Return the role that serves, None where it is the owner itself.

    Raises
    ------
    ValueError
        A URL names no user, so that nobody can be granted anything.
    """
    if settings.database_owner_url is None or settings.database_url is None:
        return None
    runtime = make_url(settings.database_url.get_secret_value()).username
    owner = make_url(settings.database_owner_url.get_secret_value()).username
    if not runtime or not owner:
        raise ValueError("DATABASE_URL and DATABASE_OWNER_URL must both name a user where both are set")
    return None if runtime == owner else runtime


async def grant_runtime(connection: AsyncConnection, role: str) -> None:
    """Let a role read and write rows, also of tables that the owner creates later, and nothing else."""
    quoted = connection.dialect.identifier_preparer.quote(role)
    rows = "select, insert, update, delete"
    for statement in (
        f"grant usage on schema public to {quoted}",
        f"grant {rows} on all tables in schema public to {quoted}",
        f"grant usage, select on all sequences in schema public to {quoted}",
        f"alter default privileges in schema public grant {rows} on tables to {quoted}",
        f"alter default privileges in schema public grant usage, select on sequences to {quoted}",
        *(f"revoke update, delete on {table} from {quoted}" for table in _APPEND_ONLY),
        *(f"revoke insert, update, delete on {table} from {quoted}" for table in _READ_ONLY),
        *(f"grant execute on function {function} to {quoted}" for function in _FUNCTIONS),
    ):
        await connection.exec_driver_sql(statement)
