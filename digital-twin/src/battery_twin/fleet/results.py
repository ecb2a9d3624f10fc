"""The columns of a response, filled in round by round."""

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from battery_contracts.enums import Provenance
from battery_contracts.twin import EstimateResponse
from battery_twin.arrays import FloatArray
from battery_twin.filter.states import NO_DISCHARGE_SEEN_S, FilterOutput
from battery_twin.fleet.ohmic import OhmicEstimate
from battery_twin.fleet.step import FleetStep
from battery_twin.kernel import constants, layout

PRIOR_ONLY, OHMIC_INFERRED, DISCHARGE_INFERRED = range(3)
_PROVENANCES = np.array([Provenance.PRIOR_ONLY, Provenance.OHMIC_INFERRED, Provenance.DISCHARGE_INFERRED], object)
_NUMBERS = (
    "soc_pct",
    "soc_sd_pct",
    "soh_pct",
    "soh_sd_pct",
    "resistance_mohm",
    "resistance_sd_mohm",
    "normalised_innovation_squared",
)


class ResultColumns:
    """Estimates (n,) by slot of the request; NaN and None until there is one."""

    def __init__(self, count: int) -> None:
        self._numbers: dict[str, FloatArray] = {name: np.full(count, np.nan) for name in _NUMBERS}
        self._provenances: dict[str, NDArray[Any]] = {
            name: np.full(count, None, object) for name in ("soc_provenance", "soh_provenance")
        }

    def enter(self, step: FleetStep, output: FilterOutput, ohmic: OhmicEstimate) -> Self:
        """Enter the estimates of one round."""
        slots, out, memory = step.slots, step.out, step.states.memory
        informative = out[:, layout.OUT_INFORMATIVE] != 0.0
        # Not yet assumed full again since a discharge: the charge is still counted from it.
        counted = (memory[:, layout.FLOATED_S] < constants.FLOAT_HELD_S) & (
            memory[:, layout.SINCE_DISCHARGE_S] < 0.5 * NO_DISCHARGE_SEEN_S
        )
        without_discharge = np.where(ohmic.lowers_soh, OHMIC_INFERRED, PRIOR_ONLY)
        nis = (out[:, layout.OUT_INNOVATION_V] / out[:, layout.OUT_INNOVATION_SD_V]) ** 2
        numbers = (
            100.0 * output.soc,
            100.0 * output.soc_sd,
            100.0 * ohmic.soh,
            100.0 * ohmic.soh_sd,
            np.where(ohmic.measured, ohmic.resistance_mohm, np.nan),
            np.where(ohmic.measured, ohmic.resistance_sd_mohm, np.nan),
            np.where(informative, nis, np.nan),
        )
        for name, values in zip(_NUMBERS, numbers, strict=True):
            self._numbers[name][slots] = values
        of_soc = np.where(informative | counted, DISCHARGE_INFERRED, PRIOR_ONLY)
        of_soh = np.where(output.discharged, DISCHARGE_INFERRED, without_discharge)
        self._provenances["soc_provenance"][slots] = _PROVENANCES[of_soc]
        self._provenances["soh_provenance"][slots] = _PROVENANCES[of_soh]
        return self

    def response(self, states: list[bytes | None], errors: list[str | None]) -> EstimateResponse:
        """Return the response; None where an estimate was withheld or a reading refused."""
        withheld = np.array([error is not None for error in errors], bool)
        columns: dict[str, Any] = {"state": states, "error": errors}
        for name, values in self._numbers.items():
            column = values.astype(object)
            column[withheld | np.isnan(values)] = None
            columns[name] = column.tolist()
        for name, provenances in self._provenances.items():
            provenances[withheld] = None
            columns[name] = provenances.tolist()
        # Built without validation: the types are ours, and 1,944 rows of eleven columns cost more than the filter.
        return EstimateResponse.model_construct(**columns)
