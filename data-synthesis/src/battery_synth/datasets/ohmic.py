"""Ohmic readings referred to 25 °C, as an operator's systems process them."""

from typing import TypeVar

import numpy as np
import numpy.typing as npt

from battery_contracts.ohmic import REFERENCE_TEMPERATURE_C, RESISTANCE_SLOPE_PER_C

Value = TypeVar("Value", float, npt.NDArray[np.float64])


def resistance_25c_mohm(measured_mohm: Value, temperature_c: Value) -> Value:
    """Return measured resistances referred to 25 °C: R / exp(-0.008 (T - 25)), in mΩ.

    This is the processing of a reading, not the physics of a block, which `battery_synth.block.electrics` holds.
    """
    referred: Value = measured_mohm / np.exp(RESISTANCE_SLOPE_PER_C * (temperature_c - REFERENCE_TEMPERATURE_C))
    return referred
