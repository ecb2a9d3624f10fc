"""Capacity by ohmic readings: a raised resistance is a warning, a low one proves nothing.

Resistance over the block's own baseline grows by k (1 - SOH), with k from nearly 0 (sulfation) over 1.25 to 2.1
(corrosion) to 3 (dry-out), and a scatter of 8 to 12 % beside it. Which mechanism wears a block is not known, so the
spread is that of all of them: a rise says little of how much capacity is gone, and no rise says nothing.
"""

from dataclasses import dataclass

import numpy as np

from battery_twin.arrays import BoolArray, FloatArray
from battery_twin.filter.states import FilterOutput
from battery_twin.kernel import constants, layout

RISE_PER_FADE, RISE_PER_FADE_SD = 2.2, 1.1
SCATTER = 0.14
# A smaller rise is scatter.
MIN_RISE = 0.10
# Additional deviation of SOH per year of age of the reading.
FADE_SD_PER_YEAR = 0.03


@dataclass(frozen=True, slots=True)
class OhmicEstimate:
    """Resistance at 25 degC (n,) and the capacity (n,) with it taken into account.

    Parameters
    ----------
    measured
        Whether there is a resistance (n,).
    lowers_soh
        Whether it is raised enough to lower the capacity (n,).
    soh, soh_sd
        Capacity over rated capacity and its standard deviation (n,).
    """

    measured: BoolArray
    resistance_mohm: FloatArray
    resistance_sd_mohm: FloatArray
    lowers_soh: BoolArray
    soh: FloatArray
    soh_sd: FloatArray


def apply_ohmic(memory: FloatArray, baseline_mohm: FloatArray, output: FilterOutput) -> OhmicEstimate:
    """Compare filtered resistances with their baselines (n,) and lower the capacity where they have risen.

    Parameters
    ----------
    memory
        The kernel's memory (n, 24).
    baseline_mohm
        Resistance of each block when new, at 25 degC (n,); NaN where unknown.
    """
    resistance = memory[:, layout.RESISTANCE_MOHM]
    measured = resistance > 0
    with np.errstate(invalid="ignore"):
        rise = resistance / baseline_mohm - 1.0
        fade_sd = np.hypot(SCATTER, np.abs(rise) * RISE_PER_FADE_SD / RISE_PER_FADE) / RISE_PER_FADE
        ohmic_soh = np.maximum(1.0 - rise / RISE_PER_FADE, 0.0)
        lowers_soh = measured & (rise > MIN_RISE) & (ohmic_soh < output.soh)
    years = memory[:, layout.RESISTANCE_AGE_S] / constants.YEAR_S
    fade_var = np.where(lowers_soh, fade_sd**2 + (FADE_SD_PER_YEAR * years) ** 2, 1.0)
    weight = np.where(lowers_soh, output.soh_sd**2 / (output.soh_sd**2 + fade_var), 0.0)
    resistance_sd = np.sqrt(memory[:, layout.RESISTANCE_VAR] + (constants.OHMIC_BIAS * resistance) ** 2)
    return OhmicEstimate(
        measured,
        resistance,
        resistance_sd,
        lowers_soh,
        output.soh + weight * (np.where(lowers_soh, ohmic_soh, 0.0) - output.soh) * lowers_soh,
        output.soh_sd * np.sqrt(1.0 - weight),
    )
