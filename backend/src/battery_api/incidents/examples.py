"""Examples of the incident endpoints for their OpenAPI description."""

from datetime import UTC, datetime
from typing import Final

from battery_api.alerts import examples as alert_examples
from battery_api.incidents.figures_out import FrequentAlert, HandlingTimes, IncidentFigures, StandingIncident
from battery_api.incidents.notes import TEMPLATES
from battery_api.incidents.schemas import (
    AcknowledgeIncidentIn,
    AssignIn,
    BulkAcknowledged,
    BulkAcknowledgeIn,
    BulkRefusal,
    EndSnoozeIn,
    IncidentCommentIn,
    IncidentDetail,
    IncidentEntryOut,
    IncidentPage,
    NoteTemplates,
    Resolved,
    ResolveIncidentIn,
    SeenIncident,
    SnoozeIn,
)
from battery_contracts.alerts import AlertOut
from battery_contracts.enums import AlertType, RespondWithin, Severity
from battery_contracts.incidents import IncidentFamily, IncidentOut, IncidentStatus
from battery_servicekit.openapi.examples import Example, Examples
from battery_servicekit.pagination import Page

_OPENED_AT: Final = datetime(2026, 11, 20, 0, 41, tzinfo=UTC)
_ACKNOWLEDGED_AT: Final = datetime(2026, 11, 20, 1, 12, 5, tzinfo=UTC)
_UNTIL: Final = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
_RESOLVED_AT: Final = datetime(2026, 11, 20, 3, 30, tzinfo=UTC)
ALERT: Final = alert_examples.ALERT.model_copy(
    update={
        "type": AlertType.VOLTAGE_LOW,
        "rule_id": "voltage_low.danger",
        "value": 0.5,
        "threshold": 2.0,
        "unit": "V",
        "peak_value": 0.5,
        "message": "Voltage 0.50 V: open, shorted or reversed battery, or a loose sense lead; isolate it first",
        "message_code": "voltage_lost",
        "message_params": {"value": 0.5, "threshold": 2.0},
        "incident_id": 318,
    }
)
"""An alert of an incident."""
_INCIDENT: Final = IncidentOut(
    incident_id=318,
    family=IncidentFamily.VOLTAGE,
    status=IncidentStatus.OPEN,
    severity=Severity.CRITICAL,
    respond_within=RespondWithin.SAME_DAY,
    location_id="DC-CNX-01",
    system_id="DC-CNX-01-UPS-01",
    string_id="DC-CNX-01-UPS-01-STR-01",
    battery_id=None,
    types=[AlertType.VOLTAGE_LOW],
    lead=ALERT,
    is_active=True,
    opened_at=_OPENED_AT,
    cleared_at=None,
    alert_count=24,
    active_count=24,
    unacknowledged_count=24,
    battery_count=24,
    acknowledged_at=None,
    acknowledged_by=None,
    assignee=None,
    snoozed_until=None,
    hidden_by=None,
    resolved_at=None,
    resolved_by=None,
    merged_into=None,
    revision=1,
    updated_at=_OPENED_AT,
)
_OPENED: Final = IncidentEntryOut(
    event_id=910,
    at=_OPENED_AT,
    kind="opened",
    actor=None,
    note=None,
    data={"severity": "critical", "alert_count": 24},
)


def _entry(event_id: int, at: datetime, kind: str, note: str | None, **data: object) -> IncidentEntryOut:
    return IncidentEntryOut.model_validate(
        {"event_id": event_id, "at": at, "kind": kind, "actor": "somchai", "note": note, "data": data}
    )


def _detail(*entries: IncidentEntryOut, **changes: object) -> IncidentDetail:
    values = _INCIDENT.model_dump() | changes
    return IncidentDetail.model_validate({**values, "timeline": [_OPENED, *entries]})


_ACKNOWLEDGED: Final = _detail(
    _entry(917, _ACKNOWLEDGED_AT, "acknowledged", "On site, checking.", alert_count=24),
    status="acknowledged",
    acknowledged_at=_ACKNOWLEDGED_AT,
    acknowledged_by="somchai",
    unacknowledged_count=0,
    revision=2,
)
_NOTE: Final = "On site, checking."

