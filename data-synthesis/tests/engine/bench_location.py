"""A location made by hand, so that the kernels can be tested without climate, grid and life."""

import numpy as np

from battery_synth.state.arrays import (
    ALL_STRINGS,
    NO_STRING,
    BlockParameters,
    FloatArray,
    Flow,
    IntArray,
    Plan,
    PlantState,
    TrueRows,
)


def state_of(strings: int, width: int, *, block_c: float = 25.0) -> PlantState:
    """Return new blocks, full and at rest."""
    count = strings * width
    return PlantState.settled_at(np.full(count, block_c), strings, tuple(np.zeros(count) for _ in range(4)))


def blocks_of(strings: int, width: int, *, spread: float = 0.06, systems: int = 1) -> BlockParameters:
    """Return blocks of 120 Ah with scattered exchange currents, one system after another."""
    count = strings * width
    scatter = np.random.default_rng(1).standard_normal(count)
    return BlockParameters(
        width=width,
        rated_ah=120.0,
        activation_ev=np.full(count, 0.6),
        full_cycles=np.full(count, 112.0),
        cycle_exponent=np.full(count, 1.9),
        system_of_string=np.arange(strings) * systems // strings,
        is_rectifier=np.zeros(strings, bool),
        rated_w=np.full(strings, 20_600.0 * width / 24),
        warmer_k=np.zeros(count),
        capacity_ah=np.full(count, 118.0),
        resistance_25c_mohm=np.full(count, 3.5) * (1.0 + 0.04 * scatter),
        log_exchange=np.log(1.2 * 0.020) + spread * scatter,
        good_cells=np.full(count, 6.0),
        is_open=np.zeros(count, bool),
        extra_heat_w=np.zeros(count),
        ocv_offset_v=np.zeros(count),
    )


def plan_of(
    steps: int,
    step_s: float,
    *,
    strings: int,
    systems: int = 1,
    air_c: float = 25.0,
    feeding: IntArray | None = None,
    constant_a: float = float("nan"),
    charger_offset_v: float = 0.0,
) -> Plan:
    """Return equal steps with a look at all strings before each."""
    sampled = np.full(steps + 1, ALL_STRINGS)
    sampled[-1] = NO_STRING
    return Plan(
        instant_s=np.arange(steps + 1, dtype=np.float64) * step_s,
        air_c=np.full(steps + 1, air_c),
        feeding=np.full(steps + 1, NO_STRING) if feeding is None else feeding,
        constant_a=np.full(steps + 1, constant_a),
        is_test=np.zeros(steps + 1, bool),
        segment=np.zeros(steps + 1, np.int64),
        charger_offset_v=np.full((1, systems), charger_offset_v),
        ripple_factor=np.ones((1, systems)),
        load_share=np.ones((1, systems)),
        sampled=sampled,
        first_row=np.arange(steps + 1) * strings,
    )


def room_for(plan: Plan, strings: int, width: int) -> tuple[Flow, TrueRows]:
    """Return scratch and rows for a plan."""
    return Flow.empty(strings, strings * width, plan.load_share.shape[1]), TrueRows.empty(
        int(plan.first_row[-1]), width
    )


def of_string(values: FloatArray, string: int, strings: int) -> FloatArray:
    """Return the rows of one string."""
    return values[string::strings]
