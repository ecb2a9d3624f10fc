"""What became of batteries, from what is stored of them, and how far predictions were off."""

from datetime import datetime
from typing import Final, NamedTuple

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

_RECORD: Final = text(
    """
    insert into rul_outcome (battery_id, occurred_at, kind, capacity_pct, recorded_at)
    select x.battery_id, x.occurred_at, x.kind, x.capacity_pct, :now from (
        select id as battery_id, removed_at as occurred_at, 'replaced' as kind, null::real as capacity_pct
        from battery where removed_at is not null
        union all
        select id, retired_at, 'retired', null from battery where retired_at is not null
        union all
        (select distinct on (d.battery_id) d.battery_id, e.ended_at,
                case when d.soh_pct <= 0 then 'died' else 'measured_below_80' end, d.soh_pct
         from discharge_battery d join discharge_event e on e.id = d.event_id
         where not e.is_open and e.complete and d.soh_provenance = 'measured' and d.soh_pct < 80
         order by d.battery_id, e.ended_at)
    ) x
    where not exists (select 1 from rul_outcome o where o.battery_id = x.battery_id and o.kind = x.kind)
    order by x.battery_id, x.kind
    on conflict (battery_id, kind) do nothing
    """
)
# Of a battery that left before it failed only the least life is known, so it judges no prediction.
_JUDGED: Final = """
    select p.*, date_part('epoch', o.occurred_at - p.as_of) / 86400 as actual_days, o.occurred_at
    from rul_prediction p join (
        select battery_id, min(occurred_at) as occurred_at from rul_outcome
        where kind in ('measured_below_80', 'died') group by battery_id
    ) o on o.battery_id = p.battery_id
    where p.predicted_at <= o.occurred_at - interval '30 days'
"""
_ACCURACY: Final = text(
    f"""
    select count(*), count(distinct battery_id), avg(ml_p50_days - actual_days), avg(abs(ml_p50_days - actual_days)),
           avg(case when actual_days between ml_p10_days and ml_p90_days then 1.0 else 0.0 end)::double precision
    from ({_JUDGED}) j where ml_model_version = :version and ml_p50_days is not null
    """
)
_ERRORS: Final = text(
    f"""
    select distinct on (battery_id) twin_p50_days, ml_p50_days, actual_days from ({_JUDGED}) j
    where twin_p50_days is not null and ml_p50_days is not null order by battery_id, predicted_at desc
    """
)


class AccuracyRow(NamedTuple):
    """How far the predictions of a version were off, in days; None where none can be judged."""

    prediction_count: int
    battery_count: int
    mean_error_days: float | None
    mean_absolute_error_days: float | None
    inside_share: float | None


class ErrorRow(NamedTuple):
    """The medians of both sources for a battery whose life is known, in days."""

    twin_p50_days: float
    ml_p50_days: float
    actual_days: float


async def record_outcomes(connection: AsyncConnection, now: datetime) -> int:
    """Record what became of batteries since the last time; return how many outcomes were added."""
    return int((await connection.execute(_RECORD, {"now": now})).rowcount)


async def find_accuracy(connection: AsyncConnection, version: str) -> AccuracyRow:
    """Return how far the predictions of a version were off that were made 30 days or more before the outcome."""
    return AccuracyRow(*(await connection.execute(_ACCURACY, {"version": version})).one())


async def list_errors(connection: AsyncConnection) -> list[ErrorRow]:
    """Return the last predictions of each battery that were made 30 days or more before the end of its life."""
    return [ErrorRow(*row) for row in await connection.execute(_ERRORS)]
