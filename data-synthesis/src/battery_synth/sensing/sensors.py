"""Sensors of blocks and strings: fixed errors, noise and resolution, as pure functions of sensor and instant."""

import math
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from battery_synth.block import electrics
from battery_synth.compiled import compiled
from battery_synth.sensing.instruments import Instruments
from battery_synth.sensing.noise import UintArray, bits, keys, normal
from battery_synth.state.arrays import TrueRows
from battery_synth.streams import stream

FloatArray = npt.NDArray[np.float64]
Float32Array = npt.NDArray[np.float32]

VOLTAGE_GAIN_SD, VOLTAGE_NOISE_V, VOLTAGE_STEP_V = 0.0015, 0.005, 0.001
TEMPERATURE_OFFSET_SD_C, TEMPERATURE_NOISE_C, TEMPERATURE_STEP_C = 0.5, 0.1, 0.1
RESISTANCE_BIAS_SD, RESISTANCE_STEP_MOHM = 0.01, 0.01
RESISTANCE_NOISE, RESISTANCE_WANDER, WANDER_DAYS = 0.006, 0.008, 20.0
"""Repeatability of a block's resistance: 1 % (data sheets of monitors), a part of it anew in each measurement and
a part that stays for weeks, so that the mean of a month is not better than about 0.6 %."""
STRING_GAIN_SD, STRING_NOISE_V, STRING_STEP_V = 0.0005, 0.02, 0.01
HALL_GAIN, HALL_NOISE_A, HALL_STEP_A, HALL_DEAD_BAND_A = 1.005, 0.015, 0.1, 0.2
"""A Hall transducer for 300 A, zeroed on float: it does not see the float current."""
PROBE_GAIN_SD, PROBE_OFFSET_SD_MA, PROBE_NOISE_MA, PROBE_STEP_MA, PROBE_RANGE_MA = 0.03, 2.0, 0.5, 0.1, 2000.0
"""The float current has its own milliampere probe, which saturates."""
RIPPLE_OHM: Final = 0.084
"""Resistance of 24 blocks in series, across which ripple current makes ripple voltage; in proportion for others."""
_RIPPLE_BLOCKS: Final = 24.0
TICK_US: Final = 100_000
_WANDER_US: Final = int(WANDER_DAYS * 86_400_000_000)


class SensorErrors(NamedTuple):
    """Fixed errors and noise keys of a location's sensors: (n,) per block, (g,) per string."""

    block_key: UintArray
    voltage_gain: FloatArray
    temperature_offset_c: FloatArray
    resistance_gain: FloatArray
    instrument_change_us: npt.NDArray[np.int64]
    instrument_gain: FloatArray
    instrument_per_k: FloatArray
    """See `battery_synth.sensing.instruments.Instruments`."""
    string_key: UintArray
    string_gain: FloatArray
    probe_gain: FloatArray
    probe_offset_ma: FloatArray


class SensorReadings(NamedTuple):
    """Readings of R rows of strings with w blocks each; NaN where nothing was measured."""

    voltage_v: Float32Array
    temperature_c: Float32Array
    internal_resistance_mohm: Float32Array
    string_voltage_v: Float32Array
    current_a: Float32Array
    float_current_ma: Float32Array
    ripple_voltage_v: Float32Array
    ripple_current_a: Float32Array

    @classmethod
    def empty(cls, rows: int, width: int) -> "SensorReadings":
        """Return uninitialised readings."""
        block = [np.empty((rows, width), np.float32) for _ in range(3)]
        return cls(*block, *(np.empty(rows, np.float32) for _ in range(5)))


@dataclass(frozen=True, slots=True)
class Sensors:
    """The sensors of a location."""

    errors: SensorErrors

    @classmethod
    def of(cls, seed: int, location: str, battery_ids: list[str], string_ids: list[str]) -> "Sensors":
        """Draw each sensor's fixed errors from its own stream.

        The baseline of the catalogue was taken at commissioning with a good instrument. The monitors read it with the
        error of their `Instruments`, and with a small one of the leads of each block.
        """
        blocks = np.array([stream(seed, "sensor", battery).standard_normal(3) for battery in battery_ids])
        strings = np.array([stream(seed, "sensor", string).standard_normal(3) for string in string_ids])
        instruments = Instruments.of(seed, location, string_ids)
        return cls(
            SensorErrors(
                block_key=keys(seed, battery_ids, "sensor-noise"),
                voltage_gain=1.0 + VOLTAGE_GAIN_SD * blocks[:, 0],
                temperature_offset_c=TEMPERATURE_OFFSET_SD_C * blocks[:, 1],
                resistance_gain=1.0 + RESISTANCE_BIAS_SD * blocks[:, 2],
                instrument_change_us=instruments.change_us,
                instrument_gain=instruments.gain,
                instrument_per_k=instruments.per_k,
                string_key=keys(seed, string_ids, "sensor-noise"),
                string_gain=1.0 + STRING_GAIN_SD * strings[:, 0],
                probe_gain=1.0 + PROBE_GAIN_SD * strings[:, 1],
                probe_offset_ma=PROBE_OFFSET_SD_MA * strings[:, 2],
            )
        )

    def read(
        self,
        rows: TrueRows,
        at_us: npt.NDArray[np.int64],
        is_ohmic: npt.NDArray[np.bool_],
        resistance_25c_mohm: FloatArray,
    ) -> SensorReadings:
        """Return the readings of true rows (R,); resistance is measured where ``is_ohmic`` (R,) is set.

        ``at_us`` (R,) are instants in us since 1970, ``resistance_25c_mohm`` (n,) the true values.
        """
        readings = SensorReadings.empty(*rows.voltage_v.shape)
        read_rows(self.errors, rows, at_us, is_ohmic, resistance_25c_mohm, readings)
        return readings


