"""The arrays that the kernels work on: what a site's blocks are, what they are like now, what is asked of them."""

from typing import Any, NamedTuple, Self

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

ALL_STRINGS, NO_STRING = -1, -2
"""Instead of a string's position: every string of the site, or none."""


class State(NamedTuple):
    """What is integrated; (n,) over blocks, (g,) over strings."""

    block_c: FloatArray
    deficit_ah: FloatArray
    """Charge missing to full."""
    fast_v: FloatArray
    slow_v: FloatArray
    """The polarisation branches."""
    surface: FloatArray
    """(g,) share of its float overvoltage that a string's electrodes hold: 1 on float, 0 after some discharge."""
    tripped: FloatArray
    """(g,) 1 once a string has reached its cut-off in the discharge that lasts."""
    settled: FloatArray
    """(g,) 1 while a string floats and nothing is left to relax: then most of the work is spared."""
    thermal_days: FloatArray
    overcharge_days: FloatArray
    undercharge_days: FloatArray
    cycle_share: FloatArray
    """The clocks of `life.condition.Wear`."""

    @classmethod
    def settled_at(cls, block_c: FloatArray, strings: int, wear: tuple[FloatArray, ...]) -> Self:
        """Return blocks full, at rest on float, at given temperatures and wear."""
        zero = np.zeros(len(block_c))
        return cls(
            block_c.copy(), zero.copy(), zero.copy(), zero.copy(),
            np.ones(strings), np.zeros(strings), np.zeros(strings), *(clock.copy() for clock in wear),
        )  # fmt: skip

    def packed(self) -> dict[str, FloatArray]:
        """Return copies of the arrays by name: the state goes on changing in place."""
        return {name: value.copy() for name, value in self._asdict().items()}

    @classmethod
    def unpacked(cls, arrays: dict[str, Any]) -> Self:
        """Rebuild what `packed` returned."""
        return cls(**{name: np.array(arrays[name], np.float64) for name in cls._fields})


class Blocks(NamedTuple):
    """What the blocks of a site are today; constants of a run, except what a midnight refreshes."""

    width: int
    rated_ah: float
    activation_ev: float
    system_of_string: IntArray
    """(g,)"""
    rated_w: FloatArray
    """(g,) the DC power that a string's share of its system's rating asks of it."""
    tier_c: FloatArray
    """(n,) how much warmer than the room the air at a block's rack tier is."""
    capacity_ah: FloatArray
    resistance_25c_mohm: FloatArray
    log_exchange: FloatArray
    """(n,) logarithm of the exchange current in A at 25 °C and 2.23 V a cell."""
    good_cells: FloatArray
    is_open: BoolArray
    extra_heat_w: FloatArray
    ocv_offset_v: FloatArray

    def refreshed(self) -> dict[str, FloatArray]:
        """Return by name what a midnight refreshes."""
        return {name: np.asarray(getattr(self, name), np.float64) for name in _REFRESHED}

    def restored(self, arrays: dict[str, Any]) -> "Blocks":
        """Return these blocks as they were when `refreshed` was asked."""
        values: dict[str, Any] = {name: np.array(arrays[name], np.float64) for name in _REFRESHED}
        values["is_open"] = values["is_open"] > 0.0
        return self._replace(**values)


_REFRESHED = (
    "capacity_ah",
    "resistance_25c_mohm",
    "log_exchange",
    "good_cells",
    "is_open",
    "extra_heat_w",
    "ocv_offset_v",
)


class Plan(NamedTuple):
    """A span cut into K steps, and the looks at its K + 1 instants (the last one belongs to the next span)."""

    instant_s: FloatArray
    """(K + 1,) s since the span's reference; steps run between neighbours."""
    air_c: FloatArray
    """(K + 1,) the room's temperature in the middle of each step; the last is unused."""
    feeding: IntArray
    """(K + 1,) who feeds the load: a string's position, `ALL_STRINGS` or `NO_STRING`."""
    constant_a: FloatArray
    """(K + 1,) the current of a capacity test, NaN where the load asks for power."""
    is_test: BoolArray
    """(K + 1,)"""
    segment: IntArray
    """(K + 1,) row of ``charger_offset_v`` and ``load_share``."""
    charger_offset_v: FloatArray
    """(segments, systems) V a cell off the set-point; NaN while a charger is off."""
    ripple_factor: FloatArray
    """(segments, systems)"""
    load_share: FloatArray
    """(segments, systems) load over rating."""
    look: IntArray
    """(K + 1,) who is read: a string's position, `ALL_STRINGS` or `NO_STRING`."""
    first_row: IntArray
    """(K + 1,) where a look's rows begin."""


class Rows(NamedTuple):
    """What a run fills in: true values, R rows of strings with w blocks each."""

    instant_s: FloatArray
    string: IntArray
    mode: npt.NDArray[np.int8]
    current_a: FloatArray
    ripple_a: FloatArray
    voltage_v: FloatArray
    """(R, w)"""
    temperature_c: FloatArray
    soc: FloatArray

    @classmethod
    def empty(cls, rows: int, width: int) -> Self:
        """Return room for rows."""
        block = [np.empty((rows, width)) for _ in range(3)]
        return cls(
            np.empty(rows), np.empty(rows, np.int64), np.empty(rows, np.int8), np.empty(rows), np.empty(rows), *block
        )


class Flow(NamedTuple):
    """Currents and voltages at an instant: scratch of the kernels."""

    current_a: FloatArray
    float_a: FloatArray
    most_stored_a: FloatArray
    spent: FloatArray
    mode: npt.NDArray[np.int8]
    float_v: FloatArray
    source_v: FloatArray
    voltage_v: FloatArray
    resistance_mohm: FloatArray
    soc: FloatArray
    bus_conductance: FloatArray
    bus_drive: FloatArray
    bus_power_w: FloatArray
    """(systems,)"""

    @classmethod
    def empty(cls, strings: int, blocks: int, systems: int) -> Self:
        """Return scratch for a site."""
        by_string: list[Any] = [np.zeros(strings) for _ in range(4)]
        by_block: list[Any] = [np.zeros(blocks) for _ in range(5)]
        by_system: list[Any] = [np.zeros(systems) for _ in range(3)]
        parts = [*by_string, np.zeros(strings, np.int8), *by_block, *by_system]
        return cls(*parts)
