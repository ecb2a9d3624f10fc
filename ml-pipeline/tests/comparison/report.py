"""Compare the kinds of models on lives that were all seen to end, and write the comparison as Markdown with figures.

From the folder `ml-pipeline`, with the dependency group `comparison`:
``python -m tests.comparison.report --train LIVES... --judge LIVES --out docs``.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np

from battery_ml.datasets.folder import LifeDataset
from battery_ml.evaluation.report import EvaluationReport, evaluate
from battery_ml.evaluation.truth import JudgedSnapshots, judged_snapshots
from battery_ml.features.definition import FEATURES
from battery_ml.features.table import Feature, FeatureTable
from battery_ml.registry.manifest import ModelKind
from battery_ml.registry.store import StoredModel
from battery_ml.training.run import train
from battery_ml.training.sets import TrainingSet, prepare
from battery_ml.training.split import Split
from tests.comparison.cox import fit_proportional
from tests.comparison.figures import write_figures
from tests.comparison.pages import page_of
from tests.comparison.truth import HIDDEN, with_truth
from tests.comparison.twin import twin_errors

SEED: Final = 1


@dataclass(frozen=True, slots=True)
class Candidate:
    """A model with its name in the report, trained and judged."""

    name: str
    report: EvaluationReport
    stored: StoredModel


def main(arguments: Sequence[str]) -> None:
    """Train, judge and write."""
    options = _options(arguments)
    datasets, judge = [LifeDataset.open(folder) for folder in options.train], LifeDataset.open(options.judge)
    training_set = prepare(datasets, FEATURES, seed=SEED, progress=_log)
    judged = judged_snapshots(judge, FEATURES, progress=_log)
    if not judged.is_seen_to_end:
        raise SystemExit(f"{options.judge}: generate more years, so that lives are seen to their ends")
    candidates = [
        _candidate("hazard", training_set, judged, ModelKind.HAZARD),
        _candidate("quantiles", training_set, judged, ModelKind.QUANTILES),
        _candidate("accelerated failure time", training_set, judged, ModelKind.ACCELERATED),
        _candidate("Cox", training_set, judged, ModelKind.PROPORTIONAL),
        _knowing_the_truth(training_set, datasets, judge, judged),
        _on_shuffled_lives(training_set, judged),
    ]
    options.out.mkdir(parents=True, exist_ok=True)
    write_figures(candidates[0].stored, {one.name: one.report for one in candidates[:4]}, judged, options.out)
    text = page_of({one.name: one.report for one in candidates}, twin_errors(judged), judged)
    (options.out / "remaining-life.md").write_text(text)
    sys.stdout.write(text)


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--train", nargs="+", type=Path, required=True)
    parser.add_argument("--judge", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    return parser.parse_args(arguments)


def _log(share: float, step: str) -> None:
    sys.stderr.write(f"{share:4.0%} {step}\n")


def _candidate(
    name: str,
    training_set: TrainingSet,
    judged: JudgedSnapshots,
    kind: ModelKind,
    table: FeatureTable = FEATURES,
) -> Candidate:
    _log(0.0, f"training: {name}")
    fit = fit_proportional if kind is ModelKind.PROPORTIONAL else None
    stored = train(training_set, table, seed=SEED, kind=kind, fit=fit)
    return Candidate(name, evaluate(stored, judged, table), stored)


def _knowing_the_truth(
    training_set: TrainingSet, datasets: Sequence[LifeDataset], judge: LifeDataset, judged: JudgedSnapshots
) -> Candidate:
    """Return the hazard with what no monitor measures among its inputs."""
    hidden = tuple(_hidden(name) for name in HIDDEN)
    table = FeatureTable((*FEATURES.features, *hidden))
    pieces, slots = [], 0
    for data in datasets:
        own = training_set.snapshots.where(
            (training_set.snapshots.battery_slot >= slots)
            & (training_set.snapshots.battery_slot < slots + len(data.battery_ids))
        )
        known = with_truth(data, replace(own, battery_slot=own.battery_slot - slots))
        pieces.append(replace(known, battery_slot=known.battery_slot + slots))
        slots += len(data.battery_ids)
    knowing = replace(training_set, snapshots=type(judged.snapshots).joined(pieces))
    return _candidate(
        "hazard that knows the truth",
        knowing,
        replace(judged, snapshots=with_truth(judge, judged.snapshots)),
        ModelKind.HAZARD,
        table,
    )


def _on_shuffled_lives(training_set: TrainingSet, judged: JudgedSnapshots) -> Candidate:
    """Return the hazard trained on lives dealt out by chance: what it knows can only have leaked."""
    snapshots = training_set.snapshots
    order = np.random.default_rng(SEED).permutation(len(snapshots))
    rows = np.arange(len(snapshots))
    for split in Split:
        members = np.flatnonzero(training_set.splits[snapshots.battery_slot] == split)
        rows[members] = order[np.isin(order, members)]
    shuffled = replace(
        snapshots,
        days_to_end=snapshots.days_to_end[rows],
        is_censored=snapshots.is_censored[rows],
        follow_up_days=snapshots.follow_up_days[rows],
    )
    return _candidate("hazard on shuffled lives", replace(training_set, snapshots=shuffled), judged, ModelKind.HAZARD)


def _hidden(name: str) -> Feature:
    compute: Callable[..., object] = len
    return Feature(name, name, compute, (), 0, name, name, name)  # type: ignore[arg-type]  # it is never computed


if __name__ == "__main__":
    main(sys.argv[1:])
