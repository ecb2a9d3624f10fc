"""A version judged on a dataset that it was not trained on, beside naive baselines."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import numpy as np

from battery_ml.arrays import BoolArray, FloatArray
from battery_ml.datasets.snapshots import Snapshots
from battery_ml.evaluation.baselines import Baselines
from battery_ml.evaluation.score import HORIZONS_DAYS, Evaluation, Score, as_degenerate_interval
from battery_ml.evaluation.survival_scores import HORIZONS_DAYS as RISK_HORIZONS_DAYS
from battery_ml.evaluation.survival_scores import Forecast, SurvivalScores, scores_of
from battery_ml.evaluation.truth import JudgedSnapshots
from battery_ml.features.table import FeatureTable
from battery_ml.registry.store import StoredModel
from battery_ml.serving.predictor import Predictor

OLD_YEARS: Final = 2.0
"""A younger battery shows so little wear that no model is far better than its age."""
_DESIGN_YEARS: Final = 10.0


@dataclass(frozen=True, slots=True)
class Group:
    """The model and the baselines on some of the snapshots."""

    model: Score
    baselines: Mapping[str, Score]

    @property
    def best_baseline(self) -> str:
        """Name of the baseline with the smallest error."""
        return min(self.baselines, key=lambda name: self.baselines[name].mae_days)

    @property
    def below_best_baseline_pct(self) -> float:
        """How far the model's error is below that of the best baseline."""
        return 100.0 * (1.0 - self.model.mae_days / self.baselines[self.best_baseline].mae_days)


@dataclass(frozen=True, slots=True)
class EvaluationReport:
    """Scores of a version and of the baselines, over all and by group."""

    version: str
    trained_on: tuple[str, ...]
    """Locations whose batteries the version was trained on."""
    years: float
    is_seen_to_end: bool
    overall: Group
    older: Group | None
    """Batteries older than `OLD_YEARS`; None if there are none."""
    horizons: dict[str, Score]
    predicted: dict[str, Score]
    """By predicted median."""
    locations: dict[str, Score]
    generations: dict[str, Score]
    baseline_horizons: dict[str, dict[str, Score]]
    survival: SurvivalScores | None
    """None unless all lives were seen to their ends."""

    def as_dict(self) -> dict[str, Any]:
        """Return what ``battery-ml evaluate --json`` prints."""
        return {
            "version": self.version,
            "truth": {"basis": "seen_to_end" if self.is_seen_to_end else "weighted", "years": self.years},
            "model": self.overall.model.as_dict(),
            "horizons": _dicts(self.horizons),
            # The key keeps its first spelling for the readers of the file.
            "sites": {
                name: {**score.as_dict(), "trained_on": name in self.trained_on}
                for name, score in self.locations.items()
            },
            "generations": _dicts(self.generations),
            "predicted_life": _dicts(self.predicted),
            "baselines": {
                name: {
                    "mae_days": score.mae_days,
                    "bias_days": score.bias_days,
                    "mape_pct": score.mape_pct,
                    "horizons": {span: part.mae_days for span, part in self.baseline_horizons[name].items()},
                }
                for name, score in self.overall.baselines.items()
            },
            "best_baseline": self.overall.best_baseline,
            "mae_below_best_baseline_pct": self.overall.below_best_baseline_pct,
            "older_than_two_years": None if self.older is None else _group_dict(self.older),
            "survival": None if self.survival is None else self.survival.as_dict(),
        }


def evaluate(stored: StoredModel, judged: JudgedSnapshots, table: FeatureTable) -> EvaluationReport:
    """Judge a version on snapshots; the baselines take their numbers from the version's manifest.

    Raises
    ------
    ValueError
        No battery of the snapshots failed.
    """
    snapshots = judged.snapshots
    predictor = Predictor(stored, table)
    features = snapshots.features.astype(np.float64)
    days = predictor.days_of(features)
    baselines = Baselines.from_facts(table, stored.manifest.metrics).predict(snapshots)

    def evaluation_of(quantiles: FloatArray) -> Evaluation:
        return Evaluation.of(quantiles, snapshots, judged.string_of_slot)

    model = evaluation_of(days)
    by_baseline = {name: evaluation_of(as_degenerate_interval(point)) for name, point in baselines.items()}
    age_years = features[:, table.names.index("age_of_design_life")] * _DESIGN_YEARS
    location = judged.location_of_slot[snapshots.battery_slot]
    return EvaluationReport(
        version=stored.manifest.version,
        trained_on=tuple(stored.manifest.locations),
        years=judged.years,
        is_seen_to_end=judged.is_seen_to_end,
        overall=Group(model.score(), {name: one.score() for name, one in by_baseline.items()}),
        older=_group(model, by_baseline, age_years > OLD_YEARS),
        horizons=model.by_horizon(),
        predicted=_by_predicted_life(model),
        locations=_scores(model, {name: location == name for name in sorted(set(location.tolist()))}),
        generations=_scores(model, {str(n): snapshots.generation == n for n in np.unique(snapshots.generation)}),
        baseline_horizons={name: evaluation.by_horizon() for name, evaluation in by_baseline.items()},
        survival=forecast_scores(predictor, features, days, snapshots) if judged.is_seen_to_end else None,
    )


def forecast_scores(
    predictor: Predictor, features: FloatArray, days: FloatArray, snapshots: Snapshots
) -> SurvivalScores:
    """Score the survival curves of snapshots whose lives were all seen to their ends."""
    curves = predictor.curves_of(features)
    forecast = Forecast(
        risks=np.column_stack([curves.failure_probability(float(horizon)) for horizon in RISK_HORIZONS_DAYS]),
        p10_days=days[:, 0],
        p50_days=days[:, 1],
        reached=curves.failure_probability(snapshots.days_to_end),
    )
    _, life = np.unique(np.column_stack([snapshots.battery_slot, snapshots.generation]), axis=0, return_inverse=True)
    return scores_of(forecast, snapshots.days_to_end, life.reshape(-1))


def _group(model: Evaluation, baselines: Mapping[str, Evaluation], chosen: BoolArray) -> Group | None:
    if not (model.where(chosen).weights > 0.0).any():
        return None
    return Group(
        model.where(chosen).score(), {name: evaluation.where(chosen).score() for name, evaluation in baselines.items()}
    )


def _group_dict(group: Group) -> dict[str, Any]:
    return {
        "model": group.model.as_dict(),
        "baselines": {name: {"mae_days": score.mae_days} for name, score in group.baselines.items()},
        "best_baseline": group.best_baseline,
        "mae_below_best_baseline_pct": group.below_best_baseline_pct,
    }


def _scores(model: Evaluation, groups: Mapping[str, BoolArray]) -> dict[str, Score]:
    return {name: model.where(chosen).score() for name, chosen in groups.items() if (model.weights[chosen] > 0.0).any()}


def _by_predicted_life(model: Evaluation) -> dict[str, Score]:
    middle = model.days[:, 1]
    return _scores(
        model, {f"{first}-{last}": (middle >= first) & (middle < last) for first, last in pairwise(HORIZONS_DAYS)}
    )


def _dicts(scores: Mapping[str, Score]) -> dict[str, dict[str, Any]]:
    return {name: score.as_dict() for name, score in scores.items()}
