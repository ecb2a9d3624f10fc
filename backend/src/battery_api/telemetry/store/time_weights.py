"""Time-weighted means: how long a stored value counts, and the roll-up's figures of an hour in SQL.

A string reports every minute on float and every two seconds in a discharge, so a mean of samples would weigh the
discharge thirty times too heavily. Here a value holds until the next value of the same channel of the same battery, at
most `MAX_HOLD_S`; a bucket's mean is the integral of the held values over the time for which they hold, and what holds
when a bucket begins counts in it. All of it follows from the stored rows alone, whatever order they came in.
"""

from typing import Final

from battery_api.db.tables.telemetry import ROLLUP_CHANNELS

MAX_HOLD_S: Final = 300
"""Longest time that a value stands for (EJ): of one reading a minute, the usual rate on float, four may be missing. A
longer pause is a gap, as for `twin.discharges.GAP_US`, and a gap has no mean. Channels measured once an hour or a day
hold equally long each time, so that their mean is that of their samples."""
MAX_HOLD_US: Final = MAX_HOLD_S * 1_000_000
_HOUR_S: Final = 3600
LATER_ROWS: Final = "order by time desc rows between unbounded preceding and 1 preceding"
"""Window of the rows after a row. Read backwards its frame only grows, which costs one pass; forwards it would cost
one pass for each row."""


def next_value_sql(channel: str, instant: str) -> str:
    """Return the SQL for when a channel's next value comes, over a window named ``later`` (`LATER_ROWS`)."""
    return f"min({instant}) filter (where {channel} is not null) over later"


def figures_of_hour(battery: str, hour: str) -> str:
    """Return a query for the roll-up's figures of one battery and hour, both given as SQL; always one row.

    Rows before the hour are read as far back as a value may hold, and have a part in integral and held time alone.
    """
    next_values = ", ".join(f"{next_value_sql(channel, 'at_s')} as {channel}_next_s" for channel in ROLLUP_CHANNELS)
    figures = ", ".join(_figures(channel) for channel in ROLLUP_CHANNELS)
    values = ", ".join(ROLLUP_CHANNELS)
    # "offset 0" keeps the server from computing an expression once for each figure that uses it, and extract() instead
    # of date_part() would give a numeric, with which arithmetic is several times slower.
    return (
        f"select count(*) filter (where is_own)::int as row_count, {figures} from ("
        f"select {values}, at_s >= 0 as is_own, least(at_s + {MAX_HOLD_S}, {_HOUR_S}::double precision) as until_s, "
        f"greatest(at_s, 0::double precision) as from_s, {next_values} from ("
        f"select time, {values}, date_part('epoch', time - {hour}) as at_s from telemetry "
        f"where battery_id = {battery} and time >= {hour} - interval '{MAX_HOLD_S} seconds' "
        f"and time < {hour} + interval '1 hour' order by time desc offset 0) as row "
        f"window later as ({LATER_ROWS}) offset 0) as held"
    )


def held_in_any_channel(row: str) -> str:
    """Return an SQL condition: something holds in a bucket, though it may have no reading of its own."""
    return f"greatest({', '.join(f'{row}.{channel}_held_s' for channel in ROLLUP_CHANNELS)}) > 0"


def composed_figures() -> str:
    """Return the SQL that composes the roll-up rows of a wider bucket; columns and order as in `figures_of_hour`."""
    parts = ["sum(row_count)::int as row_count"]
    for channel in ROLLUP_CHANNELS:
        parts += [
            f"sum({channel}_count)::int as {channel}_count",
            f"min({channel}_min) as {channel}_min",
            f"max({channel}_max) as {channel}_max",
            f"sum({channel}_sum) as {channel}_sum",
            f"{last_of_buckets_sql(channel)} as {channel}_last",
            # Absent as soon as one part is absent: a part from before there were weights must not count as nothing.
            f"case when count(*) = count({channel}_held_s) then sum({channel}_integral) end as {channel}_integral",
            f"case when count(*) = count({channel}_held_s) then sum({channel}_held_s) end as {channel}_held_s",
        ]
    return ", ".join(parts)


def last_of_buckets_sql(channel: str) -> str:
    """Return the SQL for a channel's last value in several roll-up rows."""
    return f"(array_agg({channel}_last order by bucket desc) filter (where {channel}_last is not null))[1]"


def mean_of_buckets_sql(channel: str) -> str:
    """Return the SQL for a channel's mean over several roll-up rows; null where it was not measured in them.

    Roll-ups from before there were weights, whose readings are deleted, have the mean of their samples.
    """
    weighted = (
        f"case when count(*) = count({channel}_held_s) then sum({channel}_integral) / nullif(sum({channel}_held_s), 0) "
        "end"
    )
    of_samples = f"sum({channel}_sum) / sum({channel}_count)"
    return f"case when sum({channel}_count) > 0 then coalesce({weighted}, {of_samples}) end"


def _figures(channel: str) -> str:
    known = f"filter (where {channel} is not null)"
    held_s = f"greatest(0, least({channel}_next_s, until_s) - from_s)"
    return ", ".join(
        (
            f"count({channel}) filter (where is_own)::int as {channel}_count",
            f"min({channel}) filter (where is_own) as {channel}_min",
            f"max({channel}) filter (where is_own) as {channel}_max",
            f"sum({channel}::double precision) filter (where is_own) as {channel}_sum",
            # One value has no next one; no row after the hour is read.
            f"max({channel}) filter (where is_own and {channel}_next_s is null) as {channel}_last",
            f"coalesce(sum({channel}::double precision * {held_s}), 0) as {channel}_integral",
            f"coalesce(sum({held_s}) {known}, 0) as {channel}_held_s",
        )
    )
