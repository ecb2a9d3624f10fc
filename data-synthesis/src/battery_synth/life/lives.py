"""What happens to jars: installed, failed, removed; the bookkeeping that turns into labels and maintenance records."""

from dataclasses import dataclass
from typing import Literal

Reason = Literal["commissioning", "failed", "string_replaced", "horizon"]
Kind = Literal["installed", "failed", "removed"]


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
    reason: str


def jar_name(battery_id: str, generation: int) -> str:
    """Return the name of the jar that is the n-th at a position; generation 0 is the catalogue's."""
    return f"{battery_id}#{generation}"


def serial_number(battery_id: str, generation: int, delivered_on: str) -> str:
    """Return the serial of a jar that came after the catalogue's; ``delivered_on`` is YYMM."""
    return f"HX{delivered_on}-{battery_id.removeprefix('BAT-DC-').replace('-', '')}R{generation}"
