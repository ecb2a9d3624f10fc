"""From a dataset to a version in the registry: snapshots, split, model, calibration, metrics."""

import os
import platform
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from importlib.metadata import version as version_of
from typing import Final

import numpy as np

from battery_contracts.ml import FeatureNorm
from battery_ml.arrays import Float32Array, IntArray
from battery_ml.datasets.folder import DatasetRefused, LifeDataset
from battery_ml.datasets.snapshots import Snapshots, take_snapshots
from battery_ml.evaluation.baselines import Baselines
from battery_ml.evaluation.score import Evaluation, as_degenerate_interval
from battery_ml.features.table import FeatureTable
from battery_ml.registry.manifest import MODEL_FILE, ModelManifest
from battery_ml.registry.store import Registry, StoredModel
from battery_ml.serving.predictor import Predictor
from battery_ml.training.conformal import calibrate
from battery_ml.training.fit import TREES, fit
from battery_ml.training.split import Split, splits_of_batteries

SNAPSHOTS_EVERY_DAYS: Final = 45
_MIN_KNOWN_SHARE: Final = 0.01
_MIN_FAILURES: Final = 50
_PERCENTILES: Final = (5, 50, 95)
_DECILES: Final = tuple(range(10, 100, 10))

ProgressCallback = Callable[[float, str], None]
"""Called with the finished share, 0 to 1, and the step under way."""


@dataclass(frozen=True, slots=True)
class TrainingSet:
    """A dataset as snapshots, each in one split."""

    data: LifeDataset
    snapshots: Snapshots
    splits: IntArray
    """Of each battery of the catalogue, (batteries,)."""
    locations: tuple[str, ...]

    def of(self, split: Split) -> Snapshots:
        """Return the snapshots of a split."""
        return self.snapshots.where(self.splits[self.snapshots.battery_slot] == split)


def prepare(
    data: LifeDataset,
    table: FeatureTable,
    *,
    seed: int,
    without_locations: Sequence[str] = (),
    progress: ProgressCallback = lambda _share, _step: None,
) -> TrainingSet:
    """Take snapshots of the lives to train on and split them.

    Raises
    ------
    DatasetRefused
        A location to leave out does not exist, or there are too few strings or failures.
    """
    unknown = sorted(set(without_locations) - set(data.location_ids))
    if unknown:
        raise DatasetRefused(f"{data.folder} has no location {', '.join(unknown)} to leave out")
    locations = tuple(sorted(set(data.location_ids) - set(without_locations)))
    splits = splits_of_batteries(data, frozenset(locations), seed)
    snapshots = take_snapshots(
        data,
        table,
        every_days=SNAPSHOTS_EVERY_DAYS,
        locations=locations,
        workers=min(2, os.cpu_count() or 1),
        progress=lambda done, of: progress(done / of, f"features, part {done} of {of}"),
    )
    training_set = TrainingSet(data, snapshots, splits, locations)
    for split in Split:
        part = training_set.of(split)
        failures = len(np.unique(np.column_stack([part.battery_slot, part.generation])[~part.is_censored], axis=0))
        if failures < _MIN_FAILURES // len(Split):
            raise DatasetRefused(
                f"{data.folder}: {failures} failed batteries are too few for the {split.name.lower()} split; "
                "generate more strings or more years"
            )
    return training_set


def train(
    training_set: TrainingSet,
    table: FeatureTable,
    *,
    seed: int,
    trees: int = TREES,
    progress: ProgressCallback = lambda _share, _step: None,
) -> StoredModel:
    """Train a version, ready for the registry, with its metrics on the test split."""
    training = training_set.of(Split.TRAINING)
    known_share = np.isfinite(training.features).mean(axis=0)
    kept = FeatureTable(
        tuple(feature for feature, share in zip(table.features, known_share, strict=True) if share >= _MIN_KNOWN_SHARE)
    )
    columns = [table.names.index(name) for name in kept.names]
    model = fit(
        _only(training, columns),
        _only(training_set.of(Split.VALIDATION), columns),
        kept,
        seed=seed,
        trees=trees,
        progress=lambda share: progress(share, "trees"),
    )
    progress(1.0, "calibration")
    calibration = training_set.of(Split.CALIBRATION)
    quantiles = np.sort(np.asarray(model.predict(calibration.features[:, columns])), axis=1)
    content = bytes(model._serialize_model())  # noqa: SLF001  # the only way to bytes without a file
    manifest = ModelManifest(
        version=f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{sha256(content).hexdigest()[:8]}",
        created_at=datetime.now(UTC),
        target="log1p_days",
        features=_norms(training.features[:, columns], kept),
        conformal=calibrate(quantiles, calibration),
        data_sha256=training_set.data.sha256,
        split=f"by string, {', '.join(f'{split.name.lower()} {_strings(training_set, split)}' for split in Split)}",
        locations=list(training_set.locations),
        seed=seed,
        metrics={},
        library_versions=_libraries(),
        files={MODEL_FILE: sha256(content).hexdigest()},
    )
    files = {MODEL_FILE: content}
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


def _strings(training_set: TrainingSet, split: Split) -> int:
    return len({training_set.data.string_ids[slot] for slot in np.flatnonzero(training_set.splits == split)})


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
    _, string_of_slot = np.unique(training_set.data.string_ids, return_inverse=True)
    predicted = Predictor(stored, table).days_of(test.features.astype(np.float64))
    score = Evaluation.of(predicted, test, string_of_slot).score()
    baselines = Baselines.of(training_set.of(Split.TRAINING), table)
    baseline_errors = {
        f"baseline_{name}_mae_days": Evaluation.of(as_degenerate_interval(days), test, string_of_slot).score().mae_days
        for name, days in baselines.predict(test).items()
    }
    return {
        "mae_days": score.mae_days,
        "bias_days": score.bias_days,
        "coverage_p10_p90": score.coverage_p10_p90,
        "mean_width_days": score.mean_width_days,
        "censored_share": score.censored_share,
        "strings": float(score.strings),
        "median_days": baselines.median_days,
        "median_life_days": baselines.median_life_days,
        **baseline_errors,
    }