@compiled
def rounded(value: float, step: float) -> float:
    """Return a value at a sensor's resolution."""
    return math.floor(value / step + 0.5) * step


@compiled
def wander(key: np.uint64, at_us: np.int64) -> float:
    """Return slow noise of unit variance: independent from one `WANDER_DAYS` to the next, and smooth between."""
    knot = at_us // _WANDER_US
    turn = (at_us - knot * _WANDER_US) / _WANDER_US * (math.pi / 2.0)
    # Ticks of readings are far greater than these: no reading shares its bits with a knot.
    before, after = normal(bits(key, knot), 3), normal(bits(key, knot + 1), 3)
    return before * math.cos(turn) + after * math.sin(turn)


@compiled
def read_rows(
    errors: SensorErrors,
    rows: TrueRows,
    at_us: npt.NDArray[np.int64],
    is_ohmic: npt.NDArray[np.bool_],
    resistance_25c_mohm: FloatArray,
    readings: SensorReadings,
) -> None:
    """Fill in the readings of all rows."""
    width = rows.voltage_v.shape[1]
    ripple_ohm = RIPPLE_OHM * (width / _RIPPLE_BLOCKS)
    for row in range(rows.voltage_v.shape[0]):
        string = rows.string[row]
        tick = at_us[row] // TICK_US
        total_v = 0.0
        epoch = np.searchsorted(errors.instrument_change_us, at_us[row], side="right") if is_ohmic[row] else 0
        instrument = errors.instrument_gain[epoch, string]
        for j in range(width):
            i = string * width + j
            random = bits(errors.block_key[i], tick)
            true_v = rows.voltage_v[row, j]
            total_v += true_v
            readings.voltage_v[row, j] = rounded(
                true_v * errors.voltage_gain[i] + VOLTAGE_NOISE_V * normal(random, 0), VOLTAGE_STEP_V
            )
            error_c = errors.temperature_offset_c[i] + TEMPERATURE_NOISE_C * normal(random, 1)
            readings.temperature_c[row, j] = rounded(rows.temperature_c[row, j] + error_c, TEMPERATURE_STEP_C)
            if is_ohmic[row]:
                true_mohm = electrics.ohmic_mohm(resistance_25c_mohm[i], rows.soc[row, j], rows.temperature_c[row, j])
                gain = instrument * errors.resistance_gain[i] * (1.0 + RESISTANCE_NOISE * normal(random, 2))
                gain *= 1.0 + RESISTANCE_WANDER * wander(errors.block_key[i], at_us[row])
                gain *= 1.0 + errors.instrument_per_k[string] * (rows.temperature_c[row, j] - 25.0)
                readings.internal_resistance_mohm[row, j] = rounded(true_mohm * gain, RESISTANCE_STEP_MOHM)
            else:
                readings.internal_resistance_mohm[row, j] = np.nan
        random = bits(errors.string_key[string], tick)
        readings.string_voltage_v[row] = rounded(
            total_v * errors.string_gain[string] + STRING_NOISE_V * normal(random, 0), STRING_STEP_V
        )
        hall_a = rounded(rows.current_a[row] * HALL_GAIN + HALL_NOISE_A * normal(random, 1), HALL_STEP_A)
        readings.current_a[row] = 0.0 if abs(hall_a) < HALL_DEAD_BAND_A else hall_a
        probe_ma = rows.current_a[row] * 1e3 * errors.probe_gain[string] + errors.probe_offset_ma[string]
        probe_ma = min(max(probe_ma + PROBE_NOISE_MA * normal(random, 2), -PROBE_RANGE_MA), PROBE_RANGE_MA)
        readings.float_current_ma[row] = rounded(probe_ma, PROBE_STEP_MA)
        readings.ripple_voltage_v[row] = rounded(rows.ripple_a[row] * ripple_ohm, 0.001)
        readings.ripple_current_a[row] = rounded(rows.ripple_a[row], 0.01)
