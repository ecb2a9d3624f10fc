"""The tags of strings."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from battery_api.accounts.audit import record_audit
from battery_api.accounts.principal import Principal
from battery_api.alerts.errors import ScopeNotFound
from battery_api.fleet.errors import StringNotFound
from battery_api.silences import repository
from battery_api.silences.effect import apply
from battery_api.silences.schemas import SilenceScope, TagsOut
from battery_api.silences.scopes import find_scope
from battery_contracts.incidents import IncidentEvent


class TagService:
    """Tags for one caller on one connection; ``events`` are to be published after the commit."""

    def __init__(self, connection: AsyncConnection, principal: Principal, now: datetime) -> None:
        self._connection = connection
        self._principal = principal
        self._now = now
        self.events: list[IncidentEvent] = []

    async def get_tags(self, string_id: str) -> TagsOut:
        """Return the tags of a string."""
        return TagsOut(
            string_id=string_id, tags=await repository.read_tags(self._connection, await self._key(string_id))
        )

    async def put_tags(self, string_id: str, tags: list[str]) -> TagsOut:
        """Replace the tags of a string; silences of a tag cover it, or no longer do, from now on."""
        key = await self._key(string_id)
        before = await repository.read_tags(self._connection, key)
        await repository.put_tags(self._connection, key, sorted(set(tags)))
        after = TagsOut(string_id=string_id, tags=await repository.read_tags(self._connection, key))
        if after.tags != before:
            await record_audit(
                self._connection,
                actor=self._principal,
                action="string.tagged",
                target=string_id,
                data={"tags": after.tags, "tags_before": before},
            )
            self.events += await apply(self._connection, now=self._now)
        return after

    async def _key(self, string_id: str) -> int:
        try:
            keys = await find_scope(self._connection, self._principal, SilenceScope.STRING, string_id)
        except ScopeNotFound:
            raise StringNotFound(f"No string {string_id} that you may see.") from None
        assert keys.string_id is not None
        return keys.string_id
