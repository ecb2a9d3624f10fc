"""Stored runtimes as lists show them: never an old one, and that of a system as the least of its strings."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from battery_api.fleet.repository import ListedString
from battery_api.fleet.runtime_schemas import (
    LoadBasis,
    NoRuntimeReason,
    RuntimeLoad,
    RuntimeValues,
    StringRuntime,
    SystemRuntime,
    SystemRuntimeValues,
)
from battery_contracts.enums import DISCHARGING_MODES
from battery_contracts.twin_analysis import MAX_PROFILE_S

TOO_OLD_ON_BATTERY: Final = timedelta(minutes=3)
TOO_OLD: Final = timedelta(minutes=15)


def string_runtime(string: ListedString, now: datetime) -> StringRuntime:
    """Return the stored runtime of a string, or why none is shown."""
    reason = _why_none(string, now)
    if reason is not None:
        return _no_runtime(reason, string.runtime_at, string.runtime_withheld_count)
    basis = string.runtime_load_basis
    return StringRuntime(
        runtime_p10_s=string.runtime_p10_s,
        runtime_p50_s=string.runtime_p50_s,
        runtime_p90_s=string.runtime_p90_s,
        reaches_cut_off=reaches_cut_off(string.runtime_p50_s),
        limiting_battery_id=string.limiting_battery_code,
        reason=None,
        at=string.runtime_at,
        load=None
        if basis is None
        else RuntimeLoad(basis=LoadBasis(basis), current_a=string.runtime_current_a, power_w=None),
        withheld_count=string.runtime_withheld_count,
    )


def system_runtime(strings: Sequence[tuple[str, StringRuntime]]) -> SystemRuntime:
    """Return the runtime of a system from those of its strings in service, each with the id of its string."""
    values = least_of(strings)
    runtimes = [runtime for _, runtime in strings]
    instants = [runtime.at for runtime in runtimes if runtime.at is not None]
    counts = [runtime.withheld_count for runtime in runtimes if runtime.withheld_count is not None]
    return SystemRuntime(
        **values.model_dump(),
        at=min(instants) if instants and len(instants) == len(strings) else None,
        load=None if values.reason is not None else total_load([runtime.load for runtime in runtimes]),
        withheld_count=sum(counts) if counts and len(counts) == len(strings) else None,
    )


def least_of(strings: Sequence[tuple[str, RuntimeValues]]) -> SystemRuntimeValues:
    """Return the least runtime of some strings, each with its id; none if one of them has none.

    A string that is not known may be the one that ends first, so it is never left out.
    """
    reasons = [runtime.reason for _, runtime in strings if runtime.reason is not None]
    if reasons or not strings:
        return SystemRuntimeValues(
            runtime_p10_s=None,
            runtime_p50_s=None,
            runtime_p90_s=None,
            reaches_cut_off=None,
            limiting_battery_id=None,
            limiting_string_id=None,
            reason=reasons[0] if reasons else NoRuntimeReason.RETIRED,
        )
    string_id, limit = min(strings, key=lambda one: one[1].runtime_p10_s or 0.0)
    p50_s = _least([runtime.runtime_p50_s for _, runtime in strings])
    return SystemRuntimeValues(
        runtime_p10_s=limit.runtime_p10_s,
        runtime_p50_s=p50_s,
        runtime_p90_s=_least([runtime.runtime_p90_s for _, runtime in strings]),
        reaches_cut_off=reaches_cut_off(p50_s),
        limiting_battery_id=limit.limiting_battery_id,
        limiting_string_id=string_id,
        reason=None,
    )


def total_load(loads: Sequence[RuntimeLoad | None]) -> RuntimeLoad | None:
    """Return the loads of the strings of a system together, None if one of them is not known."""
    known = [load for load in loads if load is not None]
    if not known or len(known) < len(loads):
        return None
    bases = {load.basis for load in known}
    currents = [load.current_a for load in known if load.current_a is not None]
    powers = [load.power_w for load in known if load.power_w is not None]
    return RuntimeLoad(
        # Of a system that discharges in part, the total is not the present load.
        basis=bases.pop() if len(bases) == 1 else LoadBasis.LAST_DISCHARGE,
        current_a=sum(currents) if currents else None,
        power_w=sum(powers) if powers else None,
    )


def reaches_cut_off(p50_s: float | None) -> bool | None:
    """Return whether a median runtime ends within the simulation; None if there is none."""
    return None if p50_s is None else p50_s < MAX_PROFILE_S


def _why_none(string: ListedString, now: datetime) -> NoRuntimeReason | None:
    if string.retired_at is not None:
        return NoRuntimeReason.RETIRED
    if string.runtime_at is None:
        return NoRuntimeReason.NOT_COMPUTED_YET
    on_battery = string.mode in DISCHARGING_MODES
    if now - string.runtime_at > (TOO_OLD_ON_BATTERY if on_battery else TOO_OLD):
        return NoRuntimeReason.TOO_OLD
    # It was computed on float, under a load that need not be the present one.
    if on_battery and string.mode_since is not None and string.mode_since > string.runtime_at:
        return NoRuntimeReason.TOO_OLD
    return None if string.runtime_reason is None else NoRuntimeReason(string.runtime_reason)


def _no_runtime(reason: NoRuntimeReason, at: datetime | None, withheld_count: int | None) -> StringRuntime:
    return StringRuntime(
        runtime_p10_s=None,
        runtime_p50_s=None,
        runtime_p90_s=None,
        reaches_cut_off=None,
        limiting_battery_id=None,
        reason=reason,
        at=at,
        load=None,
        withheld_count=withheld_count,
    )


def _least(values: Sequence[float | None]) -> float | None:
    return min((value for value in values if value is not None), default=None)
