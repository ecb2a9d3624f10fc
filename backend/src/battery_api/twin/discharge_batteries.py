"""What each battery did in a discharge, as it is stored."""

from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from battery_api.telemetry.store.string_modes import DISCHARGE_BELOW_A
from battery_api.telemetry.store.time_weights import MAX_HOLD_S
from battery_api.twin.discharge_repository import EventValues
from battery_contracts.enums import ReadingQuality

# The estimate that follows from a discharge is the first one known within a day after it, unless the string discharged
# again: then it may come from that one. So may an estimate of a twin that was unavailable during this one. Readings of
# a generated history keep no estimates of their own, but the twin goes through them.
# The mean temperature weighs time, as every mean: each value holds until the next one, as in the roll-ups.
_IS_FOLLOWED: Final = (
    "2 * count(*) filter (where t.soh_pct is not null or t.quality & "
    f"{int(ReadingQuality.BULK_LOADED)} <> 0) >= count(*)"
)
_WRITE_BATTERIES: Final = f"""
    with again as materialized (
        select exists (select from string_telemetry where string_id = $2 and current_a < {DISCHARGE_BELOW_A}
                       and time > $4::timestamptz + interval '5 minutes'
                       and time <= $4::timestamptz + interval '1 day') as seen
    ), member as materialized (
        select id from battery
        where string_id = $2 and installed_at <= $4 and (removed_at is null or removed_at > $3)
    ), warmth as (
        select battery_id, sum(temperature_c * held_s) / nullif(sum(held_s), 0) as mean_c
        from (
            select battery_id, temperature_c, greatest(0, date_part('epoch',
                       least(next_at, time + interval '{MAX_HOLD_S} seconds', $4) - greatest(time, $3))) as held_s
            from (
                select battery_id, time, temperature_c,
                       lead(time) over (partition by battery_id order by time) as next_at
                from telemetry
                where battery_id in (select id from member) and temperature_c is not null
                  and time between $3::timestamptz - interval '{MAX_HOLD_S} seconds' and $4
            ) as measured
        ) as held
        group by battery_id
    ), follows as (
        select distinct on (battery_id) battery_id, soh_pct, soh_sd_pct, soh_provenance
        from (
            select battery_id, time, soh_pct, soh_sd_pct, soh_provenance from battery_state
            union all
            select battery_id, time, soh_pct, soh_sd_pct, soh_provenance from digital_twin_state
        ) as known
        where $5::boolean and not (select seen from again) and battery_id in (select id from member)
            and time >= $4 and time <= $4::timestamptz + interval '1 day'
            and soh_sd_pct is not null and soh_provenance in ('measured', 'discharge_inferred')
        order by battery_id, time
    )
    insert into discharge_battery (event_id, battery_id, end_voltage_v, min_voltage_v, mean_temperature_c,
                                   soh_pct, soh_sd_pct, soh_provenance)
    select $1, t.battery_id,
           (array_agg(t.voltage_v order by t.time desc) filter (where t.voltage_v is not null))[1],
           min(t.voltage_v), coalesce(min(w.mean_c), avg(t.temperature_c)),
           case when {_IS_FOLLOWED} then min(s.soh_pct) end,
           case when {_IS_FOLLOWED} then min(s.soh_sd_pct) end,
           case when {_IS_FOLLOWED} then min(s.soh_provenance) end
    from telemetry t
    left join warmth w on w.battery_id = t.battery_id
    left join follows s on s.battery_id = t.battery_id
    where t.battery_id in (select id from member)
      and t.time between $3 and $4
    group by t.battery_id
    on conflict (event_id, battery_id) do update set
        end_voltage_v = excluded.end_voltage_v, min_voltage_v = excluded.min_voltage_v,
        mean_temperature_c = excluded.mean_temperature_c,
        soh_pct = coalesce(discharge_battery.soh_pct, excluded.soh_pct),
        soh_sd_pct = coalesce(discharge_battery.soh_sd_pct, excluded.soh_sd_pct),
        soh_provenance = coalesce(discharge_battery.soh_provenance, excluded.soh_provenance)
"""
_SUMMARISE_BATTERIES: Final = """
    update discharge_event set
        lowest_battery_id = (select battery_id from discharge_battery where event_id = $1
                             order by min_voltage_v nulls last, battery_id limit 1),
        mean_temperature_c = (select avg(mean_temperature_c) from discharge_battery where event_id = $1)
    where id = $1
"""


async def write_batteries(
    connection: AsyncConnection, key: int, string: int, event: EventValues, *, is_evidence: bool
) -> None:
    """Write what each battery did in a discharge; with its state of health where the discharge is evidence of it."""
    parameters = (key, string, event.started_at, event.ended_at, is_evidence)
    await connection.exec_driver_sql(_WRITE_BATTERIES, parameters)
    await connection.exec_driver_sql(_SUMMARISE_BATTERIES, (key,))
