"""The rules that judge remaining life and state of health; `rules` lists them with those that judge readings.

They look at a number that changes once a day or slowly, so they have no holds. Sources as in `rules`.
"""

from typing import Final

from battery_api.alerts.engine.ladders import Direction, Rule, SubjectKind
from battery_contracts.enums import AlertType, RespondWithin, Severity

LEAST_FALL_DAYS: Final = 90.0
"""A fall of the P50 by fewer days raises nothing, however large its share: short lives move much in percent; EJ."""


def _rule(
    alert_type: AlertType,
    name: str,
    signal: str,
    respond_within: RespondWithin,
    limits: tuple[float, float],
    *,
    unit: str,
    message_code: str,
    source: str,
    direction: Direction = Direction.BELOW,
) -> Rule:
    is_critical = respond_within is RespondWithin.SAME_DAY
    return Rule(
        rule_id=f"{alert_type.value}.{name}",
        type=alert_type,
        subject=SubjectKind.BATTERY,
        signal=signal,
        direction=direction,
        severity=Severity.CRITICAL if is_critical else Severity.WARNING,
        respond_within=respond_within,
        raise_value=limits[0],
        clear_value=limits[1],
        hold_s=0.0,
        clear_hold_s=0.0,
        unit=unit,
        message_code=message_code,
        source=source,
        has_hold=False,
    )


RUL_CRITICAL: Final = _rule(
    AlertType.RUL_CRITICAL,
    "p10",
    "rul_p10_days",
    RespondWithin.SAME_DAY,
    (90.0, 99.0),
    unit="d",
    message_code="rul_critical",
    source="EJ: requirement of the platform; clears 10 % above",
)
RUL_WARNING: Final = _rule(
    AlertType.RUL_WARNING,
    "p10",
    "rul_p10_days",
    RespondWithin.MONTH,
    (180.0, 198.0),
    unit="d",
    message_code="rul_warning",
    source="EJ: requirement of the platform; clears 10 % above",
)
RUL_CHANGE: Final = _rule(
    AlertType.RUL_CHANGE,
    "p50",
    "rul_p50_fall_pct",
    RespondWithin.MONTH,
    (30.0, 15.0),
    unit="%",
    message_code="rul_change",
    source="EJ: beyond what daily predictions differ by; clears when two later days agree within the clear value",
    direction=Direction.ABOVE,
)
SOH_WARNING: Final = _rule(
    AlertType.SOH_DEGRADED,
    "warning",
    "soh_pct",
    RespondWithin.WEEK,
    (80.0, 82.0),
    unit="%",
    message_code="soh_degraded",
    source="end of life at 80 % of rated capacity [FLK]; hysteresis EJ",
)
SOH_CRITICAL: Final = _rule(
    AlertType.SOH_DEGRADED,
    "critical",
    "soh_upper_pct",
    RespondWithin.SAME_DAY,
    (60.0, 62.0),
    unit="%",
    message_code="soh_degraded_critical",
    source="EJ: too little for the shortest promised runtime, however the estimate errs",
)

RUL_LADDER: Final = (RUL_CRITICAL, RUL_WARNING)
"""Rules of the P10, worst first; a battery has an alert of one of them at most."""
SOH_LADDER: Final = (SOH_CRITICAL, SOH_WARNING)
"""Rules of the state of health, worst first; they share one alert."""
PREDICTION_RULES: Final[tuple[Rule, ...]] = (RUL_WARNING, RUL_CRITICAL, RUL_CHANGE, SOH_WARNING, SOH_CRITICAL)
"""Rules that judge what is estimated of a battery, after each prediction and by the clock."""
