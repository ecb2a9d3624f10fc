"""Entry point of Alembic: runs the migrations on the connection that ``db.migrate`` supplies."""

import re
from typing import Any

from alembic import context
from sqlalchemy import Connection, text

from battery_api.db import tables  # noqa: F401  # registers the tables
from battery_api.db.base import Base
from battery_api.db.timescale import DETECT, ROLLUPS

_PARTITION = re.compile(r"_p\d{6}$")


def run() -> None:
    """Configure Alembic with the given connection and run."""
    connection: Connection = context.config.attributes["connection"]
    on_timescale = connection.scalar(text(DETECT)) is not None

    def include_object(_: Any, name: str | None, kind: str, __: bool, ___: Any) -> bool:
        if kind != "table" or name is None:
            return True
        # A job creates partitions, and on TimescaleDB the roll-ups are views.
        return not (_PARTITION.search(name) or (on_timescale and name in ROLLUPS))

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
