"""Load a generated history behind the live feed: binary COPY in short transactions, safe to repeat and to interrupt."""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any, Final

import numpy as np
import orjson
from asyncpg import UniqueViolationError
from sqlalchemy.ext.asyncio import AsyncConnection

from battery_api.db.fetching import fetch_all
from battery_api.db.session import Database
from battery_api.db.timescale import create_partitions
from battery_api.fleet.catalogue import FleetCatalogue, load_catalogue
from battery_api.telemetry.history.binary_copy import SIGNATURE, TRAILER, encode_rows
from battery_api.telemetry.history.files import (
    TABLES,
    HistoryFile,
    HistoryManifest,
    HistoryRefused,
    HistoryRows,
    read_manifest,
    read_rows,
    verify_files,
)
from battery_api.telemetry.history.rollup_rows import Buckets, daily_buckets, hourly_buckets
from battery_api.telemetry.store.columns import IntArray, instants, integers, reals
from battery_api.telemetry.store.day_marks import mark_days
from battery_api.telemetry.store.discharge_marks import is_discharging, mark_discharges
from battery_api.telemetry.store.fleet_index import Kind
from battery_api.telemetry.store.indices import Keys
from battery_api.telemetry.store.instants import day_floor
from battery_api.telemetry.store.reading_counts import COUNTS, add_counts
from battery_api.telemetry.store.rollups import COLUMNS
from battery_api.telemetry.store.statements import mark_rollups, update_rows
from battery_api.telemetry.store.time_weights import MAX_HOLD_US
from battery_contracts.enums import ReadingQuality

__all__ = ["HistoryRefused", "history_is_loaded", "load_history"]

Progress = Callable[[int, int], None]
JOB: Final = "history-load"
_KINDS: Final[Mapping[str, Kind]] = {"battery_id": "battery", "string_id": "string", "location_id": "location"}
_CHUNK_ROWS: Final = 100_000
_LOCK: Final = 7_204_861_956
_ROLLUP_COLUMNS: Final = ["battery_id", "bucket", *COLUMNS]
_SAVE: Final = (
    "insert into job (name, state, done, total, detail, started_at, updated_at, finished_at) "
    "values ($1, $2, $3, $4, $5::text::jsonb, $6, $6, case when $2 = 'finished' then $6::timestamptz end) "
    "on conflict (name) do update set state = excluded.state, done = excluded.done, total = excluded.total, "
    "detail = excluded.detail, updated_at = excluded.updated_at, finished_at = excluded.finished_at"
)
# Hours that hold live readings as well as history, or into which a live value holds, are left to the roll-up job.
_MARK_LIVE: Final = (
    "insert into rollup_mark (string_id, hour) select distinct b.string_id, date_trunc('hour', t.time + late.by) "
    "from battery b join telemetry t on t.battery_id = b.id cross join "
    f"(values (interval '0'), (interval '{MAX_HOLD_US - 1} microseconds')) as late(by) where b.id = any($1::int[]) "
    f"and t.time >= $2 and t.time < $3 and t.quality & {int(ReadingQuality.BULK_LOADED)} = 0"
)
_LEAVE_TO_TWIN: Final = """
    update string_state set reestimate_from = least(reestimate_from, $2)
    where string_id in (select g.id from string g join location l on l.id = g.location_id
                        where l.code = any($1::text[]))
"""
_LOCK_BATTERIES: Final = (
    "select battery_id, resistance_at from battery_state where battery_id = any($1::int[]) "
    "order by battery_id for update"
)


async def history_is_loaded(database: Database) -> bool:
    """Return whether a history has been loaded completely."""
    async with database.begin() as connection:
        result = await connection.exec_driver_sql("select state from job where name = $1", (JOB,))
        return result.scalar() == "finished"


