"""What the fleet needs from the features above it: whatever hangs on a battery ends together with the battery.

The fleet is below alerts and realtime, so it declares the interfaces, and `app.main` supplies the implementations.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal, Protocol

from sqlalchemy.ext.asyncio import AsyncConnection

from battery_api.accounts.principal import Principal
from battery_contracts.events import AlertMessage, BatteryStatusUpdate

EndReason = Literal["replaced", "retired"]


@dataclass(frozen=True, slots=True)
class BatteryEnd:
    """A battery leaves its position or its service.

    ``data`` is what a timeline says of it beside the reason.
    """

    battery_key: int
    battery_code: str
    string_key: int
    location_key: int
    location_code: str
    reason: EndReason
    ended_at: datetime
    note: str | None
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Ended:
    """What ended, to publish after the commit."""

    alerts: Sequence[AlertMessage] = ()
    statuses: Sequence[BatteryStatusUpdate] = ()


class Endings(Protocol):
    """Ends what hangs on batteries, in the transaction that ends the batteries."""

    async def end(
        self, connection: AsyncConnection, ends: Sequence[BatteryEnd], *, actor: Principal | str, now: datetime
    ) -> Ended:
        """End alerts and rule states of batteries whose rows already say that they ended."""
        ...


class FleetPublisher(Protocol):
    """Publishes events to listening clients; best effort, never raises, called after the commit."""

    async def publish_alerts(self, events: Sequence[AlertMessage]) -> None:
        """Publish alert changes."""
        ...

    async def publish_statuses(self, updates: Sequence[BatteryStatusUpdate]) -> None:
        """Publish changed battery statuses."""
        ...


class NoEndings:
    """Ends nothing; for tests of the fleet alone."""

    async def end(
        self,
        connection: AsyncConnection,  # noqa: ARG002  # the signature of the port
        ends: Sequence[BatteryEnd],  # noqa: ARG002  # the signature of the port
        *,
        actor: Principal | str,  # noqa: ARG002  # the signature of the port
        now: datetime,  # noqa: ARG002  # the signature of the port
    ) -> Ended:
        """Find nothing to end."""
        return Ended()


@dataclass(slots=True)
class FleetChange:
    """One change of the fleet: who makes it and when, what it ends, and what to publish of that afterwards."""

    actor: Principal | str
    now: datetime
    endings: Endings
    ended: Ended = field(default_factory=Ended)

    @classmethod
    def of_fleet_alone(cls) -> "FleetChange":
        """Return a change that ends nothing outside the fleet."""
        return cls("import", datetime.now(UTC), NoEndings())

    @property
    def actor_name(self) -> str:
        """Name of who makes the change."""
        return self.actor if isinstance(self.actor, str) else self.actor.name

    async def end(self, ends: Sequence[BatteryEnd], connection: AsyncConnection) -> None:
        """End what hangs on batteries, and keep what is to be published."""
        if ends:
            self.ended = await self.endings.end(connection, ends, actor=self.actor, now=self.now)

    async def publish(self, publisher: FleetPublisher) -> None:
        """Publish what ended; called after the commit."""
        if self.ended.alerts:
            await publisher.publish_alerts(self.ended.alerts)
        if self.ended.statuses:
            await publisher.publish_statuses(self.ended.statuses)
