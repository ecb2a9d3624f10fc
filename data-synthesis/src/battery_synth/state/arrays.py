"""The arrays that the kernels work on: parameters and state of a location's blocks, steps, rows and scratch."""

from typing import Any, NamedTuple, Self

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

ALL_STRINGS, NO_STRING, RECTIFIER_STRINGS = -1, -2, -3
"""In place of a string's index: every string of the location, none, or those of its rectifiers."""


class PlantState(NamedTuple):
    """What is integrated: (n,) per block, (g,) per string."""

    block_c: FloatArray
    deficit_ah: FloatArray
    """Charge missing to full."""
    fast_v: FloatArray
    slow_v: FloatArray
    """Overvoltages of the fast and the slow polarisation branch."""
    exhausted_v: FloatArray
    """Voltage that exhausted acid in the plates takes; it relaxes at rest and on charge."""
    surface: FloatArray
    """(g,) share of the float overvoltage that a string's electrodes hold: 1 on float, 0 late in a discharge."""
    tripped: FloatArray
    """(g,) 1 once a string has reached its cut-off in the present discharge."""
    settled: FloatArray
    """(g,) 1 while a string floats and nothing is left to relax; most of the work is then skipped."""
    thermal_days: FloatArray
    overcharge_days: FloatArray
    undercharge_days: FloatArray
    cycle_share: FloatArray
    """The wear clocks of `life.condition.Wear`."""

    @classmethod
    def settled_at(cls, block_c: FloatArray, strings: int, wear: tuple[FloatArray, ...]) -> Self:
        """Return full blocks at rest on float.

        Parameters
        ----------
        block_c
            (n,) temperatures in °C.
        strings
            Number of strings g.
        wear
            The four wear clocks (n,).
        """
        zero = np.zeros(len(block_c))
        return cls(
            block_c.copy(), zero.copy(), zero.copy(), zero.copy(), zero.copy(),
            np.ones(strings), np.zeros(strings), np.zeros(strings), *(clock.copy() for clock in wear),
        )  # fmt: skip

    def packed(self) -> dict[str, FloatArray]:
        """Return copies of the arrays by name: the state itself changes in place."""
        return {name: value.copy() for name, value in self._asdict().items()}

    @classmethod
    def unpacked(cls, arrays: dict[str, Any]) -> Self:
        """Rebuild the state from the result of `packed`; older ones had no exhaustion that relaxes."""
        known = {"exhausted_v": np.zeros_like(arrays["block_c"]), **arrays}
        return cls(**{name: np.array(known[name], np.float64) for name in cls._fields})


class BlockParameters(NamedTuple):
    """Parameters of a location's blocks today: constant in a run, except what each midnight refreshes."""

    width: int
    rated_ah: float
    activation_ev: FloatArray
    full_cycles: FloatArray
    cycle_exponent: FloatArray
    """(n,) temperature law and cycle life of each block, see `block.wear`."""
    system_of_string: IntArray
    """(g,)"""
    is_rectifier: BoolArray
    """(g,)"""
    rated_w: FloatArray
    """(g,) DC power of a string's share of its system's rating."""
    warmer_k: FloatArray
    """(n,) how much warmer than the room the air at a block is."""
    capacity_ah: FloatArray
    resistance_25c_mohm: FloatArray
    log_exchange: FloatArray
    """(n,) logarithm of the exchange current in A at 25 °C and 2.23 V per cell."""
    good_cells: FloatArray
    is_open: BoolArray
    extra_heat_w: FloatArray
    ocv_offset_v: FloatArray

    def refreshed(self) -> dict[str, FloatArray]:
        """Return by name the arrays that a midnight refreshes."""
        return {name: np.asarray(getattr(self, name), np.float64) for name in _REFRESHED}

    def restored(self, arrays: dict[str, Any]) -> "BlockParameters":
        """Return these blocks with the arrays that `refreshed` returned earlier."""
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
    """A span cut into K steps, with the samples taken at its K + 1 instants (the last one belongs to the next span)."""

    instant_s: FloatArray
    """(K + 1,) s since the start of the day; a step runs from each instant to the next."""
    air_c: FloatArray
    """(K + 1,) room temperature in the middle of each step; the last is unused."""
    feeding: IntArray
    """(K + 1,) which strings feed the load: a string's index, or `ALL_STRINGS`, `NO_STRING` or `RECTIFIER_STRINGS`."""
    constant_a: FloatArray
    """(K + 1,) current of a capacity test; NaN where the load draws constant power."""
    is_test: BoolArray
    """(K + 1,)"""
    segment: IntArray
    """(K + 1,) row of ``charger_offset_v`` and ``load_share``."""
    charger_offset_v: FloatArray
    """(segments, systems) V per cell off the set-point; NaN while a charger is off."""
    ripple_factor: FloatArray
    """(segments, systems)"""
    load_share: FloatArray
    """(segments, systems) load over rating."""
    sampled: IntArray
    """(K + 1,) which strings are sampled: a string's index, `ALL_STRINGS` or `NO_STRING`."""
    first_row: IntArray
    """(K + 1,) first row of each sample."""


class TrueRows(NamedTuple):
    """True values that a run fills in: R rows of strings with w blocks each."""

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
        """Return uninitialised rows."""
        block = [np.empty((rows, width)) for _ in range(3)]
        return cls(
            np.empty(rows), np.empty(rows, np.int64), np.empty(rows, np.int8), np.empty(rows), np.empty(rows), *block
        )


class Flow(NamedTuple):
    """Currents and voltages at an instant: scratch arrays of the kernels."""

    current_a: FloatArray
    float_a: FloatArray
    most_stored_a: FloatArray
    spent: FloatArray
    mode: npt.NDArray[np.int8]
    float_v: FloatArray
    source_v: FloatArray
    exhausting_v: FloatArray
    """Voltage that a current in discharge takes of a block as its acid runs out."""
    faster_days: FloatArray
    """Days at 25 °C that a step is worth."""
    voltage_v: FloatArray
    resistance_mohm: FloatArray
    soc: FloatArray
    bus_conductance: FloatArray
    bus_drive: FloatArray
    bus_power_w: FloatArray
    """(systems,)"""

    @classmethod
    def empty(cls, strings: int, blocks: int, systems: int) -> Self:
        """Return scratch arrays for a location."""
        by_string: list[Any] = [np.zeros(strings) for _ in range(4)]
        by_block: list[Any] = [np.zeros(blocks) for _ in range(7)]
        by_system: list[Any] = [np.zeros(systems) for _ in range(3)]
        parts = [*by_string, np.zeros(strings, np.int8), *by_block, *by_system]
        return cls(*parts)
