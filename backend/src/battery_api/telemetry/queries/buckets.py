"""SQL for the figures of one battery, string or location by bucket, from the raw rows or from a roll-up.

Each statement takes the key, the start and the end of the span, and the width of a bucket; its rows are the
bucket's start, the number of readings, and min, max, time-weighted mean and last of each channel. A bucket without
readings is absent, and a channel that was not measured in a bucket is null, whatever holds from before.
"""

from typing import Final

from battery_api.db.bangkok import DAY_ORIGIN
from battery_api.db.tables.telemetry import ROLLUP_CHANNELS
from battery_api.telemetry.queries.recorded_tables import BATTERY_READINGS, RecordedTable
from battery_api.telemetry.store.rollups import COLUMNS
from battery_api.telemetry.store.time_weights import (
    LATER_ROWS,
    MAX_HOLD_S,
    composed_figures,
    figures_of_hour,
    held_in_any_channel,
    last_of_buckets_sql,
    mean_of_buckets_sql,
    next_value_sql,
)

_ORIGIN: Final = f"timestamptz '{DAY_ORIGIN.isoformat()}'"
_DAY: Final = "interval '86400 seconds'"
_COLUMNS: Final = ", ".join(("bucket", *COLUMNS))


def _bucket(column: str, width: str = "$4::interval") -> str:
    # Buckets begin where the roll-ups' do: at midnights in Asia/Bangkok.
    return f"date_bin({width}, {column}, {_ORIGIN})"


def raw_buckets(table: RecordedTable) -> str:
    """Return the SQL for buckets of any width from raw rows; each state follows as its last value and all its values.

    A value that holds beyond its bucket has a part in each bucket that it reaches, so each row is repeated for these.
    """
    at_s = _seconds("time")
    values = ", ".join((*table.channels, *table.states))
    next_values = ", ".join(f"{next_value_sql(channel, at_s)} as {channel}_next_s" for channel in table.channels)
    untils = ", ".join(
        f"case when {channel} is not null then least({channel}_next_s, at_s + {MAX_HOLD_S}) end as {channel}_until_s"
        for channel in table.channels
    )
    latest = f"greatest(at_s, {', '.join(f'{channel}_until_s' for channel in table.channels)})"
    figures = [*map(_raw_figures, table.channels), *map(_raw_states, table.states)]
    return (
        f"with read as (select time, {_bucket('time')} as own_start, {at_s} as at_s, {values}, {next_values} "
        f"from {table.name} where {table.key} = $1 and time >= $2::timestamptz - interval '{MAX_HOLD_S} seconds' "
        f"and time < $3 window later as ({LATER_ROWS})), "
        f"held as materialized (select time, own_start, at_s, {values}, {untils} from read), "
        f"part as materialized (select held.*, bucket_start, bucket_start = own_start and at_s >= 0 as is_own, "
        f"greatest({_seconds('bucket_start')}, at_s, 0) as from_s, "
        f"least({_seconds('bucket_start + $4::interval')}, {_seconds('$3::timestamptz')}) as end_s "
        f"from held cross join lateral "
        f"generate_series(own_start, $2::timestamptz + {latest} * interval '1 second', $4::interval) as bucket_start) "
        f"select bucket_start, count(*) filter (where is_own), {', '.join(figures)} "
        f"from part group by 1 having count(*) filter (where is_own) > 0 order by 1"
    )


def _seconds(instant: str) -> str:
    return f"date_part('epoch', {instant} - $2::timestamptz)"


def _raw_figures(channel: str) -> str:
    known = f"filter (where is_own and {channel} is not null)"
    held_s = f"greatest(0, least({channel}_until_s, end_s) - from_s)"
    integral = f"sum({channel}::double precision * {held_s})"
    mean = f"{integral} / nullif(sum({held_s}) filter (where {channel} is not null), 0)"
    return (
        f"min({channel}) {known}, max({channel}) {known}, "
        f"case when count({channel}) {known} > 0 then coalesce({mean}, avg({channel}) {known}) end, "
        f"(array_agg({channel} order by time desc) {known})[1]"
    )


def _raw_states(state: str) -> str:
    known = f"filter (where is_own and {state} is not null)"
    return f"(array_agg({state} order by time desc) {known})[1], array_agg(distinct {state}) {known}"


def _overlaid(changed_until: str) -> str:
    """Return the common table expressions for hours that the job has not rolled up yet, computed from the raw rows.

    One statement sees one snapshot, in which an hour is either marked or rolled up.
    """
    return (
        f"with changed as materialized (select distinct hour from rollup_mark "
        f"where hour >= $2 and hour < {changed_until} "
        f"and string_id = (select string_id from battery where id = $1)), "
        f"fresh as materialized (select changed.hour as bucket, made.* from changed cross join lateral "
        f"({figures_of_hour('$1', 'changed.hour')}) as made where made.row_count > 0 or {held_in_any_channel('made')})"
    )


def _first_or_stored(computed: str, relation: str, condition: str) -> str:
    # Where the raw rows are deleted, the stored roll-up is all there is.
    return (
        f"select {_COLUMNS} from {computed} union all select {_COLUMNS} from {relation} as stored "
        f"where battery_id = $1 and {condition} "
        f"and not exists (select from {computed} where {computed}.bucket = stored.bucket)"
    )


def _combined(relation: str) -> str:
    figures = ", ".join(
        f"min({channel}_min), max({channel}_max), {mean_of_buckets_sql(channel)}, {last_of_buckets_sql(channel)}"
        for channel in ROLLUP_CHANNELS
    )
    return (
        f"select {_bucket('bucket')} as bucket_start, sum(row_count), {figures} from {relation} "
        f"where bucket >= $2 and bucket < $3 group by 1 having sum(row_count) > 0 order by 1"
    )


def _buckets_of_hours() -> str:
    hours = _first_or_stored("fresh", "telemetry_hourly", "bucket >= $2 and bucket < $3")
    return f"{_overlaid('$3')}, hours as ({hours}) {_combined('hours')}"


def _buckets_of_days() -> str:
    # A day of which an hour has changed is composed from its hours, as the job would do it.
    day = _bucket("changed.hour", _DAY)
    hours = _first_or_stored(
        "fresh",
        "telemetry_hourly",
        f"bucket >= $2 and bucket < $3::timestamptz + {_DAY} "
        f"and exists (select from changed where {day} = {_bucket('stored.bucket', _DAY)})",
    )
    composed = f"select {_bucket('bucket', _DAY)} as bucket, {composed_figures()} from hours group by 1"
    days = _first_or_stored("composed", "telemetry_daily", "bucket >= $2 and bucket < $3")
    until = f"$3::timestamptz + {_DAY}"
    return (
        f"{_overlaid(until)}, hours as ({hours}), composed as materialized ({composed}), days as ({days}) "
        f"{_combined('days')}"
    )


BUCKETS_OF_RAW: Final = raw_buckets(BATTERY_READINGS)
BUCKETS_OF_HOURS: Final = _buckets_of_hours()
BUCKETS_OF_DAYS: Final = _buckets_of_days()
