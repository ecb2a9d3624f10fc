"""What people do about silences: read, set, approve and end them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from battery_api.accounts.audit import record_audit
from battery_api.accounts.principal import Forbidden, Principal
from battery_api.alerts import repository as alert_repository
from battery_api.silences import repository
from battery_api.silences.effect import apply
from battery_api.silences.errors import (
    NothingToApprove,
    SelfApproval,
    SilenceEnded,
    SilenceInvalid,
    SilenceNotFound,
    SilenceTooWide,
)
from battery_api.silences.repository import SilenceFilter, StoredSilence
from battery_api.silences.schemas import (
    EARLIEST_START,
    LONGEST_SILENCE,
    HiddenAlertOut,
    HiddenAlertPage,
    SilenceIn,
    SilenceOut,
    SilencePage,
    SilenceScope,
    SilenceState,
)
from battery_api.silences.scopes import find_scope
from battery_contracts.incidents import IncidentEvent
from battery_servicekit.pagination import PageRequest
from battery_servicekit.problems import FieldError

_KINDS: Final = ("silence",)


class SilenceService:
    """Silences for one caller on one connection; ``events`` are to be published after the commit."""

    def __init__(self, connection: AsyncConnection, principal: Principal, now: datetime) -> None:
        self._connection = connection
        self._principal = principal
        self._now = now
        self.events: list[IncidentEvent] = []

    async def list_silences(
        self, location_id: str | None, states: list[SilenceState], page: PageRequest
    ) -> SilencePage:
        """List silences: those in force first, then those to come, then the newest of the others."""
        wanted = SilenceFilter(_KINDS, self._principal.location_codes, location_id, [state.value for state in states])
        stored, total = await repository.list_silences(
            self._connection, wanted, skip=page.skip, limit=page.limit, now=self._now
        )
        return SilencePage(items=[_shown(one) for one in stored], total=total, skip=page.skip, limit=page.limit)

    async def get_silence(self, silence_id: int) -> SilenceOut:
        """Return one silence."""
        return _shown(await self._find(silence_id))

    async def list_hidden(self, silence_id: int, page: PageRequest) -> HiddenAlertPage:
        """List what a silence covers or has covered; what came back and was covered again has several entries."""
        await self._find(silence_id)
        return await list_hidden(self._connection, self._principal, silence_id, page)

    async def create(self, wanted: SilenceIn) -> SilenceOut:
        """Set a silence; what it covers leaves the inbox at once, if it has begun."""
        starts_at = wanted.starts_at or self._now
        check_span(starts_at, wanted.ends_at, self._now)
        self._check_safety(wanted)
        keys = await find_scope(self._connection, self._principal, wanted.scope, wanted.scope_id)
        values = {
            "kind": "silence",
            "scope": wanted.scope.value,
            **keys._asdict(),
            "types": None if wanted.types is None else sorted({one.value for one in wanted.types}),
            "starts_at": starts_at,
            "ends_at": wanted.ends_at,
            "reason": wanted.reason,
            "covers_safety": wanted.covers_safety,
            "created_at": self._now,
            "created_by": self._principal.name,
            "created_by_id": self._principal.user_id,
        }
        number = await repository.insert_silence(self._connection, values)
        await self._changed(number, "created", wanted.model_dump(mode="json", exclude_none=True))
        return await self.get_silence(number)

    async def approve(self, silence_id: int) -> SilenceOut:
        """Approve that a silence of somebody else covers life-safety alerts too."""
        silence = await self._find_running(silence_id)
        if not silence.covers_safety or silence.approved_at is not None:
            was = "was approved" if silence.covers_safety else "covers no life-safety alerts"
            raise NothingToApprove(f"Silence {silence_id} {was}.", state=_shown(silence))
        by = self._principal.user_id
        if by is None or by == silence.created_by_id:
            raise SelfApproval(f"Silence {silence_id} was set by you; another engineer or administrator approves it.")
        # The whole of a tag, not only the part that the caller may see.
        await find_scope(self._connection, self._principal, SilenceScope(silence.scope), silence.scope_id)
        await repository.approve(self._connection, silence_id, at=self._now, actor=self._principal.name, user_id=by)
        await self._changed(silence_id, "approved", {})
        return await self.get_silence(silence_id)

    async def end(self, silence_id: int) -> SilenceOut:
        """End a silence now, or cancel one that is to come; what lasts comes back at once."""
        await self._find_running(silence_id)
        await repository.end(self._connection, silence_id, at=self._now, actor=self._principal.name)
        await self._changed(silence_id, "ended", {})
        return await self.get_silence(silence_id)

    def _check_safety(self, wanted: SilenceIn) -> None:
        if not wanted.covers_safety:
            return
        if self._principal.user_id is None:
            raise Forbidden("covers_safety: only a person may ask for that, not an API key.")
        if wanted.types is None and wanted.scope in {SilenceScope.LOCATION, SilenceScope.TAG}:
            detail = f"name the types whose life-safety alerts a whole {wanted.scope} is to be silent about."
            raise SilenceTooWide(
                f"types: {detail}", errors=[FieldError(field="types", code=SilenceTooWide.code, detail=detail)]
            )

    async def _find(self, silence_id: int, *, lock: bool = False) -> StoredSilence:
        wanted = SilenceFilter(_KINDS, self._principal.location_codes)
        silence = await repository.find_silence(self._connection, silence_id, wanted, now=self._now, lock=lock)
        if silence is None:
            raise SilenceNotFound(f"No silence {silence_id} that you may see.")
        return silence

    async def _find_running(self, silence_id: int) -> StoredSilence:
        silence = await self._find(silence_id, lock=True)
        if silence.state == SilenceState.ENDED:
            raise SilenceEnded(f"Silence {silence_id} has ended.", state=_shown(silence))
        return silence

    async def _changed(self, silence_id: int, change: str, data: Mapping[str, Any]) -> None:
        await record_audit(
            self._connection, actor=self._principal, action=f"silence.{change}", target=str(silence_id), data=data
        )
        self.events += await apply(self._connection, now=self._now)


async def list_hidden(
    connection: AsyncConnection, principal: Principal, silence_id: int, page: PageRequest
) -> HiddenAlertPage:
    """List what a silence or window covers or has covered in the caller's locations, the newest first."""
    spans, total = await repository.list_spans(
        connection, silence_id, principal.location_codes, skip=page.skip, limit=page.limit
    )
    alerts = await alert_repository.list_by_id(connection, [span.alert_id for span in spans])
    items = [
        HiddenAlertOut(alert=alerts[span.alert_id], from_at=span.from_at, until_at=span.until_at) for span in spans
    ]
    return HiddenAlertPage(items=items, total=total, skip=page.skip, limit=page.limit)


