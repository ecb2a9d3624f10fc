"""What the rules have to judge batteries by at present: when what was last measured, as columns of the state rows."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from sqlalchemy.ext.asyncio import AsyncConnection

from battery_api.telemetry.store.array_columns import ArrayColumn, read_arrays_and_objects
from battery_api.telemetry.store.columns import BoolArray, FloatArray, IntArray
from battery_contracts.enums import ReadingQuality, StringMode

_COLUMNS: Final = (
    ArrayColumn("battery_key", "int"),
    ArrayColumn("location_key", "int"),
    ArrayColumn("string_key", "int"),
    ArrayColumn("is_retired", "int"),
    ArrayColumn("reporting_interval_s", "real"),
    ArrayColumn("known_voltage_at", "instant"),
    ArrayColumn("known_temperature_at", "instant"),
    ArrayColumn("resistance_at", "instant"),
    ArrayColumn("resistance_temperature_c", "real"),
    ArrayColumn("own_current_at", "instant"),
    ArrayColumn("mode_since", "instant"),
    ArrayColumn("last_discharge_at", "instant"),
    ArrayColumn("string_time", "instant"),
    ArrayColumn("known_current_at", "instant"),
    ArrayColumn("string_interval_s", "real"),
    ArrayColumn("known_ambient_at", "instant"),
)
_SOURCE: Final = """
    select b.id as battery_key, b.location_id as location_key, b.string_id as string_key,
           (b.retired_at is not null)::int as is_retired, s.reporting_interval_s, s.known_voltage_at,
           s.known_temperature_at, s.resistance_at, s.resistance_temperature_c,
           case when s.current_a is not null and s.quality & $3::int = 0
                then s.time end as own_current_at,
           t.mode, t.mode_since, t.last_discharge_at, t.time as string_time, t.known_current_at,
           t.reporting_interval_s as string_interval_s, e.known_ambient_at
    from battery b
    join battery_state s on s.battery_id = b.id
    join string g on g.id = b.string_id
    join string_state t on t.string_id = g.id
    join location l on l.id = b.location_id
    join location_state e on e.location_id = l.id
    where b.removed_at is null
      and ($1::text[] is null or l.code = any($1))
      and ($2::text[] is null or g.code = any($2))
"""


@dataclass(frozen=True, slots=True, eq=False)
class BatteryInputs:
    """Batteries (n,): when each last measured what, in microseconds, `NEVER` where it never did."""

    key: IntArray
    location_key: IntArray
    is_retired: BoolArray
    string: IntArray
    """Position of its string in the `StringInputs`."""
    interval_s: FloatArray
    """Seconds between readings, NaN where unknown."""
    voltage_us: IntArray
    temperature_us: IntArray
    resistance_us: IntArray
    resistance_temperature_c: FloatArray
    """Temperature that the resistance was measured at, NaN if none came with it."""
    own_current_us: IntArray
    """Time of the newest reading, if it carries a current that is not its string's."""


@dataclass(frozen=True, slots=True, eq=False)
class StringInputs:
    """Strings (k,) with their modes and the times of what was last measured, in microseconds, `NEVER` if never."""

    mode: Sequence[StringMode | None]
    mode_since_us: IntArray
    discharged_us: IntArray
    reading_us: IntArray
    current_us: IntArray
    interval_s: FloatArray
    room_us: IntArray
    """When the temperature of its room was last measured."""


@dataclass(frozen=True, slots=True)
class RuleInputs:
    """Batteries with their strings, each string with all its batteries."""

    batteries: BatteryInputs
    strings: StringInputs


async def read_rule_inputs(
    connection: AsyncConnection, *, visible: Collection[str] | None, strings: Collection[str] | None
) -> RuleInputs:
    """Read the inputs of the batteries of locations and of strings by their codes, None for all."""
    codes = (None if one is None else sorted(one) for one in (visible, strings))
    parameters = (*codes, int(ReadingQuality.CURRENT_FROM_STRING))
    read, modes = await read_arrays_and_objects(connection, _COLUMNS, "mode", _SOURCE, parameters)
    _, first, string = np.unique(read["string_key"], return_index=True, return_inverse=True)
    of_string = {name: values[first] for name, values in read.items()}
    return RuleInputs(
        BatteryInputs(
            key=read["battery_key"],
            location_key=read["location_key"],
            is_retired=read["is_retired"].astype(np.bool_),
            string=string.astype(np.int64),
            interval_s=read["reporting_interval_s"],
            voltage_us=read["known_voltage_at"],
            temperature_us=read["known_temperature_at"],
            resistance_us=read["resistance_at"],
            resistance_temperature_c=read["resistance_temperature_c"],
            own_current_us=read["own_current_at"],
        ),
        StringInputs(
            mode=[None if modes[row] is None else StringMode(modes[row]) for row in first.tolist()],
            mode_since_us=of_string["mode_since"],
            discharged_us=of_string["last_discharge_at"],
            reading_us=of_string["string_time"],
            current_us=of_string["known_current_at"],
            interval_s=of_string["string_interval_s"],
            room_us=of_string["known_ambient_at"],
        ),
    )
