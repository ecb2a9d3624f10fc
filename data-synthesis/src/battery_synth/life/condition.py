"""Condition of batteries: capacity, resistance, float current, cells; a pure function of traits, clocks and time.

Each mechanism has its own signature: dry-out shows in resistance first and in capacity later, sulfation takes capacity
without changing resistance, a shorted cell steps the voltage, a broken strap opens the string. Resistance bounds the
capacity; it does not reveal it.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from battery_synth.block.wear import BOLTZMANN_EV, REFERENCE_K
from battery_synth.life.traits import (
    CORROSION,
    DRY_OUT,
    NEVER_S,
    SHORT,
    SOFTENING,
    STRAP,
    SULFATION,
    WALK_STEP_DAYS,
    Traits,
)

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

FAILED_HEALTH: Final = 0.8
"""End of life: 80 % of rated capacity at 25 °C."""
ACTIVATION_EV: Final = 0.60
"""A usual activation energy: life halves per 9 K. Each battery has its own."""
_EXCHANGE_SLOPE: Final = np.array([1.0, 5.0, 0.5, 0.5, 0.5, 2.0])
"""The float current of aged or dried-out blocks is 1.5 to 3 times that of new ones."""
_OCV_AGED_V: Final = np.array([0.0, 0.06, -0.06, 0.0, 0.0, 0.0])
"""Dry-out concentrates the acid, sulfation dilutes it."""
_DRY_LEAD: Final = 2.3
"""Exponent of the resistance of dry-out: below the knee of its capacity, so that resistance rises first."""
_UNDERCHARGE_WEIGHT: Final = 6.0
"""Days of float that one day of undercharge costs the negative plate (engineering judgement; manufacturers allow half a
year of storage at 25 °C before a charge is due)."""
_SOFTENING_CYCLES: Final = 2.0
_FRESH_RESISTANCE, _FRESH_DAYS = 0.08, 45.0
"""Conductance rises by 5 to 15 % in the first 90 to 180 days; the baseline is taken afterwards."""
_DELIVERED_LACK, _FORMING_DAYS = 0.03, 30.0
"""A new block reaches its capacity after some weeks of float."""
_SCATTER_YEARS: Final = 1.0
_AGED_HEAT_W: Final = 1.4
"""Heat in W of a dry block at its end of life: 1.5 to 2 W in all."""
_CELLS: Final = 6.0
_YEAR_DAYS: Final = 365.25
_MOST_WORN, _WORST_HEALTH = 0.95, 0.05
"""Bounds for batteries that stay in service long after their end of life."""


@dataclass(slots=True)
class Wear:
    """Wear clocks (n,) that the engine integrates."""

    thermal_days: FloatArray
    """Days at 25 °C."""
    overcharge_days: FloatArray
    """The same, weighted by the float voltage: 1 at 2.275 V per cell, 2 at 2.33 V."""
    undercharge_days: FloatArray
    """The same, while discharged or held at too low a voltage."""
    cycle_share: FloatArray
    """Miner's sum: 1 is one cycle life."""

    @classmethod
    def after(
        cls,
        installed_s: FloatArray,
        at_s: float,
        mean_temperature_c: FloatArray,
        activation_ev: float | FloatArray = ACTIVATION_EV,
    ) -> "Wear":
        """Return the clocks of batteries that have floated since their installation at a mean temperature in °C."""
        kelvin = mean_temperature_c + 273.15
        faster = np.exp(activation_ev / BOLTZMANN_EV * (1.0 / REFERENCE_K - 1.0 / kelvin))
        days = np.clip(at_s - installed_s, 0.0, None) / 86_400.0 * faster
        return cls(days, days.copy(), np.zeros(len(days)), np.zeros(len(days)))


@dataclass(slots=True)
class Condition:
    """Condition of batteries (n,)."""

    health: FloatArray
    """Capacity over rated capacity at 25 °C and the 10 h rate."""
    resistance_ratio: FloatArray
    """Resistance over that of the settled new block, full, at 25 °C."""
    exchange_ratio: FloatArray
    good_cells: FloatArray
    is_open: BoolArray
    extra_heat_w: FloatArray
    ocv_offset_v: FloatArray

    @property
    def failed(self) -> BoolArray:
        """Whether a battery has reached its end of life: below 80 %, with a shorted cell, or open."""
        return (self.health < FAILED_HEALTH) | (self.good_cells < _CELLS) | self.is_open


