"""Bring the state rows up to the newest readings of a batch; the latest never goes back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import numpy as np
from sqlalchemy.ext.asyncio import AsyncConnection

from battery_api.telemetry.counters import ADD_TO_OPEN_DAY, Tally, add_older_days, close_days
from battery_api.telemetry.estimates import Estimated
from battery_api.telemetry.fleet_index import FleetIndex
from battery_api.telemetry.instants import NEVER
from battery_api.telemetry.intervals import learn_interval
from battery_api.telemetry.live_state import BatteryStates, LocationStates, StringStates
from battery_api.telemetry.ports import Readings
from battery_api.telemetry.rows import BATTERY_SHAPE, BoolArray, FloatArray, IntArray
from battery_api.telemetry.strings import ModeTimeline
from battery_api.telemetry.writer import Column, instants, integers, reals, update_rows

_NEXT: Final = "seq = present.seq + 1"
_LIVE: Final = tuple(name for name in BATTERY_SHAPE.channel_names if name != "internal_resistance_mohm")


@dataclass(frozen=True, slots=True)
class Arrived:
    """Readings (m,) of one kind that reached the store, sorted by subject and time.

    ``subject`` is the position among the entries of the batch; ``is_late`` says that a newer one was known before,
    ``is_new`` that the row was not there yet.
    """

    subject: IntArray
    time_us: IntArray
    values: Mapping[str, FloatArray]
    quality: IntArray | None
    is_late: BoolArray
    is_new: BoolArray
    estimated: Estimated | None = None
    words: Mapping[str, Sequence[Any]] = field(default_factory=dict)

    @property
    def newer(self) -> IntArray:
        """Rows that are newer than what was known."""
        return np.flatnonzero(self.is_new & ~self.is_late)

    def newer_by_subject(self) -> tuple[IntArray, IntArray]:
        """Return subject and time of the newer rows, sorted by both."""
        rows = self.newer
        return self.subject[rows], self.time_us[rows]

    def newest(self) -> IntArray:
        """Return the newest row of each subject that has a newer one."""
        rows = self.newer
        return rows[_last_of_each(self.subject[rows])]

    def newer_by_time(self, channels: Sequence[str]) -> Readings:
        """Return the newer rows in time order, as the judge takes them."""
        rows = self.newer
        rows = rows[np.argsort(self.time_us[rows], kind="stable")]
        return Readings(
            subject=self.subject[rows],
            time=self.time_us[rows].view("datetime64[us]"),
            values={name: self.values[name][rows] for name in channels},
        )


class StateWriter:
    """Writes the state rows of one batch, which are locked."""

    def __init__(self, connection: AsyncConnection, fleet: FleetIndex, received_at: datetime) -> None:
        self._connection = connection
        self._fleet = fleet
        self._received_at = received_at

    async def write_batteries(
        self,
        places: IntArray,
        states: BatteryStates,
        rows: Arrived,
        *,
        interval_s: FloatArray,
        tally: Tally,
    ) -> None:
        """Write live values, counts and ohmic values of batteries."""
        keys = self._fleet.key["battery"][places]
        newest = rows.newest()
        await close_days(self._connection, keys[tally.rolls_over].tolist())
        subject = rows.subject[newest]
        assert rows.quality is not None
        changed = [
            instants("time", rows.time_us[newest]),
            *(reals(name, rows.values[name][newest]) for name in _LIVE),
            integers("quality", rows.quality[newest], kind="smallint"),
            reals("reporting_interval_s", interval_s[subject]),
        ]
        columns, inputs, assignments = _estimate_columns(rows, newest)
        await update_rows(
            self._connection,
            "battery_state",
            integers("battery_id", keys[subject]),
            changed + columns,
            inputs=tally.columns(subject) + inputs,
            also=[_NEXT, *assignments, *ADD_TO_OPEN_DAY],
            received_at=self._received_at,
        )
        only_counted = np.setdiff1d(np.arange(len(places)), subject)
        await update_rows(
            self._connection,
            "battery_state",
            integers("battery_id", keys[only_counted]),
            [],
            inputs=tally.columns(only_counted),
            also=ADD_TO_OPEN_DAY,
        )
        await add_older_days(self._connection, keys, tally)
        await self._write_resistances(keys, states, rows)

    async def _write_resistances(self, keys: IntArray, states: BatteryStates, rows: Arrived) -> None:
        # Measured once a day and often apart from the rest, so it is newest by its own time.
        measured = ~np.isnan(rows.values["internal_resistance_mohm"])
        newer = np.flatnonzero(rows.is_new & measured & (rows.time_us > states.resistance_us[rows.subject]))
        chosen = newer[_last_of_each(rows.subject[newer])]
        await update_rows(
            self._connection,
            "battery_state",
            integers("battery_id", keys[rows.subject[chosen]]),
            [
                reals("internal_resistance_mohm", rows.values["internal_resistance_mohm"][chosen]),
                instants("resistance_at", rows.time_us[chosen]),
                reals("resistance_temperature_c", rows.values["temperature_c"][chosen]),
            ],
        )

    async def write_strings(
        self, places: IntArray, states: StringStates, rows: Arrived, timeline: ModeTimeline
    ) -> None:
        """Write live values of strings, and modes of those whose batteries told their current."""
        keys = self._fleet.key["string"][places]
        final = timeline.final(len(places))
        newest = rows.newest()
        subject = rows.subject[newest]
        interval_s = learn_interval(states.interval_s, states.last_us, *rows.newer_by_subject())
        await update_rows(
            self._connection,
            "string_state",
            integers("string_id", keys[subject]),
            [
                instants("time", rows.time_us[newest]),
                *(reals(name, column[newest]) for name, column in rows.values.items()),
                reals("reporting_interval_s", interval_s[subject]),
            ],
            received_at=self._received_at,
        )
        moved = [at for at, (before, after) in enumerate(zip(states.mode, final, strict=True)) if before != after]
        await update_rows(
            self._connection,
            "string_state",
            integers("string_id", keys[moved]),
            [
                Column("mode", "text", [_text(final[at].mode) for at in moved]),
                _instants_or_null("mode_since", [final[at].since_us for at in moved]),
                _instants_or_null("last_discharge_at", [final[at].discharged_us for at in moved]),
            ],
        )

    async def write_locations(self, places: IntArray, states: LocationStates, rows: Arrived, talking: IntArray) -> None:
        """Raise the sequence numbers of locations with news and write their environment."""
        keys = self._fleet.key["location"][places]
        await update_rows(self._connection, "location_state", integers("location_id", keys[talking]), [], also=[_NEXT])
        newest = rows.newest()
        subject = rows.subject[newest]
        interval_s = learn_interval(states.interval_s, states.last_us, *rows.newer_by_subject())
        hvac, mains = rows.words["hvac"], rows.words["mains"]
        await update_rows(
            self._connection,
            "location_state",
            integers("location_id", keys[subject]),
            [
                instants("time", rows.time_us[newest]),
                reals("ambient_c", rows.values["ambient_c"][newest]),
                reals("humidity_pct", rows.values["humidity_pct"][newest]),
                Column("hvac", "text", [_text(hvac[at]) for at in newest.tolist()]),
                Column("mains", "boolean", [mains[at] for at in newest.tolist()]),
                reals("reporting_interval_s", interval_s[subject]),
            ],
            received_at=self._received_at,
        )


def _estimate_columns(rows: Arrived, newest: IntArray) -> tuple[list[Column], list[Column], list[str]]:
    """Return columns, inputs and assignments of the estimates; without any, older ones are withdrawn."""
    if rows.estimated is None:
        names = ("soc_pct", "soc_sd_pct", "soc_provenance", "soh_pct", "soh_sd_pct", "soh_provenance")
        return [], [], [f"{name} = null" for name in names]
    return rows.estimated.state_columns(newest, rows.subject[newest])


def _last_of_each(subject: IntArray) -> IntArray:
    """Return the last row of each subject, of rows sorted by subject."""
    if not len(subject):
        return np.zeros(0, np.int64)
    return np.flatnonzero(np.append(subject[1:] != subject[:-1], True))


def _text(word: object) -> str | None:
    return None if word is None else str(word)


def _instants_or_null(name: str, times_us: Sequence[int]) -> Column:
    return Column(name, "instant", [None if at == NEVER else at for at in times_us])
