"""Saturation of the slow polarisation branch with current."""

import numpy as np

from battery_twin.arrays import FloatArray

# The resistance of the slow branch is stated at this current, in multiples of the rated capacity per hour.
REFERENCE_C_RATE = 0.1


def slow_drive_a(current_a: FloatArray, rated_ah: float, knee_a: float) -> FloatArray:
    """Return the current that drives the slow branch.

    By Butler-Volmer kinetics the overvoltage grows linearly with small currents and logarithmically with large ones:
    ``i = I_ref asinh(I / I_knee) / asinh(I_ref / I_knee)``, so that the drive equals the current at the reference
    current of a tenth of the rated capacity per hour.

    Parameters
    ----------
    current_a
        Any shape; the result has the same.
    knee_a
        Current above which the branch saturates.
    """
    reference_a = REFERENCE_C_RATE * rated_ah
    return np.asarray(np.arcsinh(current_a / knee_a) * (reference_a / np.arcsinh(reference_a / knee_a)))
