"""One batch inside its transaction: lock, insert, judge, update; the steps of a reading's life in their order."""

from collections.abc import Container, Mapping
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from sqlalchemy.ext.asyncio import AsyncConnection

from battery_api.telemetry.ingest.battery_states import PeerStates, read_peers
from battery_api.telemetry.ingest.checks import DroppedReadings, ValidatedBatch
from battery_api.telemetry.ingest.disorder import Disorder, JudgementProgress, find_disorder
from battery_api.telemetry.ingest.estimation import BatchEstimates
from battery_api.telemetry.ingest.inserts import ReadingWriter, StoredReadings
from battery_api.telemetry.ingest.judgement import judged_batch, write_verdict
from battery_api.telemetry.ingest.locked_state import SubjectStates, read_states, require_current_fleet
from battery_api.telemetry.ingest.past_days import mark_past_days
from battery_api.telemetry.ingest.publication import (
    NewestReadings,
    Publication,
    status_updates,
    statuses,
    telemetry_updates,
)
from battery_api.telemetry.ingest.state_updates import StateWriter
from battery_api.telemetry.ingest.string_context import ModeTimeline, batch_modes
from battery_api.telemetry.ingest.subjects import BatchSubjects
from battery_api.telemetry.ingest.twin_backlog import TwinBacklog
from battery_api.telemetry.metrics import STAGE_SECONDS
from battery_api.telemetry.ports import BatchVerdict, DueAgain, Judge
from battery_api.telemetry.store.columns import FloatArray
from battery_api.telemetry.store.fleet_index import FleetIndex
from battery_api.telemetry.store.indices import BatchSlots, FleetSlots
from battery_api.telemetry.store.instants import microseconds
from battery_api.telemetry.store.outcomes import ReadingOutcome
from battery_api.telemetry.store.reading_counts import BatchCounts, ReadingTimes, StoredTimes, count_readings


@dataclass(frozen=True, slots=True)
class StoredBatch:
    """ReadingOutcome of a stored batch: the counts of its readings, and the events to publish after the commit."""

    outcomes: Mapping[ReadingOutcome, int]
    late: int
    publication: Publication
    due_again: DueAgain
    """What has to be judged again after the commit."""

    def followed_by(self, other: "StoredBatch") -> "StoredBatch":
        """Return the outcome of two batches in a row."""
        outcomes = {outcome: self.outcomes[outcome] + other.outcomes[outcome] for outcome in ReadingOutcome}
        return StoredBatch(
            outcomes,
            self.late + other.late,
            self.publication.followed_by(other.publication),
            self.due_again.joined(other.due_again),
        )


@dataclass(frozen=True, slots=True)
class _LockedBatch:
    """The subjects of a batch and their state rows, locked."""

    subjects: BatchSubjects
    states: SubjectStates
    peers: PeerStates


