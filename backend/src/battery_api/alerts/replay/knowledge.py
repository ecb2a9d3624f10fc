"""What the rules knew of a string at an instant: kept as checkpoints, rebuilt as the states that ingest works with."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

import numpy as np
import orjson
from sqlalchemy.ext.asyncio import AsyncConnection

from battery_api.alerts.engine.ladders import SECOND_US
from battery_api.alerts.engine.rules import READING_RULES, RULE_BY_ID
from battery_api.alerts.engine.state import (
    OpenAlert,
    RuleCondition,
    RuleRun,
    TypeState,
    type_states_from_json,
    type_states_to_json,
)
from battery_api.db.fetching import fetch_all
from battery_api.telemetry.ingest.battery_states import KnownValues
from battery_api.telemetry.ingest.locked_state import SubjectStates
from battery_api.telemetry.ingest.subjects import BatchSubjects
from battery_api.telemetry.replay.blank_states import nothing_known
from battery_api.telemetry.replay.known_strings import (
    encoded_string,
    string_states,
    time_or_none,
    times_of,
    value_or_none,
    values_of,
)
from battery_api.telemetry.store.columns import RuleState
from battery_api.telemetry.store.fleet_index import FleetIndex
from battery_api.telemetry.store.instants import instant, microseconds
from battery_contracts.enums import AlertType

LOOKBACK: Final = timedelta(days=5)
"""How much is judged before a changed reading that no checkpoint precedes: the longest hold and settling add to 4 d."""
_NEWEST: Final = "select at, state from judgement_checkpoint where string_id = $1 and at < $2 order by at desc limit 1"
_DROP: Final = "delete from judgement_checkpoint where string_id = $1 and at >= $2"
_KEEP: Final = (
    "insert into judgement_checkpoint (string_id, at, state) values ($1, $2, $3::jsonb) "
    "on conflict (string_id, at) do update set state = excluded.state"
)
_OPEN_AT: Final = """
    select id, subject, type, rule_id, raised_at, coalesce(peak_value, value, 0),
           case when resolved_at <= $2 then resolved_at end
    from alert
    where subject = any($1::text[]) and (battery_id is null or battery_id = any($3::int[])) and rule_id is not null
      and withdrawn_at is null and raised_at <= $2
      and (cleared_at is null or cleared_at > $2)
"""

_RAISED_AT: Final = """
    select subject, type, raised_at, id from alert
    where subject = any($1::text[]) and (battery_id is null or battery_id = any($2::int[])) and withdrawn_at is null
      and raised_at = any($3::timestamptz[])
