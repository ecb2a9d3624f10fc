"""A version of the registry, loaded: quantiles, trust and reasons for many batteries in one call."""

from datetime import UTC, datetime
from typing import Final

import numpy as np
from catboost import CatBoost, CatBoostError, Pool

from battery_contracts.ml import Reason, RulPrediction
from battery_contracts.twin import Quantiles
from battery_ml.arrays import FloatArray
from battery_ml.features.history import DailyHistory
from battery_ml.features.table import FeatureTable
from battery_ml.registry.errors import VersionUnusable
from battery_ml.registry.manifest import MODEL_FILE, ModelManifest
from battery_ml.registry.store import StoredModel
from battery_ml.serving.trust import Norms, Trust, assess

REASONS: Final = 4
_MIN_EFFECT_DAYS = 1.0
_MAX_DAYS = 36_525.0
_QUANTILES = 3
_MEDIAN = 1


class Predictor:
    """Predict with one version.

    Raises
    ------
    VersionUnusable
        The model file cannot be read, or does not match its manifest or this service's features.
    """

    def __init__(self, stored: StoredModel, table: FeatureTable) -> None:
        self.manifest: ModelManifest = stored.manifest
        names = [feature.name for feature in self.manifest.features]
        unknown = sorted(set(names) - set(table.names))
        if unknown:
            raise self._unusable(f"needs features that this service does not have: {', '.join(unknown)}")
        self._table = table
        self._columns = [table.names.index(name) for name in names]
        self._features = [table.features[column] for column in self._columns]
        self._norms = Norms.of(self.manifest.features)
        self._model = CatBoost()
        try:
            self._model.load_model(blob=stored.files[MODEL_FILE])
        except CatBoostError as broken:
            raise self._unusable(f"has a model file that cannot be read: {broken}") from broken
        if list(self._model.feature_names_) != names:
            raise self._unusable("has a model whose features are not those of its manifest")
        if np.shape(self._model.predict(np.full((1, len(names)), np.nan))) != (1, _QUANTILES):
            raise self._unusable("has a model that does not give three quantiles")

    @property
    def version(self) -> str:
        """Name of the version."""
        return self.manifest.version

    def predict(self, history: DailyHistory) -> list[RulPrediction]:
        """Predict the remaining life of each battery at the end of a history, in its order."""
        if not history.battery_ids:
            return []
        features = self._table.compute(history)[:, self._columns]
        features = np.where(np.isfinite(features), features, np.nan)
        trusts = assess(history, features, self._norms)
        pool = self._pool(features)
        quantiles = np.sort(self._model.predict(pool), axis=1)
        effects = self._effects_days(pool, quantiles[:, _MEDIAN])
        quantiles = self._cautious(features, quantiles)
        days = self._days(quantiles, np.array([trust.widening for trust in trusts]))
        now = datetime.now(UTC)
        return [
            self._prediction(battery_id, days[row], trusts[row], self._reasons(features[row], effects[row]), now)
            for row, battery_id in enumerate(history.battery_ids)
        ]

    def days_of(self, features: FloatArray) -> FloatArray:
        """Return calibrated quantiles in days (n, 3), never widened, for rows of all features of the table."""
        quantiles = np.sort(self._model.predict(self._pool(features[:, self._columns])), axis=1)
        return self._days(quantiles, np.ones(len(features)))

    def days_at_end(self, history: DailyHistory) -> FloatArray:
        """Return calibrated quantiles in days (batteries, 3) at the end of a history, whatever the trust in it."""
        return self.days_of(self._table.compute(history))

    def _cautious(self, features: FloatArray, quantiles: FloatArray) -> FloatArray:
        """Return quantiles (n, 3) that an unknown input never lengthens.

        The model learned what it predicts without a feature from batteries that lacked it for other reasons. So where
        one is unknown that most of the training fleet has, the median is at most that with its usual value, and P10
        that with the least favourable value that is still familiar.
        """
        is_missing, values = self._norms.missing(features), [self._norms.median, *self._norms.plausible()]
        lowered = quantiles.copy()
        for column in np.flatnonzero(is_missing.any(axis=0)).tolist():
            rows = np.flatnonzero(is_missing[:, column])
            shorter = []
            for value in values:
                filled = features[rows].copy()
                filled[:, column] = value[column]
                shorter.append(
                    np.minimum(np.sort(self._model.predict(self._pool(filled)), axis=1) - quantiles[rows], 0.0)
                )
            lowered[rows, 0] += np.min(shorter, axis=0)[:, 0]
            lowered[rows, _MEDIAN] += shorter[0][:, _MEDIAN]
        return np.sort(lowered, axis=1)

    def _pool(self, features: FloatArray) -> Pool:
        return Pool(features, feature_names=list(self._norms.names))

    def _days(self, quantiles: FloatArray, widening: FloatArray) -> FloatArray:
        """Calibrate, widen around the median in the model's scale, convert to days; keeps P10 <= P50 <= P90."""
        conformal = self.manifest.conformal
        middle = quantiles[:, _MEDIAN]
        below = np.maximum(middle - quantiles[:, 0] + conformal.below, 0.0) * widening
        above = np.maximum(quantiles[:, 2] - middle + conformal.above, 0.0) * widening
        return self._in_days(np.column_stack([middle - below, middle, middle + above]))

    def _in_days(self, target: FloatArray) -> FloatArray:
        # The logarithm is clipped first, so that no model output can overflow.
        days = np.expm1(np.clip(target, 0.0, 20.0)) if self.manifest.target == "log1p_days" else target
        clipped: FloatArray = np.clip(days, 0.0, _MAX_DAYS)
        return clipped

    def _effects_days(self, pool: Pool, middle: FloatArray) -> FloatArray:
        """Convert SHAP values of the median to days (n, features): the prediction minus that without the feature."""
        shap = self._model.get_feature_importance(pool, type="ShapValues")[:, _MEDIAN, :-1]
        effects: FloatArray = self._in_days(middle)[:, None] - self._in_days(middle[:, None] - shap)
        return effects

    def _reasons(self, values: FloatArray, effects: FloatArray) -> list[Reason]:
        strongest = np.argsort(-np.abs(effects), kind="stable")[:REASONS]
        return [
            self._reason(index, values[index], effects[index])
            for index in strongest
            if abs(effects[index]) >= _MIN_EFFECT_DAYS
        ]

    def _reason(self, index: int, value: float, effect: float) -> Reason:
        norm = float(self._norms.median[index])
        feature = self._features[index]
        direction = "less" if effect < 0 else "more"
        return Reason(
            feature=feature.name,
            effect_days=round(float(effect), 1),
            value=float(value) if np.isfinite(value) else None,
            fleet_norm=norm,
            sentence=f"{feature.describe(value, norm)}: about {abs(effect):.0f} days {direction}",
        )

    def _prediction(
        self, battery_id: str, days: FloatArray, trust: Trust, reasons: list[Reason], now: datetime
    ) -> RulPrediction:
        is_withheld = trust.withheld_because is not None
        low, middle, high = (float(value) for value in days)
        return RulPrediction(
            battery_id=battery_id,
            rul_days=None if is_withheld else Quantiles(p10=low, p50=middle, p90=high),
            withheld_reason=trust.withheld_because,
            # How narrow the interval is: 1 for a point, 0 when its lower end is today.
            confidence=None if is_withheld else (1.0 - (high - low) / (high + low) if high > 0.0 else 1.0),
            reasons=[] if is_withheld else reasons,
            model_version=self.version,
            predicted_at=now,
            widened_because=trust.widened_because,
        )

    def _unusable(self, why: str) -> VersionUnusable:
        return VersionUnusable(f"{self.manifest.version} {why}")
