"""Strings at work: one current through 24 blocks in series, on float, in discharge and in recharge.

Charging is positive. A block's voltage is OCV + held overvoltage + fast and slow polarisation + I R. On float the
charger holds the sum of the string and the gassing branch divides it among the blocks; after a discharge the double
layer is charged first (in the current limit), then the plates.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from battery_synth import charger, electrics, load
from battery_synth.blocks import Blocks, capacity_share
from battery_synth.layout import FleetLayout
from battery_synth.state import State

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int64]

FAST_OHM, FAST_TAU_S = 1.5e-3, 1.5
SLOW_OHM, SLOW_TAU_S = 0.8e-3, 300.0
SURFACE_C: Final = 800.0
"""Charge in the double layer between rest and float voltage: 1,000 F of the fast branch over 0.8 V."""
CUT_OFF_V_PER_BLOCK: Final = 10.5
_LIMIT_SHARE_STORED: Final = 0.7
"""Part of the limit that the plates may take while the double layer is charged."""
_CLIMB_OHM: Final = 0.030
"""Slope of a block in the current limit: 0.36 V above rest at 12 A."""


@dataclass(frozen=True, slots=True)
class Demand:
    """What the outside asks of the strings (g,): who feeds the load, and on which bus (numbered as ``power_w``)."""

    feeding: BoolArray
    tested: BoolArray
    bus: IntArray
    power_w: FloatArray


@dataclass(frozen=True, slots=True)
class Flow:
    """Currents of the strings (g,) and the state of their blocks (n,) at an instant."""

    current_a: FloatArray
    float_a: FloatArray
    most_stored_a: FloatArray
    recharging: BoolArray
    spent: BoolArray
    voltage_v: FloatArray
    resistance_mohm: FloatArray
    soc: FloatArray


@dataclass(frozen=True, slots=True)
class _Seen:
    """Quantities that both sides of the charger need, as of one instant."""

    soc: FloatArray
    health: FloatArray
    open_circuit_v: FloatArray
    resistance_mohm: FloatArray
    float_a: FloatArray
    float_v: FloatArray


def flow(state: State, blocks: Blocks, layout: FleetLayout, demand: Demand) -> Flow:
    """Solve the strings at an instant."""
    seen = _seen(state, blocks, layout)
    current_a, most_stored_a, recharging = _charging_a(state, blocks, layout, seen)
    voltage_v = _charging_v(state, blocks, layout, seen, current_a)
    spent = np.zeros(len(current_a), bool)
    if demand.feeding.any():
        source_v = _source_v(state, blocks, layout, seen)
        drawn_a, spent = _discharging_a(state, layout, seen, demand, source_v)
        current_a = np.where(demand.feeding, -drawn_a, current_a)
        loaded_v = source_v + layout.to_blocks(current_a) * seen.resistance_mohm * 1e-3
        voltage_v = np.where(np.repeat(demand.feeding, layout.width), loaded_v, voltage_v)
    return Flow(
        current_a=current_a,
        float_a=seen.float_a,
        most_stored_a=most_stored_a,
        recharging=recharging & ~demand.feeding,
        spent=spent,
        voltage_v=voltage_v,
        resistance_mohm=seen.resistance_mohm,
        soc=seen.soc,
    )


def step_charge(
    state: State, blocks: Blocks, layout: FleetLayout, demand: Demand, present: Flow, *, step_s: float
) -> None:
    """Move charge and polarisation on by a step with the currents of its beginning."""
    feeding, current_a = demand.feeding, present.current_a
    drawn_c = np.where(feeding, -current_a, 0.0) * step_s
    # While it discharges, the double layer gives its share first; what it does not give, the plates do.
    emptied = state.surface * np.exp(-drawn_c / SURFACE_C)
    from_plates_ah = (drawn_c - SURFACE_C * (state.surface - emptied)) / 3600.0
    filled = np.minimum(1.0, state.surface + surface_rate(blocks, present) * step_s)
    state.surface = np.where(feeding, emptied, filled)
    recharged = charger.step_deficit_ah(state.deficit_ah, layout.to_blocks(present.most_stored_a), step_s)
    deeper = state.deficit_ah + layout.to_blocks(from_plates_ah)
    state.deficit_ah = np.where(np.repeat(feeding, layout.width), deeper, recharged)
    block_a = layout.to_blocks(current_a)
    state.fast_v = _relaxed(state.fast_v, block_a * FAST_OHM, step_s / FAST_TAU_S)
    # The slow branch doubles by half charge.
    slow_level_v = block_a * SLOW_OHM * (1.0 + 2.0 * (1.0 - present.soc))
    state.slow_v = _relaxed(state.slow_v, slow_level_v, step_s / SLOW_TAU_S)
    state.tripped = np.where(feeding, np.maximum(state.tripped, present.spent), 0.0)


def surface_rate(blocks: Blocks, present: Flow) -> FloatArray:
    """Return how fast the charger fills the double layers (g,), as a share per s."""
    spare_a = charger.LIMIT_PER_AH * blocks.rated_ah - present.float_a
    return (spare_a - present.most_stored_a * (1.0 + charger.SIDE_REACTION_SHARE)).clip(0.0) / SURFACE_C


def _seen(state: State, blocks: Blocks, layout: FleetLayout) -> _Seen:
    age, temperature_c = state.effective_age_days, state.block_c
    health = blocks.health(age)
    soc: FloatArray = np.clip(1.0 - state.deficit_ah / (blocks.rated_ah * health), 0.0, 1.0)
    rested_v = electrics.open_circuit_v(soc, temperature_c) * blocks.weakness.good_cells / electrics.CELLS
    set_v = charger.float_set_point_v(
        float(layout.width * electrics.CELLS), layout.by_string(temperature_c).mean(axis=1)
    )
    float_a, float_v = electrics.string_float(
        set_v,
        layout.by_string(blocks.exchange_ma_per_100ah(age)),
        layout.by_string(temperature_c),
        layout.by_string(blocks.weakness.good_cells),
        blocks.rated_ah,
    )
    resistance = electrics.ohmic_mohm(blocks.resistance_25c_mohm(age), soc, temperature_c)
    return _Seen(soc, health, rested_v, resistance, float_a, float_v.ravel())


def _charging_a(
    state: State, blocks: Blocks, layout: FleetLayout, seen: _Seen
) -> tuple[FloatArray, FloatArray, BoolArray]:
    """Return the current of the charger, the most that plates may store, and who takes more than float."""
    limit_a = charger.LIMIT_PER_AH * blocks.rated_ah
    loss = 1.0 + charger.SIDE_REACTION_SHARE
    filling = state.surface < 1.0
    share = np.where(filling, _LIMIT_SHARE_STORED, 1.0)
    most_stored_a = share * (limit_a - seen.float_a) / loss
    wanted_a = charger.accepted_a(layout.by_string(state.deficit_ah).mean(axis=1))
    stored_a = np.minimum(wanted_a, most_stored_a)
    current_a = np.where(filling, limit_a, seen.float_a + stored_a * loss)
    recharging = filling | (current_a - seen.float_a > charger.FLOAT_MARGIN_A_PER_AH * blocks.rated_ah)
    return current_a, np.where(filling, stored_a, most_stored_a), recharging


def _charging_v(state: State, blocks: Blocks, layout: FleetLayout, seen: _Seen, current_a: FloatArray) -> FloatArray:
    """Return the blocks' voltages at the charger."""
    block_a = layout.to_blocks(current_a)
    # In the taper the charger holds the sum; a block of more resistance takes a little more of it.
    by_string = layout.by_string(seen.resistance_mohm)
    uneven_mohm = (by_string - by_string.mean(axis=1, keepdims=True)).ravel()
    held_v = seen.float_v + (block_a - layout.to_blocks(seen.float_a)) * uneven_mohm * 1e-3
    # Deep below the taper the string climbs in the current limit.
    over = charger.accepted_a(state.deficit_ah) / (charger.LIMIT_PER_AH * blocks.rated_ah)
    near = np.clip(2.0 - over, 0.0, 1.0)
    climbing_v = np.minimum(seen.open_circuit_v + state.slow_v + block_a * _CLIMB_OHM, held_v)
    settled_v = near * held_v + (1.0 - near) * climbing_v
    surface = layout.to_blocks(state.surface)
    ohmic_v = state.fast_v + state.slow_v + block_a * seen.resistance_mohm * 1e-3
    rising_v = seen.open_circuit_v + surface * (seen.float_v - seen.open_circuit_v) + ohmic_v
    voltage_v: FloatArray = np.where(surface < 1.0, np.minimum(rising_v, settled_v), settled_v)
    return voltage_v


