"""What a day of a battery is in SQL: the columns `DAILY_COLUMNS`, computed from the stored readings of one string.

The definition is that of the training data (`battery_synth.datasets.daily`), with one difference: the gateway knows no
regular interval, and while a string works its readings come every few seconds. So the mean of a channel is the mean of
its hours, and that of an hour the mean of its samples. Where readings are regular it equals the mean of all of them,
and a discharge weighs no more than the time that it takes. An hour without readings has no part in it, and counts
neither above nor below a temperature.

Parameters of the statements: ``$1`` key of the string, ``$2`` begin and ``$3`` end of the day, ``$4`` its date.
"""

from typing import Final

from battery_api.telemetry.store.time_weights import MAX_HOLD_S
from battery_contracts.enums import DISCHARGING_MODES, StringMode
from battery_contracts.ml import DAILY_COLUMNS
from battery_contracts.ohmic import REFERENCE_TEMPERATURE_C, RESISTANCE_SLOPE_PER_C

LONGEST_STEP_S: Final = 120
"""Longest time for which a reading counts as discharging, as in the training data (battery_synth.datasets.daily)."""
MIN_SHARE_OF_STRING: Final = 0.5
"""Of the batteries of a string that have a voltage on the day, the share that an instant needs for a mean of the string
(EJ): where monitors ask one battery after the other, the few that share an instant are not their string."""
_FLOATING: Final = f"mode = '{StringMode.FLOAT}'"
_WORKING: Final = f"mode in ({', '.join(sorted(repr(str(mode)) for mode in DISCHARGING_MODES))})"
_IN_DAY: Final = "time >= $2::timestamptz and time < $3::timestamptz"
_COLUMNS: Final = ", ".join(DAILY_COLUMNS)
_AT_25C: Final = (
    "internal_resistance_mohm::float8 / "
    f"exp({RESISTANCE_SLOPE_PER_C} * (temperature_c::float8 - {REFERENCE_TEMPERATURE_C}))"
)

