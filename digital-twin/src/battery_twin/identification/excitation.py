"""What a set of runs shows of a battery before anything is fitted: charge moved, cut-off reached, pulses, rests."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from battery_twin.runs import FloatArray, Run, RunInvalid

MIN_ROWS = 30
MIN_DURATION_S = 600.0
MIN_MOVED = 0.05
# Below this share of rated capacity per hour a battery is at rest for the fit.
REST_C_RATE = 0.004
# End of a discharge by rate: hours of the rate, volts of a 12 V block.
CUT_OFF_V = ((0.6, 10.0), (3.0, 10.5), (np.inf, 10.8))
PULSE_OVER_MEAN = 2.0
# A recording may stop a sample before the cut-off is seen; the curve is steep there.
CUT_OFF_SLACK_V = 0.05
# Polarisation of a charge outlives it by hours; those rests say nothing of discharges.
AFTER_CHARGE_S = 6 * 3600.0
# A rested full block has 12.9 V; more is surface charge.
SURFACE_CHARGE_V = 13.05
SURFACE_CHARGE_SHARE = 0.04


class RunTooShort(RunInvalid):
    """The runs hold too little to identify anything from."""


@dataclass(frozen=True, slots=True)
class CutOff:
    """A discharge from full that reached its cut-off: the only direct look at capacity."""

    run: int
    row: int
    delivered_ah: float
    mean_current_a: float
    temperature_c: float


def check_excitation(runs: tuple[Run, ...], rated_ah: float) -> None:
    """Refuse runs that are too short or move too little charge to identify a battery from."""
    rows = sum(len(run) for run in runs)
    duration_s = sum(run.duration_s for run in runs)
    if rows < MIN_ROWS or duration_s < MIN_DURATION_S:
        raise RunTooShort(
            f"{rows} rows over {duration_s:.0f} s are too short: at least {MIN_ROWS} rows and "
            f"{MIN_DURATION_S:.0f} s are needed",
            column="time_s",
        )
    moved_ah = max(discharged_ah(run) for run in runs)
    if moved_ah < MIN_MOVED * rated_ah:
        raise RunTooShort(
            f"the deepest run discharges {moved_ah:.2f} Ah, {moved_ah / rated_ah:.1%} of {rated_ah:g} Ah rated; "
            f"at least {MIN_MOVED:.0%} is needed (current > 0 charges)",
            column="current_a",
        )


def discharged_ah(run: Run) -> float:
    """Return the largest fall of charge within a run."""
    charge_ah = run.charge_ah
    return float(np.max(np.maximum.accumulate(charge_ah) - charge_ah))


def find_cut_offs(runs: tuple[Run, ...], initial_soc: FloatArray, rated_ah: float) -> tuple[CutOff, ...]:
    """Find the discharges that went from full to their cut-off voltage at about the slowest rate, if any did."""
    found = []
    for number, run in enumerate(runs):
        if initial_soc[number] < 0.98:
            continue
        charge_ah = run.charge_ah
        discharging = run.current_a < -REST_C_RATE * rated_ah
        if not discharging.any():
            continue
        hours = rated_ah / np.maximum(-run.current_a, 1e-9)
        cut_off_v = np.select([hours < limit for limit, _ in CUT_OFF_V], [volts for _, volts in CUT_OFF_V])
        # A pulse in a slow discharge falls below the line of its own current long before the block is empty.
        slow = -run.current_a <= PULSE_OVER_MEAN * float(-run.current_a[discharging].mean())
        below = discharging & slow & (run.voltage_v <= cut_off_v + CUT_OFF_SLACK_V)
        if not below.any():
            continue
        row = _end_of_discharge(discharging, int(np.argmax(below)))
        top = float(charge_ah[: row + 1].max())
        delivered_ah = top - float(charge_ah[row])
        if delivered_ah < 0.3 * rated_ah:
            continue
        busy = discharging[: row + 1]
        found.append(
            CutOff(
                number,
                row,
                delivered_ah,
                float(-run.current_a[: row + 1][busy].mean()),
                float(run.temperature_c[: row + 1][busy].mean()),
            )
        )
    slowest_a = min((cut.mean_current_a for cut in found), default=0.0)
    return tuple(cut for cut in found if cut.mean_current_a <= 2.6 * slowest_a)


def usable_rows(run: Run, rated_ah: float) -> NDArray[np.bool_]:
    """Mark the rows of discharges and of rests that no charge came shortly before."""
    charging = run.current_a > REST_C_RATE * rated_ah
    lasting = _long(charging, run.time_s)
    last_charge_s = np.maximum.accumulate(np.where(lasting, run.time_s, -np.inf))
    usable = run.time_s - last_charge_s > AFTER_CHARGE_S
    if run.voltage_v[0] > SURFACE_CHARGE_V:
        # What float left on the plates is gone after a few percent of discharge; no circuit here has it.
        usable &= run.charge_ah < -SURFACE_CHARGE_SHARE * rated_ah
    return np.asarray(usable)


def current_steps(run: Run, rated_ah: float) -> int:
    """Count the sudden changes of current, which separate resistance from open-circuit voltage."""
    return int(np.sum(np.abs(np.diff(run.current_a)) > 0.02 * rated_ah))


def _end_of_discharge(discharging: NDArray[np.bool_], row: int) -> int:
    stopped = np.flatnonzero(~discharging[row:])
    return row + int(stopped[0]) - 1 if len(stopped) else len(discharging) - 1


def _long(charging: NDArray[np.bool_], time_s: FloatArray, limit_s: float = 120.0) -> NDArray[np.bool_]:
    """Mark charges that last longer than a pulse."""
    edges = np.flatnonzero(np.diff(charging.astype(np.int8), prepend=0, append=0))
    long = np.zeros_like(charging)
    for start, stop in zip(edges[::2], edges[1::2], strict=True):
        if time_s[stop - 1] - time_s[start] > limit_s:
            long[start:stop] = True
    return long
