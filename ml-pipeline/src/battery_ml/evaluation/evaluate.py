"""A version judged on a world that it never saw, beside naive baselines."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from battery_ml.datasets.folder import Dataset, FloatArray
from battery_ml.datasets.snapshots import Snapshots, take_snapshots
from battery_ml.evaluation.baselines import Baselines
from battery_ml.evaluation.score import Judged, Score, thrice
from battery_ml.features.table import FeatureTable
from battery_ml.registry.store import StoredModel
from battery_ml.serving.predictor import Predictor

SNAPSHOTS_EVERY_DAYS: Final = 61

Progress = Callable[[float, str], None]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Figures of a version and of the baselines; sites that it learnt from apart from those that it did not."""

    version: str
    trained_on: tuple[str, ...]
    model: Score
    horizons: dict[str, Score]
    sites: dict[str, Score]
    baselines: dict[str, Score]
    baseline_horizons: dict[str, dict[str, Score]]
    judged: Judged

    def as_dict(self) -> dict[str, Any]:
        """Return what ``battery-ml evaluate --json`` prints."""
        best = min(self.baselines, key=lambda name: self.baselines[name].mae_days)
        return {
            "version": self.version,
            "model": self.model.as_dict(),
            "horizons": {name: score.as_dict() for name, score in self.horizons.items()},
            "sites": {
                name: {**score.as_dict(), "trained_on": name in self.trained_on} for name, score in self.sites.items()
            },
            "baselines": {
                name: {
                    "mae_days": score.mae_days,
                    "bias_days": score.bias_days,
                    "mape_pct": score.mape_pct,
                    "horizons": {span: part.mae_days for span, part in self.baseline_horizons[name].items()},
                }
                for name, score in self.baselines.items()
            },
            "best_baseline": best,
            "mae_below_best_baseline_pct": 100.0 * (1.0 - self.model.mae_days / self.baselines[best].mae_days),
        }


def snapshots_of(data: Dataset, table: FeatureTable, progress: Progress = lambda _share, _step: None) -> Snapshots:
    """Return what serving would have seen of a world, every other month."""
    return take_snapshots(
        data,
        table,
        every_days=SNAPSHOTS_EVERY_DAYS,
        workers=min(2, os.cpu_count() or 1),
        progress=lambda done, of: progress(done / of, f"features, part {done} of {of}"),
    )


def evaluate(stored: StoredModel, data: Dataset, snapshots: Snapshots, table: FeatureTable) -> Evaluation:
    """Judge a version on a world; the baselines know the one number that the version's manifest holds of its own.

    Raises
    ------
    ValueError
        Nothing in the world came to its end.
    """
    _, string_of_place = np.unique(data.string_ids, return_inverse=True)
    location = np.asarray(data.location_ids)[snapshots.place]

    def judged(days: FloatArray) -> Judged:
        return Judged.of(days, snapshots, string_of_place)

    model = judged(Predictor(stored, table).days_of(snapshots.features.astype(np.float64)))
    metrics = stored.manifest.metrics
    baselines = Baselines(table, metrics["median_days"], metrics["median_life_days"])
    naive = {name: judged(thrice(days)) for name, days in baselines.predict(snapshots).items()}
    return Evaluation(
        version=stored.manifest.version,
        trained_on=tuple(stored.manifest.locations),
        model=model.score(),
        horizons=model.by_horizon(),
        sites={name: model.where(location == name).score() for name in sorted(set(location.tolist()))},
        baselines={name: one.score() for name, one in naive.items()},
        baseline_horizons={name: one.by_horizon() for name, one in naive.items()},
        judged=model,
    )