# "offset 0" has one index range read per battery, whatever the server believes of the size of the table. The mode of an
# instant is that of its string's newest reading, which holds as long as any value does.
_ROWS: Final = f"""
    own as materialized (
        select b.id as battery_id, t.* from battery b cross join lateral (
            select time, voltage_v::float8, temperature_c::float8, internal_resistance_mohm
            from telemetry where battery_id = b.id and {_IN_DAY} offset 0) as t
        where b.string_id = $1::int
    ),
    modes as materialized (
        select time, mode, current_a::float8, float_current_ma::float8 from string_telemetry
        where string_id = $1 and time > $2::timestamptz - interval '{MAX_HOLD_S} seconds' and time < $3
        and mode is not null
    ),
    stamped as (
        select time, is_reading, max(time) filter (where not is_reading)
            over (order by time, is_reading rows unbounded preceding) as mode_at
        from (select time, false as is_reading from modes union all select distinct time, true from own) as instant
    ),
    rows as materialized (
        select own.*, modes.mode, date_trunc('hour', own.time) as hour
        from own join stamped on stamped.time = own.time and stamped.is_reading
        left join modes on modes.time = stamped.mode_at
            and own.time - stamped.mode_at < interval '{MAX_HOLD_S} seconds'
    )
"""
_OF_BATTERIES: Final = f"""
    together as materialized (
        select time, avg(voltage_v) as mean_v, stddev_pop(voltage_v) as sd_v
        from rows where {_FLOATING} and voltage_v is not null group by time
        having count(*) >= greatest(2, {MIN_SHARE_OF_STRING} * (
            select count(distinct battery_id) from rows where voltage_v is not null))
    ),
    hourly as (
        select battery_id, avg(voltage_v) filter (where {_FLOATING}) as voltage_v,
            avg(voltage_v - mean_v) as deviation_v, avg(sd_v) filter (where voltage_v is not null) as sd_v,
            avg(temperature_c) as temperature_c, min(temperature_c) as coldest_c, max(temperature_c) as warmest_c,
            avg((temperature_c > 30)::int) as above_30c, avg((temperature_c > 35)::int) as above_35c,
            min(voltage_v) filter (where {_WORKING}) as lowest_v
        from rows left join together using (time) group by battery_id, hour
    ),
    daily as (
        select battery_id, avg(voltage_v) as voltage_mean_v, avg(deviation_v) as voltage_deviation_v,
            avg(sd_v) as string_spread_v, avg(temperature_c) as temperature_mean_c,
            min(coldest_c) as temperature_min_c, max(warmest_c) as temperature_max_c,
            sum(above_30c) as hours_above_30c, sum(above_35c) as hours_above_35c, min(lowest_v) as discharge_min_v
        from hourly group by battery_id
    ),
    ohmic as (
        select distinct on (battery_id) battery_id, {_AT_25C} as resistance_25c_mohm
        from rows where internal_resistance_mohm is not null order by battery_id, time desc
    )
"""
# Without a mode all day it is not known whether the string worked; an unknown current makes the charge unknown.
_OF_STRING: Final = f"""
    steps as (
        select {_WORKING} as works, lag({_WORKING}) over earlier as worked, lag(current_a) over earlier as before_a,
            least(date_part('epoch', time - lag(time) over earlier), {LONGEST_STEP_S}) as step_s
        from modes where {_IN_DAY} window earlier as (order by time)
    ),
    discharges as (
        select count(*) as modes, count(*) filter (where works and worked is not true) as discharge_count,
            coalesce(sum(step_s) filter (where worked), 0) as discharge_s,
            case when count(*) filter (where worked and before_a is null) = 0
                then coalesce(sum(-before_a * step_s / 3600) filter (where worked), 0) end as discharge_ah
        from steps
    ),
    probe as (
        select avg(hour_ma) as float_current_ma from (
            select avg(float_current_ma) as hour_ma from modes where {_IN_DAY} and {_FLOATING}
            group by date_trunc('hour', time)) as hour
    ),
    room as (
        select avg(hour_c) as ambient_c from (
            select avg(e.ambient_c::float8) as hour_c from string g join site_environment e
            on e.location_id = g.location_id and {_IN_DAY} where g.id = $1 group by date_trunc('hour', e.time)) as hour
    )
"""
# A battery that is silent while others of its string report was discharged with them.
_MEMBERS: Final = """
    members as (
        select id from battery where string_id = $1 and (id in (select battery_id from own) or (
            installed_at < $3 and (removed_at is null or removed_at > $2) and (retired_at is null or retired_at > $2)))
    )
"""
FROM_READINGS: Final = f"""
    with {_ROWS}, {_OF_BATTERIES}, {_OF_STRING}, {_MEMBERS}
    insert into battery_day (battery_id, day, {_COLUMNS})
    select members.id, $4::date, d.voltage_mean_v, d.voltage_deviation_v, d.string_spread_v, d.temperature_mean_c,
        d.temperature_min_c, d.temperature_max_c, d.hours_above_30c, d.hours_above_35c,
        d.temperature_mean_c - room.ambient_c, ohmic.resistance_25c_mohm, probe.float_current_ma,
        case when s.modes > 0 then s.discharge_count end, case when s.modes > 0 then s.discharge_s end,
        case when s.modes > 0 then s.discharge_ah end, d.discharge_min_v
    from members left join daily d on d.battery_id = members.id left join ohmic on ohmic.battery_id = members.id
        cross join discharges s cross join probe cross join room
    where d.battery_id is not null or s.modes > 0
"""
"""Insert the rows of one string and day from its readings; there are none of it yet."""

_MEAN_OF_DAY: Final = (
    "case when d.temperature_c_held_s > 0 then d.temperature_c_integral / d.temperature_c_held_s "
    "when d.temperature_c_count > 0 then d.temperature_c_sum / d.temperature_c_count end"
)
FROM_ROLLUPS: Final = f"""
    insert into battery_day (battery_id, day, temperature_mean_c, temperature_min_c, temperature_max_c)
    select d.battery_id, $3::date, {_MEAN_OF_DAY}, d.temperature_c_min, d.temperature_c_max
    from battery b join telemetry_daily d on d.battery_id = b.id and d.bucket = $2::timestamptz
    where b.string_id = $1::int and d.row_count > 0 on conflict do nothing
"""
"""Insert what the roll-ups know of a string (``$1``) on a day (``$2`` its begin, ``$3`` its date) whose readings are
deleted. They mix float with discharge and keep no instants, so nothing but the temperatures follows from them."""
