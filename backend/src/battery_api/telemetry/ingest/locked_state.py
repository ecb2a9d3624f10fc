"""The subjects of a batch and their state rows, read with or without locks."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple

import numpy as np
import orjson
from sqlalchemy.ext.asyncio import AsyncConnection

from battery_api.db.fetching import fetch_all
from battery_api.fleet.catalogue import is_current
from battery_api.telemetry.ingest.checks import ValidatedBatch
from battery_api.telemetry.store.columns import CountArray, FloatArray, IntArray, RuleState, as_stored
from battery_api.telemetry.store.fleet_index import FleetIndex, Kind
from battery_api.telemetry.store.indices import BatchSlots, FleetSlots, Keys
from battery_api.telemetry.store.instants import NEVER, microseconds_of
from battery_api.telemetry.store.string_modes import ModeState
from battery_contracts.enums import StringMode


class FleetOutdated(Exception):
    """The fleet changed after the batch was checked against it; nothing was written."""


CLOCK_TOLERANCE_US: Final = 2_000_000
"""How far clocks that are set by the network may differ (EJ)."""
DELIVERY_US: Final = 60_000_000
"""How long a reading may be on its way, for one whose own time cannot be believed (EJ)."""


class _LocationRow(NamedTuple):
    location_id: int
    seq: int
    time: datetime | None
    known_ambient_c: float | None
    known_ambient_at: datetime | None
    reporting_interval_s: float | None
    judged_until: datetime | None
    rejudge_from: datetime | None
    rule_state: Any


class _StringRow(NamedTuple):
    string_id: int
    time: datetime | None
    known_current_a: float | None
    known_current_at: datetime | None
    mode: str | None
    mode_since: datetime | None
    last_discharge_at: datetime | None
    reporting_interval_s: float | None
    judged_until: datetime | None
    rejudge_from: datetime | None
    checkpoint_at: datetime | None
    rule_state: Any


class _BatteryRow(NamedTuple):
    battery_id: int
    seq: int
    time: datetime | None
    ahead_received_at: datetime | None
    """When the newest reading came, if it was dated ahead of that."""
    reporting_interval_s: float | None
    resistance_at: datetime | None
    known_voltage_v: float | None
    known_voltage_at: datetime | None
    """Null where it is the time of the newest reading, as ``known_temperature_at``."""
    known_temperature_c: float | None
    known_temperature_at: datetime | None
    rule_state: Any
    open_info: int
    open_warning: int
    open_critical: int
    twin_state_version: int
    count_day: datetime | None


# Most times of a row are the same instant; what differs is sent, so that a sweep decodes few of them.
_COMPACT: Final = {
    "ahead_received_at": f"case when time > received_at + {CLOCK_TOLERANCE_US} * interval '1 microsecond' "
    "then received_at end",
    "known_voltage_at": "nullif(known_voltage_at, time)",
    "known_temperature_at": "nullif(known_temperature_at, time)",
}


def _select(kind: Kind, row: type[NamedTuple]) -> str:
    names = ", ".join(_COMPACT.get(name, name) for name in row._fields)
    return f"select {names} from {kind}_state where {kind}_id = any($1::int[]) order by {kind}_id"  # noqa: S608  # names of the code


_LOCATIONS: Final = _select("location", _LocationRow)
_STRINGS: Final = _select("string", _StringRow)
_BATTERIES: Final = _select("battery", _BatteryRow)
_KNOWN: Final = (
    "select known_voltage_v, known_voltage_at, known_temperature_c, known_temperature_at "
    "from battery_state where battery_id = any($1::int[]) order by battery_id"
)


@dataclass(frozen=True, slots=True)
class LocationStates:
    """Rows (n,) of ``location_state`` by batch slot."""

    seq: IntArray
    last_us: IntArray
    ambient_c: FloatArray
    """Newest room temperature that was measured, at ``ambient_us``."""
    ambient_us: IntArray
    interval_s: FloatArray
    judged_us: IntArray
    """Up to when the rules have judged the location's readings."""
    rejudge_us: IntArray
    """From when they have to judge them again, `NEVER` where not."""
    rule_state: Sequence[RuleState | None]


