"""Examples of the endpoints of silences and tags for their OpenAPI description."""

from datetime import UTC, datetime
from typing import Final

from battery_api.incidents.examples import ALERT
from battery_api.silences.schemas import (
    HiddenAlertOut,
    HiddenAlertPage,
    SilenceIn,
    SilenceOut,
    SilencePage,
    SilenceScope,
    SilenceState,
    TagsIn,
    TagsOut,
)
from battery_api.silences.window_schemas import (
    LATEST_CLOSE,
    WindowDetail,
    WindowDischarge,
    WindowIn,
    WindowKind,
    WindowOut,
    WindowPage,
)
from battery_contracts.enums import AlertType
from battery_servicekit.openapi.examples import Example, Examples

_STRING: Final = "DC-CNX-01-UPS-01-STR-01"
_SET_AT: Final = datetime(2026, 11, 20, 11, 58, tzinfo=UTC)
_APPROVED_AT: Final = datetime(2026, 11, 20, 12, 20, tzinfo=UTC)
_ENDED_AT: Final = datetime(2026, 11, 20, 16, 30, tzinfo=UTC)
_ENDS_AT: Final = datetime(2026, 11, 20, 19, 0, tzinfo=UTC)
_REASON: Final = "String is isolated for the replacement of its blocks."
_SILENCE: Final = SilenceOut(
    silence_id=12,
    state=SilenceState.ACTIVE,
    scope=SilenceScope.STRING,
    scope_id=_STRING,
    types=[AlertType.VOLTAGE_LOW],
    starts_at=_SET_AT,
    ends_at=_ENDS_AT,
    reason=_REASON,
    covers_safety=False,
    created_at=_SET_AT,
    created_by="somchai",
    approved_at=None,
    approved_by=None,
    ended_at=None,
    ended_by=None,
    hidden_count=0,
)
_APPROVED: Final = _SILENCE.model_copy(
    update={"covers_safety": True, "approved_at": _APPROVED_AT, "approved_by": "nok", "hidden_count": 24}
)
_ENDED: Final = _APPROVED.model_copy(update={"state": SilenceState.ENDED, "ended_at": _ENDED_AT, "ended_by": "somchai"})
_TAGS: Final = TagsOut(string_id=_STRING, tags=["room-b", "winter-test"])

_WINDOW: Final = WindowOut(
    window_id=13,
    kind=WindowKind.TEST,
    state=SilenceState.ACTIVE,
    scope=SilenceScope.STRING,
    scope_id=_STRING,
    starts_at=_SET_AT,
    planned_ends_at=_ENDS_AT,
    ends_at=_ENDS_AT + LATEST_CLOSE,
    reason="Yearly discharge test.",
    created_at=_SET_AT,
    created_by="somchai",
    ended_at=None,
    ended_by=None,
    hidden_count=0,
)
_PLANNED: Final = WindowDetail(**_WINDOW.model_dump(), discharges=[])
_TESTED: Final = _PLANNED.model_copy(
    update={
        "hidden_count": 1,
        "discharges": [
            WindowDischarge(
                discharge_id=71,
                string_id=_STRING,
                started_at=_APPROVED_AT,
                ended_at=_ENDED_AT,
                depth_pct=62.4,
                complete=True,
                is_open=False,
            )
        ],
    }
)

EXAMPLES: Final[Examples] = {
    "silences_list_silences": Example(SilencePage(items=[_APPROVED], total=1, skip=0, limit=100)),
    "silences_create_silence": Example(
        _SILENCE,
        request=SilenceIn(
            scope=SilenceScope.STRING,
            scope_id=_STRING,
            types=[AlertType.VOLTAGE_LOW],
            ends_at=_ENDS_AT,
            reason=_REASON,
        ),
    ),
    "silences_get_silence": Example(_APPROVED),
    "silences_list_silenced_alerts": Example(
        HiddenAlertPage(
            items=[HiddenAlertOut(alert=ALERT, from_at=_APPROVED_AT, until_at=None)], total=24, skip=0, limit=1
        )
    ),
    "silences_approve_silence": Example(_APPROVED),
    "silences_end_silence": Example(_ENDED),
    "maintenance_list_windows": Example(WindowPage(items=[_WINDOW], total=1, skip=0, limit=100)),
    "maintenance_create_window": Example(
        _PLANNED,
        request=WindowIn(
            kind=WindowKind.TEST,
            scope=SilenceScope.STRING,
            scope_id=_STRING,
            starts_at=_SET_AT,
            ends_at=_ENDS_AT,
            reason="Yearly discharge test.",
        ),
    ),
    "maintenance_get_window": Example(_TESTED),
    "maintenance_list_alerts_of_window": Example(
        HiddenAlertPage(
            items=[HiddenAlertOut(alert=ALERT, from_at=_APPROVED_AT, until_at=None)], total=1, skip=0, limit=100
        )
    ),
    "maintenance_end_window": Example(
        _TESTED.model_copy(update={"state": SilenceState.ENDED, "ended_at": _ENDED_AT, "ended_by": "somchai"})
    ),
    "silences_get_string_tags": Example(_TAGS),
    "silences_put_string_tags": Example(_TAGS, request=TagsIn(tags=["room-b", "winter-test"])),
}
