"""Quality of the readings: gaps, missing values, repeats, values out of range."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from battery_synth.realism.tables import DatasetTables, instants_us, numbers

LIMITS: Final = {
    "voltage_v": (-30.0, 30.0),
    "current_a": (-3000.0, 3000.0),
    "temperature_c": (-40.0, 150.0),
    "internal_resistance_mohm": (0.1, 100.0),
}
"""Physical limits, beyond which a gateway refuses a value."""


@dataclass(frozen=True, slots=True)
class ChannelQuality:
    """Quality of one channel; ``missing`` and ``out_of_range`` are shares of its rows."""

    name: str
    rows: int
    missing: float
    out_of_range: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class TableQuality:
    """Quality of a table of readings."""

    channels: tuple[ChannelQuality, ...]
    repeats: int
    """Rows of one battery at one instant, beyond the first."""
    absent: float
    """Share of the regular grid without a row."""


def quality_of(data: DatasetTables) -> TableQuality:
    """Return the quality of all readings of a dataset."""
    rows = data.read("telemetry", ["time", "battery_id", *LIMITS])
    at_us, code = instants_us(rows), rows["battery_id"].combine_chunks().dictionary_encode().indices.to_numpy()
    order = np.lexsort((at_us, code))
    same = (at_us[order][1:] == at_us[order][:-1]) & (code[order][1:] == code[order][:-1])
    every_us = round(data.manifest["every_s"] * 1e6)
    regular = int(((at_us % every_us) == 0).sum() - same.sum())
    instants = (np.datetime64(data.manifest["end"][:19]) - np.datetime64(data.manifest["start"][:19])) / np.timedelta64(
        1, "us"
    )
    expected = int(instants / every_us) * data.manifest["batteries"]
    channels = []
    for name, (low, high) in LIMITS.items():
        values = numbers(rows, name)
        valid = values[np.isfinite(values)]
        outside = float(((valid < low) | (valid > high)).mean()) if len(valid) else 0.0
        span = (float(valid.min()), float(valid.max())) if len(valid) else (float("nan"), float("nan"))
        channels.append(ChannelQuality(name, len(values), float(np.isnan(values).mean()), outside, *span))
    return TableQuality(tuple(channels), int(same.sum()), 1.0 - regular / max(expected, 1))
