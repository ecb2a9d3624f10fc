"""The circuit of each battery model: from its own file, else from the data sheet of a block of its rated capacity."""

import zlib
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import structlog

from battery_contracts.twin import EstimateRequest
from battery_twin.arrays import IntArray
from battery_twin.circuit.data_sheet import data_sheet_parameters
from battery_twin.circuit.parameter_set import ParameterSet, ParametersInvalid
from battery_twin.filter.circuit_table import CircuitTable

_log = structlog.get_logger(__name__)
# Rated capacity (10 h) of models known by name.
RATED_AH = {"CSB-HX12-120": 120.0}
MAX_RATED_AH = 10_000.0
MAX_CACHED_SETS = 1000


@dataclass(frozen=True, slots=True)
class ChosenCircuits:
    """The circuits (s,) of one call.

    Parameters
    ----------
    which
        Index of each battery's circuit (n,), -1 for none.
    fingerprint
        CRC-32 of each circuit (s,).
    """

    circuits: CircuitTable
    which: IntArray
    fingerprint: IntArray


@dataclass(slots=True)
class BatteryModels:
    """Parameter sets by battery model; a file ``MODEL.json`` in the folder takes precedence over the data sheet."""

    folder: Path | None = None
    _sets: dict[tuple[str, float | None], ParameterSet | None] = field(default_factory=dict, init=False)

    def choose(self, request: EstimateRequest) -> ChosenCircuits:
        """Return the circuits of the batteries of a request."""
        rated = request.rated_ah or [None] * len(request.model_id)
        models = list(zip(request.model_id, rated, strict=True))
        index: dict[tuple[str, float | None], int] = {}
        sets: list[ParameterSet] = []
        for model in dict.fromkeys(models):
            params = self._set(*model)
            index[model] = -1 if params is None else len(sets)
            if params is not None:
                sets.append(params)
        which = np.array([index[model] for model in models], np.int64)
        # The kernel needs at least one row, even if no battery refers to it.
        circuits = CircuitTable.of(sets or [data_sheet_parameters(1.0)])
        return ChosenCircuits(circuits, which, np.array([zlib.crc32(row.tobytes()) for row in circuits.rows], np.int64))

    def _set(self, model: str, rated_ah: float | None) -> ParameterSet | None:
        key = (model, rated_ah)
        if key not in self._sets:
            # A caller may send any number of models, so the cache is bounded.
            if len(self._sets) > MAX_CACHED_SETS:
                self._sets.clear()
            self._sets[key] = self._read(model) or _data_sheet(model, rated_ah)
        return self._sets[key]

    def _read(self, model: str) -> ParameterSet | None:
        # The name comes from the caller: one with a path in it must not leave the folder.
        if self.folder is None or not model or Path(model).name != model:
            return None
        path = self.folder / f"{model}.json"
        if not path.is_file():
            return None
        try:
            return ParameterSet.from_json(path.read_text(encoding="utf-8"))
        except (ParametersInvalid, UnicodeDecodeError) as invalid:
            _log.error("parameter set is unusable; using the data sheet", model=model, reason=str(invalid))
            return None


def _data_sheet(model: str, rated_ah: float | None) -> ParameterSet | None:
    rated = RATED_AH.get(model) if rated_ah is None else rated_ah
    if rated is None or not 0.0 < rated <= MAX_RATED_AH:
        return None
    return data_sheet_parameters(rated)
