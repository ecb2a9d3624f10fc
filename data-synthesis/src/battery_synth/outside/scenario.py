"""Scenarios of drills: templates of the events that operators train for."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from battery_synth.outside.chargers import ChargerFault
from battery_synth.outside.grid import DischargeSpan
from battery_synth.outside.rooms import HvacFault


@dataclass(frozen=True, slots=True)
class Scenario:
    """Events in addition to those of seed and time; of two discharges at once that of the scenario is kept."""

    name: str
    discharges: tuple[DischargeSpan, ...] = ()
    hvac_faults: tuple[HvacFault, ...] = ()
    charger_faults: tuple[ChargerFault, ...] = ()


_GENSET_START_S: Final = 15.0
_MONSOON_EVERY_S: Final = 600.0
_OVERCHARGE_CELL_V: Final = 0.08
_DEGRADED_K: Final = 5.0


def _power_outage(at_s: float, length_s: float) -> Scenario:
    on_battery_s = min(_GENSET_START_S, length_s)
    return Scenario("power_outage", (DischargeSpan(at_s, at_s + on_battery_s, at_s + length_s, "outage"),))


def _genset_failure(at_s: float, length_s: float) -> Scenario:
    outage = DischargeSpan(at_s, at_s + length_s, at_s + length_s, "outage", genset_failed=True)
    return Scenario("genset_failure", (outage,))


def _monsoon_instability(at_s: float, length_s: float) -> Scenario:
    starts = [at_s + n * _MONSOON_EVERY_S for n in range(max(int(length_s // _MONSOON_EVERY_S), 1))]
    return Scenario("monsoon_instability", tuple(DischargeSpan(s, s + 4.0, s + 4.0, "short") for s in starts))


def _hvac_failure(at_s: float, length_s: float) -> Scenario:
    return Scenario("hvac_failure", hvac_faults=(HvacFault(at_s, at_s + length_s, failed=True, offset_c=0.0),))


def _hvac_degradation(at_s: float, length_s: float) -> Scenario:
    fault = HvacFault(at_s, at_s + length_s, failed=False, offset_c=_DEGRADED_K)
    return Scenario("hvac_degradation", hvac_faults=(fault,))


def _charger_overvoltage(at_s: float, length_s: float) -> Scenario:
    fault = ChargerFault(at_s, at_s + length_s, 0, "set_point", _OVERCHARGE_CELL_V)
    return Scenario("charger_overvoltage", charger_faults=(fault,))


def _charger_off(at_s: float, length_s: float) -> Scenario:
    return Scenario("charger_off", charger_faults=(ChargerFault(at_s, at_s + length_s, 0, "off"),))


def _hot_overcharge(at_s: float, length_s: float) -> Scenario:
    """Return the cause of a thermal runaway: no cooling and an overvoltage of the charger at once."""
    return Scenario(
        "thermal_runaway",
        hvac_faults=_hvac_failure(at_s, length_s).hvac_faults,
        charger_faults=_charger_overvoltage(at_s, length_s).charger_faults,
    )


_TEMPLATES: Final[dict[str, Callable[[float, float], Scenario]]] = {
    "power_outage": _power_outage,
    "genset_failure": _genset_failure,
    "monsoon_instability": _monsoon_instability,
    "hvac_failure": _hvac_failure,
    "hvac_degradation": _hvac_degradation,
    "charger_overvoltage": _charger_overvoltage,
    "charger_off": _charger_off,
    "thermal_runaway": _hot_overcharge,
}
NAMES: Final = tuple(_TEMPLATES)


def named(name: str, at_s: float, length_s: float) -> Scenario:
    """Return a scenario that begins at an instant (s since 1970) and lasts for some seconds.

    Raises
    ------
    ValueError
        There is no scenario of this name, or its length is not above 0.
    """
    if name not in _TEMPLATES:
        raise ValueError(f"there is no scenario {name!r}; there are {', '.join(NAMES)}")
    if not length_s > 0:
        raise ValueError(f"a scenario of {length_s:g} s: it must be longer than 0")
    return _TEMPLATES[name](at_s, length_s)
