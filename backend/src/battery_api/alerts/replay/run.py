"""Replay a string or a location from the first changed reading to the newest, and write what comes of it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any, Final, Literal, NamedTuple

import numpy as np
from sqlalchemy.ext.asyncio import AsyncConnection

from battery_api.alerts.alert_rows import AlertDraft, SubjectKeys, open_counts
from battery_api.alerts.engine.batch import Outcome
from battery_api.alerts.engine.ladders import SubjectKind
from battery_api.alerts.engine.state import EMPTY, TypeState, type_states_from_json, type_states_to_json
from battery_api.alerts.judge_batch import draft_changes
from battery_api.alerts.limits import OverrideSet
from battery_api.alerts.replay.derived_columns import fill_currents, write_modes
from battery_api.alerts.replay.fold import ReplayedRows, StepResult, replay_step
from battery_api.alerts.replay.knowledge import (
    LOOKBACK,
    Knowledge,
    drop_checkpoints,
    keep_checkpoint,
    newest_knowledge,
    open_alerts_known,
)
from battery_api.alerts.replay.reconcile import JudgedSubjects, reconcile
from battery_api.alerts.subject_locks import lock_batteries, lock_locations
from battery_api.db.fetching import fetch_all
from battery_api.fleet.catalogue import is_current
from battery_api.telemetry.ingest.inserts import categories_as_numbers
from battery_api.telemetry.ingest.judgement import ROOM_VALID_S
from battery_api.telemetry.ingest.locked_state import SubjectStates
from battery_api.telemetry.ingest.subjects import BatchSubjects
from battery_api.telemetry.replay.blank_states import subjects_of_location, subjects_of_string
from battery_api.telemetry.replay.readings import next_reading_at, read_batteries, read_location, read_string
from battery_api.telemetry.store.columns import Column, integers, reals
from battery_api.telemetry.store.fleet_index import FleetIndex, Kind
from battery_api.telemetry.store.indices import BatchSlots, Keys
from battery_api.telemetry.store.instants import NEVER, instant, microseconds
from battery_api.telemetry.store.mains import WINDOW_US, follow_mains
from battery_api.telemetry.store.statements import update_rows, write_open_counts, write_rule_states
from battery_contracts.enums import AlertType

STEP: Final = timedelta(hours=1)
"""Readings that are judged in one go: what is in memory at a time, and the distance of the checkpoints."""
_DAY: Final = timedelta(microseconds=WINDOW_US)
_ROOM: Final = timedelta(seconds=ROOM_VALID_S)
_DUE_STRING: Final = (
    "select rejudge_from from string_state where string_id = $1 and rejudge_from is not null for update"
)
_DUE_LOCATION: Final = (
    "select rejudge_from from location_state where location_id = $1 and rejudge_from is not null for update"
)
_CLOSINGS: Final = """
    select case when end_reason is null then resolved_at else cleared_at end as at, subject, type,
           case when end_reason is not null then 'ended'
                when cleared_at is null or cleared_at > resolved_at then 'resolved_open' else 'resolved_cleared' end
    from alert
    where subject = any($1::text[]) and (battery_id is null or battery_id = any($2::int[])) and withdrawn_at is null
      and (end_reason is null and resolved_at >= $3 or end_reason is not null and cleared_at >= $3)
    order by at
