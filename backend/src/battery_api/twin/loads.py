"""The load that a runtime applies to: as requested, else the present one, else that of the last discharge."""

from datetime import datetime

from battery_api.fleet.runtime_schemas import LoadBasis, RuntimeLoad
from battery_api.telemetry.store.string_modes import DISCHARGE_BELOW_A
from battery_api.twin.errors import LoadInvalid
from battery_api.twin.runtime_repository import RuntimeStringRow
from battery_api.twin.service import is_stale
from battery_contracts.enums import DISCHARGING_MODES
from battery_contracts.twin_analysis import MAX_BLOCK_W
from battery_servicekit.problems import FieldError


def requested_load(power_w: float | None, current_a: float | None) -> RuntimeLoad | None:
    """Return the load of a request, None if it gives none.

    Raises
    ------
    LoadInvalid
        It gives two, or a charge.
    """
    if power_w is None and current_a is None:
        return None
    if power_w is not None and current_a is not None:
        raise load_invalid("power_w", "Give power_w or current_a, not both.")
    if current_a is not None and current_a >= 0:
        raise load_invalid("current_a", "A discharge has a negative current, for example current_a=-60.")
    return RuntimeLoad(basis=LoadBasis.GIVEN, current_a=current_a, power_w=power_w)


def recorded_load(string: RuntimeStringRow, now: datetime) -> RuntimeLoad | None:
    """Return the present load of a string, else that of its last discharge, None if none is on record."""
    present_a = present_load_a(string, now)
    if present_a is not None:
        return RuntimeLoad(basis=LoadBasis.PRESENT, current_a=present_a, power_w=None)
    if string.last_load_a is None:
        return None
    return RuntimeLoad(basis=LoadBasis.LAST_DISCHARGE, current_a=string.last_load_a, power_w=None)


def present_load_a(string: RuntimeStringRow, now: datetime) -> float | None:
    """Return the current that a string discharges with now, None if it does not or that is not known."""
    if string.current_a is None or is_stale(string.time, string.reporting_interval_s, now):
        return None
    return string.current_a if string.current_a < DISCHARGE_BELOW_A else None


def discharges(string: RuntimeStringRow, now: datetime) -> bool:
    """Return whether a string discharges, by its mode or by its present current."""
    return string.mode in DISCHARGING_MODES or present_load_a(string, now) is not None


def require_simulable(load: RuntimeLoad, block_count: int, *, remedy: str) -> None:
    """Raise `LoadInvalid` with the remedy if a string cannot be simulated with a load."""
    most_w = MAX_BLOCK_W * block_count
    if load.power_w is not None and load.power_w > most_w:
        raise load_invalid(
            "power_w",
            f"{load.power_w:,.0f} W is more than a string of {block_count} batteries can be simulated with, "
            f"{most_w:,.0f} W; {remedy}.",
        )


def load_invalid(field: str, detail: str) -> LoadInvalid:
    """Return the error about a field of a request."""
    return LoadInvalid(detail, errors=[FieldError(field=field, code="invalid", detail=detail)])