@dataclass(frozen=True, slots=True)
class StringStates:
    """Rows (n,) of ``string_state`` by batch slot."""

    last_us: IntArray
    current_a: FloatArray
    """Newest current that was measured, at ``current_us``."""
    current_us: IntArray
    interval_s: FloatArray
    mode: Sequence[ModeState]
    judged_us: IntArray
    """Up to when the rules have judged the readings of the string and its batteries."""
    rejudge_us: IntArray
    """From when they have to judge them again, `NEVER` where not."""
    checkpoint_us: IntArray
    """Time of the newest checkpoint of what the rules know."""
    rule_state: Sequence[RuleState | None]


@dataclass(frozen=True, slots=True)
class KnownValues:
    """Newest measured voltage and temperature (n,) with their times; NaN and `NEVER` where there is none."""

    voltage_v: FloatArray
    voltage_us: IntArray
    temperature_c: FloatArray
    temperature_us: IntArray

    @classmethod
    def of(cls, rows: Sequence[Any]) -> "KnownValues":
        """Build the columns of (voltage, its time, temperature, its time) rows."""
        return cls(
            as_stored(np.array([row[0] for row in rows], np.float64)),
            microseconds_of([row[1] for row in rows]),
            as_stored(np.array([row[2] for row in rows], np.float64)),
            microseconds_of([row[3] for row in rows]),
        )


@dataclass(frozen=True, slots=True)
class PeerStates:
    """Batteries (k,) of the batch's strings that the batch itself does not touch: their strings and known values."""

    string: BatchSlots
    known: KnownValues


@dataclass(frozen=True, slots=True)
class BatteryStates:
    """Rows (n,) of ``battery_state`` by batch slot."""

    seq: IntArray
    last_us: IntArray
    interval_s: FloatArray
    resistance_us: IntArray
    known: KnownValues
    rule_state: Sequence[RuleState | None]
    open_counts: CountArray
    """(n, 3) open info, warning and critical alerts."""
    twin_version: IntArray
    count_day_us: IntArray


@dataclass(frozen=True, slots=True)
class SubjectStates:
    """Every state row that a batch touches."""

    locations: LocationStates
    strings: StringStates
    batteries: BatteryStates


@dataclass(frozen=True, slots=True)
class BatchSubjects:
    """The subjects that a batch touches: fleet slots in ascending order, indexed by batch slot."""

    batteries: FleetSlots
    strings: FleetSlots
    locations: FleetSlots
    string_of_battery: BatchSlots
    location_of_battery: BatchSlots
    location_of_string: BatchSlots

    @classmethod
    def of(cls, batch: ValidatedBatch, fleet: FleetIndex) -> "BatchSubjects":
        """Gather the subjects of a batch and those above them."""
        batteries = np.unique(
            np.concatenate([batch.batteries.slot, batch.repeated_batteries.slot, batch.rejected_batteries.slot])
        )
        string_of = fleet.string_of_battery[batteries]
        # The room concerns every string of its location.
        of_rooms = np.flatnonzero(np.isin(fleet.strings.location, batch.locations.slot))
        strings = np.unique(np.concatenate([string_of, batch.strings.slot, of_rooms]))
        location_of = fleet.batteries.location[batteries]
        locations = np.unique(np.concatenate([location_of, fleet.strings.location[strings], batch.locations.slot]))
        return cls(
            batteries=FleetSlots(batteries),
            strings=FleetSlots(strings),
            locations=FleetSlots(locations),
            string_of_battery=BatchSlots(np.searchsorted(strings, string_of)),
            location_of_battery=BatchSlots(np.searchsorted(locations, location_of)),
            location_of_string=BatchSlots(np.searchsorted(locations, fleet.strings.location[strings])),
        )

    def battery_slots(self, slots: FleetSlots) -> BatchSlots:
        """Return the batch slots of batteries."""
        return BatchSlots(np.searchsorted(self.batteries, slots))

    def string_slots(self, slots: FleetSlots) -> BatchSlots:
        """Return the batch slots of strings."""
        return BatchSlots(np.searchsorted(self.strings, slots))

    def location_slots(self, slots: FleetSlots) -> BatchSlots:
        """Return the batch slots of locations."""
        return BatchSlots(np.searchsorted(self.locations, slots))

    def strings_of(self, batteries: BatchSlots) -> BatchSlots:
        """Return the strings of batteries."""
        return BatchSlots(self.string_of_battery[batteries])

    def locations_of(self, batteries: BatchSlots) -> BatchSlots:
        """Return the locations of batteries."""
        return BatchSlots(self.location_of_battery[batteries])


