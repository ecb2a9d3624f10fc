"""Interfaces that ingest needs from the features above it: the judge of a batch and the publisher of events.

Telemetry is below alerts and realtime, so it declares the interfaces, and `app.main` supplies the implementations.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Generic, Protocol

from sqlalchemy.ext.asyncio import AsyncConnection

from battery_api.fleet.catalogue import BatteryEntry, LocationEntry, StringEntry
from battery_api.telemetry.store.columns import BoolArray, CountArray, FloatArray, RuleState, TimeArray
from battery_api.telemetry.store.fleet_index import EntryT_co
from battery_api.telemetry.store.indices import BatchSlots
from battery_api.telemetry.store.statements import OpenCounts
from battery_contracts.enums import StringMode
from battery_contracts.events import AlertEvent, BatteryStatusUpdate, TelemetryUpdate


@dataclass(frozen=True, slots=True)
class Readings:
    """``m`` readings, sorted by time; values are NaN where the reading did not carry the channel.

    ``subject`` (m,) is the batch slot of the subject of each, ``time`` (m,) is datetime64[us] in UTC. Location readings
    carry ``mains`` as 1 or 0 and ``hvac`` as its index in `HvacState`, beside their channels.
    """

    subject: BatchSlots
    time: TimeArray
    values: Mapping[str, FloatArray]

    def __len__(self) -> int:
        return len(self.subject)


@dataclass(frozen=True, slots=True)
class Subjects(Generic[EntryT_co]):
    """Locked subjects (n,) of one kind, by batch slot, as they were before the batch."""

    entries: Sequence[EntryT_co]
    rule_state: Sequence[RuleState | None]
    last_time: Sequence[datetime | None]
    interval_s: FloatArray
    """Reporting interval; NaN where unknown."""


@dataclass(frozen=True, slots=True)
class BatterySubjects(Subjects[BatteryEntry]):
    """Locked batteries (n,)."""

    string_index: BatchSlots
    """(n,) batch slot of each battery's string."""
    location_index: BatchSlots
    """(n,) batch slot of each battery's location."""
    open_counts: CountArray
    """(n, 3) open info, warning and critical alerts."""


@dataclass(frozen=True, slots=True)
class StringSubjects(Subjects[StringEntry]):
    """Locked strings (n,)."""

    mode: Sequence[StringMode | None]


@dataclass(frozen=True, slots=True)
class LocationSubjects(Subjects[LocationEntry]):
    """Locked locations (n,)."""


@dataclass(frozen=True, slots=True)
class JudgedBatch:
    """Readings that are newer than the stored state, with that state.

    Per battery reading (m,): ``mode`` of the string at that instant (None: unknown); ``settled``, false during a
    discharge, a recharge and the 72 h after it; ``room_c``, the newest room temperature then (NaN: unknown).
    """

    batteries: BatterySubjects
    strings: StringSubjects
    locations: LocationSubjects
    battery_readings: Readings
    string_readings: Readings
    location_readings: Readings
    mode: Sequence[StringMode | None]
    settled: BoolArray
    room_c: FloatArray
    received_at: datetime


@dataclass(frozen=True, slots=True)
class BatchVerdict:
    """Decisions of the judge; alerts and timeline entries are already written, on the same connection.

    The mappings hold only what changed, by batch slot.
    """

    battery_rule_state: Mapping[int, RuleState | None] = field(default_factory=dict)
    string_rule_state: Mapping[int, RuleState | None] = field(default_factory=dict)
    location_rule_state: Mapping[int, RuleState | None] = field(default_factory=dict)
    open_counts: Mapping[int, OpenCounts] = field(default_factory=dict)
    """New counts of open alerts by battery."""
    events: Sequence[AlertEvent] = ()


class Judge(Protocol):
    """Judges a batch inside its transaction, with the state rows locked."""

    async def judge(self, connection: AsyncConnection, batch: JudgedBatch) -> BatchVerdict:
        """Apply the rules in event time, write alerts and their timeline, return the new rule state."""
        ...

    def forget_overrides(self) -> None:
        """Read the rule overrides again with the next batch, after this process changed one."""
        ...


class Publisher(Protocol):
    """Publishes events to listening clients; best effort, never raises, called after the commit."""

    async def publish_telemetry(self, updates: Sequence[TelemetryUpdate]) -> None:
        """Publish updates, one per room."""
        ...

    async def publish_alerts(self, events: Sequence[AlertEvent]) -> None:
        """Publish alert changes to the rooms of their location and battery."""
        ...

    async def publish_statuses(self, updates: Sequence[BatteryStatusUpdate]) -> None:
        """Publish changed battery statuses to the rooms of their location."""
        ...

    def watched_batteries(self) -> frozenset[str]:
        """Return the batteries whose own room has a listener; only they need messages of their own."""
        ...


class NoJudge:
    """Raises no alert; for tests of ingest alone."""

    async def judge(self, connection: AsyncConnection, batch: JudgedBatch) -> BatchVerdict:  # noqa: ARG002
        """Find nothing wrong."""
        return BatchVerdict()

    def forget_overrides(self) -> None:
        """Do nothing; there are no overrides."""


class NoPublisher:
    """Publishes nothing; for tests and for loads without listeners."""

    async def publish_telemetry(self, updates: Sequence[TelemetryUpdate]) -> None:
        """Drop the updates."""

    async def publish_alerts(self, events: Sequence[AlertEvent]) -> None:
        """Drop the events."""

    async def publish_statuses(self, updates: Sequence[BatteryStatusUpdate]) -> None:
        """Drop the statuses."""

    def watched_batteries(self) -> frozenset[str]:
        """Return no battery: nobody listens."""
        return frozenset()
