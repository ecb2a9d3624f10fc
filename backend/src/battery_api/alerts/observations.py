"""A batch as the rules see it: the subjects of each kind with the signals and gates of their readings."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import structlog

from battery_api.alerts.engine.batch import LimitTable, Observations
from battery_api.alerts.engine.comparison import Moments, Peers, StringValues, string_values
from battery_api.alerts.engine.flatline import FlatlineTracker
from battery_api.alerts.engine.ladders import Gate, SubjectKind
from battery_api.alerts.engine.rules import RULES_OF
from battery_api.alerts.engine.signals import STRING_TRENDS, battery_signals, location_signals, string_signals
from battery_api.alerts.engine.state import BadRuleState, TypeState, type_states_from_json
from battery_api.alerts.limits import OverrideSet
from battery_api.alerts.string_trends import BatchTrends, follow_trends
from battery_api.fleet.catalogue import BatteryEntry, LocationEntry, StringEntry
from battery_api.fleet.ohmic import drift_pct, resistance_at_25c
from battery_api.telemetry.ingest.string_context import NewestValues, SubjectValues, ValueTimeline, stale_after_us
from battery_api.telemetry.ports import JudgedBatch, Readings, Subjects
from battery_api.telemetry.store.columns import BoolArray, FloatArray, IntArray
from battery_api.telemetry.store.indices import BatchSlots
from battery_api.telemetry.store.string_modes import DISCHARGE_BELOW_A, RECHARGE_ABOVE_A
from battery_contracts.enums import DISCHARGING_MODES, AlertType, HvacState, StringMode

_log = structlog.get_logger(__name__)
_HVAC_LOSS: Final = {HvacState.RUNNING: 0.0, HvacState.DEGRADED: 1.0, HvacState.FAILED: 2.0, HvacState.OFF: 2.0}
_LOSS_BY_INDEX: Final = np.array([_HVAC_LOSS[state] for state in HvacState])
_SUM_VALID_S: Final = 300.0
"""How old the voltages of the batteries may be for their sum to be compared with the string's: float is steady."""
CHARGED_CELL_V: Final = 2.20
"""Only a charger holds a cell above this: a surface charge is gone within a minute of a discharge (EJ)."""
EMPTY_CELL_V: Final = 1.95
"""Even an empty cell is soon above this when it is charged (EJ)."""
_CLEAR_CURRENT_PER_AH: Final = 0.02
"""Current for each ampere-hour that no offset of a sensor explains."""

Entry = BatteryEntry | StringEntry | LocationEntry


@dataclass(frozen=True, slots=True)
class SubjectGroup:
    """Subjects of one kind in a batch, with their readings as the engine takes them."""

    kind: SubjectKind
    subjects: Subjects[Entry]
    observations: Observations
    states: Mapping[int, Mapping[AlertType, TypeState]]
    limits: LimitTable


@dataclass(frozen=True, slots=True)
class Observed:
    """The subjects of a batch, one group for each kind, and how the channels of the batteries move, by string."""

    groups: Sequence[SubjectGroup]
    flatlines: Mapping[int, bytes | None]
    trends: Mapping[int, bytes | None]
    """Slow trends of the strings, as they are stored."""


@dataclass(frozen=True, slots=True)
class _BatteryContext:
    """What the battery readings (m,) of a batch are compared with."""

    time_us: IntArray
    max_gap_us: IntArray
    string: IntArray
    voltages: StringValues
    temperatures: StringValues
    charge_contradicted: BoolArray
    """Whether the current says charge while the string is empty and sinking."""
    discharge_contradicted: BoolArray
    """Whether the current says discharge while a charger holds the string."""


def observe(batch: JudgedBatch, overrides: OverrideSet) -> Observed:
    """Return what the rules judge of a batch."""
    context = _battery_context(batch)
    tracker, flat_s = _flat_lines(batch, context)
    followed = follow_trends(batch, context.temperatures)
    groups = [
        _battery_subjects(batch, context, flat_s, followed.battery_is_disturbed, overrides),
        _string_subjects(batch, context, followed, overrides),
        _location_subjects(batch, overrides),
    ]
    before = batch.strings.flatlines
    after = enumerate(tracker.stored())
    changed = {slot: stored for slot, stored in after if stored != before[slot]}
    return Observed(groups, changed, followed.changed)


