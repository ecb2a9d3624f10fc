"""State rows of batteries as arrays: a sweep of the fleet touches all of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import orjson
from sqlalchemy.ext.asyncio import AsyncConnection

from battery_api.telemetry.ingest.subjects import BatchSubjects
from battery_api.telemetry.store.array_columns import ArrayColumn, read_arrays, read_arrays_and_objects
from battery_api.telemetry.store.columns import CountArray, FloatArray, IntArray, RuleState, as_stored
from battery_api.telemetry.store.fleet_index import FleetIndex
from battery_api.telemetry.store.indices import BatchSlots, FleetSlots, Keys
from battery_api.telemetry.store.instants import NEVER

CLOCK_TOLERANCE_US: Final = 2_000_000
"""How far clocks that are set by the network may differ (EJ)."""
DELIVERY_US: Final = 60_000_000
"""How long a reading may be on its way, for one whose own time cannot be believed (EJ)."""
_KNOWN: Final = (
    ArrayColumn("known_voltage_v", "real"),
    ArrayColumn("known_voltage_at", "instant"),
    ArrayColumn("known_temperature_c", "real"),
    ArrayColumn("known_temperature_at", "instant"),
)
_OWN: Final = (
    ArrayColumn("seq", "bigint"),
    ArrayColumn("time", "instant"),
    # When the newest reading came, if it was dated ahead of that.
    ArrayColumn(
        "ahead_received_at",
        "instant",
        f"case when time > received_at + {CLOCK_TOLERANCE_US} * interval '1 microsecond' then received_at end",
    ),
    ArrayColumn("reporting_interval_s", "real"),
    ArrayColumn("resistance_at", "instant"),
    *_KNOWN,
    ArrayColumn("open_info", "smallint"),
    ArrayColumn("open_warning", "smallint"),
    ArrayColumn("open_critical", "smallint"),
    ArrayColumn("twin_state_version", "int"),
    ArrayColumn("count_day", "instant"),
)
_ROWS: Final = "select * from battery_state where battery_id = any($1::int[]) order by battery_id"


@dataclass(frozen=True, slots=True)
class KnownValues:
    """Newest measured voltage and temperature (n,) with their times; NaN and `NEVER` where there is none."""

    voltage_v: FloatArray
    voltage_us: IntArray
    temperature_c: FloatArray
    temperature_us: IntArray

    @classmethod
    def of(cls, columns: dict[str, npt.NDArray[Any]]) -> "KnownValues":
        """Take them from columns of ``battery_state``."""
        return cls(
            as_stored(columns["known_voltage_v"]),
            columns["known_voltage_at"],
            as_stored(columns["known_temperature_c"]),
            columns["known_temperature_at"],
        )

    @classmethod
    def nothing(cls, count: int) -> "KnownValues":
        """Return those of batteries of which nothing is known."""
        unknown, never = np.full(count, np.nan), np.full(count, NEVER)
        return cls(unknown, never, unknown, never)


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
    """When the newest reading can have been measured at the latest."""
    interval_s: FloatArray
    resistance_us: IntArray
    known: KnownValues
    rule_state: Sequence[RuleState | None]
    open_counts: CountArray
    """(n, 3) open info, warning and critical alerts."""
    twin_version: IntArray
    count_day_us: IntArray


async def read_batteries(connection: AsyncConnection, keys: Keys, *, lock: bool) -> BatteryStates:
    """Read the state rows of batteries (n,), locking them in key order if asked; a missing row is left out."""
    source = f"{_ROWS} for update" if lock else _ROWS
    columns, rule_state = await read_arrays_and_objects(connection, _OWN, "rule_state", source, (keys.tolist(),))
    open_counts = np.stack([columns[f"open_{severity}"] for severity in ("info", "warning", "critical")], axis=1)
    return BatteryStates(
        seq=columns["seq"],
        last_us=_credible_times(columns["time"], columns["ahead_received_at"]),
        interval_s=columns["reporting_interval_s"],
        resistance_us=columns["resistance_at"],
        known=KnownValues.of(columns),
        rule_state=[decoded_rule_state(stored) for stored in rule_state],
        open_counts=open_counts.astype(np.int16),
        twin_version=columns["twin_state_version"],
        count_day_us=columns["count_day"],
    )


async def read_peers(
    connection: AsyncConnection, fleet: FleetIndex, subjects: BatchSubjects, reporting: FleetSlots
) -> PeerStates:
    """Read what is known of the other batteries of the strings that report themselves or through a battery.

    The lock of a string covers all its batteries.
    """
    touched = np.union1d(subjects.strings[np.unique(subjects.string_of_battery)], reporting)
    members = np.flatnonzero(np.isin(fleet.string_of_battery, touched))
    others = FleetSlots(np.setdiff1d(members, subjects.batteries))
    string = subjects.string_slots(FleetSlots(fleet.string_of_battery[others]))
    if not len(others):
        return PeerStates(string, KnownValues.nothing(0))
    keys = fleet.batteries.keys_at(others).tolist()
    return PeerStates(string, KnownValues.of(await read_arrays(connection, _KNOWN, _ROWS, (keys,))))


def decoded_rule_state(stored: Any) -> RuleState | None:
    """Return a rule state as the driver gives it: decoded, or as text where no codec is set on the connection."""
    state: RuleState | None = orjson.loads(stored) if isinstance(stored, str | bytes) else stored
    return state


def _credible_times(time_us: IntArray, ahead_received_us: IntArray) -> IntArray:
    """Return when newest readings can have been measured at the latest.

    One that was ahead of the gateway's clock when it came was not measured later than it came, whatever its sender
    says. What follows it, once the sender's clock is set, must not seem to be late.
    """
    credible: IntArray = np.where(ahead_received_us == NEVER, time_us, ahead_received_us - DELIVERY_US)
    return credible
