"""Integration of a location's strings over the steps of a plan, with the true values at each sample."""

import math

from battery_synth.block import charger, electrics, heat, wear
from battery_synth.compiled import compiled
from battery_synth.engine import strings
from battery_synth.state.arrays import (
    ALL_STRINGS,
    NO_STRING,
    RECTIFIER_STRINGS,
    BlockParameters,
    Flow,
    Plan,
    PlantState,
    TrueRows,
)

_NOTHING_LEFT_AH, _NOTHING_LEFT_V = 1e-4, 1e-5
_SELF_DISCHARGE_PER_S = 0.03 / (30.0 * 86_400.0)
"""3 % per month at 20 to 25 °C, scaled by the acceleration of ageing [SAF]."""
_OFF_TAU_S = 4.0 * 3600.0
"""Time constant with which the overvoltage of a string without a charger decays."""
_RIPPLE_FLOOR_A, _RIPPLE_SHARE = 0.8, 0.004
_EMPTIEST = 1.05
_UNDERCHARGED_SOC, _UNDERCHARGED_CELL_V = 0.9, 2.20


@compiled
def run(state: PlantState, blocks: BlockParameters, flow: Flow, plan: Plan, rows: TrueRows) -> None:
    """Go through all instants of a plan: solve, record what is sampled, step.

    ``state`` and ``rows`` are changed in place. The last instant may be sampled, but no step follows it.
    """
    steps = len(plan.instant_s) - 1
    for k in range(steps + 1):
        sampled = plan.sampled[k]
        if k == steps and sampled == NO_STRING:
            break
        solve(state, blocks, flow, plan, k)
        if sampled != NO_STRING:
            record(state, blocks, flow, plan, rows, k)
        if k < steps:
            step_s = plan.instant_s[k + 1] - plan.instant_s[k]
            decay = math.exp(-step_s / heat.BLOCK_TAU_S)
            for string in range(len(state.surface)):
                # Asked here, not in `step`: a call that takes all arrays costs more than the work of a settled string.
                if state.settled[string] > 0.0:
                    step_settled(state, blocks, flow, plan.air_c[k], string, step_s / 86_400.0, decay)
                else:
                    step(state, blocks, flow, plan, k, string, step_s, decay)


@compiled
def solve(state: PlantState, blocks: BlockParameters, flow: Flow, plan: Plan, k: int) -> None:
    """Solve all strings at instant ``k`` of a plan."""
    feeding, segment = plan.feeding[k], plan.segment[k]
    shares_bus = feeding in (ALL_STRINGS, RECTIFIER_STRINGS)
    if shares_bus:
        for system in range(len(flow.bus_drive)):
            flow.bus_drive[system] = flow.bus_conductance[system] = flow.bus_power_w[system] = 0.0
        for string in range(len(state.surface)):
            system = blocks.system_of_string[string]
            flow.bus_power_w[system] += blocks.rated_w[string] * plan.load_share[segment, system]
    for string in range(len(state.surface)):
        offset_v = plan.charger_offset_v[segment, blocks.system_of_string[string]]
        conducts = strings.solve_float(state, blocks, flow, string, offset_v)
        works = takes_part(blocks, feeding, string)
        flow.spent[string] = 0.0
        if state.settled[string] > 0.0 and conducts and not works:
            strings.solve_settled(blocks, flow, string)
            continue
        state.settled[string] = 0.0
        strings.solve_inside(state, blocks, flow, string)
        if works:
            solve_feeding(state, blocks, flow, plan, k, string)
        elif conducts:
            strings.solve_charging(state, blocks, flow, string)
        else:
            strings.solve_idle(state, blocks, flow, string, not math.isnan(offset_v))
    if shares_bus:
        share_bus_power(state, blocks, flow, plan, k)


@compiled
def takes_part(blocks: BlockParameters, feeding: int, string: int) -> bool:
    """Return whether a string is among those that feed the load."""
    return feeding in (ALL_STRINGS, string) or (feeding == RECTIFIER_STRINGS and blocks.is_rectifier[string])


@compiled
def can_feed(state: PlantState, blocks: BlockParameters, string: int) -> bool:
    """Return whether a string can give current: it has not reached its cut-off, and no block is open."""
    if state.tripped[string] > 0.0:
        return False
    first, last = string * blocks.width, (string + 1) * blocks.width
    return not blocks.is_open[first:last].any()


@compiled
def solve_feeding(state: PlantState, blocks: BlockParameters, flow: Flow, plan: Plan, k: int, string: int) -> None:
    """Solve a string that feeds the load alone, or add it to its bus for `share_bus_power`."""
    system = blocks.system_of_string[string]
    power_w = blocks.rated_w[string] * plan.load_share[plan.segment[k], system]
    constant_a = plan.constant_a[k]
    expected_a = strings.expected_current_a(power_w, blocks.width) if math.isnan(constant_a) else constant_a
    string_v, string_ohm = strings.source_of_discharge(state, blocks, flow, string, expected_a)
    able = can_feed(state, blocks, string)
    if plan.feeding[k] in (ALL_STRINGS, RECTIFIER_STRINGS):
        if able:
            flow.bus_conductance[system] += 1.0 / string_ohm
            flow.bus_drive[system] += string_v / string_ohm
        return
    drawn_a = 0.0
    if able and not math.isnan(constant_a):
        drawn_a = constant_a
    elif able:
        # At a power that exceeds its maximum, the string gives its maximum.
        root = math.sqrt(max(string_v * string_v - 4.0 * string_ohm * power_w, 0.0))
        drawn_a = (string_v - root) / (2.0 * string_ohm)
    strings.solve_discharging(blocks, flow, string, drawn_a, plan.is_test[k])
    if drawn_a <= 0.0:
        strings.stand_by(state, blocks, flow, string)


