"""What the prediction watch reads: newest estimates of batteries, their last month of predictions, and open alerts."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from battery_api.alerts.engine.predictions import COMPARED, Health, LifeDays
from battery_api.fleet.withheld import estimate_sql

_CAPACITY_EVIDENCE: Final = "('measured', 'discharge_inferred')"
_BATTERIES: Final = text(
    f"""
    select x.*, case when x.soh_provenance in {_CAPACITY_EVIDENCE} then x.soh_pct end as evident_soh_pct
    from (
        select b.id as battery, b.code, b.string_id as string, g.system_id as system, b.location_id as location,
               s.rul_predicted_at, {estimate_sql("soh_pct")}, s.soh_sd_pct, s.soh_provenance
        from battery b
        join battery_state s on s.battery_id = b.id
        join string g on g.id = b.string_id
        where b.removed_at is null and b.retired_at is null
          and (s.rul_predicted_at is not null or s.soh_provenance in {_CAPACITY_EVIDENCE})
    ) x order by x.battery
    """
)
_OPEN: Final = text(
    """
    select a.id, a.type, a.rule_id, a.battery_id, a.resolved_at, a.raised_at,
           cast(a.message_params ->> 'predicted_at' as timestamptz), cast(a.message_params ->> 'as_of' as timestamptz)
    from alert a
    where a.cleared_at is null and a.battery_id is not null
      and a.type in ('rul_warning', 'rul_critical', 'rul_change', 'soh_degraded')
    """
)
# The newest that gives days: those of an earlier one run on while later ones are withheld.
_NEWEST: Final = text(
    """
    select p.* from unnest(cast(:batteries as int[])) as i(id)
    cross join lateral (
        select q.battery_id, q.as_of, q.predicted_at, q.fused_p10_days, q.fused_p50_days, q.fused_p90_days,
               q.fused_longer_than_days, q.source, q.ml_model_version, q.is_conflict, q.ml_p50_days, q.twin_p50_days,
               q.conflict_advice
        from rul_prediction q where q.battery_id = i.id and q.fused_p50_days is not null
        order by q.predicted_at desc, q.id desc limit 1
    ) p
    """
)
_DAILY: Final = text(
    """
    select distinct on (p.battery_id, p.as_of) p.battery_id, p.as_of, p.predicted_at, p.fused_p10_days,
           p.fused_p50_days, p.fused_p90_days, p.fused_longer_than_days, p.source, p.ml_model_version
    from unnest(cast(:batteries as int[]), cast(:newest as timestamptz[])) as i(id, newest)
    join rul_prediction p on p.battery_id = i.id and p.fused_p50_days is not null
        and p.as_of >= i.newest - cast(:compared as interval) and p.as_of <= i.newest
        and p.predicted_at >= i.newest - cast(:compared as interval)
    order by p.battery_id, p.as_of desc, p.predicted_at desc, p.id desc
    """
)
_LAST_CHANGE: Final = text(
    """
    select a.battery_id, max(cast(a.message_params ->> 'as_of' as timestamptz))
    from alert a where a.battery_id = any(:batteries) and a.type = 'rul_change' group by 1
    """
)


class EstimatedBattery(NamedTuple):
    """A battery in service of which something is estimated; ``health`` is None without capacity evidence."""

    battery: int
    code: str
    string: int
    system: int
    location: int
    rul_predicted_at: datetime | None
    health: Health | None


class OpenEstimateAlert(NamedTuple):
    """An open alert about an estimate, with the prediction that raised it."""

    alert_id: int
    type: str
    rule_id: str
    battery: int
    resolved_at: datetime | None
    raised_at: datetime
    predicted_at: datetime | None
    as_of: datetime | None


class NewestPrediction(NamedTuple):
    """The newest prediction of a battery that gives days, with what the two sources say."""

    days: LifeDays
    is_conflict: bool
    ml_p50_days: float | None
    twin_p50_days: float | None
    conflict_advice: str | None


async def list_batteries(connection: AsyncConnection) -> list[EstimatedBattery]:
    """Return the batteries in service of which something is estimated, by key."""
    found = []
    for row in await connection.execute(_BATTERIES):
        is_evident = row.evident_soh_pct is not None
        health = Health(row.evident_soh_pct, row.soh_sd_pct, row.soh_provenance) if is_evident else None
        found.append(
            EstimatedBattery(row.battery, row.code, row.string, row.system, row.location, row.rul_predicted_at, health)
        )
    return found


async def list_open(connection: AsyncConnection) -> list[OpenEstimateAlert]:
    """Return the open alerts about estimates."""
    return [OpenEstimateAlert(*row) for row in await connection.execute(_OPEN)]


async def read_newest(connection: AsyncConnection, batteries: Sequence[int]) -> dict[int, NewestPrediction]:
    """Return the newest prediction that gives days, by battery; one without any is absent."""
    rows = await connection.execute(_NEWEST, {"batteries": list(batteries)})
    return {battery: NewestPrediction(LifeDays(*rest[:8]), *rest[8:]) for battery, *rest in rows}


async def read_daily(connection: AsyncConnection, newest: dict[int, NewestPrediction]) -> dict[int, list[LifeDays]]:
    """Return the predictions of the days up to the newest, one per day and newest first, by battery."""
    values = {
        "batteries": list(newest),
        "newest": [one.days.as_of for one in newest.values()],
        "compared": COMPARED,
    }
    daily: dict[int, list[LifeDays]] = {}
    for battery, *rest in await connection.execute(_DAILY, values):
        daily.setdefault(battery, []).append(LifeDays(*rest))
    return daily


async def read_last_changes(connection: AsyncConnection, batteries: Sequence[int]) -> dict[int, datetime]:
    """Return the day of the last prediction that raised an alert about its fall, by battery."""
    rows = await connection.execute(_LAST_CHANGE, {"batteries": list(batteries)})
    return {battery: as_of for battery, as_of in rows if as_of is not None}
