"""A version evaluated on a dataset that it was not trained on, with naive baselines for comparison."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from battery_ml.arrays import FloatArray
from battery_ml.datasets.folder import LifeDataset
from battery_ml.datasets.snapshots import Snapshots, take_snapshots
from battery_ml.evaluation.baselines import Baselines
from battery_ml.evaluation.score import Evaluation, Score, as_degenerate_interval
from battery_ml.features.table import FeatureTable
from battery_ml.registry.store import StoredModel
from battery_ml.serving.predictor import Predictor

SNAPSHOTS_EVERY_DAYS: Final = 61


@dataclass(frozen=True, slots=True)
class EvaluationReport:
    """Scores of a version and of the baselines, also by remaining life and by location."""

    version: str
    trained_on: tuple[str, ...]
    """Locations whose batteries the version was trained on."""
    model: Score
    horizons: dict[str, Score]
    locations: dict[str, Score]
    baselines: dict[str, Score]
    baseline_horizons: dict[str, dict[str, Score]]
    evaluation: Evaluation

    def as_dict(self) -> dict[str, Any]:
        """Return what ``battery-ml evaluate --json`` prints."""
        best = min(self.baselines, key=lambda name: self.baselines[name].mae_days)
        return {
            "version": self.version,
            "model": self.model.as_dict(),
            "horizons": {name: score.as_dict() for name, score in self.horizons.items()},
            # The key keeps its first spelling for the readers of the file.
            "sites": {
                name: {**score.as_dict(), "trained_on": name in self.trained_on}
                for name, score in self.locations.items()
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


def evaluation_snapshots(
    data: LifeDataset,
    table: FeatureTable,
    progress: Callable[[float, str], None] = lambda _share, _step: None,
) -> Snapshots:
    """Take snapshots of a whole dataset, one every other month."""
    return take_snapshots(
        data,
        table,
        every_days=SNAPSHOTS_EVERY_DAYS,
        workers=min(2, os.cpu_count() or 1),
        progress=lambda done, of: progress(done / of, f"features, part {done} of {of}"),
    )


def evaluate(stored: StoredModel, data: LifeDataset, snapshots: Snapshots, table: FeatureTable) -> EvaluationReport:
    """Evaluate a version on snapshots; the baselines take their medians from the version's manifest.

    Raises
    ------
    ValueError
        No battery of the snapshots failed.
    """
    _, string_of_slot = np.unique(data.string_ids, return_inverse=True)
    location = np.asarray(data.location_ids)[snapshots.battery_slot]

    def evaluation_of(days: FloatArray) -> Evaluation:
        return Evaluation.of(days, snapshots, string_of_slot)

    model = evaluation_of(Predictor(stored, table).days_of(snapshots.features.astype(np.float64)))
    metrics = stored.manifest.metrics
    baselines = Baselines(table, metrics["median_days"], metrics["median_life_days"])
    by_baseline = {
        name: evaluation_of(as_degenerate_interval(days)) for name, days in baselines.predict(snapshots).items()
    }
    return EvaluationReport(
        version=stored.manifest.version,
        trained_on=tuple(stored.manifest.locations),
        model=model.score(),
        horizons=model.by_horizon(),
        locations={name: model.where(location == name).score() for name in sorted(set(location.tolist()))},
        baselines={name: evaluation.score() for name, evaluation in by_baseline.items()},
        baseline_horizons={name: evaluation.by_horizon() for name, evaluation in by_baseline.items()},
        evaluation=model,
    )
