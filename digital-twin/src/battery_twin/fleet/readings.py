"""The readings of a call as arrays, and their validation."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Self

import numpy as np

from battery_contracts.enums import StringMode
from battery_contracts.twin import EstimateRequest
from battery_twin.arrays import BoolArray, FloatArray, IntArray
from battery_twin.filter.states import FLOAT_A_PER_AH
from battery_twin.kernel import constants
from battery_twin.runs import LIMITS

MAX_GAP_S = 10 * 365.25 * 86400.0
MAX_RESISTANCE_MOHM = 1000.0
# A string on float takes no more than this by its Hall sensor, offset included.
MAX_FLOAT_C_RATE = 0.02
# A block of a floating string below this voltage is not on float itself: a cell may be shorted.
MIN_FLOATING_V = 12.6


@dataclass(frozen=True, slots=True)
class FleetReadings:
    """Columns (n,) of a request, NaN where nothing was sent; ``is_float`` is the mode of the string."""

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
        """Convert the columns of a request."""
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

    def select(self, slots: IntArray) -> Self:
        """Return the readings at batch slots (m,)."""
        return type(self)(**{field.name: getattr(self, field.name)[slots] for field in fields(self)})

    def mode_is_float(self, rated_ah: FloatArray) -> BoolArray:
        """Return where (n,) the string is on float by its mode, and neither voltage nor current contradicts it."""
        with np.errstate(invalid="ignore"):
            draws_more = np.abs(self.current_a) > MAX_FLOAT_C_RATE * rated_ah
            return self.is_float & ~draws_more & (self.voltage_v > constants.RESTED_V)

    def float_a(self, rated_ah: FloatArray) -> FloatArray:
        """Return the float current (n,): the probe's value, else what is usual for the rated capacity (n,)."""
        return np.where(np.isfinite(self.float_current_a), self.float_current_a, FLOAT_A_PER_AH * rated_ah)


def reading_faults(request: EstimateRequest, readings: FleetReadings, needs_current: BoolArray) -> list[str | None]:
    """Return the first fault of each reading (n,) itself as field and remedy; None where there is none."""
    faults: list[str | None] = [None] * len(readings.voltage_v)
    with np.errstate(invalid="ignore"):
        for field, sent, values in (
            ("voltage_v", request.voltage_v, readings.voltage_v),
            ("current_a", request.current_a, readings.current_a),
            ("temperature_c", request.temperature_c, readings.temperature_c),
        ):
            low, high = LIMITS[field]
            is_wrong = ~np.isfinite(values) & _is_present(sent) | (values < low) | (values > high)
            _note(faults, is_wrong, f"{field}: a finite number from {low:g} to {high:g} is expected")
        _note(
            faults,
            needs_current & np.isnan(readings.current_a),
            "current_a: missing; it is required unless the string is on float",
        )
        resistance = readings.resistance_mohm
        is_valid = (resistance > 0) & (resistance <= MAX_RESISTANCE_MOHM)
        _note(
            faults,
            _is_present(request.internal_resistance_mohm) & ~is_valid,
            f"internal_resistance_mohm: more than 0 and at most {MAX_RESISTANCE_MOHM:g} is expected",
        )
        is_wrong = _is_present(request.float_current_ma) & ~np.isfinite(readings.float_current_a)
        _note(faults, is_wrong, "float_current_ma: a finite number is expected")
        if request.age_days is not None:
            age = readings.age_days
            is_wrong = _is_present(request.age_days) & ~(age >= 0)
            _note(faults, is_wrong, "age_days: a finite number of at least 0 is expected")
        if request.baseline_resistance_mohm is not None:
            is_wrong = _is_present(request.baseline_resistance_mohm) & ~(readings.baseline_mohm > 0)
            _note(faults, is_wrong, "baseline_resistance_mohm: a finite number above 0 is expected")
    return faults


def order_faults(dt_s: FloatArray, has_state: BoolArray) -> list[str | None]:
    """Return what is wrong with the times (n,) since the readings that the states belong to; None where nothing is."""
    faults: list[str | None] = [None] * len(dt_s)
    _note(
        faults,
        has_state & np.isnan(dt_s),
        "dt_s: missing; a battery with a state needs the time since its previous reading",
    )
    with np.errstate(invalid="ignore"):
        is_wrong = has_state & ~((dt_s > 0) & (dt_s <= MAX_GAP_S))
    _note(faults, is_wrong, "dt_s: more than 0 s and at most ten years is expected; send readings in order of time")
    return faults


def _numbers(values: Sequence[float | None]) -> FloatArray:
    return np.array(values, np.float64)


def _is_present(values: Sequence[float | None]) -> BoolArray:
    return np.array([value is not None for value in values], bool)


def _note(faults: list[str | None], is_wrong: BoolArray, text: str) -> None:
    for slot in np.flatnonzero(is_wrong).tolist():
        faults[slot] = faults[slot] or text
