"""Life events of batteries: installed, failed, removed; the records behind labels and maintenance reports.

A battery id names a position in a string; with the generation it names one physical battery, from its installation to
its removal. A life ends with a failure, after which the failed battery stays until it is replaced; the life of a
battery that is removed before it failed, or is still installed at the horizon, is censored.
"""

from dataclasses import dataclass
from typing import Literal

LifeEventKind = Literal["installed", "failed", "removed"]
LifeEventReason = Literal[
    "commissioning", "failed", "weak", "string_replaced", "open_circuit", "shorted_cell", "capacity"
]
"""Why a battery was installed or removed: with its location, because it had failed, because a review found it weak, or
with its whole string. For failures their cause: a broken strap, a shorted cell, too little capacity."""


@dataclass(frozen=True, slots=True)
class LifeEvent:
    """One event in the life of one battery; times in s since 1970.

    A failure is truth, which people learn of later.
    """

    at_s: float
    kind: LifeEventKind
    battery_id: str
    generation: int
    serial_number: str
    reason: LifeEventReason


def battery_name(battery_id: str, generation: int) -> str:
    """Return the name of the n-th battery at a position; generation 0 is that of the catalogue."""
    return f"{battery_id}#{generation}"


def serial_number(battery_id: str, generation: int, delivered_on: str) -> str:
    """Return the serial number of a battery that came after that of the catalogue; ``delivered_on`` is YYMM."""
    return f"HX{delivered_on}-{battery_id.removeprefix('BAT-DC-').replace('-', '')}R{generation}"
