"""The strings of maintenance windows: their discharges, and whether they have recharged."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from battery_api.telemetry.store.string_modes import RECHARGE_ABOVE_A

SHORTEST_RECHARGE: Final = timedelta(hours=8)
"""A full recharge takes 8 to 24 h (EJ); a small current before is a pause of the charger."""
_IN_SCOPE: Final = """(
    case s.scope when 'location' then g.location_id = s.location_id when 'system' then g.system_id = s.system_id
    when 'string' then g.id = s.string_id
    else exists (select from string_tag t where t.string_id = g.id and t.tag = s.tag) end
)"""
_DISCHARGES: Final = text(
    f"""
    select e.id, g.code, e.started_at, e.ended_at, e.depth_pct, e.complete, e.is_open
    from silence s join string g on {_IN_SCOPE} join location l on l.id = g.location_id
    join discharge_event e on e.string_id = g.id
    where s.id = :id and e.started_at < coalesce(s.ended_at, s.ends_at) and e.ended_at >= s.starts_at
      and (cast(:visible as text[]) is null or l.code = any(cast(:visible as text[])))
    order by e.started_at, g.code
    """  # noqa: S608  # conditions of the code
)
# A string has recharged when its sender reports float, or hours after its discharge when its current has come down to
# what no longer is a charge: the 72 h after which its voltages can be compared again are no part of the test. One that
# is silent since the planned end may be anywhere, so that only the latest end closes the window.
_CLOSE: Final = text(
    f"""
    update silence w set ended_at = :now
    where w.kind = 'test' and w.ended_at is null and w.planned_ends_at <= :now and w.ends_at > :now
      and (select bool_and(coalesce(
               x.mode = 'float' and x.time >= s.planned_ends_at
               or x.mode = 'recharge' and x.last_discharge_at <= :recharging_since
                  and x.known_current_at >= s.planned_ends_at and abs(x.known_current_a) <= {RECHARGE_ABOVE_A}, false))
           from silence s join string g on {_IN_SCOPE} join string_state x on x.string_id = g.id
           where s.id = w.id and exists (
               select from battery b where b.string_id = g.id and b.removed_at is null and b.retired_at is null))
    returning w.id
    """  # noqa: S608  # conditions of the code
)


class StoredDischarge(NamedTuple):
    """A discharge of a string of a window."""

    discharge_id: int
    string_id: str
    started_at: datetime
    ended_at: datetime
    depth_pct: float
    complete: bool
    is_open: bool


async def list_discharges(
    connection: AsyncConnection, window_id: int, visible: frozenset[str] | None
) -> Sequence[StoredDischarge]:
    """Return the discharges within a window of strings in the caller's locations, oldest first."""
    values: dict[str, Any] = {"id": window_id, "visible": None if visible is None else sorted(visible)}
    return [StoredDischarge(*row) for row in await connection.execute(_DISCHARGES, values)]


async def close_recharged(connection: AsyncConnection, now: datetime) -> list[int]:
    """End the tests whose planned end is over and whose strings have all recharged; return their numbers."""
    values = {"now": now, "recharging_since": now - SHORTEST_RECHARGE}
    return [row.id for row in await connection.execute(_CLOSE, values)]
