"""What the monitoring equipment reports of the true values: fixed errors, noise and resolution."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from battery_synth.streams import UintArray, keys, noise, stream

FloatArray = npt.NDArray[np.float64]

HALL_DEAD_BAND_A = 0.2
_VOLTAGE, _TEMPERATURE, _RESISTANCE, _STRING_V, _CURRENT, _FLOAT = range(6)


@dataclass(frozen=True)
class BlockSensors:
    """Sensors on the blocks (n,): voltage gain 0.15 % and 5 mV noise, temperature offset 0.5 K, ohmic bias 2 %."""

    key: UintArray
    voltage_gain: FloatArray
    temperature_offset_c: FloatArray
    resistance_gain: FloatArray

    @classmethod
    def of(cls, seed: int, battery_ids: list[str]) -> "BlockSensors":
        """Draw each block's fixed errors from its own stream."""
        draws = np.array([stream(seed, "sensor", battery).standard_normal(3) for battery in battery_ids])
        return cls(
            key=keys(seed, battery_ids, "sensor-noise"),
            voltage_gain=1.0 + 0.0015 * draws[:, 0],
            temperature_offset_c=0.5 * draws[:, 1],
            resistance_gain=1.0 + 0.02 * draws[:, 2],
        )

    def voltage_v(self, true_v: FloatArray, index: npt.NDArray[np.int64], tick: int) -> FloatArray:
        """Return readings in V, resolved to 1 mV."""
        return np.round(true_v * self.voltage_gain[index] + 0.005 * noise(self.key[index], tick, _VOLTAGE), 3)

    def temperature_c(self, true_c: FloatArray, index: npt.NDArray[np.int64], tick: int) -> FloatArray:
        """Return readings in °C, resolved to 0.1 K."""
        error = self.temperature_offset_c[index] + 0.1 * noise(self.key[index], tick, _TEMPERATURE)
        return np.round(true_c + error, 1)

    def resistance_mohm(self, true_mohm: FloatArray, index: npt.NDArray[np.int64], tick: int) -> FloatArray:
        """Return readings in mΩ with 1 % repeatability, resolved to 0.01 mΩ.

        The instrument's fixed error is left out: the baseline was taken with the same instrument, and a monitor is
        calibrated against it.
        """
        return np.round(true_mohm * (1.0 + 0.01 * noise(self.key[index], tick, _RESISTANCE)), 2)


@dataclass(frozen=True)
class StringSensors:
    """Sensors of the strings (g,): voltage 0.1 %, Hall current 0.1 A steps, float current by its own mA probe."""

    key: UintArray
    voltage_gain: FloatArray
    float_gain: FloatArray
    float_offset_ma: FloatArray

    @classmethod
    def of(cls, seed: int, string_ids: list[str]) -> "StringSensors":
        """Draw each string's fixed errors."""
        draws = np.array([stream(seed, "sensor", string).standard_normal(3) for string in string_ids])
        return cls(
            key=keys(seed, string_ids, "sensor-noise"),
            voltage_gain=1.0 + 0.0005 * draws[:, 0],
            float_gain=1.0 + 0.03 * draws[:, 1],
            float_offset_ma=2.0 * draws[:, 2],
        )

    def voltage_v(self, true_v: FloatArray, index: npt.NDArray[np.int64], tick: int) -> FloatArray:
        """Return string voltages in V, resolved to 10 mV."""
        return np.round(true_v * self.voltage_gain[index] + 0.02 * noise(self.key[index], tick, _STRING_V), 2)

    def current_a(self, true_a: FloatArray, index: npt.NDArray[np.int64], tick: int) -> FloatArray:
        """Return Hall currents in A, resolved to 0.1 A: blind to the float current."""
        reading: FloatArray = np.round(true_a * 1.005 + 0.015 * noise(self.key[index], tick, _CURRENT), 1)
        # The transducer is zeroed on float and shows nothing below its dead band.
        return np.where(np.abs(reading) < HALL_DEAD_BAND_A, 0.0, reading)

    def float_current_ma(self, true_a: FloatArray, index: npt.NDArray[np.int64], tick: int) -> FloatArray:
        """Return float currents in mA from the probe; beyond its range of 2 A it saturates."""
        reading = true_a * 1e3 * self.float_gain[index] + self.float_offset_ma[index]
        within: FloatArray = np.clip(reading + 0.5 * noise(self.key[index], tick, _FLOAT), -2000.0, 2000.0)
        return np.round(within, 1)
