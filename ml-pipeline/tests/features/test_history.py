"""Columns and shapes that a history accepts."""

import numpy as np
import pytest

from battery_contracts.ml import DAILY_COLUMNS
from battery_ml.features.history import DailyHistory, TruthRefused, UnknownColumn


def history(columns: dict[str, tuple[int, ...]], batteries: int = 2) -> DailyHistory:
    facts = np.full(batteries, 100.0)
    days = {name: np.zeros(shape) for name, shape in columns.items()}
    return DailyHistory(("A", "B"), ("S", "S"), days, facts, facts, facts, facts)


@pytest.mark.parametrize("name", ["soh_pct", "days_to_end", "truth_capacity_ah", "truth/daily"])
def test_planted_truth_is_refused_by_name(name: str) -> None:
    with pytest.raises(TruthRefused, match=name):
        history({"voltage_mean_v": (2, 3), name: (2, 3)})


def test_an_unknown_column_is_refused_by_name() -> None:
    with pytest.raises(UnknownColumn, match="colour"):
        history({"colour": (2, 3)})


@pytest.mark.parametrize("shape", [(3, 3), (2, 4), (2,)])
def test_arrays_must_fit(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="other shapes"):
        history({"voltage_mean_v": (2, 3), "discharge_ah": shape})


def test_every_named_column_may_enter() -> None:
    assert set(history(dict.fromkeys(DAILY_COLUMNS, (2, 3))).days) == set(DAILY_COLUMNS)
