"""Parameters of a block of which only the nameplate is known: a 120 Ah block's data sheet, scaled by rated capacity."""

from dataclasses import dataclass

import numpy as np

from battery_twin.arrays import FloatArray
from battery_twin.circuit.parameter_set import ParameterSet
from battery_twin.kernel.layout import RESISTANCE_KNOTS

REFERENCE_AH = 120.0
# Rested open-circuit voltage of a 12 V block by the acid-concentration law [PYB], acid 5.3 kmol/m3 when full and 0.7
# when a 10 h discharge ends; at that end the acid within the plates is weaker still.
OCV_V = np.array([11.25, 11.48, 11.60, 11.77, 11.91, 12.05, 12.19, 12.32, 12.46, 12.60, 12.74, 12.81, 12.88])
# Standard deviation of the whole curve: the law of the acid holds within some 30 mV.
OCV_SHIFT_SD_V = 0.03
# Ohm of a 120 Ah block when full; R0 rises by 40 % towards empty, the polarisation branches about double by half.
R0_FULL_OHM, R1_FULL_OHM, R2_FULL_OHM = 0.0035, 0.0015, 0.0008
TAU1_S, TAU2_S = 1.5, 300.0
# The slow branch saturates above this current, in multiples of the rated capacity per hour.
KNEE_C_RATE = 0.02
# Diffusion of acid into the plates: at the 1 h rate about two thirds of the capacity can be drawn [LEO] [SAM].
TAU_D_S, DEPLETION_H = 1200.0, 0.25
# Relative standard deviations where nothing but the nameplate is known.
ASSUMED_CAPACITY_SD = 0.10
ASSUMED_RESISTANCE_SD = 0.6
ASSUMED_DEPLETION_SD = 0.6
ASSUMED_VOLTAGE_ERROR_SD_V = 0.12
ASSUMED_VOLTAGE_RMSE_V = 0.03


@dataclass(frozen=True, slots=True)
class ResistanceTables:
    """R0, R1 and R2 (7,) of the reference block at `RESISTANCE_KNOTS`, and the factor to the block's own capacity."""

    reference_ohm: tuple[FloatArray, FloatArray, FloatArray]
    scale: float

    def scaled_ohm(self) -> tuple[FloatArray, ...]:
        """Return the tables of the block itself."""
        return tuple(self.scale * table for table in self.reference_ohm)


def resistance_tables(rated_ah: float) -> ResistanceTables:
    """Return the data-sheet resistances of a block of ``rated_ah``, inversely proportional to capacity."""
    empty = 1.0 - RESISTANCE_KNOTS
    reference_ohm = (R0_FULL_OHM * (1 + 0.4 * empty), R1_FULL_OHM * (1 + 2 * empty), R2_FULL_OHM * (1 + 2 * empty))
    return ResistanceTables(reference_ohm, REFERENCE_AH / rated_ah)


def data_sheet_parameters(rated_ah: float) -> ParameterSet:
    """Return the data-sheet circuit scaled to a rated capacity, with the uncertainty of a block never measured."""
    r0, r1, r2 = (_tuple(table) for table in resistance_tables(rated_ah).scaled_ohm())
    return ParameterSet(
        rated_ah=rated_ah,
        capacity_ah=rated_ah,
        capacity_sd_ah=ASSUMED_CAPACITY_SD * rated_ah,
        ocv_v=_tuple(OCV_V),
        ocv_shift_sd_v=OCV_SHIFT_SD_V,
        r0_ohm=r0,
        r1_ohm=r1,
        r2_ohm=r2,
        resistance_relative_sd=ASSUMED_RESISTANCE_SD,
        polarisation_relative_sd=ASSUMED_RESISTANCE_SD,
        tau1_s=TAU1_S,
        tau2_s=TAU2_S,
        knee_a=KNEE_C_RATE * rated_ah,
        tau_d_s=TAU_D_S,
        depletion_h=DEPLETION_H,
        depletion_relative_sd=ASSUMED_DEPLETION_SD,
        voltage_error_sd_v=ASSUMED_VOLTAGE_ERROR_SD_V,
        voltage_rmse_v=ASSUMED_VOLTAGE_RMSE_V,
        calibrated=False,
    )


def _tuple(values: FloatArray) -> tuple[float, ...]:
    return tuple(float(value) for value in values)
