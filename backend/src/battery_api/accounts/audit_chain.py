"""Verify that the audit log is whole: every row carries a hash of itself and of the row before it.

The hash is SHA-256, in hexadecimal digits, of the row as canonical JSON: an object of its columns and of
``previous_hash``, as PostgreSQL prints ``jsonb`` (keys by length, then by bytes; one space after colon and comma),
with ``at`` in UTC and microseconds. The first row's ``previous_hash`` is 64 zeros.

Rows that are cut off at the end leave a chain that is whole in itself. So keep the newest position and hash elsewhere
and give them to the next verification.
"""

import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final, NamedTuple

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

FIRST_PREVIOUS: Final = "0" * 64
_BATCH: Final = 5000
# Spelled out and not a function of the database: whoever changes the log could change that as well.
_ROWS: Final = text(
    """
    select id, previous_hash, hash, jsonb_build_object(
        'id', id,
        'at', to_char(at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
        'actor', actor,
        'actor_id', actor_id,
        'action', action,
        'target', target,
        'address', address,
        'request_id', request_id,
        'data', data,
        'previous_hash', previous_hash
    )::text as canonical
    from audit_log where id > :after order by id limit :batch
    """
)


class ChainPoint(NamedTuple):
    """Position and hash of one row."""

    audit_id: int
    hash: str


@dataclass(frozen=True, slots=True)
class ChainBreak:
    """The first row at which the chain does not hold, and why."""

    audit_id: int
    reason: str


@dataclass(frozen=True, slots=True)
class ChainReport:
    """Number of rows that hold, the last of them, and the first break if there is one."""

    row_count: int
    last: ChainPoint | None
    broken: ChainBreak | None


class _Row(NamedTuple):
    id: int
    previous_hash: str
    hash: str
    canonical: str


async def verify_chain(connection: AsyncConnection, known: ChainPoint | None = None) -> ChainReport:
    """Compute every hash again, from the first row on, and stop at the first break.

    Parameters
    ----------
    known
        A row of an earlier verification, which must still be there with the same hash.
    """
    count, last = 0, ChainPoint(0, FIRST_PREVIOUS)
    async for row in _rows(connection):
        reason = _fault(row, last, known)
        if reason is not None:
            return ChainReport(count, last if count else None, ChainBreak(row.id, reason))
        count, last = count + 1, ChainPoint(row.id, row.hash)
    broken = None
    if known is not None and known.audit_id > last.audit_id:
        broken = ChainBreak(known.audit_id, "the row was there before and is missing: the end of the log was cut off")
    return ChainReport(count, last if count else None, broken)


def _fault(row: _Row, last: ChainPoint, known: ChainPoint | None) -> str | None:
    if row.previous_hash != last.hash:
        before = f"row {last.audit_id}" if last.audit_id else "the beginning"
        return f"it does not follow {before}: a row between them was removed, or one of the two was replaced"
    if hashlib.sha256(row.canonical.encode()).hexdigest() != row.hash:
        return "its content was changed after it was written"
    if known is not None and known.audit_id == row.id and known.hash != row.hash:
        return "its hash differs from the one that was noted before: the log was written again up to here"
    return None


async def _rows(connection: AsyncConnection) -> AsyncIterator[_Row]:
    after = None
    while True:
        # Also rows below the first position, which nobody but an intruder writes.
        values = {"after": -(2**63) if after is None else after, "batch": _BATCH}
        rows = [_Row(*row) for row in await connection.execute(_ROWS, values)]
        for row in rows:
            yield row
        if len(rows) < _BATCH:
            return
        after = rows[-1].id