async def load_history(database: Database, directory: Path, progress: Progress) -> int:
    """Load the history in a folder; return its number of rows. Rows that are already stored stay as they are.

    Raises
    ------
    HistoryRefused
        The folder does not hold a complete history of this fleet; nothing was loaded.
    """
    manifest, fingerprint = read_manifest(directory)
    async with database.begin() as connection:
        catalogue = await load_catalogue(connection)
        await create_partitions(connection, start=manifest.start, end=manifest.end)
    _require_known_locations(manifest, catalogue)
    key_of = {
        "battery_id": {code: entry.key for code, entry in catalogue.batteries.items()},
        "string_id": {code: entry.key for code, entry in catalogue.strings.items()},
        "location_id": {code: entry.key for code, entry in catalogue.locations.items()},
    }
    await asyncio.to_thread(verify_files, directory, manifest.files, key_of)
    async with _single_loader(database):
        loader = _Loader(
            database,
            directory,
            manifest=manifest,
            fingerprint=fingerprint,
            key_of=key_of,
            string_of={key: entry.string_key for key, entry in catalogue.battery_by_key.items()},
            progress=progress,
        )
        return await loader.run()


class _single_loader:  # noqa: N801  # used like a function
    """Allow one loader at a time; a second one waits, then finds everything loaded."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._connection: AsyncConnection | None = None

    async def __aenter__(self) -> None:
        self._connection = await self._database.engine.connect()
        await self._connection.exec_driver_sql("set statement_timeout = 0")
        await self._connection.exec_driver_sql("select pg_advisory_lock($1)", (_LOCK,))
        await self._connection.commit()

    async def __aexit__(self, *_: object) -> None:
        assert self._connection is not None
        # Closed for good, not returned to the pool: the lock and the setting go with it.
        await self._connection.invalidate()
        await self._connection.close()


def _require_known_locations(manifest: HistoryManifest, catalogue: FleetCatalogue) -> None:
    unknown = sorted({file.location_id for file in manifest.files} - set(catalogue.locations))
    if unknown:
        raise HistoryRefused(f"The history has locations that are not in this fleet: {', '.join(unknown)}.")


class _Loader:
    def __init__(
        self,
        database: Database,
        directory: Path,
        *,
        manifest: HistoryManifest,
        fingerprint: str,
        key_of: Mapping[str, Mapping[str, int]],
        string_of: Mapping[int, int],
        progress: Progress,
    ) -> None:
        self._database = database
        self._directory = directory
        self._manifest = manifest
        self._fingerprint = fingerprint
        self._progress = progress
        self._total = sum(file.rows for file in manifest.files)
        self._done = 0
        self._key_of = key_of
        self._string_of = string_of

    async def run(self) -> int:
        """Load the files that are not loaded yet."""
        finished = list(await self._finished_files())
        files = [file for file in self._manifest.files if file.path not in finished]
        self._report(sum(file.rows for file in self._manifest.files if file.path in finished))
        # The next file is read while the server stores the current one.
        ahead = self._reading(files[0]) if files else None
        for number, file in enumerate(files):
            assert ahead is not None
            rows = await ahead
            ahead = self._reading(files[number + 1]) if number + 1 < len(files) else None
            await self._load(rows)
            finished.append(file.path)
            await self._save("running", finished)
        await self._leave_to_twin()
        await self._save("finished", finished)
        return self._total

    async def _leave_to_twin(self) -> None:
        """Let the twin go through the history: what it holds of discharges is evidence of the present."""
        codes = sorted({file.location_id for file in self._manifest.files})
        async with self._database.begin() as connection:
            await connection.exec_driver_sql(_LEAVE_TO_TWIN, (codes, self._manifest.start))

    def _reading(self, file: HistoryFile) -> "asyncio.Task[HistoryRows]":
        read = asyncio.to_thread(read_rows, self._directory, file, self._key_of[TABLES[file.table].key])
        return asyncio.create_task(read)

    async def _finished_files(self) -> Sequence[str]:
        async with self._database.begin() as connection:
            result = await connection.exec_driver_sql("select detail::text from job where name = $1", (JOB,))
            saved = result.scalar()
        detail = orjson.loads(saved) if saved else {}
        if detail.get("manifest") != self._fingerprint:
            return ()
        files: list[str] = detail["files"]
        return files

    async def _save(self, state: str, finished: Sequence[str]) -> None:
        detail = orjson.dumps({"manifest": self._fingerprint, "files": list(finished)}).decode()
        values = (JOB, state, self._done, self._total, detail, datetime.now(UTC))
        async with self._database.begin() as connection:
            await connection.exec_driver_sql(_SAVE, values)

    async def _load(self, rows: HistoryRows) -> None:
        for part in _chunks(rows):
            await self._store_rows(part)
            self._report(len(part))
        await self._mark_discharges(rows)
        await self._mark_days(rows)
        if rows.spec.table != "telemetry" or not len(rows):
            return
        await self._store_rollups(rows)
        await self._update_resistances(rows)

    def _report(self, rows: int) -> None:
        self._done += rows
        self._progress(self._done, self._total)

    async def _store_rows(self, rows: HistoryRows) -> None:
        """Store one chunk in one short transaction, together with its counts."""
        encoded = await asyncio.to_thread(_encoded, rows)
        key = rows.spec.key
        async with self._database.begin() as connection:
            await _relax(connection)
            if await _copied(connection, rows.spec.table, rows.columns(), encoded):
                new_keys, new_times = rows.key, rows.time_us
            else:
                statement = (
                    f"insert into {rows.spec.table} ({', '.join(rows.columns())}) "
                    f"select {', '.join(rows.columns())} from staged_history on conflict do nothing "
                    f"returning {key}, (extract(epoch from time) * 1000000)::bigint"
                )
                await _stage(connection, rows.spec.table, rows.columns(), encoded)
                stored = await fetch_all(connection, statement)
                table = np.array([tuple(row) for row in stored], np.int64).reshape(-1, 2)
                new_keys, new_times = table[:, 0], table[:, 1]
            if rows.spec.table == "telemetry":
                await _count(connection, new_keys, new_times)

    async def _store_rollups(self, rows: HistoryRows) -> None:
        hourly = await asyncio.to_thread(hourly_buckets, rows)
        for name, buckets in (("telemetry_hourly", hourly), ("telemetry_daily", daily_buckets(hourly))):
            for part in _bucket_chunks(buckets):
                await self._store_buckets(name, part)
        async with self._database.begin() as connection:
            batteries = np.unique(rows.key).tolist()
            await connection.exec_driver_sql(_MARK_LIVE, (batteries, self._manifest.start, self._manifest.end))
            # What holds from the readings before a file into it, and from it into those after it, is in no file.
            edges = np.flatnonzero(np.append(True, rows.key[1:] != rows.key[:-1]))
            edges = np.concatenate([edges, np.append(edges[1:], len(rows)) - 1])
            strings = np.array([self._string_of[key] for key in rows.key[edges].tolist()], np.int64)
            await mark_rollups(connection, Keys(strings), rows.time_us[edges])

    async def _store_buckets(self, name: str, buckets: Buckets) -> None:
        encoded = await asyncio.to_thread(lambda: SIGNATURE + encode_rows(buckets.copy_fields()) + TRAILER)
        async with self._database.begin() as connection:
            await _relax(connection)
            if await _copied(connection, name, _ROLLUP_COLUMNS, encoded):
                return
            await _stage(connection, name, _ROLLUP_COLUMNS, encoded)
            await connection.exec_driver_sql(
                f"insert into {name} ({', '.join(_ROLLUP_COLUMNS)}) select {', '.join(_ROLLUP_COLUMNS)} "
                "from staged_history on conflict do nothing"
            )

    async def _mark_discharges(self, rows: HistoryRows) -> None:
        if "current_a" not in rows.spec.reals:
            return
        chosen = np.flatnonzero(is_discharging(rows.reals["current_a"]))
        keys = rows.key[chosen]
        if rows.spec.key == "battery_id":
            keys = np.array([self._string_of[key] for key in keys.tolist()], np.int64)
        async with self._database.begin() as connection:
            await mark_discharges(connection, Keys(keys), rows.time_us[chosen])

    async def _mark_days(self, rows: HistoryRows) -> None:
        kind = _KINDS[rows.spec.key]
        async with self._database.begin() as connection:
            await mark_days(connection, kind, Keys(rows.key), rows.time_us)

    async def _update_resistances(self, rows: HistoryRows) -> None:
        """Set the newest ohmic value of the history, unless a live one is newer."""
        measured = np.flatnonzero(~np.isnan(rows.reals["internal_resistance_mohm"]))
        if not len(measured):
            return
        keys = rows.key[measured]
        newest = measured[np.append(np.flatnonzero(keys[1:] != keys[:-1]), len(keys) - 1)]
        async with self._database.begin() as connection:
            locked = await fetch_all(connection, _LOCK_BATTERIES, (rows.key[newest].tolist(),))
            stored = {row[0]: row[1] for row in locked}
            chosen = np.array([row for row in newest.tolist() if _is_newer(rows, row, stored)], np.int64)
            await update_rows(
                connection,
                "battery_state",
                integers("battery_id", rows.key[chosen]),
                [
                    reals("internal_resistance_mohm", rows.reals["internal_resistance_mohm"][chosen]),
                    instants("resistance_at", rows.time_us[chosen]),
                    reals("resistance_temperature_c", rows.reals["temperature_c"][chosen]),
                ],
            )


def _is_newer(rows: HistoryRows, row: int, stored: dict[int, datetime | None]) -> bool:
    key = int(rows.key[row])
    if key not in stored:
        return False
    before = stored[key]
    return before is None or int(rows.time_us[row]) > round(before.timestamp() * 1e6)


def _chunks(rows: HistoryRows) -> Iterator[HistoryRows]:
    for start in range(0, len(rows), _CHUNK_ROWS):
        yield rows.part(slice(start, start + _CHUNK_ROWS))


def _bucket_chunks(buckets: Buckets) -> Iterator[Buckets]:
    for start in range(0, len(buckets), _CHUNK_ROWS):
        yield buckets.part(slice(start, start + _CHUNK_ROWS))


def _encoded(rows: HistoryRows) -> bytes:
    return (
        SIGNATURE + b"".join(encode_rows(part.fields(categories)) for categories, part in rows.by_category()) + TRAILER
    )


async def _relax(connection: AsyncConnection) -> None:
    # The commit that records a finished file is durable, and with it every chunk before; a single chunk need not be.
    await connection.exec_driver_sql("set local synchronous_commit = off")


async def _copied(connection: AsyncConnection, table: str, columns: Sequence[str], encoded: bytes) -> bool:
    """Copy straight into a table; false, with nothing written, if one of the rows is already stored."""
    try:
        async with connection.begin_nested():
            await _copy(connection, table, columns, encoded)
    except UniqueViolationError:
        return False
    return True


async def _stage(connection: AsyncConnection, table: str, columns: Sequence[str], encoded: bytes) -> None:
    """Copy into a temporary table of this transaction, from which rows that are already stored can be skipped."""
    await connection.exec_driver_sql(
        f"create temporary table staged_history on commit drop as select {', '.join(columns)} from {table} with no data"
    )
    await _copy(connection, "staged_history", columns, encoded)


async def _copy(connection: AsyncConnection, table: str, columns: Sequence[str], encoded: bytes) -> None:
    raw: Any = (await connection.get_raw_connection()).driver_connection
    await raw.copy_to_table(table, source=BytesIO(encoded), columns=list(columns), format="binary")


async def _count(connection: AsyncConnection, keys: IntArray, times_us: IntArray) -> None:
    pairs, counts = np.unique(np.stack([keys, day_floor(times_us)], axis=1), axis=0, return_counts=True)
    table = np.zeros((len(pairs), len(COUNTS)), np.int64)
    table[:, COUNTS.index("received")] = table[:, COUNTS.index("accepted")] = counts
    await add_counts(connection, Keys(pairs[:, 0]), pairs[:, 1], table)
