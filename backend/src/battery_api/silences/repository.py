"""Stored silences, and the alerts that they covered."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import insert, text
from sqlalchemy.ext.asyncio import AsyncConnection

from battery_api.db.tables.silences import Silence

IN_LOCATIONS: Final = """(
    case when s.tag is null then l.code = any(cast({0} as text[]))
    else exists (select from string_tag t join string p on p.id = t.string_id join location q on q.id = p.location_id
                 where t.tag = s.tag and q.code = any(cast({0} as text[]))) end
)"""
"""Whether a silence is about something in the locations of a parameter, as SQL of the rows of `_JOINED`."""
_STATE: Final = """
    case when coalesce(s.ended_at, s.ends_at) <= :now then 'ended'
         when s.starts_at > :now then 'upcoming' else 'active' end
"""
_JOINED: Final = """
    from silence s left join location l on l.id = s.location_id left join battery_system y on y.id = s.system_id
    left join string g on g.id = s.string_id
"""
_COLUMNS: Final = f"""
    select s.id, s.kind, {_STATE} as state, s.scope, coalesce(s.tag, g.code, y.code, l.code) as scope_id, s.types,
           s.starts_at, s.ends_at, s.planned_ends_at, s.reason, s.covers_safety, s.created_at, s.created_by,
           s.created_by_id, s.approved_at, s.approved_by, s.ended_at, s.ended_by,
           (select count(distinct r.alert_id)::int from silenced_alert r where r.silence_id = s.id) as hidden_count
    {_JOINED}
"""  # noqa: S608  # conditions of the code
_ORDER: Final = f"array_position(array['active', 'upcoming', 'ended'], {_STATE}), s.starts_at desc, s.id desc"


class StoredSilence(NamedTuple):
    """A silence or window with the ids of what it is about; ``state`` is that of the instant of the query."""

    id: int
    kind: str
    state: str
    scope: str
    scope_id: str
    types: Sequence[str] | None
    starts_at: datetime
    ends_at: datetime
    planned_ends_at: datetime | None
    reason: str
    covers_safety: bool
    created_at: datetime
    created_by: str
    created_by_id: int | None
    approved_at: datetime | None
    approved_by: str | None
    ended_at: datetime | None
    ended_by: str | None
    hidden_count: int


class SilencedSpan(NamedTuple):
    """An alert, and the span in which a silence covered it."""

    alert_id: int
    from_at: datetime
    until_at: datetime | None


@dataclass(frozen=True, slots=True)
class SilenceFilter:
    """Which silences to list; None or empty means any. ``visible`` holds the caller's locations, None for all."""

    kinds: Sequence[str]
    visible: frozenset[str] | None = None
    location_id: str | None = None
    states: Sequence[str] = ()

    def conditions(self) -> tuple[str, dict[str, Any]]:
        """Return the conditions as SQL, and their parameters."""
        clauses, values = ["s.kind = any(:kinds)"], {"kinds": list(self.kinds)}
        if self.visible is not None:
            clauses.append(IN_LOCATIONS.format(":visible"))
            values["visible"] = sorted(self.visible)
        if self.location_id is not None:
            clauses.append(IN_LOCATIONS.format(":locations"))
            values["locations"] = [self.location_id]
        if self.states:
            clauses.append(f"({_STATE}) = any(:states)")
            values["states"] = list(self.states)
        return " and ".join(clauses), values


async def insert_silence(connection: AsyncConnection, values: Mapping[str, Any]) -> int:
    """Write a silence; return its number."""
    number: int | None = await connection.scalar(insert(Silence).values(**values).returning(Silence.id))
    assert number is not None
    return number


async def list_silences(
    connection: AsyncConnection, wanted: SilenceFilter, *, skip: int, limit: int, now: datetime
) -> tuple[list[StoredSilence], int]:
    """Return a page of silences, those in force first, and the number of all that match."""
    where, values = wanted.conditions()
    values |= {"now": now}
    total = await connection.scalar(text(f"select count(*) {_JOINED} where {where}"), values) or 0
    statement = text(f"{_COLUMNS} where {where} order by {_ORDER} offset :skip limit :limit")
    rows = await connection.execute(statement, {**values, "skip": skip, "limit": limit})
    return [StoredSilence(*row) for row in rows], total


async def find_silence(
    connection: AsyncConnection, number: int, wanted: SilenceFilter, *, now: datetime, lock: bool = False
) -> StoredSilence | None:
    """Return a silence that matches, None if there is none; with ``lock`` nobody else changes it until the commit."""
    if lock:
        # No stronger lock: whoever hides an alert by it refers to its key, and holds a location that we lock later.
        await connection.execute(text("select from silence where id = :id for no key update"), {"id": number})
    where, values = wanted.conditions()
    statement = text(f"{_COLUMNS} where s.id = :id and {where}")
    row = (await connection.execute(statement, {**values, "id": number, "now": now})).first()
    return None if row is None else StoredSilence(*row)


async def end(connection: AsyncConnection, number: int, *, at: datetime, actor: str | None) -> None:
    """Let a silence end."""
    statement = text("update silence set ended_at = :at, ended_by = :actor where id = :id and ended_at is null")
    await connection.execute(statement, {"id": number, "at": at, "actor": actor})


async def approve(connection: AsyncConnection, number: int, *, at: datetime, actor: str, user_id: int) -> None:
    """Let a silence cover life-safety alerts too."""
    statement = text(
        "update silence set approved_at = :at, approved_by = :actor, approved_by_id = :by "
        "where id = :id and approved_at is null"
    )
    await connection.execute(statement, {"id": number, "at": at, "actor": actor, "by": user_id})


async def list_spans(
    connection: AsyncConnection, number: int, visible: frozenset[str] | None, *, skip: int, limit: int
) -> tuple[list[SilencedSpan], int]:
    """Return a page of what a silence covered in the caller's locations, the newest first, and the number of all."""
    joined = """
        from silenced_alert r join alert a on a.id = r.alert_id join location l on l.id = a.location_id
        where r.silence_id = :id and (cast(:visible as text[]) is null or l.code = any(cast(:visible as text[])))
          and a.withdrawn_at is null
    """
    values: dict[str, Any] = {"id": number, "visible": None if visible is None else sorted(visible)}
    total = await connection.scalar(text(f"select count(*) {joined}"), values) or 0
    statement = text(
        f"select a.id, r.from_at, coalesce(r.until_at, a.cleared_at) {joined} "
        "order by r.from_at desc, r.id desc offset :skip limit :limit"
    )
    rows = await connection.execute(statement, {**values, "skip": skip, "limit": limit})
    return [SilencedSpan(*row) for row in rows], total


async def put_tags(connection: AsyncConnection, string_key: int, tags: Sequence[str]) -> None:
    """Replace the tags of a string."""
    values = {"string": string_key, "tags": list(tags)}
    await connection.execute(
        text("delete from string_tag where string_id = :string and not tag = any(cast(:tags as text[]))"), values
    )
    await connection.execute(
        text(
            "insert into string_tag (string_id, tag) select :string, tag from unnest(cast(:tags as text[])) as i(tag) "
            "on conflict do nothing"
        ),
        values,
    )


async def read_tags(connection: AsyncConnection, string_key: int) -> list[str]:
    """Return the tags of a string, sorted."""
    statement = text("select tag from string_tag where string_id = :string order by tag")
    return list(await connection.scalars(statement, {"string": string_key}))
