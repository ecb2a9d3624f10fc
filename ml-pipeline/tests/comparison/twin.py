"""The ageing law of the digital twin alone, on a sample of the judged snapshots."""

from typing import Final

import numpy as np

from battery_ml.evaluation.truth import JudgedSnapshots
from battery_ml.features.definition import FEATURES
from battery_twin.life.remaining import OperatingHistory, remaining_life

_SAMPLE: Final = 3000
_DESIGN_YEARS: Final = 10.0
_DAYS_PER_YEAR: Final = 365.25
_OLD_YEARS: Final = 2.0


def twin_errors(judged: JudgedSnapshots) -> dict[str, float]:
    """Return error, bias and coverage of the law with a battery's age, temperature and discharges, without any test."""
    snapshots = judged.snapshots
    rows = np.random.default_rng(1).permutation(len(snapshots))[:_SAMPLE]
    columns = {name: snapshots.features[rows, index].astype(float) for index, name in enumerate(FEATURES.names)}
    predicted = np.array([_predict(columns, row) for row in range(len(rows))])
    actual = snapshots.days_to_end[rows]
    error = np.abs(predicted[:, 1] - actual)
    old = columns["age_of_design_life"] * _DESIGN_YEARS > _OLD_YEARS
    return {
        "mae_days": float(error.mean()),
        "older_mae_days": float(error[old].mean()),
        "bias_days": float((predicted[:, 1] - actual).mean()),
        "coverage": float(((actual >= predicted[:, 0]) & (actual <= predicted[:, 2])).mean()),
    }


def _predict(
    columns: dict[str, "np.ndarray[tuple[int], np.dtype[np.float64]]"], row: int
) -> tuple[float, float, float]:
    age_days = columns["age_of_design_life"][row] * _DESIGN_YEARS * _DAYS_PER_YEAR
    temperature = columns["temperature_365d_c"][row]
    history = OperatingHistory(
        age_days=age_days,
        temperature_c=() if np.isnan(temperature) else (float(temperature),),
        days=() if np.isnan(temperature) else (float(age_days),),
    )
    remaining = remaining_life(history)
    return remaining.p10_days, remaining.p50_days, remaining.p90_days
