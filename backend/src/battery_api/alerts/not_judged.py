"""What the rules cannot judge of a battery at present, with the reason: silence of a rule must not pass for health.

It answers with the limits, gates and validity times of the judge itself, so that both agree.
"""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import numpy as np

from battery_api.alerts.engine.ladders import Gate, Rule, SubjectKind
from battery_api.alerts.engine.rules import RULES_OF
from battery_api.alerts.engine.comparison import MIN_COMPARED
from battery_api.alerts.observations import gates_of
from battery_api.fleet.known import KnownBattery, KnownString
from battery_api.fleet.schemas import NotJudged
from battery_api.fleet.status import stale_after_s
from battery_api.telemetry.ingest.judgement import OWN_TEMPERATURE_VALID_S, ROOM_VALID_S
from battery_api.telemetry.store.instants import NEVER, microseconds
from battery_api.telemetry.store.string_modes import is_settled
from battery_contracts.enums import JudgedSignal, NotJudgedReason, StringMode

_INPUTS: Final[Mapping[JudgedSignal, frozenset[str]]] = {
    JudgedSignal.VOLTAGE: frozenset({"voltage_v"}),
    JudgedSignal.VOLTAGE_VS_STRING: frozenset({"voltage_vs_string_v", "voltage_spread_v"}),
    JudgedSignal.DISCHARGE_VOLTAGE: frozenset({"voltage_v"}),
    JudgedSignal.TEMPERATURE: frozenset({"temperature_c"}),
    JudgedSignal.TEMPERATURE_OVER_ROOM: frozenset({"temperature_over_room_c"}),
    JudgedSignal.TEMPERATURE_OVER_STRING: frozenset({"temperature_over_string_c"}),
    JudgedSignal.RESISTANCE: frozenset({"resistance_drift_pct", "resistance_over_nominal_pct"}),
}


def rules_judging(signal: JudgedSignal) -> tuple[Rule, ...]:
    """Return the rules that judge a signal of a battery; the limits of a discharge are a signal of their own."""
    rules = [rule for rule in RULES_OF[SubjectKind.BATTERY] if rule.signal in _INPUTS[signal]]
    if signal is JudgedSignal.DISCHARGE_VOLTAGE:
        return tuple(rule for rule in rules if rule.gate is Gate.DISCHARGE)
    if signal is JudgedSignal.VOLTAGE:
        return tuple(rule for rule in rules if rule.gate is not Gate.DISCHARGE)
    return tuple(rules)


_GATES: Final = {signal: frozenset(rule.gate for rule in rules_judging(signal)) for signal in JudgedSignal}
_LONGEST_PAUSE_S: Final = {
    signal: max(rule.max_gap_s or 0.0 for rule in rules_judging(signal)) for signal in JudgedSignal
}


def find_not_judged(string: KnownString, now: datetime) -> dict[str, list[NotJudged]]:
    """Return, by the code of each battery of a string, the signals that its next reading cannot have judged.

    A signal counts as judged while its newest value is no older than the pause that its rules bridge, its gate is open
    and what it is compared with is known. Empty lists are batteries of which every signal is judged.
    """
    view = _View.of(string, now)
    return {battery.code: _of_battery(view, battery) for battery in string.batteries}


@dataclass(frozen=True, slots=True)
class _View:
    """A string as the judge would see it now."""

    now: datetime
    unsettled: frozenset[JudgedSignal]
    """Signals of which no gate is open."""
    is_mode_followed: bool
    is_room_known: bool
    mode_since: datetime | None
    voltage_times: Sequence[datetime]
    """When each battery last measured its voltage, oldest first; likewise its temperature."""
    temperature_times: Sequence[datetime]

    @classmethod
    def of(cls, string: KnownString, now: datetime) -> "_View":
        batteries = string.batteries
        open_gates = _open_gates(string, now)
        return cls(
            now=now,
            unsettled=frozenset(signal for signal, gates in _GATES.items() if gates.isdisjoint(open_gates)),
            is_mode_followed=_is_mode_followed(string, now),
            is_room_known=_is_within(string.known_ambient_at, ROOM_VALID_S, now),
            mode_since=string.mode_since,
            voltage_times=sorted(one.known_voltage_at for one in batteries if one.known_voltage_at is not None),
            temperature_times=sorted(
                one.known_temperature_at for one in batteries if one.known_temperature_at is not None
            ),
        )

    def has_peers(self, times: Sequence[datetime], interval_s: float | None) -> bool:
        oldest = self.now - timedelta(seconds=stale_after_s(interval_s))
        if self.mode_since is not None:
            oldest = max(oldest, self.mode_since)
        return len(times) - bisect_left(times, oldest) >= MIN_COMPARED


