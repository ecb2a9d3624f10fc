"""A model from a version of the registry, by its kind."""

from collections.abc import Mapping

import numpy as np

from battery_ml.models.accelerated import AcceleratedModel
from battery_ml.models.hazard import HazardModel
from battery_ml.models.kinds import LifeModel
from battery_ml.models.proportional import ProportionalModel
from battery_ml.models.quantiles import QuantileModel
from battery_ml.registry.manifest import ModelKind, ModelManifest


def read_life_model(manifest: ModelManifest, files: Mapping[str, bytes]) -> LifeModel:
    """Read the model of a version; raises `ModelInvalid` if its files are not those of its kind."""
    edges_days = np.asarray(manifest.edges_days, np.float64)
    match manifest.kind:
        case ModelKind.HAZARD:
            return HazardModel.read(files, edges_days)
        case ModelKind.QUANTILES:
            return QuantileModel.read(files)
        case ModelKind.ACCELERATED:
            return AcceleratedModel.read(files, edges_days)
        case ModelKind.PROPORTIONAL:
            return ProportionalModel.read(files)
