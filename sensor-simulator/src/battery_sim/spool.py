"""Batches that wait to be acknowledged, on disk, oldest first.

Every batch is stored before it is sent and removed only after the gateway has acknowledged it, so that neither a
failure of the gateway nor one of the simulator loses a reading.
"""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import time
from typing import Final, TypeVar

import structlog

_log = structlog.get_logger(__name__)

SCHEMA_VERSION: Final = 1
REFUSED_LIMIT_BYTES: Final = 256 * 2**20
"""Limit of the batches that the gateway refused permanently; beyond it the oldest of them are deleted."""
_DAMAGED: Final = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_SCHEMA: Final = """
create table batch (
    id integer primary key autoincrement, created_at real not null, reading_count integer not null, body blob not null
);
create table refused (id integer primary key, created_at real not null, reason text not null, body blob not null);
create table newest (only integer primary key check (only = 1), made_at real not null);
"""

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class SpooledBatch:
    """A waiting batch: its number in the queue, its number of readings, and its JSON."""

    id: int
    reading_count: int
    body: bytes


class SpoolUnavailable(Exception):
    """The file cannot be read or written now: the disk is full or failing, or another process owns it."""


class SpoolFull(SpoolUnavailable):
    """The limit of waiting bytes is reached; nothing new is made until the queue drains."""


class Spool:
    """A durable queue in one SQLite file; one process and one thread own it.

    A damaged file is moved aside and the queue starts empty; a disk error raises `SpoolUnavailable` and leaves the file
    untouched.
    """

    def __init__(self, path: Path, *, limit_bytes: int, refused_limit_bytes: int = REFUSED_LIMIT_BYTES) -> None:
        self._path = path
        self._limit_bytes = limit_bytes
        self._refused_limit_bytes = refused_limit_bytes
        self._count, self._bytes, self._refused_count = 0, 0, 0
        self._newest_at: datetime | None = None
        with _disk_errors():
            path.parent.mkdir(parents=True, exist_ok=True)
            self._database = _opened(path)
            self._count_all()

    @property
    def count(self) -> int:
        """Number of waiting batches."""
        return self._count

    @property
    def size_bytes(self) -> int:
        """Number of waiting bytes."""
        return self._bytes

    @property
    def refused_count(self) -> int:
        """Number of batches that were set aside."""
        return self._refused_count

    @property
    def is_full(self) -> bool:
        """Whether the limit of waiting bytes is reached."""
        return self._bytes >= self._limit_bytes

    @property
    def newest_at(self) -> datetime | None:
        """Time of the newest batch that was ever stored, sent or not."""
        return self._newest_at

    def put(self, body: bytes, *, reading_count: int, made_at: datetime) -> None:
        """Store a batch; once this returns, the batch survives a crash.

        Raises
        ------
        SpoolFull
            The limit is reached; the batch was not stored.
        SpoolUnavailable
            The disk failed; the batch was not stored.
        """
        if self.is_full:
            raise SpoolFull(f"{self._bytes:,} bytes wait; the limit is {self._limit_bytes:,}")

        def store() -> None:
            with self._database:
                self._database.execute(
                    "insert into batch (created_at, reading_count, body) values (?, ?, ?)",
                    (time(), reading_count, body),
                )
                self._database.execute("insert or replace into newest values (1, ?)", (made_at.timestamp(),))

        self._with_recovery(store)
        self._count += 1
        self._bytes += len(body)
        self._newest_at = made_at

    def peek(self, *, max_batches: int, max_readings: int) -> list[SpooledBatch]:
        """Return the oldest batches within the limits, but at least one if any waits."""
        return self._with_recovery(lambda: self._peek(max_batches, max_readings))

    def remove(self, batches: Sequence[SpooledBatch]) -> None:
        """Drop batches that were acknowledged."""

        def delete() -> int:
            with self._database:
                return self._database.executemany(
                    "delete from batch where id = ?", [(batch.id,) for batch in batches]
                ).rowcount

        # After damage the queue is new and does not contain these batches.
        if self._with_recovery(delete):
            self._count -= len(batches)
            self._bytes -= sum(len(batch.body) for batch in batches)
        if self._count == 0:
            self._with_recovery(self._give_space_back)

    def set_aside(self, batch: SpooledBatch, reason: str) -> None:
        """Move a batch that the gateway will never accept to the refused ones, with the reason, for inspection."""

        def move() -> None:
            with self._database:
                self._database.execute(
                    "insert into refused (id, created_at, reason, body)"
                    " select id, created_at, ?, body from batch where id = ?",
                    (reason, batch.id),
                )
                self._database.execute("delete from batch where id = ?", (batch.id,))
                self._forget_oldest_refused()

        self._with_recovery(move)
        self._with_recovery(self._count_all)

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def _with_recovery(self, action: Callable[[], Result]) -> Result:
        """Run an action on the file; if the file turns out to be damaged, run it on a new one."""
        with _disk_errors():
            try:
                return action()
            except sqlite3.DatabaseError as error:
                if not _is_damage(error):
                    raise
                self._database.close()
                _move_aside(self._path, str(error))
                self._database = _opened(self._path)
                self._count_all()
                return action()

    def _peek(self, max_batches: int, max_readings: int) -> list[SpooledBatch]:
        taken: list[SpooledBatch] = []
        readings = 0
        query = "select id, reading_count, body from batch order by id limit ?"
        for row in self._database.execute(query, (max_batches,)):
            batch = SpooledBatch(*row)
            readings += batch.reading_count
            if taken and readings > max_readings:
                break
            taken.append(batch)
        return taken

    def _count_all(self) -> None:
        execute = self._database.execute
        self._count, self._bytes = execute("select count(*), coalesce(sum(length(body)), 0) from batch").fetchone()
        (self._refused_count,) = execute("select count(*) from refused").fetchone()
        newest = execute("select made_at from newest").fetchone()
        self._newest_at = datetime.fromtimestamp(newest[0], UTC) if newest else None

    def _forget_oldest_refused(self) -> None:
        over = (
            "delete from refused where id in (select id from"
            " (select id, sum(length(body)) over (order by id desc) as newer from refused) where newer > ?)"
        )
        forgotten = self._database.execute(over, (self._refused_limit_bytes,)).rowcount
        if forgotten:
            _log.error("refused batches exceed their limit; the oldest were deleted", count=forgotten)

    def _give_space_back(self) -> None:
        """Return the space of a drained backlog to the file system."""
        (free_pages,) = self._database.execute("pragma freelist_count").fetchone()
        if free_pages > 1024:
            # As a script: `execute` would stop after the first page.
            self._database.executescript("pragma incremental_vacuum; pragma wal_checkpoint(truncate);")


