"""The reasons of a prediction in words: the inputs that move it most, beside the fleet's."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from battery_contracts.ml import Reason
from battery_ml.arrays import FloatArray
from battery_ml.features.table import Feature

REASONS: Final = 4
_MIN_EFFECT_DAYS: Final = 1.0


def reasons_of(
    features: Sequence[Feature], values: FloatArray, norms: FloatArray, effects_days: FloatArray
) -> list[Reason]:
    """Return the strongest reasons of one battery, strongest first.

    Parameters
    ----------
    features, values, norms, effects_days
        Of each input: its wording, its value (NaN where unknown), the fleet's median, and the days by which it moves
        the prediction, (features,) each.
    """
    strongest = np.argsort(-np.abs(effects_days), kind="stable")[:REASONS]
    return [
        _reason(features[index], values[index], float(norms[index]), float(effects_days[index]))
        for index in strongest.tolist()
        if abs(effects_days[index]) >= _MIN_EFFECT_DAYS
    ]


def _reason(feature: Feature, value: float, norm: float, effect_days: float) -> Reason:
    direction = "less" if effect_days < 0 else "more"
    return Reason(
        feature=feature.name,
        effect_days=round(effect_days, 1),
        value=float(value) if np.isfinite(value) else None,
        fleet_norm=norm,
        sentence=f"{feature.describe(value, norm)}: about {abs(effect_days):.0f} days {direction}",
    )
