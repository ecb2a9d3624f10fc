"""Readings of a batch as columns: what parsing makes, checks sift and ingest stores."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt

from battery_contracts.channels import BATTERY_CHANNELS, LOCATION_CHANNELS, STRING_CHANNELS, Channel
from battery_contracts.enums import HvacState, RejectCode, StringMode
from battery_contracts.telemetry import Rejection

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

ListName = Literal["readings", "columns", "string_readings", "site_readings"]


@dataclass(frozen=True, slots=True)
class Shape:
    """One kind of reading: its id, its measured channels and its words, each with the values it may take."""

    kind: Literal["battery", "string", "location"]
    id_field: str
    channels: tuple[Channel, ...]
    words: Mapping[str, tuple[Any, ...]]

    @property
    def channel_names(self) -> tuple[str, ...]:
        """Names of the measured channels in the column order of the store."""
        return tuple(channel.name for channel in self.channels)

    @property
    def fields(self) -> tuple[str, ...]:
        """Every field that a reading of this kind may carry."""
        return (self.id_field, "time", *self.channel_names, *self.words)


BATTERY_SHAPE: Final = Shape("battery", "battery_id", BATTERY_CHANNELS, {})
STRING_SHAPE: Final = Shape("string", "string_id", STRING_CHANNELS, {"mode": tuple(StringMode)})
LOCATION_SHAPE: Final = Shape(
    "location", "location_id", LOCATION_CHANNELS, {"hvac": tuple(HvacState), "mains": (False, True)}
)


@dataclass(frozen=True, slots=True)
class Rows:
    """``m`` readings of one kind that could be read; NaN and None stand for what was not sent.

    ``time_us`` counts microseconds since 1970 in UTC; ``source`` and ``index`` say where each stood in the batch.
    """

    shape: Shape
    source: Sequence[ListName]
    index: IntArray
    code: Sequence[str]
    time_us: IntArray
    values: Mapping[str, FloatArray]
    words: Mapping[str, Sequence[Any]]

    def __len__(self) -> int:
        return len(self.code)

    def rejection(self, position: int, code: RejectCode, detail: str) -> Rejection:
        """Say why the reading at a position is refused."""
        return Rejection(list=self.source[position], index=int(self.index[position]), code=code, detail=detail)


def select_rows(rows: Rows, positions: Sequence[int] | IntArray) -> Rows:
    """Return the rows at some positions."""
    chosen = np.asarray(positions, np.int64)
    return Rows(
        shape=rows.shape,
        source=[rows.source[position] for position in positions],
        index=rows.index[chosen],
        code=[rows.code[position] for position in positions],
        time_us=rows.time_us[chosen],
        values={name: column[chosen] for name, column in rows.values.items()},
        words={name: [column[position] for position in positions] for name, column in rows.words.items()},
    )


@dataclass(frozen=True, slots=True)
class ParsedBatch:
    """A batch whose readings could be read, beside those that could not."""

    batteries: Rows
    strings: Rows
    sites: Rows
    rejected: list[Rejection] = field(default_factory=list)
    unreadable_batteries: list[str] = field(default_factory=list)
    """What the refused battery readings gave as their battery, where they gave one."""

    @property
    def reading_count(self) -> int:
        """Readings that the sender put in, the refused ones included."""
        return len(self.batteries) + len(self.strings) + len(self.sites) + len(self.rejected)
