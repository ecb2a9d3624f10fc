"""Public ids of the fleet: their grammar and their parts."""

import re
from typing import Annotated, Final

from pydantic import StringConstraints

LOCATION_PATTERN: Final = r"DC-[A-Z]{3}-\d{2}"
SYSTEM_PATTERN: Final = LOCATION_PATTERN + r"-(?:UPS|REC)-\d{2}"
STRING_PATTERN: Final = SYSTEM_PATTERN + r"-STR-\d{2}"
BATTERY_PATTERN: Final = r"BAT-" + STRING_PATTERN + r"-\d{3}"

LocationId = Annotated[str, StringConstraints(pattern=f"^{LOCATION_PATTERN}$")]
SystemId = Annotated[str, StringConstraints(pattern=f"^{SYSTEM_PATTERN}$")]
StringId = Annotated[str, StringConstraints(pattern=f"^{STRING_PATTERN}$")]
BatteryId = Annotated[str, StringConstraints(pattern=f"^{BATTERY_PATTERN}$")]

_BATTERY: Final = re.compile(
    rf"BAT-(?P<string>(?P<system>(?P<location>{LOCATION_PATTERN})-(?:UPS|REC)-\d{{2}})-STR-\d{{2}})-(?P<position>\d{{3}})"
)
_STRING: Final = re.compile(rf"(?P<system>(?P<location>{LOCATION_PATTERN})-(?:UPS|REC)-\d{{2}})-STR-\d{{2}}")


class InvalidId(ValueError):
    """The text is not an id of the expected kind."""


def string_of(battery_id: str) -> str:
    """Return the string that holds a battery position."""
    return _part(_BATTERY, battery_id, "string", "battery id like BAT-DC-CNX-01-UPS-01-STR-01-001")


def system_of(string_id: str) -> str:
    """Return the battery system that a string belongs to."""
    return _part(_STRING, string_id, "system", "string id like DC-CNX-01-UPS-01-STR-01")


def location_of(battery_or_string_id: str) -> str:
    """Return the location of a battery or a string."""
    pattern = _BATTERY if battery_or_string_id.startswith("BAT-") else _STRING
    return _part(pattern, battery_or_string_id, "location", "battery or string id")


def position_of(battery_id: str) -> int:
    """Return a battery's position in its string, 1 at the positive end."""
    return int(_part(_BATTERY, battery_id, "position", "battery id like BAT-DC-CNX-01-UPS-01-STR-01-001"))


def battery_id_at(string_id: str, position: int) -> str:
    """Compose the id of the battery at a position (from 1) of a string."""
    if not 1 <= position <= 999:
        raise InvalidId(f"position {position} is outside 1..999")
    return f"BAT-{string_id}-{position:03d}"


def _part(pattern: re.Pattern[str], text: str, name: str, expected: str) -> str:
    found = pattern.fullmatch(text)
    if found is None:
        raise InvalidId(f"{text!r} is not a {expected}")
    return found[name]
