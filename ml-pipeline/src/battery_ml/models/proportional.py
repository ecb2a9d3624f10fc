"""Proportional hazards (Cox, *J. R. Stat. Soc. B* 34, 1972): the linear model that a boosted one has to beat."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Final

import numpy as np

from battery_ml.arrays import FloatArray
from battery_ml.models.kinds import ModelInvalid, days_of_log_hazard
from battery_ml.survival.curves import SurvivalCurves

COX_FILE: Final = "cox.json"
_MAX_SCALED: Final = 5.0


@dataclass(frozen=True, slots=True)
class CoxCoefficients:
    """Coefficients of scaled features and of the marks of unknown ones, and the baseline's cumulative hazard.

    ``centre`` and ``scale`` (features,) are the median and the spread of the training fleet; an unknown feature counts
    as the median and adds its coefficient of ``unknown``.
    """

    feature_names: list[str]
    centre: list[float]
    scale: list[float]
    known: list[float]
    unknown: list[float]
    edges_days: list[float]
    baseline_hazard: list[float]

    def scaled(self, features: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return features (n, features) in the scale of the coefficients, 0 where unknown, and the marks of unknown."""
        is_unknown = ~np.isfinite(features)
        scaled = (np.where(is_unknown, 0.0, features - np.asarray(self.centre))) / np.asarray(self.scale)
        return np.clip(np.where(is_unknown, 0.0, scaled), -_MAX_SCALED, _MAX_SCALED), is_unknown.astype(np.float64)


class ProportionalModel:
    """Survival curves of a Cox model."""

    def __init__(self, coefficients: CoxCoefficients) -> None:
        self._coefficients = coefficients
        self.feature_names = tuple(coefficients.feature_names)

    @classmethod
    def read(cls, files: Mapping[str, bytes]) -> "ProportionalModel":
        """Read it from the files of a version; raises `ModelInvalid`."""
        try:
            return cls(CoxCoefficients(**json.loads(files[COX_FILE])))
        except (KeyError, TypeError, ValueError) as broken:
            raise ModelInvalid(f"has no readable {COX_FILE}") from broken

    def files(self) -> Mapping[str, bytes]:
        """Return its file."""
        return {COX_FILE: json.dumps(asdict(self._coefficients)).encode()}

    def curves(self, features: FloatArray) -> SurvivalCurves:
        """Return the survival curve of each row."""
        risk = np.exp(self._effects(features).sum(axis=1))
        hazard = np.asarray(self._coefficients.baseline_hazard)[None, :] * risk[:, None]
        return SurvivalCurves(np.asarray(self._coefficients.edges_days), hazard)

    def effects_days(self, features: FloatArray, curves: SurvivalCurves) -> FloatArray:
        """Return the days (n, features) by which each input moves the median, against the fleet's median input."""
        return days_of_log_hazard(curves, self._effects(features))

    def _effects(self, features: FloatArray) -> FloatArray:
        scaled, is_unknown = self._coefficients.scaled(features)
        known, unknown = np.asarray(self._coefficients.known), np.asarray(self._coefficients.unknown)
        effects: FloatArray = scaled * known + is_unknown * unknown
        return effects