@compiled
def share_bus_power(state: PlantState, blocks: BlockParameters, flow: Flow, plan: Plan, k: int) -> None:
    """Divide constant power among the strings of each bus.

    With G the sum of 1/R and J the sum of E/R of a bus, its voltage V solves V (J - G V) = P; at a power above their
    maximum, the strings give their maximum.
    """
    for string in range(len(state.surface)):
        if not takes_part(blocks, plan.feeding[k], string):
            continue
        system = blocks.system_of_string[string]
        power_w = flow.bus_power_w[system]
        total, driven = flow.bus_conductance[system], flow.bus_drive[system]
        drawn_a = 0.0
        if total > 0.0 and can_feed(state, blocks, string):
            bus_v = (driven + math.sqrt(max(driven * driven - 4.0 * total * power_w, 0.0))) / (2.0 * total)
            string_v = string_ohm = 0.0
            for i in range(string * blocks.width, (string + 1) * blocks.width):
                string_v += flow.source_v[i]
                string_ohm += flow.resistance_mohm[i] * 1e-3
            # The diode of a string below the bus voltage blocks.
            drawn_a = max((string_v - bus_v) / string_ohm, 0.0)
        strings.solve_discharging(blocks, flow, string, drawn_a, plan.is_test[k])
        if drawn_a <= 0.0:
            strings.stand_by(state, blocks, flow, string)


@compiled
def record(state: PlantState, blocks: BlockParameters, flow: Flow, plan: Plan, rows: TrueRows, k: int) -> None:
    """Write the true values of the strings that are sampled at instant ``k`` into their rows."""
    sampled, row = plan.sampled[k], plan.first_row[k]
    first = 0 if sampled == ALL_STRINGS else sampled
    last = len(state.surface) if sampled == ALL_STRINGS else sampled + 1
    for string in range(first, last):
        full = state.settled[string] > 0.0
        rows.instant_s[row] = plan.instant_s[k]
        rows.string[row] = string
        rows.mode[row] = flow.mode[string]
        rows.current_a[row] = flow.current_a[string]
        factor = plan.ripple_factor[plan.segment[k], blocks.system_of_string[string]]
        rows.ripple_a[row] = (_RIPPLE_FLOOR_A + _RIPPLE_SHARE * abs(flow.current_a[string])) * factor
        for j in range(blocks.width):
            i = string * blocks.width + j
            rows.voltage_v[row, j] = flow.voltage_v[i]
            rows.temperature_c[row, j] = state.block_c[i]
            missing = 0.0 if full else state.deficit_ah[i] / blocks.capacity_ah[i]
            rows.soc[row, j] = min(max(1.0 - missing, 0.0), 1.0)
        row += 1


@compiled
def step(
    state: PlantState, blocks: BlockParameters, flow: Flow, plan: Plan, k: int, string: int, step_s: float, decay: float
) -> None:
    """Advance a string that is not settled by one step with the currents at its start.

    ``step_s`` is in s; ``decay`` is exp(-step_s / `heat.BLOCK_TAU_S`).
    """
    first, last = string * blocks.width, (string + 1) * blocks.width
    current_a, days = flow.current_a[string], step_s / 86_400.0
    discharges = flow.mode[string] in (strings.DISCHARGE, strings.TEST)
    # Current that moves no charge recombines and heats; in a discharge there is none.
    gassing_a = 0.0 if discharges else flow.float_a[string]
    step_charge(state, blocks, flow, string, step_s)
    for i in range(first, last):
        heat_w = gassing_a * flow.voltage_v[i] + blocks.extra_heat_w[i]
        heat_w += heat.joule_w(current_a, flow.resistance_mohm[i])
        faster = wear.acceleration(state.block_c[i], blocks.activation_ev[i]) * days
        cell_v = flow.voltage_v[i] / blocks.good_cells[i]
        state.thermal_days[i] += faster
        # Without a current no voltage corrodes: an open block only shows the charger's voltage.
        if gassing_a > 0.0:
            state.overcharge_days[i] += faster * wear.overcharge_factor(cell_v)
        soc = 1.0 - state.deficit_ah[i] / blocks.capacity_ah[i]
        if soc < _UNDERCHARGED_SOC or (not discharges and cell_v < _UNDERCHARGED_CELL_V):
            state.undercharge_days[i] += faster
        state.block_c[i] = heat.relaxed_c(state.block_c[i], plan.air_c[k] + blocks.warmer_k[i], heat_w, decay)


