"""Entry point of Alembic: runs the migrations on the connection that ``db.migrate`` supplies."""

import re
from typing import Any

from alembic import context
from sqlalchemy import Connection

from battery_api.db import tables  # noqa: F401  # registers the tables
from battery_api.db.base import Base

_PARTITION = re.compile(r"_p\d{6}$")


def run() -> None:
    """Configure Alembic with the given connection and run."""
    connection: Connection = context.config.attributes["connection"]

    def include_object(_: Any, name: str | None, kind: str, __: bool, ___: Any) -> bool:
        if kind != "table" or name is None:
            return True
        # A job creates partitions.
        return not _PARTITION.search(name)

    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        include_object=include_object,
        compare_type=True,
        compare_server_default=True,
        transaction_per_migration=True,
    )
    with context.begin_transaction():
        context.run_migrations()


run()
