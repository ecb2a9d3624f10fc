"""Whether runs can be of one 12 V lead-acid block, before anything is fitted; refusals say what is wrong."""

import itertools

import numpy as np

from battery_twin.identification.excitation import CutOff, discharged_ah
from battery_twin.runs import RecordedRun, RunInvalid

# Six cells rest between 1.9 and 2.2 V and are charged at 2.5 V at most.
LOWEST_MEDIAN_V, HIGHEST_MEDIAN_V = 10.0, 15.0
MIN_VOLTAGE_RANGE_V, MIN_CURRENT_RANGE_C_RATE = 0.02, 0.005
STEP_C_RATE, MIN_STEPS = 0.05, 3
# Below this nothing flows; above it a voltage that drifts by this much one way has a reason.
NOTHING_C_RATE, DRIFT_V = 0.01, 0.2
# A stretch of one current shows its sign once this share of the rated capacity has moved.
SETTLING_ROWS, MOVED_SHARE = 5, 0.08
# A slow discharge that empties a full block gives more, and any discharge less, than these shares of the rating.
MIN_DISCHARGED, MAX_DISCHARGED = 0.25, 1.6
EMPTY_V, NEARLY_FULL_V, SLOW_RUN_C_RATE = 11.0, 12.5, 0.3
# Two counts of one block's capacity agree within this.
MAX_CAPACITY_SPREAD = 0.15


def check_channels(runs: tuple[RecordedRun, ...], rated_ah: float) -> None:
    """Raise `RunInvalid` for a run of another nominal voltage, with a dead channel or with a reversed current."""
    for number, run in enumerate(runs, start=1):
        median_v = float(np.median(run.voltage_v))
        if not LOWEST_MEDIAN_V <= median_v <= HIGHEST_MEDIAN_V:
            raise RunInvalid(
                f"run {number} is at {median_v:.2f} V for most of its time, which no 12 V block is; "
                "convert the voltage of a cell or a string to that of one block",
                column="voltage_v",
            )
        changes = float(np.ptp(run.current_a)) > STEP_C_RATE * rated_ah
        if changes and float(np.ptp(run.voltage_v)) < MIN_VOLTAGE_RANGE_V:
            raise RunInvalid(
                f"run {number} never changes while the current does: the channel is dead", column="voltage_v"
            )
        if _is_dead(run, rated_ah):
            raise RunInvalid(
                f"run {number} never changes while the voltage does: the channel is dead", column="current_a"
            )
        if _is_reversed(run, rated_ah):
            raise RunInvalid(
                f"in run {number} the voltage rises when the current falls; current > 0 must charge: change its sign",
                column="current_a",
            )
        _check_scale(number, run, rated_ah)


def _check_scale(number: int, run: RecordedRun, rated_ah: float) -> None:
    """Raise `RunInvalid` when the counted charge is none that a block of this rated capacity can give."""
    counted_ah = discharged_ah(run)
    if counted_ah > MAX_DISCHARGED * rated_ah:
        raise RunInvalid(
            f"run {number} discharges {counted_ah:.1f} Ah of a block of {rated_ah:g} Ah: check the rated capacity and "
            "the scale of the current",
            column="current_a",
        )
    empties = float(run.voltage_v.min()) < EMPTY_V and float(run.voltage_v[0]) > NEARLY_FULL_V
    is_slow = float(run.current_a.min()) > -SLOW_RUN_C_RATE * rated_ah
    if empties and is_slow and counted_ah < MIN_DISCHARGED * rated_ah:
        raise RunInvalid(
            f"run {number} falls from {run.voltage_v[0]:.2f} V to {run.voltage_v.min():.2f} V within "
            f"{counted_ah:.1f} Ah of {rated_ah:g} Ah rated: check the rated capacity and the scale of the current",
            column="current_a",
        )


def check_cut_offs(cut_offs: tuple[CutOff, ...], rated_ah: float) -> None:
    """Raise `RunInvalid` when the discharges to cut-off cannot be of one block."""
    if not cut_offs:
        return
    least, most = (choose(cut_offs, key=lambda cut: cut.capacity_ah(rated_ah)) for choose in (min, max))
    lowest_ah, highest_ah = (cut.capacity_ah(rated_ah) for cut in (least, most))
    # How much a faster discharge leaves behind is known to half of it.
    unknown = 0.5 * abs(least.left_behind(rated_ah) - most.left_behind(rated_ah))
    if highest_ah > (1.0 + MAX_CAPACITY_SPREAD + unknown) * lowest_ah:
        raise RunInvalid(
            f"runs {least.run + 1} and {most.run + 1} show capacities of {lowest_ah:.1f} Ah and {highest_ah:.1f} Ah at "
            "the 10 h rate and 25 degC: they are not of one block, or a current is scaled wrongly",
            column="current_a",
        )


def _is_dead(run: RecordedRun, rated_ah: float) -> bool:
    """Return whether a current stays where it is although the voltage says that it cannot have."""
    if float(np.ptp(run.current_a)) >= MIN_CURRENT_RANGE_C_RATE * rated_ah:
        return False
    voltage_v = run.voltage_v
    if abs(float(np.median(run.current_a))) < NOTHING_C_RATE * rated_ah:
        return float(np.ptp(voltage_v)) > DRIFT_V
    # A constant current drives the voltage one way.
    fall_v = float(np.max(np.maximum.accumulate(voltage_v) - voltage_v))
    rise_v = float(np.max(voltage_v - np.minimum.accumulate(voltage_v)))
    return min(fall_v, rise_v) > DRIFT_V


def _is_reversed(run: RecordedRun, rated_ah: float) -> bool:
    """Return whether the voltage follows the current the other way: at its steps, else in the longest stretch."""
    step_a, step_v = np.diff(run.current_a), np.diff(run.voltage_v)
    steps = np.abs(step_a) > STEP_C_RATE * rated_ah
    if int(steps.sum()) >= MIN_STEPS:
        return float(np.median(step_a[steps] * step_v[steps])) < 0
    ends = np.flatnonzero(np.concatenate([[True], steps, [True]]))
    moves = []
    for start, stop in itertools.pairwise(ends):
        stretch = slice(int(start), int(stop))
        # What settles within the first rows of a stretch is polarisation, not charge.
        charge_ah, voltage_v = run.charge_ah[stretch][SETTLING_ROWS:], run.voltage_v[stretch][SETTLING_ROWS:]
        if len(charge_ah) > SETTLING_ROWS:
            moves.append((charge_ah[-1] - charge_ah[0], voltage_v[-1] - voltage_v[0]))
    moved_ah, rise_v = max(moves, key=lambda move: abs(move[0]), default=(0.0, 0.0))
    return abs(moved_ah) > MOVED_SHARE * rated_ah and abs(rise_v) > DRIFT_V and moved_ah * rise_v < 0
