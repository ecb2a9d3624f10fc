"""Turn the JSON of a batch into columns: fast when every field has its type, reading by reading when one has not."""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from operator import attrgetter
from typing import Any, Final

import msgspec
import numpy as np

from battery_api.telemetry.errors import MalformedBatch, TooManyReadings
from battery_api.telemetry.rows import (
    BATTERY_SHAPE,
    LOCATION_SHAPE,
    STRING_SHAPE,
    ListName,
    ParsedBatch,
    Rows,
    Shape,
    select_rows,
)
from battery_contracts.enums import HvacState, RejectCode, StringMode
from battery_contracts.telemetry import MAX_BATCH_ROWS, Rejection

# The widest reading has nine fields; a body with many more separators than a full batch cannot be one, and is refused
# before its values take memory.
_MAX_SEPARATORS: Final = MAX_BATCH_ROWS * 12
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_TOP_FIELDS: Final = ("readings", "columns", "string_readings", "site_readings")


class _Reading(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    battery_id: str
    time: str
    voltage_v: float | None = None
    current_a: float | None = None
    temperature_c: float | None = None
    internal_resistance_mohm: float | None = None


class _Columns(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    battery_id: list[str]
    time: list[str]
    voltage_v: list[float | None] | None = None
    current_a: list[float | None] | None = None
    temperature_c: list[float | None] | None = None
    internal_resistance_mohm: list[float | None] | None = None


class _StringReading(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    string_id: str
    time: str
    voltage_v: float | None = None
    current_a: float | None = None
    float_current_ma: float | None = None
    ripple_voltage_v: float | None = None
    ripple_current_a: float | None = None
    mode: StringMode | None = None


class _LocationReading(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    location_id: str
    time: str
    ambient_c: float | None = None
    humidity_pct: float | None = None
    hvac: HvacState | None = None
    mains: bool | None = None


class _Batch(msgspec.Struct, forbid_unknown_fields=True):
    readings: list[_Reading] | None = None
    columns: _Columns | None = None
    string_readings: list[_StringReading] | None = None
    site_readings: list[_LocationReading] | None = None


_TYPED: Final = msgspec.json.Decoder(_Batch)
_UNTYPED: Final = msgspec.json.Decoder()


def parse_batch(body: bytes) -> ParsedBatch:
    """Read a batch; readings that cannot be read are refused one by one, only a broken frame refuses the whole.

    Raises
    ------
    MalformedBatch
        The body is not JSON or not a batch.
    TooManyReadings
        The batch holds more readings than allowed.
    """
    if body.count(b",") > _MAX_SEPARATORS:
        raise _too_many()
    try:
        batch = _TYPED.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        # Covers a wrong type as well: the second pass finds which reading it is, or what is wrong with the frame.
        return _Lenient(_decode_anything(body)).parse()
    return _from_typed(batch)


# The fast way


def _from_typed(batch: _Batch) -> ParsedBatch:
    times = _TimeReader()
    tables = [
        _typed_rows(BATTERY_SHAPE, "readings", batch.readings or ()),
        _typed_columns(batch.columns),
    ]
    strings = _typed_rows(STRING_SHAPE, "string_readings", batch.string_readings or ())
    sites = _typed_rows(LOCATION_SHAPE, "site_readings", batch.site_readings or ())
    _bound(sum(len(table.index) for table in (*tables, strings, sites)))
    refused = _Refused()
    return ParsedBatch(
        batteries=_rows(BATTERY_SHAPE, tables, times, refused),
        strings=_rows(STRING_SHAPE, [strings], times, refused),
        sites=_rows(LOCATION_SHAPE, [sites], times, refused),
        rejected=refused.rejected,
        unreadable_batteries=refused.batteries,
    )


@dataclass(frozen=True, slots=True)
class _Refused:
    """What cannot be read, gathered over the lists of a batch."""

    rejected: list[Rejection] = field(default_factory=list)
    batteries: list[str] = field(default_factory=list)

    def add(self, shape: Shape, rejection: Rejection, code: Any) -> None:
        """Note one refused reading and the id it gave."""
        self.rejected.append(rejection)
        if shape is BATTERY_SHAPE and isinstance(code, str):
            self.batteries.append(code)


@dataclass(frozen=True, slots=True)
class _Table:
    """Fields of readings from one list of the batch, column by column."""

    source: ListName
    index: Sequence[int]
    columns: Mapping[str, Sequence[Any] | None]


def _typed_rows(shape: Shape, source: ListName, rows: Sequence[msgspec.Struct]) -> _Table:
    if not rows:
        return _Table(source, (), dict.fromkeys(shape.fields, ()))
    fields = zip(*map(attrgetter(*shape.fields), rows), strict=True)
    return _Table(source, range(len(rows)), dict(zip(shape.fields, fields, strict=True)))


def _typed_columns(columns: _Columns | None) -> _Table:
    if columns is None:
        return _Table("columns", (), dict.fromkeys(BATTERY_SHAPE.fields, ()))
    by_name: dict[str, list[Any] | None] = {name: getattr(columns, name) for name in BATTERY_SHAPE.fields}
    _require_equal_lengths(by_name)
    return _Table("columns", range(len(columns.battery_id)), by_name)


def _rows(shape: Shape, tables: Sequence[_Table], times: "_TimeReader", refused: _Refused) -> Rows:
    """Join tables to rows, refusing those whose time cannot be read."""
    filled = [table for table in tables if len(table.index)]
    if len(filled) > 1:
        source: Sequence[ListName] = [table.source for table in filled for _ in table.index]
    else:
        source = _Repeated(filled[0].source, len(filled[0].index)) if filled else ()
    index = np.concatenate([np.fromiter(table.index, np.int64, len(table.index)) for table in tables])
    code = [code for table in filled for code in table.columns[shape.id_field] or ()]
    text = [at for table in filled for at in table.columns["time"] or ()]
    values = {name: np.concatenate([_floats(table, name) for table in tables]) for name in shape.channel_names}
    words = {
        name: [word for table in filled for word in table.columns[name] or [None] * len(table.index)]
        for name in shape.words
    }
    time_us, bad = times.read(text)
    rows = Rows(shape, source, index, code, time_us, values, words)
    if not bad:
        return rows
    for position, detail in bad.items():
        refused.add(shape, rows.rejection(position, RejectCode.BAD_TIME, detail), code[position])
    return select_rows(rows, [position for position in range(len(rows)) if position not in bad])


class _Repeated(Sequence[ListName]):
    """One list name for every row, without a list of it."""

    def __init__(self, name: ListName, length: int) -> None:
        self._name = name
        self._length = length

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, position: Any) -> Any:
        return self._name


def _floats(table: _Table, name: str) -> "np.ndarray[Any, np.dtype[np.float64]]":
    column = table.columns[name]
    if column is None:
        return np.full(len(table.index), np.nan)
    return np.array(column, dtype=np.float64)


class _TimeReader:
    """Reads times; the readings of a sweep share few instants, so each text is read once."""

    def __init__(self) -> None:
        self._known: dict[str, int | str] = {}

    def read(self, texts: Sequence[str]) -> tuple["np.ndarray[Any, np.dtype[np.int64]]", dict[int, str]]:
        """Return microseconds since 1970 and, by position, why a text is not a time."""
        known = self._known
        for text in set(texts):
            if text not in known:
                known[text] = _read_time(text)
        read = [known[text] for text in texts]
        bad = {position: value for position, value in enumerate(read) if isinstance(value, str)}
        return np.array([0 if isinstance(value, str) else value for value in read], np.int64), bad


def _read_time(text: str) -> int | str:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return f"{text[:40]!r} is not a time; send ISO 8601 with a zone, like 2026-01-31T08:15:00Z"
    if at.tzinfo is None:
        return f"{text[:40]!r} has no zone; add Z for UTC or an offset like +07:00"
    return (at - _EPOCH) // _MICROSECOND


# The lenient way


class _Lenient:
    """Reads a batch of which at least one part has a wrong type."""

    def __init__(self, body: Any) -> None:
        if not isinstance(body, dict):
            raise MalformedBatch(f"The body must be a JSON object with {', '.join(_TOP_FIELDS)}.")
        unknown = sorted(set(body) - set(_TOP_FIELDS))
        if unknown:
            raise MalformedBatch(f"Unknown field {unknown[0][:60]!r}; a batch has {', '.join(_TOP_FIELDS)}.")
        self._body = body
        self._refused = _Refused()

    def parse(self) -> ParsedBatch:
        """Take what can be read and refuse the rest reading by reading."""
        lists = {name: self._list(name) for name in _TOP_FIELDS if name != "columns"}
        columns = self._columns()
        _bound(sum(map(len, lists.values())) + len(columns))
        batteries = [self._table(BATTERY_SHAPE, "readings", lists["readings"])]
        batteries.append(self._table(BATTERY_SHAPE, "columns", columns))
        strings = self._table(STRING_SHAPE, "string_readings", lists["string_readings"])
        sites = self._table(LOCATION_SHAPE, "site_readings", lists["site_readings"])
        times = _TimeReader()
        return ParsedBatch(
            batteries=_rows(BATTERY_SHAPE, batteries, times, self._refused),
            strings=_rows(STRING_SHAPE, [strings], times, self._refused),
            sites=_rows(LOCATION_SHAPE, [sites], times, self._refused),
            rejected=self._refused.rejected,
            unreadable_batteries=self._refused.batteries,
        )

    def _list(self, name: str) -> list[Any]:
        value = self._body.get(name)
        if value is None:
            return []
        if not isinstance(value, list):
            raise MalformedBatch(f"{name} must be a list of readings.")
        return value

    def _columns(self) -> list[dict[str, Any]]:
        columns = self._body.get("columns")
        if columns is None:
            return []
        if not isinstance(columns, dict):
            raise MalformedBatch("columns must be an object with one list a field.")
        for name, column in columns.items():
            if name not in BATTERY_SHAPE.fields:
                raise MalformedBatch(f"columns has the unknown field {name[:60]!r}.")
            if not isinstance(column, list) and not (column is None and name in BATTERY_SHAPE.channel_names):
                raise MalformedBatch(f"columns.{name} must be a list.")
        for name in ("battery_id", "time"):
            if name not in columns:
                raise MalformedBatch(f"columns.{name} is missing.")
        present = {name: column for name, column in columns.items() if column is not None}
        _require_equal_lengths(present)
        return [dict(zip(present, values, strict=True)) for values in zip(*present.values(), strict=True)]

    def _table(self, shape: Shape, source: ListName, readings: Iterable[Any]) -> _Table:
        index: list[int] = []
        columns: dict[str, list[Any]] = {name: [] for name in shape.fields}
        for position, reading in enumerate(readings):
            fault = _fault(shape, reading)
            if fault is not None:
                code, detail = fault
                given = reading.get(shape.id_field) if isinstance(reading, dict) else None
                self._refused.add(shape, Rejection(list=source, index=position, code=code, detail=detail), given)
                continue
            index.append(position)
            for name in shape.fields:
                columns[name].append(reading.get(name))
        return _Table(source, index, columns)


def _fault(shape: Shape, reading: Any) -> tuple[RejectCode, str] | None:
    """Say what makes one reading unreadable, None when it is fine."""
    if not isinstance(reading, dict):
        return RejectCode.MALFORMED, "a reading must be an object"
    for name in reading:
        if name not in shape.fields:
            return RejectCode.MALFORMED, f"unknown field {name[:60]!r}"
    return _frame_fault(shape, reading) or _value_fault(shape, reading)


def _frame_fault(shape: Shape, reading: Mapping[str, Any]) -> tuple[RejectCode, str] | None:
    code, at = reading.get(shape.id_field), reading.get("time")
    if code is None or at is None:
        return RejectCode.MISSING_FIELD, f"{shape.id_field if code is None else 'time'} is missing"
    if not isinstance(code, str):
        return RejectCode.MALFORMED, f"{shape.id_field} must be a text"
    if not isinstance(at, str):
        # A bare number is ambiguous (seconds, milliseconds, UTC or local), so it is never guessed.
        return RejectCode.BAD_TIME, "time must be ISO 8601 text with a zone, like 2026-01-31T08:15:00Z, not a number"
    return None


def _value_fault(shape: Shape, reading: Mapping[str, Any]) -> tuple[RejectCode, str] | None:
    for name in shape.channel_names:
        value = reading.get(name)
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, int | float):
            return RejectCode.MALFORMED, f"{name} must be a number, not {_kind(value)}"
        # An integer too large for a float is as good as infinite.
        if abs(value) > 1e300 or not math.isfinite(value):
            return RejectCode.NOT_FINITE, f"{name} is not a finite number"
    for name, allowed in shape.words.items():
        word = reading.get(name)
        if word is not None and not any(word == option and type(word) is _plain_type(option) for option in allowed):
            return RejectCode.MALFORMED, f"{name} must be one of {', '.join(json.dumps(option) for option in allowed)}"
    return None


def _plain_type(option: Any) -> type:
    return bool if isinstance(option, bool) else str


def _kind(value: Any) -> str:
    names = {bool: "true or false", str: "a text", list: "a list", dict: "an object"}
    return names.get(type(value), type(value).__name__)


def _decode_anything(body: bytes) -> Any:
    try:
        return _UNTYPED.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        # JSON has no NaN or Infinity, but senders' libraries write them: such a reading is refused, not its batch.
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


def _require_equal_lengths(columns: Mapping[str, Sequence[Any] | None]) -> None:
    lengths = {name: len(column) for name, column in columns.items() if column is not None}
    if len(set(lengths.values())) > 1:
        named = ", ".join(f"{name} {length}" for name, length in lengths.items())
        raise MalformedBatch(f"columns differ in length: {named}.")


def _bound(count: int) -> None:
    if count > MAX_BATCH_ROWS:
        raise _too_many(count)


def _too_many(count: int | None = None) -> TooManyReadings:
    held = f"This batch holds {count:,} readings; " if count else ""
    return TooManyReadings(f"{held}one batch may hold {MAX_BATCH_ROWS:,}. Send the rest in further batches.")
