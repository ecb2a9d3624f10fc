"""A version of the registry, loaded: quantiles, trust and reasons for many batteries in one call."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import numpy as np
from catboost import CatBoostError

from battery_contracts.ml import Reason, RulBatchResponse, RulPrediction
from battery_contracts.twin import Quantiles
from battery_ml.arrays import FloatArray
from battery_ml.features.days import Days
from battery_ml.features.history import DailyHistory
from battery_ml.features.peers import QUANTITIES, PeerDeviation, peer_deviation
from battery_ml.features.table import FeatureTable
from battery_ml.models.kinds import ModelInvalid
from battery_ml.models.read import read_life_model
from battery_ml.registry.errors import VersionUnusable
from battery_ml.registry.manifest import ModelManifest
from battery_ml.registry.store import StoredModel
from battery_ml.serving.drift import drift_of
from battery_ml.serving.reasons import reasons_of
from battery_ml.serving.trust import Norms, Trust, assess
from battery_ml.survival.curves import SurvivalCurves

_MEDIAN: Final = 1
_UPPER: Final = 2
_ROUNDING: Final = 1e-9


@dataclass(frozen=True, slots=True)
class _Batch:
    """What was predicted of batteries (n,): quantiles in days (n, 3), trust, reasons, deviation from their strings."""

    days: FloatArray
    follow_up_days: FloatArray
    trusts: list[Trust]
    reasons: list[list[Reason]]
    peers: PeerDeviation
    predicted_at: datetime


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
        try:
            self._model = read_life_model(stored.manifest, stored.files)
            self._model.curves(np.full((1, len(self._model.feature_names)), np.nan))
        except (ModelInvalid, CatBoostError) as invalid:
            raise self._unusable(str(invalid)) from invalid
        if list(self._model.feature_names) != names:
            raise self._unusable("has a model whose features are not those of its manifest")

    @property
    def version(self) -> str:
        """Name of the version."""
        return self.manifest.version

    def predict(self, history: DailyHistory) -> list[RulPrediction]:
        """Predict the remaining life of each battery at the end of a history, in its order."""
        return self.respond(history).predictions

    def respond(self, history: DailyHistory) -> RulBatchResponse:
        """Predict as `predict` does, with the drift of the batteries against the training fleet."""
        if not history.battery_ids:
            return RulBatchResponse(model_version=self.version, predictions=[])
        days = Days(history)
        features = self._table.of_days(days)[:, self._columns]
        features = np.where(np.isfinite(features), features, np.nan)
        trusts = assess(history, features, self._norms)
        curves = self._model.curves(features)
        effects = self._model.effects_days(features, curves)
        cautious = self._cautious(features, self._quantiles(curves))
        batch = _Batch(
            days=_widened(cautious, np.array([trust.widening for trust in trusts]), curves.follow_up_days),
            follow_up_days=curves.follow_up_days,
            trusts=trusts,
            reasons=[
                reasons_of(self._features, values, self._norms.median, effect)
                for values, effect in zip(features, effects, strict=True)
            ],
            peers=peer_deviation(days),
            predicted_at=datetime.now(UTC),
        )
        return RulBatchResponse(
            model_version=self.version,
            predictions=[
                self._prediction(battery_id, batch, row) for row, battery_id in enumerate(history.battery_ids)
            ],
            drift=drift_of(self.manifest.features, features),
        )

    def curves_of(self, features: FloatArray) -> SurvivalCurves:
        """Return the survival curves of rows (n, features) of all features of the table, never widened."""
        return self._model.curves(features[:, self._columns])

    def days_of(self, features: FloatArray) -> FloatArray:
        """Return calibrated quantiles in days (n, 3), never widened, for rows of all features of the table."""
        return self._quantiles(self.curves_of(features))

    def days_at_end(self, history: DailyHistory) -> FloatArray:
        """Return calibrated quantiles in days (batteries, 3) at the end of a history, whatever the trust in it."""
        return self.days_of(self._table.compute(history))

    def _quantiles(self, curves: SurvivalCurves) -> FloatArray:
        return curves.quantiles_days(self.manifest.levels.ascending)

    def _cautious(self, features: FloatArray, quantiles: FloatArray) -> FloatArray:
        """Return quantiles (n, 3) in days that an unknown input never lengthens.

        The model learned what it predicts without a feature from batteries that lacked it for other reasons. So where
        some are unknown that most of the training fleet has, P10 and the median are at most those of a battery with the
        usual values; P10 is shorter by what the least favourable value that is still familiar takes off, for each.
        """
        is_missing = self._norms.missing(features)
        rows = np.flatnonzero(is_missing.any(axis=1))
        if not len(rows):
            return quantiles
        usual = np.where(is_missing[rows], self._norms.median, features[rows])
        of_usual = np.log1p(self._quantiles(self._model.curves(usual)))
        logarithm = np.log1p(quantiles)
        logarithm[rows, :_UPPER] = np.minimum(logarithm[rows, :_UPPER], of_usual[:, :_UPPER])
        for column in np.flatnonzero(is_missing.any(axis=0)).tolist():
            among = np.flatnonzero(is_missing[rows, column])
            logarithm[rows[among], 0] -= self._at_worst(usual[among], of_usual[among, 0], column)
        days: FloatArray = np.sort(np.maximum(np.expm1(logarithm), 0.0), axis=1)
        return days

    def _at_worst(self, usual: FloatArray, p10_log: FloatArray, column: int) -> FloatArray:
        """Return by how much the logarithm of P10 (n,) falls at the least favourable familiar value of one input."""
        fall = np.zeros(len(usual))
        for value in self._norms.plausible():
            filled = usual.copy()
            filled[:, column] = value[column]
            fall = np.maximum(fall, p10_log - np.log1p(self._quantiles(self._model.curves(filled))[:, 0]))
        return fall

    def _prediction(self, battery_id: str, batch: _Batch, row: int) -> RulPrediction:
        trust, deviation = batch.trusts[row], float(batch.peers.sd[row])
        is_withheld, is_compared = trust.withheld_because is not None, np.isfinite(deviation)
        low, middle, high = (float(value) for value in batch.days[row])
        return RulPrediction(
            battery_id=battery_id,
            rul_days=None if is_withheld else Quantiles(p10=low, p50=middle, p90=high),
            withheld_reason=trust.withheld_because,
            # How narrow the interval is: 1 for a point, 0 when its lower end is today.
            confidence=None if is_withheld else (1.0 - (high - low) / (high + low) if high > 0.0 else 1.0),
            follow_up_days=None if is_withheld else float(batch.follow_up_days[row]),
            peer_deviation=round(deviation, 2) if is_compared else None,
            peer_deviation_of=QUANTITIES[int(batch.peers.largest_of[row])] if is_compared else None,
            reasons=[] if is_withheld else batch.reasons[row],
            model_version=self.version,
            predicted_at=batch.predicted_at,
            widened_because=trust.widened_because,
        )

    def _unusable(self, why: str) -> VersionUnusable:
        return VersionUnusable(f"{self.manifest.version} {why}")


def _widened(days: FloatArray, widening: FloatArray, follow_up_days: FloatArray) -> FloatArray:
    """Widen quantiles (n, 3) around their median, in the logarithm; nothing is said of days beyond the follow-up.

    An upper end at the follow-up stays there: it means "longer than".
    """
    logarithm = np.log1p(days)
    middle = logarithm[:, _MEDIAN]
    low = middle - (middle - logarithm[:, 0]) * widening
    high = middle + (logarithm[:, 2] - middle) * widening
    widened = np.maximum(np.expm1(np.maximum(np.column_stack([low, middle, high]), 0.0)), 0.0)
    # To the very number, so that "longer than" is distinct from a day just before.
    limit = follow_up_days[:, None]
    return np.where(widened >= limit * (1.0 - _ROUNDING), limit, widened)
