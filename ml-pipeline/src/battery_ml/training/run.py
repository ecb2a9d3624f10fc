"""From a dataset to a version in the registry: snapshots, split, model, calibration, figures."""

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
from battery_ml.datasets.folder import Dataset, DatasetRefused
from battery_ml.datasets.snapshots import Snapshots, take_snapshots
from battery_ml.evaluation.baselines import Baselines
from battery_ml.evaluation.score import Judged, thrice
from battery_ml.features.table import FeatureTable
from battery_ml.registry.manifest import MODEL_FILE, Manifest
from battery_ml.registry.store import Registry, StoredModel
from battery_ml.serving.predictor import Predictor
from battery_ml.training.conformal import calibrate
from battery_ml.training.fit import TREES, fit
from battery_ml.training.split import Role, roles_of_batteries

SNAPSHOTS_EVERY_DAYS: Final = 45
_LEAST_KNOWN: Final = 0.01
_LEAST_ENDS: Final = 50
_PERCENTILES: Final = (5, 50, 95)
_DECILES: Final = tuple(range(10, 100, 10))

Progress = Callable[[float, str], None]


@dataclass(frozen=True, slots=True)
class Lessons:
    """A dataset as snapshots, each with its role."""

    data: Dataset
    snapshots: Snapshots
    roles: np.ndarray[tuple[int], np.dtype[np.int64]]
    """Of each battery of the catalogue."""
    locations: tuple[str, ...]

    def of(self, role: Role) -> Snapshots:
        """Return the snapshots of a role."""
        return self.snapshots.where(self.roles[self.snapshots.place] == role)


def prepare(
    data: Dataset,
    table: FeatureTable,
    *,
    seed: int,
    without_locations: Sequence[str] = (),
    progress: Progress = lambda _share, _step: None,
) -> Lessons:
    """Take snapshots of the lives to learn from.

    Raises
    ------
    DatasetRefused
        A location to leave out is not there, there are too few strings, or too few lives came to their end.
    """
    unknown = sorted(set(without_locations) - set(data.location_ids))
    if unknown:
        raise DatasetRefused(f"{data.folder} has no {', '.join(unknown)} to leave out")
    locations = tuple(sorted(set(data.location_ids) - set(without_locations)))
    roles = roles_of_batteries(data, frozenset(locations), seed)
    snapshots = take_snapshots(
        data,
        table,
        every_days=SNAPSHOTS_EVERY_DAYS,
        locations=locations,
        workers=min(2, os.cpu_count() or 1),
        progress=lambda done, of: progress(done / of, f"features, part {done} of {of}"),
    )
    lessons = Lessons(data, snapshots, roles, locations)
    for role in Role:
        part = lessons.of(role)
        ends = len(np.unique(np.column_stack([part.place, part.generation])[~part.is_censored], axis=0))
        if ends < _LEAST_ENDS // len(Role):
            raise DatasetRefused(
                f"{data.folder}: {ends} lives that came to their end are too few to {role.name.lower()} with; "
                "take more strings or more years"
            )
    return lessons


def learn(
    lessons: Lessons,
    table: FeatureTable,
    *,
    seed: int,
    trees: int = TREES,
    progress: Progress = lambda _share, _step: None,
) -> StoredModel:
    """Return a version that is ready for the registry, with its figures on strings that it never saw."""
    teach = lessons.of(Role.TEACH)
    known = np.isfinite(teach.features).mean(axis=0)
    kept = FeatureTable(
        tuple(feature for feature, share in zip(table.features, known, strict=True) if share >= _LEAST_KNOWN)
    )
    columns = [table.names.index(name) for name in kept.names]
    model = fit(
        _only(teach, columns),
        _only(lessons.of(Role.STOP), columns),
        kept,
        seed=seed,
        trees=trees,
        progress=lambda share: progress(share, "trees"),
    )
    progress(1.0, "calibration")
    held = lessons.of(Role.CALIBRATE)
    raw = np.sort(np.asarray(model.predict(held.features[:, columns])), axis=1)
    content = bytes(model._serialize_model())  # noqa: SLF001  # the only way to bytes without a file
    manifest = Manifest(
        version=f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{sha256(content).hexdigest()[:8]}",
        created_at=datetime.now(UTC),
        target="log1p_days",
        features=_norms(teach.features[:, columns], kept),
        conformal=calibrate(raw, held),
        data_sha256=lessons.data.sha256,
        split=f"by string, {', '.join(f'{role.name.lower()} {_strings(lessons, role)}' for role in Role)}",
        locations=list(lessons.locations),
        seed=seed,
        metrics={},
        library_versions=_libraries(),
        files={MODEL_FILE: sha256(content).hexdigest()},
    )
    files = {MODEL_FILE: content}
    judged = _figures(StoredModel(manifest, files), lessons, table)
    return StoredModel(manifest.model_copy(update={"metrics": judged}), files)


def publish(stored: StoredModel, registry: Registry) -> str:
    """Put a version into the registry; return its name."""
    registry.publish(stored.manifest, stored.files)
    return stored.manifest.version


def _libraries() -> dict[str, str]:
    return {"python": platform.python_version()} | {name: version_of(name) for name in ("catboost", "numpy")}


def _only(snapshots: Snapshots, columns: list[int]) -> Snapshots:
    return snapshots.with_features(snapshots.features[:, columns])


def _strings(lessons: Lessons, role: Role) -> int:
    return len({lessons.data.string_ids[place] for place in np.flatnonzero(lessons.roles == role)})


def _norms(features: np.ndarray[tuple[int, int], np.dtype[np.float32]], table: FeatureTable) -> list[FeatureNorm]:
    norms = []
    for name, column in zip(table.names, features.T.astype(np.float64), strict=True):
        seen = column[np.isfinite(column)]
        low, middle, high = np.percentile(seen, _PERCENTILES)
        deciles = [float(value) for value in np.percentile(seen, _DECILES)]
        share = len(seen) / len(column)
        norms.append(FeatureNorm(name=name, median=middle, p5=low, p95=high, known=share, deciles=deciles))
    return norms


def _figures(stored: StoredModel, lessons: Lessons, table: FeatureTable) -> dict[str, float]:
    """Return the figures of the manifest, on the strings that judge."""
    judge = lessons.of(Role.JUDGE)
    _, string_of_place = np.unique(lessons.data.string_ids, return_inverse=True)
    predicted = Predictor(stored, table).days_of(judge.features.astype(np.float64))
    score = Judged.of(predicted, judge, string_of_place).score()
    baselines = Baselines.of(lessons.of(Role.TEACH), table)
    naive = baselines.predict(judge)
    errors = {
        f"baseline_{name}_mae_days": Judged.of(thrice(days), judge, string_of_place).score().mae_days
        for name, days in naive.items()
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
        **errors,
    }
