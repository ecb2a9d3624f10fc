"""A block's identified circuit as a file: tables over state of charge, time constants, and how sure each of them is."""

import json
from dataclasses import asdict, dataclass, fields
from itertools import pairwise
from typing import Any, Self

import numpy as np

from battery_twin.filter.kernel import OCV_KNOTS, RESISTANCE_KNOTS
from battery_twin.identification.fit import ASSUMED_CAPACITY_SD, Fit
from battery_twin.identification.prior import (
    KNEE_C_RATE,
    OCV_SHIFT_SD_V,
    TAU1_S,
    TAU2_S,
    prior_for,
)

# An open-circuit voltage rises by 1.2 V from empty to full; a tenth of that is the least that is believed anywhere.
LEAST_SLOPE_V = 0.12
FORMAT = "battery-twin-parameters/1"
SIZES = {"ocv_v": len(OCV_KNOTS), "r0_ohm": len(RESISTANCE_KNOTS)}


class ParametersInvalid(ValueError):
    """A parameter set cannot be used; the message names the field."""


@dataclass(frozen=True, slots=True)
class ParameterSet:
    """Circuit of one 12 V block; tables from empty to full at `OCV_KNOTS` and `RESISTANCE_KNOTS`."""

    rated_ah: float
    capacity_ah: float
    capacity_sd_ah: float
    ocv_v: tuple[float, ...]
    ocv_shift_sd_v: float
    r0_ohm: tuple[float, ...]
    r1_ohm: tuple[float, ...]
    r2_ohm: tuple[float, ...]
    resistance_relative_sd: float
    tau1_s: float
    tau2_s: float
    knee_a: float
    voltage_rmse_v: float
    calibrated: bool

    @classmethod
    def default_for(cls, rated_ah: float) -> Self:
        """Return the data-sheet circuit scaled to a rated capacity, as uncertain as that is."""
        mean = prior_for(rated_ah).mean
        tables = np.split(mean, np.cumsum([len(OCV_KNOTS), len(RESISTANCE_KNOTS), len(RESISTANCE_KNOTS)]))
        ocv, r0, r1, r2 = (tuple(float(value) for value in table) for table in tables)
        return cls(
            rated_ah=rated_ah,
            capacity_ah=rated_ah,
            capacity_sd_ah=ASSUMED_CAPACITY_SD * rated_ah,
            ocv_v=ocv,
            ocv_shift_sd_v=OCV_SHIFT_SD_V,
            r0_ohm=r0,
            r1_ohm=r1,
            r2_ohm=r2,
            resistance_relative_sd=0.6,
            tau1_s=TAU1_S,
            tau2_s=TAU2_S,
            knee_a=KNEE_C_RATE * rated_ah,
            voltage_rmse_v=0.03,
            calibrated=False,
        )

    @classmethod
    def of_fit(cls, fit: Fit, rated_ah: float) -> Self:
        """Return what was identified."""
        middle_ocv_sd = float(np.median(fit.table("ocv")[1]))
        total = sum(fit.table(name)[0] for name in ("r0", "r1", "r2"))
        # Only the sum of the resistances is well known when the pair cannot be told apart.
        place = slice(len(OCV_KNOTS), None)
        together = np.tile(np.eye(len(RESISTANCE_KNOTS)), 3)
        sum_sd = np.sqrt(np.diag(together @ fit.covariance[place, place] @ together.T))
        residual = np.concatenate(fit.residual_v)
        return cls(
            rated_ah=rated_ah,
            capacity_ah=fit.capacity_ah,
            capacity_sd_ah=fit.capacity_sd_ah,
            ocv_v=_rising(fit.table("ocv")[0]),
            ocv_shift_sd_v=middle_ocv_sd,
            r0_ohm=_tuple(fit.table("r0")[0]),
            r1_ohm=_tuple(fit.table("r1")[0]),
            r2_ohm=_tuple(fit.table("r2")[0]),
            resistance_relative_sd=float(np.clip(np.median(sum_sd / total), 0.05, 0.6)),
            tau1_s=float(np.exp(fit.log_tau[0])),
            tau2_s=float(np.exp(fit.log_tau[1])),
            knee_a=fit.knee_a,
            voltage_rmse_v=float(np.sqrt(np.mean(residual**2))),
            calibrated=True,
        )

    def to_json(self) -> str:
        """Write the set as JSON."""
        return json.dumps(self.to_mapping(), indent=2) + "\n"

    def to_mapping(self) -> dict[str, Any]:
        """Return the set as JSON has it."""
        return {"format": FORMAT, **asdict(self)}

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read a set, naming the field that is wrong."""
        try:
            content = json.loads(text)
        except json.JSONDecodeError as failure:
            raise ParametersInvalid(f"not JSON: {failure}") from failure
        return cls.from_mapping(content)

    @classmethod
    def from_mapping(cls, content: Any) -> Self:
        """Read a set from a mapping, naming the field that is wrong."""
        if not isinstance(content, dict) or content.get("format") != FORMAT:
            raise ParametersInvalid(f"format: {FORMAT!r} is expected")
        values: dict[str, Any] = {}
        for field in fields(cls):
            if field.name not in content:
                raise ParametersInvalid(f"{field.name}: missing")
            values[field.name] = _checked(field.name, content[field.name])
        return cls(**values)


def _rising(ocv_v: np.ndarray[Any, np.dtype[np.float64]]) -> tuple[float, ...]:
    """Bend a curve that noise made fall towards full, from full down: voltage must tell charge."""
    steps = LEAST_SLOPE_V * np.diff(OCV_KNOTS, append=1.0)
    lifted = ocv_v + np.cumsum(steps[::-1])[::-1]
    return _tuple(np.minimum.accumulate(lifted[::-1])[::-1] - np.cumsum(steps[::-1])[::-1])


def _tuple(values: np.ndarray[Any, np.dtype[np.float64]]) -> tuple[float, ...]:
    return tuple(float(value) for value in values)


def _checked(name: str, value: Any) -> Any:
    if name == "calibrated":
        if not isinstance(value, bool):
            raise ParametersInvalid(f"{name}: true or false is expected")
        return value
    if name in {"ocv_v", "r0_ohm", "r1_ohm", "r2_ohm"}:
        size = SIZES["ocv_v"] if name == "ocv_v" else SIZES["r0_ohm"]
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
