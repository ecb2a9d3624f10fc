"""Arrays and readings: what is saved comes back, and selections keep rows together."""

from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from battery_synth.state.arrays import BlockParameters, Flow, PlantState, TrueRows
from battery_synth.state.readings import Sampling, SimulatedReadings
from tests.engine.bench_location import blocks_of, state_of

SHARED = {"location_at_us", "ambient_c", "humidity_pct", "hvac", "mains"}


def readings_of(count: int, *, width: int = 4, samples: int = 3, first: int = 0) -> SimulatedReadings:
    """Return readings whose every value tells its row."""
    rows = np.arange(first, first + count, dtype=np.float32)
    by_block = np.repeat(rows, width).reshape(-1, width)
    return SimulatedReadings(
        at_us=rows.astype(np.int64),
        string=rows.astype(np.int32),
        mode=rows.astype(np.int8),
        voltage_v=by_block.copy(),
        temperature_c=by_block.copy(),
        internal_resistance_mohm=by_block.copy(),
        string_voltage_v=rows.copy(),
        current_a=rows.copy(),
        float_current_ma=rows.copy(),
        ripple_voltage_v=rows.copy(),
        ripple_current_a=rows.copy(),
        soc=by_block.copy(),
        location_at_us=np.arange(samples, dtype=np.int64),
        ambient_c=np.arange(samples, dtype=np.float32),
        humidity_pct=np.arange(samples, dtype=np.float32),
        hvac=np.arange(samples, dtype=np.int8),
        mains=np.arange(samples) % 2 == 1,
    )


def test_a_state_comes_back_as_it_was_and_does_not_share_memory() -> None:
    state = state_of(2, 3, block_c=27.0)
    state.deficit_ah[:] = np.arange(6)
    saved = state.packed()
    state.deficit_ah[:] = 99.0
    again = PlantState.unpacked(saved)
    np.testing.assert_array_equal(again.deficit_ah, np.arange(6))
    np.testing.assert_array_equal(again.block_c, np.full(6, 27.0))
    again.block_c[:] = 0.0
    np.testing.assert_array_equal(saved["block_c"], np.full(6, 27.0))


def test_a_state_without_one_of_its_arrays_is_refused() -> None:
    saved = state_of(1, 2).packed()
    del saved["surface"]
    with pytest.raises(KeyError, match="surface"):
        PlantState.unpacked(saved)


def test_settled_blocks_are_full_and_hold_their_overvoltage() -> None:
    state = state_of(2, 3)
    assert not state.deficit_ah.any()
    assert (state.surface == 1.0).all()
    assert not state.tripped.any()


def test_parameters_are_restored_with_their_types_and_constants_stay() -> None:
    blocks = blocks_of(1, 4)
    blocks.is_open[2] = True
    saved = {name: value.copy() for name, value in blocks.refreshed().items()}
    other = blocks_of(1, 4)
    other.capacity_ah[:] = 1.0
    again = other.restored(saved)
    assert isinstance(again, BlockParameters)
    assert again.is_open.dtype == np.bool_
    np.testing.assert_array_equal(again.is_open, blocks.is_open)
    np.testing.assert_array_equal(again.capacity_ah, blocks.capacity_ah)
    assert again.rated_ah == blocks.rated_ah


@given(strings=st.integers(1, 5), width=st.integers(1, 30), systems=st.integers(1, 3), rows=st.integers(0, 50))
def test_scratch_and_rows_have_their_shapes(strings: int, width: int, systems: int, rows: int) -> None:
    flow = Flow.empty(strings, strings * width, systems)
    assert flow.current_a.shape == flow.mode.shape == (strings,)
    assert flow.voltage_v.shape == flow.soc.shape == (strings * width,)
    assert flow.bus_drive.shape == flow.bus_power_w.shape == (systems,)
    empty = TrueRows.empty(rows, width)
    assert empty.voltage_v.shape == empty.soc.shape == (rows, width)
    assert len(empty.current_a) == len(empty.string) == rows


@given(mask=st.lists(st.booleans(), min_size=1, max_size=20))
def test_a_selection_keeps_the_rows_of_every_channel_together(mask: list[bool]) -> None:
    chosen = readings_of(len(mask)).at_rows(np.array(mask))
    expected = np.flatnonzero(mask)
    assert len(chosen) == len(expected)
    for item in fields(SimulatedReadings):
        values = getattr(chosen, item.name)
        if item.name in SHARED:
            np.testing.assert_array_equal(values, getattr(readings_of(len(mask)), item.name))
        else:
            np.testing.assert_array_equal(values if values.ndim == 1 else values[:, 0], expected)


@given(counts=st.lists(st.integers(1, 6), min_size=1, max_size=4))
def test_joined_spans_are_their_rows_in_order(counts: list[int]) -> None:
    firsts = np.cumsum([0, *counts])
    parts = [readings_of(count, first=int(first)) for count, first in zip(counts, firsts, strict=False)]
    whole = SimulatedReadings.joined(parts)
    np.testing.assert_array_equal(whole.at_us, np.arange(sum(counts)))
    np.testing.assert_array_equal(whole.voltage_v[:, 0], np.arange(sum(counts)))
    assert len(whole.ambient_c) == 3 * len(counts)


@pytest.mark.parametrize("every_s", [0.5, 1.0, 60.0, 900.0, 3600.0, 86_400.0])
def test_intervals_that_divide_a_day_are_accepted(every_s: float) -> None:
    assert Sampling(every_s).every_s == every_s


@pytest.mark.parametrize(
    ("every_s", "message"),
    [
        (0.0, "above 0"),
        (-60.0, "above 0"),
        (float("nan"), "above 0"),
        (90_000.0, "at most a day"),
        (7.0, "divide a day"),
    ],
)
def test_other_intervals_are_refused(every_s: float, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Sampling(every_s)
