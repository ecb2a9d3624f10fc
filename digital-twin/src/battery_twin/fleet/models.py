"""Which circuit a battery model has: a file of its own, else the data sheet of a block of its rated capacity."""

import zlib
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import structlog

from battery_contracts.twin import EstimateRequest
from battery_twin.filter.blocks import IntArray
from battery_twin.filter.circuits import Circuits
from battery_twin.identification.parameter_set import ParameterSet, ParametersInvalid

_log = structlog.get_logger(__name__)
# Rated capacity (10 h) of models known by name.
RATED_AH = {"CSB-HX12-120": 120.0}
MAX_RATED_AH = 10_000.0


@dataclass(frozen=True, slots=True)
class Chosen:
    """The circuits of one call: ``which`` (n,) of them each battery has, -1 for none, and their fingerprints (s,)."""

    circuits: Circuits
    which: IntArray
    fingerprint: IntArray


@dataclass(slots=True)
class Models:
    """Parameter sets by model; a file ``MODEL.json`` in the folder stands above the data sheet."""

    folder: Path | None = None
    _sets: dict[tuple[str, float | None], ParameterSet | None] = field(default_factory=dict, init=False)

    def choose(self, request: EstimateRequest) -> Chosen:
        """Return the circuits of a request's batteries."""
        rated = request.rated_ah or [None] * len(request.model_id)
        keys = list(zip(request.model_id, rated, strict=True))
        place: dict[tuple[str, float | None], int] = {}
        sets: list[ParameterSet] = []
        for key in dict.fromkeys(keys):
            found = self._set(*key)
            place[key] = -1 if found is None else len(sets)
            if found is not None:
                sets.append(found)
        which = np.array([place[key] for key in keys], np.int64)
        circuits = Circuits.of(sets or [ParameterSet.default_for(1.0)])
        return Chosen(circuits, which, np.array([zlib.crc32(row.tobytes()) for row in circuits.rows], np.int64))

    def _set(self, model: str, rated_ah: float | None) -> ParameterSet | None:
        key = (model, rated_ah)
        if key not in self._sets:
            # A caller may send any number of models; a cache that he can grow without bound is his to fill.
            if len(self._sets) > 1000:
                self._sets.clear()
            self._sets[key] = self._read(model) or _data_sheet(model, rated_ah)
        return self._sets[key]

    def _read(self, model: str) -> ParameterSet | None:
        if self.folder is None or not model or Path(model).name != model:
            return None
        path = self.folder / f"{model}.json"
        if not path.is_file():
            return None
        try:
            return ParameterSet.from_json(path.read_text(encoding="utf-8"))
        except (ParametersInvalid, UnicodeDecodeError) as invalid:
            _log.error("parameter set not usable; the data sheet stands in", model=model, reason=str(invalid))
            return None


def _data_sheet(model: str, rated_ah: float | None) -> ParameterSet | None:
    rated = RATED_AH.get(model) if rated_ah is None else rated_ah
    if rated is None or not 0.0 < rated <= MAX_RATED_AH:
        return None
    return ParameterSet.default_for(rated)
