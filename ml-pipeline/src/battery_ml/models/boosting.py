"""CatBoost models as bytes, and the rows that it predicts from."""

from collections.abc import Mapping
from typing import Final

import numpy as np
from catboost import CatBoost, CatBoostError, Pool

from battery_ml.arrays import FloatArray
from battery_ml.models.kinds import ModelInvalid

MODEL_FILE: Final = "model.cbm"


def read_model(files: Mapping[str, bytes]) -> CatBoost:
    """Read a CatBoost model from the files of a version; raises `ModelInvalid`."""
    if MODEL_FILE not in files:
        raise ModelInvalid(f"has no file {MODEL_FILE}")
    model = CatBoost()
    try:
        model.load_model(blob=files[MODEL_FILE])
    except CatBoostError as broken:
        raise ModelInvalid(f"has a model file that cannot be read: {broken}") from broken
    return model


def bytes_of(model: CatBoost) -> dict[str, bytes]:
    """Return the file of a model."""
    return {MODEL_FILE: bytes(model._serialize_model())}  # noqa: SLF001  # the only way to bytes without a file


def raw_predictions(model: CatBoost, pool: Pool, outputs: int) -> FloatArray:
    """Return the raw predictions (n, outputs); raises `ModelInvalid` if the model has another number of them."""
    raw = np.asarray(model.predict(pool, prediction_type="RawFormulaVal"), np.float64).reshape(pool.num_row(), -1)
    if raw.shape[1] != outputs:
        raise ModelInvalid(f"has a model with {raw.shape[1]} outputs; its kind has {outputs}")
    return raw