def _of_battery(view: _View, battery: KnownBattery) -> list[NotJudged]:
    reasons = {signal: _reason(view, battery, signal) for signal in JudgedSignal}
    return [NotJudged(signal=signal, reason=reason) for signal, reason in reasons.items() if reason is not None]


def _reason(view: _View, battery: KnownBattery, signal: JudgedSignal) -> NotJudgedReason | None:
    if battery.is_retired:
        return NotJudgedReason.RETIRED
    measured_at = _measured_at(battery, signal)
    if measured_at is None:
        return NotJudgedReason.NEVER_MEASURED
    bridged_s = max(stale_after_s(battery.reporting_interval_s), _LONGEST_PAUSE_S[signal])
    if not _is_within(measured_at, bridged_s, view.now):
        return NotJudgedReason.READING_TOO_OLD
    if signal is JudgedSignal.DISCHARGE_VOLTAGE:
        return None if view.is_mode_followed else NotJudgedReason.NO_CURRENT
    if signal in view.unsettled:
        return NotJudgedReason.NOT_SETTLED
    return _missing_reference(view, battery, signal)


def _measured_at(battery: KnownBattery, signal: JudgedSignal) -> datetime | None:
    if signal is JudgedSignal.RESISTANCE:
        return battery.resistance_at
    if signal in {JudgedSignal.VOLTAGE, JudgedSignal.VOLTAGE_VS_STRING, JudgedSignal.DISCHARGE_VOLTAGE}:
        return battery.known_voltage_at
    return battery.known_temperature_at


def _missing_reference(view: _View, battery: KnownBattery, signal: JudgedSignal) -> NotJudgedReason | None:
    """Return why what a signal is compared with, or referred to, is not known; None if it is or none is needed."""
    interval_s = battery.reporting_interval_s
    if signal is JudgedSignal.VOLTAGE_VS_STRING and not view.has_peers(view.voltage_times, interval_s):
        return NotJudgedReason.TOO_FEW_PEERS
    if signal is JudgedSignal.TEMPERATURE_OVER_STRING and not view.has_peers(view.temperature_times, interval_s):
        return NotJudgedReason.TOO_FEW_PEERS
    if signal is JudgedSignal.TEMPERATURE_OVER_ROOM and not view.is_room_known:
        return NotJudgedReason.NO_ROOM_TEMPERATURE
    if signal is JudgedSignal.RESISTANCE:
        # Without a usable baseline the nameplate judges it, so only the temperature can be missing.
        is_own_known = _is_within(battery.known_temperature_at, OWN_TEMPERATURE_VALID_S, view.now)
        if battery.resistance_temperature_c is None and not is_own_known and not view.is_room_known:
            return NotJudgedReason.NO_TEMPERATURE
    return None


def _open_gates(string: KnownString, now: datetime) -> frozenset[Gate]:
    on_float = np.array([string.mode in {None, StringMode.FLOAT}])
    since_us, discharged_us, now_us = (
        np.array([NEVER if instant is None else microseconds(instant)], np.int64)
        for instant in (string.mode_since, string.last_discharge_at, now)
    )
    gates = gates_of([string.mode], is_settled(on_float, since_us, discharged_us, now_us))
    return frozenset({Gate.ALWAYS, *(gate for gate, is_open in gates.items() if is_open[0])})


def _is_mode_followed(string: KnownString, now: datetime) -> bool:
    """Return whether a discharge would be noticed: from the current of the string or of a battery, or a reported mode.

    A string that never sent a current can have its mode from its reports alone; of one that did, only the current
    counts.
    """
    if string.mode is None:
        return False
    of_string = string.time if string.known_current_at is None else string.known_current_at
    if _is_within(of_string, stale_after_s(string.reporting_interval_s), now):
        return True
    return any(
        _is_within(battery.own_current_at, stale_after_s(battery.reporting_interval_s), now)
        for battery in string.batteries
    )


def _is_within(instant: datetime | None, age_s: float, now: datetime) -> bool:
    return instant is not None and now - instant <= timedelta(seconds=age_s)
