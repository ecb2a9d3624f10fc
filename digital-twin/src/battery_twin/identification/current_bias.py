"""The bias of a run's current sensor: what it shows while the block rests."""

from dataclasses import dataclass, replace

import numpy as np

from battery_twin.arrays import BoolArray, FloatArray
from battery_twin.runs import RecordedRun

# A Hall sensor's zero is off by less than this; what flows beyond it is real.
MAX_BIAS_C_RATE = 0.004
# A block above this voltage floats: then a current flows, however small.
RESTING_V = 13.05
MIN_REST_ROWS, MIN_REST_S = 5, 300.0
# Bias that remains after a rest, and without one, in multiples of the rated capacity per hour.
MEASURED_SD_C_RATE, UNKNOWN_SD_C_RATE = 0.0002, 0.0012


@dataclass(frozen=True, slots=True)
class CurrentBias:
    """Bias of a current sensor (A) with its standard deviation; ``measured`` is whether the run has a rest."""

    bias_a: float
    sd_a: float
    measured: bool

    def remove_from(self, run: RecordedRun) -> RecordedRun:
        """Return the run with the bias taken off its current."""
        return replace(run, current_a=run.current_a - self.bias_a)


def current_bias(run: RecordedRun, rated_ah: float) -> CurrentBias:
    """Return the median current of a run's rests; zero with a wide deviation where it never rests."""
    rests = resting(run, rated_ah)
    if int(rests.sum()) < MIN_REST_ROWS or float(run.dt_s[rests].sum()) < MIN_REST_S:
        return CurrentBias(0.0, UNKNOWN_SD_C_RATE * rated_ah, measured=False)
    return CurrentBias(float(np.median(run.current_a[rests])), MEASURED_SD_C_RATE * rated_ah, measured=True)


def resting(run: RecordedRun, rated_ah: float) -> BoolArray:
    """Return a mask (m,) of the rows in which nothing flows: as little as a sensor's bias, below float voltage."""
    still: FloatArray = np.abs(run.current_a)
    return np.asarray((still < MAX_BIAS_C_RATE * rated_ah) & (run.voltage_v < RESTING_V))
