"""From requests to the daily history that features are computed from."""

from collections.abc import Sequence

import numpy as np

from battery_contracts.ml import RulBatchRequest, RulRequest
from battery_ml.arrays import FloatArray
from battery_ml.features.history import DailyHistory


def history_of_batch(request: RulBatchRequest) -> DailyHistory:
    """Unpack the daily columns of a batch; infinite values become NaN.

    Raises
    ------
    ValueError
        A column is unknown, or is truth.
    """
    shape = (len(request.battery_id), request.days)
    return DailyHistory(
        battery_ids=tuple(request.battery_id),
        string_ids=tuple(request.string_id),
        days={name: _finite(np.frombuffer(packed, "<f4").reshape(shape)) for name, packed in request.daily.items()},
        age_days=_column(request.age_days),
        rated_ah=_column(request.rated_ah),
        design_life_years=_column(request.design_life_years),
        baseline_resistance_mohm=_column(request.baseline_resistance_mohm or [None] * shape[0]),
    )


def history_of_one(request: RulRequest) -> DailyHistory:
    """Read the daily columns of one battery; None and infinite values become NaN.

    Raises
    ------
    ValueError
        A column is unknown, or is truth.
    """
    return DailyHistory(
        battery_ids=(request.battery_id,),
        string_ids=(request.string_id,),
        days={name: _column(values)[None, :] for name, values in request.daily.items()},
        age_days=_column([request.age_days]),
        rated_ah=_column([request.rated_ah]),
        design_life_years=_column([request.design_life_years]),
        baseline_resistance_mohm=_column([request.baseline_resistance_mohm]),
    )


def _column(values: Sequence[float | None]) -> FloatArray:
    return _finite(np.array([np.nan if value is None else value for value in values], dtype=np.float64))


def _finite(values: np.ndarray[tuple[int, ...], np.dtype[np.floating]]) -> FloatArray:
    # Infinity is no measurement.
    return np.where(np.isfinite(values), values, np.nan).astype(np.float64)