@compiled
def step_settled(
    state: PlantState, blocks: BlockParameters, flow: Flow, air_c: float, string: int, days: float, decay: float
) -> None:
    """Advance a string that rests on float: only temperatures and clocks change. Nearly all steps are of this kind."""
    float_a = flow.float_a[string]
    first, last = string * blocks.width, (string + 1) * blocks.width
    # Loops over few arrays each: only those are compiled to vector instructions.
    for i in range(first, last):
        flow.faster_days[i] = wear.acceleration(state.block_c[i], blocks.activation_ev[i]) * days
    for i in range(first, last):
        faster_days, cell_v = flow.faster_days[i], flow.source_v[i]
        state.thermal_days[i] += faster_days
        state.overcharge_days[i] += faster_days * wear.overcharge_factor(cell_v)
        if cell_v < _UNDERCHARGED_CELL_V:
            state.undercharge_days[i] += faster_days
    for i in range(first, last):
        heat_w = float_a * flow.voltage_v[i] + blocks.extra_heat_w[i]
        state.block_c[i] = heat.relaxed_c(state.block_c[i], air_c + blocks.warmer_k[i], heat_w, decay)


@compiled
def step_charge(state: PlantState, blocks: BlockParameters, flow: Flow, string: int, step_s: float) -> None:
    """Advance charge, polarisation and double layer of a string; mark it settled if nothing is left to relax."""
    first, last = string * blocks.width, (string + 1) * blocks.width
    current_a, mode = flow.current_a[string], flow.mode[string]
    discharges = mode in (strings.DISCHARGE, strings.TEST)
    drawn_ah = 0.0
    if discharges:
        # The double layer supplies its share first; the plates supply the rest.
        emptied = state.surface[string] * math.exp(current_a * step_s / strings.SURFACE_C)
        drawn_c = -current_a * step_s
        drawn_ah = (drawn_c - strings.SURFACE_C * (state.surface[string] - emptied)) / 3600.0
        state.surface[string] = emptied
        state.tripped[string] = max(state.tripped[string], flow.spent[string])
    else:
        state.tripped[string] = 0.0
        if current_a <= 0.0:
            state.surface[string] *= math.exp(-step_s / _OFF_TAU_S)
        elif state.surface[string] < 1.0:
            spare_a = charger.LIMIT_PER_AH * blocks.rated_ah - flow.float_a[string]
            spare_a -= flow.most_stored_a[string] * (1.0 + charger.SIDE_REACTION_SHARE)
            state.surface[string] = min(1.0, state.surface[string] + max(spare_a, 0.0) * step_s / strings.SURFACE_C)
    fast = math.exp(-step_s / strings.FAST_TAU_S)
    slow = math.exp(-step_s / strings.SLOW_TAU_S)
    diffused = math.exp(-step_s / electrics.EXHAUSTION_TAU_S)
    left_ah = left_v = 0.0
    for i in range(first, last):
        before_ah, capacity_ah = state.deficit_ah[i], blocks.capacity_ah[i]
        if discharges:
            # An empty block gives no more charge: its string drives it into reversal.
            after_ah = min(before_ah + drawn_ah, _EMPTIEST * capacity_ah)
            state.cycle_share[i] += wear.miner_share(
                min(before_ah / capacity_ah, 1.0),
                min(after_ah / capacity_ah, 1.0),
                blocks.full_cycles[i],
                blocks.cycle_exponent[i],
            )
        elif current_a > 0.0:
            after_ah = charger.recharged_ah(before_ah, flow.most_stored_a[string], step_s)
        else:
            lost = _SELF_DISCHARGE_PER_S * step_s * wear.acceleration(state.block_c[i], blocks.activation_ev[i])
            after_ah = min(before_ah + capacity_ah * lost, capacity_ah)
        state.deficit_ah[i] = after_ah
        level_v = current_a * strings.FAST_OHM
        state.fast_v[i] = level_v + (state.fast_v[i] - level_v) * fast
        # The resistance of the slow branch doubles by half charge.
        level_v = current_a * strings.SLOW_OHM * (1.0 + 2.0 * (1.0 - flow.soc[i]))
        state.slow_v[i] = level_v + (state.slow_v[i] - level_v) * slow
        relaxed_v = state.exhausted_v[i] * diffused
        if discharges and current_a < 0.0:
            relaxed_v = max(min(flow.exhausting_v[i], electrics.MOST_EXHAUSTED_V), relaxed_v)
        state.exhausted_v[i] = relaxed_v
        left_ah = max(left_ah, after_ah)
        left_v = max(left_v, state.exhausted_v[i])
        left_v = max(left_v, abs(state.slow_v[i] - flow.float_a[string] * strings.SLOW_OHM))
    state.settled[string] = 0.0
    floats = mode == strings.FLOAT and current_a > 0.0 and state.surface[string] >= 1.0
    if floats and left_ah < _NOTHING_LEFT_AH and left_v < _NOTHING_LEFT_V:
        state.settled[string] = 1.0
        for i in range(first, last):
            state.deficit_ah[i] = state.fast_v[i] = state.slow_v[i] = state.exhausted_v[i] = 0.0