def _source_v(state: State, blocks: Blocks, layout: FleetLayout, seen: _Seen) -> FloatArray:
    """Return the blocks' voltages behind their ohmic resistance in a discharge."""
    usual_a = load.battery_power_w(layout.rated_kva_per_string) / (12.2 * layout.width)
    new_ah = electrics.available_ah(usual_a, blocks.rated_ah)
    usable_ah = layout.to_blocks(new_ah) * seen.health * capacity_share(state.block_c)
    held_v = layout.to_blocks(state.surface) * (seen.float_v - seen.open_circuit_v)
    lost_v = electrics.exhaustion_v(state.deficit_ah, usable_ah)
    return seen.open_circuit_v + held_v + state.fast_v + state.slow_v - lost_v


def _discharging_a(
    state: State, layout: FleetLayout, seen: _Seen, demand: Demand, source_v: FloatArray
) -> tuple[FloatArray, BoolArray]:
    """Return the currents drawn from the strings, and which of them have reached their cut-off."""
    string_v = layout.by_string(source_v).sum(axis=1)
    string_ohm = layout.by_string(seen.resistance_mohm).sum(axis=1) * 1e-3
    alive = np.flatnonzero(demand.feeding & (state.tripped == 0.0))
    drawn_a = np.zeros(len(string_v))
    drawn_a[alive] = load.shared_currents_a(string_v[alive], string_ohm[alive], demand.bus[alive], demand.power_w)
    spent = demand.feeding & (string_v - drawn_a * string_ohm < CUT_OFF_V_PER_BLOCK * layout.width)
    return drawn_a, spent


def _relaxed(value: FloatArray, target: FloatArray, steps: float) -> FloatArray:
    """Move exponentially towards a target over ``steps`` time constants: exact while the target stands still."""
    moved: FloatArray = target + (value - target) * np.exp(-steps)
    return moved
