"""One step of a replay: the rules over stored readings of one string, from what was known before them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from battery_api.alerts.engine.batch import Outcome
from battery_api.alerts.engine.ladders import SubjectKind
from battery_api.alerts.engine.state import TypeState, type_states_to_json
from battery_api.alerts.judge_batch import outcomes_of
from battery_api.alerts.limits import OverrideSet
from battery_api.alerts.observations import Observed, SubjectGroup, observe
from battery_api.telemetry.ingest.battery_states import BatteryStates, KnownValues, PeerStates
from battery_api.telemetry.ingest.checks import DroppedReadings, ValidatedBatch, ValidRows
from battery_api.telemetry.ingest.disorder import Disorder
from battery_api.telemetry.ingest.inserts import StoredReadings, categories_as_numbers, string_claims
from battery_api.telemetry.ingest.judgement import judged_batch
from battery_api.telemetry.ingest.locked_state import LocationStates, SubjectStates
from battery_api.telemetry.ingest.state_updates import StoredBatteryRows, StoredRows
from battery_api.telemetry.ingest.string_context import ModeTimeline, batch_modes, string_currents
from battery_api.telemetry.ingest.subjects import BatchSubjects
from battery_api.telemetry.ports import JudgedBatch
from battery_api.telemetry.replay.known_strings import advanced_strings
from battery_api.telemetry.store.columns import FloatArray, IntArray, RuleState
from battery_api.telemetry.store.fleet_index import FleetIndex
from battery_api.telemetry.store.indices import BatchSlots
from battery_api.telemetry.store.mains import follow_mains
from battery_api.telemetry.store.outcomes import ReadingOutcome


@dataclass(frozen=True, slots=True)
class ReplayedRows:
    """Stored readings of one step, each kind sorted by subject and time."""

    batteries: ValidRows
    strings: ValidRows
    locations: ValidRows

    def __len__(self) -> int:
        return len(self.batteries) + len(self.strings) + len(self.locations)


@dataclass(frozen=True, slots=True)
class StepResult:
    """What a step leaves: the state after it, the changes of alerts, and what follows for the stored rows."""

    states: SubjectStates
    outcomes: Mapping[SubjectKind, Sequence[Outcome]]
    judged: JudgedBatch | None
    current_a: FloatArray
    """Currents of the battery readings, filled in from the string where they had none."""
    modes: ModeTimeline


def replay_step(
    fleet: FleetIndex,
    subjects: BatchSubjects,
    states: SubjectStates,
    rows: ReplayedRows,
    overrides: OverrideSet,
    *,
    judges_location: bool,
) -> StepResult:
    """Run the rules over stored readings with the code that ingest runs over new ones.

    Either the string and its batteries are judged, with the location's readings for the room, or the location alone.
    """
    nothing = DroppedReadings.of([])
    batch = ValidatedBatch(rows.batteries, rows.strings, rows.locations, [], [], 0, nothing, nothing)
    modes = batch_modes(states, subjects, batch)
    stored = _as_stored(fleet, subjects, states, rows)
    in_order, waiting = np.int64(np.iinfo(np.int64).max), np.int64(0)
    disorder = Disorder(
        string_from_us=np.full(len(subjects.strings), waiting if judges_location else in_order),
        location_from_us=np.full(len(subjects.locations), in_order if judges_location else waiting),
    )
    nobody = PeerStates(BatchSlots(np.zeros(0, np.int64)), KnownValues.nothing(0))
    judged = judged_batch(fleet, subjects, states, nobody, stored, timeline=modes, disorder=disorder)
    observed = None if judged is None else observe(judged, overrides)
    groups = [] if observed is None else observed.groups
    outcomes = {group.kind: outcomes_of(group) for group in groups}
    rule_states = {group.kind: _rule_states(group, outcomes[group.kind]) for group in groups}
    return StepResult(
        _advanced(states, stored, modes, rule_states, observed),
        outcomes,
        judged,
        stored.batteries.values["current_a"],
        modes,
    )


def _as_stored(fleet: FleetIndex, subjects: BatchSubjects, states: SubjectStates, rows: ReplayedRows) -> StoredReadings:
    battery = subjects.battery_slots(rows.batteries.slot)
    values = dict(rows.batteries.values)
    missing = np.flatnonzero(np.isnan(values["current_a"]))
    timeline = string_currents(states.strings, rows.strings, subjects)
    current = values["current_a"].copy()
    current[missing] = timeline.at(subjects.strings_of(BatchSlots(battery[missing])), rows.batteries.time_us[missing])
    values["current_a"] = current
    batteries = StoredBatteryRows(
        battery,
        rows.batteries.time_us,
        values,
        *_new(len(battery)),
        quality=np.zeros(len(battery), np.int64),
        estimates=None,
    )
    string = subjects.string_slots(rows.strings.slot)
    of_strings = dict(rows.strings.values)
    of_strings |= string_claims(fleet, rows.strings.slot, rows.strings.values, rows.strings.categories["mode"])
    location = subjects.location_slots(rows.locations.slot)
    environment = dict(rows.locations.values) | categories_as_numbers(rows.locations.categories)
    return StoredReadings(
        batteries=batteries,
        strings=StoredRows(string, rows.strings.time_us, of_strings, *_new(len(string))),
        locations=StoredRows(
            location,
            rows.locations.time_us,
            environment,
            *_new(len(location)),
            categories=rows.locations.categories,
        ),
    )


def _new(count: int) -> tuple["np.ndarray[tuple[int], np.dtype[np.bool_]]", IntArray]:
    return np.zeros(count, np.bool_), np.full(count, int(ReadingOutcome.NEW))


def _rule_states(group: SubjectGroup, outcomes: Sequence[Outcome]) -> list[RuleState | None]:
    states: list[RuleState | None] = list(group.subjects.rule_state)
    changed: dict[int, dict[str, TypeState]] = {}
    for outcome in outcomes:
        of_subject = changed.setdefault(outcome.subject, dict(group.states.get(outcome.subject, {})))  # type: ignore[arg-type]  # AlertType is a str
        of_subject[outcome.type] = outcome.after
    for subject, of_subject in changed.items():
        states[subject] = type_states_to_json(of_subject)  # type: ignore[arg-type]  # AlertType is a str
    return states


def _advanced(
    states: SubjectStates,
    stored: StoredReadings,
    modes: ModeTimeline,
    rule_states: Mapping[SubjectKind, list[RuleState | None]],
    observed: Observed | None,
) -> SubjectStates:
    rows = stored.strings
    strings = advanced_strings(states.strings, rows.slot, rows.time_us, dict(rows.values), modes)
    rule_state = rule_states.get(SubjectKind.STRING, list(strings.rule_state))
    flatlines, trends = ({}, {}) if observed is None else (observed.flatlines, observed.trends)
    kept = [flatlines.get(slot, before) for slot, before in enumerate(states.strings.flatlines)]
    followed = [trends.get(slot, before) for slot, before in enumerate(states.strings.trends)]
    return SubjectStates(
        locations=_advanced_locations(states.locations, stored.locations, rule_states.get(SubjectKind.LOCATION)),
        strings=replace(strings, flatlines=kept, trends=followed, rule_state=rule_state),
        batteries=_advanced_batteries(states.batteries, stored.batteries, rule_states.get(SubjectKind.BATTERY)),
    )


def _advanced_locations(
    states: LocationStates, rows: StoredRows, rule_state: list[RuleState | None] | None
) -> LocationStates:
    ambient_us, ambient_c = _known(rows, "ambient_c", states.ambient_us, states.ambient_c)
    _, mains = follow_mains(states.mains, rows.slot, rows.time_us, rows.values["mains"])
    return replace(
        states,
        last_us=_last(rows, states.last_us),
        ambient_c=ambient_c,
        ambient_us=ambient_us,
        interval_s=rows.learn_intervals(states.interval_s, states.last_us).final_s,
        mains=mains,
        rule_state=states.rule_state if rule_state is None else rule_state,
    )


def _advanced_batteries(
    states: BatteryStates, rows: StoredBatteryRows, rule_state: list[RuleState | None] | None
) -> BatteryStates:
    voltage_us, voltage_v = _known(rows, "voltage_v", states.known.voltage_us, states.known.voltage_v)
    temperature_us, temperature_c = _known(
        rows, "temperature_c", states.known.temperature_us, states.known.temperature_c
    )
    return replace(
        states,
        last_us=_last(rows, states.last_us),
        interval_s=rows.learn_intervals(states.interval_s, states.last_us).final_s,
        known=KnownValues(voltage_v, voltage_us, temperature_c, temperature_us),
        rule_state=states.rule_state if rule_state is None else rule_state,
    )


def _last(rows: StoredRows, last_us: IntArray) -> IntArray:
    times = last_us.copy()
    # Rows are sorted by subject and time, so the last of a subject is its newest.
    times[rows.slot] = rows.time_us
    return times


def _known(rows: StoredRows, channel: str, known_us: IntArray, known: FloatArray) -> tuple[IntArray, FloatArray]:
    measured = np.flatnonzero(~np.isnan(rows.values[channel]))
    times, values = known_us.copy(), known.copy()
    times[rows.slot[measured]] = rows.time_us[measured]
    values[rows.slot[measured]] = rows.values[channel][measured]
    return times, values