@contextmanager
def _disk_errors() -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        raise SpoolUnavailable(str(error)) from error


def _is_damage(error: sqlite3.DatabaseError) -> bool:
    # The low byte is the kind of error, the rest its detail. A full disk or a lock is no damage.
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in _DAMAGED


def _opened(path: Path) -> sqlite3.Connection:
    try:
        return _connected(path)
    except sqlite3.DatabaseError as error:
        if not _is_damage(error):
            raise
        _move_aside(path, str(error))
    except _OtherSchema as error:
        _move_aside(path, str(error))
    return _connected(path)


class _OtherSchema(Exception):
    """The file was written by another version, or is damaged without SQLite raising an error."""


def _connected(path: Path) -> sqlite3.Connection:
    # Created here, used in the work thread; the short time-out makes a start with another owner fail soon.
    database = sqlite3.connect(path, check_same_thread=False, timeout=1.0)
    try:
        # One owner: a second simulator on the same folder must not send the same instants with other values.
        database.execute("pragma locking_mode = exclusive")
        database.execute("pragma auto_vacuum = incremental")
        database.execute("pragma journal_mode = wal")
        # A batch counts as stored when it is on disk, not when it is on its way there.
        database.execute("pragma synchronous = full")
        _check_schema(database)
    except BaseException:
        database.close()
        raise
    return database


def _check_schema(database: sqlite3.Connection) -> None:
    (version,) = database.execute("pragma user_version").fetchone()
    (tables,) = database.execute("select count(*) from sqlite_schema where type = 'table'").fetchone()
    if tables == 0:
        database.executescript(f"begin immediate; {_SCHEMA} pragma user_version = {SCHEMA_VERSION}; commit;")
        return
    if version != SCHEMA_VERSION:
        raise _OtherSchema(f"schema version {version}; this code writes {SCHEMA_VERSION}")
    (verdict,) = database.execute("pragma quick_check(1)").fetchone()
    if verdict != "ok":
        raise _OtherSchema(str(verdict))
    # The lock is taken by the first write.
    database.execute("begin immediate")
    database.execute("commit")


def _move_aside(path: Path, reason: str) -> None:
    stamp = f"{datetime.now(UTC):%Y%m%dT%H%M%S%f}"
    moved = path.with_name(f"{path.name}.broken-{stamp}")
    _log.error("spool file cannot be used; starting a new one", moved_to=str(moved), reason=reason)
    path.replace(moved)
    # These may hold what the main file lacks; someone may want to recover it.
    for suffix in ("-wal", "-shm"):
        extra = path.with_name(path.name + suffix)
        if extra.exists():
            extra.replace(moved.with_name(moved.name + suffix))
