"""Estimates as the API shows them: with an interval and their provenance, or the reason why there is none."""

from typing import Final, Literal

from battery_api.fleet.schemas import Estimate
from battery_contracts.enums import NoEstimateReason, Provenance, ReadingQuality

Z90: Final = 1.645
"""Two-sided 90 % of a normal distribution: the coverage of the intervals that the API shows."""

UPPER_BOUND_PCT: Final = {"soc": 100.0, "soh": 150.0}
"""Charge cannot exceed 100 %, but a new battery can deliver more than its rated capacity."""

_REASONS: Final = {
    ReadingQuality.SENSOR_FAULT: NoEstimateReason.SENSOR_FAULT,
    ReadingQuality.CONTRADICTS_CIRCUIT: NoEstimateReason.CONTRADICTS_CIRCUIT,
    ReadingQuality.OUTSIDE_MODEL: NoEstimateReason.OUTSIDE_MODEL,
    ReadingQuality.TWIN_UNAVAILABLE: NoEstimateReason.TWIN_UNAVAILABLE,
}


def estimate_of(
    quantity: Literal["soc", "soh"],
    value_pct: float | None,
    sd_pct: float | None,
    provenance: str | None,
    quality: ReadingQuality,
) -> Estimate:
    """Return an estimate with its 90 % interval."""
    # An estimate without its standard deviation or its provenance is not shown.
    if value_pct is None or sd_pct is None or provenance is None:
        return no_estimate(reason_for_none(quality))
    return Estimate(
        value_pct=value_pct,
        low_pct=max(0.0, value_pct - Z90 * sd_pct),
        high_pct=min(UPPER_BOUND_PCT[quantity], value_pct + Z90 * sd_pct),
        provenance=Provenance(provenance),
        reason=None,
    )


def reason_for_none(quality: ReadingQuality) -> NoEstimateReason:
    """Return why a battery has no estimate, by the flags of its newest reading."""
    reason = next((reason for flag, reason in _REASONS.items() if flag in quality), None)
    return reason or NoEstimateReason.NO_ESTIMATE_YET


def no_estimate(reason: NoEstimateReason) -> Estimate:
    """Return an empty estimate with the reason."""
    return Estimate(value_pct=None, low_pct=None, high_pct=None, provenance=None, reason=reason)