def gates_of(modes: Sequence[StringMode | None], settled: BoolArray) -> dict[Gate, BoolArray]:
    """Return which gates are open (m,) in modes (m,); ``settled`` (m,) is that of the string then."""
    unknown = np.array([mode is None for mode in modes], np.bool_)
    discharging = np.array([mode in DISCHARGING_MODES for mode in modes], np.bool_)
    on_float = settled | unknown
    return {
        Gate.FLOAT: on_float,
        Gate.STEADY_FLOAT: on_float,
        Gate.CHARGING: ~discharging,
        Gate.DISCHARGE: discharging,
    }


def shows_float(modes: Sequence[StringMode | None], current_a: FloatArray) -> BoolArray:
    """Return whether strings (m,) float for certain: by their mode, and by a current that is known."""
    on_float = np.array([mode is StringMode.FLOAT for mode in modes], np.bool_)
    is_small: BoolArray = (current_a >= DISCHARGE_BELOW_A) & (current_a <= RECHARGE_ABOVE_A)
    return on_float & is_small


def _battery_context(batch: JudgedBatch) -> _BatteryContext:
    readings, batteries = batch.battery_readings, batch.batteries
    time_us = _microseconds(readings)
    max_gap_us = stale_after_us(readings.interval_s)
    string = batteries.string_index[readings.subject]
    moments = Moments(
        member=readings.subject, string=string, time_us=time_us, since_us=batch.mode_since_us, valid_us=max_gap_us
    )
    unknown = np.full(len(readings), np.nan)
    values, known = readings.values, batch.known
    peers = Peers(known.string, known.voltage_v, known.voltage_us, known.temperature_c, known.temperature_us)
    voltages = string_values(values.get("voltage_v", unknown), moments, peers.string, peers.voltage_v, peers.voltage_us)
    temperatures = string_values(
        values.get("temperature_c", unknown), moments, peers.string, peers.temperature_c, peers.temperature_us
    )
    clear_a = _CLEAR_CURRENT_PER_AH * batteries.capacity_ah[readings.subject]
    cell_v = voltages.reference / batteries.cell_count[readings.subject]
    current_a = values.get("current_a", unknown)
    return _BatteryContext(
        time_us,
        max_gap_us,
        string,
        voltages,
        temperatures,
        charge_contradicted=(current_a >= clear_a) & (cell_v <= EMPTY_CELL_V),
        discharge_contradicted=(current_a <= -clear_a) & (cell_v >= CHARGED_CELL_V),
    )


def _flat_lines(batch: JudgedBatch, context: _BatteryContext) -> tuple[FlatlineTracker, dict[str, FloatArray]]:
    readings = batch.battery_readings
    battery = batch.batteries.keys[readings.subject]
    tracker = FlatlineTracker(batch.strings.flatlines, battery, context.string)
    return tracker, tracker.follow(battery, context.time_us, readings.values, context.max_gap_us)


def _battery_subjects(
    batch: JudgedBatch,
    context: _BatteryContext,
    flat_s: Mapping[str, FloatArray],
    is_disturbed: BoolArray,
    overrides: OverrideSet,
) -> SubjectGroup:
    readings, batteries = batch.battery_readings, batch.batteries
    ohmic = _ohmic(batch)
    signals = battery_signals(
        readings.values,
        reference={"voltage_v": context.voltages.reference, "temperature_c": context.temperatures.reference},
        flat_s=flat_s,
        room_c=batch.room_c,
        drift_pct=ohmic.drift_pct,
        over_nominal_pct=ohmic.over_nominal_pct,
        age_s=batch.age_s,
    )
    gates = gates_of(batch.mode, batch.settled)
    # Without mains, a string discharges unless its current shows that a generator or a test feeds its charger.
    current_a = readings.values.get("current_a", np.full(len(readings), np.nan))
    gates[Gate.FLOAT] &= ~batch.mains_lost | shows_float(batch.mode, current_a)
    # What the voltages rule out is unknown: the gates of both sides are open.
    gates[Gate.FLOAT] |= context.discharge_contradicted
    gates[Gate.STEADY_FLOAT] = gates[Gate.FLOAT] & ~is_disturbed
    gates[Gate.CHARGING] |= context.discharge_contradicted
    gates[Gate.DISCHARGE] &= ~context.discharge_contradicted
    gates[Gate.DISCHARGE] |= context.charge_contradicted
    observations = Observations(readings.subject, context.time_us, context.max_gap_us, signals, gates)
    return _group(SubjectKind.BATTERY, batteries, observations, overrides)


