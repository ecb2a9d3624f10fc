"""Turn the JSON of a batch into columns: fast when every field has its type, reading by reading when one has not."""

from collections.abc import Sequence
from operator import attrgetter
from typing import Any, Final

import msgspec

from battery_api.telemetry.ingest.lenient_parsing import parse_leniently
from battery_api.telemetry.ingest.reading_tables import (
    ReadingTable,
    join_batch,
    require_equal_lengths,
    too_many_readings,
)
from battery_api.telemetry.ingest.readings import (
    BATTERY_SHAPE,
    LOCATION_SHAPE,
    STRING_SHAPE,
    ListName,
    ParsedBatch,
    ReadingShape,
)
from battery_contracts.enums import HvacState, StringMode
from battery_contracts.telemetry import MAX_BATCH_ROWS

# The widest reading has nine fields. A body with many more separators than a full batch needs is refused before its
# values take memory.
_MAX_SEPARATORS: Final = MAX_BATCH_ROWS * 12


class BatteryReadingStruct(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """Fast form of `battery_contracts.telemetry.BatteryReading`."""

    battery_id: str
    time: str
    voltage_v: float | None = None
    current_a: float | None = None
    temperature_c: float | None = None
    internal_resistance_mohm: float | None = None


class BatteryColumnsStruct(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """Fast form of `battery_contracts.telemetry.BatteryColumns`."""

    battery_id: list[str]
    time: list[str]
    voltage_v: list[float | None] | None = None
    current_a: list[float | None] | None = None
    temperature_c: list[float | None] | None = None
    internal_resistance_mohm: list[float | None] | None = None


class StringReadingStruct(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """Fast form of `battery_contracts.telemetry.StringReading`."""

    string_id: str
    time: str
    voltage_v: float | None = None
    current_a: float | None = None
    float_current_ma: float | None = None
    ripple_voltage_v: float | None = None
    ripple_current_a: float | None = None
    mode: StringMode | None = None


class LocationReadingStruct(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """Fast form of `battery_contracts.telemetry.LocationReading`."""

    location_id: str
    time: str
    ambient_c: float | None = None
    humidity_pct: float | None = None
    hvac: HvacState | None = None
    mains: bool | None = None


class BatchStruct(msgspec.Struct, forbid_unknown_fields=True):
    """Fast form of `battery_contracts.telemetry.TelemetryBatch`."""

    readings: list[BatteryReadingStruct] | None = None
    columns: BatteryColumnsStruct | None = None
    string_readings: list[StringReadingStruct] | None = None
    site_readings: list[LocationReadingStruct] | None = None


_DECODER: Final = msgspec.json.Decoder(BatchStruct)


def parse_batch(body: bytes) -> ParsedBatch:
    """Parse a batch; unreadable readings are rejected one by one, only a malformed frame refuses the whole batch.

    Raises
    ------
    MalformedBatch
        The body is not JSON or not a batch.
    TooManyReadings
        The batch holds more readings than allowed.
    """
    if body.count(b",") > _MAX_SEPARATORS:
        raise too_many_readings()
    try:
        batch = _DECODER.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        # Covers a wrong type as well: the lenient parser finds the reading, or what is wrong with the frame.
        return parse_leniently(body)
    return join_batch(
        batteries=[_table(BATTERY_SHAPE, "readings", batch.readings or ()), _column_table(batch.columns)],
        strings=_table(STRING_SHAPE, "string_readings", batch.string_readings or ()),
        locations=_table(LOCATION_SHAPE, "site_readings", batch.site_readings or ()),
    )


def _table(shape: ReadingShape, source: ListName, readings: Sequence[msgspec.Struct]) -> ReadingTable:
    if not readings:
        return ReadingTable(source, (), dict.fromkeys(shape.fields, ()))
    columns = zip(*map(attrgetter(*shape.fields), readings), strict=True)
    return ReadingTable(source, range(len(readings)), dict(zip(shape.fields, columns, strict=True)))


def _column_table(columns: BatteryColumnsStruct | None) -> ReadingTable:
    if columns is None:
        return ReadingTable("columns", (), dict.fromkeys(BATTERY_SHAPE.fields, ()))
    by_name: dict[str, list[Any] | None] = {name: getattr(columns, name) for name in BATTERY_SHAPE.fields}
    require_equal_lengths(by_name)
    return ReadingTable("columns", range(len(columns.battery_id)), by_name)
