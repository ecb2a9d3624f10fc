"""What no override may do: the values that each signal can have, and the floors of the life-safety rules.

Life-safety rules warn of fire, explosion and electric hazard. Their floors are EJ: as far beyond the default as meters
and models differ, no further.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

from battery_api.alerts.engine.ladders import DAY_S, MINUTE_S, Direction, Rule

LONGEST_HOLD_S: Final = 3 * DAY_S
"""Longest hold that anybody may set; the longest default is one day."""
_HOLD_FLOOR_S: Final = MINUTE_S


class Bounds(NamedTuple):
    """Lowest and highest value that a limit on a signal may have, in the signal's unit."""

    low: float
    high: float


BOUNDS_OF: Final[Mapping[str, Bounds]] = {
    "voltage_v": Bounds(0.0, 20.0),
    "voltage_vs_string_v": Bounds(-15.0, 15.0),
    "voltage_spread_v": Bounds(0.0, 15.0),
    "temperature_c": Bounds(-20.0, 100.0),
    "temperature_over_room_c": Bounds(0.0, 50.0),
    "temperature_over_string_c": Bounds(0.0, 50.0),
    "resistance_drift_pct": Bounds(0.0, 500.0),
    "resistance_over_nominal_pct": Bounds(0.0, 500.0),
    "voltage_age_s": Bounds(0.0, LONGEST_HOLD_S),
    "temperature_age_s": Bounds(0.0, LONGEST_HOLD_S),
    "voltage_flat_s": Bounds(0.0, LONGEST_HOLD_S),
    "temperature_flat_s": Bounds(0.0, LONGEST_HOLD_S),
    "current_contradicted": Bounds(0.0, 1.0),
    "voltage_off_sum_pct": Bounds(0.0, 100.0),
    "float_current_off_a": Bounds(0.0, 100.0),
    "mode_contradicted": Bounds(0.0, 1.0),
    "voltage_of_nominal_pct": Bounds(0.0, 100.0),
    "charge_current_a": Bounds(0.0, 1000.0),
    "float_current_ma_per_ah": Bounds(0.0, 100.0),
    "discharge_current_a": Bounds(0.0, 5000.0),
    "runaway_score": Bounds(0.0, 5.0),
    "runaway_heat_score": Bounds(0.0, 5.0),
    "mains_losses_24h": Bounds(0.0, 100.0),
    "mains_lost": Bounds(0.0, 1.0),
    "hvac_loss": Bounds(0.0, 2.0),
    "room_c": Bounds(-20.0, 60.0),
    "rul_p10_days": Bounds(0.0, 7300.0),
    "rul_p50_fall_pct": Bounds(0.0, 100.0),
    "soh_pct": Bounds(0.0, 120.0),
    "soh_upper_pct": Bounds(0.0, 120.0),
}
"""Bounds of each signal that an adjustable rule judges."""

_FLOORS: Final[Mapping[str, float]] = {
    "voltage_low.danger": 1.0,
    "voltage_high.danger": 16.5,
    "temperature_high.stop_charge": 55.0,
    "temperature_high.danger": 65.0,
    # Open the breaker; thermal runaway; charger fault; short circuit.
    "temperature_deviation.room_critical": 12.0,
    "current_high.float_critical": 10.0,
    "current_high.charge_critical": 90.0,
    "current_high.danger": 1500.0,
    # Scores in units of the limits.
    "thermal_runaway.composite": 1.2,
    "thermal_runaway.heat": 1.2,
}


class Floor(NamedTuple):
    """How far a life-safety rule may be weakened by those who are no administrators."""

    raise_value: float
    hold_s: float


def floor_of(rule: Rule) -> Floor | None:
    """Return the floor of a life-safety rule, None for any other rule."""
    raise_value = _FLOORS.get(rule.rule_id)
    if raise_value is None:
        return None
    return Floor(raise_value, max(rule.hold_s, _HOLD_FLOOR_S))


def is_beyond(rule: Rule, raise_value: float, floor: Floor) -> bool:
    """Return whether a limit lies on the lenient side of the floor."""
    return raise_value > floor.raise_value if rule.direction is Direction.ABOVE else raise_value < floor.raise_value
