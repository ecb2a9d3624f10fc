"""Parameters of a battery model's equivalent circuit, and their JSON form."""

import json
from dataclasses import asdict, dataclass, fields
from itertools import pairwise
from typing import Any, Self

import numpy as np

from battery_twin.kernel.layout import OCV_KNOTS, RESISTANCE_KNOTS

FORMAT = "battery-twin-parameters/2"
TABLE_SIZES = {
    "ocv_v": len(OCV_KNOTS),
    "r0_ohm": len(RESISTANCE_KNOTS),
    "r1_ohm": len(RESISTANCE_KNOTS),
    "r2_ohm": len(RESISTANCE_KNOTS),
}


class ParametersInvalid(ValueError):
    """A parameter set cannot be used; the message names the field."""


@dataclass(frozen=True, slots=True)
class ParameterSet:
    """Circuit of one 12 V block at 25 degC.

    Parameters
    ----------
    rated_ah, capacity_ah
        Nameplate capacity at the 10 h rate, and the capacity of the block that the set was identified from.
    ocv_v
        Open-circuit voltage at `OCV_KNOTS`, rising from empty to full.
    ocv_shift_sd_v
        Standard deviation of an error that shifts the whole curve.
    r0_ohm, r1_ohm, r2_ohm
        Ohmic resistance and the two polarisation resistances at `RESISTANCE_KNOTS`.
    resistance_relative_sd
        Standard deviation of a factor of the ohmic resistance between blocks.
    polarisation_relative_sd
        Standard deviation of a common factor of the two polarisation resistances between blocks.
    tau1_s, tau2_s
        Time constants of the fast and the slow branch.
    knee_a
        Current above which the slow branch saturates.
    tau_d_s
        Time constant of the diffusion of acid into the plates.
    depletion_h
        Charge that is missing at the plates in a lasting discharge, over the current in multiples of the capacity per
        hour.
    depletion_relative_sd
        Standard deviation of a common factor of ``depletion_h`` between blocks.
    voltage_error_sd_v
        Standard deviation of slow voltage errors that the circuit does not describe.
    voltage_rmse_v
        Root mean square of the residuals of the fit.
    calibrated
        Whether the set was identified from recorded runs rather than scaled from a data sheet.
    """

    rated_ah: float
    capacity_ah: float
    capacity_sd_ah: float
    ocv_v: tuple[float, ...]
    ocv_shift_sd_v: float
    r0_ohm: tuple[float, ...]
    r1_ohm: tuple[float, ...]
    r2_ohm: tuple[float, ...]
    resistance_relative_sd: float
    polarisation_relative_sd: float
    tau1_s: float
    tau2_s: float
    knee_a: float
    tau_d_s: float
    depletion_h: float
    depletion_relative_sd: float
    voltage_error_sd_v: float
    voltage_rmse_v: float
    calibrated: bool

    def to_json(self) -> str:
        """Return the set as JSON text."""
        return json.dumps(self.to_mapping(), indent=2) + "\n"

    def to_mapping(self) -> dict[str, Any]:
        """Return the set as a JSON object."""
        return {"format": FORMAT, **asdict(self)}

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read a set from JSON text; raises `ParametersInvalid` with the field that is wrong."""
        try:
            content = json.loads(text)
        except json.JSONDecodeError as failure:
            raise ParametersInvalid(f"not JSON: {failure}") from failure
        return cls.from_mapping(content)

    @classmethod
    def from_mapping(cls, content: Any) -> Self:
        """Read a set from a JSON object; raises `ParametersInvalid` with the field that is wrong."""
        if not isinstance(content, dict) or content.get("format") != FORMAT:
            raise ParametersInvalid(f"format: {FORMAT!r} is expected")
        values: dict[str, Any] = {}
        for field in fields(cls):
            if field.name not in content:
                raise ParametersInvalid(f"{field.name}: missing")
            values[field.name] = _checked(field.name, content[field.name])
        return cls(**values)


def _checked(name: str, value: Any) -> Any:
    if name == "calibrated":
        if not isinstance(value, bool):
            raise ParametersInvalid(f"{name}: true or false is expected")
        return value
    if name in TABLE_SIZES:
        size = TABLE_SIZES[name]
        if not isinstance(value, (list, tuple)) or len(value) != size:
            raise ParametersInvalid(f"{name}: a list of {size} numbers is expected")
        numbers = tuple(_number(name, item) for item in value)
        if name == "ocv_v" and any(late <= early for early, late in pairwise(numbers)):
            raise ParametersInvalid(f"{name}: must rise from empty to full")
        return numbers
    return _number(name, value)


def _number(name: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not np.isfinite(value) or value <= 0:
        raise ParametersInvalid(f"{name}: {value!r} is not a finite number above zero")
    return float(value)
