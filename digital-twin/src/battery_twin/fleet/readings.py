"""The readings of a call as arrays, and what is wrong with each."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Self

import numpy as np
from numpy.typing import NDArray

from battery_contracts.enums import StringMode
from battery_contracts.twin import EstimateRequest
from battery_twin.filter import kernel
from battery_twin.filter.kernel import FloatArray
from battery_twin.runs import LIMITS

MAX_GAP_S = 10 * 365.25 * 86400.0
MAX_RESISTANCE_MOHM = 1000.0
# A string told to float takes no more than this by its Hall sensor, offset included.
FLOAT_AT_MOST_C_RATE = 0.02
# What float takes where no probe tells: 0.3 mA an Ah.
FLOAT_A_PER_AH = 0.0003
# A block of a floating string below this is not on float, whatever the string is: a cell may be shorted.
FLOATING_AT_LEAST_V = 12.6

BoolArray = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Readings:
    """Columns (n,); NaN where nothing was sent."""

    dt_s: FloatArray
    voltage_v: FloatArray
    current_a: FloatArray
    temperature_c: FloatArray
    resistance_mohm: FloatArray
    float_current_a: FloatArray
    is_float: BoolArray
    age_days: FloatArray
    baseline_mohm: FloatArray

    @classmethod
    def of(cls, request: EstimateRequest) -> Self:
        """Take the columns of a request."""
        return cls(
            dt_s=_numbers(request.dt_s),
            voltage_v=_numbers(request.voltage_v),
            current_a=_numbers(request.current_a),
            temperature_c=_numbers(request.temperature_c),
            resistance_mohm=_numbers(request.internal_resistance_mohm),
            float_current_a=_numbers(request.float_current_ma) / 1000.0,
            is_float=np.array([mode == StringMode.FLOAT for mode in request.mode], bool),
            age_days=_numbers(request.age_days or [None] * len(request.battery_id)),
            baseline_mohm=_numbers(request.baseline_resistance_mohm or [None] * len(request.battery_id)),
        )

    def at(self, place: NDArray[np.int64]) -> Self:
        """Return the readings at places (m,)."""
        return type(self)(**{field.name: getattr(self, field.name)[place] for field in fields(self)})

    def told_to_float(self, rated_ah: FloatArray) -> BoolArray:
        """Say where (n,) the string floats by its mode and neither voltage nor current contradicts it."""
        with np.errstate(invalid="ignore"):
            takes_more = np.abs(self.current_a) > FLOAT_AT_MOST_C_RATE * rated_ah
            return self.is_float & ~takes_more & (self.voltage_v > kernel.RESTED_V)

    def probe_a(self, rated_ah: FloatArray) -> FloatArray:
        """Return what flows on float (n,): the probe's value, else what a block of this capacity takes."""
        return np.where(np.isfinite(self.float_current_a), self.float_current_a, FLOAT_A_PER_AH * rated_ah)


def faults(
    request: EstimateRequest, readings: Readings, has_state: BoolArray, needs_current: BoolArray
) -> list[str | None]:
    """Return the first thing wrong with each reading, by field, with the remedy; None where nothing is."""
    found: list[str | None] = [None] * len(readings.voltage_v)
    with np.errstate(invalid="ignore"):
        for field, sent, values in (
            ("voltage_v", request.voltage_v, readings.voltage_v),
            ("current_a", request.current_a, readings.current_a),
            ("temperature_c", request.temperature_c, readings.temperature_c),
        ):
            low, high = LIMITS[field]
            is_wrong = ~np.isfinite(values) & _given(sent) | (values < low) | (values > high)
            _note(found, is_wrong, f"{field}: a finite number from {low:g} to {high:g} is expected")
        _note(found, needs_current & np.isnan(readings.current_a), "current_a: missing, and the string does not float")
        resistance = readings.resistance_mohm
        is_wrong = _given(request.internal_resistance_mohm) & ~((resistance > 0) & (resistance <= MAX_RESISTANCE_MOHM))
        _note(found, is_wrong, f"internal_resistance_mohm: more than 0 and at most {MAX_RESISTANCE_MOHM:g} is expected")
        is_wrong = _given(request.float_current_ma) & ~np.isfinite(readings.float_current_a)
        _note(found, is_wrong, "float_current_ma: a finite number is expected")
        dt_s = readings.dt_s
        _note(found, has_state & ~_given(request.dt_s), "dt_s: missing; a battery with a state needs the time since")
        is_wrong = has_state & ~((dt_s > 0) & (dt_s <= MAX_GAP_S))
        _note(found, is_wrong, "dt_s: more than 0 s and at most ten years is expected; send readings in their order")
        if request.age_days is not None:
            age = readings.age_days
            _note(found, _given(request.age_days) & ~(age >= 0), "age_days: a finite number from 0 on is expected")
        if request.baseline_resistance_mohm is not None:
            is_wrong = _given(request.baseline_resistance_mohm) & ~(readings.baseline_mohm > 0)
            _note(found, is_wrong, "baseline_resistance_mohm: a finite number above 0 is expected")
    return found


def _numbers(values: Sequence[float | None]) -> FloatArray:
    return np.array(values, np.float64)


def _given(values: Sequence[float | None]) -> BoolArray:
    return np.array([value is not None for value in values], bool)


def _note(found: list[str | None], is_wrong: BoolArray, text: str) -> None:
    for at in np.flatnonzero(is_wrong).tolist():
        found[at] = found[at] or text
