"""Batches that wait to be acknowledged, on disk, oldest first.

Every batch is stored before it is sent and leaves only when the gateway has acknowledged it, so that neither a dead
gateway nor the simulator's own death loses a reading that was made.
"""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from time import time
from typing import Final

import structlog

_log = structlog.get_logger(__name__)

_SCHEMA: Final = """
create table if not exists batch (id integer primary key autoincrement, created_at real not null, body blob not null);
create table if not exists refused (
    id integer primary key, created_at real not null, reason text not null, body blob not null
);
"""


@dataclass(frozen=True, slots=True)
class SpooledBatch:
    """A batch as it waits: its place in the queue, when it was made, and its JSON."""

    id: int
    created_at: float
    body: bytes


class SpoolFull(Exception):
    """The spool has reached its limit, or the disk is full; nothing new is made until it drains."""


class Spool:
    """A durable queue in one SQLite file; belongs to one process."""

    def __init__(self, path: Path, *, limit_bytes: int) -> None:
        self._path = path
        self._limit_bytes = limit_bytes
        path.parent.mkdir(parents=True, exist_ok=True)
        self._database = _opened(path)
        row = self._database.execute("select count(*), coalesce(sum(length(body)), 0) from batch").fetchone()
        self._count, self._bytes = int(row[0]), int(row[1])

    @property
    def count(self) -> int:
        """Batches that wait."""
        return self._count

    @property
    def size_bytes(self) -> int:
        """Bytes that wait."""
        return self._bytes

    def put(self, body: bytes) -> None:
        """Store a batch; it survives a crash from the return on.

        Raises
        ------
        SpoolFull
            The limit is reached or the disk is full; the batch was not stored.
        """
        if self._bytes + len(body) > self._limit_bytes:
            raise SpoolFull(f"{self._bytes:,} bytes wait; the limit is {self._limit_bytes:,}")
        try:
            with self._database:
                self._database.execute("insert into batch (created_at, body) values (?, ?)", (time(), body))
        except sqlite3.OperationalError as error:
            raise SpoolFull(str(error)) from error
        self._count += 1
        self._bytes += len(body)

    def peek(self, limit: int) -> list[SpooledBatch]:
        """Return the oldest batches."""
        rows = self._database.execute("select id, created_at, body from batch order by id limit ?", (limit,))
        return [SpooledBatch(*row) for row in rows]

    def remove(self, batches: Sequence[SpooledBatch]) -> None:
        """Drop batches that were acknowledged."""
        with self._database:
            self._database.executemany("delete from batch where id = ?", [(batch.id,) for batch in batches])
        self._count -= len(batches)
        self._bytes -= sum(len(batch.body) for batch in batches)

    def set_aside(self, batch: SpooledBatch, reason: str) -> None:
        """Move a batch that the gateway will never take out of the way, with the reason, for people to look at."""
        with self._database:
            self._database.execute(
                "insert or replace into refused (id, created_at, reason, body) values (?, ?, ?, ?)",
                (batch.id, batch.created_at, reason, batch.body),
            )
            self._database.execute("delete from batch where id = ?", (batch.id,))
        self._count -= 1
        self._bytes -= len(batch.body)

    def refused_count(self) -> int:
        """Return how many batches were set aside."""
        return int(self._database.execute("select count(*) from refused").fetchone()[0])

    def close(self) -> None:
        """Close the file."""
        self._database.close()


def _opened(path: Path) -> sqlite3.Connection:
    try:
        return _connected(path)
    except sqlite3.DatabaseError as error:
        aside = path.with_suffix(f".broken-{int(time())}")
        _log.error("spool file is damaged; starting a new one", moved_to=str(aside), error=str(error))
        path.replace(aside)
        for extra in ("-wal", "-shm"):
            Path(f"{path}{extra}").unlink(missing_ok=True)
        return _connected(path)


def _connected(path: Path) -> sqlite3.Connection:
    database = sqlite3.connect(path, check_same_thread=False)
    database.execute("pragma journal_mode = wal")
    # A batch counts as made when it is on the disk, not when it is on its way there.
    database.execute("pragma synchronous = full")
    database.executescript(_SCHEMA)
    database.execute("pragma quick_check").fetchall()
    return database
