"""Reads of predictions: the newest of each battery, the history of one, and the figures of the fleet."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import text
from sqlalchemy.engine import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from battery_servicekit.pagination import PageRequest

NOT_PREDICTED_YET: Final = "not_predicted_yet"
SORTS: Final[Mapping[str, str]] = {
    "p10_days": "x.p10_days",
    "p50_days": "x.p50_days",
    "battery_id": "x.battery_code",
    "predicted_at": "x.predicted_at",
}
"""Sort keys of the list; batteries without the value come last."""
# Days count from `as_of`; of an old prediction fewer are left.
_NEWEST: Final = f"""
    select b.code as battery_code, g.code as string_code, l.code as location_code, s.rul_predicted_at as predicted_at,
           p.as_of, s.rul_p10_days as p10_days, s.rul_p50_days as p50_days, s.rul_p90_days as p90_days,
           s.rul_follow_up_days as longer_than_days, coalesce(s.rul_source, 'none') as source,
           coalesce(s.rul_is_conflict, false) as is_conflict,
           case when s.rul_predicted_at is null then '{NOT_PREDICTED_YET}' else s.rul_withheld_reason end
               as withheld_reason,
           p.ml_reasons -> 0 as main_reason, p.ml_model_version as model_version,
           s.rul_p10_days - date_part('epoch', cast(:now as timestamptz) - p.as_of) / 86400 as left_days
    from battery b
    join string g on g.id = b.string_id
    join location l on l.id = b.location_id
    join battery_state s on s.battery_id = b.id
    left join lateral (
        select q.as_of, q.ml_reasons, q.ml_model_version from rul_prediction q
        where q.battery_id = b.id and q.predicted_at = s.rul_predicted_at order by q.id desc limit 1
    ) p on true
    where b.removed_at is null and b.retired_at is null
      and (cast(:visible as text[]) is null or l.code = any(:visible))
"""
_BATTERY: Final = text(
    """
    select b.id, b.code, b.retired_at from battery b join location l on l.id = b.location_id
    where b.code = :code and b.removed_at is null and (cast(:visible as text[]) is null or l.code = any(:visible))
    """
)
_ENTRIES: Final = text(
    "select * from rul_prediction where battery_id = :battery order by predicted_at desc, id desc "
    "offset :skip limit :limit"
)
_COUNT: Final = text("select count(*) from rul_prediction where battery_id = :battery")
_BY_LOCATION: Final = text(
    f"""
    select location_code, count(*) as total, count(p50_days) as predicted,
           count(*) filter (where left_days <= 90) as due_within_90_days,
           count(*) filter (where left_days <= 180) as due_within_180_days,
           min(case when left_days < 0 then 0 else left_days end) as shortest_p10_days,
           max(predicted_at) as predicted_at,
           array_agg(p50_days) filter (where p50_days is not null) as p50_days,
           (array_agg(model_version order by predicted_at desc) filter (where model_version is not null))[1]
               as model_version
    from ({_NEWEST}) x group by location_code order by location_code
    """
)


@dataclass(frozen=True, slots=True)
class PredictionFilter:
    """Which batteries in service to list; None means any. ``visible`` holds the caller's locations, None for all."""

    visible: frozenset[str] | None = None
    location_id: str | None = None
    string_id: str | None = None
    source: str | None = None
    is_conflict: bool | None = None
    due_within_days: float | None = None

    def condition(self) -> tuple[str, dict[str, Any]]:
        """Return the SQL condition on the joined row and its parameters."""
        compared = {
            "x.location_code = :location_id": self.location_id,
            "x.string_code = :string_id": self.string_id,
            "x.source = :source": self.source,
            "x.is_conflict = :is_conflict": self.is_conflict,
            "x.left_days <= :due_within_days": self.due_within_days,
        }
        given = {clause: value for clause, value in compared.items() if value is not None}
        values = {clause.rpartition(":")[2]: value for clause, value in given.items()}
        return " and ".join(given) or "true", values


class BatteryKey(NamedTuple):
    """A battery that the caller may see."""

    key: int
    code: str
    retired_at: datetime | None


class LocationFigures(NamedTuple):
    """Predictions of a location; days left count from now on."""

    location_code: str
    total: int
    predicted: int
    due_within_90_days: int
    due_within_180_days: int
    shortest_p10_days: float | None
    predicted_at: datetime | None
    p50_days: list[float] | None
    model_version: str | None


async def find_battery(connection: AsyncConnection, code: str, visible: frozenset[str] | None) -> BatteryKey | None:
    """Return the battery in a position, None if the caller may not see one."""
    row = (await connection.execute(_BATTERY, {"code": code, "visible": _listed(visible)})).first()
    return None if row is None else BatteryKey(*row)


async def list_entries(connection: AsyncConnection, battery: int, page: PageRequest) -> tuple[list[RowMapping], int]:
    """Return a page of a battery's predictions, newest first, and how many there are."""
    values = {"battery": battery, "skip": page.skip, "limit": page.limit}
    rows = (await connection.execute(_ENTRIES, values)).mappings().all()
    return list(rows), await connection.scalar(_COUNT, {"battery": battery}) or 0


async def list_newest(
    connection: AsyncConnection, wanted: PredictionFilter, page: PageRequest, now: datetime, *, sort: str, order: str
) -> tuple[list[RowMapping], int]:
    """Return a page of the newest predictions and how many batteries match; ``order`` is asc or desc."""
    condition, values = wanted.condition()
    values |= {"now": now, "visible": _listed(wanted.visible)}
    direction = "desc" if order == "desc" else "asc"
    rows = await connection.execute(
        text(
            f"select * from ({_NEWEST}) x where {condition} "
            f"order by {SORTS[sort]} {direction} nulls last, x.battery_code offset :skip limit :limit"
        ),
        values | {"skip": page.skip, "limit": page.limit},
    )
    total = await connection.scalar(text(f"select count(*) from ({_NEWEST}) x where {condition}"), values)
    return list(rows.mappings().all()), total or 0


async def list_figures(
    connection: AsyncConnection, visible: frozenset[str] | None, now: datetime
) -> list[LocationFigures]:
    """Return the figures of each location that the caller may see, by code."""
    rows = await connection.execute(_BY_LOCATION, {"visible": _listed(visible), "now": now})
    return [LocationFigures(*row) for row in rows]


def _listed(visible: frozenset[str] | None) -> list[str] | None:
    return None if visible is None else sorted(visible)
