"""Days that are no evidence of a battery: those of another one in its position, and those on which nothing moved."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from battery_ml.arrays import FloatArray
from battery_ml.features.definition import FEATURES
from battery_ml.features.evidence import OWN_COLUMNS, is_before_installation, is_frozen
from battery_ml.features.history import DailyHistory
from tests.support.tiny_model import fleet

WIDTH = 800


def of_one(voltage_v: FloatArray, **others: FloatArray) -> DailyHistory:
    columns = {"voltage_mean_v": voltage_v} | others
    one = np.ones(1)
    return DailyHistory(
        ("B",), ("S",), {name: np.atleast_2d(one_) for name, one_ in columns.items()}, one, one, one, one
    )


def with_days(history: DailyHistory, change: dict[str, FloatArray]) -> DailyHistory:
    return replace(history, days=dict(history.days) | change)


def test_a_history_that_moves_is_evidence() -> None:
    assert not is_frozen(fleet(24, seed=1)).any()


@given(begin=st.integers(0, 60), length=st.integers(1, 40))
@settings(max_examples=60, deadline=None)
def test_repeated_days_count_from_the_second_on_if_they_last(begin: int, length: int) -> None:
    voltage_v = 13.6 + 0.001 * np.arange(120.0)
    voltage_v[begin : begin + length] = voltage_v[begin]
    marks = is_frozen(of_one(voltage_v))[0]
    expected = np.zeros(120, np.bool_)
    if length - 1 >= 3:
        expected[begin + 1 : begin + length] = True
    assert marks.tolist() == expected.tolist()


def test_a_silent_battery_is_not_frozen() -> None:
    assert not is_frozen(of_one(np.full(50, np.nan))).any()


def test_one_moving_channel_is_enough() -> None:
    temperature_c = 25.0 + 0.01 * np.arange(50.0)
    assert not is_frozen(of_one(np.full(50, 13.6), temperature_mean_c=temperature_c)).any()
    assert is_frozen(of_one(np.full(50, 13.6), temperature_mean_c=np.full(50, 25.0)))[0, 1:].all()


def test_frozen_days_change_no_feature_of_what_was_read_before() -> None:
    moving = fleet(24, seed=2)
    until = WIDTH - 20
    frozen = {
        name: np.where(np.arange(WIDTH) > until, values[:, [until]], values) for name, values in moving.days.items()
    }
    silent = {
        name: np.where((np.arange(WIDTH) > until) & (name in OWN_COLUMNS), np.nan, values)
        for name, values in frozen.items()
    }
    of_frozen, of_silent = (FEATURES.compute(with_days(moving, change)) for change in (frozen, silent))
    np.testing.assert_array_equal(of_frozen, of_silent)


def test_the_days_of_an_earlier_battery_change_nothing() -> None:
    history = fleet(24, seed=3)
    history = replace(history, age_days=np.full(24, 200.0))
    before = is_before_installation(history)
    assert before.sum(axis=1).tolist() == [WIDTH - 201] * 24
    other = {name: np.where(before, 0.5 * values, values) for name, values in history.days.items()}
    np.testing.assert_array_equal(FEATURES.compute(history), FEATURES.compute(with_days(history, other)))


@pytest.mark.parametrize("age_days", [np.nan, 5000.0])
def test_an_unknown_or_greater_age_removes_no_day(age_days: float) -> None:
    assert not is_before_installation(replace(fleet(24, seed=4), age_days=np.full(24, age_days))).any()
