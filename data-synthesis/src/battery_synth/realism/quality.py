"""Quality of the readings themselves: gaps, missing values, repeats, values out of range."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from battery_synth.realism.tables import Dataset, instants_us, numbers

LIMITS: Final = {
    "voltage_v": (-30.0, 30.0),
    "current_a": (-3000.0, 3000.0),
    "temperature_c": (-40.0, 150.0),
    "internal_resistance_mohm": (0.1, 100.0),
}
"""Physical limits: beyond them a gateway refuses a value."""


@dataclass(frozen=True, slots=True)
class Channel:
    """What is wrong with one channel, as shares of its rows."""

    name: str
    rows: int
    missing: float
    out_of_range: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Quality:
    """What is wrong with a table of readings."""

    channels: tuple[Channel, ...]
    repeats: int
    """Rows of one battery at one instant, beyond the first."""
    absent: float
    """Share of the regular grid that has no row."""


def quality_of(data: Dataset) -> Quality:
    """Look at every reading."""
    rows = data.read("telemetry", ["time", "battery_id", *LIMITS])
    at, code = instants_us(rows), rows["battery_id"].combine_chunks().dictionary_encode().indices.to_numpy()
    order = np.lexsort((at, code))
    same = (at[order][1:] == at[order][:-1]) & (code[order][1:] == code[order][:-1])
    every_us = round(data.manifest["every_s"] * 1e6)
    regular = int(((at % every_us) == 0).sum() - same.sum())
    instants = (np.datetime64(data.manifest["end"][:19]) - np.datetime64(data.manifest["start"][:19])) / np.timedelta64(
        1, "us"
    )
    expected = int(instants / every_us) * data.manifest["batteries"]
    channels = []
    for name, (low, high) in LIMITS.items():
        values = numbers(rows, name)
        known = values[np.isfinite(values)]
        outside = float(((known < low) | (known > high)).mean()) if len(known) else 0.0
        span = (float(known.min()), float(known.max())) if len(known) else (float("nan"), float("nan"))
        channels.append(Channel(name, len(values), float(np.isnan(values).mean()), outside, *span))
    return Quality(tuple(channels), int(same.sum()), 1.0 - regular / max(expected, 1))
