"""Stored overrides of alert rules."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import delete, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from battery_api.db.tables.alerts import AlertRuleOverride

OVERRIDE_VALUES: Final = ("raise_value", "clear_value", "hold_s", "clear_hold_s", "enabled")
"""Values of a rule that an override may set."""
_SELECT: Final = """
    select o.id, o.rule_id, o.scope, o.scope_id, o.raise_value, o.clear_value, o.hold_s, o.clear_hold_s, o.enabled,
           o.updated_at, u.username, o.reason, o.expires_at
    from alert_rule_override o left join "user" u on u.id = o.updated_by
"""
_IN_FORCE: Final = text(
    f"{_SELECT} where o.expires_at is null or o.expires_at > :now order by o.rule_id, o.scope, o.scope_id"
)
_BY_ID: Final = text(f"{_SELECT} where o.id = :override_id and o.rule_id = :rule_id")


class StoredOverride(NamedTuple):
    """An override with the name of the user who set it."""

    override_id: int
    rule_id: str
    scope: str
    scope_id: str
    raise_value: float | None
    clear_value: float | None
    hold_s: float | None
    clear_hold_s: float | None
    enabled: bool | None
    updated_at: datetime
    username: str | None
    reason: str | None
    expires_at: datetime | None


class EndedOverride(NamedTuple):
    """An override that has expired and is deleted."""

    rule_id: str
    scope: str
    scope_id: str


async def list_overrides(connection: AsyncConnection, now: datetime) -> Sequence[StoredOverride]:
    """Return every override in force."""
    return [StoredOverride(*row) for row in await connection.execute(_IN_FORCE, {"now": now})]


async def delete_expired(connection: AsyncConnection, now: datetime) -> Sequence[EndedOverride]:
    """Delete and return the overrides that have expired."""
    statement = delete(AlertRuleOverride).where(AlertRuleOverride.expires_at <= now)
    returning = statement.returning(AlertRuleOverride.rule_id, AlertRuleOverride.scope, AlertRuleOverride.scope_id)
    return [EndedOverride(*row) for row in await connection.execute(returning)]


async def find_override(connection: AsyncConnection, rule_id: str, override_id: int) -> StoredOverride | None:
    """Return an override of a rule, None if there is none."""
    row = (await connection.execute(_BY_ID, {"override_id": override_id, "rule_id": rule_id})).first()
    return None if row is None else StoredOverride(*row)


async def put_override(connection: AsyncConnection, rule_id: str, values: Mapping[str, Any]) -> StoredOverride:
    """Insert or replace the override of a rule for a scope."""
    statement = insert(AlertRuleOverride).values(rule_id=rule_id, **values)
    statement = statement.on_conflict_do_update(
        index_elements=["rule_id", "scope", "scope_id"],
        set_={
            name: statement.excluded[name]
            for name in (*OVERRIDE_VALUES, "updated_at", "updated_by", "reason", "expires_at")
        },
    )
    override_id = await connection.scalar(statement.returning(AlertRuleOverride.id))
    assert override_id is not None
    stored = await find_override(connection, rule_id, override_id)
    assert stored is not None
    return stored


async def delete_override(connection: AsyncConnection, override_id: int) -> None:
    """Delete an override."""
    await connection.execute(delete(AlertRuleOverride).where(AlertRuleOverride.id == override_id))