"""
SubjectOfKind = tuple[SubjectKind, int]


class _Closing(NamedTuple):
    """When and how an alert was closed by hand, or ended with its subject."""

    at: datetime
    subject: str
    type: AlertType
    how: Literal["ended", "resolved_open", "resolved_cleared"]


@dataclass(slots=True)
class _Track:
    """The alerts of one type of one subject through a replay."""

    before: TypeState
    after: TypeState
    transitions: list[Any] = field(default_factory=list)


@dataclass(slots=True)
class JudgementReplay:
    """One replay under way: what is known so far, and the changes of alerts in order of time."""

    fleet: FleetIndex
    subjects: BatchSubjects
    overrides: OverrideSet
    knowledge: Knowledge
    judges_location: bool
    tracks: dict[tuple[SubjectKind, int, AlertType], _Track] = field(default_factory=dict)

    def step(self, rows: ReplayedRows, until: datetime) -> StepResult:
        """Judge the readings up to an instant."""
        result = replay_step(
            self.fleet,
            self.subjects,
            self.knowledge.states,
            rows,
            self.overrides,
            judges_location=self.judges_location,
        )
        for kind, outcomes in result.outcomes.items():
            for outcome in outcomes:
                track = self.tracks.setdefault(
                    (kind, outcome.subject, outcome.type), _Track(outcome.before, outcome.after)
                )
                track.after = outcome.after
                track.transitions += outcome.transitions
        self.knowledge = Knowledge(until, result.states)
        return result

    def close(self, closing: _Closing) -> None:
        """Do to the rules of a subject what somebody did who resolved its alert, or who ended the subject.

        An open alert goes on, known as resolved; of one that had cleared, only the memory goes; at an end, the rules
        restart.
        """
        for kind, index, known in self._coded():
            if known != closing.subject:
                continue
            states = self._rule_states(kind)
            decoded = type_states_from_json(states[index])
            present = decoded.get(closing.type, EMPTY)
            if closing.how == "resolved_cleared" and present.closed is None:
                continue
            rest = {
                "ended": EMPTY,
                "resolved_open": present.with_resolution(microseconds(closing.at)),
                "resolved_cleared": replace(present, closed=None),
            }[closing.how]
            states[index] = type_states_to_json(decoded | {closing.type: rest})
            track = self.tracks.get((kind, index, closing.type))
            if track is not None:
                track.after = rest
                if closing.how != "resolved_open":
                    track.transitions.append(None)

    def drafts(self) -> list[tuple[SubjectKind, int, AlertType, list[AlertDraft], AlertDraft | None]]:
        """Return the alerts found, by subject and type, and of each the one that stays open."""
        found = []
        for (kind, index, alert_type), track in self.tracks.items():
            keys = self._keys(kind, index)
            drafts: list[AlertDraft] = []
            current: AlertDraft | None = None
            for before, part, after in _parts(track):
                changes, current = draft_changes(Outcome(index, alert_type, before, after, part), keys)
                drafts += changes
                remembered = before.alert or (before.closed.alert if before.closed else None)
                if remembered is not None and all(one.alert_id != remembered.alert_id for one in changes):
                    # It went on unchanged, or stayed closed, whatever became of the stored one.
                    cleared_at = None if before.closed is None else instant(before.closed.cleared_us)
                    drafts.append(
                        AlertDraft(
                            keys,
                            alert_type,
                            alert_id=remembered.alert_id,
                            cleared_at=cleared_at,
                            episode_count=remembered.episodes,
                        )
                    )
            found.append((kind, index, alert_type, drafts, current))
        return found

    def link(self, kind: SubjectKind, index: int, alert_type: AlertType, alert_id: int | None) -> None:
        """Let the state of a rule know the row of its open alert."""
        states = self._rule_states(kind)
        decoded = type_states_from_json(states[index])
        if alert_type in decoded:
            decoded[alert_type] = decoded[alert_type].linked(alert_id)
            states[index] = type_states_to_json(decoded)

    def judged(self) -> JudgedSubjects:
        """Return the subjects that this replay judges."""
        keys = self.fleet.batteries.keys_at(self.subjects.batteries).tolist()
        return JudgedSubjects([code for _, _, code in self._coded()], keys)

    def _coded(self) -> Iterator[tuple[SubjectKind, int, str]]:
        if self.judges_location:
            for index, location in enumerate(self.fleet.locations.entries_at(self.subjects.locations)):
                yield SubjectKind.LOCATION, index, location.code
            return
        for index, string in enumerate(self.fleet.strings.entries_at(self.subjects.strings)):
            yield SubjectKind.STRING, index, string.code
        for index, battery in enumerate(self.fleet.batteries.entries_at(self.subjects.batteries)):
            yield SubjectKind.BATTERY, index, battery.code

    def _rule_states(self, kind: SubjectKind) -> Any:
        states = self.knowledge.states
        return {
            SubjectKind.LOCATION: states.locations.rule_state,
            SubjectKind.STRING: states.strings.rule_state,
            SubjectKind.BATTERY: states.batteries.rule_state,
        }[kind]

    def _keys(self, kind: SubjectKind, index: int) -> SubjectKeys:
        if kind is SubjectKind.LOCATION:
            (location,) = self.fleet.locations.entries_at(self.subjects.locations)
            return SubjectKeys(location.code, location.key)
        (string,) = self.fleet.strings.entries_at(self.subjects.strings)
        if kind is SubjectKind.STRING:
            return SubjectKeys(string.code, string.location_key, string.system_key, string.key)
        battery = self.fleet.batteries.entries_at(self.subjects.batteries)[index]
        return SubjectKeys(battery.code, battery.location_key, string.system_key, battery.string_key, battery.key)


def _parts(track: _Track) -> Iterator[tuple[TypeState, list[Any], TypeState]]:
    """Split the transitions of a rule where it restarted: what follows is another alert."""
    cuts = [-1, *(index for index, one in enumerate(track.transitions) if one is None), len(track.transitions)]
    for number, (begin, end) in enumerate(pairwise(cuts)):
        is_last = number == len(cuts) - 2
        before = track.before if number == 0 else TypeState({})
        yield before, track.transitions[begin + 1 : end], track.after if is_last else TypeState({})


async def replay_string(
    connection: AsyncConnection, fleet: FleetIndex, key: int, overrides: OverrideSet, now: datetime
) -> Sequence[AlertDraft]:
    """Judge a string and its batteries again from its first changed reading; return what changed.

    Takes the locks of ingest in its order. Without anything to do, nothing happens.
    """
    slot = int(np.searchsorted(fleet.strings.keys, key))
    subjects = subjects_of_string(fleet, slot)
    battery_keys = fleet.batteries.keys_at(subjects.batteries)
    (location_key,) = fleet.locations.keys_at(subjects.locations).tolist()
    await lock_locations(connection, [location_key])
    due = await fetch_all(connection, _DUE_STRING, (key,))
    if not due:
        return []
    await lock_batteries(connection, battery_keys.tolist())
    if not await is_current(connection, fleet.catalogue):
        # A battery was replaced or retired meanwhile; the job comes back with the fleet as it is now.
        return []
    knowledge = await newest_knowledge(connection, fleet, subjects, due[0][0])
    began_at = knowledge.at
    await drop_checkpoints(connection, key, due[0][0])
    replay = JudgementReplay(fleet, subjects, overrides, knowledge, judges_location=False)
    closings = await _closings(connection, replay, began_at)
    for closing in (one for one in closings if one.at <= began_at):
        replay.close(closing)
    (location_slot,) = subjects.locations.tolist()
    first = True
    while True:
        next_at = await next_reading_at(connection, battery_keys, key, replay.knowledge.at)
        if next_at is None:
            break
        begin = replay.knowledge.at
        until = next_at + STEP
        cuts = [closing for closing in closings if begin < closing.at <= until]
        for end in [*(closing.at for closing in cuts), until]:
            batteries = await read_batteries(
                connection, subjects.batteries, battery_keys, after=replay.knowledge.at, until=end
            )
            string = await read_string(connection, slot, key, after=replay.knowledge.at, until=end)
            location = await read_location(
                connection,
                location_slot,
                location_key,
                after=next_at - _ROOM if first else replay.knowledge.at,
                until=end,
            )
            first = False
            result = replay.step(ReplayedRows(batteries.rows, string.rows, location), end)
            await fill_currents(connection, fleet, key, batteries, result)
            await write_modes(connection, key, string, result)
            for closing in (one for one in cuts if one.at == end):
                replay.close(closing)
        if await next_reading_at(connection, battery_keys, key, until) is not None:
            await keep_checkpoint(connection, fleet, subjects, replay.knowledge)
    drafts = await _write_alerts(connection, replay, began_at, now)
    await _finish_string(connection, replay, key, battery_keys)
    return drafts


async def replay_location(
    connection: AsyncConnection, fleet: FleetIndex, key: int, overrides: OverrideSet, now: datetime
) -> Sequence[AlertDraft]:
    """Judge the readings of a location itself again from the first changed one; return what changed."""
    due = await fetch_all(connection, _DUE_LOCATION, (key,))
    if not due:
        return []
    slot = int(np.searchsorted(fleet.locations.keys, key))
    subjects = subjects_of_location(slot)
    knowledge = await open_alerts_known(connection, fleet, subjects, due[0][0] - LOOKBACK)
    knowledge = await _with_mains(connection, knowledge, slot, key)
    replay = JudgementReplay(fleet, subjects, overrides, knowledge, judges_location=True)
    closings = await _closings(connection, replay, knowledge.at)
    nothing = Keys(np.zeros(0, np.int64))
    batteries = await read_batteries(connection, subjects.batteries, nothing, after=now, until=now)
    string = await read_string(connection, 0, -1, after=now, until=now)
    end_of_time = datetime.max.replace(tzinfo=now.tzinfo)
    for end in [*(closing.at for closing in closings), end_of_time]:
        locations = await read_location(connection, slot, key, after=replay.knowledge.at, until=end)
        replay.step(ReplayedRows(batteries.rows, string.rows, locations), end)
        for closing in (one for one in closings if one.at == end):
            replay.close(closing)
    drafts = await _write_alerts(connection, replay, knowledge.at, now)
    states = replay.knowledge.states.locations
    await write_rule_states(connection, "location", [key], list(states.rule_state))
    await _set_done(
        connection,
        "location",
        key,
        int(states.last_us[0]),
        [
            reals("known_ambient_c", states.ambient_c),
            _optional("known_ambient_at", states.ambient_us.tolist()),
            Column("mains_history", "bytea", [states.mains[0].stored()]),
        ],
    )
    return drafts


async def _with_mains(connection: AsyncConnection, knowledge: Knowledge, slot: int, key: int) -> Knowledge:
    """Return what is known of a location with the losses of its mains on the day before."""
    earlier = await read_location(connection, slot, key, after=knowledge.at - _DAY, until=knowledge.at)
    mains = categories_as_numbers(earlier.categories)["mains"]
    first = BatchSlots(np.zeros(len(earlier), np.int64))
    locations = knowledge.states.locations
    _, histories = follow_mains(locations.mains, first, earlier.time_us, mains)
    return replace(knowledge, states=replace(knowledge.states, locations=replace(locations, mains=histories)))


async def _closings(connection: AsyncConnection, replay: JudgementReplay, since: datetime) -> list[_Closing]:
    rows = await fetch_all(connection, _CLOSINGS, (*replay.judged(), since))
    return [_Closing(at, subject, AlertType(alert_type), how) for at, subject, alert_type, how in rows]


async def _finish_string(connection: AsyncConnection, replay: JudgementReplay, key: int, battery_keys: Keys) -> None:
    states = replay.knowledge.states
    await write_rule_states(connection, "battery", battery_keys.tolist(), list(states.batteries.rule_state))
    await write_rule_states(connection, "string", [key], list(states.strings.rule_state))
    await _write_batteries(connection, battery_keys, states)
    counts = await open_counts(connection, battery_keys.tolist())
    await write_open_counts(connection, counts)
    mode = states.strings.mode[0]
    judged_us = max(int(states.strings.last_us[0]), int(states.batteries.last_us.max(initial=NEVER)))
    await _set_done(
        connection,
        "string",
        key,
        judged_us,
        [
            Column("mode", "text", [None if mode.mode is None else str(mode.mode)]),
            *_instants({"mode_since": mode.since_us, "last_discharge_at": mode.discharged_us}),
            reals("reporting_interval_s", states.strings.interval_s),
            reals("known_current_a", states.strings.current_a),
            Column("flatlines", "bytea", list(states.strings.flatlines)),
            Column("trends", "bytea", list(states.strings.trends)),
            _optional("known_current_at", states.strings.current_us.tolist()),
        ],
    )


async def _write_alerts(
    connection: AsyncConnection, replay: JudgementReplay, since: datetime, now: datetime
) -> Sequence[AlertDraft]:
    found = replay.drafts()
    drafts = [draft for *_, part, _ in found for draft in part]
    reconciled = await reconcile(connection, replay.judged(), drafts, since=since, now=now)
    for kind, index, alert_type, _, current in found:
        if current is not None:
            replay.link(kind, index, alert_type, current.alert_id)
    return reconciled


async def _write_batteries(connection: AsyncConnection, keys: Keys, states: SubjectStates) -> None:
    batteries, known = states.batteries, states.batteries.known
    await update_rows(
        connection,
        "battery_state",
        integers("battery_id", keys),
        [
            reals("reporting_interval_s", batteries.interval_s),
            reals("known_voltage_v", known.voltage_v),
            _optional("known_voltage_at", known.voltage_us.tolist()),
            reals("known_temperature_c", known.temperature_c),
            _optional("known_temperature_at", known.temperature_us.tolist()),
        ],
    )


async def _set_done(
    connection: AsyncConnection, kind: Kind, key: int, judged_us: int, changed: Sequence[Column]
) -> None:
    await update_rows(
        connection,
        f"{kind}_state",
        Column(f"{kind}_id", "int", [key]),
        [*changed, *_instants({"judged_until": judged_us, "rejudge_from": NEVER})],
    )


def _instants(times_us: Mapping[str, int]) -> list[Column]:
    return [_optional(name, [time_us]) for name, time_us in times_us.items()]


def _optional(name: str, times_us: Sequence[int]) -> Column:
    return Column(name, "instant", [None if time_us == NEVER else time_us for time_us in times_us])
