"""Which alerts belong together: by what they are about, by where they are, and by what causes what.

The order of grouping is that of the plant: what is wrong with a location explains what is wrong with its strings, and
what is wrong with a string is one trouble, however many of its batteries show it.
"""

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from typing import Final, NamedTuple

from battery_contracts.enums import AlertType
from battery_contracts.incidents import IncidentFamily

CAUSE_LEAD: Final = timedelta(minutes=10)
"""How long before its cause became known a consequence may have been raised (EJ: holds of rules and of feeds)."""


class Coverage(StrEnum):
    """What an incident covers."""

    LOCATION = "location"
    STRING = "string"


FAMILY_OF: Final[Mapping[AlertType, IncidentFamily]] = {
    AlertType.VOLTAGE_LOW: IncidentFamily.VOLTAGE,
    AlertType.VOLTAGE_HIGH: IncidentFamily.VOLTAGE,
    AlertType.STRING_IMBALANCE: IncidentFamily.VOLTAGE,
    AlertType.TEMPERATURE_HIGH: IncidentFamily.TEMPERATURE,
    AlertType.TEMPERATURE_DEVIATION: IncidentFamily.TEMPERATURE,
    AlertType.THERMAL_RUNAWAY: IncidentFamily.RUNAWAY,
    AlertType.CURRENT_HIGH: IncidentFamily.CURRENT,
    AlertType.RESISTANCE_DRIFT: IncidentFamily.RESISTANCE,
    AlertType.SOH_DEGRADED: IncidentFamily.LIFE,
    AlertType.RUL_WARNING: IncidentFamily.LIFE,
    AlertType.RUL_CRITICAL: IncidentFamily.LIFE,
    AlertType.RUL_CHANGE: IncidentFamily.LIFE,
    AlertType.SENSOR_FAULT: IncidentFamily.MONITORING,
    AlertType.DATA_QUALITY: IncidentFamily.MONITORING,
    AlertType.DATA_STALE: IncidentFamily.SILENCE,
    AlertType.HVAC_FAILURE: IncidentFamily.COOLING,
    AlertType.MAINS_OUTAGE: IncidentFamily.POWER,
    AlertType.GRID_INSTABILITY: IncidentFamily.POWER,
}
"""What each type of alert is about."""

CONSEQUENCES: Final[Mapping[IncidentFamily, frozenset[IncidentFamily]]] = {
    # On battery: voltages fall, weak blocks show, the air conditioning stands and the monitor may lose its supply.
    IncidentFamily.POWER: frozenset(
        {
            IncidentFamily.VOLTAGE,
            IncidentFamily.CURRENT,
            IncidentFamily.COOLING,
            IncidentFamily.TEMPERATURE,
            IncidentFamily.SILENCE,
        }
    ),
    IncidentFamily.COOLING: frozenset({IncidentFamily.TEMPERATURE}),
    IncidentFamily.SILENCE: frozenset({IncidentFamily.SILENCE}),
}
"""What an incident of a whole location explains. Thermal runaway is never explained: it stands alone."""
CAUSES_OF: Final[Mapping[IncidentFamily, tuple[IncidentFamily, ...]]] = {
    family: tuple(cause for cause, explained in CONSEQUENCES.items() if family in explained)
    for family in IncidentFamily
}
"""The causes of each family, the widest first."""


class IncidentGroup(NamedTuple):
    """Alerts of one family in one string, or in a location where ``string_key`` is None."""

    family: IncidentFamily
    location_key: int
    string_key: int | None

    @property
    def coverage(self) -> Coverage:
        """What the group covers."""
        return Coverage.LOCATION if self.string_key is None else Coverage.STRING


def group_of(
    alert_type: AlertType, location_key: int, string_key: int | None, battery_key: int | None
) -> IncidentGroup:
    """Return the group of an alert.

    A string that is silent as a whole belongs to its location: what sends for one string mostly sends for others.
    """
    family = FAMILY_OF[alert_type]
    is_silent_string = family is IncidentFamily.SILENCE and battery_key is None
    return IncidentGroup(family, location_key, None if is_silent_string else string_key)
