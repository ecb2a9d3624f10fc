"""A prediction for a fixed history, by which readiness tests the model in service."""

from typing import Final

import numpy as np
from catboost import CatBoostError

from battery_ml.features.days import HISTORY_DAYS
from battery_ml.features.history import DailyHistory
from battery_ml.serving.predictor import Predictor

PREDICTION_FAILED: Final = "champion_prediction_failed"
"""Readiness reason: the model raised an error."""
PREDICTION_INVALID: Final = "champion_prediction_invalid"
"""Readiness reason: the quantiles are not finite, negative, or out of order."""
_BATTERIES: Final = 4


def probe_history() -> DailyHistory:
    """Return the history of one healthy string: four batteries, five years old, at 25 °C, one test per year."""
    day = np.arange(HISTORY_DAYS, dtype=np.float64)
    is_test = day % 365.0 == 180.0
    string = np.arange(_BATTERIES, dtype=np.float64)[:, None]
    columns = {
        "voltage_mean_v": 13.6 + 0.01 * string,
        "voltage_deviation_v": 0.01 * (string - 1.5),
        "string_spread_v": 0.02,
        "temperature_mean_c": 25.0,
        "temperature_min_c": 24.0,
        "temperature_max_c": 26.0,
        "hours_above_30c": 0.0,
        "hours_above_35c": 0.0,
        "temperature_rise_k": 1.0,
        "resistance_25c_mohm": 4.2 + 0.0002 * day + 0.02 * string,
        "float_current_ma": 60.0,
        "discharge_count": is_test.astype(np.float64),
        "discharge_s": np.where(is_test, 3600.0, 0.0),
        "discharge_ah": np.where(is_test, 40.0, 0.0),
        "discharge_min_v": np.where(is_test, 12.2 - 0.01 * string, np.nan),
    }
    shape = (_BATTERIES, HISTORY_DAYS)
    return DailyHistory(
        battery_ids=tuple(f"PROBE-{number}" for number in range(1, _BATTERIES + 1)),
        string_ids=("PROBE",) * _BATTERIES,
        days={name: np.broadcast_to(np.asarray(values), shape).copy() for name, values in columns.items()},
        age_days=np.full(_BATTERIES, 5.0 * 365.25),
        rated_ah=np.full(_BATTERIES, 100.0),
        design_life_years=np.full(_BATTERIES, 10.0),
        baseline_resistance_mohm=np.full(_BATTERIES, 4.0),
    )


def fault_of(predictor: Predictor, history: DailyHistory) -> str | None:
    """Predict a history; return the reason code of a failure, None if the predictions are sound.

    Trust is left aside: a fleet that differs from the history makes a sound model withhold, which is no fault.
    """
    try:
        days = predictor.days_at_end(history)
        if not (np.isfinite(days).all() and (days >= 0.0).all() and (np.diff(days, axis=1) >= 0.0).all()):
            return PREDICTION_INVALID
        predictor.predict(history)
    except (CatBoostError, ArithmeticError, ValueError):
        return PREDICTION_FAILED
    return None
