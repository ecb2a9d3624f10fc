"""Figures of the comparison."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from battery_ml.evaluation.report import EvaluationReport
from battery_ml.evaluation.truth import JudgedSnapshots
from battery_ml.features.definition import FEATURES
from battery_ml.registry.store import StoredModel
from battery_ml.serving.predictor import Predictor

_COLOURS: Final = ("#2a6fb0", "#8e8e8e", "#c0392b", "#d68910")
_YEAR_DAYS: Final = 365.0
_BINS: Final = 10


def write_figures(
    stored: StoredModel, reports: Mapping[str, EvaluationReport], judged: JudgedSnapshots, folder: Path
) -> None:
    """Write the figures of the page; ``stored`` is the first of the models."""
    mpl.use("Agg")
    first = next(iter(reports.values()))
    for name, figure in (
        ("error", _error_by_remaining_life(reports)),
        ("calibration", _calibration(stored, judged)),
        ("pit", _pit(reports)),
        ("coverage", _coverage(first)),
    ):
        figure.tight_layout()
        figure.savefig(folder / f"remaining-life-{name}.png", dpi=100)


def _error_by_remaining_life(reports: Mapping[str, EvaluationReport]) -> Figure:
    figure = Figure(figsize=(8, 3.6))
    axes = figure.add_subplot()
    first = next(iter(reports.values()))
    spans, width = list(first.horizons), 0.8 / (len(reports) + 1)
    for number, (name, report) in enumerate(reports.items()):
        bars = [report.horizons[span].mae_days for span in spans]
        axes.bar(np.arange(len(spans)) + number * width, bars, width, label=name, color=_COLOURS[number])
    naive = first.overall.best_baseline
    bars = [first.baseline_horizons[naive][span].mae_days for span in spans]
    label = naive.replace("_", " ")
    axes.bar(np.arange(len(spans)) + len(reports) * width, bars, width, label=label, color="#dddddd", hatch="//")
    axes.set_xticks(np.arange(len(spans)) + 0.4 - width / 2, [span.replace("-36525", " and more") for span in spans])
    axes.set_xlabel("days that remained")
    axes.set_ylabel("mean error (days)")
    axes.legend(frameon=False, fontsize=8)
    return figure


def _calibration(stored: StoredModel, judged: JudgedSnapshots) -> Figure:
    curves = Predictor(stored, FEATURES).curves_of(judged.snapshots.features.astype(np.float64))
    figure = Figure(figsize=(5, 4.2))
    axes = figure.add_subplot()
    axes.plot([0, 1], [0, 1], color="#bbbbbb", linewidth=1)
    for horizon, colour in zip((90.0, 180.0, _YEAR_DAYS), _COLOURS, strict=False):
        risk = curves.failure_probability(horizon)
        failed = judged.snapshots.days_to_end <= horizon
        edges = np.unique(np.quantile(risk, np.linspace(0.0, 1.0, _BINS + 1)))
        group = np.clip(np.searchsorted(edges, risk, side="right") - 1, 0, len(edges) - 2)
        points = [(risk[group == one].mean(), failed[group == one].mean()) for one in np.unique(group)]
        axes.plot(*zip(*points, strict=True), marker="o", color=colour, label=f"within {horizon:.0f} days")
    axes.set_xlabel("forecast probability of failure")
    axes.set_ylabel("share that failed")
    axes.legend(frameon=False)
    return figure


def _pit(reports: Mapping[str, EvaluationReport]) -> Figure:
    figure = Figure(figsize=(8, 3.2))
    axes = figure.add_subplot()
    for number, (name, report) in enumerate(reports.items()):
        assert report.survival is not None, "lives are seen to their ends"
        axes.step(np.linspace(0.05, 0.95, _BINS), report.survival.pit, where="mid", label=name, color=_COLOURS[number])
    axes.axhline(1.0 / _BINS, color="#bbbbbb", linewidth=1)
    axes.set_ylim(0.0, None)
    axes.set_xlabel("where in its own forecast a life ended")
    axes.set_ylabel("share of the lives")
    axes.legend(frameon=False, fontsize=8)
    return figure


def _coverage(report: EvaluationReport) -> Figure:
    groups = {
        **{f"{name} days left": score for name, score in report.horizons.items()},
        **{f"generation {name}": score for name, score in report.generations.items()},
        **report.locations,
    }
    figure = Figure(figsize=(8, 0.3 * len(groups) + 1.2))
    axes = figure.add_subplot()
    axes.axvspan(0.75, 0.85, color="#e6f0e6")
    for row, score in enumerate(groups.values()):
        axes.plot([score.coverage_low, score.coverage_high], [row, row], color=_COLOURS[0])
        axes.plot(score.coverage_p10_p90, row, marker="o", color=_COLOURS[0])
    axes.set_yticks(range(len(groups)), list(groups))
    axes.invert_yaxis()
    axes.set_xlabel("share of lives that ended between P10 and P90")
    return figure
