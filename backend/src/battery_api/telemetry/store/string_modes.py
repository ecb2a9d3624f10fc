"""The operating mode of a string: as its sender reports it, else derived from its current."""

import math
from dataclasses import dataclass
from typing import Final

from battery_api.telemetry.store.columns import BoolArray, IntArray
from battery_api.telemetry.store.instants import NEVER
from battery_contracts.enums import DISCHARGING_MODES, StringMode

DISCHARGE_BELOW_A: Final = -2.0
RECHARGE_ABOVE_A: Final = 2.0
SETTLING_US: Final = 72 * 3_600_000_000
"""Blocks need about three days on float after a discharge until their voltages can be compared again."""


@dataclass(frozen=True, slots=True)
class ModeState:
    """Mode of a string, its start and the last discharging reading; in microseconds, `NEVER` where unknown."""

    mode: StringMode | None
    since_us: int = NEVER
    discharged_us: int = NEVER


def next_mode(before: ModeState, time_us: int, current_a: float, reported: StringMode | None) -> ModeState:
    """Return the mode after one more reading; ``current_a`` is NaN and ``reported`` None where not sent.

    What the current measures outranks what the sender reports.
    """
    is_credible = reported is not None and not contradicts(reported, current_a)
    mode = reported if is_credible else _derive(before, time_us, current_a)
    discharges = mode is StringMode.DISCHARGE or current_a < DISCHARGE_BELOW_A
    return ModeState(
        mode=mode,
        since_us=before.since_us if mode is before.mode else time_us,
        discharged_us=time_us if discharges else before.discharged_us,
    )


def contradicts(reported: StringMode, current_a: float) -> bool:
    """Return whether a measured current rules a reported mode out."""
    if reported in DISCHARGING_MODES:
        return current_a > RECHARGE_ABOVE_A
    return current_a < DISCHARGE_BELOW_A


def _derive(before: ModeState, time_us: int, current_a: float) -> StringMode | None:
    if math.isnan(current_a):
        return before.mode
    if current_a < DISCHARGE_BELOW_A:
        return StringMode.DISCHARGE
    if current_a > RECHARGE_ABOVE_A:
        return StringMode.RECHARGE
    if before.mode in {None, StringMode.FLOAT}:
        return StringMode.FLOAT
    # A small current after a discharge is the tail of the recharge.
    active_us = max(before.discharged_us, before.since_us if before.mode is StringMode.RECHARGE else NEVER)
    return StringMode.RECHARGE if time_us - active_us < SETTLING_US else StringMode.FLOAT


def is_settled(on_float: BoolArray, since_us: IntArray, discharged_us: IntArray, time_us: IntArray) -> BoolArray:
    """Return for readings (m,) whether their string is settled: on float, 72 h after its last recharge.

    A float that begins within 72 h of a discharge is one that the sender reported right after the recharge, so the
    72 h count from its start; a derived float begins only after them.
    """
    is_rested = time_us - discharged_us >= SETTLING_US
    reported_early = (since_us - discharged_us < SETTLING_US) & (discharged_us != NEVER)
    settled: BoolArray = on_float & is_rested & (~reported_early | (time_us - since_us >= SETTLING_US))
    return settled