EXAMPLES: Final[Examples] = {
    "incidents_list_incidents": Example(
        IncidentPage(
            items=[_INCIDENT],
            total=1,
            skip=0,
            limit=100,
            open_count=1,
            critical_count=1,
            alert_count=24,
            hidden_count=0,
        )
    ),
    "incidents_list_note_templates": Example(NoteTemplates(items=list(TEMPLATES[:2]))),
    "incidents_get_incident_figures": Example(
        IncidentFigures(
            start=datetime(2026, 11, 13, 0, 0, tzinfo=UTC),
            end=datetime(2026, 11, 20, 0, 0, tzinfo=UTC),
            operators=2,
            incident_count=31,
            alert_count=402,
            grouped_pct=92.3,
            mean_per_10min=0.015,
            peak_per_10min=1.5,
            flood_pct=0.0,
            load="acceptable",
            standing_count=1,
            standing=[
                StandingIncident(
                    incident_id=318,
                    family=IncidentFamily.VOLTAGE,
                    location_id="DC-CNX-01",
                    string_id="DC-CNX-01-UPS-01-STR-01",
                    severity=Severity.CRITICAL,
                    opened_at=_OPENED_AT,
                    acknowledged_at=_ACKNOWLEDGED_AT,
                )
            ],
            chattering_count=0,
            chattering=[],
            most_frequent=[
                FrequentAlert(
                    subject="BAT-DC-CNX-01-UPS-01-STR-01-001",
                    type=AlertType.VOLTAGE_LOW,
                    rule_id="voltage_low.danger",
                    times=4,
                    share_pct=1.0,
                )
            ],
            handling=[
                HandlingTimes(
                    severity=Severity.CRITICAL,
                    incident_count=3,
                    acknowledged_count=3,
                    cleared_count=2,
                    acknowledge_p50_s=420,
                    acknowledge_p90_s=1_260,
                    clear_p50_s=5_400,
                    clear_p90_s=9_000,
                )
            ],
        )
    ),
    "incidents_get_incident": Example(_detail()),
    "incidents_list_incident_alerts": Example(Page[AlertOut](items=[ALERT], total=24, skip=0, limit=1)),
    "incidents_acknowledge_incident": Example(_ACKNOWLEDGED, request=AcknowledgeIncidentIn(revision=1, note=_NOTE)),
    "incidents_acknowledge_incidents": Example(
        BulkAcknowledged(
            acknowledged=[IncidentOut(**_ACKNOWLEDGED.model_dump(exclude={"timeline"}))],
            refused=[
                BulkRefusal(
                    incident_id=320,
                    code="incident_changed",
                    detail="Incident 320 has changed since (revision 3, yours 2): it is open and critical. "
                    "Look at it and try again.",
                    incident=_INCIDENT.model_copy(update={"incident_id": 320, "revision": 3}),
                )
            ],
        ),
        request=BulkAcknowledgeIn(
            incidents=[SeenIncident(incident_id=318, revision=1), SeenIncident(incident_id=320, revision=2)],
            note=_NOTE,
        ),
    ),
    "incidents_assign_incident": Example(
        _detail(
            _entry(918, _ACKNOWLEDGED_AT, "assigned", None, assignee="somchai", assignee_before=None),
            assignee="somchai",
            revision=2,
        ),
        request=AssignIn(revision=1, assignee="somchai"),
    ),
    "incidents_comment_on_incident": Example(
        _detail(_entry(919, _ACKNOWLEDGED_AT, "comment", "Breaker of the string is open.")),
        request=IncidentCommentIn(note="Breaker of the string is open."),
    ),
    "incidents_snooze_incident": Example(
        _detail(
            _entry(920, _ACKNOWLEDGED_AT, "snoozed", "Electrician comes at 16:00.", until="2026-11-20T09:00:00Z"),
            status="snoozed",
            snoozed_until=_UNTIL,
            revision=2,
        ),
        request=SnoozeIn(revision=1, note="Electrician comes at 16:00.", until=_UNTIL),
    ),
    "incidents_end_snooze": Example(
        _detail(_entry(921, _ACKNOWLEDGED_AT, "snooze_ended", None), revision=3), request=EndSnoozeIn(revision=2)
    ),
    "incidents_resolve_incident": Example(
        Resolved(
            incident=_detail(
                _entry(930, _RESOLVED_AT, "resolved", "Breaker closed again.", active_count=0),
                status="resolved",
                is_active=False,
                active_count=0,
                unacknowledged_count=0,
                cleared_at=_RESOLVED_AT,
                resolved_at=_RESOLVED_AT,
                resolved_by="somchai",
                revision=2,
            ),
            still_active_count=0,
        ),
        request=ResolveIncidentIn(revision=1, note="Breaker closed again."),
    ),
}
