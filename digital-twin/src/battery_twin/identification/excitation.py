"""Excitation: what a set of runs contains before anything is fitted: charge moved, cut-offs, pulses and rests."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from battery_twin.arrays import BoolArray, FloatArray
from battery_twin.kernel.constants import (
    CUT_OFF_SLACK_V,
    FAST_CUT_OFF_V,
    FAST_H,
    MEDIUM_CUT_OFF_V,
    MEDIUM_H,
    SLOW_C_RATE,
    SLOW_CUT_OFF_V,
)
from battery_twin.kernel.layout import REFERENCE_C
from battery_twin.runs import RecordedRun, RunInvalid

MIN_ROWS = 30
MIN_DURATION_S = 600.0
MIN_MOVED = 0.05
# Below this current, in multiples of the rated capacity per hour, the fit treats a battery as at rest.
REST_C_RATE = 0.004
# Cut-off voltage of a 12 V block by discharge rate: upper limit of the rate in hours, volts.
CUT_OFF_V = ((FAST_H, FAST_CUT_OFF_V), (MEDIUM_H, MEDIUM_CUT_OFF_V), (np.inf, SLOW_CUT_OFF_V))
PULSE_OVER_MEAN = 2.0
# What a charge leaves in the plates stands above the rest voltage until it is drawn again or, slowly, lost at rest.
SURFACE_CHARGE_TAU_S = 4 * 3600.0
# Less than this share of the rated capacity left of a charge does not show in the voltage.
NEGLIGIBLE_CHARGE_SHARE = 0.0005
# A rested full block has 12.9 V; more is surface charge.
SURFACE_CHARGE_V = 13.05
SURFACE_CHARGE_SHARE = 0.04
# A discharge shows capacity if it starts full and delivers at least this share of the rated capacity.
FULL_SOC = 0.98
MIN_DELIVERED = 0.3
# Capacity at the slowest rate is compared only with discharges at up to this multiple of its current.
RATE_RATIO = 2.6
STEP_C_RATE = 0.02
# A rate counts from this multiple of the rated capacity per hour on, and when this share was drawn at it.
MIN_C_RATE, MIN_MOVED_AT_RATE = 0.03, 0.1
# Currents within this factor are one rate.
SAME_RATE = 1.5
CAPACITY_C_PER_C = 0.006
# A fast discharge leaves this share of the capacity per C-rate above the slow ones: 20 to 45 % at the 1 h rate [LEO].
LEFT_AT_RATE_H, LEAST_DELIVERED = 0.7, 0.4


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
    is_slow: bool

    def left_behind(self, rated_ah: float) -> float:
        """Return the share of the capacity that a discharge at this rate leaves, beyond one at the 10 h rate."""
        return min(LEFT_AT_RATE_H * max(self.mean_current_a / rated_ah - SLOW_C_RATE, 0.0), 1.0 - LEAST_DELIVERED)

    def capacity_ah(self, rated_ah: float) -> float:
        """Return the capacity at the 10 h rate and 25 degC that the discharge shows."""
        at_temperature = 1.0 + CAPACITY_C_PER_C * (self.temperature_c - REFERENCE_C)
        return self.delivered_ah / at_temperature / (1.0 - self.left_behind(rated_ah))


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
    """Return the discharges from full to the cut-off voltage; ``initial_soc`` is (runs,)."""
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
        # Rows may be dense in pulses: each counts for as long as it lasts.
        hours = run.dt_s[: row + 1][in_discharge] / 3600.0
        mean_a = float(-run.current_a[: row + 1][in_discharge] @ hours / hours.sum())
        cut_offs.append(
            CutOff(
                run=number,
                row=row,
                delivered_ah=delivered_ah,
                mean_current_a=mean_a,
                temperature_c=float(run.temperature_c[: row + 1][in_discharge] @ hours / hours.sum()),
                is_slow=mean_a < SLOW_C_RATE * rated_ah,
            )
        )
    return tuple(cut_offs)


def slowest(cut_offs: tuple[CutOff, ...]) -> tuple[CutOff, ...]:
    """Return the discharges at about the slowest rate, which show capacity best."""
    slowest_a = min((cut.mean_current_a for cut in cut_offs), default=0.0)
    return tuple(cut for cut in cut_offs if cut.mean_current_a <= RATE_RATIO * slowest_a)


def usable_rows(run: RecordedRun, rated_ah: float) -> BoolArray:
    """Return a mask (m,) of the rows in which no charge, and none of a pulse either, is left in the plates.

    The circuit describes neither a block on charge nor one that was charged a moment ago.
    """
    left_ah = charge_left_ah(run, rated_ah)
    is_charging = run.current_a > REST_C_RATE * rated_ah
    return np.asarray((left_ah < NEGLIGIBLE_CHARGE_SHARE * rated_ah) & ~is_charging)


def charge_left_ah(run: RecordedRun, rated_ah: float) -> FloatArray:
    """Return the charge (m,) of earlier charging that is not yet drawn again: a few percent after float, at most."""
    most_ah = SURFACE_CHARGE_SHARE * rated_ah
    moved_ah = np.diff(run.charge_ah, prepend=0.0)
    decay = np.exp(-run.dt_s / SURFACE_CHARGE_TAU_S)
    resting_ah = REST_C_RATE * rated_ah * run.dt_s / 3600.0
    left_ah = most_ah if run.voltage_v[0] > SURFACE_CHARGE_V else 0.0
    left = np.empty(len(run))
    for row, (moved, still) in enumerate(zip(moved_ah, np.abs(moved_ah) < resting_ah, strict=True)):
        left_ah = left_ah * decay[row] if still else min(max(left_ah + moved, 0.0), most_ah)
        if run.voltage_v[row] > SURFACE_CHARGE_V:
            left_ah = most_ah
        left[row] = left_ah
    return left


def discharge_rates(runs: Sequence[RecordedRun], rated_ah: float) -> list[float]:
    """Return the discharge currents (A) at which the runs move a tenth of the capacity or more, slowest first."""
    currents, moved = [], []
    for run in runs:
        rows = usable_rows(run, rated_ah) & (run.current_a < -MIN_C_RATE * rated_ah)
        currents.append(-run.current_a[rows])
        moved.append(np.maximum(-np.diff(run.charge_ah, prepend=0.0), 0.0)[rows])
    current_a, moved_ah = np.concatenate(currents), np.concatenate(moved)
    order = np.argsort(current_a)
    rates: list[float] = []
    while len(order):
        together = current_a[order] <= SAME_RATE * current_a[order[0]]
        chosen, order = order[together], order[~together]
        if float(moved_ah[chosen].sum()) > MIN_MOVED_AT_RATE * rated_ah:
            rates.append(float(np.average(current_a[chosen], weights=moved_ah[chosen])))
    return rates


def current_steps(run: RecordedRun, rated_ah: float) -> int:
    """Return the number of sudden changes of current in usable rows: they tell resistance from open-circuit voltage."""
    usable = usable_rows(run, rated_ah)
    steps = np.abs(np.diff(run.current_a)) > STEP_C_RATE * rated_ah
    return int(np.sum(steps & usable[1:] & usable[:-1]))


def _end_of_discharge(discharging: BoolArray, row: int) -> int:
    stopped = np.flatnonzero(~discharging[row:])
    return row + int(stopped[0]) - 1 if len(stopped) else len(discharging) - 1
