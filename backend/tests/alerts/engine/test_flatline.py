"""Channels that stand still while their string moves."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from battery_api.alerts.engine.flatline import FlatlineTracker

MINUTE_US = 60_000_000
VALID_US = 300_000_000
NAN = float("nan")
Row = tuple[int, int, float, float]
"""Battery, minute, voltage and temperature of a reading."""


def follow(
    rows: Sequence[Row], stored: Sequence[bytes | None] = (None,)
) -> tuple[list[list[float]], list[bytes | None]]:
    """Return the flat lines of voltage and temperature in minutes, and what is kept; all of one string."""
    battery = np.array([row[0] for row in rows], np.int64)
    tracker = FlatlineTracker(stored, battery, np.zeros(len(rows), np.int64))
    flat_s = tracker.follow(
        battery,
        np.array([row[1] for row in rows], np.int64) * MINUTE_US,
        {
            "voltage_v": np.array([row[2] for row in rows], np.float64),
            "temperature_c": np.array([row[3] for row in rows], np.float64),
        },
        np.full(len(rows), VALID_US),
    )
    return [(flat_s[channel] / 60).tolist() for channel in ("voltage_v", "temperature_c")], tracker.stored()


def sweeps(minutes: int, batteries: int = 6, *, frozen: int | None = 2, seed: int = 1) -> list[Row]:
    dice = np.random.default_rng(seed)
    noise = np.round(dice.normal(0, 0.02, (minutes, batteries)), 2)
    return [
        (battery, minute, 13.62 if battery == frozen else 13.6 + noise[minute, battery], 25.0)
        for minute in range(minutes)
        for battery in range(batteries)
    ]


def test_a_battery_that_stands_still_while_the_others_move_is_named_and_the_others_are_not() -> None:
    rows = sweeps(90)
    (voltage, temperature), _ = follow(rows)
    latest = dict(zip([row[0] for row in rows], voltage, strict=True))
    assert latest[2] == 89
    assert {latest[battery] for battery in (0, 1, 3, 4, 5)} == {0}
    # Nobody's temperature moves, so nothing is expected of any.
    assert set(temperature) == {0}


def test_it_takes_twenty_expected_changes() -> None:
    rows = [
        (battery, minute, 13.6 if battery == 0 else 13 + minute / 100, 25.0)
        for minute in range(30)
        for battery in range(4)
    ]
    (voltage, _), _ = follow(rows)
    flat = [minute for (battery, minute, *_), lasted in zip(rows, voltage, strict=True) if battery == 0 and lasted > 0]
    assert flat == list(range(20, 30))


def test_a_healthy_string_of_coarse_meters_has_no_flat_lines() -> None:
    dice = np.random.default_rng(3)
    level = 13.6 + 0.05 * np.sin(np.arange(2000) / 100)
    rows = [
        (battery, minute, float(np.round(level[minute] + dice.normal(0, 0.01), 1)), 25.0)
        for minute in range(2000)
        for battery in range(6)
    ]
    (voltage, _), _ = follow(rows)
    assert set(voltage) == {0}


def test_a_value_that_moves_again_ends_the_line() -> None:
    rows = [*sweeps(60), *[(battery, 60, 13.55, 25.0) for battery in range(6)]]
    (voltage, _), _ = follow(rows)
    assert voltage[-6:] == [0] * 6


def test_neighbours_that_are_gone_prove_nothing() -> None:
    # After ten minutes only the still battery goes on, and what the others did before they fell silent is over.
    rows = [*sweeps(10), *[(2, minute, 13.62, 25.0) for minute in range(16, 300)]]
    (voltage, _), _ = follow(rows)
    assert set(voltage[60:]) == {0}


def test_a_reading_without_the_channel_leaves_it_as_it_was() -> None:
    rows = [*sweeps(60), (2, 60, NAN, NAN), (2, 61, 13.62, 25.0)]
    (voltage, _), _ = follow(rows)
    assert np.isnan(voltage[-2])
    assert voltage[-1] == 61


def test_an_unreadable_memory_starts_over() -> None:
    (voltage, _), stored = follow(sweeps(5), [b"of another version"])
    assert set(voltage) == {0}
    assert stored[0]


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.lists(st.integers(1, 40), min_size=1, max_size=30), st.booleans())
def test_the_cut_into_batches_does_not_change_the_lines(seed: int, sizes: list[int], alone: bool) -> None:
    dice = np.random.default_rng(seed)
    rows = [row for row in sweeps(40, 5, seed=seed % 1000) if dice.random() > 0.2]
    if alone:
        # Each module reports at a moment of its own.
        rows = [(battery, minute * 10 + battery, voltage, celsius) for battery, minute, voltage, celsius in rows]
    whole, kept = follow(rows)
    parts: list[list[float]] = [[], []]
    stored: Sequence[bytes | None] = [None]
    begin = 0
    for size in [*sizes, len(rows)]:
        end = begin + size
        # All readings of an instant are judged together.
        while begin < end < len(rows) and rows[end][1] == rows[end - 1][1]:
            end += 1
        if rows[begin:end]:
            flat, stored = follow(rows[begin:end], stored)
            parts = [part + more for part, more in zip(parts, flat, strict=True)]
        begin = end
    assert parts[0] == pytest.approx(whole[0], nan_ok=True)
    assert stored == kept
