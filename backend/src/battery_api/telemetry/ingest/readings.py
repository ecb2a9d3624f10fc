"""Readings of a batch as columns: what parsing produces, validation filters and the transaction stores."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import numpy as np

from battery_api.telemetry.store.columns import FloatArray, IntArray
from battery_api.telemetry.store.fleet_index import Kind
from battery_contracts.channels import BATTERY_CHANNELS, LOCATION_CHANNELS, STRING_CHANNELS, Channel
from battery_contracts.enums import HvacState, RejectCode, StringMode
from battery_contracts.telemetry import LeftOutValue, Rejection

ListName = Literal["readings", "columns", "string_readings", "site_readings"]


@dataclass(frozen=True, slots=True)
class ReadingShape:
    """One kind of reading: its id, its measured channels, and its categories with the values each may take."""

    kind: Kind
    id_field: str
    channels: tuple[Channel, ...]
    categories: Mapping[str, tuple[Any, ...]]

    @property
    def channel_names(self) -> tuple[str, ...]:
        """Names of the measured channels in the column order of the store."""
        return tuple(channel.name for channel in self.channels)

    @property
    def fields(self) -> tuple[str, ...]:
        """Every field that a reading of this kind may carry."""
        return (self.id_field, "time", *self.channel_names, *self.categories)


BATTERY_SHAPE: Final = ReadingShape("battery", "battery_id", BATTERY_CHANNELS, {})
STRING_SHAPE: Final = ReadingShape("string", "string_id", STRING_CHANNELS, {"mode": tuple(StringMode)})
LOCATION_SHAPE: Final = ReadingShape(
    "location", "location_id", LOCATION_CHANNELS, {"hvac": tuple(HvacState), "mains": (False, True)}
)


@dataclass(frozen=True, slots=True)
class ParsedRows:
    """``m`` readings of one kind; NaN and None stand for what was not sent.

    ``time_us`` counts microseconds since 1970 in UTC; ``source`` and ``index`` give the list and the position of each
    reading in the batch.
    """

    shape: ReadingShape
    source: Sequence[ListName]
    index: IntArray
    code: Sequence[str]
    time_us: IntArray
    values: Mapping[str, FloatArray]
    categories: Mapping[str, Sequence[Any]]

    def __len__(self) -> int:
        return len(self.code)

    def rejection(self, row: int, code: RejectCode, detail: str) -> Rejection:
        """Return the rejection of one row."""
        return Rejection(list=self.source[row], index=int(self.index[row]), code=code, detail=detail)

    def left_out(self, row: int, name: str, detail: str) -> LeftOutValue:
        """Return the note that one value of a row was left out."""
        return LeftOutValue(
            list=self.source[row], index=int(self.index[row]), field=name, code=RejectCode.NOT_AVAILABLE, detail=detail
        )


def select_rows(rows: ParsedRows, chosen: Sequence[int]) -> ParsedRows:
    """Return some of the rows."""
    positions = np.asarray(chosen, np.int64)
    return ParsedRows(
        shape=rows.shape,
        source=[rows.source[row] for row in chosen],
        index=rows.index[positions],
        code=[rows.code[row] for row in chosen],
        time_us=rows.time_us[positions],
        values={name: column[positions] for name, column in rows.values.items()},
        categories={name: [column[row] for row in chosen] for name, column in rows.categories.items()},
    )


@dataclass(frozen=True, slots=True)
class ParsedBatch:
    """A batch after parsing: the readable readings, and the rejections of the others."""

    batteries: ParsedRows
    strings: ParsedRows
    locations: ParsedRows
    rejected: list[Rejection] = field(default_factory=list)
    unreadable_battery_codes: list[str] = field(default_factory=list)
    """Battery ids of the rejected battery readings that gave one."""

    @property
    def reading_count(self) -> int:
        """Readings in the batch as sent, the rejected ones included."""
        return len(self.batteries) + len(self.strings) + len(self.locations) + len(self.rejected)
