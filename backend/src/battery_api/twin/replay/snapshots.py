"""What the twin knew of a string at an instant: the start of a replay, kept again on its way."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import orjson
from sqlalchemy.ext.asyncio import AsyncConnection

from battery_api.db.fetching import fetch_all
from battery_api.telemetry.ingest.locked_state import StringStates
from battery_api.telemetry.ingest.twin_inputs import EstimatorState
from battery_api.telemetry.replay.known_strings import encoded_string, string_states
from battery_api.telemetry.store.instants import NEVER, instant, microseconds

_NEWEST: Final = """
    (select at, string, battery_ids, states from twin_snapshot where string_id = $1 and at < $2
     order by at desc limit 1)
    union all
    (select at, string, battery_ids, states from twin_snapshot where string_id = $1 and is_first)
    order by at desc limit 1
"""
_DROP: Final = "delete from twin_snapshot where string_id = $1 and at >= $2 and not is_first"
_KEEP: Final = """
    insert into twin_snapshot (string_id, at, is_kept, string, battery_ids, states)
    values ($1, $2, $3, $4::jsonb, $5::int[], $6::bytea[])
    on conflict (string_id, at) do update set
        is_kept = twin_snapshot.is_kept or excluded.is_kept, string = excluded.string,
        battery_ids = excluded.battery_ids, states = excluded.states
"""
# Of those that are not kept, what is needed for readings that come late within a day.
_THIN: Final = "delete from twin_snapshot where not is_first and (at < $1 or not is_kept and at < $2)"
_RECENT: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What the twin knows of a string when every reading up to ``at_us`` is estimated; the states by battery key."""

    at_us: int
    string: StringStates
    states: Mapping[int, EstimatorState]

    @classmethod
    def nothing(cls) -> "Snapshot":
        """Return that of a string without readings."""
        return cls(NEVER, string_states([None]), {})


async def newest_snapshot(connection: AsyncConnection, string: int, before: datetime) -> Snapshot:
    """Return the newest snapshot of a string before an instant.

    Where the string has a first snapshot, it is that one at the earliest: the readings before it cannot be followed.
    Without any, the string's first reading comes after it.
    """
    rows = await fetch_all(connection, _NEWEST, (string, before))
    if not rows:
        return Snapshot.nothing()
    at, kept, battery_ids, states = rows[0]
    unpacked = {key: EstimatorState.unpack(state) for key, state in zip(battery_ids, states, strict=True)}
    return Snapshot(
        microseconds(at),
        string_states([orjson.loads(kept) if isinstance(kept, str) else kept]),
        {key: state for key, state in unpacked.items() if state is not None},
    )


async def drop_snapshots(connection: AsyncConnection, string: int, since: datetime) -> None:
    """Delete the snapshots of a string from an instant on; they know nothing of what came late."""
    await connection.exec_driver_sql(_DROP, (string, since))


async def keep_snapshot(connection: AsyncConnection, string: int, snapshot: Snapshot, *, is_kept: bool) -> None:
    """Keep what the twin knows of a string."""
    states: Sequence[tuple[int, EstimatorState]] = sorted(snapshot.states.items())
    kept: dict[str, Any] = encoded_string(snapshot.string)
    await connection.exec_driver_sql(
        _KEEP,
        (
            string,
            instant(snapshot.at_us),
            is_kept,
            orjson.dumps(kept).decode(),
            [key for key, _ in states],
            [state.pack() for _, state in states],
        ),
    )


async def thin_snapshots(connection: AsyncConnection, now: datetime, retention: timedelta) -> None:
    """Delete the snapshots that no reading can need any more: no reading older than the retention is accepted."""
    await connection.exec_driver_sql(_THIN, (now - retention, now - _RECENT))