async def read_states(
    connection: AsyncConnection, fleet: FleetIndex, subjects: BatchSubjects, *, lock: bool
) -> SubjectStates:
    """Read the state rows that a batch touches, locking them in key order if asked.

    Two batches that touch the same rows take turns; since all lock in one order, no deadlock arises.
    """
    location_keys = fleet.locations.keys_at(subjects.locations)
    string_keys = fleet.strings.keys_at(subjects.strings)
    battery_keys = fleet.batteries.keys_at(subjects.batteries)
    locations = [_LocationRow(*row) for row in await _rows(connection, _LOCATIONS, "location", location_keys, lock)]
    strings = [_StringRow(*row) for row in await _rows(connection, _STRINGS, "string", string_keys, lock)]
    batteries = [_BatteryRow(*row) for row in await _rows(connection, _BATTERIES, "battery", battery_keys, lock)]
    return SubjectStates(_location_states(locations), _string_states(strings), _battery_states(batteries))


async def read_peers(connection: AsyncConnection, fleet: FleetIndex, subjects: BatchSubjects) -> PeerStates:
    """Read what is known of the other batteries of the strings; the lock of a string covers all its batteries."""
    touched = subjects.strings[np.unique(subjects.string_of_battery)]
    members = np.flatnonzero(np.isin(fleet.string_of_battery, touched))
    others = FleetSlots(np.setdiff1d(members, subjects.batteries))
    rows = await fetch_all(connection, _KNOWN, (fleet.batteries.keys_at(others).tolist(),)) if len(others) else []
    return PeerStates(subjects.string_slots(FleetSlots(fleet.string_of_battery[others])), KnownValues.of(rows))


async def require_current_fleet(connection: AsyncConnection, fleet: FleetIndex) -> None:
    """Raise `FleetOutdated` if a battery was replaced or retired since the batch was checked.

    Called with the state rows locked, for which a change of the fleet waits: otherwise a reading could raise an alert
    about a battery whose alerts have just ended.
    """
    if not await is_current(connection, fleet.catalogue):
        raise FleetOutdated


async def _rows(connection: AsyncConnection, statement: str, kind: Kind, keys: Keys, lock: bool) -> Sequence[Any]:
    if not len(keys):
        return []
    parameter = keys.tolist()
    query = f"{statement} for update" if lock else statement
    rows = await fetch_all(connection, query, (parameter,))
    if len(rows) < len(parameter):
        # The importer creates a state row with each subject; if one is missing, a reading must not fail for it.
        insert = f"insert into {kind}_state ({kind}_id) select unnest($1::int[]) on conflict do nothing"
        await connection.exec_driver_sql(insert, (parameter,))
        rows = await fetch_all(connection, query, (parameter,))
    return rows


