"""What the fits by gradient boosting share."""

from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol

from catboost import CatBoost, Pool

from battery_ml.arrays import FloatArray
from battery_ml.datasets.snapshots import Snapshots
from battery_ml.models.kinds import LifeModel

TREES: Final = 1000
_PATIENCE: Final = 40
_PARAMETERS: Final[Mapping[str, Any]] = {
    "depth": 6,
    "learning_rate": 0.1,
    "thread_count": 2,
    "allow_writing_files": False,
    "logging_level": "Silent",
}

Report = Callable[[float], None]
"""Called with the share of the trees that are built."""


class LifeModelFit(Protocol):
    """Fits a kind of model to snapshots; ``validation`` may decide when to stop, and is used for nothing else."""

    def __call__(
        self,
        training: Snapshots,
        validation: Snapshots,
        names: tuple[str, ...],
        edges_days: FloatArray,
        *,
        seed: int,
        trees: int,
        progress: Report,
    ) -> LifeModel:
        """Return the model."""
        ...


class _ProgressCallback:
    """Reports the share of the trees that are built, by CatBoost's callback protocol."""

    def __init__(self, trees: int, report: Report) -> None:
        self._trees, self._report = trees, report

    def after_iteration(self, info: Any) -> bool:
        self._report(info.iteration / self._trees)
        return True


def boost(training: Pool, validation: Pool, *, seed: int, trees: int, progress: Report, **parameters: Any) -> CatBoost:
    """Fit trees to ``training``; ``validation`` only decides when to stop adding them."""
    model = CatBoost({**_PARAMETERS, **parameters, "iterations": trees, "random_seed": seed})
    callbacks = [_ProgressCallback(trees, progress)]
    model.fit(training, eval_set=validation, early_stopping_rounds=_PATIENCE, callbacks=callbacks)
    return model
