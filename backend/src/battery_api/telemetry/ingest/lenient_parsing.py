"""Parse a batch in which at least one value has a wrong type: accept the good readings, reject the others by name."""

import json
import math
from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec

from battery_api.telemetry.errors import MalformedBatch
from battery_api.telemetry.ingest.reading_tables import (
    ParseRejections,
    ReadingTable,
    join_batch,
    require_equal_lengths,
    require_row_limit,
)
from battery_api.telemetry.ingest.readings import (
    BATTERY_SHAPE,
    LOCATION_SHAPE,
    STRING_SHAPE,
    ListName,
    ParsedBatch,
    ReadingShape,
)
from battery_contracts.enums import RejectCode
from battery_contracts.telemetry import Rejection

_BATCH_FIELDS: Final = ("readings", "columns", "string_readings", "site_readings")
_DECODER: Final = msgspec.json.Decoder()
Fault = tuple[RejectCode, str]
"""Why a reading is rejected: the code, and the detail for its sender."""


def parse_leniently(body: bytes) -> ParsedBatch:
    """Parse what can be parsed and reject the rest reading by reading.

    Raises
    ------
    MalformedBatch
        The body is not JSON or not a batch.
    TooManyReadings
        The batch holds more readings than allowed.
    """
    content = _decode(body)
    if not isinstance(content, dict):
        raise MalformedBatch(f"The body must be a JSON object with {', '.join(_BATCH_FIELDS)}.")
    unknown = sorted(set(content) - set(_BATCH_FIELDS))
    if unknown:
        raise MalformedBatch(f"Unknown field {unknown[0][:60]!r}; a batch has {', '.join(_BATCH_FIELDS)}.")
    lists = {name: _list(content, name) for name in _BATCH_FIELDS if name != "columns"}
    columns = _readings_of_columns(content)
    require_row_limit(sum(map(len, lists.values())) + len(columns))
    rejections = ParseRejections()
    batteries = [
        _table(BATTERY_SHAPE, "readings", lists["readings"], rejections),
        _table(BATTERY_SHAPE, "columns", columns, rejections),
    ]
    strings = _table(STRING_SHAPE, "string_readings", lists["string_readings"], rejections)
    locations = _table(LOCATION_SHAPE, "site_readings", lists["site_readings"], rejections)
    return join_batch(batteries, strings, locations, rejections)


def _list(content: Mapping[str, Any], name: str) -> list[Any]:
    value = content.get(name)
    if value is None:
        return []
    if not isinstance(value, list):
        raise MalformedBatch(f"{name} must be a list of readings.")
    return value


def _readings_of_columns(content: Mapping[str, Any]) -> list[dict[str, Any]]:
    columns = content.get("columns")
    if columns is None:
        return []
    if not isinstance(columns, dict):
        raise MalformedBatch("columns must be an object with one list per field.")
    for name, column in columns.items():
        if name not in BATTERY_SHAPE.fields:
            raise MalformedBatch(f"columns has the unknown field {name[:60]!r}.")
        if not isinstance(column, list) and not (column is None and name in BATTERY_SHAPE.channel_names):
            raise MalformedBatch(f"columns.{name} must be a list.")
    for name in ("battery_id", "time"):
        if name not in columns:
            raise MalformedBatch(f"columns.{name} is missing.")
    present = {name: column for name, column in columns.items() if column is not None}
    require_equal_lengths(present)
    return [dict(zip(present, values, strict=True)) for values in zip(*present.values(), strict=True)]


def _table(shape: ReadingShape, source: ListName, readings: Iterable[Any], rejections: ParseRejections) -> ReadingTable:
    indices: list[int] = []
    columns: dict[str, list[Any]] = {name: [] for name in shape.fields}
    for index, reading in enumerate(readings):
        fault = _fault_of(shape, reading)
        if fault is not None:
            code, detail = fault
            battery_code = reading.get(shape.id_field) if isinstance(reading, dict) else None
            rejections.add(shape, Rejection(list=source, index=index, code=code, detail=detail), battery_code)
            continue
        indices.append(index)
        for name in shape.fields:
            columns[name].append(reading.get(name))
    return ReadingTable(source, indices, columns)


def _fault_of(shape: ReadingShape, reading: Any) -> Fault | None:
    """Return what makes one reading unreadable, None when it is fine."""
    if not isinstance(reading, dict):
        return RejectCode.MALFORMED, "a reading must be an object"
    for name in reading:
        if name not in shape.fields:
            return RejectCode.MALFORMED, f"unknown field {name[:60]!r}"
    return _frame_fault(shape, reading) or _value_fault(shape, reading)


def _frame_fault(shape: ReadingShape, reading: Mapping[str, Any]) -> Fault | None:
    code, time = reading.get(shape.id_field), reading.get("time")
    if code is None or time is None:
        return RejectCode.MISSING_FIELD, f"{shape.id_field if code is None else 'time'} is missing"
    if not isinstance(code, str):
        return RejectCode.MALFORMED, f"{shape.id_field} must be a text"
    if not isinstance(time, str):
        # A bare number is ambiguous (seconds, milliseconds, UTC or local), so it is never guessed.
        return RejectCode.BAD_TIME, "time must be ISO 8601 text with a zone, like 2026-01-31T08:15:00Z, not a number"
    return None


def _value_fault(shape: ReadingShape, reading: Mapping[str, Any]) -> Fault | None:
    for name in shape.channel_names:
        value = reading.get(name)
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, int | float):
            return RejectCode.MALFORMED, f"{name} must be a number, not {_type_name(value)}"
        # An integer too large for a float counts as infinite.
        if abs(value) > 1e300 or not math.isfinite(value):
            return RejectCode.NOT_FINITE, f"{name} is not a finite number"
    for name, allowed in shape.categories.items():
        value = reading.get(name)
        if value is not None and not any(value == option and type(value) is _json_type(option) for option in allowed):
            return RejectCode.MALFORMED, f"{name} must be one of {', '.join(json.dumps(option) for option in allowed)}"
    return None


def _json_type(option: object) -> type:
    return bool if isinstance(option, bool) else str


def _type_name(value: object) -> str:
    names = {bool: "true or false", str: "a text", list: "a list", dict: "an object"}
    return names.get(type(value), type(value).__name__)


def _decode(body: bytes) -> Any:
    try:
        return _DECODER.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        # JSON has no NaN or Infinity, but senders' libraries write them: the reading is rejected, not its batch.
        if b"NaN" not in body and b"Infinity" not in body and "out of range" not in str(error):
            raise MalformedBatch(f"{error}.") from error
        return _decode_with_constants(body)
    except RecursionError as error:
        raise MalformedBatch("The body is nested too deeply.") from error


def _decode_with_constants(body: bytes) -> Any:
    try:
        return json.loads(body)
    except RecursionError as error:
        raise MalformedBatch("The body is nested too deeply.") from error
    except ValueError as error:
        raise MalformedBatch(f"JSON is malformed: {error}.") from error