@dataclass(frozen=True, slots=True)
class _StringInstants:
    """What the batteries say of their strings at instants (k,), in time order."""

    string: IntArray
    time_us: IntArray
    max_gap_us: IntArray
    current_contradicted: FloatArray
    total_v: FloatArray

    @classmethod
    def of(cls, batch: JudgedBatch, context: _BatteryContext) -> "_StringInstants":
        """Take the instants at which a string can be compared with the current of its batteries."""
        measured = np.flatnonzero(~np.isnan(context.voltages.reference))
        order = measured[np.lexsort((context.string[measured], context.time_us[measured]))]
        is_first = np.ones(len(order), np.bool_)
        is_first[1:] = (np.diff(context.string[order]) != 0) | (np.diff(context.time_us[order]) != 0)
        rows = order[is_first]
        is_contradicted = context.charge_contradicted[rows] | context.discharge_contradicted[rows]
        current_a = batch.battery_readings.values.get("current_a", np.full(len(context.time_us), np.nan))[rows]
        return cls(
            context.string[rows],
            context.time_us[rows],
            context.max_gap_us[rows],
            np.where(np.isnan(current_a), np.nan, is_contradicted.astype(np.float64)),
            context.voltages.total[rows],
        )


def _string_subjects(
    batch: JudgedBatch, context: _BatteryContext, followed: BatchTrends, overrides: OverrideSet
) -> SubjectGroup:
    readings, instants = batch.string_readings, _StringInstants.of(batch, context)
    own_us, of_trends = _microseconds(readings), followed.instants
    time_us = np.concatenate([own_us, instants.time_us, of_trends.time_us])
    order = np.argsort(time_us, kind="stable")
    total_v = _voltage_sums(batch, instants).at(readings.subject, own_us)
    own = dict(readings.values)
    own["voltage_off_sum_pct"] = np.abs(own.get("voltage_v", np.full(len(readings), np.nan)) / total_v - 1.0) * 100.0
    parts = (
        (len(readings), own),
        (len(instants.time_us), {"current_contradicted": instants.current_contradicted}),
        (len(of_trends), {name: getattr(followed.trends, name) for name in STRING_TRENDS}),
    )

    def joined(name: str) -> FloatArray:
        columns = [values.get(name, np.full(count, np.nan)) for count, values in parts]
        return np.concatenate(columns)[order]

    signals = string_signals({name: joined(name) for _, values in parts for name in values}, len(order))
    current_a = own.get("current_a", np.full(len(readings), np.nan))
    on_float = batch.string_settled & (~batch.string_mains_lost | shows_float(batch.string_mode, current_a))
    always = np.ones(len(order) - len(readings), np.bool_)
    observations = Observations(
        np.concatenate([readings.subject, instants.string, of_trends.string])[order],
        time_us[order],
        np.concatenate([stale_after_us(readings.interval_s), instants.max_gap_us, of_trends.valid_us])[order],
        signals,
        {
            Gate.FLOAT: np.concatenate([on_float, always])[order],
            Gate.STEADY_FLOAT: np.concatenate([on_float & ~followed.string_is_disturbed, always])[order],
        },
    )
    return _group(SubjectKind.STRING, batch.strings, observations, overrides)


