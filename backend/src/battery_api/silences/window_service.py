"""What people do about maintenance windows: read, plan and end them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from battery_api.accounts.audit import record_audit
from battery_api.accounts.principal import Principal
from battery_api.alerts.engine.rules import RULE_BY_ID
from battery_api.alerts.grouping.hiding import SAFETY_RULES
from battery_api.silences import repository, window_repository
from battery_api.silences.effect import apply
from battery_api.silences.errors import WindowEnded, WindowNotFound
from battery_api.silences.repository import SilenceFilter, StoredSilence
from battery_api.silences.schemas import HiddenAlertPage, SilenceState
from battery_api.silences.scopes import find_scope
from battery_api.silences.service import check_span, list_hidden
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
from battery_contracts.incidents import IncidentEvent
from battery_servicekit.pagination import PageRequest

_KINDS: Final = tuple(kind.value for kind in WindowKind)
_EXPECTED_ON_DISCHARGE: Final = frozenset({AlertType.VOLTAGE_LOW, AlertType.STRING_IMBALANCE, AlertType.CURRENT_HIGH})
_EXPECTED: Final = frozenset({AlertType.MAINS_OUTAGE, AlertType.DATA_QUALITY})
EXPECTED_OF_TEST: Final = sorted(
    rule.rule_id
    for rule in RULE_BY_ID.values()
    if rule.rule_id not in SAFETY_RULES
    and (
        rule.type in _EXPECTED
        or (rule.type in _EXPECTED_ON_DISCHARGE and rule.rule_id.partition(".")[2].startswith("discharge"))
    )
)
"""Rules whose alerts a discharge test is expected to raise."""


class WindowService:
    """Maintenance windows for one caller on one connection; ``events`` are to be published after the commit."""

    def __init__(self, connection: AsyncConnection, principal: Principal, now: datetime) -> None:
        self._connection = connection
        self._principal = principal
        self._now = now
        self.events: list[IncidentEvent] = []

    async def list_windows(self, location_id: str | None, states: list[SilenceState], page: PageRequest) -> WindowPage:
        """List windows: open ones first, then those to come, then the newest of the others."""
        wanted = SilenceFilter(_KINDS, self._principal.location_codes, location_id, [state.value for state in states])
        stored, total = await repository.list_silences(
            self._connection, wanted, skip=page.skip, limit=page.limit, now=self._now
        )
        return WindowPage(items=[_shown(one) for one in stored], total=total, skip=page.skip, limit=page.limit)

    async def get_window(self, window_id: int) -> WindowDetail:
        """Return one window with the discharges of its strings."""
        window = _shown(await self._find(window_id))
        discharges = await window_repository.list_discharges(
            self._connection, window_id, self._principal.location_codes
        )
        return WindowDetail(**window.model_dump(), discharges=[WindowDischarge(**one._asdict()) for one in discharges])

    async def list_hidden(self, window_id: int, page: PageRequest) -> HiddenAlertPage:
        """List what a window covers or has covered."""
        await self._find(window_id)
        return await list_hidden(self._connection, self._principal, window_id, page)

    async def create(self, wanted: WindowIn) -> WindowDetail:
        """Plan a window; what it covers leaves the inbox when it starts."""
        check_span(wanted.starts_at, wanted.ends_at, self._now)
        keys = await find_scope(self._connection, self._principal, wanted.scope, wanted.scope_id)
        is_test = wanted.kind is WindowKind.TEST
        values = {
            "kind": wanted.kind.value,
            "scope": wanted.scope.value,
            **keys._asdict(),
            "rule_ids": EXPECTED_OF_TEST if is_test else None,
            "starts_at": wanted.starts_at,
            "planned_ends_at": wanted.ends_at,
            "ends_at": wanted.ends_at + LATEST_CLOSE if is_test else wanted.ends_at,
            "reason": wanted.reason,
            "created_at": self._now,
            "created_by": self._principal.name,
            "created_by_id": self._principal.user_id,
        }
        number = await repository.insert_silence(self._connection, values)
        await self._changed(number, "created", wanted.model_dump(mode="json"))
        return await self.get_window(number)

    async def end(self, window_id: int) -> WindowDetail:
        """End a window now, or cancel one that is to come; what lasts comes back at once."""
        window = await self._find(window_id, lock=True)
        if window.state == SilenceState.ENDED:
            raise WindowEnded(f"Maintenance window {window_id} has ended.", state=_shown(window))
        await repository.end(self._connection, window_id, at=self._now, actor=self._principal.name)
        await self._changed(window_id, "ended", {})
        return await self.get_window(window_id)

    async def _find(self, window_id: int, *, lock: bool = False) -> StoredSilence:
        wanted = SilenceFilter(_KINDS, self._principal.location_codes)
        window = await repository.find_silence(self._connection, window_id, wanted, now=self._now, lock=lock)
        if window is None:
            raise WindowNotFound(f"No maintenance window {window_id} that you may see.")
        return window

    async def _changed(self, window_id: int, change: str, data: Mapping[str, Any]) -> None:
        await record_audit(
            self._connection,
            actor=self._principal,
            action=f"maintenance_window.{change}",
            target=str(window_id),
            data=data,
        )
        self.events += await apply(self._connection, now=self._now)


def _shown(stored: StoredSilence) -> WindowOut:
    taken = set(WindowOut.model_fields) - {"window_id"}
    values = {name: value for name, value in stored._asdict().items() if name in taken}
    return WindowOut(window_id=stored.id, **values)
