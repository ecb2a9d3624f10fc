from typing import Any

import numpy as np

from battery_contracts.twin import EstimateRequest
from battery_twin.fleet import models
from battery_twin.fleet.models import BatteryModels
from battery_twin.kernel import layout


def request(model_id: list[str], rated_ah: list[float | None] | None = None) -> EstimateRequest:
    count = len(model_id)
    nothing: list[Any] = [None] * count
    return EstimateRequest(
        battery_id=[f"BAT-{number}" for number in range(count)],
        model_id=model_id,
        dt_s=nothing,
        voltage_v=[13.6] * count,
        current_a=nothing,
        temperature_c=nothing,
        internal_resistance_mohm=nothing,
        float_current_ma=nothing,
        mode=nothing,
        state=nothing,
        rated_ah=rated_ah,
    )


def test_batteries_of_one_model_and_capacity_share_a_circuit() -> None:
    chosen = BatteryModels().choose(request(["CSB-HX12-120", "x", "CSB-HX12-120", "x"], [None, 17.0, None, 40.0]))
    assert chosen.which.tolist() == [0, 1, 0, 2]
    assert chosen.circuits.rows[:, layout.RATED_AH].tolist() == [120.0, 17.0, 40.0]
    assert len(np.unique(chosen.fingerprint)) == 3


def test_a_model_without_circuit_has_index_minus_one() -> None:
    chosen = BatteryModels().choose(request(["x", "y", "z"], [None, -1.0, 1e9]))
    assert chosen.which.tolist() == [-1, -1, -1]


def test_the_cache_is_bounded() -> None:
    library = BatteryModels()
    names = [f"model-{number}" for number in range(models.MAX_CACHED_SETS + 50)]
    assert (library.choose(request(names)).which == -1).all()
    assert len(library._sets) <= models.MAX_CACHED_SETS + 1
