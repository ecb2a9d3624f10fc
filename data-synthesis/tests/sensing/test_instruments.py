"""Ohmic instruments: errors that strings and locations share, and that change at an instant."""

import numpy as np
import pytest

from battery_synth.outside.locations import LOCATIONS
from battery_synth.sensing.instruments import Instruments

STRINGS = [f"DC-X-STR-{number}" for number in range(9)]
YEAR_US = 365.25 * 86_400e6


def _all(seeds: int = 40) -> list[Instruments]:
    return [Instruments.of(seed, each.code, STRINGS) for seed in range(seeds) for each in LOCATIONS]


def test_strings_read_two_to_four_percent_off() -> None:
    first = np.array([each.gain[0] for each in _all()])
    assert np.log(first).std() == pytest.approx(np.hypot(0.025, 0.02), rel=0.1)
    assert np.abs(first - 1.0).max() < 0.15
    # Strings of one location err together, those of two do not.
    assert np.log(first).mean(axis=1).std() > 0.8 * 0.025


def test_each_location_changes_its_instruments_once_in_several_years() -> None:
    gaps = np.concatenate([np.diff(each.change_us) / YEAR_US for each in _all()])
    assert 1.99 < gaps.min() < gaps.max() < 8.01
    assert gaps.mean() == pytest.approx(5.0, rel=0.1)


def test_a_firmware_steps_all_strings_alike_and_a_new_instrument_each_by_itself() -> None:
    steps = np.concatenate([np.diff(np.log(each.gain), axis=0) for each in _all()])
    is_common = np.ptp(steps, axis=1) < 1e-9
    assert is_common.mean() == pytest.approx(0.5, abs=0.05)
    size = np.abs(steps[is_common, 0])
    assert 0.0149 < size.min() < size.max() < 0.0501
    assert np.abs(np.concatenate([np.log(each.gain).mean(axis=1) for each in _all()])).max() < 0.14


def test_instruments_belong_to_names_and_seed() -> None:
    whole, part = (Instruments.of(3, "DC-CNX-01", names) for names in (STRINGS, STRINGS[4:6]))
    np.testing.assert_array_equal(whole.gain[:, 4:6], part.gain)
    np.testing.assert_array_equal(whole.change_us, part.change_us)
    assert not np.array_equal(whole.gain, Instruments.of(4, "DC-CNX-01", STRINGS).gain)
