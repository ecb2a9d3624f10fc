"""Solve strings at an instant: one current through all blocks in series, on float, in recharge and in discharge.

Charging is positive. A block's voltage is OCV + held overvoltage + fast and slow polarisation + I R. On float the
charger holds the sum of the string and the gassing branch divides it among the blocks; after a discharge the double
layer is charged first (at the current limit), then the plates.
"""

import math
from typing import Final

from battery_contracts.enums import StringMode
from battery_synth.block import charger, electrics
from battery_synth.compiled import compiled
from battery_synth.state.arrays import BlockParameters, Flow, PlantState
from battery_synth.state.readings import MODES

FAST_OHM, FAST_TAU_S = 1.5e-3, 1.5
SLOW_OHM, SLOW_TAU_S = 0.8e-3, 300.0
SURFACE_C: Final = 800.0
"""Charge of the double layer between rest and float voltage: 1,000 F of the fast branch times 0.8 V."""
CUT_OFF_V_PER_BLOCK: Final = 10.5
LIMIT_SHARE_STORED: Final = 0.7
"""Share of the current limit that the plates accept while the double layer is charged."""
_CLIMB_OHM: Final = 0.030
"""Slope of a block at the current limit: 0.36 V above rest at 12 A."""
_USUAL_BLOCK_V: Final = 12.2
_V_PER_TAFEL: Final = 1.0 / electrics.TAFEL_VOLTAGE_PER_V
FLOAT, RECHARGE, DISCHARGE, TEST = (
    MODES.index(StringMode.FLOAT),
    MODES.index(StringMode.RECHARGE),
    MODES.index(StringMode.DISCHARGE),
    MODES.index(StringMode.TEST),
)


@compiled
def solve_float(state: PlantState, blocks: BlockParameters, flow: Flow, string: int, offset_cell_v: float) -> bool:
    """Solve the float of a string: one current, and voltages that add up to the charger's.

    Closed form: the logarithm of the current is linear in the voltage. Returns whether current can flow: no block is
    open and the charger is on. Otherwise the float voltages are those that a charger would hold.
    """
    first, last = string * blocks.width, (string + 1) * blocks.width
    cells = mean_c = own = 0.0
    conducts = True
    for i in range(first, last):
        cells += blocks.good_cells[i]
        mean_c += state.block_c[i]
        ease = blocks.log_exchange[i] + electrics.TAFEL_TEMPERATURE_PER_K * (state.block_c[i] - 25.0)
        flow.source_v[i] = ease
        own += ease * blocks.good_cells[i]
        if blocks.is_open[i]:
            conducts = False
    off = math.isnan(offset_cell_v)
    # The charger does not detect a shorted cell: it holds the voltage of all cells.
    held_v = charger.set_point_v(
        float(electrics.CELLS * blocks.width), mean_c / blocks.width, 0.0 if off else offset_cell_v
    )
    log_a = electrics.TAFEL_VOLTAGE_PER_V * (held_v / cells - electrics.TAFEL_REFERENCE_V) + own / cells
    # A string in thermal runaway draws more than the charger gives: then the voltage drops.
    log_a = min(log_a, math.log(charger.LIMIT_PER_AH * blocks.rated_ah))
    for i in range(first, last):
        cell_v = electrics.TAFEL_REFERENCE_V + (log_a - flow.source_v[i]) * _V_PER_TAFEL
        flow.float_v[i] = cell_v * blocks.good_cells[i]
        flow.source_v[i] = cell_v
    conducts = conducts and not off
    flow.float_a[string] = math.exp(log_a) if conducts else 0.0
    return conducts


@compiled
def solve_settled(blocks: BlockParameters, flow: Flow, string: int) -> None:
    """Fill in a string at rest on float: its voltages are the float voltages."""
    flow.current_a[string] = flow.float_a[string]
    flow.most_stored_a[string] = 0.0
    flow.mode[string] = FLOAT
    for i in range(string * blocks.width, (string + 1) * blocks.width):
        flow.voltage_v[i] = flow.float_v[i]


@compiled
def solve_inside(state: PlantState, blocks: BlockParameters, flow: Flow, string: int) -> None:
    """Fill in charge and resistance of a string's blocks."""
    for i in range(string * blocks.width, (string + 1) * blocks.width):
        soc = min(max(1.0 - state.deficit_ah[i] / blocks.capacity_ah[i], 0.0), 1.0)
        flow.soc[i] = soc
        flow.resistance_mohm[i] = electrics.ohmic_mohm(blocks.resistance_25c_mohm[i], soc, state.block_c[i])


@compiled
def rested_v(state: PlantState, blocks: BlockParameters, flow: Flow, i: int) -> float:
    """Return the open-circuit voltage of a block in V, once its acid is even."""
    rested = electrics.open_circuit_v(flow.soc[i], state.block_c[i], blocks.good_cells[i])
    return float(rested + blocks.ocv_offset_v[i])


@compiled
def idle_v(state: PlantState, blocks: BlockParameters, flow: Flow, i: int, string: int) -> float:
    """Return the voltage of a block without current in V: at rest it rises to the open-circuit voltage."""
    open_v = rested_v(state, blocks, flow, i)
    kept_v = state.surface[string] * (flow.float_v[i] - open_v)
    return float(open_v + kept_v + state.fast_v[i] + state.slow_v[i] - state.exhausted_v[i])