def _location_states(rows: Sequence[_LocationRow]) -> LocationStates:
    return LocationStates(
        seq=np.array([row.seq for row in rows], np.int64),
        last_us=microseconds_of([row.time for row in rows]),
        ambient_c=as_stored(np.array([row.known_ambient_c for row in rows], np.float64)),
        ambient_us=microseconds_of([row.known_ambient_at for row in rows]),
        interval_s=np.array([row.reporting_interval_s for row in rows], np.float64),
        judged_us=microseconds_of([row.judged_until for row in rows]),
        rejudge_us=microseconds_of([row.rejudge_from for row in rows]),
        rule_state=[_decoded(row.rule_state) for row in rows],
    )


def _string_states(rows: Sequence[_StringRow]) -> StringStates:
    since = microseconds_of([row.mode_since for row in rows]).tolist()
    discharged = microseconds_of([row.last_discharge_at for row in rows]).tolist()
    return StringStates(
        last_us=microseconds_of([row.time for row in rows]),
        current_a=as_stored(np.array([row.known_current_a for row in rows], np.float64)),
        current_us=microseconds_of([row.known_current_at for row in rows]),
        interval_s=np.array([row.reporting_interval_s for row in rows], np.float64),
        mode=[
            ModeState(None if row.mode is None else StringMode(row.mode), since_us, discharged_us)
            for row, since_us, discharged_us in zip(rows, since, discharged, strict=True)
        ],
        judged_us=microseconds_of([row.judged_until for row in rows]),
        rejudge_us=microseconds_of([row.rejudge_from for row in rows]),
        checkpoint_us=microseconds_of([row.checkpoint_at for row in rows]),
        rule_state=[_decoded(row.rule_state) for row in rows],
    )


def _battery_states(rows: Sequence[_BatteryRow]) -> BatteryStates:
    open_counts = [(row.open_info, row.open_warning, row.open_critical) for row in rows]
    time_us = microseconds_of([row.time for row in rows])
    return BatteryStates(
        seq=np.array([row.seq for row in rows], np.int64),
        last_us=_credible_times(time_us, microseconds_of([row.ahead_received_at for row in rows])),
        interval_s=np.array([row.reporting_interval_s for row in rows], np.float64),
        resistance_us=microseconds_of([row.resistance_at for row in rows]),
        known=_known(
            time_us,
            [row.known_voltage_v for row in rows],
            [row.known_voltage_at for row in rows],
            [row.known_temperature_c for row in rows],
            [row.known_temperature_at for row in rows],
        ),
        rule_state=[_decoded(row.rule_state) for row in rows],
        open_counts=np.array(open_counts, np.int16).reshape(-1, 3),
        twin_version=np.array([row.twin_state_version for row in rows], np.int64),
        count_day_us=microseconds_of([row.count_day for row in rows]),
    )


def _credible_times(time_us: IntArray, ahead_received_us: IntArray) -> IntArray:
    """Return when newest readings can have been measured at the latest.

    One that was ahead of the gateway's clock when it came was not measured later than it came, whatever its sender
    says. What follows it, once the sender's clock is set, must not seem to be late.
    """
    credible: IntArray = np.where(ahead_received_us == NEVER, time_us, ahead_received_us - DELIVERY_US)
    return credible


def _known(
    time_us: IntArray,
    voltage_v: Sequence[float | None],
    voltage_at: Sequence[datetime | None],
    temperature_c: Sequence[float | None],
    temperature_at: Sequence[datetime | None],
) -> KnownValues:
    def times(values: FloatArray, instants: Sequence[datetime | None]) -> IntArray:
        known_us = microseconds_of(instants)
        return np.where((known_us == NEVER) & ~np.isnan(values), time_us, known_us)

    volts, degrees = np.array(voltage_v, np.float64), np.array(temperature_c, np.float64)
    return KnownValues(as_stored(volts), times(volts, voltage_at), as_stored(degrees), times(degrees, temperature_at))


def _decoded(stored: Any) -> RuleState | None:
    # The driver gives JSON as text where no codec is set on the connection.
    state: RuleState | None = orjson.loads(stored) if isinstance(stored, str | bytes) else stored
    return state
