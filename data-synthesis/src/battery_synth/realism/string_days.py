"""Daily values of whole strings, read batch by batch, so that the number of blocks takes no memory."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from battery_synth.realism.tables import DatasetTables, FloatArray

_DAY_US: Final = 86_400_000_000
_DAY_S: Final = 86_400
_COLUMNS: Final = ("temperature_mean_c", "temperature_rise_k", "voltage_mean_v", "float_current_ma")


@dataclass(frozen=True)
class StringDays:
    """Means over the blocks of strings, (strings, days), NaN where nothing was read."""

    string_ids: tuple[str, ...]
    temperature_c: FloatArray
    room_c: FloatArray
    """What the blocks are warmer than; the room's own mean."""
    block_v: FloatArray
    float_current_ma: FloatArray

    @classmethod
    def of(cls, data: DatasetTables) -> "StringDays":
        """Read the daily aggregates of a set."""
        string_ids = tuple(sorted({row.string_id for row in data.fleet}))
        start_s, end_s = (np.datetime64(data.manifest[name][:19], "s").astype(np.int64) for name in ("start", "end"))
        first = start_s // _DAY_S
        shape = len(string_ids), int((end_s - 1) // _DAY_S - first) + 1
        total = {name: np.zeros(shape[0] * shape[1]) for name in _COLUMNS}
        count = {name: np.zeros(shape[0] * shape[1]) for name in _COLUMNS}
        for batch in data.batches("telemetry_daily", ["time", "battery_id", *_COLUMNS]):
            at_us = batch["time"].to_numpy(zero_copy_only=False).astype("datetime64[us]").astype(np.int64)
            cell = _strings_of(batch["battery_id"], string_ids) * shape[1] + at_us // _DAY_US - first
            for name in _COLUMNS:
                values = batch[name].to_numpy(zero_copy_only=False).astype(np.float64)
                read = np.isfinite(values)
                total[name] += np.bincount(cell[read], values[read], minlength=len(total[name]))
                count[name] += np.bincount(cell[read], minlength=len(count[name]))
        with np.errstate(invalid="ignore"):
            warmth, rise, volts, probe = ((total[name] / count[name]).reshape(shape) for name in _COLUMNS)
        return cls(string_ids, warmth, warmth - rise, volts, probe)

    @property
    def locations(self) -> npt.NDArray[np.str_]:
        """The location of each string, (strings,)."""
        return np.array([string[:9] for string in self.string_ids])


def _strings_of(column: Any, string_ids: tuple[str, ...]) -> npt.NDArray[np.int64]:
    coded = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
    rank = np.searchsorted(np.array(string_ids), [name[4:-4] for name in coded.dictionary.to_pylist()])
    return np.asarray(rank[coded.indices.to_numpy(zero_copy_only=False)], np.int64)
