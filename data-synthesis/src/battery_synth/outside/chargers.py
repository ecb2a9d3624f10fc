"""Charger faults: a set-point that is off for weeks, ripple from a failing capacitor, a charger without output."""

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from battery_synth.outside.climate import year_of, year_start_s
from battery_synth.streams import stream

FloatArray = npt.NDArray[np.float64]

_PER_SYSTEM_YEAR: Final = {"set_point": 0.05, "ripple": 0.04, "off": 0.03}
"""Faults per system and year (engineering judgement: a charger lives some ten years)."""
_OFFSET_CELL_V, _RIPPLE_FACTOR = (0.02, 0.08), (2.0, 5.0)
_DAYS: Final = {"set_point": (5.0, 60.0), "ripple": (10.0, 90.0), "off": (0.1, 2.0)}
_DAY_S: Final = 86_400.0

ChargerFaultKind = Literal["set_point", "ripple", "off"]


@dataclass(frozen=True, slots=True)
class ChargerFault:
    """A span in which a system's charger has a wrong set-point, high ripple or no output; times in s since 1970."""

    start_s: float
    end_s: float
    system: int
    kind: ChargerFaultKind
    offset_cell_v: float = 0.0
    ripple_factor: float = 1.0


class Chargers:
    """The chargers of a location's systems; instants are in s since 1970."""

    def __init__(self, seed: int, system_ids: list[str], extra: tuple[ChargerFault, ...] = ()) -> None:
        self._seed, self._system_ids, self._extra = seed, system_ids, extra
        self._years: dict[int, list[ChargerFault]] = {}

    def faults(self, start_s: float, end_s: float) -> list[ChargerFault]:
        """Return the faults that overlap a span, in order of their start."""
        drawn = [fault for year in range(year_of(start_s) - 1, year_of(end_s) + 1) for fault in self._of_year(year)]
        overlapping = (fault for fault in (*drawn, *self._extra) if fault.start_s < end_s and fault.end_s > start_s)
        return sorted(overlapping, key=lambda fault: fault.start_s)

    def offset_cell_v(self, at_s: float) -> FloatArray:
        """Return the error of each system's (systems,) set-point in V per cell; NaN while its charger has no output."""
        offset = np.zeros(len(self._system_ids))
        for fault in self.faults(at_s, at_s + 1e-3):
            offset[fault.system] += np.nan if fault.kind == "off" else fault.offset_cell_v
        return offset

    def ripple_factor(self, at_s: float) -> FloatArray:
        """Return each system's (systems,) ripple over that of a sound charger."""
        factor = np.ones(len(self._system_ids))
        for fault in self.faults(at_s, at_s + 1e-3):
            factor[fault.system] = max(factor[fault.system], fault.ripple_factor)
        return factor

    def _of_year(self, year: int) -> list[ChargerFault]:
        if year not in self._years:
            self._years[year] = [
                fault
                for number, system in enumerate(self._system_ids)
                for fault in _drawn(stream(self._seed, "charger", system, year), number, year_start_s(year))
            ]
        return self._years[year]


def _drawn(random: np.random.Generator, system: int, first_s: float) -> list[ChargerFault]:
    faults = []
    kinds: tuple[ChargerFaultKind, ...] = ("set_point", "ripple", "off")
    for kind in kinds:
        for _ in range(int(random.poisson(_PER_SYSTEM_YEAR[kind]))):
            start_s = first_s + round(_DAY_S * float(random.uniform(0, 365)))
            end_s = start_s + round(_DAY_S * float(random.uniform(*_DAYS[kind])))
            offset = float(random.choice((-1.0, 1.0)) * random.uniform(*_OFFSET_CELL_V)) if kind == "set_point" else 0.0
            ripple = float(random.uniform(*_RIPPLE_FACTOR)) if kind == "ripple" else 1.0
            faults.append(ChargerFault(start_s, end_s, system, kind, offset, ripple))
    return faults
