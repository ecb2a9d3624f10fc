"""What wear has made of jars: capacity, resistance, float current, cells; a pure function of nature, clocks and time.

Each mechanism leaves its own mark: dry-out shows in resistance first and in capacity later, sulfation takes capacity
and resistance does not see it, a shorted cell steps the voltage, a strap breaks the string. Resistance bounds the
capacity; it does not reveal it.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from battery_synth.block.wear import BOLTZMANN_EV, REFERENCE_K
from battery_synth.life.nature import CORROSION, DRY_OUT, NEVER_S, SHORT, SOFTENING, STRAP, SULFATION, Nature
from battery_synth.streams import stream

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

FAILED_HEALTH: Final = 0.8
"""End of life: 80 % of rated capacity at 25 °C."""
ACTIVATION_EV, ACTIVATION_RANGE_EV = 0.60, (0.50, 0.68)
"""Life halves per 8 to 10 K; sampled once a run."""
_RESISTANCE_SLOPE: Final = np.array([1.7, 3.0, 0.10, 1.25, 1.25, 1.25])
"""k of R / R_new = 1 + k x loss, in the order of `MECHANISMS`."""
_EXCHANGE_SLOPE: Final = np.array([1.0, 5.0, 0.5, 0.5, 0.5, 2.0])
"""Float current of aged or dried-out blocks is 1.5 to 3 times the new one's."""
_OCV_AGED_V: Final = np.array([0.0, 0.06, -0.06, 0.0, 0.0, 0.0])
"""Dry-out concentrates the acid, sulfation dilutes it."""
_DRY_LEAD: Final = 2.3
"""Exponent of dry-out's resistance: below the capacity's knee, so that resistance rises first."""
_UNDERCHARGE_WEIGHT: Final = 6.0
"""A day held too low costs the negative plate so many days of float (engineering judgement; makers allow half a year of
storage at 25 °C before a charge is due)."""
_SOFTENING_CYCLES: Final = 2.0
_FRESH_RESISTANCE, _FRESH_DAYS = 0.08, 45.0
"""Conductance rises by 5 to 15 % in the first 90 to 180 days; the baseline is taken after them."""
_DELIVERED_LACK, _FORMING_DAYS = 0.03, 30.0
"""A new block reaches its capacity after some weeks of float."""
_SCATTER_YEARS: Final = 1.0
_AGED_HEAT_W: Final = 1.4
"""A dry block's own heat at its end: 1.5 to 2 W in all."""
_CELLS: Final = 6.0
_YEAR_DAYS: Final = 365.25
_MOST_WORN, _WORST_HEALTH = 0.95, 0.05
"""Bounds for jars that stand on long after their end."""


@dataclass(slots=True)
class Wear:
    """Clocks (n,) that the engine integrates."""

    thermal_days: FloatArray
    """Days at 25 °C."""
    overcharge_days: FloatArray
    """The same, weighted by the float voltage: 1 at 2.275 V a cell, 2 at 2.33."""
    undercharge_days: FloatArray
    """The same, while discharged or held too low."""
    cycle_share: FloatArray
    """Miner's sum: 1 is a cycle life."""

    @classmethod
    def after(
        cls,
        installed_s: FloatArray,
        at_s: float,
        mean_temperature_c: FloatArray,
        activation_ev: float = ACTIVATION_EV,
    ) -> "Wear":
        """Return the clocks of jars that have floated since their installation at a mean temperature."""
        kelvin = mean_temperature_c + 273.15
        faster = np.exp(activation_ev / BOLTZMANN_EV * (1.0 / REFERENCE_K - 1.0 / kelvin))
        days = np.clip(at_s - installed_s, 0.0, None) / 86_400.0 * faster
        return cls(days, days.copy(), np.zeros(len(days)), np.zeros(len(days)))


@dataclass(slots=True)
class Condition:
    """What jars (n,) are like."""

    health: FloatArray
    """Capacity over rated capacity at 25 °C and the ten-hour rate."""
    resistance_ratio: FloatArray
    """Resistance over the settled new one's, full, at 25 °C."""
    exchange_ratio: FloatArray
    good_cells: FloatArray
    is_open: BoolArray
    extra_heat_w: FloatArray
    ocv_offset_v: FloatArray

    @property
    def failed(self) -> BoolArray:
        """Whether a jar is at its end: below 80 %, a cell shorted, or open."""
        return (self.health < FAILED_HEALTH) | (self.good_cells < _CELLS) | self.is_open


