"""Flat lines: a channel that repeats one value while the rest of its string moves is no longer measured.

Nobody knows beforehand how much a healthy channel moves: that depends on the resolution and the filters of the monitor.
The other batteries of the string tell. When half of them change between two readings, so should this one with a
probability of one half; the sum of these shares is the number of changes to expect. A battery that repeats its value
through twenty expected changes would do so by chance once in 5e8 (e^-20).
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from battery_api.alerts.engine.comparison import BoolArray, FloatArray, IntArray

FLAT_CHANNELS: Final = ("voltage_v", "temperature_c")
EXPECTED_CHANGES: Final = 20.0
_LEAST_OTHERS: Final = 2
"""Present neighbours without which nothing can be expected of a battery."""
_CHANNEL: Final = np.dtype(
    [
        ("value", "<f4"),
        ("since_us", "<i8"),  # when the value was first seen
        ("last_us", "<i8"),
        ("expected", "<f4"),  # changes to expect since then
        ("changed", "?"),  # whether the last reading differed from the one before
    ]
)
_RECORD: Final = np.dtype([("battery", "<i4"), *((channel, _CHANNEL) for channel in FLAT_CHANNELS)])
_BLANK: Final = np.zeros((), _CHANNEL)
_BLANK["value"] = np.nan
_BLANK["last_us"] = np.iinfo(np.int64).min // 2

Records = npt.NDArray[Any]


class FlatlineTracker:
    """What each battery of some strings (n,) last measured, and since when it has not moved.

    Parameters
    ----------
    stored
        By string, what `stored` gave after the readings before; None at the beginning.
    battery, string
        Batteries (k,) that are about to report, by key, and the number of the string of each.
    """

    def __init__(self, stored: Sequence[bytes | None], battery: IntArray, string: IntArray) -> None:
        parts = [_readable(one) for one in stored]
        known = np.frombuffer(b"".join(parts), _RECORD)
        of_known = np.repeat(np.arange(len(parts)), [len(part) // _RECORD.itemsize for part in parts])
        new, where = np.unique(battery, return_index=True)
        is_new = ~np.isin(new, known["battery"])
        added = np.zeros(int(is_new.sum()), _RECORD)
        added["battery"] = new[is_new]
        for channel in FLAT_CHANNELS:
            added[channel] = _BLANK
        self._count = len(parts)
        strings = np.concatenate([of_known, string[where[is_new]]])
        keys = np.concatenate([known["battery"], added["battery"]]).astype(np.int64)
        order = np.argsort(keys, kind="stable")
        self._records: Records = np.frombuffer(b"".join([*parts, added.tobytes()]), _RECORD)[order]
        self._string, self._battery = strings[order], keys[order]

    def follow(
        self, battery: IntArray, time_us: IntArray, values: Mapping[str, FloatArray], valid_us: IntArray
    ) -> dict[str, FloatArray]:
        """Take readings (m,) in time order; return by channel how long each value has been a flat line [s].

        0 where it moves, or where nothing says that it should; NaN where the reading has no value.

        Parameters
        ----------
        battery
            Battery of each reading, by key.
        valid_us
            How long ago another battery may have reported to be still present.
        """
        row = np.searchsorted(self._battery, battery)
        flat_s = {channel: np.full(len(battery), np.nan) for channel in FLAT_CHANNELS}
        for readings in instants_in_turn(self._string[row], time_us):
            for channel in FLAT_CHANNELS:
                measured = readings[~np.isnan(values[channel][readings])]
                if len(measured):
                    flat_s[channel][measured] = self._step(
                        channel, row[measured], values[channel][measured], time_us[measured], valid_us[measured]
                    )
        return flat_s

    def stored(self) -> list[bytes | None]:
        """Return the form that is stored, by string."""
        by_string = np.argsort(self._string, kind="stable")
        ends = np.cumsum(np.bincount(self._string, minlength=self._count))
        parts = np.split(self._records[by_string], ends[:-1])
        return [part.tobytes() or None for part in parts[: self._count]]

    def _step(
        self, channel: str, row: IntArray, value: FloatArray, time_us: IntArray, valid_us: IntArray
    ) -> FloatArray:
        record = self._records[channel]
        single = value.astype(np.float32)
        is_same = record["value"][row] == single
        record["value"][row] = single
        record["since_us"][row] = np.where(is_same, record["since_us"][row], time_us)
        record["last_us"][row] = time_us
        record["changed"][row] = ~is_same
        share = self._changed_share(record, row, time_us, valid_us)
        expected = np.where(is_same, record["expected"][row] + share, np.float32(0.0))
        record["expected"][row] = expected
        lasted_s: FloatArray = (time_us - record["since_us"][row]) / 1e6
        return np.where(expected >= EXPECTED_CHANGES, lasted_s, 0.0)

    def _changed_share(
        self, record: Records, row: IntArray, time_us: IntArray, valid_us: IntArray
    ) -> npt.NDArray[np.float32]:
        """Return which share of the other present batteries of the string changed with their last reading."""
        string = self._string[row]
        # All readings of a string in one step are of one instant.
        since_us = np.full(self._count, np.iinfo(np.int64).max)
        since_us[string] = time_us - valid_us
        is_present: BoolArray = record["last_us"] >= since_us[self._string]
        present = np.bincount(self._string, weights=is_present, minlength=self._count)
        changed = np.bincount(self._string, weights=is_present & record["changed"], minlength=self._count)
        others = present[string] - 1
        share = (changed[string] - record["changed"][row]) / np.maximum(others, 1)
        return np.where(others >= _LEAST_OTHERS, share, 0.0).astype(np.float32)


def instants_in_turn(string: IntArray, time_us: IntArray) -> Iterator[IntArray]:
    """Yield the readings (m,) of the first instant of every string, then those of the second, and so on."""
    if not len(string):
        return
    order = np.lexsort((time_us, string))
    begins_string = np.concatenate([[True], np.diff(string[order]) != 0])
    begins = begins_string | np.concatenate([[True], np.diff(time_us[order]) != 0])
    instant = np.cumsum(begins) - 1
    first = instant[begins_string][np.cumsum(begins_string) - 1]
    turn = instant - first
    by_turn = order[np.argsort(turn, kind="stable")]
    yield from np.split(by_turn, np.cumsum(np.bincount(turn))[:-1])


def _readable(stored: bytes | None) -> bytes:
    """Return the records of a string; none where another version wrote them."""
    return stored if stored and len(stored) % _RECORD.itemsize == 0 else b""
