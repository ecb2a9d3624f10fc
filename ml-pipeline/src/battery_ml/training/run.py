"""From a training set to a version in the registry: model, calibration, metrics."""

import platform
from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256
from importlib.metadata import version as version_of
from typing import Final

import numpy as np

from battery_contracts.ml import FeatureNorm
from battery_ml.arrays import Float32Array
from battery_ml.datasets.snapshots import Snapshots
from battery_ml.evaluation.baselines import Baselines
from battery_ml.evaluation.score import Evaluation, as_degenerate_interval
from battery_ml.features.table import FeatureTable
from battery_ml.registry.manifest import ModelKind, ModelManifest
from battery_ml.registry.store import Registry, StoredModel
from battery_ml.serving.predictor import Predictor
from battery_ml.training.calibration import calibrated_levels
from battery_ml.training.fits.accelerated import fit_accelerated
from battery_ml.training.fits.boosting import TREES, LifeModelFit
from battery_ml.training.fits.hazard import fit_hazard, supported_edges_days
from battery_ml.training.fits.quantiles import fit_quantiles
from battery_ml.training.sets import ProgressCallback, TrainingSet
from battery_ml.training.split import Split

FITS: Final[Mapping[ModelKind, LifeModelFit]] = {
    ModelKind.HAZARD: fit_hazard,
    ModelKind.QUANTILES: fit_quantiles,
    ModelKind.ACCELERATED: fit_accelerated,
}
"""Kinds that this package trains; the others are for comparison."""
_MIN_KNOWN_SHARE: Final = 0.01
_PERCENTILES: Final = (5, 50, 95)
_DECILES: Final = tuple(range(10, 100, 10))


def train(
    training_set: TrainingSet,
    table: FeatureTable,
    *,
    seed: int,
    kind: ModelKind = ModelKind.HAZARD,
    fit: LifeModelFit | None = None,
    trees: int = TREES,
    progress: ProgressCallback = lambda _share, _step: None,
) -> StoredModel:
    """Train a version, ready for the registry, with its metrics on the test split.

    ``fit`` is that of a kind that is not in `FITS`.
    """
    training = training_set.of(Split.TRAINING)
    known_share = np.isfinite(training.features).mean(axis=0)
    kept = FeatureTable(
        tuple(feature for feature, share in zip(table.features, known_share, strict=True) if share >= _MIN_KNOWN_SHARE)
    )
    columns = [table.names.index(name) for name in kept.names]
    training = _only(training, columns)
    edges_days = supported_edges_days(training)
    validation = _only(training_set.of(Split.VALIDATION), columns)

    def report(share: float) -> None:
        progress(share, "trees")

    fitted = (fit or FITS[kind])(training, validation, kept.names, edges_days, seed=seed, trees=trees, progress=report)
    progress(1.0, "calibration")
    calibration = _only(training_set.of(Split.CALIBRATION), columns)
    files = dict(fitted.files())
    digest = sha256(b"".join(files[name] for name in sorted(files))).hexdigest()
    now = datetime.now(UTC)
    manifest = ModelManifest(
        version=f"{now:%Y%m%dT%H%M%S}-{digest[:8]}",
        created_at=now,
        kind=kind,
        edges_days=edges_days.tolist(),
        features=_norms(training.features, kept),
        levels=calibrated_levels(fitted.curves(calibration.features.astype(np.float64)), calibration),
        data_sha256=training_set.data_sha256,
        split=f"by string, {', '.join(f'{split.name.lower()} {training_set.strings(split)}' for split in Split)}",
        locations=list(training_set.locations),
        seed=seed,
        metrics={},
        library_versions=_libraries(),
        files={name: sha256(content).hexdigest() for name, content in files.items()},
    )
    metrics = _metrics(StoredModel(manifest, files), training_set, table)
    return StoredModel(manifest.model_copy(update={"metrics": metrics}), files)


def publish(stored: StoredModel, registry: Registry) -> str:
    """Put a version into the registry; return its name."""
    registry.publish(stored.manifest, stored.files)
    return stored.manifest.version


def _libraries() -> dict[str, str]:
    return {"python": platform.python_version()} | {name: version_of(name) for name in ("catboost", "numpy")}


def _only(snapshots: Snapshots, columns: list[int]) -> Snapshots:
    return snapshots.with_features(snapshots.features[:, columns])


def _norms(features: Float32Array, table: FeatureTable) -> list[FeatureNorm]:
    norms = []
    for name, column in zip(table.names, features.T.astype(np.float64), strict=True):
        finite = column[np.isfinite(column)]
        low, middle, high = np.percentile(finite, _PERCENTILES)
        deciles = [float(value) for value in np.percentile(finite, _DECILES)]
        share = len(finite) / len(column)
        norms.append(FeatureNorm(name=name, median=middle, p5=low, p95=high, known=share, deciles=deciles))
    return norms


def _metrics(stored: StoredModel, training_set: TrainingSet, table: FeatureTable) -> dict[str, float]:
    """Return the metrics of the manifest, on the test split."""
    test = training_set.of(Split.TEST)
    predicted = Predictor(stored, table).days_of(test.features.astype(np.float64))
    score = Evaluation.of(predicted, test, training_set.string_of_slot).score()
    baselines = Baselines.of(training_set.of(Split.TRAINING), table)
    baseline_errors = {
        f"baseline_{name}_mae_days": Evaluation.of(as_degenerate_interval(days), test, training_set.string_of_slot)
        .score()
        .mae_days
        for name, days in baselines.predict(test).items()
    }
    return {
        "mae_days": score.mae_days,
        "bias_days": score.bias_days,
        "coverage_p10_p90": score.coverage_p10_p90,
        "mean_width_days": score.mean_width_days,
        "censored_share": score.censored_share,
        "strings": float(score.strings),
        **baselines.facts(),
        **baseline_errors,
    }
