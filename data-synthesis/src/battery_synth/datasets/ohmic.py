"""Ohmic readings referred to 25 °C, as an operator's systems process them."""

from typing import Final, TypeVar

import numpy as np
import numpy.typing as npt

RESISTANCE_PER_K: Final = 0.008
"""Ohmic readings fall by 0.8 % per K around 25 °C (manufacturers' data sheets; IEEE 1188 asks for a correction)."""

Value = TypeVar("Value", float, npt.NDArray[np.float64])


def resistance_25c_mohm(measured_mohm: Value, temperature_c: Value) -> Value:
    """Return measured resistances referred to 25 °C: R exp(0.008 (T - 25)), in mΩ.

    This is the processing of a reading, not the physics of a block, which `battery_synth.block.electrics` holds.
    """
    referred: Value = measured_mohm * np.exp(RESISTANCE_PER_K * (temperature_c - 25.0))
    return referred
