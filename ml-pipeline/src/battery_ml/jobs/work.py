"""The work of a training job, the same from the command line: worlds if needed, snapshots, model, publication."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from battery_ml.datasets.folder import LifeDataset
from battery_ml.features.definition import FEATURES
from battery_ml.jobs.worlds import WorldSource, generated_worlds
from battery_ml.registry.store import Registry, StoredModel
from battery_ml.training.run import publish, train
from battery_ml.training.sets import ProgressCallback, prepare

_SHARE_OF_GENERATION: Final = 0.6
_SHARE_OF_SNAPSHOTS: Final = 0.6
_SHARE_OF_MODEL: Final = 0.35


@dataclass(frozen=True, slots=True)
class TrainOptions:
    """How a version is trained."""

    seed: int
    trees: int
    without_locations: tuple[str, ...]


def train_on_worlds(
    source: WorldSource, options: TrainOptions, registry: Registry, progress: ProgressCallback
) -> StoredModel:
    """Generate worlds, train on all of them, publish, and delete the worlds; progress rises once from 0 to 1.

    Raises
    ------
    WorldsRefused, DatasetRefused, RegistryError
        There are no worlds, they cannot be trained on, or the version cannot be published.
    """

    def generation(share: float, step: str) -> None:
        progress(_SHARE_OF_GENERATION * share, step)

    def training(share: float, step: str) -> None:
        progress(_SHARE_OF_GENERATION + (1.0 - _SHARE_OF_GENERATION) * share, step)

    with generated_worlds(source, options.seed, generation) as folders:
        return train_on(folders, options, registry, training)


def train_on(
    folders: Sequence[Path], options: TrainOptions, registry: Registry, progress: ProgressCallback
) -> StoredModel:
    """Train on datasets and publish the version.

    Raises
    ------
    DatasetRefused, RegistryError
        They cannot be trained on, or the version cannot be published.
    """

    def snapshots(share: float, step: str) -> None:
        progress(_SHARE_OF_SNAPSHOTS * share, step)

    def model(share: float, step: str) -> None:
        progress(_SHARE_OF_SNAPSHOTS + _SHARE_OF_MODEL * share, step)

    training_set = prepare(
        [LifeDataset.open(folder) for folder in folders],
        FEATURES,
        seed=options.seed,
        without_locations=options.without_locations,
        progress=snapshots,
    )
    stored = train(training_set, FEATURES, seed=options.seed, trees=options.trees, progress=model)
    publish(stored, registry)
    return stored
