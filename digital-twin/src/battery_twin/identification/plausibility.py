"""Whether a fit can be the circuit of a 12 V lead-acid block; refusals and warnings say what is wrong."""

import numpy as np

from battery_twin.circuit.data_sheet import resistance_tables
from battery_twin.identification.excitation import discharge_rates
from battery_twin.identification.fit import Fit
from battery_twin.kernel.layout import RESISTANCE_KNOTS
from battery_twin.runs import RunInvalid

MIN_CAPACITY, MAX_CAPACITY = 0.4, 1.4
USUAL_CAPACITY = (0.7, 1.25)
# A circuit that misses by more than this is refused, by more than the lower limits deserves a warning.
MAX_RMSE_V, MAX_WORST_V = 0.08, 0.6
WARN_RMSE_V, WARN_WORST_V = 0.03, 0.25
# Rest voltage of a full block, and its resistance as a multiple of the data sheet's.
FULL_V_LIMITS, FULL_V_USUAL = (12.3, 13.2), (12.6, 13.05)
RESISTANCE_LIMITS = (0.2, 6.0)
AT_BOUND = 1.02


class FitImplausible(RunInvalid):
    """The circuit that fits the runs cannot be that of a 12 V lead-acid block."""


def check_fit(fit: Fit) -> None:
    """Raise `FitImplausible` when residual, rest voltage, resistance or capacity are outside physics."""
    rated_ah = fit.traces[0].rated_ah
    rmse_v, worst_v = _misses_v(fit)
    if rmse_v > MAX_RMSE_V or worst_v > MAX_WORST_V:
        raise FitImplausible(
            f"the best circuit misses the voltage by {1000 * rmse_v:.0f} mV RMSE and {1000 * worst_v:.0f} mV at worst: "
            "the runs are not of one block, or time, current and voltage do not belong together",
            column="voltage_v",
        )
    if not MIN_CAPACITY <= fit.capacity_ah / rated_ah <= MAX_CAPACITY:
        raise FitImplausible(
            f"{fit.capacity_ah:.1f} Ah were counted of {rated_ah:g} Ah rated: check the rated capacity and the scale "
            "of the current",
            column="current_a",
        )
    full_v = float(fit.table("ocv")[0][-1])
    if not FULL_V_LIMITS[0] <= full_v <= FULL_V_LIMITS[1]:
        raise FitImplausible(
            f"the fit puts the rest voltage of the full block at {full_v:.2f} V, outside {FULL_V_LIMITS[0]:g} to "
            f"{FULL_V_LIMITS[1]:g} V: give a run that starts full and rested",
            column="voltage_v",
        )
    ratio = _resistance_ratio(fit)
    if not RESISTANCE_LIMITS[0] <= ratio <= RESISTANCE_LIMITS[1]:
        raise FitImplausible(
            f"the fit puts the resistance at {ratio:.1f} times that of a block of {rated_ah:g} Ah: check the rated "
            "capacity and the scale of the current",
            column="current_a",
        )


def warnings(fit: Fit) -> list[str]:
    """Return a sentence for each sign that the fit describes its block badly."""
    sentences = []
    rmse_v, worst_v = _misses_v(fit)
    if rmse_v > WARN_RMSE_V or worst_v > WARN_WORST_V:
        sentences.append(
            f"The circuit misses the voltage by {1000 * rmse_v:.0f} mV RMSE and {1000 * worst_v:.0f} mV at worst: "
            "expect wide intervals."
        )
    full_v = float(fit.table("ocv")[0][-1])
    if not FULL_V_USUAL[0] <= full_v <= FULL_V_USUAL[1]:
        sentences.append(f"The rest voltage of the full block, {full_v:.2f} V, is unusual for lead-acid.")
    share = fit.capacity_ah / fit.traces[0].rated_ah
    if not USUAL_CAPACITY[0] <= share <= USUAL_CAPACITY[1]:
        sentences.append(
            f"The capacity is {share:.0%} of the rated one: check the latter, and calibrate on a block in good health."
        )
    for name in ("r0", "r1", "r2"):
        values, lowest = fit.table(name)[0], fit.lowest_ohm(name)
        knots = RESISTANCE_KNOTS[values <= AT_BOUND * lowest]
        if len(knots):
            at = ", ".join(f"{knot:.0%}" for knot in knots)
            sentences.append(f"{name} is at its lower bound at {at} of charge: the runs do not show it.")
    if not any(cut.is_slow for cut in fit.cut_offs) and fit.cut_offs:
        sentences.append("No discharge is slow: the capacity at the 10 h rate is extrapolated from a faster one.")
    if len(discharge_rates([trace.run for trace in fit.traces], fit.traces[0].rated_ah)) < 2:
        sentences.append("All runs discharge at one rate: how the capacity falls with the rate is the data sheet's.")
    return sentences


def _misses_v(fit: Fit) -> tuple[float, float]:
    residual_v = np.concatenate(fit.residual_v)
    return float(np.sqrt(np.mean(residual_v**2))), float(np.abs(residual_v).max())


def _resistance_ratio(fit: Fit) -> float:
    fitted = sum(float(fit.table(name)[0][-1]) for name in ("r0", "r1", "r2"))
    return fitted / sum(float(table[-1]) for table in resistance_tables(fit.traces[0].rated_ah).scaled_ohm())
