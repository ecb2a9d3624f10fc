"""Examples of the alert endpoints for their OpenAPI description."""

from datetime import UTC, date, datetime
from typing import Final

from battery_api.alerts.engine.ladders import Direction, Gate, SubjectKind
from battery_api.alerts.limits import OverrideScope
from battery_api.alerts.schemas import (
    AcknowledgeIn,
    AlertDetail,
    AlertPage,
    AlertStats,
    BoundsOut,
    CommentIn,
    DayCounts,
    EffectiveRuleOut,
    Origin,
    OverrideIn,
    OverrideOut,
    ResolveIn,
    RuleOut,
    TimelineEntryOut,
)
from battery_contracts.alerts import AlertOut
from battery_contracts.enums import AlertType, RespondWithin, Severity
from battery_servicekit.openapi.examples import Example, Examples
from battery_servicekit.pagination import Page

_RAISED_AT: Final = datetime(2026, 11, 20, 0, 41, tzinfo=UTC)
_ACKNOWLEDGED_AT: Final = datetime(2026, 11, 20, 1, 12, 5, tzinfo=UTC)
_RESOLVED_AT: Final = datetime(2026, 11, 20, 3, 30, tzinfo=UTC)
ALERT: Final = AlertOut(
    alert_id=4711,
    type=AlertType.TEMPERATURE_HIGH,
    severity=Severity.CRITICAL,
    respond_within=RespondWithin.SAME_DAY,
    rule_id="temperature_high.critical",
    location_id="DC-CNX-01",
    system_id="DC-CNX-01-UPS-01",
    string_id="DC-CNX-01-UPS-01-STR-01",
    battery_id="BAT-DC-CNX-01-UPS-01-STR-01-001",
    is_active=True,
    raised_at=_RAISED_AT,
    cleared_at=None,
    acknowledged_at=None,
    acknowledged_by=None,
    resolved_at=None,
    resolved_by=None,
    value=40.6,
    threshold=40.0,
    unit="°C",
    peak_value=42.3,
    message="Temperature 40.6 °C, above 40.0 °C",
    message_code="temperature_high",
    message_params={"value": 40.6, "threshold": 40.0},
)
"""One alert, as the examples of other features vary it."""
_RAISED: Final = TimelineEntryOut(
    event_id=9120, at=_RAISED_AT, kind="raised", actor=None, note=None, data={"value": 40.6, "threshold": 40.0}
)
_ACKNOWLEDGED: Final = TimelineEntryOut(
    event_id=9127, at=_ACKNOWLEDGED_AT, kind="acknowledged", actor="somchai", note="Checking the charger.", data={}
)
_COMMENT: Final = TimelineEntryOut(
    event_id=9131,
    at=datetime(2026, 11, 20, 1, 40, tzinfo=UTC),
    kind="comment",
    actor="somchai",
    note="Fan 2 of the rack stands still; ordered.",
    data={},
)
_RESOLVED: Final = TimelineEntryOut(
    event_id=9140, at=_RESOLVED_AT, kind="resolved", actor="somchai", note="Fan replaced.", data={}
)
_DETAIL: Final = AlertDetail(**ALERT.model_dump(), timeline=[_RAISED])
_ACKNOWLEDGED_DETAIL: Final = _DETAIL.model_copy(
    update={
        "acknowledged_at": _ACKNOWLEDGED_AT,
        "acknowledged_by": "somchai",
        "timeline": [_RAISED, _ACKNOWLEDGED],
    }
)
_OVERRIDE: Final = OverrideOut(
    scope=OverrideScope.STRING,
    scope_id="DC-CNX-01-UPS-01-STR-01",
    raise_value=33.0,
    clear_value=32.0,
    override_id=12,
    rule_id="temperature_high.warning",
    updated_at=datetime(2026, 11, 18, 4, 0, tzinfo=UTC),
    updated_by="somchai",
)
_RULE: Final = RuleOut(
    rule_id="temperature_high.warning",
    type=AlertType.TEMPERATURE_HIGH,
    severity=Severity.WARNING,
    respond_within=RespondWithin.MONTH,
    subject=SubjectKind.BATTERY,
    signal="temperature_c",
    direction=Direction.ABOVE,
    unit="°C",
    raise_value=30.0,
    clear_value=29.0,
    hold_s=86_400.0,
    clear_hold_s=300.0,
    gate=Gate.ALWAYS,
    after_commissioning=False,
    adjustable=True,
    has_hold=True,
    bounds=BoundsOut(low=-20.0, high=100.0),
    floor=None,
    source="EJ: life shortens",
    overrides=[_OVERRIDE],
)
_BY_DEFAULT: Final = Origin(scope="default", scope_id=None)
_OF_STRING: Final = Origin(scope=OverrideScope.STRING, scope_id="DC-CNX-01-UPS-01-STR-01")
_EFFECTIVE: Final = EffectiveRuleOut(
    **_RULE.model_dump(
        include={"rule_id", "type", "severity", "respond_within", "signal", "direction", "unit", "gate", "source"}
    ),
    raise_value=33.0,
    clear_value=32.0,
    hold_s=86_400.0,
    clear_hold_s=300.0,
    enabled=True,
    origin={
        "raise_value": _OF_STRING,
        "clear_value": _OF_STRING,
        "hold_s": _BY_DEFAULT,
        "clear_hold_s": _BY_DEFAULT,
        "enabled": _BY_DEFAULT,
    },
)

EXAMPLES: Final[Examples] = {
    "alerts_list_alerts": Example(
        AlertPage(items=[ALERT], total=1, skip=0, limit=100, active_count=1, pending_count=1)
    ),
    "alerts_get_alert_stats": Example(
        AlertStats(
            open_count=3,
            active_count=2,
            pending_count=1,
            by_severity={Severity.INFO: 0, Severity.WARNING: 1, Severity.CRITICAL: 1},
            by_type={"resistance_drift": 1, "temperature_high": 1},
            by_location={"DC-CNX-01": 2},
            per_day=[DayCounts(day=date(2026, 11, 20), warning=1, critical=1)],
        )
    ),
    "alerts_get_alert": Example(_DETAIL),
    "alerts_acknowledge_alert": Example(_ACKNOWLEDGED_DETAIL, request=AcknowledgeIn(note="Checking the charger.")),
    "alerts_comment_on_alert": Example(
        _ACKNOWLEDGED_DETAIL.model_copy(update={"timeline": [_RAISED, _ACKNOWLEDGED, _COMMENT]}),
        request=CommentIn(note="Fan 2 of the rack stands still; ordered."),
    ),
    "alerts_resolve_alert": Example(
        _ACKNOWLEDGED_DETAIL.model_copy(
            update={
                "is_active": False,
                "cleared_at": datetime(2026, 11, 20, 2, 50, tzinfo=UTC),
                "resolved_at": _RESOLVED_AT,
                "resolved_by": "somchai",
                "timeline": [_RAISED, _ACKNOWLEDGED, _RESOLVED],
            }
        ),
        request=ResolveIn(note="Fan replaced."),
    ),
    "alerts_list_alert_rules": Example(Page[RuleOut](items=[_RULE], total=1, skip=0, limit=100)),
    "alerts_put_alert_rule_override": Example(
        _OVERRIDE,
        request=OverrideIn(
            scope=OverrideScope.STRING, scope_id="DC-CNX-01-UPS-01-STR-01", raise_value=33.0, clear_value=32.0
        ),
    ),
    "alerts_list_battery_alert_rules": Example(Page[EffectiveRuleOut](items=[_EFFECTIVE], total=1, skip=0, limit=100)),
}
