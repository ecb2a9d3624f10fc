"""What a silence is about, as keys of the fleet."""

from typing import Any, Final, NamedTuple

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from battery_api.accounts.principal import Principal
from battery_api.alerts.errors import ScopeNotFound
from battery_api.silences.schemas import SilenceScope
from battery_servicekit.problems import FieldError


class ScopeKeys(NamedTuple):
    """The keys of what a silence is about; those that its scope does not have are None."""

    location_id: int | None = None
    system_id: int | None = None
    string_id: int | None = None
    tag: str | None = None


_LOCATION: Final = "select id as location_id, code from location where code = :code"
_SYSTEM: Final = (
    "select y.location_id, y.id as system_id, l.code from battery_system y join location l on l.id = y.location_id "
    "where y.code = :code"
)
_STRING: Final = (
    "select g.location_id, g.id as string_id, l.code from string g join location l on l.id = g.location_id "
    "where g.code = :code"
)
_TAG: Final = (
    "select distinct t.tag, l.code from string_tag t join string g on g.id = t.string_id "
    "join location l on l.id = g.location_id where t.tag = :code"
)
_SELECTS: Final = {
    SilenceScope.LOCATION: _LOCATION,
    SilenceScope.SYSTEM: _SYSTEM,
    SilenceScope.STRING: _STRING,
    SilenceScope.TAG: _TAG,
}


async def find_scope(
    connection: AsyncConnection, principal: Principal, scope: SilenceScope, scope_id: str
) -> ScopeKeys:
    """Return the keys of a scope that the caller may see as a whole.

    Raises
    ------
    ScopeNotFound
        There is none, or part of it is in a location that the caller may not see.
    """
    rows = (await connection.execute(text(_SELECTS[scope]), {"code": scope_id})).mappings().all()
    if not rows or not all(principal.may_see(row["code"]) for row in rows):
        detail = f"No {scope} {scope_id} that you may see" + (
            " with all its strings; PUT strings/{string_id}/tags names some." if scope is SilenceScope.TAG else "."
        )
        error = FieldError(field="scope_id", code=ScopeNotFound.code, detail=detail)
        raise ScopeNotFound(f"scope_id: {detail}", errors=[error])
    values: dict[str, Any] = {name: value for name, value in rows[0].items() if name != "code"}
    return ScopeKeys(**values)
