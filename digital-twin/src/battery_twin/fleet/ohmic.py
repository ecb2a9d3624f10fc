"""What the ohmic readings of a block say of its capacity: a risen resistance is a warning, a low one is no comfort.

Resistance over the own baseline grows by k (1 - SOH), k 1.25 to 2.1 by mechanism, with a scatter of some 10 %;
sulfation raises it hardly at all. So it can only lower what is said of a block.
"""

from dataclasses import dataclass

import numpy as np

from battery_twin.filter import kernel
from battery_twin.filter.blocks import Said
from battery_twin.filter.kernel import FloatArray
from battery_twin.fleet.readings import BoolArray

RISE_PER_FADE, RISE_PER_FADE_SD = 1.6, 0.3
SCATTER = 0.10
# Below this a rise is scatter.
SPEAKS_FROM = 0.10
# A reading of long ago says less: points of deviation a year.
FADE_SD_PER_YEAR = 0.03


@dataclass(frozen=True, slots=True)
class Ohmic:
    """Resistance at 25 degC (n,) and the capacity (n,) with it taken into account."""

    measured: BoolArray
    resistance_mohm: FloatArray
    resistance_sd_mohm: FloatArray
    speaks: BoolArray
    soh: FloatArray
    soh_sd: FloatArray


def told(memory: FloatArray, baseline_mohm: FloatArray, said: Said) -> Ohmic:
    """Hold followed resistances (n,) against their baselines and lower the capacity where they have risen."""
    resistance = memory[:, kernel.RESISTANCE_MOHM]
    measured = resistance > 0
    with np.errstate(invalid="ignore"):
        rise = resistance / baseline_mohm - 1.0
        fade_sd = np.hypot(SCATTER, np.abs(rise) * RISE_PER_FADE_SD / RISE_PER_FADE) / RISE_PER_FADE
        lower = np.maximum(1.0 - rise / RISE_PER_FADE, 0.0)
        speaks = measured & (rise > SPEAKS_FROM) & (lower < said.soh)
    years = memory[:, kernel.RESISTANCE_AGE_S] / kernel.YEAR_S
    fade_var = np.where(speaks, fade_sd**2 + (FADE_SD_PER_YEAR * years) ** 2, 1.0)
    weight = np.where(speaks, said.soh_sd**2 / (said.soh_sd**2 + fade_var), 0.0)
    resistance_sd = np.sqrt(memory[:, kernel.RESISTANCE_VAR] + (kernel.OHMIC_BIAS * resistance) ** 2)
    return Ohmic(
        measured,
        resistance,
        resistance_sd,
        speaks,
        said.soh + weight * (np.where(speaks, lower, 0.0) - said.soh) * speaks,
        said.soh_sd * np.sqrt(1.0 - weight),
    )