def activation_ev(seed: int) -> float:
    """Return the activation energy of a run, 0.50 to 0.68 eV."""
    drawn = ACTIVATION_EV + 0.03 * float(stream(seed, "activation").standard_normal())
    return float(np.clip(drawn, *ACTIVATION_RANGE_EV))


def condition(nature: Nature, wear: Wear, at_s: float) -> Condition:
    """Return what jars are like at an instant."""
    part = spent_part(nature, wear)
    kind = nature.mechanism
    worn = np.minimum(0.2 * part**nature.knee, _MOST_WORN)
    loss = worn + 0.2 * wear.cycle_share * np.where(kind == SOFTENING, _SOFTENING_CYCLES, 1.0)
    age_days = np.maximum(at_s - nature.installed_s, 0.0) / 86_400.0
    formed = 1.0 - _DELIVERED_LACK * np.exp(-age_days / _FORMING_DAYS)
    strap, open_circuit, shorted = _sudden(nature, part, at_s)
    # Scatter appears as the block settles into its place; a part of it stays, a part comes and goes.
    wander = nature.resistance_wander * np.sin(2.0 * np.pi * age_days / nature.wander_days + nature.wander_phase)
    scatter = (nature.resistance_scatter + wander) * (1.0 - np.exp(-age_days / (_SCATTER_YEARS * _YEAR_DAYS)))
    seen = np.where(kind == DRY_OUT, np.minimum(0.2 * part**_DRY_LEAD, _MOST_WORN), worn)
    ratio = 1.0 + _RESISTANCE_SLOPE[kind] * seen + scatter + _FRESH_RESISTANCE * np.exp(-age_days / _FRESH_DAYS)
    near_end = np.minimum(worn / 0.2, 1.5)
    cells = np.where(shorted, _CELLS - 1.0, _CELLS)
    return Condition(
        health=np.maximum(nature.initial_capacity * (1.0 - loss) * formed * cells / _CELLS, _WORST_HEALTH),
        resistance_ratio=np.maximum(ratio, 0.8) * strap,
        exchange_ratio=1.0 + _EXCHANGE_SLOPE[kind] * worn,
        good_cells=cells,
        is_open=open_circuit,
        extra_heat_w=np.where(kind == DRY_OUT, _AGED_HEAT_W * near_end, 0.0),
        ocv_offset_v=nature.ocv_offset_v + _OCV_AGED_V[kind] * np.minimum(near_end, 1.0),
    )


def spent_part(nature: Nature, wear: Wear) -> FloatArray:
    """Return the part of life that its mechanism's clock has spent."""
    kind = nature.mechanism
    is_overcharged = (kind == CORROSION) | (kind == DRY_OUT)
    clock = np.where(is_overcharged, wear.overcharge_days, wear.thermal_days)
    clock = clock + _UNDERCHARGE_WEIGHT * wear.undercharge_days * (kind == SULFATION)
    part: FloatArray = clock / nature.life_days
    return part


def _sudden(nature: Nature, part: FloatArray, at_s: float) -> tuple[FloatArray, BoolArray, BoolArray]:
    """Return the factor of failing straps on resistance, which jars are open, and which have a shorted cell."""
    kind = nature.mechanism
    due = part >= nature.sudden_part
    # Wear that is over its time by some days: a strap goes on for a while before it breaks.
    over_days = (part - nature.sudden_part) * nature.life_days
    chance_days = (at_s - nature.strap_s) / 86_400.0
    worn_strap = due & (kind == STRAP)
    loose = worn_strap | (chance_days >= 0.0)
    open_circuit = (worn_strap & (over_days >= nature.strap_days)) | (chance_days >= nature.strap_days)
    shorted = (due & (kind == SHORT)) | (at_s >= nature.short_s)
    return np.where(loose, nature.strap_factor, 1.0), open_circuit, shorted


def next_sudden_after(nature: Nature, at_s: float) -> float:
    """Return the next instant after one at which a jar fails without wear; infinite if none will."""
    instants = np.concatenate([nature.strap_s, nature.short_s, nature.strap_s + 86_400.0 * nature.strap_days])
    later = instants[(instants > at_s) & (instants < NEVER_S)]
    return float(later.min()) if len(later) else float("inf")
