"""Checks of readings of blocks and strings against each other and against float, discharge and recharge."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from battery_synth.realism.checks.result import Finding, NotChecked, between
from battery_synth.realism.tables import DatasetTables, FloatArray, instants_us, numbers, strings_of, words

_SD_PER_MAD: Final = 1.4826
_MV: Final = 1000.0


@dataclass(frozen=True)
class StringSamples:
    """Samples (n,) of strings in the order of string and time, with the voltages of their blocks (n, blocks)."""

    string: npt.NDArray[np.str_]
    mode: npt.NDArray[np.str_]
    voltage_v: FloatArray
    current_a: FloatArray
    float_current_ma: FloatArray
    blocks_v: FloatArray | None
    """None if not every sample has a row of each of its blocks."""

    @classmethod
    def of(cls, data: DatasetTables) -> "StringSamples":
        """Read the samples of a set; all its strings have the same number of blocks."""
        rows = data.read("telemetry", ["time", "battery_id", "voltage_v"])
        names = ["voltage_v", "current_a", "float_current_ma"]
        strings = data.read("string_telemetry", ["time", "string_id", "mode", *names])
        at_us, owner = instants_us(strings), words(strings, "string_id")
        order = np.lexsort((at_us, owner))
        _, rank = np.unique(owner, return_inverse=True)
        block_us, block_owner = instants_us(rows), strings_of(rows)
        blocks = np.lexsort((block_us, block_owner))
        width = len(blocks) // max(len(order), 1)
        # Each sample and its blocks must agree in string and instant, not only in number.
        is_complete = len(blocks) == width * len(order) and all(
            np.array_equal(np.repeat(own[order], width), of_block[blocks])
            for own, of_block in ((at_us, block_us), (rank, block_owner))
        )
        voltage_v, current_a, float_current_ma = (numbers(strings, name)[order] for name in names)
        return cls(
            string=owner[order],
            mode=words(strings, "mode")[order],
            voltage_v=voltage_v,
            current_a=current_a,
            float_current_ma=float_current_ma,
            blocks_v=numbers(rows, "voltage_v")[blocks].reshape(-1, width) if is_complete else None,
        )


def reading_checks(samples: StringSamples) -> Iterator[Finding]:
    """Yield the checks of a set of readings."""
    blocks_v = samples.blocks_v
    yield between(
        "samples of strings with all their blocks", 1.0, 1.0, float(blocks_v is not None), "the layout of the files"
    )
    if blocks_v is None:
        yield NotChecked("voltages of blocks: samples of strings lack some of their blocks")
    else:
        yield from _voltage_checks(samples, blocks_v)
    recharge_a = samples.current_a[samples.mode == "recharge"]
    # What follows a discharge too short to be sampled is lost in the zero of the current sensor.
    if len(recharge_a) and (samples.mode == "discharge").any():
        source = "positive while charging; charger limit 0.1 C [FSP]"
        yield between("current in recharge, mean", 0.0, 12.0, float(np.nanmean(recharge_a)), source, unit=" A")
    else:
        yield NotChecked("current in recharge: no string was discharged and recharged")
    probe = samples.float_current_ma[samples.mode == "float"]
    share = float(((probe > 20.0) & (probe < 150.0))[np.isfinite(probe)].mean())
    source = "0.2 to 0.5 mA/Ah new, up to 3 times that when aged"
    yield between("share of float currents from 20 to 150 mA", 0.97, 1.0, share, source)


def _voltage_checks(samples: StringSamples, blocks_v: FloatArray) -> Iterator[Finding]:
    good = np.isfinite(blocks_v).all(axis=1) & np.isfinite(samples.voltage_v)
    error = np.abs(blocks_v.sum(axis=1) / samples.voltage_v - 1.0)[good]
    name = "sum of blocks against string voltage, 99th percentile"
    yield between(name, 0.0, 0.01, float(np.quantile(error, 0.99)), "monitor classes 0.5 %")
    resting = (samples.mode == "float") & good
    mean_v = blocks_v[resting].mean(axis=1)
    # The charger sets the mean; single blocks deviate from it, old ones by more than the range.
    share = float(((mean_v > 13.4) & (mean_v < 13.9)).mean())
    name = "share of floating strings with a mean of 13.4 to 13.9 V"
    yield between(name, 0.97, 1.0, share, "2.25 to 2.30 V per cell, compensated from 15 to 35 °C")
    spread_mv = _MV * _median_spread(samples.string[resting], blocks_v[resting])
    name = "spread of the blocks of a string on float, median string"
    yield between(name, 15.0, 120.0, spread_mv, "standard deviation 30 to 60 mV, more when aged", unit=" mV")
    is_ups = np.array(["-UPS-" in string for string in samples.string.tolist()])
    working = (samples.mode == "discharge") & is_ups
    if not working.any() or not (resting & is_ups).any():
        yield NotChecked("voltage in discharge: no string of a UPS was discharged")
        return
    # A rectifier's load of C/20 to C/8 hardly moves the voltage within the seconds of most discharges.
    fall_v = float(np.nanmean(blocks_v[working]) - blocks_v[resting & is_ups].mean())
    source = "V = OCV + I R, I < 0: 60 to 80 A and 3.5 mOhm"
    yield between("voltage in discharge relative to float, UPS", -3.0, -0.15, fall_v, source, unit=" V")


def _median_spread(string: npt.NDArray[np.str_], blocks_v: FloatArray) -> float:
    """Return the median over strings of the robust standard deviation of their blocks' means, in V."""
    means = np.array([blocks_v[string == name].mean(axis=0) for name in np.unique(string)])
    distance = np.abs(means - np.median(means, axis=1, keepdims=True))
    return float(np.median(_SD_PER_MAD * np.median(distance, axis=1)))