@compiled
def solve_charging(state: PlantState, blocks: BlockParameters, flow: Flow, string: int) -> None:
    """Solve a string at a charger that is on."""
    first, last = string * blocks.width, (string + 1) * blocks.width
    limit_a = charger.LIMIT_PER_AH * blocks.rated_ah
    loss = 1.0 + charger.SIDE_REACTION_SHARE
    float_a = flow.float_a[string]
    filling = state.surface[string] < 1.0
    most_stored_a = (LIMIT_SHARE_STORED if filling else 1.0) * (limit_a - float_a) / loss
    mean_ah = mean_mohm = 0.0
    for i in range(first, last):
        mean_ah += state.deficit_ah[i]
        mean_mohm += flow.resistance_mohm[i]
    mean_ah /= blocks.width
    mean_mohm /= blocks.width
    stored_a = min(mean_ah / charger.ACCEPTANCE_TAU_H, most_stored_a)
    current_a = limit_a if filling else float_a + stored_a * loss
    flow.current_a[string] = current_a
    flow.most_stored_a[string] = stored_a if filling else most_stored_a
    busy = filling or current_a - float_a > charger.FLOAT_MARGIN_A_PER_AH * blocks.rated_ah
    flow.mode[string] = RECHARGE if busy else FLOAT
    for i in range(first, last):
        # In the taper the charger holds the sum; a block of higher resistance takes a little more of it.
        settled_v = flow.float_v[i] + (current_a - float_a) * (flow.resistance_mohm[i] - mean_mohm) * 1e-3
        over = state.deficit_ah[i] / charger.ACCEPTANCE_TAU_H / limit_a
        near = min(max(2.0 - over, 0.0), 1.0)
        if filling or near < 1.0:
            open_v = rested_v(state, blocks, flow, i) - state.exhausted_v[i]
            # Far below the taper the voltage climbs at the current limit.
            climbing_v = min(open_v + state.slow_v[i] + current_a * _CLIMB_OHM, settled_v)
            settled_v = near * settled_v + (1.0 - near) * climbing_v
            if filling:
                lost_v = state.fast_v[i] + state.slow_v[i] + current_a * flow.resistance_mohm[i] * 1e-3
                rising_v = open_v + state.surface[string] * (flow.float_v[i] - open_v) + lost_v
                settled_v = min(rising_v, settled_v)
        flow.voltage_v[i] = settled_v


@compiled
def solve_idle(state: PlantState, blocks: BlockParameters, flow: Flow, string: int, charger_is_on: bool) -> None:
    """Solve a string without current: its charger is off, or a strap is broken and takes the remaining voltage."""
    first, last = string * blocks.width, (string + 1) * blocks.width
    flow.current_a[string] = flow.most_stored_a[string] = 0.0
    flow.mode[string] = FLOAT
    held_v = rest_v = 0.0
    broken = -1
    for i in range(first, last):
        held_v += flow.float_v[i]
        flow.voltage_v[i] = idle_v(state, blocks, flow, i, string)
        if blocks.is_open[i] and broken < 0:
            broken = i
        else:
            rest_v += flow.voltage_v[i]
    if broken >= 0 and charger_is_on:
        flow.voltage_v[broken] = held_v - rest_v


@compiled
def source_of_discharge(
    state: PlantState, blocks: BlockParameters, flow: Flow, string: int, expected_a: float
) -> tuple[float, float]:
    """Return the source voltage in V and the resistance in ohm with which a string feeds the load.

    The charge that a block can give at the expected current comes from the manufacturer's rate table.
    """
    new_ah = electrics.available_ah(expected_a, blocks.rated_ah)
    string_v = string_ohm = 0.0
    for i in range(string * blocks.width, (string + 1) * blocks.width):
        open_v = rested_v(state, blocks, flow, i)
        health = blocks.capacity_ah[i] / blocks.rated_ah
        usable_ah = new_ah * health * electrics.capacity_share(state.block_c[i])
        held_v = state.surface[string] * (flow.float_v[i] - open_v)
        flow.exhausting_v[i] = electrics.exhaustion_v(state.deficit_ah[i], usable_ah)
        # After a stronger current the acid in the plates is still thinner than this one makes it.
        lost_v = max(flow.exhausting_v[i], state.exhausted_v[i])
        lost_v += electrics.coup_de_fouet_v(state.deficit_ah[i], blocks.capacity_ah[i], expected_a)
        flow.source_v[i] = open_v + held_v + state.fast_v[i] + state.slow_v[i] - lost_v
        string_v += flow.source_v[i]
        string_ohm += flow.resistance_mohm[i] * 1e-3
    return string_v, string_ohm


@compiled
def solve_discharging(blocks: BlockParameters, flow: Flow, string: int, drawn_a: float, is_test: bool) -> None:
    """Fill in the blocks of a string that feeds the load with a known current."""
    flow.current_a[string] = -drawn_a
    flow.most_stored_a[string] = 0.0
    flow.mode[string] = TEST if is_test else DISCHARGE
    string_v = 0.0
    for i in range(string * blocks.width, (string + 1) * blocks.width):
        flow.voltage_v[i] = flow.source_v[i] - drawn_a * flow.resistance_mohm[i] * 1e-3
        string_v += flow.voltage_v[i]
    flow.spent[string] = 1.0 if string_v < CUT_OFF_V_PER_BLOCK * blocks.width else 0.0


@compiled
def stand_by(state: PlantState, blocks: BlockParameters, flow: Flow, string: int) -> None:
    """Fill in the voltages of a string that is connected to the load and gives no current: it relaxes."""
    for i in range(string * blocks.width, (string + 1) * blocks.width):
        flow.voltage_v[i] = idle_v(state, blocks, flow, i, string)


@compiled
def expected_current_a(power_w: float, width: int) -> float:
    """Return the approximate current in A that a string gives at its share of the load."""
    return power_w / (_USUAL_BLOCK_V * width)