def condition(traits: Traits, wear: Wear, at_s: float, sulfate: FloatArray | float = 0.0) -> Condition:
    """Return the condition of batteries at an instant in s since 1970.

    ``sulfate`` (n,) is the share of the capacity that recoverable sulfate takes.
    """
    part = spent_part(traits, wear)
    kind = traits.mechanism
    even = traits.early_share
    worn = np.minimum(0.2 * (even * part + (1.0 - even) * part**traits.knee), _MOST_WORN)
    loss = worn + 0.2 * wear.cycle_share * np.where(kind == SOFTENING, _SOFTENING_CYCLES, 1.0)
    age_days = np.maximum(at_s - traits.installed_s, 0.0) / 86_400.0
    formed = 1.0 - _DELIVERED_LACK * np.exp(-age_days / _FORMING_DAYS)
    strap, open_circuit, shorted = _sudden(traits, part, at_s)
    # Scatter appears as the block settles; a part of it stays, a part comes and goes.
    wander = traits.resistance_wander * np.sin(2.0 * np.pi * age_days / traits.wander_days + traits.wander_phase)
    scatter = (traits.resistance_scatter + wander) * (1.0 - np.exp(-age_days / (_SCATTER_YEARS * _YEAR_DAYS)))
    visible = np.where(kind == DRY_OUT, np.minimum(0.2 * part**_DRY_LEAD, _MOST_WORN), worn)
    ratio = 1.0 + traits.resistance_slope * visible + scatter + _FRESH_RESISTANCE * np.exp(-age_days / _FRESH_DAYS)
    near_end = np.minimum(worn / 0.2, 1.5)
    cells = np.where(shorted, _CELLS - 1.0, _CELLS)
    whole = traits.initial_capacity * formed * (1.0 + capacity_walk(traits, age_days)) * (1.0 - sulfate)
    return Condition(
        health=np.maximum(whole * (1.0 - loss) * cells / _CELLS, _WORST_HEALTH),
        resistance_ratio=np.maximum(ratio, 0.8) * strap,
        exchange_ratio=1.0 + _EXCHANGE_SLOPE[kind] * worn,
        good_cells=cells,
        is_open=open_circuit,
        extra_heat_w=np.where(kind == DRY_OUT, _AGED_HEAT_W * near_end, 0.0),
        ocv_offset_v=traits.ocv_offset_v + _OCV_AGED_V[kind] * np.minimum(near_end, 1.0),
    )


def spent_part(traits: Traits, wear: Wear) -> FloatArray:
    """Return the fraction of life (n,) that the clock of each battery's mechanism has used up; 1 is the end of life."""
    kind = traits.mechanism
    is_overcharged = (kind == CORROSION) | (kind == DRY_OUT)
    clock = np.where(is_overcharged, wear.overcharge_days, wear.thermal_days)
    clock = clock + _UNDERCHARGE_WEIGHT * wear.undercharge_days * (kind == SULFATION)
    part: FloatArray = clock / traits.life_days
    return part


def capacity_walk(traits: Traits, age_days: FloatArray) -> FloatArray:
    """Return the relative deviation of the capacities (n,) from their law: the walk, straight between its steps."""
    last = traits.capacity_walk.shape[1] - 1
    step = np.minimum(age_days / WALK_STEP_DAYS, float(last))
    lower = np.minimum(step.astype(np.int64), last - 1)
    rows = np.arange(len(age_days))
    before, after = traits.capacity_walk[rows, lower], traits.capacity_walk[rows, lower + 1]
    walk: FloatArray = before + (after - before) * (step - lower)
    return walk


def _sudden(traits: Traits, part: FloatArray, at_s: float) -> tuple[FloatArray, BoolArray, BoolArray]:
    """Return the factor of failing straps on resistance, which batteries are open, and which have a shorted cell."""
    kind = traits.mechanism
    due = part >= traits.sudden_part
    # Days past the failure threshold of wear: a strap carries on for a while before it breaks.
    over_days = (part - traits.sudden_part) * traits.life_days
    chance_days = (at_s - traits.strap_s) / 86_400.0
    worn_strap = due & (kind == STRAP)
    loose = worn_strap | (chance_days >= 0.0)
    open_circuit = (worn_strap & (over_days >= traits.strap_days)) | (chance_days >= traits.strap_days)
    shorted = (due & (kind == SHORT)) | (at_s >= traits.short_s)
    return np.where(loose, traits.strap_factor, 1.0), open_circuit, shorted


def next_sudden_after(traits: Traits, at_s: float) -> float:
    """Return the next instant at which a battery fails without wear, in s since 1970; infinite if none will."""
    instants = np.concatenate([traits.strap_s, traits.short_s, traits.strap_s + 86_400.0 * traits.strap_days])
    later = instants[(instants > at_s) & (instants < NEVER_S)]
    return float(later.min()) if len(later) else float("inf")