def check_span(starts_at: datetime, ends_at: datetime, now: datetime) -> None:
    """Raise `SilenceInvalid` unless a span may be one of a silence."""
    errors = []
    if starts_at < now - EARLIEST_START:
        minutes = round(EARLIEST_START.total_seconds() / 60)
        errors.append(("starts_at", "in_the_past", f"choose an instant from {minutes} min ago on, or leave it out"))
    if ends_at <= starts_at:
        errors.append(("ends_at", "not_after_start", "choose an instant after starts_at"))
    elif ends_at <= now:
        errors.append(("ends_at", "in_the_past", f"choose an instant after now ({now:%Y-%m-%dT%H:%M:%SZ})"))
    elif ends_at > starts_at + LONGEST_SILENCE:
        errors.append(("ends_at", "too_long", f"choose an instant within {LONGEST_SILENCE.days} days of starts_at"))
    if errors:
        named = "; ".join(f"{field}: {detail}" for field, _, detail in errors)
        fields = [FieldError(field=field, code=code, detail=detail) for field, code, detail in errors]
        raise SilenceInvalid(f"{named}.", errors=fields)


def _shown(stored: StoredSilence) -> SilenceOut:
    taken = set(SilenceOut.model_fields) - {"silence_id"}
    values = {name: value for name, value in stored._asdict().items() if name in taken}
    return SilenceOut(silence_id=stored.id, **values)