def _voltage_sums(batch: JudgedBatch, instants: _StringInstants) -> ValueTimeline:
    """Return the sums of the voltages of all batteries of each string, from what was known and from the batch."""
    known, count = batch.known, len(batch.strings.entries)
    size = np.bincount(known.string, minlength=count)
    oldest_us, newest_us = np.full(count, np.iinfo(np.int64).max), np.full(count, np.iinfo(np.int64).min)
    np.minimum.at(oldest_us, known.string, known.voltage_us)
    np.maximum.at(newest_us, known.string, known.voltage_us)
    # NaN where a battery is unknown; a string whose batteries were measured at very different times has no sum.
    total_v: FloatArray = np.bincount(known.string, weights=known.voltage_v, minlength=count).astype(np.float64)
    has_sum = (size > 0) & (newest_us - oldest_us <= _SUM_VALID_S * 1e6)
    newest_us[~has_sum], total_v[~has_sum] = np.iinfo(np.int64).min // 2, np.nan
    by_string = np.lexsort((instants.time_us, instants.string))
    later = SubjectValues(
        BatchSlots(instants.string[by_string]), instants.time_us[by_string], instants.total_v[by_string]
    )
    return ValueTimeline.lasting(NewestValues(newest_us, total_v), later, valid_s=_SUM_VALID_S)


def _location_subjects(batch: JudgedBatch, overrides: OverrideSet) -> SubjectGroup:
    readings = batch.location_readings
    hvac = readings.values.get("hvac", np.full(len(readings), np.nan))
    loss = np.full(len(readings), np.nan)
    is_known = ~np.isnan(hvac)
    loss[is_known] = _LOSS_BY_INDEX[hvac[is_known].astype(np.int64)]
    signals = location_signals(readings.values, len(readings), hvac_loss=loss)
    observations = Observations(readings.subject, _microseconds(readings), stale_after_us(readings.interval_s), signals)
    return _group(SubjectKind.LOCATION, batch.locations, observations, overrides)


def _group(
    kind: SubjectKind, subjects: Subjects[Entry], observations: Observations, overrides: OverrideSet
) -> SubjectGroup:
    states = {}
    for index, state in enumerate(subjects.rule_state):
        if state:
            try:
                states[index] = type_states_from_json(state)
            except BadRuleState as error:
                # Restart rather than refuse readings: a condition that persists is detected again.
                _log.warning("rule state unreadable", subject=subjects.entries[index].code, error=str(error))
    limits = overrides.limit_table(RULES_OF[kind], subjects.entries)
    return SubjectGroup(kind, subjects, observations, states, limits)


@dataclass(frozen=True, slots=True)
class _Ohmic:
    """Resistances of readings (m,) at 25 °C, in percent above the battery's own baseline or, without, the nominal."""

    drift_pct: FloatArray
    over_nominal_pct: FloatArray


def _ohmic(batch: JudgedBatch) -> _Ohmic:
    readings = batch.battery_readings
    drift, over_nominal = np.full(len(readings), np.nan), np.full(len(readings), np.nan)
    resistance = readings.values.get("internal_resistance_mohm")
    # Often the temperature comes in a reading of its own; without any of the battery's, the room's stands for it.
    temperature = np.where(np.isnan(batch.own_temperature_c), batch.room_c, batch.own_temperature_c)
    if resistance is None:
        return _Ohmic(drift, over_nominal)
    measured = np.flatnonzero(~np.isnan(resistance) & ~np.isnan(temperature))
    if not len(measured):
        return _Ohmic(drift, over_nominal)
    entries = [batch.batteries.entries[index] for index in readings.subject[measured].tolist()]
    baseline = np.array([entry.usable_baseline_mohm for entry in entries], np.float64)
    baseline_c = np.array([entry.baseline_temperature_c for entry in entries], np.float64)
    drift[measured] = drift_pct(resistance[measured], temperature[measured], baseline, baseline_c)
    nominal = np.array([entry.nominal_resistance_mohm for entry in entries], np.float64)
    at_25c = resistance_at_25c(resistance[measured], temperature[measured])
    over_nominal[measured] = np.where(np.isnan(drift[measured]), (at_25c / nominal - 1.0) * 100.0, np.nan)
    return _Ohmic(drift, over_nominal)


def _microseconds(readings: Readings) -> "np.ndarray[Any, np.dtype[np.int64]]":
    return readings.time.astype("datetime64[us]").view(np.int64)
