"""Interfaces that ingest needs from the features above it: the judge of a batch and the publisher of events.

Telemetry is below alerts and realtime, so it declares the interfaces, and `app.main` supplies the implementations.
"""

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, Protocol

from sqlalchemy.ext.asyncio import AsyncConnection

from battery_api.fleet.catalogue import BatteryEntry, LocationEntry, StringEntry
from battery_api.telemetry.store.columns import BoolArray, CountArray, FloatArray, IntArray, RuleState, TimeArray
from battery_api.telemetry.store.fleet_index import EntryT_co, FleetIndex
from battery_api.telemetry.store.indices import BatchSlots, Keys
from battery_api.telemetry.store.statements import OpenCounts
from battery_contracts.enums import StringMode
from battery_contracts.events import AlertMessage, BatteryStatusUpdate, PredictionUpdate, TelemetryUpdate


@dataclass(frozen=True, slots=True)
class Readings:
    """``m`` readings, sorted by time; values are NaN where the reading did not carry the channel.

    ``subject`` (m,) is the batch slot of the subject of each, ``time`` (m,) is datetime64[us] in UTC. Location readings
    carry ``mains`` as 1 or 0 and ``hvac`` as its index in `HvacState`, beside their channels. ``interval_s`` (m,) is
    the reporting interval of the subject as it was known before each, NaN where unknown.
    """

    subject: BatchSlots
    time: TimeArray
    values: Mapping[str, FloatArray]
    interval_s: FloatArray

    def __len__(self) -> int:
        return len(self.subject)


@dataclass(frozen=True, slots=True)
class Subjects(Generic[EntryT_co]):
    """Locked subjects (n,) of one kind, by batch slot, as they were before the batch."""

    entries: Sequence[EntryT_co]
    rule_state: Sequence[RuleState | None]


@dataclass(frozen=True, slots=True)
class BatterySubjects(Subjects[BatteryEntry]):
    """Locked batteries (n,)."""

    string_index: BatchSlots
    """(n,) batch slot of each battery's string."""
    location_index: BatchSlots
    """(n,) batch slot of each battery's location."""
    open_counts: CountArray
    """(n, 3) open info, warning and critical alerts."""
    keys: Keys
    capacity_ah: FloatArray
    cell_count: FloatArray


@dataclass(frozen=True, slots=True)
class StringSubjects(Subjects[StringEntry]):
    """Locked strings (n,)."""

    mode: Sequence[StringMode | None]
    flatlines: Sequence[bytes | None]
    """What the rules keep of how the channels of each string's batteries move."""
    trends: Sequence[bytes | None]
    """What the rules keep of the slow trends of each string."""


@dataclass(frozen=True, slots=True)
class LocationSubjects(Subjects[LocationEntry]):
    """Locked locations (n,)."""


@dataclass(frozen=True, slots=True)
class KnownBatteries:
    """What was known of the batteries (k,) of the judged strings before the batch: its own first, then their peers.

    Voltage and temperature are the newest that were measured, each with its time; NaN and `NEVER` where there is none.
    """

    string: BatchSlots
    voltage_v: FloatArray
    voltage_us: IntArray
    temperature_c: FloatArray
    temperature_us: IntArray


@dataclass(frozen=True, slots=True)
class JudgedBatch:
    """Readings that are newer than what the rules have judged, with the state before them.

    Per battery reading (m,): ``mode`` of the string at that instant (None: unknown) and since when; ``settled``, false
    during a discharge, a recharge and the 72 h after it; ``room_c``, the newest room temperature then, and
    ``own_temperature_c``, the newest of the battery itself (NaN: unknown). ``age_s`` tells by channel how long ago the
    battery last measured it. ``mains_lost`` says whether the mains of the location were lost then, false where that is
    unknown; ``discharged_us`` is when the string last discharged, `NEVER` if not. The fields ``string_*`` (k,) are the
    same for the string readings. Location readings carry ``mains_losses_24h``, how often the mains were lost within
    the day before them.
    """

    batteries: BatterySubjects
    strings: StringSubjects
    locations: LocationSubjects
    battery_readings: Readings
    string_readings: Readings
    location_readings: Readings
    known: KnownBatteries
    mode: Sequence[StringMode | None]
    mode_since_us: IntArray
    settled: BoolArray
    room_c: FloatArray
    own_temperature_c: FloatArray
    age_s: Mapping[str, FloatArray]
    mains_lost: BoolArray
    discharged_us: IntArray
    string_mode: Sequence[StringMode | None]
    string_settled: BoolArray
    string_room_c: FloatArray
    string_mains_lost: BoolArray
    string_discharged_us: IntArray


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
    flatlines: Mapping[int, bytes | None] = field(default_factory=dict)
    """What the rules keep of how the channels of the batteries move, by string."""
    trends: Mapping[int, bytes | None] = field(default_factory=dict)
    """What the rules keep of the slow trends of strings."""
    events: Sequence[AlertMessage] = ()


