"""What waits for the digital twin: readings that it has yet to estimate, and the snapshots from which it goes on."""

from typing import Final

import numpy as np
from sqlalchemy.ext.asyncio import AsyncConnection

from battery_api.telemetry.ingest.disorder import IN_ORDER, KEPT_OF_STRING, Disorder, first_out_of_order
from battery_api.telemetry.ingest.estimation import BatchEstimates
from battery_api.telemetry.ingest.inserts import StoredReadings
from battery_api.telemetry.ingest.locked_state import SubjectStates
from battery_api.telemetry.ingest.subjects import BatchSubjects
from battery_api.telemetry.store.columns import BoolArray, IntArray, instants, integers
from battery_api.telemetry.store.discharge_marks import is_discharging
from battery_api.telemetry.store.fleet_index import FleetIndex
from battery_api.telemetry.store.instants import HOUR_US, NEVER, day_floor
from battery_api.telemetry.store.statements import update_rows
from battery_contracts.enums import DISCHARGING_MODES

SNAPSHOT_US: Final = HOUR_US
"""A snapshot is made every hour of readings: what comes late within it costs little to estimate again."""
_KEEP: Final = f"""
    insert into twin_snapshot (string_id, at, is_kept, string, battery_ids, states)
    select s.string_id, s.judged_until, given.is_kept, {KEPT_OF_STRING},
           array_agg(t.battery_id order by t.battery_id), array_agg(t.twin_state order by t.battery_id)
    from unnest($1::int[], $2::boolean[]) as given(string_id, is_kept)
    join string_state s on s.string_id = given.string_id
    join battery b on b.string_id = s.string_id and b.removed_at is null
    join battery_state t on t.battery_id = b.id and t.twin_state is not null
    group by s.string_id, given.is_kept
    on conflict (string_id, at) do update set
        is_kept = twin_snapshot.is_kept or excluded.is_kept, string = excluded.string,
        battery_ids = excluded.battery_ids, states = excluded.states
"""  # noqa: S608  # a constant of this module


class TwinBacklog:
    """Keeps what of the strings of a batch waits for the twin; their state rows are locked."""

    def __init__(
        self, connection: AsyncConnection, fleet: FleetIndex, subjects: BatchSubjects, states: SubjectStates
    ) -> None:
        self._connection = connection
        self._keys = fleet.strings.keys_at(subjects.strings)
        self._subjects = subjects
        self._states = states

    async def add(self, stored: StoredReadings, estimates: BatchEstimates | None) -> None:
        """Note from when readings wait; what waits already from earlier, stays so."""
        from_us = self._waiting_from(stored, estimates)
        waiting = np.flatnonzero(from_us != IN_ORDER)
        await update_rows(
            self._connection,
            "string_state",
            integers("string_id", self._keys[waiting]),
            [],
            inputs=[instants("from_at", from_us[waiting])],
            also=["reestimate_from = least(present.reestimate_from, input.from_at)"],
        )

    async def keep_snapshots(self, stored: StoredReadings, disorder: Disorder) -> None:
        """Keep what the twin knows before this batch: every hour, each day, and before each discharge."""
        strings = self._states.strings
        is_kept = self._begins_discharge(stored) | is_first_of_day(strings.judged_us, strings.snapshot_us)
        is_due = is_kept | (strings.judged_us - strings.snapshot_us >= SNAPSHOT_US)
        due = np.flatnonzero(is_due & disorder.is_string_in_order & (strings.judged_us > strings.snapshot_us))
        if not len(due):
            return
        await self._connection.exec_driver_sql(_KEEP, (self._keys[due].tolist(), is_kept[due].tolist()))
        await update_rows(
            self._connection,
            "string_state",
            integers("string_id", self._keys[due]),
            [instants("snapshot_at", strings.judged_us[due])],
        )

    def _waiting_from(self, stored: StoredReadings, estimates: BatchEstimates | None) -> IntArray:
        """Return from when the readings of strings (n,) wait; the largest integer where none does.

        Readings wait that the twin was not asked about or gave no answer to, and all from the first on that came out of
        order or was changed, or that was estimated without what another batch brought meanwhile.
        """
        from_us = first_out_of_order(self._subjects, self._states, stored)
        rows = stored.batteries
        of_battery = self._subjects.strings_of(rows.slot)
        is_open = ~np.isnan(rows.values["voltage_v"])
        if rows.estimates is not None:
            is_open &= ~rows.estimates.is_answered
        if estimates is not None:
            is_open |= estimates.context.moved_on(self._states)[of_battery]
        waiting = np.flatnonzero(is_open & rows.is_changed)
        np.minimum.at(from_us, of_battery[waiting], rows.time_us[waiting])
        return from_us

    def _begins_discharge(self, stored: StoredReadings) -> BoolArray:
        """Return for strings (n,) whether a discharge begins in the batch."""
        discharges = np.zeros(len(self._keys), bool)
        of_batteries = self._subjects.strings_of(stored.batteries.slot)
        for string, rows in ((of_batteries, stored.batteries), (stored.strings.slot, stored.strings)):
            discharges[string[is_discharging(rows.values["current_a"])]] = True
        was_discharging = np.array([state.mode in DISCHARGING_MODES for state in self._states.strings.mode], bool)
        begins: BoolArray = discharges & ~was_discharging
        return begins


def is_first_of_day(at_us: IntArray, previous_us: IntArray) -> BoolArray:
    """Return for snapshots (n,) whether none before is of the same day (Asia/Bangkok)."""
    is_first: BoolArray = (previous_us == NEVER) | (day_floor(at_us) > day_floor(previous_us))
    return is_first
