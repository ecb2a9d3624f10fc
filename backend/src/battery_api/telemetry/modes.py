"""What a string is doing, from what its sender says or else from its current."""

import math
from dataclasses import dataclass
from typing import Final

from battery_api.telemetry.instants import NEVER
from battery_api.telemetry.rows import BoolArray, IntArray
from battery_contracts.enums import StringMode

DISCHARGE_BELOW_A: Final = -2.0
RECHARGE_ABOVE_A: Final = 2.0
SETTLING_US: Final = 72 * 3_600_000_000
"""After a discharge the blocks of a string need about three days on float until their voltages mean something again."""


@dataclass(frozen=True, slots=True)
class ModeState:
    """Mode of a string, since when, and when it was last seen discharging; in microseconds, `NEVER` when unknown."""

    mode: StringMode | None
    since_us: int = NEVER
    discharged_us: int = NEVER


def step(before: ModeState, at_us: int, current_a: float, given: StringMode | None) -> ModeState:
    """Return the mode after one more reading; ``current_a`` is NaN and ``given`` None where not sent."""
    mode = given or _derived(before, at_us, current_a)
    discharges = mode is StringMode.DISCHARGE or current_a < DISCHARGE_BELOW_A
    return ModeState(
        mode=mode,
        since_us=before.since_us if mode is before.mode else at_us,
        discharged_us=at_us if discharges else before.discharged_us,
    )


def _derived(before: ModeState, at_us: int, current_a: float) -> StringMode | None:
    if math.isnan(current_a):
        return before.mode
    if current_a < DISCHARGE_BELOW_A:
        return StringMode.DISCHARGE
    if current_a > RECHARGE_ABOVE_A:
        return StringMode.RECHARGE
    if before.mode in {None, StringMode.FLOAT}:
        return StringMode.FLOAT
    # Little current after a discharge is the tail of the recharge.
    worked_us = max(before.discharged_us, before.since_us if before.mode is StringMode.RECHARGE else NEVER)
    return StringMode.RECHARGE if at_us - worked_us < SETTLING_US else StringMode.FLOAT


def settled(on_float: BoolArray, since_us: IntArray, discharged_us: IntArray, at_us: IntArray) -> BoolArray:
    """Say of readings (m,) whether their string has come to rest: on float, 72 h after its last recharge.

    A float that began within 72 h of a discharge was declared by the sender while the recharge was just over, so the
    72 h count from there; a derived float begins after them.
    """
    rested = at_us - discharged_us >= SETTLING_US
    declared_early = (since_us - discharged_us < SETTLING_US) & (discharged_us != NEVER)
    result: BoolArray = on_float & rested & (~declared_early | (at_us - since_us >= SETTLING_US))
    return result
