"""What ingest hands to the features above it: the judge of a batch and the publisher of what happened.

Telemetry lies below alerts and realtime, so it names the interfaces and `main` plugs the implementations in.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
from sqlalchemy.ext.asyncio import AsyncConnection

from battery_api.fleet.catalogue import BatteryEntry, LocationEntry, StringEntry
from battery_contracts.enums import StringMode
from battery_contracts.events import AlertEvent, BatteryStatusUpdate, TelemetryUpdate

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]
TimeArray = npt.NDArray[np.datetime64]
RuleState = Mapping[str, Any]
"""Rule state of one subject as stored (JSON): empty or None when no rule is pending, firing or clearing."""


@dataclass(frozen=True, slots=True)
class Readings:
    """``m`` readings, sorted by time; values are NaN where the reading did not carry the channel.

    ``subject`` (m,) indexes the subjects they belong to, ``time`` (m,) is datetime64[us] in UTC.
    Location readings carry ``mains`` as 1 or 0 and ``hvac`` as its place in `HvacState`, beside their channels.
    """

    subject: IntArray
    time: TimeArray
    values: Mapping[str, FloatArray]

    def __len__(self) -> int:
        return len(self.subject)


@dataclass(frozen=True, slots=True)
class BatterySubjects:
    """``n`` locked batteries of a batch as they were before it."""

    entries: Sequence[BatteryEntry]
    string_index: IntArray
    """(n,) index into the batch's strings."""
    location_index: IntArray
    """(n,) index into the batch's locations."""
    rule_state: Sequence[RuleState | None]
    last_time: Sequence[datetime | None]
    open_counts: npt.NDArray[np.int16]
    """(n, 3) open info, warning and critical alerts."""


@dataclass(frozen=True, slots=True)
class StringSubjects:
    """Locked strings of a batch as they were before it."""

    entries: Sequence[StringEntry]
    rule_state: Sequence[RuleState | None]
    last_time: Sequence[datetime | None]
    mode: Sequence[StringMode | None]


@dataclass(frozen=True, slots=True)
class LocationSubjects:
    """Locked locations of a batch as they were before it."""

    entries: Sequence[LocationEntry]
    rule_state: Sequence[RuleState | None]
    last_time: Sequence[datetime | None]


@dataclass(frozen=True, slots=True)
class JudgedBatch:
    """Readings that are newer than the stored state, with the state they meet.

    Per battery reading (m,): ``mode`` is the string's at that instant (None: unknown), ``settled`` is false during a
    discharge, a recharge and the 72 h after it, ``room_c`` is the location's newest room temperature then (NaN:
    unknown).
    """

    batteries: BatterySubjects
    strings: StringSubjects
    locations: LocationSubjects
    battery_readings: Readings
    string_readings: Readings
    location_readings: Readings
    mode: Sequence[StringMode | None]
    settled: npt.NDArray[np.bool_]
    room_c: FloatArray
    received_at: datetime


@dataclass(frozen=True, slots=True)
class BatchVerdict:
    """What the judge decided; alert rows and timeline entries are written already, on the same connection.

    The mappings hold only what changed, by index of the subject.
    """

    battery_rule_state: Mapping[int, RuleState | None] = field(default_factory=dict)
    string_rule_state: Mapping[int, RuleState | None] = field(default_factory=dict)
    location_rule_state: Mapping[int, RuleState | None] = field(default_factory=dict)
    open_counts: Mapping[int, tuple[int, int, int]] = field(default_factory=dict)
    """New (info, warning, critical) counts by battery index."""
    events: Sequence[AlertEvent] = ()


class Judge(Protocol):
    """Judges a batch inside its transaction, with the state rows locked."""

    async def judge(self, connection: AsyncConnection, batch: JudgedBatch) -> BatchVerdict:
        """Apply the rules in event time, write alerts and their timeline, return the new rule state."""
        ...


class Publisher(Protocol):
    """Sends events to whoever listens; best effort, never raises, called after the commit."""

    async def publish_telemetry(self, updates: Sequence[TelemetryUpdate]) -> None:
        """Send one update a room."""
        ...

    async def publish_alerts(self, events: Sequence[AlertEvent]) -> None:
        """Send alert changes to the rooms of their location and battery."""
        ...

    async def publish_statuses(self, updates: Sequence[BatteryStatusUpdate]) -> None:
        """Send changed battery statuses to the rooms of their location."""
        ...

    def listened_batteries(self) -> frozenset[str]:
        """Return the batteries whose own room has a listener, so that ingest makes messages for these only."""
        ...


class NoJudge:
    """Raises nothing; for tests of ingest alone."""

    async def judge(self, connection: AsyncConnection, batch: JudgedBatch) -> BatchVerdict:  # noqa: ARG002
        """Decide that nothing is wrong."""
        return BatchVerdict()


class NoPublisher:
    """Sends nothing; for tests and for loads without listeners."""

    async def publish_telemetry(self, updates: Sequence[TelemetryUpdate]) -> None:
        """Drop the updates."""

    async def publish_alerts(self, events: Sequence[AlertEvent]) -> None:
        """Drop the events."""

    async def publish_statuses(self, updates: Sequence[BatteryStatusUpdate]) -> None:
        """Drop the statuses."""

    def listened_batteries(self) -> frozenset[str]:
        """Say that nobody listens."""
        return frozenset()