"""


@dataclass(frozen=True, slots=True)
class Knowledge:
    """State of the subjects of a replay when every reading up to ``at`` was judged."""

    at: datetime
    states: SubjectStates


async def newest_knowledge(
    connection: AsyncConnection, fleet: FleetIndex, subjects: BatchSubjects, before: datetime
) -> Knowledge:
    """Return what was known of a string before an instant; without a checkpoint, the alerts that were open then."""
    (key,) = fleet.strings.keys_at(subjects.strings).tolist()
    rows = await fetch_all(connection, _NEWEST, (key, before))
    if rows:
        at, state = rows[0]
        stored = orjson.loads(state) if isinstance(state, str) else state
        return Knowledge(at, await _linked(connection, fleet, subjects, _decoded(fleet, subjects, stored)))
    return await open_alerts_known(connection, fleet, subjects, before - LOOKBACK)


async def open_alerts_known(
    connection: AsyncConnection, fleet: FleetIndex, subjects: BatchSubjects, at: datetime
) -> Knowledge:
    """Return nothing but the alerts of the subjects that were open at an instant."""
    states = nothing_known(subjects)
    codes = [
        [entry.code for entry in fleet.locations.entries_at(subjects.locations)],
        [entry.code for entry in fleet.strings.entries_at(subjects.strings)],
        [entry.code for entry in fleet.batteries.entries_at(subjects.batteries)],
    ]
    keys = fleet.batteries.keys_at(subjects.batteries).tolist()
    rows = await fetch_all(connection, _OPEN_AT, ([code for kind in codes for code in kind], at, keys))
    open_by_code: dict[str, dict[AlertType, TypeState]] = {}
    for alert_id, subject, kind, rule_id, raised_at, peak, resolved_at in rows:
        if rule_id in READING_RULES:
            state = _open_state(alert_id, rule_id, raised_at, float(peak), at)
            if resolved_at is not None:
                state = state.with_resolution(microseconds(resolved_at))
            open_by_code.setdefault(subject, {})[AlertType(kind)] = state
    by_kind: list[list[RuleState | None]] = [
        [type_states_to_json(open_by_code[code]) if code in open_by_code else None for code in kind] for kind in codes
    ]
    return Knowledge(
        at,
        SubjectStates(
            locations=replace(states.locations, rule_state=by_kind[0]),
            strings=replace(states.strings, rule_state=by_kind[1]),
            batteries=replace(states.batteries, rule_state=by_kind[2]),
        ),
    )


async def drop_checkpoints(connection: AsyncConnection, string_key: int, since: datetime) -> None:
    """Forget what was known of a string from an instant on."""
    await connection.exec_driver_sql(_DROP, (string_key, since))


async def keep_checkpoint(
    connection: AsyncConnection, fleet: FleetIndex, subjects: BatchSubjects, knowledge: Knowledge
) -> None:
    """Keep what is known of a string at an instant."""
    (key,) = fleet.strings.keys_at(subjects.strings).tolist()
    state = orjson.dumps(_encoded(fleet, subjects, knowledge.states)).decode()
    await connection.exec_driver_sql(_KEEP, (key, knowledge.at, state))


def _open_state(alert_id: int, rule_id: str, raised_at: datetime, peak: float, at: datetime) -> TypeState:
    rule, raised_us = RULE_BY_ID[rule_id], microseconds(raised_at)
    run = RuleRun(
        since_us=raised_us,
        at_us=microseconds(at),
        held_us=round(rule.hold_s * SECOND_US),
        cleared_for_us=0,
        firing=True,
        last=RuleCondition.BREACH,
        peak=peak,
    )
    return TypeState({rule_id: run}, OpenAlert(rule_id, raised_us, peak, alert_id))


def _decoded(fleet: FleetIndex, subjects: BatchSubjects, stored: dict[str, Any]) -> SubjectStates:
    by_key = {row["battery_id"]: row for row in stored.get("batteries") or []}
    rows = [by_key.get(key, {}) for key in fleet.batteries.keys_at(subjects.batteries).tolist()]
    blank = nothing_known(subjects)
    return SubjectStates(
        locations=blank.locations,
        strings=string_states([stored]),
        batteries=replace(
            blank.batteries,
            last_us=times_of(rows, "time"),
            interval_s=np.array([row.get("reporting_interval_s") for row in rows], np.float64),
            known=KnownValues(
                values_of(rows, "known_voltage_v"),
                times_of(rows, "known_voltage_at"),
                values_of(rows, "known_temperature_c"),
                times_of(rows, "known_temperature_at"),
            ),
            rule_state=[row.get("rule_state") for row in rows],
        ),
    )


async def _linked(
    connection: AsyncConnection, fleet: FleetIndex, subjects: BatchSubjects, states: SubjectStates
) -> SubjectStates:
    """Return states whose alerts all have the numbers of their rows.

    A checkpoint that was kept while a replay ran knows those that it found only by when they were raised: their rows
    were written at its end.
    """
    strings = [entry.code for entry in fleet.strings.entries_at(subjects.strings)]
    batteries = [entry.code for entry in fleet.batteries.entries_at(subjects.batteries)]
    decoded = [
        {code: type_states_from_json(state) for code, state in zip(codes, stored, strict=True)}
        for codes, stored in ((strings, states.strings.rule_state), (batteries, states.batteries.rule_state))
    ]
    missing = {
        raised_us
        for of_kind in decoded
        for of_subject in of_kind.values()
        for state in of_subject.values()
        if (raised_us := state.unlinked_raised_us) is not None
    }
    if not missing:
        return states
    keys = fleet.batteries.keys_at(subjects.batteries).tolist()
    raised = [instant(raised_us) for raised_us in sorted(missing)]
    rows = await fetch_all(connection, _RAISED_AT, ([*strings, *batteries], keys, raised))
    numbers = {(subject, kind, microseconds(at)): number for subject, kind, at, number in rows}
    of_strings, of_batteries = (
        [
            type_states_to_json(
                {
                    kind: state
                    if state.unlinked_raised_us is None
                    else state.linked(numbers.get((code, kind.value, state.unlinked_raised_us)))
                    for kind, state in of_subject.items()
                }
            )
            for code, of_subject in of_kind.items()
        ]
        for of_kind in decoded
    )
    return replace(
        states,
        strings=replace(states.strings, rule_state=of_strings),
        batteries=replace(states.batteries, rule_state=of_batteries),
    )


def _encoded(fleet: FleetIndex, subjects: BatchSubjects, states: SubjectStates) -> dict[str, Any]:
    batteries, known = states.batteries, states.batteries.known
    return {
        **encoded_string(states.strings),
        "batteries": [
            {
                "battery_id": key,
                "time": time_or_none(batteries.last_us[row]),
                "reporting_interval_s": value_or_none(batteries.interval_s[row]),
                "known_voltage_v": value_or_none(known.voltage_v[row]),
                "known_voltage_at": time_or_none(known.voltage_us[row]),
                "known_temperature_c": value_or_none(known.temperature_c[row]),
                "known_temperature_at": time_or_none(known.temperature_us[row]),
                "rule_state": batteries.rule_state[row],
            }
            for row, key in enumerate(fleet.batteries.keys_at(subjects.batteries).tolist())
        ],
    }