@dataclass(frozen=True, slots=True)
class DueAgain:
    """Keys of strings and locations whose readings have to be judged again."""

    strings: tuple[int, ...] = ()
    locations: tuple[int, ...] = ()

    def joined(self, other: "DueAgain") -> "DueAgain":
        """Return both together."""
        return DueAgain(
            tuple(sorted({*self.strings, *other.strings})), tuple(sorted({*self.locations, *other.locations}))
        )

    def __bool__(self) -> bool:
        return bool(self.strings or self.locations)


@dataclass(frozen=True, slots=True)
class AgainVerdict:
    """Events of what changed when readings were judged again; it is written and committed."""

    events: Sequence[AlertMessage] = ()
    statuses: Sequence[BatteryStatusUpdate] = ()

    def joined(self, other: "AgainVerdict") -> "AgainVerdict":
        """Return the events of both in turn."""
        return AgainVerdict([*self.events, *other.events], [*self.statuses, *other.statuses])


class Judge(Protocol):
    """Judges a batch inside its transaction, with the state rows locked."""

    async def judge(self, connection: AsyncConnection, batch: JudgedBatch) -> BatchVerdict:
        """Apply the rules in event time, write alerts and their timeline, return the new rule state."""
        ...

    async def judge_again(self, fleet: FleetIndex, due: DueAgain) -> AgainVerdict:
        """Judge the readings of strings and locations again in order of time, after late or changed ones."""
        ...

    def forget_overrides(self) -> None:
        """Read the rule overrides again with the next batch, after this process changed one."""
        ...


class Publisher(Protocol):
    """Publishes events to listening clients; best effort, never raises, called after the commit."""

    async def publish_telemetry(self, updates: Sequence[TelemetryUpdate]) -> None:
        """Publish updates, one per room."""
        ...

    async def publish_alerts(self, events: Sequence[AlertMessage]) -> None:
        """Publish changes of alerts and incidents to the rooms of their location and battery."""
        ...

    async def publish_statuses(self, updates: Sequence[BatteryStatusUpdate]) -> None:
        """Publish changed battery statuses to the rooms of their location and battery."""
        ...

    async def publish_predictions(self, updates: Sequence[PredictionUpdate]) -> None:
        """Publish new predictions of remaining life to the rooms of their location and battery."""
        ...

    def watched_batteries(self) -> Container[str]:
        """Return the batteries whose own room may have a listener; only they need messages of their own."""
        ...


class NoJudge:
    """Raises no alert; for tests of ingest alone."""

    async def judge(self, connection: AsyncConnection, batch: JudgedBatch) -> BatchVerdict:  # noqa: ARG002
        """Find nothing wrong."""
        return BatchVerdict()

    async def judge_again(self, fleet: FleetIndex, due: DueAgain) -> AgainVerdict:  # noqa: ARG002
        """Find nothing wrong either."""
        return AgainVerdict()

    def forget_overrides(self) -> None:
        """Do nothing; there are no overrides."""


class NoPublisher:
    """Publishes nothing; for tests and for loads without listeners."""

    async def publish_telemetry(self, updates: Sequence[TelemetryUpdate]) -> None:
        """Drop the updates."""

    async def publish_alerts(self, events: Sequence[AlertMessage]) -> None:
        """Drop the events."""

    async def publish_statuses(self, updates: Sequence[BatteryStatusUpdate]) -> None:
        """Drop the statuses."""

    async def publish_predictions(self, updates: Sequence[PredictionUpdate]) -> None:
        """Drop the predictions."""

    def watched_batteries(self) -> Container[str]:
        """Return no battery: nobody listens."""
        return frozenset()
