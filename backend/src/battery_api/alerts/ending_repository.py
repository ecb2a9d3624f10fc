"""What ends with a battery: its alerts, and those of a string or location in which nothing is left to watch."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

import orjson
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from battery_api.telemetry.store.fleet_index import Kind

# In the order in which ingest locks them: holding the location's row keeps its readings out until the commit.
_LOCKS: Final[Sequence[Kind]] = ("location", "string", "battery")


def _in_service(column: str) -> str:
    # A stale alert is about readings that stopped; batteries that never sent one cannot bring them back.
    return (
        "select from battery o join battery_state s on s.battery_id = o.id "
        f"where o.removed_at is null and o.retired_at is null and o.{column} = a.{column} "
        "and (a.type <> 'data_stale' or s.time is not null)"
    )


_HANGING: Final = text(
    f"""
    select a.id, a.location_id, a.string_id, a.battery_id, a.raised_at
    from alert a
    where a.cleared_at is null and (
        a.battery_id = any(:batteries)
        or (a.battery_id is null and a.string_id = any(:strings)
            and not exists ({_in_service("string_id")}))
        or (a.battery_id is null and a.string_id is null and a.location_id = any(:locations)
            and not exists ({_in_service("location_id")})))
    order by a.id for update of a
    """  # noqa: S608  # names of the code
)
_END: Final = text(
    """
    update alert a set cleared_at = i.at, end_reason = i.reason
    from unnest(cast(:ids as bigint[]), cast(:at as timestamptz[]), cast(:reasons as text[])) as i(id, at, reason)
    where a.id = i.id
    """
)
_TIMELINE: Final = text(
    """
    insert into alert_event (alert_id, at, kind, actor_id, note, data)
    select i.id, i.at, 'ended', :actor_id, i.note, cast(i.data as jsonb)
    from unnest(cast(:ids as bigint[]), cast(:at as timestamptz[]), cast(:notes as text[]), cast(:data as text[]))
        as i(id, at, note, data)
    """
)
_RESTART_BATTERIES: Final = text(
    """
    update battery_state set rule_state = null, open_info = 0, open_warning = 0, open_critical = 0
    where battery_id = any(:keys)
    """
)


class HangingAlert(NamedTuple):
    """An open alert that has lost its subject."""

    alert_id: int
    location: int
    string: int | None
    battery: int | None
    raised_at: datetime


class EndEntry(NamedTuple):
    """How one alert ends."""

    alert_id: int
    at: datetime
    reason: str
    note: str | None
    data: dict[str, Any]


async def lock_subjects(
    connection: AsyncConnection, *, locations: Sequence[int], strings: Sequence[int], batteries: Sequence[int]
) -> None:
    """Lock the state rows of subjects, so that no reading judges them until the commit."""
    for kind, keys in zip(_LOCKS, (locations, strings, batteries), strict=True):
        statement = text(
            f"select 1 from {kind}_state where {kind}_id = any(:keys) order by {kind}_id for update"  # noqa: S608  # names of the code
        )
        await connection.execute(statement, {"keys": list(keys)})


async def list_hanging(
    connection: AsyncConnection, *, locations: Sequence[int], strings: Sequence[int], batteries: Sequence[int]
) -> list[HangingAlert]:
    """Return and lock the open alerts of ended batteries, and those of strings and locations that ended with them."""
    keys = {"locations": list(locations), "strings": list(strings), "batteries": list(batteries)}
    return [HangingAlert(*row) for row in await connection.execute(_HANGING, keys)]


async def end_alerts(connection: AsyncConnection, entries: Sequence[EndEntry], *, actor_id: int | None) -> None:
    """Clear alerts and write the end into their timelines."""
    ids, at = [entry.alert_id for entry in entries], [entry.at for entry in entries]
    await connection.execute(_END, {"ids": ids, "at": at, "reasons": [entry.reason for entry in entries]})
    await connection.execute(
        _TIMELINE,
        {
            "ids": ids,
            "at": at,
            "notes": [entry.note for entry in entries],
            "data": [orjson.dumps(entry.data, option=orjson.OPT_UTC_Z).decode() for entry in entries],
            "actor_id": actor_id,
        },
    )


async def restart_rules(connection: AsyncConnection, *, batteries: Sequence[int], strings: Sequence[int]) -> None:
    """Forget the rule states of ended batteries, and of strings and their locations without a battery in service."""
    await connection.execute(_RESTART_BATTERIES, {"keys": list(batteries)})
    for kind in ("string", "location"):
        await connection.execute(
            text(
                f"update {kind}_state t set rule_state = null where t.rule_state is not null and t.{kind}_id in "  # noqa: S608  # names of the code
                f"(select b.{kind}_id from battery b where b.string_id = any(:strings)) and not exists "
                f"(select from battery o where o.{kind}_id = t.{kind}_id and o.removed_at is null "
                "and o.retired_at is null)"
            ),
            {"strings": list(strings)},
        )
