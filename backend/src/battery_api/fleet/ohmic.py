"""Ohmic readings made comparable: corrected to 25 °C and relative to the battery's own baseline."""

from typing import Final

import numpy as np
import numpy.typing as npt

from battery_contracts.ohmic import REFERENCE_TEMPERATURE_C, RESISTANCE_SLOPE_PER_C

FloatArray = npt.NDArray[np.float64]
BASELINE_FACTOR: Final = 5.0
"""A baseline is within this factor of the model's nominal resistance (EJ): instruments, temperature and age together
change what is measured by a factor of 2 or 3, a wrong unit by 6 or more."""


def is_credible_baseline(baseline_mohm: float, nominal_mohm: float) -> bool:
    """Return whether a value can be the baseline of a battery of this model, in the unit that it should have."""
    return nominal_mohm / BASELINE_FACTOR <= baseline_mohm <= nominal_mohm * BASELINE_FACTOR


def resistance_at_25c(resistance_mohm: FloatArray, temperature_c: FloatArray) -> FloatArray:
    """Return resistances (n,) in mΩ corrected to 25 °C; NaN stays NaN."""
    corrected: FloatArray = resistance_mohm / np.exp(RESISTANCE_SLOPE_PER_C * (temperature_c - REFERENCE_TEMPERATURE_C))
    return corrected


def drift_pct(
    resistance_mohm: FloatArray,
    temperature_c: FloatArray,
    baseline_resistance_mohm: FloatArray,
    baseline_temperature_c: FloatArray,
) -> FloatArray:
    """Return how far resistances (n,) are above the batteries' own baselines, in percent, both corrected to 25 °C.

    NaN where a measurement or a baseline is missing: no generic value is ever substituted for a battery's own.
    """
    measured = resistance_at_25c(resistance_mohm, temperature_c)
    baseline = resistance_at_25c(baseline_resistance_mohm, baseline_temperature_c)
    drift: FloatArray = (measured / baseline - 1.0) * 100.0
    return drift


def drift_sql(resistance: str, temperature: str, baseline: str, baseline_temperature: str) -> str:
    """Return the drift of `drift_pct` as an SQL expression over column names; null where a value is missing."""
    slope, reference = RESISTANCE_SLOPE_PER_C, REFERENCE_TEMPERATURE_C
    return (
        f"(({resistance}::double precision / exp({slope} * ({temperature} - {reference}))) / "
        f"nullif({baseline}::double precision / exp({slope} * ({baseline_temperature} - {reference})), 0) - 1) * 100"
    )
