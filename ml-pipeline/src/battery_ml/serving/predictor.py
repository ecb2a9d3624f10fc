"""A version of the registry made ready to answer: quantiles, trust and reasons for many batteries in one call."""

from datetime import UTC, datetime
from typing import Final

import numpy as np
from catboost import CatBoost, CatBoostError, Pool

from battery_contracts.ml import Reason, RulPrediction
from battery_contracts.twin import Quantiles
from battery_ml.features.history import DailyHistory, FloatArray
from battery_ml.features.table import FeatureTable
from battery_ml.registry.errors import VersionUnusable
from battery_ml.registry.manifest import MODEL_FILE, Manifest
from battery_ml.registry.store import StoredModel
from battery_ml.serving.trust import Norms, Trust, judge

REASONS: Final = 4
_LEAST_EFFECT_DAYS = 1.0
_LONGEST_DAYS = 36_525.0
_QUANTILES = 3
_MEDIAN = 1


class Predictor:
    """Predict with one version; raises `VersionUnusable` when the version does not fit this service."""

    def __init__(self, stored: StoredModel, table: FeatureTable) -> None:
        self.manifest: Manifest = stored.manifest
        names = [feature.name for feature in self.manifest.features]
        strange = sorted(set(names) - set(table.names))
        if strange:
            raise self._unusable(f"needs features that this service does not have: {', '.join(strange)}")
        self._table = table
        self._columns = [table.names.index(name) for name in names]
        self._words = [table.features[column] for column in self._columns]
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
        """The version that answers."""
        return self.manifest.version

    def predict(self, history: DailyHistory) -> list[RulPrediction]:
        """Predict each battery of a history."""
        if not history.battery_ids:
            return []
        features = self._table.compute(history)[:, self._columns]
        features = np.where(np.isfinite(features), features, np.nan)
        trusts = judge(history, features, self._norms)
        pool = Pool(features, feature_names=list(self._norms.names))
        raw = np.sort(self._model.predict(pool), axis=1)
        effects = self._effects_days(pool, raw[:, _MEDIAN])
        days = self._days(raw, np.array([trust.widening for trust in trusts]))
        now = datetime.now(UTC)
        return [
            self._answer(battery_id, days[row], trusts[row], self._reasons(features[row], effects[row]), now)
            for row, battery_id in enumerate(history.battery_ids)
        ]

    def days_of(self, features: FloatArray) -> FloatArray:
        """Return calibrated quantiles (n, 3) in days of rows of all features, as served to input that is in order."""
        raw = np.sort(
            self._model.predict(Pool(features[:, self._columns], feature_names=list(self._norms.names))), axis=1
        )
        return self._days(raw, np.ones(len(features)))

    def _days(self, raw: FloatArray, widening: FloatArray) -> FloatArray:
        """Calibrate, widen around the median in the model's scale, and turn into days; p10 <= p50 <= p90 stays true."""
        conformal = self.manifest.conformal
        middle = raw[:, 1]
        below = np.maximum(middle - raw[:, 0] + conformal.below, 0.0) * widening
        above = np.maximum(raw[:, 2] - middle + conformal.above, 0.0) * widening
        return self._in_days(np.column_stack([middle - below, middle, middle + above]))

    def _in_days(self, raw: FloatArray) -> FloatArray:
        # The logarithm is clipped first: nothing overflows, whatever a model says.
        days = np.expm1(np.clip(raw, 0.0, 20.0)) if self.manifest.target == "log1p_days" else raw
        clipped: FloatArray = np.clip(days, 0.0, _LONGEST_DAYS)
        return clipped

    def _effects_days(self, pool: Pool, middle: FloatArray) -> FloatArray:
        """Turn SHAP values of the median into the days that the answer would change without each."""
        shap = self._model.get_feature_importance(pool, type="ShapValues")[:, _MEDIAN, :-1]
        effects: FloatArray = self._in_days(middle)[:, None] - self._in_days(middle[:, None] - shap)
        return effects

    def _reasons(self, row: FloatArray, effects: FloatArray) -> list[Reason]:
        strongest = np.argsort(-np.abs(effects), kind="stable")[:REASONS]
        return [self._reason(at, row[at], effects[at]) for at in strongest if abs(effects[at]) >= _LEAST_EFFECT_DAYS]

    def _reason(self, at: int, value: float, effect: float) -> Reason:
        norm = float(self._norms.median[at])
        words = self._words[at]
        return Reason(
            feature=words.name,
            effect_days=round(float(effect), 1),
            value=float(value) if np.isfinite(value) else None,
            fleet_norm=norm,
            sentence=f"{words.describe(value, norm)}: about {abs(effect):.0f} days {'less' if effect < 0 else 'more'}",
        )

    def _answer(
        self, battery_id: str, days: FloatArray, trust: Trust, reasons: list[Reason], now: datetime
    ) -> RulPrediction:
        withheld = trust.withheld_because is not None
        low, middle, high = (float(value) for value in days)
        return RulPrediction(
            battery_id=battery_id,
            rul_days=None if withheld else Quantiles(p10=low, p50=middle, p90=high),
            withheld_reason=trust.withheld_because,
            # How narrow the interval is: 1 for a point, 0 when its lower end is today.
            confidence=None if withheld else (1.0 - (high - low) / (high + low) if high > 0.0 else 1.0),
            reasons=[] if withheld else reasons,
            model_version=self.version,
            predicted_at=now,
            widened_because=trust.widened_because,
        )

    def _unusable(self, why: str) -> VersionUnusable:
        return VersionUnusable(f"{self.manifest.version} {why}")