class BatchTransaction:
    """Carries one validated batch through its transaction.

    Parameters
    ----------
    watched
        Batteries whose own room has a listener; each of them gets a message of its own.
    estimates
        Estimates that the digital twin made before the transaction began, if it did.
    has_twin
        Whether there is a digital twin; then readings without an answer wait for it.
    """

    def __init__(
        self,
        connection: AsyncConnection,
        *,
        fleet: FleetIndex,
        judge: Judge,
        received_at: datetime,
        watched: Container[str] = frozenset(),
        estimates: BatchEstimates | None = None,
        has_twin: bool = False,
    ) -> None:
        self._connection = connection
        self._fleet = fleet
        self._judge = judge
        self._received_at = received_at
        self._watched = watched
        self._estimates = estimates
        self._has_twin = has_twin

    async def run(self, batch: ValidatedBatch) -> StoredBatch:
        """Store a batch and judge it; the caller commits.

        Raises
        ------
        EstimatesOutdated
            Another batch moved the estimator state of a battery meanwhile; nothing was written.
        FleetOutdated
            A battery was replaced or retired meanwhile; nothing was written.
        """
        stored = await self._run_part(batch, self._estimates)
        for part in batch.further:
            stored = stored.followed_by(await self._run_part(part, None))
        return stored

    async def _run_part(self, batch: ValidatedBatch, estimates: BatchEstimates | None) -> StoredBatch:
        subjects = BatchSubjects.of(batch, self._fleet)
        with STAGE_SECONDS.labels("lock").time():
            states = await read_states(self._connection, self._fleet, subjects, lock=True)
            await require_current_fleet(self._connection, self._fleet)
            peers = await read_peers(self._connection, self._fleet, subjects, batch.strings.slot)
        locked = _LockedBatch(subjects, states, peers)
        if estimates is not None:
            estimates.require_current(states.batteries)
        with STAGE_SECONDS.labels("insert").time():
            stored, timeline = await self._insert(batch, locked, estimates)
        disorder = find_disorder(subjects, states, stored)
        with STAGE_SECONDS.labels("judge").time():
            progress = JudgementProgress(self._connection, self._fleet, subjects, states)
            await progress.keep_checkpoints(stored, disorder)
            if self._has_twin:
                backlog = TwinBacklog(self._connection, self._fleet, subjects, states)
                await backlog.keep_snapshots(stored, disorder)
                await backlog.add(stored, estimates)
            verdict = await self._judge_in_order(locked, stored, timeline, disorder)
        with STAGE_SECONDS.labels("update").time():
            await progress.advance(stored, disorder, flatlines=verdict.flatlines, trends=verdict.trends)
            publication = await self._update(batch, locked, stored, timeline, verdict)
        return StoredBatch(
            outcomes={
                outcome: sum(int((rows.outcome == outcome).sum()) for rows in stored.kinds)
                for outcome in ReadingOutcome
            },
            late=sum(int((rows.is_new & rows.is_late).sum()) for rows in stored.kinds),
            publication=publication,
            due_again=progress.due_again(disorder),
        )

    async def _insert(
        self, batch: ValidatedBatch, locked: _LockedBatch, estimates: BatchEstimates | None
    ) -> tuple[StoredReadings, ModeTimeline]:
        writer = ReadingWriter(self._connection, self._fleet, locked.subjects, locked.states)
        timeline = batch_modes(locked.states, locked.subjects, batch)
        stored = StoredReadings(
            batteries=await writer.insert_batteries(batch, estimates),
            strings=await writer.insert_strings(batch.strings, timeline),
            locations=await writer.insert_locations(batch.locations),
        )
        await writer.mark(stored)
        await mark_past_days(self._connection, self._fleet, locked.subjects, stored, self._received_at)
        return stored, timeline

    async def _judge_in_order(
        self, locked: _LockedBatch, stored: StoredReadings, timeline: ModeTimeline, disorder: Disorder
    ) -> BatchVerdict:
        judged = judged_batch(
            self._fleet,
            locked.subjects,
            locked.states,
            locked.peers,
            stored,
            timeline=timeline,
            disorder=disorder,
        )
        if judged is None:
            return BatchVerdict()
        verdict = await self._judge.judge(self._connection, judged)
        await write_verdict(self._connection, self._fleet, locked.subjects, verdict)
        return verdict

    async def _update(
        self,
        batch: ValidatedBatch,
        locked: _LockedBatch,
        stored: StoredReadings,
        timeline: ModeTimeline,
        verdict: BatchVerdict,
    ) -> Publication:
        subjects, states = locked.subjects, locked.states
        batteries = stored.batteries
        interval_s = batteries.learn_intervals(states.batteries.interval_s, states.batteries.last_us).final_s
        writer = StateWriter(self._connection, self._fleet, subjects, states, self._received_at)
        await writer.write_batteries(batteries, interval_s=interval_s, counts=_counts(batch, locked, stored))
        await writer.note_arrivals(batteries, batch.ahead_of_clock)
        await writer.write_strings(stored.strings, timeline)
        shown = np.concatenate([batteries.newest(), batteries.amended_newest(states.batteries.last_us)])
        updated = np.unique(subjects.location_of_battery[batteries.slot[shown]])
        await writer.write_locations(stored.locations, BatchSlots(updated))
        return self._publication(locked, stored, interval_s, verdict)

    def _publication(
        self, locked: _LockedBatch, stored: StoredReadings, interval_s: FloatArray, verdict: BatchVerdict
    ) -> Publication:
        subjects, states = locked.subjects, locked.states.batteries
        batteries = stored.batteries
        rows = np.sort(np.concatenate([batteries.newest(), batteries.amended_newest(states.last_us)]))
        battery = BatchSlots(batteries.slot[rows])
        open_counts = states.open_counts.copy()
        for slot, changed in verdict.open_counts.items():
            open_counts[slot] = changed
        now_us = microseconds(self._received_at)
        newest = NewestReadings(
            code=[entry.code for entry in self._fleet.batteries.entries_at(FleetSlots(subjects.batteries[battery]))],
            location=subjects.locations_of(battery),
            seq=states.seq[battery] + 1,
            time_us=batteries.time_us[rows],
            values={name: column[rows] for name, column in batteries.values.items()},
            status_before=statuses(
                states.last_us[battery], states.interval_s[battery], states.open_counts[battery], now_us
            ),
            # A reading that just arrived may be old by its own time, as in a drained backlog: then it is stale.
            status_after=statuses(batteries.time_us[rows], interval_s[battery], open_counts[battery], now_us),
            open_before=states.open_counts[battery],
            open_counts=open_counts[battery],
        )
        location_codes = [entry.code for entry in self._fleet.locations.entries_at(subjects.locations)]
        return Publication(
            telemetry=telemetry_updates(
                newest,
                location_codes=location_codes,
                location_seq=locked.states.locations.seq + 1,
                watched=self._watched,
                received_at=self._received_at,
            ),
            statuses=status_updates(newest, location_codes),
            alerts=verdict.events,
        )


def _counts(batch: ValidatedBatch, locked: _LockedBatch, stored: StoredReadings) -> BatchCounts:
    def times(dropped: DroppedReadings) -> ReadingTimes:
        return ReadingTimes(locked.subjects.battery_slots(dropped.slot), dropped.time_us)

    rows = stored.batteries
    return count_readings(
        locked.states.batteries.count_day_us,
        stored=StoredTimes(rows.slot, rows.time_us, rows.outcome, rows.is_late),
        repeated=times(batch.repeated_batteries),
        rejected=times(batch.rejected_batteries),
    )
