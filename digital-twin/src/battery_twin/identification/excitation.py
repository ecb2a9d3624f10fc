"""Excitation: what a set of runs contains before anything is fitted: charge moved, cut-offs, pulses and rests."""

from dataclasses import dataclass

import numpy as np

from battery_twin.arrays import BoolArray, FloatArray
from battery_twin.runs import RecordedRun, RunInvalid

MIN_ROWS = 30
MIN_DURATION_S = 600.0
MIN_MOVED = 0.05
# Below this current, in multiples of the rated capacity per hour, the fit treats a battery as at rest.
REST_C_RATE = 0.004
# Cut-off voltage of a 12 V block by discharge rate: upper limit of the rate in hours, volts.
CUT_OFF_V = ((0.6, 10.0), (3.0, 10.5), (np.inf, 10.8))
PULSE_OVER_MEAN = 2.0
# A recording may stop one sample before the cut-off; the curve is steep there.
CUT_OFF_SLACK_V = 0.05
# Polarisation outlasts a charge by hours; rests within that time are not representative of discharges.
AFTER_CHARGE_S = 6 * 3600.0
# A rested full block has 12.9 V; more is surface charge.
SURFACE_CHARGE_V = 13.05
SURFACE_CHARGE_SHARE = 0.04
# A discharge shows capacity if it starts full and delivers at least this share of the rated capacity.
FULL_SOC = 0.98
MIN_DELIVERED = 0.3
# Capacity at the slowest rate is compared only with discharges at up to this multiple of its current.
RATE_RATIO = 2.6
STEP_C_RATE = 0.02


class RunTooShort(RunInvalid):
    """The runs are too short, or move too little charge, to identify a circuit from."""


@dataclass(frozen=True, slots=True)
class CutOff:
    """A discharge from full to its cut-off: the only direct measurement of capacity.

    ``run`` is the index of its run and ``row`` its last row; current and temperature are means over the discharge.
    """

    run: int
    row: int
    delivered_ah: float
    mean_current_a: float
    temperature_c: float


def check_excitation(runs: tuple[RecordedRun, ...], rated_ah: float) -> None:
    """Raise `RunTooShort` for runs that are too short or move too little charge to identify a battery from."""
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


def discharged_ah(run: RecordedRun) -> float:
    """Return the largest fall of charge within a run (Ah)."""
    charge_ah = run.charge_ah
    return float(np.max(np.maximum.accumulate(charge_ah) - charge_ah))


def find_cut_offs(runs: tuple[RecordedRun, ...], initial_soc: FloatArray, rated_ah: float) -> tuple[CutOff, ...]:
    """Return the discharges from full to the cut-off voltage at about the slowest rate; ``initial_soc`` is (runs,)."""
    cut_offs = []
    for number, run in enumerate(runs):
        if initial_soc[number] < FULL_SOC:
            continue
        charge_ah = run.charge_ah
        discharging = run.current_a < -REST_C_RATE * rated_ah
        if not discharging.any():
            continue
        hours = rated_ah / np.maximum(-run.current_a, 1e-9)
        cut_off_v = np.select([hours < limit for limit, _ in CUT_OFF_V], [volts for _, volts in CUT_OFF_V])
        # A pulse in a slow discharge falls below the cut-off of its own current long before the block is empty.
        slow = -run.current_a <= PULSE_OVER_MEAN * float(-run.current_a[discharging].mean())
        below = discharging & slow & (run.voltage_v <= cut_off_v + CUT_OFF_SLACK_V)
        if not below.any():
            continue
        row = _end_of_discharge(discharging, int(np.argmax(below)))
        top = float(charge_ah[: row + 1].max())
        delivered_ah = top - float(charge_ah[row])
        if delivered_ah < MIN_DELIVERED * rated_ah:
            continue
        in_discharge = discharging[: row + 1]
        cut_offs.append(
            CutOff(
                number,
                row,
                delivered_ah,
                float(-run.current_a[: row + 1][in_discharge].mean()),
                float(run.temperature_c[: row + 1][in_discharge].mean()),
            )
        )
    slowest_a = min((cut.mean_current_a for cut in cut_offs), default=0.0)
    return tuple(cut for cut in cut_offs if cut.mean_current_a <= RATE_RATIO * slowest_a)


def usable_rows(run: RecordedRun, rated_ah: float) -> BoolArray:
    """Return a mask (m,) of the rows of discharges and of rests without a recent charge."""
    charging = run.current_a > REST_C_RATE * rated_ah
    lasting = _lasting(charging, run.time_s)
    last_charge_s = np.maximum.accumulate(np.where(lasting, run.time_s, -np.inf))
    usable = run.time_s - last_charge_s > AFTER_CHARGE_S
    if run.voltage_v[0] > SURFACE_CHARGE_V:
        # Surface charge from float is gone after a few percent of discharge; the circuit does not describe it.
        usable &= run.charge_ah < -SURFACE_CHARGE_SHARE * rated_ah
    return np.asarray(usable)


def current_steps(run: RecordedRun, rated_ah: float) -> int:
    """Return the number of sudden changes of current, which separate resistance from open-circuit voltage."""
    return int(np.sum(np.abs(np.diff(run.current_a)) > STEP_C_RATE * rated_ah))


def _end_of_discharge(discharging: BoolArray, row: int) -> int:
    stopped = np.flatnonzero(~discharging[row:])
    return row + int(stopped[0]) - 1 if len(stopped) else len(discharging) - 1


def _lasting(charging: BoolArray, time_s: FloatArray, limit_s: float = 120.0) -> BoolArray:
    """Return a mask (m,) of charges that last longer than a pulse."""
    edges = np.flatnonzero(np.diff(charging.astype(np.int8), prepend=0, append=0))
    mask = np.zeros_like(charging)
    for start, stop in zip(edges[::2], edges[1::2], strict=True):
        if time_s[stop - 1] - time_s[start] > limit_s:
            mask[start:stop] = True
    return mask
