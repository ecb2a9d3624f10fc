"""What happens to jars: installed, failed, removed; the bookkeeping that turns into labels and maintenance records.

A battery is a position in a string, a jar is what stands there from its installation to its removal. A life ends by a
failure, and goes on as a failed one until somebody replaces it; the life of a jar that is removed before it failed, or
still stands at the horizon, is censored.
"""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["installed", "failed", "removed"]
Reason = Literal["commissioning", "failed", "weak", "string_replaced", "open_circuit", "shorted_cell", "capacity"]
"""Why a jar came or went: with its site, for one that had failed, for one that a review found weak, with its whole
string. Or of what it failed: a broken strap, a shorted cell, too little capacity."""


@dataclass(frozen=True, slots=True)
class LifeEvent:
    """One thing that happened to one jar; times in s since 1970.

    That a jar failed is truth, which people learn later.
    """

    at_s: float
    kind: Kind
    battery_id: str
    generation: int
    serial_number: str
    reason: Reason


def jar_name(battery_id: str, generation: int) -> str:
    """Return the name of the jar that is the n-th at a position; generation 0 is the catalogue's."""
    return f"{battery_id}#{generation}"


def serial_number(battery_id: str, generation: int, delivered_on: str) -> str:
    """Return the serial of a jar that came after the catalogue's; ``delivered_on`` is YYMM."""
    return f"HX{delivered_on}-{battery_id.removeprefix('BAT-DC-').replace('-', '')}R{generation}"
