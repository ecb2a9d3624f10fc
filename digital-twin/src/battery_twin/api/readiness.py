"""Readiness: one block is estimated by the same path as the fleet, and the result is judged."""

import math

import structlog

from battery_contracts.enums import StringMode
from battery_contracts.twin import EstimateRequest, EstimateResponse
from battery_servicekit.health import CheckState, Finding
from battery_twin.fleet.estimator import FleetEstimator

_log = structlog.get_logger(__name__)

FAILED = "estimate_failed"
REFUSED = "estimate_refused"
IMPLAUSIBLE = "estimate_implausible"
# Estimates, in percent, of a block two years old at the ten-hour current and 12.5 V, near 80 % of its charge.
PLAUSIBLE_SOC_PCT = (50.0, 100.0)
PLAUSIBLE_SOH_PCT = (70.0, 130.0)
MAX_SD_PCT = 50.0
MAX_NIS = 16.0


def check_estimator(estimator: FleetEstimator) -> Finding:
    """Estimate a reading of a block in discharge, then a second one from the state of the first.

    In discharge the whole filter takes part: prediction, update and the packing of states.

    The first call compiles the filter, or loads it from the cache; later ones take less than a millisecond. Nothing is
    kept from an earlier check.
    """
    try:
        first = estimator.estimate(_request(None))
        second = estimator.estimate(_request(first.state[0]))
    except Exception:  # noqa: BLE001  # whatever fails means "not ready", and the log has the cause
        _log.exception("the readiness estimate failed")
        return Finding(CheckState.DOWN, FAILED)
    for response in (first, second):
        if response.error[0] is not None:
            _log.error("the readiness estimate was refused", reason=response.error[0])
            return Finding(CheckState.DOWN, REFUSED)
        if not _is_plausible(response):
            _log.error("the readiness estimate is implausible", soc_pct=response.soc_pct, soh_pct=response.soh_pct)
            return Finding(CheckState.DOWN, IMPLAUSIBLE)
    return Finding(CheckState.UP)


def _is_plausible(response: EstimateResponse) -> bool:
    estimates = (
        (response.soc_pct[0], response.soc_sd_pct[0], PLAUSIBLE_SOC_PCT),
        (response.soh_pct[0], response.soh_sd_pct[0], PLAUSIBLE_SOH_PCT),
    )
    nis = response.normalised_innovation_squared[0]
    if not response.state[0] or nis is None or not nis <= MAX_NIS:
        return False
    return all(_lies_within(value, sd, limits) for value, sd, limits in estimates)


def _lies_within(value: float | None, sd: float | None, limits: tuple[float, float]) -> bool:
    if value is None or sd is None or not math.isfinite(value) or not math.isfinite(sd):
        return False
    return limits[0] <= value <= limits[1] and 0.0 < sd <= MAX_SD_PCT


def _request(state: bytes | None) -> EstimateRequest:
    return EstimateRequest(
        battery_id=["readiness"],
        model_id=["CSB-HX12-120"],
        dt_s=[None if state is None else 60.0],
        voltage_v=[12.5],
        current_a=[-12.0],
        temperature_c=[25.0],
        internal_resistance_mohm=[3.5],
        float_current_ma=[None],
        mode=[StringMode.DISCHARGE],
        state=[state],
        age_days=[700.0],
        rated_ah=[120.0],
        baseline_resistance_mohm=[3.5],
    )
